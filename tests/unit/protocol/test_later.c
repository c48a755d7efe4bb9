/*
 * Operations of a later release: read, passed on, kept, and played back by a
 * release that knows them (P-026, P-169).
 */
#include "tests/lib/unit.h"

#include "protocol/batch.h"
#include "protocol/record.h"

#define K 1       /* account */
#define F_REMARK 22
#define F_VISITS 25
#define F_NAME 2

static sat_template *
base_template(void)
{
	const sat_template_file *files;
	sat_template *t;
	size_t n;
	sat_err err;

	sat_crypto_init();
	files = sat_template_base(&n);
	assert_ok(sat_template_load(&t, files, n, &err));
	return t;
}

static sat_id
id_of(uint8_t x)
{
	sat_id id = { { 0 } };

	id.b[0] = 1;
	id.b[15] = x;
	return id;
}

static sat_op
later(unsigned kind, uint16_t field, sat_value v)
{
	return (sat_op){ .kind = (sat_op_kind)kind, .rtype = K, .field = field,
		.rec = id_of(1), .value = v };
}

static sat_value
txt(const char *s)
{
	return sat_v_text(sat_span_str(s));
}

/* ---- the wire ------------------------------------------------------------------ */

static void
every_later_kind_is_read_as_it_was_written(void **state) /* P-026 */
{
	static const sat_dot dots[] = { { 3, 17 }, { 0, 9 } };
	sat_arena a = { 0 };

	(void)state;
	sat_crypto_init();
	for (unsigned k = SAT_OP_LATER; k <= SAT_OP_KIND_MAX; k++) {
		sat_op ops[] = { later(k, 0, sat_v_null()),
			later(k, 7, txt("x")), later(k, 1004, sat_v_int(-5)) };
		sat_commit c = { .device = 7, .incarnation = 1, .cseq = 1,
			.hlc = 99, .subject = id_of(1), .ops = ops, .nops = 3 };
		sat_buf h = { 0 }, p = { 0 }, b = { 0 }, again = { 0 };
		uint8_t hash[SAT_HASH_BYTES];
		sat_commit got, *list;
		size_t n;
		sat_err err;

		ops[1].dots = dots;
		ops[1].ndots = 2;
		sat_commit_seal(&c, hash);
		sat_commit_write_payload(&p, &c);
		sat_commit_write_header(&h, &c);
		assert_ok(sat_commit_read(&got, &a, sat_buf_span(&h),
		    sat_buf_span(&p), &err));
		assert_int_equal(2, got.ops[1].ndots);
		assert_int_equal(9, got.ops[1].dots[1].lsn);
		assert_ok(sat_batch_write(&b, SAT_BATCH_PUSH, &c, 1, &err));
		assert_ok(sat_batch_read(&list, &n, &a, SAT_BATCH_PUSH,
		    sat_buf_span(&b), &err));
		assert_int_equal(1, n);
		sat_commit_write_payload(&again, &list[0]);
		assert_true(sat_span_eq(sat_buf_span(&p), sat_buf_span(&again)));
		sat_buf_fini(&h);
		sat_buf_fini(&p);
		sat_buf_fini(&b);
		sat_buf_fini(&again);
	}
	sat_arena_fini(&a);
}

static void
kinds_between_ours_and_the_later_ones_are_refused(void **state)
{
	(void)state;
	for (unsigned k = SAT_OP_LAST + 1; k < SAT_OP_LATER; k++) {
		sat_op op = later(k, 1, txt("x"));
		sat_commit c = { .device = 7, .incarnation = 1, .cseq = 1,
			.hlc = 99, .subject = id_of(1), .ops = &op, .nops = 1 };

		assert_rc(SAT_EINVALID, sat_commit_check(&c, NULL));
	}
	{
		sat_op op = later(SAT_OP_KIND_MAX + 1, 1, txt("x"));
		sat_commit c = { .device = 7, .incarnation = 1, .cseq = 1,
			.hlc = 99, .subject = id_of(1), .ops = &op, .nops = 1 };

		assert_rc(SAT_EINVALID, sat_commit_check(&c, NULL));
	}
}

/* ---- the fold -------------------------------------------------------------------- */

