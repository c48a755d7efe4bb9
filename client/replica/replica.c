/*
 * replica.c - open, create, close, and the small state that lives in `meta`.
 *
 * What is persisted where: the chain's head, the commit number and the last
 * stamp ride in the newest outbox row, so that a local edit writes nothing
 * else; the cursor and what a pull teaches the clock are written in the
 * transaction that applies the page.
 */
#include "client/replica/replica_int.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/log.h"
#include "protocol/bugs.h"

/* ---- statements and columns -------------------------------------------------- */

sat_rc
replica_run_int(sat_replica *r, int sql, int64_t v, sat_err *e)
{
	sat_stmt *s;
	sat_rc rc;

	if ((rc = sat_db_stmt(&s, r->db, sql, e)) != SAT_OK)
		return rc;
	sat_bind_int(s, 1, v);
	return sat_run(s, e);
}

const char *
replica_col_str(sat_arena *a, sat_stmt *s, int i)
{
	sat_span t = sat_col_text(s, i);

	return sat_arena_str(a, t.p, t.n);
}

sat_span
replica_col_copy(sat_arena *a, sat_stmt *s, int i)
{
	sat_span b = sat_col_blob(s, i);

	return sat_span_of(sat_arena_dup(a, b.p, b.n), b.n);
}

/* ---- meta -------------------------------------------------------------------- */

static sat_rc
meta_put(sat_stmt **s, sat_replica *r, const char *key, sat_err *e)
{
	sat_rc rc;

	if ((rc = sat_db_stmt(s, r->db, SQL_META_PUT, e)) == SAT_OK)
		sat_bind_text(*s, 1, sat_span_str(key));
	return rc;
}

sat_rc
replica_meta_int(sat_replica *r, const char *key, int64_t v, sat_err *e)
{
	sat_stmt *s;
	sat_rc rc;

	if ((rc = meta_put(&s, r, key, e)) != SAT_OK)
		return rc;
	sat_bind_int(s, 2, v);
	return sat_run(s, e);
}

sat_rc
replica_meta_blob(sat_replica *r, const char *key, sat_span v, sat_err *e)
{
	sat_stmt *s;
	sat_rc rc;

	if ((rc = meta_put(&s, r, key, e)) != SAT_OK)
		return rc;
	sat_bind_blob(s, 2, v);
	return sat_run(s, e);
}

sat_rc
replica_meta_del(sat_replica *r, const char *key, sat_err *e)
{
	sat_stmt *s;
	sat_rc rc;

	if ((rc = sat_db_stmt(&s, r->db, SQL_META_DEL, e)) != SAT_OK)
		return rc;
	sat_bind_text(s, 1, sat_span_str(key));
	return sat_run(s, e);
}

sat_rc
replica_meta_clock(sat_replica *r, sat_err *e)
{
	sat_rc rc;

	if ((rc = replica_meta_int(r, "hlc", (int64_t)r->hlc.last, e)) !=
	    SAT_OK ||
	    (rc = replica_meta_int(r, "offset", r->hlc.offset_ms, e)) !=
	    SAT_OK ||
	    (rc = replica_meta_int(r, "wall", r->hlc.wall_ms, e)) != SAT_OK)
		return rc;
	/* later than this the newest commit's reading counts */
	return replica_meta_int(r, "wall_seq", r->chain.newest, e);
}

typedef struct meta_values {
	int64_t wall_seq, restored;
	bool identity;
} meta_values;

static sat_rc
take_blob(sat_replica *r, meta_values *m, sat_span key, sat_span v, sat_err *e)
{
	if (sat_span_eq(key, sat_span_str("identity"))) {
		m->identity = true;
		return replica_identity_read(r->id, v, e);
	}
	if (sat_span_eq(key, sat_span_str("keys")))
		return replica_keys_load(r, v, e);
	if (sat_span_eq(key, sat_span_str("certs")))
		return replica_certs_read(r, v, e);
	if (sat_span_eq(key, sat_span_str("permit")))
		return replica_permit_load(r, v, e);
	if (sat_span_eq(key, sat_span_str("template")) &&
	    v.n == sizeof r->toid)
		memcpy(r->toid, v.p, v.n);
	return SAT_OK;
}

