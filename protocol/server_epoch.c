/*
 * server_epoch.c - a server that came back from a backup: the states devices
 * give back (P-200..P-209).
 *
 * A state with last position L is the fold of everything the lost server did
 * to the record up to L. So the state with the greatest L holds all others,
 * and of the commits that are pushed again only those above L are folded on
 * top of it. Whichever comes first, the result is the same: a state that comes
 * late takes the place of the record, and what was logged since is folded once
 * more.
 *
 * Invariants, named in the tests:
 *   E1  no operation counts twice, whether it comes as a commit or inside a
 *       state, in whatever order.
 *   E2  only positions that were lost are taken, only while the window is
 *       open, only from the roles the certificate names.
 *   E3  who holds a record that was given back hears of it as a state.
 */
#include "protocol/server_given.h"

#include <string.h>

/* E3. Keys that hold the root; what of it they may see is judged when a page
 * is made (P-084). */
sat_rc
sat_srv_give_state(sat_server *s, wrec *w, uint64_t lsn, sat_err *e)
{
	const sat_store *st = &s->env.store;
	wroot *r;
	sat_rc rc;

	if ((rc = sat_set_root(&r, s, w->root, false, e)) != SAT_OK)
		return rc;
	for (size_t i = 0; i < r->n; i++)
		if (r->k[i].live && (rc = st->scope_put(st->u, r->k[i].key,
		    lsn, w->root, e)) != SAT_OK)
			return rc;
	return st->scope_put(st->u, SAT_KEY_ALL, lsn, w->root, e);
}

/* ---- one state ------------------------------------------------------------------- */

/* E2: every position in it was given by a server that is gone, or before. */
static bool
positions_ok(const sat_server *s, const sat_record *r)
{
	bool ok = sat_srv_lost(s, r->rlsn) && r->born.hlc != 0 &&
	    r->born.lsn <= r->rlsn && r->del_at.lsn <= r->rlsn;

	for (size_t i = 0; i < r->ncells; i++)
		ok = ok && r->cells[i].at.lsn <= r->rlsn;
	return ok;
}

/* P-010: whoever holds it counts on from the newest of them. */
static bool
stamps_ok(const sat_server *s, const sat_record *r)
{
	const sat_kind *k = sat_srv_kind(s, r->kind);
	bool ok = r->born.hlc <= SAT_HLC_TOLD_MAX &&
	    r->del_at.hlc <= SAT_HLC_TOLD_MAX;
	sat_arena a = { 0 };

	for (size_t i = 0; i < r->ncells && ok; i++) {
		const sat_cell *c = &r->cells[i];
		const sat_field *f = sat_kind_field_id(k, c->field);

		ok = sat_cell_newest(&a, f != NULL ? f->policy : SAT_P_LWW, r,
		    c) <= SAT_HLC_TOLD_MAX;
		sat_arena_reset(&a);
	}
	sat_arena_fini(&a);
	return ok;
}

/* Where the record hangs; itself for a root, and for a child whose customer
 * nobody knows. */
static sat_rc
find_root(uint32_t *root, seeding *x, const sat_record *r, uint32_t own,
    sat_err *e)
{
	const sat_kind *k = sat_srv_kind(x->s, r->kind);
	sat_value v = k != NULL && k->parent != NULL ?
	    sat_record_value(r, k->parent->id) : sat_v_null();
	wrec *parent;
	sat_id id;
	sat_rc rc;

	*root = own;
	if (v.type != SAT_V_BYTES || v.s.n != sizeof id.b)
		return SAT_OK;
	memcpy(id.b, v.s.p, sizeof id.b);
	if ((rc = sat_set_by_id(&parent, x->s, &id, e)) != SAT_OK ||
	    !parent->exists)
		return rc;
	/* what stands below a merged customer stands below its winner */
	k = sat_srv_kind(x->s, parent->kind);
	if (parent->root == parent->eid || (k != NULL && k->parent == NULL))
		*root = parent->root;
	return SAT_OK;
}

static sat_value
owner_of(seeding *x, const sat_record *r)
{
	const sat_kind *k = sat_srv_kind(x->s, r->kind);
	sat_value v = k != NULL && k->owner != NULL ?
	    sat_record_value(r, k->owner->id) : sat_v_null();

	return v.type == SAT_V_TEXT ? v : sat_v_null();
}

