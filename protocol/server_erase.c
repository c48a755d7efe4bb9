/*
 * server_erase.c - a customer is erased: nothing of the person is left but
 * random numbers (P-190..P-197).
 *
 * What goes: the states of the customer's records, the payloads of every
 * commit about them (server_part.c), sums and memberships. What stays: headers, chains and
 * signatures, which still verify because a header holds only the salted hash
 * of its payload; the numbers of the records, so that work which comes late is
 * known for what it is; and the ledger.
 *
 * Invariants, named in the tests:
 *   X1  after the answer no file of the store holds a byte of the values.
 *   X2  chains and signatures verify; the log still folds to the records.
 *   X3  two people decide.
 *   X4  an operation about an erased record is dropped unread, and its author
 *       is told.
 */
#include "protocol/server_int.h"

#include <string.h>

#define LEASE_MS (30 * 24 * 3600 * (int64_t)1000)

/* ---- what belongs to the customer ------------------------------------------------- */

typedef struct victims {
	sat_server *s;
	sat_erased_row *row;
	size_t n, cap;
	uint64_t rev;
	sat_id *top;          /* the customer, and those merged into it */
	size_t ntop;
} victims;

/* A customer, or somebody who is none yet: a visit or report that stands for
 * itself. */
static bool
is_customer(const sat_server *s, const wrec *w)
{
	const sat_kind *k = sat_srv_kind(s, w->kind);

	return w->exists && (k == NULL || k->scope == SAT_SCOPE_ROOT ||
	    (k->scope == SAT_SCOPE_OWNED && w->root == w->eid));
}

static bool
on_record(void *u, const sat_rec_row *row)
{
	victims *v = u;

	SAT_ARENA_GROW(v->row, v->n, v->cap, &v->s->txn);
	v->row[v->n++] = (sat_erased_row){ row->eid, row->root, row->id,
		v->rev };
	return true;
}

/* What is to go; and whoever was told of one of them is told no more. He stays:
 * what the store has of him is what a later change is compared with. */
static sat_rc
find_victims(victims *v, const wrec *root, sat_err *e)
{
	sat_server *s = v->s;
	const sat_store *st = &s->env.store;
	wrec *w;
	sat_rc rc = st->rec_of_root(st->u, root->eid, on_record, v, e);

	for (size_t i = 0; i < v->n && rc == SAT_OK; i++)
		if ((rc = sat_set_by_id(&w, s, &v->row[i].id, e)) == SAT_OK)
			rc = sat_srv_alike_erase(s, w, e);
	return rc == SAT_OK ? sat_set_settle(s, e) : rc;
}

static sat_rc
take_away(victims *v, const wrec *root, sat_err *e)
{
	sat_server *s = v->s;
	const sat_store *st = &s->env.store;
	wrec *w;
	sat_rc rc;

	if ((rc = sat_srv_digest_gone(s, root->eid, e)) != SAT_OK ||
	    (rc = sat_set_flush(s, e)) != SAT_OK) /* the sums, while it is there */
		return rc;
	v->top = sat_arena_alloc(&s->txn, (v->n + 1) * sizeof *v->top);
	/* The customer last: what hangs on it names it. */
	for (size_t i = v->n; i > 0; i--) {
		if ((rc = sat_set_by_id(&w, s, &v->row[i - 1].id, e)) !=
		    SAT_OK)
			return rc;
		if (is_customer(s, w))
			v->top[v->ntop++] = w->id;
		if ((rc = st->rec_erase(st->u, &v->row[i - 1], e)) != SAT_OK)
			return rc;
		w->exists = false;
		w->erased = true;
	}
	return SAT_OK;
}

/* The ledger's word on it, signed, so that a restored server believes it. */
static sat_rc
put_entry(sat_server *s, sat_erasure *x, bool sign, sat_err *e)
{
	const sat_store *st = &s->env.store;
	sat_buf b = { 0 };
	sat_rc rc = SAT_OK;

	sat_erasure_bytes(&b, &s->env.org, x);
	if (sign)
		rc = s->env.sign == NULL ? sat_fail(e, SAT_EINVALID,
		    "the server has no key of its own") :
		    s->env.sign(s->env.u, x->sig, sat_buf_span(&b), e);
	else if (!sat_sign_ok(x->sig, sat_buf_span(&b), s->env.server_pk))
		rc = sat_fail(e, SAT_EINTEGRITY,
		    "an erasure is not signed by this organisation's server");
	sat_buf_fini(&b);
	if (rc != SAT_OK || (rc = st->ledger_put(st->u, x, e)) != SAT_OK ||
	    (rc = st->counter_put(st->u, SAT_N_LEDGER_REV, x->rev, e)) !=
	    SAT_OK)
		return rc;
	s->ledger_rev = x->rev;
	return SAT_OK;
}

