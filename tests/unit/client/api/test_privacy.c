/*
 * What is taken back, shown and answered: undo, reveal, the requests of a person,
 * asked over the route table as the command line and HTTP ask.
 */
#include "client/api/api.h"
#include "tests/unit/client/api/frozen.h"
#include "tests/unit/client/sync/company.h"

static sat_rc
ask(sat_json **out, company *c, size_t i, const char *method,
    const char *path, const char *body, sat_err *e)
{
	sat_api api = { .crm = crm(c, i) };
	sat_request req = { .method = method, .path = path };
	sat_json *b = NULL;
	sat_err err = { 0 };
	sat_rc rc;

	*out = NULL;
	memset(e, 0, sizeof *e);
	company_pass(c, 1000);
	if (body != NULL)
		assert_ok(sat_json_parse(&b, sat_span_str(body), 0, &err));
	req.body = b;
	rc = sat_api_handle(out, &api, &req, e);
	sat_json_free(b);
	return rc;
}

/* Expects `want`; the document is the caller's. */
static sat_json *
asked(sat_rc want, company *c, size_t i, const char *method, const char *path,
    const char *body)
{
	sat_json *doc;
	sat_err e;

	if (ask(&doc, c, i, method, path, body, &e) != want)
		fail_msg("%s %s: not %d: %s (%s)", method, path, want, e.text,
		    e.code);
	return doc;
}

static void
edit(company *c, size_t i, sat_id id, const char *key, const char *value)
{
	sat_crm x = crm(c, i);
	sat_input in = { '=', key, sat_span_str(value) };
	sat_err err = { 0 };

	company_pass(c, 1000);
	assert_ok(sat_crm_edit(NULL, &x, kind_of(c, i, "account"), &id, &in, 1,
	    NULL, &err));
}

static void
assert_field(company *c, size_t i, sat_id id, const char *key,
    const char *want)
{
	const sat_field *f = sat_kind_field(kind_of(c, i, "account"), key);
	sat_arena a = { 0 };
	sat_err err = { 0 };
	sat_value v;
	sat_view rec;

	assert_ok(sat_replica_get(&rec, &a, c->r[i], kind_of(c, i, "account"),
	    &id, &err));
	v = sat_record_value(&rec.rec, f->id);
	if (want == NULL)
		assert_int_equal(SAT_V_NULL, v.type);
	else
		assert_true(v.type == SAT_V_TEXT &&
		    sat_span_eq(v.s, sat_span_str(want)));
	sat_arena_fini(&a);
}

/* Entries of the audit chain with this action. */
static size_t
audited(company *c, size_t i, const char *action)
{
	sat_json *doc = asked(SAT_OK, c, i, "GET", "/v1/audit", NULL);
	size_t n = 0;

	for (const sat_json *r = sat_json_first(sat_json_get(doc, "data"));
	     r != NULL; r = sat_json_next(r))
		n += strcmp(sat_json_get_str(r, "action", ""), action) == 0;
	sat_json_free(doc);
	return n;
}

static void
what_was_replaced_comes_back_unless_somebody_wrote_since(void **state)
{
	company *c = company_people(41, "a");
	sat_json *doc;
	sat_err e;
	sat_id a;

	(void)state;
	a = customer(c, ANN, "13800000001");
	edit(c, ANN, a, "remark", "first");
	edit(c, ANN, a, "remark", "second");
	doc = asked(SAT_OK, c, ANN, "POST", "/v1/commits/last/revert", NULL);
	assert_int_equal(1, sat_json_count(sat_json_get(doc, "data")));
	assert_int_equal(0, sat_json_count(sat_json_get(doc, "left")));
	assert_non_null(sat_json_get_str(doc, "commit", NULL));
	assert_field(c, ANN, a, "remark", "first");
	sat_json_free(doc);
	/* an undo is a commit as any other: it can be undone */
	sat_json_free(asked(SAT_OK, c, ANN, "POST", "/v1/commits/last/revert",
	    NULL));
	assert_field(c, ANN, a, "remark", "second");
	company_sync(c, ANN);
	company_sync(c, MAX);
	edit(c, MAX, a, "remark", "the manager's");
	company_sync(c, MAX);
	company_sync(c, ANN);
	assert_rc(SAT_ECONFLICT, ask(&doc, c, ANN, "POST",
	    "/v1/commits/last/revert", NULL, &e));
	assert_string_equal("undo.nothing", e.code);
	assert_int_equal(1, sat_json_count(sat_json_get(doc, "left")));
	assert_field(c, ANN, a, "remark", "the manager's");
	sat_json_free(doc);
	/* nobody takes back another's */
	sat_json_free(asked(SAT_ENOTFOUND, c, ANN, "POST",
	    "/v1/commits/999-1-1/revert", NULL));
	company_free(c);
}

static void
a_value_is_shown_with_a_reason_that_is_kept(void **state)
{
	company *c = company_people(42, "a");
	char path[80], id[SAT_ID_TEXT];
	sat_json *doc;
	sat_id a;

	(void)state;
	a = customer(c, ANN, "13800000002");
	sat_id_text(id, &a);
	(void)snprintf(path, sizeof path, "/v1/accounts/%s/reveal", id);
	sat_json_free(asked(SAT_EUSAGE, c, ANN, "POST", path, "{}"));
	sat_json_free(asked(SAT_EUSAGE, c, ANN, "POST", path,
	    "{\"reason\":\"x\"}"));
	sat_json_free(asked(SAT_EUSAGE, c, ANN, "POST", path,
	    "{\"reason\":\"call back\",\"field\":\"remark\"}"));
	assert_int_equal(0, audited(c, ANN, "reveal"));
	doc = asked(SAT_OK, c, ANN, "POST", path, "{\"reason\":\"call back\"}");
	assert_string_equal("+8613800000002", sat_json_get_str(sat_json_get(
	    doc, "data"), "value", ""));
	assert_string_equal("call back", sat_json_get_str(sat_json_get(doc,
	    "data"), "reason", ""));
	sat_json_free(doc);
	assert_int_equal(1, audited(c, ANN, "reveal"));
	/* who holds no such record is not told that there is one */
	sat_json_free(asked(SAT_ENOTFOUND, c, BO, "POST", path,
	    "{\"reason\":\"call back\"}"));
	company_free(c);
}

