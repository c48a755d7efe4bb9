/*
 * epoch.c - the server came back from a backup (P-200..P-209).
 *
 * What it had said after that backup was never said: own commits it had
 * accepted since are unanswered again, record numbers it had given since mean
 * nothing, and states that came from positions since are what this device
 * knows and the server perhaps does not. They are given back (seed.c), and then
 * give way to whatever the server has (a snapshot over what is here). Nothing
 * a user wrote, and nothing in quarantine or inbox, is touched.
 *
 * Invariants, named in the tests:
 *   N1  without the root's signature, or with an older epoch, nothing changes.
 *   N2  a commit accepted before counts once in every view, at every moment.
 *   N3  a record the new server does not have goes with the end of the
 *       snapshot; what waits for the server stays.
 */
#include "client/replica/replica_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CERT_BYTES_MAX 512

bool
replica_lost(const sat_replica *r, uint64_t lsn)
{
	return sat_epochs_lost(r->certs, r->ncerts, lsn) != NULL;
}

/* Positions of one order can be compared, and a state says of each order how
 * far it goes: its own by its last position, others by its origin (P-251). */
bool
replica_held(const sat_replica *r, const sat_record *srv, const sat_old *old)
{
	uint64_t upto[SAT_ORIGIN_MAX + 1];
	size_t m;

	if (old->n == 0)
		return false;
	m = sat_record_origin(upto, srv);
	if (replica_lost(r, srv->rlsn))
		upto[m++] = srv->rlsn;
	for (size_t i = 0; i < old->n; i++)
		for (size_t k = 0; k < m; k++)
			if (old->at[i] <= upto[k] &&
			    old->at[i] >= sat_epochs_order(r->certs, r->ncerts,
			    upto[k]))
				return true;
	return false;
}

sat_rc
replica_certs_read(sat_replica *r, sat_span in, sat_err *e)
{
	sat_reader rd = sat_reader_of(in);
	sat_rc rc = SAT_OK;

	free(r->certs);
	r->certs = sat_xcalloc(SAT_EPOCHS_MAX, sizeof *r->certs);
	for (r->ncerts = 0; rc == SAT_OK && rd.left > 0 &&
	    r->ncerts < SAT_EPOCHS_MAX; r->ncerts++)
		rc = sat_epoch_read(&r->certs[r->ncerts],
		    sat_read_span(&rd, CERT_BYTES_MAX), e);
	if (rc != SAT_OK || (rc = sat_read_end(&rd, "certificates", e)) !=
	    SAT_OK)
		return rc;
	if (r->ncerts > 0)
		r->cert = r->certs[r->ncerts - 1];
	return SAT_OK;
}

/* ---- the certificate ---------------------------------------------------------------- */

static sat_rc
rolled_back(sat_replica *r, const char *what, sat_err *e)
{
	sat_rc rc = sat_replica_audit(r, "server.rolled_back", what, e);

	if (rc != SAT_OK)
		return rc;
	return sat_fail_code(e, SAT_EINTEGRITY, "server.rolled_back",
	    "tell the administrator: an old backup of the server is in use "
	    "without `satcheld restore`", "the server is not the one this "
	    "device knows: %s; nothing was exchanged", what);
}

/* N1 */
static sat_rc
read_cert(sat_replica *r, next_epoch *n, sat_span in, sat_err *e)
{
	uint64_t last = n->ncerts > 0 ? n->certs[n->ncerts - 1].epoch :
	    r->epoch;
	sat_epoch c;
	sat_rc rc;

	if ((rc = sat_epoch_read(&c, in, e)) != SAT_OK)
		return rc;
	if (!sat_epoch_ok(&c, &r->id->org, r->id->root_pk))
		return rolled_back(r, "its new epoch is not signed by the "
		    "organisation's root key", e);
	if (c.epoch <= last)
		return sat_fail(e, SAT_EPROTO, "epochs out of order");
	if (c.base_lsn < n->base_lsn)
		n->base_lsn = c.base_lsn;
	if (c.base_eid < n->base_eid)
		n->base_eid = c.base_eid;
	if (n->ncerts == SAT_EPOCHS_MAX)
		memmove(n->certs, n->certs + 1, --n->ncerts *
		    sizeof *n->certs);
	n->certs[n->ncerts++] = c;
	return SAT_OK;
}

