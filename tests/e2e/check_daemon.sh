#!/bin/bash
# satchel daemon: the same words give the same bytes with one and without; live
# sync works beside; lock, passphrase, SIGTERM, kill -9, Ctrl-C. At the end the
# whole of check_cli.sh once more, through daemons.
. tests/e2e/lib.sh
. tests/e2e/fits.sh
start_daemon() { # user options...
	local u=$1; shift
	as "$u" daemon "$@" >/dev/null 2>"$W/err" || { bad "no daemon for $u: $(cat "$W/err")"; return; }
	sed -n 's/.*process \([0-9]*\)$/\1/p' "$W/err" >"$W/r/$u/daemon.pid"
}
server_init; serve
d team add east --name East >/dev/null
for u in li:rep:east boss:manager:east; do
	IFS=: read -r k r t <<<"$u"; d user add "$k" --name "$k" --role "$r" --team "$t" >/dev/null; enrol "$k"
done
for i in 1 2 3; do as li account add --set name="公司$i" "${ACC[@]}" --set phone_main=1381234567$i >"$W/id"; done
A=$(cat "$W/id"); as li contact add "$A" --set name=王强 >/dev/null
as li activity add "$A" --method phone --points "询价" >/dev/null; as li -q sync
expect 0 as li account edit "$A" --set remark=等着

# --- the same bytes
transcript() {
	while IFS= read -r line; do
		eval "set -- $line"; echo "== $line"
		as li "$@" 2>&1; echo "exit $?"
	done <<-'END'
		account list
		--json account list --limit 2
		--format csv account list --fields name,phone_main
		--format table account list
		--lang zh --format table account show "$A" --timeline
		account show "$A" --history all
		--json account show "$A" --labels
		account show nosuch
		--json account show nosuch
		account add --set name=only
		--json account add --set name=only
		account edit "$A" --set nosuch=1
		account list --where "name~公司 and stage=first_contact"
		account list --where "nosuch=1"
		status --check no-pending
		sync pending
		--json sync pending
		conflict list
		inbox
		log --limit 3
		log "$A"
		report list
		report run new-customers --period all
		--json report run new-customers --param owner=li --period all
		schema account
		dict stage
		user list
		template show fields/account
		template verify
		check --quick
		export account -o -
		--format jsonl export account --where "name~公司1"
		export account -o exported.csv
		import exported.csv --type account --dry-run
		--json import nosuch.csv --type account
		api GET /v1/moved
		api GET /v1/nosuch
		frobnicate
		account stage "$A" after_sales
	END
	cat exported.csv; rm -f exported.csv
}
mkdir -p "$W/here"; export A
cd "$W/here" || exit 1
cp -a "$W/r/li" "$W/li.before" # an export leaves a record
transcript | sed -E 's/"seconds": ?[0-9.]+//; s/"batch": ?"[^"]*"//; s/^(batch|seconds)\t.*//; s/"as_of": ?"[^"]*"//' >"$W/without"
rm -rf "$W/r/li"; mv "$W/li.before" "$W/r/li"
start_daemon li --no-sync --no-timer
transcript | sed -E 's/"seconds": ?[0-9.]+//; s/"batch": ?"[^"]*"//; s/^(batch|seconds)\t.*//; s/"as_of": ?"[^"]*"//' >"$W/with"
cd "$OLDPWD" || exit 1
if cmp -s "$W/without" "$W/with"; then ok; else bad "a daemon answers otherwise"; diff "$W/without" "$W/with" | head -20; fi
[ "$(grep -c '^exit 0' "$W/with")" -gt 20 ] && ok || bad "the transcript is mostly failures"
same "$(stat -c %a "$W/r/li/daemon.sock")" 600 "mode of the socket"
expect 11 as li daemon; has "$ERR" "runs already" "a second daemon"

# --- writing through it; nothing goes out unasked with --no-sync
expect 0 as li account edit "$A" --set remark=下周
expect 20 as li status --check no-pending
expect 0 as li sync; expect 0 as li status --check no-pending
as boss -q sync; expect 0 as boss account show "$A"; has "$OUT" 下周 "sent on request"

# --- lock, passphrase
expect 0 as li lock; expect 4 as li account list; has "$ERR" locked "locked"; expect 4 as li lock
expect 0 as li --json status; fits status "$OUT"; same "$(flat <<<"$OUT")" '{"schema":"satchel/status/1","profile":"default","state":"offline","unlocked":false}' "a locked daemon says so, and nothing that needs a key"
expect 0 as li --format table status; has "$OUT" "satchel unlock" "in words"; expect 4 as li status --check no-pending; expect 2 as li status --check nosuch; expect 4 as li sync
echo "wrong pass phrase" >"$W/wrong"
expect 4 "$SATCHEL" -C "$W/r/li" --passphrase-file "$W/wrong" unlock
expect 0 as li unlock; expect 0 as li account list; expect 6 as li unlock
echo "another pass phrase" >"$W/new"
expect 0 as li passwd --new-passphrase-file "$W/new"
stop_daemon "$W/r/li"; [ ! -e "$W/r/li/daemon.sock" ] && ok || bad "the socket stayed"
expect 4 as li status
repass li
expect 8 as li lock; has "$ERR" "no daemon" "lock without a daemon"

