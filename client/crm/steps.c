/*
 * A record goes a step: to another stage, to another owner, away or back.
 */
#include "client/crm/crm_int.h"

#include <stdio.h>
#include <string.h>

typedef struct step {
	const char *stage, *reason;
} step;

static sat_rc
fill_stage(crm_work *w, const void *u, sat_err *e)
{
	const step *s = u;
	sat_input in = { '=', NULL, sat_span_str(s->stage) };
	sat_rc rc;

	if (w->kind->stage == NULL)
		return sat_fail_code(e, SAT_EUSAGE, "usage.stage", NULL,
		    "%s has no stages", w->kind->key);
	in.field = w->kind->stage->key;
	if ((rc = crm_input(w, &in, e)) != SAT_OK)
		return rc;
	if (s->reason != NULL && sat_kind_field(w->kind, "lost_reason")) {
		in.field = "lost_reason";
		in.text = sat_span_str(s->reason);
		if ((rc = crm_input(w, &in, e)) != SAT_OK)
			return rc;
	}
	crm_stage_effects(w);
	return SAT_OK;
}

static bool
only_stage(const sat_err *e)
{
	return e != NULL && strcmp(e->code, "validation.stage") == 0;
}

/* A person who meets a closed way is told the open ones. */
static void
name_next(sat_err *e, sat_crm *c, const sat_kind *k, const sat_id *id)
{
	sat_arena a = { 0 };
	const sat_option *at;
	sat_buf b = { 0 };
	sat_view v;
	sat_value is;

	if (sat_replica_get(&v, &a, c->replica, k, id, NULL) == SAT_OK) {
		is = sat_record_value(&v.rec, k->stage->id);
		at = is.type != SAT_V_TEXT ? NULL : sat_dict_option(
		    k->stage->dict, (const char *)is.s.p, is.s.n);
		for (size_t i = 0; at != NULL && i < at->nnext; i++)
			sat_buf_fmt(&b, "%s%s", i > 0 ? ", " : "", at->next[i]);
		if (b.n > 0)
			sat_err_hint(e, "allowed next: %.150s",
			    sat_buf_cstr(&b));
		else
			sat_err_hint(e, "no stage follows this one");
	}
	sat_buf_fini(&b);
	sat_arena_fini(&a);
}

sat_rc
sat_crm_stage(sat_crm *c, const sat_kind *k, const sat_id *id,
    const char *stage, const char *reason, sat_err *e)
{
	step s = { stage, reason };
	crm_way y = { fill_stage, &s, &crm_plain, NULL };
	size_t changed;
	sat_rc rc = crm_alter(&changed, c, k, id, &y, e);

	if (rc == SAT_EINVALID && only_stage(e))
		name_next(e, c, k, id);
	return rc;
}

static sat_rc
fill_assign(crm_work *w, const void *u, sat_err *e)
{
	sat_input in = { '=', NULL, sat_span_str(u) };
	const sat_user *to;
	sat_value v;
	sat_rc rc;

	if (w->kind->owner == NULL)
		return sat_fail_code(e, SAT_EUSAGE, "usage.owner", NULL,
		    "%s has no owner of its own", w->kind->key);
	in.field = w->kind->owner->key;
	if ((rc = crm_input(w, &in, e)) != SAT_OK)
		return rc;
	v = crm_after(w, w->kind->owner);
	to = v.type == SAT_V_TEXT ? sat_registry_user(w->who->reg, v.s) : NULL;
	if (w->n > 0 && to != NULL && to->disabled)
		crm_fault(w, w->kind->owner, "retired");
	return SAT_OK;
}

/* Those that were merged into it go with it: their owners are reasons to hold
 * it, until somebody decides (P-173). */
static sat_rc
assign_merged(sat_crm *c, const sat_kind *k, const sat_id *id,
    const char *user, sat_err *e)
{
	crm_way y = { fill_assign, user, &crm_plain, NULL };
	sat_arena a = { 0 };
	size_t n = 0, changed;
	sat_id *ids;
	sat_rc rc = sat_replica_merged(&ids, &n, &a, c->replica, id, e);

	for (size_t i = 1; rc == SAT_OK && i < n; i++)
		rc = crm_alter(&changed, c, k, &ids[i], &y, e);
	sat_arena_fini(&a);
	return rc;
}

sat_rc
sat_crm_assign(sat_crm *c, const sat_kind *k, const sat_id *id,
    const char *user, sat_err *e)
{
	crm_way y = { fill_assign, user, &crm_plain, NULL };
	size_t changed;
	sat_rc rc = crm_alter(&changed, c, k, id, &y, e);

	return rc == SAT_OK ? assign_merged(c, k, id, user, e) : rc;
}

static sat_rc
fill_delete(crm_work *w, const void *u, sat_err *e)
{
	bool restore = *(const bool *)u;

	(void)e;
	if (w->was->rec.deleted == restore)
		crm_change(w, restore ? SAT_VERB_RESTORE : SAT_VERB_DELETE,
		    NULL, sat_v_null());
	return SAT_OK;
}

sat_rc
sat_crm_delete(sat_crm *c, const sat_kind *k, const sat_id *id, bool restore,
    sat_err *e)
{
	crm_way y = { fill_delete, &restore, &crm_plain, NULL };
	size_t changed;

	return crm_alter(&changed, c, k, id, &y, e);
}
