#!/bin/bash
# A careful walk over words, files and formats: what is typed too much, left
# empty, or sent to the wrong place is told, and never taken for something else.
. tests/e2e/lib.sh
mkdir -p "$W/r"; echo "people pass phrase" >"$W/pass"
me() { as me "$@"; }
me -q demo seed --accounts 40 --days 90 --seed 3 2>/dev/null || bad "no demonstration"
read -r a b < <(me account list --limit 2 --fields number | tr '\n' ' ')

# --- words
expect 2 me account delete "$a" "$b" --yes;  has "$ERR" "word too many" "two to delete"
expect 2 me account list won;                has "$ERR" "usage: satchel account list" "a stage without --stage"
expect 0 me account show "$b" --fields deleted; same "$OUT" no "the second one is there"
for v in "account show" "contact show" "report run" "conflict show" "task done" "import undo" "visit show"; do
	# shellcheck disable=SC2086
	expect 2 me $v ""; has "$ERR" "empty word" "$v"
done
expect 0 me search 有限 公司
expect 2 me conflict resolve "$(me conflict list | head -1 | cut -f1)" --set industry=I65
has "$ERR" "the conflict is about" "a value for another field"

expect 2 me --color blue status; expect 2 me --lang fr status; expect 2 me --timeout soon status
expect 2 me account list --limit 99999999999999999999; expect 2 me account list --fields ""
expect 0 me backup "$W/copy"; expect 6 me restore "$W/copy"; has "$ERR" "there is a replica" "what is there stays"
mkdir "$W/r/back"; head -c 9000 "$W/copy/replica.db" >"$W/r/back/replica.db" # a restore that was killed
expect 0 as back restore "$W/copy"; expect 0 as back check; same "$(total back account)" 40 "all of it is back"
echo '{"name":' >"$W/half.json"
expect 7 me account add --from "$W/half.json"; has "$ERR" "unexpected end" "half a document"
expect 5 me account add --from "$W/nowhere.json"

# --- one record as columns
expect 0 me account show "$a" --fields number,name --format csv
same "$(head -1 <<<"$OUT")" "number,name" "its head"; same "$(sed 1d <<<"$OUT" | cut -d, -f1)" "$a" "its row"
same "$(me account show "$a" --fields number)" "$a" "one field"
expect 2 me account show "$a" --fields nonsense
expect 0 me --json account show "$a" --fields number; hasnt "$OUT" '"phone_main"' "a field nobody asked for"
expect 0 me account show "$a" --format csv;  has "$(head -1 <<<"$OUT")" "^id,number,name," "all of it"
expect 0 me status --format csv;             has "$OUT" "^state,offline" "an object"

# --- what goes to a file is there, and only its owner's
for f in csv tsv json jsonl table html; do
	expect 0 me report run won --format $f -o "$W/rep.$f"; same "$OUT" "" "$f goes to the file alone"
	[ -s "$W/rep.$f" ] && same "$(stat -c %a "$W/rep.$f")" 600 "rights of $f" || bad "no $f"
done
same "$(cat "$W/rep.csv")" "$(me report run won --format csv)" "the same rows"
for f in csv jsonl vcf ics xlsx sqlite; do
	expect 0 me export account --format $f -o "$W/out.$f" --reason test
	same "$(stat -c %a "$W/out.$f")" 600 "rights of $f"
done
mkfifo "$W/pipe"; cat "$W/pipe" >"$W/through" &
expect 0 me export account --format jsonl -o "$W/pipe" --reason test; wait $!
[ -p "$W/pipe" ] && ok || bad "a file took the place of the pipe"
cmp -s "$W/through" "$W/out.jsonl" && ok || bad "the pipe got something else"
expect 2 me export account --format xlsx -o "$W/pipe" --reason test; [ -p "$W/pipe" ] && ok || bad "the pipe is gone"
expect 0 me account edit "$a" --set 'remark==1+1'
expect 0 me export account --where "number=$a" --reason test;       has "$OUT" ",'=1\+1," "the guard"
expect 0 me export account --where "number=$a" --raw --reason test; has "$OUT" ",=1\+1," "without it"
expect 2 me export account --format csv --encoding latin1 --reason test

# --- as of then: what came later is not counted
same "$(me report run won --as-of 2020-01-01 | cut -f1)" 0 "nothing was won before there was anything"
all=$(me report run won | cut -f1); now=$(me report run won --as-of "$(date -u +%FT%TZ)" | cut -f1)
same "$now" "$all" "up to now"

# --- undo means what a person did last
expect 0 me account edit "$a" --set remark=changed
expect 0 me export account --format csv -o "$W/out.csv" --reason test
expect 0 me undo;                            has "$OUT" "remark" "the edit, not the note of the export"

# --- imports
h='客户名称,所属行业,联系人,联系方式,需求类型'
row() { echo "$1,I65,张三,1381234$2,product"; }
{ echo "$h"; row 甲有限公司 1001; row 乙有限公司 1002 | iconv -t GB18030; row 丙有限公司 1003 | iconv -t GB18030; row 丁有限公司 1004; } >"$W/mixed.csv"
expect 3 me import "$W/mixed.csv" --errors "$W/mixed.err"; has "$OUT" "^created	2" "the good rows of a mixed file"
same "$(wc -l <"$W/mixed.err")" 3 "the others with their reason"
expect 6 me undo;                            has "$ERR" "import undo" "an import is taken back whole"
expect 5 me import "$W/mixed.csv" --type nonsense
expect 2 me import "$W/mixed.csv" --delimiter ';;'
{ echo "$h"; row 甲有限公司 1001; } >"$W/one.csv"
expect 0 me import "$W/one.csv" --save-map mine; has "$OUT" "^skipped	1" "it was there"
expect 0 me import "$W/one.csv" --map mine;  has "$OUT" "^skipped	1" "by the mapping that was kept all the same"
{ printf '%s,' "$h"; for i in $(seq 20); do printf 很长的列名; done; printf '\n'; row 戊有限公司 1005; } >"$W/long.csv"
expect 7 me --json import "$W/long.csv";     iconv -f UTF-8 "$W/err" >/dev/null && ok || bad "half a character"
{ echo "$h"; for i in $(seq 1000 9999); do row "公司$i" "$i"; done; } >"$W/many.csv"
bg me --json import "$W/many.csv" --on-duplicate new >"$W/int.out" 2>"$W/int.err" </dev/null & p=$!
until_file "$W/int.out"; kill -INT $p; wait $p; same $? 130 "an interrupted import"
same "$(grep -o '"exit":[0-9]*' "$W/int.err")" '"exit":130' "the same in JSON"
finish
