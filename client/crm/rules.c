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
#include "client/crm/crm_int.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/derived.h"

#define DAY_MS ((int64_t)86400000)

typedef struct want {
	const sat_reminder *r;
	sat_id task, subject, account;
	const char *title, *period;
	int64_t shows_ms, due_ms;
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
	sat_rule_item *out;
	size_t nout, out_cap;
} running;

static bool
is_me(const running *x, const char *user)
{
	return user != NULL && strcmp(user, x->who.me->key) == 0;
}

/* Is this what the acting user is told, when it is `owner`'s? */
static bool
told_me(const running *x, const sat_reminder *r, const char *owner)
{
	const sat_user *u, *above;

	if (r->to == SAT_TO_OWNER)
		return is_me(x, owner);
	if (r->to == SAT_TO_ROLE)
		return strcmp(x->who.me->role, r->role) == 0;
	u = owner != NULL ? sat_registry_user(x->who.reg,
	    sat_span_str(owner)) : NULL;
	above = crm_above(x->who.reg, u);
	return above != NULL && above->ord == x->who.me->ord;
}

/* ---- what is wanted ---------------------------------------------------------- */

/* "{title}" and "{date}" in the words of the organisation's first language: the
 * same on every device. */
static const char *
render(running *x, const sat_reminder *r, const char *title, const char *date)
{
	const sat_json *first = sat_json_first(sat_json_get(sat_template_doc(
	    x->who.t, "template.json"), "languages"));
	const char *p = strcmp(sat_json_str(first, "zh"), "en") == 0 ?
	    r->text_en : r->text_zh;
	size_t cut = title != NULL ? strlen(title) : 0;
	const char *text;
	sat_buf b = { 0 };

	if (cut > 300)
		for (cut = 300; ((uint8_t)title[cut] & 0xc0) == 0x80; cut--)
			;
	while (*p != '\0') {
		if (strncmp(p, "{title}", 7) == 0) {
			sat_buf_add(&b, title, cut);
			p += 7;
		} else if (strncmp(p, "{date}", 6) == 0) {
			sat_buf_str(&b, date);
			p += 6;
		} else {
			sat_buf_add(&b, p++, 1);
		}
	}
	text = sat_arena_str(x->a, (const char *)b.p, b.n);
	sat_buf_fini(&b);
	return text;
}

/* About a subject since `since_ms`, which names the period; due at `due_ms`. */
static void
wants(running *x, const sat_reminder *r, const sat_id *subject,
    const sat_id *account, const char *title, int64_t since_ms,
    int64_t due_ms)
{
	char date[16];
	want *w;

	if (x->n == x->cap) {
		x->cap = x->cap == 0 ? 64 : x->cap * 2;
		x->v = sat_xrealloc(x->v, x->cap * sizeof *x->v);
	}
	w = &x->v[x->n++];
	memset(w, 0, sizeof *w);
	sat_local_date(date, since_ms, x->tz_min);
	w->r = r;
	w->subject = *subject;
	if (account != NULL)
		w->account = *account;
	w->period = sat_arena_str(x->a, date, strlen(date));
	w->task = sat_id_derive(r->key, subject, w->period);
	w->title = render(x, r, title, date);
	w->due_ms = due_ms;
	w->shows_ms = sat_reminder_shows(r, due_ms, x->tz_min);
}

typedef struct record {
	const sat_view *v;
} record;

static sat_value
value_of(void *u, const sat_field *f)
{
	return sat_record_value(&((record *)u)->v->rec, f->id);
}

static bool
passes(const sat_reminder *r, const sat_view *v)
{
	record rec = { v };

	return sat_conds_hold(r->where, r->nwhere, value_of, &rec);
}

static const char *
text_of(running *x, sat_value v)
{
	return v.type == SAT_V_TEXT ? sat_arena_str(x->a, v.s.p, v.s.n) : NULL;
}

