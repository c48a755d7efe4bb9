/* An empty replica is filled, in pieces, once or twice. */
#include "tests/unit/client/replica/fixture.h"
#include "tests/unit/common/template/base.h"

static void
fill_server(fixture *f, size_t n, sat_id *ids)
{
	for (size_t i = 0; i < n; i++) {
		char name[32];
		sat_id id = sat_replica_new_id(f->r);
		/* the name first: its length goes into the operation */
		int n_name = snprintf(name, sizeof name, "Firm %zu", i);
		sat_op ops[] = {
			op(f->account, SAT_OP_NEW, id, 0, sat_v_null()),
			op(f->account, SAT_OP_MVSET, id, F_NAME, text(name)),
			op(f->account, SAT_OP_SET, id, F_CITY, text("Hefei")),
		};

		assert_true(n_name > 0);
		srv_foreign(f, id, ops, 3, f->srv.n);
		ids[i] = id;
	}
}

static void
a_snapshot_fills_the_replica_and_the_tail_follows(void **state)
{
	fixture *f = *state;
	sat_id ids[50], found;
	uint64_t cursor;
	bool wanted;
	uint64_t after;
	sat_err err;

	fill_server(f, 50, ids);
	assert_false(status_of(f).complete);
	srv_snapshot(f, 7);
	assert_true(status_of(f).complete);
	assert_ok(f->ops.cursor(f->ops.u, &cursor, &err));
	assert_int_equal(50, cursor);
	assert_same_as_server(f);
	assert_ok(sat_replica_resolve(&found, f->r, NULL, "firm 31", &err));
	assert_true(sat_id_eq(&ids[31], &found));
	srv_foreign_text(f, ids[3], F_CITY, "Wuhu", f->srv.n);
	srv_pull(f);
	assert_text(f, ids[3], F_CITY, "Wuhu");
	assert_same_as_server(f);
	reopen(f);
	assert_ok(f->ops.snap_state(f->ops.u, &wanted, &after, &err));
	assert_false(wanted);
	assert_sound(f);
}

/* One chunk by hand; the log may grow between two. */
static void
one_chunk(fixture *f, size_t from, size_t n, bool done)
{
	sat_chunk c = { .lsn = f->srv.n, .max_eff = f->srv.eff, .done = done,
		.next = (uint32_t)(from + n) };
	sat_buf b = { 0 };
	sat_err err;

	assert_ok(sat_records_write(&b, f->srv.recs + from, n, &err));
	c.records = sat_buf_span(&b);
	sat_hash(c.hash, c.records);
	assert_ok(f->ops.chunk(f->ops.u, &c, &err));
	sat_buf_fini(&b);
}

static void
an_interrupted_snapshot_goes_on_and_meets_a_moving_log(void **state)
{ /* P-091, P-092 */
	fixture *f = *state;
	sat_id ids[20], mine;
	sat_op visit;
	uint64_t cursor;
	uint64_t after;
	bool wanted;
	sat_err err;

	fill_server(f, 20, ids);
	one_chunk(f, 0, 10, false);
	visit = op(f->account, SAT_OP_ADD, ids[2], F_VISITS, sat_v_int(1));
	srv_foreign(f, ids[2], &visit, 1, 20); /* after its chunk */
	visit.rec = ids[15];
	srv_foreign(f, ids[15], &visit, 1, 20); /* before its chunk */
	mine = new_account(f, "mine", "1"); /* work does not wait */
	set_text(f, ids[4], F_CITY, "edited");
	reopen(f);
	assert_ok(f->ops.snap_state(f->ops.u, &wanted, &after, &err));
	assert_true(wanted);
	assert_int_equal(10, after);
	one_chunk(f, 10, 10, true);
	assert_ok(f->ops.cursor(f->ops.u, &cursor, &err));
	assert_int_equal(20, cursor);
	assert_sound(f);
	srv_sync(f);
	assert_int_equal(1,
	    visits_of(f, ids[2]));
	assert_int_equal(1,
	    visits_of(f, ids[15]));
	assert_text(f, mine, F_NAME, "mine");
	assert_text(f, ids[4], F_CITY, "edited");
	assert_settled(f);
}

/* The matrix of the base template in which a representative does not see names. */
/* Roles of the base template in which a rep does not see names. */
static void
hide_names(fixture *f)
{
	char *text = edited(base_text("acl/matrix.json"), "\"masks\": {",
	    "\"masks\": {\"rep\": [\"account.name\"],");

	give_base(f, "acl/matrix.json", text);
	free(text);
}

