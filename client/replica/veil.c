/*
 * veil.c - what the user's role does not see (P-241 to P-247).
 *
 * The server keeps it from this device. What the device knew by itself goes
 * here: values it typed where it made a record, once the server's masked state
 * is in (P-247); and what it was given before the role, or the template, changed
 * (P-244).
 */
#include "client/replica/replica_int.h"

#include <string.h>

const sat_mask *
sat_replica_mask(const sat_replica *r)
{
	return r->me == NULL || r->t == NULL ? NULL :
	    sat_template_mask(r->t, r->me->role);
}

sat_rc
replica_veil_commit(sat_replica *r, const own_commit *o, sat_err *e)
{
	const sat_mask *m = sat_replica_mask(r);
	bool told = false;

	for (size_t i = 0; m != NULL && i < o->c.nops; i++)
		told |= sat_mask_field(m, o->c.ops[i].rtype,
		    o->c.ops[i].field) != NULL;
	if (!told)
		return SAT_OK;
	return replica_run_int(r, SQL_OUTBOX_HOLLOW, o->seq, e);
}

/* Settled commits from before; those under way follow when they are. */
static sat_rc
veil_settled(sat_replica *r, sat_err *e)
{
	sat_arena a = { 0 };
	int64_t seq = 0;
	own_commit o;
	sat_stmt *s;
	bool row;
	sat_rc rc;

	for (;;) {
		if ((rc = sat_db_stmt(&s, r->db, SQL_OUTBOX_SETTLED, e)) !=
		    SAT_OK)
			break;
		sat_bind_int(s, 1, seq);
		if ((rc = sat_step(&row, s, e)) != SAT_OK || !row)
			break;
		seq = sat_col_int(s, 0);
		sat_stmt_reset(s);
		if ((rc = replica_own_commit(&o, &a, r, seq, e)) != SAT_OK ||
		    (rc = replica_veil_commit(r, &o, e)) != SAT_OK)
			break;
		sat_arena_reset(&a);
	}
	sat_arena_fini(&a);
	return rc;
}

sat_rc
replica_veil_changed(sat_replica *r, bool *over, const char *was_role,
    const sat_mask *was, sat_err *e)
{
	const char *role = r->me != NULL ? r->me->role : "";
	sat_rc rc;

	*over = false;
	/* a first filling that broke off holds states of the old mask, too */
	if ((!r->complete && !r->resnap && r->snap_after == 0) || (strcmp(role, was_role) == 0 &&
	    sat_mask_same(was, sat_replica_mask(r))))
		return SAT_OK;
	*over = true;
	if ((rc = veil_settled(r, e)) != SAT_OK)
		return rc;
	for (size_t i = 0; r->kinds != NULL && i < r->kinds->n; i++)
		if ((rc = replica_past_veil(r, &r->kinds->k[i],
		    sat_replica_mask(r), e)) != SAT_OK)
			return rc;
	return replica_start_over(r, e);
}
