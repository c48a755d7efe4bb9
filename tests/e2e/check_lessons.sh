#!/bin/bash
# What went wrong in other systems, once more against this one: a section per
# failure. What a script or program of its own proves at length is only touched
# here:
#
#   SuiteCRM #8951, krayin #2155   test_required (every field type, at random),
#                                  check_requirements.sh R-005
#   简道云 API bypass              check_doors.sh (command, sheet, HTTP)
#   Salesforce                     check_merge.sh (two teams, late work, apart again)
#   Freshsales/zkipster            check_kill9.sh, check_faults.sh (full disk)
#   zkipster one-by-one            check_devices.sh (200 devices), concurrent.c
#   Cordys #107                    tests/moves/moves.c (the owner offline meanwhile)
#   悟空 drift                     check_freeze.sh
#   T1 time-zone rows              check_indicators.sh
. tests/e2e/lib.sh
ROGUE=$(readlink -f "$B/tests/e2e/rogue") ASK=$(readlink -f "$B/tests/http/ask")
LESSON= before=0
lesson() { # NAME; nothing: the end of the last one
	[ -z "$LESSON" ] || { [ $failed = "$before" ] && echo "ok    $LESSON" || echo "FAIL  $LESSON"; }
	LESSON=${1:-} before=$failed
}
j() { as "$1" --json "${@:2}" | flat; }
one() { grep -o "\"$2\":\"[^\"]*\"" <<<"$1" | head -1 | cut -d'"' -f4; }
gap() { as "$1" --json status | flat | grep -o '"commits":[0-9]*' | grep -o '[0-9]*$'; }
add() { as "$1" account add --set name="$2" "${ACC[@]}" --set phone_main="$3" "${@:4}"; }

one_day; server_init; serve
d team add east --name 东区 >/dev/null; d team add west --name 西区 >/dev/null
for u in li:rep:east wu:rep:east xi:rep:west ma:manager:east hq:hq:; do IFS=: read -r k r t <<<"$u"
	d user add "$k" --name "$k" --role "$r" ${t:+--team "$t"} >/dev/null || bad "user $k"; done
# a company of its own kind: a field of each sort that nobody else has
expect 0 git -c safe.directory='*' clone -q "$W/server/templates.git" "$W/t"; rm -rf "$W/t/.git"
own() { printf '    {"id": %s, "key": "%s", "label": {"zh": "%s", "en": "%s"}, "type": %s},\n' "$1" "$2" "$2" "$2" "$3"; }
{ own 900 wechat_group '"text", "max_len": 60'; own 901 machines '"int", "min": 0, "max": 1000'; own 902 budget '"money"'; own 903 exporter '"bool"'; own 904 audited_on '"date"'; own 905 sizes '"tags", "policy": "set", "max_len": 20'; } >"$W/own"
sed -i "/^    {\"id\": 2, \"key\": \"name\"/{
r $W/own
N
}" "$W/t/fields/account.json"
expect 0 d template publish "$W/t" -m "fields of our own"
for u in li wu xi ma hq; do enrol $u; done
THROUGH_DAEMON=1 # a passphrase costs more than most commands

lesson "twenty #11864, SuiteCRM #2081"
A=$(add li 安徽一公司 13812340001 --set uscc=91350100M000100Y43 --set remark=a --set tags=老客户 --set machines=3); Bq=$(add li 贝尔二公司 13812340002); C=$(add li 长城三公司 13812340003)
expect 0 as li export account -o "$W/out.csv" --reason test; n=$(gap li)
expect 0 as li --json import "$W/out.csv" --type account --on-duplicate update; has "$(flat <<<"$OUT")" '"created":0,"updated":0' "$LESSON: read back"
same "$(gap li)" "$n" "$LESSON: no commit"
NA=$(one "$(j li account show "$A")" number)
# edited rows: by number, though the phone is another's; by code; by phone
printf 'number,remark,phone_main\n%s,按编号,13812340001\n' "$NA" >"$W/1.csv"
printf 'uscc,remark\n91350100M000100Y43,按代码\n' >"$W/2.csv"
printf 'phone_main,remark\n+86 138-1234-0002,按电话\n' >"$W/3.csv"
for i in 1:按编号 2:按代码 3:按电话; do
	expect 0 as li --json import "$W/${i%:*}.csv" --type account --on-duplicate update --incomplete flag; has "$(flat <<<"$OUT")" '"created":0,"updated":1' "$LESSON: ${i#*:}"
	case $i in 3*) at=$Bq ;; *) at=$A ;; esac
	has "$(j li account show "$at")" "\"remark\":\"${i#*:}\"" "$LESSON: the right one ${i#*:}"
