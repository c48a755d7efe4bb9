#!/bin/bash
# A template is tried by a team before all have it: who is in the pilot and who
# is not work on the same customers, keep what the other wrote, and meet again,
# whether the pilot ends forwards or backwards.
. tests/e2e/lib.sh
one_day; server_init; serve
d team add east --name East >/dev/null; d team add west --name West >/dev/null
d user add hq --name HQ --role hq >/dev/null
d user add li --name Li --role rep --team east >/dev/null; d user add wu --name Wu --role rep --team west >/dev/null
enrol hq; enrol li; enrol wu
G="git -c safe.directory=* -c advice.detachedHead=false"
expect 0 $G clone -q "$W/server/templates.git" "$W/t"; T=$W/t; rm -rf "$T/.git"
expect 0 as li account add --set name=甲公司 "${ACC[@]}" --set phone_main=13812345678; A=$OUT
for u in li wu hq; do expect 0 as $u sync; done
field() { # id key: a field of account, before the name
	sed -i 's|^    {"id": 2, "key": "name"|    {"id": '"$1"', "key": "'"$2"'", "label": {"zh": "字段'"$1"'", "en": "Field '"$1"'"}, "type": "text", "max_len": 60},\n&|' "$T/fields/account.json"
}
rev() { d --json template status | flat | grep -o "\"$1\":\"[0-9a-f]*\"" | cut -d'"' -f4; }
state() { d --json template status | flat | grep -o "{[^{}]*\"user\":\"$1\"[^{}]*}"; }
old=$(rev published)

# ---- the team east tries a field and an option -------------------------------------
field 900 wechat_group
sed -i 's|^    {"key": "exhibition"|    {"key": "trade_show_2027", "label": {"zh": "展会2027", "en": "Trade show 2027"}, "rank": 95},\n&|' "$T/dict/source.json"
grep -q trade_show_2027 "$T/dict/source.json" || sed -i '0,/^    {"key"/s//    {"key": "trade_show_2027", "label": {"zh": "展会2027", "en": "Trade show 2027"}, "rank": 95},\n    {"key"/' "$T/dict/source.json"
sed -i 's/"version": "1.0"/"version": "1.1-pilot"/' "$T/flows/sales.json" # and another way to work
expect 5 d template publish "$T" -m "pilot" --canary nosuchteam; expect 2 d template publish "$T" --canary east
expect 0 d template publish "$T" -m "pilot of the WeChat group" --canary east
has "$(d template list)" "canary" "the list marks it"; same "$(rev published)" "$old" "published stays"
has "$(state li)" '"ring":true.*"state":"behind"' "li is due the pilot's"; has "$(state wu)" '"ring":false.*"state":"current"' "wu is not"
expect 0 as wu sync; hasnt "$OUT" "template_changed.1" "wu hears of nothing"
expect 0 as li sync; expect 0 as li sync; has "$(state li)" '"state":"current"' "li runs it"
expect 7 as wu account add --set name=乙公司 "${ACC[@]}" --set phone_main=13812345679 --set wechat_group=x; has "$ERR" "wechat_group" "wu does not know the field"
expect 0 as li account edit "$A" --set wechat_group=采购群 --set source=trade_show_2027
expect 0 as li sync; has "$OUT" "rejected.0" "judged by the pilot's template"
# who is outside keeps what he cannot show, and writes beside it
expect 0 as hq sync; expect 0 as hq account show "$A"; hasnt "$OUT" "采购群" "hq has no such field"
expect 0 as hq account edit "$A" --set city=苏州; expect 0 as hq sync; expect 0 as li sync
expect 0 as li account show "$A"; has "$OUT" "采购群" "still there"; has "$OUT" "苏州" "and what hq wrote"
expect 0 as hq check; expect 0 as li check

# ---- R-129: what the pilot does to the work: its team beside the others
expect 0 as wu account add --set name=己公司 "${ACC[@]}" --set phone_main=13812345671; expect 0 as wu sync; expect 0 as hq sync
expect 0 as hq --json report run new-customers --period "$(here +%Y)" --by team; has "$(flat <<<"$OUT")" '"key":"east"[^]]*\},1\]' "the pilot's"; has "$(flat <<<"$OUT")" '"key":"west"[^]]*\},1\]' "the others'"
expect 0 as hq --json report compare new-customers --baseline "$(($(here +%Y) - 1))" --current "$(here +%Y)" --param team=east; has "$(flat <<<"$OUT")" '"compare":' "and before it"
deal() { as "$1" opportunity add "$2" --set name=单 --set amount="$3" --set stage=won --set won_at=2026-01-0"$4"T02:00:00Z >/dev/null || bad "no deal of $1"; }
W1=$(as wu account list | head -1 | cut -f1); deal li "$A" 12万 5; deal wu "$W1" 5万 6; deal wu "$W1" 1万 7
for u in li wu hq; do expect 0 as $u sync; done
expect 0 as hq --json report run won --period 2026 --by variant; V=$(flat <<<"$OUT")
has "$V" '"key":"sales@1.1-pilot"[^]]*\},1,12000000' "what was made under the pilot's procedure"; has "$V" '"key":"sales@1.0"[^]]*\},2,6000000' "and under the other, in one report"
expect 0 as hq report run won --period 2026 --param variant=sales@1.0; has "$OUT" "^2	60000.00" "of one of them"
expect 2 as hq report run new-customers --by variant; has "$ERR" "keeps no procedure" "a customer is not made under one"; has "$ERR" "split by team" "what can be done"

