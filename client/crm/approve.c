/*
 * Approvals: who has to agree before a proposal goes out or a contract is
 * signed. Whether something is missing is the gate's question, here as on the
 * server; this file only asks people.
 */
#include "client/crm/approve_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/derived.h"

sat_value
crm_asking_value(void *u, const sat_field *f)
{
	return crm_was(u, f);
}

static sat_value
own_grade(const crm_asking *x)
{
	const sat_field *f = sat_kind_field(x->v.kind, "grade");

	return f != NULL ? crm_was(&x->w, f) : sat_v_null();
}

/* The first state that the kind's routes guard, and the one to wait in. */
static sat_rc
states_of(crm_asking *x, sat_err *e)
{
	for (size_t i = 0; i < sat_approval_routes(x->who.t); i++) {
		const sat_approval_route *r = sat_approval_route_at(x->who.t, i);

		if (r->kind != x->v.kind)
			continue;
		x->target = r->states[0];
		x->ask = r->ask;
		return SAT_OK;
	}
	return sat_fail_code(e, SAT_EUSAGE, "usage.approval", NULL,
	    "%s knows no approvals", x->v.kind->key);
}

static const char *
text_of(crm_asking *x, sat_value v)
{
	return v.type == SAT_V_TEXT ? sat_arena_str(x->a, v.s.p, v.s.n) : NULL;
}

sat_rc
crm_asking_begin(crm_asking *x, sat_arena *a, sat_crm *c, const sat_kind *k,
    const sat_id *id, sat_err *e)
{
	sat_value up;
	sat_rc rc;

	memset(x, 0, sizeof *x);
	x->c = c;
	x->a = a;
	if ((rc = crm_actor_get(&x->who, c, e)) != SAT_OK ||
	    (rc = sat_replica_get(&x->v, a, c->replica, k, id, e)) != SAT_OK ||
	    (rc = states_of(x, e)) != SAT_OK)
		return rc;
	crm_work_begin(&x->w, c, &x->who, a, x->v.kind, &x->v);
	up = k->parent != NULL ? crm_was(&x->w, k->parent) : sat_v_null();
	if (up.type == SAT_V_BYTES && up.s.n == sizeof x->account.b)
		memcpy(x->account.b, up.s.p, sizeof x->account.b);
	x->title = k->title != NULL ? text_of(x, crm_was(&x->w, k->title)) :
	    NULL;
	x->owner = text_of(x, crm_customer(&x->w, "owner"));
	return SAT_OK;
}

void
crm_asking_tell(sat_approval_is *out, crm_asking *x)
{
	const sat_approval_step *s;

	memset(out, 0, sizeof *out);
	out->route = sat_approval_lacking(x->who.t, x->v.kind, own_grade(x),
	    crm_customer(&x->w, "grade"), crm_asking_value, &x->w);
	if (out->route == NULL)
		return;
	s = sat_approval_missing(out->route, crm_asking_value, &x->w);
	for (size_t i = 0; i < s->n && out->nmissing < 16; i++)
		if (!sat_approval_has(out->route, s->roles[i], crm_asking_value, &x->w))
			out->missing[out->nmissing++] = s->roles[i];
}

sat_rc
sat_crm_approval(sat_approval_is *out, sat_arena *a, sat_crm *c,
    const sat_kind *k, const sat_id *id, sat_err *e)
{
	crm_asking x;
	sat_rc rc = crm_asking_begin(&x, a, c, k, id, e);

	memset(out, 0, sizeof *out);
	if (rc == SAT_OK)
		crm_asking_tell(out, &x);
	return rc;
}

/* ---- asking people ------------------------------------------------------------- */

static bool
has_role(const sat_user *u, const char *role)
{
	return u != NULL && !u->disabled && strcmp(u->role, role) == 0;
}

/* One of the record's participants who has the role. */
static const sat_user *
participant(const crm_asking *x, const char *role)
{
	const sat_field *f = sat_kind_field(x->v.kind, "participants");
	sat_value v = f != NULL ? crm_was(&x->w, f) : sat_v_null();
	sat_span rest = v.type == SAT_V_TEXT ? v.s : sat_span_str(""), one;

	while (crm_next_element(&one, &rest)) {
		const sat_user *u = sat_registry_user(x->who.reg, one);

		if (has_role(u, role))
			return u;
	}
	return NULL;
}

