/*
 * The public pool (P-150 to P-157): people release, claim and reserve; and who
 * holds a customer, by the log alone and by other code (property 13).
 *
 * Reservations are known from what the server told. One counts as over for good
 * as soon as the server's clock has ever shown its end: a clock that is set back
 * brings none back that another may have been given meanwhile.
 */
#include "tests/sim/act.h"

#include <string.h>

const char sim_pools[] = "{\"pools\":[{\"key\":\"public\",\"label\":{\"zh\":"
    "\"\xe5\x85\xac\xe6\xb5\xb7\",\"en\":\"Public pool\"},\"members\":[\"*\"],"
    "\"hidden_fields\":[\"contact_name\",\"phone_main\",\"address\"],"
    "\"daily_claim\":3,\"hold_limit\":8,\"prev_owner_cooldown_d\":1,"
    "\"new_entry_protect_d\":0,\"auto_reclaim\":true,\"reclaim_hour\":2,"
    "\"offline_grace_d\":7,\"lease_max\":2,\"lease_hours\":24,"
    "\"reclaim\":[{\"no_follow_d\":20,\"warn_before_d\":3}]}]}";

/* ---- the log's word -------------------------------------------------------------------- */

static uint16_t
owner_field(uint16_t kind)
{
	return kind == K_ACCOUNT ? A_OWNER : kind == K_OPP ? O_OWNER : 0;
}

/* Does the operation change who holds it? What its author saw counts for
 * everything but a claim. */
static bool
takes_effect(const world *w, const lop *p, const lop *cur, sat_value owner,
    bool pooled, bool gone)
{
	bool saw = cur == NULL || sim_author_saw(w, p, cur);

	if (p->op->kind == SAT_OP_CLAIM)
		return !gone && owner.type == SAT_V_NULL;
	if (p->op->kind == SAT_OP_RELEASE)
		return !gone && saw && !(owner.type == SAT_V_NULL && pooled);
	return saw;
}

holding
sim_holding(const world *w, const mrec *r, int user)
{
	uint16_t field = owner_field(r->kind);
	holding h = { .owner = -1 };
	sat_value owner = sat_v_null();
	const lop *cur = NULL;
	bool gone = false;

	for (int i = 0; field != 0 && i < r->nops; i++) {
		const lop *p = &w->lops[r->ops[i]];

		if (p->op->kind == SAT_OP_DEL || p->op->kind == SAT_OP_UNDEL)
			gone = p->op->kind == SAT_OP_DEL;
		if (p->op->field != field ||
		    !takes_effect(w, p, cur, owner, h.pooled, gone))
			continue;
		cur = p;
		h.since_ms = w->log[p->lsn].received_ms;
		h.pooled = p->op->kind == SAT_OP_RELEASE;
		owner = h.pooled ? sat_v_null() : p->op->value;
		if (h.owner == user && user >= 0 &&
		    sim_find_user(w, owner) != user)
			h.lost_lsn = p->lsn;
		h.owner = sim_find_user(w, owner);
	}
	return h;
}

static bool
is_live(const world *w, const mrec *r)
{
	return r->held_by >= 0 && r->held_ms > w->server_ms;
}

static int64_t
day_start(int64_t now)
{
	return (now + POOL_TZ_MS) / 86400000 * 86400000 - POOL_TZ_MS;
}

static void
check_limits(world *w, int me, const holding *h, int rec)
{
	int64_t now = sat_wall_ms(&sat_server_env_get(w->server)->clock);
	int today = 0, kept = 0;

	for (int i = 0; i < w->nrecs; i++)
		kept += w->recs[i].held_by == me && is_live(w, &w->recs[i]);
	for (int i = 0; i < w->nclaims; i++)
		today += w->claims[i].user == me &&
		    w->claims[i].at_ms >= day_start(now);
	if (today + kept >= POOL_DAILY)
		sim_fail(w, "property 13: %s claims record %d, and has had %d "
		    "that day, %d are kept for him", w->users[me].key, rec,
		    today, kept);
	if (h->lost_lsn != 0 && now < w->log[h->lost_lsn].received_ms +
	    POOL_COOL_MS)
		sim_fail(w, "property 13: %s claims record %d %lld ms after "
		    "having lost it at %llu", w->users[me].key, rec,
		    (long long)(now - w->log[h->lost_lsn].received_ms),
		    (unsigned long long)h->lost_lsn);
	/* who holds what is known up to the last push */
	if (!w->mirror_many && sim_owned_roots(w, me) + kept >= POOL_HOLD)
		sim_fail(w, "property 13: %s claims more than he may hold",
		    w->users[me].key);
}

