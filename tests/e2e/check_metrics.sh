#!/bin/bash
# What a monitor reads: every figure that docs/ops names is served, by the
# server or by a device's daemon, and is what status says.
. tests/e2e/lib.sh
# get PORT PATH [HEADER...]: STATUS and BODY of one request
get() {
	local port=$1 path=$2 h; shift 2; exec 3<>"/dev/tcp/127.0.0.1/$port" || { bad "port $port"; return; }
	{ printf 'GET %s HTTP/1.1\r\nConnection: close\r\n' "$path"; for h in "$@"; do printf '%s\r\n' "$h"; done; printf '\r\n'; } >&3
	cat <&3 >"$W/answer"; exec 3>&-; STATUS=$(head -1 "$W/answer" | cut -d' ' -f2); BODY=$(sed '1,/^\r$/d' "$W/answer")
}
value() { awk -v n="$1" '$1 == n { print $2 }' <<<"$BODY"; }
server_init
expect 7 d serve --metrics nowhere; has "$ERR" "127.0.0.1:9464" "an address is host and port"
printf '[serve]\n\tlisten = tcp://127.0.0.1:0\n\tmetrics = 127.0.0.1:0\n' >"$W/conf"
"$SATCHELD" -v -D "$W/server" --passphrase-file "$W/server.pass" serve --config "$W/conf" --port-file "$W/port" >>"$W/server.log" 2>&1 </dev/null &
server_pid=$!
for _ in $(seq 2000); do [ -s "$W/port" ] && break; sleep 0.05; done
M=$(sed -n 's/.*metrics=\([1-9][0-9]*\).*/\1/p' "$W/server.log"); H="Host: 127.0.0.1:$M"
d team add east --name East >/dev/null; d user add li --name 李 --role rep --team east >/dev/null; d user add bo --name Bo --role manager --team east >/dev/null
enrol li; enrol bo; d device revoke 2
expect 0 as li account add --set name=云帆科技 --set phone_main=13812345678 "${ACC[@]}"; expect 0 as li -q sync

get "$M" /metrics "$H"; same "$STATUS" 200 "status of /metrics"; has "$(cat "$W/answer")" '^Content-Type: text/plain; version=0.0.4' "its type"
SERVED=$BODY; expect 0 d --json status
same "$(value satcheld_lsn)" "$(grep -oE '"lsn": [0-9]+' <<<"$OUT" | grep -oE '[0-9]+')" "lsn is that of status"
same "$(value 'satcheld_devices{state="live"}')/$(value 'satcheld_devices{state="revoked"}')/$(value 'satcheld_devices{state="late"}')" 1/1/0 "devices by state"
same "$(value satchel_conflicts_open)" 0 "no conflict"; same "$(value satcheld_store_readable)" 1 "readable"
[ "$(value satcheld_ack_seconds_count)" -ge 1 ] && ok || bad "no push was counted"; same "$(value 'satchel_merge_seconds_bucket{le="+Inf"}')" "$(value satchel_merge_seconds_count)" "the last class has all"
hasnt "$SERVED" '云帆|138123|"li"|李' "nobody's name"
# asked again at once: the store is not read again, the relay's figures are there
get "$M" /metrics "$H"; same "$STATUS" 200 "again"; [ "$(value satcheld_requests_total)" -ge 1 ] && ok || bad "requests"
get "$M" /healthz "$H"; same "$STATUS$BODY" 200ok health; get "$M" /readyz "$H"; same "$STATUS$BODY" 200ready "it can commit"
get "$M" / "$H"; same "$STATUS" 404 "nothing else"; get "$M" /metrics "Host: evil.example"; same "$STATUS" 421 "by another name"
get "$M" /metrics "$H" "Origin: http://evil.example"; same "$STATUS" 403 "from a page"
printf '[serve]\nmetrics = 9464\n' >"$W/bad"; expect 7 "$SATCHELD" config check --config "$W/bad"

# a device's daemon: with a token of the scope read, not without
DAEMON_FLAGS="--listen 127.0.0.1:0 --port-file $W/dport --no-timer" through_daemon li status
for _ in $(seq 2000); do [ -s "$W/dport" ] && break; sleep 0.05; done
T=$(as li token create --scope read --ttl 1h | head -1); DP=$(cat "$W/dport"); DH="Host: 127.0.0.1:$DP"
get "$DP" /metrics "$DH"; same "$STATUS" 401 "without a token"
expect 0 as li account edit @last --set remark=x
get "$DP" /metrics "$DH" "Authorization: Bearer $T"; same "$STATUS" 200 "a device's figures"; same "$(value satchel_pending_commits)" 1 "one commit waits"
same "$(value satchel_unlocked)" 1 unlocked; [ "$(value satchel_replica_bytes)" -gt 10000 ] && ok || bad "size of the replica"
expect 0 as li -q sync; get "$DP" /metrics "$DH" "Authorization: Bearer $T"; same "$(value satchel_pending_commits)" 0 "it went"
[ "$(value satchel_merge_seconds_count)" -ge 1 ] && ok || bad "no transaction of the sync was counted"; hasnt "$BODY" '云帆|138123|李' "nobody's name"
SERVED+=$'\n'$BODY

# docs/ops names nothing that is not served, and every series has its head
for name in $(grep -ohE 'satcheld?_[a-z_]+' docs/ops/*.yml docs/ops/*.json | sed 's/_bucket$//' | sort -u); do has "$SERVED" "^# TYPE $name " "docs/ops: $name"; done
for name in $(grep -oE '^satcheld?_[a-z_]+' <<<"$SERVED" | sed -E 's/_(bucket|sum|count)$//' | sort -u); do has "$SERVED" "^# HELP $name " "head of $name"; done
finish
