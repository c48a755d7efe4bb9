/*
 * A request under an id of its own: done once, answered again, and nothing of a
 * customer kept for that.
 */
#include "client/api/api.h"
#include "tests/unit/client/api/frozen.h"
#include "tests/unit/client/sync/company.h"

static size_t acting; /* whose device is asked */

#define PHONE "13800000071"
#define TOKENS "{\"name\":\"page\",\"scope\":\"read\"}"

static sat_rc
ask(sat_json **out, company *c, const char *once, const char *path,
    const char *body, sat_err *e)
{
	sat_api api = { .crm = crm(c, acting), .sync.rand = c_rand(c) };
	sat_request req = { .method = "POST", .path = path };
	sat_json *q = sat_json_obj(), *b = NULL;
	sat_err err = { 0 };
	sat_rc rc;

	*out = NULL;
	memset(e, 0, sizeof *e);
	company_pass(c, 1000);
	sat_json_put_str(q, "request_id", once);
	assert_ok(sat_json_parse(&b, sat_span_str(body), 0, &err));
	req.query = q;
	req.body = b;
	rc = sat_api_handle(out, &api, &req, e);
	sat_json_free(q);
	sat_json_free(b);
	return rc;
}

/* The document is the caller's. */
static sat_json *
asked(company *c, const char *once, const char *path, const char *body)
{
	sat_json *doc;
	sat_err e;

	if (ask(&doc, c, once, path, body, &e) != SAT_OK)
		fail_msg("%s: %s (%s)", path, e.text, e.code);
	return doc;
}

static void
assert_done_without_answer(company *c, const char *once, const char *path,
    const char *body)
{
	sat_json *doc;
	sat_err e;

	assert_rc(SAT_ECONFLICT, ask(&doc, c, once, path, body, &e));
	assert_string_equal("request.done", e.code);
	assert_null(doc);
}

static int64_t
count(company *c, const char *text)
{
	sat_err err = { 0 };
	sat_stmt *s;
	int64_t n;
	bool row;

	assert_ok(sat_db_stmt_text(&s, sat_replica_db(c->r[acting]), text, &err));
	assert_ok(sat_step(&row, s, &err));
	assert_true(row);
	n = sat_col_int(s, 0);
	sat_stmt_reset(s);
	return n;
}

static void
assert_not_kept(company *c, const char *value)
{
	char text[200];

	(void)snprintf(text, sizeof text, "SELECT count(*) FROM setting "
	    "WHERE instr(CAST(value AS BLOB), CAST('%s' AS BLOB)) > 0", value);
	assert_int_equal(0, count(c, text));
}

#define MARKS "SELECT count(*) FROM setting WHERE key GLOB 'request.*'"
#define ANSWERS "SELECT count(*) FROM setting WHERE key GLOB 'answer.*'"

static void
what_only_reads_is_answered_anew_and_not_kept(void **state)
{
	company *c = company_people(71, "a");
	sat_json *doc;

	(void)state;
	(void)customer(c, ANN, PHONE);
	doc = asked(c, "q1", "/v1/accounts/query", "{}");
	assert_int_equal(1, sat_json_count(sat_json_get(doc, "data")));
	sat_json_free(doc);
	assert_not_kept(c, PHONE);
	assert_int_equal(0, count(c, MARKS));
	(void)customer(c, ANN, "13800000072");
	doc = asked(c, "q1", "/v1/accounts/query", "{}");
	assert_int_equal(2, sat_json_count(sat_json_get(doc, "data")));
	sat_json_free(doc);
	company_free(c);
}

static void
a_revealed_value_is_kept_nowhere_and_each_reveal_noted(void **state) /* P-248 */
{
	company *c = company_people(72, "a");
	char path[80], id[SAT_ID_TEXT];
	sat_id a = customer(c, ANN, PHONE);
	sat_json *doc;

	(void)state;
	sat_id_text(id, &a);
	(void)snprintf(path, sizeof path, "/v1/accounts/%s/reveal", id);
	for (int i = 0; i < 2; i++) {
		doc = asked(c, "v1", path, "{\"reason\":\"call back\"}");
		assert_string_equal("+86" PHONE, sat_json_get_str(sat_json_get(
		    doc, "data"), "value", ""));
		sat_json_free(doc);
		assert_not_kept(c, PHONE);
	}
	assert_int_equal(2, count(c, "SELECT count(*) FROM audit "
	    "WHERE action = 'reveal'"));
	company_free(c);
}

static void
a_token_is_made_once_and_its_text_is_not_kept(void **state)
{
	company *c = company_people(73, "a");
	sat_json *doc = asked(c, "t1", "/v1/tokens", TOKENS);
	const char *text = sat_json_get_str(doc, "token", "none");

	(void)state;
	assert_string_not_equal("none", text);
	assert_not_kept(c, text);
	sat_json_free(doc);
	assert_done_without_answer(c, "t1", "/v1/tokens", TOKENS);
	assert_int_equal(1, count(c, "SELECT count(*) FROM audit "
	    "WHERE action = 'token.create'"));
	company_free(c);
}

