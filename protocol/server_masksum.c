/*
 * server_masksum.c - sums of what a role with a mask is shown (P-243).
 *
 * Why sums of the masked states and not the whole ones' without some cells: a
 * device sums what it holds, and need not know what it does not hold.
 *
 * Invariant, named in the tests:
 *   G3  the sum of a mask is the sum of all stored records as its roles are
 *       shown them, whenever SAT_N_MASK_SUMS names it.
 */
#include "protocol/server_int.h"

#include <stdlib.h>
#include <string.h>

sat_rc
sat_srv_classes(mask_classes *c, sat_server *s, sat_err *e)
{
	const sat_store *st = &s->env.store;
	uint64_t h = 0xcbf29ce484222325ull, stored;
	sat_rc rc;

	*c = (mask_classes){ .n = 0 };
	for (size_t i = 0; s->tip != NULL && i < sat_template_masks(s->tip);
	    i++) {
		const sat_mask *m = sat_template_mask_at(s->tip, i);
		sat_scope_key key = sat_key_mask(m);
		bool known = sat_mask_count(m) == 0 ||
		    !sat_scope_sees_all(sat_mask_role(m));

		for (size_t k = 0; k < c->n && !known; k++)
			known = c->key[k] == key;
		if (known || c->n == CLASSES_MAX)
			continue;
		c->m[c->n] = m;
		c->key[c->n++] = key;
		h = (h ^ key) * 0x100000001b3ull;
	}
	c->sig = c->n == 0 ? 0 : (h >> 1) | 1;
	if ((rc = s->env.store.counter_get(&stored, st->u, SAT_N_MASK_SUMS,
	    e)) == SAT_OK)
		c->current = stored == c->sig;
	return rc;
}

static sat_record
shown(sat_server *s, const sat_record *r, const sat_mask *m)
{
	sat_record copy = *r;

	copy.cells = sat_arena_dup(&s->txn, r->cells,
	    r->ncells * sizeof *r->cells);
	(void)sat_srv_veil(s, &copy, m);
	return copy;
}

/* Cells that are as they were are shown as they were. So is the mark that names
 * the hidden ones, as long as none of them was or is empty. What is shown then
 * moves by what differs, the hidden ones as they are shown. */
static bool
by_cells(sat_sum *sum, sat_server *s, const sat_record *was,
    const sat_record *is, const sat_sum_diff *by, const sat_mask *m)
{
	if (by->n > SAT_DIFF_FIELDS || was->born.hlc != is->born.hlc ||
	    was->born.dev != is->born.dev || was->born.lsn != is->born.lsn)
		return false;
	*sum = by->sum;
	for (size_t i = 0; i < by->n; i++) {
		const sat_field *f = sat_mask_field(m, is->kind, by->field[i]);
		const sat_cell *a, *b;
		sat_cell x, y;

		if (by->field[i] == SAT_SYS_HANDED ||
		    by->field[i] == SAT_SYS_LATER ||
		    by->field[i] == SAT_SYS_MASKED)
			return false;
		if (f == NULL)
			continue;
		if ((a = sat_record_cell(was, by->field[i])) == NULL ||
		    (b = sat_record_cell(is, by->field[i])) == NULL)
			return false;
		x = *a;
		y = *b;
		if (!sat_srv_veil_cell(s, &x, f) ||
		    !sat_srv_veil_cell(s, &y, f))
			return false;
		sat_sum_sub(sum, by->by[i]);
		sat_sum_sub(sum, sat_sum_cell(was, &x));
		sat_sum_add(sum, sat_sum_cell(is, &y));
	}
	return true;
}

static sat_sum
shown_change(sat_server *s, const sat_record *was, const sat_record *is,
    const sat_sum_diff *by, const sat_mask *m)
{
	sat_record a, b;
	sat_sum_diff veiled;
	sat_sum sum = { 0, 0 };

	if (was != NULL && is != NULL && by_cells(&sum, s, was, is, by, m))
		return sum;
	sum = (sat_sum){ 0, 0 };
	if (was != NULL)
		a = shown(s, was, m);
	if (is != NULL)
		b = shown(s, is, m);
	if (was != NULL && is != NULL) {
		sat_sum_change(&veiled, &a, &b);
		return veiled.sum;
	}
	if (is != NULL)
		return sat_sum_record(&b);
	sat_sum_sub(&sum, sat_sum_record(&a));
	return sum;
}

