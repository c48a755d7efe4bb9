/*
 * A device's life: it is switched off at any change of its disk, comes back,
 * and must still have what its person was told is saved.
 */
#include "tests/sim/sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NEVER UINT64_MAX
#define BACKUP "backup.db"

/* ---- its own commits ------------------------------------------------------------------ */

static sat_rc
each_row(device *d, where at, const char *sql, sim_kept cb, void *u,
    sat_err *e)
{
	sat_db *db = sat_replica_db(d->r);
	sat_arena a = { 0 };
	sat_commit c;
	sat_stmt *s;
	bool row;
	sat_rc rc;

	if ((rc = sat_db_stmt_text(&s, db, sql, e)) != SAT_OK)
		return rc;
	while ((rc = sat_step(&row, s, e)) == SAT_OK && row) {
		bool whole = !sat_col_null(s, 2);

		sat_arena_reset(&a);
		if ((rc = sat_commit_read(&c, &a, sat_col_blob(s, 1), whole ?
		    sat_col_blob(s, 2) : (sat_span){ NULL, 0 }, e)) != SAT_OK)
			break;
		cb(d, at, sat_col_int(s, 0), (int)sat_col_int(s, 3), &c, whole,
		    u);
	}
	sat_stmt_reset(s);
	sat_arena_fini(&a);
	return rc;
}

void
sim_device_kept(device *d, sim_kept cb, void *u)
{
	sat_err e = { 0 };

	if (each_row(d, IN_OUTBOX, "SELECT o.seq, o.header, o.payload, "
	    "coalesce(a.state, 0) FROM outbox AS o LEFT JOIN answer AS a "
	    "ON a.seq = o.seq ORDER BY o.seq", cb, u, &e) != SAT_OK ||
	    each_row(d, IN_QUARANTINE, "SELECT seq, header, payload, 3 "
	    "FROM quarantine WHERE fate <> 1 ORDER BY seq", cb, u, &e) != SAT_OK)
		sim_fail(d->n.w, "the outbox of %s cannot be read: %s",
		    d->n.name, e.text);
}

/* Saved: what it is known by from now on; and a write that failed before it is
 * not there, for this one has its number. */
void
sim_entry_known(device *d, entry *e)
{
	sat_db *db = sat_replica_db(d->r);
	world *w = d->n.w;
	sat_commit c;
	sat_stmt *s;
	bool row = false;
	sat_err err = { 0 };

	for (size_t i = 0; i < d->nown; i++) {
		entry *o = &w->entries[d->own[i]];

		if (o->fate != FATE_LIMBO || (o->group != 0 &&
		    o->group == e->group))
			continue;
		HIT(limbo_gone);
		o->fate = FATE_NEVER;
	}
	sim_device_calm(d);
	if (simfs_is_off(d->n.fs) || sat_db_stmt_text(&s, db,
	    "SELECT header FROM outbox WHERE seq = ?1", &err) != SAT_OK)
		return; /* found again after the restart */
	sat_bind_int(s, 1, (int64_t)((uint64_t)e->inc << 31 | e->cseq));
	if (sat_step(&row, s, &err) != SAT_OK || !row ||
	    sat_commit_read(&c, &w->tmp, sat_col_blob(s, 0),
	    (sat_span){ NULL, 0 }, &err) != SAT_OK)
		sim_fail(w, "property 6: %s does not hold what it saved: %s",
		    d->n.name, err.text);
	memcpy(e->hash, c.payload_hash, sizeof e->hash);
	e->hlc = c.hlc;
	e->hashed = true;
	sat_stmt_reset(s);
}

/* ---- its file ------------------------------------------------------------------------- */

int64_t
sim_device_int(device *d, const char *sql)
{
	sat_stmt *s;
	int64_t n = 0;
	bool row;
	sat_err e = { 0 };

	if (sat_db_stmt_text(&s, sat_replica_db(d->r), sql, &e) != SAT_OK ||
	    sat_step(&row, s, &e) != SAT_OK)
		sim_fail(d->n.w, "%s: %s", d->n.name, e.text);
	if (row)
		n = sat_col_int(s, 0);
	sat_stmt_reset(s);
	return n;
}

/* ---- making one ------------------------------------------------------------------------- */