static sat_json *
merged(company *c, sat_id loser, sat_id winner)
{
	char path[80], body[80], l[SAT_ID_TEXT], w[SAT_ID_TEXT];

	sat_id_text(l, &loser);
	sat_id_text(w, &winner);
	(void)snprintf(path, sizeof path, "/v1/accounts/%s/merge", l);
	(void)snprintf(body, sizeof body, "{\"into\":\"%s\"}", w);
	return asked(c, "m1", path, body);
}

/* Asked again it is answered as the first time, but for the names. */
static void
a_kept_answer_holds_no_name(void **state)
{
	company *c = company_people(74, "a");
	sat_id a = customer(c, MAX, PHONE), b = customer(c, MAX, "13800000072");
	const sat_json *was, *is;
	sat_json *first, *again;

	(void)state;
	acting = MAX;
	first = merged(c, b, a);
	assert_not_kept(c, PHONE);
	assert_not_kept(c, "13800000072");
	again = merged(c, b, a);
	was = sat_json_get(sat_json_get(first, "merged"), "0");
	is = sat_json_get(sat_json_get(again, "merged"), "0");
	assert_string_equal(sat_json_get_str(was, "id", "?"),
	    sat_json_get_str(is, "id", ""));
	assert_string_equal("13800000072", sat_json_get_str(was, "title", ""));
	assert_int_equal(SAT_J_NULL, sat_json_type(sat_json_get(is, "title")));
	same_text(sat_json_get(first, "data"), sat_json_get(again, "data"));
	same_text(sat_json_get(first, "commits"), sat_json_get(again,
	    "commits"));
	sat_json_free(first);
	sat_json_free(again);
	company_free(c);
}

#define BATCH "{\"items\":[{\"op\":\"create\",\"data\":{\"name\":\"Firm\"," \
	"\"industry\":\"I65\",\"contact_name\":\"x\"," \
	"\"phone_main\":\"13800000079\",\"need_type\":\"product\"}}]}"

/* Whoever was erased, here or not: the marks stay and no write is done twice. */
static void
an_erasure_takes_the_answers_and_leaves_the_marks(void **state) /* P-194 */
{
	company *c = company_people(75, "a");
	sat_id a = customer(c, ANN, PHONE);
	sat_json *first, *again;
	int64_t firms;

	(void)state;
	company_staff(c, "hq2 hq");
	first = asked(c, "b1", "/v1/accounts/batch", BATCH);
	again = asked(c, "b1", "/v1/accounts/batch", BATCH);
	same_text(first, again);
	sat_json_free(first);
	sat_json_free(again);
	assert_int_equal(1, count(c, ANSWERS));
	company_sync(c, ANN);
	company_erase(c, a);
	company_sync(c, ANN);
	assert_int_equal(0, count(c, ANSWERS));
	assert_int_equal(1, count(c, MARKS));
	firms = count(c, "SELECT count(*) FROM k_account");
	assert_done_without_answer(c, "b1", "/v1/accounts/batch", BATCH);
	assert_int_equal(firms, count(c, "SELECT count(*) FROM k_account"));
	company_free(c);
}

/* Of a record the mark has the id alone. */
static void
a_request_about_an_erased_record_was_done(void **state)
{
	company *c = company_people(76, "a");
	char path[80], id[SAT_ID_TEXT];
	sat_id a = customer(c, MAX, PHONE);

	(void)state;
	acting = MAX;
	company_staff(c, "hq2 hq");
	sat_id_text(id, &a);
	(void)snprintf(path, sizeof path, "/v1/accounts/%s/assign", id);
	sat_json_free(asked(c, "a1", path, "{\"to\":\"ann\"}"));
	sat_json_free(asked(c, "a1", path, "{\"to\":\"ann\"}"));
	assert_not_kept(c, PHONE);
	company_sync(c, MAX);
	company_erase(c, a);
	company_sync(c, MAX);
	assert_done_without_answer(c, "a1", path, "{\"to\":\"ann\"}");
	company_free(c);
}

static int
by_ann(void **state)
{
	(void)state;
	acting = ANN;
	return 0;
}

#define T(name) cmocka_unit_test_setup(name, by_ann)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(what_only_reads_is_answered_anew_and_not_kept),
		T(a_revealed_value_is_kept_nowhere_and_each_reveal_noted),
		T(a_token_is_made_once_and_its_text_is_not_kept),
		T(a_kept_answer_holds_no_name),
		T(an_erasure_takes_the_answers_and_leaves_the_marks),
		T(a_request_about_an_erased_record_was_done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
