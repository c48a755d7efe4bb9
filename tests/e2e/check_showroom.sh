#!/bin/bash
# A showroom with the cable out: a kiosk that adds and cannot read, a
# receptionist, two stations that keep one rotation, judging with its rule, late
# entries that are flagged, the codes of agents, the desk cleared overnight.
. tests/e2e/lib.sh
one_day; server_init; d team add east --name East >/dev/null; d team add west --name West >/dev/null
for u in mia:manager ann:rep bob:rep cat:rep desk:receptionist desk2:receptionist kio:kiosk; do
	expect 0 d user add "${u%:*}" --name "${u%:*}" --role "${u#*:}" --team east; done
d user add hq --name hq --role hq >/dev/null; d user add wim --name wim --role receptionist --team west >/dev/null
expect 7 d user add x --name x --role porter; has "$ERR" "kiosk, receptionist" "the roles are named"
serve; ALL="mia ann bob cat desk desk2 kio hq wim"; for u in $ALL; do enrol $u; done
all_sync() { for u in "$@"; do as $u -q sync || bad "sync of $u"; done; }
all_sync $ALL
j() { flat <<<"$OUT"; }

# --- the kiosk, without a network: it adds, and reads nothing
expect 0 as kio visit checkin --name "Quagga" --phone 13900010001 --party 3 --first-visit --consent; V=$OUT
expect 0 as kio --json visit checkin --name "Okapi" --phone 13900010002 --channel call_in
hasnt "$OUT" "Okapi|13900010002" "the answer holds only the id"
for q in "visit list" "visit show $V" "account list" "account add --set name=x" "visit judge $V" "rotation show" "report list" "user list" "visit edit $V --set visitor=x" "preregistration add --set visitor=a --set phone=13900010003 --set agent=b"; do expect 9 as kio $q; done
expect 20 as kio status --check no-pending
all_sync kio; expect 0 as kio status --check no-pending
for q in "log" "audit log" "sync pending" "quarantine list" "conflict list" "moved list" "sync log"; do
	OUT=$(as kio --json $q 2>&1); hasnt "$OUT" "Quagga|Okapi|1390001000" "kiosk: $q"; done
expect 0 as kio check
all_sync kio; expect 0 as kio check

# --- the desk sees what waits, another team's desk does not
all_sync desk wim ann mia hq
expect 0 as desk --json visit list --date today; has "$(j)" '"total":2' "both wait"; has "$OUT" "Quagga" "by name"
expect 0 as wim --json visit list; has "$(j)" '"total":0' "not at the other desk"
expect 0 as ann --json visit list; has "$(j)" '"total":0' "not a salesperson's yet"
expect 0 as mia --json visit list; has "$(j)" '"total":2' "the manager"
expect 9 as desk account list; expect 9 as desk report list; expect 9 as desk export visit
expect 0 as desk --json visit show "$V"; has "$(j)" '"consent_text":"1:[0-9a-f]{16}"' "what he agreed to"; has "$(j)" '"late":false' "in time"

# --- late entry: taken, and flagged
AGO=$(date -u -d '5 hours ago' +%FT%TZ)
expect 0 as desk visit checkin --name "Late Lama" --phone 13900010009 --at "$AGO"; has "$ERR" "marked as late" "the person is told"; L=$OUT
expect 0 as desk --json visit show "$L"; has "$(j)" '"late":true' "flagged"; has "$(j)" '"late_min":(299|30[0-9])' "by how much"

# --- rotation: two stations offline
for u in ann bob; do expect 0 as desk rotation join $u; done; all_sync desk desk2 ann
expect 0 as ann --json rotation show; has "$(j)" '"next":"ann"' "a consultant sees the queue"
expect 7 as desk rotation join kio; expect 7 as desk rotation join hq
expect 2 as desk rotation skip bob; expect 2 as desk rotation swap bob
expect 0 as desk rotation serve "$V"; same "$OUT" ann "first of the queue"
expect 0 as desk2 rotation serve; same "$OUT" ann "the other one could not know"
expect 0 as desk2 rotation join cat
expect 0 as desk rotation skip bob --reason "did not ask: first visit?"
all_sync desk desk2 desk desk2 mia ann bob
for u in desk desk2 mia; do as $u --json rotation show | grep -v '"blind"' >"$W/q.$u"; done
same "$(cat "$W/q.desk")" "$(cat "$W/q.desk2")" "one queue at both stations"
same "$(cat "$W/q.desk")" "$(cat "$W/q.mia")" "and at the manager's"
expect 0 as mia --json rotation show; has "$(j)" '"clashes":1' "both sent for ann"; has "$OUT" '"reason"|"skip"' "the log is there"
expect 0 as desk rotation swap ann cat; expect 0 as desk rotation leave bob
expect 0 as wim --json rotation show; has "$(j)" '"data":\[\]' "each team its own"

