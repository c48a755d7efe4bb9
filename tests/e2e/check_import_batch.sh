#!/bin/bash
# A batch is known, can be undone to the byte, looked at in a sample; and the
# door closes for everybody.
. tests/e2e/lib.sh
ASK=$(readlink -f "$B/tests/http/ask")
server_init; serve
d team add east >/dev/null 2>&1
d user add mia --name Mia --role manager --team east >/dev/null; d user add li --name 李 --role rep --team east >/dev/null
enrol mia; enrol li; enrol admin
head='name,industry,contact_name,phone_main,need_type,stage,remark'
{ echo "$head"; for i in 1 2 3; do echo "老客户$i,I65,张三,1380000000$i,product,first_contact,old$i"; done; } >"$W/old.csv"
expect 0 as mia --json import "$W/old.csv" --type account; has "$OUT" '"undo": ?"satchel import undo [0-9a-z]{26}"' "how to take it back"
has "$(as mia --json import "$W/old.csv" --type account --on-duplicate update | flat)" '"undo":null' "what wrote nothing is no batch"
expect 0 as mia export account --reason check -o "$W/before.csv"
{ echo "$head"; for i in $(seq 1 40); do echo "新客户$i,I65,李四,1390000$((1000 + i)),product,first_contact,"; done
  echo "老客户1,I65,张三,13800000001,product,first_contact,changed"; } >"$W/new.csv"
expect 0 as mia --json import "$W/new.csv" --type account --on-duplicate update --save-map north --source campaign
B1=$(grep -o '"batch": *"[^"]*"' <<<"$OUT" | cut -d'"' -f4); has "$OUT" '"created": ?40' "forty"; has "$OUT" '"updated": ?1' "one"
expect 0 as mia --json import list; L=$(flat <<<"$OUT"); has "$L" '"open":true' "open"
has "$L" "\"id\":\"$B1\",\"file\":\"new.csv\",\"hash\":\"[0-9a-f]{64}\",\"source\":\"campaign\",\"kind\":\"account\"" "what it was"
has "$L" '"rows":41,"created":40,"updated":1' "its counts"; has "$L" '"map_name":"north"' "its mapping's name"
expect 0 as mia import "$W/new.csv" --map north --on-duplicate update --dry-run
expect 5 as mia import "$W/new.csv" --map nosuch --type account
expect 0 as mia sync; expect 0 as li sync
expect 0 as mia --json import audit "$B1" --sample 5 --seed 7; S=$OUT
same "$(as mia --json import audit "$B1" --sample 5 --seed 7)" "$S" "the same sample again"
[ "$(as mia --json import audit "$B1" --sample 5 --seed 8)" != "$S" ] && ok || bad "another seed, another sample"
has "$(flat <<<"$S")" '"population":41' "of all it touched"
expect 0 as mia --json import audit "$B1" --sample 5 --seed 7 --pass 1 --pass 2 --pass 3 --fail 4 --wrong phone_main
has "$(flat <<<"$OUT")" '"row":1[^}]*"verdict":"pass"' "passed"; has "$(flat <<<"$OUT")" '"row":4[^}]*"verdict":"fail"' "failed"
has "$(flat <<<"$OUT")" '"row":5[^}]*"verdict":null' "open"
expect 6 as mia import audit "$B1" --sample 5 --seed 7 --fail 1; expect 2 as mia import audit "$B1" --sample 5 --seed 7 --fail 6
expect 0 as mia report run accuracy --period all; has "$OUT" "75(\.0)?" "three of four"

