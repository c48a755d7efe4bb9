#!/bin/bash
# A share of the points of the two sweeps (make sweep-io, sweep-oom look at all).
# Prints "N passed, N failed": operations.
cd "$(dirname "$0")/../.." || exit 2
passed=0 failed=0
for what in "io 9" "oom 251"; do
	# shellcheck disable=SC2086
	out=$(tests/sweep/run.sh $what)
	rc=$?
	echo "$out"
	n=$(echo "$out" | awk '/ operations, / { print $1 }')
	bad=$(echo "$out" | awk '/^[0-9]+ bad$/ { print $1 }')
	passed=$((passed + ${n:-0}))
	if [ $rc != 0 ]; then failed=$((failed + ${bad:-1})); fi
done
echo "$passed passed, $failed failed"
[ $failed = 0 ]
