#!/bin/bash
# Histories with hostile devices, each lived with and without their moves, on
# two processes. usage: check_byz.sh [FIRST [COUNT]]; prints "N passed, N failed"
cd "$(dirname "$0")/../.." || exit 2
byz=${SAT_BUILD:-build}/tests/sim/byz
first=${1:-1} count=${2:-${BYZ_HISTORIES:-200}}
if [ ! -x "$byz" ]; then
	echo "no $byz: make sim-byz builds it"
	echo "0 passed, 1 failed"
	exit 1
fi
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
half=$((count / 2))
"$byz" --must --seed "$first" --count $half >"$out/1" 2>&1 &
"$byz" --must --seed $((first + half)) --count $((count - half)) >"$out/2" 2>&1
two=$?
wait $!
one=$?
cat "$out/1" "$out/2"
cat "$out/1" "$out/2" | awk '/ passed, / { p += $1; f += $3; n++ }
    END { if (n != 2) f++; printf "%d passed, %d failed\n", p, f }'
[ $((one + two)) = 0 ]
