#!/bin/bash
# The public pool: a released customer is offered without its phone, the first
# claim the server takes in gets it, the other is told who; what nobody followed
# up can be previewed.
. tests/e2e/lib.sh
server_init; serve
d team add north --name North >/dev/null; d team add south --name South >/dev/null
d user add hq --name HQ --role hq >/dev/null; d user add boss --name Boss --role manager --team north >/dev/null
for u in li wu; do d user add $u --name $u --role rep --team north >/dev/null; done; d user add sue --name Sue --role rep --team south >/dev/null
for u in hq boss li wu sue; do enrol $u; done

expect 0 as li account add --set name=丁公司 "${ACC[@]}" --set phone_main=13812345678; A=$OUT
expect 0 as li account add --set name=戊公司 "${ACC[@]}" --set phone_main=13912345678; B=$OUT
N=$(as li --json account show "$A" | grep -o '"number": "[^"]*"' | head -1 | cut -d'"' -f4)
expect 0 as li activity add "$A" --method phone --points "秘密谈话"; expect 0 as li sync
expect 2 as li pool release "$A"; expect 5 as wu pool release "$A" --reason x
expect 0 as li pool release "$A" --reason "今年没有预算"; has "$ERR" "waits" "it is the server who decides"
expect 0 as li sync

# offered to both teams, without what is hidden
for u in wu sue; do
	expect 0 as $u sync; expect 0 as $u pool list; has "$OUT" "$N.*丁公司" "$u is offered it"; has "$OUT" "今年没有预算" "with the reason"
	expect 0 as $u --json account show "$N"; hasnt "$OUT" "13812345678" "no phone"; has "$OUT" '\*\*\*5678' "its end"; has "$OUT" '"masked": true' "and says so"
	expect 0 as $u --json account list; hasnt "$OUT" "丁公司" "not among his own"
	expect 0 as $u activity list; hasnt "$OUT" "秘密谈话" "nothing below it"
	if [ -n "$(find "$W/r/$u" -type f -exec grep -l 13812345678 {} +)" ]; then bad "the phone is in $u's files"; else ok; fi
	as $u account edit "$N" --set phone_main=13700000000 >/dev/null 2>&1 && bad "$u edits what he does not own" || ok
done
expect 0 as hq sync; expect 0 as hq --json pool list; has "$OUT" '"masked": false' "headquarters sees all of it"

# two claims without a network: the first the server takes in
expect 0 as wu pool claim "$N"; expect 0 as sue pool claim "$N"
expect 0 as wu activity add "$N" --method phone --points "先打了电话"
expect 0 as sue sync; expect 0 as sue --json account show "$N"; has "$OUT" '"owner": "sue"' "sue has it"; has "$OUT" "13812345678" "with its phone"
as wu sync >/dev/null 2>&1; expect 0 as wu --json sync pending; has "$OUT" "claim.lost" "wu is told"; has "$OUT" "CLAIMED_BY=sue" "and who has it"
expect 0 as wu --json account list; hasnt "$OUT" "丁公司" "wu does not have it"
expect 0 as sue sync; expect 0 as sue activity list; has "$OUT" "先打了电话" "what wu wrote meanwhile is kept"
expect 0 as li sync; expect 0 as li --json pool list; hasnt "$OUT" "丁公司" "nobody is offered it any more"

# a manager releases, the last owner waits
expect 0 as boss sync; expect 0 as boss pool release "$B" --reason "换人跟进"; expect 0 as boss sync; expect 0 as li sync
expect 0 as li pool claim "$B"; as li sync >/dev/null 2>&1
expect 0 as hq sync; expect 0 as hq --json account show "$B"; has "$OUT" '"owner": null' "li has to wait a week"
# kept for who goes where there is no network: nobody else gets it meanwhile
expect 0 as wu sync; expect 0 as wu pool lease 1; has "$OUT" "戊公司" "it is kept for wu"
expect 0 as sue sync; expect 0 as sue pool claim "$B"; as sue sync >/dev/null 2>&1; expect 0 as sue --json sync pending; has "$OUT" "HELD_BY=wu" "sue is told"
stop_server; expect 0 as wu pool claim "$B"; expect 8 as wu pool lease 2; serve "$PORT"
expect 0 as wu sync; expect 0 as wu --json account show "$B"; has "$OUT" '"owner": "wu"' "wu has it"
expect 2 as wu pool lease x; expect 9 as hq pool lease 1
# what the rules would take back
expect 0 as sue pool preview --as-of 2027-12-01; has "$OUT" "丁公司.*due" "taken back a year later"
expect 0 as sue pool preview; hasnt "$OUT" "丁公司" "not today"
expect 2 as sue pool preview --as-of nonsense; expect 0 as sue --json pool preview --as-of 2027-12-01; has "$OUT" '"state": "due"' "JSON"
# another template: the south has no pool any more, the north hides less
expect 0 as boss account add --set name=己公司 "${ACC[@]}" --set phone_main=13612345678; C=$OUT
expect 0 as boss pool release "$C" --reason "无人跟进"; expect 0 as boss sync; expect 0 as sue sync; expect 0 as li sync
expect 0 as sue pool list; has "$OUT" "己公司" "offered to the south, too"
G="git -c safe.directory=* -c advice.detachedHead=false"; expect 0 $G clone -q "$W/server/templates.git" "$W/t"; rm -rf "$W/t/.git"
sed -i 's|"members": \["\*"\]|"members": ["north"]|; s|"phone_main", ||' "$W/t/policy/pool.json"
cp -r "$W/t" "$W/gone"; sed -i 's|"key": "public"|"key": "gonghai"|' "$W/gone/policy/pool.json"
expect 7 d template publish "$W/gone" -m "another key"; has "$ERR" "pool.json.*public" "a pool with customers in it does not go"; has "$ERR" "1 of them" "how many"; has "$ERR" "assign" "and what to do"
cp -r "$W/t" "$W/roles"; sed -i 's|"auditor"|"inspector"|' "$W/roles/acl/matrix.json"; d user add otto --name Otto --role auditor >/dev/null
expect 7 d template publish "$W/roles" -m "another role"; has "$ERR" "matrix.json.*role auditor.*: otto" "nor a role that somebody has"; has "$ERR" "user edit" "and what to do"
expect 0 d template publish "$W/t" -m "the pool is the north's"
expect 0 as sue sync; expect 0 as sue pool list; hasnt "$OUT" "己公司" "not any more"
expect 0 as li sync; expect 0 as li --json pool list; has "$OUT" "己公司" "still the north's"
expect 0 as sue sync
# nobody is in it any more: now it can go
expect 0 as hq sync; expect 0 as hq account assign "$C" --to li; expect 0 as hq sync
expect 0 d template publish "$W/gone" -m "another key"; expect 0 as sue sync; expect 0 as li sync
for u in hq boss li wu sue; do expect 0 as $u check; done
expect 0 d check
finish
