/* Whose customer is a visitor: the rules one by one, and a second model that
 * does it the slow way on random facts. */
#include "tests/lib/unit.h"

#include "common/crypto/crypto.h"
#include "common/model/judge.h"

#define M ((int64_t)60000)
#define H (60 * M)
#define D (24 * H)
#define T0 (1000 * D)

static const sat_judge_rules rules = { .call_in_d = 15, .walk_in_d = 7,
	.tracked_d = 30, .tracked_max_d = 40, .natural_h = 72, .lead_min = 0 };

static sat_fact
fact(uint8_t id, sat_fact_what what, const char *person, const char *who,
    int64_t at)
{
	sat_fact f = { .what = what, .person = sat_span_str(person),
		.who = sat_span_str(who), .at_ms = at };

	f.id.b[15] = id;
	return f;
}

static sat_fact
report(uint8_t id, const char *person, int64_t at, int64_t until, bool proven)
{
	sat_fact f = fact(id, SAT_FACT_REPORT, person, "agency", at);

	f.until_ms = until;
	f.proven = proven;
	return f;
}

static sat_judgement
judge(const sat_fact *f, size_t n, int64_t at)
{
	static sat_arena a;
	static const sat_id visit = { { 255 } };
	sat_judgement j;

	sat_arena_reset(&a);
	sat_judge(&j, &a, &rules, &visit, sat_span_str("p"), at, f, n, NULL, 0);
	return j;
}

static void
is(const sat_judgement *j, const char *rule, const char *owner)
{
	assert_string_equal(rule, j->rule);
	assert_true(sat_span_eq(j->owner, sat_span_str(owner)));
}

static void
a_call_counts_15_days_and_not_a_moment_longer(void **state) /* J3 */
{
	sat_fact f = fact(1, SAT_FACT_CALL_IN, "p", "ann", T0);
	sat_judgement j;

	(void)state;
	j = judge(&f, 1, T0 + 15 * D - 1);
	is(&j, "call_in", "ann");
	j = judge(&f, 1, T0 + 15 * D);
	is(&j, "new", "");
}

static void
a_walk_in_counts_7_days_unless_followed_up(void **state)
{
	sat_fact f[] = { fact(1, SAT_FACT_WALK_IN, "p", "ann", T0),
		fact(2, SAT_FACT_FOLLOW, "p", "ann", T0 + 6 * D) };
	sat_judgement j;

	(void)state;
	j = judge(f, 1, T0 + 7 * D);
	is(&j, "new", "");
	j = judge(f, 2, T0 + 36 * D - 1);
	is(&j, "tracked", "ann");
	j = judge(f, 2, T0 + 36 * D);
	is(&j, "manager", "");
	assert_true(sat_span_eq(j.with, sat_span_str("ann")));
	j = judge(f, 2, T0 + 46 * D);
	is(&j, "new", "");
}

static void
what_is_over_is_not_brought_back_by_a_follow_up(void **state)
{
	sat_fact f[] = { fact(1, SAT_FACT_WALK_IN, "p", "ann", T0),
		fact(2, SAT_FACT_FOLLOW, "p", "ann", T0 + 7 * D),
		fact(3, SAT_FACT_FOLLOW, "p", "bob", T0 + 1 * D) };
	sat_judgement j = judge(f, 3, T0 + 8 * D);

	(void)state;
	is(&j, "new", "");
}

static void
the_first_claim_counts_although_another_one_received_him_later(void **state)
{
	sat_fact f[] = { fact(1, SAT_FACT_WALK_IN, "p", "bob", T0 + 2 * D),
		fact(2, SAT_FACT_CALL_IN, "p", "ann", T0) };
	sat_judgement j = judge(f, 2, T0 + 8 * D);

	(void)state;
	is(&j, "call_in", "ann");
	j = judge(f, 2, T0 + 2 * D + 7 * D); /* bob's is over, ann's is not */
	is(&j, "call_in", "ann");
}

