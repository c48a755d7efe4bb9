/*
 * Teams, users, devices, invitations. `--from FILE` takes a CSV with the
 * columns of the flags; rows that exist already are left as they are, so a
 * list can be given again.
 */
#include "server/admin/admin_int.h"

#include "common/sheet/csv.h"
#include "protocol/invite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "name<TAB>value" a line; what is inside has "outer.name". */
static void
print_members(sat_buf *out, const sat_json *doc, const char *outer)
{
	for (const sat_json *n = sat_json_first(doc); n != NULL;
	     n = sat_json_next(n)) {
		char *name = sat_xasprintf("%s%s", outer, sat_json_key(n));

		if (sat_json_type(n) == SAT_J_OBJ) {
			char *inner = sat_xasprintf("%s.", name);

			print_members(out, n, inner);
			free(inner);
		} else if (sat_json_type(n) == SAT_J_INT) {
			sat_buf_fmt(out, "%s\t%lld\n", name,
			    (long long)sat_json_int(n, 0));
		} else if (sat_json_type(n) == SAT_J_BOOL) {
			sat_buf_fmt(out, "%s\t%s\n", name,
			    sat_json_bool(n, false) ? "yes" : "no");
		} else if (sat_json_type(n) != SAT_J_ARR &&
		    strcmp(name, "schema") != 0) {
			sat_buf_fmt(out, "%s\t%s\n", name,
			    sat_json_str(n, "-"));
		}
		free(name);
	}
}

void
admin_print_head(sat_buf *out, const sat_json *doc)
{
	print_members(out, doc, "");
}

void
admin_print(sat_buf *out, const sat_args *w, const sat_json *doc,
    const char *const *columns)
{
	const sat_json *rows = sat_json_get(doc, "data");

	if (sat_args_has(w, "json")) {
		sat_json_write(out, doc, true);
		return;
	}
	if (columns == NULL) {
		admin_print_head(out, doc);
		return;
	}
	for (const sat_json *r = sat_json_first(rows); r != NULL;
	     r = sat_json_next(r)) {
		for (size_t i = 0; columns[i] != NULL; i++) {
			const sat_json *v = sat_json_get(r, columns[i]);

			if (i > 0)
				sat_buf_str(out, "\t");
			if (sat_json_type(v) == SAT_J_INT)
				sat_buf_fmt(out, "%lld",
				    (long long)sat_json_int(v, 0));
			else if (sat_json_type(v) == SAT_J_BOOL)
				sat_buf_str(out, sat_json_bool(v, false) ? "yes" : "no");
			else
				sat_buf_str(out, sat_json_str(v, "-"));
		}
		sat_buf_str(out, "\n");
	}
}

/* A cell of the current row by column name; "" when there is none. Copied. */
static char *
cell(const sat_csv *c, const sat_csv_row *row, const char *name)
{
	for (size_t i = 0; i < sat_csv_columns(c) && i < row->n; i++)
		if (strcmp(sat_csv_column(c, i), name) == 0) {
			sat_buf b = { 0 };
			char *s;

			sat_buf_add(&b, row->fields[i].p, row->fields[i].n);
			s = sat_xstrdup(sat_buf_cstr(&b));
			sat_buf_fini(&b);
			return s;
		}
	return sat_xstrdup("");
}

/* One row or one set of flags: the four texts of a team or a user. */
typedef sat_rc (*add_one)(sat_admin *a, const char *key, const char *name,
    const char *x, const char *team, sat_err *e);

static sat_rc
add_team(sat_admin *a, const char *key, const char *name, const char *parent,
    const char *unused, sat_err *e)
{
	uint32_t ord;

	(void)unused;
	return sat_sqlite_team_add(&ord, a->store, key, name, parent, e);
}

static sat_rc
add_user(sat_admin *a, const char *key, const char *name, const char *role,
    const char *team, sat_err *e)
{
	static const char *const roles[] = { "rep", "manager", "hq", "admin", "expert",
		"service", "marketing", "auditor", "kiosk", "receptionist" };
	uint32_t ord;

	for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++)
		if (strcmp(role, roles[i]) == 0)
			return sat_sqlite_user_add(&ord, a->store, key, name,
			    role, team[0] != '\0' ? team : NULL, e);
	return sat_fail_code(e, SAT_EINVALID, "user.role",
	    "one of: rep, manager, hq, admin, expert, service, marketing, auditor, "
	    "kiosk, receptionist", "unknown role \"%s\"", role);
}

