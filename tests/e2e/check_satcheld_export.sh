#!/bin/bash
# satcheld export: every record as a JSON line, in parts while devices are served;
# a reason that the audit log keeps; whole or masked; a file for its owner alone.
. tests/e2e/lib.sh
server_init; serve; d team add east --name East >/dev/null
d user add li --name Li --role rep --team east >/dev/null; d user add hq --name Hq --role hq --team east >/dev/null; enrol li; enrol hq
A=$(as li account add --set name=云帆科技 --set phone_main=13812345678 "${ACC[@]}"); as li activity add "$A" --method phone --points "asked \"twice\"" >/dev/null
B=$(as li account add --set name=远洋 --set phone_main=13812345679 "${ACC[@]}"); as li -q sync; as hq -q sync; as hq --yes account delete "$B" >/dev/null; as hq -q sync

# ---- a reason, and what is exported ----------------------------------------------------
expect 2 d export account; has "$ERR" "--reason" "says what is missing"; expect 2 d export account --reason ""; expect 2 d export
expect 5 d export nonsense --reason x; expect 2 d export account --format csv --reason x; has "$ERR" "satchel export" "where csv is made"
expect 0 d export account --reason "yearly audit"; same "$(wc -l <<<"$OUT")" 2 "a line each"
has "$OUT" "\"type\":\"account\",\"id\":\"$A\",.*\"deleted\":false.*\"name\":\"云帆科技\".*\"phone_main\":\"[+]8613812345678\"" "whole"; has "$OUT" "\"id\":\"$B\",.*\"deleted\":true" "deleted ones say so"
expect 0 d export all --mask --reason "test data"; has "$OUT" '"phone_main":"[^"]*5678"' "masked"; hasnt "$OUT" "13812345678" "no phone"; has "$OUT" '"type":"activity"' "every kind"; has "$OUT" 'asked \\"twice\\"' "as JSON"
expect 0 d audit log; has "$OUT" "export account: yearly audit" "the reason is kept"; has "$OUT" "export all --mask: test data" "and that it was masked"; same "$(grep -c "	export" <<<"$OUT")" 2 "a row each"

# ---- a file -----------------------------------------------------------------------------
expect 0 d export account -o "$W/a.jsonl" --reason x; same "$(wc -l <"$W/a.jsonl")" 2 "into a file"; same "$(stat -c %a "$W/a.jsonl")" 600 "for its owner alone"; same "$OUT" "" "and nothing else is printed"
expect 5 d export account -o "$W/none/a.jsonl" --reason x; expect 5 d export nonsense -o "$W/b.jsonl" --reason x; [ -e "$W/b.jsonl" ] || [ -e "$W/b.jsonl.tmp" ] && bad "half a file stayed" || ok

# ---- in parts ------------------------------------------------------------------------------
{ echo "name,phone_main,industry,contact_name,need_type,stage,remark"; pad=$(printf 'x%.0s' $(seq 1500))
  for i in $(seq 10000 13999); do echo "Works $i,137000$i,I65,Wang,solution,first_contact,$pad"; done; } >"$W/many.csv"
expect 0 as hq -q import "$W/many.csv" --type account; expect 0 as hq -q sync
expect 0 d export account -o "$W/served" --reason x; same "$(wc -l <"$W/served")" 4002 "all parts, while it serves"
same "$(grep -o '"id":"[^"]*"' "$W/served" | sort -u | wc -l)" 4002 "each once"; hasnt "$(tail -c 200 "$W/served")" "more" "no trace of the parts"
[ "$(stat -c %s "$W/served")" -gt 8000000 ] && ok || bad "$(stat -c %s "$W/served") bytes are one part"
stop_server; expect 0 d export account -o "$W/alone" --reason x; same "$(cmp "$W/served" "$W/alone" && echo same)" same "the same without a server that runs"
finish
