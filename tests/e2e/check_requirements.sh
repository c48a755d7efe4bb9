#!/bin/bash
# Requirements that are one command or two, each named by its id
# (docs/requirements.md); the larger ones have scripts of their own.
. tests/e2e/lib.sh
server_init; serve
d team add east --name East >/dev/null; d team add west --name West >/dev/null
for u in li:rep:east wang:rep:east zhao:rep:west boss:manager:east hq:hq:; do IFS=: read -r k r t <<<"$u"
	d user add "$k" --name "$k" --role "$r" ${t:+--team "$t"} >/dev/null || bad "user $k"; done
for u in li wang zhao boss hq; do enrol $u; done
doc() { as "$1" --json "${@:2}" | flat; }

# --- the record, its entry, its rules
expect 0 as li account add --set name=福州远洋科技有限公司 "${ACC[@]}" --set phone_main=13812345678 --set source=fair --set size_band=50-100 --set cooperation_history=两年 --set remark=老客户; A=$OUT
expect 0 as li -q sync; expect 0 as boss -q sync
same "$(doc boss account show "$A" | grep -o '"source":"[a-z]*"')" '"source":"fair"' "R-001 the same record and origin on another device"
has "$(doc li account show "$A")" '"number":"C20[0-9]{4}[0-9]{3,}"' "R-004 a number"
for f in name industry contact_name phone_main need_type; do
	set --; for p in name=甲公司 industry=I65 contact_name=王强 phone_main=13912345678 need_type=product stage=first_contact; do
		[ "${p%%=*}" = "$f" ] || set -- "$@" --set "$p"; done
	expect 7 as li account add "$@"; has "$ERR" "$f" "R-005 without $f it is refused and named"
done
expect 7 as li account add --set name=乙公司 --set industry=I65 --set contact_name=王 --set phone_main=13912345678 --set need_type=product --set stage=nosuch; has "$ERR" "stage" "R-006 the stage"
has "$(as li --json schema account | flat)" '"key":"size_band".*"key":"remark".*"key":"cooperation_history"' "R-007 optional fields"
expect 0 as li account add --set name=老陈面馆 --set party_kind=individual_business "${ACC[@]}" --set phone_main=13900000001
expect 0 as li account list --where party_kind=individual_business; has "$OUT" "老陈面馆" "R-008 sole traders apart"; hasnt "$OUT" "远洋" "R-008"
expect 7 as li account edit "$A" --set industry=Z99; has "$ERR" "industry" "R-009 an industry the classification does not know"
expect 7 as li account edit "$A" --set size_band=很大; has "$ERR" "size_band" "R-010 no free text for a band"
for p in 13812345678 010-62345678 0591-87654321 021-6234567-801 400-820-8820 "+86 138 1234 5678"; do expect 0 as li --json account edit "$A" --set "phone_main=$p"; done
for p in 12812345678 1381234567 5678 0123-4567890; do expect 7 as li account edit "$A" --set "phone_main=$p"; has "$ERR" "phone_main" "R-011 $p"; done
expect 6 as li account add --set name=福州远洋科技有限公司 "${ACC[@]}" --set phone_main=13700000002; has "$ERR" "duplicate|exists" "R-013 asks first"
expect 0 as li account add --set name=福州远洋科技有限公司 "${ACC[@]}" --set phone_main=13700000002 --allow-duplicate "另一家同名"
expect 0 as li account edit "$A" --set "name=　福州远洋科技有限公司　" --set phone_main=１３８１２３４５６７８
has "$(doc li account show "$A")" '"phone_main":"\+8613812345678"' "R-015 full width is made narrow"
expect 0 as li account edit "$A" --set need_type=service --set need_detail=定制化软件开发; has "$(doc li account show "$A")" '"need_detail":"定制化软件开发"' "R-016"
expect 7 as li account edit "$A" --set source=moon; has "$ERR" "source" "R-017 channels are options"
expect 7 as li account edit "$A" --set status=lost; has "$ERR" "lost_reason" "R-019 no loss without a reason"
expect 0 as li account edit "$A" --set status=high_intent; has "$(doc li account show "$A")" '"status":"high_intent","?' "R-018 status"; has "$(doc li account show "$A")" '"owner":"li"' "R-018 who is responsible"
expect 0 as li account edit "$A" --set contact_name=赵敏; expect 0 as li account show "$A" --history contact_name; has "$OUT" "李娜" "R-020 old value"; has "$OUT" "赵敏" "R-020 new value"; has "$OUT" "li" "R-020 who"
n=$(as li --json schema account | flat | grep -o '"required":true' | wc -l); same "$n" 6 "R-021 six fields are required"

