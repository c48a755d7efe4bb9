/*
 * alike.c - names that only look alike.
 */
#include "common/model/alike.h"

#include "common/model/norm.h"

#include <string.h>

#define RUNES_MAX 128
#define APART_MIN 4 /* shorter names one character apart are two names */

/* Where each character begins; out[n] is the end. */
static size_t
runes(size_t out[RUNES_MAX + 1], sat_span s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n && n < RUNES_MAX; i++)
		if ((s.p[i] & 0xc0) != 0x80)
			out[n++] = i;
	out[n] = s.n;
	return n;
}

static bool
same_rune(sat_span a, const size_t *ra, size_t i, sat_span b, const size_t *rb,
    size_t k)
{
	size_t n = ra[i + 1] - ra[i];

	return n == rb[k + 1] - rb[k] && memcmp(a.p + ra[i], b.p + rb[k], n) == 0;
}

static bool
one_apart(sat_span a, sat_span b)
{
	size_t ra[RUNES_MAX + 1], rb[RUNES_MAX + 1];
	size_t n = runes(ra, a), m = runes(rb, b), i = 0, tail = 0, least;

	if (n > m) {
		sat_span t = a;

		a = b;
		b = t;
		n = runes(ra, a);
		m = runes(rb, b);
	}
	if (n < APART_MIN || m > n + 1 || m == RUNES_MAX)
		return false;
	least = n;
	while (i < least && same_rune(a, ra, i, b, rb, i))
		i++;
	while (tail < least - i &&
	    same_rune(a, ra, n - 1 - tail, b, rb, m - 1 - tail))
		tail++;
	return m - i - tail <= 1;
}

/* The name's normal form without its city in front: 上海云帆 -> 云帆. */
static sat_span
core(sat_span name, sat_span city)
{
	static const char shi[] = "市";

	if (city.n > sizeof shi - 1 && memcmp(city.p + city.n - (sizeof shi - 1),
	    shi, sizeof shi - 1) == 0)
		city.n -= sizeof shi - 1;
	if (city.n == 0 || name.n <= city.n ||
	    memcmp(name.p, city.p, city.n) != 0)
		return name;
	name.p += city.n;
	name.n -= city.n;
	if (name.n > sizeof shi - 1 &&
	    memcmp(name.p, shi, sizeof shi - 1) == 0) {
		name.p += sizeof shi - 1;
		name.n -= sizeof shi - 1;
	}
	return name;
}

static sat_span
form(sat_buf *b, sat_span s)
{
	sat_norm_name(b, s);
	return sat_buf_span(b);
}

bool
sat_names_alike(sat_span a, sat_span b, sat_span city_a, sat_span city_b)
{
	sat_buf na = { 0 }, nb = { 0 }, ca = { 0 }, cb = { 0 };
	sat_span x = form(&na, a), y = form(&nb, b);
	bool yes = one_apart(x, y);

	if (!yes && city_a.n > 0 && city_b.n > 0) {
		sat_span p = form(&ca, city_a), q = form(&cb, city_b);
		sat_span u = core(x, p), v = core(y, q);

		yes = sat_span_eq(p, q) && u.n > 0 && sat_span_eq(u, v);
	}
	sat_buf_fini(&na);
	sat_buf_fini(&nb);
	sat_buf_fini(&ca);
	sat_buf_fini(&cb);
	return yes;
}

void
sat_name_variants(sat_span name, sat_span city,
    void (*cb)(void *u, sat_span form), void *u)
{
	sat_buf n = { 0 }, c = { 0 }, v = { 0 };
	size_t at[RUNES_MAX + 1], len;
	sat_span x = form(&n, name), p = form(&c, city);

	cb(u, x);
	len = runes(at, x);
	for (size_t i = 0; len >= APART_MIN && len < RUNES_MAX && i < len; i++) {
		sat_buf_reset(&v);
		sat_buf_add(&v, x.p, at[i]);
		sat_buf_add(&v, x.p + at[i + 1], x.n - at[i + 1]);
		cb(u, sat_buf_span(&v));
	}
	if (p.n > 0) {
		sat_buf_reset(&v);
		sat_buf_str(&v, "\n"); /* in no name: a form of its own sort */
		sat_buf_add(&v, core(x, p).p, core(x, p).n);
		cb(u, sat_buf_span(&v));
	}
	sat_buf_fini(&n);
	sat_buf_fini(&c);
	sat_buf_fini(&v);
}
