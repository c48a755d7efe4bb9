/*
 * Customers that are one, device and server together: who may hold what
 * afterwards (P-171 to P-173), told by the sums of the same session.
 */
#include "tests/lib/unit.h"

#include "tests/unit/client/sync/company.h"

enum { O_ACCOUNT = 1, O_NAME = 2, O_STAGE = 4, O_OWNER = 5 };
enum { LI, CHEN, HQ }; /* devices */

static int
setup(void **state)
{
	company *c = company_new(23);

	company_staff(c, "li rep east, wang rep east, zhao rep west, "
	    "chen manager east, hq hq, hq2 hq");
	company_devices(c, "li chen hq");
	*state = c;
	return 0;
}

static sat_id
opportunity(company *c, size_t i, sat_id below, const char *owner)
{
	const sat_kind *k = kind_of(c, i, "opportunity");
	sat_id id = sat_replica_new_id(c->r[i]);
	sat_op ops[] = {
		c_op(k, SAT_OP_NEW, id, 0, sat_v_null()),
		c_op(k, SAT_OP_SET, id, O_ACCOUNT, sat_v_id(&below)),
		c_op(k, SAT_OP_SET, id, O_NAME, c_text("Pump station")),
		c_op(k, SAT_OP_SET, id, O_OWNER, c_text(owner)),
		c_op(k, SAT_OP_STAGE, id, O_STAGE, c_text("first_contact")),
	};

	company_write(c, i, below, ops, sizeof ops / sizeof ops[0]);
	return id;
}

static void
take_apart(company *c, size_t i, sat_id loser)
{
	sat_op o = c_op(kind_of(c, i, "account"), SAT_OP_UNMERGE, loser,
	    SAT_SYS_REDIRECT, sat_v_null());

	company_write(c, i, loser, &o, 1);
}

static bool
holds(company *c, size_t i, sat_id id)
{
	sat_view v;
	sat_err err = { 0 };
	sat_rc rc = sat_replica_get(&v, &c->a, c->r[i], NULL, &id, &err);

	if (rc != SAT_ENOTFOUND)
		assert_ok(rc);
	return rc == SAT_OK;
}

/* It holds what it may, found by the page itself and not by the sums. */
static void
assert_right(company *c, size_t i)
{
	assert_int_equal(0, c->stats.refetched);
	company_right(c, i);
}

/* The winner comes with the page that takes away what hung on the loser. */
static void
a_deal_of_another_leaves_with_the_merge_that_brings_the_winner(void **state)
{
	company *c = *state;
	sat_id loser, deal, winner;

	loser = company_account(c, LI, "Harbour", "li");
	deal = opportunity(c, LI, loser, "wang");
	company_sync(c, LI);
	winner = company_account(c, HQ, "Harbour Ltd", "zhao");
	company_sync(c, HQ);
	assert_false(holds(c, LI, winner));
	company_merge(c, HQ, loser, winner);
	company_sync(c, HQ);

	company_sync(c, LI);
	assert_true(holds(c, LI, winner));
	assert_true(holds(c, LI, loser));
	assert_false(holds(c, LI, deal)); /* neither his nor his customer's */
	assert_right(c, LI);
}

/* What its own waiting work shows says nothing about what leaves. */
static void
who_takes_apart_what_is_not_his_gives_it_away(void **state)
{
	company *c = *state;
	sat_id loser, winner;

	winner = company_account(c, CHEN, "Quarry", "li");
	company_sync(c, CHEN);
	loser = company_account(c, HQ, "Quarry Co", "zhao");
	company_sync(c, HQ);
	company_merge(c, HQ, loser, winner);
	company_sync(c, HQ);
	company_sync(c, CHEN);
	assert_true(holds(c, CHEN, loser));
	take_apart(c, CHEN, loser);

	company_sync(c, CHEN);
	assert_true(holds(c, CHEN, winner));
	assert_false(holds(c, CHEN, loser));
	assert_right(c, CHEN);
}

