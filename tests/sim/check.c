/*
 * What must hold: of every frame, after every restart, and when all trouble
 * is over.
 */
#include "tests/sim/sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS_MAX 3

/* ---- frames: scope (property 11) -------------------------------------------------------- */

static void
check_seen(world *w, int dev, int rec, const char *what)
{
	if (rec < 0)
		sim_fail(w, "property 11: %s of a record nobody knows", what);
	if (!sim_visible(w, w->dev[dev].user, rec))
		sim_fail(w, "property 11: %s of record %d goes to d%d (%s), "
		    "which may not see it", what, rec, dev + 1,
		    w->users[w->dev[dev].user].key);
}

/* Of what a pool offers only states go to its members, never a value it hides
 * (property 13). */
static void
check_whole(world *w, int dev, int rec, const char *what)
{
	check_seen(w, dev, rec, what);
	if (sim_masked(w, w->dev[dev].user, rec))
		sim_fail(w, "property 13: %s of record %d goes to d%d (%s), "
		    "which sees it through the pool alone", what, rec, dev + 1,
		    w->users[w->dev[dev].user].key);
}

/* Each record carries a word of its own: wherever it turns up, the record must
 * be one the device may see. */
static void
check_value(world *w, int dev, sat_value v)
{
	static const char mark[] = "canary-";
	size_t n = sizeof mark - 1;
	int rec = 0;

	if (v.type == SAT_V_TEXT || v.type == SAT_V_BYTES)
		sim_mask_value(w, dev, v.s, "a value");
	if (v.type != SAT_V_TEXT || v.s.n <= n || memcmp(v.s.p, mark, n) != 0)
		return;
	for (size_t i = n; i + 1 < v.s.n; i++)
		rec = rec * 10 + (v.s.p[i] - '0');
	check_whole(w, dev, rec < w->nrecs ? rec : -1, "a value");
}

static void
check_mask(world *w, int dev, const sat_record *r)
{
	bool masked = sim_masked(w, w->dev[dev].user, sim_rec_find(w, &r->id));

	if (masked != sat_record_of_pool(r))
		sim_fail(w, "property 13: d%d is told that record %d is%s "
		    "whole", dev + 1, sim_rec_find(w, &r->id),
		    masked ? "" : " not");
	if (!masked)
		return;
	HIT(masked);
	if (sat_record_value(r, A_CONTACT).type != SAT_V_NULL ||
	    sat_record_value(r, A_CANARY).type != SAT_V_NULL)
		sim_fail(w, "property 13: a pool shows what it hides to d%d",
		    dev + 1);
}

static void
check_states(world *w, int dev, sat_span records)
{
	sat_record *r;
	size_t n;
	sat_err e;

	if (records.n == 0)
		return;
	if (sat_records_read(&r, &n, &w->tmp, records, &e) != SAT_OK)
		sim_fail(w, "the server sent what cannot be read: %s", e.text);
	for (size_t i = 0; i < n; i++) {
		check_seen(w, dev, sim_rec_find(w, &r[i].id), "the state");
		check_mask(w, dev, &r[i]);
		sim_mask_state(w, dev, &r[i]);
		for (size_t k = 0; k < r[i].ncells; k++)
			check_value(w, dev, r[i].cells[k].value);
	}
}

static void
check_batch(world *w, int dev, sat_span batch)
{
	sat_commit *c;
	size_t n;
	sat_err e;

	if (batch.n == 0)
		return;
	if (sat_batch_read(&c, &n, &w->tmp, SAT_BATCH_PULL, batch, &e) !=
	    SAT_OK)
		sim_fail(w, "the server sent what cannot be read: %s", e.text);
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < c[i].nops; k++) {
			const sat_op *op = &c[i].ops[k];

			check_whole(w, dev, op->eid != 0 ?
			    sim_rec_by_eid(w, op->eid) :
			    sim_rec_find(w, &op->rec), "an operation");
			check_value(w, dev, op->value);
		}
}

