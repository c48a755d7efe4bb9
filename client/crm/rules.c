/*
 * The reminders of the template, run over what this device holds.
 *
 * A device makes the tasks of its own user: he is the one who can do them, and
 * headquarters' replica does not fill with everybody's. Two devices of one user
 * make the same ids (P-280), so they make one task. First everything that is
 * wanted is worked out, then it is compared with the tasks that are there, and
 * only then something is written.
 *
 * Invariants, named in the tests:
 *   Y1  what is made depends on records, template and instant alone.
 *   Y2  a second run at the same instant writes nothing.
 *   Y3  a task that is there, done or deleted, is never made again.
 */
#include "client/crm/rules_int.h"

#include <stdlib.h>
#include <string.h>

/* ---- making ------------------------------------------------------------------- */

static sat_rule_item *
tell(running *x, sat_rule_what what, const want *w)
{
	sat_rule_item *i;

	if (x->nout == x->out_cap) {
		x->out_cap = x->out_cap == 0 ? 32 : x->out_cap * 2;
		x->out = sat_xrealloc(x->out, x->out_cap * sizeof *x->out);
	}
	i = &x->out[x->nout++];
	*i = (sat_rule_item){ .what = what, .to = x->who.me->key };
	if (w != NULL) {
		i->rule = w->r->key;
		i->task = w->task;
		i->subject = w->subject;
		i->kind = w->r->kind != NULL ? w->r->kind->key : NULL;
		i->period = w->period;
		i->title = w->title;
		i->nameless = w->nameless;
		i->due_ms = w->due_ms;
	}
	return i;
}

sat_rule_item *
rules_fails(running *x, const sat_reminder *r, const sat_err *why)
{
	sat_rule_item *i = tell(x, SAT_RULE_FAILS, NULL);

	i->rule = r->key;
	i->why = sat_arena_str(x->a, why->text, strlen(why->text));
	return i;
}

static sat_value
text(const char *s)
{
	return sat_v_text(sat_span_str(s));
}

static sat_rc
write_task(running *x, const want *w, sat_err *e)
{
	char subject[SAT_ID_TEXT];
	uint64_t cseq;
	crm_work k;
	sat_rc rc;

	crm_work_begin(&k, x->c, &x->who, x->a, x->task, NULL);
	if (!sat_id_zero(&w->account))
		crm_put_known(&k, "account", sat_v_id(&w->account));
	sat_id_text(subject, &w->subject);
	crm_put_known(&k, "title", text(w->title));
	crm_put_known(&k, "due_at", sat_v_int(w->due_ms));
	crm_put_known(&k, "rule", text(w->r->key));
	crm_put_known(&k, "period", text(w->period));
	crm_put_known(&k, "subject", text(sat_arena_str(x->a, subject, strlen(subject))));
	if ((rc = crm_defaults(&k, e)) != SAT_OK ||
	    (rc = crm_relate(&k, e)) != SAT_OK ||
	    (rc = crm_judge(&k, e)) != SAT_OK)
		return rc;
	k.id = w->task;
	return crm_write(&k, 0, &cseq, e);
}

/* Y3 */
static sat_rc
make_one(running *x, const want *w, bool dry_run, sat_err *e)
{
	sat_err why = { 0 };
	sat_view v;
	sat_rc rc;

	if (w->shows_ms > x->now_ms ||
	    w->shows_ms < x->now_ms - w->r->within_d * DAY_MS)
		return SAT_OK;
	rc = sat_replica_get(&v, x->a, x->c->replica, x->task, &w->task, e);
	if (rc != SAT_ENOTFOUND)
		return rc;
	rc = dry_run ? SAT_OK : write_task(x, w, &why);
	if (rc == SAT_EDENIED) /* the template gives him no tasks */
		return SAT_OK;
	if (rc == SAT_OK)
		(void)tell(x, SAT_RULE_MAKES, w);
	else if (rules_passes_over(rc)) {
		tell(x, SAT_RULE_FAILS, w)->why = sat_arena_str(x->a, why.text,
		    strlen(why.text));
		rc = SAT_OK;
	} else if (e != NULL)
		*e = why;
	return rc;
}

/* ---- closing ------------------------------------------------------------------- */

typedef struct mine { /* an open task of a rule */
	sat_id id, subject;
	const char *rule, *period, *title;
	bool has_subject;
	int64_t due_ms;
} mine;

