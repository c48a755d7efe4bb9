/*
 * Devices and their invitations; where devices are.
 */
#include "server/admin/admin_int.h"

#include "common/qr/qr.h"
#include "protocol/invite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Said now, not when somebody else's work turns out to lie on the desk. */
static sat_rc
right_role(sat_admin *a, const char *user, const char *role, sat_err *e)
{
	const sat_user *u = sat_registry_user(sat_server_registry(a->core),
	    sat_span_str(user));

	if (role == NULL || u == NULL || strcmp(u->role, role) == 0)
		return SAT_OK;
	return sat_fail_code(e, SAT_ECONFLICT, "user.role",
	    "satcheld user edit KEY --role R changes it",
	    "%.64s has the role %s, not %.32s", user, u->role, role);
}

static sat_rc
invite_print(sat_buf *out, const sat_args *w, const char *text,
    const char *user, int64_t until_ms, bool waits, sat_err *e)
{
	sat_json *doc;

	if (!sat_args_has(w, "json")) {
		sat_buf_fmt(out, "%s\n", text);
		return sat_args_has(w, "qr") ? sat_qr_terminal(out, text, e) :
		    SAT_OK;
	}
	doc = sat_json_obj();
	sat_json_put_str(doc, "schema", "satcheld/device.invite/1");
	sat_json_put_str(doc, "user", user);
	sat_json_put_str(doc, "invite", text);
	sat_json_put_time(doc, "expires", until_ms);
	sat_json_put_bool(doc, "approve", waits);
	admin_print(out, w, doc, NULL);
	sat_json_free(doc);
	return SAT_OK;
}

static sat_rc
device_invite(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e)
{
	const char *user = sat_args_get(w, "user");
	const char *ttl = sat_args_get(w, "ttl");
	const char *address = sat_args_get(w, "address");
	int64_t ttl_ms = SAT_INVITE_TTL_MS, until;
	char text[SAT_INVITE_TEXT_MAX];
	sat_invite inv = { .org = a->keys.org };
	bool waits = sat_args_has(w, "approve");
	sat_rc rc;

	if (user == NULL)
		return sat_fail_code(e, SAT_EUSAGE, "usage", NULL,
		    "usage: satcheld device invite --user KEY [--ttl 15m] [--qr] "
		    "[--approve] [--address tcp://HOST:PORT]");
	if (ttl != NULL && (!sat_duration_parse(&ttl_ms, ttl) || ttl_ms == 0))
		return sat_fail_code(e, SAT_EUSAGE, "usage.option",
		    "for example 15m, 2h, 1d", "--ttl is no duration");
	if (address == NULL)
		address = a->address;
	if (address[0] == '\0')
		return sat_fail_code(e, SAT_EUSAGE, "usage.address",
		    "serve first, or give --address tcp://HOST:PORT",
		    "the server's address is not known yet");
	if (strlen(address) >= sizeof inv.address)
		return sat_fail(e, SAT_EUSAGE, "the address is too long");
	(void)snprintf(inv.address, sizeof inv.address, "%s", address);
	memcpy(inv.server_pk, a->keys.channel.pk, sizeof inv.server_pk);
	sat_random(inv.token, sizeof inv.token);
	until = sat_wall_ms(&a->clock) + ttl_ms;
	if ((rc = right_role(a, user, sat_args_get(w, "role"), e)) != SAT_OK ||
	    (rc = sat_sqlite_invite_add(a->store, inv.token, user, until, e)) !=
	    SAT_OK || (waits && (rc = sat_sqlite_invite_hold(a->store,
	    inv.token, e)) != SAT_OK))
		return rc;
	sat_invite_write(text, &inv);
	return invite_print(out, w, text, user, until, waits, e);
}

/* As much of a device's key as `satchel status` shows of its own: read aloud
 * before it is let in. */
#define KEY_SHOWN 8

typedef struct device_rows {
	sat_admin *a;
	sat_json *rows;
	uint32_t only;        /* 0 = all */
	int64_t heard_before; /* 0 = whenever */
} device_rows;

/* Ordered and not heard is what an administrator has to see: the device may be
 * switched off, or lie in a drawer. */
