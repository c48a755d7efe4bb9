/* A server that lost its disk: what devices bring back counts once. */
#include "tests/unit/server/store/sqlite/device.h"
#include "tests/unit/server/store/sqlite/loss.h"

static void
nothing_counts_twice_in_whatever_order_it_comes_back(void **state)
{ /* E1, P-205 */
	uint64_t seed = sat_test_seed(7);

	(void)state;
	for (int round = 0; round < 12; round++) {
		company c = company_new(seed + (uint64_t)round);
		device *back[3] = { c.ann, c.bob, c.hq };
		bool gave[64] = { 0 };
		states_of want;
		sat_epoch e;

		some_work(&c, 12);
		take_backup(&c);
		some_work(&c, 30);
		want = all_states(c.w);
		assert_true(want.n <= 64);
		e = lose(&c, 1000000, SAT_SEED_HQ);
		for (int i = 0; i < 3; i++)
			follow(back[i], &e);
		/* pushes and states in any order; bob's laptop died */
		for (int i = 0; i < 60; i++) {
			uint64_t x = sat_test_rand(&c.w->rand);

			if (x % 5 == 0)
				device_sync(x % 2 == 0 ? c.ann : c.hq);
			else if (!gave[(x >> 8) % want.n]) {
				gave[(x >> 8) % want.n] = true;
				(void)give_state(&c, c.hq, &e,
				    &want.v[(x >> 8) % want.n]);
			}
		}
		for (size_t i = 0; i < want.n; i++)
			(void)give_state(&c, c.hq, &e, &want.v[i]);
		SYNC(c.ann, c.hq, c.ann);
		same_values(c.w, &want);
		CHECK(c.hq, c.ann);
		world_verify(c.w);
		free_states(&want);
		company_free(&c);
	}
}

/* The author never heard that it was accepted: he knows no position of it. */
static void
forget_the_verdict(device *d)
{
	own *o = &d->out[d->nout - 1];

	o->state = 0;
	o->lsn = o->eff = 0;
}

static void
what_its_author_never_heard_of_counts_once(void **state) /* C1, P-252 */
{
	(void)state;
	for (int first = 0; first < 3; first++) {
		company c = company_new(sat_test_seed(17));
		states_of want;
		sat_epoch e;
		sat_id id;
		sat_place at;

		some_work(&c, 8);
		id = device_account(c.ann, "watched", "ann");
		sync_all(&c);
		take_backup(&c);
		visit(c.ann, &id);
		device_sync(c.ann);
		visit(c.hq, &id);
		sync_all(&c); /* hq has both */
		want = all_states(c.w);
		at = (sat_place){ c.hq->cursor, c.ann->ord, 1,
			c.ann->out[c.ann->nout - 1].c.cseq,
			c.ann->out[c.ann->nout - 1].c.cseq };
		forget_the_verdict(c.ann);
		e = lose(&c, 1000000, SAT_SEED_HQ);
		follow(c.ann, &e);
		follow(c.hq, &e);
		/* 2: nobody saw it accepted before this state was read */
		c.places = &at;
		c.nplaces = first != 2;
		if (first == 1)
			device_sync(c.ann);
		(void)give_state(&c, c.hq, &e, state_in(&want, &id));
		SYNC(c.ann, c.hq, c.ann);
		assert_int_equal(visits_in(&want, &id) + (first == 2),
		    visits_now(&c, &id));
		CHECK(c.ann, c.hq);
		world_verify(c.w);
		free_states(&want);
		company_free(&c);
	}
}

static void
what_comes_back_merged_stands_below_its_winner(void **state) /* P-254 */
{
	(void)state;
	for (int round = 0; round < 4; round++) {
		company c = company_new(sat_test_seed(23));
		states_of want;
		sat_epoch e;
		sat_id a, b;

		if (round >= 2)
			take_backup(&c);
		a = device_account(c.ann, "Winner", "ann");
		b = device_account(c.bob, "Loser", "bob");
		sync_all(&c);
		if (round < 2)
			take_backup(&c);
		(void)device_edit(c.hq, &a, &b, K_ACCOUNT, SAT_OP_MERGE,
		    SAT_SYS_REDIRECT, sat_v_bytes(sat_span_of(a.b,
		    sizeof a.b)));
		visit(c.hq, &a);
		sync_all(&c);
		want = all_states(c.w);
		e = lose(&c, 1000000, SAT_SEED_HQ);
		/* hq gives back alone, the winner first or last */
		(void)give_state(&c, c.hq, &e, state_in(&want,
		    round % 2 == 0 ? &a : &b));
		(void)give_state(&c, c.hq, &e, state_in(&want,
		    round % 2 == 0 ? &b : &a));
		follow(c.ann, &e);
		follow(c.bob, &e);
		follow(c.hq, &e);
		device_sync(c.ann);
		sync_all(&c);
		assert_non_null(device_find(c.ann, &b, 0));
		CHECK(c.ann, c.bob, c.hq);
		world_verify(c.w);
		free_states(&want);
		company_free(&c);
	}
}

