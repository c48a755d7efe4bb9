/*
 * server_repair.c - what a device asks about sums: the sum of all it holds, those
 * of the buckets, the records of a range again (P-181 to P-184).
 */
#include "protocol/server_int.h"

#include <stdlib.h>
#include <string.h>

sat_rc
sat_srv_digest_total(bool *has, sat_sum *sum, sat_server *s,
    const sat_keys *of, const sat_user *user, sat_err *e)
{
	const sat_store *st = &s->env.store;
	sat_keys keys = sat_scope_digest_keys(&s->reg, user);
	sat_sum one;
	sat_rc rc;

	*has = keys.n > 0;
	if (of->mask != NULL)
		return sat_srv_mask_sums(sum, NULL, NULL, s, of, e);
	*sum = (sat_sum){ 0, 0 };
	for (size_t i = 0; i < keys.n; i++) {
		if ((rc = st->digest_get(&one, st->u, keys.k[i], 0, 0, e)) !=
		    SAT_OK)
			return rc;
		sat_sum_add(sum, one);
	}
	return SAT_OK;
}

#define SUMS_MAX 8192 /* of an answer */

typedef struct listing {
	sat_server *s;
	sat_scope_key key;
	sat_bucket_sum *v;
	size_t n, cap, of_key;
	bool cut;             /* of this key there is more */
	sat_bucket_sum last;  /* the least at which a key was cut */
	bool any_cut;
} listing;

static int
by_bucket(const void *a, const void *b)
{
	const sat_bucket_sum *x = a, *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return x->bucket < y->bucket ? -1 : x->bucket > y->bucket;
}

static bool
on_sum(void *u, sat_scope_key key, const sat_bucket_sum *sum)
{
	listing *l = u;

	if (key != l->key)
		return false;
	if (sat_sum_zero(sum->sum))
		return true;
	if (l->of_key == SUMS_MAX) {
		l->cut = true;
		return false;
	}
	SAT_ARENA_GROW(l->v, l->n, l->cap, &l->s->txn);
	l->v[l->n++] = *sum;
	l->of_key++;
	return true;
}

/* P-243: ascending already, from where the device is. */
static sat_rc
list_masked(sat_digest_is *d, sat_server *s, const sat_keys *keys,
    const sat_digest *from, sat_err *e)
{
	const sat_bucket_sum first = { .kind = from->kind,
		.bucket = from->bucket };
	sat_bucket_sum *v = NULL;
	size_t n = 0, at = 0;
	sat_sum total;
	sat_rc rc = sat_srv_mask_sums(&total, &v, &n, s, keys, e);

	if (rc != SAT_OK)
		return rc;
	while (at < n && by_bucket(&v[at], &first) < 0)
		at++;
	d->sums = v + at;
	d->n = n - at < SUMS_MAX ? n - at : SUMS_MAX;
	d->done = n - at <= SUMS_MAX;
	return SAT_OK;
}

static sat_rc
list_key(listing *l, sat_scope_key key, const sat_digest *from, sat_err *e)
{
	const sat_store *st = &l->s->env.store;
	sat_rc rc;

	l->key = key;
	l->of_key = 0;
	l->cut = false;
	if ((rc = st->digest_scan(st->u, key, from->kind, from->bucket, on_sum,
	    l, e)) != SAT_OK || !l->cut)
		return rc;
	if (!l->any_cut || by_bucket(&l->v[l->n - 1], &l->last) < 0)
		l->last = l->v[l->n - 1];
	l->any_cut = true;
	return SAT_OK;
}

/* In order, each bucket once, and nothing behind a place that is not whole. */
static void
put_in_order(sat_digest_is *d, listing *l)
{
	size_t n = 0;

	if (l->n > 0)
		qsort(l->v, l->n, sizeof *l->v, by_bucket);
	for (size_t i = 0; i < l->n; i++) {
		if (l->any_cut && by_bucket(&l->v[i], &l->last) > 0)
			break;
		if (n > 0 && by_bucket(&l->v[n - 1], &l->v[i]) == 0)
			sat_sum_add(&l->v[n - 1].sum, l->v[i].sum);
		else
			l->v[n++] = l->v[i];
	}
	d->done = !l->any_cut && n <= SUMS_MAX;
	d->n = n < SUMS_MAX ? n : SUMS_MAX;
	d->sums = l->v;
}

