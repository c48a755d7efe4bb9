/* policy/grading.json, policy/sla.json, policy/lifecycle.json,
 * policy/committee.json, policy/service_by_grade.json. */
#include "common/template/template_int.h"

#include <string.h>

#define GRADING "policy/grading.json"
#define SLA "policy/sla.json"
#define LIFECYCLE "policy/lifecycle.json"
#define COMMITTEE "policy/committee.json"
#define SERVICE "policy/service_by_grade.json"
#define STEPS_MAX 16
#define DAYS_MAX 3660

/* The grade a member names must be an option of dict/grade.json. */
static const char *
grade_of(walk *w, const sat_json *n)
{
	const sat_dict *d = sat_template_dict(w->t, "grade");
	const char *g = sat_walk_text(w, n, "grade", true);

	if (w->rc == SAT_OK && (d == NULL ||
	    sat_dict_option(d, g, strlen(g)) == NULL))
		sat_walk_fault(w, "unknown grade '%.40s'", g);
	return g;
}

static const sat_field *
field_of(walk *w, const sat_json *n, const char *member, const sat_kind *k)
{
	const char *key = sat_walk_text(w, n, member, true);
	const sat_field *f = w->rc == SAT_OK ? sat_kind_field(k, key) : NULL;

	if (w->rc == SAT_OK && f == NULL)
		sat_walk_fault(w, "%s has no field '%.40s'", k->key, key);
	return f;
}

static void
read_basis(walk *w, sat_standard *s, const sat_json *n)
{
	const char *kind;
	size_t mark = sat_walk_enter(w, "basis", SIZE_MAX);

	sat_walk_members(w, n, "kind sum time days");
	kind = sat_walk_text(w, n, "kind", true);
	s->kind = w->rc == SAT_OK ? sat_template_kind(w->t, kind) : NULL;
	if (w->rc == SAT_OK && (s->kind == NULL || s->kind->parent == NULL))
		sat_walk_fault(w, "'%.40s' is no kind below a customer", kind);
	if (w->rc == SAT_OK)
		s->sum = field_of(w, n, "sum", s->kind);
	if (w->rc == SAT_OK)
		s->time = field_of(w, n, "time", s->kind);
	if (w->rc == SAT_OK && (s->sum->type != SAT_F_MONEY ||
	    (s->time->type != SAT_F_TIME && s->time->type != SAT_F_DATE)))
		sat_walk_fault(w, "'sum' must be money, 'time' a time");
	s->days = (int)sat_walk_int(w, n, "days", 365, 1, DAYS_MAX);
	sat_walk_leave(w, mark);
}

static void
read_steps(walk *w, sat_template *t, sat_standard *s, const sat_json *root)
{
	size_t n, i = 0;
	const sat_json *m = sat_walk_array(w, root, "thresholds", STEPS_MAX, &n);

	s->steps = sat_arena_alloc(&t->arena, (n + 1) * sizeof *s->steps);
	for (m = sat_json_first(m); m != NULL && w->rc == SAT_OK;
	     m = sat_json_next(m), i++) {
		size_t mark = sat_walk_enter(w, "thresholds", i);

		sat_walk_members(w, m, "grade min");
		s->steps[i].grade = grade_of(w, m);
		s->steps[i].min = sat_walk_int(w, m, "min", 0, 0, INT64_MAX / 2);
		if (i > 0 && s->steps[i].min >= s->steps[i - 1].min)
			sat_walk_fault(w, "'min' must descend");
		sat_walk_leave(w, mark);
		s->nsteps = i + 1;
	}
}

static void
read_grading(sat_template *t, sat_standard *s, walk *w)
{
	const sat_json *root = sat_template_doc(t, GRADING), *abc;

	if (root == NULL)
		return;
	sat_walk_members(w, root, "note method override_d basis thresholds abc");
	s->method_abc = strcmp(sat_json_get_str(root, "method", "threshold"),
	    "abc") == 0;
	s->override_d = (int)sat_walk_int(w, root, "override_d", 0, 0, DAYS_MAX);
	read_basis(w, s, sat_json_get(root, "basis"));
	if (w->rc == SAT_OK)
		read_steps(w, t, s, root);
	abc = sat_json_get(root, "abc");
	if (w->rc != SAT_OK || abc == NULL)
		return;
	sat_walk_members(w, abc, "a_pct b_pct a b c");
	s->a_pct = (int)sat_walk_int(w, abc, "a_pct", 80, 1, 100);
	s->b_pct = (int)sat_walk_int(w, abc, "b_pct", 95, 1, 100);
	s->abc[0] = sat_walk_text(w, abc, "a", true);
	s->abc[1] = sat_walk_text(w, abc, "b", true);
	s->abc[2] = sat_walk_text(w, abc, "c", true);
}

