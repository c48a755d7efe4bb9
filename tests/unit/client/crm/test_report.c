/* The base template's reports over fixture T1 of the requirements (§5): their
 * figures, whose they are, their form. (test_report_rows.c: rows by dimension.) */
#include "tests/lib/unit.h"

#include "tests/unit/client/crm/report_fixture.h"

#include "common/template/report_def.h"

/* The only row of a report without dimensions. */
static const sat_json *
only(const sat_json *doc)
{
	const sat_json *rows = sat_json_get(doc, "rows");

	assert_int_equal(1, sat_json_count(rows));
	return sat_json_first(rows);
}

/* Its cells, from the left. */
static void
only_is(fixture *f, const char *key, const char *period, const int64_t *want,
    size_t n)
{
	sat_json *doc = run(f, key, period);

	for (size_t i = 0; i < n; i++)
		assert_int_equal(want[i],
		    sat_json_int(cell(only(doc), (int)i), -1));
	sat_json_free(doc);
}
#define ONLY(f, key, period, ...)                                             \
	only_is(f, key, period, (const int64_t[]){ __VA_ARGS__ },             \
	    sizeof((const int64_t[]){ __VA_ARGS__ }) / sizeof(int64_t))

static void
new_customers_count_by_local_time(void **state)
{
	t1 t;
	sat_json *doc;

	fill(&t, *state);
	doc = run(t.f, "new-customers", MAY);
	/* c3 c4 c5 c7 c8; reckoned in UTC it would be c3 c4 c5 c6 */
	assert_int_equal(5, sat_json_int(cell(only(doc), 0), -1));
	assert_string_equal("2024-04-30T16:00:00Z", sat_json_get_str(
	    sat_json_get(doc, "period"), "from", ""));
	assert_string_equal("2024-05-31T16:00:00Z",
	    sat_json_get_str(doc, "as_of", ""));
	assert_string_equal("+08:00", sat_json_get_str(doc, "tz", ""));
	/* u1's and u2's device are known, and nothing is of u2's */
	assert_true(sat_json_get_bool(doc, "provisional", false));
	sat_json_free(doc);
	ONLY(t.f, "new-customers", "2024-W18", 3);
	ONLY(t.f, "new-customers", NULL, 8);
	ONLY(t.f, "new-customers", "2019", 0);
}

static void
followed_customers_count_once_each(void **state)
{
	t1 t;

	fill(&t, *state);
	ONLY(t.f, "followed-customers", MAY, 5, 6);
}

/* Typed later: what was said earlier than it was written down. */
static sat_id
spoke(t1 *t, int acc, const char *when, const char *how, const char *amends)
{
	char id[SAT_ID_TEXT], a[48], o[48];

	sat_id_text(id, &t->c[acc]);
	(void)snprintf(a, sizeof a, "account=%s", id);
	(void)snprintf(o, sizeof o, "occurred_at=%s", when);
	return create(t->f, t->f->activity, amends == NULL ?
	    LIST(a, o, how, "method=phone", "points=x") :
	    LIST(a, o, how, amends, "method=phone", "points=x"));
}

/* Somebody calls us, nobody picks up, one entry corrects another, an answer
 * comes after the month: none of it is a response within it. */
static void
only_what_reached_the_customer_in_time_is_a_response(void **state)
{
	char id[SAT_ID_TEXT], amends[48];
	sat_json *doc;
	sat_id first;
	t1 t;

	fill(&t, *state);
	(void)spoke(&t, 8, "2024-05-01T02:00:00Z", "direction=in", NULL);
	(void)spoke(&t, 8, "2024-06-02T02:00:00Z", "direction=out", NULL);
	(void)spoke(&t, 2, "2024-05-03T02:00:00Z", "effective=false", NULL);
	first = spoke(&t, 1, "2024-05-16T02:00:00Z", "direction=out", NULL);
	ONLY(t.f, "followed-customers", MAY, 6, 8); /* c8 called: in touch */
	sat_id_text(id, &first);
	(void)snprintf(amends, sizeof amends, "amends=%s", id);
	(void)spoke(&t, 1, "2024-05-16T02:00:00Z", "direction=out", amends);
	ONLY(t.f, "followed-customers", MAY, 6, 8);
	doc = run(t.f, "first-response", MAY);
	assert_string_equal("11.00", ratio(cell(only(doc), 0)));
	assert_string_equal("8.00", ratio(cell(only(doc), 1)));
	assert_string_equal("5.25", ratio(cell(only(doc), 2)));
	assert_string_equal("80.00", ratio(cell(only(doc), 3)));
	sat_json_free(doc);
}

static void
answers_to_needs_are_a_mean_not_a_median(void **state)
{
	static const char *const answered[] = { "answered_at=2024-06-10T03:00:00Z",
		"answered_at=2024-06-10T04:00:00Z",
		"answered_at=2024-06-10T11:00:00Z" };
	char id[SAT_ID_TEXT], a[48];
	sat_json *doc;
	t1 t;

	fill(&t, *state);
	sat_id_text(id, &t.c[1]);
	(void)snprintf(a, sizeof a, "account=%s", id);
	for (size_t i = 0; i < 3; i++)
		(void)create(t.f, sat_template_kind(sat_replica_template(
		    t.f->r), "need"), LIST(a, "need_type=product", "text=x",
		    "created_at=2024-06-10T02:00:00Z", answered[i]));
	doc = run(t.f, "need-response", "2024-06");
	assert_string_equal("4.00", ratio(cell(only(doc), 0)));
	sat_json_free(doc);
}

