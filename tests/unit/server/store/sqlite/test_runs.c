/* What concerns a key: runs of commits, and rescopes, beside a list of all. */
#include "tests/lib/unit.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/server/store/sqlite/bare.h"

#define HEAD 400
#define KEYS 5

static uint64_t seed;

/* concerns[key][lsn]: bit 0 the commit, bits 1 to 3 a rescope of that root. */
static uint8_t concerns[KEYS][HEAD + 1];

static uint64_t
rnd(uint64_t n)
{
	return sat_test_rand(&seed) % n;
}

static sat_scope_key
key_of(size_t k)
{
	return k < 3 ? sat_key_user((uint32_t)k + 1) :
	    sat_key_team((uint32_t)k);
}

static void
put(fixture *f, size_t k, uint64_t lsn, uint32_t root)
{
	sat_err err = { 0 };

	concerns[k][lsn] |= (uint8_t)(1u << root);
	assert_ok(f->o.scope_put(f->o.u, key_of(k), lsn, root, &err));
}

/* Commits that concern a key come in bursts, as the work of people does. */
static void
put_all(fixture *f)
{
	bool on[KEYS] = { false };
	sat_err err = { 0 };

	memset(concerns, 0, sizeof concerns);
	assert_ok(f->o.begin(f->o.u, &err));
	for (uint64_t lsn = 1; lsn <= HEAD; lsn++) {
		for (size_t k = 0; k < KEYS; k++) {
			on[k] = rnd(12) == 0 ? !on[k] : on[k];
			if (rnd(25) == 0)
				put(f, k, lsn, 1 + (uint32_t)rnd(3));
			if (on[k])
				put(f, k, lsn, 0);
			if (on[k] && rnd(9) == 0)
				put(f, k, lsn, 0); /* again */
		}
		if (rnd(20) == 0) {
			assert_ok(f->o.commit(f->o.u, &err));
			assert_ok(f->o.begin(f->o.u, &err));
		}
	}
	assert_ok(f->o.commit(f->o.u, &err));
}

typedef struct heard {
	uint64_t lsn[HEAD * 4 * KEYS];
	uint32_t root[HEAD * 4 * KEYS];
	size_t n, max;
} heard;

static bool
on_entry(void *u, uint64_t lsn, uint32_t root)
{
	heard *h = u;

	if (h->n > 0 && h->lsn[h->n - 1] == lsn && h->root[h->n - 1] == root)
		return true; /* a duplicate is allowed */
	if (h->n == h->max)
		return false;
	h->lsn[h->n] = lsn;
	h->root[h->n++] = root;
	return true;
}

static void
expect(heard *h, const bool *asked, uint64_t after)
{
	for (uint64_t lsn = after + 1; lsn <= HEAD; lsn++)
		for (uint32_t root = 0; root < 4; root++)
			for (size_t k = 0; k < KEYS; k++)
				if (asked[k] && (concerns[k][lsn] & 1u << root))
					(void)on_entry(h, lsn, root);
}

static void
assert_scan(fixture *f, uint64_t after, size_t max)
{
	heard *want = sat_xcalloc(1, sizeof *want);
	heard *got = sat_xcalloc(1, sizeof *got);
	bool asked[KEYS] = { false };
	sat_keys keys = { .n = 0 };
	uint64_t head, last = 0;
	sat_err err = { 0 };

	for (size_t k = 0; k < KEYS; k++) {
		if ((asked[k] = rnd(2) == 0))
			keys.k[keys.n++] = key_of(k);
		for (uint64_t lsn = 1; asked[k] && lsn <= HEAD; lsn++)
			if (concerns[k][lsn] != 0 && lsn > last)
				last = lsn;
	}
	want->max = got->max = max;
	expect(want, asked, after);
	assert_ok(f->o.scope_scan(f->o.u, &keys, after, on_entry, got, &err));
	assert_int_equal(want->n, got->n);
	assert_memory_equal(want->lsn, got->lsn, want->n * sizeof *want->lsn);
	assert_memory_equal(want->root, got->root,
	    want->n * sizeof *want->root);
	assert_ok(f->o.scope_head(&head, f->o.u, &keys, &err));
	assert_int_equal(last, head);
	free(want);
	free(got);
}

static void
runs_and_rescopes_of_any_keys_come_in_order(void **state)
{
	fixture *f = *state;

	seed = sat_test_seed(31);
	put_all(f);
	for (int i = 0; i < 600; i++)
		assert_scan(f, rnd(HEAD + 1), rnd(3) == 0 ? 1 + rnd(40) :
		    HEAD * 4 * KEYS);
}

static int64_t
rows_of(fixture *f, const char *table)
{
	char *sql = sat_xasprintf("SELECT count(*) FROM %s", table);
	sat_stmt *q;
	sat_err err = { 0 };
	int64_t n;
	bool row;

	assert_ok(sat_db_stmt_text(&q, sat_sqlite_store_db(f->s), sql, &err));
	assert_ok(sat_step(&row, q, &err));
	n = sat_col_int(q, 0);
	sat_stmt_reset(q);
	free(sql);
	return n;
}

static void
commits_of_one_transaction_that_follow_one_another_are_one_row(void **state)
{
	fixture *f = *state;
	sat_err err = { 0 };

	assert_ok(f->o.begin(f->o.u, &err));
	for (uint64_t lsn = 1; lsn <= 300; lsn++)
		for (size_t k = 0; k < 2; k++)
			assert_ok(f->o.scope_put(f->o.u, key_of(k), lsn, 0,
			    &err));
	assert_ok(f->o.commit(f->o.u, &err));
	assert_int_equal(2, rows_of(f, "scope_run"));
	assert_int_equal(0, rows_of(f, "log_scope"));
}

/* More keys than runs are kept open for, each with every third commit. */
static void
more_keys_than_open_runs_lose_nothing(void **state)
{
	fixture *f = *state;
	sat_err err = { 0 };

	assert_ok(f->o.begin(f->o.u, &err));
	for (uint64_t lsn = 1; lsn <= 60; lsn++)
		for (uint32_t k = (uint32_t)lsn % 3; k < 300; k += 3)
			assert_ok(f->o.scope_put(f->o.u, sat_key_user(k + 1),
			    lsn, 0, &err));
	assert_ok(f->o.commit(f->o.u, &err));
	for (uint32_t k = 0; k < 300; k++) {
		sat_keys one = { .k = { sat_key_user(k + 1) }, .n = 1 };
		heard *got = sat_xcalloc(1, sizeof *got);

		got->max = 100;
		assert_ok(f->o.scope_scan(f->o.u, &one, 0, on_entry, got,
		    &err));
		assert_int_equal(20, got->n);
		free(got);
	}
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(runs_and_rescopes_of_any_keys_come_in_order),
		T(commits_of_one_transaction_that_follow_one_another_are_one_row),
		T(more_keys_than_open_runs_lose_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
