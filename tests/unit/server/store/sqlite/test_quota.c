/* What one device may send (P-096). */
#include "tests/unit/server/store/sqlite/loss.h"

#include "protocol/server_int.h"

#define OPS 4096
#define HOLDS 300000 /* operations: 30 days of 10,000 */
#define HOLDS_BYTES ((uint64_t)30 * 50 << 20)
#define T_FILES 17

/* One commit of 4,096 increments. */
static void
write_many(device *d, const sat_id *acc)
{
	static sat_op ops[OPS];

	for (size_t i = 0; i < OPS; i++)
		ops[i] = op_set(acc, K_ACCOUNT, SAT_OP_ADD, A_VISITS,
		    sat_v_int(1));
	(void)device_commit(d, acc, ops, OPS);
}

static uint64_t
visits(world *w, device *d, const sat_id *acc)
{
	held *h = device_find(d, acc, 0);
	sat_arena a = { 0 };
	sat_record r;
	uint64_t n;
	sat_err err = { 0 };

	(void)w;
	assert_non_null(h);
	assert_ok(sat_record_read(&r, &a, sat_buf_span(&h->state), &err));
	n = (uint64_t)sat_record_value(&r, A_VISITS).i;
	sat_arena_fini(&a);
	return n;
}

static world *
two_people(void)
{
	return world_of(5, "ann rep north, hq hq");
}

static sat_used
used_by(world *w, const device *d)
{
	sat_store st = sat_sqlite_store_ops(w->store);
	sat_err err = { 0 };
	sat_used u;

	assert_ok(st.begin(st.u, &err));
	assert_ok(st.device_used_get(&u, st.u, d->ord, &err));
	st.rollback(st.u);
	return u;
}

/* As if it had sent so much just now. */
static void
use_both(world *w, const device *d, uint64_t ops, uint64_t bytes)
{
	sat_store st = sat_sqlite_store_ops(w->store);
	sat_used u = { .ops = ops, .bytes = bytes, .at_ms = w->now_ms };
	sat_err err = { 0 };

	assert_ok(st.begin(st.u, &err));
	assert_ok(st.device_used_put(st.u, d->ord, &u, &err));
	assert_ok(st.commit(st.u, &err));
}

static void
use(world *w, const device *d, uint64_t ops)
{
	use_both(w, d, ops, 1000);
}

static void
a_device_that_floods_waits_and_the_others_do_not(void **state)
{
	world *w = two_people();
	device *ann = device_new(w, "ann"), *hq = device_new(w, "hq");
	uint64_t sent;
	sat_id acc, other;

	(void)state;
	acc = device_account(ann, "first", "ann");
	ann->batch_max = 1;
	for (int i = 0; i < HOLDS / OPS + 3; i++)
		write_many(ann, &acc);
	device_sync(ann);
	/* the session ends well, has pulled, and says when to come again */
	assert_true(ann->stats.retry_after_s > 0);
	assert_true(ann->stats.retry_after_s < 2 * 86400);
	sent = ann->stats.pushed;
	assert_int_equal(1 + HOLDS / OPS, sent);
	assert_int_equal((sent - 1) * OPS, visits(w, ann, &acc));
	/* others are served meanwhile */
	other = device_account(hq, "second", "hq");
	device_sync(hq);
	assert_int_equal(0, hq->stats.retry_after_s);
	assert_int_equal((sent - 1) * OPS, visits(w, hq, &acc));
	assert_non_null(device_find(hq, &other, 0));
	/* also after a restart; a moment before its time, and at it */
	world_stop(w);
	world_start(w);
	w->now_ms += ((int64_t)ann->stats.retry_after_s - 2) * 1000;
	device_sync(ann);
	assert_int_equal(0, ann->stats.pushed);
	w->now_ms += (int64_t)ann->stats.retry_after_s * 1000;
	device_sync(ann);
	assert_true(ann->stats.pushed >= 1);
	world_free(w);
}