static void
two_claims_of_one_moment_are_split(void **state)
{
	sat_fact f[] = { fact(1, SAT_FACT_WALK_IN, "p", "bob", T0),
		fact(2, SAT_FACT_WALK_IN, "p", "ann", T0) };
	sat_judgement j = judge(f, 2, T0 + D);

	(void)state;
	is(&j, "split", "ann");
	assert_true(sat_span_eq(j.with, sat_span_str("bob")));
}

static void
a_family_is_one_customer(void **state)
{
	sat_fact f = fact(1, SAT_FACT_CALL_IN, "wife", "ann", T0);
	sat_kin kin[] = { { sat_span_str("home"), sat_span_str("wife") },
		{ sat_span_str("p"), sat_span_str("home") } };
	sat_id visit = { { 255 } };
	sat_arena a = { 0 };
	sat_judgement j;

	(void)state;
	sat_judge(&j, &a, &rules, &visit, sat_span_str("p"), T0 + D, &f, 1, kin,
	    2);
	is(&j, "call_in", "ann");
	sat_judge(&j, &a, &rules, &visit, sat_span_str("p"), T0 + D, &f, 1, kin,
	    1);
	is(&j, "new", "");
	sat_arena_fini(&a);
}

static void
a_channel_has_the_credit_when_its_code_was_shown(void **state)
{
	sat_fact f[] = { report(1, "p", T0, T0 + 7 * D, true) };
	sat_judgement j = judge(f, 1, T0 + D);

	(void)state;
	is(&j, "new", "");
	assert_string_equal("report", j.credit_rule);
	assert_int_equal(1, j.credit.b[15]);
	j = judge(f, 1, T0 + 7 * D);
	assert_string_equal("report.late", j.credit_rule);
	assert_true(sat_id_zero(&j.credit));
	f[0].proven = false;
	j = judge(f, 1, T0 + D);
	assert_string_equal("report.unproven", j.credit_rule);
}

static void
a_natural_visitor_is_protected_for_72_hours(void **state)
{
	sat_fact f[] = { fact(1, SAT_FACT_WALK_IN, "p", "", T0),
		report(2, "p", T0 + 72 * H - 1, T0 + 30 * D, true) };
	sat_judgement j = judge(f, 2, T0 + 4 * D);

	(void)state;
	assert_string_equal("report.natural", j.credit_rule);
	f[1].at_ms = T0 + 72 * H;
	j = judge(f, 2, T0 + 4 * D);
	assert_string_equal("report", j.credit_rule);
	/* brought by a channel is not by himself */
	f[0].what = SAT_FACT_BROUGHT;
	f[1].at_ms = T0 + H;
	j = judge(f, 2, T0 + 4 * D);
	assert_string_equal("report", j.credit_rule);
}

static void
a_customer_somebody_has_is_not_a_channels(void **state)
{
	sat_fact f[] = { fact(1, SAT_FACT_CALL_IN, "p", "ann", T0),
		report(2, "p", T0 + 10 * D, T0 + 20 * D, true) };
	sat_judgement j = judge(f, 2, T0 + 11 * D);

	(void)state;
	is(&j, "call_in", "ann");
	assert_string_equal("report.known", j.credit_rule);
}

static void
of_two_channels_the_rule_of_the_company_chooses(void **state)
{
	sat_fact f[] = { report(1, "p", T0, T0 + 7 * D, false),
		report(2, "p", T0 + H, T0 + 7 * D, true) };
	sat_judge_rules first = rules;
	sat_id visit = { { 255 } };
	sat_arena a = { 0 };
	sat_judgement j = judge(f, 2, T0 + D);

	(void)state;
	assert_int_equal(2, j.credit.b[15]);
	first.first_report = true;
	sat_judge(&j, &a, &first, &visit, sat_span_str("p"), T0 + D, f, 2, NULL,
	    0);
	assert_int_equal(1, j.credit.b[15]);
	sat_arena_fini(&a);
}

