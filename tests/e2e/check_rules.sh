#!/bin/bash
# Rules that make tasks: offline, the same on two devices of one person, made
# once; closed when their reason is gone.
. tests/e2e/lib.sh
one_day; server_init; serve
d team add t1 --name 一组 >/dev/null; d user add li --name 李 --role rep --team t1 >/dev/null
d user add mg --name 经理 --role manager --team t1 >/dev/null
enrol li; enrol li li2; enrol mg
at() { date -u -d "now $1" +%Y-%m-%dT%H:%M:%SZ; }
one() { grep -o "\"$2\": *\"[^\"]*\"" <<<"$1" | head -1 | sed 's/.*: *"//;s/"$//'; }
count() { grep -o "$2" <<<"$1" | wc -l; }
expect 0 as li rules list --json; has "$OUT" '"satchel/rules.list/1"' "schema"
for r in follow_due sla_overdue pool_warning stage_stuck proposal_feedback contract_end_60 contract_end_30 contract_end_7 survey_after_won month_end_check device_unsynced; do
	has "$OUT" "\"key\": \"$r\"" "default rule $r"; done
expect 0 as li rules explain contract_end_30 --json; has "$(flat <<<"$OUT")" '"offset":"-30d"' "explained"; expect 5 as li rules explain nonsense
expect 0 as li rules run; hasnt "$OUT" "make" "nothing is due in an empty company"

A=$(as li account add --set name=江河机械 --set industry=I65 --set contact_name=x --set phone_main=13812340001 --set need_type=product)
K=$(as li contract add "$A" --set number=HT-1 --set end="$(here -d '+40 days' +%F)")
expect 0 as li contract stage "$K" signed
P=$(as li proposal add "$A" --set title=方案一); expect 0 as li proposal edit "$P" --set submitted_at="$(at "-1 day")"
expect 0 as li sync; expect 0 as li2 sync; expect 0 as mg sync
# the instant is an argument: the same run, in dry and for real
expect 0 as li rules run --as-of "$(at "+11 days")" --dry-run --json; dry=$(flat <<<"$OUT")
has "$dry" '"what":"make","rule":"follow_due"' "the follow-up is due"; has "$dry" '"rule":"contract_end_30"' "30 days before the end"
hasnt "$dry" '"contract_end_7"' "not yet"; hasnt "$dry" 'proposal_feedback' "a draft waits for no feedback"
same "$(total li task)" 0 "a dry run writes nothing"
stop_server # both devices on their own
expect 0 as li rules run --as-of "$(at "+11 days")" --json; one=$(flat <<<"$OUT")
expect 0 as li2 rules run --as-of "$(at "+11 days")" --json; two=$(flat <<<"$OUT")
ids() { grep -o '{"what":[^}]*}' <<<"$1" | grep -v device_unsynced | grep -o '"task":"[^"]*"' | sort; }
same "$(ids "$one")" "$(ids "$two")" "the same ids on both devices"; has "$one" device_unsynced "each device for itself"
expect 0 as li rules run --as-of "$(at "+11 days")" --json; same "$(one "$OUT" made)$(grep -o '"made": [0-9]*' <<<"$OUT")" '"made": 0' "a second run makes nothing"
n=$(total li task); [ "$n" -ge 2 ] && ok || bad "$n tasks"
expect 0 as li task list --due all --json; T=$(one "$(flat <<<"$OUT" | grep -o '{[^{]*江河机械[^}]*}' | head -1)" id)
D=$(one "$(flat <<<"$OUT" | grep -o '{[^{]*HT-1[^}]*}' | head -1)" id)
[ -n "$D" ] || D=$(grep -B30 HT-1 <<<"$OUT" | grep -o '"id": "[^"]*"' | tail -1 | cut -d'"' -f4)
expect 0 as li rules explain "$D" --json; has "$(flat <<<"$OUT")" '"key":"contract_end_30"' "which rule made a task"
expect 0 as li task done "$D"; expect 5 as li task done zzzzzzzzzz
expect 0 as li task list --due all; hasnt "$OUT" "HT-1" "done"
expect 0 as li2 task list --due all; has "$OUT" "HT-1" "the other device does not know yet"

