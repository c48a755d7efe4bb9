/*
 * A sample of a batch for people to look at (抽查), and what they found.
 *
 * Each record's place is a hash of the seed and its id, so the sample is the
 * same whoever draws it; a record that is deleted leaves its place to the next
 * and moves no other.
 */
#include "client/crm/import_int.h"
#include "common/crypto/crypto.h"

#include <stdlib.h>
#include <string.h>

#include "protocol/derived.h"

typedef struct place {
	uint64_t rank;
	sat_id id;
} place;

typedef struct drawing {
	sat_crm *c;
	crm_actor who;
	imp_range range;
	const sat_kind *kind;
	uint8_t key[16];
	place *list, one;
	size_t n, cap;
	bool any;
} drawing;

static void
keep_one(drawing *x)
{
	if (!x->any)
		return;
	if (x->n == x->cap) {
		x->cap = x->cap > 0 ? x->cap * 2 : 256;
		x->list = sat_xrealloc(x->list, x->cap * sizeof *x->list);
	}
	x->one.rank = sat_siphash24(x->key, sat_span_of(x->one.id.b, 16));
	x->list[x->n++] = x->one;
	x->any = false;
}

static sat_rc
take_stamp(void *u, const sat_id *id, const sat_cell *c, sat_err *e)
{
	drawing *x = u;

	(void)e;
	if (c->field == 0) {
		keep_one(x);
		x->one.id = *id;
	}
	x->any = x->any || imp_in_range(&x->range, &c->at);
	return SAT_OK;
}

static int
by_rank(const void *a, const void *b)
{
	const place *x = a, *y = b;

	return x->rank != y->rank ? (x->rank < y->rank ? -1 : 1) :
	    memcmp(x->id.b, y->id.b, sizeof x->id.b);
}

/* ---- one row ---------------------------------------------------------------------- */

static const char *
text_of(sat_arena *a, drawing *x, const sat_view *v, const char *key,
    const char *or_key)
{
	const sat_field *f = sat_kind_field(v->kind, key);
	sat_buf b = { 0 };
	sat_value is;

	if (f == NULL && or_key != NULL)
		f = sat_kind_field(v->kind, or_key);
	if (f == NULL)
		return NULL;
	is = sat_record_value(&v->rec, f->id);
	if (is.type != SAT_V_TEXT)
		return NULL;
	if (f->mask != NULL && sat_crm_masked(x->c, v->kind, &v->rec.id, f))
		is = crm_mask(&b, is);
	key = sat_arena_str(a, (const char *)is.s.p, is.s.n);
	sat_buf_fini(&b);
	return key;
}

/* Two people who look at the same row make one record. */
static sat_id
verdict_id(const char *batch, const sat_id *rec)
{
	return sat_id_derive("import.audit", rec, batch);
}

static sat_rc
read_verdict(sat_import_drawn *d, drawing *x, const char *batch, sat_err *e)
{
	const sat_kind *k = sat_template_kind(x->who.t, "sample");
	const sat_field *f = k != NULL ? sat_kind_field(k, "correct") : NULL;
	sat_id id = verdict_id(batch, &d->id);
	sat_arena a = { 0 };
	sat_view v;
	sat_rc rc;

	d->verdict = SAT_DRAWN_OPEN;
	if (f == NULL)
		return SAT_OK;
	rc = sat_replica_get(&v, &a, x->c->replica, k, &id, e);
	if (rc == SAT_OK)
		d->verdict = sat_record_value(&v.rec, f->id).i != 0 ?
		    SAT_DRAWN_PASS : SAT_DRAWN_FAIL;
	sat_arena_fini(&a);
	return rc == SAT_ENOTFOUND ? SAT_OK : rc;
}

static sat_rc
put_row(sat_import_drawn *d, sat_arena *a, drawing *x, const char *batch,
    sat_err *e)
{
	sat_arena own = { 0 };
	sat_view v;
	sat_rc rc = sat_replica_get(&v, &own, x->c->replica, x->kind, &d->id,
	    e);

	if (rc == SAT_OK) {
		d->number = text_of(a, x, &v, "number", NULL);
		d->name = text_of(a, x, &v, "name", x->kind->title != NULL ?
		    x->kind->title->key : NULL);
		d->contact = text_of(a, x, &v, "contact_name", NULL);
		d->phone = text_of(a, x, &v, "phone_main", "phone");
		rc = read_verdict(d, x, batch, e);
	}
	sat_arena_fini(&own);
	return rc;
}

/* ---- the sample -------------------------------------------------------------------- */

static sat_rc
choose_kind(drawing *x, const sat_view *batch, sat_err *e)
{
	const sat_field *f = sat_kind_field(batch->kind, "record_kind");
	sat_value is = f != NULL ? sat_record_value(&batch->rec, f->id) :
	    sat_v_null();
	char key[64] = "";

	if (is.type == SAT_V_TEXT && is.s.n < sizeof key)
		memcpy(key, is.s.p, is.s.n);
	x->kind = sat_template_kind(x->who.t, key);
	if (x->kind != NULL && (strcmp(key, "account") == 0 ||
	    (x->kind->parent != NULL &&
	    strcmp(x->kind->parent->ref, "account") == 0)))
		return SAT_OK;
	return sat_fail_code(e, SAT_EUSAGE, "import.audit", NULL,
	    "only customers and what is under them can be sampled");
}