/* Merged there, led elsewhere by what waits here: both are listed. */
static void
a_merge_that_waits_hides_no_merge_of_the_server(void **state)
{
	company *c = *state;
	sat_id loser, winner, other, at;
	sat_err err = { 0 };

	winner = company_account(c, CHEN, "Ferry", "li");
	other = company_account(c, CHEN, "Ferries", "li");
	company_sync(c, CHEN);
	loser = company_account(c, HQ, "Ferry Co", "zhao");
	company_sync(c, HQ);
	company_merge(c, HQ, loser, winner);
	company_sync(c, HQ);
	company_sync(c, CHEN);
	take_apart(c, CHEN, loser);
	company_merge(c, CHEN, loser, other);
	assert_ok(sat_replica_canon(&at, c->r[CHEN], &loser, &err));
	assert_true(sat_id_eq(&other, &at));
	company_sound(c, CHEN);
	company_reopen(c, CHEN);
	company_sound(c, CHEN);

	company_sync(c, CHEN);
	assert_right(c, CHEN);
}

/* An own merge that the server has not heard of makes nobody the same person. */
static void
an_erasure_spares_what_only_a_waiting_merge_leads_there(void **state)
{
	company *c = *state;
	sat_id erased, merged, spared;

	erased = company_account(c, CHEN, "Wu", "li");
	merged = company_account(c, CHEN, "Wu again", "li");
	spared = company_account(c, CHEN, "Another Wu", "li");
	company_sync(c, CHEN);
	company_merge(c, CHEN, merged, erased);
	company_sync(c, CHEN);
	company_merge(c, CHEN, spared, erased);
	company_erase(c, erased);
	company_sync(c, CHEN);
	assert_false(holds(c, CHEN, erased));
	assert_false(holds(c, CHEN, merged));
	assert_true(holds(c, CHEN, spared));
	assert_right(c, CHEN);
}

/* ---- taken apart, and one of them erased ----------------------------------------- */

static void
write_one(company *c, size_t i, sat_id rec, sat_op_kind kind, uint16_t field,
    const char *text)
{
	sat_op o = c_op(kind_of(c, i, "account"), kind, rec, field,
	    c_text(text));

	company_write(c, i, rec, &o, 1);
}

static void
log_folds_to_the_records(company *c)
{
	uint64_t commits, records;
	sat_err err = { 0 };

	assert_ok(sat_server_verify(c->server, &commits, &records, &err));
}

typedef struct needle {
	const char *word;
	size_t hits;
} needle;

static void
count_word(needle *n, sat_span in)
{
	size_t len = strlen(n->word);

	for (size_t i = 0; i + len <= in.n; i++)
		n->hits += memcmp(in.p + i, n->word, len) == 0;
}

static void
on_state(void *u, const sat_id *id, sat_span state)
{
	(void)id;
	count_word(u, state);
}

/* In the states of the server, and in values and pasts of the devices. */
static size_t
met(company *c, const char *word, sat_id rec)
{
	needle n = { word, 0 };
	sat_err err = { 0 };

	assert_ok(sat_server_dump(c->server, NULL, on_state, &n, &err));
	for (size_t i = 0; i < c->n; i++) {
		sat_past *past;
		size_t npast;
		sat_view v;

		assert_ok(sat_replica_get(&v, &c->a, c->r[i], NULL, &rec,
		    &err));
		for (size_t k = 0; k < v.rec.ncells; k++) {
			if (v.rec.cells[k].value.type == SAT_V_TEXT)
				count_word(&n, v.rec.cells[k].value.s);
			count_word(&n, v.rec.cells[k].ext);
		}
		assert_ok(sat_replica_history(&past, &npast, &c->a, c->r[i],
		    &rec, 0, &err));
		for (size_t k = 0; k < npast; k++)
			if (past[k].value.type == SAT_V_TEXT)
				count_word(&n, past[k].value.s);
	}
	return n.hits;
}

/* Merged with values of the loser, work on the loser that comes late, both
 * edited, taken apart. */
static void
merge_and_take_apart(company *c, sat_id loser, sat_id winner)
{
	const sat_kind *k = kind_of(c, HQ, "account");
	sat_op join[] = {
		c_op(k, SAT_OP_MERGE, loser, SAT_SYS_REDIRECT, sat_v_id(&winner)),
		c_op(k, SAT_OP_MERGE, winner, A_PHONE, c_text("13900000001")),
		c_op(k, SAT_OP_SET, winner, A_CITY, c_text("Okapia")),
		c_op(k, SAT_OP_SADD, winner, A_TAGS, c_text("okapi")),
	};

	company_sync_all(c);
	write_one(c, LI, loser, SAT_OP_SET, A_REMARK, "Quagga");
	write_one(c, LI, loser, SAT_OP_MVSET, A_PHONE, "13900000002");
	company_write(c, HQ, winner, join, sizeof join / sizeof join[0]);
	company_sync(c, HQ);
	company_sync_all(c);
	write_one(c, CHEN, winner, SAT_OP_SET, A_REMARK, "Gnu stays");
	company_sync(c, CHEN);
	take_apart(c, HQ, loser);
	company_sync_all(c);
}

