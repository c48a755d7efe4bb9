/* States that come back: which is taken, with what places. */
#include "tests/unit/server/store/sqlite/device.h"
#include "tests/unit/server/store/sqlite/loss.h"

static void
a_state_of_the_server_before_the_last_is_taken_too(void **state) /* E2 */
{
	company c = company_new(sat_test_seed(18));
	states_of first;
	sat_epoch e;
	sat_id id;

	(void)state;
	some_work(&c, 8);
	id = device_account(c.bob, "watched", "bob");
	sync_all(&c);
	take_backup(&c);
	visit(c.hq, &id); /* only hq's state will tell of it */
	sync_all(&c);
	first = all_states(c.w);
	e = lose(&c, 1000000, SAT_SEED_HQ);
	follow(c.bob, &e);
	device_sync(c.bob);
	visit(c.bob, &id);
	device_sync(c.bob); /* in the second backup */
	take_backup(&c);
	visit(c.bob, &id);
	device_sync(c.bob);
	e = lose(&c, 1000000, SAT_SEED_HQ);
	follow(c.bob, &e);
	follow(c.hq, &e); /* never met the second server */
	assert_int_equal(1, give_state(&c, c.hq, &e, state_in(&first,
	    &id)).taken);
	assert_int_equal(visits_in(&first, &id) + 1, visits_now(&c, &id));
	SYNC(c.bob, c.hq, c.bob);
	assert_int_equal(visits_in(&first, &id) + 2, visits_now(&c, &id));
	CHECK(c.hq, c.bob);
	world_verify(c.w);
	free_states(&first);
	company_free(&c);
}

/* Two servers lost, and the author with them. The first had a commit of his that
 * the second refused; it was about something else, but a place does not tell. */
static void
of_two_states_the_one_that_shows_more_of_who_is_gone_is_taken(void **state)
{ /* C3, P-251 */
	(void)state;
	for (int first = 0; first < 2; first++) {
		company c = company_new(sat_test_seed(21));
		states_of one, two;
		sat_place at[2];
		sat_epoch e;
		sat_id id;

		id = device_account(c.bob, "watched", "bob");
		sync_all(&c);
		take_backup(&c);
		(void)device_account(c.bob, "another", "bob");
		(void)device_edit(c.bob, &id, &id, K_ACCOUNT, SAT_OP_SADD,
		    A_TAGS, txt("early"));
		sync_all(&c);
		one = all_states(c.w);
		at[0] = (sat_place){ c.hq->cursor, c.bob->ord, 1, 2, 3 };
		e = lose(&c, 1000000, SAT_SEED_HQ);
		take_backup(&c);
		follow(c.bob, &e);
		follow(c.hq, &e);
		(void)device_edit(c.bob, &id, &id, K_ACCOUNT, SAT_OP_SADD,
		    A_TAGS, txt("late"));
		c.w->now_ms += 1000;
		device_sync(c.bob);
		device_sync(c.hq);
		two = all_states(c.w);
		/* but for the other customer: he was refused there */
		at[1] = (sat_place){ c.hq->cursor, c.bob->ord, 1, 3, 4 };
		c.w->now_ms += 1000;
		e = lose(&c, 1000000, SAT_SEED_HQ);
		follow(c.hq, &e);
		c.places = at;
		c.nplaces = 2;
		(void)give_state(&c, c.hq, &e, state_in(first == 0 ? &one :
		    &two, &id));
		(void)give_state(&c, c.hq, &e, state_in(first == 0 ? &two :
		    &one, &id));
		assert_true(is_tagged(&c, &id, "early"));
		assert_true(is_tagged(&c, &id, "late"));
		world_verify(c.w);
		free_states(&one);
		free_states(&two);
		company_free(&c);
	}
}

/* Whoever gives states says how long the runs of commits in them are: one that
 * never ends is no work without end. */
