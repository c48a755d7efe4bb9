/*
 * server_scope.c - who holds a record, and who must hear of a commit.
 *
 * A key holds a root for reasons: the root's owner, and the owner of each live
 * owned child. They are counted, so that a commit costs what it changes and
 * nobody ever looks through the other children (P-082).
 *
 * Invariants, named in the tests:
 *   S1  n of (key, root) is the number of reasons in the records' states.
 *   S2  a key through which a touched record is visible hears of the commit.
 *   S3  a key whose view of a root changed otherwise than by the commit's own
 *       operations gets a rescope of it; nobody else does.
 */
#include "protocol/server_int.h"

#include <assert.h>
#include <string.h>

bool
sat_srv_owned_child(const sat_server *s, uint16_t kind, uint32_t eid,
    uint32_t root)
{
	const sat_kind *k = root != eid ? sat_srv_kind(s, kind) : NULL;

	return k != NULL && k->scope == SAT_SCOPE_OWNED;
}

static bool
is_owned_child(const sat_server *s, const wrec *w)
{
	return sat_srv_owned_child(s, w->kind, w->eid, w->root);
}

static bool
meet(const sat_keys *a, const sat_keys *b)
{
	for (size_t i = 0; i < a->n; i++)
		if (sat_keys_has(b, a->k[i]))
			return true;
	return false;
}

sat_rc
sat_srv_visible(bool *yes, sat_server *s, const wrec *w, const sat_keys *keys,
    sat_err *e)
{
	sat_keys owner;
	bool held = false;
	wroot *r;
	wrec *root;
	sat_rc rc;

	*yes = false;
	if (!w->exists || keys->n == 0)
		return SAT_OK;
	if (sat_keys_has(keys, SAT_KEY_ALL)) {
		*yes = true;
		return SAT_OK;
	}
	if ((rc = sat_set_root(&r, s, w->root, false, e)) != SAT_OK)
		return rc;
	for (size_t i = 0; i < r->n && !held; i++)
		held = r->k[i].live && sat_keys_has(keys, r->k[i].key);
	if (!held || !is_owned_child(s, w)) {
		*yes = held;
		return SAT_OK;
	}
	owner = sat_scope_owner_keys(&s->reg, w->owner);
	if (!(*yes = meet(&owner, keys))) {
		if ((rc = sat_set_by_eid(&root, s, w->root, e)) != SAT_OK)
			return rc;
		owner = sat_scope_owner_keys(&s->reg, root->owner);
		*yes = meet(&owner, keys);
	}
	return SAT_OK;
}

/* ---- after a commit ------------------------------------------------------------- */

typedef struct after {
	sat_server *s;
	uint64_t lsn;
	wroot *roots;         /* touched by this commit */
	sat_scope_key *keys;  /* that hear of it */
	size_t nkeys, cap;
} after;

static sat_rc
touch_root(wroot **out, after *f, const wrec *w, sat_err *e)
{
	sat_server *s = f->s;
	wrec *rw;
	wroot *r;
	bool fresh;
	sat_rc rc;

	if ((rc = sat_set_by_eid(&rw, s, w->root, e)) != SAT_OK)
		return rc;
	fresh = rw->fresh && rw->touch == s->serial;
	if ((rc = sat_set_root(&r, s, w->root, fresh, e)) != SAT_OK)
		return rc;
	*out = r;
	if (r->touch == s->serial)
		return SAT_OK;
	r->touch = s->serial;
	r->fresh = fresh;
	r->next_touched = f->roots;
	f->roots = r;
	for (size_t i = 0; i < r->n; i++) {
		r->k[i].delta = 0;
		r->k[i].rescope = false;
	}
	return SAT_OK;
}

static sat_keys
reasons(const after *f, const wrec *w, sat_value owner, bool gone)
{
	sat_keys none = { 0 };

	if (w->root == w->eid || (is_owned_child(f->s, w) && !gone))
		return sat_scope_owner_keys(&f->s->reg, owner);
	return none;
}

/* The keys whose view changes when a record passes from one owner to another. */
static sat_rc
owner_changed(after *f, wrec *w, wroot *r, sat_err *e)
{
	const sat_store *st = &f->s->env.store;
	sat_keys was = sat_scope_owner_keys(&f->s->reg, w->before.owner);
	sat_keys is = sat_scope_owner_keys(&f->s->reg, w->owner);
	sat_keys above = { 0 }, *side[2] = { &was, &is };
	wrec *root;
	sat_rc rc;

	if (w->before.owner.type == SAT_V_TEXT && (rc = st->owner_left(st->u,
	    w->eid, w->before.owner.s, f->lsn, e)) != SAT_OK)
		return rc;
	if (r->fresh)
		return SAT_OK;
	if (is_owned_child(f->s, w)) {
		/* Whoever owns the root sees the child either way. */
		if ((rc = sat_set_by_eid(&root, f->s, w->root, e)) != SAT_OK)
			return rc;
		above = sat_scope_owner_keys(&f->s->reg, root->owner);
	} else if (w->root != w->eid) {
		return SAT_OK; /* a plain child goes where its root goes */
	}
	for (int i = 0; i < 2; i++)
		for (size_t k = 0; k < side[i]->n; k++)
			if (!sat_keys_has(side[1 - i], side[i]->k[k]) &&
			    !sat_keys_has(&above, side[i]->k[k]))
				sat_set_key(f->s, r, side[i]->k[k])->rescope = true;
	return SAT_OK;
}

