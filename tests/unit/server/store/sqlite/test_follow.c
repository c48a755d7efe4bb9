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

/* Operations that a device hands over itself. */
static void
hand_by(device *d, move *m, sat_op *ops, size_t n)
{
	sat_commit part = { .subject = m->acc, .ops = ops, .nops = n };
	sat_handed h = { .dev = d->ord, .hlc = sat_hlc_of_ms(m->w->now_ms),
		.actor = sat_span_str(d->user_key), .why = sat_span_str("asked") };
	uint64_t cursor = d->cursor;
	sat_buf b = { 0 }, v = { 0 };
	sat_op op;

	sat_commit_write_payload(&b, &part);
	h.ops = sat_buf_span(&b);
	sat_handed_write(&v, &h);
	op = op_set(&m->acc, K_ACCOUNT, SAT_OP_HAND, SAT_SYS_HANDED,
	    sat_v_bytes(sat_buf_span(&v)));
	d->cursor = m->seen;
	(void)device_commit(d, &m->acc, &op, 1);
	d->cursor = cursor;
	sat_buf_fini(&b);
	sat_buf_fini(&v);
}

static void
hand(move *m, sat_op *ops, size_t n)
{
	hand_by(m->ann, m, ops, n);
}

/* A contact that exists in a suggestion of this device only. */
static sat_id
suggested_contact(move *m, device *d)
{
	sat_id con = device_id(d);
	sat_op op = op_set(&con, K_CONTACT, SAT_OP_NEW, 0, sat_v_null());

	hand_by(d, m, &op, 1);
	return con;
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

/* ---- what it may touch ------------------------------------------------------------ */

static sat_op
title(const sat_id *con)
{
	return op_set(con, K_CONTACT, SAT_OP_SET, C_TITLE, txt("CEO"));
}

static sat_op
remark(const sat_id *acc, const char *v)
{
	return op_set(acc, K_ACCOUNT, SAT_OP_SET, A_REMARK, txt(v));
}

static void
assert_denied(const device *d, size_t back)
{
	const own *o = &d->out[d->nout - back];

	assert_int_equal(SAT_VD_REJECTED, o->code);
	assert_string_equal("denied", o->slug);
	assert_null(strstr(o->hint, "sue"));
}

static void
it_says_nothing_of_a_record_its_author_never_saw(void **state) /* D3, P-167 */
{
	move m = moved(3);
	sat_id con = suggested_contact(&m, m.ann), other, deal, second;
	sat_op ops[2] = { title(&con) };

	(void)state;
	other = device_account(m.sue, "stranger", "sue");
	deal = device_opp(m.sue, &other, "deal", "sue");
	second = device_account(m.ann, "second", "ann");
	SYNC(m.sue, m.ann);
	ops[1] = remark(&other, "unasked");
	(void)device_commit(m.ann, &m.acc, ops, 2);
	ops[1] = op_set(&deal, K_OPP, SAT_OP_SET, O_REMARK, txt("unasked"));
	(void)device_commit(m.ann, &m.acc, ops, 2);
	ops[1] = ops[0]; /* first: the verdict would name its owner */
	ops[0] = remark(&other, "unasked");
	(void)device_commit(m.ann, &m.acc, ops, 2);
	ops[0] = remark(&second, "both mine");
	(void)device_commit(m.ann, &m.acc, ops, 2);
	ops[0] = remark(&m.acc, "was mine");
	m.ann->cursor = m.seen;
	(void)device_commit(m.ann, &m.acc, ops, 2);
	SYNC(m.ann, m.sue);
	for (size_t back = 3; back <= 5; back++)
		assert_denied(m.ann, back);
	for (size_t back = 1; back <= 2; back++)
		assert_int_equal(SAT_VD_HANDOVER,
		    m.ann->out[m.ann->nout - back].code);
	assert_false(device_holds(m.sue, "unasked"));
	assert_true(device_holds(m.ann, "both mine"));
	done(&m);
}

static void
it_sets_no_field_its_author_is_not_shown(void **state) /* P-246 */
{
	move m = moved(4);
	device *mar;
	sat_id con, acc;
	sat_op ops[3];

	(void)state;
	world_user(m.w, "mar", "marketing", NULL);
	mar = device_new(m.w, "mar");
	device_sync(mar);
	m.seen = mar->cursor;
	con = suggested_contact(&m, mar);
	acc = device_id(mar);
	ops[0] = title(&con);
	ops[1] = op_set(&m.acc, K_ACCOUNT, SAT_OP_MVSET, A_PHONE,
	    txt("***5678"));
	(void)device_commit(mar, &m.acc, ops, 2);
	ops[0] = op_set(&con, K_ACCOUNT, SAT_OP_MVSET, A_PHONE,
	    txt("***5678"));
	(void)device_commit(mar, &m.acc, ops, 1);
	/* a birth has all its fields */
	ops[0] = op_set(&acc, K_ACCOUNT, SAT_OP_NEW, 0, sat_v_null());
	ops[1] = op_set(&acc, K_ACCOUNT, SAT_OP_MVSET, A_PHONE,
	    txt("13812345678"));
	ops[2] = title(&con);
	(void)device_commit(mar, &m.acc, ops, 3);
	device_sync(mar);
	for (size_t back = 2; back <= 3; back++) {
		assert_int_equal(SAT_VD_REJECTED,
		    mar->out[mar->nout - back].code);
		assert_string_equal("masked", mar->out[mar->nout - back].slug);
	}
	assert_int_equal(SAT_VD_HANDOVER, device_last(mar)->code);
	done(&m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(suggestions_are_read_once_whatever_a_commit_asks_of_them),
		cmocka_unit_test(what_stands_on_many_records_takes_memory_once),
		cmocka_unit_test(it_says_nothing_of_a_record_its_author_never_saw),
		cmocka_unit_test(it_sets_no_field_its_author_is_not_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
