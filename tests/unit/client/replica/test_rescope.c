/* Customers that leave the scope and come back. */
#include "common/db/db.h"
#include "tests/unit/client/replica/fixture.h"

static sat_id
new_contact(fixture *f, sat_id root, const char *name)
{
	sat_id id = sat_replica_new_id(f->r);
	sat_op ops[] = {
		op(f->contact, SAT_OP_NEW, id, 0, sat_v_null()),
		op(f->contact, SAT_OP_SET, id, 1, sat_v_id(&root)),
		op(f->contact, SAT_OP_MVSET, id, 2, text(name)),
	};

	write_ops(f, root, ops, 3);
	return id;
}

static int
by_bytes(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(sat_id));
}

static void
leave(fixture *f, sat_id root)
{
	sat_rescope rs = { .lsn = f->srv.n, .root = root,
		.to = sat_span_str("Wang") };
	sat_err err;

	f->srv.away = root;
	assert_ok(srv_page(f, f->srv.n, false, &rs, 1, NULL, 0, &err));
}

/* Its states with it. */
static void
come_back(fixture *f, sat_id root, const sat_id *others, size_t n)
{
	sat_rescope rs = { .lsn = f->srv.n, .root = root, .nheld = n + 1 };
	sat_id held[4];
	sat_record recs[4];
	sat_err err;

	assert_in_range(n, 0, 3);
	f->srv.away = (sat_id){ { 0 } };
	for (size_t i = 0; i < n; i++)
		held[i] = others[i];
	held[n] = root;
	qsort(held, n + 1, sizeof held[0], by_bytes);
	for (size_t i = 0; i <= n; i++)
		recs[i] = *srv_find(&f->srv, &held[i]);
	rs.held = held;
	assert_ok(srv_page(f, f->srv.n, false, &rs, 1, recs, n + 1, &err));
}

static void
a_customer_that_left_is_gone_with_its_children_and_a_stub_stays(void **state)
{
	fixture *f = *state;
	sat_id a = new_account(f, "A", "1"), b = new_account(f, "B", "2");
	sat_id ca = new_contact(f, a, "x"), cb = new_contact(f, b, "y");
	sat_moved *m;
	int64_t left;
	size_t n;
	sat_stmt *s;
	bool row;
	sat_err err;

	srv_sync(f);
	srv_foreign_text(f, a, F_CITY, "away", f->srv.n);
	leave(f, a);
	assert_gone(f, a);
	assert_gone(f, ca);
	assert_text(f, b, F_NAME, "B");
	assert_text(f, cb, 2, "y");
	assert_ok(sat_replica_moved(&m, &n, &f->a, f->r, &err));
	assert_int_equal(1, n);
	assert_string_equal("A", m[0].title);
	assert_string_equal("Wang", m[0].to);
	assert_sound(f);
	/* no byte of it in the tables that hang on rows */
	assert_ok(sat_db_stmt_text(&s, sat_replica_db(f->r), "SELECT "
	    "(SELECT count(*) FROM history WHERE rid NOT IN (SELECT _rid FROM "
	    "k_account UNION SELECT _rid FROM k_contact)) + (SELECT count(*) "
	    "FROM match WHERE rid NOT IN (SELECT _rid FROM k_account UNION "
	    "SELECT _rid FROM k_contact))", &err));
	assert_ok(sat_step(&row, s, &err));
	left = sat_col_int(s, 0);
	sat_stmt_reset(s);
	assert_int_equal(0, left);
	come_back(f, a, &ca, 1);
	assert_text(f, a, F_CITY, "away");
	assert_int_equal(0, status_of(f).moved);
	assert_settled(f);
}

