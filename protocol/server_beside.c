/*
 * server_beside.c - two states of which neither holds the other: what the one alone
 * has of the commits that will not come any more, or may not (P-251, P-393).
 *
 * Whoever gives states back says where they stand and which places there are, so he
 * decides how much there is to compare. Places are read once per SEED, in the order of
 * their chains; two origins are compared in one walk over them, and states with the
 * same two origins not again. What the server knows of a chain or a device is asked
 * once.
 *
 * Invariants (also C3, server_place.c):
 *   B1  runs in a list are ascending, and none touches the next.
 *   B2  the work for one state grows with the places, not with their product.
 */
#include "protocol/server_int.h"

#include <stdlib.h>
#include <string.h>

/* How far behind a gap a commit is looked for that says where it stood. */
#define BEHIND_MAX 64

typedef struct run {
	uint64_t first, last;
} run;

typedef struct run_list { /* B1 */
	run *v;
	size_t n;
} run_list;

/* Places of one chain, and what the server knows of it. */
typedef struct told_chain {
	uint32_t dev, inc;
	size_t from, to;      /* in srv_told.v */
	bool asked;           /* the rest is filled */
	bool back;
	uint64_t after;       /* what comes behind it here */
	/* let go by its device: gaps of the chain, and, said so before it pushed,
	 * what comes behind it (P-203, P-206) */
	run_list gaps, said;
	const uint64_t *behind; /* srv_gone's */
	size_t nbehind;
} told_chain;

typedef struct told_place {
	uint64_t first, last, upto;
	size_t order;         /* which one upto is of */
} told_place;

typedef struct told_device { /* 0 = none here */
	uint32_t dev;
	bool back;
} told_device;

typedef struct told_done { /* two origins that were compared */
	srv_beside x;
	struct told_done *next;
} told_done;

struct srv_told {
	sat_server *s;
	bool read;
	told_place *v;
	told_chain *chain;
	size_t n, cap, nchains, chains_cap;
	run_list held, here, alone; /* of the chain being compared */
	uint64_t *a, *b;      /* per order: up to where */
	srv_gone *gone;       /* while they are found */
	told_device *devs;    /* by hash */
	size_t ndevs, devs_mask;
	told_done *done;
	uint64_t *at;         /* where places are that came with the states, ascending */
	size_t nat;
};

srv_told *
sat_srv_told(sat_server *s)
{
	srv_told *t = sat_arena_alloc(&s->txn, sizeof *t);

	*t = (srv_told){ .s = s };
	return t;
}

/* ---- how far a state reaches ------------------------------------------------------ */

static int
by_position(const void *x, const void *y)
{
	const uint64_t *a = x, *b = y;

	return *a < *b ? -1 : *a > *b;
}

void
sat_srv_told_at(srv_told *t, const sat_place *p, size_t n)
{
	t->at = sat_arena_alloc(&t->s->txn, (n + 1) * sizeof *t->at);
	t->nat = n;
	for (size_t i = 0; i < n; i++)
		t->at[i] = p[i].upto;
	qsort(t->at, n, sizeof *t->at, by_position);
}

uint64_t
sat_srv_as_of(const srv_told *t, uint64_t rlsn)
{
	const sat_epoch *c = t->s->epochs;
	size_t n = t->s->nepochs, lo = 0, hi = t->nat;
	uint64_t at;

	while (lo < hi) { /* the first one there or above */
		size_t mid = lo + (hi - lo) / 2;

		if (t->at[mid] < rlsn)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == t->nat)
		return rlsn;
	/* what one server lost of one order is one run of positions: when this one
	 * is not in it, none above it is */
	at = t->at[lo];
	return sat_epochs_order(c, n, at) == sat_epochs_order(c, n, rlsn) &&
	    sat_epochs_lost(c, n, at) == sat_epochs_lost(c, n, rlsn) ? at :
	    rlsn;
}

bool
sat_srv_covers(const sat_server *s, const uint64_t *b, size_t nb, const uint64_t *a,
    size_t na)
{
	for (size_t i = 0; i < na; i++) {
		uint64_t order = sat_epochs_order(s->epochs, s->nepochs, a[i]);
		bool found = false;

		for (size_t k = 0; k < nb; k++)
			found = found || (b[k] >= a[i] && sat_epochs_order(
			    s->epochs, s->nepochs, b[k]) == order);
		if (!found)
			return false;
	}
	return true;
}

/* ---- lists ------------------------------------------------------------------------ */

/* Memory for n things of this size where *cap are, doubled; few at first: each of
 * many chains may have a list. */
