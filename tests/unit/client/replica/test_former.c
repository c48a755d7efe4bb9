/* What is handed on to the heir of a commit after a server was lost (P-391). */
#include "tests/unit/client/replica/fixture.h"

#include "protocol/epoch.h"

#define BASE 2
#define FIRST (BASE + SAT_EPOCH_SKIP)

static uint8_t root_sk[SAT_SIGN_SK_BYTES];

static int
setup_rooted(void **state)
{
	uint8_t seed[32] = { 7 }, root_pk[SAT_SIGN_PK_BYTES];

	sat_sign_keys(root_pk, root_sk, seed);
	setup_in_plain(state, NULL, root_pk);
	return 0;
}

/* The server came back from a backup as of position BASE. */
static void
lose_server(fixture *f)
{
	sat_epoch c = { .org = sat_replica_identity_get(f->r)->org,
		.epoch = 1, .base_lsn = BASE, .first_lsn = FIRST,
		.base_eid = 1, .seed_roles = SAT_SEED_REP,
		.until_ms = INT64_MAX / 2 };
	sat_welcome w = { .proto = 1, .wall_ms = f->now_ms, .head = BASE,
		.scope_head = BASE, .epoch = 1, .ncerts = 1 };
	sat_buf b = { 0 };
	sat_span span;
	sat_err err = { 0 };

	sat_epoch_sign(&c, root_sk);
	sat_epoch_write(&b, &c);
	span = sat_buf_span(&b);
	w.certs = &span;
	assert_ok(f->ops.welcome(f->ops.u, &w, f->now_ms, &err));
	sat_buf_fini(&b);
}

static void
answer(fixture *f, uint64_t cseq, sat_verdict_code code, uint64_t lsn)
{
	sat_verdict v = { .cseq = cseq, .code = code, .lsn = lsn,
		.eff = lsn != 0 ? sat_hlc_of_ms(f->now_ms) + lsn % 100 : 0,
		.slug = sat_span_str(lsn != 0 ? "" : "needs_parent") };
	sat_verdicts vs = { .v = &v, .n = 1 };
	sat_err err = { 0 };

	assert_ok(f->ops.verdicts(f->ops.u, 1, &vs, &err));
}

static void
unpark(fixture *f)
{
	uint64_t n = 0;
	sat_err err = { 0 };

	assert_ok(f->ops.unpark(f->ops.u, &n, &err));
	assert_int_equal(1, n);
}

/* What the next push says of its first commit. */
static sat_old
said(fixture *f, uint64_t cseq)
{
	sat_push p = { 0 };
	sat_commit *list;
	size_t n;
	sat_err err = { 0 };

	assert_ok(f->ops.outbox(f->ops.u, &f->a, &p, &list, &n, 0, &err));
	assert_int_equal(1, n);
	assert_int_equal(cseq, p.first_cseq);
	return p.nold != 0 ? p.old[0] : (sat_old){ 0 };
}

static void
parked_work_names_the_numbers_it_had(void **state) /* P-391 */
{
	fixture *f = *state;
	sat_id id = new_account(f, "Mill", "13800000001"); /* 1 */
	sat_old old;

	(void)set_text(f, id, F_CITY, "x");                /* 2 */
	srv_sync(f);
	(void)set_text(f, id, F_CITY, "y");                /* 3: never heard of */
	lose_server(f);
	old = said(f, 3);
	assert_int_equal(0, old.n + old.nwas);
	answer(f, 3, SAT_VD_PARKED, 0);
	unpark(f);
	for (int again = 0; again < 2; again++) {
		old = said(f, 4);
		assert_int_equal(1, old.nwas);
		assert_int_equal(1, old.was[0].incarnation);
		assert_int_equal(3, old.was[0].cseq);
		reopen(f);
	}
	(void)said(f, 4);
	answer(f, 4, SAT_VD_PARKED, 0); /* once more */
	unpark(f);
	old = said(f, 5);
	assert_int_equal(2, old.nwas);
	assert_int_equal(4, old.was[0].cseq);
	assert_int_equal(3, old.was[1].cseq);
	answer(f, 5, SAT_VD_OK, FIRST + 1);
	assert_text(f, id, F_CITY, "y");
	assert_sound(f);
}

static void
without_a_loss_there_is_nothing_to_say(void **state)
{
	fixture *f = *state;
	sat_id id = new_account(f, "Mill", "13800000001");
	sat_old old;

	srv_sync(f);
	(void)set_text(f, id, F_CITY, "y");
	(void)said(f, 2);
	answer(f, 2, SAT_VD_PARKED, 0);
	unpark(f);
	old = said(f, 3);
	assert_int_equal(0, old.n + old.nwas);
}

/* The other copy of the folder has a commit under the old number, too. */
static void
work_that_moves_after_a_fork_keeps_its_position_and_not_its_number(void **state)
{ /* P-205, P-391 */
	fixture *f = *state;
	sat_id id = new_account(f, "Mill", "13800000001");
	sat_verdicts fork = { .need_cseq = 3, .fork = true };
	sat_old old;
	sat_err err = { 0 };

	(void)set_text(f, id, F_CITY, "x");
	(void)set_text(f, id, F_CITY, "y"); /* 3, at position 3 */
	srv_sync(f);
	lose_server(f);
	old = said(f, 3);
	assert_int_equal(1, old.n);
	assert_ok(f->ops.verdicts(f->ops.u, 1, &fork, &err));
	assert_ok(sat_replica_new_incarnation(f->r, &err));
	old = said(f, 1);
	assert_int_equal(1, old.n);
	assert_int_equal(3, old.at[0]);
	assert_int_equal(0, old.nwas);
	assert_text(f, id, F_CITY, "y");
	assert_sound(f);
}

int
main(void)
{
#define P(name) cmocka_unit_test_setup_teardown(name, setup_rooted, teardown)
	const struct CMUnitTest tests[] = {
		P(parked_work_names_the_numbers_it_had),
		P(without_a_loss_there_is_nothing_to_say),
		P(work_that_moves_after_a_fork_keeps_its_position_and_not_its_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
