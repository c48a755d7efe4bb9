#!/bin/bash
# What surrounds a report: how complete it is, numbers that are frozen and stay
# so, whatever comes later, which is listed; signatures; the records behind a
# number. The lesson of a system whose May report differed in June.
. tests/e2e/lib.sh
one_day; server_init; serve
d team add east --name 东区 >/dev/null; d team add west --name 西区 >/dev/null
for u in li wu; do d user add $u --name $u --role rep --team east >/dev/null; done
d user add ma --name 经理 --role manager --team east >/dev/null; d user add xi --name 西 --role manager --team west >/dev/null
d user add hq --name 总部 --role hq >/dev/null
for u in li wu ma xi hq; do enrol $u; done; through_daemon hq status
M=$(date -u -d "$(here +%Y-%m-15) -1 month" +%Y-%m); NOW=$(here +%Y-%m); P=$(date -u -d "$M-15 -1 month" +%Y-%m)
acc() { as "$1" account add --set name="$2" --set industry=I65 --set contact_name=x --set phone_main="1381234$3" --set need_type=product --set created_at="$M-10T02:00:00Z"; }
deal() { as "$1" opportunity add "$2" --set name=o --set amount="$3" --set stage=won --set won_at="$M-$4T02:00:00Z"; }
A=$(acc li 安徽一公司 0001); B=$(acc wu 贝尔二公司 0002); C=$(acc li 长城三公司 0003)
O1=$(deal li "$A" 12万 15); O2=$(deal wu "$B" 8万 16)
for u in li wu ma xi hq li wu; do expect 0 as $u sync; done
expect 0 as hq sync
j() { as "$1" --json "${@:2}" | flat; }

# coverage: who has reported since the month ended
R=$(j hq report run won --period "$M")
has "$R" '"coverage":\{"reported":5,"active":5,"percent":"100.00"' "all five devices have reported"
has "$R" '"provisional":false' "so it is final"
has "$R" '"watermarks":\[\{"device":1,"user":"li","here":false,"reported_at":"20' "how far each device is"
has "$(j hq report run won --period "$NOW")" '"percent":"0.00".*"provisional":true' "a month that goes on is provisional"
has "$(j ma report run won --period "$M")" '"active":3,' "a manager is told of his team's devices"
has "$(j li report run won --period "$M")" '"active":1,' "a representative of his own"
has "$(j hq report run won)" '"coverage":null,"coverage_reason"' "all time has no end"
stop_server
has "$(j hq report run won --period "$M")" '"percent":"100.00"' "the same offline"
serve "$PORT"
enrol wu wu2 # a second device that was never heard of since is no hole in the past
expect 0 as hq sync; has "$(j hq report run won --period "$M")" '"active":6' "a new device is active"
d device revoke 6 --yes >/dev/null 2>&1 || d device revoke 6 >/dev/null
expect 0 as hq sync; has "$(j hq report run won --period "$M")" '"active":5' "a revoked one is not"

# the records behind a number
has "$(j hq report rows won --period "$M")" "\"total\":2\}" "two deals are behind it"
has "$(j hq report rows ranking-by-rep --period "$M" --group li)" "\"id\":\"$O1\".*\"record\":\"opportunity\".*\"total\":1\}" "one of them is li's"
expect 5 as hq report rows ranking-by-rep --period "$M" --group nobody
expect 2 as hq report rows won --period "$M" --measure nonsense
has "$(j li report rows won --period "$M")" '"total":1\}' "a representative sees his own"

# frozen
expect 9 as li report freeze won --period "$M"
expect 2 as hq report freeze won --period "$NOW"; has "$ERR" "has not ended" "what goes on is not frozen"
expect 2 as hq report freeze won
F=$(j hq report freeze ranking-by-rep --period "$M"); H=$(sed -E 's/.*"hash":"([0-9a-f]{64})".*/\1/' <<<"$F")
ID=$(sed -E 's/.*"frozen":\{"id":"([0-9a-z]+)".*/\1/' <<<"$F"); ROWS=$(sed -E 's/.*"rows":(\[.*\]),"totals".*/\1/' <<<"$F" | head -c 4000)
same "${#H}" 64 "a hash"
has "$F" '"changed":false' "nothing came later yet"
expect 6 as hq report freeze ranking-by-rep --period "$M"
expect 0 as hq report freeze new-customers --period "$M"
expect 0 as ma report freeze ranking-by-rep --period "$M"
expect 0 as hq sync; expect 0 as ma sync; expect 0 as hq sync
has "$(j hq report list --frozen)" '"reach":"team:east"' "headquarters has the manager's too"
same "$(j xi report list --frozen | grep -c '"id"')" 0 "another team has not"
same "$(as li --json report list --frozen | grep -c '"id"')" 0 "nor has a representative"

