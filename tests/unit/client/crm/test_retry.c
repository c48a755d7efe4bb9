/*
 * Commits the server refused: shown beside what it has, sent again corrected,
 * with those that wait for them; and nothing but a person takes them away
 * (P-160..P-163).
 */
#include "tests/unit/client/crm/crm_fixture.h"

static void
refused_push(fixture *f)
{
	f->srv.refuse = refuse_all;
	while (srv_push(f, false) > 0)
		;
	f->srv.refuse = NULL;
}

static int64_t
only_one(fixture *f)
{
	size_t n;
	sat_quarantined *q = open_ones(&n, f);

	assert_int_equal(1, n);
	return q[0].id;
}

static sat_rc
try_retry(sat_retried *out, int64_t *need, fixture *f, int64_t id,
    const char *const *list, sat_err *e)
{
	sat_crm c = crm_of(f);
	pairs p;

	passes(f, 10);
	read_pairs(&p, list);
	memset(e, 0, sizeof *e);
	return sat_crm_retry(out, need, &c, id, p.in, p.n, e);
}

static uint64_t
retried(fixture *f, int64_t id, const char *const *list)
{
	sat_retried r;
	int64_t need;
	sat_err err;

	assert_ok(try_retry(&r, &need, f, id, list, &err));
	return r.cseq;
}

/* ---- one commit ------------------------------------------------------------- */

static void
a_refused_edit_is_sent_again_corrected(void **state)
{
	fixture *f = *state;
	sat_id id = customer(f, "Acme", "13812345678");
	sat_quarantined *q;
	size_t changed, n;
	uint64_t cseq;
	sat_view v;
	sat_err err;

	srv_sync(f);
	assert_ok(try_edit(&changed, f, f->account, id,
	    LIST("remark=wrong", "city=Hefei"), &err));
	refused_push(f);
	assert_string_equal("", value_of(f, f->account, id, "remark"));
	cseq = retried(f, only_one(f), LIST("remark=right"));
	assert_string_equal("right", value_of(f, f->account, id, "remark"));
	assert_string_equal("Hefei", value_of(f, f->account, id, "city"));
	(void)open_ones(&n, f);
	assert_int_equal(0, n);
	assert_ok(sat_replica_get_server(&v, &f->a, f->r, f->account, &id,
	    &err)); /* what waits is not the server's */
	assert_int_equal(SAT_V_NULL, sat_record_value(&v.rec,
	    field_of(f->account, "remark")->id).type);
	assert_ok(sat_replica_set_aside(&q, &n, &f->a, f->r, 0, &err));
	assert_int_equal(1, n);
	assert_int_equal(SAT_FATE_RETRIED, q[0].fate);
	assert_int_equal(cseq, q[0].heir_cseq);
	assert_true(sat_value_eq(text("wrong"), q[0].commit.ops[0].value) ||
	    sat_value_eq(text("wrong"), q[0].commit.ops[1].value));
	srv_sync(f);
	assert_settled(f);
}

static void
a_retry_that_changes_nothing_writes_nothing(void **state)
{
	fixture *f = *state;
	sat_id id = customer(f, "Acme", "13812345678");
	size_t changed, n;
	sat_err err;

	srv_sync(f);
	assert_ok(try_edit(&changed, f, f->account, id, LIST("remark=x"), &err));
	refused_push(f);
	srv_foreign_text(f, id, field_of(f->account, "remark")->id, "x",
	    f->srv.n);
	srv_sync(f);
	assert_int_equal(0, retried(f, only_one(f), LIST("remark=x")));
	(void)open_ones(&n, f);
	assert_int_equal(0, n);
	assert_int_equal(0, srv_push(f, false));
}

static void
the_gate_judges_a_retry_and_a_failed_one_stays(void **state)
{
	fixture *f = *state;
	sat_id id = customer(f, "Acme", "13812345678");
	sat_retried r;
	int64_t need, q;
	size_t changed;
	sat_err err;

	srv_sync(f);
	assert_ok(try_edit(&changed, f, f->account, id, LIST("remark=x"), &err));
	refused_push(f);
	q = only_one(f);
	assert_rc(SAT_EINVALID, try_retry(&r, &need, f, q,
	    LIST("phone_main=12"), &err));
	assert_true(finds(&err, "phone_main", "pattern"));
	assert_rc(SAT_EINVALID, try_retry(&r, &need, f, q, LIST("nofield=1"),
	    &err));
	assert_int_equal(q, only_one(f));
	assert_int_equal(0, srv_push(f, false));
	assert_rc(SAT_ENOTFOUND, try_retry(&r, &need, f, q + 1, LIST(NULL),
	    &err));
	assert_sound(f);
}

static void
a_commit_on_a_customer_that_left_cannot_be_retried(void **state)
{
	fixture *f = *state;
	sat_id id = customer(f, "Acme", "13812345678");
	sat_rescope rs = { .root = id, .to = sat_span_str("Wang") };
	sat_retried r;
	int64_t need;
	size_t changed;
	sat_err err;

	srv_sync(f);
	assert_ok(try_edit(&changed, f, f->account, id, LIST("remark=x"), &err));
	refused_push(f);
	rs.lsn = f->srv.n;
	assert_ok(srv_page(f, f->srv.n, false, &rs, 1, NULL, 0, &err));
	assert_rc(SAT_ENOTFOUND, try_retry(&r, &need, f, only_one(f),
	    LIST(NULL), &err));
	assert_int_equal(0, need);
	(void)only_one(f); /* still there */
}

