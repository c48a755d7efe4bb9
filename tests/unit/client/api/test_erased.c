/*
 * What a device kept about records besides their rows, and one of them is erased:
 * also when his device had not had him for long (P-194).
 */
#include "client/api/api.h"
#include "protocol/derived.h"
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

/* As they are written while the record is here. */
static void
put_lists(company *c, sat_id id, sat_id of, int n)
{
	static const struct {
		const char *table, *what, *rest;
	} rows[] = {
		{ "late", "", ", 1, 9, 0, 1" },
		{ "conflict_log", "", ", 3, 1, 1, 9, 0" },
		{ "news", "1, ", ", 7, 1, 0, 0, 'C1', 'C2'" },
		{ "news", "2, ", ", 7, 1, 0, 0, '', ''" },
	};
	char hex[2 * sizeof id.b + 1], root[2 * sizeof of.b + 1], text[200];
	sat_err err = { 0 };

	sat_hex(hex, id.b, sizeof id.b);
	sat_hex(root, of.b, sizeof of.b);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		(void)snprintf(text, sizeof text,
		    "INSERT INTO %s VALUES(%d, %sx'%s'%s, %s%s%s)",
		    rows[i].table, n, rows[i].what, hex, rows[i].rest,
		    i < 3 ? "x'" : "", i < 3 ? root : "NULL", i < 3 ? "'" : "");
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
	put_lists(c, of_gone, gone, 1000);
	put_lists(c, of_here, here, 1001);
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

/* Two customers of ann's with a contact each and lists about it. */
static company *
two_with_lists(sat_id id[2], uint64_t seed)
{
	company *c = company_people(seed, "b");

	company_staff(c, "hq2 hq");
	for (int i = 0; i < 2; i++)
		id[i] = company_account(c, ANN, i == 0 ? "Firm" : "Works",
		    "ann");
	for (int i = 0; i < 2; i++)
		put_lists(c, contact(c, id[i]), id[i], 1000 + i);
	company_sync(c, ANN);
	company_sync(c, HQ);
	return c;
}

static void
both_leave(company *c, const sat_id id[2])
{
	for (int i = 0; i < 2; i++)
		company_set(c, HQ, id[i], A_OWNER, "bo");
	company_sync(c, HQ);
	company_sync(c, ANN);
	assert_int_equal(0, count(c, "SELECT count(*) FROM k_contact"));
	assert_lists(c, 2);
}

static void
what_was_anothers_stays_though_he_is_not_here_either(void **state) /* P-194 */
{
	sat_id id[2];
	company *c = two_with_lists(id, 83);

	(void)state;
	both_leave(c, id);
	company_erase(c, id[1]);
	company_sync(c, ANN);
	assert_lists(c, 1);
	company_erase(c, id[0]);
	company_sync(c, ANN);
	assert_lists(c, 0);
	assert_audit_holds(c);
	company_free(c);
}

static void
what_was_of_one_merged_goes_with_the_other(void **state)
{
	sat_id id[2];
	company *c = two_with_lists(id, 84);

	(void)state;
	company_merge(c, HQ, id[0], id[1]);
	company_sync(c, HQ);
	company_sync(c, ANN);
	both_leave(c, id);
	company_erase(c, id[1]);
	company_sync(c, ANN);
	assert_lists(c, 0);
	company_free(c);
}

static void
what_does_not_say_whose_it_was_goes_with_anybody(void **state)
{
	sat_id id[2];
	company *c = two_with_lists(id, 85);

	(void)state;
	both_leave(c, id);
	sql(c, ANN, "UPDATE late SET root = NULL");
	sql(c, ANN, "UPDATE conflict_log SET root = NULL");
	sql(c, ANN, "UPDATE news SET root = NULL");
	sql(c, ANN, "UPDATE audit SET root = NULL");
	company_erase(c, id[1]);
	company_sync(c, ANN);
	assert_lists(c, 0);
	assert_audit_holds(c);
	company_free(c);
}

/* A customer the server never took has no row. */
static void
why_anothers_refused_work_was_dropped_stays(void **state)
{
	company *c = company_people(88, "b");
	sat_id other = company_account(c, ANN, "Works", "ann");
	sat_err err = { 0 };
	sat_quarantined *q;
	size_t n;

	(void)state;
	company_staff(c, "hq2 hq");
	company_sync(c, ANN);
	(void)company_account(c, ANN, "Firm", "nobody");
	company_sync(c, ANN);
	assert_ok(sat_replica_quarantine(&q, &n, &c->a, c->r[ANN], &err));
	assert_int_equal(1, n);
	assert_ok(sat_replica_discard(c->r[ANN], q[0].id, SECRET, &err));
	company_erase(c, other);
	company_sync(c, ANN);
	assert_int_equal(1, count(c, REASONS));
	assert_audit_holds(c);
	company_free(c);
}

static void
task(company *c, size_t i, sat_id id, sat_id of)
{
	const sat_kind *k = kind_of(c, i, "task");
	sat_op ops[] = {
		c_op(k, SAT_OP_NEW, id, 0, sat_v_null()),
		c_op(k, SAT_OP_SET, id, k->parent->id, sat_v_id(&of)),
		c_op(k, SAT_OP_SET, id, sat_kind_field(k, "title")->id,
		    c_text("call")),
		c_op(k, SAT_OP_SET, id, sat_kind_field(k, "state")->id,
		    c_text("open")),
	};

	company_write(c, i, of, ops, sizeof ops / sizeof ops[0]);
}

/* Two devices make one record, each below its own customer: the first one counts,
 * and what was written before that was known goes with him all the same. */
static void
what_was_kept_of_a_record_goes_with_the_customer_it_has_now(void **state)
{
	sat_id id[2], made;
	company *c = two_with_lists(id, 87);
	sat_err err = { 0 };

	(void)state;
	made = sat_id_derive("sla_due", &id[1], "1");
	sql(c, ANN, "UPDATE audit SET detail = ''");
	task(c, ANN, made, id[0]);
	task(c, HQ, made, id[1]);
	assert_ok(sat_replica_audit_about(c->r[ANN], &made, "reveal", SECRET,
	    &err));
	company_sync(c, HQ);
	company_sync(c, ANN);
	for (int i = 0; i < 2; i++)
		company_set(c, HQ, id[i], A_OWNER, "bo");
	company_sync(c, HQ);
	company_sync(c, ANN);
	assert_int_equal(1, count(c, REASONS));
	company_erase(c, id[1]);
	company_sync(c, ANN);
	assert_int_equal(0, count(c, REASONS));
	company_free(c);
}

/* A narrow row: the phone of a contact whose parent was not read. */
static void
a_conflict_says_whose_it_was(void **state)
{
	company *c = company_people(86, "b");
	const sat_kind *k = kind_of(c, ANN, "contact");
	sat_id firm = company_account(c, ANN, "Firm", "ann");
	sat_id id = contact(c, firm);
	const sat_field *f = sat_kind_field(k, "phone");
	char hex[2 * sizeof id.b + 1], text[200];
	sat_op o = c_op(k, SAT_OP_MVSET, id, f->id, c_text("+8613800000001"));

	(void)state;
	company_sync(c, ANN);
	company_sync(c, HQ);
	company_sync(c, MAX);
	company_write(c, HQ, firm, &o, 1);
	o = c_op(k, SAT_OP_MVSET, id, f->id, c_text("+8613800000002"));
	company_write(c, MAX, firm, &o, 1);
	company_sync(c, HQ);
	company_sync(c, MAX);
	company_sync(c, ANN);
	sat_hex(hex, firm.b, sizeof firm.b);
	(void)snprintf(text, sizeof text, "SELECT count(*) FROM conflict_log "
	    "WHERE root = x'%s' AND rec <> root", hex);
	assert_int_equal(1, count(c, text));
	company_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(why_two_are_no_pair_goes_with_either),
		cmocka_unit_test(
		    of_a_child_whose_customer_had_left_nothing_stays),
		cmocka_unit_test(
		    what_was_anothers_stays_though_he_is_not_here_either),
		cmocka_unit_test(what_was_of_one_merged_goes_with_the_other),
		cmocka_unit_test(
		    what_does_not_say_whose_it_was_goes_with_anybody),
		cmocka_unit_test(why_anothers_refused_work_was_dropped_stays),
		cmocka_unit_test(
		    what_was_kept_of_a_record_goes_with_the_customer_it_has_now),
		cmocka_unit_test(a_conflict_says_whose_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