static sat_rc
read_certs(sat_replica *r, next_epoch *n, const sat_welcome *w, sat_err *e)
{
	sat_rc rc;

	n->base_lsn = UINT64_MAX;
	n->base_eid = UINT32_MAX;
	n->certs = sat_xcalloc(SAT_EPOCHS_MAX, sizeof *n->certs);
	if (r->ncerts > 0)
		memcpy(n->certs, r->certs, r->ncerts * sizeof *n->certs);
	n->ncerts = r->ncerts;
	for (size_t i = 0; i < w->ncerts; i++)
		if ((rc = read_cert(r, n, w->certs[i], e)) != SAT_OK)
			return rc;
	if (w->ncerts == 0 || n->certs[n->ncerts - 1].epoch != w->epoch)
		return rolled_back(r, "it names an epoch without its "
		    "certificate", e);
	if (r->cursor >= n->certs[n->ncerts - 1].first_lsn)
		return sat_fail_code(e, SAT_EINTEGRITY, "epoch.overlap",
		    "restore again with a larger --skip",
		    "the restored server begins below what this device has "
		    "seen of the lost one");
	return SAT_OK;
}

sat_rc
replica_epoch_check(sat_replica *r, next_epoch *n, const sat_welcome *w,
    sat_err *e)
{
	memset(n, 0, sizeof *n);
	if (w->epoch < r->epoch)
		return rolled_back(r, "it went back to an older epoch", e);
	if (w->epoch > r->epoch) {
		sat_rc rc = read_certs(r, n, w, e);

		n->changed = rc == SAT_OK;
		if (rc != SAT_OK)
			free(n->certs);
		return rc;
	}
	if (w->head < r->cursor)
		return rolled_back(r, "its log is shorter than it was", e);
	return SAT_OK;
}

/* ---- what was answered is not any more ------------------------------------------------ */

static sat_rc
seqs(int64_t **out, size_t *n, sat_arena *a, sat_replica *r, sat_err *e)
{
	int64_t *list = NULL;
	size_t cap = 0;
	sat_stmt *s;
	bool row;
	sat_rc rc;

	*n = 0;
	if ((rc = sat_db_stmt(&s, r->db, SQL_RECOVERED_ALL, e)) != SAT_OK)
		return rc;
	while ((rc = sat_step(&row, s, e)) == SAT_OK && row) {
		SAT_ARENA_GROW(list, *n, cap, a);
		list[(*n)++] = sat_col_int(s, 0);
	}
	*out = list;
	return rc;
}

/* N2: the records of a commit hold it back from the server's state on, as of
 * any commit that waits. */
static sat_rc
hold_again(sat_replica *r, int64_t seq, sat_err *e)
{
	replica_row *row;
	own_commit o;
	sat_rc rc = replica_own_commit(&o, &r->page.mem, r, seq, e);

	if (rc == SAT_ENOTFOUND)
		return SAT_OK;
	for (size_t i = 0; rc == SAT_OK && i < o.c.nops; i++) {
		const replica_kind *k = replica_kind_by(r->kinds,
		    o.c.ops[i].rtype);

		if (k == NULL)
			continue;
		rc = replica_page_get(&row, r, k, &o.c.ops[i].rec, 0, e);
		if (rc != SAT_OK || row == NULL)
			continue;
		replica_row_hold(row, &r->page.mem);
		row->rebuild = row->dirty = true;
	}
	return rc;
}