static void
a_place_of_more_commits_than_there_ever_were_is_compared_at_once(void **state)
{ /* P-251 */
	company c = company_new(sat_test_seed(29));
	states_of one, two;
	sat_place at[2];
	sat_epoch e;
	sat_id id;

	(void)state;
	id = device_account(c.bob, "watched", "bob");
	sync_all(&c);
	take_backup(&c);
	(void)device_edit(c.bob, &id, &id, K_ACCOUNT, SAT_OP_SADD, A_TAGS,
	    txt("early"));
	sync_all(&c);
	one = all_states(c.w);
	at[0] = (sat_place){ c.hq->cursor, c.bob->ord, 1, 2, INT64_MAX };
	e = lose(&c, 1000000, SAT_SEED_HQ);
	take_backup(&c);
	follow(c.bob, &e);
	follow(c.hq, &e);
	(void)device_edit(c.bob, &id, &id, K_ACCOUNT, SAT_OP_SADD, A_TAGS,
	    txt("late"));
	c.w->now_ms += 1000;
	device_sync(c.bob);
	device_sync(c.hq);
	two = all_states(c.w);
	at[1] = (sat_place){ c.hq->cursor, c.bob->ord, 1, 2, INT64_MAX };
	c.w->now_ms += 1000;
	e = lose(&c, 1000000, SAT_SEED_HQ);
	follow(c.hq, &e);
	c.places = at;
	c.nplaces = 2;
	assert_int_equal(1, give_state(&c, c.hq, &e, state_in(&one, &id)).taken);
	(void)give_state(&c, c.hq, &e, state_in(&two, &id));
	world_verify(c.w);
	free_states(&one);
	free_states(&two);
	company_free(&c);
}

static bool
is_named(company *c, const sat_id *id, const char *name)
{
	states_of s = all_states(c->w);
	sat_arena a = { 0 };
	sat_record r;
	bool yes;
	sat_err err = { 0 };

	assert_ok(sat_record_read(&r, &a, sat_buf_span(
	    &state_in(&s, id)->bytes), &err));
	yes = sat_value_eq(sat_record_value(&r, A_NAME), txt(name));
	sat_arena_fini(&a);
	free_states(&s);
	return yes;
}

/* Each of the two servers had a commit of his that the other one refused. */
static void
of_two_states_that_both_show_who_is_gone_neither_is_given_up(void **state)
{ /* C3, P-393 */
	(void)state;
	for (int first = 0; first < 2; first++) {
		company c = company_new(sat_test_seed(24));
		states_of one, two;
		sat_place at[2];
		sat_seeded out;
		sat_epoch e;
		sat_id id;

		id = device_account(c.bob, "watched", "bob");
		sync_all(&c);
		take_backup(&c);
		(void)device_edit(c.bob, &id, &id, K_ACCOUNT, SAT_OP_SADD,
		    A_TAGS, txt("early"));
		(void)device_edit(c.bob, &id, &id, K_ACCOUNT, SAT_OP_MVSET,
		    A_NAME, txt("Early"));
		sync_all(&c);
		one = all_states(c.w);
		at[0] = (sat_place){ c.hq->cursor, c.bob->ord, 1, 1, 3 };
		e = lose(&c, 1000000, SAT_SEED_HQ);
		take_backup(&c);
		follow(c.bob, &e);
		follow(c.hq, &e);
		/* 2 and 3 stay in his quarantine */
		c.bob->nout = 1;
		(void)device_edit(c.bob, &id, &id, K_ACCOUNT, SAT_OP_SADD,
		    A_TAGS, txt("late"));
		device_last(c.bob)->c.cseq = 4;
		sat_commit_seal(&device_last(c.bob)->c, c.bob->head);
		c.w->now_ms += 1000;
		device_sync(c.bob);
		assert_int_equal(SAT_VD_OK, device_last(c.bob)->code);
		device_sync(c.hq);
		two = all_states(c.w);
		at[1] = (sat_place){ c.hq->cursor, c.bob->ord, 1, 4, 4 };
		c.w->now_ms += 1000;
		e = lose(&c, 1000000, SAT_SEED_HQ);
		follow(c.hq, &e);
		c.places = at;
		c.nplaces = 2;
		for (int again = 0; again < 4; again++) {
			out = give_state(&c, c.hq, &e, state_in(
			    (first + again) % 2 == 0 ? &one : &two, &id));
			assert_int_equal(again < 2, out.taken);
		}
		assert_true(is_tagged(&c, &id, "early"));
		assert_true(is_tagged(&c, &id, "late"));
		assert_true(is_named(&c, &id, "Early"));
		device_sync(c.hq);
		device_check(c.hq);
		world_verify(c.w);
		free_states(&one);
		free_states(&two);
		company_free(&c);
	}
}

