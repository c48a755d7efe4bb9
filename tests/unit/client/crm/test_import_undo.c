/* An import is taken back, and nothing that stays loses what it refers to. */
#include "tests/lib/unit.h"

#include "client/crm/crm.h"
#include "tests/unit/client/crm/crm_fixture.h"
#include "tests/unit/client/crm/sheets.h"

#define DEALS "name,account,external_id\n" \
	"one,Alpha,1\ntwo,Alpha,2\nthree,Alpha,3\nfour,Alpha,4\n"

/* Not all of the batch goes back. */
static void
undo_partly(sat_import_undone *u, fixture *f, const sat_import_summary *s)
{
	sat_crm c = crm_of(f);
	sat_err err;

	assert_rc(SAT_EPARTLY, sat_crm_import_undo(u, &f->a, &c,
	    LIST(s->batch), 1, &err));
	assert_sound(f);
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
	sat_id alpha = customer(f, "Alpha", "13812340001"), one, two;
	sat_import_undone u;
	sat_import_summary s;

	import_all(&s, f, "opportunity", DEALS, NULL);
	one = the_one(f, f->opportunity, "external_id=1");
	two = the_one(f, f->opportunity, "external_id=2");
	(void)child(f, "contract", alpha, LIST(ref("opportunity", one),
	    "number=HT-1"));
	(void)child(f, "order", alpha, LIST(ref("opportunity", two),
	    "amount=100"));
	undo_partly(&u, f, &s);
	assert_int_equal(2, u.deleted);
	assert_int_equal(2, u.nleft);
	assert_string_equal("something refers to it since", why(&u, "one"));
	assert_string_equal("something refers to it since", why(&u, "two"));
	assert_int_equal(2, count_of(f, f->opportunity));
}

static void
what_stays_of_a_batch_keeps_what_it_refers_to(void **state)
{
	fixture *f = *state;
	const sat_kind *contract = kind(f, "contract");
	static const char *const map = "{\"kind\":\"contract\",\"columns\":{"
	    "\"number\":{\"field\":\"number\"},"
	    "\"account\":{\"field\":\"account\",\"lookup\":\"name\"},"
	    "\"old\":{\"field\":\"renewal_of\",\"lookup\":\"number\"}}}";
	sat_import_undone u;
	sat_import_summary s;

	(void)customer(f, "Alpha", "13812340001");
	import_all(&s, f, "contract", "number,account,old\nHT-1,Alpha,\n"
	    "HT-2,Alpha,HT-1\nHT-3,Alpha,HT-2\nHT-4,Alpha,\nHT-5,Alpha,HT-4\n",
	    map);
	change(f, contract, the_one(f, contract, "number=HT-3"),
	    LIST("remark=mine"));
	undo_partly(&u, f, &s);
	assert_int_equal(2, u.deleted);
	assert_int_equal(3, u.nleft);
	assert_string_equal("changed since", why(&u, "HT-3"));
	assert_string_equal("something that stays refers to it", why(&u, "HT-2"));
	assert_string_equal("something that stays refers to it", why(&u, "HT-1"));
}

static void
what_an_older_customer_was_merged_into_stays(void **state)
{
	fixture *f = *state;
	sat_crm c = crm_of(f);
	sat_import_undone u;
	sat_import_summary s;
	sat_id old = customer(f, "Alpha", "13812340001");
	sat_err err;

	import_all(&s, f, "account", "name,industry,contact_name,phone_main,"
	    "need_type,source\nAlfa,C34,Zhang,13812340002,product,fair\n"
	    "Beta,C34,Zhang,13812340003,product,fair\n"
	    "Gamma,C34,Zhang,13812340004,product,fair\n", NULL);
	assert_ok(try_merge(f, old, the_one(f, f->account, "name=Alfa"), NULL,
	    NULL, &err));
	/* two of the batch go together */
	assert_ok(try_merge(f, the_one(f, f->account, "name=Beta"),
	    the_one(f, f->account, "name=Gamma"), NULL, NULL, &err));
	undo_partly(&u, f, &s);
	assert_string_equal("something was merged into it since",
	    why(&u, "Alfa"));
	assert_int_equal(1, count_as_typed(f, f->account, "name=Alfa"));
	assert_ok(sat_crm_unmerge(&(int64_t){ 0 }, &c, f->account, &old, &err));
	assert_int_equal(1, count_as_typed(f, f->account, "name=Alpha"));
	assert_sound(f);
}

/* What somebody means to do is his; what a rule asks for is gone with its reason. */
static void
a_task_holds_a_customer_unless_a_rule_made_it(void **state)
{
	fixture *f = *state;
	sat_import_undone u;
	sat_import_summary s;
	sat_id task;

	import_all(&s, f, "account", "name,industry,contact_name,phone_main,"
	    "need_type,source\nAlpha,C34,Zhang,13812340002,product,fair\n"
	    "Beta,C34,Zhang,13812340003,product,fair\n", NULL);
	task = child(f, "task", the_one(f, f->account, "name=Alpha"),
	    LIST("title=send the offer"));
	(void)child(f, "task", the_one(f, f->account, "name=Beta"),
	    LIST("title=follow up", "rule=follow_due", "period=2026-11"));
	undo_partly(&u, f, &s);
	assert_int_equal(1, u.deleted);
	assert_int_equal(1, u.nleft);
	assert_string_equal("something was put under it since",
	    why(&u, "Alpha"));
	assert_string_equal("open", value_of(f, kind(f, "task"), task, "state"));
}

