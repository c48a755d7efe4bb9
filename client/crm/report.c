/*
 * The door of reports: who may run one, over what, compared with what. The
 * result is a pure function of the records, the period, the as-of instant, the
 * time zone and the document: the same operations give the same bytes.
 */
#include "client/crm/report_int.h"

#include "client/crm/report.h"

#include <stdlib.h>
#include <string.h>

typedef struct run {
	sat_crm *c;
	crm_actor who;
	sat_arena a;
	sat_report_def def;
	rep_param params[REP_PARAMS_MAX];
	size_t nparams;
	rep_pass now, before;
	bool compares;
	const char *compared; /* "prev", "yoy", "baseline" */
} run;

/* ---- filters ------------------------------------------------------------------- */

static sat_rc
read_param(sat_value *v, run *r, const sat_field *f, sat_span text, sat_err *e)
{
	const char *code;
	crm_work w;
	sat_rc rc;

	crm_work_begin(&w, r->c, &r->who, &r->a, r->def.kind, NULL);
	if ((rc = crm_read(v, &code, &w, f, text, e)) != SAT_OK)
		return rc;
	if (code != NULL || v->type == SAT_V_NULL)
		return sat_fail_code(e, SAT_EUSAGE, "report.param", NULL,
		    "no such value of %s", f->key);
	return SAT_OK;
}

/* "variant": of the procedure a record was made under, "sales@1.1". A pilot with
 * another way of working gives its flow another version, so both run side by
 * side in one report (docs/decisions). */
static const char *
said(const char *key)
{
	return strcmp(key, "variant") == 0 ? "sop" : key;
}

/* A field; else the owner of the record, or of the customer it belongs to, and
 * his team. */
static sat_rc
param_path(sat_report_path *p, const run *r, const sat_kind *k,
    const char *key, sat_err *e)
{
	bool team = strcmp(key, "team") == 0;
	const sat_kind *root = k->parent == NULL ? NULL :
	    sat_template_kind(r->who.t, k->parent->ref);

	memset(p, 0, sizeof *p);
	if ((p->field = sat_kind_field(k, said(key))) != NULL)
		return SAT_OK;
	if (team || strcmp(key, "owner") == 0) {
		p->team = team;
		if (k->owner != NULL) {
			p->via = team ? k->owner : NULL;
			p->field = team ? NULL : k->owner;
			return SAT_OK;
		}
		if (root != NULL && root->owner != NULL) {
			p->via = k->parent;
			p->field = root->owner;
			return SAT_OK;
		}
	}
	if (strcmp(key, "variant") == 0)
		return sat_fail_code(e, SAT_EUSAGE, "report.variant",
		    "split by team, or ask a report about opportunities",
		    "%s keeps no procedure it was made under", k->key);
	return sat_fail_code(e, SAT_EUSAGE, "report.param", NULL,
	    "%s cannot be filtered by '%.40s'", k->key, key);
}

