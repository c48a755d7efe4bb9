/*
 * server_digest.c - the sums of what each key sees (P-180..P-189): kept with
 * every transaction. What devices are told of them: server_repair.c.
 *
 * Why at the end of a transaction and from the states themselves: whatever
 * changed a record on the way - one operation or a hundred, a merge, a refused
 * commit that was undone - the sum moves by what is written less what was
 * stored. Only the cells that differ are hashed.
 *
 * Invariants, named in the tests:
 *   G1  the sum of (key, kind, bucket) is the sum of the stored records the key
 *       sees alone.
 *   G2  a customer whose holders changed is taken out of the sums as it was and
 *       put in as it is; no other customer is read for it.
 */
#include "protocol/server_int.h"

#include <stdlib.h>
#include <string.h>

typedef struct delta {
	sat_scope_key key;
	uint16_t kind;
	uint32_t bucket;
	sat_sum sum;
} delta;

/* Keys that hold a root, and what it takes to tell who sees an owned child. */
typedef struct holders {
	sat_scope_key *live;
	size_t n, cap;
	sat_value owner; /* the root's */
} holders;

typedef struct digest {
	sat_server *s;
	delta *v;
	size_t n, cap;
	uint32_t *at;   /* places in v by hash, from 1; 0 = free */
	size_t mask;
	wroot *moved;
	wrec **rows;    /* of the root being taken apart */
	size_t nrows, rows_cap;
	mask_classes classes;
} digest;

/* ---- collecting ------------------------------------------------------------------ */

static uint32_t *
place(const digest *d, const delta *x)
{
	uint64_t h = (x->key ^ (uint64_t)x->kind << 20 ^
	    (uint64_t)x->bucket << 36) * 0x9e3779b97f4a7c15ull;
	size_t i = (size_t)(h >> 32) & d->mask;

	while (d->at[i] != 0 && (d->v[d->at[i] - 1].key != x->key ||
	    d->v[d->at[i] - 1].kind != x->kind ||
	    d->v[d->at[i] - 1].bucket != x->bucket))
		i = (i + 1) & d->mask;
	return &d->at[i];
}

static void
grow(digest *d)
{
	d->cap = d->cap == 0 ? 256 : d->cap * 2;
	d->v = sat_xrealloc(d->v, d->cap * sizeof *d->v);
	d->mask = d->cap * 2 - 1;
	free(d->at);
	d->at = sat_xcalloc(d->mask + 1, sizeof *d->at);
	for (size_t i = 0; i < d->n; i++)
		*place(d, &d->v[i]) = (uint32_t)i + 1;
}

/* One entry per place: a transaction of thousands of records has few. */
static void
put_delta(digest *d, sat_scope_key key, uint16_t kind, uint32_t eid,
    sat_sum sum, bool minus)
{
	delta x = { .key = key, .kind = kind, .bucket = sat_bucket_of(eid) };
	uint32_t *at;

	if (d->n == d->cap)
		grow(d);
	if (*(at = place(d, &x)) == 0) {
		d->v[d->n++] = x;
		*at = (uint32_t)d->n;
	}
	if (minus)
		sat_sum_sub(&d->v[*at - 1].sum, sum);
	else
		sat_sum_add(&d->v[*at - 1].sum, sum);
}

static void
put_class(void *u, sat_scope_key key, uint16_t kind, uint32_t eid, sat_sum sum)
{
	put_delta(u, key, kind, eid, sum, false);
}

static void
put_record(digest *d, const holders *h, uint16_t kind, uint32_t eid,
    uint32_t root, sat_value owner, sat_sum sum, bool minus)
{
	bool owned = sat_srv_owned_child(d->s, kind, eid, root);
	sat_keys own = { 0 }, above = { 0 };

	if (sat_sum_zero(sum))
		return;
	if (owned) {
		own = sat_scope_owner_keys(&d->s->reg, owner);
		above = sat_scope_owner_keys(&d->s->reg, h->owner);
	}
	put_delta(d, SAT_KEY_ALL, kind, eid, sum, minus);
	for (size_t i = 0; i < h->n; i++)
		if (!owned || sat_keys_has(&own, h->live[i]) ||
		    sat_keys_has(&above, h->live[i]))
			put_delta(d, h->live[i], kind, eid, sum, minus);
}

