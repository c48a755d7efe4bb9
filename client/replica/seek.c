/*
 * seek.c - searching: the lanes of the index that can answer, read from one end
 * to the other.
 *
 * The lanes are read side by side, so that what a row says in each is judged
 * together. What stands between two places that can be met is passed over;
 * pinyin is compared character by character. What is found is ranked by how
 * well it fits, then the newest first; of thousands only the best are kept.
 */
#include "client/replica/seek_int.h"

#include <stdlib.h>
#include <string.h>

/* What a field is to a search. */
enum {
	AS_MAIN = 1,   /* title, number: before all others */
	AS_PHONE = 2,
	AS_MASKED = 4, /* shown to those with the right alone */
};
#define FIELDS_KNOWN 1024

#define SCORE_NONE (2 * SAT_HIT_NONE)
typedef struct met_field {
	uint8_t score;  /* 2 x sat_hit, + 1 for a lesser field */
	uint16_t field;
} met_field;

typedef struct raw_hit {
	const replica_kind *k;
	int64_t rid;
	uint32_t flags;
	met_field open;   /* by what everybody sees */
	met_field all;    /* by what is masked for some, too */
} raw_hit;

typedef struct seek {
	sat_replica *r;
	const replica_kind *k;
	sat_needle needle;
	uint8_t as[FIELDS_KNOWN];
	bool shown;     /* deleted and masked rows are no answers */
	size_t max;     /* so many of the best are wanted */
	int64_t found;
	raw_hit *hit;   /* the best so far, and some more */
	size_t n, cap;
	bool full;      /* `worst` is one of the best `max` */
	raw_hit worst;
} seek;

static void
find_roles(seek *s, const replica_kind *k)
{
	memset(s->as, 0, sizeof s->as);
	s->k = k;
	for (size_t i = 0; i < k->n; i++) {
		const sat_field *f = k->fields[i];
		uint8_t as = 0;

		if (f == k->kind->title || strcmp(f->key, "number") == 0)
			as |= AS_MAIN;
		if (f->type == SAT_F_PHONE)
			as |= AS_PHONE | AS_MAIN;
		if (f->mask != NULL)
			as |= AS_MASKED;
		if (f->id < FIELDS_KNOWN)
			s->as[f->id] = as;
	}
	s->as[SAT_SYS_ALIASES] = AS_MAIN;
}

/* ---- one row --------------------------------------------------------------------------- */

static void
better(met_field *best, sat_hit hit, bool lesser, uint16_t field)
{
	uint8_t score = (uint8_t)(2 * hit + lesser);

	if (hit < SAT_HIT_NONE && score < best->score)
		*best = (met_field){ score, field };
}

/* The worst of the words is what the row is worth; the first one's field is
 * what is shown. */
static met_field
sum_up(const met_field *word, size_t n, met_field phone)
{
	met_field m = { 0, word[0].field };

	for (size_t i = 0; i < n; i++)
		if (word[i].score > m.score)
			m.score = word[i].score;
	if (n == 0 || m.score > phone.score)
		m = phone;
	return m;
}

/* The bodies of one row, per lane; empty where it has nothing. */
typedef struct bodies {
	sat_span lane[SEARCH_LANES];
} bodies;

typedef struct looked {
	met_field word[2][SAT_NEEDLE_WORDS], phone[2];
} looked;

static void
look_at(const seek *s, raw_hit *h, looked *met, int l, sat_span body)
{
	const uint8_t *p = body.p, *end = body.p + body.n;
	uint64_t field;
	sat_span text;

	while (p < end && search_uint(&field, &p, end) &&
	    search_span(&text, &p, end)) {
		uint8_t as = field < FIELDS_KNOWN ? s->as[field] : 0;
		int from = (as & AS_MASKED) != 0;

		if (field == 0) {
			sat_reader rd = sat_reader_of(text);

			h->flags = (uint32_t)sat_read_uint(&rd);
			continue;
		}
		if ((as & AS_PHONE) != 0) {
			sat_hit hit = sat_needle_phone(&s->needle, text, NULL,
			    NULL);

			for (int m = from; m < 2; m++)
				better(&met->phone[m], hit, false,
				    (uint16_t)field);
			continue;
		}
		for (size_t i = 0; i < s->needle.n; i++) {
			const sat_word *w = &s->needle.word[i];
			sat_hit hit = l == SEARCH_WIDE ?
			    sat_word_hit_han(w, text) :
			    sat_word_hit(w, text, NULL, NULL);

			for (int m = from; m < 2 && hit < SAT_HIT_NONE; m++)
				better(&met->word[m][i], hit,
				    (as & AS_MAIN) == 0, (uint16_t)field);
		}
	}
}

