#!/bin/bash
# A file of a record: added with the cable out, sent when there is a server,
# fetched by who may see the record and by nobody else, gone without a byte left
# when the customer is erased.
. tests/e2e/lib.sh
ASK=$(readlink -f "$B/tests/http/ask"); S=$W/r/li/daemon.sock
ask() { if [ -n "${FROM:-}" ]; then cat "$FROM"; else printf '%s' "${BODY:-}"; fi | "$ASK" "$S" 10 "$@" >"$W/answer"; STATUS=$(head -1 "$W/answer" | cut -d' ' -f2); ANSWER=$(tr -d '\0' <"$W/answer"); }
is() { same "$STATUS" "$1" "status of $2"; }
server_init
d team add east --name East >/dev/null; d team add west --name West >/dev/null
for u in hq:hq:east mia:manager:east li:rep:east wu:rep:west; do IFS=: read -r n r t <<<"$u"; d user add "$n" --name "$n" --role "$r" --team "$t" >/dev/null; done
serve; for u in hq mia li wu; do enrol $u; done; enrol admin boss; for u in boss hq mia li wu; do as $u -q sync; done
id_of() { flat | grep -o '"id":"[^"]*"' | head -1 | cut -d'"' -f4; }
X=$(as li --json account add --set name="Quagga Ltd" "${ACC[@]}" --set phone_main=13977777777 | id_of)
V=$(as li --json activity add "$X" --method phone --points "sent the papers" | id_of)
C=$(as li --json contract add --set account="$X" --set number=K-1 | id_of)
Y=$(as li --json account add --set name="Zebra Ltd" "${ACC[@]}" --set phone_main=13988888888 | id_of)
U=$(as li --json activity add "$Y" --method visit --points "looked at it" | id_of)

# --- without a server
stop_server
printf 'okapi-file one\n' >"$W/报价, v1.pdf"
seq 1 200000 | sed 's/^/okapi-file /' >"$W/big.csv" # 3 MB: many pieces
expect 0 as li attachment add "$V" "$W/报价, v1.pdf"; H1=$OUT
same "${#H1}" 64 "its hash"
expect 0 as li attachment add "$C" "$W/big.csv" --name "../../etc/Anhang.csv"; H2=$OUT
expect 0 as li --json attachment list "$V"; F=$(flat <<<"$OUT")
has "$F" '"name":"报价,v1.pdf","type":"application/pdf","bytes":15' "what it is"
has "$F" '"here":true,"waits":true' "here, and not at the server"
expect 0 as li --json attachment list "$C"; has "$OUT" '"Anhang.csv"' "a name has no folders"
expect 0 as li attachment get "报价, v1.pdf" -o "$W/out"; same "$(cksum <"$W/out")" "$(cksum <"$W/报价, v1.pdf")" "read with the cable out"
expect 0 as li attachment get "${H2:0:12}" -o "$W/out" --record "$C"; same "$(cksum <"$W/out")" "$(cksum <"$W/big.csv")" "by the begin of its hash"
same "$(as li attachment get "$H1" -o - | cksum)" "$(cksum <"$W/报价, v1.pdf")" "to standard output"; [ ! -e - ] && ok || bad "a file of that name was made"
same "$(THROUGH_DAEMON=1 as li --json attachment get "$H1" -o - | cksum)" "$(cksum <"$W/报价, v1.pdf")" "through the daemon, and nothing beside it"; stop_daemon "$W/r/li"
expect 0 as li check
expect 0 as li backup "$W/copy"

# --- what is refused
head -c 20971521 /dev/zero >"$W/huge"; expect 7 as li attachment add "$V" "$W/huge"; has "$ERR" "may have 1 to 20971520" "too big"
: >"$W/empty"; expect 7 as li attachment add "$V" "$W/empty"
expect 7 as li attachment add "$X" "$W/big.csv"; has "$ERR" "have no files" "a customer has none"
expect 5 as li attachment add "$V" "$W/nowhere"
expect 5 as li attachment get "$(printf '%064d' 0)" -o "$W/out"
expect 2 as li attachment get "$H1"
expect 7 as li attachment remove "$V" "$H1"; has "$ERR" "never changes" "a follow-up keeps its files"
expect 7 as li contract edit "$C" --add attachments="/etc/passwd"; has "$ERR" "expected form" "no reference"

