/*
 * drill.c - the records behind a number: the same run, the same filters, and
 * then the records instead of their sum.
 *
 * Of a frozen number too they are the present ones, as they are not kept in it:
 * which of them came later is said of each.
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
	sat_json *frozen;      /* body of the same question; NULL: not frozen */
	crm_rows rows;         /* of it */
	crm_members was;       /* behind them */
	uint32_t shared;       /* measures it has too; 0: nothing is known */
} drill;

static uint32_t
node_bits(const sat_report_node *n, const uint32_t *bits)
{
	uint32_t mask = 0;

	if (n->what == SAT_NODE_MEASURE)
		return bits[n->measure];
	for (size_t i = 0; i < n->nargs; i++)
		mask |= node_bits(&n->args[i], bits);
	return mask;
}

/* The bits of a measure: its place in the definition; of a formula those of its
 * parts, which stand before it. */
static uint32_t
bits_of(const sat_report_def *def, const char *key)
{
	uint32_t bits[SAT_REPORT_MEASURES_MAX] = { 0 };

	for (size_t i = 0; i < def->nmeasures; i++) {
		const sat_report_measure *m = &def->measures[i];

		bits[i] = m->formula != NULL ? node_bits(m->formula, bits) :
		    i < 32 ? (uint32_t)1 << i : 0;
		if (strcmp(m->key, key) == 0)
			return bits[i];
	}
	return 0;
}

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
	*mask = bits_of(&def, key);
	sat_report_def_fini(&def);
	return *mask != 0 ? SAT_OK : sat_fail_code(e, SAT_EUSAGE,
	    "report.measure", NULL, "the report has no measure \"%.40s\"",
	    key);
}

/* "late": it is not in the numbers that are frozen. Of one that adds to none of
 * these there is nothing to say. */
static void
put_late(sat_json *o, const drill *x, const crm_group *was, const crm_member *m)
{
	const crm_member *then = crm_group_find(was, m);
	uint32_t asked = m->mask & x->mask & x->shared;

	if (asked != 0)
		sat_json_put_bool(o, "late",
		    then == NULL || (then->mask & asked) == 0);
}

static sat_rc
add_record(drill *x, const crm_member *m, const char *group,
    const crm_group *was, sat_err *e)
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
		put_late(o, x, was, m);
		sat_json_add(x->data, o);
	}
	sat_arena_fini(&a);
	return rc == SAT_ENOTFOUND ? SAT_OK : rc;
}

static sat_rc
add_row(drill *x, size_t at, const sat_json *row, sat_err *e)
{
	const crm_group *g = crm_members_row(&x->now, at), *was = NULL;
	const crm_row *then;
	sat_buf key = { 0 };
	sat_rc rc = SAT_OK;

	crm_row_key(&key, sat_json_get(x->doc, "columns"), row);
	if (x->group == NULL || strcmp(x->group, sat_buf_cstr(&key)) == 0) {
		x->found = true;
		then = crm_rows_find(&x->rows, sat_buf_cstr(&key));
		if (then != NULL)
			was = crm_members_row(&x->was, then->at);
		for (size_t i = 0; g != NULL && i < g->n && rc == SAT_OK; i++)
			if ((g->m[i].mask & x->mask) != 0)
				rc = add_record(x, &g->m[i],
				    sat_buf_cstr(&key), was, e);
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
	if (x->group != NULL && crm_rows_find(&x->rows, x->group) != NULL)
		x->found = true; /* all of it went elsewhere since */
	if (rc == SAT_OK && !x->found && x->group != NULL)
		rc = sat_fail_code(e, SAT_ENOTFOUND, "report.group",
		    "the keys of the row's dimensions, joined by a comma",
		    "the report has no row \"%.60s\"", x->group);
	return rc;
}

/* Other dimensions make other rows: there is nothing to look a row up in. */
static bool
same_dims(const sat_json *a, const sat_json *b)
{
	const sat_json *x = sat_json_first(a), *y = sat_json_first(b);

	for (;; x = sat_json_next(x), y = sat_json_next(y)) {
		while (x != NULL && !crm_col_is_key(x))
			x = sat_json_next(x);
		while (y != NULL && !crm_col_is_key(y))
			y = sat_json_next(y);
		if (x == NULL || y == NULL)
			return x == y;
		if (strcmp(sat_json_get_str(x, "key", ""),
		    sat_json_get_str(y, "key", "")) != 0)
			return false;
	}
}

/* What is frozen, and which records are behind it. */
static sat_rc
read_frozen(drill *x, const crm_freezing *q, const sat_view *v, sat_err *e)
{
	sat_buf text = { 0 };
	sat_rc rc;

	crm_frozen_join(&text, v, "body", CRM_BODY_PARTS);
	rc = sat_json_parse(&x->frozen, sat_buf_span(&text), 0, e);
	if (rc == SAT_OK && same_dims(sat_json_get(x->frozen, "columns"),
	    sat_json_get(x->doc, "columns"))) {
		crm_rows_of(&x->rows, x->frozen);
		sat_buf_reset(&text);
		crm_frozen_join(&text, v, "members", CRM_MEMBER_PARTS);
		if (text.n > 0 && (rc = crm_members_read(&x->was,
		    sat_buf_span(&text), e)) == SAT_OK)
			x->shared = crm_members_share(&x->was,
			    sat_json_get(x->frozen, "definition"), NULL,
			    crm_definition(q->who.t, q->report));
	}
	sat_buf_fini(&text);
	return rc;
}

/* The frozen numbers of this question, when there are some. */
static sat_rc
find_frozen(drill *x, sat_json *doc, const char *key, const sat_report_opts *o,
    sat_err *e)
{
	crm_freezing q;
	char id_text[SAT_ID_TEXT];
	sat_view v;
	sat_id id;
	sat_rc rc;

	if ((rc = crm_freezing_begin(&q, x->c, key, o, e)) == SAT_OK &&
	    (rc = crm_freezing_find(&id, &q, e)) == SAT_OK &&
	    (rc = sat_replica_get(&v, &q.a, x->c->replica, q.kind, &id, e)) ==
	    SAT_OK) {
		sat_id_text(id_text, &id);
		sat_json_put_str(doc, "frozen_id", id_text);
		if (!crm_other_question(&q, o))
			rc = read_frozen(x, &q, &v, e);
	}
	sat_arena_fini(&q.a);
	return rc == SAT_ENOTFOUND ? SAT_OK : rc;
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
		if ((rc = find_frozen(&x, doc, key, o, e)) == SAT_OK)
			rc = fill(&x, e);
		sat_json_put_int(doc, "total", x.total);
	}
	if (rc == SAT_OK) {
		*out = doc;
		doc = NULL;
	}
	sat_json_free(doc);
	sat_json_free(run);
	crm_rows_fini(&x.rows);
	sat_json_free(x.frozen);
	crm_members_fini(&x.was);
	crm_members_fini(&x.now);
	return rc;
}
