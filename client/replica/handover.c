/*
 * handover.c - suggestions that others left on records of this device, own
 * refused work handed over, and edits that came late.
 */
#include "client/replica/replica_int.h"

#include <stdio.h>
#include <string.h>

/* ---- suggestions of others ---------------------------------------------------- */

typedef struct carrier {
	int64_t rid;
	uint16_t kind;
} carrier;

static sat_rc
list_carriers(carrier **list, size_t *n, sat_arena *a, sat_replica *r,
    sat_err *e)
{
	size_t cap = 0;
	sat_stmt *s;
	bool row;
	sat_rc rc;

	*n = 0;
	*list = NULL;
	if ((rc = sat_db_stmt(&s, r->db, SQL_HANDED_ALL, e)) != SAT_OK)
		return rc;
	while ((rc = sat_step(&row, s, e)) == SAT_OK && row) {
		SAT_ARENA_GROW(*list, *n, cap, a);
		(*list)[(*n)++] = (carrier){ sat_col_int(s, 0),
			(uint16_t)sat_col_int(s, 1) };
	}
	return rc;
}

/* What the server checked when it came; a suggestion that cannot be read for
 * all that is left out. */
static sat_rc
add_handed(sat_handover *list, size_t *n, sat_arena *a, sat_replica *r,
    const replica_row *row, const sat_handed *h, sat_err *e)
{
	sat_handover *x = &list[*n];
	char text[SAT_ID_TEXT];
	sat_rc rc;

	memset(x, 0, sizeof *x);
	x->rec = x->what.subject = row->view.id;
	if ((rc = replica_row_root(&x->root, r, row, e)) != SAT_OK)
		return rc;
	x->kind = row->k->kind;
	x->by = *h;
	sat_id_text(text, &x->rec);
	(void)snprintf(x->key, sizeof x->key, "%s-%llu", text,
	    (unsigned long long)h->lsn);
	x->what.device = h->dev;
	x->what.hlc = h->hlc;
	if (sat_commit_read_payload(&x->what, a, h->ops, NULL) == SAT_OK)
		++*n;
	return SAT_OK;
}

static sat_rc
read_carrier(replica_row *row, bool *found, sat_arena *a, sat_replica *r,
    const carrier *c, sat_err *e)
{
	const replica_kind *k = replica_kind_by(r->kinds, c->kind);
	sat_stmt *s;
	sat_rc rc;

	*found = false;
	if (k == NULL)
		return SAT_OK;
	if ((rc = replica_kind_stmt(&s, r, k, KQ_BY_RID, e)) != SAT_OK)
		return rc;
	sat_bind_int(s, 1, c->rid);
	if ((rc = sat_step(found, s, e)) != SAT_OK || !*found)
		return rc;
	rc = replica_row_read(row, a, k, 0, s, e);
	sat_stmt_reset(s);
	return rc;
}

sat_rc
sat_replica_handovers(sat_handover **out, size_t *n, sat_arena *a,
    sat_replica *r, sat_err *e)
{
	sat_handover *list = NULL;
	size_t ncarriers, cap = 0;
	const sat_cell *cell;
	carrier *carriers;
	sat_handed *h;
	sat_rc rc;

	*out = NULL;
	*n = 0;
	if ((rc = list_carriers(&carriers, &ncarriers, a, r, e)) != SAT_OK)
		return rc;
	for (size_t i = 0; i < ncarriers; i++) {
		replica_row *row = sat_arena_alloc(a, sizeof *row);
		bool found;
		size_t nh;

		if ((rc = read_carrier(row, &found, a, r, &carriers[i], e)) !=
		    SAT_OK)
			return rc;
		cell = found ? sat_record_cell(&row->view, SAT_SYS_HANDED) :
		    NULL;
		nh = cell == NULL ? 0 : sat_cell_handed(&h, a, cell);
		for (size_t k = 0; k < nh; k++) {
			SAT_ARENA_GROW(list, *n, cap, a);
			if ((rc = add_handed(list, n, a, r, row, &h[k], e)) !=
			    SAT_OK)
				return rc;
		}
	}
	*out = list;
	return SAT_OK;
}

/* ---- own refused work ------------------------------------------------------------ */

static bool
makes(const sat_commit *c, const sat_id *rec)
{
	for (size_t i = 0; i < c->nops; i++)
		if (c->ops[i].kind == SAT_OP_NEW &&
		    sat_id_eq(&c->ops[i].rec, rec))
			return true;
	return false;
}

typedef struct handing {
	const sat_replica *r;
	const sat_commit *c;
	const char *why;
	bool *unmade; /* by operation: its record is at most suggested so far */
} handing;

/* Does refused work that is not sent again make the record? Once handed over, it
 * is in that suggestion, or another's by now. */