void
sim_pool_claimed(world *w, const lcommit *l, const sat_op *op, int rec)
{
	int me = w->dev[w->entries[l->entry].dev].user;
	mrec *r = &w->recs[rec];
	holding h = sim_holding(w, r, me);

	if (sim_find_user(w, op->value) != me)
		sim_fail(w, "property 13: a claim for somebody else is merged");
	if (h.owner == me)
		return; /* so it was already */
	if (h.owner >= 0)
		sim_fail(w, "property 13: record %d is %s's and %s's claim is "
		    "merged", rec, w->users[h.owner].key, w->users[me].key);
	if (!h.pooled)
		sim_fail(w, "property 13: record %d is claimed, and no pool "
		    "offers it", rec);
	if (is_live(w, r) && r->held_by != me)
		sim_fail(w, "property 13: record %d is kept for %s and %s's "
		    "claim is merged", rec, w->users[r->held_by].key,
		    w->users[me].key);
	/* a clock that was set back lets it be his again */
	if (is_live(w, r) || (r->held_by == me && r->held_ms >
	    sat_wall_ms(&sat_server_env_get(w->server)->clock))) {
		HIT(claims_sure);
	} else {
		if (r->held_by >= 0)
			HIT(hold_over);
		check_limits(w, me, &h, rec);
	}
	r->held_by = -1;
	w->claims[w->nclaims].user = me;
	w->claims[w->nclaims++].at_ms = l->received_ms;
	HIT(claims);
}

void
sim_pool_reclaimed(world *w, const lcommit *l, const sat_op *op, int rec)
{
	const mrec *r = &w->recs[rec];
	uint16_t field = owner_field(r->kind);
	holding h = sim_holding(w, r, -1);
	int64_t had = l->received_ms - h.since_ms;

	if (op->kind != SAT_OP_RELEASE || op->field != field || h.owner < 0)
		sim_fail(w, "property 13: the server takes back what nobody "
		    "holds");
	if (had < POOL_RECLAIM_MS)
		sim_fail(w, "property 13: the server takes record %d back "
		    "after %lld ms", rec, (long long)had);
	HIT(reclaimed);
}

static bool
begins(sat_span s, const char *with)
{
	size_t n = strlen(with);

	return s.n >= n && memcmp(s.p, with, n) == 0;
}

/* A claim within one's own reservation is guaranteed. */
void
sim_pool_refused(world *w, const entry *e, sat_span slug)
{
	for (size_t i = 0; i < e->nops; i++) {
		const mrec *r = e->rec[i] < 0 ? NULL : &w->recs[e->rec[i]];

		if (e->ops[i].kind != SAT_OP_CLAIM || !begins(slug, "claim."))
			continue;
		if (begins(slug, "claim.lost"))
			HIT(claim_lost);
		else if (begins(slug, "claim.held"))
			HIT(claim_held);
		else
			HIT(claim_limit);
		if (is_live(w, r) && r->held_by == w->dev[e->dev].user &&
		    r->pooled && !r->deleted)
			sim_fail(w, "property 13: record %d is kept for %s and "
			    "his claim is refused: %.*s", e->rec[i],
			    w->users[r->held_by].key, (int)slug.n,
			    (const char *)slug.p);
	}
}

/* ---- what people do ---------------------------------------------------------------------- */

static void
claim(work *k)
{
	sat_value me = sim_work_user(k->w, k->d->user);

	sim_work_add(k, SAT_OP_CLAIM, &k->w->recs[k->rec].id, K_ACCOUNT, A_OWNER,
	    me);
	if (sat_record_value(&k->view.rec, A_OWNER).type == SAT_V_NULL &&
	    !k->view.rec.deleted)
		sim_work_tell(k, me); /* not yet sure */
}

