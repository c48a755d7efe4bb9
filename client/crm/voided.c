/*
 * voided.c - rows that were taken back: neither the row that takes another back
 * ("voids") nor that other one is business that was done (requirements §5), so
 * no report sees them, nobody has a grade or a place in the lifecycle by them.
 * As of T both stand when it happened later.
 */
#include "client/crm/crm_int.h"

#include <stdlib.h>
#include <string.h>

/* The field by which a row takes another one of its kind back. */
static const sat_field *
voids_of(const sat_kind *k)
{
	const sat_field *f = sat_kind_field(k, "voids");

	return f != NULL && f->type == SAT_F_REF && f->ref != NULL &&
	    strcmp(f->ref, k->key) == 0 ? f : NULL;
}

static void
add(crm_voided *x, const sat_value *id)
{
	if (x->n == x->cap) {
		x->cap = x->cap * 2 + 16;
		x->ids = sat_xrealloc(x->ids, x->cap * sizeof *x->ids);
	}
	memcpy(x->ids[x->n++].b, id->s.p, sizeof x->ids->b);
}

static int
by_id(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(sat_id));
}

sat_rc
crm_voided_load(crm_voided *x, sat_crm *c, const sat_kind *k,
    const sat_field *time, int64_t until_ms, sat_err *e)
{
	/* not "has a value": a bound is what an index is entered at */
	sat_value any = sat_v_bytes(sat_span_of("", 1));
	sat_filter f = { 0, SAT_CMP_GE, &any, 1 };
	uint16_t columns[3] = { SAT_Q_ID };
	sat_query q = { .kind = k, .filters = &f, .nfilters = 1,
		.columns = columns, .ncolumns = 2, .unordered = true };
	const sat_field *voids = voids_of(k);
	const sat_value *v;
	sat_rows *rows;
	sat_rc rc;

	*x = (crm_voided){ 0 };
	if (voids == NULL)
		return SAT_OK;
	f.field = columns[1] = voids->id;
	if (time != NULL)
		columns[q.ncolumns++] = time->id;
	if ((rc = sat_replica_query(&rows, c->replica, &q, e)) != SAT_OK)
		return rc;
	while ((rc = sat_rows_next(&v, rows, e)) == SAT_OK && v != NULL) {
		if (v[1].type != SAT_V_BYTES || v[1].s.n != sizeof(sat_id))
			continue;
		add(x, &v[0]);
		if (time == NULL || crm_time(v[2]) < until_ms)
			add(x, &v[1]);
	}
	sat_rows_free(rows);
	if (x->n > 1)
		qsort(x->ids, x->n, sizeof *x->ids, by_id);
	return rc;
}

bool
crm_voided_has(const crm_voided *x, const sat_id *id)
{
	return x->n > 0 &&
	    bsearch(id, x->ids, x->n, sizeof *x->ids, by_id) != NULL;
}

void
crm_voided_free(crm_voided *x)
{
	free(x->ids);
	*x = (crm_voided){ 0 };
}
