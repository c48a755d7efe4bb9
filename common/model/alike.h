/*
 * alike.h - company names that only look alike: weak signs of a duplicate
 * (requirements §3). Pure.
 */
#ifndef SAT_MODEL_ALIKE_H
#define SAT_MODEL_ALIKE_H

#include "common/base/buf.h"

/* Normal forms at most one character apart (of names with four and more), or
 * the same once each name's city is taken off its front, in the same city. */
bool sat_names_alike(sat_span a, sat_span b, sat_span city_a, sat_span city_b);
/*
 * Forms under which an alike name is found: the normal form, each form with one
 * character left out, and the name without its city beside that. Two names that
 * are alike share one; sharing one does not make them alike.
 */
void sat_name_variants(sat_span name, sat_span city,
    void (*cb)(void *u, sat_span form), void *u);

#endif
