/*
 * What is written to a merged customer goes on to the winner; the server is lost,
 * the winner comes back as a state that holds it, and then the commit comes.
 */
#include "tests/unit/server/store/sqlite/crew.h"
#include "tests/unit/server/store/sqlite/loss.h"

/* Ann's commit went from her customer to the winner of headquarters; of both
 * the winner's state alone is given back, and he is merged into a third. */
typedef struct went_on {
	company c;
	sat_id loser, winner, third;
	uint64_t cseq;
} went_on;

static void
lead_and_lose(went_on *x, uint64_t seed, void (*write)(went_on *))
{
	states_of were;
	sat_epoch e;
	company *c;

	x->c = company_new(sat_test_seed(seed));
	c = &x->c;
	x->loser = device_account(c->hq, "Okapi", "ann");
	x->winner = device_account(c->hq, "Gnu", "ann");
	x->third = device_account(c->hq, "Zebu", "ann");
	sync_all(c);
	(void)merge(c->hq, x->loser, x->winner);
	sync_all(c);
	take_backup(c);
	write(x);
	x->cseq = device_last(c->ann)->c.cseq;
	sync_all(c);
	were = all_states(c->w);
	e = lose(c, 1000000, SAT_SEED_HQ);
	follow(c->hq, &e);
	assert_int_equal(1, give_state(c, c->hq, &e, state_in(&were,
	    &x->winner)).taken);
	(void)merge(c->hq, x->winner, x->third);
	device_sync(c->hq);
	follow(c->ann, &e);
	follow(c->bob, &e);
	free_states(&were);
}

static void
end(went_on *x)
{
	sync_all(&x->c);
	CHECK(x->c.ann, x->c.hq);
	world_verify(x->c.w);
	company_free(&x->c);
}

static void
one_visit(went_on *x)
{
	visit(x->c.ann, &x->loser);
}

static void
what_a_winner_came_back_with_counts_once(void **state) /* E1, P-171, P-205 */
{
	went_on x;

	(void)state;
	lead_and_lose(&x, 51, one_visit);
	assert_int_equal(0, visits_now(&x.c, &x.loser));
	assert_int_equal(1, visits_now(&x.c, &x.winner));
	SYNC(x.c.ann);
	assert_int_equal(1, visits_now(&x.c, &x.loser));
	assert_int_equal(1, visits_now(&x.c, &x.winner));
	assert_int_equal(1, visits_now(&x.c, &x.third));
	end(&x);
}

/* 720 KB: twice it fits a batch, three times it does not. */
static void
much_text(went_on *x)
{
	enum { N = 45, BYTES = 16000 };
	static char text[BYTES + 1];
	sat_op ops[N];

	for (size_t k = 0; k < BYTES; k += 4)
		memcpy(text + k, "\xf0\xa0\x80\x80", 4);
	for (size_t i = 0; i < N; i++)
		ops[i] = op_set(&x->loser, K_ACCOUNT, SAT_OP_SET, A_REMARK,
		    txt(text));
	(void)device_commit(x->c.ann, &x->loser, ops, N);
}

static void
what_a_winner_came_back_with_takes_no_room_again(void **state) /* P-171 */
{
	went_on x;

	(void)state;
	lead_and_lose(&x, 52, much_text);
	SYNC(x.c.ann);
	assert_string_equal("", device_last(x.c.ann)->slug);
	assert_int_equal(x.cseq, device_last(x.c.ann)->c.cseq);
	end(&x);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_winner_came_back_with_counts_once),
		cmocka_unit_test(
		    what_a_winner_came_back_with_takes_no_room_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
