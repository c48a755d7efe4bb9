/* The base template's reports over fixture T1 of the requirements (§5). */
#include "tests/lib/unit.h"

#include "tests/unit/client/crm/crm_fixture.h"

#include "common/template/report_def.h"

#define MAY "2024-05"

typedef struct t1 {
	fixture *f;
	sat_id c[9], o[7];
} t1;

static void
at(fixture *f, const char *utc)
{
	int64_t ms;

	assert_true(sat_time_parse(&ms, utc, 0));
	assert_true(ms >= f->now_ms);
	f->boot_ms += ms - f->now_ms;
	f->now_ms = ms;
}

static sat_id
create(fixture *f, const sat_kind *k, const char *const *list)
{
	sat_crm c = crm_of(f);
	sat_err err;
	sat_id id;
	pairs p;

	read_pairs(&p, list);
	assert_ok(sat_crm_create(&id, &c, k, p.in, p.n, NULL, NULL, NULL, &err));
	return id;
}

static void
account(t1 *t, int n, const char *when, const char *source, const char *owner,
    const char *industry)
{
	char name[40], phone[40], src[40], own[40], ind[40];

	at(t->f, when);
	(void)snprintf(name, sizeof name, "name=Customer %d", n);
	(void)snprintf(phone, sizeof phone, "phone_main=1380000000%d", n);
	(void)snprintf(src, sizeof src, "source=%s", source);
	(void)snprintf(own, sizeof own, "owner=%s", owner);
	(void)snprintf(ind, sizeof ind, "industry=%s", industry);
	t->c[n] = create(t->f, t->f->account, LIST(name, phone, src, own, ind,
	    "contact_name=X", "need_type=product"));
}

static void
deal(t1 *t, int n, int acc, const char *when, const char *amount,
    const char *owner)
{
	char id[SAT_ID_TEXT], a[48], m[48], own[40];

	at(t->f, when);
	sat_id_text(id, &t->c[acc]);
	(void)snprintf(a, sizeof a, "account=%s", id);
	(void)snprintf(m, sizeof m, "amount=%s", amount);
	(void)snprintf(own, sizeof own, "owner=%s", owner);
	t->o[n] = create(t->f, t->f->opportunity, LIST("name=deal", a, m, own));
}

static void
follow(t1 *t, int acc, const char *when)
{
	char id[SAT_ID_TEXT], a[48];

	at(t->f, when);
	sat_id_text(id, &t->c[acc]);
	(void)snprintf(a, sizeof a, "account=%s", id);
	(void)create(t->f, t->f->activity, LIST(a, "method=phone", "points=x"));
}

static void
stage(t1 *t, int n, const char *when, const char *to, const char *reason)
{
	sat_crm c = crm_of(t->f);
	sat_err err;

	at(t->f, when);
	assert_ok(sat_crm_stage(&c, t->f->opportunity, &t->o[n], to, reason,
	    &err));
}

/* In the order it happened, each at its own time. */
static void
fill(t1 *t, fixture *f)
{
	t->f = f;
	account(t, 1, "2024-04-20T02:00:00Z", "fair", "u1", "C34");
	deal(t, 1, 1, "2024-04-20T02:00:00Z", "120000", "u1");
	account(t, 2, "2024-04-25T02:00:00Z", "web", "u2", "I65");
	deal(t, 2, 2, "2024-04-25T02:00:00Z", "80000", "u2");
	stage(t, 2, "2024-04-26T02:00:00Z", "negotiation", NULL);
	account(t, 7, "2024-04-30T16:10:00Z", "web", "u2", "I65");
	account(t, 8, "2024-04-30T17:00:00Z", "web", "u2", "C34");
	follow(t, 7, "2024-05-01T00:10:00Z");
	account(t, 3, "2024-05-02T01:00:00Z", "fair", "u1", "C34");
	deal(t, 3, 3, "2024-05-02T02:00:00Z", "300000", "u1");
	follow(t, 3, "2024-05-02T03:00:00Z");
	account(t, 4, "2024-05-08T02:00:00Z", "fair", "u1", "I65");
	deal(t, 4, 4, "2024-05-08T02:00:00Z", "50000", "u1");
	stage(t, 4, "2024-05-08T03:00:00Z", "proposal", NULL);
	follow(t, 4, "2024-05-08T10:00:00Z");
	follow(t, 1, "2024-05-10T02:00:00Z");
	deal(t, 6, 7, "2024-05-10T02:00:00Z", "40000", "u2");
	stage(t, 6, "2024-05-12T02:00:00Z", "negotiation", NULL);
	follow(t, 1, "2024-05-15T02:00:00Z");
	stage(t, 1, "2024-05-15T02:00:00Z", "won", NULL);
	account(t, 5, "2024-05-20T02:00:00Z", "web", "u2", "C34");
	deal(t, 5, 5, "2024-05-20T02:00:00Z", "60000", "u2");
	stage(t, 5, "2024-05-20T02:00:00Z", "need_confirmed", NULL);
	stage(t, 2, "2024-05-20T02:00:00Z", "lost", "budget");
	follow(t, 5, "2024-05-21T04:00:00Z");
	stage(t, 3, "2024-05-31T15:59:59Z", "won", NULL);
	stage(t, 6, "2024-05-31T16:00:00Z", "won", NULL);
	account(t, 6, "2024-05-31T16:30:00Z", "referral", "u2", "I65");
	at(f, "2024-07-15T00:00:00Z");
}

