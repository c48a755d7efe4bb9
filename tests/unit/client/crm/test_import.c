/* A company comes in from sheets, row by row. */
#include "tests/lib/unit.h"

#include "client/crm/crm.h"
#include "tests/unit/client/crm/crm_fixture.h"
#include "tests/unit/client/crm/sheets.h"

static void
import_company(door *d, sat_import_summary *s)
{
	sat_import_opts o = { .flag_incomplete = true };
	sat_err err;

	hire(d->f);
	assert_ok(import(s, d, DATA "accounts.csv", DATA "accounts.map.json",
	    &o, &err));
	assert_int_equal(85, s->created);
	assert_int_equal(85, s->incomplete);
	assert_int_equal(85, d->nderived);
	assert_ok(import(s, d, DATA "sales_pipeline.csv",
	    DATA "sales_pipeline.map.json", &o, &err));
	assert_int_equal(8800, s->rows);
	assert_int_equal(8800, s->created);
	assert_int_equal(0, s->errors);
}

static void
check_reports(fixture *f)
{
	sat_crm c = crm_of(f);
	const sat_json *row;
	sat_json *doc;
	sat_buf b = { 0 };
	sat_err err;

	assert_ok(sat_crm_report(&doc, &c, "win-rate", NULL, &err));
	sat_json_write(&b, sat_json_get(doc, "rows"), false);
	assert_non_null(strstr(sat_buf_cstr(&b),
	    "{\"text\":\"63.15\",\"num\":4238,\"den\":6711}"));
	sat_json_free(doc);
	assert_ok(sat_crm_report(&doc, &c, "won", NULL, &err));
	row = sat_json_first(sat_json_get(doc, "rows"));
	assert_int_equal(1000553400, sat_json_int(sat_json_get(row, "1"), 0));
	sat_json_free(doc);
	sat_buf_fini(&b);
}

static void
the_sample_company_comes_in_whole(void **state)
{
	fixture *f = *state;
	door d = { .f = f };
	sat_import_summary s;
	sat_import_opts o = { .flag_incomplete = true,
		.on_duplicate = SAT_DUP_UPDATE };
	sat_replica_status before, after;
	sat_err err;

	import_company(&d, &s);
	assert_int_equal(9, d.nprogress - 1); /* one for the accounts */
	assert_string_equal("Daniell Hammack", d.acme);
	assert_int_equal(1, count_as_typed(f, f->account,
	    "name=\"Acme Corporation\" and owner=\"Daniell Hammack\""));
	assert_int_equal(12, count_as_typed(f, f->account, "sector=technology"));
	assert_int_equal(4238, count_as_typed(f, f->opportunity, "stage=won"));
	assert_int_equal(2473, count_as_typed(f, f->opportunity, "stage=lost"));
	assert_int_equal(4238, count_as_typed(f, f->opportunity,
	    "won_at is not null and credit_owner is not null"));
	assert_int_equal(0, count_as_typed(f, f->opportunity, "product=GTXPro"));
	/* 1,425 rows of the sheet name no account */
	assert_int_equal(7375, count_as_typed(f, f->opportunity,
	    "account is not null"));
	check_reports(f);
	assert_ok(sat_replica_status_get(&before, f->r, &err));
	/* 8,885, and what says two batches: one commit and one per group */
	assert_int_equal(8885 + 2 + 1 + 9, before.pending_commits);

	assert_ok(import(&s, &d, DATA "sales_pipeline.csv",
	    DATA "sales_pipeline.map.json", &o, &err));
	assert_int_equal(8800, s.unchanged);
	assert_int_equal(0, s.created + s.updated);
	assert_ok(import(&s, &d, DATA "accounts.csv", DATA "accounts.map.json",
	    &o, &err));
	assert_int_equal(85, s.unchanged);
	o.on_duplicate = SAT_DUP_SKIP;
	assert_ok(import(&s, &d, DATA "accounts.csv", DATA "accounts.map.json",
	    &o, &err));
	assert_int_equal(85, s.skipped);
	assert_ok(sat_replica_status_get(&after, f->r, &err));
	assert_int_equal(before.pending_commits, after.pending_commits);
	assert_sound(f);
}

