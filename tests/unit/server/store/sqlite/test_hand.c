/*
 * Work that comes late: merged within the grace time, else a suggestion in the
 * server's own commit (P-164..P-168; D1, D2).
 */
#include "tests/unit/server/store/sqlite/device.h"

#include "protocol/server_int.h"

#define HOUR_MS ((int64_t)3600 * 1000)

/* ann had the customer, bob has it now; max manages both, sue is elsewhere. */
typedef struct move {
	world *w;
	device *ann, *bob, *max, *sue;
	sat_id acc;
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
	(void)device_edit(m.max, &m.acc, &m.acc, K_ACCOUNT, SAT_OP_REASSIGN,
	    A_OWNER, txt("bob"));
	SYNC(m.max, m.bob, m.sue);
	return m;
}

static void
done(move *m)
{
	SETTLE(m->ann, m->bob, m->max, m->sue);
	world_verify(m->w);
	world_free(m->w);
}

/* The suggestions on a record a device holds. */
static size_t
handed(sat_handed **list, sat_arena *a, device *d, const sat_id *id)
{
	held *h = device_find(d, id, 0);
	const sat_cell *c;
	sat_record r;
	sat_err err = { 0 };

	assert_non_null(h);
	assert_ok(sat_record_read(&r, a, sat_buf_span(&h->state), &err));
	c = sat_record_cell(&r, SAT_SYS_HANDED);
	return c == NULL ? 0 : sat_cell_handed(list, a, c);
}

static size_t
nhanded(device *d, const sat_id *id)
{
	sat_arena a = { 0 };
	sat_handed *list;
	size_t n = handed(&list, &a, d, id);

	sat_arena_fini(&a);
	return n;
}

static const char *
text_of(device *d, const sat_id *id, uint16_t field)
{
	static char text[64];
	sat_arena a = { 0 };
	held *h = device_find(d, id, 0);
	sat_record r;
	sat_value v;
	sat_err err = { 0 };

	assert_non_null(h);
	assert_ok(sat_record_read(&r, &a, sat_buf_span(&h->state), &err));
	v = sat_record_value(&r, field);
	(void)snprintf(text, sizeof text, "%.*s", v.type == SAT_V_TEXT ?
	    (int)v.s.n : 0, (const char *)v.s.p);
	sat_arena_fini(&a);
	return text;
}

static own *
remark(device *d, const sat_id *acc, const char *v)
{
	return device_edit(d, acc, acc, K_ACCOUNT, SAT_OP_SET, A_REMARK,
	    txt(v));
}

/* ---- soon enough or not ------------------------------------------------------- */

static void
within_the_grace_time_it_is_merged_beyond_it_is_suggested(void **state) /* D1 */
{
	move m = moved(1);
	size_t in, out;
	sat_arena a = { 0 };
	sat_handed *h;
	sat_commit part = { .subject = m.acc };
	sat_err err = { 0 };

	(void)state;
	m.w->now_ms += 71 * HOUR_MS;
	(void)remark(m.ann, &m.acc, "in time");
	in = m.ann->nout - 1;
	m.w->now_ms += 2 * HOUR_MS;
	(void)remark(m.ann, &m.acc, "too late");
	out = m.ann->nout - 1;
	device_sync(m.ann); /* both arrive now: what counts is when written */
	assert_int_equal(SAT_VD_OK_LATE, m.ann->out[in].code);
	assert_int_equal(SAT_VD_HANDOVER, m.ann->out[out].code);
	assert_string_equal("handover", m.ann->out[out].slug);
	assert_int_equal(0, m.ann->out[out].lsn);
	device_sync(m.bob);
	assert_string_equal("in time", text_of(m.bob, &m.acc, A_REMARK));
	assert_int_equal(1, handed(&h, &a, m.bob, &m.acc));
	assert_int_equal(m.ann->ord, h[0].dev);
	assert_int_equal(m.ann->out[out].c.hlc, h[0].hlc);
	assert_true(sat_span_eq(h[0].actor, sat_span_str("ann")));
	assert_ok(sat_commit_read_payload(&part, &a, h[0].ops, &err));
	assert_int_equal(1, part.nops);
	assert_int_equal(A_REMARK, part.ops[0].field);
	assert_true(sat_value_eq(txt("too late"), part.ops[0].value));
	sat_arena_fini(&a);
	done(&m);
}

