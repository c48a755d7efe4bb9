/*
 * server_look.c - the log and what is open, for an operator (protocol/look.h).
 */
#include "protocol/look.h"
#include "protocol/server_int.h"

#include <string.h>

sat_rc
sat_server_head(sat_server *s, uint64_t *lsn, sat_err *e)
{
	sat_rc rc = sat_srv_begin(s, e);

	if (rc == SAT_OK)
		*lsn = s->lsn;
	sat_srv_end_read(s);
	return rc;
}

static sat_rc
look_at(bool *more, sat_server *s, uint64_t lsn,
    bool (*cb)(void *cu, const sat_look_commit *x), void *cu, sat_err *e)
{
	const sat_store *st = &s->env.store;
	sat_look_commit x = { 0 };
	sat_log_row row;
	sat_commit c;
	sat_rc rc;

	sat_set_reset(s);
	rc = st->log_get(&row, &s->txn, st->u, lsn, e);
	if (rc == SAT_ENOTFOUND && s->epoch.epoch != 0)
		return SAT_OK; /* a state was given back here */
	if (rc != SAT_OK ||
	    (rc = sat_srv_log_read(&c, &s->txn, &row, e)) != SAT_OK ||
	    (rc = st->verdict_get(&x.verdict, st->u, lsn, e)) != SAT_OK)
		return rc;
	x.received_ms = row.received_ms;
	x.erased = row.payload.n == 0;
	x.c = &c;
	*more = cb(cu, &x);
	return SAT_OK;
}

sat_rc
sat_server_look(sat_server *s, uint64_t from, uint64_t to,
    bool (*cb)(void *cu, const sat_look_commit *x), void *cu, sat_err *e)
{
	bool more = true;
	sat_rc rc;

	if ((rc = sat_srv_begin(s, e)) != SAT_OK)
		return rc;
	for (uint64_t lsn = from > 0 ? from : 1; rc == SAT_OK && more; lsn++) {
		sat_srv_next_lsn(&lsn, s);
		if (lsn > s->lsn || lsn > to)
			break;
		rc = look_at(&more, s, lsn, cb, cu, e);
	}
	sat_srv_end_read(s);
	return rc;
}

/* ---- what is open ---------------------------------------------------------------------- */

typedef struct opening {
	sat_server *s;
	bool (*cb)(void *cu, const sat_look_conflict *x);
	void *cu;
	sat_err *e;
	sat_rc rc;
} opening;

static bool
open_of(void *u, const sat_rec_row *row)
{
	opening *o = u;
	sat_look_conflict x = { .rec = row->id };
	sat_candidate *list;
	sat_record r;

	sat_set_reset(o->s);
	x.kind = sat_srv_kind(o->s, row->kind);
	if ((o->rc = sat_record_read(&r, &o->s->txn, row->state, o->e)) !=
	    SAT_OK)
		return false;
	if (x.kind == NULL)
		return true;
	if (r.deleted && r.with_edits && !o->cb(o->cu, &x))
		return false;
	for (size_t i = 0; i < r.ncells; i++) {
		x.field = sat_kind_field_id(x.kind, r.cells[i].field);
		if (x.field == NULL)
			continue;
		x.opened_lsn = 0;
		x.n = sat_cell_candidates(&list, &x.opened_lsn, &o->s->txn,
		    x.field->policy, &r.cells[i]);
		x.candidates = list;
		if (x.n > 0 && !o->cb(o->cu, &x))
			return false;
	}
	return true;
}

sat_rc
sat_server_conflicts(sat_server *s,
    bool (*cb)(void *cu, const sat_look_conflict *x), void *cu, sat_err *e)
{
	const sat_store *st = &s->env.store;
	opening o = { .s = s, .cb = cb, .cu = cu, .e = e };
	sat_rc rc;

	if ((rc = sat_srv_begin(s, e)) != SAT_OK)
		return rc;
	if ((rc = st->rec_scan(st->u, 0, open_of, &o, e)) == SAT_OK)
		rc = o.rc;
	sat_srv_end_read(s);
	return rc;
}

/* ---- who may --------------------------------------------------------------------------- */

sat_rc
sat_server_stands(sat_stands *out, sat_server *s, const sat_user *user,
    const sat_id *rec, sat_err *e)
{
	admission a = { .s = s, .actor = user };
	judging j = { .s = s, .a = &a };
	sat_keys mine;
	wrec *w;
	sat_rc rc;

	memset(out, 0, sizeof *out);
	if ((rc = sat_srv_begin(s, e)) != SAT_OK)
		return rc;
	mine = sat_srv_keys(s, user);
	j.mine = &mine;
	if ((rc = sat_set_by_id(&w, s, rec, e)) == SAT_OK && !w->exists)
		rc = sat_fail_code(e, SAT_ENOTFOUND, "not_found", NULL,
		    "no record has this id");
	if (rc == SAT_OK) {
		out->kind = sat_srv_kind(s, w->kind);
		rc = sat_srv_visible(&out->sees, s, w, &mine, e);
	}
	if (rc == SAT_OK)
		rc = sat_srv_relation(&out->relation, &j, w, e);
	sat_srv_end_read(s);
	return rc;
}

sat_rc
sat_server_owner(sat_buf *out, sat_server *s, const sat_id *rec, sat_err *e)
{
	wrec *w;
	sat_rc rc;

	if ((rc = sat_srv_begin(s, e)) != SAT_OK)
		return rc;
	if ((rc = sat_set_by_id(&w, s, rec, e)) == SAT_OK && w->exists &&
	    w->owner.type == SAT_V_NULL && w->root != w->eid)
		rc = sat_set_by_eid(&w, s, w->root, e);
	if (rc == SAT_OK && w->owner.type == SAT_V_TEXT)
		sat_buf_add(out, w->owner.s.p, w->owner.s.n);
	sat_srv_end_read(s);
	return rc;
}

/* ---- how it is called -------------------------------------------------------------------- */

sat_rc
sat_server_number(sat_buf *out, sat_server *s, const sat_id *rec, sat_err *e)
{
	const sat_field *f = NULL;
	const sat_kind *k;
	sat_value v;
	wrec *w;
	sat_rc rc;

	if ((rc = sat_srv_begin(s, e)) != SAT_OK)
		return rc;
	if ((rc = sat_set_by_id(&w, s, rec, e)) == SAT_OK && w->exists &&
	    (rc = sat_set_decode(w, s, e)) == SAT_OK) {
		k = sat_srv_kind(s, w->kind);
		if (k != NULL && k->number_prefix != NULL)
			f = sat_kind_field(k, "number");
		if (f != NULL) {
			v = sat_record_value(&w->r, f->id);
			if (v.type == SAT_V_TEXT)
				sat_buf_add(out, v.s.p, v.s.n);
		}
	}
	sat_srv_end_read(s);
	return rc;
}
