/* Hello, welcome, and pushes as the replica makes them. */
#include "tests/unit/client/replica/fixture.h"

#include "common/db/db.h"

/* ---- hello, welcome ------------------------------------------------------ */

static void
hello_says_where_the_device_is(void **state)
{
	fixture *f = *state;
	sat_hello h;
	sat_err err;

	new_account(f, "A", "1");
	srv_sync(f);
	assert_ok(f->ops.hello(f->ops.u, &h, &err));
	assert_int_equal(DEV, h.device);
	assert_int_equal(1, h.incarnation);
	assert_int_equal(1, h.cursor);
	assert_int_equal(1, h.registry_rev);
	assert_memory_equal(sat_replica_template_oid(f->r), h.template_oid,
	    sizeof h.template_oid);
}

static void
the_server_s_clock_is_learnt(void **state)
{
	fixture *f = *state;
	sat_welcome w = { .proto = 1 };
	sat_id id = new_account(f, "A", "1");
	sat_commit *log;
	size_t n;
	sat_err err;

	w.wall_ms = f->now_ms + 3600000 + 10;
	f->now_ms += 20;
	assert_ok(f->ops.welcome(f->ops.u, &w, f->now_ms - 20, &err));
	reopen(f); /* the offset is kept */
	set_text(f, id, F_CITY, "x");
	assert_ok(sat_replica_log(&log, &n, &f->a, f->r, 1, &err));
	assert_int_equal(f->now_ms + 3600000, sat_hlc_ms(log[0].hlc));
}

static bool
told_of_the_clock(fixture *f)
{
	sat_replica_status st;
	sat_err err;

	assert_ok(sat_replica_status_get(&st, f->r, &err));
	return st.clock_suspect;
}

static void
a_wrong_clock_is_told_to_who_only_looks(void **state) /* P-012 */
{
	fixture *f = *state;
	sat_welcome w = { .proto = 1 };
	int64_t now = f->now_ms;
	sat_err err;

	new_account(f, "A", "1");
	assert_false(told_of_the_clock(f));
	f->now_ms = now - 3600000;
	reopen(f);
	assert_true(told_of_the_clock(f));
	f->now_ms = now;
	assert_false(told_of_the_clock(f));
	/* far from the server's; the next sample ends it */
	w.wall_ms = now - 301000;
	assert_ok(f->ops.welcome(f->ops.u, &w, now, &err));
	reopen(f);
	assert_true(told_of_the_clock(f));
	w.wall_ms = now + 299000;
	assert_ok(f->ops.welcome(f->ops.u, &w, now, &err));
	assert_false(told_of_the_clock(f));
}

static void
what_a_backup_of_the_server_holds_leaves_the_outbox(void **state)
{
	fixture *f = *state;
	sat_welcome w = { .proto = 1, .durable = 2, .wall_ms = 1, .head = 3 };
	sat_id id = new_account(f, "A", "1");
	sat_commit *log;
	uint64_t commits;
	size_t n;
	sat_err err;

	set_text(f, id, F_CITY, "x");
	set_text(f, id, F_CITY, "y");
	srv_sync(f);
	set_text(f, id, F_CITY, "z");
	assert_ok(f->ops.welcome(f->ops.u, &w, 0, &err));
	assert_ok(sat_replica_log(&log, &n, &f->a, f->r, 0, &err));
	assert_int_equal(2, n); /* the waiting one, and lsn 3 */
	w.durable = 3;
	assert_ok(f->ops.welcome(f->ops.u, &w, 0, &err));
	assert_ok(sat_replica_log(&log, &n, &f->a, f->r, 0, &err));
	assert_int_equal(1, n);
	srv_sync(f);
	w.durable = w.head = 4;
	assert_ok(f->ops.welcome(f->ops.u, &w, 0, &err));
	assert_ok(sat_replica_log(&log, &n, &f->a, f->r, 0, &err));
	assert_int_equal(1, n); /* the newest carries the chain */
	reopen(f);
	assert_int_equal(5, set_text(f, id, F_CITY, "q"));
	srv_sync(f);
	assert_ok(sat_replica_verify_chain(f->r, 0, &commits, &err));
	assert_settled(f);
}

/* ---- push ---------------------------------------------------------------- */

static void
a_batch_is_one_run_of_the_chain_signed_at_its_head(void **state)
{
	fixture *f = *state;
	sat_id id = new_account(f, "A", "1");
	sat_push p, again;
	sat_commit *c;
	uint8_t head[SAT_HASH_BYTES], zero[SAT_HASH_BYTES] = { 0 };
	sat_buf b = { 0 };
	size_t n;
	sat_err err;

	set_text(f, id, F_CITY, "x");
	assert_ok(f->ops.outbox(f->ops.u, &f->a, &p, &c, &n, 0, &err));
	assert_int_equal(2, n);
	assert_int_equal(1, p.first_cseq);
	assert_memory_equal(zero, p.prev, sizeof zero);
	sat_commit_write_header(&b, &c[1]);
	sat_hash(head, sat_buf_span(&b));
	sat_buf_reset(&b);
	sat_batch_sign_bytes(&b, &sat_replica_identity_get(f->r)->org, DEV, 1, 1, 2, head);
	assert_true(sat_sign_ok(p.sig, sat_buf_span(&b),
	    sat_replica_identity_get(f->r)->sign_pk));
	sat_buf_fini(&b);
	/* asked again: the same bytes */
	assert_ok(f->ops.outbox(f->ops.u, &f->a, &again, &c, &n, 0, &err));
	assert_memory_equal(p.sig, again.sig, sizeof p.sig);
	assert_ok(f->ops.outbox(f->ops.u, &f->a, &again, &c, &n, 2, &err));
	assert_int_equal(1, n);
	assert_int_equal(2, again.first_cseq);
}

