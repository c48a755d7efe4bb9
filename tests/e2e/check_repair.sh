#!/bin/bash
# Rows changed behind the program's back, a shortened log, and who comes back
# to it: found, fetched again, nothing unsent is lost.
. tests/e2e/lib.sh
SPOIL=$(readlink -f "$B/tests/e2e/spoil")
spoil() { "$SPOIL" "$W/r/$1" replica "$W/pass" "$2" || bad "cannot spoil $1"; }
server_init; d team add east --name East >/dev/null
for u in hq:hq li:rep wang:rep; do d user add "${u%:*}" --name "${u%:*}" --role "${u#*:}" --team east >/dev/null; done
serve; for u in hq li wang; do enrol $u; as $u -q sync; done
add() { as "$1" --json account add --set name="$2" "${ACC[@]}" --set phone_main="$3" | flat | grep -o '"id":"[^"]*"' | head -1 | cut -d'"' -f4; }
list() { as "$1" --format tsv account list --all --sort name --fields name,phone_main,stage,remark,owner 2>&1; }
trips() { as "$1" --json sync | flat | grep -o '"round_trips":[0-9]*' | cut -d: -f2; }
for i in $(seq 12); do A[i]=$(add li "Li $i" 1380000$((1000 + i))); C[i]=$(add wang "Wang $i" 1390000$((1000 + i))); done
for u in li wang hq li wang hq; do expect 0 as $u -q sync; done
want=$(list hq); same "$(trips hq)" 1 "an idle sync is one round trip"
has "$(as hq --json status | flat)" '"diverged":\{"count":0,' "nothing differed yet"

# --- a value, a clock, a whole row; each is found and comes again
expect 0 as hq -q account edit "${A[3]}" --set remark="not sent yet"
waits=$(list hq)
n=0
for q in "UPDATE k_account SET name = 'Somebody else' WHERE _rid = 1" \
    "UPDATE k_account SET _clk = substr(_clk, 1, 3) || x'7f' || substr(_clk, 5) WHERE _rid = 2" \
    "UPDATE k_account SET _flags = 1 WHERE _rid = 4" \
    "DELETE FROM k_account WHERE _rid = 6"; do
	spoil hq "$q"; n=$((n + 1))
	expect 12 as hq check; has "$ERR" "sync" "the check says what to do"
	expect 0 as hq -q sync --pull-only; same "$(list hq)" "$waits" "as before: $q"
	has "$(as hq --json status | flat)" "\"diverged\":\{\"count\":$n," "counted"
	expect 0 as hq check
done
# --- sync --full looks at all of it now, without a check before
spoil hq "UPDATE k_account SET name = 'Nobody' WHERE _rid = 2"
expect 0 as hq --json sync --full --pull-only; has "$OUT" '"recounted": 1' "sync --full finds it"; has "$OUT" '"refetched": 1' "and fetches it again"
same "$(list hq)" "$waits" "as before: sync --full"; expect 0 as hq check
has "$(as hq --json status | flat)" '"commits":1' "the unsent edit still waits"
expect 0 as hq -q sync; expect 0 as li -q sync; has "$(as li account show "${A[3]}")" "not sent yet" "and arrives"
has "$(d device list | awk -F'\t' '$3=="hq"{print}')" "	[1-9][0-9]*	14	" "the server counted it too"

# --- the log is shortened; who stayed away takes a snapshot over what it has
expect 0 as wang -q account edit "${C[5]}" --set remark="from the road"
for i in $(seq 12); do expect 0 as hq -q account edit "${A[i]}" --set remark="round $i"; done
expect 0 as hq -q account edit "${A[1]}" --set owner=wang
expect 0 as hq -q sync; expect 0 as li -q sync; expect 0 as hq -q sync
expect 0 d --json log compact; has "$(flat <<<"$OUT")" '"commits":0' "without a backup nothing moves"
expect 0 d backup "$W/backup1"
expect 0 d --json log compact --keep 30; has "$(flat <<<"$OUT")" '"commits":0' "what is young stays"
stop_server
cat >"$W/shim.c" <<'SHIM'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>
int clock_gettime(clockid_t id, struct timespec *t)
{
	static int (*real)(clockid_t, struct timespec *);
	if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
	int rc = real(id, t);
	if (rc == 0 && id == CLOCK_REALTIME) t->tv_sec += atol(getenv("SHIM_SECONDS"));
	return rc;
}
SHIM
if nm -D "$SATCHELD" | grep -q __asan_init || ! gcc -shared -fPIC -o "$W/shim.so" "$W/shim.c" -ldl; then
	echo "SKIP: no shim for the clock"; finish
fi
# 40 days later: nobody was heard of
OUT=$(SHIM_SECONDS=3456000 LD_PRELOAD="$W/shim.so" d --json log compact | flat); has "$OUT" '"commits":[1-9]' "after 40 days it moves"
[ -s "$W/server/segments/0000000001.seg" ] && ok || bad "no segment file"
if grep -qa "round 1" "$W"/server/segments/*.seg; then bad "a segment can be read"; else ok; fi
expect 0 d check; expect 0 d audit verify; expect 0 d log list; has "$OUT" "^1" "it is listed"
serve "$PORT"
expect 0 as wang --json sync; has "$(flat <<<"$OUT")" '"pushed":1' "his work went first"
has "$(list wang)" "Li 1" "what he was given came with the snapshot"
has "$(list wang)" "from the road" "his own is there"
for u in li hq wang; do expect 0 as $u -q sync; expect 0 as $u check; same "$(trips $u)" 1 "$u is up to date"; done
same "$(list hq | wc -l)" "$(wc -l <<<"$want")" "nothing is missing at headquarters"

# --- a backup takes the segments along; a damaged one is found
for f in 0000000009.seg 0000000003.seg.new; do echo half >"$W/server/segments/$f"; done
expect 0 d backup "$W/backup2"; [ -s "$W/backup2/segments/0000000001.seg" ] && ok || bad "the backup has no segment"
same "$(ls "$W/backup2/segments")" "$(d log list | awk -F'\t' '{printf "%010d.seg\n", $1}')" "and no file that is no segment"
stop_server
expect 0 d restore "$W/backup2" --verify-only
flip "$W/backup2/segments/0000000001.seg" 40
expect 12 d restore "$W/backup2" --verify-only
cp "$W/server/segments/0000000001.seg" "$W/keep"; rm "$W/server/segments/0000000001.seg"
expect 12 d audit verify; has "$ERR" "backup" "where to get it from"
cp "$W/keep" "$W/server/segments/0000000001.seg"; expect 0 d audit verify

# --- leases
serve "$PORT"; n=$(d device list | awk -F'\t' '$3=="li"{print $1}')
has "$(as li --json status | flat)" '"lease_until":"20' "a lease is shown"
expect 0 d device lease "$n" --days 3; expect 2 d device lease "$n"; expect 5 d device lease 99 --days 3
expect 0 as li -q sync
SHIM_SECONDS=345600 LD_PRELOAD="$W/shim.so" as li account list >/dev/null 2>"$W/err"; same $? 4 "locked after three days"
has "$(cat "$W/err")" "satchel sync" "how to open it"
expect 0 as li -q account list
finish
