/* Of two faults the cheaper one to find decides (P-076). */
#include "tests/unit/server/store/sqlite/device.h"

/* What is wrong with a push; each is found before the ones behind it. */
enum { SEEN = 1, ACTOR = 2, TEMPLATE = 4, SIGNATURE = 8, GAP = 16, FORM = 32,
	REVOKED = 64 };

static world *w;
static device *ann, *sue;
static sat_id theirs; /* a customer ann may not see */

static int
set_up(void **state)
{
	(void)state;
	w = world_of(9, "ann rep north, sue rep");
	ann = device_new(w, "ann");
	sue = device_new(w, "sue");
	theirs = device_account(sue, "theirs", "sue");
	(void)device_account(ann, "mine", "ann");
	SYNC(sue, ann);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	device_free(ann);
	device_free(sue);
	world_free(w);
	return 0;
}

/* An edit of somebody else's customer, with these faults besides. */
static void
spoilt(sat_buf *out, unsigned faults)
{
	sat_op op = op_set(&theirs, K_ACCOUNT, SAT_OP_SET, A_REMARK, txt("x"));
	sat_msg m = { .type = SAT_MSG_PUSH };
	uint8_t head[SAT_HASH_BYTES];
	sat_buf batch = { 0 };
	sat_arena a = { 0 };
	sat_err err = { 0 };
	sat_commit *c;
	size_t n;
	own *o;

	memcpy(head, ann->head, sizeof head);
	o = device_commit(ann, &theirs, &op, 1);
	if (faults & SEEN)
		o->c.seen = 1u << 20;
	if (faults & ACTOR)
		o->c.actor = sue->user;
	if (faults & TEMPLATE)
		o->c.template_oid[0] ^= 1;
	if (faults & GAP)
		o->c.cseq += 10;
	sat_commit_seal(&o->c, ann->head);
	assert_ok(op_outbox(ann, &a, &m.u.push, &c, &n, 0, &err));
	if (faults & SIGNATURE)
		m.u.push.sig[9] ^= 1;
	assert_ok(sat_batch_write(&batch, SAT_BATCH_PUSH, c, n, &err));
	m.u.push.batch = sat_buf_span(&batch);
	sat_msg_write(out, &m);
	if (faults & FORM)
		sat_write_u8(out, 0);
	/* as if it had never been written */
	ann->nout--;
	memcpy(ann->head, head, sizeof head);
	sat_buf_fini(&batch);
	sat_arena_fini(&a);
}

/* The slug of the answer. */
static void
answer_to(char out[48], unsigned faults)
{
	sat_buf frame = { 0 }, reply = { 0 };
	sat_arena a = { 0 };
	sat_err err = { 0 };
	sat_span slug = sat_span_str("ok");
	sat_msg m;

	spoilt(&frame, faults);
	assert_ok(sat_server_handle(w->server, &ann->link, &reply,
	    sat_buf_span(&frame), &err));
	assert_ok(sat_msg_read(&m, &a, sat_buf_span(&reply), &err));
	if (m.type == SAT_MSG_ERROR)
		slug = m.u.error.code;
	else if (m.u.verdicts.need_cseq != 0)
		slug = sat_span_str("gap");
	else if (m.u.verdicts.v[0].slug.n > 0)
		slug = m.u.verdicts.v[0].slug;
	(void)snprintf(out, 48, "%.*s", (int)slug.n, (const char *)slug.p);
	sat_buf_fini(&frame);
	sat_buf_fini(&reply);
	sat_arena_fini(&a);
}

static void
of_two_faults_the_cheaper_decides(void **state) /* P-076 */
{
	static const struct {
		unsigned faults;
		const char *slug;
	} rows[] = {
		{ FORM | GAP | SIGNATURE, "malformed" },
		{ GAP | SIGNATURE | TEMPLATE, "gap" },
		{ SIGNATURE | TEMPLATE | ACTOR | SEEN, "signature" },
	};
	sat_err err = { 0 };
	char got[48];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		answer_to(got, rows[i].faults);
		assert_string_equal(rows[i].slug, got);
	}
	assert_ok(sat_sqlite_device_revoke(w->store, ann->ord, &err));
	assert_ok(sat_server_reload(w->server, &err));
	answer_to(got, FORM | GAP | SIGNATURE);
	assert_string_equal("device.revoked", got);
}

/* These take a number in the chain, so each has a world of its own. */
static void
verdict_of(unsigned faults, const char *slug)
{
	char got[48];

	answer_to(got, faults);
	assert_string_equal(slug, got);
}

static void
an_unknown_template_before_the_author(void **state)
{
	(void)state;
	verdict_of(TEMPLATE | ACTOR | SEEN, "template.unknown");
}

static void
the_author_before_what_he_saw(void **state)
{
	(void)state;
	verdict_of(ACTOR | SEEN, "actor");
}

static void
what_he_saw_before_his_right(void **state)
{
	(void)state;
	verdict_of(SEEN, "seen.future");
}

static void
his_right_last(void **state)
{
	(void)state;
	verdict_of(0, "denied");
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(of_two_faults_the_cheaper_decides),
		T(an_unknown_template_before_the_author),
		T(the_author_before_what_he_saw),
		T(what_he_saw_before_his_right),
		T(his_right_last),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
