/*
 * Canonical bytes of a commit. There is exactly one way to write each commit,
 * and the reader refuses every other, because hashes and signatures are made
 * over these bytes (P-020).
 *
 * An op: head u8 | [rtype uint] | [rec 16] | [field uint | value] | [dots].
 * The low six bits of the head are the kind. SAME: record and kind of record
 * are those of the op before (neither is written). SUBJECT: the record is the
 * commit's subject (rec is not written). NEW, DEL, UNDEL and ERASE have no
 * field; RESOLVE, and kinds of later releases (which may have field 0), have
 * dots: n uint, n x {dev uint, lsn uint}.
 *
 * Behind the ops, only when there is one: positions that are not the header's
 * `seen` (P-019), n uint, n x {ops passed over uint, position uint}.
 */
#include "common/template/pool.h"
#include "protocol/batch_int.h"
#include "protocol/record.h"

#include <string.h>

#define HEAD_SAME 0x80
#define HEAD_SUBJECT 0x40
#define HEAD_KIND 0x3f

/* Largest canonical op without its value's bytes and dots. */
#define OP_BYTES_MAX 52
#define DOT_BYTES_MAX 15

static bool
has_field(sat_op_kind k)
{
	return k != SAT_OP_NEW && k != SAT_OP_DEL && k != SAT_OP_UNDEL &&
	    k != SAT_OP_ERASE;
}

static void
write_op(sat_buf *b, const sat_commit *c, size_t i)
{
	const sat_op *op = &c->ops[i];
	bool same = i > 0 && op->rtype == op[-1].rtype &&
	    sat_id_eq(&op->rec, &op[-1].rec);
	bool subject = !same && sat_id_eq(&op->rec, &c->subject);

	sat_write_u8(b, (uint8_t)((unsigned)op->kind |
	    (same ? HEAD_SAME : 0u) | (subject ? HEAD_SUBJECT : 0u)));
	if (!same)
		sat_write_uint(b, op->rtype);
	if (!same && !subject)
		sat_buf_add(b, op->rec.b, sizeof op->rec.b);
	if (has_field(op->kind)) {
		sat_write_uint(b, op->field);
		sat_value_write(b, op->value);
	}
	if (sat_op_kind_has_dots(op->kind)) {
		sat_write_uint(b, op->ndots);
		for (size_t d = 0; d < op->ndots; d++) {
			sat_write_uint(b, op->dots[d].dev);
			sat_write_uint(b, op->dots[d].lsn);
		}
	}
}

static void
write_seen(sat_buf *b, const sat_commit *c)
{
	size_t n = 0, next = 0;

	for (size_t i = 0; i < c->nops; i++)
		n += c->ops[i].seen1 != 0;
	if (n == 0)
		return;
	sat_write_uint(b, n);
	for (size_t i = 0; i < c->nops; i++) {
		if (c->ops[i].seen1 == 0)
			continue;
		sat_write_uint(b, i - next);
		sat_write_uint(b, c->ops[i].seen1 - 1);
		next = i + 1;
	}
}

void
sat_commit_write_payload(sat_buf *b, const sat_commit *c)
{
	sat_buf_add(b, c->salt, sizeof c->salt);
	sat_write_uint(b, c->nops);
	for (size_t i = 0; i < c->nops; i++)
		write_op(b, c, i);
	write_seen(b, c);
}

void
sat_commit_write_header(sat_buf *b, const sat_commit *c)
{
	sat_write_u8(b, SAT_COMMIT_VERSION);
	sat_write_uint(b, c->device);
	sat_write_uint(b, c->incarnation);
	sat_write_uint(b, c->cseq);
	sat_write_be64(b, c->hlc);
	sat_write_uint(b, c->seen);
	sat_write_uint(b, c->actor);
	sat_buf_add(b, c->subject.b, sizeof c->subject.b);
	sat_buf_add(b, c->template_oid, sizeof c->template_oid);
	sat_write_u8(b, c->flags);
	sat_buf_add(b, c->payload_hash, sizeof c->payload_hash);
	sat_buf_add(b, c->prev, sizeof c->prev);
}

void
sat_commit_seal(sat_commit *c, uint8_t header_hash[SAT_HASH_BYTES])
{
	sat_buf b = { 0 };

	sat_commit_write_payload(&b, c);
	sat_hash(c->payload_hash, sat_buf_span(&b));
	sat_buf_reset(&b);
	sat_commit_write_header(&b, c);
	sat_hash(header_hash, sat_buf_span(&b));
	sat_buf_fini(&b);
}

/* ---- checks (P-001): a static text, NULL when all is well ---------------- */

static bool
plain_text(sat_value v)
{
	return v.type == SAT_V_TEXT && v.s.n > 0 && v.s.n <= SAT_SYS_TEXT_MAX &&
	    memchr(v.s.p, '\n', v.s.n) == NULL;
}

