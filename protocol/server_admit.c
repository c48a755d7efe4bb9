/*
 * server_admit.c - one commit: judged, merged, logged; or refused as a whole.
 *
 * Everything is first done in the working set. A refusal puts the touched
 * records back as they were, keeps the commit as evidence with its verdict,
 * and the commits behind it go on; those that need what it would have created
 * find it missing and are parked (P-075).
 *
 * Invariants, named in the tests:
 *   A1  all operations of a commit apply or none.
 *   A2  a refused commit takes no LSN and no eid, and does not move the clamp.
 *   A3  every commit has one verdict for ever.
 */
#include "protocol/server_file.h"
#include "protocol/server_again.h"
#include "protocol/server_locate.h"

#include <string.h>

typedef struct work {
	sat_server *s;
	admission *a;
	const sat_commit *c;
	judging j;
	uint8_t due[SAT_TEMPLATE_OID_BYTES]; /* whose template judges */
	merging m;
	uint64_t eid0;
	hands hands;
} work;

/* ---- customers merged ---------------------------------------------------------------- */

/* Judged when its turn comes: an earlier op of the commit may matter. A merge
 * whose winner leads to the loser already would close a cycle; the server's
 * order decides which of two came first (P-172). */
static sat_rc
may_merge(work *k, size_t i, sat_err *e)
{
	const sat_op *op = &k->c->ops[i];
	const sat_kind *kind;
	wrec *w = k->m.of[i], *winner;
	sat_id id;
	bool yes;
	sat_rc rc;

	if (op->field != SAT_SYS_REDIRECT)
		return SAT_OK;
	yes = sat_record_redirect(&id, &w->r);
	if (yes == (op->kind == SAT_OP_MERGE))
		return sat_srv_refuse(k->a, i, SAT_VD_REJECTED, "merge.stale",
		    "USE_VALUE");
	if (op->kind == SAT_OP_UNMERGE)
		return SAT_OK;
	memcpy(id.b, op->value.s.p, sizeof id.b);
	if ((rc = sat_set_by_id(&winner, k->s, &id, e)) != SAT_OK)
		return rc;
	kind = sat_template_kind_id(k->j.t, w->kind);
	if (!winner->exists)
		return sat_srv_refuse(k->a, i, SAT_VD_PARKED, "needs_parent",
		    "NEEDS_PARENT");
	if (winner == w || winner->kind != w->kind || kind == NULL ||
	    kind->scope != SAT_SCOPE_ROOT)
		return sat_srv_refuse(k->a, i, SAT_VD_REJECTED, "merge.kind", "");
	if ((rc = sat_srv_visible(&yes, k->s, winner, k->j.mine, e)) != SAT_OK)
		return rc;
	if (!yes)
		return sat_srv_refuse(k->a, i, SAT_VD_REJECTED, "denied",
		    "ASK_MANAGER");
	if ((rc = sat_srv_leads_to(&yes, k->s, winner, w, e)) != SAT_OK)
		return rc;
	return yes ? sat_srv_refuse(k->a, i, SAT_VD_REJECTED, "merge.cycle",
	    "MERGED_INTO") : SAT_OK;
}

/* The echoes travel with the commit: together they must fit (P-001). */
static sat_rc
plan_echoes(work *k, sat_err *e)
{
	sat_rc rc = sat_merge_echoes(&k->m, e);

	if (rc == SAT_OK && !sat_merge_echoes_fit(&k->m))
		return sat_srv_refuse(k->a, 0, SAT_VD_REJECTED,
		    "merge.too_large", "");
	return rc;
}

/* ---- judging and folding ------------------------------------------------------------ */

static const char *
use_hint(work *k, sat_value v)
{
	return sat_srv_hint(k->s, "USE_VALUE", v.type == SAT_V_TEXT ? v.s :
	    sat_span_str(""));
}