# another device knows the batch too; who may not delete may not undo
expect 0 as mia sync
expect 0 as mia --json import undo "$B1"; has "$(flat <<<"$OUT")" '"deleted":40,"restored":1,"left":0' "taken back"
expect 0 as mia export account --reason check -o "$W/after.csv"; cmp -s "$W/before.csv" "$W/after.csv" && ok || { bad "the export after the undo is another"; diff "$W/before.csv" "$W/after.csv" | head; }
expect 0 as mia --json import undo "$B1"; has "$(flat <<<"$OUT")" '"deleted":0,"restored":0,"left":0' "undoing twice does nothing"
expect 0 as mia sync; expect 0 as mia check; cp "$W/after.csv" "$W/x"; as mia export account --reason check -o "$W/after.csv"; cmp -s "$W/before.csv" "$W/after.csv" && ok || bad "after a sync"
expect 0 as li --json import "$W/new.csv" --type account; B2=$(grep -o '"batch": *"[^"]*"' <<<"$OUT" | cut -d'"' -f4)
A=$(as li --format tsv account list --q 新客户7 --fields id | tail -1); N=$(as li --format tsv account list --q 新客户8 --fields id | tail -1)
expect 0 as li account edit "$A" --set remark=mine; expect 0 as li activity add "$N" --set method=phone --set points=called
expect 9 as li import undo "$B2"; has "$ERR" "manager" "who can"
expect 0 as li sync; expect 0 as mia sync
expect 3 as mia --json import undo "$B2"; U=$(flat <<<"$OUT"); has "$U" '"deleted":39,"restored":0,"left":2' "two stay"
has "$U" "changedsince" "one was edited"
has "$U" "(putunderitsince|changedsince).*(putunderitsince|changedsince)" "one was called"
expect 0 as mia account show "$A"; expect 0 as mia sync; expect 0 as mia check

# lessons: found again by number, then uscc, then phone, in whatever notation
expect 0 as mia --json import "$W/after.csv" --type account --on-duplicate update; has "$OUT" '"updated": ?0' "an export read back changes nothing"; has "$OUT" '"unchanged": ?3' "all three"
A=$(as mia --format tsv account list --q 老客户1 --fields id | tail -1); N=$(as mia --format tsv account list --q 老客户2 --fields number | tail -1)
expect 0 as mia account edit "$A" --set uscc=91110108MA01A2B3CU
printf 'number,uscc,name,phone_main,remark\n%s,,老客户2,,by number\n,91110108MA01A2B3CU,老客户1,,by uscc\n,,老客户3,＋86 138-0000-0003,by phone\n' "$N" >"$W/edited.csv"
expect 0 as mia --json import "$W/edited.csv" --type account --on-duplicate update; has "$OUT" '"updated": ?3' "three found again"; has "$OUT" '"created": ?0' "none twice"
L=$(as mia --format tsv account list --fields name,remark --limit 100); for x in "2.by number" "1.by uscc" "3.by phone"; do has "$L" "老客户$x" "$x"; done
head -2 "$W/old.csv" | sed 's/老客户1/另一家/; s/13800000001/+86 138 0000 0002/' >"$W/twin.csv"
expect 0 as mia import "$W/twin.csv" --type account --on-duplicate new
expect 0 as mia --json dedupe scan; has "$(flat <<<"$OUT")" '"phone_main"' "the same phone in another notation is found"

# what lacks a field is listed by the kind the rows became, said or not
printf 'name,industry\n缺项公司,I65\n' >"$W/lacks.csv"; expect 0 as mia --format table import "$W/lacks.csv" --incomplete flag; has "$OUT" "satchel account list --incomplete" "which list"

# the call log of a phone: customers by their own number or a contact's
expect 0 as mia contact add "$A" --set name=陈 --set phone=13655556666
printf '姓名,电话号码,通话类型,通话时间,通话时长\n甲,+86 138 0000 0003,呼出,2026-11-02 10:30,65\n陈,13655556666,未接,2026-11-02 11:00,0\n家,13900009999,呼入,2026-11-02 12:00,9\n' >"$W/calls.csv"
expect 3 as mia --json import "$W/calls.csv" --type activity; has "$OUT" '"created": ?2' "two calls of customers"; has "$OUT" '"errors": ?1' "one of nobody"
expect 3 as mia --json import "$W/calls.csv" --type activity; has "$OUT" '"created": ?0' "the log again makes nothing twice"
expect 0 as mia --json activity list; has "$(flat <<<"$OUT")" '"effective":false' "a missed call"

