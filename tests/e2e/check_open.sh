#!/bin/bash
# Links that are good once, what a browser's session may and when it ends, and
# the narrow one of a kiosk.
. tests/e2e/lib.sh
. tests/e2e/fits.sh
server_init; serve; d team add east --name East >/dev/null
d user add li --name Li --role rep --team east >/dev/null; enrol li; expect 0 as li -q sync
d user add kio --name Kio --role kiosk --team east >/dev/null; enrol kio; as kio -q sync
expect 0 as li account add --set name=甲公司 "${ACC[@]}" --set phone_main=13812345678
started() { sed -n 's/.*process \([0-9]*\)$/\1/p' <<<"$ERR" >"$W/r/$1/daemon.pid"; }
ask() { # METHOD PATH BEARER [BODY]: CODE, BODY
	local data=${4:-}
	exec 9<>"/dev/tcp/127.0.0.1/$P"
	printf '%s %s HTTP/1.1\r\nHost: 127.0.0.1:%s\r\n%sConnection: close\r\nContent-Length: %d\r\n\r\n%s' "$1" "$2" "$P" \
		"${3:+Authorization: Bearer $3$'\r\n'}" "${#data}" "$data" >&9
	BODY=$(timeout 10 cat <&9 | tr -d '\0\r'); exec 9>&- 9<&-
	CODE=$(head -1 <<<"$BODY" | cut -d' ' -f2)
}
is() { same "$CODE" "$1" "$2"; }
link() { P=$(sed 's|http://127.0.0.1:\([0-9]*\)/.*|\1|' <<<"$OUT"); T=${OUT##*#t=}; }
token() { grep -o '"token":"[^"]*"' <<<"$BODY" | cut -d'"' -f4; }
session() { expect 0 as li open --print; link; ask POST /v1/session "" "{\"t\":\"$T\"}"; is 200 "a session"; S=$(token); }

# ---- a link -------------------------------------------------------------------------
expect 0 as li open /accounts --print; started li; link
has "$OUT" "^http://127.0.0.1:[0-9]+/accounts#t=[0-9a-f]{32}$" "the link, by a daemon that was started for it"
expect 0 as li --json open; fits session.link "$OUT"; has "$OUT" '"path": "/"' "no browser with --json"
expect 2 as li open 'a"b' --print; expect 2 as li open //evil.example --print
ask POST /v1/session "" "{\"t\":\"00000000000000000000000000000000\"}"; is 401 "an invented one"
ask POST /v1/session "" "{}"; is 400 "none"
ask POST /v1/session "" "{\"t\":\"$T\"}"; is 200 "the right one"; fits session "$(tail -1 <<<"$BODY")"; S=$(token)
has "$BODY" '"path":"/accounts"' "where it leads"; has "$BODY" '"idle_s":900' "a quarter of an hour"
ask POST /v1/session "" "{\"t\":\"$T\"}"; is 401 "good once"; has "$BODY" session.link "says why"
mkdir "$W/bin"; printf '#!/bin/sh\necho "$1" >%s\n' "$W/opened" >"$W/bin/xdg-open"; chmod +x "$W/bin/xdg-open"
expect 0 env PATH="$W/bin:$PATH" "$SATCHEL" -C "$W/r/li" --no-input open accounts; same "$OUT" "" "nothing printed"; has "$(cat "$W/opened")" "^http.*/accounts#t=" "the desktop's browser gets it"
printf '#!/bin/sh\nexit 3\n' >"$W/bin/xdg-open"; expect 1 env PATH="$W/bin:$PATH" "$SATCHEL" -C "$W/r/li" open; has "$ERR" "open --print" "no browser: says what to do"

# ---- what it may ----------------------------------------------------------------------
ask GET /v1/me "$S"; is 200 "who it is"; has "$BODY" '"user":"li"' "his"; ask GET /v1/accounts "$S"; is 200 "his data"; has "$BODY" 甲公司 "all of it"
has "$BODY" "Content-Security-Policy: default-src 'none'" "headers"; has "$BODY" "Referrer-Policy: no-referrer" "headers"
has "$BODY" "Cross-Origin-Opener-Policy: same-origin" "headers"; has "$BODY" "Cross-Origin-Resource-Policy: same-origin" "headers"
ask GET /v1/accounts "$(ending "$S" 0 1)"; is 401 "another secret"; ask GET /v1/accounts "session_$T"; is 401 "a link is no session"
ask POST /v1/session/links "$S" '{}'; is 403 "no link by a session"; ask POST /v1/tokens "$S" '{"scope":"all"}'; is 403 "no token"
ask POST /v1/session/links "" '{}'; is 401 "nor by anybody"; ask POST /v1/session/passphrase "$S" '{"passphrase":"x"}'; is 403 "nor another passphrase"
expect 0 as li token create --scope all; ask POST /v1/session/links "$OUT" '{}'; is 403 "nor by a token"

# ---- lock, unlock, end ------------------------------------------------------------------
O=$S; session; N=$S; [ "$O" != "$N" ] && ok || bad "two sessions are one"
ask POST /v1/session/lock "$N"; is 200 "a page locks"; ask GET /v1/me "$N"; is 401 "it does nothing then"; has "$BODY" session.locked "says why"
expect 4 as li account list; expect 4 as li open --print
ask POST /v1/session/unlock "" '{"passphrase":"people pass phrase"}'; is 401 "a stranger with the passphrase"
ask POST /v1/session/unlock "$N" '{"passphrase":"wrong"}'; is 401 "the wrong one"; ask GET /v1/me "$N"; is 401 "still locked"
ask POST /v1/session/unlock "$N" '{"passphrase":"people pass phrase"}'; is 200 "the right one"; ask GET /v1/me "$N"; is 200 "awake"
ask GET /v1/me "$O"; is 401 "the other one is not"
ask DELETE /v1/session "$N"; is 200 "its end"; ask GET /v1/me "$N"; is 401 "is the end"; ask DELETE /v1/session "$N"; is 401 "once"
stop_daemon "$W/r/li"
expect 0 as li daemon --no-sync --no-http; started li; expect 9 as li open --print; has "$ERR" "no-http" "no port at all"; stop_daemon "$W/r/li"
expect 2 as li daemon --no-http --listen 127.0.0.1:0

# ---- a kiosk's ----------------------------------------------------------------------------
expect 8 as kio kiosk url; expect 0 as kio kiosk run --no-sync; started kio
expect 0 as kio kiosk url; has "$OUT" "/kiosk#t=" "its page"; link; ask POST /v1/session "" "{\"t\":\"$T\"}"; is 200 "a session"; K=$(token)
has "$BODY" '"scope":"kiosk"' "a narrow one"; has "$BODY" '"idle_s":null' "that stays"
ask POST /v1/kiosk/checkin "$K" '{"visitor":"Quagga"}'; is 201 "a visitor"; ask GET /v1/consent "$K"; is 200 "the text"; ask GET /v1/me "$K"; is 200 "who it is"
for r in "GET /v1/status" "GET /v1/inbox" "POST /v1/sync/run" "PATCH /v1/kiosk/pin" "POST /v1/session/lock" "GET /v1/events"; do
	# shellcheck disable=SC2086
	ask $r "$K" '{}'; is 403 "$r"; done
finish