done
printf 'number,uscc,phone_main,remark\n%s,,13812340003,编号在先\n' "$NA" >"$W/4.csv"
expect 0 as li --json import "$W/4.csv" --type account --on-duplicate update --incomplete flag
has "$(j li account show "$A")" '"remark":"编号在先"' "$LESSON: the number counts first"; has "$(j li account show "$C")" '"remark":null' "$LESSON: not the phone's owner"
expect 0 as li account edit "$A" --set phone_main=13812340001
same "$(total li account)" 3 "$LESSON: none was made"

lesson "espocrm default check"
for p in 13812340002 "+86 138 1234 0002" "0086-138-1234-0002" "１３８１２３４０００２" "138-1234-0002" "138 1234 0002"; do
	expect 6 add li 另一个名字 "$p"; has "$ERR" "uplicate|exists" "$LESSON: $p"; done
same "$(total li account)" 3 "$LESSON: none was made"

lesson "Salesforce"
expect 0 as li -q sync; expect 0 as wu -q sync; expect 0 as ma -q sync; stop_server
X=$(add li 云帆科技 13912340001); Y=$(add wu 云帆网络 "139 1234 0001")
expect 0 as li activity add "$X" --method phone --points 一; expect 0 as wu activity add "$Y" --method visit --points 二
serve "$PORT"; for u in li wu ma; do expect 0 as $u sync; hasnt "$OUT" "rejected.[1-9]" "$LESSON: nothing is refused"; done
has "$(j ma status)" '"duplicates":1' "$LESSON: one item in the inbox"
for i in "$X" "$Y"; do expect 0 as ma account edit "$i" --set remark=可用; done
expect 0 as ma account merge "$Y" "$X"; same "$(total ma activity --account "$X")" 2 "$LESSON: both timelines"

lesson "Dynamics rollups"
NOW=$(here +%Y-%m); stop_server
value() { j li report run "$@" | grep -o '"rows":.*' | head -c 60; }
n0=$(value new-customers --period "$NOW"); c0=$(value completeness); g0=$(one "$(j li account standard "$C")" grade)
Z=$(as li account add --set name=缺项公司 "${ACC[@]}" --set phone_main=13812340009)
[ "$(value new-customers --period "$NOW")" != "$n0" ] && ok || bad "$LESSON: a report did not see an offline customer: $n0"
n1=$(as li --json report run won --period "$NOW" | flat | grep -o '"rows":\[\[[0-9]*,[0-9]*'); O=$(as li opportunity add "$C" --set name=单 --set amount=100万)
for s in need_confirmed proposal negotiation won; do expect 0 as li opportunity stage "$O" $s; done
n2=$(as li --json report run won --period "$NOW" | flat | grep -o '"rows":\[\[[0-9]*,[0-9]*'); same "$n1 $n2" '"rows":[[0,0 "rows":[[1,100000000' "$LESSON: won at once"
expect 0 as li order add "$C" --set amount=300万 --set product=x
g1=$(one "$(j li account standard "$C")" grade); [ -n "$g1" ] && [ "$g1" != "$g0" ] && ok || bad "$LESSON: the grade '$g0' stayed after an order of 3,000,000: '$g1'"
printf 'name,industry\n半份公司,I65\n' >"$W/half.csv"; expect 0 as li import "$W/half.csv" --type account --incomplete flag
[ "$(value completeness)" != "$c0" ] && ok || bad "$LESSON: completeness stayed $c0"; has "$(j li account list --incomplete)" 半份公司 "$LESSON: listed as incomplete"
serve "$PORT"

lesson "Dynamics field security"
S=$(add xi 西区机密公司 13712345678); expect 0 as xi activity add "$S" --method phone --points 西区机密谈话
for u in xi li hq li; do expect 0 as $u -q sync; done; same "$(total hq account --where name~西区机密)" 1 "$LESSON: headquarters has it"
for u in li hq; do stop_daemon "$W/r/$u"; "$ROGUE" read "$W/r/$u" "$W/pass" >"$W/plain.$u" 2>"$W/err" && ok || bad "$LESSON: $(cat "$W/err")"; done
for w in 13712345678 西区机密; do
	grep -aqF "$w" "$W/plain.hq" && ok || bad "$LESSON: the dump shows too little: no $w at headquarters"
	grep -aqF "$w" "$W/plain.li" && bad "$LESSON: $w is in the file of another team" || ok; done
grep -aqF 13812340001 "$W/plain.li" && ok || bad "$LESSON: the dump lacks what is li's own"

