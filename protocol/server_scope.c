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

/* Its owner is a reason to hold the root: the root's own, a merged customer's
 * until a manager decides, and a live owned child's. */
static bool
is_reason(const sat_server *s, const wrec *w, bool gone)
{
	const sat_kind *k = sat_srv_kind(s, w->kind);

	return w->root == w->eid || (k != NULL && k->scope == SAT_SCOPE_ROOT) ||
	    (is_owned_child(s, w) && !gone);
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
	/* a pool shows the customer, nothing below it (P-151) */
	for (size_t i = 0; i < r->n && !held; i++)
		held = r->k[i].live && sat_keys_has(keys, r->k[i].key) &&
		    (w->root == w->eid || !sat_key_is_pool(r->k[i].key));
	if (!held || !is_owned_child(s, w)) {
		*yes = held;
		return SAT_OK;
	}
	owner = sat_scope_owner_keys(&s->reg, w->owner);
	if (!(*yes = sat_keys_meet(&owner, keys))) {
		if ((rc = sat_set_by_eid(&root, s, w->root, e)) != SAT_OK)
			return rc;
		owner = sat_scope_owner_keys(&s->reg, root->owner);
		*yes = sat_keys_meet(&owner, keys);
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
touch_root_eid(wroot **out, after *f, uint32_t eid, bool fresh, sat_err *e)
{
	sat_server *s = f->s;
	wroot *r;
	sat_rc rc;

	if ((rc = sat_set_root(&r, s, eid, fresh, e)) != SAT_OK)
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

static sat_rc
touch_root(wroot **out, after *f, const wrec *w, sat_err *e)
{
	sat_server *s = f->s;
	wrec *rw;
	sat_rc rc;

	if ((rc = sat_set_by_eid(&rw, s, w->root, e)) != SAT_OK)
		return rc;
	return touch_root_eid(out, f, w->root,
	    rw->fresh && rw->touch == s->serial, e);
}

static sat_keys
reasons(const after *f, const wrec *w, sat_value owner, sat_value pool,
    bool gone)
{
	const sat_kind *k = sat_srv_kind(f->s, w->kind);
	sat_keys none = { 0 };

	if (is_reason(f->s, w, gone))
		return sat_scope_record_keys(&f->s->reg,
		    k != NULL ? k->scope : SAT_SCOPE_CHILD, owner,
		    w->root == w->eid ? pool : sat_v_null());
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
	} else if (!is_reason(f->s, w, false)) {
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
	sat_value pool = sat_record_value(&w->r, SAT_SYS_POOL);
	sat_keys was = { 0 }, is;

	if (!w->fresh) {
		if (sat_value_eq(w->before.owner, w->owner)) {
			if (w->before.gone == sat_rec_gone(&w->r) &&
			    sat_value_eq(w->before.pool, pool))
				return SAT_OK;
		} else {
			sat_rc rc = owner_changed(f, w, r, e);

			if (rc != SAT_OK)
				return rc;
		}
		was = reasons(f, w, w->before.owner, w->before.pool,
		    w->before.gone);
	}
	is = reasons(f, w, w->owner, pool, sat_rec_gone(&w->r));
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

/* ---- customers merged, or taken apart --------------------------------------------- */

/* From one root to another, with its reason. What a touched record's own
 * operations change is counted afterwards, at its new root. */
static sat_rc
move_member(after *f, wrec *w, uint32_t to, sat_err *e)
{
	bool touched = w->touch == f->s->serial && !w->fresh, gone;
	sat_value owner = touched ? w->before.owner : w->owner;
	wroot *was, *is;
	sat_keys keys;
	sat_value pool;
	sat_rc rc;

	if ((rc = sat_set_decode(w, f->s, e)) != SAT_OK ||
	    (rc = touch_root_eid(&was, f, w->root, false, e)) != SAT_OK ||
	    (rc = touch_root_eid(&is, f, to, false, e)) != SAT_OK)
		return rc;
	gone = touched ? w->before.gone : sat_rec_gone(&w->r);
	pool = touched ? w->before.pool : sat_record_value(&w->r, SAT_SYS_POOL);
	keys = reasons(f, w, owner, pool, gone);
	for (size_t i = 0; i < keys.n && !w->fresh; i++)
		sat_set_key(f->s, was, keys.k[i])->delta--;
	w->root = to;
	keys = reasons(f, w, owner, pool, gone);
	for (size_t i = 0; i < keys.n && !w->fresh; i++)
		sat_set_key(f->s, is, keys.k[i])->delta++;
	if (!w->fresh)
		sat_set_dirty(f->s, w);
	return SAT_OK;
}

/* Whoever holds either root sees another aggregate now. */
static sat_rc
tell_all(after *f, uint32_t root, sat_err *e)
{
	wroot *r;
	sat_rc rc = touch_root_eid(&r, f, root, false, e);

	for (size_t i = 0; rc == SAT_OK && i < r->n; i++)
		r->k[i].rescope = r->k[i].rescope || r->k[i].live;
	return rc;
}

/* Who saw a customer through the root it is leaving is told of it by its own
 * number too: what is told of that root goes when that is erased (P-173). */
static sat_rc
tell_of(after *f, const wrec *w, uint32_t from, sat_err *e)
{
	wroot *was, *r;
	sat_rc rc;

	if ((rc = touch_root_eid(&was, f, from, false, e)) != SAT_OK ||
	    (rc = touch_root_eid(&r, f, w->eid, false, e)) != SAT_OK)
		return rc;
	for (size_t i = 0; i < was->n; i++)
		if (was->k[i].live)
			sat_set_key(f->s, r, was->k[i].key)->rescope = true;
	return SAT_OK;
}

/* Many have the same customer above them: where that leads is found once. */
typedef struct moving {
	after *f;
	uint32_t from;
	const wrec *top;      /* of the last one */
	wrec *to;
	uint32_t told;        /* the last root that was told of */
} moving;

static sat_rc
place(moving *m, wrec *w, sat_err *e)
{
	after *f = m->f;
	wrec *top;
	sat_rc rc;

	if (w->root != m->from || !w->exists)
		return SAT_OK;
	if ((rc = sat_srv_top(&top, f->s, w, e)) != SAT_OK ||
	    (top != m->top && (rc = sat_srv_canon(&m->to, f->s, top, e)) !=
	    SAT_OK))
		return rc;
	m->top = top;
	if (m->to->eid == m->from)
		return SAT_OK;
	if (m->told != m->to->eid &&
	    ((rc = tell_all(f, m->from, e)) != SAT_OK ||
	    (rc = tell_all(f, m->to->eid, e)) != SAT_OK))
		return rc;
	m->told = m->to->eid;
	if (top == w && top->eid != m->from &&
	    (rc = tell_of(f, top, m->from, e)) != SAT_OK)
		return rc;
	return move_member(f, w, m->to->eid, e);
}

/* A redirect came or went: everything below the root it had goes where it
 * leads now (P-173): what is in the store, changed since, made just now. Once for
 * a commit: all its redirects are folded, so whatever came below this root since
 * belongs there. */
static sat_rc
reroot(after *f, wrec *redirected, wrec *touched, sat_err *e)
{
	moving m = { .f = f, .from = redirected->root };
	wrec *changed = f->s->set.dirty; /* more come before it */
	wroot *r;
	sat_rc rc;

	if ((rc = sat_set_rows(&r, f->s, m.from, e)) != SAT_OK ||
	    r->walked == f->s->serial)
		return rc;
	r->walked = f->s->serial;
	for (size_t i = 0; i < r->nrows && rc == SAT_OK; i++)
		rc = place(&m, r->rows[i], e);
	for (wrec *w = changed; w != NULL && rc == SAT_OK; w = w->next_dirty)
		rc = place(&m, w, e);
	for (wrec *w = touched; w != NULL && rc == SAT_OK; w = w->next_touched)
		rc = place(&m, w, e);
	return rc;
}

static bool
redirected(const wrec *w)
{
	sat_id is = { { 0 } };

	if (w->fresh)
		return false;
	(void)sat_record_redirect(&is, &w->r);
	return !sat_id_eq(&is, &w->before.redirect);
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
	SAT_ARENA_GROW(f->keys, f->nkeys, f->cap, &f->s->txn);
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
			if (r->k[i].live && (w->root == w->eid ||
			    !sat_key_is_pool(r->k[i].key)))
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
		if (redirected(w) && (rc = reroot(&f, w, touched, e)) != SAT_OK)
			return rc;
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
