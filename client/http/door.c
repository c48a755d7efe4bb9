/*
 * HTTP to the route table and back (interfaces design §2.2). What a browser or
 * a tool sees: JSON, problem+json, ETag; what our own command line asks for
 * (Accept: application/x-ndjson): lines, so that long work can tell its
 * progress and an answer can come together with a problem.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/http/daemon_int.h"
#include "common/base/log.h"

#define TAG_BYTES 8 /* of the hash of what is answered, behind a version */

void
put_json(sat_http_response *out, const sat_json *doc)
{
	sat_json_write(&out->body, doc, false);
	sat_buf_str(&out->body, "\n");
}

/* Every problem has a name of its own, by which the log knows it. */
static void
name_problem(sat_json *p, const sat_err *e)
{
	uint8_t raw[8];
	char id[2 * sizeof raw + 1];

	if (sat_json_get(p, "request_id") != NULL)
		return;
	sat_random(raw, sizeof raw);
	sat_hex(id, raw, sizeof raw);
	sat_json_put_str(p, "request_id", id);
	sat_log(SAT_INFO, "HTTP-PROBLEM", "request=%s code=%s rc=%d", id,
	    e->code[0] != '\0' ? e->code : sat_rc_slug(e->rc), (int)e->rc);
}

static void
send_problem(sat_http_response *out, const sat_err *e, sat_json *p)
{
	name_problem(p, e);
	if (sat_json_get(p, "instance") == NULL && out->asked != NULL)
		sat_json_put_str(p, "instance", out->asked);
	out->status = sat_rc_http(e->rc);
	out->type = "application/problem+json";
	put_json(out, p);
	sat_json_free(p);
}

void
put_problem(sat_http_response *out, const sat_err *e)
{
	send_problem(out, e, sat_api_problem(e));
}

/* ---- the request ---------------------------------------------------------------- */

#define LISTS_MAX 8
typedef struct members {
	sat_json *obj;
	struct {
		char name[80];
		sat_json *list;
	} lists[LISTS_MAX];
	size_t n;
} members;

/* A name that ends in [] makes a list, also of one. */
static void
on_query(void *u, const char *key, const char *value)
{
	members *q = u;
	size_t n = strlen(key), i;
	char name[80];

	if (n < 3 || n >= sizeof name || strcmp(key + n - 2, "[]") != 0) {
		if (sat_json_get(q->obj, key) == NULL)
			sat_json_put_str(q->obj, key, value);
		return;
	}
	(void)snprintf(name, sizeof name, "%.*s", (int)n - 2, key);
	for (i = 0; i < q->n && strcmp(q->lists[i].name, name) != 0; i++)
		;
	if (i == LISTS_MAX || (i == q->n && sat_json_get(q->obj, name) != NULL))
		return;
	if (i == q->n) {
		memcpy(q->lists[q->n].name, name, sizeof name);
		q->lists[q->n++].list = sat_json_put_arr(q->obj, name);
	}
	sat_json_add_str(q->lists[i].list, value);
}

sat_json *
query_of(const sat_http_request *r)
{
	members q = { .obj = sat_json_obj() };

	sat_http_query(r, on_query, &q);
	return q.obj;
}

static char *
header_copy(const sat_http_request *r, const char *name)
{
	const char *v = sat_http_header(r, name);

	return v != NULL ? sat_xstrdup(v) : NULL;
}

/* "v12-..." with its quotes and the content's hash taken off, as the handlers know
 * it. A weak tag, or what is none, is nobody's version: it must not be taken for no
 * condition. */
static void
put_if_match(sat_json *query, const char *etag)
{
	size_t n = etag != NULL ? strlen(etag) : 0;
	char v[64], *hash;
	int dashes = 0; /* of the version are two */

	if (etag == NULL || strcmp(etag, "*") == 0)
		return;
	if (n >= 3 && n - 2 < sizeof v && etag[0] == '"' &&
	    etag[n - 1] == '"')
		(void)snprintf(v, sizeof v, "%.*s", (int)n - 2, etag + 1);
	else
		(void)snprintf(v, sizeof v, "%.60s", etag);
	for (hash = v; hash != NULL && dashes < 3; dashes++)
		hash = strchr(hash + (dashes > 0), '-');
	if (hash != NULL && strlen(hash) == 1 + 2 * TAG_BYTES)
		*hash = '\0';
	if (sat_json_get(query, "if_version") == NULL)
		sat_json_put_str(query, "if_version", v);
}

const char *
lang_of(const sat_http_request *r)
{
	const char *lang = sat_http_header(r, "Accept-Language");

	return lang == NULL ? NULL : strncmp(lang, "zh", 2) == 0 ? "zh" : "en";
}

