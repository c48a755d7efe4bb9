/*
 * What the reminders want of the acting user now: about which subject, from
 * when on, due when (Y1).
 */
#include "client/crm/rules_int.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/crm/import.h"
#include "protocol/derived.h"

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

	if (r->to == SAT_TO_OWNER || r->to == SAT_TO_APPROVER)
		return is_me(x, owner);
	if (r->to == SAT_TO_ROLE)
		return strcmp(x->who.me->role, r->role) == 0;
	u = owner != NULL ? sat_registry_user(x->who.reg,
	    sat_span_str(owner)) : NULL;
	above = sat_duty_above(x->who.reg, u);
	return above != NULL && above->ord == x->who.me->ord;
}

/* Is the organisation's first language English? */
static bool
in_english(const running *x)
{
	const sat_json *first = sat_json_first(sat_json_get(sat_template_doc(
	    x->who.t, "template.json"), "languages"));

	return strcmp(sat_json_str(first, "zh"), "en") == 0;
}

static const char *
words_of(const running *x, const sat_reminder *r)
{
	return in_english(x) ? r->text_en : r->text_zh;
}

/* Counts where the title stands, when asked. */
static void
fill_in(sat_buf *b, const char *p, const char *title, const char *date,
    size_t *titles)
{
	while (*p != '\0') {
		if (strncmp(p, "{title}", 7) == 0) {
			sat_buf_str(b, title);
			p += 7;
			if (titles != NULL)
				(*titles)++;
		} else if (strncmp(p, "{date}", 6) == 0) {
			sat_buf_str(b, date);
			p += 6;
		} else {
			sat_buf_add(b, p++, 1);
		}
	}
}

static size_t
letters(sat_span s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += (s.p[i] & 0xc0) != 0x80;
	return n;
}

/* "{title}" and "{date}" in the words of the organisation's first language: the
 * same on every device. A long title is cut so that the other words fit. */
static const char *
render(running *x, const sat_reminder *r, const char *title, const char *date)
{
	const sat_field *f = sat_kind_field(x->task, "title");
	const char *words = words_of(x, r), *text;
	size_t most = f != NULL ? f->max_len : 0, others, titles = 0;
	sat_buf b = { 0 };

	title = title != NULL ? title : "";
	fill_in(&b, words, "", date, &titles);
	others = letters(sat_buf_span(&b));
	if (most > 0 && titles > 0)
		title = crm_first(x->a, title, others < most ?
		    (most - others) / titles : 0);
	sat_buf_reset(&b);
	fill_in(&b, words, title, date, NULL);
	text = crm_first(x->a, sat_buf_cstr(&b), most > 0 ? most : SIZE_MAX);
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
	w->nameless = account == NULL && r->kind != NULL;
	if (account != NULL)
		w->account = *account;
	if (w->nameless) /* no erasure comes to a task that is nobody's (X1) */
		title = in_english(x) ? r->kind->en : r->kind->zh;
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

bool
rules_pass(const sat_reminder *r, const sat_view *v)
{
	record rec = { v };

	return sat_conds_hold(r->where, r->nwhere, value_of, &rec);
}

const char *
rules_text(running *x, sat_value v)
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
		*owner = rules_text(x, sat_record_value(&v->rec, k->owner->id));
		return SAT_OK;
	}
	root = k->parent != NULL ? sat_template_kind(x->who.t,
	    k->parent->ref) : NULL;
	if (root == NULL || root->owner == NULL || sat_id_zero(account))
		return SAT_OK;
	rc = sat_replica_get(&top, x->a, x->c->replica, root, account, e);
	if (rc == SAT_OK)
		*owner = rules_text(x, sat_record_value(&top.rec, root->owner->id));
	return rc == SAT_ENOTFOUND ? SAT_OK : rc;
}

