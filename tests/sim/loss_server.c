/*
 * loss_server.c - the server of the simulation: backups, kits, the loss.
 */
#include <stdio.h>

#include "tests/sim/loss.h"

/* ---- the server's life --------------------------------------------------------------------- */

void
loss_open_server(history *h)
{
	sat_err e = { 0 };

	if (lab_open_server(h->L, false, &e) != SAT_OK)
		loss_fail(h, "the server does not open: %s", e.text);
}

void
loss_close_server(lab *L, bool orderly)
{
	sat_server_free(L->server);
	if (orderly)
		sat_sqlite_store_close(L->store);
	else
		sat_sqlite_store_abandon(L->store);
	L->server = NULL;
	L->store = NULL;
}

static void
take_away(history *h)
{
	simfs *fs = h->L->srv.fs;
	size_t n;
	const uint8_t *p = simfs_bytes(&n, fs, BACKUP);

	sat_buf_reset(&h->backup);
	sat_buf_add(&h->backup, p, n);
	simfs_remove(fs, BACKUP);
	simfs_remove(fs, BACKUP "-wal");
}

void
loss_back_up(history *h)
{
	lab *L = h->L;
	uint64_t lsn;
	sat_record r;
	sat_err e = { 0 };

	if (sat_sqlite_store_backup(&lsn, L->store, BACKUP, &e) != SAT_OK)
		loss_fail(h, "no backup: %s", e.text);
	take_away(h);
	h->kit = h->spoilt = false;
	for (int i = 0; i < h->nw; i++)
		h->w[i].backed = h->w[i].backed || (loss_server_has(h,
		    h->w[i].rec, &r) && loss_has_tag(&r, &L->a, h->w[i].tag));
	if (loss_draw(h, 4) != 0 && (sat_sqlite_mark_durable(L->store, lsn, &e) !=
	    SAT_OK || sat_server_reload(L->server, &e) != SAT_OK))
		loss_fail(h, "not marked: %s", e.text);
	TICK(backups);
	loss_say(h, "backup up to %llu", (unsigned long long)lsn);
}

/* Verified, so the watermark rises and devices let go what it holds; and on the
 * day it is needed only an older one can be read (P-324). */
void
loss_spoil_backup(history *h)
{
	lab *L = h->L;
	uint64_t lsn;
	sat_err e = { 0 };

	if (sat_sqlite_store_backup(&lsn, L->store, BACKUP, &e) != SAT_OK ||
	    sat_sqlite_mark_durable(L->store, lsn, &e) != SAT_OK ||
	    sat_server_reload(L->server, &e) != SAT_OK)
		loss_fail(h, "no backup: %s", e.text);
	simfs_remove(L->srv.fs, BACKUP);
	simfs_remove(L->srv.fs, BACKUP "-wal");
	h->spoilt = true;
	TICK(spoilt);
	loss_say(h, "a backup up to %llu that will not be there",
	    (unsigned long long)lsn);
}

void
loss_make_kit(history *h)
{
	lab *L = h->L;
	sat_sqlite_store_opts o = { .path = BACKUP, .keyring = L->srv.ring,
		.vfs_below = simfs_name(L->srv.fs),
		.clock = lab_clock(&L->srv), .cache_kib = 512 };
	sat_sqlite_store *s = NULL;
	uint64_t lsn;
	sat_err e = { 0 };

	if (sat_sqlite_store_backup(&lsn, L->store, BACKUP, &e) != SAT_OK ||
	    sat_sqlite_store_open(&s, &o, &e) != SAT_OK ||
	    sat_sqlite_registry_only(s, &e) != SAT_OK)
		loss_fail(h, "no kit: %s", e.text);
	sat_sqlite_store_close(s);
	take_away(h);
	h->kit = true;
	h->spoilt = false;
	for (int i = 0; i < h->nw; i++)
		h->w[i].backed = false;
	loss_say(h, "kit at %llu", (unsigned long long)lsn);
}

