/*
 * policy/pool.json: pools[] {key, label, members, hidden_fields, daily_claim,
 * hold_limit, prev_owner_cooldown_d, new_entry_protect_d, auto_reclaim,
 * reclaim_hour, offline_grace_d, lease_max, lease_hours, reclaim[] {grade,
 * no_follow_d, warn_before_d}}.
 */
#include "common/template/pool.h"
#include "common/template/template_int.h"

#include <string.h>

#define PATH "policy/pool.json"
#define DAY_MS 86400000ll
#define DAYS_MAX 3650

const sat_kind *
sat_pool_kind(const sat_template *t)
{
	const sat_kind *k = sat_template_kind(t, "account");

	return k != NULL && k->owner != NULL && k->scope == SAT_SCOPE_ROOT ? k :
	    NULL;
}

/* ---- loading --------------------------------------------------------------- */

static void
load_hidden(sat_pool *p, walk *w, const sat_json *n, sat_template *t)
{
	const sat_kind *k = sat_pool_kind(t);
	const char *const *keys;
	size_t count = 0;

	keys = sat_walk_texts(w, n, "hidden_fields", &t->arena, &count);
	if (count > SAT_POOL_HIDDEN_MAX) {
		sat_walk_fault(w, "'hidden_fields' has more than %d",
		    SAT_POOL_HIDDEN_MAX);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		const sat_field *f = k != NULL ? sat_kind_field(k, keys[i]) :
		    NULL;

		if (f == NULL || f == k->owner ||
		    strcmp(f->key, "number") == 0)
			sat_walk_fault(w, "'hidden_fields': %s cannot be hidden",
			    keys[i]);
		else
			p->hidden[p->nhidden++] = f;
	}
}

/* A grade that a pack does not have has no customers: no fault. */
static void
load_rule(sat_pool_rule *r, walk *w, const sat_json *n)
{
	sat_walk_members(w, n, "grade no_follow_d warn_before_d note");
	r->grade = sat_walk_text(w, n, "grade", false);
	r->no_follow_d = (int)sat_walk_int(w, n, "no_follow_d", 0, 1, DAYS_MAX);
	r->warn_before_d = (int)sat_walk_int(w, n, "warn_before_d", 0, 0,
	    DAYS_MAX);
	if (r->no_follow_d == 0)
		sat_walk_fault(w, "'no_follow_d' is missing");
}

static void
load_rules(sat_pool *p, walk *w, const sat_json *n, sat_template *t)
{
	const sat_json *list = sat_walk_array(w, n, "reclaim", 32,
	    &p->nreclaim), *one;
	size_t i = 0, mark;

	p->reclaim = sat_arena_alloc(&t->arena,
	    (p->nreclaim + 1) * sizeof *p->reclaim);
	for (one = list != NULL ? sat_json_first(list) : NULL; one != NULL;
	    one = sat_json_next(one), i++) {
		mark = sat_walk_enter(w, "reclaim", i);
		load_rule(&p->reclaim[i], w, one);
		sat_walk_leave(w, mark);
	}
}

static void
load_pool(sat_pool *p, walk *w, const sat_json *n, sat_template *t)
{
	const char *zh, *en;

	memset(p, 0, sizeof *p);
	sat_walk_members(w, n, "key label members hidden_fields daily_claim "
	    "hold_limit prev_owner_cooldown_d new_entry_protect_d auto_reclaim "
	    "reclaim_hour offline_grace_d lease_max lease_hours reclaim note");
	p->key = sat_walk_text(w, n, "key", true);
	sat_walk_label(w, n, "label", &zh, &en);
	if (w->rc == SAT_OK && !sat_key_ok(p->key))
		sat_walk_fault(w, "'key' is no key");
	p->members = sat_walk_texts(w, n, "members", &t->arena, &p->nmembers);
	load_hidden(p, w, n, t);
	p->daily_claim = (int)sat_walk_int(w, n, "daily_claim", 20, 0, 100000);
	p->hold_limit = (int)sat_walk_int(w, n, "hold_limit", 200, 0, 1000000);
	p->prev_owner_cooldown_d = (int)sat_walk_int(w, n,
	    "prev_owner_cooldown_d", 7, 0, DAYS_MAX);
	p->new_entry_protect_d = (int)sat_walk_int(w, n, "new_entry_protect_d",
	    0, 0, DAYS_MAX);
	p->auto_reclaim = sat_walk_bool(w, n, "auto_reclaim");
	p->reclaim_hour = (int)sat_walk_int(w, n, "reclaim_hour", 2, 0, 23);
	p->offline_grace_d = (int)sat_walk_int(w, n, "offline_grace_d", 7, 0,
	    DAYS_MAX);
	p->lease_max = (int)sat_walk_int(w, n, "lease_max", 10, 0, 1000);
	p->lease_hours = (int)sat_walk_int(w, n, "lease_hours", 24, 1, 24 * 31);
	load_rules(p, w, n, t);
}

