#!/bin/bash
# What is kept longer than the policy says is erased: shown first, confirmed,
# by two people, never what is held; the ledger says on which ground.
. tests/e2e/lib.sh
server_init
d team add east --name East >/dev/null
for u in hq:hq bea:hq li:rep; do d user add "${u%:*}" --name "${u%:*}" --role "${u#*:}" --team east >/dev/null; done
serve; for u in hq bea li; do enrol $u; done; enrol admin boss
j() { flat <<<"$OUT"; }
all_sync() { for u in "$@"; do expect 0 as $u -q sync; done; }
all_sync hq bea li boss
lead() { as li lead add --set name="$1" --set state=invalid --set invalid_reason=other --set created_at="$2"; }
OLD=$(lead Okapi 2020-01-01T00:00:00Z); HELD=$(lead Quagga 2020-01-01T00:00:00Z); NEW=$(as li lead add --set name=Zebra)
A=$(as li account add --set name="Lost Ltd" "${ACC[@]}" --set phone_main=13812345678 --set status=lost --set lost_reason=price)
expect 0 as li lead edit "$HELD" --set legal_hold="suit 7"
all_sync li hq bea

# --- who is asked, and what is shown before
expect 9 as li privacy retention
expect 0 as hq --json privacy retention; P=$(j)
has "$P" "\"id\":\"$OLD\"[^}]*\"state\":\"due\"" "due"; has "$P" "\"hold\":true[^}]*\"id\":\"$HELD\"[^}]*\"state\":\"hold\"" "held"
hasnt "$P" "$NEW|$A" "not in its time"
expect 2 as hq privacy retention run; has "$ERR" "confirmation" "not without being asked"
expect 2 as hq privacy retention walk
expect 0 as hq --json privacy retention; same "$(j)" "$P" "nothing was done"

# --- one asks, the other confirms
expect 0 as hq --yes --json privacy retention run; has "$(j)" "\"data\":\[\{\"id\":\"$OLD\",\"state\":\"asked\"\}\]" "one is asked for"
expect 0 as hq --yes --json privacy retention run; has "$(j)" '"data":\[\]' "who asked cannot confirm"
all_sync hq; expect 0 as hq lead show "$OLD"
expect 0 as bea --json privacy retention; has "$(j)" "\"id\":\"$OLD\"[^}]*\"state\":\"confirm\"" "waits for a second"
expect 0 as boss --json privacy retention; has "$(j)" '"class":"lead_invalid","retention_d":365[^}]*"state":"confirm"' "an administrator sees it too"
expect 0 as bea --yes privacy retention run; has "$OUT$ERR" "0 asked for, 1 erased, 1 held" "what was done"
all_sync hq bea li
for u in hq bea li; do expect 5 as $u lead show "$OLD"; expect 0 as $u lead show "$HELD"; expect 0 as $u lead show "$NEW"; done
expect 0 as hq --json privacy list; has "$(j)" "\"id\":\"$OLD\",\"state\":\"(done|pending)\"[^}]*\"by\":\"hq\",\"second\":\"bea\",\"reason\":\"retentionlead_invalid365\"" "the ledger"
expect 0 as bea audit log; has "$OUT" "privacy.retention" "logged"
# --- a hold is against every way, until it is cleared
expect 6 as hq privacy erase "$HELD" --reason "request 3"; has "$ERR" "legal_hold" "held"
expect 6 d privacy erase "$HELD" --reason "request 3" --by hq --second admin
expect 0 as hq lead edit "$HELD" --set legal_hold=; all_sync hq li bea
expect 0 as hq --yes privacy retention run
# put on again between the two: what was asked for waits
expect 0 as li lead edit "$HELD" --set legal_hold="suit 8"; all_sync li
expect 6 as boss --yes privacy retention run; has "$ERR" "legal_hold" "P-350 the server knows of the hold"
expect 0 as li lead edit "$HELD" --set legal_hold=; all_sync li bea boss
expect 0 as boss --yes --json privacy retention run; has "$(j)" "\"id\":\"$HELD\",\"state\":\"erased\"" "an administrator confirms"
all_sync hq bea li; expect 5 as li lead show "$HELD"
# through a daemon, where each question is asked aside
OLD=$(lead Dodo 2020-01-01T00:00:00Z); all_sync li hq bea
THROUGH_DAEMON=1 expect 0 as hq --yes --json privacy retention run; has "$(j)" "\"id\":\"$OLD\",\"state\":\"asked\"" "through a daemon"
for u in hq bea li; do expect 0 as $u check; done; expect 0 d check
finish
