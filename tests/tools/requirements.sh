#!/bin/bash
# docs/requirements.md against the tests that ran.
# usage: requirements.sh <file: names of what ran, one per line> [page]
# Every number from R-001 on is there once. A row of M names at least one test.
# `check_x.sh words` is tests/e2e/check_x.sh and the words stand in it; `test_x`
# a unit program. Each has to be in the list of what ran. S, L and O name one,
# or say "open" and why.
ran=$1 page=${2:-docs/requirements.md}
passed=0 failed=0
ok() { passed=$((passed + 1)); }
bad() { failed=$((failed + 1)); echo "FAIL: $*"; }
names_ok() { # id, last column
	local ref file words n=0
	while read -r ref; do
		file=${ref%% *}; words=; [ "$file" = "$ref" ] || words=${ref#* }
		case $file in
		check_*.sh) file=tests/e2e/$file; [ -f "$file" ] || { bad "$1: there is no $file"; continue; }
			grep -qE "(^|/)${file##*/}$" "$ran" || bad "$1: $file did not run" ;;
		test_*) grep -qE "/${file}$" "$ran" || bad "$1: $file did not run"
			file=$(find tests/unit -name "$file.c" | head -1); [ -n "$file" ] || { bad "$1: no program of that name"; continue; } ;;
		*) continue ;;
		esac
		n=$((n + 1))
		[ -z "$words" ] || grep -qiF -- "$words" "$file" || bad "$1: '$words' is not in $file"
	done < <(grep -oE '`[^`]+`' <<<"$2" | tr -d '`')
	return $((n == 0))
}
want=1
while IFS='|' read -r _ id level _ _ _ test _; do
	id=${id// /} level=${level// /}
	[ "$id" = "$(printf 'R-%03d' $want)" ] || bad "$id stands where R-$(printf %03d $want) should"
	want=$((want + 1))
	if names_ok "$id" "$test"; then ok
	elif [ "$level" = M ]; then bad "$id must, and names no test"
	elif [ "$level" = O ] || [[ $test == *open* ]]; then ok
	else bad "$id names no test and does not say that it is open"; fi
done < <(grep '^| R-' "$page")
[ $want = 162 ] || bad "the page ends before R-161"
echo "$passed passed, $failed failed"
[ $failed = 0 ]
