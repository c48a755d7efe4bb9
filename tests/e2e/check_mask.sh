#!/bin/bash
# What a role does not see is not on its devices (P-241): phones, e-mails and WeChat of
# customers, in the decrypted replica of everybody; a device of such a role makes
# records with them and keeps none; shows one with the server, or not at all; and
# a template that hides more takes away what was given before.
. tests/e2e/lib.sh
ROGUE=$(readlink -f "$B/tests/e2e/rogue")
server_init; serve
d team add east --name East >/dev/null
for u in li:rep mia:manager exp:expert; do expect 0 d user add "${u%:*}" --name "${u%:*}" --role "${u#*:}" --team east; done
for u in hq:hq ser:service mar:marketing aud:auditor; do expect 0 d user add "${u%:*}" --name "${u%:*}" --role "${u#*:}"; done
ALL="li mia exp hq ser mar aud"; MASKED="exp ser mar aud"
for u in $ALL; do enrol $u; done
# plain USER: the replica, decrypted; $P is the file
plain() { stop_daemon "$W/r/$1"; P=$W/plain.$1; "$ROGUE" read "$W/r/$1" "$W/pass" >"$P" 2>"$W/err" && ok || bad "$1: $(cat "$W/err")"; }
keeps() { plain "$1"; for x in "${@:2}"; do grep -aqF "$x" "$P" && ok || bad "$1 lacks $x"; done; }
lacks() { plain "$1"; for x in "${@:2}"; do grep -aqF "$x" "$P" && bad "$x is in $1's replica" || ok; done; }
all_sync() { for u in "$@"; do as $u -q sync || bad "sync of $u"; done; }
all_sync $ALL
A=$(as li account add --set name=斑驴公司 "${ACC[@]}" --set phone_main=13912345678 --set email=quagga@example.com)
expect 0 as li contact add "$A" --set name=Zhang --set phone=13712345678 --set wechat=zhang_wx_77; C=$OUT
expect 0 as li opportunity add "$A" --set name=deal --set amount=500; O=$OUT; all_sync li mia
expect 0 as mia opportunity assign "$O" --to exp; all_sync mia $ALL
H="13912345678 13712345678 zhang_wx_77 quagga@example.com"
for u in li mia hq; do keeps $u $H; done
for u in $MASKED; do lacks $u $H; done
for u in $MASKED; do grep -aqF 斑驴公司 "$W/plain.$u" && ok || bad "$u lacks the customer"; done
# changed: as states, without the values (P-242); the sums fit (P-243)
expect 0 as li account edit "$A" --set phone_main=13911112222 --set remark=更正; all_sync li $ALL
expect 0 as li account edit "$A" --set email=other@example.com --set address=一号路; all_sync li $ALL
for u in $MASKED; do lacks $u $H 13911112222 other@example.com; expect 0 as $u check; done
for u in ser mar aud; do grep -aqF 一号路 "$W/plain.$u" && ok || bad "$u lacks the address"
	expect 0 as $u --json account show "$A"; has "$OUT" '\*\*\*2222' "its end"
	expect 9 as $u account edit "$A" --set phone_main=13900000001; done
keeps hq 13911112222 13912345678
# what such a device makes itself it gives away with the server's answer (P-246, P-247)
expect 0 as mar lead add --set name=线索 --set phone=13612340000; keeps mar 13612340000
all_sync mar mar hq ser; lacks mar 13612340000; lacks ser 13612340000; keeps hq 13612340000
expect 0 as mar --json lead list; has "$OUT" '\*\*\*0000' "its end is shown"
# shown by the server alone, noted before it is shown (P-248)
expect 0 as aud account reveal "$A" --reason "投诉 17"; has "$OUT" 13911112222 "shown"; lacks aud 13911112222
all_sync hq; expect 0 as hq --json disclosure list; has "$OUT" '"reason": "投诉 17"' "headquarters knows"; has "$OUT" '"revealed_by": "aud"' "and who"
expect 0 as aud account reveal "$A" --field email --reason "投诉 17"; has "$OUT" other@example.com "an e-mail"
expect 9 as mar account reveal "$A" --reason "campaign"; expect 9 as ser account reveal "$A" --reason "call"
stop_server; expect 8 as aud account reveal "$A" --reason "投诉 18"; has "$ERR" "not on this device" "says why"; serve "$PORT"
all_sync hq; expect 0 as hq --json disclosure list; hasnt "$OUT" "投诉 18" "nothing is noted that was not shown"
# a template that hides more, and one that hides less (P-244)
G="git -c safe.directory=* -c advice.detachedHead=false"; expect 0 $G clone -q "$W/server/templates.git" "$W/t"; rm -rf "$W/t/.git"
keeps aud 一号路
sed -i '/"masks"/,/}/s|"auditor": \["@mask"|"auditor": ["@mask", "account.address"|' "$W/t/acl/matrix.json"
expect 0 d template publish "$W/t" -m "auditors see no address"; all_sync $ALL aud
lacks aud 一号路; keeps mar 一号路; expect 0 as aud check
expect 0 as li account edit "$A" --set remark=再改; all_sync li $ALL; for u in $MASKED; do expect 0 as $u check; lacks $u $H 13911112222; done
sed -i 's|"@mask", "account.address"|"@mask"|' "$W/t/acl/matrix.json"; expect 0 d template publish "$W/t" -m "they do again"; all_sync aud; keeps aud 一号路; lacks aud $H
sed -i 's|"@mask", "\*.email"|"@mask", "account.owner"|' "$W/t/acl/matrix.json"; expect 7 d template publish "$W/t" -m no; has "$ERR" "cannot be hidden" "an owner is not"
expect 0 d check; for u in $ALL; do OUT=$(as $u --json sync log); hasnt "$OUT" '"diverged": [1-9]' "$u: the sums fit"; done
finish
