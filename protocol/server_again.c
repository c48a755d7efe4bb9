/*
 * server_again.c - a commit that is pushed again to a restored server.
 *
 * What a state that was given back holds of it is not folded again (P-205);
 * the rest of it is judged and folded as any commit.
 */
#include "protocol/server_again.h"

sat_rc
sat_srv_again_reduce(pushed_again *g, sat_server *s, const admission *a, sat_err *e)
{
	const sat_commit *c = a->c;
	bool yes;
	wrec *w;
	sat_rc rc;

	g->c = *c;
	g->c.ops = sat_arena_alloc(&s->txn, (c->nops + 1) * sizeof *c->ops);
	g->c.nops = 0;
	g->op_at = sat_arena_alloc(&s->txn, (c->nops + 1) * sizeof *g->op_at);
	g->held = sat_arena_alloc(&s->txn, (c->nops + 1) * sizeof *g->held);
	for (size_t i = 0; i < c->nops; i++) {
		if ((rc = sat_set_by_id(&w, s, &c->ops[i].rec, e)) != SAT_OK ||
		    (rc = sat_srv_contained_in(&yes, s, w, c, a->old, e)) !=
		    SAT_OK)
			return rc;
		if (!yes) {
			g->op_at[g->c.nops] = i;
			g->c.ops[g->c.nops++] = c->ops[i];
			continue;
		}
		sat_write_uint(&g->ops, i);
		if (g->nheld == 0 || g->held[g->nheld - 1] != w)
			g->held[g->nheld++] = w;
	}
	return SAT_OK;
}

/* Its author and all who hold the records must not fold it again: their
 * states are as new as this position (P-088). */
sat_rc
sat_srv_again_mark(pushed_again *g, sat_server *s, admission *a, sat_err *e)
{
	const sat_store *st = &s->env.store;
	sat_recovered r = { *a->old, sat_buf_span(&g->ops) };
	sat_rc rc;

	if ((rc = st->recovered_put(st->u, a->v->lsn, &r, e)) != SAT_OK)
		return rc;
	for (size_t i = 0; i < g->nheld; i++) {
		wrec *w = g->held[i];

		if ((rc = sat_set_decode(w, s, e)) != SAT_OK)
			return rc;
		if (w->r.rlsn < a->v->lsn)
			w->r.rlsn = a->v->lsn;
		sat_set_dirty(s, w);
		if ((rc = sat_srv_give_state(s, w, a->v->lsn, e)) != SAT_OK)
			return rc;
	}
	return sat_srv_add_born(s, a, e);
}

void
sat_srv_again_fini(pushed_again *g)
{
	sat_buf_fini(&g->ops);
}
