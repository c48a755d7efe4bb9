#!/bin/bash
# Disks that are full or read-only, a replica opened twice, clocks ten years
# off. What was reported as saved is there afterwards, what was refused is not,
# and every refusal says why.
. tests/e2e/lib.sh
mounts=()
unmount() { for m in "${mounts[@]}"; do umount "$m" 2>/dev/null || umount -l "$m"; done; mounts=(); }
trap 'stop_server -KILL; unmount; chmod -R u+w "$W" 2>/dev/null; rm -rf "$W"' EXIT
disk() { mkdir -p "$1"; mount -t tmpfs -o "size=$2" satchel-e2e "$1" && mounts+=("$1"); }
# The rest of a disk, but for some KiB.
fill() { local free; free=$(($(df -k --output=avail "$1" | tail -1) - ${2:-0})); [ $free -gt 0 ] && dd if=/dev/zero of="$1/ballast.$RANDOM$RANDOM" bs=1024 count=$free status=none 2>/dev/null; true; }
free() { rm -f "$1"/ballast.*; }
new() { new=("${ACC[@]}" --set name="$1 $2 公司" --set external_id="$1-$2" --set phone_main="138$(printf %08d "$2")"); }
sheet() { awk -v u="$1" -v a="$2" -v b="$3" 'BEGIN{print "name,industry,contact_name,phone_main,need_type,stage,external_id"
 for (i = a; i <= b; i++) printf "%s %d 公司,I65,c%d,138%08d,product,first_contact,%s-%d\n", u, i, i, i, u, i}'; }
ids() { as "$1" --format tsv account list --all --fields external_id | sort; }
stamp() { echo "  $1: $SECONDS s"; }
mkdir -p "$W/r"; can_mount=
if [ "$(id -u)" = 0 ] && disk "$W/probe" 1m 2>/dev/null; then can_mount=1; else echo "SKIP full and read-only disks: mounting a tmpfs needs root"; fi

# The server lies on a small disk too.
[ -n "$can_mount" ] && disk "$W/server" 12m && rmdir "$W/server/x" 2>/dev/null
server_init; serve
for u in li wang hq; do d user add $u --name $u --role hq >/dev/null; done
enrol wang; enrol hq

# ---- a disk that is full in the middle of an import ------------------------------------
full_import() {
	disk "$W/r/half" 16m; enrol li half; expect 0 as half -q sync; local before; before=$(total half account)
	sheet li 5001 45000 >"$W/i.csv"; expect 15 as half import "$W/i.csv" --type account
	local kept; kept=$(sed -n 's/.*the first \([0-9]*\) rows are in.*/\1/p' <<<"$ERR")
	same "$(total half account)" "$((before + ${kept:-0}))" "as many rows are in as are told"
	[ "${kept:-0}" -gt 0 ] && ok || bad "nothing was in: the disk is too small for the test"
	expect 0 as half check
}

