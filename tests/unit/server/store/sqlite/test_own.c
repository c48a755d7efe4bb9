/* What the server decides itself: commits of its own (P-130). */
#include "tests/unit/server/store/sqlite/device.h"

#include "protocol/server_int.h"

static world *
small_world(uint64_t seed)
{
	return world_of(seed, "ann rep north, sue rep, max manager north, "
	    "hq hq");
}

/* One own commit with one operation, in a transaction of its own. */
static uint64_t
decide(world *w, const sat_id *rec, sat_op_kind kind, uint16_t field,
    sat_value v)
{
	sat_op op = op_set(rec, K_ACCOUNT, kind, field, v);
	uint64_t lsn = 0;
	sat_err err = { 0 };

	assert_ok(sat_srv_begin(w->server, &err));
	assert_ok(sat_srv_own(w->server, rec, &op, 1, &lsn, &err));
	assert_ok(sat_srv_commit(w->server, &err));
	return lsn;
}

static void
assert_field(device *d, const sat_id *id, uint16_t field, const char *want)
{
	held *h = device_find(d, id, 0);
	sat_arena a = { 0 };
	sat_value v;
	sat_record r;
	sat_err err = { 0 };

	assert_non_null(h);
	assert_ok(sat_record_read(&r, &a, sat_buf_span(&h->state), &err));
	v = sat_record_value(&r, field);
	assert_true(want == NULL ? v.type == SAT_V_NULL :
	    v.type == SAT_V_TEXT && sat_span_eq(v.s, sat_span_str(want)));
	sat_arena_fini(&a);
}

static void
every_device_folds_what_the_server_decides(void **state)
{
	world *w = small_world(1);
	device *ann = device_new(w, "ann"), *hq = device_new(w, "hq");
	device *late = device_new(w, "max");
	sat_id acc = device_account(ann, "first", "ann");

	(void)state;
	(void)device_edit(ann, &acc, &acc, K_ACCOUNT, SAT_OP_SET, A_NUMBER,
	    txt("C202701-P1-0001"));
	SYNC(ann, hq);
	(void)decide(w, &acc, SAT_OP_NUMBER, A_NUMBER, txt("C202701001"));
	SYNC(ann, hq);
	device_sync(late); /* by snapshot */
	assert_field(ann, &acc, A_NUMBER, "C202701001");
	assert_field(hq, &acc, SAT_SYS_ALIASES, "C202701-P1-0001");
	assert_field(late, &acc, SAT_SYS_ALIASES, "C202701-P1-0001");
	CHECK(ann, hq, late);
	world_verify(w);
	world_free(w);
}

/* The change of owner is a change of scope like anybody's. */
static void
a_record_the_server_releases_leaves_its_owner(void **state)
{
	world *w = small_world(2);
	device *ann = device_new(w, "ann"), *sue = device_new(w, "sue");
	sat_id acc = device_account(ann, "first", "ann");

	(void)state;
	SYNC(ann, sue);
	(void)decide(w, &acc, SAT_OP_RELEASE, A_OWNER, txt("north"));
	device_sync(ann);
	assert_null(device_find(ann, &acc, 0));
	(void)decide(w, &acc, SAT_OP_CLAIM, A_OWNER, txt("sue"));
	device_sync(sue);
	assert_field(sue, &acc, A_OWNER, "sue");
	assert_field(sue, &acc, SAT_SYS_POOL, NULL);
	CHECK(ann, sue);
	world_verify(w);
	world_free(w);
}

static void
own_commits_chain_on_after_a_restart(void **state) /* O1 */
{
	world *w = small_world(3);
	device *ann = device_new(w, "ann");
	sat_id acc = device_account(ann, "first", "ann");
	uint64_t a, b;

	(void)state;
	device_sync(ann);
	a = decide(w, &acc, SAT_OP_NUMBER, A_NUMBER, txt("C1"));
	b = decide(w, &acc, SAT_OP_NUMBER, A_NUMBER, txt("C2"));
	assert_int_equal(a + 1, b);
	world_stop(w);
	world_start(w);
	(void)decide(w, &acc, SAT_OP_NUMBER, A_NUMBER, txt("C3"));
	world_verify(w);
	device_sync(ann);
	assert_field(ann, &acc, A_NUMBER, "C3");
	device_check(ann);
	world_free(w);
}

/* O3: a device whose clock runs ahead does not hide what the server decides. */
static void
an_own_stamp_is_above_what_it_touches(void **state)
{
	world *w = small_world(4);
	device *ann = device_new(w, "ann");
	sat_arena a = { 0 };
	sat_record r;
	sat_err err = { 0 };
	sat_id acc;

	(void)state;
	ann->skew_ms = 50000;
	acc = device_account(ann, "first", "ann");
	device_sync(ann);
	(void)decide(w, &acc, SAT_OP_RELEASE, A_OWNER, txt("north"));
	device_sync(ann);
	assert_null(device_find(ann, &acc, 0));
	(void)decide(w, &acc, SAT_OP_CLAIM, A_OWNER, txt("ann"));
	device_sync(ann);
	assert_ok(sat_record_read(&r, &a, sat_buf_span(
	    &device_find(ann, &acc, 0)->state), &err));
	assert_true(sat_record_cell(&r, A_OWNER)->at.hlc > r.born.hlc);
	assert_true(r.born.hlc > sat_hlc_of_ms(w->now_ms + 40000));
	sat_arena_fini(&a);
	world_free(w);
}

