#include "tests/lib/unit.h"

#include "common/base/metrics.h"

static void
a_time_is_counted_in_its_class_and_in_all_above(void **state)
{
	sat_hist h = { 0 };
	sat_buf b = { 0 };

	(void)state;
	sat_hist_add(&h, 500);      /* the limit itself is inside */
	sat_hist_add(&h, 501);
	sat_hist_add(&h, 99000000); /* longer than all limits */
	sat_metric_hist(&b, "x_seconds", "how long", &h);
	assert_non_null(strstr(sat_buf_cstr(&b),
	    "# HELP x_seconds how long\n# TYPE x_seconds histogram\n"
	    "x_seconds_bucket{le=\"0.0005\"} 1\n"
	    "x_seconds_bucket{le=\"0.001\"} 2\n"));
	assert_non_null(strstr(sat_buf_cstr(&b),
	    "x_seconds_bucket{le=\"10\"} 2\n"
	    "x_seconds_bucket{le=\"+Inf\"} 3\n"
	    "x_seconds_sum 99.001001\nx_seconds_count 3\n"));
	sat_buf_fini(&b);
}

static void
a_label_cannot_break_its_line(void **state)
{
	sat_buf b = { 0 };

	(void)state;
	sat_metric_labelled(&b, "x", "reason", "a\"b\\c\nd", 7);
	assert_string_equal("x{reason=\"a\\\"b\\\\c\\nd\"} 7\n",
	    sat_buf_cstr(&b));
	sat_buf_fini(&b);
}

static void
moments_are_seconds_and_never_is_zero(void **state)
{
	sat_buf b = { 0 };

	(void)state;
	sat_metric_time(&b, "x", "when", 1795344280088);
	sat_metric_time(&b, "y", "when", 0);
	assert_string_equal("# HELP x when\n# TYPE x gauge\nx 1795344280.088\n"
	    "# HELP y when\n# TYPE y gauge\ny 0.000\n", sat_buf_cstr(&b));
	sat_buf_fini(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_time_is_counted_in_its_class_and_in_all_above),
		cmocka_unit_test(a_label_cannot_break_its_line),
		cmocka_unit_test(moments_are_seconds_and_never_is_zero),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
