/*
 * The rows of a report and what can be asked of one: fields, one step along a
 * reference, "has" of another kind. References are answered from a map of the
 * target's column, loaded once, so a report is one scan per kind and never a
 * lookup per row.
 */
#include "client/crm/report_int.h"

#include <stdlib.h>
#include <string.h>

/* ---- id -> value --------------------------------------------------------------- */

typedef struct entry {
	sat_id id;
	sat_value value;
} entry;

typedef struct rep_map {
	entry *slots;
	uint8_t *used;
	size_t nslots, n;
	sat_arena mem;
	sat_value last; /* enums repeat: keep one copy of a run */
} rep_map;

static size_t
slot_of(const rep_map *m, const sat_id *id)
{
	uint64_t h;
	size_t at;

	memcpy(&h, id->b + 8, sizeof h); /* the random half */
	at = (size_t)(h ^ h >> 29) & (m->nslots - 1);
	while (m->used[at] && !sat_id_eq(&m->slots[at].id, id))
		at = (at + 1) & (m->nslots - 1);
	return at;
}

static void
grow(rep_map *m)
{
	rep_map old = *m;

	m->nslots = old.nslots == 0 ? 256 : old.nslots * 2;
	m->slots = sat_xcalloc(m->nslots, sizeof *m->slots);
	m->used = sat_xcalloc(m->nslots, 1);
	for (size_t i = 0; i < old.nslots; i++)
		if (old.used[i]) {
			size_t at = slot_of(m, &old.slots[i].id);

			m->slots[at] = old.slots[i];
			m->used[at] = 1;
		}
	free(old.slots);
	free(old.used);
}

static void
map_put(rep_map *m, const sat_id *id, sat_value v)
{
	size_t at;

	if ((m->n + 1) * 2 > m->nslots)
		grow(m);
	at = slot_of(m, id);
	if (!m->used[at]) {
		m->used[at] = 1;
		m->slots[at].id = *id;
		m->n++;
	}
	if (!sat_value_eq(m->last, v))
		m->last = sat_value_dup(&m->mem, v);
	m->slots[at].value = m->last;
}

static bool
map_get(const rep_map *m, const sat_id *id, sat_value *v)
{
	size_t at;

	if (m->n == 0)
		return false;
	at = slot_of(m, id);
	if (m->used[at])
		*v = m->slots[at].value;
	return m->used[at] != 0;
}

static void
map_free(rep_map *m)
{
	if (m == NULL)
		return;
	free(m->slots);
	free(m->used);
	sat_arena_fini(&m->mem);
	free(m);
}

static bool
id_of(sat_value v, sat_id *id)
{
	if (v.type != SAT_V_BYTES || v.s.n != 16)
		return false;
	memcpy(id->b, v.s.p, 16);
	return true;
}

/* ---- what is needed --------------------------------------------------------------- */

void
rep_begin(rep_source *s, sat_crm *c, const crm_actor *who, sat_arena *a,
    const sat_kind *k, int64_t as_of_ms, sat_grant grant)
{
	memset(s, 0, sizeof *s);
	s->c = c;
	s->who = who;
	s->a = a;
	s->kind = k;
	s->as_of_ms = as_of_ms;
	s->grant = grant;
	s->columns[s->ncolumns++] = SAT_Q_ID;
}

sat_rc
rep_need_field(rep_source *s, const sat_field *f, sat_err *e)
{
	if (f == NULL)
		return SAT_OK;
	for (size_t i = 1; i < s->ncolumns; i++)
		if (s->columns[i] == f->id)
			return SAT_OK;
	if (s->ncolumns == sizeof s->columns / sizeof s->columns[0])
		return sat_fail(e, SAT_EINVALID, "report: too many fields");
	s->columns[s->ncolumns++] = f->id;
	return SAT_OK;
}

static sat_rc
need_link(rep_source *s, const sat_field *via, const sat_field *f, sat_err *e)
{
	for (size_t i = 0; i < s->nlinks; i++)
		if (s->links[i].via == via && s->links[i].field == f)
			return SAT_OK;
	if (s->nlinks == REP_LINKS_MAX)
		return sat_fail(e, SAT_EINVALID, "report: too many references");
	s->links[s->nlinks].map = NULL;
	s->links[s->nlinks].via = via;
	s->links[s->nlinks++].field = f;
	return SAT_OK;
}

