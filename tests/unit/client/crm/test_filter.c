/* Filters as they are typed, records as JSON. */
#include "tests/lib/unit.h"

#include "tests/unit/client/crm/crm_fixture.h"

static void
filters_are_read_as_if_typed(void **state)
{
	fixture *f = *state;
	sat_id acme = customer(f, "Acme", "13812345678");
	sat_id o1 = deal_of(f, acme, "120000"), o2 = deal_of(f, acme, "5万");
	sat_crm c = crm_of(f);
	sat_arena a = { 0 };
	sat_filter *flt;
	size_t n, changed;
	sat_err err;

	(void)customer(f, "Betatech", "13912345678");
	assert_ok(sat_crm_stage(&c, f->opportunity, &o1, "won", NULL, &err));
	assert_ok(try_edit(&changed, f, f->account, acme, LIST("tags=a b,vip"),
	    &err));
	(void)o2;
	assert_int_equal(1, count_as_typed(f, f->opportunity, "stage=won"));
	assert_int_equal(1, count_as_typed(f, f->opportunity,
	    "stage = 成交 and amount>=12万"));
	assert_int_equal(1, count_as_typed(f, f->opportunity,
	    "amount<1000000 and amount != 50000"));
	assert_int_equal(2, count_as_typed(f, f->opportunity,
	    "stage in (won, \"初次接洽\")"));
	assert_int_equal(2, count_as_typed(f, f->opportunity,
	    "owner=\"Ada One\""));
	assert_int_equal(0, count_as_typed(f, f->opportunity, "owner=me"));
	assert_int_equal(2, count_as_typed(f, f->opportunity, "account=acme"));
	assert_int_equal(1, count_as_typed(f, f->opportunity,
	    "won_at is not null"));
	assert_int_equal(1, count_as_typed(f, f->opportunity,
	    "won_at=2023-11"));
	assert_int_equal(0, count_as_typed(f, f->opportunity,
	    "won_at>2023-11"));
	assert_int_equal(1, count_as_typed(f, f->opportunity,
	    "won_at<=2023-11-15"));
	assert_int_equal(2, count_as_typed(f, f->account, "created=2023-Q4"));
	assert_int_equal(1, count_as_typed(f, f->account, "name ~ ACM"));
	assert_int_equal(1, count_as_typed(f, f->account, "tags has \"a b\""));
	assert_int_equal(1, count_as_typed(f, f->account,
	    "tags=vip and text~acme"));
	assert_int_equal(2, count_as_typed(f, f->account, "pending=true"));
	assert_int_equal(2, count_as_typed(f, f->account, ""));
	assert_rc(SAT_EUSAGE, sat_crm_where(&flt, &n, &a, &c, f->account,
	    "colour=red", &err));
	assert_rc(SAT_EUSAGE, sat_crm_where(&flt, &n, &a, &c, f->account,
	    "stage=red", &err));
	assert_rc(SAT_EUSAGE, sat_crm_where(&flt, &n, &a, &c, f->account,
	    "stage", &err));
	assert_rc(SAT_EUSAGE, sat_crm_where(&flt, &n, &a, &c, f->account,
	    "stage=won or stage=lost", &err));
	assert_rc(SAT_EUSAGE, sat_crm_where(&flt, &n, &a, &c, f->account,
	    "name=\"open", &err));
	sat_arena_fini(&a);
}

/* Taken for another comparison, it would list the opposite. */
static void
a_comparison_that_means_nothing_is_refused(void **state)
{
	static const char *const wrong[] = { "text!=acme", "text<acme",
		"text>=acme", "text has acme", "text in (acme)",
		"text is null", "pending~false", "pending has true",
		"deleted~no", "conflict has 0", "created~2026",
		"created has 2026-01", "id~acme", "id has acme" };
	fixture *f = *state;
	sat_crm c = crm_of(f);
	sat_arena a = { 0 };
	sat_filter *flt;
	size_t n;
	sat_err err;

	(void)customer(f, "Acme", "13812345678");
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		if (sat_crm_where(&flt, &n, &a, &c, f->account, wrong[i],
		    &err) == SAT_OK)
			fail_msg("%s", wrong[i]);
		assert_rc(SAT_EUSAGE, err.rc);
	}
	sat_arena_fini(&a);
	assert_int_equal(1, count_as_typed(f, f->account, "text=acme"));
	assert_int_equal(1, count_as_typed(f, f->account, "text~acme"));
	assert_int_equal(0, count_as_typed(f, f->account, "pending=false"));
	assert_int_equal(1, count_as_typed(f, f->account, "pending!=false"));
	assert_int_equal(1, count_as_typed(f, f->account,
	    "pending in (true, 1)"));
}

