/*
 * The device's session machine against a scripted server: what it asks, in
 * which order, and what it does not put up with.
 */
#include "tests/lib/unit.h"

#include "protocol/client.h"

typedef struct script {
	/* the replica's side */
	uint64_t cursor, registry_rev, waits; /* commits without a verdict */
	uint64_t first;                       /* cseq of the first of them */
	uint64_t behind;                      /* commits that do not fit with them */
	bool snap_wanted, stuck_outbox, own_lost;
	sat_rc delta_rc;
	int welcomes, registries, templates, verdict_calls, chunks, deltas;
	uint64_t from_seen, accepted;
	uint32_t flags_seen;
	uint8_t tip[20];
	sat_clock clock;
	sat_cs *cs;
	sat_arena a;
	sat_buf q;
} script;

static int64_t
zero(void *u)
{
	(void)u;
	return 5;
}

static sat_rc
hello(void *u, sat_hello *out, sat_err *e)
{
	script *s = u;

	(void)e;
	memset(out, 0, sizeof *out);
	out->proto_min = out->proto_max = 1;
	out->registry_rev = s->registry_rev;
	out->cursor = s->cursor;
	out->device = 3;
	return SAT_OK;
}

static sat_rc
welcome(void *u, const sat_welcome *w, int64_t sent, sat_err *e)
{
	(void)w;
	(void)e;
	assert_int_equal(5, sent);
	((script *)u)->welcomes++;
	return SAT_OK;
}

static sat_rc
registry(void *u, sat_span r, sat_err *e)
{
	(void)r;
	(void)e;
	((script *)u)->registries++;
	return SAT_OK;
}

static sat_rc
template_(void *u, const uint8_t *tip, sat_span bundle, sat_err *e)
{
	(void)tip;
	(void)bundle;
	(void)e;
	((script *)u)->templates++;
	return SAT_OK;
}

static sat_rc
outbox(void *u, sat_arena *a, sat_push *p, sat_commit **c, size_t *n,
    uint64_t from, sat_err *e)
{
	script *s = u;
	static const sat_id rec = { { 1 } };
	sat_op op = { .kind = SAT_OP_SET, .rtype = 1, .field = 1, .rec = rec,
		.value = sat_v_int(1) };

	(void)e;
	s->from_seen = from;
	*n = s->waits;
	p->incarnation = 1;
	p->first_cseq = from != 0 ? from : s->first;
	if (from != 0)
		*n = s->first + s->waits > from ? s->first + s->waits - from : 0;
	*c = sat_arena_alloc(a, (*n + 1) * sizeof **c);
	for (size_t i = 0; i < *n; i++) {
		(*c)[i] = (sat_commit){ .device = 3, .incarnation = 1,
			.cseq = p->first_cseq + i, .hlc = 9, .actor = 1,
			.subject = rec, .nops = 1 };
		(*c)[i].ops = sat_arena_dup(a, &op, sizeof op);
	}
	return SAT_OK;
}

static sat_rc
outbox_behind(void *u, sat_arena *a, sat_push *p, sat_commit **c, size_t *n,
    sat_err *e)
{
	script *s = u;
	uint64_t from = s->first + s->waits;
	size_t waits = s->waits;
	sat_rc rc;

	s->waits += s->behind;
	rc = outbox(u, a, p, c, n, from, e);
	s->waits = waits;
	return rc;
}

static sat_rc
on_verdicts(void *u, uint32_t inc, const sat_verdicts *v, sat_err *e)
{
	script *s = u;

	(void)e;
	assert_int_equal(1, inc);
	s->verdict_calls++;
	for (size_t i = 0; i < v->n && !s->stuck_outbox; i++)
		if (v->v[i].cseq >= s->first && s->waits > 0) {
			s->first++;
			s->waits--;
		}
	return SAT_OK;
}

static sat_rc
accepted(void *u, uint64_t *lsn, sat_err *e)
{
	(void)e;
	*lsn = ((script *)u)->accepted;
	return SAT_OK;
}

