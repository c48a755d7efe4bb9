#!/bin/bash
# Settings that change while it serves, and an end that cuts nobody: reload,
# SIGHUP, drain; and an administrator's verbs meanwhile.
. tests/e2e/lib.sh
. tests/e2e/fits.sh
conf() { printf '[serve]\n\tlisten = %s\n\tlinks = %s\n\tadvertise = %s\n' "tcp://127.0.0.1:${3:-0}" "$1" "$2" >"$W/conf"; }
begin() {
	rm -f "$W/port"; : >"$W/server.log"
	"$SATCHELD" -v -D "$W/server" --passphrase-file "$W/server.pass" serve --config "$W/conf" --port-file "$W/port" >>"$W/server.log" 2>&1 </dev/null &
	server_pid=$!
	for _ in $(seq 2000); do [ -s "$W/port" ] && { PORT=$(cat "$W/port"); return; }; sleep 0.05; done
	bad "no server: $(cat "$W/server.log")"
}
logged() { for _ in $(seq 2000); do grep -q "$1" "$W/server.log" && { ok; return; }; sleep 0.05; done; bad "no $1 in the log"; }
server_init
expect 8 d reload; expect 8 d drain; has "$ERR" "no server is running" "drain without a server"
conf 50 tcp://127.0.0.1:1; begin; conf 50 "tcp://127.0.0.1:$PORT" "$PORT"
stop_server; begin
d team add east --name East >/dev/null; d user add li --name Li --role rep --team east >/dev/null; d user add bo --name Bo --role rep --team east >/dev/null
enrol li

# --- what can change does, what cannot is named, a fault changes nothing
conf 60 tcp://other.example:7443 "$PORT"
expect 0 d --json reload; fits satcheld/reload "$OUT"; o=$(flat <<<"$OUT")
has "$o" '"changed":\["links","advertise"\],"needs_restart":\[\]' "links and the address"
expect 0 d --json status; has "$OUT" '"address": "tcp://other.example:7443"' "invitations say it from now on"
conf 60 tcp://other.example:7443 1; expect 0 d reload; has "$OUT" '^changed	-' "nothing"; has "$OUT" '^needs_restart	listen' "the address it listens at"
printf '[serve]\nlinks = many\n' >"$W/conf"; expect 7 d reload; has "$ERR" "is no number" "a fault"
conf 2 "tcp://127.0.0.1:$PORT" "$PORT"; kill -HUP $server_pid; logged SERVE-RELOAD; expect 0 d status; has "$OUT" "^address	tcp://127.0.0.1:$PORT" "SIGHUP does the same"
rm "$W/conf"; kill -HUP $server_pid; logged 'SERVE-RELOAD rc=5'; expect 0 as li -q sync; conf 60 "tcp://127.0.0.1:$PORT" "$PORT"; expect 0 d reload
# a template that came into the folder is ours and newer, or what is served stays
git -C "$W/server/templates.git" -c user.name=x -c user.email=x@x commit-tree -m foreign -p refs/heads/published 'refs/heads/published^{tree}' >"$W/foreign"
was=$(git -C "$W/server/templates.git" rev-parse refs/heads/published)
git -C "$W/server/templates.git" update-ref refs/heads/published "$(cat "$W/foreign")"
expect 7 d reload; has "$ERR" "not ours" "a commit nobody signed"; expect 0 d status; has "$OUT" "$was" "the old one is served"
git -C "$W/server/templates.git" update-ref refs/heads/published "$was"; expect 0 d reload

# --- live devices hold links: they are let go, and come back
expect 0 as li account add --set name=云帆 --set phone_main=13812345678 "${ACC[@]}"
as li daemon --no-timer >/dev/null 2>"$W/err"; sed -n 's/.*process \([0-9]*\)$/\1/p' "$W/err" >"$W/r/li/daemon.pid"
for _ in $(seq 2000); do d status | grep -q '^parked	1' && break; sleep 0.05; done; has "$(d status)" '^parked	1' "a device waits for news"
expect 2 d drain --timeout soon; expect 0 d status
expect 0 d --json drain --timeout 20s; fits satcheld/drain "$OUT"; has "$(flat <<<"$OUT")" '"result":"ended".*"cut":0' "nobody was cut"
wait $server_pid; same $? 0 "exit code of serve after a drain"; server_pid=
[ -e "$W/server/admin.sock" ] && bad "admin.sock is left" || ok
begin; for _ in $(seq 2000); do d status | grep -q '^parked	1' && break; sleep 0.05; done; has "$(d status)" '^parked	1' "it came back"
has "$(d status)" '^lsn	1' "with its work"

# --- who does not leave is cut when the time is over, and it says so
enrol bo; sleep 0.1; exec 5<>"/dev/tcp/127.0.0.1/$PORT" # a link that says nothing
expect 3 d drain --timeout 1s; has "$ERR" "still there" "one was cut"; has "$OUT" '^cut	1' "how many"; exec 5>&-
wait $server_pid; same $? 0 "serve ended"; server_pid=
expect 8 as bo sync --timeout 1s

# --- commands at a place of its own
printf '[serve]\n\tlisten = tcp://127.0.0.1:0\n\tadmin-socket = %s/run/a.sock\n' "$W" >"$W/conf"; mkdir "$W/run"; begin
expect 11 d status; expect 0 d --admin-socket "$W/run/a.sock" status; has "$OUT" "^state	serving" "through it"; [ -e "$W/server/admin.sock" ] && bad "two sockets" || ok
expect 0 d drain --admin-socket="$W/run/a.sock"; wait $server_pid; server_pid=; [ -e "$W/run/a.sock" ] && bad "it is left" || ok
expect 2 d --admin-socket "/$(head -c 120 /dev/zero | tr '\0' x)" status; has "$ERR" "longer than" "too long"
finish
