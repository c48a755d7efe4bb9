#!/bin/bash
# Demonstration data: without a server, the same again, never beside or instead
# of real data, and never sent anywhere.
. tests/e2e/lib.sh
s() {
	local got; "$SATCHEL" -C "$W/demo" --no-input "$@"; got=$?
	case " $* " in *" demo seed "*) [ $got != 0 ] || cheap "$W/demo/replica.keyring" "$W/demo/demo.passphrase" ;; esac
	return $got
}

expect 0 s --json demo seed --accounts 300 --days 120 --seed 5 --as-of 2026-01-15; has "$(flat <<<"$OUT")" '"accounts":300' "says what it made"
expect 6 s demo seed; has "$ERR" "demo reset" "not over what is there"
expect 0 s --json status; has "$OUT" '"demo": true' "it says so"; has "$OUT" "演示" "in the name, too"
has "$(flat <<<"$OUT")" '"conflicts":3,"duplicates":4' "what is to be settled"; has "$OUT" '"commits": 0' "nothing waits"
expect 0 s --json conflict list; same "$(grep -c '"key"' <<<"$OUT")" 3 "three conflicts"
expect 0 s --format tsv dedupe list; same "$(wc -l <<<"$OUT")" 4 "four duplicates"
expect 0 s --format csv --fields tags,phone_main account list --all; same "$(tail -n +2 <<<"$OUT" | grep -c 演示)" 300 "all marked"
same "$(tail -n +2 <<<"$OUT" | grep -vc ',100')" 0 "no number can be dialled"
expect 0 s account list --due overdue --all; [ "$(wc -l <<<"$OUT")" -gt 20 ] && ok || bad "some are overdue"
expect 0 s report run stage-distribution; expect 0 s search yunfan; expect 0 s check

# it is for working with
N=$(s --format tsv account list --limit 1 --fields number); expect 0 s account edit "$N" --set remark=改过; expect 0 s --json status; has "$OUT" '"commits": 1' "an own edit waits"
expect 9 s sync; has "$ERR" "demonstration" "and is never sent"; expect 9 s sync --watch; expect 9 s pool lease 5

# the same seed again
s --format csv --fields id,number,name,phone_main,stage,owner,next_follow_at,version account list --all --where 'remark!=改过' | sort >"$W/one"
expect 0 s demo reset; [ -e "$W/demo/replica.db" ] && bad "it is still there" || ok
expect 0 s demo seed -q --accounts 300 --days 120 --seed 5 --as-of 2026-01-15
s --format csv --fields id,number,name,phone_main,stage,owner,next_follow_at,version account list --all | sort >"$W/two"
same "$(comm -23 "$W/one" "$W/two" | wc -l)" 0 "equal seeds, equal data"
expect 0 s demo reset -q; expect 0 s demo seed -q --accounts 300 --days 120 --seed 6 --as-of 2026-01-15
s --format csv --fields id,name account list --all | sort >"$W/three"; same "$(comm -12 <(cut -d, -f1,3 "$W/two") "$W/three" | grep -vc '^id')" 0 "another seed, another company"
expect 0 s demo reset -q
expect 2 s demo seed --accounts 0; expect 2 s demo seed --accounts x; expect 2 s demo seed --as-of 2999-01-01; expect 10 s demo reset

# in English: the same company in other words
expect 0 s --json --lang en demo seed --accounts 300 --days 120 --seed 5 --as-of 2026-01-15; has "$(flat <<<"$OUT")" '"lang":"en"' "says so"
n=$(for k in account activity contact opportunity product; do s --format csv $k list --all; done | LC_ALL=C grep -c $'[\xe4-\xe9]'); same "$n" 0 "no Chinese in what people wrote"
expect 0 s --format csv --fields tags,phone_main,name account list --all; same "$(tail -n +2 <<<"$OUT" | grep -c demo)" 300 "all marked"; has "$OUT" "Co., Ltd." "companies"; same "$(tail -n +2 <<<"$OUT" | grep -vc ',100')" 0 "no number can be dialled"
expect 0 s --json status; has "$(flat <<<"$OUT")" '"conflicts":3,"duplicates":4' "as much to settle"; expect 0 s search cloud; expect 0 s check
s --format csv --fields id,phone_main,stage,owner,next_follow_at account list --all | sort >"$W/en"; s demo reset -q; s demo seed -q --accounts 300 --days 120 --seed 5 --as-of 2026-01-15
s --format csv --fields id,phone_main,stage,owner,next_follow_at account list --all | sort >"$W/zh"; same "$(cksum <"$W/en")" "$(cksum <"$W/zh")" "the same course of things"; expect 0 s demo reset -q

# real data is neither overwritten nor taken away
server_init; serve; d user add li --name li --role rep >/dev/null; enrol li
expect 6 as li demo seed; expect 9 as li demo reset; has "$ERR" "no demonstration" "says why"
expect 0 as li status
expect 0 s demo seed -q --accounts 30; expect 6 s init --invite "$(d device invite --user li)"; has "$ERR" "already" "a demonstration does not become a device"
finish
