#!/bin/bash
# Every planted bug of protocol/bugs.h must be caught; without one the same
# build must be clean. usage: mutants.sh <build dir made with BUGS=1>
B=$1
sim=$B/tests/sim/sim
export SAT_BUILD=$B
LIMIT=${LIMIT:-20000} CLEAN=${CLEAN:-300}
missed=0 caught=0
printf '%-24s %8s  %s\n' bug seed "what was seen"
for bug in $("$sim" --bug list); do
	line=$("$sim" --bug "$bug" --seed 1 --count "$LIMIT" 2>&1 |
	    grep -a -m1 '^FAIL seed')
	if [ -z "$line" ]; then
		printf '%-24s %8s  not caught in %d histories\n' "$bug" - "$LIMIT"
		missed=$((missed + 1))
		continue
	fi
	seed=${line#FAIL seed }
	printf '%-24s %8s  %s\n' "$bug" "${seed%%:*}" "${seed#*: }"
	caught=$((caught + 1))
done
if ! "$sim" --seed 1 --count "$CLEAN" >"$B/sim_clean.log" 2>&1; then
	echo "without a bug the build is not clean:"
	grep -a -A1 '^FAIL' "$B/sim_clean.log"
	missed=$((missed + 1))
else
	echo "no bug: $CLEAN histories clean"
	caught=$((caught + 1))
fi
echo "$caught passed, $missed failed"
[ $missed = 0 ]
