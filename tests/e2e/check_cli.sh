#!/bin/bash
# The command line as a person meets it: every kind of bad input is refused
# with its exit code and a clear text, and nothing is lost.
. tests/e2e/lib.sh
server_init; serve
d team add east --name East >/dev/null; d team add west --name West >/dev/null
for u in li:rep:east wang:rep:east boss:manager:east hq:hq: zhao:rep:west; do IFS=: read -r k r t <<<"$u"
	d user add "$k" --name "$k" --role "$r" ${t:+--team "$t"} >/dev/null || bad "user $k"; done

# --- before there is a replica
expect 10 as li status;                        has "$ERR" "no replica" "status without replica"
expect 2 as li init;                           has "$ERR" "invite" "init without invitation"
expect 7 as li init --invite nonsense;         has "$ERR" "not an invitation" "nonsense"
code=$(d device invite --user li)
expect 7 as li init --invite "$(ending "$code" x y)";     has "$ERR" "damaged" "a changed letter"
expect 2 as li frobnicate;                     has "$ERR" "unknown command" "unknown command"
expect 2 as li acount list;                    has "$ERR" "did you mean account" "did you mean"
expect 0 as li --help;                         has "$OUT" "Examples" "help"
expect 0 as li --version

# --- enrolment
expect 0 as li init --invite "$code"
expect 4 as li2 init --invite "$code";         has "$ERR" "used" "an invitation used twice"
late=$(d device invite --user wang --ttl 1ms); sleep 0.1
expect 4 as wang init --invite "$late";        has "$ERR" "expired" "an invitation used too late"
expect 0 as wang init --invite "$(d device invite --user wang)"
for u in boss hq zhao; do enrol $u; done
expect 5 d device invite --user nobody

# --- the passphrase
echo "wrong pass phrase" >"$W/wrong"
cpu_ms expect 4 "$SATCHEL" -C "$W/r/li" --passphrase-file "$W/wrong" status
[ "$CPU_MS" -lt 2000 ] && ok || bad "a wrong passphrase took $CPU_MS ms"
expect 4 "$SATCHEL" -C "$W/r/li" --no-input status </dev/null
echo "another pass phrase" >"$W/new"
expect 0 as li passwd --new-passphrase-file "$W/new"
expect 4 as li status
repass li
expect 0 as li status