/* A1, A2, A3, P-395, P-398 */
static void
an_erasure_takes_from_the_other_what_it_had_of_the_erased_one(void **state)
{
	company *c = *state;
	sat_id loser = company_account(c, LI, "Hu", "li");
	sat_id winner = company_account(c, LI, "Wu", "li");

	write_one(c, LI, winner, SAT_OP_MVSET, A_PHONE, "13900000009");
	merge_and_take_apart(c, loser, winner);
	log_folds_to_the_records(c);
	assert_true(met(c, "Quagga", winner) > 0);
	assert_true(met(c, "1390000000", winner) > 0);
	assert_true(met(c, "Okapia", winner) > 0);

	company_erase(c, loser);
	log_folds_to_the_records(c);
	for (size_t i = 0; i < c->n; i++) {
		company_sync(c, i);
		assert_false(holds(c, i, loser));
		assert_right(c, i);
	}
	assert_int_equal(0, met(c, "Quagga", winner));
	assert_int_equal(0, met(c, "Okapia", winner));
	assert_int_equal(0, met(c, "okapi", winner));
	assert_int_equal(0, met(c, "13900000001", winner));
	assert_int_equal(0, met(c, "13900000002", winner));
	assert_true(met(c, "13900000009", winner) > 0);
	assert_true(met(c, "Gnu stays", winner) > 0);
	/* and it goes on, also over a restart */
	company_server(c);
	write_one(c, LI, winner, SAT_OP_SET, A_REMARK, "Gnu went on");
	company_sync_all(c);
	log_folds_to_the_records(c);
	for (size_t i = 0; i < c->n; i++)
		assert_right(c, i);
}

static void
an_erased_winner_leaves_the_loser_as_it_was(void **state) /* A1 */
{
	company *c = *state;
	sat_id loser = company_account(c, LI, "Hu", "li");
	sat_id winner = company_account(c, LI, "Wu", "li");

	merge_and_take_apart(c, loser, winner);
	company_erase(c, winner);
	log_folds_to_the_records(c);
	for (size_t i = 0; i < c->n; i++) {
		company_sync(c, i);
		assert_false(holds(c, i, winner));
		assert_right(c, i);
	}
	assert_int_equal(0, met(c, "Gnu stays", loser));
	assert_true(met(c, "Quagga", loser) > 0);
}

/* Li saw `other` through his own customer only, and was away when the two were
 * taken apart. */
static void
assert_other_left(company *c, sat_id own, sat_id other, bool erased)
{
	sat_moved *moved;
	sat_err err = { 0 };
	size_t n;

	company_merge(c, HQ, other, own);
	company_sync(c, HQ);
	company_sync(c, LI);
	assert_true(holds(c, LI, other));
	take_apart(c, HQ, other);
	company_sync(c, HQ);
	if (erased)
		company_erase(c, own);

	company_sync(c, LI);
	assert_int_equal(!erased, holds(c, LI, own));
	assert_false(holds(c, LI, other));
	assert_right(c, LI);
	assert_ok(sat_replica_moved(&moved, &n, &c->a, c->r[LI], &err));
	assert_int_equal(1, n);
	assert_true(sat_id_eq(&other, &moved[0].root));
	/* made before the receipt: what he was called may be of before (P-194) */
	assert_int_equal(erased, moved[0].title[0] == '\0');
	if (erased)
		return;
	company_erase(c, own);
	company_sync(c, LI);
	assert_ok(sat_replica_moved(&moved, &n, &c->a, c->r[LI], &err));
	assert_int_equal(1, n);
	assert_string_equal("", moved[0].title);
	assert_string_not_equal("", moved[0].to);
}

