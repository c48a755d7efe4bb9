/*
 * What is written of a row: no index is touched that does not change, and every
 * index is as the rows are, whatever was changed and settled.
 */
#include "tests/unit/client/replica/fixture.h"

#include "client/replica/replica_int.h"

#define CUSTOMERS 300

static uint64_t
frames(fixture *f)
{
	sat_db_counts c;

	sat_db_counts_get(&c, sat_replica_db(f->r));
	return c.wal_frames;
}

/* SQLite compares each index with its table. */
static void
assert_indexes(fixture *f)
{
	sat_stmt *s;
	sat_err err;
	bool row;

	assert_ok(sat_db_stmt_text(&s, sat_replica_db(f->r),
	    "PRAGMA integrity_check", &err));
	assert_ok(sat_step(&row, s, &err));
	assert_true(row);
	if (!sat_span_eq(sat_col_text(s, 0), sat_span_str("ok")))
		fail_msg("%.*s", (int)sat_col_text(s, 0).n,
		    (const char *)sat_col_text(s, 0).p);
	sat_stmt_reset(s);
}

static void
make_customers(fixture *f, sat_id ids[CUSTOMERS])
{
	char name[40];

	for (int i = 0; i < CUSTOMERS; i++) {
		(void)snprintf(name, sizeof name, "customer %d", i);
		ids[i] = new_account(f, name, "13812345678");
	}
}

static void
an_edit_writes_the_row_and_the_outbox(void **state)
{
	fixture *f = *state;
	sat_id ids[CUSTOMERS];
	uint64_t before, plain, listed;

	make_customers(f, ids);
	srv_sync(f);
	(void)set_text(f, ids[0], F_REMARK, "a"); /* the seed of the salts */
	before = frames(f);
	for (int i = 0; i < 20; i++)
		(void)set_text(f, ids[7 + i * 13], F_REMARK, "a");
	plain = frames(f) - before;
	for (int i = 0; i < 20; i++)
		(void)set_text(f, ids[7 + i * 13], F_CITY, "b");
	listed = frames(f) - before - plain;
	/* two pages each; now and then the outbox takes a new one */
	assert_in_range(plain, 40, 48);
	/* a field that lists look at costs its index besides */
	assert_in_range(listed, 60, 120);
}

static void
indexes_are_as_the_rows_whatever_is_written(void **state)
{
	static const uint16_t fields[] = { F_NAME, F_CITY, F_INDUSTRY,
		F_REMARK, F_PHONE };
	fixture *f = *state;
	uint64_t seed = sat_test_seed(8);
	sat_id ids[CUSTOMERS];
	char v[24];

	make_customers(f, ids);
	for (int i = 0; i < 400; i++) {
		uint64_t x = sat_test_rand(&seed);
		sat_id id = ids[x % 40];
		uint16_t field = fields[(x >> 8) % 5];
		sat_op o[2];

		(void)snprintf(v, sizeof v, "v%u", (unsigned)(x >> 16) % 4);
		switch ((x >> 24) % 8) {
		case 0: /* is it deleted? either way an operation */
			o[0] = op(f->account, (x & 1) != 0 ? SAT_OP_DEL :
			    SAT_OP_UNDEL, id, 0, sat_v_null());
			write_ops(f, id, o, 1);
			break;
		case 1: /* two fields at once */
			o[0] = op(f->account, SAT_OP_SET, id, F_CITY, text(v));
			o[1] = op(f->account, SAT_OP_SET, id, F_REMARK,
			    text(v));
			write_ops(f, id, o, 2);
			break;
		case 2: /* of somebody else */
			if (srv_find(&f->srv, &id) != NULL)
				(void)srv_foreign_text(f, id, field, v, 1);
			break;
		case 3:
			srv_sync(f);
			break;
		default:
			(void)set_text(f, id, field, v);
		}
	}
	assert_indexes(f);
	srv_sync(f);
	assert_indexes(f);
	assert_sound(f);
}