static void
a_batch_s_signature_is_kept_and_checked(void **state)
{
	fixture *f = *state;
	uint64_t n;
	sat_err err;

	new_account(f, "A", "1");
	new_account(f, "B", "2");
	srv_sync(f);
	assert_ok(sat_replica_verify_chain(f->r, 0, &n, &err));
	assert_int_equal(2, n);
	assert_ok(sat_db_exec(sat_replica_db(f->r), "UPDATE batch_sig SET "
	    "sig = zeroblob(64)", &err));
	assert_rc(SAT_EINTEGRITY, sat_replica_verify_chain(f->r, 0, &n, &err));
	assert_string_equal("replica.chain", err.code);
}

static void
a_lost_answer_costs_nothing(void **state)
{
	fixture *f = *state;
	sat_id id = new_account(f, "A", "1");

	assert_int_equal(1, srv_push(f, true));
	set_text(f, id, F_CITY, "x");
	assert_int_equal(2, srv_push(f, false));
	assert_int_equal(0, srv_push(f, false));
	assert_int_equal(2, f->srv.n);
	srv_pull(f);
	assert_false(view_of(f, id).pending);
	assert_settled(f);
}

static void
known_records_are_named_by_the_server_s_number(void **state)
{
	fixture *f = *state;
	sat_id id = new_account(f, "A", "1");
	sat_push p;
	sat_commit *c;
	size_t n;
	sat_err err;

	srv_sync(f);
	assert_int_equal(1, view_of(f, id).rec.eid);
	set_text(f, id, F_CITY, "x");
	assert_ok(f->ops.outbox(f->ops.u, &f->a, &p, &c, &n, 0, &err));
	assert_int_equal(1, c[0].ops[0].eid);
	assert_int_equal(1, c[0].subject_eid);
	reopen(f);
	srv_sync(f);
	assert_same_as_server(f);
}

static void
a_server_that_lost_commits_gets_them_again(void **state)
{
	fixture *f = *state;
	sat_id id = new_account(f, "A", "1");
	sat_push p;
	sat_commit *c;
	size_t n;
	sat_err err;

	set_text(f, id, F_CITY, "x");
	set_text(f, id, F_CITY, "y");
	srv_sync(f);
	assert_ok(f->ops.outbox(f->ops.u, &f->a, &p, &c, &n, 0, &err));
	assert_int_equal(0, n);
	assert_ok(f->ops.outbox(f->ops.u, &f->a, &p, &c, &n, 2, &err));
	assert_int_equal(2, n);
	assert_int_equal(2, p.first_cseq);
	assert_int_equal(0, c[0].ops[0].eid); /* its numbers may be lost too */
	assert_ok(f->ops.outbox(f->ops.u, &f->a, &p, &c, &n, 4, &err));
	assert_int_equal(0, n);
}

/* @return how many of them the first push takes; *behind: the one after it. */
static size_t
pushed_of(size_t *behind, fixture *f, size_t edits, size_t bytes)
{
	sat_id id = new_account(f, "A", "1");
	char text[400];
	sat_push p = { 0 };
	sat_commit *c;
	size_t n;
	sat_err err;

	srv_sync(f);
	assert_true(bytes < sizeof text);
	memset(text, 'x', bytes);
	text[bytes] = '\0';
	assert_ok(sat_replica_group_begin(f->r, &err));
	for (size_t i = 0; i < edits; i++) {
		text[0] = (char)('a' + i % 2); /* each is another one */
		set_text(f, id, F_CITY, text);
	}
	assert_ok(sat_replica_group_commit(f->r, &err));
	assert_ok(f->ops.outbox(f->ops.u, &f->a, &p, &c, &n, 0, &err));
	assert_ok(f->ops.outbox_behind(f->ops.u, &f->a, &p, &c, behind, &err));
	return n;
}

static void
short_commits_go_in_small_pushes_and_the_first_is_the_smallest(void **state)
{
	size_t behind;

	assert_int_equal(1024, pushed_of(&behind, *state, 3200, 20));
	assert_int_equal(2048, behind);
}

static void
long_commits_fill_a_push(void **state)
{
	size_t behind, n = pushed_of(&behind, *state, 4000, 300);

	assert_in_range(n, 2049, 3999); /* by bytes */
	assert_int_equal(4000 - n, behind);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		COMPLETE(hello_says_where_the_device_is),
		COMPLETE(the_server_s_clock_is_learnt),
		COMPLETE(a_wrong_clock_is_told_to_who_only_looks),
		COMPLETE(what_a_backup_of_the_server_holds_leaves_the_outbox),
		COMPLETE(a_batch_is_one_run_of_the_chain_signed_at_its_head),
		COMPLETE(a_batch_s_signature_is_kept_and_checked),
		COMPLETE(a_lost_answer_costs_nothing),
		COMPLETE(known_records_are_named_by_the_server_s_number),
		COMPLETE(a_server_that_lost_commits_gets_them_again),
		COMPLETE(
		    short_commits_go_in_small_pushes_and_the_first_is_the_smallest),
		COMPLETE(long_commits_fill_a_push),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