static void
unsent_work_on_a_customer_that_left_waits_for_its_answer(void **state)
{
	fixture *f = *state;
	sat_id a = new_account(f, "A", "1"), c;
	sat_op edit;
	uint64_t cseq;
	sat_err err;

	srv_sync(f);
	set_text(f, a, F_CITY, "late");
	c = new_contact(f, a, "late too");
	leave(f, a);
	assert_text(f, a, F_CITY, "late"); /* still shown */
	assert_text(f, c, 2, "late too");
	assert_true(view_of(f, a).leaving);
	edit = op(f->account, SAT_OP_SET, a, F_CITY, text("no more"));
	assert_rc(SAT_EDENIED, try_write(f, a, &edit, 1, &cseq, &err));
	assert_int_equal(1, status_of(f).moved);
	reopen(f);
	assert_sound(f);
	srv_sync(f);
	assert_gone(f, a);
	assert_gone(f, c);
	assert_int_equal(0, status_of(f).pending_commits);
	assert_sound(f);
}

/* Two records of customers in one save, the second of which is `a`. */
static void
set_both(fixture *f, sat_id b, sat_id a, const char *v)
{
	sat_op ops[] = {
		op(f->account, SAT_OP_SET, b, F_REMARK, text(v)),
		op(f->account, SAT_OP_SET, a, F_REMARK, text(v)),
	};

	write_ops(f, b, ops, 2);
}

/* `a`, which leaves while it has work that was not sent: what was sent is whole as
 * long as it is shown, and what came with it for `b` beyond. */
static void
leaves_whole(fixture *f, sat_id b, sat_id a, uint16_t field, const char *v)
{
	(void)srv_push(f, false);
	set_text(f, a, F_INDUSTRY, "waits");
	leave(f, a);
	assert_true(view_of(f, a).leaving);
	assert_text(f, b, F_REMARK, "both");
	assert_text(f, a, F_REMARK, "both");
	assert_text(f, a, field, v);
	srv_sync(f);
	assert_gone(f, a);
	assert_text(f, b, F_REMARK, "both");
	assert_sound(f);
}

/* What the server accepted of it counts in the order of its log, also where a
 * commit came for the sake of another record. */
static void
accepted_work_on_a_customer_that_left_is_whole_while_it_is_shown(void **state)
{
	fixture *f = *state;
	sat_id a = new_account(f, "A", "1"), b = new_account(f, "B", "2");

	srv_sync(f);
	set_text(f, a, F_CITY, "alone");
	set_both(f, b, a, "both");
	leaves_whole(f, b, a, F_CITY, "alone");
}

/* The same of one that was made here and never shown. */
static void
accepted_work_on_what_was_never_shown_is_whole_while_it_is_shown(void **state)
{
	fixture *f = *state;
	sat_id a, b = new_account(f, "B", "2");

	srv_sync(f);
	a = new_account(f, "A", "1");
	set_both(f, b, a, "both");
	leaves_whole(f, b, a, F_NAME, "A");
}

/* It would go with the customer, and its author would not be told. */
static void
nothing_new_is_put_below_a_customer_that_left(void **state)
{ /* P-085 */
	fixture *f = *state;
	sat_id a = new_account(f, "A", "1"), b = new_account(f, "B", "2");
	sat_id late = sat_replica_new_id(f->r);
	sat_op ops[] = {
		op(f->contact, SAT_OP_NEW, late, 0, sat_v_null()),
		op(f->contact, SAT_OP_SET, late, 1, sat_v_id(&a)),
		op(f->contact, SAT_OP_MVSET, late, 2, text("too late")),
	};
	uint64_t cseq;
	sat_err err;

	srv_sync(f);
	set_text(f, a, F_CITY, "late"); /* so its row stays for a while */
	leave(f, a);
	assert_rc(SAT_EDENIED, try_write(f, a, ops, 3, &cseq, &err));
	assert_string_equal("replica.leaving", err.code);
	assert_gone(f, late);
	assert_int_equal(1, status_of(f).pending_commits);
	assert_ok(sat_replica_group_begin(f->r, &err));
	assert_rc(SAT_EDENIED, try_write(f, a, ops, 3, &cseq, &err));
	ops[1].value = sat_v_id(&b);
	write_ops(f, b, ops, 3);
	assert_ok(sat_replica_group_commit(f->r, &err));
	srv_sync(f);
	assert_gone(f, a);
	assert_text(f, late, 2, "too late");
	assert_sound(f);
}

