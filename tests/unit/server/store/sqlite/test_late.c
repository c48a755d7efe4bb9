/*
 * States of records that reach their rows late: what a reader sees, what a
 * rollback and a death leave, and how a core makes it again.
 */
#include "tests/unit/server/store/sqlite/device.h"

#include "server_store_sqlite_sql.h"

#define WINDOW 10
#define RECS 6

typedef struct fixture {
	char *dir, *path;
	sat_sqlite_store *s;
	sat_store o;
	sat_arena a;
	uint64_t lsn;
} fixture;

static int64_t
noon(void *u)
{
	(void)u;
	return 1800000000000;
}

static void
start(fixture *f)
{
	sat_sqlite_store_opts o = { .path = f->path, .create = true,
		.clock = { noon, noon, NULL }, .rec_window = WINDOW };
	sat_err err = { 0 };

	assert_ok(sat_sqlite_store_open(&f->s, &o, &err));
	f->o = sat_sqlite_store_ops(f->s);
}

static int
setup(void **state)
{
	fixture *f = sat_xcalloc(1, sizeof *f);

	sat_crypto_init();
	f->dir = sat_test_dir();
	f->path = sat_xasprintf("%s/server.db", f->dir);
	start(f);
	f->o.rec_whole(f->o.u);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	fixture *f = *state;

	sat_sqlite_store_close(f->s);
	sat_arena_fini(&f->a);
	sat_test_rmdir(f->dir);
	free(f->path);
	free(f);
	return 0;
}

static sat_id
id_of(uint32_t eid)
{
	return sat_id_make(1, (uint16_t)eid, (const uint8_t *)"recordre");
}

static void
put(fixture *f, uint32_t eid, const char *text, bool late)
{
	sat_rec_row r = { .eid = eid, .id = id_of(eid), .kind = 1, .root = eid,
		.owner = sat_span_str("ann"), .state = sat_span_str(text),
		.late = late };
	sat_err err = { 0 };

	assert_ok(f->o.rec_put(f->o.u, &r, &err));
}

/* A commit of the log, as every change of a record is. */
static void
logged(fixture *f)
{
	sat_log_row row = { .lsn = ++f->lsn, .header = sat_span_str("head"),
		.payload = sat_span_str("load") };
	sat_err err = { 0 };

	assert_ok(f->o.log_put(f->o.u, &row, 3, 1, f->lsn, &err));
	assert_ok(f->o.counter_put(f->o.u, SAT_N_LSN, f->lsn, &err));
}

static void
begin(fixture *f)
{
	sat_err err = { 0 };

	assert_ok(f->o.begin(f->o.u, &err));
}

static void
commit(fixture *f)
{
	sat_err err = { 0 };

	assert_ok(f->o.commit(f->o.u, &err));
}

static void
make_all(fixture *f)
{
	begin(f);
	for (uint32_t i = 1; i <= RECS; i++)
		put(f, i, "born", false);
	logged(f);
	commit(f);
}

static bool
join(void *u, const sat_rec_row *row)
{
	sat_buf_add(u, row->state.p, row->state.n);
	sat_buf_str(u, " ");
	return true;
}

/* What all four ways of reading say of eid. */
static void
assert_reads(fixture *f, uint32_t eid, const char *text)
{
	sat_id id = id_of(eid);
	sat_buf b = { 0 };
	sat_rec_row r;
	sat_err err = { 0 };

	assert_ok(f->o.rec_by_eid(&r, &f->a, f->o.u, eid, &err));
	assert_true(sat_span_eq(r.state, sat_span_str(text)));
	assert_ok(f->o.rec_by_id(&r, &f->a, f->o.u, &id, &err));
	assert_true(sat_span_eq(r.state, sat_span_str(text)));
	assert_true(sat_span_eq(r.owner, sat_span_str("ann")));
	assert_ok(f->o.rec_of_root(f->o.u, eid, join, &b, &err));
	assert_int_equal(strlen(text) + 1, b.n);
	assert_memory_equal(text, b.p, strlen(text));
	sat_buf_reset(&b);
	assert_ok(f->o.rec_scan(f->o.u, eid - 1, join, &b, &err));
	assert_memory_equal(text, b.p, strlen(text));
	sat_buf_fini(&b);
}