# ---- what is refused while it runs ----------------------------------------------------
expect 6 d template publish "$T" -m "to all"; has "$ERR" "pilot" "one at a time"
sed 's|"id": 1, "key": "account", "plural": "accounts"|"id": 199, "key": "visitor_car", "plural": "visitor_cars"|; s|, "number_prefix": "C"||' "$T/fields/account.json" >"$T/fields/visitor_car.json"
expect 7 d template publish "$T" -m "a kind" --canary east; has "$ERR" "new kind|visitor_car" "P-231 a kind goes to all at once"; rm "$T/fields/visitor_car.json"
expect 6 d template publish "$old"; has "$ERR" "rollback" "an older one is no pilot"

p=$PORT; stop_server; serve "$p"; has "$(state li)" '"ring":true.*"state":"current"' "a restart knows the ring"

# ---- another ring: who leaves it keeps what he has ------------------------------------
dev=$(state wu | grep -o '"device":[0-9]*' | grep -o '[0-9]*')
expect 0 d template publish canary --canary "$dev"
expect 0 as wu sync; expect 0 as wu schema account; has "$OUT" "wechat_group" "wu's device is in"
expect 0 as li sync; expect 0 as li schema account; has "$OUT" "wechat_group" "li's does not go back"
has "$(state li)" '"ring":false.*"state":"current"' "and that is right"

# ---- to all ------------------------------------------------------------------------------
expect 0 d template publish canary; same "$(rev published)" "$(state hq | grep -o '"due":"[0-9a-f]*"' | cut -d'"' -f4)" "hq is due it"
expect 0 as hq sync; expect 0 as hq account show "$A"; has "$OUT" "采购群" "what was kept is shown"
for u in li wu hq; do expect 0 as $u sync; expect 0 as $u check; done
now=$(rev published)

# ---- a second pilot, and back --------------------------------------------------------------
field 901 car_plate
expect 0 d template publish "$T" -m "car plates" --canary east; expect 0 as li sync
expect 0 as li account edit "$A" --set car_plate=苏E12345   # not sent before the way back
expect 0 d template rollback published -m "nobody needs it"; has "$(d template list | head -1)" "rollback to $now" "P-233 a signed step forward"
expect 0 as li sync; has "$OUT" "rejected.0" "nothing is refused for its age"
expect 7 as li account edit "$A" --set car_plate=苏E99999; has "$ERR" "car_plate|retired" "retired now"
for u in li wu hq; do expect 0 as $u sync; expect 0 as $u check; has "$(state $u)" '"state":"(current|behind)"' "state of $u"; done
for u in li wu hq; do expect 0 as $u sync; has "$(state $u)" '"ring":false.*"state":"current"' "$u has what all have"; done

# ---- back to the first: what came since is retired ----------------------------------------
expect 0 d template rollback "$old"
expect 0 as hq sync; expect 7 as hq account add --set name=丁公司 "${ACC[@]}" --set phone_main=13812345677 --set source=trade_show_2027
expect 7 as hq account edit "$A" --set wechat_group=x; expect 2 d template rollback "$(rev published)"
expect 0 as hq account edit "$A" --set district=工业园区; expect 0 as hq sync; expect 0 as wu sync; expect 0 as li sync
expect 0 as li account show "$A"; has "$OUT" "工业园区" "work goes on"
expect 0 d template verify; expect 0 d check; expect 0 as li template verify
expect 0 as li --json template diff "$old" current; has "$(flat <<<"$OUT")" '"doc":"fields/account.json","place":"fields.wechat_group[^}]*","before":null' "what differs from the first"; hasnt "$OUT" "dict/status.json" "and nothing else"
expect 0 as li template diff "${old:0:10}" "${old:0:10}"; expect 5 as li template diff 0000000000 current; expect 2 as li template diff "$old"
finish
