/* No byte of an erased customer is left, nor taken in again. */
#include "tests/unit/server/store/sqlite/crew.h"
#include "tests/unit/server/store/sqlite/device.h"
#include "tests/unit/server/store/sqlite/loss.h"

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
no_byte_of_an_erased_customer_is_left(void **state) /* X1, X2, X3, P-192 */
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

static bool
on_entry(void *u, const sat_erasure *x)
{
	*(sat_erasure *)u = *x;
	((sat_erasure *)u)->reason = sat_span_str("request 12");
	return true;
}

static void
tell_ledger(company *c, device *d, sat_erasure *x)
{
	sat_msg m = { .type = SAT_MSG_HELLO };
	sat_client_ops ops = device_ops(d);
	sat_buf q = { 0 }, reply = { 0 };
	sat_err err = { 0 };

	assert_ok(ops.hello(d, &m.u.hello, &err));
	sat_msg_write(&q, &m);
	assert_ok(sat_server_handle(c->w->server, &d->link, &reply,
	    sat_buf_span(&q), &err));
	m = (sat_msg){ .type = SAT_MSG_LEDGER };
	m.u.ledger = (sat_ledger){ .rev = x->rev, .e = x, .n = 1 };
	sat_buf_reset(&q);
	sat_buf_reset(&reply);
	sat_msg_write(&q, &m);
	assert_ok(sat_server_handle(c->w->server, &d->link, &reply,
	    sat_buf_span(&q), &err));
	assert_int_equal(SAT_MSG_LEDGER_IS, sat_buf_span(&reply).p[0]);
	sat_buf_fini(&q);
	sat_buf_fini(&reply);
}

/* The backup is from before the customer; what came about him before the ledger
 * waits for him or was refused. */
static void
a_restored_server_erases_what_it_has_of_a_customer_it_never_had(void **state)
{ /* P-197, X1 */
	company c = company_new(sat_test_seed(23));
	sat_store st = sat_sqlite_store_ops(c.w->store);
	sat_erasure x = { 0 };
	sat_epoch e;
	sat_id id;
	sat_err err = { 0 };

	(void)state;
	take_backup(&c);
	id = device_account(c.hq, "Okapi", "ann");
	device_sync(c.hq);
	erase(&c, &id, SAT_OK, "hq", "root");
	assert_ok(st.ledger_after(st.u, 0, on_entry, &x, &err));
	assert_int_equal(1, x.rev);
	e = lose(&c, 1000000, SAT_SEED_HQ);
	follow(c.ann, &e);
	(void)device_edit(c.ann, &id, &id, K_ACCOUNT, SAT_OP_SET, A_REMARK,
	    txt("Quagga"));
	device_sync(c.ann);
	assert_int_equal(SAT_VD_PARKED, c.ann->out[c.ann->nout - 1].code);
	assert_true(in_files(c.w, "Quagga") > 0);
	follow(c.hq, &e);
	tell_ledger(&c, c.hq, &x);
	assert_int_equal(0, in_files(c.w, "Quagga"));
	assert_int_equal(0, in_files(c.w, "Okapi"));
	world_verify(c.w);
	company_free(&c);
}

/* Nobody but the kit had heard of it. */
static void
the_ledger_of_a_newer_kit_erases_on_a_restored_server(void **state) /* P-392 */
{
	company c = company_new(sat_test_seed(9));
	sat_id id = device_account(c.ann, "Okapi", "ann");
	sat_erasure x = { 0 };
	sat_ledger in = { .e = &x, .n = 1 };
	sat_store st;
	sat_err err = { 0 };

	(void)state;
	sync_all(&c);
	take_backup(&c);
	erase(&c, &id, SAT_OK, "hq", "root");
	st = sat_sqlite_store_ops(c.w->store);
	assert_ok(st.ledger_after(st.u, 0, on_entry, &x, &err));
	(void)lose(&c, 1000000, SAT_SEED_HQ);
	assert_int_not_equal(0, in_files(c.w, "Okapi"));
	x.sig[0] ^= 1; /* another organisation's, say */
	assert_rc(SAT_EINTEGRITY, sat_server_take_ledger(c.w->server, &in,
	    &err));
	assert_int_not_equal(0, in_files(c.w, "Okapi"));
	x.sig[0] ^= 1;
	for (int again = 0; again < 2; again++)
		assert_ok(sat_server_take_ledger(c.w->server, &in, &err));
	assert_int_equal(0, in_files(c.w, "Okapi"));
	erase(&c, &id, SAT_ECONFLICT, "hq", "root"); /* it was already */
	world_verify(c.w);
	company_free(&c);
}

