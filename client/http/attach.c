/*
 * Files of records over HTTP: their content is the body, in both directions.
 *
 *   POST /v1/attachments?record=ID&name=N (a body that is no JSON)
 *   GET  /v1/attachments/{hash}[?record=ID]
 *
 * On its way in it waits sealed in the spool, as any upload; nothing of it is
 * ever run or shown as a page: it is sent as a file to be saved.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/http/daemon_int.h"
#include "common/model/attachment.h"

#define BEGIN "/v1/attachments"
#define WORD_BYTES 300

/* ---- in ----------------------------------------------------------------------------- */

typedef struct incoming {
	daemon_ *d;
	char id[BOOK_ID_TEXT], name[WORD_BYTES], record[WORD_BYTES];
	sat_spool_out *out; /* NULL: rc says why */
	bool big;
	sat_rc rc;
	sat_err e;
} incoming;

static void
on_bytes(void *u, sat_span piece)
{
	incoming *x = u;

	if (x->out == NULL)
		return;
	x->big = x->big || sat_spool_size(x->out) + piece.n >
	    SAT_ATTACHMENT_BYTES_MAX;
	if (!x->big)
		sat_spool_add(x->out, piece);
}

static void
on_name(void *u, const char *name)
{
	incoming *x = u;

	(void)snprintf(x->name, sizeof x->name, "%s", name);
}

/* A form may say the record beside the file. Its words come in pieces. */
static void
on_field(void *u, const char *key, sat_span piece)
{
	incoming *x = u;
	char *to = strcmp(key, "record") == 0 ? x->record :
	    strcmp(key, "name") == 0 ? x->name : NULL;
	size_t n = to != NULL ? strlen(to) : 0;

	if (to != NULL && n + piece.n < WORD_BYTES) {
		memcpy(to + n, piece.p, piece.n);
		to[n + piece.n] = '\0';
	}
}

static void
on_end(void *u)
{
	incoming *x = u;

	if (x->out != NULL) /* the peer left, or it was refused */
		x->rc = sat_spool_close(x->out, false, &x->e);
	free(x);
}

bool
attach_begin(daemon_ *d, sat_http_sink *sink, const sat_http_request *r)
{
	incoming *x;

	if (strcmp(r->method, "POST") != 0 || strcmp(r->path, BEGIN) != 0 ||
	    upload_is_json(r))
		return false;
	x = sat_xcalloc(1, sizeof *x);
	x->d = d;
	book_draw(x->id, d);
	x->rc = book_create(&x->out, d, x->id, "file", &x->e);
	*sink = (sat_http_sink){ .u = x, .take = on_bytes, .named = on_name,
		.field = on_field, .end = on_end };
	return true;
}

/* What it holds, as a file of this process; the spool has it no more. */
static sat_rc
take(int *fd, incoming *x, sat_err *e)
{
	sat_rc rc;

	if (x->out == NULL) {
		*e = x->e;
		return x->rc;
	}
	if (x->big || sat_spool_size(x->out) == 0)
		return sat_fail_code(e, SAT_EINVALID, "attachment.size", NULL,
		    "a file may have 1 to %llu bytes",
		    (unsigned long long)SAT_ATTACHMENT_BYTES_MAX);
	if ((rc = door_allowed(x->d, "POST", BEGIN, e)) != SAT_OK)
		return rc;
	rc = sat_spool_close(x->out, true, e);
	x->out = NULL;
	if (rc == SAT_OK)
		rc = book_unseal(fd, x->d, x->id, "file", e);
	book_drop(x->d, x->id);
	return rc;
}

static void
post(daemon_ *d, sat_http_response *out, incoming *x, const sat_http_request *r)
{
	job *j = job_new(d, "POST", BEGIN);
	sat_json *q = query_of(r);
	const char *record = sat_json_get_str(q, "record", x->record);
	const char *name = sat_json_get_str(q, "name", x->name);
	char path[40];
	sat_err e = { 0 };
	int fd = -1;

	if ((e.rc = take(&fd, x, &e)) == SAT_OK) {
		(void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
		j->query = sat_json_obj();
		j->body = sat_json_obj();
		j->files = true;
		sat_json_put_str(j->body, "record", record);
		sat_json_put_str(j->body, "name", name[0] != '\0' ? name :
		    "file");
		sat_json_put_str(j->body, "file", path);
		door_run(out, j, r);
		(void)close(fd);
	} else {
		put_problem(out, &e);
	}
	sat_json_free(q);
	job_unref(j);
}

/* ---- out ---------------------------------------------------------------------------- */

sat_rc
door_read(sat_buf *b, int fd, sat_err *e)
{
	ssize_t n = 1;

	if (fd < 0 || lseek(fd, 0, SEEK_SET) != 0)
		return sat_fail(e, SAT_EIO, "the content is not there");
	while (n > 0) {
		n = read(fd, sat_buf_room(b, 65536), 65536);
		b->n += n > 0 ? (size_t)n : 0;
	}
	return n == 0 ? SAT_OK : sat_fail(e, SAT_EIO,
	    "the content is not there");
}

/* Who has it already gets it no second time; whether he may have it is asked
 * all the same. true: answered. */
static bool
unchanged(daemon_ *d, sat_http_response *out, const sat_http_request *r)
{
	const char *has = sat_http_header(r, "If-None-Match"), *hash;
	job *j;
	bool same;

	if (has == NULL)
		return false;
	j = job_new(d, "GET", r->path);
	j->query = query_of(r);
	job_run(j);
	hash = sat_json_get_str(sat_json_get(j->out, "data"), "hash", NULL);
	same = j->rc == SAT_OK && hash != NULL && door_same_tag(has, hash);
	if (same) {
		out->status = 304;
		(void)snprintf(out->etag, sizeof out->etag, "\"%.64s\"", hash);
	}
	job_unref(j);
	return same;
}

static void
get(daemon_ *d, sat_http_response *out, const sat_http_request *r,
    sat_json *query)
{
	job *j = job_new(d, "GET", r->path);
	const sat_json *data;
	const char *name;
	sat_err e = { 0 };

	j->query = query;
	j->lang = lang_of(r);
	j->keeps_file = j->files = true;
	sat_json_put_str(j->query, "file", "-");
	job_run(j);
	data = sat_json_get(j->out, "data");
	name = sat_json_get_str(data, "name", "file");
	if (j->rc != SAT_OK)
		put_problem(out, &j->err);
	else if ((e.rc = door_read(&out->body, j->out_fd, &e)) != SAT_OK)
		put_problem(out, &e);
	else {
		out->type = sat_attachment_type(sat_span_str(name));
		(void)snprintf(out->save_as, sizeof out->save_as, "%s", name);
		(void)snprintf(out->etag, sizeof out->etag, "\"%.64s\"",
		    sat_json_get_str(data, "hash", ""));
	}
	if (j->out_fd >= 0)
		(void)close(j->out_fd);
	job_unref(j);
}

bool
attach_route(daemon_ *d, sat_http_response *out, const sat_http_request *r)
{
	sat_json *q;

	if (strcmp(r->method, "POST") == 0 && strcmp(r->path, BEGIN) == 0 &&
	    r->upload != NULL) {
		post(d, out, r->upload, r);
		return true;
	}
	if (strcmp(r->method, "GET") != 0 ||
	    strncmp(r->path, BEGIN "/", sizeof BEGIN) != 0)
		return false;
	q = query_of(r);
	if (sat_json_get(q, "file") != NULL) { /* of this computer: the table's */
		sat_json_free(q);
		return false;
	}
	if (unchanged(d, out, r))
		sat_json_free(q);
	else
		get(d, out, r, q);
	return true;
}
