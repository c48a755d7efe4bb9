/*
 * drill.c - the records behind a number: the same run, the same filters, and
 * then the records instead of their sum.
 */
#include "client/crm/freeze_int.h"

#include <string.h>

#define LIMIT_DEFAULT 500

typedef struct drill {
	sat_crm *c;
	const sat_json *doc;   /* the run */
	crm_members now;
	const char *group;     /* NULL = all rows */
	uint32_t mask;         /* measures that are asked for */
	int64_t limit, total;
	sat_json *data;
	bool found;            /* the row */
} drill;

/* The bit of a measure: its place in the definition. */
static sat_rc
measure_bit(uint32_t *mask, const sat_crm *c, const char *report,
    const char *key, sat_err *e)
{
	sat_report_def def;
	sat_rc rc;

	*mask = UINT32_MAX;
	if (key == NULL)
		return SAT_OK;
	if ((rc = sat_report_def_load(sat_replica_template(c->replica), report,
	    &def, e)) != SAT_OK)
		return rc;
	*mask = 0;
	for (size_t i = 0; i < def.nmeasures && i < 32; i++)
		if (strcmp(def.measures[i].key, key) == 0)
			*mask = (uint32_t)1 << i;
	sat_report_def_fini(&def);
	return *mask != 0 ? SAT_OK : sat_fail_code(e, SAT_EUSAGE,
	    "report.measure", NULL, "the report has no measure \"%.40s\"",
	    key);
}

static sat_rc
add_record(drill *x, const crm_member *m, const char *group, sat_err *e)
{
	sat_arena a = { 0 };
	sat_json *o;
	sat_view v;
	sat_rc rc;

	x->total++;
	if ((int64_t)sat_json_count(x->data) >= x->limit)
		return SAT_OK;
	rc = sat_replica_get(&v, &a, x->c->replica, m->kind, &m->id, e);
	if (rc == SAT_OK) {
		o = sat_crm_json(x->c, &v, false);
		sat_json_put_str(o, "record", m->kind->key);
		sat_json_put_str(o, "group", group);
		sat_json_add(x->data, o);
	}
	sat_arena_fini(&a);
	return rc == SAT_ENOTFOUND ? SAT_OK : rc;
}

static sat_rc
add_row(drill *x, size_t at, const sat_json *row, sat_err *e)
{
	const crm_group *g = crm_members_row(&x->now, at);
	sat_buf key = { 0 };
	sat_rc rc = SAT_OK;

	crm_row_key(&key, sat_json_get(x->doc, "columns"), row);
	if (x->group == NULL || strcmp(x->group, sat_buf_cstr(&key)) == 0) {
		x->found = true;
		for (size_t i = 0; g != NULL && i < g->n && rc == SAT_OK; i++)
			if ((g->m[i].mask & x->mask) != 0)
				rc = add_record(x, &g->m[i],
				    sat_buf_cstr(&key), e);
	}
	sat_buf_fini(&key);
	return rc;
}

static sat_rc
fill(drill *x, sat_err *e)
{
	size_t at = 0;
	sat_rc rc = SAT_OK;

	for (const sat_json *r = sat_json_first(sat_json_get(x->doc, "rows"));
	     r != NULL && rc == SAT_OK; r = sat_json_next(r))
		rc = add_row(x, at++, r, e);
	if (rc == SAT_OK && !x->found && x->group != NULL)
		rc = sat_fail_code(e, SAT_ENOTFOUND, "report.group",
		    "the keys of the row's dimensions, joined by a comma",
		    "the report has no row \"%.60s\"", x->group);
	return rc;
}

sat_rc
sat_crm_report_rows(sat_json **out, sat_crm *c, const char *key,
    const sat_report_opts *o, const char *group, const char *measure,
    int64_t limit, sat_err *e)
{
	static const char *const same[] = { "report", "template", "period",
		"as_of", "tz" };
	drill x = { .c = c, .group = group,
		.limit = limit > 0 ? limit : LIMIT_DEFAULT };
	sat_json *run = NULL, *doc = NULL;
	sat_rc rc;

	*out = NULL;
	if ((rc = crm_members_run(&run, &x.now, c, key, o, NULL, e)) == SAT_OK &&
	    (rc = measure_bit(&x.mask, c, key, measure, e)) == SAT_OK) {
		x.doc = run;
		doc = sat_json_obj();
		sat_json_put_str(doc, "schema", "satchel/report.rows/1");
		for (size_t i = 0; i < sizeof same / sizeof same[0]; i++)
			sat_json_put(doc, same[i], sat_json_dup(sat_json_get(
			    run, same[i])));
		sat_json_put_str(doc, "group", group);
		sat_json_put_str(doc, "measure", measure);
		x.data = sat_json_put_arr(doc, "data");
		rc = fill(&x, e);
		sat_json_put_int(doc, "total", x.total);
	}
	if (rc == SAT_OK) {
		*out = doc;
		doc = NULL;
	}
	sat_json_free(doc);
	sat_json_free(run);
	crm_members_fini(&x.now);
	return rc;
}
