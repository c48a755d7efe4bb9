/*
 * A device's life: made, used, copied, put back from a copy, stolen.
 */
#include "tests/company/month.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXCHANGES_MAX 2000
#define FILE_NAME "replica.db"
#define COPY_NAME "copy.db"

static int64_t
device_ms(void *u)
{
	laptop *d = u;

	return d->m->now_ms + d->skew_ms;
}

static int64_t
device_boot(void *u)
{
	laptop *d = u;

	return d->m->now_ms - d->made_ms;
}

static void
device_bytes(void *u, void *out, size_t n)
{
	laptop *d = u;

	for (size_t i = 0; i < n; i++)
		((uint8_t *)out)[i] = (uint8_t)sat_test_rand(&d->rand);
}

static sat_clock
clock_of(laptop *d)
{
	return (sat_clock){ device_ms, device_boot, d };
}

static sat_replica_env
env_of(laptop *d)
{
	return (sat_replica_env){ .path = FILE_NAME, .keyring = d->ring,
		.clock = clock_of(d), .rand = { device_bytes, d },
		.vfs_below = simfs_name(d->fs) };
}

/* ---- making one ------------------------------------------------------------------------ */

static void
enrol(laptop *d)
{
	month *m = d->m;
	sat_server_session x = { 0 };
	sat_msg msg = { .type = SAT_MSG_ENROL };
	sat_buf frame = { 0 }, reply = { 0 };
	sat_err e = { 0 };

	memcpy(x.channel_pk, d->id.channel_pk, sizeof x.channel_pk);
	msg.u.enrol = (sat_enrol){ .proto_min = SAT_PROTO_MIN,
		.proto_max = SAT_PROTO_VERSION, .org = m->org,
		.name = sat_span_str("laptop"), .wall_ms = m->now_ms };
	memcpy(msg.u.enrol.token, d->token, sizeof d->token);
	memcpy(msg.u.enrol.sign_pk, d->id.sign_pk, sizeof d->id.sign_pk);
	sat_msg_write(&frame, &msg);
	month_must(sat_server_handle(m->server, &x, &reply,
	    sat_buf_span(&frame), &e), &e, "enrol");
	month_must(sat_msg_read(&msg, &m->a, sat_buf_span(&reply), &e), &e,
	    "enrol");
	if (msg.type == SAT_MSG_ERROR)
		month_must(sat_msg_to_err(&msg.u.error, &e), &e, "enrol");
	month_must(sat_replica_enrolled(d->r, &msg.u.enrolled, &e), &e,
	    "enrolled");
	sat_buf_fini(&frame);
	sat_buf_fini(&reply);
}

laptop *
month_device_new(month *m, int user)
{
	laptop *d = sat_xcalloc(1, sizeof *d);
	sat_replica_env env;
	uint8_t key[32], mk[SAT_KEY_BYTES];
	char vfs[32];
	sat_err e = { 0 };

	*d = (laptop){ .m = m, .index = m->ndev, .user = user,
		.made_ms = m->now_ms, .epoch_heard = m->losses,
		.rand = month_draw(m, UINT64_MAX) };
	m->dev = sat_xrealloc(m->dev, (size_t)(m->ndev + 1) * sizeof *m->dev);
	m->dev[m->ndev++] = d;
	m->user[user].dev = d->index;
	(void)snprintf(vfs, sizeof vfs, "laptop-%d", d->index);
	d->fs = simfs_new(vfs, d->rand);
	device_bytes(d, mk, sizeof mk);
	d->ring = sat_keyring_memory(mk);
	device_bytes(d, key, sizeof key);
	sat_sign_keys(d->id.sign_pk, d->id.sign_sk, key);
	device_bytes(d, d->id.channel_sk, sizeof d->id.channel_sk);
	sat_box_keys(d->id.channel_pk, d->id.channel_sk);
	d->id.org = m->org;
	d->id.incarnation = 1;
	(void)snprintf(d->id.server, sizeof d->id.server, "tcp://company:1");
	device_bytes(d, d->token, sizeof d->token);
	month_must(sat_sqlite_invite_add(m->store, d->token,
	    m->user[user].key, m->now_ms + DAY_MS, &e), &e, "invitation");
	env = env_of(d);
	month_must(sat_replica_create(&d->r, &env, &d->id, &e), &e, "create");
	d->ops = sat_replica_session(d->r);
	enrol(d);
	COUNT(m, devices, 1);
	return d;
}

void
month_device_free(laptop *d)
{
	sat_replica_close(d->r);
	sat_keyring_close(d->ring);
	simfs_free(d->fs);
	free(d);
}

/* ---- sessions ---------------------------------------------------------------------------- */

static sat_rc
exchange(laptop *d, sat_cs *cs, sat_server_session *x, bool *done, sat_err *e)
{
	month *m = d->m;
	sat_buf request = { 0 }, reply = { 0 };
	sat_rc rc;

	rc = sat_cs_next(cs, &request, done, e);
	if (rc == SAT_OK && !*done) {
		rc = sat_server_handle(m->server, x, &reply,
		    sat_buf_span(&request), e);
		COUNT(m, bytes_up, request.n);
		COUNT(m, bytes_down, reply.n);
		if (rc == SAT_OK)
			rc = sat_cs_reply(cs, sat_buf_span(&reply), e);
	}
	sat_buf_fini(&request);
	sat_buf_fini(&reply);
	return rc;
}

