/* The base template's reports over fixture T1 of the requirements (§5): rows by
 * stage, industry, person, source and reason. */
#include "tests/lib/unit.h"

#include "tests/unit/client/crm/report_fixture.h"

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		HQ(stages_are_those_at_the_end_of_the_period),
		HQ(amounts_roll_up_to_sections),
		HQ(the_ranking_lists_those_without_a_sale),
		HQ(equal_amounts_share_a_rank),
		HQ(credit_stays_with_who_won),
		HQ(conversion_follows_the_cohort_to_the_as_of_instant),
		HQ(losses_have_reasons_and_open_deals_remain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
