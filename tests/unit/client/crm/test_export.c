/* What an export shows, and that it is written down. */
#include "tests/lib/unit.h"

#include "client/crm/crm.h"
#include "common/base/file.h"
#include "tests/unit/client/crm/crm_fixture.h"
#include "tests/unit/client/crm/sheets.h"

static void
count_lines(void *u, sat_span line)
{
	sat_json *doc;
	sat_err err;

	assert_ok(sat_json_parse(&doc, line, 0, &err));
	assert_true(memchr(line.p, '\n', line.n) == NULL);
	assert_string_equal("***5678", sat_json_get_str(doc, "phone_main", ""));
	sat_json_free(doc);
	++*(size_t *)u;
}

static void
saw_export(void *u, int64_t seq, int64_t at_ms, const char *action,
    const char *detail)
{
	(void)seq;
	(void)at_ms;
	if (strcmp(action, "export") == 0 && strstr(detail, "why not") != NULL)
		++*(size_t *)u;
}

static void
an_export_is_masked_logged_and_only_ones_own(void **state)
{
	fixture *f = *state;
	sat_crm c = crm_of(f);
	sat_query q = { .kind = f->account };
	size_t lines = 0, logged = 0;
	sat_export_opts x = { .query = &q, .format = "jsonl", .mask = true,
		.reason = "why not", .line = count_lines, .u = &lines };
	int64_t rows;
	sat_err err;

	(void)customer(f, "Mine", "13812345678");
	people(f, "hq");
	(void)made(f, f->account, LIST("name=Theirs", "phone_main=13912345678",
	    "industry=C34", "contact_name=X", "need_type=product", "owner=u2"));
	people(f, "rep");
	assert_ok(sat_crm_export(&rows, &c, &x, &err));
	assert_int_equal(1, rows);
	assert_int_equal(1, lines);
	assert_ok(sat_replica_audit_list(f->r, 0, saw_export, &logged, &err));
	assert_int_equal(1, logged);
	people(f, "admin");
	assert_rc(SAT_EDENIED, sat_crm_export(&rows, &c, &x, &err));
}

/* The label of a reference is a name that somebody wrote. */
static void
no_cell_of_an_export_is_a_formula(void **state) /* T20 */
{
	fixture *f = *state;
	sat_crm c = crm_of(f);
	const sat_kind *contact = f->contact;
	sat_query q = { .kind = contact };
	sat_export_opts x = { .query = &q, .format = "csv", .labels = true,
		.reason = "x" };
	sat_sheet_out_opts o = { .format = "csv" };
	sat_id id = customer(f, "=HYPERLINK(\"http://evil/\")", "13812345678");
	char account[64], text[32], path[300];
	sat_buf b = { 0 };
	int64_t rows;
	sat_err err;

	sat_id_text(text, &id);
	(void)snprintf(account, sizeof account, "account=%s", text);
	(void)made(f, contact, LIST(account, "name=@SUM(A1)", "phone=13911112222"));
	(void)snprintf(path, sizeof path, "%s/t.csv", f->dir);
	assert_ok(sat_sheet_out_open(&x.table, path, &o, &err));
	assert_ok(sat_crm_export(&rows, &c, &x, &err));
	assert_ok(sat_sheet_out_close(x.table, true, &err));
	assert_ok(sat_file_read(&b, path, 10000, &err));
	assert_non_null(strstr(sat_buf_cstr(&b),
	    "\"'=HYPERLINK(\"\"http://evil/\"\")\""));
	assert_non_null(strstr(sat_buf_cstr(&b), ",'@SUM(A1)"));
	sat_buf_fini(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		REP(an_export_is_masked_logged_and_only_ones_own),
		REP(no_cell_of_an_export_is_a_formula),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
