/*
 * server_number.c - customer numbers: leased in advance, final when they are
 * used as leased, else replaced right behind (P-140 to P-145).
 *
 * A number is an attribute, the record's identity is its id: so nothing waits
 * for a number, and a wrong one is only ever a text that becomes an alias.
 *
 * Invariants, named in the tests:
 *   N1  no two records have the same number at any position of the log, but
 *       between a commit and the server's own right behind it.
 *   N2  a number that was given, leased or used is never given again, by a
 *       server that came back from a backup neither (P-450).
 */
#include "protocol/server_int.h"
#include "protocol/bugs.h"

#include "common/template/gate.h"

#include <stdio.h>
#include <string.h>

/* An imported number this far above the series does not drag it along. */
#define IMPORT_MAX 99999
/* A provisional number keeps its month when it is at most this old. */
#define MONTH_KEPT_DAYS 750
#define DAY_MS 86400000ll
/* So many incarnations of a device may ask for numbers within a day: what each
 * has not used is void for ever, and a device says itself which one it is in. */
#define INCARNATIONS_DAY 16

static const sat_field *
number_field(const sat_kind *k)
{
	return k != NULL && k->number_prefix != NULL ?
	    sat_kind_field(k, "number") : NULL;
}

/* ---- is it final? ---------------------------------------------------------------- */

/* Within a series: of a lease of the author, or imported and nobody's. Or of
 * those that a server which is gone had left to give when the backup was made:
 * this one gives none of them, so who has one has it from there, and no two
 * have the same (P-450). */
static sat_rc
may_have(bool *yes, sat_server *s, const sat_commit *c, const char *series,
    uint64_t n, sat_err *e)
{
	const sat_store *st = &s->env.store;
	uint64_t last = 0;
	sat_lease l;
	sat_rc rc;

	rc = st->lease_of(&l, st->u, series, n, e);
	if (rc == SAT_OK) {
		*yes = !l.voided && l.dev == c->device &&
		    l.inc == c->incarnation;
		return SAT_OK;
	}
	if (rc != SAT_ENOTFOUND)
		return rc;
	if ((rc = st->series_get(&last, st->u, series, e)) != SAT_OK)
		return rc;
	*yes = s->epoch.epoch != 0 && n <= last;
	if (*yes || (c->flags & SAT_CF_IMPORT) == 0 || n > IMPORT_MAX)
		return SAT_OK;
	*yes = true;
	return last < n ? st->series_put(st->u, series, n, e) : SAT_OK;
}

/* Registers the number when it is final. */
static sat_rc
judge_number(bool *final, sat_server *s, const sat_commit *c,
    const sat_id *rec, sat_span text, sat_err *e)
{
	const sat_store *st = &s->env.store;
	char series[SAT_SERIES_TEXT] = "";
	uint64_t n = 0;
	sat_id has;
	sat_rc rc;

	*final = false;
	rc = st->number_get(&has, st->u, text, e);
	if (rc != SAT_ENOTFOUND) { /* in use: by this record or by another */
		*final = rc == SAT_OK && sat_id_eq(&has, rec);
#ifdef SAT_BUGS
		if (SAT_BUG(SAT_BUG_NUMBER_TWICE) && rc == SAT_OK) {
			sat_lease l;

			*final = sat_number_read(series, &n, text) &&
			    st->lease_of(&l, st->u, series, n, NULL) ==
			    SAT_OK && l.dev == c->device;
		}
#endif
		return rc;
	}
	if (sat_number_read(series, &n, text)) {
		if ((rc = may_have(final, s, c, series, n, e)) != SAT_OK)
			return rc;
	} else {
		series[0] = '\0';
		n = 0;
		*final = (c->flags & SAT_CF_IMPORT) != 0 &&
		    !sat_number_is_provisional(NULL, text);
	}
	return *final ? st->number_put(st->u, text, series, n, rec, e) : SAT_OK;
}

