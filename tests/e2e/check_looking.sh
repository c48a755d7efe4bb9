#!/bin/bash
# Looking: log, status, help and how answers are printed; sync's options; what
# comes on standard input.
. tests/e2e/lib.sh
. tests/e2e/fits.sh
server_init; serve
d team add east --name East >/dev/null
d user add li --name Li --role rep --team east >/dev/null; d user add boss --name Boss --role manager --team east >/dev/null
enrol li; enrol boss
A=$(as li account add --set name=远洋公司 "${ACC[@]}" --set phone_main=13812345671)
as li account edit "$A" --set remark=one >/dev/null; as li account edit "$A" --set city=泉州 >/dev/null
as li contact add "$A" --set name=王强 >/dev/null

# --- sync --dry-run, --full
expect 0 as li --json sync --dry-run; fits sync "$OUT"; has "$OUT" '"pushed": 4' "what would be sent"; has "$OUT" '"dry_run": true' "dry-run"
expect 0 as li --format table sync --dry-run; has "$OUT" "4 sent waits" "in words"
expect 20 as li -q status --check no-pending
expect 2 as li sync --watch --full; expect 2 as li sync --push-only --pull-only
expect 0 as li -q sync --push-only; expect 0 as li --json sync --full; fits sync "$OUT"; has "$OUT" '"recounted": 0' "--full finds nothing wrong"
expect 0 as boss -q sync; as boss account edit "$A" --set remark=two >/dev/null; as boss -q sync; as li -q sync

# --- log
expect 0 as li --json log; fits log "$OUT"; N=$(grep -c '"commit"' <<<"$OUT"); same "$N" 4 "own commits"
expect 0 as li --json log --field remark; same "$(grep -c '"commit"' <<<"$OUT")" 1 "log --field"
expect 0 as li --json log --since 1h; same "$(grep -c '"commit"' <<<"$OUT")" 4 "log --since an age"
expect 0 as li --json log --since 2099-01-01; same "$(grep -c '"commit"' <<<"$OUT")" 0 "log --since a time"
expect 0 as li --json log --device 999; same "$(grep -c '"commit"' <<<"$OUT")" 0 "log --device of another"
expect 0 as li log --oneline; has "$OUT" "set remark" "log --oneline"; same "$(wc -l <<<"$OUT")" 4 "a line each"
D=$(as boss --json status | grep -o '"device_number": [0-9]*' | grep -o '[0-9]*$')
expect 0 as li --json log "$A" --field remark; fits history "$OUT"; same "$(grep -c '"field"' <<<"$OUT")" 2 "both values"
expect 0 as li --json log "$A" --device "$D"; same "$(grep -c '"field": "remark"' <<<"$OUT")" 1 "log ID --device"; hasnt "$OUT" '"value": "one"' "only what that device wrote"
expect 0 as li log "$A" --field remark --oneline; has "$OUT" "boss	remark	two" "log ID --oneline"
expect 0 as li --json account show "$A" --history remark; fits history "$OUT"
expect 2 as li log --since whenever; expect 2 as li log --device me; expect 5 as li log "$A" --field nosuch; expect 2 as li audit log --since never
expect 0 as li --json audit log --since 1h; fits audit.log "$OUT"

# --- a record as it was
sleep 1; T1=$(date -u +%Y-%m-%dT%H:%M:%SZ); sleep 1.1; as li account edit "$A" --set remark=later --set city=厦门 >/dev/null; as li account tag "$A" +neu >/dev/null
expect 0 as li --json --as-of "$T1" account show "$A"; has "$OUT" '"remark": "two"' "the value it had then"; has "$OUT" '"city": "泉州"' "and another"; has "$(flat <<<"$OUT")" '"unknown":\["tags"\]' "a set has no past"
expect 0 as li --json account show "$A"; has "$OUT" '"remark": "later"' "now"
expect 5 as li --as-of 2020-01-01 account show "$A"; has "$ERR" "later than that" "before it was made"; expect 2 as li --as-of never account show "$A"; expect 2 as li --as-of "$T1" account show "$A" --timeline

# --- columns and booleans
expect 0 as li --format jsonl account list --fields name,city; has "$OUT" '"city":"厦门"' "--fields in JSON lines"; hasnt "$OUT" industry "and nothing else"
expect 0 as li --json account list --fields name --labels; fits list "$OUT"; hasnt "$OUT" phone_main "--fields in JSON"
expect 0 as li account list --fields name,incomplete; has "$OUT" "	no$" "a pipe is told what is not so"
expect 0 as li --format table account list --fields name,incomplete; hasnt "$OUT" " no$" "a person is not"
expect 2 as li account list --fields nosuch; expect 2 as li --json account list --fields nosuch
expect 2 as li api GET /v1/accounts -f fields=nosuch

