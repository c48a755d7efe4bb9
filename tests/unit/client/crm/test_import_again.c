/* An import that is repeated: after an end in the middle, and by mistake. */
#include "tests/lib/unit.h"

#include "client/crm/crm.h"
#include "tests/unit/client/crm/crm_fixture.h"
#include "tests/unit/client/crm/sheets.h"

#define ROWS 2500

/* ROWS opportunities; external_id or a text that finds nothing. */
static void
deals(sat_buf *b, const char *second)
{
	sat_buf_reset(b);
	sat_buf_fmt(b, "name,%s\n", second);
	for (int i = 0; i < ROWS; i++)
		sat_buf_fmt(b, "deal %d,X%04d\n", i, i);
}

static void
a_repeat_finds_rows_by_what_their_source_calls_them(void **state)
{
	door d = { .f = *state, .stop_after = 1001 };
	sat_import_opts o = { .kind = "opportunity", .hash = "aa" };
	sat_import_summary s;
	sat_buf b = { 0 };
	sat_err err;

	deals(&b, "external_id");
	assert_rc(SAT_EPARTLY, import_text(&s, &d, sat_buf_cstr(&b), NULL, &o,
	    &err));
	assert_int_equal(1000, s.created);
	assert_int_equal(0, s.blind);
	assert_non_null(strstr(err.hint, "repeat the import"));
	assert_ok(import_text(&s, &d, sat_buf_cstr(&b), NULL, &o, &err));
	assert_int_equal(ROWS - 1000, s.created);
	assert_int_equal(1000, s.skipped);
	assert_int_equal(ROWS, count_of(d.f, d.f->opportunity));
	sat_buf_fini(&b);
	assert_sound(d.f);
}

static void
rows_without_a_key_are_taken_back_before_they_are_repeated(void **state)
{
	door d = { .f = *state, .stop_after = 1001 };
	sat_import_opts o = { .kind = "opportunity", .hash = "aa" };
	sat_crm c = crm_of(*state);
	sat_import_undone undone;
	sat_import_summary s, first;
	sat_arena a = { 0 };
	sat_buf b = { 0 };
	sat_err err;

	deals(&b, "remark");
	assert_rc(SAT_EPARTLY, import_text(&first, &d, sat_buf_cstr(&b), NULL,
	    &o, &err));
	assert_int_equal(1000, first.blind);
	assert_non_null(strstr(err.hint, "satchel import undo"));
	assert_non_null(strstr(err.hint, first.batch));
	for (int dry = 0; dry < 2; dry++) {
		o.dry_run = dry == 1;
		assert_rc(SAT_ECONFLICT, import_text(&s, &d, sat_buf_cstr(&b),
		    NULL, &o, &err));
		assert_string_equal("import.again", err.code);
		assert_non_null(strstr(err.hint, first.batch));
		assert_int_equal(0, s.rows);
	}
	o.dry_run = false;
	o.kind = "need"; /* another kind has not had it */
	assert_rc(SAT_EINVALID, import_text(&s, &d, sat_buf_cstr(&b), NULL, &o,
	    &err));
	o.kind = "opportunity";
	assert_ok(sat_crm_import_undo(&undone, &a, &c,
	    LIST(first.batch), 1, &err));
	assert_int_equal(1000, undone.deleted);
	assert_ok(import_text(&s, &d, sat_buf_cstr(&b), NULL, &o, &err));
	assert_int_equal(ROWS, s.created);
	assert_int_equal(ROWS, count_of(d.f, d.f->opportunity));
	o.on_duplicate = SAT_DUP_NEW; /* who says so gets them twice */
	d.stop_after = 1001;
	assert_rc(SAT_EPARTLY, import_text(&s, &d, sat_buf_cstr(&b), NULL, &o,
	    &err));
	assert_int_equal(1000, s.blind);
	assert_non_null(strstr(err.hint, "satchel import undo"));
	sat_buf_fini(&b);
	sat_arena_fini(&a);
	assert_sound(d.f);
}

