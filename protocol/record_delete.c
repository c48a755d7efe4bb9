/*
 * record_delete.c - a record is deleted, and restored (P-060..P-063, P-255).
 */
#include "protocol/record_int.h"

static bool
any_unseen(const sat_fold *f, const sat_candidate *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (sat_fold_concurrent(f, list[i].at.dev, list[i].at.lsn))
			return true;
	return false;
}

/* Does the cell hold anything the deletion's author had not seen? */
static bool
cell_unseen(const sat_fold *f, const sat_template *t, const sat_cell *c)
{
	const sat_kind *k = sat_template_kind_id(t, f->r->kind);
	const sat_field *fd = k != NULL ? sat_kind_field_id(k, c->field) : NULL;
	sat_element *el;
	sat_review v;
	size_t n;

	/* A number the server gave is nobody's edit (P-133), nor what it took
	 * away (P-395). */
	if (c->at.dev == SAT_DEV_SERVER && (c->field == SAT_SYS_ALIASES ||
	    c->field == SAT_SYS_CANDIDATES || c->field == SAT_SYS_PARTED ||
	    (fd != NULL && fd->policy == SAT_P_ONCE)))
		return false;
	if (sat_fold_concurrent(f, c->at.dev, c->at.lsn))
		return true;
	if (fd == NULL || c->ext.n == 0)
		return false;
	if (fd->policy == SAT_P_SET) {
		n = sat_cell_elements(&el, f->tmp, c);
		for (size_t i = 0; i < n; i++)
			if (sat_fold_concurrent(f, el[i].dev, el[i].lsn))
				return true;
		return false;
	}
	if (fd->policy == SAT_P_REVIEW) {
		sat_review_read(&v, f->tmp, c);
		return any_unseen(f, v.list, v.n) ||
		    any_unseen(f, v.twins, v.ntwins);
	}
	return fd->policy == SAT_P_STAGE && sat_stage_unseen(f, c);
}

static bool
anything_unseen(const sat_fold *f, const sat_template *t)
{
	const sat_record *r = f->r;

	for (size_t i = 0; i < r->ncells; i++)
		if (cell_unseen(f, t, &r->cells[i]))
			return true;
	/* a restore is an edit too */
	return !r->deleted && r->del_at.hlc != 0 &&
	    sat_fold_concurrent(f, r->del_at.dev, r->del_at.lsn);
}

/* P-060..P-063, P-255 */
void
sat_fold_del(sat_fold *f, const sat_template *t)
{
	sat_record *r = f->r;
	bool was_open = r->with_edits, unseen;

	if (r->deleted && !r->with_edits) {
		f->out->outcome = SAT_NOTHING;
		/* P-255: the server knows of something below it */
		if (f->at.dev == SAT_DEV_SERVER) {
			r->with_edits = f->out->conflict_opened = true;
			f->out->outcome = SAT_REVIEW;
		}
		return;
	}
	unseen = anything_unseen(f, t);
	if (r->deleted && unseen) { /* no confirmation: it knew too little */
		f->out->outcome = SAT_NOTHING;
		return;
	}
	r->deleted = true;
	r->with_edits = unseen;
	r->del_at = f->at;
	r->del_seen = f->seen;
	f->out->conflict_opened = unseen && !was_open;
	f->out->conflict_closed = !unseen && was_open;
	f->out->outcome = unseen ? SAT_REVIEW : SAT_APPLIED;
}

void
sat_fold_undel(sat_fold *f)
{
	sat_record *r = f->r;

	if (!r->deleted || sat_fold_written_since(f, r->del_at)) {
		f->out->outcome = SAT_NOTHING;
		return;
	}
	f->out->conflict_closed = r->with_edits;
	r->deleted = r->with_edits = false;
	r->del_at = f->at;
	r->del_seen = f->seen;
	f->out->outcome = SAT_APPLIED;
}
