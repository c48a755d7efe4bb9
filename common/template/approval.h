/*
 * approval.h - policy/approval.json: who must agree before a record reaches a
 * state. 0 to n steps; within one step all roles together, in any order.
 *
 * An approval is an element "ROLE:USER#VERSION" of the record's set field
 * `approvals`. The gate lets nobody add another's, so on the server it is as
 * good as the signature of the device that wrote it; a new version of the record
 * needs new ones. Pure.
 */
#ifndef SAT_TEMPLATE_APPROVAL_H
#define SAT_TEMPLATE_APPROVAL_H

#include "common/template/cond.h"

#define SAT_APPROVAL_ROUTES_MAX 32
#define SAT_APPROVAL_STEPS_MAX 8
#define SAT_APPROVAL_TEXT 160

typedef struct sat_approval_step {
	const char *const *roles;
	size_t n;
	int limit_d; /* longest it should wait; 0 = as the flow says */
} sat_approval_step;

typedef struct sat_approval_route {
	const char *key, *zh, *en;
	const sat_kind *kind;
	const sat_field *approvals;   /* of the kind, a set */
	const char *const *states;    /* that it guards */
	size_t nstates;
	const char *ask;              /* state while approvals are missing */
	const char *const *grades;    /* of the customer; none = any */
	size_t ngrades;
	const sat_cond *where;
	size_t nwhere;
	const sat_approval_step *steps;
	size_t nsteps;
} sat_approval_route;

size_t sat_approval_routes(const sat_template *t);
const sat_approval_route *sat_approval_route_at(const sat_template *t, size_t i);
/* Is the state guarded for this kind by any route? */
bool sat_approval_guards(const sat_template *t, const sat_kind *k,
    sat_value state);
/* The first route of the kind that fits grade ({NULL,0} = none) and record; NULL
 * = none. */
const sat_approval_route *sat_approval_route_of(const sat_template *t,
    const sat_kind *k, sat_span grade, sat_getter get, void *u);
/* The route that asks for more than is there, for the customer's grade as the
 * record says it (`said`) and as somebody typed it: whichever lacks something;
 * NULL: nothing is missing. */
const sat_approval_route *sat_approval_lacking(const sat_template *t,
    const sat_kind *k, sat_value said, sat_value typed, sat_getter get, void *u);
/* The first step that is not agreed to yet; NULL: all are. */
const sat_approval_step *sat_approval_missing(const sat_approval_route *r,
    sat_getter get, void *u);
/* Did somebody of this role agree to the present version? */
bool sat_approval_has(const sat_approval_route *r, const char *role,
    sat_getter get, void *u);
/* "manager:wang#1" for the present version of the record. */
void sat_approval_text(char out[SAT_APPROVAL_TEXT], const sat_kind *k,
    const char *role, const char *user, sat_getter get, void *u);

#endif
