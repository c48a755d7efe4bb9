/*
 * A refused commit, once more.
 *
 * Nothing is sent as it was: what was refused stays refused. Its operations are
 * made again (again.c), so that the author has seen what the server put in
 * their place, and whatever a person corrected takes the place of the faulty
 * value.
 */
#include "client/crm/crm_int.h"

#include <string.h>

typedef struct retry {
	crm_again all;
	const sat_quarantined *q;
	int64_t *need;
} retry;

/* The commit that was to make the record, should it be in quarantine too. */
static sat_rc
maker(retry *x, sat_err *e)
{
	sat_quarantined *q;
	size_t n;
	sat_rc rc = sat_replica_quarantine(&q, &n, x->all.a,
	    x->all.c->replica, e);

	for (size_t i = 0; rc == SAT_OK && i < n; i++)
		for (size_t j = 0; j < q[i].commit.nops; j++)
			if (q[i].id != x->q->id &&
			    q[i].commit.ops[j].kind == SAT_OP_NEW &&
			    sat_id_eq(&q[i].commit.ops[j].rec, &x->all.missing))
				*x->need = q[i].id;
	return rc;
}

static sat_rc
take_op(retry *x, const sat_op *op, sat_err *e)
{
	sat_rc rc = crm_again_op(&x->all, op, e), found;

	if (rc != SAT_ENOTFOUND)
		return rc;
	if ((found = maker(x, e)) != SAT_OK)
		return found;
	return *x->need == 0 ? rc :
	    sat_fail_code(e, SAT_ECONFLICT, "needs_parent",
	    "retry that one first",
	    "refused commit %lld was to create the record",
	    (long long)*x->need);
}

/* A corrected field belongs to the record that has an op on it, else to the
 * first one that knows it. */
static crm_work *
work_with(retry *x, const char *key)
{
	crm_work *knows = NULL;

	for (crm_work *w = x->all.first; w != NULL; w = w->also) {
		const sat_field *f = sat_kind_field(w->kind, key);

		if (f == NULL)
			continue;
		for (size_t i = 0; i < x->q->commit.nops; i++)
			if (x->q->commit.ops[i].field == f->id && sat_id_eq(
			    &x->q->commit.ops[i].rec, &w->id))
				return w;
		knows = knows != NULL ? knows : w;
	}
	return knows != NULL ? knows : x->all.first;
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
write_again(uint64_t *cseq, retry *x, sat_err *e)
{
	sat_rc rc = SAT_OK;

	*cseq = 0;
	if (crm_again_changes(&x->all) && (rc = crm_write(x->all.first,
	    x->q->commit.flags & SAT_CF_IMPORT, cseq, e)) == SAT_OK)
		rc = crm_undone_inherit(x->all.c, &x->q->commit, e);
	return rc != SAT_OK ? rc : sat_replica_settle(x->all.c->replica,
	    x->q->id, SAT_FATE_RETRIED, *cseq, e);
}

/* What was handed over and refused even so is not made by the author again. */
static sat_rc
is_hand(const sat_commit *c, sat_err *e)
{
	if (c->box.n > 0)
		return sat_fail_code(e, SAT_ECONFLICT, "commit.sealed",
		    "the server has what it refused; take the visitor in again",
		    "what a kiosk took in cannot be read or changed here");
	return c->ops[0].kind != SAT_OP_HAND ? SAT_OK :
	    sat_fail_code(e, SAT_ECONFLICT, "handover",
	    "hand it over again, or discard it",
	    "this commit is a handover, not a change");
}

static sat_rc
again(uint64_t *cseq, retry *x, const sat_input *in, size_t n, sat_err *e)
{
	sat_rc rc = is_hand(&x->q->commit, e);
	bool own;

	for (size_t i = 0; rc == SAT_OK && i < x->q->commit.nops; i++)
		rc = take_op(x, &x->q->commit.ops[i], e);
	if (rc != SAT_OK || (rc = correct(x, in, n, e)) != SAT_OK ||
	    (rc = crm_again_judge(&x->all, e)) != SAT_OK)
		return rc;
	rc = crm_all_begin(&own, x->all.c, e);
	return rc != SAT_OK ? rc : crm_all_end(own, x->all.c,
	    write_again(cseq, x, e), e);
}

sat_rc
sat_crm_retry(sat_retried *out, int64_t *need, sat_crm *c, int64_t id,
    const sat_input *in, size_t n, sat_err *e)
{
	sat_arena a = { 0 };
	sat_quarantined q;
	crm_actor who;
	retry x = { .q = &q, .need = need };
	sat_rc rc;

	*out = (sat_retried){ .id = id };
	*need = 0;
	if ((rc = crm_actor_get(&who, c, e)) == SAT_OK &&
	    (rc = sat_replica_quarantined(&q, &a, c->replica, id, e)) ==
	    SAT_OK) {
		crm_again_begin(&x.all, c, &who, &a);
		rc = again(&out->cseq, &x, in, n, e);
		crm_again_end(&x.all);
	}
	sat_arena_fini(&a);
	return rc;
}
