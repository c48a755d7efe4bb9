/*
 * A server that came back from a backup, and customers that were erased: what
 * the core and its store must keep to, with real session machines.
 */
#include "tests/unit/server/store/sqlite/device.h"

#include <unistd.h>

/* ---- losing a server ------------------------------------------------------------ */

typedef struct state_of { /* of a record on the server that is lost */
	sat_id id;
	sat_buf bytes;
} state_of;

typedef struct states_of {
	state_of *v;
	size_t n;
} states_of;

static void
on_state(void *u, const sat_id *id, sat_span state)
{
	states_of *s = u;

	s->v = sat_xrealloc(s->v, (s->n + 1) * sizeof *s->v);
	s->v[s->n] = (state_of){ .id = *id };
	sat_buf_add(&s->v[s->n++].bytes, state.p, state.n);
}

static states_of
all_states(world *w)
{
	states_of s = { 0 };
	sat_err err = { 0 };

	assert_ok(sat_server_dump(w->server, NULL, on_state, &s, &err));
	return s;
}

static void
free_states(states_of *s)
{
	for (size_t i = 0; i < s->n; i++)
		sat_buf_fini(&s->v[i].bytes);
	free(s->v);
}

typedef struct company {
	world *w;
	device *ann, *bob, *hq;
	sat_id acc[24];
	size_t nacc;
	uint8_t root_sk[SAT_SIGN_SK_BYTES], root_pk[SAT_SIGN_PK_BYTES];
	char *backup;
	sat_place *places; /* told with the states that are given */
	size_t nplaces;
} company;

static company
company_new(uint64_t seed)
{
	company c = { .w = world_new(seed) };
	uint8_t root[32] = { 3 };

	world_team(c.w, "north");
	world_user(c.w, "ann", "rep", "north");
	world_user(c.w, "bob", "rep", "north");
	world_user(c.w, "hq", "hq", NULL);
	world_user(c.w, "root", "admin", NULL);
	c.ann = device_new(c.w, "ann");
	c.bob = device_new(c.w, "bob");
	c.hq = device_new(c.w, "hq");
	sat_sign_keys(c.root_pk, c.root_sk, root);
	c.backup = sat_xasprintf("%s/backup.db", c.w->dir);
	return c;
}

static void
company_free(company *c)
{
	device_free(c->ann);
	device_free(c->bob);
	device_free(c->hq);
	free(c->backup);
	world_free(c->w);
}

static void
sync_all(company *c)
{
	for (int i = 0; i < 2; i++) {
		SYNC(c->ann, c->bob, c->hq);
	}
}

static device *
one_of(company *c)
{
	device *d[] = { c->ann, c->bob, c->hq };

	return d[sat_test_rand(&c->w->rand) % 3];
}

static void
some_work(company *c, int n)
{
	static const uint16_t fields[] = { A_REMARK, A_SECTOR, A_NAME,
		A_VISITS, A_TAGS };

	for (int i = 0; i < n; i++) {
		uint64_t x = sat_test_rand(&c->w->rand);
		device *d = one_of(c);
		uint16_t f = fields[x % 5];
		char text[24];
		sat_id id;

		c->w->now_ms += 1000;
		if (c->nacc < 4 || (x % 7 == 0 && c->nacc < 24)) {
			d = x % 2 == 0 ? c->ann : c->bob;
			c->acc[c->nacc++] = device_account(d, "made",
			    d->user_key);
			device_sync(d);
			continue;
		}
		id = c->acc[(x >> 8) % c->nacc];
		if (device_find(d, &id, 0) == NULL)
			continue;
		(void)snprintf(text, sizeof text, "v%llu",
		    (unsigned long long)(x >> 40));
		(void)device_edit(d, &id, &id, K_ACCOUNT, f == A_VISITS ?
		    SAT_OP_ADD : f == A_TAGS ? SAT_OP_SADD : f == A_NAME ?
		    SAT_OP_MVSET : SAT_OP_SET, f, f == A_VISITS ?
		    sat_v_int(1 + (int64_t)(x % 3)) : txt(text));
		if (x % 3 == 0)
			device_sync(d);
	}
	sync_all(c);
}

static void
take_backup(company *c)
{
	uint64_t lsn;
	sat_err err = { 0 };

	assert_ok(sat_sqlite_store_backup(&lsn, c->w->store, c->backup, &err));
}

