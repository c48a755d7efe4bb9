/*
 * message_push.c - PUSH and VERDICTS.
 */
#include "protocol/message_int.h"

#define SLUG_MAX 64

#define PUSH_SEALED 0x80 /* beside the gap */

void
sat_msg_write_push(sat_buf *b, const sat_push *m)
{
	sat_write_uint(b, m->incarnation);
	sat_write_uint(b, m->first_cseq);
	sat_buf_add(b, m->prev, sizeof m->prev);
	sat_buf_add(b, m->sig, sizeof m->sig);
	sat_write_span(b, m->batch);
	sat_write_u8(b, (uint8_t)(m->gap | (m->sealed ? PUSH_SEALED : 0)));
	sat_write_uint(b, m->nold);
	for (size_t i = 0; i < m->nold; i++)
		sat_msg_write_old(b, &m->old[i]);
}

void
sat_msg_read_push(sat_push *m, sat_arena *a, sat_reader *r)
{
	uint8_t gap;

	m->incarnation = read_u32(r);
	m->first_cseq = sat_read_uint(r);
	sat_read_copy(r, m->prev, sizeof m->prev);
	sat_read_copy(r, m->sig, sizeof m->sig);
	m->batch = sat_read_span(r, SAT_FRAME_MAX);
	gap = sat_read_u8(r);
	m->sealed = (gap & PUSH_SEALED) != 0;
	gap &= PUSH_SEALED - 1;
	if (gap > SAT_GAP_LAST)
		sat_read_bad(r, "gap");
	m->gap = (sat_gap)gap;
	m->nold = read_count(r, 2, SAT_BATCH_COMMITS_MAX);
	m->old = sat_arena_alloc(a, (m->nold + 1) * sizeof *m->old);
	for (size_t i = 0; i < m->nold; i++)
		sat_msg_read_old(&m->old[i], r);
}

/* A verdict without trouble is one byte of code, the distance of its cseq and
 * LSN from the one before, and its stamp unless that is the one that was sent
 * (P-015). */
#define AS_SENT 0x80
#define HINTED 0x40 /* accepted, and there is something to say (P-322) */

static bool
is_hinted(const sat_verdict *v)
{
	return !sat_vd_refused(v->code) && v->hint.n > 0;
}

void
sat_msg_write_verdicts(sat_buf *b, const sat_verdicts *m)
{
	uint64_t cseq = 0, lsn = 0;

	sat_write_uint(b, m->n);
	for (size_t i = 0; i < m->n; i++) {
		const sat_verdict *v = &m->v[i];

		bool as_sent = v->eff == 0 && !sat_vd_refused(v->code);

		sat_write_u8(b, (uint8_t)((unsigned)v->code |
		    (as_sent ? AS_SENT : 0u) | (is_hinted(v) ? HINTED : 0u)));
		sat_write_int(b, (int64_t)(v->cseq - cseq));
		cseq = v->cseq;
		if (sat_vd_refused(v->code)) {
			sat_write_uint(b, v->op);
			sat_write_span(b, v->slug);
			sat_write_span(b, v->hint);
			continue;
		}
		sat_write_int(b, (int64_t)(v->lsn - lsn));
		lsn = v->lsn;
		if (!as_sent)
			sat_write_be64(b, v->eff);
		if (is_hinted(v)) {
			sat_write_uint(b, v->op);
			sat_write_span(b, v->hint);
		}
	}
	sat_write_uint(b, m->neids);
	for (size_t i = 0; i < m->neids; i++) {
		write_id(b, &m->eids[i].id);
		sat_write_uint(b, m->eids[i].eid);
	}
	sat_write_uint(b, m->need_cseq);
	sat_write_u8(b, m->fork);
}

static void
read_verdict(sat_verdict *v, uint64_t *cseq, uint64_t *lsn, sat_reader *r)
{
	uint8_t head = sat_read_u8(r), code = head & (HINTED - 1);
	bool as_sent = (head & AS_SENT) != 0, hinted = (head & HINTED) != 0;

	v->code = (sat_verdict_code)code;
	if (code > SAT_VD_HANDOVER || ((as_sent || hinted) &&
	    sat_vd_refused(v->code)))
		sat_read_bad(r, "verdict");
	v->cseq = *cseq += (uint64_t)sat_read_int(r);
	if (sat_vd_refused(v->code)) {
		v->op = read_u32(r);
		v->slug = sat_read_span(r, SLUG_MAX);
		v->hint = sat_read_span(r, HINT_MAX);
		return;
	}
	v->lsn = *lsn += (uint64_t)sat_read_int(r);
	v->eff = as_sent ? 0 : sat_read_be64(r);
	if (!as_sent && v->eff == 0)
		sat_read_bad(r, "stamp");
	if (!hinted)
		return;
	v->op = read_u32(r);
	v->hint = sat_read_span(r, HINT_MAX);
	if (v->hint.n == 0)
		sat_read_bad(r, "hint");
}

void
sat_msg_read_verdicts(sat_verdicts *m, sat_arena *a, sat_reader *r)
{
	uint64_t cseq = 0, lsn = 0;

	m->n = read_count(r, 3, SAT_BATCH_COMMITS_MAX);
	m->v = sat_arena_alloc(a, (m->n + 1) * sizeof *m->v);
	memset(m->v, 0, (m->n + 1) * sizeof *m->v);
	for (size_t i = 0; i < m->n && r->fault == NULL; i++)
		read_verdict(&m->v[i], &cseq, &lsn, r);
	m->neids = read_count(r, 17, SAT_BATCH_OPS_MAX);
	m->eids = sat_arena_alloc(a, (m->neids + 1) * sizeof *m->eids);
	for (size_t i = 0; i < m->neids; i++) {
		m->eids[i].id = read_id(r);
		m->eids[i].eid = read_u32(r);
	}
	m->need_cseq = sat_read_uint(r);
	m->fork = read_bool(r);
}
