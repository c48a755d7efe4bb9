#!/bin/bash
# Somebody of the business changes the template of a running company by text
# alone: a field, an option, a rule that asks for more, a stage, a report, a field
# given up. Devices are at three versions meanwhile; nothing they did is refused
# for its age, what the new rule misses is flagged, and they end up alike.
. tests/e2e/lib.sh
server_init; serve
d user add hq --name HQ --role hq >/dev/null
d user add li --name Li --role rep >/dev/null; d user add wu --name Wu --role rep >/dev/null
enrol hq; enrol li; enrol wu
expect 0 git -c safe.directory='*' clone -q "$W/server/templates.git" "$W/t"; T=$W/t; rm -rf "$T/.git"
expect 0 as li account add --set name=甲公司 "${ACC[@]}" --set phone_main=13812345678; A=$OUT
expect 0 as wu account add --set name=乙公司 "${ACC[@]}" --set phone_main=13812345679; B=$OUT
for u in li wu hq; do expect 0 as $u sync; done
before() { sed -i "s|^ *{[^}]*\"key\": \"$2\"|$3,\n&|" "$T/$1"; grep -qF "$3" "$T/$1" || bad "no $2 in $1"; }
give() { expect 0 d template publish "$T" -m "$1"; expect 0 as hq sync; has "$OUT" "template_changed" "hq has: $1"; }

# ---- a field, live: hq has it at once, the others work on --------------------------------
before fields/account.json name '    {"id": 900, "key": "buying_season", "label": {"zh": "采购季", "en": "Buying season"}, "type": "text", "max_len": 20}'
expect 7 as hq account edit "$A" --set buying_season=春
give "采购季"
expect 0 as hq account edit "$A" --set buying_season=春; expect 0 as hq account edit "$B" --set buying_season=秋
expect 0 as hq sync; expect 0 as wu account edit "$B" --set city=无锡
# ---- an option -----------------------------------------------------------------------------
first=$(grep -m1 -o '"key": "[a-z_0-9]*"' "$T/dict/source.json" | head -1 | cut -d'"' -f4)
before dict/source.json "$first" '    {"key": "live_stream", "label": {"zh": "直播", "en": "Live stream"}, "rank": 95}'
expect 7 as hq account edit "$A" --set source=直播
give "来源：直播"; expect 0 as hq account edit "$A" --set source=直播; expect 0 as hq sync
expect 0 as li sync # li is at this version from now on, wu at the first
expect 0 as li account show "$A"; has "$OUT" "live_stream" "li sees the option"
# ---- a rule that asks for more, a stage, a report, a field given up ---------------------
before fields/account.json name '    {"id": 901, "key": "tax_title", "label": {"zh": "开票抬头", "en": "Tax title"}, "type": "text", "max_len": 60, "required_when": "grade=strategic", "purpose": "invoice the best customers without asking again"}'
expect 0 as hq account edit "$A" --set grade=strategic --set grade_reason=plant; expect 0 as hq --json template simulate "$T"; has "$(flat <<<"$OUT")" '"succeeds":true.*"incomplete":1,' "said before it is signed"
has "$(flat <<<"$OUT")" "\"what\":\"incomplete\".*\"after\":\"tax_title\"" "which record, which field"; expect 0 as hq account edit "$A" --unset grade; expect 5 as hq template simulate "$W/none"
give "A级客户要有开票抬头"
expect 7 as hq account edit "$A" --set grade=A --set grade_reason=plant; has "$ERR" "tax_title" "the rule asks at once"
before dict/stage.json negotiation '    {"key": "trial", "label": {"zh": "试用", "en": "Trial"}, "rank": 35, "next": ["negotiation", "won", "lost"]}'
sed -i '/"key": "proposal"/s|"next": \[|&"trial", |' "$T/dict/stage.json"
give "阶段：试用"
cat >"$T/reports/season.json" <<'R'
{"key": "season", "title": {"zh": "采购季", "en": "Buying season"}, "kind": "account", "roles": ["manager", "hq"],
 "dims": [{"field": "buying_season"}], "measures": [{"key": "n", "label": {"zh": "客户数", "en": "Customers"}, "agg": "count"}]}
