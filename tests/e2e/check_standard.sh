#!/bin/bash
# The company's standard on a device: grades from orders, who is overdue, whom
# that is told, and the colleague who was there yesterday.
. tests/e2e/lib.sh
one_day; server_init; serve
d team add t1 --name 一组 >/dev/null; d user add li --name 李 --role rep --team t1 >/dev/null
d user add wu --name 吴 --role rep --team t1 >/dev/null; d user add mg --name 经理 --role manager --team t1 >/dev/null
for u in li wu mg; do enrol $u; done
add() { as li account add --set name="$1" --set industry=I65 --set contact_name=x --set phone_main="1381234$2" --set need_type=product; }
A=$(add 战略公司 0001); B=$(add 重点公司 0002); C=$(add 普通公司 0003); N=$(add 潜在公司 0004)
expect 0 as li order add "$A" --set amount=50万; expect 0 as li order add "$B" --set amount=49.99万; expect 0 as li order add "$C" --set amount=9.9万
at() { date -u -d "now $1" +%Y-%m-%dT%H:%M:%SZ; }
for x in "$A" "$B" "$C" "$N"; do expect 0 as li activity add "$x" --method phone --points 首次; done
expect 0 as li worklist --check; hasnt "$OUT" "公司" "nothing is due now"
g() { as li --json account standard "$1" | flat; }
has "$(g "$A")" '"grade":"strategic"' "500,000 is strategic"; has "$(g "$B")" '"grade":"key"' "a fen less is key"
has "$(g "$C")" '"grade":"normal"' "below 100,000"; has "$(g "$N")" '"grade":null' "nothing bought"
has "$(g "$A")" '"key":"hotline"' "services of the grade"; has "$(g "$A")" '"grade_from":"amount"' "derived"
expect 0 as li order add "$C" --set amount=-9.9万; has "$(g "$C")" '"grade":null' "an order taken back"
expect 0 as li account edit "$C" --set grade=key --set grade_reason="new plant"; has "$(g "$C")" '"grade_from":"typed"' "a typed grade wins"; expect 0 as li account edit "$C" --unset grade
# a grade somebody sets: for a reason, for a time, then the amount's again
expect 7 as li account edit "$B" --set grade=strategic; has "$ERR" "grade_reason" "a reason is asked for"
expect 0 as li account edit "$B" --set grade=strategic --set grade_reason="new plant"
has "$(g "$B")" '"grade":"strategic".*"grade_reason":"newplant","grade_until":"20' "override: reason and time are shown"
expect 0 as li --json report run grade-overrides; has "$(flat <<<"$OUT")" '"set":1[,}]|\[1,0,0\]|"values":\[1,0,0' "override: reported"
expect 0 as li account edit "$B" --set grade_until=2020-01-01T00:00:00Z; has "$(g "$B")" '"grade":"key".*"grade_from":"amount","grade_reason":null,"grade_until":null' "override: over by itself"
expect 0 as li --json report run grade-overrides; has "$(flat <<<"$OUT")" '\[1,1,0\]|"over":1' "override: for review"
expect 0 as li account edit "$B" --unset grade; expect 0 as li --json account show "$B"; has "$(flat <<<"$OUT")" '"grade_reason":null' "override: taken back"

w() { as li --json worklist --due "$1" --as-of "$(at "$2")" | flat; }
has "$(w overdue "+8 days")" '战略公司' "7 days for strategic customers"; hasnt "$(w overdue "+8 days")" '重点公司' "14 for key ones"
has "$(w overdue "+8 days")" '潜在公司' "7 for new ones"; has "$(w escalated "+8 days +1 hour")" '战略公司.*"told":"mg"' "the manager is told after a day"
hasnt "$(w escalated "+8 days +1 hour")" '潜在公司' "later for others"
has "$(w overdue "+15 days")" '重点公司.*"told":"li"' "the owner first"
expect 0 as li account edit "$B" --set next_follow_at="$(at "+2 days")"; has "$(w overdue "+3 days")" '重点公司' "an agreed date counts"
expect 0 as li account list --due overdue --as-of "$(at "+8 days")"; has "$OUT" "战略公司" "the same by account list"
expect 2 as li contact list --due overdue; expect 2 as li worklist --due never; expect 2 as li worklist --as-of nonsense
expect 20 as li worklist --due overdue --as-of "$(at "+8 days")" --check; expect 0 as li worklist --due escalated --check
expect 0 as li account edit "$N" --set status=lost --set lost_reason=budget; hasnt "$(w overdue "+30 days")" '潜在公司' "nobody follows up who is lost"

expect 0 as li sync; expect 0 as mg sync
expect 0 as mg activity add "$A" --method visit --points 拜访; has "$ERR" "li was in touch" "the colleague of yesterday"
expect 0 as li activity add "$B" --method phone --points 再次; hasnt "$ERR" "in touch" "not oneself"
has "$(as mg --json worklist --due all --owner li | flat)" '战略公司' "the manager's list of one owner"
expect 5 as wu account standard "$A"; same "$(as wu --json worklist --due all | grep -c '"id"')" 0 "nothing of another's"
# --- lifecycle, from orders alone
expect 0 as li account add --set name=周期公司 "${ACC[@]}" --set phone_main=13812349999; L=$OUT
life() { as li --json account standard "$L" | grep -o '"lifecycle": "[a-z]*"'; }
ago() { date -u -d "$1 days ago" +%Y-%m-%dT%H:%M:%SZ; }
same "$(life)" '"lifecycle": "potential"' "lifecycle: nothing bought"
expect 0 as li order add "$L" --set amount=1万 --set ordered_at="$(ago 400)"; same "$(life)" '"lifecycle": "lost"' "lifecycle: nothing for a year"
expect 0 as li order add "$L" --set amount=1万 --set ordered_at="$(ago 1)"; same "$(life)" '"lifecycle": "existing"' "lifecycle: back again"
expect 0 as li account add --set name=新周期公司 "${ACC[@]}" --set phone_main=13812349998; L=$OUT
expect 0 as li order add "$L" --set amount=1万; same "$(life)" '"lifecycle": "new"' "lifecycle: the first order"
expect 7 as li account edit "$L" --set lifecycle=new; has "$ERR" "lifecycle" "lifecycle: nobody types it"
finish