static void
a_row_whose_key_is_empty_is_not_made_twice_either(void **state)
{
	static const char *const twice = "name,external_id\nwith,X1\nwithout,\n";
	door d = { .f = *state };
	sat_import_opts o = { .kind = "opportunity", .hash = "aa" };
	sat_import_summary s, first;
	sat_err err;

	assert_ok(import_text(&first, &d, twice, NULL, &o, &err));
	assert_int_equal(2, first.created);
	assert_int_equal(1, first.blind);
	assert_rc(SAT_EPARTLY, import_text(&s, &d, twice, NULL, &o, &err));
	assert_int_equal(1, s.skipped);
	assert_int_equal(1, s.errors);
	assert_non_null(strstr(d.reasons[0], first.batch));
	assert_int_equal(2, count_of(d.f, d.f->opportunity));
	o.hash = "bb"; /* another file may have rows without a key, too */
	assert_ok(import_text(&s, &d, twice, NULL, &o, &err));
	assert_int_equal(1, s.created);
}

/* The rows of an export, and one that somebody put below them. */
static void
an_id_says_which_record_is_which(void **state)
{
	fixture *f = *state;
	door d = { .f = f };
	sat_import_opts o = { .kind = "opportunity", .hash = "aa" };
	sat_import_summary s;
	char id[SAT_ID_TEXT], sheet[200];
	sat_id deal = made(f, f->opportunity, LIST("name=old"));
	sat_err err;

	sat_id_text(id, &deal);
	(void)snprintf(sheet, sizeof sheet, "id,name\n%s,old\n,new\n", id);
	assert_ok(import_text(&s, &d, sheet, NULL, &o, &err));
	assert_int_equal(1, s.skipped);
	assert_int_equal(1, s.created);
	assert_rc(SAT_EPARTLY, import_text(&s, &d, sheet, NULL, &o, &err));
	assert_int_equal(1, s.skipped);
	assert_int_equal(1, s.errors);
	assert_int_equal(2, count_of(f, f->opportunity));
}

/* Two sources may call two things alike. */
static void
another_record_with_the_same_external_id_is_no_repeat(void **state)
{
#define NOT_IT "another record has this external_id"
#define HEAD "name,industry,contact_name,phone_main,need_type,external_id\n"
	door d = { .f = *state };
	sat_import_opts o = { .kind = "account" };
	sat_import_summary s;
	sat_err err;

	assert_ok(import_text(&s, &d, HEAD "Alpha,C34,Li,13812340001,product,1\n"
	    "Beta,C34,Li,13812340002,product,2\n", NULL, &o, &err));
	assert_rc(SAT_EPARTLY, import_text(&s, &d, HEAD
	    "Alpha Works,C34,Li,13812340001,product,1\n"
	    "Gamma,C34,Li,13812340003,product,2\n", NULL, &o, &err));
	assert_int_equal(1, s.skipped); /* renamed, it has the phone yet */
	assert_int_equal(1, d.nreasons);
	assert_string_equal("3 " NOT_IT, d.reasons[0]);
	o.kind = "opportunity";
	assert_ok(import_text(&s, &d, "name,account,external_id\n"
	    "deal,Alpha,1\n", NULL, &o, &err));
	assert_rc(SAT_EPARTLY, import_text(&s, &d, "name,account,external_id\n"
	    "deal two,Alpha,1\ndeal,Beta,1\n", NULL, &o, &err));
	assert_int_equal(1, s.skipped);
	assert_string_equal("3 " NOT_IT, d.reasons[0]);
	assert_sound(d.f);
}

/* Made with "new", as the row that was refused advises; each then finds its own,
 * whichever of them stands first. */
