#!/bin/bash
# Lists as programs ask for them: filters by members or by a body, what belongs
# to a record, sums by group, how it was, many writes at once.
. tests/e2e/lib.sh
THROUGH_DAEMON=1; server_init; serve; d user add li --name Li --role rep >/dev/null; enrol li; as li -q sync; d user add hq --name Hq --role hq >/dev/null; enrol hq
j() { flat <<<"$OUT"; }
add() { as li account add --set name="$1" --set industry=C34 --set contact_name=Bo --set need_type=product --set stage=first_contact --set phone_main="$2" --set remark="$3"; }
A=$(add Alpha 13812340001 one); B=$(add Beta 13812340002 two); C=$(add Gamma 13812340003 'the "third"'); K=$(as li contact add "$A" --set name=Wang); X=$(as li contact add "$C" --set name=Gone)
for v in 100 250 650; do as li opportunity add "$A" --set name=deal$v --set amount=$v >/dev/null; done; as li opportunity add "$B" --set name=other --set amount=9 >/dev/null
as li activity add "$A" --method phone --points first >/dev/null; as li activity add "$A" --method email --points second >/dev/null; as li -q sync

# ---- filters --------------------------------------------------------------------------
q() { expect 0 as li --json api GET /v1/"$1" "${@:2}"; }
q accounts -f 'filter[name]=Alpha,Beta' -f sort=-name -f fields=name; has "$(j)" '"name":"Beta"\}?.*"name":"Alpha"' "one of two, in order"; hasnt "$OUT" Gamma "and no other"
q opportunities -f 'filter[amount][gte]=250' -f 'filter[amount][lt]=650'; has "$(j)" '"total":1,' "a span"; has "$OUT" deal250 "the one in it"
q accounts -f 'filter[remark][like]=the "th'; has "$(j)" '"total":1,' "a quote in a value"; q accounts -f 'filter[external_id][null]=1'; has "$(j)" '"total":3,' "unset"
q accounts -f count=none -f limit=2 -f offset=1; has "$(j)" '"next":null,"prev":"[0-9a-f]+","total":null,"total_exact":false' "nobody counted"
for s in name -name -remark,name; do # page by page, there and back
	C=; SEEN=; for i in 1 2 3; do expect 0 as li --json account list --sort "$s" --limit 1 ${C:+--cursor "$C"}; SEEN+="$(grep -o '"name": "[A-Z][a-z]*"' <<<"$OUT")"; C=$(sed -n 's/.*"next": "\([0-9a-f]*\)".*/\1/p' <<<"$OUT"); done
	same "$C" "" "the end"; expect 0 as li --json account list --sort "$s" --all; same "$SEEN" "$(grep -o '"name": "[A-Z][a-z]*"' <<<"$OUT" | tr -d '\n')" "every row once, in order"
done
q accounts -f sort=name -f limit=2; C=$(sed -n 's/.*"next": "\([0-9a-f]*\)".*/\1/p' <<<"$OUT"); q accounts -f sort=name -f limit=2 -f cursor="$C"; P=$(sed -n 's/.*"prev": "\([0-9a-f]*\)".*/\1/p' <<<"$OUT")
has "$(j)" '"name":"Gamma"' "the second page"; q accounts -f sort=name -f limit=2 -f cursor="$P"; has "$(j)" '"name":"Alpha".*"name":"Beta"' "and back"
expect 2 as li --json api GET /v1/accounts -f sort=-name -f cursor="$C"; has "$ERR" "another list" "another order"; expect 2 as li account list --sort name --cursor "$(ending "$C" 0 1)"; expect 2 as li account list --cursor 2
for f in 'filter[nosuch]=1' 'filter[name][around]=1' 'filter[name' "filter[name]=a'b\"c"; do expect 2 as li --json api GET /v1/accounts -f "$f=1"; done
echo '{"filter":{"name":["Alpha","Gamma"],"remark":{"ne":"one"}},"fields":["name"],"limit":5}' >"$W/q"
expect 0 as li --json api POST /v1/accounts/query --input "$W/q"; has "$(j)" '"name":"Gamma"\}\],"page":\{"next":null,"prev":null,"total":1' "by a body"

