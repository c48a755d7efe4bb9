/*
 * The demonstration company: the same again from the same seed, sound, with
 * just what is staged, and with nobody real in it.
 */
#include "tests/lib/unit.h"

#include "client/crm/crm.h"
#include "client/crm/demo.h"
#include "common/crypto/keyring.h"

#define AS_OF ((int64_t)1763740800000) /* 2025-11-22 00:00 +08:00 */

typedef struct company {
	char *dir, *path;
	sat_keyring *ring;
	sat_replica *r;
	sat_arena a;
	sat_demo_summary sum;
} company;

static int64_t
wall(void *u)
{
	(void)u;
	return AS_OF + 3600000;
}

static int64_t
boot(void *u)
{
	(void)u;
	return 5000;
}

static void
make(company *c, int64_t accounts, int64_t days, uint64_t seed)
{
	sat_replica_identity id;
	sat_replica_env env;
	sat_demo_opts o = { .accounts = accounts, .days = days, .seed = seed,
		.as_of_ms = AS_OF };
	uint8_t key[32] = { 3 };
	sat_err err;

	memset(c, 0, sizeof *c);
	memset(&id, 0, sizeof id);
	sat_crypto_init();
	c->dir = sat_test_dir();
	c->path = sat_xasprintf("%s/replica.db", c->dir);
	c->ring = sat_keyring_memory(NULL);
	sat_sign_keys(id.sign_pk, id.sign_sk, key);
	sat_demo_identity(&id);
	env = (sat_replica_env){ .path = c->path, .keyring = c->ring,
		.clock = { wall, boot, NULL }, .rand = sat_rand_os() };
	assert_ok(sat_replica_create(&c->r, &env, &id, &err));
	assert_ok(sat_demo_seed(&c->sum, c->r, &o, &err));
}

static void
drop(company *c)
{
	sat_replica_close(c->r);
	sat_keyring_close(c->ring);
	sat_arena_fini(&c->a);
	sat_test_rmdir(c->dir);
	free(c->path);
}

static void
add_to_hash(void *u, const sat_id *id, sat_span state)
{
	sat_buf *all = u;

	sat_buf_add(all, id->b, sizeof id->b);
	sat_buf_add(all, state.p, state.n);
}

static void
hash_of(uint8_t out[SAT_HASH_BYTES], company *c)
{
	sat_buf all = { 0 };
	sat_err err;

	assert_ok(sat_replica_dump(c->r, add_to_hash, &all, &err));
	sat_hash(out, sat_buf_span(&all));
	sat_buf_fini(&all);
}

static void
equal_seeds_make_equal_companies(void **state)
{
	uint8_t h[3][SAT_HASH_BYTES];
	company c;

	(void)state;
	for (int i = 0; i < 3; i++) {
		make(&c, 60, 90, i < 2 ? 11 : 12);
		hash_of(h[i], &c);
		drop(&c);
	}
	assert_memory_equal(h[0], h[1], sizeof h[0]);
	assert_memory_not_equal(h[0], h[2], sizeof h[0]);
}

static int64_t
count(company *c, const char *kind, const char *where)
{
	sat_crm crm = { c->r, { wall, boot, NULL }, "en" };
	sat_query q = { .kind = sat_template_kind(sat_replica_template(c->r),
	    kind) };
	sat_filter *f = NULL;
	int64_t n;
	sat_err err;

	assert_non_null(q.kind);
	assert_ok(sat_crm_where(&f, &q.nfilters, &c->a, &crm, q.kind, where,
	    &err));
	q.filters = f;
	assert_ok(sat_replica_count(&n, c->r, &q, &err));
	return n;
}

static void
it_is_sound_and_has_what_is_staged(void **state)
{
	sat_conflict *conflicts;
	sat_replica_status st;
	company c;
	size_t n;
	sat_err err;

	(void)state;
	make(&c, 300, 180, 7);
	assert_ok(sat_replica_check(c.r, false, &err));
	assert_int_equal(300, c.sum.accounts);
	assert_int_equal(300, count(&c, "account", ""));
	assert_int_equal(c.sum.activities, count(&c, "activity", ""));
	assert_ok(sat_replica_conflicts(&conflicts, &n, &c.a, c.r, &err));
	assert_int_equal(SAT_DEMO_CONFLICTS, n);
	assert_ok(sat_replica_status_get(&st, c.r, &err));
	assert_int_equal(0, st.pending_commits);
	assert_int_equal(0, st.incomplete);
	assert_true(st.complete);
	assert_true(sat_replica_is_demo(c.r));
	drop(&c);
}

/* Some are won, some lost, some overdue, in five industries, and later stages
 * are rarer among those who are still being talked to. */
