/*
 * What a device kept about records besides their rows, and one of them is erased:
 * also when his device had not had him for long (P-194).
 */
#include "client/api/api.h"
#include "tests/unit/client/api/frozen.h"
#include "tests/unit/client/sync/company.h"

#define SECRET "he is the wife's brother"

static int64_t
count(company *c, const char *text)
{
	sat_err err = { 0 };
	sat_stmt *s;
	int64_t n;
	bool row;

	assert_ok(sat_db_stmt_text(&s, sat_replica_db(c->r[ANN]), text, &err));
	assert_ok(sat_step(&row, s, &err));
	assert_true(row);
	n = sat_col_int(s, 0);
	sat_stmt_reset(s);
	return n;
}

static sat_json *
asked(company *c, const char *method, const char *path, const char *body)
{
	sat_api api = { .crm = crm(c, ANN) };
	sat_request req = { .method = method, .path = path };
	sat_json *b = NULL, *out;
	sat_err err = { 0 };

	company_pass(c, 1000);
	if (body != NULL)
		assert_ok(sat_json_parse(&b, sat_span_str(body), 0, &err));
	req.body = b;
	if (sat_api_handle(&out, &api, &req, &err) != SAT_OK)
		fail_msg("%s: %s (%s)", path, err.text, err.code);
	sat_json_free(b);
	return out;
}

static void
assert_audit_holds(company *c)
{
	int64_t entries;
	sat_err err = { 0 };

	assert_ok(sat_replica_audit_verify(&entries, c->r[ANN], 1, &err));
	assert_true(entries > 0);
}

#define REASONS "SELECT count(*) FROM audit WHERE instr(detail, 'brother') > 0"

/* Two with one phone; which of them is erased: 0, 1. */
static void
dismiss_and_erase(int which)
{
	company *c = company_people(81, "a");
	sat_id id[2] = { company_account(c, ANN, "Firm", "ann"),
		company_account(c, ANN, "Works", "ann") };
	char path[80];
	sat_json *doc;

	company_staff(c, "hq2 hq");
	company_sync(c, ANN);
	doc = asked(c, "GET", "/v1/duplicates", NULL);
	(void)snprintf(path, sizeof path, "/v1/duplicates/%s/dismiss",
	    sat_json_get_str(sat_json_get(sat_json_get(doc, "data"), "0"),
	    "key", "none"));
	sat_json_free(doc);
	sat_json_free(asked(c, "POST", path, "{\"reason\":\"" SECRET "\"}"));
	assert_int_equal(1, count(c, REASONS));
	company_sync(c, ANN);
	company_erase(c, id[which]);
	company_sync(c, ANN);
	assert_int_equal(0, count(c, REASONS));
	assert_audit_holds(c);
	company_free(c);
}

static void
why_two_are_no_pair_goes_with_either(void **state)
{
	(void)state;
	dismiss_and_erase(0);
	dismiss_and_erase(1);
}

static sat_id
contact(company *c, sat_id of)
{
	const sat_kind *k = kind_of(c, ANN, "contact");
	sat_id id = sat_replica_new_id(c->r[ANN]);
	sat_op ops[] = {
		c_op(k, SAT_OP_NEW, id, 0, sat_v_null()),
		c_op(k, SAT_OP_SET, id, k->parent->id, sat_v_id(&of)),
	};

	company_write(c, ANN, of, ops, 2);
	return id;
}

static void
put_lists(company *c, sat_id id, int n)
{
	static const struct {
		const char *table, *what, *rest;
	} rows[] = {
		{ "late", "", ", 1, 9, 0, 1" },
		{ "conflict_log", "", ", 3, 1, 1, 9, 0" },
		{ "news", "1, ", ", 7, 1, 0, 0, 'C1', 'C2'" },
		{ "news", "2, ", ", 7, 1, 0, 0, '', ''" },
	};
	char hex[2 * sizeof id.b + 1], text[200];
	sat_err err = { 0 };

	sat_hex(hex, id.b, sizeof id.b);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		(void)snprintf(text, sizeof text,
		    "INSERT INTO %s VALUES(%d, %sx'%s'%s)", rows[i].table, n,
		    rows[i].what, hex, rows[i].rest);
		sql(c, ANN, text);
	}
	assert_ok(sat_replica_audit_about(c->r[ANN], &id, "conflict.note",
	    SECRET, &err));
}

static void
assert_lists(company *c, int64_t n)
{
	assert_int_equal(n, count(c, "SELECT count(*) FROM late"));
	assert_int_equal(n, count(c, "SELECT count(*) FROM conflict_log"));
	assert_int_equal(n, count(c, "SELECT count(*) FROM news "
	    "WHERE what = 1"));
	assert_int_equal(n, count(c, REASONS));
	/* an answer to who has the record no more, without a value */
	assert_int_equal(2, count(c, "SELECT count(*) FROM news "
	    "WHERE what = 2"));
}

/* Nothing here says any more whose contact it was. */
static void
of_a_child_whose_customer_had_left_nothing_stays(void **state)
{
	company *c = company_people(82, "b");
	sat_id gone = company_account(c, ANN, "Firm", "ann");
	sat_id here = company_account(c, ANN, "Works", "ann");
	sat_id of_gone = contact(c, gone), of_here = contact(c, here);

	(void)state;
	company_staff(c, "hq2 hq");
	company_sync(c, ANN);
	put_lists(c, of_gone, 1000);
	put_lists(c, of_here, 1001);
	company_sync(c, HQ);
	company_set(c, HQ, gone, A_OWNER, "bo");
	company_sync(c, HQ);
	company_sync(c, ANN);
	assert_int_equal(1, count(c, "SELECT count(*) FROM k_contact"));
	assert_lists(c, 2);
	company_erase(c, gone);
	company_sync(c, ANN);
	assert_lists(c, 1);
	assert_audit_holds(c);
	company_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(why_two_are_no_pair_goes_with_either),
		cmocka_unit_test(
		    of_a_child_whose_customer_had_left_nothing_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
