/* Documents that say how a sheet is to be read. */
#include "tests/lib/unit.h"

#include "client/crm/crm.h"
#include "tests/unit/client/crm/crm_fixture.h"
#include "tests/unit/client/crm/sheets.h"

static void
refused(door *d, const char *map, const char *word)
{
	sat_import_opts o = { .kind = "opportunity" };
	sat_import_summary s;
	sat_err err;

	assert_rc(SAT_EINVALID, import_text(&s, d, "a,b\n1,2\n", map, &o, &err));
	if (strstr(err.text, word) == NULL)
		fail_msg("'%s' does not say %s", err.text, word);
	assert_int_equal(0, s.rows);
}

#define DOC(rest) "{\"kind\":\"opportunity\"," rest "}"

static void
a_wrong_mapping_is_one_message_before_the_first_row(void **state)
{
	door d = { .f = *state };

	refused(&d, DOC("\"columns\":{\"a\":{}}"), "'b'");
	refused(&d, DOC("\"columns\":{\"a\":{},\"b\":null,\"c\":{}}"), "'c'");
	refused(&d, DOC("\"columns\":{\"a\":{\"field\":\"colour\"},\"b\":{}}"),
	    "colour");
	refused(&d, DOC("\"columns\":{\"a\":{\"feild\":\"name\"},\"b\":{}}"),
	    "feild");
	refused(&d, DOC("\"columns\":{\"a\":{},\"b\":{}},\"set\":[{\"field\":"
	    "\"name\",\"text\":\"{z}\"}]"), "'z'");
	refused(&d, DOC("\"columns\":{\"a\":{},\"b\":{}},\"set\":[{\"field\":"
	    "\"name\",\"text\":\"{a}\",\"when\":{\"q\":[]}}]"), "'q'");
	refused(&d, DOC("\"columns\":{\"a\":{\"field\":\"account\",\"lookup\":"
	    "\"remark\"},\"b\":{}}"), "lookup");
	refused(&d, DOC("\"columns\":{\"a\":{\"field\":\"name\",\"unit\":"
	    "\"fen\"},\"b\":{}}"), "unit");
	refused(&d, DOC("\"key\":\"stage\",\"columns\":{\"a\":{},\"b\":{}}"),
	    "stage");
	refused(&d, DOC("\"columns\":{\"a\":{},\"b\":{}},\"derive\":[{\"field\":"
	    "\"owner\",\"file\":\"sales_pipeline.csv\",\"match\":{\"a\":"
	    "\"nix\"},\"pick\":\"sales_agent\"}]"), "nix");
	refused(&d, "{\"kind\":\"account\",\"columns\":{}}", "another kind");
}

static void
values_lookups_and_units_do_what_the_document_says(void **state)
{
	static const char *const map =
	    "{\"kind\":\"opportunity\",\"key\":\"external_id\",\"columns\":{"
	    "\"no\":{\"field\":\"external_id\"},"
	    "\"who\":{\"field\":\"account\",\"lookup\":\"name\"},"
	    "\"ref\":{\"field\":\"account\",\"lookup\":\"name\",\"missing\":"
	    "\"empty\"},"
	    "\"fen\":{\"field\":\"amount\",\"unit\":\"fen\"},"
	    "\"p\":{\"field\":\"product\",\"values\":{\"\":\"none\",\"A\":"
	    "\"Alpha\",\"*\":\"other\"}},\"skip\":null},"
	    "\"set\":[{\"field\":\"name\",\"text\":\"{p} {no}!\"}]}";
	door d = { .f = *state };
	sat_import_opts o = { 0 };
	sat_import_summary s;
	sat_err err;

	(void)customer(d.f, "Acme", "13812345678");
	assert_rc(SAT_EPARTLY, import_text(&s, &d, "no,who,ref,fen,p,skip\n"
	    "1,acme,,105450, A ,x\n"
	    "2,,Nobody,5,,x\n"
	    "3,Nobody,,77,B,x\n"
	    ",acme,,1,A,x\n", map, &o, &err));
	assert_int_equal(2, s.created);
	assert_string_equal("4 column 'who': not found", d.reasons[0]);
	assert_string_equal("5 field external_id: required", d.reasons[1]);
	assert_int_equal(1, count_as_typed(d.f, d.f->opportunity,
	    "amount=1054.50 and name=\"Alpha 1!\" and account=acme"));
	assert_int_equal(1, count_as_typed(d.f, d.f->opportunity,
	    "amount=0.05 and name=\"none 2!\" and account is null"));
}