static sat_rc
snap_state(void *u, bool *wanted, uint64_t *after, sat_err *e)
{
	script *s = u;

	(void)e;
	*wanted = s->snap_wanted;
	*after = (uint32_t)s->chunks;
	return SAT_OK;
}

static sat_rc
chunk(void *u, const sat_chunk *c, sat_err *e)
{
	script *s = u;

	(void)e;
	s->chunks++;
	if (c->done) {
		s->snap_wanted = false;
		s->cursor = c->lsn;
	}
	return SAT_OK;
}

static sat_rc
cursor(void *u, uint64_t *c, sat_err *e)
{
	(void)e;
	*c = ((script *)u)->cursor;
	return SAT_OK;
}

static sat_rc
delta(void *u, const sat_delta *d, sat_err *e)
{
	script *s = u;

	s->deltas++;
	if (s->delta_rc != SAT_OK) {
		sat_rc rc = s->delta_rc;

		s->delta_rc = SAT_OK;
		return sat_fail(e, rc, "planned");
	}
	s->cursor = d->upto;
	return SAT_OK;
}

static void
start(script *s, unsigned flags)
{
	sat_client_ops ops = { .u = s, .hello = hello, .welcome = welcome,
		.registry = registry, .template_ = template_, .outbox = outbox,
		.outbox_behind = outbox_behind,
		.verdicts = on_verdicts, .snap_state = snap_state,
		.chunk = chunk, .cursor = cursor, .delta = delta,
		.accepted = accepted };

	sat_crypto_init();
	if (s->first == 0)
		s->first = 1;
	s->clock = (sat_clock){ zero, zero, NULL };
	s->cs = sat_cs_new(&ops, &s->clock, flags);
}

static void
stop(script *s)
{
	sat_cs_free(s->cs);
	sat_arena_fini(&s->a);
	sat_buf_fini(&s->q);
}

/* The next question; twice, and it must be the same. */
static sat_msg
asked(script *s)
{
	sat_buf again = { 0 };
	sat_err err = { 0 };
	bool done;
	sat_msg m;

	sat_buf_reset(&s->q);
	assert_ok(sat_cs_next(s->cs, &s->q, &done, &err));
	assert_false(done);
	assert_ok(sat_cs_next(s->cs, &again, &done, &err));
	assert_true(sat_span_eq(sat_buf_span(&s->q), sat_buf_span(&again)));
	sat_buf_fini(&again);
	assert_ok(sat_msg_read(&m, &s->a, sat_buf_span(&s->q), &err));
	return m;
}

static bool
finished(script *s)
{
	sat_err err = { 0 };
	bool done;

	sat_buf_reset(&s->q);
	assert_ok(sat_cs_next(s->cs, &s->q, &done, &err));
	return done;
}

static sat_rc
answer(script *s, const sat_msg *m, sat_err *e)
{
	sat_buf b = { 0 };
	sat_rc rc;

	sat_msg_write(&b, m);
	rc = sat_cs_reply(s->cs, sat_buf_span(&b), e);
	sat_buf_fini(&b);
	return rc;
}

static sat_msg
a_welcome(uint64_t scope_head)
{
	sat_msg m = { .type = SAT_MSG_WELCOME };

	m.u.welcome.proto = 1;
	m.u.welcome.head = scope_head + 5;
	m.u.welcome.scope_head = scope_head;
	return m;
}

static sat_msg
some_verdicts(sat_verdict *v, uint64_t first, size_t n)
{
	sat_msg m = { .type = SAT_MSG_VERDICTS };

	for (size_t i = 0; i < n; i++)
		v[i] = (sat_verdict){ .cseq = first + i, .lsn = 50 + i,
			.eff = 60 + i };
	m.u.verdicts.v = v;
	m.u.verdicts.n = n;
	return m;
}

