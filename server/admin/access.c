/*
 * role, acl: who may do what, and which rule of the published template says so.
 */
#include "server/admin/admin_int.h"

#include "protocol/look.h"

#include <stdio.h>
#include <string.h>

static sat_rc
published(const sat_template **t, sat_admin *a, sat_err *e)
{
	*t = admin_template_at(a, a->tip.b);
	return *t != NULL ? SAT_OK : sat_fail_code(e, SAT_EINTEGRITY,
	    "template", "satcheld doctor",
	    "the published template cannot be loaded");
}

static const sat_json *
matrix(const sat_template *t)
{
	return sat_template_doc(t, "acl/matrix.json");
}

static void
put_role(sat_json *row, const sat_admin *a, const sat_json *role)
{
	const sat_registry *r = sat_server_registry(a->core);
	const char *key = sat_json_get_str(role, "key", "");
	int64_t people = 0;

	for (size_t i = 0; i < r->nusers; i++)
		people += !r->users[i].disabled &&
		    strcmp(r->users[i].role, key) == 0;
	sat_json_put_str(row, "key", key);
	sat_json_put_str(row, "name", sat_json_get_str(
	    sat_json_get(role, "label"), "en", key));
	sat_json_put_int(row, "people", people);
}

static void
put_grants(sat_json *rows, const sat_template *t, const char *role,
    bool named)
{
	const sat_json *g = sat_json_first(sat_json_get(sat_json_get(matrix(t),
	    "grants"), role));

	for (; g != NULL; g = sat_json_next(g)) {
		sat_json *row = sat_json_add_obj(rows);

		if (named)
			sat_json_put_str(row, "role", role);
		sat_json_put_str(row, "action", sat_json_key(g));
		sat_json_put_str(row, "grant", sat_json_str(g, ""));
	}
}

sat_rc
admin_role_verb(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e)
{
	static const char *const cols[] = { "key", "name", "people", NULL };
	static const char *const grants[] = { "action", "grant", NULL };
	const char *verb = w->nargs > 1 ? w->arg[1] : "list";
	bool one = strcmp(verb, "show") == 0, found = false;
	const sat_template *t;
	const sat_json *role;
	sat_json *doc, *rows;
	sat_rc rc;

	if ((!one && strcmp(verb, "list") != 0) || (one && w->nargs < 3))
		return sat_fail_code(e, SAT_EUSAGE, "usage",
		    "a role is added in acl/matrix.json: satcheld template publish",
		    "usage: satcheld role list | show ROLE");
	if ((rc = published(&t, a, e)) != SAT_OK)
		return rc;
	doc = sat_json_obj();
	sat_json_put_str(doc, "schema", one ? "satcheld/role.show/1" :
	    "satcheld/role.list/1");
	rows = one ? NULL : sat_json_put_arr(doc, "data");
	role = sat_json_first(sat_json_get(matrix(t), "roles"));
	for (; role != NULL; role = sat_json_next(role)) {
		if (!one) {
			put_role(sat_json_add_obj(rows), a, role);
		} else if (strcmp(sat_json_get_str(role, "key", ""),
		    w->arg[2]) == 0) {
			found = true;
			put_role(doc, a, role);
			put_grants(sat_json_put_arr(doc, "data"), t, w->arg[2],
			    false);
		}
	}
	if (one && !found)
		rc = sat_fail_code(e, SAT_ENOTFOUND, "not_found",
		    "see: satcheld role list", "there is no role %.40s",
		    w->arg[2]);
	else
		admin_print(out, w, doc, one ? grants : cols);
	sat_json_free(doc);
	return rc;
}

/* ---- may he? --------------------------------------------------------------------------- */

static const char *const relations[] = { "none", "own", "team", "all" };
static const char *const scopes[] = { "no", "own", "team", "all" };

typedef struct question {
	const sat_user *user;
	const sat_template *t;
	char action[96]; /* "account.edit" */
	const sat_kind *kind;
	bool of_record;
	sat_stands is;
} question;

/* OBJECT is a record's id, a kind, or "-" for what has none (import, report). */
static sat_rc
object_read(question *q, sat_admin *a, const char *object, sat_err *e)
{
	sat_id id;
	sat_rc rc;

	if (strcmp(object, "-") == 0)
		return SAT_OK;
	if ((q->kind = sat_template_kind(q->t, object)) != NULL)
		return SAT_OK;
	if (!sat_id_parse(&id, object))
		return sat_fail_code(e, SAT_ENOTFOUND, "not_found",
		    "an id of a record, a kind as in account, or -",
		    "%.60s is no record and no kind", object);
	if ((rc = sat_server_stands(&q->is, a->core, q->user, &id, e)) !=
	    SAT_OK)
		return rc;
	q->kind = q->is.kind;
	q->of_record = true;
	return SAT_OK;
}