static void
two_merges_that_come_back_from_two_servers_make_no_circle(void **state) /* M1 */
{
	company c = company_new(sat_test_seed(24));
	states_of want;
	sat_epoch e;
	sat_id a, b;

	(void)state;
	a = device_account(c.ann, "One", "ann");
	b = device_account(c.bob, "Other", "bob");
	sync_all(&c);
	take_backup(&c);
	(void)device_edit(c.hq, &a, &b, K_ACCOUNT, SAT_OP_MERGE,
	    SAT_SYS_REDIRECT, sat_v_bytes(sat_span_of(a.b, sizeof a.b)));
	sync_all(&c);
	want = all_states(c.w);
	visit(c.hq, &a);
	device_sync(c.hq);
	e = lose(&c, 1000000, SAT_SEED_HQ);
	/* nobody brings the commit */
	c.hq->out[c.hq->nout - 2] = c.hq->out[c.hq->nout - 1];
	c.hq->nout--;
	follow(c.hq, &e);
	device_sync(c.hq);
	(void)device_edit(c.hq, &b, &a, K_ACCOUNT, SAT_OP_MERGE,
	    SAT_SYS_REDIRECT, sat_v_bytes(sat_span_of(b.b, sizeof b.b)));
	device_sync(c.hq);
	assert_int_equal(1, give_state(&c, c.hq, &e, state_in(&want,
	    &b)).taken);
	follow(c.ann, &e);
	follow(c.bob, &e);
	sync_all(&c);
	CHECK(c.ann, c.hq);
	world_verify(c.w);
	free_states(&want);
	company_free(&c);
}

static void
without_any_state_the_authors_bring_all_back(void **state)
{
	company c = company_new(sat_test_seed(8));
	states_of want;
	sat_epoch e;

	(void)state;
	some_work(&c, 10);
	take_backup(&c);
	/* each on his own, so that nothing waits for another's push */
	for (int i = 0; i < 6; i++) {
		(void)device_edit(c.ann, &c.acc[0], &c.acc[0], K_ACCOUNT,
		    SAT_OP_ADD, A_VISITS, sat_v_int(1));
		(void)device_edit(c.bob, &c.acc[1], &c.acc[1], K_ACCOUNT,
		    SAT_OP_SET, A_REMARK, txt("later"));
		c.w->now_ms += 1000;
	}
	c.acc[c.nacc++] = device_account(c.ann, "after the backup", "ann");
	sync_all(&c);
	want = all_states(c.w);
	e = lose(&c, 1000000, SAT_SEED_HQ);
	follow(c.ann, &e);
	follow(c.bob, &e);
	follow(c.hq, &e);
	sync_all(&c);
	same_values(c.w, &want);
	device_check(c.hq);
	world_verify(c.w);
	free_states(&want);
	company_free(&c);
}

static void
write_stamp(sat_buf *b, sat_stamp at)
{
	sat_write_be64(b, at.hlc);
	sat_write_uint(b, at.dev);
	sat_write_uint(b, at.lsn);
}

/* P-010: a cell's, a birth's, a candidate's. Held by anybody it would end his
 * writing, taken by the server it would end the clamp. */
static void
refuses_stamps_nobody_can_count_on_from(company *c, uint64_t epoch, sat_record *r)
{
	const sat_hlc far = (sat_hlc)INT64_MAX - 1;
	sat_hlc was = r->cells[0].at.hlc;
	sat_stamp born = r->born;
	sat_buf b = { 0 };
	sat_cell *name = NULL;

	r->cells[0].at.hlc = far;
	assert_int_equal(1, give(c, c->hq, epoch, r, 1, SAT_OK).refused);
	r->cells[0].at.hlc = was;
	r->born.hlc = far;
	assert_int_equal(1, give(c, c->hq, epoch, r, 1, SAT_OK).refused);
	r->born = born;
	for (size_t i = 0; i < r->ncells; i++)
		if (r->cells[i].field == A_NAME)
			name = &r->cells[i];
	assert_non_null(name);
	sat_write_uint(&b, 1); /* a conflict, opened at 1: two names */
	sat_write_uint(&b, 2);
	sat_value_write(&b, name->value);
	write_stamp(&b, name->at);
	sat_value_write(&b, sat_v_text(sat_span_str("other")));
	write_stamp(&b, (sat_stamp){ far, 3, 1 });
	name->ext = sat_buf_span(&b);
	assert_int_equal(1, give(c, c->hq, epoch, r, 1, SAT_OK).refused);
	name->ext = (sat_span){ NULL, 0 };
	sat_buf_fini(&b);
}