static void
nothing_to_do_is_one_round_trip(void **state)
{
	script s = { .cursor = 9 };
	sat_msg w = a_welcome(9);
	sat_err err = { 0 };

	(void)state;
	start(&s, 0);
	assert_int_equal(SAT_MSG_HELLO, asked(&s).type);
	assert_ok(answer(&s, &w, &err));
	assert_true(finished(&s));
	assert_int_equal(1, sat_cs_stats_get(s.cs)->round_trips);
	assert_true(sat_cs_stats_get(s.cs)->complete);
	stop(&s);
}

static void
the_order_is_registry_template_push_snapshot_pull(void **state)
{
	script s = { .waits = 2, .snap_wanted = true };
	sat_msg m = a_welcome(70);
	sat_verdict v[2];
	sat_err err = { 0 };

	(void)state;
	start(&s, 0);
	m.u.welcome.registry_rev = 4;
	m.u.welcome.template_oid[0] = 1;
	assert_int_equal(SAT_MSG_HELLO, asked(&s).type);
	assert_ok(answer(&s, &m, &err));
	assert_int_equal(SAT_MSG_REGISTRY, asked(&s).type);
	m = (sat_msg){ .type = SAT_MSG_REGISTRY_IS };
	assert_ok(answer(&s, &m, &err));
	assert_int_equal(SAT_MSG_TEMPLATE, asked(&s).type);
	m = (sat_msg){ .type = SAT_MSG_TEMPLATE_IS };
	m.u.template_is.bundle = sat_span_str("b");
	assert_ok(answer(&s, &m, &err));
	m = asked(&s);
	assert_int_equal(SAT_MSG_PUSH, m.type);
	assert_int_equal(1, m.u.push.first_cseq);
	m = some_verdicts(v, 1, 2);
	assert_ok(answer(&s, &m, &err));
	assert_int_equal(SAT_MSG_SNAP, asked(&s).type);
	m = (sat_msg){ .type = SAT_MSG_CHUNK };
	m.u.chunk.lsn = 60;
	m.u.chunk.next = 1;
	sat_hash(m.u.chunk.hash, (sat_span){ NULL, 0 });
	assert_ok(answer(&s, &m, &err));
	assert_int_equal(1, asked(&s).u.snap.after);
	m.u.chunk.done = true;
	m.u.chunk.next = 2;
	assert_ok(answer(&s, &m, &err));
	m = asked(&s);
	assert_int_equal(SAT_MSG_PULL, m.type);
	assert_int_equal(60, m.u.pull.cursor);
	m = (sat_msg){ .type = SAT_MSG_DELTA };
	m.u.delta.upto = 65;
	m.u.delta.scope_head = 80;
	assert_ok(answer(&s, &m, &err));
	assert_int_equal(65, asked(&s).u.pull.cursor);
	m.u.delta.upto = 81;
	assert_ok(answer(&s, &m, &err));
	assert_true(finished(&s));
	assert_int_equal(1, s.registries);
	assert_int_equal(1, s.templates);
	assert_int_equal(2, sat_cs_stats_get(s.cs)->accepted);
	assert_true(sat_cs_stats_get(s.cs)->template_changed);
	stop(&s);
}

/* Is the guess from this reply what is asked for once it was taken in? */
static bool
guessed(script *s, const sat_msg *m)
{
	sat_buf reply = { 0 }, ahead = { 0 };
	sat_err err = { 0 };
	bool any, right;

	sat_msg_write(&reply, m);
	any = sat_cs_ahead(s->cs, sat_buf_span(&reply), &ahead);
	assert_int_equal(any, ahead.n > 0);
	assert_ok(answer(s, m, &err));
	right = !finished(s) && any && sat_span_eq(sat_buf_span(&ahead),
	    sat_buf_span(&s->q));
	sat_buf_fini(&reply);
	sat_buf_fini(&ahead);
	return right;
}