static void
what_is_of_others_or_later_changes_nothing(void **state) /* J2 */
{
	sat_fact f[] = { fact(1, SAT_FACT_CALL_IN, "p", "ann", T0),
		fact(2, SAT_FACT_WALK_IN, "q", "bob", T0 - D),
		fact(3, SAT_FACT_WALK_IN, "p", "bob", T0 + 3 * D) };
	sat_judgement a = judge(f, 1, T0 + 2 * D), b = judge(f, 3, T0 + 2 * D);

	(void)state;
	is(&b, "call_in", "ann");
	assert_memory_equal(a.inputs, b.inputs, 32);
	f[0].who = sat_span_str("eve");
	b = judge(f, 1, T0 + 2 * D);
	assert_memory_not_equal(a.inputs, b.inputs, 32);
}

/* ---- the slow way ---------------------------------------------------------------- */

/*
 * A second model without sorting, without a running state and without
 * union-find: families by a closed table, a claim by asking minute by minute
 * of the calendar what made it live.
 */
enum { NAMES = 6, PEOPLE = 3, FACTS = 14, KIN = 4 };
static const char *const names_[NAMES] = { "p", "a", "b", "c", "d", "e" };
static const char *const people_[PEOPLE] = { "ann", "bob", "cat" };

typedef struct world {
	sat_fact f[FACTS];
	size_t n;
	sat_kin kin[KIN];
	size_t nkin;
	bool one[NAMES][NAMES];
	int64_t at;
} world;

static int
name_no(sat_span s)
{
	for (int i = 0; i < NAMES; i++)
		if (sat_span_eq(s, sat_span_str(names_[i])))
			return i;
	return -1;
}

static void
close_families(world *w)
{
	memset(w->one, 0, sizeof w->one);
	for (int i = 0; i < NAMES; i++)
		w->one[i][i] = true;
	for (size_t i = 0; i < w->nkin; i++)
		w->one[name_no(w->kin[i].a)][name_no(w->kin[i].b)] =
		    w->one[name_no(w->kin[i].b)][name_no(w->kin[i].a)] = true;
	for (int k = 0; k < NAMES; k++)
		for (int i = 0; i < NAMES; i++)
			for (int j = 0; j < NAMES; j++)
				w->one[i][j] |= w->one[i][k] && w->one[k][j];
}

static bool
counts(const world *w, const sat_fact *f)
{
	return f->at_ms <= w->at && w->one[0][name_no(f->person)];
}

/* Half days: all times of the world are multiples. */
#define STEP (12 * H)

/* Since when `who` has a claim at `at` (after all that happened then); -1: he
 * has none. *tracked: an effective follow-up keeps it; *call. */
static int64_t
claim_at(const world *w, const char *who, int64_t at, int64_t *until,
    int64_t *tracked, const char **how)
{
	int64_t began = -1;

	*until = *tracked = -1;
	*how = "";
	for (int64_t t = T0; t <= at; t += STEP) {
		if (began >= 0 && t >= *until)
			began = -1; /* over; until and tracked stay known */
		for (int pass = 1; pass <= 4; pass++)
			for (size_t i = 0; i < w->n; i++) {
				const sat_fact *f = &w->f[i];
				int64_t end;

				if (!counts(w, f) || f->at_ms != t ||
				    (int)f->what != pass ||
				    !sat_span_eq(f->who, sat_span_str(who)))
					continue;
				if (pass == 4) {
					if (began < 0)
						continue;
					*tracked = t;
					end = t + 30 * D;
					*until = end > *until ? end : *until;
					continue;
				}
				if (began < 0) {
					began = t;
					*tracked = *until = -1;
				}
				end = t + (pass == 1 ? 15 : 7) * D;
				if (end > *until) {
					*until = end;
					*how = pass == 1 ? "call_in" :
					    "walk_in";
				}
			}
	}
	return began;
}