static void
what_is_sent_again_does_not_count(void **state)
{
	world *w = two_people();
	device *ann = device_new(w, "ann");
	sat_buf frame = { 0 }, reply = { 0 };
	sat_used before, after;
	sat_msg m = { .type = SAT_MSG_PUSH };
	sat_buf batch = { 0 };
	sat_arena a = { 0 };
	sat_commit *c;
	sat_err err = { 0 };
	sat_id acc = device_account(ann, "first", "ann");
	size_t n;

	(void)state;
	write_many(ann, &acc);
	assert_ok(op_outbox(ann, &a, &m.u.push, &c, &n, 1, &err));
	assert_ok(sat_batch_write(&batch, SAT_BATCH_PUSH, c, n, &err));
	m.u.push.batch = sat_buf_span(&batch);
	sat_msg_write(&frame, &m);
	device_sync(ann);
	before = used_by(w, ann);
	assert_int_equal(OPS + 3, before.ops);
	assert_true(before.bytes > OPS);
	for (int i = 0; i < 3; i++) {
		sat_buf_reset(&reply);
		assert_ok(sat_server_handle(w->server, &ann->link, &reply,
		    sat_buf_span(&frame), &err));
		assert_int_equal(SAT_MSG_VERDICTS, reply.p[0]);
	}
	after = used_by(w, ann);
	assert_memory_equal(&before, &after, sizeof before);
	sat_buf_fini(&frame);
	sat_buf_fini(&reply);
	sat_buf_fini(&batch);
	sat_arena_fini(&a);
	world_free(w);
}

static void
who_imports_may_send_more(void **state)
{
	world *w = two_people();
	device *hq = device_new(w, "hq");
	sat_id acc = device_account(hq, "first", "hq");

	(void)state;
	hq->batch_max = 8;
	for (int i = 0; i < HOLDS / OPS + 3; i++)
		write_many(hq, &acc);
	device_sync(hq);
	assert_int_equal(0, hq->stats.retry_after_s);
	assert_int_equal(HOLDS / OPS + 4, hq->stats.pushed);
	world_free(w);
}

static void
what_no_one_can_read_counts_as_well(void **state)
{
	world *w = two_people();
	device *ann = device_new(w, "ann");
	sat_id acc = device_account(ann, "first", "ann");

	(void)state;
	device_sync(ann);
	ann->seals = true;
	use(w, ann, HOLDS - 1);
	for (int i = 0; i < 3; i++) {
		write_many(ann, &acc);
		ann->spoilt = device_last(ann)->c.cseq;
		device_sync(ann);
		if (i == 0) { /* refused, and kept: one operation */
			assert_int_equal(SAT_VD_REJECTED,
			    device_last(ann)->code);
			assert_int_equal(0, ann->stats.retry_after_s);
		} else {
			assert_int_equal(0, ann->stats.pushed);
			assert_true(ann->stats.retry_after_s > 0);
		}
		assert_int_equal(HOLDS, used_by(w, ann).ops);
		assert_true(used_by(w, ann).bytes > 1000);
	}
	world_free(w);
}

static void
a_device_begins_no_chains_without_end(void **state)
{
	world *w = two_people();
	device *ann = device_new(w, "ann");
	uint64_t used = 0;
	uint32_t inc = 1;
	sat_id acc = device_account(ann, "first", "ann");

	(void)state;
	device_sync(ann);
	assert_int_equal(3, used_by(w, ann).ops); /* the first is free */
	do {
		assert_int_equal(used, (inc - 1) * (10000 / 4 + 1));
		(void)device_edit(ann, &acc, &acc, K_ACCOUNT, SAT_OP_ADD,
		    A_VISITS, sat_v_int(1));
		device_move(ann, ++inc);
		device_sync(ann);
		used = used_by(w, ann).ops - 3;
	} while (ann->stats.retry_after_s == 0);
	assert_int_equal(inc - 1, 30 * 4);
	assert_true(ann->stats.retry_after_s <= 86400 / 4);
	/* nobody is shut out: four days, sixteen of them */
	w->now_ms += (int64_t)4 * 86400 * 1000;
	for (int i = 0; i < 16; i++) {
		device_sync(ann);
		assert_int_equal(0, ann->stats.retry_after_s);
		assert_int_equal(1, ann->stats.pushed);
		(void)device_edit(ann, &acc, &acc, K_ACCOUNT, SAT_OP_ADD,
		    A_VISITS, sat_v_int(1));
		device_move(ann, ++inc);
	}
	assert_int_equal(16 + 119, visits(w, ann, &acc));
	world_free(w);
}

