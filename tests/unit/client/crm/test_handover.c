/*
 * Work that others suggest: listed, taken over in whole or in part, declined;
 * own refused work handed over; edits that came late (P-164..P-168).
 */
#include "tests/unit/client/crm/crm_fixture.h"

static sat_id
synced_customer(fixture *f)
{
	sat_id id = customer(f, "Acme", "13812345678");

	srv_sync(f);
	return id;
}

static sat_handover *
waiting(size_t *n, fixture *f)
{
	sat_handover *h;
	sat_err err;

	assert_ok(sat_replica_handovers(&h, n, &f->a, f->r, &err));
	return h;
}

static sat_rc
try_accept(fixture *f, const char *key, const char *const *fields, sat_err *e)
{
	sat_crm c = crm_of(f);
	size_t n = 0;

	while (fields[n] != NULL)
		n++;
	f->now_ms += 10;
	memset(e, 0, sizeof *e);
	return sat_crm_accept(&c, key, fields, n, e);
}

static void
accept(fixture *f, const char *key, const char *const *fields)
{
	sat_err err;

	assert_ok(try_accept(f, key, fields, &err));
}

/* ---- suggestions ------------------------------------------------------------- */

static void
a_suggestion_is_listed_and_changes_nothing_until_it_is_taken(void **state)
{
	fixture *f = *state;
	sat_id id = synced_customer(f);
	sat_op ops[] = {
		op(f->account, SAT_OP_SET, id, F_REMARK, text("call monday")),
		op(f->account, SAT_OP_SADD, id, F_TAGS, text("vip")),
	};
	uint64_t lsn = suggested(f, f->account, id, ops, 2, "late");
	sat_handover *h;
	size_t n;

	srv_pull(f);
	h = waiting(&n, f);
	assert_int_equal(1, n);
	assert_int_equal(lsn, h[0].by.lsn);
	assert_true(sat_span_eq(h[0].by.actor, sat_span_str("u1")));
	assert_true(sat_span_eq(h[0].by.why, sat_span_str("late")));
	assert_int_equal(2, h[0].what.nops);
	assert_string_equal("", value_of(f, f->account, id, "remark"));
	reopen(f);
	accept(f, h[0].key, LIST(NULL));
	assert_string_equal("call monday", value_of(f, f->account, id, "remark"));
	assert_string_equal("vip", value_of(f, f->account, id, "tags"));
	(void)waiting(&n, f);
	assert_int_equal(0, n);
	assert_sound(f);
	assert_int_equal(1, srv_push(f, false)); /* one commit: both or none */
	srv_sync(f);
	(void)waiting(&n, f);
	assert_int_equal(0, n);
	assert_settled(f);
}

static void
a_suggestion_is_taken_field_by_field(void **state)
{
	fixture *f = *state;
	sat_id id = synced_customer(f);
	sat_op ops[] = {
		op(f->account, SAT_OP_SET, id, F_REMARK, text("yes")),
		op(f->account, SAT_OP_SET, id, F_CITY, text("no")),
	};
	sat_handover *h;
	size_t n;
	sat_err err;

	(void)suggested(f, f->account, id, ops, 2, "");
	srv_pull(f);
	h = waiting(&n, f);
	assert_rc(SAT_EUSAGE, try_accept(f, h[0].key, LIST("phone_main"), &err));
	assert_int_equal(0, srv_push(f, false));
	accept(f, h[0].key, LIST("remark"));
	assert_string_equal("yes", value_of(f, f->account, id, "remark"));
	assert_string_equal("", value_of(f, f->account, id, "city"));
	srv_sync(f);
	(void)waiting(&n, f);
	assert_int_equal(0, n);
	assert_rc(SAT_ENOTFOUND, try_accept(f, h[0].key, LIST(NULL), &err));
	assert_same_as_server(f);
}

static void
a_suggested_record_is_made_with_the_id_it_had(void **state)
{
	fixture *f = *state;
	sat_id id = synced_customer(f), con = sat_replica_new_id(f->r);
	sat_op ops[] = {
		op(f->contact, SAT_OP_NEW, con, 0, sat_v_null()),
		op(f->contact, SAT_OP_SET, con, 1,
		    sat_v_bytes(sat_span_of(id.b, 16))),
		op(f->contact, SAT_OP_SET, con, 2, text("Zhang")),
		op(f->account, SAT_OP_SET, id, F_REMARK, text("and this")),
	};
	sat_handover *h;
	size_t n;

	(void)suggested(f, f->account, id, ops, 4, "late");
	(void)suggested(f, f->account, id, ops, 4, "late");
	srv_pull(f);
	h = waiting(&n, f);
	assert_int_equal(2, n);
	accept(f, h[0].key, LIST("contact"));
	assert_string_equal("Zhang", value_of(f, f->contact, con, "name"));
	assert_string_equal("", value_of(f, f->account, id, "remark"));
	accept(f, h[1].key, LIST(NULL)); /* again: it is there already */
	assert_string_equal("and this", value_of(f, f->account, id, "remark"));
	srv_sync(f);
	assert_settled(f);
}

