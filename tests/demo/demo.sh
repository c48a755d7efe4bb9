#!/bin/bash
# The main job from end to end, on an embedded default: a server with the base
# template, six people's encrypted replicas, real data, a cut network, both
# sides editing, the conflict shown and resolved, reports with the server off.
# Everything stays under $1 (build/demo). usage: demo.sh DIR BUILD
set -u
D=${1:-build/demo} B=${2:-build}
SATCHEL=$(readlink -f "$B/satchel") SATCHELD=$(readlink -f "$B/satcheld")
DATA=$(readlink -f tests/data/maven-crm)
case $D in */demo*) ;; *) echo "demo folder must be named demo" >&2; exit 2 ;; esac
export SATCHEL_LANG=${SATCHEL_LANG:-en}

if [ -t 1 ]; then bold=$'\e[1m' off=$'\e[0m'; else bold= off=; fi
step() { printf '\n%s== %s%s\n' "$bold" "$*" "$off"; }
show() { printf '$ %s\n' "$*"; }
fail() { echo "demo: $*" >&2; exit 1; }
server_pid=
stop_server() { [ -n "$server_pid" ] && kill "$server_pid" 2>/dev/null && wait "$server_pid" 2>/dev/null; server_pid=; }
trap stop_server EXIT

rm -rf "$D"; mkdir -p "$D/server" "$D/replicas" "$D/reports"; D=$(readlink -f "$D")
rmdir "$D/server"
printf 'server demo passphrase\n' >"$D/server.passphrase"
port_file=$D/server.port

d() { "$SATCHELD" -D "$D/server" --passphrase-file "$D/server.passphrase" "$@"; }
# as USER words...: satchel on that person's replica
as() { local u=$1; shift; "$SATCHEL" -C "$D/replicas/$u" --passphrase-file "$D/replicas/$u.passphrase" "$@"; }
say() { local u=$1; shift; show "satchel($u) $*"; as "$u" --format table "$@"; }
serve() {
	rm -f "$port_file"
	"$SATCHELD" -D "$D/server" --passphrase-file "$D/server.passphrase" serve \
	    --listen "tcp://127.0.0.1:${1:-0}" --port-file "$port_file" 2>"$D/server.log" &
	server_pid=$!
	for _ in $(seq 100); do [ -s "$port_file" ] && return; sleep 0.05; done
	cat "$D/server.log" >&2; fail "the server did not start"
}
enrol() {
	local u=$1 code
	printf '%s demo passphrase\n' "$u" >"$D/replicas/$u.passphrase"
	code=$(d device invite --user "$u") || fail "no invitation for $u"
	as "$u" init --invite "$code" --name "$u-laptop" >/dev/null || fail "$u was not enrolled"
}

step "1. A server with the base template; 6 teams, 42 people"
d init --org "Maven Hardware" --admin admin || fail init
serve 0; port=$(cat "$port_file")
d team add --from "$DATA/teams.csv" || fail teams
d user add --from "$DATA/users.csv" || fail users
d status

step "2. Headquarters, two managers and three salespeople enrol"
people="hq melvin.marxen summer.sewald darcel.schlecht gladys.colclough kary.hendrixson"
for u in $people; do enrol "$u"; echo "enrolled $u"; done
d device list

step "3. HQ imports 85 customers and 8,800 opportunities"
say hq import "$DATA/accounts.csv" --type account --map "$DATA/accounts.map.json" \
    --on-duplicate update --incomplete flag --errors "$D/accounts.errors.csv" || fail "import of accounts: $?"
say hq import "$DATA/sales_pipeline.csv" --type opportunity --map "$DATA/sales_pipeline.map.json" \
    --on-duplicate update --incomplete flag --errors "$D/pipeline.errors.csv" || fail "import of opportunities: $?"
echo "customers that lack a required field are kept, flagged, listed:"
say hq account list --incomplete --limit 3 --fields name,sector,owner,phone_main,contact_name

step "4. Everyone syncs"
say hq sync || fail "sync of hq"
for u in $people; do as "$u" sync -q || fail "sync of $u"; done
for u in $people; do printf '%-18s %s customers, %s opportunities\n' "$u" \
	"$(as "$u" --json account list --limit 1 | grep -o '"total": [0-9]*' | grep -o '[0-9]*$')" \
	"$(as "$u" --json opportunity list --limit 1 | grep -o '"total": [0-9]*' | grep -o '[0-9]*$')"; done