static void
a_clock_nobody_believes_has_no_grace(void **state)
{
	move m = moved(2);
	own *o = remark(m.ann, &m.acc, "set back");

	(void)state;
	o->c.flags |= SAT_CF_CLOCK_SUSPECT;
	sat_commit_seal(&o->c, m.ann->head);
	device_sync(m.ann);
	assert_int_equal(SAT_VD_HANDOVER, m.ann->out[m.ann->nout - 1].code);
	device_sync(m.bob);
	assert_int_equal(1, nhanded(m.bob, &m.acc));
	assert_string_equal("", text_of(m.bob, &m.acc, A_REMARK));
	done(&m);
}

static void
a_handover_asked_for_again_is_suggested_once(void **state)
{
	move m = moved(3);
	own *o;

	(void)state;
	m.w->now_ms += 100 * HOUR_MS;
	o = remark(m.ann, &m.acc, "late");
	device_sync(m.ann);
	assert_int_equal(SAT_VD_HANDOVER, o->code);
	o->state = 0; /* the answer was lost */
	device_sync(m.ann);
	assert_int_equal(SAT_VD_HANDOVER, o->code);
	o->state = 0; /* a copied folder moves it to a new incarnation */
	device_move(m.ann, 7);
	device_sync(m.ann);
	assert_int_equal(SAT_VD_HANDOVER, o->code);
	device_sync(m.bob);
	assert_int_equal(1, nhanded(m.bob, &m.acc));
	done(&m);
}

static void
a_failed_transaction_suggests_nothing(void **state) /* D1 */
{
	move m = moved(4);
	own *o;
	sat_err err = { 0 };

	(void)state;
	m.w->now_ms += 100 * HOUR_MS;
	o = remark(m.ann, &m.acc, "late");
	m.w->fail_commit = SAT_EIO;
	assert_int_not_equal(SAT_OK, device_sync_flags(m.ann, 0, &err));
	m.w->fail_commit = SAT_OK;
	assert_int_equal(0, o->state);
	device_sync(m.bob);
	assert_int_equal(0, nhanded(m.bob, &m.acc));
	SYNC(m.ann, m.bob);
	assert_int_equal(1, nhanded(m.bob, &m.acc));
	done(&m);
}

/* ---- what it stands on ------------------------------------------------------------ */

static void
what_goes_on_with_suggested_work_follows_it(void **state) /* P-167 */
{
	move m = moved(5);
	sat_id act, con = device_id(m.ann);
	sat_op ops[] = {
		op_set(&con, K_CONTACT, SAT_OP_NEW, 0, sat_v_null()),
		op_set(&con, K_CONTACT, SAT_OP_SET, C_ACCOUNT,
		    sat_v_id(&m.acc)),
		op_set(&con, K_CONTACT, SAT_OP_SET, C_NAME, txt("Zhang")),
	};

	(void)state;
	m.w->now_ms += 100 * HOUR_MS;
	(void)device_commit(m.ann, &m.acc, ops, 3);
	(void)device_edit(m.ann, &m.acc, &con, K_CONTACT, SAT_OP_SET, C_TITLE,
	    txt("CEO"));
	act = device_activity(m.ann, &m.acc, "visited");
	device_sync(m.ann);
	for (size_t i = m.ann->nout - 3; i < m.ann->nout; i++)
		assert_int_equal(SAT_VD_HANDOVER, m.ann->out[i].code);
	device_sync(m.bob);
	assert_null(device_find(m.bob, &con, 0));
	assert_null(device_find(m.bob, &act, 0));
	assert_int_equal(3, nhanded(m.bob, &m.acc));
	/* another device's record is nobody's suggestion: parked as ever */
	(void)device_edit(m.max, &m.acc, &con, K_CONTACT, SAT_OP_SET, C_TITLE,
	    txt("CTO"));
	device_sync(m.max);
	assert_int_equal(SAT_VD_PARKED, m.max->out[m.max->nout - 1].code);
	done(&m);
}

