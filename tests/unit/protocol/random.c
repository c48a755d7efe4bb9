#include "tests/lib/unit.h"

#include "protocol/commit.h"
#include "protocol/record.h"
#include "tests/unit/protocol/random.h"

uint64_t seed;

uint64_t
rnd(uint64_t n)
{
	return sat_test_rand(&seed) % n;
}

sat_id
random_id(int64_t ms, uint32_t dev)
{
	uint64_t r = sat_test_rand(&seed);

	return sat_id_make(ms, dev, (const uint8_t *)&r);
}

sat_value
random_value(sat_arena *a, sat_op_kind k)
{
	char text[200];
	size_t n = 1 + rnd(20);

	for (size_t i = 0; i < n; i++)
		text[i] = (char)('a' + rnd(26));
	if (k == SAT_OP_SADD || k == SAT_OP_SREM || k == SAT_OP_STAGE)
		return sat_value_dup(a, sat_v_text(sat_span_of(text, n)));
	if (k == SAT_OP_ADD)
		return sat_v_int((int64_t)rnd(100) - 50);
	switch (rnd(8)) {
	case 0:
		return sat_v_null();
	case 1:
		return sat_v_int((int64_t)sat_test_rand(&seed));
	case 2:
		return sat_v_int(NOON + (int64_t)rnd(400) * 86400000);
	case 3:
		return sat_v_int(rnd(2) ? INT64_MIN : INT64_MAX);
	case 4:
		return sat_value_dup(a, sat_v_bytes(sat_span_of(text, n)));
	case 5:
		return sat_v_text(sat_span_str(""));
	default:
		return sat_value_dup(a, sat_v_text(sat_span_of(text, n)));
	}
}

/* P-131: system operations have one shape each. */
static void
system_op(sat_op *op, sat_arena *a)
{
	static const sat_id winner = { { 7, 7 } };
	sat_handed h = { .dev = 3, .hlc = 5, .actor = sat_span_str("ann"),
		.ops = sat_span_str("payload") };
	sat_buf b = { 0 };

	op->field = op->kind <= SAT_OP_NUMBER ? 5 :
	    op->kind <= SAT_OP_SETTLE ? SAT_SYS_HANDED : SAT_SYS_REDIRECT;
	switch (op->kind) {
	case SAT_OP_HAND:
		sat_handed_write(&b, &h);
		op->value = sat_v_bytes(sat_span_of(sat_arena_dup(a, b.p, b.n),
		    b.n));
		sat_buf_fini(&b);
		break;
	case SAT_OP_SETTLE:
		op->value = sat_v_int(12);
		break;
	case SAT_OP_MERGE:
		op->value = sat_v_bytes(sat_span_of(winner.b, sizeof winner.b));
		break;
	case SAT_OP_UNMERGE:
		break;
	case SAT_OP_ERASE:
		op->field = 0;
		break;
	default:
		op->value = sat_v_text(sat_span_str("C202405001"));
	}
}

bool
random_kind(sat_op *op, sat_arena *a)
{
	op->kind = (sat_op_kind)(rnd(8) == 0 ?
	    SAT_OP_LATER + rnd(32) : 1 + rnd(SAT_OP_LAST));
	if (op->kind == SAT_OP_NEW || op->kind == SAT_OP_DEL ||
	    op->kind == SAT_OP_UNDEL)
		return true;
	if (op->kind < SAT_OP_CLAIM || sat_op_kind_is_later(op->kind))
		return false;
	system_op(op, a);
	return true;
}
