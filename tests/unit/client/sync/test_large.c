/*
 * Records and customers at their limits: nothing can be written that cannot be
 * exchanged (P-001, P-085).
 */
#include "tests/lib/unit.h"

#include "tests/unit/client/sync/company.h"

static company *c;
static size_t li, wang, chen;

static int
setup(void **state)
{
	*state = c = company_new(41);
	company_staff(c, "li rep east, wang rep east, chen manager east");
	li = company_device(c, "li");
	wang = company_device(c, "wang");
	chen = company_device(c, "chen");
	for (size_t i = 0; i < 3; i++)
		company_sync(c, i);
	return 0;
}

static char text_of_60k[60001];

/* Fields beyond the template are folded too, as one of a later release would
 * bring them: each may be 64 KiB. */
static void
a_record_grows_to_its_limit_and_not_beyond(void **state)
{
	const sat_kind *k = kind_of(c, li, "account");
	sat_id id = company_account(c, li, "Large", "li");
	sat_draft d = { .subject = id, .nops = 1 };
	uint64_t cseq;
	int wrote = 0;
	sat_err err = { 0 };
	sat_rc rc = SAT_OK;

	(void)state;
	memset(text_of_60k, 'x', 60000);
	for (int f = 0; f < 40 && rc == SAT_OK; f++) {
		sat_op o = c_op(k, SAT_OP_SET, id, (uint16_t)(800 + f),
		    c_text(text_of_60k));

		d.ops = &o;
		company_pass(c, 1000);
		rc = sat_replica_write(c->r[li], &d, &cseq, &err);
		wrote += rc == SAT_OK;
	}
	assert_rc(SAT_EINVALID, rc);
	assert_string_equal("record.too_large", err.code);
	assert_int_equal(17, wrote);
	company_sound(c, li); /* the refused one left nothing */
}

static sat_id
add_visit(size_t i, sat_id account, const char *points)
{
	const sat_kind *k = kind_of(c, i, "activity");
	const sat_field *f = NULL;
	sat_id id = sat_replica_new_id(c->r[i]);
	sat_op ops[3] = { c_op(k, SAT_OP_NEW, id, 0, sat_v_null()),
		c_op(k, SAT_OP_SET, id, k->parent->id, sat_v_bytes(
		sat_span_of(account.b, sizeof account.b))) };

	for (size_t j = 0; j < k->nfields; j++)
		if (strcmp(k->fields[j].key, "points") == 0)
			f = &k->fields[j];
	assert_non_null(f);
	ops[2] = c_op(k, SAT_OP_SET, id, f->id, c_text(points));
	company_write(c, i, account, ops, 3);
	return id;
}

/* 1,200 visits of 2 kB do not fit a page: they come in part, and with the repair
 * that ends the same sync. */
static void
a_customer_larger_than_a_page_moves_all_the_same(void **state)
{
	sat_id acc = company_account(c, li, "Huge", "li");
	sat_id last = acc;
	sat_view v;
	sat_err err = { 0 };

	(void)state;
	memset(text_of_60k, 'y', 1900);
	text_of_60k[1900] = '\0';
	for (int i = 0; i < 1200; i++)
		last = add_visit(li, acc, text_of_60k);
	company_sync(c, li);
	assert_int_equal(0, c->stats.rejected);
	company_sync(c, chen);
	company_set(c, chen, acc, A_OWNER, "wang");
	company_sync(c, chen);
	company_sync(c, wang);
	assert_true(c->types[SAT_MSG_REFETCH] > 0);
	assert_same(c, wang);
	company_sound(c, wang);
	assert_ok(sat_replica_get(&v, &c->a, c->r[wang], NULL, &last, &err));
	company_sync(c, li);
	assert_same(c, li); /* he has left it */
	company_sync(c, wang);
	assert_int_equal(1, c->stats.round_trips);
}

static void
fill_with_visits(sat_id acc, int n)
{
	memset(text_of_60k, 'y', 1900);
	text_of_60k[1900] = '\0';
	for (int i = 0; i < n; i++)
		(void)add_visit(li, acc, text_of_60k);
}

/* Taken apart, both sides change at one position: 2.6 MB of states, which is more
 * than an answer may have. */
