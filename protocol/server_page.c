/*
 * server_page.c - what one position of the log gives to a page of a PULL.
 *
 * Operations are filtered one by one by what is visible now: what left the
 * device's scope since is taken away by a rescope, in this page or a later one
 * (P-084).
 *
 * Invariant, named in the tests:
 *   L1  no byte of a record that is not visible to the device leaves here.
 */
#include "protocol/server_page.h"

#include <string.h>

#define COMMIT_OVERHEAD 40     /* columns of a commit besides its ops */
#define CELL_BYTES 8
/* One answer, whatever its position comes to: states while they and the commit
 * stay below this, then names; the commit goes anyway. Together they fit a
 * frame. */
#define STATES_BYTES_MAX (SAT_BATCH_BYTES_MAX - SAT_BATCH_BYTES_MAX / 4)
#define ANSWER_BYTES_MAX SAT_BATCH_BYTES_MAX
#define NAMED_BYTES_MAX (SAT_FRAME_MAX - 256 * 1024)

sat_rc
sat_srv_states_add(states *st, sat_server *s, const wrec *w,
    const sat_keys *keys, sat_err *e)
{
	sat_record *r;
	sat_rc rc;

	SAT_ARENA_GROW(st->r, st->n, st->cap, &s->txn);
	r = &st->r[st->n];
	if ((rc = sat_srv_shown(r, s, w, keys, e)) != SAT_OK)
		return rc;
	r->eid = w->eid;
	st->n++;
	st->bytes += w->state.n > r->ncells * CELL_BYTES ? w->state.n :
	    r->ncells * CELL_BYTES;
	if (r->born.hlc > st->max_eff)
		st->max_eff = r->born.hlc;
	if (r->del_at.hlc > st->max_eff)
		st->max_eff = r->del_at.hlc;
	for (size_t i = 0; i < r->ncells; i++)
		if (r->cells[i].at.hlc > st->max_eff)
			st->max_eff = r->cells[i].at.hlc;
	return SAT_OK;
}

/* ---- what fits ------------------------------------------------------------------ */

static bool
is_empty(const page *p)
{
	return p->n + p->nrs + p->st.n == 0;
}

static size_t
taken(const page *p)
{
	return p->bytes + p->echoed + p->coming;
}

/* So many bytes of states, besides `more` of others that are not there yet? */
static bool
has_room(const page *p, size_t states_bytes, size_t more)
{
	return p->st.bytes + states_bytes <= STATES_BYTES_MAX &&
	    taken(p) + states_bytes + more <= ANSWER_BYTES_MAX;
}

/* ---- one commit ----------------------------------------------------------------- */

static void
add_commit(page *p, const sat_commit *c, size_t bytes)
{
	SAT_ARENA_GROW(p->c, p->n, p->cap, &p->s->txn);
	p->c[p->n++] = *c;
	p->nops += c->nops;
	p->bytes += bytes;
	if (c->eff > p->max_eff)
		p->max_eff = c->eff;
}

/* ---- rescopes ---------------------------------------------------------------------- */

typedef struct aggregate {
	page *p;
	states st;
	sat_id *held;
	size_t n, cap;
	bool cut;          /* it has states that do not fit */
	sat_err *e;
	sat_rc rc;
} aggregate;

static bool
on_record(void *u, const sat_rec_row *row)
{
	aggregate *g = u;
	sat_server *s = g->p->s;
	wrec *w;
	bool yes;

	w = sat_set_of_row(s, row);
	if ((g->rc = sat_srv_visible(&yes, s, w, &g->p->keys, g->e)) != SAT_OK)
		return false;
	if (!yes)
		return true;
	SAT_ARENA_GROW(g->held, g->n, g->cap, &s->txn);
	g->held[g->n++] = row->id;
	/* Those beyond it the device fetches when its sums differ at the end of
	 * the same sync (P-085, P-184). */
	if (!has_room(g->p, g->st.bytes + w->state.n, g->n * sizeof *g->held)) {
		g->cut = true;
		return true;
	}
	g->rc = sat_srv_states_add(&g->st, s, w, &g->p->keys, g->e);
	return g->rc == SAT_OK;
}

