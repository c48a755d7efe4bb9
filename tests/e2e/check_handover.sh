#!/bin/bash
# Work that comes late and work that is refused: merged and told, suggested and
# taken, sent again, handed over. Nothing anybody saved is lost on the way.
. tests/e2e/lib.sh
server_init; serve
d team add east --name East >/dev/null
for u in li:rep:east wang:rep:east boss:manager:east hq:hq:; do IFS=: read -r k r t <<<"$u"
	d user add "$k" --name "$k" --role "$r" ${t:+--team "$t"} >/dev/null || bad "user $k"; done
for u in li wang boss hq; do enrol $u; done

# --- the customer goes to wang while li is offline; her note comes in time
expect 0 as li account add --set name=远洋公司 "${ACC[@]}" --set phone_main=13812345678; A=$OUT
expect 0 as li -q sync; expect 0 as boss -q sync
expect 0 as boss account assign "$A" --to wang; expect 0 as boss -q sync; expect 0 as wang -q sync
expect 0 as li activity add "$A" --method phone --points "报价已发"
expect 0 as li account edit "$A" --set remark="周一回访"
expect 0 as li sync; has "$OUT" "late.2" "merged as late"
expect 5 as li account show "$A"; expect 0 as li api GET /v1/moved; has "$OUT" '"to": "wang"' "the stub names the new owner"
expect 0 as wang -q sync; expect 0 as wang account show "$A"; has "$OUT" "周一回访" "the late edit is there"
expect 0 as wang inbox; has "$OUT" "late" "and he is told"
expect 0 as wang --json inbox; same "$(flat <<<"$OUT" | grep -o '"late":\[[^]]*\]' | grep -o '"lsn"' | wc -l)" 2 "two late edits"
expect 0 as wang inbox seen; expect 0 as wang --json inbox; has "$(flat <<<"$OUT")" '"late":\[\]' "looked at"

# --- no grace any more: suggestions
expect 0 git -c safe.directory='*' clone -q "$W/server/templates.git" "$W/t"; rm -rf "$W/t/.git"
mkdir -p "$W/t/policy"; echo '{"grace_h": 0}' >"$W/t/policy/handover.json"
expect 0 d template publish "$W/t" -m "no grace"
for u in li wang boss; do expect 0 as $u -q sync; done
expect 0 as wang account add --set name=海天公司 "${ACC[@]}" --set phone_main=13912345678; B=$OUT
expect 0 as wang -q sync; expect 0 as boss -q sync
expect 0 as boss account assign "$B" --to li; expect 0 as boss -q sync; expect 0 as li -q sync
expect 0 as wang account edit "$B" --set remark="下周签约" --set city=合肥 --add tags=vip
expect 0 as wang contact add "$B" --set name=王强; C=$OUT
expect 0 as wang contact edit "$C" --set title=经理
expect 0 as wang sync; has "$OUT" "handed_over.3" "handed over"
expect 0 as wang sync log; has "$OUT" "handed_over" "and the author can read it"
expect 0 as wang sync pending; hasnt "$OUT" "handover" "nothing waits for him"
expect 0 as li -q sync; expect 0 as li account show "$B"; hasnt "$OUT" "下周签约" "not merged"
expect 0 as li handover list; same "$(wc -l <<<"$OUT")" 3 "three suggestions"
keys=$(as li handover list | cut -f1)
K1=$(for k in $keys; do as li handover show "$k" | grep -q remark && echo "$k"; done)
K2=$(for k in $keys; do as li handover show "$k" | grep -q 王强 && echo "$k"; done)
K3=$(for k in $keys; do as li handover show "$k" | grep -q 经理 && echo "$k"; done)
expect 0 as li handover show "$K1"; has "$OUT" "remark.*下周签约" "field by field"; has "$OUT" "city.*合肥" "field by field"
expect 2 as li handover accept "$K1" --field nosuch
expect 0 as li handover accept "$K1" --field remark --field tags
expect 0 as li account show "$B"; has "$OUT" "下周签约" "accepted"; hasnt "$OUT" "合肥" "and no more than that"
expect 5 as li contact show "$C"; expect 0 as li handover accept "$K2"; expect 0 as li contact show "$C"
expect 2 as li handover decline "$K3"; expect 0 as li handover decline "$K3" --reason "已离职"
expect 0 as li handover list; same "$OUT" "" "answered"
expect 0 as li audit log; has "$OUT" "handover.decline" "the reason is kept"
expect 0 as li -q sync; expect 0 as boss -q sync; expect 0 as boss handover list; same "$OUT" "" "answered for everybody"
expect 0 as wang -q sync; expect 0 as wang inbox; has "$OUT" "accepted" "who suggested it hears of it"
expect 0 as wang --json inbox; same "$(flat <<<"$OUT" | grep -oE '"what":"(accepted|declined)"' | sort | uniq -c | tr -d ' \n')" '2"what":"accepted"1"what":"declined"' "each answer, by name"
has "$(flat <<<"$OUT")" '"by":"li"' "who answered"
expect 0 as wang inbox seen; expect 0 as wang --json inbox; has "$(flat <<<"$OUT")" '"news":\[\]' "read"
expect 0 as boss contact show "$C"; has "$OUT" "王强" "the manager has it"

# --- refused: seen beside the server's value, sent again, handed over, discarded
expect 0 as boss account add --set name=北方公司 "${ACC[@]}" --set phone_main=13712345678; D=$OUT
expect 0 as boss opportunity add "$D" --set name=一期 --set owner=li; O=$OUT
expect 0 as boss -q sync; expect 0 as li -q sync; expect 0 as hq -q sync
expect 9 as li account edit "$D" --set remark="不是我的"
expect 0 as boss account assign "$D" --to wang; expect 0 as hq account assign "$D" --to li
expect 0 as hq -q sync; expect 3 as boss sync; has "$OUT" "rejected.1" "the second one loses"
expect 0 as boss --json sync pending; P=$(flat <<<"$OUT")
has "$P" '"code":"owner.stale"' "why"; has "$P" '"hint_code":"USE_VALUE"' "what to do"; has "$P" '"hint_arg":"li"' "with the value"
has "$P" '"value":"wang"' "the refused value"; has "$P" '"server_value":"li"' "the server's beside it"
Q=$(as boss --json sync pending | flat | grep -o '"refused":\[{"id":[0-9]*' | grep -o '[0-9]*$')
expect 0 as boss sync retry "$Q"; expect 0 as boss sync; has "$OUT" "accepted.1" "sent again, it counts"
expect 0 as boss account show "$D"; has "$OUT" "wang" "the owner"
expect 0 as boss sync log; has "$OUT" "retried" "what became of it"
expect 5 as boss sync retry "$Q"
# again refused, this time handed over
expect 0 as boss account assign "$D" --to li; expect 0 as hq -q sync; expect 0 as hq account assign "$D" --to hq; expect 0 as hq -q sync
expect 3 as boss sync; Q=$(as boss --json sync pending | flat | grep -o '"refused":\[{"id":[0-9]*' | grep -o '[0-9]*$')
expect 0 as boss sync handover "$Q" --note "请总部决定"; expect 0 as boss sync
expect 0 as boss status --check no-pending
expect 0 as hq -q sync; expect 0 as hq handover list; has "$OUT" "请总部决定" "headquarters is asked"
expect 0 as hq handover accept "$(cut -f1 <<<"$OUT")"; expect 0 as hq -q sync; expect 0 as hq account show "$D"; has "$OUT" "li" "and decides"
for u in li wang boss hq; do expect 0 as $u -q sync; expect 0 as $u check; done
expect 0 d check; expect 0 d audit verify
finish
