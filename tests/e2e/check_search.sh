#!/bin/bash
# Search: characters, pinyin, initials, the end of a phone, numbers, across
# kinds and people; what is masked, deleted, merged or erased.
. tests/e2e/lib.sh
server_init; serve
d team add north --name North >/dev/null; d team add south --name South >/dev/null
d user add hq --name HQ --role hq >/dev/null; d user add boss --name Boss --role manager --team north >/dev/null
for u in li wu; do d user add $u --name $u --role rep --team north >/dev/null; done
for u in hq boss li wu; do enrol $u; done
THROUGH_DAEMON=1 # one process per person: a passphrase costs more than a search
first() { as "$1" --json search "${@:2}" | flat | grep -o '"title":"[^"]*"' | head -1 | cut -d'"' -f4; }
add() { as li account add --set "name=$1" "${ACC[@]}" --set "contact_name=$2" --set "phone_main=$3" | tail -1; }

A=$(add 重庆华为技术有限公司 单雄信 13812345678); B=$(add 长沙银行 曾国藩 13912340000)
C=$(add "Acme（上海）" 仇英 13712349999); D=$(add 解放重工 解缙 13612348888)
for q in 华为 華為 huawei cqhw chongqing hwjs 单雄信 shanxx 5678 13812345678 "138 1234 5678" "＋86 13812345678"; do same "$(first li "$q")" 重庆华为技术有限公司 "$q"; done
for q in 长沙 changsha csyh yinhang zenggf zengguofan 曾; do same "$(first li "$q")" 长沙银行 "$q"; done
for q in acme ACME ＡＣＭＥ "上海 acme" qiuying; do same "$(first li $q)" "Acme（上海）" "$q"; done
for q in xiejin jiefang zhonggong; do same "$(first li $q)" 解放重工 "$q"; done
N=$(as li --json account show "$A" | grep -o '"number": "[^"]*"' | head -1 | cut -d'"' -f4)
same "$(first li "$N")" 重庆华为技术有限公司 "its number"
expect 0 as li search 没有这个; same "$OUT" "" "nothing is found"
expect 2 as li search; expect 2 as li search " "; expect 2 as li search x --limit 0
expect 5 as li search x --type nokind
expect 0 as li --json search hua --limit 1; has "$(flat <<<"$OUT")" '"match":"pinyin"' "says how"; has "$(flat <<<"$OUT")" '"ranges":\[\[2,1\]\]' "and where"

# across kinds; other texts only when the kind is named
expect 0 as li contact add --set account="$B" --set name=左宗棠 --set phone=13512347777; expect 0 as li activity add "$B" --method phone --points "谈到绿茶报价"
expect 0 as li --json search zuozt; has "$(flat <<<"$OUT")" '"type":"contact".*"parent_title":"长沙银行"' "a contact and its customer"
expect 0 as li --json search 7777 --type account; hasnt "$OUT" 左宗棠 "another kind"
expect 0 as li --json search 绿茶; hasnt "$OUT" 报价 "prose is not looked through"; expect 0 as li --json search 绿茶 --type activity; has "$OUT" 报价 "unless asked"
expect 0 as li account list --q cqhw; has "$OUT" 华为 "a list searches the same way"
expect 0 as li account edit "$C" --set remark=喜欢红酒; expect 0 as li account list --q 红酒; has "$OUT" Acme "and in remarks"
expect 0 as li account list --where 'text~changsha'; has "$OUT" 长沙 "in a condition, too"

# changes, also of other people's
expect 0 as li account edit "$A" --set name=成都中兴; expect 0 as li search huawei; hasnt "$OUT" 中兴 "the old name is forgotten"; same "$(first li zhongxing)" 成都中兴 "the new one found"
expect 0 as li sync; for u in hq boss; do expect 0 as $u sync; same "$(first $u zhongxing)" 成都中兴 "$u finds it"; done
expect 0 as boss account edit "$A" --set name=武汉烽火; expect 0 as boss sync; expect 0 as li sync
same "$(first li fenghuo)" 武汉烽火 "an edit of another person"; expect 0 as li search 中兴; same "$OUT" "" "not by what it was"

# through a pool only what is shown
expect 0 as li pool release "$D" --reason x; expect 0 as li sync; expect 0 as wu sync
expect 0 as wu search 8888; same "$OUT" "" "no phone of a pool is found"; expect 0 as wu search 13612348888; same "$OUT" "" "nor by trying"; expect 0 as hq sync; same "$(first hq 8888)" 解放重工 "headquarters finds it"

# deleted, merged, erased
expect 0 as boss account delete "$C" --yes; expect 0 as boss search acme; same "$OUT" "" "a deleted one"; expect 0 as boss account restore "$C"; same "$(first boss acme)" "Acme（上海）" "and again"
expect 0 as boss account merge "$C" "$B"; expect 0 as boss --json search acme; has "$(flat <<<"$OUT")" '"title":"长沙银行".*"merged":true' "its words find the heir"; expect 0 as boss sync
for u in li hq boss wu; do expect 0 as $u check; done
d user add chief --name Chief --role hq --team north >/dev/null; enrol chief
expect 0 as hq privacy erase "$B" --reason "request 1" ; expect 0 as chief sync; expect 0 as chief --yes privacy confirm "$B"
for u in li hq boss; do expect 0 as $u sync; for q in 长沙 csyh 曾国藩 zuozt 7777 acme; do expect 0 as $u search $q; same "$OUT" "" "$u: nothing of an erased customer ($q)"; done; done
for u in li hq boss; do expect 0 as $u check; done
finish
