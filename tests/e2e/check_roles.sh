#!/bin/bash
# Who may do what: every role and action of the matrix, asked through the
# interface; phones that are masked for those who do not hold them, in every
# answer; a phone shown once, with a reason, and who comes to know of it.
. tests/e2e/lib.sh
server_init; d team add east --name East >/dev/null; d team add west --name West >/dev/null
for u in mia:manager:east li:rep:east wang:rep:west kio:kiosk:east desk:receptionist:east exp:expert:east; do
	IFS=: read -r k r t <<<"$u"; expect 0 d user add "$k" --name "$k" --role "$r" --team "$t"; done
for u in hq:hq ser:service mar:marketing aud:auditor; do expect 0 d user add "${u%:*}" --name "${u%:*}" --role "${u#*:}"; done
expect 7 d user add x --name x --role porter; has "$ERR" "service, marketing, auditor" "the roles are named"
ALL="mia li wang kio desk exp hq ser mar aud boss"
serve; for u in $ALL; do [ $u = boss ] && enrol admin boss || enrol $u; done
all_sync() { for u in "$@"; do as $u -q sync || bad "sync of $u"; done; }
j() { flat <<<"$OUT"; }
add() { as "$1" account add --set name="$2" "${ACC[@]}" --set phone_main="$3"; }
all_sync $ALL
A=$(add li "Quagga Ltd" 13912345678); Z=$(add wang "Okapi Ltd" 13987654321)
expect 0 as li contact add "$A" --set name=Zhang --set phone=13712345678; C=$OUT
expect 0 as li opportunity add "$A" --set name=deal --set amount=500
all_sync li wang $ALL

# --- who holds what, and what he is shown: count of customers, phone of the first
sees() { # USER TOTAL PHONE
	same "$(total "$1" account)" "$2" "$1 sees"
	[ "$2" = 0 ] || { expect 0 as "$1" --json account show "$A"; has "$(j)" "\"phone_main\":\"$3\"" "$1's phone"; }
}
sees li 1 '\+8613912345678'; sees mia 1 '\+8613912345678'; sees hq 2 '\+8613912345678'
for u in ser mar aud; do sees $u 2 '\*\*\*5678'; done
same "$(total exp account)" 0 "an expert without a task"
expect 5 as wang account show "$A"
for u in kio boss desk; do expect 9 as $u account list; done
for u in ser mar aud; do
	for q in "account list" "contact list" "account history $A" "account timeline $A" "contact show $C" "search 13912345678" "search Quagga" "search 5678" "log" "audit log" "conflict list" "conflict log" "moved list" "dedupe list" "opportunity list"; do
		OUT=$(as $u --json $q 2>&1); hasnt "$OUT" "1391234567|1371234567|1398765432" "$u: $q"; done
	# not found by trying, nor put in order
	expect 9 as $u account list --where "phone_main=13912345678"; expect 9 as $u account list --sort phone_main
	expect 9 as $u contact list --where "phone~1371"; expect 0 as $u account list --where "name~Quagga"
done

# --- every role and action: 0 may, 9 may not; the order of $WHO
WHO="li mia exp ser mar kio desk aud hq boss"
matrix() { # NAME "CODE..." words...; @ stands for the user
	local name=$1 u want codes; read -ra codes <<<"$2"; shift 2
	for u in $WHO; do
		want=${codes[0]}; codes=("${codes[@]:1}")
		expect "$want" as "$u" -q "${@//@/$u}"; [ "$want" = 9 ] && has "$ERR" "may not|denied|masked" "$name: $u"
	done
}
#                          li mia exp ser mar kio desk aud hq boss
matrix view_account       "0  0   0   0   0   9   9    0   0  9" account list
matrix view_contact       "0  0   0   0   0   9   9    0   0  9" contact list
matrix create_account     "0  0   9   9   9   9   9    9   0  9" account add --set name=New-@ "${ACC[@]}" --set phone_main=13300000000 --allow-duplicate test
matrix create_lead        "0  0   9   9   0   9   9    9   0  9" lead add --set name=lead-@
matrix create_campaign    "9  9   9   9   0   9   9    9   0  9" campaign add --set name=Fair-@
matrix create_visit       "0  0   0   9   9   0   0    9   0  9" visit checkin --name V-@ --phone 13500000009 --consent
matrix export             "0  0   9   9   0   9   9    9   0  9" export account -o "$W/out.csv" --reason test
matrix report             "0  0   0   0   0   9   9    0   0  9" report list
matrix reveal_stranger    "0  0   5   9   9   5   5    0   0  5" account reveal "$A" --reason "call back"
matrix template_view      "0  0   0   0   0   9   0    0   0  0" template log
matrix conflicts          "0  0   0   0   0   0   0    0   0  0" conflict list
for u in ser mar aud; do
	expect 9 as $u account edit "$A" --set remark=x; expect 9 as $u account edit "$A" --set phone_main=13900000000
	expect 9 as $u --yes account delete "$A"; expect 9 as $u account assign "$A" --to wang;
	expect 9 as $u account merge "$A" "$Z"; expect 9 as $u account stage "$A" need_confirmed; expect 9 as $u contact add "$A" --set name=x
	expect 9 as $u opportunity add "$A" --set name=x
done
expect 9 as aud ticket add "$A" --set ticket_kind=complaint --set subject=s; expect 9 as mar ticket add "$A" --set ticket_kind=complaint --set subject=s