static sat_span
owner_name(const sat_server *s, sat_value owner)
{
	const sat_user *u = owner.type == SAT_V_TEXT ?
	    sat_registry_user(&s->reg, owner.s) : NULL;

	return u != NULL ? sat_span_str(u->name) : (sat_span){ NULL, 0 };
}

/* A customer that was merged since is told of with the winner; to one who may
 * not see that, only that it left. */
static sat_rc
merged_root(uint32_t *root, page *p, sat_err *e)
{
	wrec *w;
	bool yes;
	sat_rc rc;

	if ((rc = sat_set_by_eid(&w, p->s, *root, e)) != SAT_OK ||
	    w->root == w->eid ||
	    (rc = sat_srv_visible(&yes, p->s, w, &p->keys, e)) != SAT_OK)
		return rc;
	if (yes)
		*root = w->root;
	return SAT_OK;
}

static void
add_rescope(page *p, const sat_rescope *rs, uint32_t root)
{
	size_t cap = p->rs_cap; /* one for both lists */

	SAT_ARENA_GROW(p->roots, p->nrs, cap, &p->s->txn);
	SAT_ARENA_GROW(p->rs, p->nrs, p->rs_cap, &p->s->txn);
	p->roots[p->nrs] = root;
	p->rs[p->nrs++] = *rs;
}

static void
add_states(page *p, const states *from)
{
	for (size_t i = 0; i < from->n; i++) {
		SAT_ARENA_GROW(p->st.r, p->st.n, p->st.cap, &p->s->txn);
		p->st.r[p->st.n++] = from->r[i];
	}
	p->st.bytes += from->bytes;
}

/* All of a root as it is now; once per page, for it is the same each time. */
sat_rc
sat_srv_page_rescope(page *p, uint64_t lsn, uint32_t root, sat_err *e)
{
	const sat_store *st = &p->s->env.store;
	aggregate g = { .p = p, .e = e };
	sat_rescope rs = { .lsn = lsn };
	size_t names;
	wrec *w;
	sat_rc rc;

	if ((rc = merged_root(&root, p, e)) != SAT_OK || root == p->unnamed)
		return rc;
	for (size_t i = 0; i < p->nrs; i++)
		if (p->roots[i] == root) {
			p->rs[i].lsn = lsn;
			return SAT_OK;
		}
	if ((rc = sat_set_by_eid(&w, p->s, root, e)) != SAT_OK ||
	    (rc = st->rec_of_root(st->u, root, on_record, &g, e)) != SAT_OK ||
	    (rc = g.rc) != SAT_OK)
		return rc;
	names = g.n * sizeof *g.held;
	if (!p->alone && !is_empty(p) &&
	    (g.cut || taken(p) + g.st.bytes + names > p->bytes_max)) {
		p->full = true;
		return SAT_OK;
	}
	/* Not even the names: all of it comes, and goes, by the sums. */
	if (g.n > 0 && taken(p) + g.st.bytes + names > NAMED_BYTES_MAX) {
		p->unnamed = root;
		return SAT_OK;
	}
	rs.root = w->id;
	rs.held = g.held;
	rs.nheld = g.n;
	if (rs.nheld == 0)
		rs.to = owner_name(p->s, w->owner);
	add_rescope(p, &rs, root);
	p->bytes += g.st.bytes + names + COMMIT_OVERHEAD;
	add_states(p, &g.st);
	if (g.st.max_eff > p->max_eff)
		p->max_eff = g.st.max_eff;
	return SAT_OK;
}

/* One record as it is now, without what the role does not see (P-242); once per
 * page. */