static void
slow_owner(const world *w, const char **rule, const char **owner)
{
	int64_t best = -1, until, tracked, last = -1;
	const char *how;

	*rule = "new";
	*owner = "";
	for (int i = 0; i < PEOPLE; i++) { /* people_ ascend */
		int64_t b = claim_at(w, people_[i], w->at, &until, &tracked,
		    &how);

		if (b < 0)
			continue;
		if (best < 0 || b < best) {
			best = b;
			*owner = people_[i];
			*rule = tracked >= 0 ? "tracked" : how;
		} else if (b == best) {
			*rule = "split";
		}
	}
	if (best >= 0)
		return;
	for (int i = 0; i < PEOPLE; i++)
		if (claim_at(w, people_[i], w->at, &until, &tracked, &how) < 0 &&
		    tracked >= 0 && w->at < tracked + 40 * D && tracked > last)
			last = tracked;
	if (last >= 0)
		*rule = "manager";
}

static const char *
slow_fault(const world *w, const sat_fact *f)
{
	int64_t until, tracked;
	const char *how;

	if (f->at_ms > w->at || w->at >= f->until_ms)
		return "report.late";
	for (int i = 0; i < PEOPLE; i++)
		if (claim_at(w, people_[i], f->at_ms, &until, &tracked, &how) >=
		    0)
			return "report.known";
	for (size_t i = 0; i < w->n; i++)
		if (counts(w, &w->f[i]) && w->f[i].at_ms <= f->at_ms &&
		    (w->f[i].what == SAT_FACT_CALL_IN ||
		    w->f[i].what == SAT_FACT_WALK_IN) &&
		    f->at_ms - w->f[i].at_ms < 72 * H)
			return "report.natural";
	return NULL;
}

static int64_t
slow_credit(const world *w)
{
	const sat_fact *best = NULL;

	for (size_t i = 0; i < w->n; i++) {
		const sat_fact *f = &w->f[i];

		if (f->what != SAT_FACT_REPORT || !counts(w, f) || !f->proven ||
		    slow_fault(w, f) != NULL)
			continue;
		if (best == NULL || f->at_ms < best->at_ms ||
		    (f->at_ms == best->at_ms &&
		    memcmp(f->id.b, best->id.b, 16) < 0))
			best = f;
	}
	return best != NULL ? best->id.b[15] : 0;
}

static void
make_world(world *w, uint64_t *seed)
{
	uint64_t base;

	memset(w, 0, sizeof *w);
	w->n = sat_test_rand(seed) % FACTS;
	w->nkin = sat_test_rand(seed) % KIN;
	w->at = T0 + 50 * D;
	base = sat_test_rand(seed) % 90; /* half days */
	for (size_t i = 0; i < w->nkin; i++) {
		w->kin[i].a = sat_span_str(names_[sat_test_rand(seed) % NAMES]);
		w->kin[i].b = sat_span_str(names_[sat_test_rand(seed) % NAMES]);
	}
	for (size_t i = 0; i < w->n; i++) {
		sat_fact *f = &w->f[i];

		*f = fact((uint8_t)(i + 1),
		    (sat_fact_what)(1 + sat_test_rand(seed) % 5),
		    names_[sat_test_rand(seed) % 3 * 2],
		    people_[sat_test_rand(seed) % PEOPLE],
		    T0 + (int64_t)(base + sat_test_rand(seed) % 16) * STEP);
		if (f->what == SAT_FACT_REPORT) {
			f->until_ms = f->at_ms +
			    (int64_t)(sat_test_rand(seed) % 30) * D;
			f->proven = sat_test_rand(seed) % 2;
			f->who = sat_span_str("agency");
		}
	}
	close_families(w);
}