static void
take_int(sat_replica *r, meta_values *m, sat_span key, int64_t v)
{
	uint64_t u = (uint64_t)v;
	const struct {
		const char *key;
		uint64_t *u;
		int64_t *i;
	} known[] = {
		{ "cursor", &r->cursor, NULL }, { "known", &r->known, NULL },
		{ "durable", &r->durable, NULL }, { "epoch", &r->epoch, NULL },
		{ "ledger_rev", &r->ledger_rev, NULL },
		{ "ledger_acked", &r->ledger_acked, NULL },
		{ "snap_lsn", &r->snap_lsn, NULL },
		{ "gained", &r->gained, NULL },
		{ "answered", &r->answered, NULL },
		{ "coverage_rev", &r->coverage_rev, NULL },
		{ "coverage_reg", &r->coverage_reg, NULL },
		{ "hlc", &r->hlc.last, NULL },
		{ "offset", NULL, &r->hlc.offset_ms },
		{ "wall", NULL, &r->hlc.wall_ms },
		{ "wall_seq", NULL, &m->wall_seq },
		{ "last_sync", NULL, &r->last_sync_ms },
		{ "low", NULL, &r->low }, { "fork", NULL, &r->fork },
		{ "restored", NULL, &m->restored },
		{ "told", NULL, &r->told_ms },
		{ "wipe", NULL, &r->wipe_ms },
		{ "streak", NULL, &r->streak },
		{ "scrubbed", NULL, &r->scrubbed_ms },
		{ "div_count", NULL, &r->diverged.count },
		{ "div_at", NULL, &r->diverged.at_ms },
		{ "div_lsn", &r->diverged.lsn, NULL },
	};

	const struct {
		const char *key;
		bool *b;
	} flags[] = { { "complete", &r->complete }, { "resnap", &r->resnap },
		{ "seeding", &r->seeding },
		{ "ledger_back", &r->ledger_back } };

	for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
		if (sat_span_eq(key, sat_span_str(flags[i].key)))
			*flags[i].b = v != 0;
	if (sat_span_eq(key, sat_span_str("snap_after")))
		r->snap_after = u;
	if (sat_span_eq(key, sat_span_str("scrub_kind")))
		r->scrub_kind = (uint16_t)u;
	if (sat_span_eq(key, sat_span_str("scrub_bucket")))
		r->scrub_bucket = (uint32_t)u;
	if (sat_span_eq(key, sat_span_str("div_kind")))
		r->diverged.kind = (uint16_t)u;
	if (sat_span_eq(key, sat_span_str("div_bucket")))
		r->diverged.bucket = (uint32_t)u;
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		if (!sat_span_eq(key, sat_span_str(known[i].key)))
			continue;
		if (known[i].u != NULL)
			*known[i].u = u;
		else
			*known[i].i = v;
	}
}

static sat_rc
load_meta(sat_replica *r, meta_values *m, sat_err *e)
{
	sat_stmt *s;
	bool row;
	sat_rc rc;

	if ((rc = sat_db_stmt(&s, r->db, SQL_META_ALL, e)) != SAT_OK)
		return rc;
	while ((rc = sat_step(&row, s, e)) == SAT_OK && row) {
		if (sat_col_type(s, 1) == 'i')
			take_int(r, m, sat_col_text(s, 0), sat_col_int(s, 1));
		else if ((rc = take_blob(r, m, sat_col_text(s, 0),
		    sat_col_blob(s, 1), e)) != SAT_OK)
			break;
	}
	sat_stmt_reset(s);
	return rc;
}

/* The newest own commit: number, link, stamp, and what the clock showed. */
static sat_rc
load_chain(sat_replica *r, int64_t wall_seq, sat_err *e)
{
	sat_arena a = { 0 };
	sat_commit c;
	sat_stmt *s;
	bool row;
	sat_rc rc;

	if ((rc = sat_db_stmt(&s, r->db, SQL_OUTBOX_NEWEST, e)) != SAT_OK ||
	    (rc = sat_step(&row, s, e)) != SAT_OK || !row)
		return rc;
	r->chain.newest = sat_col_int(s, 0);
	if ((rc = sat_commit_read(&c, &a, sat_col_blob(s, 2),
	    (sat_span){ NULL, 0 }, e)) == SAT_OK) {
		if (c.incarnation == r->id->incarnation) {
			r->chain.cseq = c.cseq;
			sat_hash(r->chain.head, sat_col_blob(s, 2));
		}
		if (c.hlc > r->hlc.last)
			r->hlc.last = c.hlc;
		if (r->chain.newest > wall_seq)
			r->hlc.wall_ms = sat_col_int(s, 1);
	}
	sat_stmt_reset(s);
	sat_arena_fini(&a);
	if (SAT_BUG(SAT_BUG_HLC_NOT_PERSISTED)) {
		r->hlc.last = 0;
		r->hlc.wall_ms = 0;
	}
	return rc;
}