static sat_outcome
fold(sat_record *r, sat_arena *a, const sat_template *t, const sat_op *op,
    sat_hlc hlc, uint32_t dev, uint64_t lsn, uint64_t seen)
{
	sat_apply_ctx ctx = { { hlc, dev, lsn }, seen, false, NULL };
	sat_applied out;
	sat_err err;

	assert_ok(sat_record_apply(&out, r, a, t, op, &ctx, &err));
	sat_record_applied(r, out.outcome, lsn);
	return out.outcome;
}

static sat_record
born(sat_arena *a, const sat_template *t)
{
	sat_op op = later(SAT_OP_NEW, 0, sat_v_null());
	sat_record r = { 0 };

	(void)fold(&r, a, t, &op, 1, 1, 1, 0);
	return r;
}

static void
an_operation_nobody_knows_is_kept_and_changes_no_field(void **state)
{
	sat_template *t = base_template();
	sat_arena a = { 0 };
	sat_record r = born(&a, t), back;
	sat_op set = later(SAT_OP_SET, F_REMARK, txt("mine"));
	sat_op x = later(40, F_REMARK, txt("theirs"));
	sat_buf b = { 0 }, again = { 0 };
	sat_later *l;
	sat_err err;

	(void)state;
	(void)fold(&r, &a, t, &set, 2, 1, 2, 1);
	assert_int_equal(SAT_APPLIED, fold(&r, &a, t, &x, 3, 2, 3, 1));
	assert_int_equal(SAT_APPLIED, fold(&r, &a, t, &x, 4, 3, 4, 3));
	assert_int_equal(4, r.rlsn);
	assert_true(sat_value_eq(txt("mine"), sat_record_value(&r, F_REMARK)));
	sat_record_write(&b, &r); /* part of the state */
	assert_ok(sat_record_read(&back, &a, sat_buf_span(&b), &err));
	sat_record_write(&again, &back);
	assert_true(sat_span_eq(sat_buf_span(&b), sat_buf_span(&again)));
	assert_int_equal(2, sat_record_later(&l, &a, &back));
	assert_int_equal(40, l[0].op.kind);
	assert_int_equal(3, l[0].at.lsn);
	assert_int_equal(1, l[0].seen);
	assert_int_equal(3, l[1].at.dev);
	assert_true(sat_value_eq(txt("theirs"), l[1].op.value));
	sat_buf_fini(&b);
	sat_buf_fini(&again);
	sat_arena_fini(&a);
	sat_template_free(t);
}

static void
an_unseen_later_operation_keeps_a_deletion_open(void **state) /* P-060 */
{
	sat_template *t = base_template();
	sat_arena a = { 0 };
	sat_record r = born(&a, t);
	sat_op x = later(50, 0, sat_v_int(1)), del = later(SAT_OP_DEL, 0,
	    sat_v_null());

	(void)state;
	(void)fold(&r, &a, t, &x, 3, 2, 3, 1);
	assert_int_equal(SAT_REVIEW, fold(&r, &a, t, &del, 4, 3, 4, 2));
	assert_true(r.deleted && r.with_edits);
	sat_arena_fini(&a);
	sat_template_free(t);
}

static void
what_finds_no_room_changes_nothing(void **state)
{
	static char big[40000];
	sat_template *t = base_template();
	sat_arena a = { 0 };
	sat_record r = born(&a, t);
	sat_op x = later(40, 0, sat_v_null()), y;
	sat_later *l;
	uint64_t lsn = 2;

	(void)state;
	for (; lsn < 2 + SAT_LATER_MAX; lsn++)
		assert_int_equal(SAT_APPLIED, fold(&r, &a, t, &x, lsn, 2, lsn,
		    1));
	assert_int_equal(SAT_NOTHING, fold(&r, &a, t, &x, lsn, 2, lsn, 1));
	assert_int_equal(SAT_LATER_MAX, sat_record_later(&l, &a, &r));
	assert_int_equal(lsn - 1, r.rlsn);
	r = born(&a, t);
	memset(big, 'x', sizeof big);
	y = later(41, 3, sat_v_text(sat_span_of(big, sizeof big)));
	for (lsn = 2; fold(&r, &a, t, &y, lsn, 2, lsn, 1) == SAT_APPLIED; lsn++)
		;
	assert_int_equal(SAT_LATER_BYTES_MAX / sizeof big,
	    sat_record_later(&l, &a, &r));
	sat_arena_fini(&a);
	sat_template_free(t);
}

/* ---- a release that knows them ------------------------------------------------------- */

