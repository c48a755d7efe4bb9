#include "tests/lib/unit.h"

#include "server/store/sqlite/store.h"
#include "server_store_sqlite_sql.h"
#include "tests/unit/server/store/sqlite/bare.h"

static void
what_was_put_is_there_after_a_restart_and_not_after_a_rollback(void **state)
{
	fixture *f = *state;
	sat_chain c = { 5, { 1, 2, 3 }, 77, 3 }, back;
	sat_log_row row = { .lsn = 1, .eff = 9, .received_ms = 8,
		.header = sat_span_str("head"), .payload = sat_span_str("load") };
	uint64_t v, lsn;
	sat_hlc eff;
	sat_err err = { 0 };

	for (int keep = 0; keep < 2; keep++) {
		assert_ok(f->o.begin(f->o.u, &err));
		assert_ok(f->o.counter_put(f->o.u, SAT_N_LSN, 12, &err));
		assert_ok(f->o.chain_put(f->o.u, 3, 1, &c, &err));
		assert_ok(f->o.log_put(f->o.u, &row, 3, 1, 5, &err));
		assert_ok(f->o.verdict_put(f->o.u, 1, SAT_VD_OK_LATE, &err));
		assert_ok(f->o.scope_put(f->o.u, sat_key_user(1), 1, 0, &err));
		if (keep == 0) {
			sat_keys keys = { .k = { sat_key_user(1) }, .n = 1 };

			f->o.rollback(f->o.u);
			assert_ok(f->o.begin(f->o.u, &err));
			assert_ok(f->o.counter_get(&v, f->o.u, SAT_N_LSN, &err));
			assert_int_equal(0, v);
			assert_ok(f->o.scope_head(&lsn, f->o.u, &keys, &err));
			assert_int_equal(0, lsn);
			assert_rc(SAT_ENOTFOUND, f->o.log_find(&lsn, &eff,
			    f->o.u, 3, 1, 5, &err));
			f->o.rollback(f->o.u);
		} else {
			assert_ok(f->o.commit(f->o.u, &err));
		}
	}
	reopen(f);
	assert_ok(f->o.begin(f->o.u, &err));
	assert_ok(f->o.counter_get(&v, f->o.u, SAT_N_LSN, &err));
	assert_int_equal(12, v);
	assert_ok(f->o.chain_get(&back, f->o.u, 3, 1, &err));
	assert_memory_equal(&c, &back, sizeof c);
	assert_ok(f->o.chain_get(&back, f->o.u, 3, 2, &err));
	assert_int_equal(0, back.last_cseq);
	assert_ok(f->o.log_find(&lsn, &eff, f->o.u, 3, 1, 5, &err));
	assert_int_equal(1, lsn);
	assert_int_equal(9, eff);
	assert_ok(f->o.log_get(&row, &f->a, f->o.u, 1, &err));
	assert_memory_equal("load", row.payload.p, 4);
	f->o.rollback(f->o.u);
}

static void
a_commit_can_be_logged_once_only(void **state)
{
	fixture *f = *state;
	sat_log_row row = { .lsn = 1, .header = sat_span_str("h") };
	sat_err err = { 0 };

	assert_ok(f->o.begin(f->o.u, &err));
	assert_ok(f->o.log_put(f->o.u, &row, 3, 1, 5, &err));
	row.lsn = 2;
	assert_ok(f->o.log_put(f->o.u, &row, 3, 1, 5, &err));
	assert_rc(SAT_ECONFLICT, f->o.commit(f->o.u, &err));
	assert_ok(f->o.begin(f->o.u, &err)); /* nothing is left open */
	assert_rc(SAT_ENOTFOUND, f->o.log_get(&row, &f->a, f->o.u, 1, &err));
	f->o.rollback(f->o.u);
}

static void
put_log(fixture *f, uint64_t lsn)
{
	char text[16];
	sat_log_row row = { .lsn = lsn, .eff = lsn + 100 };
	sat_err err = { 0 };

	(void)snprintf(text, sizeof text, "row %u", (unsigned)lsn);
	row.header = row.payload = sat_span_str(text);
	assert_ok(f->o.log_put(f->o.u, &row, 3, 1, lsn, &err));
}

static void
has_log(fixture *f, uint64_t lsn)
{
	char text[16];
	sat_log_row row;
	sat_err err = { 0 };

	(void)snprintf(text, sizeof text, "row %u", (unsigned)lsn);
	assert_ok(f->o.log_get(&row, &f->a, f->o.u, lsn, &err));
	assert_int_equal(lsn, row.lsn);
	assert_int_equal(lsn + 100, row.eff);
	assert_true(sat_span_eq(row.header, sat_span_str(text)));
	assert_true(sat_span_eq(row.payload, sat_span_str(text)));
}

