/*
 * Customers that may be one: what the match keys of this device say, what only
 * looks alike, and what the server told of customers this device does not hold.
 *
 * Nothing is stored about a pair but that somebody said it is none: that is an
 * operation, so nobody is asked again on another device (P-175).
 */
#include "client/crm/crm_int.h"

#include "common/model/alike.h"

#include <stdlib.h>
#include <string.h>

#define GROUP_MAX 16      /* a value many records share tells nothing */
#define WEAK_SCORE 40
#define MORE_SCORE 5      /* of every further field that agrees */

typedef struct scan {
	sat_crm *c;
	sat_arena *a;
	const sat_pair_opts *o;
	sat_pair *list;
	size_t n, cap;
} scan;

static bool
has_tag(sat_arena *a, const sat_record *r, const char *tag)
{
	const sat_cell *c = sat_record_cell(r, SAT_SYS_DISMISSED);
	sat_element *el;
	size_t n = c != NULL ? sat_cell_elements(&el, a, c) : 0;

	for (size_t i = 0; i < n; i++)
		if (sat_span_eq(el[i].text, sat_span_str(tag)))
			return true;
	return false;
}

static sat_pair *
find_pair(scan *s, const char *tag)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->list[i].key, tag) == 0)
			return &s->list[i];
	return NULL;
}

static sat_pair *
add_pair(scan *s, const char *tag)
{
	SAT_ARENA_GROW(s->list, s->n, s->cap, s->a);
	memset(&s->list[s->n], 0, sizeof *s->list);
	memcpy(s->list[s->n].key, tag, sizeof s->list->key);
	return &s->list[s->n++];
}

/* ---- two records ------------------------------------------------------------------ */

static bool
agree(const sat_field *f, const sat_record *x, const sat_record *y)
{
	sat_value a = sat_record_value(x, f->id), b = sat_record_value(y, f->id);

	if (a.type == SAT_V_NULL || a.type != b.type)
		return false;
	return a.type == SAT_V_TEXT ? sat_norm_same(f->norm, a.s, b.s) :
	    sat_value_eq(a, b);
}

/* The heaviest key decides, each further one adds a little. */
static void
weigh(sat_pair *p, const sat_kind *k, const sat_record *x, const sat_record *y)
{
	int best = 0, more = 0;

	for (size_t i = 0; i < k->nfields; i++) {
		const sat_field *f = &k->fields[i];

		if (f->dup_weight <= 0 || !agree(f, x, y))
			continue;
		if (p->nfields < sizeof p->fields / sizeof p->fields[0])
			p->fields[p->nfields++] = f->key;
		more += MORE_SCORE;
		if (f->dup_weight > best)
			best = f->dup_weight;
	}
	if (best > 0)
		p->score = best + more - MORE_SCORE;
	if (p->score > 100)
		p->score = 100;
}

static const sat_field *
name_field(const sat_kind *k)
{
	return k->title != NULL && k->title->norm == SAT_NORM_NAME ? k->title :
	    NULL;
}

static sat_span
text_of(const sat_kind *k, const sat_record *r, const char *key)
{
	const sat_field *f = sat_kind_field(k, key);
	sat_value v = f != NULL ? sat_record_value(r, f->id) : sat_v_null();

	return v.type == SAT_V_TEXT ? v.s : (sat_span){ NULL, 0 };
}

/* Names one character apart, or alike but for the city in front of them. */
static bool
names_alike(const sat_kind *k, const sat_record *x, const sat_record *y)
{
	const sat_field *f = name_field(k);
	sat_value a, b;

	if (f == NULL)
		return false;
	a = sat_record_value(x, f->id);
	b = sat_record_value(y, f->id);
	return a.type == SAT_V_TEXT && b.type == SAT_V_TEXT &&
	    sat_names_alike(a.s, b.s, text_of(k, x, "city"),
	    text_of(k, y, "city"));
}

static sat_rc
look_at(scan *s, const sat_kind *k, const sat_id *a, const sat_id *b,
    sat_err *e)
{
	sat_arena tmp = { 0 };
	sat_pair found = { .kind = k };
	sat_view x, y;
	char tag[17];
	sat_rc rc;

	sat_pair_tag(tag, a, b);
	if (sat_id_eq(a, b) || find_pair(s, tag) != NULL)
		return SAT_OK;
	if ((rc = sat_replica_get(&x, &tmp, s->c->replica, k, a, e)) == SAT_OK &&
	    (rc = sat_replica_get(&y, &tmp, s->c->replica, k, b, e)) == SAT_OK &&
	    !x.rec.deleted && !y.rec.deleted) {
		weigh(&found, k, &x.rec, &y.rec);
		if (found.score == 0 && s->o->weak &&
		    names_alike(k, &x.rec, &y.rec)) {
			found.fields[found.nfields++] = name_field(k)->key;
			found.score = WEAK_SCORE;
			found.weak = true;
		}
		if (found.score >= s->o->min_score && found.score > 0 &&
		    !has_tag(&tmp, &x.rec, tag) && !has_tag(&tmp, &y.rec, tag)) {
			bool first = memcmp(a->b, b->b, sizeof a->b) < 0;

			memcpy(found.key, tag, sizeof tag);
			found.a = first ? *a : *b;
			found.b = first ? *b : *a;
			*add_pair(s, tag) = found;
		}
	}
	sat_arena_fini(&tmp);
	return rc == SAT_ENOTFOUND ? SAT_OK : rc;
}

