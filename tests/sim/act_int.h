/*
 * act_int.h - what act.c and act_edit.c know of each other.
 */
#ifndef SAT_TESTS_SIM_ACT_INT_H
#define SAT_TESTS_SIM_ACT_INT_H

#include "tests/sim/act.h"

/* ---- values -------------------------------------------------------------- */

sat_value text_of(work *k, const char *fmt, ...) SAT_PRINTF(2, 3);
sat_value value_for(work *k, const sat_field *f);

/* ---- new records --------------------------------------------------------- */

void make(work *k);

/* ---- edits --------------------------------------------------------------- */

void resolve(work *k);

/* What the server must refuse, and what hangs on it. */
void misdeed(work *k);

void discard(work *k);

#endif
