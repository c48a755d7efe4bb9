/*
 * What an administrator asks of the server becomes words of satcheld: here only
 * what is refused before they leave.
 */
#include "tests/lib/unit.h"

#include "tests/unit/client/api/asked.h"
#include "tests/unit/client/crm/crm_fixture.h"

static sat_rc
asked(world *w, const char *method, const char *path, const char *body,
    sat_err *e)
{
	const call k = { method, "", path, NULL, body, NULL };
	sat_json *doc = NULL;
	sat_rc rc = ask(&doc, w, &k, e);

	sat_json_free(doc);
	return rc;
}

/* As empty text it would have taken the name from everybody's lists. */
static void
what_is_no_single_value_is_not_taken_for_empty_text(void **state)
{
	static const char *const values[] = { "null", "[\"x\"]", "[]",
		"{\"zh\":\"x\"}", "1.5" };
	static const struct {
		const char *method, *path, *body;
	} ways[] = {
		{ "PATCH", "/v1/admin/users/u1", "{\"name\":%s}" },
		{ "PATCH", "/v1/admin/teams/east", "{\"name\":%s}" },
		{ "POST", "/v1/admin/users", "{\"key\":\"new\",\"name\":%s}" },
		{ "POST", "/v1/admin/devices/1/rename", "{\"name\":%s}" },
		{ "POST", "/v1/webhooks",
		    "{\"url\":\"https://h.example/x\",\"name\":%s}" },
	};
	world *w = world_of(*state);
	sat_err err;

	people(w->f, "admin");
	w->api.sync.server = "tcp://127.0.0.1:1"; /* nobody is there */
	w->api.sync.timeout_ms = 1000;
	for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
		const char *at = strstr(ways[i].body, "%s");

		for (size_t k = 0; k < sizeof values / sizeof values[0]; k++) {
			char *body = sat_xasprintf("%.*s%s%s",
			    (int)(at - ways[i].body), ways[i].body, values[k],
			    at + 2);

			if (asked(w, ways[i].method, ways[i].path, body,
			    &err) != SAT_EUSAGE)
				fail_msg("%s %s: %d %s", ways[i].path, body,
				    (int)err.rc, err.text);
			assert_string_equal("usage.option", err.code);
			assert_string_equal("name: no single value", err.text);
			free(body);
		}
	}
	/* and what is one goes on its way */
	assert_rc(SAT_EUNREACHABLE, asked(w, "PATCH", "/v1/admin/teams/east",
	    "{\"name\":\"x\",\"parent\":\"\",\"days\":3,\"all\":true,"
	    "\"none\":false}", &err));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		HQ(what_is_no_single_value_is_not_taken_for_empty_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
