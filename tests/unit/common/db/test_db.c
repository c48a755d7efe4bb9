/*
 * The door to SQLite: statements, transactions, schema steps, copies, and
 * what a failure leaves behind. Everything runs twice, on encrypted files and
 * on plain ones.
 */
#include "tests/lib/unit.h"

#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/crypto/keyring.h"
#include "common/db/db.h"

static bool encrypted;

typedef struct fixture {
	char *dir, *path;
	sat_keyring *keyring; /* NULL: plain */
	sat_db *db;
} fixture;

static sat_db_open_opts
opts_of(const fixture *f)
{
	return (sat_db_open_opts){ .path = f->path,
		.keyring = f->keyring, .create = true };
}

static void
reopen(fixture *f)
{
	sat_db_open_opts o = opts_of(f);
	sat_err err;

	sat_db_close(f->db);
	f->db = NULL;
	assert_ok(sat_db_open(&f->db, &o, &err));
}

static int
setup(void **state)
{
	fixture *f = sat_xcalloc(1, sizeof *f);
	sat_err err;

	f->dir = sat_test_dir();
	f->path = sat_xasprintf("%s/t.db", f->dir);
	f->keyring = encrypted ? sat_keyring_memory(NULL) : NULL;
	reopen(f);
	assert_ok(sat_db_exec(f->db,
	    "CREATE TABLE t(id INTEGER PRIMARY KEY, a, b UNIQUE)", &err));
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	fixture *f = *state;

	sat_db_close(f->db);
	sat_keyring_close(f->keyring);
	sat_test_rmdir(f->dir);
	free(f->path);
	free(f);
	return 0;
}

static int64_t
ask(sat_db *db, const char *sql)
{
	sat_stmt *s;
	sat_err err;
	bool row;
	int64_t v;

	assert_ok(sat_db_stmt_text(&s, db, sql, &err));
	assert_ok(sat_step(&row, s, &err));
	assert_true(row);
	v = sat_col_int(s, 0);
	sat_stmt_reset(s);
	return v;
}

static void
add_row(sat_db *db, int64_t b)
{
	sat_stmt *s;
	sat_err err;

	assert_ok(sat_db_stmt_text(
	    &s, db, "INSERT INTO t(a, b) VALUES(?1, ?2)", &err));
	sat_bind_text(s, 1, sat_span_str("text"));
	sat_bind_int(s, 2, b);
	assert_ok(sat_run(s, &err));
}

static void
every_type_comes_back_as_it_was_bound(void **state)
{
	fixture *f = *state;
	sat_stmt *s;
	sat_err err;
	bool row;

	assert_ok(sat_db_stmt_text(
	    &s, f->db, "SELECT ?1, ?2, ?3, ?4, ?5, @six, 1.5 AS real", &err));
	sat_bind_int(s, 1, INT64_MIN);
	sat_bind_text(s, 2, sat_span_str("\xe8\xa1\x8c"));
	sat_bind_blob(s, 3, sat_span_of("\0x", 2));
	sat_bind_text(s, 4, (sat_span){ NULL, 0 });
	sat_bind_blob(s, 5, (sat_span){ NULL, 0 });
	assert_int_equal(6, sat_bind_index(s, "@six"));
	assert_int_equal(0, sat_bind_index(s, "@seven"));
	sat_bind_null(s, 6);
	assert_ok(sat_step(&row, s, &err));
	assert_true(row);
	assert_int_equal(7, sat_col_count(s));
	assert_true(sat_col_int(s, 0) == INT64_MIN);
	assert_true(sat_span_eq(sat_col_text(s, 1),
	    sat_span_str("\xe8\xa1\x8c")));
	assert_true(sat_span_eq(sat_col_blob(s, 2), sat_span_of("\0x", 2)));
	assert_int_equal('i', sat_col_type(s, 0));
	assert_int_equal('t', sat_col_type(s, 1));
	assert_int_equal('b', sat_col_type(s, 2));
	assert_int_equal('t', sat_col_type(s, 3)); /* empty, not NULL */
	assert_int_equal('b', sat_col_type(s, 4));
	assert_int_equal('n', sat_col_type(s, 5));
	assert_int_equal('f', sat_col_type(s, 6));
	assert_true(sat_col_null(s, 5));
	assert_string_equal("real", sat_col_name(s, 6));
	assert_ok(sat_step(&row, s, &err));
	assert_false(row);
}