# ---- a full disk under a replica ------------------------------------------------------
full_client() {
	disk "$W/r/li" 4m; enrol li
	sheet li 1 100 >"$W/i.csv"; expect 0 as li import "$W/i.csv" --type account
	expect 0 as li -q sync
	fill "$W/r/li" 40
	# Saves go on until there is no room; each one is either there or refused.
	local n=100 rc=0
	while [ $n -lt 400 ]; do
		new li $((n + 1)); as li account add "${new[@]}" --allow-duplicate test >"$W/id" 2>"$W/err"; rc=$?
		[ $rc = 0 ] || break
		n=$((n + 1))
	done
	same $rc 15 "a save on a full disk (after $((n - 100)) more)"
	has "$(cat "$W/err")" "disk is full" "text of a full disk"; has "$(cat "$W/err")" "free space" "what to do about it"
	hasnt "$(cat "$W/err")" "公司|138" "customer data in a message"
	same "$(cat "$W/id")" "" "no id is printed for what was not saved"
	fill "$W/r/li"
	expect 15 as li account edit li-1 --set remark=x
	expect 15 as li activity add li-1 --method phone --points x
	sheet li 1001 1600 >"$W/i.csv"; expect 15 as li import "$W/i.csv" --type account
	hasnt "$ERR" "rows are in" "nothing of it was imported"
	echo "another pass phrase" >"$W/new"
	expect 15 as li passwd --new-passphrase-file "$W/new"
	# reading goes on
	expect 0 as li account list --all; expect 0 as li account show li-1; expect 0 as li status; expect 0 as li report run new-customers
	expect 0 as li conflict list; expect 0 as li log li-1; expect 0 as li check
	same "$(total li account)" $n "rows on the full disk"
	# a download that has no room changes nothing, and is repeated later
	sheet wang 1 800 >"$W/i.csv"; expect 0 as wang import "$W/i.csv" --type account --on-duplicate new; expect 0 as wang -q sync
	as li sync >/dev/null 2>"$W/err"; rc=$?; same $rc 15 "a sync that has no room"; has "$(cat "$W/err")" "disk is full" "text"
	expect 0 as li account list --all; expect 0 as li check
	free "$W/r/li"
	expect 0 as li check
	same "$(ids li | grep -c '^li-')" $n "rows after there is room again"
	expect 5 as li account show li-$((n + 1)); expect 5 as li account show li-1001
	hasnt "$(as li account show li-1)" "remark.*x$" "the refused edit"
	expect 0 as li account edit li-1 --set remark=now
	mount -o remount,size=40m "$W/r/li"
	expect 0 as li -q sync; expect 0 as wang -q sync
	same "$(ids li)" "$(ids wang)" "both hold the same"
	expect 0 as li status --check synced; expect 0 as li check
	stamp "full disk, client ($n rows)"
}

# ---- a full disk under the server --------------------------------------------------------
full_server() {
	fill "$W/server"
	sheet srv 1 600 >"$W/i.csv"; expect 0 as li import "$W/i.csv" --type account --on-duplicate new
	as li sync >/dev/null 2>"$W/err"; rc=$?
	same $rc 15 "a push to a full server"; has "$(cat "$W/err")" "the server's disk is full" "the device is told why"; has "$(cat "$W/server.log")" "RELAY-STORE code=db.full" "the administrator is told"; hasnt "$(cat "$W/err")" "$W" "a path of the server"
	expect 20 as li status --check no-pending
	same "$(total li account --where 'external_id~srv-')" 600 "rows of the device that could not push"
	expect 0 as wang sync --pull-only; expect 0 as wang account list
	expect 0 d status
	expect 15 d user add later --name later --role rep
	kill -0 $server_pid 2>/dev/null && ok || bad "the server ended"
	free "$W/server"
	expect 0 as li -q sync; expect 0 as li status --check no-pending
	expect 0 as wang -q sync; same "$(total wang account --where 'external_id~srv-')" 600 "rows at the other device"
	expect 0 d user add later --name later --role rep
	stop_server; expect 0 d check
	# a server that starts on a full disk serves what it has, or says why not
	fill "$W/server"; expect 0 d check; free "$W/server"
	serve "$PORT"
	stamp "full disk, server"
}

# ---- a disk that became read-only ----------------------------------------------------------
readonly_disk() {
	local before; before=$(ids li)
	mount -o remount,ro "$W/r/li" || { bad "cannot remount"; return; }
	# nothing is opened that could not be locked and kept: refused, in words
	expect 1 as li account list; has "$ERR" "ead-only" "text of a read-only disk"
	as li account edit li-1 --set remark=y >"$W/id" 2>"$W/err"; rc=$?
	[ $rc != 0 ] && ok || bad "a save on a read-only disk was reported"; has "$(cat "$W/err")" "ead-only" "text of a read-only disk"
	as li sync >/dev/null 2>&1; rc=$?; [ $rc != 139 ] && [ $rc != 134 ] && ok || bad "sync ended with $rc"
	mount -o remount,rw "$W/r/li"
	expect 0 as li check; same "$(ids li)" "$before" "rows after it is writable again"
	expect 0 as li account edit li-1 --set remark=z; expect 0 as li -q sync
	stop_server; mount -o remount,ro "$W/server"
	d serve --listen tcp://127.0.0.1:0 >/dev/null 2>"$W/err" </dev/null & p=$!
	for _ in $(seq 2000); do kill -0 $p 2>/dev/null || break; sleep 0.05; done
	if kill -0 $p 2>/dev/null; then kill $p; wait $p; bad "serves from a read-only disk"; else wait $p; [ $? != 0 ] && ok || bad "no error"; fi
	has "$(cat "$W/err")" "ead-only" "text of the server"
	mount -o remount,rw "$W/server"; expect 0 d check; serve "$PORT"
	stamp "read-only disk"
}
if [ -n "$can_mount" ]; then full_client; full_import; full_server; readonly_disk; else enrol li; new li 1; as li account add "${new[@]}" >/dev/null; as li -q sync; fi