/* Lists count the hidden rows with each page, and whoever looks at his inbox
 * asks of which rows the server told. */
static void
marked_rows_are_found_in_their_index(void **state)
{
	static const kind_sql counts[] = { KQ_INCOMPLETE, KQ_HIDDEN,
		KQ_TOLD_RIDS };
	fixture *f = *state;
	const replica_kind *k = replica_kind_by(f->r->kinds, f->account->id);
	sat_stmt *s;
	sat_err err;
	bool row;

	(void)new_account(f, "one", "13812345678");
	for (size_t i = 0; i < 3; i++) {
		char *sql = sat_xasprintf("EXPLAIN QUERY PLAN %s",
		    k->sql[counts[i]]);

		assert_ok(sat_db_stmt_text(&s, sat_replica_db(f->r), sql,
		    &err));
		assert_ok(sat_step(&row, s, &err));
		assert_true(row);
		assert_true(sat_span_eq(sat_col_text(s, 3), sat_span_str(
		    "SCAN k_account USING COVERING INDEX i_account.marked")));
		sat_stmt_reset(s);
		free(sql);
	}
}

static int64_t
indexes_of(fixture *f, const sat_kind *kind)
{
	sat_stmt *s;
	int64_t n;
	sat_err err;
	bool row;
	char *sql = sat_xasprintf("SELECT count(*) FROM sqlite_master WHERE "
	    "type = 'index' AND tbl_name = 'k_%s'", kind->key);

	assert_ok(sat_db_stmt_text(&s, sat_replica_db(f->r), sql, &err));
	assert_ok(sat_step(&row, s, &err));
	n = sat_col_int(s, 0);
	sat_stmt_reset(s);
	free(sql);
	return n;
}

static sat_rc
insert_again(fixture *f)
{
	sat_err err;

	return sat_db_exec(sat_replica_db(f->r), "INSERT INTO k_account(_rid, "
	    "_id, _created, _flags, _clk) SELECT _rid + 1, _id, _created, "
	    "_flags, _clk FROM k_account", &err);
}

static void
run_sql(fixture *f, const char *sql)
{
	sat_err err;

	assert_ok(sat_db_exec(sat_replica_db(f->r), sql, &err));
}

/* What the template calls a kind says nothing of another one's indexes. */
static void
indexes_of_one_kind_are_not_taken_for_those_of_another(void **state)
{
	static const char doc[] = "{\"kind\": {\"id\": 200, "
	    "\"key\": \"account_covers_x\", \"plural\": \"xs\", "
	    "\"label\": {\"zh\": \"x\", \"en\": \"X\"}, "
	    "\"scope\": \"child\", \"parent\": \"account\", "
	    "\"title\": \"text\", \"list\": [\"text\"]}, \"fields\": ["
	    "{\"id\": 1, \"key\": \"account\", \"type\": \"ref\", "
	    "\"label\": {\"zh\": \"x\", \"en\": \"X\"}, "
	    "\"ref\": \"account\", \"policy\": \"once\"}, "
	    "{\"id\": 2, \"key\": \"text\", \"type\": \"text\", "
	    "\"label\": {\"zh\": \"x\", \"en\": \"X\"}}]}";
	fixture *f = *state;
	const sat_kind *k;
	sat_id id = sat_replica_new_id(f->r);
	sat_op make;
	int64_t n;

	give_base(f, "fields/account_covers_x.json", doc);
	find_kinds(f);
	k = sat_template_kind(sat_replica_template(f->r), "account_covers_x");
	make = op(k, SAT_OP_NEW, id, 0, sat_v_null());
	write_ops(f, id, &make, 1);
	(void)new_account(f, "one", "13812345678");
	n = indexes_of(f, k);
	assert_true(n >= 2);
	give_base(f, "fields/account_covers_x.json", doc);
	find_kinds(f);
	assert_int_equal(n, indexes_of(f, sat_template_kind(
	    sat_replica_template(f->r), "account_covers_x")));
}

