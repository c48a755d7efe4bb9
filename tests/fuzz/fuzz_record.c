/*
 * The state of a record, and the fold on top of any state. The first bytes are
 * operations of six bytes each (their number is the first byte): verb, field,
 * value, device, stamp, position seen; the rest is a record's state. Whatever
 * is read is written alike, and stays readable after every operation (P-064).
 */
#include <stdlib.h>
#include <string.h>

#include "protocol/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static sat_template *
base(void)
{
	static sat_template *t;
	const sat_template_file *files;
	size_t n;

	if (t == NULL) {
		files = sat_template_base(&n);
		if (sat_template_load(&t, files, n, NULL) != SAT_OK)
			abort();
	}
	return t;
}

static void
must_read_again(const sat_record *r, sat_arena *a)
{
	sat_buf b = { 0 }, again = { 0 };
	sat_record got;

	sat_record_write(&b, r);
	if (sat_record_read(&got, a, sat_buf_span(&b), NULL) != SAT_OK)
		abort();
	sat_record_write(&again, &got);
	if (!sat_span_eq(sat_buf_span(&b), sat_buf_span(&again)))
		abort();
	sat_buf_fini(&b);
	sat_buf_fini(&again);
}

static void
must_survive_clocks(const sat_record *r, sat_arena *a)
{
	uint16_t *fields = sat_arena_alloc(a, r->ncells * sizeof *fields);
	sat_value *values = sat_arena_alloc(a, r->ncells * sizeof *values);
	sat_buf b = { 0 }, x = { 0 }, y = { 0 };
	sat_record got;

	for (size_t i = 0; i < r->ncells; i++) {
		fields[i] = r->cells[i].field;
		values[i] = r->cells[i].value;
	}
	sat_record_write_clocks(&b, r);
	if (sat_record_read_clocks(&got, a, sat_buf_span(&b), fields, values,
	    r->ncells, NULL) != SAT_OK)
		abort();
	got.id = r->id;
	got.kind = r->kind;
	sat_record_write(&x, r);
	sat_record_write(&y, &got);
	if (!sat_span_eq(sat_buf_span(&x), sat_buf_span(&y)))
		abort();
	sat_buf_fini(&b);
	sat_buf_fini(&x);
	sat_buf_fini(&y);
}

static void
apply(sat_record *r, sat_arena *a, const uint8_t *p, uint64_t lsn)
{
	static const char *const texts[] = { "a", "b", "13800000000",
		"138 0000 0000" };
	sat_dot dot = { p[3] % 4u, p[5] };
	sat_op op = { .kind = (sat_op_kind)(1 + p[0] % SAT_OP_KIND_MAX),
		.rtype = r->kind, .field = (uint16_t)(1 + p[1] % 40), .rec = r->id,
		.dots = &dot };
	sat_apply_ctx ctx = { { 1 + (uint64_t)p[4] * 65536, 1 + p[3] % 4u,
		p[2] % 8 == 7 ? 0 : lsn }, p[5], (p[4] & 128) != 0, NULL };
	sat_applied out;

	op.value = op.kind == SAT_OP_ADD || p[2] % 8 == 6 ? sat_v_int(p[2]) :
	    p[2] % 8 == 5 ? sat_v_null() : sat_v_text(sat_span_str(texts[p[2] % 4]));
	op.ndots = sat_op_kind_has_dots(op.kind) ? p[4] % 2 : 0;
	if (sat_record_apply(&out, r, a, base(), &op, &ctx, NULL) != SAT_OK)
		abort();
	sat_record_applied(r, out.outcome, lsn);
	for (size_t i = 0; i < r->ncells; i++) {
		sat_candidate *c;
		sat_element *e;
		uint64_t opened;

		(void)sat_cell_candidates(&c, &opened, a,
		    (sat_policy)(p[1] % (SAT_P_DERIVED + 1)), &r->cells[i]);
		(void)sat_cell_elements(&e, a, &r->cells[i]);
	}
	must_read_again(r, a);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	sat_arena a = { 0 };
	sat_buf b = { 0 };
	sat_record r;
	size_t ops;

	if (n == 0)
		return 0;
	ops = p[0] % 32u;
	if (n < 1 + 6 * ops)
		return 0;
	if (sat_record_read(&r, &a, sat_span_of(p + 1 + 6 * ops,
	    n - 1 - 6 * ops), NULL) == SAT_OK) {
		sat_record_write(&b, &r);
		if (!sat_span_eq(sat_buf_span(&b), sat_span_of(p + 1 + 6 * ops,
		    n - 1 - 6 * ops)))
			abort();
	} else {
		sat_id id = { { 1 } };

		memset(&r, 0, sizeof r);
		r.id = id;
		r.kind = 1 + p[0] % 4;
		r.born = (sat_stamp){ 65536, 1, 1 };
	}
	for (size_t i = 0; i < ops; i++)
		apply(&r, &a, p + 1 + 6 * i, r.rlsn < INT64_MAX - 40 ?
		    r.rlsn + 1 : r.rlsn);
	must_survive_clocks(&r, &a);
	sat_buf_fini(&b);
	sat_arena_fini(&a);
	return 0;
}
