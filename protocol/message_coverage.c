/*
 * message_coverage.c - how far other devices have reported (P-220 to P-224).
 */
#include "protocol/message_int.h"

void
sat_msg_write_coverage(sat_buf *b, const sat_msg *m)
{
	const sat_coverage *c = &m->u.coverage;

	sat_write_uint(b, c->rev);
	if (m->type == SAT_MSG_COVERAGE)
		return;
	sat_write_uint(b, c->scope_head);
	sat_write_uint(b, c->n);
	for (size_t i = 0; i < c->n; i++) {
		sat_write_uint(b, c->row[i].device);
		sat_write_int(b, c->row[i].at_ms);
	}
}

void
sat_msg_read_coverage(sat_msg *m, sat_arena *a, sat_reader *r)
{
	sat_coverage *c = &m->u.coverage;

	c->rev = sat_read_uint_max(r, INT64_MAX);
	if (m->type == SAT_MSG_COVERAGE)
		return;
	c->scope_head = sat_read_uint_max(r, INT64_MAX);
	c->n = read_count(r, 2, SAT_DIRECTORY_MAX);
	c->row = sat_arena_alloc(a, (c->n + 1) * sizeof *c->row);
	memset(c->row, 0, (c->n + 1) * sizeof *c->row);
	for (size_t i = 0; i < c->n && r->fault == NULL; i++) {
		c->row[i].device = read_u32(r);
		c->row[i].at_ms = sat_read_int(r);
		if (c->row[i].at_ms < 0)
			sat_read_bad(r, "instant");
	}
}
