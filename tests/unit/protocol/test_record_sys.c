/* Operations on the record as such (P-131..P-138). */
#include "tests/lib/unit.h"

#include "common/crypto/crypto.h"
#include "protocol/record.h"

static const char template_json[] =
    "{\"id\":\"t\",\"name\":{\"zh\":\"t\",\"en\":\"t\"},\"version\":\"1.0.0\","
    "\"schema\":1,\"tz\":\"Asia/Shanghai\",\"tz_min\":480,\"week\":\"iso\","
    "\"currency\":\"CNY\",\"languages\":[\"zh\"]}";
#define L "\"label\":{\"zh\":\"x\",\"en\":\"x\"}"
static const char thing_json[] =
    "{\"kind\":{\"id\":1,\"key\":\"thing\",\"plural\":\"things\"," L ","
    "\"scope\":\"root\",\"owner\":\"owner\","
    "\"title\":\"plain\",\"list\":[\"plain\"]},\"fields\":["
    "{\"id\":1,\"key\":\"plain\"," L ",\"type\":\"text\"},"
    "{\"id\":2,\"key\":\"owner\"," L ",\"type\":\"user\",\"policy\":\"owner\"},"
    "{\"id\":3,\"key\":\"number\"," L ",\"type\":\"text\",\"policy\":\"once\"}"
    "]}";
static const char matrix_json[] =
    "{\"roles\":[{\"key\":\"rep\"," L "}],\"grants\":{\"rep\":{}}}";
enum { PLAIN = 1, OWNER, NUMBER };

static sat_template *tmpl;

static sat_rc
load_with(sat_template **t, const char *fields, sat_err *e)
{
	const sat_template_file files[] = {
		{ "template.json", sat_span_str(template_json) },
		{ "fields/thing.json", sat_span_str(fields) },
		{ "acl/matrix.json", sat_span_str(matrix_json) },
	};

	return sat_template_load(t, files, 3, e);
}

static int
load(void **state)
{
	sat_err err = { 0 };

	(void)state;
	assert_ok(load_with(&tmpl, thing_json, &err));
	return 0;
}

static int
unload(void **state)
{
	(void)state;
	sat_template_free(tmpl);
	return 0;
}

typedef struct world {
	sat_arena a;
	sat_record r;
	sat_applied last;
	uint64_t lsn;
} world;

static const sat_id rec_id = { { 1, 2, 3 } };

/* The next operation in the server's order. */
static sat_outcome
give_as(world *w, sat_op_kind kind, uint16_t field, sat_value v, uint32_t dev,
    uint64_t seen)
{
	sat_op op = { .kind = kind, .rtype = 1, .field = field, .value = v,
		.rec = rec_id };
	sat_apply_ctx ctx = { { 1000 + w->lsn, dev, w->lsn + 1 }, seen, false, NULL };
	sat_err err = { 0 };

	w->lsn++;
	assert_ok(sat_record_apply(&w->last, &w->r, &w->a, tmpl, &op, &ctx,
	    &err));
	sat_record_applied(&w->r, w->last.outcome, w->lsn);
	return w->last.outcome;
}

static sat_outcome
give(world *w, sat_op_kind kind, uint16_t field, sat_value v)
{
	return give_as(w, kind, field, v, SAT_DEV_SERVER, w->lsn);
}

static sat_value
txt(const char *s)
{
	return sat_v_text(sat_span_str(s));
}

static world
fresh(void)
{
	world w = { .lsn = 0 };

	give_as(&w, SAT_OP_NEW, 0, sat_v_null(), 1, 0);
	return w;
}

static void
assert_is(const world *w, uint16_t field, const char *want)
{
	sat_value v = sat_record_value(&w->r, field);

	assert_true(want == NULL ? v.type == SAT_V_NULL :
	    v.type == SAT_V_TEXT && sat_span_eq(v.s, sat_span_str(want)));
}

