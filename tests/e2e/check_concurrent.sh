#!/bin/bash
# Two devices make 1,000 random edits each to the same 200 customers offline
# and sync in both orders, three times: all replicas and the server hold the
# same bytes, every field both edited differently is in the inbox exactly
# once, and no value is gone. ROUNDS=60 for longer evidence; SAT_SEED repeats.
# In memory when there is a place for it: the disk is not what is tried here.
[ -z "${TMPDIR:-}" ] && [ -w /dev/shm ] && export TMPDIR=/dev/shm
B=${SAT_BUILD:-build}
exec "$B/tests/e2e/concurrent" "$B/satcheld" "${ROUNDS:-6}" "${CUSTOMERS:-200}" "${EDITS:-1000}"