/* Two servers are lost one after the other, each with what the other one never saw. */
typedef struct lost_twice {
	states_of one, two; /* with hq's tag; with bob's */
	sat_place at[2];
	sat_epoch first;    /* after the first of them */
	sat_id id;
} lost_twice;

/* The second one is still there. again: what bob adds besides; NULL = nothing. */
static void
lose_one(lost_twice *x, company *c, const char *again)
{
	uint64_t edits = again != NULL ? 2 : 1;

	x->id = device_account(c->bob, "watched", "bob");
	sync_all(c);
	take_backup(c);
	(void)device_edit(c->hq, &x->id, &x->id, K_ACCOUNT, SAT_OP_SADD, A_TAGS,
	    txt("hq"));
	device_sync(c->hq);
	x->one = all_states(c->w);
	x->at[0] = (sat_place){ c->hq->cursor, c->hq->ord, 1, 1, 1 };
	x->first = lose(c, 1000000, SAT_SEED_HQ);
	take_backup(c);
	follow(c->bob, &x->first);
	(void)device_edit(c->bob, &x->id, &x->id, K_ACCOUNT, SAT_OP_SADD,
	    A_TAGS, txt("bob"));
	if (again != NULL)
		(void)device_edit(c->bob, &x->id, &x->id, K_ACCOUNT,
		    SAT_OP_SADD, A_TAGS, txt(again));
	device_sync(c->bob);
	x->two = all_states(c->w);
	x->at[1] = (sat_place){ c->bob->cursor, c->bob->ord, 1, 2, 1 + edits };
	c->places = x->at;
	c->nplaces = 2;
}

static void
lost_end(lost_twice *x, company *c)
{
	world_verify(c->w);
	free_states(&x->one);
	free_states(&x->two);
	company_free(c);
}

/* A backup had his commit, so he let it go, and nobody can read that backup now: it
 * is in one state alone, though he is back. */
static void
what_its_author_let_go_is_not_given_up_for_another_state(void **state)
{ /* C3, P-203, P-251 */
	(void)state;
	for (int first = 0; first < 2; first++) {
		company c = company_new(sat_test_seed(22));
		lost_twice x;
		sat_epoch e;

		lose_one(&x, &c, "again");
		e = lose(&c, 1000000, SAT_SEED_HQ);
		memmove(&c.bob->out[1], &c.bob->out[2], sizeof *c.bob->out);
		c.bob->nout--;
		follow(c.bob, &e);
		follow(c.hq, &x.first);
		follow(c.hq, &e);
		(void)give_state(&c, c.hq, &e, state_in(first == 0 ? &x.one :
		    &x.two, &x.id));
		device_sync(c.bob);
		(void)give_state(&c, c.hq, &e, state_in(first == 0 ? &x.two :
		    &x.one, &x.id));
		sync_all(&c);
		assert_true(is_tagged(&c, &x.id, "hq"));
		assert_true(is_tagged(&c, &x.id, "bob"));
		assert_true(is_tagged(&c, &x.id, "again"));
		lost_end(&x, &c);
	}
}