static sat_rc
read_mine(mine **out, size_t *n, running *x, sat_err *e)
{
	static const char *const keys[] = { "rule", "period", "subject",
		"title", "due_at" };
	sat_value open = text("open"), me = text(x->who.me->key);
	sat_filter f[3] = { { 0, SAT_CMP_NOT_NULL, NULL, 0 },
		{ x->task->stage->id, SAT_CMP_EQ, &open, 1 },
		{ x->task->owner->id, SAT_CMP_EQ, &me, 1 } };
	uint16_t columns[6] = { SAT_Q_ID };
	sat_query q = { .kind = x->task, .filters = f, .nfilters = 3,
		.columns = columns, .ncolumns = 6 };
	const sat_value *row;
	mine *v = NULL;
	sat_rows *rows;
	size_t cap = 0;
	sat_rc rc;

	for (size_t i = 0; i < 5; i++) {
		const sat_field *fd = sat_kind_field(x->task, keys[i]);

		if (fd == NULL)
			return SAT_OK;
		columns[i + 1] = fd->id;
	}
	f[0].field = columns[1];
	if ((rc = sat_replica_query(&rows, x->c->replica, &q, e)) != SAT_OK)
		return rc;
	while ((rc = sat_rows_next(&row, rows, e)) == SAT_OK && row != NULL) {
		const char *s = rules_text(x, row[3]);
		mine *m;

		if (*n == cap) {
			cap = cap == 0 ? 32 : cap * 2;
			v = sat_xrealloc(v, cap * sizeof *v);
		}
		m = &v[(*n)++];
		memset(m, 0, sizeof *m);
		memcpy(m->id.b, row[0].s.p, sizeof m->id.b);
		m->rule = rules_text(x, row[1]);
		m->period = rules_text(x, row[2]);
		m->title = rules_text(x, row[4]);
		m->has_subject = s != NULL && sat_id_parse(&m->subject, s);
		m->due_ms = row[5].type == SAT_V_INT ? row[5].i : 0;
	}
	sat_rows_free(rows);
	*out = v;
	return rc;
}

static bool
still_wanted(const running *x, const sat_id *task)
{
	for (size_t i = 0; i < x->n; i++)
		if (sat_id_eq(&x->v[i].task, task))
			return true;
	return false;
}

/* Gone, merged into another, in a final stage, or (a customer) lost. */
static bool
is_closed(const running *x, const sat_view *v)
{
	const sat_standard *s = sat_template_standard(x->who.t);
	const sat_field *status = sat_kind_field(v->kind, "status");
	const sat_option *o;
	sat_value at;
	sat_id to;

	if (v->rec.deleted || sat_record_redirect(&to, &v->rec))
		return true;
	at = status != NULL ? sat_record_value(&v->rec, status->id) :
	    sat_v_null();
	for (size_t i = 0; at.type == SAT_V_TEXT && i < s->nquiet; i++)
		if (sat_span_eq(at.s, sat_span_str(s->quiet[i])))
			return true;
	if (v->kind->stage == NULL)
		return false;
	at = sat_record_value(&v->rec, v->kind->stage->id);
	o = at.type != SAT_V_TEXT ? NULL : sat_dict_option(
	    v->kind->stage->dict, (const char *)at.s.p, at.s.n);
	return o != NULL && o->terminal;
}

/* A time that passed long ago is not among the wanted ones: the record is asked. */
static bool
field_stands(const running *x, const sat_reminder *r, const mine *m,
    const sat_view *v)
{
	sat_value at = sat_record_value(&v->rec, r->field->id);
	char date[16];

	if (at.type != SAT_V_INT || !rules_pass(r, v))
		return false;
	sat_local_date(date, at.i, x->tz_min);
	return m->period != NULL && strcmp(date, m->period) == 0;
}

/* false: it stays open. */
static sat_rc
verdict(bool *close, sat_rule_what *what, running *x, const mine *m, sat_err *e)
{
	const sat_reminder *r = sat_reminder_by_key(x->who.t, m->rule);
	sat_view v;
	bool wanted = still_wanted(x, &m->id), stands;
	sat_rc rc;

	*close = false;
	*what = SAT_RULE_CANCELS;
	if (r == NULL) { /* the rule is retired */
		*close = true;
		return SAT_OK;
	}
	if (r->when == SAT_WHEN_CRON || wanted ||
	    x->failed[r - sat_reminder_at(x->who.t, 0)])
		return SAT_OK;
	if (r->kind == NULL || !m->has_subject) {
		*close = true;
		*what = SAT_RULE_CLOSES;
		return SAT_OK;
	}
	rc = sat_replica_get(&v, x->a, x->c->replica, r->kind, &m->subject, e);
	if (rc == SAT_ENOTFOUND) {
		*close = true;
		return SAT_OK;
	}
	if (rc != SAT_OK)
		return rc;
	stands = r->when == SAT_WHEN_FIELD && !v.rec.deleted &&
	    field_stands(x, r, m, &v);
	*close = true;
	if (!stands)
		*what = is_closed(x, &v) ? SAT_RULE_CANCELS : SAT_RULE_CLOSES;
	else if ((rc = rules_mine(&stands, x, r, &v, e)) == SAT_OK)
		*close = !stands; /* else another's by now */
	return rc;
}