/* ---- together ------------------------------------------------------------------ */

static void
what_waits_for_a_refused_creation_moves_with_it(void **state)
{
	fixture *f = *state;
	sat_id id = customer(f, "Acme", "13812345678"), con;
	sat_quarantined *q;
	int64_t *ids, need;
	sat_retried r;
	size_t n, changed;
	sat_err err;

	con = child(f, "contact", id, LIST("name=Zhang"));
	assert_ok(try_edit(&changed, f, f->contact, con, LIST("title=CEO"),
	    &err));
	(void)customer(f, "Other", "13812345679");
	refused_push(f);
	assert_gone(f, id);
	q = open_ones(&n, f);
	assert_int_equal(4, n);
	assert_ok(sat_replica_dependants(&ids, &n, &f->a, f->r, q[0].id, &err));
	assert_int_equal(2, n); /* the contact, and the edit of the contact */
	assert_int_equal(q[1].id, ids[0]);
	assert_int_equal(q[2].id, ids[1]);
	assert_rc(SAT_ECONFLICT, try_retry(&r, &need, f, q[2].id, LIST(NULL),
	    &err));
	assert_int_equal(q[1].id, need);
	(void)retried(f, q[0].id, LIST("name=Acme Ltd"));
	(void)retried(f, q[1].id, LIST(NULL));
	(void)retried(f, q[2].id, LIST(NULL));
	assert_string_equal("Acme Ltd", value_of(f, f->account, id, "name"));
	assert_string_equal("CEO", value_of(f, f->contact, con, "title"));
	srv_sync(f);
	assert_settled(f);
	assert_int_equal(q[3].id, only_one(f));
}

/* A customer, his contact, and an edit of the contact; what was refused once is
 * sent again, and refused again behind what waits for it. */
static void
what_waits_moves_with_what_was_refused_twice(void **state) /* P-163 */
{
	fixture *f = *state;
	sat_id id = customer(f, "Acme", "13812345678"), con;
	sat_quarantined *q;
	int64_t *ids, was[3];
	size_t n, changed;
	sat_err err;

	con = child(f, "contact", id, LIST("name=Zhang"));
	assert_ok(try_edit(&changed, f, f->contact, con, LIST("title=CEO"),
	    &err));
	(void)customer(f, "Other", "13812345679");
	refused_push(f);
	q = open_ones(&n, f);
	assert_int_equal(4, n);
	for (size_t i = 0; i < 3; i++)
		was[i] = q[i].id;
	(void)retried(f, was[0], LIST(NULL));
	refused_push(f);
	q = open_ones(&n, f);
	assert_int_equal(4, n);
	assert_ok(sat_replica_dependants(&ids, &n, &f->a, f->r, q[3].id, &err));
	assert_int_equal(2, n);
	assert_int_equal(was[1], ids[0]);
	assert_int_equal(was[2], ids[1]);
	/* the contact too: it stands behind its edit, and goes before it */
	(void)retried(f, q[3].id, LIST(NULL));
	(void)retried(f, was[1], LIST(NULL));
	refused_push(f);
	q = open_ones(&n, f);
	assert_int_equal(4, n);
	assert_int_equal(was[2], q[0].id);
	assert_ok(sat_replica_dependants(&ids, &n, &f->a, f->r, q[2].id, &err));
	assert_int_equal(2, n);
	assert_int_equal(q[3].id, ids[0]);
	assert_int_equal(was[2], ids[1]);
	assert_ok(sat_replica_dependants(&ids, &n, &f->a, f->r, q[3].id, &err));
	assert_int_equal(1, n);
	assert_ok(sat_replica_dependants(&ids, &n, &f->a, f->r, was[2], &err));
	assert_int_equal(0, n);
	srv_sync(f);
	assert_sound(f);
}

static void
a_commit_of_several_records_goes_as_one_again(void **state)
{
	fixture *f = *state;
	sat_id id = sat_replica_new_id(f->r), con;
	size_t n;
	sat_quarantined *q;

	f->now_ms += 10;
	con = sat_replica_new_id(f->r);
	{
		sat_value parent = sat_v_bytes(sat_span_of(id.b, 16));
		sat_op ops[] = {
			op(f->account, SAT_OP_NEW, id, 0, sat_v_null()),
			op(f->account, SAT_OP_MVSET, id, F_NAME, text("Acme Ltd")),
			op(f->account, SAT_OP_SADD, id, F_TAGS, text("vip")),
			op(f->account, SAT_OP_ADD, id, F_VISITS, sat_v_int(3)),
			op(f->account, SAT_OP_REASSIGN, id, F_OWNER, text("me")),
			op(f->contact, SAT_OP_NEW, con, 0, sat_v_null()),
			op(f->contact, SAT_OP_SET, con, 1, parent),
			op(f->contact, SAT_OP_SET, con, 2, text("Zhang")),
		};

		write_ops(f, id, ops, sizeof ops / sizeof ops[0]);
	}
	refused_push(f);
	q = open_ones(&n, f);
	assert_int_equal(1, n);
	(void)retried(f, q[0].id, LIST("title=CEO"));
	assert_string_equal("CEO", value_of(f, f->contact, con, "title"));
	assert_string_equal("3", value_of(f, f->account, id, "visit_count"));
	assert_string_equal("vip", value_of(f, f->account, id, "tags"));
	assert_int_equal(1, srv_push(f, false));
	srv_sync(f);
	assert_settled(f);
}