/* All that is here differs from what the server has, and it names nothing. */
static void
repair_to_nothing(fixture *f)
{
	sat_digest_is sums = { .lsn = f->srv.n, .scope_head = f->srv.n,
		.done = true };
	sat_digest all = { 0, 0 };
	sat_refetch_is none = { .lsn = f->srv.n, .scope_head = f->srv.n };
	sat_refetch ask;
	sat_err err;

	assert_ok(f->ops.digest(f->ops.u, &all, &sums, &err));
	for (;;) {
		assert_ok(f->ops.refetch_next(f->ops.u, &ask, &err));
		if (ask.to_eid == 0)
			return;
		none.next_eid = ask.to_eid;
		assert_ok(f->ops.refetch(f->ops.u, &ask, &none, &err));
	}
}

/* Two customers that are going to leave, one of them with work that keeps its row
 * for a while, and one the server never had; a contact below each, unsent. */
typedef struct parting {
	sat_id a, b, own, below[2], last;
} parting;

static parting
make_parting(fixture *f)
{
	parting p = { .a = new_account(f, "A", "1"),
		.b = new_account(f, "B", "2") };

	srv_sync(f);
	p.below[0] = new_contact(f, p.a, "x");
	p.below[1] = new_contact(f, p.b, "y");
	set_text(f, p.b, F_CITY, "waits");
	p.own = new_account(f, "C", "3");
	p.last = new_contact(f, p.own, "z");
	return p;
}

static void
assert_parted(fixture *f, const parting *p)
{
	sat_op edit = op(f->contact, SAT_OP_MVSET, p->last, 2, text("too late"));
	uint64_t cseq;
	sat_err err;

	assert_gone(f, p->a);
	assert_true(view_of(f, p->b).leaving);
	for (size_t i = 0; i < 2; i++) {
		assert_true(view_of(f, p->below[i]).leaving);
		edit.rec = p->below[i];
		assert_rc(SAT_EDENIED, try_write(f, i == 0 ? p->a : p->b,
		    &edit, 1, &cseq, &err));
	}
	assert_false(view_of(f, p->own).leaving);
	assert_false(view_of(f, p->last).leaving);
	edit.rec = p->last;
	write_ops(f, p->own, &edit, 1);
	assert_sound(f);
}

static void
unsent_work_below_a_customer_that_a_repair_takes_leaves(void **state)
{ /* P-184 */
	fixture *f = *state;
	parting p = make_parting(f);

	repair_to_nothing(f);
	assert_parted(f, &p);
}

/* It came back meanwhile: what was made on it there is this device's as well. */
static void
unsent_work_on_a_customer_that_came_back_stays(void **state)
{
	fixture *f = *state;
	sat_id a = new_account(f, "A", "1"), c;

	srv_sync(f);
	c = new_contact(f, a, "made in time");
	leave(f, a);
	assert_true(view_of(f, c).leaving);
	come_back(f, a, NULL, 0);
	srv_sync(f);
	assert_text(f, c, 2, "made in time");
	assert_settled(f);
}

/* The same, and the server tells it only with the answer. */
static void
what_the_server_shows_after_all_does_not_leave(void **state)
{
	fixture *f = *state;
	sat_id a = new_account(f, "A", "1"), c;

	srv_sync(f);
	c = new_contact(f, a, "made in time");
	leave(f, a);
	(void)srv_push(f, false);
	come_back(f, a, NULL, 0);
	assert_text(f, c, 2, "made in time");
	assert_settled(f);
}

/* While it was away somebody else took the tag off, so that doing it here came to
 * nothing there: the state that comes back stands below it. */