/* Of the sheet with this header: "columns line reason". */
static void
assert_marks(const char *want, door *d, const char *header, const char *map,
    const char *kind)
{
	sat_import_opts o = { .kind = kind };
	sat_crm c = crm_of(d->f);
	sat_json *doc = NULL;
	sat_import_marks m;
	char got[80], path[300];
	sat_err err;

	(void)snprintf(path, sizeof path, "%s/t.csv", d->f->dir);
	sat_test_save(path, header, strlen(header));
	if (map != NULL)
		assert_ok(sat_json_parse(&doc, sat_span_str(map), 0, &err));
	o.map = doc;
	assert_ok(sat_sheet_open(&o.sheet, path, NULL, &err));
	m = sat_crm_import_marks(&c, &o);
	(void)snprintf(got, sizeof got, "%zu %s %s", m.columns, m.line,
	    m.reason);
	assert_string_equal(want, got);
	sat_sheet_close(o.sheet);
	sat_json_free(doc);
}

static void
marks_of_refused_rows_give_way_to_new_ones(void **state)
{
	static const char *const map = DOC("\"columns\":{\"a\":{\"field\":"
	    "\"name\"},\"b\":{}}"), *const theirs = DOC("\"columns\":{\"a\":{"
	    "\"field\":\"name\"},\"line\":{},\"reason\":null}");
	door d = { .f = *state };

	assert_marks("2 line reason", &d, "name,amount\n", NULL, "opportunity");
	assert_marks("2 line reason", &d, "name,amount,line,reason\n", NULL,
	    "opportunity");
	assert_marks("2 line reason", &d, "a,b\n", map, NULL);
	assert_marks("2 line reason", &d, "a,b,line,reason\n", map, NULL);
	/* what is theirs stays, and ours is called otherwise */
	assert_marks("3 import_line import_reason", &d, "reason,name,amount\n",
	    NULL, "opportunity");
	assert_marks("3 import_line import_reason", &d, "a,line,reason\n",
	    theirs, NULL);
	assert_marks("3 import_line import_reason", &d,
	    "a,line,reason,import_line,import_reason\n", theirs, NULL);
	/* of this kind it is a field */
	assert_marks("2 import_line import_reason", &d, "id,created\n", NULL,
	    "rotation");
	assert_marks("3 line reason", &d, "a,b,c\n", map, NULL); /* is refused */
}

static void
a_mapping_takes_its_own_refused_rows_again(void **state)
{
	static const char *const map = DOC("\"key\":\"external_id\",\"columns\":{"
	    "\"no\":{\"field\":\"external_id\"},\"who\":{\"field\":\"account\","
	    "\"lookup\":\"name\"}},\"set\":[{\"field\":\"name\",\"text\":"
	    "\"{no}\"}]");
	door d = { .f = *state };
	sat_import_opts o = { 0 };
	sat_import_summary s;
	sat_err err;

	(void)customer(d.f, "Acme", "13812345678");
	assert_ok(import_text(&s, &d, "no,who,line,reason\n"
	    "1,acme,7,column 'who': not found\n", map, &o, &err));
	assert_int_equal(1, s.created);
	/* they are behind the others, and both of them */
	assert_rc(SAT_EINVALID, import_text(&s, &d, "line,reason,no,who\n"
	    "7,x,2,acme\n", map, &o, &err));
	assert_rc(SAT_EINVALID, import_text(&s, &d, "no,who,reason\n"
	    "2,acme,x\n", map, &o, &err));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		HQ(a_wrong_mapping_is_one_message_before_the_first_row),
		HQ(values_lookups_and_units_do_what_the_document_says),
		HQ(marks_of_refused_rows_give_way_to_new_ones),
		HQ(a_mapping_takes_its_own_refused_rows_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