# --- to the server, and on
serve "$PORT"; expect 0 as mia -q sync
expect 0 as li sync --pull-only; expect 0 as li --json attachment list "$C"; has "$OUT" '"waits": true' "nothing is sent by a pull"
expect 0 as li -q sync; expect 0 as li --json attachment list "$C"; has "$OUT" '"waits": false' "the server has it"
expect 0 d check
expect 0 as mia -q sync
expect 0 as mia --json attachment list "$C"; F=$(flat <<<"$OUT"); has "$F" '"here":false,"waits":false' "known, not yet here"
stop_server; expect 8 as mia attachment get "$H2" -o "$W/mia"; has "$ERR" "cannot be reached" "not without the server"; serve "$PORT"
expect 0 as mia attachment get "$H2" -o "$W/mia"; same "$(cksum <"$W/mia")" "$(cksum <"$W/big.csv")" "fetched"
stop_server; rm "$W/mia"; expect 0 as mia attachment get "Anhang.csv" -o "$W/mia"; same "$(cksum <"$W/mia")" "$(cksum <"$W/big.csv")" "and kept here"; serve "$PORT"
expect 0 as mia audit log; has "$OUT" "hash=$H2" "written down"
expect 0 as mia check
expect 0 as wu -q sync; expect 5 as wu attachment get "$H2" -o "$W/wu"; expect 5 as wu attachment list "$C"

# --- the same content elsewhere is given again; taken away is not dropped there
expect 0 as li attachment add "$U" "$W/big.csv"; expect 0 as li -q sync
expect 0 as li attachment remove "$C" "$H2"; expect 0 as li -q sync
expect 0 as li --json attachment list "$C"; hasnt "$OUT" "Anhang" "taken away"
expect 0 as li attachment get "$H2" -o "$W/out"; expect 0 as hq -q sync; expect 0 as hq attachment get "$H2" -o "$W/hq"; same "$(cksum <"$W/hq")" "$(cksum <"$W/big.csv")" "of the other record"

# --- over HTTP: the content is the body
as li daemon >/dev/null 2>"$W/err"; sed -n 's/.*process \([0-9]*\)$/\1/p' "$W/err" >"$W/r/li/daemon.pid"
FROM=$W/big.csv ask POST "/v1/attachments?record=$C&name=%E5%90%88%E5%90%8C.csv" "Content-Type: text/csv"; is 201 "a body that is the file"; has "$ANSWER" "\"hash\":\"$H2\"" "its hash"
ask GET "/v1/attachments?record=$C"; is 200 "the list"; has "$ANSWER" '"name":"合同.csv"' "its name"
ask GET "/v1/attachments/$H2?record=$C"; is 200 "the content"
for h in "^Content-Type: text/csv" "^ETag: \"$H2\"" "^X-Content-Type-Options: nosniff" "^Content-Disposition: attachment; filename\*=UTF-8''%E5%90%88%E5%90%8C.csv"; do has "$ANSWER" "$h" "a header"; done
has "$ANSWER" "okapi-file 200000" "all of it"
ask GET "/v1/attachments/$H2?record=$C" "If-None-Match: \"$H2\""; is 304 "who has it already"; has "$ANSWER" "^ETag: \"$H2\"" "of the same"; hasnt "$ANSWER" "okapi-file" "without it"
ask GET "/v1/attachments/$H2?record=$C" "If-None-Match: \"$H1\""; is 200 "who has another"
ask GET "/v1/attachments/$(printf '%064d' 0)" "If-None-Match: *"; is 404 "who asks for what is not there"
FROM=$W/huge ask POST "/v1/attachments?record=$C" "Content-Type: application/zip"; is 422 "too big"
ask GET "/v1/attachments/$(printf '%064d' 0)"; is 404 "no such file"
FROM=$W/big.csv ask POST "/v1/attachments" "Content-Type: text/csv"; is 404 "of no record"
same "$(find "$W/r/li/spool" -type f | wc -l)" 0 "nothing waits in the spool"
ask DELETE "/v1/attachments/$H2?record=$C"; is 200 "taken away"
stop_daemon "$W/r/li"; expect 0 as li -q sync

# --- the customer is erased: its file goes everywhere, the other's stays
expect 0 as hq attachment get "$H1" -o "$W/hq"
expect 0 as hq privacy erase "$X" --reason "request 7"; expect 0 as boss --yes privacy confirm "$X"
for u in li hq mia; do expect 0 as $u -q sync; expect 5 as $u attachment get "$H1" -o "$W/gone"; expect 0 as $u check; done
expect 0 as li attachment get "$H2" -o "$W/out"; expect 0 as mia -q sync; expect 0 as mia attachment get "$H2" -o "$W/mia" --record "$U"
expect 0 as hq --json privacy list; has "$(flat <<<"$OUT")" '"confirmed":4' "every device said so"
expect 0 d check; expect 0 d backup "$W/backup"
finish
