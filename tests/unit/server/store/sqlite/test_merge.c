/*
 * Customers merged into others on the server, with devices that run the real
 * session machine: who holds what, what follows a redirect, and random merges
 * with late work (P-170 to P-174; sync design, properties 1 and 15).
 */
#include "tests/unit/server/store/sqlite/device.h"

static own *
merge(device *d, sat_id loser, sat_id winner)
{
	return device_edit(d, &winner, &loser, K_ACCOUNT, SAT_OP_MERGE,
	    SAT_SYS_REDIRECT, sat_v_id(&winner));
}

static own *
unmerge(device *d, sat_id loser)
{
	return device_edit(d, &loser, &loser, K_ACCOUNT, SAT_OP_UNMERGE,
	    SAT_SYS_REDIRECT, sat_v_null());
}

static sat_value
value_at(device *d, sat_id id, uint16_t field)
{
	static char text[8192];
	sat_arena a = { 0 };
	sat_record r;
	sat_value v;
	sat_err err = { 0 };
	held *h = device_find(d, &id, 0);

	assert_non_null(h);
	assert_ok(sat_record_read(&r, &a, sat_buf_span(&h->state), &err));
	v = sat_record_value(&r, field);
	if (v.type >= SAT_V_TEXT) {
		memcpy(text, v.s.p, v.s.n);
		text[v.s.n] = '\0';
		v.s.p = (const uint8_t *)text;
	}
	sat_arena_fini(&a);
	return v;
}

static const char *
text_at(device *d, sat_id id, uint16_t field)
{
	sat_value v = value_at(d, id, field);

	return v.type == SAT_V_TEXT ? (const char *)v.s.p : "";
}

static size_t
candidates_at(device *d, sat_id id, uint16_t field, sat_policy policy)
{
	sat_arena a = { 0 };
	sat_candidate *c;
	uint64_t opened;
	sat_record r;
	sat_err err = { 0 };
	held *h = device_find(d, &id, 0);
	size_t n;

	assert_non_null(h);
	assert_ok(sat_record_read(&r, &a, sat_buf_span(&h->state), &err));
	n = sat_cell_candidates(&c, &opened, &a, policy,
	    sat_record_cell(&r, field));
	sat_arena_fini(&a);
	return n;
}

typedef struct crew {
	world *w;
	device *ann, *bob, *sue, *max, *mia, *hq, *all[6];
} crew;

static crew
crew_new(uint64_t seed)
{
	crew c = { .w = world_company(seed) };

	c.all[0] = c.ann = device_new(c.w, "ann");
	c.all[1] = c.bob = device_new(c.w, "bob");
	c.all[2] = c.sue = device_new(c.w, "sue");
	c.all[3] = c.max = device_new(c.w, "max");
	c.all[4] = c.mia = device_new(c.w, "mia");
	c.all[5] = c.hq = device_new(c.w, "hq");
	return c;
}

static void
all_sync(crew *c)
{
	for (int round = 0; round < 2; round++)
		for (size_t i = 0; i < 6; i++) {
			c->w->now_ms += 7;
			device_sync(c->all[i]);
		}
}

static void
all_agree(crew *c)
{
	for (size_t i = 0; i < 6; i++)
		device_check(c->all[i]);
	world_verify(c->w);
}

static void
crew_free(crew *c)
{
	for (size_t i = 0; i < 6; i++)
		device_free(c->all[i]);
	world_free(c->w);
}

