/*
 * Customers are erased (P-190 to P-197, property 22): the server drops all of
 * them, each device does as soon as it hears of it, also when it goes on from
 * a backup, and what waited about them is never merged.
 *
 * When the server has answered, and when a device sends its receipt, every page
 * of its file is read through the decrypting layer, unused pages included, and
 * searched for what only the erased customer's records ever held. The log of
 * the database (-wal) must be empty then.
 */
#include "tests/sim/sim.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE 4096

/* ---- what is about an erased customer ------------------------------------------------- */

bool
sim_rec_erased(const world *w, int rec)
{
	const mrec *r = &w->recs[rec < 0 ? 0 : rec];

	return rec >= 0 && (r->erased || (r->eid == 0 && r->parent >= 0 &&
	    w->recs[r->parent].erased));
}

bool
sim_about_erased(const world *w, const entry *e)
{
	for (size_t i = 0; i < e->nops; i++) {
		sat_value v = e->ops[i].value;
		sat_id id;

		if (sim_rec_erased(w, e->rec[i]))
			return true;
		if (v.type != SAT_V_BYTES || v.s.n != sizeof id.b)
			continue;
		memcpy(id.b, v.s.p, sizeof id.b);
		if (sim_rec_erased(w, sim_rec_find(w, &id)))
			return true;
	}
	return false;
}

/* ---- searching ------------------------------------------------------------------------- */

/* "canary-12;": the record's own word; "val-3.7;": the 7th value of device 3,
 * which was written to one record. */
typedef struct words {
	world *w;
	uint64_t rev;
	const char *where;
	const uint8_t *page;
	sqlite3_int64 pgno;
	int *rec;            /* per value: dev * VALUES + serial; -1 */
} words;
#define VALUES 4096

static void
note_values(words *s)
{
	world *w = s->w;
	size_t n = DEVS_MAX * VALUES;

	s->rec = sat_xmalloc(n * sizeof *s->rec);
	memset(s->rec, 0xff, n * sizeof *s->rec);
	for (int i = 0; i < w->nentries; i++) {
		const entry *e = &w->entries[i];

		for (size_t k = 0; k < e->nops; k++) {
			unsigned dev, serial;
			char text[32];
			sat_value v = e->ops[k].value;

			if (v.type != SAT_V_TEXT || v.s.n >= sizeof text)
				continue;
			memcpy(text, v.s.p, v.s.n);
			text[v.s.n] = '\0';
			if (sscanf(text, "val-%u.%u", &dev, &serial) != 2 ||
			    dev > DEVS_MAX || serial >= VALUES)
				continue;
			/* copied to another record by a merge: not told apart */
			dev = (dev - 1) * VALUES + serial;
			s->rec[dev] = s->rec[dev] == -1 ||
			    s->rec[dev] == e->rec[k] ? e->rec[k] : -2;
		}
	}
}

static void
found(const words *s, int rec, const char *what, const uint8_t *at)
{
	const world *w = s->w;

	if (rec < 0 || rec >= w->nrecs || !w->recs[rec].erased ||
	    w->recs[rec].erased_rev > s->rev)
		return;
	for (int i = -160; w->tracing && i < 160; i++)
		if (at + i >= s->page && at + i < s->page + PAGE)
			(void)printf("%c", at[i] >= ' ' && at[i] < 127 ?
			    at[i] : '.');
	sim_fail(s->w, "property 22: page %lld of %s still holds a %s of record %d, "
	    "which was erased", (long long)s->pgno, s->where, what, rec);
}

static size_t
number(unsigned *n, const uint8_t *p, size_t left)
{
	size_t at = 0;

	for (*n = 0; at < left && at < 6 && p[at] >= '0' && p[at] <= '9'; at++)
		*n = *n * 10 + (p[at] - '0');
	return at;
}

static void
search_page(const words *s)
{
	const uint8_t *page = s->page, *p = page, *end = page + PAGE;
	unsigned a, b;
	size_t n;

	for (; (p = memmem(p, (size_t)(end - p), "canary-", 7)) != NULL; ) {
		p += 7;
		n = number(&a, p, (size_t)(end - p));
		if (n > 0 && p + n < end && p[n] == ';')
			found(s, (int)a, "word", p);
	}
	for (p = page; (p = memmem(p, (size_t)(end - p), "val-", 4)) != NULL; ) {
		p += 4;
		n = number(&a, p, (size_t)(end - p));
		if (n == 0 || p + n + 1 >= end || p[n] != '.')
			continue;
		p += n + 1;
		n = number(&b, p, (size_t)(end - p));
		if (n > 0 && p + n < end && p[n] == ';' && a > 0 &&
		    a <= DEVS_MAX && b < VALUES)
			found(s, s->rec[(a - 1) * VALUES + b], "value", p);
	}
}

