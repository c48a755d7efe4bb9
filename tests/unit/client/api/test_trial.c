/* What a request says that is no plain write: a trial, another method, a body
 * that is none. */
#include "tests/lib/unit.h"

#include <ctype.h>
#include <stdio.h>

#include "tests/unit/client/api/asked.h"

static char *
text_at(world *w, const char *path)
{
	call k = { "GET", "", path, NULL, NULL, NULL };
	sat_json *doc = NULL;
	sat_buf b = { 0 };
	char *text;
	sat_err err;

	assert_ok(ask(&doc, w, &k, &err));
	sat_json_write(&b, doc, false);
	text = sat_xstrdup(sat_buf_cstr(&b));
	sat_buf_fini(&b);
	sat_json_free(doc);
	return text;
}

static void
a_trial_of_any_write_leaves_everything_as_it_was(void **state)
{
	static const char only[] = "{\"validate\":\"only\"}";
	static const call trials[] = {
		{ "POST", "", "/v1/accounts/$A/stage", only,
		    "{\"stage\":\"need_confirmed\"}", NULL },
		{ "POST", "", "/v1/accounts/$A/assign", only, "{\"to\":\"u2\"}",
		    NULL },
		{ "DELETE", "", "/v1/accounts/$A", only, NULL, NULL },
		{ "PATCH", "", "/v1/accounts/$A", only, "{\"remark\":\"x\"}",
		    NULL },
		{ "POST", "", "/v1/accounts/batch", only,
		    "{\"items\":[{\"op\":\"edit\",\"id\":\"$A\","
		    "\"data\":{\"remark\":\"x\"}},{\"op\":\"delete\","
		    "\"id\":\"$A\"}]}", NULL },
	};
	world *w = world_of(*state);
	char *was = text_at(w, "/v1/accounts/$A"), *is;
	char *log = text_at(w, "/v1/sync/pending"), *after;

	for (size_t i = 0; i < sizeof trials / sizeof trials[0]; i++) {
		sat_json *doc = NULL;
		sat_err err;

		assert_ok(ask(&doc, w, &trials[i], &err));
		sat_json_free(doc);
		is = text_at(w, "/v1/accounts/$A");
		assert_string_equal(was, is);
		free(is);
	}
	after = text_at(w, "/v1/sync/pending");
	assert_string_equal(log, after);
	free(after);
	free(log);
	free(was);
}

static bool
is_about_a_record(const call *k)
{
	static const char *const words[] = { "/v1/{kind}/{id}",
		"/v1/accounts/{id}", "/v1/activities/{id}", "/v1/leads/{id}",
		"/v1/tasks/{id}", "/v1/visits/{id}", "/v1/views/{id}" };

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strncmp(k->pattern, words[i], strlen(words[i])) == 0)
			return true;
	return false;
}

/* The calls name one by its name. */
static void
make_views(world *w)
{
	for (size_t i = 0; i < ncalls; i++) {
		sat_json *doc = NULL;
		sat_err err;

		if (strcmp(calls[i].pattern, "/v1/views") == 0 &&
		    strcmp(calls[i].method, "POST") == 0)
			assert_ok(ask(&doc, w, &calls[i], &err));
		sat_json_free(doc);
	}
}

/* What the OpenAPI document says of this route's header or member. */
static bool
is_promised(const sat_json *doc, const char *method, const char *pattern,
    const char *name)
{
	char word[8] = "";
	const sat_json *p;

	for (size_t i = 0; method[i] != '\0' && i + 1 < sizeof word; i++)
		word[i] = (char)tolower((unsigned char)method[i]);
	p = sat_json_get(sat_json_get(sat_json_get(sat_json_get(doc, "paths"),
	    pattern), word), "parameters");
	assert_non_null(p);
	for (p = sat_json_first(p); p != NULL; p = sat_json_next(p))
		if (strcmp(sat_json_get_str(p, "name", ""), name) == 0)
			return true;
	return false;
}

static sat_json *
openapi_of(world *w)
{
	call k = { "GET", "", "/v1/openapi.json", NULL, NULL, NULL };
	sat_json *doc = NULL;
	sat_err err;

	assert_ok(ask(&doc, w, &k, &err));
	return doc;
}

