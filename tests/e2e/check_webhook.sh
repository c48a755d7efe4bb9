#!/bin/bash
# Webhooks: what happened is posted to other services, signed, by a receiver
# that fails, hangs and dies with the server; nothing is lost and nothing waits.
. tests/e2e/lib.sh
. tests/e2e/fits.sh
R=$W/got; mkdir "$R"; "$B/tests/e2e/receiver" "$R" >/dev/null 2>&1 </dev/null & receiver=$!; disown
trap 'kill -KILL $receiver; stop_daemons; stop_server -KILL; rm -rf "$W"' EXIT
for _ in $(seq 2000); do [ -s "$R/port" ] && break; sleep 0.02; done; URL=http://127.0.0.1:$(cat "$R/port")
answer() { echo "$*" >"$R/.a"; mv "$R/.a" "$R/answer"; }
posts() { ls "$R" | grep -c '\.head$'; }
# so many posts came
until_posts() { until_true eval "[ \$(posts) -ge $1 ]"; }
until_() { shift; until_true "$@"; } # what it means, words
shows() { d --json webhook show "$1" | flat | grep -qE "$2"; }
body() { cat "$R/$1.body"; }
id_of_body() { body "$1" | grep -o '"id":"evt_[0-9a-f]*"' | head -1; }
# HMAC-SHA256 of stdin under a key of 64 bytes, by sha256sum alone
hmac() {
	local i o= p= b; for ((i = 0; i < 64; i++)); do
		b=$(printf %d "'${1:i:1}"); p+=$(printf '\\x%02x' $((b ^ 0x36))); o+=$(printf '\\x%02x' $((b ^ 0x5c))); done
	i=$({ printf "$p"; cat; } | sha256sum | cut -c1-64); { printf "$o"; printf "$(sed 's/../\\x&/g' <<<"$i")"; } | sha256sum | cut -c1-64
}
same "$(printf x | hmac "$(printf 'k%.0s' $(seq 64))")" "$(printf x | openssl dgst -sha256 -hmac "$(printf 'k%.0s' $(seq 64))" 2>/dev/null | grep -o '[0-9a-f]*$' || printf x | hmac "$(printf 'k%.0s' $(seq 64))")" "our HMAC is openssl's, where there is one"

new() { as li "${@:2}" account add --set name=北方远洋$1 --set phone_main=139000000$1 "${ACC[@]}"; }
server_init; serve
d team add east --name East >/dev/null
d user add li --name Li --role rep --team east >/dev/null; d user add wang --name Wang --role rep --team east >/dev/null
d user add bo --name Bo --role manager --team east >/dev/null; enrol li; enrol bo; enrol admin

# --- what is refused
expect 2 d webhook add "$URL/x" --events account.created; has "$ERR" "https" "P-403 http without a word"
expect 2 d webhook add http://example.com/x --events account.created --plain-http; has "$ERR" "127.0.0.1" "P-403 http to others"
expect 2 d webhook add https://h.example/x --events account.exploded; has "$ERR" "no event" "an event that is none"
expect 2 d webhook add https://h.example/x; expect 2 d webhook add https://u:p@h.example/x --events '*'; expect 2 d webhook add https://h.example/x --events '*' --format xml
expect 5 d webhook show 9; expect 5 d webhook remove 9; expect 2 d webhook show x

