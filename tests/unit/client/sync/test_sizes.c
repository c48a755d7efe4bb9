/*
 * How large a record may become is judged of what a commit makes of it, on the
 * device and on the server (P-001).
 */
#include "tests/lib/unit.h"

#include "tests/unit/client/sync/company.h"
#include "tests/unit/common/template/base.h"

enum { LI, WANG, HQ };
enum { FIRST = 200, FULL = 17, FIELDS = 24, LONG = 60000 };

static char *fields, text[LONG + 1], other[LONG + 1];

/* A customer of whose long texts 17 come to 1 MB. */
static int
setup(void **state)
{
	char list[FIELDS * 128], *end = list;
	company *c;

	memset(text, 'x', LONG);
	memset(other, 'y', LONG);
	end += snprintf(end, 32, "\"fields\": [");
	for (int i = 0; i < FIELDS; i++)
		end += snprintf(end, 128, "{\"id\": %d, \"key\": \"long%d\", "
		    "\"label\": {\"zh\": \"l\", \"en\": \"l\"}, "
		    "\"type\": \"text\", \"max_len\": %d},", FIRST + i, i,
		    (int)LONG);
	fields = edited(base_text("fields/account.json"), "\"fields\": [",
	    list);
	company_fields = fields;
	c = company_new(53);
	company_staff(c, "li rep east, wang rep east, hq hq");
	company_devices(c, "li wang hq");
	*state = c;
	return 0;
}

static int
teardown(void **state)
{
	company_free(*state);
	company_fields = NULL;
	free(fields);
	return 0;
}

static sat_op
set(company *c, size_t i, sat_id id, int n, const char *v)
{
	return c_op(kind_of(c, i, "account"), SAT_OP_SET, id,
	    (uint16_t)(FIRST + n), v != NULL ? c_text(v) : sat_v_null());
}

static void
fill(company *c, size_t i, sat_id id)
{
	sat_op ops[FULL];

	for (int n = 0; n < FULL; n++)
		ops[n] = set(c, i, id, n, text);
	company_write(c, i, id, ops, FULL);
	company_sync(c, i);
	assert_int_equal(0, c->stats.rejected);
}

static sat_rc
try_write(company *c, size_t i, sat_id id, sat_op *ops, size_t n, sat_err *e)
{
	sat_draft d = { .subject = id, .ops = ops, .nops = n };
	uint64_t cseq;

	company_pass(c, 1000);
	return sat_replica_write(c->r[i], &d, &cseq, e);
}

static void
all_hold_the_same(company *c)
{
	for (size_t i = 0; i < c->n; i++) {
		company_sync(c, i);
		company_right(c, i);
	}
}

static void
what_is_too_large_on_the_way_only_is_taken(void **state)
{
	company *c = *state;
	sat_id id = company_account(c, LI, "Longwinded", "li");
	sat_id second = company_account(c, LI, "Terse", "li");
	sat_op ops[3];
	sat_err err = { 0 };

	fill(c, LI, id);
	ops[0] = set(c, LI, id, FULL, text);
	ops[1] = set(c, LI, second, 0, "between");
	ops[2] = set(c, LI, id, 0, NULL);
	assert_ok(try_write(c, LI, id, ops, 3, &err));
	company_sync(c, LI);
	assert_int_equal(0, c->stats.rejected);
	all_hold_the_same(c);
	ops[2] = set(c, LI, id, 0, text);
	assert_rc(SAT_EINVALID, try_write(c, LI, id, &ops[1], 2, &err));
	assert_string_equal("record.too_large", err.code);
	company_sound(c, LI);
}

/* A long text alone in its commit is judged with all the others. */
static void
what_one_text_makes_too_large_is_refused_at_once(void **state)
{
	company *c = *state;
	sat_id id = company_account(c, LI, "Long and longer", "li");
	sat_op op;
	sat_err err = { 0 };

	fill(c, LI, id);
	company_reopen(c, LI);
	op = set(c, LI, id, FULL, text);
	assert_rc(SAT_EINVALID, try_write(c, LI, id, &op, 1, &err));
	assert_string_equal("record.too_large", err.code);
	op = set(c, LI, id, FULL, "short");
	assert_ok(try_write(c, LI, id, &op, 1, &err));
	op = set(c, LI, id, 0, other);
	assert_ok(try_write(c, LI, id, &op, 1, &err));
	company_sync(c, LI);
	assert_int_equal(0, c->stats.rejected);
	all_hold_the_same(c);
}

/* Li's late work stands beside what the record is, and takes its room. */
static void
what_suggestions_made_too_large_may_be_made_smaller(void **state)
{
	company *c = *state;
	sat_id id = company_account(c, LI, "Crowded", "li");
	sat_op ops[2];
	sat_err err = { 0 };

	fill(c, LI, id);
	company_sync(c, HQ);
	company_set(c, HQ, id, A_OWNER, "wang");
	company_sync(c, HQ);
	company_pass(c, 100 * 3600 * 1000ll); /* no grace any more */
	ops[0] = set(c, LI, id, 0, other);
	company_write(c, LI, id, ops, 1);
	company_sync(c, LI);
	assert_int_equal(1, c->stats.handed);

	company_sync(c, WANG);
	memset(text + LONG / 2, '\0', 1);
	ops[0] = set(c, WANG, id, 1, text); /* by half: still too large */
	ops[1] = set(c, WANG, id, FULL, "a word more");
	assert_ok(try_write(c, WANG, id, ops, 2, &err));
	company_sync(c, WANG);
	assert_int_equal(0, c->stats.rejected);
	all_hold_the_same(c);
	ops[1] = set(c, WANG, id, FULL, "a word more and others");
	assert_rc(SAT_EINVALID, try_write(c, WANG, id, ops, 2, &err));
	assert_string_equal("record.too_large", err.code);
}

/* What goes on to the winner must fit there, too. */
static void
what_makes_another_too_large_is_refused(void **state)
{
	company *c = *state;
	sat_id loser = company_account(c, LI, "Small", "li");
	sat_id winner = company_account(c, LI, "Great", "li");
	sat_op op;
	sat_quarantined *q;
	size_t n;
	sat_err err = { 0 };

	fill(c, LI, winner);
	company_sync(c, HQ);
	company_merge(c, HQ, loser, winner);
	company_sync(c, HQ);
	op = set(c, LI, loser, FULL, text);
	company_write(c, LI, loser, &op, 1);
	company_sync(c, LI);
	assert_int_equal(1, c->stats.rejected);
	assert_ok(sat_replica_quarantine(&q, &n, &c->a, c->r[LI], &err));
	assert_int_equal(1, n);
	assert_string_equal("record.too_large", q[0].slug);
	all_hold_the_same(c);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(what_is_too_large_on_the_way_only_is_taken),
		T(what_one_text_makes_too_large_is_refused_at_once),
		T(what_suggestions_made_too_large_may_be_made_smaller),
		T(what_makes_another_too_large_is_refused),
	};
#undef T

	return cmocka_run_group_tests(tests, NULL, NULL);
}