device *
sim_device_new(world *w, int user_index)
{
	device *d = &w->dev[w->ndev];
	uint8_t seed[32], mk[SAT_KEY_BYTES];
	char name[16];

	if (w->ndev == DEVS_MAX)
		sim_fail(w, "harness: more than %d devices", DEVS_MAX);
	memset(d, 0, sizeof *d);
	(void)snprintf(name, sizeof name, "d%d", w->ndev + 1);
	sim_node_init(&d->n, w, name);
	d->index = w->ndev++;
	d->user = user_index;
	(void)snprintf(d->file, sizeof d->file, "%s.db", name);
	sim_node_bytes(&d->n, mk, sizeof mk);
	d->ring = sat_keyring_memory(mk);
	sim_node_bytes(&d->n, seed, sizeof seed);
	sat_sign_keys(d->id.sign_pk, d->id.sign_sk, seed);
	sim_node_bytes(&d->n, d->id.channel_sk, sizeof d->id.channel_sk);
	sat_box_keys(d->id.channel_pk, d->id.channel_sk);
	d->id.org = w->org;
	d->id.incarnation = 1;
	(void)snprintf(d->id.server, sizeof d->id.server, "tcp://sim:1");
	sim_node_bytes(&d->n, d->token, sizeof d->token);
	sim_server_invite(w, d->token, user_index);
	sim_device_create(d);
	sim_trace(w, "%s is made for %s", name, w->users[user_index].key);
	return d;
}

static sat_replica_env
env_of(device *d)
{
	return (sat_replica_env){ .path = d->file, .keyring = d->ring,
		.clock = sim_clock(&d->n), .rand = sim_node_rand(&d->n),
		.vfs_below = simfs_name(d->n.fs) };
}

void
sim_device_create(device *d)
{
	sat_replica_env env = env_of(d);
	sat_err e = { 0 };

	if (sat_replica_create(&d->r, &env, &d->id, &e) != SAT_OK)
		sim_fail(d->n.w, "%s is not created: %s", d->n.name, e.text);
	d->ops = sat_replica_session(d->r);
	d->created = true;
}

void
sim_device_enrol(device *d, const sat_enrolled *in)
{
	sat_err e = { 0 };
	sat_rc rc;

	sim_device_plan_faults(d);
	rc = sat_replica_enrolled(d->r, in, &e);
	if (rc == SAT_OK) {
		d->enrolled = true;
		HIT(enrolled);
	}
	(void)sim_device_after(d, rc);
}

void
sim_device_free(device *d)
{
	sim_session_end(d);
	sat_replica_abandon(d->r);
	d->r = NULL;
	sat_keyring_close(d->ring);
	sim_node_fini(&d->n);
	for (size_t i = 0; i < d->ncaptures; i++)
		free((void *)(uintptr_t)d->capture[i].p);
	free((void *)(uintptr_t)d->hello.p);
	free((void *)(uintptr_t)d->unsure.p);
	free(d->own);
	free(d->backup_shadow);
}

/* ---- faults of its disk ----------------------------------------------------------------- */

void
sim_device_calm(device *d)
{
	if (simfs_is_off(d->n.fs))
		return;
	simfs_off_after(d->n.fs, NEVER);
	for (int op = 0; op < SIMFS_OPS; op++)
		simfs_fail(d->n.fs, (simfs_op)op, SIMFS_NEVER, 0, false);
	simfs_quota(d->n.fs, 0);
}

void
sim_device_plan_faults(device *d)
{
	world *w = d->n.w;
	const rough *r = &w->rough;
	simfs *fs = d->n.fs;

	if (simfs_is_off(fs))
		return;
	if (w->healing) {
		sim_device_calm(d);
		return;
	}
	if (sim_chance(w, r->dev_mid))
		simfs_off_after(fs, sim_below(w, 30));
	if (sim_chance(w, r->dev_fsync))
		simfs_fail(fs, SIMFS_SYNC, SIMFS_DROP, 1 + sim_below(w, 2),
		    false);
	if (sim_chance(w, r->dev_ioerr))
		simfs_fail(fs, sim_chance(w, 800) ? SIMFS_WRITE : SIMFS_READ,
		    SIMFS_IOERR, 1 + sim_below(w, 12), false);
	if (sim_chance(w, r->dev_full))
		simfs_quota(fs, sim_disk_used(&d->n) + sim_below(w, 15000));
	else if (sim_chance(w, 200))
		simfs_quota(fs, 0);
}

bool
sim_device_after(device *d, sat_rc rc)
{
	if (rc == SAT_ENOSPACE)
		HIT(device_full);
	if (simfs_is_off(d->n.fs)) {
		HIT(device_mid);
		sim_trace(d->n.w, "%s loses power in a change", d->n.name);
		sim_device_stop(d, true);
		return false;
	}
	if (rc == SAT_EIO)
		HIT(device_ioerr);
	if (rc == SAT_EFSYNC || sat_db_dead(sat_replica_db(d->r))) {
		HIT(device_fsync);
		sim_trace(d->n.w, "%s: a sync failed", d->n.name);
		sim_device_stop(d, false);
		return false;
	}
	return true;
}

/* ---- off and on ---------------------------------------------------------------------------- */