static void
nobody_is_shown_what_concerned_a_child_he_does_not_see(void **state) /* D2, P-165 */
{
	move m = moved(6);
	sat_id acc = device_account(m.ann, "second", "ann");
	sat_id opp = device_opp(m.ann, &acc, "deal", "ann");
	sat_op both[2];
	own *o;

	(void)state;
	SYNC(m.ann, m.max);
	/* the customer goes to bob, its opportunity to sue */
	(void)device_edit(m.max, &acc, &opp, K_OPP, SAT_OP_REASSIGN, O_OWNER,
	    txt("sue"));
	(void)device_edit(m.max, &acc, &acc, K_ACCOUNT, SAT_OP_REASSIGN,
	    A_OWNER, txt("bob"));
	device_sync(m.max);
	m.w->now_ms += 100 * HOUR_MS;
	both[0] = op_set(&acc, K_ACCOUNT, SAT_OP_SET, A_REMARK, txt("of acc"));
	both[1] = op_set(&opp, K_OPP, SAT_OP_SET, O_REMARK, txt("of opp"));
	both[1].seen1 = 1; /* she had seen nothing of it (P-019) */
	o = device_commit(m.ann, &acc, both, 2);
	device_sync(m.ann);
	assert_int_equal(SAT_VD_HANDOVER, o->code);
	SYNC(m.bob, m.sue);
	assert_int_equal(1, nhanded(m.bob, &acc));
	assert_int_equal(1, nhanded(m.sue, &opp));
	for (size_t i = 0; i < 2; i++) {
		device *d = i == 0 ? m.bob : m.sue;
		sat_arena a = { 0 };
		sat_commit part = { .subject = i == 0 ? acc : opp };
		sat_handed *h;
		sat_err err = { 0 };

		assert_int_equal(1, handed(&h, &a, d, &part.subject));
		assert_ok(sat_commit_read_payload(&part, &a, h[0].ops, &err));
		assert_int_equal(1, part.nops);
		assert_true(sat_id_eq(&part.ops[0].rec, &part.subject));
		sat_arena_fini(&a);
	}
	done(&m);
}

static void
what_finds_no_room_is_refused_and_stays_with_its_author(void **state)
{
	move m = moved(7);

	(void)state;
	m.w->now_ms += 100 * HOUR_MS;
	for (int i = 0; i <= SAT_HANDED_MAX; i++) {
		char text[32];

		(void)snprintf(text, sizeof text, "note %d", i);
		(void)remark(m.ann, &m.acc, text);
	}
	device_sync(m.ann);
	assert_int_equal(SAT_HANDED_MAX, m.ann->stats.handed);
	assert_int_equal(SAT_VD_REJECTED, m.ann->out[m.ann->nout - 1].code);
	assert_string_equal("handover.full", m.ann->out[m.ann->nout - 1].slug);
	device_sync(m.bob);
	assert_int_equal(SAT_HANDED_MAX, nhanded(m.bob, &m.acc));
	done(&m);
}

/* ---- answers ------------------------------------------------------------------------- */

static void
who_may_edit_settles_and_nobody_else(void **state) /* P-168 */
{
	move m = moved(8);
	sat_arena a = { 0 };
	sat_handed *h;
	sat_op ops[2];

	(void)state;
	m.w->now_ms += 100 * HOUR_MS;
	(void)remark(m.ann, &m.acc, "late");
	SYNC(m.ann, m.bob);
	assert_int_equal(1, handed(&h, &a, m.bob, &m.acc));
	ops[0] = op_set(&m.acc, K_ACCOUNT, SAT_OP_SET, A_REMARK, txt("late"));
	ops[1] = op_set(&m.acc, K_ACCOUNT, SAT_OP_SETTLE, SAT_SYS_HANDED,
	    sat_v_int((int64_t)h[0].lsn));
	(void)device_commit(m.sue, &m.acc, &ops[1], 1); /* cannot see it */
	device_sync(m.sue);
	assert_int_equal(SAT_VD_REJECTED, m.sue->out[m.sue->nout - 1].code);
	/* she sees it through an opportunity, and may not edit it */
	(void)device_opp(m.max, &m.acc, "deal", "sue");
	SYNC(m.max, m.sue);
	assert_int_equal(1, nhanded(m.sue, &m.acc));
	(void)device_commit(m.sue, &m.acc, &ops[1], 1);
	device_sync(m.sue);
	assert_int_equal(SAT_VD_REJECTED, m.sue->out[m.sue->nout - 1].code);
	(void)device_commit(m.ann, &m.acc, &ops[1], 1); /* not hers any more */
	device_sync(m.ann);
	assert_int_equal(SAT_VD_REJECTED, m.ann->out[m.ann->nout - 1].code);
	(void)device_commit(m.bob, &m.acc, ops, 2);
	device_sync(m.bob);
	assert_int_equal(SAT_VD_OK, m.bob->out[m.bob->nout - 1].code);
	assert_int_equal(0, nhanded(m.bob, &m.acc));
	assert_string_equal("late", text_of(m.bob, &m.acc, A_REMARK));
	(void)device_commit(m.max, &m.acc, &ops[1], 1); /* settled already */
	device_sync(m.max);
	assert_int_equal(SAT_VD_OK, m.max->out[m.max->nout - 1].code);
	sat_arena_fini(&a);
	done(&m);
}