/* Canonical bytes there and back give the same bytes. */
static void
done(world *w)
{
	sat_buf x = { 0 }, y = { 0 };
	sat_record r;
	sat_err err = { 0 };

	sat_record_write(&x, &w->r);
	assert_ok(sat_record_read(&r, &w->a, sat_buf_span(&x), &err));
	sat_record_write(&y, &r);
	assert_true(sat_span_eq(sat_buf_span(&x), sat_buf_span(&y)));
	sat_buf_fini(&x);
	sat_buf_fini(&y);
	sat_arena_fini(&w->a);
}

/* ---- owner and pool (P-132) ----------------------------------------------------- */

static void
the_first_claim_in_the_servers_order_gets_the_record(void **state)
{
	world w = fresh();

	(void)state;
	assert_int_equal(SAT_APPLIED, give_as(&w, SAT_OP_CLAIM, OWNER,
	    txt("ann"), 2, 0));
	/* seen or not, later stamp or not */
	assert_int_equal(SAT_NOTHING, give_as(&w, SAT_OP_CLAIM, OWNER,
	    txt("bob"), 3, 0));
	assert_int_equal(SAT_NOTHING, give_as(&w, SAT_OP_CLAIM, OWNER,
	    txt("bob"), 3, w.lsn));
	assert_is(&w, OWNER, "ann");
	done(&w);
}

static void
a_release_offers_the_record_and_a_claim_takes_it_off(void **state)
{
	world w = fresh();

	(void)state;
	give_as(&w, SAT_OP_CLAIM, OWNER, txt("ann"), 2, 0);
	assert_int_equal(SAT_APPLIED, give_as(&w, SAT_OP_RELEASE, OWNER,
	    txt("north"), 2, w.lsn));
	assert_is(&w, OWNER, NULL);
	assert_is(&w, SAT_SYS_POOL, "north");
	assert_int_equal(1, w.last.ndisplaced); /* ann is in the history */
	assert_int_equal(SAT_NOTHING, give(&w, SAT_OP_RELEASE, OWNER,
	    txt("north")));
	assert_int_equal(SAT_APPLIED, give(&w, SAT_OP_RELEASE, OWNER,
	    txt("south")));
	assert_is(&w, SAT_SYS_POOL, "south");
	assert_int_equal(SAT_APPLIED, give_as(&w, SAT_OP_CLAIM, OWNER,
	    txt("bob"), 3, 0));
	assert_is(&w, OWNER, "bob");
	assert_is(&w, SAT_SYS_POOL, NULL);
	done(&w);
}

static void
a_reassignment_takes_a_record_out_of_the_pool(void **state)
{
	world w = fresh();

	(void)state;
	give_as(&w, SAT_OP_CLAIM, OWNER, txt("ann"), 2, 0);
	give(&w, SAT_OP_RELEASE, OWNER, txt("north"));
	assert_int_equal(SAT_APPLIED, give_as(&w, SAT_OP_REASSIGN, OWNER,
	    txt("cat"), 4, w.lsn));
	assert_is(&w, SAT_SYS_POOL, NULL);
	done(&w);
}

static void
a_release_of_an_owner_its_author_did_not_know_does_nothing(void **state)
{
	world w = fresh();

	(void)state;
	give_as(&w, SAT_OP_REASSIGN, OWNER, txt("ann"), 1, 0);
	give_as(&w, SAT_OP_REASSIGN, OWNER, txt("bob"), 1, w.lsn);
	assert_int_equal(SAT_NOTHING, give_as(&w, SAT_OP_RELEASE, OWNER,
	    txt("north"), 2, w.lsn - 1));
	assert_is(&w, OWNER, "bob");
	assert_is(&w, SAT_SYS_POOL, NULL);
	done(&w);
}

static void
a_deleted_record_is_neither_claimed_nor_released(void **state)
{
	world w = fresh();

	(void)state;
	give_as(&w, SAT_OP_DEL, 0, sat_v_null(), 1, w.lsn);
	assert_int_equal(SAT_NOTHING, give(&w, SAT_OP_CLAIM, OWNER,
	    txt("ann")));
	assert_int_equal(SAT_NOTHING, give(&w, SAT_OP_RELEASE, OWNER,
	    txt("north")));
	assert_false(w.r.with_edits);
	done(&w);
}

