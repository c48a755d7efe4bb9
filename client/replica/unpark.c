/*
 * unpark.c - parked commits go on when what they need is there.
 *
 * A commit was parked because a record it names was not on the server. That
 * record may come later from another device, most of all after a server was
 * restored. Then the commit goes back to the end of the outbox, with the
 * payload and the stamp it has, under a number of its own.
 */
#include "client/replica/replica_int.h"

#include <string.h>

typedef struct moved_list {
	sat_id *made;
	size_t n, cap;
} moved_list;

static bool
is_made(const moved_list *m, const sat_commit *c, const sat_id *id)
{
	for (size_t i = 0; i < m->n; i++)
		if (sat_id_eq(&m->made[i], id))
			return true;
	for (size_t i = 0; i < c->nops; i++)
		if (c->ops[i].kind == SAT_OP_NEW &&
		    sat_id_eq(&c->ops[i].rec, id))
			return true;
	return false;
}

static sat_rc
is_here(bool *yes, sat_replica *r, const moved_list *m, const sat_commit *c,
    const sat_id *id, sat_err *e)
{
	replica_row *row;
	sat_rc rc;

	*yes = is_made(m, c, id);
	if (*yes)
		return SAT_OK;
	if ((rc = replica_page_find(&row, r, id, e)) == SAT_OK)
		*yes = row != NULL && !row->leaving &&
		    replica_row_server(row)->born.hlc != 0;
	return rc;
}

static sat_rc
ready(bool *yes, sat_replica *r, const moved_list *m, const sat_commit *c,
    sat_err *e)
{
	sat_id id;
	sat_rc rc = SAT_OK;

	*yes = true;
	for (size_t i = 0; i < c->nops && *yes && rc == SAT_OK; i++) {
		const sat_op *op = &c->ops[i];
		const replica_kind *k = replica_kind_by(r->kinds, op->rtype);

		if (k == NULL) {
			*yes = false;
		} else if (k->kind->parent != NULL &&
		    op->field == k->kind->parent->id &&
		    sat_op_names(&id, op)) {
			rc = is_here(yes, r, m, c, &id, e);
		} else {
			rc = is_here(yes, r, m, c, &op->rec, e);
			/* the one it is merged into, too */
			if (rc == SAT_OK && *yes && op->kind == SAT_OP_MERGE &&
			    op->field == SAT_SYS_REDIRECT &&
			    sat_op_names(&id, op))
				rc = is_here(yes, r, m, c, &id, e);
		}
	}
	return rc;
}

static sat_rc
put_outbox(sat_replica *r, int64_t seq, const sat_buf *header,
    const sat_buf *payload, sat_span box, sat_err *e)
{
	sat_stmt *s;
	sat_rc rc;

	if ((rc = sat_db_stmt(&s, r->db, SQL_OUTBOX_PUT, e)) != SAT_OK)
		return rc;
	sat_bind_int(s, 1, seq);
	sat_bind_int(s, 2, sat_wall_ms(&r->clock));
	sat_bind_blob(s, 3, sat_buf_span(header));
	sat_bind_null(s, box.n > 0 ? 4 : 5);
	if (box.n > 0)
		sat_bind_blob(s, 5, box);
	else
		sat_bind_blob(s, 4, sat_buf_span(payload));
	return sat_run(s, e);
}

/* Its records show it again. */
static sat_rc
show(sat_replica *r, const sat_commit *c, sat_err *e)
{
	replica_row *row;
	sat_rc rc;

	for (size_t i = 0; i < c->nops; i++) {
		const sat_op *op = &c->ops[i];
		const replica_kind *k = replica_kind_by(r->kinds, op->rtype);

		rc = op->kind == SAT_OP_NEW ?
		    replica_page_need(&row, r, k, &op->rec, 0, e) :
		    replica_page_get(&row, r, k, &op->rec, 0, e);
		if (rc != SAT_OK)
			return rc;
		if (row == NULL)
			continue;
		replica_row_hold(row, &r->page.mem);
		row->rebuild = row->dirty = true;
	}
	return SAT_OK;
}

