/* What a role may not do, by whatever route it asks. */
#include "tests/lib/unit.h"

#include <unistd.h>

#include "tests/unit/client/api/asked.h"
#include "tests/unit/client/crm/crm_fixture.h"

static void
a_salesperson_may_not_delete_assign_or_look_at_people(void **state)
{
	static const call bad[] = {
		{ "DELETE", "", "/v1/accounts/$A", NULL, NULL, NULL },
		{ "POST", "", "/v1/accounts/$A/restore", NULL, NULL, NULL },
		{ "POST", "", "/v1/accounts/$A/assign", NULL, "{\"to\":\"u1\"}",
		    NULL },
		{ "GET", "", "/v1/users", NULL, NULL, NULL },
	};
	world *w = world_of(*state);

	people(w->f, "rep");
	for (size_t i = 0; i < 4; i++) {
		sat_json *doc = NULL;
		sat_err e;

		assert_rc(SAT_EDENIED, ask(&doc, w, &bad[i], &e));
	}
}

static bool
shows(world *w, const char *path, const char *text)
{
	call k = { "GET", "", path, NULL, NULL, NULL };
	sat_json *doc = NULL;
	sat_buf b = { 0 };
	bool found;
	sat_err err;

	assert_ok(ask(&doc, w, &k, &err));
	sat_json_write(&b, doc, false);
	found = strstr(sat_buf_cstr(&b), text) != NULL;
	sat_buf_fini(&b);
	sat_json_free(doc);
	return found;
}

static void
a_phone_is_masked_in_every_way_out_for_who_may_not_see_it(void **state)
{
	static const char *const ways[] = { "/v1/accounts", "/v1/accounts/$A",
		"/v1/accounts/$A/history", "/v1/accounts/$A/timeline",
		"/v1/conflicts", "/v1/conflicts/$K", "/v1/inbox", "/v1/commits",
		"/v1/sync/pending" };
	world *w = world_of(*state);
	sat_id id, waiting = customer(w->f, "Green Works", "13900000004");
	size_t changed;
	sat_err err;

	assert_true(sat_id_parse(&id, w->id));
	assert_ok(try_edit(&changed, w->f, w->f->account, id,
	    LIST("owner=u2"), &err));
	assert_ok(try_edit(&changed, w->f, w->f->account, waiting,
	    LIST("owner=u2"), &err));
	for (size_t i = 0; i < 9; i++)
		if (!shows(w, ways[i], "39000000"))
			fail_msg("headquarters does not see it in %s", ways[i]);
	people(w->f, "rep"); /* the customer is another's now */
	for (size_t i = 0; i < 9; i++)
		if (shows(w, ways[i], "39000000"))
			fail_msg("%s shows the phone", ways[i]);
}

static void
an_export_of_what_is_not_ones_own_needs_a_reason_that_is_kept(void **state)
{
	static const call bare = { "POST", "", "/v1/exports", NULL,
		"{\"type\":\"account\",\"file\":\"$D/a.csv\"}", NULL };
	static const call blank = { "POST", "", "/v1/exports", NULL,
		"{\"type\":\"account\",\"file\":\"$D/a.csv\",\"reason\":\"\"}", NULL };
	static const call why = { "POST", "", "/v1/exports", NULL,
		"{\"type\":\"account\",\"file\":\"$D/a.csv\","
		"\"reason\":\"yearly audit\"}", NULL };
	world *w = world_of(*state);
	char *path = sat_xasprintf("%s/a.csv", w->f->dir);
	sat_json *doc = NULL;
	sat_err err;

	people(w->f, "manager");
	assert_rc(SAT_EUSAGE, ask(&doc, w, &bare, &err));
	assert_string_equal("usage.reason", err.code);
	assert_rc(SAT_EUSAGE, ask(&doc, w, &blank, &err));
	assert_int_not_equal(0, access(path, F_OK)); /* nothing left */
	assert_ok(ask(&doc, w, &why, &err));
	sat_json_free(doc);
	assert_true(shows(w, "/v1/audit", "yearly audit"));
	people(w->f, "rep"); /* his own needs none */
	assert_ok(ask(&doc, w, &bare, &err));
	sat_json_free(doc);
	free(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		HQ(a_salesperson_may_not_delete_assign_or_look_at_people),
		HQ(a_phone_is_masked_in_every_way_out_for_who_may_not_see_it),
		HQ(an_export_of_what_is_not_ones_own_needs_a_reason_that_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
