#!/bin/bash
# People, teams and devices from the server's own machine: shown, changed, let
# in; an invitation as a QR code.
. tests/e2e/lib.sh
. tests/e2e/fits.sh
server_init; serve
d team add east --name East >/dev/null; d user add li --name Li --role rep --team east >/dev/null; d user add bo --name Bo --role manager --team east >/dev/null

# --- a folder by the name of its store, and the first invitation
expect 0 "$SATCHELD" --passphrase-file "$W/server.pass" --json init --store "sqlite:$W/other" --org Other --admin wu --advertise tcp://127.0.0.1:1; fits satcheld/device.invite "$OUT"; has "$OUT" '"user": "wu"' "for the administrator"
[ -e "$W/other/server.db" ] && ok || bad "no folder"; expect 2 "$SATCHELD" --passphrase-file "$W/server.pass" init --store postgresql:///x; has "$ERR" "sqlite:DIR" "another store"

# --- people and teams
expect 0 d --json user show li; fits satcheld/user.show "$OUT"; has "$OUT" '"role": "rep"' "his role"; expect 5 d user show nobody
expect 0 d --json user edit li --name 李娜 --role expert; fits satcheld/user.show "$OUT"; has "$(flat <<<"$OUT")" '"name":"李娜","role":"expert"' "edited"
expect 0 d user edit li --role rep; has "$OUT" '^role	rep' "as lines"; expect 7 d user edit li --role king; expect 7 d user edit li --team west; has "$ERR" "does not change" "the team stays"
expect 7 d user edit li --role kiosk; expect 2 d user edit li; expect 5 d user edit nobody --name x; expect 2 d user rename li; has "$ERR" "usage: satcheld user" "a slip"
expect 0 d --json team show east; fits satcheld/team.show "$OUT"; has "$(flat <<<"$OUT")" '"users":\["li","bo"\]' "who is in it"
expect 0 d team edit east --name 华东 --parent 上海; has "$OUT" '^name	华东' "edited"; expect 0 d --json team list; has "$OUT" '"parent": "上海"' "listed"; expect 5 d team edit west --name x; expect 2 d team edit east
expect 6 d team disable east; has "$ERR" "may still sync" "people are in it"
d team add old --name Old >/dev/null; expect 0 d team disable old; has "$OUT" '^disabled	yes' disabled; expect 9 d user add x --name X --role rep --team old; has "$ERR" "disabled" "nobody joins it"
expect 0 d team enable old; expect 0 d user add x --name X --role rep --team old; expect 0 d user disable x; has "$OUT" '^disabled	yes' "a user"; expect 0 d team disable old
expect 2 d role add king; has "$ERR" "template" "roles are the template's"; expect 2 d role edit rep; has "$ERR" "acl/matrix.json" "where"

# --- an invitation: on paper, on a screen, for the right role
expect 0 d device invite --user li --qr; code=$(head -1 <<<"$OUT"); has "$code" '^satchel1\.' "the text first"
n=$(tail -n +2 <<<"$OUT" | wc -l); [ "$n" -gt 20 ] && ok || bad "a code of $n lines"; has "$OUT" '█▄' "half blocks"
same "$(tail -n +2 <<<"$OUT" | while read -r l; do echo ${#l}; done | sort -u | wc -l)" 1 "lines of one length"
expect 6 d device invite --user li --role manager; has "$ERR" "has the role rep" "another role"; expect 0 d device invite --user li --role rep
expect 0 d --json device invite --user li --approve; fits satcheld/device.invite "$OUT"; has "$OUT" '"approve": true' "its device waits"
code=$(grep -o 'satchel1\.[^"]*' <<<"$OUT")

# --- P-390: enrolled, and nothing more, until somebody lets it in
expect 4 as li init --invite "$code"; has "$ERR" "not let in yet" "it waits"; expect 4 as li sync; expect 0 as li status
expect 0 d --json device list; has "$(flat <<<"$OUT")" '"device":1,.*"waiting":true' "the list says so"
key=$(as li --json status | sed -n 's/.*"device": "\([0-9a-f]*\)".*/\1/p' | head -1)
expect 0 d --json device show 1; fits satcheld/device.show "$OUT"; has "$OUT" "\"key\": \"$key\"" "the key its person reads out"
expect 10 as li account list; has "$ERR" "not been synced" "it got nothing"
expect 5 d device approve 9; expect 2 d device approve; expect 0 d device approve 1; expect 6 d device approve 1; has "$ERR" "waits" "once"
expect 0 as li sync; expect 0 as li account list; expect 0 d --json user show li; has "$(flat <<<"$OUT")" '"devices":\[1\]' "his device"
# one that never comes in holds nothing up
c2=$(d device invite --user bo --approve | head -1); as bo -q init --invite "$c2" 2>/dev/null; expect 0 d privacy status; expect 0 d device revoke 2; expect 14 as bo sync
# the same from an administrator's device
enrol admin; echo '{"user":"bo","approve":true}' >"$W/body"; expect 0 as admin api POST /v1/admin/devices --input "$W/body"; has "$OUT" '"approve": ?true' "P-372 approve may be given"
as bo2 -q init --invite "$(grep -o 'satchel1\.[^"]*' <<<"$OUT")" 2>/dev/null; expect 4 as bo2 sync; expect 0 as admin api POST /v1/admin/devices/4/approve; expect 0 as bo2 sync
finish
