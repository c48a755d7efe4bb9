/*
 * server_hand.c - late work that is not merged: it becomes a suggestion on the
 * record it concerned, and whoever is responsible now decides (P-164..P-168).
 *
 * Who lost a customer while he was offline gets his notes in when he wrote them
 * soon after (`late`). What came much later, or by a clock nobody believes,
 * would surprise the new owner, and refusing it would lose it.
 *
 * Invariants, named in the tests:
 *   D1  a commit answered HANDOVER is in the log, word for word, in a commit of
 *       the server's own made in the same transaction.
 *   D2  a suggestion stands on a record whoever sees it may see all of: what
 *       concerned an owned child stands on that child.
 *   D3  nobody suggests anything on a record he never could see.
 */
#include "protocol/server_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/template/gate.h"

#define GRACE_H_DEFAULT 72
#define HOUR_MS ((int64_t)3600 * 1000)

static sat_rc
refuse(const judging *j, size_t op, const char *slug)
{
	return sat_srv_refuse(j->a, op, SAT_VD_REJECTED, slug,
	    sat_srv_ask(j->a));
}

/* ---- soon enough? -------------------------------------------------------------- */

static int64_t
grace_ms(const sat_template *t)
{
	const sat_json *doc = t == NULL ? NULL :
	    sat_template_doc(t, "policy/handover.json");
	int64_t h = sat_json_get_int(doc, "grace_h", GRACE_H_DEFAULT);

	return (h < 0 ? 0 : h > 24 * 366 ? 24 * 366 : h) * HOUR_MS;
}

/* Between what the author's clock said and when the server learnt of the loss.
 * A loss the log does not hold any more is long ago. */
sat_rc
sat_srv_in_grace(bool *yes, judging *j, sat_err *e)
{
	const sat_store *st = &j->s->env.store;
	const sat_commit *c = j->c;
	sat_log_row row;
	sat_rc rc;

	*yes = false;
	if ((c->flags & SAT_CF_CLOCK_SUSPECT) != 0)
		return SAT_OK;
	rc = st->log_get(&row, &j->s->txn, st->u, j->lost_lsn, e);
	if (rc == SAT_ENOTFOUND)
		return SAT_OK;
	if (rc == SAT_OK)
		*yes = sat_hlc_ms(c->hlc) <= row.received_ms +
		    grace_ms(j->tip);
	return rc;
}

/* ---- the suggestions ------------------------------------------------------------- */

/* D2. w NULL: it exists only in another suggestion on the subject. */
static sat_rc
carrier_of(wrec **on, sat_server *s, wrec *w, const sat_id *subject, sat_err *e)
{
	const sat_kind *k = w == NULL ? NULL : sat_srv_kind(s, w->kind);
	sat_rc rc = SAT_OK;

	*on = w;
	if (w == NULL || (w->fresh && w->root == w->eid))
		rc = sat_set_by_id(on, s, subject, e);
	else if (w->root != w->eid &&
	    (w->fresh || k == NULL || k->scope != SAT_SCOPE_OWNED))
		rc = sat_set_by_eid(on, s, w->root, e);
	return rc == SAT_OK && (*on)->exists && !(*on)->fresh ?
	    sat_set_decode(*on, s, e) : rc;
}

/* What the commit wanted with the records this one stands for. */
static sat_span
payload_of(sat_server *s, const merging *m, wrec *const *on, const wrec *w)
{
	sat_commit part = { .subject = w->id };
	size_t n = 0;

	for (size_t i = 0; i < m->c->nops; i++)
		n += on[i] == w;
	part.ops = sat_arena_alloc(&s->txn, n * sizeof *part.ops);
	for (size_t i = 0; i < m->c->nops; i++)
		if (on[i] == w)
			part.ops[part.nops++] = sat_op_bare(&m->c->ops[i]);
	sat_buf_reset(&s->scratch);
	sat_commit_write_payload(&s->scratch, &part);
	return sat_span_of(sat_arena_dup(&s->txn, s->scratch.p, s->scratch.n),
	    s->scratch.n);
}

/* A copied folder hands the same work over twice. */
static bool
there_already(sat_server *s, const wrec *w, const sat_handed *h)
{
	const sat_cell *c = sat_record_cell(&w->r, SAT_SYS_HANDED);
	sat_handed *list;
	size_t n = c == NULL ? 0 : sat_cell_handed(&list, &s->txn, c);

	for (size_t i = 0; i < n; i++)
		if (list[i].dev == h->dev && list[i].hlc == h->hlc &&
		    sat_span_eq(list[i].ops, h->ops))
			return true;
	return false;
}