# ---- opened twice ---------------------------------------------------------------------------
sheet twice 1 30000 >"$W/i.csv"
bg wang --json import "$W/i.csv" --type account --on-duplicate new --dry-run >"$W/io" 2>&1 & p=$!
while kill -0 $p 2>/dev/null && ! grep -q progress "$W/io"; do sleep 0.02; done
expect 11 as wang status; has "$ERR" "another process" "opened twice"
wait $p; expect 0 as wang status
expect 11 "$SATCHELD" -D "$W/server" --passphrase-file "$W/server.pass" serve --listen tcp://127.0.0.1:0
kill -0 $server_pid 2>/dev/null && ok || bad "the first server ended"
cp -r "$W/r/wang" "$W/r/copy"; expect 0 as copy status
stamp "opened twice"

# ---- clocks ten years off -------------------------------------------------------------------
cat >"$W/shim.c" <<'C'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
static long off(void) { const char *s = getenv("SHIM_SECONDS"); return s ? atol(s) : 0; }
int clock_gettime(clockid_t id, struct timespec *t)
{
	static int (*real)(clockid_t, struct timespec *);
	if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
	int rc = real(id, t);
	if (rc == 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) t->tv_sec += off();
	return rc;
}
time_t time(time_t *t) { struct timespec s; clock_gettime(CLOCK_REALTIME, &s); if (t) *t = s.tv_sec; return s.tv_sec; }
int gettimeofday(struct timeval *v, void *z) { struct timespec s; (void)z; clock_gettime(CLOCK_REALTIME, &s); v->tv_sec = s.tv_sec; v->tv_usec = s.tv_nsec / 1000; return 0; }
C
if ldd "$SATCHEL" | grep -q 'lib[at]san'; then
	echo "SKIP clocks: a sanitizer does not go with a preloaded library"; unmount; finish
fi
gcc -shared -fPIC -o "$W/shim.so" "$W/shim.c" -ldl || bad "cannot build the shim"
Y10=$((3653 * 86400))
# at SECONDS words...: as if the clock were that much ahead
at() { local s=$1; shift; SHIM_SECONDS=$s LD_PRELOAD="$W/shim.so" "$@"; }
year() { date -d "@$(($(date +%s) + $1))" +%Y; }
at $Y10 as wang -q sync # learns how wrong its clock is; else it would lock (P-189)
has "$(at $Y10 as wang --json report run new-customers | flat)" "\"as_of\":\"$(year $Y10)" "the shim works"
A=$(ids hq >/dev/null; as hq -q sync; as hq --format tsv account list --where 'external_id=li-1' --fields id)
[ -n "$A" ] || bad "no customer"
say() { at "$1" as "$2" account edit "$A" --set remark="$3" >/dev/null 2>"$W/err" || bad "edit of $2 at $1: $(cat "$W/err")"; }
go() { at "$1" as "$2" --json sync >"$W/sync" 2>"$W/err" || bad "sync of $2 at $1: $(cat "$W/err")"; has "$(flat <"$W/sync")" '"rejected":0' "$2: nothing refused"; }
# Everybody syncs, at once; then everybody shows $1.
now_is() {
	local pids=() u
	for u in li wang hq; do
		{ bg $u --json sync >"$W/sync.$u" 2>"$W/err.$u"; } & pids+=($!)
	done
	for u in "${pids[@]}"; do wait "$u" && ok || bad "a sync after $2"; done
	pids=()
	for u in li wang hq; do
		has "$(flat <"$W/sync.$u")" '"rejected":0' "$u: nothing refused"
		{ bg $u account show "$A" >"$W/show.$u" 2>&1; } & pids+=($!)
	done
	wait "${pids[@]}"
	for u in li wang hq; do has "$(cat "$W/show.$u")" "remark.*$1\$" "$u after $2"; done
}
times() { as hq --format tsv account show "$A" --history remark | grep -o '20[0-9][0-9]-[0-9T:-]*Z' | sort -u; }
for u in li wang hq; do go 0 $u; done

