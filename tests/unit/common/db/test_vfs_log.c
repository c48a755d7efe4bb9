#include "tests/unit/common/db/vfs_fixture.h"

/* ---- the log ------------------------------------------------------------- */

/* Five committed rows, one per transaction, all in the log only. */
static void
five_in_the_log(fixture *f)
{
	int i;

	fill(f, 3);
	close_it(f);
	open_it(f);
	for (i = 0; i < 5; i++)
		run(f, "INSERT INTO t(a, n) VALUES('" MARKER "', 1)");
	die(f);
}

static void
each_cut_of_the_last_two_frames_recovers_the_committed_prefix(void **state)
{
	fixture *f = *state;
	uint8_t *whole;
	const uint8_t *p;
	sat_err err;
	size_t n, cut;

	five_in_the_log(f);
	p = simfs_bytes(&n, f->fs, WAL);
	assert_int_equal(32 + 5 * FRAME, n); /* one frame per transaction */
	whole = sat_xmalloc(n);
	memcpy(whole, p, n);
	for (cut = 0; cut <= 2 * FRAME; cut += cut % FRAME < 60 ? 1 : 97) {
		simfs_put(f->fs, WAL, whole, n - cut);
		open_it(f);
		assert_int_equal(8 - (int64_t)((cut + FRAME - 1) / FRAME),
		    count(f));
		assert_ok(sat_db_check(f->db, false, &err));
		die(f);
	}
	free(whole);
}

static void
a_flipped_bit_in_the_log_ends_it_there(void **state) /* V4 */
{
	/* frame header, page body, nonce, tag */
	static const size_t spots[] = { 0, 7, 8, 23, 24, 2000, 24 + 4056,
		24 + 4080, 24 + 4095 };
	fixture *f = *state;
	sat_err err;
	size_t i, frame;

	five_in_the_log(f);
	for (frame = 0; frame < 5; frame++)
		for (i = 0; i < sizeof spots / sizeof spots[0]; i++) {
			size_t at = 32 + frame * FRAME + spots[i];

			flip(f, WAL, at);
			open_it(f);
			assert_int_equal(3 + (int64_t)frame, count(f));
			assert_ok(sat_db_check(f->db, false, &err));
			/* two commits behind it: that was no torn end */
			assert_string_equal(frame <= 2 ? "wal-middle" : "",
			    fault_of(f).kind);
			die(f);
			flip(f, WAL, at);
		}
	open_it(f);
	assert_int_equal(8, count(f));
}

static void
a_log_that_changes_under_an_open_database_is_an_error(void **state) /* V4 */
{
	static const size_t spots[] = { 3, 20, 24 + 100, 24 + 4085 };
	fixture *f = *state;
	sat_db_open_opts o = { .path = MAIN, .keyring = f->keyring,
		.vfs_below = simfs_name(f->fs), .cache_kib = 8 };
	sat_err err = { 0 };
	int64_t v;
	size_t i;

	sat_db_close(f->db);
	assert_ok(sat_db_open(&f->db, &o, &err));
	fill(f, 40); /* far more than the cache holds, all in the log */
	for (i = 0; i < sizeof spots / sizeof spots[0]; i++) {
		size_t at = 32 + 20 * FRAME + spots[i];

		flip(f, WAL, at);
		assert_rc(SAT_EINTEGRITY,
		    ask(&v, f->db, "SELECT sum(length(a)) FROM t"));
		assert_string_equal("frame-auth", fault_of(f).kind);
		assert_int_equal(21, fault_of(f).page);
		flip(f, WAL, at);
		assert_rc(SAT_OK,
		    ask(&v, f->db, "SELECT sum(length(a)) FROM t"));
		assert_int_equal(40 * 3600, v);
	}
	simfs_cut(f->fs, WAL, 32 + 20 * FRAME + 500);
	assert_rc(SAT_EINTEGRITY,
	    ask(&v, f->db, "SELECT sum(length(a)) FROM t"));
	assert_string_equal("frame-cut", fault_of(f).kind);
}

/* The frames of a transaction that spilled are read back at its commit. Zeros
 * would be fine in recovery; here they would be committed. */
