#!/bin/bash
# Files of records when things go wrong: the program killed while it adds or
# sends, the server killed under a link, disks that are full, a server that was
# restored from before it had them, a device that is revoked. What was said to
# be added is there and comes whole; what was refused is nowhere.
. tests/e2e/lib.sh
mounts=()
unmount() { for m in "${mounts[@]}"; do umount "$m" 2>/dev/null || umount -l "$m"; done; mounts=(); }
trap 'stop_daemons; stop_server -KILL; unmount; chmod -R u+w "$W" 2>/dev/null; rm -rf "$W"' EXIT
disk() { mkdir -p "$1"; mount -t tmpfs -o "size=$2" satchel-e2e "$1" && mounts+=("$1"); }
fill() { local free; free=$(($(df -k --output=avail "$1" | tail -1) - ${2:-0})); [ $free -gt 0 ] && dd if=/dev/zero of="$1/ballast" bs=1024 count=$free status=none 2>/dev/null; true; }

waits() { as "$1" --json attachment list "$2" | flat; }
content() { head -c "$2" /dev/urandom >"$W/$1"; }
mkdir -p "$W/r"; can_mount=
if [ "$(id -u)" = 0 ] && disk "$W/server" 80m 2>/dev/null && disk "$W/r/li" 200m; then can_mount=1; else echo "SKIP full disks: mounting a tmpfs needs root"; fi
server_init; mkdir "$W/safe"; mv "$W/server/root.key" "$W/safe/"; serve; port=$PORT
for u in li hq; do d user add $u --name $u --role hq >/dev/null; enrol $u; done; as li -q sync
X=$(as li account add --set name="Quagga Ltd" "${ACC[@]}" --set phone_main=13977777777)
V=$(as li activity add "$X" --method phone --points "sent the papers")
expect 0 as li -q sync

# --- killed while it adds: what was said to be there is, and nothing half
said=()
for i in 1 2 3 4; do
	content "k$i" 3000000
	bg li attachment add "$V" "$W/k$i" >"$W/said$i" 2>/dev/null & p=$!
	sleep "0.$((RANDOM % 4))$((RANDOM % 10))"; kill -KILL $p 2>/dev/null; wait $p 2>/dev/null
done
expect 0 as li check; F=$(waits li "$V")
for i in 1 2 3 4; do
	if grep -q "\"name\":\"k$i\"" <<<"$F"; then
		expect 0 as li attachment get "k$i" -o "$W/out"; cmp -s "$W/out" "$W/k$i" && ok || bad "k$i is not whole"
	else same "$(cat "$W/said$i")" "" "k$i was said to be added"; fi
done
content sure 9000000; expect 0 as li attachment add "$V" "$W/sure"; H=$OUT

# --- killed while it sends, then the server: it goes on, and comes once
for i in 1 2; do
	bg li -q sync >/dev/null 2>&1 & p=$!; sleep "0.2$((RANDOM % 10))"; kill -KILL $p 2>/dev/null; wait $p 2>/dev/null
done
bg li -q sync >/dev/null 2>&1 & p=$!; sleep "0.2$((RANDOM % 10))"; stop_server -KILL; wait $p 2>/dev/null
expect 0 as li check; expect 0 d check; serve "$port"
expect 0 as li -q sync; hasnt "$(waits li "$V")" '"waits":true' "all of it is at the server"
expect 0 d check; expect 0 as hq -q sync

# --- the server killed while it hands out: nothing half, and then all of it
bg hq attachment get "$H" -o "$W/hq" 2>/dev/null & p=$!; sleep "0.2$((RANDOM % 10))"; stop_server -KILL; wait $p; rc=$?
if [ $rc = 0 ]; then cmp -s "$W/hq" "$W/sure" && ok || bad "half a file"; else same $rc 8 "the link was lost"; [ -e "$W/hq" ] && bad "half a file" || ok; fi
serve "$port"; expect 0 as hq attachment get "$H" -o "$W/hq"; cmp -s "$W/hq" "$W/sure" && ok || bad "another content"
for i in 1 2 3 4; do if grep -q "\"name\":\"k$i\"" <<<"$F"; then expect 0 as hq attachment get "k$i" -o "$W/hq"; cmp -s "$W/hq" "$W/k$i" && ok || bad "k$i came otherwise"; fi; done
expect 0 as hq check