# a clock that jumps looks like a lease that is over, or like a thief: a sync opens it
for off in $Y10 -$Y10; do
	expect 4 at $off as li account show "$A"; has "$ERR" "satchel sync" "what to do about it"
	expect 0 at $off as li status; has "$OUT" "locked" "status says so"
	go $off li; expect 0 at $off as li account show "$A"; go 0 li
done

# ahead: clamped, and whoever writes later wins
go $Y10 li; say $Y10 li "ahead"; go $Y10 li
at $Y10 as li account add "${ACC[@]}" --set name="来自未来公司" --set phone_main=13700000001 --set external_id=future >/dev/null 2>"$W/err" || bad "add: $(cat "$W/err")"
at $Y10 as li activity add "$A" --method phone --points "from the future" >/dev/null 2>"$W/err" || bad "activity: $(cat "$W/err")"
go $Y10 li; expect 0 at $Y10 as li status --check no-pending
now_is "ahead" "an edit ten years ahead"
hasnt "$(times)" "$(year $Y10)-" "stamps ten years ahead"
say 0 wang "seen and later"; go 0 wang; now_is "seen and later" "a later edit that saw it"
# offline and an hour later by true time, not knowing of the other
go $Y10 li; say $Y10 li "ahead again"; go $Y10 li
stop_server; export SHIM_SECONDS=3600 LD_PRELOAD=$W/shim.so; serve "$PORT"; unset SHIM_SECONDS LD_PRELOAD
say 3600 wang "an hour later"; go 3600 wang
stop_server; serve "$PORT"
now_is "an hour later" "a later edit that knew nothing of it"
# behind: own order holds, what saw the others wins over them, others' later edits win
go -$Y10 li; say -$Y10 li "behind"; go -$Y10 li; now_is "behind" "an edit ten years behind that saw the others"
go -$Y10 li; say -$Y10 li "behind 1"; say -$Y10 li "behind 2"; go -$Y10 li; now_is "behind 2" "two edits ten years behind"
say 0 wang "true time"; go 0 wang; now_is "true time" "a later edit"
go -$Y10 li
at -$Y10 as li account add "${ACC[@]}" --set name="来自过去公司" --set phone_main=13700000002 --set external_id=past >/dev/null 2>"$W/err" || bad "add: $(cat "$W/err")"
expect 0 at -$Y10 as li status; has "$OUT" "clock_suspect.*(yes|true)" "the user is told"
go -$Y10 li
# enrolment with a wrong clock; then a server with a wrong clock
code=$(d device invite --user hq); expect 0 at $Y10 as late init --invite "$code"; expect 0 as late -q sync
code=$(d device invite --user hq); expect 0 at -$Y10 as early init --invite "$code"; expect 0 as early -q sync
for off in -$Y10 $Y10 0; do
	stop_server; export SHIM_SECONDS=$off LD_PRELOAD=$W/shim.so; serve "$PORT"; unset SHIM_SECONDS LD_PRELOAD
	say 0 wang "server at $off"; go 0 wang; now_is "server at $off" "a server $off s off"
done
say 0 hq "the last word"; go 0 hq; now_is "the last word" "all clocks right again"
for u in late early; do as $u -q sync; done
list() { as "$1" --json account list --all | grep -v '"total\|"next'; }
for u in wang hq late early; do same "$(list $u | md5sum)" "$(list li | md5sum)" "$u and li hold the same"; done
for u in li wang hq; do expect 0 as $u check; done
stop_server; expect 0 d check
stamp "clocks"
unmount
finish