/* Each page as the program would read it. */
static void
search(words *s, sat_db *db, const simfs *fs, const char *name)
{
	sqlite3_file *f = NULL;
	uint8_t page[PAGE];
	sqlite3_int64 size;
	char wal[40];
	size_t n;

	(void)snprintf(wal, sizeof wal, "%s-wal", name);
	(void)simfs_bytes(&n, fs, wal);
	if (n != 0)
		sim_fail(s->w, "property 22: %s keeps %zu bytes of the log of "
		    "its database", s->where, n);
	if (sqlite3_file_control(sat_db_raw(db), "main",
	    SQLITE_FCNTL_FILE_POINTER, &f) != SQLITE_OK ||
	    f->pMethods->xFileSize(f, &size) != SQLITE_OK)
		sim_fail(s->w, "harness: no file of %s", s->where);
	note_values(s);
	s->page = page;
	for (sqlite3_int64 at = 0; at + PAGE <= size; at += PAGE)
		if (f->pMethods->xRead(f, page, PAGE, at) == SQLITE_OK) {
			s->pgno = at / PAGE + 1;
			search_page(s);
		}
	free(s->rec);
}

static void
search_server(world *w)
{
	words s = { w, UINT64_MAX, "the server", NULL, 0, NULL };
	sat_err e = { 0 };

	search(&s, sat_sqlite_store_db(w->store), w->server_node.fs,
	    "server.db");
	for (uint64_t lsn = 1; lsn <= w->head; lsn++) {
		const lcommit *l = &w->log[lsn];
		sat_log_row row;

		if (l->entry < 0 || !sim_rec_erased(w,
		    w->entries[l->entry].rec[0]))
			continue;
		if (w->ops.log_get(&row, &w->tmp, w->ops.u, lsn, &e) != SAT_OK)
			sim_fail(w, "log position %llu: %s",
			    (unsigned long long)lsn, e.text);
		if (row.payload.n != 0)
			sim_fail(w, "property 22: the log keeps the payload at "
			    "%llu", (unsigned long long)lsn);
	}
	HIT(searched);
}

void
sim_erase_receipt(device *d, sat_span frame)
{
	world *w = d->n.w;
	words s = { w, 0, d->n.name, NULL, 0, NULL };
	sat_msg m;
	sat_err e;

	if (frame.p[0] != SAT_MSG_ERASED)
		return;
	if (sat_msg_read(&m, &w->tmp, frame, &e) != SAT_OK)
		sim_fail(w, "a receipt cannot be read: %s", e.text);
	s.rev = m.u.erased.rev;
	sim_device_calm(d);
	search(&s, sat_replica_db(d->r), d->n.fs, d->file);
	HIT(receipts);
	HIT(searched);
	sim_trace(w, "%s has erased up to %llu", d->n.name,
	    (unsigned long long)s.rev);
}

/* ---- the log's word ---------------------------------------------------------------------- */

void
sim_erased(world *w, const sat_op *op)
{
	int rec = sim_rec_find(w, &op->rec), top;
	sat_erased_row gone;
	uint64_t rev;
	sat_err e = { 0 };

	if (rec < 0 || op->kind != SAT_OP_ERASE)
		sim_fail(w, "property 22: what nobody made is erased");
	if (w->ops.erased_get(&gone, w->ops.u, &op->rec, 0, &e) ==
	    SAT_ENOTFOUND) { /* P-395 */
		if (!w->recs[rec].mixed && !w->recs[rec].tangled)
			sim_fail(w, "property 22: record %d lost something of "
			    "an erased one, and was never one with another", rec);
		HIT(parted);
		return;
	}
	if (w->ops.counter_get(&rev, w->ops.u, SAT_N_LEDGER_REV, &e) != SAT_OK)
		sim_fail(w, "no revision of the ledger: %s", e.text);
	w->ledger = rev;
	top = sim_top(w, rec);
	for (int i = 0; i < w->nrecs; i++) {
		mrec *r = &w->recs[i];

		if (r->eid == 0 || r->erased || sim_top(w, i) != top)
			continue;
		r->going = true;
	}
	for (int i = 0; i < w->nrecs; i++) {
		mrec *r = &w->recs[i];

		if (!r->going)
			continue;
		r->going = r->pooled = false;
		r->erased = true;
		r->erased_rev = rev;
		r->owner = r->held_by = -1;
		HIT(erased_recs);
		if (r->tangled)
			HIT(erased_apart);
	}
	HIT(erased);
}

/* ---- two people decide -------------------------------------------------------------------- */

static bool
may_go(const world *w, int rec)
{
	const mrec *r = &w->recs[rec];

	return r->eid != 0 && !r->erased && (r->kind == K_ACCOUNT ||
	    (r->kind == K_OPP && r->root == rec));
}

/* One that was one with another, or one that somebody works on whose work is not
 * here yet, when there is one. */
