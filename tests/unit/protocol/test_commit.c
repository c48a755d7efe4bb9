/* Canonical commits: one way to write each, and nothing else is read (P-020..). */
#include "tests/lib/unit.h"

#include "protocol/record.h"
#include "tests/unit/protocol/random.h"

static sat_value
txt(const char *s)
{
	return sat_v_text(sat_span_str(s));
}

static void
fill(uint8_t *p, size_t n, uint8_t from)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(from + i);
}

static sat_commit
empty_commit(void)
{
	sat_commit c = { .device = 7, .incarnation = 1, .cseq = 300,
		.hlc = sat_hlc_of_ms(NOON) + 2, .seen = 70000, .actor = 12 };

	fill(c.subject.b, 16, 0x20);
	fill(c.template_oid, SAT_TEMPLATE_OID_BYTES, 0x30);
	fill(c.prev, SAT_HASH_BYTES, 0x50);
	fill(c.salt, SAT_SALT_BYTES, 0x80);
	return c;
}

static sat_commit
random_commit(sat_arena *a)
{
	sat_commit c = empty_commit();
	sat_id other = { { 9 } };
	sat_dot *dots = sat_arena_alloc(a, 3 * sizeof *dots);

	c.cseq = 1 + rnd(1u << 20);
	c.flags = (uint8_t)rnd(4);
	c.nops = 1 + rnd(8);
	c.ops = sat_arena_alloc(a, c.nops * sizeof *c.ops);
	memset(c.ops, 0, c.nops * sizeof *c.ops);
	for (size_t i = 0; i < c.nops; i++) {
		sat_op *op = &c.ops[i];

		other.b[15] = (uint8_t)rnd(2);
		op->rtype = (uint16_t)(1 + rnd(2));
		op->rec = rnd(2) ? c.subject : other;
		if (rnd(4) == 0)
			sat_op_set_seen(&c, op, rnd(100000));
		if (random_kind(op, a))
			continue;
		op->field = (uint16_t)(1 + rnd(SAT_FIELD_USER_MAX));
		op->value = op->kind == SAT_OP_ADD ? sat_v_int(-5) : txt("x");
		if (op->kind == SAT_OP_SET && rnd(2))
			op->value = sat_v_int((int64_t)sat_test_rand(&seed));
		if (!sat_op_kind_has_dots(op->kind))
			continue;
		op->ndots = rnd(4);
		op->dots = dots;
		for (size_t d = 0; d < 3; d++)
			dots[d] = (sat_dot){ (uint32_t)d + 1, 1000 * d };
	}
	return c;
}

static void
assert_same(const sat_commit *x, const sat_commit *y)
{
	sat_buf bx = { 0 }, by = { 0 };

	sat_commit_write_header(&bx, x);
	sat_commit_write_payload(&bx, x);
	sat_commit_write_header(&by, y);
	sat_commit_write_payload(&by, y);
	assert_int_equal(bx.n, by.n);
	assert_memory_equal(bx.p, by.p, bx.n);
	sat_buf_fini(&bx);
	sat_buf_fini(&by);
}