/* Whose it is, and the customer it belongs to (zero: none). */
static sat_rc
whose(const char **owner, sat_id *account, running *x, const sat_view *v,
    sat_err *e)
{
	const sat_kind *k = v->kind;
	sat_value up = k->parent != NULL ?
	    sat_record_value(&v->rec, k->parent->id) : sat_v_null();
	const sat_kind *root;
	sat_view top;
	sat_rc rc;

	*owner = NULL;
	memset(account, 0, sizeof *account);
	if (k->scope == SAT_SCOPE_ROOT)
		*account = v->rec.id;
	else if (up.type == SAT_V_BYTES && up.s.n == sizeof account->b)
		memcpy(account->b, up.s.p, sizeof account->b);
	if (k->owner != NULL) {
		*owner = text_of(x, sat_record_value(&v->rec, k->owner->id));
		return SAT_OK;
	}
	root = k->parent != NULL ? sat_template_kind(x->who.t,
	    k->parent->ref) : NULL;
	if (root == NULL || root->owner == NULL || sat_id_zero(account))
		return SAT_OK;
	rc = sat_replica_get(&top, x->a, x->c->replica, root, account, e);
	if (rc == SAT_OK)
		*owner = text_of(x, sat_record_value(&top.rec, root->owner->id));
	return rc == SAT_ENOTFOUND ? SAT_OK : rc;
}

static sat_rc
want_field_of(running *x, const sat_reminder *r, const sat_id *id, sat_err *e)
{
	const char *owner;
	sat_id account;
	sat_value at;
	sat_view v;
	sat_rc rc = sat_replica_get(&v, x->a, x->c->replica, r->kind, id, e);

	if (rc != SAT_OK)
		return rc;
	at = sat_record_value(&v.rec, r->field->id);
	if (at.type != SAT_V_INT || !passes(r, &v))
		return SAT_OK;
	if ((rc = whose(&owner, &account, x, &v, e)) == SAT_OK &&
	    told_me(x, r, owner))
		wants(x, r, id, sat_id_zero(&account) ? NULL : &account,
		    r->kind->title != NULL ? text_of(x, sat_record_value(
		    &v.rec, r->kind->title->id)) : NULL, at.i,
		    at.i + r->offset_ms);
	return rc;
}

/* Only those whose time may have come lately are looked at. */
static sat_rc
want_field(running *x, const sat_reminder *r, sat_err *e)
{
	sat_value from = sat_v_int(x->now_ms - r->offset_ms -
	    (r->within_d + 1) * DAY_MS);
	sat_value to = sat_v_int(x->now_ms - r->offset_ms + DAY_MS);
	sat_filter f[2] = { { r->field->id, SAT_CMP_GE, &from, 1 },
		{ r->field->id, SAT_CMP_LE, &to, 1 } };
	uint16_t column = SAT_Q_ID;
	sat_query q = { .kind = r->kind, .filters = f, .nfilters = 2,
		.columns = &column, .ncolumns = 1 };
	const sat_value *row;
	sat_rows *rows;
	sat_id *ids = NULL;
	size_t n = 0, cap = 0;
	sat_rc rc = sat_replica_query(&rows, x->c->replica, &q, e);

	if (rc != SAT_OK)
		return rc;
	while ((rc = sat_rows_next(&row, rows, e)) == SAT_OK && row != NULL) {
		if (n == cap) {
			cap = cap == 0 ? 64 : cap * 2;
			ids = sat_xrealloc(ids, cap * sizeof *ids);
		}
		memcpy(ids[n++].b, row[0].s.p, sizeof ids->b);
	}
	sat_rows_free(rows);
	for (size_t i = 0; rc == SAT_OK && i < n; i++)
		rc = want_field_of(x, r, &ids[i], e);
	free(ids);
	return rc;
}

static bool
fits(const sat_reminder *r, const sat_due *d, int64_t now_ms)
{
	if (strcmp(r->word, "due") == 0)
		return d->due_ms > 0;
	if (strcmp(r->word, "overdue") == 0)
		return d->due_ms > 0 && d->due_ms < now_ms;
	return d->state == SAT_SLA_ESCALATED;
}

static sat_rc
want_account(running *x, const sat_reminder *r, const sat_id *id,
    const char *owner, const char *title, int64_t due_ms, sat_err *e)
{
	sat_view v;
	sat_rc rc;

	if (!told_me(x, r, owner))
		return SAT_OK;
	if (r->nwhere > 0) {
		if ((rc = sat_replica_get(&v, x->a, x->c->replica, r->kind, id,
		    e)) != SAT_OK)
			return rc;
		if (!passes(r, &v))
			return SAT_OK;
	}
	wants(x, r, id, id, title, due_ms, due_ms);
	return SAT_OK;
}

