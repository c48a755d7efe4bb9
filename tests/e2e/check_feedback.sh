#!/bin/bash
# What employees say and learn, and how the process stands: ratings, suggestions
# and what became of them, knowledge tests, who works to the standard, reports
# split by another field, several reports in one document.
. tests/e2e/lib.sh
one_day; server_init; serve
d team add t1 --name 一组 >/dev/null; d team add t2 --name 二组 >/dev/null
for u in li wu; do d user add $u --name "$u" --role rep --team t1 >/dev/null; done
d user add boss --name Boss --role manager --team t1 >/dev/null; d user add hq --name HQ --role hq >/dev/null
d user add serv --name Serv --role service >/dev/null
for u in li wu boss hq serv; do enrol $u; as $u -q sync; done
j() { flat <<<"$OUT"; }; P=$(here +%Y); all() { for u in "$@"; do as $u -q sync; done; }

# ---- R-085: employees rate, nobody changes it afterwards -----------------------------------
expect 0 as li rating add --set survey=2026H2 --set subject=profile_accuracy --set score=5; R=$OUT
expect 0 as wu rating add --set survey=2026H2 --set subject=profile_accuracy --set score=2 --set text="电话常是旧的"
expect 0 as serv rating add --set survey=2026H2 --set subject=cooperation --set score=4 --set about=t1
expect 7 as li rating add --set survey=2026H2 --set subject=profile_accuracy --set score=6; expect 7 as li rating add --set survey=x --set score=3
expect 9 as li api PATCH "/v1/ratings/$R" -f score=1
all li wu serv boss hq; expect 0 as hq --json report run employee-ratings --period $P
has "$(j)" '"key":"profile_accuracy"[^]]*"text":"50.00","num":1,"den":2' "half are satisfied with the data"; has "$(j)" '"key":"cooperation"[^]]*"text":"100.00","num":1,"den":1' "service with the team"
expect 9 as li report run employee-ratings --period $P
expect 0 as boss --json rating list; has "$(j)" '"total":2' "the manager sees the team's"; expect 0 as wu --json rating list; has "$(j)" '"total":1' "a colleague his own"

# ---- R-086: a suggestion, decided by others, tied to the template that came of it -------------
expect 0 as li improvement add --set title="来源里加短视频" --set area=fields; I=$OUT
expect 0 as wu improvement add --set title="少填一个字段" --set area=fields; I2=$OUT
expect 9 as li improvement stage "$I" adopted; all li wu boss hq
expect 0 as hq improvement stage "$I" adopted; expect 7 as hq improvement stage "$I2" rejected; has "$ERR" "decision" "why not has to be said"
expect 0 as hq improvement edit "$I2" --set state=rejected --set decision="法规要求"
REV=$(d --json template status | flat | grep -o '"published":"[0-9a-f]*"' | cut -d'"' -f4)
expect 0 as hq improvement edit "$I" --set template_rev=$REV; expect 0 as hq improvement stage "$I" done; all hq li wu
expect 0 as li --json improvement show "$I"; has "$(j)" '"state":"done"' "who suggested it sees it"; has "$(j)" "$REV" "and the change it led to"
expect 0 as wu improvement show "$I2"; has "$OUT" "法规要求" "or why not"
expect 0 as hq --json report run improvements --period $P; has "$(j)" '"key":"fields"[^]]*\},2,1,1,0,1,' "two made, one adopted, one rejected, one in the template"
expect 7 as hq improvement stage "$I2" adopted; has "$ERR" "open" "first it is opened again"

# ---- R-153: knowledge tests -----------------------------------------------------------------
expect 9 as li exam add --set topic=SOP --set points=100 --set passed=true
expect 0 as boss exam add --set topic="SOP 销售流程" --set points=85 --set passed=true --set owner=li --set revision=$REV
expect 0 as boss exam add --set topic="SOP 销售流程" --set points=40 --set passed=false --set owner=wu; all boss hq li
expect 0 as hq --json report run exams --period $P; has "$(j)" '"key":"li"[^]]*"text":"100.00","num":1,"den":1' "li passed"; has "$(j)" '"key":"wu"[^]]*"text":"0.00","num":0,"den":1' "wu did not"
has "$(j)" '"text":"85.00","num":85,"den":100' "points"; expect 0 as li --json exam list; has "$(j)" '"total":1' "his own"

