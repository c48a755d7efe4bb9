#!/bin/bash
# A lost laptop: the server orders it wiped, it obeys at its next contact whatever
# it was asked to do, and its receipt comes when its keys are gone.
. tests/e2e/lib.sh
server_init; serve; port=$PORT
for u in li wang bo zhao; do d user add $u --name $u --role rep >/dev/null; done
for u in admin li wang bo zhao; do enrol $u; done
number() { d --json device list | flat | grep -oE "\"device\":[0-9]+,\"name\":\"[^\"]*\",\"user\":\"$1\"" | grep -o '[0-9]*' | head -1; }
row() { d --json device show "$1" | flat; }
files() { (cd "$W/r/$1" && ls -A | sort | tr '\n' ' '); }
left="replica.keyring.lock replica.wiped "

# --- ordered, not heard, heard, done
n=$(number li); expect 0 as li account add "${ACC[@]}" --set phone_main=13800000001 --set name=甲公司; expect 0 as li sync
expect 0 as li account add "${ACC[@]}" --set phone_main=13800000002 --set name=乙公司; expect 0 as li backup "$W/li.copy"
expect 0 as li export account -o "$W/li.csv"; [ -s "$W/li.csv" ] && ok || bad "no export"
# killed: an import that reads
lent() { ls /dev/shm | grep -c "^satchel-$(id -u)-$(stat -c %d-%i "$W/r/$1")-"; }
mkfifo "$W/in"; "$SATCHEL" -C "$W/r/li" --passphrase-file "$W/pass" --no-input import - --type account <"$W/in" >/dev/null 2>&1 & pid=$!
exec 9>"$W/in"; echo name >&9; for _ in $(seq 200); do [ "$(lent li)" = 1 ] && break; sleep 0.1; done
kill -9 $pid; wait $pid 2>/dev/null; exec 9>&-; same "$(lent li)" 1 "a killed import leaves what it read in memory"
cp -r "$W/r/li" "$W/r/stolen" # before: what a thief who copies the disk has
expect 2 as admin device revoke "$n" --wipe; has "$ERR" "confirmation" "a name is typed, or --yes"
expect 2 d device revoke "$n" --push-first; has "$ERR" "goes with --wipe" "--push-first alone"
expect 0 as admin --yes --json device revoke "$n" --wipe
has "$(flat <<<"$OUT")" '"wipe":"ordered"' "P-380 ordered"; has "$(row "$n")" '"revoked":true.*"wipe":"ordered".*"wipe_heard":null,"wipe_done":null,"wipe_lost":null' "P-380 ordered, not heard"
expect 0 as li status; expect 0 as li account list; has "$OUT" "乙公司" "without contact nothing happens"
expect 14 as li sync; has "$ERR" "what it held was destroyed" "P-383 why"
same "$(files li)" "$left" "P-383 nothing else is left"; [ -e "$W/li.csv" ] && bad "P-383 the export is there" || ok
same "$(lent li)" 0 "P-383 what a killed import left"
[ -e "$W/li.copy/replica.keyring" ] && bad "P-383 the backup's keys are there" || ok; [ -e "$W/li.copy/replica.db" ] && bad "the backup" || ok
has "$(row "$n")" '"wipe":"done".*"wipe_heard":"20.*"wipe_done":"20.*"wipe_lost":[1-9]' "P-384 its receipt, and what never came"
expect 14 as li account list; has "$ERR" "was destroyed" "P-383 afterwards"; expect 14 as li daemon; expect 14 as li --json status; has "$ERR" '"exit":14' "as JSON"
hasnt "$(cat "$W/r/li/replica.wiped")" "甲公司|li.csv|li.copy" "the note tells nothing"
# what was copied before obeys as well, and asking the server something else is contact enough
expect 14 as stolen sync; same "$(files stolen)" "$left" "P-381 a copy of the folder"

# --- a new beginning in the same folder
expect 0 as li -q init --invite "$(d device invite --user li)"; expect 0 as li account list; has "$OUT" "甲公司" "what was pushed comes back"; hasnt "$OUT" "乙公司" "what was not is gone"

# --- the daemon obeys, too, within its wait
n=$(number wang); "$SATCHEL" -C "$W/r/wang" --passphrase-file "$W/pass" --no-input daemon --foreground >/dev/null 2>"$W/wang.err" & pid=$!
for _ in $(seq 200); do [ -S "$W/r/wang/daemon.sock" ] && as wang --json status 2>/dev/null | flat | grep -q '"state":"live"' && break; sleep 0.1; done
expect 0 d device revoke "$n" --wipe
wait $pid; same $? 14 "P-381 the daemon ends"; has "$(cat "$W/wang.err")" "was destroyed" "and says why"
same "$(files wang | sed 's/daemon.sock //')" "$left" "P-383 by the daemon"; has "$(row "$n")" '"wipe":"done".*"wipe_lost":0' "P-384"

# --- unsent work first
n=$(number bo); expect 0 as bo account add "${ACC[@]}" --set phone_main=13800000003 --set name=丙公司; expect 0 d device revoke "$n" --wipe --push-first
expect 14 as bo sync; same "$(files bo)" "$left" "P-385 wiped all the same"
has "$(row "$n")" '"wipe":"done".*"wipe_lost":0' "P-385 nothing was lost"
expect 0 d --json status; has "$(flat <<<"$OUT")" '"refused_by":\{"device.revoked":1\}' "P-385 its work is kept apart, and merged by nobody"

# --- no network behind the order: keys first, the receipt when it can go
n=$(number zhao); expect 0 d device revoke "$n" --wipe
cp -r "$W/r/zhao" "$W/r/zhao2"; expect 14 as zhao sync; sed -i 's/"reported": true/"reported": false/' "$W/r/zhao/replica.wiped"
code=$(d device invite --user zhao); stop_server; expect 14 as zhao status; expect 8 as zhao init --invite "$code"; has "$ERR" "has not heard" "the note stays until the receipt was taken"
expect 8 as zhao2 sync; [ -e "$W/r/zhao2/replica.keyring" ] && ok || bad "without the server nothing is wiped"
serve "$port"; expect 14 as zhao status; has "$(flat <"$W/r/zhao/replica.wiped")" '"reported":true' "P-384 sent later"
expect 0 as zhao demo seed --accounts 5; expect 0 as zhao status
expect 14 as zhao2 device list; same "$(files zhao2)" "$left" "P-381 a question is contact enough"
expect 0 d check
finish
