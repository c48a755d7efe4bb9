#!/bin/bash
# The kinds around a customer: leads, needs, proposals with feedback, contracts,
# orders, tickets, surveys, tasks, visits, consents, comments, products.
. tests/e2e/lib.sh
server_init; serve
d team add t1 --name 一组 >/dev/null; d team add t2 --name 二组 >/dev/null
d user add hq --name HQ --role hq >/dev/null; d user add li --name 李 --role rep --team t1 >/dev/null
d user add wu --name 吴 --role rep --team t2 >/dev/null; d user add mg --name 经理 --role manager --team t1 >/dev/null
for u in hq li wu mg; do enrol $u; done
expect 0 as hq product add --set code=P-100 --set name=边缘网关 --set unit=台 --set list_price=1.2万
expect 0 as hq campaign add --set name=2026秋季展会 --set campaign_kind=fair --set budget=20万
expect 0 as hq sync; expect 0 as li sync; expect 0 as wu sync
expect 0 as li product list; has "$OUT" "边缘网关" "everybody holds the products"
expect 9 as li product add --set code=P-200 --set name=x; expect 9 as li product edit "$(as li --format tsv product list --fields id | tail -1)" --set name=y
expect 0 as wu campaign list; has "$OUT" "秋季展会" "and the campaigns"

expect 0 as li account add --set name=甲公司 "${ACC[@]}" --set phone_main=13812345678; A=$OUT
expect 0 as li lead add --set name=赵六 --set phone=13911112222 --set source=展会; L=$OUT
expect 7 as li lead stage "$L" invalid; expect 0 as li lead edit "$L" --set invalid_reason=no_response; expect 0 as li lead stage "$L" invalid
expect 0 as li need add "$A" --set need_type=solution --set text=数据上云 --set priority=high --set expected_by=2026-12-20; N=$OUT
expect 7 as li need add "$A" --set text=无类型; has "$ERR" "need_type" "the missing field is named"
expect 7 as li need stage "$N" nosuch; expect 0 as li need stage "$N" planned; expect 0 as li need stage "$N" 已解决
expect 0 as li opportunity add "$A" --set name=一期 --set amount=50万; O=$OUT
expect 0 as li proposal add "$A" --set title=方案一 --set opportunity="$O" --set amount=48万; P=$OUT
expect 0 as li proposal stage "$P" submitted
expect 0 as li feedback add "$A" --set proposal="$P" --set round=1 --set text=价格偏高 --set by=王总
expect 0 as li proposal stage "$P" adjusting; expect 0 as li proposal edit "$P" --set version=2 --set amount=45万; expect 0 as li proposal stage "$P" submitted
expect 0 as li proposal stage "$P" confirmed
expect 0 as li contract add "$A" --set number=HT-2026-001 --set opportunity="$O" --set amount=45万 --set start=2026-12-01 --set end=2027-11-30; C=$OUT
expect 7 as li contract stage "$C" running; expect 0 as li contract stage "$C" signed
expect 0 as li order add "$A" --set contract="$C" --set amount=15万 --set product=边缘网关 --set qty=10
expect 0 as li ticket add "$A" --set ticket_kind=fault --set subject=设备离线 --set severity=major; T=$OUT
expect 0 as li ticket stage "$T" working; expect 0 as li ticket stage "$T" resolved; expect 0 as li ticket stage "$T" working
expect 0 as li response add "$A" --set survey=2026 --set score=5 --set nps=9; expect 7 as li response add "$A" --set survey=2026 --set score=6
expect 0 as li task add "$A" --set title=回访 --set due_at=2026-12-01T09:00; K=$OUT
expect 0 as li task stage "$K" done
expect 0 as li visit add --set visitor=陈女士 --set phone=13800001111 --set party_size=3; V=$OUT
expect 0 as li visit edit "$V" --set interest=三室
expect 0 as li consent add "$A" --set purpose=marketing --set text_version=v1
expect 0 as li comment add "$A" --set text=请法务看合同 --set mentions=mg
expect 5 as li order edit x --set amount=1; expect 0 as li order list; has "$OUT" "边缘网关" "orders"
expect 0 as li account show "$A" --timeline; for w in 数据上云 方案一 价格偏高 HT-2026-001 设备离线 请法务; do has "$OUT" "$w" "the timeline holds everything"; done
expect 0 as li sync; expect 0 as mg sync; expect 0 as wu sync; expect 0 as hq sync
same "$(total mg ticket)/$(total mg order)/$(total mg visit)" "1/1/1" "the manager has them"
same "$(total wu ticket)/$(total wu visit)/$(total wu lead)" "0/0/0" "another team has none"
same "$(total hq contract)/$(total hq proposal)" "1/1" "headquarters have them"
# withdrawn stays withdrawn, whoever writes later
Cn=$(as li --format tsv consent list --fields id | tail -1); as mg sync >/dev/null
expect 0 as li consent edit "$Cn" --set withdrawn=1; expect 0 as mg consent edit "$Cn" --set channel=phone
expect 0 as li sync; expect 0 as mg sync; expect 0 as mg consent show "$Cn"; has "$OUT" "withdrawn.1" "withdrawn"
expect 0 d check; for u in hq li wu mg; do expect 0 as $u check; done
finish
