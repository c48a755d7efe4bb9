#!/bin/bash
# A territory changes hands: said first, done in bulk, and who has not heard of
# it is known. The large one, with the owner offline: tests/moves/moves.c
. tests/e2e/lib.sh
expect 0 "$B/tests/moves/moves"; has "$OUT" "[1-9][0-9]* passed, 0 failed" "1,000 customers"; echo "$OUT"
server_init; serve
d team add east --name East >/dev/null
for u in li:rep:east wang:rep:east boss:manager:east hq:hq:; do IFS=: read -r k r t <<<"$u"
	d user add "$k" --name "$k" --role "$r" ${t:+--team "$t"} >/dev/null || bad "user $k"; done
for u in li wang boss hq; do enrol $u; done
for i in 1 2 3 4 5; do
	expect 0 as li account add --set name=客户$i号公司 "${ACC[@]}" --set phone_main=1381234567$i; I[$i]=$OUT; done
expect 0 as li contact add "${I[1]}" --set name=王强; expect 0 as li activity add "${I[2]}" --method phone --points x
expect 0 as wang account add --set name=望江公司 "${ACC[@]}" --set phone_main=13912345678
for u in li wang boss; do expect 0 as $u -q sync; done
expect 0 as boss -q sync

# --- said first
expect 0 as boss --json account assign --owner li --to wang --preview; P=$(flat <<<"$OUT")
has "$P" '"count":5' "five customers"; has "$P" '"records":7' "and two records below them"; has "$P" '"user":"li","count":5' "all from li"
has "$P" '"assigned":0' "nothing moved"; has "$P" '"devices":\[\{"device":[0-9]*,"user":"li"' "the device that loses them"; has "$P" '"last_sync":"2' "its last contact"
expect 0 as boss account assign "${I[1]}" "${I[2]}" --to li --preview; has "$ERR" "0 to li" "they are his already"
expect 9 as li account assign --owner li --to wang
expect 2 as boss account assign --to wang; expect 7 as boss account assign --owner li --to nobody
expect 2 as boss account assign --where 'nosuch=1' --to wang

# --- done in bulk
expect 0 as boss account assign --where 'name~客户' --to wang; has "$ERR" "5 given to wang" "five"
expect 0 as boss -q sync
expect 0 d scope stale; has "$OUT" "li" "li has not heard"; n=$(grep -c . <<<"$OUT")
expect 0 as wang -q sync; same "$(total wang account)" 6 "wang has six"
expect 0 as li -q sync; expect 0 as li -q sync; same "$(total li account)" 0 "li has none"
expect 0 as wang -q sync
expect 0 d scope stale; hasnt "$OUT" "	li	" "li has heard"
expect 0 as li --json api GET /v1/moved; same "$(grep -o '"to": "wang"' <<<"$OUT" | wc -l)" 5 "five stubs name the new owner"

# --- without the server the plan is there, the devices are not
stop_server
expect 0 as boss --json --timeout 2s account assign --owner wang --to li --preview; has "$(flat <<<"$OUT")" '"count":6.*"devices":null' "offline"
finish
