/*
 * message_answers.c - what became of work that was handed over (P-323).
 */
#include "protocol/message_int.h"

void
sat_msg_write_answers(sat_buf *b, const sat_answer *list, size_t n)
{
	sat_write_uint(b, n);
	for (size_t i = 0; i < n; i++) {
		sat_write_uint(b, list[i].lsn);
		sat_write_be64(b, list[i].hlc);
		write_id(b, &list[i].rec);
		sat_write_uint(b, list[i].kind);
		sat_write_u8(b, list[i].accepted);
		sat_write_uint(b, list[i].by);
		sat_write_int(b, list[i].at_ms);
	}
}

void
sat_msg_read_answers(sat_answer **list, size_t *n, sat_arena *a, sat_reader *r)
{
	sat_answer *x;

	*n = read_count(r, 29, SAT_ANSWERS_MAX);
	*list = x = sat_arena_alloc(a, (*n + 1) * sizeof *x);
	memset(x, 0, (*n + 1) * sizeof *x);
	for (size_t i = 0; i < *n && r->fault == NULL; i++) {
		x[i].lsn = sat_read_uint_max(r, INT64_MAX);
		x[i].hlc = sat_read_be64(r);
		x[i].rec = read_id(r);
		x[i].kind = (uint16_t)sat_read_uint_max(r, UINT16_MAX);
		x[i].accepted = read_bool(r);
		x[i].by = read_u32(r);
		x[i].at_ms = sat_read_int(r);
		if (x[i].hlc > INT64_MAX || x[i].at_ms < 0)
			sat_read_bad(r, "answer");
	}
}