void
sim_check_frame(world *w, int dev, sat_span frame)
{
	sat_msg m;
	sat_err e;

	if (sat_msg_read(&m, &w->tmp, frame, &e) != SAT_OK)
		sim_fail(w, "the server sent what cannot be read: %s", e.text);
	if (m.type == SAT_MSG_CHUNK)
		check_states(w, dev, m.u.chunk.records);
	if (m.type == SAT_MSG_REFETCH_IS)
		check_states(w, dev, m.u.refetch_is.records);
	for (size_t i = 0; m.type == SAT_MSG_VERDICTS &&
	    i < m.u.verdicts.n; i++) {
		sim_mask_value(w, dev, m.u.verdicts.v[i].hint, "a hint");
		if (sat_span_eq(m.u.verdicts.v[i].slug, sat_span_str("masked")))
			HIT(v_veiled);
	}
	if (m.type != SAT_MSG_DELTA)
		return;
	check_states(w, dev, m.u.delta.records);
	check_batch(w, dev, m.u.delta.batch);
	for (size_t i = 0; i < m.u.delta.nrescopes; i++)
		for (size_t k = 0; k < m.u.delta.rescopes[i].nheld; k++)
			check_seen(w, dev, sim_rec_find(w,
			    &m.u.delta.rescopes[i].held[k]), "a rescope");
}

/* ---- dumps (property 1) -------------------------------------------------------------------- */

typedef struct dump {
	sat_buf b;
	size_t n;
	world *w;
	bool hash;
} dump;

static void
on_record(void *u, const sat_id *id, sat_span state)
{
	dump *d = u;

	sat_buf_add(&d->b, id->b, sizeof id->b);
	sat_write_span(&d->b, state);
	d->n++;
}

/* Where two dumps part: the record, for the message. */
static int
first_difference(const world *w, const dump *a, const dump *b)
{
	sat_reader x = sat_reader_of(sat_buf_span(&a->b));
	sat_reader y = sat_reader_of(sat_buf_span(&b->b));

	while (x.left > 0 || y.left > 0) {
		sat_span i = sat_read_raw(&x, x.left > 0 ? 16 : 0);
		sat_span j = sat_read_raw(&y, y.left > 0 ? 16 : 0);
		sat_span k = i.n == 0 || (j.n > 0 && sat_span_cmp(i, j) > 0) ?
		    j : i;
		sat_id id;

		memcpy(id.b, k.p, sizeof id.b);
		if (!sat_span_eq(i, j) || !sat_span_eq(sat_read_span(&x,
		    SAT_FRAME_MAX), sat_read_span(&y, SAT_FRAME_MAX)))
			return sim_rec_find(w, &id);
	}
	return -1;
}

static void
print_state(world *w, const char *whose, const dump *d, int rec)
{
	sat_reader r = sat_reader_of(sat_buf_span(&d->b));
	sat_record state;
	sat_err e;

	while (w->tracing && r.left > 0) {
		sat_span id = sat_read_raw(&r, 16);
		sat_span body = sat_read_span(&r, SAT_FRAME_MAX);

		if (memcmp(id.p, w->recs[rec].id.b, 16) != 0 ||
		    sat_record_read(&state, &w->tmp, body, &e) != SAT_OK)
			continue;
		(void)printf("%s: rlsn %llu deleted %d edits %d\n", whose,
		    (unsigned long long)state.rlsn, state.deleted,
		    state.with_edits);
		for (size_t i = 0; i < state.ncells; i++) {
			const sat_cell *c = &state.cells[i];

			(void)printf("  %u = %.*s/%lld (%llx d%u lsn %llu) "
			    "ext %zu\n", c->field, (int)c->value.s.n,
			    c->value.s.n > 0 ? (const char *)c->value.s.p : "",
			    (long long)c->value.i, (unsigned long long)c->at.hlc,
			    c->at.dev, (unsigned long long)c->at.lsn, c->ext.n);
		}
	}
}

