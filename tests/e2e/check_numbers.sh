#!/bin/bash
# Customer numbers without a network: leased ones are final at once, later ones
# get theirs at the first sync and stay findable under both; no number is given
# twice, whatever is copied or restored.
. tests/e2e/lib.sh
server_init; serve
d user add hq --name HQ --role hq >/dev/null; d user add li --name Li --role rep >/dev/null; d user add wu --name Wu --role rep >/dev/null
enrol hq; enrol li; enrol wu
add() { as "$1" account add --set name="$2" "${ACC[@]}" --set phone_main="1381234$3"; }
number() { as "$1" --json account show "$2" | grep -o '"number": "[^"]*"' | head -1 | cut -d'"' -f4; }

# two laptops, no server: final numbers, none alike
stop_server
expect 0 add li 甲公司 0001; A=$OUT; expect 0 add wu 乙公司 0002; B=$OUT
na=$(number li "$A"); nb=$(number wu "$B")
has "$na" '^C20[0-9]{4}[0-9]{3}$' "final offline"; has "$nb" '^C20[0-9]{4}[0-9]{3}$' "final offline"
[ "$na" != "$nb" ] && ok || bad "two laptops gave $na"
SERIES=${na%???}

# the lease ends: provisional, and said to be
for i in $(seq 19); do as li -q account add --set name="丙$i公司" "${ACC[@]}" --set phone_main="1390000$((1000 + i))" >/dev/null || bad "add $i"; done
expect 0 add li 丁公司 0003; D=$OUT; nd=$(number li "$D")
has "$nd" "^$SERIES-P[0-9]+-0001\$" "provisional"
expect 0 as li --json account show "$D"; has "$OUT" '"provisional": true' "JSON says so"
expect 0 as li account show "$nd"; has "$OUT" "" "found by it"

# the first sync makes it final; nothing else is renumbered
serve "$PORT"; expect 0 as li sync; expect 0 as wu sync; expect 0 as hq sync
nd2=$(number li "$D"); has "$nd2" "^$SERIES[0-9]{3}\$" "final after the sync"
expect 0 as li --json inbox; has "$(flat <<<"$OUT")" "\"what\":\"renumbered\".*\"was\":\"$nd\",\"number\":\"$nd2\"" "and said to its author"
same "$(number hq "$A")" "$na" "li's leased number"; same "$(number hq "$B")" "$nb" "wu's leased number"
expect 0 as hq --json account show "$nd"; has "$OUT" "\"$nd2\"" "found under the old number at headquarters"
has "$(flat <<<"$OUT")" "\"aliases\":\[\"$nd\"\]" "the alias is shown"
printf 'number,name\n%s,丁公司新名\n' "$nd" >"$W/u.csv"
echo '{"schema":"satchel/import-map/1","kind":"account","key":"number","columns":{"number":{"field":"number"},"name":{"field":"name"}}}' >"$W/u.json"
expect 0 as hq --json import "$W/u.csv" --map "$W/u.json" --on-duplicate update --incomplete flag; has "$OUT" '"updated": ?1' "an import by the old number"
expect 0 as hq --json account list --limit 100; same "$(grep -o '"number": "[^"]*"' <<<"$OUT" | sort | uniq -d)" "" "numbers given twice"
hasnt "$OUT" '"number": "C[0-9]*-P' "no provisional number is left"

# a copied folder goes on in both places: no number twice
expect 0 as li sync; cp -r "$W/r/li" "$W/r/li2"; stop_server
expect 0 add li 戊公司 0004; E=$OUT; expect 0 add li2 己公司 0005; F=$OUT
same "$(number li "$E")" "$(number li2 "$F")" "the same lease in both"
serve "$PORT"; expect 0 as li sync; as li2 sync >/dev/null 2>&1; as li2 restore --yes >/dev/null 2>&1; as li2 sync >/dev/null 2>&1
expect 0 as hq sync; expect 0 as hq --json account list --limit 100
same "$(grep -o '"number": "[^"]*"' <<<"$OUT" | sort | uniq -d)" "" "numbers given twice after a copy"

# the administrator sees what was leased, takes back and gives
expect 0 d lease list; has "$OUT" "$SERIES" "leases"; expect 0 d --json lease list --gaps; hasnt "$OUT" '"open"' "gaps are of the past"
expect 0 d lease void 3; expect 0 d lease grant 3 --series "$SERIES" --count 5; has "$OUT" "$SERIES.* to $SERIES" "granted"
expect 2 d lease grant 3 --series nosuch; expect 5 d lease grant 99 --series "$SERIES"
expect 0 d check
finish