static void
whoever_sees_the_winner_sees_what_stood_below_the_loser(void **state)
{
	crew c = crew_new(1);
	sat_id a = device_account(c.ann, "Acme", "ann");
	sat_id b = device_account(c.sue, "ACME Ltd", "sue"), call, deal;

	(void)state;
	call = device_activity(c.sue, &b, "called");
	deal = device_opp(c.sue, &b, "deal", "sue");
	all_sync(&c);
	assert_null(device_find(c.ann, &b, 0));
	(void)merge(c.hq, b, a);
	all_sync(&c);
	all_agree(&c);
	assert_non_null(device_find(c.ann, &b, 0));
	assert_non_null(device_find(c.ann, &call, 0));
	assert_non_null(device_find(c.ann, &deal, 0)); /* under her customer */
	assert_non_null(device_find(c.max, &call, 0));
	/* until somebody decides about the owner the other one keeps it */
	assert_non_null(device_find(c.sue, &a, 0));
	assert_non_null(device_find(c.mia, &a, 0));
	assert_null(device_find(c.bob, &a, 0));
	/* new work below either is seen by both */
	call = device_activity(c.sue, &b, "late call");
	deal = device_activity(c.ann, &a, "visit");
	all_sync(&c);
	all_agree(&c);
	assert_non_null(device_find(c.ann, &call, 0));
	assert_non_null(device_find(c.sue, &deal, 0));
	crew_free(&c);
}

static void
a_decision_about_the_owner_takes_it_from_the_other(void **state)
{
	crew c = crew_new(2);
	sat_id a = device_account(c.ann, "Acme", "ann");
	sat_id b = device_account(c.sue, "ACME Ltd", "sue");

	(void)state;
	all_sync(&c);
	(void)merge(c.hq, b, a);
	all_sync(&c);
	(void)device_edit(c.hq, &b, &b, K_ACCOUNT, SAT_OP_REASSIGN, A_OWNER,
	    txt("ann"));
	all_sync(&c);
	all_agree(&c);
	assert_null(device_find(c.sue, &a, 0));
	assert_null(device_find(c.sue, &b, 0));
	assert_null(device_find(c.mia, &a, 0));
	assert_non_null(device_find(c.ann, &b, 0));
	crew_free(&c);
}

static void
late_work_on_the_loser_reaches_the_winner_too(void **state)
{
	crew c = crew_new(3);
	sat_id a = device_account(c.ann, "Acme", "ann");
	sat_id b = device_account(c.bob, "ACME Ltd", "bob");

	(void)state;
	(void)device_edit(c.ann, &a, &a, K_ACCOUNT, SAT_OP_MVSET, A_PHONE,
	    txt("+8613800000001"));
	all_sync(&c);
	/* bob, offline, knows of no merge */
	c.w->now_ms += 1000;
	(void)device_edit(c.bob, &b, &b, K_ACCOUNT, SAT_OP_SET, A_SECTOR,
	    txt("retail"));
	(void)device_edit(c.bob, &b, &b, K_ACCOUNT, SAT_OP_MVSET, A_PHONE,
	    txt("+8613800000002"));
	(void)device_edit(c.bob, &b, &b, K_ACCOUNT, SAT_OP_SADD, A_TAGS,
	    txt("vip"));
	(void)device_edit(c.bob, &b, &b, K_ACCOUNT, SAT_OP_ADD, A_VISITS,
	    sat_v_int(2));
	(void)merge(c.max, b, a);
	device_sync(c.max);
	all_sync(&c);
	all_agree(&c);
	assert_string_equal("retail", text_at(c.ann, a, A_SECTOR));
	assert_string_equal("retail", text_at(c.bob, b, A_SECTOR));
	assert_string_equal("vip", text_at(c.bob, a, A_TAGS));
	assert_int_equal(2, value_at(c.hq, a, A_VISITS).i);
	/* he had not seen the winner's phone: a person decides */
	assert_int_equal(2, candidates_at(c.ann, a, A_PHONE, SAT_P_REVIEW));
	/* his next edit of the loser goes on from his own */
	assert_int_equal(0, candidates_at(c.ann, b, A_PHONE, SAT_P_REVIEW));
	crew_free(&c);
}

static void
an_older_late_value_loses_by_its_own_stamp(void **state)
{
	crew c = crew_new(4);
	sat_id a = device_account(c.ann, "Acme", "ann");
	sat_id b = device_account(c.bob, "ACME Ltd", "bob");

	(void)state;
	all_sync(&c);
	(void)device_edit(c.bob, &b, &b, K_ACCOUNT, SAT_OP_SET, A_SECTOR,
	    txt("old"));
	c.w->now_ms += 100000;
	(void)merge(c.max, b, a);
	(void)device_edit(c.ann, &a, &a, K_ACCOUNT, SAT_OP_SET, A_SECTOR,
	    txt("new"));
	SYNC(c.max, c.ann);
	all_sync(&c);
	all_agree(&c);
	assert_string_equal("new", text_at(c.hq, a, A_SECTOR));
	assert_string_equal("old", text_at(c.hq, b, A_SECTOR));
	crew_free(&c);
}