static int
choose(world *w)
{
	int best = -1;

	for (int i = 0; i < w->nrecs; i++)
		if (w->recs[i].tangled && may_go(w, i) &&
		    (best < 0 || sim_chance(w, 300)))
			best = i;
	if (best >= 0 && sim_chance(w, 600))
		return best;
	best = -1;

	for (int i = 0; i < w->nentries; i++) {
		const entry *e = &w->entries[i];
		int rec = e->nops > 0 ? e->rec[0] : -1;

		if (rec < 0 || e->fate != FATE_SAVED || e->answered)
			continue;
		if (w->recs[rec].eid != 0)
			rec = w->recs[rec].root;
		if (may_go(w, rec) && (best < 0 || sim_chance(w, 300)))
			best = rec;
	}
	if (best >= 0 && sim_chance(w, 600))
		return best;
	best = (int)sim_below(w, (uint64_t)w->nrecs);
	return may_go(w, best) ? best : -1;
}

void
sim_server_erase(world *w)
{
	int rec = w->nrecs > 0 ? choose(w) : -1;
	sat_err e = { 0 };
	sat_rc rc;

	if (rec < 0)
		return;
	sim_trace(w, "record %d is to be erased", rec);
	sim_server_plan(w);
	rc = sat_server_erase(w->server, &w->recs[rec].id, w->admin[0],
	    w->admin[1], sat_span_str("request 7"), &e);
	if (sim_server_died(w, rc, &e)) {
		HIT(erase_died);
		/* Asked again: now it is done, or it was. */
		rc = sat_server_erase(w->server, &w->recs[rec].id,
		    w->admin[0], w->admin[1], sat_span_str("request 7"), &e);
		sim_mirror(w);
		if (rc != SAT_OK && rc != SAT_ECONFLICT)
			sim_fail(w, "property 22: not erased: %s", e.text);
	} else if (rc != SAT_OK) {
		sim_trace(w, "not erased: %s", e.text);
		return; /* the disk is full */
	}
	search_server(w);
}

/* ---- the end --------------------------------------------------------------------------------- */

/* Every device that is let in has said so, and the server counts it. */
static void
check_receipts(world *w)
{
	sat_privacy_is p;
	uint32_t out = 0;
	sat_err e = { 0 };

	for (int i = 0; i < w->ndev; i++)
		out += sim_shut_out(&w->dev[i]) && !w->dev[i].revoked;
	if (sat_server_privacy(w->server, &p, &e) != SAT_OK)
		sim_fail(w, "no list of erasures: %s", e.text);
	for (size_t i = 0; i < p.n; i++)
		if (p.row[i].done && p.row[i].pending + p.row[i].expired > out)
			sim_fail(w, "property 22: an erasure is pending at %u "
			    "devices, expired at %u, of %u that are shut out",
			    (unsigned)p.row[i].pending,
			    (unsigned)p.row[i].expired, out);
}

/* K1 of server_alike.c: nobody is sent to ask after somebody who is no more. */
static void
check_untold(void *u, const sat_id *id, sat_span state)
{
	world *w = u;
	const sat_cell *c;
	sat_element *el;
	sat_record r;
	sat_err e = { 0 };
	char tag[17];
	size_t n;

	if (sat_record_read(&r, &w->tmp, state, &e) != SAT_OK)
		sim_fail(w, "a state of the server: %s", e.text);
	if ((c = sat_record_cell(&r, SAT_SYS_CANDIDATES)) == NULL)
		return;
	n = sat_cell_elements(&el, &w->tmp, c);
	for (int i = 0; i < w->nrecs && n > 0; i++) {
		if (!w->recs[i].erased)
			continue;
		sat_pair_tag(tag, id, &w->recs[i].id);
		for (size_t k = 0; k < n; k++)
			if (el[k].text.n > 16 &&
			    memcmp(tag, el[k].text.p, 16) == 0)
				sim_fail(w, "property 22: record %d still "
				    "says that there is record %d, which was "
				    "erased", sim_rec_find(w, id), i);
	}
}

void
sim_erase_check(world *w)
{
	bool any = false;
	sat_err e = { 0 };

	for (int i = 0; i < w->nrecs; i++)
		any = any || w->recs[i].erased;
	if (!any)
		return;
	for (int i = 0; i < w->ndev; i++) {
		device *d = &w->dev[i];
		words s = { w, UINT64_MAX, d->n.name, NULL, 0, NULL };

		if (d->r == NULL || !d->enrolled || sim_shut_out(d))
			continue;
		if (sat_db_checkpoint(sat_replica_db(d->r), &e) != SAT_OK)
			sim_fail(w, "%s: %s", d->n.name, e.text);
		search(&s, sat_replica_db(d->r), d->n.fs, d->file);
		HIT(searched);
	}
	if (sat_db_checkpoint(sat_sqlite_store_db(w->store), &e) != SAT_OK)
		sim_fail(w, "the server: %s", e.text);
	search_server(w);
	if (sat_server_dump(w->server, NULL, check_untold, w, &e) != SAT_OK)
		sim_fail(w, "no dump of the server: %s", e.text);
	check_receipts(w);
}