static void
two_large_customers_are_taken_apart_at_one_position(void **state)
{
	sat_id loser = company_account(c, li, "Wide", "li");
	sat_id winner = company_account(c, li, "Wider", "li");
	sat_op apart;
	sat_err err = { 0 };

	(void)state;
	fill_with_visits(loser, 650);
	fill_with_visits(winner, 650);
	company_sync(c, li);
	company_sync(c, chen);
	company_merge(c, chen, loser, winner);
	company_sync(c, chen);
	company_sync(c, li);
	apart = c_op(kind_of(c, chen, "account"), SAT_OP_UNMERGE, loser,
	    SAT_SYS_REDIRECT, sat_v_null());
	company_write(c, chen, loser, &apart, 1);
	assert_ok(company_try_sync(c, chen, &err));
	assert_int_equal(0, c->stats.rejected);
	for (size_t i = 0; i < 2; i++) {
		company_sync(c, i == 0 ? li : chen);
		assert_same(c, i == 0 ? li : chen);
		company_sound(c, i == 0 ? li : chen);
		/* what did not come was held */
		assert_int_equal(0, c->types[SAT_MSG_REFETCH]);
	}
}

#define MANY 200

/* States come as they are when they are pulled, however small they were when the
 * commit was accepted: no limit on a commit would keep them below a frame. */
static void
what_grew_since_it_moved_moves_all_the_same(void **state)
{
	const sat_kind *k = kind_of(c, li, "account");
	sat_id ids[MANY];
	sat_op ops[MANY];
	sat_err err = { 0 };

	(void)state;
	for (size_t i = 0; i < MANY; i++)
		ids[i] = company_account(c, li, "Grown", "li");
	company_sync(c, li);
	company_sync(c, chen);
	for (size_t i = 0; i < MANY; i++)
		ops[i] = c_op(k, SAT_OP_REASSIGN, ids[i], A_OWNER,
		    c_text("wang"));
	company_write(c, chen, ids[0], ops, MANY);
	company_sync(c, chen);
	assert_int_equal(0, c->stats.rejected);
	for (size_t i = 0; i < 16000; i += 4) /* it is counted in characters */
		memcpy(text_of_60k + i, "\xf0\xa0\x80\x80", 4);
	text_of_60k[16000] = '\0';
	for (size_t i = 0; i < MANY; i++)
		company_set(c, chen, ids[i], A_REMARK, text_of_60k);
	company_sync(c, chen);
	assert_int_equal(0, c->stats.rejected);
	assert_ok(company_try_sync(c, wang, &err)); /* 3.2 MB */
	assert_true(c->types[SAT_MSG_REFETCH] > 0);
	assert_same(c, wang);
	company_sound(c, wang);
	company_sync(c, li);
	assert_same(c, li);
	company_sync(c, wang);
	assert_int_equal(1, c->stats.round_trips);
}

static int64_t
signed_batches(size_t i)
{
	sat_stmt *s;
	sat_err err = { 0 };
	int64_t n;
	bool row;

	assert_ok(sat_db_stmt_text(&s, sat_replica_db(c->r[i]),
	    "SELECT count(*) FROM batch_sig", &err));
	assert_ok(sat_step(&row, s, &err));
	n = sat_col_int(s, 0);
	sat_stmt_reset(s);
	return n;
}

/* A small push and two behind it, each built before the one before it was
 * answered. What the first one made has no number yet when the second writes to
 * it. */
static void
what_does_not_fit_a_push_goes_behind_it(void **state) /* P-310 */
{
	sat_id acc = company_account(c, li, "First", "li");
	sat_err err = { 0 };
	char note[16];

	(void)state;
	assert_ok(sat_replica_group_begin(c->r[li], &err));
	for (int i = 0; i < 5000; i++) {
		(void)snprintf(note, sizeof note, "city %d", i);
		company_set(c, li, acc, A_CITY, note);
	}
	assert_ok(sat_replica_group_commit(c->r[li], &err));
	company_sync(c, li);
	assert_int_equal(3, c->types[SAT_MSG_PUSH]);
	assert_int_equal(5001, c->stats.accepted);
	assert_int_equal(3, signed_batches(li));
	assert_same(c, li);
	company_sound(c, li);
	company_sync(c, chen);
	assert_same(c, chen);
	company_shows(c, chen, acc, A_CITY, "city 4999");
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, company_end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_record_grows_to_its_limit_and_not_beyond),
		T(a_customer_larger_than_a_page_moves_all_the_same),
		T(two_large_customers_are_taken_apart_at_one_position),
		T(what_grew_since_it_moved_moves_all_the_same),
		T(what_does_not_fit_a_push_goes_behind_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