static void
add_holder(digest *d, holders *h, sat_scope_key key)
{
	if (sat_key_is_pool(key)) /* what is masked is not summed (P-155) */
		return;
	SAT_ARENA_GROW(h->live, h->n, h->cap, &d->s->txn);
	h->live[h->n++] = key;
}

static sat_rc
holders_now(holders *h, digest *d, uint32_t root, sat_err *e)
{
	wroot *r;
	wrec *w;
	sat_rc rc;

	h->n = 0;
	if ((rc = sat_set_root(&r, d->s, root, false, e)) != SAT_OK ||
	    (rc = sat_set_by_eid(&w, d->s, root, e)) != SAT_OK)
		return rc;
	for (size_t i = 0; i < r->n; i++)
		if (r->k[i].live)
			add_holder(d, h, r->k[i].key);
	h->owner = w->owner;
	return SAT_OK;
}

struct keys_in {
	digest *d;
	holders *h;
};

static bool
on_key(void *u, sat_scope_key key)
{
	struct keys_in *x = u;

	add_holder(x->d, x->h, key);
	return true;
}

static sat_value
owner_was(const wrec *w)
{
	return w->stored_owner.n == 0 ? sat_v_null() :
	    sat_v_text(w->stored_owner);
}

static sat_rc
holders_before(holders *h, digest *d, const wrec *root, sat_err *e)
{
	const sat_store *st = &d->s->env.store;
	struct keys_in x = { d, h };

	h->n = 0;
	h->owner = owner_was(root);
	return st->member_keys(st->u, root->eid, on_key, &x, e);
}

/* ---- customers whose holders changed ------------------------------------------------ */

static sat_rc
mark_moved(digest *d, uint32_t root, sat_err *e)
{
	wroot *r;
	wrec *w;
	sat_rc rc;

	if ((rc = sat_set_by_eid(&w, d->s, root, e)) != SAT_OK ||
	    (rc = sat_set_root(&r, d->s, root, false, e)) != SAT_OK)
		return rc;
	/* One that was made just now has nothing in the sums. */
	if (r->moved || !w->stored)
		return SAT_OK;
	r->moved = true;
	r->next_moved = d->moved;
	d->moved = r;
	return SAT_OK;
}

/* Its own place among the holders is another one than in the store. */
static sat_rc
moved_by_record(digest *d, const wrec *w, sat_err *e)
{
	sat_rc rc;

	if (!w->stored)
		return SAT_OK;
	if (w->root != w->stored_root &&
	    ((rc = mark_moved(d, w->stored_root, e)) != SAT_OK ||
	    (rc = mark_moved(d, w->root, e)) != SAT_OK))
		return rc;
	return sat_value_eq(w->owner, owner_was(w)) ? SAT_OK :
	    mark_moved(d, w->root, e);
}

static sat_rc
moved_by_keys(digest *d, const wroot *r, sat_err *e)
{
	holders was = { 0 };
	size_t live = 0;
	bool same = true;
	wrec *w;
	sat_rc rc;

	if ((rc = sat_set_by_eid(&w, d->s, r->eid, e)) != SAT_OK ||
	    !w->stored || (rc = holders_before(&was, d, w, e)) != SAT_OK)
		return rc;
	for (size_t i = 0; i < r->n; i++) {
		bool held = false;

		if (!r->k[i].live)
			continue;
		live++;
		for (size_t k = 0; k < was.n; k++)
			held |= was.live[k] == r->k[i].key;
		same &= held;
	}
	return same && live == was.n ? SAT_OK : mark_moved(d, r->eid, e);
}

