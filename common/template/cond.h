/*
 * cond.h - conditions on one record that documents other than reports use:
 * reminders, approvals, steps of a flow.
 *
 *   {"field": F, "in": [V...]}      the value is one of them
 *   {"field": F, "not_in": [V...]}  it is none of them; no value passes
 *   {"field": F, "set": true|false} it has a value or not
 *
 * V is an option key, a text, true or false. All of a list must hold. Pure.
 */
#ifndef SAT_TEMPLATE_COND_H
#define SAT_TEMPLATE_COND_H

#include "common/template/template.h"

#define SAT_CONDS_MAX 16

typedef struct sat_cond {
	const sat_field *field;
	enum { SAT_COND_ONE_OF, SAT_COND_NONE_OF, SAT_COND_IS_SET } what;
	bool yes; /* of IS_SET */
	const sat_value *values;
	size_t n;
} sat_cond;

typedef sat_value (*sat_getter)(void *u, const sat_field *f);
bool sat_conds_hold(const sat_cond *c, size_t n, sat_getter get, void *u);

#endif
