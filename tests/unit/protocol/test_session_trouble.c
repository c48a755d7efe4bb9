/* What the session of a device recovers from, and does not put up with. */
#include "tests/lib/unit.h"

#include "protocol/client.h"
#include "tests/unit/protocol/script.h"

static void
a_lost_own_commit_is_asked_for_in_full_once(void **state)
{
	script s = { .cursor = 1, .delta_rc = SAT_ENOTFOUND };
	sat_msg m = a_welcome(9);
	sat_err err = { 0 };

	(void)state;
	opened(&s, 0, &m);
	assert_int_equal(0, asked(&s).u.pull.flags);
	m = a_delta(5, 9);
	assert_ok(answer(&s, &m, &err));
	m = asked(&s);
	assert_int_equal(SAT_PULL_FULL_OWN, m.u.pull.flags);
	assert_int_equal(1, m.u.pull.cursor);
	m = a_delta(5, 9);
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
	opened(&s, SAT_CS_PUSH_ONLY, &m);
	assert_int_equal(5, asked(&s).u.push.first_cseq);
	m = a_gap(3);
	assert_ok(answer(&s, &m, &err));
	assert_int_equal(3, asked(&s).u.push.first_cseq);
	m = some_verdicts(v, 3, 4);
	assert_ok(answer(&s, &m, &err));
	assert_true(finished(&s));
	stop(&s);
	/* but not for ever */
	s = (script){ .first = 5, .waits = 2 };
	m = a_welcome(1);
	opened(&s, 0, &m);
	(void)asked(&s);
	m = a_gap(3);
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
	opened(&s, 0, &m);
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
	m = a_welcome(9);
	opened(&s, 0, &m);
	(void)asked(&s);
	m = a_delta(3, 9); /* stands still */
	assert_rc(SAT_EPROTO, answer(&s, &m, &err));
	m = a_delta(2, 2); /* goes back */
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
	opened(&s, 0, &m);
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

/* What it wrote is on the server before it says that it must be updated. */
static void
a_program_too_old_for_the_template_sends_all_it_has(void **state) /* P-452 */
{
	script s = { .waits = 2, .cursor = 9, .tip = { 1 }, .too_old = true };
	sat_msg m = a_welcome(20);
	sat_verdict v[2];
	sat_buf out = { 0 };
	bool done;
	sat_err err = { 0 };

	(void)state;
	m.u.welcome.template_oid[0] = 2;
	opened(&s, 0, &m);
	assert_int_equal(SAT_MSG_TEMPLATE, asked(&s).type);
	m = a_template();
	m.u.template_is.tip[0] = 2;
	assert_ok(answer(&s, &m, &err));
	assert_int_equal(SAT_MSG_PUSH, asked(&s).type);
	m = some_verdicts(v, 1, 2);
	assert_ok(answer(&s, &m, &err));
	assert_rc(SAT_EVERSION, sat_cs_next(s.cs, &out, &done, &err));
	assert_string_equal("template.min_client", err.code);
	assert_string_equal("update this program", err.hint);
	assert_int_equal(2, sat_cs_stats_get(s.cs)->accepted);
	assert_false(sat_cs_stats_get(s.cs)->template_changed);
	assert_false(sat_cs_stats_get(s.cs)->complete);
	assert_int_equal(0, s.deltas);
	sat_buf_fini(&out);
	stop(&s);
}

static void
a_first_template_that_cannot_be_read_ends_the_session(void **state)
{
	script s = { .snap_wanted = true, .too_old = true };
	sat_msg m = a_welcome(0), t = a_template();
	sat_err err = { 0 };

	(void)state;
	m.u.welcome.template_oid[0] = 1;
	opened(&s, 0, &m);
	assert_int_equal(SAT_MSG_TEMPLATE, asked(&s).type);
	assert_rc(SAT_EVERSION, answer(&s, &t, &err));
	stop(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_lost_own_commit_is_asked_for_in_full_once),
		cmocka_unit_test(a_server_that_lost_commits_gets_them_again),
		cmocka_unit_test(a_fork_says_what_to_do),
		cmocka_unit_test(what_does_not_fit_is_a_protocol_error),
		cmocka_unit_test(a_chunk_that_was_changed_is_refused),
		cmocka_unit_test(an_error_frame_ends_the_session_with_its_code),
		cmocka_unit_test(
		    a_program_too_old_for_the_template_sends_all_it_has),
		cmocka_unit_test(
		    a_first_template_that_cannot_be_read_ends_the_session),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
