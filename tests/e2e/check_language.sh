#!/bin/bash
# The command line in Chinese: nothing that people read is left in English, and
# nothing that programs read changes with the language.
. tests/e2e/lib.sh
PO=client/cli/po/zh_CN.po
client/cli/po/extract.sh "$B" >"$W/all.pot"
[ "$(grep -c '^msgid' "$W/all.pot")" -gt 1500 ] && ok || bad "extract.sh finds the texts"
# the formats of a text and its translation agree
if msgfmt -c --check-accelerators=no -o "$W/zh.mo" $PO 2>"$W/err" || msgfmt -c -o "$W/zh.mo" $PO 2>"$W/err"; then ok; else bad "$PO: $(cat "$W/err")"; fi
# a text without Chinese: add what is printed here to the catalogue, translated
left() { msgmerge -qN --no-location --no-wrap -o - $PO "$W/all.pot" | msgattrib --no-wrap "$@" - | sed '1,/^$/d; s/^/    /'; }
same "$(left --untranslated --no-obsolete)" "" "has no Chinese in $PO"
# Chinese for a text that is no longer said: take it out
same "$(left --only-obsolete)" "" "is no longer said but in $PO"
[ "$(msgattrib --only-fuzzy $PO | grep -c '^msgid')" = 0 ] && ok || bad "fuzzy entries are not compiled"

expect 0 "$SATCHEL" --lang zh help account list; has "$OUT" "全局选项" "help in Chinese"; hasnt "$OUT" "Options:" "no English heading"
expect 0 "$SATCHEL" --lang=zh --help; has "$OUT" "与服务器同步" "summaries"; has "$OUT" "从不提问" "global options"
expect 0 env SATCHEL_LANG=zh "$SATCHEL" help sync; has "$OUT" "只接收" "by SATCHEL_LANG"
expect 0 env -u SATCHEL_LANG -u LC_ALL LANG=zh_CN.UTF-8 "$SATCHEL" help sync; has "$OUT" "只接收" "by LANG, though the machine has no such locale"
expect 0 env -u SATCHEL_LANG LC_ALL=C LANG=zh_CN.UTF-8 "$SATCHEL" help sync; has "$OUT" "only receive" "LC_ALL wins"
expect 0 env SATCHEL_LANG=zh "$SATCHEL" --lang en help sync; has "$OUT" "only receive" "--lang wins"
cp "$SATCHEL" "$W/elsewhere"; expect 0 "$W/elsewhere" --lang zh help sync; has "$OUT" "只接收" "wherever the binary lies"
for p in satchel.1 satchel-config.5 satchel-exit-codes.7; do same "$("$SATCHEL" --lang zh __man $p | cksum)" "$("$SATCHEL" __man $p | cksum)" "$p has one language"; done

export SATCHEL_HOME=$W/none
expect 10 "$SATCHEL" --lang zh account list; has "$ERR" "没有副本" "what is wrong"; has "$ERR" "$W/none" "with its folder"; has "$ERR" "登记本机" "and what to do"
expect 2 "$SATCHEL" --lang zh account lits; has "$ERR" "未知命令 account lits" "a slip"; has "$ERR" "list" "the nearest"
expect 2 "$SATCHEL" --lang zh sync --pul-only; has "$ERR" "未知选项" "an option"
same "$("$SATCHEL" --lang zh --json account list 2>&1)" "$("$SATCHEL" --lang en --json account list 2>&1)" "JSON errors have one language"
same "$("$SATCHEL" --lang zh --json --version)" "$("$SATCHEL" --lang en --json --version)" "JSON has one language"
finish
