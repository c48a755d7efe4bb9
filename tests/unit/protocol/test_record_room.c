/*
 * With room (sat_fold_room) the fold gives what it gives without: cells are
 * written over in memory, never a value somebody may still read.
 */
#include "tests/lib/unit.h"

#include "protocol/record.h"
#include "tests/unit/protocol/thing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 2000
#define PAST_MAX 4096

typedef struct side {
	sat_arena a;
	sat_record r;
	sat_fold_room room;
	bool roomy;
	sat_displaced *past;
	size_t npast;
} side;

static const sat_id rec_id = { { 1, 2, 3 } };

static void
apply(side *s, sat_op *op, sat_stamp at, uint64_t seen)
{
	sat_apply_ctx ctx = { at, seen, false, s->roomy ? &s->room : NULL };
	sat_applied got;
	sat_err err = { 0 };

	op->rtype = 1;
	op->rec = rec_id;
	assert_ok(sat_record_apply(&got, &s->r, &s->a, tmpl, op, &ctx, &err));
	sat_record_applied(&s->r, got.outcome, at.lsn);
	for (size_t i = 0; i < got.ndisplaced && s->npast < PAST_MAX; i++)
		s->past[s->npast++] = got.displaced[i];
}

static void
begin(side *s, bool roomy)
{
	sat_op op = { .kind = SAT_OP_NEW };

	*s = (side){ .roomy = roomy,
		.past = sat_xcalloc(PAST_MAX, sizeof *s->past) };
	apply(s, &op, (sat_stamp){ 1000, 1, 1 }, 0);
}

static void
end(side *s)
{
	sat_arena_fini(&s->a);
	sat_fold_room_fini(&s->room);
	free(s->past);
}

static void
assert_same(const side *x, const side *y)
{
	sat_buf a = { 0 }, b = { 0 };

	sat_record_write(&a, &x->r);
	sat_record_write(&b, &y->r);
	assert_true(sat_span_eq(sat_buf_span(&a), sat_buf_span(&b)));
	assert_int_equal(x->npast, y->npast);
	for (size_t i = 0; i < x->npast; i++)
		assert_true(sat_value_eq(x->past[i].value, y->past[i].value));
	sat_buf_fini(&a);
	sat_buf_fini(&b);
}

/* A text that is told from others at both ends, long more often than not. */
static sat_value
some_text(char *t, uint64_t *seed, size_t most)
{
	size_t n = 8 + sat_test_rand(seed) % (sat_test_rand(seed) % 4 == 0 ? 8 :
	    most - 16);

	memset(t, 'a' + (int)(sat_test_rand(seed) % 3), n);
	(void)snprintf(t + n - 5, 6, "%05u",
	    (unsigned)(sat_test_rand(seed) % 300));
	return sat_v_text(sat_span_of(t, n));
}

static void
some_op(sat_op *op, char *t, sat_dot *dot, uint64_t *seed, uint64_t lsn)
{
	static const struct {
		sat_op_kind kind;
		uint16_t field;
		size_t most;
	} kinds[] = { { SAT_OP_SADD, TAGS, 250 }, { SAT_OP_SADD, TAGS, 250 },
		{ SAT_OP_SADD, TAGS, 250 }, { SAT_OP_SREM, TAGS, 250 },
		{ SAT_OP_MVSET, PHONE, TEXT_MAX },
		{ SAT_OP_MVSET, PHONE, TEXT_MAX },
		{ SAT_OP_MERGE, PHONE, TEXT_MAX },
		{ SAT_OP_RESOLVE, PHONE, TEXT_MAX },
		{ SAT_OP_STAGE, STAGE, 250 }, { SAT_OP_STAGE, STAGE, 250 },
		{ SAT_OP_SADD, UNKNOWN, 250 },
		{ SAT_OP_MVSET, UNKNOWN, TEXT_MAX },
		{ SAT_OP_SET, UNKNOWN, TEXT_MAX },
		{ SAT_OP_SET, PLAIN, TEXT_MAX } };
	size_t k = sat_test_rand(seed) % (sizeof kinds / sizeof *kinds);

	*dot = (sat_dot){ 2 + (uint32_t)(sat_test_rand(seed) % 40),
		1 + sat_test_rand(seed) % lsn };
	*op = (sat_op){ .kind = kinds[k].kind, .field = kinds[k].field,
		.value = some_text(t, seed, kinds[k].most) };
	if (op->kind == SAT_OP_RESOLVE) {
		op->dots = dot;
		op->ndots = 1;
	}
}

static void
folds_as_without_it(void **state)
{
	uint64_t seed = sat_test_seed(91);

	(void)state;
	for (int round = 0; round < 12; round++) {
		side x, y;
		sat_buf kept = { 0 };
		sat_record before = { 0 };

		begin(&x, true);
		begin(&y, false);
		for (uint64_t lsn = 2; lsn < 400; lsn++) {
			char t[TEXT_MAX + 16];
			sat_dot dot;
			sat_op op;
			sat_stamp at = { 1000 + sat_test_rand(&seed) % 500,
				2 + (uint32_t)(sat_test_rand(&seed) % 40), lsn };
			uint64_t seen = sat_test_rand(&seed) % 9 == 0 ?
			    lsn - 1 : sat_test_rand(&seed) % 30;

			if (sat_test_rand(&seed) % 20 == 0) {
				/* who copied it before the turn has it still */
				sat_buf now = { 0 };

				if (before.ncells > 0) {
					sat_record_write(&now, &before);
					assert_true(sat_span_eq(
					    sat_buf_span(&now),
					    sat_buf_span(&kept)));
				}
				sat_buf_fini(&now);
				sat_fold_room_turn(&x.room);
				before = x.r;
				before.cells = sat_arena_dup(&x.a, x.r.cells,
				    x.r.ncells * sizeof *x.r.cells);
				sat_buf_reset(&kept);
				sat_record_write(&kept, &before);
			}
			some_op(&op, t, &dot, &seed, lsn);
			apply(&x, &op, at, seen);
			apply(&y, &op, at, seen);
			memset(t, '!', sizeof t); /* it was lent */
			assert_same(&x, &y);
		}
		sat_buf_fini(&kept);
		end(&x);
		end(&y);
	}
}

/* Thousands of operations on one large set, and on one large conflict, of one
 * turn: 6 MB, without room 1,062. */
static void
takes_no_more_than_a_few_states(void **state)
{
	side x;
	char t[TEXT_MAX];

	(void)state;
	begin(&x, true);
	sat_fold_room_turn(&x.room);
	for (uint64_t i = 0; i < 4096; i++) {
		sat_op op = { .kind = SAT_OP_SADD, .field = TAGS };
		sat_op mv = { .kind = SAT_OP_MVSET, .field = PHONE };
		sat_stamp at = { 2000 + i, 2 + (uint32_t)(i % 100), 2 + i };

		(void)snprintf(t, sizeof t, "%056u", (unsigned)(i % 1000));
		op.value = sat_v_text(sat_span_of(t, 56));
		apply(&x, &op, at, 0);
		memset(t, 'x', 1000);
		(void)snprintf(t + 990, 10, "%09u", (unsigned)(i % 100));
		mv.value = sat_v_text(sat_span_of(t, 999));
		apply(&x, &mv, at, 0);
	}
	assert_true(sat_arena_bytes(&x.a) < (size_t)16 << 20);
	assert_true(sat_arena_bytes(&x.room.tmp) < (size_t)2 << 20);
	end(&x);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(folds_as_without_it),
		cmocka_unit_test(takes_no_more_than_a_few_states),
	};

	return cmocka_run_group_tests(tests, load_thing, unload_thing);
}
