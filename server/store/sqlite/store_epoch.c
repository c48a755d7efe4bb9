/*
 * store_epoch.c - what an administrator does about the loss of a server: begin
 * an epoch, keep a registry without its data, ask what is missing.
 */
#include "server/store/sqlite/store_int.h"

#include <string.h>

/* A series has 10^9 numbers: room for some sixty restores in its month. */
#define NUMBER_SKIP_MAX ((uint64_t)1 << 24)

/* Numbers by as much as positions: who has to leave out more of these, for he
 * restores the same backup again, leaves out more of both (P-450). */
static sat_rc
skip_numbers(sat_sqlite_store *s, const sat_epoch *c, sat_err *e)
{
	uint64_t lsn, above, epoch, skip;
	uint32_t eid;
	sat_rc rc = sat_sqlite_epoch_base(&lsn, &above, &eid, &epoch, s, e);

	if (rc != SAT_OK)
		return rc;
	skip = c->first_lsn > above ? c->first_lsn - above : 0;
	if (skip < SAT_EPOCH_SKIP)
		skip = SAT_EPOCH_SKIP;
	return store_series_skip(s, c->began_ms, skip < NUMBER_SKIP_MAX ? skip :
	    NUMBER_SKIP_MAX, e);
}

static sat_rc
epoch_begin(sat_sqlite_store *s, const sat_epoch *c, sat_err *e)
{
	const struct {
		sat_counter c;
		uint64_t v;
	} put[] = { { SAT_N_EPOCH, c->epoch }, { SAT_N_LSN, c->first_lsn - 1 },
		{ SAT_N_FIRST_LSN, c->first_lsn },
		{ SAT_N_DURABLE, c->base_lsn } };
	sat_buf b = { 0 };
	sat_stmt *q;
	sat_rc rc;

	if ((rc = skip_numbers(s, c, e)) != SAT_OK ||
	    (rc = store_stmt(&q, s->db, SQL_EPOCH_PUT, e)) != SAT_OK)
		return rc;
	sat_epoch_write(&b, c);
	sat_bind_int(q, 1, (int64_t)c->epoch);
	sat_bind_int(q, 2, (int64_t)c->base_lsn);
	sat_bind_int(q, 3, (int64_t)c->first_lsn);
	sat_bind_blob(q, 4, sat_buf_span(&b));
	rc = sat_run(q, e);
	sat_buf_fini(&b);
	for (size_t i = 0; i < sizeof put / sizeof put[0] && rc == SAT_OK; i++)
		rc = store_counter_put(s, put[i].c, put[i].v, e);
	if (rc != SAT_OK ||
	    (rc = store_stmt(&q, s->db, SQL_TOLD_NONE, e)) != SAT_OK)
		return rc;
	return sat_run(q, e);
}

sat_rc
sat_sqlite_epoch_begin(sat_sqlite_store *s, const sat_epoch *c, sat_err *e)
{
	sat_rc rc = sat_db_begin(s->db, e);

	return rc != SAT_OK ? rc : store_end(s, epoch_begin(s, c, e), e);
}

sat_rc
sat_sqlite_epoch_base(uint64_t *lsn, uint64_t *above, uint32_t *eid,
    uint64_t *epoch, sat_sqlite_store *s, sat_err *e)
{
	uint64_t records = 0;
	sat_rc rc;

	if ((rc = store_counter_get(lsn, s, SAT_N_LSN, e)) != SAT_OK ||
	    (rc = store_counter_get(above, s, SAT_N_FIRST_LSN, e)) != SAT_OK ||
	    (rc = store_counter_get(&records, s, SAT_N_EID, e)) != SAT_OK ||
	    (rc = store_counter_get(epoch, s, SAT_N_EPOCH, e)) != SAT_OK)
		return rc;
	if (*above < *lsn)
		*above = *lsn;
	*eid = (uint32_t)records;
	return SAT_OK;
}

/* Data of the log and all that is derived from it. Where the log stood is
 * kept, so that the next epoch begins above it; a kit that was restored into
 * the same epoch has a log of its own, which may stand far below. */