sat_rc
body_of(sat_json **body, const sat_http_request *r, sat_err *e)
{
	*body = NULL;
	if (r->body.n == 0) {
		*body = sat_json_obj();
		return SAT_OK;
	}
	if (sat_json_parse(body, r->body, SAT_HTTP_BODY_MAX, e) == SAT_OK &&
	    sat_json_type(*body) == SAT_J_OBJ)
		return SAT_OK;
	sat_json_free(*body);
	*body = NULL;
	return sat_fail_code(e, SAT_EUSAGE, "usage.body", NULL,
	    "the body is no JSON object");
}

void
drop_null(sat_json *obj, const char *member)
{
	const sat_json *m = sat_json_get(obj, member);

	if (m != NULL && sat_json_type(m) == SAT_J_NULL)
		sat_json_del(obj, member);
}

typedef struct asking_right {
	daemon_ *d;
	const char *method, *path;
	sat_err e;
	sat_rc rc;
} asking_right;

static void
ask_right(void *arg)
{
	asking_right *x = arg;

	x->rc = sat_api_allowed(&x->d->api, x->method, x->path, &x->e);
}

sat_rc
door_allowed(daemon_ *d, const char *method, const char *path, sat_err *e)
{
	asking_right x = { .d = d, .method = method, .path = path };

	if (work_any(d))
		return SAT_OK;
	if (!worker_call(d->w, ask_right, &x))
		return sat_fail(e, SAT_EUNREACHABLE, "the daemon is ending");
	if (x.rc != SAT_OK)
		*e = x.e;
	return x.rc;
}

static sat_rc
fill_job(job *j, const sat_http_request *r, sat_err *e)
{
	j->query = query_of(r);
	put_if_match(j->query, sat_http_header(r, "If-Match"));
	if (sat_http_header(r, "Idempotency-Key") != NULL &&
	    sat_json_get(j->query, "request_id") == NULL)
		sat_json_put_str(j->query, "request_id",
		    sat_http_header(r, "Idempotency-Key"));
	j->lang = lang_of(r);
	j->files = !r->tcp;
	j->cwd = r->tcp ? NULL : header_copy(r, "Satchel-Cwd");
	j->name = header_copy(r, "Satchel-Job");
	if (r->body.n == 0)
		return SAT_OK;
	return sat_json_parse(&j->body, r->body, SAT_HTTP_BODY_MAX, e);
}

/* ---- answers --------------------------------------------------------------------- */

/* The problem of this request: which one it was, and what it met. */
static void
put_refusal(sat_http_response *out, const job *j, bool conditional)
{
	const sat_json *found = sat_json_get(j->out, "candidates");
	bool stale = conditional && j->rc == SAT_ECONFLICT &&
	    strcmp(j->err.code, "version") == 0;
	bool other = strcmp(j->err.code, SAT_API_NO_METHOD) == 0;
	int status = stale ? 412 : other ? 405 : 0;
	const char *once = sat_json_get_str(j->query, "request_id", NULL);
	sat_err e = j->err;
	sat_json *p;

	if (stale)
		(void)snprintf(e.code, sizeof e.code, "precondition");
	p = sat_api_problem(&e);
	sat_json_put_str(p, "instance", j->path);
	if (once != NULL)
		sat_json_put_str(p, "request_id", once);
	if (found != NULL)
		sat_json_put(p, "candidates", sat_json_dup(found));
	if (status != 0) {
		sat_json_del(p, "status");
		sat_json_put_int(p, "status", status);
	}
	if (j->lang != NULL && j->lang[0] == 'z') {
		sat_json_del(p, "title");
		sat_json_put_str(p, "title", sat_rc_title(e.rc, true));
	}
	send_problem(out, &e, p);
	if (status != 0)
		out->status = status;
	if (other)
		(void)snprintf(out->allow, sizeof out->allow, "%.60s",
		    e.hint);
}

bool
door_same_tag(const char *header, const char *v)
{
	size_t n = strlen(v);

	return header != NULL && (strcmp(header, "*") == 0 ||
	    (strlen(header) == n + 2 && header[0] == '"' &&
	    memcmp(header + 1, v, n) == 0 && header[n + 1] == '"'));
}

/*
 * What was read of a record is named by its version and a hash of all that was
 * said beside it: what lies under it, its conflicts, labels. A write names the
 * version alone; a definition its own tag. Who has what he asks for is told that.
 */