static void
the_fast_answer_is_the_slow_one(void **state)
{
	uint64_t seed = sat_test_seed(20261122);
	static const sat_id visit = { { 255 } };
	sat_arena a = { 0 };
	int rules_met[6] = { 0 };
	static const char *const all[] = { "tracked", "call_in", "walk_in",
		"split", "manager", "new" };

	(void)state;
	for (int i = 0; i < 20000; i++) {
		const char *rule, *owner;
		sat_judgement j;
		world w;

		make_world(&w, &seed);
		sat_arena_reset(&a);
		sat_judge(&j, &a, &rules, &visit, sat_span_str("p"), w.at, w.f,
		    w.n, w.kin, w.nkin);
		slow_owner(&w, &rule, &owner);
		assert_string_equal(rule, j.rule);
		assert_true(sat_span_eq(j.owner, sat_span_str(owner)));
		assert_int_equal(slow_credit(&w), j.credit.b[15]);
		for (int k = 0; k < 6; k++)
			rules_met[k] += strcmp(all[k], j.rule) == 0;
	}
	for (int k = 0; k < 6; k++)
		if (rules_met[k] <= 50)
			fail_msg("%s came up %d times", all[k], rules_met[k]);
	sat_arena_fini(&a);
}

static void
order_and_repetition_change_nothing(void **state) /* J1 */
{
	uint64_t seed = sat_test_seed(7);
	static const sat_id visit = { { 255 } };
	sat_arena a = { 0 };

	(void)state;
	for (int i = 0; i < 3000; i++) {
		sat_fact more[2 * FACTS];
		sat_judgement j, k;
		size_t n;
		world w;

		make_world(&w, &seed);
		sat_arena_reset(&a);
		sat_judge(&j, &a, &rules, &visit, sat_span_str("p"), w.at, w.f,
		    w.n, w.kin, w.nkin);
		memcpy(more, w.f, sizeof w.f);
		for (n = w.n; n < 2 * w.n; n++)
			more[n] = w.f[sat_test_rand(&seed) % w.n];
		for (size_t x = n; x > 1; x--) {
			size_t y = sat_test_rand(&seed) % x;
			sat_fact t = more[x - 1];

			more[x - 1] = more[y];
			more[y] = t;
		}
		if (w.nkin > 1) {
			sat_kin t = w.kin[0];

			w.kin[0] = w.kin[w.nkin - 1];
			w.kin[w.nkin - 1] = t;
		}
		sat_judge(&k, &a, &rules, &visit, sat_span_str("p"), w.at, more,
		    n, w.kin, w.nkin);
		assert_string_equal(j.rule, k.rule);
		assert_true(sat_span_eq(j.owner, k.owner));
		assert_true(sat_span_eq(j.with, k.with));
		assert_string_equal(j.credit_rule, k.credit_rule);
		assert_memory_equal(j.inputs, k.inputs, 32);
		assert_int_equal(j.nfacts, k.nfacts);
	}
	sat_arena_fini(&a);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_counts_15_days_and_not_a_moment_longer),
		cmocka_unit_test(a_walk_in_counts_7_days_unless_followed_up),
		cmocka_unit_test(
		    what_is_over_is_not_brought_back_by_a_follow_up),
		cmocka_unit_test(
		    the_first_claim_counts_although_another_one_received_him_later),
		cmocka_unit_test(two_claims_of_one_moment_are_split),
		cmocka_unit_test(a_family_is_one_customer),
		cmocka_unit_test(
		    a_channel_has_the_credit_when_its_code_was_shown),
		cmocka_unit_test(a_natural_visitor_is_protected_for_72_hours),
		cmocka_unit_test(a_customer_somebody_has_is_not_a_channels),
		cmocka_unit_test(
		    of_two_channels_the_rule_of_the_company_chooses),
		cmocka_unit_test(what_is_of_others_or_later_changes_nothing),
		cmocka_unit_test(the_fast_answer_is_the_slow_one),
		cmocka_unit_test(order_and_repetition_change_nothing),
	};

	sat_crypto_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
