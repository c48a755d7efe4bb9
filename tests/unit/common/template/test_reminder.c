/*
 * policy/reminders.json: what is refused, and the calendar behind it.
 */
#include "tests/lib/unit.h"

#include "common/base/clock.h"
#include "common/template/reminder.h"
#include "tests/unit/common/template/base.h"

#define HEAD "{\"reminders\":[{\"key\":\"r\",\"label\":{\"zh\":\"x\",\"en\":\"x\"}," \
	"\"text\":{\"zh\":\"x\",\"en\":\"x\"},\"to\":\"owner\","
#define TAIL "}]}"

/* The base template with another policy/reminders.json. */
static sat_rc
with(sat_template **t, const char *json, sat_err *e)
{
	return load_with(t, "policy/reminders.json", json, e);
}

static int64_t
utc(const char *s)
{
	int64_t ms;

	assert_true(sat_time_parse(&ms, s, 0));
	return ms;
}

static void
a_misspelt_rule_refuses_the_template(void **state)
{
	static const char *const bad[] = {
		HEAD "\"wen\":{}" TAIL,
		HEAD "\"when\":{}" TAIL,
		HEAD "\"when\":{\"field\":\"end\",\"offset\":\"1d\"}" TAIL,
		HEAD "\"kind\":\"contract\",\"when\":{\"field\":\"ende\",\"offset\":\"1d\"}" TAIL,
		HEAD "\"kind\":\"contract\",\"when\":{\"field\":\"number\",\"offset\":\"1d\"}" TAIL,
		HEAD "\"kind\":\"contract\",\"when\":{\"field\":\"end\",\"offset\":\"1x\"}" TAIL,
		HEAD "\"kind\":\"contract\",\"when\":{\"field\":\"end\",\"offset\":\"1d\"},"
		    "\"where\":[{\"field\":\"state\",\"in\":[\"nope\"]}]" TAIL,
		HEAD "\"when\":{\"sla\":\"never\"}" TAIL,
		HEAD "\"when\":{\"cron\":\"0 25 * * *\"}" TAIL,
		HEAD "\"when\":{\"cron\":\"* 9 * * *\"}" TAIL,
		HEAD "\"when\":{\"cron\":\"0 9 * *\"}" TAIL,
		HEAD "\"when\":{\"cron\":\"0 9 * * *\",\"tz\":\"Mars/Base\"}" TAIL,
		HEAD "\"when\":{\"cron\":\"0 9 * * *\"},\"at\":\"9 o'clock\"" TAIL,
		HEAD "\"when\":{\"cron\":\"0 9 * * *\"},\"quiet_hours\":\"21-8\"" TAIL,
	};
	sat_template *t;
	sat_err err;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		memset(&err, 0, sizeof err);
		if (with(&t, bad[i], &err) != SAT_EINVALID)
			fail_msg("accepted: %s", bad[i]);
		assert_non_null(strstr(err.text, "policy/reminders.json"));
	}
	assert_ok(with(&t, HEAD "\"when\":{\"cron\":\"0 9 * * 1\"}" TAIL, &err));
	assert_int_equal(1, sat_reminders(t));
	sat_template_free(t);
}

static void
the_last_weekday_of_a_month_is_found(void **state)
{
	sat_cron c = { 0, 9, SAT_CRON_LAST_WEEKDAY, -1, -1 };
	int64_t at;

	(void)state;
	/* 30 November 2026 is a Monday; 09:00 in Shanghai is 01:00 */
	assert_true(sat_cron_last(&at, &c, utc("2026-11-30T01:00:00Z"), 480));
	assert_int_equal(utc("2026-11-30T01:00:00Z"), at);
	assert_true(sat_cron_last(&at, &c, utc("2026-11-30T00:59:59Z"), 480));
	assert_int_equal(utc("2026-10-30T01:00:00Z"), at); /* the 31st is a Saturday */
	assert_true(sat_cron_last(&at, &c, utc("2027-03-01T12:00:00Z"), 480));
	assert_int_equal(utc("2027-02-26T01:00:00Z"), at); /* a Sunday ends it */
}

static void
other_calendars_too(void **state)
{
	sat_cron monday = { 30, 8, -1, -1, 1 }, never = { 0, 9, 30, 2, -1 };
	sat_cron sunday = { 30, 8, -1, -1, 7 };
	int64_t at;

	(void)state;
	assert_true(sat_cron_last(&at, &monday, utc("2026-11-22T12:00:00Z"), 0));
	assert_int_equal(utc("2026-11-16T08:30:00Z"), at);
	assert_true(sat_cron_last(&at, &sunday, utc("2026-11-22T12:00:00Z"), 0));
	assert_int_equal(utc("2026-11-22T08:30:00Z"), at);
	assert_false(sat_cron_last(&at, &never, utc("2026-11-22T12:00:00Z"), 0));
}

static void
it_shows_in_the_morning_and_not_at_night(void **state)
{
	sat_reminder r = { .at_min = 9 * 60, .quiet_from = -1, .quiet_to = -1 };

	(void)state;
	assert_int_equal(utc("2026-11-22T01:00:00Z"), sat_reminder_shows(&r,
	    utc("2026-11-22T12:34:00Z"), 480));
	/* 00:30 in Shanghai is the day before in UTC */
	assert_int_equal(utc("2026-11-23T01:00:00Z"), sat_reminder_shows(&r,
	    utc("2026-11-22T16:30:00Z"), 480));
	r = (sat_reminder){ .at_min = -1, .quiet_from = 21 * 60,
		.quiet_to = 8 * 60 };
	assert_int_equal(utc("2026-11-22T12:34:00Z"), sat_reminder_shows(&r,
	    utc("2026-11-22T12:34:00Z"), 0));
	assert_int_equal(utc("2026-11-23T08:00:00Z"), sat_reminder_shows(&r,
	    utc("2026-11-22T21:00:00Z"), 0));
	assert_int_equal(utc("2026-11-22T08:00:00Z"), sat_reminder_shows(&r,
	    utc("2026-11-22T03:00:00Z"), 0));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_misspelt_rule_refuses_the_template),
		cmocka_unit_test(the_last_weekday_of_a_month_is_found),
		cmocka_unit_test(other_calendars_too),
		cmocka_unit_test(it_shows_in_the_morning_and_not_at_night),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
