/*
 * message_repair.c - the frames of sums and repair (P-180..P-189).
 */
#include "protocol/message_int.h"

/* Absent, or the sum. */
void
sat_msg_write_sum(sat_buf *b, bool has, sat_sum s)
{
	uint8_t bytes[SAT_SUM_BYTES];

	sat_write_u8(b, has);
	if (!has)
		return;
	sat_sum_write(bytes, s);
	sat_buf_add(b, bytes, sizeof bytes);
}

static sat_sum
read_sum_bytes(sat_reader *r)
{
	uint8_t bytes[SAT_SUM_BYTES];

	sat_read_copy(r, bytes, sizeof bytes);
	return sat_sum_read(bytes);
}

void
sat_msg_read_sum(bool *has, sat_sum *s, sat_reader *r)
{
	*has = read_bool(r);
	if (*has)
		*s = read_sum_bytes(r);
}

static void
write_digest(sat_buf *b, const sat_digest *m)
{
	sat_write_uint(b, m->kind);
	sat_write_uint(b, m->bucket);
}

static void
read_digest(sat_digest *m, sat_reader *r)
{
	m->kind = (uint16_t)sat_read_uint_max(r, UINT16_MAX);
	m->bucket = read_u32(r);
}

static void
write_digest_is(sat_buf *b, const sat_digest_is *m)
{
	uint8_t bytes[SAT_SUM_BYTES];

	sat_write_uint(b, m->lsn);
	sat_write_uint(b, m->scope_head);
	sat_write_u8(b, m->done);
	sat_write_uint(b, m->n);
	for (size_t i = 0; i < m->n; i++) {
		sat_write_uint(b, m->sums[i].kind);
		sat_write_uint(b, m->sums[i].bucket);
		sat_sum_write(bytes, m->sums[i].sum);
		sat_buf_add(b, bytes, sizeof bytes);
	}
}

static void
read_digest_is(sat_digest_is *m, sat_arena *a, sat_reader *r)
{
	const sat_bucket_sum *before = NULL;

	m->lsn = sat_read_uint(r);
	m->scope_head = sat_read_uint(r);
	m->done = read_bool(r);
	m->n = read_count(r, SAT_SUM_BYTES + 2, SAT_FRAME_MAX);
	m->sums = sat_arena_alloc(a, (m->n + 1) * sizeof *m->sums);
	for (size_t i = 0; i < m->n && r->fault == NULL; i++) {
		sat_bucket_sum *s = &m->sums[i];

		s->kind = (uint16_t)sat_read_uint_max(r, UINT16_MAX);
		s->bucket = read_u32(r);
		s->sum = read_sum_bytes(r);
		if (before != NULL && (s->kind < before->kind ||
		    (s->kind == before->kind && s->bucket <= before->bucket)))
			sat_read_bad(r, "order of sums");
		before = s;
	}
}

static void
write_refetch(sat_buf *b, const sat_refetch *m)
{
	sat_write_uint(b, m->kind);
	sat_write_uint(b, m->after_eid);
	sat_write_uint(b, m->to_eid);
}

static void
read_refetch(sat_refetch *m, sat_reader *r)
{
	m->kind = (uint16_t)sat_read_uint_max(r, UINT16_MAX);
	m->after_eid = read_u32(r);
	m->to_eid = read_u32(r);
	if (m->to_eid <= m->after_eid)
		sat_read_bad(r, "range");
}

static void
write_refetch_is(sat_buf *b, const sat_refetch_is *m)
{
	sat_write_uint(b, m->scope_head);
	sat_write_uint(b, m->next_eid);
	sat_write_be64(b, m->max_eff);
	sat_write_span(b, m->records);
	sat_write_uint(b, m->lsn);
	sat_msg_write_places(b, m->heads, m->nheads, m->lsn);
}

static void
read_refetch_is(sat_refetch_is *m, sat_arena *a, sat_reader *r)
{
	m->scope_head = sat_read_uint(r);
	m->next_eid = read_u32(r);
	m->max_eff = sat_read_be64(r);
	m->records = sat_read_span(r, SAT_FRAME_MAX);
	m->lsn = sat_read_uint_max(r, INT64_MAX);
	sat_msg_read_places(&m->heads, &m->nheads, a, m->lsn, r);
}

void
sat_msg_write_repair(sat_buf *b, const sat_msg *m)
{
	if (m->type == SAT_MSG_DIGEST)
		write_digest(b, &m->u.digest);
	else if (m->type == SAT_MSG_DIGEST_IS)
		write_digest_is(b, &m->u.digest_is);
	else if (m->type == SAT_MSG_REFETCH)
		write_refetch(b, &m->u.refetch);
	else
		write_refetch_is(b, &m->u.refetch_is);
}

void
sat_msg_read_repair(sat_msg *m, sat_arena *a, sat_reader *r)
{
	if (m->type == SAT_MSG_DIGEST)
		read_digest(&m->u.digest, r);
	else if (m->type == SAT_MSG_DIGEST_IS)
		read_digest_is(&m->u.digest_is, a, r);
	else if (m->type == SAT_MSG_REFETCH)
		read_refetch(&m->u.refetch, r);
	else
		read_refetch_is(&m->u.refetch_is, a, r);
}
