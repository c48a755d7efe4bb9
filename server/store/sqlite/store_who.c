/*
 * store_who.c - users, teams, devices, invitations, settings.
 *
 * Every change of what a device may know of the others raises the registry's
 * revision in the same transaction.
 */
#include "server/store/sqlite/store_int.h"

#include <string.h>

/* ---- the registry ------------------------------------------------------------- */

/* Room for one more in an array that lives in an arena. */
static void *
more(sat_arena *a, void *p, size_t n, size_t size)
{
	void *q;

	if (n != 0 && (n < 16 || (n & (n - 1)) != 0))
		return p;
	q = sat_arena_alloc(a, (n < 16 ? 16 : n * 2) * size);
	if (n != 0)
		memcpy(q, p, n * size);
	return q;
}

static sat_rc
read_teams(sat_registry *r, sat_sqlite_store *s, sat_err *e)
{
	sat_stmt *q;
	bool row;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_TEAMS, e)) != SAT_OK)
		return rc;
	while ((rc = sat_step(&row, q, e)) == SAT_OK && row) {
		r->teams = more(&r->mem, r->teams, r->nteams, sizeof *r->teams);
		r->teams[r->nteams++] = (sat_team){
			(uint32_t)sat_col_int(q, 0), store_text(&r->mem, q, 1),
			store_text(&r->mem, q, 2), store_text(&r->mem, q, 3),
			sat_col_int(q, 4) != 0 };
	}
	sat_stmt_reset(q);
	return rc;
}

static sat_rc
read_users(sat_registry *r, sat_sqlite_store *s, sat_err *e)
{
	sat_stmt *q;
	bool row;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_USERS, e)) != SAT_OK)
		return rc;
	while ((rc = sat_step(&row, q, e)) == SAT_OK && row) {
		r->users = more(&r->mem, r->users, r->nusers, sizeof *r->users);
		r->users[r->nusers++] = (sat_user){
			(uint32_t)sat_col_int(q, 0), store_text(&r->mem, q, 1),
			store_text(&r->mem, q, 2), store_text(&r->mem, q, 3),
			(uint32_t)sat_col_int(q, 4), sat_col_int(q, 5) != 0 };
	}
	sat_stmt_reset(q);
	return rc;
}

static sat_rc
read_devices(sat_registry *r, sat_sqlite_store *s, sat_err *e)
{
	sat_stmt *q;
	bool row;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_DEVICES, e)) != SAT_OK)
		return rc;
	while ((rc = sat_step(&row, q, e)) == SAT_OK && row) {
		r->devices = more(&r->mem, r->devices, r->ndevices,
		    sizeof *r->devices);
		r->devices[r->ndevices++] = (sat_device){
			(uint32_t)sat_col_int(q, 0),
			(uint32_t)sat_col_int(q, 1), store_text(&r->mem, q, 2),
			sat_col_int(q, 3) != 0, sat_col_int(q, 10) != 0 };
	}
	sat_stmt_reset(q);
	return rc;
}

static sat_rc
registry(sat_registry *r, void *u, sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_rc rc;

	memset(r, 0, sizeof *r);
	if ((rc = store_counter_get(&r->rev, u, SAT_N_REGISTRY_REV, e)) !=
	    SAT_OK || (rc = read_teams(r, s, e)) != SAT_OK ||
	    (rc = read_users(r, s, e)) != SAT_OK ||
	    (rc = read_devices(r, s, e)) != SAT_OK) {
		sat_registry_fini(r);
		return rc;
	}
	return SAT_OK;
}

sat_rc
store_registry_bump(sat_sqlite_store *s, sat_err *e)
{
	uint64_t rev = 0;
	sat_rc rc = store_counter_get(&rev, s, SAT_N_REGISTRY_REV, e);

	return rc != SAT_OK ? rc :
	    store_counter_put(s, SAT_N_REGISTRY_REV, rev + 1, e);
}

/* ---- devices ------------------------------------------------------------------- */

static sat_rc
take_pk(uint8_t out[32], sat_span pk, sat_err *e)
{
	if (pk.n != 32)
		return sat_fail(e, SAT_EINTEGRITY, "a stored key has %zu bytes",
		    pk.n);
	memcpy(out, pk.p, 32);
	return SAT_OK;
}