/* What its giver let go will not come; what an author wrote who is not back yet may. */
static void
what_its_giver_let_go_counts_more_than_what_may_still_come(void **state)
{ /* C3, P-206 */
	company c = company_new(sat_test_seed(24));
	lost_twice x;
	sat_epoch e;

	(void)state;
	lose_one(&x, &c, NULL);
	c.w->now_ms += 1000;
	e = lose(&c, 1000000, SAT_SEED_HQ);
	follow(c.hq, &x.first);
	follow(c.hq, &e);
	c.hq->nout = 0; /* a backup nobody can read had it */
	c.gone = (sat_chain_known){ c.hq->ord, 1 };
	(void)give_state(&c, c.hq, &e, state_in(&x.two, &x.id));
	assert_true(is_tagged(&c, &x.id, "bob"));
	(void)give_state(&c, c.hq, &e, state_in(&x.one, &x.id));
	assert_true(is_tagged(&c, &x.id, "hq"));
	follow(c.bob, &e);
	sync_all(&c);
	assert_true(is_tagged(&c, &x.id, "hq"));
	assert_true(is_tagged(&c, &x.id, "bob"));
	lost_end(&x, &c);
}

/* Its link broke behind the states: before it pushes, and so shows the gap in its
 * chain, another one gives his; and the server starts anew between the two. */
static void
what_a_giver_let_go_is_known_before_it_pushes(void **state) /* C3, P-206 */
{
	company c = company_new(sat_test_seed(28));
	lost_twice x;
	sat_epoch e;

	(void)state;
	lose_one(&x, &c, NULL);
	c.w->now_ms += 1000;
	e = lose(&c, 1000000, SAT_SEED_HQ | SAT_SEED_REP);
	c.hq->nout = 0; /* a backup nobody can read had it */
	follow(c.hq, &x.first);
	follow(c.hq, &e);
	follow(c.bob, &e);
	c.gone = (sat_chain_known){ c.hq->ord, 1 };
	assert_int_equal(1, give_state(&c, c.hq, &e, state_in(&x.one,
	    &x.id)).taken);
	c.gone = (sat_chain_known){ 0 };
	world_stop(c.w);
	world_start(c.w);
	assert_int_equal(0, give_state(&c, c.bob, &e, state_in(&x.two,
	    &x.id)).taken);
	sync_all(&c);
	assert_true(is_tagged(&c, &x.id, "hq"));
	assert_true(is_tagged(&c, &x.id, "bob"));
	lost_end(&x, &c);
}

static void
forget(device *d, size_t from, size_t n)
{
	memmove(&d->out[from], &d->out[from + n], (d->nout - from - n) *
	    sizeof *d->out);
	d->nout -= n;
}

/* Each of two servers had a commit that the other one never saw, and its author let
 * it go. All are back; so what the two states show says which of them is given up,
 * or (`both` show some of it) that neither is. */
