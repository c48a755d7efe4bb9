/*
 * A sheet comes in: the file is named here and common/sheet opens it, so that
 * the use case below stays free of files. What is refused goes to a sheet of
 * its own, or to whoever listens.
 */
#include "client/api/api_int.h"

#include "client/crm/import.h"
#include "common/base/file.h"
#include "common/crypto/crypto.h"
#include "common/sheet/sheet.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAP_BYTES_MAX (1024 * 1024)
#define TOLD_MAX 20 /* refused rows that are told one by one */

typedef struct import_job {
	sat_api *api;
	const char *file; /* NULL: none was named */
	sat_sheet *sheet;
	sat_sheet_out *errors;
	sat_import_marks marks;
	const char *hash;
	sat_json *map;
	const char *map_dir; /* derive files are named relative to the map */
	size_t map_dir_n;
	bool names_files; /* a mapping that was read from a file may name others */
	bool header_done;
	bool dry_run;
	int64_t rows_left; /* of a preview */
	bool preview;
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

static void
put_text(import_job *j, const char *s)
{
	sat_sheet_out_text(j->errors, sat_span_str(s));
}

/* The errors file: the original columns, then line and reason. What the sheet
 * holds is somebody's text, its headings too. */
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
		for (size_t i = 0; i < j->marks.columns; i++)
			put_text(j, sat_sheet_column(j->sheet, i));
		put_text(j, j->marks.line);
		put_text(j, j->marks.reason);
		j->errors_rc = sat_sheet_out_endrow(j->errors, &j->errors_err);
		j->header_done = true;
	}
	for (size_t i = 0; i < j->marks.columns; i++)
		sat_sheet_out_text(j->errors,
		    i < r->n ? r->fields[i] : sat_span_of(NULL, 0));
	(void)snprintf(line, sizeof line, "%llu", (unsigned long long)r->line);
	put_text(j, line);
	put_text(j, reason);
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

static sat_rc
on_batch(void *u, const char *batch, sat_err *e)
{
	import_job *j = u;

	return j->api->batch != NULL ? j->api->batch(j->api->u, batch, e) :
	    SAT_OK;
}

static bool
interrupted(void *u)
{
	import_job *j = u;

	if (j->preview && j->rows_left-- <= 0)
		return true; /* nothing of it stays */
	return j->api->interrupted != NULL && j->api->interrupted(j->api->u);
}

static sat_rc
open_sheet(void *u, const char *file, struct sat_sheet **out, sat_err *e)
{
	import_job *j = u;
	char *path;
	sat_rc rc;

	if (!j->names_files)
		return sat_fail_code(e, SAT_EUSAGE, "import.map", NULL,
		    "a mapping that is sent names no files of this computer");
	path = file[0] == '/' ? sat_xstrdup(file) :
	    sat_xasprintf("%.*s%s", (int)j->map_dir_n, j->map_dir, file);
	rc = sat_sheet_open(out, path, NULL, e);
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
	                          "one of: skip, update, new, ask",
	                          "--on-duplicate %s is unknown", text);
}

