#!/bin/bash
# People, teams, roles and devices from an administrator's device; and what
# every device knows of them without asking.
. tests/e2e/lib.sh
. tests/e2e/fits.sh
server_init; serve
d team add east --name East >/dev/null
d user add li --name Li --role rep --team east >/dev/null
enrol admin; enrol li

# --- what is here
expect 0 as admin --json user list; fits user.list "$OUT"; expect 0 as admin --json user show li; fits user.list "$OUT"; has "$OUT" '"name": "Li"' "user show"
expect 0 as admin --json team list; fits team.list "$OUT"; has "$OUT" '"people": 1' "team list"; expect 0 as admin --json team show east; fits team.list "$OUT"; expect 5 as admin team show west; expect 9 as li user list
expect 0 as li --json role list; fits role.list "$OUT"; expect 0 as li --json role show rep; fits role "$OUT"; has "$OUT" '"action": "pool.claim"' "role show"; expect 5 as li role show king
expect 0 as li --json device show; fits device "$OUT"; has "$OUT" '"user": "li"' "device show"; expect 0 as li device show

# --- from an administrator's device
expect 0 as admin --json user add wang --name 王芳 --role rep --team east; fits admin "$OUT"; has "$OUT" '"of": "satcheld/user.add/1"' "P-370 whose answer it is"
expect 6 as admin user add wang --name x --role rep --team east; expect 7 as admin user add x --name x --role king; expect 5 as admin user add x --name x --role rep --team nowhere
expect 0 as admin team add west --name West; expect 0 as admin --json user list --server; has "$OUT" '"name": "王芳"' "user list --server"
expect 0 as admin --json team list --server; fits admin "$OUT"; has "$OUT" '"key": "west"' "team list --server"
expect 0 as admin device invite --user wang; code=$OUT; has "$code" '^satchel1\.' "an invitation"
expect 0 as wang -q init --invite "$code" --role rep; expect 0 as wang status
expect 0 as admin --json device list; fits admin "$OUT"; n=$(flat <<<"$OUT" | grep -o '"device":[0-9]*,"name":"[^"]*","user":"wang"' | grep -o '[0-9]*' | head -1)
[ -n "$n" ] && ok || bad "no device of wang: $OUT"
expect 0 as admin -q sync; expect 0 as admin user list; has "$OUT" "王芳" "everybody hears of it with a sync"
expect 2 as admin user disable wang; has "$ERR" "confirmation" "a name is typed, or --yes"
expect 0 as admin --yes user disable wang; expect 9 as wang sync; expect 0 as admin user enable wang; expect 0 as wang sync
expect 0 as admin --yes --json device revoke "$n"; expect 14 as wang sync; has "$ERR" "revoked" "P-371 device revoke"
expect 5 as admin --yes device revoke 999

# --- waiting for an approval, names, teams
expect 0 as admin device invite --user li --approve; expect 4 as li2 -q init --invite "$OUT"; expect 0 as admin --json device list
n=$(flat <<<"$OUT" | grep -oE '"device":[0-9]+,[^}]*"waiting":true' | grep -o '[0-9]*' | head -1); expect 0 as admin device approve "$n"; expect 0 as li2 sync; expect 6 as admin device approve "$n"
expect 0 as admin --json device rename "$n" "李的平板"; fits admin "$OUT"; has "$OUT" '"name": "李的平板"' "renamed"; expect 0 as li2 -q sync; expect 0 as li2 --json device show; has "$OUT" '"name": "李的平板"' "it hears of it"
expect 7 as admin device rename "$n" ""; expect 5 as admin device rename 999 x; expect 2 as admin device rename "$n"; expect 9 as li device rename "$n" mine
expect 0 as admin --json device show "$n"; has "$OUT" '"name": "李的平板"' "another one"; expect 0 as admin --json device list --stale 7d; has "$(flat <<<"$OUT")" '"data":\[\]' "all were heard of"
expect 0 as admin team add gone --name Gone; expect 2 as admin team disable gone; expect 0 as admin --yes team disable gone; expect 0 as admin team enable gone; expect 6 as admin --yes team disable east

# --- invitations that are open, one taken back; what administrators did
expect 0 as admin --json api POST /v1/admin/invites -f user=li -f ttl=1h; code=$(flat <<<"$OUT" | grep -o '"invite":"[^"]*"' | cut -d'"' -f4); expect 0 as admin --json api GET /v1/admin/invites; fits admin "$OUT"
i=$(flat <<<"$OUT" | grep -oE '"id":"[0-9a-f]{16}","user":"li"' | cut -d'"' -f4 | tail -1); [ -n "$i" ] && ok || bad "not listed: $OUT"; hasnt "$OUT" "$code" "the code is shown once"
expect 0 d --json device invites; fits satcheld/device.invites "$OUT"; has "$(flat <<<"$OUT")" "\"id\":\"$i\"" "the same at the server"
expect 0 as admin api POST "/v1/admin/invites/$i/revoke"; hasnt "$OUT" "$i" "gone"; expect 4 as li9 -q init --invite "$code"; expect 5 as admin api POST "/v1/admin/invites/$i/revoke"; expect 2 d device uninvite xyz; expect 5 d device uninvite 0123456789abcdef
expect 0 as admin --json api GET /v1/admin/audit; fits admin "$OUT"; has "$(flat <<<"$OUT")" "\"actor\":\"admin\",\"what\":\"deviceuninvite$i" "what was done, by whom"; expect 9 as li api GET /v1/admin/audit; expect 9 as li api GET /v1/admin/invites; expect 5 as admin api PATCH /v1/admin/audit/1 -f x=1

# --- who may not, and what may not be asked
expect 9 as li user add evil --name x --role admin; has "$ERR" "may not configure" "P-371 a rep"; expect 9 as li device list; expect 9 as li --yes device revoke 1
expect 9 as admin api POST /v1/admin/users -f key=x -f from=/etc/passwd; has "$ERR" "cannot be given" "P-372 no file of the server"
expect 5 as admin api GET /v1/admin/kits; expect 2 as admin api POST /v1/admin/users -f name=x
expect 2 as admin api POST /v1/admin/users/--from/disable; expect 2 as admin user add
expect 9 as wang3 init --invite "$(d device invite --user li)" --role kiosk; has "$ERR" "for the role rep" "init --role"
grep -q "ADMIN-REMOTE.*user=admin noun=user verb=add" "$W/server.log" && ok || bad "the server's log says who it was: $(grep ADMIN "$W/server.log" | head -2)"

# --- routes as they are, through the daemon, too
expect 0 as admin api GET /v1/admin/users; has "$OUT" '"verb": "list"' "GET"
expect 0 as admin api POST /v1/admin/users/wang/disable; expect 0 as admin api POST /v1/admin/users/wang/enable
stop_server; expect 8 as admin device list
finish