/* In the open transaction. A customer that is not here (any more) gets its
 * entry all the same: what comes later about it is refused. in: the ledger that
 * is carried out again; NULL: it was decided here. */
static sat_rc
erase(sat_server *s, sat_erasure *x, const sat_ledger *in, sat_err *e)
{
	const sat_store *st = &s->env.store;
	victims v = { .s = s, .rev = s->ledger_rev + 1 };
	uint64_t known;
	wrec *w, *root = NULL;
	sat_op op;
	sat_rc rc;

	if ((rc = st->ledger_of(&known, st->u, &x->subject, e)) != SAT_OK)
		return rc;
	if (known != 0)
		return SAT_OK;
	/* an entry before it may have changed what this one takes away */
	if ((rc = sat_set_settle(s, e)) != SAT_OK ||
	    (rc = sat_set_by_id(&w, s, &x->subject, e)) != SAT_OK ||
	    (w->exists && (rc = sat_set_by_eid(&root, s, w->root, e)) !=
	    SAT_OK))
		return rc;
	if (in != NULL && ((rc = sat_srv_take_apart(s, w, in, e)) != SAT_OK ||
	    (root != NULL && (rc = sat_set_by_eid(&root, s, w->root, e)) !=
	    SAT_OK)))
		return rc;
	x->rev = v.rev;
	x->lsn = 0;
	if ((rc = st->ask_del(st->u, &x->subject, e)) != SAT_OK)
		return rc;
	if (root != NULL) {
		op = (sat_op){ .kind = SAT_OP_ERASE, .rtype = root->kind,
			.rec = root->id };
		if ((rc = find_victims(&v, root, e)) != SAT_OK ||
		    (rc = sat_srv_own(s, &root->id, &op, 1, &x->lsn, e)) !=
		    SAT_OK || (rc = take_away(&v, root, e)) != SAT_OK)
			return rc;
	} else {
		/* It never came to this server, or not yet again; what was
		 * refused about it, or parked for it, may have. */
		w->erased = true;
		(void)on_record(&v, &(sat_rec_row){ .id = x->subject });
	}
	if ((rc = sat_srv_part(s, v.row, v.n, &x->lsn, e)) != SAT_OK ||
	    (rc = put_entry(s, x, in == NULL, e)) != SAT_OK ||
	    (rc = sat_srv_scrub_owe(s, e)) != SAT_OK)
		return rc;
	/* An entry for each: on a backup they may not be merged yet, or with
	 * others still. */
	for (size_t i = 0; i < v.ntop; i++) {
		sat_erasure too = *x;

		if (sat_id_eq(&v.top[i], &x->subject))
			continue;
		too.subject = v.top[i];
		too.rev = s->ledger_rev + 1;
		if ((rc = st->ask_del(st->u, &too.subject, e)) != SAT_OK ||
		    (rc = st->ledger_of(&known, st->u, &too.subject, e)) !=
		    SAT_OK || (known == 0 && (rc = put_entry(s, &too, true,
		    e)) != SAT_OK))
			return rc;
	}
	return SAT_OK;
}

/* X1: the answer is given only after the log of the store was emptied. */
static sat_rc
finish(sat_server *s, sat_err *e)
{
	sat_rc rc;

	if ((rc = sat_srv_commit(s, e)) != SAT_OK)
		return rc;
	sat_set_forget(s);
	return sat_srv_scrub(s, e);
}

/* ---- asked by people ------------------------------------------------------------------ */

