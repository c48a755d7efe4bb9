/* Of two states one alone has what surely does not come, the other one what may not
 * come: what the record shows (P-251). */
#include "tests/unit/server/store/sqlite/device.h"
#include "tests/unit/server/store/sqlite/loss.h"

/* What the one who gives let go, and what it says of the commits behind that. */
typedef enum let_go {
	ELSEWHERE,  /* about another customer */
	HERE,
	UNHEARD,    /* elsewhere; it was not told where the others stood */
	MOVED,      /* here; what comes behind stood before it (P-209) */
} let_go;

typedef struct shown {
	company c;
	states_of bobs, hqs; /* of the first server; of the second */
	sat_place at[2];
	sat_epoch e;
	sat_id id, other;
} shown;

static void
tag(device *d, const sat_id *id, const char *text)
{
	(void)device_edit(d, id, id, K_ACCOUNT, SAT_OP_SADD, A_TAGS, txt(text));
	visit(d, id);
}

/* hq does not bring the first so many of its commits. */
static void
forget_first(device *hq, size_t n)
{
	memmove(hq->out, hq->out + n, (hq->nout - n) * sizeof *hq->out);
	hq->nout -= n;
}

static void
hq_writes(shown *x, let_go what)
{
	visit(x->c.hq, &x->other);           /* 1 */
	if (what == HERE || what == MOVED)
		tag(x->c.hq, &x->id, "gone");    /* 2, 3 */
	if (what != MOVED)
		tag(x->c.hq, &x->id, "hq");
	device_sync(x->c.hq);
}

/* Two servers are lost, and bob with them. */
static void
lose_both(shown *x, let_go what)
{
	company *c = &x->c;
	uint64_t first;

	*x = (shown){ .c = company_new(sat_test_seed(33)) };
	x->id = device_account(c->bob, "watched", "bob");
	x->other = device_account(c->bob, "another", "bob");
	sync_all(c);
	take_backup(c);
	tag(c->bob, &x->id, "bob");
	sync_all(c);
	x->bobs = all_states(c->w);
	x->at[0] = (sat_place){ c->hq->cursor, c->bob->ord, 1, 3, 4 };
	x->e = lose(c, 1000000, SAT_SEED_HQ);
	take_backup(c);
	follow(c->hq, &x->e);
	hq_writes(x, what);
	x->hqs = all_states(c->w);
	x->at[1] = (sat_place){ c->hq->cursor, c->hq->ord, 1, 1,
		device_last(c->hq)->c.cseq };
	first = c->hq->out[0].lsn;
	c->w->now_ms += 1000;
	x->e = lose(c, 1000000, SAT_SEED_HQ);
	follow(c->hq, &x->e);
	forget_first(c->hq, what == HERE || what == MOVED ? 3 : 1);
	if (what == MOVED) {
		visit(c->hq, &x->other);
		device_go_on(c->hq);
		device_last(c->hq)->old = first;
	}
	for (size_t i = 0; what == UNHEARD && i < c->hq->nout; i++)
		c->hq->out[i].old = 0;
	c->places = x->at;
	c->nplaces = 2;
	device_sync(c->hq);
}

/* bob_first: which of the two states comes first. */
static void
give_both(shown *x, bool bob_first)
{
	for (int i = 0; i < 2; i++)
		(void)give_state(&x->c, x->c.hq, &x->e, state_in(
		    bob_first == (i == 0) ? &x->bobs : &x->hqs, &x->id));
	device_sync(x->c.hq);
	device_check(x->c.hq);
	world_verify(x->c.w);
}

static void
end(shown *x)
{
	free_states(&x->bobs);
	free_states(&x->hqs);
	company_free(&x->c);
}

static void
what_was_let_go_elsewhere_costs_no_record_what_may_not_come(void **state)
{ /* C3, P-251 */
	(void)state;
	for (int first = 0; first < 2; first++) {
		shown x;

		lose_both(&x, ELSEWHERE);
		give_both(&x, first == 1);
		assert_true(is_tagged(&x.c, &x.id, "bob"));
		assert_true(is_tagged(&x.c, &x.id, "hq"));
		assert_int_equal(2, visits_now(&x.c, &x.id));
		end(&x);
	}
}

/* A counter is of one of the two only (P-393); that of what surely does not come. */
static void
what_may_have_been_let_go_here_stays(void **state) /* C3, P-251, P-393 */
{
	static const let_go all[] = { HERE, UNHEARD, MOVED };

	(void)state;
	for (int i = 0; i < 6; i++) {
		let_go what = all[i / 2];
		bool bob_first = i % 2 == 1;
		shown x;

		lose_both(&x, what);
		give_both(&x, bob_first);
		assert_true(is_tagged(&x.c, &x.id, "bob"));
		assert_int_equal(what != MOVED, is_tagged(&x.c, &x.id, "hq"));
		assert_int_equal(what != UNHEARD, is_tagged(&x.c, &x.id,
		    "gone"));
		/* on top of bob's state hq's push shows that it came */
		assert_int_equal(visits_in(&x.hqs, &x.id) + (what == UNHEARD &&
		    bob_first), visits_now(&x.c, &x.id));
		end(&x);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    what_was_let_go_elsewhere_costs_no_record_what_may_not_come),
		cmocka_unit_test(what_may_have_been_let_go_here_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