static void
its_author_hears_how_it_was_answered(void **state) /* W2, P-323 */
{
	move m = moved(18);
	sat_arena a = { 0 };
	sat_handed *h;
	sat_op ops[2];

	(void)state;
	m.w->now_ms += 100 * HOUR_MS;
	(void)remark(m.ann, &m.acc, "one");
	m.w->now_ms += 1000;
	(void)remark(m.ann, &m.acc, "two");
	device_sync(m.ann);
	assert_null(device_find(m.ann, &m.acc, 0)); /* it left her */
	device_sync(m.bob);
	assert_int_equal(2, handed(&h, &a, m.bob, &m.acc));
	ops[0] = op_set(&m.acc, K_ACCOUNT, SAT_OP_SET, A_REMARK, txt("one"));
	ops[1] = op_set(&m.acc, K_ACCOUNT, SAT_OP_SETTLE, SAT_SYS_HANDED,
	    sat_v_int((int64_t)h[0].lsn));
	(void)device_commit(m.sue, &m.acc, &ops[1], 1); /* refused: no answer */
	SYNC(m.sue, m.ann);
	assert_int_equal(0, m.ann->nanswers);
	(void)device_commit(m.bob, &m.acc, ops, 2);
	device_sync(m.bob);
	m.w->now_ms += 1000;
	ops[1].value = sat_v_int((int64_t)h[1].lsn);
	(void)device_commit(m.max, &m.acc, &ops[1], 1);
	device_sync(m.max);
	(void)device_commit(m.bob, &m.acc, &ops[1], 1); /* settled already */
	SYNC(m.bob, m.ann);
	assert_int_equal(2, m.ann->nanswers);
	assert_int_equal(h[0].hlc, m.ann->answers[0].hlc);
	assert_true(m.ann->answers[0].accepted);
	assert_int_equal(m.bob->user, m.ann->answers[0].by);
	assert_int_equal(h[1].hlc, m.ann->answers[1].hlc);
	assert_false(m.ann->answers[1].accepted);
	assert_int_equal(m.max->user, m.ann->answers[1].by);
	assert_true(sat_id_eq(&m.acc, &m.ann->answers[1].rec));
	assert_int_equal(0, m.bob->nanswers + m.max->nanswers);
	device_sync(m.ann); /* once */
	assert_int_equal(2, m.ann->nanswers);
	sat_arena_fini(&a);
	done(&m);
}

static own *
hand_by(device *d, const sat_id *on, uint32_t dev, const char *actor,
    uint64_t seen)
{
	sat_op inner = op_set(on, K_ACCOUNT, SAT_OP_SET, A_REMARK, txt("hand"));
	sat_commit part = { .subject = *on, .ops = &inner, .nops = 1 };
	sat_handed h = { .dev = dev, .hlc = sat_hlc_of_ms(d->w->now_ms),
		.actor = sat_span_str(actor), .why = sat_span_str("asked") };
	sat_buf b = { 0 }, v = { 0 };
	uint64_t cursor = d->cursor;
	sat_op op;
	own *o;

	sat_commit_write_payload(&b, &part);
	h.ops = sat_buf_span(&b);
	sat_handed_write(&v, &h);
	op = op_set(on, K_ACCOUNT, SAT_OP_HAND, SAT_SYS_HANDED,
	    sat_v_bytes(sat_buf_span(&v)));
	d->cursor = seen;
	o = device_commit(d, on, &op, 1);
	d->cursor = cursor;
	sat_buf_fini(&b);
	sat_buf_fini(&v);
	return o;
}