sat_rc
rules_mine(bool *yes, running *x, const sat_reminder *r, const sat_view *v,
    sat_err *e)
{
	const char *owner;
	sat_id account;
	sat_rc rc = whose(&owner, &account, x, v, e);

	*yes = rc == SAT_OK && told_me(x, r, owner);
	return rc;
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
	if (at.type != SAT_V_INT || !rules_pass(r, &v))
		return SAT_OK;
	if ((rc = whose(&owner, &account, x, &v, e)) == SAT_OK &&
	    told_me(x, r, owner))
		wants(x, r, id, sat_id_zero(&account) ? NULL : &account,
		    r->kind->title != NULL ? rules_text(x, sat_record_value(
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
		if (!rules_pass(r, &v))
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
	sat_rc rc = SAT_OK;

	if (sat_pools(x->who.t) > 0)
		rc = sat_crm_pool_preview(x->c, x->now_ms, on_pool, &l, e);
	for (size_t i = 0; rc == SAT_OK && i < l.n; i++) {
		if (!told_me(x, r, l.v[i].owner))
			continue;
		rc = sat_replica_get(&v, x->a, x->c->replica, r->kind,
		    &l.v[i].id, e);
		if (rc != SAT_OK || !rules_pass(r, &v))
			continue;
		/* the day it goes back names the period; the warning is now */
		wants(x, r, &l.v[i].id, &l.v[i].id, rules_text(x,
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
		if (!rules_pass(r, &v) || !told_me(x, r, owner))
			continue;
		wants(x, r, &s[i].id, sat_id_zero(&account) ? NULL : &account,
		    s[i].title, s[i].since_ms, s[i].since_ms + s[i].limit_ms);
	}
	return rc;
}

/* The same record may wait for two people, each with a task of his own. */
static sat_rc
want_approval(running *x, const sat_reminder *r, sat_err *e)
{
	bool overdue = strcmp(r->word, "overdue") == 0;
	char rule[120];
	sat_waiting *v;
	sat_view rec;
	size_t n;
	sat_rc rc = sat_crm_waiting(&v, &n, x->a, x->c, r->kind, x->now_ms, e);

	for (size_t i = 0; rc == SAT_OK && i < n; i++) {
		if ((overdue && v[i].due_ms == 0) || !told_me(x, r, r->to ==
		    SAT_TO_APPROVER ? v[i].user : v[i].owner))
			continue;
		rc = sat_replica_get(&rec, x->a, x->c->replica, r->kind,
		    &v[i].id, e);
		if (rc != SAT_OK || !rules_pass(r, &rec))
			continue;
		wants(x, r, &v[i].id, sat_id_zero(&v[i].account) ? NULL :
		    &v[i].account, v[i].title, v[i].since_ms,
		    overdue ? v[i].due_ms : v[i].since_ms);
		(void)snprintf(rule, sizeof rule, "%.60s.%.40s", r->key,
		    v[i].role);
		x->v[x->n - 1].task = sat_id_derive(rule, &v[i].id,
		    x->v[x->n - 1].period);
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

/* About the company, not the device: whoever is told makes the same task. */
static sat_rc
want_import_closed(running *x, const sat_reminder *r, sat_err *e)
{
	static const sat_id zero;
	sat_id about = sat_id_derive("import", &zero, "open");
	int64_t since;
	sat_rc rc = sat_crm_import_open_since(&since, x->c, e);

	if (rc == SAT_OK && since > 0 && since + r->offset_ms <= x->now_ms &&
	    told_me(x, r, x->who.me->key))
		wants(x, r, &about, NULL, NULL, since, since + r->offset_ms);
	return rc;
}

static sat_rc
want_fact(running *x, const sat_reminder *r, sat_err *e)
{
	static const sat_id zero;
	uint32_t dev = sat_replica_identity_get(x->c->replica)->device;
	sat_replica_status s;
	char name[16];
	sat_id about;
	sat_rc rc;

	if (strcmp(r->word, "import_open") == 0)
		return want_import_closed(x, r, e);
	rc = sat_replica_status_get(&s, x->c->replica, e);
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
want_one(running *x, const sat_reminder *r, sat_err *e)
{
	switch (r->when) {
	case SAT_WHEN_FIELD: return want_field(x, r, e);
	case SAT_WHEN_SLA: return want_sla(x, r, e);
	case SAT_WHEN_POOL: return want_pool(x, r, e);
	case SAT_WHEN_STUCK: return want_stuck(x, r, e);
	case SAT_WHEN_APPROVAL: return want_approval(x, r, e);
	case SAT_WHEN_CRON: want_cron(x, r); return SAT_OK;
	case SAT_WHEN_FACT: return want_fact(x, r, e);
	}
	return SAT_OK;
}

sat_rc
rules_want_all(running *x, const sat_rules_opts *o, sat_err *e)
{
	sat_rc rc = SAT_OK;

	for (size_t i = 0; rc == SAT_OK && i < sat_reminders(x->who.t); i++) {
		const sat_reminder *r = sat_reminder_at(x->who.t, i);
		size_t before = x->n;
		sat_err why = { 0 };

		if (o->only != NULL && strcmp(o->only, r->key) != 0)
			continue;
		rc = want_one(x, r, &why);
		if (rules_passes_over(rc)) {
			x->n = before;
			x->failed[i] = true;
			(void)rules_fails(x, r, &why);
			rc = SAT_OK;
		} else if (rc != SAT_OK && e != NULL) {
			*e = why;
		}
	}
	return rc;
}
