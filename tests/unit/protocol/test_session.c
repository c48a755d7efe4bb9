/* The session of a device: what it asks, and in which order. */
#include "tests/lib/unit.h"

#include <stdlib.h>

#include "protocol/batch.h"
#include "protocol/client.h"
#include "tests/unit/protocol/script.h"

static void
nothing_to_do_is_one_round_trip(void **state)
{
	script s = { .cursor = 9 };
	sat_msg w = a_welcome(9);

	(void)state;
	opened(&s, 0, &w);
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
	m = a_template();
	assert_ok(answer(&s, &m, &err));
	m = asked(&s);
	assert_int_equal(SAT_MSG_PUSH, m.type);
	assert_int_equal(1, m.u.push.first_cseq);
	m = some_verdicts(v, 1, 2);
	assert_ok(answer(&s, &m, &err));
	assert_int_equal(SAT_MSG_SNAP, asked(&s).type);
	m = a_chunk(1);
	assert_ok(answer(&s, &m, &err));
	assert_int_equal(1, asked(&s).u.snap.after);
	m.u.chunk.done = true;
	m.u.chunk.next = 2;
	assert_ok(answer(&s, &m, &err));
	m = asked(&s);
	assert_int_equal(SAT_MSG_PULL, m.type);
	assert_int_equal(60, m.u.pull.cursor);
	m = a_delta(65, 80);
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
	s->guess = any ? ahead.p[0] : 0;
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
	m = a_chunk(1);
	assert_true(guessed(&s, &m));
	m.u.chunk.next = 2;
	assert_true(guessed(&s, &m));
	m.u.chunk.done = true;
	assert_false(guessed(&s, &m));
	m = a_delta(65, 80);
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

/* Up to its template, which has come; is the first chunk guessed? */
static bool
guessed_behind_template(script *s, unsigned flags, size_t bundle)
{
	static const uint8_t bytes[1];
	sat_msg m = a_welcome(0);
	bool right;

	m.u.welcome.template_oid[0] = 1;
	opened(s, flags, &m);
	assert_int_equal(SAT_MSG_TEMPLATE, asked(s).type);
	m = a_template();
	m.u.template_is.bundle = sat_span_of(bytes, bundle);
	right = guessed(s, &m);
	stop(s);
	return right;
}

static void
behind_its_first_template_a_device_is_filled(void **state) /* P-290 */
{
	script empty = { .snap_wanted = true }, works = empty, has = empty,
		none = empty, pushes = empty;

	(void)state;
	assert_true(guessed_behind_template(&empty, 0, 1));
	assert_int_equal(SAT_MSG_SNAP, empty.guess);
	works.waits = 2;
	assert_false(guessed_behind_template(&works, 0, 1));
	assert_int_equal(0, works.guess);
	has.tip[0] = 7;
	assert_false(guessed_behind_template(&has, 0, 1));
	assert_int_equal(0, has.guess);
	assert_false(guessed_behind_template(&none, 0, 0));
	assert_int_equal(0, none.guess);
	assert_false(guessed_behind_template(&pushes, SAT_CS_PUSH_ONLY, 1));
	assert_int_equal(0, pushes.guess);
}

static void
what_is_guessed_outlasts_numbers_alone(void **state) /* P-290 */
{
	script s = { .wants_numbers = true, .has_file = true };
	sat_msg m = a_welcome(0);
	sat_err err = { 0 };

	(void)state;
	start(&s, SAT_CS_PUSH_ONLY);
	assert_false(sat_cs_keeps(s.cs));
	assert_int_equal(SAT_MSG_HELLO, asked(&s).type);
	assert_false(sat_cs_keeps(s.cs));
	assert_ok(answer(&s, &m, &err));
	assert_int_equal(SAT_MSG_NUMBERS, asked(&s).type);
	assert_true(sat_cs_keeps(s.cs));
	m = (sat_msg){ .type = SAT_MSG_NUMBERS_IS };
	assert_ok(answer(&s, &m, &err));
	assert_int_equal(SAT_MSG_FILE_PUT, asked(&s).type);
	assert_false(sat_cs_keeps(s.cs));
	stop(&s);
}

/* One commit with a value of so many bytes that do not compress. */
static void
a_batch(sat_buf *out, size_t bytes)
{
	uint8_t *v = sat_xmalloc(bytes);
	uint64_t seed = sat_test_seed(77);
	sat_op op = { .kind = SAT_OP_SET, .rtype = 1, .eid = 7, .field = 1 };
	sat_commit c = { .device = 2, .incarnation = 1, .cseq = 1, .hlc = 9,
		.eff = 9, .lsn = 80, .actor = 1, .subject_eid = 7, .nops = 1,
		.ops = &op };
	sat_err err = { 0 };

	for (size_t i = 0; i < bytes; i++)
		v[i] = (uint8_t)sat_test_rand(&seed);
	op.value = (sat_value){ .type = SAT_V_BYTES,
		.s = sat_span_of(v, bytes) };
	assert_ok(sat_batch_write(out, SAT_BATCH_PULL, &c, 1, &err));
	free(v);
}

static void
behind_a_large_page_it_asks_once_more(void **state) /* P-290 */
{
	script s = { .cursor = 60 };
	sat_msg w = a_welcome(80), m = a_delta(80, 80);
	sat_buf large = { 0 }, small = { 0 };

	(void)state;
	a_batch(&large, 5000);
	a_batch(&small, 3000);
	opened(&s, 0, &w);
	assert_int_equal(60, asked(&s).u.pull.cursor);
	m.u.delta.batch = sat_buf_span(&large);
	assert_true(guessed(&s, &m));
	assert_int_equal(80, asked(&s).u.pull.cursor);
	m.u.delta.batch = sat_buf_span(&small);
	assert_false(guessed(&s, &m));
	assert_true(finished(&s));
	assert_int_equal(3, sat_cs_stats_get(s.cs)->round_trips);
	assert_true(sat_cs_stats_get(s.cs)->complete);
	stop(&s);
	sat_buf_fini(&large);
	sat_buf_fini(&small);
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
a_session_that_only_pushes_gives_its_files_also_behind_numbers(void **state)
{ /* P-440 */
	script s = { .wants_numbers = true, .has_file = true };
	sat_msg m = a_welcome(20), n = { .type = SAT_MSG_NUMBERS_IS };
	sat_msg t = { .type = SAT_MSG_FILE_TAKEN };
	sat_err err = { 0 };

	(void)state;
	opened(&s, SAT_CS_PUSH_ONLY, &m);
	assert_int_equal(SAT_MSG_NUMBERS, asked(&s).type);
	assert_ok(answer(&s, &n, &err));
	assert_int_equal(SAT_MSG_FILE_PUT, asked(&s).type);
	t.u.file_taken.fate = SAT_FILE_KEPT;
	assert_ok(answer(&s, &t, &err));
	assert_true(finished(&s));
	stop(&s);
}

static void
what_was_built_behind_a_gap_is_not_sent(void **state) /* P-310, P-074 */
{
	script s = { .waits = 2, .first = 3, .behind = 3 };
	sat_msg m = a_welcome(0);

	(void)state;
	opened(&s, SAT_CS_PUSH_ONLY, &m);
	assert_int_equal(3, asked(&s).u.push.first_cseq);
	sat_cs_prepare(s.cs);
	m = a_gap(1);
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
	sat_msg m = a_welcome(20), page = a_delta(20, 20);
	sat_err err = { 0 };

	(void)state;
	opened(&s, 0, &m);
	assert_int_equal(SAT_MSG_PULL, asked(&s).type);
	s.delta_rc = SAT_EVERSION;
	assert_ok(answer(&s, &page, &err));
	assert_int_equal(SAT_MSG_TEMPLATE, asked(&s).type);
	m = a_template();
	assert_ok(answer(&s, &m, &err));
	assert_int_equal(SAT_MSG_TEMPLATE, asked(&s).type); /* a part? P-451 */
	m.u.template_is.bundle.n = 0;
	assert_ok(answer(&s, &m, &err));
	assert_int_equal(1, s.templates);
	m = asked(&s);
	assert_int_equal(SAT_MSG_PULL, m.type);
	assert_int_equal(9, m.u.pull.cursor);
	s.delta_rc = SAT_EVERSION; /* and no circle */
	assert_rc(SAT_EVERSION, answer(&s, &page, &err));
	stop(&s);
}

/* A device that has nothing: no record comes before the whole of it. */
static void
a_template_in_parts_is_asked_for_to_its_end(void **state) /* P-451 */
{
	script s = { .snap_wanted = true };
	sat_msg m = a_welcome(0), part = a_template();

	(void)state;
	m.u.welcome.template_oid[0] = 3;
	opened(&s, 0, &m);
	for (uint8_t n = 1; n <= 3; n++) {
		m = asked(&s);
		assert_int_equal(SAT_MSG_TEMPLATE, m.type);
		assert_int_equal(n - 1, m.u.template_have[0]);
		part.u.template_is.tip[0] = n;
		assert_int_equal(n == 3, guessed(&s, &part));
	}
	assert_int_equal(3, s.templates);
	assert_int_equal(SAT_MSG_SNAP, asked(&s).type);
	stop(&s);
}

static void
a_part_that_brings_no_further_ends_the_session(void **state) /* P-451 */
{
	script s = { .snap_wanted = true };
	sat_msg m = a_welcome(0), part = a_template();
	sat_err err = { 0 };

	(void)state;
	m.u.welcome.template_oid[0] = 3;
	opened(&s, 0, &m);
	assert_int_equal(SAT_MSG_TEMPLATE, asked(&s).type);
	assert_ok(answer(&s, &part, &err));
	assert_int_equal(SAT_MSG_TEMPLATE, asked(&s).type);
	assert_rc(SAT_EPROTO, answer(&s, &part, &err));
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
	opened(&s, 0, &m);
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
	opened(&s, 0, &m);
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

	(void)state;
	opened(&push, SAT_CS_PUSH_ONLY, &m);
	assert_true(finished(&push));
	assert_false(sat_cs_stats_get(push.cs)->complete);
	stop(&push);
	opened(&pull, SAT_CS_PULL_ONLY, &m);
	assert_int_equal(SAT_MSG_PULL, asked(&pull).type);
	stop(&pull);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_to_do_is_one_round_trip),
		cmocka_unit_test(the_order_is_registry_template_push_snapshot_pull),
		cmocka_unit_test(the_page_behind_a_page_is_known_before_that_is_taken_in),
		cmocka_unit_test(behind_its_first_template_a_device_is_filled),
		cmocka_unit_test(what_is_guessed_outlasts_numbers_alone),
		cmocka_unit_test(behind_a_large_page_it_asks_once_more),
		cmocka_unit_test(the_push_behind_a_push_is_built_before_its_verdicts),
		cmocka_unit_test(what_was_built_behind_a_gap_is_not_sent),
		cmocka_unit_test(a_page_that_needs_a_newer_template_makes_it_ask_once),
		cmocka_unit_test(a_template_in_parts_is_asked_for_to_its_end),
		cmocka_unit_test(a_part_that_brings_no_further_ends_the_session),
		cmocka_unit_test(after_a_push_the_cursor_must_pass_it),
		cmocka_unit_test(what_was_accepted_before_is_passed_once),
		cmocka_unit_test(a_session_that_only_pushes_gives_its_files_also_behind_numbers),
		cmocka_unit_test(flags_leave_out_one_direction),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
