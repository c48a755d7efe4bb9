/*
 * Moves about size and text.
 */
#include "tests/sim/byz_moves.h"

#include <string.h>

/* ---- size ------------------------------------------------------------------------------------ */

static bfate
many_tiny_ops(evil *v)
{
	sat_id id = byz_own_record(v);
	size_t n = byz_draw(v, 2) != 0 ? SAT_OPS_MAX : 300;
	sat_op *ops = sat_arena_alloc(&v->tmp, n * sizeof *ops);
	sat_commit c;

	for (size_t i = 0; i < n; i++)
		ops[i] = byz_op(SAT_OP_ADD, &id, A_VISITS, sat_v_int(1));
	c = byz_commit(v, &id, ops, n);
	return byz_push(v, &c, 1);
}

static bfate
many_fields(evil *v)
{
	sat_id id = byz_own_record(v);
	size_t n = 1000;
	sat_op *ops = sat_arena_alloc(&v->tmp, n * sizeof *ops);
	sat_commit c;

	for (size_t i = 0; i < n; i++)
		ops[i] = byz_op(SAT_OP_SET, &id, (uint16_t)(i + 1), byz_txt("x"));
	c = byz_commit(v, &id, ops, n);
	return byz_push(v, &c, 1);
}

static bfate
value_too_long(evil *v)
{
	sat_id id = byz_own_record(v);
	char *s = sat_arena_alloc(&v->tmp, SAT_VALUE_MAX);
	sat_op op;

	memset(s, 'x', SAT_VALUE_MAX);
	op = byz_op(SAT_OP_SET, &id, A_REMARK, sat_v_text(sat_span_of(s,
	    SAT_VALUE_MAX)));
	return byz_one_op(v, &id, op);
}

static bfate
combining_marks(evil *v)
{
	sat_id id = byz_own_record(v);
	size_t n = 60000;
	char *s = sat_arena_alloc(&v->tmp, n);

	for (size_t i = 0; i < n; i += 2)
		memcpy(s + i, "\xcc\x81", 2);
	return byz_one_op(v, &id, byz_op(SAT_OP_SET, &id, A_REMARK,
	    sat_v_text(sat_span_of(s, n))));
}

static bfate
announced_length(evil *v)
{
	sat_buf b = { 0 };
	uint8_t zero[96] = { 0 };
	bfate end;

	sat_write_u8(&b, SAT_MSG_PUSH);
	sat_write_uint(&b, 1);
	sat_write_uint(&b, v->cseq + 1);
	sat_buf_add(&b, zero, 96);
	sat_write_uint(&b, (uint64_t)1 << 62);
	sat_buf_add(&b, zero, 96);
	end = byz_send(v, sat_buf_span(&b), NULL, 0);
	sat_buf_fini(&b);
	return end;
}

/* 64 MiB of zeros in a few hundred bytes of zstd. */
static bfate
zip_bomb(evil *v)
{
	uint64_t size = byz_draw(v, 2) != 0 ? (uint64_t)64 << 20 : 100;
	sat_msg m = { .type = SAT_MSG_PUSH };
	sat_buf z = { 0 }, batch = { 0 }, out = { 0 };
	bfate end;

	sat_buf_add(&z, "\x28\xb5\x2f\xfd\xe0", 5);
	for (int i = 0; i < 8; i++)
		sat_write_u8(&z, (uint8_t)(size >> (8 * i)));
	for (int i = 0; i < 512; i++) { /* runs of 128 KiB */
		uint32_t head = 128u << 13 | 1u << 1 | (i == 511);

		for (int k = 0; k < 3; k++)
			sat_write_u8(&z, (uint8_t)(head >> (8 * k)));
		sat_write_u8(&z, 0);
	}
	sat_write_u8(&batch, 1);
	sat_write_span(&batch, sat_buf_span(&z));
	m.u.push.incarnation = 1;
	m.u.push.first_cseq = v->cseq + 1;
	m.u.push.batch = sat_buf_span(&batch);
	sat_msg_write(&out, &m);
	end = byz_send(v, sat_buf_span(&out), NULL, 0);
	sat_buf_fini(&z);
	sat_buf_fini(&batch);
	sat_buf_fini(&out);
	return end;
}

/* ---- text -------------------------------------------------------------------------------------- */

/* Bytes of the batch are changed after it was written: no writer writes them. */
static bfate
bad_text(evil *v)
{
	static const char *const bad[] = { "a\xff" "bcdefg", "a\xc0\xaf" "bcdef",
		"a\xed\xa0\x80" "bcde", "\xf4\x90\x80\x80" "abcd",
		"abcdefg\xe5" };
	sat_commit c = byz_own_customer(v);
	const char *put = bad[byz_draw(v, 5)];
	sat_buf out = { 0 };
	uint8_t *at;
	bfate end;

	byz_frame(&out, v, &c, 1);
	at = memmem(out.p, out.n, BYZ_WORD, 8);
	if (at != NULL)
		memcpy(at, byz_draw(v, 6) == 0 ? "ab\0defgh" : put, 8);
	end = at == NULL ? B_OTHER : byz_send(v, sat_buf_span(&out), NULL, 0);
	sat_buf_fini(&out);
	return end;
}

static bfate
odd_text(evil *v)
{
	static const char *const odd[] = { "\xe2\x80\xae" "gpj.exe",
		"<script>alert(1)</script>", "=cmd|' /C calc'!A0", "+1+1", "@SUM",
		"'; DROP TABLE rec; --", "../../etc/passwd",
		"\xef\xbc\x9d" "1+1", "%n%n%s", "\x1b[2J" };
	sat_id id = byz_own_record(v);

	return byz_one_op(v, &id, byz_op(SAT_OP_MVSET, &id, A_NAME,
	    byz_txt(odd[byz_draw(v, sizeof odd / sizeof odd[0])])));
}

/* ---- the catalogue ---- */

bmove byz_load[] = {
	{ .name = "thousands of operations", .make = many_tiny_ops },
	{ .name = "a thousand fields", .make = many_fields },
	{ .name = "a value of 64 KiB", .make = value_too_long },
	{ .name = "30,000 combining marks", .make = combining_marks },
	{ .name = "a length of 2^62", .make = announced_length, .never = true },
	{ .name = "a zip bomb", .make = zip_bomb, .never = true },
	{ .name = "bytes that are no text", .make = bad_text, .never = true },
	{ .name = "odd text", .make = odd_text },
	{ .name = NULL },
};