static void
put_wipe(sat_json *row, const sat_sqlite_device *d)
{
	const sat_wipe_row *w = &d->wipe;

	sat_json_put_str(row, "wipe", w->at_ms == 0 ? NULL :
	    w->done_ms > 0 ? "done" : w->told_ms > 0 ? "heard" : "ordered");
	sat_json_put_time(row, "wipe_ordered", w->at_ms);
	sat_json_put_time(row, "wipe_heard", w->told_ms);
	sat_json_put_time(row, "wipe_done", w->done_ms);
	if (w->done_ms > 0)
		sat_json_put_int(row, "wipe_lost", (int64_t)d->wipe_lost);
	else
		sat_json_put_null(row, "wipe_lost");
}

static bool
device_row(void *u, const sat_sqlite_device *d)
{
	device_rows *c = u;
	const sat_user *who = sat_registry_user_ord(
	    sat_server_registry(c->a->core), d->user);
	int64_t heard = d->last_seen_ms > 0 ? d->last_seen_ms : d->enrolled_ms;
	char hex[2 * SAT_GIT_OID_BYTES + 1];
	sat_json *row;

	if ((c->only != 0 && d->ord != c->only) || (c->heard_before != 0 &&
	    (d->revoked || heard >= c->heard_before)))
		return true;
	row = sat_json_add_obj(c->rows);
	sat_json_put_int(row, "device", d->ord);
	sat_json_put_str(row, "name", d->name);
	sat_json_put_str(row, "user", who != NULL ? who->key : NULL);
	sat_json_put_bool(row, "revoked", d->revoked);
	sat_json_put_int(row, "cursor", (int64_t)d->cursor);
	sat_json_put_int(row, "diverged", (int64_t)d->diverged);
	sat_json_put_int(row, "lease_days", admin_lease_days(c->a,
	    d->permit_days));
	sat_json_put_time(row, "last_seen", d->last_seen_ms);
	sat_json_put_bool(row, "waiting", d->waiting);
	sat_hex(hex, d->sign_pk.p, d->sign_pk.n < KEY_SHOWN ? d->sign_pk.n :
	    KEY_SHOWN);
	sat_json_put_str(row, "key", hex);
	sat_json_put_time(row, "key_changed", d->rekeyed_ms);
	sat_json_put_time(row, "old_key_heard", d->former_heard_ms);
	sat_json_put_time(row, "enrolled", d->enrolled_ms);
	sat_hex(hex, d->template_oid.p, d->template_oid.n);
	sat_json_put_str(row, "template", d->template_oid.n > 0 ? hex : NULL);
	put_wipe(row, d);
	return true;
}

static sat_rc device_list(sat_admin *a, const sat_args *w, sat_buf *out,
    sat_err *e);

/* What it is now, as a document; as text, that it was done says nothing. */
static sat_rc
device_done(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e)
{
	return sat_args_has(w, "json") ? device_list(a, w, out, e) : SAT_OK;
}

/* How long a device may be used without a sync; it locks itself after. */
static sat_rc
device_lease(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e)
{
	const char *days = sat_args_get(w, "days");
	bool none = sat_args_has(w, "void");
	unsigned long ord, n = 0;
	char *end;
	sat_rc rc;

	ord = w->nargs > 2 ? strtoul(w->arg[2], &end, 10) : 0;
	if (ord == 0 || ord > UINT32_MAX || *end != '\0' ||
	    (days == NULL) != none)
		return sat_fail_code(e, SAT_EUSAGE, "usage",
		    "--days 0 is the organisation's own length",
		    "usage: satcheld device lease NUMBER --days N | --void");
	if (days != NULL)
		n = strtoul(days, &end, 10);
	if (days != NULL && (end == days || *end != '\0' || n > 365))
		return sat_fail_code(e, SAT_EUSAGE, "usage.option",
		    "0 to 365", "--days %s is no number of days", days);
	rc = sat_sqlite_device_permit(a->store, (uint32_t)ord,
	    none ? -1 : (int32_t)n, e);
	return rc == SAT_OK ? device_done(a, w, out, e) : rc;
}

static sat_rc
device_number(uint32_t *ord, const sat_args *w, const char *usage, sat_err *e)
{
	char *end = NULL;
	unsigned long n = w->nargs > 2 ? strtoul(w->arg[2], &end, 10) : 0;

	if (n == 0 || n > UINT32_MAX || *end != '\0')
		return sat_fail_code(e, SAT_EUSAGE, "usage",
		    "see: satcheld device list", "usage: satcheld device %s",
		    usage);
	*ord = (uint32_t)n;
	return SAT_OK;
}

