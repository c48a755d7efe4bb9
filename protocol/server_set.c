/*
 * server_set.c - the working set of one transaction.
 *
 * Why write records at the end: a day's push edits the same customer many
 * times; the row is read once and written once. Why absent records are kept
 * too: a push of new records would ask the store for each of them twice.
 */
#include "protocol/server_int.h"

#include <string.h>

#define BUCKETS_MIN 256
/* Of a transaction's memory; a push of ordinary records stays far below. */
#define SET_BYTES_MAX (64u << 20)

static size_t
id_hash(const sat_id *id)
{
	uint64_t lo, hi;

	memcpy(&hi, id->b, 8);
	memcpy(&lo, id->b + 8, 8);
	lo ^= hi * 0x9e3779b97f4a7c15ull;
	return (size_t)(lo ^ lo >> 29);
}

static size_t
eid_hash(uint32_t eid)
{
	return (size_t)(eid * 0x9e3779b1u);
}

static void *
zeroed(sat_server *s, size_t n)
{
	return memset(sat_arena_alloc(&s->txn, n), 0, n);
}

void
sat_set_reset(sat_server *s)
{
	sat_arena_reset(&s->txn);
	memset(&s->set, 0, sizeof s->set);
}

bool
sat_set_full(const sat_server *s)
{
	return sat_arena_bytes(&s->txn) > SET_BYTES_MAX;
}

void
sat_set_forget(sat_server *s)
{
	sat_set_reset(s);
	if (s->roots != NULL)
		memset(s->roots, 0, ROOT_CACHE * sizeof *s->roots);
}

static void
grow(sat_server *s)
{
	wset old = s->set, *w = &s->set;
	size_t n = w->mask == 0 ? BUCKETS_MIN : (w->mask + 1) * 4;

	if (w->mask != 0 && w->nrecs + w->nroots < w->mask)
		return;
	w->by_id = zeroed(s, n * sizeof *w->by_id);
	w->by_eid = zeroed(s, n * sizeof *w->by_eid);
	w->roots = zeroed(s, n * sizeof *w->roots);
	w->mask = n - 1;
	for (size_t i = 0; old.mask != 0 && i <= old.mask; i++) {
		for (wrec *r = old.by_id[i], *nx; r != NULL; r = nx) {
			wrec **at = &w->by_id[id_hash(&r->id) & w->mask];

			nx = r->next_id;
			r->next_id = *at;
			*at = r;
		}
		for (wrec *r = old.by_eid[i], *nx; r != NULL; r = nx) {
			wrec **at = &w->by_eid[eid_hash(r->eid) & w->mask];

			nx = r->next_eid;
			r->next_eid = *at;
			*at = r;
		}
		for (wroot *r = old.roots[i], *nx; r != NULL; r = nx) {
			wroot **at = &w->roots[eid_hash(r->eid) & w->mask];

			nx = r->next;
			r->next = *at;
			*at = r;
		}
	}
}

static wrec *
find_id(const wset *w, const sat_id *id)
{
	wrec *r;

	if (w->near != NULL && sat_id_eq(&w->near->id, id))
		return w->near;
	if (w->mask == 0)
		return NULL;
	for (r = w->by_id[id_hash(id) & w->mask]; r != NULL; r = r->next_id)
		if (sat_id_eq(&r->id, id))
			break;
	return r;
}

static wrec *
find_eid(wset *w, uint32_t eid)
{
	wrec *r;

	if (w->near != NULL && w->near->eid == eid)
		return w->near;
	if (w->mask == 0)
		return NULL;
	for (r = w->by_eid[eid_hash(eid) & w->mask]; r != NULL; r = r->next_eid)
		if (r->eid == eid)
			break;
	if (r != NULL)
		w->near = r;
	return r;
}

void
sat_set_near(sat_server *s, wrec *w)
{
	s->set.near = w;
}

static wrec *
add_id(sat_server *s, const sat_id *id)
{
	wrec *w = zeroed(s, sizeof *w), **at;

	grow(s);
	at = &s->set.by_id[id_hash(id) & s->set.mask];
	w->id = *id;
	w->next_id = *at;
	*at = w;
	s->set.nrecs++;
	return w;
}

void
sat_set_index(sat_server *s, wrec *w)
{
	wrec **at = &s->set.by_eid[eid_hash(w->eid) & s->set.mask];

	w->next_eid = *at;
	*at = w;
}

void
sat_set_born(sat_server *s, wrec *w, uint16_t kind)
{
	w->exists = w->fresh = w->decoded = true;
	w->kind = kind;
	w->eid = (uint32_t)++s->eid;
	w->root = w->eid;
	w->owner = sat_v_null();
	memset(&w->r, 0, sizeof w->r);
	sat_set_index(s, w);
}

void
sat_set_unindex(sat_server *s, wrec *w)
{
	wrec **at = &s->set.by_eid[eid_hash(w->eid) & s->set.mask];

	while (*at != w)
		at = &(*at)->next_eid;
	*at = w->next_eid;
	s->set.near = NULL; /* it keeps its number for a moment */
}