static void
a_dry_run_counts_the_same_and_writes_nothing(void **state)
{
	fixture *f = *state;
	door d = { .f = f };
	sat_import_summary s;
	sat_import_opts o = { .flag_incomplete = true, .dry_run = true };
	sat_replica_status st;
	bool fixed = false;
	sat_err err;

	hire(f);
	assert_ok(import(&s, &d, DATA "accounts.csv", DATA "accounts.map.json",
	    &o, &err));
	assert_int_equal(85, s.created);
	assert_int_equal(0, count_of(f, f->account));
	assert_ok(sat_replica_status_get(&st, f->r, &err));
	assert_int_equal(0, st.pending_commits);
	for (size_t i = 0; i < d.ncleaned && i < 64; i++)
		fixed = fixed || strstr(d.cleaned[i],
		    " sector technolgy>technology") != NULL;
	assert_true(fixed);
	(void)customer(f, "Later", "13812345678");
	assert_sound(f);
}

static void
headers_are_keys_or_labels_in_either_language(void **state)
{
	door d = { .f = *state };
	sat_import_opts o = { .kind = "account" };
	sat_import_summary s;
	sat_err err;

	assert_ok(import_text(&s, &d,
	    "客户名称,industry,Contact,联系方式,需求类型,Owner\r\n"
	    "云帆科技,制造业,张三,138 1234 5678,产品,Ada One\r\n", NULL, &o,
	    &err));
	assert_int_equal(1, s.created);
	assert_int_equal(1, count_as_typed(d.f, d.f->account,
	    "industry=C and owner=u1 and need_type=product"));
	assert_rc(SAT_EINVALID, import_text(&s, &d, "客户名称,颜色\nx,y\n", NULL,
	    &o, &err));
	assert_non_null(strstr(err.text, "颜色"));
}

static void
a_sheet_in_gb18030_is_read(void **state)
{
	door d = { .f = *state };
	sat_import_opts o = { .kind = "account" };
	sat_import_summary s;
	sat_err err;

	/* 客户名称,industry,contact_name,phone_main,need_type / 云帆科技,C34,张三 */
	assert_ok(import_text(&s, &d,
	    "\xbf\xcd\xbb\xa7\xc3\xfb\xb3\xc6,industry,contact_name,phone_main,"
	    "need_type\r\n\xd4\xc6\xb7\xab\xbf\xc6\xbc\xbc,C34,\xd5\xc5\xc8\xfd,"
	    "13812345678,product\r\n", NULL, &o, &err));
	assert_int_equal(1, s.created);
	assert_int_equal(1, count_as_typed(d.f, d.f->account,
	    "name=云帆科技 and contact_name=张三"));
}

#define HEAD "name,industry,contact_name,phone_main,need_type\n"

static void
bad_rows_are_named_and_do_not_stop_the_others(void **state)
{
	door d = { .f = *state };
	sat_import_opts o = { .kind = "account" };
	sat_import_summary s;
	sat_err err;

	assert_rc(SAT_EPARTLY, import_text(&s, &d, HEAD
	    "Good One,C34,Li,13812345678,product\n"
	    "Bad Phone,C34,Li,123,product\n"
	    "Bad Two,XX,Li,13812345679,magic\n"
	    ",C34,Li,13812345670,product\n"
	    "Too,many,cells,in,this,row\n"
	    "Good Two,C34,Li,13812345671,product\n", NULL, &o, &err));
	assert_int_equal(6, s.rows);
	assert_int_equal(2, s.created);
	assert_int_equal(4, s.errors);
	assert_int_equal(4, d.nreasons);
	assert_string_equal("3 column 'phone_main': pattern", d.reasons[0]);
	assert_string_equal("4 column 'industry': option; "
	    "column 'need_type': option", d.reasons[1]);
	assert_string_equal("5 field name: required", d.reasons[2]);
	assert_int_equal(2, count_of(d.f, d.f->account));
	o.max_errors = 1;
	assert_rc(SAT_EPARTLY, import_text(&s, &d, HEAD
	    "A,C34,Li,1,product\nB,C34,Li,2,product\nC,C34,Li,3,product\n"
	    "Good Three,C34,Li,13812345675,product\n", NULL, &o, &err));
	assert_int_equal(2, s.errors);
	assert_string_equal("import.errors", err.code);
	assert_int_equal(2, count_of(d.f, d.f->account));
}