serve "$PORT"
for _ in 1 2; do expect 0 as li sync; expect 0 as li2 sync; done
same "$(total li task)" $((n + 1)) "one task each after the sync, and the other device's own"; same "$(total li2 task)" $((n + 1)) "on both"
expect 0 as li2 status --json; has "$(flat <<<"$OUT")" '"rejected":0' "nothing was refused"
expect 0 as li2 task list --due all; hasnt "$OUT" "HT-1" "what was done on one is done on both"
expect 0 as li conflict list --check; expect 0 as li2 conflict list --check
expect 0 as li check; expect 0 as li2 check

# put off
F=$(as li --json task list --due all | grep -o '"id": "[^"]*"' | head -1 | cut -d'"' -f4)
expect 0 as li task snooze "$F" 3d; expect 2 as li task snooze "$F" soon
expect 0 as li task list --due overdue --as-of "$(at "+2 days")" --json; hasnt "$OUT" "$F" "put off is not overdue"
expect 0 as li task list --due overdue --as-of "$(at "+4 days")" --json
expect 0 as li rules run --as-of "$(at "+11 days")"; hasnt "$OUT" "make" "and not made again"
# the reason goes: somebody was in touch; the customer is lost
expect 0 as li activity add "$A" --method phone --points 谈过
expect 0 as li rules run --json; has "$(flat <<<"$OUT")" '"what":"close","rule":"follow_due"' "in touch: the task is done"
expect 0 as li rules run --as-of "$(at "+8 days")" --json; has "$(flat <<<"$OUT")" '"what":"make","rule":"follow_due"' "due again a week later"
expect 0 as li account edit "$A" --set status=lost --set lost_reason=budget
expect 0 as li rules run --as-of "$(at "+8 days")" --json; has "$(flat <<<"$OUT")" '"what":"cancel","rule":"follow_due"' "a lost customer closes its tasks"
# the calendar, to managers
expect 0 as mg rules run --as-of 2026-11-30T02:00:00Z --rule month_end_check --json; has "$(flat <<<"$OUT")" '"made":1' "last weekday of November 2026, 10:00 in Shanghai"
expect 0 as mg rules run --as-of 2026-12-30T23:00:00Z --rule month_end_check --json; has "$(flat <<<"$OUT")" '"made":0' "December's is not yet"
expect 0 as li rules run --as-of 2026-11-30T02:00:00Z --rule month_end_check --json; has "$(flat <<<"$OUT")" '"made":0' "not to representatives"
expect 5 as li rules run --rule nonsense
# stuck
O=$(as li opportunity add "$A" --set name=大单)
expect 0 as li opportunity stage "$O" need_confirmed; expect 0 as li --json opportunity show "$O"; has "$OUT" 'need_confirmed 20' "the way through the stages is kept"
expect 0 as li opportunity stuck --all --json; has "$(flat <<<"$OUT")" '"age_d":0' "its age"
expect 0 as li worklist --stuck; expect 0 as li account stuck --check
# the daemon runs them by itself
E=$(as li contract add "$A" --set number=HT-2 --set end="$(here -d '+20 days' +%F)"); expect 0 as li contract stage "$E" signed
"$SATCHEL" -C "$W/r/li" --passphrase-file "$W/pass" --no-input daemon --no-sync 2>&1 >/dev/null | sed -n 's/.*process \([0-9]*\)$/\1/p' >"$W/r/li/daemon.pid"
until_true eval 'as li task list --due all | grep -q HT-2'
expect 0 as li task list --due all; has "$OUT" "HT-2" "made by the daemon's timer"; stop_daemon "$W/r/li"
# a person's request: its customer's owner a week before it is due, while it is open
R=$(as li account add --set name=Rights "${ACC[@]}" --set phone_main=13812349876); expect 0 as li privacy correct "$R" --note "wrong street"; Q=$OUT
expect 0 as li rules run --as-of "$(at "+20 days")" --dry-run --json; hasnt "$OUT" "rights_due" "rights: not yet"
expect 0 as li rules run --as-of "$(at "+25 days")" --dry-run --json; has "$(flat <<<"$OUT")" 'rights_due' "rights: due in a week"
expect 0 as li privacy answer "$Q" --outcome corrected
expect 0 as li rules run --as-of "$(at "+25 days")" --dry-run --json; hasnt "$OUT" "rights_due" "rights: answered"
finish