static void
it_looks_like_a_company(void **state)
{
	static const char *const five[] = { "C35", "I65", "F52", "P83", "Q84" };
	int64_t first, late;
	char where[64];
	company c;

	(void)state;
	make(&c, 800, 180, 7);
	for (size_t i = 0; i < 5; i++) {
		(void)snprintf(where, sizeof where, "industry=%s", five[i]);
		assert_in_range(count(&c, "account", where), 100, 220);
	}
	first = count(&c, "account", "stage=first_contact") +
	    count(&c, "account", "stage=need_confirmed");
	late = count(&c, "account", "stage=negotiation");
	assert_true(first > 2 * late && late > 0);
	assert_in_range(count(&c, "account", "status=won"), 40, 300);
	assert_in_range(count(&c, "account", "status=lost"), 40, 400);
	assert_in_range(count(&c, "account",
	    "next_follow_at<2025-11-22"), 40, 500);
	assert_true(count(&c, "order", "") > count(&c, "contract", ""));
	assert_int_equal(800, count(&c, "account", "tags has \"演示\""));
	drop(&c);
}

/* 100 is nobody's prefix: no call reaches anybody. */
static void
no_number_can_be_dialled(void **state)
{
	company c;

	(void)state;
	make(&c, 200, 60, 3);
	assert_int_equal(200, count(&c, "account", "phone_main~100"));
	assert_int_equal(count(&c, "contact", ""),
	    count(&c, "contact", "phone~100"));
	drop(&c);
}

static void
it_begins_small_and_refuses_what_makes_no_sense(void **state)
{
	sat_demo_opts o = { .accounts = 0, .days = 10, .as_of_ms = AS_OF };
	company c;
	sat_demo_summary sum;
	sat_err err;

	(void)state;
	make(&c, 1, 1, 1);
	assert_int_equal(1, count(&c, "account", ""));
	assert_ok(sat_replica_check(c.r, false, &err));
	assert_rc(SAT_EUSAGE, sat_demo_seed(&sum, c.r, &o, &err));
	o.accounts = SAT_DEMO_ACCOUNTS_MAX + 1;
	assert_rc(SAT_EUSAGE, sat_demo_seed(&sum, c.r, &o, &err));
	drop(&c);
}

/* Those of a limit are the first of all, and how many there are stays told. */
static void
who_is_due_first_is_the_same_with_a_limit(void **state)
{
	static const size_t limits[] = { 1, 2, 7, 50, 300 };
	company c;
	sat_crm crm;
	int64_t total;
	sat_due_opts o = { .now_ms = AS_OF, .from = SAT_SLA_LATER,
		.to = SAT_SLA_ESCALATED };
	sat_due *all, *some;
	size_t n, m;
	sat_err err;

	(void)state;
	make(&c, 250, 200, 3);
	crm = (sat_crm){ .replica = c.r, .clock = { wall, boot, NULL } };
	assert_ok(sat_crm_due(&all, &n, &c.a, &crm, &o, &err));
	assert_true(n > 60 && n <= 300);
	o.total = &total;
	for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
		o.limit = limits[i];
		assert_ok(sat_crm_due(&some, &m, &c.a, &crm, &o, &err));
		assert_int_equal(n, total);
		assert_int_equal(n < limits[i] ? n : limits[i], m);
		for (size_t k = 0; k < m; k++) {
			assert_memory_equal(&all[k].id, &some[k].id, 16);
			assert_int_equal(all[k].due_ms, some[k].due_ms);
			assert_string_equal(all[k].title, some[k].title);
			assert_string_equal(all[k].told, some[k].told);
			assert_string_equal(all[k].number, some[k].number);
			assert_string_equal(all[k].owner, some[k].owner);
			assert_int_equal(all[k].reason != NULL,
			    some[k].reason != NULL);
		}
	}
	o.limit = 0;
	o.only = &all[n / 2].id;
	assert_ok(sat_crm_due(&some, &m, &c.a, &crm, &o, &err));
	assert_int_equal(1, m);
	assert_memory_equal(o.only, &some[0].id, 16);
	assert_int_equal(all[n / 2].due_ms, some[0].due_ms);
	drop(&c);
}

/* A worklist judges every customer: of a column that is not in the index of the
 * covered ones it would read all rows whole. */
static void
what_a_worklist_asks_of_all_customers_is_covered(void **state)
{
	static const char *const asked[] = { "name", "number", "owner", "grade",
		"grade_until", "grade_reason", "status", "last_follow_at",
		"next_follow_at" };
	company c;
	const sat_kind *k;

	(void)state;
	make(&c, 1, 1, 1);
	k = sat_template_kind(sat_replica_template(c.r), "account");
	for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++) {
		bool found = false;

		for (size_t j = 0; j < k->ncovers; j++)
			found = found || strcmp(k->covers[j], asked[i]) == 0;
		assert_true(found);
	}
	drop(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_seeds_make_equal_companies),
		cmocka_unit_test(it_is_sound_and_has_what_is_staged),
		cmocka_unit_test(it_looks_like_a_company),
		cmocka_unit_test(no_number_can_be_dialled),
		cmocka_unit_test(it_begins_small_and_refuses_what_makes_no_sense),
		cmocka_unit_test(who_is_due_first_is_the_same_with_a_limit),
		cmocka_unit_test(what_a_worklist_asks_of_all_customers_is_covered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
