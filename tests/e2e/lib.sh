# lib.sh - what every end-to-end check sources: a scratch company on 127.0.0.1,
# counted assertions, the true sum at the end.
set -u
B=${SAT_BUILD:-build}
SATCHEL=$(readlink -f "$B/satchel"); SATCHELD=$(readlink -f "$B/satcheld")
W=$(mktemp -d "${TMPDIR:-/tmp}/sat-e2e-XXXXXX")
passed=0 failed=0 server_pid=
export SATCHEL_LANG=en XDG_CONFIG_HOME=$W/config SATCHEL_CONFIG_SYSTEM= # no settings of this machine
unset SATCHEL_HOME SATCHEL_PASSPHRASE_FILE SATCHEL_PROFILE SATCHELD_DIR

ok() { passed=$((passed + 1)); }
bad() { failed=$((failed + 1)); echo "FAIL: $*"; }
# expect CODE words...: run, compare the exit code; output in $OUT, $ERR
expect() {
	local want=$1 got; shift
	OUT=$("$@" 2>"$W/err"); got=$?; ERR=$(cat "$W/err")
	if [ "$got" = "$want" ]; then ok; else bad "exit $got, not $want: $*"; echo "$ERR" | head -5; fi
}
# has TEXT PATTERN WHAT
has() { if grep -qE -- "$2" <<<"$1"; then ok; else bad "$3: no /$2/ in: $(head -c 600 <<<"$1")"; fi; }
hasnt() { if grep -qE -- "$2" <<<"$1"; then bad "$3: /$2/ is there"; else ok; fi; }
same() { if [ "$1" = "$2" ]; then ok; else bad "$3: '$1' is not '$2'"; fi; }