/* One the pool offers; now and then any. */
static bool
offered(work *k)
{
	int at = (int)sim_below(k->w, (uint64_t)k->w->nrecs);

	for (int i = 0; i < k->w->nrecs; i++) {
		int rec = (at + i) % k->w->nrecs;

		if (k->w->recs[rec].kind == K_ACCOUNT &&
		    (k->w->recs[rec].pooled || sim_chance(k->w, 20)) &&
		    sim_work_look(k, rec))
			return true;
	}
	return false;
}

void
sim_work_pool(work *k)
{
	uint64_t roll = sim_below(k->w, 100);

	if (roll < 35) {
		if (sim_work_pick(k, K_ACCOUNT, sim_chance(k->w, 300)) &&
		    (sat_record_value(&k->view.rec, A_OWNER).type !=
		    SAT_V_NULL || sim_chance(k->w, 100)))
			sim_work_add(k, SAT_OP_RELEASE,
			    &k->w->recs[k->rec].id, K_ACCOUNT, A_OWNER,
			    sat_v_text(sat_span_str("public\nno need")));
	} else if (roll < 80) {
		if (offered(k))
			claim(k);
	} else {
		sim_pool_hold(k->d);
	}
}

/* Everybody wants the same. */
void
sim_pool_burst(world *w)
{
	int at = (int)sim_below(w, (uint64_t)w->nrecs), rec = -1;

	for (int i = 0; i < w->nrecs && rec < 0; i++)
		if (w->recs[(at + i) % w->nrecs].pooled)
			rec = (at + i) % w->nrecs;
	for (int i = 0; rec >= 0 && i < w->ndev; i++) {
		device *d = &w->dev[i];
		work k;

		if (d->r == NULL || sat_replica_template(d->r) == NULL)
			continue;
		sim_work_begin(&k, d);
		if (!sim_work_look(&k, rec))
			continue;
		claim(&k);
		(void)sim_work_write(&k, 0);
	}
}

/* ---- reservations --------------------------------------------------------------------------- */

static void
told(device *d, const sat_hold *h)
{
	world *w = d->n.w;
	int rec = sim_rec_find(w, &h->id);
	mrec *r = &w->recs[rec < 0 ? 0 : rec];

	if (rec < 0 || !sim_visible(w, d->user, rec))
		sim_fail(w, "property 11: %s is told of a record it may not "
		    "see", d->n.name);
	if (!r->pooled || r->deleted)
		sim_fail(w, "property 13: record %d is kept for %s, and no "
		    "pool offers it", rec, w->users[d->user].key);
	if (is_live(w, r) && r->held_by != d->user)
		sim_fail(w, "property 13: record %d is kept for %s and for %s",
		    rec, w->users[r->held_by].key, w->users[d->user].key);
	if (h->until_ms > w->server_ms + POOL_LEASE_MS)
		sim_fail(w, "property 13: record %d is kept too long", rec);
	r->held_by = d->user;
	r->held_ms = h->until_ms;
	HIT(holds);
}

void
sim_pool_hold(device *d)
{
	world *w = d->n.w;
	sat_msg m = { .type = SAT_MSG_HOLD };
	sat_server_session x;
	sat_buf frame = { 0 };
	bool answered;

	if (sim_shut_out(d) || !sim_greet(d, &x))
		return;
	m.u.hold = 1 + sim_below(w, 3);
	sat_msg_write(&frame, &m);
	m = sim_serve_alone(d, &x, sat_buf_span(&frame), &answered);
	sat_buf_fini(&frame);
	if (!answered || m.type != SAT_MSG_HELD)
		return;
	if (m.u.held.n > POOL_LEASE)
		sim_fail(w, "property 13: %zu customers are kept for %s",
		    m.u.held.n, w->users[d->user].key);
	for (size_t i = 0; i < m.u.held.n; i++)
		told(d, &m.u.held.h[i]);
	sim_trace(w, "%s reserves %zu", d->n.name, m.u.held.n);
}
