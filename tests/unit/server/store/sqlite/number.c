#include "tests/unit/server/store/sqlite/number.h"

#include <stdio.h>

size_t
lease(device *d, const char *series, uint64_t known, sat_number_range *out)
{
	sat_number_range want = { .first = 0, .last = known };
	sat_msg m = { .type = SAT_MSG_NUMBERS, .u.numbers = { &want, 1 } };
	sat_buf q = { 0 }, reply = { 0 };
	sat_arena a = { 0 };
	sat_err err = { 0 };
	size_t n;

	(void)snprintf(want.series, sizeof want.series, "%s", series);
	sat_msg_write(&q, &m);
	assert_ok(sat_server_handle(d->w->server, &d->link, &reply,
	    sat_buf_span(&q), &err));
	assert_ok(sat_msg_read(&m, &a, sat_buf_span(&reply), &err));
	assert_int_equal(SAT_MSG_NUMBERS_IS, m.type);
	n = m.u.numbers.n;
	assert_true(n <= 8);
	if (n > 0)
		memcpy(out, m.u.numbers.r, n * sizeof *out);
	sat_buf_fini(&q);
	sat_buf_fini(&reply);
	sat_arena_fini(&a);
	return n;
}

sat_id
numbered(device *d, const char *number, uint8_t flags)
{
	sat_id id = device_account(d, "first", d->user_key);
	own *o = &d->out[d->nout - 1];
	sat_op ops[4];

	/* the same commit with a number in it */
	memcpy(ops, o->c.ops, 3 * sizeof ops[0]);
	ops[3] = op_set(&id, K_ACCOUNT, SAT_OP_SET, A_NUMBER,
	    txt(sat_arena_str(&d->mem, number, strlen(number))));
	memcpy(d->head, o->c.prev, sizeof d->head);
	o->c.flags = flags;
	o->c.nops = 4;
	o->c.ops = sat_arena_dup(&d->mem, ops, sizeof ops);
	sat_commit_seal(&o->c, d->head);
	return id;
}

void
assert_number(device *d, const sat_id *id, const char *want, const char *alias)
{
	held *h = device_find(d, id, 0);
	sat_arena a = { 0 };
	sat_value v, was;
	sat_record r;
	sat_err err = { 0 };

	assert_non_null(h);
	assert_ok(sat_record_read(&r, &a, sat_buf_span(&h->state), &err));
	v = sat_record_value(&r, A_NUMBER);
	was = sat_record_value(&r, SAT_SYS_ALIASES);
	if (!sat_span_eq(v.s, sat_span_str(want)))
		fail_msg("number is '%.*s', not '%s'", (int)v.s.n,
		    (const char *)v.s.p, want);
	assert_true(alias == NULL ? was.type == SAT_V_NULL :
	    sat_span_eq(was.s, sat_span_str(alias)));
	sat_arena_fini(&a);
}
