/*
 * server_place.c - what a state that was given back holds (P-250..P-253).
 *
 * Whoever gives back a state knows up to which position of the lost order it is
 * the fold, and where in that order the commits of others stood, those he met
 * and those he was told of with states. So the server knows of a commit that is
 * pushed again whether a state holds it, also when its author never heard that
 * it was accepted.
 *
 * Invariants, named in the tests:
 *   C1  a commit is held only by states of an order in which it was accepted,
 *       and only when they reach its place there.
 *   C2  what was refused, or left out of a push, stands nowhere.
 *   C3  of two states of which neither holds the other, the one that alone has
 *       commits that will not come any more (let go by their device), or else that
 *       may not come (of a device that is not back), is kept or taken; when both
 *       have, the one that alone shows what a device that is not back did, or
 *       else one that let such commits go; and what the other one shows is
 *       joined to it (server_join.c).
 */
#include "protocol/server_int.h"

#include <stdlib.h>
#include <string.h>

/* A device has one push under way: what it was not answered lies among the
 * last of its chain. */
#define HEAD_RUN SAT_BATCH_COMMITS_MAX

bool
sat_srv_lost(const sat_server *s, uint64_t lsn)
{
	return sat_epochs_lost(s->epochs, s->nepochs, lsn) != NULL;
}

sat_rc
sat_srv_contained(bool *yes, sat_server *s, const uint64_t *origin, size_t n,
    const sat_commit *c, const sat_old *old, sat_err *e)
{
	const sat_store *st = &s->env.store;
	sat_rc rc = SAT_OK;

	*yes = false;
	for (size_t i = 0; i < n && !*yes && rc == SAT_OK; i++) {
		uint64_t from = sat_epochs_order(s->epochs, s->nepochs,
		    origin[i]);

		for (size_t k = 0; k < old->n; k++) /* C1 */
			*yes = *yes || (old->at[k] >= from &&
			    old->at[k] <= origin[i]);
		if (!*yes && c->device != SAT_DEV_SERVER)
			rc = st->place_has(yes, st->u, c->device,
			    c->incarnation, c->cseq, from, origin[i], e);
		for (size_t k = 0; k < old->nwas && !*yes && rc == SAT_OK; k++)
			rc = st->place_has(yes, st->u, c->device,
			    old->was[k].incarnation, old->was[k].cseq, from,
			    origin[i], e); /* P-391 */
	}
	return rc;
}

sat_rc
sat_srv_contained_in(bool *yes, sat_server *s, wrec *w, const sat_commit *c,
    const sat_old *old, sat_err *e)
{
	uint64_t origin[SAT_ORIGIN_MAX];
	sat_rc rc;

	*yes = false;
	if (!w->exists)
		return SAT_OK;
	if ((rc = sat_set_decode(w, s, e)) != SAT_OK)
		return rc;
	return sat_srv_contained(yes, s, origin, sat_record_origin(origin,
	    &w->r), c, old, e);
}

/* ---- two states of which neither holds the other ---------------------------------- */

typedef struct runs {
	sat_server *s;
	sat_place *v;
	size_t n, cap;
} runs;

static bool
add(void *u, const sat_place *p)
{
	runs *l = u;

	if (l->n == l->cap) {
		size_t cap = l->cap * 2 + 16;
		sat_place *v = sat_arena_alloc(&l->s->txn, cap * sizeof *v);

		if (l->n > 0)
			memcpy(v, l->v, l->n * sizeof *v);
		l->v = v;
		l->cap = cap;
	}
	l->v[l->n++] = *p;
	return true;
}

sat_rc
sat_srv_is_back(bool *yes, sat_server *s, uint32_t dev, sat_err *e)
{
	const sat_store *st = &s->env.store;
	int64_t ms = 0;
	sat_rc rc;

	*yes = false;
	for (size_t i = 0; i < s->nseen; i++)
		*yes = *yes || (s->seen[i].dev == dev &&
		    s->seen[i].ms >= s->epoch.began_ms);
	if (*yes || (rc = st->device_heard(&ms, st->u, dev, e)) ==
	    SAT_ENOTFOUND)
		return SAT_OK;
	*yes = ms >= s->epoch.began_ms;
	return rc;
}

static int
by_chain(const void *x, const void *y)
{
	const sat_place *a = x, *b = y;

	if (a->device != b->device)
		return a->device < b->device ? -1 : 1;
	if (a->incarnation != b->incarnation)
		return a->incarnation < b->incarnation ? -1 : 1;
	return a->first < b->first ? -1 : a->first > b->first;
}

static bool
same_chain(const sat_place *a, const sat_place *b)
{
	return a->device == b->device && a->incarnation == b->incarnation;
}