# --- a phone, with a reason: auditors any, service only while a ticket is open
expect 2 as aud account reveal "$A"; has "$ERR" "reason" "a reason is asked for"
expect 0 as aud --json account reveal "$A" --field phone_main --reason "complaint 17"; has "$(j)" '"value":"\+8613912345678"' "shown"
expect 2 as aud account reveal "$A" --field name --reason "complaint 17"; expect 5 as aud account reveal "$A" --field nosuch --reason "complaint 17"
expect 0 as aud contact reveal "$C" --reason "complaint 17"; has "$OUT" "13712345678" "a contact's"
expect 0 as aud --json account show "$A"; has "$(j)" '"phone_main":"\*\*\*5678"' "masked again at once"
expect 0 as ser ticket add "$A" --set ticket_kind=complaint --set subject=noise --set handler=ser; T=$OUT
expect 0 as ser account reveal "$A" --reason "ticket noise"; has "$OUT" "13912345678" "while the ticket is open"
expect 9 as ser account reveal "$Z" --reason "ticket noise"
expect 0 as ser ticket stage "$T" resolved; expect 9 as ser account reveal "$A" --reason "ticket noise"
expect 9 as mar account reveal "$A" --reason "campaign"
for u in aud ser; do expect 0 as $u audit log; has "$OUT" "reveal" "$u's chain"; hasnt "$OUT" "1391234567" "without the value"; expect 0 as $u audit verify; done
expect 0 as aud --json audit log --since 2000-01-01; has "$(j)" '"action":"reveal","detail":"kind=account' "since"
# --- marketing takes out whom a consent covers, until it is withdrawn
rows() { grep -c "Ltd" "$W/mar.csv"; }
expect 0 as mar export account -o "$W/mar.csv" --reason fair; same "$(rows)" 0 "no consent, no row"
expect 0 as ser consent add "$A" --set purpose=marketing --set text_version=v1; K=$OUT; expect 0 as ser consent add "$Z" --set purpose=service --set text_version=v1
all_sync ser mar; expect 0 as mar export account -o "$W/mar.csv" --reason fair; same "$(rows)" 1 "one consents"
has "$(cat "$W/mar.csv")" "\*\*\*5678" "what leaves is masked"; hasnt "$(cat "$W/mar.csv")" "1391234567|1398765432|Okapi" "and not in the clear"
expect 0 as ser consent edit "$K" --set withdrawn=1; all_sync ser mar
expect 0 as mar export account -o "$W/mar.csv" --reason fair; same "$(rows)" 0 "withdrawn"
expect 0 as mar export campaign -o "$W/c.csv" --reason fair; has "$(cat "$W/c.csv")" "Fair-mar" "no person in it"
# --- what a person may ask for
expect 9 as aud privacy access "$A" -o "$W/copy"; expect 9 as ser privacy access "$A" -o "$W/copy"; has "$ERR" "masked" "half a copy is none"
expect 2 as li privacy access "$A"; expect 2 as li privacy access "$A" -o -
expect 9 as mar privacy correct "$A" --note "new address"; expect 2 as li privacy correct "$A"
expect 0 as li privacy access "$A" -o "$W/copy" --note "letter 4"; [ "$(stat -c %a "$W/copy")" = 600 ] && ok || bad "the copy is open to others"
for f in copy copy.txt; do has "$(cat "$W/$f")" "13912345678" "$f: the customer"; has "$(cat "$W/$f")" "13712345678" "$f: the contact"; has "$(cat "$W/$f")" "deal" "$f: the deal"; hasnt "$(cat "$W/$f")" "Okapi|13987654321" "$f: nobody else"; done
has "$(flat <"$W/copy")" '"history":\{"schema":"satchel/history/1"' "with its history"
expect 0 as li privacy correct "$A" --note "moved" --set address="1 New Road"; expect 0 as li account show "$A"; has "$OUT" "1 New Road" "corrected"
expect 0 as ser privacy correct "$A" --note "wrong name"; R=$OUT; all_sync li ser hq li
for u in li ser hq aud; do as $u -q sync; expect 0 as $u --json privacy requests; has "$(j)" '"note":"wrongname"' "$u: the request"; has "$(j)" '"overdue":false' "$u: in time"; done
expect 0 as li --json privacy list; has "$(j)" '"due_at":"20' "due"
expect 0 as li privacy answer "$R" --outcome "is right as it is" --refuse; expect 0 as li --json privacy requests; has "$(j)" '"state":"refused"' "answered"; has "$(j)" '"answered_by":"li"' "by whom"
expect 0 as li audit log; has "$OUT" "privacy.access" "logged"
expect 0 as li --json privacy due; has "$(j)" '"data":\[\]' "nothing is kept too long"
expect 0 as li lead add --set name=Dusty --set state=invalid --set invalid_reason=other --set created_at=2020-01-01T00:00:00Z; L=$OUT
expect 0 as li --json privacy due; has "$(j)" "\"class\":\"lead_invalid\".*$L" "kept too long"
# --- whoever looks after the customer comes to know, and nobody can take it back
all_sync aud ser li mia hq aud ser
for u in li mia hq; do expect 0 as $u --json disclosure list; has "$(j)" '"reason":"complaint17"' "$u knows"; has "$(j)" '"revealed_by":"ser"' "and of the ticket"; done
for u in aud ser mar hq mia; do expect 0 as $u check; done
D=$(as hq --json disclosure list | flat | grep -o '"id":"[^"]*"' | head -1 | cut -d'"' -f4)
for u in hq mia aud li; do OUT=$(as $u disclosure delete "$D" 2>&1) && bad "$u deleted it" || ok; done
for u in $ALL; do OUT=$(as $u --json sync log); hasnt "$OUT" "denied" "$u: the server refused nothing"; done
finish
