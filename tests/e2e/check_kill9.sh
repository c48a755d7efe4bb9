#!/bin/bash
# kill -9 of client and server at random moments of import, save, sync, backup:
# every row reported as saved is there, nothing is doubled, both check clean.
# KILLS=200 in release evidence; fewer in `make check`.
. tests/e2e/lib.sh
KILLS=${KILLS:-24}; SEED=${SEED:-$RANDOM}; RANDOM=$SEED; echo "seed $SEED"
ROWS=${ROWS:-3000}
server_init; serve
for u in li wang; do d user add $u --name $u --role rep >/dev/null; done; d user add hq --name hq --role hq >/dev/null
for u in li wang hq; do enrol $u; done
sheet() { awk -v u="$1" -v a="$2" -v b="$3" 'BEGIN{print "name,industry,contact_name,phone_main,need_type,stage,external_id"
 for (i = a; i <= b; i++) printf "%s %d 公司,I65,c%d,138%08d,product,first_contact,%s-%d\n", u, i, i, i, u, i}'; }
one() { new=("${ACC[@]}" --set name="$1 $2 公司" --set external_id="$1-$2" --set phone_main="138$(printf %08d "$2")"); }
declare -A saved; saved[li]=0 saved[wang]=0
died=0 survived=0 unsure=0 floor=0
# victim LIMIT_MS: kill $p after a random part of LIMIT_MS
victim() {
	sleep "$(printf '%d.%03d' $(($1 * (RANDOM % 1000) / 1000000)) $(($1 * (RANDOM % 1000) / 1000 % 1000)))"
	kill -9 $p 2>/dev/null; wait $p 2>/dev/null
	if [ $? = 137 ]; then died=$((died + 1)); else survived=$((survived + 1)); fi
}
ids() { as "$1" --format tsv account list --all --fields external_id | sort; }
# How long things take here and now, so that the kills fall inside them.
now() { echo $(($(date +%s%N) / 1000000)); }
t=$(now); sheet li 1 "$ROWS" >"$W/i.csv"; t=$(now)
as li import "$W/i.csv" --type account --on-duplicate skip >/dev/null 2>&1 || bad "the first import"; saved[li]=$ROWS
IMPORT=$(($(now) - t)); t=$(now); as li -q sync; SYNC=$(($(now) - t)); t=$(now); as li status >/dev/null; OPEN=$(($(now) - t))
echo "import $IMPORT ms, sync $SYNC ms, open $OPEN ms"
for k in $(seq "$KILLS"); do
	u=$([ $((RANDOM % 2)) = 0 ] && echo li || echo wang)
	case $((RANDOM % 5)) in
	0) # client killed in an import; what a progress line counted was promised
		a=$((saved[$u] + 1)); sheet $u $a $((a + ROWS - 1)) >"$W/i.csv"
		bg $u --json import "$W/i.csv" --type account --on-duplicate skip >"$W/io" 2>/dev/null & p=$!
		victim $((IMPORT * 11 / 10))
		promised=$(grep -o '"rows": \?[0-9]*' "$W/io" | grep -o '[0-9]*$' | tail -1)
		there=$(total $u account); [ "${there:-0}" -ge $((saved[$u] + ${promised:-0})) ] && ok || bad "kill $k: $promised rows were reported, $((there - saved[$u])) are there"
		[ "${promised:-0}" -gt 0 ] && floor=$((floor + 1))
		as $u import "$W/i.csv" --type account --on-duplicate skip >/dev/null 2>"$W/err" || bad "kill $k: import again: $(cat "$W/err")"
		saved[$u]=$((a + ROWS - 1)) ;;
	1) # client killed in a sync
		bg $u -q sync 2>/dev/null & p=$!; victim $((SYNC * 11 / 10)) ;;
	2) # server killed under two syncing clients
		bg li -q sync 2>/dev/null & q=$!; bg wang -q sync 2>/dev/null & r=$!; p=$server_pid
		victim $((SYNC * 11 / 10)); wait $q $r 2>/dev/null
		server_pid=; serve "$PORT" ;;
	3) # a single save, the client killed at any moment: a printed id is a promise
		n=$((saved[$u] + 1)); one $u $n
		bg $u account add "${new[@]}" --allow-duplicate test >"$W/id" 2>/dev/null & p=$!; victim $((OPEN * 13 / 10))
		id=$(cat "$W/id"); found=$(total $u account --where "external_id=$u-$n")
		if [ -n "$id" ]; then same "$found" 1 "kill $k: a save that was reported"; else [ "$found" -le 1 ] && ok || bad "kill $k: doubled"; unsure=$((unsure + found)); fi
		saved[$u]=$((n - 1 + found)) ;;
	4) # client killed in a backup of itself: what is there is whole, or is refused
		rm -rf "$W/copy"; bg $u backup "$W/copy" >"$W/io" 2>/dev/null & p=$!; victim $((OPEN * 15 / 10))
		as copy restore "$W/copy" --verify-only >/dev/null 2>&1; rc=$?
		if [ $rc = 0 ]; then ok; elif [ -s "$W/io" ]; then bad "kill $k: a reported backup does not verify: $rc"; else ok; fi ;;
	esac
done
for u in li wang; do as $u -q sync || bad "sync of $u"; done; as hq -q sync || bad "sync of hq"
for u in li wang; do
	ids $u >"$W/ids.$u"; seq -f "$u-%.0f" "${saved[$u]}" | sort >"$W/want.$u"
	cmp -s "$W/ids.$u" "$W/want.$u" && ok || { bad "$u: not exactly the saved rows"; diff "$W/ids.$u" "$W/want.$u" | head -5; }
	expect 0 as $u check
	expect 0 as $u status --check no-pending
	has "$(as $u --json status | flat)" '"rejected":0' "$u: refused"
done
ids hq >"$W/ids.hq"; sort "$W"/want.* | cmp -s - "$W/ids.hq" && ok || bad "headquarters has not exactly the saved rows"
expect 0 as hq check; stop_server; expect 0 d check
echo "$KILLS kills: $died met a running program, $survived came after its end; $floor imports had reported rows, $unsure saves landed unreported; $((saved[li] + saved[wang])) rows"
[ $died -ge $((KILLS / 3)) ] && ok || bad "only $died kills met a running program"
finish
