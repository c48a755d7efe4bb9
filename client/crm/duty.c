/*
 * Who has to decide a conflict. Derived where it is read: a stored assignee
 * would be one more thing that two devices can disagree about.
 */
#include "client/crm/crm_int.h"

#include <string.h>

#define DAY_MS ((int64_t)24 * 3600 * 1000)
#define DAYS_DEFAULT 3
#define DAYS_MAX 365

static int64_t
deadline_days(const sat_template *t)
{
	int64_t days = sat_json_get_int(sat_template_doc(t,
	    "policy/conflict.json"), "days", DAYS_DEFAULT);

	return days < 0 ? 0 : days > DAYS_MAX ? DAYS_MAX : days;
}

/* The first of that role by ordinal; team 0 = of any team. */
static const sat_user *
first_of(const sat_registry *reg, const char *role, uint32_t team)
{
	const sat_user *best = NULL;

	for (size_t i = 0; i < reg->nusers; i++) {
		const sat_user *u = &reg->users[i];

		if (!u->disabled && strcmp(u->role, role) == 0 &&
		    (team == 0 || u->team == team) &&
		    (best == NULL || u->ord < best->ord))
			best = u;
	}
	return best;
}

const sat_user *
crm_above(const sat_registry *reg, const sat_user *u)
{
	const sat_user *m = u != NULL && u->team != 0
	    ? first_of(reg, "manager", u->team) : NULL;

	return m != NULL ? m : first_of(reg, "hq", 0);
}

void
sat_duty_of(sat_duty *out, const sat_template *t, const sat_registry *reg,
    sat_value owner, int64_t opened_ms, int64_t now_ms)
{
	const sat_user *u = owner.type == SAT_V_TEXT ?
	    sat_registry_user(reg, owner.s) : NULL, *above = NULL;

	out->due_ms = opened_ms + deadline_days(t) * DAY_MS;
	out->overdue = now_ms > out->due_ms;
	out->escalated = out->overdue || u == NULL || u->disabled;
	if (out->escalated) {
		above = crm_above(reg, u);
		if (above == NULL) /* nobody above: it stays where it was */
			out->escalated = u != NULL && u->disabled;
	}
	if (above != NULL)
		u = above;
	out->assignee = u != NULL && !u->disabled ? u->key : NULL;
}

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