/* ---- a fresh one ------------------------------------------------------------------ */

static int64_t
month_days(const char *series)
{
	size_t n = strlen(series);
	int ym = 0;

	for (size_t i = n - 6; i < n; i++)
		ym = ym * 10 + (series[i] - '0');
	return sat_days_of(ym / 100, ym % 100 < 1 ? 1 : ym % 100, 1);
}

/* The month a provisional number names, unless no clock can have meant it. */
static void
series_for(char out[SAT_SERIES_TEXT], sat_server *s, const sat_kind *k,
    sat_span text)
{
	char said[SAT_SERIES_TEXT] = "";
	int64_t now = sat_wall_ms(&s->env.clock), age;

	sat_number_series(out, k->number_prefix, now,
	    sat_template_tz_min(s->tip));
	if (!sat_number_is_provisional(said, text) ||
	    strlen(said) != strlen(out) ||
	    strncmp(said, out, strlen(out) - 6) != 0)
		return;
	age = now / DAY_MS - month_days(said);
	if (strcmp(said, out) <= 0 && age <= MONTH_KEPT_DAYS)
		memcpy(out, said, SAT_SERIES_TEXT);
}

/* N2: what is above the series' last number was never given. */
static sat_rc
fresh_number(sat_span *out, sat_server *s, const char *series,
    const sat_id *rec, sat_err *e)
{
	const sat_store *st = &s->env.store;
	char text[SAT_NUMBER_TEXT];
	uint64_t n = 0;
	size_t len;
	sat_id has;
	sat_rc rc;

	if ((rc = st->series_get(&n, st->u, series, e)) != SAT_OK)
		return rc;
	do {
		if (++n > SAT_NUMBER_MAX)
			return sat_fail(e, SAT_ENOSPACE,
			    "series %s has no number left", series);
		len = sat_number_text(text, series, n);
		rc = st->number_get(&has, st->u, sat_span_of(text, len), e);
	} while (rc == SAT_OK);
	if (rc != SAT_ENOTFOUND)
		return rc;
	*out = sat_span_of(sat_arena_dup(&s->txn, text, len), len);
	if ((rc = st->series_put(st->u, series, n, e)) != SAT_OK)
		return rc;
	return st->number_put(st->u, *out, series, n, rec, e);
}

/* ---- behind a commit ------------------------------------------------------------------ */

/* The number this commit gave the record; false: none. */
static bool
numbered(sat_span *text, const sat_field **f, const merging *m,
    const sat_template *t, const wrec *w)
{
	const sat_cell *c;

	*f = number_field(sat_template_kind_id(t, w->kind));
	if (*f == NULL || !w->changed)
		return false;
	c = sat_record_cell(&w->r, (*f)->id);
	if (c == NULL || c->value.type != SAT_V_TEXT || c->at.lsn != m->lsn)
		return false;
	*text = c->value.s;
	return true;
}

sat_rc
sat_srv_number(sat_server *s, const merging *m, const sat_template *t,
    sat_err *e)
{
	sat_op *ops = NULL;
	size_t n = 0, cap = 0;
	uint64_t lsn;
	sat_rc rc;

	for (const wrec *w = m->touched; w != NULL; w = w->next_touched)
		cap++;
	for (const wrec *w = m->touched; w != NULL; w = w->next_touched) {
		char series[SAT_SERIES_TEXT];
		const sat_field *f;
		sat_span text;
		bool final;

		if (!numbered(&text, &f, m, t, w))
			continue;
		if ((rc = judge_number(&final, s, m->c, &w->id, text, e)) !=
		    SAT_OK)
			return rc;
		if (final || s->tip == NULL)
			continue;
		if (ops == NULL) {
			ops = sat_arena_alloc(&s->txn, cap * sizeof *ops);
			memset(ops, 0, cap * sizeof *ops);
		}
		series_for(series, s, sat_template_kind_id(t, w->kind), text);
		ops[n] = (sat_op){ .kind = SAT_OP_NUMBER, .rtype = w->kind,
			.field = f->id, .rec = w->id };
		if ((rc = fresh_number(&text, s, series, &w->id, e)) != SAT_OK)
			return rc;
		ops[n++].value = sat_v_text(text);
	}
	return n == 0 ? SAT_OK :
	    sat_srv_own(s, &m->c->subject, ops, n, &lsn, e);
}