static void
a_suggestion_about_another_customer_is_not_taken(void **state)
{
	fixture *f = *state;
	sat_id id = synced_customer(f);
	sat_id other = customer(f, "Other", "13812345679");
	sat_op o = op(f->account, SAT_OP_SET, other, F_REMARK, text("sly"));
	sat_handover *h;
	size_t n;
	sat_err err;

	srv_sync(f);
	(void)suggested(f, f->account, id, &o, 1, "");
	srv_pull(f);
	h = waiting(&n, f);
	assert_rc(SAT_EINVALID, try_accept(f, h[0].key, LIST(NULL), &err));
	assert_string_equal("handover.elsewhere", err.code);
	assert_string_equal("", value_of(f, f->account, other, "remark"));
}

static void
declining_needs_the_right_to_edit_and_settles_it(void **state)
{
	fixture *f = *state;
	sat_id id = synced_customer(f);
	sat_op o = op(f->account, SAT_OP_SET, id, F_REMARK, text("late"));
	sat_crm c = crm_of(f);
	sat_handover *h;
	size_t n;
	sat_err err;

	(void)suggested(f, f->account, id, &o, 1, "late");
	srv_pull(f);
	h = waiting(&n, f);
	people(f, "kiosk");
	assert_rc(SAT_EDENIED, sat_crm_decline(&c, h[0].key, "no", &err));
	people(f, "rep");
	assert_ok(sat_crm_decline(&c, h[0].key, "no", &err));
	(void)waiting(&n, f);
	assert_int_equal(0, n);
	srv_sync(f);
	assert_string_equal("", value_of(f, f->account, id, "remark"));
	assert_settled(f);
}

static int64_t
counted(fixture *f, const char *text)
{
	sat_stmt *s;
	sat_err err;
	int64_t n;
	bool row;

	assert_ok(sat_db_stmt_text(&s, sat_replica_db(f->r), text, &err));
	assert_ok(sat_step(&row, s, &err));
	n = sat_col_int(s, 0);
	sat_stmt_reset(s);
	return n;
}

/* Declined reasons that are kept. */
static int64_t
reasons(fixture *f)
{
	return counted(f, "SELECT count(*) FROM audit "
	    "WHERE action = 'handover.decline' AND detail <> ''");
}

static void
why_a_suggestion_was_declined_goes_with_its_customer(void **state) /* P-194 */
{
	fixture *f = *state;
	sat_erasure x = { .rev = 1, .subject = synced_customer(f) };
	sat_op o = op(f->account, SAT_OP_SET, x.subject, F_REMARK, text("late"));
	sat_ledger l = { .rev = 1, .e = &x, .n = 1 };
	sat_crm c = crm_of(f);
	sat_handover *h;
	int64_t entries;
	size_t n;
	sat_err err;

	(void)suggested(f, f->account, x.subject, &o, 1, "late");
	srv_pull(f);
	h = waiting(&n, f);
	assert_ok(sat_crm_decline(&c, h[0].key, "he lives with her", &err));
	assert_int_equal(1, reasons(f));
	assert_ok(f->ops.ledger_is(f->ops.u, &l, &err));
	assert_int_equal(0, reasons(f));
	assert_ok(sat_replica_audit_verify(&entries, f->r, 1, &err));
}

/* ---- own refused work -------------------------------------------------------------- */

static bool
refuse_edits(const sat_commit *c)
{
	return c->ops[0].kind != SAT_OP_HAND;
}

/* What waits is sent and refused; all that is refused by now. */
static sat_quarantined *
refused_by(bool (*judge)(const sat_commit *c), size_t *n, fixture *f)
{
	f->srv.refuse = judge;
	(void)srv_push(f, false);
	return open_ones(n, f);
}

/* The commit that hands it over. */
static uint64_t
hand(fixture *f, const sat_quarantined *q, const char *why)
{
	uint64_t cseq;
	sat_err err;

	assert_ok(sat_replica_hand(f->r, q->id, why, &cseq, &err));
	return cseq;
}