sat_rc
sat_srv_digest(sat_server *s, sat_server_session *x, const sat_digest *in,
    sat_buf *reply, sat_err *e)
{
	const sat_store *st = &s->env.store;
	sat_msg m = { .type = SAT_MSG_DIGEST_IS };
	sat_digest_is *d = &m.u.digest_is;
	listing l = { .s = s };
	const sat_user *user;
	sat_keys keys, of;
	sat_rc rc;

	if ((rc = sat_srv_session_user(&user, s, x, e)) != SAT_OK ||
	    (rc = sat_srv_session_keys(&keys, s, x, user, e)) != SAT_OK)
		return rc;
	of = sat_scope_digest_keys(&s->reg, user);
	d->lsn = s->lsn;
	if ((rc = st->scope_head(&d->scope_head, st->u, &keys, e)) != SAT_OK)
		return rc;
	for (size_t i = 0; keys.mask == NULL && i < of.n; i++)
		if ((rc = list_key(&l, of.k[i], in, e)) != SAT_OK)
			return rc;
	if (keys.mask == NULL)
		put_in_order(d, &l);
	else if ((rc = list_masked(d, s, &keys, in, e)) != SAT_OK)
		return rc;
	sat_msg_write(reply, &m);
	return SAT_OK;
}

#define REFETCH_LOOKED_MAX 8192

typedef struct range {
	sat_server *s;
	const sat_refetch *in;
	sat_keys keys;
	states st;
	uint32_t next;
	size_t looked, bytes_max;
	bool full;
	sat_err *e;
	sat_rc rc;
} range;

static bool
in_range(void *u, const sat_rec_row *row)
{
	range *g = u;
	bool yes;
	wrec *w;

	if (row->eid > g->in->to_eid)
		return false;
	g->full = ++g->looked > REFETCH_LOOKED_MAX;
	if (g->full)
		return false;
	if (row->kind == g->in->kind) {
		w = sat_set_of_row(g->s, row);
		if ((g->rc = sat_srv_visible(&yes, g->s, w, &g->keys, g->e)) !=
		    SAT_OK)
			return false;
		if (yes && g->st.n > 0 &&
		    g->st.bytes + w->state.n > g->bytes_max) {
			g->full = true;
			return false;
		}
		if (yes && (g->rc = sat_srv_states_add(&g->st, g->s, w,
		    &g->keys, g->e)) != SAT_OK)
			return false;
	}
	g->next = row->eid;
	return true;
}

/* What is sent again is counted: a difference is a defect somewhere. */
static void
note(sat_server *s, uint32_t dev, const sat_refetch *in)
{
	if (s->ndiverged == DIVERGED_MAX)
		return;
	s->diverged[s->ndiverged++] = (diverged_slot){ .dev = dev,
		.kind = in->kind, .bucket = sat_bucket_of(in->after_eid + 1),
		.lsn = s->lsn, .ms = sat_wall_ms(&s->env.clock) };
}

sat_rc
sat_srv_refetch(sat_server *s, sat_server_session *x, const sat_refetch *in,
    sat_buf *reply, sat_err *e)
{
	const sat_store *st = &s->env.store;
	sat_msg m = { .type = SAT_MSG_REFETCH_IS };
	sat_refetch_is *d = &m.u.refetch_is;
	range g = { .s = s, .in = in, .next = in->after_eid, .e = e,
		.bytes_max = s->env.chunk_bytes != 0 ? s->env.chunk_bytes :
		    SAT_CHUNK_BYTES };
	sat_buf records = { 0 };
	const sat_user *user;
	sat_rc rc;

	if ((rc = sat_srv_session_user(&user, s, x, e)) != SAT_OK ||
	    (rc = sat_srv_session_keys(&g.keys, s, x, user, e)) != SAT_OK ||
	    (rc = st->scope_head(&d->scope_head, st->u, &g.keys, e)) !=
	    SAT_OK || (rc = st->rec_scan(st->u, in->after_eid, in_range, &g,
	    e)) != SAT_OK || (rc = g.rc) != SAT_OK)
		return rc;
	note(s, x->device, in);
	d->next_eid = g.full ? g.next : in->to_eid;
	d->max_eff = g.st.max_eff;
	d->lsn = s->lsn;
	if (g.st.n == 0 ||
	    ((rc = sat_srv_heads(&d->heads, &d->nheads, s, x->device,
	    false, e)) == SAT_OK &&
	    (rc = sat_records_write(&records, g.st.r, g.st.n, e)) ==
	    SAT_OK)) {
		d->records = sat_buf_span(&records);
		sat_msg_write(reply, &m);
	}
	sat_buf_fini(&records);
	return rc;
}
