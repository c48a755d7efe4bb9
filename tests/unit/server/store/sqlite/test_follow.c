/*
 * What goes on with work that is only suggested so far (P-167): what it costs
 * the server, and what it may touch.
 */
#include "tests/unit/server/store/sqlite/device.h"

#include "protocol/server_int.h"

#define HOUR_MS ((int64_t)3600 * 1000)

/* ann had the customer, bob has it now; max manages both, sue is elsewhere. */
typedef struct move {
	world *w;
	device *ann, *bob, *max, *sue;
	sat_id acc;
	uint64_t seen; /* by ann, when it was hers */
} move;

static move
moved(uint64_t seed)
{
	move m = { .w = world_of(seed, "ann rep north, bob rep north, "
	    "sue rep, max manager north") };

	m.ann = device_new(m.w, "ann");
	m.bob = device_new(m.w, "bob");
	m.max = device_new(m.w, "max");
	m.sue = device_new(m.w, "sue");
	m.acc = device_account(m.ann, "first", "ann");
	SYNC(m.ann, m.max);
	m.seen = m.ann->cursor;
	(void)device_edit(m.max, &m.acc, &m.acc, K_ACCOUNT, SAT_OP_REASSIGN,
	    A_OWNER, txt("bob"));
	SYNC(m.max, m.bob, m.sue);
	m.w->now_ms += 100 * HOUR_MS;
	return m;
}

static void
done(move *m)
{
	SETTLE(m->ann, m->bob, m->max, m->sue);
	world_verify(m->w);
	world_free(m->w);
}

/* Operations that ann hands over herself. */
static void
hand(move *m, sat_op *ops, size_t n)
{
	sat_commit part = { .subject = m->acc, .ops = ops, .nops = n };
	sat_handed h = { .dev = m->ann->ord,
		.hlc = sat_hlc_of_ms(m->w->now_ms),
		.actor = sat_span_str("ann"), .why = sat_span_str("asked") };
	uint64_t cursor = m->ann->cursor;
	sat_buf b = { 0 }, v = { 0 };
	sat_op op;

	sat_commit_write_payload(&b, &part);
	h.ops = sat_buf_span(&b);
	sat_handed_write(&v, &h);
	op = op_set(&m->acc, K_ACCOUNT, SAT_OP_HAND, SAT_SYS_HANDED,
	    sat_v_bytes(sat_buf_span(&v)));
	m->ann->cursor = m->seen;
	(void)device_commit(m->ann, &m->acc, &op, 1);
	m->ann->cursor = cursor;
	sat_buf_fini(&b);
	sat_buf_fini(&v);
}

/* ---- what it costs ------------------------------------------------------------- */

/* The most memory a transaction had when it kept a commit it did not merge: soon
 * after, it may be given back. */
static struct {
	sat_server *s;
	sat_store real;
	size_t bytes;
} watched;

static sat_rc
watch(void *u, uint32_t dev, uint32_t inc, const sat_verdict *v,
    sat_span header, sat_span payload, sat_err *e)
{
	size_t n = sat_arena_bytes(&watched.s->txn);

	watched.bytes = n > watched.bytes ? n : watched.bytes;
	return watched.real.refused_put(u, dev, inc, v, header, payload, e);
}

static void
watch_memory(world *w)
{
	watched.s = w->server;
	watched.real = w->server->env.store;
	watched.bytes = 0;
	w->server->env.store.refused_put = watch;
}

enum { MANY = 256, SUGGESTIONS = 21 };

static void
suggestions_are_read_once_whatever_a_commit_asks_of_them(void **state) /* P-167 */
{
	move m = moved(1);
	sat_id con = device_id(m.ann);
	sat_op ops[MANY];
	own *o;

	(void)state;
	for (size_t i = 0; i < MANY; i++)
		ops[i] = op_set(&m.acc, K_ACCOUNT, SAT_OP_SET, A_REMARK,
		    sat_v_null());
	for (size_t i = 0; i < SUGGESTIONS; i++) {
		if (i == SUGGESTIONS - 1)
			ops[MANY - 1] = op_set(&con, K_CONTACT, SAT_OP_NEW, 0,
			    sat_v_null());
		hand(&m, ops, MANY);
	}
	device_sync(m.ann);
	for (size_t i = 1; i <= SUGGESTIONS; i++)
		assert_int_equal(SAT_VD_OK, m.ann->out[m.ann->nout - i].code);
	for (size_t i = 0; i < MANY; i++)
		ops[i] = op_set(&con, K_CONTACT, SAT_OP_SET, C_TITLE,
		    sat_v_null());
	o = device_commit(m.ann, &m.acc, ops, MANY);
	watch_memory(m.w);
	device_sync(m.ann);
	assert_int_equal(SAT_VD_HANDOVER, o->code);
	assert_in_range(watched.bytes, 1, (size_t)4 << 20);
	done(&m);
}

static void
what_stands_on_many_records_takes_memory_once(void **state) /* P-165 */
{
	move m = moved(2);
	sat_id acc = device_account(m.ann, "second", "ann"), opp[MANY];
	sat_op ops[MANY * 4];
	own *o;

	(void)state;
	for (size_t i = 0; i < MANY; i++)
		opp[i] = device_opp(m.ann, &acc, "deal", "ann");
	SYNC(m.ann, m.max);
	for (size_t i = 0; i < MANY; i++)
		(void)device_edit(m.max, &acc, &opp[i], K_OPP,
		    SAT_OP_REASSIGN, O_OWNER, txt("bob"));
	(void)device_edit(m.max, &acc, &acc, K_ACCOUNT, SAT_OP_REASSIGN,
	    A_OWNER, txt("bob"));
	device_sync(m.max);
	m.w->now_ms += 100 * HOUR_MS;
	for (size_t i = 0; i < MANY * 4; i++)
		ops[i] = op_set(&opp[i / 4], K_OPP, SAT_OP_SET, O_REMARK,
		    sat_v_null());
	o = device_commit(m.ann, &acc, ops, MANY * 4);
	watch_memory(m.w);
	device_sync(m.ann);
	assert_int_equal(SAT_VD_HANDOVER, o->code);
	assert_in_range(watched.bytes, 1, (size_t)8 << 20);
	done(&m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(suggestions_are_read_once_whatever_a_commit_asks_of_them),
		cmocka_unit_test(what_stands_on_many_records_takes_memory_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
