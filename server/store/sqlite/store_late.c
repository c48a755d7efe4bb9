/*
 * store_late.c - states of records that reach their rows late.
 *
 * A day's push edits thousands of customers, one field each: writing every
 * state at once rewrites nearly every page of the table, and costs more than
 * all the rest of the merge. But a state is nothing new to the disk: the log
 * has what led to it. So a state whose row may wait (sat_rec_row.late) is kept
 * here and read from here. A sweep goes round all of them by eid, so that
 * neighbours share their pages, at a pace that brings each to its row within
 * `rec_window` commits of its beginning. The counter FOLDED says up to where
 * every row has what was logged; a core that starts folds what came after it
 * into the rows once more (server_refold.c).
 *
 * Invariants, named in the tests:
 *   L1  every row has what was logged up to FOLDED.
 *   L2  what is read is what was put, wherever it stands.
 *   L3  a transaction that is rolled back leaves what is kept as it was.
 *   L4  FOLDED is never more than two windows behind the log.
 */
#include "server/store/sqlite/store_int.h"

#include <stdlib.h>
#include <string.h>

/* Commits until a sweep is round: what a restart folds again is at most twice
 * as many, a fraction of a second. */
#define WINDOW 65536
/* States beyond this: the sweep ends at once, what is in its row goes. */
#define KEPT_BYTES_MAX (48u << 20)

struct late_rec {
	sat_rec_row row;     /* its spans point behind this struct */
	size_t room;         /* bytes there */
	bool late;           /* the row is older */
	bool swept;          /* this transaction writes the row */
	bool gone;           /* erased by this transaction */
	bool open;           /* put by this transaction */
	late_rec *before;    /* open: what it was; NULL = nothing */
	late_rec *next, *next_id, *next_open;
	uint8_t bytes[];
};

static late_rec **
slot(const store_late *l, uint32_t eid)
{
	return &l->bucket[(eid * 0x9e3779b1u >> 7) & l->mask];
}

static late_rec **
id_slot(const store_late *l, const sat_id *id)
{
	uint64_t hi, lo;

	memcpy(&hi, id->b, 8);
	memcpy(&lo, id->b + 8, 8);
	lo ^= hi * 0x9e3779b97f4a7c15ull;
	return &l->by_id[(lo ^ lo >> 29) & l->mask];
}

static void
hang_in(store_late *l, late_rec *k)
{
	late_rec **at = slot(l, k->row.eid), **id = id_slot(l, &k->row.id);

	k->next = *at;
	*at = k;
	k->next_id = *id;
	*id = k;
}

static void
grow(store_late *l)
{
	store_late old = *l;

	if (l->bucket != NULL && l->n <= l->mask)
		return;
	l->mask = l->bucket == NULL ? 1023 : l->mask * 4 + 3;
	l->bucket = sat_xcalloc(l->mask + 1, sizeof(late_rec *));
	l->by_id = sat_xcalloc(l->mask + 1, sizeof(late_rec *));
	for (size_t i = 0; old.bucket != NULL && i <= old.mask; i++)
		for (late_rec *k = old.bucket[i], *nx; k != NULL; k = nx) {
			nx = k->next;
			hang_in(l, k);
		}
	free(old.bucket);
	free(old.by_id);
}

static late_rec *
find(const store_late *l, uint32_t eid)
{
	late_rec *k;

	if (l->bucket == NULL)
		return NULL;
	for (k = *slot(l, eid); k != NULL; k = k->next)
		if (k->row.eid == eid)
			break;
	return k;
}

static void
link_in(store_late *l, late_rec *k)
{
	l->nlate += k->late;
	grow(l);
	hang_in(l, k);
	l->n++;
	l->bytes += sizeof *k + k->room;
}

static void
unlink_from(store_late *l, late_rec *k)
{
	late_rec **at = slot(l, k->row.eid), **id = id_slot(l, &k->row.id);

	while (*at != k)
		at = &(*at)->next;
	*at = k->next;
	while (*id != k)
		id = &(*id)->next_id;
	*id = k->next_id;
	l->nlate -= k->late;
	l->n--;
	l->bytes -= sizeof *k + k->room;
}

/* ---- reading --------------------------------------------------------------------- */

const sat_rec_row *
store_late_find(const sat_sqlite_store *s, uint32_t eid)
{
	const late_rec *k = find(&s->late, eid);

	return k == NULL || k->gone ? NULL : &k->row;
}

const sat_rec_row *
store_late_find_id(const sat_sqlite_store *s, const sat_id *id)
{
	const late_rec *k;

	if (s->late.by_id == NULL)
		return NULL;
	for (k = *id_slot(&s->late, id); k != NULL; k = k->next_id)
		if (sat_id_eq(&k->row.id, id))
			break;
	return k == NULL || k->gone ? NULL : &k->row;
}