static void
no_suggestion_stands_on_what_is_only_suggested(void **state) /* P-166, P-167 */
{
	move m = moved(19);
	sat_id con = device_id(m.ann);
	sat_op ops[] = {
		op_set(&con, K_CONTACT, SAT_OP_NEW, 0, sat_v_null()),
		op_set(&con, K_CONTACT, SAT_OP_SET, C_ACCOUNT,
		    sat_v_id(&m.acc)),
		op_set(&con, K_CONTACT, SAT_OP_SET, C_NAME, txt("Zhang")),
	};
	sat_commit part = { .subject = con, .ops = &ops[2], .nops = 1 };
	sat_handed h = { .dev = m.ann->ord, .actor = sat_span_str("ann"),
		.hlc = sat_hlc_of_ms(m.w->now_ms) };
	sat_buf b = { 0 }, v = { 0 };
	sat_op hand;

	(void)state;
	m.w->now_ms += 100 * HOUR_MS;
	(void)device_commit(m.ann, &m.acc, ops, 3);
	sat_commit_write_payload(&b, &part);
	h.ops = sat_buf_span(&b);
	sat_handed_write(&v, &h);
	hand = op_set(&con, K_CONTACT, SAT_OP_HAND, SAT_SYS_HANDED,
	    sat_v_bytes(sat_buf_span(&v)));
	(void)device_commit(m.ann, &m.acc, &hand, 1);
	SYNC(m.ann, m.bob);
	/* a suggestion to suggest is nothing anybody could accept */
	assert_int_equal(SAT_VD_PARKED, device_last(m.ann)->code);
	assert_string_equal("needs_parent", device_last(m.ann)->slug);
	assert_int_equal(1, nhanded(m.bob, &m.acc));
	sat_buf_fini(&b);
	sat_buf_fini(&v);
	done(&m);
}

static void
authors_hand_over_their_own_work_and_no_other_s(void **state) /* P-166 */
{
	move m = moved(9);
	uint64_t seen = m.ann->cursor;
	sat_op mixed[2];

	(void)state;
	device_sync(m.ann); /* she knows by now that it is gone */
	m.w->now_ms += 500 * HOUR_MS;
	(void)hand_by(m.ann, &m.acc, m.ann->ord, "ann", seen);
	(void)hand_by(m.ann, &m.acc, m.bob->ord, "ann", seen);
	(void)hand_by(m.ann, &m.acc, m.ann->ord, "bob", seen);
	(void)hand_by(m.ann, &m.acc, m.ann->ord, "ann", m.ann->cursor);
	(void)hand_by(m.sue, &m.acc, m.sue->ord, "sue", 0);
	SYNC(m.ann, m.sue);
	assert_int_equal(SAT_VD_OK, m.ann->out[m.ann->nout - 4].code);
	for (size_t i = 1; i < 4; i++)
		assert_int_equal(SAT_VD_REJECTED,
		    m.ann->out[m.ann->nout - i].code);
	assert_int_equal(SAT_VD_REJECTED, m.sue->out[m.sue->nout - 1].code);
	device_sync(m.bob);
	assert_int_equal(1, nhanded(m.bob, &m.acc));
	/* nothing rides along */
	mixed[0] = m.ann->out[m.ann->nout - 4].c.ops[0];
	mixed[1] = op_set(&m.acc, K_ACCOUNT, SAT_OP_SET, A_REMARK, txt("x"));
	(void)device_commit(m.ann, &m.acc, mixed, 2);
	device_sync(m.ann);
	assert_int_equal(SAT_VD_REJECTED, m.ann->out[m.ann->nout - 1].code);
	done(&m);
}

/* ---- operations of a later release ------------------------------------------------------- */

