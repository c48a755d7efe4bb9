#!/bin/bash
# Nothing readable in any file of replicas, server and backups, logs included;
# a flipped byte in any page is refused, never returned as data; a wrong
# passphrase is told quickly. PAGES=all flips a byte in every single page.
DEAR=1 # what a guess costs is looked at here
. tests/e2e/lib.sh
PAGES=${PAGES:-16}; SEED=${SEED:-$RANDOM}; RANDOM=$SEED; echo "seed $SEED"
server_init; serve
d user add hq --name Headquarters --role hq >/dev/null; d user add li --name "Li Secret" --role rep >/dev/null
enrol hq; enrol li
sheet() { awk -v n="$1" -v a="$2" -v b="$3" 'BEGIN{print "name,industry,contact_name,phone_main,need_type,stage"
 for (i = 1; i <= n; i++) printf "%s%d,I65,%s%d,1391%07d,solution,first_contact\n", a, i, b, i, i}'; }
sheet 400 机密客户Zebra Quagga >"$W/small.csv"; expect 0 as li import "$W/small.csv" --type account; rm "$W/small.csv"
expect 0 as li -q sync; expect 0 as hq -q sync
expect 0 as hq backup "$W/r/backup"; expect 0 d backup "$W/serverbackup"

# --- a log is left behind: the client killed amid an import, the server under it
sheet 40000 Okapi Tapir >"$W/big.csv"
bg li import "$W/big.csv" --type account >/dev/null 2>&1 & p=$!
for _ in $(seq 2000); do [ "$(stat -c %s "$W/r/li/replica.db-wal" 2>/dev/null || echo 0)" -gt 400000 ] && break; sleep 0.01; done
kill -9 $p; wait $p 2>/dev/null; same $? 137 "the import was still running"
stop_server -KILL
rm -f "$W/big.csv"
for f in r/li/replica.db-wal server/server.db-wal; do [ -s "$W/$f" ] && ok || bad "no $f was left to look at"; done

# --- bytes
files=0
while read -r f; do
	files=$((files + 1)); name=${f#"$W"/}
	words=(Zebra 机密客户 Quagga Okapi Tapir 1391000 139100 "Li Secret" "pass phrase")
	case $name in *.db* | *keyring*) words+=(phone_main contact_name CREATE k_account "SQLite format" tcp://) ;; esac
	for word in "${words[@]}"; do if grep -aqF -- "$word" "$f"; then bad "$word readable in $name"; else ok; fi; done
	# entropy: gzip gains nothing. Templates are no secret: they hold no
	# customers, and stock git reads them.
	case $name in *.bundle) continue ;; esac
	n=$(stat -c %s "$f"); [ "$n" -gt 65536 ] || continue
	z=$(gzip -1c "$f" | wc -c); [ "$z" -gt $((n * 98 / 100)) ] && ok || bad "$name compresses from $n to $z"
done < <(find "$W/r" "$W/server" "$W/serverbackup" -type f ! -path '*/templates.git/*')
[ $files -ge 14 ] && ok || bad "looked at $files files only"
while read -r f; do [ "$(stat -c %a "$f")" = 600 ] && ok || bad "${f#"$W"/} has mode $(stat -c %a "$f")"; done < <(find "$W/r" "$W/server" -name '*.keyring' -o -name root.key)
expect 0 as li check
n=$(total li account); [ "$n" -ge 400 ] && ok || bad "rows after the kill: $n"

# --- wrong passphrases
echo "wrong pass phrase" >"$W/wrong"
quick() { cpu_ms expect 4 "$@"; [ "$CPU_MS" -lt 2000 ] && ok || bad "took $CPU_MS ms: $*"; echo "  wrong passphrase: $CPU_MS ms"; }
quick "$SATCHEL" -C "$W/r/li" --passphrase-file "$W/wrong" account list
hasnt "$ERR" "wrong pass" "what was typed"
quick "$SATCHELD" -D "$W/server" --passphrase-file "$W/wrong" check
echo "  $files files, $SECONDS s"

