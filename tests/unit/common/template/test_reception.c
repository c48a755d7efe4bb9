/* How a showroom receives visitors: the document, its pack, what is refused. */
#include "tests/lib/unit.h"

#include "common/crypto/crypto.h"
#include "common/template/layers.h"
#include "common/template/reception.h"
#include "tests/unit/common/template/base.h"

#define PATH "policy/reception.json"

static void
the_base_template_has_the_periods_of_the_trade(void **state)
{
	const sat_reception *r;
	char mark[SAT_CONSENT_MARK];
	sat_template *t;
	sat_err err;

	(void)state;
	assert_ok(load_with(&t, NULL, NULL, &err));
	r = sat_template_reception(t);
	assert_int_equal(15, r->judge.call_in_d);
	assert_int_equal(7, r->judge.walk_in_d);
	assert_int_equal(30, r->judge.tracked_d);
	assert_int_equal(40, r->judge.tracked_max_d);
	assert_int_equal(72, r->judge.natural_h);
	assert_false(r->judge.first_report);
	assert_false(r->consent_required);
	assert_true(sat_consent_mark(mark, r));
	assert_int_equal(18, strlen(mark));
	assert_memory_equal("1:", mark, 2);
	sat_template_free(t);
}

static void
a_showroom_asks_for_consent_and_reports_in_time(void **state)
{
	sat_arena mem = { 0 };
	const sat_reception *r;
	sat_template *t;
	sat_layer l;
	sat_err err;

	(void)state;
	assert_ok(sat_template_of_pack(&l, &mem, "realestate", &err));
	assert_ok(sat_template_load(&t, l.files, l.n, &err));
	r = sat_template_reception(t);
	assert_true(r->consent_required);
	assert_int_equal(30, r->judge.lead_min);
	assert_int_equal(15, r->report_valid_d);
	assert_int_equal(60, r->late_entry_min);
	assert_int_equal(7, r->judge.walk_in_d); /* the base's */
	sat_template_free(t);
	sat_arena_fini(&mem);
}

static void
without_the_document_the_numbers_are_the_same_and_there_is_no_text(void **state)
{
	char mark[SAT_CONSENT_MARK];
	sat_template *t;
	sat_err err;

	(void)state;
	assert_ok(load_with(&t, PATH, NULL, &err));
	assert_int_equal(15, sat_template_reception(t)->judge.call_in_d);
	assert_false(sat_consent_mark(mark, sat_template_reception(t)));
	assert_string_equal("", mark);
	sat_template_free(t);
}

static void
another_text_has_another_mark(void **state)
{
	static const char *const text[] = {
		"{\"consent\":{\"version\":\"2\",\"text\":{\"zh\":\"a\","
		"\"en\":\"b\"}}}",
		"{\"consent\":{\"version\":\"2\",\"text\":{\"zh\":\"a\","
		"\"en\":\"c\"}}}",
	};
	char mark[2][SAT_CONSENT_MARK];
	sat_template *t;
	sat_err err;

	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_ok(load_with(&t, PATH, text[i], &err));
		assert_true(sat_consent_mark(mark[i],
		    sat_template_reception(t)));
		assert_memory_equal("2:", mark[i], 2);
		sat_template_free(t);
	}
	assert_string_not_equal(mark[0], mark[1]);
}

static void
what_makes_no_sense_is_refused_with_its_place(void **state)
{
	static const struct {
		const char *text, *says;
	} bad[] = {
		{ "{\"tracked_d\":41}", "tracked_max_d" },
		{ "{\"channel_conflict\":\"dice\"}", "channel_conflict" },
		{ "{\"report_valid_d\":0}", "report_valid_d" },
		{ "{\"walk_in_d\":-1}", "walk_in_d" },
		{ "{\"wak_in_d\":7}", "wak_in_d" },
		{ "{\"consent\":{\"version\":\"a:b\",\"text\":{\"zh\":\"a\","
		    "\"en\":\"b\"}}}", "version" },
		{ "{\"consent\":{\"version\":\"1\"}}", "text" },
	};
	sat_template *t;
	sat_err err;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		assert_rc(SAT_EINVALID, load_with(&t, PATH, bad[i].text, &err));
		if (strstr(err.text, PATH) == NULL ||
		    strstr(err.text, bad[i].says) == NULL)
			fail_msg("%s: %s", bad[i].text, err.text);
	}
}

typedef struct seen {
	const char *want;
	bool found;
} seen;

static void
on_finding(void *u, char severity, const char *path, const char *text)
{
	seen *s = u;

	(void)path;
	s->found |= severity == 'e' && strstr(text, s->want) != NULL;
}

static void
a_kiosk_that_may_read_does_not_pass_the_lint(void **state)
{
	static const char was[] = "\"visit.create\": \"own\",\n      \"*.view\"";
	static const char is[] = "\"visit.create\": \"own\", \"visit.view\": "
	    "\"own\", \"*.view\"";
	seen s = { "kiosk: may do visit.view", false };
	sat_template *t;
	sat_err err;

	(void)state;
	assert_ok(load_edited(&t, "acl/matrix.json", was, is, &err));
	assert_rc(SAT_EINVALID, sat_template_lint(t, on_finding, &s, &err));
	assert_true(s.found);
	sat_template_free(t);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_base_template_has_the_periods_of_the_trade),
		cmocka_unit_test(a_showroom_asks_for_consent_and_reports_in_time),
		cmocka_unit_test(
		    without_the_document_the_numbers_are_the_same_and_there_is_no_text),
		cmocka_unit_test(another_text_has_another_mark),
		cmocka_unit_test(what_makes_no_sense_is_refused_with_its_place),
		cmocka_unit_test(a_kiosk_that_may_read_does_not_pass_the_lint),
	};

	sat_crypto_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
