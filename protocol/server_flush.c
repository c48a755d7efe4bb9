/*
 * server_flush.c - the working set goes to the store: dirty records in the order
 * of their table, then the keys of their customers.
 *
 * At the end of a transaction, and before it where what follows asks the store
 * (sat_set_settle) or would need too much memory (sat_set_spill).
 */
#include "protocol/server_int.h"

static sat_rc
flush_rec(sat_server *s, wrec *w, sat_err *e)
{
	const sat_store *st = &s->env.store;
	sat_rec_row row = { .eid = w->eid, .id = w->id, .kind = w->kind,
		.root = w->root };
	sat_rc rc;

	sat_buf_reset(&s->scratch);
	sat_record_write(&s->scratch, &w->r);
	row.state = sat_buf_span(&s->scratch);
	if (w->owner.type == SAT_V_TEXT)
		row.owner = w->owner.s;
	/* After the loss of a server states come in beside the log. */
	row.late = !w->parted && w->stored && w->root == w->stored_root &&
	    s->epoch.epoch == 0 && sat_span_eq(row.owner, w->stored_owner);
	w->dirty = false;
	s->set.flushes++;
	if ((rc = st->rec_put(st->u, &row, e)) == SAT_OK &&
	    w->stored && w->root != w->stored_root)
		rc = st->rec_move(st->u, w->eid, w->root, e);
	return rc;
}

typedef struct place {
	uint32_t eid;
	wrec *w;
} place;

static void
by_digit(place *to, const place *from, size_t n, unsigned shift)
{
	size_t at[257] = { 0 };

	for (size_t i = 0; i < n; i++)
		at[(from[i].eid >> shift & 0xff) + 1]++;
	for (size_t i = 0; i < 256; i++)
		at[i + 1] += at[i];
	for (size_t i = 0; i < n; i++)
		to[at[from[i].eid >> shift & 0xff]++] = from[i];
}

/* In the order of the table: neighbours share pages. By digits: to compare
 * thousands of records with each other was 3 % of a merge. */
static wrec **
sorted_dirty(size_t *count, sat_server *s)
{
	size_t n = 0;
	uint32_t differs = 0;
	place *v, *to, *done;
	wrec **out;

	for (wrec *w = s->set.dirty; w != NULL; w = w->next_dirty)
		n++;
	v = sat_arena_alloc(&s->txn, n * sizeof *v);
	to = sat_arena_alloc(&s->txn, n * sizeof *to);
	out = sat_arena_alloc(&s->txn, n * sizeof(wrec *));
	n = 0;
	for (wrec *w = s->set.dirty; w != NULL; w = w->next_dirty, n++) {
		v[n] = (place){ w->eid, w };
		differs |= w->eid ^ v[0].eid;
	}
	for (unsigned shift = 0; shift < 32; shift += 8) {
		if ((differs >> shift & 0xff) == 0)
			continue;
		by_digit(to, v, n, shift);
		done = to, to = v, v = done;
	}
	for (size_t i = 0; i < n; i++)
		out[i] = v[i].w;
	*count = n;
	return out;
}

sat_rc
sat_set_flush_recs(sat_server *s, sat_err *e)
{
	size_t n;
	wrec **v = sorted_dirty(&n, s);
	sat_rc rc = SAT_OK;

	for (size_t i = 0; i < n && rc == SAT_OK; i++)
		rc = flush_rec(s, v[i], e);
	s->set.dirty = NULL;
	return rc;
}

/* What the store has by now; what follows is compared with it. */
static void
stored_anew(sat_server *s, wrec *w)
{
	sat_buf b = { 0 };

	sat_record_write(&b, &w->r);
	w->state = sat_span_of(sat_arena_dup(&s->txn, b.p, b.n), b.n);
	sat_buf_fini(&b);
	w->was = w->r;
	w->was.cells = sat_arena_dup(&s->txn, w->r.cells,
	    w->r.ncells * sizeof *w->r.cells);
	w->stored_owner = w->owner.type == SAT_V_TEXT ? w->owner.s :
	    (sat_span){ NULL, 0 };
	w->stored_root = w->root;
	w->stored = true;
	w->parted = false;
}

sat_rc
sat_set_settle(sat_server *s, sat_err *e)
{
	size_t n;
	wrec **v;
	sat_rc rc;

	if (s->set.dirty == NULL)
		return SAT_OK;
	if ((rc = sat_srv_alike_flush(s, e)) != SAT_OK)
		return rc;
	v = sorted_dirty(&n, s);
	if ((rc = sat_set_flush(s, e)) == SAT_OK)
		for (size_t i = 0; i < n; i++)
			stored_anew(s, v[i]);
	return rc;
}

sat_rc
sat_set_spill(sat_server *s, sat_err *e)
{
	sat_rc rc = sat_srv_alike_flush(s, e);

	if (rc == SAT_OK && (rc = sat_set_flush(s, e)) == SAT_OK)
		sat_set_reset(s);
	return rc;
}

sat_rc
sat_set_flush(sat_server *s, sat_err *e)
{
	const sat_store *st = &s->env.store;
	size_t n;
	wrec **v = sorted_dirty(&n, s);
	sat_rc rc = sat_srv_digest_flush(s, v, n, flush_rec, e);

	if (rc != SAT_OK)
		return rc;
	s->set.dirty = NULL;
	for (wroot *r = s->set.dirty_roots; r != NULL; r = r->next_dirty) {
		for (size_t i = 0; i < r->n; i++) {
			if (!r->k[i].dirty)
				continue;
			if ((rc = st->member_put(st->u, r->k[i].key, r->eid,
			    &r->k[i].m, e)) != SAT_OK)
				return rc;
			r->k[i].dirty = false;
			r->k[i].stored = r->k[i].live;
		}
		r->dirty = false;
		sat_set_root_stored(s, r); /* forgotten again by a rollback */
	}
	s->set.dirty_roots = NULL;
	return SAT_OK;
}