static void
a_fetched_statement_has_lost_its_old_values(void **state)
{
	fixture *f = *state;
	sat_stmt *s, *again;
	sat_err err;
	bool row;

	assert_ok(sat_db_stmt_text(&s, f->db, "SELECT ?1", &err));
	sat_bind_int(s, 1, 7);
	assert_ok(sat_step(&row, s, &err));
	assert_ok(sat_db_stmt_text(&again, f->db, "SELECT ?1", &err));
	assert_ptr_equal(s, again);
	assert_ok(sat_step(&row, again, &err));
	assert_true(sat_col_null(again, 0));
	sat_stmt_reset(again);
	sat_stmt_reset(NULL);
}

static void
a_text_is_found_where_it_stands_until_it_moves(void **state)
{
	fixture *f = *state;
	char one[] = "SELECT 1", many[64];
	sat_stmt *s, *again;
	sat_err err;
	bool row;

	assert_ok(sat_db_stmt_kept(&s, f->db, one, &err));
	assert_ok(sat_db_stmt_kept(&again, f->db, one, &err));
	assert_ptr_equal(s, again);
	one[7] = '2'; /* as if another text had been put there */
	sat_db_texts_moved(f->db);
	assert_ok(sat_db_stmt_kept(&again, f->db, one, &err));
	assert_ptr_not_equal(s, again);
	/* one that was evicted is not found any more */
	for (int i = 0; i < 300; i++) {
		(void)snprintf(many, sizeof many, "SELECT %d + 7", i);
		assert_int_equal(i + 7, ask(f->db, many));
	}
	assert_ok(sat_db_stmt_kept(&s, f->db, one, &err));
	assert_ok(sat_step(&row, s, &err));
	assert_int_equal(2, sat_col_int(s, 0));
	sat_stmt_reset(s);
}

static void
the_cache_holds_many_texts_and_never_drops_one_with_a_row(void **state)
{
	fixture *f = *state;
	sat_stmt *kept, *s;
	char sql[64];
	sat_err err;
	bool row;
	int i, round;

	assert_ok(sat_db_stmt_text(&kept, f->db, "SELECT 41 + 1", &err));
	assert_ok(sat_step(&row, kept, &err));
	for (round = 0; round < 2; round++)
		for (i = 0; i < 600; i++) {
			(void)snprintf(sql, sizeof sql, "SELECT %d", i);
			assert_ok(sat_db_stmt_text(&s, f->db, sql, &err));
			assert_ok(sat_step(&row, s, &err));
			assert_int_equal(i, sat_col_int(s, 0));
			sat_stmt_reset(s);
		}
	assert_int_equal(42, sat_col_int(kept, 0));
	sat_stmt_reset(kept);
}

static void
numbered_statements_are_prepared_once(void **state)
{
	static const sat_sql table[] = { { "one", "SELECT 1" },
		{ "bad", "SELEKT" }, { NULL, NULL } };
	fixture *f = *state;
	sat_db_open_opts o = opts_of(f);
	sat_stmt *s, *again;
	sat_err err;

	o.sql = table;
	o.nsql = 2;
	sat_db_close(f->db);
	assert_ok(sat_db_open(&f->db, &o, &err));
	assert_ok(sat_db_stmt(&s, f->db, 0, &err));
	assert_ok(sat_db_stmt(&again, f->db, 0, &err));
	assert_ptr_equal(s, again);
	assert_rc(SAT_EFAIL, sat_db_stmt(&s, f->db, 1, &err));
	assert_non_null(strstr(err.text, "SELEKT"));
}

static void
a_rolled_back_transaction_leaves_nothing(void **state)
{
	fixture *f = *state;
	sat_err err;

	sat_db_rollback(f->db); /* none is open */
	assert_ok(sat_db_begin(f->db, &err));
	assert_true(sat_db_in_txn(f->db));
	add_row(f->db, 1);
	sat_db_rollback(f->db);
	assert_false(sat_db_in_txn(f->db));
	assert_int_equal(0, ask(f->db, "SELECT count(*) FROM t"));
	assert_ok(sat_db_begin(f->db, &err));
	add_row(f->db, 1);
	assert_int_equal(1, sat_db_last_rowid(f->db));
	assert_int_equal(1, sat_db_changes(f->db));
	assert_ok(sat_db_commit(f->db, &err));
	reopen(f);
	assert_int_equal(1, ask(f->db, "SELECT count(*) FROM t"));
}

