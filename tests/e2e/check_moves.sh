#!/bin/bash
# A territory changes hands while its owner is offline: tests/moves/moves.c
exec "${SAT_BUILD:-build}/tests/moves/moves"