static sat_rc
take_back(sat_replica *r, uint64_t base, sat_err *e)
{
	sat_arena a = { 0 };
	int64_t *list = NULL;
	size_t n = 0;
	sat_rc rc;

	if ((rc = replica_run_int(r, SQL_RECOVERED_TAKE, (int64_t)base, e)) !=
	    SAT_OK ||
	    (rc = replica_run_int(r, SQL_ANSWER_LOST, (int64_t)base, e)) != SAT_OK)
		return rc;
	r->recovering = true;
	r->low = 0;
	replica_pend_drop(r);
	rc = seqs(&list, &n, &a, r, e);
	for (size_t i = 0; rc == SAT_OK && r->kinds != NULL && i < n; i++)
		if ((rc = hold_again(r, list[i], e)) == SAT_OK)
			rc = replica_page_bound(r, e);
	if (rc == SAT_OK)
		rc = replica_page_flush(r, e);
	replica_page_reset(r);
	sat_arena_fini(&a);
	return rc;
}

/* Numbers the backup does not have will be given to other records. */
static sat_rc
renumber(sat_replica *r, const replica_kind *k, uint32_t base_eid, sat_err *e)
{
	sat_arena a = { 0 };
	replica_row *row;
	int64_t *rids;
	size_t n;
	sat_rc rc = replica_kind_rids(&rids, &n, &a, r, k, KQ_RIDS, NULL, e);

	for (size_t i = 0; i < n && rc == SAT_OK; i++) {
		if (rids[i] <= base_eid || rids[i] >= SAT_RID_LOCAL)
			continue;
		if ((rc = replica_page_by_rid(&row, r, k, rids[i], e)) ==
		    SAT_OK && row != NULL) {
			replica_row_unnumber(r, row);
			rc = replica_page_bound(r, e);
		}
	}
	if (rc == SAT_OK)
		rc = replica_page_flush(r, e);
	replica_page_reset(r);
	sat_arena_fini(&a);
	return rc;
}

static sat_rc
put_certs(sat_replica *r, const next_epoch *n, sat_err *e)
{
	sat_buf all = { 0 }, one = { 0 };
	sat_rc rc;

	for (size_t i = 0; i < n->ncerts; i++) {
		sat_buf_reset(&one);
		sat_epoch_write(&one, &n->certs[i]);
		sat_write_span(&all, sat_buf_span(&one));
	}
	rc = replica_meta_blob(r, "certs", sat_buf_span(&all), e);
	sat_buf_fini(&all);
	sat_buf_fini(&one);
	return rc;
}

static sat_rc
put_meta(sat_replica *r, const next_epoch *n, uint64_t durable, sat_err *e)
{
	const struct {
		const char *key;
		uint64_t v;
	} put[] = { { "epoch", n->certs[n->ncerts - 1].epoch },
		{ "cursor", n->base_lsn < r->cursor ? n->base_lsn : r->cursor },
		{ "durable", durable }, { "low", 0 }, { "complete", 0 },
		{ "snap_after", 0 }, { "snap_lsn", 0 }, { "resnap", 1 },
		{ "seeding", 1 }, { "ledger_back", 1 } };
	sat_rc rc = SAT_OK;

	for (size_t i = 0; i < sizeof put / sizeof put[0] && rc == SAT_OK; i++)
		rc = replica_meta_int(r, put[i].key, (int64_t)put[i].v, e);
	return rc != SAT_OK ? rc : put_certs(r, n, e);
}

/* In the transaction of the WELCOME; replica_epoch_done when it stands. */
sat_rc
replica_epoch_switch(sat_replica *r, const next_epoch *n, sat_err *e)
{
	uint64_t durable = r->durable < n->base_lsn ? r->durable : n->base_lsn;
	char text[96];
	sat_rc rc;

	(void)snprintf(text, sizeof text, "epoch %llu, from position %llu on",
	    (unsigned long long)n->certs[n->ncerts - 1].epoch,
	    (unsigned long long)n->base_lsn + 1);
	if ((rc = replica_place_lost(r, e)) != SAT_OK ||
	    (rc = put_meta(r, n, durable, e)) != SAT_OK ||
	    (rc = take_back(r, n->base_lsn, e)) != SAT_OK)
		return rc;
	for (size_t i = 0; r->kinds != NULL && i < r->kinds->n; i++)
		if ((rc = renumber(r, &r->kinds->k[i], n->base_eid, e)) !=
		    SAT_OK)
			return rc;
	if ((rc = replica_files_again(r, e)) != SAT_OK)
		return rc;
	return sat_replica_audit(r, "server.restored", text, e);
}

