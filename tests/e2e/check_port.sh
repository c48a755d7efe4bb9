#!/bin/bash
# The daemon's port on 127.0.0.1: every user of the machine and every page in a
# browser can reach it, so nothing is answered there without a token, to another
# name, or to another page.
. tests/e2e/lib.sh
server_init; serve
d user add li --name Li --role rep >/dev/null; enrol li; expect 0 as li -q sync
expect 0 as li account add --set name=甲公司 "${ACC[@]}" --set phone_main=13812345678; A=$OUT
expect 2 as li daemon --listen 0.0.0.0:0; has "$ERR" "127.0.0.1" "no other address"
expect 2 as li daemon --port-file "$W/port"
as li daemon --no-sync --listen 127.0.0.1:0 --port-file "$W/port" >/dev/null 2>"$W/err" || bad "no daemon: $(cat "$W/err")"
sed -n 's/.*process \([0-9]*\)$/\1/p' "$W/err" >"$W/r/li/daemon.pid"
DATA=; P=$(cat "$W/port"); has "$P" "^[0-9]+$" "the port is written down"
ask() { # METHOD PATH TOKEN [HEADER...], the body in DATA: status in CODE, all in BODY
	local m=$1 p=$2 t=$3 host="Host: 127.0.0.1:$P" h more=; shift 3
	for h in "$@"; do case $h in Host:*) host=$h ;; *) more+="$h"$'\r\n' ;; esac; done
	exec 9<>"/dev/tcp/127.0.0.1/$P"
	printf '%s %s HTTP/1.1\r\n%s\r\n%s%sConnection: close\r\nContent-Length: %d\r\n\r\n%s' "$m" "$p" "$host" \
		"${t:+Authorization: Bearer $t$'\r\n'}" "$more" "${#DATA}" "$DATA" >&9
	BODY=$(timeout 10 cat <&9 | tr -d '\0'); exec 9>&- 9<&-
	CODE=$(head -1 <<<"$BODY" | cut -d' ' -f2); DATA=
}
is() { same "$CODE" "$1" "$2"; }

# ---- who is nobody --------------------------------------------------------------
ask GET /v1/health ""; is 200 "health needs no token"
ask GET /v1/accounts ""; is 401 "nothing without a token"; hasnt "$BODY" "甲公司" "and nothing in it"; has "$BODY" "token.invalid" "says why"; has "$BODY" "^W[Ww][Ww]-Authenticate: Bearer" "and what is asked for"
ask GET /v1/accounts "satchel_00000000_00000000000000000000000000000000"; is 401 "an invented one"
ask GET /v1/events ""; is 401 "no events either"; ask POST /v1/session/lock ""; is 401 "nor a lock"

# ---- tokens -----------------------------------------------------------------------
expect 2 as li token create; expect 2 as li token create --scope everything; expect 2 as li token create --scope read:nosuch
expect 2 as li token create --scope read --ttl forever
expect 0 as li token create --scope read:account --ttl 30d --name sheet; T=$OUT; has "$T" "^satchel_[0-9a-f]{8}_[0-9a-f]{32}$" "its text"
expect 0 as li --json token list; has "$(flat <<<"$OUT")" '"name":"sheet","scope":"read:account"' "listed"; hasnt "$OUT" "${T##*_}" "without its secret"
ask GET /v1/accounts "$T"; is 200 "it reads"; has "$BODY" "甲公司" "what its owner sees"
ask GET /v1/contacts "$T"; is 403 "nothing else"; ask GET "/v1/accounts?include=contacts" "$T"; is 403 "nor what lies under it"
expect 0 as li contact add "$A" --set name=Zhao --set phone=13712345678; ask GET "/v1/accounts/$A/timeline" "$T"; is 200 "a timeline of what it reads"; hasnt "$BODY" "13712345678" "without the rest"
 DATA='{"remark":"x"}'; ask PATCH "/v1/accounts/$A" "$T"; is 403 "and writes nothing"
ask GET /v1/accounts "${T%?}0${T: -1}"; is 401 "a digit more"; ask GET /v1/accounts "${T%?}"; is 401 "a digit less"
ask GET /v1/tokens "$T"; is 403 "no tokens through a token"
expect 0 as li token create --scope all; ALL=$OUT
DATA='{"scope":"all"}'; ask POST /v1/tokens "$ALL"; is 403 "not even with all"; ask POST /v1/session/lock "$ALL"; is 403 "nor a lock"
ask GET /v1/inbox "$ALL"; is 200 "the rest"
echo "name" >"$W/mine.csv"
for b in "imports:file:$W/mine.csv" "imports/preview:file:$W/mine.csv" "imports/preview:map:$W/mine.csv" "imports/form:file:$W/made" "exports:file:$W/made" \
	"backups:folder:$W/made" "templates/pack:file:$W/made" "templates/apply:file:$W/mine.csv" "privacy/access:file:$W/made"; do
	IFS=: read -r route member file <<<"$b"; DATA="{\"type\":\"account\",\"$member\":\"$file\"}"; ask POST "/v1/$route" "$ALL"
	is 403 "no file of this computer: $route"; has "$BODY" '"code":"port.file"' "says why"; done
