#!/bin/bash
# The server's keys: shown, another passphrase while it serves, a second way in
# that is kept offline, and that way when the passphrase is forgotten.
. tests/e2e/lib.sh
. tests/e2e/fits.sh
old() { d "$@"; }
new() { "$SATCHELD" -D "$W/server" --passphrase-file "$W/new.pass" "$@"; }
server_init; echo "another pass phrase" >"$W/new.pass"; echo short >"$W/short.pass"
expect 0 d --json keys show; fits satcheld/keys.show "$OUT"; has "$(flat <<<"$OUT")" '"key":"root","public":"[0-9a-f]{32}","where":"besidethedata' "the root key"; has "$OUT" '"escrow": false' "one way in"
mv "$W/server/root.key" "$W/root.key"; expect 0 d keys; has "$OUT" '^root	[0-9a-f]*	offline' "it was moved"
hasnt "$OUT" "$(head -c 20 "$W/root.key" | od -An -tx1 | tr -d ' \n')" "nothing secret"

# --- another passphrase, while it serves
serve; d user add li --name Li --role rep >/dev/null; enrol li
expect 2 d keys rotate; (cd "$W" && expect 2 d keys rotate --new-passphrase-file new.pass); expect 2 d keys turn
expect 7 d keys rotate --new-passphrase-file "$W/short.pass"; expect 4 d keys rotate --new-passphrase-file "$W/none"
expect 0 d --json keys rotate --new-passphrase-file "$W/new.pass"; fits satcheld/keys.show "$OUT"
expect 0 as li sync; expect 11 d keys recover "$W/none" --new-passphrase-file "$W/new.pass"
stop_server; expect 4 old status; expect 0 new status

# --- a second way in
expect 0 new --json keys escrow "$W/recovery.key"; has "$OUT" '"escrow": true' "it is there"; same "$(stat -c %a "$W/recovery.key")" 400 "for its owner alone"
expect 6 new keys escrow "$W/recovery.key"; expect 0 new audit log; has "$OUT" "keys escrow" "it is an act"; hasnt "$OUT" "$(cat "$W/recovery.key")" "without the key"
head -c 32 /dev/zero | od -v -An -tx1 | tr -d ' \n' >"$W/other.key"; echo nokey >"$W/bad.key"
expect 4 new keys recover "$W/other.key" --new-passphrase-file "$W/server.pass"; expect 7 new keys recover "$W/bad.key" --new-passphrase-file "$W/server.pass"
expect 5 new keys recover "$W/none.key" --new-passphrase-file "$W/server.pass"; expect 2 new keys recover "$W/recovery.key"
expect 0 "$SATCHELD" -D "$W/server" --json keys recover "$W/recovery.key" --new-passphrase-file "$W/server.pass"; fits satcheld/keys.recover "$OUT"
expect 4 new status; expect 0 old status; serve "$PORT"; expect 0 as li sync; expect 0 d check
finish
