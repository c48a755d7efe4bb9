/*
 * What follows from a change: the template's defaults at birth, the dates and
 * the credit that a stage brings with it, the customer's number.
 */
#include "client/crm/crm_int.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define DAY_MS ((int64_t)86400000)
#define NUMBER_SETTING "crm.number"

/* ---- defaults ---------------------------------------------------------------- */

sat_value
crm_now(const crm_work *w, const sat_field *f)
{
	int64_t zone = (int64_t)sat_template_tz_min(w->who->t) * 60000;
	int64_t local = w->who->now_ms + zone;

	if (f->type == SAT_F_DATE)
		return sat_v_int(local - local % DAY_MS - zone);
	return sat_v_int(w->who->now_ms);
}

static sat_rc
put_default(crm_work *w, const sat_field *f, sat_err *e)
{
	sat_input in = { '=', f->key, { NULL, 0 } };

	if (strcmp(f->dflt, "@now") == 0) {
		crm_put(w, f, crm_now(w, f));
		return SAT_OK;
	}
	in.text = sat_span_str(f->dflt);
	return crm_input(w, &in, e);
}

static bool
has_finding(const crm_work *w, const sat_field *f)
{
	for (unsigned i = 0; i < w->bad.nfields; i++)
		if (strcmp(w->bad.fields[i].path, f->key) == 0)
			return true;
	return false;
}

static void put_sop(crm_work *w);
static sat_rc put_grade(crm_work *w, sat_err *e);

/* Owner first of all: a record without one would be nobody's. */
sat_rc
crm_defaults(crm_work *w, sat_err *e)
{
	const sat_field *owner = w->kind->owner;
	sat_rc rc;

	for (size_t i = 0; i < w->kind->nfields; i++) {
		const sat_field *f = &w->kind->fields[i];

		if (f->dflt == NULL || f->retired || crm_changes_field(w, f) ||
		    has_finding(w, f))
			continue;
		if ((rc = put_default(w, f, e)) != SAT_OK)
			return rc;
	}
	if (owner != NULL && !crm_changes_field(w, owner) &&
	    !has_finding(w, owner))
		crm_put(w, owner, sat_v_text(sat_span_str(w->who->me->key)));
	put_sop(w);
	crm_report_defaults(w);
	return put_grade(w, e);
}

/* ---- stage ------------------------------------------------------------------- */

/* The moment, unless the person gave one. */
void
crm_stamp(crm_work *w, const char *key)
{
	const sat_field *f = sat_kind_field(w->kind, key);

	if (f == NULL || crm_changes_field(w, f) || has_finding(w, f) ||
	    (f->policy == SAT_P_ONCE && crm_was(w, f).type != SAT_V_NULL))
		return;
	crm_put(w, f, crm_now(w, f));
}

void
crm_clear(crm_work *w, const char *key)
{
	const sat_field *f = sat_kind_field(w->kind, key);

	if (f != NULL && f->policy != SAT_P_ONCE && !crm_changes_field(w, f))
		crm_put(w, f, sat_v_null());
}

/* Who owns it when it is won has the credit, whoever owns it later. */
static void
give_credit(crm_work *w)
{
	const sat_field *f = sat_kind_field(w->kind, "credit_owner");
	sat_value owner;

	if (f == NULL || w->kind->owner == NULL ||
	    crm_after(w, f).type != SAT_V_NULL)
		return;
	owner = crm_after(w, w->kind->owner);
	if (owner.type == SAT_V_TEXT)
		crm_put(w, f, owner);
}

/* One more pass on the record's way: "STAGE TIME", with what it lacked. */
static void
pass(crm_work *w, const sat_field *path, sat_value stage, int64_t at_ms,
    const char *lacks)
{
	char when[32], text[96];
	int n;

	if (stage.type != SAT_V_TEXT || stage.s.n > 40)
		return;
	sat_time_rfc3339(when, at_ms);
	n = snprintf(text, sizeof text, "%.*s %s%s%s", (int)stage.s.n,
	    (const char *)stage.s.p, when, lacks != NULL ? " !" : "",
	    lacks != NULL ? lacks : "");
	crm_change(w, SAT_VERB_ADD, path, sat_v_text(sat_span_of(
	    sat_arena_str(w->a, text, (size_t)n), (size_t)n)));
}

/* The first change also tells where it began. */
static void
note_path(crm_work *w, sat_value before, sat_value now)
{
	const sat_field *path = sat_kind_field(w->kind, "path");
	const sat_field *made = sat_kind_field(w->kind, "created_at");
	sat_value at;

	if (path == NULL || path->policy != SAT_P_SET || w->was == NULL ||
	    before.type != SAT_V_TEXT || sat_value_eq(before, now))
		return;
	if (crm_was(w, path).type == SAT_V_NULL) {
		at = made != NULL ? crm_was(w, made) : sat_v_null();
		pass(w, path, before, at.type == SAT_V_INT && at.i > 0 ? at.i :
		    w->was->created_ms, NULL);
	}
	pass(w, path, now, w->who->now_ms, crm_entry_lacks(w));
}