/* A device that does not hold everything gives back only what it may hold. */
static sat_rc
may_give(bool *yes, seeding *x, const wrec *w, const sat_record *r, sat_err *e)
{
	sat_keys owner = sat_scope_owner_keys(&x->s->reg, owner_of(x, r));
	wrec *root;
	sat_id id;
	const sat_kind *k = sat_srv_kind(x->s, r->kind);
	sat_value v;
	sat_rc rc;

	*yes = sat_keys_has(&x->keys, SAT_KEY_ALL);
	if (*yes)
		return SAT_OK;
	if (w->exists)
		return sat_srv_visible(yes, x->s, w, &x->keys, e);
	for (size_t i = 0; i < owner.n; i++)
		*yes = *yes || sat_keys_has(&x->keys, owner.k[i]);
	v = k->parent != NULL ? sat_record_value(r, k->parent->id) :
	    sat_v_null();
	if (*yes || v.type != SAT_V_BYTES || v.s.n != sizeof id.b)
		return SAT_OK;
	memcpy(id.b, v.s.p, sizeof id.b);
	if ((rc = sat_set_by_id(&root, x->s, &id, e)) != SAT_OK ||
	    !root->exists)
		return rc;
	return sat_srv_visible(yes, x->s, root, &x->keys, e);
}

static void
make_room(seeding *x, wrec *w, const sat_record *r)
{
	w->exists = w->fresh = w->decoded = true;
	w->kind = r->kind;
	w->eid = (uint32_t)++x->s->eid;
	w->root = w->eid;
	w->owner = sat_v_null();
	memset(&w->r, 0, sizeof w->r);
	sat_set_index(x->s, w);
}

/* C1. One position per order, ascending. */
static void
find_origin(const seeding *x, struct given *g)
{
	uint64_t had[SAT_ORIGIN_MAX], order;
	const sat_epoch *c = x->s->epochs;
	size_t n = sat_record_origin(had, &g->r), i = 0;

	g->upto = sat_srv_as_of(x->told, g->r.rlsn);
	order = sat_epochs_order(c, x->s->nepochs, g->upto);
	g->norigin = 0;
	for (; i < n && sat_epochs_order(c, x->s->nepochs, had[i]) < order &&
	    g->norigin + 1 < SAT_ORIGIN_MAX; i++)
		g->origin[g->norigin++] = had[i];
	g->origin[g->norigin++] = g->upto;
}

/* The record here stays, with what the given state alone shows. */
static sat_rc
join_here(bool *changed, seeding *x, struct given *g, const srv_beside *that,
    sat_err *e)
{
	sat_record from = g->r;
	sat_rc rc;

	g->r = g->w->r;
	g->joined = true;
	rc = sat_srv_join(changed, x->s, that, &g->r, &from, e);
	if (that->nb > 0)
		memcpy(g->origin, that->b, that->nb * sizeof *that->b);
	g->norigin = that->nb;
	return rc;
}

/* *better: it holds what the record here does not; when both hold something the
 * other lacks, what only a device that is gone could bring decides (C3). */
static sat_rc
compare_origin(bool *better, seeding *x, struct given *g, sat_err *e)
{
	uint64_t here[SAT_ORIGIN_MAX];
	srv_beside this, that; /* what only the one here has, the given one */
	bool more;
	size_t n;
	sat_rc rc;

	*better = true;
	if (!g->w->exists)
		return SAT_OK;
	if ((rc = sat_set_decode(g->w, x->s, e)) != SAT_OK)
		return rc;
	n = sat_record_origin(here, &g->w->r);
	*better = !sat_srv_covers(x->s, here, n, g->origin, g->norigin);
	if (!*better || sat_srv_covers(x->s, g->origin, g->norigin, here, n))
		return SAT_OK;
	if ((rc = sat_srv_beside(&this, x->told, here, n, g->origin,
	    g->norigin, e)) != SAT_OK ||
	    (rc = sat_srv_beside(&that, x->told, g->origin, g->norigin, here,
	    n, e)) != SAT_OK)
		return rc;
	*better = this.only == ONLY_NOT;
	if (!*better && that.only != ONLY_NOT)
		rc = sat_srv_shows_alone(better, x->s, &that, &this, &g->r,
		    &g->w->r, e);
	if (rc != SAT_OK || (*better ? this.only : that.only) == ONLY_NOT)
		return rc;
	this.let_go = this.only == ONLY_SURELY;
	that.let_go = that.only == ONLY_SURELY;
	return *better ? sat_srv_join(&more, x->s, &this, &g->r, &g->w->r, e) :
	    join_here(better, x, g, &that, e);
}