static sat_rc
take_state(page *p, wrec *w, sat_err *e)
{
	size_t before = p->st.bytes;
	bool cut = !has_room(p, w->state.n, 0);
	sat_rc rc;

	if (w->shown > 0 && w->shown <= p->st.n &&
	    p->st.r[w->shown - 1].eid == w->eid)
		return SAT_OK;
	if (!p->alone && !is_empty(p) &&
	    (cut || taken(p) + w->state.n > p->bytes_max)) {
		p->full = true;
		return SAT_OK;
	}
	if (cut)
		return SAT_OK; /* comes by the sums */
	if ((rc = sat_srv_states_add(&p->st, p->s, w, &p->keys, e)) != SAT_OK)
		return rc;
	w->shown = p->st.n;
	p->bytes += p->st.bytes - before;
	if (p->st.max_eff > p->max_eff)
		p->max_eff = p->st.max_eff;
	return SAT_OK;
}

/* ---- operations of a commit -------------------------------------------------------------- */

/* The answer of sat_srv_visible, which may look for two owners in a registry of
 * thousands, asked once: nothing changes while a page is filled. */
static sat_rc
seen(bool *yes, page *p, wrec *w, sat_err *e)
{
	sat_rc rc = SAT_OK;

	if (!w->asked_seen && (rc = sat_srv_visible(&w->seen, p->s, w, &p->keys,
	    e)) == SAT_OK)
		w->asked_seen = true;
	*yes = w->seen;
	return rc;
}

static void
list_owners(page *p)
{
	const sat_registry *reg = &p->s->reg;
	size_t n = 0;

	for (size_t i = 0; i < reg->nusers; i++) {
		sat_keys of = sat_scope_user_keys(&reg->users[i]);

		n += sat_keys_meet(&of, &p->keys);
	}
	p->owners = sat_arena_alloc(&p->s->txn, (n + 1) * sizeof *p->owners);
	p->nowners = 0;
	for (size_t i = 0; i < reg->nusers && p->nowners < n; i++) {
		sat_keys of = sat_scope_user_keys(&reg->users[i]);

		if (sat_keys_meet(&of, &p->keys))
			p->owners[p->nowners++] = &reg->users[i];
	}
}

/* Did the record pass since from an owner this device sees to one it does not? */
static sat_rc
owner_left(bool *left, page *p, wrec *w, uint64_t lsn, sat_err *e)
{
	const sat_store *st = &p->s->env.store;
	uint64_t at, last = 0;
	sat_rc rc;

	if (p->owners == NULL)
		list_owners(p);
	for (size_t i = 0; i < p->nowners && !w->asked_left; i++) {
		if ((rc = st->owner_left_lsn(&at, st->u, w->eid,
		    sat_span_str(p->owners[i]->key), e)) != SAT_OK)
			return rc;
		last = at > last ? at : last;
	}
	if (!w->asked_left)
		w->owner_left = last;
	w->asked_left = true;
	*left = w->owner_left >= lsn;
	return SAT_OK;
}

static sat_rc
root_left(bool *left, page *p, uint32_t root, uint64_t lsn, sat_err *e)
{
	wroot *r;
	wkey *k;
	sat_rc rc;

	if ((rc = sat_set_root(&r, p->s, root, false, e)) != SAT_OK)
		return rc;
	for (size_t i = 0; i < p->keys.n && !*left; i++) {
		k = sat_set_key(p->s, r, p->keys.k[i]);
		if ((rc = sat_set_member(k, p->s, r, e)) != SAT_OK)
			return rc;
		*left = k->m.left_lsn >= lsn;
	}
	return SAT_OK;
}

/*
 * An operation is left out because its customer left this device since, or,
 * where the customer is still held, its opportunity did. The device must know
 * with this page, not with a later one: between the two it would edit what it
 * holds, and its cursor would say that it had seen this.
 */