static sat_rc
add_param(run *r, const char *text, sat_err *e)
{
	const char *eq = strchr(text, '=');
	sat_span value;
	size_t i = 0;
	rep_param *p;
	char *key;
	sat_rc rc = SAT_OK;

	if (eq == NULL)
		return sat_fail_code(e, SAT_EUSAGE, "report.param", NULL,
		    "a filter is key=value");
	value = sat_span_of(eq + 1, strlen(eq + 1));
	key = sat_arena_str(&r->a, text, (size_t)(eq - text));
	while (i < r->nparams && strcmp(r->params[i].key, key) != 0)
		i++;
	p = &r->params[i];
	if (i == REP_PARAMS_MAX || p->n == REP_PARAMS_MAX)
		return sat_fail_code(e, SAT_EUSAGE, "report.param", NULL,
		    "too many filters");
	p->key = key;
	for (size_t s = 0; s < r->def.nsources && rc == SAT_OK; s++)
		rc = param_path(&p->paths[s], r, r->def.sources[s].kind, key, e);
	if (rc != SAT_OK)
		return rc;
	if (i == r->nparams)
		r->nparams++;
	if (p->paths[0].team) {
		p->values[p->n++] = sat_v_text(value);
		return SAT_OK;
	}
	return read_param(&p->values[p->n++], r, p->paths[0].field, value, e);
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* A filter's values as texts that mean the same to everybody. */
static size_t
param_texts(const char **out, sat_arena *a, const run *r, const rep_param *p)
{
	sat_buf b = { 0 };

	for (size_t i = 0; i < p->n; i++) {
		sat_buf_reset(&b);
		sat_buf_str(&b, p->key);
		sat_buf_str(&b, "=");
		if (p->paths[0].team)
			sat_buf_add(&b, p->values[i].s.p, p->values[i].s.n);
		else
			sat_field_format(&b, r->who.t, p->paths[0].field,
			    p->values[i], NULL);
		out[i] = sat_arena_str(a, sat_buf_cstr(&b), b.n);
	}
	sat_buf_fini(&b);
	return p->n;
}

sat_rc
rep_params(const char *const **out, size_t *n, sat_arena *a, sat_crm *c,
    const char *key, const sat_report_opts *o, sat_err *e)
{
	const char **v = sat_arena_alloc(a, (o->nparams + 1) * sizeof *v);
	run r = { .c = c };
	size_t all = 0;
	sat_rc rc;

	*out = v;
	*n = 0;
	if ((rc = crm_actor_get(&r.who, c, e)) != SAT_OK ||
	    (rc = sat_report_def_load(r.who.t, key, &r.def, e)) != SAT_OK)
		return rc;
	for (size_t i = 0; i < o->nparams && rc == SAT_OK; i++)
		rc = add_param(&r, o->params[i], e);
	for (size_t i = 0; i < r.nparams && rc == SAT_OK; i++)
		all += param_texts(v + all, a, &r, &r.params[i]);
	if (all > 1)
		qsort(v, all, sizeof *v, by_text);
	for (size_t i = 0; i < all; i++)
		if (i == 0 || strcmp(v[i], v[i - 1]) != 0)
			v[(*n)++] = v[i];
	sat_report_def_fini(&r.def);
	sat_arena_fini(&r.a);
	return rc;
}

/* ---- what it is split by ------------------------------------------------------------ */

/* A field of the record; else of the customer it belongs to; else as a filter
 * finds its owner and his team. */
static sat_rc
dim_path(sat_report_path *p, const run *r, const sat_kind *k, const char *key,
    sat_err *e)
{
	const sat_kind *root = k->parent == NULL ? NULL :
	    sat_template_kind(r->who.t, k->parent->ref);

	memset(p, 0, sizeof *p);
	if (sat_kind_field(k, key) == NULL && root != NULL &&
	    strcmp(key, "owner") != 0 &&
	    (p->field = sat_kind_field(root, key)) != NULL) {
		p->via = k->parent;
		return SAT_OK;
	}
	return param_path(p, r, k, key, e);
}

/* What has few values and is nobody's secret. */
static bool
may_split(const sat_field *f)
{
	return f->mask == NULL && (f->type == SAT_F_ENUM ||
	    f->type == SAT_F_TEXT || f->type == SAT_F_BOOL ||
	    f->type == SAT_F_INT || f->type == SAT_F_USER);
}

static sat_rc
choose_dim(run *r, const char *key, size_t i, sat_err *e)
{
	sat_rc rc = SAT_OK;

	for (size_t s = 0; s < r->def.nsources && rc == SAT_OK; s++) {
		sat_report_dim *d = &r->def.sources[s].dims[i];
		sat_report_path path;

		if ((rc = dim_path(&path, r, r->def.sources[s].kind, key, e)) !=
		    SAT_OK)
			return rc;
		if (!path.team && !may_split(path.field))
			return sat_fail_code(e, SAT_EUSAGE, "report.by", NULL,
			    "a report cannot be split by %s", key);
		*d = (sat_report_dim){ .key = key, .path = path,
			.zh = path.team ? "团队" : path.field->zh,
			.en = path.team ? "Team" : path.field->en,
			.dict = path.team ? NULL : path.field->dict };
	}
	return rc;
}

/* Instead of the document's own. */
static sat_rc
choose_dims(run *r, const char *by, sat_err *e)
{
	size_t n = 0, len;
	sat_rc rc;

	for (const char *at = by; *at != '\0'; at += len + (at[len] == ',')) {
		len = strcspn(at, ",");
		if (n == SAT_REPORT_DIMS_MAX)
			return sat_fail_code(e, SAT_EUSAGE, "report.by", NULL,
			    "a report is split by at most %d fields",
			    SAT_REPORT_DIMS_MAX);
		if ((rc = choose_dim(r, sat_arena_str(&r->a, at, len), n++,
		    e)) != SAT_OK)
			return rc;
	}
	r->def.ndims = n;
	return SAT_OK;
}

/* ---- what it is compared with ----------------------------------------------------- */

/* How often the definition is run, and over what: "prev", "yoy", or any period
 * as a baseline. */
static sat_rc
choose_before(run *r, const char *compare, sat_err *e)
{
	static const char *const words[] = { "none", "prev", "yoy" };
	const sat_period *now = &r->now.when.period;
	int tz = sat_template_tz_min(r->who.t);
	sat_period *p = &r->before.when.period;
	sat_rc rc;

	if (compare == NULL)
		compare = words[r->def.compare];
	r->compared = compare;
	if (strcmp(compare, "none") == 0)
		return SAT_OK;
	if (strcmp(compare, "prev") == 0) {
		r->compares = sat_period_prev(p, now, tz);
	} else if (strcmp(compare, "yoy") == 0) {
		r->compares = sat_period_year_ago(p, now, tz);
	} else {
		if ((rc = sat_period_parse(p, compare, tz, e)) != SAT_OK)
			return rc;
		r->compared = "baseline";
		r->compares = true;
	}
	r->before.when.as_of_ms = p->all ? r->now.when.as_of_ms : p->to_ms;
	r->before.when.calendar = r->now.when.calendar;
	return SAT_OK;
}

/* ---- the door ------------------------------------------------------------------------- */

static sat_rc
may_run(sat_grant *grant, const run *r, sat_err *e)
{
	const char *role = r->who.me->role;
	bool listed = r->def.nroles == 0;

	for (size_t i = 0; i < r->def.nroles; i++)
		listed = listed || strcmp(r->def.roles[i], role) == 0;
	*grant = sat_acl(r->who.t, role, "report");
	if (listed && *grant != SAT_GRANT_NO)
		return SAT_OK;
	return sat_fail_code(e, SAT_EDENIED, "permission.denied", NULL,
	    "role %.20s may not run the report %.40s", role, r->def.key);
}

static void
pass_begin(rep_pass *p, run *r, sat_grant grant, const rep_tap *tap)
{
	p->c = r->c;
	p->who = &r->who;
	p->a = &r->a;
	p->def = &r->def;
	p->params = r->params;
	p->nparams = r->nparams;
	p->grant = grant;
	p->tap = tap;
}

static sat_rc
set_up(run *r, sat_grant grant, const sat_report_opts *o, const rep_tap *tap,
    sat_err *e)
{
	rep_when *w = &r->now.when;
	sat_rc rc = sat_period_parse(&w->period,
	    o->period != NULL ? o->period : "all",
	    sat_template_tz_min(r->who.t), e);

	if (rc != SAT_OK)
		return rc;
	/* What is still to come was not missed yet. */
	w->as_of_ms = o->as_of_ms != 0 ? o->as_of_ms :
	    w->period.to_ms < r->who.now_ms ? w->period.to_ms :
	    r->who.now_ms;
	w->until_ms = o->as_of_ms != 0 ? o->as_of_ms : INT64_MAX;
	w->calendar = *sat_template_calendar(r->who.t);
	if ((rc = choose_before(r, o->compare, e)) != SAT_OK)
		return rc;
	r->before.when.until_ms = w->until_ms;
	for (size_t i = 0; i < o->nparams && rc == SAT_OK; i++)
		rc = add_param(r, o->params[i], e);
	if (rc == SAT_OK && o->by != NULL)
		rc = choose_dims(r, o->by, e);
	pass_begin(&r->now, r, grant, tap);
	pass_begin(&r->before, r, grant, NULL);
	return rc;
}

static sat_rc
go(run *r, sat_err *e)
{
	sat_rc rc;

	if (r->compares) {
		if ((rc = rep_scan(&r->before, e)) != SAT_OK)
			return rc;
		rep_finish(&r->before);
	}
	if ((rc = rep_scan(&r->now, e)) != SAT_OK)
		return rc;
	if (r->compares)
		rep_adopt_groups(&r->now, &r->before);
	rep_finish(&r->now);
	return SAT_OK;
}

sat_rc
sat_crm_report_judge(sat_crm *c, const char *key, const sat_report_opts *o,
    sat_err *e)
{
	run r = { .c = c };
	sat_grant grant;
	sat_rc rc;

	if ((rc = crm_actor_get(&r.who, c, e)) != SAT_OK ||
	    (rc = sat_report_def_load(r.who.t, key, &r.def, e)) != SAT_OK)
		return rc;
	if ((rc = may_run(&grant, &r, e)) == SAT_OK)
		rc = set_up(&r, grant, o, NULL, e);
	rep_pass_fini(&r.now);
	rep_pass_fini(&r.before);
	sat_report_def_fini(&r.def);
	sat_arena_fini(&r.a);
	return rc;
}

sat_rc
rep_run(sat_json **out, sat_crm *c, const char *key, const sat_report_opts *o,
    const rep_reach *reach, const rep_tap *tap, sat_err *e)
{
	static const sat_report_opts none;
	run r = { .c = c };
	sat_grant grant;
	sat_rc rc;

	*out = NULL;
	if ((rc = crm_actor_get(&r.who, c, e)) != SAT_OK ||
	    (rc = sat_report_def_load(r.who.t, key, &r.def, e)) != SAT_OK)
		return rc;
	if ((rc = may_run(&grant, &r, e)) == SAT_OK && reach != NULL) {
		r.who.me = &reach->viewer;
		grant = reach->grant;
	}
	if (rc == SAT_OK &&
	    (rc = set_up(&r, grant, o != NULL ? o : &none, tap, e)) == SAT_OK &&
	    (rc = go(&r, e)) == SAT_OK)
		rc = rep_print(out, &r.now, r.compares ? &r.before : NULL,
		    r.compared, e);
	rep_pass_fini(&r.now);
	rep_pass_fini(&r.before);
	sat_report_def_fini(&r.def);
	sat_arena_fini(&r.a);
	return rc;
}

sat_rc
sat_crm_report(sat_json **out, sat_crm *c, const char *key,
    const sat_report_opts *o, sat_err *e)
{
	return rep_run(out, c, key, o, NULL, NULL, e);
}
