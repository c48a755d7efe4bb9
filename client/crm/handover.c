/*
 * What somebody who had lost a record wanted to do to it, and what whoever is
 * responsible now makes of that: one commit with the accepted operations as his
 * own, and the settlement. Declining is the settlement alone (P-168).
 */
#include "client/crm/crm_int.h"

#include <stdio.h>
#include <string.h>

typedef struct answer {
	crm_again all;
	const sat_handover *h;
	const char *const *fields;
	size_t n;
	bool used[SAT_FIELDS_MAX];
} answer;

static bool
wanted(answer *x, const char *key)
{
	bool yes = x->n == 0;

	for (size_t i = 0; i < x->n; i++)
		if (strcmp(x->fields[i], key) == 0) {
			if (i < SAT_FIELDS_MAX)
				x->used[i] = true;
			yes = true;
		}
	return yes;
}

static bool
made_by(const sat_commit *c, const sat_id *rec)
{
	for (size_t i = 0; i < c->nops; i++)
		if (c->ops[i].kind == SAT_OP_NEW &&
		    sat_id_eq(&c->ops[i].rec, rec))
			return true;
	return false;
}

/* A record the suggestion makes is taken as a whole. */
static bool
takes(answer *x, const sat_op *op)
{
	const sat_kind *k = sat_template_kind_id(x->all.who->t, op->rtype);
	const sat_field *f = k == NULL ? NULL : sat_kind_field_id(k, op->field);

	if (k == NULL || made_by(&x->h->what, &op->rec))
		return wanted(x, k == NULL ? "" : k->key);
	return wanted(x, f == NULL ? k->key : f->key);
}

static sat_rc
take_ops(answer *x, sat_err *e)
{
	sat_rc rc = SAT_OK;

	for (size_t i = 0; i < x->h->what.nops && rc == SAT_OK; i++)
		if (takes(x, &x->h->what.ops[i]))
			rc = crm_again_op(&x->all, &x->h->what.ops[i], e);
	for (size_t i = 0; i < x->n && i < SAT_FIELDS_MAX && rc == SAT_OK; i++)
		if (!x->used[i])
			rc = sat_fail_code(e, SAT_EUSAGE, "usage.field",
			    "see: satchel handover show KEY",
			    "the suggestion has no field %.60s", x->fields[i]);
	return rc;
}

/* It came from a device: nothing outside of the customer it stands on. */
static sat_rc
stays_below(const answer *x, sat_err *e)
{
	for (const crm_work *w = x->all.first; w != NULL; w = w->also) {
		const sat_id *root = sat_id_zero(&w->root) ? &w->id : &w->root;

		if ((w->was == NULL || w->n > 0) &&
		    !sat_id_eq(root, &x->h->root))
			return sat_fail_code(e, SAT_EINVALID,
			    "handover.elsewhere", "decline it",
			    "the suggestion is about another customer");
	}
	return SAT_OK;
}

static sat_op
settlement(const sat_handover *h)
{
	return (sat_op){ .kind = SAT_OP_SETTLE, .rtype = h->kind->id,
		.field = SAT_SYS_HANDED, .rec = h->rec,
		.value = sat_v_int((int64_t)h->by.lsn) };
}

static sat_rc
accept(answer *x, sat_err *e)
{
	sat_op with = settlement(x->h);
	sat_draft d = { .subject = x->h->root, .ops = &with, .nops = 1 };
	uint64_t cseq;
	sat_rc rc;

	if ((rc = take_ops(x, e)) != SAT_OK ||
	    (rc = crm_again_judge(&x->all, e)) != SAT_OK ||
	    (rc = stays_below(x, e)) != SAT_OK)
		return rc;
	if (!crm_again_changes(&x->all)) /* it is so already */
		return sat_replica_write(x->all.c->replica, &d, &cseq, e);
	x->all.first->with = &with;
	return crm_write(x->all.first, 0, &cseq, e);
}

/* Only who may edit the record may answer; the server says the same. */
static sat_rc
may_answer(sat_crm *c, const crm_actor *who, const sat_handover *h, sat_err *e)
{
	sat_relation rel;
	char action[96];
	sat_rc rc = sat_replica_relation(&rel, c->replica, h->kind, &h->rec, e);

	if (rc != SAT_OK)
		return rc;
	(void)snprintf(action, sizeof action, "%s.edit", h->kind->key);
	return sat_grant_covers(sat_acl(who->t, who->me->role, action), rel) ?
	    SAT_OK : sat_fail_code(e, SAT_EDENIED, "denied", NULL,
	    "the role %s may not answer for this record", who->me->role);
}

static sat_rc
find_handover(sat_handover *out, sat_arena *a, sat_crm *c, const char *key,
    sat_err *e)
{
	sat_handover *all;
	size_t n;
	sat_rc rc = sat_replica_handovers(&all, &n, a, c->replica, e);

	for (size_t i = 0; rc == SAT_OK && i < n; i++)
		if (strcmp(all[i].key, key) == 0) {
			*out = all[i];
			return SAT_OK;
		}
	return rc != SAT_OK ? rc : sat_fail_code(e, SAT_ENOTFOUND, "not_found",
	    "see: satchel handover list", "no suggestion waits under this key");
}

sat_rc
sat_crm_accept(sat_crm *c, const char *key, const char *const *fields,
    size_t n, sat_err *e)
{
	answer x = { .fields = fields, .n = n };
	sat_arena a = { 0 };
	sat_handover h;
	crm_actor who;
	sat_rc rc;

	if ((rc = crm_actor_get(&who, c, e)) == SAT_OK &&
	    (rc = find_handover(&h, &a, c, key, e)) == SAT_OK &&
	    (rc = may_answer(c, &who, &h, e)) == SAT_OK) {
		x.h = &h;
		crm_again_begin(&x.all, c, &who, &a);
		rc = accept(&x, e);
		crm_again_end(&x.all);
	}
	sat_arena_fini(&a);
	return rc;
}

static sat_rc
decline(sat_crm *c, const sat_handover *h, const char *reason, sat_err *e)
{
	sat_op op = settlement(h);
	sat_draft d = { .subject = h->root, .ops = &op, .nops = 1 };
	sat_buf b = { 0 };
	uint64_t cseq;
	sat_rc rc;

	if ((rc = sat_replica_group_begin(c->replica, e)) != SAT_OK)
		return rc;
	sat_buf_fmt(&b, "%s: %s", h->key, reason);
	if ((rc = sat_replica_write(c->replica, &d, &cseq, e)) == SAT_OK)
		rc = sat_replica_audit_both(c->replica, &h->root, &h->rec,
		    "handover.decline", sat_buf_cstr(&b), e);
	sat_buf_fini(&b);
	if (rc == SAT_OK)
		return sat_replica_group_commit(c->replica, e);
	sat_replica_group_rollback(c->replica);
	return rc;
}

sat_rc
sat_crm_decline(sat_crm *c, const char *key, const char *reason, sat_err *e)
{
	sat_arena a = { 0 };
	sat_handover h;
	crm_actor who;
	sat_rc rc;

	if ((rc = crm_actor_get(&who, c, e)) == SAT_OK &&
	    (rc = find_handover(&h, &a, c, key, e)) == SAT_OK &&
	    (rc = may_answer(c, &who, &h, e)) == SAT_OK)
		rc = decline(c, &h, reason, e);
	sat_arena_fini(&a);
	return rc;
}