/* What came with the first chunks is as the old mask showed it. */
static void
a_first_filling_that_broke_off_begins_anew_with_another_mask(void **state)
{ /* P-244 */
	fixture *f = *state;
	sat_id ids[20];
	uint64_t after;
	bool wanted;
	sat_err err;

	hide_names(f); /* nothing is here yet */
	fill_server(f, 20, ids);
	one_chunk(f, 0, 10, false);
	give_registry(f, 2); /* nothing of it concerns this user */
	assert_ok(f->ops.snap_state(f->ops.u, &wanted, &after, &err));
	assert_int_equal(10, after);
	give_base(f, NULL, NULL);
	assert_ok(f->ops.snap_state(f->ops.u, &wanted, &after, &err));
	assert_true(wanted);
	assert_int_equal(0, after);
	reopen(f);
	assert_ok(f->ops.snap_state(f->ops.u, &wanted, &after, &err));
	assert_int_equal(0, after);
	one_chunk(f, 0, 20, true);
	srv_sync(f);
	assert_settled(f);
}

static void
what_the_author_saw_in_a_chunk_is_seen(void **state) /* P-027 */
{
	fixture *f = *state;
	sat_commit *own;
	sat_arena a = { 0 };
	sat_id ids[4];
	size_t n;
	sat_err err;

	fill_server(f, 4, ids);
	one_chunk(f, 0, 2, false); /* the cursor is still 0 */
	set_text(f, ids[1], F_CITY, "edited");
	assert_ok(sat_replica_log(&own, &n, &a, f->r, 1, &err));
	assert_int_equal(1, n);
	assert_int_equal(0, own[0].seen); /* the cursor, and for this record */
	assert_true(sat_op_seen(&own[0], &own[0].ops[0]) >= 2); /* its last LSN */
	sat_arena_fini(&a);
}

static void
a_damaged_chunk_changes_nothing(void **state) /* P-093 */
{
	fixture *f = *state;
	sat_id ids[3];
	sat_chunk c = { .lsn = 3, .next = 3, .done = true };
	sat_buf b = { 0 };
	sat_err err;

	fill_server(f, 3, ids);
	assert_ok(sat_records_write(&b, f->srv.recs, 3, &err));
	c.records = sat_buf_span(&b);
	assert_rc(SAT_EPROTO, f->ops.chunk(f->ops.u, &c, &err));
	assert_gone(f, ids[0]);
	assert_false(status_of(f).complete);
	sat_buf_fini(&b);
}

/* Conflicts, merges, deletions and what is here already between plain rows. */
static void
a_chunk_brings_rows_of_every_sort_also_twice(void **state)
{
	fixture *f = *state;
	sat_commit other = { .device = OTHER + 1, .incarnation = 1, .cseq = 1,
		.seen = 1, .actor = 2, .nops = 1,
		.hlc = sat_hlc_of_ms(f->now_ms) };
	sat_id ids[40], mine;
	sat_conflict *c;
	sat_op o;
	size_t n;
	sat_err err;

	fill_server(f, 40, ids);
	mine = new_account(f, "mine", "1");
	while (srv_push(f, false) > 0)
		;
	fill_server(f, 40, ids); /* others stand behind it */
	o = op(f->account, SAT_OP_MVSET, ids[5], F_NAME, text("theirs"));
	other.subject = ids[5];
	other.ops = &o;
	srv_accept(f, &other);
	o = op(f->account, SAT_OP_MERGE, ids[10], SAT_SYS_REDIRECT,
	    sat_v_id(&ids[12]));
	srv_foreign(f, ids[10], &o, 1, f->srv.n);
	o = op(f->account, SAT_OP_DEL, ids[20], 0, sat_v_null());
	srv_foreign(f, ids[20], &o, 1, f->srv.n);
	one_chunk(f, 0, 60, false);
	one_chunk(f, 0, 60, false);
	one_chunk(f, 60, 21, true);
	srv_sync(f);
	assert_same_as_server(f);
	assert_text(f, mine, F_NAME, "mine");
	assert_ok(sat_replica_conflicts(&c, &n, &f->a, f->r, &err));
	assert_int_equal(1, n);
	assert_true(sat_id_eq(&ids[5], &c[0].rec));
	reopen(f);
	assert_settled(f);
}