static sat_rc
take_leave(page *p, uint64_t lsn, wrec *w, sat_err *e)
{
	bool left = false, held;
	wrec *root;
	sat_rc rc;

	if (!w->exists)
		return SAT_OK;
	if ((rc = sat_set_by_eid(&root, p->s, w->root, e)) != SAT_OK ||
	    (rc = seen(&held, p, root, e)) != SAT_OK)
		return rc;
	/* Never of a customer the device did not hold: not even the id. */
	if (!held)
		rc = root_left(&left, p, w->root, lsn, e);
	else if ((rc = owner_left(&left, p, w, lsn, e)) == SAT_OK && !left)
		rc = owner_left(&left, p, root, lsn, e);
	if (rc != SAT_OK || !left)
		return rc;
	return sat_srv_page_rescope(p, lsn, w->root, e);
}

/* The operations that other records got too, behind the commit's own. */
static sat_rc
add_echoes(page *p, sat_commit *c, sat_span echoes, sat_err *e)
{
	sat_op *ops;
	echo *list;
	size_t n;
	sat_rc rc;

	c->nechoes = 0;
	if ((rc = sat_srv_echoes_read(&list, &n, p->s, echoes, c, e)) !=
	    SAT_OK || n == 0)
		return rc;
	ops = sat_arena_alloc(&p->s->txn, (c->nops + n) * sizeof *ops);
	memcpy(ops, c->ops, c->nops * sizeof *ops);
	for (size_t i = 0; i < n; i++) {
		if (list[i].held) /* came as a state */
			continue;
		ops[c->nops + c->nechoes] = c->ops[list[i].op];
		ops[c->nops + c->nechoes++].rec = list[i].to->id;
	}
	c->ops = ops;
	c->nops += c->nechoes;
	return SAT_OK;
}

static size_t
ops_bytes(const sat_commit *c, size_t from)
{
	size_t n = 0;

	for (size_t i = from; i < c->nops; i++)
		n += sat_op_bytes_most(&c->ops[i]);
	return n;
}

static size_t
echoed_bytes(const sat_commit *c)
{
	return ops_bytes(c, c->nops - c->nechoes);
}

/* None such is accepted any more, but a log may have one (P-171). */
static bool
fits_no_batch(const sat_commit *c)
{
	return c->nechoes > 0 && !sat_srv_echoed_fits(c->nops,
	    ops_bytes(c, 0));
}

/* Which records of the commit go as states: those of which it did something
 * that the role is not shown (P-242). */
static sat_rc
find_veiled(page *p, const sat_commit *c, sat_err *e)
{
	wrec *w;
	sat_rc rc;

	for (size_t i = 0; p->keys.mask != NULL && i < c->nops; i++) {
		const sat_op *op = &c->ops[i];

		if (op->kind != SAT_OP_NEW &&
		    !sat_op_veiled(p->keys.mask, op))
			continue;
		if ((rc = sat_set_by_id(&w, p->s, &op->rec, e)) != SAT_OK)
			return rc;
		if (op->kind == SAT_OP_NEW)
			w->born_at = c->lsn;
		else
			w->veiled_at = c->lsn;
	}
	return SAT_OK;
}

/* Is the operation in the state that goes instead? All of a birth is. */
static bool
is_veiled(const page *p, const wrec *w, const sat_commit *c, size_t i)
{
	return p->keys.mask != NULL && w->veiled_at == c->lsn &&
	    (w->born_at == c->lsn || sat_op_veiled(p->keys.mask, &c->ops[i]));
}

/* Keep what is visible; name records by eid. as_states: keep nothing, what it
 * did comes as its records are now. */
