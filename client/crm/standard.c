/*
 * The company's standard on this device: which grade a customer has, and where
 * it stands (when somebody has to be in touch: worklist.c). Everything is derived
 * from what the replica holds; nothing of it is stored or sent.
 */
#include "client/crm/crm_int.h"

#include <stdlib.h>
#include <string.h>

#define DAY_MS ((int64_t)24 * 3600 * 1000)

/* ---- what was bought ---------------------------------------------------------------- */

typedef struct bought { /* open addressing by the customer's id */
	sat_id id;
	int64_t amount;
	char abc;
	bool used;
} bought;

struct sat_grading {
	bought *v;
	size_t n, mask;
};

static bought *
slot(const sat_grading *g, const uint8_t id[16])
{
	uint64_t h;
	size_t i;

	memcpy(&h, id + 8, sizeof h); /* the random half */
	for (i = (size_t)h & g->mask; g->v[i].used; i = (i + 1) & g->mask)
		if (memcmp(g->v[i].id.b, id, 16) == 0)
			break;
	return &g->v[i];
}

static void
grow(sat_grading *g)
{
	bought *old = g->v;
	size_t n = g->mask + 1;

	g->mask = g->mask * 2 + 1;
	g->v = sat_xcalloc(g->mask + 1, sizeof *g->v);
	for (size_t i = 0; i < n; i++)
		if (old[i].used)
			*slot(g, old[i].id.b) = old[i];
	free(old);
}

static void
add(sat_grading *g, const uint8_t id[16], int64_t amount)
{
	bought *b = slot(g, id);

	if (!b->used) {
		memcpy(b->id.b, id, 16);
		b->used = true;
		g->n++;
	}
	b->amount += amount;
	if (g->n * 2 > g->mask)
		grow(g);
}

static int
by_amount(const void *a, const void *b)
{
	const bought *x = *(bought *const *)a, *y = *(bought *const *)b;

	if (x->amount != y->amount)
		return x->amount > y->amount ? -1 : 1;
	return memcmp(x->id.b, y->id.b, 16);
}

static void
rank_abc(sat_grading *g, const sat_standard *s)
{
	bought **v = sat_xcalloc(g->n + 1, sizeof *v);
	int64_t *amounts = sat_xcalloc(g->n + 1, sizeof *amounts);
	char *abc = sat_xcalloc(g->n + 1, 1);
	size_t n = 0;

	for (size_t i = 0; i <= g->mask; i++)
		if (g->v[i].used)
			v[n++] = &g->v[i];
	qsort(v, n, sizeof *v, by_amount);
	for (size_t i = 0; i < n; i++)
		amounts[i] = v[i]->amount;
	sat_grade_abc(abc, amounts, n, s->a_pct, s->b_pct);
	for (size_t i = 0; i < n; i++)
		v[i]->abc = abc[i];
	free(v);
	free(amounts);
	free(abc);
}

sat_rc
sat_crm_grading(sat_grading **out, sat_crm *c, int64_t now_ms, sat_err *e)
{
	return crm_grading_by(out, c, sat_replica_template(c->replica), now_ms, e);
}

/* What was not taken back, by customer. */
static sat_rc
add_all(sat_grading *g, sat_crm *c, const sat_query *q, const crm_voided *gone,
    sat_err *e)
{
	const sat_value *v;
	sat_rows *rows;
	sat_id id;
	sat_rc rc = sat_replica_query(&rows, c->replica, q, e);

	if (rc != SAT_OK)
		return rc;
	while ((rc = sat_rows_next(&v, rows, e)) == SAT_OK && v != NULL) {
		memcpy(id.b, v[0].s.p, sizeof id.b);
		if (v[1].type == SAT_V_BYTES && v[1].s.n == 16 &&
		    v[2].type == SAT_V_INT && !crm_voided_has(gone, &id))
			add(g, v[1].s.p, v[2].i);
	}
	sat_rows_free(rows);
	return rc;
}