# --- the visit is ann's now; the desk let go of it
expect 0 as ann --json visit list; has "$(j)" '"total":1' "given to ann"
expect 5 as desk visit show "$V"; expect 0 as ann visit leave "$V"
expect 5 as bob visit show "$V"

# --- judging: he comes back, somebody else is first in the queue
all_sync ann mia; expect 0 as mia visit checkin --name "Quagga again" --phone "139-0001-0001"; V2=$OUT
expect 0 as mia --json visit judge "$V2"; has "$(j)" '"rule":"walk_in","owner":"ann"' "ann's for seven days"
has "$(j)" '"inputs":"[0-9a-f]{64}"' "the facts' hash"; has "$(j)" '"confirmed":false' "nothing written"; H=$(j | grep -o '"inputs":"[^"]*"')
expect 0 as mia rotation serve "$V2"; same "$OUT" ann "the original consultant"
expect 0 as mia --json rotation show; has "$(j)" '"user":"ann","name":"ann","served":3,"returning":1' "costs no turn"
expect 0 as mia --json visit judge "$V2" --confirm; has "$(j)" "$H" "the same facts, the same hash"; has "$(j)" '"confirmed":true' "written"
expect 0 as mia --json visit show "$V2"; has "$(j)" '"judged_rule":"walk_in"' "rule on the visit"; has "$(j)" '"judged_owner":"ann"' "owner on the visit"
expect 6 as mia visit judge "$V2" --confirm --to bob; has "$ERR" "walk_in" "the rule decides"
all_sync mia hq; expect 0 as hq --json visit judge "$V2"; has "$(j)" "$H" "headquarters: the same hash"

# --- families: the wife's phone is a contact of the customer bob called on
A=$(as bob --json account add --set name="Gnu family" "${ACC[@]}" --set phone_main=13900020001 --set source=call_in | flat | grep -o '"id":"[^"]*"' | head -1 | cut -d'"' -f4)
expect 0 as bob -q contact add "$A" --set name="Wife" --set phone=13900020002
expect 0 as bob -q activity add "$A" --method phone --points "liked the south side"
all_sync bob mia; expect 0 as mia visit checkin --name "Mrs Gnu" --phone 13900020002; V3=$OUT
expect 0 as mia --json visit judge "$V3"; has "$(j)" '"rule":"tracked","owner":"bob"' "one family, one customer"
has "$(j)" "\"customer\":\"$A\"" "the customer is named"
expect 0 as mia -q visit judge "$V3" --confirm; expect 0 as mia --json visit show "$V3"; has "$(j)" "\"customer\":\"$A\"" "linked"; has "$(j)" '"consultant":"bob"' "given to bob"

# --- a channel's report, its code, and who has the credit
P=$(as ann preregistration add --set visitor="Zebra" --set phone=13900030001 --set agent=lee --set channel=homelink)
expect 0 as ann --json preregistration show "$P"; has "$(j)" '"valid_until":"20' "valid for a time"
C=$(as ann preregistration code "$P"); has "$C" '^R1\.[0-9a-z]{26}\.[0-9a-f]{16}$' "a code"
expect 7 as kio visit checkin --name Zebra --phone 13900030002 --qr "$C"; has "$ERR" "another phone" "the code is for one phone"
expect 7 as kio visit checkin --name Zebra --phone 13900030001 --qr "R1.nonsense"
expect 0 as kio visit checkin --name Zebra --phone "+86 139 0003 0001" --qr "$C"; Z=$OUT
all_sync ann kio mia; expect 0 as mia --json visit judge "$Z"
has "$(j)" '"rule":"new"' "nobody's before"; has "$(j)" '"credit_rule":"report"' "the code was shown"; has "$(j)" '"credit_to":"homelink"' "the channel"
expect 0 as mia -q visit judge "$Z" --confirm; expect 0 as mia --json preregistration show "$P"; has "$(j)" "\"proof\":\"$Z\"" "proof of arrival"
expect 0 as mia --json preregistration list; expect 0 as mia -q visit assign "$Z" cat; expect 0 as mia --json visit show "$Z"; has "$(j)" '"consultant":"cat"' "assigned"
# the same phone reported by another one, after the visit
P2=$(as ann preregistration add --set visitor="Zebra" --set phone=13900030001 --set agent=kim); C2=$(as ann preregistration code "$P2")
expect 0 as desk visit checkin --name Zebra --phone 13900030001 --qr "$C2"; Z2=$OUT
all_sync desk ann mia; expect 0 as mia --json visit judge "$Z2"; has "$(j)" '"owner":"cat"' "cat's by now"; has "$(j)" "\"credit\":\"$P\"" "the first channel keeps the credit"

