/*
 * policy/approval.json: routes[] {key, label, kind, states, ask, grades, where,
 * steps[] {roles, limit_d}}; docs/templates.md, "Approvals".
 */
#include "common/template/approval.h"

#include <stdio.h>
#include <string.h>

#include "common/template/template_int.h"

#define PATH "policy/approval.json"

/* ---- reading ---------------------------------------------------------------- */

static void
read_states(walk *w, const sat_json *n, sat_template *t, sat_approval_route *r)
{
	r->states = sat_walk_texts(w, n, "states", &t->arena, &r->nstates);
	r->ask = sat_walk_text(w, n, "ask", false);
	if (w->rc == SAT_OK && r->nstates == 0)
		sat_walk_fault(w, "'states' is empty");
	for (size_t i = 0; w->rc == SAT_OK && i <= r->nstates; i++) {
		const char *s = i < r->nstates ? r->states[i] : r->ask;

		if (s != NULL && sat_dict_option(r->kind->stage->dict, s,
		    strlen(s)) == NULL)
			sat_walk_fault(w, "%s has no state '%.40s'",
			    r->kind->key, s);
	}
}

static void
read_kind(walk *w, const sat_json *n, sat_template *t, sat_approval_route *r)
{
	const char *key = sat_walk_text(w, n, "kind", true);

	if (w->rc != SAT_OK)
		return;
	r->kind = sat_template_kind(t, key);
	r->approvals = r->kind != NULL ? sat_kind_field(r->kind, "approvals") :
	    NULL;
	if (r->kind == NULL || r->kind->stage == NULL ||
	    r->kind->stage->dict == NULL || r->approvals == NULL ||
	    r->approvals->policy != SAT_P_SET)
		sat_walk_fault(w, "'%.40s' is no kind with states and a set "
		    "'approvals'", key);
}

static void
read_steps(walk *w, const sat_json *n, sat_template *t, sat_approval_route *r)
{
	const sat_json *m = sat_walk_array(w, n, "steps", SAT_APPROVAL_STEPS_MAX,
	    &r->nsteps);
	sat_approval_step *v = sat_arena_alloc(&t->arena, (r->nsteps + 1) *
	    sizeof *v);
	size_t i = 0, mark;

	memset(v, 0, (r->nsteps + 1) * sizeof *v);
	for (m = sat_json_first(m); m != NULL && w->rc == SAT_OK;
	    m = sat_json_next(m), i++) {
		mark = sat_walk_enter(w, "steps", i);
		sat_walk_members(w, m, "roles limit_d note");
		v[i].roles = sat_walk_texts(w, m, "roles", &t->arena, &v[i].n);
		v[i].limit_d = (int)sat_walk_int(w, m, "limit_d", 0, 0, 365);
		for (size_t k = 0; w->rc == SAT_OK && k < v[i].n; k++)
			if (!sat_template_has_role(t, v[i].roles[k]))
				sat_walk_fault(w, "unknown role '%.40s'",
				    v[i].roles[k]);
		if (w->rc == SAT_OK && v[i].n == 0)
			sat_walk_fault(w, "'roles' is empty");
		sat_walk_leave(w, mark);
	}
	r->steps = v;
}

/* A grade that a pack does not have has no customers: no fault. */
static void
read_route(walk *w, const sat_json *n, sat_template *t, sat_approval_route *r)
{
	sat_walk_members(w, n,
	    "key label kind states ask grades where steps note");
	r->key = sat_walk_text(w, n, "key", true);
	sat_walk_label(w, n, "label", &r->zh, &r->en);
	read_kind(w, n, t, r);
	if (w->rc != SAT_OK)
		return;
	read_states(w, n, t, r);
	r->grades = sat_walk_texts(w, n, "grades", &t->arena, &r->ngrades);
	r->where = sat_walk_conds(w, n, "where", r->kind, &t->arena, &r->nwhere);
	read_steps(w, n, t, r);
}

sat_rc
sat_template_load_approvals(sat_template *t, sat_err *e)
{
	walk w = { .t = t, .path = PATH, .e = e };
	const sat_json *root = sat_template_doc(t, PATH), *m;
	size_t n = 0, i = 0, mark;

	if (root == NULL)
		return SAT_OK;
	sat_walk_members(&w, root, "note routes");
	m = sat_walk_array(&w, root, "routes", SAT_APPROVAL_ROUTES_MAX, &n);
	t->routes = sat_arena_alloc(&t->arena, (n + 1) * sizeof *t->routes);
	memset(t->routes, 0, (n + 1) * sizeof *t->routes);
	for (m = sat_json_first(m); m != NULL && w.rc == SAT_OK;
	    m = sat_json_next(m), i++) {
		mark = sat_walk_enter(&w, "routes", i);
		read_route(&w, m, t, &t->routes[i]);
		sat_walk_leave(&w, mark);
	}
	t->nroutes = w.rc == SAT_OK ? n : 0;
	return w.rc;
}