static bool
on_row(void *u, const sat_rec_row *row)
{
	digest *d = u;

	if (d->nrows == d->rows_cap) {
		d->rows_cap = d->rows_cap == 0 ? 64 : d->rows_cap * 2;
		d->rows = sat_xrealloc(d->rows,
		    d->rows_cap * sizeof *d->rows);
	}
	d->rows[d->nrows++] = sat_set_of_row(d->s, row);
	return true;
}

/* G2: out as it was; what is not written anew, in again as it is. */
static sat_rc
one_moved(digest *d, const wroot *r, sat_err *e)
{
	const sat_store *st = &d->s->env.store;
	holders was = { 0 }, is = { 0 };
	sat_record old;
	wrec *root;
	sat_rc rc;

	d->nrows = 0;
	if ((rc = sat_set_by_eid(&root, d->s, r->eid, e)) != SAT_OK ||
	    (rc = holders_before(&was, d, root, e)) != SAT_OK ||
	    (rc = holders_now(&is, d, r->eid, e)) != SAT_OK ||
	    (rc = st->rec_of_root(st->u, r->eid, on_row, d, e)) != SAT_OK)
		return rc;
	for (size_t i = 0; i < d->nrows; i++) {
		const wrec *w = d->rows[i];
		sat_sum sum;

		if ((rc = sat_record_read(&old, &d->s->txn, w->state, e)) !=
		    SAT_OK)
			return rc;
		sum = sat_sum_record(&old);
		put_record(d, &was, w->kind, w->eid, w->stored_root,
		    owner_was(w), sum, true);
		if (!w->dirty && !r->gone)
			put_record(d, &is, w->kind, w->eid, w->root, w->owner,
			    sum, false);
		else if (r->gone)
			sat_srv_class_change(d->s, &d->classes, &old, NULL,
			    NULL, w->eid, put_class, d);
	}
	return SAT_OK;
}

/* ---- records that are written ---------------------------------------------------------- */

static sat_rc
one_dirty(digest *d, const wrec *w, sat_err *e)
{
	const sat_record *was = w->stored ? &w->was : NULL;
	holders h = { 0 };
	sat_record old;
	sat_sum_diff by;
	wroot *r;
	bool anew;
	sat_rc rc;

	if ((rc = sat_set_root(&r, d->s, w->root, false, e)) != SAT_OK ||
	    r->gone || /* out as it was, with its root */
	    (rc = holders_now(&h, d, w->root, e)) != SAT_OK)
		return rc;
	anew = was == NULL || r->moved || w->root != w->stored_root;
	if (was != NULL && was->born.hlc == 0 && /* replaced as a whole */
	    (!anew || d->classes.n > 0)) {
		was = &old;
		if ((rc = sat_record_read(&old, &d->s->txn, w->state, e)) !=
		    SAT_OK)
			return rc;
	}
	if (was != NULL && (!anew || d->classes.n > 0))
		sat_sum_change(&by, was, &w->r);
	sat_srv_class_change(d->s, &d->classes, was, &w->r, &by, w->eid,
	    put_class, d);
	put_record(d, &h, w->kind, w->eid, w->root, w->owner,
	    anew ? sat_sum_record(&w->r) : by.sum, false);
	return SAT_OK;
}

static sat_rc
collect(digest *d, sat_err *e)
{
	sat_server *s = d->s;
	sat_rc rc;

	for (wrec *w = s->set.dirty; w != NULL; w = w->next_dirty)
		if ((rc = moved_by_record(d, w, e)) != SAT_OK)
			return rc;
	for (wroot *r = s->set.dirty_roots; r != NULL; r = r->next_dirty)
		if ((rc = moved_by_keys(d, r, e)) != SAT_OK)
			return rc;
	if (s->set.gone != NULL &&
	    (rc = mark_moved(d, s->set.gone->eid, e)) != SAT_OK)
		return rc;
	for (wroot *r = d->moved; r != NULL; r = r->next_moved)
		if ((rc = one_moved(d, r, e)) != SAT_OK)
			return rc;
	return SAT_OK;
}