typedef struct feeding {
	sat_db_value v[3];
	int64_t next, last;
	int asked;
} feeding;

static bool
next_fed(void *u)
{
	feeding *x = u;

	x->asked++;
	if (x->next > x->last)
		return false;
	x->v[0] = (sat_db_value){ 'i', x->next, { NULL, 0 } };
	x->v[1] = x->next % 2 == 0 ? (sat_db_value){ 0, 0, { NULL, 0 } } :
	    (sat_db_value){ 't', 0, sat_span_str("text") };
	x->v[2] = (sat_db_value){ 'b', 0, sat_span_of("0123456789",
	    (size_t)x->next) };
	x->next++;
	return true;
}

static void
rows_are_fed_by_one_statement_until_one_is_refused(void **state)
{
	static const char sql[] = "INSERT OR FAIL INTO t(id, a, b) "
	    "SELECT c0, c1, c2 FROM sat_rows";
	fixture *f = *state;
	feeding x = { .next = 0, .last = 9 };
	sat_db_rows rows = { next_fed, x.v, &x };
	sat_stmt *s;
	sat_err err;

	assert_ok(sat_db_exec(f->db, "INSERT INTO t(id) VALUES(6)", &err));
	assert_ok(sat_db_stmt_text(&s, f->db, sql, &err));
	assert_rc(SAT_ECONFLICT, sat_db_feed(s, &rows, &err));
	assert_int_equal(7, x.asked); /* 0 to 6 */
	assert_int_equal(7, ask(f->db, "SELECT count(*) FROM t"));
	assert_ok(sat_db_stmt_text(&s, f->db, sql, &err));
	assert_ok(sat_db_feed(s, &rows, &err));
	assert_int_equal(11, x.asked);
	assert_int_equal(10, ask(f->db, "SELECT count(*) FROM t"));
	assert_int_equal(5, ask(f->db, "SELECT count(*) FROM t "
	    "WHERE a = 'text'"));
	assert_int_equal(9, ask(f->db, "SELECT count(*) FROM t "
	    "WHERE typeof(b) = 'blob' AND length(b) = id"));
	/* Nothing is in it for anybody else. */
	assert_int_equal(0, ask(f->db, "SELECT count(*) FROM sat_rows"));
	reopen(f);
	assert_int_equal(10, ask(f->db, "SELECT count(*) FROM t"));
}

static void
a_broken_constraint_is_a_conflict_and_ends_no_transaction(void **state)
{
	fixture *f = *state;
	sat_err err;

	assert_ok(sat_db_begin(f->db, &err));
	add_row(f->db, 1);
	assert_rc(SAT_ECONFLICT,
	    sat_db_exec(f->db, "INSERT INTO t(b) VALUES(1)", &err));
	assert_true(sat_db_in_txn(f->db));
	add_row(f->db, 2);
	assert_ok(sat_db_commit(f->db, &err));
	assert_int_equal(2, ask(f->db, "SELECT count(*) FROM t"));
}

static void
a_commit_that_fails_leaves_no_transaction_open(void **state) /* D3 */
{
	fixture *f = *state;
	sat_err err;

	assert_ok(sat_db_exec(f->db, "PRAGMA foreign_keys = ON;"
	    "CREATE TABLE child(a REFERENCES t(id) "
	    "DEFERRABLE INITIALLY DEFERRED)", &err));
	assert_ok(sat_db_begin(f->db, &err));
	assert_ok(sat_db_exec(f->db, "INSERT INTO child VALUES(99)", &err));
	assert_rc(SAT_ECONFLICT, sat_db_commit(f->db, &err));
	assert_false(sat_db_in_txn(f->db));
	assert_int_equal(0, ask(f->db, "SELECT count(*) FROM child"));
}

static void
closing_and_abandoning_differ_only_in_the_open_transaction(void **state)
{
	fixture *f = *state;
	sat_db_open_opts o = opts_of(f);
	sat_err err;

	add_row(f->db, 1);
	assert_ok(sat_db_begin(f->db, &err));
	add_row(f->db, 2);
	sat_db_abandon(f->db);
	assert_ok(sat_db_open(&f->db, &o, &err));
	assert_int_equal(1, ask(f->db, "SELECT count(*) FROM t"));
}

static const sat_sql steps[] = {
	{ "0001_first.sql", "CREATE TABLE one(a); CREATE TABLE two(a);" },
	{ "0002_second.sql", "ALTER TABLE one ADD COLUMN b;" },
	{ "0003_broken.sql", "CREATE TABLE three(a); CREATE TABLE one(a);" },
};