static sat_rc
count_reasons(after *f, wrec *w, wroot *r, sat_err *e)
{
	sat_keys was = { 0 }, is = reasons(f, w, w->owner, sat_rec_gone(&w->r));

	if (!w->fresh) {
		if (sat_value_eq(w->before.owner, w->owner)) {
			if (w->before.gone == sat_rec_gone(&w->r))
				return SAT_OK;
		} else {
			sat_rc rc = owner_changed(f, w, r, e);

			if (rc != SAT_OK)
				return rc;
		}
		was = reasons(f, w, w->before.owner, w->before.gone);
	}
	for (size_t i = 0; i < was.n; i++)
		sat_set_key(f->s, r, was.k[i])->delta--;
	for (size_t i = 0; i < is.n; i++)
		sat_set_key(f->s, r, is.k[i])->delta++;
	return SAT_OK;
}

static sat_rc
put(after *f, sat_scope_key key, uint32_t root, sat_err *e)
{
	const sat_store *st = &f->s->env.store;

	sat_srv_note(f->s, key);
	return st->scope_put(st->u, key, f->lsn, root, e);
}

static sat_rc
settle_root(after *f, wroot *r, sat_err *e)
{
	sat_rc rc;

	for (size_t i = 0; i < r->n; i++) {
		wkey *k = &r->k[i];
		bool was;

		if (k->delta != 0) {
			if ((rc = sat_set_member(k, f->s, r, e)) != SAT_OK)
				return rc;
			was = k->m.n > 0;
			k->m.n += k->delta;
			if (k->m.n < 0)
				return sat_fail(e, SAT_EINTEGRITY,
				    "membership of root %u counts %lld reasons",
				    r->eid, (long long)k->m.n);
			k->live = k->m.n > 0;
			if (was && !k->live)
				k->m.left_lsn = f->lsn;
			if (was != k->live && !r->fresh)
				k->rescope = true;
			k->dirty = true;
			sat_set_root_dirty(f->s, r);
		}
		if (k->rescope && (rc = put(f, k->key, r->eid, e)) != SAT_OK)
			return rc;
	}
	return SAT_OK;
}

static void
hear(after *f, sat_scope_key key)
{
	for (size_t i = 0; i < f->nkeys; i++)
		if (f->keys[i] == key)
			return;
	if (f->nkeys == f->cap) {
		size_t cap = f->cap == 0 ? 16 : f->cap * 2;
		sat_scope_key *k = sat_arena_alloc(&f->s->txn, cap * sizeof *k);

		if (f->nkeys != 0)
			memcpy(k, f->keys, f->nkeys * sizeof *k);
		f->keys = k;
		f->cap = cap;
	}
	f->keys[f->nkeys++] = key;
}

/* S2 */
static sat_rc
hearers(after *f, const wrec *w, sat_err *e)
{
	sat_keys own, above;
	wrec *root;
	wroot *r;
	sat_rc rc;

	if ((rc = touch_root(&r, f, w, e)) != SAT_OK)
		return rc;
	if (!is_owned_child(f->s, w)) {
		for (size_t i = 0; i < r->n; i++)
			if (r->k[i].live)
				hear(f, r->k[i].key);
		return SAT_OK;
	}
	if ((rc = sat_set_by_eid(&root, f->s, w->root, e)) != SAT_OK)
		return rc;
	own = sat_scope_owner_keys(&f->s->reg, w->owner);
	above = sat_scope_owner_keys(&f->s->reg, root->owner);
	for (size_t i = 0; i < r->n; i++)
		if (r->k[i].live && (sat_keys_has(&own, r->k[i].key) ||
		    sat_keys_has(&above, r->k[i].key)))
			hear(f, r->k[i].key);
	return SAT_OK;
}

sat_rc
sat_srv_rescope(sat_server *s, wrec *touched, uint64_t lsn, sat_err *e)
{
	after f = { .s = s, .lsn = lsn };
	wroot *r;
	sat_rc rc;

	for (wrec *w = touched; w != NULL; w = w->next_touched)
		if ((rc = touch_root(&r, &f, w, e)) != SAT_OK ||
		    (rc = count_reasons(&f, w, r, e)) != SAT_OK)
			return rc;
	for (r = f.roots; r != NULL; r = r->next_touched)
		if ((rc = settle_root(&f, r, e)) != SAT_OK)
			return rc;
	for (wrec *w = touched; w != NULL; w = w->next_touched)
		if ((rc = hearers(&f, w, e)) != SAT_OK)
			return rc;
	for (size_t i = 0; i < f.nkeys; i++)
		if ((rc = put(&f, f.keys[i], 0, e)) != SAT_OK)
			return rc;
	return SAT_OK;
}