/* Also where an older customer, who was only changed, stands before them. */
static void
who_may_not_delete_takes_nothing_back(void **state)
{
	fixture *f = *state;
	door d = { .f = f };
	sat_import_opts o = { .kind = "account",
		.on_duplicate = SAT_DUP_UPDATE };
	sat_crm c = crm_of(f);
	sat_arena a = { 0 };
	sat_import_undone u;
	sat_import_summary s;
	sat_id old, batch;
	sat_err err;

	old = customer(f, "Alpha", "13812340001");
	f->now_ms += 10; /* ids in their order */
	assert_ok(import_text(&s, &d, "name,industry,contact_name,phone_main,"
	    "need_type,source,remark\nAlpha,C34,Zhang,13812340001,product,fair,"
	    "theirs\nBeta,C34,Zhang,13812340003,product,fair,\n", NULL, &o,
	    &err));
	assert_int_equal(1, s.created);
	assert_int_equal(1, s.updated);
	assert_rc(SAT_EDENIED, sat_crm_import_undo(&u, &a, &c,
	    LIST(s.batch), 1, &err));
	assert_string_equal("theirs", value_of(f, f->account, old, "remark"));
	assert_int_equal(2, count_of(f, f->account));
	assert_true(sat_id_parse(&batch, s.batch));
	assert_string_equal("", value_of(f, kind(f, "import_batch"), batch,
	    "undone_at"));
	sat_arena_fini(&a);
	assert_sound(f);
}

/* One sheet, as a run of an upload has it. */
static void
run(sat_import_summary *s, door *d, const char *remark)
{
	sat_import_opts o = { .kind = "account",
		.on_duplicate = SAT_DUP_UPDATE };
	char text[400];
	sat_err err;

	(void)snprintf(text, sizeof text, "name,industry,contact_name,phone_main,"
	    "need_type,source,remark\nAlpha,C34,Zhang,13812340001,product,fair,"
	    "%s\nBeta,C34,Zhang,13812340003,product,fair,%s\n", remark, remark);
	d->f->now_ms += 10;
	assert_ok(import_text(s, d, text, NULL, &o, &err));
}

/* What is written to take one back is no work of somebody's in the eyes of the
 * others. */
static void
the_batches_of_an_upload_go_back_as_one(void **state)
{
	fixture *f = *state;
	door d = { .f = f };
	sat_crm c = crm_of(f);
	sat_id old = customer(f, "Alpha", "13812340001");
	sat_import_summary s[2];
	sat_import_undone u;
	const char *names[] = { s[1].batch, "01m85cjt72000yt3gmnk57jttx",
		s[0].batch };
	sat_err err;

	change(f, f->account, old, LIST("remark=A"));
	run(&s[0], &d, "X");
	run(&s[1], &d, "Y");
	assert_int_equal(1, s[0].created);
	assert_int_equal(2, s[1].updated);
	assert_ok(sat_crm_import_undo(&u, &f->a, &c, names, 3, &err));
	assert_string_equal(s[1].batch, u.batch);
	assert_int_equal(1, u.restored);
	assert_int_equal(1, u.deleted);
	assert_string_equal("A", value_of(f, f->account, old, "remark"));
	assert_int_equal(1, count_of(f, f->account));
	assert_sound(f);
}

/* A person gave back what the first undo took. */
static void
one_that_was_taken_back_is_not_taken_back_with_the_next(void **state)
{
	fixture *f = *state;
	door d = { .f = f };
	sat_crm c = crm_of(f);
	sat_import_summary s[2];
	sat_import_undone u;
	const char *names[] = { s[1].batch, s[0].batch };
	sat_id beta;
	sat_err err;

	run(&s[0], &d, "X");
	beta = the_one(f, f->account, "name=Beta");
	assert_ok(sat_crm_import_undo(&u, &f->a, &c, names + 1, 1, &err));
	assert_int_equal(2, u.deleted);
	f->now_ms += 10;
	assert_ok(sat_crm_delete(&c, f->account, &beta, true, &err));
	run(&s[1], &d, "Y");
	assert_ok(sat_crm_import_undo(&u, &f->a, &c, names, 2, &err));
	assert_string_equal("X", value_of(f, f->account, beta, "remark"));
	assert_int_equal(1, count_of(f, f->account));
	assert_sound(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		HQ(what_others_refer_to_stays),
		HQ(what_stays_of_a_batch_keeps_what_it_refers_to),
		HQ(what_an_older_customer_was_merged_into_stays),
		HQ(a_task_holds_a_customer_unless_a_rule_made_it),
		REP(who_may_not_delete_takes_nothing_back),
		HQ(the_batches_of_an_upload_go_back_as_one),
		HQ(one_that_was_taken_back_is_not_taken_back_with_the_next),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
