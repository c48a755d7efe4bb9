/*
 * Long work: import, export, reports. Files are named here, so that the use
 * cases below stay free of them; common/base/file and common/sheet open them.
 */
#include "client/api/api_int.h"

#include "client/crm/report.h"
#include "common/base/file.h"
#include "common/crypto/crypto.h"
#include "common/sheet/sheet.h"
#include "common/template/report_def.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAP_BYTES_MAX (1024 * 1024)
#define TOLD_MAX 20 /* refused rows that are told one by one */

/* ---- import --------------------------------------------------------------------- */

typedef struct import_job {
	sat_api *api;
	sat_sheet *sheet;
	sat_sheet_out *errors;
	const char *hash;
	const char *map_dir; /* derive files are named relative to the map */
	size_t map_dir_n;
	bool header_done;
	bool dry_run;
	int told; /* refused rows */
	sat_rc errors_rc;
	sat_err errors_err;
} import_job;

static sat_rc
read_map(sat_json **map, const char *path, sat_err *e)
{
	sat_buf b = { 0 };
	sat_rc rc = sat_file_read(&b, path, MAP_BYTES_MAX + 1, e);

	if (rc == SAT_ENOTFOUND)
		rc = sat_fail_code(e, SAT_ENOTFOUND, "import.map", NULL,
		    "cannot read the mapping %s: %s", path, strerror(errno));
	else if (rc == SAT_OK)
		rc = sat_json_parse(map, sat_buf_span(&b), MAP_BYTES_MAX, e);
	if (rc == SAT_EPROTO) /* a person's file, not a peer's */
		rc = e != NULL ? (e->rc = SAT_EINVALID) : SAT_EINVALID;
	sat_buf_fini(&b);
	return rc;
}

static void
event(sat_api *api, sat_json *line)
{
	if (api->event != NULL)
		api->event(api->u, line);
	sat_json_free(line);
}

/* The first ones of an import; of a dry run, which is made for them, all. */
static void
tell_refused(import_job *j, const sat_sheet_row *r, const char *reason)
{
	sat_json *line;

	if (!j->dry_run && j->told >= TOLD_MAX)
		return;
	j->told++;
	line = sat_json_obj();
	sat_json_put_str(line, "type", "refused");
	sat_json_put_int(line, "line", (int64_t)r->line);
	sat_json_put_str(line, "reason", reason);
	event(j->api, line);
}

/* The errors file: the original columns, then line and reason. */
static void
on_error(void *u, const void *row, const char *reason)
{
	import_job *j = u;
	const sat_sheet_row *r = row;
	char line[32];

	tell_refused(j, r, reason);
	if (j->errors == NULL || j->errors_rc != SAT_OK)
		return;
	if (!j->header_done) {
		for (size_t i = 0; i < sat_sheet_columns(j->sheet); i++)
			sat_sheet_out_plain(j->errors,
			    sat_span_str(sat_sheet_column(j->sheet, i)));
		sat_sheet_out_plain(j->errors, sat_span_str("line"));
		sat_sheet_out_plain(j->errors, sat_span_str("reason"));
		j->errors_rc = sat_sheet_out_endrow(j->errors, &j->errors_err);
		j->header_done = true;
	}
	for (size_t i = 0; i < sat_sheet_columns(j->sheet); i++)
		sat_sheet_out_plain(j->errors,
		    i < r->n ? r->fields[i] : sat_span_of(NULL, 0));
	(void)snprintf(line, sizeof line, "%llu", (unsigned long long)r->line);
	sat_sheet_out_plain(j->errors, sat_span_str(line));
	sat_sheet_out_plain(j->errors, sat_span_str(reason));
	if (j->errors_rc == SAT_OK)
		j->errors_rc = sat_sheet_out_endrow(j->errors, &j->errors_err);
}

static void
on_clean(void *u, int64_t row, const char *field, sat_span before,
    sat_span after)
{
	import_job *j = u;
	sat_json *line = sat_json_obj();

	sat_json_put_str(line, "type", "change");
	sat_json_put_int(line, "row", row);
	sat_json_put_str(line, "field", field);
	sat_json_put_strn(line, "before", before);
	sat_json_put_strn(line, "after", after);
	event(j->api, line);
}

static void
on_derived(void *u, const char *title, const char *field, const char *value)
{
	import_job *j = u;
	sat_json *line = sat_json_obj();

	sat_json_put_str(line, "type", "derived");
	sat_json_put_str(line, "row", title);
	sat_json_put_str(line, "field", field);
	sat_json_put_str(line, "value", value);
	event(j->api, line);
}

static void
on_progress(void *u, int64_t rows, uint64_t done, uint64_t total)
{
	import_job *j = u;
	sat_json *line = sat_json_obj();

	sat_json_put_str(line, "type", "progress");
	sat_json_put_int(line, "rows", rows);
	sat_json_put_int(line, "bytes", (int64_t)done);
	sat_json_put_int(line, "total_bytes", (int64_t)total);
	event(j->api, line);
}