static const sat_user *
server_user(const world *w, int user)
{
	return sat_registry_user(sat_server_registry(w->server),
	    sat_span_str(w->users[user].key));
}

uint64_t
sim_scope_head(world *w, int user)
{
	sat_keys keys = sat_scope_subscription_with(sat_server_registry(
	    w->server), server_user(w, user), sim_template(w->tip));
	uint64_t head = 0, truncated;
	sat_err e = { 0 };

	if (w->ops.scope_head(&head, w->ops.u, &keys, &e) != SAT_OK ||
	    w->ops.counter_get(&truncated, w->ops.u, SAT_N_TRUNCATED, &e) !=
	    SAT_OK)
		sim_fail(w, "no scope head: %s", e.text);
	return head > truncated ? head : truncated;
}

static void
server_dump(const device *d, dump *out)
{
	world *w = d->n.w;
	sat_err e = { 0 };

	if (sat_server_dump_by(w->server, server_user(w, d->user),
	    sat_replica_template_oid(d->r), on_record, out, &e) != SAT_OK)
		sim_fail(w, "no dump of the server: %s", e.text);
}

static void
compare(device *d, const dump *here, const dump *there)
{
	world *w = d->n.w;
	int rec;

	if (sat_span_eq(sat_buf_span(&here->b), sat_buf_span(&there->b)))
		return;
	rec = first_difference(w, here, there);
	print_state(w, "device", here, rec);
	print_state(w, "server", there, rec);
	sim_fail(w, "property 1: %s at %llu holds %zu records, the server %zu; "
	    "the first that differs is record %d", d->n.name,
	    (unsigned long long)d->cursor, here->n, there->n, rec);
}

/* What the server calls visible is what the reference calls so. */
static void
check_reference(device *d, const dump *there)
{
	world *w = d->n.w;
	size_t n = 0;

	for (int i = 0; i < w->nrecs; i++)
		n += sim_visible(w, d->user, i);
	if (n != there->n)
		sim_fail(w, "property 11: the server holds %zu records visible "
		    "to %s, the reference %zu", there->n,
		    w->users[d->user].key, n);
}

void
sim_check_dump(device *d)
{
	world *w = d->n.w;
	dump here = { .w = w }, there = { .w = w };
	sat_err e = { 0 };

	sim_device_calm(d);
	if (sat_replica_dump(d->r, on_record, &here, &e) != SAT_OK)
		sim_fail(w, "no dump of %s: %s", d->n.name, e.text);
	server_dump(d, &there);
	compare(d, &here, &there);
	check_reference(d, &there);
	sim_trace_bytes(w, sat_buf_span(&here.b));
	sat_buf_fini(&here.b);
	sat_buf_fini(&there.b);
}

/* ---- the ledger (property 6) ---------------------------------------------------------------- */

typedef struct places { /* where each commit is, per entry */
	bool outbox, waiting, quarantine;
} places;

static void
place(device *d, where at, int64_t seq, int state, const sat_commit *c,
    bool whole, void *u)
{
	world *w = d->n.w;
	entry *e = sim_entry_find(w, c->payload_hash);
	places *p = u;

	(void)seq;
	if (!whole)
		return;
	if (e == NULL)
		sim_fail(w, "%s holds a commit nobody wrote", d->n.name);
	p += e->index;
	if (at == IN_QUARANTINE)
		p->quarantine = true;
	else
		p->outbox = true;
	if (at == IN_OUTBOX && state == 0)
		p->waiting = true;
}

static places *
places_of(device *d)
{
	world *w = d->n.w;
	size_t n = ((size_t)w->nentries + 1) * sizeof(places);
	places *p = memset(sat_arena_alloc(&w->tmp, n), 0, n);

	sim_device_kept(d, place, p);
	return p;
}

