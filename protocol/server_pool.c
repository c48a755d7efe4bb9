/*
 * server_pool.c - the public pool: who may claim and release, and what is taken
 * back (P-150 to P-157).
 *
 * The server's order decides a claim, never a stamp: a clock can be set back.
 * All limits are counted here, when a claim is merged; what a device shows
 * before is a guess.
 */
#include "protocol/server_int.h"
#include "protocol/bugs.h"

#include <stdio.h>
#include <string.h>

#define DAY_MS 86400000ll
/* Customers looked at together. */
#define RECLAIM_AT_ONCE 500

/* ---- claims ------------------------------------------------------------------------ */

static sat_rc
refuse(const judging *j, size_t op, const char *slug, const char *code,
    const char *arg)
{
	return sat_srv_refuse(j->a, op, SAT_VD_REJECTED, slug,
	    sat_srv_hint(j->s, code, sat_span_str(arg)));
}

/* "ann 2027-01-15T08:00:00Z" */
static sat_rc
refuse_until(const judging *j, size_t op, const char *slug, const char *code,
    sat_span who, int64_t ms)
{
	char when[32], text[140];

	sat_time_rfc3339(when, ms);
	(void)snprintf(text, sizeof text, "%.*s%s%s", (int)who.n,
	    who.n > 0 ? (const char *)who.p : "", who.n > 0 ? " " : "", when);
	return refuse(j, op, slug, code, text);
}

/* P-154: kept for the author (then *mine), or for somebody else. */
static sat_rc
check_hold(bool *mine, judging *j, const wrec *w, size_t op, sat_err *e)
{
	const sat_store *st = &j->s->env.store;
	const sat_user *u;
	uint32_t user;
	int64_t until;
	sat_rc rc;

	*mine = false;
	if ((rc = st->hold_get(&user, &until, st->u, w->eid, e)) != SAT_OK ||
	    user == 0 || until <= sat_wall_ms(&j->s->env.clock) ||
	    SAT_BUG(SAT_BUG_HOLD_IGNORED))
		return rc;
	*mine = user == j->a->actor->ord;
	if (*mine)
		return SAT_OK;
	u = sat_registry_user_ord(&j->s->reg, user);
	return refuse_until(j, op, "claim.held", "HELD_BY",
	    sat_span_str(u != NULL ? u->key : ""), until);
}

static int64_t
day_start(const sat_server *s, int64_t now)
{
	int64_t zone = (int64_t)sat_template_tz_min(s->tip) * 60000;

	return (now + zone) / DAY_MS * DAY_MS - zone;
}

static bool
on_hold(void *u, uint32_t eid, int64_t until_ms)
{
	(void)eid;
	(void)until_ms;
	++*(uint64_t *)u;
	return true;
}

/* When he may have it again who lost it; 0: now. */
static sat_rc
cooling(int64_t *until, sat_server *s, const sat_user *me, const sat_pool *p,
    const wrec *w, sat_err *e)
{
	const sat_store *st = &s->env.store;
	sat_log_row row;
	uint64_t lsn;
	sat_rc rc;

	*until = 0;
	if ((rc = st->owner_left_lsn(&lsn, st->u, w->eid,
	    sat_span_str(me->key), e)) != SAT_OK || lsn == 0)
		return rc;
	rc = st->log_get(&row, &s->txn, st->u, lsn, e);
	if (rc == SAT_ENOTFOUND) /* a state a device gave back (P-204): long ago */
		return SAT_OK;
	if (rc == SAT_OK)
		*until = row.received_ms + p->prev_owner_cooldown_d * DAY_MS;
	return rc;
}

/* P-153: per day, in all, and after having lost it. What is kept for him counts
 * as claimed: his claim of it is not to fail, nor to be one too many. */
