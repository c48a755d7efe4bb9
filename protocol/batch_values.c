/*
 * batch_values.c - values as columns, those of one field side by side.
 */
#include "protocol/batch_int.h"

#include <string.h>

/* Indexes of the values, by shape, in their order within a shape. first[i] is
 * where shape i begins; first[nshapes] = n. */
static uint32_t *
grouped(uint32_t **first, sat_arena *a, const sat_shapes *s,
    const sat_value_at *v, size_t n)
{
	uint32_t *order = sat_arena_alloc(a, (n + 1) * sizeof *order);
	uint32_t *at = sat_arena_alloc(a, (s->n + 2) * sizeof *at);

	memset(at, 0, (s->n + 2) * sizeof *at);
	for (size_t i = 0; i < n; i++)
		at[v[i].shape + 2]++;
	for (size_t i = 2; i < s->n + 2; i++)
		at[i] += at[i - 1];
	for (size_t i = 0; i < n; i++)
		order[at[v[i].shape + 1]++] = (uint32_t)i;
	*first = at;
	return order;
}

static uint64_t
common_divisor(uint64_t x, uint64_t y)
{
	while (y != 0) {
		uint64_t r = x % y;

		x = y;
		y = r;
	}
	return x;
}

static int64_t
minus(int64_t x, int64_t y)
{
	return (int64_t)((uint64_t)x - (uint64_t)y);
}

static uint64_t
magnitude(int64_t d)
{
	return d < 0 ? 0 - (uint64_t)d : (uint64_t)d;
}

/*
 * Integers of one field: the first, the largest unit all differences are
 * multiples of, the rest in that unit. Dates are days apart and amounts whole
 * yuan, which no general compressor can see. What rises is shortest as
 * differences; what is spread over a range as distances from its least, all
 * first bytes, then all second ones.
 */
typedef struct spread {
	uint64_t unit, below; /* below: the first's distance from the least */
	unsigned planes;      /* bytes of a distance; 0: as differences */
} spread;

/* In groups of so many bits. */
static unsigned
length_of(uint64_t v, unsigned bits)
{
	unsigned n = 1;

	while ((v >>= bits) != 0)
		n++;
	return n;
}

static spread
spread_of(const sat_value_at *v, const uint32_t *order, size_t n)
{
	int64_t first = v[order[0]].v->i, prev = first, least = first,
	    most = first, at;
	size_t as_differences = 0;
	spread s = { .unit = 0 };
	uint64_t range;

	for (size_t i = 1; i < n; i++, prev = at) {
		at = v[order[i]].v->i;
		if (s.unit != 1)
			s.unit = common_divisor(magnitude(minus(at, prev)),
			    s.unit);
		least = at < least ? at : least;
		most = at > most ? at : most;
	}
	if (s.unit == 0 || s.unit > INT64_MAX)
		s.unit = 1;
	prev = first;
	for (size_t i = 1; i < n; i++, prev = at) {
		int64_t d;

		at = v[order[i]].v->i;
		d = minus(at, prev) / (int64_t)s.unit;
		as_differences += length_of(magnitude(d) * 2, 7);
	}
	range = (uint64_t)most - (uint64_t)least;
	s.below = ((uint64_t)first - (uint64_t)least) / s.unit;
	s.planes = length_of(range / s.unit, 8);
	/* Above 2^63 differences wrap, and their unit is none of distances. */
	if (range > INT64_MAX ||
	    s.planes * (n - 1) + length_of(s.below, 7) >= as_differences)
		s.planes = 0;
	return s;
}

static void
write_planes(sat_cols_out *c, unsigned col, const spread *s,
    const sat_value_at *v, const uint32_t *order, size_t n)
{
	uint64_t least = (uint64_t)v[order[0]].v->i - s->below * s->unit;

	sat_write_uint(&c->col[col], s->below);
	for (unsigned k = s->planes; k-- > 0; sat_cols_cut(c, col))
		for (size_t i = 1; i < n; i++) {
			uint64_t far = ((uint64_t)v[order[i]].v->i - least) /
			    s->unit;

			sat_write_u8(&c->col[col], (uint8_t)(far >> 8 * k));
		}
}