# --- records: rules of the template
expect 7 as li account add --set name=甲公司;   has "$ERR" "phone_main" "required fields are listed"; has "$ERR" "industry" "required"
expect 7 as li account add --set name=甲公司 "${ACC[@]}" --set phone_main=5678;  has "$ERR" "phone_main" "a bad phone"
expect 7 as li account add --set name=甲公司 "${ACC[@]}" --set phone_main=13812345678 --set industry=X99; has "$ERR" "industry" "unknown option"
expect 7 as li account add --set nme=x;        has "$ERR" "nme" "unknown field"
expect 0 as li account add --set name=福州远洋科技有限公司 "${ACC[@]}" --set phone_main=13812345678
A=$OUT; [ ${#A} = 26 ] && ok || bad "no id printed: $A"
expect 6 as li account add --set name="福州远洋科技有限公司" "${ACC[@]}" --set phone_main=010-62345678;  has "$ERR" "uplicate" "a duplicate name"
expect 0 as li account add --set name="福州远洋科技有限公司" "${ACC[@]}" --set phone_main=010-62345678 --allow-duplicate "branch office"
expect 0 as li account show "$A"; has "$OUT" "福州远洋" "show"
expect 0 as li --json account show "$A"; has "$OUT" '"schema": "satchel/account/1"' "json"
expect 0 as li account show "$(cut -c1-20 <<<"$A")"
expect 5 as li account show 00000000000000000000000000
expect 0 as li account edit "$A" --set remark="下周回访"
V=$(as li --json account show "$A" | grep -o '"version": "[^"]*"' | cut -d'"' -f4)
expect 0 as li account edit "$A" --set remark=x --if-version "$V"
expect 6 as li account edit "$A" --set remark=y --if-version "$V"
expect 7 as li account stage "$A" after_sales; has "$ERR" "stage" "a stage change the graph forbids"
expect 0 as li account stage "$A" need_confirmed
expect 9 as li account assign "$A" --to wang;  has "$ERR" "may not|right|denied|permit" "a rep may not assign"
expect 0 as li account tag "$A" +制造业 +vip
expect 0 as li account list --tag vip;         has "$OUT" "福州远洋" "list by tag"
expect 0 as li account list --where 'stage=need_confirmed and name~远洋'; has "$OUT" "$A" "where"
expect 2 as li account list --where 'nosuch=1'; has "$ERR" "nosuch" "where names the field"
expect 0 as li activity add "$A" --method phone --points "询价 20 台"
expect 7 as li activity add "$A" --method pigeon --points x; has "$ERR" "method" "unknown method"
expect 0 as li contact add "$A" --set name=王强
expect 0 as li opportunity add "$A" --set name=二期 --set amount=50万; O=$OUT
expect 0 as li --json opportunity show "$O"; has "$OUT" '"amount": 50000000' "50万 is 50,000,000 fen"
expect 7 as li opportunity add "$A" --set name=bad --set amount=abc; has "$ERR" "amount" "no number"
expect 20 as li status --check no-pending

# --- sync, and work that nobody else sees
expect 0 as li sync
expect 0 as li status --check no-pending
expect 0 as boss sync; expect 0 as boss account show "$A"; has "$OUT" "福州远洋" "the manager has it"
expect 0 as zhao sync; expect 5 as zhao account show "$A"
expect 9 as zhao account assign "$A" --to zhao
expect 0 as li account add --set name=乙公司 "${ACC[@]}" --set phone_main=13912345678; C=$OUT; as li -q sync; as boss -q sync
for id in "$A" "$C"; do as boss account assign "$id" --to wang >/dev/null || bad assign; done; as boss -q sync; as wang -q sync
expect 0 as wang account show "$A"
as li -q sync; expect 0 as li account show "$A" # an own opportunity lies on it
expect 5 as li account show "$C"
expect 0 as li api GET /v1/moved; has "$OUT" "$C" "the old owner sees where it went"

# --- two processes, other organisation, revoked, unreachable
stop_daemon "$W/r/boss"
held "$W/r/boss/replica.keyring.lock" expect 11 as boss status; expect 0 as boss status
"$SATCHELD" -D "$W/other" --passphrase-file "$W/server.pass" init --org Other; cheap "$W/other/server.keyring" "$W/server.pass"
"$SATCHELD" -D "$W/other" --passphrase-file "$W/server.pass" serve --listen tcp://127.0.0.1:0 --port-file "$W/port2" >/dev/null 2>&1 </dev/null & other=$!
until_file "$W/port2"
stop_server
"$SATCHELD" -D "$W/other" --passphrase-file "$W/server.pass" status >/dev/null || bad "the other server"
kill $other; wait $other 2>/dev/null; rm -f "$W/port2"
"$SATCHELD" -D "$W/other" --passphrase-file "$W/server.pass" serve --listen "tcp://127.0.0.1:$PORT" --port-file "$W/port2" >/dev/null 2>&1 </dev/null & other=$!
until_file "$W/port2"; as li account edit "$(as li --format tsv account list --owner me --limit 1 --fields id)" --set remark=offline >/dev/null
as li sync --timeout 5s >/dev/null 2>"$W/err"; rc=$?
[ $rc != 0 ] && ok || bad "synced with a server of another organisation"; has "$(cat "$W/err")" "not the server|server" "other organisation"
kill $other; wait $other 2>/dev/null
expect 8 as li sync --timeout 2s; expect 20 as li status --check no-pending
serve "$PORT"; expect 0 as li sync
n=$(d device list | awk -F'\t' '$3=="zhao"{print $1}')
expect 0 d device revoke "$n"
expect 14 as zhao sync; has "$ERR" "revoked" "revoked"

# --- delete, restore, history, log, audit
expect 9 as wang --yes account delete "$A"
expect 0 as boss --yes account delete "$A"; expect 5 as boss account show nosuchrecord
expect 0 as boss account restore "$A"; expect 0 as boss -q sync
expect 0 as boss log "$A"; has "$OUT" "下周回访" "history keeps the old value"
expect 0 as wang audit verify; expect 0 as wang check; expect 0 as wang template verify
expect 0 as wang report list; has "$OUT" "win-rate" "reports"
expect 5 as wang report run nosuch
expect 0 as wang backup "$W/backup"; expect 0 as wang2 restore "$W/backup" --verify-only;expect 0 as wang2 restore "$W/backup"; expect 0 as wang2 sync
expect 0 d check; expect 0 d backup "$W/sbackup"
expect 0 "$SATCHELD" -D "$W/srv2" --passphrase-file "$W/server.pass" restore "$W/sbackup" --root-key "$W/server/root.key"
finish