static void
a_frame_damaged_before_its_commit_is_not_committed(void **state) /* V4 */
{
	fixture *f = *state;
	sat_db_open_opts o = { .path = MAIN, .keyring = f->keyring,
		.vfs_below = simfs_name(f->fs), .cache_kib = 8 };
	sat_err err = { 0 };
	int64_t v, want;

	fill(f, 30);
	assert_rc(SAT_OK, ask(&want, f->db, "SELECT sum(n) FROM t"));
	close_it(f);
	assert_ok(sat_db_open(&f->db, &o, &err));
	run(f, "BEGIN; UPDATE t SET n = n + 1; UPDATE t SET n = n + 1");
	flip(f, WAL, 32 + 10 * FRAME + 2000);
	assert_rc(SAT_EINTEGRITY, sat_db_commit(f->db, &err));
	assert_false(sat_db_in_txn(f->db));
	assert_rc(SAT_OK, ask(&v, f->db, "SELECT sum(n) FROM t"));
	assert_int_equal(want, v);
	die(f);
	open_it(f);
	assert_rc(SAT_OK, ask(&v, f->db, "SELECT sum(n) FROM t"));
	assert_int_equal(want, v);
}

static void
frames_cannot_be_moved_within_the_log_or_into_another(void **state)
{
	fixture *f = *state;
	uint8_t two[FRAME], three[FRAME];
	const uint8_t *p;
	size_t n;

	five_in_the_log(f);
	p = simfs_bytes(&n, f->fs, WAL);
	memcpy(two, p + 32 + FRAME, FRAME);
	memcpy(three, p + 32 + 2 * FRAME, FRAME);
	simfs_poke(f->fs, WAL, 32 + FRAME, three, FRAME);
	simfs_poke(f->fs, WAL, 32 + 2 * FRAME, two, FRAME);
	open_it(f);
	assert_int_equal(4, count(f));
	die(f);
}

/* The chained checksum only guards recovery; a frame that is put in place of
 * another while the database is open is told by its sealed header alone. */
static void
a_frame_of_another_place_or_generation_is_refused_in_an_open_log(void **state)
{
	fixture *f = *state;
	sat_db_open_opts o = { .path = MAIN, .keyring = f->keyring,
		.vfs_below = simfs_name(f->fs), .cache_kib = 8 };
	size_t at = 32 + 10 * FRAME, n;
	uint8_t old[FRAME], kept[FRAME];
	const uint8_t *p;
	sat_err err = { 0 };
	int64_t v;

	sat_db_close(f->db);
	assert_ok(sat_db_open(&f->db, &o, &err));
	fill(f, 40);
	run(f, "UPDATE t SET n = 1"); /* each page is in the log twice */
	p = simfs_bytes(&n, f->fs, WAL);
	assert_true(n > at + 60 * FRAME);
	memcpy(old, p + at, FRAME);
	/* a later frame in place of an earlier one */
	memcpy(kept, p + at + 45 * FRAME, FRAME);
	simfs_poke(f->fs, WAL, at + 45 * FRAME, old, FRAME);
	assert_rc(SAT_EINTEGRITY,
	    ask(&v, f->db, "SELECT sum(n) + sum(length(a)) FROM t"));
	simfs_poke(f->fs, WAL, at + 45 * FRAME, kept, FRAME);
	assert_rc(SAT_OK, ask(&v, f->db, "SELECT sum(n) FROM t"));
	/* the same place, the generation before */
	assert_ok(sat_db_checkpoint(f->db, &err));
	run(f, "UPDATE t SET n = 2");
	simfs_poke(f->fs, WAL, at, old, FRAME);
	assert_rc(SAT_EINTEGRITY,
	    ask(&v, f->db, "SELECT sum(n) + sum(length(a)) FROM t"));
	assert_string_equal("frame-auth", fault_of(f).kind);
}

/* A big transaction in a tiny cache: pages are spilled, written again into
 * their frames, and their headers rewritten alone at commit. */
static void
spilled_frames_are_rewritten_and_survive(void **state)
{
	fixture *f = *state;
	sat_db_open_opts o = { .path = MAIN, .keyring = f->keyring,
		.vfs_below = simfs_name(f->fs), .cache_kib = 8 };
	sat_err err = { 0 };
	int64_t v;
	int round;

	sat_db_close(f->db);
	assert_ok(sat_db_open(&f->db, &o, &err));
	fill(f, 60);
	for (round = 0; round < 3; round++) {
		run(f, "BEGIN; UPDATE t SET n = n + 1; UPDATE t SET n = n + 1;"
		    "UPDATE t SET a = a || 'y' WHERE id % 2; COMMIT");
		die(f);
		assert_ok(sat_db_open(&f->db, &o, &err));
		assert_ok(sat_db_check(f->db, false, &err));
		assert_rc(SAT_OK, ask(&v, f->db, "SELECT sum(n) FROM t"));
		assert_int_equal(7 * 60 * 61 / 2 + 60 * 2 * (round + 1), v);
	}
}

