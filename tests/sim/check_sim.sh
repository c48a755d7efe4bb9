#!/bin/bash
# 5,000 histories from a fixed seed, then 50 twice; every kind of trouble must
# have been met often enough. Prints "N passed, N failed".
cd "$(dirname "$0")/../.." || exit 2
a=$(tests/sim/run.sh -m 1 "${SIM_HISTORIES:-5000}")
one=$?
b=$(CHUNK=25 tests/sim/run.sh -x --twin 200001 50)
two=$?
echo "$a"
echo "$b" | grep -v '^  '
{ echo "$a"; echo "$b"; } | awk '/ passed, / { p += $1; f += $3 }
    END { printf "%d passed, %d failed\n", p, f }'
[ $((one + two)) = 0 ]