void
sim_check_kept(device *d)
{
	world *w = d->n.w;
	const places *p = places_of(d);

	for (size_t i = 0; i < d->nown; i++) {
		const entry *e = &w->entries[d->own[i]];

		if (e->fate == FATE_SAVED && !p[e->index].outbox &&
		    !p[e->index].quarantine && e->lsn == 0 &&
		    !sim_about_erased(w, e))
			sim_fail(w, "property 6: commit %llu/%llu of %s was "
			    "saved and is nowhere",
			    (unsigned long long)e->inc,
			    (unsigned long long)e->cseq, d->n.name);
	}
}

static void
check_ledger(device *d)
{
	world *w = d->n.w;
	const places *p = places_of(d);

	for (size_t i = 0; i < d->nown; i++) {
		const entry *e = &w->entries[d->own[i]];
		bool waits = p[e->index].waiting;
		int n;

		if (sim_shut_out(d)) {
			if (e->fate == FATE_SAVED && waits && e->lsn == 0)
				HIT(kept_back);
			/* it may never hear that its last work was merged */
			waits = waits && e->lsn == 0;
		}
		n = waits + p[e->index].quarantine + (e->lsn != 0);
		if (sim_about_erased(w, e)) {
			if ((waits || p[e->index].quarantine) &&
			    !sim_shut_out(d))
				sim_fail(w, "property 22: commit %llu of %s is "
				    "about an erased customer and still here",
				    (unsigned long long)e->cseq, d->n.name);
			continue;
		}

		if (e->answered && e->verdict.code == SAT_VD_HANDOVER &&
		    sim_suggested(w, e) < e->nops)
			sim_fail(w, "property 6: commit %llu of %s was handed "
			    "over and %zu of %zu operations are suggested",
			    (unsigned long long)e->cseq, d->n.name,
			    sim_suggested(w, e), e->nops);
		if (e->fate == FATE_SAVED && n != 1)
			sim_fail(w, "property 6: commit %llu of %s is in %d "
			    "places: waiting %d, log %d, quarantine %d",
			    (unsigned long long)e->cseq, d->n.name, n,
			    waits, e->lsn != 0,
			    p[e->index].quarantine);
	}
}

/* ---- the end ------------------------------------------------------------------------------------ */

static bool
at_rest(device *d)
{
	world *w = d->n.w;
	sat_replica_status st;
	sat_err e = { 0 };

	if (sim_shut_out(d))
		return true; /* what it holds stays as it is */
	if (sat_replica_status_get(&st, d->r, &e) != SAT_OK)
		sim_fail(w, "%s: status: %s", d->n.name, e.text);
	sim_trace(w, "%s rests at %llu of %llu, %lld wait%s", d->n.name,
	    (unsigned long long)st.cursor,
	    (unsigned long long)sim_scope_head(w, d->user),
	    (long long)st.pending_commits, st.complete ? "" : ", incomplete");
	return st.pending_commits == 0 && st.complete &&
	    st.cursor >= sim_scope_head(w, d->user);
}

/* Property 7: after trouble is over, few sessions bring all to rest. */
static void
heal(world *w)
{
	bool rest = false;

	sim_net_drop(w);
	for (int i = 0; i < w->ndev; i++) {
		device *d = &w->dev[i];

		sim_session_end(d);
		if (d->r != NULL) /* cut off in what nobody waited for */
			(void)sim_device_after(d, SAT_OK);
		if (d->r == NULL)
			sim_device_start(d);
		sim_device_calm(d);
	}
	for (int round = 1; round <= ROUNDS_MAX && !rest; round++) {
		HIT(rounds);
		for (int i = 0; i < w->ndev; i++) {
			sat_arena_reset(&w->tmp);
			sim_session_whole(&w->dev[i]);
		}
		rest = true;
		for (int i = 0; i < w->ndev; i++)
			rest = rest && at_rest(&w->dev[i]);
	}
	if (!rest)
		sim_fail(w, "property 7: not at rest after %d rounds",
		    ROUNDS_MAX);
}

