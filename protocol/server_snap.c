/*
 * server_snap.c - SNAP: the states a device may hold, chunk by chunk (P-090).
 *
 * A device with everything gets records by ascending eid. Any other gets its
 * roots by ascending eid and below each root the visible records by ascending
 * eid; `after` is the root and the last record of it that was sent. A customer
 * that is merged meanwhile goes below another root; the rescope of that stands
 * above the first chunk's `lsn` (P-092).
 *
 * Nothing is held between chunks. What changes meanwhile has a log position
 * above the first chunk's `lsn`, from which the device pulls afterwards (P-091).
 */
#include "protocol/server_int.h"

#include <stdlib.h>
#include <string.h>

#define ROOTS_AT_ONCE 128

typedef struct snap {
	sat_server *s;
	sat_keys keys;
	uint32_t root;       /* being sent; 0 = everything, by record */
	uint32_t after;      /* records up to it are not sent (of its root) */
	states st;
	size_t bytes_max;
	uint32_t last_root;  /* of the last record taken */
	bool full;
	uint32_t roots[ROOTS_AT_ONCE * SAT_KEYS_MAX];
	size_t nroots;
	size_t want, got;    /* of the key being asked */
	uint32_t bound;      /* roots above it may be missing in `roots` */
	bool (*each)(void *u, const wrec *w); /* instead of sending it */
	void *each_u;
	sat_err *e;
	sat_rc rc;
} snap;

static bool
take(snap *p, const sat_rec_row *row)
{
	wrec *w;
	bool yes;

	if (row->eid <= p->after)
		return true;
	w = sat_set_of_row(p->s, row);
	if ((p->rc = sat_srv_visible(&yes, p->s, w, &p->keys, p->e)) != SAT_OK)
		return false;
	if (!yes)
		return true;
	if (p->each != NULL) {
		p->full = !p->each(p->each_u, w);
		return !p->full;
	}
	if (p->st.n > 0 && p->st.bytes + w->state.n > p->bytes_max) {
		p->full = true;
		return false;
	}
	p->last_root = p->root;
	p->rc = sat_srv_states_add(&p->st, p->s, w, &p->keys, p->e);
	return p->rc == SAT_OK;
}

static bool
on_row(void *u, const sat_rec_row *row)
{
	return take(u, row);
}

static bool
on_root(void *u, uint32_t root)
{
	snap *p = u;

	p->roots[p->nroots++] = root;
	if (++p->got < ROOTS_AT_ONCE)
		return true;
	if (root < p->bound)
		p->bound = root;
	return false;
}

static int
by_eid(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* The next roots of all keys together, ascending; *after moves on. */
static sat_rc
next_roots(snap *p, uint32_t *after, bool *last)
{
	const sat_store *st = &p->s->env.store;
	size_t n = 0;
	sat_rc rc;

	p->nroots = 0;
	p->bound = UINT32_MAX;
	for (size_t i = 0; i < p->keys.n; i++) {
		p->got = 0;
		if ((rc = st->roots_of_key(st->u, p->keys.k[i], *after, on_root,
		    p, p->e)) != SAT_OK)
			return rc;
	}
	qsort(p->roots, p->nroots, sizeof p->roots[0], by_eid);
	for (size_t i = 0; i < p->nroots; i++)
		if (p->roots[i] <= p->bound &&
		    (n == 0 || p->roots[n - 1] != p->roots[i]))
			p->roots[n++] = p->roots[i];
	*last = p->bound == UINT32_MAX;
	p->nroots = n;
	if (n > 0)
		*after = p->roots[n - 1];
	return SAT_OK;
}

static sat_rc
one_root(snap *p, uint32_t root)
{
	const sat_store *st = &p->s->env.store;
	sat_rc rc;

	p->root = root;
	rc = st->rec_of_root(st->u, root, on_row, p, p->e);
	return rc != SAT_OK ? rc : p->rc;
}

static sat_rc
by_roots(snap *p)
{
	uint32_t after = p->root;
	bool last = false;
	sat_rc rc;

	if (p->after != 0) {
		if ((rc = one_root(p, after)) != SAT_OK)
			return rc;
		p->after = 0; /* the others from their beginning */
	}
	while (!last && !p->full) {
		if ((rc = next_roots(p, &after, &last)) != SAT_OK)
			return rc;
		for (size_t i = 0; i < p->nroots && !p->full; i++)
			if ((rc = one_root(p, p->roots[i])) != SAT_OK)
				return rc;
	}
	return SAT_OK;
}

static sat_rc
collect(snap *p)
{
	const sat_store *st = &p->s->env.store;
	sat_rc rc;

	if (!sat_keys_has(&p->keys, SAT_KEY_ALL))
		return by_roots(p);
	rc = st->rec_scan(st->u, p->after, on_row, p, p->e);
	return rc != SAT_OK ? rc : p->rc;
}

sat_rc
sat_srv_each_held(sat_server *s, const sat_keys *keys,
    bool (*cb)(void *u, const wrec *w), void *u, sat_err *e)
{
	snap *p = memset(sat_arena_alloc(&s->txn, sizeof *p), 0, sizeof *p);

	p->s = s;
	p->e = e;
	p->keys = *keys;
	p->each = cb;
	p->each_u = u;
	return collect(p);
}

static sat_rc
count(sat_server *s, sat_server_session *x, const sat_keys *keys, sat_err *e)
{
	const sat_store *st = &s->env.store;

	if (x->snap_total != 0) /* P-094 */
		return SAT_OK;
	if (sat_keys_has(keys, SAT_KEY_ALL)) {
		x->snap_total = s->eid;
		return SAT_OK;
	}
	return st->rec_count(&x->snap_total, st->u, keys, e);
}

sat_rc
sat_srv_snap(sat_server *s, sat_server_session *x, const sat_snap *in,
    sat_buf *reply, sat_err *e)
{
	snap *p = memset(sat_arena_alloc(&s->txn, sizeof *p), 0, sizeof *p);
	sat_msg m = { .type = SAT_MSG_CHUNK };
	sat_chunk *c = &m.u.chunk;
	sat_buf records = { 0 };
	const sat_user *user;
	sat_rc rc;

	if ((rc = sat_srv_session_user(&user, s, x, e)) != SAT_OK)
		return rc;
	p->s = s;
	p->e = e;
	p->after = (uint32_t)in->after;
	p->root = (uint32_t)(in->after >> 32);
	p->bytes_max = s->env.chunk_bytes != 0 ? s->env.chunk_bytes :
	    SAT_CHUNK_BYTES;
	if ((rc = sat_srv_session_keys(&p->keys, s, x, user, e)) != SAT_OK ||
	    (rc = count(s, x, &p->keys, e)) != SAT_OK ||
	    (rc = collect(p)) != SAT_OK)
		return rc;
	c->lsn = s->lsn;
	c->done = !p->full;
	c->next = in->after;
	if (p->st.n > 0)
		c->next = (uint64_t)p->last_root << 32 |
		    p->st.r[p->st.n - 1].eid;
	c->total = x->snap_total;
	c->max_eff = p->st.max_eff; /* P-095 */
	if (((p->st.n == 0 && !c->done) || (rc = sat_srv_heads(&c->heads,
	    &c->nheads, s, x->device, c->done, e)) == SAT_OK) &&
	    (p->st.n == 0 || (rc = sat_records_write(&records, p->st.r,
	    p->st.n, e)) == SAT_OK)) {
		c->records = sat_buf_span(&records);
		sat_hash(c->hash, c->records);
		sat_msg_write(reply, &m);
	}
	sat_buf_fini(&records);
	return rc;
}
