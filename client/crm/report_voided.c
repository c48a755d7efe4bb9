/*
 * Rows that were taken back: neither the row that takes another back ("voids")
 * nor that other one is business that was done (requirements §5), so no report
 * sees them. As of T both stand when it happened later.
 */
#include "client/crm/report_int.h"

#include <string.h>

/* The field by which a row takes another one of its kind back. */
static const sat_field *
voids_of(const sat_kind *k)
{
	const sat_field *f = k->id >= SAT_VIRTUAL_FIRST ? NULL :
	    sat_kind_field(k, "voids");

	return f != NULL && f->type == SAT_F_REF && f->ref != NULL &&
	    strcmp(f->ref, k->key) == 0 ? f : NULL;
}

sat_rc
rep_load_voided(rep_source *s, sat_err *e)
{
	const sat_standard *st = sat_template_standard(s->who->t);
	sat_filter f = { 0, SAT_CMP_NOT_NULL, NULL, 0 };
	uint16_t columns[2];
	sat_query q = { .kind = s->kind, .filters = &f, .nfilters = 1,
		.columns = columns, .ncolumns = 1, .unordered = true };
	const sat_value *v;
	sat_rows *rows;
	sat_id id;
	sat_rc rc;

	if ((s->voids = voids_of(s->kind)) == NULL)
		return SAT_OK;
	f.field = columns[0] = s->voids->id;
	if (st->kind == s->kind && st->time != NULL)
		columns[q.ncolumns++] = st->time->id;
	if ((rc = rep_need_field(s, s->voids, e)) != SAT_OK ||
	    (rc = sat_replica_query(&rows, s->c->replica, &q, e)) != SAT_OK)
		return rc;
	while ((rc = sat_rows_next(&v, rows, e)) == SAT_OK && v != NULL)
		if (rep_id_of(v[0], &id) && (q.ncolumns == 1 ||
		    crm_time(v[1]) < s->when->until_ms))
			rep_events_add(&s->voided, &id, 0, 1);
	sat_rows_free(rows);
	rep_events_sort(&s->voided);
	return rc;
}

bool
rep_is_voided(const rep_source *s)
{
	sat_id id;
	size_t from;

	if (s->voids == NULL)
		return false;
	if (rep_id_of(rep_field(s, s->voids), &id))
		return true;
	if (s->voided.n == 0)
		return false;
	id = rep_id(s);
	return rep_events_of(&from, &s->voided, &id) > from;
}
