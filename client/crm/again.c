/*
 * Operations somebody made before -> changes made now, by the acting user, on
 * the records as they are: what a retry of refused work and the acceptance of
 * suggested work have in common. A resolution becomes an ordinary edit: whoever
 * makes it again sees all candidates.
 */
#include "client/crm/crm_int.h"

#include <string.h>

#define OWNERS_MAX 1024 /* of records made by the same commit */

void
crm_again_begin(crm_again *x, sat_crm *c, const crm_actor *who, sat_arena *a)
{
	*x = (crm_again){ .c = c, .who = who, .a = a,
		.roots = crm_cache_new(OWNERS_MAX) };
}

void
crm_again_end(crm_again *x)
{
	crm_cache_free(x->roots);
	x->roots = NULL;
}

/* ---- the records ------------------------------------------------------------- */

static sat_rc
begin_work(crm_work **out, crm_again *x, const sat_kind *k, const sat_op *op,
    sat_err *e)
{
	sat_view *v = sat_arena_alloc(x->a, sizeof *v);
	sat_rc rc = sat_replica_get(v, x->a, x->c->replica, k, &op->rec, e);
	crm_work *w;

	if (rc == SAT_ENOTFOUND && op->kind != SAT_OP_NEW) {
		x->missing = op->rec;
		return sat_fail_code(e, SAT_ENOTFOUND, "not_found",
		    "hand it over: satchel sync handover ID",
		    "the record is not on this device any more");
	}
	if (rc != SAT_OK && rc != SAT_ENOTFOUND)
		return rc;
	*out = w = sat_arena_alloc(x->a, sizeof *w);
	crm_work_begin(w, x->c, x->who, x->a, k, rc == SAT_OK ? v : NULL);
	w->id = op->rec;
	w->flag_missing = true; /* a rule that came since is no reason */
	w->roots = x->roots;
	if (x->last == NULL)
		x->first = w;
	else
		x->last->also = w;
	x->last = w;
	return SAT_OK;
}

/* The work on the record of an op, begun at its first one. */
static sat_rc
work_of(crm_work **out, crm_again *x, const sat_op *op, sat_err *e)
{
	const sat_kind *k = sat_template_kind_id(x->who->t, op->rtype);
	crm_work *w = x->first;

	while (w != NULL && !sat_id_eq(&w->id, &op->rec))
		w = w->also;
	if ((*out = w) != NULL)
		return SAT_OK;
	if (k == NULL)
		return sat_fail_code(e, SAT_EINVALID, "validation.retired",
		    "discard it, or enter it anew",
		    "the template has no such kind of record any more");
	return begin_work(out, x, k, op, e);
}

/* ---- the changes ---------------------------------------------------------------- */

static sat_verb
verb_of(sat_op_kind k)
{
	switch (k) {
	case SAT_OP_SADD:
	case SAT_OP_ADD: return SAT_VERB_ADD;
	case SAT_OP_SREM: return SAT_VERB_REMOVE;
	case SAT_OP_STAGE: return SAT_VERB_STAGE;
	case SAT_OP_REASSIGN: return SAT_VERB_ASSIGN;
	case SAT_OP_DEL: return SAT_VERB_DELETE;
	case SAT_OP_UNDEL: return SAT_VERB_RESTORE;
	default: return SAT_VERB_SET;
	}
}

sat_rc
crm_again_op(crm_again *x, const sat_op *op, sat_err *e)
{
	const sat_field *f;
	crm_work *w;
	sat_rc rc;

	if (op->kind >= SAT_OP_CLAIM)
		return sat_fail_code(e, SAT_EINVALID, "validation.kind",
		    "discard it, or hand it over",
		    "an operation of this sort is not made again");
	if ((rc = work_of(&w, x, op, e)) != SAT_OK || op->kind == SAT_OP_NEW)
		return rc;
	f = sat_kind_field_id(w->kind, op->field);
	if (op->field != 0 && f == NULL)
		return sat_fail_code(e, SAT_EINVALID, "validation.retired",
		    "discard it, or enter it anew",
		    "the template has a field of this commit no more");
	crm_change(w, verb_of(op->kind), f, op->value);
	return SAT_OK;
}

sat_rc
crm_again_judge(crm_again *x, sat_err *e)
{
	sat_rc rc;

	/* children made with their customer look it up here */
	for (crm_work *w = x->first; w != NULL; w = w->also)
		if (w->was == NULL && w->kind->owner != NULL)
			crm_cache_put(x->roots, 0, sat_span_of(w->id.b, 16),
			    crm_after(w, w->kind->owner));
	for (crm_work *w = x->first; w != NULL; w = w->also) {
		if (w->was != NULL && w->n == 0 && w->bad.nfields == 0)
			continue;
		if ((rc = crm_relate(w, e)) != SAT_OK ||
		    (rc = crm_judge(w, e)) != SAT_OK)
			return rc;
	}
	return SAT_OK;
}

bool
crm_again_changes(const crm_again *x)
{
	for (const crm_work *w = x->first; w != NULL; w = w->also)
		if (w->was == NULL || w->n > 0)
			return true;
	return false;
}
