/* What indicators read of the past, and who may see what; the numbers of the
 * requirements are checked by tests/e2e/check_indicators.sh. */
#include "tests/lib/unit.h"

#include "tests/unit/client/crm/crm_fixture.h"

static void
at(fixture *f, const char *utc)
{
	int64_t ms;

	assert_true(sat_time_parse(&ms, utc, 0));
	f->boot_ms += ms - f->now_ms;
	f->now_ms = ms;
}

static sat_json *
run_with(fixture *f, const char *key, const sat_report_opts *o)
{
	sat_crm c = crm_of(f);
	sat_json *doc;
	sat_err err;

	assert_ok(sat_crm_report(&doc, &c, key, o, &err));
	return doc;
}

static const sat_json *
cell(const sat_json *row, int i)
{
	char n[16];

	(void)snprintf(n, sizeof n, "%d", i);
	return sat_json_get(row, n);
}

/* Measure i of the total. */
static int64_t
total(const sat_json *doc, int i)
{
	return sat_json_int(cell(sat_json_get(doc, "totals"), i), -1);
}

static int64_t
num(const sat_json *doc, int i)
{
	return sat_json_get_int(cell(sat_json_get(doc, "totals"), i), "num", -1);
}

static int64_t
den(const sat_json *doc, int i)
{
	return sat_json_get_int(cell(sat_json_get(doc, "totals"), i), "den", -1);
}

static int64_t
total_of(fixture *f, const char *key, const char *period, int i)
{
	sat_report_opts o = { .period = period, .compare = "none" };
	sat_json *doc = run_with(f, key, &o);
	int64_t n = total(doc, i);

	sat_json_free(doc);
	return n;
}

static void
status(fixture *f, sat_id id, const char *utc, const char *const *list)
{
	sat_err err;
	size_t n;

	at(f, utc);
	assert_ok(try_edit(&n, f, f->account, id, list, &err));
}

static void
who_came_back_was_lost_in_his_time(void **state)
{
	fixture *f = *state;
	sat_id a, b;

	at(f, "2024-01-10T02:00:00Z");
	a = customer(f, "Ada Co", "13800000001");
	b = customer(f, "Bob Co", "13800000002");
	status(f, a, "2024-03-10T02:00:00Z",
	    LIST("status=lost", "lost_reason=price"));
	assert_int_equal(1, total_of(f, "churn", "2024-03", 1));
	status(f, a, "2024-05-20T02:00:00Z", LIST("status=interested"));
	assert_string_equal("", value_of(f, f->account, a, "churned_at"));
	status(f, a, "2024-07-05T02:00:00Z", LIST("status=lost"));
	/* the value of March is only in the history */
	assert_int_equal(1, total_of(f, "churn", "2024-03", 1));
	assert_int_equal(2, total_of(f, "churn", "2024-03", 0));
	assert_int_equal(1, total_of(f, "churn", "2024-05", 0)); /* b alone */
	assert_int_equal(0, total_of(f, "churn", "2024-05", 1));
	assert_int_equal(2, total_of(f, "churn", "2024-06", 0));
	assert_int_equal(1, total_of(f, "churn", "2024-07", 1));
	assert_int_equal(1, total_of(f, "churn", "2024-08", 0));
	status(f, b, "2024-09-01T02:00:00Z", LIST("industry=I65"));
	assert_int_equal(1, total_of(f, "retention", "2024-08", 0));
	assert_int_equal(1, total_of(f, "retention", "2024-08", 1));
}

/* Once the server has them, the past has no word of when a value was cleared. */
static void
who_was_lost_twice_was_there_in_between(void **state)
{
	fixture *f = *state;
	sat_id a;

	at(f, "2024-01-10T02:00:00Z");
	a = customer(f, "Ada Co", "13800000001");
	(void)customer(f, "Bob Co", "13800000002");
	status(f, a, "2024-03-10T02:00:00Z",
	    LIST("status=lost", "lost_reason=price"));
	status(f, a, "2024-05-20T02:00:00Z", LIST("status=interested"));
	status(f, a, "2024-09-05T02:00:00Z", LIST("status=lost"));
	for (int synced = 0; synced < 2; synced++) {
		assert_int_equal(2, total_of(f, "churn", "2024-03", 0));
		assert_int_equal(1, total_of(f, "churn", "2024-05", 0));
		assert_int_equal(2, total_of(f, "churn", "2024-07", 0));
		assert_int_equal(2, total_of(f, "churn", "2024-09", 0));
		assert_int_equal(1, total_of(f, "churn", "2024-09", 1));
		assert_int_equal(1, total_of(f, "churn", "2024-10", 0));
		if (synced == 0) {
			srv_sync(f);
			assert_settled(f);
		}
	}
	/* and with own work that waits again */
	status(f, a, "2024-11-01T02:00:00Z", LIST("status=interested"));
	assert_int_equal(2, total_of(f, "churn", "2024-07", 0));
	assert_int_equal(1, total_of(f, "churn", "2024-10", 0));
	assert_int_equal(2, total_of(f, "churn", "2024-12", 0));
}