# --- one flipped byte: check refuses, and what is read is right or refused
list() { as "$1" --format tsv account list --all --sort name --fields name,phone_main 2>"$W/err"; }
want=$(list hq); same "$(wc -l <<<"$want")" 400 "rows of headquarters"
ls "$W"/r/hq/*-wal >/dev/null 2>&1 && bad "the closed replica has a log"
cp -r "$W/r/hq" "$W/r/flip"; db=$W/r/flip/replica.db
n=$(($(stat -c %s "$db") / 4096)); [ "$PAGES" = all ] && step=1 || step=$((n / PAGES + 1))
tried=0 met=0
try() { # OFFSET WHAT
	cp "$W/r/hq/replica.db" "$db"; rm -f "$db-wal"
	flip "$db" "$1"; tried=$((tried + 1))
	got=$(list flip); rc=$?
	case $rc in
	0) [ "$got" = "$want" ] && ok || bad "$2: altered data returned" ;;
	12) met=$((met + 1)); hasnt "$(cat "$W/err")" "Zebra|1391" "$2: data in the message" ;;
	*) bad "$2: list said $rc: $(head -1 "$W/err")" ;;
	esac
	as flip check >/dev/null 2>"$W/err"; rc=$?
	[ $rc = 12 ] && ok || bad "$2: check said $rc: $(head -1 "$W/err")"
}
# page 1 after what is public of it; any place of the others, nonce and tag too
try $((24 + RANDOM % 4072)) "page 1"
for p in $(seq $((1 + RANDOM % (step > 1 ? step : 1))) "$step" $((n - 1))); do try $((p * 4096 + RANDOM % 4096)) "page $((p + 1))"; done
try $((4096 + 4056 + RANDOM % 24)) "nonce of page 2"
try $((4096 + 4080 + RANDOM % 16)) "tag of page 2"
[ $met -gt 0 ] && ok || bad "no listing met an altered page"
echo "  $tried of $n pages, $met met by a listing"
# the public bytes of page 1: healed or refused, never believed
cp "$W/r/hq/replica.db" "$db"; rm -f "$db-wal"; flip "$db" $((RANDOM % 16))
got=$(list flip); rc=$?; { [ $rc = 12 ] || { [ $rc = 0 ] && [ "$got" = "$want" ]; }; } && ok || bad "file id: $rc: $(head -1 "$W/err")"
# pages exchanged, a page of zeros, a shortened file, the keyring
alter() { cp "$W/r/hq/replica.db" "$db"; rm -f "$db-wal"; cp "$W/r/hq/replica.keyring" "$W/r/flip/"; }
alter; dd if="$W/r/hq/replica.db" of="$db" bs=4096 skip=5 seek=7 count=1 conv=notrunc status=none; expect 12 as flip check
alter; dd if=/dev/zero of="$db" bs=4096 seek=6 count=1 conv=notrunc status=none; expect 12 as flip check
alter; truncate -s $(((n - 1) * 4096)) "$db"; expect 12 as flip check
alter; flip "$W/r/flip/replica.keyring" $((60 + RANDOM % 150)); as flip check >/dev/null 2>&1; rc=$?; [ $rc = 12 ] || [ $rc = 4 ] && ok || bad "an altered keyring: $rc"

# --- an altered log: ends before the altered frame, nothing invented
if [ -s "$W/server/server.db-wal" ]; then
	cp -r "$W/server" "$W/s2"; wal=$W/s2/server.db-wal
	flip "$wal" $((32 + 24 + RANDOM % 4000)); "$SATCHELD" -D "$W/s2" --passphrase-file "$W/server.pass" check >/dev/null 2>"$W/err"; rc=$?
	[ $rc = 12 ] || [ $rc = 0 ] && ok || bad "an altered log: $rc: $(head -1 "$W/err")"
fi
expect 0 d check
# --- the server's pages
n=$(($(stat -c %s "$W/server/server.db") / 4096))
ls "$W"/server/*-wal >/dev/null 2>&1 && bad "the closed server has a log"
for p in 0 $((1 + RANDOM % (n - 1))) $((1 + RANDOM % (n - 1))) $((n - 1)); do
	rm -rf "$W/s2"; cp -r "$W/server" "$W/s2"
	flip "$W/s2/server.db" $((p * 4096 + 24 + RANDOM % 4072))
	expect 12 "$SATCHELD" -D "$W/s2" --passphrase-file "$W/server.pass" check
done
finish