static void
what_is_written_is_read(void **state) /* P-020 */
{
	(void)state;
	seed = sat_test_seed(41);
	for (int round = 0; round < 2000; round++) {
		sat_arena a = { 0 };
		sat_buf h = { 0 }, p = { 0 };
		sat_commit c = random_commit(&a), got;
		uint8_t hash[SAT_HASH_BYTES], again[SAT_HASH_BYTES];
		sat_err err;

		sat_commit_seal(&c, hash);
		sat_commit_write_header(&h, &c);
		sat_commit_write_payload(&p, &c);
		assert_ok(sat_commit_check(&c, &err));
		assert_ok(sat_commit_read(&got, &a, sat_buf_span(&h),
		    sat_buf_span(&p), &err));
		assert_same(&c, &got);
		assert_int_equal(c.nops, got.nops);
		for (size_t i = 0; i < c.nops; i++) {
			assert_int_equal(c.ops[i].kind, got.ops[i].kind);
			assert_int_equal(c.ops[i].rtype, got.ops[i].rtype);
			assert_int_equal(c.ops[i].field, got.ops[i].field);
			assert_int_equal(c.ops[i].seen1, got.ops[i].seen1);
			assert_true(sat_id_eq(&c.ops[i].rec, &got.ops[i].rec));
			assert_true(sat_value_eq(c.ops[i].value,
			    got.ops[i].value));
			assert_int_equal(c.ops[i].ndots, got.ops[i].ndots);
		}
		sat_commit_seal(&got, again);
		assert_memory_equal(hash, again, sizeof hash);
		/* an erased payload leaves a header that still reads */
		assert_ok(sat_commit_read(&got, &a, sat_buf_span(&h),
		    (sat_span){ NULL, 0 }, &err));
		assert_int_equal(0, got.nops);
		assert_memory_equal(c.payload_hash, got.payload_hash,
		    SAT_HASH_BYTES);
		sat_buf_fini(&h);
		sat_buf_fini(&p);
		sat_arena_fini(&a);
	}
}

/* Every single flipped bit is refused, or changes the header's hash and is
 * what the reader would write. */