# --- tags, stages, follow-ups
expect 0 as li account tag "$A" +制造业 +设备采购; expect 0 as li account list --tag 设备采购; has "$OUT" "远洋" "R-043 found by a tag"
expect 0 as li activity add "$A" --method phone --points 询价20台 --next-at 2026-12-01T09:00; F=$OUT
expect 7 as li activity add "$A" --method phone; has "$ERR" "points" "R-048 no follow-up without its points"
expect 0 as li --json activity show "$F"; has "$(flat <<<"$OUT")" '"method":"phone".*' "R-048 method"; has "$(flat <<<"$OUT")" '"points":"询价20台"' "R-048 points"
has "$(doc li account show "$A")" '"next_follow_at":"2026-12-01' "R-051 the next time is on the customer"
expect 0 as li account add --set name=丙公司 "${ACC[@]}" --set phone_main=13912340003 --set status=interested; C=$OUT
expect 7 as li activity add "$C" --method visit --points 谈妥 --status moon; has "$ERR" "status" "R-053 a status that is none"; same "$(total li activity --account "$C")" 0 "R-053 both or neither"
n=$(as li log --limit 100 | wc -l); expect 0 as li activity add "$C" --method visit --points 谈妥 --status high_intent --stage 需求调研; same "$(as li log --limit 100 | wc -l)" $((n + 1)) "R-053 one commit"
has "$(doc li account show "$C")" '"stage":"need_confirmed"' "R-053 stage"; has "$(doc li account show "$C")" '"status":"high_intent"' "R-053 status"
expect 7 as li activity add "$C" --method visit --points x --status lost; has "$ERR" "lost_reason" "R-053 the rules hold"
expect 0 as li activity add "$C" --method visit --points x --status lost --set account.lost_reason=price; has "$(doc li account show "$C")" '"lost_reason":"price"' "R-053"
expect 0 as li account stage "$A" 需求调研; has "$(doc li account show "$A")" '"stage":"need_confirmed"' "R-062 the five-step wording is understood"
expect 0 as li opportunity add "$A" --set name=一期 --set amount=50万; O=$OUT; expect 0 as li opportunity stage "$O" negotiation; expect 0 as li opportunity close "$O" --won
expect 0 as li opportunity show "$O" --history stage; has "$OUT" "negotiation|商务谈判|Negotiation" "R-063 the way of its stages"
expect 0 as li -q sync; expect 0 as boss -q sync
same "$(as boss --json account show "$A" --timeline | flat | md5sum)" "$(as li --json account show "$A" --timeline | flat | md5sum)" "R-049 one timeline on both devices"
# --- the buying committee; a fair's visitor whose details come later
gaps() { doc li account standard "$A" | grep -o '"committee_missing":\[[^]]*\]'; }
same "$(gaps)" '"committee_missing":["decider","user","buyer"]' "R-072 nobody known"
expect 0 as li contact add "$A" --set name=王总 --add roles=decider; expect 0 as li contact add "$A" --set name=赵工 --add roles=user --add roles=champion
same "$(gaps)" '"committee_missing":["buyer"]' "R-072 one is missing"; expect 7 as li contact add "$A" --set name=x --add roles=boss
expect 0 as li account add --set name=展会来客 --set phone_main=13912340093 --set source=fair --incomplete flag; V=$OUT
expect 0 as li account list --incomplete; has "$OUT" "展会来客" "R-093 to be completed"; expect 0 as li account edit "$V" --set industry=I65 --set contact_name=吴 --set need_type=product --set stage=first_contact
expect 0 as li account list --incomplete; hasnt "$OUT" "展会来客" "R-093 complete"
expect 0 as li -q sync; expect 0 as boss -q sync
# --- who may see and do what
expect 0 as wang -q sync; expect 5 as wang account show "$A"; same "$(total wang account)" 0 "R-096 a salesperson sees his own"
same "$(total boss account)" 5 "R-097 the manager sees the team's"; expect 0 as zhao -q sync; same "$(total zhao account)" 0 "R-097 nobody else's"
expect 9 as li account assign "$A" --to wang; expect 0 as boss account assign "$A" --to wang; expect 0 as boss -q sync; expect 0 as wang -q sync
has "$(doc wang account show "$A")" '"cooperation_history":"两年"' "R-091 R-094 every field came along"
finish
