/*
 * server_orphan.c - a child and the deletion of its customer that did not know
 * of each other (P-255).
 *
 * Neither is refused: the child is there, and its customer is not simply gone
 * any more. A person decides. The server says so by a DEL of its own, for only
 * it knows that the two were concurrent whichever came first.
 */
#include "protocol/server_int.h"

#include <string.h>

static bool
concurrent(sat_stamp at, const sat_commit *c, uint64_t seen)
{
	return at.lsn > seen && at.dev != c->device;
}

static sat_rc
flag(sat_server *s, wrec *w, sat_err *e)
{
	sat_op op = { .kind = SAT_OP_DEL, .rtype = w->kind, .rec = w->id };
	wrec *root;
	uint64_t lsn;
	sat_rc rc;

	if ((rc = sat_set_by_eid(&root, s, w->root, e)) != SAT_OK)
		return rc;
	return sat_srv_own(s, &root->id, &op, 1, &lsn, e);
}

/* The customer a new record was put under. */
static sat_rc
parent_of(wrec **out, sat_server *s, wrec *w, sat_err *e)
{
	const sat_kind *k = sat_srv_kind(s, w->kind);
	sat_value v;
	sat_id id;
	sat_rc rc;

	*out = NULL;
	if (k == NULL || k->parent == NULL)
		return SAT_OK;
	v = sat_record_value(&w->r, k->parent->id);
	if (v.type != SAT_V_BYTES || v.s.n != sizeof id.b)
		return SAT_OK;
	memcpy(id.b, v.s.p, sizeof id.b);
	if ((rc = sat_set_by_id(out, s, &id, e)) != SAT_OK)
		return rc;
	if (!(*out)->exists || *out == w)
		*out = NULL;
	return *out != NULL ? sat_set_decode(*out, s, e) : SAT_OK;
}

/* Was it put under this customer unknown to who deleted that, having seen so
 * much? */
static sat_rc
unseen(bool *yes, sat_server *s, wrec *w, const wrec *top, const sat_commit *c,
    uint64_t seen, sat_err *e)
{
	wrec *parent;
	sat_rc rc;

	*yes = false;
	if (w == top || w->root != top->root || !w->exists)
		return SAT_OK;
	if ((rc = sat_set_decode(w, s, e)) != SAT_OK || sat_rec_gone(&w->r) ||
	    !concurrent(w->r.born, c, seen) ||
	    (rc = parent_of(&parent, s, w, e)) != SAT_OK)
		return rc;
	*yes = parent == top;
	return SAT_OK;
}

/* Did somebody put a record under it that the deletion's author had not seen?
 * Once for all deletions of it in a commit: the one that saw least. */
static sat_rc
deleted(sat_server *s, const merging *m, size_t i, sat_err *e)
{
	const sat_commit *c = m->c;
	wrec *w = m->of[i];
	const sat_kind *k = sat_srv_kind(s, w->kind);
	uint64_t least = UINT64_MAX;
	bool any = false;
	wroot *r;
	sat_rc rc;

	if (w->judged == s->rounds)
		return SAT_OK;
	w->judged = s->rounds;
	if (k == NULL || k->parent != NULL || !sat_rec_gone(&w->r))
		return SAT_OK;
	for (; i != SIZE_MAX; i = m->next_op[i])
		if (c->ops[i].kind == SAT_OP_DEL &&
		    sat_op_seen(c, &c->ops[i]) < least)
			least = sat_op_seen(c, &c->ops[i]);
	if ((rc = sat_set_rows(&r, s, w->root, e)) != SAT_OK)
		return rc;
	for (size_t n = 0; n < r->nrows && rc == SAT_OK && !any; n++)
		rc = unseen(&any, s, r->rows[n], w, c, least, e);
	for (wrec *d = s->set.dirty; d != NULL && rc == SAT_OK && !any;
	    d = d->next_dirty)
		rc = unseen(&any, s, d, w, c, least, e);
	return rc == SAT_OK && any ? flag(s, w, e) : rc;
}

sat_rc
sat_srv_orphans(sat_server *s, const merging *m, sat_err *e)
{
	const sat_commit *c = m->c;
	wrec *w;
	sat_rc rc = SAT_OK;

	s->rounds++;
	for (size_t i = 0; i < c->nops && rc == SAT_OK; i++) {
		const sat_op *op = &c->ops[i];

		if (op->kind == SAT_OP_DEL) {
			rc = deleted(s, m, i, e);
		} else if (op->kind == SAT_OP_NEW &&
		    (rc = parent_of(&w, s, m->of[i], e)) == SAT_OK &&
		    w != NULL && sat_rec_gone(&w->r) &&
		    concurrent(w->r.del_at, c, sat_op_seen(c, op))) {
			rc = flag(s, w, e);
		}
	}
	return rc;
}