static void
a_row_of_what_is_there_is_skipped_updated_or_asked_about(void **state)
{
	static const char *const twice = HEAD
	    "Acme,C34,Li,13812345678,product\n"
	    "ACME 有限公司,I65,Wang,13812345679,service\n";
	door d = { .f = *state };
	sat_import_opts o = { .kind = "account" };
	sat_import_summary s;
	sat_err err;

	assert_ok(import_text(&s, &d, twice, NULL, &o, &err));
	assert_int_equal(1, s.created);
	assert_int_equal(1, s.skipped);
	o.on_duplicate = SAT_DUP_ASK;
	assert_rc(SAT_EPARTLY, import_text(&s, &d, twice, NULL, &o, &err));
	assert_int_equal(2, s.errors);
	o.on_duplicate = SAT_DUP_UPDATE;
	assert_ok(import_text(&s, &d, twice, NULL, &o, &err));
	assert_int_equal(1, s.unchanged);
	assert_int_equal(1, s.updated);
	assert_int_equal(1, count_as_typed(d.f, d.f->account,
	    "industry=I65 and contact_name=Wang"));
	o.on_duplicate = SAT_DUP_NEW;
	assert_ok(import_text(&s, &d, twice, NULL, &o, &err));
	assert_int_equal(2, s.created);
	assert_int_equal(3, count_of(d.f, d.f->account));
	assert_sound(d.f);
}

/* What others got wrong: number, then code, then phone say who is meant. */
static void
an_edited_row_finds_its_record_by_number_code_and_phone(void **state)
{
	static const char *const sheets[] = {
		"number,phone_main,remark\nC202601001,13812340002,by number\n",
		"uscc,phone_main,remark\n91350100M000100Y43,13812340003,by code\n",
		"phone_main,name,remark\n138-1234-0003,Beta Tools,by phone\n",
	};
	static const char *const found[] = {
		"name=\"Alpha Works\" and remark=\"by number\"",
		"name=\"Alpha Works\" and remark=\"by code\"",
		"remark=\"by phone\"",
	};
	door d = { .f = *state };
	sat_import_opts o = { .kind = "account" };
	sat_import_summary s;
	sat_err err;

	assert_ok(import_text(&s, &d, "number,uscc,name,industry,contact_name,"
	    "phone_main,need_type\n"
	    "C202601001,91350100M000100Y43,Alpha Works,C34,Li,13812340001,product\n"
	    "C202601002,,Beta Tools,C34,Li,13812340002,product\n", NULL, &o,
	    &err));
	assert_int_equal(2, s.created);
	o.on_duplicate = SAT_DUP_UPDATE;
	o.flag_incomplete = true;
	for (size_t i = 0; i < 3; i++) {
		assert_ok(import_text(&s, &d, sheets[i], NULL, &o, &err));
		assert_int_equal(1, s.updated);
		assert_int_equal(1, count_as_typed(d.f, d.f->account, found[i]));
		assert_int_equal(2, count_of(d.f, d.f->account));
	}
	assert_sound(d.f);
}

