/*
 * The catalogue of a hostile client, and what its moves share.
 */
#include "tests/sim/byz_moves.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint64_t
byz_draw(evil *v, uint64_t n)
{
	return byz_below(&v->rand, n);
}

sat_value
byz_txt(const char *s)
{
	return sat_v_text(sat_span_str(s));
}

sat_op
byz_op(sat_op_kind kind, const sat_id *rec, uint16_t field, sat_value value)
{
	return (sat_op){ .kind = kind, .rtype = K_ACCOUNT, .rec = *rec,
		.field = field, .value = value };
}

/* Has it left the device that made it? Nobody guesses 64 random bits. */
static bool
is_known(bworld *w, const brec *r)
{
	sat_store st = sat_sqlite_store_ops(w->store);
	sat_rec_row row;
	sat_err e = { 0 };
	sat_rc rc;

	if (st.begin(st.u, &e) != SAT_OK)
		byz_fail(w, "the store: %s", e.text);
	rc = st.rec_by_id(&row, &w->tmp, st.u, &r->id, &e);
	st.rollback(st.u);
	return rc == SAT_OK;
}

/* A record somebody honest made, or NULL. */
const brec *
byz_victim(evil *v)
{
	bworld *w = v->w;
	const brec *r;

	if (w->nrecs == 0)
		return NULL;
	r = &w->recs[byz_draw(v, (uint64_t)w->nrecs)];
	return is_known(w, r) ? r : NULL;
}

const char *
byz_my_key(evil *v)
{
	/* users are numbered from 1 in the order they were added */
	return v->w->users[v->user - 1].key;
}

sat_commit
byz_own_customer(evil *v)
{
	sat_id id = byz_new_id(v);
	sat_op ops[3] = { byz_op(SAT_OP_NEW, &id, 0, sat_v_null()),
		byz_op(SAT_OP_MVSET, &id, A_NAME, byz_txt(BYZ_WORD)),
		byz_op(SAT_OP_SET, &id, A_OWNER, byz_txt(byz_my_key(v))) };

	return byz_commit(v, &id, ops, 3);
}

sat_id
byz_own_record(evil *v)
{
	return v->own[byz_draw(v, v->nown)];
}

/* Before a move: what it may do, so that it has something to work with. */
static void
make_own(evil *v)
{
	sat_commit c = byz_own_customer(v);

	if (byz_push(v, &c, 1) != B_TAKEN)
		byz_fail(v->w, "a hostile device may not even make a "
		    "customer: %s", v->slug);
	v->own[v->nown++] = c.subject;
}

bfate
byz_one_op(evil *v, const sat_id *subject, sat_op op)
{
	sat_commit c = byz_commit(v, subject, &op, 1);

	return byz_push(v, &c, 1);
}

/* ---- the catalogue ----------------------------------------------------------------------------------- */

static bfate
honestly(evil *v)
{
	sat_id id = byz_own_record(v);

	return byz_one_op(v, &id, byz_op(SAT_OP_SET, &id, A_REMARK, byz_txt("busy")));
}

static bmove mine[] = {
	{ .name = "(an honest edit)", .make = honestly },
	{ .name = NULL },
};
static bmove *const catalogue[] = { byz_chain, byz_rights, byz_load,
	byz_frames, mine };
#define NLISTS (sizeof catalogue / sizeof catalogue[0])

/* The i-th of all; NULL behind the last. */
static bmove *
nth(size_t i)
{
	for (size_t k = 0; k < NLISTS; k++)
		for (bmove *m = catalogue[k]; m->name != NULL; m++)
			if (i-- == 0)
				return m;
	return NULL;
}

static size_t
how_many(void)
{
	size_t n = 0;

	while (nth(n) != NULL)
		n++;
	return n;
}

void
byz_move(evil *v)
{
	bworld *w = v->w;
	bmove *m = nth(byz_draw(v, how_many()));
	uint64_t head;
	bfate end;

	sat_arena_reset(&v->tmp);
	if (v->nown == 0 || (v->nown < 32 && byz_draw(v, 8) == 0))
		make_own(v);
	head = byz_head(w);
	end = m->make(v);
	m->n++;
	m->end[end]++;
	if (w->trace)
		(void)printf("e%u %s: %d %s\n", v->ord, m->name, (int)end,
		    v->slug);
	if (m->never && byz_head(w) != head)
		byz_fail(w, "%s changed the log", m->name);
}

void
byz_moves_print(FILE *f)
{
	(void)fprintf(f, "%9s %9s %9s %9s\n", "made", "refused", "rejected",
	    "let in");
	for (size_t i = 0; nth(i) != NULL; i++)
		(void)fprintf(f, "%9lu %9lu %9lu %9lu  %s\n", nth(i)->n,
		    nth(i)->end[B_REFUSED], nth(i)->end[B_REJECTED],
		    nth(i)->end[B_TAKEN], nth(i)->name);
}

unsigned
byz_moves_missing(FILE *f)
{
	unsigned n = 0;

	for (size_t i = 0; nth(i) != NULL; i++)
		if (nth(i)->n == 0 || (!nth(i)->quiet &&
		    nth(i)->n == nth(i)->end[B_OTHER])) {
			(void)fprintf(f, "never made: %s\n", nth(i)->name);
			n++;
		}
	return n;
}
