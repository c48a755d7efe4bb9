#!/bin/bash
# Delays are visible: which request waits for whom, in which step, since when,
# too long or not; the approver gets a task, and a report says how long it took.
. tests/e2e/lib.sh
one_day; server_init
T=$W/t; git clone -q "$W/server/templates.git" "$T"; rm -rf "$T/.git"
# custom proposals: the manager, then the expert, who has three days
sed -i '/"proposal_custom"/,/steps/s/"steps": .*/"steps": [{"roles": ["manager"]}, {"roles": ["expert"], "limit_d": 3}]/' "$T/policy/approval.json"
expect 0 d template publish "$T" -m "two steps"; serve
d team add t1 --name 一组 >/dev/null; d user add li --name 李 --role rep --team t1 >/dev/null
d user add mg --name 经理 --role manager --team t1 >/dev/null; d user add ex --name 专家 --role expert --team t1 >/dev/null
enrol li; enrol mg; enrol ex
j() { as "$1" --json "${@:2}" | flat; }
at() { date -u -d "$1" +%Y-%m-%dT%H:%M:%SZ; }
round() { for u in "$@"; do expect 0 as "$u" -q sync; done; }

expect 0 as li --format table approval list; has "$ERR$OUT" "nothing waits" "nobody has asked"
A=$(as li account add --set name=甲公司 "${ACC[@]}" --set phone_main=13812340001)
P=$(as li proposal add "$A" --set title=定制方案 --set proposal_kind=custom)
expect 0 as li proposal submit "$P"; round li mg ex
R=$(j li approval list); has "$R" "\"kind\":\"proposal\",\"id\":\"$P\",\"title\":\"定制方案\"" "the request"
has "$R" '"step":1,"steps":2,"role":"manager","approver":"mg","since":"20[^"]*","waited_h":0,"limit_d":14' "waits for the manager, as long as the flow allows"
has "$(as mg --format table worklist --waiting)" "定制方案.*mg" "in the worklist"
same "$(j mg approval list --approver me | grep -c '"approver":"mg"')" 1 "what waits for me"; same "$(j li approval list --approver me | grep -c '"approver"')" 0 "not for the author"
expect 0 as li approval list --overdue --check; expect 20 as li approval list --check
has "$(j li approval list --as-of "$(at "+13 days")")" '"overdue":false' "not yet"
expect 20 as li approval list --overdue --check --as-of "$(at "+15 days")"; has "$(j li approval list --as-of "$(at "+15 days 1 minute")")" '"waited_h":360,.*"overdue":true' "fifteen days"

# the approver is reminded once, whichever of his devices runs; nobody else is
enrol mg mg2; expect 0 as mg2 -q sync
expect 0 as mg rules run --as-of "$(at "+13 days")" --rule proposal_unapproved --json; has "$(flat <<<"$OUT")" '"made":0' "not before the limit"
for u in li ex; do expect 0 as $u rules run --as-of "$(at "+15 days")" --rule proposal_unapproved --json; has "$(flat <<<"$OUT")" '"made":0' "$u is not asked"; done
for u in mg mg2; do expect 0 as $u rules run --as-of "$(at "+15 days")" --rule proposal_unapproved --json; has "$(flat <<<"$OUT")" '"made":1' "$u makes the task"; done
round mg mg2 mg; same "$(as mg --json task list --due all --where rule=proposal_unapproved | grep -c "审批已超时")" 1 "two devices make one task"
has "$(as mg task list --due all)" "审批已超时，请处理：定制方案（自20" "it says since when"

# the next step begins to wait when the one before has agreed, and its people get a task
sleep 1; expect 0 as mg proposal approve "$P" --json; has "$(flat <<<"$OUT")" '"missing":\["expert"\],"asked":\[\{"role":"expert","user":"ex"' "the expert is asked by then"
R2=$(j mg approval list); has "$R2" '"step":2,"steps":2,"role":"expert","approver":"ex".*"limit_d":3' "waits for the expert, three days"
since() { grep -o '"since":"[^"]*"' <<<"$1"; }
[[ "$(since "$R2")" > "$(since "$R")" ]] && ok || bad "the second step waits since $(since "$R2"), the first since $(since "$R")"
expect 0 as mg rules run --json; has "$(flat <<<"$OUT")" '"what":"close","rule":"proposal_unapproved"' "and the manager's task is done"
round mg ex; expect 0 as ex task list --due all; has "$OUT" "定制方案" "the expert has his"
expect 0 as ex proposal approve "$P"; round ex li
expect 0 as li approval list --json; hasnt "$OUT" '"id"' "nothing waits any more"
has "$(j li proposal show "$P")" '"asked_at":"20.*"waiting_since":null|"asked_at":"20' "the record keeps when"
has "$(j li report run approval-time --period "$(here +%Y-%m)")" '"rows":\[\[(null|\{[^}]*\}),1,1,\{"text":"0\.0[0-9]"' "a report of how long it took"
# sent back: decided too
Q=$(as li proposal add "$A" --set title=第二 --set proposal_kind=custom); expect 0 as li proposal submit "$Q"; round li mg
expect 0 as mg proposal reject "$Q" --reason 太贵; hasnt "$(j mg approval list)" '"id"' "sent back, nobody is waited for"
expect 0 as mg check
finish
