/*
 * An import over HTTP, step by step: the file is sent, looked at, mapped, run
 * as a job, and taken back. (The command line names a file of this computer
 * instead, and does all of it in one request.)
 *
 *   POST /v1/imports (a body that is no JSON)    the file -> id
 *   GET, PATCH, DELETE /v1/imports/{id}          what is known; mapping, options
 *   GET  /v1/imports/{id}/preview                columns, first rows, a check
 *   POST /v1/imports/{id}/run                    -> job
 *   GET  /v1/imports/{id}/errors.csv             what was refused, and why
 *   POST /v1/imports/{id}/undo, GET and POST /sample  of the batch it made
 *
 * An id that is no upload's is a batch's: the route table answers.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/http/daemon_int.h"
#include "common/base/log.h"

#define UPLOADS_MAX 16
#define FIELDS_BYTES_MAX (256 * 1024)
#define NAME_BYTES 200

/* ---- options ------------------------------------------------------------------------- */

/* What a person may say of a file; as members of api_import's body. */
static const struct {
	const char *key;
	sat_jtype type;
} options[] = { { "type", SAT_J_STR }, { "encoding", SAT_J_STR },
	{ "delimiter", SAT_J_STR }, { "sheet", SAT_J_INT },
	{ "header", SAT_J_INT }, { "on_duplicate", SAT_J_STR },
	{ "incomplete", SAT_J_STR }, { "max_errors", SAT_J_INT },
	{ "source", SAT_J_STR }, { "save_map", SAT_J_STR },
	{ "dry_run", SAT_J_BOOL }, { "mapping", SAT_J_OBJ } };

static sat_rc
wrong_option(const char *key, sat_err *e)
{
	return sat_fail_code(e, SAT_EUSAGE, "usage.option",
	    "type, mapping, encoding, delimiter, sheet, header, on_duplicate, "
	    "incomplete, max_errors, source, save_map, dry_run",
	    "%.40s is no option of an import, or not of this type", key);
}

/* A text of a query or a form is read as what the option is. */
static sat_rc
put_typed(sat_json *to, const char *key, sat_jtype type, const sat_json *v,
    sat_err *e)
{
	const char *text = sat_json_str(v, NULL);
	sat_json *obj;
	char *end;
	long long n;

	if (sat_json_type(v) == type ||
	    (strcmp(key, "mapping") == 0 && text != NULL && text[0] != '{')) {
		sat_json_set(to, key, sat_json_dup(v));
		return SAT_OK;
	}
	if (text == NULL)
		return wrong_option(key, e);
	if (type == SAT_J_OBJ) {
		if (sat_json_parse(&obj, sat_span_str(text), 0, e) != SAT_OK)
			return wrong_option(key, e);
		sat_json_set(to, key, obj);
		return SAT_OK;
	}
	sat_json_del(to, key);
	if (type == SAT_J_BOOL) {
		sat_json_put_bool(to, key, strcmp(text, "1") == 0 ||
		    strcmp(text, "true") == 0);
		return SAT_OK;
	}
	n = strtoll(text, &end, 10);
	if (end == text || *end != '\0')
		return wrong_option(key, e);
	sat_json_put_int(to, key, n);
	return SAT_OK;
}

/* Members of `from` into `to`; null takes one away. */
static sat_rc
merge_options(sat_json *to, const sat_json *from, sat_err *e)
{
	size_t n = sizeof options / sizeof options[0], i;
	sat_rc rc = SAT_OK;

	for (const sat_json *m = sat_json_first(from); m != NULL &&
	     rc == SAT_OK; m = sat_json_next(m)) {
		const char *key = sat_json_key(m);

		for (i = 0; i < n && strcmp(options[i].key, key) != 0; i++)
			;
		if (i == n)
			rc = wrong_option(key, e);
		else if (sat_json_type(m) == SAT_J_NULL)
			sat_json_del(to, key);
		else
			rc = put_typed(to, key, options[i].type, m, e);
	}
	return rc;
}

/* ---- receiving -------------------------------------------------------------------------- */

typedef struct upload {
	daemon_ *d;
	char id[BOOK_ID_TEXT], name[NAME_BYTES];
	sat_spool_out *out; /* NULL: rc says why */
	sat_rc rc;
	sat_err e;
	sat_json *said;     /* options of a form */
	sat_buf field;
	char key[40];
	size_t said_bytes;
} upload;