static sat_rc
want_sla(running *x, const sat_reminder *r, sat_err *e)
{
	sat_due_opts o = { .now_ms = x->now_ms, .from = SAT_SLA_LATER,
		.to = SAT_SLA_ESCALATED };
	sat_rc rc = SAT_OK;

	if (!x->has_due)
		rc = sat_crm_due(&x->due, &x->ndue, x->a, x->c, &o, e);
	x->has_due = rc == SAT_OK;
	for (size_t i = 0; rc == SAT_OK && i < x->ndue; i++)
		if (fits(r, &x->due[i], x->now_ms))
			rc = want_account(x, r, &x->due[i].id, x->due[i].owner,
			    x->due[i].title, x->due[i].due_ms, e);
	return rc;
}

typedef struct pool_list {
	running *x;
	struct back {
		sat_id id;
		const char *owner;
		int64_t due_ms;
	} *v;
	size_t n, cap;
} pool_list;

static sat_rc
on_pool(void *u, const sat_due_back *d, sat_err *e)
{
	pool_list *l = u;

	(void)e;
	if (d->due || d->owner == NULL)
		return SAT_OK;
	if (l->n == l->cap) {
		l->cap = l->cap == 0 ? 32 : l->cap * 2;
		l->v = sat_xrealloc(l->v, l->cap * sizeof *l->v);
	}
	l->v[l->n].id = d->id;
	l->v[l->n].owner = d->owner->key;
	l->v[l->n++].due_ms = d->due_ms;
	return SAT_OK;
}

static sat_rc
want_pool(running *x, const sat_reminder *r, sat_err *e)
{
	pool_list l = { .x = x };
	sat_view v;
	sat_rc rc = sat_crm_pool_preview(x->c, x->now_ms, on_pool, &l, e);

	for (size_t i = 0; rc == SAT_OK && i < l.n; i++) {
		if (!told_me(x, r, l.v[i].owner))
			continue;
		rc = sat_replica_get(&v, x->a, x->c->replica, r->kind,
		    &l.v[i].id, e);
		if (rc != SAT_OK || !passes(r, &v))
			continue;
		/* the day it goes back names the period; the warning is now */
		wants(x, r, &l.v[i].id, &l.v[i].id, text_of(x,
		    sat_record_value(&v.rec, r->kind->title->id)),
		    l.v[i].due_ms, l.v[i].due_ms);
		x->v[x->n - 1].shows_ms = x->now_ms;
	}
	free(l.v);
	return rc;
}

static sat_rc
want_stuck(running *x, const sat_reminder *r, sat_err *e)
{
	sat_stuck_opts o = { .now_ms = x->now_ms, .factor = r->factor };
	const char *owner;
	sat_stuck *s;
	sat_id account;
	sat_view v;
	size_t n;
	sat_rc rc = sat_crm_stuck(&s, &n, x->a, x->c, r->kind, &o, e);

	for (size_t i = 0; rc == SAT_OK && i < n; i++) {
		if ((rc = sat_replica_get(&v, x->a, x->c->replica, r->kind,
		    &s[i].id, e)) != SAT_OK ||
		    (rc = whose(&owner, &account, x, &v, e)) != SAT_OK)
			break;
		if (!passes(r, &v) || !told_me(x, r, owner))
			continue;
		wants(x, r, &s[i].id, sat_id_zero(&account) ? NULL : &account,
		    s[i].title, s[i].since_ms, s[i].since_ms + s[i].limit_ms);
	}
	return rc;
}

/* A rule of the calendar is about the user himself. */
static void
want_cron(running *x, const sat_reminder *r)
{
	static const sat_id zero;
	sat_id me = sat_id_derive("user", &zero, x->who.me->key);
	int64_t at;

	if (told_me(x, r, x->who.me->key) && sat_cron_last(&at, &r->cron,
	    x->now_ms, x->tz_min))
		wants(x, r, &me, NULL, x->who.me->name, at, at);
}

static sat_rc
want_fact(running *x, const sat_reminder *r, sat_err *e)
{
	static const sat_id zero;
	uint32_t dev = sat_replica_identity_get(x->c->replica)->device;
	sat_replica_status s;
	char name[16];
	sat_id about;
	sat_rc rc = sat_replica_status_get(&s, x->c->replica, e);

	(void)snprintf(name, sizeof name, "%" PRIu32, dev);
	about = sat_id_derive("device", &zero, name);
	if (rc == SAT_OK && s.last_sync_ms > 0 &&
	    s.last_sync_ms + r->offset_ms <= x->now_ms &&
	    told_me(x, r, x->who.me->key))
		wants(x, r, &about, NULL, name, s.last_sync_ms,
		    s.last_sync_ms + r->offset_ms);
	return rc;
}

