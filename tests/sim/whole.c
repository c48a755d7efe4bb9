/*
 * Commits are whole on every replica at every moment (property 10), and what a
 * save and a sync without news may cost the disk (property 24).
 */
#include "tests/sim/sim.h"

#include <stdio.h>
#include <string.h>

/* A save waits for the disk once, an automatic checkpoint of the log for the
 * file besides. Measured: 4 to 14 frames. */
#define SAVE_FRAMES_MAX 64

/*
 * How far the device shows a record, by the server's own state of it; false: it
 * does not hold it, or not in whole. That the server shows it by now is not
 * enough: a device that lost it, and has not heard that it came back, keeps what
 * it had while own work waits; and of what a pool offers it has states alone.
 */
static bool
shown_upto(uint64_t *upto, device *d, int rec)
{
	world *w = d->n.w;
	const mrec *r = &w->recs[rec];
	sat_view v;
	sat_err e = { 0 };

	if (sat_replica_get_server(&v, &w->tmp, d->r, sat_template_kind_id(
	    sat_replica_template(d->r), r->kind), &r->id, &e) != SAT_OK)
		return false;
	*upto = v.rec.rlsn;
	return !v.leaving && !sat_record_of_pool(&v.rec);
}

/* Of what a commit changed a device shows all or nothing. */
static void
check_commit(device *d, uint64_t lsn)
{
	world *w = d->n.w;
	const entry *e = &w->entries[w->log[lsn].entry];
	uint64_t upto;
	int has = -1, lacks = -1;

	for (size_t i = 0; i < e->nops; i++) {
		int rec = e->rec[i];

		if (!e->moved[i] || w->recs[rec].erased ||
		    !sim_visible(w, d->user, rec) ||
		    sim_masked(w, d->user, rec) || !shown_upto(&upto, d, rec))
			continue;
		if (upto >= lsn)
			has = rec;
		else
			lacks = rec;
	}
	if (has >= 0 && lacks >= 0)
		sim_fail(w, "property 10: of commit %llu %s shows record %d and "
		    "not record %d", (unsigned long long)lsn, d->n.name, has,
		    lacks);
	if (has >= 0)
		HIT(atomic);
}

void
sim_check_whole(device *d)
{
	world *w = d->n.w;
	uint64_t at = d->cursor;

	if (d->r == NULL || sat_replica_template(d->r) == NULL)
		return;
	sim_device_calm(d);
	for (int n = 0; at > 0 && n < 6; at--) {
		const lcommit *l = &w->log[at];

		if (at > w->head || l->entry < 0 || !w->entries[l->entry].spans)
			continue;
		check_commit(d, at);
		n++;
	}
}

/* The record's last position is the commit's: it did something to it. Asked
 * when the commit is the newest. */
void
sim_whole_note(world *w, uint64_t lsn)
{
	entry *e = &w->entries[w->log[lsn].entry];

	for (size_t i = 0; i < e->nops; i++) {
		sat_rec_row row;
		sat_record state;
		sat_err err = { 0 };

		e->spans |= e->rec[i] != e->rec[0];
		if (i == 0)
			e->moved = memset(sat_arena_alloc(&w->mem, e->nops), 0,
			    e->nops);
		if (w->ops.rec_by_id(&row, &w->tmp, w->ops.u, &e->ops[i].rec,
		    &err) == SAT_OK && sat_record_read(&state, &w->tmp,
		    row.state, &err) == SAT_OK)
			e->moved[i] = state.rlsn == lsn;
	}
}

void
sim_cost_begin(cost *c, device *d)
{
	char log[sizeof d->file + 4];
	size_t n = 0;

	sat_db_counts_get(&c->was, sat_replica_db(d->r));
	(void)snprintf(log, sizeof log, "%s-wal", d->file);
	(void)simfs_bytes(&n, d->n.fs, log);
	c->empty = n == 0;
}

void
sim_cost_save(const cost *c, device *d)
{
	sat_db_counts is;
	uint64_t syncs, frames, pages;

	sat_db_counts_get(&is, sat_replica_db(d->r));
	syncs = is.syncs - c->was.syncs;
	frames = is.wal_frames - c->was.wal_frames;
	pages = is.page_writes - c->was.page_writes;
	/* The first save of an empty log waits for its header too (that of a kiosk
	 * is emptied with each sync); a checkpoint for the log, the file, and then
	 * for a header. */
	if (!c->empty)
		d->waits_twice = syncs > 1 ? d->waits_twice + 1 : 0;
	if (frames > SAVE_FRAMES_MAX || syncs > (pages > 0 ? 4 : 2) ||
	    d->waits_twice > 3)
		sim_fail(d->n.w, "property 24: a save of %s wrote %llu frames "
		    "and %llu pages and waited %llu times", d->n.name,
		    (unsigned long long)frames, (unsigned long long)pages,
		    (unsigned long long)syncs);
	ADD(save_syncs, syncs);
	HIT(costed);
}