static void
read_sla(sat_template *t, sat_standard *s, walk *w)
{
	const sat_json *root = sat_template_doc(t, SLA), *m;
	size_t n, i = 0;

	if (root == NULL)
		return;
	sat_walk_members(w, root, "note rules quiet_status repeat_contact_d");
	s->repeat_contact_d = (int)sat_walk_int(w, root, "repeat_contact_d", 0,
	    0, DAYS_MAX);
	s->quiet = sat_walk_texts(w, root, "quiet_status", &t->arena,
	    &s->nquiet);
	m = sat_walk_array(w, root, "rules", STEPS_MAX, &n);
	s->rules = sat_arena_alloc(&t->arena, (n + 1) * sizeof *s->rules);
	for (m = sat_json_first(m); m != NULL && w->rc == SAT_OK;
	     m = sat_json_next(m), i++) {
		sat_sla *r = &s->rules[i];
		size_t mark = sat_walk_enter(w, "rules", i);

		*r = (sat_sla){ .grade = NULL };
		sat_walk_members(w, m, "grade first_response_h follow_d "
		    "later_follow_d later_after_d visit_d escalate_d note");
		if (sat_json_get(m, "grade") != NULL)
			r->grade = grade_of(w, m);
		r->first_response_h = (int)sat_walk_int(w, m,
		    "first_response_h", 0, 0, 24 * DAYS_MAX);
		r->follow_d = (int)sat_walk_int(w, m, "follow_d", 0, 0, DAYS_MAX);
		r->later_follow_d = (int)sat_walk_int(w, m, "later_follow_d", 0,
		    0, DAYS_MAX);
		r->later_after_d = (int)sat_walk_int(w, m, "later_after_d", 0, 0,
		    DAYS_MAX);
		r->escalate_d = (int)sat_walk_int(w, m, "escalate_d", 0, 0,
		    DAYS_MAX);
		sat_walk_leave(w, mark);
		s->nrules = i + 1;
	}
}

/* Its orders are those that grades are made of; without them it is not known
 * where a customer stands. */
static void
read_lifecycle(sat_template *t, sat_standard *s, walk *w)
{
	const sat_json *root = sat_template_doc(t, LIFECYCLE);

	if (root == NULL)
		return;
	sat_walk_members(w, root, "note new_d window_d");
	s->life_new_d = (int)sat_walk_int(w, root, "new_d", 90, 1, DAYS_MAX);
	s->life_window_d = (int)sat_walk_int(w, root, "window_d", 365, 1,
	    DAYS_MAX);
}

/* Every text has to be an option of the dictionary. */
static void
options_of(walk *w, const char *name, const char *const *v, size_t n)
{
	const sat_dict *d = sat_template_dict(w->t, name);

	for (size_t i = 0; i < n && w->rc == SAT_OK; i++)
		if (d == NULL || sat_dict_option(d, v[i], strlen(v[i])) == NULL)
			sat_walk_fault(w, "'%.40s' is no option of dict/%s", v[i],
			    name);
}

static void
read_committee(sat_template *t, sat_standard *s, walk *w)
{
	const sat_json *root = sat_template_doc(t, COMMITTEE);

	if (root == NULL)
		return;
	sat_walk_members(w, root, "note roles party_kinds");
	s->committee = sat_walk_texts(w, root, "roles", &t->arena,
	    &s->ncommittee);
	s->committee_of = sat_walk_texts(w, root, "party_kinds", &t->arena,
	    &s->ncommittee_of);
	options_of(w, "contact_role", s->committee, s->ncommittee);
	options_of(w, "party_kind", s->committee_of, s->ncommittee_of);
}

/* Only checked here; read again where a record is shown. */
static void
check_service(sat_template *t, walk *w)
{
	const sat_json *root = sat_template_doc(t, SERVICE), *m, *x;
	size_t n, i = 0;

	if (root == NULL)
		return;
	sat_walk_members(w, root, "note grades");
	m = sat_walk_array(w, root, "grades", STEPS_MAX, &n);
	for (m = sat_json_first(m); m != NULL && w->rc == SAT_OK;
	     m = sat_json_next(m), i++) {
		const char *zh, *en;
		size_t mark = sat_walk_enter(w, "grades", i), k;

		sat_walk_members(w, m, "grade services");
		(void)grade_of(w, m);
		x = sat_walk_array(w, m, "services", 32, &k);
		for (x = sat_json_first(x); x != NULL && w->rc == SAT_OK;
		     x = sat_json_next(x)) {
			sat_walk_members(w, x, "key label");
			(void)sat_walk_text(w, x, "key", true);
			sat_walk_label(w, x, "label", &zh, &en);
		}
		sat_walk_leave(w, mark);
	}
}

sat_rc
sat_template_load_standard(sat_template *t, sat_err *e)
{
	walk g = { .t = t, .path = GRADING, .e = e };
	walk s = { .t = t, .path = SLA, .e = e };
	walk l = { .t = t, .path = LIFECYCLE, .e = e };
	walk m = { .t = t, .path = COMMITTEE, .e = e };
	walk v = { .t = t, .path = SERVICE, .e = e };

	read_grading(t, &t->standard, &g);
	if (g.rc != SAT_OK)
		return g.rc;
	read_sla(t, &t->standard, &s);
	if (s.rc != SAT_OK)
		return s.rc;
	read_lifecycle(t, &t->standard, &l);
	if (l.rc != SAT_OK)
		return l.rc;
	read_committee(t, &t->standard, &m);
	if (m.rc != SAT_OK)
		return m.rc;
	check_service(t, &v);
	return v.rc;
}

const sat_standard *
sat_template_standard(const sat_template *t)
{
	return &t->standard;
}

sat_value
sat_grade_typed(sat_value typed, sat_value until, int64_t now_ms)
{
	return until.type == SAT_V_INT && until.i <= now_ms ? sat_v_null() :
	    typed;
}

const sat_sla *
sat_standard_sla(const sat_standard *s, const char *grade)
{
	for (size_t i = 0; i < s->nrules; i++)
		if ((s->rules[i].grade == NULL) == (grade == NULL) &&
		    (grade == NULL || strcmp(s->rules[i].grade, grade) == 0))
			return &s->rules[i];
	return NULL;
}
