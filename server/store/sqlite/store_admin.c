/*
 * store_admin.c - what an administrator changes: each call one transaction.
 */
#include "server/store/sqlite/store_int.h"

#include <string.h>

#define KEY_MAX 64

static sat_rc
begin(sat_sqlite_store *s, sat_err *e)
{
	return sat_db_begin(s->db, e);
}

/* Commit what went well; roll back what did not. */
static sat_rc
end(sat_sqlite_store *s, sat_rc rc, bool registry, sat_err *e)
{
	if (rc == SAT_OK && registry)
		rc = store_registry_bump(s, e);
	return store_end(s, rc, e);
}

static sat_rc
check_key(const char *key, sat_err *e)
{
	size_t n = strlen(key);

	if (n == 0 || n > KEY_MAX ||
	    strspn(key, "abcdefghijklmnopqrstuvwxyz0123456789._-") != n)
		return sat_fail(e, SAT_EINVALID,
		    "a key is 1 to %d of a-z 0-9 . _ -", KEY_MAX);
	return SAT_OK;
}

static sat_rc
check_role(const char *role, sat_err *e)
{
	static const char *const roles[] = { "rep", "manager", "hq", "admin", "expert",
		"service", "marketing", "auditor", "kiosk", "receptionist" };

	for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++)
		if (strcmp(role, roles[i]) == 0)
			return SAT_OK;
	return sat_fail(e, SAT_EINVALID, "unknown role");
}

/* ord stays 0 when there is none. */
static sat_rc
by_key(uint32_t *ord, bool *disabled, sat_sqlite_store *s, int sql,
    const char *key, sat_err *e)
{
	sat_stmt *q;
	bool row;
	sat_rc rc;

	*ord = 0;
	*disabled = false;
	if ((rc = store_stmt(&q, s->db, sql, e)) != SAT_OK)
		return rc;
	sat_bind_text(q, 1, sat_span_str(key));
	if ((rc = sat_step(&row, q, e)) == SAT_OK && row) {
		*ord = (uint32_t)sat_col_int(q, 0);
		*disabled = sat_col_count(q) > 1 && sat_col_int(q, 1) != 0;
	}
	sat_stmt_reset(q);
	return rc;
}

static sat_rc
must_be_new(sat_sqlite_store *s, int sql, const char *key, sat_err *e)
{
	uint32_t ord;
	bool disabled;
	sat_rc rc;

	if ((rc = check_key(key, e)) != SAT_OK ||
	    (rc = by_key(&ord, &disabled, s, sql, key, e)) != SAT_OK)
		return rc;
	return ord == 0 ? SAT_OK :
	    sat_fail(e, SAT_ECONFLICT, "the key is taken");
}

static sat_rc
insert(uint32_t *ord, sat_sqlite_store *s, sat_stmt *q, sat_err *e)
{
	sat_rc rc = sat_run(q, e);

	if (rc == SAT_OK)
		*ord = (uint32_t)sat_db_last_rowid(s->db);
	return rc;
}

sat_rc
sat_sqlite_team_add(uint32_t *ord, sat_sqlite_store *s, const char *key,
    const char *name, const char *parent, sat_err *e)
{
	sat_stmt *q;
	sat_rc rc;

	if ((rc = begin(s, e)) != SAT_OK)
		return rc;
	if ((rc = must_be_new(s, SQL_TEAM_BY_KEY, key, e)) == SAT_OK &&
	    (rc = store_stmt(&q, s->db, SQL_TEAM_ADD, e)) == SAT_OK) {
		sat_bind_text(q, 1, sat_span_str(key));
		sat_bind_text(q, 2, sat_span_str(name));
		sat_bind_text(q, 3, sat_span_str(parent != NULL ? parent : ""));
		rc = insert(ord, s, q, e);
	}
	return end(s, rc, true, e);
}