static void
what_was_settled_while_a_customer_was_away_gives_way_to_its_state(void **state)
{
	fixture *f = *state;
	sat_id a = new_account(f, "A", "1");
	sat_op off;

	srv_sync(f);
	off = op(f->account, SAT_OP_SREM, a, F_TAGS, text("vip"));
	write_ops(f, a, &off, 1);
	(void)srv_foreign(f, a, &off, 1, f->srv.n);
	assert_int_equal(1, srv_push(f, false));
	set_text(f, a, F_INDUSTRY, "waits");
	leave(f, a);
	assert_true(view_of(f, a).leaving);
	come_back(f, a, NULL, 0);
	assert_false(view_of(f, a).leaving);
	assert_same_as_server(f);
	assert_sound(f);
}

/* The log begins behind the cursor, and the states that come over what is here
 * do not name the two customers any more. */
static void
unsent_work_below_a_customer_that_a_snapshot_leaves_out_leaves(void **state)
{ /* P-187 */
	fixture *f = *state;
	parting p = make_parting(f);
	sat_welcome w = { .proto = 1, .wall_ms = 1 };
	sat_chunk chunk = { .done = true };
	sat_buf none = { 0 };
	sat_err err;

	srv_foreign_text(f, p.a, F_REMARK, "theirs", f->srv.n);
	w.head = w.scope_head = w.truncated = chunk.lsn = f->srv.n;
	assert_ok(f->ops.welcome(f->ops.u, &w, 0, &err));
	assert_ok(sat_records_write(&none, NULL, 0, &err));
	chunk.records = sat_buf_span(&none);
	sat_hash(chunk.hash, chunk.records);
	assert_ok(f->ops.chunk(f->ops.u, &chunk, &err));
	sat_buf_fini(&none);
	assert_parted(f, &p);
}

static void
a_refusal_after_leaving_takes_the_row_and_keeps_the_work(void **state)
{
	fixture *f = *state;
	sat_id a = new_account(f, "A", "1");

	srv_sync(f);
	set_text(f, a, F_CITY, "late");
	leave(f, a);
	f->srv.refuse = refuse_all;
	srv_push(f, false);
	assert_gone(f, a);
	assert_int_equal(1, status_of(f).quarantined);
	assert_sound(f);
}

static void
a_rescope_that_keeps_the_root_drops_only_what_is_not_held(void **state)
{
	fixture *f = *state;
	sat_id a = new_account(f, "A", "1");
	sat_id c1 = new_contact(f, a, "x"), c2 = new_contact(f, a, "y"), c3;
	sat_id held[2] = { a, c1 };
	sat_rescope rs = { .root = a, .held = held, .nheld = 2 };
	sat_record recs[2];
	sat_err err;

	srv_sync(f);
	set_text(f, a, F_CITY, "mine"); /* waits on top of the new state */
	c3 = new_contact(f, a, "unsent");
	srv_foreign_text(f, a, F_REMARK, "theirs", f->srv.n);
	rs.lsn = f->srv.n;
	recs[0] = *srv_find(&f->srv, &a);
	recs[1] = *srv_find(&f->srv, &c1);
	assert_ok(srv_page(f, f->srv.n, false, &rs, 1, recs, 2, &err));
	assert_text(f, a, F_CITY, "mine");
	assert_text(f, a, F_REMARK, "theirs");
	assert_text(f, c1, 2, "x");
	assert_gone(f, c2);
	assert_text(f, c3, 2, "unsent"); /* the server has not heard of it */
	assert_false(view_of(f, c3).leaving);
	assert_sound(f);
	srv_sync(f);
	assert_text(f, a, F_CITY, "mine");
	assert_text(f, c3, 2, "unsent");
	assert_sound(f);
}

/* Two devices made the same record (derived ids). This one let go of it, and is
 * shown the other making of it before the whole state comes back, which stands
 * at the same position. */
