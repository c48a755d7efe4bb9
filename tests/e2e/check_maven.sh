#!/bin/bash
# The main job on real data (tests/data/maven-crm): 85 customers and 8,800
# opportunities imported at headquarters, reports right to the fen with the
# server off, and every replica holds exactly what its person may see: the
# expectation is computed from the CSV files, by awk, knowing nothing of keys
# or scopes.
. tests/e2e/lib.sh
DATA=$(readlink -f tests/data/maven-crm)
managers=$(tail -n +2 "$DATA/teams.csv" | cut -d, -f1)
reps="darcel.schlecht gladys.colclough kary.hendrixson"

server_init "Maven Hardware"; serve
expect 0 d team add --from "$DATA/teams.csv"
expect 0 d user add --from "$DATA/users.csv"
for u in hq $managers $reps; do enrol "$u"; done
stamp() { echo "  $1: $SECONDS s"; }
stamp "enrolled 1 + 6 + 3"

# --- import. A contact and a follow-up below each customer come along, so that
# every kind is there for the question who holds what.
row() { tail -n +2 "$DATA/accounts.csv" | cut -d, -f1; }
{ echo "account,name,external_id"; row | sed 's/.*/maven:&,Contact of &,c:&/'; } >"$W/contacts.csv"
{ echo "account,method,points,occurred_at,external_id"; row | sed 's/.*/maven:&,phone,first call,2017-01-05,a:&/'; } >"$W/activities.csv"
for k in contact activity; do
	more=; [ $k = activity ] && more=', "method": {"field": "method"}, "points": {"field": "points"}, "occurred_at": {"field": "occurred_at"}'
	[ $k = contact ] && more=', "name": {"field": "name"}'
	echo '{"schema": "satchel/import-map/1", "kind": "'$k'", "key": "external_id", "columns":
	 {"account": {"field": "account", "lookup": "external_id"}, "external_id": {"field": "external_id"}'"$more"'}}' >"$W/$k.map.json"
done
# imp FILE KIND MAP: the summary, flat, in $OUT
imp() { expect 0 as hq --json import "$1" --type "$2" --map "$3" --on-duplicate update --incomplete flag --errors "$W/errors.csv"; OUT=$(tail -1 <<<"$OUT" | flat); }
all_imports() { # CREATED(0/1)
	local n=$1
	imp "$DATA/accounts.csv" account "$DATA/accounts.map.json";             has "$OUT" "\"created\":$((n * 85)),\"updated\":0,\"unchanged\":$((85 - n * 85)),.*\"errors\":0" "customers"
	imp "$DATA/sales_pipeline.csv" opportunity "$DATA/sales_pipeline.map.json"; has "$OUT" "\"created\":$((n * 8800)),\"updated\":0,\"unchanged\":$((8800 - n * 8800)),.*\"errors\":0" "opportunities"
	imp "$W/contacts.csv" contact "$W/contact.map.json";                    has "$OUT" "\"created\":$((n * 85)),\"updated\":0,\"unchanged\":$((85 - n * 85)),.*\"errors\":0" "contacts"
	imp "$W/activities.csv" activity "$W/activity.map.json";                has "$OUT" "\"created\":$((n * 85)),\"updated\":0,\"unchanged\":$((85 - n * 85)),.*\"errors\":0" "follow-ups"
}
all_imports 1
stamp "imported"
for u in hq hq $managers $reps; do expect 0 as "$u" -q sync; done
stamp "synced"

# --- a second import of everything changes nothing, here and there
state() { as hq --json status | flat | grep -oE '"(pending|cursor)":\{[^}]*\}'; d --json status | flat | grep -oE '"(lsn|records)":[0-9]+'; }
before=$(state); has "$before" "\"pending\":.*" "state"; has "$before" "\"lsn\":9[0-9]{3}" "state of the server"
all_imports 0
expect 0 as hq status --check no-pending
expect 0 as hq -q sync
same "$(state)" "$before" "state after a second import"
stamp "imported again"

# --- reports at headquarters, the server stopped
stop_server
report() { as "${U:-hq}" --json report run "$@" | flat; }
r=$(report won);      has "$r" '"rows":\[\[4238,1000553400,85\]\]' "won"
r=$(report win-rate); has "$r" '"rows":\[\[\{"text":"63.15","num":4238,"den":6711\},.*,4238,2473\]\]' "win rate"
r=$(report open-opportunities); has "$r" '"totals":\[2089,' "open opportunities"
r=$(report ranking-by-rep); has "$r" '"rows":\[\[1,\{"key":"darcel.schlecht","label":"DarcelSchlecht"\},115321400,349,' "best rep"
teams=$(report ranking-by-team)
has "$teams" '"rows":\[\[1,\{"key":"melvin.marxen","label":"MelvinMarxen"\},225193000,.*\],\[2,\{"key":"summer.sewald","label":"SummerSewald"\},196475000,.*\],\[3,\{"key":"rocco.neubert","label":"RoccoNeubert"\},196054500,' "teams"
r=$(report by-sector)
has "$r" '"rows":\[\[[^]]*"?retail"?[^]]*,186752800,.*\],\[[^]]*"?technology"?[^]]*,151548700,.*\],\[[^]]*"?medical"?[^]]*,135959500,' "sectors"
r=$(report won --period 2017-Q2); has "$r" '"rows":\[\[1254,308611100,85\]\]' "2017-Q2"
same "$(total hq opportunity --where 'account is null')" 1425 "opportunities without customer"

