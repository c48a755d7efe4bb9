#!/bin/bash
# Command lines as people type them: lists piped into verbs, -0, tags with a
# minus, other names of a verb, filters of a report that are judged, positions of
# the log, QR codes, and what is said about words that are wrong.
. tests/e2e/lib.sh
server_init; serve; d team add east --name East >/dev/null
d user add ann --name Ann --role rep --team east >/dev/null; d user add ben --name Ben --role rep --team east >/dev/null; d user add boss --name Boss --role hq --team east >/dev/null
enrol ann; enrol boss; enrol admin
for i in 1 2 3; do as ann account add --set name="Fuzhou Works $i" --set phone_main=1381234567$i "${ACC[@]}" >/dev/null; done
as ann -q sync; as boss -q sync; as admin -q sync
j() { flat <<<"$OUT"; }

# ---- many at once ------------------------------------------------------------------------
list() { as boss account list --fields id,name "$@"; }
same "$(list -0 | tr -cd '\0' | wc -c)" 3 "-0: a NUL behind each row"
same "$(list -0 | tr -cd '\n' | wc -c)" 0 "and no newline"
list | as boss account assign - --to ben >/dev/null; same "${PIPESTATUS[1]}" 0 "a list piped into assign, without a daemon"
same "$(total boss account --owner ben)" 3 "all of it was given"
list --limit 2 -0 | as boss account assign - -0 --to ann >/dev/null; same "${PIPESTATUS[1]}" 0 "with NULs"
same "$(total boss account --owner ann)" 2 "two were given back"
printf 'nonsense-id\n' | as boss account assign - --to ann 2>/dev/null; same "${PIPESTATUS[1]}" 5 "an id that is none"
as boss account assign - --to ann </dev/null; same $? 0 "nothing to do"

# ---- words of the lists in the manual -------------------------------------------------------
I=$(list --limit 1 --fields id)
expect 0 as boss account tag "$I" +north +vip +old; expect 0 as boss account tag "$I" -vip +new -old
expect 0 as boss --json account show "$I"; has "$(j)" '"tags":\["new","north"\]|"tags":\["north","new"\]' "-TAG takes one out"
expect 0 as boss -q account tag "$I" ~new; expect 2 as boss account tag "$I"; expect 2 as boss account tag "$I" north
expect 0 as ann follow add "$I" --method phone --points one; F=$OUT; expect 0 as ann follow amend "$F" --points two
expect 0 as ann --json follow list --account "$I"; has "$OUT" "activity.list" "follow is activity"; expect 0 as ann follow show "$F"
O=$(as boss order add "$I" --set ordered_at=2026-11-01 --set product=x --set qty=1 --set amount=100 2>/dev/null) || O=$(as boss order add "$I" --set ordered_at=2026-11-01 --set amount=100)
expect 7 as boss order edit "$O" --set amount=200; has "$ERR" "never changes" "the template says an order stays as it is"
expect 2 as boss role add x; has "$ERR" "acl/matrix.json" "roles are a document"
expect 0 as boss --json report show won --param owner=ann --param team=east; has "$(j)" '"params":\["owner=ann","team=east"\]' "filters are judged and shown"
expect 2 as boss report show won --param nonsense=1; has "$ERR" "cannot be filtered" "a filter it does not know"
expect 5 as boss report show nonsense

# ---- positions of the log -------------------------------------------------------------------
as ann -q sync; as ann account edit "$I" --set remark=late >/dev/null
expect 0 as ann --json audit verify; all=$(j | grep -o '"commits":[0-9]*' | cut -d: -f2)
expect 0 as ann --json audit verify --from 1000000; has "$(j)" '"commits":1,' "only what waits has no position"; [ "$all" -ge 2 ] && ok || bad "$all commits in all"
expect 0 as ann --json audit verify --entry 2; expect 2 as ann audit verify --entry 0; expect 2 as ann audit verify --from -1; expect 2 as ann audit verify --from x

# ---- an invitation as a picture --------------------------------------------------------------
expect 0 as admin device invite --user ben --qr; has "$(head -1 <<<"$OUT")" '^satchel1\.' "the text first"; has "$OUT" '█' "and drawn"
expect 0 as admin --json device invite --user ben --qr; hasnt "$OUT" '█' "not into JSON"

# ---- a device by its id, and the words of the server ---------------------------------------
K=$(as ann --json status | flat | grep -o '"device":"[^"]*"' | cut -d'"' -f4); N=$(d device list | grep "	$K" | cut -f1)
expect 0 d --json device show "${K:0:6}"; has "$(j)" "\"device\":$N," "the beginning of its id"
expect 0 d device rename "$K" --name Tablet; has "$(d device show "$N")" "Tablet" "in every verb"
expect 5 d device show ffffffffffff; expect 0 as admin device show "${K:0:8}"; has "$OUT" "Tablet" "from a client, too"
expect 6 d device invite --user ben --role hq; has "$ERR" "has the role rep" "the role is a check, not a wish"; expect 0 d device invite --user ben --role rep
expect 0 d --format json status; has "$OUT" '"schema": "satcheld/status/1"' "--format json"; expect 0 d --format=json user list; has "$OUT" '"schema"' "with ="
expect 0 d -q --no-input --no-pager --color never -y user disable ben; has "$(d user show ben)" "yes" "global words are taken"; expect 0 d --yes user enable ben
for o in -P --profile --home -C --lang; do expect 2 "$SATCHEL" $o; has "$ERR" "needs a value" "$o at the end"; done
expect 2 d --json status --nonsense; has "$ERR" '"exit":2' "an error in JSON"

# ---- words that are wrong --------------------------------------------------------------------
expect 2 as ann acount list --stage won; has "$ERR" "unknown command acount" "the command first, not its options"; has "$ERR" "did you mean account" "what was meant"
expect 2 as ann account lst --stage won; has "$ERR" "did you mean list" "a verb, too"
expect 2 as ann account frobnicate; has "$ERR" "satchel help account" "where the verbs are listed"
expect 2 as ann account add name=Works; has "$ERR" "--set" "a field without --set"; expect 7 as ann account add --set name=Works; has "$ERR" "satchel help account add" "where an example is"
expect 7 as ann account edit "$I" --set grade=Z; has "$ERR" "satchel dict grade" "where the options are"; expect 2 as ann account list --owner nobody; has "$ERR" "satchel user list" "and the people"
expect 2 as ann account list --stage nowhere; has "$ERR" "satchel dict stage" "and the stages"; expect 5 as ann account show nobody; has "$ERR" "satchel search" "how a record is found"
expect 5 as ann report run nonsense; has "$ERR" "satchel report list" "which reports there are"; echo "a,b" >"$W/x.csv"; expect 7 as boss import "$W/x.csv"; has "$ERR" "no field of account" "customers, when nobody says"
expect 2 as ann account list --as-of whenever; hasnt "$ERR" "--since" "the option that was given"; expect 2 as ann report run won --format pdf; has "$ERR" "xlsx" "formats of a report"
expect 2 as ann account --stage won; has "$ERR" "needs a verb" "a noun alone"
finish
