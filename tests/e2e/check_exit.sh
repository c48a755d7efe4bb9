#!/bin/bash
# Every exit code of satchel-exit-codes(7), each reached the way a person would;
# a full disk (15) is check_faults.sh's. With --json the same number stands in
# the error, and its schema holds.
. tests/e2e/lib.sh
. tests/e2e/fits.sh
SPOIL=$(readlink -f "$B/tests/e2e/spoil")
code() { # CODE SLUG words...
	local want=$1 slug=$2; shift 2
	expect "$want" "$@"; fits error "$ERR"; has "$ERR" "\"exit\":$want" "its number"; has "$ERR" "\"code\":\"$slug" "its word"
	seen="$seen $want"
}
seen=
server_init; serve
d team add east --name East >/dev/null; for u in li wang; do d user add $u --name $u --role rep --team east >/dev/null; enrol $u; done
expect 0 as li status; seen="$seen 0"
A=$(as li account add --set name=远洋公司 "${ACC[@]}" --set phone_main=13812345671)
code 1 "" as li --json doctor --bundle "$W/pass"
code 2 usage as li --json account
printf 'name,industry,contact_name,phone_main,need_type,stage\n好公司,I65,c,13812345674,product,first_contact\n坏公司,I65,c,1,product,first_contact\n' >"$W/in.csv"
expect 3 as li --json import "$W/in.csv" --type account; fits error "$ERR"; has "$ERR" '"exit":3' "partly"; seen="$seen 3"
has "$OUT" '"type":"refused","line":3,"reason":"column .phone_main.: pattern"' "which row, and why"
printf 'name,industry,contact_name,phone_main,need_type,stage\n,I99,c,13812345675,product,first_contact\n' >"$W/bad.csv"
expect 3 as li import "$W/bad.csv" --type account; has "$ERR" "line 2: not imported: column 'industry' is not among the options.*; field name must be given" "in words to a person, without --errors"; has "$ERR" "--errors FILE" "and where they can be had"
code 4 "" "$SATCHEL" -C "$W/r/li" --no-input --json status
code 5 not_found as li --json account show 00000000000000000000000000
V=$(as li --json account show "$A" | grep -o '"version": "[^"]*"' | cut -d'"' -f4); as li account edit "$A" --set remark=x >/dev/null
code 6 "" as li --json account edit "$A" --set remark=y --if-version "$V"
code 7 "" as li --json account add --set name=甲
as li -q sync; as wang -q sync; stop_server
code 8 net as li --json sync --timeout 1s
code 9 denied as li --json --yes account delete "$A"
code 10 no_replica "$SATCHEL" -C "$W/none" --json status
stop_daemons; held "$W/r/li/replica.keyring.lock" code 11 "" as li --json status
cp -r "$W/r/li" "$W/r/broken"; "$SPOIL" "$W/r/broken" replica "$W/pass" "UPDATE k_account SET name = 'changed' WHERE _rid = (SELECT min(_rid) FROM k_account)" || bad "cannot spoil"
code 12 "" as broken --json check
cp -r "$W/r/li" "$W/r/later"; "$SPOIL" "$W/r/later" replica "$W/pass" "PRAGMA user_version = 999" || bad "cannot spoil"
code 13 "" as later --json status
serve "$PORT"; n=$(d device list | awk -F'\t' '$3 == "wang" { print $1 }'); d device revoke "$n"
code 14 "" as wang --json sync
as li account edit "$A" --set remark=z >/dev/null; code 20 "" as li --json status --check no-pending
# interrupted: INT ends with 130, TERM with 143, and what was saved stays
stop_daemons
for s in INT:130 TERM:143; do
	"$SATCHEL" -C "$W/r/li" --passphrase-file "$W/pass" --no-input sync --watch >/dev/null 2>"$W/err" </dev/null & p=$!
	until_caught $p; kill -${s%:*} $p; wait $p; same $? "${s#*:}" "$s"; seen="$seen ${s#*:}"
done
for c in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 20 130 143; do case " $seen " in *" $c "*) ok ;; *) bad "exit $c was not reached" ;; esac; done

# --- compact, backup --verify, records for completion
expect 0 as li --json compact; fits compact "$OUT"; expect 0 as li check; expect 0 as li account show "$A"
expect 0 as li backup "$W/copy" --verify; expect 0 as copy restore "$W/copy" --verify-only
code 6 backup.folder as li --json backup "$W/copy"; code 5 backup.folder as li --json backup "$W/none/copy"
expect 0 "$SATCHEL" -C "$W/r/li" __complete account show; same "$OUT" "" "no daemon: nothing is asked and nothing said"
"$SATCHEL" -C "$W/r/li" --passphrase-file "$W/pass" --no-input daemon --no-sync --no-timer 2>&1 >/dev/null | sed -n 's/.*process \([0-9]*\)$/\1/p' >"$W/r/li/daemon.pid"
expect 0 "$SATCHEL" -C "$W/r/li" __complete account show; same "$(wc -l <<<"$OUT")" 2 "customers by number"; has "$OUT" "^C2" "as a person types them";
expect 0 "$SATCHEL" -C "$W/r/li" __complete account list; same "$OUT" "" "nothing where no record is named"; expect 0 "$SATCHEL" -C "$W/r/li" __complete nosuch show
if command -v bash >/dev/null; then
	"$SATCHEL" completion bash >"$W/bash"
	N=$(SATCHEL_HOME=$W/r/li PATH=$(dirname "$SATCHEL"):$PATH bash -c '. "$1"; COMP_WORDS=(satchel account show C); COMP_CWORD=3; _satchel; echo "${#COMPREPLY[@]}"' _ "$W/bash")
	same "$N" 2 "bash offers them"
fi
finish
