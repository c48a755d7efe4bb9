#!/bin/bash
# One judge behind every door. The same bad record is typed, sent to the HTTP
# door and imported from a sheet: each names the same field with the same code,
# for every kind of rule and, required, for every type of field. Elsewhere a
# mandatory field was one of the form only, and the interface behind it let
# everything in (a form builder's API; SuiteCRM #8951). What comes by sync is
# judged the same (tests/unit/server/store/sqlite/test_door.c); what a rule newer
# than the author asks for is flagged, not refused.
. tests/e2e/lib.sh
ASK=$(readlink -f "$B/tests/http/ask"); S=$W/r/web/daemon.sock
server_init; serve
d user add hq --name HQ --role hq >/dev/null; d user add web --name Web --role hq >/dev/null; d user add old --name Old --role rep >/dev/null
enrol hq; enrol web; enrol old; as old -q sync

# a company whose rule asks for a field of every type once the sector is given
expect 0 git -c safe.directory='*' clone -q "$W/server/templates.git" "$W/t"; T=$W/t; rm -rf "$T/.git"
id=910 types=(text int money bool date time phone email)
add() { sed -i "s|^    {\"id\": 2, \"key\": \"name\"|    {\"id\": $id, \"key\": \"req_$1\", \"label\": {\"zh\": \"必填$1\", \"en\": \"Needed $1\"}, \"type\": \"$1\"$2, \"purpose\": \"a rule of this check\", \"required_when\": \"party_kind=individual_business\"},\n&|" "$T/fields/account.json"; id=$((id + 1)); }
for t in "${types[@]}"; do add "$t" ""; done
add enum ', "options": "size"'; add tags ', "policy": "set"'; add user ""; add ref ', "ref": "campaign"'
types+=(enum tags user ref)
sed -i 's|"key": "district", |&"retired": true, |' "$T/fields/account.json"
expect 0 d template publish "$T" -m "a field of every type is required"
for u in hq web; do as $u -q sync; done
as web daemon --no-sync >/dev/null 2>"$W/err"; sed -n 's/.*process \([0-9]*\)$/\1/p' "$W/err" >"$W/r/web/daemon.pid"
for _ in $(seq 2000); do [ -S "$S" ] && break; sleep 0.05; done

n=0
base() { n=$((n + 1)); R=("name=门公司$n" industry=I65 contact_name=李娜 need_type=solution stage=first_contact phone_main=138$(printf %08d $n)); }
with() { # KEY=VALUE, or -KEY: leave it out
	local a k r=(); for a in "$@"; do
		k=${a#-}; k=${k%%=*}; r=(); for x in "${R[@]}"; do [ "${x%%=*}" = "$k" ] || r+=("$x"); done
		R=("${r[@]}"); [ "${a:0:1}" = - ] || R+=("$a")
	done
}
typed() { local a=(); for x in "${R[@]}"; do a+=(--set "$x"); done; as hq --json account add "${a[@]}" 2>&1 >/dev/null; }
sent() { local b= x; for x in "${R[@]}"; do b+=",\"${x%%=*}\":\"${x#*=}\""; done
	printf '{%s}' "${b:1}" | "$ASK" "$S" 5 POST /v1/accounts; }
sheet() { local h= v= x; for x in "${R[@]}"; do h+=",${x%%=*}"; v+=",\"${x#*=}\""; done
	printf '%s\n%s\n' "${h:1}" "${v:1}" >"$W/in.csv"; rm -f "$W/bad.csv"
	as hq import "$W/in.csv" --type account --on-duplicate ask --errors "$W/bad.csv" >/dev/null 2>&1; cat "$W/bad.csv" 2>/dev/null; }
# refused FIELD CODE CHANGE...: by every door, with this field and this code
refused() {
	local f=$1 c=$2; shift 2; base; with "$@"
	has "$(typed)" "\"path\":\"$f\",\"code\":\"$c\"" "typed: $*"
	has "$(sent)" "\"path\":\"$f\",\"code\":\"$c\"" "sent: $*"
	has "$(sheet)" "(column '$f'|field $f): $c" "sheet: $*"
}
before=$(total hq account)
refused phone_main required -phone_main; refused industry required -industry; refused name required -name
refused lost_reason required status=lost                      # conditional
refused uscc pattern uscc=123; refused phone_main pattern phone_main=12
refused industry option industry=ZZ9; refused grade option grade=Q
refused annual_amount type annual_amount=abc; refused next_follow_at type next_follow_at=someday
refused name length name=x; refused sector length sector=$(printf 'y%.0s' $(seq 61))
refused annual_amount range annual_amount=-1
refused district retired district=姑苏区
refused source option source=nosuch
# the lesson itself: what is required is required at every door, whatever its type
base; with party_kind=individual_business
for out in "$(typed)" "$(sent)"; do for t in "${types[@]}"; do has "$out" "\"path\":\"req_$t\",\"code\":\"required\"" "required $t"; done; done
out=$(sheet); for t in "${types[@]}"; do has "$out" "field req_$t: required" "required $t by sheet"; done
same "$(total hq account)" "$before" "nothing of all that was written"

# a duplicate, a stage the graph does not know
base; with name=重复公司; X=("${R[@]}"); expect 0 as hq account add $(for x in "${R[@]}"; do echo --set "$x"; done); A=$OUT
R=("${X[@]}"); has "$(typed)" 'duplicate' "a duplicate typed"; has "$(sheet)" 'duplicate|several|already|there' "a duplicate by sheet"
as hq -q sync; stop_daemons; as web -q sync; as web daemon --no-sync >/dev/null 2>"$W/err"; sed -n 's/.*process \([0-9]*\)$/\1/p' "$W/err" >"$W/r/web/daemon.pid"
R=("${X[@]}"); has "$(sent)" 'duplicate' "a duplicate sent"
expect 0 as hq account edit "$A" --set stage=won
expect 7 as hq --json account edit "$A" --set stage=proposal; has "$ERR" '"path":"stage","code":"stage"' "a stage typed"
has "$(printf '{"stage":"won"}' | "$ASK" "$S" 5 PATCH "/v1/accounts/$A" | head -1)" ' 200' "won, sent"
has "$(printf '{"stage":"proposal"}' | "$ASK" "$S" 5 PATCH "/v1/accounts/$A")" '"path":"stage","code":"stage"' "a stage sent"
printf 'id,stage\n%s,proposal\n' "$A" >"$W/in.csv"; rm -f "$W/bad.csv"
as hq import "$W/in.csv" --type account --on-duplicate update --errors "$W/bad.csv" >/dev/null 2>&1; has "$(cat "$W/bad.csv")" "(column 'stage'|field stage): stage" "a stage by sheet"

# by sync: whoever could not know the rule is not refused; the record is flagged
expect 0 as old account add --set name=旧版公司 "${ACC[@]}" --set phone_main=13900000001 --set party_kind=individual_business; O=$OUT
expect 0 as old sync; has "$OUT" "rejected.0" "an older template's record is taken"
expect 0 as hq sync; expect 0 as hq --json account list --incomplete; has "$OUT" "$O" "and flagged"
expect 7 as old account add --set name=新版公司 "${ACC[@]}" --set phone_main=13900000002 --set party_kind=individual_business; has "$ERR" "req_text" "now it is asked too"
finish