R
give "报表：采购季"; expect 0 as hq --json report run season --period all; has "$(flat <<<"$OUT")" '春' "the report counts"; has "$(flat <<<"$OUT")" '秋' "both"
sed -i 's|"key": "district", |&"retired": true, |' "$T/fields/account.json"; give "区县不用了"
expect 7 as hq account edit "$A" --set district=x; has "$ERR" "district|retired" "nobody writes it anew"
expect 0 as hq account edit "$A" --set stage=proposal; expect 0 as hq account edit "$A" --set stage=trial; expect 0 as hq sync

# ---- two versions in two outboxes --------------------------------------------------------
expect 0 as wu account edit "$B" --set district=新吴区 --set grade=A --set grade_reason=plant   # knows neither the rule nor the retirement
expect 0 as li account edit "$A" --set grade=A --set grade_reason=plant --set district=姑苏区   # the same, from the second version
for u in wu li; do expect 0 as $u sync; has "$OUT" "rejected.0" "nothing of $u is refused for its age"; done
expect 0 as hq sync; expect 0 as hq --json account list --incomplete; has "$OUT" "$A" "A lacks what the rule asks"; has "$OUT" "$B" "B too"
expect 0 as hq account show "$B"; has "$OUT" "新吴区" "what was written stays"; has "$OUT" "grade.strategic" "and the grade"
for u in wu li; do expect 0 as $u sync; done
expect 0 as li account show "$A"; has "$OUT" "stage.trial" "li knows the stage"
expect 0 as li account edit "$A" --set grade=B --set grade_reason=plant; expect 7 as li account edit "$A" --set grade=A --set grade_reason=plant; has "$ERR" "tax_title" "li is asked now"
expect 0 as li account edit "$A" --set grade=A --set grade_reason=plant --set tax_title=甲股份; expect 0 as wu account edit "$B" --set tax_title=乙股份
for u in li wu hq li wu; do expect 0 as $u sync; done
expect 0 as hq --json account list --incomplete; hasnt "$OUT" "$A|$B" "complete again"
alike() { # user record
	same "$(as "$1" --json account show "$2" | flat | md5sum)" "$(as hq --json account show "$2" | flat | md5sum)" "$1 and hq hold the same of $2"
}
alike li "$A"; alike wu "$B"
# ---- R-146: a module is switched off, and on when the business has grown ------------------
expect 0 as li visit add "$A" --set visitor=周女士; V=$OUT
sed -i 's|"schema": 1,|&\n  "modules": {"showroom": false},|' "$T/template.json"; give "还没有案场"
expect 7 as hq visit add "$A" --set visitor=钱先生; has "$ERR" "showroom.*not in use" "nothing new"
expect 0 as hq --json report list; hasnt "$OUT" '"key": ?"showroom"' "its report is not listed"
expect 0 as li sync; has "$OUT" "rejected.0" "what was written before is taken"; expect 0 as hq sync; expect 0 as hq visit show "$V"; has "$OUT" "周女士" "and can be read"
expect 7 as li visit checkin --name 钱先生; has "$ERR" "showroom" "at the door, too"; expect 0 as hq visit edit "$V" --set interest=南向
sed -i 's|"showroom": false|"nosuch": false|' "$T/template.json"; expect 7 d template publish "$T" -m x; has "$ERR" "nosuch" "no such module"
sed -i '/"modules"/d' "$T/template.json"; give "案场开业"; expect 0 as hq visit add "$A" --set visitor=钱先生
expect 0 as li sync; expect 0 as li visit checkin --name 孙先生; for u in hq li wu hq; do expect 0 as $u sync; done
expect 0 as hq --json report list; has "$OUT" '"key": ?"showroom"' "listed again"

for u in li wu hq; do expect 0 as $u check; expect 0 as $u template verify; done
expect 0 d check; expect 0 d template verify
finish
