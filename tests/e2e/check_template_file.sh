#!/bin/bash
# The template as a file: what no network reaches takes a newer one from a stick,
# and nothing that is older, foreign or changed.
. tests/e2e/lib.sh
. tests/e2e/fits.sh
server_init; serve
d team add east --name East >/dev/null; d user add li --name Li --role rep --team east >/dev/null; d user add wang --name Wang --role rep --team east >/dev/null
enrol li; enrol wang
expect 0 as li --json template pack "$W/old.sat"; fits template.file "$OUT"; old=$(grep -o '"rev": "[^"]*"' <<<"$OUT")
cp -r common/template/base "$W/t"; sed -i 's/"en": "Win rate"/"en": "Rate of wins"/' "$W/t/reports/win-rate.json"
expect 0 d template publish "$W/t" -m "another word"
expect 0 as li --json template update; fits sync "$OUT"; has "$OUT" '"template_changed": true' "template update"; expect 0 as li template update; has "$ERR" "already" "twice"
expect 0 as li template list; same "$(wc -l <<<"$OUT")" 2 "template list"
expect 0 as li --json template pack "$W/new.sat"; hasnt "$OUT" "$old" "another revision"
stop_server
expect 0 as wang report list; hasnt "$OUT" "Rate of wins" "before"
head -c 3000 "$W/new.sat" >"$W/cut.sat"; expect 7 as wang template apply "$W/cut.sat"
cp "$W/new.sat" "$W/bad.sat"; flip "$W/bad.sat" 2000; expect 7 as wang template apply "$W/bad.sat"
expect 0 as wang --json template apply "$W/new.sat"; fits template.file "$OUT"; has "$OUT" '"changed": true' "applied"
expect 0 as wang report list; has "$OUT" "Rate of wins" "after, without a server"
expect 0 as wang --json template apply "$W/new.sat"; has "$OUT" '"changed": false' "again: nothing"; expect 0 as wang template verify
expect 0 as wang audit log; has "$OUT" "template.apply" "it is written down"
# the second one in the working directory, by a relative name
(cd "$W" && "$SATCHEL" -C "$W/r/wang" --passphrase-file "$W/pass" --no-input -q template pack here.sat) && [ -s "$W/here.sat" ] && ok || bad "a relative name"
# refused
expect 12 as wang template apply "$W/old.sat"; has "$ERR" "descend" "an older one"
expect 7 as wang template apply "$W/pass"; expect 5 as wang template apply "$W/none.sat"; expect 2 as wang template apply; expect 2 as wang template pack
"$SATCHELD" -D "$W/other" --passphrase-file "$W/server.pass" init --org Other >/dev/null; sed 's/Rate of wins/Rate of losses/' -i "$W/t/reports/win-rate.json"
D2() { "$SATCHELD" -D "$W/other" --passphrase-file "$W/server.pass" "$@"; }; D2 template publish "$W/t" -m foreign >/dev/null || bad "the other organisation's"
"$SATCHELD" -D "$W/other" --passphrase-file "$W/server.pass" serve --listen tcp://127.0.0.1:0 --port-file "$W/port2" >/dev/null 2>&1 </dev/null & other=$!
for _ in $(seq 2000); do [ -s "$W/port2" ] && break; sleep 0.05; done
D2 user add x --name X --role hq >/dev/null; as x -q init --invite "$(D2 device invite --user x)" >/dev/null; as x -q template pack "$W/foreign.sat"; kill $other; wait $other 2>/dev/null
expect 12 as wang template apply "$W/foreign.sat"; has "$ERR" "not signed" "another organisation's"
expect 0 as wang report list; has "$OUT" "Rate of wins" "what is in force stays"
finish