static void
migration_runs_each_step_once_and_refuses_a_newer_file(void **state)
{
	fixture *f = *state;
	sat_err err;

	assert_ok(sat_db_migrate(f->db, steps, 1, &err));
	assert_int_equal(1, ask(f->db, "PRAGMA user_version"));
	assert_ok(sat_db_migrate(f->db, steps, 2, &err));
	assert_ok(sat_db_migrate(f->db, steps, 2, &err));
	assert_ok(sat_db_exec(f->db, "INSERT INTO one VALUES(1, 2)", &err));
	assert_rc(SAT_EVERSION, sat_db_migrate(f->db, steps, 1, &err));
	assert_int_equal(1, ask(f->db, "SELECT count(*) FROM one"));
}

static void
a_migration_step_that_fails_leaves_nothing_of_itself(void **state)
{
	fixture *f = *state;
	sat_err err;

	assert_rc(SAT_EFAIL, sat_db_migrate(f->db, steps, 3, &err));
	assert_false(sat_db_in_txn(f->db));
	assert_int_equal(2, ask(f->db, "PRAGMA user_version"));
	assert_int_equal(0, ask(f->db,
	    "SELECT count(*) FROM sqlite_schema WHERE name = 'three'"));
}

/* SQLite forbids use across a fork, so the child opens first. */
static void
a_second_process_is_told_that_the_file_is_held(void **state)
{
	fixture *f = *state;
	sat_db_open_opts o = opts_of(f);
	int up[2], down[2];
	sat_err err;
	char c = 'x';
	pid_t pid;

	sat_db_close(f->db);
	f->db = NULL;
	assert_int_equal(0, pipe(up) | pipe(down));
	pid = fork();
	if (pid == 0) {
		if (sat_db_open(&f->db, &o, &err) != SAT_OK ||
		    write(up[1], &c, 1) != 1 || read(down[0], &c, 1) != 1)
			_exit(1);
		_exit(0);
	}
	assert_int_equal(1, read(up[0], &c, 1));
	assert_rc(SAT_EBUSY, sat_db_open(&f->db, &o, &err));
	assert_null(f->db);
	assert_int_equal(1, write(down[1], &c, 1));
	assert_int_equal(pid, waitpid(pid, NULL, 0));
	assert_ok(sat_db_open(&f->db, &o, &err));
}

/* Insert and tell, until killed. */
static void
child_of(const fixture *f, int tell)
{
	sat_db_open_opts o = opts_of(f);
	int64_t n;
	sat_db *db;
	sat_err err;

	if (sat_db_open(&db, &o, &err) != SAT_OK)
		_exit(1);
	for (;;) {
		if (sat_db_exec(db, "INSERT INTO t(a) VALUES("
		    "hex(zeroblob(abs(random() % 4000))))", &err) != SAT_OK)
			_exit(2);
		n = sat_db_last_rowid(db);
		if (write(tell, &n, sizeof n) != (ssize_t)sizeof n)
			_exit(3);
	}
}

static void
a_killed_process_keeps_what_it_was_told(void **state) /* D1 */
{
	fixture *f = *state;
	uint64_t seed = sat_test_seed(5);
	sat_db_open_opts o = opts_of(f);
	sat_err err;
	int round, told[2];
	int64_t n, newest = 0;
	pid_t pid;

	for (round = 0; round < 6; round++) {
		sat_db_close(f->db);
		f->db = NULL;
		assert_int_equal(0, pipe(told));
		pid = fork();
		if (pid == 0)
			child_of(f, told[1]);
		(void)close(told[1]);
		/* It has begun: on a busy machine that may take a while. */
		assert_int_equal(sizeof n, read(told[0], &newest, sizeof n));
		(void)usleep(20000 + (unsigned)(sat_test_rand(&seed) % 60000));
		assert_int_equal(0, kill(pid, SIGKILL));
		assert_int_equal(pid, waitpid(pid, NULL, 0));
		while (read(told[0], &n, sizeof n) == (ssize_t)sizeof n)
			newest = n;
		(void)close(told[0]);
		assert_ok(sat_db_open(&f->db, &o, &err));
		assert_ok(sat_db_check(f->db, false, &err));
		n = ask(f->db, "SELECT count(*) FROM t");
		assert_in_range(n, newest, newest + 1);
	}
	assert_true(newest > 0);
}