/* What is in the row itself. */
static void
assert_row(fixture *f, uint32_t eid, const char *text)
{
	sat_err err = { 0 };
	sat_stmt *q;
	bool row;

	assert_ok(sat_db_stmt(&q, sat_sqlite_store_db(f->s), SQL_REC_BY_EID,
	    &err));
	sat_bind_int(q, 1, eid);
	assert_ok(sat_step(&row, q, &err));
	assert_true(row);
	assert_true(sat_span_eq(sat_col_blob(q, 5), sat_span_str(text)));
	sat_stmt_reset(q);
}

static uint64_t
folded(fixture *f)
{
	sat_err err = { 0 };
	uint64_t v;

	assert_ok(f->o.counter_get(&v, f->o.u, SAT_N_FOLDED, &err));
	return v;
}

static void
a_late_state_is_read_everywhere_while_its_row_is_old(void **state) /* L2 */
{
	fixture *f = *state;

	make_all(f);
	begin(f);
	put(f, 2, "edited", true);
	logged(f);
	assert_reads(f, 2, "edited");
	commit(f);
	assert_row(f, 2, "born");
	assert_reads(f, 2, "edited");
	assert_reads(f, 3, "born");
	/* what is not late goes to its row, and is what is read */
	begin(f);
	put(f, 2, "given away", false);
	logged(f);
	commit(f);
	assert_row(f, 2, "given away");
	assert_reads(f, 2, "given away");
}

static void
a_rollback_brings_back_what_was_kept(void **state) /* L3 */
{
	fixture *f = *state;
	sat_rec_row r;
	sat_err err = { 0 };

	make_all(f);
	begin(f);
	put(f, 2, "one", true);
	logged(f);
	commit(f);
	for (int how = 0; how < 4; how++) {
		sat_erased_row x = { .eid = 2, .root = 2, .id = id_of(2),
			.rev = 1 };

		begin(f);
		put(f, 3, "two", true);
		put(f, 2, "two", true);
		put(f, 2, "three, and longer than all the others", how != 1);
		if (how == 2)
			assert_ok(f->o.rec_move(f->o.u, 2, 1, &err));
		if (how == 3) {
			assert_ok(f->o.rec_erase(f->o.u, &x, &err));
			assert_rc(SAT_ENOTFOUND, f->o.rec_by_eid(&r, &f->a,
			    f->o.u, 2, &err));
		}
		f->o.rollback(f->o.u);
		begin(f);
		assert_reads(f, 2, "one");
		assert_reads(f, 3, "born");
		f->o.rollback(f->o.u);
	}
}

static void
sweeps_bring_every_state_to_its_row_in_two_windows(void **state) /* L1, L4 */
{
	fixture *f = *state;
	char text[32];

	make_all(f);
	for (unsigned i = 0; i < 5 * WINDOW; i++) {
		uint64_t was = folded(f);

		begin(f);
		(void)snprintf(text, sizeof text, "%u", i);
		put(f, 1 + i % RECS, text, true);
		logged(f);
		commit(f);
		assert_true(folded(f) >= was);
		assert_true(folded(f) + 2 * WINDOW >= f->lsn);
	}
	/* nothing more is late: all of it is in the rows soon */
	for (unsigned i = 0; i < 2 * WINDOW; i++) {
		begin(f);
		logged(f);
		commit(f);
	}
	for (unsigned i = 0; i < RECS; i++) {
		unsigned last = 5 * WINDOW - RECS + i;

		(void)snprintf(text, sizeof text, "%u", last);
		assert_row(f, 1 + last % RECS, text);
	}
	assert_true(folded(f) >= f->lsn - 2);
}

static void
a_sweep_that_is_rolled_back_is_done_again(void **state) /* L1, L3 */
{
	fixture *f = *state;

	make_all(f);
	begin(f);
	for (uint32_t i = 1; i <= RECS; i++)
		put(f, i, "edited", true);
	logged(f);
	commit(f);
	/* one commit as large as the window would write all of them */
	begin(f);
	for (unsigned i = 0; i < 2 * WINDOW; i++)
		logged(f);
	f->lsn -= 2 * WINDOW;
	f->o.rollback(f->o.u);
	assert_row(f, 1, "born");
	assert_true(folded(f) < f->lsn);
	begin(f);
	assert_reads(f, 1, "edited");
	for (unsigned i = 0; i < WINDOW; i++)
		logged(f);
	commit(f);
	begin(f);
	for (unsigned i = 0; i < WINDOW; i++)
		logged(f);
	commit(f);
	for (uint32_t i = 1; i <= RECS; i++)
		assert_row(f, i, "edited");
}

