/*
 * message_number.c - the frames about what is had in advance: numbers (P-141),
 * customers of a pool (P-154).
 */
#include "protocol/message_int.h"

#include <stdio.h>

void
sat_msg_write_numbers(sat_buf *b, const sat_msg *msg)
{
	const sat_numbers *m = &msg->u.numbers;

	sat_write_uint(b, m->n);
	for (size_t i = 0; i < m->n; i++) {
		sat_write_span(b, sat_span_str(m->r[i].series));
		sat_write_uint(b, m->r[i].first);
		sat_write_uint(b, m->r[i].last);
	}
}

static void
read_range(sat_number_range *x, sat_reader *r)
{
	sat_span s = sat_read_span(r, SAT_SERIES_MAX);
	char text[SAT_NUMBER_TEXT], series[SAT_SERIES_TEXT];
	uint64_t one;
	size_t n;

	(void)snprintf(x->series, sizeof x->series, "%.*s", (int)s.n,
	    s.n > 0 ? (const char *)s.p : "");
	x->first = sat_read_uint_max(r, SAT_NUMBER_MAX);
	x->last = sat_read_uint_max(r, SAT_NUMBER_MAX);
	/* a series is what makes a number */
	n = sat_number_text(text, x->series, 1);
	if (r->fault == NULL && (!sat_number_read(series, &one,
	    sat_span_of(text, n)) || strcmp(series, x->series) != 0 ||
	    x->first > x->last))
		sat_read_bad(r, "bad series or range");
}

void
sat_msg_read_numbers(sat_msg *msg, sat_arena *a, sat_reader *r)
{
	sat_numbers *m = &msg->u.numbers;
	size_t max = msg->type == SAT_MSG_NUMBERS ? SAT_SERIES_WANTED_MAX :
	    SAT_RANGES_MAX;

	m->n = read_count(r, 3, max);
	m->r = sat_arena_alloc(a, (m->n + 1) * sizeof *m->r);
	for (size_t i = 0; i < m->n && r->fault == NULL; i++)
		read_range(&m->r[i], r);
}

/* ---- customers kept ---------------------------------------------------------- */

void
sat_msg_write_hold(sat_buf *b, const sat_msg *m)
{
	if (m->type == SAT_MSG_HOLD) {
		sat_write_uint(b, m->u.hold);
		return;
	}
	sat_write_uint(b, m->u.held.n);
	for (size_t i = 0; i < m->u.held.n; i++) {
		write_id(b, &m->u.held.h[i].id);
		sat_write_int(b, m->u.held.h[i].until_ms);
	}
}

void
sat_msg_read_hold(sat_msg *m, sat_arena *a, sat_reader *r)
{
	sat_held *h = &m->u.held;

	if (m->type == SAT_MSG_HOLD) {
		m->u.hold = sat_read_uint_max(r, SAT_HOLDS_MAX);
		return;
	}
	h->n = read_count(r, sizeof(sat_id) + 1, SAT_HOLDS_MAX);
	h->h = sat_arena_alloc(a, (h->n + 1) * sizeof *h->h);
	for (size_t i = 0; i < h->n; i++) {
		h->h[i].id = read_id(r);
		h->h[i].until_ms = sat_read_int(r);
	}
}
