/*
 * The server's life: it serves frames, dies at any change of its disk, comes
 * back, and must not have forgotten what any device was told.
 */
#include "tests/sim/sim.h"

#include <stdio.h>
#include <string.h>

#define NEVER UINT64_MAX

/* Every other device is in the ring; nobody goes back (P-230, P-232). */
static void
template_due(void *u, uint8_t oid[SAT_TEMPLATE_OID_BYTES], uint32_t dev,
    uint32_t team, const uint8_t have[SAT_TEMPLATE_OID_BYTES])
{
	const world *w = ((const sim_core *)u)->u;
	int v = w->tip, has = sim_template_version(have);

	(void)team;
	if (w->ring && dev % 2 == 1 && v == 0)
		v = 1;
	if (has > v)
		v = has;
	if (v > w->tip)
		HIT(ring);
	memcpy(oid, sim_template_oid(v), SAT_TEMPLATE_OID_BYTES);
}

/* ---- faults of its disk --------------------------------------------------------------- */

static void
calm(world *w)
{
	simfs *fs = w->server_node.fs;

	if (simfs_is_off(fs))
		return;
	simfs_off_after(fs, NEVER);
	for (int op = 0; op < SIMFS_OPS; op++)
		simfs_fail(fs, (simfs_op)op, SIMFS_NEVER, 0, false);
	simfs_quota(fs, 0);
}

void
sim_server_plan(world *w)
{
	simfs *fs = w->server_node.fs;

	if (simfs_is_off(fs))
		return;
	if (w->healing) {
		calm(w);
		return;
	}
	if (sim_chance(w, w->rough.srv_mid))
		simfs_off_after(fs, sim_below(w, 40));
	if (sim_chance(w, w->rough.srv_fsync))
		simfs_fail(fs, SIMFS_SYNC, SIMFS_DROP, 1 + sim_below(w, 3),
		    false);
	if (sim_chance(w, w->rough.srv_full)) {
		simfs_quota(fs, sim_disk_used(&w->server_node) +
		    sim_below(w, 30000));
	} else if (sim_chance(w, 200)) {
		simfs_quota(fs, 0);
	}
}

/* ---- life ------------------------------------------------------------------------------ */

static void
people(world *w)
{
	char key[16];
	uint32_t ord;
	sat_err e = { 0 };

	for (int i = 0; i < w->nteams; i++) {
		(void)snprintf(key, sizeof key, "t%d", i + 1);
		if (sat_sqlite_team_add(&ord, w->store, key, key, "", &e) !=
		    SAT_OK)
			sim_fail(w, "team: %s", e.text);
	}
	for (int i = 0; i < w->nusers; i++) {
		static const char *const roles[] = { "rep", "manager", "hq",
			"auditor" };
		const person *u = &w->users[i];

		(void)snprintf(key, sizeof key, "t%d", u->team);
		if (sat_sqlite_user_add(&ord, w->store, u->key, u->key,
		    roles[u->role], u->team != 0 ? key : NULL, &e) != SAT_OK)
			sim_fail(w, "user: %s", e.text);
	}
	for (int i = 0; i < 2; i++) {
		(void)snprintf(key, sizeof key, "adm%d", i + 1);
		if (sat_sqlite_user_add(&w->admin[i], w->store, key, key,
		    "admin", NULL, &e) != SAT_OK)
			sim_fail(w, "user: %s", e.text);
	}
}

static sat_rc
open_store(world *w, bool first, sat_err *e)
{
	sat_sqlite_store_opts o = { .path = "server.db",
		.keyring = w->server_ring,
		.vfs_below = simfs_name(w->server_node.fs),
		.clock = sim_clock(&w->server_node), .create = first,
		.cache_kib = 512, .rec_window = 40, .segments = w->segments,
		.bug_sync_normal = SAT_BUG(SAT_BUG_SYNC_NORMAL) };
	sat_rc rc;

	if (!first && !w->healing && sim_chance(w, 100))
		simfs_off_after(w->server_node.fs, sim_below(w, 25));
	rc = sat_sqlite_store_open(&w->store, &o, e);
	if (rc != SAT_OK && simfs_is_off(w->server_node.fs))
		simfs_crash(w->server_node.fs);
	else if (rc != SAT_OK)
		sim_fail(w, "property 8: the server does not open: %s", e->text);
	return rc;
}