static sat_rc
fold_op(work *k, size_t i, sat_err *e)
{
	const sat_op *op = &k->c->ops[i];
	sat_applied out;
	sat_rc rc;

	if ((op->kind == SAT_OP_MERGE || op->kind == SAT_OP_UNMERGE) &&
	    (rc = may_merge(k, i, e)) != SAT_OK)
		return rc;
	if (sat_merge_fold(&out, &k->m, k->j.t, i, NULL) != SAT_OK)
		return sat_srv_refuse(k->a, i, SAT_VD_REJECTED, "invalid", "");
	/* Ownership is compare-and-set: somebody else was faster. */
	if (op->kind == SAT_OP_REASSIGN && out.outcome == SAT_NOTHING &&
	    !sat_value_eq(sat_record_value(&k->m.of[i]->r, op->field),
	    op->value))
		return sat_srv_refuse(k->a, i, SAT_VD_REJECTED, "owner.stale",
		    use_hint(k, sat_record_value(&k->m.of[i]->r, op->field)));
	/* Settled by somebody else meanwhile is fine, no room is not. */
	if (op->kind == SAT_OP_HAND && out.outcome == SAT_NOTHING)
		return sat_srv_refuse(k->a, i, SAT_VD_REJECTED, "handover.full",
		    sat_srv_ask(k->a));
	if (sat_op_kind_is_later(op->kind) && out.outcome == SAT_NOTHING)
		return sat_srv_refuse(k->a, i, SAT_VD_REJECTED, "later.full", "");
	return SAT_OK;
}

static size_t
bytes_before(const wrec *w)
{
	return w->fresh ? 0 :
	    sat_record_bytes(w->dirty ? &w->before.r : &w->was);
}

/* What cannot be sent to anybody must not be merged. One that is too large, for
 * others suggest and records are merged, may be made smaller. */
static sat_rc
check_sizes(const work *k)
{
	for (const wrec *w = k->m.touched; w != NULL; w = w->next_touched) {
		size_t n = sat_record_bytes(&w->r);

		if (n > SAT_RECORD_BYTES_MAX && n > bytes_before(w))
			return sat_srv_refuse(k->a, w->first_op == SIZE_MAX ?
			    0 : w->first_op, SAT_VD_REJECTED,
			    "record.too_large", "");
	}
	return SAT_OK;
}

static bool
births_again(const work *k)
{
	for (const wrec *w = k->m.touched; w != NULL; w = w->next_touched)
		if (sat_srv_reborn(k->s, w))
			return true;
	return false;
}

/* The cells of a record that is made come one by one, each into room that is
 * there: without it all before it were copied every time. */
static void
make_room(const work *k, wrec *w)
{
	size_t n = 0;

	for (size_t i = w->first_op; i != SIZE_MAX; i = k->j.next_op[i])
		n++;
	sat_record_room(&w->r, &k->s->txn, n);
}

static sat_rc
fold_all(work *k, sat_err *e)
{
	sat_rc rc = SAT_OK;

	for (wrec *w = k->m.touched; w != NULL; w = w->next_touched)
		if (w->fresh)
			make_room(k, w);
	for (size_t i = 0; i < k->c->nops && rc == SAT_OK; i++)
		rc = fold_op(k, i, e);
	for (wrec *w = k->m.touched; w != NULL; w = w->next_touched)
		w->r.room = 0; /* whoever copies the cells copies what is used */
	return rc;
}

static sat_rc
judge_and_fold(work *k, sat_err *e)
{
	sat_server *s = k->s;
	locating at = { .j = &k->j, .m = &k->m };
	sat_hlc since;
	bool soon;
	sat_rc rc;

	if ((rc = sat_srv_template_stands(k->j.tip, k->due, e)) != SAT_OK)
		return rc; /* nobody could judge */
	if (sat_commit_check(k->a->c, NULL) != SAT_OK)
		return sat_srv_refuse(k->a, 0, SAT_VD_REJECTED, "invalid", "");
	k->j.t = sat_srv_template(s, k->c->template_oid);
	if (k->j.t == NULL)
		return sat_srv_refuse(k->a, 0, SAT_VD_PARKED,
		    "template.unknown", "");
	if (k->c->actor != k->a->actor->ord)
		return sat_srv_refuse(k->a, 0, SAT_VD_REJECTED, "actor", "");
	/* Who claims to have seen what is yet to come would never be
	 * concurrent with it, and had every right of later owners (P-027). */
	for (size_t i = 0; i < k->c->nops; i++)
		if (k->c->seen > s->lsn ||
		    sat_op_seen(k->c, &k->c->ops[i]) > s->lsn)
			return sat_srv_refuse(k->a, i, SAT_VD_REJECTED,
			    "seen.future", "");
	for (size_t i = 0; i < k->c->nops; i++)
		if ((rc = sat_srv_locate(&at, i, e)) != SAT_OK)
			return rc;
	for (wrec *w = k->m.touched; w != NULL; w = w->next_touched)
		if (w->fresh && (rc = sat_srv_find_root(&at, w, e)) != SAT_OK)
			return rc;
	if (at.follows)
		return sat_srv_follow(&k->hands, &k->j, &k->m, e);
	for (wrec *w = k->m.touched; w != NULL; w = w->next_touched)
		if ((rc = sat_srv_judge(&k->j, w, e)) != SAT_OK)
			return rc;
	if (k->j.late) {
		if ((rc = sat_srv_in_grace(&soon, &k->j, e)) != SAT_OK)
			return rc;
		if (!soon && births_again(k))
			return sat_srv_refuse(k->a, 0, SAT_VD_REJECTED, "denied",
			    "");
		if (!soon)
			return sat_srv_hand_over(&k->hands, k->a, &k->m, e);
	}
	if ((rc = plan_echoes(k, e)) != SAT_OK)
		return rc;
	if ((rc = sat_srv_own_order(&since, s, k->c, e)) != SAT_OK)
		return rc;
	sat_merge_place(&k->m, k->a->chain->c.prev_eff, since);
	if ((rc = fold_all(k, e)) != SAT_OK ||
	    (rc = sat_merge_fold_echoes(&k->m, k->j.t, e)) != SAT_OK)
		return rc;
	return check_sizes(k);
}