static sat_rc
consider(seeding *x, const sat_record *r, sat_err *e)
{
	struct given *g = &x->g[x->n];
	bool yes;
	wrec *w;
	sat_rc rc;

	if (sat_id_zero(&r->id) || sat_srv_kind(x->s, r->kind) == NULL ||
	    sat_record_cell(r, SAT_SYS_MASKED) != NULL || /* not whole (P-155, P-245) */
	    !positions_ok(x->s, r) || !stamps_ok(x->s, r)) {
		x->out.refused++;
		return SAT_OK;
	}
	if ((rc = sat_set_by_id(&w, x->s, &r->id, e)) != SAT_OK ||
	    (rc = may_give(&yes, x, w, r, e)) != SAT_OK)
		return rc;
	if (w->erased || !yes || (w->exists && w->kind != r->kind)) {
		x->out.refused++;
		return SAT_OK;
	}
	*g = (struct given){ .w = w, .r = *r };
	/* The server says anew what holds of customers it has (P-176). */
	sat_record_drop_cell(&g->r, SAT_SYS_CANDIDATES);
	find_origin(x, g);
	if ((rc = compare_origin(&yes, x, g, e)) != SAT_OK)
		return rc;
	if (!yes || (w->fresh && w->exists)) {
		x->out.known++;
		return SAT_OK;
	}
	if (!w->exists && x->s->eid >= UINT32_MAX)
		return sat_fail(e, SAT_ENOSPACE, "no eid left");
	if (w->exists) {
		uint64_t from = sat_epochs_lost(x->s->epochs, x->s->nepochs,
		    r->rlsn)->first_lsn;

		g->from = w->r.rlsn >= from && !g->joined ? from : 0;
	} else {
		g->fresh = true;
		make_room(x, w, r);
	}
	x->n++;
	return SAT_OK;
}

/* ---- into the records ---------------------------------------------------------------- */

/* M1. The one it was merged into was merged into this one since: the server's
 * order decides, as for any two merges (P-172). Or was erased, and this one was
 * not: then they were two by then (P-197). */
static sat_rc
lead_nowhere_wrong(seeding *x, struct given *g, sat_err *e)
{
	wrec *to;
	sat_id id;
	bool yes;
	sat_rc rc;

	if (!sat_record_redirect(&id, &g->r))
		return SAT_OK;
	if ((rc = sat_set_by_id(&to, x->s, &id, e)) != SAT_OK)
		return rc;
	yes = to->erased;
	if (to->exists && (rc = sat_srv_leads_to(&yes, x->s, to, g->w, e)) !=
	    SAT_OK)
		return rc;
	if (yes)
		sat_record_drop_cell(&g->r, SAT_SYS_REDIRECT);
	return SAT_OK;
}

static sat_rc
install(seeding *x, struct given *g, sat_err *e)
{
	sat_server *s = x->s;
	const sat_store *st = &s->env.store;
	uint64_t lsn = ++s->lsn;
	wrec *w = g->w;
	sat_buf state = { 0 };
	sat_rc rc;

	s->serial++;
	s->dirty = true;
	if ((rc = lead_nowhere_wrong(x, g, e)) != SAT_OK)
		return rc;
	memset(&w->before, 0, sizeof w->before);
	if (!g->fresh) {
		w->before.gone = sat_rec_gone(&w->r);
		w->before.pool = sat_record_value(&w->r, SAT_SYS_POOL);
		(void)sat_record_redirect(&w->before.redirect, &w->r);
	}
	w->before.owner = w->owner;
	w->fresh = g->fresh;
	w->touch = s->serial;
	w->given = true;
	w->next_touched = NULL;
	w->r = g->r;
	w->r.id = w->id;
	w->r.eid = w->eid;
	w->r.rlsn = lsn;
	sat_record_set_origin(&w->r, &s->txn, g->origin, g->norigin);
	w->owner = owner_of(x, &w->r);
	if (g->fresh && (rc = find_root(&w->root, x, &w->r, w->eid, e)) !=
	    SAT_OK)
		return rc;
	if ((rc = sat_srv_rescope(s, w, lsn, e)) != SAT_OK)
		return rc;
	w->fresh = false;
	sat_set_dirty(s, w);
	sat_record_write(&state, &w->r);
	if ((rc = st->seed_put(st->u, &(sat_seed_row){ lsn, w->id, g->upto,
	    x->dev, sat_buf_span(&state), g->raw, sat_buf_span(&g->since) },
	    e)) == SAT_OK && (rc = sat_srv_give_state(s, w, lsn, e)) == SAT_OK &&
	    (rc = sat_srv_lead_on(s, w, lsn, e)) == SAT_OK && g->fresh)
		rc = sat_srv_gather(s, w, lsn, e);
	sat_buf_fini(&state);
	x->out.taken++;
	return rc;
}

/* Whoever saw these stamps is not to be cut below them (P-014). */
static void
raise_clamp(sat_server *s, const sat_record *r)
{
	for (size_t i = 0; i < r->ncells; i++)
		if (r->cells[i].at.hlc > s->clamp.last_clamped &&
		    sat_hlc_ms(r->cells[i].at.hlc) >
		    sat_wall_ms(&s->env.clock) + SAT_CLAMP_MS)
			s->clamp.last_clamped = r->cells[i].at.hlc;
}

/* Only of servers that are gone (E2). What a device tells beyond its share is
 * not kept; it still says up to where its own states reach. */