sat_rc
rep_need(rep_source *s, sat_report_path p, sat_err *e)
{
	sat_rc rc;

	if ((rc = rep_need_field(s, p.via != NULL ? p.via : p.field, e)) !=
	    SAT_OK || p.via == NULL || p.team)
		return rc;
	return need_link(s, p.via, p.field, e);
}

sat_rc
rep_need_where(rep_source *s, const sat_report_cond *c, size_t n, sat_err *e)
{
	sat_rc rc = SAT_OK;

	for (size_t i = 0; i < n && rc == SAT_OK; i++) {
		if (c[i].op != SAT_COND_HAS) {
			rc = rep_need(s, c[i].path, e);
			continue;
		}
		if (s->nhas == REP_HAS_MAX)
			return sat_fail(e, SAT_EINVALID,
			    "report: too many conditions");
		s->has[s->nhas].map = NULL;
		s->has[s->nhas++].cond = &c[i];
	}
	return rc;
}

/* ---- loading ------------------------------------------------------------------------ */

/* The column of the target kind; deleted targets are not there. */
static sat_rc
load_link(rep_source *s, rep_link *l, sat_err *e)
{
	const uint16_t columns[2] = { SAT_Q_ID, l->field->id };
	sat_query q = { .columns = columns, .ncolumns = 2,
		.kind = sat_template_kind(s->who->t, l->via->ref) };
	const sat_value *v;
	sat_rows *rows;
	sat_id id;
	sat_rc rc;

	l->map = sat_xcalloc(1, sizeof *l->map);
	if ((rc = sat_replica_query(&rows, s->c->replica, &q, e)) != SAT_OK)
		return rc;
	while ((rc = sat_rows_next(&v, rows, e)) == SAT_OK && v != NULL)
		if (id_of(v[0], &id))
			map_put(l->map, &id, v[1]);
	sat_rows_free(rows);
	return rc;
}

static sat_rc
load_has(rep_source *s, rep_has *h, sat_err *e)
{
	const sat_report_cond *c = h->cond;
	rep_source inner;
	bool more;
	sat_id id;
	sat_rc rc;

	h->map = sat_xcalloc(1, sizeof *h->map);
	rep_begin(&inner, s->c, s->who, s->a, c->has_kind, s->as_of_ms,
	    SAT_GRANT_ALL);
	if ((rc = rep_need_field(&inner, c->has_ref, e)) == SAT_OK &&
	    (rc = rep_need_where(&inner, c->has, c->nhas, e)) == SAT_OK &&
	    (rc = rep_open(&inner, e)) == SAT_OK)
		while ((rc = rep_next(&inner, &more, e)) == SAT_OK && more)
			if (rep_holds(&inner, c->has, c->nhas) &&
			    id_of(rep_field(&inner, c->has_ref), &id))
				map_put(h->map, &id, sat_v_int(1));
	rep_close(&inner);
	return rc;
}

/* The owner of the root decides who may see; so it is needed too. */
static sat_rc
need_owners(rep_source *s, sat_err *e)
{
	const sat_kind *k = s->kind, *root;
	sat_rc rc;

	if (s->grant == SAT_GRANT_ALL)
		return SAT_OK;
	if ((rc = rep_need_field(s, k->owner, e)) != SAT_OK ||
	    k->parent == NULL)
		return rc;
	root = sat_template_kind(s->who->t, k->parent->ref);
	if ((rc = rep_need_field(s, k->parent, e)) != SAT_OK ||
	    root->owner == NULL)
		return rc;
	return need_link(s, k->parent, root->owner, e);
}

sat_rc
rep_open(rep_source *s, sat_err *e)
{
	sat_query q = { .kind = s->kind };
	sat_rc rc = need_owners(s, e);

	for (size_t i = 0; i < s->nlinks && rc == SAT_OK; i++)
		rc = load_link(s, &s->links[i], e);
	for (size_t i = 0; i < s->nhas && rc == SAT_OK; i++)
		rc = load_has(s, &s->has[i], e);
	if (rc != SAT_OK)
		return rc;
	q.columns = s->columns;
	q.ncolumns = s->ncolumns;
	return sat_replica_query(&s->rows, s->c->replica, &q, e);
}