void
sat_srv_class_change(sat_server *s, const mask_classes *c,
    const sat_record *was, const sat_record *is, const sat_sum_diff *by,
    uint32_t eid, sat_srv_put_sum *put, void *u)
{
	uint16_t kind = is != NULL ? is->kind : was->kind;

	for (size_t i = 0; i < c->n; i++) {
		sat_sum sum = shown_change(s, was, is, by, c->m[i]);

		if (!sat_sum_zero(sum))
			put(u, c->key[i], kind, eid, sum);
	}
}

/* ---- counting anew ----------------------------------------------------------------- */

typedef struct counting {
	sat_server *s;
	const mask_classes *c;
	sat_srv_put_sum *put;
	void *u;
	sat_err *e;
	sat_rc rc;
} counting;

static bool
take_out(void *u, sat_scope_key key, const sat_bucket_sum *b)
{
	counting *x = u;
	sat_sum minus = { 0, 0 };

	if (!sat_key_is_mask(key))
		return false;
	sat_sum_sub(&minus, b->sum);
	if (b->kind != 0 && !sat_sum_zero(b->sum))
		x->put(x->u, key, (uint16_t)b->kind,
		    b->bucket << SAT_BUCKET_SHIFT, minus);
	return true;
}

static bool
count_in(void *u, const sat_rec_row *row)
{
	counting *x = u;
	sat_record r;

	if ((x->rc = sat_record_read(&r, &x->s->txn, row->state, x->e)) ==
	    SAT_OK)
		sat_srv_class_change(x->s, x->c, NULL, &r, NULL, row->eid,
		    x->put, x->u);
	sat_arena_reset(&x->s->txn);
	return x->rc == SAT_OK;
}

/* The working set lives in the transaction's arena; rows must not. */
static sat_rc
count_all(counting *x)
{
	const sat_store *st = &x->s->env.store;
	sat_arena keep = x->s->txn;
	sat_rc rc;

	x->s->txn = (sat_arena){ 0 };
	if ((rc = st->rec_scan(st->u, 0, count_in, x, x->e)) == SAT_OK)
		rc = x->rc;
	sat_arena_fini(&x->s->txn);
	x->s->txn = keep;
	return rc;
}

sat_rc
sat_srv_class_recount(sat_server *s, mask_classes *c, sat_srv_put_sum *put,
    void *u, sat_err *e)
{
	const sat_store *st = &s->env.store;
	counting x = { .s = s, .c = c, .put = put, .u = u, .e = e };
	sat_rc rc;

	if ((rc = st->digest_scan(st->u, (sat_scope_key)7 << 32, 0, 0, take_out,
	    &x, e)) != SAT_OK)
		return rc;
	if (c->n > 0)
		rc = count_all(&x);
	if (rc == SAT_OK)
		rc = st->counter_put(st->u, SAT_N_MASK_SUMS, c->sig, e);
	c->current = rc == SAT_OK;
	return rc;
}

/* ---- for a device ------------------------------------------------------------------- */

typedef struct gathering {
	sat_server *s;
	const sat_keys *keys;
	sat_bucket_sum *v;
	size_t n, cap;
	sat_err *e;
	sat_rc rc;
} gathering;

static void
gather(gathering *g, uint16_t kind, uint32_t bucket, sat_sum sum)
{
	for (size_t i = g->n; i-- > 0 && i + 64 > g->n;)
		if (g->v[i].kind == kind && g->v[i].bucket == bucket) {
			sat_sum_add(&g->v[i].sum, sum);
			return;
		}
	if (g->n == g->cap) {
		g->cap = g->cap * 2 + 64;
		g->v = sat_xrealloc(g->v, g->cap * sizeof *g->v);
	}
	g->v[g->n++] = (sat_bucket_sum){ .kind = kind, .bucket = bucket,
		.sum = sum };
}

