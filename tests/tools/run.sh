#!/bin/bash
# Run test programs, print each result, end with the true sum.
# A program is either a cmocka one or prints "N passed, N failed" itself.
# usage: run.sh [--unit-only] <build dir> <programs...>; further programs:
# every executable tests/{golden,sim,fuzz,fault,e2e}/check_*.sh
unit_only=
[ "$1" = --unit-only ] && { unit_only=1; shift; }
B=$1; shift
export SAT_BUILD=$B
passed=0 failed=0
: >"$B/ran"
count() { # name log rc
	local p f
	p=$(grep -aoE '^[0-9]+ passed, [0-9]+ failed' "$2" | tail -1)
	if [ -n "$p" ]; then f=${p#*, }; f=${f%% *}; p=${p%% *}
	else
		p=$(grep -aoE '\[  PASSED  \] [0-9]+ test' "$2" | awk '{s+=$4}END{print s+0}')
		f=$(grep -aoE '\[  FAILED  \] [0-9]+ test' "$2" | awk '{s+=$4}END{print s+0}')
	fi
	if [ "$3" != 0 ] && [ "$f" = 0 ]; then f=1; fi
	if [ "$3" = 0 ] && [ "$p" = 0 ] && [ "$f" = 0 ]; then f=1; echo "ran no test: $1"; fi
	passed=$((passed + p)); failed=$((failed + f))
	if [ "$f" != 0 ]; then echo "FAIL $1"; tail -60 "$2"; else echo "ok   $1 ($p)"; fi
}
run() {
	local log; log=$(mktemp)
	timeout "${SAT_TEST_TIMEOUT:-900}" "$@" >"$log" 2>&1 </dev/null
	count "$1" "$log" $?
	echo "$1" >>"$B/ran"
	rm -f "$log"
}
for t in "$@"; do run "$t"; done
if [ -z "$unit_only" ]; then
	for t in tests/golden/check_*.sh tests/fuzz/check_*.sh tests/sim/check_*.sh \
	    tests/fault/check_*.sh tests/e2e/check_*.sh; do
		[ -x "$t" ] && run "$t"
	done
	run tests/tools/requirements.sh "$B/ran"
fi
echo "$passed passed, $failed failed"
[ $failed = 0 ]
