/*
 * message_coverage.c - how far other devices have reported (P-220 to P-224),
 * as a part of HELLO and WELCOME.
 *
 * Why distances from the clock of the frame: revisions follow the server's
 * clock and most reports are minutes old, so that they are two to four bytes
 * instead of seven.
 */
#include "protocol/message_int.h"

/* The later of the two may be either: clocks differ. */
static void
write_back(sat_buf *b, int64_t from, uint64_t at)
{
	sat_write_int(b, (int64_t)((uint64_t)from - at));
}

static uint64_t
read_back(sat_reader *r, int64_t from, const char *what)
{
	uint64_t at = (uint64_t)from - (uint64_t)sat_read_int(r);

	if (at > INT64_MAX)
		sat_read_bad(r, what);
	return at;
}

void
sat_msg_write_known(sat_buf *b, int64_t wall_ms, uint64_t rev)
{
	write_back(b, wall_ms, rev);
}

uint64_t
sat_msg_read_known(int64_t wall_ms, sat_reader *r)
{
	return read_back(r, wall_ms, "revision");
}

void
sat_msg_write_coverage(sat_buf *b, int64_t wall_ms, const sat_coverage *c)
{
	sat_write_uint(b, c->n);
	if (c->n > 0)
		write_back(b, wall_ms, c->rev);
	for (size_t i = 0; i < c->n; i++) {
		sat_write_uint(b, c->row[i].device);
		write_back(b, (int64_t)c->rev, (uint64_t)c->row[i].at_ms);
	}
}

void
sat_msg_read_coverage(sat_coverage *c, int64_t wall_ms, sat_arena *a,
    sat_reader *r)
{
	c->n = read_count(r, 2, SAT_DIRECTORY_MAX);
	if (c->n > 0)
		c->rev = read_back(r, wall_ms, "revision");
	c->row = sat_arena_alloc(a, (c->n + 1) * sizeof *c->row);
	memset(c->row, 0, (c->n + 1) * sizeof *c->row);
	for (size_t i = 0; i < c->n && r->fault == NULL; i++) {
		c->row[i].device = read_u32(r);
		c->row[i].at_ms = (int64_t)read_back(r, (int64_t)c->rev,
		    "instant");
	}
}