static void
the_instant_itself_belongs_to_the_later_period(void **state)
{
	fixture *f = *state;
	sat_id a;

	at(f, "2024-01-10T02:00:00Z");
	a = customer(f, "Ada Co", "13800000001");
	at(f, "2024-08-01T00:00:00Z");
	{
		sat_err err;
		size_t n;

		assert_ok(try_edit(&n, f, f->account, a, LIST("status=lost",
		    "lost_reason=price", "churned_at=2024-05-31T16:00:00Z"),
		    &err));
	}
	assert_int_equal(0, total_of(f, "churn", "2024-05", 1));
	assert_int_equal(1, total_of(f, "churn", "2024-06", 1));
	assert_int_equal(1, total_of(f, "churn", "2024-06", 0));
}

static void
what_was_changed_is_fresh(void **state)
{
	fixture *f = *state;
	sat_report_opts o = { .period = "2024-05" };
	const sat_json *row;
	sat_json *doc;
	sat_id a, b, c;

	at(f, "2024-01-10T02:00:00Z");
	a = customer(f, "Ada Co", "13800000001");
	b = customer(f, "Bob Co", "13800000002");
	c = customer(f, "Cy Co", "13800000003");
	/* no grade: 14 days once it is old, so since 05-17 16:00 UTC */
	status(f, a, "2024-05-17T15:59:00Z", LIST("remark=early"));
	status(f, b, "2024-05-17T16:00:00Z", LIST("remark=just in time"));
	at(f, "2024-05-20T02:00:00Z");
	(void)child(f, "activity", c, LIST("method=phone", "points=x"));
	status(f, a, "2024-06-05T02:00:00Z", LIST("remark=too late for May"));
	doc = run_with(f, "data-freshness", &o);
	assert_int_equal(2, num(doc, 0));
	assert_int_equal(3, den(doc, 0));
	row = sat_json_first(sat_json_get(sat_json_get(doc, "list"), "rows"));
	assert_non_null(row);
	assert_null(sat_json_next(row));
	assert_string_equal("Ada Co", sat_json_get_str(cell(sat_json_get(row,
	    "values"), 1), "key", ""));
	sat_json_free(doc);
}

static void
a_gap_begins_before_the_period(void **state)
{
	fixture *f = *state;
	sat_report_opts o = { .period = "2024-05" };
	sat_json *doc;
	sat_id a;

	at(f, "2024-01-10T02:00:00Z");
	a = made(f, f->account, LIST("name=Ada Co", "phone_main=13800000001",
	    "industry=C34", "contact_name=Z", "need_type=product",
	    "grade=key")); /* every 14 days */
	at(f, "2024-04-18T02:00:00Z");
	(void)child(f, "activity", a, LIST("method=phone", "points=x"));
	at(f, "2024-05-02T02:00:00Z");
	(void)child(f, "activity", a, LIST("method=phone", "points=x"));
	at(f, "2024-05-16T02:00:00Z");
	(void)child(f, "activity", a, LIST("method=phone", "points=x"));
	at(f, "2024-05-20T02:00:00Z");
	/* nobody was reached: it does not count */
	(void)child(f, "activity", a, LIST("method=phone", "points=x",
	    "effective=false"));
	doc = run_with(f, "follow-up-compliance", &o);
	assert_int_equal(1, num(doc, 0)); /* the month is not over */
	sat_json_free(doc);
	at(f, "2024-06-20T02:00:00Z");
	doc = run_with(f, "follow-up-compliance", &o);
	assert_int_equal(0, num(doc, 0)); /* 15 days and 14 hours to the end */
	assert_int_equal(1, den(doc, 0));
	sat_json_free(doc);
	assert_true(sat_time_parse(&o.as_of_ms, "2024-05-30T02:00:00Z", 0));
	doc = run_with(f, "follow-up-compliance", &o);
	assert_int_equal(1, num(doc, 0)); /* as of day 14 nothing was missed */
	sat_json_free(doc);
	o = (sat_report_opts){ .period = "2024-04" };
	doc = run_with(f, "follow-up-compliance", &o);
	assert_int_equal(0, num(doc, 0)); /* from January to 18 April */
	sat_json_free(doc);
}

