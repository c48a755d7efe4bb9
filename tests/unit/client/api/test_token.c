/* A token of one kind reads that kind, and nothing of others through it. */
#include "tests/lib/unit.h"

#include "common/crypto/crypto.h"
#include "tests/unit/client/api/asked.h"

static sat_json *
asked(world *w, const call *k)
{
	sat_json *doc = NULL;
	sat_err err;

	assert_ok(ask(&doc, w, k, &err));
	return doc;
}

static void
a_token_of_one_kind_reads_nothing_of_others_through_it(void **state)
{
	static const call make = { "POST", "", "/v1/tokens", NULL,
		"{\"scope\":\"read:account\"}", NULL };
	static const call include[] = {
		{ "GET", "", "/v1/accounts/$A",
		    "{\"include\":\"opportunities\"}", NULL, NULL },
		{ "GET", "", "/v1/accounts", "{\"include\":\"opportunities\"}",
		    NULL, NULL },
		{ "POST", "", "/v1/accounts/query", NULL,
		    "{\"include\":\"opportunities\"}", NULL },
	};
	static const call timeline = { "GET", "", "/v1/accounts/$A/timeline",
		NULL, NULL, NULL };
	world *w = world_of(*state);
	char scope[SAT_API_SCOPE_TEXT], *bearer;
	sat_err e = { 0 }, err;
	sat_json *doc;

	w->api.sync.rand = sat_rand_os();
	doc = asked(w, &make);
	bearer = sat_xasprintf("Bearer %s", sat_json_get_str(doc, "token", ""));
	sat_json_free(doc);
	assert_ok(sat_api_token_may(scope, &w->api, bearer, "GET",
	    "/v1/accounts", &err));
	assert_string_equal("read:account", scope);
	free(bearer);

	doc = asked(w, &timeline);
	assert_non_null(sat_json_get(sat_json_get(doc, "under"),
	    "opportunities"));
	sat_json_free(doc);
	w->api.scope = scope;
	doc = asked(w, &timeline);
	assert_null(sat_json_first(sat_json_get(doc, "under")));
	sat_json_free(doc);
	for (size_t i = 0; i < 3; i++) {
		doc = NULL;
		assert_rc(SAT_EDENIED, ask(&doc, w, &include[i], &e));
	}
	w->api.scope = "read:account,write:opportunity";
	for (size_t i = 0; i < 3; i++)
		sat_json_free(asked(w, &include[i]));
	w->api.scope = NULL;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		HQ(a_token_of_one_kind_reads_nothing_of_others_through_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
