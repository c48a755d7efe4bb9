#!/bin/bash
# The documents of the wire against sources and vectors: every P-number that is
# cited is defined once, every one defined is cited by a source or a test;
# every message, operation kind and column of a batch has its row; every worked
# example is the vector it names. Prints "N passed, N failed".
cd "$(dirname "$0")/../.." || exit 2
passed=0 failed=0
none() { # WHAT LINES
	if [ -z "$2" ]; then passed=$((passed + 1)); else
		failed=$((failed + 1)); echo "FAIL $1:" $2; fi
}
W=$(mktemp -d)
trap 'rm -rf "$W"' EXIT
# single numbers, and ranges "P-101..P-105", "P-101 to P-105"
expand() {
	awk '{ n = split($0, w, /[^0-9]+/)
	    for (i = (w[2] > 0 ? w[2] : 0); i <= (w[3] > 0 ? w[3] : w[2]); i++) printf "P-%03d\n", i }'
}
src=(protocol common client server tests docs/encryption.md docs/simulator.md)
grep -rhoE 'P-[0-9]{3}((\.\.| to )P?-?[0-9]{3})?' --include='*.[ch]' --include='*.sql' --include='*.sh' --include='*.md' "${src[@]}" |
    expand | sort -u >"$W/cited"
grep -oE '^(- \*\*P-[0-9]{3}\*\*|\| P-[0-9]{3} )' docs/protocol.md | grep -oE 'P-[0-9]{3}' | sort >"$W/defined"
# Noise: one section of the published specification
grep -q 'P-110 to P-119' docs/protocol.md && seq -f 'P-%g' 110 119 >>"$W/defined"
sort -o "$W/defined" "$W/defined"
none "defined twice" "$(uniq -d "$W/defined")"
# a range may have holes for later
grep -rhoE 'P-[0-9]{3}((\.\.| to )P?-?[0-9]{3})?' --include='*.[ch]' --include='*.sql' "${src[@]}" |
    grep -vE '\.\.| to ' | sort -u >"$W/single"
none "cited but not defined" "$(comm -23 "$W/single" <(sort -u "$W/defined"))"
none "defined but cited nowhere" "$(comm -13 "$W/cited" <(sort -u "$W/defined"))"
# tables: every name of the headers
for n in $(grep -oE 'SAT_MSG_[A-Z_]+ = [0-9]+' protocol/message.h | grep -v _LAST | sed 's/SAT_MSG_\([A-Z_]*\) = \([0-9]*\)/\2:\1/'); do
	grep -qE "^\| ${n%%:*} \| ${n##*:} " docs/wire.md || none "message without a row" "$n"
done
passed=$((passed + 1))
for n in $(grep -oE 'SAT_OP_[A-Z]+ = [0-9]+' protocol/commit.h | grep -v _LAST | sed 's/SAT_OP_\([A-Z]*\) = \([0-9]*\)/\2:\1/'); do
	grep -qE "^\| ${n%%:*} \| ${n##*:} " docs/wire.md || none "operation without a row" "$n"
done
passed=$((passed + 1))
for f in batch batch_records; do
	for n in $(sed -n '/^enum {/,/^};/p' protocol/$f.c | sed 's:/\*.*::' | grep -oE 'C_[A-Z_]+' | grep -vx C_N); do
		grep -q "\`$n\`" docs/wire.md || none "column without a row" "$f:$n"
	done
done
passed=$((passed + 1))
# examples: `vector FILE/NAME` and the words of its input, one a line behind it
awk '/^    vector / { split($2, p, "/"); file = p[1]; name = p[2]; next }
    /^    [0-9a-f() *-]+$/ && name != "" { gsub(/ /, ""); hex[file "/" name] = hex[file "/" name] $0; next }
    { name = "" }
    END { for (k in hex) print k, hex[k] }' docs/wire.md >"$W/examples"
while read -r key hex; do
	got=$(grep -F "${key#*/} | " "tests/golden/${key%%/*}.txt" | grep "^${key#*/} |" | awk -F ' [|] ' '{ print $2 }' | sed 's/^push //; s/^pull //' | tr -d ' ')
	none "example $key is not its vector" "$([ "$got" = "$hex" ] || echo "$got")"
done <"$W/examples"
none "examples" "$([ "$(wc -l <"$W/examples")" -ge 6 ] || echo 'fewer than 6')"
echo "$passed passed, $failed failed"
[ $failed = 0 ]