static sat_rc
on_group(void *u, const sat_kind *k, const sat_id *ids, size_t n, sat_err *e)
{
	scan *s = u;
	sat_id canon[GROUP_MAX + 1];
	sat_rc rc;

	if (k->scope != SAT_SCOPE_ROOT)
		return SAT_OK;
	for (size_t i = 0; i < n; i++)
		if ((rc = sat_replica_canon(&canon[i], s->c->replica, &ids[i],
		    e)) != SAT_OK)
			return rc;
	for (size_t i = 0; i < n; i++)
		for (size_t j = i + 1; j < n; j++)
			if ((rc = look_at(s, k, &canon[i], &canon[j], e)) !=
			    SAT_OK)
				return rc;
	return SAT_OK;
}

/* ---- what only looks alike -------------------------------------------------------- */

typedef struct variant {
	uint64_t key;
	uint32_t at;
} variant;

typedef struct variants {
	sat_id *ids;
	variant *v;
	size_t nids, cap_ids, n, cap;
} variants;

static int
by_key(const void *a, const void *b)
{
	const variant *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return (x->at > y->at) - (x->at < y->at);
}

static void
on_variant(void *u, sat_span text)
{
	static const uint8_t sip[16] = "satchel.alike.1";
	variants *x = u;

	if (x->n == x->cap) {
		x->cap = x->cap * 2 + 1024;
		x->v = sat_xrealloc(x->v, x->cap * sizeof *x->v);
	}
	x->v[x->n++] = (variant){ sat_siphash24(sip, text),
		(uint32_t)(x->nids - 1) };
}

static sat_rc
collect(variants *x, sat_crm *c, const sat_kind *k, sat_err *e)
{
	const sat_field *f = name_field(k), *city = sat_kind_field(k, "city");
	uint16_t cols[3] = { SAT_Q_ID, f->id, city != NULL ? city->id : f->id };
	sat_query q = { .kind = k, .columns = cols, .ncolumns = 3 };
	const sat_value *v;
	sat_rows *rows;
	sat_rc rc;

	if ((rc = sat_replica_query(&rows, c->replica, &q, e)) != SAT_OK)
		return rc;
	while ((rc = sat_rows_next(&v, rows, e)) == SAT_OK && v != NULL) {
		if (v[1].type != SAT_V_TEXT || v[0].s.n != 16)
			continue;
		if (x->nids == x->cap_ids) {
			x->cap_ids = x->cap_ids * 2 + 256;
			x->ids = sat_xrealloc(x->ids,
			    x->cap_ids * sizeof *x->ids);
		}
		memcpy(x->ids[x->nids++].b, v[0].s.p, 16);
		sat_name_variants(v[1].s, city != NULL &&
		    v[2].type == SAT_V_TEXT ? v[2].s : (sat_span){ NULL, 0 },
		    on_variant, x);
	}
	sat_rows_free(rows);
	return rc;
}

/* Two names one character apart share a form with one character left out, so
 * only those are compared, and not every two. */
static sat_rc
look_alike(scan *s, const sat_kind *k, sat_err *e)
{
	variants x = { .n = 0 };
	size_t from = 0, to;
	sat_rc rc = collect(&x, s->c, k, e);

	if (x.n > 1)
		qsort(x.v, x.n, sizeof *x.v, by_key);
	for (; rc == SAT_OK && from < x.n; from = to) {
		for (to = from + 1; to < x.n && x.v[to].key == x.v[from].key;
		    to++)
			;
		if (to - from > GROUP_MAX)
			continue;
		for (size_t i = from; i < to && rc == SAT_OK; i++)
			for (size_t j = i + 1; j < to && rc == SAT_OK; j++)
				rc = look_at(s, k, &x.ids[x.v[i].at],
				    &x.ids[x.v[j].at], e);
	}
	free(x.v);
	free(x.ids);
	return rc;
}

/* ---- what the server told -------------------------------------------------------------- */

