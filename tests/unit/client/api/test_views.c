/*
 * Saved views: whose they are, what they do to a list, what becomes of one
 * whose fields are gone.
 */
#include "tests/lib/unit.h"

#include <stdlib.h>

#include "client/api/api.h"
#include "tests/unit/client/crm/crm_fixture.h"

static sat_rc
ask(sat_json **doc, fixture *f, const char *method, const char *path,
    const char *query, const char *body, sat_err *err)
{
	sat_api api = { .crm = crm_of(f), .profile = "default", .dir = f->dir };
	sat_json *q = NULL, *b = NULL;
	sat_request req = { .method = method, .path = path };
	sat_rc rc;

	if (query != NULL)
		assert_rc(SAT_OK, sat_json_parse(&q, sat_span_str(query), 0,
		    err));
	if (body != NULL)
		assert_rc(SAT_OK, sat_json_parse(&b, sat_span_str(body), 0,
		    err));
	req.query = q;
	req.body = b;
	f->now_ms += 10;
	f->boot_ms += 10;
	memset(err, 0, sizeof *err);
	*doc = NULL;
	rc = sat_api_handle(doc, &api, &req, err);
	sat_json_free(q);
	sat_json_free(b);
	return rc;
}

static sat_json *
asked(fixture *f, const char *method, const char *path, const char *query,
    const char *body)
{
	sat_json *doc;
	sat_err err;

	assert_ok(ask(&doc, f, method, path, query, body, &err));
	return doc;
}

static void
refused(fixture *f, sat_rc want, const char *code, const char *method,
    const char *path, const char *query, const char *body)
{
	sat_json *doc;
	sat_err err;

	assert_rc(want, ask(&doc, f, method, path, query, body, &err));
	assert_string_equal(code, err.code);
	sat_json_free(doc);
}

static char *
add(fixture *f, const char *body)
{
	sat_json *doc = asked(f, "POST", "/v1/views", NULL, body);
	char *id = sat_xstrdup(sat_json_get_str(sat_json_get(doc, "data"), "id",
	    ""));

	sat_json_free(doc);
	return id;
}

static void
customer_of(fixture *f, const char *name, const char *website)
{
	static int n;
	char a[60], b[60], c[60];

	(void)snprintf(a, sizeof a, "name=%s", name);
	(void)snprintf(b, sizeof b, "phone_main=138123400%02d", n++ % 100);
	(void)snprintf(c, sizeof c, "website=%s", website);
	(void)made(f, f->account, LIST(a, b, c, "industry=C34",
	    "contact_name=Bo", "need_type=product", "stage=first_contact",
	    "country=CN"));
}

static size_t
rows(const sat_json *doc)
{
	return sat_json_count(sat_json_get(doc, "data"));
}

static size_t
listed(fixture *f, const char *query)
{
	sat_json *doc = asked(f, "GET", "/v1/views", query, NULL);
	size_t n = rows(doc);

	sat_json_free(doc);
	return n;
}

static const char *
first(const sat_json *doc, const char *field)
{
	return sat_json_get_str(sat_json_first(sat_json_get(doc, "data")), field,
	    "");
}

static void
a_view_narrows_orders_and_shows_and_the_question_goes_before_it(void **state)
{
	fixture *f = *state;
	sat_json *doc;

	customer_of(f, "Alpha", "a.cn");
	customer_of(f, "Beta", "b.cn");
	customer_of(f, "Gamma", "a.cn");
	free(add(f, "{\"name\":\"A\",\"kind\":\"accounts\",\"filter\":"
	    "{\"website\":[\"a.cn\"]},\"sort\":\"-name\",\"fields\":\"name\"}"));
	doc = asked(f, "GET", "/v1/accounts", "{\"view\":\"A\"}", NULL);
	assert_int_equal(2, rows(doc));
	assert_string_equal("Gamma", first(doc, "name"));
	assert_string_equal("", first(doc, "website"));
	assert_string_equal("A", sat_json_get_str(sat_json_get(doc, "view"),
	    "name", ""));
	sat_json_free(doc);
	doc = asked(f, "GET", "/v1/accounts", "{\"view\":\"A\",\"where\":"
	    "\"name!=Gamma\",\"sort\":\"name\",\"fields\":\"website\"}", NULL);
	assert_int_equal(1, rows(doc));
	assert_string_equal("a.cn", first(doc, "website"));
	sat_json_free(doc);
	doc = asked(f, "POST", "/v1/accounts/query", NULL, "{\"view\":\"A\"}");
	assert_int_equal(2, rows(doc));
	sat_json_free(doc);
	doc = asked(f, "GET", "/v1/accounts/aggregate", "{\"view\":\"A\"}", NULL);
	assert_int_equal(2, sat_json_get_int(sat_json_get(doc, "total"), "count",
	    0));
	sat_json_free(doc);
	refused(f, SAT_ENOTFOUND, "not_found", "GET", "/v1/contacts",
	    "{\"view\":\"A\"}", NULL);
}

