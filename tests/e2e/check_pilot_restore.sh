#!/bin/bash
# A team tries a template, and the server is lost with it: it comes back from a
# backup made before the pilot. What a device of the pilot brings back is a pilot
# again, with its ring, and not everybody's (P-321); what had gone to all is.
. tests/e2e/lib.sh
server_init; mkdir "$W/safe"; mv "$W/server/root.key" "$W/safe/"; serve
for t in east west; do d team add $t --name $t >/dev/null; done
d user add li --name Li --role rep --team east >/dev/null; d user add wu --name Wu --role rep --team west >/dev/null
for u in li wu; do enrol $u; expect 0 as $u -q sync; done
G="git -c safe.directory=* -c advice.detachedHead=false"
expect 0 $G clone -q "$W/server/templates.git" "$W/t"; T=$W/t; rm -rf "$T/.git"
field() { sed -i 's|^    {"id": 2, "key": "name"|    {"id": '"$1"', "key": "'"$2"'", "label": {"zh": "字段'"$1"'", "en": "Field '"$1"'"}, "type": "text", "max_len": 60},\n&|' "$T/fields/account.json"; }
rev() { d --json template status | flat | grep -o "\"$1\":\"[0-9a-f]*\"" | cut -d'"' -f4; }
state() { d --json template status | flat | grep -o "{[^{}]*\"user\":\"$1\"[^{}]*}"; }
back() { stop_server -KILL; rm -rf "$W/server"; expect 0 d restore "$1" --root-key "$W/safe/root.key"; serve "$PORT"; }

expect 0 d backup "$W/safe/first"
field 900 for_all; expect 0 d template publish "$T" -m "a field for all"; all=$(rev published)
field 901 tried; expect 0 d template publish "$T" -m "a field some try" --canary east; pilot=$(rev canary)
for u in li wu li; do expect 0 as $u -q sync; done
expect 0 as li account add --set name=甲公司 "${ACC[@]}" --set phone_main=13812345678 --set tried=yes; expect 0 as li -q sync

back "$W/safe/first"; [ "$(rev published)" = "$all" ] && bad "the backup has it already"
expect 0 as li -q sync
same "$(rev published)" "$all" "what had gone to all is for all"; same "$(rev canary)" "$pilot" "what was tried is tried"
has "$(state li)" '"ring":true' "li's team tries it"; has "$(state wu)" '"ring":false' "wu's does not"
expect 0 as wu -q sync; expect 0 as wu schema account; has "$OUT" "for_all" "wu has the one"; hasnt "$OUT" "tried" "and not the other"
expect 0 as li account list --fields name,tried; has "$OUT" "yes" "what was written in it is there"

# ---- given to all before the next loss: then it is everybody's again ---------------------
expect 0 d backup "$W/safe/second"; expect 0 d template publish canary; all=$(rev published)
for u in li wu; do expect 0 as $u -q sync; done
back "$W/safe/second"; expect 0 as wu -q sync
same "$(rev published)" "$all" "given to all is for all"; same "$(rev canary)" "" "no pilot is left"
expect 0 d template verify
finish
