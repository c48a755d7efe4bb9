/*
 * Process conformance (requirements R-077): did a record go the way its flow
 * asks for? Judged from the record alone, so every device and headquarters say
 * the same of it.
 */
#include "client/crm/crm_int.h"

#include <stdlib.h>
#include <string.h>

enum { C_ID, C_CREATED, C_STAGE, C_TITLE, C_OWNER, C_PATH, C_LIST, C_SOP, C_MAX };

typedef struct judging {
	const sat_flow *f;
	const sat_dict *d;
	sat_arena *a;
	sat_conform *v;
	size_t n, cap;
} judging;

static const sat_option *
option(const sat_dict *d, const char *key)
{
	return key != NULL ? sat_dict_option(d, key, strlen(key)) : NULL;
}

/* Was the step's stage reached, and with something missing? A record that never
 * moved is where it was made. */
static bool
reached(bool *flagged, const crm_pass *p, size_t n, const sat_option *is,
    const sat_option *stage)
{
	bool yes = is == stage;

	*flagged = false;
	for (size_t i = 0; i < n; i++)
		if (p[i].stage == stage) {
			yes = true;
			*flagged |= p[i].flagged;
		}
	return yes;
}

/* The furthest open or won stage it got to; a loss is no stage of the way. */
static int
furthest(const crm_pass *p, size_t n, const sat_option *is)
{
	int rank = is != NULL && strcmp(is->key, "lost") != 0 ? is->rank : 0;

	for (size_t i = 0; i < n; i++)
		if (strcmp(p[i].stage->key, "lost") != 0 &&
		    p[i].stage->rank > rank)
			rank = p[i].stage->rank;
	return rank;
}

static bool
done(const sat_flow_step *s, sat_value list)
{
	for (size_t i = 0; i < s->nitems; i++)
		if (s->items[i].required && !sat_set_text_has(list, s->key,
		    s->items[i].key))
			return false;
	return true;
}

static void
judge(sat_conform *c, const judging *j, const sat_value *row)
{
	crm_pass p[CRM_PASSES_MAX];
	size_t n = crm_passes(p, j->d, row[C_PATH]);
	const sat_option *is = row[C_STAGE].type == SAT_V_TEXT ?
	    sat_dict_option(j->d, (const char *)row[C_STAGE].s.p,
	    row[C_STAGE].s.n) : NULL;
	int far = furthest(p, n, is);

	c->stage = is != NULL ? is->key : NULL;
	for (size_t i = 0; i < j->f->nsteps; i++) {
		const sat_flow_step *s = &j->f->steps[i];
		const sat_option *o = option(j->d, s->stage);
		bool flagged, yes;

		if (o == NULL || o->rank > far)
			continue;
		yes = reached(&flagged, p, n, is, o);
		if (!yes && s->required && c->skipped == NULL)
			c->skipped = s;
		if (flagged && c->flagged == NULL)
			c->flagged = s;
		if (yes && o->rank < far && c->unchecked == NULL &&
		    !done(s, row[C_LIST]))
			c->unchecked = s;
	}
	c->conform = c->skipped == NULL && c->flagged == NULL &&
	    c->unchecked == NULL;
}

static void
take(judging *j, const sat_value *row)
{
	sat_conform *c;

	if (j->n == j->cap) {
		j->cap = j->cap == 0 ? 64 : j->cap * 2;
		j->v = sat_xrealloc(j->v, j->cap * sizeof *j->v);
	}
	c = &j->v[j->n++];
	memset(c, 0, sizeof *c);
	memcpy(c->id.b, row[C_ID].s.p, sizeof c->id.b);
	c->title = crm_keep_text(j->a, row[C_TITLE]);
	c->owner = crm_keep_text(j->a, row[C_OWNER]);
	c->sop = crm_keep_text(j->a, row[C_SOP]);
	judge(c, j, row);
}

static int
by_owner(const void *a, const void *b)
{
	const sat_conform *x = a, *y = b;
	int d = strcmp(x->owner != NULL ? x->owner : "",
	    y->owner != NULL ? y->owner : "");

	return d != 0 ? d : memcmp(x->id.b, y->id.b, sizeof x->id.b);
}

static uint16_t
column(const sat_kind *k, const char *key, uint16_t otherwise)
{
	const sat_field *f = sat_kind_field(k, key);

	return f != NULL ? f->id : otherwise;
}

sat_rc
sat_crm_conform(sat_conform **out, size_t *n, sat_arena *a, sat_crm *c,
    const sat_flow *f, int64_t from_ms, int64_t to_ms, sat_err *e)
{
	const sat_kind *k = f->kind;
	/* a number is no way, no list, no name: what is missing reads as empty */
	uint16_t columns[C_MAX] = { SAT_Q_ID, SAT_Q_CREATED, SAT_Q_CREATED,
		k->title != NULL ? k->title->id : SAT_Q_CREATED,
		k->owner != NULL ? k->owner->id : SAT_Q_CREATED,
		column(k, "path", SAT_Q_CREATED),
		column(k, "checklist", SAT_Q_CREATED),
		column(k, "sop", SAT_Q_CREATED) };
	sat_value from = sat_v_int(from_ms), to = sat_v_int(to_ms);
	sat_filter fl[2] = { { SAT_Q_CREATED, SAT_CMP_GE, &from, 1 },
		{ SAT_Q_CREATED, SAT_CMP_LT, &to, 1 } };
	sat_query q = { .kind = k, .filters = fl, .nfilters = 2,
		.columns = columns, .ncolumns = C_MAX };
	judging j = { .f = f, .a = a };
	const sat_value *row;
	sat_rows *rows;
	sat_rc rc;

	*out = NULL;
	*n = 0;
	if (k->stage == NULL || k->stage->dict == NULL)
		return SAT_OK;
	columns[C_STAGE] = k->stage->id;
	j.d = k->stage->dict;
	if ((rc = sat_replica_query(&rows, c->replica, &q, e)) != SAT_OK)
		return rc;
	while ((rc = sat_rows_next(&row, rows, e)) == SAT_OK && row != NULL)
		take(&j, row);
	sat_rows_free(rows);
	if (rc == SAT_OK && j.n > 0) {
		qsort(j.v, j.n, sizeof *j.v, by_owner);
		*out = sat_arena_dup(a, j.v, j.n * sizeof *j.v);
		*n = j.n;
	}
	free(j.v);
	return rc;
}
