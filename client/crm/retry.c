/*
 * A refused commit, once more.
 *
 * Nothing is sent as it was: what was refused stays refused. Its operations are
 * made again on the records as they are now, so that the author has seen what
 * the server put in their place, and whatever a person corrected takes the
 * place of the faulty value. A resolution becomes an ordinary edit: whoever
 * retries it sees all candidates.
 */
#include "client/crm/crm_int.h"

#include <string.h>

#define OWNERS_MAX 1024 /* of records made by the same commit */

typedef struct retry {
	sat_crm *c;
	sat_arena *a;
	const crm_actor *who;
	const sat_quarantined *q;
	crm_work *first, *last;
	crm_cache *roots;
	int64_t *need;
} retry;

/* ---- the records ------------------------------------------------------------- */

/* The commit that was to make the record, should it be in quarantine too. */
static sat_rc
maker(int64_t *id, retry *x, const sat_id *rec, sat_err *e)
{
	sat_quarantined *all;
	size_t n;
	sat_rc rc = sat_replica_quarantine(&all, &n, x->a, x->c->replica, e);

	*id = 0;
	for (size_t i = 0; rc == SAT_OK && i < n; i++)
		for (size_t j = 0; j < all[i].commit.nops; j++)
			if (all[i].id != x->q->id &&
			    all[i].commit.ops[j].kind == SAT_OP_NEW &&
			    sat_id_eq(&all[i].commit.ops[j].rec, rec))
				*id = all[i].id;
	return rc;
}

static sat_rc
missing(retry *x, const sat_id *rec, sat_err *e)
{
	sat_rc rc = maker(x->need, x, rec, e);

	if (rc != SAT_OK)
		return rc;
	if (*x->need != 0)
		return sat_fail_code(e, SAT_ECONFLICT, "needs_parent",
		    "retry that one first",
		    "refused commit %lld was to create the record",
		    (long long)*x->need);
	return sat_fail_code(e, SAT_ENOTFOUND, "not_found",
	    "hand it over: satchel sync handover ID",
	    "the record is not on this device any more");
}

/* The work on the record of an op, begun at its first one. */
static sat_rc
work_of(crm_work **out, retry *x, const sat_op *op, sat_err *e)
{
	const sat_kind *k = sat_template_kind_id(x->who->t, op->rtype);
	crm_work *w = x->first;
	sat_view *v;
	sat_rc rc;

	while (w != NULL && !sat_id_eq(&w->id, &op->rec))
		w = w->also;
	if ((*out = w) != NULL)
		return SAT_OK;
	if (k == NULL)
		return sat_fail_code(e, SAT_EINVALID, "validation.retired",
		    "discard it, or enter it anew",
		    "the template has no such kind of record any more");
	v = sat_arena_alloc(x->a, sizeof *v);
	rc = sat_replica_get(v, x->a, x->c->replica, k, &op->rec, e);
	if (rc == SAT_ENOTFOUND && op->kind != SAT_OP_NEW)
		return missing(x, &op->rec, e);
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

static sat_rc
add_op(retry *x, const sat_op *op, sat_err *e)
{
	const sat_field *f;
	crm_work *w;
	sat_rc rc;

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

/* A corrected field belongs to the record that has an op on it, else to the
 * first one that knows it. */
static crm_work *
work_with(retry *x, const char *key)
{
	crm_work *knows = NULL;

	for (crm_work *w = x->first; w != NULL; w = w->also) {
		const sat_field *f = sat_kind_field(w->kind, key);

		if (f == NULL)
			continue;
		for (size_t i = 0; i < x->q->commit.nops; i++)
			if (x->q->commit.ops[i].field == f->id && sat_id_eq(
			    &x->q->commit.ops[i].rec, &w->id))
				return w;
		knows = knows != NULL ? knows : w;
	}
	return knows != NULL ? knows : x->first;
}

static sat_rc
correct(retry *x, const sat_input *in, size_t n, sat_err *e)
{
	sat_rc rc = SAT_OK;

	for (size_t i = 0; i < n && rc == SAT_OK; i++)
		rc = crm_input(work_with(x, in[i].field), &in[i], e);
	return rc;
}

static sat_rc
judge_all(retry *x, sat_err *e)
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

/* ---- the new commit ------------------------------------------------------------------ */

static bool
anything(const retry *x)
{
	for (const crm_work *w = x->first; w != NULL; w = w->also)
		if (w->was == NULL || w->n > 0)
			return true;
	return false;
}

static sat_rc
write_again(uint64_t *cseq, retry *x, sat_err *e)
{
	sat_replica *r = x->c->replica;
	sat_rc rc;

	*cseq = 0;
	if ((rc = sat_replica_group_begin(r, e)) != SAT_OK)
		return rc;
	if ((anything(x) && (rc = crm_write(x->first, x->q->commit.flags &
	    SAT_CF_IMPORT, cseq, e)) != SAT_OK) ||
	    (rc = sat_replica_settle(r, x->q->id, SAT_FATE_RETRIED, *cseq,
	    e)) != SAT_OK) {
		sat_replica_group_rollback(r);
		return rc;
	}
	return sat_replica_group_commit(r, e);
}

static sat_rc
again(uint64_t *cseq, retry *x, const sat_input *in, size_t n, sat_err *e)
{
	sat_rc rc;

	for (size_t i = 0; i < x->q->commit.nops; i++)
		if ((rc = add_op(x, &x->q->commit.ops[i], e)) != SAT_OK)
			return rc;
	if ((rc = correct(x, in, n, e)) != SAT_OK ||
	    (rc = judge_all(x, e)) != SAT_OK)
		return rc;
	return write_again(cseq, x, e);
}

sat_rc
sat_crm_retry(sat_retried *out, int64_t *need, sat_crm *c, int64_t id,
    const sat_input *in, size_t n, sat_err *e)
{
	sat_arena a = { 0 };
	sat_quarantined q;
	crm_actor who;
	retry x = { .c = c, .a = &a, .who = &who, .q = &q, .need = need };
	sat_rc rc;

	*out = (sat_retried){ .id = id };
	*need = 0;
	if ((rc = crm_actor_get(&who, c, e)) == SAT_OK &&
	    (rc = sat_replica_quarantined(&q, &a, c->replica, id, e)) ==
	    SAT_OK) {
		x.roots = crm_cache_new(OWNERS_MAX);
		rc = again(&out->cseq, &x, in, n, e);
		crm_cache_free(x.roots);
	}
	sat_arena_fini(&a);
	return rc;
}
