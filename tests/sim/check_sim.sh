#!/bin/bash
# 1,000 histories from a fixed seed on two processes, 20 of them twice; every
# kind of trouble must have been met. Prints "N passed, N failed".
cd "$(dirname "$0")/../.." || exit 2
B=${SAT_BUILD:-build}
sim=$B/tests/sim/sim
if [ ! -x "$sim" ]; then
	echo "no $sim: make check builds it"
	echo "0 passed, 1 failed"
	exit 1
fi
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
"$sim" --seed 1 --count 500 --counters "$out/c1" >"$out/o1" 2>&1 &
one=$!
"$sim" --seed 501 --count 500 --counters "$out/c2" >"$out/o2" 2>&1
two=$?
wait $one
one=$?
"$sim" --seed 2001 --count 20 --twin >"$out/o3" 2>&1
three=$?
grep -h -A1 '^FAIL' "$out"/o[123]
for f in "$out"/o[123]; do
	# a crash leaves no sum
	grep -q ' passed, ' "$f" || { echo "no end of:"; tail -3 "$f"; }
done
cat "$out/c1" "$out/c2" 2>/dev/null | awk '
	{ n[$1] += $2; must[$1] = $3; if (!($1 in at)) { at[$1] = ++k; name[k] = $1 } }
	END {
		for (i = 1; i <= k; i++) {
			printf "  %-15s %d\n", name[i], n[name[i]]
			if (must[name[i]] && n[name[i]] == 0) {
				print "never reached: " name[i]; missing++
			}
		}
		if (k == 0) missing = 1
		exit missing != 0
	}'
reached=$?
passed=$(grep -ahoE '^[0-9]+ passed' "$out"/o[123] | awk '{ s += $1 } END { print s + 0 }')
failed=$(grep -ahoE '[0-9]+ failed$' "$out"/o[123] | awk '{ s += $1 } END { print s + 0 }')
if [ $reached = 0 ]; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
if [ $((one + two + three)) != 0 ] && [ "$failed" = 0 ]; then failed=1; fi
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