static bool
on_entries(void *u, const sat_erasure *e)
{
	sat_ledger *l = u;

	l->e[l->n] = *e;
	l->e[l->n++].reason = (sat_span){ NULL, 0 };
	return l->n < 4;
}

/* One of two that a backup holds as one was erased after they were taken apart:
 * the loser, or the winner with one who was merged into it meanwhile. */
static void
an_erasure_told_again_takes_nobody_else(void **state) /* P-197 */
{
	for (int winner = 0; winner < 2; winner++) {
		company c = company_new(sat_test_seed(24 + (unsigned)winner));
		sat_id a = device_account(c.hq, "Okapi", "ann"),
		    b = device_account(c.hq, "Gnu", "ann"),
		    d = device_account(c.hq, "Zebu", "ann");
		sat_erasure x[4];
		sat_ledger in = { .e = x };
		sat_epoch epoch;
		sat_store st;
		sat_err err = { 0 };

		(void)state;
		sync_all(&c);
		(void)merge(c.hq, a, b);
		sync_all(&c);
		take_backup(&c);
		(void)unmerge(c.hq, a);
		if (winner == 1)
			(void)merge(c.hq, d, b);
		sync_all(&c);
		erase(&c, winner == 1 ? &b : &a, SAT_OK, "hq", "root");
		st = sat_sqlite_store_ops(c.w->store);
		assert_ok(st.ledger_after(st.u, 0, on_entries, &in, &err));
		assert_int_equal(1 + winner, in.n);
		epoch = lose(&c, 1000000, SAT_SEED_HQ);
		assert_int_not_equal(0, in_files(c.w, "Okapi"));
		for (size_t i = 0; i < in.n; i++) /* as it was signed */
			x[i].reason = sat_span_str("request 12");
		assert_ok(sat_server_take_ledger(c.w->server, &in, &err));
		assert_int_equal(winner == 1, in_files(c.w, "Okapi") != 0);
		assert_int_equal(winner == 0, in_files(c.w, "Gnu") != 0);
		assert_int_equal(winner == 0, in_files(c.w, "Zebu") != 0);
		world_verify(c.w);
		/* and with what the devices bring of it */
		follow(c.hq, &epoch);
		follow(c.ann, &epoch);
		SYNC(c.hq, c.ann, c.hq);
		CHECK(c.hq, c.ann);
		world_verify(c.w);
		company_free(&c);
	}
}

/* Two that are one by a state that comes back: the winner alone was erased, before it
 * comes, or when it is told of again and is not there (P-197). */
static bool
leads(world *w, const sat_id *id)
{
	states_of s = all_states(w);
	state_of *x = state_in(&s, id);
	sat_arena a = { 0 };
	sat_record r;
	sat_id to;
	sat_err err = { 0 };
	bool yes;

	assert_non_null(x);
	assert_ok(sat_record_read(&r, &a, sat_buf_span(&x->bytes), &err));
	yes = sat_record_redirect(&to, &r);
	sat_arena_fini(&a);
	free_states(&s);
	return yes;
}

static void
keep_as(const company *c, const char *name)
{
	char *to = sat_xasprintf("%s/%s", c->w->dir, name);

	assert_int_equal(0, rename(c->backup, to));
	free(to);
}

static void
who_comes_back_merged_into_an_erased_one_is_two_again(void **state)
{ /* P-197, M2 */
	company c = company_new(sat_test_seed(41));
	sat_erasure x[4];
	sat_ledger in = { .e = x };
	sat_store st;
	states_of were;
	sat_epoch e;
	sat_id a, b;
	char *first = sat_xasprintf("%s/first", c.w->dir);
	sat_err err = { 0 };

	(void)state;
	take_backup(&c);
	keep_as(&c, "first");
	a = device_account(c.hq, "Okapi", "ann");
	b = device_account(c.hq, "Gnu", "ann");
	sync_all(&c);
	take_backup(&c);
	(void)merge(c.hq, a, b);
	sync_all(&c);
	were = all_states(c.w);

	/* the server is from before the merge, and the winner is erased */
	e = lose(&c, 1000000, SAT_SEED_HQ);
	assert_false(leads(c.w, &a));
	erase(&c, &b, SAT_OK, "hq", "root");
	follow(c.hq, &e);
	assert_int_equal(1, give_state(&c, c.hq, &e, state_in(&were, &a)).taken);
	assert_false(leads(c.w, &a));
	follow(c.ann, &e);
	SYNC(c.hq, c.ann);
	(void)device_edit(c.ann, &a, &a, K_ACCOUNT, SAT_OP_SET, A_REMARK,
	    txt("y"));
	SYNC(c.ann, c.hq);
	world_verify(c.w);
	CHECK(c.hq, c.ann);
	st = sat_sqlite_store_ops(c.w->store);
	assert_ok(st.ledger_after(st.u, 0, on_entries, &in, &err));
	assert_int_equal(1, in.n);
	x[0].reason = sat_span_str("request 12");

	/* it is from before the two, and the loser comes first */
	assert_int_equal(0, rename(first, c.backup));
	e = lose(&c, 1000000, SAT_SEED_HQ);
	follow(c.hq, &e);
	assert_int_equal(1, give_state(&c, c.hq, &e, state_in(&were, &a)).taken);
	assert_true(leads(c.w, &a));
	assert_ok(sat_server_take_ledger(c.w->server, &in, &err));
	assert_false(leads(c.w, &a));
	world_verify(c.w);
	free(first);
	free_states(&were);
	company_free(&c);
}

