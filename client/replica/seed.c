/*
 * seed.c - giving a restored server what it lacks (P-200..P-209): the chains
 * this device has seen, its template, and the states from positions that are
 * lost. What that is, and when, is epoch.c.
 */
#include "client/replica/replica_int.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/git/git.h"

#define SEED_ROWS 400
_Static_assert(SEED_ROWS <= SAT_SEED_STATES_MAX, "P-394");
#define SEED_BYTES (256 * 1024)

static sat_rc
known_chains(sat_seed *out, sat_arena *a, sat_replica *r, sat_err *e)
{
	size_t cap = 0;
	sat_stmt *s;
	bool row;
	sat_rc rc;

	if ((rc = sat_db_stmt(&s, r->db, SQL_CHAIN_SEEN_ALL, e)) != SAT_OK)
		return rc;
	while ((rc = sat_step(&row, s, e)) == SAT_OK && row) {
		SAT_ARENA_GROW(out->known, out->nknown, cap, a);
		out->known[out->nknown++] = (sat_chain_known){
			(uint32_t)sat_col_int(s, 0),
			(uint64_t)sat_col_int(s, 1) };
	}
	return rc;
}

/* Of its own chain: the last one it cannot bring any more (P-206). */
static sat_rc
let_go(sat_seed *out, sat_arena *a, sat_replica *r, sat_err *e)
{
	size_t cap = out->nknown;
	uint64_t first = 0;
	sat_stmt *s;
	bool row;
	sat_rc rc;

	if ((rc = sat_db_stmt(&s, r->db, SQL_OUTBOX_FROM, e)) != SAT_OK)
		return rc;
	sat_bind_int(s, 1, replica_seq(r->id->incarnation, 1));
	if ((rc = sat_step(&row, s, e)) != SAT_OK)
		return rc;
	if (row)
		first = replica_seq_cseq(sat_col_int(s, 0));
	sat_stmt_reset(s);
	if (first <= 1)
		return SAT_OK;
	SAT_ARENA_GROW(out->known, out->nknown, cap, a);
	out->known[out->nknown++] = (sat_chain_known){ r->id->device,
		first - 1 };
	return SAT_OK;
}

static bool
template_left(const sat_replica *r)
{
	static const uint8_t none[SAT_TEMPLATE_OID_BYTES];

	return memcmp(r->toid, none, sizeof none) != 0 &&
	    memcmp(r->toid, r->given_toid, sizeof none) != 0;
}

/* The template this device works by, from what the server has: a part of it, and
 * with the next frame the next. What it has and this device does not know is a
 * newer one, or another line, which does not go on with ours: nothing is given,
 * and nothing either of a document that no frame can hold. The states go all the
 * same. */
static sat_rc
own_template(sat_seed *out, sat_arena *a, sat_replica *r, sat_err *e)
{
	static const uint8_t none[SAT_TEMPLATE_OID_BYTES];
	sat_oid tip, had;
	sat_buf b = { 0 };
	sat_git *g;
	sat_rc rc;

	if (!template_left(r))
		return SAT_OK;
	if ((rc = sat_replica_git(&g, r, e)) != SAT_OK)
		return rc;
	memcpy(tip.b, r->toid, sizeof tip.b);
	memcpy(had.b, r->given_toid, sizeof had.b);
	rc = sat_git_bundle_part(&b, g, &tip, memcmp(had.b, none,
	    sizeof none) == 0 ? NULL : &had, SAT_TEMPLATE_PART_MAX, e);
	memcpy(r->given_toid, tip.b, sizeof tip.b);
	if (rc == SAT_OK) {
		memcpy(out->tip, tip.b, sizeof out->tip);
		out->bundle = sat_span_of(sat_arena_dup(a, b.p, b.n), b.n);
	} else if (rc == SAT_ENOTFOUND || rc == SAT_EINVALID) {
		if (rc == SAT_EINVALID)
			sat_log(SAT_WARN, "REPLICA-SEED-TEMPLATE", "bytes_max=%d",
			    SAT_TEMPLATE_PART_MAX);
		rc = SAT_OK;
	}
	sat_buf_fini(&b);
	sat_git_close(g);
	return rc;
}

static bool
may_seed(const sat_replica *r)
{
	return r->me != NULL && r->kinds != NULL &&
	    (r->cert.seed_roles & sat_epoch_role(r->me->role)) != 0 &&
	    sat_wall_ms(&r->clock) + r->hlc.offset_ms <= r->cert.until_ms;
}

typedef struct gather {
	sat_arena *a;
	sat_record *rec;
	size_t n, bytes;
} gather;