sat_rc
sat_template_load_pools(sat_template *t, sat_err *e)
{
	walk w = { .t = t, .path = PATH, .e = e };
	const sat_json *root = sat_template_doc(t, PATH), *list, *one;
	size_t i = 0, mark;

	if (root == NULL)
		return SAT_OK;
	sat_walk_members(&w, root, "pools note");
	list = sat_walk_array(&w, root, "pools", SAT_POOLS_MAX, &t->npools);
	t->pools = sat_arena_alloc(&t->arena,
	    (t->npools + 1) * sizeof *t->pools);
	if (t->npools > 0 && sat_pool_kind(t) == NULL)
		sat_walk_fault(&w, "there are no customers with an owner");
	for (one = list != NULL ? sat_json_first(list) : NULL;
	    one != NULL && w.rc == SAT_OK; one = sat_json_next(one), i++) {
		mark = sat_walk_enter(&w, "pools", i);
		load_pool(&t->pools[i], &w, one, t);
		for (size_t k = 0; k < i && w.rc == SAT_OK; k++)
			if (strcmp(t->pools[k].key, t->pools[i].key) == 0)
				sat_walk_fault(&w, "pool %s is there twice",
				    t->pools[k].key);
		sat_walk_leave(&w, mark);
	}
	return w.rc;
}

/* ---- asking ------------------------------------------------------------------ */

size_t
sat_pools(const sat_template *t)
{
	return t->npools;
}

const sat_pool *
sat_pool_at(const sat_template *t, size_t i)
{
	return i < t->npools ? &t->pools[i] : NULL;
}

sat_span
sat_pool_key_of(sat_span v)
{
	const uint8_t *lf = v.n > 0 ? memchr(v.p, '\n', v.n) : NULL;

	return lf == NULL ? v : sat_span_of(v.p, (size_t)(lf - v.p));
}

sat_span
sat_pool_reason_of(sat_span v)
{
	size_t n = sat_pool_key_of(v).n;

	return n == v.n ? (sat_span){ NULL, 0 } :
	    sat_span_of(v.p + n + 1, v.n - n - 1);
}

const sat_pool *
sat_pool_by_key(const sat_template *t, sat_span key)
{
	key = sat_pool_key_of(key);
	for (size_t i = 0; i < t->npools; i++)
		if (sat_span_eq(key, sat_span_str(t->pools[i].key)))
			return &t->pools[i];
	return NULL;
}

bool
sat_pool_member(const sat_pool *p, const char *team)
{
	for (size_t i = 0; i < p->nmembers; i++)
		if (strcmp(p->members[i], "*") == 0 ||
		    (team != NULL && strcmp(p->members[i], team) == 0))
			return true;
	return false;
}

static bool
is_text(sat_value v, const char *text)
{
	return v.type == SAT_V_TEXT && sat_span_eq(v.s, sat_span_str(text));
}

sat_pool_facts
sat_pool_facts_of(const sat_kind *k, sat_value (*value)(void *u,
    const sat_field *f), void *u, int64_t had_ms, int64_t now_ms)
{
	const sat_field *grade = sat_kind_field(k, "grade");
	const sat_field *until = sat_kind_field(k, "grade_until");
	const sat_field *last = sat_kind_field(k, "last_follow_at");
	const sat_field *status = sat_kind_field(k, "status");
	sat_pool_facts f = { .last_ms = had_ms };
	sat_value v;

	if (grade != NULL && (v = sat_grade_typed(value(u, grade),
	    until != NULL ? value(u, until) : sat_v_null(), now_ms)).type ==
	    SAT_V_TEXT)
		f.grade = v.s;
	if (last != NULL && (v = value(u, last)).type == SAT_V_INT &&
	    v.i > f.last_ms)
		f.last_ms = v.i;
	if (status != NULL)
		f.exempt = is_text(value(u, status), "won");
	if (k->stage != NULL)
		f.exempt = f.exempt || is_text(value(u, k->stage), "won");
	return f;
}

static const sat_pool_rule *
rule_for(const sat_pool *p, sat_span grade)
{
	const sat_pool_rule *any = NULL;

	for (size_t i = 0; i < p->nreclaim; i++) {
		const sat_pool_rule *r = &p->reclaim[i];

		if (r->grade == NULL)
			any = r;
		else if (sat_span_eq(grade, sat_span_str(r->grade)))
			return r;
	}
	return any;
}

const sat_pool_rule *
sat_pool_due(int64_t *due_ms, const sat_pool **pool, const sat_template *t,
    const char *team, const sat_pool_facts *f)
{
	*due_ms = 0;
	*pool = NULL;
	for (size_t i = 0; i < t->npools && !f->exempt; i++) {
		const sat_pool_rule *r = rule_for(&t->pools[i], f->grade);

		if (r == NULL || !sat_pool_member(&t->pools[i], team))
			continue;
		*pool = &t->pools[i];
		*due_ms = f->last_ms + r->no_follow_d * DAY_MS;
		return r;
	}
	return NULL;
}
