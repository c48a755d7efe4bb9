#!/bin/bash
# The verbs a person misses when they are not there: undo, show, amend, feed,
# mentions, selftest, doctor, config, @last, --request-id.
. tests/e2e/lib.sh
one_day; server_init; serve
d team add east --name East >/dev/null
for u in li:rep:east wang:rep:east boss:manager:east; do IFS=: read -r k r t <<<"$u"
	d user add "$k" --name "$k" --role "$r" --team "$t" >/dev/null || bad "user $k"; done
for u in li boss; do enrol $u; done

# --- show, undo
expect 0 as li account add --set name=远洋公司 "${ACC[@]}" --set phone_main=13812345671; I=$OUT
expect 0 as li account edit "$I" --set remark=one --set city=福州 --set tags=vip
expect 0 as li account edit "$I" --set remark=two --set city=厦门
expect 0 as li --json show last; has "$(flat <<<"$OUT")" '"schema":"satchel/commit/1"' "show"; has "$(flat <<<"$OUT")" '"field":"remark","value":"two"' "what it wrote"
expect 0 as li undo; has "$OUT" "put back	account	remark	one" "undo: remark"; has "$OUT" "put back	account	city	福州" "undo: city"
expect 0 as li --json account show "$I"; has "$OUT" '"remark": "one"' "the value before"
# and after a sync, with a later change of one field by somebody else
expect 0 as li account edit "$I" --set remark=three --set city=泉州 --add tags=new
C=$(as li --format tsv log --limit 1 | cut -f1)
expect 0 as li -q sync; expect 0 as boss -q sync
expect 0 as boss account edit "$I" --set city=漳州; expect 0 as boss -q sync; expect 0 as li -q sync
expect 3 as li --json undo "$C"; U=$(flat <<<"$OUT")
has "$U" '"field":"remark","value":"three","now":"one"' "remark is back"; has "$U" '"field":"city","value":"泉州","reason":"changed"' "what boss changed stays"
expect 0 as li --json account show "$I"; has "$OUT" '"city": "漳州"' "boss's city"; hasnt "$(flat <<<"$OUT")" '"tags":\[[^]]*"new"' "the tag is gone again"
expect 6 as li undo "$C"; has "$ERR" "nothing of it" "twice: nothing to put back"
expect 5 as li show 9-9-999; expect 5 as li undo 99999999; expect 2 as li show; expect 5 as li log nosuch; has "$ERR" "no record called" "of no kind"
# a new record goes away, one with others below it does not
expect 0 as boss account add --set name=新公司 "${ACC[@]}" --set phone_main=13812345672; N=$OUT
expect 0 as boss undo; expect 0 as boss --json account show "$N"; has "$OUT" '"deleted": true' "undo of a new customer"
expect 0 as boss undo; expect 0 as boss --json account show "$N"; hasnt "$OUT" '"deleted": true' "and the undo undone"
C=$(as boss --format tsv log --limit 3 | tail -1 | cut -f1)
expect 0 as boss contact add "$N" --set name=王强; expect 6 as boss undo "$C"
expect 0 as li account add --set name=新公司 "${ACC[@]}" --set phone_main=13812345673
expect 9 as li undo; has "$ERR" "account.delete" "a right of its own"
expect 0 as boss -q sync; same "$(as boss --json status | grep -o '"rejected": [0-9]*')" '"rejected": 0' "the server took all of it"
expect 0 as li -q sync; same "$(as li --json status | grep -o '"rejected": [0-9]*')" '"rejected": 0' "the server took all of it"

# --- a follow-up is corrected by a new one
expect 0 as li activity add "$I" --method phone --points "asked for a quote"; A=$OUT
counted() { as li --json report run followed-customers --period "$(here +%Y-%m)" | flat | grep -o '"rows":\[\[[0-9,]*'; }
N=$(counted); [ -n "$N" ] || bad "nothing is counted"
expect 0 as li --json activity amend "$A" --points "asked for two quotes"; J=$(flat <<<"$OUT")
has "$J" "\"amends\":\"$A\"" "it names the one it corrects"; has "$J" '"points":"askedfortwoquotes"' "what is new"; has "$J" '"method":"phone"' "what stays"
same "$(counted)" "$N" "a correction is not counted as one more"
expect 0 as li --json activity list --since 1h; has "$OUT" "two quotes" "lately"; expect 0 as li --json activity list --since 2099-01-01; has "$OUT" '"total": 0' "not yet"; expect 2 as li activity list --since soon
expect 0 as li survey add "$I" --set survey=q1 --set score=4; S=$OUT; expect 0 as li --json survey list; has "$OUT" "$S" "an answer to a survey"; expect 0 as li --json response show "$S"; expect 0 as li survey show "$S"
expect 2 as li activity amend "$A"; expect 5 as li activity amend 01zzzzzzzzzz --points x
expect 6 as li undo; has "$ERR" "nothing of it" "a follow-up is not undone"

# --- R-056: who is mentioned is told after the sync, once
expect 0 as li comment add "$I" --set text="@boss 请看一下报价"
expect 0 as li comment add "$I" --set text="@bossy is somebody else, boss@x.cn a mail"
expect 0 as li comment add "$I" --set text="see above" --set mentions=wang,boss
expect 0 as li -q sync; expect 0 as boss -q sync
expect 0 as boss --json inbox; same "$(grep -c '"by": "li"' <<<"$OUT")" 2 "R-056 two mentions"; has "$OUT" '"text": "@boss 请看一下报价"' "R-056 what was said"
expect 0 as li --json inbox; hasnt "$OUT" '"by": "li"' "R-056 not to oneself"
expect 0 as boss inbox; has "$OUT" "mention	[0-9]+	@boss" "R-056 a line in the inbox"
expect 0 as boss inbox seen; expect 0 as boss --json inbox; hasnt "$OUT" '"by": "li"' "R-056 seen is seen"