const sat_user *
crm_asking_whom(const crm_asking *x, const char *role, const char *named)
{
	const sat_registry *reg = x->who.reg;
	const sat_user *u = named != NULL ? sat_registry_user(reg,
	    sat_span_str(named)) : NULL, *best = NULL;

	if (has_role(u, role))
		return u;
	if ((u = participant(x, role)) != NULL)
		return u;
	u = x->owner != NULL ? sat_registry_user(reg, sat_span_str(x->owner)) :
	    NULL;
	u = sat_duty_above(reg, u);
	if (has_role(u, role))
		return u;
	for (size_t i = 0; i < reg->nusers; i++)
		if (has_role(&reg->users[i], role) && (best == NULL ||
		    reg->users[i].ord < best->ord))
			best = &reg->users[i];
	return best;
}

/* Its task has the same id whoever asks, so nobody is asked twice (P-280). */
static sat_id
task_id(crm_asking *x, const char *role)
{
	char rule[64], text[SAT_APPROVAL_TEXT];

	(void)snprintf(rule, sizeof rule, "approval.%.40s", role);
	sat_approval_text(text, x->v.kind, role, "", crm_asking_value,
	    &x->w);
	return sat_id_derive(rule, &x->v.rec.id, text);
}

static sat_rc
write_task(crm_asking *x, const sat_kind *k, const sat_id *id, const sat_user *to,
    sat_err *e)
{
	const sat_field *tf = sat_kind_field(k, "title");
	char subject[SAT_ID_TEXT], *title;
	uint64_t cseq;
	crm_work w;
	sat_rc rc;

	crm_work_begin(&w, x->c, &x->who, x->a, k, NULL);
	title = sat_xasprintf("%s%s", crm_word(x->c, "请审批：",
	    "Please approve: "), x->title != NULL ? x->title : x->v.kind->key);
	if (tf != NULL)
		crm_put(&w, tf, sat_v_text(sat_span_str(crm_fit(x->a, tf,
		    title))));
	free(title);
	if (!sat_id_zero(&x->account))
		crm_put_key(&w, "account", sat_v_id(&x->account));
	crm_put_key(&w, "due_at", sat_v_int(x->who.now_ms + 86400000));
	sat_id_text(subject, &x->v.rec.id);
	crm_put_key(&w, "subject", sat_v_text(sat_span_str(sat_arena_str(x->a, subject,
	    strlen(subject)))));
	crm_put(&w, k->owner, sat_v_text(sat_span_str(to->key)));
	if ((rc = crm_defaults(&w, e)) != SAT_OK ||
	    (rc = crm_relate(&w, e)) != SAT_OK ||
	    (rc = crm_judge(&w, e)) != SAT_OK)
		return rc;
	w.id = *id;
	return crm_write(&w, 0, &cseq, e);
}

static sat_rc
ask_all(sat_approval_is *out, crm_asking *x, const char *expert, sat_err *e)
{
	const sat_kind *k = sat_template_kind(x->who.t, "task");
	sat_view v;
	sat_rc rc = SAT_OK;

	for (size_t i = 0; k != NULL && k->owner != NULL && rc == SAT_OK &&
	    i < out->nmissing; i++) {
		const char *role = out->missing[i];
		const sat_user *to = crm_asking_whom(x, role, expert);
		sat_id id = task_id(x, role);

		if (to == NULL || to->ord == x->who.me->ord)
			continue;
		rc = sat_replica_get(&v, x->a, x->c->replica, k, &id, e);
		if (rc == SAT_ENOTFOUND)
			rc = write_task(x, k, &id, to, e);
		if (rc == SAT_EDENIED) { /* whoever submits again asks him */
			rc = SAT_OK;
			continue;
		}
		out->asked[out->nasked].role = role;
		out->asked[out->nasked++].user = to->key;
	}
	return rc;
}

/* ---- the verbs ------------------------------------------------------------------- */

static bool
not_agreed(sat_rc rc, const sat_err *e)
{
	return rc == SAT_EINVALID && strcmp(e->code, "validation.approval") == 0;
}

static sat_input
input(char verb, const char *field, const char *text)
{
	return (sat_input){ verb, field, sat_span_str(text) };
}

/* The inputs and, when the kind has it, the time of submitting. */
static sat_rc
move_on(crm_asking *x, sat_input *in, size_t n, sat_err *e)
{
	char now[32];

	in[n++] = input('=', x->v.kind->stage->key, x->target);
	sat_time_rfc3339(now, x->who.now_ms);
	if (sat_kind_field(x->v.kind, "submitted_at") != NULL)
		in[n++] = input('=', "submitted_at", now);
	return sat_crm_edit(NULL, x->c, x->v.kind, &x->v.rec.id, in, n, NULL, e);
}

