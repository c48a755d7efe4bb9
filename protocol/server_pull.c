/*
 * server_pull.c - PULL: what happened after a cursor, as far as it concerns
 * this device.
 *
 * A page is cut by bytes at a log position, so `upto` is always a position all
 * of whose entries the device has been given. What a position gives:
 * server_page.c.
 *
 * Invariants, named in the tests:
 *   L2  a page moves the cursor, or there is nothing left.
 *   L3  cost follows the entries of the device's keys, not the log.
 */
#include "protocol/server_page.h"

#include <string.h>

#define WINDOW 512             /* scope entries looked at in one go */
#define PAGE_BYTES_MAX (1024 * 1024)
#define LOOKED_MAX 16384       /* positions per page */

/* ---- the page ------------------------------------------------------------------------ */

/* Collected first: the store's cursor is closed before we ask it for rows. */
static bool
on_entry(void *u, uint64_t lsn, uint32_t root)
{
	page *p = u;

	if (p->nwin > 0 && p->win[p->nwin - 1].lsn == lsn &&
	    p->win[p->nwin - 1].root == root)
		return true; /* through another key */
	if (p->nwin >= WINDOW && p->win[p->nwin - 1].lsn != lsn) {
		p->more = true;
		return false;
	}
	if (p->nwin >= WINDOW && p->nwin % WINDOW == 0) {
		/* One commit with more entries than a window. */
		entry *w = sat_arena_alloc(&p->s->txn,
		    (p->nwin + WINDOW) * sizeof *w);

		memcpy(w, p->win, p->nwin * sizeof *w);
		p->win = w;
	}
	p->win[p->nwin++] = (entry){ lsn, root };
	return true;
}

static sat_rc
try_position(page *p, size_t i, sat_err *e)
{
	uint64_t lsn = p->win[i].lsn;
	sat_rc rc;

	for (; i < p->nwin && p->win[i].lsn == lsn; i++) {
		rc = p->win[i].root == 0 ? sat_srv_page_commit(p, lsn, e) :
		    sat_srv_page_rescope(p, lsn, p->win[i].root, e);
		if (rc != SAT_OK || p->full)
			return rc;
	}
	return SAT_OK;
}

/* All entries of one position, or none of them: then the page is full. */
static sat_rc
take_position(page *p, size_t *i, sat_err *e)
{
	page before = *p;
	uint64_t lsn = p->win[*i].lsn;
	sat_rc rc = try_position(p, *i, e);

	if (rc == SAT_OK && p->full) {
		*p = before;
		p->full = true;
		if (before.n + before.nrs + before.st.n > 0)
			return SAT_OK;
		/* Too large for any page of this size: it goes alone. */
		p->full = false;
		p->alone = true;
		rc = try_position(p, *i, e);
		p->full = true;
	}
	if (rc != SAT_OK)
		return rc;
	while (*i < p->nwin && p->win[*i].lsn == lsn)
		(*i)++;
	p->cursor = lsn;
	return SAT_OK;
}

static sat_rc
fill(page *p, sat_err *e)
{
	const sat_store *st = &p->s->env.store;
	sat_rc rc;

	p->win = sat_arena_alloc(&p->s->txn, WINDOW * sizeof *p->win);
	do {
		size_t i = 0;

		p->nwin = 0;
		p->more = false;
		if ((rc = st->scope_scan(st->u, &p->keys, p->cursor, on_entry,
		    p, e)) != SAT_OK)
			return rc;
		while (i < p->nwin && !p->full) {
			if ((rc = take_position(p, &i, e)) != SAT_OK)
				return rc;
			if (p->bytes >= p->bytes_max ||
			    ++p->looked == LOOKED_MAX)
				p->full = true;
		}
		if (i < p->nwin)
			p->more = true;
	} while (p->more && !p->full);
	if (!p->more && p->cursor < p->s->lsn)
		p->cursor = p->s->lsn;
	return SAT_OK;
}

