#!/bin/bash
# The disaster drill, and the operator's manual at once: the server's disk is
# lost. From an older backup, and from nothing but a kit, everything that was
# acknowledged comes back, also what a laptop that died with the server wrote.
. tests/e2e/lib.sh
server_init; mkdir "$W/safe"; mv "$W/server/root.key" "$W/safe/"
d team add east --name East >/dev/null
for u in hq:hq mia:manager li:rep wang:rep; do d user add "${u%:*}" --name "${u%:*}" --role "${u#*:}" --team east >/dev/null; done
serve; for u in hq mia li wang; do enrol $u; as $u -q sync; done
add() { as "$1" --json account add --set name="$2" "${ACC[@]}" --set phone_main="$3" | flat | grep -o '"id":"[^"]*"' | head -1 | cut -d'"' -f4; }
list() { as "$1" --format tsv account list --all --sort name --fields name,phone_main,stage,remark,tags,owner 2>&1; }
all_sync() { for u in "$@"; do expect 0 as $u -q sync; done; }
destroy() { stop_server -KILL; rm -rf "$W/server"; }
back() { # BACKUP [options]: restore it and serve at the old address
	expect 0 d restore "$1" --root-key "$W/safe/root.key" "${@:2}"; serve "$PORT"
}

# --- work, a kit, a backup, more work; all of it acknowledged
A1=$(add li "Li One" 13900000001); B1=$(add wang "Wang One" 13900000002)
for i in $(seq 20); do add li "Li old $i" 1380000$((1000 + i)) >/dev/null; done
all_sync li wang mia hq li
expect 0 d kit "$W/safe/kit"; expect 0 d backup "$W/safe/backup"
A2=$(add li "Li Two" 13900000003); B2=$(add wang "Wang Two" 13900000004)
expect 0 as li -q account edit "$A1" --set remark="after the backup"
expect 0 as wang -q activity add "$B2" --method phone --points "call after the backup"
expect 0 as wang -q account edit "$B1" --set remark="by a laptop that dies"
all_sync li wang hq mia
expect 0 as hq -q account edit "$A1" --set phone_main=13911111111; expect 0 as hq -q account edit "$B2" --set remark="hq knows"
all_sync hq li wang mia hq
want_hq=$(list hq); want_li=$(list li)
A3=$(add li "Li offline" 13900000005) # never sent
echo "  $(wc -l <<<"$want_hq") customers at headquarters"

# --- the backup put back by hand is not believed
destroy; cp -r "$W/safe/backup" "$W/server"; git init -q --bare "$W/server/templates.git" 2>/dev/null
rm -rf "$W/server"; expect 0 d restore "$W/safe/backup" --same-epoch; serve "$PORT"
expect 12 as hq sync; has "$ERR" "not the one this device knows" "an old server"
expect 0 as hq check; same "$(list hq)" "$want_hq" "nothing changed"
destroy

# --- a restore needs the root key
expect 2 d restore "$W/safe/backup"; [ -e "$W/server/server.db" ] && bad "a server was left behind"
rm -rf "$W/server"; rm -rf "$W/r/wang"
back "$W/safe/backup"
all_sync li hq mia hq li mia
same "$(list hq | grep -v 'Li offline')" "$want_hq" "headquarters after the restore"
same "$(list li | grep -v 'Li offline')" "$want_li" "the author after the restore"
has "$(list hq)" "Li offline" "work that had not been sent"
expect 0 as hq activity list --account "$B2"; has "$OUT" "call after the backup" "a dead laptop's visit"
for u in hq li mia; do expect 0 as $u check; done
for u in hq li mia; do expect 0 as $u status --check no-pending; expect 0 as $u status --check no-conflicts; done
expect 0 d check
expect 0 d audit gaps; has "$OUT" "wang" "whose commits are missing"; hasnt "$OUT" "li	" "whose are not"
expect 0 d --json status; has "$OUT" '"epoch"' "the epoch"
# life goes on: edits, new devices, the next backup
expect 0 as li -q account edit "$A1" --set remark="new life"; all_sync li hq
has "$(list hq)" "new life" "an edit in the new epoch"
enrol li li2; expect 0 as li2 -q sync; same "$(list li2)" "$(list li)" "a new device"
expect 0 d backup "$W/safe/backup2"; expect 0 d kit "$W/safe/kit2"; all_sync hq li mia
want_hq=$(list hq); want_li=$(list li); want_mia=$(list mia)
echo "  restored from a backup: $SECONDS s"

# --- and without any backup: a kit, and headquarters
# (a kit from before the first loss begins below what devices have seen)
destroy; back "$W/safe/kit"
expect 12 as hq sync; has "$ERR" "larger --skip" "a kit that is too old"; expect 0 as hq check
destroy; back "$W/safe/kit2"
all_sync hq li mia li2 hq li mia
same "$(list hq)" "$want_hq" "headquarters gave all back"
same "$(list li)" "$want_li" "the author"; same "$(list mia)" "$want_mia" "the manager"
for u in hq li mia; do expect 0 as $u check; expect 0 as $u status --check no-pending; expect 0 as $u status --check no-conflicts; done
expect 0 d check; expect 0 d audit gaps; has "$OUT" "only as states" "what is left as states"
expect 0 as li -q account edit "$A2" --set remark="third life"; all_sync li hq
has "$(list hq)" "third life" "an edit in the third epoch"
expect 0 d check
finish