static void
a_store_that_is_closed_has_all_in_its_rows_and_one_that_dies_says_not(
    void **state)
{
	fixture *f = *state;
	uint64_t after;
	sat_err err = { 0 };
	bool yes;

	make_all(f);
	for (int dies = 0; dies < 2; dies++) {
		begin(f);
		put(f, 4, dies ? "second" : "first", true);
		logged(f);
		commit(f);
		if (dies)
			sat_sqlite_store_abandon(f->s);
		else
			sat_sqlite_store_close(f->s);
		start(f);
		assert_row(f, 4, "first");
		assert_ok(f->o.rec_behind(&yes, &after, f->o.u, &err));
		assert_true(yes);
		assert_int_equal(f->lsn - (unsigned)dies, after);
		f->o.rec_whole(f->o.u);
		assert_ok(f->o.rec_behind(&yes, &after, f->o.u, &err));
		assert_false(yes);
	}
}

/* ---- with a core ----------------------------------------------------------------- */

static void
add_state(void *u, const sat_id *id, sat_span state)
{
	sat_buf_add(u, id->b, sizeof id->b);
	sat_buf_add(u, state.p, state.n);
}

static void
states(sat_buf *b, world *w)
{
	sat_err err = { 0 };

	sat_buf_reset(b);
	assert_ok(sat_server_dump(w->server, NULL, add_state, b, &err));
}

static void
die(world *w)
{
	sat_server_free(w->server);
	sat_sqlite_store_abandon(w->store);
	world_start(w);
}

static void
a_server_that_dies_starts_with_the_states_it_had(void **state) /* R1, R2 */
{
	world *w = world_of(5, "ann rep north, sue manager north");
	sat_buf was = { 0 }, is = { 0 };
	device *ann, *sue;
	sat_id acc[7], other;
	char text[32];

	(void)state;
	ann = device_new(w, "ann");
	sue = device_new(w, "sue");
	SYNC(ann, sue);
	for (int i = 0; i < 7; i++)
		acc[i] = device_account(ann, "firm", "ann");
	other = device_account(ann, "merged", "ann");
	SYNC(ann, sue);
	for (int i = 0; i < 60; i++) {
		device *d = i % 3 == 0 ? sue : ann;

		(void)snprintf(text, sizeof text, "remark %d", i);
		(void)device_edit(d, &acc[i % 7], &acc[i % 7], K_ACCOUNT,
		    SAT_OP_SET, A_REMARK, txt(text));
		(void)device_edit(d, &acc[i % 5], &acc[i % 5], K_ACCOUNT,
		    SAT_OP_MVSET, A_PHONE, txt(text));
		(void)device_edit(d, &acc[i % 7], &acc[i % 7], K_ACCOUNT,
		    SAT_OP_ADD, A_VISITS, sat_v_int(1));
		if (i == 21) /* what comes later follows it (P-171) */
			(void)device_edit(d, &acc[0], &other, K_ACCOUNT,
			    SAT_OP_MERGE, SAT_SYS_REDIRECT,
			    sat_v_id(&acc[0]));
		if (i > 21 && i % 4 == 0)
			(void)device_edit(ann, &other, &other, K_ACCOUNT,
			    SAT_OP_SET, A_REMARK, txt(text));
		device_sync(d);
		if (i % 7 != 0)
			continue;
		states(&was, w);
		for (int twice = 0; twice < 2; twice++) {
			die(w);
			states(&is, w);
			assert_int_equal(was.n, is.n);
			assert_memory_equal(was.p, is.p, is.n);
		}
		world_verify(w);
	}
	sat_buf_fini(&was);
	sat_buf_fini(&is);
	world_free(w);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	static const struct CMUnitTest tests[] = {
		T(a_late_state_is_read_everywhere_while_its_row_is_old),
		T(a_rollback_brings_back_what_was_kept),
		T(sweeps_bring_every_state_to_its_row_in_two_windows),
		T(a_sweep_that_is_rolled_back_is_done_again),
		T(a_store_that_is_closed_has_all_in_its_rows_and_one_that_dies_says_not),
		cmocka_unit_test(
		    a_server_that_dies_starts_with_the_states_it_had),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