static bool
look(const seek *s, raw_hit *h, const bodies *b)
{
	looked met;

	for (int m = 0; m < 2; m++) {
		met.phone[m] = (met_field){ SCORE_NONE, 0 };
		for (size_t i = 0; i < s->needle.n; i++)
			met.word[m][i] = met.phone[m];
	}
	for (int l = 0; l < SEARCH_LANES; l++)
		if (b->lane[l].n > 0)
			look_at(s, h, &met, l, b->lane[l]);
	h->open = sum_up(met.word[0], s->needle.n, met.phone[0]);
	h->all = sum_up(met.word[1], s->needle.n, met.phone[1]);
	return h->all.score < SCORE_NONE;
}

/* Of several words the rarest decides for the texts of a row together. */
static bool
may_hold(const seek *s, const bodies *b)
{
	const sat_needle *q = &s->needle;
	sat_span phone = b->lane[SEARCH_PHONE];
	bool near;

	if (q->nphone > 0 && phone.n > 0 &&
	    memmem(phone.p, phone.n, q->phone, q->nphone) !=
	    NULL)
		return true;
	for (size_t i = 0; i < q->n; i++) {
		near = false;
		for (int l = 0; l < SEARCH_PHONE && !near; l++)
			near = b->lane[l].n > 0 &&
			    seek_word_near(q, i, l, b->lane[l]) != NULL;
		if (!near)
			return false;
	}
	return q->n > 0;
}

/* ---- what is kept ------------------------------------------------------------------------ */

static int
by_score(const void *a, const void *b)
{
	const raw_hit *x = a, *y = b;

	if (x->all.score != y->all.score)
		return x->all.score - y->all.score;
	if (x->k != y->k)
		return x->k < y->k ? -1 : 1;
	return (x->rid < y->rid) - (x->rid > y->rid); /* the newest first */
}

/* The best `max` at the front, in no order: what is searched for by one letter
 * is found in every record. */
static void
part(raw_hit *h, size_t n, size_t max)
{
	while (n > max) {
		raw_hit pivot = h[(n - 1) / 2], t;
		size_t i = 0, j = n - 1;

		for (;; i++, j--) {
			while (by_score(&h[i], &pivot) < 0)
				i++;
			while (by_score(&h[j], &pivot) > 0)
				j--;
			if (i >= j)
				break;
			t = h[i];
			h[i] = h[j];
			h[j] = t;
		}
		if (max <= j + 1) {
			n = j + 1;
		} else {
			h += j + 1;
			n -= j + 1;
			max -= j + 1;
		}
	}
}

static void
add(seek *s, const raw_hit *h)
{
	s->found++;
	if (s->full && by_score(h, &s->worst) >= 0)
		return;
	if (s->n == s->cap) {
		s->cap = s->cap * 2 + 256;
		s->hit = sat_xrealloc(s->hit, s->cap * sizeof *s->hit);
	}
	s->hit[s->n++] = *h;
	if (s->n / 2 < s->max)
		return;
	part(s->hit, s->n, s->max);
	s->n = s->max;
	s->worst = s->hit[0];
	for (size_t i = 1; i < s->n; i++)
		if (by_score(&s->hit[i], &s->worst) > 0)
			s->worst = s->hit[i];
	s->full = true;
}

/* ---- who may see by what it was found ------------------------------------------------------ */

static sat_rc
id_of_rid(sat_id *id, sat_replica *r, const replica_kind *k, int64_t rid,
    sat_err *e)
{
	sat_stmt *s;
	bool row;
	sat_rc rc;

	memset(id, 0, sizeof *id);
	if ((rc = replica_kind_stmt(&s, r, k, KQ_ID_OF, e)) != SAT_OK)
		return rc;
	sat_bind_int(s, 1, rid);
	if ((rc = sat_step(&row, s, e)) != SAT_OK || !row)
		return rc;
	if (sat_col_blob(s, 0).n == sizeof id->b)
		memcpy(id->b, sat_col_blob(s, 0).p, sizeof id->b);
	sat_stmt_reset(s);
	return SAT_OK;
}

static bool
is_shown_masks(const sat_replica *r, sat_relation rel)
{
	return r->me == NULL || r->t == NULL || !sat_grant_covers(
	    sat_acl(r->t, r->me->role, "phone.reveal"), rel);
}

bool
sat_replica_masks(const sat_replica *r, const sat_field *f, sat_relation rel)
{
	return f->mask != NULL && is_shown_masks(r, rel);
}

