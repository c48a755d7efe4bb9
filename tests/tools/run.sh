#!/bin/bash
# Run test programs, print each result, end with the true sum.
# A program is either a cmocka one or prints "N passed, N failed" itself.
# usage: run.sh [--unit-only|--e2e-only] <build dir> <programs...>; without an
# option every tests/{golden,sim,fuzz,fault,e2e}/check_*.sh comes after them.
# Unit tests and those of e2e have what they need each to themselves and wait
# much, so SAT_JOBS (as many as there are processors, 4 at most) run side by side;
# all others, which use more processors than one, one after the other.
# The programs wait for the disk at every save; what is tried here is not the disk,
# so all is written in memory when there is room for it (TMPDIR=/tmp: on the disk).
only=
[[ "$1" = --*-only ]] && { only=$1; shift; }
B=$1; shift
export SAT_BUILD=$B
export TSAN_OPTIONS="suppressions=$PWD/tests/tools/tsan.supp ${TSAN_OPTIONS:-}"
jobs=${SAT_JOBS:-$(nproc)}; [ "$jobs" -gt 4 ] && jobs=4
passed=0 failed=0
roomy() { # 2 GB in its file system, 4 GB in all
	[ -w "$1" ] && [ "$(df --output=avail -m "$1" | tail -1)" -ge 2048 ] &&
		[ "$(awk '$1 == "MemAvailable:" { print $2 }' /proc/meminfo)" -ge 4194304 ]
}
[ -n "${TMPDIR:-}" ] || ! roomy /dev/shm 2>/dev/null || export TMPDIR=/dev/shm
T=$(mktemp -d); trap 'chmod -R u+w "$T" 2>/dev/null; rm -rf "$T"' EXIT
chmod 711 "$T"; export TMPDIR=$T # one test knocks as another user
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
	echo "$1" >>"$B/ran"
}
begin() { # program: its output and exit code to files of its own
	local at=$T/${1//\//_}
	timeout "${SAT_TEST_TIMEOUT:-900}" "$@" >"$at.log" 2>&1 </dev/null
	echo $? >"$at.r"; mv "$at.r" "$at.rc"
}
end() { local at=$T/${1//\//_}; count "$1" "$at.log" "$(cat "$at.rc" 2>/dev/null || echo 1)"; rm -f "$at".*; }
run() { begin "$@"; end "$1"; }
run_beside() { # the same for many, SAT_JOBS at a time, told as they end
	local t at going=()
	for t in "$@" ""; do
		while [ ${#going[@]} -ge "$jobs" ] || { [ -z "$t" ] && [ ${#going[@]} -gt 0 ]; }; do
			wait -n
			for at in "${!going[@]}"; do
				[ -e "$T/${going[at]//\//_}.rc" ] && { end "${going[at]}"; unset "going[at]"; }
			done
		done
		[ -z "$t" ] || { begin "$t" & going+=("$t"); }
	done
}
run_beside "$@"
if [ -z "$only" ]; then
	for t in tests/golden/check_*.sh tests/fuzz/check_*.sh tests/sim/check_*.sh \
	    tests/fault/check_*.sh; do
		[ ! -e "$t" ] || run "$t"
	done
	e2e=(tests/e2e/check_*.sh)
	run_beside "${e2e[@]}"
	run tests/tools/requirements.sh "$B/ran"
fi
echo "$passed passed, $failed failed"
[ $failed = 0 ]