static void
chains_compose_and_a_cycle_is_refused(void **state)
{
	crew c = crew_new(5);
	sat_id x = device_account(c.ann, "Xx", "ann"), y, z;

	(void)state;
	y = device_account(c.bob, "Yy", "bob");
	z = device_account(c.sue, "Zz", "sue");
	all_sync(&c);
	(void)merge(c.max, x, y);      /* offline, each of them */
	(void)merge(c.hq, y, x);
	SYNC(c.max, c.hq);
	assert_int_equal(2, c.hq->out[c.hq->nout - 1].state);
	assert_string_equal("merge.cycle", c.hq->out[c.hq->nout - 1].slug);
	(void)merge(c.hq, y, z);
	all_sync(&c);
	all_agree(&c);
	{
		sat_id to = device_canon(c.ann, x);

		assert_true(sat_id_eq(&to, &z));
	}
	/* late work on the first reaches both above it */
	(void)device_edit(c.ann, &x, &x, K_ACCOUNT, SAT_OP_SET, A_SECTOR,
	    txt("deep"));
	all_sync(&c);
	all_agree(&c);
	assert_string_equal("deep", text_at(c.hq, y, A_SECTOR));
	assert_string_equal("deep", text_at(c.hq, z, A_SECTOR));
	/* a record is merged once, and into something else */
	(void)merge(c.hq, x, z);
	(void)merge(c.hq, z, z);
	all_sync(&c);
	assert_string_equal("merge.stale", c.hq->out[c.hq->nout - 2].slug);
	assert_string_equal("merge.kind", c.hq->out[c.hq->nout - 1].slug);
	crew_free(&c);
}

static void
taking_a_merge_apart_gives_each_its_own_back(void **state)
{
	crew c = crew_new(6);
	sat_id a = device_account(c.ann, "Acme", "ann");
	sat_id b = device_account(c.sue, "ACME Ltd", "sue"), call, late;

	(void)state;
	call = device_activity(c.sue, &b, "called");
	all_sync(&c);
	(void)merge(c.hq, b, a);
	all_sync(&c);
	late = device_activity(c.ann, &b, "by ann, below the loser");
	all_sync(&c);
	(void)unmerge(c.hq, b);
	all_sync(&c);
	all_agree(&c);
	assert_null(device_find(c.ann, &b, 0));
	assert_null(device_find(c.ann, &call, 0));
	assert_null(device_find(c.ann, &late, 0));
	assert_null(device_find(c.sue, &a, 0));
	assert_non_null(device_find(c.sue, &late, 0));
	(void)merge(c.hq, a, b); /* the other way round, now */
	all_sync(&c);
	all_agree(&c);
	assert_non_null(device_find(c.ann, &call, 0));
	crew_free(&c);
}

static void
a_representative_may_not_merge(void **state)
{
	crew c = crew_new(7);
	sat_id a = device_account(c.ann, "Acme", "ann"), b, z;

	(void)state;
	b = device_account(c.ann, "ACME Ltd", "ann");
	z = device_account(c.sue, "Zz", "sue");
	all_sync(&c);
	(void)merge(c.ann, b, a);
	device_sync(c.ann);
	assert_string_equal("denied", c.ann->out[c.ann->nout - 1].slug);
	/* a manager not with what is no business of the team */
	(void)merge(c.max, b, z);
	device_sync(c.max);
	assert_string_equal("denied", c.max->out[c.max->nout - 1].slug);
	all_sync(&c);
	all_agree(&c);
	crew_free(&c);
}