static void
only_lost_positions_are_taken_from_the_right_people_in_time(void **state)
{ /* E2, P-207 */
	company c = company_new(sat_test_seed(9));
	sat_arena a = { 0 };
	states_of old, lost;
	sat_seeded s;
	sat_record r;
	sat_epoch e;
	sat_err err = { 0 };

	(void)state;
	some_work(&c, 8);
	old = all_states(c.w);
	take_backup(&c);
	(void)device_edit(c.hq, &c.acc[0], &c.acc[0], K_ACCOUNT, SAT_OP_SET,
	    A_REMARK, txt("lost"));
	sync_all(&c);
	lost = all_states(c.w);
	e = lose(&c, 5000, SAT_SEED_HQ);
	follow(c.ann, &e);
	follow(c.hq, &e);
	/* a state the backup has; one from the future; another epoch's */
	s = give_state(&c, c.hq, &e, &old.v[0]);
	assert_int_equal(1, s.refused);
	for (size_t i = 0; i < lost.n; i++)
		if (sat_id_eq(&lost.v[i].id, &c.acc[0])) {
			assert_ok(sat_record_read(&r, &a,
			    sat_buf_span(&lost.v[i].bytes), &err));
			break;
		}
	r.rlsn = e.first_lsn;
	s = give(&c, c.hq, e.epoch, &r, 1, SAT_OK);
	assert_int_equal(1, s.refused);
	r.rlsn = e.first_lsn - 2;
	r.cells[0].at.lsn = e.first_lsn + 3;
	s = give(&c, c.hq, e.epoch, &r, 1, SAT_OK);
	assert_int_equal(1, s.refused);
	r.cells[0].at.lsn = 1;
	refuses_stamps_nobody_can_count_on_from(&c, e.epoch, &r);
	(void)give(&c, c.hq, e.epoch + 1, &r, 1, SAT_ECONFLICT);
	/* not of this role, not after the end */
	s = give(&c, c.ann, e.epoch, &r, 1, SAT_OK);
	assert_true(s.closed);
	assert_int_equal(0, s.taken);
	c.w->now_ms += 6000;
	s = give(&c, c.hq, e.epoch, &r, 1, SAT_OK);
	assert_true(s.closed);
	c.w->now_ms -= 6000;
	s = give(&c, c.hq, e.epoch, &r, 1, SAT_OK);
	assert_int_equal(1, s.taken);
	s = give(&c, c.hq, e.epoch, &r, 1, SAT_OK);
	assert_int_equal(1, s.known); /* asked again */
	world_verify(c.w);
	free_states(&old);
	free_states(&lost);
	sat_arena_fini(&a);
	company_free(&c);
}

static bool
on_gap(void *u, uint64_t first, uint64_t last, sat_gap why)
{
	uint64_t *g = u;

	g[0] = first;
	g[1] = last;
	g[2] = why;
	return true;
}

static void
a_chain_goes_on_behind_commits_nobody_has(void **state) /* P-203 */
{
	company c = company_new(sat_test_seed(10));
	uint64_t g[3] = { 0 };
	sat_epoch e;
	sat_arena a = { 0 };
	sat_place *p;
	sat_store st;
	sat_err err = { 0 };
	size_t gone, n;

	(void)state;
	some_work(&c, 8);
	take_backup(&c);
	for (int i = 0; i < 4; i++)
		(void)device_edit(c.hq, &c.acc[0], &c.acc[0], K_ACCOUNT,
		    SAT_OP_SET, A_REMARK, txt("x"));
	sync_all(&c);
	/* a newer backup had two of them, so they left the outbox */
	gone = c.hq->nout - 4;
	e = lose(&c, 1000000, SAT_SEED_HQ);
	memmove(&c.hq->out[gone], &c.hq->out[gone + 2],
	    2 * sizeof *c.hq->out);
	c.hq->nout -= 2;
	follow(c.hq, &e);
	device_sync(c.hq);
	st = sat_sqlite_store_ops(c.w->store);
	assert_ok(st.gaps(st.u, c.hq->ord, 1, on_gap, g, &err));
	assert_int_equal(c.hq->out[gone].c.cseq - 2, g[0]);
	assert_int_equal(c.hq->out[gone].c.cseq - 1, g[1]);
	assert_int_equal(SAT_GAP_GONE, g[2]);
	p = told_with_states(&n, &c, &a); /* C2 */
	assert_false(has_place(p, n, c.hq->ord, g[0]));
	assert_false(has_place(p, n, c.hq->ord, g[1]));
	assert_true(has_place(p, n, c.hq->ord, g[1] + 1));
	sat_arena_fini(&a);
	world_verify(c.w);
	company_free(&c);
}

