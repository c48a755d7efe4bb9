/*
 * Many records to another owner: what would move is said first, then it is
 * done, one commit each (P-029), durable in groups.
 */
#include "client/crm/crm_int.h"

#include <stdlib.h>
#include <string.h>

#define GROUP 500

static int
by_id(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(sat_id));
}

/* ---- which ------------------------------------------------------------------- */

static sat_rc
all_that_fit(sat_id **ids, size_t *n, sat_arena *a, sat_crm *c,
    const sat_kind *k, const char *where, const char *owner, sat_err *e)
{
	static const uint16_t column = SAT_Q_ID;
	sat_query q = { .kind = k, .columns = &column, .ncolumns = 1 };
	sat_filter *f = NULL, all[32];
	sat_rows *rows = NULL;
	const sat_value *v;
	sat_value who = sat_v_text(sat_span_str(owner != NULL ? owner : ""));
	size_t cap = 0;
	sat_rc rc = SAT_OK;

	*n = 0;
	*ids = NULL;
	if (where != NULL)
		rc = sat_crm_where(&f, &q.nfilters, a, c, k, where, e);
	if (rc != SAT_OK || q.nfilters > 31)
		return rc != SAT_OK ? rc : sat_fail(e, SAT_EUSAGE,
		    "too many conditions");
	if (q.nfilters > 0)
		memcpy(all, f, q.nfilters * sizeof *f);
	if (owner != NULL)
		all[q.nfilters++] = (sat_filter){ k->owner->id, SAT_CMP_EQ,
			&who, 1 };
	q.filters = all;
	if ((rc = sat_replica_query(&rows, c->replica, &q, e)) != SAT_OK)
		return rc;
	while ((rc = sat_rows_next(&v, rows, e)) == SAT_OK && v != NULL) {
		SAT_ARENA_GROW(*ids, *n, cap, a);
		memcpy((*ids)[(*n)++].b, v[0].s.p, sizeof **ids);
	}
	sat_rows_free(rows);
	return rc;
}

/* ---- from whom -------------------------------------------------------------------- */

static void
count_from(sat_move *m, sat_arena *a, sat_value owner)
{
	const char *user = owner.type != SAT_V_TEXT ? "" :
	    sat_arena_str(a, owner.s.p, owner.s.n);

	for (size_t i = 0; i < m->nfrom; i++)
		if (strcmp(m->from[i].user, user) == 0) {
			m->from[i].n++;
			return;
		}
	m->from[m->nfrom].user = user;
	m->from[m->nfrom++].n = 1;
}

static sat_rc
sort_out(sat_move *m, sat_arena *a, sat_crm *c, const sat_id *ids, size_t n,
    size_t nusers, sat_err *e)
{
	sat_value to = sat_v_text(sat_span_str(m->to->key)), owner;
	sat_arena one = { 0 };
	sat_view v;
	sat_rc rc = SAT_OK;

	m->ids = sat_arena_alloc(a, (n + 1) * sizeof *m->ids);
	m->from = sat_arena_alloc(a, (nusers + 2) * sizeof *m->from);
	for (size_t i = 0; i < n && rc == SAT_OK; i++) {
		sat_arena_reset(&one);
		if ((rc = sat_replica_get(&v, &one, c->replica, m->kind,
		    &ids[i], e)) != SAT_OK)
			break;
		owner = sat_record_value(&v.rec, m->kind->owner->id);
		if (sat_value_eq(owner, to)) {
			m->same++;
			continue;
		}
		m->ids[m->n++] = ids[i];
		/* an owner the registry does not know counts as nobody */
		count_from(m, a, owner.type == SAT_V_TEXT && sat_registry_user(
		    sat_replica_registry(c->replica), owner.s) != NULL ?
		    owner : sat_v_null());
	}
	sat_arena_fini(&one);
	return rc;
}

/* ---- what is below them ---------------------------------------------------------------- */