static void
what_keeps_the_server_busy_counts_as_more(void **state)
{
	static const struct {
		int64_t ms;
		uint64_t more;
	} cases[] = { { 0, 0 }, { 1000 + OPS, 0 }, { 1000 + OPS + 7, 7 },
		{ 60000, 60000 - 1000 - OPS } };
	world *w = two_people();
	device *ann = device_new(w, "ann");
	sat_id acc = device_account(ann, "first", "ann");

	(void)state;
	device_sync(ann);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		use(w, ann, 10);
		write_many(ann, &acc);
		w->slow_ms = cases[i].ms;
		device_sync(ann);
		w->slow_ms = 0;
		assert_int_equal(10 + OPS + cases[i].more,
		    used_by(w, ann).ops);
	}
	/* a machine that stood still for a year: a day to wait, not one more */
	write_many(ann, &acc);
	w->slow_ms = (int64_t)365 * 86400 * 1000;
	device_sync(ann);
	w->slow_ms = 0;
	assert_int_equal(HOLDS + 10000, used_by(w, ann).ops);
	assert_int_equal(0, ann->stats.retry_after_s);
	(void)device_edit(ann, &acc, &acc, K_ACCOUNT, SAT_OP_ADD, A_VISITS,
	    sat_v_int(1));
	device_sync(ann);
	assert_int_equal(0, ann->stats.pushed);
	assert_true(ann->stats.retry_after_s <= 86400 + 10);
	w->now_ms += (int64_t)ann->stats.retry_after_s * 1000;
	device_sync(ann);
	assert_int_equal(1, ann->stats.pushed);
	assert_int_equal(OPS * 5 + 1, visits(w, ann, &acc));
	world_free(w);
}

static void
what_a_lost_server_had_taken_may_fill_it_once_more(void **state)
{
	(void)state;
	for (unsigned times = 1; times <= 2; times++) {
		company c = company_new(sat_test_seed(40));
		sat_epoch e;
		uint64_t used;
		sat_id acc = device_account(c.ann, "first", "ann");

		sync_all(&c);
		take_backup(&c);
		write_many(c.ann, &acc);
		write_many(c.ann, &acc);
		device_sync(c.ann);
		e = lose(&c, 1000000, SAT_SEED_HQ);
		follow(c.ann, &e);
		use(c.w, c.ann, times * HOLDS - 10);
		device_sync(c.ann);
		used = used_by(c.w, c.ann).ops;
		if (times == 1) {
			assert_int_equal(2, c.ann->stats.pushed);
			assert_int_equal(0, c.ann->stats.retry_after_s);
			assert_true(used > HOLDS + OPS);
		} else {
			assert_int_equal(0, c.ann->stats.pushed);
			assert_true(c.ann->stats.retry_after_s > 0);
			assert_true(used <= 2 * HOLDS);
		}
		company_free(&c);
	}
}

/* A note that names a content of these bytes. */
static sat_id
note_of(device *d, sat_span content)
{
	sat_id acc = device_account(d, "first", "ann"), note;
	uint8_t hash[SAT_HASH_BYTES];
	sat_buf ref = { 0 };

	sat_hash(hash, content);
	sat_attachment_write(&ref, hash, content.n, sat_span_str("a.pdf"));
	note = device_activity(d, &acc, "sent");
	(void)device_edit(d, &acc, &note, K_ACTIVITY, SAT_OP_SADD, T_FILES,
	    txt(sat_buf_cstr(&ref)));
	device_sync(d);
	assert_false(sat_vd_refused(device_last(d)->code));
	sat_buf_fini(&ref);
	return note;
}

static sat_file_fate
put_content(device *d, const sat_id *note, sat_span content)
{
	sat_msg m = { .type = SAT_MSG_FILE_PUT };
	sat_arena a = { 0 };
	sat_err err;

	m.u.file_put = (sat_file_put){ .rec = *note, .bytes = content.n,
		.data = content };
	sat_hash(m.u.file_put.hash, content);
	assert_ok(device_say(&m, &a, d, &err));
	assert_int_equal(SAT_MSG_FILE_TAKEN, m.type);
	sat_arena_fini(&a);
	return m.u.file_taken.fate;
}

