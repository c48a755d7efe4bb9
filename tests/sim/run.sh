#!/bin/bash
# Many histories on two processes. usage: run.sh <first seed> <how many>
sim=${SAT_BUILD:-build}/tests/sim/sim
from=$1 half=$((($2 + 1) / 2))
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
"$sim" --seed "$from" --count $half --counters "$out/c1" >"$out/o1" 2>&1 &
"$sim" --seed $((from + half)) --count $(($2 - half)) \
    --counters "$out/c2" >"$out/o2" 2>&1
wait
cat "$out/c1" "$out/c2" 2>/dev/null | awk '
	{ n[$1] += $2; if (!($1 in at)) { at[$1] = ++k; name[k] = $1 } }
	END { for (i = 1; i <= k; i++) printf "  %-15s %d\n", name[i], n[name[i]] }'
grep -h -A1 '^FAIL' "$out"/o[12]
passed=$(grep -ahoE '^[0-9]+ passed' "$out"/o[12] | awk '{ s += $1 } END { print s + 0 }')
echo "$passed passed, $(($2 - passed)) failed"
[ "$passed" = "$2" ]