static sat_rc
want_all(running *x, const sat_rules_opts *o, sat_err *e)
{
	sat_rc rc = SAT_OK;

	for (size_t i = 0; rc == SAT_OK && i < sat_reminders(x->who.t); i++) {
		const sat_reminder *r = sat_reminder_at(x->who.t, i);

		if (o->only != NULL && strcmp(o->only, r->key) != 0)
			continue;
		switch (r->when) {
		case SAT_WHEN_FIELD: rc = want_field(x, r, e); break;
		case SAT_WHEN_SLA: rc = want_sla(x, r, e); break;
		case SAT_WHEN_POOL: rc = want_pool(x, r, e); break;
		case SAT_WHEN_STUCK: rc = want_stuck(x, r, e); break;
		case SAT_WHEN_CRON: want_cron(x, r); break;
		case SAT_WHEN_FACT: rc = want_fact(x, r, e); break;
		}
	}
	return rc;
}

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
		i->due_ms = w->due_ms;
	}
	return i;
}

static void
put(crm_work *w, const char *key, sat_value v)
{
	const sat_field *f = sat_kind_field(w->kind, key);

	if (f != NULL && v.type != SAT_V_NULL)
		crm_put(w, f, v);
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
		put(&k, "account", sat_v_id(&w->account));
	sat_id_text(subject, &w->subject);
	put(&k, "title", text(w->title));
	put(&k, "due_at", sat_v_int(w->due_ms));
	put(&k, "rule", text(w->r->key));
	put(&k, "period", text(w->period));
	put(&k, "subject", text(sat_arena_str(x->a, subject, strlen(subject))));
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
	else if (e != NULL)
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
		const char *s = text_of(x, row[3]);
		mine *m;

		if (*n == cap) {
			cap = cap == 0 ? 32 : cap * 2;
			v = sat_xrealloc(v, cap * sizeof *v);
		}
		m = &v[(*n)++];
		memset(m, 0, sizeof *m);
		memcpy(m->id.b, row[0].s.p, sizeof m->id.b);
		m->rule = text_of(x, row[1]);
		m->period = text_of(x, row[2]);
		m->title = text_of(x, row[4]);
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

	if (at.type != SAT_V_INT || !passes(r, v))
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
	bool wanted = still_wanted(x, &m->id);
	sat_rc rc;

	*close = false;
	*what = SAT_RULE_CANCELS;
	if (r == NULL) { /* the rule is retired */
		*close = true;
		return SAT_OK;
	}
	if (r->when == SAT_WHEN_CRON || wanted)
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
	if (r->when == SAT_WHEN_FIELD && !v.rec.deleted &&
	    field_stands(x, r, m, &v))
		return SAT_OK;
	*close = true;
	*what = is_closed(x, &v) ? SAT_RULE_CANCELS : SAT_RULE_CLOSES;
	return SAT_OK;
}

static sat_rc
close_one(running *x, const mine *m, sat_rule_what what, bool dry_run,
    sat_err *e)
{
	sat_input in[2] = { { '=', x->task->stage->key, sat_span_str(what ==
	    SAT_RULE_CANCELS ? "cancelled" : "done") },
		{ '=', "done_at", { NULL, 0 } } };
	char when[32];
	sat_rule_item *i;
	sat_rc rc = SAT_OK;

	sat_time_rfc3339(when, x->who.now_ms);
	in[1].text = sat_span_str(when);
	if (!dry_run)
		rc = sat_crm_edit(NULL, x->c, x->task, &m->id, in,
		    sat_kind_field(x->task, "done_at") != NULL ? 2 : 1, NULL, e);
	if (rc != SAT_OK)
		return rc;
	i = tell(x, what, NULL);
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
	if ((rc = want_all(&x, o, e)) == SAT_OK)
		rc = make_all(&x, o, e);
	if (rc == SAT_OK && x.nout > 0) {
		*out = sat_arena_dup(a, x.out, x.nout * sizeof *x.out);
		*n = x.nout;
	}
	free(x.v);
	free(x.out);
	return rc;
}