static void
summary_put(sat_json *d, const sat_import_summary *s, const char *errors_file,
    bool dry_run, int64_t ms)
{
	char *undo;

	sat_json_put_str(d, "type", "summary");
	sat_json_put_str(d, "batch", s->batch);
	sat_json_put_str(d, "kind", s->kind != NULL ? s->kind->key : NULL);
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

/* What a file holds when nobody says: customers; a book of cards, people. */
static const char *
kind_of(const import_job *j, const sat_json *body)
{
	bool cards = strcmp(sat_sheet_format(j->sheet), "vcard") == 0;

	return sat_json_get_str(body, "type", sat_json_get(j->map, "kind") !=
	    NULL ? NULL : cards ? "contact" : "account");
}

static sat_import_opts
opts_of(import_job *j, const sat_json *body)
{
	return (sat_import_opts){
		.kind = kind_of(j, body),
		.map = j->map,
		.file = base_name(sat_json_get_str(body, "title",
		    sat_json_get_str(body, "file", ""))),
		.hash = j->hash,
		.source = sat_json_get_str(body, "source",
		    sat_sheet_format(j->sheet)),
		.door = j->api->out_fd != 0 ? "daemon" : "cli",
		.map_name = sat_json_get_str(body, "save_map", NULL),
		.dry_run = j->preview ||
		    sat_json_get_bool(body, "dry_run", false),
		.flag_incomplete = strcmp(sat_json_get_str(body, "incomplete",
		    ""), "flag") == 0,
		.max_errors = sat_json_get_int(body, "max_errors", 0),
		.sheet = j->sheet,
		.on_error = on_error,
		.on_derived = on_derived,
		.open_sheet = open_sheet,
		.progress = on_progress,
		.began = on_batch,
		.interrupted = interrupted,
		.u = j,
	};
}

static sat_rc
run_import(sat_import_summary *s, import_job *j, const sat_json *body,
    sat_err *e)
{
	const char *incomplete = sat_json_get_str(body, "incomplete", "refuse");
	sat_import_opts o = opts_of(j, body);
	sat_rc rc;

	j->dry_run = o.dry_run;
	if (o.dry_run)
		o.on_clean = on_clean;
	if (!o.flag_incomplete && strcmp(incomplete, "refuse") != 0)
		return sat_fail_code(e, SAT_EUSAGE, "usage.option",
		    "refuse or flag", "--incomplete %s is unknown", incomplete);
	rc = on_duplicate_of(&o.on_duplicate,
	    sat_json_get_str(body, "on_duplicate", NULL), e);
	if (rc == SAT_OK && j->errors != NULL)
		j->marks = sat_crm_import_marks(&j->api->crm, &o);
	return rc == SAT_OK ? sat_crm_import(s, &j->api->crm, &o, e) : rc;
}

/* "map" names a file, or a mapping a batch kept; "mapping" is the mapping, or
 * names one that was kept and no file. */
static sat_rc
find_map(import_job *j, const sat_request *req, sat_err *e)
{
	const sat_json *mapping = sat_json_get(req->body, "mapping");
	const char *kept = sat_json_str(mapping, NULL), *file, *slash;
	sat_rc rc = api_file_named(&file, req, "map", e);

	if (rc != SAT_OK)
		return rc;
	if (kept != NULL)
		return sat_crm_import_map(&j->map, &j->api->crm, kept, e);
	if (sat_json_type(mapping) == SAT_J_OBJ)
		j->map = sat_json_dup(mapping);
	if (j->map != NULL || file == NULL)
		return SAT_OK;
	slash = strrchr(file, '/');
	j->names_files = true;
	j->map_dir = file;
	j->map_dir_n = slash != NULL ? (size_t)(slash - file) + 1 : 0;
	rc = read_map(&j->map, file, e);
	if (rc == SAT_ENOTFOUND && sat_crm_import_map(&j->map, &j->api->crm,
	    base_name(file), NULL) == SAT_OK)
		rc = SAT_OK;
	return rc;
}

/* The sheet's name, and the mapping. */
static sat_rc
find_both(import_job *j, const sat_request *req, sat_err *e)
{
	sat_rc rc = api_file_named(&j->file, req, "file", e);

	return rc == SAT_OK ? find_map(j, req, e) : rc;
}

static sat_rc
open_it(import_job *j, const sat_json *body, sat_err *e)
{
	const char *delim = sat_json_get_str(body, "delimiter", "");
	sat_sheet_opts co = {
		.encoding = sat_json_get_str(body, "encoding", NULL),
		.delimiter = strcmp(delim, "\\t") == 0 ? '\t' : delim[0],
		.header_row = (unsigned)sat_json_get_int(body, "header", 0),
		.sheet = (unsigned)sat_json_get_int(body, "sheet", 0) };

	if (j->file == NULL)
		return sat_fail(e, SAT_EUSAGE, "name the file to import");
	if (delim[0] != '\0' && co.delimiter != '\t' && delim[1] != '\0')
		return sat_fail_code(e, SAT_EUSAGE, "usage.option",
		    "one character, for example ; or \\t",
		    "a delimiter is one character");
	return sat_sheet_open(&j->sheet, j->file, &co, e);
}

static sat_rc
close_errors(import_job *j, const char *path, bool keep, sat_rc rc, sat_err *e)
{
	sat_rc closed = sat_sheet_out_close(j->errors, keep, NULL);

	if (rc != SAT_OK && rc != SAT_EPARTLY)
		return rc;
	if (j->errors_rc != SAT_OK) {
		if (e != NULL)
			*e = j->errors_err;
		return j->errors_rc;
	}
	return closed == SAT_OK ? rc :
	    sat_fail(e, closed, "cannot write %s", path);
}

HANDLER(api_import)
{
	const sat_json *b = req->body;
	const char *errors;
	const sat_sheet_out_opts eo = { .encoding = "utf-8-bom",
		.fd = api->out_fd };
	char hash[SAT_HASH_BYTES * 2 + 1] = "";
	import_job j = { .api = api, .map_dir = "", .hash = hash };
	int64_t start = sat_boot_ms(&api->crm.clock);
	sat_import_summary s = { .rows = 0 };
	sat_rc rc = api_file_named(&errors, req, "errors", e);

	(void)args;
	if (rc == SAT_OK)
		rc = find_both(&j, req, e);
	if (rc == SAT_OK && j.file != NULL)
		rc = hash_file(hash, j.file, e);
	if (rc == SAT_OK)
		rc = open_it(&j, b, e);
	if (rc == SAT_OK && errors != NULL)
		rc = sat_sheet_out_open(&j.errors, errors, &eo, e);
	if (rc == SAT_OK)
		rc = run_import(&s, &j, b, e);
	if (j.errors != NULL)
		rc = close_errors(&j, errors, s.errors > 0, rc, e);
	if (rc == SAT_OK || rc == SAT_EPARTLY) {
		*out = api_doc("import");
		summary_put(*out, &s, s.errors > 0 ? errors : NULL,
		    sat_json_get_bool(b, "dry_run", false),
		    sat_boot_ms(&api->crm.clock) - start);
	}
	sat_sheet_close(j.sheet);
	sat_json_free(j.map);
	return rc;
}

/* ---- preview ------------------------------------------------------------------------ */

#define PREVIEW_ROWS 20
#define PREVIEW_ROWS_MAX 500

static void
on_column(void *u, const char *name, const char *field)
{
	sat_json *row = sat_json_add_obj(u);

	sat_json_put_str(row, "name", name);
	sat_json_put_str(row, "field", field);
}

/* The first rows as they are in the file. */
static sat_rc
put_rows(sat_json *rows, import_job *j, int64_t n, sat_err *e)
{
	const sat_sheet_row *r;
	sat_rc rc = SAT_OK;

	for (; n > 0 && rc == SAT_OK; n--) {
		sat_json *row;

		if ((rc = sat_sheet_next(&r, j->sheet, e)) != SAT_OK ||
		    r == NULL)
			break;
		row = sat_json_add_arr(rows);
		for (size_t i = 0; i < sat_sheet_columns(j->sheet); i++)
			sat_json_add_strn(row, i < r->n ? r->fields[i] :
			    sat_span_of(NULL, 0));
	}
	return rc;
}

typedef struct told { /* what the check says, by sort */
	sat_json *refused, *changes;
} told;

static void
on_told(void *u, const sat_json *line)
{
	told *t = u;
	const char *type = sat_json_get_str(line, "type", "");
	sat_json *to = strcmp(type, "refused") == 0 ? t->refused :
	    strcmp(type, "change") == 0 ? t->changes : NULL, *copy;

	if (to == NULL)
		return;
	copy = sat_json_dup(line);
	sat_json_del(copy, "type");
	sat_json_add(to, copy);
}

/* The first rows as an import would take them; nothing stays. */
static sat_rc
check_rows(sat_json *doc, sat_api *api, import_job *j, const sat_json *body,
    int64_t n, sat_err *e)
{
	told t = { .refused = sat_json_put_arr(doc, "refused") };
	sat_api quiet = *api;
	sat_import_summary s = { .rows = 0 };
	sat_json *x;
	sat_rc rc;

	t.changes = sat_json_put_arr(doc, "changes");
	quiet.event = on_told;
	quiet.u = &t;
	quiet.interrupted = NULL;
	j->api = &quiet;
	j->preview = true;
	j->rows_left = n;
	rc = run_import(&s, j, body, e);
	j->api = api;
	if (rc != SAT_OK && rc != SAT_EPARTLY)
		return rc;
	x = sat_json_put_obj(doc, "checked");
	sat_json_put_int(x, "rows", s.rows);
	sat_json_put_int(x, "created", s.created);
	sat_json_put_int(x, "updated", s.updated);
	sat_json_put_int(x, "unchanged", s.unchanged);
	sat_json_put_int(x, "skipped", s.skipped);
	sat_json_put_int(x, "errors", s.errors);
	sat_json_put_int(x, "incomplete", s.incomplete);
	return SAT_OK;
}

/* A mapping that does not fit is no failure here: who asks wants to see what
 * there is, and what is the matter. */
static void
judge_map(sat_json *doc, sat_api *api, import_job *j, const sat_json *body,
    int64_t n)
{
	sat_json *columns = sat_json_arr();
	sat_import_opts o = opts_of(j, body);
	sat_err why = { 0 };
	sat_rc rc = sat_crm_import_columns(&api->crm, &o, on_column, columns,
	    &why);

	if (rc != SAT_OK) {
		sat_json_free(columns);
		columns = sat_json_arr();
		for (size_t i = 0; i < sat_sheet_columns(j->sheet); i++)
			on_column(columns, sat_sheet_column(j->sheet, i), NULL);
	}
	sat_json_put(doc, "columns", columns);
	if (rc == SAT_OK)
		rc = check_rows(doc, api, j, body, n, &why);
	if (rc == SAT_OK) {
		sat_json_put_null(doc, "problem");
		return;
	}
	why.rc = rc;
	sat_json_put(doc, "problem", sat_api_problem(&why));
}

HANDLER(api_import_preview)
{
	const sat_json *b = req->body;
	int64_t n = sat_json_get_int(b, "rows", PREVIEW_ROWS);
	import_job j = { .api = api, .map_dir = "", .hash = "" };
	sat_json *doc = api_doc("import.preview");
	sat_rc rc = find_both(&j, req, e);

	(void)args;
	n = n < 1 ? 1 : n > PREVIEW_ROWS_MAX ? PREVIEW_ROWS_MAX : n;
	if (rc == SAT_OK && (rc = open_it(&j, b, e)) == SAT_OK) {
		sat_json_put_str(doc, "type", sat_json_get_str(b, "type", NULL));
		sat_json_put_str(doc, "format", sat_sheet_format(j.sheet));
		rc = put_rows(sat_json_put_arr(doc, "rows"), &j, n, e);
		sat_sheet_close(j.sheet); /* again from the begin */
		j.sheet = NULL;
	}
	if (rc == SAT_OK && (rc = open_it(&j, b, e)) == SAT_OK)
		judge_map(doc, api, &j, b, n);
	sat_sheet_close(j.sheet);
	sat_json_free(j.map);
	return api_answer(out, doc, rc);
}