/* Kind 40 turns out to be SET, 41 a counter's ADD, 42 MVSET. */
static bool
next_release(sat_op *op)
{
	switch ((unsigned)op->kind) {
	case 40: op->kind = SAT_OP_SET; return true;
	case 41: op->kind = SAT_OP_ADD; return true;
	case 42: op->kind = SAT_OP_MVSET; return true;
	default: return false;
	}
}

static bool
nothing_new(sat_op *op)
{
	(void)op;
	return false;
}

/* Kept and played back, or known from the start: the values are the same. What
 * came between them may differ in what is history, not in what counts. */
static void
playing_back_gives_what_knowing_would_have_given(void **state) /* P-169 */
{
	sat_template *t = base_template();
	uint64_t rand = sat_test_seed(7);

	(void)state;
	for (int round = 0; round < 300; round++) {
		sat_arena a = { 0 };
		sat_record kept = born(&a, t), known = born(&a, t);
		size_t n, nlater = 0;
		sat_err err;

		for (uint64_t lsn = 2; lsn < 14; lsn++) {
			static const uint16_t fields[] = { F_REMARK, F_VISITS,
				F_NAME };
			size_t which = sat_test_rand(&rand) % 3;
			char text[16];
			sat_op op = later(40 + (unsigned)which, fields[which],
			    sat_v_int((int64_t)(sat_test_rand(&rand) % 9)));
			uint32_t dev = 1 + (uint32_t)(sat_test_rand(&rand) % 3);
			uint64_t seen = sat_test_rand(&rand) % lsn;
			sat_hlc hlc = 10 + lsn * 4 + sat_test_rand(&rand) % 40;
			bool ahead = sat_test_rand(&rand) % 2 == 0;

			(void)snprintf(text, sizeof text, "v%d",
			    (int)(sat_test_rand(&rand) % 4));
			if (which != 1)
				op.value = sat_value_dup(&a, txt(text));
			if (!ahead)
				(void)next_release(&op);
			nlater += ahead;
			(void)fold(&kept, &a, t, &op, hlc, dev, lsn, seen);
			(void)next_release(&op);
			(void)fold(&known, &a, t, &op, hlc, dev, lsn, seen);
		}
		assert_ok(sat_record_replay_later(&n, &kept, &a, t, nothing_new,
		    &err));
		assert_int_equal(0, n);
		assert_ok(sat_record_replay_later(&n, &kept, &a, t, next_release,
		    &err));
		assert_int_equal(nlater, n);
		assert_null(sat_record_cell(&kept, SAT_SYS_LATER));
		for (size_t i = 0; i < 2; i++) { /* lww, counter */
			uint16_t f = i == 0 ? F_REMARK : F_VISITS;

			assert_true(sat_value_eq(sat_record_value(&known, f),
			    sat_record_value(&kept, f)));
		}
		sat_arena_fini(&a);
	}
	sat_template_free(t);
}

static void
what_is_still_unknown_stays_kept(void **state)
{
	sat_template *t = base_template();
	sat_arena a = { 0 };
	sat_record r = born(&a, t);
	sat_op x = later(40, F_REMARK, txt("x")), y = later(60, 0, sat_v_null());
	sat_later *l;
	size_t n;
	sat_err err;

	(void)state;
	(void)fold(&r, &a, t, &x, 2, 1, 2, 1);
	(void)fold(&r, &a, t, &y, 3, 1, 3, 2);
	assert_ok(sat_record_replay_later(&n, &r, &a, t, next_release, &err));
	assert_int_equal(1, n);
	assert_int_equal(1, sat_record_later(&l, &a, &r));
	assert_int_equal(60, l[0].op.kind);
	assert_true(sat_value_eq(sat_v_int(1),
	    sat_record_value(&r, SAT_SYS_LATER)));
	assert_true(sat_value_eq(txt("x"), sat_record_value(&r, F_REMARK)));
	sat_arena_fini(&a);
	sat_template_free(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_later_kind_is_read_as_it_was_written),
		cmocka_unit_test(kinds_between_ours_and_the_later_ones_are_refused),
		cmocka_unit_test(an_operation_nobody_knows_is_kept_and_changes_no_field),
		cmocka_unit_test(an_unseen_later_operation_keeps_a_deletion_open),
		cmocka_unit_test(what_finds_no_room_changes_nothing),
		cmocka_unit_test(playing_back_gives_what_knowing_would_have_given),
		cmocka_unit_test(what_is_still_unknown_stays_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