static void
dates_of_states_are_kept_as_they_are_reached(void **state)
{
	fixture *f = *state;
	const sat_kind *need = kind(f, "need"), *lead = kind(f, "lead");
	sat_crm c;
	sat_id a, n, o, l;
	sat_err err;

	at(f, "2024-01-10T02:00:00Z");
	a = customer(f, "Ada Co", "13800000001");
	n = child(f, "need", a, LIST("need_type=product", "text=x"));
	o = child(f, "opportunity", a, LIST("name=deal", "amount=1"));
	l = made(f, lead, LIST("name=Li"));
	assert_string_equal("", value_of(f, need, n, "answered_at"));
	at(f, "2024-02-10T02:00:00Z");
	c = crm_of(f);
	assert_ok(sat_crm_stage(&c, need, &n, "answered", NULL, &err));
	assert_ok(sat_crm_stage(&c, lead, &l, "qualified", NULL, &err));
	assert_ok(sat_crm_stage(&c, f->opportunity, &o, "negotiation", NULL,
	    &err));
	assert_ok(sat_crm_stage(&c, f->opportunity, &o, "lost", "price", &err));
	assert_string_equal("negotiation",
	    value_of(f, f->opportunity, o, "lost_stage"));
	assert_string_not_equal("", value_of(f, lead, l, "converted_at"));
	assert_int_equal(1, total_of(f, "lead-conversion", "2024-01", 0));
	assert_int_equal(1, total_of(f, "loss-matrix", "2024-02", 0));
	at(f, "2024-03-10T02:00:00Z");
	assert_ok(sat_crm_stage(&c, f->opportunity, &o, "first_contact", NULL,
	    &err));
	assert_string_equal("", value_of(f, f->opportunity, o, "lost_stage"));
	assert_ok(sat_crm_stage(&c, need, &n, "done", NULL, &err));
	assert_ok(sat_crm_stage(&c, need, &n, "open", NULL, &err));
	assert_ok(sat_crm_stage(&c, need, &n, "done", NULL, &err));
	/* the first answer stays */
	assert_non_null(strstr(value_of(f, need, n, "answered_at"),
	    "2024-02-10"));
}

static void
what_was_there_before_is_shown_although_it_is_gone(void **state)
{
	fixture *f = *state;
	sat_report_opts o = { .period = "2024-05" };
	const sat_json *changes, *rows;
	sat_json *doc;
	sat_id a;

	at(f, "2024-04-10T02:00:00Z");
	a = customer(f, "Ada Co", "13800000001");
	(void)child(f, "need", a, LIST("need_type=service", "text=x",
	    "priority=high"));
	at(f, "2024-05-10T02:00:00Z");
	(void)child(f, "need", a, LIST("need_type=product", "text=x"));
	at(f, "2024-06-10T02:00:00Z");
	doc = run_with(f, "need-heat", &o); /* by itself with the month before */
	rows = sat_json_get(doc, "rows");
	changes = sat_json_get(sat_json_get(doc, "compare"), "rows");
	assert_int_equal(2, sat_json_count(rows));
	assert_int_equal(2, sat_json_count(changes));
	assert_string_equal("product",
	    sat_json_get_str(cell(cell(rows, 0), 0), "key", ""));
	assert_int_equal(2, sat_json_int(cell(cell(rows, 0), 1), -1));
	/* from nothing there is no percentage */
	assert_int_equal(SAT_J_NULL, sat_json_type(sat_json_get(
	    cell(cell(changes, 0), 0), "relative")));
	assert_int_equal(3, sat_json_get_int(cell(cell(changes, 1), 0),
	    "before", -1));
	assert_string_equal("-100.00", sat_json_get_str(
	    cell(cell(changes, 1), 0), "relative", ""));
	sat_json_free(doc);
	o.compare = "none";
	doc = run_with(f, "need-heat", &o);
	assert_null(sat_json_get(doc, "compare"));
	assert_int_equal(1, sat_json_count(sat_json_get(doc, "rows")));
	sat_json_free(doc);
	o.compare = "2024-13";
	{
		sat_crm c = crm_of(f);
		sat_err err;

		assert_rc(SAT_EUSAGE, sat_crm_report(&doc, &c, "need-heat", &o,
		    &err));
	}
}

