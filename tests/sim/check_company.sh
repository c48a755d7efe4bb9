#!/bin/bash
# A company of 12 for six days, three of 6 for a quarter of a year.
# Prints "N passed, N failed".
cd "$(dirname "$0")/../.." || exit 2
company=${SAT_BUILD:-build}/tests/company/company
if [ ! -x "$company" ]; then
	echo "no $company: make company builds it"
	echo "0 passed, 1 failed"
	exit 1
fi
out=$(mktemp)
trap 'rm -f "$out" "$out.6"' EXIT
"$company" --check --devices 12 --days 6 >"$out.6" 2>&1 &
"$company" --check --quarter --devices 6 --days 90 --count 3 >"$out" 2>&1
two=$?
wait $!
one=$?
cat "$out.6" >>"$out"
cat "$out"
# what never happened was not checked
for what in 'stolen laptops' 'devices restored' 'server disks lost' \
    'territories that' 'new templates' '... files it went to' \
    '... and a sync renewed' 'saves in a quarantine' 'saves lost with'; do
	awk -v what="$what" 'index($0, what) && $1 > 0 { n = 1 }
	    END { exit !n }' "$out" || { echo "never met: $what"; two=1; }
done
awk -v rc=$((one + two)) '/ passed, / { p += $1; f += $3; n++ }
    END { if (n != 2 || (rc && !f)) f++
    printf "%d passed, %d failed\n", p, f }' "$out"
[ $((one + two)) = 0 ]