static sat_rc
move(sat_replica *r, sat_quarantined *q, sat_err *e)
{
	sat_commit *c = &q->commit;
	int64_t was = replica_seq(q->incarnation, q->cseq), seq;
	sat_buf header = { 0 }, payload = { 0 };
	sat_rc rc;

	c->flags |= SAT_CF_MOVED;
	c->incarnation = r->id->incarnation;
	c->cseq = r->chain.cseq + 1;
	memcpy(c->prev, r->chain.head, sizeof c->prev);
	seq = replica_seq(c->incarnation, c->cseq);
	sat_commit_write_payload(&payload, c);
	sat_commit_write_header(&header, c);
	if ((rc = put_outbox(r, seq, &header, &payload, c->box, e)) == SAT_OK &&
	    (rc = replica_place_hand_on(r, was, seq, true, e)) == SAT_OK &&
	    (rc = replica_quarantine_settle(r, q->id, SAT_FATE_RETRIED, c->cseq,
	    e)) == SAT_OK) {
		r->chain.cseq = c->cseq;
		r->chain.newest = seq;
		sat_hash(r->chain.head, sat_buf_span(&header));
		replica_pend_add(r, seq, c->ops, c->nops);
		rc = show(r, c, e);
	}
	sat_buf_fini(&header);
	sat_buf_fini(&payload);
	return rc;
}

/* The server did not have its template. It has now when it greeted this session
 * with the one this device has, and that is the commit's (P-169). */
static bool
lacks_template(const sat_replica *r, const sat_quarantined *q)
{
	if (strcmp(q->slug, "template.unknown") != 0)
		return q->commit.box.n > 0; /* nobody knows what it needs */
	return memcmp(r->toid, r->server_toid, sizeof r->toid) != 0 ||
	    memcmp(q->commit.template_oid, r->toid, sizeof r->toid) != 0;
}

/* Nothing stands on a record that is a mere suggestion (P-167): what was suggested
 * on it goes where that is. */
static sat_rc
follow(sat_replica *r, uint64_t *n, sat_quarantined *list, size_t nq,
    sat_arena *a, sat_err *e)
{
	refused_work w = { .open = list, .nopen = nq };
	bool went;
	sat_rc rc = SAT_OK;

	for (size_t i = 0; i < nq && rc == SAT_OK; i++) {
		if (list[i].code != SAT_VD_PARKED || list[i].commit.box.n > 0)
			continue;
		rc = replica_hand_follow(&went, a, r, &list[i], &w, e);
		if (rc == SAT_OK && went) {
			list[i].fate = SAT_FATE_HANDED;
			++*n;
		}
	}
	return rc;
}

static sat_rc
unpark(sat_replica *r, uint64_t *n, sat_err *e)
{
	sat_arena a = { 0 };
	sat_quarantined *list = NULL;
	moved_list m = { 0 };
	size_t nq = 0;
	bool yes;
	sat_rc rc = sat_replica_quarantine(&list, &nq, &a, r, e);

	if (rc == SAT_OK)
		rc = follow(r, n, list, nq, &a, e);
	for (size_t i = 0; i < nq && rc == SAT_OK; i++) {
		sat_commit *c = &list[i].commit;

		if (list[i].code != SAT_VD_PARKED ||
		    list[i].fate != SAT_FATE_OPEN ||
		    lacks_template(r, &list[i]) ||
		    (rc = ready(&yes, r, &m, c, e)) != SAT_OK || !yes)
			continue;
		if ((rc = move(r, &list[i], e)) != SAT_OK)
			break;
		++*n;
		for (size_t k = 0; k < c->nops; k++) {
			if (c->ops[k].kind != SAT_OP_NEW)
				continue;
			SAT_ARENA_GROW(m.made, m.n, m.cap, &a);
			m.made[m.n++] = c->ops[k].rec;
		}
	}
	if (rc == SAT_OK && *n > 0)
		rc = replica_page_flush(r, e);
	sat_arena_fini(&a);
	return rc;
}

sat_rc
replica_unpark(void *u, uint64_t *n, sat_err *e)
{
	sat_replica *r = u;
	replica_chain before = r->chain;
	int64_t parked;
	sat_rc rc = SAT_OK;

	*n = 0;
	/* most sessions have nothing in quarantine */
	if (r->kinds == NULL || r->in_group)
		return SAT_OK;
	if ((rc = replica_count(&parked, r, SQL_QUARANTINE_COUNT, e)) !=
	    SAT_OK || parked == 0)
		return rc;
	if ((rc = replica_pend_load(r, e)) != SAT_OK ||
	    (rc = replica_session_begin(r, e)) != SAT_OK)
		return rc;
	rc = replica_end(r, true, unpark(r, n, e), e);
	if (rc != SAT_OK) {
		r->chain = before;
		replica_pend_drop(r);
	}
	replica_page_reset(r);
	return rc;
}