void
sim_device_stop(device *d, bool power)
{
	sim_session_end(d);
	sat_replica_abandon(d->r);
	d->r = NULL;
	if (power)
		simfs_crash(d->n.fs);
	else
		simfs_kill(d->n.fs);
	d->n.boot_at = d->n.w->now_ms;
}

static bool
same_ops(const entry *e, const sat_commit *c)
{
	bool same = e->nops == c->nops;

	for (size_t i = 0; same && i < c->nops; i++)
		same = e->ops[i].kind == c->ops[i].kind &&
		    e->ops[i].field == c->ops[i].field &&
		    sat_id_eq(&e->ops[i].rec, &c->ops[i].rec) &&
		    sat_value_eq(e->ops[i].value, c->ops[i].value);
	return same;
}

/* A commit in the outbox that the ledger has not: it was in limbo. */
static void
adopt(device *d, where at, int64_t seq, int state, const sat_commit *c,
    bool whole, void *u)
{
	world *w = d->n.w;

	(void)at;
	(void)seq;
	(void)state;
	(void)u;
	if (!whole || sim_entry_find(w, c->payload_hash) != NULL)
		return;
	for (size_t i = d->nown; i > 0; i--) {
		entry *e = &w->entries[d->own[i - 1]];

		if ((e->fate != FATE_LIMBO && e->fate != FATE_SAVED) ||
		    e->hashed || !same_ops(e, c))
			continue;
		memcpy(e->hash, c->payload_hash, sizeof e->hash);
		e->hlc = c->hlc;
		e->hashed = true;
		e->inc = c->incarnation;
		e->cseq = c->cseq;
		if (e->fate == FATE_LIMBO)
			HIT(limbo_there);
		e->fate = FATE_SAVED;
		return;
	}
	sim_fail(w, "%s holds a commit nobody wrote: number %llu", d->n.name,
	    (unsigned long long)c->cseq);
}

/* Property 10: an import is there or not. */
static void
check_group(const device *d, const entry *e)
{
	world *w = d->n.w;

	for (size_t i = 0; e->group != 0 && i < d->nown; i++) {
		const entry *o = &w->entries[d->own[i]];

		if (o->group == e->group && o->fate == FATE_SAVED)
			sim_fail(w, "property 10: half of an import is on %s",
			    d->n.name);
	}
}

static void
settle_limbo(device *d)
{
	world *w = d->n.w;

	sim_device_kept(d, adopt, NULL);
	for (size_t i = 0; i < d->nown; i++) {
		entry *e = &w->entries[d->own[i]];

		if (e->fate != FATE_LIMBO)
			continue;
		HIT(limbo_gone);
		check_group(d, e);
		e->fate = FATE_NEVER;
	}
}

static void
check_cursor(device *d)
{
	sat_replica_status st;
	sat_err e = { 0 };

	if (sat_replica_status_get(&st, d->r, &e) != SAT_OK)
		sim_fail(d->n.w, "%s: status: %s", d->n.name, e.text);
	if (st.cursor < d->cursor)
		sim_fail(d->n.w, "property 9: the cursor of %s goes back from "
		    "%llu to %llu", d->n.name, (unsigned long long)d->cursor,
		    (unsigned long long)st.cursor);
	d->cursor = st.cursor;
	d->chunked = !st.complete && st.cursor == 0 && d->enrolled;
}

void
sim_device_start(device *d)
{
	world *w = d->n.w;
	sat_replica_env env = env_of(d);
	sat_err e = { 0 };
	sat_rc rc;

	sim_device_calm(d);
	for (;;) {
		if (!w->healing && sim_chance(w, 100))
			simfs_off_after(d->n.fs, sim_below(w, 25));
		rc = sat_replica_open(&d->r, &env, &e);
		if (!simfs_is_off(d->n.fs))
			break;
		HIT(device_twice);
		sat_replica_abandon(d->r);
		d->r = NULL;
		simfs_crash(d->n.fs);
	}
	sim_device_calm(d);
	if (rc != SAT_OK)
		sim_fail(w, "property 8: %s does not open: %s", d->n.name,
		    e.text);
	d->ops = sat_replica_session(d->r);
	d->enrolled = sat_replica_identity_get(d->r)->device != 0;
	sim_rotate_look(d);
	d->waits_twice = 0; /* its log may be empty again */
	settle_limbo(d);
	sim_session_recover(d);
	check_cursor(d);
	sim_check_kept(d);
	sim_expect_check(d, 4);
	sim_trace(w, "%s up, cursor %llu", d->n.name,
	    (unsigned long long)d->cursor);
}

/* ---- backups, copies, forks ------------------------------------------------------------------ */