static void
no_flipped_bit_goes_unnoticed(void **state) /* P-021 */
{
	(void)state;
	seed = sat_test_seed(42);
	for (int round = 0; round < 30; round++) {
		sat_arena a = { 0 };
		sat_buf h = { 0 }, p = { 0 }, again = { 0 };
		sat_commit c = random_commit(&a), got;
		uint8_t hash[SAT_HASH_BYTES], other[SAT_HASH_BYTES];

		sat_commit_seal(&c, hash);
		sat_commit_write_header(&h, &c);
		sat_commit_write_payload(&p, &c);
		for (size_t bit = 0; bit < 8 * p.n; bit++) {
			p.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
			assert_rc(SAT_EPROTO, sat_commit_read(&got, &a,
			    sat_buf_span(&h), sat_buf_span(&p), NULL));
			p.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
		for (size_t bit = 0; bit < 8 * h.n; bit++) {
			h.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
			if (sat_commit_read(&got, &a, sat_buf_span(&h),
			    (sat_span){ NULL, 0 }, NULL) == SAT_OK) {
				sat_buf_reset(&again);
				sat_commit_write_header(&again, &got);
				assert_true(sat_span_eq(sat_buf_span(&h),
				    sat_buf_span(&again)));
				sat_hash(other, sat_buf_span(&again));
				assert_memory_not_equal(hash, other,
				    sizeof hash);
			}
			h.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
		for (size_t n = 0; n < h.n; n++)
			assert_rc(SAT_EPROTO, sat_commit_read(&got, &a,
			    sat_span_of(h.p, n), sat_buf_span(&p), NULL));
		sat_buf_fini(&h);
		sat_buf_fini(&p);
		sat_buf_fini(&again);
		sat_arena_fini(&a);
	}
}

/* Bytes that mean the same but are not the canonical ones are refused even
 * when the hash fits: two hashes of one commit would break the chain. */
static void
only_the_canonical_form_of_a_payload_is_read(void **state) /* P-020 */
{
	sat_arena a = { 0 };
	size_t sound = 0;

	(void)state;
	seed = sat_test_seed(43);
	for (int round = 0; round < 20000; round++) {
		sat_buf h = { 0 }, p = { 0 }, again = { 0 };
		sat_commit c = random_commit(&a), got;

		sat_commit_write_payload(&p, &c);
		for (uint64_t k = 1 + rnd(2); k > 0; k--)
			p.p[rnd(p.n)] = (uint8_t)rnd(256);
		sat_hash(c.payload_hash, sat_buf_span(&p));
		sat_commit_write_header(&h, &c);
		if (sat_commit_read(&got, &a, sat_buf_span(&h),
		    sat_buf_span(&p), NULL) == SAT_OK) {
			sat_commit_write_payload(&again, &got);
			assert_true(sat_span_eq(sat_buf_span(&p),
			    sat_buf_span(&again)));
			assert_rc(SAT_OK, sat_commit_check(&got, NULL));
			sound++;
		}
		sat_buf_fini(&h);
		sat_buf_fini(&p);
		sat_buf_fini(&again);
		sat_arena_reset(&a);
	}
	assert_true(sound > 100);
	sat_arena_fini(&a);
}

static void
long_forms_of_an_operation_are_refused(void **state) /* P-020 */
{
	/* kind SET | flags, then what the flags leave to be written */
	static const struct {
		uint8_t second;
		bool rtype, rec;
		sat_rc want;
	} forms[] = {
		{ 0x82, false, false, SAT_OK },    /* same record */
		{ 0x42, true, false, SAT_EPROTO }, /* the subject, though same */
		{ 0x02, true, true, SAT_EPROTO },  /* named, though same */
	};
	sat_arena a = { 0 };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		sat_commit c = empty_commit(), got;
		sat_buf h = { 0 }, p = { 0 };

		sat_buf_add(&p, c.salt, SAT_SALT_BYTES);
		sat_write_uint(&p, 2);
		sat_write_u8(&p, 0x42);
		sat_write_uint(&p, 1);
		sat_write_uint(&p, 5);
		sat_value_write(&p, sat_v_int(1));
		sat_write_u8(&p, forms[i].second);
		if (forms[i].rtype)
			sat_write_uint(&p, 1);
		if (forms[i].rec)
			sat_buf_add(&p, c.subject.b, 16);
		sat_write_uint(&p, 6);
		sat_value_write(&p, sat_v_int(1));
		sat_hash(c.payload_hash, sat_buf_span(&p));
		sat_commit_write_header(&h, &c);
		assert_rc(forms[i].want, sat_commit_read(&got, &a,
		    sat_buf_span(&h), sat_buf_span(&p), NULL));
		sat_buf_fini(&h);
		sat_buf_fini(&p);
	}
	sat_arena_fini(&a);
}

typedef struct refused {
	const char *why;
	void (*spoil)(sat_commit *c);
} refused;

#define SPOIL(name, what)                                                     \
	static void name(sat_commit *c)                                       \
	{                                                                     \
		what;                                                         \
	}
static char long_text[SAT_VALUE_MAX + 2];
SPOIL(no_op, c->nops = 0)
SPOIL(many_ops, c->nops = SAT_OPS_MAX + 1)
SPOIL(no_cseq, c->cseq = 0)
SPOIL(no_hlc, c->hlc = 0)
SPOIL(high_hlc, c->hlc = (sat_hlc)1 << 63)
SPOIL(no_subject, memset(&c->subject, 0, 16))
SPOIL(bad_flag, c->flags = 8)
SPOIL(bad_kind, c->ops[0].kind = (sat_op_kind)(SAT_OP_LAST + 1))
SPOIL(no_kind, c->ops[0].kind = (sat_op_kind)0)
SPOIL(no_rtype, c->ops[0].rtype = 0)
SPOIL(no_rec, memset(&c->ops[0].rec, 0, 16))
SPOIL(no_field, c->ops[0].field = 0)
SPOIL(high_field, c->ops[0].field = SAT_FIELD_ID_MAX + 1)
SPOIL(field_of_new, c->ops[0].kind = SAT_OP_NEW)
SPOIL(not_utf8, c->ops[0].value = txt("\xff"))
SPOIL(too_long, c->ops[0].value = sat_v_text(sat_span_of(long_text,
    SAT_VALUE_MAX + 1)))
SPOIL(lf_in_element, c->ops[0].kind = SAT_OP_SADD;
    c->ops[0].value = txt("a\nb"))
SPOIL(no_element, c->ops[0].kind = SAT_OP_SREM; c->ops[0].value = txt(""))
SPOIL(long_element, c->ops[0].kind = SAT_OP_SADD;
    c->ops[0].value = sat_v_text(sat_span_of(long_text,
    SAT_SET_ELEMENT_MAX + 1)))
SPOIL(text_delta, c->ops[0].kind = SAT_OP_ADD)
SPOIL(null_stage, c->ops[0].kind = SAT_OP_STAGE;
    c->ops[0].value = sat_v_null())
SPOIL(dots_of_set, c->ops[0].ndots = 1)
SPOIL(many_dots, c->ops[0].kind = SAT_OP_RESOLVE;
    c->ops[0].ndots = SAT_DOTS_MAX + 1)

static void
what_is_out_of_shape_is_refused(void **state) /* P-001 */
{
#define R(f) { #f, f }
	static const refused all[] = { R(no_op), R(many_ops),
		R(no_cseq), R(no_hlc), R(high_hlc), R(no_subject), R(bad_flag),
		R(bad_kind), R(no_kind), R(no_rtype), R(no_rec), R(no_field),
		R(high_field), R(field_of_new), R(not_utf8), R(too_long),
		R(lf_in_element), R(no_element), R(long_element), R(text_delta),
		R(null_stage), R(dots_of_set), R(many_dots) };
	static const sat_dot dot = { 1, 1 };

	(void)state;
	memset(long_text, 'x', sizeof long_text - 1);
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		sat_commit c = empty_commit();
		sat_op op = { .kind = SAT_OP_SET, .rtype = 1, .field = 3,
			.rec = c.subject, .value = txt("v"), .dots = &dot };

		c.ops = &op;
		c.nops = 1;
		assert_rc(SAT_OK, sat_commit_check(&c, NULL));
		all[i].spoil(&c);
		if (sat_commit_check(&c, NULL) != SAT_EINVALID)
			fail_msg("%s was let through", all[i].why);
	}
}