/* Whoever goes through the log leaves a statement open between two rows. */
static void
rows_are_read_in_any_order_and_between_writes(void **state)
{
	fixture *f = *state;
	sat_log_row row;
	sat_err err = { 0 };
	uint64_t seed = sat_test_seed(11), lsn = 1;
	int64_t before, after;

	assert_ok(f->o.begin(f->o.u, &err));
	for (uint64_t i = 1; i <= 100; i++)
		if (i != 50) /* a state that was given back has no row */
			put_log(f, i);
	for (int i = 0; i < 3000; i++) {
		uint64_t x = sat_test_rand(&seed);

		lsn = x % 20 == 0 ? x / 20 % 100 + 1 : lsn + x / 20 % 12;
		if (lsn > 100)
			lsn = 1;
		if (lsn == 50)
			assert_rc(SAT_ENOTFOUND, f->o.log_get(&row, &f->a,
			    f->o.u, lsn, NULL));
		else
			has_log(f, lsn);
		sat_arena_reset(&f->a);
	}
	has_log(f, 99);
	has_log(f, 100);
	put_log(f, 101);
	has_log(f, 101);
	assert_ok(f->o.commit(f->o.u, &err));
	assert_ok(f->o.begin(f->o.u, &err));
	has_log(f, 100);
	has_log(f, 101);
	f->o.rollback(f->o.u);
	/* nothing is left open that would be in the way of this */
	assert_ok(sat_db_compact(&before, &after, sat_sqlite_store_db(f->s),
	    &err));
}

static void
refused_commits_keep_verdict_and_bytes(void **state)
{
	fixture *f = *state;
	sat_verdict v = { .cseq = 4, .code = SAT_VD_PARKED, .op = 2,
		.slug = sat_span_str("needs_parent"), .hint = sat_span_str("") };
	sat_verdict back;
	sat_span h, p;
	sat_err err = { 0 };

	assert_ok(f->o.begin(f->o.u, &err));
	assert_ok(f->o.refused_put(f->o.u, 1, 1, &v, sat_span_str("hh"),
	    sat_span_str("pp"), &err));
	assert_ok(f->o.commit(f->o.u, &err));
	reopen(f);
	assert_ok(f->o.begin(f->o.u, &err));
	assert_ok(f->o.refused_get(&back, &f->a, f->o.u, 1, 1, 4, &err));
	assert_int_equal(SAT_VD_PARKED, back.code);
	assert_int_equal(2, back.op);
	assert_true(sat_span_eq(v.slug, back.slug));
	assert_int_equal(0, back.hint.n);
	assert_int_equal(0, back.lsn);
	assert_ok(f->o.commit_get(&h, &p, &f->a, f->o.u, 1, 1, 4, &err));
	assert_memory_equal("pp", p.p, 2);
	assert_rc(SAT_ENOTFOUND, f->o.commit_get(&h, &p, &f->a, f->o.u, 1, 1, 5,
	    &err));
	f->o.rollback(f->o.u);
}

static bool
count_rec(void *u, const sat_rec_row *row)
{
	uint32_t *sum = u;

	*sum = *sum * 10 + row->eid;
	return row->eid < 4;
}

static void
records_are_inserted_updated_and_scanned(void **state)
{
	fixture *f = *state;
	sat_rec_row row = { .kind = 1, .root = 1 }, back;
	uint32_t order = 0;
	sat_err err = { 0 };

	assert_ok(f->o.begin(f->o.u, &err));
	for (uint32_t eid = 1; eid <= 5; eid++) {
		row.eid = eid;
		row.id.b[0] = (uint8_t)(90 - eid);
		row.root = eid < 3 ? 1 : 3;
		row.state = sat_span_str("old");
		assert_ok(f->o.rec_put(f->o.u, &row, &err));
	}
	row.eid = 2;
	row.id.b[0] = 88;
	row.root = 1;
	row.owner = sat_span_str("ann");
	row.state = sat_span_str("new");
	assert_ok(f->o.rec_put(f->o.u, &row, &err));
	assert_ok(f->o.commit(f->o.u, &err));
	reopen(f);
	assert_ok(f->o.begin(f->o.u, &err));
	row.owner = (sat_span){ NULL, 0 }; /* and known to be there again */
	row.state = sat_span_str("newer");
	assert_ok(f->o.rec_put(f->o.u, &row, &err));
	assert_ok(f->o.rec_by_id(&back, &f->a, f->o.u, &row.id, &err));
	assert_int_equal(2, back.eid);
	assert_int_equal(0, back.owner.n);
	assert_memory_equal("newer", back.state.p, 5);
	assert_ok(f->o.rec_scan(f->o.u, 1, count_rec, &order, &err));
	assert_int_equal(234, order);
	order = 0;
	assert_ok(f->o.rec_of_root(f->o.u, 3, count_rec, &order, &err));
	assert_int_equal(34, order);
	assert_rc(SAT_ENOTFOUND, f->o.rec_by_eid(&back, &f->a, f->o.u, 6, &err));
	f->o.rollback(f->o.u);
}