static void
open_core(world *w)
{
	sat_server_env env = { .store = sat_sqlite_store_ops(w->store),
		.clock = sim_clock(&w->server_node), .org = w->org,
		.org_name = "Sim", .template_due = template_due,
		.rand = sim_node_rand(&w->server_node),
		.chunk_bytes = w->rough.chunk_small ? 1500 : 0 };
	uint8_t seed[32];
	sat_err e = { 0 };

	memset(seed, 9, sizeof seed);
	sat_sign_keys(env.server_pk, w->server_sk, seed);
	w->core = (sim_core){ &w->tip, w->server_sk, w };
	sim_core_env(&env, &w->core);
	w->ops = env.store;
	if (sat_server_new(&w->server, &env, &e) != SAT_OK)
		sim_fail(w, "property 8: the server does not start: %s", e.text);
}

void
sim_server_start(world *w, bool first)
{
	sat_err e = { 0 };

	calm(w);
	while (open_store(w, first, &e) != SAT_OK)
		continue;
	calm(w);
	if (first)
		people(w);
	open_core(w);
	w->boot++;
	sim_trace(w, "server up, boot %u", w->boot);
	sim_mirror(w);
	if (w->promised > w->head)
		sim_fail(w, "property 6: a device was told of position %llu, "
		    "the server restarts at %llu",
		    (unsigned long long)w->promised,
		    (unsigned long long)w->head);
}

void
sim_server_stop(world *w, bool power)
{
	sat_server_free(w->server);
	w->server = NULL;
	sat_sqlite_store_abandon(w->store);
	w->store = NULL;
	if (power)
		simfs_crash(w->server_node.fs);
	else
		simfs_kill(w->server_node.fs);
	w->server_node.boot_at = w->now_ms;
}

static void
restart(world *w, bool power)
{
	sim_server_stop(w, power);
	sim_server_start(w, false);
}

bool
sim_server_died(world *w, sat_rc rc, const sat_err *e)
{
	if (simfs_is_off(w->server_node.fs)) {
		HIT(server_mid);
		sim_trace(w, "server loses power in a change");
		restart(w, true);
		return true;
	}
	if (rc == SAT_EFSYNC || sat_db_dead(sat_sqlite_store_db(w->store))) {
		HIT(server_fsync);
		sim_trace(w, "server: %s", e->text);
		restart(w, false);
		return true;
	}
	sim_mirror(w);
	return false;
}

/* ---- what it says ------------------------------------------------------------------------ */

static void
first_verdict(world *w, entry *e, const sat_verdict *v)
{
	e->answered = true;
	e->verdict = *v;
	e->verdict.slug = e->verdict.hint = (sat_span){ NULL, 0 };
	switch (v->code) {
	case SAT_VD_OK: break;
	case SAT_VD_OK_LATE: HIT(v_late); break;
	case SAT_VD_CONFLICT: HIT(v_conflict); break;
	case SAT_VD_REJECTED:
		HIT(v_rejected);
		if (sat_span_eq(v->slug, sat_span_str(SAT_SLUG_ERASED)))
			HIT(erased_unsent);
		if (sat_span_eq(v->slug, sat_span_str("merge.cycle")))
			HIT(cycles);
		sim_pool_refused(w, e, v->slug);
		break;
	case SAT_VD_PARKED: HIT(v_parked); break;
	case SAT_VD_HANDOVER: HIT(v_handover); break;
	}
	sim_trace(w, "verdict d%d/%llu code %d lsn %llu %.*s", e->dev + 1,
	    (unsigned long long)v->cseq, (int)v->code,
	    (unsigned long long)v->lsn, (int)v->slug.n,
	    v->slug.n > 0 ? (const char *)v->slug.p : "");
}