static void
won_ends_with_the_month(void **state)
{
	t1 t;

	fill(&t, *state);
	ONLY(t.f, "won", MAY, 2, 42000000, 2);
	ONLY(t.f, "won", "2024-06", 1, 4000000);
}

static void
win_rates_are_texts_with_their_numbers(void **state)
{
	t1 t;
	sat_json *doc;

	fill(&t, *state);
	doc = run(t.f, "win-rate", MAY);
	assert_string_equal("66.67", ratio(cell(only(doc), 0)));
	assert_int_equal(2, sat_json_get_int(cell(only(doc), 0), "num", -1));
	assert_int_equal(3, sat_json_get_int(cell(only(doc), 0), "den", -1));
	assert_string_equal("84.00", ratio(cell(only(doc), 1)));
	sat_json_free(doc);
	doc = run(t.f, "win-rate", "2024-02");
	assert_string_equal("null", ratio(cell(only(doc), 0)));
	sat_json_free(doc);
}

static void
filters_narrow_a_report(void **state)
{
	sat_report_opts o = { .params = LIST("colour=red"), .nparams = 1 };
	sat_crm c;
	t1 t;
	sat_json *doc;
	sat_err err;

	fill(&t, *state);
	c = crm_of(t.f);
	doc = run_as_of(t.f, "won", NULL, NULL, LIST("owner=Bob Two"));
	assert_int_equal(1, sat_json_int(cell(only(doc), 0), -1));
	sat_json_free(doc);
	doc = run_as_of(t.f, "won", NULL, NULL, LIST("team=east"));
	assert_int_equal(2, sat_json_int(cell(only(doc), 0), -1));
	sat_json_free(doc);
	doc = run_as_of(t.f, "won", NULL, NULL, LIST("owner=u1", "owner=u2"));
	assert_int_equal(3, sat_json_int(cell(only(doc), 0), -1));
	sat_json_free(doc);
	assert_rc(SAT_EUSAGE, sat_crm_report(&doc, &c, "won", &o, &err));
	o = (sat_report_opts){ .period = "May" };
	assert_rc(SAT_EUSAGE, sat_crm_report(&doc, &c, "won", &o, &err));
	assert_rc(SAT_ENOTFOUND, sat_crm_report(&doc, &c, "none", NULL, &err));
}

static void
deleted_records_do_not_count(void **state)
{
	t1 t;
	sat_crm c;
	sat_json *doc;
	sat_err err;

	fill(&t, *state);
	c = crm_of(t.f);
	assert_ok(sat_crm_delete(&c, t.f->opportunity, &t.o[3], false, &err));
	doc = run(t.f, "won", MAY);
	assert_int_equal(12000000, sat_json_int(cell(only(doc), 1), -1));
	sat_json_free(doc);
}

static void
a_rep_sees_the_report_of_his_own(void **state)
{
	sat_crm c;
	t1 t;
	sat_json *doc;
	sat_err err;

	fill(&t, *state);
	c = crm_of(t.f);
	account(&t, 0, "2024-07-16T00:00:00Z", "fair", "me", "C34");
	deal(&t, 0, 0, "2024-07-16T00:00:00Z", "10", "me");
	stage(&t, 0, "2024-07-16T00:00:00Z", "won", NULL);
	people(t.f, "rep");
	ONLY(t.f, "won", NULL, 1);
	people(t.f, "manager"); /* of team east: me and u1 */
	ONLY(t.f, "won", NULL, 3);
	people(t.f, "admin");
	assert_rc(SAT_EDENIED, sat_crm_report(&doc, &c, "won", NULL, &err));
}

static void
every_report_keeps_its_schema(void **state)
{
	static char text_[65536];
	fixture *f = *state;
	FILE *in_ = fopen("docs/schema/report.json", "rb");
	sat_json *schema;
	const char *key;
	t1 t;
	size_t n;
	sat_err err;

	assert_non_null(in_);
	n = fread(text_, 1, sizeof text_, in_);
	(void)fclose(in_);
	assert_ok(sat_json_parse(&schema, sat_span_of(text_, n), 0, &err));
	fill(&t, f);
	for (size_t i = 0; (key = sat_report_key(sat_replica_template(f->r),
	    i)) != NULL; i++) {
		sat_json *doc = run(f, key, i % 2 == 0 ? MAY : NULL);

		assert_ok(sat_json_validate(doc, schema, &err));
		sat_json_free(doc);
	}
	sat_json_free(schema);
}

static void
the_same_operations_give_the_same_bytes(void **state)
{
	fixture *f = *state;
	t1 t;
	const char *key;

	fill(&t, f);
	for (size_t i = 0; (key = sat_report_key(sat_replica_template(f->r),
	    i)) != NULL; i++) {
		sat_json *x = run(f, key, MAY), *y = run(f, key, MAY);
		sat_buf a = { 0 }, b = { 0 };

		sat_json_write(&a, x, true);
		sat_json_write(&b, y, true);
		assert_true(sat_span_eq(sat_buf_span(&a), sat_buf_span(&b)));
		sat_buf_fini(&a);
		sat_buf_fini(&b);
		sat_json_free(x);
		sat_json_free(y);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		HQ(new_customers_count_by_local_time),
		HQ(followed_customers_count_once_each),
		HQ(only_what_reached_the_customer_in_time_is_a_response),
		HQ(answers_to_needs_are_a_mean_not_a_median),
		HQ(won_ends_with_the_month),
		HQ(win_rates_are_texts_with_their_numbers),
		HQ(filters_narrow_a_report),
		HQ(deleted_records_do_not_count),
		HQ(a_rep_sees_the_report_of_his_own),
		HQ(every_report_keeps_its_schema),
		HQ(the_same_operations_give_the_same_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
