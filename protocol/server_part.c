/*
 * server_part.c - what an erasure leaves of commits and of records that stay.
 *
 * A customer that was merged into another and taken apart again left something
 * there: operations that went on to the winner (P-171), and what the merge put
 * into it. Without the payloads the log would not fold to the winner's state
 * any more, and the winner would keep what belonged to the erased one. So the
 * state of whoever lost something is folded anew, from the log as it is now.
 * An operation on a record that stays, in a commit that goes, is left in its
 * place (`rest`), without the salt: with it and the hash in the header somebody
 * could test what the others said.
 *
 * Invariants, named in the tests:
 *   A1  the log, as it is after an erasure, folds to the records.
 *   A2  no operation on an erased record, and nothing a merge took from one, is
 *       in the state of a record that stays.
 *   A3  what was written to a record that stays is in its state, whatever else
 *       its commit was about.
 */
#include "protocol/server_int.h"

#include <stdlib.h>
#include <string.h>

sat_rc
sat_srv_log_read(sat_commit *c, sat_arena *a, const sat_log_row *row,
    sat_err *e)
{
	sat_rc rc = sat_commit_read(c, a, row->header, row->payload, e);

	if (rc == SAT_OK && row->payload.n == 0 && row->rest.n > 0)
		rc = sat_commit_read_payload(c, a, row->rest, e);
	c->lsn = row->lsn;
	c->eff = row->eff;
	return rc;
}

static sat_rc
is_erased(bool *yes, sat_server *s, const sat_id *id, sat_err *e)
{
	wrec *w;
	sat_rc rc = sat_set_by_id(&w, s, id, e);

	*yes = rc == SAT_OK && w->erased;
	return rc;
}

sat_rc
sat_srv_names_erased(bool *yes, sat_server *s, const sat_commit *c, sat_err *e)
{
	sat_id named;
	sat_rc rc = is_erased(yes, s, &c->subject, e);

	for (size_t i = 0; i < c->nops && rc == SAT_OK && !*yes; i++)
		if ((rc = is_erased(yes, s, &c->ops[i].rec, e)) == SAT_OK &&
		    !*yes && sat_op_names(&named, &c->ops[i]))
			rc = is_erased(yes, s, &named, e);
	return rc;
}

typedef struct parted { /* a record that lost something */
	wrec *w;
	sat_buf state;
} parted;

typedef struct parting {
	sat_server *s;
	const sat_erased_row *row;
	size_t n;
	sat_arena mem, op;    /* of one commit, of one operation */
	parted *lost;
	size_t nlost, cap;
	sat_err *e;
	sat_rc rc;
} parting;

static bool
is_victim(const parting *p, const sat_id *id)
{
	for (size_t i = 0; i < p->n; i++)
		if (sat_id_eq(&p->row[i].id, id))
			return true;
	return false;
}

static parted *
find_lost(const parting *p, const sat_id *id)
{
	for (size_t i = 0; i < p->nlost; i++)
		if (sat_id_eq(&p->lost[i].w->id, id))
			return &p->lost[i];
	return NULL;
}

static void
add_lost(parting *p, wrec *w)
{
	if (!w->exists || w->erased || find_lost(p, &w->id) != NULL)
		return;
	if (p->nlost == p->cap) {
		p->cap = p->cap == 0 ? 8 : p->cap * 2;
		p->lost = sat_xrealloc(p->lost, p->cap * sizeof *p->lost);
	}
	p->lost[p->nlost++] = (parted){ .w = w };
}

/* ---- what goes of a commit ------------------------------------------------------ */

static bool
of_redirect(const sat_op *op)
{
	return op->field == SAT_SYS_REDIRECT &&
	    (op->kind == SAT_OP_MERGE || op->kind == SAT_OP_UNMERGE);
}

/* Does it merge or take apart an erased one? */
static bool
joins_victim(const parting *p, const sat_op *op)
{
	sat_id to;

	if (!of_redirect(op))
		return false;
	if (op->value.type != SAT_V_BYTES || op->value.s.n != sizeof to.b)
		return is_victim(p, &op->rec);
	memcpy(to.b, op->value.s.p, sizeof to.b);
	return is_victim(p, &op->rec) || is_victim(p, &to);
}

/* A commit that was refused is nobody's state: it goes whole. */
static bool
is_about_victim(const parting *p, const sat_op *op)
{
	sat_id named;

	return is_victim(p, &op->rec) ||
	    (sat_op_names(&named, op) && is_victim(p, &named));
}