/* The server is gone; the backup, in a new epoch, takes its place. */
static sat_epoch
lose(company *c, int64_t window_ms, uint32_t roles)
{
	world *w = c->w;
	sat_epoch e = { .org = w->org, .began_ms = w->now_ms,
		.until_ms = w->now_ms + window_ms, .seed_roles = roles };
	char *tail = sat_xasprintf("%s-wal", w->path);
	uint64_t above, before;
	sat_err err = { 0 };

	world_stop(w);
	assert_int_equal(0, unlink(w->path));
	(void)unlink(tail);
	free(tail);
	assert_int_equal(0, rename(c->backup, w->path));
	world_start(w);
	assert_ok(sat_sqlite_epoch_base(&e.base_lsn, &above, &e.base_eid,
	    &before, w->store, &err));
	e.epoch = before + 1;
	e.first_lsn = above + SAT_EPOCH_SKIP;
	sat_epoch_sign(&e, c->root_sk);
	assert_true(sat_epoch_ok(&e, &w->org, c->root_pk));
	world_stop(w);
	world_start(w);
	assert_ok(sat_sqlite_epoch_begin(w->store, &e, &err));
	world_stop(w);
	world_start(w);
	assert_int_equal(0, err.rc);
	return e;
}

/* What client/replica does on a new epoch, for the device of these tests. */
static void
follow(device *d, const sat_epoch *e)
{
	for (size_t i = 0; i < d->nout; i++) {
		own *o = &d->out[i];

		for (size_t k = 0; k < o->c.nops; k++)
			o->c.ops[k].eid = 0;
		if (o->lsn > e->base_lsn && o->state != 2) {
			o->old = o->lsn;
			o->lsn = o->eff = 0;
			o->state = 0;
		}
	}
	for (size_t i = 0; i < d->nrec; i++)
		d->rec[i].used = false;
	d->epoch = e->epoch;
	d->cursor = 0;
	d->complete = d->snapping = false;
	d->after = 0;
	d->registry_rev = 0;
	d->neids = 0;
}

static sat_seeded
give(company *c, device *d, uint64_t epoch, const sat_record *r, size_t n,
    sat_rc want)
{
	sat_msg m = { .type = SAT_MSG_HELLO };
	sat_client_ops ops = device_ops(d);
	sat_buf q = { 0 }, reply = { 0 }, records = { 0 };
	sat_arena a = { 0 };
	sat_seeded out = { 0 };
	sat_err err = { 0 };

	assert_ok(ops.hello(d, &m.u.hello, &err));
	sat_msg_write(&q, &m);
	assert_ok(sat_server_handle(c->w->server, &d->link, &reply,
	    sat_buf_span(&q), &err));
	m = (sat_msg){ .type = SAT_MSG_SEED };
	assert_ok(sat_records_write(&records, r, n, &err));
	m.u.seed.epoch = epoch;
	m.u.seed.records = sat_buf_span(&records);
	m.u.seed.places = c->places;
	m.u.seed.nplaces = c->nplaces;
	sat_buf_reset(&q);
	sat_buf_reset(&reply);
	sat_msg_write(&q, &m);
	assert_ok(sat_server_handle(c->w->server, &d->link, &reply,
	    sat_buf_span(&q), &err));
	assert_ok(sat_msg_read(&m, &a, sat_buf_span(&reply), &err));
	if (want == SAT_OK) {
		assert_int_equal(SAT_MSG_SEEDED, m.type);
		out = m.u.seeded;
	} else {
		assert_int_equal(SAT_MSG_ERROR, m.type);
		assert_int_equal(want, m.u.error.rc);
	}
	sat_buf_fini(&q);
	sat_buf_fini(&reply);
	sat_buf_fini(&records);
	sat_arena_fini(&a);
	return out;
}

static sat_seeded
give_state(company *c, device *d, const sat_epoch *e, const state_of *s)
{
	sat_arena a = { 0 };
	sat_seeded out;
	sat_record r;
	sat_err err = { 0 };

	assert_ok(sat_record_read(&r, &a, sat_buf_span(&s->bytes), &err));
	out = give(c, d, e->epoch, &r, 1, SAT_OK);
	sat_arena_fini(&a);
	return out;
}