sat_rc
sat_srv_pool_limits(const char **slug, int64_t *until, sat_server *s,
    const sat_user *me, const sat_pool *p, const wrec *w, sat_err *e)
{
	const sat_store *st = &s->env.store;
	const sat_cell *in = sat_record_cell(&w->r, SAT_SYS_POOL);
	int64_t now = sat_wall_ms(&s->env.clock);
	uint64_t n, kept = 0;
	sat_rc rc;

	*slug = "claim.protected";
	*until = sat_hlc_ms(in->at.hlc) + p->new_entry_protect_d * DAY_MS;
	if (p->new_entry_protect_d > 0 && now < *until)
		return SAT_OK;
	*slug = "claim.daily";
	*until = day_start(s, now) + DAY_MS;
	if ((rc = st->holds_of(st->u, me->ord, now, on_hold, &kept, e)) !=
	    SAT_OK ||
	    (rc = st->claims_since(&n, st->u, me->ord, day_start(s, now), e)) !=
	    SAT_OK || (p->daily_claim > 0 &&
	    n + kept >= (uint64_t)p->daily_claim))
		return rc;
	*slug = "claim.limit";
	*until = 0;
	if ((rc = sat_set_roots_count(&n, s, sat_key_user(me->ord), e)) !=
	    SAT_OK || (p->hold_limit > 0 &&
	    n + kept >= (uint64_t)p->hold_limit))
		return rc;
	*slug = "claim.cooldown";
	if ((rc = cooling(until, s, me, p, w, e)) == SAT_OK && now >= *until)
		*slug = NULL;
	return rc;
}

static sat_rc
check_limits(judging *j, const sat_pool *p, const wrec *w, size_t op,
    sat_err *e)
{
	const char *slug;
	int64_t until;
	sat_rc rc = sat_srv_pool_limits(&slug, &until, j->s, j->a->actor, p, w,
	    e);

	if (rc != SAT_OK || slug == NULL || SAT_BUG(SAT_BUG_CLAIM_UNLIMITED))
		return rc;
	return until == 0 ? sat_srv_refuse(j->a, op, SAT_VD_REJECTED, slug,
	    sat_srv_ask(j->a)) : refuse_until(j, op, slug, "NOT_BEFORE",
	    (sat_span){ NULL, 0 }, until);
}

static sat_rc
judge_claim(judging *j, wrec *w, size_t i, sat_err *e)
{
	const sat_op *op = &j->c->ops[i];
	const sat_user *me = j->a->actor;
	const sat_cell *owner = sat_record_cell(&w->r, op->field);
	sat_value pool = sat_record_value(&w->r, SAT_SYS_POOL);
	const sat_pool *p;
	bool mine;
	sat_rc rc;

	if (!sat_value_eq(op->value, sat_v_text(sat_span_str(me->key))) ||
	    sat_acl(j->s->tip, me->role, "pool.claim") == SAT_GRANT_NO)
		return sat_srv_refuse(j->a, i, SAT_VD_REJECTED, "denied",
		    sat_srv_ask(j->a));
	if (sat_value_eq(w->owner, op->value))
		return SAT_OK; /* so it is already */
	if (w->owner.type == SAT_V_TEXT)
		return refuse_until(j, i, "claim.lost", "CLAIMED_BY", w->owner.s,
		    owner != NULL ? sat_hlc_ms(owner->at.hlc) : 0);
	p = pool.type == SAT_V_TEXT ? sat_pool_by_key(j->s->tip, pool.s) : NULL;
	if (p == NULL || w->r.deleted ||
	    !sat_scope_pool_member(&j->s->reg, me, p))
		return sat_srv_refuse(j->a, i, SAT_VD_REJECTED, "denied",
		    sat_srv_ask(j->a));
	if ((rc = check_hold(&mine, j, w, i, e)) != SAT_OK || mine)
		return rc; /* guaranteed: counted when it was reserved */
	return check_limits(j, p, w, i, e);
}

