#!/bin/bash
# What the merge did, as who keeps the server may see it: positions, verdicts,
# conflicts by field and device; never what people wrote.
. tests/e2e/lib.sh
server_init; serve
d team add east --name East >/dev/null
d user add li --name Li --role rep --team east >/dev/null; d user add boss --name Boss --role manager --team east >/dev/null
enrol li; enrol boss
expect 0 as li account add --set name=云帆科技 --set phone_main=13812345678 "${ACC[@]}"; A=$OUT
expect 0 as li -q sync; expect 0 as boss -q sync
expect 0 d --json conflict stats; has "$(flat <<<"$OUT")" '"data":\[\],"devices":\[\]' "none yet"

# two people, one field, offline
expect 0 as li account edit "$A" --set phone_main=13900000001; expect 0 as boss account edit "$A" --set phone_main=13900000002
expect 0 as li -q sync; expect 0 as boss -q sync
expect 0 d --json conflict list; o=$(flat <<<"$OUT"); has "$o" "\"id\":\"$A\",\"field\":\"phone_main\"" "the field"; has "$o" '"candidates":2' "both values wait"
expect 0 d --json conflict escalate; has "$(flat <<<"$OUT")" '"days":3,"data":\[\]' "not for three days yet"
expect 0 d --json conflict escalate --stale 0s; has "$(flat <<<"$OUT")" "\"id\":\"$A\",\"field\":\"phone_main\",\"since\":\"20[^\"]*\",\"days\":0,\"owner\":\"li\",\"to\":\"boss\"" "whose it is and who decides then"; expect 2 d conflict escalate --stale x
expect 0 d user disable li; expect 0 d --json conflict escalate; has "$(flat <<<"$OUT")" "\"owner\":\"li\",\"to\":\"boss\"" "at once when its owner is gone, as on a device"; expect 0 d user enable li
expect 0 d --json conflict stats; o=$(flat <<<"$OUT")
has "$o" '"field":"phone_main","opened":1,"settled":0,"dismissed":0,"open":1' "by field"; has "$o" '"user":"boss","opened":1' "who opened it"
expect 0 d status; has "$OUT" "^conflicts_opened	1$" "counted in the status"

# the log
expect 0 d --json merge log; o=$(flat <<<"$OUT"); has "$o" '"actor":"boss".*"verdict":"conflict"' "its verdict"; has "$o" '"verdict":"ok"' "others"
lsn=$(grep -B12 '"verdict": "conflict"' <<<"$OUT" | grep -o '"lsn": [0-9]*' | grep -o '[0-9]*$' | tail -1)
expect 0 d --json merge show "$lsn"; o=$(flat <<<"$OUT"); has "$o" '"op":"set","kind":"account","id":"'"$A"'","field":"phone_main"' "its operations"
expect 0 d merge show "$lsn"; has "$OUT" "^actor	boss$" "as lines"
expect 5 d merge show 99999; expect 2 d merge show x; expect 2 d merge show; expect 2 d merge show -1
expect 0 d merge log --limit 1; same "$(wc -l <<<"$OUT")" 1 "the last one"; has "$OUT" "boss" "which is boss's"
expect 0 d merge log --since 1h; n=$(wc -l <<<"$OUT"); [ "$n" -ge 3 ] && ok || bad "since an hour: $OUT"
expect 0 d merge log --since 2099-01-01; same "$OUT" "" "nothing from the future"; expect 2 d merge log --since soon; expect 2 d merge log --limit 0

# once more
expect 0 d --json merge replay --from "$lsn" --verify; o=$(flat <<<"$OUT")
has "$o" '"outcome":"review","conflict":"opened"' "it decides the same"; has "$o" '"opened":1,' "counted"; has "$o" '"verified":true,"records":[1-9]' "compared with what is stored"
expect 0 d --json merge replay --from 1 --limit 0; has "$(flat <<<"$OUT")" '"data":\[\].*"verified":false,"records":0' "only the sums"
expect 2 d merge replay

# settled
K=$A
expect 0 as boss conflict resolve "$K" --mine; expect 0 as boss -q sync
expect 0 d conflict list; same "$OUT" "" "none is open"
expect 0 d --json conflict stats; has "$(flat <<<"$OUT")" '"opened":1,"settled":1,"dismissed":0,"open":0' "and how it ended"
hasnt "$(d --json merge log; d --json merge replay --from 1 --limit 500; d --json conflict list; d --json merge show "$lsn")" "云帆|139000|138123" "no value of a customer"
expect 2 d conflict nosuch; expect 2 d merge nosuch
finish
