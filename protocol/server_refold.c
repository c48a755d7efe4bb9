/*
 * server_refold.c - after opening a store: what was logged and is not in the
 * records yet is folded into them once more.
 *
 * A store may keep changed states in memory (rec_behind), for the log can make
 * them again: the fold of the same operations in the same order gives the same
 * bytes (P-040). Everything else a commit does was written with it. A state
 * says up to where it goes (rlsn), so what is folded twice is folded once.
 *
 * Invariants, named in the tests:
 *   R1  a server that died and starts again has the states it had.
 *   R2  starting twice changes nothing.
 */
#include "protocol/server_int.h"

#include <stdlib.h>

/* Records are given to the store after so many commits, or bytes. */
#define STEP 4096

typedef struct refold {
	sat_server *s;
	uint64_t *lsn;
	size_t n, cap;
} refold;

static bool
on_entry(void *u, uint64_t lsn, uint32_t root)
{
	refold *f = u;

	if (root != 0) /* a state that was given back: never late */
		return true;
	if (f->n == f->cap) {
		f->cap = f->cap == 0 ? 1024 : f->cap * 2;
		f->lsn = sat_xrealloc(f->lsn, f->cap * sizeof *f->lsn);
	}
	f->lsn[f->n++] = lsn;
	return true;
}

/* Not in the state yet; asked once per commit, before its first operation. */
static sat_rc
lacks(bool *yes, sat_server *s, wrec *w, uint64_t lsn, sat_err *e)
{
	sat_rc rc;

	*yes = false;
	if (!w->exists || w->erased)
		return SAT_OK;
	if ((rc = sat_set_decode(w, s, e)) != SAT_OK)
		return rc;
	if (w->touch != s->serial) {
		w->touch = s->serial;
		w->changed = w->r.rlsn < lsn;
	}
	*yes = w->changed;
	return SAT_OK;
}

static sat_rc
fold(sat_server *s, wrec *w, const sat_template *t, const sat_commit *c,
    const sat_op *op, bool echoed, sat_err *e)
{
	sat_apply_ctx ctx = { { c->eff, c->device, c->lsn },
		echoed ? 0 : sat_op_seen(c, op), !echoed && (c->flags & SAT_CF_MOVED) != 0,
		&s->fold };
	sat_applied out;
	bool yes;
	sat_rc rc;

	if ((rc = lacks(&yes, s, w, c->lsn, e)) != SAT_OK || !yes ||
	    (rc = sat_record_apply(&out, &w->r, &s->txn, t, op, &ctx, e)) !=
	    SAT_OK)
		return rc;
	sat_record_applied(&w->r, out.outcome, c->lsn);
	if (out.outcome != SAT_NOTHING)
		sat_set_dirty(s, w);
	return SAT_OK;
}

static sat_rc
one_commit(sat_server *s, uint64_t lsn, sat_err *e)
{
	const sat_store *st = &s->env.store;
	const sat_template *t;
	sat_log_row row;
	sat_commit c;
	echo *echoes;
	size_t n;
	wrec *w;
	sat_rc rc;

	if ((rc = st->log_get(&row, &s->txn, st->u, lsn, e)) != SAT_OK ||
	    (rc = sat_srv_log_read(&c, &s->txn, &row, e)) != SAT_OK ||
	    c.nops == 0 || /* erased */
	    (rc = sat_srv_echoes_read(&echoes, &n, s, row.echoes, &c, e)) !=
	    SAT_OK)
		return rc;
	if ((t = sat_srv_template(s, c.template_oid)) == NULL)
		return sat_fail(e, SAT_EINTEGRITY,
		    "commit at %llu names an unknown template",
		    (unsigned long long)lsn);
	s->serial++;
	sat_fold_room_turn(&s->fold);
	for (size_t i = 0; i < c.nops; i++)
		if ((rc = sat_set_by_id(&w, s, &c.ops[i].rec, e)) != SAT_OK ||
		    (rc = fold(s, w, t, &c, &c.ops[i], false, e)) != SAT_OK)
			return rc;
	for (size_t i = 0; i < n; i++)
		if ((rc = fold(s, echoes[i].to, t, &c, &c.ops[echoes[i].op],
		    true, e)) != SAT_OK)
			return rc;
	return SAT_OK;
}

sat_rc
sat_srv_refold(sat_server *s, uint64_t after, sat_err *e)
{
	const sat_store *st = &s->env.store;
	sat_keys all = { .n = 1, .k = { SAT_KEY_ALL } };
	refold f = { .s = s };
	sat_rc rc = st->scope_scan(st->u, &all, after, on_entry, &f, e);

	for (size_t i = 0; i < f.n && rc == SAT_OK; i++) {
		/* since the first loss nothing is late */
		if (s->nepochs > 0 && f.lsn[i] >= s->epochs[0].first_lsn)
			break;
		rc = one_commit(s, f.lsn[i], e);
		if (rc == SAT_OK && ((i + 1) % STEP == 0 || sat_set_full(s)) &&
		    (rc = sat_set_flush_recs(s, e)) == SAT_OK)
			sat_set_reset(s);
	}
	if (rc == SAT_OK)
		rc = sat_set_flush_recs(s, e);
	sat_set_reset(s);
	free(f.lsn);
	return rc;
}
