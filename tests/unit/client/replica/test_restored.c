/* Copies, backups and the same number twice. */
#include "tests/unit/client/replica/fixture.h"

static void
work_restored_from_a_backup_is_not_applied_twice(void **state)
{
	fixture *f = *state;
	char *copy = sat_xasprintf("%s/copy.db", f->dir);
	sat_id id = new_account(f, "A", "1");
	sat_op visit = op(f->account, SAT_OP_ADD, id, F_VISITS, sat_v_int(1));
	sat_err err;

	write_ops(f, id, &visit, 1);
	assert_ok(sat_replica_backup(f->r, copy, &err));
	write_ops(f, id, &visit, 1); /* pushed, and lost here */
	srv_sync(f);
	sat_replica_close(f->r);
	f->r = NULL;
	free(f->path);
	f->path = copy;
	reopen(f);
	write_ops(f, id, &visit, 1);
	srv_sync(f);
	assert_int_equal(3,
	    visits_of(f, id));
	assert_settled(f);
}

/* A restored backup began a new incarnation while work of the old one waited;
 * then the server knows another commit under the old one's number. */
static void
work_of_a_later_incarnation_stays_behind_what_it_builds_on(void **state)
{
	fixture *f = *state;
	sat_verdicts fork = { .need_cseq = 1, .fork = true };
	sat_id id = new_account(f, "A", "1");
	sat_commit *log, *c;
	uint64_t commits;
	sat_push p;
	size_t n;
	sat_err err;

	assert_ok(sat_replica_new_incarnation(f->r, &err));
	assert_int_equal(1, set_text(f, id, F_CITY, "x"));
	assert_ok(f->ops.outbox(f->ops.u, &f->a, &p, &c, &n, 0, &err));
	assert_int_equal(1, p.incarnation);
	assert_int_equal(1, n);
	assert_ok(f->ops.verdicts(f->ops.u, 1, &fork, &err));
	assert_ok(sat_replica_new_incarnation(f->r, &err));
	assert_ok(sat_replica_log(&log, &n, &f->a, f->r, 0, &err));
	assert_int_equal(2, n); /* newest first */
	assert_int_equal(2, log[0].cseq);
	assert_int_equal(1, log[1].cseq);
	assert_int_equal(log[0].incarnation, log[1].incarnation);
	assert_int_equal(SAT_OP_NEW, log[1].ops[0].kind);
	assert_sound(f);
	reopen(f);
	srv_sync(f);
	assert_text(f, id, F_CITY, "x");
	assert_ok(sat_replica_verify_chain(f->r, 0, &commits, &err));
	assert_settled(f);
}

/* The same folder twice: both went on under the same numbers. */
static void
work_under_a_number_the_server_knows_goes_on_in_a_new_incarnation(void **state)
{
	fixture *f = *state;
	sat_id id = new_account(f, "A", "1");
	sat_op visit = op(f->account, SAT_OP_ADD, id, F_VISITS, sat_v_int(1));
	sat_op other = op(f->account, SAT_OP_SET, id, F_REMARK, text("copy"));
	sat_commit theirs = { .device = DEV, .incarnation = 1, .cseq = 3,
		.subject = id, .actor = 1, .nops = 1, .ops = &other };
	sat_verdicts fork = { .need_cseq = 3, .fork = true };
	sat_commit *log, *c;
	sat_push p;
	uint64_t commits;
	size_t n;
	sat_err err;

	write_ops(f, id, &visit, 1);
	srv_push(f, true); /* by the original; both have these two */
	theirs.hlc = sat_hlc_of_ms(f->now_ms + 500);
	(void)srv_accept(f, &theirs); /* by the original, after the copy */
	set_text(f, id, F_CITY, "y");
	set_text(f, id, F_REMARK, "z");
	assert_ok(f->ops.outbox(f->ops.u, &f->a, &p, &c, &n, 0, &err));
	assert_int_equal(4, n);
	assert_ok(f->ops.verdicts(f->ops.u, 1, &fork, &err));
	assert_ok(sat_replica_new_incarnation(f->r, &err));
	assert_ok(sat_replica_log(&log, &n, &f->a, f->r, 0, &err));
	assert_int_equal(4, n);
	assert_int_equal(2, log[0].cseq);
	assert_int_equal(log[0].incarnation, log[1].incarnation);
	assert_true(log[0].incarnation > 1);
	assert_int_equal(1, log[2].incarnation);
	assert_sound(f);
	fork.need_cseq = 9; /* never sent */
	assert_rc(SAT_EPROTO, f->ops.verdicts(f->ops.u, 1, &fork, &err));
	reopen(f);
	assert_int_equal(3, set_text(f, id, F_CITY, "q"));
	srv_sync(f);
	assert_text(f, id, F_CITY, "q");
	assert_int_equal(1, visits_of(f, id));
	assert_ok(sat_replica_verify_chain(f->r, 0, &commits, &err));
	assert_settled(f);
}

/* A copy wrote under our number; the server has that one. */
static void
assert_not_taken_for_ours(fixture *f, bool same_stamp)
{
	sat_id id = new_account(f, "A", "1");
	sat_op other = op(f->account, SAT_OP_SET, id, F_REMARK, text("copy"));
	sat_commit theirs = { .device = DEV, .incarnation = 1, .cseq = 2,
		.seen = 1, .subject = id, .actor = 1, .nops = 1,
		.ops = &other };
	sat_commit *log;
	size_t n;
	sat_err err;

	srv_sync(f);
	set_text(f, id, F_CITY, "y"); /* also number 2 */
	assert_ok(sat_replica_log(&log, &n, &f->a, f->r, 0, &err));
	assert_int_equal(2, log[0].cseq);
	theirs.hlc = same_stamp ? log[0].hlc :
	    sat_hlc_of_ms(f->now_ms + 500);
	(void)srv_accept(f, &theirs);
	assert_rc(SAT_ENOTFOUND,
	    srv_page(f, f->srv.n, false, NULL, 0, NULL, 0, &err));
	assert_ok(srv_page(f, f->srv.n, true, NULL, 0, NULL, 0, &err));
	assert_text(f, id, F_REMARK, "copy");
	assert_text(f, id, F_CITY, "y");
	assert_true(view_of(f, id).pending);
	assert_settled(f);
}

static void
another_s_commit_under_our_number_is_not_taken_for_ours(void **state)
{
	assert_not_taken_for_ours(*state, false);
}

/* A clock that is not believed gives both copies the same stamp. */
static void
another_s_commit_with_our_number_and_stamp_is_not_taken_for_ours(void **state)
{
	assert_not_taken_for_ours(*state, true);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		COMPLETE(work_restored_from_a_backup_is_not_applied_twice),
		COMPLETE(work_under_a_number_the_server_knows_goes_on_in_a_new_incarnation),
		COMPLETE(work_of_a_later_incarnation_stays_behind_what_it_builds_on),
		COMPLETE(another_s_commit_under_our_number_is_not_taken_for_ours),
		COMPLETE(another_s_commit_with_our_number_and_stamp_is_not_taken_for_ours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
