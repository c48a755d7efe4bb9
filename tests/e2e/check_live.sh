#!/bin/bash
# Live sync between real processes: a change reaches a device that is connected
# without being asked for, settings too; a restart of the server is lived
# through; a revoked device is told at once.
. tests/e2e/lib.sh
# until CONDITION...: true within 20 s
lines_with() { [ "$(grep -cE -- "$1" "$2")" -ge "$3" ]; }
parked() { d --json status | grep -qE "\"parked\": ?$1\b"; }
server_init; serve
d team add east --name East >/dev/null; d team add west --name West >/dev/null
for u in li:rep:east boss:manager:east zhao:rep:west; do
	IFS=: read -r k r t <<<"$u"; d user add "$k" --name "$k" --role "$r" --team "$t" >/dev/null; enrol "$k"
done
as li -q sync; as boss -q sync; as zhao -q sync

bg boss --format jsonl sync --watch >"$W/boss.out" 2>"$W/boss.err" & watcher=$!
bg zhao --format jsonl sync --watch >"$W/zhao.out" 2>"$W/zhao.err" & other=$!
until_true parked 2
expect 0 as li account add --set name=甲公司 "${ACC[@]}" --set phone_main=13812345678; A=$OUT
expect 0 as li sync
until_true lines_with '"type":"sync".*"commits":[1-9]' "$W/boss.out" 1
until_true parked 2
same "$(grep -c '"type":"sync"' "$W/zhao.out")" 1 "another team is not woken by what does not concern it"

# people and template are news for everybody
d user add new --name New --role rep --team east >/dev/null
until_true lines_with '"type":"sync"' "$W/zhao.out" 2
until_true parked 2

# the server comes back under the same port: nobody has to do anything
stop_server; serve "$PORT"
until_true parked 2
expect 0 as li account edit "$A" --set remark=下周; expect 0 as li sync
until_true lines_with '"type":"sync".*"commits":[1-9]' "$W/boss.out" 2

# the end: by the person, and by the administrator
kill -INT $watcher; wait $watcher; same $? 130 "an interrupted watch"
expect 0 as boss account show "$A"; has "$OUT" "下周" "what was watched is there"
n=$(d device list | awk -F'\t' '$3=="zhao"{print $1}')
expect 0 d device revoke "$n"
wait $other; same $? 14 "a revoked device that was waiting"
has "$(cat "$W/zhao.err")" revoked "why"
until_true parked 0
finish