static void
the_page_behind_a_page_is_known_before_that_is_taken_in(void **state) /* P-290 */
{
	script s = { .snap_wanted = true };
	sat_msg m = a_welcome(70);

	(void)state;
	start(&s, 0);
	assert_int_equal(SAT_MSG_HELLO, asked(&s).type);
	assert_false(guessed(&s, &m));
	m = (sat_msg){ .type = SAT_MSG_CHUNK };
	m.u.chunk.lsn = 60;
	m.u.chunk.next = 1;
	sat_hash(m.u.chunk.hash, (sat_span){ NULL, 0 });
	assert_true(guessed(&s, &m));
	m.u.chunk.next = 2;
	assert_true(guessed(&s, &m));
	m.u.chunk.done = true;
	assert_false(guessed(&s, &m));
	m = (sat_msg){ .type = SAT_MSG_DELTA };
	m.u.delta.upto = 65;
	m.u.delta.scope_head = 80;
	assert_true(guessed(&s, &m));
	/* the page turns out to lack an own commit: asked for again, in full */
	m.u.delta.upto = 70;
	s.delta_rc = SAT_ENOTFOUND;
	assert_false(guessed(&s, &m));
	assert_int_equal(65, asked(&s).u.pull.cursor);
	assert_true(guessed(&s, &m));
	m.u.delta.upto = 80;
	assert_false(guessed(&s, &m));
	assert_true(finished(&s));
	stop(&s);
}

/* Two commits under way, three behind them. */
static void
start_two_pushes(script *s)
{
	sat_msg m = a_welcome(0);
	sat_err err = { 0 };

	start(s, SAT_CS_PUSH_ONLY);
	assert_int_equal(SAT_MSG_HELLO, asked(s).type);
	sat_cs_prepare(s->cs); /* nothing is under way */
	assert_ok(answer(s, &m, &err));
	m = asked(s);
	assert_int_equal(SAT_MSG_PUSH, m.type);
	assert_int_equal(1, m.u.push.first_cseq);
	sat_cs_prepare(s->cs);
	assert_int_equal(1, asked(s).u.push.first_cseq);
}

static void
the_push_behind_a_push_is_built_before_its_verdicts(void **state) /* P-310 */
{
	script s = { .waits = 2, .behind = 3 };
	sat_verdict v[3];
	sat_msg m;
	sat_err err = { 0 };

	(void)state;
	start_two_pushes(&s);
	m = some_verdicts(v, 1, 2);
	s.waits += s.behind; /* they were there all the time */
	s.behind = 0;
	assert_true(guessed(&s, &m));
	m = asked(&s);
	assert_int_equal(3, m.u.push.first_cseq);
	sat_cs_prepare(s.cs); /* nothing is behind these */
	m = some_verdicts(v, 3, 3);
	v[2].eff = 0; /* the one that was sent */
	assert_false(guessed(&s, &m));
	assert_true(finished(&s));
	assert_int_equal(5, sat_cs_stats_get(s.cs)->accepted);
	m = some_verdicts(v, 3, 3);
	assert_rc(SAT_EPROTO, answer(&s, &m, &err));
	stop(&s);
}

static void
what_was_built_behind_a_gap_is_not_sent(void **state) /* P-310, P-074 */
{
	script s = { .waits = 2, .first = 3, .behind = 3 };
	sat_msg m = a_welcome(0);
	sat_err err = { 0 };

	(void)state;
	start(&s, SAT_CS_PUSH_ONLY);
	(void)asked(&s);
	assert_ok(answer(&s, &m, &err));
	assert_int_equal(3, asked(&s).u.push.first_cseq);
	sat_cs_prepare(s.cs);
	m = (sat_msg){ .type = SAT_MSG_VERDICTS };
	m.u.verdicts.need_cseq = 1;
	assert_false(guessed(&s, &m));
	m = asked(&s);
	assert_int_equal(1, m.u.push.first_cseq);
	assert_int_equal(1, s.from_seen);
	stop(&s);
}