/* ---- nothing but a person takes it away -------------------------------------------- */

/* Another label: an upgrade that changes nothing the engine needs. */
static void
upgrade(fixture *f)
{
	give_edited(f, "fields/account.json", "Visits", "Called");
	assert_string_equal("Called", field_of(f->account, "visit_count")->en);
}

static void
the_quarantine_survives_template_incarnation_and_backup(void **state)
{
	fixture *f = *state;
	sat_id id = customer(f, "Acme", "13812345678");
	char *copy = sat_xasprintf("%s/copy.db", f->dir), *was = f->path;
	size_t changed;
	sat_view v;
	sat_err err;

	srv_sync(f);
	assert_ok(try_edit(&changed, f, f->account, id, LIST("remark=x"), &err));
	refused_push(f);
	upgrade(f);
	(void)only_one(f);
	assert_ok(sat_replica_new_incarnation(f->r, &err));
	reopen(f);
	(void)only_one(f);
	assert_ok(sat_replica_backup(f->r, copy, &err));
	f->path = copy;
	reopen(f);
	(void)retried(f, only_one(f), LIST("remark=y"));
	srv_sync(f);
	assert_ok(sat_replica_get_server(&v, &f->a, f->r, f->account, &id,
	    &err));
	assert_true(sat_value_eq(text("y"), sat_record_value(&v.rec,
	    field_of(f->account, "remark")->id)));
	assert_sound(f);
	f->path = was;
	free(copy);
}

static void
the_quarantine_survives_a_snapshot(void **state)
{
	fixture *f = *state;
	sat_id id = customer(f, "Acme", "13812345678");

	refused_push(f); /* before the first snapshot */
	srv_snapshot(f, 1);
	assert_gone(f, id);
	(void)retried(f, only_one(f), LIST(NULL));
	srv_sync(f);
	assert_string_equal("Acme", value_of(f, f->account, id, "name"));
	assert_settled(f);
}

static void
what_waited_for_a_template_is_sent_again_when_the_server_has_it(void **state)
{
	fixture *f = *state;
	sat_id id = customer(f, "Acme", "13812345678");
	sat_welcome hi = { .proto = 1 };
	size_t changed, n;
	uint64_t sent;
	sat_err err;

	srv_sync(f);
	assert_ok(try_edit(&changed, f, f->account, id, LIST("remark=x"), &err));
	f->srv.slug = "template.unknown";
	refused_push(f);
	f->srv.slug = NULL;
	assert_ok(try_edit(&changed, f, f->account, id, LIST("city=y"), &err));
	refused_push(f); /* for another reason: a person's */
	hi.head = hi.scope_head = f->srv.n;
	hi.wall_ms = f->now_ms;
	assert_ok(f->ops.welcome(f->ops.u, &hi, f->now_ms, &err));
	assert_ok(f->ops.unpark(f->ops.u, &sent, &err)); /* it has none yet */
	assert_int_equal(0, sent);
	memcpy(hi.template_oid, sat_replica_template_oid(f->r),
	    sizeof hi.template_oid);
	assert_ok(f->ops.welcome(f->ops.u, &hi, f->now_ms, &err));
	assert_ok(f->ops.unpark(f->ops.u, &sent, &err));
	assert_int_equal(1, sent);
	assert_ok(f->ops.unpark(f->ops.u, &sent, &err));
	assert_int_equal(0, sent);
	assert_string_equal("x", value_of(f, f->account, id, "remark"));
	(void)open_ones(&n, f);
	assert_int_equal(1, n);
	srv_sync(f);
	assert_settled(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SYNCED(a_refused_edit_is_sent_again_corrected),
		SYNCED(a_retry_that_changes_nothing_writes_nothing),
		SYNCED(the_gate_judges_a_retry_and_a_failed_one_stays),
		SYNCED(a_commit_on_a_customer_that_left_cannot_be_retried),
		SYNCED(what_waits_for_a_refused_creation_moves_with_it),
		SYNCED(what_waits_moves_with_what_was_refused_twice),
		SYNCED(a_commit_of_several_records_goes_as_one_again),
		SYNCED(what_waited_for_a_template_is_sent_again_when_the_server_has_it),
		SYNCED(the_quarantine_survives_template_incarnation_and_backup),
		cmocka_unit_test_setup_teardown(
		    the_quarantine_survives_a_snapshot, setup_rep, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