static void
put_tag(sat_http_response *out, const job *j, const sat_http_request *r)
{
	const char *v = sat_json_get_str(sat_json_get(j->out, "data"),
	    "version", NULL), *own = sat_json_get_str(j->out, "etag", NULL);
	bool get = strcmp(r->method, "GET") == 0;
	uint8_t hash[SAT_HASH_BYTES];
	char hex[2 * TAG_BYTES + 1], tag[sizeof out->etag - 2];

	if (v == NULL && own == NULL)
		return;
	sat_hash(hash, sat_buf_span(&out->body));
	sat_hex(hex, hash, TAG_BYTES);
	if (v != NULL && get)
		(void)snprintf(tag, sizeof tag, "%s-%s", v, hex);
	else
		(void)snprintf(tag, sizeof tag, "%s", v != NULL ? v : own);
	(void)snprintf(out->etag, sizeof out->etag, "\"%s\"", tag);
	if (!get || !door_same_tag(sat_http_header(r, "If-None-Match"), tag))
		return;
	out->status = 304;
	sat_buf_reset(&out->body);
}

static void
put_answer(sat_http_response *out, const job *j, const sat_http_request *r)
{
	const char *text = sat_json_get_str(j->out, "text", NULL);

	if (j->rc != SAT_OK && j->rc != SAT_EPARTLY && j->rc != SAT_EFALSE) {
		put_refusal(out, j, sat_http_header(r, "If-Match") != NULL);
		return;
	}
	out->status = j->made ? 201 : sat_rc_http(j->rc);
	memcpy(out->location, j->where, sizeof out->location);
	if (strcmp(j->path, "/metrics") == 0)
		out->type = "text/plain; version=0.0.4; charset=utf-8";
	else if (strcmp(j->path, "/v1/calendar.ics") == 0)
		out->type = "text/calendar; charset=utf-8";
	else
		text = NULL;
	if (text != NULL) {
		sat_buf_str(&out->body, text);
		return;
	}
	if (j->out != NULL)
		put_json(out, j->out);
	put_tag(out, j, r);
}

void
door_run(sat_http_response *out, job *j, const sat_http_request *r)
{
	job_run(j);
	put_answer(out, j, r);
}

void
to_api(daemon_ *d, sat_http_response *out, const sat_http_request *r,
    const char *scope)
{
	const char *accept = sat_http_header(r, "Accept");
	job *j = job_new(d, r->method, r->path);
	sat_err e = { 0 };
	sat_rc rc = fill_job(j, r, &e);

	j->scope = scope[0] != '\0' ? sat_xstrdup(scope) : NULL;
	j->parts = sat_http_header(r, "Satchel-Parts") != NULL;
	if (rc != SAT_OK) {
		e.rc = SAT_EUSAGE; /* what was sent is not JSON */
		put_problem(out, &e);
	} else if (accept != NULL &&
	    strcmp(accept, "application/x-ndjson") == 0) {
		job_stream(j, out);
	} else {
		door_run(out, j, r);
	}
	job_unref(j);
}

/* ---- the door's own routes ----------------------------------------------------------- */

static void
done(sat_http_response *out, sat_rc rc, const sat_err *e)
{
	if (rc != SAT_OK)
		put_problem(out, e);
	else
		sat_buf_str(&out->body,
		    "{\"schema\":\"satchel/session/1\",\"result\":\"ok\"}\n");
}

/* unlock, passphrase: a secret in the body. */
static void
to_secret(daemon_ *d, sat_http_response *out, const sat_http_request *r,
    sat_rc (*use)(daemon_ *d, sat_span passphrase, sat_err *e))
{
	sat_json *body = NULL;
	sat_err e = { 0 };
	const char *phrase;
	sat_rc rc = sat_json_parse(&body, r->body, SAT_HTTP_BODY_MAX, &e);

	phrase = sat_json_get_str(body, "passphrase", NULL);
	if (rc == SAT_OK && phrase == NULL)
		rc = sat_fail(&e, SAT_EUSAGE, "no passphrase was sent");
	if (rc == SAT_OK)
		rc = use(d, sat_span_str(phrase), &e);
	e.rc = rc;
	done(out, rc, &e);
	sat_json_free(body);
}

/* ---- through the port: who is it? ------------------------------------------------------ */

typedef struct asking_in {
	daemon_ *d;
	const sat_http_request *r;
	const char *authorization;
	char *scope; /* SAT_API_SCOPE_TEXT */
	sat_err e;
	sat_rc rc;
} asking_in;

static void
ask_in(void *arg)
{
	asking_in *x = arg;

	x->rc = sat_api_token_may(x->scope, &x->d->api, x->authorization,
	    x->r->method, x->r->path, &x->e);
}

/* A calendar program subscribes to an address and sends no headers. */
static void
on_token(void *u, const char *key, const char *value)
{
	if (strcmp(key, "token") == 0)
		(void)snprintf(u, 120, "Bearer %s", value);
}

/* Every user of the machine reaches the port: nothing without a token but that
 * somebody is there. scope: of the token, "" without one. */
