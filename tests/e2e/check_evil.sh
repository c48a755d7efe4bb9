#!/bin/bash
# A hostile client against a real server: it stays up, takes little memory, and
# an honest device writes and syncs all the while.
. tests/e2e/lib.sh
EVIL=$(readlink -f "$B/tests/e2e/evil")
[ -x "$EVIL" ] || { bad "no $B/tests/e2e/evil: make check builds it"; finish; }

server_init "Besieged"; serve
expect 0 d team add north --name North
expect 0 d user add ann --name Ann --role rep --team north
expect 0 d user add eve --name Eve --role rep
enrol ann
for i in 1 2 3; do expect 0 as ann -q account add --set "name=Before $i" --set "phone_main=1381234100$i" "${ACC[@]}"; done
expect 0 as ann -q sync
rss() { awk '/^'"$1"'/ { print $2 }' "/proc/$server_pid/status"; }
fds() { find "/proc/$server_pid/fd" -mindepth 1 | wc -l; }
before=$(rss VmRSS) fds_before=$(fds)

"$EVIL" "$(d device invite --user eve)" "${EVIL_SECONDS:-5}" >"$W/evil.out" 2>&1 &
evil=$!
n=0 slowest=0
while kill -0 $evil 2>/dev/null; do
	n=$((n + 1))
	expect 0 as ann -q account add --set "name=Meanwhile $n" --set "phone_main=1391234$((5000 + n))" "${ACC[@]}"
	t=$(date +%s%N)
	expect 0 as ann -q sync
	t=$(( ($(date +%s%N) - t) / 1000000 ))
	[ $t -gt $slowest ] && slowest=$t
	sleep 0.2
done
wait $evil; same "$?" 0 "the hostile client's own checks"
grep -v '^ok' "$W/evil.out"
evil_passed=$(grep -c '^ok' "$W/evil.out"); passed=$((passed + evil_passed))
echo "$n honest syncs meanwhile, the slowest $slowest ms"

expect 0 kill -0 "$server_pid"
peak=$(rss VmHWM)
echo "server: $before KiB before, $peak KiB at most, $(fds) descriptors ($fds_before before)"
if [ $((peak - before)) -le 65536 ]; then ok; else bad "the server took $((peak - before)) KiB more"; fi
if [ "$n" -ge 3 ]; then ok; else bad "only $n honest syncs"; fi
if [ "$slowest" -le 5000 ]; then ok; else bad "an honest sync took $slowest ms"; fi
same "$(total ann account)" $((n + 3)) "customers of ann"
expect 0 as ann status --check no-pending
stop_server; serve "$PORT"
expect 0 as ann -q sync
d audit verify >/dev/null 2>&1; same "$?" 0 "the log after a restart"
finish