/* Ascending, and those of a chain that touch are one. */
static void
join_runs(runs *l)
{
	size_t n = 0;

	if (l->n > 1)
		qsort(l->v, l->n, sizeof *l->v, by_chain);
	for (size_t i = 0; i < l->n; i++) {
		sat_place *end = n > 0 ? &l->v[n - 1] : NULL;

		if (end == NULL || !same_chain(end, &l->v[i]) ||
		    l->v[i].first > end->last + 1)
			l->v[n++] = l->v[i];
		else if (l->v[i].last > end->last)
			end->last = l->v[i].last;
	}
	l->n = n;
}

/* Is a commit first..last of the chain's run in none of them? Whoever gives a
 * state says how long the runs are: they are compared, their commits are not
 * counted through. */
static bool
is_missing(const runs *held, const sat_place *p, uint64_t first, uint64_t last)
{
	size_t lo = 0, hi = held->n;
	sat_place at = *p;

	at.first = first > p->first ? first : p->first;
	last = last < p->last ? last : p->last;
	if (at.first > last)
		return false;
	if (p->device == SAT_DEV_SERVER)
		return true;
	while (lo < hi) { /* behind the last one that begins there or before */
		size_t mid = lo + (hi - lo) / 2;

		if (by_chain(&held->v[mid], &at) <= 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo == 0 || !same_chain(&held->v[lo - 1], &at) ||
	    held->v[lo - 1].last < last;
}

typedef struct gap_list {
	sat_server *s;
	struct gap_run {
		uint64_t first, last;
	} *v;
	size_t n, cap;
} gap_list;

static bool
on_gap(void *u, uint64_t first, uint64_t last, sat_gap why)
{
	gap_list *l = u;

	if (why != SAT_GAP_GONE)
		return true; /* its author keeps what was refused */
	if (l->n == l->cap) {
		size_t cap = l->cap * 2 + 4;
		struct gap_run *v = sat_arena_alloc(&l->s->txn,
		    cap * sizeof *v);

		if (l->n > 0)
			memcpy(v, l->v, l->n * sizeof *v);
		l->v = v;
		l->cap = cap;
	}
	l->v[l->n++] = (struct gap_run){ first, last };
	return true;
}

/* Of a run of commits: one that is in none of `held` and that its author surely
 * does not bring, because he let it go when a backup had it that nobody can read
 * now (P-203, P-206). *after: what comes behind his chain here. */
static sat_rc
is_let_go(bool *yes, uint64_t *after, sat_server *s, const sat_place *p,
    const runs *held, sat_err *e)
{
	const sat_store *st = &s->env.store;
	gap_list gaps = { .s = s };
	chain_slot *chain;
	uint64_t gone;
	sat_rc rc;

	*yes = false;
	if ((rc = st->gaps(st->u, p->device, p->incarnation, on_gap, &gaps,
	    e)) != SAT_OK ||
	    (rc = st->let_go(&gone, st->u, p->device, e)) != SAT_OK ||
	    (rc = sat_srv_chain(&chain, s, p->device, p->incarnation, e)) !=
	    SAT_OK)
		return rc;
	*after = chain->c.last_cseq + 1;
	for (size_t i = 0; i < gaps.n && !*yes; i++)
		*yes = is_missing(held, p, gaps.v[i].first, gaps.v[i].last);
	if (!*yes) /* he said so, and has not pushed yet */
		*yes = is_missing(held, p, *after, gone);
	return SAT_OK;
}

/* Or perhaps not, because he is not back. */
static sat_rc
is_only_there(srv_only *out, sat_server *s, const sat_place *p,
    const runs *held, sat_err *e)
{
	uint64_t after;
	bool back, yes;
	sat_rc rc = is_let_go(&yes, &after, s, p, held, e);

	if (rc == SAT_OK && yes)
		*out = ONLY_SURELY;
	if (rc != SAT_OK || *out != ONLY_NOT ||
	    (rc = sat_srv_is_back(&back, s, p->device, e)) != SAT_OK || back)
		return rc;
	if (is_missing(held, p, after, p->last))
		*out = ONLY_PERHAPS;
	return SAT_OK;
}

static sat_rc
places_of(runs *l, const uint64_t *origin, size_t n, sat_err *e)
{
	const sat_server *s = l->s;
	const sat_store *st = &s->env.store;
	sat_rc rc = SAT_OK;

	for (size_t i = 0; i < n && rc == SAT_OK; i++)
		rc = st->places_in(st->u, sat_epochs_order(s->epochs,
		    s->nepochs, origin[i]), origin[i], add, l, e);
	return rc;
}

/* What stands in a, and what of every chain is held by b. */
static sat_rc
both_places(runs *l, runs *held, const srv_beside *x, sat_err *e)
{
	sat_rc rc = places_of(l, x->a, x->na, e);

	if (rc == SAT_OK && (rc = places_of(held, x->b, x->nb, e)) == SAT_OK)
		join_runs(held);
	return rc;
}

sat_rc
sat_srv_only_in(srv_only *out, sat_server *s, const srv_beside *x, sat_err *e)
{
	runs l = { .s = s }, held = { .s = s };
	sat_rc rc = both_places(&l, &held, x, e);

	*out = ONLY_NOT;
	for (size_t i = 0; i < l.n && *out != ONLY_SURELY && rc == SAT_OK; i++)
		rc = is_only_there(out, s, &l.v[i], &held, e);
	return rc;
}

sat_rc
sat_srv_has_let_go(bool *yes, sat_server *s, const srv_beside *x, uint32_t dev,
    sat_err *e)
{
	runs l = { .s = s }, held = { .s = s };
	uint64_t after;
	sat_rc rc = both_places(&l, &held, x, e);

	*yes = false;
	for (size_t i = 0; i < l.n && !*yes && rc == SAT_OK; i++)
		if (l.v[i].device == dev)
			rc = is_let_go(yes, &after, s, &l.v[i], &held, e);
	return rc;
}

/* ---- what of a commit was not folded ------------------------------------------------ */

sat_rc
sat_srv_held_ops(const uint8_t **bits, sat_old *old, sat_server *s,
    uint64_t lsn, size_t nops, sat_err *e)
{
	const sat_store *st = &s->env.store;
	sat_recovered r;
	sat_reader rd;
	uint8_t *b;
	sat_rc rc;

	*bits = NULL;
	old->n = 0;
	if (s->epoch.epoch == 0)
		return SAT_OK;
	if ((rc = st->recovered_get(&r, &s->txn, st->u, lsn, e)) != SAT_OK)
		return rc;
	*old = r.old;
	if (r.held.n == 0)
		return SAT_OK;
	b = sat_arena_alloc(&s->txn, nops / 8 + 1);
	memset(b, 0, nops / 8 + 1);
	rd = sat_reader_of(r.held);
	while (rd.left > 0 && rd.fault == NULL) {
		uint64_t i = sat_read_uint(&rd);

		if (i < nops)
			b[i / 8] |= (uint8_t)(1 << i % 8);
	}
	*bits = b;
	return SAT_OK;
}

/* ---- told with states ------------------------------------------------------------ */

typedef struct head_list {
	runs l;
	uint64_t next;    /* of the chain being cut: what is not in a run yet */
	uint64_t upto;
	sat_place now;
} head_list;

static bool
on_head(void *u, uint32_t dev, uint32_t inc, uint64_t last)
{
	head_list *l = u;
	sat_place p = { l->upto, dev, inc,
		last > HEAD_RUN ? last - HEAD_RUN + 1 : 1, last };

	return add(&l->l, &p);
}

/* C2 */
static bool
on_absent(void *u, uint64_t from, uint64_t to)
{
	head_list *l = u;
	sat_place p = l->now;

	p.first = l->next;
	p.last = from - 1;
	if (p.first <= p.last)
		(void)add(&l->l, &p);
	l->next = to + 1;
	return true;
}

/* Whoever gets a state that was given back may have to give it back again. */
static bool
on_place(void *u, const sat_place *p)
{
	head_list *l = u;

	return p->upto > l->upto || add(&l->l, p);
}

sat_rc
sat_srv_heads(sat_place **list, size_t *n, sat_server *s, uint32_t dev,
    bool all, sat_err *e)
{
	const sat_store *st = &s->env.store;
	head_list whole = { .l.s = s, .upto = s->lsn };
	head_list cut = { .l.s = s, .upto = s->lsn };
	uint64_t durable = 0;
	sat_rc rc;

	if ((!all && (rc = st->counter_get(&durable, st->u, SAT_N_DURABLE,
	    e)) != SAT_OK) || (rc = st->heads(st->u, durable, on_head, &whole, e)) !=
	    SAT_OK)
		return rc;
	for (size_t i = 0; i < whole.l.n; i++) {
		cut.now = whole.l.v[i];
		cut.next = cut.now.first;
		if ((rc = st->absent(st->u, cut.now.device,
		    cut.now.incarnation, cut.now.first, cut.now.last,
		    on_absent, &cut, e)) != SAT_OK)
			return rc;
		cut.now.first = cut.next;
		if (cut.now.first <= cut.now.last)
			(void)add(&cut.l, &cut.now);
	}
	if (s->epoch.epoch != 0)
		rc = st->places(st->u, durable, dev, on_place, &cut, e);
	*list = cut.l.v;
	*n = cut.l.n;
	return rc;
}
