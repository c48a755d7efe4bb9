/*
 * Long work: export, reports. Files are named here, so that the use cases below
 * stay free of them; common/base/file and common/sheet open them. The import is
 * import_file.c.
 */
#include "client/api/api_int.h"

#include "client/crm/report.h"
#include "common/base/file.h"
#include "common/sheet/sheet.h"
#include "common/template/report_def.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- export --------------------------------------------------------------------- */

static sat_rc
put_line(void *u, sat_span line, sat_err *e)
{
	(void)e;
	sat_file_out_line(u, line); /* closing tells */
	return SAT_OK;
}

static sat_rc
export_lines(int64_t *rows, sat_api *api, sat_export_opts *o, const char *to,
    sat_err *e)
{
	bool std = to == NULL || strcmp(to, "-") == 0;
	sat_file_out *f;
	sat_rc rc = sat_file_out_open(&f, std ? NULL : to, 0600,
	    api->out_fd, e), closed;

	if (rc != SAT_OK)
		return rc;
	o->line = put_line;
	o->u = f;
	rc = sat_crm_export(rows, &api->crm, o, e);
	closed = sat_file_out_close(f, rc == SAT_OK, rc == SAT_OK ? e : NULL);
	return rc == SAT_OK ? closed : rc;
}

static sat_rc
export_table(int64_t *rows, sat_api *api, sat_export_opts *o, const char *to,
    const sat_json *body, sat_err *e)
{
	const sat_kind *k = o->query->kind;
	bool zh = api->crm.lang != NULL && api->crm.lang[0] == 'z';
	sat_sheet_out_opts co = { .format = o->format,
		.encoding = sat_json_get_str(body, "encoding", "utf-8-bom"),
		.raw = sat_json_get_bool(body, "raw", false), .fd = api->out_fd, .title = zh ? k->zh : k->en };
	sat_rc rc = sat_sheet_out_open(&o->table, to, &co, e), closed;

	if (rc != SAT_OK)
		return rc;
	rc = sat_crm_export(rows, &api->crm, o, e);
	closed = sat_sheet_out_close(o->table, rc == SAT_OK, rc == SAT_OK ? e : NULL);
	return rc == SAT_OK ? closed : rc;
}

/*
 * The right to see the kind and, for who exports what is not his own, a reason:
 * it stands in the audit log beside the number of rows.
 */
static sat_rc
may_export(sat_api *api, const sat_kind *k, const char *reason, sat_err *e)
{
	const sat_template *t = sat_replica_template(api->crm.replica);
	const char *role = sat_replica_me(api->crm.replica)->role;
	char action[96];

	(void)snprintf(action, sizeof action, "%s.view",
	    k != NULL ? k->key : "account"); /* NULL: each kind is asked */
	if (sat_acl(t, role, action) == SAT_GRANT_NO)
		return sat_fail_code(e, SAT_EDENIED, "denied", NULL,
		    "the role %s may not do %s", role, action);
	if (sat_acl(t, role, "export") > SAT_GRANT_OWN &&
	    (reason == NULL || reason[0] == '\0'))
		return sat_fail_code(e, SAT_EUSAGE, "usage.reason",
		    "--reason TEXT; it is kept in the audit log",
		    "an export by the role %s needs a reason", role);
	return SAT_OK;
}

/* What would be refused before the first row is, of every kind it would take; a
 * table's encoding is judged by who would write it. */
static sat_rc
would_begin(sat_api *api, sat_export_opts *o, sat_query *q,
    const sat_json *body, sat_err *e)
{
	const sat_template *t = sat_replica_template(api->crm.replica);
	int64_t rows;
	sat_rc rc = SAT_OK;

	o->dry = true;
	if (strcmp(o->format, "csv") == 0)
		return export_table(&rows, api, o, "/dev/null", body, e);
	if (q->kind != NULL)
		return sat_crm_export(&rows, &api->crm, o, e);
	for (size_t i = 0; rc == SAT_OK && i < sat_template_kinds(t); i++) {
		q->kind = sat_template_kind_at(t, i);
		if (api_may_view(api, q->kind))
			rc = sat_crm_export(&rows, &api->crm, o, e);
	}
	return rc;
}

