/*
 * server_reveal.c - one hidden value, shown once to somebody who says why
 * (P-248).
 *
 * Who has `reveal` for a record but is not shown a field of it asks the server:
 * his device does not hold the value. Before the value leaves, a record
 * `disclosure` that names who, what and why is in the log, as a commit of the
 * server's own, so the one asking can neither leave it out nor take it back.
 */
#include "protocol/server_int.h"

#include <stdio.h>
#include <string.h>

#define DISCLOSURE "disclosure"
#define REASON_MIN 2

typedef struct reveal {
	sat_server *s;
	const sat_user *user;
	const sat_reveal *in;
	sat_keys keys;
	const sat_kind *k;
	const sat_field *f;
	wrec *w, *customer; /* customer NULL: it belongs to none */
} reveal;

/* ---- may he? --------------------------------------------------------------------- */

static bool
is_text(const sat_record *r, const sat_field *f, const char *text)
{
	sat_value v = sat_record_value(r, f->id);

	return v.type == SAT_V_TEXT && sat_span_eq(v.s, sat_span_str(text));
}

typedef struct tickets {
	const reveal *x;
	const sat_kind *k;
	const sat_field *state, *handler;
	bool open;
	sat_err *e;
	sat_rc rc;
} tickets;

static bool
on_record(void *u, const sat_rec_row *row)
{
	tickets *t = u;
	sat_record r;
	wrec *w;

	if (row->kind != t->k->id)
		return true;
	w = sat_set_of_row(t->x->s, row);
	if ((t->rc = sat_record_read(&r, &t->x->s->txn, w->state, t->e)) !=
	    SAT_OK)
		return false;
	t->open = !r.deleted && is_text(&r, t->handler, t->x->user->key) &&
	    !is_text(&r, t->state, "resolved") && !is_text(&r, t->state, "closed");
	return !t->open;
}

/* Does a ticket of the customer wait for him? */
static sat_rc
has_ticket(bool *yes, const reveal *x, sat_err *e)
{
	const sat_store *st = &x->s->env.store;
	tickets t = { .x = x, .k = sat_template_kind(x->s->tip, "ticket"),
		.e = e };
	sat_rc rc;

	*yes = false;
	t.state = t.k != NULL ? sat_kind_field(t.k, "state") : NULL;
	t.handler = t.k != NULL ? sat_kind_field(t.k, "handler") : NULL;
	if (x->customer == NULL || t.state == NULL || t.handler == NULL)
		return SAT_OK;
	if ((rc = st->rec_of_root(st->u, x->customer->root, on_record, &t,
	    e)) == SAT_OK)
		rc = t.rc;
	*yes = t.open;
	return rc;
}

static sat_rc
may_reveal(const reveal *x, sat_err *e)
{
	const sat_template *t = x->s->tip;
	sat_commit none = { .device = 0 };
	admission a = { .s = x->s, .actor = x->user, .c = &none };
	judging j = { .s = x->s, .a = &a, .t = t, .tip = t, .mine = &x->keys };
	sat_grant g = sat_acl(t, x->user->role, "reveal");
	sat_relation rel;
	bool yes = false;
	char action[96];
	sat_rc rc;

	if ((rc = sat_srv_relation(&rel, &j, x->w, e)) != SAT_OK)
		return rc;
	(void)snprintf(action, sizeof action, "%s.view", x->k->key);
	if (sat_acl(t, x->user->role, action) != SAT_GRANT_NO)
		yes = sat_grant_covers(g, rel) || sat_grant_covers(sat_acl(t,
		    x->user->role, "phone.reveal"), rel);
	if (!yes && g == SAT_GRANT_OWN && (rc = has_ticket(&yes, x, e)) !=
	    SAT_OK)
		return rc;
	return yes ? SAT_OK : sat_fail_code(e, SAT_EDENIED, "denied", g ==
	    SAT_GRANT_OWN ? "open a ticket with yourself as handler" : NULL,
	    "the role %s may not see %s of this record", x->user->role,
	    x->f->key);
}

/* ---- what is asked for ------------------------------------------------------------- */

