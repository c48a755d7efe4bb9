/*
 * touch.c - who wrote when: every change of every live record, in one pass.
 *
 * Why not kind by kind with sat_replica_each_past: the past of all kinds lies in
 * one table in the order of the records' numbers, and so do the rows of each
 * kind. It is read once, only its stamps are kept, and each kind's rows walk
 * along it. Of a row nothing but its clocks is read.
 */
#include "client/replica/replica_int.h"

#include <stdlib.h>
#include <string.h>

typedef struct touch {
	int64_t rid; /* of what is past; else not looked at */
	sat_hlc hlc;
	uint32_t dev;
} touch;

typedef struct touches {
	touch *v;
	size_t n, cap;
} touches;

typedef struct pass {
	sat_replica *r;
	int64_t from_ms, to_ms;
	touches past;  /* by rid */
	touches now;   /* of the record at hand */
	sat_arena one;
	void (*cb)(void *u, const sat_kind *kind, sat_hlc at, uint32_t dev);
	void *u;
} pass;

static void
add(touches *l, const pass *p, int64_t rid, const sat_stamp *at)
{
	const touch *last = l->n > 0 ? &l->v[l->n - 1] : NULL;
	int64_t ms = sat_hlc_ms(at->hlc);

	if (ms < p->from_ms || ms >= p->to_ms)
		return;
	/* fields that were written together come one after another */
	if (last != NULL && last->rid == rid && last->hlc == at->hlc &&
	    last->dev == at->dev)
		return;
	if (l->n == l->cap) {
		l->cap = l->cap > 0 ? l->cap * 2 : 64;
		l->v = sat_xrealloc(l->v, l->cap * sizeof *l->v);
	}
	l->v[l->n++] = (touch){ rid, at->hlc, at->dev };
}

static sat_rc
load_past(pass *p, sat_err *e)
{
	sat_stmt *s;
	bool row;
	sat_rc rc;

	if ((rc = sat_db_stmt(&s, p->r->db, SQL_HISTORY_ALL, e)) != SAT_OK)
		return rc;
	while ((rc = sat_step(&row, s, e)) == SAT_OK && row) {
		sat_past *list = NULL;
		size_t n = 0, cap = 0;

		sat_arena_reset(&p->one);
		if ((rc = replica_past_read(&list, &n, &cap, &p->one,
		    sat_col_blob(s, 1), 0, e)) != SAT_OK) {
			sat_stmt_reset(s);
			return rc;
		}
		for (size_t i = 0; i < n; i++)
			add(&p->past, p, sat_col_int(s, 0), &list[i].at);
	}
	return rc;
}

/* What own waiting operations displaced; a record made here by one commit has
 * nothing of it. */
static sat_rc
add_waiting(pass *p, sat_span is, int64_t rid, sat_err *e)
{
	sat_past *list = NULL;
	size_t n = 0, cap = 0;
	const pend_rec *w;
	sat_id id;
	sat_rc rc;

	if (is.n != sizeof id.b)
		return SAT_OK;
	memcpy(id.b, is.p, sizeof id.b);
	if ((w = replica_pend_of(p->r, &id)) == NULL ||
	    (w->n == 1 && rid >= SAT_RID_LOCAL))
		return SAT_OK;
	if ((rc = replica_waiting_past(&list, &n, &cap, &p->one, p->r, &id, 0,
	    e)) != SAT_OK)
		return rc;
	for (size_t i = 0; i < n; i++)
		add(&p->now, p, 0, &list[i].at);
	return SAT_OK;
}

static int
by_stamp(const void *pa, const void *pb)
{
	const touch *a = pa, *b = pb;

	if (a->hlc != b->hlc)
		return a->hlc < b->hlc ? -1 : 1;
	return (a->dev > b->dev) - (a->dev < b->dev);
}

static void
tell(pass *p, const sat_kind *kind)
{
	touches *l = &p->now;

	if (l->n > 1)
		qsort(l->v, l->n, sizeof *l->v, by_stamp);
	for (size_t i = 0; i < l->n; i++)
		if (i == 0 || by_stamp(&l->v[i - 1], &l->v[i]) != 0)
			p->cb(p->u, kind, l->v[i].hlc, l->v[i].dev);
}

enum { TC_RID, TC_ID, TC_CLK, TC_WAITS };

static sat_rc
one_row(pass *p, const replica_kind *k, sat_stmt *s, size_t *next, sat_err *e)
{
	int64_t rid = sat_col_int(s, TC_RID);
	sat_stamp *at;
	size_t n;
	sat_rc rc;

	sat_arena_reset(&p->one);
	p->now.n = 0;
	if ((rc = sat_record_read_stamps(&at, &n, &p->one,
	    sat_col_blob(s, TC_CLK), e)) != SAT_OK)
		return rc;
	for (size_t i = 0; i < n; i++)
		add(&p->now, p, 0, &at[i]);
	while (*next < p->past.n && p->past.v[*next].rid < rid)
		(*next)++;
	for (; *next < p->past.n && p->past.v[*next].rid == rid; (*next)++) {
		const touch *t = &p->past.v[*next];
		sat_stamp was = { t->hlc, t->dev, 0 };

		add(&p->now, p, 0, &was);
	}
	if (sat_col_int(s, TC_WAITS) != 0)
		rc = add_waiting(p, sat_col_blob(s, TC_ID), rid, e);
	if (rc == SAT_OK)
		tell(p, k->kind);
	return rc;
}

static sat_rc
one_kind(pass *p, const replica_kind *k, sat_err *e)
{
	sat_buf text = { 0 };
	size_t next = 0;
	sat_stmt *s;
	bool row;
	sat_rc rc;

	sat_buf_fmt(&text, "SELECT _rid, _id, _clk, _base IS NOT NULL FROM %s "
	    "WHERE (_flags & %d) = 0 ORDER BY _rid", k->table, ROW_HIDDEN);
	rc = sat_db_stmt_text(&s, p->r->db, sat_buf_cstr(&text), e);
	sat_buf_fini(&text);
	while (rc == SAT_OK && (rc = sat_step(&row, s, e)) == SAT_OK && row)
		if ((rc = one_row(p, k, s, &next, e)) != SAT_OK)
			sat_stmt_reset(s);
	return rc;
}

sat_rc
sat_replica_each_write(sat_replica *r, int64_t from_ms, int64_t to_ms,
    void (*cb)(void *u, const sat_kind *kind, sat_hlc at, uint32_t dev),
    void *u, sat_err *e)
{
	pass p = { .r = r, .from_ms = from_ms, .to_ms = to_ms, .cb = cb,
		.u = u };
	sat_rc rc;

	if (r->kinds == NULL)
		return SAT_OK;
	if ((rc = load_past(&p, e)) == SAT_OK)
		rc = replica_pend_load(r, e);
	for (size_t i = 0; i < r->kinds->n && rc == SAT_OK; i++)
		rc = one_kind(&p, &r->kinds->k[i], e);
	free(p.past.v);
	free(p.now.v);
	sat_arena_fini(&p.one);
	return rc;
}