/* Every change of a spilling transaction is a point where the process dies. */
static void
death_at_any_write_of_a_spilling_transaction_keeps_the_old_state(void **state)
{
	fixture *f = *state;
	sat_db_open_opts o = { .path = MAIN, .keyring = f->keyring,
		.vfs_below = simfs_name(f->fs), .cache_kib = 8 };
	sat_err err = { 0 };
	bool committed = false;
	int64_t v, want = 0;
	uint64_t at;

	fill(f, 30);
	assert_rc(SAT_OK, ask(&want, f->db, "SELECT sum(n) FROM t"));
	die(f);
	for (at = 0; !committed; at++) {
		assert_in_range(at, 0, 500);
		assert_ok(sat_db_open(&f->db, &o, &err));
		simfs_off_after(f->fs, at);
		committed = sat_db_exec(f->db, "BEGIN; UPDATE t SET n = n + 1;"
		    "UPDATE t SET n = n + 1; COMMIT", NULL) == SAT_OK;
		die(f);
		simfs_crash(f->fs);
		assert_ok(sat_db_open(&f->db, &o, &err));
		assert_ok(sat_db_check(f->db, false, &err));
		assert_rc(SAT_OK, ask(&v, f->db, "SELECT sum(n) FROM t"));
		if (v == want + 60)
			want = v; /* the last sync may have been reached */
		assert_int_equal(want, v);
		assert_true(!committed || v == want);
		die(f);
	}
	assert_true(at > 40);
}

/* ---- page 1 -------------------------------------------------------------- */

/* A checkpoint was torn: sectors of page 1 are old, new, or garbage, and the
 * log still holds all of it. */
static void
a_torn_or_trashed_page_1_does_not_cost_the_database(void **state) /* V5 */
{
	fixture *f = *state;
	uint64_t seed = sat_test_seed(3);
	uint8_t old[PAGE], torn[PAGE];
	const uint8_t *p;
	size_t n, i, sector;
	sat_err err;
	int round;

	fill(f, 3);
	close_it(f);
	memcpy(old, simfs_bytes(&n, f->fs, MAIN), PAGE);
	for (round = 0; round < 40; round++) {
		open_it(f);
		run(f, "CREATE TABLE IF NOT EXISTS u(a); DROP TABLE u");
		die(f); /* page 1 is in the log */
		p = simfs_bytes(&n, f->fs, MAIN);
		memcpy(torn, p, PAGE);
		for (sector = 0; sector < 8; sector++)
			switch (sat_test_rand(&seed) % 3) {
			case 0:
				memcpy(torn + sector * 512,
				    old + sector * 512, 512);
				break;
			case 1:
				for (i = 0; i < 512; i++)
					torn[sector * 512 + i] =
					    (uint8_t)sat_test_rand(&seed);
				break;
			default:
				break;
			}
		if (round == 0)
			memset(torn, 0xa5, 512); /* the first for certain */
		simfs_poke(f->fs, MAIN, 0, torn, PAGE);
		open_it(f);
		assert_int_equal(3, count(f));
		assert_ok(sat_db_check(f->db, false, &err));
		close_it(f);
		memcpy(old, simfs_bytes(&n, f->fs, MAIN), PAGE);
	}
}

/* A backup that stands in the place of its original has an id the keyring does
 * not list for it. Any sector behind the first may be torn. */
static void
a_restored_copy_survives_a_torn_page_1_as_well(void **state) /* V5 */
{
	fixture *f = *state;
	uint8_t torn[PAGE];
	size_t n;
	sat_err err;

	fill(f, 300);
	assert_ok(sat_db_copy(f->db, "backup/a.db", &err));
	close_it(f);
	simfs_remove(f->fs, MAIN);
	simfs_rename(f->fs, "backup/a.db", MAIN);
	open_it(f);
	run(f, "CREATE TABLE IF NOT EXISTS u(a); DROP TABLE u");
	die(f); /* page 1 is in the log */
	memcpy(torn, simfs_bytes(&n, f->fs, MAIN), PAGE);
	memset(torn + 1024, 0xa5, 512);
	simfs_poke(f->fs, MAIN, 0, torn, PAGE);
	open_it(f);
	assert_int_equal(300, count(f));
	assert_ok(sat_db_check(f->db, false, &err));
}

/* ---- nothing in the clear ------------------------------------------------ */

static bool
holds(const uint8_t *p, size_t n, const char *what)
{
	return n > 0 && memmem(p, n, what, strlen(what)) != NULL;
}

