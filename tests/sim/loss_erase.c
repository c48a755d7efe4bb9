/*
 * loss_erase.c - customers are erased before the server is lost (P-197).
 *
 * A backup from before still holds them, and so do devices that have not heard
 * of it. The ledger comes back with the backup, or from the first device that
 * had carried it out; then they are gone again, everywhere. An erasure that
 * neither the backup nor any device that lives knew of is not one any more.
 */
#include "tests/sim/loss.h"

#include <sqlite3.h>
#include <stdio.h>

#define PAGE 4096

bool
loss_in_ledger(sat_db *db, const sat_id *id)
{
	sat_stmt *s;
	bool row = false;
	sat_err e = { 0 };

	lab_must(sat_db_stmt_text(&s, db, "SELECT 1 FROM ledger WHERE "
	    "subject = ?1", &e), &e, "ledger");
	sat_bind_blob(s, 1, sat_span_of(id->b, sizeof id->b));
	lab_must(sat_step(&row, s, &e), &e, "ledger");
	sat_stmt_reset(s);
	return row;
}

/* ---- searching ---------------------------------------------------------------------- */

/* What went on to one who lives, and was taken apart from the erased one before,
 * goes by the log (P-395). After a loss there is none for it: a device that has not
 * been back gives the state of before, and what was given back holds no operations
 * to be told apart (P-398, left open). So only what his state showed on a server
 * that was lost may stay, and only until one who keeps the file has heard that he is
 * erased too. */
static bool
may_stay(const history *h, const written *w)
{
	for (int i = 0; i < h->nrecs; i++)
		if ((w->kept >> i & 1) != 0 && !h->gone[i])
			return true;
	return false;
}

/* Tags end in ';', so that none begins another. */
static void
search_page(history *h, const uint8_t *page, const char *whose)
{
	for (int i = 0; i < h->nw; i++) {
		const written *w = &h->w[i];

		if ((!h->gone[w->rec] && (w->with < 0 || !h->gone[w->with])) ||
		    memmem(page, PAGE, w->tag, strlen(w->tag)) == NULL)
			continue;
		if (may_stay(h, w))
			TICK(stayed);
		else
			loss_fail(h, "%s still holds %s of record %d, which "
			    "was erased", whose, w->tag, w->rec);
	}
}

static void
search(history *h, sat_db *db, const machine *m, const char *file)
{
	sqlite3_file *f = NULL;
	uint8_t page[PAGE];
	sqlite3_int64 size;
	char wal[40];
	size_t n;
	sat_err e = { 0 };

	TICK(searched);
	for (int rec = 0; rec < h->nrecs; rec++) /* it has heard of it */
		h->gone[rec] = h->erased[rec] && loss_in_ledger(db, &h->rec[rec]);
	if (sat_db_checkpoint(db, &e) != SAT_OK)
		loss_fail(h, "%s: %s", m->name, e.text);
	(void)snprintf(wal, sizeof wal, "%s-wal", file);
	(void)simfs_bytes(&n, m->fs, wal);
	if (n != 0)
		loss_fail(h, "%s keeps a log of %zu bytes", m->name, n);
	if (sqlite3_file_control(sat_db_raw(db), "main",
	    SQLITE_FCNTL_FILE_POINTER, &f) != SQLITE_OK ||
	    f->pMethods->xFileSize(f, &size) != SQLITE_OK)
		loss_fail(h, "harness: no file of %s", m->name);
	for (sqlite3_int64 at = 0; at + PAGE <= size; at += PAGE)
		if (f->pMethods->xRead(f, page, PAGE, at) == SQLITE_OK)
			search_page(h, page, m->name);
}

void
loss_search_server(history *h)
{
	search(h, sat_sqlite_store_db(h->L->store), &h->L->srv, "server.db");
}

void
loss_search_device(history *h, int dev)
{
	lab_dev *d = &h->L->dev[dev];

	search(h, sat_replica_db(d->r), &d->m, d->file);
}

/* ---- two people decide ---------------------------------------------------------------- */