static sat_rc
check_reason(sat_span reason, sat_err *e)
{
	if (reason.n == 0 || reason.n > SAT_ERASE_REASON_MAX)
		return sat_fail_code(e, SAT_EUSAGE, "privacy.reason",
		    "name the request, not the person: the ledger is kept",
		    "an erasure needs a reason of 1 to %d bytes",
		    SAT_ERASE_REASON_MAX);
	return SAT_OK;
}

static bool
may_decide(const sat_user *u)
{
	return u != NULL && !u->disabled &&
	    (strcmp(u->role, "hq") == 0 || strcmp(u->role, "admin") == 0);
}

/* The first time the answer may have been lost with the power, or with a disk
 * that was full, before the log of the store was emptied (X1). */
static sat_rc
erased_already(sat_server *s, sat_err *e)
{
	sat_rc rc = finish(s, e);

	return rc != SAT_OK ? rc : sat_fail_code(e, SAT_ECONFLICT, "erased",
	    NULL, "this customer was erased already");
}

/* P-350: whoever wants it erased clears the field first, for all to see. */
static sat_rc
not_held(sat_server *s, wrec *w, sat_err *e)
{
	const sat_kind *k = sat_srv_kind(s, w->kind);
	const sat_field *f = k != NULL ? sat_kind_field(k, SAT_FIELD_HOLD) :
	    NULL;
	sat_value v;
	sat_rc rc;

	if (f == NULL)
		return SAT_OK;
	if ((rc = sat_set_decode(w, s, e)) != SAT_OK)
		return rc;
	v = sat_record_value(&w->r, f->id);
	if (v.type == SAT_V_TEXT && v.s.n > 0)
		return sat_fail_code(e, SAT_ECONFLICT, "privacy.hold",
		    "clear legal_hold first, and sync",
		    "it must be kept: its legal_hold says why");
	return SAT_OK;
}

static sat_rc
must_exist(sat_server *s, const sat_id *subject, sat_err *e)
{
	const sat_store *st = &s->env.store;
	wrec *w, *root;
	uint64_t known;
	sat_rc rc;

	if ((rc = st->ledger_of(&known, st->u, subject, e)) != SAT_OK ||
	    (rc = sat_set_by_id(&w, s, subject, e)) != SAT_OK)
		return rc;
	if (known != 0 || w->erased)
		return erased_already(s, e);
	if (!w->exists)
		return sat_fail(e, SAT_ENOTFOUND, "there is no such record");
	if (!is_customer(s, w))
		return sat_fail_code(e, SAT_EINVALID, "privacy.customer",
		    "name the customer it hangs on",
		    "only a whole customer is erased");
	if ((rc = not_held(s, w, e)) != SAT_OK || w->root == w->eid ||
	    (rc = sat_set_by_eid(&root, s, w->root, e)) != SAT_OK)
		return rc;
	return not_held(s, root, e);
}

sat_rc
sat_server_erase(sat_server *s, const sat_id *subject, uint32_t by,
    uint32_t second, sat_span reason, sat_err *e)
{
	sat_erasure x = { .subject = *subject, .by = by, .second = second,
		.reason = reason, .at_ms = sat_wall_ms(&s->env.clock) };
	sat_rc rc;

	if ((rc = check_reason(reason, e)) != SAT_OK)
		return rc;
	if (by == second || !may_decide(sat_registry_user_ord(&s->reg, by)) ||
	    !may_decide(sat_registry_user_ord(&s->reg, second))) /* X3 */
		return sat_fail_code(e, SAT_EDENIED, "privacy.two",
		    "roles hq and admin may", "an erasure needs two different "
		    "people who may decide it");
	if ((rc = sat_srv_begin(s, e)) != SAT_OK)
		return rc;
	if ((rc = must_exist(s, subject, e)) == SAT_OK &&
	    (rc = erase(s, &x, NULL, e)) == SAT_OK)
		rc = finish(s, e);
	if (rc != SAT_OK)
		sat_srv_rollback(s);
	return rc;
}

static sat_rc
ask(sat_server *s, const sat_user *user, const sat_privacy *in, sat_err *e)
{
	const sat_store *st = &s->env.store;
	sat_erasure x = { .subject = in->subject, .by = user->ord,
		.reason = in->reason, .at_ms = sat_wall_ms(&s->env.clock) };
	sat_rc rc;

	if ((rc = check_reason(in->reason, e)) != SAT_OK ||
	    (rc = must_exist(s, &in->subject, e)) != SAT_OK ||
	    (rc = st->ask_put(st->u, &x, e)) != SAT_OK)
		return rc;
	return sat_srv_commit(s, e);
}