# --- live: what one writes the other has, nobody says sync
start_daemon li; start_daemon boss
until_true sh -c "'$SATCHEL' -C '$W/r/li' --json status | grep -q '\"state\": \"live\"'"
expect 0 as li account edit "$A" --set remark=现场
sees() { as boss account show "$A" | grep -q "$1"; }
until_true sees 现场
bg boss --format jsonl sync --watch >"$W/watch" 2>&1 & watcher=$!
poke() { as boss account edit "$A" --set remark=$RANDOM; grep -q '"type":"sync"' "$W/watch"; }
until_true poke
expect 0 as boss account edit "$A" --set remark=批准
kill -INT $watcher; wait $watcher; same $? 130 "an interrupted watch through a daemon"
li_sees() { as li account show "$A" | grep -q "$1"; }
until_true li_sees 批准
stop_server
expect 0 as li account edit "$A" --set remark=断网; expect 0 as li account show "$A"
until_true sh -c "'$SATCHEL' -C '$W/r/li' --json status | grep -q '\"state\": \"offline\"'"
serve "$PORT"
until_true sees 断网

# --- Ctrl-C in the middle of long work: its answer still comes
{ echo "name,industry,contact_name,phone_main,need_type,stage"
	awk 'BEGIN { for (i = 1; i <= 60000; i++) printf "长 %d 公司,I65,c%d,139%08d,product,first_contact\n", i, i, i }'; } >"$W/long.csv"
"$SATCHEL" -C "$W/r/li" --json import "$W/long.csv" --type account >"$W/out" 2>"$W/err" & p=$!
for _ in $(seq 2000); do grep -q progress "$W/out" && break; sleep 0.02; done
kill -INT $p; wait $p; same $? 130 "an interrupted import through a daemon"
has "$(tail -1 "$W/out")" '"interrupted":true' "its summary"
n=$(tail -1 "$W/out" | grep -o '"created":[0-9]*' | cut -d: -f2)
same "$(total li account)" "$((n + 3))" "what it said it had made"

# --- kill -9: nothing that was answered is lost, and nobody has to clean up
expect 0 as li account edit "$A" --set remark=最后
kill -KILL "$(cat "$W/r/li/daemon.pid")"; rm "$W/r/li/daemon.pid"; sleep 0.2
expect 0 as li account show "$A"; has "$OUT" 最后 "after kill -9"
expect 0 as li check --quick
start_daemon li; expect 0 as li account show "$A"
stop_daemons

# --- it is locked while it ends (D4): the server holds its breath, so both of them
# wait for live sync, which waits for the sync that was asked for
start_daemon li; P=$(cat "$W/r/li/daemon.pid")
until_true sh -c "'$SATCHEL' -C '$W/r/li' --json status | grep -q '\"state\": \"live\"'"
kill -STOP "$server_pid"
as li -q sync >/dev/null 2>&1 & asked=$!
sleep 0.5; expect 0 as li account edit "$A" --set remark=停; sleep 0.3
as li lock >/dev/null 2>&1 & locks=$!
sleep 0.05; stop_daemon "$W/r/li"; wait $asked $locks
kill -CONT "$server_pid"; expect 0 as li account show "$A"; has "$OUT" 停 "after an end while it was locked"

# --- an answer has no limit of length: one of thousands, of more than 4 MiB
{ echo "name,industry,contact_name,phone_main,need_type,stage,remark"; m=$(printf '远%.0s' {1..300})
	awk -v m="$m" 'BEGIN { for (i = 1; i <= 3000; i++) printf "大 %d 公司,I65,c%d,137%08d,product,first_contact,%s\n", i, i, i, m }'; } >"$W/many.csv"
stop_server; expect 0 as li -q import "$W/many.csv" --type account
as li --json account list --all >"$W/without"; as li --format tsv account list --all --fields name,remark >>"$W/without"
[ "$(stat -c %s "$W/without")" -gt 6000000 ] && ok || bad "it is short"
start_daemon li --no-sync --no-timer; as li --json account list --all >"$W/with"; as li --format tsv account list --all --fields name,remark >>"$W/with"
if cmp -s "$W/without" "$W/with"; then ok; else bad "a long list through a daemon: $(wc -c <"$W/with") bytes, not $(wc -c <"$W/without")"; fi
stop_daemons; rm "$W/many.csv" "$W/with" "$W/without"
# nor has one whose lists are within it
{ echo "account,method,points"; m=$(printf '远%.0s' {1..3900}); for i in $(seq 400); do echo "公司3,phone,$i $m"; done; } >"$W/many.csv"
{ echo "account,name,phone"; for i in $(seq 40); do echo "公司3,人$i,1390001$((1000 + i))"; done; } >"$W/people.csv"
expect 0 as li -q import "$W/many.csv" --type activity; expect 0 as li -q import "$W/people.csv" --type contact
as li --json account show "$A" --timeline >"$W/without"; [ "$(stat -c %s "$W/without")" -gt 4500000 ] && ok || bad "a timeline is short"
start_daemon li --no-sync --no-timer; as li --json account show "$A" --timeline >"$W/with"; same $? 0 "the exit code of a long timeline"
if cmp -s "$W/without" "$W/with"; then ok; else bad "a long timeline through a daemon: $(wc -c <"$W/with") bytes, not $(wc -c <"$W/without")"; fi
stop_daemons; rm "$W/many.csv" "$W/people.csv" "$W/with" "$W/without"

THROUGH_DAEMON=1 bash tests/e2e/check_cli.sh >"$W/cli" 2>&1 && ok || { bad "check_cli through daemons"; tail -20 "$W/cli"; }
finish
