#!/bin/bash
# Industry packs: each one starts a company; a newer one is merged with what the
# company changed, place by place, or not at all.
. tests/e2e/lib.sh
mkdir -p "$W/r"; echo "server pass phrase" >"$W/server.pass"; echo "people pass phrase" >"$W/pass"
expect 5 d init --org T --pack nosuch; has "$ERR" "realestate" "says which packs there are"
[ -e "$W/server" ] && bad "an unknown pack leaves a folder" || ok
for p in manufacturing retail education finance healthcare; do
	expect 0 "$SATCHELD" -D "$W/$p" --passphrase-file "$W/server.pass" init --org T --pack $p
	expect 0 "$SATCHELD" -D "$W/$p" --passphrase-file "$W/server.pass" template verify
	rm -rf "${W:?}/$p"
done
expect 0 d init --org T --pack realestate; cheap "$W/server/server.keyring" "$W/server.pass"; serve
expect 0 d template packs; has "$OUT" "finance.*财富管理" "packs with their names"
d user add hq --name HQ --role hq >/dev/null; expect 0 as hq -q init --pack realestate --invite "$(d device invite --user hq)"
expect 6 as hq2 -q init --pack retail --invite "$(d device invite --user hq)"; has "$ERR" "pack realestate, not retail" "another pack"; expect 2 as hq3 init --demo 5 --pack retail
R=$(as hq --format tsv template log | head -1 | cut -c1-10); expect 0 as hq template update --to "$R"; expect 5 as hq template update --to 0123456789
expect 0 as hq account add --set name=王女士一家 --set industry=O80 --set contact_name=王女士 --set phone_main=13812345678 \
	--set need_type=home --set intent=A --set 'room_type=三室' --set budget=500万; A=$OUT
expect 0 as hq account stage "$A" visit; expect 0 as hq account stage "$A" 认购
expect 7 as hq account stage "$A" reservation --reason x; expect 7 as hq account add --set name=x --set stage=negotiation
expect 0 as hq --lang zh account show "$A"; has "$OUT" "subscription" "stages of the showroom"
expect 0 as hq report run visit-to-subscription; expect 0 as hq report run visits
expect 0 as hq account edit "$A" --set first_visit_at=2026-11-03T10:00; expect 0 as hq sync

# the company changes its template
G="git -c safe.directory=* -c advice.detachedHead=false"
expect 0 $G clone -q "$W/server/templates.git" "$W/t"; rm -rf "$W/t/.git"
sed -i 's|"zh": "预算"|"zh": "总预算"|' "$W/t/fields/account.json"
expect 0 d template publish "$W/t" -m "our words"
expect 6 as hq template update --to "$R"; has "$ERR" "later template" "it is history now"
expect 0 d template diff upstream published; has "$OUT" "fields.budget.label.zh.*预算.*总预算" "what the company changed"
expect 0 d template update --dry-run; same "$OUT" "" "the delivered pack brings nothing new"

# a newer pack: one new field, one change that meets ours, one that does not
cp -r common/template/packs/realestate "$W/p"
sed -i '/"version": "1.0.0",/s|1.0.0|1.1.0|' "$W/p/template.json"
sed -i 's|"zh": "预算", "en": "Budget"|"zh": "购房预算", "en": "Budget of the family"|; s|    {"id": 202,|    {"id": 214, "key": "parking_wanted", "label": {"zh": "需要车位", "en": "Parking wanted"}, "type": "bool"},\n&|' "$W/p/fields/account.json"
tip=$(d template log | head -1 | cut -f1)
expect 6 d template update --from "$W/p"; has "$OUT" "fields.budget.label.zh.*总预算.*购房预算" "the conflict is listed"
hasnt "$OUT" "label.en" "what only one side changed is none"
same "$(d template log | head -1 | cut -f1)" "$tip" "nothing is half brought in"
expect 2 d template update --from "$W/p" --take mine:x
expect 0 d template update --from "$W/p" --take ours:fields/account.json:fields.budget.label.zh --dry-run
has "$OUT" "parking_wanted" "the dry run names the new field"; same "$(d template log | head -1 | cut -f1)" "$tip" "a dry run"
expect 0 d template update --from "$W/p" --take ours:fields/account.json:fields.budget.label.zh -m "pack 1.1.0"
expect 0 d template update --from "$W/p"; same "$(grep -c parking <<<"$OUT")" 0 "taken once"
expect 0 as hq sync; expect 0 as hq schema account; has "$OUT" "parking_wanted" "devices get the new field"
has "$OUT" "总预算" "and keep the company's word"; has "$OUT" "Budget of the family" "with the pack's other language"
expect 0 d template verify; expect 0 $G -C "$W/server/templates.git" fsck --full --strict
# the pack's layer survives a restore
expect 0 d backup "$W/b"; kill $server_pid; wait $server_pid 2>/dev/null; mv "$W/server" "$W/old"
expect 0 d restore "$W/b" --root-key "$W/old/root.key"; expect 0 d template diff upstream published; has "$OUT" "fields.budget.label.zh" "both layers are there"
finish
