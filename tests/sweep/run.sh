#!/bin/bash
# Every operation with every single failure, one after the other on two
# processes. usage: run.sh io|oom [stride]
# Prints what is bad as it is found, the number of points and "N bad"; the
# points of each operation as it ends when somebody looks.
export sweep=${SAT_BUILD:-build}/tests/sweep/sweep
export what=$1 stride=${2:-1}
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
ops=$("$sweep" "$what" --list | wc -l)
export out ops
show='^BAD|^sweep'
[ -t 1 ] || [ "$stride" = 1 ] && show="$show|^ *[0-9]+  "
export show
one() { # <operation>
	"$sweep" "$what" -v --stride "$stride" --part "$1" --parts "$ops" 2>&1 |
	    tee "$out/$1" | grep --line-buffered -E "$show"
}
export -f one
seq 0 $((ops - 1)) | xargs -P 2 -I{} bash -c 'one {}'
cat "$out"/* | grep -E '^[0-9]+ operations' | sed 's/[^0-9 ]//g' | awk '
	{
		ops += $1; points += $2; done += $3; told += $4; died += $5
		looked += $6
	}
	END {
		printf "%d operations, %d points: %d done all the same, " \
		    "%d reported, %d stopped the process; " \
		    "%d disks looked at\n", ops, points, done, told, died, \
		    looked
	}'
bad=$(cat "$out"/* | awk -v ops="$ops" '/^[0-9]+ bad$/ { n++; s += $1 }
    END { print s + ops - n }') # a crash leaves no sum
echo "$bad bad"
[ "$bad" = 0 ]