void
crm_stage_effects(crm_work *w)
{
	const sat_field *stage = w->kind->stage, *why;
	sat_value before, now;

	crm_state_dates(w);
	if (stage == NULL || !crm_changes_field(w, stage))
		return;
	before = crm_was(w, stage);
	now = crm_after(w, stage);
	note_path(w, before, now);
	if (crm_says(now, "won")) {
		crm_stamp(w, "won_at");
		give_credit(w);
	} else if (crm_says(now, "lost")) {
		crm_stamp(w, "lost_at");
		why = sat_kind_field(w->kind, "lost_reason");
		if (why != NULL && crm_after(w, why).type == SAT_V_NULL &&
		    !w->flag_missing && !has_finding(w, why))
			crm_fault(w, why, "required");
	}
	if (crm_says(before, "lost") && !crm_says(now, "lost")) {
		crm_clear(w, "lost_at"); /* reopened */
		crm_clear(w, "lost_reason");
	}
}

#define FOLLOWERS_MAX 21

bool
crm_comes_with(const sat_field *f, const sat_field *lead)
{
	static const struct {
		const char *lead; /* NULL: the field of the stage */
		const char *with[FOLLOWERS_MAX];
	} groups[] = {
		{ NULL, { "path", "won_at", "credit_owner", "lost_at",
		    "lost_reason", "lost_stage", "churned_at", "converted_at",
		    "converted_to", "invalid_reason", "answered_at",
		    "resolved_at", "done_at", "asked_at", "waiting_since",
		    "decided_at", "decision_note", "submitted_at", "signed_at",
		    "approvals" } },
		{ "status", { "churned_at", "lost_reason" } },
		{ "grade", { "grade_reason", "grade_until" } },
	};
	size_t n = sizeof groups / sizeof groups[0], g = 0;

	while (g < n && !(groups[g].lead == NULL ?
	    lead->policy == SAT_P_STAGE :
	    strcmp(groups[g].lead, lead->key) == 0))
		g++;
	for (size_t i = 0; g < n && i < FOLLOWERS_MAX &&
	    groups[g].with[i] != NULL; i++)
		if (strcmp(f->key, groups[g].with[i]) == 0)
			return true;
	return false;
}

/* ---- the flow ------------------------------------------------------------------ */

static sat_value
value_after(void *u, const sat_field *f)
{
	return crm_after(u, f);
}

/* Who it is about, as he is on this device; null for a root, and when he is
 * not here. */
sat_value
crm_customer(void *u, const char *key)
{
	crm_work *w = u;
	const sat_kind *k = w->kind->parent != NULL ? sat_template_kind(
	    w->who->t, w->kind->parent->ref) : NULL;
	const sat_field *f = k != NULL ? sat_kind_field(k, key) : NULL;
	sat_value up = f != NULL ? crm_after(w, w->kind->parent) : sat_v_null();
	sat_view top;
	sat_id id;

	if (up.type != SAT_V_BYTES || up.s.n != sizeof id.b)
		return sat_v_null();
	memcpy(id.b, up.s.p, sizeof id.b);
	if (sat_replica_get(&top, w->a, w->c->replica, k, &id, NULL) != SAT_OK)
		return sat_v_null();
	return sat_record_value(&top.rec, f->id);
}

/* When somebody was last in touch with the customer; 0 = never. */
static int64_t
last_follow(crm_work *w)
{
	const sat_field *own = w->kind->scope == SAT_SCOPE_ROOT ?
	    sat_kind_field(w->kind, "last_follow_at") : NULL;
	sat_value v = own != NULL ? crm_after(w, own) :
	    crm_customer(w, "last_follow_at");

	return v.type == SAT_V_INT ? v.i : 0;
}

const char *
crm_entry_lacks(crm_work *w)
{
	const sat_flow *f = sat_flow_of(w->who->t, w->kind);
	sat_value to = w->kind->stage != NULL ? crm_after(w, w->kind->stage) :
	    sat_v_null();
	const sat_flow_step *step;
	const sat_field *which;

	if (f == NULL || to.type != SAT_V_TEXT)
		return NULL;
	step = sat_flow_step_of(w->who->t, w->kind,
	    sat_arena_str(w->a, to.s.p, to.s.n));
	return step == NULL ? NULL : sat_flow_entry_lacks(&which, f, step,
	    value_after, w, last_follow(w), w->who->now_ms);
}