static sat_rc
suggest(hands *out, const admission *a, const merging *m, wrec *const *on,
    wrec *w)
{
	sat_server *s = m->s;
	sat_handed h = { .dev = m->c->device, .hlc = m->c->hlc,
		.actor = sat_span_str(a->actor->key),
		.why = sat_span_str("late"),
		.ops = payload_of(s, m, on, w) };
	sat_span v;

	if (there_already(s, w, &h))
		return SAT_OK;
	sat_buf_reset(&s->scratch);
	sat_handed_write(&s->scratch, &h);
	v = sat_span_of(sat_arena_dup(&s->txn, s->scratch.p, s->scratch.n),
	    s->scratch.n);
	if (v.n > SAT_VALUE_MAX || !sat_handed_room(&w->r, &s->txn, h.ops.n))
		return sat_srv_refuse(a, w->first_op, SAT_VD_REJECTED,
		    "handover.full", sat_srv_ask(a));
	out->ops[out->n++] = (sat_op){ .kind = SAT_OP_HAND, .rtype = w->kind,
		.field = SAT_SYS_HANDED, .rec = w->id,
		.value = sat_v_bytes(v) };
	return SAT_OK;
}

/* Each suggestion takes more than the operations in it. What fails in a commit
 * of the server's own would fail every push of this device (O2). */
static bool
fit_commit(sat_server *s, const hands *h)
{
	sat_commit c = { .subject = h->subject, .ops = h->ops, .nops = h->n };

	sat_buf_reset(&s->scratch);
	sat_commit_write_payload(&s->scratch, &c);
	return s->scratch.n <= SAT_COMMIT_BYTES_MAX;
}

sat_rc
sat_srv_hand_over(hands *h, const admission *a, const merging *m, sat_err *e)
{
	sat_server *s = m->s;
	size_t n = m->c->nops;
	wrec **on = sat_arena_alloc(&s->txn, n * sizeof *on), *root;
	sat_rc rc;

	*h = (hands){ .ops = sat_arena_alloc(&s->txn, n * sizeof *h->ops) };
	for (size_t i = 0; i < n; i++) {
		if ((rc = carrier_of(&on[i], s, m->of[i], &m->c->subject,
		    e)) != SAT_OK)
			return rc;
		if (!on[i]->exists || on[i]->fresh)
			return sat_srv_refuse(a, i, SAT_VD_REJECTED, "denied",
			    sat_srv_ask(a));
	}
	if ((rc = sat_set_by_eid(&root, s, on[0]->root, e)) != SAT_OK)
		return rc;
	h->subject = root->id;
	for (size_t i = 0; i < n; i++) {
		bool again = false;

		for (size_t k = 0; k < i; k++)
			again |= on[k] == on[i];
		if (!again && (rc = suggest(h, a, m, on, on[i])) != SAT_OK) {
			h->n = 0;
			return rc;
		}
	}
	if (!fit_commit(s, h)) {
		h->n = 0;
		return sat_srv_refuse(a, 0, SAT_VD_REJECTED, "handover.full",
		    sat_srv_ask(a));
	}
	return sat_srv_refuse(a, 0, SAT_VD_HANDOVER, "handover",
	    sat_srv_hint(s, "HANDED_TO", root->owner.type == SAT_V_TEXT ?
	    root->owner.s : sat_span_str("")));
}

/* ---- what exists in suggestions only ------------------------------------------------- */

static int
by_id(const void *a, const void *b)
{
	return memcmp(((const sat_id *)a)->b, ((const sat_id *)b)->b,
	    sizeof ((const sat_id *)a)->b);
}

/* What a suggestion would make, behind what others would. */
static void
add_made(suggested *x, sat_server *s, const sat_commit *part)
{
	for (size_t i = 0; i < part->nops; i++) {
		const sat_id *id = &part->ops[i].rec;

		if (part->ops[i].kind != SAT_OP_NEW ||
		    (x->n > 0 && sat_id_eq(&x->made[x->n - 1], id)))
			continue;
		SAT_ARENA_GROW(x->made, x->n, x->cap, &s->txn);
		x->made[x->n++] = *id;
	}
}

/* Operations take many times the bytes they had on the wire: one suggestion's
 * are here at a time, and nothing of them stays but ids. */
static sat_rc
read_suggested(suggested *x, sat_server *s, const sat_commit *c, sat_err *e)
{
	const sat_cell *cell;
	sat_arena tmp = { 0 };
	sat_handed *list;
	wrec *subject;
	size_t n;
	sat_rc rc;

	x->read = true;
	if ((rc = sat_set_by_id(&subject, s, &c->subject, e)) != SAT_OK ||
	    !subject->exists || subject->fresh ||
	    (rc = sat_set_decode(subject, s, e)) != SAT_OK ||
	    (cell = sat_record_cell(&subject->r, SAT_SYS_HANDED)) == NULL)
		return rc;
	n = sat_cell_handed(&list, &s->txn, cell);
	for (size_t i = 0; i < n; i++) {
		sat_commit part = { .subject = subject->id };

		if (list[i].dev == c->device && sat_commit_read_payload(&part,
		    &tmp, list[i].ops, NULL) == SAT_OK)
			add_made(x, s, &part);
		sat_arena_reset(&tmp);
	}
	sat_arena_fini(&tmp);
	if (x->n > 0)
		qsort(x->made, x->n, sizeof *x->made, by_id);
	return SAT_OK;
}