static void
on_bytes(void *u, sat_span piece)
{
	upload *x = u;

	if (x->out != NULL)
		sat_spool_add(x->out, piece);
}

/* Without folders: they tell of the machine, not of the data. */
static void
on_name(void *u, const char *name)
{
	upload *x = u;
	const char *slash = strrchr(name, '/'), *back = strrchr(name, '\\');

	if (slash != NULL)
		name = slash + 1;
	if (back != NULL && back >= name)
		name = back + 1;
	(void)snprintf(x->name, sizeof x->name, "%s", name);
}

static void
end_field(upload *x)
{
	if (x->key[0] != '\0' && x->said_bytes <= FIELDS_BYTES_MAX)
		sat_json_put_strn(x->said, x->key, sat_buf_span(&x->field));
	x->key[0] = '\0';
	sat_buf_reset(&x->field);
}

static void
on_field(void *u, const char *key, sat_span piece)
{
	upload *x = u;

	if (strcmp(key, x->key) != 0)
		end_field(x);
	(void)snprintf(x->key, sizeof x->key, "%s", key);
	x->said_bytes += piece.n;
	if (x->said_bytes <= FIELDS_BYTES_MAX)
		sat_buf_add(&x->field, piece.p, piece.n);
}

static void
upload_free(void *u)
{
	upload *x = u;

	if (x->out != NULL) /* the peer left, or it was refused */
		x->rc = sat_spool_close(x->out, false, &x->e);
	sat_json_free(x->said);
	sat_buf_fini(&x->field);
	free(x);
}

static upload *
upload_new(daemon_ *d)
{
	upload *x = sat_xcalloc(1, sizeof *x);

	x->d = d;
	x->said = sat_json_obj();
	(void)snprintf(x->name, sizeof x->name, "upload");
	book_draw(x->id, d);
	x->rc = book_create(&x->out, d, x->id, "file", &x->e);
	return x;
}

static bool
is_json(const sat_http_request *r)
{
	const char *type = sat_http_header(r, "Content-Type");

	return type != NULL && strncmp(type, "application/json", 16) == 0;
}

/* A table, by what its sender calls it. Of a small body without a name for it
 * the first character decides, when it is here. */
bool
upload_begin(daemon_ *d, sat_http_sink *sink, const sat_http_request *r)
{
	const char *type = sat_http_header(r, "Content-Type");
	const char *length = sat_http_header(r, "Content-Length");

	if (strcmp(r->method, "POST") != 0 ||
	    strcmp(r->path, "/v1/imports") != 0 || is_json(r))
		return false;
	if ((type == NULL || strncmp(type, "application/x-www-form-urlencoded",
	    33) == 0) && length != NULL &&
	    strtoull(length, NULL, 10) <= SAT_HTTP_BODY_MAX)
		return false;
	*sink = (sat_http_sink){ .u = upload_new(d), .take = on_bytes,
		.named = on_name, .field = on_field, .end = upload_free };
	return true;
}

/* ---- what is known of one ------------------------------------------------------------------ */

static void
put_now(sat_json *doc, const daemon_ *d, const char *key)
{
	sat_json_put_time(doc, key, sat_wall_ms(&d->api.crm.clock));
}

static void
set_str(sat_json *doc, const char *key, const char *v)
{
	sat_json_del(doc, key);
	sat_json_put_str(doc, key, v);
}

static void
count_one(void *u, const char *id, const sat_json *doc)
{
	(void)id;
	(void)doc;
	++*(size_t *)u;
}

/* Options of the query: all members but the file's name. */
static sat_rc
read_options(sat_json *to, upload *x, const sat_http_request *r, sat_err *e)
{
	sat_json *q = query_of(r);
	const char *name = sat_json_get_str(q, "file", NULL);
	sat_rc rc;

	if (name != NULL)
		on_name(x, name);
	sat_json_del(q, "file");
	sat_json_del(x->said, "file");
	end_field(x);
	if ((rc = merge_options(to, q, e)) == SAT_OK)
		rc = merge_options(to, x->said, e);
	sat_json_free(q);
	return rc;
}