/* The flow and its version that the record is worked by. */
static void
put_sop(crm_work *w)
{
	const sat_flow *f = sat_flow_of(w->who->t, w->kind);
	const sat_field *sop = sat_kind_field(w->kind, "sop");
	char text[64];
	int n;

	if (f == NULL || sop == NULL || sop->type != SAT_F_TEXT ||
	    crm_changes_field(w, sop))
		return;
	n = snprintf(text, sizeof text, "%.40s@%.16s", f->key, f->version);
	crm_put(w, sop, sat_v_text(sat_span_of(sat_arena_str(w->a, text,
	    (size_t)n), (size_t)n)));
}

/*
 * The customer's grade when the record was made: who has to agree depends on it,
 * and the server does not know what was bought. Of rows that are imported only a
 * typed grade counts: they tell of the past.
 */
static sat_rc
put_grade(crm_work *w, sat_err *e)
{
	const sat_field *f = sat_kind_field(w->kind, "grade");
	sat_value up, typed;
	sat_grading *g = NULL;
	const char *grade;
	int64_t amount;
	sat_id id;
	sat_rc rc;

	if (f == NULL || f->policy != SAT_P_ONCE || w->kind->parent == NULL ||
	    crm_changes_field(w, f) || f->type != SAT_F_ENUM)
		return SAT_OK;
	up = crm_after(w, w->kind->parent);
	if (up.type != SAT_V_BYTES || up.s.n != sizeof id.b)
		return SAT_OK;
	typed = sat_grade_typed(crm_customer(w, "grade"), crm_customer(w,
	    "grade_until"), w->who->now_ms);
	if (typed.type == SAT_V_TEXT || w->roots != NULL) {
		if (typed.type == SAT_V_TEXT)
			crm_put(w, f, typed);
		return SAT_OK;
	}
	memcpy(id.b, up.s.p, sizeof id.b);
	rc = sat_crm_grading(&g, w->c, w->who->now_ms, e);
	if (rc == SAT_OK && (grade = sat_grading_of(g, w->who->t, &id, typed,
	    &amount)) != NULL)
		crm_put(w, f, sat_v_text(sat_span_str(grade)));
	sat_grading_free(g);
	return rc;
}

/* ---- follow-ups ---------------------------------------------------------------- */

static sat_value
typed(const crm_work *w, const char *key)
{
	const sat_field *f = sat_kind_field(w->kind, key);

	return f != NULL ? crm_after(w, f) : sat_v_null();
}

/* Was anybody reached? A kind without the question says yes. */
static bool
effective(const crm_work *w)
{
	sat_value v = typed(w, "effective");

	return v.type != SAT_V_INT || v.i != 0;
}

static void
move_dates(const crm_work *w, crm_work *also)
{
	const sat_field *last = sat_kind_field(also->kind, "last_follow_at");
	const sat_field *next = sat_kind_field(also->kind, "next_follow_at");
	sat_value at = typed(w, "occurred_at"), plan = typed(w, "next_at");

	if (last != NULL && last->policy == SAT_P_MAX && effective(w) &&
	    at.type == SAT_V_INT && sat_value_cmp(at, crm_was(also, last)) > 0)
		crm_put(also, last, at);
	if (next != NULL && plan.type == SAT_V_INT)
		crm_put(also, next, plan);
}

/* "status" of "account.status"; NULL when it is not about the customer. */
static const char *
about(const sat_kind *k, const char *key)
{
	size_t n = strlen(k->key);

	return strncmp(key, k->key, n) == 0 && key[n] == '.' ? key + n + 1
	                                                     : NULL;
}

bool
crm_is_about(const crm_work *w, const char *key)
{
	const sat_kind *k = w->was == NULL && w->kind->append_only &&
	    w->kind->parent != NULL
	    ? sat_template_kind(w->who->t, w->kind->parent->ref) : NULL;

	return k != NULL && about(k, key) != NULL;
}

/* What was typed about the customer, as an edit of his own would be read. */
static sat_rc
put_about(bool *any, crm_work *also, const sat_input *in, size_t n, sat_err *e)
{
	sat_rc rc = SAT_OK;

	*any = false;
	for (size_t i = 0; i < n && rc == SAT_OK; i++) {
		sat_input x = in[i];

		if ((x.field = about(also->kind, in[i].field)) == NULL)
			continue;
		*any = true;
		rc = crm_input(also, &x, e);
	}
	if (rc == SAT_OK)
		crm_stage_effects(also);
	return rc;
}