static sat_rc
device_by_key(uint32_t *ord, uint8_t sign_pk[SAT_SIGN_PK_BYTES], void *u,
    const uint8_t channel_pk[32], sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_DEVICE_BY_KEY, e)) != SAT_OK)
		return rc;
	sat_bind_blob(q, 1, sat_span_of(channel_pk, 32));
	if ((rc = store_step_one(q, "device", e)) != SAT_OK)
		return rc;
	*ord = (uint32_t)sat_col_int(q, 0);
	rc = take_pk(sign_pk, sat_col_blob(q, 1), e);
	sat_stmt_reset(q);
	return rc;
}

static sat_rc
device_sign_pk(uint8_t sign_pk[SAT_SIGN_PK_BYTES], void *u, uint32_t ord,
    sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_DEVICE_BY_ORD, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, ord);
	if ((rc = store_step_one(q, "device", e)) != SAT_OK)
		return rc;
	rc = take_pk(sign_pk, sat_col_blob(q, 0), e);
	sat_stmt_reset(q);
	return rc;
}

static void
invite_hash(uint8_t hash[SAT_HASH_BYTES], const uint8_t token[16])
{ /* P-101 */
	sat_hash(hash, sat_span_of(token, 16));
}

/* The same device asks again: its first answer was lost. */
static sat_rc
enrolled_before(uint32_t *user, sat_sqlite_store *s, uint32_t ord,
    const sat_enrol *in, const uint8_t channel_pk[32], sat_err *e)
{
	sat_span sign, channel;
	sat_stmt *q;
	bool same;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_DEVICE_BY_ORD, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, ord);
	if ((rc = store_step_one(q, "device", e)) != SAT_OK)
		return rc;
	sign = sat_col_blob(q, 0);
	channel = sat_col_blob(q, 1);
	same = sign.n == 32 && channel.n == 32 &&
	    memcmp(sign.p, in->sign_pk, 32) == 0 &&
	    memcmp(channel.p, channel_pk, 32) == 0;
	*user = (uint32_t)sat_col_int(q, 2);
	sat_stmt_reset(q);
	return same ? SAT_OK :
	    sat_fail(e, SAT_ECONFLICT, "the invitation was used");
}

static sat_rc
add_device(uint32_t *ord, sat_sqlite_store *s, uint32_t user,
    const sat_enrol *in, const uint8_t channel_pk[32], int64_t now_ms,
    bool waiting, sat_err *e)
{
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_DEVICE_ADD, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, user);
	sat_bind_text(q, 2, in->name);
	sat_bind_blob(q, 3, sat_span_of(in->sign_pk, 32));
	sat_bind_blob(q, 4, sat_span_of(channel_pk, 32));
	sat_bind_int(q, 5, now_ms);
	sat_bind_int(q, 6, waiting);
	if ((rc = sat_run(q, e)) == SAT_OK)
		*ord = (uint32_t)sat_db_last_rowid(s->db);
	return rc;
}

static sat_rc
invite_use(sat_sqlite_store *s, const uint8_t hash[SAT_HASH_BYTES],
    uint32_t device, sat_err *e)
{
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_INVITE_USE, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, device);
	sat_bind_blob(q, 2, sat_span_of(hash, SAT_HASH_BYTES));
	return sat_run(q, e);
}

static sat_rc
user_enabled(sat_sqlite_store *s, uint32_t ord, sat_err *e)
{
	bool disabled;
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_USER_BY_ORD, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, ord);
	if ((rc = store_step_one(q, "user", e)) != SAT_OK)
		return rc;
	disabled = sat_col_int(q, 0) != 0;
	sat_stmt_reset(q);
	return disabled ? sat_fail(e, SAT_EDENIED, "the user is disabled") :
	    SAT_OK;
}

