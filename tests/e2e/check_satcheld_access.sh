#!/bin/bash
# Who may do what and which rule says so; a device that goes to another person.
. tests/e2e/lib.sh
server_init; serve
d team add east --name East >/dev/null; d team add west --name West >/dev/null
d user add li --name Li --role rep --team east >/dev/null; d user add wu --name Wu --role rep --team west >/dev/null; d user add boss --name Boss --role manager --team east >/dev/null
enrol li
expect 0 as li account add --set name=云帆科技 --set phone_main=13812345678 "${ACC[@]}"; A=$OUT; expect 0 as li -q sync

expect 0 d --json role list; has "$(flat <<<"$OUT")" '"key":"rep","name":"[^"]*","people":2' "roles and how many have them"
expect 0 d role show rep; has "$OUT" "^pool.claim	own$" "what a role may"; expect 5 d role show king; expect 2 d role show
expect 0 d acl show; has "$OUT" "^rep	merge	no$" "the matrix"
expect 0 d --json acl test li edit "$A"; o=$(flat <<<"$OUT"); has "$o" '"relation":"own","sees":"yes","rule":"\*.edit","grant":"own"' "his own"; has "$o" '"allowed":true' "he may"
expect 20 d acl test wu edit "$A"; has "$OUT" "^because	the record is outside" "another's"; expect 0 d acl test boss edit "$A"; has "$OUT" "^relation	team$" "his team's"
expect 20 d acl test li merge -; has "$OUT" "^rule	merge$" "the line that says no"; expect 20 d acl test li fly -; has "$OUT" "no line" "no rule"
expect 0 d acl test li create account; expect 20 d acl test li delete account
expect 5 d acl test nobody edit account; expect 5 d acl test li edit nothing; expect 2 d acl test li
d user disable wu >/dev/null; expect 20 d acl test wu create account; has "$OUT" "disabled" "a disabled user"; d user enable wu >/dev/null

n=$(d device list | grep "	li	" | cut -f1)
expect 0 d --json device show "$n"; has "$(flat <<<"$OUT")" '"user":"li","revoked":false' "one device"; expect 5 d device show 99; expect 2 d device show x
expect 0 d device list --stale 1h; same "$OUT" "" "none is silent"; sleep 0.1; expect 0 d device list --stale 1ms; has "$OUT" "	li	" "silent for a millisecond"; expect 2 d device list --stale long
# a move that cannot be is none
expect 2 d device move "$n"; expect 6 d device move "$n" --user li; expect 5 d device move "$n" --user nobody; expect 5 d device move 99 --user wu; expect 0 as li -q sync
expect 0 d device move "$n" --user wu; code=$OUT; has "$code" '^satchel1\.' "an invitation for the new owner"
expect 14 as li -q sync; expect 14 d device move "$n" --user wu; expect 0 as wu -q init --invite "$code"; expect 0 as wu -q sync
same "$(total wu account)" 0 "what was li's did not come along"
expect 0 d device list --stale 1ms; hasnt "$OUT" "^$n	" "revoked ones are not waited for"
finish