static sat_rc
take_places(seeding *x, const sat_seed *in, sat_err *e)
{
	const sat_store *st = &x->s->env.store;
	uint64_t told;
	bool anew;
	sat_rc rc;

	if (in->nplaces > SAT_SEED_PLACES_MAX)
		return sat_fail_code(e, SAT_EPROTO, "seed.places", NULL,
		    "%zu places with states; at most %d are told at a time",
		    in->nplaces, SAT_SEED_PLACES_MAX);
	if ((rc = st->told_get(&told, st->u, x->dev, e)) != SAT_OK)
		return rc;

	sat_srv_told_at(x->told, in->places, in->nplaces);
	for (size_t i = 0; i < in->nplaces && told < SAT_SEED_PLACES_MAX; i++) {
		if (!sat_srv_lost(x->s, in->places[i].upto))
			continue;
		if ((rc = st->place_put(&anew, st->u, &in->places[i],
		    x->s->lsn + 1, e)) != SAT_OK)
			return rc;
		told += anew;
	}
	return st->told_put(st->u, x->dev, told, e);
}

static sat_rc
take_records(seeding *x, sat_span records, sat_err *e)
{
	sat_record *r = NULL;
	size_t n = 0;
	sat_rc rc;

	if (records.n == 0)
		return SAT_OK;
	if ((rc = sat_records_read(&r, &n, &x->s->txn, records, e)) != SAT_OK)
		return rc;
	if (n > SAT_SEED_STATES_MAX)
		return sat_fail_code(e, SAT_EPROTO, "seed.states", NULL,
		    "%zu states; at most %d are given back at a time", n,
		    SAT_SEED_STATES_MAX);
	x->g = sat_arena_alloc(&x->s->txn, (n + 1) * sizeof *x->g);
	for (size_t i = 0; i < n; i++) {
		r[i].eid = 0; /* the lost server's number */
		if ((rc = consider(x, &r[i], e)) != SAT_OK)
			return rc;
	}
	if ((rc = sat_srv_given_refold(x, e)) != SAT_OK)
		return rc;
	for (size_t i = 0; i < x->n; i++) {
		raise_clamp(x->s, &x->g[i].r);
		if ((rc = install(x, &x->g[i], e)) != SAT_OK)
			return rc;
	}
	for (size_t i = 0; i < x->n && rc == SAT_OK; i++)
		rc = sat_srv_number_given(x->s, x->g[i].w, e);
	return rc;
}

/* The template a device has may be newer than the backup's. It is signed and
 * must descend from ours; one that is neither is left alone. */
static void
take_template(sat_server *s, const sat_seed *in)
{
	if (s->env.template_take != NULL && in->bundle.n > 0)
		(void)s->env.template_take(s->env.u, in->tip, in->bundle, NULL);
}

sat_rc
sat_srv_seed(sat_server *s, sat_server_session *x, const sat_seed *in,
    sat_buf *reply, sat_err *e)
{
	const sat_store *st = &s->env.store;
	sat_msg m = { .type = SAT_MSG_SEEDED };
	seeding k = { .s = s, .dev = x->device, .told = sat_srv_told(s) };
	uint64_t let_go = 0;
	sat_rc rc;

	if ((rc = sat_srv_session_user(&k.user, s, x, e)) != SAT_OK)
		return rc;
	if (in->epoch != s->epoch.epoch || s->epoch.epoch == 0)
		return sat_fail_code(e, SAT_ECONFLICT, "epoch", NULL,
		    "the device speaks of another restore than this server");
	k.keys = sat_scope_subscription(&s->reg, k.user);
	take_template(s, in);
	for (size_t i = 0; i < in->nknown; i++)
		if (in->known[i].device == x->device)
			let_go = in->known[i].cseq;
		else if ((rc = st->known_put(st->u, in->known[i].device,
		    in->known[i].cseq, x->device, e)) != SAT_OK)
			return rc;
	/* Kept: its states come before its push, and others between the two. */
	if ((rc = st->let_go_put(st->u, x->device, let_go, e)) != SAT_OK)
		return rc;
	k.out.closed = sat_wall_ms(&s->env.clock) > s->epoch.until_ms ||
	    (s->epoch.seed_roles & sat_epoch_role(k.user->role)) == 0;
	if (!k.out.closed && (rc = take_places(&k, in, e)) == SAT_OK)
		rc = take_records(&k, in->records, e);
	for (size_t i = 0; i < k.n; i++)
		sat_buf_fini(&k.g[i].since);
	if (rc != SAT_OK)
		return rc;
	s->env.template_tip(s->env.u, k.out.template_oid);
	if ((rc = sat_srv_commit(s, e)) != SAT_OK)
		return rc;
	m.u.seeded = k.out;
	sat_msg_write(reply, &m);
	return SAT_OK;
}