static sat_rc
device_revoke(sat_admin *a, uint32_t ord, sat_err *e)
{
	sat_rc rc = sat_sqlite_device_revoke(a->store, ord, e);

	return rc == SAT_OK ? sat_server_reload(a->core, e) : rc;
}

/* P-380. */
static sat_rc
device_wipe(sat_admin *a, uint32_t ord, bool push_first, sat_err *e)
{
	uint8_t nonce[SAT_WIPE_NONCE_BYTES];
	sat_rc rc;

	sat_random(nonce, sizeof nonce);
	rc = sat_sqlite_device_wipe(a->store, ord, nonce,
	    sat_wall_ms(&a->clock), push_first, e);
	return rc == SAT_OK ? sat_server_reload(a->core, e) : rc;
}

static sat_rc
device_gone(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e)
{
	bool wipe = sat_args_has(w, "wipe");
	bool push_first = sat_args_has(w, "push-first");
	uint32_t ord;
	sat_rc rc = device_number(&ord, w, "revoke NUMBER [--wipe "
	    "[--push-first]]", e);

	if (rc == SAT_OK && push_first && !wipe)
		rc = sat_fail_code(e, SAT_EUSAGE, "usage.option",
		    "a device that is only revoked sends nothing any more",
		    "--push-first goes with --wipe");
	if (rc == SAT_OK)
		rc = wipe ? device_wipe(a, ord, push_first, e) :
		    device_revoke(a, ord, e);
	return rc == SAT_OK ? device_done(a, w, out, e) : rc;
}

/*
 * To another person: what lies on a machine belongs to who made it, so the
 * device as the server knows it ends and the new owner enrols it anew. Asked
 * first is the invitation: when it cannot be made, nothing has changed.
 */
static sat_rc
device_move(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e)
{
	const sat_registry *r = sat_server_registry(a->core);
	const sat_device *d;
	const char *user = sat_args_get(w, "user");
	const sat_user *was;
	uint32_t ord;
	sat_rc rc = device_number(&ord, w, "move NUMBER --user KEY", e);

	if (rc != SAT_OK)
		return rc;
	if ((d = sat_registry_device(r, ord)) == NULL)
		return sat_fail_code(e, SAT_ENOTFOUND, "not_found",
		    "see: satcheld device list", "no device %u", ord);
	if (d->revoked)
		return sat_fail_code(e, SAT_EREVOKED, "revoked",
		    "satcheld device invite --user KEY",
		    "device %u is revoked already", ord);
	was = sat_registry_user_ord(r, d->user);
	if (user != NULL && was != NULL && strcmp(was->key, user) == 0)
		return sat_fail_code(e, SAT_ECONFLICT, "device.owner", NULL,
		    "device %u is %s's already", ord, user);
	if ((rc = device_invite(a, w, out, e)) != SAT_OK)
		return rc;
	return device_revoke(a, ord, e);
}

static sat_rc
device_list(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e)
{
	static const char *const cols[] = { "device", "name", "user", "revoked",
		"cursor", "last_seen", "diverged", "lease_days", "waiting", "key",
		"old_key_heard", "wipe", NULL };
	bool one = w->nargs > 1 && strcmp(w->arg[1], "list") != 0;
	const char *stale = sat_args_get(w, "stale");
	device_rows c = { .a = a };
	sat_json *doc;
	int64_t ms;
	sat_rc rc;

	if (one && (rc = device_number(&c.only, w, "show NUMBER", e)) != SAT_OK)
		return rc;
	if (stale != NULL && !sat_duration_parse(&ms, stale))
		return sat_fail_code(e, SAT_EUSAGE, "usage.option",
		    "for example 14d", "--stale %.40s is no duration", stale);
	if (stale != NULL)
		c.heard_before = sat_wall_ms(&a->clock) - ms;
	if ((rc = sat_server_settle(a->core, e)) != SAT_OK)
		return rc;
	doc = sat_json_obj();
	sat_json_put_str(doc, "schema", one ? "satcheld/device.show/1" :
	    "satcheld/device.list/1");
	c.rows = sat_json_put_arr(doc, "data");
	rc = sat_sqlite_devices(a->store, device_row, &c, e);
	if (rc == SAT_OK && one && sat_json_count(c.rows) == 0)
		rc = sat_fail_code(e, SAT_ENOTFOUND, "not_found",
		    "see: satcheld device list", "no device %u", c.only);
	if (rc == SAT_OK)
		admin_print(out, w, doc, cols);
	sat_json_free(doc);
	return rc;
}

