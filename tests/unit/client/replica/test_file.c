/* Contents of files on a device, in a file that is not encrypted, so that its
 * bytes can be read. */
#include "tests/unit/client/replica/fixture.h"

#include "client/replica/file.h"
#include "client/replica/replica_int.h"

#define T_ACCOUNT 1
#define T_POINTS 8
#define T_FILES 17
#define CANARY "Quagga-canary-7711 "
#define SIZE (SAT_FILE_PIECE + 500)

#define DAY_MS ((int64_t)24 * 3600 * 1000)

static int
setup_plain(void **state)
{
	setup_in_plain(state, NULL, NULL);
	return 0;
}

static size_t
in_files(const fixture *f, const char *what)
{
	static const char *const tails[] = { "", "-wal" };
	size_t hits = 0, len = strlen(what);

	for (size_t i = 0; i < 2; i++) {
		char *path = sat_xasprintf("%s%s", f->path, tails[i]);
		FILE *in = fopen(path, "rbe");
		sat_buf b = { 0 };
		size_t n = 1;

		while (in != NULL && n > 0) {
			n = fread(sat_buf_room(&b, 65536), 1, 65536, in);
			b.n += n;
		}
		for (size_t k = 0; k + len <= b.n; k++)
			hits += memcmp(b.p + k, what, len) == 0;
		if (in != NULL)
			(void)fclose(in);
		sat_buf_fini(&b);
		free(path);
	}
	return hits;
}

static sat_buf
content(void)
{
	sat_buf b = { 0 };

	while (b.n < SIZE)
		sat_buf_str(&b, CANARY);
	b.n = SIZE;
	return b;
}

/* A follow-up that names it; named false: it does not. */
static sat_file_ref
note_with(fixture *f, sat_id account, const sat_buf *c, bool named)
{
	sat_file_ref ref = { .rec = sat_replica_new_id(f->r),
		.kind = f->activity, .customer = account };
	sat_buf t = { 0 };
	sat_op ops[4];

	sat_hash(ref.hash, sat_buf_span(c));
	sat_attachment_write(&t, ref.hash, c->n, sat_span_str("a.pdf"));
	ops[0] = op(f->activity, SAT_OP_NEW, ref.rec, 0, sat_v_null());
	ops[1] = op(f->activity, SAT_OP_SET, ref.rec, T_ACCOUNT,
	    sat_v_id(&account));
	ops[2] = op(f->activity, SAT_OP_SET, ref.rec, T_POINTS, text("sent"));
	ops[3] = op(f->activity, SAT_OP_SADD, ref.rec, T_FILES,
	    sat_v_text(sat_buf_span(&t)));
	write_ops(f, account, ops, named ? 4 : 3);
	sat_buf_fini(&t);
	return ref;
}

static sat_file_put
next(fixture *f, bool *wanted)
{
	sat_file_put p = { .bytes = 0 };
	sat_err err = { 0 };

	assert_ok(f->ops.file_next(f->ops.u, &f->a, &p, wanted, &err));
	return p;
}

static void
answer(fixture *f, sat_file_fate fate, uint64_t have)
{
	sat_file_taken t = { fate, have };
	sat_err err = { 0 };

	assert_ok(f->ops.file_taken(f->ops.u, &t, &err));
}

static void
assert_there(fixture *f, const sat_file_ref *ref, bool here, bool waits)
{
	bool is_here, is_waiting;
	sat_err err = { 0 };

	assert_ok(sat_replica_file_look(&is_here, &is_waiting, f->r, &ref->rec,
	    ref->hash, &err));
	assert_int_equal(here, is_here);
	assert_int_equal(waits, is_waiting);
}