static sat_rc
add_from(sat_admin *a, const char *file, add_one add, const char *x,
    sat_json *doc, sat_err *e)
{
	const sat_csv_row *row;
	int64_t added = 0, present = 0;
	sat_csv *c = NULL;
	sat_rc rc = sat_csv_open(&c, file, NULL, e);

	while (rc == SAT_OK && (rc = sat_csv_next(&row, c, e)) == SAT_OK &&
	    row != NULL) {
		char *key = cell(c, row, "key"), *name = cell(c, row, "name");
		char *third = cell(c, row, x), *team = cell(c, row, "team");

		rc = row->fault != NULL
		    ? sat_fail(e, SAT_EINVALID, "line %llu: %s",
		          (unsigned long long)row->line, row->fault)
		    : add(a, key, name[0] != '\0' ? name : key, third, team, e);
		if (rc == SAT_OK)
			added++;
		if (rc == SAT_ECONFLICT) {
			present++;
			rc = SAT_OK;
		}
		free(key);
		free(name);
		free(third);
		free(team);
	}
	sat_csv_close(c);
	sat_json_put_int(doc, "added", added);
	sat_json_put_int(doc, "present", present);
	return rc;
}

/* `team add KEY` / `user add KEY`, or --from FILE. */
static sat_rc
add_verb(sat_admin *a, const sat_args *w, add_one add, const char *x,
    const char *schema, sat_buf *out, sat_err *e)
{
	const char *from = sat_args_get(w, "from");
	const char *name = sat_args_get(w, "name");
	const char *third = sat_args_get(w, x), *team = sat_args_get(w, "team");
	sat_json *doc = sat_json_obj();
	sat_rc rc;

	sat_json_put_str(doc, "schema", schema);
	if (from != NULL) {
		rc = add_from(a, from, add, x, doc, e);
	} else if (w->nargs < 3) {
		rc = sat_fail_code(e, SAT_EUSAGE, "usage", NULL,
		    "usage: satcheld %s add KEY --name NAME ..., or --from FILE",
		    w->arg[0]);
	} else {
		rc = add(a, w->arg[2], name != NULL ? name : w->arg[2],
		    third != NULL ? third : "", team != NULL ? team : "", e);
		sat_json_put_str(doc, "key", w->arg[2]);
	}
	if (rc == SAT_OK && (rc = sat_server_reload(a->core, e)) == SAT_OK)
		admin_print(out, w, doc, NULL);
	sat_json_free(doc);
	return rc;
}

sat_rc
admin_team_verb(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e)
{
	static const char *const cols[] = { "key", "name", "parent", NULL };
	const sat_registry *r = sat_server_registry(a->core);
	sat_json *doc, *rows;

	if (w->nargs > 1 && strcmp(w->arg[1], "add") == 0)
		return add_verb(a, w, add_team, "parent", "satcheld/team.add/1",
		    out, e);
	if (w->nargs > 1 && strcmp(w->arg[1], "list") != 0)
		return sat_fail_code(e, SAT_EUSAGE, "usage", NULL,
		    "usage: satcheld team add|list");
	doc = sat_json_obj();
	sat_json_put_str(doc, "schema", "satcheld/team.list/1");
	rows = sat_json_put_arr(doc, "data");
	for (size_t i = 0; i < r->nteams; i++) {
		sat_json *row = sat_json_add_obj(rows);

		sat_json_put_str(row, "key", r->teams[i].key);
		sat_json_put_str(row, "name", r->teams[i].name);
		sat_json_put_str(row, "parent", r->teams[i].parent);
	}
	admin_print(out, w, doc, cols);
	sat_json_free(doc);
	return SAT_OK;
}

static sat_rc
user_disable(sat_admin *a, const sat_args *w, bool disabled, sat_err *e)
{
	sat_rc rc;

	if (w->nargs < 3)
		return sat_fail_code(e, SAT_EUSAGE, "usage", NULL,
		    "usage: satcheld user disable|enable KEY");
	rc = sat_sqlite_user_edit(a->store, w->arg[2], NULL, NULL, &disabled, e);
	return rc == SAT_OK ? sat_server_reload(a->core, e) : rc;
}