static bool
may_enter(char scope[SAT_API_SCOPE_TEXT], daemon_ *d, sat_http_response *out,
    const sat_http_request *r)
{
	char bearer[120] = "";
	asking_in x = { .d = d, .r = r, .rc = SAT_ELOCKED, .scope = scope,
		.authorization = sat_http_header(r, "Authorization") };

	scope[0] = '\0';
	if (!r->tcp || (strcmp(r->method, "GET") == 0 &&
	    (strcmp(r->path, "/v1/health") == 0 ||
	    strcmp(r->path, "/v1/version") == 0)) ||
	    (strcmp(r->method, "POST") == 0 && /* brings its own secret */
	    strcmp(r->path, "/v1/session") == 0))
		return true;
	if (x.authorization == NULL && strcmp(r->path, "/v1/calendar.ics") == 0) {
		sat_http_query(r, on_token, bearer);
		x.authorization = bearer;
	}
	x.rc = session_may(d, x.authorization, r->method, r->path, &x.e);
	if (x.rc == SAT_ENOTFOUND && !worker_call(d->w, ask_in, &x))
		x.rc = sat_fail(&x.e, SAT_EUNREACHABLE, "the daemon is ending");
	x.e.rc = x.rc;
	if (x.rc != SAT_OK)
		put_problem(out, &x.e);
	return x.rc == SAT_OK;
}

/* A condition, or a wish to have it tried alone. The routes of the door's own are
 * about no record that has a version, and can only be done: the table refuses the
 * words there as it does everywhere (seen.c, trial.c), so that none is ignored. */
static bool
says_unless(const sat_http_request *r)
{
	const char *has = sat_http_header(r, "If-Match");
	sat_json *q = query_of(r);
	bool yes = (has != NULL && strcmp(has, "*") != 0) ||
	    sat_json_get(q, "if_version") != NULL ||
	    sat_json_get(q, "validate") != NULL;

	sat_json_free(q);
	return yes && strcmp(r->method, "GET") != 0;
}

/* What is not answered at once: jobs, uploads, exports. */
static bool
waits(daemon_ *d, sat_http_response *out, const sat_http_request *r,
    const char *scope)
{
	if (d->o.kiosk && strcmp(r->method, "DELETE") != 0)
		return false;
	return form_route(d, out, r) || copy_route(d, out, r, scope) ||
	    work_again(d, out, r) ||
	    work_route(d, out, r) || upload_route(d, out, r, scope) ||
	    export_route(d, out, r) || attach_route(d, out, r);
}

void
door_handle(void *u, sat_http_response *out, const sat_http_request *asked)
{
	sat_http_request as_get = *asked;
	const sat_http_request *r = asked;
	daemon_ *d = u;
	char scope[SAT_API_SCOPE_TEXT];
	bool post = strcmp(r->method, "POST") == 0;
	sat_err e = { 0 };
	sat_rc rc;

	if (strcmp(asked->method, "HEAD") == 0) { /* GET, and no body leaves */
		as_get.method = "GET";
		r = &as_get;
	}
	if (!may_enter(scope, d, out, r))
		return;
	if (says_unless(r)) {
		to_api(d, out, r, scope);
		return;
	}
	if (session_route(d, out, r))
		return;
	if (strcmp(r->method, "GET") == 0 &&
	    strcmp(r->path, "/v1/events") == 0) {
		events_answer(d, out, r);
	} else if (strcmp(r->method, "GET") == 0 &&
	    strcmp(r->path, "/metrics") == 0) {
		metrics_answer(d, out);
	} else if (post && strcmp(r->path, "/v1/session/lock") == 0) {
		rc = daemon_lock(d, &e);
		done(out, rc, &e);
	} else if (post && strcmp(r->path, "/v1/session/unlock") == 0) {
		to_secret(d, out, r, daemon_unlock);
		if (out->status == 200)
			session_unlocked(d, sat_http_header(r,
			    "Authorization"));
	} else if (post && strcmp(r->path, "/v1/session/passphrase") == 0) {
		to_secret(d, out, r, daemon_passphrase);
	} else if (!waits(d, out, r, scope)) {
		to_api(d, out, r, scope);
	}
}

bool
door_upload(void *u, sat_http_sink *sink, const sat_http_request *r)
{
	sat_http_response out = { .status = 200 };
	char scope[SAT_API_SCOPE_TEXT];
	bool mine = !((daemon_ *)u)->o.kiosk && may_enter(scope, u, &out, r) &&
	    (upload_begin(u, sink, r) || attach_begin(u, sink, r));

	sat_buf_fini(&out.body);
	return mine; /* who may not is told when he has said all of it */
}
