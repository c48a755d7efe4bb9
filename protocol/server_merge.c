/*
 * server_merge.c - what a device's commit and the server's own have in common:
 * records touched, operations folded, the commit logged and handed out.
 */
#include "protocol/server_int.h"

#include <string.h>

void
sat_merge_init(merging *m, sat_server *s, const sat_commit *c)
{
	*m = (merging){ .s = s, .c = c };
	m->touched_end = &m->touched;
	m->of = sat_arena_alloc(&s->txn, c->nops * sizeof *m->of);
	m->next_op = sat_arena_alloc(&s->txn, c->nops * sizeof *m->next_op);
	s->serial++;
	sat_fold_room_turn(&s->fold);
}

sat_rc
sat_merge_touch(merging *m, wrec *w, size_t op, sat_err *e)
{
	bool again = w->touch == m->s->serial;
	sat_rc rc;

	m->of[op] = w;
	m->next_op[op] = SIZE_MAX;
	if (!again && (rc = sat_merge_touch_record(m, w, e)) != SAT_OK)
		return rc;
	if (again)
		m->next_op[w->last_op] = op;
	else
		w->first_op = op;
	w->last_op = op;
	return SAT_OK;
}

sat_rc
sat_merge_touch_record(merging *m, wrec *w, sat_err *e)
{
	sat_server *s = m->s;
	sat_rc rc;

	if (w->touch == s->serial)
		return SAT_OK;
	memset(&w->before.redirect, 0, sizeof w->before.redirect);
	if (!w->fresh) {
		if ((rc = sat_set_decode(w, s, e)) != SAT_OK)
			return rc;
		w->before.gone = sat_rec_gone(&w->r);
		w->before.owner = w->owner;
		(void)sat_record_redirect(&w->before.redirect, &w->r);
		w->before.pool = sat_record_value(&w->r, SAT_SYS_POOL);
		/* The fold may write into the cells it was given. What the
		 * store has can be decoded again. */
		if (w->dirty) {
			w->before.r = w->r;
			w->r.cells = sat_arena_dup(&s->txn, w->r.cells,
			    w->r.ncells * sizeof *w->r.cells);
		}
	}
	w->touch = s->serial;
	w->changed = false;
	w->first_op = w->last_op = SIZE_MAX;
	w->next_touched = NULL;
	*m->touched_end = w;
	m->touched_end = &w->next_touched;
	return SAT_OK;
}

void
sat_merge_place(merging *m, sat_hlc prev_eff, sat_hlc since)
{
	sat_server *s = m->s;
	bool clamped;

	m->lsn = s->lsn + 1;
	m->clamp = s->clamp;
	m->eff = sat_hlc_admit(&m->clamp, sat_wall_ms(&s->env.clock),
	    m->c->hlc, since != 0 ? 0 : prev_eff, &clamped);
	if (since != 0 && m->eff >= since)
		m->eff = since - 1; /* P-325 */
}

sat_rc
sat_merge_fold(sat_applied *out, merging *m, const sat_template *t, size_t i,
    sat_err *e)
{
	const sat_op *op = &m->c->ops[i];
	wrec *w = m->of[i];
	const sat_kind *kind = sat_template_kind_id(t, w->kind);
	sat_apply_ctx ctx = { { m->eff, m->c->device, m->lsn },
		sat_op_seen(m->c, op), (m->c->flags & SAT_CF_MOVED) != 0,
		&m->s->fold };
	sat_rc rc;

	if ((rc = sat_record_apply(out, &w->r, &m->s->txn, t, op, &ctx, e)) !=
	    SAT_OK)
		return rc;
	sat_record_applied(&w->r, out->outcome, m->lsn);
	w->changed = w->changed || out->outcome != SAT_NOTHING;
	m->conflict = m->conflict || out->conflict_opened;
	if (kind != NULL && kind->owner != NULL &&
	    op->field == kind->owner->id)
		w->owner = sat_record_value(&w->r, op->field);
	return SAT_OK;
}

bool
sat_srv_may_come_again(const sat_commit *c)
{
	return c->device != SAT_DEV_SERVER &&
	    (c->incarnation != SAT_INCARNATION_FIRST ||
	    (c->flags & SAT_CF_MOVED) != 0);
}

sat_rc
sat_merge_log(merging *m, sat_verdict_code code, sat_err *e)
{
	sat_server *s = m->s;
	const sat_store *st = &s->env.store;
	const sat_commit *c = m->c;
	sat_log_row row = { .lsn = m->lsn, .eff = m->eff,
		.received_ms = m->clamp.now_ms, .header = m->header,
		.payload = m->payload };
	sat_rc rc;

	if (m->nechoes > 0) {
		sat_buf_reset(&s->scratch);
		sat_srv_echoes_write(&s->scratch, m);
		if ((rc = st->echo_put(st->u, m->lsn,
		    sat_buf_span(&s->scratch), e)) != SAT_OK)
			return rc;
	}
	if ((rc = st->log_put(st->u, &row, c->device, c->incarnation, c->cseq,
	    e)) != SAT_OK ||
	    (code != SAT_VD_OK && (rc = st->verdict_put(st->u, m->lsn, code,
	    e)) != SAT_OK) ||
	    (sat_srv_may_come_again(c) && (rc = st->moved_put(st->u,
	    c->device, c->payload_hash, m->lsn, e)) != SAT_OK) ||
	    (rc = sat_srv_rescope(s, m->touched, m->lsn, e)) != SAT_OK)
		return rc;
	s->lsn = m->lsn;
	s->clamp = m->clamp;
	s->dirty = true;
	for (wrec *w = m->touched; w != NULL; w = w->next_touched) {
		w->fresh = false;
		if (w->changed)
			sat_set_dirty(s, w);
	}
	return SAT_OK;
}