# what comes later: a late deal, another owner, an amount, a merge, a deletion
frozen_is() { # what changes, pattern of the delta
	local r; r=$(j hq report run ranking-by-rep --period "$M")
	has "$r" "\"hash\":\"$H\"" "$1: the hash stays"; has "$r" '"hash_ok":true' "$1: and fits"
	same "$(sed -E 's/.*"rows":(\[.*\]),"totals".*/\1/' <<<"$r" | head -c 200)" "$(head -c 200 <<<"$ROWS")" "$1: the numbers stay" 2>/dev/null
	has "$r" "$2" "$1: it is listed"
}
D2=$(deal li "$C" 5万 20); expect 0 as li sync; expect 0 as hq sync
T=$(as ma --json report list --frozen | flat | sed -E 's/.*"id":"([0-9a-z]+)".*/\1/')
W1=$(acc xi 西部公司 0009); deal xi "$W1" 3万 11 >/dev/null; expect 0 as xi sync; expect 0 as ma sync; expect 0 as hq sync
for u in ma hq; do has "$(j $u report show-frozen "$T")" "\"delta\":\{\"rows\":\[\{\"group\":\"li\"[^]]*\"key\":\"won_amount\",\"was\":12000000,\"now\":17000000.*\"id\":\"$D2\",\"change\":\"entered\".*\"comparable\":true,\"members_kept\":true,\"changed\":true" "$u is told what came later to the team's"; done
hasnt "$(j hq report show-frozen "$T" | sed 's/.*"delta"//')" '"group":"xi"' "and not what came to another team"
has "$(j hq report show-frozen "$T")" '"coverage":\{"reported":3,"active":3,' "nor how far that team's devices are"
frozen_is "a late deal" "\"group\":\"li\",\"change\":\"changed\".*\"id\":\"$D2\",\"change\":\"entered\""
expect 0 as wu opportunity edit "$O2" --set amount=9万; expect 0 as wu sync; expect 0 as hq sync
frozen_is "another amount" "\"group\":\"wu\".*\"id\":\"$O2\",\"change\":\"changed\".*\"field\":\"amount\""
expect 0 as hq account assign "$A" --to wu; expect 0 as hq sync
frozen_is "another owner" "\"group\":\"wu\""
expect 0 as hq account merge "$C" "$A"; expect 0 as hq sync
r=$(j hq report run new-customers --period "$M"); has "$r" "\"id\":\"$C\",\"change\":\"left\".*\"merged_into\"" "a customer that was merged"
has "$r" '"rows":\[\[3\]\]' "three they were"
expect 0 as hq opportunity delete "$D2" --yes; expect 0 as hq sync
r=$(j hq report run ranking-by-rep --period "$M"); hasnt "$r" "\"id\":\"$D2\"" "what came and went again is no change"
has "$(as hq --format table report run ranking-by-rep --period "$M")" "changed wu  won_amount 80000.00 -> 90000.00" "it is printed"
expect 0 as hq report run ranking-by-rep --month "$M"; has "$ERR" "hash ${H:0:16}" "a pipe gets the rows, the person the hash"; hasnt "$OUT" "hash" "and nothing else is in the rows"
has "$(j hq report show-frozen "$ID")" "\"hash\":\"$H\"" "by its id"
hasnt "$(j hq report run ranking-by-rep --period "$M" --as-of "$M-20")" '"frozen"' "another as-of is another question"
hasnt "$(j hq report run ranking-by-rep --period "$M" --param team=east)" '"frozen"' "another filter too"

# signed
expect 9 as li report sign "$ID"
expect 0 as hq --format table report sign "$ID" --note 已核; has "$OUT" "signed by hq 已核" "the signature is shown"
expect 6 as hq report sign "$ID"
V=$(as hq review add --set title=季度评审 --set period="$M" --set findings=数据完整); N=$(j hq report list --frozen | grep -o '"id":"[0-9a-z]*","report":"new-customers"' | sed -E 's/"id":"([0-9a-z]+)".*/\1/')
expect 0 as hq report sign "$N" --review "$V"; expect 0 as hq review show "$V"; has "$OUT" "数据完整" "a review, and what was signed in it"
has "$("$SATCHEL" -C "$W/r/hq" --help 2>&1)" "review list" "reviews are records like others"
T=$(j ma report list --frozen | sed -E 's/.*"id":"([0-9a-z]+)".*/\1/')
expect 0 as ma report sign "$T" --note 月末; expect 0 as ma sync; expect 0 as hq sync
has "$(j hq report show-frozen "$T")" '"signed":\[\{"by":"ma","at":"20[^"]*","hash":"[0-9a-f]{64}","note":"月末"' "headquarters sees the manager's"
expect 0 as hq check

# two periods side by side
R=$(j hq report compare won --baseline "$P" --current "$M"); has "$R" '"with":"baseline"' "against another period"
has "$R" '"frozen_id"|"before":0' "what was before"; expect 2 as hq report compare won --baseline "$P"
has "$(as hq report run won --period "$M" --compare prev | head -1)" "	" "columns beside"

# made by themselves, once a period, offline
stop_server
has "$(j li report due)" "\"report\":\"won\".*\"schedule\":\"month\",\"period\":\"$M\",\"made_at\":null" "last month is due"
mkdir "$W/out"; expect 0 as li report due --run --out "$W/out"
has "$(ls "$W/out")" "won-$M.xlsx" "a file named by its period"
has "$(unzip -p "$W/out/won-$M.xlsx" xl/worksheets/sheet1.xml xl/sharedStrings.xml 2>/dev/null)" "won · period $M · as of .* \+08:00 · template [0-9a-f]{40}" "it says where it comes from"
has "$(as li report made won --period "$M" --format html)" "coverage [0-9.]*% \(" "and how complete it is"
same "$(as li report due | grep -c .)" 0 "nothing is due twice"; expect 0 as li report due --run; same "$OUT" "" "and nothing is made twice"
has "$(j li report made won --period "$M")" '"key":"won"' "it stays in the replica"; expect 5 as li report made won --period 2019-01
has "$(as li report made)" "won	$M" "a list of them"
as wu report due | grep -q "won	$M" && ok || bad "another device's are its own"
DAEMON_FLAGS='' through_daemon wu status; until_true eval '! as wu report due | grep -q .'
same "$(as wu report due | grep -c .)" 0 "the daemon made them"; stop_daemon "$W/r/wu"
as wu report made | grep -q "won	$M" && ok || bad "and kept them"
finish