static sat_rc
confirm(sat_server *s, const sat_user *user, const sat_privacy *in, sat_err *e)
{
	const sat_store *st = &s->env.store;
	sat_erasure x;
	sat_rc rc;

	if ((rc = must_exist(s, &in->subject, e)) != SAT_OK)
		return rc;
	rc = st->ask_get(&x, &s->txn, st->u, &in->subject, e);
	if (rc == SAT_ENOTFOUND)
		return sat_fail_code(e, SAT_ENOTFOUND, "privacy.asked",
		    "ask for it first: privacy erase",
		    "nobody asked for this erasure");
	if (rc != SAT_OK)
		return rc;
	if (x.by == user->ord) /* X3 */
		return sat_fail_code(e, SAT_EDENIED, "privacy.two",
		    "somebody else with the role hq or admin has to confirm",
		    "who asked for an erasure cannot confirm it");
	x.second = user->ord;
	x.at_ms = sat_wall_ms(&s->env.clock);
	if ((rc = erase(s, &x, NULL, e)) != SAT_OK)
		return rc;
	return finish(s, e);
}

/* ---- what became of it ------------------------------------------------------------------ */

typedef struct listing {
	sat_server *s;
	sat_privacy_is out;
	size_t cap;
	bool done;
	uint64_t *rev;       /* of each row */
	int64_t now_ms;
} listing;

static bool
on_row(void *u, const sat_erasure *x)
{
	listing *l = u;
	size_t cap = l->cap; /* one for both lists */
	sat_privacy_row *p;

	SAT_ARENA_GROW(l->rev, l->out.n, cap, &l->s->txn);
	SAT_ARENA_GROW(l->out.row, l->out.n, l->cap, &l->s->txn);
	p = &l->out.row[l->out.n];
	l->rev[l->out.n++] = x->rev;
	*p = (sat_privacy_row){ .subject = x->subject, .done = l->done,
		.at_ms = x->at_ms, .by = x->by, .second = x->second,
		.reason = sat_span_of(sat_arena_dup(&l->s->txn, x->reason.p,
		    x->reason.n), x->reason.n) };
	return true;
}

static bool
on_receipt(void *u, uint32_t dev, int64_t seen_ms, uint64_t rev)
{
	listing *l = u;

	(void)dev;
	for (size_t i = 0; i < l->out.n; i++) {
		sat_privacy_row *p = &l->out.row[i];

		if (!p->done)
			continue;
		if (rev >= l->rev[i])
			p->confirmed++;
		else if (seen_ms != 0 && l->now_ms - seen_ms > LEASE_MS)
			p->expired++;
		else
			p->pending++;
	}
	return true;
}

sat_rc
sat_server_privacy(sat_server *s, sat_privacy_is *out, sat_err *e)
{
	const sat_store *st = &s->env.store;
	listing l = { .s = s, .done = true,
		.now_ms = sat_wall_ms(&s->env.clock) };
	bool began = !s->in_txn;
	sat_rc rc = SAT_OK;

	if (began && (rc = sat_srv_begin(s, e)) != SAT_OK)
		return rc;
	if ((rc = st->ledger_after(st->u, 0, on_row, &l, e)) == SAT_OK) {
		l.done = false;
		rc = st->asks(st->u, on_row, &l, e);
	}
	if (rc == SAT_OK)
		rc = st->receipts(st->u, on_receipt, &l, e);
	if (began)
		sat_srv_end_read(s);
	*out = l.out;
	return rc;
}

sat_rc
sat_srv_privacy(sat_server *s, sat_server_session *x, const sat_privacy *in,
    sat_buf *reply, sat_err *e)
{
	sat_msg m = { .type = SAT_MSG_PRIVACY_IS };
	const sat_user *user;
	sat_rc rc;

	if ((rc = sat_srv_session_user(&user, s, x, e)) != SAT_OK)
		return rc;
	if (!may_decide(user))
		return sat_fail_code(e, SAT_EDENIED, "denied",
		    "roles hq and admin may",
		    "the role %s may not decide about erasures", user->role);
	if (in->verb == SAT_PRIVACY_ERASE)
		rc = ask(s, user, in, e);
	else if (in->verb == SAT_PRIVACY_CONFIRM)
		rc = confirm(s, user, in, e);
	if (rc != SAT_OK || (rc = sat_server_privacy(s, &m.u.privacy_is, e)) !=
	    SAT_OK)
		return rc;
	sat_msg_write(reply, &m);
	return SAT_OK;
}