# who exports his own takes at most 200 rows
{ echo "$head"; for i in $(seq 1 201); do echo "多客户$i,I65,李四,1370000$((1000 + i)),product,first_contact,"; done; } >"$W/many.csv"
expect 0 as li import "$W/many.csv" --type account
expect 9 as li export account -o "$W/all.csv"; has "$ERR" "--where" "what next"; [ -e "$W/all.csv" ] && bad "a file was left" || ok
expect 0 as li export account --where 'name~多客户20'; expect 0 as li audit log; has "$OUT" "export.refused" "logged"
# what would be a job, and a dry run, are refused at once, and for the same reason
"$SATCHEL" -C "$W/r/li" --passphrase-file "$W/pass" --no-input daemon --no-sync --no-timer 2>&1 >/dev/null | sed -n 's/.*process \([0-9]*\)$/\1/p' >"$W/r/li/daemon.pid"
ask() { printf '%s' "$2" | "$ASK" "$W/r/li/daemon.sock" 10 POST "$1" | tr -d '\0\r' >"$W/said"; OUT=$(cat "$W/said"); }
for f in csv xlsx jsonl sqlite; do for dry in '' ',"dry_run":true'; do
	ask "/v1/exports?wait=10" "{\"type\":\"account\",\"format\":\"$f\"$dry}"; has "$OUT" '^HTTP/1.1 403 ' "$f$dry"; has "$OUT" '"code":"export.limit".*"exit":9' "why"
	ask "/v1/exports?wait=10" "{\"type\":\"account\",\"format\":\"$f\",\"where\":\"name~多客户20\"$dry}"; has "$OUT" '^HTTP/1.1 20[02] ' "$f, narrowed$dry"
	ask "/v1/exports?wait=10" "{\"type\":\"account\",\"format\":\"csv\",\"encoding\":\"$f\",\"where\":\"name~多客户20\"$dry}"; has "$OUT" '"code":"usage.option"' "an encoding nobody knows$dry"
done; done
ask /v1/exports '{"type":"all","format":"sqlite","dry_run":true}'; has "$OUT" '"code":"export.limit"' "every kind is asked"
n=$(as li --json audit log | grep -c export.refused); [ "$n" = 10 ] && ok || bad "$n of 10 refusals are logged"; stop_daemon "$W/r/li"
expect 2 as mia export account

# a door that stays open is not forgotten: import_open
later() { date -u -d "$1" +%Y-%m-%dT%H:%M:%SZ; }
d user add boss --name 总部 --role hq >/dev/null; enrol boss; expect 0 as mia sync; expect 0 as boss -q sync
expect 0 as boss rules run --rule import_open --as-of "$(later "+6 days")" --json; has "$(flat <<<"$OUT")" '"made":0' "import_open: not yet"
expect 0 as li rules run --rule import_open --as-of "$(later "+8 days")" --json; has "$(flat <<<"$OUT")" '"made":0' "import_open: not a representative's"
expect 0 as boss rules run --rule import_open --as-of "$(later "+8 days")" --json; has "$(flat <<<"$OUT")" '"made":1' "import_open: headquarters is told"
expect 0 as boss task list --due all; has "$OUT" "数据导入入口自 20" "since when"; has "$(as mia --json doctor | flat)" '"check":"import","state":"ok","detail":"openfor0days"' "the doctor knows"

# the door
expect 9 as mia import close; expect 9 as li import open
expect 0 as admin import close --reason "migration done"; expect 0 as admin sync; expect 0 as admin audit log; has "$OUT" "import.close" "logged"
expect 0 as li sync; expect 0 as mia sync
for u in li mia; do expect 9 as $u import "$W/new.csv" --type account; has "$ERR" "closed" "says so"; has "$ERR" "import open" "and who opens it"; done
has "$(as li --json import list | flat)" '"open":false' "the list says so"
expect 0 as boss -q sync; expect 0 as boss rules run --json; has "$(flat <<<"$OUT")" '"what":"close","rule":"import_open"' "and the reminder is done"
has "$(as mia --json doctor | flat)" '"detail":"closed,ornotusedyet"' "the doctor too"
expect 0 as admin import open; expect 0 as admin sync; expect 0 as li sync; expect 0 as li import "$W/new.csv" --type account --dry-run
finish