/* In a commit that joins, the values are those of the other one, or take them
 * back (client/crm/merge.c). */
static bool
goes(const parting *p, const sat_op *op, bool joined)
{
	if (op->kind == SAT_OP_ERASE)
		return false;
	return is_victim(p, &op->rec) || joins_victim(p, op) ||
	    (joined && (sat_op_is_content(op) ||
	    (op->kind == SAT_OP_MERGE && !of_redirect(op))));
}

/* Whom the operations that go had reached. */
static sat_rc
note_lost(parting *p, const sat_commit *c, const bool *gone, sat_span echoes,
    sat_err *e)
{
	echo *list;
	size_t n;
	wrec *w;
	sat_rc rc;

	for (size_t i = 0; i < c->nops; i++) {
		if (!gone[i] || is_victim(p, &c->ops[i].rec))
			continue;
		if ((rc = sat_set_by_id(&w, p->s, &c->ops[i].rec, e)) != SAT_OK)
			return rc;
		add_lost(p, w);
	}
	if ((rc = sat_srv_echoes_read(&list, &n, p->s, echoes, c, e)) != SAT_OK)
		return rc;
	for (size_t i = 0; i < n; i++)
		if (gone[list[i].op] && !list[i].held)
			add_lost(p, list[i].to);
	return SAT_OK;
}

/* Every operation keeps its place, for others name it by that. */
static void
write_rest(sat_buf *b, const parting *p, sat_commit *c, const bool *gone)
{
	size_t left = 0;

	for (size_t i = 0; i < c->nops; i++) {
		sat_op *op = &c->ops[i];

		left += !gone[i] && op->kind != SAT_OP_ERASE;
		if (!gone[i])
			continue;
		*op = (sat_op){ .kind = SAT_OP_ERASE, .rtype = op->rtype,
			.rec = is_victim(p, &op->rec) ? op->rec :
			    p->row[0].id };
	}
	if (left == 0)
		return;
	memset(c->salt, 0, sizeof c->salt);
	sat_commit_write_payload(b, c);
}

/* A payload that cannot be read is not known to be innocent: its header's
 * subject decides. What the server decided about an erased one, ERASE too, is
 * told by its operations. */
static bool
on_payload(void *u, const sat_log_row *row, sat_buf *rest)
{
	parting *p = u;
	bool joined = false, hit, *gone;
	sat_commit c;

	sat_arena_reset(&p->mem);
	if (sat_srv_log_read(&c, &p->mem, row, NULL) != SAT_OK)
		return sat_commit_read(&c, &p->mem, row->header,
		    (sat_span){ NULL, 0 }, NULL) == SAT_OK &&
		    is_victim(p, &c.subject);
	gone = sat_arena_alloc(&p->mem, (c.nops + 1) * sizeof *gone);
	for (size_t i = 0; i < c.nops; i++)
		joined = joined || joins_victim(p, &c.ops[i]);
	hit = is_victim(p, &c.subject) && c.device != SAT_DEV_SERVER;
	for (size_t i = 0; i < c.nops; i++) {
		gone[i] = goes(p, &c.ops[i], joined);
		hit = hit || gone[i] || (row->lsn == 0 &&
		    is_about_victim(p, &c.ops[i]));
	}
	if (!hit || row->lsn == 0)
		return hit;
	if (p->rc == SAT_OK)
		p->rc = note_lost(p, &c, gone, row->echoes, p->e);
	if (p->rc == SAT_OK)
		write_rest(rest, p, &c, gone);
	return true;
}

/* ---- folded anew ---------------------------------------------------------------- */

static sat_rc
fold(parting *p, parted *x, const sat_commit *c, const sat_op *op, bool echoed,
    sat_err *e)
{
	sat_apply_ctx ctx = { { c->eff, c->device, c->lsn },
		echoed ? 0 : sat_op_seen(c, op), !echoed && (c->flags & SAT_CF_MOVED) != 0,
		NULL };
	const sat_template *t = sat_srv_template(p->s, c->template_oid);
	sat_record r = { 0 };
	sat_applied out;
	sat_buf b = { 0 };
	sat_rc rc;

	if (t == NULL)
		return sat_fail(e, SAT_EINTEGRITY,
		    "commit at %llu names an unknown template",
		    (unsigned long long)c->lsn);
	sat_arena_reset(&p->op);
	if (x->state.n > 0 && (rc = sat_record_read(&r, &p->op,
	    sat_buf_span(&x->state), e)) != SAT_OK)
		return rc;
	if ((rc = sat_record_apply(&out, &r, &p->op, t, op, &ctx, e)) != SAT_OK)
		return rc;
	sat_record_applied(&r, out.outcome, c->lsn);
	sat_record_write(&b, &r);
	sat_buf_fini(&x->state);
	x->state = b;
	return SAT_OK;
}