/* P-131: one shape per system operation. */
static const char *
check_system(const sat_op *op)
{
	sat_value v = op->value;
	sat_handed h;

	switch (op->kind) {
	case SAT_OP_RELEASE:
		return op->field < SAT_SYS_FIRST && v.type == SAT_V_TEXT &&
		    v.s.n <= SAT_RELEASE_MAX && sat_pool_key_of(v.s).n > 0 ?
		    NULL : "bad release";
	case SAT_OP_CLAIM:
	case SAT_OP_NUMBER:
		return op->field < SAT_SYS_FIRST && plain_text(v) ? NULL :
		    "bad claim or number";
	case SAT_OP_HAND:
		return op->field == SAT_SYS_HANDED && v.type == SAT_V_BYTES &&
		    sat_handed_read(&h, v.s, NULL) == SAT_OK ? NULL :
		    "bad suggestion";
	case SAT_OP_SETTLE:
		return op->field == SAT_SYS_HANDED && v.type == SAT_V_INT &&
		    v.i > 0 ? NULL : "bad answer to a suggestion";
	case SAT_OP_MERGE:
		if (op->field < SAT_SYS_FIRST)
			return v.type != SAT_V_NULL ? NULL : "bad merge";
		return op->field == SAT_SYS_REDIRECT && v.type == SAT_V_BYTES &&
		    v.s.n == sizeof op->rec.b ? NULL : "bad merge";
	case SAT_OP_UNMERGE:
		return op->field == SAT_SYS_REDIRECT && v.type == SAT_V_NULL ?
		    NULL : "bad unmerge";
	default:
		return v.type == SAT_V_NULL ? NULL : "value without a field";
	}
}

static const char *
check_value(const sat_op *op)
{
	sat_value v = op->value;
	bool bytes = v.type == SAT_V_TEXT || v.type == SAT_V_BYTES;

	if ((unsigned)v.type > SAT_V_BYTES)
		return "unknown value type";
	if (bytes && v.s.n > SAT_VALUE_MAX)
		return "value above its limit";
	if (v.type == SAT_V_TEXT && v.s.n > 0 && !sat_utf8_ok(v.s.p, v.s.n))
		return "text is not UTF-8";
	if (sat_op_kind_is_later(op->kind))
		return NULL;
	if (op->kind >= SAT_OP_CLAIM)
		return check_system(op);
	switch (op->kind) {
	case SAT_OP_NEW:
	case SAT_OP_DEL:
	case SAT_OP_UNDEL:
		return v.type == SAT_V_NULL ? NULL : "value without a field";
	case SAT_OP_SADD:
	case SAT_OP_SREM:
		/* elements are shown joined by LF */
		if (v.type != SAT_V_TEXT || v.s.n == 0 ||
		    v.s.n > SAT_SET_ELEMENT_MAX ||
		    memchr(v.s.p, '\n', v.s.n) != NULL)
			return "bad set element";
		return NULL;
	case SAT_OP_ADD:
		return v.type == SAT_V_INT ? NULL : "delta is no number";
	case SAT_OP_STAGE:
		if (v.type != SAT_V_TEXT || v.s.n == 0 ||
		    v.s.n > SAT_SET_ELEMENT_MAX)
			return "bad stage";
		return NULL;
	default:
		return NULL;
	}
}

static const char *
check_op(const sat_op *op)
{
	bool later = sat_op_kind_is_later(op->kind);

	if (op->kind < SAT_OP_NEW || (op->kind > SAT_OP_LAST && !later) ||
	    (unsigned)op->kind > SAT_OP_KIND_MAX)
		return "unknown operation";
	if (op->rtype == 0)
		return "no record kind";
	if (op->eid == 0 && sat_id_zero(&op->rec))
		return "no record";
	if (has_field(op->kind) ? (op->field == 0 && !later) ||
	    op->field > SAT_FIELD_ID_MAX : op->field != 0)
		return "bad field";
	if (op->seen1 > (uint64_t)INT64_MAX + 1)
		return "position out of range";
	if (op->ndots > (sat_op_kind_has_dots(op->kind) ? SAT_DOTS_MAX : 0))
		return "too many dots";
	for (size_t i = 0; i < op->ndots; i++)
		if (op->dots[i].lsn > INT64_MAX)
			return "bad dot";
	return check_value(op);
}

static const char *
check_header(const sat_commit *c)
{
	if (c->cseq == 0 || c->cseq > INT64_MAX)
		return "no number";
	if (c->hlc == 0 || c->hlc > INT64_MAX || c->seen > INT64_MAX)
		return "stamp or position out of range";
	if (c->subject_eid == 0 && sat_id_zero(&c->subject))
		return "no subject";
	if ((c->flags & ~(SAT_CF_CLOCK_SUSPECT | SAT_CF_IMPORT |
	    SAT_CF_MOVED)) != 0)
		return "unknown flag";
	return NULL;
}