typedef struct walk {
	uint64_t sum;
	int n, stop;
} walk;

static bool
on_entry(void *u, uint64_t lsn, uint32_t root)
{
	walk *w = u;

	w->sum = w->sum * 100 + lsn * 10 + root;
	return ++w->n != w->stop;
}

static void
entries_of_many_keys_come_merged_in_order(void **state)
{
	fixture *f = *state;
	sat_keys all = { .k = { SAT_KEY_ALL }, .n = 1 }, none = { .n = 0 };
	sat_keys one = { .k = { sat_key_user(1) }, .n = 1 };
	sat_keys four = { .k = { sat_key_user(1), sat_key_team(1),
	    sat_key_user(2), sat_key_team(2) }, .n = 4 };
	uint64_t lsn;
	walk w = { 0 };
	sat_err err = { 0 };

	assert_ok(f->o.begin(f->o.u, &err));
	for (uint64_t l = 1; l <= 7; l++) {
		sat_log_row row = { .lsn = l, .header = sat_span_str("h") };

		assert_ok(f->o.log_put(f->o.u, &row, 1, 1, l, &err));
	}
	assert_ok(f->o.scope_put(f->o.u, sat_key_team(2), 6, 0, &err));
	assert_ok(f->o.scope_put(f->o.u, sat_key_user(1), 5, 3, &err));
	assert_ok(f->o.scope_put(f->o.u, sat_key_user(1), 5, 0, &err));
	assert_ok(f->o.scope_put(f->o.u, sat_key_user(1), 2, 0, &err));
	assert_ok(f->o.scope_put(f->o.u, sat_key_team(1), 2, 0, &err));
	assert_ok(f->o.scope_put(f->o.u, sat_key_user(2), 4, 0, &err));
	assert_ok(f->o.scope_put(f->o.u, sat_key_user(9), 7, 0, &err));
	assert_ok(f->o.scope_scan(f->o.u, &one, 0, on_entry, &w, &err));
	assert_int_equal(205053, w.sum);
	w = (walk){ 0 };
	assert_ok(f->o.scope_scan(f->o.u, &four, 2, on_entry, &w, &err));
	assert_int_equal(40505360, w.sum);
	w = (walk){ .stop = 2 };
	assert_ok(f->o.scope_scan(f->o.u, &four, 0, on_entry, &w, &err));
	assert_int_equal(2, w.n); /* a duplicate is allowed */
	w = (walk){ 0 };
	assert_ok(f->o.scope_scan(f->o.u, &all, 4, on_entry, &w, &err));
	assert_int_equal(506070, w.sum);
	w = (walk){ 0 };
	assert_ok(f->o.scope_scan(f->o.u, &none, 0, on_entry, &w, &err));
	assert_int_equal(0, w.n);
	assert_ok(f->o.scope_head(&lsn, f->o.u, &four, &err));
	assert_int_equal(6, lsn);
	assert_ok(f->o.scope_head(&lsn, f->o.u, &all, &err));
	assert_int_equal(7, lsn);
	assert_ok(f->o.scope_head(&lsn, f->o.u, &none, &err));
	assert_int_equal(0, lsn);
	f->o.rollback(f->o.u);
}

static void
thousands_of_entries_and_rows_survive_their_buffers(void **state)
{
	fixture *f = *state;
	sat_keys one = { .k = { sat_key_user(1) }, .n = 1 };
	walk w = { 0 };
	sat_log_row row;
	sat_err err = { 0 };

	assert_ok(f->o.begin(f->o.u, &err));
	for (uint64_t l = 1; l <= 2500; l++) {
		char text[8];

		(void)snprintf(text, sizeof text, "p%u", (unsigned)l);
		row = (sat_log_row){ .lsn = l, .header = sat_span_str("h"),
			.payload = sat_span_str(text) };
		assert_ok(f->o.log_put(f->o.u, &row, 1, 1, l, &err));
		assert_ok(f->o.scope_put(f->o.u, sat_key_user((uint32_t)l % 3),
		    l, 0, &err));
	}
	assert_ok(f->o.commit(f->o.u, &err));
	assert_ok(f->o.begin(f->o.u, &err));
	for (uint64_t l = 1; l <= 2500; l++) {
		char text[8];

		(void)snprintf(text, sizeof text, "p%u", (unsigned)l);
		assert_ok(f->o.log_get(&row, &f->a, f->o.u, l, &err));
		assert_true(sat_span_eq(sat_span_str(text), row.payload));
	}
	assert_ok(f->o.scope_scan(f->o.u, &one, 0, on_entry, &w, &err));
	assert_int_equal(834, w.n);
	f->o.rollback(f->o.u);
}