/* The second look finds in the cache what the first one sent for. */
static void
rec_soon(void *u, uint32_t later, uint32_t soon)
{
	const store_late *l = &((const sat_sqlite_store *)u)->late;
	const late_rec *k;

	if (l->bucket == NULL)
		return;
	__builtin_prefetch(slot(l, later));
	if ((k = *slot(l, soon)) == NULL)
		return;
	__builtin_prefetch(k);
	__builtin_prefetch((const uint8_t *)k + 64);
	__builtin_prefetch((const uint8_t *)k + 128);
}

/* ---- putting --------------------------------------------------------------------- */

static void
fill(late_rec *k, const sat_rec_row *row)
{
	k->row = *row;
	if (row->state.n > 0)
		memcpy(k->bytes, row->state.p, row->state.n);
	k->row.state = sat_span_of(k->bytes, row->state.n);
	if (row->owner.n > 0) {
		memcpy(k->bytes + row->state.n, row->owner.p, row->owner.n);
		k->row.owner = sat_span_of(k->bytes + row->state.n,
		    row->owner.n);
	}
}

/* L3: of a record that was kept before, the old one waits behind the new. */
static void
replace(store_late *l, const sat_rec_row *row, bool late, bool gone)
{
	late_rec *old = find(l, row->eid), *k;
	size_t need = row->state.n + row->owner.n;

	if (old != NULL)
		unlink_from(l, old);
	k = sat_xmalloc(sizeof *k + need + need / 8);
	*k = (late_rec){ .room = need + need / 8, .open = true, .late = late,
		.gone = gone };
	fill(k, row);
	if (old != NULL && old->open) {
		/* its place in the list of open ones is the new one's */
		late_rec **at = &l->open;

		while (*at != old)
			at = &(*at)->next_open;
		k->next_open = old->next_open;
		k->before = old->before;
		*at = k;
		old->next = l->dead; /* whoever read it may still hold it */
		l->dead = old;
	} else {
		k->before = old;
		k->next_open = l->open;
		l->open = k;
	}
	link_in(l, k);
}

void
store_late_put(sat_sqlite_store *s, const sat_rec_row *row, bool late)
{
	store_late *l = &s->late;

	if (late || find(l, row->eid) != NULL)
		replace(l, row, late, false);
}

void
store_late_move(sat_sqlite_store *s, uint32_t eid, uint32_t root)
{
	late_rec *k = find(&s->late, eid);
	sat_rec_row row;

	if (k == NULL)
		return;
	row = k->row; /* its bytes are copied before the old one is freed */
	row.root = root;
	replace(&s->late, &row, k->late, false);
}

void
store_late_erase(sat_sqlite_store *s, uint32_t eid)
{
	late_rec *k = find(&s->late, eid);
	sat_rec_row none = { .eid = eid };

	if (k != NULL)
		replace(&s->late, &none, false, true);
}

/* ---- the sweep ------------------------------------------------------------------- */