static void
refused_work_is_handed_over_and_stays_out_of_the_view(void **state)
{
	fixture *f = *state;
	sat_id id = synced_customer(f);
	sat_quarantined *q;
	sat_handover *h;
	size_t n;
	uint64_t cseq, seen;
	sat_err err;

	change(f, f->account, id, LIST("remark=x", "city=y"));
	q = refused_by(refuse_edits, &n, f);
	assert_int_equal(1, n);
	seen = q[0].commit.seen;
	cseq = hand(f, &q[0], "as agreed");
	assert_string_equal("", value_of(f, f->account, id, "remark"));
	assert_sound(f);
	reopen(f); /* what waits is read again */
	assert_sound(f);
	(void)open_ones(&n, f);
	assert_int_equal(0, n);
	assert_ok(sat_replica_set_aside(&q, &n, &f->a, f->r, 0, &err));
	assert_int_equal(SAT_FATE_HANDED, q[0].fate);
	assert_int_equal(cseq, q[0].heir_cseq);
	srv_sync(f);
	assert_int_equal(seen, f->srv.log[f->srv.n - 1].seen);
	h = waiting(&n, f); /* this device holds the record, so it is shown */
	assert_int_equal(1, n);
	assert_int_equal(2, h[0].what.nops);
	assert_int_equal(DEV, h[0].by.dev);
	assert_true(sat_span_eq(h[0].by.why, sat_span_str("as agreed")));
	assert_settled(f);
}

static void
a_handover_that_is_refused_comes_back(void **state)
{
	fixture *f = *state;
	sat_id id = synced_customer(f);
	sat_quarantined *q;
	size_t n;

	change(f, f->account, id, LIST("remark=x"));
	q = refused_by(refuse_all, &n, f);
	(void)hand(f, &q[0], "");
	/* meanwhile other work waits on the record */
	change(f, f->account, id, LIST("city=c"));
	q = refused_by(refuse_all, &n, f);
	assert_sound(f);
	assert_int_equal(2, n);
	f->srv.refuse = NULL;
	(void)hand(f, &q[0], "");
	srv_sync(f);
	(void)waiting(&n, f);
	assert_int_equal(1, n);
	assert_settled(f);
}

static void
a_refused_customer_has_nowhere_to_be_handed_to(void **state)
{
	fixture *f = *state;
	sat_quarantined *q;
	size_t n;
	uint64_t cseq;
	sat_err err;

	(void)customer(f, "Acme", "13812345678");
	q = refused_by(refuse_all, &n, f);
	assert_rc(SAT_EINVALID, sat_replica_hand(f->r, q[0].id, "", &cseq,
	    &err));
	assert_string_equal("handover.nowhere", err.code);
	(void)open_ones(&n, f);
	assert_int_equal(1, n);
}

/* The record a HAND of the log stands on, and the first one it speaks of. */
static void
assert_handed(fixture *f, size_t at, sat_id on, sat_id of)
{
	const sat_commit *c = &f->srv.log[at];
	sat_commit part = { .subject = on };
	sat_handed h;
	sat_err err = { 0 };

	assert_int_equal(1, c->nops);
	assert_int_equal(SAT_OP_HAND, c->ops[0].kind);
	assert_true(sat_id_eq(&on, &c->ops[0].rec));
	assert_int_equal(f->account->id, c->ops[0].rtype);
	assert_ok(sat_handed_read(&h, c->ops[0].value.s, &err));
	assert_ok(sat_commit_read_payload(&part, &f->a, h.ops, &err));
	assert_true(sat_id_eq(&of, &part.ops[0].rec));
	assert_int_not_equal(SAT_OP_HAND, part.ops[0].kind);
}

/* The last two of the log hand over a deal and an edit of it: there is no record
 * the edit could stand on. */
static void
assert_both_handed(fixture *f, sat_id id, sat_id deal)
{
	srv_sync(f);
	assert_handed(f, f->srv.n - 2, id, deal);
	assert_handed(f, f->srv.n - 1, id, deal);
}

/* A customer's deal, and its edit: both are refused. */
static sat_quarantined *
growth_refused(sat_id *deal, fixture *f, sat_id id)
{
	sat_quarantined *q;
	size_t n;

	*deal = deal_of(f, id, "120000");
	change(f, f->opportunity, *deal, LIST("remark=grows"));
	q = refused_by(refuse_edits, &n, f);
	assert_int_equal(2, n);
	return q;
}

