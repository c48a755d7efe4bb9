/*
 * Who has to decide a conflict of this device: the rule is protocol/duty.h's.
 */
#include "client/crm/crm_int.h"

#include <string.h>

/* The owner of the record, or of the root it hangs on. */
static sat_rc
owner_of(sat_value *out, sat_arena *a, sat_crm *c, const sat_kind *k,
    const sat_id *id, sat_err *e)
{
	sat_value parent;
	sat_view v;
	sat_id up;
	sat_rc rc;

	*out = sat_v_null();
	if ((rc = sat_replica_get(&v, a, c->replica, k, id, e)) != SAT_OK)
		return rc;
	if (k->owner != NULL)
		*out = sat_record_value(&v.rec, k->owner->id);
	if (out->type != SAT_V_NULL || k->parent == NULL)
		return SAT_OK;
	parent = sat_record_value(&v.rec, k->parent->id);
	k = sat_template_kind(sat_replica_template(c->replica), k->parent->ref);
	if (k == NULL || k->owner == NULL || parent.type != SAT_V_BYTES ||
	    parent.s.n != sizeof up.b)
		return SAT_OK;
	memcpy(up.b, parent.s.p, sizeof up.b);
	rc = sat_replica_get(&v, a, c->replica, k, &up, e);
	if (rc == SAT_OK)
		*out = sat_record_value(&v.rec, k->owner->id);
	return rc == SAT_ENOTFOUND ? SAT_OK : rc;
}

sat_rc
sat_crm_duty(sat_duty *out, sat_crm *c, const sat_conflict *cf, sat_err *e)
{
	sat_arena a = { 0 };
	sat_value owner;
	sat_rc rc = owner_of(&owner, &a, c, cf->kind, &cf->rec, e);

	memset(out, 0, sizeof *out);
	if (rc == SAT_OK)
		sat_duty_of(out, sat_replica_template(c->replica),
		    sat_replica_registry(c->replica), owner, cf->opened_ms,
		    sat_wall_ms(&c->clock));
	sat_arena_fini(&a);
	return rc;
}
