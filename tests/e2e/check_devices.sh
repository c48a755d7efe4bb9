#!/bin/bash
# `make devices` in small: 200 devices at once, everything arrives, nothing is
# left of 2 s of killed connections.
B=${SAT_BUILD:-build}
exec "$B/satchel-devices" "$B/satcheld" "${N:-200}" "${STORM:-2}"