step "5. The network is cut"
stop_server
as darcel.schlecht sync --timeout 2s; echo "exit code $? (8 = not reachable, work goes on)"

# a customer of Darcel's for the conflict, another for the reassignment
first() { as darcel.schlecht --format tsv account list --owner me --limit 2 --sort name --fields id | sed -n "$1p"; }
X=$(first 1) Y=$(first 2)
[ -n "$X" ] && [ -n "$Y" ] || fail "Darcel has no two customers"
step "6. Both sides edit: the same phone, and different fields, of one customer"
say darcel.schlecht account edit "$X" --set phone_main=13812345678 --set contact_name="Li Na" || fail edit
say melvin.marxen account edit "$X" --set phone_main=13987654321 --set remark="call before the fair" || fail edit
say darcel.schlecht activity add "$X" --method phone --points "asked for a quote on 20 GTX Pro" || fail activity

step "7. Darcel works on a customer that his manager gives away meanwhile"
say darcel.schlecht activity add "$Y" --method visit --points "met the buyer, wants a trial" || fail activity
say darcel.schlecht account edit "$Y" --set phone_main=13700001111 || fail edit
say melvin.marxen account assign "$Y" --to gladys.colclough || fail assign

step "8. The network is back: the manager syncs first, then the old owner"
serve "$port"
say melvin.marxen sync || fail "sync of melvin"
say darcel.schlecht sync || fail "sync of darcel"
for u in $people; do as "$u" sync -q || fail "sync of $u"; done
echo "the new owner has the late work of the old one:"
as gladys.colclough --format tsv account show "$Y" | grep -E '^(owner|phone_main|name)' 
say gladys.colclough activity list --account "$Y" --fields method,points

step "9. The conflict, and its resolution seen everywhere"
say darcel.schlecht conflict list
K=$(as darcel.schlecht --json conflict list | grep -o '"key": "[^"]*"' | head -1 | cut -d'"' -f4)
[ -n "$K" ] || fail "no conflict was opened"
say darcel.schlecht conflict resolve "$K" --set phone_main=13812345678 --note "asked the customer" || fail resolve
for u in darcel.schlecht melvin.marxen hq; do as "$u" sync -q || fail "sync of $u"; done
for u in darcel.schlecht melvin.marxen hq; do
	n=$(as "$u" --format tsv conflict list | wc -l) # no header in tsv
	printf '%-18s open conflicts: %s, phone %s\n' "$u" "$n" \
	    "$(as "$u" account show "$X" | grep -w phone_main | tr -s '\t ' ' ' | cut -d' ' -f2)"
	[ "$n" = 0 ] || fail "$u still sees the conflict"
done
echo "nothing vanished: every value the phone ever had"
say hq account show "$X" --history phone_main

step "10. Reports on HQ's replica, the server stopped"
stop_server
for r in won win-rate open-opportunities by-sector ranking-by-team; do say hq report run $r || fail "report $r"; done
say hq report run ranking-by-rep | head -7
say hq report run won --period 2017-Q2
echo "a manager's replica is complete for the own team, so it gives the figure HQ gives:"
say melvin.marxen report run ranking-by-team | grep "Melvin Marxen"
say summer.sewald report run ranking-by-team | grep "Summer Sewald"

step "11. Proof: every replica and the server check themselves"
for u in $people; do printf '%-18s ' "$u"; as "$u" check | tail -1 || fail "check of $u"; done
printf '%-18s ' server; d check | head -1 || fail "check of the server"
as hq template verify | tail -1

cat <<END

Everything lies under $D. Go on by hand:
  export SATCHEL_HOME=$D/replicas/hq SATCHEL_PASSPHRASE_FILE=$D/replicas/hq.passphrase
  $SATCHEL report list;  $SATCHEL account list --sort -created;  $SATCHEL log $X
  (the same with melvin.marxen, summer.sewald, darcel.schlecht, gladys.colclough, kary.hendrixson)
  $SATCHELD -D $D/server --passphrase-file $D/server.passphrase serve --listen tcp://127.0.0.1:$port
END