static sat_json *
run_as_of(fixture *f, const char *key, const char *period, const char *as_of,
    const char *const *params)
{
	sat_crm c = crm_of(f);
	sat_report_opts o = { .period = period, .params = params };
	sat_json *doc;
	sat_err err;

	for (; params != NULL && params[o.nparams] != NULL; o.nparams++)
		;
	if (as_of != NULL)
		assert_true(sat_time_parse(&o.as_of_ms, as_of, 0));
	assert_ok(sat_crm_report(&doc, &c, key, &o, &err));
	assert_string_equal("satchel/report/1",
	    sat_json_get_str(doc, "schema", ""));
	return doc;
}

static sat_json *
run(fixture *f, const char *key, const char *period)
{
	return run_as_of(f, key, period, NULL, NULL);
}

static const sat_json *
cell(const sat_json *row, int i)
{
	char n[16];

	(void)snprintf(n, sizeof n, "%d", i);
	return sat_json_get(row, n);
}

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

/* The row whose dimension `d` has this key (NULL: no value). */
static const sat_json *
row_of(const sat_json *doc, int d, const char *key)
{
	const sat_json *r = sat_json_first(sat_json_get(doc, "rows"));

	for (; r != NULL; r = sat_json_next(r)) {
		const char *k = sat_json_get_str(cell(r, d), "key", NULL);

		if (key == NULL ? k == NULL : k != NULL && strcmp(k, key) == 0)
			return r;
	}
	return NULL;
}

static const char *
ratio(const sat_json *c)
{
	return sat_json_get_str(c, "text", "null");
}

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
stages_are_those_at_the_end_of_the_period(void **state)
{
	static const struct {
		const char *key;
		int n;
	} want[] = { { "need_confirmed", 1 }, { "proposal", 1 },
		{ "negotiation", 1 }, { "won", 2 }, { "lost", 1 } };
	const sat_json *r;
	t1 t;
	sat_json *doc;

	fill(&t, *state);
	doc = run(t.f, "stage-distribution", MAY);
	r = sat_json_first(sat_json_get(doc, "rows"));
	for (size_t i = 0; i < 5; i++, r = sat_json_next(r)) {
		assert_non_null(r); /* in the order of the stages */
		assert_string_equal(want[i].key,
		    sat_json_get_str(cell(r, 0), "key", ""));
		assert_int_equal(want[i].n, sat_json_int(cell(r, 1), -1));
	}
	assert_null(r);
	sat_json_free(doc);
	doc = run(t.f, "stage-distribution", "2024-04"); /* o1 o2 */
	assert_int_equal(1, sat_json_int(cell(row_of(doc, 0,
	    "first_contact"), 1), -1));
	assert_int_equal(1, sat_json_int(cell(row_of(doc, 0, "negotiation"),
	    1), -1));
	assert_int_equal(2, sat_json_count(sat_json_get(doc, "rows")));
	sat_json_free(doc);
	doc = run(t.f, "stage-distribution", "2024-04-25"); /* before it moved */
	assert_int_equal(2, sat_json_int(cell(row_of(doc, 0,
	    "first_contact"), 1), -1));
	sat_json_free(doc);
	doc = run(t.f, "stage-distribution", NULL);
	assert_int_equal(3, sat_json_int(cell(row_of(doc, 0, "won"), 1), -1));
	assert_null(row_of(doc, 0, "negotiation"));
	sat_json_free(doc);
}

static void
amounts_roll_up_to_sections(void **state)
{
	t1 t;
	sat_json *doc;
	const sat_json *r;

	fill(&t, *state);
	doc = run(t.f, "amount-by-industry", MAY);
	r = row_of(doc, 1, "C34");
	assert_string_equal("C", sat_json_get_str(cell(r, 0), "key", ""));
	assert_int_equal(42000000, sat_json_int(cell(r, 2), -1));
	r = row_of(doc, 1, "I65");
	assert_string_equal("I", sat_json_get_str(cell(r, 0), "key", ""));
	assert_int_equal(0, sat_json_int(cell(r, 2), -1));
	assert_int_equal(2, sat_json_count(sat_json_get(doc, "rows")));
	assert_int_equal(42000000, sat_json_int(cell(sat_json_get(doc,
	    "totals"), 0), -1));
	sat_json_free(doc);
}