/* ---- numbers (P-133) --------------------------------------------------------------- */

static void
a_number_replaces_the_one_there_and_the_old_one_stays_an_alias(void **state)
{
	world w = fresh();
	sat_element *el;

	(void)state;
	give_as(&w, SAT_OP_SET, NUMBER, txt("C202405-P7-0001"), 2, 0);
	assert_int_equal(SAT_APPLIED, give(&w, SAT_OP_NUMBER, NUMBER,
	    txt("C202405001")));
	assert_is(&w, NUMBER, "C202405001");
	assert_is(&w, SAT_SYS_ALIASES, "C202405-P7-0001");
	assert_int_equal(SAT_APPLIED, give(&w, SAT_OP_NUMBER, NUMBER,
	    txt("C202405002")));
	assert_int_equal(2, sat_cell_elements(&el, &w.a,
	    sat_record_cell(&w.r, SAT_SYS_ALIASES)));
	assert_int_equal(SAT_NOTHING, give(&w, SAT_OP_NUMBER, NUMBER,
	    txt("C202405002")));
	/* a device's own is still "once" */
	assert_int_equal(SAT_NOTHING, give_as(&w, SAT_OP_SET, NUMBER,
	    txt("C1"), 2, w.lsn));
	done(&w);
}

static void
a_number_the_server_gave_is_no_edit_a_deletion_missed(void **state)
{
	world w = fresh();

	(void)state;
	give_as(&w, SAT_OP_SET, NUMBER, txt("C202405-P7-0001"), 2, 0);
	give(&w, SAT_OP_NUMBER, NUMBER, txt("C202405001"));
	assert_int_equal(SAT_APPLIED, give_as(&w, SAT_OP_DEL, 0, sat_v_null(),
	    2, 1));
	assert_false(w.r.with_edits);
	done(&w);
}

/* ---- suggestions (P-136) ------------------------------------------------------------- */

static sat_value
handed(world *w, const char *ops, size_t n)
{
	sat_handed h = { .dev = 7, .hlc = 77, .actor = sat_span_str("ann"),
		.ops = sat_span_of(ops, n) };
	sat_buf b = { 0 };
	sat_value v;

	sat_handed_write(&b, &h);
	v = sat_v_bytes(sat_span_of(sat_arena_dup(&w->a, b.p, b.n), b.n));
	sat_buf_fini(&b);
	return v;
}

static void
suggestions_are_kept_until_they_are_answered(void **state)
{
	world w = fresh();
	sat_handed *h;

	(void)state;
	give(&w, SAT_OP_HAND, SAT_SYS_HANDED, handed(&w, "one", 3));
	give(&w, SAT_OP_HAND, SAT_SYS_HANDED, handed(&w, "two", 3));
	assert_int_equal(2, sat_record_value(&w.r, SAT_SYS_HANDED).i);
	assert_int_equal(2, sat_cell_handed(&h, &w.a,
	    sat_record_cell(&w.r, SAT_SYS_HANDED)));
	assert_int_equal(2, h[0].lsn);
	assert_int_equal(7, h[0].dev);
	assert_int_equal(77, h[0].hlc);
	assert_true(sat_span_eq(h[0].actor, sat_span_str("ann")));
	assert_true(sat_span_eq(h[1].ops, sat_span_str("two")));
	assert_int_equal(SAT_NOTHING, give_as(&w, SAT_OP_SETTLE,
	    SAT_SYS_HANDED, sat_v_int(99), 2, w.lsn));
	assert_int_equal(SAT_APPLIED, give_as(&w, SAT_OP_SETTLE,
	    SAT_SYS_HANDED, sat_v_int(2), 2, w.lsn));
	assert_int_equal(1, sat_cell_handed(&h, &w.a,
	    sat_record_cell(&w.r, SAT_SYS_HANDED)));
	assert_true(sat_span_eq(h[0].ops, sat_span_str("two")));
	give_as(&w, SAT_OP_SETTLE, SAT_SYS_HANDED, sat_v_int(3), 2, w.lsn);
	assert_int_equal(SAT_V_NULL,
	    sat_record_value(&w.r, SAT_SYS_HANDED).type);
	done(&w);
}

