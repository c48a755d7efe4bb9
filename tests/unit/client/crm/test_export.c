/* What an export shows, and that it is written down. */
#include "tests/lib/unit.h"

#include "client/crm/crm.h"
#include "common/base/file.h"
#include "tests/unit/client/crm/crm_fixture.h"
#include "tests/unit/client/crm/sheets.h"

static sat_rc
count_lines(void *u, sat_span line, sat_err *e)
{
	sat_json *doc;
	sat_err err;

	(void)e;
	assert_ok(sat_json_parse(&doc, line, 0, &err));
	assert_true(memchr(line.p, '\n', line.n) == NULL);
	assert_string_equal("***5678", sat_json_get_str(doc, "phone_main", ""));
	sat_json_free(doc);
	++*(size_t *)u;
	return SAT_OK;
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
	sat_query q = { .kind = f->contact };
	sat_export_opts x = { .query = &q, .format = "csv", .labels = true,
		.reason = "x" };
	sat_sheet_out_opts o = { .format = "csv" };
	sat_id id = customer(f, "=HYPERLINK(\"http://evil/\")", "13812345678");
	char path[300];
	sat_buf b = { 0 };
	int64_t rows;
	sat_err err;

	(void)child(f, "contact", id, LIST("name=@SUM(A1)",
	    "phone=13911112222"));
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

static sat_rc
on_line(void *u, sat_span line, sat_err *e)
{
	(void)line;
	(void)e;
	++*(size_t *)u;
	return SAT_OK;
}

static void
exports(fixture *f, size_t want)
{
	sat_crm c = crm_of(f);
	sat_query q = { .kind = f->account };
	size_t lines = 0;
	sat_export_opts x = { .query = &q, .format = "jsonl", .reason = "x",
		.line = on_line, .u = &lines };
	int64_t rows;
	sat_err err;

	assert_ok(sat_crm_export(&rows, &c, &x, &err));
	assert_int_equal(want, rows);
	assert_int_equal(want, lines);
}

/* Such a template may have been published before the lint refused it. */
static void
a_consent_that_is_misspelt_lets_nobody_more_out(void **state)
{
	static const char path[] = "policy/privacy.json";
	static const char roles[] = "\"roles\": [\"marketing\"]";
	fixture *f = *state;
	sat_id one = customer(f, "Consents", "13812345678");

	(void)customer(f, "Does not", "13812345679");
	(void)made(f, kind(f, "consent"), LIST(ref("account", one),
	    "purpose=marketing", "text_version=v1"));
	exports(f, 2); /* headquarters */
	people(f, "marketing");
	exports(f, 1);
	give_edited(f, path, "\"purposes\": [", "\"purpose\": [");
	exports(f, 0);
	give_edited(f, path, "\"purposes\": [\"marketing\"]",
	    "\"purposes\": \"marketing\"");
	exports(f, 0);
	give_edited(f, path, roles, "\"roles\": \"marketing\"");
	exports(f, 1);
	give_edited(f, path, roles, "\"roles\": [\"expert\"]");
	exports(f, 2);
}

static sat_rc
second_fails(void *u, sat_span line, sat_err *e)
{
	(void)line;
	return ++*(size_t *)u == 2 ? sat_fail(e, SAT_ENOSPACE, "full") :
	    SAT_OK;
}

static void
saw_end(void *u, int64_t seq, int64_t at_ms, const char *action,
    const char *detail)
{
	char *said = u;

	(void)seq;
	(void)at_ms;
	if (strncmp(action, "export.", 7) == 0)
		(void)snprintf(said, 200, "%s %s", action, detail);
}

static void
a_row_that_cannot_be_written_ends_the_export(void **state)
{
	static const char *const formats[] = { "jsonl", "vcf", "sqlite" };
	fixture *f = *state;
	sat_crm c = crm_of(f);
	sat_query q = { .kind = f->account };
	char phone[16], said[200] = "";
	sat_err err;

	for (int i = 0; i < 4; i++) {
		(void)snprintf(phone, sizeof phone, "1381234567%d", i);
		(void)customer(f, phone, phone);
	}
	for (size_t i = 0; i < 3; i++) {
		size_t lines = 0;
		sat_export_opts x = { .query = &q, .format = formats[i],
			.reason = "x", .line = second_fails, .u = &lines };
		int64_t rows;

		assert_rc(SAT_ENOSPACE, sat_crm_export(&rows, &c, &x, &err));
		assert_string_equal("full", err.text);
		assert_int_equal(2, lines);
		assert_int_equal(1, rows);
		assert_ok(sat_replica_audit_list(f->r, 0, saw_end, said,
		    &err));
		assert_non_null(strstr(said, "export.failed"));
		assert_non_null(strstr(said, formats[i]));
		assert_non_null(strstr(said, "rows=1 "));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		REP(an_export_is_masked_logged_and_only_ones_own),
		REP(no_cell_of_an_export_is_a_formula),
		HQ(a_row_that_cannot_be_written_ends_the_export),
		HQ(a_consent_that_is_misspelt_lets_nobody_more_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
