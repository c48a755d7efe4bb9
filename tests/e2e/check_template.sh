#!/bin/bash
# A living template: stock git reads its history, a change reaches devices, a
# bad one is refused with the place, work made under the old one still counts.
. tests/e2e/lib.sh
server_init; serve
d user add hq --name HQ --role hq >/dev/null; d user add li --name Li --role rep >/dev/null; enrol hq; enrol li
G="git -c gpg.ssh.allowedSignersFile=$W/server/allowed_signers -c safe.directory=* -c advice.detachedHead=false"
expect 0 $G clone -q "$W/server/templates.git" "$W/t"
expect 0 $G -C "$W/t" log --oneline; expect 0 $G -C "$W/server/templates.git" fsck --full --strict
if command -v ssh-keygen >/dev/null; then expect 0 $G -C "$W/t" verify-commit HEAD; fi
T=$W/t; rm -rf "$T/.git"

# work under the first template, not yet synced
expect 0 as li account add --set name=丙公司 "${ACC[@]}" --set phone_main=13812345678; A=$OUT

# a new field, a new option, a new report label
sed -i 's|^    {"id": 2, "key": "name"|    {"id": 900, "key": "wechat_group", "label": {"zh": "微信群", "en": "WeChat group"}, "type": "text", "max_len": 60},\n&|' "$T/fields/account.json"
expect 0 d template publish "$T" -m "add the WeChat group"
expect 7 as hq account add --set wechat_group=x; has "$ERR" "wechat_group" "not known before the sync"
expect 0 as hq sync; has "$OUT" "template_changed" "the sync says so"
expect 0 as hq schema account; has "$OUT" "wechat_group" "the field is there"
expect 0 as hq template verify; has "$OUT" "add the WeChat group" "history on the device"
expect 0 as li sync; has "$OUT" "rejected.0" "work under the old template counts"
expect 0 as li account edit "$A" --set wechat_group=丙公司采购群; expect 0 as li sync; expect 0 as hq sync
expect 0 as hq account show "$A"; has "$OUT" "丙公司采购群" "the new field travels"
expect 0 d template log; has "$OUT" "good.*add the WeChat group" "log"; expect 0 d template verify

# refused: no JSON, a lint error, a type change; the tip stays
tip=$(d template log | head -1 | cut -f1)
cp "$T/fields/account.json" "$W/good.json"
echo '{"fields": [' >"$T/fields/account.json"; expect 7 d template publish "$T" -m bad; has "$ERR" "fields/account" "names the document"
sed 's|"key": "wechat_group", \(.*\)"type": "text"|"key": "wechat_group", \1"type": "int"|; s|, "max_len": 60},$|},|' "$W/good.json" >"$T/fields/account.json"
expect 7 d template publish "$T" -m bad; has "$ERR" "type changed" "a changed type"
grep -v wechat_group "$W/good.json" >"$T/fields/account.json"; expect 7 d template publish "$T" -m bad; has "$ERR" "gone" "a removed field"
sed 's|"key": "remark", |"key": "remark", "required_at": ["create"], |' "$W/good.json" >"$T/fields/account.json"
expect 7 d template publish "$T" -m bad; has "$ERR" "required|purpose" "lint: too many required, without purpose"
same "$(d template log | head -1 | cut -f1)" "$tip" "the published tip"
cp "$W/good.json" "$T/fields/account.json"; expect 5 d template publish "$W/nosuch" -m x

# contacts and follow-ups by sheet, found by the customer's name
printf 'account,name,phone\n丙公司,王强,13911112222\n没有的公司,赵六,13911113333\n' >"$W/c.csv"
echo '{"schema":"satchel/import-map/1","kind":"contact","columns":{"account":{"field":"account","lookup":"name"},"name":{"field":"name"},"phone":{"field":"phone"}}}' >"$W/c.json"
expect 3 as hq --json import "$W/c.csv" --map "$W/c.json" --errors "$W/c.err"; has "$OUT" '"created": ?1' "one contact"
has "$(cat "$W/c.err")" "没有的公司.*account" "the other row with its reason"
printf 'account,method,points,occurred_at\n丙公司,电话,询价,2026-11-01 10:00\n' >"$W/f.csv"
echo '{"schema":"satchel/import-map/1","kind":"activity","columns":{"account":{"field":"account","lookup":"name"},"method":{"field":"method"},"points":{"field":"points"},"occurred_at":{"field":"occurred_at"}}}' >"$W/f.json"
expect 0 as hq import "$W/f.csv" --map "$W/f.json"; expect 0 as hq activity list; has "$OUT" "询价" "the follow-up"
# malformed sheets
printf 'name,nosuch\nx,y\n' >"$W/x.csv"; expect 7 as hq import "$W/x.csv" --type account; has "$ERR" "nosuch" "an unknown column is named"
: >"$W/e.csv"; expect 7 as hq import "$W/e.csv" --type account
expect 5 as hq import "$W/none.csv" --type account
printf 'name,industry\n"open quote,I65\n' >"$W/q.csv"; as hq import "$W/q.csv" --type account >/dev/null 2>&1; rc=$?; [ $rc = 3 ] || [ $rc = 7 ] && ok || bad "an open quote: exit $rc"
expect 0 as hq export account -o "$W/out.csv" --reason "test"; has "$(cat "$W/out.csv")" "丙公司" "export"
expect 0 as hq --json import "$W/out.csv" --type account --on-duplicate update --incomplete flag; has "$OUT" '"updated": ?0' "an export imported again changes nothing"
finish
