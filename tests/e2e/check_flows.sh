#!/bin/bash
# How the company works, held to at every door: who has to agree before a
# proposal goes out, what a stage asks for, leads that become customers once.
. tests/e2e/lib.sh
server_init; serve
d team add t1 --name 一组 >/dev/null; d user add li --name 李 --role rep --team t1 >/dev/null
d user add mg --name 经理 --role manager --team t1 >/dev/null; d user add ex --name 专家 --role expert --team t1 >/dev/null
enrol li; enrol li li2; enrol mg; enrol ex
one() { grep -o "\"$2\": *\"[^\"]*\"" <<<"$1" | head -1 | sed 's/.*: *"//;s/"$//'; }
add() { as li account add --set name="$1" --set industry=I65 --set contact_name=x --set phone_main="1381234$2" --set need_type=product; }
state() { one "$(as "$1" --json proposal show "$2")" state; }

# ---- approvals ------------------------------------------------------------------
S=$(add 战略公司 0001); N=$(add 普通公司 0002); expect 0 as li account edit "$S" --set grade=strategic --set grade_reason=plant
P=$(as li proposal add "$S" --set title=方案甲); Q=$(as li proposal add "$N" --set title=标准方案)
expect 0 as li --json proposal show "$P"; has "$OUT" '"grade": "strategic"' "the grade when it was made"
expect 0 as li proposal submit "$Q" --json; has "$(flat <<<"$OUT")" '"state":"submitted","complete":true' "a standard proposal needs nobody"
C=$(as li proposal add "$N" --set title=定制 --set proposal_kind=custom)
expect 0 as li proposal submit "$C" --json; has "$(flat <<<"$OUT")" '"missing":\["manager"\]' "a custom one needs the manager"
expect 7 as li proposal stage "$P" submitted; has "$ERR" "approval" "not past those who have to agree"
expect 7 as li proposal edit "$P" --add 'approvals=manager:mg#1'; has "$ERR" "approval" "nobody signs for another"
expect 7 as li proposal add "$S" --set title=x --set state=confirmed
expect 0 as li proposal submit "$P" --json; has "$(flat <<<"$OUT")" '"state":"approving".*"missing":\["manager","expert"\]' "manager and expert together"
has "$(flat <<<"$OUT")" '"role":"manager","user":"mg"' "the manager is asked"; has "$(flat <<<"$OUT")" '"role":"expert","user":"ex"' "the expert too"
expect 0 as li sync; expect 0 as mg sync; expect 0 as ex sync
expect 0 as ex task list --due all; has "$OUT" "方案甲" "the expert has a task"; expect 0 as ex proposal show "$P"
expect 9 as li proposal approve "$P"
stop_server # both agree without knowing of each other
expect 0 as mg proposal approve "$P" --note 可以 --json; has "$(flat <<<"$OUT")" '"state":"approving".*"missing":\["expert"\]' "one is missing"
expect 0 as ex proposal approve "$P" --json; has "$(flat <<<"$OUT")" '"missing":\["manager"\]' "so the other knows"
expect 0 as ex task list --due all; hasnt "$OUT" "方案甲" "his task is done"
serve "$PORT"
for _ in 1 2; do for u in mg ex li; do expect 0 as $u sync; done; done
same "$(state li "$P")" approving "nobody has submitted it yet"
expect 0 as li proposal submit "$P" --json; has "$(flat <<<"$OUT")" '"state":"submitted","complete":true' "all agreed"
expect 0 as li sync; expect 0 as li status --json; has "$(flat <<<"$OUT")" '"rejected":0' "and the server takes it"
# sent back: a new version needs new ones
R=$(as li proposal add "$S" --set title=方案乙); expect 0 as li proposal submit "$R"
expect 0 as li sync; expect 0 as mg sync; expect 0 as ex sync; expect 0 as mg proposal approve "$R"
expect 2 as ex proposal reject "$R"; expect 0 as ex proposal reject "$R" --reason 参数不对
for u in mg ex li; do expect 0 as $u sync; done; expect 0 as li sync
same "$(state li "$R")" draft "sent back"; has "$(as li --json proposal show "$R" | flat)" '"version":2' "a new version"
expect 0 as li proposal submit "$R" --json; has "$(flat <<<"$OUT")" '"missing":\["manager","expert"\]' "both again"
expect 6 as mg proposal reject "$Q" --reason x
K=$(as li contract add "$S" --set number=HT-9); expect 7 as li contract stage "$K" signed
expect 0 as li contract submit "$K"; expect 0 as li sync; expect 0 as mg sync; expect 0 as mg contract approve "$K" --json
has "$(flat <<<"$OUT")" '"state":"signed"' "the last who agrees moves it on"; expect 2 as li order submit x

# ---- leads -----------------------------------------------------------------------
L=$(as li lead add --set name=周先生 --set phone=13812340099 --set company=周氏机械 --set source=fair); D=$(as li lead add --set name=误拨 --set phone=13812340098)
expect 0 as li sync; expect 0 as li2 sync; a0=$(total li account)
stop_server # the same lead on two devices
expect 0 as li lead convert "$L" --set industry=C34 --set need_type=product --json; A=$(one "$OUT" account)
expect 0 as li2 lead convert "$L" --json; same "$(one "$OUT" account)" "$A" "the same customer on both devices"
O=$(one "$OUT" opportunity); K=$(one "$OUT" contact); [ -n "$O" ] && [ -n "$K" ] && ok || bad "no contact or opportunity"
expect 0 as li2 opportunity stage "$O" need_confirmed
expect 0 as li lead convert "$L" --json; has "$(flat <<<"$OUT")" '"already":true' "once"
serve "$PORT"
for _ in 1 2; do expect 0 as li sync; expect 0 as li2 sync; done
same "$(total li account)" $((a0 + 1)) "one customer"; same "$(total li contact --account "$A")" 1 "one contact"; same "$(total li2 opportunity --account "$A")" 1 "one opportunity"
for u in li li2; do expect 0 as $u status --json; has "$(flat <<<"$OUT")" '"rejected":0' "nothing refused on $u"; expect 0 as $u check; done
expect 0 as li --json account show "$A"; has "$OUT" '"name": "周氏机械"' "the company"; has "$OUT" '"number": "C[0-9]' "numbered"; has "$OUT" '"industry": "C34"' "what was given"
same "$(as li --json account show "$A" | grep '"number"')" "$(as li2 --json account show "$A" | grep '"number"')" "one number"
same "$(one "$(as li --json opportunity show "$O")" stage)" need_confirmed "work on it before the sync goes on"
expect 0 as li --json lead show "$L"; has "$OUT" '"state": "qualified"' "the lead is closed"
X=$(as li lead add --set name=周先生二 --set phone=13812340099 --allow-duplicate again); expect 6 as li lead convert "$X"; has "$ERR" "into" "a customer with this phone is there"
expect 0 as li lead convert "$X" --into "$A"; same "$(total li opportunity --account "$A")" 2 "an opportunity of the customer who is there"
expect 0 as li lead discard "$D" --reason no_need; expect 0 as li --json lead show "$D"; has "$OUT" '"state": "invalid"' "discarded"; expect 6 as li lead convert "$D"
finish
