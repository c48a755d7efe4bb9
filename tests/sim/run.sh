#!/bin/bash
# Many histories in chunks on two processes; counters summed at the end.
# usage: run.sh [-k DIR] [-p NAME] [-x 'OPTIONS'] [-m] FIRST COUNT
#   -k DIR  keep what each finished chunk said there: the same command goes on
#           where it was stopped
#   -p NAME another program than sim: loss
#   -x ...  options handed to sim, e.g. --twin
#   -m      every counter must reach its minimum (counters.h, per 1,000 histories)
# Prints "N passed, N failed"; exit code 1 when a history does not hold.
program=sim
keep='' extra='' minimum=0 chunk=${CHUNK:-100}
while getopts k:x:p:m o; do
	case $o in
	k) keep=$OPTARG ;;
	x) extra=$OPTARG ;;
	m) minimum=1 ;;
	p) program=$OPTARG ;;
	*) exit 2 ;;
	esac
done
shift $((OPTIND - 1))
first=$1 count=$2
sim=${SAT_BUILD:-build}/tests/sim/$program
if [ ! -x "$sim" ]; then
	echo "no $sim: make sim builds it"
	echo "0 passed, 1 failed"
	exit 1
fi
if [ -n "$keep" ]; then
	out=$keep
	mkdir -p "$out" || exit 2
else
	out=$(mktemp -d)
	trap 'rm -rf "$out"' EXIT
fi
chunk_run() { # <first seed>
	local at=$1 n=$chunk
	[ $((at + n)) -gt $((first + count)) ] && n=$((first + count - at))
	[ -e "$out/$at-$n.done" ] && return
	# shellcheck disable=SC2086
	"$sim" --seed "$at" --count $n $extra --counters "$out/$at-$n.n" \
	    >"$out/$at-$n.out" 2>&1
	# a crash leaves no sum
	grep -q ' passed, ' "$out/$at-$n.out" || {
		echo "no end of seeds $at to $((at + n - 1)):"
		tail -3 "$out/$at-$n.out"
		return
	}
	grep -A1 '^FAIL' "$out/$at-$n.out" || touch "$out/$at-$n.done"
	[ -z "$keep" ] || echo "done: seeds $at to $((at + n - 1))"
}
export -f chunk_run
export sim out extra chunk first count keep
seq "$first" "$chunk" $((first + count - 1)) |
    xargs -P 2 -I{} bash -c 'chunk_run {}'
# What was asked for, not what else the folder holds.
said() { # <suffix>
	for at in $(seq "$first" "$chunk" $((first + count - 1))); do
		n=$((first + count - at))
		cat "$out/$at-$((n < chunk ? n : chunk)).$1" 2>/dev/null
	done
}
said n | awk -v must=$minimum '
	{
		n[$1] += $2; least[$1] = $3
		if (!($1 in at)) { at[$1] = ++k; name[k] = $1 }
	}
	END {
		for (i = 1; i <= k; i++) {
			c = name[i]
			printf "  %-15s %d\n", c, n[c]
			# least: per 1,000 histories
			if (must && n[c] * 1000 < least[c] * n["histories"]) {
				printf "too seldom: %s, %d in %d histories, " \
				    "%d per 1,000 expected\n", c, n[c], \
				    n["histories"], least[c]
				missing++
			}
		}
		exit k == 0 || missing != 0
	}'
reached=$?
passed=$(said out | grep -aoE '^[0-9]+ passed' |
    awk '{ s += $1 } END { print s + 0 }')
failed=$((count - passed))
if [ $reached != 0 ]; then failed=$((failed + 1)); else passed=$((passed + minimum)); fi
echo "$passed passed, $failed failed"
[ $failed = 0 ]