static void
note_verdict(world *w, entry *e, const sat_verdict *v)
{
	if (v->lsn > w->promised)
		w->promised = v->lsn;
	/* What waited for a record that another device's birth of it brought
	 * (P-281) goes out once more, under a number of its own (P-209). */
	if (!e->answered || (e->verdict.code == SAT_VD_PARKED &&
	    e->verdict.cseq != v->cseq)) {
		e->waited = e->answered;
		first_verdict(w, e, v);
		return;
	}
	HIT(v_again);
	/* asked again under a number before, it is what it was */
	if (e->waited && v->cseq < e->verdict.cseq &&
	    v->code == SAT_VD_PARKED)
		return;
	if (e->verdict.code != v->code || e->verdict.lsn != v->lsn ||
	    e->verdict.eff != v->eff)
		sim_fail(w, "property 3: commit %llu of d%d got another "
		    "verdict when sent again: %d at %llu, then %d at %llu",
		    (unsigned long long)v->cseq, e->dev + 1,
		    (int)e->verdict.code, (unsigned long long)e->verdict.lsn,
		    (int)v->code, (unsigned long long)v->lsn);
}

static void
resolve(const world *w, sat_id *id, uint32_t eid)
{
	int rec = sim_rec_by_eid(w, eid);

	if (rec >= 0)
		*id = w->recs[rec].id;
}

/* The commits of a push, by their content. */
static void
note_verdicts(world *w, sat_span frame, const sat_verdicts *v)
{
	sat_commit *c;
	size_t n, at = 0;
	sat_msg m;
	sat_err e;
	sat_buf b = { 0 };

	if (sat_msg_read(&m, &w->tmp, frame, &e) != SAT_OK ||
	    sat_batch_read(&c, &n, &w->tmp, SAT_BATCH_PUSH, m.u.push.batch,
	    &e) != SAT_OK)
		sim_fail(w, "verdicts of a push that cannot be read");
	for (size_t i = 0; i < n && at < v->n; i++) {
		uint8_t hash[SAT_HASH_BYTES];
		entry *en;

		if (v->v[at].cseq != m.u.push.first_cseq + i)
			continue;
		resolve(w, &c[i].subject, c[i].subject_eid);
		for (size_t k = 0; k < c[i].nops; k++)
			resolve(w, &c[i].ops[k].rec, c[i].ops[k].eid);
		sat_buf_reset(&b);
		sat_commit_write_payload(&b, &c[i]);
		sat_hash(hash, sat_buf_span(&b));
		if ((en = sim_entry_find(w, hash)) == NULL)
			sim_fail(w, "verdict of a commit nobody wrote");
		note_verdict(w, en, &v->v[at++]);
	}
	sat_buf_fini(&b);
}

static int
device_of(const world *w, const sat_server_session *x)
{
	for (int i = 0; i < w->ndev; i++)
		if (memcmp(w->dev[i].id.channel_pk, x->channel_pk,
		    sizeof x->channel_pk) == 0 ||
		    memcmp(w->dev[i].next_pk, x->channel_pk,
		    sizeof x->channel_pk) == 0)
			return i;
	return -1;
}