static void
what_is_kept_is_there_after_a_death_and_a_group_undone_keeps_none(void **state)
{
	fixture *f = *state;
	sat_id x = new_account(f, "Okapi", "13800138000");
	sat_buf c = content(), got = { 0 };
	sat_file_ref ref = note_with(f, x, &c, true), other = ref;
	sat_err err = { 0 };

	assert_ok(sat_replica_group_begin(f->r, &err));
	assert_ok(sat_replica_file_keep(f->r, &ref, sat_buf_span(&c), true,
	    &err));
	sat_replica_group_rollback(f->r);
	assert_there(f, &ref, false, false);
	assert_rc(SAT_ENOTFOUND, sat_replica_file_read(&got, f->r, ref.hash,
	    &err));
	other.hash[0] ^= 1;
	assert_rc(SAT_EINVALID, sat_replica_file_keep(f->r, &other,
	    sat_buf_span(&c), true, &err));
	assert_ok(sat_replica_file_keep(f->r, &ref, sat_buf_span(&c), true,
	    &err));
	reopen(f);
	assert_there(f, &ref, true, true);
	assert_ok(sat_replica_file_read(&got, f->r, ref.hash, &err));
	assert_true(sat_span_eq(sat_buf_span(&c), sat_buf_span(&got)));
	assert_ok(sat_replica_check(f->r, false, &err));
	sat_buf_fini(&c);
	sat_buf_fini(&got);
}

static void
it_is_sent_from_where_the_server_is_and_kept_until_it_has_it(void **state)
{ /* P-440, P-442, P-443 */
	fixture *f = *state;
	sat_id x = new_account(f, "Okapi", "13800138000");
	sat_buf c = content();
	sat_file_ref ref = note_with(f, x, &c, true);
	sat_file_taken stuck = { SAT_FILE_MORE, SAT_FILE_PIECE };
	sat_file_put p;
	sat_err err = { 0 };
	bool wanted;

	assert_ok(sat_replica_file_keep(f->r, &ref, sat_buf_span(&c), true,
	    &err));
	p = next(f, &wanted);
	assert_true(wanted);
	assert_int_equal(0, p.data.n); /* how far? */
	assert_int_equal(SIZE, p.bytes);
	answer(f, SAT_FILE_MORE, SAT_FILE_PIECE); /* an earlier link's */
	p = next(f, &wanted);
	assert_int_equal(SAT_FILE_PIECE, p.at);
	assert_int_equal(500, p.data.n);
	assert_memory_equal(c.p + SAT_FILE_PIECE, p.data.p, 500);
	assert_rc(SAT_EPROTO, f->ops.file_taken(f->ops.u, &stuck, &err));
	/* put off: another session; refused while work waits: the same */
	answer(f, SAT_FILE_LATER, 0);
	(void)next(f, &wanted);
	assert_false(wanted);
	assert_there(f, &ref, true, true);
	reopen(f);
	(void)next(f, &wanted);
	assert_true(wanted);
	answer(f, SAT_FILE_REFUSED, 0);
	assert_there(f, &ref, true, true);
	reopen(f);
	(void)next(f, &wanted);
	answer(f, SAT_FILE_KEPT, SIZE);
	(void)next(f, &wanted);
	assert_false(wanted);
	assert_there(f, &ref, true, false);
	sat_buf_fini(&c);
}

static void
a_server_that_says_nonsense_ends_the_session_and_costs_nothing(void **state)
{ /* P-442 */
	static const uint64_t wrong[] = { 1, SAT_FILE_PIECE - 1, SIZE,
		2 * SAT_FILE_PIECE, SAT_ATTACHMENT_BYTES_MAX };
	fixture *f = *state;
	sat_id x = new_account(f, "Okapi", "13800138000");
	sat_buf c = content();
	sat_file_ref ref = note_with(f, x, &c, true);
	sat_file_put p;
	sat_err err = { 0 };
	bool wanted;

	assert_ok(sat_replica_file_keep(f->r, &ref, sat_buf_span(&c), true,
	    &err));
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		sat_file_taken t = { SAT_FILE_MORE, wrong[i] };

		(void)next(f, &wanted);
		assert_true(wanted);
		assert_rc(SAT_EPROTO, f->ops.file_taken(f->ops.u, &t, &err));
		assert_there(f, &ref, true, true);
		reopen(f);
	}
	p = next(f, &wanted);
	assert_true(wanted);
	assert_int_equal(0, p.at);
	sat_buf_fini(&c);
}