# ---- what belongs to it -------------------------------------------------------------------
expect 0 as li --json account show "$A" --include contacts,last_activity,opportunities; has "$(j)" '"include":\{"contacts":\[\{"id":"'"$K" "contacts"; has "$(j)" '"points":"second"' "the last follow-up"; hasnt "$OUT" '"points": "first"' "and not the one before"
same "$(grep -c '"name": "deal' <<<"$OUT")" 3 "three deals"
expect 0 as li --json account list --include last_activity --sort name; has "$(j)" '"include":\{"last_activity":null\}' "none"
expect 2 as li --json account list --include nosuch; expect 2 as li --json account list --include opportunities --as-of 2030-01-01

# ---- sums --------------------------------------------------------------------------------------
q opportunities/aggregate -f group_by=account -f sum=amount -f max=amount -f avg=amount; has "$(j)" "\"group\":\{\"account\":\"$A\"\},\"count\":3,\"sum\":\{\"amount\":100000\},\"avg\":\{\"amount\":33333\},\"max\":\{\"amount\":65000\}" "a customer's"
has "$(j)" '"total":\{"count":4,"sum":\{"amount":100900\}' "all"; q opportunities/aggregate -f 'filter[name]=other'; has "$(j)" '"data":\[\{"group":\{\},"count":1\}\]' "filtered"
expect 2 as li --json api GET /v1/accounts/aggregate -f sum=name; expect 2 as li --json api GET /v1/accounts/aggregate -f group_by=nosuch

# ---- how it was ------------------------------------------------------------------------------------
sleep 1.1; T=$(date -u +%Y-%m-%dT%H:%M:%SZ); sleep 1.1
as li account edit "$A" --set remark=changed >/dev/null; add Delta 13812340004 new >/dev/null; as hq -q sync; expect 0 as hq -y contact delete "$X"; as hq -q sync; as li -q sync
expect 0 as li --as-of "$T" --json account list --sort name --fields name,remark; has "$(j)" '"name":"Alpha","remark":"one".*"name":"Beta".*"name":"Gamma"' "before"; hasnt "$OUT" Delta "made later"
expect 0 as li --as-of "$T" --json account list --where 'remark=one'; has "$(j)" '"total":1,' "filtered by what was"; expect 0 as li --as-of "$T" --json account list --where 'remark=changed'; has "$(j)" '"total":0,' "not by what is"
expect 0 as li --as-of "$T" contact list --all; has "$OUT" Gone "deleted since"; expect 0 as li contact list --all; hasnt "$OUT" Gone "and not there now"
expect 0 as li --as-of 2001-01-01 --json account list; has "$(j)" '"total":0,' "nothing yet"; expect 2 as li --as-of "$T" account list --q Alpha; expect 2 as li --as-of yesterweek account list

# ---- many at once ---------------------------------------------------------------------------------------
one='{"op":"create","data":{"account":"'$A'","name":"Zhao"}}'; bad='{"op":"edit","id":"'$K'","data":{"nosuch":"1"}}'; two='{"op":"edit","id":"'$K'","data":{"title":"CTO"}}'
echo "{\"items\":[$one,$two,$bad]}" >"$W/all"; echo "{\"mode\":\"each\",\"items\":[$one,$bad,$two,{\"op\":\"burn\"}]}" >"$W/each"; echo '{"items":[]}' >"$W/none"
expect 7 as li --json api POST /v1/contacts/batch --input "$W/all"; has "$ERR" "item 2" "which one"; expect 0 as li --json contact list; hasnt "$OUT" "Zhao|CTO" "all or none"
expect 3 as li --json api POST /v1/contacts/batch --input "$W/each"; has "$(j)" '"done":2,"failed":2' "each for itself"; has "$(j)" '"index":1,"ok":false' "which"; expect 0 as li --json contact list; has "$OUT" Zhao "made"; has "$OUT" CTO "changed"
expect 2 as li api POST /v1/contacts/batch --input "$W/none"; expect 0 as li sync; expect 0 as li check
finish