void
rep_close(rep_source *s)
{
	for (size_t i = 0; i < s->nlinks; i++)
		map_free(s->links[i].map);
	for (size_t i = 0; i < s->nhas; i++)
		map_free(s->has[i].map);
	sat_rows_free(s->rows);
	s->rows = NULL;
	s->nlinks = s->nhas = 0;
}

/* ---- asking --------------------------------------------------------------------------- */

sat_value
rep_field(const rep_source *s, const sat_field *f)
{
	for (size_t i = 1; i < s->ncolumns; i++)
		if (s->columns[i] == f->id)
			return s->row[i];
	return sat_v_null();
}

sat_id
rep_id(const rep_source *s)
{
	sat_id id = { { 0 } };

	(void)id_of(s->row[0], &id);
	return id;
}

static sat_value
team_of(const rep_source *s, sat_value user)
{
	const sat_user *u = user.type == SAT_V_TEXT ?
	    sat_registry_user(s->who->reg, user.s) : NULL;
	const sat_team *t = u != NULL && u->team != 0 ?
	    sat_registry_team_ord(s->who->reg, u->team) : NULL;

	return t != NULL ? sat_v_text(sat_span_str(t->key)) : sat_v_null();
}

static sat_value
linked(const rep_source *s, const sat_field *via, const sat_field *f)
{
	sat_value v = sat_v_null();
	sat_id id;

	if (!id_of(rep_field(s, via), &id))
		return v;
	for (size_t i = 0; i < s->nlinks; i++)
		if (s->links[i].via == via && s->links[i].field == f) {
			(void)map_get(s->links[i].map, &id, &v);
			break;
		}
	return v;
}

sat_value
rep_path(const rep_source *s, sat_report_path p)
{
	if (p.via == NULL)
		return p.field != NULL ? rep_field(s, p.field) : sat_v_null();
	if (p.team)
		return team_of(s, rep_field(s, p.via));
	return linked(s, p.via, p.field);
}

static bool
among(const sat_report_cond *c, sat_value v)
{
	for (size_t i = 0; i < c->nvalues; i++)
		if (sat_value_eq(c->values[i], v))
			return true;
	return false;
}

static bool
has(const rep_source *s, const sat_report_cond *c)
{
	sat_id id = rep_id(s);
	sat_value v;

	for (size_t i = 0; i < s->nhas; i++)
		if (s->has[i].cond == c)
			return map_get(s->has[i].map, &id, &v);
	return false;
}

bool
rep_holds(const rep_source *s, const sat_report_cond *c, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		sat_value v = c[i].op == SAT_COND_HAS ? sat_v_null() :
		    rep_path(s, c[i].path);
		bool ok = false;

		switch (c[i].op) {
		case SAT_COND_IN:
			ok = among(&c[i], v);
			break;
		case SAT_COND_NOT_IN:
			ok = !among(&c[i], v);
			break;
		case SAT_COND_SET:
			ok = v.type != SAT_V_NULL;
			break;
		case SAT_COND_UNSET:
			ok = v.type == SAT_V_NULL;
			break;
		case SAT_COND_BEFORE:
			ok = v.type == SAT_V_INT && v.i < s->as_of_ms;
			break;
		case SAT_COND_HAS:
			ok = has(s, &c[i]);
			break;
		}
		if (!ok)
			return false;
	}
	return true;
}

static bool
may_see(const rep_source *s)
{
	const sat_kind *k = s->kind, *root;
	sat_value own = sat_v_null(), of_root = sat_v_null();

	if (s->grant == SAT_GRANT_ALL)
		return true;
	if (k->owner != NULL)
		own = rep_field(s, k->owner);
	if (k->parent == NULL) {
		of_root = own;
	} else {
		root = sat_template_kind(s->who->t, k->parent->ref);
		if (root->owner != NULL)
			of_root = linked(s, k->parent, root->owner);
	}
	return sat_grant_covers(s->grant, sat_scope_relation(s->who->reg, s->who->me,
	    k->scope, of_root, own, true, false));
}