const char *
sat_commit_ops_fault(const sat_commit *c)
{
	const char *fault;

	if (c->nops == 0)
		return "no operation";
	if (c->nops > SAT_OPS_MAX)
		return "too many operations";
	for (size_t i = 0; i < c->nops; i++)
		if ((fault = check_op(&c->ops[i])) != NULL)
			return fault;
	return NULL;
}

size_t
sat_op_bytes_most(const sat_op *op)
{
	return OP_BYTES_MAX + op->ndots * DOT_BYTES_MAX +
	    (op->value.type >= SAT_V_TEXT ? op->value.s.n : 0);
}

/* An upper bound first: only a commit near the limit is measured exactly. */
static bool
payload_fits(const sat_commit *c)
{
	size_t n = SAT_SALT_BYTES + 6;
	sat_buf b = { 0 };

	for (size_t i = 0; i < c->nops; i++)
		n += sat_op_bytes_most(&c->ops[i]);
	if (n <= SAT_COMMIT_BYTES_MAX)
		return true;
	sat_commit_write_payload(&b, c);
	n = b.n;
	sat_buf_fini(&b);
	return n <= SAT_COMMIT_BYTES_MAX;
}

sat_rc
sat_commit_check(const sat_commit *c, sat_err *e)
{
	const char *fault = check_header(c);

	if (fault == NULL)
		fault = sat_commit_ops_fault(c);
	if (fault == NULL && !payload_fits(c))
		fault = "payload above its limit";
	return fault == NULL ? SAT_OK :
	    sat_fail(e, SAT_EINVALID, "commit: %s", fault);
}

/* ---- reading ------------------------------------------------------------- */

static void
read_header(sat_commit *c, sat_reader *r)
{
	const char *fault;

	if (sat_read_u8(r) != SAT_COMMIT_VERSION)
		sat_read_bad(r, "unknown version");
	c->device = (uint32_t)sat_read_uint_max(r, UINT32_MAX);
	c->incarnation = (uint32_t)sat_read_uint_max(r, UINT32_MAX);
	c->cseq = sat_read_uint(r);
	c->hlc = sat_read_be64(r);
	c->seen = sat_read_uint(r);
	c->actor = (uint32_t)sat_read_uint_max(r, UINT32_MAX);
	sat_read_copy(r, c->subject.b, sizeof c->subject.b);
	sat_read_copy(r, c->template_oid, sizeof c->template_oid);
	c->flags = sat_read_u8(r);
	sat_read_copy(r, c->payload_hash, sizeof c->payload_hash);
	sat_read_copy(r, c->prev, sizeof c->prev);
	if (r->fault == NULL && (fault = check_header(c)) != NULL)
		sat_read_bad(r, fault);
}

static void
read_dots(sat_op *op, sat_arena *a, sat_reader *r)
{
	size_t n = (size_t)sat_read_uint_max(r, SAT_DOTS_MAX);
	sat_dot *dots = sat_arena_alloc(a, n * sizeof *dots);

	for (size_t i = 0; i < n; i++) {
		dots[i].dev = (uint32_t)sat_read_uint_max(r, UINT32_MAX);
		dots[i].lsn = sat_read_uint_max(r, INT64_MAX);
	}
	op->dots = dots;
	op->ndots = n;
}

/* The flags must be the ones the writer would have set (P-020). */
static void
read_op(sat_commit *c, size_t i, sat_arena *a, sat_reader *r)
{
	sat_op *op = &c->ops[i];
	uint8_t head = sat_read_u8(r);
	bool same = (head & HEAD_SAME) != 0, subject = (head & HEAD_SUBJECT) != 0;
	const char *fault;

	op->kind = (sat_op_kind)(head & HEAD_KIND);
	if (same && (i == 0 || subject)) {
		sat_read_bad(r, "bad operation head");
		return;
	}
	op->rtype = same ? op[-1].rtype :
	    (uint16_t)sat_read_uint_max(r, UINT16_MAX);
	if (same)
		op->rec = op[-1].rec;
	else if (subject)
		op->rec = c->subject;
	else
		sat_read_copy(r, op->rec.b, sizeof op->rec.b);
	if (!same && ((i > 0 && op->rtype == op[-1].rtype &&
	    sat_id_eq(&op->rec, &op[-1].rec)) ||
	    (!subject && sat_id_eq(&op->rec, &c->subject))))
		sat_read_bad(r, "operation not in its shortest form");
	if (has_field(op->kind)) {
		op->field = (uint16_t)sat_read_uint_max(r, UINT16_MAX);
		op->value = sat_value_read(r);
	}
	if (sat_op_kind_has_dots(op->kind))
		read_dots(op, a, r);
	if (r->fault == NULL && (fault = check_op(op)) != NULL)
		sat_read_bad(r, fault);
}