static void
who_saw_one_through_an_erased_one_is_told_that_it_left(void **state) /* P-173 */
{
	company *c = *state;
	sat_id own, other;

	/* erased or not, with the lower number or the higher */
	for (int i = 0; i < 4; i++) {
		if (i > 0) {
			company_end(state);
			setup(state);
			c = *state;
		}
		if ((i & 1) != 0) {
			own = company_account(c, LI, "Hu", "li");
			company_sync(c, LI);
		}
		other = company_account(c, HQ, "Wu", "zhao");
		company_sync(c, HQ);
		if ((i & 1) == 0)
			own = company_account(c, LI, "Hu", "li");
		company_sync_all(c);
		assert_other_left(c, own, other, (i & 2) == 0);
	}
}

/* Not taken apart, it is erased too, also for who never had it but so. */
static void
an_erased_winner_takes_along_what_leads_to_it(void **state) /* P-192 */
{
	company *c = *state;
	sat_id own = company_account(c, LI, "Hu", "li"), other;

	company_sync(c, LI);
	other = company_account(c, HQ, "Wu", "zhao");
	company_sync_all(c);
	company_merge(c, HQ, other, own);
	company_sync(c, HQ);
	company_sync(c, LI);
	assert_true(holds(c, LI, other));
	company_erase(c, own);
	for (size_t i = 0; i < c->n; i++) {
		company_sync(c, i);
		assert_false(holds(c, i, own));
		assert_false(holds(c, i, other));
		assert_right(c, i);
	}
}

/* The third led to the first, then to the second, all in one. */
static void
what_led_there_by_another_way_leaves_too(void **state)
{
	company *c = *state;
	sat_id own = company_account(c, LI, "Hu", "li"), second, third;
	sat_op ops[2];

	company_sync(c, LI);
	second = company_account(c, HQ, "Wu", "zhao");
	third = company_account(c, HQ, "Woo", "zhao");
	company_sync_all(c);
	company_merge(c, HQ, second, own);
	company_merge(c, HQ, third, own);
	company_sync(c, HQ);
	company_sync(c, LI);
	assert_true(holds(c, LI, third));
	ops[0] = c_op(kind_of(c, HQ, "account"), SAT_OP_UNMERGE, third,
	    SAT_SYS_REDIRECT, sat_v_null());
	ops[1] = c_op(kind_of(c, HQ, "account"), SAT_OP_MERGE, third,
	    SAT_SYS_REDIRECT, sat_v_id(&second));
	company_write(c, HQ, third, ops, 2);
	take_apart(c, HQ, second);
	company_sync(c, HQ);
	company_erase(c, own);

	company_sync(c, LI);
	assert_false(holds(c, LI, second));
	assert_false(holds(c, LI, third));
	assert_right(c, LI);
}

/* Each erasure takes its own part; the second finds commits of which the first
 * left something (P-397). */
static void
two_that_were_merged_into_one_are_erased_one_by_one(void **state)
{
	company *c = *state;
	sat_id a = company_account(c, CHEN, "Hu", "li");
	sat_id b = company_account(c, CHEN, "Hu again", "li");
	sat_id winner = company_account(c, CHEN, "Wu", "li");
	const sat_kind *k = kind_of(c, CHEN, "account");
	sat_op both[] = { /* about all three at once */
		c_op(k, SAT_OP_SET, a, A_CITY, c_text("Zebra")),
		c_op(k, SAT_OP_SET, b, A_CITY, c_text("Zorilla")),
		c_op(k, SAT_OP_SET, winner, A_CITY, c_text("Gnu town")),
	};

	company_sync_all(c);
	company_write(c, CHEN, winner, both, 3);
	company_merge(c, HQ, a, winner);
	company_merge(c, HQ, b, winner);
	company_sync(c, HQ);
	company_sync(c, CHEN); /* late: Zebra and Zorilla go on */
	take_apart(c, HQ, a);
	take_apart(c, HQ, b);
	company_sync_all(c);
	log_folds_to_the_records(c);

	company_erase(c, a);
	log_folds_to_the_records(c);
	company_sync_all(c);
	assert_int_equal(0, met(c, "Zebra", winner));
	assert_true(met(c, "Zorilla", winner) > 0);
	company_erase(c, b);
	log_folds_to_the_records(c);
	for (size_t i = 0; i < c->n; i++) {
		company_sync(c, i);
		assert_right(c, i);
	}
	assert_int_equal(0, met(c, "Zorilla", winner));
	assert_true(met(c, "Gnu town", winner) > 0); /* A3 */
}