static bool
answer(sat_json *doc, const question *q)
{
	const char *rule = sat_acl_rule(q->t, q->user->role, q->action);
	sat_grant g = sat_acl(q->t, q->user->role, q->action);
	bool yes = !q->user->disabled && g != SAT_GRANT_NO &&
	    (!q->of_record || (q->is.sees &&
	    sat_grant_covers(g, q->is.relation)));

	sat_json_put_str(doc, "user", q->user->key);
	sat_json_put_str(doc, "role", q->user->role);
	sat_json_put_str(doc, "action", q->action);
	sat_json_put_str(doc, "kind", q->kind != NULL ? q->kind->key : NULL);
	sat_json_put_str(doc, "relation", q->of_record ?
	    relations[q->is.relation] : NULL);
	sat_json_put_str(doc, "sees", !q->of_record ? NULL : q->is.sees ? "yes" :
	    "no");
	sat_json_put_str(doc, "rule", rule);
	sat_json_put_str(doc, "grant", scopes[g]);
	sat_json_put_str(doc, "because", q->user->disabled ?
	    "the user is disabled" : rule == NULL ?
	    "no line of the role's grants names it" : g == SAT_GRANT_NO ?
	    "the rule says no" : q->of_record && !q->is.sees ?
	    "the record is outside what the user sees" : yes ?
	    "the rule covers it" : "the rule covers less than this record");
	sat_json_put_bool(doc, "allowed", yes);
	return yes;
}

static sat_rc
acl_test(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e)
{
	question q = { 0 };
	sat_json *doc;
	bool yes;
	sat_rc rc;

	if (w->nargs != 5)
		return sat_fail_code(e, SAT_EUSAGE, "usage",
		    "for example acl test li.na edit account",
		    "usage: satcheld acl test USER ACTION OBJECT");
	q.user = sat_registry_user(sat_server_registry(a->core),
	    sat_span_str(w->arg[2]));
	if (q.user == NULL)
		return sat_fail_code(e, SAT_ENOTFOUND, "not_found",
		    "see: satcheld user list", "there is no user %.64s",
		    w->arg[2]);
	if ((rc = published(&q.t, a, e)) != SAT_OK ||
	    (rc = object_read(&q, a, w->arg[4], e)) != SAT_OK)
		return rc;
	if (q.kind != NULL && strchr(w->arg[3], '.') == NULL)
		(void)snprintf(q.action, sizeof q.action, "%s.%.40s",
		    q.kind->key, w->arg[3]);
	else
		(void)snprintf(q.action, sizeof q.action, "%.90s", w->arg[3]);
	doc = sat_json_obj();
	sat_json_put_str(doc, "schema", "satcheld/acl.test/1");
	yes = answer(doc, &q);
	admin_print(out, w, doc, NULL);
	sat_json_free(doc);
	return yes ? SAT_OK : sat_fail_code(e, SAT_EFALSE, "acl.no", NULL,
	    "%s may not %s", q.user->key, q.action);
}

sat_rc
admin_acl_verb(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e)
{
	static const char *const cols[] = { "role", "action", "grant", NULL };
	const char *verb = w->nargs > 1 ? w->arg[1] : "show";
	const sat_template *t;
	const sat_json *role;
	sat_json *doc, *rows;
	sat_rc rc;

	if (strcmp(verb, "test") == 0)
		return acl_test(a, w, out, e);
	if (strcmp(verb, "show") != 0)
		return sat_fail_code(e, SAT_EUSAGE, "usage", NULL,
		    "usage: satcheld acl show | test USER ACTION OBJECT");
	if ((rc = published(&t, a, e)) != SAT_OK)
		return rc;
	doc = sat_json_obj();
	sat_json_put_str(doc, "schema", "satcheld/acl.show/1");
	rows = sat_json_put_arr(doc, "data");
	role = sat_json_first(sat_json_get(matrix(t), "roles"));
	for (; role != NULL; role = sat_json_next(role))
		put_grants(rows, t, sat_json_get_str(role, "key", ""), true);
	admin_print(out, w, doc, cols);
	sat_json_free(doc);
	return SAT_OK;
}