static void
what_the_loser_had_joins_without_replacing(void **state)
{
	crew c = crew_new(8);
	sat_id a = device_account(c.ann, "Acme", "ann"), b;
	sat_op ops[2];

	(void)state;
	b = device_account(c.bob, "Bcme", "bob");
	all_sync(&c);
	ops[0] = op_set(&b, K_ACCOUNT, SAT_OP_MERGE, SAT_SYS_REDIRECT,
	    sat_v_id(&a));
	ops[1] = op_set(&a, K_ACCOUNT, SAT_OP_MERGE, A_NAME, txt("Bcme"));
	(void)device_commit(c.max, &a, ops, 2);
	all_sync(&c);
	all_agree(&c);
	assert_int_equal(2, candidates_at(c.ann, a, A_NAME, SAT_P_REVIEW));
	assert_string_equal("Acme", text_at(c.ann, a, A_NAME)); /* meanwhile */
	crew_free(&c);
}

static void
a_dismissed_duplicate_is_remembered_on_every_device(void **state)
{
	crew c = crew_new(9);
	sat_id a = device_account(c.ann, "Acme", "ann");

	(void)state;
	all_sync(&c);
	(void)device_edit(c.ann, &a, &a, K_ACCOUNT, SAT_OP_SADD,
	    SAT_SYS_DISMISSED, txt("00ff"));
	(void)device_edit(c.ann, &a, &a, K_ACCOUNT, SAT_OP_SET,
	    SAT_SYS_DISMISSED, txt("00ff"));
	all_sync(&c);
	all_agree(&c);
	assert_string_equal("field.unknown",
	    c.ann->out[c.ann->nout - 1].slug);
	assert_string_equal("00ff", text_at(c.hq, a, SAT_SYS_DISMISSED));
	crew_free(&c);
}

/* ---- told of each other -------------------------------------------------------------- */

static const char *
told(device *d, sat_id id)
{
	return text_at(d, id, SAT_SYS_CANDIDATES);
}

static void
phone(device *d, sat_id id, const char *number)
{
	(void)device_edit(d, &id, &id, K_ACCOUNT, SAT_OP_MVSET, A_PHONE,
	    txt(number));
}

static void
two_owners_are_told_of_each_other_and_no_more(void **state)
{
	crew c = crew_new(20);
	sat_id a = device_account(c.ann, "Acme", "ann"), b;
	char tag[17], want[80];

	(void)state;
	b = device_account(c.sue, "Other Name", "sue");
	phone(c.ann, a, "+8613812345678");
	all_sync(&c);
	assert_string_equal("", told(c.ann, a));
	phone(c.sue, b, "+8613812345678");
	all_sync(&c);
	all_agree(&c);
	sat_pair_tag(tag, &a, &b);
	(void)snprintf(want, sizeof want, "%s phone_main sue", tag);
	assert_string_equal(want, told(c.ann, a));
	(void)snprintf(want, sizeof want, "%s phone_main ann", tag);
	assert_string_equal(want, told(c.sue, b));
	assert_null(device_find(c.ann, &b, 0));
	/* another owner: the entry names him; one who sees both is not told */
	(void)device_edit(c.hq, &b, &b, K_ACCOUNT, SAT_OP_REASSIGN, A_OWNER,
	    txt("bob"));
	all_sync(&c);
	(void)snprintf(want, sizeof want, "%s phone_main bob", tag);
	assert_string_equal(want, told(c.ann, a));
	(void)device_edit(c.hq, &b, &b, K_ACCOUNT, SAT_OP_REASSIGN, A_OWNER,
	    txt("ann"));
	all_sync(&c);
	all_agree(&c);
	assert_string_equal("", told(c.ann, a));
	assert_string_equal("", told(c.ann, b));
	crew_free(&c);
}

