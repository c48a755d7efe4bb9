/*
 * server_given.c - what was logged before a state was given back, and is not in
 * it: folded on top of it once more (P-204). When one of those it was about is
 * erased, it is told from the state again (P-395): server_part.c.
 *
 * Which operations these were depends on what devices had told of positions that
 * were lost, so it is written beside the state and not found out a second time.
 */
#include "protocol/server_given.h"

#include <string.h>

/* ---- what was logged since, once more ---------------------------------------------- */

/* The state that a commit of this position goes on top of: one that does not
 * hold it already (E1). */
static sat_rc
given_of(struct given **out, seeding *x, const sat_id *id,
    const sat_commit *c, const sat_old *old, sat_err *e)
{
	bool held;
	sat_rc rc;

	*out = NULL;
	for (size_t i = 0; i < x->n; i++) {
		struct given *g = &x->g[i];

		if (g->from == 0 || g->from > c->lsn ||
		    !sat_id_eq(&g->w->id, id))
			continue;
		if ((rc = sat_srv_contained(&held, x->s, g->origin,
		    g->norigin, c, old, e)) != SAT_OK)
			return rc;
		if (!held)
			*out = g;
		break;
	}
	return SAT_OK;
}

/* Of an erased customer it has to be told from the rest again (P-395). */
static void
note(seeding *x, struct given *g, uint64_t lsn, size_t op, bool echoed)
{
	sat_buf b = { 0 };

	if (g->since.n == 0) {
		sat_record_write(&b, &g->r);
		g->raw = sat_span_of(sat_arena_dup(&x->s->txn, b.p, b.n), b.n);
		sat_buf_fini(&b);
	}
	sat_write_uint(&g->since, lsn);
	sat_write_uint(&g->since, op * 2 + echoed);
}

/* What went on to records others were merged into (P-171). */
static sat_rc
refold_echoes(seeding *x, const sat_commit *c, sat_span stored, const sat_old *old,
    const sat_template *t, sat_err *e)
{
	sat_apply_ctx ctx = { { c->eff, c->device, c->lsn }, 0, false,
		&x->s->fold };
	struct given *g;
	sat_applied out;
	echo *list;
	size_t n;
	sat_op op;
	sat_rc rc = sat_srv_echoes_read(&list, &n, x->s, stored, c, e);

	for (size_t i = 0; i < n && rc == SAT_OK; i++) {
		op = c->ops[list[i].op];
		op.rec = list[i].to->id;
		if ((rc = given_of(&g, x, &op.rec, c, old, e)) != SAT_OK ||
		    g == NULL)
			continue;
		note(x, g, c->lsn, list[i].op, true);
		rc = sat_record_apply(&out, &g->r, &x->s->txn, t, &op, &ctx,
		    e);
	}
	return rc;
}

static sat_rc
refold_commit(seeding *x, const sat_commit *c, sat_span echoes, sat_err *e)
{
	const sat_template *t = sat_srv_template(x->s, c->template_oid);
	sat_apply_ctx ctx = { .at = { c->eff, c->device, c->lsn },
		.moved = (c->flags & SAT_CF_MOVED) != 0,
		.room = &x->s->fold };
	const uint8_t *held;
	struct given *g;
	sat_applied out;
	sat_old old;
	sat_rc rc;

	if (t == NULL)
		return sat_fail(e, SAT_EINTEGRITY,
		    "commit at %llu names an unknown template",
		    (unsigned long long)c->lsn);
	if ((rc = sat_srv_held_ops(&held, &old, x->s, c->lsn, c->nops, e)) !=
	    SAT_OK)
		return rc;
	for (size_t i = 0; i < c->nops; i++) {
		if ((rc = given_of(&g, x, &c->ops[i].rec, c, &old, e)) !=
		    SAT_OK)
			return rc;
		if (g == NULL)
			continue;
		note(x, g, c->lsn, i, false);
		ctx.seen = sat_op_seen(c, &c->ops[i]);
		if ((rc = sat_record_apply(&out, &g->r, &x->s->txn, t,
		    &c->ops[i], &ctx, e)) != SAT_OK)
			return rc;
	}
	return refold_echoes(x, c, echoes, &old, t, e);
}

sat_rc
sat_srv_given_refold(seeding *x, sat_err *e)
{
	const sat_store *st = &x->s->env.store;
	uint64_t from = UINT64_MAX;
	sat_arena mem = { NULL };
	sat_log_row row;
	sat_commit c;
	sat_rc rc = SAT_OK;

	sat_fold_room_turn(&x->s->fold); /* nobody else has these states */
	for (size_t i = 0; i < x->n; i++)
		if (x->g[i].from != 0 && x->g[i].from < from)
			from = x->g[i].from;
	for (uint64_t lsn = from; lsn <= x->s->lsn && rc == SAT_OK; lsn++) {
		sat_srv_next_lsn(&lsn, x->s);
		if (lsn > x->s->lsn)
			break;
		sat_arena_reset(&mem);
		rc = st->log_get(&row, &mem, st->u, lsn, NULL);
		if (rc == SAT_ENOTFOUND) /* a state: it holds no more than these */
			rc = SAT_OK;
		else if (rc != SAT_OK)
			rc = sat_fail(e, rc, "the log cannot be read");
		else if ((rc = sat_srv_log_read(&c, &mem, &row, e)) == SAT_OK)
			rc = refold_commit(x, &c, row.echoes, e);
	}
	sat_arena_fini(&mem);
	return rc;
}