HANDLER(api_export)
{
	const char *kind = sat_json_get_str(req->body, "type", "");
	const char *format = sat_json_get_str(req->body, "format", "csv");
	const char *where = sat_json_get_str(req->body, "where", NULL);
	const char *to;
	sat_query q = { .limit = 0 };
	sat_export_opts o = { .query = &q, .format = format,
		.reason = sat_json_get_str(req->body, "reason", NULL),
		.labels = sat_json_get_bool(req->body, "labels", false),
		.mask = sat_json_get_bool(req->body, "mask", false) };
	sat_arena a = { 0 };
	sat_filter *f = NULL;
	int64_t rows = 0;
	bool book = strcmp(format, "sqlite") == 0;
	bool all = book && strcmp(kind, "all") == 0;
	bool dry = sat_json_get_bool(req->body, "dry_run", false);
	char *whole;
	sat_rc rc = api_file_named(&to, req, "file", e);

	(void)args;
	if (rc == SAT_OK && !all)
		rc = api_kind(&q.kind, api, kind, e);
	whole = rc == SAT_OK && to != NULL && strcmp(to, "-") != 0 ?
	    sat_file_absolute(to) : NULL;
	o.to = whole;
	if (rc == SAT_OK)
		rc = may_export(api, q.kind, o.reason, e);
	if (rc == SAT_OK && all && where != NULL)
		rc = sat_fail_code(e, SAT_EUSAGE, "usage.option", NULL,
		    "--where needs one kind");
	if (rc == SAT_OK && where != NULL)
		rc = sat_crm_where(&f, &q.nfilters, &a, &api->crm, q.kind, where,
		    e);
	q.filters = f;
	if (dry)
		to = NULL;
	if (rc == SAT_OK && dry)
		rc = would_begin(api, &o, &q, req->body, e);
	else if (rc == SAT_OK && (strcmp(format, "csv") == 0 ||
	    strcmp(format, "xlsx") == 0))
		rc = export_table(&rows, api, &o, to, req->body, e);
	else if (rc == SAT_OK && book)
		rc = api_export_sqlite(&rows, api, &o, &q, to, e);
	else if (rc == SAT_OK)
		rc = export_lines(&rows, api, &o, to, e);
	sat_arena_fini(&a);
	free(whole);
	if (rc != SAT_OK)
		return rc;
	*out = api_doc("export");
	sat_json_put_int(*out, "rows", rows);
	sat_json_put_str(*out, "file", to);
	if (dry)
		sat_json_put_bool(*out, "dry_run", true);
	return SAT_OK;
}

/* ---- reports -------------------------------------------------------------------- */

HANDLER(api_reports)
{
	const sat_template *t = sat_replica_template(api->crm.replica);
	sat_json *rows;
	const char *key;

	(void)req;
	(void)args;
	(void)e;
	*out = api_doc("report.list");
	rows = sat_json_put_arr(*out, "data");
	for (size_t i = 0; (key = sat_report_key(t, i)) != NULL; i++) {
		sat_report_def def;
		sat_json *row;

		if (sat_report_def_load(t, key, &def, NULL) != SAT_OK)
			continue;
		if (def.kind->off) {
			sat_report_def_fini(&def);
			continue;
		}
		row = sat_json_add_obj(rows);
		sat_json_put_str(row, "key", key);
		sat_json_put_str(row, "zh", def.zh);
		sat_json_put_str(row, "en", def.en);
		sat_json_put_str(row, "kind", def.kind->key);
		sat_report_def_fini(&def);
	}
	return SAT_OK;
}

HANDLER(api_report)
{
	const sat_template *t = sat_replica_template(api->crm.replica);
	char *path = sat_xasprintf("reports/%s.json", args[0]);
	const sat_json *doc = sat_template_doc(t, path);
	const char *params[16];
	sat_report_opts o;
	sat_json *list;
	sat_rc rc;

	free(path);
	if (doc == NULL)
		return sat_fail_code(e, SAT_ENOTFOUND, "not_found",
		    "see: satchel report list", "there is no report %s", args[0]);
	if ((rc = api_report_opts(&o, params, api, req->query, e)) != SAT_OK ||
	    (o.nparams > 0 && (rc = sat_crm_report_judge(&api->crm, args[0], &o,
	    e)) != SAT_OK))
		return rc;
	*out = api_doc("report.definition");
	sat_json_put(*out, "document", sat_json_dup(doc));
	list = sat_json_put_arr(*out, "params");
	for (size_t i = 0; i < o.nparams; i++)
		sat_json_add_str(list, o.params[i]);
	return SAT_OK;
}