static void
no_file_holds_a_marker_after_a_crash(void **state) /* V3 */
{
	fixture *f = *state;
	const char *name;
	const uint8_t *p;
	unsigned files = 0;
	size_t i, n;

	run(f, "CREATE TABLE \"marker table " MARKER "\"(a)");
	run(f, "INSERT INTO t(a) VALUES('" MARKER "')");
	fill(f, 300);
	run(f, "UPDATE t SET a = a || '" MARKER "'");
	die(f);
	for (i = 0; (name = simfs_nth(f->fs, i)) != NULL; i++, files++) {
		p = simfs_bytes(&n, f->fs, name);
		assert_false(holds(p, n, MARKER));
		assert_false(holds(p, n, "CREATE TABLE"));
		assert_false(holds(p, n, "SQLite format"));
		p = simfs_durable(&n, f->fs, name);
		assert_false(holds(p, n, MARKER));
	}
	assert_true(files >= 2);
	open_it(f);
	assert_int_equal(301, count(f));
}

static void
a_copy_has_its_own_id_and_opens_under_the_same_keyring(void **state)
{
	fixture *f = *state;
	const uint8_t *a, *b;
	sat_err err;
	size_t n, i;

	fill(f, 50);
	assert_ok(sat_db_copy(f->db, "backup/a.db", &err));
	a = simfs_bytes(&n, f->fs, MAIN);
	b = simfs_durable(&n, f->fs, "backup/a.db");
	assert_memory_equal(a, "SEF1", 4);
	assert_memory_equal(b, "SEF1", 4);
	assert_memory_not_equal(a, b, 16);
	for (i = 0; simfs_nth(f->fs, i) != NULL; i++)
		assert_true(strcmp(simfs_nth(f->fs, i), "backup/a.db-wal")
		    != 0);
	close_it(f);
	simfs_crash(f->fs); /* the copy was durable */
	/* restore: the copy takes the place of the original */
	simfs_remove(f->fs, WAL);
	simfs_rename(f->fs, "backup/a.db", MAIN);
	open_it(f);
	assert_int_equal(50, count(f));
	assert_ok(sat_db_check(f->db, false, &err));
}

static void
a_copy_that_cannot_be_finished_leaves_nothing(void **state)
{
	fixture *f = *state;
	sat_err err = { 0 };
	uint64_t nth;
	bool done = false;

	fill(f, 20);
	for (nth = 1; !done; nth++) {
		assert_in_range(nth, 1, 200);
		simfs_fail(f->fs, SIMFS_WRITE, SIMFS_FULL, nth, false);
		done = sat_db_copy(f->db, "backup/x.db", &err) == SAT_OK;
		/* One write tears page 1 of the half-made copy. */
		assert_true(done || err.rc == SAT_ENOSPACE ||
		    err.rc == SAT_EINTEGRITY);
		assert_true(done == simfs_exists(f->fs, "backup/x.db"));
		assert_false(sat_db_dead(f->db));
	}
	assert_true(nth > 20);
	simfs_remove(f->fs, "backup/x.db");
	simfs_fail(f->fs, SIMFS_WRITE, SIMFS_NEVER, 1, false);
	for (done = false, nth = 1; !done; nth++) {
		simfs_fail(f->fs, SIMFS_SYNC, SIMFS_DROP, nth, false);
		done = sat_db_copy(f->db, "backup/x.db", &err) == SAT_OK;
		assert_true(done || err.rc == SAT_EIO);
		assert_true(done == simfs_exists(f->fs, "backup/x.db"));
		assert_false(simfs_exists(f->fs, "backup/x.db-again"));
		/* the original is another file */
		assert_false(sat_db_dead(f->db));
	}
	assert_true(nth > 2);
	assert_int_equal(20, count(f));
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(each_cut_of_the_last_two_frames_recovers_the_committed_prefix),
		T(a_flipped_bit_in_the_log_ends_it_there),
		T(a_log_that_changes_under_an_open_database_is_an_error),
		T(a_frame_damaged_before_its_commit_is_not_committed),
		T(frames_cannot_be_moved_within_the_log_or_into_another),
		T(a_frame_of_another_place_or_generation_is_refused_in_an_open_log),
		T(spilled_frames_are_rewritten_and_survive),
		T(death_at_any_write_of_a_spilling_transaction_keeps_the_old_state),
		T(a_torn_or_trashed_page_1_does_not_cost_the_database),
		T(a_restored_copy_survives_a_torn_page_1_as_well),
		T(no_file_holds_a_marker_after_a_crash),
		T(a_copy_has_its_own_id_and_opens_under_the_same_keyring),
		T(a_copy_that_cannot_be_finished_leaves_nothing),
	};

	sat_crypto_init();
	sat_log_level(SAT_ERROR + 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