static void
a_page_of_a_view_is_not_one_of_the_view_changed(void **state)
{
	fixture *f = *state;
	sat_json *doc;
	char *query;

	customer_of(f, "Alpha", "a.cn");
	customer_of(f, "Beta", "a.cn");
	customer_of(f, "Gamma", "a.cn");
	free(add(f, "{\"name\":\"A\",\"kind\":\"account\",\"sort\":\"name\"}"));
	doc = asked(f, "GET", "/v1/accounts", "{\"view\":\"A\",\"limit\":\"2\"}",
	    NULL);
	query = sat_xasprintf("{\"view\":\"A\",\"cursor\":\"%s\"}",
	    sat_json_get_str(sat_json_get(doc, "page"), "next", ""));
	sat_json_free(doc);
	doc = asked(f, "GET", "/v1/accounts", query, NULL);
	assert_string_equal("Gamma", first(doc, "name"));
	sat_json_free(doc);
	sat_json_free(asked(f, "PATCH", "/v1/views/A", NULL,
	    "{\"sort\":\"-name\"}"));
	refused(f, SAT_EUSAGE, "usage.cursor", "GET", "/v1/accounts", query,
	    NULL);
	free(query);
}

static void
a_view_is_its_owners_his_teams_or_everybodys(void **state)
{
	fixture *f = *state;
	char *id, *path;
	sat_json *doc;

	free(add(f, "{\"name\":\"p\",\"kind\":\"account\"}"));
	free(add(f, "{\"name\":\"t\",\"kind\":\"account\",\"share\":\"team\"}"));
	refused(f, SAT_EDENIED, "denied", "POST", "/v1/views", NULL,
	    "{\"name\":\"c\",\"kind\":\"account\",\"share\":\"company\"}");
	refused(f, SAT_EUSAGE, "usage.share", "POST", "/v1/views", NULL,
	    "{\"name\":\"c\",\"kind\":\"account\",\"share\":\"world\"}");
	refused(f, SAT_EUSAGE, "usage.share", "PATCH", "/v1/views/p", NULL,
	    "{\"share\":\"team\"}");
	people(f, "hq");
	id = add(f, "{\"name\":\"c\",\"kind\":\"lead\",\"share\":\"company\"}");
	assert_int_equal(3, listed(f, NULL));
	assert_int_equal(2, listed(f, "{\"kind\":\"accounts\"}"));
	assert_int_equal(1, listed(f, "{\"share\":\"company\"}"));
	people(f, "rep");
	assert_int_equal(3, listed(f, NULL));
	path = sat_xasprintf("/v1/views/%s", id);
	refused(f, SAT_EDENIED, "denied", "DELETE", path, NULL, NULL);
	refused(f, SAT_EDENIED, "denied", "PATCH", path, NULL,
	    "{\"name\":\"d\"}");
	free(path);
	free(id);
	/* one's own comes back */
	doc = asked(f, "DELETE", "/v1/views/p", NULL, NULL);
	path = sat_xasprintf("/v1/views/%s/restore", sat_json_get_str(
	    sat_json_get(doc, "data"), "id", ""));
	sat_json_free(doc);
	assert_int_equal(2, listed(f, NULL));
	sat_json_free(asked(f, "POST", path, NULL, NULL));
	assert_int_equal(3, listed(f, NULL));
	free(path);
}

