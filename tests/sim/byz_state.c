/*
 * What an honest device holds, as text without positions: each LSN becomes its
 * rank among the honest commits of the log.
 */
#include "tests/sim/byz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct say {
	sat_buf *out;
	bworld *w;
	honest *d;
	uint64_t *rank; /* by LSN */
	uint64_t head;
	sat_arena a;
	unsigned held;
} say;

bool
byz_marked(const sat_id *id)
{
	uint32_t mark = BYZ_MARK;

	return memcmp(id->b + 8, &mark, sizeof mark) == 0;
}

static void
read_log(bworld *w, uint64_t lsn, sat_arena *a, sat_commit *c)
{
	sat_store st = sat_sqlite_store_ops(w->store);
	sat_log_row row;
	sat_err e = { 0 };

	if (st.log_get(&row, a, st.u, lsn, &e) != SAT_OK ||
	    sat_commit_read(c, a, row.header, row.payload, &e) != SAT_OK)
		byz_fail(w, "the log at %llu: %s", (unsigned long long)lsn,
		    e.text);
}

static const evil *
which_evil(const bworld *w, uint32_t ord)
{
	for (int i = 0; i < w->nevil; i++)
		if (w->evil[i].ord == ord)
			return &w->evil[i];
	return NULL;
}

/* A transaction of our own: the store answers only inside of one. */
static void
with_log(bworld *w, void (*f)(bworld *w, uint64_t lsn, const sat_commit *c,
    void *u), void *u)
{
	sat_store st = sat_sqlite_store_ops(w->store);
	uint64_t head = byz_head(w);
	sat_arena a = { 0 };
	sat_commit c;
	sat_err e = { 0 };

	if (st.begin(st.u, &e) != SAT_OK)
		byz_fail(w, "the log: %s", e.text);
	for (uint64_t lsn = 1; lsn <= head; lsn++) {
		sat_arena_reset(&a);
		read_log(w, lsn, &a, &c);
		f(w, lsn, &c, u);
	}
	st.rollback(st.u);
	sat_arena_fini(&a);
}

static void
check_one(bworld *w, uint64_t lsn, const sat_commit *c, void *u)
{
	const evil *v = which_evil(w, c->device);

	(void)u;
	if (v == NULL)
		return;
	if (c->actor != v->user)
		byz_fail(w, "position %llu: in another's name",
		    (unsigned long long)lsn);
	for (size_t i = 0; i < c->nops; i++)
		if (!byz_marked(&c->ops[i].rec))
			byz_fail(w, "position %llu: a hostile device changed "
			    "a record it may not see (operation %zu, kind %d)",
			    (unsigned long long)lsn, i, (int)c->ops[i].kind);
	if (!byz_marked(&c->subject))
		byz_fail(w, "position %llu: a hostile commit about another's "
		    "customer", (unsigned long long)lsn);
}

void
byz_check_log(bworld *w)
{
	with_log(w, check_one, NULL);
}

/* What the server decided about a hostile record is as hostile. */
static void
rank_one(bworld *w, uint64_t lsn, const sat_commit *c, void *u)
{
	say *s = u;

	s->rank[lsn] = s->rank[lsn - 1] +
	    (which_evil(w, c->device) == NULL &&
	    !byz_marked(&c->subject));
}

/* ---- text --------------------------------------------------------------------- */

static void
put_stamp(say *s, sat_stamp at)
{
	sat_buf_fmt(s->out, "(%llx %u #%llu)", (unsigned long long)at.hlc,
	    at.dev, (unsigned long long)s->rank[at.lsn < s->head ? at.lsn :
	    s->head]);
}

static void
put_value(say *s, sat_value v)
{
	if (v.type == SAT_V_INT)
		sat_buf_fmt(s->out, "%lld", (long long)v.i);
	else if (v.type != SAT_V_NULL)
		sat_buf_fmt(s->out, "'%.*s'", (int)v.s.n, (const char *)v.s.p);
}

static void
put_cell(say *s, const sat_kind *k, const sat_cell *c)
{
	const sat_field *f = sat_kind_field_id(k, c->field);
	sat_candidate *cand;
	sat_element *el;
	uint64_t opened;
	size_t n;

	sat_buf_fmt(s->out, " %u=", c->field);
	put_value(s, c->value);
	put_stamp(s, c->at);
	if (f == NULL)
		return;
	n = sat_cell_candidates(&cand, &opened, &s->a, f->policy, c);
	for (size_t i = 0; i < n; i++) {
		sat_buf_str(s->out, " or ");
		put_value(s, cand[i].value);
		put_stamp(s, cand[i].at);
	}
	if (f->policy != SAT_P_SET)
		return;
	n = sat_cell_elements(&el, &s->a, c);
	for (size_t i = 0; i < n; i++)
		put_stamp(s, (sat_stamp){ 0, el[i].dev, el[i].lsn });
}

static void
on_record(void *u, const sat_id *id, sat_span state)
{
	say *s = u;
	sat_record r;
	char text[SAT_ID_TEXT];
	sat_err e = { 0 };

	if (byz_marked(id))
		return;
	if (sat_record_read(&r, &s->a, state, &e) != SAT_OK)
		byz_fail(s->w, "an honest device holds damage: %s", e.text);
	s->held++;
	sat_id_text(text, id);
	sat_buf_fmt(s->out, "d%d %s %u%s%s ", (int)(s->d - s->w->dev) + 1, text,
	    r.kind, r.deleted ? " deleted" : "", r.with_edits ? " edited" : "");
	put_stamp(s, r.born);
	put_stamp(s, (sat_stamp){ 0, 0, r.rlsn });
	for (size_t i = 0; i < r.ncells; i++)
		put_cell(s, sat_template_kind_id(sim_template(0), r.kind),
		    &r.cells[i]);
	sat_buf_str(s->out, "\n");
	sat_arena_reset(&s->a);
}

void
byz_state(sat_buf *out, honest *d)
{
	bworld *w = d->n.w;
	say s = { .out = out, .w = w, .d = d, .head = byz_head(w) };
	sat_replica_status st;
	sat_err e = { 0 };

	s.rank = sat_xcalloc((size_t)s.head + 1, sizeof *s.rank);
	with_log(w, rank_one, &s);
	if (sat_replica_dump(d->r, on_record, &s, &e) != SAT_OK ||
	    sat_replica_status_get(&st, d->r, &e) != SAT_OK ||
	    sat_replica_check(d->r, false, &e) != SAT_OK)
		byz_fail(w, "an honest device: %s", e.text);
	if (!d->revoked && st.pending_commits != 0)
		byz_fail(w, "an honest device could not send its work");
	sat_buf_fmt(out, "d%d holds %u, %lld refused, %lld conflicts\n",
	    (int)(d - w->dev) + 1, s.held, (long long)st.quarantined,
	    (long long)st.conflicts);
	free(s.rank);
	sat_arena_fini(&s.a);
}