/* What a masked field alone would tell is not told, not even of one word among
 * several: the number of a phone must not be found by trying. */
static sat_rc
unmask(raw_hit *h, sat_replica *r, sat_err *e)
{
	sat_relation rel;
	sat_id id;
	sat_rc rc;

	if (h->open.score == h->all.score) { /* but maybe by another field */
		h->all = h->open;
		return SAT_OK;
	}
	if ((rc = id_of_rid(&id, r, h->k, h->rid, e)) != SAT_OK ||
	    (rc = sat_replica_relation(&rel, r, h->k->kind, &id, e)) != SAT_OK)
		return rc;
	if (is_shown_masks(r, rel))
		h->all = h->open;
	return SAT_OK;
}

/* ---- one part --------------------------------------------------------------------------- */

static sat_rc
judge(seek *s, int64_t rid, const bodies *b, sat_err *e)
{
	raw_hit h = { .k = s->k, .rid = rid };
	sat_rc rc;

	if ((s->needle.n > 1 && !may_hold(s, b)) || !look(s, &h, b) || (s->shown &&
	    (h.flags & (ROW_DELETED | ROW_MASKED)) != 0))
		return SAT_OK;
	if ((rc = unmask(&h, s->r, e)) != SAT_OK)
		return rc;
	if (h.all.score < SCORE_NONE)
		add(s, &h);
	return SAT_OK;
}

/* The row of the lowest number any lane stands at. */
static sat_rc
judge_lowest(seek *s, seek_lane ln[SEARCH_LANES], sat_err *e)
{
	int64_t rid = INT64_MAX;
	bodies b = { 0 };
	sat_rc rc;

	for (int l = 0; l < SEARCH_LANES; l++)
		if (ln[l].s != NULL && ln[l].w.rid < rid)
			rid = ln[l].w.rid;
	for (int l = 0; l < SEARCH_LANES; l++)
		if (ln[l].s != NULL && ln[l].w.rid == rid)
			b.lane[l] = ln[l].w.body;
	if ((rc = judge(s, rid, &b, e)) != SAT_OK)
		return rc;
	for (int l = 0; l < SEARCH_LANES; l++)
		if (b.lane[l].n > 0 && (rc = seek_lane_next(&ln[l], &s->needle, l,
		    e)) != SAT_OK)
			return rc;
	return SAT_OK;
}

static sat_rc
seek_part(seek *s, replica_kind *k, int part, sat_err *e)
{
	seek_lane ln[SEARCH_LANES] = { 0 };
	bool more = true;
	sat_rc rc;

	if (k->search[part].n == 0)
		return SAT_OK;
	if ((rc = search_need(s->r, k, part, e)) != SAT_OK)
		return rc;
	find_roles(s, k);
	for (int l = 0; l < SEARCH_LANES && rc == SAT_OK; l++)
		if ((rc = seek_lane_open(&ln[l], s->r, k, part, l,
		    &s->needle, e)) == SAT_OK)
			rc = seek_lane_next(&ln[l], &s->needle, l, e);
	while (rc == SAT_OK && more) {
		more = false;
		for (int l = 0; l < SEARCH_LANES; l++)
			more |= ln[l].s != NULL;
		if (more)
			rc = judge_lowest(s, ln, e);
	}
	for (int l = 0; l < SEARCH_LANES; l++)
		if (ln[l].s != NULL) /* an error left it half read */
			sat_stmt_reset(ln[l].s);
	return rc;
}

static seek *
begin(sat_replica *r, sat_span text, size_t max)
{
	seek *s = sat_xcalloc(1, sizeof *s);

	s->r = r;
	s->max = max;
	sat_needle_make(&s->needle, text);
	return s;
}

static void
end(seek *s)
{
	free(s->hit);
	free(s);
}

/* ---- for a list ------------------------------------------------------------------------------ */

/* What a merged record says finds the one it leads to. */
static sat_rc
add_heir(sat_buf *json, sat_replica *r, const raw_hit *h, sat_err *e)
{
	sat_id id;
	sat_stmt *s;
	bool row;
	sat_rc rc;

	if ((rc = id_of_rid(&id, r, h->k, h->rid, e)) != SAT_OK ||
	    (rc = sat_replica_canon(&id, r, &id, e)) != SAT_OK ||
	    (rc = replica_kind_stmt(&s, r, h->k, KQ_RID_OF, e)) != SAT_OK)
		return rc;
	sat_bind_blob(s, 1, sat_span_of(id.b, sizeof id.b));
	if ((rc = sat_step(&row, s, e)) != SAT_OK || !row)
		return rc;
	sat_buf_fmt(json, ",%lld", (long long)sat_col_int(s, 0));
	sat_stmt_reset(s);
	return SAT_OK;
}