static void
a_namesake_with_another_code_is_another_company(void **state)
{
	static const char *const namesake = "uscc,name,phone_main,remark\n"
	    "91110108MA01A2B3CU,Alpha Works,13812340009,other\n"
	    ",Alpha Works,13812340009,no code\n";
	static const sat_on_duplicate ways[] = { SAT_DUP_SKIP, SAT_DUP_UPDATE };
	door d = { .f = *state };
	sat_import_opts o = { .kind = "account", .flag_incomplete = true };
	sat_import_summary s;
	sat_err err;

	assert_ok(import_text(&s, &d, "number,uscc,name,industry,contact_name,"
	    "phone_main,need_type\n"
	    "C202601001,91350100M000100Y43,Alpha Works,C34,Li,13812340001,product\n"
	    , NULL, &o, &err));
	for (size_t i = 0; i < 2; i++) {
		o.on_duplicate = ways[i];
		assert_rc(SAT_EPARTLY, import_text(&s, &d, namesake, NULL, &o,
		    &err));
		assert_int_equal(1, s.errors);
		assert_string_equal("2 the record found by name has another "
		    "uscc", d.reasons[0]);
		assert_int_equal(1, count_as_typed(d.f, d.f->account,
		    "uscc=91350100M000100Y43"));
		/* known by the name alone, it has another phone: as before */
		assert_int_equal(i, s.updated);
		assert_int_equal(1 - i, s.skipped);
	}
	/* the number says that it is the one */
	assert_ok(import_text(&s, &d, "number,uscc\n"
	    "C202601001,91110108MA01A2B3CU\n", NULL, &o, &err));
	assert_int_equal(1, s.updated);
	assert_int_equal(1, count_of(d.f, d.f->account));
	assert_sound(d.f);
}

static void
a_dry_run_sees_doubles_within_the_sheet(void **state)
{
	door d = { .f = *state };
	sat_import_opts o = { .kind = "account", .dry_run = true };
	sat_import_summary s;
	sat_err err;

	assert_ok(import_text(&s, &d, HEAD
	    " Acme ,C34,Li,138-1234-5678,product\n"
	    "Acme,C34,Li,13812345679,product\n", NULL, &o, &err));
	assert_int_equal(1, s.created);
	assert_int_equal(1, s.skipped);
	assert_int_equal(3, d.ncleaned);
	assert_string_equal("1 name  Acme >Acme", d.cleaned[0]);
	assert_string_equal("1 phone_main 138-1234-5678>+8613812345678",
	    d.cleaned[1]);
	assert_int_equal(0, count_of(d.f, d.f->account));
}

static void
an_empty_cell_says_nothing(void **state)
{
	door d = { .f = *state };
	sat_import_opts o = { .kind = "account",
		.on_duplicate = SAT_DUP_UPDATE };
	sat_import_summary s;
	sat_err err;

	assert_ok(import_text(&s, &d, HEAD
	    "Acme,C34,Li,13812345678,product\n"
	    "Acme,,,,\n", NULL, &o, &err));
	assert_int_equal(1, s.unchanged);
	assert_int_equal(1, count_as_typed(d.f, d.f->account, "industry=C34"));
}

static void
a_sheet_adds_tags_and_takes_none_away(void **state)
{
	door d = { .f = *state };
	sat_import_opts o = { .kind = "account",
		.on_duplicate = SAT_DUP_UPDATE };
	sat_import_summary s;
	sat_err err;

	assert_ok(import_text(&s, &d,
	    "name,industry,contact_name,phone_main,need_type,tags\n"
	    "Acme,C34,Li,13812345678,product,\"a,b\"\n"
	    "Acme,,,,,c\n", NULL, &o, &err));
	assert_int_equal(1, s.updated);
	assert_int_equal(1, count_as_typed(d.f, d.f->account,
	    "tags has a and tags has c"));
}

