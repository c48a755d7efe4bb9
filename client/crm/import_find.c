/*
 * Is the record of a row there already? By id or key when the sheet has one; else
 * by the number, by what the sheet's source calls it (external_id), by the
 * template's duplicate keys. Two sources may call two things alike, so what was
 * found without a key that somebody named is looked at once more.
 */
#include "client/crm/import_int.h"

#include <string.h>

#define ALIKE_MAX 64 /* records with one external_id that are looked at */

/* ---- is it another one? ------------------------------------------------------------- */

static bool
same_value(const sat_field *f, sat_value a, sat_value b)
{
	return a.type == SAT_V_TEXT && b.type == SAT_V_TEXT ?
	    sat_norm_same(f->norm, a.s, b.s) : sat_value_eq(a, b);
}

/* Under another customer, wherever merges led it. */
static sat_rc
other_parent(bool *other, const crm_work *w, const sat_view *v, imp_job *j,
    sat_err *e)
{
	const sat_field *f = w->kind->parent;
	sat_value want, has;
	sat_id a, b;
	sat_rc rc;

	*other = false;
	if (f == NULL)
		return SAT_OK;
	want = crm_after(w, f);
	has = sat_record_value(&v->rec, f->id);
	if (want.type != SAT_V_BYTES || want.s.n != sizeof a.b ||
	    has.type != SAT_V_BYTES || has.s.n != sizeof b.b)
		return SAT_OK;
	memcpy(a.b, want.s.p, sizeof a.b);
	memcpy(b.b, has.s.p, sizeof b.b);
	if ((rc = sat_replica_canon(&a, j->c->replica, &a, e)) == SAT_OK &&
	    (rc = sat_replica_canon(&b, j->c->replica, &b, e)) == SAT_OK)
		*other = !sat_id_eq(&a, &b);
	return rc;
}

/* Unlike in every key that both have. */
static bool
unlike(const crm_work *w, const sat_view *v)
{
	bool any = false;

	for (size_t i = 0; i < w->kind->nfields; i++) {
		const sat_field *f = &w->kind->fields[i];
		sat_value is = crm_after(w, f);
		sat_value has = sat_record_value(&v->rec, f->id);

		if (f->dup_weight <= 0 || is.type == SAT_V_NULL ||
		    has.type == SAT_V_NULL)
			continue;
		if (same_value(f, is, has))
			return false;
		any = true;
	}
	return any;
}

static sat_rc
is_another(bool *another, const crm_work *w, const sat_view *v, imp_job *j,
    sat_err *e)
{
	sat_rc rc = other_parent(another, w, v, j, e);

	*another = *another || unlike(w, v);
	return rc;
}

/* ---- which one it may be -------------------------------------------------------- */

static sat_rc
find_by_id(sat_view *v, bool *found, imp_job *j, sat_err *e)
{
	const sat_kind *k = j->map.kind;
	char text[SAT_ID_TEXT];
	sat_id id;
	sat_rc rc;

	for (size_t i = 0; i < j->map.ncolumns; i++) {
		if (j->map.columns[i].use != IMP_ID ||
		    j->text[i].n != SAT_ID_TEXT - 1)
			continue;
		memcpy(text, j->text[i].p, SAT_ID_TEXT - 1);
		text[SAT_ID_TEXT - 1] = '\0';
		if (!sat_id_parse(&id, text))
			continue;
		rc = sat_replica_get(v, &j->a, j->c->replica, k, &id, e);
		if (rc == SAT_ENOTFOUND)
			continue;
		*found = rc == SAT_OK && !v->rec.deleted;
		return rc;
	}
	return SAT_OK;
}

/* *n live records by this field, at most max. */
static sat_rc
find_by(sat_id *ids, size_t max, size_t *n, crm_work *w, const sat_field *f,
    sat_err *e)
{
	sat_value v = crm_after(w, f);

	*n = 0;
	if (v.type == SAT_V_NULL)
		return SAT_OK;
	return crm_find(ids, max, n, w, w->kind, f, v, e);
}

/* A number this company gave itself says which record is meant. */
static const sat_field *
own_number(const sat_kind *k)
{
	return k->number_prefix != NULL ? sat_kind_field(k, "number") : NULL;
}

/* Of several that their sources call alike those that the row may be; as they
 * were when it is none of them. */
static sat_rc
leave_others(sat_id *ids, size_t *n, const crm_work *w, imp_job *j, sat_err *e)
{
	size_t kept = 0;
	bool another;
	sat_view v;
	sat_rc rc;

	for (size_t i = 0; *n > 1 && i < *n; i++) {
		if ((rc = sat_replica_get(&v, &j->a, j->c->replica, w->kind,
		    &ids[i], e)) != SAT_OK ||
		    (rc = is_another(&another, w, &v, j, e)) != SAT_OK)
			return rc;
		if (!another)
			ids[kept++] = ids[i];
	}
	if (kept > 0)
		*n = kept;
	return SAT_OK;
}

/* The number first, then what the sheet's own source calls the record; only
 * then what it has in common with others. */