static sat_rc
load_next_rid(sat_replica *r, sat_err *e)
{
	sat_stmt *s;
	bool row;
	sat_rc rc;

	r->chain.next_rid = SAT_RID_LOCAL + 1;
	for (size_t i = 0; r->kinds != NULL && i < r->kinds->n; i++) {
		if ((rc = replica_kind_stmt(&s, r, &r->kinds->k[i],
		    KQ_LOCAL_MAX, e)) != SAT_OK ||
		    (rc = sat_step(&row, s, e)) != SAT_OK)
			return rc;
		if (row && sat_col_int(s, 0) >= r->chain.next_rid)
			r->chain.next_rid = sat_col_int(s, 0) + 1;
		sat_stmt_reset(s);
	}
	return SAT_OK;
}

/* ---- registry ------------------------------------------------------------------ */

sat_rc
replica_load_registry(sat_replica *r, sat_err *e)
{
	sat_stmt *s;
	bool row;
	sat_rc rc;

	if ((rc = sat_db_stmt(&s, r->db, SQL_DOC_GET, e)) != SAT_OK)
		return rc;
	sat_bind_text(s, 1, sat_span_str("registry"));
	if ((rc = sat_step(&row, s, e)) != SAT_OK || !row)
		return rc;
	rc = sat_registry_read(&r->reg, sat_col_blob(s, 0), e);
	sat_stmt_reset(s);
	if (rc == SAT_OK)
		r->me = sat_registry_user_ord(&r->reg, r->id->user);
	return rc;
}

const sat_registry *
sat_replica_registry(const sat_replica *r)
{
	return &r->reg;
}

const sat_user *
sat_replica_me(const sat_replica *r)
{
	return r->me;
}

/* ---- transactions ---------------------------------------------------------------- */

sat_rc
replica_begin(sat_replica *r, bool *began, sat_err *e)
{
	*began = false;
	if (r->in_group)
		return SAT_OK;
	*began = true;
	return sat_db_begin(r->db, e);
}

sat_rc
replica_end(sat_replica *r, bool began, sat_rc rc, sat_err *e)
{
	if (!began)
		return rc;
	r->mend = false;
	if (rc == SAT_OK)
		return sat_db_commit(r->db, e);
	sat_db_rollback(r->db);
	return rc;
}

sat_rc
replica_session_begin(sat_replica *r, sat_err *e)
{
	if (r->in_group)
		return sat_fail(e, SAT_EBUSY,
		    "an import is being written; sync when it is done");
	replica_page_reset(r);
	r->mend = true;
	return sat_db_begin(r->db, e);
}

/* ---- open and close ---------------------------------------------------------------- */

static sat_replica *
new_replica(const sat_replica_env *env)
{
	sat_replica *r = sat_xcalloc(1, sizeof *r);

	r->clock = env->clock;
	r->rand = env->rand;
	r->keyring = env->keyring;
	r->vfs_below = env->vfs_below != NULL ?
	    sat_xstrdup(env->vfs_below) : NULL;
	r->spool = env->spool != NULL ? sat_xstrdup(env->spool) : NULL;
	r->id = sat_secret_new(sizeof *r->id);
	r->keys = sat_secret_new(sizeof *r->keys);
	r->hlc.boot_ms = -1;
	r->page.last = &r->page.rows;
	return r;
}

static void
free_replica(sat_replica *r)
{
	replica_pend_drop(r);
	replica_epoch_forget(r);
	replica_page_fini(r);
	free(r->ranges);
	free(r->certs);
	replica_kinds_free(r->kinds);
	sat_template_free(r->t);
	sat_registry_fini(&r->reg);
	sat_secret_free(r->id);
	sat_secret_free(r->keys);
	sat_buf_fini(&r->b1);
	sat_buf_fini(&r->b2);
	sat_buf_fini(&r->b3);
	sat_buf_fini(&r->b4);
	sat_buf_fini(&r->run.bytes);
	free(r->vfs_below);
	free(r->spool);
	free(r);
}

void
sat_replica_close(sat_replica *r)
{
	if (r == NULL)
		return;
	sat_db_close(r->db);
	free_replica(r);
}

void
sat_replica_abandon(sat_replica *r)
{
	if (r == NULL)
		return;
	sat_db_abandon(r->db);
	free_replica(r);
}

static bool
file_missing(const sat_replica_env *env)
{
	return env->vfs_below == NULL && access(env->path, F_OK) != 0 &&
	    errno == ENOENT;
}

static sat_rc
fail_missing(const sat_replica_env *env, sat_err *e)
{
	return sat_fail_code(e, SAT_ENOREPLICA, "replica.missing",
	    "set this device up with an invitation",
	    "%s: there is no replica here", env->path);
}

