#!/bin/bash
# device rotate-key (P-386..P-389): other keys without enrolling anew; a copy of the
# folder from before is worth nothing; kill -9 in the middle leaves neither locked
# out; a server that comes back from before the change is followed.
. "$(dirname "$0")/lib.sh"
server_init; serve
d user add li --name Li --role rep --team east >/dev/null 2>&1 ||
	{ d team add east --name East >/dev/null; d user add li --name Li --role rep --team east >/dev/null; }
enrol li
phone=13800000000
firm() { phone=$((phone + 1)); expect 0 as "$1" account add --set name="$2" --set phone_main=$phone "${ACC[@]}"; }
key() { as li --json device show | flat | sed -n 's/.*"sign_key":"\([0-9a-f]*\)".*/\1/p'; }
field() { as li --json device show | flat | grep -o "\"$1\":[^,}]*"; }

expect 0 as li sync
firm li Firma
expect 0 as li sync

# offline: nothing is lost, and nothing is changed that the server does not know of
cp -r "$W/r/li" "$W/r/stolen"
first=$(key)
stop_server; serve "$PORT"
firm li Offline
expect 0 as li device rotate-key
has "$OUT" "rotation.*kept" "what is kept is said"
second=$(key)
[ "$first" != "$second" ] && ok || bad "the key is the same"
expect 0 as li sync
firm li After
expect 0 as li sync
same "$(total li account)" 3 "customers of li"
expect 0 d check
has "$(d device list --json | flat)" "\"key\":\"${second:0:16}" "the server has the new key"
expect 0 as li audit verify

# the stolen folder
expect 14 as stolen sync
has "$ERR" "given up" "the copy is told why"
expect 14 as stolen device rotate-key
firm stolen Thief
expect 14 as stolen sync
has "$(d device show 1 --json | flat)" '"old_key_heard":"20' "the administrator sees that it came"
expect 0 as li sync
same "$(total li account)" 3 "nothing of the thief arrived"

# kill -9 at any moment: the next sync settles it
for i in 1 2 3; do
	before=$(key)
	bg li device rotate-key >/dev/null 2>&1 &
	p=$!; sleep "0.$((i * 13))"; kill -KILL $p 2>/dev/null; wait $p 2>/dev/null
	firm li "Kill$i"
	expect 0 as li sync
	hasnt "$(field rotation)" waiting "settled by the sync ($i)"
done
same "$(total li account)" 6 "all of it is there"
expect 0 d check
hasnt "$(d device show 1 --json | flat)" '"old_key_heard":null' "the copy's knock stays"

# the server is lost and comes back from before a change
expect 0 d backup "$W/b"
before=$(key)
firm li Lost
expect 0 as li device rotate-key
after=$(key)
expect 0 as li sync
stop_server
cp "$W/server/root.key" "$W/"; rm -rf "$W/server"
expect 0 d restore "$W/b" --root-key "$W/root.key"
serve "$PORT"
expect 0 as li sync
expect 0 as li sync
same "$(key)" "$after" "the same new key again"
same "$(total li account)" 7 "nothing is lost with the server"
expect 0 d check
expect 14 as stolen sync

# through a daemon, whose link is held with the old keys
THROUGH_DAEMON=1 expect 0 as li device rotate-key
THROUGH_DAEMON=1 firm li Daemon
THROUGH_DAEMON=1 expect 0 as li sync
stop_daemons
[ "$(key)" != "$after" ] && ok || bad "the daemon changed nothing"
expect 0 d check

# no server: the others wait for the next sync
stop_server
expect 8 as li device rotate-key
has "$(field rotation)" waiting "it waits"
serve "$PORT"
expect 0 as li sync
hasnt "$(field rotation)" waiting "and is done"
expect 0 d check
finish
