/*
 * Which records are incomplete when the template demands other fields than the
 * one before it did.
 */
#include "tests/unit/client/replica/fixture.h"
#include "tests/unit/common/template/base.h"

#include <string.h>

#define F_SECTOR 6
#define F_CONTACT 8
#define F_GRADE 16
#define F_NEED 18

#define SECTOR "\"en\": \"Sector\"}, \"type\": \"text\","
#define NEED "\"en\": \"Need type\"}, \"type\": \"enum\","
#define AT_CREATE " \"required_at\": [\"create\"],"
#define OF_STRATEGIC " \"required_when\": \"grade=strategic\","

/* The base template with another text in the customer's fields. */
static void
give_changed(fixture *f, const char *was, const char *is)
{
	char *doc = edited(base_text("fields/account.json"), was, is);

	give_base(f, "fields/account.json", doc);
	free(doc);
}

/* The base template demands nothing more of it. */
static sat_id
full_account(fixture *f, const char *name)
{
	sat_id id = new_account(f, name, "13800000001");
	sat_op contact = op(f->account, SAT_OP_MVSET, id, F_CONTACT,
	    text("Sun"));

	(void)set_text(f, id, F_INDUSTRY, "manufacturing");
	(void)set_text(f, id, F_NEED, "product");
	(void)write_ops(f, id, &contact, 1);
	assert_false(view_of(f, id).incomplete);
	return id;
}

static void
a_field_demanded_from_now_on_flags_the_rows_that_lack_it(void **state)
{
	fixture *f = *state;
	sat_id a = full_account(f, "Anhui Mill");
	sat_id b = full_account(f, "Bengbu Mill"), c;

	(void)set_text(f, a, F_GRADE, "strategic");
	(void)set_text(f, b, F_GRADE, "key");
	srv_sync(f);
	c = full_account(f, "Chuzhou Mill");
	(void)set_text(f, c, F_GRADE, "strategic"); /* waits */
	give_changed(f, SECTOR, SECTOR OF_STRATEGIC);
	assert_true(view_of(f, a).incomplete);
	assert_false(view_of(f, b).incomplete);
	assert_true(view_of(f, c).incomplete);
	assert_int_equal(2, status_of(f).incomplete);
	assert_sound(f);
	(void)set_text(f, a, F_SECTOR, "paper");
	assert_false(view_of(f, a).incomplete);
	srv_sync(f);
	assert_settled(f);
}

static void
a_field_not_demanded_any_more_flags_nothing(void **state)
{
	fixture *f = *state;
	sat_id a = full_account(f, "Anhui Mill");
	sat_id b = full_account(f, "Bengbu Mill");

	(void)set_text(f, a, F_NEED, "");
	(void)set_text(f, b, F_CONTACT, "");
	srv_sync(f);
	assert_int_equal(2, status_of(f).incomplete);
	give_changed(f, NEED AT_CREATE, NEED);
	assert_false(view_of(f, a).incomplete);
	assert_true(view_of(f, b).incomplete);
	assert_sound(f);
	give_changed(f, NEED AT_CREATE, NEED AT_CREATE " \"retired\": true,");
	assert_false(view_of(f, a).incomplete);
	assert_sound(f);
	give_base(f, NULL, NULL);
	assert_true(view_of(f, a).incomplete);
	assert_int_equal(2, status_of(f).incomplete);
	assert_settled(f);
}

static void
what_lacks_nothing_that_its_reader_may_see_is_not_flagged(void **state)
{
	fixture *f = *state;
	sat_id a, deleted;
	sat_op del;
	sat_record *rec;

	a = full_account(f, "Anhui Mill");
	deleted = full_account(f, "Bengbu Mill");
	del = op(f->account, SAT_OP_DEL, deleted, 0, sat_v_null());
	(void)write_ops(f, deleted, &del, 1);
	while (srv_push(f, false) > 0)
		;
	rec = srv_find(&f->srv, &a);
	rec->cells = sat_arena_dup(&f->srv.mem, rec->cells,
	    (rec->ncells + 1) * sizeof *rec->cells);
	rec->cells[rec->ncells++] = (sat_cell){ .field = SAT_SYS_MASKED,
		.at = rec->born, .value = text("@6") };
	srv_snapshot(f, 100);
	give_changed(f, SECTOR, SECTOR AT_CREATE);
	assert_int_equal(0, status_of(f).incomplete);
	assert_settled(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		COMPLETE(
		    a_field_demanded_from_now_on_flags_the_rows_that_lack_it),
		COMPLETE(a_field_not_demanded_any_more_flags_nothing),
		EMPTY(
		    what_lacks_nothing_that_its_reader_may_see_is_not_flagged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
