#!/bin/bash
# The command line in Chinese: nothing that people read is left in English, and
# nothing that programs read changes with the language.
. tests/e2e/lib.sh
# both CATALOGUE MINIMUM [shared catalogue]: what extract.sh beside it finds has
# its Chinese, in it or in the shared one, and it has nothing else
both() {
	local PO=$1 all=$W/all.pot have=$W/have.po
	"${PO%/*}/extract.sh" "$B" >"$all"
	[ "$(grep -c '^msgid' "$all")" -gt "$2" ] && ok || bad "$PO: extract.sh finds the texts"
	# the formats of a text and its translation agree
	if msgfmt -c -o "$W/zh.mo" "$PO" 2>"$W/err"; then ok; else bad "$PO: $(cat "$W/err")"; fi
	msgcat --use-first -o "$have" "$PO" ${3:+"$3"}
	# a text without Chinese: add what is printed here to the catalogue, translated
	left() { local po=$1; shift; msgmerge -qN --no-location --no-wrap -o - "$po" "$all" | msgattrib --no-wrap "$@" - | sed '1,/^$/d; s/^/    /'; }
	same "$(left "$have" --untranslated --no-obsolete)" "" "has no Chinese in $PO"
	# Chinese for a text that is no longer said: take it out
	same "$(left "$PO" --only-obsolete)" "" "is no longer said but in $PO"
	[ "$(msgattrib --only-fuzzy "$PO" | grep -c '^msgid')" = 0 ] && ok || bad "$PO: fuzzy entries are not compiled"
}
both client/cli/po/zh_CN.po 1500
both server/admin/po/zh_CN.po 600 client/cli/po/zh_CN.po

expect 0 "$SATCHEL" --lang zh help account list; has "$OUT" "全局选项" "help in Chinese"; hasnt "$OUT" "Options:" "no English heading"
expect 0 "$SATCHEL" --lang=zh --help; has "$OUT" "与服务器同步" "summaries"; has "$OUT" "从不提问" "global options"
expect 0 env SATCHEL_LANG=zh "$SATCHEL" help sync; has "$OUT" "只接收" "by SATCHEL_LANG"
expect 0 env -u SATCHEL_LANG -u LC_ALL LANG=zh_CN.UTF-8 "$SATCHEL" help sync; has "$OUT" "只接收" "by LANG, though the machine has no such locale"
expect 0 env -u SATCHEL_LANG LC_ALL=C LANG=zh_CN.UTF-8 "$SATCHEL" help sync; has "$OUT" "only receive" "LC_ALL wins"
expect 0 env SATCHEL_LANG=zh "$SATCHEL" --lang en help sync; has "$OUT" "only receive" "--lang wins"
cp "$SATCHEL" "$W/elsewhere"; expect 0 "$W/elsewhere" --lang zh help sync; has "$OUT" "只接收" "wherever the binary lies"
for p in satchel.1 satchel-import.1 satchel-config.5 satchel-exit-codes.7; do same "$("$SATCHEL" --lang zh __man $p | cksum)" "$("$SATCHEL" __man $p | cksum)" "$p has one language"; done

export SATCHEL_HOME=$W/none
expect 10 "$SATCHEL" --lang zh account list; has "$ERR" "没有副本" "what is wrong"; has "$ERR" "$W/none" "with its folder"; has "$ERR" "登记本机" "and what to do"
expect 2 "$SATCHEL" --lang zh account lits; has "$ERR" "未知命令 account lits" "a slip"; has "$ERR" "list" "the nearest"
expect 2 "$SATCHEL" --lang zh sync --pul-only; has "$ERR" "未知选项" "an option"
same "$("$SATCHEL" --lang zh --json account list 2>&1)" "$("$SATCHEL" --lang en --json account list 2>&1)" "JSON errors have one language"
same "$("$SATCHEL" --lang zh --json --version)" "$("$SATCHEL" --lang en --json --version)" "JSON has one language"