/* ---- the ledger, to and from devices --------------------------------------------------- */

typedef struct entries {
	sat_server *s;
	sat_erasure *e;
	size_t n, cap;
} entries;

static bool
on_entry(void *u, const sat_erasure *x)
{
	entries *l = u;

	SAT_ARENA_GROW(l->e, l->n, l->cap, &l->s->txn);
	l->e[l->n] = *x;
	l->e[l->n].reason = sat_span_of(sat_arena_dup(&l->s->txn, x->reason.p,
	    x->reason.n), x->reason.n);
	l->n++;
	return true;
}

sat_rc
sat_srv_ledger_take(sat_server *s, const sat_ledger *in, sat_err *e)
{
	const sat_store *st = &s->env.store;
	uint64_t known;
	sat_erasure x;
	bool any = false;
	sat_rc rc = SAT_OK;

	/* Of what is known the files may still know too: told again, it is
	 * answered as late as the first time. */
	if (in->n > 0 && (rc = sat_srv_scrub_owed(&any, s, e)) != SAT_OK)
		return rc;
	for (size_t i = 0; i < in->n; i++) {
		x = in->e[i];
		if ((rc = st->ledger_of(&known, st->u, &x.subject, e)) !=
		    SAT_OK)
			return rc;
		if (known != 0)
			continue;
		if ((rc = erase(s, &x, in, e)) != SAT_OK)
			return rc;
		any = true;
	}
	if (!any)
		return SAT_OK;
	if ((rc = finish(s, e)) != SAT_OK)
		return rc;
	return sat_srv_begin(s, e);
}

sat_rc
sat_srv_ledger(sat_server *s, sat_server_session *x, const sat_ledger *in,
    sat_buf *reply, sat_err *e)
{
	const sat_store *st = &s->env.store;
	sat_msg m = { .type = SAT_MSG_LEDGER_IS };
	entries l = { .s = s };
	const sat_user *user;
	uint64_t after = in->after;
	sat_rc rc;

	if ((rc = sat_srv_session_user(&user, s, x, e)) != SAT_OK ||
	    (rc = sat_srv_ledger_take(s, in, e)) != SAT_OK)
		return rc;
	if ((rc = st->ledger_after(st->u, after, on_entry, &l, e)) != SAT_OK)
		return rc;
	m.u.ledger = (sat_ledger){ after, s->ledger_rev, l.e, l.n };
	sat_msg_write(reply, &m);
	return SAT_OK;
}

sat_rc
sat_srv_erased(sat_server *s, sat_server_session *x, const sat_erased *in,
    sat_buf *reply, sat_err *e)
{
	const sat_store *st = &s->env.store;
	sat_msg m = { .type = SAT_MSG_ERASED_OK };
	const sat_user *user;
	bool good;
	sat_rc rc;

	if ((rc = sat_srv_session_user(&user, s, x, e)) != SAT_OK)
		return rc;
	sat_buf_reset(&s->scratch);
	sat_erased_bytes(&s->scratch, &s->env.org, x->device, in->rev);
	good = in->rev <= s->ledger_rev && sat_sign_ok(in->sig,
	    sat_buf_span(&s->scratch), x->sign_pk);
	if (!good)
		return sat_fail_code(e, SAT_EINTEGRITY, "signature", NULL,
		    "a receipt does not fit its device or the ledger");
	if ((rc = st->receipt_put(st->u, x->device, in->rev, in->sig,
	    sat_wall_ms(&s->env.clock), e)) != SAT_OK ||
	    (rc = sat_srv_commit(s, e)) != SAT_OK)
		return rc;
	if (in->rev > x->ledger)
		x->ledger = in->rev;
	sat_msg_write(reply, &m);
	return SAT_OK;
}