static void
what_no_longer_holds_is_taken_back(void **state)
{
	crew c = crew_new(21);
	sat_id a = device_account(c.ann, "Acme", "ann"), b, d;
	char tag[17];

	(void)state;
	b = device_account(c.sue, "Acme Ltd.", "sue"); /* the name reads alike */
	d = device_account(c.bob, "ACME", "bob");
	all_sync(&c);
	assert_non_null(strstr(told(c.ann, a), " name sue"));
	assert_non_null(strstr(told(c.ann, a), " name bob"));
	(void)device_edit(c.bob, &d, &d, K_ACCOUNT, SAT_OP_MVSET, A_NAME,
	    txt("Bcme"));
	all_sync(&c);
	assert_null(strstr(told(c.ann, a), " name bob"));
	assert_null(strstr(told(c.sue, b), " name bob"));
	assert_string_equal("", told(c.bob, d));
	/* deleted, and back */
	(void)device_edit(c.hq, &b, &b, K_ACCOUNT, SAT_OP_DEL, 0, sat_v_null());
	all_sync(&c);
	assert_string_equal("", told(c.ann, a));
	(void)device_edit(c.hq, &b, &b, K_ACCOUNT, SAT_OP_UNDEL, 0, sat_v_null());
	all_sync(&c);
	assert_non_null(strstr(told(c.ann, a), " name sue"));
	/* dismissed by one of the two */
	sat_pair_tag(tag, &a, &b);
	(void)device_edit(c.sue, &b, &b, K_ACCOUNT, SAT_OP_SADD,
	    SAT_SYS_DISMISSED, txt(tag));
	all_sync(&c);
	all_agree(&c);
	assert_string_equal("", told(c.ann, a));
	assert_string_equal("", told(c.sue, b));
	crew_free(&c);
}

static void
merged_ones_are_told_of_no_more(void **state)
{
	crew c = crew_new(22);
	sat_id a = device_account(c.ann, "Acme", "ann"), b;

	(void)state;
	b = device_account(c.sue, "Acme Ltd.", "sue");
	all_sync(&c);
	assert_non_null(strstr(told(c.sue, b), " name ann"));
	(void)merge(c.hq, b, a);
	all_sync(&c);
	all_agree(&c);
	assert_string_equal("", told(c.ann, a));
	assert_string_equal("", told(c.sue, b));
	(void)unmerge(c.hq, b);
	all_sync(&c);
	all_agree(&c);
	assert_non_null(strstr(told(c.sue, b), " name ann"));
	crew_free(&c);
}

static void
a_value_that_many_share_tells_nothing(void **state)
{
	crew c = crew_new(23);
	sat_id id[20];

	(void)state;
	for (size_t i = 0; i < 20; i++) {
		id[i] = device_account(c.all[i % 3], i % 2 == 0 ? "Shop" :
		    "SHOP", c.all[i % 3]->user_key);
		device_sync(c.all[i % 3]);
	}
	all_sync(&c);
	all_agree(&c);
	assert_string_equal("", told(c.hq, id[19]));
	assert_string_not_equal("", told(c.hq, id[0]));
	crew_free(&c);
}

/* ---- random graphs -------------------------------------------------------------------- */

#define ACCOUNTS 9

typedef struct rnd {
	crew c;
	sat_id acc[ACCOUNTS];
	uint64_t r;
} rnd;

static size_t
draw(rnd *x, size_t n)
{
	return (size_t)(sat_test_rand(&x->r) % n);
}

static void
random_edit(rnd *x, device *d, sat_id id)
{
	static const char *const words[] = { "aa", "bb", "cc", "AA" };
	const char *word = words[draw(x, 4)];

	switch (draw(x, 7)) {
	case 0:
		(void)device_edit(d, &id, &id, K_ACCOUNT, SAT_OP_MVSET, A_NAME,
		    txt(word));
		break;
	case 1:
		(void)device_edit(d, &id, &id, K_ACCOUNT, SAT_OP_SADD, A_TAGS,
		    txt(word));
		break;
	case 2:
		(void)device_edit(d, &id, &id, K_ACCOUNT, SAT_OP_SREM, A_TAGS,
		    txt(word));
		break;
	case 3:
		(void)device_edit(d, &id, &id, K_ACCOUNT, SAT_OP_ADD, A_VISITS,
		    sat_v_int(1));
		break;
	case 4:
		(void)device_activity(d, &id, word);
		break;
	case 5:
		(void)device_opp(d, &id, word, d->user_key);
		break;
	default:
		(void)device_edit(d, &id, &id, K_ACCOUNT, SAT_OP_SET, A_SECTOR,
		    txt(word));
	}
}