static void
the_ranking_lists_those_without_a_sale(void **state)
{
	t1 t;
	sat_json *doc;
	const sat_json *r;

	fill(&t, *state);
	doc = run(t.f, "ranking-by-rep", MAY);
	r = sat_json_first(sat_json_get(doc, "rows"));
	assert_int_equal(1, sat_json_int(cell(r, 0), -1));
	assert_string_equal("u1", sat_json_get_str(cell(r, 1), "key", ""));
	assert_string_equal("Ada One", sat_json_get_str(cell(r, 1), "label",
	    ""));
	assert_int_equal(42000000, sat_json_int(cell(r, 2), -1));
	r = sat_json_next(r);
	assert_int_equal(2, sat_json_int(cell(r, 0), -1));
	assert_string_equal("u2", sat_json_get_str(cell(r, 1), "key", ""));
	assert_int_equal(0, sat_json_int(cell(r, 2), -1));
	assert_string_equal("0.00", ratio(cell(r, 4)));
	assert_null(sat_json_next(r));
	sat_json_free(doc);
	doc = run(t.f, "ranking-by-team", MAY);
	assert_int_equal(42000000, sat_json_int(cell(row_of(doc, 1, "east"),
	    2), -1));
	assert_int_equal(0, sat_json_int(cell(row_of(doc, 1, "west"), 2), -1));
	sat_json_free(doc);
}

static void
equal_amounts_share_a_rank(void **state)
{
	t1 t;
	sat_json *doc;
	const sat_json *r;

	fill(&t, *state);
	/* in February nobody sold: 1-1, ordered by user key */
	doc = run(t.f, "ranking-by-rep", "2024-02");
	r = sat_json_first(sat_json_get(doc, "rows"));
	assert_int_equal(1, sat_json_int(cell(r, 0), -1));
	assert_string_equal("u1", sat_json_get_str(cell(r, 1), "key", ""));
	r = sat_json_next(r);
	assert_int_equal(1, sat_json_int(cell(r, 0), -1));
	sat_json_free(doc);
}

static void
credit_stays_with_who_won(void **state)
{
	t1 t;
	sat_crm c;
	sat_json *doc;
	sat_err err;

	fill(&t, *state);
	c = crm_of(t.f);
	assert_ok(sat_crm_assign(&c, t.f->opportunity, &t.o[3], "u2", &err));
	doc = run(t.f, "ranking-by-rep", MAY);
	assert_int_equal(42000000, sat_json_int(cell(row_of(doc, 1, "u1"), 2),
	    -1));
	sat_json_free(doc);
}

static void
conversion_follows_the_cohort_to_the_as_of_instant(void **state)
{
	t1 t;
	sat_json *doc;

	fill(&t, *state);
	doc = run(t.f, "source-conversion", MAY);
	assert_string_equal("50.00", ratio(cell(row_of(doc, 0, "fair"), 3)));
	assert_string_equal("0.00", ratio(cell(row_of(doc, 0, "website"), 3)));
	assert_int_equal(3, sat_json_int(cell(row_of(doc, 0, "website"), 1),
	    -1));
	assert_string_equal("null", ratio(cell(row_of(doc, 0, "referral"), 3)));
	sat_json_free(doc);
	doc = run_as_of(t.f, "source-conversion", MAY, "2024-06-30T16:00:00Z",
	    NULL);
	assert_string_equal("33.33", ratio(cell(row_of(doc, 0, "website"), 3)));
	sat_json_free(doc);
}

static void
losses_have_reasons_and_open_deals_remain(void **state)
{
	t1 t;
	sat_json *doc;

	fill(&t, *state);
	doc = run(t.f, "lost-reasons", MAY);
	assert_int_equal(1, sat_json_count(sat_json_get(doc, "rows")));
	assert_int_equal(1, sat_json_int(cell(row_of(doc, 0, "budget"), 1), -1));
	assert_int_equal(8000000, sat_json_int(cell(row_of(doc, 0, "budget"),
	    2), -1));
	sat_json_free(doc);
	doc = run(t.f, "open-opportunities", NULL);
	assert_int_equal(2, sat_json_int(cell(sat_json_get(doc, "totals"), 0),
	    -1));
	assert_int_equal(11000000, sat_json_int(cell(sat_json_get(doc,
	    "totals"), 1), -1));
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
		HQ(stages_are_those_at_the_end_of_the_period),
		HQ(amounts_roll_up_to_sections),
		HQ(the_ranking_lists_those_without_a_sale),
		HQ(equal_amounts_share_a_rank),
		HQ(credit_stays_with_who_won),
		HQ(conversion_follows_the_cohort_to_the_as_of_instant),
		HQ(losses_have_reasons_and_open_deals_remain),
		HQ(filters_narrow_a_report),
		HQ(deleted_records_do_not_count),
		HQ(a_rep_sees_the_report_of_his_own),
		HQ(every_report_keeps_its_schema),
		HQ(the_same_operations_give_the_same_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