static void
write_ints(sat_cols_out *c, unsigned col, const sat_value_at *v,
    const uint32_t *order, size_t n)
{
	sat_buf *b = &c->col[col];
	int64_t prev = v[order[0]].v->i;
	spread s;

	sat_write_int(b, prev);
	if (n == 1)
		return;
	s = spread_of(v, order, n);
	sat_write_uint(b, s.unit);
	sat_write_u8(b, (uint8_t)s.planes);
	if (s.planes > 0) {
		write_planes(c, col, &s, v, order, n);
		return;
	}
	for (size_t i = 1; i < n; i++) {
		sat_write_int(b, minus(v[order[i]].v->i, prev) /
		    (int64_t)s.unit);
		prev = v[order[i]].v->i;
	}
	sat_cols_cut(c, col);
}

static void
read_planes(sat_reader *r, int64_t first, uint64_t unit, unsigned planes,
    const sat_value_at *v, const uint32_t *order, size_t n)
{
	uint64_t below = sat_read_uint(r);

	for (size_t i = 1; i < n; i++)
		v[order[i]].v->i = 0;
	for (unsigned k = 0; k < planes; k++)
		for (size_t i = 1; i < n; i++) {
			int64_t *x = &v[order[i]].v->i;

			*x = (int64_t)((uint64_t)*x << 8 | sat_read_u8(r));
		}
	for (size_t i = 1; i < n; i++) {
		uint64_t far = (uint64_t)v[order[i]].v->i - below;

		*v[order[i]].v = sat_v_int((int64_t)((uint64_t)first +
		    unit * far));
	}
}

static void
read_ints(sat_reader *r, const sat_value_at *v, const uint32_t *order, size_t n)
{
	int64_t at = sat_read_int(r);
	uint64_t unit = n > 1 ? sat_read_uint_max(r, INT64_MAX) : 1;
	unsigned planes = n > 1 ? sat_read_u8(r) : 0;

	*v[order[0]].v = sat_v_int(at);
	if (planes > 8)
		sat_read_bad(r, "integers of more than eight bytes");
	else if (planes > 0) {
		read_planes(r, at, unit, planes, v, order, n);
		return;
	}
	for (size_t i = 1; i < n; i++) {
		at = (int64_t)((uint64_t)at + unit * (uint64_t)sat_read_int(r));
		*v[order[i]].v = sat_v_int(at);
	}
}

static void
write_texts(sat_buf *lens, sat_buf *bytes, const sat_value_at *v,
    const uint32_t *order, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const sat_value *x = v[order[i]].v;

		sat_write_uint(lens, x->s.n);
		sat_buf_add(bytes, x->s.p, x->s.n);
	}
}

void
sat_values_write(sat_cols_out *c, unsigned ints, unsigned lens,
    unsigned bytes, sat_arena *a, const sat_shapes *s, sat_value_at *v,
    size_t n)
{
	uint32_t *first, *order = grouped(&first, a, s, v, n);

	for (size_t k = 1; k < s->n; k++) {
		const uint32_t *from = order + first[k];
		size_t count = first[k + 1] - first[k];

		if (count == 0 || s->s[k].type == SAT_V_NULL)
			continue;
		if (s->s[k].type == SAT_V_INT) {
			write_ints(c, ints, v, from, count);
		} else {
			write_texts(&c->col[lens], &c->col[bytes], v, from,
			    count);
			sat_cols_cut(c, lens);
			sat_cols_cut(c, bytes);
		}
	}
}

static void
read_texts(sat_reader *lens, sat_reader *bytes, sat_vtype type,
    const sat_value_at *v, const uint32_t *order, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t len = (size_t)sat_read_uint_max(lens, SAT_VALUE_MAX);
		sat_span s = sat_read_raw(bytes, len);

		*v[order[i]].v = type == SAT_V_TEXT ? sat_v_text(s) :
		    sat_v_bytes(s);
		if (type == SAT_V_TEXT && s.n > 0 && !sat_utf8_ok(s.p, s.n))
			sat_read_bad(bytes, "text is not UTF-8");
	}
}

void
sat_values_read(sat_reader *ints, sat_reader *lens, sat_reader *bytes,
    sat_arena *a, const sat_shapes *s, sat_value_at *v, size_t n)
{
	uint32_t *first, *order = grouped(&first, a, s, v, n);

	for (size_t k = 1; k < s->n; k++) {
		size_t from = first[k], count = first[k + 1] - from;
		sat_vtype type = (sat_vtype)s->s[k].type;

		if (count == 0)
			continue;
		if (type == SAT_V_INT)
			read_ints(ints, v, order + from, count);
		else if (type != SAT_V_NULL)
			read_texts(lens, bytes, type, v, order + from, count);
	}
}