# --- errors as people meet them: no sentence of English is left in any
unset SATCHEL_HOME; server_init; serve; d user add li --name Li --role rep >/dev/null
code=$(d device invite --user li); export SATCHEL_LANG=zh
said() { # CODE PATTERN words...
	local want=$1 text=$2; shift 2
	expect "$want" "$@"; has "$ERR" "$text" "${*: -3}"; hasnt "$(sed "s/satchel [a-z ]*//g" <<<"$ERR")" "[a-z]{2,} [a-z]{2,} [a-z]{2,}" "English of ${*: -3}"
}
said 7 "请重新完整复制邀请" as li init --invite "${code%?}_"
expect 0 as li init --invite "$code"
said 4 "邀请已被另一台设备使用" as li2 init --invite "$code"
# what the program finds is said in Chinese too, to people and not to programs
english() { grep -oE "[a-z]{2,} [a-z]{2,} [a-z]{2,}" <<<"$1" | head -1; }
expect 0 as li --format table doctor --security; has "$OUT" "每一页都完整" "doctor"; same "$(english "$(sed 's/satchel [a-z ]*//' <<<"$OUT")")" "" "English of doctor"
has "$(as li --json doctor)" '"detail": "every page is whole"' "doctor, to programs"
cp -r common/template/base "$W/t"; sed -i 's/"key": "remark",/"key": "remark", "sensitivity": "pii",/; s/, "purpose": "[^"]*"//' "$W/t/fields/account.json"
expect 7 as li --format table template lint "$W/t"; has "$OUT" "^错误 .*name：必填或属个人信息，却没有写明用途" "lint"; same "$(english "$OUT")" "" "English of lint"
has "$(as li --json template lint "$W/t")" '"text": "name: required or personal, but no purpose"' "lint, to programs"
# a record: what a person should know before he reads it, and what is so
visit=$(as li visit checkin --name 周女士 --phone 13900010001 --first-visit)
expect 0 as li --format table visit show "$visit"; has "$OUT" "等待服务器" "not sent yet"; has "$OUT" "^首次来访 +是$" "yes"
expect 0 as li visit show "$visit"; has "$OUT" "first_visit.yes$" "yes, to programs"
expect 0 as li --format table rules list; has "$OUT" "跟进到期 +客户" "kinds by their names"
expect 0 as li --format tsv rules list; has "$OUT" "follow_due.*account" "kinds by their keys, to programs"
expect 0 as li --format table feed; has "$OUT" "新建 +来访" "what happened, to what"
commit=$(as li --json log | grep -oE '"commit": *"[^"]*"' | head -1 | cut -d'"' -f4)
expect 0 as li --format table show "$commit"; has "$OUT" "（等待服务器）" "a commit that waits"
expect 0 as li account add --set name=福州远洋 "${ACC[@]}" --set phone_main=13812345678; A=$(tail -1 <<<"$OUT")
said 6 "name 与 $A 相同；确需新建" as li account add --set name=福州远洋 "${ACC[@]}" --set phone_main=13812345679
said 7 "接下来可以是：need_confirmed" as li account stage "$A" after_sales
said 2 "守护进程只在 127.0.0.1 监听" as li daemon --listen 0.0.0.0:1
said 2 "--local 与 --system 是两个不同的位置" as li config set --local --system core.lang zh
said 2 "令牌须有授权范围" as li token create
said 5 "没有这个令牌" as li token revoke x7
said 5 "无法读取 .*：没有这个文件或目录" as li import customers.csv --type account
said 5 "没有这个报表" as li report run nosuch
said 9 "角色 rep 无权执行 merge" as li account merge "$A" "$A"
flip "$W/r/li/replica.keyring" 20
said 12 "密钥文件残缺或被改动：校验和不符" as li status

# --- the server's own command
expect 0 d --lang zh --help; has "$OUT" "行囊的同步服务器" "satcheld in Chinese"; has "$OUT" "设备与邀请" "its verbs"; has "$OUT" "标准输出为一个 JSON 文档" "their options"; hasnt "$OUT" "Options:|the |of a " "no English in it"
expect 0 env SATCHEL_LANG=en "$SATCHELD" --help; has "$OUT" "devices and invitations" "SATCHEL_LANG"; expect 0 env SATCHEL_LANG=en "$SATCHELD" --lang=zh --help; has "$OUT" "设备与邀请" "--lang wins"
same "$("$SATCHELD" --lang zh __man | cksum)" "$("$SATCHELD" --lang en __man | cksum)" "satcheld.8 has one language"
said 5 "没有这个用户" d device invite --user nobody; said 2 "用法：satcheld backup FOLDER" d backup; said 2 "未知命令 bakcup" d --lang zh bakcup; said 7 "未知角色" d user add x --name x --role king
same "$(d --lang zh --json device invite --user nobody 2>&1)" "$(d --lang en --json device invite --user nobody 2>&1)" "JSON errors have one language"
stop_server; said 5 "没有这个用户" d device invite --user nobody
said 10 "这里没有密钥文件" "$SATCHELD" -D "$W/none" --passphrase-file "$W/pass" status
finish
