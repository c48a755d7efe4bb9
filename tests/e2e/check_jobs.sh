#!/bin/bash
# Uploads, exports and jobs over HTTP: a file is sent, looked at, mapped, run as
# a job and taken back; an export is fetched; what waits lies sealed on the disk;
# wrong ids, two jobs at once, a full disk, a lock and kill -9 in the middle.
. tests/e2e/lib.sh
. tests/e2e/fits.sh
ASK=$(readlink -f "$B/tests/http/ask")
S=$W/r/li/daemon.sock
# ask METHOD TARGET [HEADER...]: BODY or FROM is sent; $STATUS, $HEAD, $ANSWER
ask() { if [ -n "${FROM:-}" ]; then cat "$FROM"; else printf '%s' "${BODY:-}"; fi | "$ASK" "$S" "${FOR:-10}" "$@" >"$W/raw"
	STATUS=$(head -1 "$W/raw" | tr -d "\0" | cut -d' ' -f2); HEAD=$(sed '/^\r$/,$d' "$W/raw" | tr -d '\r'); sed '1,/^\r$/d' "$W/raw" >"$W/body"; ANSWER=$(head -c 20000 "$W/body" | tr -d '\0'); }
is() { same "$STATUS" "$1" "status of $2"; }
member() { grep -oE "\"$1\":\"[^\"]*\"" <<<"$ANSWER" | head -1 | cut -d'"' -f4; }
CSV="Content-Type: text/csv"
start() { "$SATCHEL" -C "$W/r/li" --passphrase-file "$W/pass" --no-input daemon --no-sync --no-timer 2>&1 >/dev/null | sed -n 's/.*process \([0-9]*\)$/\1/p' >"$W/r/li/daemon.pid"; }
rows() { awk -v n="$1" 'BEGIN { print "name,industry,contact_name,phone_main,need_type,stage"
	for (i = 1; i <= n; i++) printf "Nova %d,I65,c%d,138%08d,product,first_contact\n", i, i, i }'; }
server_init; serve
d user add li --name Li --role hq >/dev/null; enrol li; as li -q sync; start