static int
ascending(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* All that is late now; `upto`: nothing at or below it is elsewhere. */
static void
sweep_begin(store_late *l, uint64_t upto)
{
	store_sweep *w = &l->sweep;

	*w = (store_sweep){ .eid = w->eid, .cap = w->cap, .upto = upto,
		.going = true };
	for (size_t i = 0; l->nlate > 0 && i <= l->mask; i++)
		for (const late_rec *k = l->bucket[i]; k != NULL; k = k->next) {
			if (!k->late || k->swept)
				continue;
			if (w->n == w->cap) {
				w->cap = w->cap == 0 ? 256 : w->cap * 2;
				w->eid = sat_xrealloc(w->eid,
				    w->cap * sizeof *w->eid);
			}
			w->eid[w->n++] = k->row.eid;
		}
	if (w->n > 1)
		qsort(w->eid, w->n, sizeof *w->eid, ascending);
}

static void
note_swept(store_late *l, uint32_t eid)
{
	if (l->nswept == l->swept_cap) {
		l->swept_cap = l->swept_cap == 0 ? 256 : l->swept_cap * 2;
		l->swept = sat_xrealloc(l->swept,
		    l->swept_cap * sizeof *l->swept);
	}
	l->swept[l->nswept++] = eid;
}

/* The next `count` of the round go to their rows. */
static sat_rc
sweep_some(sat_sqlite_store *s, uint64_t count, sat_err *e)
{
	store_sweep *w = &s->late.sweep;
	sat_rc rc = SAT_OK;

	while (w->at < w->n && count > 0 && rc == SAT_OK) {
		late_rec *k = find(&s->late, w->eid[w->at++]);

		if (k == NULL || !k->late || k->swept)
			continue;
		rc = store_rec_write(s, &k->row, e);
		k->swept = true;
		note_swept(&s->late, k->row.eid);
		count--;
	}
	return rc;
}

/* L1 */
static sat_rc
folded(sat_sqlite_store *s, uint64_t upto, sat_err *e)
{
	return store_counter_put(s, SAT_N_FOLDED, upto, e);
}

sat_rc
store_late_sweep(sat_sqlite_store *s, sat_err *e)
{
	store_late *l = &s->late;
	store_sweep *w = &l->sweep;
	uint64_t count;
	sat_rc rc;

	if (l->logged == 0 || !l->whole)
		return SAT_OK;
	l->moved = true;
	if (w->going) {
		w->credit += w->n * l->logged;
		count = l->bytes > KEPT_BYTES_MAX ? UINT64_MAX :
		    w->credit / l->window;
		w->credit %= l->window;
		if ((rc = sweep_some(s, count, e)) != SAT_OK || w->at < w->n ||
		    (rc = folded(s, w->upto, e)) != SAT_OK)
			return rc;
	}
	sweep_begin(l, l->head);
	return SAT_OK;
}

/* L4: the counter moves with whole rounds, and one that waits for nothing is
 * round with the next commit. */
sat_rc
store_late_settle(sat_sqlite_store *s, sat_err *e)
{
	store_late *l = &s->late;
	uint64_t head;
	sat_rc rc;

	/* Before the core has folded again nothing is known of the rows. */
	if (!l->whole)
		return SAT_OK;
	l->moved = true;
	/* What this transaction logged may still lack its states. */
	if (l->logged > 0)
		head = l->committed;
	else if ((rc = store_counter_get(&head, s, SAT_N_LSN, e)) != SAT_OK)
		return rc;
	sweep_begin(l, head);
	if ((rc = sweep_some(s, UINT64_MAX, e)) != SAT_OK)
		return rc;
	l->sweep.going = false;
	return folded(s, head, e);
}

/* ---- the end of a transaction ------------------------------------------------------ */

void
store_late_logged(sat_sqlite_store *s, uint64_t lsn)
{
	if (s->late.logged++ == 0)
		s->late.committed = lsn - 1;
	s->late.head = lsn;
}

/* What is in its row and was not used for long is not kept without end. */
static void
shrink(store_late *l)
{
	for (size_t i = 0; l->bucket != NULL && i <= l->mask &&
	    l->bytes > KEPT_BYTES_MAX / 2; i++) {
		size_t b = l->hand++ & l->mask;

		for (late_rec *k = l->bucket[b], *nx; k != NULL; k = nx) {
			nx = k->next;
			if (k->late)
				continue;
			unlink_from(l, k);
			free(k);
		}
	}
}

static void
close_open(store_late *l, late_rec *k, bool keep)
{
	late_rec *before = k->before;

	k->open = false;
	k->before = NULL;
	if (!keep || k->gone) {
		unlink_from(l, k);
		free(k);
		k = NULL;
	}
	if (before == NULL)
		return;
	if (keep)
		free(before);
	else
		link_in(l, before);
}

static void
end(store_late *l, bool keep)
{
	for (late_rec *k = l->open, *nx; k != NULL; k = nx) {
		nx = k->next_open;
		if (nx != NULL) { /* fetched a round ago */
			__builtin_prefetch(nx->next_open);
			__builtin_prefetch(nx->before);
		}
		close_open(l, k, keep);
	}
	l->open = NULL;
	l->logged = 0;
	for (late_rec *k = l->dead, *nx; k != NULL; k = nx) {
		nx = k->next;
		free(k);
	}
	l->dead = NULL;
	for (size_t i = 0; i < l->nswept; i++) {
		late_rec *k = find(l, l->swept[i]);

		if (k == NULL || !k->swept)
			continue;
		k->swept = false;
		l->nlate -= keep;
		k->late = !keep;
	}
	l->nswept = 0;
	if (l->moved && !keep)
		l->sweep.going = false; /* the next one begins anew */
	l->moved = false;
}

void
store_late_commit(sat_sqlite_store *s)
{
	end(&s->late, true);
	if (s->late.bytes > KEPT_BYTES_MAX)
		shrink(&s->late);
}

void
store_late_rollback(sat_sqlite_store *s) /* L3 */
{
	end(&s->late, false);
}

/* ---- life ------------------------------------------------------------------------- */

void
store_late_init(sat_sqlite_store *s, unsigned window)
{
	s->late.window = window > 0 ? window : WINDOW;
}

void
store_late_fini(sat_sqlite_store *s)
{
	store_late *l = &s->late;

	end(l, false);
	for (size_t i = 0; l->bucket != NULL && i <= l->mask; i++)
		for (late_rec *k = l->bucket[i], *nx; k != NULL; k = nx) {
			nx = k->next;
			free(k);
		}
	free(l->bucket);
	free(l->by_id);
	free(l->sweep.eid);
	free(l->swept);
	*l = (store_late){ .window = l->window };
}

/* ---- for the core ------------------------------------------------------------------ */

static sat_rc
rec_behind(bool *yes, uint64_t *after, void *u, sat_err *e)
{
	sat_sqlite_store *s = u;

	*yes = !s->late.whole;
	*after = 0;
	return *yes ? store_counter_get(after, s, SAT_N_FOLDED, e) : SAT_OK;
}

static void
rec_whole(void *u)
{
	((sat_sqlite_store *)u)->late.whole = true;
}

void
store_late_ops(sat_store *o)
{
	o->rec_soon = rec_soon;
	o->rec_behind = rec_behind;
	o->rec_whole = rec_whole;
}