# --- a visitor who is nobody's customer is forgotten on request, like one
enrol admin boss; expect 0 as boss -q sync; expect 0 as kio visit checkin --name "Yak-canary" --phone 13900040001; Y=$OUT
all_sync kio desk hq mia; expect 0 as hq privacy erase "$Y" --reason "request 7"; expect 0 as boss --yes privacy confirm "$Y"
all_sync desk hq mia; for u in desk hq mia; do expect 5 as $u visit show "$Y"; done
expect 0 as mia --json account show "$A" --timeline; has "$(j)" "\"id\":\"$V3\"" "a customer's timeline has the visits that were judged to it"

# --- and who is a customer, with what stands for itself and was found to be his
LD=$(as bob lead add --set name="Gnu-lead" --set phone=13900020009 --set source=call_in); expect 0 as bob lead convert "$LD" --into "$A"; all_sync bob mia hq
expect 0 as hq privacy access "$A" -o "$W/copy"; has "$(cat "$W/copy.txt")" "Gnu-lead" "a copy has the lead he was"; has "$(cat "$W/copy.txt")" "Mrs Gnu" "and the visit"
G=$(as bob --json account add --set name="Gnu west" "${ACC[@]}" --set phone_main=13900020003 --set source=call_in | flat | grep -o '"id":"[^"]*"' | head -1 | cut -d'"' -f4)
all_sync bob mia; expect 0 as mia visit checkin --name "Mr Gnu" --phone 13900020003; V4=$OUT; expect 0 as mia --json visit judge "$V4" --confirm; has "$(j)" "\"customer\":\"$G\"" "another one"
all_sync mia hq; expect 0 as hq -q --yes account merge "$G" "$A"; all_sync hq mia bob boss # the one who lost is asked about
expect 0 as hq --json privacy erase "$G" --reason "request 9"; has "$(j)" "\"with\":\[[^]]*\"id\":\"$V4\",\"kind\":\"visit\"" "what was judged to him under his other name"; has "$(j)" "\"with\":\[[^]]*\"id\":\"$V3\",\"kind\":\"visit\",\"state\":\"asked\"" "the visit"; has "$(j)" "\"with\":\[[^]]*\"id\":\"$LD\",\"kind\":\"lead\"" "the lead"
expect 0 as boss --json privacy list; has "$(j)" "\"id\":\"$V3\",[^}]*\"with\":\"$G\"" "whoever confirms sees what goes with him"
expect 0 as hq visit show "$V3"; expect 0 as boss --yes privacy confirm "$G"; all_sync bob mia hq desk
for u in bob mia hq; do expect 5 as $u account show "$A"; expect 5 as $u account show "$G"; for v in "$V3" "$V4"; do expect 5 as $u visit show "$v"; done; expect 5 as $u lead show "$LD"
	OUT=$(as $u search Gnu; as $u --json log; as $u visit list; as $u lead list); hasnt "$OUT" "Gnu" "$u: nothing of them"; done

# --- and so is one whose visit nobody completed: the task of it does not hold his name
expect 0 as desk visit checkin --name "Ibex-canary" --phone 13900050001; I=$OUT; expect 0 as desk rotation serve "$I"; IC=$OUT
all_sync desk "$IC" mia hq; expect 0 as "$IC" rules run --as-of "$(date -u -d "+2 days" +%FT%TZ)"; has "$OUT" "visit_complete.*Ibex-canary" "the run says whom"
all_sync "$IC" mia hq desk boss; expect 0 as "$IC" task list; has "$OUT" "Ibex-canary" "whom to call back"
expect 0 as "$IC" --json task list; has "$(j)" '"subject_title":"Ibex-canary"' "the same for programs"
hasnt "$(j)" '"title":"[^"]*Ibex-canary' "but not in what is kept"
expect 0 as hq privacy erase "$I" --reason "request 8"; expect 0 as boss --yes privacy confirm "$I"; all_sync desk "$IC" mia hq desk "$IC" mia hq
for u in "$IC" mia hq desk boss; do
	for q in "task list --all" "log" "audit log" "search Ibex"; do OUT=$(as $u --json $q 2>&1); hasnt "$OUT" "Ibex-canary" "$u: $q"; done; done

# --- the server comes back from a backup: what the kiosk gave since is on others' devices
cp "$W/server/root.key" "$W/root.key"; expect 0 d backup "$W/before"
expect 0 as kio visit checkin --name "Xerus"; X=$OUT; all_sync kio mia
stop_server -KILL; rm -rf "$W/server"; expect 0 d restore "$W/before" --root-key "$W/root.key"; serve "$PORT"
all_sync kio mia mia; expect 0 as kio visit checkin --name "Wombat"; all_sync kio mia hq
expect 0 as hq visit show "$X"; expect 0 as hq --json visit list --q Wombat; has "$(j)" '"total":1' "and it goes on"

# --- the rest of the company holds together
all_sync $ALL $ALL; for u in $ALL; do expect 0 as $u check; done; expect 0 as kio status --check no-pending
expect 0 d check; expect 0 d audit verify
finish
