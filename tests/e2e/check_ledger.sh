#!/bin/bash
# An erasure outlives the server that carried it out: the device of who
# confirmed it has it before he is told; one from the console is in the next kit,
# which a restore from an older backup is given (P-392).
. tests/e2e/lib.sh
server_init; cp "$W/server/root.key" "$W/root.key"
d team add east --name East >/dev/null
for u in hq:hq li:rep; do d user add "${u%:*}" --name "${u%:*}" --role "${u#*:}" --team east >/dev/null; done
serve; for u in hq li; do enrol $u; done; enrol admin boss; for u in boss hq li; do as $u -q sync; done
add() { as "$1" --json account add --set name="$2" "${ACC[@]}" --set phone_main="$3" | flat | grep -o '"id":"[^"]*"' | head -1 | cut -d'"' -f4; }
all_sync() { for u in "$@"; do expect 0 as $u -q sync; done; }
X=$(add li "Quagga Ltd" 13977777777); Y=$(add li "Zebra Ltd" 13988888888); Z=$(add li "Okapi Ltd" 13999999999); all_sync li hq
expect 0 d backup "$W/before"
expect 0 as hq privacy erase "$X" --reason "request 12"
expect 0 as boss --yes privacy confirm "$X"   # and nobody else syncs
stop_server -KILL; rm -rf "$W/server"
expect 0 d restore "$W/before" --root-key "$W/root.key"; serve "$PORT"
expect 0 d privacy status; hasnt "$OUT" "request 12" "the backup does not know it"
all_sync boss; expect 0 d privacy status; has "$OUT" "request 12" "who confirmed it told it"
all_sync hq li; for u in hq li; do hasnt "$(as $u account list --all)" "Quagga" "$u"; has "$(as $u account list --all)" "Zebra" "$u keeps the other"; done

# --- from the console: no device has heard of it; the kit has
expect 0 d backup "$W/second"
expect 0 d privacy erase "$Y" --reason "request 13" --by hq --second admin; expect 0 d kit "$W/kit"
stop_server -KILL; rm -rf "$W/server"
expect 10 d restore "$W/second" --root-key "$W/root.key" --ledger "$W/nowhere"; [ -e "$W/server" ] && bad "a folder was left behind"
expect 0 d restore "$W/second" --root-key "$W/root.key" --ledger "$W/kit"
expect 0 d privacy status; has "$OUT" "request 13" "the kit told it"
serve "$PORT"; all_sync hq li; for u in hq li; do hasnt "$(as $u account list --all)" "Zebra" "$u"; has "$(as $u account list --all)" "Okapi" "$u keeps the last"; done
expect 0 d check; for u in hq li; do expect 0 as $u check; done
finish
