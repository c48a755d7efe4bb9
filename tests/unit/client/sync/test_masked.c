/*
 * A device whose role does not see a field works on records others change that
 * field of: what its own work comes to only the server can tell (P-242).
 */
#include "tests/lib/unit.h"

#include "tests/unit/client/sync/company.h"
#include "tests/unit/common/template/base.h"

enum { CHEN, HQ, HQ2 };

static char *matrix;

/* A manager, who may delete, does not see the names. */
static int
setup(void **state)
{
	company *c;

	matrix = edited(base_text("acl/matrix.json"), "\"masks\": {",
	    "\"masks\": {\"manager\": [\"account.name\"],");
	company_matrix = matrix;
	c = company_new(71);
	company_staff(c, "li rep east, chen manager east, hq hq, hq2 hq");
	company_devices(c, "chen hq hq2");
	*state = c;
	return 0;
}

static int
teardown(void **state)
{
	company_free(*state);
	company_matrix = NULL;
	free(matrix);
	return 0;
}

static void
delete(company *c, size_t i, sat_id id)
{
	sat_op o = c_op(kind_of(c, i, "account"), SAT_OP_DEL, id, 0,
	    sat_v_null());

	company_write(c, i, id, &o, 1);
}

static sat_record
shown(company *c, size_t i, sat_id id)
{
	sat_view v;
	sat_err err = { 0 };

	assert_ok(sat_replica_get(&v, &c->a, c->r[i], NULL, &id, &err));
	return v.rec;
}

static sat_vtype
type_of_name(company *c, size_t i, sat_id id)
{
	sat_record r = shown(c, i, id);

	return sat_record_value(&r, A_NAME).type;
}

/* And no repair had to see to it. */
static void
all_hold_the_same(company *c)
{
	for (size_t i = 0; i < c->n; i++)
		company_right(c, i);
}

/*
 * Of the three names the one from before is shown to nobody, and to a manager
 * none: not even that it came. He confirms his deletion without knowing of it,
 * which is no confirmation, and his device must not take it for one.
 */
static void
a_deletion_counts_what_its_author_is_not_shown(void **state) /* P-062, P-242 */
{
	company *c = *state;
	sat_id id = company_account(c, HQ, "Firm", "li");

	company_sync(c, HQ);
	company_sync_all(c);
	company_set(c, HQ2, id, A_NAME, "Early"); /* not sent yet */
	company_set(c, HQ, id, A_NAME, "Late");
	company_sync(c, HQ);
	delete(c, CHEN, id);
	company_sync(c, CHEN);
	assert_true(shown(c, CHEN, id).with_edits);
	assert_same(c, CHEN);
	company_sync(c, HQ2);
	delete(c, CHEN, id);
	assert_false(shown(c, CHEN, id).with_edits); /* as far as he knows */
	company_sync(c, CHEN);
	assert_true(shown(c, CHEN, id).deleted);
	assert_true(shown(c, CHEN, id).with_edits);
	assert_int_equal(SAT_V_NULL, type_of_name(c, CHEN, id));
	company_sync_all(c);
	all_hold_the_same(c);

	delete(c, CHEN, id); /* now he has seen that there is something */
	company_sync_all(c);
	assert_true(shown(c, HQ, id).deleted);
	assert_false(shown(c, HQ, id).with_edits);
	assert_false(shown(c, CHEN, id).with_edits);
	company_sync_all(c);
	all_hold_the_same(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    a_deletion_counts_what_its_author_is_not_shown, setup,
		    teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