static void
contents_a_lost_server_had_may_fill_it_once_more(void **state)
{
	static const struct {
		uint64_t times;  /* it is full */
		int64_t late_ms; /* behind the end of the window */
		sat_file_fate fate;
	} cases[] = { { 1, 0, SAT_FILE_KEPT }, { 2, 0, SAT_FILE_LATER },
		{ 1, 1, SAT_FILE_LATER } };
	const sat_span content = sat_span_str("what a photo shows");

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		company c = company_new(sat_test_seed(42));
		sat_id note = note_of(c.ann, content);
		sat_epoch e;

		sync_all(&c);
		take_backup(&c);
		use_both(c.w, c.ann, 0, HOLDS_BYTES);
		assert_int_equal(SAT_FILE_LATER, put_content(c.ann, &note,
		    content));
		use(c.w, c.ann, 0);
		assert_int_equal(SAT_FILE_KEPT, put_content(c.ann, &note,
		    content));
		e = lose(&c, 1000000, SAT_SEED_HQ);
		follow(c.ann, &e);
		device_sync(c.ann);
		if (cases[i].late_ms > 0)
			c.w->now_ms = e.until_ms + cases[i].late_ms;
		use_both(c.w, c.ann, 0, cases[i].times * HOLDS_BYTES);
		assert_int_equal(cases[i].fate, put_content(c.ann, &note,
		    content));
		company_free(&c);
	}
}

/* The templates promise that one batch fits into what adds up. */
static void
what_a_chain_costs_leaves_room_for_its_first_push(void **state)
{
	world *w = two_people();
	device *ann = device_new(w, "ann");
	sat_store st = sat_sqlite_store_ops(w->store);
	const sat_user *user = sat_registry_user(
	    sat_server_registry(w->server), sat_span_str("ann"));
	sat_spent x = { .ops = HOLDS - 100, .bytes = 1, .begins = true };
	sat_used used;
	sat_err err = { 0 };

	(void)state;
	assert_ok(st.begin(st.u, &err));
	assert_ok(sat_srv_quota(&used, w->server, ann->ord, user, &x, &err));
	assert_int_equal(HOLDS, used.ops);
	x.ops = HOLDS;
	assert_ok(sat_srv_quota(&used, w->server, ann->ord, user, &x, &err));
	assert_int_equal(HOLDS, used.ops);
	x.ops = 1;
	assert_ok(sat_srv_quota(&used, w->server, ann->ord, user, &x, &err));
	assert_int_equal(1 + 10000 / 4, used.ops);
	st.rollback(st.u);
	world_free(w);
}

/* It came back slowly, and stood still: a day to wait, and not a second month. */
static void
a_server_that_came_back_slowly_shuts_nobody_out(void **state)
{
	company c = company_new(sat_test_seed(41));
	sat_epoch e;
	sat_id acc = device_account(c.ann, "first", "ann");

	(void)state;
	sync_all(&c);
	take_backup(&c);
	write_many(c.ann, &acc);
	device_sync(c.ann);
	e = lose(&c, 1000000, SAT_SEED_HQ);
	follow(c.ann, &e);
	c.w->slow_ms = (int64_t)365 * 86400 * 1000;
	device_sync(c.ann);
	c.w->slow_ms = 0;
	assert_int_equal(HOLDS + 10000, used_by(c.w, c.ann).ops);
	(void)device_edit(c.ann, &acc, &acc, K_ACCOUNT, SAT_OP_ADD, A_VISITS,
	    sat_v_int(1));
	device_sync(c.ann);
	assert_in_range(c.ann->stats.retry_after_s, 1, 86400 + 10);
	company_free(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_device_that_floods_waits_and_the_others_do_not),
		cmocka_unit_test(what_is_sent_again_does_not_count),
		cmocka_unit_test(who_imports_may_send_more),
		cmocka_unit_test(what_no_one_can_read_counts_as_well),
		cmocka_unit_test(a_device_begins_no_chains_without_end),
		cmocka_unit_test(what_keeps_the_server_busy_counts_as_more),
		cmocka_unit_test(what_a_lost_server_had_taken_may_fill_it_once_more),
		cmocka_unit_test(contents_a_lost_server_had_may_fill_it_once_more),
		cmocka_unit_test(what_a_chain_costs_leaves_room_for_its_first_push),
		cmocka_unit_test(a_server_that_came_back_slowly_shuts_nobody_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