static sat_rc
count_below(sat_move *m, sat_crm *c, const sat_kind *k, const sat_id *sorted,
    sat_err *e)
{
	const uint16_t column = k->parent->id;
	sat_query q = { .kind = k, .columns = &column, .ncolumns = 1 };
	const sat_value *v;
	sat_rows *rows;
	sat_rc rc;

	if ((rc = sat_replica_query(&rows, c->replica, &q, e)) != SAT_OK)
		return rc;
	while ((rc = sat_rows_next(&v, rows, e)) == SAT_OK && v != NULL)
		if (v[0].type == SAT_V_BYTES && v[0].s.n == sizeof(sat_id) &&
		    bsearch(v[0].s.p, sorted, m->n, sizeof *sorted, by_id))
			m->records++;
	sat_rows_free(rows);
	return rc;
}

static sat_rc
count_records(sat_move *m, sat_arena *a, sat_crm *c, sat_err *e)
{
	const sat_template *t = sat_replica_template(c->replica);
	sat_id *sorted;
	sat_rc rc = SAT_OK;

	m->records = (int64_t)m->n;
	if (m->n == 0)
		return SAT_OK;
	sorted = sat_arena_dup(a, m->ids, m->n * sizeof *sorted);
	qsort(sorted, m->n, sizeof *sorted, by_id);
	for (size_t i = 0; i < sat_template_kinds(t) && rc == SAT_OK; i++) {
		const sat_kind *k = sat_template_kind_at(t, i);

		if (k->parent != NULL && k->parent->ref != NULL &&
		    strcmp(k->parent->ref, m->kind->key) == 0)
			rc = count_below(m, c, k, sorted, e);
	}
	return rc;
}

sat_rc
sat_crm_move_plan(sat_move *out, sat_arena *a, sat_crm *c, const sat_kind *k,
    const sat_id *ids, size_t n, const char *where, const char *owner,
    const char *to, sat_err *e)
{
	const sat_registry *reg = sat_replica_registry(c->replica);
	sat_id *fit = NULL;
	sat_rc rc;

	*out = (sat_move){ .kind = k };
	if (k->owner == NULL)
		return sat_fail_code(e, SAT_EUSAGE, "usage.owner", NULL,
		    "%s has no owner of its own", k->key);
	out->to = to != NULL ? sat_registry_user(reg, sat_span_str(to)) : NULL;
	if (out->to == NULL || out->to->disabled)
		return sat_fail_code(e, SAT_EINVALID, "validation.option",
		    "see: satchel user list", "nobody to give them to");
	if (n == 0 && where == NULL && owner == NULL)
		return sat_fail_code(e, SAT_EUSAGE, "usage", NULL,
		    "name the records, a condition or an owner");
	if (n == 0 && (rc = all_that_fit(&fit, &n, a, c, k, where, owner, e)) !=
	    SAT_OK)
		return rc;
	if ((rc = sort_out(out, a, c, fit != NULL ? fit : ids, n, reg->nusers,
	    e)) != SAT_OK)
		return rc;
	return count_records(out, a, c, e);
}

/* ---- doing it ------------------------------------------------------------------------------ */

static sat_rc
move_group(int64_t *done, sat_crm *c, const sat_move *m, size_t from,
    size_t to, sat_err *e)
{
	sat_rc rc;

	if ((rc = sat_replica_group_begin(c->replica, e)) != SAT_OK)
		return rc;
	for (size_t i = from; i < to && rc == SAT_OK; i++)
		rc = sat_crm_assign(c, m->kind, &m->ids[i], m->to->key, e);
	if (rc != SAT_OK) {
		sat_replica_group_rollback(c->replica);
		return rc;
	}
	if ((rc = sat_replica_group_commit(c->replica, e)) == SAT_OK)
		*done += (int64_t)(to - from);
	return rc;
}

sat_rc
sat_crm_move(int64_t *done, sat_crm *c, const sat_move *m, sat_err *e)
{
	sat_rc rc = SAT_OK;

	*done = 0;
	for (size_t i = 0; i < m->n && rc == SAT_OK; i += GROUP)
		rc = move_group(done, c, m, i,
		    i + GROUP < m->n ? i + GROUP : m->n, e);
	return rc;
}