sat_rc
admin_user_verb(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e)
{
	static const char *const cols[] = { "key", "name", "role", "team",
		"disabled", NULL };
	const sat_registry *r = sat_server_registry(a->core);
	const char *verb = w->nargs > 1 ? w->arg[1] : "list";
	sat_json *doc, *rows;

	if (strcmp(verb, "add") == 0)
		return add_verb(a, w, add_user, "role", "satcheld/user.add/1",
		    out, e);
	if (strcmp(verb, "disable") == 0 || strcmp(verb, "enable") == 0)
		return user_disable(a, w, verb[0] == 'd', e);
	if (strcmp(verb, "list") != 0)
		return sat_fail_code(e, SAT_EUSAGE, "usage", NULL,
		    "usage: satcheld user add|list|disable|enable");
	doc = sat_json_obj();
	sat_json_put_str(doc, "schema", "satcheld/user.list/1");
	rows = sat_json_put_arr(doc, "data");
	for (size_t i = 0; i < r->nusers; i++) {
		const sat_user *u = &r->users[i];
		const sat_team *t = sat_registry_team_ord(r, u->team);
		sat_json *row = sat_json_add_obj(rows);

		sat_json_put_str(row, "key", u->key);
		sat_json_put_str(row, "name", u->name);
		sat_json_put_str(row, "role", u->role);
		sat_json_put_str(row, "team", t != NULL ? t->key : NULL);
		sat_json_put_bool(row, "disabled", u->disabled);
	}
	admin_print(out, w, doc, cols);
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
	char text[SAT_INVITE_TEXT_MAX], when[32];
	sat_invite inv = { .org = a->keys.org };
	sat_json *doc;
	sat_rc rc;

	if (user == NULL)
		return sat_fail_code(e, SAT_EUSAGE, "usage", NULL,
		    "usage: satcheld device invite --user KEY [--ttl 15m] "
		    "[--address tcp://HOST:PORT]");
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
	rc = sat_sqlite_invite_add(a->store, inv.token, user, until, e);
	if (rc != SAT_OK)
		return rc;
	sat_invite_write(text, &inv);
	if (!sat_args_has(w, "json")) {
		sat_buf_fmt(out, "%s\n", text);
		return SAT_OK;
	}
	sat_time_rfc3339(when, until);
	doc = sat_json_obj();
	sat_json_put_str(doc, "schema", "satcheld/device.invite/1");
	sat_json_put_str(doc, "user", user);
	sat_json_put_str(doc, "invite", text);
	sat_json_put_str(doc, "expires", when);
	admin_print(out, w, doc, NULL);
	sat_json_free(doc);
	return SAT_OK;
}

typedef struct device_rows {
	sat_admin *a;
	sat_json *rows;
	uint32_t only;        /* 0 = all */
	int64_t heard_before; /* 0 = whenever */
} device_rows;

static bool
device_row(void *u, const sat_sqlite_device *d)
{
	device_rows *c = u;
	const sat_user *who = sat_registry_user_ord(
	    sat_server_registry(c->a->core), d->user);
	int64_t heard = d->last_seen_ms > 0 ? d->last_seen_ms : d->enrolled_ms;
	sat_json *row;
	char when[32];

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
	sat_json_put_int(row, "lease_days", d->permit_days != 0 ?
	    d->permit_days : SAT_ADMIN_PERMIT_MS / (24 * 3600 * 1000));
	sat_time_rfc3339(when, d->last_seen_ms);
	sat_json_put_str(row, "last_seen", d->last_seen_ms > 0 ? when : NULL);
	return true;
}

/* How long a device may be used without a sync; it locks itself after. */
static sat_rc
device_lease(sat_admin *a, const sat_args *w, sat_err *e)
{
	const char *days = sat_args_get(w, "days");
	bool none = sat_args_has(w, "void");
	unsigned long ord, n = 0;
	char *end;

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
	return sat_sqlite_device_permit(a->store, (uint32_t)ord,
	    none ? -1 : (int32_t)n, e);
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
		"cursor", "last_seen", "diverged", "lease_days", NULL };
	bool one = w->nargs > 1 && strcmp(w->arg[1], "show") == 0;
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

sat_rc
admin_device_verb(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e)
{
	const char *verb = w->nargs > 1 ? w->arg[1] : "list";
	uint32_t ord;
	sat_rc rc;

	if (strcmp(verb, "invite") == 0)
		return device_invite(a, w, out, e);
	if (strcmp(verb, "move") == 0)
		return device_move(a, w, out, e);
	if (strcmp(verb, "lease") == 0)
		return device_lease(a, w, e);
	if (strcmp(verb, "list") == 0 || strcmp(verb, "show") == 0)
		return device_list(a, w, out, e);
	if (strcmp(verb, "revoke") != 0)
		return sat_fail_code(e, SAT_EUSAGE, "usage", NULL,
		    "usage: satcheld device list|show|invite|lease|move|revoke");
	rc = device_number(&ord, w, "revoke NUMBER", e);
	return rc == SAT_OK ? device_revoke(a, ord, e) : rc;
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
	char when[32];

	if (d->cursor >= d->scope_head)
		return;
	row = sat_json_add_obj(c->rows);
	sat_json_put_int(row, "device", d->device);
	sat_json_put_str(row, "name", dev != NULL ? dev->name : NULL);
	sat_json_put_str(row, "user", who != NULL ? who->key : NULL);
	sat_json_put_int(row, "cursor", (int64_t)d->cursor);
	sat_json_put_int(row, "scope_head", (int64_t)d->scope_head);
	sat_time_rfc3339(when, d->seen_ms);
	sat_json_put_str(row, "last_seen", d->seen_ms > 0 ? when : NULL);
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