/* Whoever confirms; in every backup and kit. */
void
loss_add_admin(history *h)
{
	sat_err e = { 0 };

	if (sat_sqlite_user_add(&h->admin, h->L->store, "root", "Root", "admin",
	    NULL, &e) != SAT_OK || sat_server_reload(h->L->server, &e) !=
	    SAT_OK)
		loss_fail(h, "no administrator: %s", e.text);
}

/* Half of the time somebody who was one with another: before all else who is so
 * no more, for a backup may still say that they are one. */
static int
choose(history *h)
{
	int at = h->nrecs > 0 ? (int)loss_draw(h, (uint64_t)h->nrecs) : -1;
	int best = at;

	if (loss_draw(h, 2) != 0)
		return at;
	for (int i = 0; i < h->nrecs; i++) {
		int rec = (at + i) % h->nrecs;
		uint64_t one = loss_one_with(h, rec);

		for (int k = 0; k < h->nrecs; k++) {
			if (k == rec || h->family[k] != h->family[rec] ||
			    h->erased[rec] || (h->here >> rec & 1) == 0)
				continue;
			if ((one >> k & 1) == 0 && (h->here >> k & 1) != 0)
				return rec;
			best = rec;
		}
	}
	return best;
}

/* Whoever is one with him on the server now, and nobody else. */
void
loss_erase_something(history *h)
{
	lab *L = h->L;
	const sat_user *hq = sat_registry_user(sat_server_registry(L->server),
	    sat_span_str("hq"));
	int rec = choose(h);
	uint64_t all;
	sat_err e = { 0 };

	if (rec < 0 || h->erased[rec] || (h->here >> rec & 1) == 0)
		return;
	all = loss_one_with(h, rec);
	if (sat_server_erase(L->server, &h->rec[rec], hq->ord, h->admin,
	    sat_span_str("request 7"), &e) != SAT_OK)
		loss_fail(h, "record %d is not erased: %s", rec, e.text);
	for (int i = 0; i < h->nrecs; i++) {
		if ((all >> i & 1) == 0)
			continue;
		h->erased[i] = true;
		loss_say(h, "record %d is erased%s", i, i == rec ? "" : " too");
	}
	TICK(erased);
	if (all != 1ull << rec)
		TICK(erased_family);
	loss_look(h);
	loss_search_server(h);
}

/* After a loss, with the backup in its place: who knows of it still? */
void
loss_erasures_left(history *h)
{
	for (int rec = 0; rec < h->nrecs; rec++) {
		bool here = h->erased[rec] && loss_in_ledger(sat_sqlite_store_db(
		    h->L->store), &h->rec[rec]), known = here;

		if (!h->erased[rec])
			continue;
		for (int d = 0; d < RAW && !known; d++)
			known = !h->dead[d] && loss_in_ledger(sat_replica_db(
			    h->L->dev[d].r), &h->rec[rec]);
		if (known && !here)
			TICK(erased_again);
		if (known)
			continue;
		TICK(unerased);
		loss_say(h, "nobody knows that record %d was erased", rec);
		h->erased[rec] = false;
		for (int i = 0; i < h->nw; i++)
			h->w[i].excused |= h->w[i].rec == rec ||
			    h->w[i].with == rec;
	}
}

/* ---- the end -------------------------------------------------------------------------- */

void
loss_check_erased(history *h)
{
	sat_record r;
	sat_view v;

	for (int rec = 0; rec < h->nrecs; rec++) {
		bool named = loss_in_ledger(sat_sqlite_store_db(h->L->store),
		    &h->rec[rec]);

		if (!h->erased[rec] && named)
			loss_fail(h, "record %d is in the ledger, and nobody "
			    "erased it", rec);
		if (!h->erased[rec])
			continue;
		if (!named)
			loss_fail(h, "the erasure of record %d is forgotten",
			    rec);
		if (loss_server_has(h, rec, &r))
			loss_fail(h, "record %d is on the server again", rec);
		for (int d = 0; d < RAW; d++)
			if (!h->dead[d] && loss_view_of(h, d, rec, &v))
				loss_fail(h, "record %d is on %s again", rec,
				    h->L->dev[d].m.name);
	}
	loss_search_server(h);
	for (int d = 0; d <= RAW; d++)
		if (!h->dead[d])
			loss_search_device(h, d);
}