/* *doc: what the answer says. What fails leaves no file. */
static sat_rc
receive(sat_json **doc, upload *x, const sat_http_request *r, sat_err *e)
{
	daemon_ *d = x->d;
	uint64_t bytes;
	size_t there = 0;
	sat_rc rc;

	*doc = NULL;
	if (x->out == NULL) {
		*e = x->e;
		return x->rc;
	}
	if ((rc = door_allowed(d, "POST", "/v1/imports", e)) != SAT_OK)
		return rc;
	book_purge(d);
	book_each(d, "import", count_one, &there);
	if (there >= UPLOADS_MAX)
		return sat_fail_code(e, SAT_EBUSY, "import.many",
		    "take one away: DELETE /v1/imports/ID",
		    "%d files wait already", UPLOADS_MAX);
	if ((bytes = sat_spool_size(x->out)) == 0)
		return sat_fail_code(e, SAT_EINVALID, "import.empty", NULL,
		    "the file is empty");
	*doc = sat_json_obj();
	sat_json_put_str(*doc, "schema", "satchel/import.upload/1");
	if ((rc = read_options(sat_json_put_obj(*doc, "options"), x, r, e)) !=
	    SAT_OK)
		return rc;
	rc = sat_spool_close(x->out, true, e);
	x->out = NULL;
	sat_json_put_str(*doc, "id", x->id);
	sat_json_put_str(*doc, "file", x->name);
	sat_json_put_int(*doc, "bytes", (int64_t)bytes);
	put_now(*doc, d, "created_at");
	sat_json_put_str(*doc, "state", "uploaded");
	sat_json_put_null(*doc, "job");
	sat_json_put_null(*doc, "batch");
	sat_json_put_null(*doc, "result");
	if (rc == SAT_OK && (rc = book_put(d, x->id, "import", *doc, e)) !=
	    SAT_OK)
		book_drop(d, x->id);
	return rc;
}

static void
post_file(daemon_ *d, sat_http_response *out, const sat_http_request *r)
{
	upload *own = NULL, *x = r->upload;
	sat_json *doc;
	sat_err e = { 0 };

	if (x == NULL) { /* it was short enough for memory */
		x = own = upload_new(d);
		on_bytes(x, r->body);
	}
	if ((e.rc = receive(&doc, x, r, &e)) == SAT_OK) {
		out->status = 201;
		(void)snprintf(out->location, sizeof out->location,
		    "/v1/imports/%s", x->id);
		put_json(out, doc);
	} else {
		put_problem(out, &e);
	}
	sat_json_free(doc);
	if (own != NULL)
		upload_free(own);
}

/* ---- running --------------------------------------------------------------------------------- */

/* The body of POST /v1/imports for the file in `fd`. */
static sat_json *
body_for(const sat_json *doc, const sat_json *opts, int fd)
{
	sat_json *b = sat_json_dup(opts);
	const sat_json *map = sat_json_get(b, "mapping");
	char path[40];

	if (map != NULL) {
		sat_json_set(b, "map", sat_json_dup(map));
		sat_json_del(b, "mapping");
	}
	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	sat_json_put_str(b, "file", path);
	sat_json_put_str(b, "title", sat_json_get_str(doc, "file", ""));
	return b;
}

/* A mapping by name is one a batch kept: no file of this computer. */
static sat_rc
check_mapping(const sat_json *opts, sat_err *e)
{
	const char *name = sat_json_get_str(opts, "mapping", NULL);

	return name == NULL || strchr(name, '/') == NULL ? SAT_OK :
	    sat_fail_code(e, SAT_EUSAGE, "import.map", NULL,
	    "a mapping is an object, or the name under which one was kept");
}

/* What came of it stays with the upload. */
static sat_rc
finish(daemon_ *d, const char *id, const char *work_id, job *j, sat_err *e)
{
	bool good = j->rc == SAT_OK || j->rc == SAT_EPARTLY;
	bool dry = sat_json_get_bool(j->out, "dry_run", false);
	char *path = sat_xasprintf("/v1/imports/%s/errors.csv", id);
	sat_json *doc = NULL;
	sat_rc rc = SAT_OK;

	if (good && sat_json_get_int(j->out, "errors", 0) > 0 &&
	    j->out_fd >= 0) {
		rc = book_seal(d, id, "errors", j->out_fd, e);
		set_str(j->out, "errors_file", path);
	}
	if (rc == SAT_OK && (rc = book_get(&doc, d, id, "import", e)) ==
	    SAT_ENOTFOUND) { /* emptied meanwhile: an erasure (P-196) */
		book_drop(d, id);
		free(path);
		return SAT_OK; /* what was imported is imported */
	}
	if (rc == SAT_OK) {
		set_str(doc, "state", !good ? "failed" : dry ? "uploaded" :
		    j->rc == SAT_OK ? "imported" : "partly");
		set_str(doc, "job", work_id);
		if (good && !dry)
			set_str(doc, "batch", sat_json_type(sat_json_get(j->out,
			    "undo")) == SAT_J_STR ? sat_json_get_str(j->out,
			    "batch", NULL) : NULL);
		if (j->out != NULL)
			sat_json_set(doc, "result", sat_json_dup(j->out));
		rc = book_put(d, id, "import", doc, e);
	}
	sat_json_free(doc);
	free(path);
	return rc;
}