static void
numbers_go_on_after_an_import(void **state)
{
	door d = { .f = *state };
	sat_import_opts o = { .kind = "account" };
	sat_import_summary s;
	sat_id id;
	sat_err err;

	assert_ok(import_text(&s, &d, HEAD
	    "Acme,C34,Li,13812345678,product\n"
	    "Betatech,C34,Li,13812345679,product\n", NULL, &o, &err));
	id = customer(d.f, "Cancity", "13812345670");
	assert_string_equal("C202311-P7-0003",
	    value_of(d.f, d.f->account, id, "number"));
}

static void
an_interrupted_import_keeps_its_groups(void **state)
{
	door d = { .f = *state, .stop_after = 1501 };
	sat_import_opts o = { .kind = "account" };
	sat_import_summary s;
	sat_buf b = { 0 };
	sat_err err;

	sat_buf_str(&b, HEAD);
	for (int i = 0; i < 2000; i++)
		sat_buf_fmt(&b, "Customer %04d,C34,Li,1381234%04d,product\n", i,
		    i);
	assert_rc(SAT_EPARTLY, import_text(&s, &d, sat_buf_cstr(&b), NULL, &o,
	    &err));
	assert_true(s.interrupted);
	assert_int_equal(1500, s.created);
	assert_int_equal(1500, count_of(d.f, d.f->account));
	reopen(d.f);
	assert_int_equal(1500, count_of(d.f, d.f->account));
	assert_ok(import_text(&s, &d, sat_buf_cstr(&b), NULL, &o, &err));
	assert_int_equal(500, s.created);
	assert_int_equal(1500, s.skipped);
	assert_int_equal(2000, count_as_typed(d.f, d.f->account,
	    "number is not null"));
	sat_buf_fini(&b);
	assert_sound(d.f);
}

static void
an_export_read_back_changes_nothing(void **state)
{
	fixture *f = *state;
	door d = { .f = f };
	sat_crm c = crm_of(f);
	sat_query q = { .kind = f->account };
	sat_export_opts x = { .query = &q, .reason = "test" };
	sat_import_opts o = { .kind = "account",
		.on_duplicate = SAT_DUP_UPDATE };
	char *path = sat_xasprintf("%s/out.csv", f->dir);
	sat_import_summary s;
	size_t changed;
	int64_t rows;
	sat_id id;
	sat_err err;

	(void)customer(f, "=2+3 \"Acme\"", "13812345678");
	id = customer(f, "云帆\n科技", "13812345679");
	assert_ok(try_edit(&changed, f, f->account, id, LIST("tags=vip,新",
	    "annual_amount=12万", "next_follow_at=2024-05-01 09:30",
	    "visit_count=3"), &err));
	for (int labels = 0; labels < 2; labels++) {
		x.labels = labels == 1;
		assert_ok(sat_sheet_out_open(&x.table, path, NULL, &err));
		assert_ok(sat_crm_export(&rows, &c, &x, &err));
		assert_int_equal(2, rows);
		assert_ok(sat_sheet_out_close(x.table, true, &err));
		if (import(&s, &d, path, NULL, &o, &err) != SAT_OK)
			fail_msg("%s: %s", err.text, d.reasons[0]);
		assert_int_equal(2, s.unchanged);
		assert_int_equal(2, s.rows);
	}
	(void)remove(path);
	free(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		HQ(the_sample_company_comes_in_whole),
		HQ(a_dry_run_counts_the_same_and_writes_nothing),
		HQ(headers_are_keys_or_labels_in_either_language),
		HQ(a_sheet_in_gb18030_is_read),
		HQ(bad_rows_are_named_and_do_not_stop_the_others),
		HQ(a_row_of_what_is_there_is_skipped_updated_or_asked_about),
		HQ(an_edited_row_finds_its_record_by_number_code_and_phone),
		HQ(a_namesake_with_another_code_is_another_company),
		HQ(a_dry_run_sees_doubles_within_the_sheet),
		HQ(an_empty_cell_says_nothing),
		HQ(a_sheet_adds_tags_and_takes_none_away),
		HQ(numbers_go_on_after_an_import),
		HQ(an_interrupted_import_keeps_its_groups),
		HQ(an_export_read_back_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