static void
a_month_without_a_target_has_no_attainment(void **state)
{
	fixture *f = *state;
	sat_report_opts o = { .period = "2024-05" };
	sat_json *doc;

	at(f, "2024-05-10T02:00:00Z");
	(void)made(f, kind(f, "target"), LIST("period=2024-Q2", "amount=100"));
	doc = run_with(f, "target-attainment", &o);
	assert_int_equal(SAT_J_NULL, sat_json_type(sat_json_get(cell(
	    sat_json_get(doc, "totals"), 2), "text")));
	assert_int_equal(0, den(doc, 2));
	sat_json_free(doc);
	people(f, "rep"); /* shared: a representative is told too */
	o.period = "2024-Q2";
	doc = run_with(f, "target-attainment", &o);
	assert_int_equal(10000, total(doc, 1));
	sat_json_free(doc);
}

static void
filters_reach_the_customer_and_must_fit_every_source(void **state)
{
	fixture *f = *state;
	const char *mine[] = { "owner=u1" }, *sector[] = { "sector=x" };
	sat_report_opts o = { .period = "2024", .params = mine, .nparams = 1 };
	sat_crm c = crm_of(f);
	sat_json *doc;
	sat_err err;
	sat_id a;

	at(f, "2024-05-10T02:00:00Z");
	a = made(f, f->account, LIST("name=Ada Co", "phone_main=13800000001",
	    "industry=C34", "contact_name=Z", "need_type=product", "owner=u1"));
	(void)child(f, "response", a, LIST("survey=x", "score=5"));
	a = customer(f, "Bob Co", "13800000002");
	(void)child(f, "response", a, LIST("survey=x", "score=1"));
	doc = run_with(f, "csat", &o);
	assert_int_equal(1, num(doc, 0));
	assert_int_equal(1, den(doc, 0));
	sat_json_free(doc);
	mine[0] = "team=west";
	doc = run_with(f, "csat", &o);
	assert_int_equal(0, den(doc, 0));
	sat_json_free(doc);
	o.params = sector;
	assert_rc(SAT_EUSAGE, sat_crm_report(&doc, &c, "cac", &o, &err));
}

/* What a report says of all changes, as text. */
static char *
writes_told(fixture *f, const char *period, const char *by)
{
	sat_report_opts o = { .period = period, .compare = "none", .by = by,
		.as_of_ms = 1717000000000 };
	sat_json *doc = run_with(f, "adoption-by-user", &o);
	sat_buf b = { 0 };
	char *out;

	sat_json_write(&b, sat_json_get(doc, "rows"), false);
	sat_json_write(&b, sat_json_get(doc, "totals"), false);
	out = sat_xstrdup(sat_buf_cstr(&b));
	sat_buf_fini(&b);
	sat_json_free(doc);
	return out;
}

/* Changes of a day count together unless somebody looks at their moment; both
 * ways they are the same number. */
