#!/bin/bash
# Histories in which the server's disk is lost. Prints "N passed, N failed".
cd "$(dirname "$0")/../.." || exit 2
CHUNK=50 exec tests/sim/run.sh -p loss 1 "${LOSS_HISTORIES:-200}"