/* Both were handed over and are taken. */
static void
take_growth(fixture *f, sat_id deal)
{
	size_t n;
	sat_handover *h = waiting(&n, f);

	assert_int_equal(2, n);
	f->srv.refuse = NULL;
	accept(f, h[0].key, LIST(NULL));
	accept(f, h[1].key, LIST(NULL));
	assert_string_equal("grows", value_of(f, f->opportunity, deal,
	    "remark"));
	srv_sync(f);
	assert_settled(f);
}

static void
what_goes_on_with_refused_work_is_handed_over_with_it(void **state)
{ /* P-163, P-165 */
	fixture *f = *state;
	sat_id id = synced_customer(f), deal;
	sat_quarantined *q = growth_refused(&deal, f, id);

	for (size_t i = 0; i < 2; i++)
		(void)hand(f, &q[i], "");
	assert_both_handed(f, id, deal);
	take_growth(f, deal);
}

/* The creation is sent again, what was done on it is handed over. */
static void
sent_again(fixture *f, const sat_quarantined *q, const char *why)
{
	sat_crm c = crm_of(f);
	sat_retried did;
	int64_t need;
	sat_err err = { 0 };

	assert_ok(sat_crm_retry(&did, &need, &c, q[0].id, NULL, 0, &err));
	(void)hand(f, &q[1], why);
}

static void
an_edit_of_what_is_on_its_way_again_stands_on_it(void **state) /* P-165 */
{
	fixture *f = *state;
	sat_id id = synced_customer(f), deal;

	sent_again(f, growth_refused(&deal, f, id), "");
	f->srv.refuse = NULL;
	srv_sync(f);
	assert_true(sat_id_eq(&deal, &f->srv.log[f->srv.n - 1].ops[0].rec));
	assert_settled(f);
}

static sat_id aside; /* what is refused to be made, and stood on */

static bool
refuse_it(const sat_commit *c)
{
	bool on = sat_id_eq(&aside, &c->ops[0].rec);

	return on || c->ops[0].kind == SAT_OP_NEW;
}

/* The edit of a deal was handed over while the deal was on its way; it was refused
 * once more. Nothing stands on what is not there. */
static void
what_stood_on_work_refused_again_is_handed_over_with_it(void **state)
{ /* P-163, P-166 */
	fixture *f = *state;
	sat_id id = synced_customer(f);
	sat_quarantined *q;
	sat_handover *h;
	int64_t *waits;
	size_t n, nwaits;
	sat_err err = { 0 };

	sent_again(f, growth_refused(&aside, f, id), "as agreed");
	q = refused_by(refuse_it, &n, f);
	assert_int_equal(2, n);
	assert_ok(sat_replica_dependants(&waits, &nwaits, &f->a, f->r,
	    q[0].id, &err));
	assert_int_equal(1, nwaits);
	assert_int_equal(q[1].id, waits[0]);
	for (size_t i = 0; i < n; i++)
		(void)hand(f, &q[i], "");
	assert_both_handed(f, id, aside);
	h = waiting(&n, f);
	assert_int_equal(2, n);
	/* what was said of it first */
	assert_true(sat_span_eq(h[1].by.why, sat_span_str("as agreed")));
	take_growth(f, aside);
}

static server *parks;

static bool
refuse_births_and_park_it(const sat_commit *c)
{
	parks->slug = c->ops[0].kind == SAT_OP_NEW ? NULL : "needs_parent";
	return refuse_it(c);
}

static uint64_t
unparked(fixture *f)
{
	uint64_t n = 0;
	sat_err err = { 0 };

	assert_ok(f->ops.unpark(f->ops.u, &n, &err));
	return n;
}

/* What waits is refused, and what stands on it parked: two, of which the first is
 * handed over. */
static void
parked_and_handed(fixture *f, size_t went)
{
	sat_quarantined *q;
	size_t n;

	parks = &f->srv;
	q = refused_by(refuse_births_and_park_it, &n, f);
	assert_int_equal(2, n);
	assert_int_equal(0, unparked(f)); /* it is a person's to decide */
	(void)hand(f, &q[0], "");
	assert_int_equal(went, unparked(f));
}

/* The same, and only the deal is handed over, or the server did it. */
static void
what_stood_on_work_that_was_handed_over_follows_it(void **state)
{ /* P-167 */
	fixture *f = *state;
	sat_id id = synced_customer(f);

	sent_again(f, growth_refused(&aside, f, id), "as agreed");
	parked_and_handed(f, 1);
	assert_sound(f);
	assert_both_handed(f, id, aside);
	assert_int_equal(0, unparked(f));
	assert_settled(f);
}