static void
same_values(world *w, const states_of *want)
{
	states_of is = all_states(w);
	sat_arena a = { 0 };
	sat_err err = { 0 };

	assert_int_equal(want->n, is.n);
	for (size_t i = 0; i < is.n; i++) {
		sat_record x, y;

		assert_true(sat_id_eq(&want->v[i].id, &is.v[i].id));
		assert_ok(sat_record_read(&x, &a,
		    sat_buf_span(&want->v[i].bytes), &err));
		assert_ok(sat_record_read(&y, &a, sat_buf_span(&is.v[i].bytes),
		    &err));
		/* what the server itself decides it decides anew */
		for (size_t k = 0; k < x.ncells; k++)
			if (x.cells[k].field < SAT_SYS_FIRST &&
			    !sat_value_eq(x.cells[k].value, sat_record_value(&y,
			    x.cells[k].field)))
				fail_msg("record %zu field %u differs", i,
				    x.cells[k].field);
	}
	free_states(&is);
	sat_arena_fini(&a);
}

/* ---- what came back ------------------------------------------------------------------ */

static void
nothing_counts_twice_in_whatever_order_it_comes_back(void **state) /* E1 */
{
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

/* The state of one record. */
static state_of *
state_in(const states_of *s, const sat_id *id)
{
	for (size_t i = 0; i < s->n; i++)
		if (sat_id_eq(&s->v[i].id, id))
			return &s->v[i];
	fail_msg("no such record");
	return NULL;
}

static int64_t
visits_in(const states_of *s, const sat_id *id)
{
	sat_arena a = { 0 };
	sat_record r;
	int64_t v;
	sat_err err = { 0 };

	assert_ok(sat_record_read(&r, &a, sat_buf_span(
	    &state_in(s, id)->bytes), &err));
	v = sat_record_value(&r, A_VISITS).i;
	sat_arena_fini(&a);
	return v;
}

static int64_t
visits_now(company *c, const sat_id *id)
{
	states_of s = all_states(c->w);
	int64_t v = visits_in(&s, id);

	free_states(&s);
	return v;
}

static void
visit(device *d, const sat_id *id)
{
	(void)device_edit(d, id, id, K_ACCOUNT, SAT_OP_ADD, A_VISITS,
	    sat_v_int(1));
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

static bool
is_tagged(company *c, const sat_id *id, const char *tag)
{
	states_of s = all_states(c->w);
	sat_arena a = { 0 };
	sat_element *el;
	const sat_cell *cell;
	bool yes = false;
	sat_record r;
	size_t n;
	sat_err err = { 0 };

	assert_ok(sat_record_read(&r, &a, sat_buf_span(
	    &state_in(&s, id)->bytes), &err));
	cell = sat_record_cell(&r, A_TAGS);
	n = cell != NULL ? sat_cell_elements(&el, &a, cell) : 0;
	for (size_t i = 0; i < n; i++)
		yes = yes || sat_span_eq(el[i].text, sat_span_str(tag));
	sat_arena_fini(&a);
	free_states(&s);
	return yes;
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

/* A backup had his commit, so he let it go, and nobody can read that backup now: it
 * is in one state alone, though he is back. */
static void
what_its_author_let_go_is_not_given_up_for_another_state(void **state)
{ /* C3, P-203, P-251 */
	(void)state;
	for (int first = 0; first < 2; first++) {
		company c = company_new(sat_test_seed(22));
		states_of one, two;
		sat_place at[2];
		sat_epoch e, before;
		sat_id id;

		id = device_account(c.bob, "watched", "bob");
		sync_all(&c);
		take_backup(&c);
		(void)device_edit(c.hq, &id, &id, K_ACCOUNT, SAT_OP_SADD,
		    A_TAGS, txt("hq"));
		device_sync(c.hq);
		one = all_states(c.w);
		at[0] = (sat_place){ c.hq->cursor, c.hq->ord, 1, 1, 1 };
		before = lose(&c, 1000000, SAT_SEED_HQ);
		take_backup(&c);
		follow(c.bob, &before);
		(void)device_edit(c.bob, &id, &id, K_ACCOUNT, SAT_OP_SADD,
		    A_TAGS, txt("bob"));
		(void)device_edit(c.bob, &id, &id, K_ACCOUNT, SAT_OP_SADD,
		    A_TAGS, txt("again"));
		device_sync(c.bob);
		two = all_states(c.w);
		at[1] = (sat_place){ c.bob->cursor, c.bob->ord, 1, 2, 3 };
		e = lose(&c, 1000000, SAT_SEED_HQ);
		memmove(&c.bob->out[1], &c.bob->out[2], sizeof *c.bob->out);
		c.bob->nout--;
		follow(c.bob, &e);
		follow(c.hq, &before);
		follow(c.hq, &e);
		c.places = at;
		c.nplaces = 2;
		(void)give_state(&c, c.hq, &e, state_in(first == 0 ? &one :
		    &two, &id));
		device_sync(c.bob);
		(void)give_state(&c, c.hq, &e, state_in(first == 0 ? &two :
		    &one, &id));
		sync_all(&c);
		assert_true(is_tagged(&c, &id, "hq"));
		assert_true(is_tagged(&c, &id, "bob"));
		assert_true(is_tagged(&c, &id, "again"));
		world_verify(c.w);
		free_states(&one);
		free_states(&two);
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

static bool
has_place(const sat_place *p, size_t n, uint32_t dev, uint64_t cseq)
{
	for (size_t i = 0; i < n; i++)
		if (p[i].device == dev && p[i].first <= cseq &&
		    p[i].last >= cseq)
			return true;
	return false;
}

/* What the server says with a snapshot's chunk: the places of chains. */
static sat_place *
told_with_states(size_t *n, company *c, sat_arena *a)
{
	sat_msg m = { .type = SAT_MSG_HELLO };
	sat_client_ops ops = device_ops(c->hq);
	sat_buf q = { 0 }, reply = { 0 };
	sat_err err = { 0 };

	assert_ok(ops.hello(c->hq, &m.u.hello, &err));
	sat_msg_write(&q, &m);
	assert_ok(sat_server_handle(c->w->server, &c->hq->link, &reply,
	    sat_buf_span(&q), &err));
	m = (sat_msg){ .type = SAT_MSG_SNAP };
	sat_buf_reset(&q);
	sat_buf_reset(&reply);
	sat_msg_write(&q, &m);
	assert_ok(sat_server_handle(c->w->server, &c->hq->link, &reply,
	    sat_buf_span(&q), &err));
	assert_ok(sat_msg_read(&m, a, sat_buf_span(&reply), &err));
	assert_int_equal(SAT_MSG_CHUNK, m.type);
	sat_buf_fini(&q);
	sat_buf_fini(&reply);
	*n = m.u.chunk.nheads;
	return m.u.chunk.heads;
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
only_lost_positions_are_taken_from_the_right_people_in_time(void **state) /* E2 */
{
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

/* ---- erasure --------------------------------------------------------------------------- */

static size_t
found(const char *path, const char *word)
{
	FILE *f = fopen(path, "rb");
	uint8_t *p;
	size_t n, hits = 0, len = strlen(word);
	long size;

	if (f == NULL)
		return 0;
	assert_int_equal(0, fseek(f, 0, SEEK_END));
	size = ftell(f);
	rewind(f);
	p = sat_xmalloc((size_t)size + 1);
	n = fread(p, 1, (size_t)size, f);
	(void)fclose(f);
	for (size_t i = 0; i + len <= n; i++)
		hits += memcmp(p + i, word, len) == 0;
	free(p);
	return hits;
}

static size_t
in_files(const world *w, const char *word)
{
	static const char *const tails[] = { "", "-wal", "-journal" };
	size_t hits = 0;

	for (size_t i = 0; i < 3; i++) {
		char *path = sat_xasprintf("%s%s", w->path, tails[i]);

		hits += found(path, word);
		free(path);
	}
	return hits;
}

static void
erase(company *c, const sat_id *id, sat_rc want, const char *by,
    const char *second)
{
	const sat_registry *r = sat_server_registry(c->w->server);
	const sat_user *x = sat_registry_user(r, sat_span_str(by));
	const sat_user *y = sat_registry_user(r, sat_span_str(second));
	sat_err err = { 0 };

	assert_rc(want, sat_server_erase(c->w->server, id, x->ord, y->ord,
	    sat_span_str("request 12"), &err));
}

static void
no_byte_of_an_erased_customer_is_left(void **state) /* X1, X2, X3 */
{
	states_of left;
	static const char *const words[] = { "Okapi", "Quagga", "Tapir",
		"Zebu" };
	company c = company_new(sat_test_seed(12));
	sat_id id, other;

	(void)state;
	id = device_account(c.ann, "Okapi", "ann");
	other = device_account(c.ann, "Gnu", "ann");
	(void)device_activity(c.ann, &id, "Quagga");
	sync_all(&c);
	(void)device_edit(c.hq, &id, &id, K_ACCOUNT, SAT_OP_MVSET, A_NAME,
	    txt("Tapir"));
	/* refused: kept as evidence until now */
	(void)device_edit(c.ann, &id, &id, K_ACCOUNT, SAT_OP_SET, 999,
	    txt("Zebu"));
	sync_all(&c);
	for (int i = 0; i < 4; i++)
		assert_true(in_files(c.w, words[i]) > 0);
	erase(&c, &id, SAT_EDENIED, "hq", "hq");
	erase(&c, &id, SAT_EDENIED, "hq", "ann");
	for (int i = 0; i < 4; i++)
		assert_true(in_files(c.w, words[i]) > 0);
	erase(&c, &id, SAT_OK, "hq", "root");
	for (int i = 0; i < 4; i++)
		assert_int_equal(0, in_files(c.w, words[i]));
	assert_true(in_files(c.w, "Gnu") > 0);
	take_backup(&c);
	assert_true(found(c.backup, "Gnu") > 0);
	for (int i = 0; i < 4; i++)
		assert_int_equal(0, found(c.backup, words[i]));
	erase(&c, &id, SAT_ECONFLICT, "hq", "root");
	world_verify(c.w);
	/* the others go on, also over a restart */
	world_stop(c.w);
	world_start(c.w);
	(void)device_edit(c.ann, &other, &other, K_ACCOUNT, SAT_OP_SET,
	    A_REMARK, txt("y"));
	sync_all(&c);
	left = all_states(c.w);
	assert_int_equal(2, left.n + 1);
	free_states(&left);
	world_verify(c.w);
	company_free(&c);
}

static void
what_comes_late_about_an_erased_customer_is_dropped_unread(void **state) /* X4 */
{
	company c = company_new(sat_test_seed(13));
	sat_id id, act;
	own *o;

	(void)state;
	id = device_account(c.ann, "Okapi", "ann");
	sync_all(&c);
	/* forty days without a network */
	(void)device_edit(c.ann, &id, &id, K_ACCOUNT, SAT_OP_SET, A_REMARK,
	    txt("Bongo"));
	act = device_activity(c.ann, &id, "Nyala");
	(void)act;
	/* refused for its form before anybody asks whom it is about */
	(void)device_edit(c.ann, &id, &id, 99, SAT_OP_SET, A_REMARK,
	    txt("Tahr"));
	c.w->now_ms += (int64_t)40 * 24 * 3600 * 1000;
	erase(&c, &id, SAT_OK, "hq", "root");
	device_sync(c.ann);
	for (size_t i = c.ann->nout - 3; i < c.ann->nout - 1; i++) {
		o = &c.ann->out[i];
		assert_int_equal(SAT_VD_REJECTED, o->code);
		assert_string_equal(SAT_SLUG_ERASED, o->slug);
	}
	assert_int_equal(0, in_files(c.w, "Bongo"));
	assert_int_equal(0, in_files(c.w, "Nyala"));
	assert_int_equal(SAT_VD_REJECTED, c.ann->out[c.ann->nout - 1].code);
	assert_int_equal(0, in_files(c.w, "Tahr"));
	world_verify(c.w);
	/* the same verdict for ever (P-073) */
	for (size_t i = c.ann->nout - 3; i < c.ann->nout; i++)
		c.ann->out[i].state = 0;
	device_sync(c.ann);
	assert_string_equal(SAT_SLUG_ERASED, c.ann->out[c.ann->nout - 2].slug);
	/* and life goes on in the same chain */
	(void)device_account(c.ann, "Gnu", "ann");
	device_sync(c.ann);
	assert_int_equal(SAT_VD_OK, c.ann->out[c.ann->nout - 1].code);
	world_verify(c.w);
	company_free(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    nothing_counts_twice_in_whatever_order_it_comes_back),
		cmocka_unit_test(what_its_author_never_heard_of_counts_once),
		cmocka_unit_test(
		    a_state_of_the_server_before_the_last_is_taken_too),
		cmocka_unit_test(
		    of_two_states_the_one_that_shows_more_of_who_is_gone_is_taken),
		cmocka_unit_test(
		    what_its_author_let_go_is_not_given_up_for_another_state),
		cmocka_unit_test(what_comes_back_merged_stands_below_its_winner),
		cmocka_unit_test(
		    two_merges_that_come_back_from_two_servers_make_no_circle),
		cmocka_unit_test(
		    states_are_sent_with_the_places_of_what_was_accepted),
		cmocka_unit_test(without_any_state_the_authors_bring_all_back),
		cmocka_unit_test(
		    only_lost_positions_are_taken_from_the_right_people_in_time),
		cmocka_unit_test(a_chain_goes_on_behind_commits_nobody_has),
		cmocka_unit_test(a_cursor_of_the_lost_server_is_refused),
		cmocka_unit_test(no_byte_of_an_erased_customer_is_left),
		cmocka_unit_test(
		    what_comes_late_about_an_erased_customer_is_dropped_unread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