# --- one event, signed
answer 200
expect 0 d --json webhook add "$URL/in?key=0123456789abcdef" --events account.created,account.assigned,account.stage --plain-http
secret=$(grep -o '"secret": "[0-9a-f]*"' <<<"$OUT" | grep -o '[0-9a-f]\{64\}'); same "${#secret}" 64 "the secret, once"
expect 6 d webhook add "$URL/in?key=0123456789abcdef" --events '*' --plain-http
expect 0 d --json webhook list; hasnt "$OUT" "$secret|0123456789" "what opens a door is masked"; has "$OUT" '\.\.\.cdef"' "but can be told apart"
expect 0 as li account add --set name=北极星 --set phone_main=13800001234 "${ACC[@]}"; expect 0 as li sync
until_posts 1; has "$(body 1)" '"event":"account.created"' "the event"; has "$(body 1)" '"number":"C' "the number of the customer"; has "$(body 1)" '"by":"li"' "who"
hasnt "$(body 1)" '北极星|1380000|李娜' "P-400 no name, no number to call"
has "$(cat "$R/1.head")" "^POST /in\?key=0123456789abcdef" "where to"; has "$(cat "$R/1.head")" "application/json" "as JSON"
t=$(grep -o 'X-Satchel-Signature: t=[0-9]*' "$R/1.head" | grep -o '[0-9]*$'); v=$(grep -o 'v1=[0-9a-f]*' "$R/1.head" | cut -c4-)
same "$({ printf '%s.' "$t"; body 1; } | hmac "$secret")" "$v" "P-402 the signature"; [ $(($(date +%s) - t)) -le 60 ] && ok || bad "the time of the signature: $t"
until_ "it was written down" shows 1 '"sent":1,.*"waiting":0'

# --- the stage, and who got it; what nobody asked for
a=$(as li --json account list | grep -o '"id": "[^"]*"' | head -1 | cut -d'"' -f4)
expect 0 as li account stage "$a" need_confirmed; expect 0 as li sync; until_posts 2; has "$(body 2)" '"event":"account.stage".*"to":"need_confirmed"' "a stage"
expect 0 as bo sync; expect 0 as bo account assign "$a" --to wang; expect 0 as bo sync; until_posts 3; has "$(body 3)" '"event":"account.assigned".*"by":"bo","to":"wang"' "P-400 assigned to somebody"

# --- it fails: the same event again, when asked or when its time comes; nobody waits
answer 500; expect 0 new 11; expect 0 as li sync; until_posts 4
until_ "P-404 doctor says so" eval 'd doctor | grep -q "webhooks.*warn.*do not take"'; until_ "P-404 the failure is shown" shows 1 '"waiting":1,.*"error":"http500".*"next_try":"20'
sleep 1.3; same "$(posts)" 4 "P-404 it is left alone for a minute"
answer 200; expect 0 d webhook retry 1; until_posts 5; same "$(id_of_body 5)" "$(id_of_body 4)" "P-401 the same id"; until_ "and it was taken" shows 1 '"sent":4,.*"waiting":0,.*"error":null'
answer 302; expect 0 d webhook test 1; until_posts 6; has "$(body 6)" '"event":"test"' "a test"; until_ "P-403 a redirect is a failure" shows 1 '"error":"http302"'
sleep 0.3; same "$(posts)" 6 "P-403 and is not followed"
answer 422; expect 0 d webhook retry 1; until_posts 7; until_ "P-404 refused" shows 1 '"error":"http422"'
answer 200; expect 0 new 12; expect 0 as li sync; until_posts 8; has "$(body 8)" 'account.created' "P-404 one that is refused holds up no other"
expect 0 d webhook retry 1; until_posts 9; same "$(id_of_body 9)" "$(id_of_body 6)" "the refused one again"; until_ "taken" shows 1 '"waiting":0'

# --- it hangs: devices are answered; the server dies meanwhile: nothing is lost
answer hang; expect 0 new 13; expect 0 as li sync; until_posts 10
expect 0 new 14; s=$(date +%s%N); expect 0 as li sync; ms=$((($(date +%s%N) - s) / 1000000))
[ $ms -lt 3000 ] && ok || bad "P-404 a sync took $ms ms while the receiver hung"
stop_server -KILL; answer 200; serve $PORT; until_posts 12
same "$(id_of_body 11)" "$(id_of_body 10)" "P-404 what was under way comes again with its id"; has "$(body 12)" 'account.created' "and what had not begun, too"
until_ "all is sent" shows 1 '"waiting":0'; same "$(for i in 10 12; do id_of_body $i; done | sort -u | wc -l)" 2 "two events"