static wrec *
add_row(sat_server *s, const sat_rec_row *row)
{
	wrec *w = add_id(s, &row->id);

	w->exists = true;
	w->eid = row->eid;
	w->kind = row->kind;
	w->root = row->root;
	w->owner = row->owner.n == 0 ? sat_v_null() : sat_v_text(row->owner);
	w->state = row->state;
	w->stored = true;
	w->stored_owner = row->owner;
	w->stored_root = row->root;
	sat_set_index(s, w);
	return w;
}

wrec *
sat_set_of_row(sat_server *s, const sat_rec_row *row)
{
	sat_rec_row own = *row;
	wrec *w = find_id(&s->set, &row->id);

	if (w != NULL && w->exists)
		return w;
	own.state = sat_span_of(sat_arena_dup(&s->txn, row->state.p,
	    row->state.n), row->state.n);
	if (own.owner.n != 0)
		own.owner.p = sat_arena_dup(&s->txn, own.owner.p, own.owner.n);
	return add_row(s, &own);
}

/* Only its numbers are left; or the ledger knows a customer that never came
 * to this server. */
static sat_rc
find_erased(wrec *w, sat_server *s, sat_err *e)
{
	const sat_store *st = &s->env.store;
	sat_erased_row row;
	uint64_t rev;
	sat_rc rc = st->erased_get(&row, st->u, &w->id, 0, NULL);

	if (rc == SAT_OK) {
		w->erased = true;
		return SAT_OK;
	}
	if (rc == SAT_ENOTFOUND &&
	    (rc = st->ledger_of(&rev, st->u, &w->id, e)) == SAT_OK)
		w->erased = rev != 0;
	return rc;
}

static sat_rc
erased_by_eid(wrec **out, sat_server *s, uint32_t eid, sat_err *e)
{
	const sat_store *st = &s->env.store;
	sat_erased_row row;
	sat_rc rc;

	if ((rc = st->erased_get(&row, st->u, NULL, eid, e)) != SAT_OK)
		return rc;
	if ((*out = find_id(&s->set, &row.id)) == NULL)
		*out = add_id(s, &row.id);
	(*out)->erased = true;
	return SAT_OK;
}

sat_rc
sat_set_by_id(wrec **out, sat_server *s, const sat_id *id, sat_err *e)
{
	const sat_store *st = &s->env.store;
	sat_rec_row row;
	sat_rc rc;

	if ((*out = find_id(&s->set, id)) != NULL)
		return SAT_OK;
	/* A new record is looked for in vain: no text for that. */
	rc = st->rec_by_id(&row, &s->txn, st->u, id, NULL);
	if (rc != SAT_OK && rc != SAT_ENOTFOUND)
		rc = st->rec_by_id(&row, &s->txn, st->u, id, e);
	if (rc == SAT_ENOTFOUND) {
		*out = add_id(s, id);
		return s->ledger_rev == 0 ? SAT_OK : find_erased(*out, s, e);
	}
	if (rc == SAT_OK)
		*out = add_row(s, &row);
	return rc;
}

sat_rc
sat_set_by_eid(wrec **out, sat_server *s, uint32_t eid, sat_err *e)
{
	const sat_store *st = &s->env.store;
	sat_rec_row row;
	sat_rc rc;

	if ((*out = find_eid(&s->set, eid)) != NULL)
		return SAT_OK;
	rc = st->rec_by_eid(&row, &s->txn, st->u, eid, e);
	if (rc == SAT_ENOTFOUND && s->ledger_rev != 0)
		return erased_by_eid(out, s, eid, e);
	if (rc == SAT_OK)
		*out = add_row(s, &row);
	return rc;
}

sat_rc
sat_set_decode(wrec *w, sat_server *s, sat_err *e)
{
	sat_rc rc;

	if (w->decoded || !w->exists)
		return SAT_OK;
	if ((rc = sat_record_read_kept(&w->r, &s->txn, w->state, e)) != SAT_OK)
		return rc;
	w->r.eid = w->eid;
	w->was = w->r; /* a fold writes into the cells */
	w->was.cells = sat_arena_dup(&s->txn, w->r.cells,
	    w->r.ncells * sizeof *w->r.cells);
	w->decoded = true;
	return SAT_OK;
}

void
sat_set_dirty(sat_server *s, wrec *w)
{
	if (w->dirty)
		return;
	w->dirty = true;
	w->next_dirty = s->set.dirty;
	s->set.dirty = w;
}

/* ---- roots and the keys that hold them ------------------------------------------- */

wkey *
sat_set_key(sat_server *s, wroot *r, sat_scope_key key)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->k[i].key == key)
			return &r->k[i];
	if (r->n == r->cap) {
		size_t cap = r->cap == 0 ? 4 : r->cap * 2;
		wkey *k = zeroed(s, cap * sizeof *k);

		if (r->n != 0)
			memcpy(k, r->k, r->n * sizeof *k);
		r->k = k;
		r->cap = cap;
	}
	r->k[r->n] = (wkey){ .key = key };
	return &r->k[r->n++];
}

struct loading {
	sat_server *s;
	wroot *r;
};