# --- cleaned, flagged
hasnt "$(as hq --json account list --all)" technolgy "technolgy"
csv() { awk -F, "NR > 1 && $1 {n++} END{print n + 0}" "$DATA/sales_pipeline.csv"; }
same "$(total hq opportunity --where 'product=GTXPro')" 0 "GTXPro"
same "$(total hq opportunity --where 'product="GTX Pro"')" "$(csv '($3 == "GTXPro" || $3 == "GTX Pro")')" "GTX Pro"
same "$(total hq account --where 'sector=technology')" "$(awk -F, '$2 == "technology" || $2 == "technolgy"' "$DATA/accounts.csv" | wc -l)" "technology"
same "$(total hq account --incomplete)" 85 "flagged as incomplete"
[ -e "$W/errors.csv" ] && same "$(tail -n +2 "$W/errors.csv" | wc -l)" 0 "error rows"
for u in hq; do expect 0 as $u check; done
stamp "reports"

# --- each manager's figure for the own team is headquarters' figure
team_row() { grep -oE "\{\"key\":\"$1\",[^}]*\},[0-9]+,[0-9]+,\{[^}]*\}"; }
for m in $managers; do
	want=$(team_row "$m" <<<"$teams"); [ -n "$want" ] || bad "headquarters has no row of $m"
	same "$(U=$m report ranking-by-team | team_row "$m")" "$want" "$m: the own team"
done
stamp "managers"

# --- who holds what. want PERSON...: ids, by the rule, of the CSV files alone
# - a customer's owner is whoever won most there (ties by name)
# - who owns the customer, or an opportunity at it, holds it with contacts and follow-ups
# - an opportunity is held by its owner and by the customer's owner
want() {
	awk -F, -v people="$1" '
	FILENAME ~ /users/ { if (FNR > 1) key[$2] = $1; next }
	FILENAME ~ /accounts/ { if (FNR > 1) account[$1] = 1; next }
	FNR == 1 { split(people, p, " "); for (i in p) mine[p[i]] = 1; next }
	{ id[FNR] = $1; by[FNR] = $2; at[FNR] = $4; last = FNR
	  if ($5 == "Won") sum[$4 SUBSEP $2] += $8 }
	END {
		for (k in sum) { split(k, q, SUBSEP); a = q[1]; u = q[2]
			if (a == "") continue
			if (!(a in best) || sum[k] > best[a] || (sum[k] == best[a] && u < owner[a])) { best[a] = sum[k]; owner[a] = u } }
		for (a in account) if (key[owner[a]] in mine) held[a] = full[a] = 1
		for (i = 2; i <= last; i++) {
			own = key[by[i]] in mine
			if (own && at[i] != "") held[at[i]] = 1
			if (own || (at[i] in full)) print "opportunity " id[i] }
		for (a in held) { print "account maven:" a; print "contact c:" a; print "activity a:" a }
	}' "$DATA/users.csv" "$DATA/accounts.csv" "$DATA/sales_pipeline.csv" | sort
}
holds() {
	for k in account contact activity opportunity; do
		as "$1" --json $k list --all | grep -o '"external_id": ".*"' | sed 's/.*": "\(.*\)"$/'$k' \1/'
	done | sort
}
count() { cut -d' ' -f1 "$1" | sort | uniq -c | awk '{printf "%s%s %s", (NR > 1 ? ", " : ""), $1, $2}'; }
compare() { # USER "people"
	want "$2" >"$W/want"; holds "$1" >"$W/holds"
	[ "$(wc -l <"$W/want")" -gt 100 ] || bad "$1: the expectation is empty"
	if cmp -s "$W/want" "$W/holds"; then ok; else bad "$1 holds other records than the rule says"; diff "$W/want" "$W/holds" | head -5; fi
	echo "  $1: $(count "$W/holds")"
}
for u in $reps; do compare "$u" "$u"; done
for m in $managers; do compare "$m" "$(awk -F, -v t="$m" 'NR > 1 && $4 == t {print $1}' "$DATA/users.csv" | tr '\n' ' ')"; done
compare hq "$(awk -F, 'NR > 1 {print $1}' "$DATA/users.csv" | tr '\n' ' ')"
stamp "sets compared"
for u in $managers $reps; do expect 0 as "$u" check; done
expect 0 d check
finish