void
replica_epoch_done(sat_replica *r, const next_epoch *n)
{
	r->cert = n->certs[n->ncerts - 1];
	r->epoch = r->cert.epoch;
	if (r->durable > n->base_lsn)
		r->durable = n->base_lsn;
	if (r->cursor > n->base_lsn)
		r->cursor = n->base_lsn;
	r->complete = false;
	r->snap_after = 0;
	r->snap_lsn = 0;
	r->resnap = r->seeding = r->ledger_back = true;
	replica_epoch_forget(r);
}

void
replica_epoch_forget(sat_replica *r)
{
	free(r->met);
	r->met = NULL;
	r->nmet = 0;
	r->seed_kind = 0;
	r->seed_rid = 0;
	r->seed_told = false;
}

/* ---- the snapshot over what is here ------------------------------------------------------ */

void
replica_met(sat_replica *r, uint32_t eid)
{
	size_t need = (size_t)eid / 8 + 1, n;

	if (need > r->nmet) {
		n = need + need / 2 + 4096;
		r->met = sat_xrealloc(r->met, n);
		memset(r->met + r->nmet, 0, n - r->nmet);
		r->nmet = n;
	}
	r->met[eid / 8] |= (uint8_t)(1 << eid % 8);
}

static bool
was_met(const sat_replica *r, int64_t rid)
{
	return rid < SAT_RID_LOCAL && (size_t)rid / 8 < r->nmet &&
	    (r->met[rid / 8] & 1 << rid % 8) != 0;
}

/* N3 */
static sat_rc
sweep_row(sat_replica *r, replica_row *row, sat_err *e)
{
	/* not numbered, or by a verdict and its commit is not met yet */
	if (row->pending && row->srv.born.hlc == 0)
		return SAT_OK;
	if (!row->pending || row->rid < SAT_RID_LOCAL)
		return replica_row_leave(r, row, e); /* others may have it */
	row->dirty = true;
	if (row->srv.born.hlc != 0) {
		row->srv = (sat_record){ .id = row->view.id,
			.kind = row->view.kind };
		row->rebuild = true;
	}
	return SAT_OK;
}

static sat_rc
sweep_kind(sat_replica *r, const replica_kind *k, sat_err *e)
{
	sat_arena a = { 0 };
	replica_row *row;
	int64_t *rids;
	size_t n;
	sat_rc rc = replica_kind_rids(&rids, &n, &a, r, k, KQ_RIDS, NULL, e);

	for (size_t i = 0; i < n && rc == SAT_OK; i++) {
		if (was_met(r, rids[i]))
			continue;
		if ((rc = replica_page_by_rid(&row, r, k, rids[i], e)) ==
		    SAT_OK && row != NULL &&
		    (rc = sweep_row(r, row, e)) == SAT_OK)
			rc = replica_page_bound(r, e);
	}
	if (rc == SAT_OK)
		rc = replica_page_flush(r, e);
	replica_page_reset(r);
	sat_arena_fini(&a);
	return rc;
}

/* With the last chunk, in its transaction. */
sat_rc
replica_sweep(sat_replica *r, uint64_t lsn, sat_err *e)
{
	sat_rc rc;

	for (size_t i = 0; i < r->kinds->n; i++)
		if ((rc = sweep_kind(r, &r->kinds->k[i], e)) != SAT_OK)
			return rc;
	if ((rc = replica_run_int(r, SQL_RECOVERED_DONE, 0, e)) != SAT_OK ||
	    (rc = replica_place_kept(r, lsn, e)) != SAT_OK)
		return rc;
	return replica_meta_int(r, "resnap", 0, e);
}

void
replica_swept(sat_replica *r)
{
	r->resnap = false;
	replica_epoch_forget(r);
}