/* A row that was lost meanwhile, and comes again: listed is what it says now. */
static void
a_lost_row_whose_chunk_comes_again_is_listed_as_it_is(void **state)
{
	fixture *f = *state;
	sat_commit other = { .device = OTHER + 1, .incarnation = 1, .cseq = 1,
		.actor = 2, .nops = 1,
		.hlc = sat_hlc_of_ms(f->now_ms) };
	sat_id ids[20];
	sat_op o;
	sat_err err;

	fill_server(f, 20, ids);
	o = op(f->account, SAT_OP_MVSET, ids[5], F_NAME, text("theirs"));
	other.subject = ids[5];
	other.ops = &o;
	srv_accept(f, &other);
	o.rec = other.subject = ids[0]; /* the first goes another way */
	other.cseq++;
	srv_accept(f, &other);
	one_chunk(f, 0, 10, false);
	assert_int_equal(2, status_of(f).conflicts);
	assert_ok(sat_db_exec(sat_replica_db(f->r), "INSERT INTO handed "
	    "SELECT rid, kind FROM conflict; "
	    "DELETE FROM k_account WHERE _rid IN (1, 6)", &err));
	reopen(f);
	srv_foreign_text(f, ids[0], F_NAME, "settled", f->srv.n);
	srv_foreign_text(f, ids[5], F_NAME, "settled", f->srv.n);
	one_chunk(f, 0, 10, false);
	assert_text(f, ids[5], F_NAME, "settled");
	assert_int_equal(0, status_of(f).conflicts);
	assert_int_equal(0, status_of(f).handed);
	one_chunk(f, 10, 10, true);
	/* the sums have both of them twice: the next sync would find that */
	assert_rc(SAT_EINTEGRITY, sat_replica_check(f->r, false, &err));
	assert_sound(f);
}

static void
own_work_inside_a_snapshot_is_settled_by_it(void **state)
{
	fixture *f = *state;
	sat_id id = new_account(f, "A", "1");

	set_text(f, id, F_CITY, "x");
	while (srv_push(f, false) > 0) /* first session: push, then snapshot */
		;
	assert_true(view_of(f, id).pending);
	srv_snapshot(f, 100);
	assert_false(view_of(f, id).pending);
	assert_int_equal(0, status_of(f).pending_commits);
	assert_settled(f);
}

/* Made here and given to somebody else before the first snapshot. */
static void
what_was_made_here_and_is_not_in_the_snapshot_goes(void **state)
{
	fixture *f = *state;
	sat_id id = new_account(f, "A", "1"), kept = new_account(f, "B", "2");
	sat_chunk c = { .done = true };
	sat_buf b = { 0 };
	sat_err err;

	set_text(f, id, F_CITY, "x");
	while (srv_push(f, false) > 0)
		;
	c.lsn = f->srv.n;
	/* unsent work keeps the row until its answer */
	set_text(f, id, F_CITY, "not sent");
	assert_ok(sat_records_write(&b, srv_find(&f->srv, &kept), 1, &err));
	c.records = sat_buf_span(&b);
	c.next = 2;
	sat_hash(c.hash, c.records);
	assert_ok(f->ops.chunk(f->ops.u, &c, &err));
	sat_buf_fini(&b);
	assert_text(f, id, F_CITY, "not sent");
	assert_text(f, kept, F_NAME, "B");
	assert_int_equal(1, status_of(f).pending_commits);
	reopen(f);
	assert_sound(f);
	srv_sync(f);
	assert_gone(f, id);
	assert_int_equal(0, status_of(f).pending_commits);
	assert_sound(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		EMPTY(a_snapshot_fills_the_replica_and_the_tail_follows),
		EMPTY(an_interrupted_snapshot_goes_on_and_meets_a_moving_log),
		EMPTY(a_first_filling_that_broke_off_begins_anew_with_another_mask),
		EMPTY(what_the_author_saw_in_a_chunk_is_seen),
		EMPTY(a_damaged_chunk_changes_nothing),
		EMPTY(what_was_made_here_and_is_not_in_the_snapshot_goes),
		EMPTY(own_work_inside_a_snapshot_is_settled_by_it),
		EMPTY(a_chunk_brings_rows_of_every_sort_also_twice),
		EMPTY(a_lost_row_whose_chunk_comes_again_is_listed_as_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