static void
a_tag_is_promised_of_what_is_one_thing(void **state)
{
	static const struct {
		const char *pattern;
		bool yes;
	} reads[] = { { "/v1/{kind}/{id}", true },
		{ "/v1/{kind}/{id}/timeline", true }, { "/v1/views/{id}", true },
		{ "/v1/dict/{name}", true }, { "/v1/{kind}", false },
		{ "/v1/{kind}/{id}/history", false },
		{ "/v1/{kind}/{id}/duplicates", false } };
	sat_json *doc = openapi_of(world_of(*state));

	for (size_t i = 0; i < sizeof reads / sizeof reads[0]; i++)
		if (is_promised(doc, "GET", reads[i].pattern,
		    "If-None-Match") != reads[i].yes)
			fail_msg("If-None-Match of %s", reads[i].pattern);
	sat_json_free(doc);
}

/* Whoever approves, converts or ends what he has read ends that and nothing else. */
static void
no_write_passes_over_the_version_it_is_asked_for(void **state)
{
	world *w = world_of(*state);
	sat_json *stale = sat_json_obj(), *says = openapi_of(w);
	size_t n = 0;

	make_views(w);
	sat_json_put_str(stale, "if_version", "v0-0-0");
	for (size_t i = 0; i < ncalls; i++) {
		const call *k = &calls[i];
		bool about = is_about_a_record(k);
		sat_json *doc = NULL;
		sat_err e;
		sat_rc rc;

		if (strcmp(k->method, "GET") == 0)
			continue;
		rc = ask_more(&doc, w, k, stale, &e);
		if (rc != (about ? SAT_ECONFLICT : SAT_EUSAGE) ||
		    strcmp(e.code, about ? "version" : "usage.option") != 0)
			fail_msg("%s %s: rc %d %s", k->method, k->path, (int)rc,
			    e.code);
		if (is_promised(says, k->method, k->pattern, "If-Match") !=
		    about || is_promised(says, k->method, k->pattern,
		    "if_version") != about)
			fail_msg("%s %s is described otherwise", k->method,
			    k->pattern);
		sat_json_free(doc);
		n += about;
	}
	assert_true(n >= 8);
	sat_json_free(says);
	sat_json_free(stale);
}

/* A condition that cannot be understood was asked for all the same. */
static void
an_item_of_a_batch_passes_over_no_condition(void **state)
{
	static const char *const says[] = { "\"if_version\":\"v0-0-0\"",
		"\"if_version\":[\"v0-0-0\"]", "\"if_version\":7",
		"\"validate\":true", "\"validate\":[\"only\"]" };
	world *w = world_of(*state);
	char *was = text_at(w, "/v1/accounts/$A"), *is;

	for (size_t i = 0; i < sizeof says / sizeof says[0]; i++) {
		char body[200];
		call k = { "POST", "", "/v1/accounts/batch", NULL, body, NULL };
		sat_json *doc = NULL;
		sat_err e = { 0 };

		(void)snprintf(body, sizeof body, "{\"items\":[{\"op\":"
		    "\"edit\",\"id\":\"%s\",%s,\"data\":"
		    "{\"remark\":\"x\"}}]}", w->id, says[i]);
		assert_rc(i < 3 ? SAT_ECONFLICT : SAT_EUSAGE,
		    ask(&doc, w, &k, &e));
		sat_json_free(doc);
	}
	is = text_at(w, "/v1/accounts/$A");
	assert_string_equal(was, is);
	free(is);
	free(was);
}

static void
a_trial_says_what_the_write_would_be_told(void **state)
{
	static const char only[] = "{\"validate\":\"only\"}";
	static const call trials[] = {
		{ "POST", "", "/v1/accounts/$A/stage", only,
		    "{\"stage\":\"nosuch\"}", NULL },
		{ "POST", "", "/v1/accounts/$A/assign", only,
		    "{\"to\":\"nobody\"}", NULL },
		{ "POST", "", "/v1/tokens", only, "{\"scope\":\"all\"}", NULL },
		{ "POST", "", "/v1/accounts/$A/merge", only,
		    "{\"into\":\"$A\"}", NULL },
		{ "PATCH", "", "/v1/accounts/$A", "{\"validate\":\"yes\"}",
		    "{\"remark\":\"x\"}", NULL },
	};
	static const char *const codes[] = { NULL, NULL, "usage.option",
		"usage.option", "usage.option" };
	world *w = world_of(*state);

	for (size_t i = 0; i < sizeof trials / sizeof trials[0]; i++) {
		sat_json *doc = NULL;
		sat_err e = { 0 };

		assert_int_not_equal(SAT_OK, ask(&doc, w, &trials[i], &e));
		if (codes[i] != NULL)
			assert_string_equal(codes[i], e.code);
	}
}