/* Positions of some of the operations (P-019). */
static void
read_seen(sat_commit *c, sat_reader *r)
{
	size_t n = (size_t)sat_read_uint_max(r, c->nops), at = 0;

	if (r->fault == NULL && n == 0)
		sat_read_bad(r, "empty list of positions");
	for (size_t i = 0; i < n && r->fault == NULL; i++) {
		at += (size_t)sat_read_uint_max(r, SAT_OPS_MAX);
		uint64_t seen = sat_read_uint_max(r, INT64_MAX);

		if (r->fault == NULL && at >= c->nops)
			sat_read_bad(r, "position of no operation");
		else if (r->fault == NULL && seen == c->seen)
			sat_read_bad(r, "position not in its shortest form");
		else if (r->fault == NULL)
			sat_op_set_seen(c, &c->ops[at++], seen);
	}
}

static void
read_payload(sat_commit *c, sat_arena *a, sat_reader *r)
{
	uint64_t n;

	sat_read_copy(r, c->salt, sizeof c->salt);
	n = sat_read_uint_max(r, SAT_OPS_MAX);
	if (r->fault == NULL && (n == 0 || n > r->left)) /* an op has a byte */
		sat_read_bad(r, "bad number of operations");
	if (r->fault != NULL)
		return;
	c->ops = sat_arena_alloc(a, (size_t)n * sizeof *c->ops);
	memset(c->ops, 0, (size_t)n * sizeof *c->ops);
	c->nops = (size_t)n;
	for (size_t i = 0; i < c->nops && r->fault == NULL; i++)
		read_op(c, i, a, r);
	if (r->fault == NULL && r->left > 0)
		read_seen(c, r);
}

sat_rc
sat_commit_read_payload(sat_commit *c, sat_arena *a, sat_span payload,
    sat_err *e)
{
	sat_reader r = sat_reader_of(payload);

	if (payload.n > SAT_COMMIT_BYTES_MAX)
		return sat_fail(e, SAT_EPROTO, "commit payload above its limit");
	read_payload(c, a, &r);
	return sat_read_end(&r, "commit payload", e);
}

sat_rc
sat_commit_read(sat_commit *c, sat_arena *a, sat_span header, sat_span payload,
    sat_err *e)
{
	sat_reader r = sat_reader_of(header);
	uint8_t hash[SAT_HASH_BYTES];
	sat_rc rc;

	memset(c, 0, sizeof *c);
	read_header(c, &r);
	if ((rc = sat_read_end(&r, "commit header", e)) != SAT_OK)
		return rc;
	if (payload.n == 0)
		return SAT_OK; /* erased */
	sat_hash(hash, payload);
	if (memcmp(hash, c->payload_hash, sizeof hash) != 0)
		return sat_fail(e, SAT_EPROTO,
		    "commit payload does not fit its header");
	return sat_commit_read_payload(c, a, payload, e);
}

void
sat_salt_derive(uint8_t salt[SAT_SALT_BYTES],
    const uint8_t seed[SAT_SALT_BYTES], uint64_t at, sat_hlc hlc)
{
	uint8_t in[16];

	/* the stamp, because two copies of one folder go on with the same
	 * seed and number */
	for (size_t i = 0; i < 8; i++) {
		in[i] = (uint8_t)(at >> (56 - 8 * i));
		in[8 + i] = (uint8_t)(hlc >> (56 - 8 * i));
	}
	sat_prf16(salt, seed, in);
}

/* ---- signature ----------------------------------------------------------- */

void
sat_batch_sign_bytes(sat_buf *b, const sat_id *org, uint32_t device,
    uint32_t incarnation, uint64_t first, uint64_t last,
    const uint8_t head[SAT_HASH_BYTES])
{
	/* A label of its own, so that no other signature of this key can be
	 * passed off as a batch's (P-023). */
	sat_buf_str(b, "satchel batch 1\n");
	sat_buf_add(b, org->b, sizeof org->b);
	sat_write_be32(b, device);
	sat_write_be32(b, incarnation);
	sat_write_be64(b, first);
	sat_write_be64(b, last);
	sat_buf_add(b, head, SAT_HASH_BYTES);
}

const char *
sat_op_word(sat_op_kind k)
{
	static const char *const words[] = { "", "new", "set", "set", "add",
		"remove", "count", "stage", "assign", "delete", "restore",
		"resolve", "claim", "release", "number", "hand_over", "settle",
		"merge", "unmerge", "erase" };

	return (size_t)k < sizeof words / sizeof words[0] ? words[k] : "later";
}
