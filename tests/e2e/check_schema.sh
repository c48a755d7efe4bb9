#!/bin/bash
# --json of the verbs that no route answers alone, and of those that need a
# server: one document (or lines), each with what docs/schema requires. The
# routes themselves are held against their schemas by
# tests/unit/client/api/test_routes.c.
. tests/e2e/lib.sh
. tests/e2e/fits.sh
lines() { wc -l <<<"$1"; }
server_init; serve
d team add east --name East >/dev/null
d user add li --name Li --role rep --team east >/dev/null; d user add boss --name Boss --role manager --team east >/dev/null

expect 0 as li --json init --invite "$(d device invite --user li)"; fits status "$OUT"; same "$ERR" "" "init --json says nothing on stderr but failures"
enrol boss
expect 0 as li --json status; fits status "$OUT"
expect 0 as li --json sync; fits sync "$OUT"
expect 0 as li --format jsonl sync; fits sync "$(tail -1 <<<"$OUT")"
expect 0 as li --json --version; fits version "$OUT"
echo "another pass phrase" >"$W/new"
expect 0 as li --json passwd --new-passphrase-file "$W/new"; fits passwd "$OUT"
repass li --json

# import: progress and findings line by line, the summary last
rows() { awk -v w="$1" -v n="$2" 'BEGIN { print "name,industry,contact_name,phone_main,need_type,stage"
	for (i = 1; i <= n; i++) printf "%s %d 公司,I65,c%d,%s%08d,product,first_contact\n", w, i, i, "138", i }'; }
{ rows Acme 3000; echo "Bad,I65,c,12,product,first_contact"; } >"$W/in.csv"
expect 3 as li --json import "$W/in.csv" --type account --errors "$W/bad.csv"
fits import "$(tail -1 <<<"$OUT")"; has "$(tail -1 <<<"$OUT")" '"created":3000' "summary"
has "$(head -1 <<<"$OUT")" '^\{"type":"progress"' "progress"
[ "$(lines "$OUT")" -lt 60 ] && ok || bad "$(lines "$OUT") lines: more than ten a second"
fits error "$ERR"; has "$ERR" '"exit":3' "partly"
expect 3 as li --json import "$W/in.csv" --type account --dry-run
fits import "$(tail -1 <<<"$OUT")"; has "$(tail -1 <<<"$OUT")" '"dry_run":true' "dry run"

# Ctrl-C: what was said to be saved is saved, the summary says interrupted
rows Long 60000 >"$W/long.csv"
d user add han --name Han --role rep --team east >/dev/null; enrol han
"$SATCHEL" -C "$W/r/han" --passphrase-file "$W/pass" --json import "$W/long.csv" --type account >"$W/out" 2>"$W/err" & p=$!
for _ in $(seq 2000); do grep -q progress "$W/out" && break; sleep 0.02; done
kill -INT $p; wait $p; same $? 130 "exit code of an interrupted import"
s=$(tail -1 "$W/out"); fits import "$s"; has "$s" '"interrupted":true' "interrupted"
n=$(grep -o '"created":[0-9]*' <<<"$s" | cut -d: -f2)
same "$(as han --json account list --limit 1 | grep -o '"total": [0-9]*' | grep -o '[0-9]*')" "$n" "rows saved before Ctrl-C"

# records, one or many
A=$(as li --format tsv account list --limit 2 --fields id | head -1); B=$(as li --format tsv account list --limit 2 --fields id | tail -1)
expect 0 as li -q sync; expect 0 as boss -q sync
expect 0 as boss --json account assign "$A" "$B" --to boss; fits list "$OUT"; same "$(grep -c '"version"' <<<"$OUT")" 2 "both records"
expect 0 as boss --json account edit "$A" --set remark=x; fits record "$OUT"
expect 0 as boss --json --yes account delete "$A"; fits record "$OUT"
expect 0 as boss --json account restore "$A"; fits record "$OUT"
expect 0 as boss --json account edit "$A" --set remark=y --validate; fits record "$OUT"
expect 0 as boss --format jsonl account list --limit 3; same "$(lines "$OUT")" 3 "one line per record"
expect 0 as boss --json account show "$A" --timeline; fits timeline "$OUT"
expect 0 as boss --json sync pending; fits pending "$OUT"
expect 0 as boss --json report show won; fits report.definition "$OUT"
expect 0 as boss --json template show dict/stage; fits template "$OUT"
expect 0 as boss --json export account -o "$W/x.csv" --reason audit; fits export "$OUT"
expect 2 as boss --json export account -o "$W/y.csv"; fits error "$ERR"; has "$ERR" "reason" "a manager gives a reason"
[ ! -e "$W/y.csv" ] && ok || bad "a refused export left a file"
expect 0 as boss --json backup "$W/backup"; fits backup "$OUT"
expect 0 as boss2 --json restore "$W/backup" --verify-only; fits restore "$OUT"
expect 0 as boss2 --json restore "$W/backup"; fits restore "$OUT"

# failures: one line on stderr, nothing on stdout
for words in "nosuch" "account" "account list --nosuch" "account list --sort nosuch" "account list --fields nosuch" \
	"account show 00000000000000000000000000" "report run nosuch" "sync --timeout never" "export nosuch" "api GET /v1/nosuch"; do
	# shellcheck disable=SC2086
	OUT=$(as boss --json $words 2>"$W/err"); ERR=$(cat "$W/err")
	fits error "$ERR"; same "$(lines "$ERR")" 1 "lines on stderr of $words"; same "$OUT" "" "stdout of a failed $words"
done
expect 7 as boss --json account add --set name=x; fits error "$ERR"; has "$ERR" '"path":"phone_main","code":"required"' "fields"
stop_server; expect 8 as boss --json sync --timeout 1s; fits error "$ERR"
finish
