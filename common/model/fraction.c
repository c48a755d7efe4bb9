#include "common/model/fraction.h"

static sat_wide
magnitude(sat_wide v)
{
	return v < 0 ? -v : v;
}

static sat_wide
gcd(sat_wide a, sat_wide b)
{
	a = magnitude(a);
	b = magnitude(b);
	while (b != 0) {
		sat_wide t = a % b;

		a = b;
		b = t;
	}
	return a;
}

sat_fraction
sat_fraction_none(void)
{
	return (sat_fraction){ 0, 0 };
}

static sat_fraction
lowest(sat_wide num, sat_wide den)
{
	sat_wide g;

	if (den == 0)
		return sat_fraction_none();
	if (den < 0) {
		num = -num;
		den = -den;
	}
	g = gcd(num, den);
	return (sat_fraction){ num / g, den / g };
}

sat_fraction
sat_fraction_of(int64_t num, int64_t den)
{
	return lowest(num, den);
}

/* Across first, so that large factors meet their divisors before they meet
 * each other. */
static sat_fraction
times(sat_fraction a, sat_fraction b)
{
	sat_fraction x = lowest(a.num, b.den), y = lowest(b.num, a.den);
	sat_wide num, den;

	if (__builtin_mul_overflow(x.num, y.num, &num) ||
	    __builtin_mul_overflow(x.den, y.den, &den))
		return sat_fraction_none();
	return lowest(num, den);
}

static sat_fraction
plus(sat_fraction a, sat_fraction b, bool minus)
{
	sat_wide g = gcd(a.den, b.den), x, y, num, den;

	if (__builtin_mul_overflow(a.num, b.den / g, &x) ||
	    __builtin_mul_overflow(minus ? -b.num : b.num, a.den / g, &y) ||
	    __builtin_add_overflow(x, y, &num) ||
	    __builtin_mul_overflow(a.den, b.den / g, &den))
		return sat_fraction_none();
	return lowest(num, den);
}

sat_fraction
sat_fraction_do(char op, sat_fraction a, sat_fraction b)
{
	sat_fraction d;

	if (a.den == 0 || b.den == 0)
		return sat_fraction_none();
	switch (op) {
	case '+':
		return plus(a, b, false);
	case '-':
		return plus(a, b, true);
	case '*':
		return times(a, b);
	case '/':
		if (b.num == 0)
			return sat_fraction_none();
		return times(a, b.num < 0 ?
		    (sat_fraction){ -b.den, -b.num } :
		    (sat_fraction){ b.den, b.num });
	default: /* of two the smaller or larger */
		d = plus(a, b, true);
		if (d.den == 0)
			return d;
		return (d.num < 0) == (op == '<') ? a : b;
	}
}

void
sat_fraction_out(int64_t *num, int64_t *den, sat_fraction f)
{
	const sat_wide max = (sat_wide)1 << 62;

	while (f.den > 1 && (magnitude(f.num) > max || f.den > max)) {
		f.num /= 2;
		f.den /= 2;
	}
	if (magnitude(f.num) > max)
		f.num = f.num < 0 ? -max : max;
	*num = (int64_t)f.num;
	*den = (int64_t)f.den;
}