/* A file from before names had dots in them. */
static void
indexes_of_an_earlier_file_are_named_anew(void **state)
{
	fixture *f = *state;
	int64_t all;

	(void)new_account(f, "one", "13812345678");
	all = indexes_of(f, f->account);
	run_sql(f, "DROP INDEX \"i_account.id\"; "
	    "DROP INDEX \"i_account.marked\"; "
	    "DROP INDEX \"i_account.created\"; "
	    "CREATE UNIQUE INDEX i_account_id ON k_account(_id); "
	    "CREATE INDEX i_account_marked ON k_account(_flags); "
	    "CREATE INDEX i_account_created ON k_account(_created)");
	assert_int_equal(all, indexes_of(f, f->account));
	reopen(f);
	assert_int_equal(all, indexes_of(f, f->account));
	assert_rc(SAT_ECONFLICT, insert_again(f));
	marked_rows_are_found_in_their_index(state);
	srv_sync(f);
	assert_sound(f);
}

static void
indexes_of_a_kind_come_with_its_first_row(void **state)
{
	fixture *f = *state;
	int64_t before = indexes_of(f, f->account), all;
	sat_err err;

	assert_true(before <= 1); /* by age */
	assert_int_equal(0, indexes_of(f, f->contact));
	assert_ok(sat_replica_group_begin(f->r, &err));
	(void)new_account(f, "undone", "13812345678");
	all = indexes_of(f, f->account);
	assert_true(all >= before + 3);
	sat_replica_group_rollback(f->r);
	assert_int_equal(before, indexes_of(f, f->account));
	(void)new_account(f, "kept", "13812345678");
	assert_int_equal(all, indexes_of(f, f->account));
	assert_int_equal(0, indexes_of(f, f->contact));
	assert_rc(SAT_ECONFLICT, insert_again(f));
	assert_indexes(f);
	srv_sync(f);
	assert_sound(f);
}

#define TAGS 1000
#define LITTLE ((size_t)8 << 20)

/* A set of a quarter of a megabyte is written anew with each operation on it:
 * all of them together were 125 MB, where the commit was written, where what
 * waits is folded again, and where a person looks at his history. */
static void
a_commit_of_a_thousand_tags_takes_a_few_states_of_memory(void **state)
{
	fixture *f = *state;
	sat_id id = new_account(f, "one", "13812345678");
	sat_op *ops = sat_arena_alloc(&f->a, TAGS * sizeof *ops);
	sat_arena a = { 0 };
	replica_row *row;
	sat_past *past;
	sat_err err;
	size_t n;

	srv_sync(f);
	for (int i = 0; i < TAGS; i++) {
		char *tag = sat_arena_alloc(&f->a, 256);

		(void)snprintf(tag, 256, "%0250d", i);
		ops[i] = op(f->account, SAT_OP_SADD, id, F_TAGS, text(tag));
	}
	write_ops(f, id, ops, TAGS);
	assert_true(sat_arena_bytes(&f->r->page.mem) < LITTLE);
	replica_page_reset(f->r);
	assert_ok(replica_page_find(&row, f->r, &id, &err));
	assert_ok(replica_row_rebuild(f->r, row, &err));
	assert_true(sat_arena_bytes(&f->r->page.mem) < LITTLE);
	assert_ok(sat_replica_history(&past, &n, &a, f->r, &id, 0, &err));
	assert_true(sat_arena_bytes(&a) < LITTLE);
	sat_arena_fini(&a);
	assert_sound(f);
	srv_sync(f);
	assert_sound(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    indexes_of_a_kind_come_with_its_first_row, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    indexes_of_one_kind_are_not_taken_for_those_of_another, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    indexes_of_an_earlier_file_are_named_anew, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    marked_rows_are_found_in_their_index, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    an_edit_writes_the_row_and_the_outbox, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    indexes_are_as_the_rows_whatever_is_written, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    a_commit_of_a_thousand_tags_takes_a_few_states_of_memory,
		    setup_complete, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