static void
note_reply(world *w, const sat_server_job *job)
{
	int dev = device_of(w, job->session);
	sat_span frame = sat_buf_span(job->reply);
	sat_msg m;
	sat_err e;

	sim_trace_bytes(w, frame);
	if (sat_msg_read(&m, &w->tmp, frame, &e) != SAT_OK)
		sim_fail(w, "the server sent what cannot be read: %s", e.text);
	if (m.type != SAT_MSG_ERROR && dev >= 0 && sim_shut_out(&w->dev[dev]))
		sim_fail(w, "property 16: d%d is answered after it was shut out",
		    dev + 1);
	if (m.type == SAT_MSG_VERDICTS) {
		if (m.u.verdicts.fork)
			HIT(forks);
		else if (m.u.verdicts.need_cseq != 0)
			HIT(gaps);
		note_verdicts(w, job->frame, &m.u.verdicts);
	} else if (m.type == SAT_MSG_DELTA && m.u.delta.head > w->promised) {
		w->promised = m.u.delta.head;
	} else if (m.type == SAT_MSG_ENROLLED) {
		w->dev[dev].ord = m.u.enrolled.device;
	} else if (m.type == SAT_MSG_ERROR) {
		if (m.u.error.rc == SAT_ENOSPACE)
			HIT(server_full);
		sim_trace(w, "server says %.*s", (int)m.u.error.text.n,
		    (const char *)m.u.error.text.p);
	}
	/* a late frame of a device that was put back to older keys since may be */
	if (dev < 0 && m.type != SAT_MSG_ERROR &&
	    !sim_rotate_known(w, job->session->channel_pk))
		sim_fail(w, "P-388: keys nobody has any more are answered");
	if (dev >= 0)
		sim_check_frame(w, dev, frame);
}

static void
note_clock(world *w)
{
	int64_t now = sat_wall_ms(&sat_server_env_get(w->server)->clock);

	if (now > w->server_ms)
		w->server_ms = now;
}

bool
sim_server_serve(world *w, sat_server_job *jobs, size_t n)
{
	sat_err e = { 0 };
	bool off;
	sat_rc rc;

	sim_server_plan(w);
	note_clock(w);
	for (size_t i = 0; i < n; i++)
		sim_trace_bytes(w, jobs[i].frame);
	rc = n == 1 ? sat_server_handle(w->server, jobs[0].session,
	    jobs[0].reply, jobs[0].frame, &e) :
	    sat_server_handle_group(w->server, jobs, n, &e);
	off = simfs_is_off(w->server_node.fs);
	if (off) {
		HIT(server_mid);
		sim_trace(w, "server loses power in a change");
		restart(w, true);
	} else if (rc != SAT_OK || sat_db_dead(sat_sqlite_store_db(w->store))) {
		HIT(server_fsync);
		sim_trace(w, "server: %s", e.text);
		restart(w, false);
	} else {
		sim_mirror(w);
	}
	/* Replies that were given have left, whatever happened then. */
	for (size_t i = 0; i < n && rc == SAT_OK; i++)
		note_reply(w, &jobs[i]);
	if (w->promised > w->head)
		sim_fail(w, "property 6: a device is told of position %llu, "
		    "the server holds %llu", (unsigned long long)w->promised,
		    (unsigned long long)w->head);
	return rc == SAT_OK;
}

/* The rules that run by time, with the disk's troubles like any request. */
void
sim_server_tick(world *w)
{
	sat_err e = { 0 };
	sat_rc rc;

	HIT(ticks);
	sim_server_plan(w);
	note_clock(w);
	rc = sat_server_tick(w->server, sat_wall_ms(&sat_server_env_get(
	    w->server)->clock), &e);
	(void)sim_server_died(w, rc, &e);
}

/* ---- an administrator ----------------------------------------------------------------------- */

void
sim_server_invite(world *w, const uint8_t token[16], int user_index)
{
	sat_err e = { 0 };

	calm(w);
	/* also ends a transaction a planted bug has left open */
	if (sat_server_reload(w->server, &e) != SAT_OK ||
	    sat_sqlite_invite_add(w->store, token, w->users[user_index].key,
	    INT64_MAX / 2, &e) != SAT_OK)
		sim_fail(w, "invitation: %s", e.text);
}

static void
add_user(world *w)
{
	person *u = &w->users[w->nusers];
	char team[16];
	uint32_t ord;
	sat_err e;

	if (w->nusers == USERS_MAX)
		return;
	(void)snprintf(u->key, sizeof u->key, "u%d", w->nusers + 1);
	(void)snprintf(team, sizeof team, "t1");
	u->role = REP;
	u->team = 1;
	if (sat_sqlite_user_add(&ord, w->store, u->key, u->key, "rep", team,
	    &e) == SAT_OK)
		w->nusers++;
}