static bool
on_key(void *u, sat_scope_key key)
{
	struct loading *l = u;

	sat_set_key(l->s, l->r, key)->live = true;
	return true;
}

/* ---- the cache: what the store has, never what a transaction plans ------------ */

static root_slot *
root_slot_of(sat_server *s, uint32_t eid)
{
	if (s->roots == NULL)
		s->roots = sat_xcalloc(ROOT_CACHE, sizeof *s->roots);
	return &s->roots[eid % ROOT_CACHE];
}

static bool
cached(sat_server *s, wroot *r)
{
	const root_slot *c = root_slot_of(s, r->eid);

	if (c->eid != r->eid)
		return false;
	for (uint32_t i = 0; i < c->n; i++)
		sat_set_key(s, r, c->k[i])->live = true;
	return true;
}

void
sat_set_root_stored(sat_server *s, const wroot *r)
{
	root_slot *c = root_slot_of(s, r->eid);
	uint32_t n = 0;

	c->eid = 0;
	for (size_t i = 0; i < r->n; i++) {
		if (!r->k[i].live)
			continue;
		if (n == sizeof c->k / sizeof c->k[0])
			return;
		c->k[n++] = r->k[i].key;
	}
	c->eid = r->eid;
	c->n = n;
}

void
sat_set_root_soon(const sat_server *s, uint32_t eid)
{
	if (s->roots != NULL)
		__builtin_prefetch(&s->roots[eid % ROOT_CACHE]);
	if (s->set.mask != 0)
		__builtin_prefetch(&s->set.roots[eid_hash(eid) & s->set.mask]);
}

sat_rc
sat_set_root(wroot **out, sat_server *s, uint32_t eid, bool fresh, sat_err *e)
{
	const sat_store *st = &s->env.store;
	struct loading l = { s, NULL };
	wroot *r = s->set.near_root, **at;
	sat_rc rc;

	if (r != NULL && r->eid == eid) {
		*out = r;
		return SAT_OK;
	}
	grow(s);
	at = &s->set.roots[eid_hash(eid) & s->set.mask];
	for (r = *at; r != NULL; r = r->next)
		if (r->eid == eid) {
			*out = s->set.near_root = r;
			return SAT_OK;
		}
	r = zeroed(s, sizeof *r);
	r->eid = eid;
	l.r = r;
	if (!fresh && !cached(s, r)) {
		if ((rc = st->member_keys(st->u, eid, on_key, &l, e)) != SAT_OK)
			return rc;
		sat_set_root_stored(s, r);
	}
	r->next = *at;
	*at = r;
	s->set.nroots++;
	*out = s->set.near_root = r;
	return SAT_OK;
}

sat_rc
sat_set_member(wkey *k, sat_server *s, const wroot *r, sat_err *e)
{
	const sat_store *st = &s->env.store;
	sat_rc rc;

	if (k->loaded)
		return SAT_OK;
	if (!r->fresh && (rc = st->member_get(&k->m, st->u, k->key, r->eid,
	    e)) != SAT_OK)
		return rc;
	k->loaded = true;
	k->stored = k->m.n > 0;
	return SAT_OK;
}

sat_rc
sat_set_roots_count(uint64_t *n, sat_server *s, sat_scope_key key, sat_err *e)
{
	const sat_store *st = &s->env.store;
	sat_rc rc = st->roots_count(n, st->u, key, e);

	for (const wroot *r = s->set.dirty_roots; r != NULL && rc == SAT_OK;
	    r = r->next_dirty)
		for (size_t i = 0; i < r->n; i++)
			if (r->k[i].key == key && r->k[i].dirty)
				*n += (uint64_t)r->k[i].live -
				    (uint64_t)r->k[i].stored;
	return rc;
}

void
sat_set_root_dirty(sat_server *s, wroot *r)
{
	if (r->dirty)
		return;
	r->dirty = true;
	r->next_dirty = s->set.dirty_roots;
	s->set.dirty_roots = r;
}

/* ---- what the store has below a root ------------------------------------------- */

typedef struct row_list {
	sat_server *s;
	wrec **w;
	size_t n, cap;
} row_list;

static bool
on_row(void *u, const sat_rec_row *row)
{
	row_list *l = u;
	wrec *w = sat_set_of_row(l->s, row);

	SAT_ARENA_GROW(l->w, l->n, l->cap, &l->s->txn);
	l->w[l->n++] = w;
	return true;
}

sat_rc
sat_set_rows(wroot **r, sat_server *s, uint32_t eid, sat_err *e)
{
	const sat_store *st = &s->env.store;
	row_list l = { .s = s };
	sat_rc rc;

	if ((rc = sat_set_root(r, s, eid, false, e)) != SAT_OK ||
	    (*r)->rows_at == s->set.flushes + 1 ||
	    (rc = st->rec_of_root(st->u, eid, on_row, &l, e)) != SAT_OK)
		return rc;
	(*r)->rows = l.w;
	(*r)->nrows = l.n;
	(*r)->rows_at = s->set.flushes + 1;
	return SAT_OK;
}
