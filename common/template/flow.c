/* flows/<key>.json; docs/templates.md, "Flows". */
#include "common/template/flow.h"

#include <stdio.h>
#include <string.h>

#include "common/template/template_int.h"

#define DAY_MS 86400000ll

/* ---- reading ---------------------------------------------------------------- */

static void
read_items(walk *w, sat_template *t, const sat_json *n, sat_flow_step *s)
{
	const sat_json *m = sat_walk_array(w, n, "checklist", SAT_FLOW_ITEMS_MAX,
	    &s->nitems);
	sat_flow_item *v = sat_arena_alloc(&t->arena, (s->nitems + 1) *
	    sizeof *v);
	size_t i = 0, mark;

	for (m = sat_json_first(m); m != NULL && w->rc == SAT_OK;
	    m = sat_json_next(m), i++) {
		mark = sat_walk_enter(w, "checklist", i);
		sat_walk_members(w, m, "key label required");
		v[i].key = sat_walk_text(w, m, "key", true);
		if (w->rc == SAT_OK && !sat_key_ok(v[i].key))
			sat_walk_fault(w, "'key' is no key");
		sat_walk_label(w, m, "label", &v[i].zh, &v[i].en);
		v[i].required = sat_walk_bool(w, m, "required");
		sat_walk_leave(w, mark);
	}
	s->items = v;
}

static void
read_needs(walk *w, sat_template *t, const sat_json *n, const sat_kind *k,
    sat_flow_step *s)
{
	const char *const *keys = sat_walk_texts(w, n, "fields", &t->arena,
	    &s->nneeds);

	s->needs = sat_arena_alloc(&t->arena, (s->nneeds + 1) *
	    sizeof *s->needs);
	for (size_t i = 0; w->rc == SAT_OK && i < s->nneeds; i++) {
		s->needs[i] = sat_kind_field(k, keys[i]);
		if (s->needs[i] == NULL)
			sat_walk_fault(w, "%s has no field '%.40s'", k->key,
			    keys[i]);
	}
}

static void
read_entry(walk *w, sat_template *t, const sat_json *root, const sat_kind *k,
    sat_flow_step *s)
{
	const sat_json *n = sat_json_get(root, "entry");
	const char *enforce;
	size_t mark;

	if (n == NULL || w->rc != SAT_OK)
		return;
	mark = sat_walk_enter(w, "entry", SIZE_MAX);
	sat_walk_members(w, n, "fields follow_within_d checklist enforce");
	read_needs(w, t, n, k, s);
	s->follow_within_d = (int)sat_walk_int(w, n, "follow_within_d", 0, 0,
	    3650);
	s->checklist_before = sat_walk_bool(w, n, "checklist");
	enforce = sat_walk_text(w, n, "enforce", false);
	s->refuse = enforce != NULL && strcmp(enforce, "refuse") == 0;
	if (w->rc == SAT_OK && enforce != NULL && !s->refuse &&
	    strcmp(enforce, "flag") != 0)
		sat_walk_fault(w, "'enforce' must be refuse or flag");
	sat_walk_leave(w, mark);
}

static void
read_stage(walk *w, const sat_json *n, const sat_kind *k, sat_flow_step *s)
{
	s->stage = sat_walk_text(w, n, "stage", false);
	if (w->rc == SAT_OK && s->stage != NULL && (k->stage == NULL ||
	    sat_dict_option(k->stage->dict, s->stage, strlen(s->stage)) ==
	    NULL))
		sat_walk_fault(w, "%s has no stage '%.40s'", k->key, s->stage);
}

static void
read_optional_label(walk *w, const sat_json *n, const char *key,
    const char **zh, const char **en)
{
	*zh = *en = NULL;
	if (sat_json_get(n, key) != NULL)
		sat_walk_label(w, n, key, zh, en);
}

static void
read_step(walk *w, sat_template *t, const sat_json *n, const sat_kind *k,
    sat_flow_step *s)
{
	sat_walk_members(w, n, "key label text role stage required entry "
	    "checklist approval kpi limit_d note");
	s->key = sat_walk_text(w, n, "key", true);
	if (w->rc == SAT_OK && !sat_key_ok(s->key))
		sat_walk_fault(w, "'key' is no key");
	sat_walk_label(w, n, "label", &s->zh, &s->en);
	read_optional_label(w, n, "text", &s->text_zh, &s->text_en);
	read_optional_label(w, n, "kpi", &s->kpi_zh, &s->kpi_en);
	s->role = sat_walk_text(w, n, "role", false);
	s->approval = sat_walk_text(w, n, "approval", false);
	s->required = sat_walk_bool(w, n, "required");
	s->limit_d = (int)sat_walk_int(w, n, "limit_d", 0, 0, 3650);
	read_stage(w, n, k, s);
	read_items(w, t, n, s);
	read_entry(w, t, n, k, s);
}

static int
rank_of(const sat_kind *k, const sat_flow_step *s)
{
	const sat_option *o = s->stage == NULL || k->stage == NULL ? NULL :
	    sat_dict_option(k->stage->dict, s->stage, strlen(s->stage));

	return o != NULL ? o->rank : 0;
}

/* A pack adds its steps behind the base's: the stages tell where they belong.
 * What has no stage stays behind the step before it. */
static void
in_order(const sat_kind *k, sat_flow_step *v, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		sat_flow_step s = v[i];
		size_t at = i;

		while (s.stage != NULL && at > 0 && v[at - 1].stage != NULL &&
		    rank_of(k, &v[at - 1]) > rank_of(k, &s)) {
			v[at] = v[at - 1];
			at--;
		}
		v[at] = s;
	}
}