static sat_rc
user_add(uint32_t *ord, sat_sqlite_store *s, const char *key, const char *name,
    const char *role, const char *team, sat_err *e)
{
	uint32_t team_ord = 0;
	bool disabled;
	sat_stmt *q;
	sat_rc rc;

	if ((rc = must_be_new(s, SQL_USER_BY_KEY, key, e)) != SAT_OK ||
	    (rc = check_role(role, e)) != SAT_OK)
		return rc;
	if (team != NULL && team[0] != '\0') {
		if ((rc = by_key(&team_ord, &disabled, s, SQL_TEAM_BY_KEY, team,
		    e)) != SAT_OK)
			return rc;
		if (team_ord == 0)
			return sat_fail(e, SAT_ENOTFOUND, "no such team");
		if (disabled)
			return sat_fail(e, SAT_EDENIED, "the team is disabled");
	}
	if ((rc = store_stmt(&q, s->db, SQL_USER_ADD, e)) != SAT_OK)
		return rc;
	sat_bind_text(q, 1, sat_span_str(key));
	sat_bind_text(q, 2, sat_span_str(name));
	sat_bind_text(q, 3, sat_span_str(role));
	sat_bind_int(q, 4, team_ord);
	return insert(ord, s, q, e);
}

sat_rc
sat_sqlite_user_add(uint32_t *ord, sat_sqlite_store *s, const char *key,
    const char *name, const char *role, const char *team, sat_err *e)
{
	sat_rc rc = begin(s, e);

	if (rc != SAT_OK)
		return rc;
	return end(s, user_add(ord, s, key, name, role, team, e), true, e);
}

static void
bind_or_null(sat_stmt *q, int i, const char *s)
{
	if (s == NULL)
		sat_bind_null(q, i);
	else
		sat_bind_text(q, i, sat_span_str(s));
}

static sat_rc
team_edit(sat_sqlite_store *s, const char *key, const char *name,
    const char *parent, const bool *disabled, sat_err *e)
{
	uint32_t ord;
	sat_stmt *q;
	bool was;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_TEAM_EDIT, e)) != SAT_OK)
		return rc;
	bind_or_null(q, 1, name);
	bind_or_null(q, 2, parent);
	if (disabled == NULL)
		sat_bind_null(q, 3);
	else
		sat_bind_int(q, 3, *disabled);
	sat_bind_text(q, 4, sat_span_str(key));
	if ((rc = sat_run(q, e)) != SAT_OK || sat_db_changes(s->db) != 0)
		return rc;
	if ((rc = by_key(&ord, &was, s, SQL_TEAM_BY_KEY, key, e)) != SAT_OK)
		return rc;
	if (ord == 0)
		return sat_fail(e, SAT_ENOTFOUND, "no such team");
	return sat_fail_code(e, SAT_ECONFLICT, "team.people",
	    "disable its people first, or add them anew in another team",
	    "people of the team may still sync");
}

sat_rc
sat_sqlite_team_edit(sat_sqlite_store *s, const char *key, const char *name,
    const char *parent, const bool *disabled, sat_err *e)
{
	sat_rc rc = begin(s, e);

	if (rc != SAT_OK)
		return rc;
	return end(s, team_edit(s, key, name, parent, disabled, e), true, e);
}

static sat_rc
user_edit(sat_sqlite_store *s, const char *key, const char *name,
    const char *role, const bool *disabled, sat_err *e)
{
	uint32_t ord;
	sat_stmt *q;
	bool was;
	sat_rc rc;

	if ((role != NULL && (rc = check_role(role, e)) != SAT_OK) ||
	    (rc = store_stmt(&q, s->db, SQL_USER_EDIT, e)) != SAT_OK)
		return rc;
	bind_or_null(q, 1, name);
	bind_or_null(q, 2, role);
	if (disabled == NULL)
		sat_bind_null(q, 3);
	else
		sat_bind_int(q, 3, *disabled);
	sat_bind_text(q, 4, sat_span_str(key));
	if ((rc = sat_run(q, e)) != SAT_OK || sat_db_changes(s->db) != 0)
		return rc;
	if ((rc = by_key(&ord, &was, s, SQL_USER_BY_KEY, key, e)) != SAT_OK)
		return rc;
	if (ord == 0)
		return sat_fail(e, SAT_ENOTFOUND, "no such user");
	return sat_fail_code(e, SAT_EINVALID, "user.role", /* P-270 */
	    "add another user, and disable this one",
	    "a kiosk or receptionist keeps to these roles, others to others");
}