static void
begin_epoch(history *h)
{
	lab *L = h->L;
	uint64_t above = 0, before = 0;
	sat_epoch c = { .org = L->org, .began_ms = L->now_ms,
		.until_ms = L->now_ms + 30ll * 86400000,
		.seed_roles = SAT_SEED_HQ | SAT_SEED_MANAGER };
	sat_err e = { 0 };

	if (sat_sqlite_epoch_base(&c.base_lsn, &above, &c.base_eid, &before,
	    L->store, &e) != SAT_OK)
		loss_fail(h, "no base of the epoch: %s", e.text);
	/* Two restores of one backup are not the same epoch, nor do their
	 * positions meet (restore --skip). */
	c.epoch = (uint64_t)(L->now_ms / 1000) > before ?
	    (uint64_t)(L->now_ms / 1000) : before + 1;
	c.first_lsn = above + SAT_EPOCH_SKIP * (uint64_t)(2 * h->losses - 1);
	sat_epoch_sign(&c, L->root_sk);
	if (sat_sqlite_epoch_begin(L->store, &c, &e) != SAT_OK)
		loss_fail(h, "no epoch: %s", e.text);
	loss_say(h, "epoch %llu: from %llu on, behind %llu",
	    (unsigned long long)c.epoch, (unsigned long long)c.first_lsn,
	    (unsigned long long)c.base_lsn);
}

/* What is nowhere but on a device that dies now, its own or of one that died
 * before, or (-1) nowhere but in a backup that cannot be read. */
static void
excuse(history *h, int dying)
{
	sat_view v;

	for (int i = 0; i < h->nw; i++) {
		written *w = &h->w[i];
		bool known = w->backed;

		if (w->excused || (w->dev != dying && !h->dead[w->dev] &&
		    dying >= 0 && !w->let_go))
			continue;
		w->let_go = w->let_go || dying < 0;
		/* headquarters and managers give back what they hold */
		for (int d = 0; d < RAW && !known; d++)
			known = d != dying && d != BOB && !h->dead[d] &&
			    loss_view_of(h, d, w->rec, &v) &&
			    loss_has_tag(&v.rec, &h->L->a, w->tag);
		w->excused = !known;
		if (!known)
			TICK(gone_with_it);
	}
}

static void
lose_device(history *h)
{
	int dying = loss_draw(h, 2) == 0 ? ANN : BOB;

	if (h->dead[dying] || (!h->rough && (h->dead[ANN] || h->dead[BOB])))
		return;
	excuse(h, dying);
	h->dead[dying] = true;
	TICK(dead);
	loss_say(h, "%s dies too", h->L->dev[dying].m.name);
}

/* Accepted, and lost before its author heard of it: he does not know its
 * position, and says it again as if it were new. */
static void
note_unheard(history *h)
{
	sat_record r;

	for (int i = 0; i < h->nw; i++) {
		written *w = &h->w[i];

		if (!w->answered && loss_server_has(h, w->rec, &r) &&
		    loss_has_tag(&r, &h->L->a, w->tag)) {
			TICK(unheard);
			loss_say(h, "its author never heard: %s", w->tag);
		}
	}
}

void
loss_lose_server(history *h)
{
	lab *L = h->L;

	TICK(losses);
	h->losses++;
	if (h->losses == 2)
		TICK(twice);
	loss_say(h, "the server's disk is lost");
	note_unheard(h);
	loss_looks_lost(h);
	loss_close_server(L, false);
	simfs_wipe(L->srv.fs);
	if (h->spoilt)
		excuse(h, -1);
	if (loss_draw(h, 4) == 0)
		lose_device(h);
	simfs_put(L->srv.fs, "server.db", h->backup.p, h->backup.n);
	if (h->kit)
		TICK(from_kit);
	else
		TICK(from_backup);
	loss_open_server(h);
	begin_epoch(h);
	loss_erasures_left(h);
	loss_close_server(L, true); /* its core began in the old epoch */
	loss_open_server(h);
	loss_look(h);
	/* What comes next must not begin where this epoch does: two orders
	 * from one backup know nothing of each other. */
	if (h->kit)
		loss_make_kit(h);
	else
		loss_back_up(h);
}
