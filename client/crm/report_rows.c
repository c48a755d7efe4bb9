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

bool
rep_id_of(sat_value v, sat_id *id)
{
	if (v.type != SAT_V_BYTES || v.s.n != 16)
		return false;
	memcpy(id->b, v.s.p, 16);
	return true;
}

/* ---- what is needed --------------------------------------------------------------- */

void
rep_begin(rep_source *s, sat_crm *c, const crm_actor *who, sat_arena *a,
    const sat_kind *k, const rep_when *when, sat_grant grant)
{
	memset(s, 0, sizeof *s);
	s->c = c;
	s->who = who;
	s->a = a;
	s->kind = k;
	s->when = when;
	s->grant = grant;
	s->times = 1;
	s->columns[s->ncolumns++] = SAT_Q_ID;
}

static uint32_t
bit_of(const sat_field *f)
{
	return f != NULL && f->id < 32 ? (uint32_t)1 << f->id : 0;
}

sat_rc
rep_need_field(rep_source *s, const sat_field *f, sat_err *e)
{
	if (f == NULL)
		return SAT_OK;
	s->in_period &= ~bit_of(f);
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

	if (p.let != NULL) /* what it needs is loaded with the lets */
		return SAT_OK;
	if ((rc = rep_need_field(s, p.via != NULL ? p.via : p.field, e)) !=
	    SAT_OK || p.via == NULL || p.field == NULL)
		return rc;
	return need_link(s, p.via, p.field, e);
}

sat_rc
rep_need_period(rep_source *s, sat_report_path p, sat_err *e)
{
	uint32_t before = s->in_period;
	size_t had = s->ncolumns;
	sat_rc rc = rep_need(s, p, e);

	if (rc == SAT_OK && p.let == NULL && p.via == NULL)
		s->in_period |= bit_of(p.field) &
		    (s->ncolumns > had ? UINT32_MAX : before);
	return rc;
}

sat_rc
rep_need_at(rep_source *s, const sat_report_at *at, sat_err *e)
{
	return at->base == SAT_BASE_PATH ? rep_need(s, at->path, e) : SAT_OK;
}