sat_rc
sat_sqlite_user_edit(sat_sqlite_store *s, const char *key, const char *name,
    const char *role, const bool *disabled, sat_err *e)
{
	sat_rc rc = begin(s, e);

	if (rc != SAT_OK)
		return rc;
	return end(s, user_edit(s, key, name, role, disabled, e), true, e);
}

sat_rc
sat_sqlite_devices(sat_sqlite_store *s,
    bool (*cb)(void *cu, const sat_sqlite_device *d), void *cu, sat_err *e)
{
	sat_arena a = { 0 };
	sat_stmt *q;
	bool row, go = true;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_DEVICES, e)) != SAT_OK)
		return rc;
	while (go && (rc = sat_step(&row, q, e)) == SAT_OK && row) {
		sat_span name = sat_col_text(q, 2);
		sat_sqlite_device d = { .ord = (uint32_t)sat_col_int(q, 0),
			.user = (uint32_t)sat_col_int(q, 1),
			.revoked = sat_col_int(q, 3) != 0,
			.enrolled_ms = sat_col_int(q, 4),
			.last_seen_ms = sat_col_int(q, 5),
			.cursor = (uint64_t)sat_col_int(q, 6),
			.diverged = (uint64_t)sat_col_int(q, 7),
			.permit_days = (int32_t)sat_col_int(q, 8),
			.template_oid = sat_col_blob(q, 9),
			.waiting = sat_col_int(q, 10) != 0,
			.sign_pk = sat_col_blob(q, 11),
			.wipe = { .at_ms = sat_col_int(q, 12),
				.push_first = sat_col_int(q, 13) != 0,
				.told_ms = sat_col_int(q, 14),
				.done_ms = sat_col_int(q, 15) },
			.wipe_lost = (uint64_t)sat_col_int(q, 16),
			.rekeyed_ms = sat_col_int(q, 17),
			.former_heard_ms = sat_col_int(q, 18) };

		d.name = sat_arena_str(&a, name.p, name.n);
		go = cb(cu, &d);
		sat_arena_reset(&a);
	}
	sat_stmt_reset(q);
	sat_arena_fini(&a);
	return rc;
}

sat_rc
store_revoke(sat_sqlite_store *s, uint32_t ord, sat_err *e)
{
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_DEVICE_REVOKE, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, ord);
	if ((rc = sat_run(q, e)) == SAT_OK && sat_db_changes(s->db) == 0)
		rc = sat_fail(e, SAT_ENOTFOUND, "no such device");
	return rc;
}

static sat_rc
approve(sat_sqlite_store *s, uint32_t ord, sat_err *e)
{
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_DEVICE_APPROVE, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, ord);
	if ((rc = sat_run(q, e)) == SAT_OK && sat_db_changes(s->db) == 0)
		rc = sat_fail(e, SAT_ECONFLICT,
		    "no device of that number waits");
	return rc;
}

sat_rc
sat_sqlite_device_approve(sat_sqlite_store *s, uint32_t ord, sat_err *e)
{
	sat_rc rc = begin(s, e);

	if (rc != SAT_OK)
		return rc;
	return end(s, approve(s, ord, e), true, e);
}

static sat_rc
put_name(sat_sqlite_store *s, uint32_t ord, const char *name, sat_err *e)
{
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_DEVICE_RENAME, e)) != SAT_OK)
		return rc;
	sat_bind_text(q, 1, sat_span_str(name));
	sat_bind_int(q, 2, ord);
	if ((rc = sat_run(q, e)) == SAT_OK && sat_db_changes(s->db) == 0)
		rc = sat_fail(e, SAT_ENOTFOUND, "no device has number %u", ord);
	return rc;
}