sat_rc
replica_search_rids(sat_buf *json, sat_replica *r, const sat_kind *kind,
    sat_span text, sat_err *e)
{
	seek *s = begin(r, text, SIZE_MAX);
	sat_rc rc = SAT_OK;

	sat_buf_str(json, "[0");
	for (size_t i = 0; i < r->kinds->n && rc == SAT_OK; i++)
		for (int p = 0; p < REPLICA_SEARCH_PARTS && rc == SAT_OK; p++)
			if (r->kinds->k[i].kind->id == kind->id)
				rc = seek_part(s, &r->kinds->k[i], p, e);
	for (size_t i = 0; i < s->n && rc == SAT_OK; i++) {
		sat_buf_fmt(json, ",%lld", (long long)s->hit[i].rid);
		if ((s->hit[i].flags & ROW_MERGED) != 0)
			rc = add_heir(json, r, &s->hit[i], e);
	}
	sat_buf_str(json, "]");
	end(s);
	return rc;
}

/* ---- for a person ------------------------------------------------------------------------------- */

bool
sat_replica_searched(const sat_kind *k)
{
	return k->title != NULL && search_part_of_field(k, k->title) == 0;
}

static bool
wanted(const sat_search *q, const replica_kind *k)
{
	for (size_t i = 0; i < q->nkinds; i++)
		if (q->kinds[i]->id == k->kind->id)
			return true;
	return false;
}

static sat_rc
resolve(sat_found *f, sat_replica *r, const raw_hit *h, sat_err *e)
{
	sat_rc rc = id_of_rid(&f->self, r, h->k, h->rid, e);

	f->kind = h->k->kind;
	f->field = sat_kind_field_id(f->kind, h->all.field);
	f->hit = (sat_hit)(h->all.score / 2);
	f->id = f->self;
	return rc != SAT_OK || (h->flags & ROW_MERGED) == 0 ? rc :
	    sat_replica_canon(&f->id, r, &f->self, e);
}

/* One line per record, though two merged into it may have been found. */
static sat_rc
list_best(sat_found **out, size_t *n, sat_arena *a, seek *s, size_t max,
    sat_err *e)
{
	sat_found f;
	bool known;
	sat_rc rc;

	*out = sat_arena_alloc(a, (max + 1) * sizeof **out);
	for (size_t i = 0; i < s->n && *n < max; i++) {
		if ((rc = resolve(&f, s->r, &s->hit[i], e)) != SAT_OK)
			return rc;
		known = false;
		for (size_t j = 0; j < *n; j++)
			known |= sat_id_eq(&(*out)[j].id, &f.id);
		if (!known)
			(*out)[(*n)++] = f;
	}
	return SAT_OK;
}

sat_rc
sat_replica_search(sat_found **out, size_t *n, int64_t *total, sat_arena *a,
    sat_replica *r, const sat_search *q, sat_err *e)
{
	size_t max = q->limit < SAT_SEARCH_MAX ? q->limit : SAT_SEARCH_MAX;
	/* some may turn out to be one record */
	seek *s = begin(r, q->text, max + 64);
	sat_rc rc = SAT_OK;

	*out = NULL;
	*n = 0;
	*total = 0;
	s->shown = true;
	for (size_t i = 0; r->kinds != NULL && i < r->kinds->n; i++) {
		replica_kind *k = &r->kinds->k[i];

		if (!wanted(q, k))
			continue;
		if ((rc = seek_part(s, k, 0, e)) != SAT_OK ||
		    (q->all_texts &&
		    (rc = seek_part(s, k, 1, e)) != SAT_OK))
			goto out;
	}
	*total = s->found;
	if (s->n > 0)
		qsort(s->hit, s->n, sizeof *s->hit, by_score);
	rc = list_best(out, n, a, s, max, e);
	if (s->found <= (int64_t)max) /* all were looked at: merged ones count once */
		*total = (int64_t)*n;
out:
	end(s);
	return rc;
}

sat_rc
sat_replica_search_ready(sat_replica *r, sat_err *e)
{
	sat_rc rc = SAT_OK;

	for (size_t i = 0; r->kinds != NULL && i < r->kinds->n && rc == SAT_OK;
	    i++)
		if (sat_replica_searched(r->kinds->k[i].kind))
			rc = search_need(r, &r->kinds->k[i], 0, e);
	return rc;
}