static sat_rc
add_state(gather *g, sat_replica *r, const replica_kind *k, int64_t rid,
    sat_err *e)
{
	replica_row *row;
	sat_record *srv;
	sat_buf b = { 0 };
	sat_rc rc = replica_page_by_rid(&row, r, k, rid, e);

	if (rc != SAT_OK || row == NULL)
		return rc;
	srv = replica_row_server(row);
	if (srv->born.hlc == 0 || !replica_lost(r, srv->rlsn))
		return SAT_OK;
	sat_record_write(&b, srv);
	g->bytes += b.n;
	/* read again from its bytes: the row's memory is reused */
	rc = sat_record_read(&g->rec[g->n], g->a, sat_span_of(sat_arena_dup(
	    g->a, b.p, b.n), b.n), e);
	g->n++;
	sat_buf_fini(&b);
	return rc;
}

/* Customers first: what hangs on them is looked for there. */
static const replica_kind *
kind_at(const sat_replica *r, size_t at)
{
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < r->kinds->n; i++)
			if ((r->kinds->k[i].kind->scope == SAT_SCOPE_ROOT) ==
			    (pass == 0) && at-- == 0)
				return &r->kinds->k[i];
	return NULL;
}

static sat_rc
gather_kind(gather *g, bool *full, sat_replica *r, const replica_kind *k,
    sat_err *e)
{
	sat_arena a = { 0 };
	int64_t *rids;
	size_t n;
	sat_rc rc = replica_kind_rids(&rids, &n, &a, r, k, KQ_RIDS, NULL, e);

	for (size_t i = 0; i < n && rc == SAT_OK && !*full; i++) {
		if (rids[i] <= r->seed_rid)
			continue;
		r->seed_rid = rids[i];
		if ((rc = add_state(g, r, k, rids[i], e)) != SAT_OK)
			break;
		if (r->page.nrows >= 1024)
			replica_page_reset(r);
		*full = g->n == SEED_ROWS || g->bytes >= SEED_BYTES;
	}
	replica_page_reset(r);
	sat_arena_fini(&a);
	return rc;
}

static sat_rc
gather_states(sat_seed *out, sat_arena *a, sat_replica *r, sat_err *e)
{
	gather g = { .a = a, .rec = sat_arena_alloc(a, SEED_ROWS *
	    sizeof *g.rec) };
	const replica_kind *k;
	bool full = false;
	sat_buf b = { 0 };
	sat_rc rc = SAT_OK;

	replica_page_reset(r);
	while (rc == SAT_OK && !full &&
	    (k = kind_at(r, r->seed_kind)) != NULL) {
		rc = gather_kind(&g, &full, r, k, e);
		/* Not two kinds in one frame: a customer must be in before
		 * what hangs on it is judged. */
		if (!full) {
			r->seed_kind++;
			r->seed_rid = 0;
			full = g.n > 0;
		}
	}
	if (rc == SAT_OK && g.n > 0 &&
	    (rc = sat_records_write(&b, g.rec, g.n, e)) == SAT_OK)
		out->records = sat_span_of(sat_arena_dup(a, b.p, b.n), b.n);
	sat_buf_fini(&b);
	return rc;
}

static sat_rc
seeding_over(sat_replica *r, sat_err *e)
{
	sat_rc rc;

	if ((rc = replica_session_begin(r, e)) == SAT_OK)
		rc = replica_end(r, true, replica_meta_int(r, "seeding", 0, e),
		    e);
	if (rc == SAT_OK)
		r->seeding = false;
	return rc;
}

sat_rc
replica_seed(void *u, sat_arena *a, sat_seed *out, bool *wanted, sat_err *e)
{
	sat_replica *r = u;
	sat_rc rc;

	*wanted = r->seeding;
	if (!r->seeding)
		return SAT_OK;
	out->epoch = r->epoch;
	if ((!r->seed_told && (rc = known_chains(out, a, r, e)) != SAT_OK) ||
	    (rc = own_template(out, a, r, e)) != SAT_OK ||
	    (rc = let_go(out, a, r, e)) != SAT_OK)
		return rc;
	if (out->bundle.n == 0 && may_seed(r) &&
	    ((rc = gather_states(out, a, r, e)) != SAT_OK ||
	    (out->records.n > 0 &&
	    (rc = replica_place_all(out, a, r, e)) != SAT_OK)))
		return rc;
	if (r->seed_told && out->bundle.n == 0 && out->records.n == 0) {
		*wanted = false;
		return seeding_over(r, e);
	}
	return SAT_OK;
}

sat_rc
replica_seeded(void *u, const sat_seeded *in, sat_err *e)
{
	sat_replica *r = u;

	r->seed_told = true;
	return in->closed && !template_left(r) ? seeding_over(r, e) : SAT_OK;
}
