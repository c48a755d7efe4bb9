/*
 * When a state was reached. The state itself only says how it is now; reports
 * ask when a customer was lost, a lead became one, a need was answered. Fields
 * that a template does not have are not written.
 */
#include "client/crm/crm_int.h"

#include <string.h>

#define DAY_MS ((int64_t)86400000)

static bool
after_says(const crm_work *w, const char *key, const char *word)
{
	const sat_field *f = sat_kind_field(w->kind, key);

	return f != NULL && crm_says(crm_after(w, f), word);
}

static bool
was(const crm_work *w, const char *key, const char *word)
{
	const sat_field *f = sat_kind_field(w->kind, key);

	return f != NULL && crm_says(crm_was(w, f), word);
}

static bool
changes(const crm_work *w, const char *key)
{
	const sat_field *f = sat_kind_field(w->kind, key);

	return f != NULL && crm_changes_field(w, f);
}

/* Lost by its status or by its stage. */
static void
customer(crm_work *w)
{
	bool before = was(w, "status", "lost") || was(w, "stage", "lost");
	bool now = after_says(w, "status", "lost") ||
	    after_says(w, "stage", "lost");

	if (now && !before)
		crm_stamp(w, "churned_at");
	else if (before && !now)
		crm_clear(w, "churned_at");
}

/* Another grade than the amount gives, set by a person: for a reason, and for
 * as long as he says or policy/grading.json does. What is imported tells of the
 * past, a customer who is new has no grade yet that would be overruled. */
static void
graded(crm_work *w)
{
	const sat_field *why = sat_kind_field(w->kind, "grade_reason");
	const sat_field *until = sat_kind_field(w->kind, "grade_until");
	int days = sat_template_standard(w->who->t)->override_d;

	if (why == NULL || until == NULL || w->roots != NULL)
		return;
	if (crm_after(w, sat_kind_field(w->kind, "grade")).type !=
	    SAT_V_TEXT) {
		crm_clear(w, why->key);
		crm_clear(w, until->key);
		return;
	}
	if (w->was != NULL && crm_after(w, why).type != SAT_V_TEXT)
		sat_err_field_add(&w->bad, why->key, "required");
	if (!crm_changes_field(w, until))
		crm_put(w, until, days == 0 ? sat_v_null() : sat_v_int(
		    w->who->now_ms + days * DAY_MS));
}

static void
lost_stage(crm_work *w)
{
	const sat_field *f = sat_kind_field(w->kind, "lost_stage");
	sat_value before = crm_was(w, w->kind->stage);

	if (f == NULL || crm_changes_field(w, f))
		return;
	if (after_says(w, w->kind->stage->key, "lost")) {
		if (before.type == SAT_V_TEXT && !crm_says(before, "lost"))
			crm_put(w, f, before);
	} else if (crm_says(before, "lost")) {
		crm_put(w, f, sat_v_null()); /* reopened */
	}
}

static void
ticket(crm_work *w)
{
	if (after_says(w, "state", "resolved") ||
	    after_says(w, "state", "closed")) {
		if (!was(w, "state", "resolved"))
			crm_stamp(w, "resolved_at");
	} else if (was(w, "state", "resolved") || was(w, "state", "closed")) {
		crm_clear(w, "resolved_at"); /* reopened */
	}
}

/* Since when it waits for approvals (waiting.c). */
static void
approvals(crm_work *w)
{
	const sat_approval_route *r = NULL;
	const char *stage;
	bool now, before;

	for (size_t i = 0; i < sat_approval_routes(w->who->t); i++)
		if (sat_approval_route_at(w->who->t, i)->kind == w->kind)
			r = sat_approval_route_at(w->who->t, i);
	if (r == NULL || r->ask == NULL)
		return;
	stage = w->kind->stage->key;
	now = after_says(w, stage, r->ask);
	before = was(w, stage, r->ask);
	if (now && !before) {
		crm_stamp(w, "asked_at");
		crm_stamp(w, "waiting_since");
		crm_clear(w, "decided_at");
	} else if (before && !now) {
		crm_clear(w, "waiting_since");
		crm_stamp(w, "decided_at");
	}
}

void
crm_state_dates(crm_work *w)
{
	const char *k = w->kind->key;

	if (strcmp(k, "account") == 0) {
		if (changes(w, "grade"))
			graded(w);
		if (changes(w, "status") || changes(w, "stage"))
			customer(w);
	} else if (w->kind->stage == NULL || !(changes(w, w->kind->stage->key) ||
	    changes(w, "converted_to"))) {
		return;
	} else if (sat_kind_field(w->kind, "waiting_since") != NULL) {
		approvals(w);
	} else if (strcmp(k, "opportunity") == 0) {
		lost_stage(w);
	} else if (strcmp(k, "lead") == 0) {
		if ((after_says(w, "state", "qualified") &&
		    !was(w, "state", "qualified")) ||
		    changes(w, "converted_to"))
			crm_stamp(w, "converted_at");
	} else if (strcmp(k, "need") == 0) {
		if (!after_says(w, "state", "open") &&
		    (w->was == NULL || was(w, "state", "open")))
			crm_stamp(w, "answered_at");
	} else if (strcmp(k, "ticket") == 0) {
		ticket(w);
	}
}