static void
a_path_that_is_asked_for_otherwise_says_how(void **state)
{
	static const struct {
		const char *method, *path, *allow; /* NULL: there is none */
	} tries[] = {
		{ "PUT", "/v1/accounts", "GET, HEAD, POST" },
		{ "PUT", "/v1/accounts/x", "GET, HEAD, PATCH, DELETE" },
		{ "POST", "/v1/health", "GET, HEAD" },
		{ "GET", "/v1/session", "POST, DELETE" },
		{ "DELETE", "/v1/tasks", "GET, HEAD, POST" },
		{ "GET", "/v1/nosuch", NULL },
		{ "PUT", "/v1/nosuch/x", NULL },
		{ "GET", "/", NULL },
	};
	world *w = world_of(*state);

	for (size_t i = 0; i < sizeof tries / sizeof tries[0]; i++) {
		call k = { tries[i].method, "", tries[i].path, NULL, NULL, NULL };
		sat_json *doc = NULL;
		sat_err e = { 0 };

		assert_rc(tries[i].allow != NULL ? SAT_EUSAGE : SAT_ENOTFOUND,
		    ask(&doc, w, &k, &e));
		if (tries[i].allow != NULL) {
			assert_string_equal(SAT_API_NO_METHOD, e.code);
			assert_string_equal(tries[i].allow, e.hint);
		}
	}
}

/* A pattern with every member in braces replaced. */
static char *
path_of(const char *pattern, const char *kind, const char *id)
{
	sat_buf b = { 0 };
	char *path;

	for (const char *p = pattern; *p != '\0'; p++) {
		if (*p != '{') {
			sat_buf_add(&b, p, 1);
			continue;
		}
		sat_buf_str(&b, strncmp(p, "{kind}", 6) == 0 ? kind : id);
		p = strchr(p, '}');
		assert_non_null(p);
	}
	path = sat_xstrdup(sat_buf_cstr(&b));
	sat_buf_fini(&b);
	return path;
}

/* What it is told is its route's business; that it ends is ours. */
static void
a_write_without_a_body_or_with_any_is_answered(void **state)
{
	static const char *const bodies[] = { NULL, "{}", "[]", "\"x\"", "7",
		"{\"name\":{},\"filter\":[{}],\"items\":{\"op\":[]},"
		"\"kind\":[],\"share\":{},\"to\":[],\"ids\":\"x\","
		"\"choose\":[],\"stage\":{\"$add\":{}},\"where\":[]}" };
	static const char *const ends[] = { "$A", "zz", "accounts" };
	world *w = world_of(*state);
	size_t n;
	const sat_route *r = sat_api_routes(&n);

	for (size_t i = 0; i < n; i++) {
		if (strcmp(r[i].method, "GET") == 0 ||
		    strcmp(r[i].pattern, "/v1/selftest") == 0 ||
		    strcmp(r[i].pattern, "/v1/bench") == 0 ||
		    sat_api_uses_network(r[i].method, r[i].pattern))
			continue; /* they take their time */
		for (size_t k = 0; k < 6 * 3; k++) {
			char *path = path_of(r[i].pattern, k % 2 == 0 ?
			    "accounts" : "views", ends[k % 3]);
			call one = { r[i].method, "", path, NULL,
				bodies[k / 3], NULL };
			sat_json *doc = NULL;
			sat_err e = { 0 };
			sat_rc rc = ask(&doc, w, &one, &e);

			if (k / 3 >= 2 && k / 3 <= 4 && rc == SAT_OK)
				fail_msg("%s %s with %s", one.method, path,
				    one.body);
			sat_json_free(doc);
			free(path);
		}
	}
}

static void
a_value_that_says_nothing_is_refused(void **state)
{
	static const char *const bodies[] = { "[]", "5", "\"x\"", "null",
		"{\"remark\":{}}", "{\"remark\":[\"a\"]}",
		"{\"tags\":{\"$nosuch\":[\"a\"]}}", "{\"tags\":{\"$add\":\"a\"}}",
		"{\"tags\":[[\"a\"]]}", "{\"tags\":[1.5]}" };
	world *w = world_of(*state);

	for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
		call k = { "PATCH", "", "/v1/accounts/$A", NULL, bodies[i],
			NULL };
		sat_json *doc = NULL;
		sat_err e = { 0 };

		assert_rc(i < 4 ? SAT_EUSAGE : SAT_EINVALID,
		    ask(&doc, w, &k, &e));
	}
}

