/*
 * waiting.c - what waits for an approval: for whom, since when, how long it may.
 *
 * A record keeps when it was asked (asked_at), since when the present step waits
 * (waiting_since) and when that ended (decided_at), so that every device counts
 * the same and reports need no history. A record without them (imported while
 * it waited) waits since its state was written.
 */
#include "client/crm/approve_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_MS ((int64_t)86400000)

typedef struct waiting {
	sat_arena *a;
	sat_crm *c;
	int64_t now_ms;
	sat_waiting *v;
	size_t n, cap;
} waiting;

static const char *
ask_of(const sat_template *t, const sat_kind *k)
{
	for (size_t i = 0; i < sat_approval_routes(t); i++)
		if (sat_approval_route_at(t, i)->kind == k &&
		    sat_approval_route_at(t, i)->ask != NULL)
			return sat_approval_route_at(t, i)->ask;
	return NULL;
}

static int
limit_of(const sat_template *t, const sat_kind *k, const sat_approval_step *s)
{
	for (size_t i = 0; s->limit_d == 0 && i < sat_flows(t); i++) {
		const sat_flow *f = sat_flow_at(t, i);

		for (size_t j = 0; j < f->nsteps; j++)
			if (f->steps[j].approval != NULL &&
			    strcmp(f->steps[j].approval, k->key) == 0)
				return f->steps[j].limit_d;
	}
	return s->limit_d;
}

static int64_t
since(const crm_asking *x)
{
	const sat_field *f = sat_kind_field(x->v.kind, "waiting_since");
	sat_value v = f != NULL ? crm_was(&x->w, f) : sat_v_null();

	if (v.type == SAT_V_INT)
		return v.i;
	for (size_t i = 0; i < x->v.rec.ncells; i++)
		if (x->v.rec.cells[i].field == x->v.kind->stage->id)
			return sat_hlc_ms(x->v.rec.cells[i].at.hlc);
	return x->who.now_ms;
}

static void
add(waiting *w, crm_asking *x, const sat_approval_is *is, const char *role)
{
	const sat_approval_step *s = sat_approval_missing(is->route,
	    crm_asking_value, &x->w);
	const sat_user *u = crm_asking_whom(x, role, NULL);
	sat_waiting *r;

	if (w->n == w->cap) {
		w->cap = w->cap == 0 ? 16 : w->cap * 2;
		w->v = sat_xrealloc(w->v, w->cap * sizeof *w->v);
	}
	r = &w->v[w->n++];
	*r = (sat_waiting){ .kind = x->v.kind, .id = x->v.rec.id,
		.account = x->account, .title = x->title, .owner = x->owner,
		.route = is->route, .role = role,
		.step = (size_t)(s - is->route->steps) + 1,
		.nsteps = is->route->nsteps, .user = u != NULL ? u->key : NULL,
		.since_ms = since(x),
		.limit_d = limit_of(x->who.t, x->v.kind, s) };
	r->due_ms = r->limit_d > 0 ? r->since_ms + r->limit_d * DAY_MS : 0;
	r->overdue = r->due_ms > 0 && r->due_ms < w->now_ms;
}

static sat_rc
look_at(waiting *w, const sat_kind *k, const sat_id *id, sat_err *e)
{
	sat_approval_is is;
	crm_asking x;
	sat_rc rc = crm_asking_begin(&x, w->a, w->c, k, id, e);

	if (rc != SAT_OK)
		return rc == SAT_ENOTFOUND ? SAT_OK : rc;
	crm_asking_tell(&is, &x);
	for (size_t i = 0; is.route != NULL && i < is.nmissing; i++)
		add(w, &x, &is, is.missing[i]);
	return SAT_OK;
}

static sat_rc
look_in(waiting *w, const sat_kind *k, const char *ask, sat_err *e)
{
	sat_value state = sat_v_text(sat_span_str(ask));
	sat_filter f = { k->stage->id, SAT_CMP_EQ, &state, 1 };
	uint16_t column = SAT_Q_ID;
	sat_query q = { .kind = k, .filters = &f, .nfilters = 1,
		.columns = &column, .ncolumns = 1 };
	size_t n = 0, cap = 0;
	const sat_value *row;
	sat_rows *rows;
	sat_id *ids = NULL;
	sat_rc rc = sat_replica_query(&rows, w->c->replica, &q, e);

	if (rc != SAT_OK)
		return rc;
	while ((rc = sat_rows_next(&row, rows, e)) == SAT_OK && row != NULL) {
		if (n == cap) {
			cap = cap == 0 ? 16 : cap * 2;
			ids = sat_xrealloc(ids, cap * sizeof *ids);
		}
		memcpy(ids[n++].b, row[0].s.p, sizeof ids->b);
	}
	sat_rows_free(rows);
	for (size_t i = 0; rc == SAT_OK && i < n; i++)
		rc = look_at(w, k, &ids[i], e);
	free(ids);
	return rc;
}

static int
longest_first(const void *pa, const void *pb)
{
	const sat_waiting *a = pa, *b = pb;
	int c;

	if (a->since_ms != b->since_ms)
		return a->since_ms < b->since_ms ? -1 : 1;
	c = memcmp(a->id.b, b->id.b, sizeof a->id.b);
	return c != 0 ? c : strcmp(a->role, b->role);
}

sat_rc
sat_crm_waiting(sat_waiting **out, size_t *n, sat_arena *a, sat_crm *c,
    const sat_kind *k, int64_t now_ms, sat_err *e)
{
	waiting w = { .a = a, .c = c, .now_ms = now_ms };
	crm_actor who;
	sat_rc rc = crm_actor_get(&who, c, e);

	*out = NULL;
	*n = 0;
	for (size_t i = 0; rc == SAT_OK && i < sat_template_kinds(who.t); i++) {
		const sat_kind *of = sat_template_kind_at(who.t, i);
		const char *ask = ask_of(who.t, of);
		char view[80];

		if (ask == NULL || (k != NULL && of != k))
			continue;
		(void)snprintf(view, sizeof view, "%s.view", of->key);
		if (sat_acl(who.t, who.me->role, view) != SAT_GRANT_NO)
			rc = look_in(&w, of, ask, e);
	}
	if (rc == SAT_OK && w.n > 0) {
		qsort(w.v, w.n, sizeof *w.v, longest_first);
		*out = sat_arena_dup(a, w.v, w.n * sizeof *w.v);
		*n = w.n;
	}
	free(w.v);
	return rc;
}