static sat_rc
send(page *p, sat_buf *reply, sat_err *e)
{
	const sat_store *st = &p->s->env.store;
	sat_msg m = { .type = SAT_MSG_DELTA };
	sat_delta *d = &m.u.delta;
	sat_buf batch = { 0 }, records = { 0 };
	sat_hlc in_batch = 0;
	sat_rc rc;

	if ((rc = st->scope_head(&d->scope_head, st->u, &p->keys, e)) != SAT_OK)
		return rc;
	d->upto = p->cursor;
	d->head = p->s->lsn;
	/* What it has not carried out yet its device still has (P-182). */
	if (d->upto == d->head && p->x->ledger == p->s->ledger_rev &&
	    (rc = sat_srv_digest_total(&d->has_sum, &d->sum, p->s, &p->keys, p->user,
	    e)) != SAT_OK)
		return rc;
	for (size_t i = 0; i < p->n; i++) /* P-069 */
		if (memcmp(p->c[i].template_oid, p->x->tip, sizeof p->x->tip) ==
		    0)
			memset(p->c[i].template_oid, 0, sizeof p->x->tip);
	d->max_eff = p->max_eff;
	for (size_t i = 0; i < p->n; i++)
		if (p->c[i].eff > in_batch)
			in_batch = p->c[i].eff;
	if (d->max_eff == in_batch)
		d->max_eff = 0; /* the device sees it */
	d->rescopes = p->rs;
	d->nrescopes = p->nrs;
	if ((p->n == 0 || (rc = sat_batch_write(&batch, SAT_BATCH_PULL, p->c,
	    p->n, e)) == SAT_OK) && (p->st.n == 0 ||
	    ((rc = sat_srv_heads(&d->heads, &d->nheads, p->s,
	    p->x->device, false, e)) == SAT_OK &&
	    (rc = sat_records_write(&records, p->st.r, p->st.n, e)) ==
	    SAT_OK))) {
		d->batch = sat_buf_span(&batch);
		d->records = sat_buf_span(&records);
		sat_msg_write(reply, &m);
	}
	sat_buf_fini(&batch);
	sat_buf_fini(&records);
	return rc;
}

sat_rc
sat_srv_pull(sat_server *s, sat_server_session *x, const sat_pull *in,
    sat_buf *reply, sat_err *e)
{
	page p = { .s = s, .x = x, .cursor = in->cursor,
		.full_own = (in->flags & SAT_PULL_FULL_OWN) != 0,
		.bytes_max = in->max_bytes };
	const sat_user *user;
	uint64_t truncated;
	sat_rc rc;

	if ((rc = sat_srv_session_user(&user, s, x, e)) != SAT_OK)
		return rc;
	if (in->cursor > s->lsn || sat_srv_lost(s, in->cursor))
		return sat_fail_code(e, SAT_ECONFLICT, "epoch",
		    "start over from a snapshot", "the device is ahead of the "
		    "server, which was restored from a backup");
	if ((rc = s->env.store.counter_get(&truncated, s->env.store.u,
	    SAT_N_TRUNCATED, e)) != SAT_OK)
		return rc;
	if (in->cursor < truncated)
		return sat_fail_code(e, SAT_ECONFLICT, "truncated",
		    "sync again: it takes a snapshot", "the log begins behind "
		    "position %llu", (unsigned long long)truncated);
	p.user = user;
	if ((rc = sat_srv_session_keys(&p.keys, s, x, user, e)) != SAT_OK)
		return rc;
	if (SAT_BUG(SAT_BUG_SCOPE_LEAK))
		p.keys = (sat_keys){ .k = { SAT_KEY_ALL }, .n = 1 };
	if (p.bytes_max == 0 || p.bytes_max > PAGE_BYTES_MAX)
		p.bytes_max = PAGE_BYTES_MAX;
	if ((rc = fill(&p, e)) != SAT_OK)
		return rc;
	sat_srv_seen(s, x->device, in->cursor, NULL);
	return send(&p, reply, e);
}