static sat_rc
start(char work_id[BOOK_ID_TEXT], daemon_ *d, sat_json *doc,
    const sat_http_request *r, sat_err *e)
{
	const char *id = sat_json_get_str(doc, "id", "");
	sat_json *opts = sat_json_dup(sat_json_get(doc, "options"));
	work_order o = { .asked = r, .kind = "import", .subject = id, .method = "POST",
		.path = "/v1/imports", .in_fd = -1, .finish = finish,
		.lang = lang_of(r) };
	sat_json *body;
	sat_rc rc = body_of(&body, r, e);

	if (rc == SAT_OK && work_at(work_id, d, id))
		rc = sat_fail_code(e, SAT_EBUSY, "job.running",
		    "wait for it: GET /v1/jobs/ID?wait=25",
		    "a job works at this already");
	if (rc == SAT_OK && (rc = merge_options(opts, body, e)) == SAT_OK &&
	    (rc = check_mapping(opts, e)) == SAT_OK &&
	    (rc = door_allowed(d, "POST", o.path, e)) == SAT_OK)
		rc = book_unseal(&o.in_fd, d, id, "file", e);
	if (rc == SAT_OK) {
		o.body = body_for(doc, opts, o.in_fd);
		sat_json_put_str(o.body, "errors", "-");
		rc = work_start(work_id, d, &o, e);
	}
	sat_json_free(opts);
	sat_json_free(body);
	return rc;
}

static void
preview(daemon_ *d, sat_http_response *out, const sat_json *doc,
    const sat_http_request *r)
{
	const sat_json *opts = sat_json_get(doc, "options");
	job *j = job_new(d, "POST", "/v1/imports/preview");
	sat_json *q = query_of(r);
	sat_err e = { 0 };
	int fd = -1;

	e.rc = check_mapping(opts, &e);
	if (e.rc == SAT_OK)
		e.rc = book_unseal(&fd, d, sat_json_get_str(doc, "id", ""),
		    "file", &e);
	if (e.rc == SAT_OK) {
		j->query = sat_json_obj();
		j->lang = lang_of(r);
		j->body = body_for(doc, opts, fd);
		sat_json_put_int(j->body, "rows", strtol(sat_json_get_str(q,
		    "rows", "20"), NULL, 10));
		door_run(out, j, r);
		(void)close(fd);
	} else {
		put_problem(out, &e);
	}
	sat_json_free(q);
	job_unref(j);
}

/* ---- routes ----------------------------------------------------------------------------------- */

static sat_rc
patch(daemon_ *d, sat_json *doc, const sat_http_request *r, sat_err *e)
{
	const char *id = sat_json_get_str(doc, "id", "");
	char work_id[BOOK_ID_TEXT];
	sat_json *body, *opts;
	sat_rc rc = body_of(&body, r, e);

	if (rc != SAT_OK)
		return rc;
	opts = sat_json_dup(sat_json_get(doc, "options"));
	if (work_at(work_id, d, id))
		rc = sat_fail_code(e, SAT_EBUSY, "job.running", NULL,
		    "a job works at this already");
	else if ((rc = merge_options(opts, body, e)) == SAT_OK &&
	    (rc = check_mapping(opts, e)) == SAT_OK) {
		sat_json_set(doc, "options", sat_json_dup(opts));
		rc = book_put(d, id, "import", doc, e);
	}
	sat_json_free(opts);
	sat_json_free(body);
	return rc;
}

/* undo and sample are its batch's. */
static void
to_batch(daemon_ *d, sat_http_response *out, const sat_json *doc,
    const char *verb, const sat_http_request *r)
{
	const char *batch = sat_json_get_str(doc, "batch", NULL);
	sat_http_request q = *r;
	sat_err e = { 0 };
	char *path;

	if (batch == NULL) {
		e.rc = sat_fail_code(&e, SAT_ECONFLICT, "import.not_run",
		    "POST /v1/imports/ID/run",
		    "this file has not been imported");
		put_problem(out, &e);
		return;
	}
	path = sat_xasprintf("/v1/imports/%s/%s", batch, verb);
	q.path = path;
	to_api(d, out, &q, "");
	free(path);
}