static void
changes_of_a_day_count_as_each_alone(void **state)
{
	static const char *const by[] = { NULL, "team", "owner" };
	static const char *const periods[] = { "all", "2024-05", "2024-05-03" };
	static const char alone[] = "{\"key\": \"adoption-by-user\","
	    "\"title\": {\"zh\": \"x\", \"en\": \"x\"}, \"kind\": \"@writes\","
	    "\"where\": [{\"field\": \"owner\", \"set\": true}%s],"
	    "\"let\": [{\"key\": \"ago\", \"from\": \"day\", \"to\": \"@as_of\"}],"
	    "\"sort\": \"operations\", \"measures\": ["
	    "{\"key\": \"operations\", \"label\": {\"zh\": \"a\", \"en\": \"a\"},"
	    "\"agg\": \"count\", \"period\": \"at\"},"
	    "{\"key\": \"days\", \"label\": {\"zh\": \"b\", \"en\": \"b\"},"
	    "\"agg\": \"distinct\", \"of\": \"day\", \"period\": \"at\"},"
	    "{\"key\": \"mean\", \"label\": {\"zh\": \"c\", \"en\": \"c\"},"
	    "\"agg\": \"mean\", \"of\": \"ago\"},"
	    "{\"key\": \"middle\", \"label\": {\"zh\": \"d\", \"en\": \"d\"},"
	    "\"agg\": \"median\", \"of\": \"ago\"}],"
	    "\"dims\": [{\"field\": \"owner\"}]}";
	fixture *f = *state;
	char *told[2][9], day[40], name[32], phone[32];
	sat_id a;

	for (int i = 1; i < 20; i++) {
		(void)snprintf(day, sizeof day, "2024-05-%02dT%02d:00:00Z",
		    1 + i / 3, i);
		at(f, day);
		(void)snprintf(name, sizeof name, "Customer %d", i);
		(void)snprintf(phone, sizeof phone, "138000000%02d", i);
		a = customer(f, name, phone);
		passes(f, 60000);
		(void)child(f, "activity", a, LIST("method=phone", "points=x"));
	}
	at(f, "2024-06-02T02:00:00Z");
	for (int way = 0; way < 2; way++) {
		char *doc = sat_xasprintf(alone, way == 0 ? "" :
		    ", {\"field\": \"at\", \"set\": true}");

		give_base(f, "reports/adoption-by-user.json", doc);
		free(doc);
		for (int i = 0; i < 9; i++)
			told[way][i] = writes_told(f, periods[i / 3], by[i % 3]);
	}
	for (int i = 0; i < 9; i++) {
		assert_string_equal(told[1][i], told[0][i]);
		free(told[0][i]);
		free(told[1][i]);
	}
}

static sat_id
order_of(fixture *f, sat_id account, const char *utc, const char *amount,
    const sat_id *voids)
{
	char when[48], much[32];

	at(f, utc);
	(void)snprintf(when, sizeof when, "ordered_at=%s", utc);
	(void)snprintf(much, sizeof much, "amount=%s", amount);
	if (voids == NULL)
		return child(f, "order", account, LIST(when, much));
	return child(f, "order", account, LIST(when, much,
	    ref("voids", *voids)));
}

/* Ten orders of 1,000.00, two of them taken back: eight orders are left, mean
 * 1,000.00, 8 / (1/12) = 96 in a year. */
static void
what_was_taken_back_was_not_ordered(void **state)
{
	fixture *f = *state;
	sat_report_opts o = { .period = "2024-05", .compare = "none" };
	sat_json *doc;
	sat_id a, b, of[10];

	at(f, "2024-01-10T02:00:00Z");
	a = customer(f, "Ada Co", "13800000001");
	b = customer(f, "Bob Co", "13800000002");
	for (int i = 0; i < 10; i++)
		of[i] = order_of(f, a, "2024-05-10T02:00:00Z", "1000", NULL);
	for (int i = 0; i < 2; i++)
		(void)order_of(f, a, "2024-05-11T02:00:00Z", "-1000", &of[i]);
	/* all he ever bought was cancelled: he is no buyer */
	of[0] = order_of(f, b, "2024-05-12T02:00:00Z", "500", NULL);
	(void)order_of(f, b, "2024-05-13T02:00:00Z", "-500", &of[0]);
	at(f, "2024-07-01T02:00:00Z");
	doc = run_with(f, "clv", &o);
	assert_string_equal("1000.00", sat_json_get_str(cell(sat_json_get(doc,
	    "totals"), 0), "text", ""));
	assert_string_equal("96.00", sat_json_get_str(cell(sat_json_get(doc,
	    "totals"), 1), "text", ""));
	sat_json_free(doc);
	assert_int_equal(2, total_of(f, "silent-churn", "2024-06", 0));
	assert_int_equal(1, total_of(f, "silent-churn", "2024-06", 1));
	/* as of the day before both of his stand */
	assert_true(sat_time_parse(&o.as_of_ms, "2024-05-12T12:00:00Z", 0));
	doc = run_with(f, "silent-churn", &o);
	assert_int_equal(0, total(doc, 1));
	sat_json_free(doc);
}