size_t
sat_approval_routes(const sat_template *t)
{
	return t->nroutes;
}

const sat_approval_route *
sat_approval_route_at(const sat_template *t, size_t i)
{
	return i < t->nroutes ? &t->routes[i] : NULL;
}

/* ---- asking ------------------------------------------------------------------ */

static bool
among(const char *const *list, size_t n, sat_span s)
{
	for (size_t i = 0; i < n; i++)
		if (sat_span_eq(sat_span_str(list[i]), s))
			return true;
	return false;
}

bool
sat_approval_guards(const sat_template *t, const sat_kind *k, sat_value state)
{
	for (size_t i = 0; state.type == SAT_V_TEXT && i < t->nroutes; i++)
		if (t->routes[i].kind == k && among(t->routes[i].states,
		    t->routes[i].nstates, state.s))
			return true;
	return false;
}

const sat_approval_route *
sat_approval_route_of(const sat_template *t, const sat_kind *k, sat_span grade,
    sat_getter get, void *u)
{
	for (size_t i = 0; i < t->nroutes; i++) {
		const sat_approval_route *r = &t->routes[i];

		if (r->kind == k && (r->ngrades == 0 || among(r->grades,
		    r->ngrades, grade)) &&
		    sat_conds_hold(r->where, r->nwhere, get, u))
			return r;
	}
	return NULL;
}

static int64_t
version_of(const sat_kind *k, sat_getter get, void *u)
{
	const sat_field *f = sat_kind_field(k, "version");
	sat_value v = f != NULL ? get(u, f) : sat_v_null();

	return v.type == SAT_V_INT ? v.i : 1;
}

void
sat_approval_text(char out[SAT_APPROVAL_TEXT], const sat_kind *k,
    const char *role, const char *user, sat_getter get, void *u)
{
	(void)snprintf(out, SAT_APPROVAL_TEXT, "%.40s:%.64s#%lld", role, user,
	    (long long)version_of(k, get, u));
}

/* One element: of the role, for this version, by whomever. */
static bool
is_of(sat_span e, const char *role, int64_t version)
{
	char tail[32];
	size_t n = strlen(role), tn = (size_t)snprintf(tail, sizeof tail,
	    "#%lld", (long long)version);

	return e.n > n + 1 + tn && memcmp(e.p, role, n) == 0 &&
	    e.p[n] == ':' && memcmp(e.p + e.n - tn, tail, tn) == 0;
}

bool
sat_approval_has(const sat_approval_route *r, const char *role, sat_getter get,
    void *u)
{
	sat_value set = get(u, r->approvals);
	int64_t version = version_of(r->kind, get, u);
	sat_span rest = set.type == SAT_V_TEXT ? set.s : sat_span_str("");

	while (rest.n > 0) {
		const uint8_t *lf = memchr(rest.p, '\n', rest.n);
		size_t len = lf != NULL ? (size_t)(lf - rest.p) : rest.n;

		if (is_of(sat_span_of(rest.p, len), role, version))
			return true;
		len += lf != NULL;
		rest = sat_span_of(rest.p + len, rest.n - len);
	}
	return false;
}

const sat_approval_step *
sat_approval_missing(const sat_approval_route *r, sat_getter get, void *u)
{
	for (size_t i = 0; i < r->nsteps; i++)
		for (size_t k = 0; k < r->steps[i].n; k++)
			if (!sat_approval_has(r, r->steps[i].roles[k], get, u))
				return &r->steps[i];
	return NULL;
}

static const sat_approval_route *
lacking(const sat_template *t, const sat_kind *k, sat_span grade,
    sat_getter get, void *u)
{
	const sat_approval_route *r = sat_approval_route_of(t, k, grade, get, u);

	return r != NULL && sat_approval_missing(r, get, u) != NULL ? r : NULL;
}

const sat_approval_route *
sat_approval_lacking(const sat_template *t, const sat_kind *k, sat_value said,
    sat_value typed, sat_getter get, void *u)
{
	const sat_approval_route *r = NULL;

	if (said.type != SAT_V_TEXT && typed.type != SAT_V_TEXT)
		return lacking(t, k, sat_span_str(""), get, u);
	if (said.type == SAT_V_TEXT)
		r = lacking(t, k, said.s, get, u);
	if (r == NULL && typed.type == SAT_V_TEXT)
		r = lacking(t, k, typed.s, get, u);
	return r;
}
