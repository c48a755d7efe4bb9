#!/bin/bash
# snapshot: copies of the server on its own disk. Made while it serves, listed
# with age, size and position, restored from, pruned; half of one goes; none
# outlives an erasure; and it is no backup.
. tests/e2e/lib.sh
. tests/e2e/fits.sh
server_init; mkdir "$W/safe"; mv "$W/server/root.key" "$W/safe"
serve; d team add east --name East >/dev/null; d user add li --name Li --role rep --team east >/dev/null
d user add hq --name Hq --role hq --team east >/dev/null; d user add boss --name Boss --role admin --team east >/dev/null
enrol li; X=$(as li account add --set name=云帆科技 --set phone_main=13812345678 "${ACC[@]}"); as li -q sync
j() { flat <<<"$OUT"; }
names() { d --json snapshot list | grep -o '"snapshot": "[^"]*"' | cut -d'"' -f4; }

expect 0 d --json snapshot list; fits satcheld/snapshot.list "$OUT"; has "$(j)" '"data":\[\]' "none is made by itself"
expect 0 d --json snapshot make; fits satcheld/snapshot.make "$OUT"; first=$(j | grep -o '"snapshot":"[^"]*"' | cut -d'"' -f4)
has "$(j)" '"lsn":[1-9][0-9]*' "its position"; has "$(j)" '"bytes":[1-9][0-9]{4,}' "its size"; [ -d "$W/server/snapshots/$first" ] && ok || bad "no folder $first"
expect 0 d --json status; has "$(j)" '"unsaved":[1-9]' "it saved nothing: it is no backup"; has "$(j)" '"last_backup":null' "and is not counted as one"
for i in 1 2 3; do expect 0 d snapshot make; done; same "$(names | wc -l)" 4 "four of them, two of a second have two names"; same "$(names | head -1)" "$first" "the oldest first"
expect 0 d snapshot; has "$OUT" "^$first	20[0-9-]+T.*	[0-9]+	[1-9]" "as lines"

# ---- it is what restore takes -----------------------------------------------------------
expect 0 "$SATCHELD" -D "$W/new" --passphrase-file "$W/server.pass" restore "$W/server/snapshots/$first" --verify-only
expect 0 "$SATCHELD" -D "$W/new" --passphrase-file "$W/server.pass" restore "$W/server/snapshots/$first" --root-key "$W/safe/root.key"
expect 0 "$SATCHELD" -D "$W/new" --passphrase-file "$W/server.pass" check
[ -e "$W/new/snapshots" ] && bad "a copy holds copies" || ok

# ---- pruned -------------------------------------------------------------------------------
newest=$(names | tail -1); mkdir "$W/server/snapshots/20200101T000000Z"; echo half >"$W/server/snapshots/20200101T000000Z/server.db"
same "$(names | wc -l)" 4 "half of one is not listed"
expect 0 d --json snapshot prune; fits satcheld/snapshot.prune "$OUT"; has "$(j)" '"removed":2,"kept":3' "three stay, and no half"
expect 0 d --json snapshot prune --keep 1; has "$(j)" '"removed":2,"kept":1' "one stays"; same "$(names)" "$newest" "the newest"
expect 0 d --json snapshot prune --keep 1; has "$(j)" '"removed":0,"kept":1' "nothing more to do"
expect 2 d snapshot prune --keep -1; expect 2 d snapshot prune --keep many; expect 2 d snapshot burn
expect 0 d --json audit log; has "$OUT" '"what": "snapshot make"' "what was made is written down"; has "$OUT" 'snapshot prune --keep' "and what went"

# ---- an erasure leaves none ------------------------------------------------------------------
expect 0 d privacy erase "$X" --reason "request 7" --by hq --second boss
same "$(names | wc -l)" 0 "no copy outlives an erasure"; [ -e "$W/server/snapshots" ] && bad "the folder is still there" || ok
expect 0 d snapshot make; same "$(names | wc -l)" 1 "and a new one can be made"; expect 0 d check

# ---- in a folder nobody serves -----------------------------------------------------------------
stop_server; expect 0 d snapshot make; same "$(names | wc -l)" 2 "the same without a server that runs"
expect 0 d --json snapshot prune --keep 0; has "$(j)" '"removed":2,"kept":0' "all of them"
finish