static sat_rc
fold_commit(parting *p, const sat_commit *c, sat_span echoes, sat_err *e)
{
	const uint8_t *held;
	sat_old old;
	parted *x;
	echo *list;
	size_t n;
	sat_op op;
	sat_rc rc;

	if ((rc = sat_srv_held_ops(&held, &old, p->s, c->lsn, c->nops, e)) !=
	    SAT_OK)
		return rc;
	for (size_t i = 0; i < c->nops; i++)
		if ((x = find_lost(p, &c->ops[i].rec)) != NULL &&
		    !sat_srv_op_held(held, i) &&
		    (rc = fold(p, x, c, &c->ops[i], false, e)) != SAT_OK)
			return rc;
	if ((rc = sat_srv_echoes_read(&list, &n, p->s, echoes, c, e)) != SAT_OK)
		return rc;
	for (size_t i = 0; i < n; i++) {
		if (list[i].held ||
		    (x = find_lost(p, &list[i].to->id)) == NULL)
			continue;
		op = c->ops[list[i].op];
		op.rec = x->w->id;
		if ((rc = fold(p, x, c, &op, true, e)) != SAT_OK)
			return rc;
	}
	return SAT_OK;
}

/* An operation that was logged before the state came, and is not in it. */
static sat_rc
fold_again(parting *p, parted *x, sat_arena *mem, uint64_t lsn, uint64_t what,
    sat_err *e)
{
	const sat_store *st = &p->s->env.store;
	size_t i = (size_t)(what / 2);
	sat_log_row row;
	sat_commit c;
	sat_op op;
	sat_rc rc;

	sat_arena_reset(mem);
	if ((rc = st->log_get(&row, mem, st->u, lsn, e)) != SAT_OK ||
	    (rc = sat_srv_log_read(&c, mem, &row, e)) != SAT_OK)
		return rc;
	if (i >= c.nops || c.ops[i].kind == SAT_OP_ERASE) /* it is gone */
		return SAT_OK;
	op = c.ops[i];
	op.rec = x->w->id;
	return fold(p, x, &c, &op, what % 2 != 0, e);
}

/* What the server itself says of a state that was given: number, position, how
 * far it reaches; and where it leads, unless that went. */
static sat_rc
as_installed(parted *x, sat_arena *mem, sat_span was, sat_err *e)
{
	uint64_t origin[SAT_ORIGIN_MAX];
	sat_record old = { 0 }, r = { 0 };
	sat_id to, led;
	sat_buf b = { 0 };
	sat_rc rc;

	sat_arena_reset(mem);
	if ((rc = sat_record_read(&old, mem, was, e)) != SAT_OK ||
	    (rc = sat_record_read(&r, mem, sat_buf_span(&x->state), e)) !=
	    SAT_OK)
		return rc;
	r.eid = old.eid;
	r.rlsn = old.rlsn;
	sat_record_set_origin(&r, mem, origin, sat_record_origin(origin, &old));
	if (sat_record_redirect(&to, &r) && (!sat_record_redirect(&led, &old) ||
	    !sat_id_eq(&to, &led)))
		sat_record_drop_cell(&r, SAT_SYS_REDIRECT);
	sat_record_write(&b, &r);
	sat_buf_fini(&x->state);
	x->state = b;
	return SAT_OK;
}