static sat_rc
filter_ops(page *p, sat_commit *c, bool as_states, sat_err *e)
{
	size_t n = 0, echoes = c->nops - c->nechoes;
	size_t kept = 0;
	const uint8_t *held;
	sat_old old;
	bool yes, masked;
	wrec *w;
	sat_rc rc;

	if ((rc = sat_srv_held_ops(&held, &old, p->s, c->lsn, echoes, e)) !=
	    SAT_OK || (rc = find_veiled(p, c, e)) != SAT_OK)
		return rc;
	for (size_t i = 0; i < c->nops; i++) {
		/* came as a state, which comes with this page */
		if (i < echoes && sat_srv_op_held(held, i))
			continue;
		if ((rc = sat_set_by_id(&w, p->s, &c->ops[i].rec, e)) !=
		    SAT_OK ||
		    (rc = seen(&yes, p, w, e)) != SAT_OK)
			return rc;
		if (!yes) { /* L1 */
			if ((rc = take_leave(p, c->lsn, w, e)) != SAT_OK)
				return rc;
			continue;
		}
		if ((rc = sat_srv_masked(&masked, p->s, w, &p->keys, e)) !=
		    SAT_OK)
			return rc;
		if (masked) { /* P-155: its state instead, without what is hidden */
			if ((rc = sat_srv_page_rescope(p, c->lsn, w->root, e)) !=
			    SAT_OK)
				return rc;
			continue;
		}
		/* P-395: the record without what went, not the word of it */
		if (as_states || is_veiled(p, w, c, i) ||
		    c->ops[i].kind == SAT_OP_ERASE) {
			if ((rc = take_state(p, w, e)) != SAT_OK)
				return rc;
			continue;
		}
		c->ops[i].eid = w->eid;
		c->ops[n++] = c->ops[i];
		kept += i >= echoes;
	}
	c->nops = n;
	c->nechoes = kept;
	return SAT_OK;
}

sat_rc
sat_srv_page_commit(page *p, uint64_t lsn, sat_err *e)
{
	const sat_store *st = &p->s->env.store;
	sat_log_row row;
	sat_commit c;
	size_t bytes, nops, echoed;
	bool as_states;
	wrec *subject;
	sat_rc rc;

	rc = st->log_get(&row, &p->s->txn, st->u, lsn, e);
	if (rc == SAT_ENOTFOUND && p->s->epoch.epoch != 0)
		return SAT_OK; /* a state that was given back */
	if (rc != SAT_OK ||
	    (rc = sat_srv_log_read(&c, &p->s->txn, &row, e)) != SAT_OK)
		return rc;
	nops = c.nops;
	if ((rc = add_echoes(p, &c, row.echoes, e)) != SAT_OK)
		return rc;
	as_states = fits_no_batch(&c);
	p->coming = as_states ? 0 : row.payload.n + echoed_bytes(&c);
	rc = filter_ops(p, &c, as_states, e);
	p->coming = 0;
	if (rc != SAT_OK || c.nops == 0)
		return rc;
	/* What the device has in its outbox is not sent again. Not so when a
	 * part is not its to hold any more, nor what an earlier incarnation
	 * wrote: that is not in this outbox; nor what other records got too:
	 * only the server knows which. */
	c.own = c.device == p->x->device && c.nops == nops &&
	    c.incarnation == p->x->incarnation && !p->full_own &&
	    c.nechoes == 0 && row.payload.n > 0; /* P-397 */
	if (c.own)
		c.nops = 0;
	if ((rc = sat_set_by_id(&subject, p->s, &c.subject, e)) != SAT_OK)
		return rc;
	c.subject_eid = subject->exists ? subject->eid : 0;
	bytes = COMMIT_OVERHEAD + (c.own ? 0 : row.payload.n);
	echoed = echoed_bytes(&c);
	if (!p->alone && !is_empty(p) &&
	    (taken(p) + bytes + echoed > p->bytes_max ||
	    p->n == SAT_BATCH_COMMITS_MAX ||
	    p->nops + c.nops > SAT_BATCH_OPS_MAX)) {
		p->full = true; /* this one opens the next page */
		return SAT_OK;
	}
	add_commit(p, &c, bytes);
	p->echoed += echoed;
	return SAT_OK;
}