static void
random_step(rnd *x)
{
	static const char *const owners[] = { "ann", "bob", "sue" };
	device *d = x->c.all[draw(x, 6)];
	sat_id id = x->acc[draw(x, ACCOUNTS)], to = x->acc[draw(x, ACCOUNTS)];
	bool holds = device_find(d, &id, 0) != NULL;

	x->c.w->now_ms += (int64_t)draw(x, 2000);
	switch (draw(x, 12)) {
	case 0:
	case 1:
		if (holds && d != x->c.ann && d != x->c.bob && d != x->c.sue)
			(void)merge(d, id, to);
		break;
	case 2:
		if (holds && d != x->c.ann && d != x->c.bob && d != x->c.sue)
			(void)unmerge(d, id);
		break;
	case 3:
		if (holds)
			(void)device_edit(d, &id, &id, K_ACCOUNT,
			    SAT_OP_REASSIGN, A_OWNER, txt(owners[draw(x, 3)]));
		break;
	case 4:
		if (holds && draw(x, 3) == 0)
			(void)device_edit(d, &id, &id, K_ACCOUNT,
			    draw(x, 2) == 0 ? SAT_OP_DEL : SAT_OP_UNDEL, 0,
			    sat_v_null());
		break;
	case 5:
	case 6:
		device_sync(d);
		break;
	default:
		if (holds)
			random_edit(x, d, id);
	}
}

static void
replicas_agree_under_random_merges_and_late_work(void **state)
{
	size_t merged = 0, refused = 0, cycles = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= 24; seed++) {
		rnd x = { .c = crew_new(seed), .r = seed * 77 };
		device *late;

		print_message("seed %llu\n", (unsigned long long)seed);
		for (size_t i = 0; i < ACCOUNTS; i++) {
			device *d = x.c.all[i % 3];

			x.acc[i] = device_account(d, "nn", d->user_key);
		}
		all_sync(&x.c);
		for (size_t i = 0; i < 6; i++)
			x.c.all[i]->page_bytes = draw(&x, 2) == 0 ? 600 : 0;
		for (int i = 0; i < 160; i++)
			random_step(&x);
		all_sync(&x.c);
		all_agree(&x.c);
		for (size_t i = 0; i < 6; i++)
			for (size_t k = 0; k < x.c.all[i]->nout; k++) {
				const own *o = &x.c.all[i]->out[k];
				bool m = o->c.ops[0].kind == SAT_OP_MERGE;

				merged += m && o->state != 2;
				refused += m && o->state == 2;
				cycles += strcmp(o->slug, "merge.cycle") == 0;
			}
		/* a device from nothing is where the others are */
		late = device_new(x.c.w, "max");
		device_sync(late);
		device_check(late);
		device_free(late);
		crew_free(&x.c);
	}
	print_message("%zu merges, %zu refused, %zu for a cycle\n", merged,
	    refused, cycles);
	assert_true(merged > 50 && cycles > 5);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whoever_sees_the_winner_sees_what_stood_below_the_loser),
		cmocka_unit_test(a_decision_about_the_owner_takes_it_from_the_other),
		cmocka_unit_test(late_work_on_the_loser_reaches_the_winner_too),
		cmocka_unit_test(an_older_late_value_loses_by_its_own_stamp),
		cmocka_unit_test(chains_compose_and_a_cycle_is_refused),
		cmocka_unit_test(taking_a_merge_apart_gives_each_its_own_back),
		cmocka_unit_test(a_representative_may_not_merge),
		cmocka_unit_test(what_the_loser_had_joins_without_replacing),
		cmocka_unit_test(a_dismissed_duplicate_is_remembered_on_every_device),
		cmocka_unit_test(two_owners_are_told_of_each_other_and_no_more),
		cmocka_unit_test(what_no_longer_holds_is_taken_back),
		cmocka_unit_test(merged_ones_are_told_of_no_more),
		cmocka_unit_test(a_value_that_many_share_tells_nothing),
		cmocka_unit_test(replicas_agree_under_random_merges_and_late_work),
	};

	sat_crypto_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