static sat_rc
judge_release(judging *j, wrec *w, size_t i, sat_err *e)
{
	const sat_op *op = &j->c->ops[i];
	sat_grant may = sat_acl(j->s->tip, j->a->actor->role, "pool.release");
	sat_relation rel;
	sat_rc rc;

	if ((rc = sat_srv_relation(&rel, j, w, e)) != SAT_OK)
		return rc;
	if (may == SAT_GRANT_NO || rel == SAT_REL_NONE ||
	    (rel == SAT_REL_TEAM && may == SAT_GRANT_OWN) ||
	    (rel == SAT_REL_ALL && may != SAT_GRANT_ALL))
		return sat_srv_refuse(j->a, i, SAT_VD_REJECTED, "denied",
		    sat_srv_ask(j->a));
	if (sat_pool_by_key(j->s->tip, op->value.s) == NULL)
		return sat_srv_refuse(j->a, i, SAT_VD_REJECTED, "pool.unknown",
		    "");
	return SAT_OK;
}

sat_rc
sat_srv_judge_pool(judging *j, wrec *w, sat_err *e)
{
	size_t n = 0, of_pool = 0;
	const sat_kind *k;
	sat_rc rc;

	for (size_t i = w->first_op; i != SIZE_MAX; i = j->next_op[i], n++)
		of_pool += sat_op_is_pool(&j->c->ops[i]);
	if (of_pool == 0)
		return SAT_OK;
	k = j->s->tip != NULL ? sat_pool_kind(j->s->tip) : NULL;
	for (size_t i = w->first_op; i != SIZE_MAX; i = j->next_op[i]) {
		const sat_op *op = &j->c->ops[i];

		if (n != 1 || k == NULL || w->kind != k->id ||
		    op->field != k->owner->id || w->fresh)
			return sat_srv_refuse(j->a, i, SAT_VD_REJECTED,
			    "invalid", "");
		rc = op->kind == SAT_OP_CLAIM ? judge_claim(j, w, i, e) :
		    judge_release(j, w, i, e);
		if (rc != SAT_OK)
			return rc;
	}
	return SAT_OK;
}

/*
 * P-156: who claimed a customer and has not been shown it whole yet (his claim
 * lies above what he had seen) still sees the pool's view.
 */
sat_rc
sat_srv_judge_masked(judging *j, wrec *w, sat_err *e)
{
	const sat_store *st = &j->s->env.store;
	const sat_kind *k = sat_srv_kind(j->s, w->kind);
	const sat_cell *owner;
	sat_log_row row;
	sat_commit c;
	const sat_pool *p = NULL;
	sat_rc rc;

	if (j->s->tip == NULL || sat_pools(j->s->tip) == 0 || w->fresh ||
	    w->root != w->eid || k == NULL || k->owner == NULL)
		return SAT_OK;
	owner = sat_record_cell(&w->r, k->owner->id);
	if (owner == NULL || owner->at.lsn <= sat_srv_seen_of(j, w) ||
	    owner->at.dev != j->c->device)
		return SAT_OK;
	rc = st->log_get(&row, &j->s->txn, st->u, owner->at.lsn, e);
	if (rc == SAT_ENOTFOUND) /* a state a device gave back (P-204), whole */
		return SAT_OK;
	if (rc != SAT_OK || (rc = sat_commit_read(&c, &j->s->txn, row.header,
	    row.payload, e)) != SAT_OK)
		return rc;
	if (c.nops == 0 || c.ops[0].kind != SAT_OP_CLAIM)
		return SAT_OK;
	for (size_t i = w->first_op; i != SIZE_MAX; i = j->next_op[i])
		for (size_t n = 0; n < sat_pools(j->s->tip); n++) {
			p = sat_pool_at(j->s->tip, n);
			for (size_t h = 0; h < p->nhidden; h++)
				if (p->hidden[h]->id == j->c->ops[i].field)
					return sat_srv_refuse(j->a, i,
					    SAT_VD_REJECTED, "masked", "");
		}
	return SAT_OK;
}