sat_rc
crm_follow(crm_work *w, crm_work *also, sat_view *customer,
    const sat_input *in, size_t n, sat_err *e)
{
	const sat_kind *k;
	bool asked;
	sat_rc rc;

	if (w->was != NULL || !w->kind->append_only ||
	    w->kind->parent == NULL || sat_id_zero(&w->root))
		return SAT_OK;
	k = sat_template_kind(w->who->t, w->kind->parent->ref);
	if ((rc = sat_replica_get(customer, w->a, w->c->replica, k, &w->root,
	    e)) != SAT_OK)
		return rc;
	/* Not of a customer that is only asked for yet: should the claim be
	 * lost, the follow-up is kept and the dates are not his (P-153). */
	if (sat_record_of_pool(&customer->rec)) {
		for (size_t i = 0; i < n; i++)
			if (about(k, in[i].field) != NULL)
				return sat_fail_code(e, SAT_EDENIED, "masked",
				    "wait until the server decided the claim",
				    "%s: not yours to change", in[i].field);
		return SAT_OK;
	}
	crm_work_begin(also, w->c, w->who, w->a, k, customer);
	move_dates(w, also);
	if ((rc = put_about(&asked, also, in, n, e)) != SAT_OK)
		return rc;
	if (also->n == 0 && also->bad.nfields == 0)
		return SAT_OK;
	if ((rc = crm_relate(also, e)) != SAT_OK)
		return rc;
	rc = crm_judge(also, asked ? e : NULL);
	if (rc == SAT_OK)
		w->also = also;
	if (asked)
		return rc; /* both or neither */
	/* A visit under somebody else's customer is written all the same. */
	return rc == SAT_EDENIED || rc == SAT_EINVALID ? SAT_OK : rc;
}

/* ---- numbers ------------------------------------------------------------------ */

/* The setting: "C202405 3". */
static sat_rc
load_numbers(crm_numbers *n, sat_crm *c, sat_err *e)
{
	sat_buf b = { 0 };
	sat_rc rc = sat_replica_setting_get(&b, c->replica, NUMBER_SETTING, e);

	n->loaded = true;
	if (rc == SAT_OK && sscanf(sat_buf_cstr(&b), "%10s %" SCNd64,
	    n->counted, &n->last) != 2)
		n->counted[0] = '\0';
	sat_buf_fini(&b);
	return rc == SAT_ENOTFOUND ? SAT_OK : rc;
}

/* A month or kind begins: what was given of the one before is written now. */
static sat_rc
turn_series(crm_numbers *n, sat_crm *c, const char *series, sat_err *e)
{
	sat_rc rc = SAT_OK;

	if (strcmp(n->series, series) == 0)
		return SAT_OK;
	if (n->used != 0)
		rc = sat_replica_number_used(c->replica, n->series, n->used, e);
	n->used = 0;
	(void)snprintf(n->series, sizeof n->series, "%s", series);
	return rc;
}

static sat_rc
provisional(char text[SAT_NUMBER_TEXT], size_t *len, crm_numbers *n,
    sat_crm *c, sat_err *e)
{
	sat_rc rc;

	if (!n->loaded && (rc = load_numbers(n, c, e)) != SAT_OK)
		return rc;
	if (strcmp(n->counted, n->series) != 0) {
		memcpy(n->counted, n->series, sizeof n->counted);
		n->last = 0;
	}
	*len = sat_number_provisional(text, n->series,
	    sat_replica_identity_get(c->replica)->device,
	    (uint64_t)++n->last);
	return SAT_OK;
}

sat_rc
crm_number(crm_work *w, crm_numbers *n, sat_err *e)
{
	const sat_field *f = sat_kind_field(w->kind, "number");
	char series[SAT_SERIES_TEXT], text[SAT_NUMBER_TEXT];
	uint64_t next;
	size_t len;
	sat_rc rc;

	if (w->kind->number_prefix == NULL || f == NULL ||
	    crm_changes_field(w, f))
		return SAT_OK;
	sat_number_series(series, w->kind->number_prefix, w->who->now_ms,
	    sat_template_tz_min(w->who->t));
	if ((rc = turn_series(n, w->c, series, e)) != SAT_OK ||
	    (rc = sat_replica_number_next(&next, w->c->replica, series,
	    n->used, e)) != SAT_OK)
		return rc;
	if (next != 0) {
		n->used = next;
		len = sat_number_text(text, series, next);
	} else if ((rc = provisional(text, &len, n, w->c, e)) != SAT_OK) {
		return rc;
	}
	n->dirty = true;
	crm_put(w, f, sat_v_text(sat_span_of(
	    sat_arena_str(w->a, text, len), len)));
	return SAT_OK;
}

sat_rc
crm_numbers_save(crm_numbers *n, sat_crm *c, sat_err *e)
{
	char text[48];
	sat_rc rc = SAT_OK;

	if (!n->dirty)
		return SAT_OK;
	if (n->used != 0)
		rc = sat_replica_number_used(c->replica, n->series, n->used, e);
	if (rc == SAT_OK && n->loaded) {
		(void)snprintf(text, sizeof text, "%s %" PRId64, n->counted,
		    n->last);
		rc = sat_replica_setting_put(c->replica, NUMBER_SETTING,
		    sat_span_str(text), e);
	}
	if (rc == SAT_OK)
		n->dirty = false;
	return rc;
}
