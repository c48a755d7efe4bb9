#!/bin/bash
# Every operation with every single failure, on two processes.
# usage: run.sh io|oom [stride]; prints the number of points and "N bad".
sweep=${SAT_BUILD:-build}/tests/sweep/sweep
what=$1 stride=${2:-1}
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
for i in 0 1; do
	"$sweep" "$what" --stride "$stride" --part $i --parts 2 \
	    >"$out/$i" 2>&1 &
done
wait
grep -h '^BAD\|^sweep' "$out"/?
grep -hE '^[0-9]+ operations' "$out"/? | sed 's/[^0-9 ]//g' | awk '
	{ ops += $1; points += $2; done += $3; told += $4; died += $5 }
	END {
		printf "%d operations, %d points: %d done all the same, " \
		    "%d reported, %d stopped the process\n", ops, points, \
		    done, told, died
	}'
bad=$(cat "$out"/? | awk '/^[0-9]+ bad$/ { n++; s += $1 } END {
    print n == 2 ? s : s + 1 }') # a crash leaves no sum
echo "$bad bad"
[ "$bad" = 0 ]