/* From the state as it came on, without what has been erased since. */
static sat_rc
give_again(parting *p, parted *x, const sat_seed_row *row, sat_err *e)
{
	const sat_store *st = &p->s->env.store;
	sat_reader since = sat_reader_of(row->since);
	sat_arena mem = { NULL };
	sat_rc rc = SAT_OK;

	sat_buf_reset(&x->state);
	sat_buf_add(&x->state, row->given.p, row->given.n);
	while (rc == SAT_OK && since.fault == NULL && since.left > 0) {
		uint64_t lsn = sat_read_uint(&since);
		uint64_t what = sat_read_uint(&since);

		if (since.fault == NULL)
			rc = fold_again(p, x, &mem, lsn, what, e);
	}
	if (rc == SAT_OK)
		rc = sat_read_end(&since, "what a given state lacked", e);
	if (rc == SAT_OK)
		rc = as_installed(x, &mem, row->state, e);
	sat_arena_fini(&mem);
	if (rc != SAT_OK || sat_span_eq(sat_buf_span(&x->state), row->state))
		return rc;
	return st->seed_set(st->u, row->lsn, sat_buf_span(&x->state), e);
}

/* A state that was given back is where its record begins (P-204). */
static sat_rc
begin_given(parting *p, uint64_t lsn, sat_err *e)
{
	const sat_store *st = &p->s->env.store;
	sat_seed_row row;
	parted *x;
	sat_rc rc = st->seed_get(&row, &p->mem, st->u, lsn, e);

	if (rc != SAT_OK || row.state.n == 0 ||
	    (x = find_lost(p, &row.id)) == NULL)
		return rc;
	if (row.since.n > 0)
		return give_again(p, x, &row, e);
	sat_buf_reset(&x->state);
	sat_buf_add(&x->state, row.state.p, row.state.n);
	return SAT_OK;
}

/* Most commits are about others: of those no more is done than reading. */
static bool
concerns(const parting *p, const sat_commit *c, sat_span echoes)
{
	bool yes = echoes.n > 0 && c->nops > 0;

	for (size_t i = 0; i < c->nops && !yes; i++)
		yes = find_lost(p, &c->ops[i].rec) != NULL;
	return yes;
}

static sat_rc
fold_all(parting *p, sat_err *e)
{
	const sat_store *st = &p->s->env.store;
	sat_log_row row;
	sat_commit c;
	sat_rc rc = SAT_OK;

	for (uint64_t lsn = 1; rc == SAT_OK; lsn++) {
		sat_srv_next_lsn(&lsn, p->s);
		if (lsn > p->s->lsn)
			break;
		sat_arena_reset(&p->mem);
		rc = st->log_get(&row, &p->mem, st->u, lsn, e);
		if (rc == SAT_ENOTFOUND && p->s->epoch.epoch != 0)
			rc = begin_given(p, lsn, e);
		else if (rc == SAT_OK && (rc = sat_srv_log_read(&c, &p->mem,
		    &row, e)) == SAT_OK && concerns(p, &c, row.echoes))
			rc = fold_commit(p, &c, row.echoes, e);
	}
	return rc;
}

/* The word of it is a commit of the server's own, and the record's row is
 * written with it: the log leads there from nothing, not from what was there. */
static sat_rc
put_anew(parting *p, parted *x, uint64_t *lsn, sat_err *e)
{
	sat_server *s = p->s;
	sat_record *r = sat_arena_alloc(&s->txn, sizeof *r);
	sat_op op = { .kind = SAT_OP_ERASE, .rtype = x->w->kind,
		.rec = x->w->id };
	sat_span kept = { sat_arena_dup(&s->txn, x->state.p, x->state.n),
		x->state.n };
	sat_rc rc = sat_record_read(r, &s->txn, kept, e);

	if (rc != SAT_OK)
		return rc;
	r->eid = x->w->eid;
	x->w->anew = r;
	return sat_srv_own(s, &x->w->id, &op, 1, lsn, e);
}

sat_rc
sat_srv_part(sat_server *s, const sat_erased_row *row, size_t n, uint64_t *lsn,
    sat_err *e)
{
	const sat_store *st = &s->env.store;
	parting p = { .s = s, .row = row, .n = n, .e = e };
	uint64_t payloads;
	sat_rc rc = st->payloads_erase(&payloads, st->u, on_payload, &p, e);

	if (rc == SAT_OK)
		rc = p.rc;
	if (rc == SAT_OK && p.nlost > 0)
		rc = fold_all(&p, e);
	for (size_t i = 0; i < p.nlost; i++) {
		if (rc == SAT_OK)
			rc = put_anew(&p, &p.lost[i], lsn, e);
		sat_buf_fini(&p.lost[i].state);
	}
	free(p.lost);
	sat_arena_fini(&p.mem);
	sat_arena_fini(&p.op);
	return rc;
}