static bool
made_aside(const sat_quarantined *q, size_t n, const sat_id *rec)
{
	for (size_t i = 0; i < n; i++)
		if (q[i].fate != SAT_FATE_RETRIED && makes(&q[i].commit, rec))
			return true;
	return false;
}

static sat_rc
find_unmade(handing *h, sat_arena *a, sat_replica *r, sat_err *e)
{
	sat_quarantined *open, *aside;
	size_t nopen, naside;
	sat_view v;
	sat_rc rc;

	h->unmade = sat_arena_alloc(a, h->c->nops * sizeof *h->unmade);
	memset(h->unmade, 0, h->c->nops * sizeof *h->unmade);
	if ((rc = sat_replica_quarantine(&open, &nopen, a, r, e)) != SAT_OK ||
	    (rc = sat_replica_set_aside(&aside, &naside, a, r, 0, e)) !=
	    SAT_OK)
		return rc;
	for (size_t i = 0; i < h->c->nops; i++) {
		const sat_id *rec = &h->c->ops[i].rec;

		if (!makes(h->c, rec) && !made_aside(open, nopen, rec) &&
		    !made_aside(aside, naside, rec))
			continue;
		rc = sat_replica_get(&v, a, r, NULL, rec, NULL);
		if (rc != SAT_OK && rc != SAT_ENOTFOUND)
			return sat_fail(e, rc, "a record cannot be read");
		h->unmade[i] = rc == SAT_ENOTFOUND || makes(h->c, rec);
	}
	return SAT_OK;
}

/* The record operation `i` is suggested on, as the server does it (P-165): on an
 * owned child that is there; what there is only in a suggestion carries none. */
static void
carrier_of(sat_id *on, uint16_t *kind, const handing *h, size_t i)
{
	const sat_op *op = &h->c->ops[i];
	const sat_replica *r = h->r;
	const sat_kind *k = sat_template_kind_id(r->t, op->rtype), *root;

	*on = op->rec;
	*kind = op->rtype;
	if (sat_id_eq(on, &h->c->subject) || (k != NULL &&
	    k->scope == SAT_SCOPE_OWNED && !h->unmade[i]))
		return;
	root = k == NULL || k->parent == NULL ? NULL :
	    sat_template_kind(r->t, k->parent->ref);
	*on = h->c->subject;
	*kind = root != NULL ? root->id : op->rtype;
}

/* One HAND with all operations of the commit that stand for the record of the
 * first one; *n counts those done. */
static void
hand_of(sat_op *out, sat_arena *a, const handing *x, size_t first)
{
	const sat_commit *c = x->c;
	sat_commit part = { .subject = { { 0 } } };
	sat_handed h = { .dev = c->device, .hlc = c->hlc,
		.actor = sat_span_str(x->r->id->user_key),
		.why = sat_span_str(x->why) };
	sat_buf b = { 0 };
	sat_id on;
	uint16_t kind;

	part.ops = sat_arena_alloc(a, c->nops * sizeof *part.ops);
	carrier_of(&part.subject, &out->rtype, x, first);
	for (size_t i = first; i < c->nops; i++) {
		carrier_of(&on, &kind, x, i);
		if (sat_id_eq(&on, &part.subject))
			part.ops[part.nops++] = sat_op_bare(&c->ops[i]);
	}
	sat_commit_write_payload(&b, &part);
	h.ops = sat_span_of(sat_arena_dup(a, b.p, b.n), b.n);
	sat_buf_reset(&b);
	sat_handed_write(&b, &h);
	out->kind = SAT_OP_HAND;
	out->field = SAT_SYS_HANDED;
	out->rec = part.subject;
	out->value = sat_v_bytes(sat_span_of(sat_arena_dup(a, b.p, b.n), b.n));
	sat_buf_fini(&b);
}

static size_t
hands_of(sat_op *ops, sat_arena *a, const handing *x)
{
	size_t n = 0;
	sat_id on;
	uint16_t kind;

	for (size_t i = 0; i < x->c->nops; i++) {
		bool done = false;

		carrier_of(&on, &kind, x, i);
		for (size_t k = 0; k < n; k++)
			done |= sat_id_eq(&ops[k].rec, &on);
		if (!done)
			hand_of(&ops[n++], a, x, i);
	}
	return n;
}

/*
 * Handed over and refused even so: what was suggested is suggested anew. The
 * record it stood on may have been on its way then and be a mere suggestion now,
 * on which nothing can stand (P-167). Its stamp and what was said stay.
 */
