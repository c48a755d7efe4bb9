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
 *   POST /v1/imports/{id}/undo               what its runs made, taken back
 *   GET and POST /v1/imports/{id}/sample     of what the last one made
 *
 * An id that is no upload's is a batch's: the route table answers. upload_in.c
 * takes the file in.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/http/daemon_int.h"

static void
set_str(sat_json *doc, const char *key, const char *v)
{
	sat_json_del(doc, key);
	sat_json_put_str(doc, key, v);
}

/* ---- running --------------------------------------------------------------------------------- */

/* The body of POST /v1/imports for the file in `fd`. */
static sat_json *
body_for(const sat_json *doc, const sat_json *opts, int fd)
{
	sat_json *b = sat_json_dup(opts);
	char path[40];

	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	sat_json_put_str(b, "file", path);
	sat_json_put_str(b, "title", sat_json_get_str(doc, "file", ""));
	return b;
}

/* Told at once, where the name cannot be one a batch kept. */
static sat_rc
check_mapping(const sat_json *opts, sat_err *e)
{
	const char *name = sat_json_get_str(opts, "mapping", NULL);

	return name == NULL || strchr(name, '/') == NULL ? SAT_OK :
	    sat_fail_code(e, SAT_EUSAGE, "import.map", NULL,
	    "a mapping is an object, or the name under which one was kept");
}

/* docs held. What came of it stays with the upload. */
static sat_rc
note_end(daemon_ *d, const char *id, const char *work_id, job *j, sat_err *e)
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
	} else {
		book_remove(d, id, "errors"); /* of an earlier run */
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
		if (good && sat_json_get_str(j->out, "undo", NULL) != NULL)
			batches_add(doc, sat_json_get_str(j->out, "batch", ""));
		if (j->out != NULL)
			sat_json_set(doc, "result", sat_json_dup(j->out));
		rc = book_put(d, id, "import", doc, e);
	}
	sat_json_free(doc);
	free(path);
	return rc;
}

static sat_rc
finish(daemon_ *d, const char *id, const char *work_id, job *j, sat_err *e)
{
	sat_rc rc;

	pthread_mutex_lock(&d->docs);
	rc = note_end(d, id, work_id, j, e);
	pthread_mutex_unlock(&d->docs);
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
		.batch = batches_note, .lang = lang_of(r) };
	sat_json *body;
	sat_rc rc = body_of(&body, r, e);

	if (rc == SAT_OK && work_at(work_id, d, id))
		rc = sat_fail_code(e, SAT_EBUSY, "job.running",
		    "wait for it: GET /v1/jobs/ID?wait=25",
		    "a job works at this already");
	if (rc == SAT_OK && (rc = upload_options(opts, body, e)) == SAT_OK &&
	    (rc = check_mapping(opts, e)) == SAT_OK &&
	    (rc = door_allowed(d, "POST", o.path, e)) == SAT_OK)
		rc = book_unseal(&o.in_fd, d, id, "file", e);
	if (rc == SAT_OK) {
		o.body = body_for(doc, opts, o.in_fd);
		o.files = true;
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
		j->files = true;
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

/* docs held: what another one changed meanwhile stays changed. */
static sat_rc
change(sat_json **now, daemon_ *d, const char *id, const sat_json *body,
    sat_err *e)
{
	char work_id[BOOK_ID_TEXT];
	sat_json *opts;
	sat_rc rc;

	if (work_at(work_id, d, id))
		return sat_fail_code(e, SAT_EBUSY, "job.running", NULL,
		    "a job works at this already");
	if ((rc = book_get(now, d, id, "import", e)) != SAT_OK)
		return rc;
	opts = sat_json_dup(sat_json_get(*now, "options"));
	if ((rc = upload_options(opts, body, e)) == SAT_OK &&
	    (rc = check_mapping(opts, e)) == SAT_OK) {
		sat_json_set(*now, "options", sat_json_dup(opts));
		rc = book_put(d, id, "import", *now, e);
	}
	sat_json_free(opts);
	return rc;
}

static sat_rc
patch(sat_http_response *out, daemon_ *d, const sat_json *doc,
    const sat_http_request *r, sat_err *e)
{
	sat_json *body, *now = NULL;
	sat_rc rc = body_of(&body, r, e);

	if (rc != SAT_OK)
		return rc;
	pthread_mutex_lock(&d->docs);
	rc = change(&now, d, sat_json_get_str(doc, "id", ""), body, e);
	pthread_mutex_unlock(&d->docs);
	if (rc == SAT_OK)
		put_json(out, now);
	sat_json_free(now);
	sat_json_free(body);
	return rc;
}

static sat_rc
drop(daemon_ *d, const char *id, sat_err *e)
{
	char work_id[BOOK_ID_TEXT];
	sat_rc rc = SAT_OK;

	pthread_mutex_lock(&d->docs);
	if (work_at(work_id, d, id))
		rc = sat_fail_code(e, SAT_EBUSY, "job.running", NULL,
		    "a job works at this already");
	else
		book_drop(d, id);
	pthread_mutex_unlock(&d->docs);
	return rc;
}

/* The sample is its newest batch's; one that was noted and not made has none. */
static void
to_batch(daemon_ *d, sat_http_response *out, const sat_json *doc,
    const char *verb, const sat_http_request *r, const char *scope)
{
	const char *batch = batches_newest(d, doc);
	sat_http_request q = *r;
	char *path;

	if (batch == NULL) {
		batches_none(out);
		return;
	}
	path = sat_xasprintf("/v1/imports/%s/%s", batch, verb);
	q.path = path;
	to_api(d, out, &q, scope);
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
    const sat_http_request *r, const char *scope)
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
		e.rc = patch(out, d, doc, r, &e);
	} else if (verb[0] == '\0' && strcmp(r->method, "DELETE") == 0) {
		if ((e.rc = drop(d, sat_json_get_str(doc, "id", ""), &e)) ==
		    SAT_OK)
			put_json(out, doc);
	} else if (strcmp(verb, "preview") == 0 && (get || post)) {
		preview(d, out, doc, r);
	} else if (strcmp(verb, "run") == 0 && post) {
		if ((e.rc = start(work_id, d, doc, r, &e)) == SAT_OK)
			work_answer(d, out, r, work_id);
	} else if (strcmp(verb, "errors.csv") == 0 && get) {
		send_errors(d, out, doc);
	} else if (strcmp(verb, "undo") == 0 && post) {
		batches_undo(d, out, doc, r, scope);
	} else if (strcmp(verb, "sample") == 0 && (get || post)) {
		to_batch(d, out, doc, verb, r, scope);
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
upload_route(daemon_ *d, sat_http_response *out, const sat_http_request *r,
    const char *scope)
{
	static const char begin[] = "/v1/imports";
	const char *id = r->path + sizeof begin, *slash;
	char text[BOOK_ID_TEXT];
	sat_json *doc;
	bool mine;

	if (strncmp(r->path, begin, sizeof begin - 1) != 0)
		return false;
	if (strcmp(r->method, "POST") == 0 && r->path[sizeof begin - 1] == '\0' &&
	    (r->upload != NULL || (!upload_is_json(r) && is_table(r->body)))) {
		upload_post(d, out, r);
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
	mine = of_upload(d, out, doc, slash != NULL ? slash + 1 : "", r,
	    scope);
	sat_json_free(doc);
	return mine;
}