/* Two suggestions of one commit, each as large as one may be, would be one on the
 * customer: it stays a person's, and the session goes on. */
static void
what_no_suggestion_can_hold_ends_no_session(void **state)
{ /* P-167 */
	static char much[40000];
	fixture *f = *state;
	sat_id id = synced_customer(f);
	sat_quarantined *q;
	size_t n;
	sat_op both[2];

	aside = deal_of(f, id, "120000");
	memset(much, 'x', sizeof much - 1);
	both[0] = op(f->opportunity, SAT_OP_SET, aside,
	    field_of(f->opportunity, "remark")->id, text(much));
	both[1] = op(f->account, SAT_OP_SET, id, F_REMARK, text(much));
	write_ops(f, id, both, 2);
	sent_again(f, refused_by(refuse_edits, &n, f), "as agreed");
	parked_and_handed(f, 0);
	q = open_ones(&n, f);
	assert_int_equal(1, n); /* the other one was handed over */
	assert_int_equal(SAT_VD_PARKED, q[0].code);
	assert_int_equal(SAT_FATE_OPEN, q[0].fate);
	srv_sync(f);
	assert_sound(f);
}

/* ---- edits that came late ------------------------------------------------------------- */

static void
an_edit_by_who_did_not_know_the_owner_is_noted(void **state)
{
	fixture *f = *state;
	sat_id mine = customer(f, "Mine all along", "13812345679");
	sat_id id = synced_customer(f);
	sat_op give = op(f->account, SAT_OP_REASSIGN, id, F_OWNER, text("u1"));
	sat_op back = op(f->account, SAT_OP_REASSIGN, id, F_OWNER, text("me"));
	sat_rescope rs = { .root = id, .held = &id, .nheld = 1 };
	uint64_t seen;
	sat_late *l;
	size_t n;
	sat_err err;

	srv_foreign(f, id, &give, 1, f->srv.n);
	seen = f->srv.n; /* the author's: before the customer is mine again */
	srv_foreign(f, id, &back, 1, f->srv.n);
	rs.lsn = f->srv.n;
	assert_ok(srv_page(f, f->srv.n, false, &rs, 1, srv_find(&f->srv, &id),
	    1, &err));
	srv_foreign_text(f, id, F_REMARK, "late", seen);
	srv_foreign_text(f, id, F_CITY, "in time", f->srv.n);
	srv_foreign_text(f, mine, F_CITY, "knew the owner", seen);
	srv_pull(f);
	assert_ok(sat_replica_late(&l, &n, &f->a, f->r, &err));
	assert_int_equal(1, n);
	assert_int_equal(f->srv.n - 2, l[0].lsn);
	assert_int_equal(OTHER, l[0].dev);
	assert_true(sat_id_eq(&id, &l[0].rec));
	assert_int_equal(1, counted(f, "SELECT count(*) FROM late "
	    "WHERE root = rec"));
	assert_string_equal("late", value_of(f, f->account, id, "remark"));
	reopen(f);
	assert_ok(sat_replica_late_seen(f->r, l[0].lsn, &err));
	assert_ok(sat_replica_late(&l, &n, &f->a, f->r, &err));
	assert_int_equal(0, n);
	assert_settled(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SYNCED(a_suggestion_is_listed_and_changes_nothing_until_it_is_taken),
		SYNCED(a_suggestion_is_taken_field_by_field),
		SYNCED(a_suggested_record_is_made_with_the_id_it_had),
		SYNCED(a_suggestion_about_another_customer_is_not_taken),
		SYNCED(declining_needs_the_right_to_edit_and_settles_it),
		SYNCED(why_a_suggestion_was_declined_goes_with_its_customer),
		SYNCED(refused_work_is_handed_over_and_stays_out_of_the_view),
		SYNCED(a_handover_that_is_refused_comes_back),
		SYNCED(a_refused_customer_has_nowhere_to_be_handed_to),
		SYNCED(what_goes_on_with_refused_work_is_handed_over_with_it),
		SYNCED(an_edit_of_what_is_on_its_way_again_stands_on_it),
		SYNCED(what_stood_on_work_refused_again_is_handed_over_with_it),
		SYNCED(what_stood_on_work_that_was_handed_over_follows_it),
		SYNCED(what_no_suggestion_can_hold_ends_no_session),
		SYNCED(an_edit_by_who_did_not_know_the_owner_is_noted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
