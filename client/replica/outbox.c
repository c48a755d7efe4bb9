/*
 * outbox.c - own commits on their way into the outbox.
 *
 * The commits of a group are put there in runs: what SQLite does around an
 * INSERT is half of what one row costs. Until a run is full its commits are in
 * memory alone, which nobody can tell: whoever reads the outbox within a group
 * calls replica_outbox_flush first, and the group is not committed without it.
 */
#include "client/replica/replica_int.h"

#include <assert.h>
#include <string.h>

/* Commits of outbox_put_run, and the bytes that are held for it at most. */
#define RUN_BYTES_MAX (256 * 1024)

static sat_rc
put_one(sat_replica *r, int64_t seq, int64_t wall_ms, sat_span header,
    sat_span payload, sat_err *e)
{
	sat_stmt *s;
	sat_rc rc;

	if ((rc = sat_db_stmt(&s, r->db, SQL_OUTBOX_PUT, e)) != SAT_OK)
		return rc;
	sat_bind_int(s, 1, seq);
	sat_bind_int(s, 2, wall_ms);
	sat_bind_blob(s, 3, header);
	sat_bind_blob(s, 4, payload);
	sat_bind_null(s, 5);
	return sat_run(s, e);
}

static sat_span
header_of(const outbox_run *q, size_t i)
{
	return sat_span_of(q->bytes.p + q->c[i].at, q->c[i].header);
}

static sat_span
payload_of(const outbox_run *q, size_t i)
{
	return sat_span_of(q->bytes.p + q->c[i].at + q->c[i].header,
	    q->c[i].payload);
}

/* Would the table give the run the numbers it has? */
static sat_rc
is_next(bool *yes, sat_replica *r, sat_err *e)
{
	sat_stmt *s;
	bool row;
	sat_rc rc;

	*yes = false;
	if (r->run.n < OUTBOX_RUN)
		return SAT_OK;
	if ((rc = sat_db_stmt(&s, r->db, SQL_OUTBOX_LAST, e)) != SAT_OK ||
	    (rc = sat_step(&row, s, e)) != SAT_OK)
		return rc;
	*yes = row && !sat_col_null(s, 0) &&
	    sat_col_int(s, 0) == r->run.first - 1;
	sat_stmt_reset(s);
	return SAT_OK;
}

static sat_rc
put_run(sat_replica *r, sat_err *e)
{
	const outbox_run *q = &r->run;
	sat_stmt *s;
	sat_rc rc;

	if ((rc = sat_db_stmt(&s, r->db, SQL_OUTBOX_PUT_RUN, e)) != SAT_OK)
		return rc;
	for (size_t i = 0; i < q->n; i++) {
		sat_bind_int(s, (int)(3 * i + 1), q->c[i].wall_ms);
		sat_bind_blob(s, (int)(3 * i + 2), header_of(q, i));
		sat_bind_blob(s, (int)(3 * i + 3), payload_of(q, i));
	}
	return sat_run(s, e);
}

static sat_rc
write_run(sat_replica *r, sat_err *e)
{
	const outbox_run *q = &r->run;
	bool next;
	sat_rc rc = is_next(&next, r, e);

	if (rc != SAT_OK)
		return rc;
	if (next)
		return put_run(r, e);
	for (size_t i = 0; i < q->n && rc == SAT_OK; i++)
		rc = put_one(r, q->first + (int64_t)i, q->c[i].wall_ms,
		    header_of(q, i), payload_of(q, i), e);
	return rc;
}

void
replica_outbox_forget(sat_replica *r)
{
	r->run.n = 0;
	sat_buf_reset(&r->run.bytes);
}

sat_rc
replica_outbox_flush(sat_replica *r, sat_err *e)
{
	sat_rc rc;

	if (r->run.n == 0)
		return SAT_OK;
	assert(r->in_group);
	rc = write_run(r, e);
	replica_outbox_forget(r);
	if (rc != SAT_OK)
		r->group_rc = rc; /* commits that were reported are not there */
	return rc;
}

sat_rc
replica_outbox_put(sat_replica *r, int64_t seq, sat_span header,
    sat_span payload, sat_err *e)
{
	outbox_run *q = &r->run;
	sat_rc rc;

	if (!r->in_group)
		return put_one(r, seq, r->hlc.wall_ms, header, payload, e);
	if (q->n > 0 && seq != q->first + (int64_t)q->n &&
	    (rc = replica_outbox_flush(r, e)) != SAT_OK)
		return rc;
	if (q->n == 0)
		q->first = seq;
	q->c[q->n] = (outbox_held){ .at = q->bytes.n, .header = header.n,
		.payload = payload.n, .wall_ms = r->hlc.wall_ms };
	sat_buf_add(&q->bytes, header.p, header.n);
	sat_buf_add(&q->bytes, payload.p, payload.n);
	if (++q->n == OUTBOX_RUN || q->bytes.n > RUN_BYTES_MAX)
		return replica_outbox_flush(r, e);
	return SAT_OK;
}
