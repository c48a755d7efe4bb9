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
concurrent(sat_stamp at, const sat_commit *c, const sat_op *op)
{
	return at.lsn > sat_op_seen(c, op) && at.dev != c->device;
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

typedef struct unseen {
	sat_server *s;
	const sat_commit *c;
	const sat_op *op; /* its DEL */
	const wrec *root;
	bool any;
	sat_err *e;
	sat_rc rc;
} unseen;

static bool
on_child(void *u, const sat_rec_row *row)
{
	unseen *x = u;
	wrec *w = sat_set_of_row(x->s, row), *parent;

	if (w == x->root)
		return true;
	if ((x->rc = sat_set_decode(w, x->s, x->e)) != SAT_OK ||
	    (x->rc = parent_of(&parent, x->s, w, x->e)) != SAT_OK)
		return false;
	x->any = parent == x->root && !sat_rec_gone(&w->r) &&
	    concurrent(w->r.born, x->c, x->op);
	return !x->any;
}

/* Did somebody put a record under it that the deletion's author had not seen? */
static sat_rc
deleted(sat_server *s, wrec *w, const sat_commit *c, const sat_op *op,
    sat_err *e)
{
	const sat_store *st = &s->env.store;
	const sat_kind *k = sat_srv_kind(s, w->kind);
	unseen x = { .s = s, .c = c, .op = op, .root = w, .e = e };
	sat_rc rc;

	if (k == NULL || k->parent != NULL || !sat_rec_gone(&w->r))
		return SAT_OK;
	if ((rc = st->rec_of_root(st->u, w->root, on_child, &x, e)) != SAT_OK ||
	    (rc = x.rc) != SAT_OK)
		return rc;
	for (wrec *d = s->set.dirty; d != NULL && !x.any; d = d->next_dirty)
		if (d->root == w->root && d->exists && d != w) {
			wrec *parent;

			if ((rc = parent_of(&parent, s, d, e)) != SAT_OK)
				return rc;
			x.any = parent == w && !sat_rec_gone(&d->r) &&
			    concurrent(d->r.born, c, op);
		}
	return x.any ? flag(s, w, e) : SAT_OK;
}

sat_rc
sat_srv_orphans(sat_server *s, const merging *m, sat_err *e)
{
	const sat_commit *c = m->c;
	wrec *w;
	sat_rc rc = SAT_OK;

	for (size_t i = 0; i < c->nops && rc == SAT_OK; i++) {
		const sat_op *op = &c->ops[i];

		if (op->kind == SAT_OP_DEL) {
			rc = deleted(s, m->of[i], c, op, e);
		} else if (op->kind == SAT_OP_NEW &&
		    (rc = parent_of(&w, s, m->of[i], e)) == SAT_OK &&
		    w != NULL && sat_rec_gone(&w->r) &&
		    concurrent(w->r.del_at, c, op)) {
			rc = flag(s, w, e);
		}
	}
	return rc;
}