static sat_rc
unwrap(sat_commit *c, handing *x, sat_arena *a, sat_err *e)
{
	const sat_op *hands = c->ops;
	size_t nhands = c->nops, cap = 0;
	sat_handed h;
	sat_rc rc;

	c->ops = NULL;
	c->nops = 0;
	for (size_t i = 0; i < nhands; i++) {
		sat_commit part = { .subject = hands[i].rec };

		if ((rc = sat_handed_read(&h, hands[i].value.s, e)) != SAT_OK ||
		    (rc = sat_commit_read_payload(&part, a, h.ops, e)) !=
		    SAT_OK)
			return rc;
		c->hlc = h.hlc;
		if (x->why[0] == '\0')
			x->why = sat_arena_str(a, h.why.p, h.why.n);
		for (size_t k = 0; k < part.nops; k++) {
			SAT_ARENA_GROW(c->ops, c->nops, cap, a);
			c->ops[c->nops++] = part.ops[k];
		}
	}
	return SAT_OK;
}

static sat_rc
hand(sat_replica *r, sat_arena *a, int64_t id, const char *why,
    uint64_t *cseq, sat_err *e)
{
	sat_quarantined q;
	handing h = { .r = r, .c = &q.commit, .why = why };
	sat_draft d = { .flags = 0 };
	uint64_t seen;
	sat_rc rc;

	if ((rc = sat_replica_quarantined(&q, a, r, id, e)) != SAT_OK)
		return rc;
	if (q.commit.nops == 0 || makes(&q.commit, &q.commit.subject))
		return sat_fail_code(e, SAT_EINVALID, "handover.nowhere",
		    "retry or discard it",
		    "the customer itself was refused: there is nothing to "
		    "hand it over with");
	seen = sat_op_seen(&q.commit, &q.commit.ops[0]);
	if (q.commit.ops[0].kind == SAT_OP_HAND &&
	    (rc = unwrap(&q.commit, &h, a, e)) != SAT_OK)
		return rc;
	d.ops = sat_arena_alloc(a, q.commit.nops * sizeof *d.ops);
	memset(d.ops, 0, q.commit.nops * sizeof *d.ops);
	if ((rc = find_unmade(&h, a, r, e)) != SAT_OK)
		return rc;
	d.nops = hands_of(d.ops, a, &h);
	d.subject = q.commit.subject;
	if ((rc = replica_write_aside(r, &d, seen, cseq, e)) != SAT_OK)
		return rc;
	return replica_quarantine_settle(r, id, SAT_FATE_HANDED, *cseq, e);
}

/* Is what would make the record in a suggestion of ours, and none of it open? */
static sat_rc
is_suggested(bool *yes, refused_work *w, sat_arena *a, sat_replica *r,
    const sat_id *rec, sat_err *e)
{
	sat_rc rc;

	*yes = false;
	if (made_aside(w->open, w->nopen, rec))
		return SAT_OK;
	if (!w->known && (rc = sat_replica_set_aside(&w->aside, &w->naside, a,
	    r, 0, e)) != SAT_OK)
		return rc;
	w->known = true;
	*yes = made_aside(w->aside, w->naside, rec);
	return SAT_OK;
}

sat_rc
replica_hand_follow(bool *went, sat_arena *a, sat_replica *r,
    const sat_quarantined *q, refused_work *w, sat_err *e)
{
	replica_row *row;
	uint64_t cseq;
	bool yes = false;
	sat_err why = { 0 };
	sat_rc rc = SAT_OK;

	*went = false;
	if (q->commit.nops == 0 || q->commit.ops[0].kind != SAT_OP_HAND)
		return SAT_OK;
	for (size_t i = 0; i < q->commit.nops && rc == SAT_OK && !yes; i++)
		if ((rc = replica_page_find(&row, r, &q->commit.ops[i].rec,
		    e)) == SAT_OK && row == NULL)
			rc = is_suggested(&yes, w, a, r, &q->commit.ops[i].rec,
			    e);
	if (rc != SAT_OK || !yes)
		return rc;
	if ((rc = hand(r, a, q->id, "", &cseq, &why)) == SAT_OK)
		*went = true;
	else if (rc != SAT_EINVALID)
		*e = why;
	/* no suggestion can be made of it: a person's to decide, no end of the
	 * session, and nothing is written by then */
	return rc == SAT_EINVALID ? SAT_OK : rc;
}

sat_rc
sat_replica_hand(sat_replica *r, int64_t id, const char *why, uint64_t *cseq,
    sat_err *e)
{
	replica_chain before = r->chain;
	sat_arena a = { 0 };
	bool began;
	sat_rc rc;

	*cseq = 0;
	if (strlen(why) > SAT_HANDED_WHY_MAX)
		return sat_fail_code(e, SAT_EINVALID, "validation.length", NULL,
		    "a note has at most %d bytes", SAT_HANDED_WHY_MAX);
	if ((rc = replica_begin(r, &began, e)) != SAT_OK)
		return rc;
	rc = replica_end(r, began, hand(r, &a, id, why, cseq, e), e);
	if (rc != SAT_OK)
		r->chain = before;
	sat_arena_fini(&a);
	return rc;
}