# ---- a file that is sent ------------------------------------------------------------
{ rows 3; echo "Bad,I65,c,12,product,first_contact"; } >"$W/in.csv"
FROM=$W/in.csv ask POST "/v1/imports?file=/home/li/nova.csv&type=account" "$CSV"; is 201 "an upload"; fits import.upload "$ANSWER"
I=$(member id); has "$HEAD" "^Location: /v1/imports/$I" "where it is"; has "$ANSWER" '"file":"nova.csv"' "its name without folders"
has "$ANSWER" '"state":"uploaded"' "not imported"; grep -aqE 'Nova|first_contact|account' "$W"/r/li/spool/* && bad "in the open on the disk" || ok
ask GET "/v1/imports/$I"; is 200 "what is known"; fits import.upload "$ANSWER"
ask GET "/v1/imports/$I/preview?rows=2"; is 200 preview; fits import.preview "$ANSWER"
has "$ANSWER" '"rows":\[\["Nova 1","I65","c1","13800000001","product","first_contact"\],\["Nova 2"[^]]*\]\]' "two rows"; has "$ANSWER" '\{"name":"phone_main","field":"phone_main"\}' "which field"
has "$ANSWER" '"checked":\{"rows":2,"created":2' "a check of two"; same "$(total li account)" 0 "nothing was written"
printf 'Firm,What\nNova X,x\n' >"$W/odd.csv"; FROM=$W/odd.csv ask POST "/v1/imports?type=account" "$CSV"; O=$(member id)
ask GET "/v1/imports/$O/preview"; is 200 "columns nobody knows"; has "$ANSWER" '"problem":\{.*"code":"import.column"' "what is the matter"; has "$ANSWER" '"name":"Firm","field":null' "the columns all the same"
M='{"mapping":{"schema":"satchel/import-map/1","kind":"account","columns":{"Firm":{"field":"name"},"What":null},"set":[{"field":"industry","text":"I65"},{"field":"contact_name","text":"Li"},{"field":"phone_main","text":"13912345678"},{"field":"need_type","text":"product"},{"field":"stage","text":"first_contact"}]}}'
BODY=$M ask PATCH "/v1/imports/$O"; is 200 "a mapping"; fits import.upload "$ANSWER"
ask GET "/v1/imports/$O/preview"; has "$ANSWER" '"checked":\{"rows":1,"created":1.*"problem":null' "it fits now"
BODY='{"nosuch":1}' ask PATCH "/v1/imports/$O"; is 400 "no such option"; BODY='{"mapping":"/etc/passwd"}' ask PATCH "/v1/imports/$O"; is 400 "a file of this computer as mapping"
BODY='{"mapping":{"kind":"account","columns":{"Firm":{"field":"name"},"What":null},"derive":[{"field":"remark","file":"/etc/passwd","match":{"Firm":"a"},"pick":"b"}]}}' ask PATCH "/v1/imports/$O"
# what is too deep or too long to be read again takes the place of nothing
BODY="{\"mapping\":$(printf '{"a":%.0s' {1..31})1$(printf '}%.0s' {1..31})}" ask PATCH "/v1/imports/$O"; is 422 "a mapping too deep to keep"; ask GET "/v1/imports/$O"; is 200 "what was known before is"
for o in encoding delimiter on_duplicate incomplete source; do printf '{"%s":"%0900000d"}' $o 0 >"$W/big"; FROM=$W/big ask PATCH "/v1/imports/$O"; done; is 422 "options too long to keep"
BODY='{"encoding":null,"delimiter":null,"on_duplicate":null,"incomplete":null}' ask PATCH "/v1/imports/$O"; is 200 "what was known before is, and goes"
# changed by several at once: every change that was answered with 200 is there
printf '{"source":"%0200000d"}' 1 >"$W/c1"; echo '{"encoding":"utf-8"}' >"$W/c2"; echo '{"max_errors":7}' >"$W/c3"; echo '{"delimiter":","}' >"$W/c4"
for _ in 1 2 3 4 5 6 7 8; do
	BODY='{"source":null,"encoding":null,"max_errors":null,"delimiter":null}' ask PATCH "/v1/imports/$O"
	p=(); for c in 1 2 3 4; do "$ASK" "$S" 10 PATCH "/v1/imports/$O" <"$W/c$c" 2>/dev/null | head -1 >"$W/said$c" & p+=($!); done; wait "${p[@]}"
	same "$(cat "$W"/said? | grep -c ' 200 ')" 4 "four changes at once"; ask GET "/v1/imports/$O"; is 200 "what came of them"
	same "$(grep -oE '"(source|encoding|max_errors|delimiter)":' "$W/body" | sort -u | wc -l)" 4 "all of them"
done
BODY='{"source":null,"encoding":null,"max_errors":null,"delimiter":null}' ask PATCH "/v1/imports/$O"
ask POST "/v1/imports/$O/run?wait=10"; has "$ANSWER" '"state":"failed".*names no files' "a mapping that was sent opens no file here"
BODY=$M ask PATCH "/v1/imports/$O"; ask POST "/v1/imports/$O/run?wait=10"; is 200 "run with a mapping"; has "$ANSWER" '"state":"done".*"created":1' "one row"
ask DELETE "/v1/imports/$O"; is 200 "away"; ask GET "/v1/imports/$O"; is 404 "gone"; [ -z "$(find "$W/r/li/spool" -name "$O*")" ] && ok || bad "its file is there"

# ---- run, refused rows, sample, undo ---------------------------------------------------
BODY='{"dry_run":true}' ask POST "/v1/imports/$I/run?wait=10"; is 200 "a dry run"; fits job "$ANSWER"; has "$ANSWER" '"dry_run":true' "dry"; same "$(total li account)" 1 "nothing was written"
ask GET "/v1/events?wait=0&since=0"; N=$(grep -oE '"next":[0-9]+' <<<"$ANSWER" | cut -d: -f2)
ask POST "/v1/imports/$I/run"; is 202 "a job"; fits job "$ANSWER"; J=$(member id); has "$HEAD" "^Location: /v1/jobs/$J" "where it is"
ask GET "/v1/jobs/$J?wait=10"; is 200 "its end"; fits job "$ANSWER"; has "$ANSWER" '"state":"partly","over":true' "one row was refused"; has "$ANSWER" '"refused":\[\{"line":5,' "which"; has "$ANSWER" '"code":"import.partly"' "as a problem"
ask GET "/v1/events?wait=0&since=$N&types=job"; fits events "$ANSWER"; has "$ANSWER" "\"id\":\"$J\",\"kind\":\"import\",\"state\":\"partly\"" "listeners are told"; hasnt "$ANSWER" Nova "no personal data"
ask GET "/v1/imports/$I"; fits import.upload "$ANSWER"; has "$ANSWER" "\"state\":\"partly\".*\"job\":\"$J\"" "the file knows"; BATCH=$(member batch)
ask GET "/v1/imports/$I/errors.csv"; is 200 errors.csv; has "$HEAD" '^Content-Type: text/csv' "a table"; has "$ANSWER" '^Bad,I65,c,12,product,first_contact,5,' "the row and why"
printf 'name,industry\nNo Phone,I65\n' >"$W/some.csv"; FROM=$W/some.csv ask POST "/v1/imports?type=account" "$CSV"; O=$(member id)
BODY='{"dry_run":true}' ask POST "/v1/imports/$O/run?wait=10"; ask GET "/v1/imports/$O/errors.csv"; is 200 "refused by a dry run"
BODY='{"dry_run":true,"incomplete":"flag"}' ask POST "/v1/imports/$O/run?wait=10"; has "$ANSWER" '"state":"done"' "refused no more"; ask GET "/v1/imports/$O/errors.csv"; is 404 "nor is it said"; ask DELETE "/v1/imports/$O"
ask GET "/v1/imports/$I/sample?n=2"; is 200 sample; fits import.sample "$ANSWER"; has "$ANSWER" "\"batch\":\"$BATCH\"" "of its batch"
ask GET "/v1/imports/$BATCH"; is 200 "the batch as an import"; fits import.upload "$ANSWER"; has "$ANSWER" '"state":"partly"' "its state"
ask POST "/v1/imports/$I/undo"; is 200 undo; has "$ANSWER" '"deleted":3' "three"; same "$(total li account)" 1 "they are gone"; ask GET "/v1/imports/$BATCH"; has "$ANSWER" '"state":"undone"' "undone"
ask GET "/v1/jobs"; fits job.list "$ANSWER"; has "$ANSWER" "$J" "the list of jobs"
printf -- '--xyz\r\nContent-Disposition: form-data; name="type"\r\n\r\naccount\r\n--xyz\r\nContent-Disposition: form-data; name="file"; filename="C:\\\\a\\\\b.csv"\r\nContent-Type: text/csv\r\n\r\n%s\r\n--xyz--\r\n' "$(cat "$W/in.csv")" >"$W/form"
FROM=$W/form ask POST /v1/imports "Content-Type: multipart/form-data; boundary=xyz"; is 201 "a form"; has "$ANSWER" '"options":\{"type":"account"\}' "its field"; has "$ANSWER" '"file":"b.csv"' "its name"; has "$ANSWER" "\"bytes\":$(printf %s "$(cat "$W/in.csv")" | wc -c)," "the file alone"
FROM=$W/in.csv ask POST "/v1/imports?type=account&file=$(printf '%%E4%%B8%%AD%.0s' {1..90})" "$CSV"; has "$ANSWER" '"file":"中{66}"' "a long name: whole characters"; ask DELETE "/v1/imports/$(member id)"
FROM=$W/form ask POST /v1/imports; F=$(member id); ask POST "/v1/imports/$F/undo"; is 409 "undo of what was not run"
BODY= ask POST /v1/imports "$CSV"; is 422 "an empty file"
FROM=$W/in.csv ask POST "/v1/imports?sheet=x" "$CSV"; is 400 "a wrong option"
for id in 0123456789abcdef01234567 x ..%2f..%2freplica "$J"; do for r in "GET /v1/imports/$id" "POST /v1/imports/$id/run" "GET /v1/imports/$id/errors.csv" "GET /v1/exports/$id/file"; do ask $r; is 404 "$r"; done; done
ask GET /v1/jobs/0123456789abcdef01234567; is 404 "no such job"

# ---- exports ---------------------------------------------------------------------------
BODY='{"type":"account"}' ask POST /v1/exports; is 400 "headquarters needs a reason"; BODY='{"type":"x","reason":"audit"}' ask POST /v1/exports; is 404 "no such kind"; BODY='{"type":"account","reason":"audit","format":"exe"}' ask POST /v1/exports; is 400 "no such format"
BODY='{"type":"account","dry_run":true}' ask POST "/v1/exports?wait=10"; is 400 "a dry run is refused alike"
for f in csv xlsx jsonl vcf ics sqlite; do
	BODY="{\"type\":\"account\",\"format\":\"$f\",\"reason\":\"audit\",\"dry_run\":true}" ask POST "/v1/exports?wait=10"; is 200 "a dry run of $f"; fits export "$ANSWER"; has "$ANSWER" '"file":null,"dry_run":true' "no file"; hasnt "$HEAD" '^Location' "no job"
	BODY="{\"type\":\"account\",\"format\":\"$f\",\"reason\":\"audit\"}" ask POST "/v1/exports?wait=10"; is 200 "export $f"; fits job "$ANSWER"; E=$(member id)
	ask GET "/v1/exports/$E/file"; is 200 "the file of $f"; has "$HEAD" "filename=\"account.$f\"" "its name"; cp "$W/body" "$W/got.$f"; same "$(grep -oE "^Content-Length: [0-9]+" <<<"$HEAD" | cut -d" " -f2)" "$(stat -c %s "$W/body")" "its length"
done
as li -q export account --format csv --reason audit -o "$W/direct.csv" && cmp -s "$W/got.csv" "$W/direct.csv" && ok || bad "not the bytes of the command line"
has "$(head -c 2 "$W/got.xlsx")" PK "a book"; has "$(head -c 13 "$W/got.sqlite")" "SQLite format" "a database"; [ -z "$(find /dev/shm -maxdepth 1 -name "satchel-$(id -u)-*" -newer "$W/got.csv" 2>/dev/null)" ] && ok || bad "a folder in memory is left"
# what names no file, or not by a text, is written to no output of the daemon's
BODY='{"type":"account","reason":"audit","file":null}' ask POST "/v1/exports?wait=10"; is 200 "file null"; fits job "$ANSWER"; ask GET "/v1/exports/$(member id)/file"; cmp -s "$W/body" "$W/got.csv" && ok || bad "file null is another export"
for f in csv jsonl; do for x in 1 '{}' '"-"'; do BODY="{\"type\":\"account\",\"format\":\"$f\",\"reason\":\"audit\",\"file\":$x}" ask POST /v1/exports; is 400 "$f, file $x"; done; done
BODY='{"type":"account","reason":"audit"}' ask POST /v1/exports/; is 404 "a slash at the end"
X='{"type":"account","reason":"once"}'; BODY=$X ask POST "/v1/exports?wait=10" "Idempotency-Key: k1"; E1=$(member id); BODY=$X ask POST "/v1/exports" "Idempotency-Key: k1"; is 202 "one that is over, not waited for"; same "$(member id)" "$E1" "asked for twice, made once"; BODY=$X ask POST /v1/exports "Idempotency-Key: k2"; hasnt "$ANSWER" "$E1" "another key"
# one key is for one thing: not for another body, path or kind of job, also while the first is on its way
for r in 'POST /v1/exports {"type":"contact","reason":"once"}' "POST /v1/imports/$F/run $X" "POST /v1/sync/run $X"; do BODY=${r#* * } ask ${r%% \{*} "Idempotency-Key: k1"; is 409 "k1 for $r"; has "$ANSWER" '"code":"request.reused".*"exit":6' "its code"; done
BODY='{"limit":1}' ask POST /v1/accounts/query "Idempotency-Key: k1"; is 200 "what only shows is shown under any key"
p=(); for t in account contact activity lead; do printf '{"type":"%s","reason":"once"}' $t | "$ASK" "$S" 10 POST /v1/exports "Idempotency-Key: k4" >"$W/other$t" 2>/dev/null & p+=($!); done; wait "${p[@]}"
same "$(head -qn1 "$W"/other* | grep -c ' 202 ')$(cat "$W"/other* | grep -ac request.reused)" 13 "one of four at once under one key"
p=(); for i in 1 2 3 4 5; do printf '%s' "$X" | "$ASK" "$S" 10 POST /v1/exports "Idempotency-Key: k3" >"$W/once$i" 2>/dev/null & p+=($!); done; wait "${p[@]}"
same "$(cat "$W"/once? | grep -aoE '"id":"[0-9a-f]{24}"' | sort | uniq -c | awk '{ print $1 }')" 5 "asked for five times at once, made once"
ask GET "/v1/exports/$J/file"; is 404 "an import's job is no export"
ask POST "/v1/sync/run?wait=10"; is 200 "sync as a job"; fits job "$ANSWER"; has "$ANSWER" '"kind":"sync".*"state":"done".*"schema":"satchel/sync/1"' "it was exchanged"

# ---- on a condition, or as a trial: none of these can be, so none is done -----------------
sed 's/,138/,137/; s/Nova/Vega/' "$W/in.csv" >"$W/vega.csv"; FROM=$W/vega.csv ask POST "/v1/imports?type=account" "$CSV"; U=$(member id); ask POST "/v1/imports/$U/run?wait=10"; has "$ANSWER" '"created":3' "three to be taken back"; K=$(member id)
all() { ask GET /v1/jobs; grep -oE '"id":"[0-9a-f]{24}"' <<<"$ANSWER" | sort; ask GET "/v1/imports/$U"; echo "$ANSWER"; find "$W/r/li/spool" -name '*.import' | sort; total li account; ask GET "/v1/attachments?record=$A"; echo "$ANSWER"; }
A=$(as li --json account list --limit 1 | flat | grep -oE '"id":"[^"]*"' | head -1 | cut -d'"' -f4); WAS=$(all)
for w in '?validate=only' '?validate=' '?validate[]=only' '?if_version=v1-1-1' '?if_version[]=v1-1-1' 'If-Match: "v1-1-1"'; do
	q= h=Satchel-Nothing:1; case $w in \?*) q=$w ;; *) h=$w ;; esac
	for r in "POST /v1/imports/$U/run" "POST /v1/imports/$U/undo" "PATCH /v1/imports/$U" "DELETE /v1/imports/$U" "DELETE /v1/jobs/$K" "POST /v1/sync/run" "POST /v1/session/lock" "POST /v1/session/links"; do BODY='{"max_errors":9}' ask ${r}"$q" "$h"; is 400 "$r $w"; done
	for b in '' ',"dry_run":true'; do BODY="{\"type\":\"account\",\"reason\":\"audit\"$b}" ask POST "/v1/exports$q" "$h"; is 400 "an export $w"; done
	BODY="{\"id\":\"$A\"}" ask POST "/v1/privacy/access$q" "$h"; is 400 "a copy $w"
	FROM=$W/vega.csv ask POST "/v1/imports$q" "$CSV" "$h"; is 400 "a file $w"; FROM=$W/vega.csv ask POST "/v1/attachments${q:-?}&record=$A&name=x.csv" "$CSV" "$h"; is 400 "a file of a record $w"
done; BODY=
same "$(all)" "$WAS" "everything is as it was"; ask POST "/v1/imports/$U/undo" "If-Match: *"; is 200 "whatever it is: taken back"

# ---- what several runs wrote goes back to what was there before all of them ----------------
R=$(as li account add --set name=Twice "${ACC[@]}" --set phone_main=13711110001 --set remark=A)
printf 'name,industry,contact_name,phone_main,need_type,stage,one,two\nTwice,I65,c,13711110001,product,first_contact,X,Y\nAnew,I65,c,13711110002,product,first_contact,X,Y\n' >"$W/twice.csv"
FROM=$W/twice.csv ask POST "/v1/imports?type=account&on_duplicate=update" "$CSV"; V=$(member id); C=$(for c in name industry contact_name phone_main need_type stage; do printf '"%s":{"field":"%s"},' $c $c; done)
for c in one two; do BODY="{\"mapping\":{\"schema\":\"satchel/import-map/1\",\"kind\":\"account\",\"columns\":{$C\"$c\":{\"field\":\"remark\"},\"$([ $c = one ] && echo two || echo one)\":null}}}" ask PATCH "/v1/imports/$V"; is 200 "its mapping"
	ask POST "/v1/imports/$V/run?wait=10"; has "$ANSWER" '"state":"done"' "run $c"; done
ask GET "/v1/accounts/$R"; has "$ANSWER" '"remark":"Y"' "as the second wrote it"
ask POST "/v1/imports/$V/undo" "Idempotency-Key: back"; is 200 "taken back"; fits import.undo "$ANSWER"; has "$ANSWER" '"deleted":1,"restored":1,"left":0' "both runs of it"
ask GET "/v1/accounts/$R"; has "$ANSWER" '"remark":"A"' "as it was before them"; ask GET "/v1/accounts?where=name%3DAnew"; has "$ANSWER" '"data":\[\]' "the other one is gone"
ask POST "/v1/imports/$V/undo" "Idempotency-Key: back"; is 409 "the same undo once more"; has "$ANSWER" '"code":"request.done"' "is done"
ask POST "/v1/imports/$V/run?wait=10"; ask GET "/v1/accounts?where=name%3DAnew"; N=$(member id); expect 0 as li account edit "$N" --set remark=mine
expect 3 as li import undo "$V"; has "$OUT$ERR" "left" "the command line says what stays"; ask GET "/v1/accounts/$N"; has "$ANSWER" '"remark":"mine"' "it is as somebody made it"
for x in "$R" "$N"; do ask DELETE "/v1/accounts/$x"; is 200 "cleared away"; done

# ---- two at once, cancelled, locked, killed ----------------------------------------------
rows 25000 >"$W/long.csv"; FROM=$W/long.csv ask POST "/v1/imports?type=account" "$CSV"; L=$(member id)
ask POST "/v1/imports/$L/run"; K=$(member id); ask POST "/v1/imports/$L/run"; is 423 "the same file twice"; has "$ANSWER" job.running "its code"
FOR=2 ask GET "/v1/jobs/$K"; has "$ANSWER" '"state":"running"' "it can be looked at while it runs"
BODY='{"header":1}' ask PATCH "/v1/imports/$L"; is 423 "an option while it runs"
FROM=$W/in.csv ask POST "/v1/imports?type=account" "$CSV"; is 201 "another upload meanwhile"; X=$(member id); ask POST "/v1/imports/$X/run"; is 202 "another job meanwhile"; X=$(member id); has "$ANSWER" '"state":"waiting"' "it waits"
ask DELETE "/v1/jobs/$K"; is 200 "told to stop"; ask GET "/v1/jobs/$K?wait=10"; has "$ANSWER" '"state":"interrupted"' "it stopped"
sum() { grep -oE '"rows":[0-9]+' | tail -1 | cut -d: -f2; }
done1=$(sed 's/.*"result"//' <<<"$ANSWER" | sum); [ "$done1" -lt 25000 ] && ok || bad "it did not stop: $done1"
ask GET "/v1/jobs/$X?wait=10"; has "$ANSWER" '"state":"partly"' "the other one ran"; OTHERS=$(($(grep -oE '"created":[0-9]+' <<<"$ANSWER" | tail -1 | cut -d: -f2) + 1))
ask POST "/v1/imports/$L/run"; K=$(member id)
for _ in $(seq 100); do FOR=2 ask GET "/v1/jobs/$K"; grep -q '"progress":{' <<<"$ANSWER" && break; sleep 0.03; done
kill -KILL "$(cat "$W/r/li/daemon.pid")"; sleep 0.2; start
ask GET "/v1/jobs/$K"; is 200 "a job of a daemon that died"; fits job "$ANSWER"; has "$ANSWER" '"state":"interrupted","over":true|"over":true.*"state":"interrupted"|"state":"interrupted"' "says so"; has "$ANSWER" '"code":"job.interrupted"' "why"
expect 0 as li check; ask GET /v1/accounts/aggregate; n=$(grep -oE '"total":\{"count":[0-9]+' <<<"$ANSWER" | grep -oE '[0-9]+$'); [ "$n" -lt 25002 ] && ok || bad "$n customers"
[ $(((n - 1) % 1000)) = 0 ] || [ $(((n - 1 - done1) % 1000)) = 0 ] && ok || bad "half a group: $n, $done1 before"
ask GET "/v1/imports/$L"; has "$ANSWER" '"state":"uploaded"|"state":"failed"|"state":"partly"' "the file is there still"
FOR=30 ask POST "/v1/imports/$L/run?wait=30"; has "$ANSWER" '"state":"done"' "again"; same "$(total li account)" 25001 "every row once"
# the one that stopped, the one that was killed and the last one are taken back together, also after a run that makes nothing
FOR=30 ask POST "/v1/imports/$L/run?wait=30"; has "$ANSWER" '"created":0.*"undo":null' "once more makes nothing"
ask GET "/v1/imports/$L"; fits import.upload "$ANSWER"; [ "$(grep -oE '"batches":\[[^]]*' <<<"$ANSWER" | grep -oE '"[0-9a-z]{26}"' | wc -l)" -ge 2 ] && ok || bad "the file knows not what its runs made"
FOR=60 ask POST "/v1/imports/$L/undo"; is 200 "undo of all runs"; fits import.undo "$ANSWER"; has "$ANSWER" "\"deleted\":$((25001 - OTHERS)),\"restored\":0,\"left\":0" "all of it"; same "$(total li account)" "$OTHERS" "what was there before is"
# an erasure empties the spool while a job runs: no file is made of what was read before, and what was imported is told as imported
rows 12000 >"$W/mid.csv"; sed -i '2,$s/139/138/' "$W/mid.csv"; FROM=$W/mid.csv ask POST "/v1/imports?type=account&on_duplicate=update" "$CSV"; M=$(member id)
ask POST "/v1/imports/$M/run"; K2=$(member id); BODY='{"type":"account","reason":"audit"}' ask POST /v1/exports; E2=$(member id); BODY=; rm -f "$W/r/li/spool/"*
FOR=30 ask GET "/v1/jobs/$K2?wait=30"; has "$ANSWER" '"state":"(done|partly)"' "the import says what it did"
FOR=30 ask GET "/v1/jobs/$E2?wait=30"; has "$ANSWER" '"code":"export.emptied"' "the export made no file"; [ -z "$(find "$W/r/li/spool" -name "$E2.file" -o -name "$M.*")" ] && ok || bad "a file is left of who was erased"
FROM=$W/long.csv ask POST "/v1/imports?type=account" "$CSV"; L=$(member id); FROM=$W/in.csv ask POST "/v1/imports?type=account" "$CSV"; I=$(member id); BODY='{"type":"account","reason":"audit"}' ask POST "/v1/exports?wait=10"; E=$(member id); ask GET "/v1/jobs"; K=$E; BODY=
BODY=; ask POST /v1/session/lock; ask GET "/v1/jobs/$K"; is 401 "locked"; ask GET "/v1/exports/$E/file"; is 401 "a file, locked"; ask GET /v1/jobs; is 401 "the list, locked"; FROM=$W/in.csv ask POST /v1/imports "$CSV"; is 401 "an upload, locked"
BODY='{"passphrase":"people pass phrase"}' ask POST /v1/session/unlock; BODY=; ask GET "/v1/exports/$E/file"; is 200 "unlocked"
cp "$W/r/li/spool/$L.file" "$W/keep"; flip "$W/r/li/spool/$L.file" 70000; ask POST "/v1/imports/$L/run"; is 500 "a damaged file"; has "$ANSWER" '"exit":12' "as an integrity failure"
cp "$W/r/li/spool/$L.file" "$W/r/li/spool/$I.file"; ask GET "/v1/imports/$I/preview"; is 500 "another one's file"

# ---- a lock: what comes while it waits for a job is told to stop as well ----------------
rows 20001 | sed 's/,138/,136/' >"$W/far.csv"; kill -STOP "$server_pid"; BODY='{}' ask POST /v1/sync/run; is 202 "a sync whose server holds its breath"; sleep 0.5
BODY=; "$ASK" "$S" 60 POST /v1/session/lock </dev/null >/dev/null 2>&1 & p=($!)
for i in 1 2 3 4 5 6; do sleep 0.03; { as li -q import "$W/far.csv" --type account >/dev/null 2>&1 && echo whole >>"$W/whole"; } & p+=($!); done
wait "${p[@]}"; kill -CONT "$server_pid"; [ ! -e "$W/whole" ] && ok || bad "an import that came while it was locked went to its end"
BODY='{"passphrase":"people pass phrase"}' ask POST /v1/session/unlock; is 200 "unlocked again"; BODY=

# ---- a large file takes no memory ------------------------------------------------------------
head -c 100000000 /dev/zero | tr '\0' x >"$W/large"; hwm() { awk '$1 == "VmHWM:" { print $2 }' "/proc/$(cat "$W/r/li/daemon.pid")/status"; }; BEFORE=$(hwm)
FOR=120; FROM=$W/large ask POST "/v1/imports?type=account" "$CSV"; is 201 "100 MB"; has "$ANSWER" '"bytes":100000000' "all of them"; L=$(member id)
ask GET "/v1/imports/$L/preview"; is 422 "a line without end"; has "$ANSWER" '"code":"validation"' "says so"; ask DELETE "/v1/imports/$L"; is 200 "taken away"; FOR=
GREW=$(($(hwm) - BEFORE)); [ "$GREW" -lt 40000 ] && ok || bad "the daemon grew by $GREW kB"; rm "$W/large"

# ---- a disk that is full ----------------------------------------------------------------------
d user add wu --name Wu --role hq >/dev/null; enrol wu; as wu -q sync; S=$W/r/wu/daemon.sock
DAEMON=$(trap '' XFSZ; ulimit -f 6000; "$SATCHEL" -C "$W/r/wu" --passphrase-file "$W/pass" --no-input daemon --no-sync --no-timer 2>&1 >/dev/null | sed -n 's/.*process \([0-9]*\)$/\1/p'); echo "$DAEMON" >"$W/r/wu/daemon.pid"
head -c 8000000 /dev/zero | tr '\0' x >"$W/big"
FROM=$W/big ask POST /v1/imports "$CSV"; is 507 "no room"; has "$ANSWER" '"exit":15' "as its exit code"
[ -z "$(find "$W/r/wu/spool" -type f)" ] && ok || bad "half a file is left"
# a batch that cannot be noted is not made: an undo would not find it
THERE=$(total wu account); FROM=$W/in.csv ask POST "/v1/imports?type=account" "$CSV"; I=$(member id); mkdir "$W/r/wu/spool/$I.import.tmp"
ask POST "/v1/imports/$I/run?wait=10"; has "$ANSWER" '"state":"failed"' "an import of which nothing can be noted"; same "$(total wu account)" "$THERE" "nothing of it is in"
rmdir "$W/r/wu/spool/$I.import.tmp"; ask POST "/v1/imports/$I/run?wait=10"; has "$ANSWER" '"created":3' "there is room again"
# one that was noted and then not made hides none before it
{ echo "name,industry,contact_name,phone_main,need_type,stage,remark"; m=$(printf '远%.0s' {1..1200}); for i in $(seq 990); do echo "Vast $i,I65,c$i,1350$((1000000 + i)),product,first_contact,$m"; done; } >"$W/vast.csv"
FROM=$W/vast.csv ask POST "/v1/imports?type=account&on_duplicate=update" "$CSV"; V=$(member id); C=$(for c in name industry contact_name phone_main need_type stage; do printf '"%s":{"field":"%s"},' $c $c; done)
BODY="{\"mapping\":{\"schema\":\"satchel/import-map/1\",\"kind\":\"account\",\"columns\":{$C\"remark\":null}}}" ask POST "/v1/imports/$V/run?wait=30"; has "$ANSWER" '"created":990' "without what is long"
ask GET "/v1/imports/$V"; BATCH=$(member batch); ask POST "/v1/imports/$V/run?wait=30"; has "$ANSWER" '"state":"failed"' "with it the disk is full"
ask GET "/v1/imports/$V"; same "$(grep -oE '"batches":\[[^]]*' <<<"$ANSWER" | grep -oE '"[0-9a-z]{26}"' | wc -l)" 2 "noted, and not made"
ask GET "/v1/imports/$V/sample?n=2"; is 200 "a sample"; has "$ANSWER" "\"batch\":\"$BATCH\"" "of what was made"
finish
