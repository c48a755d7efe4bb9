/*
 * seek.c - searching: the index read from one end to the other.
 *
 * Whole blocks that cannot hold the word are passed over by one memmem; pinyin
 * is compared character by character. What is found is ranked by how well it
 * fits, then the newest first.
 */
#include "client/replica/search_int.h"

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
	raw_hit *hit;
	size_t n, cap;
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

/* Lengths are nearly always a byte. */
static inline uint64_t
take_uint(sat_reader *rd)
{
	if (rd->left > 0 && *rd->p < 0x80) {
		rd->left--;
		return *rd->p++;
	}
	return sat_read_uint(rd);
}

static inline sat_span
take_span(sat_reader *rd)
{
	uint64_t n = take_uint(rd);
	sat_span s = { rd->p, (size_t)n };

	if (n > rd->left) {
		sat_read_bad(rd, "a text is cut short");
		return sat_span_of("", 0);
	}
	rd->p += n;
	rd->left -= (size_t)n;
	return s;
}

static bool
look(seek *s, raw_hit *h, sat_span body)
{
	const met_field none = { SCORE_NONE, 0 };
	met_field word[2][SAT_NEEDLE_WORDS], phone[2] = { none, none };
	sat_reader rd = { body.p, body.n, NULL };

	for (size_t i = 0; i < s->needle.n; i++)
		word[0][i] = word[1][i] = none;
	h->flags = (uint32_t)take_uint(&rd);
	while (rd.left > 0 && rd.fault == NULL) {
		uint16_t field = (uint16_t)take_uint(&rd);
		sat_span text = take_span(&rd);
		uint8_t as = field < FIELDS_KNOWN ? s->as[field] : 0;
		int from = (as & AS_MASKED) != 0;

		if ((as & AS_PHONE) != 0) {
			sat_hit hit = s->needle.nphone == 0 ? SAT_HIT_NONE :
			    sat_needle_phone(&s->needle, text, NULL, NULL);

			for (int m = from; m < 2; m++)
				better(&phone[m], hit, false, field);
			continue;
		}
		for (size_t i = 0; i < s->needle.n; i++) {
			sat_hit hit = sat_word_hit(&s->needle.word[i], text,
			    NULL, NULL);

			for (int m = from; m < 2 && hit < SAT_HIT_NONE; m++)
				better(&word[m][i], hit, (as & AS_MAIN) == 0,
				    field);
		}
	}
	h->open = sum_up(word[0], s->needle.n, phone[0]);
	h->all = sum_up(word[1], s->needle.n, phone[1]);
	return h->all.score < SCORE_NONE;
}

/* ---- blocks ------------------------------------------------------------------------------ */

/* The rarest word decides for the rows of a block together; a phone is in it as
 * digits. */
static bool
may_hold(const sat_needle *q, sat_span block)
{
	if (q->nphone > 0 && memmem(block.p, block.n, q->phone, q->nphone) !=
	    NULL)
		return true;
	for (size_t i = 0; i < q->n; i++)
		if (!sat_word_near(&q->word[i], block))
			return false;
	return q->n > 0;
}

static void
seek_block(seek *s, sat_span data)
{
	sat_reader rd = { data.p, data.n, NULL };

	while (rd.left > 0 && rd.fault == NULL) {
		raw_hit h = { .k = s->k, .rid = (int64_t)sat_read_uint(&rd) };
		sat_span body = take_span(&rd);

		if (rd.fault != NULL || !may_hold(&s->needle, body) ||
		    !look(s, &h, body))
			continue;
		if (s->n == s->cap) {
			s->cap = s->cap * 2 + 256;
			s->hit = sat_xrealloc(s->hit, s->cap * sizeof *s->hit);
		}
		s->hit[s->n++] = h;
	}
}