sat_rc
rep_need_where(rep_source *s, const sat_report_cond *c, size_t n, sat_err *e)
{
	sat_rc rc = SAT_OK;

	for (size_t i = 0; i < n && rc == SAT_OK; i++) {
		if (c[i].op != SAT_COND_HAS) {
			if ((rc = rep_need(s, c[i].path, e)) == SAT_OK)
				rc = rep_need_at(s, &c[i].at, e);
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
	sat_query q = { .columns = columns, .ncolumns = 2, .unordered = true,
		.kind = sat_template_kind(s->who->t, l->via->ref) };
	const sat_value *v;
	sat_rows *rows;
	sat_id id;
	sat_rc rc;

	l->map = sat_xcalloc(1, sizeof *l->map);
	if ((rc = sat_replica_query(&rows, s->c->replica, &q, e)) != SAT_OK)
		return rc;
	while ((rc = sat_rows_next(&v, rows, e)) == SAT_OK && v != NULL)
		if (rep_id_of(v[0], &id))
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
	rep_begin(&inner, s->c, s->who, s->a, c->has_kind, s->when,
	    SAT_GRANT_ALL);
	if ((rc = rep_need_field(&inner, c->has_ref, e)) == SAT_OK &&
	    (rc = rep_need_where(&inner, c->has, c->nhas, e)) == SAT_OK &&
	    (rc = rep_open(&inner, e)) == SAT_OK)
		while ((rc = rep_next(&inner, &more, e)) == SAT_OK && more)
			if (rep_holds(&inner, c->has, c->nhas) &&
			    rep_id_of(rep_field(&inner, c->has_ref), &id))
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

static sat_rc
load_voided(rep_source *s, sat_err *e)
{
	const sat_standard *st = sat_template_standard(s->who->t);

	return s->kind->id >= SAT_VIRTUAL_FIRST ? SAT_OK :
	    crm_voided_load(&s->voided, s->c, s->kind, st->kind == s->kind ?
	    st->time : NULL, s->when->until_ms, e);
}

static bool
is_voided(const rep_source *s)
{
	sat_id id;

	return s->voided.n > 0 && (id = rep_id(s), crm_voided_has(&s->voided,
	    &id));
}

sat_rc
rep_open(rep_source *s, sat_err *e)
{
	sat_query q = { .kind = s->kind, .unordered = true };
	sat_rc rc = need_owners(s, e);

	if (rc == SAT_OK)
		rc = load_voided(s, e);
	if (rc == SAT_OK && s->def != NULL)
		rc = rep_need_lets(s, e);
	for (size_t i = 0; i < s->nlinks && rc == SAT_OK; i++)
		rc = load_link(s, &s->links[i], e);
	for (size_t i = 0; i < s->nhas && rc == SAT_OK; i++)
		rc = load_has(s, &s->has[i], e);
	if (rc == SAT_OK && s->def != NULL)
		rc = rep_load_lets(s, e);
	if (rc != SAT_OK)
		return rc;
	if (s->kind->id >= SAT_VIRTUAL_FIRST)
		return rep_make_rows(s, e);
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
	for (size_t i = 0; i < SAT_REPORT_LETS_MAX; i++)
		rep_events_free(&s->events[i]);
	rep_events_free(&s->stages);
	crm_voided_free(&s->voided);
	sat_grading_free(s->grading);
	rep_made_free(s->made);
	rep_writes_free(s->writes);
	sat_rows_free(s->rows);
	s->grading = NULL;
	s->made = NULL;
	s->writes = NULL;
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

sat_value
rep_named(const rep_source *s, const char *key)
{
	const sat_field *f = sat_kind_field(s->kind, key);

	return f != NULL ? rep_field(s, f) : sat_v_null();
}

sat_id
rep_id(const rep_source *s)
{
	sat_id id = { { 0 } };

	(void)rep_id_of(s->row[0], &id);
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

	if (!rep_id_of(rep_field(s, via), &id))
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
	sat_value v;

	if (p.let != NULL)
		return s->lets[p.let->index];
	if (p.via == NULL)
		return p.field != NULL ? rep_field(s, p.field) : sat_v_null();
	v = p.field != NULL ? linked(s, p.via, p.field) : rep_field(s, p.via);
	return p.team ? team_of(s, v) : v;
}

/* Instants of "all" lie at the ends of time and stay there. */
static int64_t
shifted(int64_t t, int64_t by)
{
	if (t == INT64_MAX || t == INT64_MIN)
		return t;
	if (__builtin_add_overflow(t, by, &t))
		return by > 0 ? INT64_MAX : INT64_MIN;
	return t;
}

bool
rep_at(int64_t *out, const rep_source *s, const sat_report_at *at)
{
	const sat_report_let *lets[2] = { at->plus, at->minus };
	sat_value v;

	switch (at->base) {
	case SAT_BASE_NUMBER:
		*out = at->n;
		break;
	case SAT_BASE_PATH:
		v = rep_path(s, at->path);
		if (v.type != SAT_V_INT)
			return false;
		*out = v.i;
		break;
	case SAT_BASE_START:
		*out = s->when->period.from_ms;
		break;
	case SAT_BASE_END:
		*out = s->when->period.to_ms;
		break;
	case SAT_BASE_AS_OF:
		*out = s->when->as_of_ms;
		break;
	}
	*out = shifted(*out, at->shift);
	for (int i = 0; i < 2; i++) {
		if (lets[i] == NULL)
			continue;
		v = s->lets[lets[i]->index];
		if (v.type != SAT_V_INT)
			return false;
		*out = shifted(*out, i == 0 ? v.i : -v.i);
	}
	return true;
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

static bool
compares(const rep_source *s, const sat_report_cond *c, sat_value v)
{
	int64_t at;

	if (v.type != SAT_V_INT || !rep_at(&at, s, &c->at))
		return false;
	return c->op == SAT_COND_LT ? v.i < at : c->op == SAT_COND_LE ?
	    v.i <= at : v.i >= at;
}

static bool
holds(const rep_source *s, const sat_report_cond *c)
{
	sat_value v = c->op == SAT_COND_HAS ? sat_v_null() :
	    rep_path(s, c->path);

	switch (c->op) {
	case SAT_COND_IN:
		return among(c, v);
	case SAT_COND_NOT_IN:
		return !among(c, v);
	case SAT_COND_SET:
		return v.type != SAT_V_NULL;
	case SAT_COND_UNSET:
		return v.type == SAT_V_NULL;
	case SAT_COND_LABEL:
		return v.type == SAT_V_TEXT && sat_span_eq(v.s,
		    sat_span_str(s->when->period.label));
	case SAT_COND_LT:
	case SAT_COND_LE:
	case SAT_COND_GE:
		return compares(s, c, v);
	case SAT_COND_HAS:
		return has(s, c);
	}
	return false;
}

bool
rep_holds(const rep_source *s, const sat_report_cond *c, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!holds(s, &c[i]))
			return false;
	return true;
}

static bool
may_see(const rep_source *s)
{
	const sat_kind *k = s->kind, *root;
	sat_value own = sat_v_null(), of_root = sat_v_null();

	if (s->grant == SAT_GRANT_ALL || k->scope == SAT_SCOPE_SHARED)
		return true; /* shared: everybody holds it */
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
		if (s->made != NULL)
			(void)rep_made_next(s);
		else if (s->writes != NULL)
			(void)rep_writes_next(s);
		else if ((rc = sat_rows_next(&s->row, s->rows, e)) != SAT_OK)
			return rc;
	} while (s->row != NULL && (is_voided(s) || !may_see(s)));
	*more = s->row != NULL;
	if (*more && s->def != NULL)
		rep_compute_lets(s);
	return SAT_OK;
}
