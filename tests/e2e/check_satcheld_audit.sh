#!/bin/bash
# What administrators did is kept, row chained to row, without what people are
# called: from the machine itself and from a device.
. tests/e2e/lib.sh
. tests/e2e/fits.sh
server_init; serve
d team add east --name 华东区 >/dev/null; d user add li --name 李娜 --role rep --team east >/dev/null; d user list >/dev/null; d status >/dev/null
expect 6 d user add li --name x --role rep; expect 2 d user add
enrol admin; expect 0 as admin user add wang --name 王芳 --role rep --team east; expect 0 as admin device list; expect 9 as admin api POST /v1/admin/users -f key=x -f from=/etc/passwd
expect 0 d webhook add http://127.0.0.1:1/robot?key=secret123 --plain-http --events 'account.*'
expect 0 d --json audit log; fits satcheld/audit.log "$OUT"; o=$(flat <<<"$OUT")
has "$o" '"seq":1,"at":"20[^"]*","actor":"console","what":"teamaddeast--name","exit":0' "a team"
has "$o" '"actor":"console","what":"useraddli--name--role","exit":6' "what was refused"; has "$o" '"actor":"admin","what":"useraddwang--role--team--name","exit":0|"actor":"admin","what":"useraddwang[a-z-]*","exit":0' "from a device: who"
has "$o" '"what":"webhookaddURL--plain-http--events' "an address has no key"
hasnt "$o" '华东区|李娜|王芳|secret123|userlist|status|passwd' "no names, no keys, nothing that only looks"
n=$(grep -c '"seq"' <<<"$OUT")
expect 0 d audit log --since 1h; same "$(wc -l <<<"$OUT")" "$n" "since an hour"; has "$OUT" "^20[^	]*	console	team add east --name	0" "as lines"
expect 0 d audit log --since 2099-01-01; same "$OUT" "" "since a time to come"; expect 2 d audit log --since soon; expect 2 d audit
expect 0 d --json audit verify; fits satcheld/audit.verify "$OUT"; has "$OUT" "\"acts\": $n" "all of them"; has "$OUT" '"acts_head": "[0-9a-f]{64}"' "the end to note"
expect 0 d backup "$W/b"; expect 0 d audit log; has "$(tail -1 <<<"$OUT")" "	backup /" "a backup is an act"
stop_server; expect 0 d audit log; same "$(wc -l <<<"$OUT")" "$((n + 1))" "without a server, too"
finish