static void
who_cancelled_everything_is_no_customer_yet(void **state)
{
	fixture *f = *state;
	sat_crm c = crm_of(f);
	const char *word;
	sat_id a, o;
	sat_err err;

	at(f, "2024-05-01T02:00:00Z");
	a = customer(f, "Ada Co", "13800000001");
	o = order_of(f, a, "2024-05-10T02:00:00Z", "1000", NULL);
	assert_ok(sat_crm_lifecycle(&word, &c, &a, f->now_ms, &err));
	assert_string_equal("new", word);
	(void)order_of(f, a, "2024-05-11T02:00:00Z", "-1000", &o);
	assert_ok(sat_crm_lifecycle(&word, &c, &a, f->now_ms, &err));
	assert_string_equal("potential", word);
}

static const char *
grade_now(fixture *f, sat_id account, int64_t *amount)
{
	const sat_template *t = sat_replica_template(f->r);
	sat_crm c = crm_of(f);
	const char *grade;
	sat_grading *g;
	sat_err err;

	assert_ok(sat_crm_grading(&g, &c, f->now_ms, &err));
	grade = sat_grading_of(g, t, &account, sat_v_null(), amount);
	sat_grading_free(g);
	return grade != NULL ? grade : "none";
}

/* An order that has left the 365 days, and the row that took it back, which is
 * in them: what he bought since is 150,000.00, a key customer's. */
static void
what_was_taken_back_takes_nothing_off_a_grade(void **state)
{
	fixture *f = *state;
	int64_t amount;
	sat_id a, o;

	at(f, "2023-01-10T02:00:00Z");
	a = customer(f, "Ada Co", "13800000001");
	o = order_of(f, a, "2023-05-01T02:00:00Z", "200000", NULL);
	assert_string_equal("key", grade_now(f, a, &amount));
	(void)order_of(f, a, "2023-09-01T02:00:00Z", "-200000", &o);
	assert_string_equal("none", grade_now(f, a, &amount));
	(void)order_of(f, a, "2024-03-01T02:00:00Z", "150000", NULL);
	at(f, "2024-06-01T02:00:00Z");
	assert_string_equal("key", grade_now(f, a, &amount));
	assert_int_equal(15000000, amount);
}

static void
among_all_who_cancelled_everything_has_no_grade(void **state)
{
	fixture *f = *state;
	int64_t amount;
	sat_id a, b, o;

	give_edited(f, "policy/grading.json", "\"threshold\"", "\"abc\"");
	find_kinds(f);
	at(f, "2024-01-10T02:00:00Z");
	a = customer(f, "Ada Co", "13800000001");
	b = customer(f, "Bob Co", "13800000002");
	(void)order_of(f, a, "2024-05-10T02:00:00Z", "10000", NULL);
	o = order_of(f, b, "2024-05-10T02:00:00Z", "500", NULL);
	assert_string_equal("normal", grade_now(f, b, &amount));
	(void)order_of(f, b, "2024-05-11T02:00:00Z", "-500", &o);
	assert_string_equal("none", grade_now(f, b, &amount));
	assert_string_equal("strategic", grade_now(f, a, &amount));
}

/* After 30 days a normal customer's limit is 14 days, also where no other part
 * of the document asks when he was created. */
static void
a_limit_asks_for_the_age_it_needs(void **state)
{
	fixture *f = *state;
	sat_report_opts o = { .period = "all", .compare = "none" };
	sat_json *doc;

	give_base(f, "reports/data-freshness.json", "{\"key\": "
	    "\"data-freshness\", \"title\": {\"zh\": \"x\", \"en\": \"x\"}, "
	    "\"kind\": \"account\", \"let\": [{\"key\": \"sla\", "
	    "\"sla\": \"follow\"}], \"measures\": [{\"key\": \"mean\", "
	    "\"label\": {\"zh\": \"x\", \"en\": \"x\"}, \"agg\": \"mean\", "
	    "\"of\": \"sla\"}]}");
	at(f, "2024-05-01T02:00:00Z");
	(void)customer(f, "Ada Co", "13800000001");
	at(f, "2024-06-20T02:00:00Z");
	doc = run_with(f, "data-freshness", &o);
	assert_int_equal(14 * INT64_C(86400000), num(doc, 0));
	sat_json_free(doc);
}

