/* What a request made is told with the place at which it is found. */
#include "tests/lib/unit.h"

#include "client/api/api_int.h"
#include "tests/unit/client/api/asked.h"
#include "tests/unit/client/crm/crm_fixture.h"

/* Asks, and holds whether that made something; where: at which path. */
static void
made_by(char *where, size_t max, bool makes, world *w, const call *k)
{
	sat_request req = { .method = k->method, .path = k->path };
	sat_json *doc = NULL, *query = NULL;
	sat_err err;

	if (k->query != NULL)
		assert_ok(sat_json_parse(&query, sat_span_str(k->query), 0, &err));
	req.query = query;
	assert_ok(ask(&doc, w, k, &err));
	assert_int_equal(makes, sat_api_made(where, max, &w->api, &req, doc));
	sat_json_free(query);
	sat_json_free(doc);
}

static void
what_was_made_is_found_where_its_answer_says(void **state)
{
	static const call makes[] = {
		{ "POST", "", "/v1/contacts", NULL,
		    "{\"account\":\"$A\",\"name\":\"Wang\"}", NULL },
		{ "POST", "", "/v1/views", NULL,
		    "{\"name\":\"mine\",\"kind\":\"accounts\"}", NULL },
		{ "POST", "", "/v1/visits/checkin", NULL,
		    "{\"visitor\":\"Gnu\",\"phone\":\"13800000009\","
		    "\"consent\":true}", NULL },
		{ "POST", "", "/v1/attachments", NULL,
		    "{\"record\":\"$F\",\"file\":\"$D/in.csv\"}", NULL },
		{ "POST", "", "/v1/tokens", NULL, "{\"scope\":\"read\"}", NULL },
	};
	world *w = world_of(*state);
	char where[120];

	w->api.sync.rand = sat_rand_os();
	touch(w->f->dir, "in.csv", "name\n");
	for (size_t i = 0; i < sizeof makes / sizeof makes[0]; i++) {
		call there = { "GET", "", where, NULL, NULL, NULL };
		sat_json *doc = NULL;
		sat_err err;

		made_by(where, sizeof where, true, w, &makes[i]);
		if (where[0] != '/')
			fail_msg("%s: no place", makes[i].path);
		if (ask(&doc, w, &there, &err) != SAT_OK)
			fail_msg("%s: %s: %s", makes[i].path, where, err.text);
		sat_json_free(doc);
	}
}

/* What takes a whole template to be made, or two devices: as they answer. */
static void
what_is_answered_with_in_its_own_way_has_its_place(void **state)
{
#define FREEZE "/v1/reports/won/freeze"
#define CONVERT "/v1/leads/l/convert"
	static const struct {
		const char *path, *body, *answer, *where; /* NULL: none made */
	} ways[] = {
		{ "/v1/templates/proposals", "{}",
		    "{\"schema\":\"satchel/contact/1\",\"id\":\"x\"}",
		    "/v1/contacts/x" },
		{ FREEZE, "{}", "{\"frozen\":{\"id\":\"x\"}}",
		    "/v1/reports/frozen/x" },
		{ CONVERT, "{}", "{\"account\":\"a\",\"contact\":\"c\","
		    "\"opportunity\":\"o\",\"already\":false}",
		    "/v1/accounts/a" },
		{ CONVERT, "{\"into\":\"a\"}", "{\"account\":\"a\","
		    "\"contact\":\"c\",\"opportunity\":\"o\","
		    "\"already\":false}", "/v1/opportunities/o" },
		{ CONVERT, "{\"into\":\"a\"}", "{\"account\":\"a\","
		    "\"contact\":\"c\",\"opportunity\":null,"
		    "\"already\":false}", "/v1/contacts/c" },
		{ CONVERT, "{\"into\":\"a\"}", "{\"account\":\"a\","
		    "\"contact\":null,\"opportunity\":null,"
		    "\"already\":false}", NULL },
		{ CONVERT, "{}", "{\"account\":\"a\",\"contact\":null,"
		    "\"opportunity\":null,\"already\":true}", NULL },
	};
	world *w = world_of(*state);
	sat_json *body, *doc;
	char where[120];
	sat_err err;

	for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
		sat_request req = { .method = "POST", .path = ways[i].path };
		bool made;

		assert_ok(sat_json_parse(&body, sat_span_str(ways[i].body), 0,
		    &err));
		assert_ok(sat_json_parse(&doc, sat_span_str(ways[i].answer), 0,
		    &err));
		req.body = body;
		made = sat_api_made(where, sizeof where, &w->api, &req, doc);
		assert_int_equal(ways[i].where != NULL, made);
		assert_string_equal(made ? ways[i].where : "", where);
		req.method = "GET";
		assert_false(sat_api_made(where, sizeof where, &w->api, &req,
		    doc));
		sat_json_free(body);
		sat_json_free(doc);
	}
}

/* Who adds a route that makes a record says so in made.c. */
static void
every_route_that_takes_the_right_to_make_a_record_makes_one(void **state)
{
	static const char *const ends[] = { "create", ".create" };
	size_t n, made = 0;
	const sat_route *r = sat_api_routes(&n);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(r[i].permission);
		bool create = strcmp(r[i].permission, ends[0]) == 0 ||
		    (len > 7 && strcmp(r[i].permission + len - 7, ends[1]) == 0);

		made += api_makes(&r[i]);
		if (create && strcmp(r[i].schema, "record") == 0 &&
		    strcmp(r[i].method, "POST") == 0 && !api_makes(&r[i]))
			fail_msg("%s makes a record", r[i].pattern);
	}
	assert_int_equal(13, made); /* each pattern of made.c is a route's */
}

static void
who_tries_changes_or_asks_makes_nothing(void **state)
{
	static const call not[] = {
		{ "POST", "", "/v1/contacts", "{\"validate\":\"only\"}",
		    "{\"account\":\"$A\",\"name\":\"Wang\"}", NULL },
		{ "POST", "", "/v1/accounts/query", NULL, "{}", NULL },
		{ "POST", "", "/v1/contacts/batch", NULL,
		    "{\"items\":[{\"op\":\"create\",\"data\":{\"account\":\"$A\","
		    "\"name\":\"Wei\"}}]}", NULL },
		{ "POST", "", "/v1/rules/run", NULL,
		    "{\"as_of\":\"2030-01-01\",\"dry_run\":true}", NULL },
		{ "POST", "", "/v1/exports", NULL, "{\"type\":\"account\","
		    "\"file\":\"$D/out.csv\",\"reason\":\"audit\"}", NULL },
		{ "GET", "", "/v1/contacts", NULL, NULL, NULL },
	};
	world *w = world_of(*state);
	char where[120];

	for (size_t i = 0; i < sizeof not / sizeof not[0]; i++) {
		made_by(where, sizeof where, false, w, &not[i]);
		assert_string_equal("", where);
	}
}

/* A place that does not fit is none, rather than another one. */
static void
a_place_that_is_too_long_is_not_told(void **state)
{
	static const call k = { "POST", "", "/v1/contacts", NULL,
		"{\"account\":\"$A\",\"name\":\"Wang\"}", NULL };
	world *w = world_of(*state);
	char where[20];

	made_by(where, sizeof where, true, w, &k);
	assert_string_equal("", where);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		HQ(what_was_made_is_found_where_its_answer_says),
		HQ(what_is_answered_with_in_its_own_way_has_its_place),
		HQ(every_route_that_takes_the_right_to_make_a_record_makes_one),
		HQ(who_tries_changes_or_asks_makes_nothing),
		HQ(a_place_that_is_too_long_is_not_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
