#!/bin/bash
# Who exported, ran a report, logged in: in each device's audit chain, and, as
# the template says, at headquarters (R-101).
. tests/e2e/lib.sh
ROGUE=$(readlink -f "$B/tests/e2e/rogue")
one_day; server_init
d team add t1 --name 一组 >/dev/null
for u in li wu; do d user add $u --name "$u" --role rep --team t1 >/dev/null; done
d user add boss --name Boss --role manager --team t1 >/dev/null; d user add hq --name HQ --role hq >/dev/null
d user add mark --name 市场 --role marketing >/dev/null; d user add ser --name 客服 --role service >/dev/null
d user add exp --name 专家 --role expert --team t1 >/dev/null; d user add adt --name 督导 --role auditor >/dev/null
serve
for u in li wu boss hq mark adt ser exp; do enrol $u; as $u -q sync; done
j() { flat <<<"$OUT"; }
all() { for u in "$@"; do as $u -q sync; done; }
times() { as $1 audit log | cut -f2- | grep -cE "$2"; }

for i in 1 2 3; do expect 0 as li account add --set name=客户$i --set contact_name=王$i --set phone_main=1390000000$i \
	--set industry=I65 --set need_type=solution; done
all li

# every opening is the day's first or none
same "$(times li 'login')" 1 "a day's first opening, once"

# exports: in the chain, and at headquarters with rows and reason
expect 0 as li export account -o "$W/li.csv"
expect 0 as boss -q sync; expect 0 as boss export account -o "$W/boss.csv" --reason "月度核对"
expect 2 as boss export account -o "$W/no.csv"
same "$(times boss 'export.done')" 1 "it is in his chain"
all li boss hq adt mark ser exp wu
expect 0 as hq --json access list --where 'what=export'
has "$(j)" '"total":2' "both exports are at headquarters"
has "$(j)" '"reason":"月度核对"' "with the reason"; has "$(j)" '"rows":3' "and the rows"
expect 0 as adt --json access list; has "$(j)" '"total":2' "the auditor sees them"
expect 0 as boss --json access list; has "$(j)" '"total":2' "a manager his team's"
expect 0 as wu --json access list; has "$(j)" '"total":0' "a colleague none"
expect 9 as mark access list; expect 9 as ser access list
# refused, and not there either: each replica decrypted
has_reason() { stop_daemon "$W/r/$1"; "$ROGUE" read "$W/r/$1" "$W/pass" >"$W/plain" 2>"$W/err" || bad "$1: $(cat "$W/err")"; grep -aqF 月度核对 "$W/plain"; }
for u in boss hq adt; do has_reason $u && ok || bad "$u lacks the reason"; done
for u in mark ser exp wu li; do has_reason $u && bad "$u holds the reason of another's export" || ok; as $u -q check || bad "check of $u"; done
A=$(as hq --json access list --where owner=boss | flat | grep -o '"id":"[0-9a-z]*"' | head -1 | cut -d'"' -f4)
expect 9 as hq api PATCH "/v1/accesses/$A" -f reason=x
expect 9 as hq api DELETE "/v1/accesses/$A"
expect 9 as boss api PATCH "/v1/accesses/$A" -f reason=x

# reports: in the chain; at headquarters when the template asks, once a day
expect 0 as boss report run won --period "$(here +%Y)"
same "$(times boss 'report=won')" 1 "a report is in the chain"
mkdir -p "$W/t"; cp -r common/template/base/. "$W/t"
sed -i 's/"report": "no", "login": "no"/"report": "day", "login": "day"/' "$W/t/policy/audit.json"
expect 0 d template publish "$W/t" -m "who looks at reports"
all boss hq li
expect 0 as boss report run won --period "$(here +%Y)"; expect 0 as boss report run won --period "$(here +%Y)"
expect 0 as boss report run won --period "$(here +%Y)" --by owner
expect 0 as boss report run by-sector --period "$(here +%Y)"
all boss hq
expect 0 as hq --json access list --where 'what=report'
has "$(j)" '"total":2' "each report once a day"; has "$(j)" '"subject":"by-sector"' "by its name"
same "$(times boss 'report=won')" 4 "and each time in the chain"
enrol li li2; as li2 -q sync; expect 0 as li2 account list; as li2 -q sync; all hq
expect 0 as hq --json access list --where 'what=login'; has "$(j)" '"owner":"li"' "a login on a new device"

# a mistake in the policy is told
sed -i 's/"report": "day"/"report": "often"/' "$W/t/policy/audit.json"
expect 7 d template publish "$W/t" -m x; has "$ERR" "one of no, day, each" "what may stand there"

expect 0 as boss audit verify; expect 0 as boss --json audit verify --entry 2; has "$(flat <<<"$OUT")" '"entries":[1-9]' "from an entry on"; expect 2 as boss audit verify --entry 0; expect 2 as boss audit verify --from -1
expect 0 as hq audit verify
finish