static void
json_shows_keys_and_labels_on_request(void **state)
{
	fixture *f = *state;
	sat_crm c = crm_of(f);
	sat_id id = customer(f, "Acme", "13812345678");
	sat_view v = view_of(f, id);
	sat_json *o = sat_crm_json(&c, &v, true);

	assert_string_equal("C34", sat_json_get_str(o, "industry", ""));
	assert_string_equal("Me Myself", sat_json_get_str(
	    sat_json_get(o, "label"), "owner", ""));
	assert_string_equal("Product", sat_json_get_str(
	    sat_json_get(o, "label"), "need_type", ""));
	assert_string_equal("+8613812345678",
	    sat_json_get_str(o, "phone_main", ""));
	assert_int_equal(SAT_J_NULL, sat_json_type(sat_json_get(o, "grade")));
	assert_true(sat_json_get_bool(o, "pending", false));
	assert_int_equal(SAT_J_ARR, sat_json_type(sat_json_get(o, "tags")));
	sat_json_free(o);
}

static void
a_phone_of_somebody_else_is_masked(void **state)
{
	fixture *f = *state;
	sat_crm c = crm_of(f);
	sat_json *o;
	sat_view v;
	sat_id id;

	people(f, "hq");
	id = made(f, f->account, LIST("name=Theirs", "phone_main=13912345678",
	    "industry=C34", "contact_name=X", "need_type=product", "owner=u2"));
	people(f, "rep");
	v = view_of(f, id);
	o = sat_crm_json(&c, &v, false);
	assert_string_equal("***5678", sat_json_get_str(o, "phone_main", ""));
	sat_json_free(o);
}

/* How many a search finds; by which field the first, and does a list? */
static size_t
found_by(fixture *f, const char *text, const char **by, bool *listed)
{
	const sat_kind *kinds[] = { f->account };
	sat_search q = { .text = sat_span_str(text), .kinds = kinds,
		.nkinds = 1, .limit = 10 };
	sat_value v = sat_v_text(q.text);
	sat_filter flt = { SAT_Q_TEXT, SAT_CMP_LIKE, &v, 1 };
	sat_query list = { .kind = f->account, .filters = &flt, .nfilters = 1 };
	sat_arena a = { 0 };
	int64_t total, rows;
	sat_found *hit;
	size_t n;
	sat_err err;

	assert_ok(sat_replica_search(&hit, &n, &total, &a, f->r, &q, &err));
	assert_int_equal(n, total);
	*by = n > 0 ? hit[0].field->key : "";
	assert_ok(sat_replica_count(&rows, f->r, &list, &err));
	*listed = rows > 0;
	sat_arena_fini(&a);
	return n;
}

static void
nothing_is_found_by_a_word_that_only_a_masked_field_has(void **state)
{
	static const struct {
		const char *text, *by; /* "": not found */
	} tries[] = {
		{ "Theirs", "name" }, { "boss", "" }, { "Theirs boss", "" },
		{ "boss Theirs", "" }, { "Theirs 5678", "" },
		{ "bos", "" }, { "Theirs ad", "name" }, { "ad", "email" },
	};
	fixture *f = *state;
	const char *by;
	bool listed;

	give_edited(f, "fields/account.json", "\"key\": \"contact_name\",",
	    "\"key\": \"contact_name\", \"mask\": \"last4\",");
	people(f, "hq");
	(void)made(f, f->account, LIST("name=Theirs",
	    "phone_main=13912345678", "industry=C34", "contact_name=Ad Boss",
	    "email=ad@x.cn", "need_type=product", "owner=u2"));
	assert_int_equal(1, found_by(f, "Theirs boss", &by, &listed));
	people(f, "rep");
	for (size_t i = 0; i < sizeof tries / sizeof tries[0]; i++) {
		size_t want = tries[i].by[0] != '\0';

		if (found_by(f, tries[i].text, &by, &listed) != want ||
		    listed != want)
			fail_msg("%s: by %s", tries[i].text, by);
		assert_string_equal(tries[i].by, by);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		HQ(filters_are_read_as_if_typed),
		HQ(a_comparison_that_means_nothing_is_refused),
		HQ(json_shows_keys_and_labels_on_request),
		REP(a_phone_of_somebody_else_is_masked),
		REP(nothing_is_found_by_a_word_that_only_a_masked_field_has),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
