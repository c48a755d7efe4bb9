#!/bin/bash
# What an operator asks satcheld: how it is, what to set right, which settings
# hold, whether the program works here.
. tests/e2e/lib.sh
int() { has "$(flat <<<"$OUT")" "\"$1\":$2[,}]" "$1"; }
server_init

# --- a new server: nothing is saved yet, its root key lies beside the data
expect 0 d --json doctor; o=$(flat <<<"$OUT")
has "$o" '"schema":"satcheld/doctor/1"' "doctor"; has "$o" '"check":"root.key","state":"warn"' "the root key is here"
has "$o" '"check":"database","state":"ok"' "database"; has "$o" '"failures":0' "nothing is broken"
for v in "doctor now" "check all" "user list admin" "acl test admin view account x" "keys show root"; do
	# shellcheck disable=SC2086
	expect 2 d $v; has "$ERR" "word too many" "$v"
done
expect 2 d user show ""; expect 5 d user show nobody
mkdir "$W/safe"; mv "$W/server/root.key" "$W/safe"; expect 0 d --json doctor; has "$(flat <<<"$OUT")" '"check":"root.key","state":"ok"' "it was moved away"
chmod 644 "$W/server/server.keyring"; expect 0 d doctor; has "$OUT" "keyring	warn	permissions 0644	take" "the keyring is open to others"
chmod 600 "$W/server/server.keyring"

# --- settings: option, file, what is built in
printf '[serve]\n\tlisten = tcp://127.0.0.1:0\n\tlinks = 50\n\tport-file = %s/port\n' "$W" >"$W/conf"
expect 0 "$SATCHELD" config check --config "$W/conf"
expect 0 "$SATCHELD" --json config show --config "$W/conf" --links 60; o=$(flat <<<"$OUT")
has "$o" '"key":"serve.listen","value":"tcp://127.0.0.1:0","origin":"file"' "the file"
has "$o" '"key":"serve.links","value":"60","origin":"option"' "an option wins"
has "$o" '"key":"serve.links-per-address","value":"256","origin":"default"' "what is built in"
expect 5 "$SATCHELD" config check --config "$W/none"
printf '[serve]\nlink = 5\n' >"$W/bad"; expect 7 "$SATCHELD" config check --config "$W/bad"; has "$ERR" "did you mean serve.links" "an unknown setting"
printf '[serve]\nlinks = many\n' >"$W/bad"; expect 7 d serve --config "$W/bad"; has "$ERR" "is no number" "serve refuses it too"
printf '[serve]\nlisten = 127.0.0.1\n' >"$W/bad"; expect 7 "$SATCHELD" config check --config "$W/bad"
expect 2 "$SATCHELD" config edit
"$SATCHELD" -D "$W/server" --passphrase-file "$W/server.pass" serve --config "$W/conf" >>"$W/server.log" 2>&1 </dev/null &
server_pid=$!
for _ in $(seq 2000); do [ -s "$W/port" ] && break; sleep 0.05; done
[ -s "$W/port" ] && ok || bad "serve --config wrote no port: $(cat "$W/server.log")"

# --- how it is
d team add east --name East >/dev/null; d user add li --name Li --role rep --team east >/dev/null
expect 0 d --json status; int lsn 0; int devices_never 0; has "$OUT" '"last_backup": null' "no backup yet"
enrol li; expect 0 as li account add --set name=云帆科技 --set phone_main=13812345678 "${ACC[@]}"; expect 0 as li -q sync
expect 0 d --json status; has "$OUT" '"state": "serving"' "serving"; int unsaved '[1-9][0-9]*'; int conflicts_opened 0; int devices_late 0; int devices_behind 0; int erasures_pending 0
has "$OUT" '"since": "20' "since when"; has "$(flat <<<"$OUT")" '"refused_by":\{\}' "nothing refused"; int free_bytes '[1-9][0-9]*'; int database_bytes '[1-9][0-9]*'
expect 0 d doctor; has "$OUT" "backup	warn	never" "there is no backup"
expect 0 d --lang zh doctor; has "$OUT" "备份	注意	从未备份，这里有 [0-9]+ 次提交	satcheld backup" "in Chinese, of a server that runs in English"; hasnt "$OUT" "whole|never| of |	warn" "all of it"
expect 0 d --lang zh --json doctor; has "$OUT" '"state": "warn"' "JSON is never translated"
expect 0 d backup "$W/copy"; expect 0 d --json status; int unsaved 0; has "$OUT" '"last_backup": "20' "when it was"
expect 0 d doctor; has "$OUT" "backup	ok	0 hours ago, 0 commits since" "a backup is there"
expect 0 d status; has "$OUT" "^lsn	[1-9]" "as lines"; hasnt "$OUT" "^schema" "no schema in the table"
hasnt "$OUT$(d doctor)" "云帆" "no customer is named"
stop_server

# --- what is broken is a failure
cp -r "$W/server" "$W/broken"; find "$W/broken/templates.git/objects" -type f -name '*' -size +0 | grep -v pack | head -5 | xargs -r rm -f
expect 1 "$SATCHELD" -D "$W/broken" --passphrase-file "$W/server.pass" doctor; has "$OUT" "template	fail" "a template is gone"

# --- the program itself
expect 0 env TMPDIR="$W" "$SATCHELD" --json selftest; o=$(flat <<<"$OUT")
has "$o" '"schema":"satcheld/selftest/1"' "selftest"; has "$o" '"check":"encrypted","ok":true' "its file is noise"; has "$o" '"ok":true\}$' "all of it"
ls "$W" | grep -q satcheld-selftest && bad "selftest leaves its folder" || ok
. tests/e2e/fits.sh
expect 0 env TMPDIR="$W" "$SATCHELD" --json bench --rows 300; fits satcheld/bench "$OUT"; o=$(flat <<<"$OUT")
has "$o" '"check":"new,64apush","ok":true,"ms":[0-9]+,"n":300,' "customers merged"; has "$o" '"check":"edits,oneapush","ok":true,"ms":[0-9]+,"n":100' "one by one"; has "$o" '"check":"checkagain","ok":true,"ms":[0-9]+,"n":700' "every commit of them is in the log and verified"
ls "$W" | grep -q satcheld-bench && bad "bench leaves its folder" || ok; expect 2 "$SATCHELD" bench --rows 5; expect 2 "$SATCHELD" bench --rows many; expect 5 env TMPDIR="$W/none" "$SATCHELD" bench
expect 0 "$SATCHELD" --lang zh bench --rows 100; has "$OUT" "再次校验	是" "in Chinese"
expect 1 env TMPDIR="$W/none" "$SATCHELD" selftest; expect 0 "$SATCHELD" version; has "$OUT" "satcheld" "version"; expect 0 "$SATCHELD" help
finish