/* ---- the two ends ---------------------------------------------------------------------- */

void
sat_srv_add_eid(sat_server *s, admission *a, const sat_id *id, uint32_t eid)
{
	sat_verdicts *out = a->out;

	SAT_ARENA_GROW(out->eids, out->neids, a->eids_cap, &s->push);
	out->eids[out->neids++] = (sat_eid_pair){ *id, eid };
}

sat_rc
sat_srv_add_born(sat_server *s, admission *a, sat_err *e)
{
	const sat_commit *c = a->c;
	wrec *w;
	sat_rc rc;

	for (size_t i = 0; i < c->nops; i++) {
		if (c->ops[i].kind != SAT_OP_NEW)
			continue;
		if ((rc = sat_set_by_id(&w, s, &c->ops[i].rec, e)) != SAT_OK)
			return rc;
		if (w->exists)
			sat_srv_add_eid(s, a, &w->id, w->eid);
	}
	return SAT_OK;
}

static sat_rc
accept(work *k, sat_err *e)
{
	admission *a = k->a;
	sat_rc rc;

	a->v->code = k->j.late ? SAT_VD_OK_LATE :
	    k->m.conflict ? SAT_VD_CONFLICT : SAT_VD_OK;
	a->v->lsn = k->m.lsn;
	a->v->eff = k->m.eff;
	if (k->m.eff > a->chain->c.prev_eff)
		a->chain->c.prev_eff = k->m.eff;
	a->chain->c.lsn = k->m.lsn;
	sat_srv_own_wrote(k->s, k->c, k->m.eff);
	for (wrec *w = k->m.touched; w != NULL; w = w->next_touched)
		if (w->fresh || sat_srv_reborn(k->s, w))
			sat_srv_add_eid(k->s, a, &w->id, w->eid);
	if ((rc = sat_merge_log(&k->m, a->v->code, e)) != SAT_OK)
		return rc;
	if ((rc = sat_srv_claimed(a, &k->m, e)) != SAT_OK ||
	    (rc = sat_srv_answered(&k->j, k->m.lsn, e)) != SAT_OK ||
	    (rc = sat_srv_files_taken_over(&k->j, &k->m, e)) != SAT_OK)
		return rc;
	if ((rc = sat_srv_number(k->s, &k->m, k->j.t, e)) != SAT_OK ||
	    (rc = sat_srv_orphans(k->s, &k->m, e)) != SAT_OK ||
	    k->s->epoch.epoch == 0)
		return rc;
	for (size_t i = 0; i < k->c->nops && rc == SAT_OK; i++)
		if (k->c->ops[i].kind == SAT_OP_NEW)
			rc = sat_srv_gather(k->s, k->m.of[i], a->v->lsn, e);
	return rc;
}

/* X4: whatever it was refused for (its form, what it hangs on, who brings it):
 * nothing of it is kept once a customer it names is erased. */