static void
a_deleted_view_opens_no_list(void **state)
{
	static const char *const routes[] = { "/v1/accounts",
		"/v1/accounts/aggregate" };
	fixture *f = *state;
	char *id = add(f, "{\"name\":\"A\",\"kind\":\"account\"}");
	char *path = sat_xasprintf("/v1/views/%s", id);
	char *by_id = sat_xasprintf("{\"view\":\"%s\"}", id);
	char *again = sat_xasprintf("%s/restore", path);

	sat_json_free(asked(f, "DELETE", path, NULL, NULL));
	for (size_t i = 0; i < 2; i++) {
		refused(f, SAT_ENOTFOUND, "not_found", "GET", routes[i], by_id,
		    NULL);
		refused(f, SAT_ENOTFOUND, "not_found", "GET", routes[i],
		    "{\"view\":\"A\"}", NULL);
	}
	sat_json_free(asked(f, "POST", again, NULL, NULL));
	sat_json_free(asked(f, "GET", "/v1/accounts", by_id, NULL));
	free(again);
	free(by_id);
	free(path);
	free(id);
}

static void
what_a_view_cannot_mean_is_refused_when_it_is_kept(void **state)
{
	fixture *f = *state;

	refused(f, SAT_EUSAGE, "usage.where", "POST", "/v1/views", NULL,
	    "{\"name\":\"x\",\"kind\":\"account\",\"filter\":\"colour=red\"}");
	refused(f, SAT_EUSAGE, "usage.sort", "POST", "/v1/views", NULL,
	    "{\"name\":\"x\",\"kind\":\"account\",\"sort\":\"colour\"}");
	refused(f, SAT_EUSAGE, "usage.field", "POST", "/v1/views", NULL,
	    "{\"name\":\"x\",\"kind\":\"account\",\"fields\":\"colour\"}");
	refused(f, SAT_ENOTFOUND, "", "POST", "/v1/views", NULL,
	    "{\"name\":\"x\",\"kind\":\"ships\"}");
	refused(f, SAT_EINVALID, "validation.required", "POST", "/v1/views",
	    NULL, "{\"kind\":\"account\"}");
	assert_int_equal(0, listed(f, NULL));
}

static void
a_view_outlives_its_fields_and_says_so(void **state)
{
	static const char *const want[][3] = {
		{ "filter", "colour", "unknown" },
		{ "filter", "country", "retired" },
		{ "filter", "colour", "unknown" },
		{ "filter", "colour", "unknown" },
		{ "sort", "colour", "unknown" },
		{ "fields", "colour", "unknown" },
		{ "fields", "country", "retired" },
	};
	fixture *f = *state;
	const sat_json *n;
	sat_json *doc;
	size_t i = 0;

	customer_of(f, "Alpha", "a.cn");
	customer_of(f, "Beta", "b.cn");
	/* whoever made it knew a field that is not here */
	(void)made(f, kind(f, "view"),
	    LIST("name=old", "of_kind=account",
	        "filter=colour='a b' and country=CN and colour in (1, 2) and "
	        "name~a and colour is not null", "sort=colour,-name",
	        "fields=name,colour,country"));
	give_edited(f, "fields/account.json", "\"key\": \"country\"",
	    "\"retired\": true, \"key\": \"country\"");
	doc = asked(f, "GET", "/v1/accounts", "{\"view\":\"old\"}", NULL);
	assert_int_equal(2, rows(doc));
	assert_string_equal("Beta", first(doc, "name"));
	n = sat_json_get(sat_json_get(doc, "view"), "notes");
	assert_int_equal(7, sat_json_count(n));
	for (n = sat_json_first(n); n != NULL; n = sat_json_next(n), i++) {
		assert_string_equal(want[i][0], sat_json_get_str(n, "part", ""));
		assert_string_equal(want[i][1], sat_json_get_str(n, "field", ""));
		assert_string_equal(want[i][2], sat_json_get_str(n, "code", ""));
	}
	sat_json_free(doc);
	/* and can be set right */
	sat_json_free(asked(f, "PATCH", "/v1/views/old", NULL,
	    "{\"filter\":\"name~a\",\"sort\":\"name\",\"fields\":null}"));
	doc = asked(f, "GET", "/v1/accounts", "{\"view\":\"old\"}", NULL);
	assert_int_equal(0, sat_json_count(sat_json_get(sat_json_get(doc,
	    "view"), "notes")));
	assert_string_equal("Alpha", first(doc, "name"));
	sat_json_free(doc);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		REP(a_view_narrows_orders_and_shows_and_the_question_goes_before_it),
		REP(a_page_of_a_view_is_not_one_of_the_view_changed),
		REP(a_view_is_its_owners_his_teams_or_everybodys),
		REP(a_deleted_view_opens_no_list),
		REP(what_a_view_cannot_mean_is_refused_when_it_is_kept),
		REP(a_view_outlives_its_fields_and_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