static sat_rc
close_one(running *x, const mine *m, sat_rule_what what, bool dry_run,
    sat_err *e)
{
	sat_input in[2] = { { '=', x->task->stage->key, sat_span_str(what ==
	    SAT_RULE_CANCELS ? "cancelled" : "done") },
		{ '=', "done_at", { NULL, 0 } } };
	char when[32];
	sat_err why = { 0 };
	sat_rule_item *i;
	sat_rc rc = SAT_OK;

	sat_time_rfc3339(when, x->who.now_ms);
	in[1].text = sat_span_str(when);
	if (!dry_run)
		rc = sat_crm_edit(NULL, x->c, x->task, &m->id, in,
		    sat_kind_field(x->task, "done_at") != NULL ? 2 : 1, NULL,
		    &why);
	if (rc == SAT_EDENIED) /* the template gives him no tasks any more */
		return SAT_OK;
	if (rc != SAT_OK && !rules_passes_over(rc)) {
		if (e != NULL)
			*e = why;
		return rc;
	}
	i = tell(x, rc == SAT_OK ? what : SAT_RULE_FAILS, NULL);
	if (rc != SAT_OK)
		i->why = sat_arena_str(x->a, why.text, strlen(why.text));
	i->rule = m->rule;
	i->task = m->id;
	i->subject = m->subject;
	i->period = m->period;
	i->title = m->title;
	i->due_ms = m->due_ms;
	return SAT_OK;
}

static sat_rc
close_all(running *x, const sat_rules_opts *o, sat_err *e)
{
	sat_rule_what what;
	mine *v = NULL;
	size_t n = 0;
	bool yes;
	sat_rc rc = read_mine(&v, &n, x, e);

	for (size_t i = 0; rc == SAT_OK && i < n; i++) {
		if (o->only != NULL && strcmp(o->only, v[i].rule) != 0)
			continue;
		if ((rc = verdict(&yes, &what, x, &v[i], e)) == SAT_OK && yes)
			rc = close_one(x, &v[i], what, o->dry_run, e);
	}
	free(v);
	return rc;
}

/* ---- the run --------------------------------------------------------------------- */

static sat_rc
make_all(running *x, const sat_rules_opts *o, sat_err *e)
{
	sat_replica *r = x->c->replica;
	sat_rc rc = o->dry_run ? SAT_OK : sat_replica_group_begin(r, e);

	if (rc != SAT_OK)
		return rc;
	rc = close_all(x, o, e);
	for (size_t i = 0; rc == SAT_OK && i < x->n; i++)
		rc = make_one(x, &x->v[i], o->dry_run, e);
	if (o->dry_run)
		return rc;
	if (rc == SAT_OK)
		return sat_replica_group_commit(r, e);
	sat_replica_group_rollback(r);
	return rc;
}

sat_rc
sat_crm_rules(sat_rule_item **out, size_t *n, sat_arena *a, sat_crm *c,
    const sat_rules_opts *o, sat_err *e)
{
	running x = { .c = c, .a = a };
	sat_rc rc = crm_actor_get(&x.who, c, e);

	*out = NULL;
	*n = 0;
	if (rc != SAT_OK)
		return rc;
	if (o->only != NULL && sat_reminder_by_key(x.who.t, o->only) == NULL)
		return sat_fail_code(e, SAT_ENOTFOUND, "not_found",
		    "see: satchel rules list", "there is no rule %.60s",
		    o->only);
	x.now_ms = o->as_of_ms > 0 ? o->as_of_ms : x.who.now_ms;
	x.tz_min = sat_template_tz_min(x.who.t);
	x.task = sat_template_kind(x.who.t, "task");
	if (x.task == NULL || x.task->stage == NULL || x.task->owner == NULL)
		return SAT_OK; /* a template without tasks has none to make */
	x.failed = sat_xcalloc(sat_reminders(x.who.t) + 1, sizeof *x.failed);
	if ((rc = rules_want_all(&x, o, e)) == SAT_OK)
		rc = make_all(&x, o, e);
	if (rc == SAT_OK && x.nout > 0) {
		*out = sat_arena_dup(a, x.out, x.nout * sizeof *x.out);
		*n = x.nout;
	}
	free(x.failed);
	free(x.v);
	free(x.out);
	return rc;
}