static bool
on_sum(void *u, sat_scope_key key, const sat_bucket_sum *b)
{
	gathering *g = u;

	if (key != sat_key_mask(g->keys->mask))
		return false;
	if (b->kind != 0 && !sat_sum_zero(b->sum))
		gather(g, (uint16_t)b->kind, b->bucket, b->sum);
	return true;
}

static void
put_gathered(void *u, sat_scope_key key, uint16_t kind, uint32_t eid,
    sat_sum sum)
{
	(void)key;
	gather(u, kind, sat_bucket_of(eid), sum);
}

/* What a pool shows is in no sum (P-155). */
static bool
on_held(void *u, const wrec *w)
{
	gathering *g = u;
	sat_record r;
	bool pool;

	if ((g->rc = sat_srv_masked(&pool, g->s, w, g->keys, g->e)) != SAT_OK ||
	    (!pool && (g->rc = sat_srv_shown(&r, g->s, w, g->keys, g->e)) !=
	    SAT_OK))
		return false;
	if (!pool)
		gather(g, w->kind, sat_bucket_of(w->eid), sat_sum_record(&r));
	return true;
}

static int
by_bucket(const void *a, const void *b)
{
	const sat_bucket_sum *x = a, *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return x->bucket < y->bucket ? -1 : x->bucket > y->bucket;
}

/* Entries of one bucket may stand apart. */
static void
put_together(gathering *g)
{
	size_t n = 0;

	if (g->n > 1)
		qsort(g->v, g->n, sizeof *g->v, by_bucket);
	for (size_t i = 0; i < g->n; i++)
		if (n > 0 && by_bucket(&g->v[n - 1], &g->v[i]) == 0)
			sat_sum_add(&g->v[n - 1].sum, g->v[i].sum);
		else
			g->v[n++] = g->v[i];
	g->n = n;
}

/* Of everything there is, as the mask shows it: the sums that are kept, or, of a
 * mask that was published just now or that only some try, counted. */
static sat_rc
gather_all(gathering *g, sat_sum *total)
{
	sat_server *s = g->s;
	const sat_store *st = &s->env.store;
	sat_scope_key key = sat_key_mask(g->keys->mask);
	mask_classes c, one = { .m = { g->keys->mask }, .key = { key }, .n = 1 };
	counting x = { .s = s, .c = &one, .put = put_gathered, .u = g,
		.e = g->e };
	bool kept = false;
	sat_rc rc = sat_srv_classes(&c, s, g->e);

	if (rc != SAT_OK)
		return rc;
	for (size_t i = 0; i < c.n; i++)
		kept |= c.current && c.key[i] == key;
	if (kept && total != NULL)
		return st->digest_get(total, st->u, key, 0, 0, g->e);
	return kept ? st->digest_scan(st->u, key, 0, 0, on_sum, g, g->e) :
	    count_all(&x);
}

sat_rc
sat_srv_mask_sums(sat_sum *total, sat_bucket_sum **sums, size_t *n,
    sat_server *s, const sat_keys *keys, sat_err *e)
{
	gathering g = { .s = s, .keys = keys, .e = e };
	sat_rc rc;

	*total = (sat_sum){ 0, 0 };
	if (sat_keys_has(keys, SAT_KEY_ALL))
		rc = gather_all(&g, sums == NULL ? total : NULL);
	else if ((rc = sat_srv_each_held(s, keys, on_held, &g, e)) == SAT_OK)
		rc = g.rc;
	put_together(&g);
	for (size_t i = 0; i < g.n; i++)
		sat_sum_add(total, g.v[i].sum);
	if (sums != NULL) {
		*sums = sat_arena_dup(&s->txn, g.v, g.n * sizeof *g.v);
		*n = g.n;
	}
	free(g.v);
	return rc;
}