static sat_rc
drop_erased(sat_server *s, admission *a, sat_err *e)
{
	bool erased = sat_span_eq(a->v->slug, sat_span_str(SAT_SLUG_ERASED));
	sat_rc rc;

	if (!erased && s->ledger_rev != 0 &&
	    (rc = sat_srv_names_erased(&erased, s, a->c, e)) != SAT_OK)
		return rc;
	if (erased)
		a->payload = (sat_span){ NULL, 0 };
	return SAT_OK;
}

/* A1, A2 */
static sat_rc
undo(work *k, sat_err *e)
{
	sat_server *s = k->s;
	const sat_store *st = &s->env.store;
	admission *a = k->a;
	sat_rc rc;

	for (wrec *w = k->m.touched; w != NULL; w = w->next_touched) {
		if (!w->fresh) {
			if (w->dirty)
				w->r = w->before.r;
			else
				w->decoded = false;
			w->owner = w->before.owner;
			continue;
		}
		sat_set_unindex(s, w);
		w->exists = w->fresh = w->decoded = false;
		w->eid = w->root = 0;
	}
	s->eid = k->eid0;
	sat_srv_own_wrote(s, k->c, 0);
	if ((rc = drop_erased(s, a, e)) != SAT_OK)
		return rc;
	return st->refused_put(st->u, k->c->device, k->c->incarnation, a->v,
	    a->header, a->payload, e);
}

static sat_rc
merged_before(bool *yes, sat_server *s, admission *a, sat_err *e)
{
	const sat_store *st = &s->env.store;
	const sat_commit *c = a->c;
	sat_log_row row;
	sat_rc rc;

	*yes = false;
	if ((rc = st->moved_get(&a->v->lsn, st->u, c->device, c->payload_hash,
	    e)) != SAT_OK || a->v->lsn == 0)
		return rc;
	*yes = true;
	if ((rc = st->log_get(&row, &s->txn, st->u, a->v->lsn, e)) != SAT_OK ||
	    (rc = st->verdict_get(&a->v->code, st->u, a->v->lsn, e)) != SAT_OK)
		return rc;
	a->v->eff = row.eff;
	sat_srv_own_wrote(s, c, 0); /* that place is not this number's */
	if ((rc = sat_srv_add_born(s, a, e)) != SAT_OK ||
	    (rc = drop_erased(s, a, e)) != SAT_OK)
		return rc;
	return st->refused_put(st->u, c->device, c->incarnation, a->v,
	    a->header, a->payload, e);
}

sat_rc
sat_srv_admit(sat_server *s, admission *a, sat_err *e)
{
	pushed_again g = { .nheld = 0 };
	work k = { .s = s, .a = a, .c = a->c, .eid0 = s->eid };
	bool yes = false;
	uint64_t lsn;
	sat_rc rc;

	if (sat_srv_may_come_again(a->c) && ((rc = merged_before(&yes, s, a,
	    e)) != SAT_OK || yes))
		return rc;
	if (s->epoch.epoch != 0 &&
	    (rc = sat_srv_again_reduce(&g, s, a, e)) != SAT_OK)
		goto out;
	if (g.nheld > 0)
		k.c = &g.c;
	else
		g.op_at = NULL;
	sat_merge_init(&k.m, s, k.c);
	k.m.op_at = g.op_at;
	k.m.old = a->old;
	k.m.header = a->header;
	k.m.payload = a->payload;
	sat_srv_due(k.due, s, k.c->device, a->actor, k.c->template_oid);
	k.j = (judging){ .s = s, .a = a, .c = k.c,
		.tip = sat_srv_template(s, k.due), .next_op = k.m.next_op,
		.mine = a->mine };
	rc = a->leaving ? sat_srv_refuse(a, 0, SAT_VD_REJECTED,
	    "device.revoked", "") : a->unread ? sat_srv_refuse(a, 0,
	    SAT_VD_REJECTED, SAT_SLUG_SEALED, "") : judge_and_fold(&k, e);
	if (rc == SAT_OK) {
		rc = accept(&k, e);
		if (rc == SAT_OK && (a->old->n > 0 || a->old->nwas > 0 ||
		    g.nheld > 0))
			rc = sat_srv_again_mark(&g, s, a, e);
	} else if (rc == SAT_EFALSE && (rc = undo(&k, e)) == SAT_OK &&
	    k.hands.n > 0) { /* D1 */
		rc = sat_srv_own(s, &k.hands.subject, k.hands.ops, k.hands.n,
		    &lsn, e);
	}
out:
	sat_srv_again_fini(&g);
	return rc;
}
