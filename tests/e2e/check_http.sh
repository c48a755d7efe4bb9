#!/bin/bash
# The daemon's HTTP as a browser or a tool sees it: documents, problems, ETag,
# events as a stream and as a long poll. (The command line's own way through it
# is check_daemon.sh.)
. tests/e2e/lib.sh
ASK=$(readlink -f "$B/tests/http/ask")
S=$W/r/li/daemon.sock
# ask METHOD TARGET [HEADER...]; a body with body '...' ask ...
ask() { if [ -n "${FROM:-}" ]; then cat "$FROM"; else printf '%s' "${BODY:-}"; fi | "$ASK" "$S" "${FOR:-5}" "$@" >"$W/answer"; STATUS=$(head -1 "$W/answer" | cut -d' ' -f2); ANSWER=$(cat "$W/answer"); HEAD=$ANSWER; }
is() { same "$STATUS" "$1" "status of $2"; }
server_init; serve
d team add east --name East >/dev/null; d user add li --name Li --role rep --team east >/dev/null; enrol li
d user add boss --name Boss --role manager --team east >/dev/null; enrol boss
as li -q sync; as li daemon >/dev/null 2>"$W/err"; sed -n 's/.*process \([0-9]*\)$/\1/p' "$W/err" >"$W/r/li/daemon.pid"