static bool
in_state(const crm_asking *x, const char *state)
{
	sat_value v = crm_was(&x->w, x->v.kind->stage);

	return state != NULL && v.type == SAT_V_TEXT &&
	    sat_span_eq(v.s, sat_span_str(state));
}

static sat_rc
submit(sat_approval_is *out, crm_asking *x, const char *expert, sat_err *e)
{
	const sat_kind *k = x->v.kind;
	sat_err why = { 0 };
	sat_input in[4];
	sat_rc rc = move_on(x, in, 0, &why);

	if (!not_agreed(rc, &why)) {
		if (rc != SAT_OK && e != NULL)
			*e = why;
		return rc;
	}
	if (x->ask != NULL && !in_state(x, x->ask)) {
		in[0] = input('=', k->stage->key, x->ask);
		if ((rc = sat_crm_edit(NULL, x->c, k, &x->v.rec.id, in, 1, NULL,
		    e)) != SAT_OK)
			return rc;
	}
	crm_asking_tell(out, x);
	return ask_all(out, x, expert, e);
}

sat_rc
sat_crm_submit(sat_approval_is *out, sat_arena *a, sat_crm *c,
    const sat_kind *k, const sat_id *id, const char *expert, sat_err *e)
{
	crm_asking x;
	bool own;
	sat_rc rc;

	memset(out, 0, sizeof *out);
	if ((rc = crm_asking_begin(&x, a, c, k, id, e)) != SAT_OK ||
	    (rc = crm_all_begin(&own, c, e)) != SAT_OK)
		return rc;
	return crm_all_end(own, c, submit(out, &x, expert, e), e);
}

static bool
is_over(const sat_view *v)
{
	const sat_field *f = v->kind->stage;
	sat_value at = f != NULL ? sat_record_value(&v->rec, f->id) :
	    sat_v_null();
	const sat_option *o = at.type != SAT_V_TEXT || f->dict == NULL ? NULL :
	    sat_dict_option(f->dict, (const char *)at.s.p, at.s.n);

	return o != NULL && o->terminal;
}

/* The task reminds, the approval counts: one that was cancelled, deleted or
 * given to somebody else is no reason not to decide. */
static sat_rc
close_task(crm_asking *x, const char *role, const char *state, sat_err *e)
{
	const sat_kind *k = sat_template_kind(x->who.t, "task");
	sat_id id = task_id(x, role);
	char now[32];
	sat_input in[2] = { input('=', "state", state), { '=', "done_at", { NULL,
		0 } } };
	sat_err why = { 0 };
	sat_view v;
	sat_rc rc;

	sat_time_rfc3339(now, x->who.now_ms);
	in[1].text = sat_span_str(now);
	if (k == NULL)
		return SAT_OK;
	rc = sat_replica_get(&v, x->a, x->c->replica, k, &id, &why);
	if (rc == SAT_OK && !is_over(&v))
		rc = sat_crm_edit(NULL, x->c, k, &id, in, 2, NULL, &why);
	if (rc == SAT_ENOTFOUND || rc == SAT_EINVALID || rc == SAT_EDENIED)
		return SAT_OK;
	if (rc != SAT_OK && e != NULL)
		*e = why;
	return rc;
}

static bool
is_asked(const sat_approval_is *is, const char *role)
{
	for (size_t i = 0; i < is->nmissing; i++)
		if (strcmp(is->missing[i], role) == 0)
			return true;
	return false;
}

/* The step before is agreed to: it waits for the next one's people, from now. */
static sat_rc
ask_next(sat_approval_is *out, sat_arena *a, sat_crm *c, const sat_kind *k,
    const sat_id *id, sat_err *e)
{
	crm_asking x;
	sat_rc rc = crm_asking_begin(&x, a, c, k, id, e);

	memset(out, 0, sizeof *out);
	if (rc != SAT_OK)
		return rc;
	crm_asking_tell(out, &x);
	return in_state(&x, x.ask) ? ask_all(out, &x, NULL, e) : SAT_OK;
}

