#!/bin/bash
# Two representatives make the same customer offline; a manager makes one of the
# two, late work follows, and it is taken apart again.
. tests/e2e/lib.sh
server_init; serve
d team add east --name East >/dev/null
d user add li --name "Li Na" --role rep --team east >/dev/null
d user add wu --name "Wu Bo" --role rep --team east >/dev/null
d user add boss --name Boss --role manager --team east >/dev/null
enrol li; enrol wu; enrol boss
for u in li wu boss; do as $u -q sync; done

# offline, each of them: nobody's insert is refused
expect 0 as li account add --set name=上海云帆科技有限公司 --set phone_main=13812345678 --set tags=vip "${ACC[@]}"
expect 0 as wu account add --set name=上海云帆科技 --set phone_main=138-1234-5678 --set city=上海 --set tags=fair "${ACC[@]}"
expect 0 as li activity add "$(as li --format tsv account list --fields id)" --method phone --points "first call"
expect 0 as wu activity add "$(as wu --format tsv account list --fields id)" --method visit --points "first visit"
for u in li wu boss; do expect 0 as $u -q sync; done
A=$(as li --format tsv account list --fields id | head -1); B=$(as wu --format tsv account list --fields id | head -1)
same "$(total boss account)" 2 "both are there"

# the manager holds both and is asked; certain by phone and name
expect 20 as boss dedupe list --check; has "$OUT" "85" "score"
expect 0 as boss --json dedupe list; has "$OUT" '"strength": "strong"' "strength"
expect 0 as boss --json inbox; has "$OUT" '"duplicates": \[' "inbox"
expect 0 as boss --json status; has "$(flat <<<"$OUT")" "\"duplicates\":1" "counted in the status"
P=$(as boss --json dedupe list | grep -o '"key": "[0-9a-f]*"' | cut -d'"' -f4)
expect 9 as li account merge "$A" "$A"
expect 0 as boss account merge "$B" "$A"; has "$ERR" "both owners keep it" "owners"
expect 6 as boss account merge "$A" "$B"; has "$ERR" "one customer already" "circle"
same "$(total boss account)" 1 "one is left"
expect 0 as boss dedupe list --check

# wu, who has not heard of it, goes on with his
expect 0 as wu account edit "$B" --set remark="asked for a quote" --add visit_count=2
expect 0 as boss -q sync; expect 0 as wu -q sync; expect 0 as li -q sync; expect 0 as boss -q sync
for u in li wu boss; do
	expect 0 as $u --json account show "$B"; one=$(flat <<<"$OUT")
	has "$one" "\"id\":\"$A\"" "$u finds the winner by the loser's id"
	has "$one" '"remark":"askedforaquote"' "$u has the late work"
	has "$one" '"visit_count":2' "$u has the late count"
	has "$one" '"city":"上海"' "$u has what was empty"
	has "$one" '"vip"' "$u: tags united"; has "$one" '"fair"' "$u: tags united"
	has "$one" '"owners_differ":true' "$u: owners"
	same "$(total $u account)" 1 "$u: one customer"
	same "$(total $u activity --account "$B")" 2 "$u: both timelines"
	expect 0 as $u check
done
N=$(as boss --json account list --merged | grep -o '"number": "[^"]*"' | cut -d'"' -f4)
expect 0 as li account show "$N"; has "$OUT" "云帆" "the old number finds it"

# the manager decides the owner: the other one loses it
expect 0 as boss account assign "$A" --to li
for u in boss wu li; do expect 0 as $u -q sync; done
same "$(total wu account)" 0 "wu has it no more"; same "$(total li activity)" 2 "li has all of it"
expect 0 as wu check

# apart again
expect 0 as boss account unmerge "$N"
for u in boss li wu; do expect 0 as $u -q sync; done
same "$(total boss account)" 2 "two again"
expect 0 as boss --json account show "$A"; one=$(flat <<<"$OUT")
has "$one" '"city":null' "the winner has what it had"; hasnt "$one" '"fair"' "tags of the other"
expect 0 as boss --json account show "$B"; has "$(flat <<<"$OUT")" '"remark":"askedforaquote"' "the other has its own"

# dismissed: nobody is asked again, on no device
expect 0 as boss dedupe list; has "$OUT" "$P" "asked again"
expect 0 as boss dedupe dismiss "$P" --reason "two branches"
expect 0 as boss dedupe list --check
expect 0 as boss -q sync; expect 0 as li -q sync
expect 0 as li dedupe list --check

# two teams: nobody but headquarters sees both; the owners are told, no more
d team add west --name West >/dev/null
d user add sue --name Sue --role rep --team west >/dev/null; d user add hq --name HQ --role hq >/dev/null
enrol sue; enrol hq; as sue -q sync
expect 0 as sue account add --set name=别的名字 --set phone_main=13812345678 --set remark=SECRETREMARK "${ACC[@]}"
for u in sue li; do expect 0 as $u -q sync; done; expect 0 as li -q sync
expect 0 as li --json dedupe list; one=$(flat <<<"$OUT")
has "$one" '"b":null,"owned_by":"sue"' "told of the other owner"; has "$one" 'phone_main' "by which field"
hasnt "$one" '别的名字|SECRETREMARK' "nothing else of it"
expect 0 as sue --json dedupe list; has "$(flat <<<"$OUT")" '"owned_by":"li"' "so is the other one"
expect 9 as li dedupe merge "$(as li --json dedupe list | grep -o '"key": "[0-9a-f]*"' | cut -d'"' -f4)"
expect 0 as hq -q sync
P=$(as hq --json dedupe list | tr -d ' \n' | grep -o '"key":"[0-9a-f]*","kind":"account","score":80' | head -1 | cut -d'"' -f4)
expect 0 as hq dedupe merge "$P"; expect 0 as hq -q sync; expect 0 as li -q sync
expect 0 as li dedupe list --check
expect 0 as li account list --q SECRETREMARK; has "$OUT" "云帆" "words of the loser find the winner"
for u in li wu boss sue hq; do expect 0 as $u check; done
d audit verify >/dev/null 2>"$W/err" && ok || bad "audit verify: $(cat "$W/err")"
finish