d() { "$SATCHELD" -D "$W/server" --passphrase-file "$W/server.pass" "$@"; }
# What opens the keyrings of a script costs little from now on; DEAR=1 before lib.sh
# leaves them as the programs write them. Without the helper a script takes longer.
cheap() { [ -n "${DEAR:-}" ] || [ ! -x "$B/tests/e2e/cheap" ] || "$B/tests/e2e/cheap" "$1" "$2" || bad "a keyring was not written anew"; }
as() {
	local u=$1 got; shift; [ -z "${THROUGH_DAEMON:-}" ] || through_daemon "$u" "$@"
	"$SATCHEL" -C "$W/r/$u" --passphrase-file "$W/pass" --no-input "$@"; got=$?
	case " $* " in *" init "* | *" demo seed "*) [ $got != 0 ] || cheap "$W/r/$u/replica.keyring" "$W/pass" ;; esac
	return $got
}
# Another passphrase, and the first one again: passwd writes a dear slot.
repass() { # user [words of a direct call...]
	local u=$1; shift
	expect 0 "$SATCHEL" -C "$W/r/$u" --passphrase-file "$W/new" --no-input "$@" passwd --new-passphrase-file "$W/pass"
	cheap "$W/r/$u/replica.keyring" "$W/pass"
}
# With THROUGH_DAEMON set every command that can goes through a daemon of its
# user; the others find none.
through_daemon() {
	local dir=$W/r/$1; shift
	case " $* " in
	*" init "*|*" passwd "*|*" restore "*|*" daemon "*) stop_daemon "$dir"; return ;;
	esac
	[ -e "$dir/replica.keyring" ] || return
	[ -s "$dir/daemon.pid" ] && kill -0 "$(cat "$dir/daemon.pid")" 2>/dev/null && return
	"$SATCHEL" -C "$dir" --passphrase-file "$W/pass" --no-input daemon --no-sync ${DAEMON_FLAGS---no-timer} 2>&1 >/dev/null |
		sed -n 's/.*process \([0-9]*\)$/\1/p' >"$dir/daemon.pid"
}
stop_daemon() { # folder
	local p; [ -s "$1/daemon.pid" ] || return 0
	p=$(cat "$1/daemon.pid"); rm -f "$1/daemon.pid"
	kill "$p" 2>/dev/null; for _ in $(seq 2000); do kill -0 "$p" 2>/dev/null || return 0; sleep 0.02; done
	bad "a daemon did not end"; kill -KILL "$p"
}
stop_daemons() { for p in "$W"/r/*/daemon.pid; do [ -e "$p" ] && stop_daemon "${p%/daemon.pid}"; done; }
# The same for the background: $! is satchel itself, not a shell around it, so
# that a kill meets the program.
bg() { local u=$1; shift; exec "$SATCHEL" -C "$W/r/$u" --passphrase-file "$W/pass" --no-input "$@"; }
total() { as "$1" --json "$2" list --limit 1 "${@:3}" | grep -o '"total": [0-9]*' | grep -o '[0-9]*$'; }
# A date as the company's reports, rules and people see it, not as UTC does.
here() { TZ=Asia/Shanghai date "$@"; }
# What follows counts by days or months: not while one ends, there or in UTC.
one_day() { local left=$((3600 - $(date +%s) % 3600)); case $(date -u +%H) in 15 | 23) [ $left -gt 150 ] || sleep $((left + 1)) ;; esac; }
# waits for something to be true, with patience for a machine that has much to do
until_true() { local end=$((SECONDS + 60)); until "$@" >/dev/null 2>&1; do [ $SECONDS -lt $end ] || { bad "not within a minute: $*"; return; }; sleep 0.05; done; ok; }
# the same for a file that a program of the background writes
until_file() { local end=$((SECONDS + 60)); until [ -s "$1" ]; do [ $SECONDS -lt $end ] || { echo "no $1"; exit 1; }; sleep 0.05; done; }
# a program of the background catches INT and TERM by now
until_caught() { until_true eval '[ $((0x$(awk "/^SigCgt/ { print \$2 }" /proc/'"$1"'/status) & 0x4002)) = $((0x4002)) ]'; }
# runs words while somebody else holds the lock of a file
held() { local f=$1; shift; exec 7<>"$f"; flock -x 7; "$@" 7>&-; exec 7>&-; }
# runs words (expect, code) and leaves in $CPU_MS the processor time that took:
# the time of the clock says more about what else runs here
cpu_ms() { local t; t=$(mktemp "$W/cpu.XXXXXX"); times >"$t"; "$@"; times >>"$t"
	CPU_MS=$(awk 'NR % 2 == 0 { for (i = 1; i <= 2; i++) { split($i, x, /[ms]/); s[NR] += x[1] * 60000 + x[2] * 1000 } } END { printf "%d", s[4] - s[2] }' "$t"); rm "$t"; }
# a text with another end: CHAR, or OTHER where CHAR is its end already
ending() { case $1 in *"$2") echo "${1%?}$3" ;; *) echo "${1%?}$2" ;; esac; } # TEXT CHAR OTHER
flat() { tr -d ' \n'; } # a JSON document on one line, for grep
# changes one bit of a byte: writing a fixed byte would change nothing once in 256 times
flip() { # FILE OFFSET
	local byte; byte=$(od -An -tu1 -j "$2" -N 1 "$1" | tr -d ' ')
	printf "\\$(printf %03o $((byte ^ (1 << (RANDOM % 8)))))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}
server_init() {
	mkdir -p "$W/r"; echo "server pass phrase" >"$W/server.pass"; echo "people pass phrase" >"$W/pass"
	d init --org "${1:-Test}" --admin admin || { echo "cannot init"; exit 1; }
	cheap "$W/server/server.keyring" "$W/server.pass"
}
serve() { # [port]
	rm -f "$W/port"
	"$SATCHELD" -D "$W/server" --passphrase-file "$W/server.pass" serve \
	    --listen "tcp://127.0.0.1:${1:-0}" --port-file "$W/port" >>"$W/server.log" 2>&1 </dev/null &
	server_pid=$!
	for _ in $(seq 2000); do [ -s "$W/port" ] && { PORT=$(cat "$W/port"); return; }; sleep 0.05; done
	echo "the server did not start"; cat "$W/server.log"; exit 1
}
stop_server() { [ -n "$server_pid" ] && { kill "${1:--TERM}" "$server_pid" 2>/dev/null; wait "$server_pid" 2>/dev/null; }; server_pid=; }
enrol() { # user [folder]
	local code; code=$(d device invite --user "$1") || { bad "no invitation for $1"; return 1; }
	as "${2:-$1}" -q init --invite "$code" >/dev/null || { bad "$1 not enrolled"; return 1; }
}
ACC=(--set industry=I65 --set contact_name=李娜 --set need_type=solution --set stage=first_contact)
finish() { stop_daemons; stop_server; chmod -R u+w "$W" 2>/dev/null; rm -rf "$W"; echo "$SECONDS s"; echo "$passed passed, $failed failed"; [ $failed = 0 ]; exit; }
trap 'stop_daemons; stop_server -KILL; chmod -R u+w "$W" 2>/dev/null; rm -rf "$W"' EXIT
# programs the script starts beside the two: without one of them it would fail in bulk
for p in $(grep -oE '\$B/tests/[a-z0-9]+/[a-z]+' "$0" | sort -u); do
	[ -x "${p/\$B/$B}" ] || { echo "no ${p/\$B/$B}: make e2e ONLY=$(basename "$0" .sh) builds it"; echo "0 passed, 1 failed"; exit 1; }
done