/* With the last who is missing it goes on; else his agreement alone is kept. */
static sat_rc
agree(crm_asking *x, const sat_approval_is *is, const char *note, sat_err *e)
{
	const sat_kind *k = x->v.kind;
	bool waits = in_state(x, x->ask);
	char text[SAT_APPROVAL_TEXT], now[32];
	sat_err why = { 0 };
	sat_input in[5];
	size_t n = 0;
	sat_rc rc;

	sat_approval_text(text, k, x->who.me->role, x->who.me->key,
	    crm_asking_value, &x->w);
	in[n++] = input('+', is->route->approvals->key, text);
	if (note != NULL && sat_kind_field(k, "decision_note") != NULL)
		in[n++] = input('=', "decision_note", note);
	rc = waits ? move_on(x, in, n, &why) :
	    sat_crm_edit(NULL, x->c, k, &x->v.rec.id, in, n, NULL, &why);
	sat_time_rfc3339(now, x->who.now_ms);
	if (is->nmissing == 1 && waits && not_agreed(rc, &why) &&
	    sat_kind_field(k, "waiting_since") != NULL)
		in[n++] = input('=', "waiting_since", now);
	if (not_agreed(rc, &why)) /* others are missing */
		rc = sat_crm_edit(NULL, x->c, k, &x->v.rec.id, in, n, NULL,
		    &why);
	if (rc != SAT_OK && e != NULL)
		*e = why;
	return rc == SAT_OK ? close_task(x, x->who.me->role, "done", e) : rc;
}

sat_rc
sat_crm_approve(sat_approval_is *out, sat_arena *a, sat_crm *c,
    const sat_kind *k, const sat_id *id, const char *note, sat_err *e)
{
	crm_asking x;
	bool own;
	sat_rc rc;

	memset(out, 0, sizeof *out);
	if ((rc = crm_asking_begin(&x, a, c, k, id, e)) != SAT_OK)
		return rc;
	crm_asking_tell(out, &x);
	if (!is_asked(out, x.who.me->role))
		return sat_fail_code(e, SAT_EDENIED, "approval.role", NULL,
		    "the role %s is not asked to agree now", x.who.me->role);
	if ((rc = crm_all_begin(&own, c, e)) != SAT_OK)
		return rc;
	if ((rc = agree(&x, out, note, e)) == SAT_OK)
		rc = ask_next(out, a, c, k, id, e);
	return crm_all_end(own, c, rc, e);
}

static bool
may_reject(const crm_asking *x)
{
	const char *role = x->who.me->role;

	for (size_t i = 0; i < sat_approval_routes(x->who.t); i++) {
		const sat_approval_route *r = sat_approval_route_at(x->who.t, i);

		for (size_t s = 0; r->kind == x->v.kind && s < r->nsteps; s++)
			for (size_t k = 0; k < r->steps[s].n; k++)
				if (strcmp(r->steps[s].roles[k], role) == 0)
					return true;
	}
	return false;
}

static sat_rc
send_back(crm_asking *x, const char *reason, sat_err *e)
{
	const sat_kind *k = x->v.kind;
	const sat_field *version = sat_kind_field(k, "version");
	sat_value v = version != NULL ? crm_was(&x->w, version) : sat_v_null();
	sat_approval_is is;
	sat_input in[4];
	size_t n = 0;
	char next[24];
	sat_rc rc;

	crm_asking_tell(&is, x); /* of the version that goes back */
	in[n++] = input('=', k->stage->key, "draft");
	(void)snprintf(next, sizeof next, "%lld",
	    (long long)(v.type == SAT_V_INT ? v.i : 1) + 1);
	if (version != NULL)
		in[n++] = input('=', "version", next);
	if (sat_kind_field(k, "decision_note") != NULL)
		in[n++] = input('=', "decision_note", reason);
	if ((rc = sat_crm_edit(NULL, x->c, k, &x->v.rec.id, in, n, NULL, e)) ==
	    SAT_OK)
		rc = close_task(x, x->who.me->role, "done", e);
	/* the others have nothing left to agree to */
	for (size_t i = 0; rc == SAT_OK && i < is.nmissing; i++)
		rc = close_task(x, is.missing[i], "cancelled", e);
	return rc;
}

sat_rc
sat_crm_reject(sat_crm *c, const sat_kind *k, const sat_id *id,
    const char *reason, sat_err *e)
{
	sat_arena a = { 0 };
	crm_asking x;
	bool own;
	sat_rc rc = crm_asking_begin(&x, &a, c, k, id, e);

	if (rc == SAT_OK && !in_state(&x, x.ask))
		rc = sat_fail_code(e, SAT_ECONFLICT, "approval.state", NULL,
		    "it does not wait for an approval");
	else if (rc == SAT_OK && !may_reject(&x))
		rc = sat_fail_code(e, SAT_EDENIED, "approval.role", NULL,
		    "the role %s is not asked to agree", x.who.me->role);
	if (rc == SAT_OK && (rc = crm_all_begin(&own, c, e)) == SAT_OK)
		rc = crm_all_end(own, c, send_back(&x, reason, e), e);
	sat_arena_fini(&a);
	return rc;
}