static bool
on_u32(void *u, uint32_t v)
{
	uint64_t *sum = u;

	*sum = *sum * 10 + v;
	return true;
}

static bool
on_key(void *u, sat_scope_key k)
{
	(void)k;
	++*(uint64_t *)u;
	return true;
}

static void
only_live_members_are_listed(void **state)
{
	fixture *f = *state;
	sat_member m = { 1, 0 }, gone = { 0, 7 }, back;
	sat_keys one = { .k = { sat_key_user(1) }, .n = 1 };
	sat_rec_row row = { .kind = 1, .state = sat_span_str("s") };
	uint64_t sum = 0, n = 0;
	sat_err err = { 0 };

	assert_ok(f->o.begin(f->o.u, &err));
	for (uint32_t r = 1; r <= 4; r++) {
		row.eid = row.root = r;
		row.id.b[0] = (uint8_t)r;
		assert_ok(f->o.rec_put(f->o.u, &row, &err));
		assert_ok(f->o.member_put(f->o.u, sat_key_user(1), r,
		    r == 3 ? &gone : &m, &err));
	}
	assert_ok(f->o.member_put(f->o.u, sat_key_user(1), 2, &gone, &err));
	assert_ok(f->o.member_put(f->o.u, sat_key_team(1), 4, &m, &err));
	assert_ok(f->o.roots_of_key(f->o.u, sat_key_user(1), 0, on_u32, &sum,
	    &err));
	assert_int_equal(14, sum);
	sum = 0;
	assert_ok(f->o.roots_of_key(f->o.u, sat_key_user(1), 1, on_u32, &sum,
	    &err));
	assert_int_equal(4, sum);
	assert_ok(f->o.member_get(&back, f->o.u, sat_key_user(1), 2, &err));
	assert_int_equal(7, back.left_lsn);
	assert_ok(f->o.member_keys(f->o.u, 4, on_key, &n, &err));
	assert_int_equal(2, n);
	assert_ok(f->o.rec_count(&n, f->o.u, &one, &err));
	assert_int_equal(2, n);
	f->o.rollback(f->o.u);
}

static void
past_owners_keep_the_last_position(void **state)
{
	fixture *f = *state;
	uint64_t lsn;
	sat_err err = { 0 };

	assert_ok(f->o.begin(f->o.u, &err));
	assert_ok(f->o.owner_left_lsn(&lsn, f->o.u, 1, sat_span_str("a"), &err));
	assert_int_equal(0, lsn);
	assert_ok(f->o.owner_left(f->o.u, 1, sat_span_str("a"), 5, &err));
	assert_ok(f->o.owner_left(f->o.u, 1, sat_span_str("a"), 9, &err));
	assert_ok(f->o.owner_left_lsn(&lsn, f->o.u, 1, sat_span_str("a"), &err));
	assert_int_equal(9, lsn);
	assert_ok(f->o.owner_left_lsn(&lsn, f->o.u, 2, sat_span_str("a"), &err));
	assert_int_equal(0, lsn);
	f->o.rollback(f->o.u);
}

static void
settings_watermark_and_copies(void **state)
{
	fixture *f = *state;
	sat_buf b = { 0 };
	char *copy = sat_xasprintf("%s/copy.db", f->dir);
	sat_sqlite_status st;
	uint64_t lsn;
	sat_err err = { 0 };

	assert_rc(SAT_ENOTFOUND, sat_sqlite_setting_get(&b, f->s, "org", &err));
	assert_ok(sat_sqlite_setting_put(f->s, "org", sat_span_of("a\0b", 3),
	    &err));
	assert_ok(sat_sqlite_setting_put(f->s, "org", sat_span_of("c\0d", 3),
	    &err));
	assert_ok(sat_sqlite_setting_put(f->s, "empty", sat_span_str(""), &err));
	reopen(f);
	assert_ok(sat_sqlite_setting_get(&b, f->s, "org", &err));
	assert_memory_equal("c\0d", b.p, 3);
	sat_buf_reset(&b);
	assert_ok(sat_sqlite_setting_get(&b, f->s, "empty", &err));
	assert_int_equal(0, b.n);
	assert_ok(sat_sqlite_mark_durable(f->s, 9, &err));
	assert_ok(sat_sqlite_mark_durable(f->s, 4, &err)); /* never back */
	assert_ok(sat_sqlite_status_get(&st, f->s, &err));
	assert_int_equal(9, st.durable);
	assert_ok(sat_sqlite_store_backup(&lsn, f->s, copy, &err));
	assert_int_equal(0, lsn);
	assert_ok(sat_sqlite_store_check(f->s, false, &err));
	sat_buf_fini(&b);
	free(copy);
}