/* The author dropped his own before he met it in a pull (P-397). */
static void
who_dropped_his_commit_gets_what_is_left_of_it(void **state)
{
	company *c = *state;
	sat_id gone = company_account(c, LI, "Hu", "li");
	sat_id other = company_account(c, LI, "Wu", "li");
	sat_op o = c_op(kind_of(c, LI, "account"), SAT_OP_SET, other, A_REMARK,
	    c_text("Gnu stays"));

	company_sync(c, LI);
	company_write(c, LI, gone, &o, 1);
	c->stop_after = 2; /* HELLO, PUSH */
	company_sync(c, LI);
	c->stop_after = 0;
	assert_int_equal(1, c->types[SAT_MSG_PUSH]);
	assert_int_equal(0, c->types[SAT_MSG_PULL]);
	company_erase(c, gone);
	log_folds_to_the_records(c);
	company_sync(c, LI);
	assert_int_equal(1, c->types[SAT_MSG_PULL]); /* at once */
	company_shows(c, LI, other, A_REMARK, "Gnu stays");
	assert_right(c, LI);
}

static void
what_somebody_chose_for_the_winner_stays(void **state) /* P-396 */
{
	company *c = *state;
	sat_id loser = company_account(c, LI, "Hu", "li");
	sat_id winner = company_account(c, LI, "Wu", "li");
	const sat_kind *k = kind_of(c, HQ, "account");
	sat_op join[] = {
		c_op(k, SAT_OP_MERGE, loser, SAT_SYS_REDIRECT, sat_v_id(&winner)),
		c_op(k, SAT_OP_MERGE, winner, A_PHONE, c_text("13900000001")),
	};

	company_sync_all(c);
	company_write(c, HQ, winner, join, sizeof join / sizeof join[0]);
	company_sync(c, HQ);
	company_sync_all(c);
	write_one(c, CHEN, winner, SAT_OP_RESOLVE, A_PHONE, "13900000001");
	company_sync(c, CHEN);
	take_apart(c, HQ, loser);
	company_sync(c, HQ);
	company_erase(c, loser);
	log_folds_to_the_records(c);
	for (size_t i = 0; i < c->n; i++) {
		company_sync(c, i);
		company_shows(c, i, winner, A_PHONE, "13900000001");
		assert_right(c, i);
	}
}

/* A device says that nothing is left when that is so (P-398). */
static void
a_receipt_waits_for_what_others_had_of_the_erased_one(void **state)
{
	company *c = *state;
	sat_id loser = company_account(c, LI, "Hu", "li");
	sat_id winner = company_account(c, LI, "Wu", "li");

	merge_and_take_apart(c, loser, winner);
	company_erase(c, loser);
	c->stop_after = 3; /* HELLO, LEDGER, and what is first behind it */
	company_sync(c, LI);
	assert_int_equal(1, c->types[SAT_MSG_LEDGER]);
	assert_int_equal(0, c->types[SAT_MSG_ERASED]);
	assert_int_equal(1, c->types[SAT_MSG_PULL]);
	c->stop_after = 0;
	company_sync(c, LI);
	assert_int_equal(1, c->types[SAT_MSG_ERASED]);
	assert_int_equal(0, c->types[SAT_MSG_LEDGER]);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, company_end)
	const struct CMUnitTest tests[] = {
		T(a_deal_of_another_leaves_with_the_merge_that_brings_the_winner),
		T(who_takes_apart_what_is_not_his_gives_it_away),
		T(a_merge_that_waits_hides_no_merge_of_the_server),
		T(an_erasure_spares_what_only_a_waiting_merge_leads_there),
		T(an_erasure_takes_from_the_other_what_it_had_of_the_erased_one),
		T(an_erased_winner_leaves_the_loser_as_it_was),
		T(who_saw_one_through_an_erased_one_is_told_that_it_left),
		T(an_erased_winner_takes_along_what_leads_to_it),
		T(what_led_there_by_another_way_leaves_too),
		T(two_that_were_merged_into_one_are_erased_one_by_one),
		T(what_somebody_chose_for_the_winner_stays),
		T(who_dropped_his_commit_gets_what_is_left_of_it),
		T(a_receipt_waits_for_what_others_had_of_the_erased_one),
	};
#undef T

	return cmocka_run_group_tests(tests, NULL, NULL);
}
