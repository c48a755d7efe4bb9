/*
 * message_int.h - what the writers and readers of frames share.
 */
#ifndef SAT_PROTOCOL_MESSAGE_INT_H
#define SAT_PROTOCOL_MESSAGE_INT_H

#include "protocol/message.h"

#include <string.h>

#define HINT_MAX 200 /* of an error, a verdict */

/* message_push.c */
void sat_msg_write_push(sat_buf *b, const sat_push *m);
void sat_msg_read_push(sat_push *m, sat_arena *a, sat_reader *r);
void sat_msg_write_verdicts(sat_buf *b, const sat_verdicts *m);
void sat_msg_read_verdicts(sat_verdicts *m, sat_arena *a, sat_reader *r);

/* message_admin.c */
void sat_msg_write_admin(sat_buf *b, const sat_msg *m);
void sat_msg_read_admin(sat_msg *m, sat_arena *a, sat_reader *r);

/* message_file.c */
void sat_msg_write_file(sat_buf *b, const sat_msg *m);
void sat_msg_read_file(sat_msg *m, sat_reader *r);

static inline void
write_id(sat_buf *b, const sat_id *id)
{
	sat_buf_add(b, id->b, sizeof id->b);
}

static inline sat_id
read_id(sat_reader *r)
{
	sat_id id;

	sat_read_copy(r, id.b, sizeof id.b);
	return id;
}

static inline uint32_t
read_u32(sat_reader *r)
{
	return (uint32_t)sat_read_uint_max(r, UINT32_MAX);
}

static inline bool
read_bool(sat_reader *r)
{
	uint8_t v = sat_read_u8(r);

	if (v > 1)
		sat_read_bad(r, "boolean");
	return v == 1;
}

/* A count of things of at least `each` bytes: what is left bounds it, so that
 * a short frame cannot ask for a large allocation. */
static inline size_t
read_count(sat_reader *r, size_t each, size_t max)
{
	uint64_t n = sat_read_uint(r);

	if (n > max || n > r->left / each) {
		sat_read_bad(r, "count");
		return 0;
	}
	return (size_t)n;
}

/* message_repair.c: sums and repair. */
void sat_msg_write_sum(sat_buf *b, bool has, sat_sum s);
void sat_msg_read_sum(bool *has, sat_sum *s, sat_reader *r);
void sat_msg_write_repair(sat_buf *b, const sat_msg *m);
void sat_msg_read_repair(sat_msg *m, sat_arena *a, sat_reader *r);

/* message_coverage.c: parts of HELLO and WELCOME, beside their clock. */
void sat_msg_write_known(sat_buf *b, int64_t wall_ms, uint64_t rev);
uint64_t sat_msg_read_known(int64_t wall_ms, sat_reader *r);
void sat_msg_write_coverage(sat_buf *b, int64_t wall_ms, const sat_coverage *c);
void sat_msg_read_coverage(sat_coverage *c, int64_t wall_ms, sat_arena *a,
    sat_reader *r);

/* message_number.c: numbers and customers in advance. */
void sat_msg_write_hold(sat_buf *b, const sat_msg *m);
void sat_msg_read_hold(sat_msg *m, sat_arena *a, sat_reader *r);
void sat_msg_write_numbers(sat_buf *b, const sat_msg *m);
void sat_msg_read_numbers(sat_msg *m, sat_arena *a, sat_reader *r);

/* Places of commits, none above `top`. */
void sat_msg_write_places(sat_buf *b, const sat_place *p, size_t n,
    uint64_t top);
void sat_msg_read_places(sat_place **p, size_t *n, sat_arena *a, uint64_t top,
    sat_reader *r);
void sat_msg_write_old(sat_buf *b, const sat_old *o);
void sat_msg_read_old(sat_old *o, sat_reader *r);
/* message_more.c: loss of a server, erasure. A type nobody knows is refused. */
void sat_msg_write_more(sat_buf *b, const sat_msg *m);
void sat_msg_read_more(sat_msg *m, sat_arena *a, sat_reader *r);

/* message_answers.c */
void sat_msg_write_answers(sat_buf *b, const sat_answer *list, size_t n);
void sat_msg_read_answers(sat_answer **list, size_t *n, sat_arena *a,
    sat_reader *r);

#endif
