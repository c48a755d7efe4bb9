/*
 * server_answer.c - what a device is told of its own work besides the verdict:
 * a number that was replaced (P-322), and what became of a suggestion (P-323).
 *
 * Invariants, named in the tests:
 *   W1  the hint of a verdict follows from the log alone, so that a push sent
 *       again gets the same one.
 *   W2  who was promised that somebody decides hears how, once it is decided,
 *       whether or not he may still see the record.
 */
#include "protocol/server_int.h"

#include <string.h>

/* ---- renumbered ------------------------------------------------------------------- */

/* Where the commit gives a record of a numbered kind its number; nops: nowhere. */
static size_t
numbering_op(const sat_server *s, const sat_commit *c)
{
	for (size_t i = 0; i < c->nops; i++) {
		const sat_kind *k = sat_srv_kind(s, c->ops[i].rtype);
		const sat_field *f = k == NULL || k->number_prefix == NULL ?
		    NULL : sat_kind_field(k, "number");

		if (f != NULL && c->ops[i].field == f->id &&
		    c->ops[i].kind == SAT_OP_SET)
			return i;
	}
	return c->nops;
}

/* W1. The server's NUMBER stands right behind the commit (P-144). */
sat_rc
sat_srv_renumbered(sat_server *s, const sat_commit *c, sat_verdict *v,
    sat_err *e)
{
	const sat_store *st = &s->env.store;
	size_t first = numbering_op(s, c);
	sat_log_row row;
	sat_commit own;
	sat_rc rc;

	if (v->lsn == 0 || sat_vd_refused(v->code) || first == c->nops)
		return SAT_OK;
	rc = st->log_get(&row, &s->txn, st->u, v->lsn + 1, NULL);
	if (rc == SAT_ENOTFOUND)
		return SAT_OK;
	if (rc != SAT_OK)
		return sat_fail(e, rc, "the log cannot be read");
	if ((rc = sat_commit_read(&own, &s->txn, row.header, row.payload, e)) !=
	    SAT_OK || own.device != SAT_DEV_SERVER)
		return rc;
	for (size_t i = 0; i < own.nops; i++) {
		if (own.ops[i].kind != SAT_OP_NUMBER)
			continue;
		for (size_t k = first; k < c->nops; k++)
			if (sat_id_eq(&c->ops[k].rec, &own.ops[i].rec) &&
			    c->ops[k].field == own.ops[i].field) {
				v->op = (uint32_t)k;
				v->hint = sat_span_str(sat_srv_hint(s,
				    "RENUMBERED", own.ops[i].value.s));
				return SAT_OK;
			}
	}
	return SAT_OK;
}

/* ---- answered ---------------------------------------------------------------------- */

/* Before the commit is folded: the suggestions it settles. */
sat_rc
sat_srv_note_settled(judging *j, const wrec *w, size_t op)
{
	const sat_cell *c = sat_record_cell(&w->r, SAT_SYS_HANDED);
	sat_value v = j->c->ops[op].value;
	sat_handed *list;
	size_t n = c == NULL ? 0 : sat_cell_handed(&list, &j->s->txn, c);

	for (size_t i = 0; i < n; i++) {
		settled *x;

		if (v.type != SAT_V_INT || list[i].lsn != (uint64_t)v.i)
			continue;
		x = sat_arena_alloc(&j->s->txn, sizeof *x);
		*x = (settled){ .dev = list[i].dev, .hlc = list[i].hlc,
			.rec = w->id, .kind = w->kind, .next = j->settled };
		j->settled = x;
		return SAT_OK;
	}
	return SAT_OK; /* somebody else was faster */
}

/* W2 */
sat_rc
sat_srv_answered(const judging *j, uint64_t lsn, sat_err *e)
{
	const sat_store *st = &j->s->env.store;
	sat_answer x = { .lsn = lsn, .by = j->a->actor->ord,
		.at_ms = sat_wall_ms(&j->s->env.clock) };
	sat_rc rc = SAT_OK;

	for (size_t i = 0; i < j->c->nops; i++)
		x.accepted = x.accepted || !sat_op_is_hand(&j->c->ops[i]);
	for (const settled *s = j->settled; s != NULL && rc == SAT_OK;
	     s = s->next) {
		x.hlc = s->hlc;
		x.rec = s->rec;
		x.kind = s->kind;
		rc = st->answer_put(st->u, s->dev, &x, e);
	}
	return rc;
}

static bool
on_answer(void *u, const sat_answer *x)
{
	sat_welcome *w = u;

	/* a position is told whole, or HELLO would name it as known */
	if (w->nanswers == SAT_ANSWERS_MAX) {
		uint64_t last = w->answers[w->nanswers - 1].lsn;

		while (x->lsn == last && w->nanswers > 0 &&
		    w->answers[w->nanswers - 1].lsn == last)
			w->nanswers--;
		return false;
	}
	w->answers[w->nanswers++] = *x;
	return true;
}

sat_rc
sat_srv_answers(sat_server *s, sat_welcome *w, uint32_t dev, uint64_t after,
    sat_err *e)
{
	const sat_store *st = &s->env.store;

	w->answers = sat_arena_alloc(&s->txn, SAT_ANSWERS_MAX *
	    sizeof *w->answers);
	return st->answers(st->u, dev, after, on_answer, w, e);
}