static void
a_state_is_taken_over_the_second_making_of_its_record(void **state)
{
	fixture *f = *state;
	sat_id a = new_account(f, "A", "1"), c = new_contact(f, a, "x");
	sat_op ops[] = { op(f->contact, SAT_OP_NEW, c, 0, sat_v_null()),
		op(f->contact, SAT_OP_SET, c, 1, sat_v_id(&a)) };
	sat_id held[2] = { a, c };
	sat_rescope rs = { .root = a, .held = held, .nheld = 2 };
	sat_record recs[2];
	sat_err err;

	srv_sync(f);
	leave(f, a);
	assert_gone(f, c);
	(void)srv_foreign(f, a, ops, 2, 0);
	assert_ok(srv_page(f, f->srv.n, false, NULL, 0, NULL, 0, &err));
	srv_foreign_text(f, a, F_CITY, "away", f->srv.n);
	rs.lsn = f->srv.n;
	recs[0] = *srv_find(&f->srv, &a);
	recs[1] = *srv_find(&f->srv, &c);
	assert_ok(srv_page(f, f->srv.n, false, &rs, 1, recs, 2, &err));
	assert_text(f, c, 2, "x");
	assert_settled(f);
}

/* A customer that comes back in a page that is not the last: its state is the
 * newest, own work included. lose: the answer to that work never arrived;
 * shortened: the server's log begins behind it by now. */
static void
state_ahead(fixture *f, bool lose, bool shortened)
{
	sat_welcome w = { .proto = 1, .wall_ms = 1 };
	sat_id a = new_account(f, "A", "1");
	sat_op visit = op(f->account, SAT_OP_ADD, a, F_VISITS, sat_v_int(1));
	sat_rescope rs = { .root = a, .held = &a, .nheld = 1 };
	sat_err err;

	srv_sync(f);
	srv_foreign_text(f, a, F_REMARK, "theirs", f->srv.n);
	rs.lsn = f->srv.n;
	write_ops(f, a, &visit, 1);
	srv_push(f, lose);
	assert_ok(srv_page(f, rs.lsn, false, &rs, 1, srv_find(&f->srv, &a), 1,
	    &err));
	/* A log that was shortened says nothing of where the scope ends. */
	w.head = f->srv.n;
	if (shortened)
		assert_ok(f->ops.welcome(f->ops.u, &w, 0, &err));
	if (lose)
		srv_push(f, false);
	assert_int_equal(1, visits_of(f, a));
	assert_sound(f);
	write_ops(f, a, &visit, 1);
	assert_int_equal(2, visits_of(f, a));
	srv_sync(f);
	assert_int_equal(2, visits_of(f, a));
	assert_settled(f);
}

static void
own_work_inside_a_state_ahead_of_the_cursor_counts_once(void **state)
{
	state_ahead(*state, false, false);
	state_ahead(*state, true, false);
	state_ahead(*state, true, true);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		COMPLETE(own_work_inside_a_state_ahead_of_the_cursor_counts_once),
		COMPLETE(a_customer_that_left_is_gone_with_its_children_and_a_stub_stays),
		COMPLETE(unsent_work_on_a_customer_that_left_waits_for_its_answer),
		COMPLETE(accepted_work_on_a_customer_that_left_is_whole_while_it_is_shown),
		COMPLETE(accepted_work_on_what_was_never_shown_is_whole_while_it_is_shown),
		COMPLETE(nothing_new_is_put_below_a_customer_that_left),
		COMPLETE(unsent_work_below_a_customer_that_a_repair_takes_leaves),
		COMPLETE(unsent_work_on_a_customer_that_came_back_stays),
		COMPLETE(what_the_server_shows_after_all_does_not_leave),
		COMPLETE(what_was_settled_while_a_customer_was_away_gives_way_to_its_state),
		COMPLETE(
		    unsent_work_below_a_customer_that_a_snapshot_leaves_out_leaves),
		COMPLETE(a_refusal_after_leaving_takes_the_row_and_keeps_the_work),
		COMPLETE(a_rescope_that_keeps_the_root_drops_only_what_is_not_held),
		COMPLETE(a_state_is_taken_over_the_second_making_of_its_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
