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
 *       else one that let such commits go; when one has the first and shows none,
 *       and the other one shows what may not come, that one; and what is shown by
 *       the one that is given up is joined to it (server_beside.c, server_join.c).
 */
#include "protocol/server_int.h"

#include <string.h>

/* A device has one push under way: what it was not answered lies among the
 * last of its chain. */
#define HEAD_RUN SAT_BATCH_COMMITS_MAX

/* Of so many chains at most, those that went on last: an answer holds no more
 * (message_more.c). */
#define HEADS_MAX 65536

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

typedef struct runs {
	sat_server *s;
	sat_place *v;
	size_t n, cap;
} runs;

static bool
add(void *u, const sat_place *p)
{
	runs *l = u;

	SAT_ARENA_GROW(l->v, l->n, l->cap, &l->s->txn);
	l->v[l->n++] = *p;
	return true;
}

typedef struct head_list {
	runs l;
	bool more;        /* than HEADS_MAX chains */
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

	l->more = l->l.n == HEADS_MAX;
	return !l->more && add(&l->l, &p);
}

static sat_rc
last_heads(head_list *l, sat_server *s, uint64_t after, sat_err *e)
{
	const sat_store *st = &s->env.store;
	sat_rc rc;

	do {
		l->l.n = 0;
		l->more = false;
		rc = st->heads(st->u, after, on_head, l, e);
		after += (l->upto - after) / 2 + 1;
	} while (rc == SAT_OK && l->more);
	return rc;
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
	    e)) != SAT_OK) || (rc = last_heads(&whole, s, durable, e)) !=
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