# --- api --input, import -
echo '{"name":"从文件","industry":"I65","contact_name":"李娜","need_type":"solution","stage":"first_contact","phone_main":"13812345672"}' >"$W/new.json"
expect 0 as li api POST /v1/accounts --input "$W/new.json"; has "$OUT" "从文件" "api --input"
expect 0 as li api POST /v1/accounts --input - -f name=另一个 -f phone_main=13812345673 <"$W/new.json"; has "$OUT" "另一个" "api --input - and -f"
expect 5 as li api POST /v1/accounts --input "$W/none.json"; expect 7 as li api POST /v1/accounts --input "$W/pass"
printf 'name,industry,contact_name,phone_main,need_type,stage\n标准输入,I65,c,13812345674,product,first_contact\n' >"$W/in.csv"
expect 0 as li --json import - --type account <"$W/in.csv"; has "$OUT" '"created":1' "import -"
expect 0 as boss -q sync; expect 0 as li -q sync; expect 0 as boss -q sync
expect 0 as boss import list; has "$OUT" "	-	" "its name says where it came from"
same "$(ls /dev/shm | grep -c "^satchel-$(id -u)-$(stat -c %d-%i "$W/r/li")-")" 0 "nothing of it is left"

# --- status --watch
stop_daemons; expect 2 as li status --watch; has "$ERR" "daemon" "--watch needs one"
"$SATCHEL" -C "$W/r/li" --passphrase-file "$W/pass" --no-input daemon --no-sync --no-timer 2>&1 >/dev/null | sed -n 's/.*process \([0-9]*\)$/\1/p' >"$W/r/li/daemon.pid"
as li account edit "$A" --set remark=three >/dev/null
(sleep 1.5; as li -q sync) & later=$!; expect 0 timeout 60 "$SATCHEL" -C "$W/r/li" --json status --watch --check no-pending; wait $later
has "$(head -1 <<<"$OUT")" '"pending":\{"commits":1' "before"; has "$(tail -1 <<<"$OUT")" '"pending":\{"commits":0' "until it holds"
expect 0 "$SATCHEL" -C "$W/r/li"; has "$OUT" "Li \(rep\): 0 commits wait" "bare satchel says how it is"
stop_daemon "$W/r/li"

# --- report explain: in both languages
for r in $(as li report list | cut -f1 | head -4); do
	expect 0 as li --json report explain "$r"; grep -q '"what": "measure"' <<<"$OUT" && ok || bad "$r counts nothing"
done
fits report.explain "$OUT"
expect 0 as li --format table report explain win-rate; has "$OUT" "Won at in the period  ÷  Opportunity, Won at in the period \+ Opportunity, Lost at" "a ratio in words"
expect 0 as li --lang zh --format table report explain win-rate; has "$OUT" "在期间内" "in Chinese"
expect 0 as li report explain first-response; has "$OUT" "value	answered	first .*Direction is" "a value per record"; expect 5 as li report explain nosuch; expect 2 as li report explain

# --- help and pager
expect 0 "$SATCHEL" -C "$W/none"; has "$OUT" "No replica here" "bare satchel without a replica"; [ "$(wc -l <<<"$OUT")" -lt 20 ] && ok || bad "bare satchel is short"
expect 0 "$SATCHEL" help where; has "$OUT" "is null" "help TOPIC"
expect 0 "$SATCHEL" help; has "$OUT" "help exit-codes" "topics are listed"; expect 0 "$SATCHEL" help config; has "$OUT" "sync.server" "help config"
expect 2 "$SATCHEL" help acount; has "$ERR" "did you mean account" "help of a slip"
tty() { timeout 10 script -qec "$*" /dev/null </dev/null; }
if command -v script >/dev/null; then
	export PAGER="sed s/^/P:/"
	has "$(tty "$SATCHEL" help where)" "^P:FIELD" "help is paged"; hasnt "$(tty "$SATCHEL" --no-pager help where)" "P:" "--no-pager"
	has "$(tty "$SATCHEL" -C "$W/r/li" --passphrase-file "$W/pass" log)" "^P:.*commit" "log is paged"
	has "$(tty "$SATCHEL" -C "$W/r/li" --passphrase-file "$W/pass" account show "$A")" "^P:" "show is paged"
	hasnt "$(tty "$SATCHEL" -C "$W/r/li" --passphrase-file "$W/pass" account list)" "P:" "a list is not"
	hasnt "$("$SATCHEL" help where)" "P:" "nothing is paged into a pipe"
	has "$(PAGER=nosuchpager tty "$SATCHEL" help where)" "^FIELD" "without a pager it is printed"
	has "$(PAGER="head -1" tty "$SATCHEL" help)" "customers" "who has seen enough ends it"
	unset PAGER; "$SATCHEL" config set core.pager "sed s/^/Q:/"; has "$(tty "$SATCHEL" help where)" "^Q:FIELD" "core.pager"
fi
finish
