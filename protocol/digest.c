/*
 * digest.c - sums over records.
 *
 * Why SipHash and not BLAKE2b over the whole state: a device folds an operation
 * into a row of which it has read one column (page.c); and of sixteen fields,
 * sixteen short SipHashes cost less than one BLAKE2b of their bytes.
 */
#include "protocol/digest.h"

#include <endian.h>
#include <string.h>

#define SMALL 256

void
sat_sum_add(sat_sum *to, sat_sum s)
{
	to->lo += s.lo;
	to->hi += s.hi + (to->lo < s.lo);
}

void
sat_sum_sub(sat_sum *from, sat_sum s)
{
	bool borrow = from->lo < s.lo;

	from->lo -= s.lo;
	from->hi -= s.hi + borrow;
}

bool
sat_sum_eq(sat_sum a, sat_sum b)
{
	return a.hi == b.hi && a.lo == b.lo;
}

bool
sat_sum_zero(sat_sum s)
{
	return s.hi == 0 && s.lo == 0;
}

/* Big-endian; `bytes` is a constant wherever it is used, so this is one store:
 * byte by byte it cost as much as the hash. */
static inline uint8_t *
put(uint8_t *p, uint64_t v, size_t bytes)
{
	uint64_t be = htobe64(v << (64 - 8 * bytes));

	memcpy(p, &be, bytes);
	return p + bytes;
}

static uint64_t
get(const uint8_t *p)
{
	uint64_t be;

	memcpy(&be, p, sizeof be);
	return be64toh(be);
}

void
sat_sum_write(uint8_t out[SAT_SUM_BYTES], sat_sum s)
{
	(void)put(put(out, s.hi, 8), s.lo, 8);
}

sat_sum
sat_sum_read(const uint8_t in[SAT_SUM_BYTES])
{
	return (sat_sum){ get(in), get(in + 8) };
}

static sat_sum
hash(const sat_id *id, const uint8_t *p, size_t n)
{
	uint8_t out[SAT_SUM_BYTES];

	sat_siphashx24(out, id->b, sat_span_of(p, n));
	return sat_sum_read(out);
}

static inline uint8_t *
put_stamp(uint8_t *p, sat_stamp s)
{
	return put(put(put(p, s.hlc, 8), s.dev, 4), s.lsn, 8);
}

/* 'h' | kind be16 | born | rlsn be64 | deleted, with edits u8 | del_at |
 * del_seen be64; a stamp is hlc be64, dev be32, lsn be64. */
static sat_sum
sum_head(const sat_record *r)
{
	uint8_t b[80], *p = b;

	*p++ = 'h';
	p = put_stamp(put(p, r->kind, 2), r->born);
	p = put(p, r->rlsn, 8);
	*p++ = (uint8_t)((r->deleted ? 1 : 0) | (r->with_edits ? 2 : 0));
	p = put(put_stamp(p, r->del_at), r->del_seen, 8);
	return hash(&r->id, b, (size_t)(p - b));
}

static uint8_t *
put_bytes(uint8_t *p, sat_span s)
{
	if (s.n > 0)
		memcpy(p, s.p, s.n);
	return p + s.n;
}

/* 'c' | field be16 | stamp | type u8 | int be64, or length be32 and bytes |
 * ext */
sat_sum
sat_sum_cell(const sat_record *r, const sat_cell *c)
{
	bool bytes = c->value.type == SAT_V_TEXT ||
	    c->value.type == SAT_V_BYTES;
	size_t n = 40 + (bytes ? c->value.s.n : 0) + c->ext.n;
	uint8_t small[SMALL], *b = small, *p;
	sat_buf large = { 0 };
	sat_sum s;

	if (n > sizeof small)
		b = sat_buf_room(&large, n);
	p = b;
	*p++ = 'c';
	p = put_stamp(put(p, c->field, 2), c->at);
	*p++ = (uint8_t)c->value.type;
	if (bytes)
		p = put_bytes(put(p, c->value.s.n, 4), c->value.s);
	else if (c->value.type == SAT_V_INT)
		p = put(p, (uint64_t)c->value.i, 8);
	p = put_bytes(p, c->ext);
	s = hash(&r->id, b, (size_t)(p - b));
	sat_buf_fini(&large);
	return s;
}

sat_sum
sat_sum_record(const sat_record *r)
{
	sat_sum s = sum_head(r);

	for (size_t i = 0; i < r->ncells; i++)
		sat_sum_add(&s, sat_sum_cell(r, &r->cells[i]));
	return s;
}

sat_sum
sat_sum_part(const sat_record *r, uint16_t field)
{
	const sat_cell *c = field != 0 && field < SAT_SYS_FIRST ?
	    sat_record_cell(r, field) : NULL;
	sat_sum s = sum_head(r);

	if (c != NULL)
		sat_sum_add(&s, sat_sum_cell(r, c));
	for (size_t i = r->ncells; i > 0 && r->cells[i - 1].field >= SAT_SYS_FIRST;
	    i--)
		sat_sum_add(&s, sat_sum_cell(r, &r->cells[i - 1]));
	return s;
}

/* A cell no operation touched shares its bytes with what it was. */
static bool
same_bytes(sat_span a, sat_span b)
{
	return (a.p == b.p && a.n == b.n) || sat_span_eq(a, b);
}

static bool
same_value(const sat_value *a, const sat_value *b)
{
	if (a->type != b->type)
		return false;
	if (a->type == SAT_V_INT)
		return a->i == b->i;
	return a->type == SAT_V_NULL || same_bytes(a->s, b->s);
}

static bool
same_cell(const sat_cell *a, const sat_cell *b)
{
	return a->at.hlc == b->at.hlc && a->at.dev == b->at.dev &&
	    a->at.lsn == b->at.lsn && same_value(&a->value, &b->value) &&
	    same_bytes(a->ext, b->ext);
}

/* NULL: the cell was not, or is not there. */
static void
cell_changed(sat_sum_diff *c, const sat_record *was, const sat_cell *a,
    const sat_record *is, const sat_cell *b)
{
	sat_sum by = { 0, 0 };

	if (b != NULL)
		by = sat_sum_cell(is, b);
	if (a != NULL)
		sat_sum_sub(&by, sat_sum_cell(was, a));
	if (c->n < SAT_DIFF_FIELDS) {
		c->field[c->n] = a != NULL ? a->field : b->field;
		c->by[c->n] = by;
	}
	c->n++;
	sat_sum_add(&c->sum, by);
}

void
sat_sum_change(sat_sum_diff *out, const sat_record *was, const sat_record *is)
{
	size_t i = 0, j = 0;

	out->n = 0;
	out->sum = sum_head(is);
	sat_sum_sub(&out->sum, sum_head(was));
	while (i < was->ncells || j < is->ncells) {
		const sat_cell *a = i < was->ncells ? &was->cells[i] : NULL;
		const sat_cell *b = j < is->ncells ? &is->cells[j] : NULL;

		if (a != NULL && b != NULL && a->field == b->field) {
			if (!same_cell(a, b))
				cell_changed(out, was, a, is, b);
			i++;
			j++;
		} else if (b == NULL || (a != NULL && a->field < b->field)) {
			cell_changed(out, was, a, is, NULL);
			i++;
		} else {
			cell_changed(out, was, NULL, is, b);
			j++;
		}
	}
}