static void
check_finds_holes_between_tables(void **state)
{
	static const char *const harm[] = {
		"INSERT INTO log VALUES(2, 1, 1, 1, 1, 1, 1, x'010000')",
		"INSERT INTO counter VALUES(1, 1)",
		"INSERT INTO counter VALUES(2, 1)",
		"INSERT INTO rec VALUES(1, x'00', 1, 7, NULL, x'00'); INSERT INTO counter VALUES(2, 1)",
		"INSERT INTO chain VALUES(1, 1, 1, x'00', 1, 0)",
	};
	fixture *f = *state;
	sat_err err = { 0 };

	assert_ok(sat_sqlite_store_check(f->s, false, &err));
	for (size_t i = 0; i < sizeof harm / sizeof harm[0]; i++) {
		sat_db *db = sat_sqlite_store_db(f->s);

		assert_ok(sat_db_begin(db, &err));
		assert_ok(sat_db_exec(db, harm[i], &err));
		if (sat_sqlite_store_check(f->s, true, &err) == SAT_OK)
			fail_msg("not found: %s", harm[i]);
		sat_db_rollback(db);
	}
}

/* A statement that sorts or reads a whole table grows with what exists. These
 * may: they list a whole small table, or are for verification. */
static bool
may_scan(const char *name)
{
	static const char *const names[] = { "chains", "heads", "teams", "users",
		"devices", "diverged_all", "status", "reported_all",
		"segment_last", "segment_all", "admin_log_last", "admin_log_all", "scope_keys", "check_counts", "rec_max", "log_head",
		"team_add", "team_edit", "user_add", "device_add", "key_taken",
		"scope_put_8", "scope_run_put_8", "scope_many",
		"scope_run_keys", "scope_head", "lease_all", "lease_void",
		"completeness", "receipts", "series_skip", "floor_skip",
		"asks", "refused_all_bytes", "places_all", "told_none",
		"match_erase", "member_del", "hook_all",
		"scope_del", "verdict_counts", "refusals", "log_before",
		"invite_drop" /* of the open ones, by their index */ };

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return strncmp(name, "drop_", 5) == 0; /* a kit's own copy */
}

static void
no_statement_sorts_and_none_reads_a_whole_table(void **state)
{
	fixture *f = *state;
	sat_db *db = sat_sqlite_store_db(f->s);
	sat_err err = { 0 };

	for (size_t i = 0; i < server_store_sqlite_sql_count; i++) {
		const char *name = server_store_sqlite_sql[i].name;
		char *sql = sat_xasprintf("EXPLAIN QUERY PLAN %s",
		    server_store_sqlite_sql[i].text);
		sat_stmt *q;
		bool row;

		assert_ok(sat_db_stmt_text(&q, db, sql, &err));
		for (;;) {
			char detail[200];
			sat_span s;

			assert_ok(sat_step(&row, q, &err));
			if (!row)
				break;
			s = sat_col_text(q, 3);
			(void)snprintf(detail, sizeof detail, "%.*s", (int)s.n,
			    (const char *)s.p);
			if (strstr(detail, "TEMP B-TREE") != NULL ||
			    (strncmp(detail, "SCAN", 4) == 0 && !may_scan(name)))
				fail_msg("%s: %s", name, detail);
		}
		free(sql);
	}
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(what_was_put_is_there_after_a_restart_and_not_after_a_rollback),
		T(a_commit_can_be_logged_once_only),
		T(rows_are_read_in_any_order_and_between_writes),
		T(refused_commits_keep_verdict_and_bytes),
		T(records_are_inserted_updated_and_scanned),
		T(entries_of_many_keys_come_merged_in_order),
		T(thousands_of_entries_and_rows_survive_their_buffers),
		T(only_live_members_are_listed),
		T(past_owners_keep_the_last_position),
		T(settings_watermark_and_copies),
		T(check_finds_holes_between_tables),
		T(no_statement_sorts_and_none_reads_a_whole_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