/* Who gets a customer of a pool uses up what was kept of it (P-154). */
static sat_rc
end_hold(const merging *m, const wrec *w, sat_err *e)
{
	const sat_store *st = &m->s->env.store;
	uint32_t user;
	int64_t until;
	sat_rc rc = st->hold_get(&user, &until, st->u, w->eid, e);

	return rc != SAT_OK || until <= 0 ? rc :
	    st->hold_put(st->u, w->eid, user, 0, e);
}

sat_rc
sat_srv_claimed(const admission *a, const merging *m, sat_err *e)
{
	const sat_store *st = &m->s->env.store;
	sat_rc rc;

	for (size_t i = 0; i < m->c->nops; i++) {
		const wrec *w = m->of[i];
		bool claim = m->c->ops[i].kind == SAT_OP_CLAIM;

		if ((!claim && m->c->ops[i].kind != SAT_OP_REASSIGN) ||
		    !w->changed || w->owner.type != SAT_V_TEXT)
			continue;
		if ((rc = end_hold(m, w, e)) != SAT_OK)
			return rc;
		if (claim && (rc = st->claim_put(st->u, a->actor->ord, w->eid,
		    m->lsn, m->clamp.now_ms, e)) != SAT_OK)
			return rc;
	}
	return SAT_OK;
}

/* ---- taking back ------------------------------------------------------------------------ */

typedef struct due {
	sat_id id;
	const sat_user *owner;
	const sat_pool *pool;
	int64_t ms;
	int days;
	uint64_t lsn; /* that gave it to its owner */
} due;

typedef struct looking {
	sat_server *s;
	const sat_kind *k;
	int64_t now;
	sat_arena tmp;
	const sat_record *r;
	due *list;
	size_t n;
	uint32_t last;
	sat_err *e;
	sat_rc rc;
} looking;

static sat_value
value_of(void *u, const sat_field *f)
{
	const looking *l = u;

	return sat_record_value(l->r, f->id);
}

static bool
look(void *u, const sat_rec_row *row)
{
	looking *l = u;
	const sat_user *owner = row->owner.n == 0 ? NULL :
	    sat_registry_user(&l->s->reg, row->owner);
	const sat_team *team;
	const sat_pool_rule *rule;
	const sat_pool *pool;
	const sat_cell *had;
	sat_pool_facts f;
	sat_record r;
	int64_t ms;

	l->last = row->eid;
	if (row->kind != l->k->id || owner == NULL)
		return true;
	sat_arena_reset(&l->tmp);
	if ((l->rc = sat_record_read(&r, &l->tmp, row->state, l->e)) != SAT_OK)
		return false;
	l->r = &r;
	had = sat_record_cell(&r, l->k->owner->id);
	f = sat_pool_facts_of(l->k, value_of, l, sat_hlc_ms(had != NULL ?
	    had->at.hlc : r.born.hlc), l->now);
	f.exempt = f.exempt || r.deleted ||
	    sat_record_value(&r, SAT_SYS_REDIRECT).type != SAT_V_NULL;
	team = sat_registry_team_ord(&l->s->reg, owner->team);
	rule = sat_pool_due(&ms, &pool, l->s->tip,
	    team != NULL ? team->key : NULL, &f);
	if (rule == NULL || !pool->auto_reclaim || ms > l->now)
		return true;
	l->list[l->n++] = (due){ row->id, owner, pool, ms, rule->no_follow_d,
		had != NULL ? had->at.lsn : 0 };
	return l->n < RECLAIM_AT_ONCE;
}

/* Every live device of the owner spoke after the due instant, or was silent
 * too long: what was followed up without a network would be here. */