static void
a_page_that_needs_a_newer_template_makes_it_ask_once(void **state) /* P-169 */
{
	script s = { .cursor = 9 };
	sat_msg m = a_welcome(20), page = { .type = SAT_MSG_DELTA };
	sat_err err = { 0 };

	(void)state;
	start(&s, 0);
	(void)asked(&s);
	assert_ok(answer(&s, &m, &err));
	assert_int_equal(SAT_MSG_PULL, asked(&s).type);
	page.u.delta.upto = 20;
	page.u.delta.scope_head = 20;
	s.delta_rc = SAT_EVERSION;
	assert_ok(answer(&s, &page, &err));
	assert_int_equal(SAT_MSG_TEMPLATE, asked(&s).type);
	m = (sat_msg){ .type = SAT_MSG_TEMPLATE_IS };
	m.u.template_is.bundle = sat_span_str("b");
	assert_ok(answer(&s, &m, &err));
	assert_int_equal(1, s.templates);
	m = asked(&s);
	assert_int_equal(SAT_MSG_PULL, m.type);
	assert_int_equal(9, m.u.pull.cursor);
	s.delta_rc = SAT_EVERSION; /* and no circle */
	assert_rc(SAT_EVERSION, answer(&s, &page, &err));
	stop(&s);
}

static void
after_a_push_the_cursor_must_pass_it(void **state)
{
	script s = { .cursor = 9, .waits = 1 };
	sat_msg m = a_welcome(9);
	sat_verdict v[1];
	sat_err err = { 0 };

	(void)state;
	start(&s, 0);
	(void)asked(&s);
	assert_ok(answer(&s, &m, &err));
	assert_int_equal(SAT_MSG_PUSH, asked(&s).type);
	m = some_verdicts(v, 1, 1);
	assert_ok(answer(&s, &m, &err));
	assert_int_equal(SAT_MSG_PULL, asked(&s).type);
	stop(&s);
}

/* An earlier session ended behind its verdicts. */
static void
what_was_accepted_before_is_passed_once(void **state)
{
	script s = { .cursor = 9, .accepted = 12 };
	sat_msg m = a_welcome(9);
	sat_err err = { 0 };

	(void)state;
	start(&s, 0);
	(void)asked(&s);
	assert_ok(answer(&s, &m, &err));
	assert_int_equal(SAT_MSG_PULL, asked(&s).type);
	/* a server that has not got so far: no second time */
	m = (sat_msg){ .type = SAT_MSG_DELTA };
	m.u.delta.upto = m.u.delta.head = m.u.delta.scope_head = 9;
	assert_ok(answer(&s, &m, &err));
	assert_true(finished(&s));
	stop(&s);
}

static void
flags_leave_out_one_direction(void **state)
{
	script push = { .cursor = 1, .waits = 0 };
	script pull = { .cursor = 1, .waits = 3 };
	sat_msg m = a_welcome(9);
	sat_err err = { 0 };

	(void)state;
	start(&push, SAT_CS_PUSH_ONLY);
	(void)asked(&push);
	assert_ok(answer(&push, &m, &err));
	assert_true(finished(&push));
	assert_false(sat_cs_stats_get(push.cs)->complete);
	stop(&push);
	start(&pull, SAT_CS_PULL_ONLY);
	(void)asked(&pull);
	assert_ok(answer(&pull, &m, &err));
	assert_int_equal(SAT_MSG_PULL, asked(&pull).type);
	stop(&pull);
}