static void
a_cursor_of_the_lost_server_is_refused(void **state)
{
	company c = company_new(sat_test_seed(11));
	sat_err err = { 0 };
	sat_epoch e;

	(void)state;
	some_work(&c, 8);
	take_backup(&c);
	some_work(&c, 8);
	e = lose(&c, 1000000, SAT_SEED_HQ);
	follow(c.ann, &e);
	device_sync(c.ann);
	(void)device_account(c.ann, "new", "ann");
	device_sync(c.ann);
	/* headquarters does not follow the epoch */
	assert_rc(SAT_ECONFLICT, device_sync_flags(c.hq, SAT_CS_PULL_ONLY,
	    &err));
	company_free(&c);
}

static own *
owner_op(device *d, const sat_id *id, sat_op_kind op, const char *value)
{
	own *o = device_edit(d, id, id, K_ACCOUNT, op, A_OWNER, txt(value));

	device_sync(d);
	return o;
}

/* Customers kept for her when she asks for many. */
static size_t
kept_for(device *d)
{
	sat_msg m = { .type = SAT_MSG_HOLD, .u.hold = 9 };
	sat_arena a = { 0 };
	size_t n;
	sat_err err;

	assert_ok(device_say(&m, &a, d, &err));
	assert_int_equal(SAT_MSG_HELD, m.type);
	n = m.u.held.n;
	sat_arena_fini(&a);
	return n;
}

/* The position at which she lost it is that of a state: it has no commit. */
static void
who_lost_a_customer_by_a_state_given_back_may_claim_it(void **state) /* P-153, P-204 */
{
	company c = company_new(sat_test_seed(12));
	states_of lost;
	sat_epoch e;
	sat_id id;

	(void)state;
	id = device_account(c.ann, "first", "ann");
	sync_all(&c);
	take_backup(&c);
	(void)owner_op(c.ann, &id, SAT_OP_RELEASE, "public\nno budget");
	sync_all(&c);
	lost = all_states(c.w);
	e = lose(&c, 1000000, SAT_SEED_HQ);
	follow(c.ann, &e);
	follow(c.hq, &e);
	assert_int_equal(1, give_state(&c, c.hq, &e, state_in(&lost,
	    &id)).taken);
	SYNC(c.ann, c.hq);
	assert_int_equal(1, kept_for(c.ann));
	assert_int_equal(SAT_VD_OK, owner_op(c.ann, &id, SAT_OP_CLAIM,
	    "ann")->code);
	visit(c.ann, &id);
	device_sync(c.ann);
	assert_int_equal(SAT_VD_OK, device_last(c.ann)->code);
	SETTLE(c.hq, c.ann);
	world_verify(c.w);
	free_states(&lost);
	company_free(&c);
}

/* What goes with states must fit into an answer, whatever devices began. */
static void
states_say_the_places_of_the_last_chains(void **state) /* P-250 */
{
	company c = company_new(sat_test_seed(27));
	sat_store st = sat_sqlite_store_ops(c.w->store);
	sat_arena a = { 0 };
	sat_chain old = { .last_cseq = 1 };
	uint64_t cseq;
	sat_place *p;
	sat_id id;
	sat_err err = { 0 };
	size_t n;

	(void)state;
	id = device_account(c.ann, "first", "ann");
	for (int i = 0; i < 3; i++)
		visit(c.ann, &id);
	device_sync(c.ann);
	cseq = device_last(c.ann)->c.cseq;
	assert_ok(st.begin(st.u, &err));
	for (uint32_t i = 0; i < 270000; i++) {
		old.lsn = i < 230000 ? 1 : 2;
		assert_ok(st.chain_put(st.u, c.bob->ord, i + 2, &old, &err));
	}
	assert_ok(st.commit(st.u, &err));
	p = told_with_states(&n, &c, &a);
	assert_int_equal(1, n);
	assert_true(has_place(p, n, c.ann->ord, cseq));
	sat_arena_fini(&a);
	company_free(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    nothing_counts_twice_in_whatever_order_it_comes_back),
		cmocka_unit_test(what_its_author_never_heard_of_counts_once),
		cmocka_unit_test(what_comes_back_merged_stands_below_its_winner),
		cmocka_unit_test(
		    two_merges_that_come_back_from_two_servers_make_no_circle),
		cmocka_unit_test(without_any_state_the_authors_bring_all_back),
		cmocka_unit_test(
		    only_lost_positions_are_taken_from_the_right_people_in_time),
		cmocka_unit_test(a_chain_goes_on_behind_commits_nobody_has),
		cmocka_unit_test(a_cursor_of_the_lost_server_is_refused),
		cmocka_unit_test(
		    who_lost_a_customer_by_a_state_given_back_may_claim_it),
		cmocka_unit_test(states_say_the_places_of_the_last_chains),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