static void
suggestions_end_at_their_limit(void **state)
{
	static char big[60 * 1024];
	world w = fresh();
	int n = 0;

	(void)state;
	memset(big, 'x', sizeof big);
	while (give(&w, SAT_OP_HAND, SAT_SYS_HANDED, handed(&w, big,
	    sizeof big)) == SAT_APPLIED)
		n++;
	assert_int_equal(SAT_HANDED_BYTES_MAX / (int)sizeof big, n);
	assert_false(sat_handed_room(&w.r, &w.a, sizeof big));
	assert_true(sat_handed_room(&w.r, &w.a, 100));
	while (give(&w, SAT_OP_HAND, SAT_SYS_HANDED, handed(&w, "x", 1)) ==
	    SAT_APPLIED)
		n++;
	assert_int_equal(SAT_HANDED_MAX, n);
	done(&w);
}

static void
a_suggestion_its_author_had_not_seen_stops_a_deletion(void **state)
{
	world w = fresh();

	(void)state;
	give(&w, SAT_OP_HAND, SAT_SYS_HANDED, handed(&w, "one", 3));
	assert_int_equal(SAT_REVIEW, give_as(&w, SAT_OP_DEL, 0, sat_v_null(),
	    2, 1));
	assert_true(w.r.with_edits);
	done(&w);
}

/* ---- merging of records (P-137), erasure (P-138) ----------------------------------------- */

static void
a_record_is_redirected_once_and_can_be_taken_back(void **state)
{
	static const sat_id a = { { 9 } }, b = { { 8 } };
	world w = fresh();

	(void)state;
	assert_int_equal(SAT_NOTHING, give(&w, SAT_OP_MERGE, SAT_SYS_REDIRECT,
	    sat_v_bytes(sat_span_of(rec_id.b, 16))));
	assert_int_equal(SAT_APPLIED, give(&w, SAT_OP_MERGE, SAT_SYS_REDIRECT,
	    sat_v_bytes(sat_span_of(a.b, 16))));
	assert_int_equal(SAT_NOTHING, give(&w, SAT_OP_MERGE, SAT_SYS_REDIRECT,
	    sat_v_bytes(sat_span_of(b.b, 16))));
	assert_true(sat_span_eq(sat_record_value(&w.r, SAT_SYS_REDIRECT).s,
	    sat_span_of(a.b, 16)));
	assert_int_equal(SAT_APPLIED, give(&w, SAT_OP_UNMERGE,
	    SAT_SYS_REDIRECT, sat_v_null()));
	assert_int_equal(SAT_NOTHING, give(&w, SAT_OP_UNMERGE,
	    SAT_SYS_REDIRECT, sat_v_null()));
	done(&w);
}

static void
an_erasure_leaves_its_place_in_a_record_that_stays(void **state) /* P-138 */
{
	world w = fresh();
	size_t ncells = w.r.ncells;

	(void)state;
	assert_int_equal(SAT_APPLIED, give(&w, SAT_OP_ERASE, 0, sat_v_null()));
	assert_int_equal(ncells + 1, w.r.ncells);
	assert_int_equal(w.r.rlsn, sat_record_value(&w.r, SAT_SYS_PARTED).i);
	done(&w);
}

static void
a_deletion_misses_no_erasure(void **state) /* P-138 */
{
	world w = fresh();
	uint64_t seen = w.lsn;

	(void)state;
	give(&w, SAT_OP_ERASE, 0, sat_v_null());
	assert_int_equal(SAT_APPLIED, give_as(&w, SAT_OP_DEL, 0, sat_v_null(),
	    2, seen));
	done(&w);
}

static void
no_template_declares_a_system_field(void **state) /* P-130 */
{
	char fields[sizeof thing_json + 8];
	const char *at = strstr(thing_json, "\"id\":3");
	sat_template *t = NULL;
	sat_err err = { 0 };

	(void)state;
	(void)snprintf(fields, sizeof fields, "%.*s\"id\":1000%s",
	    (int)(at - thing_json), thing_json, at + 6);
	assert_ok(load_with(&t, fields, &err));
	sat_template_free(t);
	t = NULL;
	(void)snprintf(fields, sizeof fields, "%.*s\"id\":%d%s",
	    (int)(at - thing_json), thing_json, SAT_SYS_FIRST, at + 6);
	assert_rc(SAT_EINVALID, load_with(&t, fields, &err));
}