sat_rc
sat_srv_number_given(sat_server *s, const wrec *w, sat_err *e)
{
	const sat_store *st = &s->env.store;
	const sat_kind *k = sat_srv_kind(s, w->kind);
	const sat_field *f = number_field(k);
	char series[SAT_SERIES_TEXT] = "";
	uint64_t n = 0, lsn;
	wrec *root;
	sat_value v;
	sat_id has;
	sat_op op;
	sat_rc rc;

	if (f == NULL)
		return SAT_OK;
	v = sat_record_value(&w->r, f->id);
	if (v.type != SAT_V_TEXT)
		return SAT_OK;
	rc = st->number_get(&has, st->u, v.s, e);
	if (rc == SAT_ENOTFOUND && !sat_number_is_provisional(NULL, v.s)) {
		if (!sat_number_read(series, &n, v.s))
			series[0] = '\0';
		return st->number_put(st->u, v.s, series, n, &w->id, e);
	}
	if ((rc != SAT_OK && rc != SAT_ENOTFOUND) ||
	    (rc == SAT_OK && sat_id_eq(&has, &w->id)))
		return rc;
	/* N1: it was imported meanwhile */
	series_for(series, s, k, v.s);
	op = (sat_op){ .kind = SAT_OP_NUMBER, .rtype = w->kind, .field = f->id,
		.rec = w->id };
	if ((rc = sat_set_by_eid(&root, s, w->root, e)) != SAT_OK ||
	    (rc = fresh_number(&v.s, s, series, &w->id, e)) != SAT_OK)
		return rc;
	op.value = sat_v_text(v.s);
	return sat_srv_own(s, &root->id, &op, 1, &lsn, e);
}

/* ---- leases ---------------------------------------------------------------------------- */

typedef struct granting {
	sat_server *s;
	uint64_t after;       /* the last number the device knows */
	sat_numbers out;
	uint64_t total;       /* numbers in all leases of this device */
	uint32_t inc;         /* which one asks */
	int64_t now;
	sat_lease all[SAT_RANGES_MAX];
	size_t nall;
	uint32_t others[INCARNATIONS_DAY]; /* given a range within a day */
	size_t nothers;
} granting;

static void
note_other(granting *g, const sat_lease *l)
{
	if (l->granted_ms > g->now || g->now - l->granted_ms >= DAY_MS)
		return;
	for (size_t i = 0; i < g->nothers; i++)
		if (g->others[i] == l->inc)
			return;
	if (g->nothers < INCARNATIONS_DAY)
		g->others[g->nothers++] = l->inc;
}

static bool
on_lease(void *u, const sat_lease *l)
{
	granting *g = u;

	if (l->inc != g->inc)
		note_other(g, l);
	if (l->inc != g->inc || l->voided)
		return true;
	if (g->nall == SAT_RANGES_MAX)
		return false;
	g->all[g->nall++] = *l;
	return true;
}

static void
tell(granting *g, const sat_lease *l)
{
	sat_number_range *r;

	if (l->first <= g->after || g->out.n == SAT_RANGES_MAX)
		return;
	r = &g->out.r[g->out.n++];
	memcpy(r->series, l->series, sizeof r->series);
	r->first = l->first;
	r->last = l->last;
}