static void
the_payload_s_limit_is_exact(void **state) /* P-001 */
{
	sat_commit c = empty_commit();
	sat_op *ops = sat_xcalloc(17, sizeof *ops);
	sat_buf b = { 0 };

	(void)state;
	memset(long_text, 'x', sizeof long_text - 1);
	for (size_t i = 0; i < 17; i++)
		ops[i] = (sat_op){ .kind = SAT_OP_SET, .rtype = 1,
			.field = (uint16_t)(i + 1), .rec = c.subject,
			.value = sat_v_text(sat_span_of(long_text,
			i < 15 ? SAT_VALUE_MAX : 60000)) };
	c.ops = ops;
	c.nops = 17;
	sat_commit_write_payload(&b, &c);
	assert_true(b.n > SAT_COMMIT_BYTES_MAX);
	ops[16].value.s.n -= b.n - SAT_COMMIT_BYTES_MAX;
	sat_buf_reset(&b);
	sat_commit_write_payload(&b, &c);
	while (b.n < SAT_COMMIT_BYTES_MAX) { /* a length got a byte shorter */
		ops[16].value.s.n++;
		sat_buf_reset(&b);
		sat_commit_write_payload(&b, &c);
	}
	assert_int_equal(b.n, SAT_COMMIT_BYTES_MAX);
	assert_rc(SAT_OK, sat_commit_check(&c, NULL));
	ops[16].value.s.n++;
	assert_rc(SAT_EINVALID, sat_commit_check(&c, NULL));
	sat_buf_fini(&b);
	free(ops);
}

static void
a_signature_covers_place_and_head(void **state) /* P-023 */
{
	sat_buf a = { 0 }, b = { 0 };
	uint8_t head[SAT_HASH_BYTES] = { 1 };
	sat_id org = { { 5 } };

	(void)state;
	sat_batch_sign_bytes(&a, &org, 1, 2, 3, 4, head);
	assert_int_equal(16 + 16 + 4 + 4 + 8 + 8 + 32, a.n);
	sat_batch_sign_bytes(&b, &org, 1, 2, 3, 5, head);
	assert_memory_not_equal(a.p, b.p, a.n);
	sat_buf_fini(&a);
	sat_buf_fini(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(no_flipped_bit_goes_unnoticed),
		cmocka_unit_test(only_the_canonical_form_of_a_payload_is_read),
		cmocka_unit_test(long_forms_of_an_operation_are_refused),
		cmocka_unit_test(what_is_out_of_shape_is_refused),
		cmocka_unit_test(the_payload_s_limit_is_exact),
		cmocka_unit_test(a_signature_covers_place_and_head),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