static sat_rc
seek_part(seek *s, replica_kind *k, int part, sat_err *e)
{
	sat_stmt *st;
	bool row;
	sat_rc rc;

	if (k->search[part].n == 0)
		return SAT_OK;
	if ((rc = search_need(s->r, k, part, e)) != SAT_OK ||
	    (rc = sat_db_stmt(&st, s->r->db, SQL_SEARCH_RANGE, e)) != SAT_OK)
		return rc;
	find_roles(s, k);
	sat_bind_int(st, 1, search_key(k, part, 0));
	sat_bind_int(st, 2, search_key(k, part, SEARCH_RID_MAX));
	while ((rc = sat_step(&row, st, e)) == SAT_OK && row) {
		sat_span data = sat_col_blob(st, 1);

		if (may_hold(&s->needle, data))
			seek_block(s, data);
	}
	return rc;
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

bool
sat_replica_masks(const sat_replica *r, const sat_field *f, sat_relation rel)
{
	return f->mask != NULL && (r->me == NULL || r->t == NULL ||
	    !sat_grant_covers(sat_acl(r->t, r->me->role, "phone.reveal"),
	    rel));
}

/* What a masked field alone would tell is not told; the number of a phone must
 * not be found by trying. */
static sat_rc
unmask(raw_hit *h, sat_replica *r, sat_err *e)
{
	const sat_field *f = sat_kind_field_id(h->k->kind, h->all.field);
	sat_relation rel;
	sat_id id;
	sat_rc rc;

	if (h->open.score == h->all.score)
		return SAT_OK;
	if ((rc = id_of_rid(&id, r, h->k, h->rid, e)) != SAT_OK ||
	    (rc = sat_replica_relation(&rel, r, h->k->kind, &id, e)) != SAT_OK)
		return rc;
	if (f == NULL || sat_replica_masks(r, f, rel))
		h->all = h->open;
	return SAT_OK;
}

static sat_rc
keep_visible(seek *s, sat_err *e)
{
	size_t n = 0;
	sat_rc rc;

	for (size_t i = 0; i < s->n; i++) {
		if ((rc = unmask(&s->hit[i], s->r, e)) != SAT_OK)
			return rc;
		if (s->hit[i].all.score < SCORE_NONE)
			s->hit[n++] = s->hit[i];
	}
	s->n = n;
	return SAT_OK;
}

static seek *
begin(sat_replica *r, sat_span text)
{
	seek *s = sat_xcalloc(1, sizeof *s);

	s->r = r;
	sat_needle_make(&s->needle, text);
	return s;
}

static void
end(seek *s)
{
	if (s != NULL)
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
	seek *s = begin(r, text);
	sat_rc rc = SAT_OK;

	sat_buf_str(json, "[0");
	for (size_t i = 0; i < r->kinds->n && rc == SAT_OK; i++)
		for (int p = 0; p < REPLICA_SEARCH_PARTS && rc == SAT_OK; p++)
			if (r->kinds->k[i].kind->id == kind->id)
				rc = seek_part(s, &r->kinds->k[i], p, e);
	if (rc == SAT_OK)
		rc = keep_visible(s, e);
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

/* The best `max` in order at the front; all of thousands need not be sorted. */
static void
choose(seek *s, size_t max)
{
	if (s->n == 0)
		return;
	part(s->hit, s->n, max);
	qsort(s->hit, s->n < max ? s->n : max, sizeof *s->hit, by_score);
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

/* Deleted and masked rows are no answers. */
static void
leave_out_hidden(seek *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++)
		if ((s->hit[i].flags & (ROW_DELETED | ROW_MASKED)) == 0)
			s->hit[n++] = s->hit[i];
	s->n = n;
}

sat_rc
sat_replica_search(sat_found **out, size_t *n, int64_t *total, sat_arena *a,
    sat_replica *r, const sat_search *q, sat_err *e)
{
	seek *s = begin(r, q->text);
	size_t max = q->limit < SAT_SEARCH_MAX ? q->limit : SAT_SEARCH_MAX;
	sat_rc rc = SAT_OK;

	*out = NULL;
	*n = 0;
	*total = 0;
	for (size_t i = 0; r->kinds != NULL && i < r->kinds->n; i++) {
		replica_kind *k = &r->kinds->k[i];

		if (!wanted(q, k))
			continue;
		if ((rc = seek_part(s, k, 0, e)) != SAT_OK ||
		    (q->all_texts &&
		    (rc = seek_part(s, k, 1, e)) != SAT_OK))
			goto out;
	}
	leave_out_hidden(s);
	if ((rc = keep_visible(s, e)) != SAT_OK)
		goto out;
	*total = (int64_t)s->n;
	/* some may turn out to be one record */
	choose(s, max + 64);
	rc = list_best(out, n, a, s, max, e);
	if (s->n <= max) /* all were looked at: merged ones count once */
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
