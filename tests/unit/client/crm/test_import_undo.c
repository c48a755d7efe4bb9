/* An import is taken back, and nothing that stays loses what it refers to. */
#include "tests/lib/unit.h"

#include "client/crm/crm.h"
#include "tests/unit/client/crm/crm_fixture.h"
#include "tests/unit/client/crm/sheets.h"

#define DEALS "name,account,external_id\n" \
	"one,Alpha,1\ntwo,Alpha,2\nthree,Alpha,3\nfour,Alpha,4\n"

static const sat_kind *
kind_of(fixture *f, const char *key)
{
	const sat_kind *k = sat_template_kind(sat_replica_template(f->r), key);

	assert_non_null(k);
	return k;
}

static bool
take(void *u, const sat_id *id)
{
	*(sat_id *)u = *id;
	return true;
}

/* The record of a kind with this value; its full id as text in `text`. */
static sat_id
by(fixture *f, char text[SAT_ID_TEXT], const sat_kind *k, const char *key,
    const char *value)
{
	sat_id id = { { 0 } };
	sat_err err;

	assert_ok(sat_replica_match(f->r, k, field_of(k, key),
	    sat_v_text(sat_span_str(value)), take, &id, &err));
	sat_id_text(text, &id);
	return id;
}

static sat_id
under(fixture *f, const char *kind, const char *ref, const sat_id *to,
    const char *more)
{
	char account[SAT_ID_TEXT], id[SAT_ID_TEXT], a[64], r[96];

	(void)by(f, account, f->account, "name", "Alpha");
	sat_id_text(id, to);
	(void)snprintf(a, sizeof a, "account=%s", account);
	(void)snprintf(r, sizeof r, "%s=%s", ref, id);
	return made(f, kind_of(f, kind), LIST(a, r, more));
}

static const char *
why(const sat_import_undone *u, const char *title)
{
	for (int64_t i = 0; i < u->nleft; i++)
		if (strcmp(u->left[i].title, title) == 0)
			return u->left[i].why;
	return "-";
}

static void
what_others_refer_to_stays(void **state)
{
	fixture *f = *state;
	door d = { .f = f };
	sat_import_opts o = { .kind = "opportunity" };
	sat_crm c = crm_of(f);
	sat_arena a = { 0 };
	sat_import_undone u;
	sat_import_summary s;
	char text[SAT_ID_TEXT];
	sat_id one, two;
	sat_err err;

	(void)customer(f, "Alpha", "13812340001");
	assert_ok(import_text(&s, &d, DEALS, NULL, &o, &err));
	one = by(f, text, f->opportunity, "external_id", "1");
	two = by(f, text, f->opportunity, "external_id", "2");
	(void)under(f, "contract", "opportunity", &one, "number=HT-1");
	(void)under(f, "order", "opportunity", &two, "amount=100");
	assert_rc(SAT_EPARTLY, sat_crm_import_undo(&u, &a, &c, s.batch, &err));
	assert_int_equal(2, u.deleted);
	assert_int_equal(2, u.nleft);
	assert_string_equal("something refers to it since", why(&u, "one"));
	assert_string_equal("something refers to it since", why(&u, "two"));
	assert_int_equal(2, count_of(f, f->opportunity));
	sat_arena_fini(&a);
	assert_sound(f);
}

static void
what_stays_of_a_batch_keeps_what_it_refers_to(void **state)
{
	fixture *f = *state;
	const sat_kind *contract = kind_of(f, "contract");
	static const char *const map = "{\"kind\":\"contract\",\"columns\":{"
	    "\"number\":{\"field\":\"number\"},"
	    "\"account\":{\"field\":\"account\",\"lookup\":\"name\"},"
	    "\"old\":{\"field\":\"renewal_of\",\"lookup\":\"number\"}}}";
	door d = { .f = f };
	sat_import_opts o = { .kind = "contract" };
	sat_crm c = crm_of(f);
	sat_arena a = { 0 };
	sat_import_undone u;
	sat_import_summary s;
	char text[SAT_ID_TEXT];
	size_t changed;
	sat_err err;

	(void)customer(f, "Alpha", "13812340001");
	assert_ok(import_text(&s, &d, "number,account,old\nHT-1,Alpha,\n"
	    "HT-2,Alpha,HT-1\nHT-3,Alpha,HT-2\nHT-4,Alpha,\nHT-5,Alpha,HT-4\n",
	    map, &o, &err));
	assert_ok(try_edit(&changed, f, contract,
	    by(f, text, contract, "number", "HT-3"), LIST("remark=mine"), &err));
	assert_rc(SAT_EPARTLY, sat_crm_import_undo(&u, &a, &c, s.batch, &err));
	assert_int_equal(2, u.deleted);
	assert_int_equal(3, u.nleft);
	assert_string_equal("changed since", why(&u, "HT-3"));
	assert_string_equal("something that stays refers to it", why(&u, "HT-2"));
	assert_string_equal("something that stays refers to it", why(&u, "HT-1"));
	sat_arena_fini(&a);
	assert_sound(f);
}

static void
what_an_older_customer_was_merged_into_stays(void **state)
{
	fixture *f = *state;
	door d = { .f = f };
	sat_import_opts o = { .kind = "account" };
	sat_crm c = crm_of(f);
	sat_arena a = { 0 };
	sat_import_undone u;
	sat_import_summary s;
	sat_id old, new, ids[2];
	char text[SAT_ID_TEXT];
	sat_err err;

	old = customer(f, "Alpha", "13812340001");
	assert_ok(import_text(&s, &d, "name,industry,contact_name,phone_main,"
	    "need_type,source\nAlfa,C34,Zhang,13812340002,product,fair\n"
	    "Beta,C34,Zhang,13812340003,product,fair\n"
	    "Gamma,C34,Zhang,13812340004,product,fair\n", NULL, &o, &err));
	new = by(f, text, f->account, "name", "Alfa");
	assert_ok(sat_crm_merge(&c, f->account, &old, &new, NULL, 0, &err));
	for (int i = 0; i < 2; i++) /* two of the batch go together */
		ids[i] = by(f, text, f->account, "name", i == 0 ? "Beta" :
		    "Gamma");
	assert_ok(sat_crm_merge(&c, f->account, &ids[0], &ids[1], NULL, 0,
	    &err));
	assert_rc(SAT_EPARTLY, sat_crm_import_undo(&u, &a, &c, s.batch, &err));
	assert_string_equal("something was merged into it since",
	    why(&u, "Alfa"));
	assert_int_equal(1, count_as_typed(f, f->account, "name=Alfa"));
	assert_ok(sat_crm_unmerge(&(int64_t){ 0 }, &c, f->account, &old, &err));
	assert_int_equal(1, count_as_typed(f, f->account, "name=Alpha"));
	sat_arena_fini(&a);
	assert_sound(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		HQ(what_others_refer_to_stays),
		HQ(what_stays_of_a_batch_keeps_what_it_refers_to),
		HQ(what_an_older_customer_was_merged_into_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
