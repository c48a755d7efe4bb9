#!/bin/bash
# export sqlite: plain tables, what columns and options are called, views with
# labels; rows judged and masked as in any export.
. tests/e2e/lib.sh
. tests/e2e/fits.sh
server_init; serve
d team add east --name East >/dev/null
d user add li --name Li --role rep --team east >/dev/null; d user add boss --name Boss --role manager --team east >/dev/null
enrol li; enrol boss
A=$(as li account add --set name='远洋"公司' "${ACC[@]}" --set phone_main=13812345671)
as li account tag "$A" +vip +制造 >/dev/null
as li opportunity add "$A" --set name=二期 --set amount=50万 >/dev/null
as li account add --set name=乙公司 "${ACC[@]}" --set phone_main=13812345672 >/dev/null
as li -q sync; as boss -q sync
expect 2 as boss export sqlite -o "$W/a.db"; has "$ERR" "reason" "who exports others' data says why"
expect 2 as boss export sqlite --reason x; has "$ERR" "needs a file" "a database needs a file"
expect 0 as boss --json export sqlite -o "$W/a.db" --reason board; fits export "$OUT"; has "$OUT" '"rows": 3' "every kind"
same "$(head -c 15 "$W/a.db")" "SQLite format 3" "a plain file"; same "$(stat -c %a "$W/a.db")" 600 "of its owner"; same "$(ls "$W" | grep -c 'a.db.')" 0 "and nothing beside it"
expect 0 as boss audit log; has "$OUT" "format=sqlite.*reason=board" "it is written down"
expect 0 as boss -q export account --format sqlite -o "$W/b.db" --reason x --where 'name=乙公司' --mask
expect 2 as boss export all --format sqlite -o "$W/c.db" --reason x --where 'name=乙公司'; expect 5 as boss export nosuch --format sqlite -o "$W/c.db" --reason x
expect 5 as boss export all --format csv -o "$W/c.csv" --reason x; has "$ERR" 'no kind' 'all is for databases'
[ -e "$W/c.db" ] && bad "what failed left a file" || ok
if command -v sqlite3 >/dev/null; then
	q() { sqlite3 -readonly "$@"; }
	same "$(q "$W/a.db" "SELECT phone_main, tags FROM account WHERE name LIKE '远洋%'")" '+8613812345671|["vip","制造"]' "keys and values"
	same "$(q "$W/a.db" "SELECT amount FROM opportunity")" 50000000 "money is fen"
	same "$(q "$W/a.db" 'SELECT "Amount" FROM opportunity_labels')" 500000.0 "in the view yuan"
	same "$(q "$W/a.db" 'SELECT "Owner" FROM account_labels LIMIT 1')" Li "names of people"
	same "$(q "$W/a.db" "SELECT zh, type FROM _columns WHERE table_name = 'opportunity' AND column_name = 'amount'")" "$(as boss --format tsv schema opportunity | awk -F'\t' '$1 == "amount" { print $2 }')|money (fen)" "_columns"
	same "$(q "$W/a.db" "SELECT count(*) > 5 FROM _options WHERE options = (SELECT options FROM _columns WHERE table_name = 'account' AND column_name = 'stage')")" 1 "_options"
	same "$(q "$W/a.db" "SELECT value FROM _about WHERE key = 'reason'")" board "_about"
	for v in $(q "$W/a.db" "SELECT name FROM sqlite_master WHERE type = 'view'"); do q "$W/a.db" "SELECT * FROM \"$v\"" >/dev/null || bad "view $v"; done; ok
	[ "$(q "$W/a.db" "SELECT count(*) FROM sqlite_master WHERE name LIKE 'report!_%' ESCAPE '!'")" -gt 30 ] && ok || bad "views of reports"
	same "$(q "$W/a.db" 'SELECT "Opportunities", "Amount" FROM "report_stage-distribution"')" "1|500000.0" "the numbers of a report, in yuan"
	same "$(q "$W/a.db" "SELECT title, period FROM _reports WHERE report = 'won'")" "Won|all" "which reports"
	same "$(q "$W/b.db" "SELECT name, phone_main FROM account")" "乙公司|***5672" "--where and --mask"
	expect 0 as boss --lang zh -q export account --format sqlite -o "$W/zh.db" --reason x
	same "$(q "$W/zh.db" 'SELECT count("客户名称") FROM account_labels' 2>/dev/null || q "$W/zh.db" "SELECT count(*) FROM account_labels")" 2 "labels in Chinese"
fi
finish
