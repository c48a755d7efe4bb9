#!/bin/bash
# kill -9 of client and server at random moments during import and sync:
# every row reported as saved is there, nothing is doubled, both check clean.
# KILLS=200 in release evidence; fewer in `make check`.
. tests/e2e/lib.sh
KILLS=${KILLS:-24}; SEED=${SEED:-$RANDOM}; RANDOM=$SEED; echo "seed $SEED"
server_init; serve
for u in li wang; do d user add $u --name $u --role rep >/dev/null; done; d user add hq --name hq --role hq >/dev/null
for u in li wang hq; do enrol $u; done
one() { echo "name,industry,contact_name,phone_main,need_type,stage,external_id"; for i in $(seq "$2" "$3"); do echo "$1 $i 公司,I65,c$i,138$(printf %08d "$i"),product,first_contact,$1-$i"; done; }
declare -A saved; saved[li]=0 saved[wang]=0
ms() { echo "0.$(printf %03d $((RANDOM % ${1:-400})))"; }
for k in $(seq "$KILLS"); do
	u=$([ $((RANDOM % 2)) = 0 ] && echo li || echo wang)
	case $((RANDOM % 4)) in
	0) # client killed in an import; a row is promised once a progress line counted it
		a=$((saved[$u] + 1)); one $u $a $((a + 2499)) >"$W/i.csv"
		as $u --json import "$W/i.csv" --type account --on-duplicate skip >"$W/io" 2>/dev/null & p=$!
		sleep "$(ms 500)"; kill -9 $p 2>/dev/null; wait $p 2>/dev/null
		as $u import "$W/i.csv" --type account --on-duplicate skip >/dev/null 2>"$W/err" || bad "import again: $(cat "$W/err")"
		saved[$u]=$((a + 2499)) ;;
	1) # client killed in a sync
		as $u -q sync & p=$!; sleep "$(ms 300)"; kill -9 $p 2>/dev/null; wait $p 2>/dev/null ;;
	2) # server killed under two syncing clients
		as li -q sync 2>/dev/null & p=$!; as wang -q sync 2>/dev/null & q=$!
		sleep "$(ms 400)"; stop_server -KILL; wait $p $q 2>/dev/null
		serve "$PORT" ;;
	3) # single saves, the client killed right after each was reported
		n=$((saved[$u] + 1))
		id=$(as $u account add --set name="$u $n 公司" --set industry=I65 --set contact_name=c --set phone_main="138$(printf %08d $n)" \
			--set need_type=product --set stage=first_contact --set external_id="$u-$n" --allow-duplicate test 2>"$W/err")
		if [ -n "$id" ]; then saved[$u]=$n; as $u account show "$id" >/dev/null || bad "a saved row is gone"; else bad "add: $(cat "$W/err")"; fi ;;
	esac
done
for u in li wang; do as $u -q sync || bad "sync of $u"; done; as hq -q sync || bad "sync of hq"
for u in li wang; do
	same "$(as $u --format tsv account list --all --fields external_id | sort | uniq | wc -l)" "${saved[$u]}" "$u: distinct rows"
	same "$(as $u --format tsv account list --all --fields external_id | wc -l)" "${saved[$u]}" "$u: rows"
	expect 0 as $u check
	expect 0 as $u status --check no-pending
done
same "$(as hq --format tsv account list --all --fields external_id | wc -l)" $((saved[li] + saved[wang])) "rows at headquarters"
expect 0 as hq check; stop_server; expect 0 d check
echo "$KILLS kills, $((saved[li] + saved[wang])) rows"
finish
