/*
 * An export over HTTP: POST /v1/exports answers with a job; what it made waits
 * sealed and is fetched as often as wanted for a day: GET /v1/exports/{id}/file.
 * Whoever names a file of this computer instead has it written there at once.
 *
 * What can be written to a descriptor goes to memory the kernel lends. A book
 * and a database need names: they get them in the file system that lives in
 * memory, in a folder that goes before the job is over, or when the next daemon
 * begins.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/http/daemon_int.h"
#include "common/base/shm.h"

static const struct {
	const char *format, *type;
	bool named; /* it needs a file with a name */
} formats[] = { { "csv", "text/csv; charset=utf-8", false },
	{ "jsonl", "application/x-ndjson", false },
	{ "vcf", "text/vcard; charset=utf-8", false },
	{ "ics", "text/calendar; charset=utf-8", false },
	{ "xlsx", "application/vnd.openxmlformats-officedocument."
	    "spreadsheetml.sheet", true },
	{ "sqlite", "application/vnd.sqlite3", true } };
#define NFORMATS (sizeof formats / sizeof formats[0])

static size_t
format_at(const char *format)
{
	size_t i = 0;

	while (i < NFORMATS && strcmp(formats[i].format, format) != 0)
		i++;
	return i;
}

/* The replica's folder; api.dir says so too, but is the worker's. */
static char *
home_of(const daemon_ *d)
{
	return sat_xasprintf("%.*s", (int)(strrchr(d->spool_dir, '/') -
	    d->spool_dir), d->spool_dir);
}

static sat_rc
make_folder(char **folder, const daemon_ *d, sat_err *e)
{
	char *home = home_of(d);
	sat_rc rc = sat_shm_folder(folder, home, "export", e);

	free(home);
	return rc;
}

/* What a killed daemon left; a command may be reading what it imports. */
void
export_sweep(daemon_ *d)
{
	char *home = home_of(d);

	sat_shm_sweep(home, "export");
	free(home);
}

/* The spool was emptied between reading the records and keeping the file: it may
 * hold whom an erasure took (P-196), so it goes, too. */
static sat_rc
still_known(daemon_ *d, const char *id, sat_err *e)
{
	sat_json *doc;
	sat_rc rc = book_get(&doc, d, id, "job", e);

	sat_json_free(doc);
	if (rc != SAT_ENOTFOUND)
		return rc;
	book_drop(d, id);
	return sat_fail_code(e, SAT_ECONFLICT, "export.emptied",
	    "ask for it again",
	    "a customer was erased while this was exported");
}

/* What it wrote, into the spool. */
static sat_rc
finish(daemon_ *d, const char *subject, const char *id, job *j, sat_err *e)
{
	const char *path = sat_json_get_str(j->body, "file", NULL);
	int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : j->out_fd;
	sat_rc rc;

	(void)subject;
	if (j->rc != SAT_OK) {
		if (path != NULL && fd >= 0)
			(void)close(fd);
		return SAT_OK; /* it failed before */
	}
	rc = fd >= 0 ? book_seal(d, id, "file", fd, e) :
	    sat_fail(e, SAT_EIO, "what was exported is not there");
	if (path != NULL && fd >= 0)
		(void)close(fd);
	if (rc == SAT_OK)
		rc = still_known(d, id, e);
	if (rc == SAT_OK) {
		char *where = sat_xasprintf("/v1/exports/%s/file", id);

		sat_json_del(j->out, "file");
		sat_json_put_str(j->out, "file", where);
		sat_json_put_str(j->out, "format", sat_json_get_str(j->body,
		    "format", "csv"));
		sat_json_put_str(j->out, "type", sat_json_get_str(j->body,
		    "type", ""));
		free(where);
	}
	return rc;
}

/* What is refused before the first row is told at once, not by a job. *out is the
 * answer of a dry run; NULL after a refusal. */
static sat_rc
would_begin(sat_json **out, daemon_ *d, const sat_json *body, sat_err *e)
{
	job *j = job_new(d, "POST", "/v1/exports");
	sat_rc rc;

	j->query = sat_json_obj();
	j->body = sat_json_dup(body);
	sat_json_del(j->body, "dry_run");
	sat_json_put_bool(j->body, "dry_run", true);
	job_run(j);
	if ((rc = j->rc) != SAT_OK)
		*e = j->err;
	*out = j->out;
	j->out = NULL;
	job_unref(j);
	return rc;
}

static sat_rc
format_known(size_t *at, const sat_json *body, sat_err *e)
{
	const char *format = sat_json_get_str(body, "format", "csv");

	*at = format_at(format);
	return *at < NFORMATS ? SAT_OK : sat_fail_code(e, SAT_EUSAGE,
	    "usage.format", "csv, xlsx, jsonl, vcf, ics, sqlite",
	    "there is no format \"%.20s\"", format);
}

