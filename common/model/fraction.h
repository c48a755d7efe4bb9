/*
 * fraction.h - exact arithmetic of a report's formulas.
 *
 * A fraction without a denominator (0) is "no value" and stays so through every
 * operation; so is one that no longer fits 126 bits even in lowest terms.
 */
#ifndef SAT_MODEL_FRACTION_H
#define SAT_MODEL_FRACTION_H

#include "common/base/err.h"

__extension__ typedef __int128 sat_wide;

typedef struct sat_fraction {
	sat_wide num, den; /* den >= 0; lowest terms */
} sat_fraction;

sat_fraction sat_fraction_of(int64_t num, int64_t den);
sat_fraction sat_fraction_none(void);
/* op: '+' '-' '*' '/', '<' the smaller, '>' the larger. */
sat_fraction sat_fraction_do(char op, sat_fraction a, sat_fraction b);
/* As two 64-bit numbers; den 0 = no value. What does not fit is rounded to 62
 * bits, which is far below the last digit printed. */
void sat_fraction_out(int64_t *num, int64_t *den, sat_fraction f);

#endif