# --- disks that are full, of the device and of the server
if [ -n "$can_mount" ]; then
	U=$(as li activity add "$X" --method phone --points "more"); expect 0 as li -q sync
	content more 3000000; fill "$W/r/li" 1000
	expect 15 as li attachment add "$U" "$W/more"; has "$ERR" "disk is full" "why"; has "$ERR" "free space" "what to do"; same "$OUT" "" "no hash"
	hasnt "$(waits li "$U")" '"name"' "nothing half"; expect 0 as li check; expect 0 as li attachment get "$H" -o "$W/out"
	rm "$W/r/li/ballast"; expect 0 as li attachment add "$U" "$W/more"; M=$OUT
	fill "$W/server" 1500
	as li -q sync 2>"$W/err"; has "$(waits li "$U")" '"waits":true' "kept while the server has no room"; expect 0 as li check
	expect 5 as hq attachment get "$M" -o "$W/hq.more"; [ -e "$W/hq.more" ] && bad "half a file" || ok
	rm "$W/server/ballast"; expect 0 as li -q sync; has "$(waits li "$U")" '"waits":false' "sent when there is room"
	expect 0 d check; expect 0 as hq -q sync; expect 0 as hq attachment get "$M" -o "$W/hq"; cmp -s "$W/hq" "$W/more" && ok || bad "another content"
	rm "$W/hq"; disk "$W/full" 1m; expect 15 as hq attachment get "$M" -o "$W/full/out"; same "$(ls "$W/full")" "" "nothing half is written out"
fi

# --- the server of a time before it had the file: the device offers it again
Y=$(as li activity add "$X" --method visit --points "the last"); expect 0 as li -q sync; expect 0 d backup "$W/backup"
content last 700000; expect 0 as li attachment add "$Y" "$W/last"; L=$OUT; expect 0 as li -q sync
stop_server
expect 0 "$SATCHELD" -D "$W/server2" --passphrase-file "$W/server.pass" restore "$W/backup" --root-key "$W/safe/root.key"
d() { "$SATCHELD" -D "$W/server2" --passphrase-file "$W/server.pass" "$@"; }
"$SATCHELD" -D "$W/server2" --passphrase-file "$W/server.pass" serve --listen "tcp://127.0.0.1:$port" --port-file "$W/port2" >>"$W/server.log" 2>&1 </dev/null & server_pid=$!
until_file "$W/port2"
expect 0 as li -q sync; expect 0 as li -q sync; has "$(waits li "$Y")" '"waits":false' "given once more"
expect 0 as hq -q sync; expect 0 as hq attachment get "$L" -o "$W/hq"; cmp -s "$W/hq" "$W/last" && ok || bad "another content"
expect 0 d check

# --- 20 MiB, and how much memory it takes to hand them out
content huge 20971520; expect 0 as li attachment add "$Y" "$W/huge"; G=$OUT
expect 0 /usr/bin/env bash -c 'exec 3>&1; "$@" & p=$!; while kill -0 $p 2>/dev/null; do awk "/VmHWM/ { print \$2 }" /proc/$p/status 2>/dev/null; done | sort -n | tail -1 >"$0"; wait $p' "$W/kib" "$SATCHEL" -C "$W/r/li" --passphrase-file "$W/pass" --no-input attachment get "$G" -o "$W/out"
cmp -s "$W/out" "$W/huge" && ok || bad "not whole"; echo "  memory: $(cat "$W/kib") KiB"
[ "$(cat "$W/kib")" -lt 200000 ] && ok || bad "too much memory: $(cat "$W/kib") KiB"
stop_server; unmount; finish
