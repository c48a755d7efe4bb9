/*
 * server_alias.c - customers merged into others: who leads where, which
 * operations follow (P-170 to P-173).
 *
 * Only the server knows at each position of the log which record led where: a
 * device may hold one of two, or one in a state that is ahead. So the server
 * decides which operations follow a redirect, keeps that beside the log, and
 * says it with every pull.
 *
 * Invariants, named in the tests:
 *   M1  following redirects ends: the states never hold a cycle.
 *   M2  an operation on a merged record is folded into it and into every record
 *       it leads to, at its own position and stamp, having seen nothing there.
 */
#include "protocol/server_int.h"

#include <string.h>

sat_rc
sat_srv_redirect(wrec **to, sat_server *s, wrec *w, sat_err *e)
{
	sat_id id;
	sat_rc rc;

	*to = NULL;
	if ((rc = sat_set_decode(w, s, e)) != SAT_OK ||
	    !sat_record_redirect(&id, &w->r) ||
	    (rc = sat_set_by_id(to, s, &id, e)) != SAT_OK)
		return rc;
	if (!(*to)->exists) /* never folded: admission looks for it */
		*to = NULL;
	return SAT_OK;
}

sat_rc
sat_srv_canon(wrec **out, sat_server *s, wrec *w, sat_err *e)
{
	wrec *to;
	sat_rc rc;

	for (*out = w;; *out = to)
		if ((rc = sat_srv_redirect(&to, s, *out, e)) != SAT_OK ||
		    to == NULL)
			return rc;
}

sat_rc
sat_srv_leads_to(bool *yes, sat_server *s, wrec *from, const wrec *target,
    sat_err *e)
{
	sat_rc rc = SAT_OK;

	for (*yes = false; from != NULL && rc == SAT_OK && !*yes;) {
		*yes = from == target;
		rc = sat_srv_redirect(&from, s, from, e);
	}
	return rc;
}

sat_rc
sat_srv_top(wrec **out, sat_server *s, wrec *w, sat_err *e)
{
	const sat_kind *k = sat_srv_kind(s, w->kind);
	sat_value v;
	sat_id id;
	sat_rc rc;

	*out = w;
	if (k == NULL || k->parent == NULL || w->root == w->eid)
		return SAT_OK;
	if ((rc = sat_set_decode(w, s, e)) != SAT_OK)
		return rc;
	v = sat_record_value(&w->r, k->parent->id);
	if (v.type != SAT_V_BYTES || v.s.n != sizeof id.b)
		return SAT_OK;
	memcpy(id.b, v.s.p, sizeof id.b);
	if ((rc = sat_set_by_id(out, s, &id, e)) == SAT_OK && !(*out)->exists)
		*out = w;
	return rc;
}

/* ---- what follows a redirect ---------------------------------------------------- */

/* E1: a state that was given back may hold it already. */
static sat_rc
add_echo(merging *m, size_t op, wrec *to, size_t *cap, sat_err *e)
{
	bool held = false;
	sat_rc rc;

	if (m->old != NULL && m->s->epoch.epoch != 0 &&
	    (rc = sat_srv_contained_in(&held, m->s, to, m->c, m->old, e)) !=
	    SAT_OK)
		return rc;
	SAT_ARENA_GROW(m->echoes, m->nechoes, *cap, &m->s->txn);
	m->echoes[m->nechoes++] = (echo){ op, to, held };
	return held ? SAT_OK : sat_merge_touch_record(m, to, e);
}

sat_rc
sat_merge_echoes(merging *m, sat_err *e)
{
	size_t cap = 0;
	wrec *to;
	sat_rc rc;

	for (size_t i = 0; i < m->c->nops; i++) {
		if (m->of[i]->fresh || !sat_op_is_content(&m->c->ops[i]))
			continue;
		for (to = m->of[i];;) {
			if ((rc = sat_srv_redirect(&to, m->s, to, e)) != SAT_OK)
				return rc;
			if (to == NULL)
				break;
			if ((rc = add_echo(m, i, to, &cap, e)) != SAT_OK)
				return rc;
		}
	}
	return SAT_OK;
}

bool
sat_srv_echoed_fits(size_t nops, size_t bytes)
{
	return nops <= SAT_OPS_MAX && bytes <= SAT_ECHOED_BYTES_MAX;
}

/* What is held is sent to nobody. */
bool
sat_merge_echoes_fit(const merging *m)
{
	const sat_op *ops = m->c->ops;
	size_t bytes = 0, sent = 0;

	for (size_t i = 0; i < m->c->nops; i++)
		bytes += sat_op_bytes_most(&ops[i]);
	for (size_t i = 0; i < m->nechoes; i++) {
		if (m->echoes[i].held)
			continue;
		bytes += sat_op_bytes_most(&ops[m->echoes[i].op]);
		sent++;
	}
	return sent == 0 || sat_srv_echoed_fits(m->c->nops + sent, bytes);
}

sat_rc
sat_merge_fold_echoes(merging *m, const sat_template *t, sat_err *e)
{
	sat_apply_ctx ctx = { { m->eff, m->c->device, m->lsn }, 0, false,
		&m->s->fold };
	sat_applied out;
	sat_rc rc;

	for (size_t i = 0; i < m->nechoes; i++) {
		wrec *w = m->echoes[i].to;
		sat_op op = m->c->ops[m->echoes[i].op];

		if (m->echoes[i].held)
			continue;
		op.rec = w->id;
		if ((rc = sat_record_apply(&out, &w->r, &m->s->txn, t, &op, &ctx,
		    e)) != SAT_OK)
			return rc;
		sat_record_applied(&w->r, out.outcome, m->lsn);
		w->changed = w->changed || out.outcome != SAT_NOTHING;
		m->conflict = m->conflict || out.conflict_opened;
	}
	return SAT_OK;
}

void
sat_srv_echoes_write(sat_buf *b, const merging *m)
{
	sat_write_uint(b, m->nechoes);
	for (size_t i = 0; i < m->nechoes; i++) {
		sat_write_uint(b, (m->op_at != NULL ?
		    m->op_at[m->echoes[i].op] : m->echoes[i].op) * 2 +
		    m->echoes[i].held);
		sat_write_uint(b, m->echoes[i].to->eid);
	}
}

sat_rc
sat_srv_echoes_read(echo **list, size_t *n, sat_server *s, sat_span in,
    const sat_commit *c, sat_err *e)
{
	sat_reader r = sat_reader_of(in);
	size_t said = in.n == 0 || c->nops == 0 ? 0 :
	    (size_t)sat_read_uint_max(&r, SAT_OPS_MAX);
	sat_rc rc;

	*n = 0;
	*list = sat_arena_alloc(&s->txn, (said + 1) * sizeof **list);
	for (size_t i = 0; i < said && r.fault == NULL; i++) {
		size_t said_op = (size_t)sat_read_uint_max(&r, c->nops * 2 + 1);
		size_t op = said_op / 2;
		uint32_t eid = (uint32_t)sat_read_uint_max(&r, UINT32_MAX);

		if (op >= c->nops) {
			sat_read_bad(&r, "echo of no operation");
			continue;
		}
		if (!sat_op_is_content(&c->ops[op]))
			continue; /* erased */
		(*list)[*n].op = op;
		(*list)[*n].held = said_op % 2 != 0;
		if ((rc = sat_set_by_eid(&(*list)[*n].to, s, eid, e)) !=
		    SAT_OK)
			return rc;
		(*n)++;
	}
	return in.n == 0 || c->nops == 0 ? SAT_OK :
	    sat_read_end(&r, "echoes of a commit", e);
}