static const char *
state_of(const sat_json *doc, const char *id)
{
	for (const sat_json *r = sat_json_first(sat_json_get(doc, "data"));
	     r != NULL; r = sat_json_next(r))
		if (strcmp(sat_json_get_str(r, "id", ""), id) == 0)
			return sat_json_get_str(r, "state", "");
	return "none";
}

static void
a_persons_request_is_carried_out_listed_and_answered(void **state)
{
	company *c = company_people(43, "a");
	char path[80], id[SAT_ID_TEXT], text[200];
	const sat_json *rec;
	sat_json *doc, *list;
	sat_id a;

	(void)state;
	a = customer(c, ANN, "13800000003");
	company_sync(c, ANN);
	company_sync(c, HQ);
	sat_id_text(id, &a);
	(void)snprintf(text, sizeof text, "{\"id\":\"%s\"}", id);
	sat_json_free(asked(SAT_EUSAGE, c, HQ, "POST", "/v1/privacy/correct",
	    text)); /* what was asked? */
	(void)snprintf(text, sizeof text, "{\"id\":\"%s\",\"note\":\"letter 4\","
	    "\"set\":{\"contact_name\":\"Wang\"}}", id);
	doc = asked(SAT_OK, c, HQ, "POST", "/v1/privacy/correct", text);
	assert_field(c, HQ, a, "contact_name", "Wang");
	assert_int_equal(1, audited(c, HQ, "privacy.correct"));
	sat_json_free(doc);
	/* without "set" it waits until somebody answers */
	(void)snprintf(text, sizeof text,
	    "{\"id\":\"%s\",\"note\":\"other address\"}", id);
	doc = asked(SAT_OK, c, HQ, "POST", "/v1/privacy/correct", text);
	rec = sat_json_get(doc, "data");
	(void)snprintf(id, sizeof id, "%s", sat_json_get_str(rec, "id", ""));
	sat_json_free(doc);
	list = asked(SAT_OK, c, HQ, "GET", "/v1/privacy/requests", NULL);
	assert_int_equal(2, sat_json_count(sat_json_get(list, "data")));
	assert_string_equal("open", state_of(list, id));
	sat_json_free(list);
	(void)snprintf(path, sizeof path, "/v1/privacy/requests/%s/answer", id);
	sat_json_free(asked(SAT_EUSAGE, c, HQ, "POST", path, "{}"));
	sat_json_free(asked(SAT_OK, c, HQ, "POST", path,
	    "{\"outcome\":\"no proof\",\"refused\":true}"));
	list = asked(SAT_OK, c, HQ, "GET", "/v1/privacy/requests", NULL);
	assert_string_equal("refused", state_of(list, id));
	sat_json_free(list);
	company_free(c);
}

/* The company has no lint: its template may have been published before one
 * knew of these. */
static const char LIST_POLICY[] = "{\"retention\":["
    "{\"key\":\"listed\",\"kind\":\"account\",\"where\":[{\"field\":"
    "\"status\"}],\"from\":\"created_at\",\"retention_d\":1},"
    "{\"key\":\"misspelt\",\"kind\":\"account\",\"wehre\":\"status=lost\","
    "\"from\":\"created_at\",\"retention_d\":1},"
    "{\"key\":\"no_field\",\"kind\":\"account\",\"where\":\"colour=red\","
    "\"from\":\"created_at\",\"retention_d\":1},"
    "{\"key\":\"cold\",\"kind\":\"account\",\"where\":\"status=potential\","
    "\"from\":\"created_at\",\"retention_d\":2}]}";

static void
a_rule_that_cannot_be_read_is_named_and_erases_nobody(void **state)
{
	static const char *const failed[] = { "listed", "misspelt",
		"no_field" };
	const sat_json *n;
	company *c;
	sat_json *doc;

	(void)state;
	company_privacy = LIST_POLICY;
	c = company_people(44, "a");
	company_privacy = NULL;
	(void)customer(c, ANN, "13800000004");
	company_pass(c, (int64_t)60 * 86400000);
	doc = asked(SAT_OK, c, ANN, "GET", "/v1/privacy/due", NULL);
	n = sat_json_first(sat_json_get(doc, "failed"));
	for (size_t i = 0; i < 3; i++, n = sat_json_next(n)) {
		assert_string_equal(failed[i], sat_json_get_str(n, "class",
		    ""));
		assert_true(sat_json_get_str(n, "why", "")[0] != '\0');
	}
	assert_null(n);
	n = sat_json_first(sat_json_get(doc, "data"));
	assert_string_equal("cold", sat_json_get_str(n, "class", "none"));
	assert_null(sat_json_next(n));
	sat_json_free(doc);
	company_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    what_was_replaced_comes_back_unless_somebody_wrote_since),
		cmocka_unit_test(a_value_is_shown_with_a_reason_that_is_kept),
		cmocka_unit_test(
		    a_persons_request_is_carried_out_listed_and_answered),
		cmocka_unit_test(
		    a_rule_that_cannot_be_read_is_named_and_erases_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
