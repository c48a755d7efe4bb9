/*
 * Teams and users. `--from FILE` takes a CSV with the
 * columns of the flags; rows that exist already are left as they are, so a
 * list can be given again.
 */
#include "server/admin/admin_int.h"

#include "common/sheet/csv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* A blank one would be one for everybody, in every list. NULL: none is given. */
static sat_rc
name_good(const char *name, sat_err *e)
{
	return name == NULL || name[0] != '\0' ? SAT_OK :
	    sat_fail(e, SAT_EINVALID, "a name is not empty");
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
	} else if ((rc = name_good(name, e)) == SAT_OK) {
		rc = add(a, w->arg[2], name != NULL ? name : w->arg[2],
		    third != NULL ? third : "", team != NULL ? team : "", e);
		sat_json_put_str(doc, "key", w->arg[2]);
	}
	if (rc == SAT_OK && (rc = sat_server_reload(a->core, e)) == SAT_OK)
		admin_print(out, w, doc, NULL);
	sat_json_free(doc);
	return rc;
}

/* ---- teams ------------------------------------------------------------------------ */

static sat_rc
usage(const char *text, sat_err *e)
{
	return sat_fail_code(e, SAT_EUSAGE, "usage", NULL,
	    "usage: satcheld %s", text);
}

static void
put_team(sat_json *row, const sat_team *t)
{
	sat_json_put_str(row, "key", t->key);
	sat_json_put_str(row, "name", t->name);
	sat_json_put_str(row, "parent", t->parent);
	sat_json_put_bool(row, "disabled", t->disabled);
}

static sat_rc
team_list(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e)
{
	static const char *const cols[] = { "key", "name", "parent", "disabled",
		NULL };
	const sat_registry *r = sat_server_registry(a->core);
	sat_json *doc = sat_json_obj(), *rows;

	(void)e;
	sat_json_put_str(doc, "schema", "satcheld/team.list/1");
	rows = sat_json_put_arr(doc, "data");
	for (size_t i = 0; i < r->nteams; i++)
		put_team(sat_json_add_obj(rows), &r->teams[i]);
	admin_print(out, w, doc, cols);
	sat_json_free(doc);
	return SAT_OK;
}

/* A list as its members, one a line under its name. */
static void
print_one(sat_buf *out, const sat_args *w, const sat_json *doc,
    const char *list)
{
	admin_print(out, w, doc, NULL);
	if (sat_args_has(w, "json"))
		return;
	for (const sat_json *n = sat_json_first(sat_json_get(doc, list));
	     n != NULL; n = sat_json_next(n))
		if (sat_json_type(n) == SAT_J_INT)
			sat_buf_fmt(out, "%s\t%lld\n", list,
			    (long long)sat_json_int(n, 0));
		else
			sat_buf_fmt(out, "%s\t%s\n", list,
			    sat_json_str(n, ""));
}

static sat_rc
team_show(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e)
{
	const sat_registry *r = sat_server_registry(a->core);
	const sat_team *t;
	sat_json *doc, *people;

	if (w->nargs != 3)
		return usage("team show KEY", e);
	if ((t = sat_registry_team(r, w->arg[2])) == NULL)
		return sat_fail_code(e, SAT_ENOTFOUND, "not_found",
		    "see: satcheld team list", "no team %.64s", w->arg[2]);
	doc = sat_json_obj();
	sat_json_put_str(doc, "schema", "satcheld/team.show/1");
	put_team(doc, t);
	people = sat_json_put_arr(doc, "users");
	for (size_t i = 0; i < r->nusers; i++)
		if (r->users[i].team == t->ord)
			sat_json_add_str(people, r->users[i].key);
	print_one(out, w, doc, "users");
	sat_json_free(doc);
	return SAT_OK;
}

/* What has changed is shown: who asks for it sees that it was done. */
static sat_rc
then_show(sat_rc rc, sat_admin *a, const sat_args *w, sat_buf *out,
    sat_rc (*show)(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e),
    sat_err *e)
{
	if (rc != SAT_OK || (rc = sat_server_reload(a->core, e)) != SAT_OK)
		return rc;
	return show(a, w, out, e);
}

static sat_rc
team_edit(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e)
{
	const char *name = sat_args_get(w, "name");
	const char *parent = sat_args_get(w, "parent");
	sat_rc rc;

	if (w->nargs != 3 || (name == NULL && parent == NULL))
		return usage("team edit KEY [--name N] [--parent P]", e);
	if ((rc = name_good(name, e)) != SAT_OK)
		return rc;
	return then_show(sat_sqlite_team_edit(a->store, w->arg[2], name, parent,
	    NULL, e), a, w, out, team_show, e);
}

static sat_rc
team_disable(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e)
{
	bool disabled = strcmp(w->arg[1], "disable") == 0;

	if (w->nargs != 3)
		return usage("team disable|enable KEY", e);
	return then_show(sat_sqlite_team_edit(a->store, w->arg[2], NULL, NULL,
	    &disabled, e), a, w, out, team_show, e);
}