static void *
grown(srv_told *t, const void *p, size_t n, size_t *cap, size_t size)
{
	void *q;

	*cap = *cap * 2 + 2;
	q = sat_arena_alloc(&t->s->txn, *cap * size);
	if (n > 0)
		memcpy(q, p, n * size);
	return q;
}

/* r begins at the last one's first or behind it. */
static void
join_run(run_list *l, run r)
{
	run *end = l->n > 0 ? &l->v[l->n - 1] : NULL;

	if (end == NULL || r.first > end->last + 1)
		l->v[l->n++] = r;
	else if (r.last > end->last)
		end->last = r.last;
}

/* What is in a and not in b. */
static void
without(run_list *out, const run_list *a, const run_list *b)
{
	size_t k = 0;

	out->n = 0;
	for (size_t i = 0; i < a->n; i++) {
		run left = a->v[i];

		while (k < b->n && b->v[k].last < left.first)
			k++;
		for (; k < b->n && b->v[k].first <= left.last; k++) {
			if (b->v[k].first > left.first)
				out->v[out->n++] = (run){ left.first,
					b->v[k].first - 1 };
			left.first = b->v[k].last + 1;
			if (left.first > left.last)
				break; /* it may reach into the next one */
		}
		if (left.first <= left.last)
			out->v[out->n++] = left;
	}
}

static bool
meet(const run_list *a, const run_list *b)
{
	for (size_t i = 0, k = 0; i < a->n && k < b->n;) {
		if (a->v[i].last < b->v[k].first)
			i++;
		else if (b->v[k].last < a->v[i].first)
			k++;
		else
			return true;
	}
	return false;
}

/* ---- what is known of a device, of a chain ------------------------------------- */

/* Where it is, or where there is room for it. */
static told_device *
device_slot(const srv_told *t, uint32_t dev)
{
	size_t i = (dev * (size_t)2654435761u) & t->devs_mask;

	while (t->devs[i].dev != 0 && t->devs[i].dev != dev)
		i = (i + 1) & t->devs_mask;
	return &t->devs[i];
}

static void
more_devices(srv_told *t)
{
	size_t n = t->devs == NULL ? 0 : t->devs_mask + 1;
	size_t size = n == 0 ? 64 : n * 2;
	told_device *old = t->devs;

	t->devs = sat_arena_alloc(&t->s->txn, size * sizeof *t->devs);
	memset(t->devs, 0, size * sizeof *t->devs);
	t->devs_mask = size - 1;
	for (size_t i = 0; i < n; i++)
		if (old[i].dev != 0)
			*device_slot(t, old[i].dev) = old[i];
}

sat_rc
sat_srv_told_back(bool *yes, srv_told *t, uint32_t dev, sat_err *e)
{
	told_device *d;
	sat_rc rc;

	if (dev == 0)
		return sat_srv_is_back(yes, t->s, dev, e);
	if (t->devs == NULL || t->ndevs * 2 > t->devs_mask)
		more_devices(t);
	d = device_slot(t, dev);
	if (d->dev == 0) {
		if ((rc = sat_srv_is_back(&d->back, t->s, dev, e)) != SAT_OK)
			return rc;
		d->dev = dev;
		t->ndevs++;
	}
	*yes = d->back;
	return SAT_OK;
}

typedef struct gap_list {
	srv_told *t;
	run_list l;
	size_t cap;
} gap_list;

static bool
on_gap(void *u, uint64_t first, uint64_t last, sat_gap why)
{
	gap_list *g = u;

	if (why != SAT_GAP_GONE) /* its author keeps what was refused */
		return true;
	if (g->l.n == g->cap)
		g->l.v = grown(g->t, g->l.v, g->l.n, &g->cap, sizeof *g->l.v);
	join_run(&g->l, (run){ first, last });
	return true;
}

/* A commit that goes on under another number says where it stood under its old
 * one (P-209). */
static sat_rc
is_moved(bool *yes, const told_chain *c, srv_told *t, uint64_t cseq, sat_err *e)
{
	const sat_store *st = &t->s->env.store;
	sat_span header, payload;
	sat_commit own;
	sat_rc rc = st->commit_get(&header, &payload, &t->s->txn, st->u, c->dev,
	    c->inc, cseq, NULL);

	*yes = true;
	if (rc == SAT_ENOTFOUND)
		return SAT_OK; /* nothing is known of it */
	if (rc != SAT_OK)
		return sat_fail(e, rc, "the log cannot be read");
	rc = sat_commit_read(&own, &t->s->txn, header, (sat_span){ NULL, 0 }, e);
	*yes = (own.flags & SAT_CF_MOVED) != 0;
	return rc;
}

/* Servers take a chain in its order. So where the first commit stood that came back
 * from behind the gap, and further up, is nothing of what was let go. */
