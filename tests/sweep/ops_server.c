/*
 * ops_server.c - the operations of the server: frames, and what administrators
 * do.
 */
#include "tests/sweep/sweep.h"

#include <string.h>

static sat_rc
open_again(lab *L, int arg, sat_err *e)
{
	(void)arg;
	return lab_open_server(L, false, e);
}

static bool
empty_disk(lab *L, int arg)
{
	(void)arg;
	simfs_wipe(L->srv.fs);
	return true;
}

static sat_rc
create(lab *L, int arg, sat_err *e)
{
	(void)arg;
	return lab_open_server(L, true, e);
}

static const char *
create_again(lab *L, int arg, sat_rc rc)
{
	sat_err e = { 0 };

	(void)rc;
	return create(L, arg, &e) == SAT_OK ? NULL : "it cannot be made again";
}

/* ---- administrators ---------------------------------------------------------------- */

enum { A_TEAM_ADD, A_USER_ADD, A_USER_EDIT, A_INVITE, A_REVOKE, A_SETTING,
	A_SETTING_GET, A_STATUS, A_DURABLE, A_BACKUP, A_CHECK, A_QUICK,
	A_VERIFY, A_DUMP, A_RELOAD, A_DEVICES };

static bool
on_device(void *u, const sat_sqlite_device *d)
{
	(void)u;
	(void)d;
	return true;
}
static void
on_state(void *u, const sat_id *id, sat_span state)
{
	(void)u;
	(void)id;
	(void)state;
}

static sat_rc
setting_get(lab *L, sat_err *e)
{
	sat_buf b = { 0 };
	sat_rc rc = sat_sqlite_setting_get(&b, L->store, "nothing", e);

	sat_buf_fini(&b);
	return rc == SAT_ENOTFOUND ? SAT_OK : rc;
}

static sat_rc
admin(lab *L, int arg, sat_err *e)
{
	static const uint8_t token[16] = "0123456789abcde";
	static const bool disabled = true;
	sat_sqlite_status st;
	uint64_t lsn, n;
	uint32_t ord;

	switch (arg) {
	case A_TEAM_ADD:
		return sat_sqlite_team_add(&ord, L->store, "t9", "t9", "", e);
	case A_USER_ADD:
		return sat_sqlite_user_add(&ord, L->store, "u9", "U", "rep",
		    "t1", e);
	case A_USER_EDIT:
		return sat_sqlite_user_edit(L->store, "bob", "Robert",
		    "manager", &disabled, e);
	case A_INVITE:
		return sat_sqlite_invite_add(L->store, token, "ann",
		    INT64_MAX / 2, e);
	case A_REVOKE: return sat_sqlite_device_revoke(L->store, 1, e);
	case A_SETTING:
		return sat_sqlite_setting_put(L->store, "k",
		    sat_span_str("v"), e);
	case A_SETTING_GET: return setting_get(L, e);
	case A_STATUS: return sat_sqlite_status_get(&st, L->store, e);
	case A_DURABLE: return sat_sqlite_mark_durable(L->store, 3, e);
	case A_BACKUP:
		return sat_sqlite_store_backup(&lsn, L->store, "second.db", e);
	case A_CHECK: return sat_sqlite_store_check(L->store, false, e);
	case A_QUICK: return sat_sqlite_store_check(L->store, true, e);
	case A_VERIFY: return sat_server_verify(L->server, &lsn, &n, e);
	case A_DUMP: return sat_server_dump(L->server, NULL, on_state, NULL, e);
	case A_DEVICES:
		return sat_sqlite_devices(L->store, on_device, NULL, e);
	default: return sat_server_reload(L->server, e);
	}
}

/* ---- frames --------------------------------------------------------------------------- */

/* arg: how many exchanges came before this request. */
static bool
await_request(lab *L, int who, int arg)
{
	sat_err e = { 0 };

	lab_must(lab_open_device(L, &L->dev[who], &e), &e, "open");
	talk_begin(L, &L->dev[who]);
	if (!talk_go(L, arg))
		return false;
	lab_must(talk_request(L, &e), &e, "request");
	return !L->t.done;
}

static bool
ann_asked(lab *L, int arg)
{
	return await_request(L, ANN, arg);
}
static bool
bob_asked(lab *L, int arg)
{
	sat_err e = { 0 };

	lab_must(lab_open_device(L, &L->dev[ANN], &e), &e, "open");
	lab_must(talk_whole(L, &L->dev[ANN], &e), &e, "session");
	return await_request(L, BOB, arg);
}
static bool
new_asked(lab *L, int arg)
{
	return await_request(L, NEW, arg);
}

static sat_rc
serve(lab *L, int arg, sat_err *e)
{
	(void)arg;
	return talk_serve(L, e);
}

static sat_rc
enrol(lab *L, int arg, sat_err *e)
{
	sat_enrolled in;

	(void)arg;
	return talk_enrol(L, &L->dev[RAW], &in, e);
}