sat_rc
sat_sqlite_device_rename(sat_sqlite_store *s, uint32_t ord, const char *name,
    sat_err *e)
{
	bool good = name[0] != '\0' && strlen(name) <= SAT_DEVICE_NAME_MAX;
	sat_rc rc;

	for (const char *p = name; good && *p != '\0'; p++)
		good = (unsigned char)*p >= ' ' && *p != 0x7f;
	if (!good)
		return sat_fail(e, SAT_EINVALID,
		    "a device's name has 1 to %d bytes", SAT_DEVICE_NAME_MAX);
	if ((rc = begin(s, e)) != SAT_OK)
		return rc;
	return end(s, put_name(s, ord, name, e), true, e);
}

static sat_rc
put_permit(sat_sqlite_store *s, uint32_t ord, int32_t days, sat_err *e)
{
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_DEVICE_PERMIT_PUT, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, days);
	sat_bind_int(q, 2, ord);
	if ((rc = sat_run(q, e)) == SAT_OK && sat_db_changes(s->db) == 0)
		rc = sat_fail(e, SAT_ENOTFOUND, "no device has number %u", ord);
	return rc;
}

sat_rc
sat_sqlite_device_permit(sat_sqlite_store *s, uint32_t ord, int32_t days,
    sat_err *e)
{
	sat_rc rc = sat_db_begin(s->db, e);

	return rc != SAT_OK ? rc : end(s, put_permit(s, ord, days, e), false, e);
}

sat_rc
sat_sqlite_device_revoke(sat_sqlite_store *s, uint32_t ord, sat_err *e)
{
	sat_rc rc = begin(s, e);

	if (rc != SAT_OK)
		return rc;
	return end(s, store_revoke(s, ord, e), true, e);
}

static sat_rc
invite_add(sat_sqlite_store *s, const uint8_t token[16], const char *user,
    int64_t expires_ms, sat_err *e)
{
	uint8_t hash[SAT_HASH_BYTES];
	uint32_t ord;
	bool disabled;
	sat_stmt *q;
	sat_rc rc;

	if ((rc = by_key(&ord, &disabled, s, SQL_USER_BY_KEY, user, e)) !=
	    SAT_OK)
		return rc;
	if (ord == 0)
		return sat_fail(e, SAT_ENOTFOUND, "no such user");
	if (disabled)
		return sat_fail(e, SAT_EDENIED, "the user is disabled");
	if ((rc = store_stmt(&q, s->db, SQL_INVITE_ADD, e)) != SAT_OK)
		return rc;
	sat_hash(hash, sat_span_of(token, 16));
	sat_bind_blob(q, 1, sat_span_of(hash, sizeof hash));
	sat_bind_int(q, 2, ord);
	sat_bind_int(q, 3, expires_ms);
	return sat_run(q, e);
}

sat_rc
sat_sqlite_invite_add(sat_sqlite_store *s, const uint8_t token[16],
    const char *user, int64_t expires_ms, sat_err *e)
{
	sat_rc rc = begin(s, e);

	if (rc != SAT_OK)
		return rc;
	return end(s, invite_add(s, token, user, expires_ms, e), false, e);
}

static sat_rc
invite_hold(sat_sqlite_store *s, const uint8_t token[16], sat_err *e)
{
	uint8_t hash[SAT_HASH_BYTES];
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_INVITE_HOLD, e)) != SAT_OK)
		return rc;
	sat_hash(hash, sat_span_of(token, 16));
	sat_bind_blob(q, 1, sat_span_of(hash, sizeof hash));
	if ((rc = sat_run(q, e)) == SAT_OK && sat_db_changes(s->db) == 0)
		rc = sat_fail(e, SAT_ENOTFOUND, "no such open invitation");
	return rc;
}

sat_rc
sat_sqlite_invite_hold(sat_sqlite_store *s, const uint8_t token[16], sat_err *e)
{
	sat_rc rc = begin(s, e);

	if (rc != SAT_OK)
		return rc;
	return end(s, invite_hold(s, token, e), false, e);
}