sat_rc
sat_crm_import_sample(sat_import_sample *out, sat_arena *a, sat_crm *c,
    const char *batch, int64_t n, int64_t seed, sat_err *e)
{
	drawing x = { .c = c };
	sat_view v;
	sat_rc rc;

	memset(out, 0, sizeof *out);
	if (n < 1 || n > SAT_IMPORT_SAMPLE_MAX)
		return sat_fail_code(e, SAT_EUSAGE, "usage.option", NULL,
		    "a sample has 1 to %d rows", SAT_IMPORT_SAMPLE_MAX);
	if ((rc = imp_batch_find(&v, &x.range, a, &x.who, c, batch, e)) !=
	    SAT_OK || (rc = choose_kind(&x, &v, e)) != SAT_OK)
		return rc;
	sat_id_text(out->batch, &v.rec.id);
	for (size_t i = 0; i < 8; i++)
		x.key[i] = (uint8_t)((uint64_t)seed >> (8 * i));
	rc = sat_replica_each_stamp(c->replica, x.kind, 0, take_stamp, &x, e);
	keep_one(&x);
	if (x.n > 0)
		qsort(x.list, x.n, sizeof *x.list, by_rank);
	out->kind = x.kind;
	out->population = (int64_t)x.n;
	out->n = x.n < (size_t)n ? x.n : (size_t)n;
	out->rows = sat_arena_alloc(a, (out->n + 1) * sizeof *out->rows);
	memset(out->rows, 0, (out->n + 1) * sizeof *out->rows);
	for (size_t i = 0; rc == SAT_OK && i < out->n; i++) {
		out->rows[i].row = (int64_t)i + 1;
		out->rows[i].id = x.list[i].id;
		rc = put_row(&out->rows[i], a, &x, out->batch, e);
	}
	free(x.list);
	return rc;
}

/* ---- what was found ------------------------------------------------------------------ */

/* The customer it is about. */
static sat_rc
customer_of(sat_id *out, sat_crm *c, const sat_kind *k, const sat_id *id,
    sat_err *e)
{
	sat_arena a = { 0 };
	sat_value p;
	sat_view v;
	sat_rc rc = SAT_OK;

	*out = *id;
	if (k->parent != NULL &&
	    (rc = sat_replica_get(&v, &a, c->replica, k, id, e)) == SAT_OK) {
		p = sat_record_value(&v.rec, k->parent->id);
		if (p.type == SAT_V_BYTES && p.s.n == 16)
			memcpy(out->b, p.s.p, 16);
	}
	sat_arena_fini(&a);
	return rc;
}

static sat_rc
write_verdict(crm_work *w, const sat_import_sample *s,
    const sat_import_drawn *d, bool correct, const char *fields, sat_err *e)
{
	char row[SAT_ID_TEXT];
	uint64_t cseq;
	sat_id account;
	sat_rc rc = customer_of(&account, w->c, s->kind, &d->id, e);

	if (rc != SAT_OK)
		return rc;
	sat_id_text(row, &d->id);
	crm_put_key(w, "account", sat_v_id(&account));
	crm_put_key(w, "correct", sat_v_int(correct));
	if (fields != NULL && fields[0] != '\0')
		crm_put_key(w, "fields", sat_v_text(sat_span_str(fields)));
	crm_put_key(w, "batch", sat_v_text(sat_span_str(s->batch)));
	crm_put_key(w, "row", sat_v_text(sat_span_str(row)));
	if ((rc = crm_defaults(w, e)) != SAT_OK ||
	    (rc = crm_relate(w, e)) != SAT_OK ||
	    (rc = crm_judge(w, e)) != SAT_OK)
		return rc;
	w->id = verdict_id(s->batch, &d->id);
	return crm_write(w, 0, &cseq, e);
}

sat_rc
sat_crm_import_verdict(sat_crm *c, const sat_import_sample *s, size_t row,
    bool correct, const char *fields, sat_err *e)
{
	sat_arena a = { 0 };
	const sat_kind *k;
	crm_actor who;
	crm_work w;
	sat_rc rc = crm_actor_get(&who, c, e);

	if (rc != SAT_OK)
		return rc;
	if (row < 1 || row > s->n)
		return sat_fail_code(e, SAT_EUSAGE, "usage.option", NULL,
		    "the sample has rows 1 to %zu", s->n);
	if (s->rows[row - 1].verdict != SAT_DRAWN_OPEN)
		return sat_fail_code(e, SAT_ECONFLICT, "import.audited", NULL,
		    "row %zu was judged already", row);
	if ((k = sat_template_kind(who.t, "sample")) == NULL)
		return sat_fail_code(e, SAT_EVERSION, "import.kind", NULL,
		    "this template has no kind sample");
	crm_work_begin(&w, c, &who, &a, k, NULL);
	rc = write_verdict(&w, s, &s->rows[row - 1], correct, fields, e);
	if (rc == SAT_OK)
		s->rows[row - 1].verdict = correct ? SAT_DRAWN_PASS :
		    SAT_DRAWN_FAIL;
	sat_arena_fini(&a);
	return rc;
}