static sat_rc
find_behind(told_chain *c, srv_told *t, uint64_t gap, sat_err *e)
{
	const sat_store *st = &t->s->env.store;
	sat_recovered r;
	sat_hlc eff;
	uint64_t lsn;
	bool moved;
	sat_rc rc;

	for (uint64_t q = gap + 1; q < c->after && q <= gap + BEHIND_MAX; q++) {
		rc = st->log_find(&lsn, &eff, st->u, c->dev, c->inc, q, NULL);
		if (rc == SAT_ENOTFOUND)
			continue; /* refused, or in another gap */
		if (rc != SAT_OK)
			return sat_fail(e, rc, "the log cannot be read");
		if ((rc = st->recovered_get(&r, &t->s->txn, st->u, lsn, e)) !=
		    SAT_OK)
			return rc;
		if (r.old.n == 0)
			continue; /* its author never heard of it */
		if ((rc = is_moved(&moved, c, t, q, e)) != SAT_OK)
			return rc;
		if (moved)
			continue;
		c->behind = sat_arena_dup(&t->s->txn, r.old.at,
		    r.old.n * sizeof *r.old.at);
		c->nbehind = r.old.n;
		break;
	}
	return SAT_OK;
}

static sat_rc
ask_chain(told_chain *c, srv_told *t, sat_err *e)
{
	const sat_store *st = &t->s->env.store;
	gap_list gaps = { .t = t };
	sat_chain chain;
	uint64_t gone;
	sat_rc rc;

	/* Not through the server's chains: these may be any number, of devices that
	 * never were. */
	if ((rc = st->gaps(st->u, c->dev, c->inc, on_gap, &gaps, e)) != SAT_OK ||
	    (rc = st->let_go(&gone, st->u, c->dev, e)) != SAT_OK ||
	    (rc = st->chain_get(&chain, st->u, c->dev, c->inc, e)) != SAT_OK ||
	    (rc = sat_srv_told_back(&c->back, t, c->dev, e)) != SAT_OK)
		return rc;
	c->after = chain.last_cseq + 1;
	c->gaps = gaps.l;
	if (c->after <= gone) {
		run said = { c->after, gone };

		c->said = (run_list){ sat_arena_dup(&t->s->txn, &said,
		    sizeof said), 1 };
	} else if (c->gaps.n > 0 && (rc = find_behind(c, t,
	    c->gaps.v[c->gaps.n - 1].last, e)) != SAT_OK) {
		return rc;
	}
	c->asked = true;
	return SAT_OK;
}

/* ---- all places ------------------------------------------------------------------ */

static size_t
order_of(const sat_server *s, uint64_t lsn)
{
	size_t n = 0;

	for (size_t i = 0; i < s->nepochs; i++)
		n += s->epochs[i].first_lsn - 1 <= lsn;
	return n;
}

static bool
on_place(void *u, const sat_place *p)
{
	srv_told *t = u;
	told_chain *c = t->nchains > 0 ? &t->chain[t->nchains - 1] : NULL;

	if (c == NULL || c->dev != p->device || c->inc != p->incarnation) {
		if (t->nchains == t->chains_cap)
			t->chain = grown(t, t->chain, t->nchains,
			    &t->chains_cap, sizeof *t->chain);
		c = &t->chain[t->nchains++];
		*c = (told_chain){ .dev = p->device, .inc = p->incarnation,
			.from = t->n };
	}
	if (t->n == t->cap)
		t->v = grown(t, t->v, t->n, &t->cap, sizeof *t->v);
	t->v[t->n++] = (told_place){ p->first, p->last, p->upto,
		order_of(t->s, p->upto) };
	c->to = t->n;
	return true;
}

static sat_rc
read_places(srv_told *t, sat_err *e)
{
	const sat_store *st = &t->s->env.store;
	size_t most = 0;
	run *v;
	sat_rc rc;

	if (t->read)
		return SAT_OK;
	if ((rc = st->places_all(st->u, on_place, t, e)) != SAT_OK)
		return rc;
	for (size_t i = 0; i < t->nchains; i++)
		if (t->chain[i].to - t->chain[i].from > most)
			most = t->chain[i].to - t->chain[i].from;
	v = sat_arena_alloc(&t->s->txn, (4 * most + 1) * sizeof *v);
	t->held.v = v;
	t->here.v = v + most;
	t->alone.v = v + 2 * most; /* each of the two may cut one in two */
	t->a = sat_arena_alloc(&t->s->txn, (t->s->nepochs + 1) * sizeof *t->a);
	t->b = sat_arena_alloc(&t->s->txn, (t->s->nepochs + 1) * sizeof *t->b);
	t->gone = sat_arena_alloc(&t->s->txn, (t->nchains + 1) *
	    sizeof *t->gone);
	t->read = true;
	return SAT_OK;
}