static void
a_full_disk_is_told_and_survived(void **state) /* D4 */
{
	fixture *f = *state;
	sat_db_open_opts o = opts_of(f);
	char *dir = sat_xasprintf("%s/small", f->dir);
	char *path = sat_xasprintf("%s/s.db", dir);
	sat_err err = { 0 };
	int64_t n = 0;
	sat_db *db;

	if (mkdir(dir, 0700) != 0 ||
	    mount("none", dir, "tmpfs", 0, "size=400k") != 0) {
		free(path);
		free(dir);
		skip(); /* not root; test_vfs_log has the same on simfs */
	}
	o.path = path;
	assert_ok(sat_db_open(&db, &o, &err));
	assert_ok(sat_db_exec(db, "CREATE TABLE t(a)", &err));
	while (sat_db_exec(db, "INSERT INTO t VALUES(zeroblob(3000))", &err) ==
	    SAT_OK)
		n++;
	assert_rc(SAT_ENOSPACE, err.rc);
	assert_true(n > 10 && !sat_db_dead(db) && !sat_db_in_txn(db));
	assert_int_equal(n, ask(db, "SELECT count(*) FROM t"));
	sat_db_close(db);
	assert_ok(sat_db_open(&db, &o, &err)); /* on the full disk */
	assert_int_equal(n, ask(db, "SELECT count(*) FROM t"));
	assert_int_equal(0, mount("none", dir, "tmpfs", MS_REMOUNT,
	    "size=4m"));
	assert_ok(sat_db_exec(db, "INSERT INTO t VALUES(1)", &err));
	assert_ok(sat_db_check(db, false, &err));
	sat_db_close(db);
	assert_int_equal(0, umount(dir));
	free(path);
	free(dir);
}

static void
a_copy_is_complete_and_an_existing_target_is_kept(void **state)
{
	fixture *f = *state;
	sat_db_open_opts o = opts_of(f);
	char *to = sat_xasprintf("%s/copy.db", f->dir);
	sat_db *copy;
	sat_err err;

	add_row(f->db, 1);
	assert_ok(sat_db_copy(f->db, to, &err));
	add_row(f->db, 2);
	assert_rc(SAT_ECONFLICT, sat_db_copy(f->db, to, &err));
	o.path = to;
	o.create = false;
	assert_ok(sat_db_open(&copy, &o, &err));
	assert_ok(sat_db_check(copy, false, &err));
	assert_int_equal(1, ask(copy, "SELECT count(*) FROM t"));
	sat_db_close(copy);
	free(to);
}

static void
checks_and_checkpoints_succeed_on_a_sound_file(void **state)
{
	fixture *f = *state;
	sat_err err;

	add_row(f->db, 1);
	assert_ok(sat_db_checkpoint(f->db, &err));
	assert_ok(sat_db_check(f->db, false, &err));
	assert_ok(sat_db_check(f->db, true, &err));
	assert_string_equal(f->path, sat_db_path(f->db));
	assert_false(sat_db_dead(f->db));
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(every_type_comes_back_as_it_was_bound),
		T(a_fetched_statement_has_lost_its_old_values),
		T(a_text_is_found_where_it_stands_until_it_moves),
		T(the_cache_holds_many_texts_and_never_drops_one_with_a_row),
		T(numbered_statements_are_prepared_once),
		T(a_rolled_back_transaction_leaves_nothing),
		T(a_broken_constraint_is_a_conflict_and_ends_no_transaction),
		T(rows_are_fed_by_one_statement_until_one_is_refused),
		T(a_commit_that_fails_leaves_no_transaction_open),
		T(closing_and_abandoning_differ_only_in_the_open_transaction),
		T(migration_runs_each_step_once_and_refuses_a_newer_file),
		T(a_migration_step_that_fails_leaves_nothing_of_itself),
		T(a_second_process_is_told_that_the_file_is_held),
		T(a_killed_process_keeps_what_it_was_told),
		T(a_full_disk_is_told_and_survived),
		T(a_copy_is_complete_and_an_existing_target_is_kept),
		T(checks_and_checkpoints_succeed_on_a_sound_file),
	};

	int bad;

	sat_crypto_init();
	encrypted = true;
	bad = cmocka_run_group_tests_name("encrypted", tests, NULL, NULL);
	encrypted = false;
	return bad + cmocka_run_group_tests_name("plain", tests, NULL, NULL);
}
