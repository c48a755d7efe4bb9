#!/bin/bash
# Saved views: kept on one device, opened on others by whom they are shared with.
. tests/e2e/lib.sh
THROUGH_DAEMON=1; server_init; serve
d team add east --name East >/dev/null; d team add west --name West >/dev/null
d user add li --name Li --role rep --team east >/dev/null; d user add mo --name Mo --role rep --team east >/dev/null; d user add wu --name Wu --role rep --team west >/dev/null; d user add hq --name Hq --role hq >/dev/null
for u in li mo wu hq; do enrol $u; as $u -q sync; done
add() { as "$1" account add --set name="$2" --set industry=C34 --set contact_name=Bo --set need_type=product --set stage=first_contact --set phone_main="$3" >/dev/null; }
add li Alpha 13812340001; add li Beta 13812340002; add mo Gamma 13812340003; add mo Delta 13812340004; add wu Zeta 13812340005
expect 0 as li view add mine --kind account --where 'owner=me' --sort name --fields name; ID=$OUT
expect 0 as li view add 本组 --kind account --where 'owner=me' --sort -name --fields name,owner --share team
expect 9 as li view add all --kind account --share company; expect 0 as hq view add all --kind account --where 'industry=C34' --share company
expect 2 as li view add bad --kind account --where 'colour=red'; expect 2 as li view add bad; expect 5 as li account list --view nosuch
for u in li hq mo wu; do expect 0 as $u sync; done
expect 0 as mo view list; has "$OUT" "本组.*team" "the team's"; has "$OUT" "all.*company" "everybody's"; hasnt "$OUT" "mine" "not another's own"
expect 0 as wu view list; hasnt "$OUT" "本组" "of another team"; has "$OUT" "all.*company" "everybody's there too"
expect 0 as mo account list --view 本组; same "$(cut -f1 <<<"$OUT" | tr '\n' ' ')" "Gamma Delta " "owner=me is whoever looks"
expect 0 as li account list --view 本组; same "$(cut -f1 <<<"$OUT" | tr '\n' ' ')" "Beta Alpha " "columns and order of the view"
expect 0 as li account list --view mine --where 'name=Alpha' --fields number,name --json; has "$(flat <<<"$OUT")" '"total":1,' "narrowed"
expect 9 as mo view edit 本组 --sort name; expect 9 as mo view delete all
expect 0 as li view edit 本组 --sort name --where ''; as li -q sync; as mo -q sync
expect 0 as mo account list --view 本组; has "$(cut -f1 <<<"$OUT" | tr '\n' ' ')" "^Delta Gamma " "changed for all"
expect 0 as hq view list; hasnt "$OUT" "mine" "nor do those who hold all see it unasked"; expect 0 as hq view list --owner li; has "$OUT" "mine" "asked for"
expect 0 as li --json api GET /v1/accounts -f view="$ID" -f limit=1; has "$(flat <<<"$OUT")" '"name":"Alpha".*"next":"[0-9a-f]+".*"view":|"view":.*"next":"[0-9a-f]+"' "by id"
expect 0 as li view delete mine; expect 5 as li view show mine; expect 0 as li --json api POST "/v1/views/$ID/restore"; expect 0 as li view show mine
for u in li mo wu hq; do expect 0 as $u sync; expect 0 as $u check; done
finish