static void
read_flow(walk *w, sat_template *t, const sat_json *root, sat_flow *f)
{
	const sat_json *m;
	sat_flow_step *v;
	const char *kind;
	size_t i = 0, mark;

	sat_walk_members(w, root, "key version label purpose kind steps note");
	f->key = sat_walk_text(w, root, "key", true);
	f->version = sat_walk_text(w, root, "version", true);
	sat_walk_label(w, root, "label", &f->zh, &f->en);
	read_optional_label(w, root, "purpose", &f->purpose_zh, &f->purpose_en);
	kind = sat_walk_text(w, root, "kind", true);
	f->kind = w->rc == SAT_OK ? sat_template_kind(t, kind) : NULL;
	if (w->rc == SAT_OK && f->kind == NULL)
		sat_walk_fault(w, "unknown kind '%.40s'", kind);
	m = sat_walk_array(w, root, "steps", SAT_FLOW_STEPS_MAX, &f->nsteps);
	v = sat_arena_alloc(&t->arena, (f->nsteps + 1) * sizeof *v);
	memset(v, 0, (f->nsteps + 1) * sizeof *v);
	for (m = sat_json_first(m); m != NULL && w->rc == SAT_OK;
	    m = sat_json_next(m), i++) {
		mark = sat_walk_enter(w, "steps", i);
		read_step(w, t, m, f->kind, &v[i]);
		sat_walk_leave(w, mark);
	}
	if (w->rc == SAT_OK)
		in_order(f->kind, v, f->nsteps);
	f->steps = v;
}

sat_rc
sat_template_load_flows(sat_template *t, sat_err *e)
{
	const char *path;
	size_t n = 0;

	while (sat_template_path(t, "flows/", n) != NULL)
		n++;
	if (n > SAT_FLOWS_MAX)
		return sat_fail_code(e, SAT_EINVALID, "template.invalid", NULL,
		    "flows/: more than %d", SAT_FLOWS_MAX);
	t->flows = sat_arena_alloc(&t->arena, (n + 1) * sizeof *t->flows);
	memset(t->flows, 0, (n + 1) * sizeof *t->flows);
	for (size_t i = 0; (path = sat_template_path(t, "flows/", i)) != NULL;
	    i++) {
		walk w = { .t = t, .path = path, .e = e };

		read_flow(&w, t, sat_template_doc(t, path), &t->flows[i]);
		if (w.rc != SAT_OK)
			return w.rc;
		t->nflows = i + 1;
	}
	return SAT_OK;
}

size_t
sat_flows(const sat_template *t)
{
	return t->nflows;
}

const sat_flow *
sat_flow_at(const sat_template *t, size_t i)
{
	return i < t->nflows ? &t->flows[i] : NULL;
}

const sat_flow *
sat_flow_of(const sat_template *t, const sat_kind *k)
{
	for (size_t i = 0; i < t->nflows; i++)
		if (t->flows[i].kind == k)
			return &t->flows[i];
	return NULL;
}

const sat_flow_step *
sat_flow_step_of(const sat_template *t, const sat_kind *k, const char *stage)
{
	const sat_flow *f = sat_flow_of(t, k);

	for (size_t i = 0; f != NULL && i < f->nsteps; i++)
		if (f->steps[i].stage != NULL &&
		    strcmp(f->steps[i].stage, stage) == 0)
			return &f->steps[i];
	return NULL;
}

/* ---- asking ------------------------------------------------------------------ */

bool
sat_set_text_has(sat_value set, const char *step, const char *item)
{
	char want[2 * TEMPLATE_KEY_MAX + 4];
	sat_span rest;
	size_t n;

	n = (size_t)snprintf(want, sizeof want, "%s.%s", step, item);
	if (set.type != SAT_V_TEXT || n >= sizeof want)
		return false;
	rest = set.s;
	while (rest.n > 0) {
		const uint8_t *lf = memchr(rest.p, '\n', rest.n);
		size_t len = lf != NULL ? (size_t)(lf - rest.p) : rest.n;

		if (len == n && memcmp(rest.p, want, n) == 0)
			return true;
		len += lf != NULL;
		rest = sat_span_of(rest.p + len, rest.n - len);
	}
	return false;
}

static bool
checked(const sat_flow *f, const sat_flow_step *s, sat_getter get, void *u)
{
	const sat_field *list = sat_kind_field(f->kind, "checklist");

	for (size_t i = 0; list != NULL && i < s->nitems; i++)
		if (s->items[i].required && !sat_set_text_has(get(u, list),
		    s->key, s->items[i].key))
			return false;
	return true;
}

const char *
sat_flow_entry_lacks(const sat_field **field, const sat_flow *f,
    const sat_flow_step *step, sat_getter get, void *u, int64_t last_follow_ms,
    int64_t now_ms)
{
	*field = NULL;
	for (size_t i = 0; i < step->nneeds; i++)
		if (get(u, step->needs[i]).type == SAT_V_NULL) {
			*field = step->needs[i];
			return "entry.fields";
		}
	if (step->follow_within_d > 0 && now_ms > 0 &&
	    last_follow_ms < now_ms - step->follow_within_d * DAY_MS)
		return "entry.follow";
	if (step->checklist_before && step > f->steps &&
	    !checked(f, step - 1, get, u))
		return "entry.checklist";
	return NULL;
}