# --- a group's robot: one message for many, not more than it may get
answer '200 {"errcode":0,"errmsg":"ok"}'
expect 0 d --json webhook add "$URL/robot?key=abc" --events 'account.*' --format wecom --plain-http; hasnt "$OUT" secret "a robot has no secret of ours"
for i in 1 2 3; do new 2$i >/dev/null; done; expect 0 as li sync
until_ "three lines" shows 2 '"sent":3,.*"waiting":0'; n=$(grep -l robot "$R"/*.head | wc -l); same "$n" 1 "P-405 in one message"
m=$(grep -l robot "$R"/*.head | head -1); has "$(cat "${m%.head}.body")" '"msgtype":"markdown".*- 客户新建 C[^"]*\(li\)\\n- ' "markdown, in Chinese"; hasnt "$(cat "${m%.head}.body")" '远洋' "P-400 no name"
answer '200 {"errcode":45009,"errmsg":"api freq out of limit"}'; expect 0 d webhook test 2; until_ "P-405 a robot that says no" shows 2 '"error":"therobotdidnottakeit"'
expect 0 d webhook remove 2; expect 5 d webhook show 2

# --- from an administrator's device
answer 200
expect 0 as admin --json webhook list; fits admin "$OUT"; has "$OUT" '"verb": "list"' "webhook list"; expect 0 as admin webhook list; hasnt "$OUT" "$secret|0123456" "masked"
expect 9 as li webhook list; expect 2 as admin webhook add "$URL/y" --events account.created
expect 9 as admin api POST /v1/webhooks -f url="$URL/z" -f events='*' -f plain-http=yes; has "$ERR" "cannot be given" "P-372 http is the server's own affair"
expect 0 as admin --json webhook add https://hooks.example.invalid/abcdefghijklmnopqrstuvwx --events opportunity.stage,conflict.opened; fits admin "$OUT"; has "$OUT" '"secret": "[0-9a-f]{64}"' "its secret"
expect 0 as admin --json webhook show 2; fits admin "$OUT"; has "$OUT" 'invalid/\.\.\.uvwx"' "masked"; expect 2 as admin webhook add
echo "https://oapi.example.invalid/robot/send?access_token=t0k#SECs" >"$W/url"; expect 0 as admin webhook add --url-file "$W/url" --events 'account.*' --format dingtalk; hasnt "$(ps axww -o args | grep -v grep | grep t0k)" t0k "not in the list of processes"
expect 0 as admin --json webhook test 1; fits admin "$OUT"; until_ "the test came" eval 'grep -q "\"event\":\"test\"" "$R/$(posts).body"'
expect 0 as admin --json webhook dead 1; fits admin "$OUT"; expect 0 as admin webhook retry 1; expect 2 as admin webhook remove 3; expect 0 as admin --yes webhook remove 3; expect 5 as admin webhook show 3
expect 0 d webhook add "https://localhost:${URL##*:}/x" --events 'account.*'; n=$(posts); expect 0 d webhook test 3; until_ "P-403 https to this machine" shows 3 '"error":"thename.*notdialled'; same "$(posts)" "$n" "P-403 it was not dialled"; expect 0 d webhook remove 3
d webhook test 2 >/dev/null; until_ "a name that is nobody's" shows 2 '"error":"Could'

# --- erasure takes what waits; a folder that is not served sends by itself
answer 500; x=$(new 31 | tail -1); expect 0 as li sync
until_ "it waits" shows 1 '"waiting":1'; d user add hq2 --name H --role hq >/dev/null; expect 0 d privacy erase "$x" --reason R-1 --by admin --second hq2; until_ "P-190 erased with its customer" shows 1 '"waiting":0'
stop_server; answer 200; n=$(posts); expect 0 d --json webhook test 1; has "$OUT" '"error": null' "sent here and now"; same "$(posts)" $((n + 1)) "by the command itself"
trap 'kill -KILL $receiver' EXIT; finish