static void
send_errors(daemon_ *d, sat_http_response *out, const sat_json *doc)
{
	sat_err e = { 0 };

	e.rc = book_send(out, d, sat_json_get_str(doc, "id", ""), "errors", &e);
	if (e.rc == SAT_ENOTFOUND)
		e.rc = sat_fail(&e, SAT_ENOTFOUND,
		    "no row of this file was refused, or it was not run");
	if (e.rc != SAT_OK) {
		put_problem(out, &e);
		return;
	}
	out->type = "text/csv; charset=utf-8";
	(void)snprintf(out->save_as, sizeof out->save_as, "errors.csv");
}

/* One that is there; `verb` is what stands behind its id, or "". */
static bool
of_upload(daemon_ *d, sat_http_response *out, sat_json *doc, const char *verb,
    const sat_http_request *r)
{
	bool get = strcmp(r->method, "GET") == 0;
	bool post = strcmp(r->method, "POST") == 0;
	char work_id[BOOK_ID_TEXT];
	sat_err e = { 0 };

	if (verb[0] == '\0' && get) {
		if (work_at(work_id, d, sat_json_get_str(doc, "id", ""))) {
			set_str(doc, "state", "running");
			set_str(doc, "job", work_id);
		}
		put_json(out, doc);
	} else if (verb[0] == '\0' && strcmp(r->method, "PATCH") == 0) {
		if ((e.rc = patch(d, doc, r, &e)) == SAT_OK)
			put_json(out, doc);
	} else if (verb[0] == '\0' && strcmp(r->method, "DELETE") == 0) {
		if (work_at(work_id, d, sat_json_get_str(doc, "id", "")))
			e.rc = sat_fail_code(&e, SAT_EBUSY, "job.running",
			    NULL, "a job works at this already");
		else
			book_drop(d, sat_json_get_str(doc, "id", ""));
		if (e.rc == SAT_OK)
			put_json(out, doc);
	} else if (strcmp(verb, "preview") == 0 && (get || post)) {
		preview(d, out, doc, r);
	} else if (strcmp(verb, "run") == 0 && post) {
		if ((e.rc = start(work_id, d, doc, r, &e)) == SAT_OK)
			work_answer(d, out, r, work_id);
	} else if (strcmp(verb, "errors.csv") == 0 && get) {
		send_errors(d, out, doc);
	} else if ((strcmp(verb, "undo") == 0 && post) ||
	    (strcmp(verb, "sample") == 0 && (get || post))) {
		to_batch(d, out, doc, verb, r);
	} else {
		return false;
	}
	if (e.rc != SAT_OK)
		put_problem(out, &e);
	return true;
}

static bool
is_table(sat_span body)
{
	size_t i = 0;

	while (i < body.n && strchr(" \t\r\n", body.p[i]) != NULL &&
	       body.p[i] != '\0')
		i++;
	return i < body.n && body.p[i] != '{';
}

bool
upload_route(daemon_ *d, sat_http_response *out, const sat_http_request *r)
{
	static const char begin[] = "/v1/imports";
	const char *id = r->path + sizeof begin, *slash;
	char text[BOOK_ID_TEXT];
	sat_json *doc;
	bool mine;

	if (strncmp(r->path, begin, sizeof begin - 1) != 0)
		return false;
	if (strcmp(r->method, "POST") == 0 && r->path[sizeof begin - 1] == '\0' &&
	    (r->upload != NULL || (!is_json(r) && is_table(r->body)))) {
		post_file(d, out, r);
		return true;
	}
	if (r->path[sizeof begin - 1] != '/')
		return false;
	slash = strchr(id, '/');
	if ((slash != NULL ? (size_t)(slash - id) : strlen(id)) !=
	    BOOK_ID_TEXT - 1)
		return false;
	(void)snprintf(text, sizeof text, "%s", id);
	if (!book_is_id(text) || book_get(&doc, d, text, "import", NULL) !=
	    SAT_OK)
		return false;
	mine = of_upload(d, out, doc, slash != NULL ? slash + 1 : "", r);
	sat_json_free(doc);
	return mine;
}
