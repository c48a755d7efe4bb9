/* Values, operations and commits as answers to golden vectors. */
#include "tests/lib/unit.h"

#include <inttypes.h>

#include "common/base/mem.h"
#include "common/model/value.h"
#include "protocol/commit.h"
#include "tests/lib/golden.h"
#include "tests/unit/protocol/answers.h"

sat_arena mem;

void
put_hex(sat_buf *out, const char *key, const void *p, size_t n)
{
	sat_buf_fmt(out, "\"%s\":\"", key);
	golden_hex(out, sat_span_of(p, n));
	sat_buf_str(out, "\"");
}

void
put_text(sat_buf *out, const char *key, sat_span s)
{
	sat_buf_fmt(out, "\"%s\":", key);
	golden_text(out, s);
}

void
put_u64(sat_buf *out, const char *key, uint64_t v)
{
	sat_buf_fmt(out, "\"%s\":\"%" PRIu64 "\"", key, v);
}

void
put_value(sat_buf *out, sat_value v)
{
	switch (v.type) {
	case SAT_V_NULL:
		sat_buf_str(out, "null");
		break;
	case SAT_V_INT:
		sat_buf_fmt(out, "%" PRId64, v.i);
		break;
	case SAT_V_TEXT:
		golden_text(out, v.s);
		break;
	case SAT_V_BYTES:
		sat_buf_str(out, "{");
		put_hex(out, "hex", v.s.p, v.s.n);
		sat_buf_str(out, "}");
		break;
	}
}

static void
put_op(sat_buf *out, const sat_op *op)
{
	sat_buf_fmt(out, "{\"kind\":%d,\"rtype\":%u,", (int)op->kind, op->rtype);
	put_hex(out, "rec", op->rec.b, sizeof op->rec.b);
	if (op->eid != 0)
		sat_buf_fmt(out, ",\"eid\":%u", op->eid);
	if (op->field != 0) {
		sat_buf_fmt(out, ",\"field\":%u,\"value\":", op->field);
		put_value(out, op->value);
	}
	if (op->seen1 != 0)
		sat_buf_fmt(out, ",\"seen\":\"%" PRIu64 "\"", op->seen1 - 1);
	for (size_t i = 0; i < op->ndots; i++)
		sat_buf_fmt(out, "%s[%u,\"%" PRIu64 "\"]", i == 0 ?
		    ",\"dots\":[" : ",", op->dots[i].dev, op->dots[i].lsn);
	sat_buf_str(out, op->ndots > 0 ? "]}" : "}");
}

void
put_commit(sat_buf *out, const sat_commit *c)
{
	put_u64(out, "hlc", c->hlc);
	sat_buf_str(out, ",");
	put_u64(out, "seen", c->seen);
	sat_buf_fmt(out, ",\"actor\":%u,\"flags\":%u,", c->actor, c->flags);
	put_hex(out, "subject", c->subject.b, sizeof c->subject.b);
	if (c->subject_eid != 0)
		sat_buf_fmt(out, ",\"subject_eid\":%u", c->subject_eid);
	sat_buf_str(out, ",\"ops\":[");
	for (size_t i = 0; i < c->nops; i++) {
		sat_buf_str(out, i == 0 ? "" : ",");
		put_op(out, &c->ops[i]);
	}
	sat_buf_str(out, "]");
}