static void
a_lost_own_commit_is_asked_for_in_full_once(void **state)
{
	script s = { .cursor = 1, .delta_rc = SAT_ENOTFOUND };
	sat_msg m = a_welcome(9);
	sat_err err = { 0 };

	(void)state;
	start(&s, 0);
	(void)asked(&s);
	assert_ok(answer(&s, &m, &err));
	assert_int_equal(0, asked(&s).u.pull.flags);
	m = (sat_msg){ .type = SAT_MSG_DELTA };
	m.u.delta.upto = 5;
	m.u.delta.scope_head = 9;
	assert_ok(answer(&s, &m, &err));
	m = asked(&s);
	assert_int_equal(SAT_PULL_FULL_OWN, m.u.pull.flags);
	assert_int_equal(1, m.u.pull.cursor);
	m = (sat_msg){ .type = SAT_MSG_DELTA };
	m.u.delta.upto = 5;
	m.u.delta.scope_head = 9;
	assert_ok(answer(&s, &m, &err));
	assert_int_equal(0, asked(&s).u.pull.flags);
	/* in full and still not found: no circle */
	s.delta_rc = SAT_ENOTFOUND;
	m.u.delta.upto = 6;
	assert_ok(answer(&s, &m, &err));
	(void)asked(&s);
	s.delta_rc = SAT_ENOTFOUND;
	assert_rc(SAT_ENOTFOUND, answer(&s, &m, &err));
	stop(&s);
}

static void
a_server_that_lost_commits_gets_them_again(void **state)
{
	script s = { .cursor = 1, .first = 5, .waits = 2 };
	sat_msg m = a_welcome(1);
	sat_verdict v[8];
	sat_err err = { 0 };

	(void)state;
	start(&s, SAT_CS_PUSH_ONLY);
	(void)asked(&s);
	assert_ok(answer(&s, &m, &err));
	assert_int_equal(5, asked(&s).u.push.first_cseq);
	m = (sat_msg){ .type = SAT_MSG_VERDICTS };
	m.u.verdicts.need_cseq = 3;
	assert_ok(answer(&s, &m, &err));
	assert_int_equal(3, asked(&s).u.push.first_cseq);
	m = some_verdicts(v, 3, 4);
	assert_ok(answer(&s, &m, &err));
	assert_true(finished(&s));
	stop(&s);
	/* but not for ever */
	s = (script){ .first = 5, .waits = 2 };
	start(&s, 0);
	(void)asked(&s);
	m = a_welcome(1);
	assert_ok(answer(&s, &m, &err));
	(void)asked(&s);
	m = (sat_msg){ .type = SAT_MSG_VERDICTS };
	m.u.verdicts.need_cseq = 3;
	assert_ok(answer(&s, &m, &err));
	(void)asked(&s);
	assert_rc(SAT_ECONFLICT, answer(&s, &m, &err));
	assert_string_equal("gap", err.code);
	stop(&s);
}

static void
a_fork_says_what_to_do(void **state)
{
	script s = { .waits = 1 };
	sat_msg m = a_welcome(1);
	sat_err err = { 0 };

	(void)state;
	start(&s, 0);
	(void)asked(&s);
	assert_ok(answer(&s, &m, &err));
	(void)asked(&s);
	m = (sat_msg){ .type = SAT_MSG_VERDICTS };
	m.u.verdicts.fork = true;
	assert_rc(SAT_ECONFLICT, answer(&s, &m, &err));
	assert_string_equal("fork", err.code);
	assert_non_null(strstr(err.hint, "incarnation"));
	assert_int_equal(1, s.verdict_calls); /* the device must know too */
	stop(&s);
}