/* What went on from one to the other is logged; a state of before comes, and takes it
 * on top. */
static void
what_a_given_state_took_on_top_goes_too(void **state) /* A1, A2, P-395 */
{
	company c = company_new(sat_test_seed(42));
	sat_id a = device_account(c.hq, "Okapi", "ann"),
	    b = device_account(c.hq, "Gnu", "ann");
	states_of were;
	sat_epoch e;

	(void)state;
	sync_all(&c);
	take_backup(&c);
	(void)device_edit(c.ann, &b, &b, K_ACCOUNT, SAT_OP_SET, A_SECTOR,
	    txt("Zebu"));
	device_sync(c.ann);
	were = all_states(c.w);
	e = lose(&c, 1000000, SAT_SEED_HQ);
	follow(c.hq, &e);
	(void)merge(c.hq, a, b);
	device_sync(c.hq);
	(void)device_edit(c.hq, &a, &a, K_ACCOUNT, SAT_OP_SET, A_REMARK,
	    txt("Quagga"));
	(void)device_edit(c.hq, &b, &b, K_ACCOUNT, SAT_OP_SADD, A_TAGS,
	    txt("Kudu"));
	device_sync(c.hq);
	assert_int_equal(1, give_state(&c, c.hq, &e, state_in(&were, &b)).taken);
	(void)unmerge(c.hq, a);
	device_sync(c.hq);
	world_verify(c.w);
	erase(&c, &a, SAT_OK, "hq", "root");
	assert_int_equal(0, in_files(c.w, "Okapi"));
	assert_int_equal(0, in_files(c.w, "Quagga"));
	assert_int_not_equal(0, in_files(c.w, "Kudu"));
	assert_int_not_equal(0, in_files(c.w, "Zebu"));
	world_verify(c.w);
	free_states(&were);
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

/* What a device that is leaving brings is not looked at; nor is what it wrote
 * under a template that is not here (P-195). */
static sat_verdict_code
push_unseen(device *d, bool leaving)
{
	own *o = device_last(d);
	sat_buf q = { 0 }, reply = { 0 };
	sat_verdict_code code;
	sat_arena a = { 0 };
	sat_msg m;
	sat_err err = { 0 };

	if (!leaving) {
		memset(o->c.template_oid, 0xee, sizeof o->c.template_oid);
		memcpy(d->head, o->c.prev, sizeof d->head);
		sat_commit_seal(&o->c, d->head);
	}
	d->link.leaving = leaving;
	device_frame(d, &q, 0);
	assert_ok(device_ask(d, sat_buf_span(&q), &reply, &m, &a, &err));
	assert_int_equal(SAT_MSG_VERDICTS, m.type);
	code = m.u.verdicts.v[m.u.verdicts.n - 1].code;
	o->state = 2;
	d->link.leaving = false;
	sat_buf_fini(&q);
	sat_buf_fini(&reply);
	sat_arena_fini(&a);
	return code;
}

static void
what_is_refused_unseen_names_no_erased_one(void **state) /* X4, P-195 */
{
	company c = company_new(sat_test_seed(14));
	sat_id from = device_account(c.ann, "Okapi", "ann"),
	    to = device_account(c.ann, "Gnu", "ann");
	sat_op ops[2];

	(void)state;
	sync_all(&c);
	erase(&c, &from, SAT_OK, "hq", "root");
	/* merged offline: about the winner, with what the loser had */
	ops[0] = op_set(&from, K_ACCOUNT, SAT_OP_MERGE, SAT_SYS_REDIRECT,
	    sat_v_id(&to));
	ops[1] = op_set(&to, K_ACCOUNT, SAT_OP_SET, A_REMARK, txt("Bongo"));
	(void)device_commit(c.ann, &to, ops, 2);
	assert_int_equal(SAT_VD_REJECTED, push_unseen(c.ann, true));
	assert_int_equal(0, in_files(c.w, "Bongo"));
	/* the other way about: the erased one is only a value */
	ops[0] = op_set(&to, K_ACCOUNT, SAT_OP_MERGE, SAT_SYS_REDIRECT,
	    sat_v_id(&from));
	ops[1] = op_set(&to, K_ACCOUNT, SAT_OP_SET, A_REMARK, txt("Nyala"));
	(void)device_commit(c.ann, &to, ops, 2);
	assert_int_equal(SAT_VD_PARKED, push_unseen(c.ann, false));
	assert_int_equal(0, in_files(c.w, "Nyala"));
	/* of anybody else it is kept, as evidence */
	(void)device_edit(c.ann, &to, &to, K_ACCOUNT, SAT_OP_SET, A_REMARK,
	    txt("Tahr"));
	assert_int_equal(SAT_VD_PARKED, push_unseen(c.ann, false));
	assert_true(in_files(c.w, "Tahr") > 0);
	company_free(&c);
}

static void
what_was_refused_unseen_goes_with_the_one_it_names(void **state)
{ /* X1, P-195 */
	company c = company_new(sat_test_seed(15));
	sat_id gone = device_account(c.ann, "Okapi", "ann"),
	    stays = device_account(c.ann, "Gnu", "ann"), id;
	sat_op ops[3];

	(void)state;
	sync_all(&c);
	for (int i = 0; i < 2; i++) {
		id = device_id(c.ann);
		ops[0] = op_set(&id, K_CONTACT, SAT_OP_NEW, 0, sat_v_null());
		ops[1] = op_set(&id, K_CONTACT, SAT_OP_SET, C_ACCOUNT,
		    sat_v_id(i == 0 ? &gone : &stays));
		ops[2] = op_set(&id, K_CONTACT, SAT_OP_SET, C_NAME,
		    txt(i == 0 ? "Tapir" : "Zebu"));
		(void)device_commit(c.ann, &stays, ops, 3);
		assert_int_equal(SAT_VD_PARKED, push_unseen(c.ann, false));
	}
	assert_true(in_files(c.w, "Tapir") > 0);
	erase(&c, &gone, SAT_OK, "hq", "root");
	assert_int_equal(0, in_files(c.w, "Tapir"));
	assert_true(in_files(c.w, "Zebu") > 0);
	company_free(&c);
}

/* Asked for under the id it had before it was merged: there is nothing left to
 * confirm. */
static void
what_is_erased_is_asked_for_by_nobody(void **state) /* P-191 */
{
	company c = company_new(sat_test_seed(16));
	sat_id from = device_account(c.hq, "Okapi", "ann"),
	    to = device_account(c.hq, "Gnu", "ann");
	sat_store st = sat_sqlite_store_ops(c.w->store);
	sat_erasure x = { .subject = from, .by = c.hq->user,
		.reason = sat_span_str("request 12") };
	sat_privacy_is is;
	sat_err err = { 0 };

	(void)state;
	sync_all(&c);
	(void)device_edit(c.hq, &to, &from, K_ACCOUNT, SAT_OP_MERGE,
	    SAT_SYS_REDIRECT, sat_v_id(&to));
	sync_all(&c);
	assert_false(sat_vd_refused(device_last(c.hq)->code));
	assert_ok(st.begin(st.u, &err));
	assert_ok(st.ask_put(st.u, &x, &err));
	assert_ok(st.commit(st.u, &err));
	erase(&c, &to, SAT_OK, "hq", "root");
	assert_ok(sat_server_privacy(c.w->server, &is, &err));
	assert_int_equal(2, is.n);
	for (size_t i = 0; i < is.n; i++)
		assert_true(is.row[i].done);
	company_free(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_byte_of_an_erased_customer_is_left),
		cmocka_unit_test(
		    a_restored_server_erases_what_it_has_of_a_customer_it_never_had),
		cmocka_unit_test(
		    the_ledger_of_a_newer_kit_erases_on_a_restored_server),
		cmocka_unit_test(an_erasure_told_again_takes_nobody_else),
		cmocka_unit_test(
		    who_comes_back_merged_into_an_erased_one_is_two_again),
		cmocka_unit_test(what_a_given_state_took_on_top_goes_too),
		cmocka_unit_test(
		    what_comes_late_about_an_erased_customer_is_dropped_unread),
		cmocka_unit_test(what_is_erased_is_asked_for_by_nobody),
		cmocka_unit_test(what_is_refused_unseen_names_no_erased_one),
		cmocka_unit_test(
		    what_was_refused_unseen_goes_with_the_one_it_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
