/*
 * duty.h - who has to decide what others left undone. Pure.
 */
#ifndef SAT_PROTOCOL_DUTY_H
#define SAT_PROTOCOL_DUTY_H

#include "common/template/template.h"
#include "protocol/registry.h"

/*
 * Who has to decide an open conflict, and until when. Nothing of it is stored:
 * whoever reads it computes the same from registry and template. The record's
 * owner (its root's, when it has none) decides; `days` of policy/conflict.json
 * (3 unless told) after it opened it is overdue, and the manager of the owner's
 * team decides, else headquarters. So does the manager when the owner is
 * unknown or disabled.
 */
typedef struct sat_duty {
	const char *assignee; /* user key in the registry, NULL = nobody */
	int64_t due_ms;
	bool overdue, escalated;
} sat_duty;
/* t may be NULL: no template yet. */
void sat_duty_of(sat_duty *out, const sat_template *t, const sat_registry *reg,
    sat_value owner, int64_t opened_ms, int64_t now_ms);

/* `days`; t may be NULL. */
int64_t sat_duty_days(const sat_template *t);
/* Who is told when u does nothing: the manager of the team, else headquarters,
 * the first by ordinal; NULL when there is nobody. u may be NULL. */
const sat_user *sat_duty_above(const sat_registry *reg, const sat_user *u);

#endif