static void
what_does_not_fit_is_a_protocol_error(void **state)
{
	script s = { .cursor = 3, .waits = 1 };
	sat_msg m = { .type = SAT_MSG_REGISTRY_IS };
	sat_verdict v[2];
	sat_err err = { 0 };

	(void)state;
	start(&s, 0);
	assert_rc(SAT_EPROTO, answer(&s, &m, &err)); /* nothing was asked */
	(void)asked(&s);
	assert_rc(SAT_EPROTO, answer(&s, &m, &err));
	m = a_welcome(9);
	m.u.welcome.proto = 99;
	assert_rc(SAT_EVERSION, answer(&s, &m, &err));
	m.u.welcome.proto = 1;
	assert_ok(answer(&s, &m, &err));
	(void)asked(&s);
	m = some_verdicts(v, 1, 2); /* one too many */
	assert_rc(SAT_EPROTO, answer(&s, &m, &err));
	m = some_verdicts(v, 1, 0);
	assert_rc(SAT_EPROTO, answer(&s, &m, &err));
	s.stuck_outbox = true;
	m = some_verdicts(v, 1, 1);
	assert_ok(answer(&s, &m, &err));
	{
		bool done;

		assert_rc(SAT_EPROTO, sat_cs_next(s.cs, &s.q, &done, &err));
	}
	stop(&s);
	s = (script){ .cursor = 3 };
	start(&s, 0);
	(void)asked(&s);
	m = a_welcome(9);
	assert_ok(answer(&s, &m, &err));
	(void)asked(&s);
	m = (sat_msg){ .type = SAT_MSG_DELTA };
	m.u.delta.upto = 3; /* stands still */
	m.u.delta.scope_head = 9;
	assert_rc(SAT_EPROTO, answer(&s, &m, &err));
	m.u.delta.upto = 2; /* goes back */
	m.u.delta.scope_head = 2;
	assert_rc(SAT_EPROTO, answer(&s, &m, &err));
	assert_int_equal(0, s.deltas);
	stop(&s);
}

static void
a_chunk_that_was_changed_is_refused(void **state)
{
	script s = { .snap_wanted = true };
	sat_msg m = a_welcome(9);
	sat_err err = { 0 };

	(void)state;
	start(&s, 0);
	(void)asked(&s);
	assert_ok(answer(&s, &m, &err));
	(void)asked(&s);
	m = (sat_msg){ .type = SAT_MSG_CHUNK };
	m.u.chunk.done = true;
	assert_rc(SAT_EINTEGRITY, answer(&s, &m, &err));
	sat_hash(m.u.chunk.hash, (sat_span){ NULL, 0 });
	m.u.chunk.done = false; /* and no way on */
	assert_rc(SAT_EPROTO, answer(&s, &m, &err));
	assert_int_equal(0, s.chunks);
	stop(&s);
}

static void
an_error_frame_ends_the_session_with_its_code(void **state)
{
	script s = { 0 };
	sat_err in = { 0 }, err = { 0 };
	sat_buf b = { 0 };

	(void)state;
	start(&s, 0);
	(void)asked(&s);
	(void)sat_fail_code(&in, SAT_EREVOKED, "device.revoked", NULL, "gone");
	sat_msg_write_error(&b, &in);
	assert_rc(SAT_EREVOKED, sat_cs_reply(s.cs, sat_buf_span(&b), &err));
	assert_string_equal("device.revoked", err.code);
	sat_buf_fini(&b);
	stop(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_to_do_is_one_round_trip),
		cmocka_unit_test(the_order_is_registry_template_push_snapshot_pull),
		cmocka_unit_test(the_page_behind_a_page_is_known_before_that_is_taken_in),
		cmocka_unit_test(the_push_behind_a_push_is_built_before_its_verdicts),
		cmocka_unit_test(what_was_built_behind_a_gap_is_not_sent),
		cmocka_unit_test(a_page_that_needs_a_newer_template_makes_it_ask_once),
		cmocka_unit_test(after_a_push_the_cursor_must_pass_it),
		cmocka_unit_test(what_was_accepted_before_is_passed_once),
		cmocka_unit_test(flags_leave_out_one_direction),
		cmocka_unit_test(a_lost_own_commit_is_asked_for_in_full_once),
		cmocka_unit_test(a_server_that_lost_commits_gets_them_again),
		cmocka_unit_test(a_fork_says_what_to_do),
		cmocka_unit_test(what_does_not_fit_is_a_protocol_error),
		cmocka_unit_test(a_chunk_that_was_changed_is_refused),
		cmocka_unit_test(an_error_frame_ends_the_session_with_its_code),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