static sat_rc
heard_of(bool *yes, sat_server *s, const due *d, int64_t now, sat_err *e)
{
	const sat_store *st = &s->env.store;
	int64_t ms;
	sat_rc rc;

	*yes = now >= d->ms + d->pool->offline_grace_d * DAY_MS;
	for (size_t i = 0; i < s->reg.ndevices && !*yes; i++) {
		const sat_device *dev = &s->reg.devices[i];

		if (dev->user != d->owner->ord || dev->revoked ||
		    dev->waiting)
			continue;
		if ((rc = st->device_heard(&ms, st->u, dev->ord, e)) != SAT_OK)
			return rc;
		if (ms < d->ms)
			return SAT_OK;
	}
	*yes = true;
	return SAT_OK;
}

/* When the customer came to its owner by the server's own clock: the stamp is
 * the device's, whose clock may be far behind. */
static sat_rc
had_long_enough(bool *yes, sat_server *s, const due *d, int64_t now,
    sat_err *e)
{
	const sat_store *st = &s->env.store;
	sat_log_row row;
	sat_rc rc = st->log_get(&row, &s->txn, st->u, d->lsn, e);

	*yes = true;
	if (rc == SAT_ENOTFOUND) /* a state a device gave back (P-204) */
		return SAT_OK;
	if (rc == SAT_OK)
		*yes = now >= row.received_ms + d->days * DAY_MS;
	return rc;
}

static sat_rc
maybe_take_back(looking *l, const due *d, sat_err *e)
{
	sat_server *s = l->s;
	const sat_kind *k = l->k;
	char text[SAT_RELEASE_MAX];
	int n = snprintf(text, sizeof text, "%s\nnot followed up for %d days",
	    d->pool->key, d->days);
	sat_op op = { .kind = SAT_OP_RELEASE, .rtype = k->id,
		.field = k->owner->id, .rec = d->id,
		.value = sat_v_text(sat_span_of(sat_arena_str(&s->txn, text,
		    (size_t)n), (size_t)n)) };
	uint64_t lsn;
	bool yes;
	sat_rc rc = had_long_enough(&yes, s, d, l->now, e);

	if (rc == SAT_OK && yes)
		rc = heard_of(&yes, s, d, l->now, e);
	return rc != SAT_OK || !yes ? rc :
	    sat_srv_own(s, &d->id, &op, 1, &lsn, e);
}

/* The day pools were last run on, and whether one is due now. */
static bool
is_time(const sat_server *s, int64_t now, uint64_t *today)
{
	int64_t local = now + (int64_t)sat_template_tz_min(s->tip) * 60000;
	int hour = (int)(local % DAY_MS / 3600000);

	*today = (uint64_t)(local / DAY_MS);
	for (size_t i = 0; i < sat_pools(s->tip); i++) {
		const sat_pool *p = sat_pool_at(s->tip, i);

		if (p->auto_reclaim && hour >= p->reclaim_hour)
			return true;
	}
	return false;
}

sat_rc
sat_srv_reclaim(sat_server *s, int64_t now, sat_err *e)
{
	const sat_store *st = &s->env.store;
	looking l = { .s = s, .now = now, .e = e };
	uint64_t today, last = 0;
	sat_rc rc;

	if (s->tip == NULL || now <= 0 || !is_time(s, now, &today) ||
	    (l.k = sat_pool_kind(s->tip)) == NULL)
		return SAT_OK;
	if ((rc = st->counter_get(&last, st->u, SAT_N_POOL_DAY, e)) != SAT_OK ||
	    last >= today)
		return rc;
	l.list = sat_arena_alloc(&s->txn, RECLAIM_AT_ONCE * sizeof *l.list);
	do {
		l.n = 0;
		if ((rc = st->rec_scan(st->u, l.last, look, &l, e)) == SAT_OK)
			rc = l.rc;
		for (size_t k = 0; k < l.n && rc == SAT_OK; k++)
			rc = maybe_take_back(&l, &l.list[k], e);
	} while (rc == SAT_OK && l.n == RECLAIM_AT_ONCE);
	sat_arena_fini(&l.tmp);
	return rc != SAT_OK ? rc :
	    st->counter_put(st->u, SAT_N_POOL_DAY, today, e);
}