static sat_rc
open_db(sat_replica *r, const sat_replica_env *env, bool create, sat_err *e)
{
	sat_db_open_opts o = { .path = env->path, .keyring = env->keyring,
		.create = create, .shrinks = true,
		.vfs_below = env->vfs_below,
		.sql = client_replica_sql, .nsql = client_replica_sql_count,
		.bug_sync_normal = SAT_BUG(SAT_BUG_SYNC_NORMAL) };
	sat_rc rc;

	if (!create && file_missing(env))
		return fail_missing(env, e);
	if ((rc = sat_db_open(&r->db, &o, e)) != SAT_OK)
		return rc == SAT_ENOTFOUND ? fail_missing(env, e) : rc;
	return sat_db_migrate(r->db, client_replica_schema,
	    client_replica_schema_count, e);
}

static sat_rc
load_recovering(sat_replica *r, sat_err *e)
{
	int64_t n;
	sat_rc rc = replica_count(&n, r, SQL_RECOVERED_COUNT, e);

	if (rc == SAT_OK)
		r->recovering = n > 0;
	r->told_ahead = true; /* asked with the first page */
	return rc;
}

static sat_rc
load(sat_replica *r, const sat_replica_env *env, sat_err *e)
{
	meta_values m = { 0 };
	sat_rc rc;

	if ((rc = load_meta(r, &m, e)) != SAT_OK)
		return rc;
	if (!m.identity)
		return fail_missing(env, e);
	if ((rc = load_chain(r, m.wall_seq, e)) != SAT_OK ||
	    (rc = load_recovering(r, e)) != SAT_OK ||
	    (rc = replica_load_registry(r, e)) != SAT_OK ||
	    (rc = replica_template_open(r, e)) != SAT_OK ||
	    (rc = load_next_rid(r, e)) != SAT_OK ||
	    (rc = replica_salt_open(r, e)) != SAT_OK)
		return rc;
	/* A restored copy must not go on under the original's numbers. */
	return m.restored != 0 ? sat_replica_new_incarnation(r, e) : SAT_OK;
}

sat_rc
sat_replica_open(sat_replica **out, const sat_replica_env *env, sat_err *e)
{
	sat_replica *r = new_replica(env);
	sat_rc rc;

	*out = NULL;
	if ((rc = open_db(r, env, false, e)) != SAT_OK ||
	    (rc = load(r, env, e)) != SAT_OK) {
		sat_replica_close(r);
		return rc;
	}
	*out = r;
	return SAT_OK;
}

static sat_rc
first_identity(sat_replica *r, const sat_replica_identity *id, sat_err *e)
{
	meta_values m = { 0 };
	sat_rc rc;

	if ((rc = load_meta(r, &m, e)) != SAT_OK)
		return rc;
	if (m.identity)
		return sat_fail_code(e, SAT_ECONFLICT, "replica.exists",
		    "choose another folder", "there is a replica here already");
	memcpy(r->id, id, sizeof *id);
	if ((rc = sat_db_begin(r->db, e)) != SAT_OK)
		return rc;
	return replica_end(r, true, replica_identity_put(r, e), e);
}

sat_rc
sat_replica_create(sat_replica **out, const sat_replica_env *env,
    const sat_replica_identity *id, sat_err *e)
{
	sat_replica *r = new_replica(env);
	sat_rc rc;

	*out = NULL;
	if ((rc = open_db(r, env, true, e)) != SAT_OK ||
	    (rc = first_identity(r, id, e)) != SAT_OK) {
		sat_replica_close(r);
		return rc;
	}
	r->chain.next_rid = SAT_RID_LOCAL + 1;
	*out = r;
	return SAT_OK;
}

bool
sat_replica_is_demo(const sat_replica *r)
{
	return r->id->device != 0 && r->id->server[0] == '\0';
}

const sat_template *
sat_replica_template(const sat_replica *r)
{
	return r->t;
}

const uint8_t *
sat_replica_template_oid(const sat_replica *r)
{
	return r->toid;
}

sat_db *
sat_replica_db(sat_replica *r)
{
	return r->db;
}

sat_rc
replica_count(int64_t *n, sat_replica *r, int sql, sat_err *e)
{
	sat_stmt *s;
	bool row;
	sat_rc rc;

	*n = 0;
	if ((rc = sat_db_stmt(&s, r->db, sql, e)) != SAT_OK ||
	    (rc = sat_step(&row, s, e)) != SAT_OK)
		return rc;
	*n = row ? sat_col_int(s, 0) : 0;
	sat_stmt_reset(s);
	return SAT_OK;
}