/* One session's turn of files: all answered with this. Returns how many FILE_PUT
 * there were. */
static size_t
session(fixture *f, sat_file_fate fate)
{
	sat_hello h;
	sat_err err = { 0 };
	bool wanted;
	size_t n = 0;

	assert_ok(f->ops.hello(f->ops.u, &h, &err));
	for ((void)next(f, &wanted); wanted; (void)next(f, &wanted)) {
		answer(f, fate, 0);
		assert_true(++n < 10);
	}
	return n;
}

/* A session that begins with a WELCOME: where the log is, what backups hold. */
static void
greeted(fixture *f, uint64_t head, uint64_t durable)
{
	sat_welcome w = { .scope_head = f->srv.n, .head = head,
		.durable = durable, .wall_ms = f->now_ms };
	sat_err err = { 0 };

	assert_ok(f->ops.welcome(f->ops.u, &w, f->now_ms, &err));
}

/* A content for a record that is not here (any more), with nothing under way. */
static sat_file_ref
left_behind(fixture *f, const sat_buf *c)
{
	sat_id x = new_account(f, "Okapi", "13800138000");
	sat_file_ref ref = { .rec = sat_replica_new_id(f->r),
		.kind = f->activity, .customer = x };
	sat_err err = { 0 };

	srv_sync(f);
	sat_hash(ref.hash, sat_buf_span(c));
	assert_ok(sat_replica_file_keep(f->r, &ref, sat_buf_span(c), true,
	    &err));
	return ref;
}

static void
the_only_copy_outlives_that_the_server_does_not_want_it(void **state)
{ /* F1, P-448 */
	fixture *f = *state;
	sat_buf c = content();
	sat_file_ref ref = left_behind(f, &c);

	assert_true(session(f, SAT_FILE_REFUSED) > 0);
	assert_there(f, &ref, true, true);
	f->now_ms += 29 * DAY_MS;
	assert_true(session(f, SAT_FILE_REFUSED) > 0);
	assert_there(f, &ref, true, true);
	reopen(f);
	/* its record came back: it is wanted, and then it is not, for once */
	assert_true(session(f, SAT_FILE_LATER) > 0);
	f->now_ms += 2 * DAY_MS;
	assert_true(session(f, SAT_FILE_REFUSED) > 0);
	assert_there(f, &ref, true, true);
	f->now_ms += 29 * DAY_MS;
	assert_true(session(f, SAT_FILE_REFUSED) > 0);
	assert_there(f, &ref, true, true);
	f->now_ms += 2 * DAY_MS;
	assert_true(session(f, SAT_FILE_REFUSED) > 0);
	assert_there(f, &ref, false, false);
	assert_int_equal(0, session(f, SAT_FILE_REFUSED));
	sat_buf_fini(&c);
}

static void
it_waits_as_long_as_others_may_give_back_its_record(void **state)
{ /* P-207, P-448 */
	fixture *f = *state;
	sat_buf c = content();
	sat_file_ref ref = left_behind(f, &c);
	sat_files_waiting w;
	sat_err err = { 0 };

	f->r->cert.until_ms = f->now_ms + 60 * DAY_MS;
	assert_true(session(f, SAT_FILE_REFUSED) > 0);
	f->now_ms += 59 * DAY_MS;
	assert_true(session(f, SAT_FILE_REFUSED) > 0);
	assert_there(f, &ref, true, true);
	assert_ok(sat_replica_files_waiting(&w, f->r, &err));
	assert_int_equal(1, w.n);
	assert_int_equal(SIZE, w.bytes);
	assert_int_equal(1, w.refused);
	f->now_ms += 2 * DAY_MS;
	assert_true(session(f, SAT_FILE_REFUSED) > 0);
	assert_there(f, &ref, false, false);
	assert_ok(sat_replica_files_waiting(&w, f->r, &err));
	assert_int_equal(0, w.n);
	sat_buf_fini(&c);
}