sat_rc
sat_srv_digest_gone(sat_server *s, uint32_t root, sat_err *e)
{
	wroot *r;
	sat_rc rc = sat_set_root(&r, s, root, false, e);

	if (rc == SAT_OK) {
		r->gone = true;
		s->set.gone = r;
	}
	return rc;
}

/* ---- the sums ------------------------------------------------------------------------------ */

static int
delta_cmp(const void *a, const void *b)
{
	const delta *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return x->bucket < y->bucket ? -1 : x->bucket > y->bucket;
}

/* Ascending; those that cancelled out are gone. Nothing is added after it. */
static void
settle(digest *d)
{
	size_t n = 0;

	if (d->n > 1)
		qsort(d->v, d->n, sizeof *d->v, delta_cmp);
	for (size_t i = 0; i < d->n; i++)
		if (!sat_sum_zero(d->v[i].sum))
			d->v[n++] = d->v[i];
	d->n = n;
	free(d->at);
	d->at = NULL;
}

static sat_rc
move_sum(sat_server *s, const delta *x, sat_err *e)
{
	const sat_store *st = &s->env.store;
	sat_sum sum;
	sat_rc rc;

	if ((rc = st->digest_get(&sum, st->u, x->key, x->kind, x->bucket,
	    e)) != SAT_OK)
		return rc;
	sat_sum_add(&sum, x->sum);
	return st->digest_put(st->u, x->key, x->kind, x->bucket, sum, e);
}

static sat_rc
write_sums(digest *d, sat_err *e)
{
	sat_rc rc;

	for (size_t i = 0, k; i < d->n; i = k) {
		delta all = { .key = d->v[i].key };

		for (k = i; k < d->n && d->v[k].key == all.key; k++) {
			if ((rc = move_sum(d->s, &d->v[k], e)) != SAT_OK)
				return rc;
			sat_sum_add(&all.sum, d->v[k].sum);
		}
		if ((rc = move_sum(d->s, &all, e)) != SAT_OK)
			return rc;
	}
	return SAT_OK;
}

static void
fetch_ahead(sat_server *s, wrec *const *dirty, size_t n, size_t i)
{
	const sat_store *st = &s->env.store;
	const wrec *w;

	if (i + 6 < n) {
		sat_srv_soon(dirty[i + 6], sizeof *w);
		st->rec_soon(st->u, dirty[i + 5]->eid, dirty[i + 2]->eid);
		sat_set_root_soon(s, dirty[i + 5]->root);
	}
	if (i + 3 >= n)
		return;
	w = dirty[i + 3];
	sat_srv_soon(w->r.cells, w->r.ncells * sizeof *w->r.cells);
	sat_srv_soon(w->was.cells, w->was.ncells * sizeof *w->was.cells);
	sat_srv_soon(w->state.p, w->state.n);
}

sat_rc
sat_srv_digest_flush(sat_server *s, wrec *const *dirty, size_t n,
    sat_rc (*write)(sat_server *s, wrec *w, sat_err *e), sat_err *e)
{
	digest d = { .s = s };
	sat_rc rc = SAT_OK;

	if (n == 0 && s->set.dirty_roots == NULL && s->set.gone == NULL)
		return SAT_OK;
	if ((rc = sat_srv_classes(&d.classes, s, e)) == SAT_OK &&
	    !d.classes.current)
		rc = sat_srv_class_recount(s, &d.classes, put_class, &d, e);
	if (rc == SAT_OK)
		rc = collect(&d, e);
	/* One after the other: thousands do not fit the processor's cache. */
	for (size_t i = 0; i < n && rc == SAT_OK; i++) {
		fetch_ahead(s, dirty, n, i);
		if ((rc = one_dirty(&d, dirty[i], e)) == SAT_OK)
			rc = write(s, dirty[i], e);
	}
	if (rc == SAT_OK) {
		settle(&d);
		rc = write_sums(&d, e);
	}
	s->set.gone = NULL;
	/* the same transaction may move it again, and write that by itself */
	for (wroot *r = d.moved; r != NULL; r = r->next_moved)
		r->moved = false;
	free(d.at);
	free(d.v);
	free(d.rows);
	return rc;
}

