/*
 * An open conflict -> one commit that settles it. The commit names the values
 * it settles (their dots), so two people who decide alike converge, and two
 * who decide differently meet in one new conflict between their decisions.
 */
#include "client/crm/crm_int.h"

#include <string.h>

static sat_rc
find_conflict(sat_conflict *out, sat_arena *a, sat_crm *c, const char *key,
    sat_err *e)
{
	sat_conflict *all;
	size_t n;
	sat_rc rc;

	if ((rc = sat_replica_conflicts(&all, &n, a, c->replica, e)) != SAT_OK)
		return rc;
	for (size_t i = 0; i < n; i++)
		if (strcmp(all[i].key, key) == 0) {
			*out = all[i];
			return SAT_OK;
		}
	return sat_fail_code(e, SAT_ENOTFOUND, "conflict.unknown",
	    "satchel conflict list", "no open conflict has this key");
}

/* The candidate this device wrote, or the only one it did not write. */
static sat_rc
pick(sat_value *out, const sat_conflict *cf, uint32_t me, bool mine,
    sat_err *e)
{
	size_t found = 0;

	for (size_t i = 0; i < cf->n; i++) {
		if ((cf->candidates[i].at.dev == me) != mine)
			continue;
		if (found++ == 0) /* the newest comes first */
			*out = cf->candidates[i].value;
	}
	if (found == 0 && mine)
		return sat_fail_code(e, SAT_EUSAGE, "usage.choice",
		    "choose theirs, or set a value",
		    "no candidate was written here");
	if (found == 0)
		return sat_fail_code(e, SAT_EUSAGE, "usage.choice",
		    "choose mine, or set a value",
		    "no candidate was written elsewhere");
	if (!mine && found > 1)
		return sat_fail_code(e, SAT_EUSAGE, "usage.choice",
		    "set the value to keep", "several others wrote a value");
	return SAT_OK;
}

static sat_rc
choose(sat_value *out, crm_work *w, const sat_conflict *cf,
    const char *choice, sat_span text, sat_err *e)
{
	uint32_t me = sat_replica_identity_get(w->c->replica)->device;
	const char *code;
	sat_rc rc;

	if (strcmp(choice, "mine") == 0)
		return pick(out, cf, me, true, e);
	if (strcmp(choice, "theirs") == 0)
		return pick(out, cf, me, false, e);
	if (strcmp(choice, "set") != 0)
		return sat_fail_code(e, SAT_EUSAGE, "usage.choice", NULL,
		    "choice is mine, theirs or set");
	if ((rc = crm_read(out, &code, w, cf->field, text, e)) == SAT_OK &&
	    code != NULL)
		crm_fault(w, cf->field, code);
	return rc;
}

/* Own candidates the server has not numbered need no dot: whoever writes has
 * seen what he wrote. */
static sat_dot *
dots_of(size_t *n, sat_arena *a, const sat_conflict *cf)
{
	sat_dot *dots = sat_arena_alloc(a, (cf->n + 1) * sizeof *dots);

	*n = 0;
	for (size_t i = 0; i < cf->n && *n < SAT_DOTS_MAX; i++)
		if (cf->candidates[i].at.lsn != 0)
			dots[(*n)++] = (sat_dot){ cf->candidates[i].at.dev,
				cf->candidates[i].at.lsn };
	return dots;
}

static sat_rc
settle(crm_work *w, const sat_conflict *cf, sat_value v, sat_err *e)
{
	sat_op op = { .kind = SAT_OP_RESOLVE, .rtype = w->kind->id,
		.field = cf->field->id, .rec = w->id, .value = v };
	sat_draft d = { .ops = &op, .nops = 1 };
	uint64_t cseq;
	sat_rc rc;

	crm_change(w, SAT_VERB_RESOLVE, cf->field, v);
	if ((rc = crm_relate(w, e)) != SAT_OK ||
	    (rc = crm_judge(w, e)) != SAT_OK)
		return rc;
	op.dots = dots_of(&op.ndots, w->a, cf);
	d.subject = sat_id_zero(&w->root) ? w->id : w->root;
	return sat_replica_write(w->c->replica, &d, &cseq, e);
}

/* Deleted here, edited there. */
static sat_rc
settle_deleted(crm_work *w, const char *choice, sat_err *e)
{
	bool restore = strcmp(choice, "restore") == 0;
	uint64_t cseq;
	sat_rc rc;

	if (!restore && strcmp(choice, "confirm") != 0)
		return sat_fail_code(e, SAT_EUSAGE, "usage.choice", NULL,
		    "choice is restore or confirm");
	crm_change(w, restore ? SAT_VERB_RESTORE : SAT_VERB_DELETE, NULL,
	    sat_v_null());
	if ((rc = crm_relate(w, e)) != SAT_OK ||
	    (rc = crm_judge(w, e)) != SAT_OK)
		return rc;
	return crm_write(w, 0, &cseq, e);
}

static sat_rc
resolve(sat_arena *a, sat_crm *c, const crm_actor *who, const char *key,
    const char *choice, sat_span text, sat_err *e)
{
	sat_conflict cf;
	sat_view v;
	crm_work w;
	sat_value value;
	sat_rc rc;

	if ((rc = find_conflict(&cf, a, c, key, e)) != SAT_OK ||
	    (rc = sat_replica_get(&v, a, c->replica, cf.kind, &cf.rec, e)) !=
	    SAT_OK)
		return rc;
	crm_work_begin(&w, c, who, a, cf.kind, &v);
	if (cf.field == NULL)
		return settle_deleted(&w, choice, e);
	if ((rc = choose(&value, &w, &cf, choice, text, e)) != SAT_OK)
		return rc;
	return settle(&w, &cf, value, e);
}

sat_rc
sat_crm_resolve(sat_crm *c, const char *key, const char *choice,
    sat_span text, sat_err *e)
{
	sat_arena a = { 0 };
	crm_actor who;
	sat_rc rc;

	if ((rc = crm_actor_get(&who, c, e)) == SAT_OK)
		rc = resolve(&a, c, &who, key, choice, text, e);
	sat_arena_fini(&a);
	return rc;
}