bool
month_device_sync(laptop *d, bool whole)
{
	month *m = d->m;
	sat_clock clock = clock_of(d);
	sat_cs *cs = sat_cs_new(&d->ops, &clock, 0);
	sat_server_session x = { 0 };
	int most = whole ? EXCHANGES_MAX : 1 + (int)month_draw(m, 4), n = 0;
	bool done = false;
	sat_rc rc = SAT_OK;
	sat_err e = { 0 };

	memcpy(x.channel_pk, d->id.channel_pk, sizeof x.channel_pk);
	COUNT(m, sessions, 1);
	COUNT(m, broken, !whole);
	month_pass(m, 500);
	while (rc == SAT_OK && !done && n++ < most)
		rc = exchange(d, cs, &x, &done, &e);
	sat_cs_free(cs);
	if (rc == SAT_OK && done)
		d->epoch_heard = m->losses;
	if (d->gone)
		return rc == SAT_OK;
	if (rc != SAT_OK)
		month_bad(m, "a session of device %d (%s) fails: %s", d->index,
		    m->user[d->user].key, e.text);
	else if (whole && !done)
		month_bad(m, "a session of device %d does not end", d->index);
	return rc == SAT_OK;
}

/* ---- what it keeps ------------------------------------------------------------------------ */

static void
each_row(laptop *d, const char *sql, bool quarantine, month_kept *cb, void *u)
{
	sat_arena a = { 0 };
	sat_commit c;
	sat_stmt *s;
	bool row;
	sat_err e = { 0 };

	month_must(sat_db_stmt_text(&s, sat_replica_db(d->r), sql, &e), &e,
	    "outbox");
	while (month_must(sat_step(&row, s, &e), &e, "outbox"), row) {
		sat_arena_reset(&a);
		if (sat_col_null(s, 1))
			continue;
		month_must(sat_commit_read(&c, &a, sat_col_blob(s, 0),
		    sat_col_blob(s, 1), &e), &e, "commit");
		cb(u, &c, sat_col_int(s, 2) == 0, quarantine);
	}
	sat_stmt_reset(s);
	sat_arena_fini(&a);
}

void
month_device_kept(laptop *d, month_kept *cb, void *u)
{
	each_row(d, "SELECT o.header, o.payload, coalesce(a.state, 0) FROM "
	    "outbox AS o LEFT JOIN answer AS a ON a.seq = o.seq", false, cb, u);
	/* One that was sent again (1) goes on with its payload as its heir; one
	 * that was handed over (2) is a suggestion in another commit. */
	each_row(d, "SELECT header, payload, 3 FROM quarantine WHERE fate <> 1",
	    true, cb, u);
}

/* ---- loss of its disk ---------------------------------------------------------------------- */

/* What no server has heard of goes with the disk; and what only a server had
 * that was itself lost since. */
static void
excuse(void *u, const sat_commit *c, bool waiting, bool quarantine)
{
	laptop *d = u;
	save *s = month_save_find(d->m, c->payload_hash);

	if (s != NULL && (waiting || quarantine ||
	    d->epoch_heard != d->m->losses))
		s->excused = true;
}

static void
pardon(void *u, const sat_commit *c, bool waiting, bool quarantine)
{
	save *s = month_save_find(((laptop *)u)->m, c->payload_hash);

	(void)waiting;
	(void)quarantine;
	if (s != NULL)
		s->excused = false;
}

void
month_device_backup(laptop *d)
{
	sat_err e = { 0 };

	simfs_remove(d->fs, COPY_NAME);
	simfs_remove(d->fs, COPY_NAME "-wal");
	month_must(sat_replica_backup(d->r, COPY_NAME, &e), &e,
	    "backup of a device");
	d->has_backup = true;
	COUNT(d->m, device_backups, 1);
}

void
month_device_restore(laptop *d)
{
	sat_replica_env env = env_of(d);
	sat_err e = { 0 };

	month_device_kept(d, excuse, d);
	sat_replica_abandon(d->r);
	simfs_kill(d->fs);
	simfs_remove(d->fs, FILE_NAME);
	simfs_remove(d->fs, FILE_NAME "-wal");
	simfs_remove(d->fs, FILE_NAME "-shm");
	simfs_rename(d->fs, COPY_NAME, FILE_NAME);
	d->has_backup = false;
	month_must(sat_replica_open(&d->r, &env, &e), &e, "restored device");
	d->ops = sat_replica_session(d->r);
	month_device_kept(d, pardon, d);
	COUNT(d->m, restored, 1);
}

void
month_device_steal(laptop *d)
{
	month *m = d->m;
	uint32_t ord = sat_replica_identity_get(d->r)->device;
	sat_err e = { 0 };

	month_device_kept(d, excuse, d);
	month_must(sat_sqlite_device_revoke(m->store, ord, &e), &e, "revoke");
	month_must(sat_server_reload(m->server, &e), &e, "reload");
	d->gone = true;
	COUNT(m, stolen, 1);
	if (month_device_sync(d, true))
		month_bad(m, "stolen device %d still syncs", d->index);
	else
		COUNT(m, refused_thief, 1);
	sat_replica_abandon(d->r);
	d->r = NULL;
	(void)month_device_new(m, d->user);
}