# ---- R-137: who works to the standard ---------------------------------------------------------
acc() { as $1 account add --set name="$2" "${ACC[@]}" --set phone_main=138000$3 --set grade=$4; }
A=$(acc li 甲公司 10001 strategic); B=$(acc wu 乙公司 10002 normal)
deal() { local o; o=$(as $1 opportunity add $2 --set name=x --set amount=100); for s in need_confirmed proposal negotiation; do [ $3 = whole ] && as $1 -q opportunity stage $o $s; done; as $1 -q opportunity stage $o won --reason ok 2>/dev/null || as $1 -q opportunity edit $o --set stage=won; }
deal li $A whole >/dev/null; deal wu $B short >/dev/null; all li wu hq
expect 0 as hq --json report run ranking-by-conformance --period $P; has "$(j)" '\[1,\{"key":"li"[^]]*"text":"100.00"' "li stands first"; has "$(j)" '\[2,\{"key":"wu"[^]]*"text":"0.00"' "wu behind"
has "$(j)" '"compare":' "against the period before"

# ---- R-087: another dimension ------------------------------------------------------------------
expect 0 as li response add $A --set survey=s1 --set score=5; expect 0 as wu response add $B --set survey=s1 --set score=2; all li wu hq
expect 0 as hq --json report run csat --period $P --by grade; has "$(j)" '"key":"strategic"[^]]*"text":"100.00","num":1,"den":1' "strategic customers are"; has "$(j)" '"key":"normal"[^]]*"text":"0.00","num":0,"den":1' "others are not"
has "$(j)" '"columns":\[\{"key":"grade"' "a column says so"
expect 0 as hq --json report run csat --period $P --by industry,owner; has "$(j)" '"key":"I65"[^]]*"key":"wu"' "two of them"
expect 0 as hq --json report run csat --period $P --by team; has "$(j)" '"key":"t1"' "by team"
expect 0 as hq --json report run won --period $P --by sector; expect 0 as hq --json report run ranking-by-rep --period $P --by industry; has "$(j)" '\[1,\{"key":"I65"' "instead of the document's own"
expect 2 as hq report run csat --by nosuch; expect 2 as hq report run csat --by phone_main; expect 2 as hq report run csat --by grade,owner,team,industry
expect 0 as hq --lang zh report run csat --period $P --by grade; expect 0 as hq --json report rows csat --period $P --measure csat

# ---- R-135: several reports in one document ------------------------------------------------------
expect 0 as hq --json report assess --period $P; has "$(j)" '"id":"process-conformance"|"key":"process-conformance"' "conformance"; has "$(j)" 'ranking-by-conformance.*complaints.*csat.*employee-ratings.*improvements.*exams' "and the others"
same "$(j | grep -o '"left_out":\[\]')" '"left_out":[]' "headquarters may run them all"
expect 0 as li --json report assess --period $P; has "$(j)" '"report":"employee-ratings","why":"denied"' "what one may not run is named"
expect 0 as hq --lang zh report assess --period $P -o "$W/a.html"; n=$(grep -c '<h2>' "$W/a.html"); [ "$n" -ge 12 ] && ok || bad "only $n sections"
has "$(cat "$W/a.html")" "<h1>流程评估</h1>" "one title"; same "$(grep -c '</html>' "$W/a.html")" 1 "one page"
expect 0 as hq report assess won csat --period $P; same "$(grep -c '<h2>' <<<"$OUT")" 2 "those one asks for"; expect 5 as hq report assess nosuch
expect 0 as hq check; expect 0 as li check
finish
