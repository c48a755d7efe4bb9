/*
 * rules_int.h - a run of the reminders, for rules.c and rules_want.c.
 */
#ifndef SAT_CRM_RULES_INT_H
#define SAT_CRM_RULES_INT_H

#include "client/crm/crm_int.h"

#define DAY_MS ((int64_t)86400000)

typedef struct want {
	const sat_reminder *r;
	sat_id task, subject, account;
	const char *title, *period;
	int64_t shows_ms, due_ms;
	bool nameless; /* the title does not say whom it is about */
} want;

typedef struct running {
	sat_crm *c;
	sat_arena *a;
	crm_actor who;
	const sat_kind *task;
	int64_t now_ms;
	int tz_min;
	want *v;
	size_t n, cap;
	sat_due *due;      /* worked out once for all rules */
	size_t ndue;
	bool has_due;
	bool *failed;      /* by the rule's place: what it wants is not known */
	sat_rule_item *out;
	size_t nout, out_cap;
} running;

/* Adds to x->v what the rules want, or only the rule that is asked for. */
SAT_CHECK sat_rc rules_want_all(running *x, const sat_rules_opts *o,
    sat_err *e);
/* Does the record meet the rule's conditions? */
bool rules_pass(const sat_reminder *r, const sat_view *v);
/* Is its record the acting user's business still, by whom it is for? */
SAT_CHECK sat_rc rules_mine(bool *yes, running *x, const sat_reminder *r,
    const sat_view *v, sat_err *e);
/* In the run's arena; NULL when it is no text. */
const char *rules_text(running *x, sat_value v);
/* Something of the template or of one record, not of the disk: it is told, and
 * the others go on. */
static inline bool
rules_passes_over(sat_rc rc)
{
	return rc == SAT_EINVALID || rc == SAT_ENOTFOUND || rc == SAT_EUSAGE;
}
/* Add an item that says so. */
sat_rule_item *rules_fails(running *x, const sat_reminder *r,
    const sat_err *why);

#endif