sat_rc
admin_team_verb(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e)
{
	const char *verb = w->nargs > 1 ? w->arg[1] : "list";

	if (strcmp(verb, "add") == 0)
		return add_verb(a, w, add_team, "parent", "satcheld/team.add/1",
		    out, e);
	if (strcmp(verb, "list") == 0)
		return team_list(a, w, out, e);
	if (strcmp(verb, "show") == 0)
		return team_show(a, w, out, e);
	if (strcmp(verb, "edit") == 0)
		return team_edit(a, w, out, e);
	if (strcmp(verb, "disable") == 0 || strcmp(verb, "enable") == 0)
		return team_disable(a, w, out, e);
	return usage("team list|show|add|edit|disable|enable", e);
}

/* ---- users ------------------------------------------------------------------------ */

static void
put_user(sat_json *row, const sat_registry *r, const sat_user *u)
{
	const sat_team *t = sat_registry_team_ord(r, u->team);

	sat_json_put_str(row, "key", u->key);
	sat_json_put_str(row, "name", u->name);
	sat_json_put_str(row, "role", u->role);
	sat_json_put_str(row, "team", t != NULL ? t->key : NULL);
	sat_json_put_bool(row, "disabled", u->disabled);
}

static sat_rc
user_list(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e)
{
	static const char *const cols[] = { "key", "name", "role", "team",
		"disabled", NULL };
	const sat_registry *r = sat_server_registry(a->core);
	sat_json *doc = sat_json_obj(), *rows;

	(void)e;
	sat_json_put_str(doc, "schema", "satcheld/user.list/1");
	rows = sat_json_put_arr(doc, "data");
	for (size_t i = 0; i < r->nusers; i++)
		put_user(sat_json_add_obj(rows), r, &r->users[i]);
	admin_print(out, w, doc, cols);
	sat_json_free(doc);
	return SAT_OK;
}

static sat_rc
user_show(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e)
{
	const sat_registry *r = sat_server_registry(a->core);
	const sat_user *u;
	sat_json *doc, *devices;

	if (w->nargs != 3)
		return usage("user show KEY", e);
	if ((u = sat_registry_user(r, sat_span_str(w->arg[2]))) == NULL)
		return sat_fail_code(e, SAT_ENOTFOUND, "not_found",
		    "see: satcheld user list", "no user %.64s", w->arg[2]);
	doc = sat_json_obj();
	sat_json_put_str(doc, "schema", "satcheld/user.show/1");
	put_user(doc, r, u);
	devices = sat_json_put_arr(doc, "devices");
	for (size_t i = 0; i < r->ndevices; i++)
		if (r->devices[i].user == u->ord && !r->devices[i].revoked)
			sat_json_add_int(devices, r->devices[i].ord);
	print_one(out, w, doc, "devices");
	sat_json_free(doc);
	return SAT_OK;
}

static sat_rc
user_edit(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e)
{
	const char *name = sat_args_get(w, "name");
	const char *role = sat_args_get(w, "role");
	sat_rc rc;

	if (sat_args_has(w, "team"))
		return sat_fail_code(e, SAT_EINVALID, "user.team",
		    "add another user in the new team, move customers and devices, "
		    "disable this one",
		    "the team of a user does not change: what he may see rests on it");
	if (w->nargs != 3 || (name == NULL && role == NULL))
		return usage("user edit KEY [--name N] [--role R]", e);
	if ((rc = name_good(name, e)) != SAT_OK)
		return rc;
	return then_show(sat_sqlite_user_edit(a->store, w->arg[2], name, role,
	    NULL, e), a, w, out, user_show, e);
}

static sat_rc
user_disable(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e)
{
	bool disabled = strcmp(w->arg[1], "disable") == 0;

	if (w->nargs != 3)
		return usage("user disable|enable KEY", e);
	return then_show(sat_sqlite_user_edit(a->store, w->arg[2], NULL, NULL,
	    &disabled, e), a, w, out, user_show, e);
}

sat_rc
admin_user_verb(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e)
{
	const char *verb = w->nargs > 1 ? w->arg[1] : "list";

	if (strcmp(verb, "add") == 0)
		return add_verb(a, w, add_user, "role", "satcheld/user.add/1",
		    out, e);
	if (strcmp(verb, "list") == 0)
		return user_list(a, w, out, e);
	if (strcmp(verb, "show") == 0)
		return user_show(a, w, out, e);
	if (strcmp(verb, "edit") == 0)
		return user_edit(a, w, out, e);
	if (strcmp(verb, "disable") == 0 || strcmp(verb, "enable") == 0)
		return user_disable(a, w, out, e);
	return usage("user list|show|add|edit|disable|enable", e);
}