static bool
interrupted(void *u)
{
	import_job *j = u;

	return j->api->interrupted != NULL && j->api->interrupted(j->api->u);
}

static sat_rc
open_sheet(void *u, const char *file, struct sat_sheet **out, sat_err *e)
{
	import_job *j = u;
	char *path = file[0] == '/'
	    ? sat_xstrdup(file)
	    : sat_xasprintf("%.*s%s", (int)j->map_dir_n, j->map_dir, file);
	sat_rc rc = sat_sheet_open(out, path, NULL, e);

	free(path);
	return rc;
}

static sat_rc
on_duplicate_of(sat_on_duplicate *d, const char *text, sat_err *e)
{
	static const char *const words[] = { "skip", "update", "new", "ask" };

	*d = SAT_DUP_SKIP;
	for (int i = 0; text != NULL && i < 4; i++)
		if (strcmp(text, words[i]) == 0) {
			*d = (sat_on_duplicate)i;
			return SAT_OK;
		}
	return text == NULL ? SAT_OK
	                    : sat_fail_code(e, SAT_EUSAGE, "usage.option",
	                          "one of: skip, update, new",
	                          "--on-duplicate %s is unknown", text);
}

static void
summary_put(sat_json *d, const sat_import_summary *s, const char *errors_file,
    bool dry_run, int64_t ms)
{
	char *undo;

	sat_json_put_str(d, "type", "summary");
	sat_json_put_str(d, "batch", s->batch);
	sat_json_put_int(d, "rows", s->rows);
	sat_json_put_int(d, "created", s->created);
	sat_json_put_int(d, "updated", s->updated);
	sat_json_put_int(d, "unchanged", s->unchanged);
	sat_json_put_int(d, "skipped", s->skipped);
	sat_json_put_int(d, "errors", s->errors);
	sat_json_put_int(d, "incomplete", s->incomplete);
	sat_json_put_str(d, "errors_file", errors_file);
	sat_json_put_bool(d, "dry_run", dry_run);
	sat_json_put_bool(d, "interrupted", s->interrupted);
	if (s->recorded) {
		undo = sat_xasprintf("satchel import undo %s", s->batch);
		sat_json_put_str(d, "undo", undo);
		free(undo);
	} else {
		sat_json_put_null(d, "undo");
	}
	sat_json_put_real(d, "seconds", (double)(ms / 10) / 100.0);
}

/* The name without its folder: folders tell of the machine, not of the data. */
static const char *
base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

static void
hash_piece(void *u, sat_span s)
{
	sat_hasher_add(u, s);
}

static sat_rc
hash_file(char out[SAT_HASH_BYTES * 2 + 1], const char *path, sat_err *e)
{
	uint8_t hash[SAT_HASH_BYTES];
	sat_hasher h;
	sat_rc rc;

	sat_hasher_init(&h, sat_span_of(NULL, 0));
	rc = sat_file_each(path, hash_piece, &h, e);
	sat_hasher_done(&h, hash);
	sat_hex(out, hash, sizeof hash);
	return rc;
}

static sat_rc
run_import(sat_import_summary *s, import_job *j, const sat_json *body,
    const sat_json *map, sat_err *e)
{
	const char *incomplete = sat_json_get_str(body, "incomplete", "refuse");
	sat_import_opts o = {
		.kind = sat_json_get_str(body, "type", NULL),
		.map = map,
		.file = base_name(sat_json_get_str(body, "title",
		    sat_json_get_str(body, "file", ""))),
		.hash = j->hash,
		.source = sat_json_get_str(body, "source",
		    sat_sheet_format(j->sheet)),
		.door = j->api->out_fd != 0 ? "daemon" : "cli",
		.map_name = sat_json_get_str(body, "save_map", NULL),
		.dry_run = sat_json_get_bool(body, "dry_run", false),
		.flag_incomplete = strcmp(incomplete, "flag") == 0,
		.max_errors = sat_json_get_int(body, "max_errors", 0),
		.sheet = j->sheet,
		.on_error = on_error,
		.on_derived = on_derived,
		.open_sheet = open_sheet,
		.progress = on_progress,
		.interrupted = interrupted,
		.u = j,
	};
	sat_rc rc;

	j->dry_run = o.dry_run;
	if (o.dry_run)
		o.on_clean = on_clean;
	if (strcmp(incomplete, "flag") != 0 && strcmp(incomplete, "refuse") != 0)
		return sat_fail_code(e, SAT_EUSAGE, "usage.option",
		    "refuse or flag", "--incomplete %s is unknown", incomplete);
	rc = on_duplicate_of(&o.on_duplicate,
	    sat_json_get_str(body, "on_duplicate", NULL), e);
	return rc == SAT_OK ? sat_crm_import(s, &j->api->crm, &o, e) : rc;
}