static sat_rc
registry_only(sat_sqlite_store *s, sat_err *e)
{
	static const int drop[] = { SQL_DROP_LOG, SQL_DROP_VERDICT,
		SQL_DROP_REFUSED, SQL_DROP_MOVED, SQL_DROP_CHAIN,
		SQL_DROP_BATCH_SIG, SQL_DROP_REC, SQL_DROP_MEMBER,
		SQL_DROP_OWNER_LEFT, SQL_DROP_LOG_SCOPE, SQL_DROP_SCOPE_RUN,
		SQL_DROP_DIGEST,
		SQL_DROP_DIVERGED, SQL_DROP_SEED, SQL_DROP_PLACE, SQL_DROP_ASTRAY,
		SQL_DROP_RECOVERED, SQL_DROP_GAP, SQL_DROP_KNOWN,
		SQL_DROP_ERASED, SQL_DROP_SEGMENT, SQL_DROP_SEGMENT_CHAIN,
		SQL_DROP_ECHO, SQL_DROP_FORMER_END, SQL_DROP_MATCH, SQL_DROP_CLAIM, SQL_DROP_HOLD,
		SQL_DROP_ANSWERED, SQL_DROP_HOOK_EVENT, SQL_DROP_REST,
		SQL_DROP_FILE_PIECE, SQL_DROP_FILE, SQL_DROP_FILE_OF };
	uint64_t lsn = 0, above = 0, epoch;
	uint32_t eid;
	sat_stmt *q;
	sat_rc rc = sat_sqlite_epoch_base(&lsn, &above, &eid, &epoch, s, e);

	for (size_t i = 0; i < sizeof drop / sizeof drop[0] && rc == SAT_OK;
	    i++)
		if ((rc = store_stmt(&q, s->db, drop[i], e)) == SAT_OK)
			rc = sat_run(q, e);
	if (rc != SAT_OK ||
	    (rc = store_counter_put(s, SAT_N_FIRST_LSN, above, e)) != SAT_OK ||
	    (rc = store_counter_put(s, SAT_N_LSN, 0, e)) != SAT_OK ||
	    (rc = store_counter_put(s, SAT_N_TRUNCATED, 0, e)) != SAT_OK ||
	    (rc = store_counter_put(s, SAT_N_FOLDED, 0, e)) != SAT_OK ||
	    (rc = store_counter_put(s, SAT_N_TOLD, 0, e)) != SAT_OK ||
	    (rc = store_counter_put(s, SAT_N_EID, 0, e)) != SAT_OK)
		return rc;
	return store_counter_put(s, SAT_N_DURABLE, 0, e);
}

sat_rc
sat_sqlite_registry_only(sat_sqlite_store *s, sat_err *e)
{
	sat_rc rc = sat_db_begin(s->db, e);

	if (rc == SAT_OK)
		rc = store_end(s, registry_only(s, e), e);
	store_late_fini(s);
	s->eid_known = false;
	/* the last step counts too: until then the file holds it all */
	if (rc == SAT_OK && (rc = sat_db_exec(s->db, "VACUUM", e)) == SAT_OK)
		rc = sat_db_checkpoint(s->db, e);
	return rc;
}

sat_rc
sat_sqlite_completeness(sat_sqlite_store *s, bool (*cb)(void *cu,
    const sat_sqlite_chain *c), void *cu, sat_err *e)
{
	sat_arena a = { 0 };
	sat_stmt *q;
	bool row;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_COMPLETENESS, e)) != SAT_OK)
		return rc;
	while ((rc = sat_step(&row, q, e)) == SAT_OK && row) {
		sat_span name = sat_col_text(q, 2);
		sat_sqlite_chain c = { .dev = (uint32_t)sat_col_int(q, 0),
			.user = (uint32_t)sat_col_int(q, 1),
			.revoked = sat_col_int(q, 3) != 0,
			.last_seen_ms = sat_col_int(q, 4),
			.inc = (uint32_t)sat_col_int(q, 5),
			.last_cseq = (uint64_t)sat_col_int(q, 6),
			.known = (uint64_t)sat_col_int(q, 7),
			.by = (uint32_t)sat_col_int(q, 8),
			.last_of_device = sat_col_int(q, 9) != 0 };

		c.name = sat_arena_str(&a, name.p, name.n);
		if (!cb(cu, &c))
			break;
		sat_arena_reset(&a);
	}
	sat_stmt_reset(q);
	sat_arena_fini(&a);
	return rc;
}