/* Who is let in is shown: its key can still be compared, and revoked. */
static sat_rc
device_approve(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e)
{
	uint32_t ord;
	sat_rc rc = device_number(&ord, w, "approve NUMBER", e);

	if (rc == SAT_OK && sat_registry_device(sat_server_registry(a->core),
	    ord) == NULL)
		rc = sat_fail_code(e, SAT_ENOTFOUND, "not_found",
		    "see: satcheld device list", "no device %u", ord);
	if (rc != SAT_OK ||
	    (rc = sat_sqlite_device_approve(a->store, ord, e)) != SAT_OK ||
	    (rc = sat_server_reload(a->core, e)) != SAT_OK)
		return rc;
	return device_list(a, w, out, e);
}

static sat_rc
device_rename(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e)
{
	const char *name = sat_args_get(w, "name");
	uint32_t ord;
	sat_rc rc = device_number(&ord, w, "rename NUMBER --name NAME", e);

	if (rc == SAT_OK && name == NULL)
		rc = sat_fail_code(e, SAT_EUSAGE, "usage", NULL,
		    "usage: satcheld device rename NUMBER --name NAME");
	if (rc != SAT_OK ||
	    (rc = sat_sqlite_device_rename(a->store, ord, name, e)) != SAT_OK ||
	    (rc = sat_server_reload(a->core, e)) != SAT_OK)
		return rc;
	return device_list(a, w, out, e);
}

sat_rc
admin_device_verb(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e)
{
	const char *verb = w->nargs > 1 ? w->arg[1] : "list";

	if (strcmp(verb, "invite") == 0)
		return device_invite(a, w, out, e);
	if (strcmp(verb, "invites") == 0)
		return admin_invites(a, w, out, e);
	if (strcmp(verb, "uninvite") == 0)
		return admin_uninvite(a, w, out, e);
	if (strcmp(verb, "move") == 0)
		return device_move(a, w, out, e);
	if (strcmp(verb, "lease") == 0)
		return device_lease(a, w, out, e);
	if (strcmp(verb, "list") == 0 || strcmp(verb, "show") == 0)
		return device_list(a, w, out, e);
	if (strcmp(verb, "approve") == 0)
		return device_approve(a, w, out, e);
	if (strcmp(verb, "rename") == 0)
		return device_rename(a, w, out, e);
	if (strcmp(verb, "revoke") == 0)
		return device_gone(a, w, out, e);
	return sat_fail_code(e, SAT_EUSAGE, "usage", NULL,
	    "usage: satcheld device list|show|invite|invites|uninvite|approve|"
	    "rename|lease|move|revoke");
}

/* ---- scope -------------------------------------------------------------------------- */

static void
stale_row(void *u, const sat_whereabouts *d)
{
	device_rows *c = u;
	const sat_registry *reg = sat_server_registry(c->a->core);
	const sat_user *who = sat_registry_user_ord(reg, d->user);
	const sat_device *dev = sat_registry_device(reg, d->device);
	sat_json *row;

	if (d->cursor >= d->scope_head)
		return;
	row = sat_json_add_obj(c->rows);
	sat_json_put_int(row, "device", d->device);
	sat_json_put_str(row, "name", dev != NULL ? dev->name : NULL);
	sat_json_put_str(row, "user", who != NULL ? who->key : NULL);
	sat_json_put_int(row, "cursor", (int64_t)d->cursor);
	sat_json_put_int(row, "scope_head", (int64_t)d->scope_head);
	sat_json_put_time(row, "last_seen", d->seen_ms);
}

/* What left such a device is still on it; what it did since is unknown here. */
sat_rc
admin_scope_verb(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e)
{
	static const char *const cols[] = { "device", "name", "user", "cursor",
		"scope_head", "last_seen", NULL };
	device_rows c = { .a = a };
	sat_json *doc;
	sat_rc rc;

	if (w->nargs != 2 || strcmp(w->arg[1], "stale") != 0)
		return sat_fail_code(e, SAT_EUSAGE, "usage", NULL,
		    "usage: satcheld scope stale");
	doc = sat_json_obj();
	sat_json_put_str(doc, "schema", "satcheld/scope.stale/1");
	c.rows = sat_json_put_arr(doc, "data");
	rc = sat_server_directory(a->core, NULL, stale_row, &c, e);
	if (rc == SAT_OK)
		admin_print(out, w, doc, cols);
	sat_json_free(doc);
	return rc;
}
