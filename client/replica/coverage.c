/*
 * coverage.c - how far other devices have reported, as the server told at the
 * beginning of a sync that came to its end: what a report offline says of its
 * own completeness (P-223).
 */
#include "client/replica/replica_int.h"

/* The newest commit of this device that the server has not answered. */
sat_rc
replica_unsent(uint32_t *inc, uint64_t *cseq, sat_replica *r, sat_err *e)
{
	sat_stmt *s;
	bool row;
	sat_rc rc;

	*inc = 0;
	*cseq = 0;
	if ((rc = replica_outbox_flush(r, e)) != SAT_OK ||
	    (rc = sat_db_stmt(&s, r->db, SQL_OUTBOX_UNANSWERED, e)) != SAT_OK)
		return rc;
	sat_bind_int(s, 1, r->low);
	if ((rc = sat_step(&row, s, e)) != SAT_OK || !row)
		return rc;
	sat_stmt_reset(s);
	*inc = replica_seq_inc(r->chain.newest);
	*cseq = replica_seq_cseq(r->chain.newest);
	return SAT_OK;
}

/* Whose devices this user may know of changes with the registry; then all of
 * it is asked for again. */
uint64_t
replica_coverage_known(const sat_replica *r)
{
	return r->coverage_reg == r->reg.rev ? r->coverage_rev : 0;
}

static sat_rc
write_rows(sat_replica *r, const sat_coverage *in, uint64_t registry_rev,
    sat_err *e)
{
	sat_stmt *s;
	sat_rc rc = SAT_OK;

	for (size_t i = 0; i < in->n && rc == SAT_OK; i++) {
		if ((rc = sat_db_stmt(&s, r->db, SQL_COVERAGE_PUT, e)) !=
		    SAT_OK)
			return rc;
		sat_bind_int(s, 1, in->row[i].device);
		sat_bind_int(s, 2, in->row[i].at_ms);
		rc = sat_run(s, e);
	}
	if (rc != SAT_OK || (rc = replica_meta_int(r, "coverage_rev",
	    (int64_t)in->rev, e)) != SAT_OK)
		return rc;
	return replica_meta_int(r, "coverage_reg", (int64_t)registry_rev, e);
}

sat_rc
replica_coverage(void *u, const sat_coverage *in, uint64_t registry_rev,
    sat_err *e)
{
	sat_replica *r = u;
	sat_rc rc;

	if (in->rev > INT64_MAX || registry_rev > INT64_MAX)
		return sat_fail(e, SAT_EPROTO, "coverage out of range");
	if ((rc = replica_session_begin(r, e)) != SAT_OK ||
	    (rc = replica_end(r, true, write_rows(r, in, registry_rev, e),
	    e)) != SAT_OK)
		return rc;
	r->coverage_rev = in->rev;
	r->coverage_reg = registry_rev;
	return SAT_OK;
}

static bool
is_active(const sat_replica *r, const sat_device *d)
{
	const sat_user *u = d == NULL || d->revoked ? NULL :
	    sat_registry_user_ord(&r->reg, d->user);

	return u != NULL && !u->disabled;
}

/* Does this user's report reach the work of that one's devices? */
static bool
concerns(const sat_replica *r, const sat_user *viewer, sat_grant grant,
    const sat_device *d)
{
	const sat_user *of = sat_registry_user_ord(&r->reg, d->user);

	if (of == NULL || viewer == NULL)
		return false;
	if (grant == SAT_GRANT_ALL || of->ord == viewer->ord)
		return true;
	return grant == SAT_GRANT_TEAM && of->team != 0 &&
	    of->team == viewer->team;
}

sat_rc
sat_replica_coverage(sat_reported **out, size_t *n, sat_arena *a,
    sat_replica *r, const sat_user *viewer, sat_grant grant, sat_err *e)
{
	sat_stmt *s;
	bool row;
	sat_rc rc;

	*n = 0;
	*out = sat_arena_alloc(a, (r->reg.ndevices + 1) * sizeof **out);
	for (size_t i = 0; i < r->reg.ndevices; i++)
		if (is_active(r, &r->reg.devices[i]) &&
		    concerns(r, viewer, grant, &r->reg.devices[i]))
			(*out)[(*n)++] = (sat_reported){
				r->reg.devices[i].ord, 0 };
	if ((rc = sat_db_stmt(&s, r->db, SQL_COVERAGE_ALL, e)) != SAT_OK)
		return rc;
	/* both ascend */
	for (size_t i = 0; (rc = sat_step(&row, s, e)) == SAT_OK && row;) {
		while (i < *n && (*out)[i].device < (uint32_t)sat_col_int(s, 0))
			i++;
		if (i < *n && (*out)[i].device == (uint32_t)sat_col_int(s, 0))
			(*out)[i].at_ms = sat_col_int(s, 1);
	}
	sat_stmt_reset(s);
	/* What waits here is in every report of this device. */
	for (size_t i = 0; i < *n; i++)
		if ((*out)[i].device == r->id->device)
			(*out)[i].at_ms = sat_wall_ms(&r->clock);
	return rc;
}
