#!/bin/bash
# The long programs a release rests on, one after the other: hours on two
# cores. What has ended well for this commit is not run again, so the same
# command goes on where it was stopped.
# usage: evidence.sh [STEP...]; without one, all of them. EVIDENCE is the
# folder of what they said (build/evidence).
cd "$(dirname "$0")/../.." || exit 2
steps=(
	'check          make check'
	'check-asan     make check SAN=address,undefined SIM_HISTORIES=500'
	'check-tsan     make check SAN=thread SIM_HISTORIES=100'
	'sim            make sim SEEDS=100000 KEEP=$at/sim.parts'
	'sim-byz        make sim-byz SEEDS=5000'
	'sim-serverloss make sim-serverloss SEEDS=10000 KEEP=$at/loss.parts'
	'sim-90d        make sim-90d SEEDS=200'
	'doublecheck    make doublecheck SEEDS=500'
	'mutants        make sim-mutants'
	'sweep-io       make sweep-io'
	'sweep-oom      make sweep-oom'
	'company        make company'
	'devices        make devices N=5000'
	'fuzz           make fuzz SECS=300'
	'bench          make bench'
)
if [ -n "$(git status --porcelain 2>&1)" ]; then
	echo "evidence is of a commit: commit or remove what git status shows"
	exit 2
fi
for want in "$@"; do
	printf '%s\n' "${steps[@]}" | grep -q "^$want " && continue
	echo "no step $want; there are:" $(printf '%s\n' "${steps[@]%% *}")
	exit 2
done
at=${EVIDENCE:-build/evidence}/$(git rev-parse --short=12 HEAD)
mkdir -p "$at" || exit 2
passed=0 failed=0
for step in "${steps[@]}"; do
	read -r name command <<<"$step"
	[ $# = 0 ] || [[ " $* " == *" $name "* ]] || continue
	if [ ! -e "$at/$name.ok" ]; then
		begin=$(date +%s)
		if eval "$command" >"$at/$name.log" 2>&1; then
			echo "$(($(date +%s) - begin)) s" >"$at/$name.ok"
		else
			failed=$((failed + 1))
			printf '%-15s FAILED  %s: %s\n' "$name" "$at/$name.log" \
			    "$(tail -1 "$at/$name.log")"
			continue
		fi
	fi
	passed=$((passed + 1))
	printf '%-15s ok %8s  %s\n' "$name" "$(cat "$at/$name.ok")" \
	    "$(tail -1 "$at/$name.log")"
done
echo "$passed passed, $failed failed"
[ $failed = 0 ] && [ $passed -gt 0 ]