/* ---- edits that came late ------------------------------------------------------------ */

static bool
gained_since(const sat_replica *r, const sat_record *rec, const sat_kind *k,
    const sat_commit *c, const sat_op *op)
{
	const sat_cell *owner = k->owner == NULL ? NULL :
	    sat_record_cell(rec, k->owner->id);

	return owner != NULL && owner->at.lsn > sat_op_seen(c, op) &&
	    owner->at.lsn < c->lsn && owner->value.type == SAT_V_TEXT &&
	    sat_span_eq(owner->value.s, sat_span_str(r->me->key));
}

/* The row the commit is about, with its root, if this user got it, or its
 * customer, after its author had last looked. */
static sat_rc
find_late(replica_row **out, sat_id *id, sat_replica *r, const sat_commit *c,
    sat_err *e)
{
	const replica_kind *k;
	replica_row *row, *root;
	sat_rc rc;

	*out = NULL;
	for (size_t i = 0; i < c->nops; i++) {
		const sat_op *op = &c->ops[i];

		if ((k = replica_kind_by(r->kinds, op->rtype)) == NULL)
			continue;
		if ((rc = replica_page_get(&row, r, k, &op->rec, op->eid, e)) !=
		    SAT_OK)
			return rc;
		if (row == NULL)
			continue;
		if ((rc = replica_row_root(id, r, row, e)) != SAT_OK)
			return rc;
		root = row;
		if (!sat_id_eq(id, &row->view.id) &&
		    (rc = replica_page_find(&root, r, id, e)) != SAT_OK)
			return rc;
		if (gained_since(r, replica_row_server(row), k->kind, c,
		    op) ||
		    (root != NULL && gained_since(r, replica_row_server(root),
		    root->k->kind, c, op))) {
			*out = row;
			return SAT_OK;
		}
	}
	return SAT_OK;
}

sat_rc
replica_note_late(sat_replica *r, const sat_commit *c, sat_err *e)
{
	const sat_device *d = sat_registry_device(&r->reg, c->device);
	replica_row *row;
	sat_id root;
	sat_stmt *s;
	sat_rc rc;

	if (r->me == NULL || (d != NULL && d->user == r->me->ord))
		return SAT_OK;
	if ((rc = find_late(&row, &root, r, c, e)) != SAT_OK || row == NULL ||
	    (rc = sat_db_stmt(&s, r->db, SQL_LATE_PUT, e)) != SAT_OK)
		return rc;
	sat_bind_int(s, 1, (int64_t)c->lsn);
	sat_bind_blob(s, 2, sat_span_of(row->view.id.b, 16));
	sat_bind_int(s, 3, row->k->kind->id);
	sat_bind_int(s, 4, c->device);
	sat_bind_int(s, 5, sat_hlc_ms(c->eff));
	sat_bind_int(s, 6, (int64_t)c->nops);
	sat_bind_blob(s, 7, sat_span_of(root.b, sizeof root.b));
	return sat_run(s, e);
}

sat_rc
sat_replica_late(sat_late **out, size_t *n, sat_arena *a, sat_replica *r,
    sat_err *e)
{
	sat_late *list = NULL;
	size_t cap = 0;
	sat_stmt *s;
	bool row;
	sat_rc rc;

	*out = NULL;
	*n = 0;
	if ((rc = sat_db_stmt(&s, r->db, SQL_LATE_ALL, e)) != SAT_OK)
		return rc;
	while ((rc = sat_step(&row, s, e)) == SAT_OK && row) {
		sat_span id = sat_col_blob(s, 1);

		SAT_ARENA_GROW(list, *n, cap, a);
		list[*n] = (sat_late){ .lsn = (uint64_t)sat_col_int(s, 0),
			.kind = sat_template_kind_id(r->t,
			    (uint16_t)sat_col_int(s, 2)),
			.dev = (uint32_t)sat_col_int(s, 3),
			.at_ms = sat_col_int(s, 4),
			.nops = sat_col_int(s, 5) };
		if (id.n == sizeof list[*n].rec.b)
			memcpy(list[*n].rec.b, id.p, id.n);
		++*n;
	}
	*out = list;
	return rc;
}

sat_rc
sat_replica_late_seen(sat_replica *r, uint64_t upto, sat_err *e)
{
	int64_t last = upto > INT64_MAX ? INT64_MAX : (int64_t)upto;
	bool began;
	sat_rc rc;

	if ((rc = replica_begin(r, &began, e)) != SAT_OK)
		return rc;
	return replica_end(r, began,
	    replica_run_int(r, SQL_LATE_DEL, last, e), e);
}
