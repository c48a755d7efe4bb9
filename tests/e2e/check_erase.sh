#!/bin/bash
# A customer is erased: two people decide, every device follows, and no byte of
# the person is left - in the answers of any program, and (the pages being
# sealed) in what a check of the opened files finds. Chains still verify. A
# laptop that was away brings nothing back, nor does an old backup.
. tests/e2e/lib.sh
server_init; cp "$W/server/root.key" "$W/root.key"
d team add east --name East >/dev/null
for u in hq:hq mia:manager li:rep wang:rep; do d user add "${u%:*}" --name "${u%:*}" --role "${u#*:}" --team east >/dev/null; done
serve; for u in hq mia li wang; do enrol $u; done; enrol admin boss; for u in boss hq mia li wang; do as $u -q sync; done
add() { as "$1" --json account add --set name="$2" "${ACC[@]}" --set phone_main="$3" | flat | grep -o '"id":"[^"]*"' | head -1 | cut -d'"' -f4; }
all_sync() { for u in "$@"; do expect 0 as $u -q sync; done; }
canary() { # USER...: nothing of the person is shown anywhere
	local u; for u in "$@"; do
		for q in "account list --all" "contact list --all" "activity list --all" "log" "audit log" "quarantine list" "moved list" "conflict list" "conflict log" "sync pending"; do
			OUT=$(as $u --json $q 2>&1); hasnt "$OUT" "Quagga|13977777777|okapi-note" "$u: $q"
		done
		expect 5 as $u account show "$X"
	done
}
X=$(add li "Quagga Ltd" 13977777777); Y=$(add li "Zebra Ltd" 13988888888)
expect 0 as li -q contact add "$X" --set name="Quagga Contact" --set phone=13977777777
expect 0 as li -q activity add "$X" --method phone --points "okapi-note one"
all_sync li hq mia
expect 0 d backup "$W/before"
# a displaced value (history), a laptop that edits and stays away
expect 0 as hq -q account edit "$X" --set remark="okapi-note two"; all_sync hq li
enrol li away; expect 0 as away -q sync
expect 0 as away -q account edit "$X" --set remark="okapi-note six"; expect 0 as away -q contact add "$X" --set name="Quagga Second"
expect 0 as li -q account edit "$X" --set remark="okapi-note three"; all_sync li hq mia li

# --- who may, and that it takes two
expect 9 as li privacy erase "$X" --reason "request 12"
expect 2 as hq privacy erase "$X"
expect 0 as hq privacy erase "$X" --reason "request 12"
expect 9 as hq --yes privacy confirm "$X"; has "$ERR" "cannot confirm" "two people"
expect 0 as hq --json privacy list; has "$(flat <<<"$OUT")" '"state":"asked"' "asked"
all_sync hq; expect 0 as hq account show "$X"
# work on it in between, not yet sent
expect 0 as li -q account edit "$X" --set remark="okapi-note four"
expect 0 as li -q activity add "$X" --method phone --points "okapi-note five"
expect 0 as boss --yes privacy confirm "$X"
expect 6 as hq privacy erase "$X" --reason again

# --- devices follow
expect 0 d privacy status; has "$OUT" "pending" "devices have not followed"
mkdir -p "$W/r/mia/spool"; echo kept >"$W/r/mia/spool/0a.file"
all_sync hq mia wang boss
[ -d "$W/r/mia/spool" ] && [ -z "$(ls "$W/r/mia/spool")" ] && ok || bad "what waits in the spool outlives the receipt"
expect 3 as li sync; has "$ERR" "2 of 2" "the author is told"
expect 0 as li -q sync
canary hq mia li wang
for u in hq mia li wang; do expect 0 as $u check; expect 0 as $u audit verify; expect 0 as $u status --check no-pending; done
expect 0 d check; expect 0 d audit verify
has "$(as hq account list --all)" "Zebra Ltd" "the others stay"
expect 0 as li audit log; has "$OUT" "erased.late" "what became of the late work"

# --- the laptop that was away comes back
expect 0 d privacy status; has "$OUT" "pending" "one device is not heard of"
expect 3 as away sync; expect 0 as away -q sync
canary away hq; expect 0 d check; expect 0 as away check; expect 0 as away audit verify
expect 0 d --json privacy status; has "$(flat <<<"$OUT")" '"state":"done"' "every device has followed"

# --- an old backup cannot bring it back: devices hand the ledger over first
stop_server -KILL; rm -rf "$W/server"
expect 0 d restore "$W/before" --root-key "$W/root.key"; serve "$PORT"
expect 0 d privacy status; hasnt "$OUT" "request 12" "the backup does not know it"
all_sync hq; expect 0 d privacy status; has "$OUT" "request 12" "headquarters told it"
all_sync mia wang hq; as li -q sync >/dev/null 2>&1; expect 0 as li -q sync
canary hq mia wang li; expect 0 d check; for u in hq mia li; do expect 0 as $u check; done
has "$(as hq account list --all)" "Zebra Ltd" "the others stay"
# and the console, for the other customer
expect 9 d privacy erase "$Y" --reason "request 13" --by hq --second hq
expect 0 d privacy erase "$Y" --reason "request 13" --by hq --second admin
all_sync hq li; hasnt "$(as li account list --all)" "Zebra" "erased from the console"
expect 0 d check; expect 0 as li check

# --- two customers that were merged are one person
M1=$(add li "Quagga East" 13966666666); all_sync li hq; M2=$(add li "Quagga West" 13966666667); all_sync li hq
expect 0 as li -q activity add "$M1" --method phone --points "okapi-note seven"; all_sync li hq
expect 0 as hq -q --yes account merge "$M1" "$M2"; all_sync hq li mia
expect 6 as boss --yes privacy confirm "$M1"; has "$ERR" "satchel sync" "boss has not followed the restore"; all_sync boss
expect 0 as hq privacy erase "$M1" --reason "request 14"; expect 0 as boss --yes privacy confirm "$M1"
all_sync hq mia wang li; X=$M1 canary hq mia li; X=$M2 canary hq mia li
expect 0 d check; for u in hq li mia; do expect 0 as $u check; done

# --- taken apart again, and not sent yet: the other one is another person
for how in direct daemon; do PH=1396000$([ $how = direct ] && echo 1 || echo 2)
	N1=$(add li "Tapir East $how" ${PH}001); all_sync li hq; N2=$(add li "Tapir West $how" ${PH}002); all_sync li hq
	expect 0 as hq -q --yes account merge "$N2" "$N1"; all_sync hq li boss
	[ $how = direct ] || { as hq daemon --no-sync >/dev/null 2>"$W/err" || bad "no daemon: $(cat "$W/err")"; sed -n 's/.*process \([0-9]*\)$/\1/p' "$W/err" >"$W/r/hq/daemon.pid"; }
	expect 0 as hq account unmerge "$N2"; expect 20 as hq status --check no-pending
	expect 0 as hq privacy erase "$N2" --reason "request 15"
	expect 0 as boss --yes privacy confirm "$N2"; [ $how = direct ] || stop_daemon "$W/r/hq"
	all_sync hq li; for u in hq li; do expect 0 as $u account show "$N1"; expect 5 as $u account show "$N2"; expect 0 as $u check; done
done
finish
