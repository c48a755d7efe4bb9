#!/bin/bash
# Books: a form to fill in, an import made by LibreOffice, exports as XLSX, vCard
# and calendar.
. tests/e2e/lib.sh
server_init; serve
d user add li --name 李 --role rep >/dev/null; d user add hq --name HQ --role hq >/dev/null; enrol li; enrol hq
expect 0 as li import tests/data/xlsx/libreoffice.xlsx --type account --dry-run; same "$(total li account)" 0 "a dry run"
expect 0 as li --json import tests/data/xlsx/libreoffice.xlsx --type account; has "$OUT" '"created": ?3' "three customers"
expect 0 as li --json import tests/data/xlsx/libreoffice.xlsx --type account --on-duplicate update; has "$OUT" '"updated": ?0' "again: nothing changes"
A=$(as li --format tsv account list --q 远洋 --fields id | tail -1)
expect 0 as li account show "$A"; has "$OUT" "annual_amount.50000050" "money from a number cell"; has "$OUT" "created_at.2026-11-0[23]" "a date cell"
expect 7 as li import tests/data/xlsx/libreoffice.xlsx --type account --sheet 2; has "$ERR" "no sheet 2" "says why"
head -c 3000 tests/data/xlsx/libreoffice.xlsx >"$W/cut.xlsx"; expect 7 as li import "$W/cut.xlsx" --type account; has "$ERR" "whole book" "a cut book"

expect 0 as li export account --format xlsx -o "$W/out.xlsx"; [ "$(head -c 2 "$W/out.xlsx")" = PK ] && ok || bad "no book"
expect 0 as li --json import "$W/out.xlsx" --type account --on-duplicate update; has "$OUT" '"unchanged": ?3' "an export read back changes nothing"
has "$OUT" '"errors": ?0' "and is understood"
expect 7 as li import "$W/out.xlsx" --type account --sheet 2; has "$ERR" "Exported by" "the second sheet says who made the book"
expect 2 as li export account --format xlsx; expect 2 as li export account --format pdf -o "$W/x"; [ -e "$W/x" ] && bad "left a file" || ok

expect 0 as li contact add "$A" --set name=王强 --set phone=13911112222 --set email=w@example.com --set title=采购经理
expect 0 as li export contact --format vcf -o "$W/c.vcf"; V=$(tr -d '\r' <"$W/c.vcf")
has "$V" "^FN:王强$" "name"; has "$V" "^ORG:远洋科技有限公司$" "company"; has "$V" "^TEL;TYPE=work:.86139" "phone"; has "$V" "^END:VCARD$" "end"
expect 0 as li --json import "$W/c.vcf" --type contact --on-duplicate update; has "$OUT" '"unchanged": ?1' "cards read back change nothing"
printf 'BEGIN:VCARD\r\nVERSION:3.0\r\nN:\xcd\xf5;\xb7\xbd\r\nORG:\xd4\xb6\xd1\xf3\xbf\xc6\xbc\xbc\xd3\xd0\xcf\xde\xb9\xab\xcb\xbe\r\nTEL;CELL:+86 137-1111-2222\r\nPHOTO;BASE64:QUJD\r\n QUJD\r\nEND:VCARD\r\n' >"$W/gb.vcf"
expect 0 as li --json import "$W/gb.vcf" --type contact; has "$OUT" '"created": ?1' "a card in GBK"
has "$(as li --format tsv contact list --q 王方)" "137" "found again"
expect 0 as li export contact --format vcf --mask; hasnt "$OUT" "TEL" "a masked phone is left out"
expect 0 as li account edit "$A" --set next_follow_at=2026-12-01T09:30; expect 0 as li export account --format ics -o "$W/c.ics"
V=$(tr -d '\r' <"$W/c.ics"); has "$V" "DTSTART:20261201T013000Z" "the time in UTC"; same "$(grep -c BEGIN:VEVENT <<<"$V")" 1 "only what is due"
hasnt "$V" "138" "no phone in a calendar"; has "$V" "^END:VCALENDAR$" "closed"
awk '{ sub(/\r$/, ""); if (length($0) > 75) exit 1 }' <(LC_ALL=C cat "$W/c.ics") && ok || bad "long lines are folded"

# what was refused: as text that no spreadsheet runs (T20), and it comes in again, corrected or not
printf '%s\n' 'name,industry,contact_name,phone_main,need_type,remark' "'=cmd|x,I65,c,12,product,''quoted" '=1+1,I65,c,12,product,' >"$W/0.csv"
{ echo '{"kind":"account","columns":{'; for f in industry contact_name phone_main need_type remark; do echo "\"$f\":{\"field\":\"$f\"},"; done; echo '"name":{"field":"name"}}}'; } >"$W/e.json"
for m in "--type account" "--map $W/e.json"; do
	for i in 1 2 3; do
		expect 3 as li import "$W/$((i - 1)).csv" $m --errors "$W/$i.csv"
		same "$(head -1 "$W/$i.csv" | tr -d '\r')" $'\xef\xbb\xbf''name,industry,contact_name,phone_main,need_type,remark,line,reason' "errors of errors: columns ($m, $i)"
		has "$(sed -n 2p "$W/$i.csv")" "^'=cmd.x,I65,c,12,product,''quoted,2," "errors of errors: a text ($m, $i)"; has "$(sed -n 3p "$W/$i.csv")" "^'=1\+1," "and what was not guarded"
	done
done
sed -i 's/,12,/,13766665555,/; 3d' "$W/3.csv"; expect 0 as li --json import "$W/3.csv" --map "$W/e.json"; has "$OUT" '"created": ?1' "corrected"
expect 0 as li --json account list --q '=cmd' --fields name,remark; has "$OUT" '"=cmd.x"' "the name is what it was"; has "$OUT" "\"'quoted\"" "and the remark"
expect 0 as li account list --q '=cmd' --format csv --fields name; has "$OUT" "^'=cmd.x$" "a list as CSV"

expect 0 as li --lang zh import template account -o "$W/form.xlsx"; [ "$(as li import template account 2>/dev/null | head -c 2)" = PK ] && ok || bad "no book on stdout"
expect 5 as li import template nosuch -o "$W/y.xlsx"
expect 7 as li import "$W/form.xlsx" --type contact; expect 0 as li --json --lang zh import "$W/form.xlsx" --type account; has "$OUT" '"rows": ?0' "a form with nothing filled in"
expect 0 as li report run new-customers --period all --format xlsx -o "$W/r.xlsx"; [ "$(head -c 2 "$W/r.xlsx")" = PK ] && ok || bad "no report book"
expect 0 as li --lang zh report run new-customers --period all --format html; has "$OUT" "<h1>新增客户" "a page"; has "$OUT" "</html>" "whole"
expect 0 as li account edit "$A" --set "sector=<b>&x"; expect 0 as li report run by-sector --period all --format html -o "$W/r.html"; hasnt "$(cat "$W/r.html")" "<b>" "escaped"
expect 2 as li report run new-customers --format xlsx; expect 2 as li report run new-customers --format pdf; expect 2 as li account list --format html
# without --type too, the summary names the kind in what it tells to do
printf 'name\nOnly a name\n' >"$W/half.csv"; expect 0 as li --format table import "$W/half.csv" --incomplete flag; has "$OUT" "satchel account list --incomplete" "what lacks a field"
ls "$W/r/li"* | grep -q form && bad "the form stays in the replica's folder" || ok
expect 0 as li check
finish