static sat_rc
find(reveal *x, sat_err *e)
{
	const sat_kind *root = sat_template_kind(x->s->tip, "account");
	bool yes = false, pool = false;
	sat_rc rc;

	if ((rc = sat_set_by_id(&x->w, x->s, &x->in->rec, e)) != SAT_OK ||
	    (x->w->exists && ((rc = sat_srv_visible(&yes, x->s, x->w, &x->keys,
	    e)) != SAT_OK || (rc = sat_srv_masked(&pool, x->s, x->w, &x->keys,
	    e)) != SAT_OK || (rc = sat_set_decode(x->w, x->s, e)) != SAT_OK)))
		return rc;
	x->k = yes ? sat_template_kind_id(x->s->tip, x->w->kind) : NULL;
	x->f = x->k != NULL ? sat_kind_field_id(x->k, x->in->field) : NULL;
	if (x->f == NULL)
		return sat_fail(e, SAT_ENOTFOUND,
		    "the server has no such record or field for you");
	if (pool)
		return sat_fail_code(e, SAT_EDENIED, "masked",
		    "claim the customer first", "a pool hides this record");
	if (sat_mask_field(x->keys.mask, x->w->kind, x->f->id) == NULL &&
	    x->f->mask == NULL)
		return sat_fail_code(e, SAT_EUSAGE, "usage", NULL,
		    "%s is shown to everybody who sees the record", x->f->key);
	if ((rc = sat_set_by_eid(&x->customer, x->s, x->w->root, e)) != SAT_OK)
		return rc;
	if (root == NULL || x->customer->kind != root->id)
		x->customer = NULL;
	return SAT_OK;
}

/* ---- written down ------------------------------------------------------------------- */

static void
put(sat_op *ops, size_t *n, const sat_kind *k, const sat_id *id,
    const char *key, sat_value v)
{
	const sat_field *f = sat_kind_field(k, key);

	if (f != NULL)
		ops[(*n)++] = (sat_op){ .kind = SAT_OP_SET, .rtype = k->id,
			.rec = *id, .field = f->id, .value = v };
}

static sat_value
text(sat_server *s, const char *t)
{
	return sat_v_text(sat_span_of(sat_arena_dup(&s->txn, t, strlen(t)),
	    strlen(t)));
}

/* Below the customer; what belongs to none stands for itself. */
static sat_rc
write_down(sat_id *id, const reveal *x, sat_err *e)
{
	const sat_kind *k = sat_template_kind(x->s->tip, DISCLOSURE);
	int64_t now = sat_wall_ms(&x->s->env.clock);
	sat_value at = sat_v_int(now);
	char rec[SAT_ID_TEXT];
	uint8_t random[8];
	sat_op *ops = sat_arena_alloc(&x->s->txn, 12 * sizeof *ops);
	size_t n = 0;
	uint64_t lsn;

	if (k == NULL)
		return sat_fail(e, SAT_ENOTFOUND, "the template has no kind "
		    "%s: what cannot be noted is not shown", DISCLOSURE);
	x->s->env.rand.bytes(x->s->env.rand.u, random, sizeof random);
	*id = sat_id_make(now, SAT_DEV_SERVER, random);
	ops[n++] = (sat_op){ .kind = SAT_OP_NEW, .rtype = k->id, .rec = *id };
	if (x->customer != NULL && k->parent != NULL)
		put(ops, &n, k, id, k->parent->key, sat_v_id(&x->customer->id));
	sat_id_text(rec, &x->w->id);
	put(ops, &n, k, id, "of_kind", text(x->s, x->k->key));
	put(ops, &n, k, id, "of_record", text(x->s, rec));
	put(ops, &n, k, id, "of_field", text(x->s, x->f->key));
	put(ops, &n, k, id, "reason", sat_v_text(x->in->reason));
	put(ops, &n, k, id, "revealed_by", text(x->s, x->user->key));
	put(ops, &n, k, id, "revealed_at", at);
	put(ops, &n, k, id, "created_at", at);
	put(ops, &n, k, id, "created_by", text(x->s, x->user->key));
	return sat_srv_own(x->s, x->customer != NULL ? &x->customer->id : id,
	    ops, n, &lsn, e);
}

sat_rc
sat_srv_reveal(sat_server *s, sat_server_session *x, const sat_user *user,
    const sat_reveal *in, sat_buf *reply, sat_err *e)
{
	sat_msg m = { .type = SAT_MSG_REVEALED };
	reveal v = { .s = s, .user = user, .in = in };
	sat_rc rc = sat_srv_session_keys(&v.keys, s, x, user, e);

	if (rc != SAT_OK)
		return rc;
	if (s->tip == NULL)
		return sat_fail(e, SAT_ENOTFOUND, "there is no template yet");
	if (in->reason.n < REASON_MIN ||
	    !sat_utf8_ok(in->reason.p, in->reason.n))
		return sat_fail_code(e, SAT_EUSAGE, "usage.reason", NULL,
		    "say why, in %d to %d bytes", REASON_MIN,
		    SAT_REVEAL_REASON_MAX);
	if ((rc = find(&v, e)) != SAT_OK || (rc = may_reveal(&v, e)) != SAT_OK)
		return rc;
	m.u.revealed.value = sat_record_value(&v.w->r, v.f->id);
	if ((rc = write_down(&m.u.revealed.disclosure, &v, e)) != SAT_OK)
		return rc;
	sat_msg_write(reply, &m);
	/* First known, then shown. */
	if ((rc = sat_srv_commit(s, e)) != SAT_OK ||
	    (rc = sat_srv_begin(s, e)) != SAT_OK)
		return rc;
	return SAT_OK;
}
