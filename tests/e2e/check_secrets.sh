#!/bin/bash
# Nothing readable in any file of replicas and server, WAL included; a flipped
# byte in any page is refused, never returned as data.
. tests/e2e/lib.sh
server_init; serve
d user add hq --name Headquarters --role hq >/dev/null; d user add li --name "Li Secret" --role rep >/dev/null
enrol hq; enrol li
for i in $(seq 40); do as li account add --set name="机密客户Zebra$i" --set industry=I65 --set contact_name="Quagga$i" \
	--set phone_main="1391234$(printf %04d "$i")" --set need_type=solution --set stage=first_contact >/dev/null || bad add; done
as li -q sync; as hq -q sync
# leave a WAL behind: kill a client in the middle of an import and the server hard
{ echo "name,industry,contact_name,phone_main,need_type,stage"; for i in $(seq 30000); do echo "Okapi$i,I65,Tapir$i,138$(printf %08d "$i"),product,first_contact"; done; } >"$W/big.csv"
as li import "$W/big.csv" --type account >/dev/null 2>&1 & p=$!; sleep 0.7; kill -9 $p; wait $p 2>/dev/null
stop_server -KILL
rm -f "$W/big.csv"
ls "$W"/r/li/ "$W"/server/ | grep -q wal && ok || bad "no WAL was left to look at"
for f in "$W"/r/*/replica.* "$W"/server/server.*; do
	[ -f "$f" ] || continue
	for word in Zebra 机密客户 Quagga Okapi Tapir 1391234 139123400 phone_main contact_name CREATE k_account "SQLite format" "Li Secret"; do
		if grep -aqF -- "$word" "$f"; then bad "$word readable in ${f#"$W"/}"; else ok; fi
	done
	# entropy: gzip gains nothing
	n=$(stat -c %s "$f"); [ "$n" -gt 65536 ] || continue
	z=$(gzip -c "$f" | wc -c); [ "$z" -gt $((n * 98 / 100)) ] && ok || bad "${f#"$W"/} compresses from $n to $z"
done
expect 0 as li check
n=$(as li --format tsv account list --all --fields name | wc -l); [ "$n" -ge 40 ] && ok || bad "rows after the kill: $n"

# flip one byte in each page: opening, listing or checking fails; what is read is right
cp -r "$W/r/hq" "$W/r/flip"; rm -f "$W"/r/flip/replica.db-wal
want=$(as hq --format tsv account list --all --sort name --fields name,phone_main)
size=$(stat -c %s "$W/r/flip/replica.db"); pages=$((size / 4096))
cp "$W/r/flip/replica.db" "$W/good.db"
for p in $(seq 0 $((pages > 60 ? pages / 60 + 1 : 1)) $((pages - 1))); do
	cp "$W/good.db" "$W/r/flip/replica.db"; rm -f "$W"/r/flip/replica.db-wal
	off=$((p * 4096 + 24 + (p * 977) % 4000))
	byte=$(od -An -tu1 -j $off -N 1 "$W/good.db" | tr -d ' ')
	printf "\\$(printf %03o $((byte ^ 1)))" | dd of="$W/r/flip/replica.db" bs=1 seek=$off conv=notrunc status=none
	got=$(as flip --format tsv account list --all --sort name --fields name,phone_main 2>/dev/null); rc=$?
	if [ $rc = 0 ] && [ "$got" != "$want" ]; then bad "page $p: altered data returned"; else ok; fi
	as flip check >/dev/null 2>"$W/err"; rc=$?
	[ $rc = 12 ] && ok || bad "page $p: check said $rc: $(head -1 "$W/err")"
done
finish
