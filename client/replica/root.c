/*
 * root.c - whose a record is.
 *
 * What is kept beside the rows (late edits, what became of conflicts, numbers
 * that were replaced, the free text of the audit log) outlives them: a customer
 * who leaves takes all his records along. So each entry has the customer's id
 * from when it was written, and his erasure finds it (P-194). It is the one the
 * record names, also when he was merged into another: the ledger has an entry for
 * each of them, and taken apart again each has his own.
 */
#include "client/replica/replica_int.h"

#include <string.h>

/* Of the parent's value; without one a record stands for itself. */
static void
take_parent(sat_id *root, sat_span parent)
{
	if (parent.n == sizeof root->b)
		memcpy(root->b, parent.p, sizeof root->b);
}

static sat_rc
stored_parent(sat_id *root, bool *here, sat_replica *r, const replica_kind *k,
    const sat_id *rec, sat_err *e)
{
	bool below = k->sql[KQ_PARENT_OF] != NULL;
	sat_stmt *s;
	sat_rc rc;

	*here = false;
	if ((rc = replica_kind_stmt(&s, r, k, below ? KQ_PARENT_OF : KQ_RID_OF,
	    e)) != SAT_OK)
		return rc;
	sat_bind_blob(s, 1, sat_span_of(rec->b, sizeof rec->b));
	if ((rc = sat_step(here, s, e)) == SAT_OK && *here && below)
		take_parent(root, sat_col_blob(s, 0));
	sat_stmt_reset(s);
	return rc;
}

sat_rc
replica_row_root(sat_id *root, sat_replica *r, const replica_row *row,
    sat_err *e)
{
	const sat_field *parent = row->k->kind->parent;
	sat_value v;
	bool here;

	*root = row->view.id;
	if (parent == NULL)
		return SAT_OK;
	if (row->narrow != 0)
		return stored_parent(root, &here, r, row->k, &row->view.id, e);
	v = sat_record_value(&row->view, parent->id);
	if (v.type == SAT_V_BYTES)
		take_parent(root, v.s);
	return SAT_OK;
}

sat_rc
replica_root_of(sat_id *root, bool *known, sat_replica *r, const sat_id *rec,
    sat_err *e)
{
	sat_rc rc = SAT_OK;

	*root = *rec;
	*known = false;
	for (size_t i = 0; r->kinds != NULL && i < r->kinds->n && !*known &&
	    rc == SAT_OK; i++) {
		const replica_kind *k = &r->kinds->k[i];
		const replica_row *row = replica_page_peek(r, k, rec);

		/* also one that is not written yet */
		if (row != NULL && !row->gone) {
			*known = true;
			return replica_row_root(root, r, row, e);
		}
		rc = stored_parent(root, known, r, k, rec, e);
	}
	return rc;
}

sat_rc
replica_root_changed(sat_replica *r, const sat_id *rec, sat_err *e)
{
	static const int unroot[] = { SQL_LATE_UNROOT, SQL_CONFLICT_LOG_UNROOT,
		SQL_NEWS_UNROOT, SQL_AUDIT_UNROOT };
	sat_rc rc = SAT_OK;

	for (size_t i = 0; i < sizeof unroot / sizeof unroot[0] &&
	    rc == SAT_OK; i++)
		rc = replica_run_id(r, unroot[i], rec, e);
	return rc;
}