sat_rc
crm_grading_by(sat_grading **out, sat_crm *c, const sat_template *t,
    int64_t now_ms, sat_err *e)
{
	const sat_standard *s = sat_template_standard(t);
	sat_grading *g = sat_xcalloc(1, sizeof *g);
	sat_value from, to = sat_v_int(now_ms);
	sat_filter f[2];
	uint16_t columns[3] = { SAT_Q_ID };
	sat_query q = { .filters = f, .nfilters = 2, .columns = columns,
		.ncolumns = 3, .unordered = true };
	crm_voided gone;
	sat_rc rc;

	*out = g;
	g->mask = 255;
	g->v = sat_xcalloc(g->mask + 1, sizeof *g->v);
	if (s->kind == NULL)
		return SAT_OK;
	from = sat_v_int(now_ms - s->days * DAY_MS);
	f[0] = (sat_filter){ s->time->id, SAT_CMP_GE, &from, 1 };
	f[1] = (sat_filter){ s->time->id, SAT_CMP_LE, &to, 1 };
	/* the rows are those of the template in force; ids never change */
	q.kind = sat_template_kind_id(sat_replica_template(c->replica),
	    s->kind->id);
	if (q.kind == NULL || sat_kind_field_id(q.kind, s->sum->id) == NULL ||
	    sat_kind_field_id(q.kind, s->time->id) == NULL)
		return SAT_OK;
	columns[1] = s->kind->parent->id;
	columns[2] = s->sum->id;
	rc = crm_voided_load(&gone, c, q.kind, sat_kind_field_id(q.kind,
	    s->time->id), now_ms + 1, e);
	if (rc == SAT_OK)
		rc = add_all(g, c, &q, &gone, e);
	crm_voided_free(&gone);
	if (rc == SAT_OK && s->method_abc)
		rank_abc(g, s);
	return rc;
}

void
sat_grading_free(sat_grading *g)
{
	if (g == NULL)
		return;
	free(g->v);
	free(g);
}

const char *
sat_grading_of(const sat_grading *g, const sat_template *t, const sat_id *id,
    sat_value typed, int64_t *amount)
{
	const sat_standard *s = sat_template_standard(t);
	const sat_dict *d = sat_template_dict(t, "grade");
	const bought *b = slot(g, id->b);
	const sat_option *o;

	*amount = b->used ? b->amount : 0;
	if (typed.type == SAT_V_TEXT && typed.s.n > 0) {
		o = d != NULL ? sat_dict_option(d, (const char *)typed.s.p,
		    typed.s.n) : NULL;
		return o != NULL ? o->key : NULL;
	}
	if (!b->used)
		return NULL;
	if (s->method_abc)
		return s->abc[b->abc - 'A'];
	return sat_grade_of(b->amount, s->steps, s->nsteps);
}

/* ---- where a customer stands ----------------------------------------------------------------- */

/* The first and the last order that was not taken back; 0 = none. */
static sat_rc
first_and_last(int64_t *first, int64_t *last, sat_crm *c, const sat_query *q,
    const crm_voided *gone, sat_err *e)
{
	const sat_value *v;
	sat_rows *rows;
	int64_t at;
	sat_id id;
	sat_rc rc = sat_replica_query(&rows, c->replica, q, e);

	*first = *last = 0;
	if (rc != SAT_OK)
		return rc;
	while ((rc = sat_rows_next(&v, rows, e)) == SAT_OK && v != NULL) {
		memcpy(id.b, v[0].s.p, sizeof id.b);
		if ((at = crm_time(v[1])) == 0 || crm_voided_has(gone, &id))
			continue;
		*first = *first == 0 || at < *first ? at : *first;
		*last = at > *last ? at : *last;
	}
	sat_rows_free(rows);
	return rc;
}

sat_rc
sat_crm_lifecycle(const char **word, sat_crm *c, const sat_id *account,
    int64_t now_ms, sat_err *e)
{
	static const char *const words[] = { "potential", "new", "existing",
		"lost" };
	const sat_standard *s = sat_template_standard(
	    sat_replica_template(c->replica));
	sat_value id = sat_v_id(account), now = sat_v_int(now_ms);
	uint16_t columns[2] = { SAT_Q_ID };
	sat_filter f[2];
	sat_query q = { .filters = f, .nfilters = 2, .columns = columns,
		.ncolumns = 2 };
	int64_t first, last;
	crm_voided gone;
	sat_rc rc;

	*word = NULL;
	if (s->kind == NULL || s->life_window_d == 0)
		return SAT_OK;
	q.kind = s->kind;
	columns[1] = s->time->id;
	f[0] = (sat_filter){ s->kind->parent->id, SAT_CMP_EQ, &id, 1 };
	f[1] = (sat_filter){ s->time->id, SAT_CMP_LE, &now, 1 };
	rc = crm_voided_load(&gone, c, s->kind, s->time, now_ms + 1, e);
	if (rc == SAT_OK)
		rc = first_and_last(&first, &last, c, &q, &gone, e);
	crm_voided_free(&gone);
	if (rc == SAT_OK)
		*word = words[sat_lifecycle_of(first, last, now_ms,
		    s->life_new_d, s->life_window_d)];
	return rc;
}

/* ---- who decides at the customer's --------------------------------------------------------------- */

static bool
has_committee(const sat_standard *s, sat_value party_kind)
{
	for (size_t i = 0; i < s->ncommittee_of; i++)
		if (party_kind.type == SAT_V_TEXT && sat_span_eq(party_kind.s,
		    sat_span_str(s->committee_of[i])))
			return true;
	return s->ncommittee_of == 0;
}

