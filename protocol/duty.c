/*
 * duty.c - who has to decide a conflict. Derived where it is read: a stored
 * assignee would be one more thing that two devices can disagree about.
 */
#include "protocol/duty.h"

#include <string.h>

#define DAY_MS ((int64_t)24 * 3600 * 1000)
#define DAYS_DEFAULT 3
#define DAYS_MAX 365

int64_t
sat_duty_days(const sat_template *t)
{
	int64_t days = t == NULL ? DAYS_DEFAULT : sat_json_get_int(
	    sat_template_doc(t, "policy/conflict.json"), "days", DAYS_DEFAULT);

	return days < 0 ? 0 : days > DAYS_MAX ? DAYS_MAX : days;
}

/* The first of that role by ordinal; team 0 = of any team. */
static const sat_user *
first_of(const sat_registry *reg, const char *role, uint32_t team)
{
	const sat_user *best = NULL;

	for (size_t i = 0; i < reg->nusers; i++) {
		const sat_user *u = &reg->users[i];

		if (!u->disabled && strcmp(u->role, role) == 0 &&
		    (team == 0 || u->team == team) &&
		    (best == NULL || u->ord < best->ord))
			best = u;
	}
	return best;
}

const sat_user *
sat_duty_above(const sat_registry *reg, const sat_user *u)
{
	const sat_user *m = u != NULL && u->team != 0
	    ? first_of(reg, "manager", u->team) : NULL;

	return m != NULL ? m : first_of(reg, "hq", 0);
}

void
sat_duty_of(sat_duty *out, const sat_template *t, const sat_registry *reg,
    sat_value owner, int64_t opened_ms, int64_t now_ms)
{
	const sat_user *u = owner.type == SAT_V_TEXT ?
	    sat_registry_user(reg, owner.s) : NULL, *above = NULL;

	out->due_ms = opened_ms + sat_duty_days(t) * DAY_MS;
	out->overdue = now_ms > out->due_ms;
	out->escalated = out->overdue || u == NULL || u->disabled;
	if (out->escalated) {
		above = sat_duty_above(reg, u);
		if (above == NULL) /* nobody above: it stays where it was */
			out->escalated = u != NULL && u->disabled;
	}
	if (above != NULL)
		u = above;
	out->assignee = u != NULL && !u->disabled ? u->key : NULL;
}