static void
a_list_is_the_whole_of_a_set(void **state)
{
	static const char *const bodies[] = { "{\"tags\":[\"a\",\"b\"]}",
		"{\"tags\":{\"$add\":[\"c\"],\"$remove\":[\"a\"]}}",
		"{\"tags\":[\"c\",\"d\"]}", "{\"tags\":[]}" };
	static const char *const sets[] = { "\"tags\":[\"a\",\"b\"]",
		"\"tags\":[\"b\",\"c\"]", "\"tags\":[\"c\",\"d\"]",
		"\"tags\":[]" };
	world *w = world_of(*state);

	for (size_t i = 0; i < 4; i++) {
		call k = { "PATCH", "", "/v1/accounts/$A", NULL, bodies[i],
			NULL };
		sat_json *doc = NULL;
		sat_err err;
		char *is;

		assert_ok(ask(&doc, w, &k, &err));
		sat_json_free(doc);
		is = text_at(w, "/v1/accounts/$A");
		if (strstr(is, sets[i]) == NULL)
			fail_msg("no %s in %s", sets[i], is);
		free(is);
	}
}

static void
a_refused_item_of_a_batch_names_its_fields(void **state)
{
	static const call bad = { "POST", "", "/v1/accounts/batch", NULL,
		"{\"items\":[{\"op\":\"create\",\"data\":{\"name\":\"Only\"}}]}",
		NULL };
	world *w = world_of(*state);
	sat_json *doc = NULL;
	sat_err e = { 0 };

	assert_rc(SAT_EINVALID, ask(&doc, w, &bad, &e));
	assert_true(e.nfields > 0);
	assert_int_equal(0, strncmp(e.text, "item 0: ", 8));
}

static void
a_write_names_the_commits_that_take_it_back(void **state)
{
	static const call edit = { "PATCH", "", "/v1/accounts/$A", NULL,
		"{\"remark\":\"typed by mistake\"}", NULL };
	static const call other = { "PATCH", "", "/v1/accounts/$A", NULL,
		"{\"tags\":[\"later\"]}", NULL };
	static const call look = { "GET", "", "/v1/accounts/$A", NULL, NULL,
		NULL };
	world *w = world_of(*state);
	sat_json *doc = NULL, *later = NULL, *got = NULL;
	const sat_json *one;
	char path[80], *is;
	sat_err err;

	assert_ok(ask(&got, w, &look, &err));
	assert_null(sat_json_get(got, "commits")); /* it wrote none */
	sat_json_free(got);
	assert_ok(ask(&doc, w, &edit, &err));
	assert_ok(ask(&later, w, &other, &err));
	one = sat_json_first(sat_json_get(doc, "commits"));
	assert_non_null(one);
	assert_null(sat_json_next(one));
	assert_string_not_equal(sat_json_str(one, ""), sat_json_str(
	    sat_json_first(sat_json_get(later, "commits")), ""));
	(void)snprintf(path, sizeof path, "/v1/commits/%s/revert",
	    sat_json_str(one, ""));
	sat_json_free(doc);
	sat_json_free(later);
	{
		call back = { "POST", "", path, NULL, NULL, NULL };

		assert_ok(ask(&doc, w, &back, &err));
		sat_json_free(doc);
	}
	is = text_at(w, "/v1/accounts/$A");
	assert_null(strstr(is, "typed by mistake"));
	assert_non_null(strstr(is, "\"later\"")); /* what came since stays */
	free(is);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		HQ(a_trial_of_any_write_leaves_everything_as_it_was),
		HQ(no_write_passes_over_the_version_it_is_asked_for),
		HQ(a_tag_is_promised_of_what_is_one_thing),
		HQ(an_item_of_a_batch_passes_over_no_condition),
		HQ(a_trial_says_what_the_write_would_be_told),
		HQ(a_path_that_is_asked_for_otherwise_says_how),
		HQ(a_write_without_a_body_or_with_any_is_answered),
		HQ(a_value_that_says_nothing_is_refused),
		HQ(a_list_is_the_whole_of_a_set),
		HQ(a_refused_item_of_a_batch_names_its_fields),
		HQ(a_write_names_the_commits_that_take_it_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