/* Of one day what was written before as-of counts. */
static void
as_of_noon_the_afternoon_was_not_written_yet(void **state)
{
	fixture *f = *state;
	sat_report_opts o = { .period = "2024-05", .compare = "none" };
	sat_json *doc;

	at(f, "2024-05-10T01:00:00Z");
	(void)customer(f, "Ada Co", "13800000001");
	at(f, "2024-05-10T08:00:00Z");
	(void)customer(f, "Bob Co", "13800000002");
	at(f, "2024-06-20T02:00:00Z");
	assert_int_equal(2, total_of(f, "adoption", "2024-05", 3));
	assert_true(sat_time_parse(&o.as_of_ms, "2024-05-10T04:00:00Z", 0));
	doc = run_with(f, "adoption", &o);
	assert_int_equal(1, total(doc, 3));
	sat_json_free(doc);
}

/* Of headquarters are me and u1. */
static void
heads(fixture *f, bool u1_gone)
{
	sat_user users[3] = { { 1, "me", "Me Myself", "hq", 1, false },
		{ 2, "u1", "Ada One", "hq", 1, u1_gone },
		{ 3, "u2", "Bob Two", "rep", 2, false } };

	staff(f, users, 3);
}

/* me, u1 and u2 are enabled, me and u1 wrote; then u1 leaves, and is no longer
 * among those who use it: 2/3, then 1/2, never 2/2. */
static void
users_are_counted_among_the_enabled(void **state)
{
	fixture *f = *state;
	sat_report_opts o = { .period = "2024-05", .compare = "none" };
	sat_op name;
	sat_json *doc;
	sat_id a;

	heads(f, false);
	at(f, "2024-05-10T02:00:00Z");
	a = customer(f, "Ada Co", "13800000001");
	srv_sync(f);
	name = op(f->account, SAT_OP_SET, a, F_CITY, text("x"));
	(void)srv_foreign(f, a, &name, 1, f->srv.n);
	srv_sync(f);
	at(f, "2024-06-20T02:00:00Z");
	doc = run_with(f, "adoption", &o);
	assert_int_equal(2, total(doc, 0));
	assert_int_equal(3, total(doc, 1));
	sat_json_free(doc);
	heads(f, true);
	doc = run_with(f, "adoption", &o);
	assert_int_equal(1, total(doc, 0));
	assert_int_equal(2, total(doc, 1));
	assert_string_equal("50.00", sat_json_get_str(cell(sat_json_get(doc,
	    "totals"), 2), "text", ""));
	sat_json_free(doc);
}

/* A laptop left on makes and closes tasks by itself. */
static void
tasks_of_rules_use_nothing(void **state)
{
	fixture *f = *state;

	heads(f, false);
	at(f, "2024-05-10T02:00:00Z");
	(void)made(f, kind(f, "task"), LIST("title=by a rule",
	    "rule=follow_due"));
	at(f, "2024-06-20T02:00:00Z");
	assert_int_equal(0, total_of(f, "adoption", "2024-05", 0));
	assert_int_equal(0, total_of(f, "adoption", "2024-05", 3));
	assert_int_equal(1, total_of(f, "adoption-by-user", "2024-05", 0));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		HQ(what_was_taken_back_was_not_ordered),
		HQ(who_cancelled_everything_is_no_customer_yet),
		HQ(what_was_taken_back_takes_nothing_off_a_grade),
		HQ(among_all_who_cancelled_everything_has_no_grade),
		HQ(a_limit_asks_for_the_age_it_needs),
		HQ(as_of_noon_the_afternoon_was_not_written_yet),
		HQ(tasks_of_rules_use_nothing),
		COMPLETE(users_are_counted_among_the_enabled),
		HQ(changes_of_a_day_count_as_each_alone),
		HQ(who_came_back_was_lost_in_his_time),
		HQ(who_was_lost_twice_was_there_in_between),
		HQ(the_instant_itself_belongs_to_the_later_period),
		HQ(what_was_changed_is_fresh),
		HQ(a_gap_begins_before_the_period),
		HQ(dates_of_states_are_kept_as_they_are_reached),
		HQ(what_was_there_before_is_shown_although_it_is_gone),
		HQ(a_month_without_a_target_has_no_attainment),
		HQ(filters_reach_the_customer_and_must_fit_every_source),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