sat_rc
sat_srv_suggested(bool *yes, suggested *x, sat_server *s, const sat_commit *c,
    const sat_id *rec, sat_err *e)
{
	sat_rc rc = x->read ? SAT_OK : read_suggested(x, s, c, e);

	*yes = rc == SAT_OK && x->n > 0 &&
	    bsearch(rec, x->made, x->n, sizeof *x->made, by_id) != NULL;
	return rc;
}

/* Nothing of it is merged, so nobody asks what its author may do; but he neither
 * speaks of what he could not see, nor learns whose it is by what he is told. */
static sat_rc
judge_following(judging *j, const merging *m, sat_err *e)
{
	bool yes, late;
	size_t i;
	sat_rc rc;

	for (wrec *w = m->touched; w != NULL; w = w->next_touched) {
		if (w->fresh)
			continue;
		if ((rc = sat_srv_could_see(&yes, &late, j, w, e)) != SAT_OK)
			return rc;
		if (!yes)
			return refuse(j, w->first_op, "denied");
	}
	i = sat_srv_veiled_op(j, m);
	return i == SIZE_MAX ? SAT_OK : refuse(j, i, "masked");
}

sat_rc
sat_srv_follow(hands *h, judging *j, const merging *m, sat_err *e)
{
	sat_rc rc = judge_following(j, m, e);

	return rc != SAT_OK ? rc : sat_srv_hand_over(h, j->a, m, e);
}

/* ---- what devices say of suggestions ------------------------------------------------- */

/* His own, on a record he could see when he wrote it; nothing else in the
 * commit, which needs no right but this. */
static sat_rc
judge_hand(judging *j, wrec *w, size_t i, sat_err *e)
{
	const sat_commit *c = j->c;
	sat_commit part = { .subject = w->id };
	bool yes, veiled, late = false;
	sat_arena tmp = { 0 };
	sat_handed h;
	sat_rc rc;

	for (size_t k = 0; k < c->nops; k++)
		if (c->ops[k].kind != SAT_OP_HAND)
			return refuse(j, k, "invalid");
	yes = sat_handed_read(&h, c->ops[i].value.s, NULL) == SAT_OK &&
	    sat_commit_read_payload(&part, &tmp, h.ops, NULL) == SAT_OK &&
	    h.dev == c->device &&
	    sat_span_eq(h.actor, sat_span_str(j->a->actor->key));
	veiled = yes && sat_srv_hand_veiled(j, &part);
	sat_arena_fini(&tmp);
	if (!yes || veiled)
		return refuse(j, i, yes ? "masked" : "invalid");
	if ((rc = sat_srv_could_see(&yes, &late, j, w, e)) != SAT_OK)
		return rc;
	return yes ? SAT_OK : refuse(j, i, "denied");
}

/* Whoever may edit the record now may answer. */
static sat_rc
judge_settle(judging *j, wrec *w, size_t i, sat_err *e)
{
	const sat_template *t = j->tip != NULL ? j->tip : j->t;
	const sat_kind *k = sat_template_kind_id(t, w->kind);
	sat_relation rel;
	bool visible;
	char action[96];
	sat_rc rc;

	if ((rc = sat_srv_visible(&visible, j->s, w, j->mine, e)) != SAT_OK ||
	    (rc = sat_srv_relation(&rel, j, w, e)) != SAT_OK)
		return rc;
	if (k == NULL || !visible)
		return refuse(j, i, "denied");
	(void)snprintf(action, sizeof action, "%s.edit", k->key);
	return sat_grant_covers(sat_acl(t, j->a->actor->role, action), rel) ?
	    sat_srv_note_settled(j, w, i) : refuse(j, i, "denied");
}

sat_rc
sat_srv_judge_hand(judging *j, wrec *w, sat_err *e)
{
	const sat_commit *c = j->c;
	sat_rc rc;

	for (size_t i = w->first_op; i != SIZE_MAX; i = j->next_op[i]) {
		if (!sat_op_is_hand(&c->ops[i]))
			continue;
		rc = c->ops[i].kind == SAT_OP_HAND ?
		    judge_hand(j, w, i, e) : judge_settle(j, w, i, e);
		if (rc != SAT_OK)
			return rc;
	}
	return SAT_OK;
}