HANDLER(api_import)
{
	const sat_json *b = req->body;
	const char *file = sat_json_get_str(b, "file", NULL);
	const char *map_file = sat_json_get_str(b, "map", NULL);
	const char *errors = sat_json_get_str(b, "errors", NULL);
	const char *delim = sat_json_get_str(b, "delimiter", "");
	sat_sheet_opts co = { .encoding = sat_json_get_str(b, "encoding", NULL),
		.delimiter = strcmp(delim, "\\t") == 0 ? '\t' : delim[0],
		.header_row = (unsigned)sat_json_get_int(b, "header", 0),
		.sheet = (unsigned)sat_json_get_int(b, "sheet", 0) };
	char hash[SAT_HASH_BYTES * 2 + 1];
	import_job j = { .api = api, .map_dir = "", .hash = hash };
	int64_t start = sat_boot_ms(&api->crm.clock);
	sat_import_summary s = { .rows = 0 };
	sat_json *map = NULL;
	sat_err why = { 0 };
	sat_rc rc = SAT_OK, closed;

	(void)args;
	if (file == NULL)
		return sat_fail(e, SAT_EUSAGE, "name the file to import");
	if (map_file != NULL) {
		const char *slash = strrchr(map_file, '/');

		j.map_dir = map_file;
		j.map_dir_n = slash != NULL ? (size_t)(slash - map_file) + 1 : 0;
		rc = read_map(&map, map_file, &why);
		if (rc == SAT_ENOTFOUND) /* no file: a kept one? */
			rc = sat_crm_import_map(&map, &api->crm,
			    base_name(map_file), NULL);
		if (rc != SAT_OK && e != NULL)
			*e = why;
	}
	if (rc == SAT_OK)
		rc = hash_file(hash, file, e);
	if (rc == SAT_OK)
		rc = sat_sheet_open(&j.sheet, file, &co, e);
	if (rc == SAT_OK && errors != NULL)
		rc = sat_sheet_out_open(&j.errors, errors, NULL, e);
	if (rc == SAT_OK)
		rc = run_import(&s, &j, b, map, e);
	if (j.errors != NULL) {
		closed = sat_sheet_out_close(j.errors, s.errors > 0, NULL);
		if (j.errors_rc != SAT_OK && (rc == SAT_OK || rc == SAT_EPARTLY)) {
			rc = j.errors_rc;
			if (e != NULL)
				*e = j.errors_err;
		} else if (closed != SAT_OK && (rc == SAT_OK || rc == SAT_EPARTLY))
			rc = sat_fail(e, closed, "cannot write %s", errors);
	}
	sat_sheet_close(j.sheet);
	sat_json_free(map);
	if (rc != SAT_OK && rc != SAT_EPARTLY)
		return rc;
	*out = api_doc("import");
	summary_put(*out, &s, s.errors > 0 ? errors : NULL,
	    sat_json_get_bool(b, "dry_run", false),
	    sat_boot_ms(&api->crm.clock) - start);
	return rc;
}

/* ---- export --------------------------------------------------------------------- */

static void
put_line(void *u, sat_span line)
{
	sat_file_out_line(u, line);
}

static sat_rc
export_lines(int64_t *rows, sat_api *api, sat_export_opts *o, const char *to,
    sat_err *e)
{
	bool std = to == NULL || strcmp(to, "-") == 0;
	sat_file_out *f;
	sat_rc rc = sat_file_out_open(&f, std ? NULL : to, api->out_fd, e), closed;

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
    const char *encoding, sat_err *e)
{
	const sat_kind *k = o->query->kind;
	bool zh = api->crm.lang != NULL && api->crm.lang[0] == 'z';
	sat_sheet_out_opts co = { .format = o->format, .encoding = encoding,
		.fd = api->out_fd, .title = zh ? k->zh : k->en };
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

HANDLER(api_export)
{
	const char *kind = sat_json_get_str(req->body, "type", "");
	const char *format = sat_json_get_str(req->body, "format", "csv");
	const char *where = sat_json_get_str(req->body, "where", NULL);
	const char *to = sat_json_get_str(req->body, "file", NULL);
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
	sat_rc rc = all ? SAT_OK : api_kind(&q.kind, api, kind, e);

	(void)args;
	if (rc == SAT_OK)
		rc = may_export(api, q.kind, o.reason, e);
	if (rc == SAT_OK && all && where != NULL)
		rc = sat_fail_code(e, SAT_EUSAGE, "usage.option", NULL,
		    "--where needs one kind");
	if (rc == SAT_OK && where != NULL)
		rc = sat_crm_where(&f, &q.nfilters, &a, &api->crm, q.kind, where,
		    e);
	q.filters = f;
	if (rc == SAT_OK && (strcmp(format, "csv") == 0 ||
	    strcmp(format, "xlsx") == 0))
		rc = export_table(&rows, api, &o, to,
		    sat_json_get_str(req->body, "encoding", "utf-8-bom"), e);
	else if (rc == SAT_OK && book)
		rc = api_export_sqlite(&rows, api, &o, &q, to, e);
	else if (rc == SAT_OK)
		rc = export_lines(&rows, api, &o, to, e);
	sat_arena_fini(&a);
	if (rc != SAT_OK)
		return rc;
	*out = api_doc("export");
	sat_json_put_int(*out, "rows", rows);
	sat_json_put_str(*out, "file", to);
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