/* Whatever shape it is not, sat_commit_check refuses (P-131). */
static void
a_system_operation_has_one_shape(void **state)
{
	static const struct { sat_op_kind kind; uint16_t field; sat_vtype t; }
	    bad[] = {
		{ SAT_OP_CLAIM, SAT_SYS_POOL, SAT_V_TEXT },
		{ SAT_OP_CLAIM, OWNER, SAT_V_NULL },
		{ SAT_OP_RELEASE, OWNER, SAT_V_INT },
		{ SAT_OP_NUMBER, NUMBER, SAT_V_NULL },
		{ SAT_OP_HAND, SAT_SYS_HANDED, SAT_V_TEXT },
		{ SAT_OP_HAND, OWNER, SAT_V_BYTES },
		{ SAT_OP_SETTLE, SAT_SYS_HANDED, SAT_V_TEXT },
		{ SAT_OP_SETTLE, OWNER, SAT_V_INT },
		{ SAT_OP_MERGE, SAT_SYS_REDIRECT, SAT_V_BYTES },
		{ SAT_OP_UNMERGE, SAT_SYS_REDIRECT, SAT_V_INT },
		{ SAT_OP_UNMERGE, OWNER, SAT_V_NULL },
		{ SAT_OP_ERASE, 0, SAT_V_INT },
		{ SAT_OP_ERASE, OWNER, SAT_V_NULL },
	};
	sat_op op = { .rtype = 1, .rec = rec_id };
	sat_commit c = { .cseq = 1, .hlc = 1, .subject = rec_id, .nops = 1,
		.ops = &op };

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		op.kind = bad[i].kind;
		op.field = bad[i].field;
		op.value = bad[i].t == SAT_V_TEXT ? txt("x") :
		    bad[i].t == SAT_V_BYTES ? sat_v_bytes(sat_span_str("x")) :
		    bad[i].t == SAT_V_INT ? sat_v_int(1) : sat_v_null();
		if (sat_commit_check(&c, NULL) != SAT_EINVALID)
			fail_msg("shape %zu was taken", i);
	}
	op = (sat_op){ .kind = SAT_OP_CLAIM, .rtype = 1, .rec = rec_id,
		.field = OWNER, .value = txt("ann") };
	assert_rc(SAT_OK, sat_commit_check(&c, NULL));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    the_first_claim_in_the_servers_order_gets_the_record),
		cmocka_unit_test(
		    a_release_offers_the_record_and_a_claim_takes_it_off),
		cmocka_unit_test(a_reassignment_takes_a_record_out_of_the_pool),
		cmocka_unit_test(
		    a_release_of_an_owner_its_author_did_not_know_does_nothing),
		cmocka_unit_test(
		    a_deleted_record_is_neither_claimed_nor_released),
		cmocka_unit_test(
		    a_number_replaces_the_one_there_and_the_old_one_stays_an_alias),
		cmocka_unit_test(
		    a_number_the_server_gave_is_no_edit_a_deletion_missed),
		cmocka_unit_test(suggestions_are_kept_until_they_are_answered),
		cmocka_unit_test(suggestions_end_at_their_limit),
		cmocka_unit_test(
		    a_suggestion_its_author_had_not_seen_stops_a_deletion),
		cmocka_unit_test(
		    a_record_is_redirected_once_and_can_be_taken_back),
		cmocka_unit_test(an_erasure_leaves_its_place_in_a_record_that_stays),
		cmocka_unit_test(a_deletion_misses_no_erasure),
		cmocka_unit_test(no_template_declares_a_system_field),
		cmocka_unit_test(a_system_operation_has_one_shape),
	};

	sat_crypto_init();
	return cmocka_run_group_tests(tests, load, unload);
}
