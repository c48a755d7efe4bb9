/*
 * server_chains.c - proof of the chains: every commit joins the one before it,
 * the heads are those that are stored, and the batch signatures fit.
 */
#include "protocol/server_int.h"

#include <stdlib.h>
#include <string.h>

typedef struct vsig {
	uint64_t first, last;
	uint8_t sig[SAT_SIG_BYTES];
} vsig;

typedef struct vchain {
	uint32_t dev, inc;
	sat_chain c;
} vchain;

typedef struct list {
	uint8_t *p;
	size_t n, cap, size;
} list;

static void *
list_add(list *l)
{
	if (l->n == l->cap) {
		l->cap = l->cap == 0 ? 16 : l->cap * 2;
		l->p = sat_xrealloc(l->p, l->cap * l->size);
	}
	return l->p + l->size * l->n++;
}

static bool
on_chain(void *u, uint32_t dev, uint32_t inc, const sat_chain *c)
{
	*(vchain *)list_add(u) = (vchain){ dev, inc, *c };
	return true;
}

static bool
on_sig(void *u, uint64_t first, uint64_t last, const uint8_t *sig)
{
	vsig *v = list_add(u);

	v->first = first;
	v->last = last;
	memcpy(v->sig, sig, sizeof v->sig);
	return true;
}

static sat_rc
broken(const vchain *c, uint64_t cseq, const char *what, sat_err *e)
{
	return sat_fail(e, SAT_EINTEGRITY,
	    "chain of device %u.%u: %s at commit %llu", c->dev, c->inc, what,
	    (unsigned long long)cseq);
}

typedef struct vgap {
	uint64_t first, last;
} vgap;

static bool
on_gap(void *u, uint64_t first, uint64_t last, sat_gap why)
{
	(void)why;
	*(vgap *)list_add(u) = (vgap){ first, last };
	return true;
}

/* joins false: what came before it is gone, and known to be (P-203). */
static sat_rc
check_link(sat_server *s, const vchain *v, uint64_t cseq, bool joins,
    uint8_t hash[SAT_HASH_BYTES], sat_err *e)
{
	const sat_store *st = &s->env.store;
	sat_span header, payload;
	sat_commit c;
	sat_rc rc;

	sat_set_reset(s);
	rc = st->commit_get(&header, &payload, &s->txn, st->u, v->dev, v->inc,
	    cseq, e);
	if (rc == SAT_ENOTFOUND)
		return broken(v, cseq, "nothing is stored", e);
	if (rc != SAT_OK)
		return rc;
	/* Payload against its hash; only the header when it was erased. */
	if (sat_commit_read(&c, &s->txn, header, payload, NULL) != SAT_OK)
		return broken(v, cseq, "payload does not fit its header", e);
	if (c.device != v->dev || c.incarnation != v->inc || c.cseq != cseq ||
	    (joins && memcmp(c.prev, hash, SAT_HASH_BYTES) != 0))
		return broken(v, cseq, "header does not join", e);
	sat_hash(hash, header);
	return SAT_OK;
}

static sat_rc
check_chain(sat_server *s, const vchain *v, const vsig *sig, size_t nsigs,
    const list *gaps, sat_err *e)
{
	const vgap *gap = (const vgap *)(void *)gaps->p;
	size_t ngaps = gaps->n;
	const sat_store *st = &s->env.store;
	uint8_t hash[SAT_HASH_BYTES] = { 0 }, pk[SAT_SIGN_PK_BYTES];
	size_t next = 0;
	sat_rc rc;

	if (v->dev == SAT_DEV_SERVER)
		memcpy(pk, s->env.server_pk, sizeof pk);
	for (uint64_t cseq = 1; cseq <= v->c.last_cseq; cseq++) {
		bool joins = ngaps == 0 || gap->first != cseq;

		if (!joins) {
			cseq = gap->last + 1;
			gap++;
			ngaps--;
		}
		if ((rc = check_link(s, v, cseq, joins, hash, e)) != SAT_OK)
			return rc;
		if (next == nsigs || sig[next].last != cseq)
			continue;
		/* P-389: which key it was follows from the number */
		if (v->dev != SAT_DEV_SERVER && (rc = st->device_pk_at(pk,
		    st->u, v->dev, v->inc, cseq, e)) != SAT_OK)
			return rc;
		sat_buf_reset(&s->scratch);
		sat_batch_sign_bytes(&s->scratch, &s->env.org, v->dev, v->inc,
		    sig[next].first, cseq, hash);
		if (!sat_sign_ok(sig[next].sig, sat_buf_span(&s->scratch), pk))
			return broken(v, cseq, "batch signature is wrong", e);
		next++;
	}
	if (next != nsigs || nsigs == 0 ||
	    sig[nsigs - 1].last != v->c.last_cseq)
		return broken(v, v->c.last_cseq, "no signature covers", e);
	if (memcmp(hash, v->c.head, SAT_HASH_BYTES) != 0)
		return broken(v, v->c.last_cseq, "another head is stored", e);
	return SAT_OK;
}

sat_rc
sat_srv_chains_check(sat_server *s, sat_err *e)
{
	const sat_store *st = &s->env.store;
	list chains = { .size = sizeof(vchain) };
	sat_rc rc = st->chains(st->u, on_chain, &chains, e);

	for (size_t i = 0; i < chains.n && rc == SAT_OK; i++) {
		const vchain *v = (const vchain *)(void *)chains.p + i;
		list sigs = { .size = sizeof(vsig) };
		list gaps = { .size = sizeof(vgap) };

		if ((rc = st->batch_sigs(st->u, v->dev, v->inc, on_sig, &sigs,
		    e)) == SAT_OK && (rc = st->gaps(st->u, v->dev, v->inc,
		    on_gap, &gaps, e)) == SAT_OK)
			rc = check_chain(s, v, (const vsig *)(void *)sigs.p,
			    sigs.n, &gaps, e);
		free(sigs.p);
		free(gaps.p);
	}
	free(chains.p);
	return rc == SAT_OK ? sat_srv_rekeys_check(s, e) : rc;
}
