/*
 * Records that may be the one a person is about to make again: by the
 * template's duplicate keys, in their normal forms. What only looks alike is
 * named, never refused for good: a reason lets it pass.
 */
#include "client/crm/crm_int.h"

typedef struct found {
	sat_id ids[64];
	size_t n;
} found;

static bool
collect(void *u, const sat_id *id)
{
	found *f = u;

	for (size_t i = 0; i < f->n; i++) /* two that were merged */
		if (sat_id_eq(&f->ids[i], id))
			return true;
	f->ids[f->n++] = *id;
	return f->n < sizeof f->ids / sizeof f->ids[0];
}

sat_rc
crm_find(sat_id *ids, size_t max, size_t *n, crm_work *w, const sat_kind *k,
    const sat_field *f, sat_value v, sat_err *e)
{
	found hits = { .n = 0 };
	sat_view view;
	sat_rc rc;

	*n = 0;
	rc = sat_replica_match(w->c->replica, k, f, v, collect, &hits, e);
	for (size_t i = 0; i < hits.n && rc == SAT_OK && *n < max; i++) {
		rc = sat_replica_get(&view, w->a, w->c->replica, k,
		    &hits.ids[i], e);
		if (rc == SAT_OK && !view.rec.deleted)
			ids[(*n)++] = hits.ids[i];
		else if (rc == SAT_ENOTFOUND)
			rc = SAT_OK;
	}
	return rc;
}

static bool
listed(const sat_duplicate *dup, size_t n, const sat_id *id)
{
	for (size_t i = 0; i < n; i++)
		if (sat_id_eq(&dup[i].id, id))
			return true;
	return false;
}

/* The heaviest key first: it is the one a person should look at. */
static const sat_field *
next_key(const sat_kind *k, const sat_field *after)
{
	const sat_field *best = NULL;

	for (size_t i = 0; i < k->nfields; i++) {
		const sat_field *f = &k->fields[i];

		if (f->dup_weight <= 0 || (after != NULL &&
		    (f->dup_weight > after->dup_weight ||
		    (f->dup_weight == after->dup_weight && f <= after))))
			continue;
		if (best == NULL || f->dup_weight > best->dup_weight)
			best = f;
	}
	return best;
}

sat_rc
crm_duplicates(sat_duplicate dup[SAT_DUPLICATES_MAX], size_t *n, crm_work *w,
    sat_err *e)
{
	const sat_field *f = NULL;
	sat_id ids[SAT_DUPLICATES_MAX];
	size_t got;
	sat_rc rc;

	*n = 0;
	while ((f = next_key(w->kind, f)) != NULL) {
		sat_value v = crm_after(w, f);

		if (v.type == SAT_V_NULL)
			continue;
		if ((rc = crm_find(ids, SAT_DUPLICATES_MAX, &got, w, w->kind, f,
		    v, e)) != SAT_OK)
			return rc;
		for (size_t i = 0; i < got && *n < SAT_DUPLICATES_MAX; i++)
			if (!listed(dup, *n, &ids[i]))
				dup[(*n)++] = (sat_duplicate){ ids[i], f->key };
	}
	return SAT_OK;
}