static void
what_was_given_stays_until_a_backup_holds_it(void **state) /* F3, P-448 */
{
	fixture *f = *state;
	sat_buf c = content();
	sat_file_ref ref = left_behind(f, &c);

	assert_int_equal(1, session(f, SAT_FILE_KEPT));
	assert_there(f, &ref, true, false);
	greeted(f, 100, 0); /* it was given at or below */
	assert_int_equal(0, session(f, SAT_FILE_KEPT));
	greeted(f, 101, 100); /* that backup may be of before */
	assert_int_equal(0, session(f, SAT_FILE_KEPT));
	assert_there(f, &ref, true, false);
	greeted(f, 102, 101);
	assert_int_equal(0, session(f, SAT_FILE_KEPT));
	assert_there(f, &ref, false, false);
	sat_buf_fini(&c);
}

static void
without_backups_what_was_given_goes_after_a_month(void **state) /* F3 */
{
	fixture *f = *state;
	sat_buf c = content();
	sat_file_ref ref = left_behind(f, &c);

	assert_int_equal(1, session(f, SAT_FILE_KEPT));
	f->now_ms += 29 * DAY_MS;
	greeted(f, 100, 0);
	assert_int_equal(0, session(f, SAT_FILE_KEPT));
	assert_there(f, &ref, true, false);
	f->now_ms += 2 * DAY_MS;
	greeted(f, 100, 0);
	assert_int_equal(0, session(f, SAT_FILE_KEPT));
	assert_there(f, &ref, false, false);
	sat_buf_fini(&c);
}

/* A session in which the server has these words about its record and its customer;
 * how often it was asked. */
static int
offered(fixture *f, const sat_file_ref *ref, sat_file_fate rec,
    sat_file_fate customer)
{
	sat_hello h = { .proto_min = 0 };
	sat_file_put p;
	bool wanted;
	int n = 0;
	sat_err err = { 0 };

	assert_ok(f->ops.hello(f->ops.u, &h, &err));
	for (p = next(f, &wanted); wanted; p = next(f, &wanted)) {
		sat_file_fate fate = sat_id_eq(&ref->rec, &p.rec) ? rec :
		    customer;

		answer(f, fate, fate == SAT_FILE_KEPT ? SIZE : 0);
		assert_true(++n < 10);
	}
	return n;
}

static void
what_its_record_has_not_is_offered_to_its_customer(void **state) /* P-449 */
{
	fixture *f = *state;
	sat_buf c = content();
	sat_file_ref ref = left_behind(f, &c);
	sat_file_put p;
	bool wanted;

	p = next(f, &wanted);
	assert_true(wanted);
	assert_true(sat_id_eq(&ref.rec, &p.rec));
	answer(f, SAT_FILE_REFUSED, 0);
	p = next(f, &wanted);
	assert_true(wanted);
	assert_true(sat_id_eq(&ref.customer, &p.rec));
	assert_int_equal(0, p.data.n); /* seldom wanted: asked first */
	answer(f, SAT_FILE_MORE, 0);
	p = next(f, &wanted);
	assert_true(sat_id_eq(&ref.customer, &p.rec));
	assert_int_equal(SAT_FILE_PIECE, p.data.n);
	answer(f, SAT_FILE_KEPT, SIZE);
	(void)next(f, &wanted);
	assert_false(wanted);
	/* the customer has it, be it for another reason; its record has not */
	assert_there(f, &ref, true, true);
	for (int day = 0; day < 29; day++) {
		f->now_ms += DAY_MS;
		assert_int_equal(2, offered(f, &ref, SAT_FILE_REFUSED,
		    SAT_FILE_KEPT));
		assert_there(f, &ref, true, true);
	}
	f->now_ms += 2 * DAY_MS / 24; /* taken over meanwhile */
	assert_int_equal(1, offered(f, &ref, SAT_FILE_KEPT, SAT_FILE_KEPT));
	assert_there(f, &ref, true, false);
	sat_buf_fini(&c);
}