/* Does a contact of the customer have the role? */
static sat_rc
fills(bool *yes, sat_crm *c, const sat_kind *k, const sat_field *roles,
    const sat_id *account, const char *role, sat_err *e)
{
	sat_value id = sat_v_id(account), r = sat_v_text(sat_span_str(role));
	sat_filter f[2] = { { k->parent->id, SAT_CMP_EQ, &id, 1 },
		{ roles->id, SAT_CMP_HAS, &r, 1 } };
	uint16_t column = SAT_Q_ID;
	sat_query q = { .kind = k, .filters = f, .nfilters = 2,
		.columns = &column, .ncolumns = 1, .limit = 1 };
	const sat_value *v;
	sat_rows *rows;
	sat_rc rc;

	*yes = false;
	if ((rc = sat_replica_query(&rows, c->replica, &q, e)) != SAT_OK)
		return rc;
	if ((rc = sat_rows_next(&v, rows, e)) == SAT_OK)
		*yes = v != NULL;
	sat_rows_free(rows);
	return rc;
}

sat_rc
sat_crm_committee_gaps(const char *missing[SAT_COMMITTEE_MAX], size_t *n,
    sat_crm *c, const sat_id *account, sat_err *e)
{
	const sat_template *t = sat_replica_template(c->replica);
	const sat_standard *s = sat_template_standard(t);
	const sat_kind *k = sat_template_kind(t, "contact");
	const sat_kind *ak = sat_template_kind(t, "account");
	const sat_field *roles = k != NULL ? sat_kind_field(k, "roles") : NULL;
	const sat_field *party = sat_kind_field(ak, "party_kind");
	sat_arena a = { 0 };
	sat_view v;
	bool yes;
	sat_rc rc;

	*n = 0;
	if (s->ncommittee == 0 || roles == NULL || k->parent == NULL)
		return SAT_OK;
	rc = sat_replica_get(&v, &a, c->replica, ak, account, e);
	yes = rc == SAT_OK && has_committee(s, party != NULL ?
	    sat_record_value(&v.rec, party->id) : sat_v_null());
	sat_arena_fini(&a);
	if (rc != SAT_OK || !yes)
		return rc;
	for (size_t i = 0; i < s->ncommittee && i < SAT_COMMITTEE_MAX &&
	     rc == SAT_OK; i++) {
		rc = fills(&yes, c, k, roles, account, s->committee[i], e);
		if (rc == SAT_OK && !yes)
			missing[(*n)++] = s->committee[i];
	}
	return rc;
}

/* ---- was a colleague there just now? ------------------------------------------------------ */

sat_rc
sat_crm_recent(bool *yes, sat_recent *out, sat_arena *a, sat_crm *c,
    const sat_id *account, int64_t now_ms, sat_err *e)
{
	const sat_template *t = sat_replica_template(c->replica);
	const sat_user *me = sat_replica_me(c->replica);
	const sat_kind *k = sat_template_kind(t, "activity");
	const sat_field *at = k != NULL ? sat_kind_field(k, "occurred_at") : NULL;
	const sat_field *by = k != NULL ? sat_kind_field(k, "author") : NULL;
	int days = sat_template_standard(t)->repeat_contact_d;
	sat_value id = sat_v_id(account), from = sat_v_int(now_ms -
	    days * DAY_MS), mine;
	sat_filter f[3];
	uint16_t columns[2];
	sat_query q = { .kind = k, .filters = f, .nfilters = 3,
		.columns = columns, .ncolumns = 2, .nsort = 1, .limit = 1 };
	const sat_value *v;
	sat_rows *rows;
	sat_rc rc;

	*yes = false;
	if (days == 0 || me == NULL || at == NULL || by == NULL ||
	    k->parent == NULL)
		return SAT_OK;
	mine = sat_v_text(sat_span_str(me->key));
	f[0] = (sat_filter){ k->parent->id, SAT_CMP_EQ, &id, 1 };
	f[1] = (sat_filter){ at->id, SAT_CMP_GE, &from, 1 };
	f[2] = (sat_filter){ by->id, SAT_CMP_NE, &mine, 1 };
	columns[0] = at->id;
	columns[1] = by->id;
	q.sort[0].field = at->id;
	q.sort[0].desc = true;
	if ((rc = sat_replica_query(&rows, c->replica, &q, e)) != SAT_OK)
		return rc;
	if ((rc = sat_rows_next(&v, rows, e)) == SAT_OK && v != NULL &&
	    v[1].type == SAT_V_TEXT) {
		*yes = true;
		out->at_ms = crm_time(v[0]);
		out->by = crm_keep_text(a, v[1]);
	}
	sat_rows_free(rows);
	return rc;
}
