/*
 * norm_phone.c - a phone as it was typed, and the number it is. A number is what
 * duplicates are found by, so it is better to leave one apart that is unsure than
 * to make one of two.
 */
#include "common/model/norm_int.h"

#include <string.h>

/* Digits of a typed phone; `edge[i]` = something stood between i-1 and i. */
typedef struct digits {
	char d[32];
	bool edge[33];
	size_t n;
	bool plus;
	size_t ext_at; /* digits from here were announced as an extension */
} digits;

static bool
announces_extension(const uint8_t *p, size_t left)
{
	static const char turn[] = "转";

	return *p == '#' || *p == 'x' || *p == 'X' ||
	    (left >= 3 && memcmp(p, turn, 3) == 0);
}

static digits
collect(sat_span s)
{
	digits g = { .ext_at = SIZE_MAX };

	s = sat_norm_trimmed(s);
	g.plus = s.n > 0 && s.p[0] == '+';
	for (size_t i = 0; i < s.n && g.n < sizeof g.d; i++) {
		if (s.p[i] >= '0' && s.p[i] <= '9') {
			g.d[g.n++] = (char)s.p[i];
			continue;
		}
		g.edge[g.n] = true;
		if (g.n > 0 && g.ext_at == SIZE_MAX &&
		    announces_extension(s.p + i, s.n - i))
			g.ext_at = g.n;
	}
	return g;
}

static void
drop_front(digits *g, size_t k)
{
	memmove(g->d, g->d + k, g->n - k);
	memmove(g->edge, g->edge + k, g->n - k + 1);
	g->n -= k;
	if (g->ext_at != SIZE_MAX)
		g->ext_at = g->ext_at > k ? g->ext_at - k : 0;
}

/*
 * Does a Chinese number of `len` digits stand in front, the rest being nothing
 * or an extension of 1-6 digits behind an edge?
 */
static bool
ends_well(const digits *g, size_t len)
{
	if (g->n < len || (g->ext_at != SIZE_MAX && g->ext_at != len))
		return false;
	return g->n == len || (g->edge[len] && g->n - len <= 6);
}

/* Length of the Chinese number at the front, trunk zero already gone; 0 = none. */
static size_t
chinese_length(const digits *g)
{
	const char *d = g->d;
	size_t area;

	if (g->n >= 11 && d[0] == '1' && d[1] >= '3' && d[1] <= '9')
		return ends_well(g, 11) ? 11 : 0;
	if (g->n < 9)
		return 0;
	if ((d[0] == '1' && d[1] == '0') || d[0] == '2')
		area = 2;
	else if (d[0] >= '3' && d[0] <= '9')
		area = 3;
	else
		return 0;
	if (d[area] < '2')
		return 0;
	if (ends_well(g, area + 8))
		return area + 8;
	return ends_well(g, area + 7) ? area + 7 : 0;
}

/* Takes off 0086, +86, 86 and the trunk zero; true when a country is given. */
static bool
strip_country(digits *g)
{
	digits rest = *g;
	bool given = g->plus;

	if (!given && g->n > 4 && g->d[0] == '0' && g->d[1] == '0') {
		drop_front(g, 2);
		rest = *g;
		given = g->plus = true;
	}
	if (rest.n > 8 && rest.d[0] == '8' && rest.d[1] == '6') {
		drop_front(&rest, 2);
		if (rest.d[0] == '0')
			drop_front(&rest, 1);
		if (given || chinese_length(&rest) > 0) {
			*g = rest;
			return true;
		}
	}
	return false;
}

/* 400 and 800 numbers, 95xxx: no area code in front. */
static bool
is_service(const digits *g)
{
	const char *d = g->d;

	if (g->n == 10 && (d[0] == '4' || d[0] == '8') && d[1] == '0' &&
	    d[2] == '0')
		return true;
	return g->n >= 5 && g->n <= 8 && d[0] == '9' && d[1] == '5';
}

/* Writes the key of a number that is surely one; false when it is none. */
static bool
write_known(sat_buf *out, digits g)
{
	bool china = strip_country(&g), trunk = false;
	size_t n;

	if (!china && !g.plus && g.n > 9 && g.d[0] == '0') {
		drop_front(&g, 1);
		trunk = true;
	}
	n = !g.plus || china ? chinese_length(&g) : 0;
	/* Without +86 or a trunk zero only mobiles and service numbers are sure. */
	if (n > 0 && (china || trunk || g.d[0] == '1')) {
		sat_buf_str(out, "+86");
		sat_buf_add(out, g.d, n);
		if (g.n > n) {
			sat_write_u8(out, '-');
			sat_buf_add(out, g.d + n, g.n - n);
		}
		return true;
	}
	if (!china && (trunk || g.n == 0 || (!g.plus && !is_service(&g))))
		return false;
	sat_buf_str(out, g.plus && !china ? "+" : "+86");
	sat_buf_add(out, g.d, g.n);
	return true;
}

/*
 * What is no phone as written may be one without its separators ("1381 x
 * 2345678"): tried before giving up, so that a key is the key of itself.
 */
void
sat_norm_phone(sat_buf *out, sat_span s)
{
	sat_buf wide = { 0 };
	digits g;

	sat_norm_width(&wide, s);
	g = collect(sat_buf_span(&wide));
	sat_buf_fini(&wide);
	if (write_known(out, g))
		return;
	memset(g.edge, 0, sizeof g.edge);
	g.ext_at = SIZE_MAX;
	if (!write_known(out, g))
		sat_buf_add(out, g.d, g.n);
}

void
sat_norm_mask_phone(sat_buf *out, sat_span s)
{
	sat_buf key = { 0 };
	size_t n = 0;

	if (s.n >= 3 && s.n <= 7 && memcmp(s.p, "***", 3) == 0) { /* it is masked already */
		sat_buf_add(out, s.p, s.n);
		return;
	}
	sat_norm_phone(&key, s);
	while (n < key.n && key.p[n] != '-') /* the extension is not the number */
		n++;
	sat_buf_str(out, "***");
	if (n > 4)
		sat_buf_add(out, key.p + n - 4, 4);
	sat_buf_fini(&key);
}