static void
later_operations_need_the_right_to_edit_and_reach_every_device(void **state)
{
	move m = moved(10);
	sat_op x = op_set(&m.acc, K_ACCOUNT, (sat_op_kind)40, A_OWNER,
	    txt("ann"));
	sat_arena a = { 0 };
	device *all[] = { m.bob, m.max, m.sue };
	sat_err err = { 0 };

	(void)state;
	(void)device_opp(m.max, &m.acc, "deal", "sue");
	SYNC(m.max, m.sue);
	(void)device_commit(m.bob, &m.acc, &x, 1); /* his: kept */
	device_sync(m.bob);
	assert_int_equal(SAT_VD_OK, m.bob->out[m.bob->nout - 1].code);
	(void)device_commit(m.sue, &m.acc, &x, 1); /* she may only look */
	device_sync(m.sue);
	assert_int_equal(SAT_VD_REJECTED, m.sue->out[m.sue->nout - 1].code);
	(void)device_commit(m.ann, &m.acc, &x, 1); /* was hers, at `seen` */
	device_sync(m.ann);
	assert_int_equal(SAT_VD_OK_LATE, m.ann->out[m.ann->nout - 1].code);
	for (size_t i = 0; i < 3; i++) {
		sat_record r;
		sat_later *l;

		device_sync(all[i]);
		assert_ok(sat_record_read(&r, &a, sat_buf_span(&device_find(
		    all[i], &m.acc, 0)->state), &err));
		assert_int_equal(2, sat_record_later(&l, &a, &r));
		assert_true(sat_value_eq(txt("bob"),
		    sat_record_value(&r, A_OWNER)));
	}
	sat_arena_fini(&a);
	done(&m);
}

static uint32_t
spoken(device *d, uint32_t min, uint32_t max, sat_err *why)
{
	sat_msg m = { .type = SAT_MSG_HELLO };
	sat_buf q = { 0 }, reply = { 0 };
	sat_arena a = { 0 };
	uint32_t proto = 0;
	sat_err err = { 0 };

	m.u.hello = (sat_hello){ .proto_min = min, .proto_max = max,
		.device = d->ord, .incarnation = 1,
		.wall_ms = d->w->now_ms, .features = UINT64_MAX };
	sat_msg_write(&q, &m);
	sat_buf_str(&q, "what a later release adds");
	assert_ok(sat_server_handle(d->w->server, &d->link, &reply,
	    sat_buf_span(&q), &err));
	assert_ok(sat_msg_read(&m, &a, sat_buf_span(&reply), &err));
	if (m.type == SAT_MSG_ERROR) {
		(void)sat_msg_to_err(&m.u.error, why);
	} else {
		assert_int_equal(SAT_MSG_WELCOME, m.type);
		assert_int_equal(SAT_FEATURES, m.u.welcome.features);
		proto = m.u.welcome.proto;
	}
	sat_arena_fini(&a);
	sat_buf_fini(&q);
	sat_buf_fini(&reply);
	return proto;
}

static void
a_peer_of_another_release_in_range_is_served(void **state) /* P-071 */
{
	move m = moved(11);
	sat_err err = { 0 };

	(void)state;
	assert_int_equal(SAT_PROTO_VERSION, spoken(m.bob, SAT_PROTO_VERSION,
	    SAT_PROTO_VERSION + 3, &err));
	assert_int_equal(SAT_PROTO_MIN, spoken(m.bob, 0, SAT_PROTO_MIN, &err));
	assert_int_equal(0, spoken(m.bob, SAT_PROTO_VERSION + 1,
	    SAT_PROTO_VERSION + 3, &err));
	assert_int_equal(SAT_EVERSION, err.rc);
	done(&m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(within_the_grace_time_it_is_merged_beyond_it_is_suggested),
		cmocka_unit_test(a_clock_nobody_believes_has_no_grace),
		cmocka_unit_test(a_handover_asked_for_again_is_suggested_once),
		cmocka_unit_test(a_failed_transaction_suggests_nothing),
		cmocka_unit_test(what_goes_on_with_suggested_work_follows_it),
		cmocka_unit_test(nobody_is_shown_what_concerned_a_child_he_does_not_see),
		cmocka_unit_test(what_finds_no_room_is_refused_and_stays_with_its_author),
		cmocka_unit_test(who_may_edit_settles_and_nobody_else),
		cmocka_unit_test(its_author_hears_how_it_was_answered),
		cmocka_unit_test(no_suggestion_stands_on_what_is_only_suggested),
		cmocka_unit_test(authors_hand_over_their_own_work_and_no_other_s),
		cmocka_unit_test(a_peer_of_another_release_in_range_is_served),
		cmocka_unit_test(later_operations_need_the_right_to_edit_and_reach_every_device),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