V=$(as li activity add "$A" --method phone --points x); H=$(as li attachment add "$V" "$W/mine.csv")
DATA="{\"record\":\"$V\",\"file\":\"$W/mine.csv\"}"; ask POST /v1/attachments "$ALL" "Content-Type: application/json"; is 403 "nor to be added"; has "$BODY" '"code":"port.file"' "says why"
ask GET "/v1/attachments/$H?file=$W/made" "$ALL"; is 403 "nor to write to"; has "$BODY" '"code":"port.file"' "says why"
ask GET "/v1/attachments/$H" "$ALL"; is 200 "a file of a record is the body"; has "$BODY" "^name$" "as it is"
[ -e "$W/made" ] && bad "a file was made" || ok
ask GET "/v1/imports/form?type=account" "$ALL"; is 200 "a form is fetched"; has "$BODY" "spreadsheetml" "as what it is"; has "$BODY" "xl/worksheets" "a book"
ask GET "/v1/imports/form?type=nosuch" "$ALL"; is 404 "of no kind"; same "$(ls "$W/r/li/spool")" "" "nothing stays of it"
DATA="{\"id\":\"$A\",\"note\":\"by the page\"}"; ask POST /v1/privacy/access "$ALL"; is 200 "the copy of a person"; has "$BODY" '^[Cc]ontent-[Dd]isposition: attachment; filename="?'"$A"'.json' "to be saved"
has "$BODY" "甲公司" "his name"; has "$BODY" '"schema": *"satchel/privacy.copy/1"' "as it is written to a file"; same "$(ls "$W/r/li/spool")" "" "nothing stays of it"
expect 0 as li --json privacy requests; has "$(flat <<<"$OUT")" '"note":"bythepage"' "the request is kept"; expect 0 as li --json audit log; has "$(flat <<<"$OUT")" '"privacy.access"' "and written down"
DATA='{"id":"nosuch"}'; ask POST /v1/privacy/access "$ALL"; is 404 "of nobody"; for d in '"x"' '[]' 7 null; do DATA=$d; ask POST /v1/privacy/access "$ALL"; is 400 "a body that is no object: $d"; done; DATA="{\"id\":\"$A\"}"; ask POST /v1/privacy/access "$T"; is 403 "not with a token that reads one kind"
expect 0 as li token create --scope write:account; WR=$OUT
DATA='{"remark":"through the port"}'; ask PATCH "/v1/accounts/$A" "$WR"; is 200 "a right to write"
expect 0 as li account show "$A"; has "$OUT" "through the port" "it is written"
DATA='{}'; ask POST /v1/sync/run "$WR"; is 403 "of records only"
expect 0 as li token create --scope read --ttl 1s; SHORT=$OUT

expect 0 as li token create --scope read --name calendar; ask GET "/v1/calendar.ics?token=$OUT" ""; is 200 "a calendar's address"; has "$BODY" "BEGIN:VCALENDAR" "the diary"
ask GET "/v1/calendar.ics?token=nonsense" ""; is 401 "another address"; ask GET "/v1/accounts?token=$OUT" ""; is 401 "of nothing else"; ask GET /metrics ""; is 401 "no numbers for strangers"

# ---- another name, another page -----------------------------------------------------
ask GET /v1/accounts "$ALL" 'Host: evil.example'; is 421 "another name"; ask GET /v1/accounts "$ALL" "Host: evil.example:$P"; is 421 "another name"
ask GET /v1/accounts "$ALL" "Host: 127.0.0.1:1"; is 421 "another port"; ask GET /v1/health "" 'Host: evil.example'; is 421 "health too"
ask GET /v1/accounts "$ALL" 'Origin: https://evil.example'; is 403 "another page"; ask GET /v1/accounts "$ALL" 'Origin: null'; is 403 "a file's page"
ask GET /v1/accounts "$ALL" "Origin: http://127.0.0.1:$P" "Host: localhost:$P"; is 200 "its own"
hasnt "$BODY" "Access-Control" "no word that lets others in"; has "$BODY" "no-store" "kept nowhere"

# ---- ends ------------------------------------------------------------------------------
sleep 1.1; ask GET /v1/accounts "$SHORT"; is 401 "its time is over"
ID=${T#satchel_}; ID=${ID%%_*}
expect 5 as li token revoke ffffffff; expect 0 as li token revoke "$ID"; ask GET /v1/accounts "$T"; is 401 "revoked"
expect 0 as li audit log; has "$OUT" "token.create" "kept in the audit log"; has "$OUT" "token.revoke" "kept in the audit log"
expect 0 as li lock; ask GET /v1/accounts "$ALL"; is 401 "locked: no token is known"; ask GET /v1/health ""; is 200 "somebody is there"
if strings -a -n 8 "$W"/r/li/* 2>/dev/null | grep -q "${ALL##*_}"; then bad "a secret lies in a file"; fi
stop_daemon "$W/r/li"; [ ! -e "$W/port" ] && ok || bad "the port's file stayed"
finish