/* ---- proof ---------------------------------------------------------------------------------- */

typedef struct recount {
	digest d;
	size_t rows;
	sat_err *e;
	sat_rc rc;
} recount;

static bool
count_row(void *u, const sat_rec_row *row)
{
	recount *x = u;
	sat_server *s = x->d.s;
	holders h = { 0 };
	sat_record r;
	wrec *w;

	if (++x->rows % 1024 == 0)
		sat_set_reset(s);
	w = sat_set_of_row(s, row);
	if ((x->rc = sat_record_read(&r, &s->txn, w->state, x->e)) != SAT_OK ||
	    (x->rc = holders_now(&h, &x->d, w->root, x->e)) != SAT_OK)
		return false;
	put_record(&x->d, &h, w->kind, w->eid, w->root, w->owner,
	    sat_sum_record(&r), false);
	if (x->d.classes.current)
		sat_srv_class_change(s, &x->d.classes, NULL, &r, NULL, w->eid,
		    put_class, &x->d);
	return true;
}

typedef struct sums_in {
	const digest *d;
	size_t at;
	bool differs;
	delta where;
} sums_in;

static bool
differ(sums_in *x, sat_scope_key key, uint16_t kind, uint32_t bucket)
{
	x->differs = true;
	x->where = (delta){ .key = key, .kind = kind, .bucket = bucket };
	return false;
}

static sat_sum
total_of(const digest *d, sat_scope_key key)
{
	sat_sum sum = { 0, 0 };

	for (size_t i = 0; i < d->n; i++)
		if (d->v[i].key == key)
			sat_sum_add(&sum, d->v[i].sum);
	return sum;
}

static bool
compare_sum(void *u, sat_scope_key key, const sat_bucket_sum *b)
{
	sums_in *x = u;
	delta is = { .key = key, .kind = b->kind, .bucket = b->bucket };

	if (sat_key_is_mask(key) && !x->d->classes.current)
		return true; /* counted anew with the next write */
	if (b->kind == 0)
		return sat_sum_eq(b->sum, total_of(x->d, key)) ? true :
		    differ(x, key, 0, 0);
	if (sat_sum_zero(b->sum))
		return true;
	if (x->at == x->d->n || delta_cmp(&x->d->v[x->at], &is) != 0 ||
	    !sat_sum_eq(x->d->v[x->at].sum, b->sum))
		return differ(x, key, b->kind, b->bucket);
	x->at++;
	return true;
}

sat_rc
sat_srv_digest_check(sat_server *s, sat_err *e)
{
	const sat_store *st = &s->env.store;
	recount x = { .d = { .s = s }, .e = e };
	sums_in in = { .d = &x.d };
	sat_rc rc;

	if ((rc = sat_srv_classes(&x.d.classes, s, e)) == SAT_OK &&
	    (rc = st->rec_scan(st->u, 0, count_row, &x, e)) == SAT_OK)
		rc = x.rc;
	settle(&x.d);
	if (rc == SAT_OK)
		rc = st->digest_scan(st->u, 0, 0, 0, compare_sum, &in, e);
	if (rc == SAT_OK && !in.differs && in.at != x.d.n) {
		in.differs = true;
		in.where = x.d.v[in.at];
	}
	if (rc == SAT_OK && in.differs)
		rc = sat_fail(e, SAT_EINTEGRITY, "the sum of key %llx, kind "
		    "%u, records %u.. is not that of the records",
		    (unsigned long long)in.where.key, in.where.kind,
		    in.where.bucket << SAT_BUCKET_SHIFT);
	free(x.d.v);
	return rc;
}