static void
what_only_its_customer_has_is_let_go_after_a_month(void **state) /* P-448 */
{
	fixture *f = *state;
	sat_buf c = content();
	sat_file_ref ref = left_behind(f, &c);

	for (int day = 0; day < 31; day++) {
		assert_there(f, &ref, true, true);
		assert_int_equal(2, offered(f, &ref, SAT_FILE_REFUSED,
		    SAT_FILE_KEPT));
		f->now_ms += DAY_MS;
	}
	(void)offered(f, &ref, SAT_FILE_REFUSED, SAT_FILE_KEPT);
	assert_there(f, &ref, false, false);
	sat_buf_fini(&c);
}

/* What would name it was not told yet: each session asks. */
static void
a_small_one_is_sent_unasked_once(void **state) /* P-448 */
{
	fixture *f = *state;
	sat_id x = new_account(f, "Okapi", "13800138000");
	sat_buf c = content();
	sat_file_ref ref;
	sat_hello h;
	sat_err err = { 0 };
	bool wanted;

	c.n = 500;
	ref = note_with(f, x, &c, true);
	assert_ok(sat_replica_file_keep(f->r, &ref, sat_buf_span(&c), true,
	    &err));
	for (int i = 0; i < 3; i++) {
		assert_ok(f->ops.hello(f->ops.u, &h, &err));
		assert_int_equal(i == 0 ? c.n : 0,
		    next(f, &wanted).data.n);
		assert_true(wanted);
		answer(f, SAT_FILE_REFUSED, 0);
		(void)next(f, &wanted);
		assert_true(wanted);
		answer(f, SAT_FILE_REFUSED, 0);
		(void)next(f, &wanted);
		assert_false(wanted);
	}
	assert_ok(f->ops.hello(f->ops.u, &h, &err));
	(void)next(f, &wanted);
	answer(f, SAT_FILE_MORE, 0); /* now it is */
	assert_int_equal(c.n, next(f, &wanted).data.n);
	sat_buf_fini(&c);
}

static void
an_erasure_leaves_no_byte_of_it(void **state) /* P-446 */
{
	fixture *f = *state;
	sat_id x = new_account(f, "Okapi", "13800138000");
	sat_buf c = content();
	sat_file_ref ref = note_with(f, x, &c, true);
	sat_erasure gone = { .rev = 1, .subject = x, .lsn = 1, .at_ms = 5,
		.by = 1, .second = 2, .reason = sat_span_str("request 12") };
	sat_ledger l = { 0, 1, &gone, 1 };
	sat_err err = { 0 };

	assert_ok(sat_replica_file_keep(f->r, &ref, sat_buf_span(&c), true,
	    &err));
	assert_true(in_files(f, CANARY) > 0);
	assert_ok(f->ops.ledger_is(f->ops.u, &l, &err));
	assert_there(f, &ref, false, false);
	assert_int_equal(0, in_files(f, CANARY));
	sat_buf_fini(&c);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup_plain, teardown)

#define C(name) cmocka_unit_test_setup_teardown(name, setup_complete, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(what_is_kept_is_there_after_a_death_and_a_group_undone_keeps_none),
		T(it_is_sent_from_where_the_server_is_and_kept_until_it_has_it),
		T(a_server_that_says_nonsense_ends_the_session_and_costs_nothing),
		T(a_small_one_is_sent_unasked_once),
		T(an_erasure_leaves_no_byte_of_it),
		C(the_only_copy_outlives_that_the_server_does_not_want_it),
		C(it_waits_as_long_as_others_may_give_back_its_record),
		C(what_was_given_stays_until_a_backup_holds_it),
		C(without_backups_what_was_given_goes_after_a_month),
		C(what_its_record_has_not_is_offered_to_its_customer),
		C(what_only_its_customer_has_is_let_go_after_a_month),
	};

	sat_crypto_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
