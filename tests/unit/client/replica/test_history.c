/*
 * Past values, packed: what was displaced is read back as it was, in the order
 * it was displaced, however much there is.
 */
#include "tests/lib/unit.h"

#include "client/replica/replica_int.h"
#include "tests/unit/client/replica/fixture.h"

#define RID 77

/* Row of the table history alone: the functions look at nothing else. */
static void
put(fixture *f, const sat_past *past, size_t n)
{
	replica_row row = { .rid = RID };
	sat_err err = { 0 };

	for (size_t i = 0; i < n; i++) {
		sat_displaced d = { past[i].field, past[i].value, past[i].at };

		replica_past_note(&row, &f->a, &d, past[i].by);
	}
	assert_ok(sat_db_begin(f->r->db, &err));
	assert_ok(replica_past_put(f->r, &row, &err));
	assert_int_equal(0, row.npast);
	assert_ok(sat_db_commit(f->r->db, &err));
}

static sat_past *
got(fixture *f, int field, size_t *n)
{
	sat_past *list = NULL;
	size_t cap = 0;
	sat_err err = { 0 };

	*n = 0;
	assert_ok(replica_past_of(&list, n, &cap, &f->a, f->r, RID, field,
	    &err));
	return list;
}

static void
assert_past(const sat_past *want, const sat_past *is)
{
	assert_int_equal(want->field, is->field);
	assert_int_equal(want->by, is->by);
	assert_int_equal(want->at.hlc, is->at.hlc);
	assert_int_equal(want->at.dev, is->at.dev);
	assert_int_equal(want->at.lsn, is->at.lsn);
	assert_true(sat_value_eq(want->value, is->value));
}

static uint64_t
below(uint64_t *g, uint64_t n)
{
	return sat_test_rand(g) % n;
}

/* A plausible next entry: mostly the field's chain goes on, sometimes a state
 * came in between, a server was lost (positions go back), a clock jumped. */
static sat_past
next_past(fixture *f, uint64_t *g, const sat_past *past, size_t n)
{
	sat_past p = { .field = (uint16_t)(1 + below(g, 5) * 400),
		.by = n > 0 ? past[n - 1].by + below(g, 3) : 10 };
	char *text = sat_arena_alloc(&f->a, 64);

	if (below(g, 20) == 0)
		p.by = 1 + below(g, 1000);
	p.at = (sat_stamp){ sat_test_rand(g) >> 1, (uint32_t)below(g, 4),
		below(g, 2000) };
	for (size_t i = n; i-- > 0 && below(g, 4) > 0;)
		if (past[i].field == p.field) {
			p.at.lsn = past[i].by;
			break;
		}
	if (n > 0 && below(g, 4) == 0)
		p.at = past[0].at;
	(void)snprintf(text, 64, "%.*s", (int)below(g, 60),
	    "12345678901234567890123456789012345678901234567890123456789");
	p.value = below(g, 2) == 0 ?
	    sat_v_int((int64_t)sat_test_rand(g)) :
	    sat_v_text(sat_span_str(text));
	return p;
}

static void
what_was_displaced_is_read_back(void **state)
{
	fixture *f = *state;
	uint64_t g = sat_test_seed(9);
	sat_past all[400], *is;
	size_t n = 0, read;

	while (n < 400) {
		size_t more = 1 + below(&g, 30), from = n;

		for (; n < 400 && n < from + more; n++)
			all[n] = next_past(f, &g, all, n);
		put(f, all + from, n - from);
	}
	is = got(f, 0, &read);
	assert_int_equal(n, read);
	for (size_t i = 0; i < n; i++)
		assert_past(&all[i], &is[i]);
	is = got(f, 401, &read);
	for (size_t i = 0, k = 0; i < n; i++)
		if (all[i].field == 401)
			assert_past(&all[i], &is[k++]);
	assert_true(read > 0 && read < n);
}

static int64_t
count(fixture *f, const char *sql)
{
	sat_stmt *s;
	bool row;
	int64_t n;
	sat_err err = { 0 };

	assert_ok(sat_db_stmt_text(&s, f->r->db, sql, &err));
	assert_ok(sat_step(&row, s, &err));
	n = sat_col_int(s, 0);
	sat_stmt_reset(s);
	return n;
}

static void
a_change_rewrites_no_more_than_a_chunk(void **state)
{
	fixture *f = *state;
	sat_past p = { 5, sat_v_text(sat_span_str("13900001234")),
		{ (sat_hlc)1 << 60, 3, 1 }, 2 };

	for (int i = 0; i < 500; i++) {
		put(f, &p, 1);
		p.at = (sat_stamp){ p.at.hlc + (1 << 24), 3, p.by };
		p.by += 700;
	}
	assert_true(count(f, "SELECT max(length(data)) FROM history") < 1100);
	assert_true(count(f, "SELECT count(*) FROM history") > 5);
	/* and an entry is not much more than its value */
	assert_true(count(f, "SELECT sum(length(data)) / 500 FROM history") <=
	    22);
}

static void
one_that_cannot_be_read_is_left_and_told(void **state)
{
	fixture *f = *state;
	sat_past p = { 5, sat_v_int(9), { 100, 3, 1 }, 2 }, *list = NULL;
	size_t n = 0, cap = 0;
	sat_err err = { 0 };

	put(f, &p, 1);
	assert_ok(sat_db_exec(f->r->db,
	    "UPDATE history SET data = x'2d0401'", &err));
	put(f, &p, 1);
	assert_int_equal(2, count(f, "SELECT count(*) FROM history"));
	assert_rc(SAT_EINTEGRITY, replica_past_of(&list, &n, &cap, &f->a, f->r,
	    RID, 0, &err));
	assert_int_equal(0, n);
}

static void
what_nobody_looks_back_to_goes(void **state)
{
	fixture *f = *state;
	sat_past all[60], *is;
	size_t n;
	sat_err err = { 0 };

	for (size_t i = 0; i < 60; i++)
		all[i] = (sat_past){ (uint16_t)(1 + i % 2), sat_v_int((int64_t)i),
			{ 1000 + i, 1, i }, 1 + i };
	put(f, all, 60);
	assert_ok(sat_db_begin(f->r->db, &err));
	assert_ok(replica_past_trim(f->r, 1050, 3, &err));
	assert_ok(sat_db_commit(f->r->db, &err));
	is = got(f, 0, &n);
	assert_int_equal(6, n);
	for (size_t i = 0; i < 6; i++)
		assert_past(&all[54 + i], &is[i]);
	assert_ok(sat_db_begin(f->r->db, &err));
	assert_ok(replica_past_trim(f->r, 1058, 3, &err));
	assert_ok(sat_db_commit(f->r->db, &err));
	is = got(f, 0, &n);
	assert_int_equal(2, n);
	assert_past(&all[58], &is[0]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_was_displaced_is_read_back, setup, teardown),
		cmocka_unit_test_setup_teardown(a_change_rewrites_no_more_than_a_chunk, setup, teardown),
		cmocka_unit_test_setup_teardown(one_that_cannot_be_read_is_left_and_told, setup, teardown),
		cmocka_unit_test_setup_teardown(what_nobody_looks_back_to_goes, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