static void
of_two_states_the_one_that_shows_what_was_let_go_is_taken(void **state)
{ /* C3, P-251, P-393 */
	(void)state;
	for (int round = 0; round < 4; round++) {
		bool both = round >= 2;
		company c = company_new(sat_test_seed(27));
		states_of one, two;
		sat_place at[3];
		sat_epoch e, before;
		sat_id id, other;

		id = device_account(c.bob, "watched", "bob");
		other = device_account(c.bob, "another", "bob");
		sync_all(&c);
		take_backup(&c);
		(void)device_edit(c.hq, both ? &id : &other, both ? &id :
		    &other, K_ACCOUNT, SAT_OP_SADD, A_TAGS, txt("hq"));
		(void)device_edit(c.bob, &id, &id, K_ACCOUNT, SAT_OP_SADD,
		    A_TAGS, txt("bob"));
		sync_all(&c);
		one = all_states(c.w);
		at[0] = (sat_place){ c.hq->cursor, c.hq->ord, 1, 1, 1 };
		at[1] = (sat_place){ c.hq->cursor, c.bob->ord, 1, 3, 3 };
		before = lose(&c, 1000000, SAT_SEED_HQ);
		take_backup(&c);
		follow(c.bob, &before);
		(void)device_edit(c.bob, &id, &id, K_ACCOUNT, SAT_OP_SADD,
		    A_TAGS, txt("late"));
		visit(c.bob, &id);
		device_sync(c.bob);
		two = all_states(c.w);
		at[2] = (sat_place){ c.bob->cursor, c.bob->ord, 1, 3, 5 };
		c.w->now_ms += 1000;
		e = lose(&c, 1000000, SAT_SEED_HQ);
		/* a backup nobody can read had all of it */
		visit(c.bob, &other);
		forget(c.bob, 2, 3);
		visit(c.hq, &other);
		forget(c.hq, 0, 1);
		follow(c.bob, &e);
		follow(c.hq, &before);
		follow(c.hq, &e);
		device_sync(c.bob);
		device_sync(c.hq);
		c.places = at;
		c.nplaces = 3;
		for (int again = 0; again < 4; again++) {
			const states_of *s = (round + again) % 2 == 0 ? &one :
			    &two;
			sat_seeded out = give_state(&c, c.hq, &e, state_in(s,
			    &id));

			/* the other way round there is nothing to take */
			assert_int_equal(again == 0 || (again == 1 && (both ||
			    s == &two)), out.taken);
		}
		assert_true(is_tagged(&c, &id, "bob"));
		assert_true(is_tagged(&c, &id, "late"));
		if (both)
			assert_true(is_tagged(&c, &id, "hq"));
		else
			assert_int_equal(1, visits_now(&c, &id));
		sync_all(&c);
		CHECK(c.hq, c.bob);
		world_verify(c.w);
		free_states(&one);
		free_states(&two);
		company_free(&c);
	}
}

static void
states_are_sent_with_the_places_of_what_was_accepted(void **state) /* C2, P-250 */
{
	company c = company_new(sat_test_seed(19));
	sat_arena a = { 0 };
	uint64_t refused, after;
	sat_place *p;
	sat_id id;
	size_t n;

	(void)state;
	id = device_account(c.bob, "bob's", "bob");
	sync_all(&c);
	visit(c.ann, &id); /* not hers */
	refused = c.ann->out[c.ann->nout - 1].c.cseq;
	(void)device_account(c.ann, "hers", "ann");
	after = c.ann->out[c.ann->nout - 1].c.cseq;
	device_sync(c.ann);
	p = told_with_states(&n, &c, &a);
	assert_true(has_place(p, n, c.bob->ord, 1));
	assert_true(has_place(p, n, c.ann->ord, after));
	assert_false(has_place(p, n, c.ann->ord, refused));
	sat_arena_fini(&a);
	company_free(&c);
}

/* Who got a state that was given back may have to give it back again: until a
 * backup holds it, its places of the lost order go out too. */