ask GET /v1/health;                            is 200 health; has "$ANSWER" '"ok":true' health
for _ in $(seq 100); do ask GET /v1/status; grep -q '"state":"live"' <<<"$ANSWER" && break; sleep 0.1; done # its first session takes its time
has "$ANSWER" '"state":"(live|syncing)"' "live state"
ask GET /v1/nosuch/x/y/z;                      is 404 "no route"; has "$ANSWER" 'application/problem\+json' "a problem"
ask GET /v1/accounts/%00;                      is 404 "no list in its place"
ask HEAD /v1/accounts;                         is 200 "headers alone"; hasnt "$ANSWER" '"schema"' "and no body"
ask PUT /v1/accounts;                          is 405 "another method"; has "$ANSWER" '^Allow: GET, HEAD, POST' "those there are"; has "$ANSWER" '"instance":"/v1/accounts"' "which path"
P=$(cat "$W/r/li/daemon.pid"); T=$(ls "/proc/$P/task" | wc -l); for _ in 1 2 3; do FOR=1 ask GET /v1/events; FOR=1 ask GET "/v1/events?wait=50"; done; sleep 2.5
[ "$(ls "/proc/$P/task" | wc -l)" -le $((T + 1)) ] && ok || bad "threads wait for listeners that have left: $(ls "/proc/$P/task" | wc -l), $T before"
ask GET "/v1/events?since=abc&wait=0";         is 400 "no number of an event"; has "$ANSWER" '"instance":"/v1/events"' "which path"
BODY="{\"folder\":\"$W\"}" ask POST /v1/backups;   is 409 "a folder that is there"; has "$ANSWER" 'application/problem\+json' "a problem"; has "$ANSWER" '"code":"backup.folder","exit":6' "its code"
BODY="{\"file\":\"$W/none/x\"}" ask POST /v1/templates/pack; is 404 "a folder that is not there"
BODY="{\"type\":\"account\",\"file\":\"$W/none/x\"}" ask POST /v1/exports; is 404 "the same of an export"
ask GET /v1/accounts/nosuch;                   is 404 "no record"; has "$ANSWER" '"code":"[a-z_.]+".*"exit":5' "its code"
BODY='{"name":"x"' ask POST /v1/accounts;      is 400 "no JSON"
BODY='{"name":"only"}' ask POST /v1/accounts;  is 422 "required fields"; has "$ANSWER" '"path":"phone_main"' "which"
BODY='{"name":"甲公司","industry":"I65","contact_name":"李","phone_main":"13812345678","need_type":"solution","stage":"first_contact"}'
ask POST /v1/accounts;                         is 201 "a new customer"
A=$(grep -oE '"id":"[0-9a-z]{26}"' "$W/answer" | head -1 | cut -d'"' -f4); same ${#A} 26 "its id"; has "$ANSWER" "^Location: /v1/accounts/$A" "where it is"
X=$BODY; BODY=${X/12345678/99887766}; BODY=${BODY/甲公司/无此人} ask POST "/v1/accounts?validate=only"; is 200 "tried, not made"; hasnt "$ANSWER" "^Location" "nowhere"; BODY=$X
ask POST /v1/accounts;                         is 409 "the same once more"; has "$ANSWER" "\"candidates\":\[\{\"id\":\"$A\"" "which it may be"
X=$BODY; BODY='{"name":"王","company":"戊公司","phone":"13912345678"}' ask POST /v1/leads; is 201 "a lead"; L=$(sed -n 's/^Location: //p' "$W/answer" | tr -d '\r')
BODY="{\"set\":{\"industry\":\"I65\",\"need_type\":\"solution\"}}"; ask POST "$L/convert"; is 201 "a customer of it"; N=$(sed -n 's/^Location: //p' "$W/answer" | tr -d '\r'); has "$N" '^/v1/accounts/[0-9a-z]{26}$' "where he is"
ask POST "$L/convert"; is 200 "he is one already"; hasnt "$ANSWER" "^Location" "nothing was made"; BODY= ask GET "$N"; is 200 "he is there"; has "$ANSWER" 戊公司 "by his name"; BODY=$X
BODY=; ask GET "/v1/accounts?limit=1&q=%E7%94%B2";  is 200 list; has "$ANSWER" "$A" "list by a query"
ask GET "/v1/accounts?where=nosuch%3D1";       is 400 "a wrong filter"
ask GET "/v1/reports/new-customers/run?period=all&params%5B%5D=owner%3Dli"; is 200 "a report with a list of parameters"

# the version is the ETag, and If-Match keeps two writers apart
ask GET "/v1/accounts/$A"; TAG=$(grep -ioE '^etag: "[^"]*"' "$W/answer" | cut -d' ' -f2)
has "$TAG" '^"v[0-9a-z-]+"$' "etag"
BODY='{"remark":"一"}' ask PATCH "/v1/accounts/$A" "If-Match: $TAG"; is 200 "the first writer"
BODY='{"remark":"二"}' ask PATCH "/v1/accounts/$A" "If-Match: $TAG"; is 412 "the second writer"; has "$ANSWER" '"code":"precondition"' "its code"; has "$ANSWER" "\"instance\":\"/v1/accounts/$A\"" "which request"
BODY='{"remark":"三"}' ask PATCH "/v1/accounts/$A";                  is 200 "who does not ask"
BODY='{"stage":"need_confirmed"}' ask POST "/v1/accounts/$A/stage" "If-Match: $TAG"; is 412 "a stage of a record as it was"; has "$ANSWER" '"code":"precondition"' "its code"
BODY='{"remark":"四"}' ask PATCH "/v1/accounts/$A" "If-Match: W/$TAG"; is 412 "a weak tag is nobody's version"; has "$ANSWER" '"status":412' "the same in the body"
# a task is done as it was read; and who has a view of a customer gets a new one when what lies under it has changed
BODY="{\"account\":\"$A\",\"title\":\"回访\"}" ask POST /v1/tasks; is 201 "a task"; K=$(grep -oE '"id":"[0-9a-z]{26}"' <<<"$ANSWER" | head -1 | cut -d'"' -f4)
BODY='{}' ask POST "/v1/tasks/$K/done" 'If-Match: "v0-stale"'; is 412 "done as it was not"; has "$ANSWER" '"code":"precondition"' "its code"
BODY=; ask GET "/v1/tasks/$K"; T=$(grep -ioE '^etag: "[^"]*"' "$W/answer" | cut -d' ' -f2); ask GET "/v1/tasks/$K" "If-None-Match: $T"; is 304 "as it is"
BODY='{}' ask POST "/v1/tasks/$K/done" "If-Match: $T"; is 200 "done as it was"; BODY='{}' ask POST /v1/rules/run "If-Match: $T"; is 400 "a version of what has none"; BODY=
for x in timeline '?include=contacts'; do
	# what is on its way to the server says so until it is there
	u=/v1/accounts/$A/$x; u=${u/\/\?/?}; for _ in $(seq 100); do ask GET "$u"; grep -q '"pending":true' <<<"$ANSWER" || break; sleep 0.1; done
	is 200 "$x"; T=$(grep -ioE '^etag: "[^"]*"' "$W/answer" | cut -d' ' -f2)
	ask GET "$u" "If-None-Match: $T"; is 304 "$x as it is"
	BODY="{\"account\":\"$A\",\"name\":\"王$RANDOM\"}" ask POST /v1/contacts; is 201 "a contact"; BODY=
	ask GET "$u" "If-None-Match: $T"; is 200 "$x with another contact"
done
BODY=; ask DELETE "/v1/accounts/$A";           is 403 "a rep may not delete"
ask GET /v1/accounts/nosuch "Accept-Language: zh-CN,zh;q=0.9"; has "$ANSWER" '"title":"未找到"' "a title in his language"; has "$ANSWER" '"request_id":"[0-9a-f]{16}"' "a name of the problem"
ask GET "/v1/accounts?limit=501";              is 400 "more rows than a list has"; ask GET "/v1/accounts?limit=0"; is 400 "all of them"; BODY='{"limit":501}' ask POST /v1/accounts/query; is 400 "the same by a body"; BODY=
ask GET "/v1/accounts?limit=500&sort=-next_at,name&fields=name,stage&offset=0&count=none"; is 200 "the members of the design"; has "$ANSWER" '"total":null' "not counted"
ask GET /v1/me; has "$ANSWER" '"scope":\{"view":"own".*"limits":\{"operations_day":[0-9]+' "role, scope, limits"
ask GET /v1/schema/account; has "$ANSWER" '"\$schema":"https://json-schema.org/draft/2020-12/schema"' "a JSON Schema"; has "$ANSWER" '"stage":\{"title":"[^"]*","type":\["string","null"\].*"enum":\["first_contact"' "an option list"; has "$ANSWER" '"required":\["[^]]*"phone_main"' "what is required"
ask GET /v1/schema/account "Accept-Language: zh"; has "$ANSWER" '"title":"客户"' "in Chinese"; has "$HEAD" '^E[Tt]ag: "[0-9a-f]{40}-zh"' "another tag"; ask GET /v1/schema; has "$HEAD" '^E[Tt]ag: "[0-9a-f]{40}"' "the dictionary's tag"
ask GET /v1/openapi.json; for r in /v1/events /v1/session /v1/jobs/{id} /v1/imports/{id}/run /v1/exports/{id}/file; do has "$ANSWER" "\"$r\"" "$r is described"; done
D=$(sed -n '/^{/,$p' "$W/answer"); has "$D" '"/v1/sync/run":\{"post":\{[^}]*"parameters":\[[^]]*\],"requestBody":[^]]*"202"' "what is a job says 202"; has "$D" '"/metrics":\{"get":.*"text/plain":' "what is no JSON says so"

# what is not JSON, and what the browser has already
ask GET /metrics; is 200 metrics; has "$ANSWER" '^Content-Type: text/plain' "text"; has "$ANSWER" '^satchel_pending_commits [0-9]+' "commits"; has "$ANSWER" '^satchel_replica_bytes [1-9]' "size"; hasnt "$ANSWER" '甲公司' "no names"
as li account edit "$A" --set next_follow_at=2031-05-06T09:00:00+08:00 >/dev/null; ask GET /v1/calendar.ics; is 200 calendar; has "$ANSWER" '^Content-Type: text/calendar' "a calendar"
has "$ANSWER" '^DTSTART:20310506T010000Z' "the next follow-up"; has "$ANSWER" '^SUMMARY:甲公司' "its title"; hasnt "$ANSWER" '13812345678' "no phone"
ask GET /v1/i18n/zh; is 200 words; has "$ANSWER" '"account":"客户"' "in Chinese"; W1=$(grep -ioE '^etag: "[^"]*"' "$W/answer" | cut -d' ' -f2); ask GET /v1/i18n/en; has "$ANSWER" '"account":"Customer"' "in English"; ask GET /v1/i18n/tlh; is 404 "no such language"
ask GET /v1/schema/account "If-None-Match: $W1"; is 304 "the schema is the template's"; ask GET /v1/schema/account 'If-None-Match: "other"'; is 200 "another one"
ask GET /v1/sync; is 200 "state of sync"; ask GET "/v1/accounts/$A/duplicates"; is 200 "nothing like it"; has "$ANSWER" '"data":\[\]' "none"

# events: the numbers go on, nothing is said twice, names only
FOR=1 ask GET "/v1/events?since=0";            has "$ANSWER" 'text/event-stream' "stream"; has "$ANSWER" '^event: record' "record"
has "$ANSWER" "\"id\":\"$A\"" "which record"; hasnt "$ANSWER" '甲公司' "no personal data"
LAST=$(grep -oE '^id: [0-9]+' "$W/answer" | tail -1 | cut -d' ' -f2)
ask GET "/v1/events?wait=0&since=$LAST"; NEXT=$(grep -oE '"next":[0-9]+' "$W/answer" | cut -d: -f2); [ "$NEXT" -ge "$LAST" ] && ok || bad "next $NEXT after $LAST"
"$ASK" "$S" 10 GET "/v1/events?wait=10&since=$NEXT&types=record" </dev/null >"$W/poll" & poller=$!
sleep 0.3; t0=$(date +%s); as li account edit "$A" --set remark=四 >/dev/null; wait $poller
[ $(($(date +%s) - t0)) -lt 8 ] && ok || bad "the poll did not end with the event"; has "$(cat "$W/poll")" '"type":"record"' "polled"
FOR=1 ask GET /v1/events "Last-Event-ID: 999999"; has "$ANSWER" 'event: reset' "an unknown number"
as boss -q sync; as boss account edit "$A" --set remark=五 >/dev/null; as boss -q sync
for _ in $(seq 2000); do ask GET "/v1/events?wait=0&since=0&types=sync"; grep -q '"commits":[1-9]' "$W/answer" && break; sleep 0.05; done
has "$ANSWER" '"commits":[1-9]' "what came from the others"

# lines for programs that want progress; more than a body may be; the lock
ask GET /v1/status "Accept: application/x-ndjson"; has "$ANSWER" '"type":"answer","rc":0,"answer":\{' "lines"
head -c 1100000 /dev/zero | tr '\0' x >"$W/big"; FROM=$W/big ask POST /v1/accounts; is 413 "too long"; has "$ANSWER" '"status":413,.*"code":"usage.body"' "a problem document"; has "$ANSWER" '^Cache-Control: no-store' "with the headers of any answer"
BODY=; ask POST /v1/session/lock;              is 200 lock
ask GET /v1/accounts;                          is 401 "locked"; ask GET /v1/health; is 200 "alive and locked"
BODY='{"passphrase":"people pass phrase"}' ask POST /v1/session/unlock; is 200 unlock
BODY=; ask GET "/v1/accounts/$A";              is 200 "unlocked"
finish