/* ---- two origins ------------------------------------------------------------------- */

static void
reach(uint64_t *upto, const srv_told *t, const uint64_t *origin, size_t n)
{
	memset(upto, 0, (t->s->nepochs + 1) * sizeof *upto);
	for (size_t i = 0; i < n; i++) {
		uint64_t *to = &upto[order_of(t->s, origin[i])];

		if (origin[i] > *to)
			*to = origin[i];
	}
}

/* What of the chain only the first of the two states has. */
static void
find_alone(srv_told *t, const told_chain *c)
{
	t->here.n = t->held.n = 0;
	for (size_t i = c->from; i < c->to; i++) {
		const told_place *p = &t->v[i];

		if (p->upto <= t->a[p->order])
			join_run(&t->here, (run){ p->first, p->last });
		/* the server's own are not told to be anybody's */
		if (p->upto <= t->b[p->order] && c->dev != SAT_DEV_SERVER)
			join_run(&t->held, (run){ p->first, p->last });
	}
	without(&t->alone, &t->here, &t->held);
}

/* Chains of one device follow each other; of two of them nothing is known of where
 * either stood. */
static size_t
add_gone(srv_gone *l, size_t n, const told_chain *c)
{
	if (n == 0 || l[n - 1].dev != c->dev)
		l[n++] = (srv_gone){ c->dev, c->behind, c->nbehind };
	else
		l[n - 1].nbehind = 0;
	return n;
}

static sat_rc
compare(srv_beside *x, srv_told *t, sat_err *e)
{
	size_t n = 0;
	sat_rc rc;

	if ((rc = read_places(t, e)) != SAT_OK)
		return rc;
	reach(t->a, t, x->a, x->na);
	reach(t->b, t, x->b, x->nb);
	for (size_t i = 0; i < t->nchains; i++) {
		told_chain *c = &t->chain[i];

		find_alone(t, c);
		if (t->alone.n == 0)
			continue;
		if (!c->asked && (rc = ask_chain(c, t, e)) != SAT_OK)
			return rc;
		/* what its author surely does not bring: a backup had it, and
		 * nobody can read that one now */
		if (meet(&t->alone, &c->gaps) || meet(&t->alone, &c->said)) {
			x->only = ONLY_SURELY;
			n = add_gone(t->gone, n, c);
		} else if (x->only == ONLY_NOT && !c->back &&
		    t->alone.v[t->alone.n - 1].last >= c->after)
			x->only = ONLY_PERHAPS;
	}
	x->gone = sat_arena_dup(&t->s->txn, t->gone, n * sizeof *t->gone);
	x->ngone = n;
	return SAT_OK;
}

static bool
same(const uint64_t *a, size_t na, const uint64_t *b, size_t nb)
{
	return na == nb && (na == 0 || memcmp(a, b, na * sizeof *a) == 0);
}

sat_rc
sat_srv_beside(srv_beside *x, srv_told *t, const uint64_t *a, size_t na,
    const uint64_t *b, size_t nb, sat_err *e)
{
	sat_arena *mem = &t->s->txn;
	told_done *d;
	sat_rc rc;

	for (d = t->done; d != NULL; d = d->next)
		if (same(a, na, d->x.a, d->x.na) && same(b, nb, d->x.b, d->x.nb)) {
			*x = d->x;
			return SAT_OK;
		}
	d = sat_arena_alloc(mem, sizeof *d);
	*d = (told_done){ .x = { .told = t, .na = na, .nb = nb,
		.a = sat_arena_dup(mem, a, na * sizeof *a),
		.b = sat_arena_dup(mem, b, nb * sizeof *b) }, .next = t->done };
	if ((rc = compare(&d->x, t, e)) != SAT_OK)
		return rc;
	t->done = d;
	*x = d->x;
	return SAT_OK;
}

static int
by_number(const void *x, const void *y)
{
	const srv_gone *a = x, *b = y;

	return a->dev < b->dev ? -1 : a->dev > b->dev;
}

bool
sat_srv_has_let_go(const srv_beside *x, uint32_t dev, uint64_t lsn)
{
	const sat_server *s = x->told->s;
	const srv_gone *g = NULL, key = { .dev = dev };
	bool yes;

	if (x->ngone > 0)
		g = bsearch(&key, x->gone, x->ngone, sizeof *x->gone, by_number);
	yes = g != NULL;
	for (size_t i = 0; yes && i < g->nbehind; i++)
		yes = lsn < g->behind[i] || sat_epochs_order(s->epochs,
		    s->nepochs, lsn) != sat_epochs_order(s->epochs, s->nepochs,
		    g->behind[i]);
	return yes;
}