/*
 * Everything may go, as if no device had a lease: whoever is behind takes a
 * snapshot. Fails and dies like any change of the disk; the files of segments
 * lie on a real one, which keeps what the database has forgotten again.
 */
static void
shorten(world *w)
{
	sat_sqlite_signing sign = { w->org, sim_core_sign, &w->core };
	uint64_t upto = sim_chance(w, 500) ? w->head :
	    sim_below(w, w->head + 1);
	sat_sqlite_compacted done = { 0 };
	sat_err e = { 0 };
	sat_rc rc;

	sim_server_plan(w);
	rc = sat_sqlite_compact(&done, w->store, upto, &sign, &e);
	sim_trace(w, "log shortened up to %llu of %llu: %d",
	    (unsigned long long)upto, (unsigned long long)w->head, (int)rc);
	if (sim_server_died(w, rc, &e) || done.commits == 0)
		return;
	HIT(compacted);
	ADD(moved, done.commits);
}

void
sim_server_admin(world *w)
{
	sat_err e = { 0 };

	calm(w);
	/* also ends a transaction a planted bug has left open */
	if (sat_server_reload(w->server, &e) != SAT_OK)
		sim_trace(w, "not read again: %s", e.text);
	switch (sim_below(w, 4)) {
	case 0:
		if (w->tip == 0 && !w->ring && sim_below(w, 2) == 0) {
			sim_trace(w, "new template for some");
			w->ring = true;
			break;
		}
		w->tip += w->tip < SIM_TIP;
		sim_trace(w, "new template %d", w->tip);
		break;
	case 1:
		sim_trace(w, "new user");
		add_user(w);
		break;
	case 3:
		shorten(w);
		break;
	default:
		HIT(marked);
		sim_trace(w, "durable up to %llu", (unsigned long long)w->head);
		if (sat_sqlite_mark_durable(w->store, w->head, &e) != SAT_OK)
			sim_trace(w, "not marked: %s", e.text);
		break;
	}
	if (sat_server_reload(w->server, &e) != SAT_OK)
		sim_trace(w, "not read again: %s", e.text);
}

/* ---- who may no longer ------------------------------------------------------------------ */

bool
sim_shut_out(const device *d)
{
	return d->revoked || d->outdated || d->n.w->users[d->user].disabled;
}

/* The first is a manager and stays, so that there is always somebody. */
static void
disable_or_enable(world *w)
{
	person *u = &w->users[1 + sim_below(w, (uint64_t)w->nusers - 1)];
	bool disabled = !u->disabled;
	sat_err e = { 0 };

	if (sat_sqlite_user_edit(w->store, u->key, NULL, NULL, &disabled,
	    &e) != SAT_OK)
		sim_fail(w, "%s: %s", u->key, e.text);
	u->disabled = disabled;
	if (disabled)
		HIT(disabled);
	else
		HIT(enabled);
	sim_trace(w, "%s is %s", u->key, disabled ? "disabled" : "enabled");
}

static void
revoke(world *w)
{
	device *d = &w->dev[sim_below(w, (uint64_t)w->ndev)];
	sat_err e = { 0 };

	if (d->ord == 0 || d->revoked || d->user == 0)
		return;
	if (sat_sqlite_device_revoke(w->store, d->ord, &e) != SAT_OK)
		sim_fail(w, "%s: %s", d->n.name, e.text);
	d->revoked = true;
	HIT(revoked);
	sim_trace(w, "%s is revoked", d->n.name);
}

void
sim_server_churn(world *w)
{
	sat_err e = { 0 };

	calm(w);
	/* also ends a transaction a planted bug has left open */
	if (sat_server_reload(w->server, &e) != SAT_OK)
		sim_trace(w, "not read again: %s", e.text);
	if (sim_chance(w, 700))
		disable_or_enable(w);
	else
		revoke(w);
	if (sat_server_reload(w->server, &e) != SAT_OK)
		sim_fail(w, "not read again: %s", e.text);
}