static void
places_of_a_lost_order_go_out_until_a_backup_holds_them(void **state) /* P-253 */
{
	company c = company_new(sat_test_seed(25));
	sat_arena a = { 0 };
	states_of want;
	uint64_t lsn, cseq;
	sat_place *p, at;
	sat_epoch e;
	sat_err err = { 0 };
	sat_id id;
	size_t n;

	(void)state;
	some_work(&c, 8);
	id = device_account(c.bob, "watched", "bob");
	sync_all(&c);
	take_backup(&c);
	visit(c.bob, &id);
	sync_all(&c); /* only states of hq tell of it */
	want = all_states(c.w);
	cseq = c.bob->out[c.bob->nout - 1].c.cseq;
	at = (sat_place){ c.hq->cursor, c.bob->ord, 1, cseq, cseq };
	c.w->chunk_bytes = 300; /* the last chunk would say all (P-324) */
	e = lose(&c, 1000000, SAT_SEED_HQ);
	follow(c.hq, &e);
	p = told_with_states(&n, &c, &a);
	assert_false(has_place(p, n, c.bob->ord, cseq));
	c.places = &at;
	c.nplaces = 1;
	assert_int_equal(1, give_state(&c, c.hq, &e, state_in(&want,
	    &id)).taken);
	p = told_with_states(&n, &c, &a);
	assert_true(has_place(p, n, c.bob->ord, cseq));
	lsn = world_head(c.w);
	/* one that does not reach it changes nothing */
	assert_ok(sat_sqlite_mark_durable(c.w->store, e.first_lsn - 1, &err));
	p = told_with_states(&n, &c, &a);
	assert_true(has_place(p, n, c.bob->ord, cseq));
	assert_ok(sat_sqlite_mark_durable(c.w->store, lsn + 1, &err));
	p = told_with_states(&n, &c, &a);
	assert_false(has_place(p, n, c.bob->ord, cseq));
	sat_arena_fini(&a);
	free_states(&want);
	company_free(&c);
}

/* What a role was not shown is not in the state it has. */
static void
a_state_that_is_not_whole_is_never_taken_back(void **state) /* P-245 */
{
	company c = company_new(sat_test_seed(26));
	sat_arena a = { 0 };
	states_of want, is;
	sat_epoch e;
	sat_err err = { 0 };
	sat_record r;
	sat_seeded got;
	sat_cell *cells;
	sat_id id;

	(void)state;
	some_work(&c, 8);
	sync_all(&c);
	take_backup(&c);
	id = device_account(c.bob, "watched", "bob");
	sync_all(&c);
	want = all_states(c.w);
	e = lose(&c, 1000000, SAT_SEED_HQ);
	follow(c.hq, &e);
	assert_ok(sat_record_read(&r, &a, sat_buf_span(&state_in(&want,
	    &id)->bytes), &err));
	cells = sat_arena_alloc(&a, (r.ncells + 1) * sizeof *cells);
	memcpy(cells, r.cells, r.ncells * sizeof *cells);
	cells[r.ncells] = (sat_cell){ .field = SAT_SYS_MASKED,
		.value = sat_v_int(1), .at = cells[0].at };
	r.cells = cells;
	r.ncells++;
	got = give(&c, c.hq, e.epoch, &r, 1, SAT_OK);
	assert_int_equal(0, got.taken);
	assert_int_equal(1, got.refused);
	is = all_states(c.w);
	for (size_t i = 0; i < is.n; i++)
		assert_false(sat_id_eq(&is.v[i].id, &id));
	/* the whole one is */
	r.ncells--;
	assert_int_equal(1, give(&c, c.hq, e.epoch, &r, 1, SAT_OK).taken);
	sat_arena_fini(&a);
	free_states(&want);
	free_states(&is);
	company_free(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_state_of_the_server_before_the_last_is_taken_too),
		cmocka_unit_test(
		    of_two_states_the_one_that_shows_more_of_who_is_gone_is_taken),
		cmocka_unit_test(
		    of_two_states_that_both_show_who_is_gone_neither_is_given_up),
		cmocka_unit_test(
		    what_its_author_let_go_is_not_given_up_for_another_state),
		cmocka_unit_test(
		    what_its_giver_let_go_counts_more_than_what_may_still_come),
		cmocka_unit_test(
		    a_place_of_more_commits_than_there_ever_were_is_compared_at_once),
		cmocka_unit_test(what_a_giver_let_go_is_known_before_it_pushes),
		cmocka_unit_test(
		    of_two_states_the_one_that_shows_what_was_let_go_is_taken),
		cmocka_unit_test(
		    states_are_sent_with_the_places_of_what_was_accepted),
		cmocka_unit_test(
		    places_of_a_lost_order_go_out_until_a_backup_holds_them),
		cmocka_unit_test(a_state_that_is_not_whole_is_never_taken_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