static void
what_cannot_be_decided_leaves_nothing(void **state) /* O2 */
{
	world *w = small_world(5);
	device *ann = device_new(w, "ann");
	sat_id acc = device_account(ann, "first", "ann"), none = { { 9 } };
	sat_op op[2] = {
		op_set(&acc, K_ACCOUNT, SAT_OP_NUMBER, A_NUMBER, txt("C1")),
		op_set(&none, K_ACCOUNT, SAT_OP_NUMBER, A_NUMBER, txt("C2")),
	};
	uint64_t lsn;
	sat_err err = { 0 };

	(void)state;
	device_sync(ann);
	assert_ok(sat_srv_begin(w->server, &err));
	assert_ok(sat_srv_own(w->server, &acc, op, 1, &lsn, &err));
	assert_rc(SAT_EINTEGRITY, sat_srv_own(w->server, &acc, op, 2, &lsn,
	    &err));
	sat_srv_rollback(w->server);
	world_verify(w);
	device_sync(ann);
	assert_field(ann, &acc, A_NUMBER, NULL);
	device_check(ann);
	world_free(w);
}

/* What only the server may say is refused when a device says it (P-131). */
static void
a_device_cannot_speak_for_the_server(void **state)
{
	static const sat_op_kind kinds[] = { SAT_OP_NUMBER, SAT_OP_ERASE };
	world *w = small_world(6);
	device *ann = device_new(w, "ann");
	sat_id acc = device_account(ann, "first", "ann");
	own *o;

	(void)state;
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		(void)device_edit(ann, &acc, &acc, K_ACCOUNT, kinds[i],
		    kinds[i] == SAT_OP_NUMBER ? A_NUMBER : 0,
		    kinds[i] == SAT_OP_NUMBER ? txt("C1") : sat_v_null());
	(void)device_edit(ann, &acc, &acc, K_ACCOUNT, SAT_OP_SET, SAT_SYS_POOL,
	    txt("north"));
	device_sync(ann);
	assert_int_equal(1, ann->stats.accepted);
	for (size_t i = 1; i < ann->nout; i++) {
		o = &ann->out[i];
		assert_int_equal(SAT_VD_REJECTED, o->code);
	}
	assert_string_equal("denied", ann->out[1].slug);
	assert_string_equal("field.unknown", ann->out[3].slug);
	device_check(ann);
	world_verify(w);
	world_free(w);
}

static void
verify_finds_harm_in_the_servers_own_chain(void **state)
{
	static const char *const harm[] = {
		"UPDATE batch_sig SET sig = zeroblob(64) WHERE dev = 0",
		"DELETE FROM batch_sig WHERE dev = 0",
		"UPDATE chain SET head = zeroblob(32) WHERE dev = 0",
		"UPDATE log SET pack = substr(pack, 1, length(pack) - 1) || x'61' WHERE dev = 0",
	};
	uint64_t c, r;
	sat_err err = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof harm / sizeof harm[0]; i++) {
		world *w = small_world(7);
		device *ann = device_new(w, "ann");
		sat_id acc = device_account(ann, "first", "ann");

		device_sync(ann);
		(void)decide(w, &acc, SAT_OP_NUMBER, A_NUMBER, txt("C1"));
		world_verify(w);
		assert_ok(sat_db_exec(sat_sqlite_store_db(w->store), harm[i],
		    &err));
		if (sat_server_verify(w->server, &c, &r, &err) == SAT_OK)
			fail_msg("not found: %s", harm[i]);
		device_free(ann);
		world_free(w);
	}
}

static bool
cursor_of(void *u, const sat_sqlite_device *d)
{
	*(uint64_t *)u = d->cursor;
	return false;
}

static void
a_tick_writes_the_cursors_that_were_reported(void **state)
{
	world *w = small_world(8);
	device *ann = device_new(w, "ann");
	uint64_t cursor = 0;
	sat_err err = { 0 };

	(void)state;
	(void)device_account(ann, "first", "ann");
	device_sync(ann);
	device_sync(ann); /* reports where it stands now */
	assert_ok(sat_server_tick(w->server, w->now_ms, &err));
	assert_ok(sat_sqlite_devices(w->store, cursor_of, &cursor, &err));
	assert_int_equal(ann->cursor, cursor);
	w->fail_commit = SAT_EFSYNC;
	device_sync(ann);
	assert_rc(SAT_EFSYNC, sat_server_tick(w->server, w->now_ms, &err));
	world_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_device_folds_what_the_server_decides),
		cmocka_unit_test(a_record_the_server_releases_leaves_its_owner),
		cmocka_unit_test(own_commits_chain_on_after_a_restart),
		cmocka_unit_test(an_own_stamp_is_above_what_it_touches),
		cmocka_unit_test(what_cannot_be_decided_leaves_nothing),
		cmocka_unit_test(a_device_cannot_speak_for_the_server),
		cmocka_unit_test(verify_finds_harm_in_the_servers_own_chain),
		cmocka_unit_test(a_tick_writes_the_cursors_that_were_reported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