sat_rc
sat_sqlite_invites(sat_sqlite_store *s, int64_t now_ms,
    bool (*cb)(void *cu, const sat_sqlite_invite *i), void *cu, sat_err *e)
{
	sat_arena a = { 0 };
	sat_stmt *q;
	bool row, go = true;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_INVITES, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, now_ms);
	while (go && (rc = sat_step(&row, q, e)) == SAT_OK && row) {
		sat_span hash = sat_col_blob(q, 0), key = sat_col_text(q, 1);
		sat_sqlite_invite i = {
			.user = sat_arena_str(&a, key.p, key.n),
			.expires_ms = sat_col_int(q, 2),
			.waits = sat_col_int(q, 3) != 0 };

		memcpy(i.id, hash.p, sizeof i.id);
		go = cb(cu, &i);
		sat_arena_reset(&a);
	}
	sat_stmt_reset(q);
	sat_arena_fini(&a);
	return rc;
}

static sat_rc
invite_drop(sat_sqlite_store *s, const uint8_t id[SAT_INVITE_ID_BYTES],
    sat_err *e)
{
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_INVITE_DROP, e)) != SAT_OK)
		return rc;
	sat_bind_blob(q, 1, sat_span_of(id, SAT_INVITE_ID_BYTES));
	if ((rc = sat_run(q, e)) == SAT_OK && sat_db_changes(s->db) == 0)
		rc = sat_fail_code(e, SAT_ENOTFOUND, "not_found",
		    "see: satcheld device invites",
		    "there is no such open invitation");
	return rc;
}

sat_rc
sat_sqlite_invite_drop(sat_sqlite_store *s,
    const uint8_t id[SAT_INVITE_ID_BYTES], sat_err *e)
{
	sat_rc rc = begin(s, e);

	return rc != SAT_OK ? rc : end(s, invite_drop(s, id, e), false, e);
}

sat_rc
sat_sqlite_setting_get(sat_buf *out, sat_sqlite_store *s, const char *key,
    sat_err *e)
{
	sat_span v;
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_SETTING_GET, e)) != SAT_OK)
		return rc;
	sat_bind_text(q, 1, sat_span_str(key));
	if ((rc = store_step_one(q, "setting", e)) != SAT_OK)
		return rc;
	v = sat_col_blob(q, 0);
	sat_buf_add(out, v.p, v.n);
	sat_stmt_reset(q);
	return SAT_OK;
}

sat_rc
sat_sqlite_setting_put(sat_sqlite_store *s, const char *key, sat_span value,
    sat_err *e)
{
	sat_stmt *q;
	sat_rc rc;

	if ((rc = begin(s, e)) != SAT_OK)
		return rc;
	if ((rc = store_stmt(&q, s->db, SQL_SETTING_PUT, e)) == SAT_OK) {
		sat_bind_text(q, 1, sat_span_str(key));
		sat_bind_blob(q, 2, value);
		rc = sat_run(q, e);
	}
	return end(s, rc, false, e);
}

sat_rc
sat_sqlite_status_get(sat_sqlite_status *out, sat_sqlite_store *s, sat_err *e)
{
	sat_stmt *q;
	sat_rc rc;

	memset(out, 0, sizeof *out);
	if ((rc = store_stmt(&q, s->db, SQL_STATUS, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, sat_wall_ms(&s->clock));
	if ((rc = store_step_one(q, "status", e)) != SAT_OK)
		return rc;
	out->lsn = (uint64_t)sat_col_int(q, 0);
	out->records = (uint64_t)sat_col_int(q, 1);
	out->refused = (uint64_t)sat_col_int(q, 2);
	out->users = (uint64_t)sat_col_int(q, 3);
	out->teams = (uint64_t)sat_col_int(q, 4);
	out->devices = (uint64_t)sat_col_int(q, 5);
	out->invites = (uint64_t)sat_col_int(q, 6);
	sat_stmt_reset(q);
	if ((rc = store_counter_get(&out->durable, s, SAT_N_DURABLE, e)) !=
	    SAT_OK || (rc = store_counter_get(&out->epoch, s, SAT_N_EPOCH,
	    e)) != SAT_OK)
		return rc;
	return store_counter_get(&out->registry_rev, s, SAT_N_REGISTRY_REV, e);
}