/* Property 20: who begins now gets what the others have. */
static void
check_fresh(world *w)
{
	int n = w->ndev;

	for (int i = 0; i < 2 && w->ndev < DEVS_MAX; i++) {
		int user = w->dev[sim_below(w, (uint64_t)n)].user;
		device *d;

		if (w->users[user].disabled)
			continue;
		d = sim_device_new(w, user);
		sim_session_whole(d);
		if (!at_rest(d))
			sim_session_whole(d);
		if (!at_rest(d))
			sim_fail(w, "property 7: a fresh device is not at rest");
		HIT(fresh);
		sim_check_dump(d);
	}
}

/* View, base, clocks, chain, signatures, audit: all that can be derived. */
void
sim_check_replica(device *d, bool quick)
{
	sat_replica_status st;
	sat_err e = { 0 };

	sim_device_calm(d);
	if (simfs_is_off(d->n.fs))
		return;
	HIT(checked);
	if (sat_replica_check(d->r, quick, &e) != SAT_OK)
		sim_fail(d->n.w, "check of %s: %s", d->n.name, e.text);
	/* Where nothing damaged a row no sync may find other sums. */
	if (sat_replica_status_get(&st, d->r, &e) == SAT_OK &&
	    st.diverged.count != d->diverged)
		sim_fail(d->n.w, "property 21: %s differed at %llu, kind %u, "
		    "bucket %u", d->n.name,
		    (unsigned long long)st.diverged.lsn, st.diverged.kind,
		    st.diverged.bucket);
}

/* Property 15: whoever holds a merged customer knows where it leads. */
static void
check_canons(device *d)
{
	world *w = d->n.w;
	sat_err e = { 0 };
	sat_id id;

	for (int i = 0; i < w->nrecs; i++) {
		if (w->recs[i].redirect < 0 || !sim_visible(w, d->user, i))
			continue;
		if (sat_replica_canon(&id, d->r, &w->recs[i].id, &e) != SAT_OK)
			sim_fail(w, "%s: %s", d->n.name, e.text);
		if (!sat_id_eq(&id, &w->recs[sim_top(w, i)].id))
			sim_fail(w, "property 15: record %d leads to record %d "
			    "on %s and to %d on the server", i,
			    sim_rec_find(w, &id), d->n.name, sim_top(w, i));
		HIT(canons);
	}
}

static void
check_replicas(world *w)
{
	for (int i = 0; i < w->ndev; i++) {
		device *d = &w->dev[i];

		sat_arena_reset(&w->tmp);
		check_ledger(d);
		sim_expect_check(d, EXPECT_MAX);
		sim_check_replica(d, false);
		sat_arena_reset(&w->tmp);
		if (sim_shut_out(d))
			continue;
		sim_check_dump(d);
		sim_mask_disk(d);
		check_canons(d);
	}
}

void
sim_check_end(world *w)
{
	uint64_t commits, records;
	sat_err e = { 0 };

	sim_trace(w, "healing");
	sim_server_stop(w, false);
	sim_server_start(w, false);
	heal(w);
	check_replicas(w);
	check_fresh(w);
	sat_arena_reset(&w->tmp);
	sim_erase_check(w);
	sim_shadow_check(w);
	sim_model_check(w);
	if (sat_server_verify(w->server, &commits, &records, &e) != SAT_OK)
		sim_fail(w, "property 20: the log does not give the records: "
		    "%s", e.text);
	if (commits != w->head)
		sim_fail(w, "verify counts %llu commits, the log has %llu",
		    (unsigned long long)commits, (unsigned long long)w->head);
	if (sat_sqlite_segments_verify(w->store, &w->org, sat_server_env_get(
	    w->server)->server_pk, &e) != SAT_OK)
		sim_fail(w, "property 19: the segments: %s", e.text);
	if (sat_sqlite_store_check(w->store, false, &e) != SAT_OK)
		sim_fail(w, "the server's file: %s", e.text);
}