lesson "Freshsales/zkipster"
stop_server; n=$(gap li); m=$(total li account)
for i in 1 2 3; do expect 0 add li "离线$i号公司" 1351234000$i; same "$(gap li)" $((n + i)) "$LESSON: the count of what waits"; done
BODY= ; "$ASK" "$W/r/li/daemon.sock" 5 POST /v1/session/lock </dev/null >"$W/answer"; has "$(head -1 "$W/answer")" " 200" "$LESSON: logged out"
kill -KILL "$(cat "$W/r/li/daemon.pid")"; rm -f "$W/r/li/daemon.pid"; sleep 0.1
same "$(total li account)" $((m + 3)) "$LESSON: all is there after logout and kill"; same "$(gap li)" $((n + 3)) "$LESSON: and counted"
expect 20 as li status --check no-pending
serve "$PORT"; expect 0 as li sync; expect 0 as li status --check no-pending; expect 0 as hq -q sync; same "$(total hq account --where name~离线)" 3 "$LESSON: and arrives"

lesson "Odoo relations offline"
stop_server
N=$(add li 全套公司 13512340009); K=$(as li contact add "$N" --set name=王强 --set phone=13512340010); P=$(as li opportunity add "$N" --set name=大单 --set amount=8万)
F=$(as li activity add "$N" --method visit --points 都在离线做 --set opportunity="$P" --set contact="$K")
expect 0 as li account show "$N" --timeline; for w in 王强 大单 都在离线做; do has "$OUT" "$w" "$LESSON: $w offline"; done
serve "$PORT"; expect 0 as li sync; has "$OUT" "rejected.0" "$LESSON: taken"; expect 0 as hq -q sync
expect 0 as hq account show "$N" --timeline; for w in 王强 大单 都在离线做; do has "$OUT" "$w" "$LESSON: $w arrived"; done
for x in contact:$K opportunity:$P activity:$F; do has "$(j hq "${x%:*}" show "${x#*:}")" "\"account\":\"?\{?[^}]*$N" "$LESSON: ${x%:*} under its customer"; done
has "$(j hq activity show "$F")" "\"contact\":\"?\{?[^}]*$K.*\"opportunity\":\"?\{?[^}]*$P|\"opportunity\":\"?\{?[^}]*$P.*\"contact\":\"?\{?[^}]*$K" "$LESSON: the follow-up knows whom it met and over what"

lesson "简道云 API bypass"
# by sheet and by HTTP: check_doors.sh; here a client that has no gate
for bad in phone_main=5678:pattern industry=X99:option employees=-1:range name=甲:length; do
	code=${bad##*:} bad=${bad%:*} args=() raw=()
	for p in name=绕过公司 industry=I65 contact_name=李 phone_main=13612345678 need_type=product stage=first_contact owner=li; do
		[ "${p%%=*}" = "${bad%%=*}" ] || raw+=("$p"); done
	raw+=("$bad"); for p in "${raw[@]}"; do args+=(--set "$p"); done
	expect 7 as li --json account add "${args[@]}"; has "$OUT$ERR" "\"code\": ?\"validation.$code\"" "$LESSON: $bad by command"
	stop_daemon "$W/r/li"; "$ROGUE" write "$W/r/li" "$W/pass" "${raw[@]}" >"$W/id" 2>"$W/err" && ok || bad "$LESSON: $(cat "$W/err")"
	expect 3 as li sync; Q=$(j li sync pending); has "$Q" "\"code\":\"validation.$code\"" "$LESSON: $bad by sync"
	q=$(grep -o '"refused":\[{"id":[0-9]*' <<<"$Q" | grep -o '[0-9]*$'); expect 0 as li --yes sync discard "$q" --reason test
done
expect 0 as hq -q sync; same "$(total hq account --where name~绕过)" 0 "$LESSON: none came through"

lesson "Cordys #107"
awk 'BEGIN { print "name,industry,contact_name,phone_main,need_type,stage,external_id,wechat_group,machines,budget,exporter,audited_on,sizes"
	for (i = 1; i <= 1000; i++) printf "搬家%04d公司,I65,王%d,1331%07d,product,first_contact,T%04d,群%d,%d,%d.5,%s,2026-0%d-1%d,尺寸%d\n",
	    i, i, i, i, i, i, i, i % 2 ? "true" : "false", i % 9 + 1, i % 10, i % 7 }' >"$W/1000.csv"
expect 0 as li import "$W/1000.csv" --type account --on-duplicate new; expect 0 as li -q sync; expect 0 as ma -q sync
fields() { as "$1" --format jsonl account list --all --where 'external_id~T' | sed -E 's/.*("wechat_group":.*"sizes":\[[^]]*\]).*("external_id":"[^"]*").*/\2,\1/' | sort; }
fields li >"$W/was"; same "$(grep -c 群 "$W/was")" 1000 "$LESSON: a thousand of li"; same "$(grep -cE 'null|\[\]' "$W/was")" 0 "$LESSON: every field is filled"
expect 0 as ma account assign --where 'external_id~T' --to wu; has "$ERR" "1000 given" "$LESSON: in bulk"
for u in ma wu li; do expect 0 as $u -q sync; done
fields wu >"$W/is"; cmp -s "$W/was" "$W/is" && ok || { bad "$LESSON: not every field came along"; diff "$W/was" "$W/is" | head -4; }
same "$(total li account --where 'external_id~T')" 0 "$LESSON: li has none of them"

lesson "悟空 drift"
M=$(date -u -d "$(here +%Y-%m-15) -1 month" +%Y-%m)
U=$(add li 五月公司 13412340001 --set created_at="$M-10T02:00:00Z"); V=$(add li 五月分号 13412340002 --set created_at="$M-11T02:00:00Z")
expect 0 as li -q sync; expect 0 as hq -q sync
H=$(one "$(j hq report freeze new-customers --period "$M")" hash); same ${#H} 64 "$LESSON: frozen"
expect 0 as hq account assign "$U" --to wu; expect 0 as hq account merge "$V" "$U"; expect 0 as hq -q sync
R=$(j hq report run new-customers --period "$M"); same "$(one "$R" hash)" "$H" "$LESSON: the hash in June"; has "$R" '"hash_ok":true' "$LESSON: fits"
has "$R" "\"id\":\"$V\",\"change\":\"left\"" "$LESSON: the difference is listed"; has "$R" '"rows":\[\[2\]\]' "$LESSON: the number stays"

lesson "SuiteCRM #8951, krayin #2155"
for k in name industry contact_name phone_main need_type; do
	expect 7 as li --json account edit "$C" --set $k=; has "$(flat <<<"$OUT$ERR")" "\"validation.required\".*\"$k\"" "$LESSON: $k is not taken away"; done
expect 7 as li account edit "$C" --set stage=; has "$(j li account show "$C")" '"stage":"first_contact"' "$LESSON: a stage has its default and is not taken away"

lesson "T1 time-zone rows"
for x in 04-30T15:59:59Z:t1a 04-30T16:10:00Z:t1b 05-31T15:59:59Z:t1c 05-31T16:00:00Z:t1d; do
	expect 0 as hq account add --set name="时区${x##*:}公司" "${ACC[@]}" --set phone_main="1321234$((1000 + 0x${x##*:t1}))" --set sector=tz --set created_at="2024-${x%:*}"; done
has "$(j hq report run new-customers --period 2024-05)" '"rows":\[\[2\]\]' "$LESSON: by the company's clock"
names=$(j hq report rows new-customers --period 2024-05); has "$names" "时区t1b" "$LESSON: the first of May at home"; hasnt "$names" "时区t1[ad]" "$LESSON: April and June at home"

lesson "zkipster one-by-one"
stop_daemons; THROUGH_DAEMON=
for i in $(seq 12); do code=$(d device invite --user hq); as "p$i" -q init --invite "$code" >/dev/null || bad "$LESSON: device $i"; done
at_once() { local pids=() i; for i in $(seq 12); do { bg "p$i" -q sync 2>"$W/err.$i"; } & pids+=($!); done; for i in $(seq 12); do wait "${pids[i - 1]}" && ok || bad "$LESSON: device $i: $(cat "$W/err.$i")"; done; }
at_once
for i in $(seq 12); do { as "p$i" account edit "$U" --set "remark=设备$i" --add visit_count=1 --add "tags=t$i" >/dev/null || bad edit; } & done; wait $(jobs -p | grep -vx "$server_pid")
at_once; at_once
for i in $(seq 12); do { "$ROGUE" state "$W/r/p$i" "$W/pass" >"$W/state.$i" && sha256sum <"$W/state.$i" >"$W/sum.$i"; } & done; wait $(jobs -p | grep -vx "$server_pid")
same "$(cat "$W"/sum.* | wc -l) $(cat "$W"/sum.* | sort -u | wc -l)" "12 1" "$LESSON: 12 devices, one state"; [ -s "$W/state.1" ] && ok || bad "$LESSON: an empty state"
expect 0 as p1 status --check no-pending; expect 0 as p12 status --check no-pending
D=$(j p7 account show "$U"); has "$D" '"visit_count":12' "$LESSON: every device's count"; for i in 1 5 12; do has "$D" "\"t$i\"" "$LESSON: tag of device $i"; done
lesson
finish