static sat_rc
find_unasked(sat_id *id, size_t *n, crm_work *w, imp_job *j, sat_err *e)
{
	const sat_field *named[] = { own_number(w->kind),
		sat_kind_field(w->kind, "external_id") };
	sat_duplicate dup[SAT_DUPLICATES_MAX];
	sat_id ids[ALIKE_MAX];
	sat_rc rc;

	for (size_t i = 0; i < 2; i++) {
		if (named[i] == NULL)
			continue;
		if ((rc = find_by(ids, i == 0 ? 2 : ALIKE_MAX, n, w, named[i],
		    e)) != SAT_OK ||
		    (i > 0 && (rc = leave_others(ids, n, w, j, e)) != SAT_OK))
			return rc;
		if (*n > 0) {
			*id = ids[0];
			j->found_by = named[i];
			return SAT_OK;
		}
	}
	if ((rc = crm_duplicates(dup, n, w, e)) != SAT_OK || *n == 0)
		return rc;
	*id = dup[0].id; /* by the heaviest key */
	j->found_by = sat_kind_field(w->kind, dup[0].field);
	for (size_t i = 1; i < *n; i++)
		if (dup[i].field != dup[0].field)
			*n = i; /* others are alike by a lesser key */
	return SAT_OK;
}

static sat_rc
find_by_keys(sat_id *id, size_t *n, crm_work *w, imp_job *j, sat_err *e)
{
	sat_id two[2];
	sat_rc rc;

	if (j->map.key == NULL)
		return find_unasked(id, n, w, j, e);
	*n = 0;
	if (crm_after(w, j->map.key).type == SAT_V_NULL) {
		if (w->bad.nfields == 0)
			crm_fault(w, j->map.key, "required");
		return SAT_OK;
	}
	rc = find_by(two, 2, n, w, j->map.key, e);
	*id = two[0];
	return rc;
}

bool
imp_may_be_key(const sat_field *f)
{
	return f->dup_weight > 0 || strcmp(f->key, "number") == 0 ||
	    strcmp(f->key, "external_id") == 0;
}

/* A number somebody else gave says so only where a mapping names it. */
bool
imp_is_key(const sat_kind *k, const sat_field *f)
{
	return imp_may_be_key(f) && (f->dup_weight > 0 ||
	    k->number_prefix != NULL || strcmp(f->key, "number") != 0);
}

bool
imp_map_finds(const imp_map *m)
{
	if (m->key != NULL)
		return true;
	for (size_t i = 0; i < m->ncolumns; i++)
		if (m->columns[i].use == IMP_ID ||
		    (m->columns[i].field != NULL &&
		    imp_is_key(m->kind, m->columns[i].field)))
			return true;
	for (size_t i = 0; i < m->nsets; i++)
		if (imp_is_key(m->kind, m->sets[i].field))
			return true;
	for (size_t i = 0; i < m->nderives; i++)
		if (imp_is_key(m->kind, m->derives[i].field))
			return true;
	return false;
}

bool
imp_is_blind(const crm_work *w, const imp_job *j)
{
	if (j->o->on_duplicate == SAT_DUP_NEW)
		return true;
	for (size_t i = 0; j->map.key == NULL && i < w->kind->nfields; i++)
		if (imp_is_key(w->kind, &w->kind->fields[i]) &&
		    crm_after(w, &w->kind->fields[i]).type != SAT_V_NULL)
			return false;
	return j->map.key == NULL;
}

sat_rc
imp_find(sat_view *v, size_t *n, crm_work *w, imp_job *j, sat_err *e)
{
	bool found = false;
	sat_id id;
	sat_rc rc;

	*n = 0;
	j->found_by = NULL;
	if (j->o->on_duplicate == SAT_DUP_NEW)
		return SAT_OK;
	if ((rc = find_by_id(v, &found, j, e)) != SAT_OK || found) {
		*n = found;
		return rc;
	}
	if ((rc = find_by_keys(&id, n, w, j, e)) != SAT_OK || *n == 0)
		return rc;
	return sat_replica_get(v, &j->a, j->c->replica, j->map.kind, &id, e);
}

/* ---- is it that one? ---------------------------------------------------------------- */

/* A code heavier than the key that found it, in which they differ: a company of the
 * same name has a tax code of its own. Phones and names change. */
static const sat_field *
differs(const crm_work *w, const sat_view *v, const sat_field *by)
{
	for (size_t i = 0; i < w->kind->nfields; i++) {
		const sat_field *f = &w->kind->fields[i];
		sat_value is = crm_after(w, f);
		sat_value has = sat_record_value(&v->rec, f->id);

		if (f->dup_weight > by->dup_weight && f->type == SAT_F_TEXT &&
		    f->norm == SAT_NORM_PLAIN && is.type != SAT_V_NULL &&
		    has.type != SAT_V_NULL && !same_value(f, is, has))
			return f;
	}
	return NULL;
}

sat_rc
imp_is_it(const crm_work *w, const sat_view *v, imp_job *j, sat_err *e)
{
	const sat_field *by = j->found_by, *f;
	bool another;
	sat_rc rc;

	if (by == NULL || by == own_number(w->kind))
		return SAT_OK;
	if (strcmp(by->key, "external_id") != 0) {
		f = differs(w, v, by);
		return f == NULL ? SAT_OK : sat_fail_code(e, SAT_ECONFLICT,
		    "duplicate", NULL, "the record found by %s has another %s",
		    by->key, f->key);
	}
	if ((rc = is_another(&another, w, v, j, e)) != SAT_OK)
		return rc;
	return !another ? SAT_OK : sat_fail_code(e,
	    SAT_ECONFLICT, "duplicate", NULL,
	    "another record has this external_id");
}
