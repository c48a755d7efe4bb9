/*
 * server_file_hand.c - contents of files that suggestions name (P-449).
 *
 * Who handed work over has the only copy of the files it names, and may never
 * come back: so the record the suggestion stands on has the content meanwhile.
 * The record it names may not be there before somebody takes it over.
 */
#include "protocol/server_file.h"

#include <string.h>

/* file: what it names. */
static bool
op_names(sat_attachment *file, const sat_server *s, const sat_op *op)
{
	const sat_kind *k = sat_srv_kind(s, op->rtype);
	const sat_field *f = k == NULL ? NULL :
	    sat_kind_field_id(k, op->field);

	return op->kind == SAT_OP_SADD && f != NULL && f->files &&
	    op->value.type == SAT_V_TEXT &&
	    sat_attachment_read(file, op->value.s);
}

/* bytes 0: of any length */
static bool
ops_name(const sat_server *s, const sat_commit *c, const sat_id *rec,
    const uint8_t *hash, uint64_t bytes)
{
	sat_attachment file;

	for (size_t i = 0; i < c->nops; i++)
		if (op_names(&file, s, &c->ops[i]) &&
		    (rec == NULL || sat_id_eq(rec, &c->ops[i].rec)) &&
		    memcmp(file.hash, hash, sizeof file.hash) == 0 &&
		    (bytes == 0 || file.bytes == bytes))
			return true;
	return false;
}

sat_rc
sat_srv_file_suggested(bool *yes, sat_server *s, wrec *w, uint32_t dev,
    const uint8_t *hash, uint64_t bytes, sat_err *e)
{
	const sat_cell *cell;
	sat_arena tmp = { 0 }; /* operations are larger than they were sent */
	sat_handed *list;
	size_t n;
	sat_rc rc;

	*yes = false;
	if (!w->exists)
		return SAT_OK;
	if ((rc = sat_set_decode(w, s, e)) != SAT_OK ||
	    (cell = sat_record_cell(&w->r, SAT_SYS_HANDED)) == NULL)
		return rc;
	n = sat_cell_handed(&list, &s->txn, cell);
	for (size_t i = 0; i < n && !*yes; i++) {
		sat_commit part = { .subject = w->id };

		*yes = (dev == 0 || list[i].dev == dev) &&
		    sat_commit_read_payload(&part, &tmp, list[i].ops,
		    NULL) == SAT_OK &&
		    ops_name(s, &part, NULL, hash, bytes);
		sat_arena_reset(&tmp);
	}
	sat_arena_fini(&tmp);
	return SAT_OK;
}

/* ---- what was taken over before the content came ---------------------------------- */

typedef struct over {
	sat_server *s;
	const wrec *w;
	sat_id root;   /* suggestions stand on the record or here */
	uint64_t *lsn; /* of commits that took over what the device suggested */
	size_t n, cap;
} over;

static bool
on_answer(void *u, const sat_answer *x)
{
	over *o = u;

	if (!x->accepted || (!sat_id_eq(&x->rec, &o->w->id) &&
	    !sat_id_eq(&x->rec, &o->root)))
		return true;
	SAT_ARENA_GROW(o->lsn, o->n, o->cap, &o->s->txn);
	o->lsn[o->n++] = x->lsn;
	return true;
}

static sat_rc
taken_over(bool *yes, sat_server *s, uint32_t dev, const wrec *w,
    const wrec *root, const sat_file_put *in, sat_err *e)
{
	const sat_store *st = &s->env.store;
	over o = { .s = s, .w = w, .root = root->id };
	sat_log_row row;
	sat_commit c;
	sat_rc rc;

	*yes = false;
	rc = st->answers(st->u, dev, 0, on_answer, &o, e);
	for (size_t i = 0; i < o.n && rc == SAT_OK && !*yes; i++) {
		rc = st->log_get(&row, &s->txn, st->u, o.lsn[i], e);
		if (rc == SAT_ENOTFOUND) { /* the log begins behind it */
			rc = SAT_OK;
			continue;
		}
		if (rc == SAT_OK && (rc = sat_commit_read(&c, &s->txn,
		    row.header, row.payload, e)) == SAT_OK)
			*yes = ops_name(s, &c, &w->id, in->hash, in->bytes);
	}
	return rc;
}

sat_rc
sat_srv_file_carrier(wrec **on, sat_server *s, uint32_t dev,
    const sat_file_put *in, bool named, sat_err *e)
{
	wrec *w, *root;
	bool yes;
	sat_rc rc;

	*on = NULL;
	if ((rc = sat_set_by_id(&w, s, &in->rec, e)) != SAT_OK || !w->exists)
		return rc;
	if ((rc = sat_set_by_eid(&root, s, w->root, e)) != SAT_OK ||
	    (rc = sat_srv_file_suggested(&yes, s, w, dev, in->hash, in->bytes,
	    e)) != SAT_OK)
		return rc;
	if (yes) {
		*on = w;
		return SAT_OK;
	}
	if (root != w && (rc = sat_srv_file_suggested(&yes, s, root, dev,
	    in->hash, in->bytes, e)) != SAT_OK)
		return rc;
	if (yes) {
		*on = root;
		return SAT_OK;
	}
	if (named && (rc = taken_over(&yes, s, dev, w, root, in, e)) == SAT_OK &&
	    yes)
		*on = w;
	return rc;
}

/* ---- what is taken over ------------------------------------------------------------ */

static sat_rc
give(sat_server *s, const merging *m, const wrec *from, sat_err *e)
{
	const sat_store *st = &s->env.store;
	sat_attachment file;
	bool has;
	sat_rc rc = SAT_OK;

	for (size_t i = 0; i < m->c->nops && rc == SAT_OK; i++) {
		if (m->of[i] == NULL || m->of[i] == from ||
		    !op_names(&file, s, &m->c->ops[i]))
			continue;
		if ((rc = st->file_has(&has, st->u, from->eid, file.hash,
		    e)) == SAT_OK && has)
			rc = st->file_keep(st->u, 0, file.hash, m->of[i]->eid,
			    e);
	}
	return rc;
}

sat_rc
sat_srv_files_taken_over(const judging *j, const merging *m, sat_err *e)
{
	wrec *from;
	sat_rc rc = SAT_OK;

	for (const settled *x = j->settled; x != NULL && rc == SAT_OK;
	     x = x->next)
		if ((rc = sat_set_by_id(&from, j->s, &x->rec, e)) == SAT_OK &&
		    from->exists)
			rc = give(j->s, m, from, e);
	return rc;
}