# --- R-057: what the team did
expect 0 as li opportunity add "$I" --set name=二期 --set amount=50万; O=$OUT
expect 0 as li opportunity stage "$O" need_confirmed; expect 0 as li -q sync; expect 0 as boss -q sync
expect 0 as boss --json feed; F=$(flat <<<"$OUT")
has "$F" '"schema":"satchel/feed/1"' "R-057 feed"; has "$F" '"user":"li","what":"stage","stage":"need_confirmed","kind":"opportunity"' "R-057 a stage was reached"
has "$F" '"kind":"comment"' "R-057 comments"; has "$F" '"customer":"远洋公司"' "R-057 and of which customer"
expect 0 as boss --json feed --user boss; hasnt "$OUT" '"user": "li"' "R-057 one person"; has "$OUT" '"user": "boss"' "R-057 his own"
expect 0 as boss --json feed --day today; has "$OUT" '"user": "li"' "R-057 today"; expect 0 as boss --json feed --day 2020-01-01; hasnt "$OUT" '"user"' "R-057 another day"
expect 2 as boss feed --day sometime; expect 5 as boss feed --user nobody
expect 0 as boss --json feed --limit 2; same "$(grep -c '"what"' <<<"$OUT")" 2 "R-057 the newest two"

# --- selftest: without a replica, leaves nothing behind
mkdir -p "$W/tmp"; export TMPDIR=$W/tmp
expect 0 "$SATCHEL" -C "$W/none" --json selftest --quick; F=$(flat <<<"$OUT")
expect 0 "$SATCHEL" -C "$W/none" --json bench --rows 20; has "$(flat <<<"$OUT")" '"check":"save","ok":true,"ms":[0-9]+' "bench"; has "$OUT" '"rows": 20' "as many customers"; expect 2 "$SATCHEL" -C "$W/none" bench --rows 3
has "$F" '"schema":"satchel/selftest/1"' "selftest"; same "$(grep -o '"ok":true' <<<"$F" | grep -c .)" 10 "selftest: nine steps and all of it"
same "$(ls "$W/tmp")" "" "selftest leaves nothing behind"
TMPDIR=$W/nowhere expect 5 "$SATCHEL" -C "$W/none" selftest --quick; has "$ERR" "cannot make" "selftest says why"
unset TMPDIR

# --- doctor
expect 0 as li --json doctor --security; F=$(flat <<<"$OUT"); has "$F" '"schema":"satchel/doctor/1"' "doctor"; has "$F" '"failures":0' "doctor finds nothing broken"
has "$F" '"check":"keyring","state":"ok"' "doctor: keyring"; has "$F" '"check":"swap"' "doctor --security"
chmod 644 "$W/r/li/replica.keyring"; expect 0 as li doctor; has "$OUT" "keyring	warn	access mode 0644	take" "doctor: who may read the keyring"; chmod 600 "$W/r/li/replica.keyring"
expect 0 as li -q doctor --bundle "$W/bundle.json"; has "$(cat "$W/bundle.json")" '"check": "database"' "doctor --bundle"
hasnt "$(cat "$W/bundle.json")" '远洋|13812345671|"li"' "doctor: no customer and no name in the bundle"; same "$(stat -c %a "$W/bundle.json")" 600 "doctor: its file is the owner's"
expect 1 as li -q doctor --bundle "$W/bundle.json"; expect 10 "$SATCHEL" -C "$W/none" doctor

# --- @last: what this device wrote last, of the kind asked for
expect 0 as boss account add --set name=末班公司 "${ACC[@]}" --set phone_main=13812345679; L=$OUT
expect 0 as boss contact add @last --set name=赵敏; K=$OUT
expect 0 as boss --json contact show @last; has "$OUT" "\"id\": \"$K\"" "@last contact"
expect 0 as boss --json account show @last; has "$OUT" "\"id\": \"$L\"" "@last account"
expect 0 as boss account edit @last --set remark=x; expect 5 as boss ticket show @last

# --- --request-id: sent again, done once
expect 0 as boss --request-id r1 contact add "$L" --set name=一次; R=$OUT
expect 0 as boss --request-id r1 contact add "$L" --set name=一次; same "$OUT" "$R" "--request-id: the same answer"
same "$(as boss --json contact list --where 'name=一次' | grep -o '"total": [0-9]*')" '"total": 1' "--request-id: one record"
expect 6 as boss --request-id r1 contact add "$L" --set name=两次; has "$ERR" "used for something else" "--request-id: of another request"
expect 7 as boss --request-id r2 contact add "$L" --set phone=12; expect 7 as boss --request-id r2 contact add "$L" --set phone=12
expect 2 as boss --request-id "" contact add "$L" --set name=x
expect 0 as boss --request-id r3 account assign "$L" "$I" --to boss; A=$OUT; expect 0 as boss --request-id r3 account assign "$L" "$I" --to boss; same "$OUT" "$A" "--request-id: two writes of one command"

# --- small ones
expect 0 "$SATCHEL" -C "$W/none" --json version; has "$OUT" '"schema":"satchel/version/1"' "version"
expect 0 as boss --json sync pending; hasnt "$OUT" '"data": \[\]' "something waits"
expect 0 as boss --json sync pending --limit 1; same "$(grep -c '"commit"' <<<"$OUT")" 1 "sync pending --limit"; expect 2 as boss sync pending --limit x
finish
