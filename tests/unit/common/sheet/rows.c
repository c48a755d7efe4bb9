#include "tests/lib/unit.h"

#include "common/sheet/csv.h"
#include "tests/unit/common/sheet/rows.h"

char path[300];

int
setup(void **state)
{
	(void)sat_test_dir_setup(state);
	(void)snprintf(path, sizeof path, "%s", sat_test_at("t.csv"));
	return 0;
}

sat_csv *
reader_n(const void *p, size_t n, const sat_csv_opts *o)
{
	sat_csv *c;
	sat_err err;

	sat_test_save(path, p, n);
	assert_ok(sat_csv_open(&c, path, o, &err));
	return c;
}

sat_csv *
reader(const char *text)
{
	return reader_n(text, strlen(text), NULL);
}

sat_rc
opened(const char *text, sat_err *e)
{
	sat_csv *c;
	sat_rc rc;

	sat_test_save(path, text, strlen(text));
	rc = sat_csv_open(&c, path, NULL, e);
	assert_true((rc == SAT_OK) == (c != NULL));
	sat_csv_close(c);
	return rc;
}

const char *
next(sat_csv *c)
{
	static sat_buf b;
	const sat_csv_row *row;
	sat_err err;

	sat_buf_reset(&b);
	assert_ok(sat_csv_next(&row, c, &err));
	if (row == NULL)
		return "end";
	sat_buf_fmt(&b, "%s%llu", row->fault != NULL ? "!" : "",
	    (unsigned long long)row->line);
	for (size_t i = 0; i < row->n; i++) {
		assert_true(sat_utf8_ok(row->fields[i].p, row->fields[i].n));
		sat_buf_str(&b, "|");
		sat_buf_add(&b, row->fields[i].p, row->fields[i].n);
	}
	return sat_buf_cstr(&b);
}