/* May this user make what the series numbers, and is the month near? */
static bool
may_number(const sat_server *s, const sat_user *user, const char *series)
{
	int64_t now = sat_wall_ms(&s->env.clock), at;
	char now_is[SAT_SERIES_TEXT], action[64];

	for (size_t i = 0; i < sat_template_kinds(s->tip); i++) {
		const sat_kind *k = sat_template_kind_at(s->tip, i);

		if (number_field(k) == NULL ||
		    strlen(k->number_prefix) + 6 != strlen(series) ||
		    strncmp(k->number_prefix, series,
		    strlen(k->number_prefix)) != 0)
			continue;
		(void)snprintf(action, sizeof action, "%s.create", k->key);
		/* this month; in its last week also the next; and a device
		 * whose clock is a day behind */
		for (int d = -1; d <= 8; d++) {
			at = now + d * DAY_MS;
			sat_number_series(now_is, k->number_prefix, at,
			    sat_template_tz_min(s->tip));
			if (strcmp(now_is, series) == 0)
				return sat_acl(s->tip, user->role, action) !=
				    SAT_GRANT_NO;
		}
	}
	return false;
}

/* Ranges the device does not know yet, and one more block while what it has
 * not used is below the floor. */
static sat_rc
grant(bool *granted, granting *g, const sat_server_session *x,
    const sat_number_range *want, sat_err *e)
{
	sat_server *s = g->s;
	const sat_store *st = &s->env.store;
	uint64_t floor = (uint64_t)sat_template_number_lease(s->tip);
	uint64_t unused = 0, used, last = 0;
	sat_lease l = { .dev = x->device, .inc = x->incarnation,
		.granted_ms = sat_wall_ms(&s->env.clock) };
	sat_rc rc;

	g->nall = g->nothers = 0;
	g->after = want->last;
	g->inc = l.inc;
	g->now = l.granted_ms;
	if ((rc = st->leases(st->u, want->series, l.dev, on_lease, g, e)) !=
	    SAT_OK)
		return rc;
	for (size_t i = 0; i < g->nall; i++) {
		if ((rc = st->numbers_used(&used, st->u, want->series,
		    g->all[i].first, g->all[i].last, e)) != SAT_OK)
			return rc;
		unused += g->all[i].last - g->all[i].first + 1 - used;
		tell(g, &g->all[i]);
	}
	if (unused >= floor || g->nall == SAT_RANGES_MAX ||
	    g->nothers == INCARNATIONS_DAY)
		return SAT_OK; /* provisional numbers then */
	if ((rc = st->series_get(&last, st->u, want->series, e)) != SAT_OK)
		return rc;
	if (last + floor > SAT_NUMBER_MAX)
		return SAT_OK;
	memcpy(l.series, want->series, sizeof l.series);
	l.first = last + 1;
	l.last = last + floor;
	*granted = true;
	tell(g, &l);
	if ((rc = st->series_put(st->u, l.series, l.last, e)) != SAT_OK)
		return rc;
	return st->lease_put(st->u, &l, e);
}

sat_rc
sat_srv_numbers(sat_server *s, const sat_server_session *x,
    const sat_user *user, const sat_numbers *in, sat_buf *reply, sat_err *e)
{
	sat_msg m = { .type = SAT_MSG_NUMBERS_IS };
	granting *g = sat_arena_alloc(&s->txn, sizeof *g);
	bool granted = false;
	sat_rc rc;

	memset(g, 0, sizeof *g);
	g->s = s;
	g->out.r = sat_arena_alloc(&s->txn, SAT_RANGES_MAX * sizeof *g->out.r);
	for (size_t i = 0; i < in->n && s->tip != NULL; i++) {
		if (!may_number(s, user, in->r[i].series))
			continue;
		if ((rc = grant(&granted, g, x, &in->r[i], e)) != SAT_OK)
			return rc;
	}
	m.u.numbers = g->out;
	sat_msg_write(reply, &m);
	/* Durable before the device may use one (N2). */
	if (granted && ((rc = sat_srv_commit(s, e)) != SAT_OK ||
	    (rc = sat_srv_begin(s, e)) != SAT_OK))
		return rc;
	return SAT_OK;
}
