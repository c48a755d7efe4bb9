#!/bin/bash
# A change of the template that somebody suggests: judged where it is made,
# carried like any other work, found by headquarters place by place.
. tests/e2e/lib.sh
. tests/e2e/fits.sh
THROUGH_DAEMON=1; server_init; serve
d team add east --name East >/dev/null; d user add li --name Li --role rep --team east >/dev/null; enrol li; d user add hq --name Hq --role hq >/dev/null; enrol hq; as li -q sync
git -c safe.directory='*' clone -q "$W/server/templates.git" "$W/t"; rm -rf "$W/t/.git"; cp -r "$W/t" "$W/same"
sed -i 's|"zh": "联系人"|"zh": "对接人"|' "$W/t/fields/contact.json"
expect 2 as li template propose "$W/t"; has "$ERR" "say why" "a reason"; expect 2 as li template propose; expect 5 as li template propose "$W/nowhere" -m x
expect 6 as li template propose "$W/same" -m x; has "$ERR" "in force already" "no change"
stop_server; expect 0 as li template propose "$W/t" -m "联系人改叫对接人"; I=$OUT; serve "$PORT"; has "$I" '^[0-9a-z]{26}$' "its id, without a network"
expect 0 as li --json template proposals; fits template.proposals "$OUT"; F=$(flat <<<"$OUT"); has "$F" '"doc":"fields/contact.json"' "which document"; has "$F" '"before":"联系人","after":"对接人"' "what would change"
has "$F" "\"template\":\"$(as li --format tsv template log | head -1 | cut -f1)\"" "against which revision"
echo '{' >"$W/t/fields/contact.json"; expect 7 as li template propose "$W/t" -m broken; has "$ERR" "contact" "a broken draft"
expect 0 as li sync; expect 0 as hq sync; expect 0 as hq template proposals; has "$OUT" "联系人改叫对接人" "headquarters has it"; has "$OUT" "$I" "by its id"
expect 0 as hq improvement stage "$I" adopted; expect 0 as hq improvement add --set title=other --set text=words; expect 0 as hq --json template proposals; same "$(grep -c '"title"' <<<"$OUT")" 1 "other suggestions are none"
finish
