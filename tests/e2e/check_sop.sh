#!/bin/bash
# The procedures of a template: as a document, as a checklist, as entry
# conditions, as conformance; the data dictionary; lint of a folder.
. tests/e2e/lib.sh
server_init; serve
d team add t1 --name 一组 >/dev/null; d user add li --name 李 --role rep --team t1 >/dev/null
d user add mg --name 经理 --role manager --team t1 >/dev/null
enrol li; enrol mg
A=$(as li account add --set name=江河机械 --set industry=I65 --set contact_name=x --set phone_main=13812340001 --set need_type=product)
expect 0 as li sop list --json; has "$(flat <<<"$OUT")" '"key":"sales","version":"1.0","kind":"opportunity"' "the sales procedure"
expect 0 as li sop export --lang zh; has "$OUT" "标准销售流程" "in Chinese"; has "$OUT" "进入条件" "entry conditions"; has "$OUT" "经理与专家共同审批" "approvals"; has "$OUT" "首次响应" "follow-up"
expect 0 as li sop export --format html --lang en -o "$W/sop.html"; has "$(cat "$W/sop.html")" "Standard sales procedure" "in English"; has "$(cat "$W/sop.html")" "</html>" "a whole page"; expect 2 as li sop export --format doc
# the checklist and the version on the record
O=$(as li opportunity add "$A" --set name=大单); P=$(as li opportunity add "$A" --set name=急单)
expect 0 as li --json opportunity show "$O"; has "$OUT" '"sop": "sales@1.0"' "the version it is worked by"
expect 0 as li sop show "$O" --json; has "$(flat <<<"$OUT")" '"item":"first_contact.who".*"done":false' "its checklist"
expect 0 as li sop check "$O" first_contact.who first_contact.source --json; has "$(flat <<<"$OUT")" '"item":"first_contact.who",[^}]*}[^}]*},"required":true,"done":true' "done"
expect 5 as li sop check "$O" first_contact.nonsense; expect 5 as li sop show zzzzzzzz
# flagged: nobody was in touch, and the list is not done
expect 0 as li opportunity stage "$P" need_confirmed; has "$ERR" "flagged: entry.follow" "and said so"; expect 0 as li --json opportunity show "$P"; has "$OUT" 'need_confirmed [^"]*!entry.follow' "flagged"
expect 0 as li activity add "$A" --method phone --points 谈需求
expect 0 as li opportunity stage "$O" need_confirmed; expect 0 as li --json opportunity show "$O"; hasnt "$OUT" '!entry' "all was there"
expect 0 as li sop conformance --json; has "$(flat <<<"$OUT")" '"records":2,"conform":1,"percent":50' "one of two"; has "$(flat <<<"$OUT")" '"title":"急单".*"flagged":"need_confirmed"' "and which is not"
expect 0 as li sync; expect 0 as mg sync; same "$(as mg --json sop conformance | flat)" "$(as li --json sop conformance | flat)" "the manager's device says the same"
# refused: the company wants it so
cp -r common/template/base "$W/t"; sed -i '0,/"enforce": "flag"/s//"enforce": "refuse"/' "$W/t/flows/sales.json"; sed -i 's/"version": "1.0.0"/"version": "1.0.1"/' "$W/t/template.json"
expect 0 as li template lint "$W/t" --strict; expect 0 d template publish "$W/t" -m strict; expect 0 as li sync
Q=$(as li opportunity add "$A" --set name=新单); expect 7 as li opportunity stage "$Q" need_confirmed; has "$ERR" "entry.checklist" "refused, and why"
expect 0 as li sop check "$Q" first_contact.who first_contact.source; expect 0 as li opportunity stage "$Q" need_confirmed
expect 0 as li sync; expect 0 as li status --json; has "$(flat <<<"$OUT")" '"rejected":0' "the server agrees"
# data dictionary
expect 0 as li schema dump; has "$(flat <<<"$OUT")" '"schema":"satchel/schema.dump/1"' "as JSON"; has "$(flat <<<"$OUT")" '"key":"phone_main"' "every field"; has "$(flat <<<"$OUT")" '"name":"lost_reason"' "every dictionary"
expect 0 as li schema dump --format md --lang zh; has "$OUT" "数据字典" "as Markdown"; has "$OUT" "客户名称" "labels"; expect 2 as li schema dump --format xml
# lint
expect 0 as li template lint; expect 5 as li template lint "$W/none"
sed -i '0,/"key": "remark",/s//"key": "remark", "sensitivity": "pii",/' "$W/t/fields/account.json"; expect 7 as li template lint "$W/t"; expect 20 as li template lint "$W/t" --strict; has "$OUT" "purpose" "a personal field needs a purpose"
sed -i 's/"stage": "won"/"stage": "wonn"/' "$W/t/flows/sales.json"; expect 7 as li template lint "$W/t"; has "$ERR" "flows/sales.json" "a misspelt stage"
for p in common/template/packs/*; do expect 0 as li template lint "$p" --overlay; done
finish