static bool
with_devices(lab *L, int who)
{
	sat_err e = { 0 };

	lab_must(lab_open_device(L, &L->dev[who], &e), &e, "open");
	return true;
}

static sat_rc
whole_session(lab *L, int who, sat_err *e)
{
	return talk_whole(L, &L->dev[who], e);
}

/* Two devices push at once, in one transaction. */
typedef struct pushes {
	sat_server_session x[2];
	sat_buf frame[2], reply[2];
} pushes;

static pushes both;

static bool
two_asked(lab *L, int arg)
{
	sat_err e = { 0 };

	(void)arg;
	for (int i = 0; i < 2; i++) {
		sat_buf_reset(&both.frame[i]);
		if (!await_request(L, i == 0 ? ANN : BOB, 0))
			return false;
		while (L->t.request.p[0] != SAT_MSG_PUSH) {
			lab_must(talk_serve(L, &e), &e, "serve");
			lab_must(talk_reply(L, &e), &e, "reply");
			lab_must(talk_request(L, &e), &e, "request");
			if (L->t.done)
				return false;
		}
		both.x[i] = L->t.x;
		sat_buf_add(&both.frame[i], L->t.request.p, L->t.request.n);
		talk_end(L);
	}
	return true;
}

static sat_rc
rc_of(lab *L, const sat_buf *reply, sat_err *e)
{
	sat_msg m;
	sat_rc rc = sat_msg_read(&m, &L->a, sat_buf_span(reply), e);

	return rc != SAT_OK ? rc : m.type == SAT_MSG_ERROR ?
	    sat_msg_to_err(&m.u.error, e) : SAT_OK;
}

static sat_rc
serve_two(lab *L, int arg, sat_err *e)
{
	sat_server_job jobs[2];
	sat_rc rc;

	(void)arg;
	for (int i = 0; i < 2; i++) {
		sat_buf_reset(&both.reply[i]);
		jobs[i] = (sat_server_job){ &both.x[i],
			sat_buf_span(&both.frame[i]), &both.reply[i] };
	}
	if ((rc = sat_server_handle_group(L->server, jobs, 2, e)) != SAT_OK ||
	    (rc = rc_of(L, &both.reply[0], e)) != SAT_OK)
		return rc;
	return rc_of(L, &both.reply[1], e);
}

#define ADMIN(name, arg) { name, 0, OP_SERVER, NULL, admin, arg, NULL }
#define LOOK(name, arg) \
	{ name, 0, OP_SERVER | OP_AGAIN, NULL, admin, arg, NULL }
#define SERVE(name, who, before, n) \
	{ name, who, OP_SERVER | OP_AGAIN | OP_SEEN, before, serve, n, NULL }

const sweep_op sweep_server_ops[] = {
	{ "server create", 0, OP_SERVER | OP_MAKES, empty_disk, create, 0,
	    create_again },
	{ "server open", 0, OP_SERVER | OP_CLOSED, NULL, open_again, 0, NULL },
	ADMIN("team add", A_TEAM_ADD),
	ADMIN("user add", A_USER_ADD),
	ADMIN("user edit", A_USER_EDIT),
	ADMIN("invite", A_INVITE),
	ADMIN("revoke", A_REVOKE),
	ADMIN("server setting put", A_SETTING),
	LOOK("server setting get", A_SETTING_GET),
	LOOK("server status", A_STATUS),
	LOOK("mark durable", A_DURABLE),
	ADMIN("server backup", A_BACKUP),
	LOOK("server check", A_CHECK),
	LOOK("server quick check", A_QUICK),
	LOOK("server verify", A_VERIFY),
	LOOK("server dump", A_DUMP),
	LOOK("reload", A_RELOAD),
	LOOK("devices", A_DEVICES),
	{ "serve enrol", RAW, OP_SERVER | OP_AGAIN, NULL, enrol, 0, NULL },
	SERVE("serve hello", ANN, ann_asked, 0),
	SERVE("serve, second", ANN, ann_asked, 1),
	SERVE("serve, third", ANN, ann_asked, 2),
	SERVE("serve push", ANN, ann_asked, 3),
	SERVE("serve pull", ANN, ann_asked, 4),
	SERVE("serve leave, second", BOB, bob_asked, 1),
	SERVE("serve leave, third", BOB, bob_asked, 2),
	SERVE("serve leave, fourth", BOB, bob_asked, 3),
	SERVE("serve snapshot", NEW, new_asked, 3),
	SERVE("serve snapshot, next", NEW, new_asked, 4),
	{ "serve two pushes", 0, OP_SERVER | OP_AGAIN | OP_SEEN | OP_PARTS,
	    two_asked, serve_two, 0, NULL },
	{ "whole session, server", ANN, OP_SERVER | OP_STEPS | OP_GIT, with_devices,
	    whole_session, ANN, NULL },
	{ "whole first session, server", NEW, OP_SERVER | OP_STEPS | OP_GIT,
	    with_devices, whole_session, NEW, NULL },
	{ .name = NULL },
};