static void
of_two_sources_that_number_alike_each_finds_its_own(void **state)
{
#define WITH_REMARK "name,industry,contact_name,phone_main,need_type," \
	"external_id,remark\n"
	static const char *const sheets[] = {
	    HEAD "Alpha,C34,Li,13812340001,product,1\n",
	    HEAD "Beta,C34,Li,13812340002,product,1\n" };
	static const char *const changed[] = {
	    WITH_REMARK "Alpha,C34,Li,13812340001,product,1,first\n",
	    WITH_REMARK "Beta,C34,Li,13812340002,product,1,second\n" };
	fixture *f = *state;
	door d = { .f = f };
	sat_import_opts o = { .kind = "account" };
	sat_import_summary s;
	sat_err err;

	assert_ok(import_text(&s, &d, sheets[0], NULL, &o, &err));
	assert_rc(SAT_EPARTLY, import_text(&s, &d, sheets[1], NULL, &o, &err));
	assert_string_equal("2 " NOT_IT, d.reasons[0]);
	o.on_duplicate = SAT_DUP_NEW;
	assert_ok(import_text(&s, &d, sheets[1], NULL, &o, &err));
	o.on_duplicate = SAT_DUP_UPDATE;
	for (size_t i = 0; i < 2; i++) {
		assert_ok(import_text(&s, &d, sheets[i], NULL, &o, &err));
		assert_int_equal(1, s.unchanged);
		assert_ok(import_text(&s, &d, changed[i], NULL, &o, &err));
		assert_int_equal(1, s.updated);
	}
	assert_int_equal(1, count_as_typed(f, f->account, "remark=first"));
	assert_int_equal(1, count_as_typed(f, f->account, "remark=second"));
	/* of a third one neither is it */
	assert_rc(SAT_EPARTLY, import_text(&s, &d, WITH_REMARK
	    "Gamma,C34,Li,13812340003,product,1,third\n", NULL, &o, &err));
	assert_string_equal("2 " NOT_IT, d.reasons[0]);
	assert_sound(f);
}

/* A book of the same deals, longer than what a reader takes at once. */
static char *
book(fixture *f, const char *second)
{
	const sat_sheet_out_opts xo = { .format = "xlsx" };
	char *path = sat_xasprintf("%s/deals.xlsx", f->dir), text[400];
	uint64_t x = 88172645463325252u;
	sat_sheet_out *out;
	sat_err err;

	assert_ok(sat_sheet_out_open(&out, path, &xo, &err));
	sat_sheet_out_plain(out, sat_span_str("name"));
	sat_sheet_out_plain(out, sat_span_str(second));
	sat_sheet_out_plain(out, sat_span_str("need_detail"));
	assert_ok(sat_sheet_out_endrow(out, &err));
	for (int i = 0; i < ROWS; i++) {
		(void)snprintf(text, sizeof text, "X%d", i);
		sat_sheet_out_plain(out, sat_span_str(text));
		sat_sheet_out_plain(out, sat_span_str(text));
		for (size_t k = 0; k < 384; k += 16) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			(void)snprintf(text + k, 17, "%016llx",
			    (unsigned long long)x);
		}
		sat_sheet_out_plain(out, sat_span_str(text));
		assert_ok(sat_sheet_out_endrow(out, &err));
	}
	assert_ok(sat_sheet_out_close(out, true, &err));
	return path;
}

static void
who_loses_the_sheet_in_the_middle_learns_what_is_in(void **state)
{
	static const char *const columns[] = { "external_id", "remark" };
	fixture *f = *state;
	char rows[40];
	int64_t before = 0, kept;
	sat_err err;

	for (int blind = 0; blind < 2; blind++) {
		char *path = book(f, columns[blind]);
		door d = { .f = f, .stop_after = 1, .spoil = path };
		sat_import_opts o = { .kind = "opportunity" };
		sat_import_summary s;

		assert_rc(SAT_EINVALID, import(&s, &d, path, NULL, &o, &err));
		kept = count_of(f, f->opportunity) - before;
		assert_true(kept > 0 && kept < ROWS && kept % 1000 == 0);
		assert_int_equal(kept, s.created);
		(void)snprintf(rows, sizeof rows, "the first %d rows are in",
		    (int)kept);
		assert_non_null(strstr(err.hint, rows));
		assert_non_null(strstr(err.hint, s.batch));
		assert_int_equal(blind, strstr(err.hint, "import undo") != NULL);
		before += kept;
		(void)remove(path);
		free(path);
	}
	assert_sound(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		HQ(a_repeat_finds_rows_by_what_their_source_calls_them),
		HQ(rows_without_a_key_are_taken_back_before_they_are_repeated),
		HQ(a_row_whose_key_is_empty_is_not_made_twice_either),
		HQ(an_id_says_which_record_is_which),
		HQ(another_record_with_the_same_external_id_is_no_repeat),
		HQ(of_two_sources_that_number_alike_each_finds_its_own),
		HQ(who_loses_the_sheet_in_the_middle_learns_what_is_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