static void
remove_file(device *d, const char *name)
{
	char wal[32];

	(void)snprintf(wal, sizeof wal, "%s-wal", name);
	simfs_remove(d->n.fs, name);
	simfs_remove(d->n.fs, wal);
}

void
sim_device_backup(device *d, bool by_hand)
{
	world *w = d->n.w;
	sat_err e = { 0 };

	if (d->link != NULL)
		return;
	sim_device_calm(d);
	remove_file(d, BACKUP);
	if (by_hand) { /* the program is closed, the folder copied */
		sat_replica_close(d->r);
		d->r = NULL;
		simfs_copy(d->n.fs, BACKUP, d->n.fs, d->file);
		sim_device_start(d);
	} else if (sat_replica_backup(d->r, BACKUP, &e) != SAT_OK) {
		sim_fail(w, "no backup of %s: %s", d->n.name, e.text);
	}
	d->has_backup = true;
	d->by_hand = by_hand;
	d->backup_cursor = d->cursor;
	d->backup_ledger = d->ledger;
	d->backup_diverged = d->diverged;
	if (d->backup_shadow == NULL)
		d->backup_shadow = sat_xmalloc(sizeof w->shadow[0]);
	memcpy(d->backup_shadow, w->shadow[d->index], sizeof w->shadow[0]);
	sim_trace(w, "%s %s", d->n.name, by_hand ? "copied" : "backed up");
}

static void
mark_kept(device *d, where at, int64_t seq, int state, const sat_commit *c,
    bool whole, void *u)
{
	entry *e = sim_entry_find(d->n.w, c->payload_hash);
	bool *kept = u;

	(void)at;
	(void)seq;
	(void)state;
	if (whole && e != NULL)
		kept[e->index] = true;
}

/* What was written since the backup and never left is lost with the disk. */
static void
count_losses(device *d)
{
	world *w = d->n.w;
	bool *kept = sat_arena_alloc(&w->tmp, (size_t)w->nentries + 1);

	memset(kept, 0, (size_t)w->nentries + 1);
	sim_device_kept(d, mark_kept, kept);
	for (size_t i = 0; i < d->nown; i++) {
		entry *e = &w->entries[d->own[i]];

		if (e->fate == FATE_DISCARDED && kept[e->index])
			e->fate = FATE_SAVED; /* back in the quarantine */
		else if (e->fate == FATE_LIMBO)
			e->fate = FATE_NEVER;
		else if (e->fate == FATE_SAVED && !kept[e->index] &&
		    e->lsn == 0)
			e->fate = FATE_DISK_LOST;
	}
}

void
sim_device_restore(device *d)
{
	world *w = d->n.w;
	sat_replica_env env = env_of(d);
	sat_err e = { 0 };

	if (!d->has_backup)
		return;
	sim_device_calm(d);
	sim_device_stop(d, false);
	remove_file(d, d->file);
	simfs_rename(d->n.fs, BACKUP, d->file);
	d->has_backup = false;
	d->cursor = d->backup_cursor;
	d->ledger = d->backup_ledger;
	d->diverged = d->backup_diverged;
	d->nexpect = 0;
	sim_span_drop(&d->unsure); /* it was meant for the other file */
	memcpy(w->shadow[d->index], d->backup_shadow, sizeof w->shadow[0]);
	for (int i = 0; i < w->nrecs; i++)
		w->recs[i].shown[d->index] = 0;
	HIT(restored);
	d->was_restored = true;
	if (d->by_hand)
		HIT(by_hand);
	sim_trace(w, "%s restored%s", d->n.name, d->by_hand ? " by hand" : "");
	if (sat_replica_open(&d->r, &env, &e) != SAT_OK)
		sim_fail(w, "%s does not open after a restore: %s", d->n.name,
		    e.text);
	count_losses(d);
	sat_replica_close(d->r);
	d->r = NULL;
	sim_device_start(d);
}

static void
count_rehomed(device *d, where at, int64_t seq, int state, const sat_commit *c,
    bool whole, void *u)
{
	(void)d;
	(void)at;
	(void)seq;
	if (at == IN_OUTBOX && state == 0 && whole &&
	    c->incarnation == *(const uint32_t *)u)
		HIT(rehomed);
}

void
sim_device_forked(device *d)
{
	uint32_t inc;
	sat_err e = { 0 };
	sat_rc rc;

	sim_device_calm(d);
	rc = sat_replica_new_incarnation(d->r, &e);
	if (rc != SAT_OK)
		sim_fail(d->n.w, "%s gets no new incarnation: %s", d->n.name,
		    e.text);
	inc = sat_replica_identity_get(d->r)->incarnation;
	sim_device_kept(d, count_rehomed, &inc);
	sim_trace(d->n.w, "%s begins incarnation %u", d->n.name, inc);
	sim_check_kept(d);
}