static sat_rc
device_enrol(uint32_t *ord, uint32_t *user, void *u, const sat_enrol *in,
    const uint8_t channel_pk[32], int64_t now_ms, sat_err *e)
{
	uint8_t hash[SAT_HASH_BYTES];
	sat_sqlite_store *s = u;
	int64_t expires_ms;
	bool used, held;
	sat_stmt *q;
	sat_rc rc;

	invite_hash(hash, in->token);
	if ((rc = store_stmt(&q, s->db, SQL_INVITE_GET, e)) != SAT_OK)
		return rc;
	sat_bind_blob(q, 1, sat_span_of(hash, sizeof hash));
	if ((rc = store_step_one(q, "invitation", e)) != SAT_OK)
		return rc;
	*user = (uint32_t)sat_col_int(q, 0);
	expires_ms = sat_col_int(q, 1);
	used = !sat_col_null(q, 2);
	*ord = (uint32_t)sat_col_int(q, 2);
	held = sat_col_int(q, 3) != 0;
	sat_stmt_reset(q);
	if (used)
		return enrolled_before(user, s, *ord, in, channel_pk, e);
	if (now_ms > expires_ms)
		return sat_fail(e, SAT_ELOCKED, "the invitation has expired");
	if ((rc = user_enabled(s, *user, e)) != SAT_OK ||
	    (rc = add_device(ord, s, *user, in, channel_pk, now_ms, held,
	    e)) != SAT_OK || (rc = invite_use(s, hash, *ord, e)) != SAT_OK)
		return rc;
	return store_registry_bump(s, e);
}

static sat_rc
device_permit(int32_t *days, void *u, uint32_t ord, sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_DEVICE_PERMIT, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, ord);
	if ((rc = store_step_one(q, "device", e)) != SAT_OK)
		return rc;
	*days = (int32_t)sat_col_int(q, 0);
	sat_stmt_reset(q);
	return SAT_OK;
}

static sat_rc
device_seen(void *u, uint32_t ord, uint64_t cursor,
    const uint8_t *template_oid, int64_t now_ms, sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_DEVICE_SEEN, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, now_ms);
	sat_bind_int(q, 2, (int64_t)cursor);
	if (template_oid != NULL)
		sat_bind_blob(q, 3, sat_span_of(template_oid,
		    SAT_TEMPLATE_OID_BYTES));
	else
		sat_bind_null(q, 3);
	sat_bind_int(q, 4, ord);
	return sat_run(q, e);
}

static sat_rc
devices(void *u, bool (*cb)(void *cu, uint32_t ord, uint32_t user,
    int64_t seen_ms, uint64_t cursor), void *cu, sat_err *e)
{
	sat_sqlite_store *s = u;
	bool row, more = true;
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_DEVICES, e)) != SAT_OK)
		return rc;
	while (more && (rc = sat_step(&row, q, e)) == SAT_OK && row)
		if (sat_col_int(q, 3) == 0 && /* revoked */
		    sat_col_int(q, 10) == 0)  /* waiting */
			more = cb(cu, (uint32_t)sat_col_int(q, 0),
			    (uint32_t)sat_col_int(q, 1), sat_col_int(q, 5),
			    (uint64_t)sat_col_int(q, 6));
	sat_stmt_reset(q);
	return rc;
}

static sat_rc
device_used_get(sat_used *v, void *u, uint32_t ord, sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_stmt *q;
	bool row;
	sat_rc rc;

	*v = (sat_used){ 0 };
	if ((rc = store_stmt(&q, s->db, SQL_DEVICE_USED_GET, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, ord);
	if ((rc = sat_step(&row, q, e)) == SAT_OK && row)
		*v = (sat_used){ sat_col_int(q, 0),
			(uint64_t)sat_col_int(q, 1),
			(uint64_t)sat_col_int(q, 2) };
	sat_stmt_reset(q);
	return rc;
}

static sat_rc
device_used_put(void *u, uint32_t ord, const sat_used *v, sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_DEVICE_USED_PUT, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, v->at_ms);
	sat_bind_int(q, 2, (int64_t)v->ops);
	sat_bind_int(q, 3, (int64_t)v->bytes);
	sat_bind_int(q, 4, ord);
	return sat_run(q, e);
}

void
store_who_ops(sat_store *o)
{
	o->device_used_get = device_used_get;
	o->device_used_put = device_used_put;
	o->registry = registry;
	o->device_by_key = device_by_key;
	o->device_sign_pk = device_sign_pk;
	o->device_enrol = device_enrol;
	o->device_seen = device_seen;
	o->devices = devices;
	o->device_permit = device_permit;
}
