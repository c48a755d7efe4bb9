#!/bin/bash
# A request that asks the server something waits for the network; others of the
# same daemon do not wait for it. With an answer it ends as it would without a
# daemon, without one it says so.
. tests/e2e/lib.sh
server_init; serve
d user add hq --name HQ --role hq >/dev/null; enrol hq
d team add east --name East >/dev/null
d user add li --name Li --role rep --team east >/dev/null; enrol li
as li account add --set name=公司 "${ACC[@]}" --set phone_main=13812345678 >"$W/id"; A=$(cat "$W/id")
as li -q sync; as hq -q sync
WITHOUT=$(as hq --json privacy list | flat)
as hq daemon --no-sync >/dev/null 2>"$W/err" || bad "no daemon: $(cat "$W/err")"
sed -n 's/.*process \([0-9]*\)$/\1/p' "$W/err" >"$W/r/hq/daemon.pid"

# the same answer, the same failures
expect 0 as hq --json privacy list
same "$(flat <<<"$OUT")" "$WITHOUT" "the list through a daemon"
expect 5 as hq privacy erase nosuch --reason x
expect 0 as hq --json privacy erase "$A" --reason "request 12" --yes
has "$OUT" '"state": "asked"' "an erasure asked for"
expect 0 as hq --json account assign --where "owner=li" --to hq --preview
has "$(flat <<<"$OUT")" '"devices":\[{' "devices of a preview"

# a server that does not answer holds up nobody else
kill -STOP "$server_pid"
(as hq privacy list >"$W/slow" 2>&1; echo "$?" >"$W/slow.rc") &
slow=$!
sleep 0.5
from=$(date +%s%N)
for _ in 1 2 3 4 5; do expect 0 as hq account list; done
took=$((($(date +%s%N) - from) / 1000000))
if [ "$took" -lt 10000 ]; then ok; else bad "five lists took $took ms"; fi
if [ -e "$W/slow.rc" ]; then bad "the question ended without an answer"; else ok; fi
kill -CONT "$server_pid"
wait "$slow"
same "$(cat "$W/slow.rc")" 0 "the question after the server went on"
has "$(cat "$W/slow")" 'request 12' "its answer"

# no server at all
stop_server
expect 8 as hq privacy list
expect 0 as hq --json account assign --where "owner=li" --to hq --preview
has "$OUT" '"devices": null' "a preview without the server"
finish