sat_rc
rep_next(rep_source *s, bool *more, sat_err *e)
{
	sat_rc rc;

	do {
		if ((rc = sat_rows_next(&s->row, s->rows, e)) != SAT_OK)
			return rc;
	} while (s->row != NULL && !may_see(s));
	*more = s->row != NULL;
	return SAT_OK;
}

/* ---- stage at an instant -------------------------------------------------------------- */

static bool
is_terminal(const sat_field *stage, sat_value v)
{
	const sat_option *o = v.type != SAT_V_TEXT ? NULL :
	    sat_dict_option(stage->dict, (const char *)v.s.p, v.s.n);

	return o == NULL || o->terminal;
}

static bool
says(sat_value v, const char *word)
{
	return v.type == SAT_V_TEXT && sat_span_eq(v.s, sat_span_str(word));
}

static bool
before(sat_value v, int64_t t_ms)
{
	return v.type == SAT_V_INT && v.i < t_ms;
}

static sat_value
named(const rep_source *s, const char *key)
{
	const sat_field *f = sat_kind_field(s->kind, key);

	return f != NULL ? rep_field(s, f) : sat_v_null();
}

/*
 * Stage events of the record before T, newest first: the current value, then
 * the history. `want` NULL: the last one that is not terminal; else whether
 * that stage is among them.
 */
static sat_rc
last_event(sat_value *out, rep_source *s, int64_t t_ms, const char *want,
    sat_err *e)
{
	const sat_field *f = s->kind->stage;
	sat_arena a = { 0 };
	const sat_cell *cell;
	sat_id id = rep_id(s);
	sat_past *past;
	sat_view v;
	size_t n;
	sat_rc rc;

	*out = sat_v_null();
	if ((rc = sat_replica_get(&v, &a, s->c->replica, s->kind, &id, e)) ==
	    SAT_OK &&
	    (rc = sat_replica_history(&past, &n, &a, s->c->replica, &id, f->id,
	    e)) == SAT_OK) {
		cell = sat_record_cell(&v.rec, f->id);
		for (size_t i = 0; i <= n && out->type == SAT_V_NULL; i++) {
			sat_value at = i > 0 ? past[i - 1].value :
			    cell != NULL ? cell->value : sat_v_null();
			sat_hlc hlc = i > 0 ? past[i - 1].at.hlc :
			    cell != NULL ? cell->at.hlc : 0;

			if (sat_hlc_ms(hlc) >= t_ms)
				continue;
			if (want != NULL ? says(at, want) : !is_terminal(f, at))
				*out = sat_value_dup(s->a, at);
		}
	}
	sat_arena_fini(&a);
	return rc;
}

sat_rc
rep_stage_at(sat_value *stage, bool *counts, rep_source *s, int64_t t_ms,
    sat_err *e)
{
	sat_value now = rep_field(s, s->kind->stage);
	sat_value born = named(s, "started_on");
	sat_rc rc;

	if (born.type == SAT_V_NULL)
		born = named(s, "created_at");
	*counts = born.type == SAT_V_NULL || born.i < t_ms;
	*stage = now;
	if (!*counts || t_ms == INT64_MAX)
		return SAT_OK;
	if (before(named(s, "won_at"), t_ms)) {
		*stage = sat_v_text(sat_span_str("won"));
		if (!says(now, "after_sales"))
			return SAT_OK;
		rc = last_event(&born, s, t_ms, "after_sales", e);
		if (rc == SAT_OK && born.type != SAT_V_NULL)
			*stage = born;
		return rc;
	}
	if (before(named(s, "lost_at"), t_ms)) {
		*stage = sat_v_text(sat_span_str("lost"));
		return SAT_OK;
	}
	/* Everything known happened before now: no need to look it up. */
	if (t_ms > s->who->now_ms && !is_terminal(s->kind->stage, now))
		return SAT_OK;
	if ((rc = last_event(stage, s, t_ms, NULL, e)) != SAT_OK)
		return rc;
	if (stage->type == SAT_V_NULL && !is_terminal(s->kind->stage, now))
		*stage = now;
	return SAT_OK;
}