/* A dry run makes no file, so it is no job. */
static sat_rc
dry_run(sat_http_response *out, daemon_ *d, const sat_json *body, sat_err *e)
{
	sat_json *answer = NULL;
	size_t i;
	sat_rc rc = format_known(&i, body, e);

	if (rc == SAT_OK)
		rc = would_begin(&answer, d, body, e);
	if (rc == SAT_OK)
		put_json(out, answer);
	sat_json_free(answer);
	return rc;
}

static sat_rc
start(char id[BOOK_ID_TEXT], daemon_ *d, sat_json *body,
    const sat_http_request *r, sat_err *e)
{
	work_order o = { .asked = r, .kind = "export", .method = "POST",
		.path = "/v1/exports", .body = body, .in_fd = -1,
		.finish = finish, .lang = lang_of(r) };
	sat_json *answer = NULL;
	char *path;
	size_t i;
	sat_rc rc = format_known(&i, body, e);

	if (rc == SAT_OK && !work_any(d))
		rc = would_begin(&answer, d, body, e);
	sat_json_free(answer);
	if (rc == SAT_OK && formats[i].named &&
	    (rc = make_folder(&o.folder, d, e)) == SAT_OK) {
		o.files = true;
		path = sat_xasprintf("%s/export.%s", o.folder,
		    formats[i].format);
		sat_json_put_str(body, "file", path);
		free(path);
	}
	if (rc == SAT_OK)
		return work_start(id, d, &o, e);
	sat_json_free(body);
	return rc;
}

static sat_rc
send_file(sat_http_response *out, daemon_ *d, const char *id, sat_err *e)
{
	sat_json *doc;
	const sat_json *result;
	const char *format;
	size_t i;
	sat_rc rc = work_look(&doc, d, id, 0, e);

	if (rc != SAT_OK)
		return rc;
	result = sat_json_get(doc, "result");
	format = sat_json_get_str(result, "format", "");
	i = format_at(format);
	if (strcmp(sat_json_get_str(doc, "kind", ""), "export") != 0)
		rc = sat_fail(e, SAT_ENOTFOUND, "there is no such export");
	else if (strcmp(sat_json_get_str(doc, "state", ""), "done") != 0 ||
	    i == NFORMATS)
		rc = sat_fail_code(e, SAT_ECONFLICT, "export.not_done",
		    "wait for it: GET /v1/jobs/ID?wait=25",
		    "the export made no file, or not yet");
	else if ((rc = book_send(out, d, id, "file", e)) == SAT_OK) {
		out->type = formats[i].type;
		(void)snprintf(out->save_as, sizeof out->save_as, "%.40s.%s",
		    sat_json_get_str(result, "type", "export"), format);
	}
	sat_json_free(doc);
	return rc;
}

bool
export_route(daemon_ *d, sat_http_response *out, const sat_http_request *r)
{
	static const char begin[] = "/v1/exports";
	const char *accept = sat_http_header(r, "Accept");
	const char *id = r->path + sizeof begin, *tail;
	char text[BOOK_ID_TEXT], made[BOOK_ID_TEXT];
	sat_json *body;
	sat_err e = { 0 };

	if (strncmp(r->path, begin, sizeof begin - 1) != 0)
		return false;
	if (strcmp(r->method, "POST") == 0 &&
	    r->path[sizeof begin - 1] == '\0') {
		if (accept != NULL && strcmp(accept, "application/x-ndjson") ==
		    0)
			return false;
		e.rc = body_of(&body, r, &e);
		if (e.rc == SAT_OK)
			drop_null(body, "file");
		if (e.rc == SAT_OK && sat_json_get(body, "file") != NULL) {
			sat_json_free(body);
			return false;
		}
		if (e.rc == SAT_OK &&
		    sat_json_get_bool(body, "dry_run", false)) {
			e.rc = dry_run(out, d, body, &e);
			sat_json_free(body);
		} else if (e.rc == SAT_OK &&
		    (e.rc = start(made, d, body, r, &e)) == SAT_OK) {
			work_answer(d, out, r, made);
		}
		if (e.rc != SAT_OK)
			put_problem(out, &e);
		return true;
	}
	if (strcmp(r->method, "GET") != 0 || r->path[sizeof begin - 1] != '/')
		return false;
	tail = id + strcspn(id, "/");
	(void)snprintf(text, sizeof text, "%.*s", (int)(tail - id), id);
	if ((tail[0] != '\0' && strcmp(tail, "/file") != 0) ||
	    tail - id != BOOK_ID_TEXT - 1)
		return false;
	if (tail[0] == '\0')
		work_answer(d, out, r, text);
	else if ((e.rc = send_file(out, d, text, &e)) != SAT_OK)
		put_problem(out, &e);
	return true;
}