/* Merged here already, and the server has not heard of it yet. */
static bool
is_family(scan *s, const sat_id *id, const char *tag)
{
	char own[17];
	sat_id *ids;
	size_t n;

	if (sat_replica_merged(&ids, &n, s->a, s->c->replica, id, NULL) !=
	    SAT_OK)
		return false;
	for (size_t i = 1; i < n; i++) {
		sat_pair_tag(own, id, &ids[i]);
		if (strcmp(own, tag) == 0)
			return true;
	}
	return false;
}

/* "TAG FIELD OWNER": another customer has the same value in this field. */
static void
told(scan *s, const sat_view *v, sat_span text)
{
	const sat_field *f;
	char tag[17], field[64];
	sat_pair *p;
	size_t n, m;

	for (n = 0; n < text.n && text.p[n] != ' '; n++)
		;
	for (m = n + 1; m < text.n && text.p[m] != ' '; m++)
		;
	if (n != 16 || m >= text.n || m - n - 1 >= sizeof field)
		return;
	memcpy(tag, text.p, 16);
	tag[16] = '\0';
	memcpy(field, text.p + n + 1, m - n - 1);
	field[m - n - 1] = '\0';
	f = sat_kind_field(v->kind, field);
	if (f == NULL || f->dup_weight < s->o->min_score ||
	    has_tag(s->a, &v->rec, tag) || is_family(s, &v->rec.id, tag))
		return;
	if ((p = find_pair(s, tag)) == NULL) {
		p = add_pair(s, tag);
		p->kind = v->kind;
		p->a = v->rec.id;
		p->owner = sat_arena_str(s->a, (const char *)text.p + m + 1,
		    text.n - m - 1);
	} else if (!sat_id_zero(&p->b)) {
		return; /* both are here: we know better */
	}
	if (p->nfields < sizeof p->fields / sizeof p->fields[0])
		p->fields[p->nfields++] = f->key;
	if (f->dup_weight > p->score)
		p->score = f->dup_weight;
}

static sat_rc
on_told(void *u, const sat_view *v, sat_err *e)
{
	scan *s = u;
	const sat_cell *c = sat_record_cell(&v->rec, SAT_SYS_CANDIDATES);
	sat_element *el;
	sat_id to;
	size_t n;

	(void)e;
	if (c == NULL || v->rec.deleted || sat_record_redirect(&to, &v->rec))
		return SAT_OK;
	n = sat_cell_elements(&el, s->a, c);
	for (size_t i = 0; i < n; i++)
		told(s, v, el[i].text);
	return SAT_OK;
}

static int
by_score(const void *a, const void *b)
{
	const sat_pair *x = a, *y = b;

	if (x->score != y->score)
		return y->score - x->score;
	return strcmp(x->key, y->key);
}

sat_rc
sat_crm_pairs(sat_pair **out, size_t *n, sat_arena *a, sat_crm *c,
    const sat_pair_opts *o, sat_err *e)
{
	scan s = { .c = c, .a = a, .o = o };
	const sat_template *t = sat_replica_template(c->replica);
	sat_rc rc;

	*out = NULL;
	*n = 0;
	if (t == NULL)
		return SAT_OK;
	rc = sat_replica_alike(c->replica, GROUP_MAX, on_group, &s, e);
	for (size_t i = 0; rc == SAT_OK && o->weak &&
	    i < sat_template_kinds(t); i++) {
		const sat_kind *k = sat_template_kind_at(t, i);

		if (k->scope == SAT_SCOPE_ROOT && name_field(k) != NULL)
			rc = look_alike(&s, k, e);
	}
	if (rc == SAT_OK)
		rc = sat_replica_each_told(c->replica, on_told, &s, e);
	if (rc != SAT_OK)
		return rc;
	if (s.n > 1)
		qsort(s.list, s.n, sizeof *s.list, by_score);
	*out = s.list;
	*n = s.n;
	return SAT_OK;
}

/* ---- no duplicates ------------------------------------------------------------------------ */

sat_rc
sat_crm_dismiss(sat_crm *c, const sat_pair *p, sat_err *e)
{
	sat_op ops[2];
	sat_draft d = { .subject = p->a, .ops = ops };
	uint64_t cseq;

	memset(ops, 0, sizeof ops);
	for (size_t i = 0; i < (sat_id_zero(&p->b) ? 1u : 2u); i++) {
		ops[i].kind = SAT_OP_SADD;
		ops[i].rtype = p->kind->id;
		ops[i].field = SAT_SYS_DISMISSED;
		ops[i].rec = i == 0 ? p->a : p->b;
		ops[i].value = sat_v_text(sat_span_str(p->key));
		d.nops++;
	}
	return sat_replica_write(c->replica, &d, &cseq, e);
}
