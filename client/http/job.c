/*
 * One request on its way to the handler and back.
 *
 * A route that talks to the network runs on a thread of its own and hands the
 * worker single transactions; every other one runs on the worker from begin to
 * end. A streamed answer is lines of JSON: events as they come, what the
 * handler wrote to "standard output", and the answer as the last line. To who
 * asks so, long lists of the answer come ahead of it in parts: whoever reads has a
 * limit for a line, and a list has none.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "client/http/daemon_int.h"

#define OUTPUT_PIECE 16384
#define PAGE_MAX 500
#define LIST_MAX 16           /* values of a list that stay in the answer */
#define PART_BYTES 131072     /* of a part, and its last value */
#define LINES_GONE 1048576    /* sent, before the others move up */
#define FIELDS_TOLD_MAX 200 /* bytes of an event */

static char *
dup_or_null(const char *s)
{
	return s != NULL ? sat_xstrdup(s) : NULL;
}

job *
job_new(daemon_ *d, const char *method, const char *path)
{
	job *j = sat_xcalloc(1, sizeof *j);

	j->d = d;
	j->out_fd = -1;
	j->method = dup_or_null(method);
	j->path = dup_or_null(path);
	atomic_init(&j->refs, 1);
	(void)pthread_mutex_init(&j->mtx, NULL);
	(void)pthread_cond_init(&j->cond, NULL);
	return j;
}

void
job_unref(job *j)
{
	if (atomic_fetch_sub(&j->refs, 1) != 1)
		return;
	free(j->method);
	free(j->path);
	free(j->cwd);
	free(j->name);
	free(j->scope);
	sat_json_free(j->query);
	sat_json_free(j->body);
	sat_json_free(j->out);
	sat_buf_fini(&j->lines);
	(void)pthread_cond_destroy(&j->cond);
	(void)pthread_mutex_destroy(&j->mtx);
	free(j);
}

/* ---- lines --------------------------------------------------------------------- */

static void
put_line(job *j, const sat_json *line)
{
	pthread_mutex_lock(&j->mtx);
	sat_json_write(&j->lines, line, false);
	sat_buf_str(&j->lines, "\n");
	pthread_cond_signal(&j->cond);
	pthread_mutex_unlock(&j->mtx);
}

static void
on_event(void *u, const sat_json *line)
{
	job *j = u;

	if (j->work != NULL)
		work_line(j->work, line);
	else if (j->streams)
		put_line(j, line);
}

static sat_rc
on_batch(void *u, const char *batch, sat_err *e)
{
	const job *j = u;

	return j->work != NULL ? work_batch(j->work, batch, e) : SAT_OK;
}

static bool
on_interrupted(void *u)
{
	const job *j = u;

	return atomic_load(&j->cancelled);
}

/* What a handler wrote to `fd`, in hexadecimal: it may be in any encoding. */
static void
put_output(job *j, int fd)
{
	uint8_t piece[OUTPUT_PIECE];
	char hex[2 * OUTPUT_PIECE + 1];
	ssize_t n;

	if (lseek(fd, 0, SEEK_SET) != 0)
		return;
	while ((n = read(fd, piece, sizeof piece)) > 0) {
		sat_json *line = sat_json_obj();

		sat_hex(hex, piece, (size_t)n);
		sat_json_put_str(line, "type", "output");
		sat_json_put_str(line, "hex", hex);
		put_line(j, line);
		sat_json_free(line);
	}
}

static void
begin_part(sat_buf *b, const char *member)
{
	sat_buf_reset(b);
	sat_buf_str(b, "{\"type\":\"part\",\"member\":");
	sat_json_write_str(b, sat_span_str(member));
	sat_buf_str(b, ",\"values\":[");
}

static void
put_part(job *j, sat_buf *b)
{
	sat_buf_str(b, "]}\n");
	pthread_mutex_lock(&j->mtx);
	sat_buf_add(&j->lines, b->p, b->n);
	pthread_cond_signal(&j->cond);
	pthread_mutex_unlock(&j->mtx);
}

static void
put_list(job *j, const char *member, const sat_json *list)
{
	sat_buf b = { 0 };

	begin_part(&b, member);
	for (const sat_json *x = sat_json_first(list); x != NULL;) {
		sat_json_write(&b, x, false);
		if ((x = sat_json_next(x)) == NULL)
			break;
		if (b.n < PART_BYTES) {
			sat_buf_str(&b, ",");
			continue;
		}
		put_part(j, &b);
		begin_part(&b, member);
	}
	put_part(j, &b);
	sat_buf_fini(&b);
}

/*
 * x without its long lists, into rest: they are on their way already, and empty
 * here. `at` has the names that lead to x, a dot behind each; so what is under a
 * name with a dot in it stays.
 */
static void
without_lists(sat_json *rest, job *j, const sat_json *x, sat_buf *at)
{
	size_t n = at->n;

	for (const sat_json *m = sat_json_first(x); m != NULL;
	     m = sat_json_next(m)) {
		const char *key = sat_json_key(m);
		sat_jtype type = strchr(key, '.') == NULL ? sat_json_type(m) :
		    SAT_J_NULL;

		at->n = n;
		sat_buf_str(at, key);
		if (type == SAT_J_OBJ) {
			sat_buf_str(at, ".");
			without_lists(sat_json_put_obj(rest, key), j, m, at);
		} else if (type == SAT_J_ARR && sat_json_count(m) > LIST_MAX) {
			put_list(j, sat_buf_cstr(at), m);
			(void)sat_json_put_arr(rest, key);
		} else {
			sat_json_put(rest, key, sat_json_dup(m));
		}
	}
	at->n = n;
}

static void
put_answer(job *j)
{
	sat_json *line = sat_json_obj(), *p;
	sat_buf at = { 0 };

	sat_json_put_str(line, "type", "answer");
	sat_json_put_int(line, "rc", j->rc);
	if (j->rc != SAT_OK) {
		p = sat_api_problem(&j->err);
		sat_json_put(line, "problem", p);
	}
	if (sat_json_type(j->out) == SAT_J_OBJ && j->parts) {
		without_lists(sat_json_put_obj(line, "answer"), j, j->out, &at);
		sat_buf_fini(&at);
	} else if (j->out != NULL) {
		sat_json_put(line, "answer", j->out);
		j->out = NULL;
	}
	put_line(j, line);
	sat_json_free(line);
}

/* ---- running -------------------------------------------------------------------- */

/* Reads by POST, and what has its own way to the server. */
static bool
may_have_written(const job *j)
{
	static const char *const not[] = { "/v1/sync/run", "/v1/sync/watch",
		"/v1/exports", "/v1/check", "/v1/backups", "/v1/audit/verify",
		"/v1/templates/verify", "/v1/templates/pack",
		"/v1/imports/preview", "/v1/imports/form" };

	size_t n = strlen(j->path);

	if (strcmp(j->method, "GET") == 0 ||
	    sat_json_get(j->query, "validate") != NULL ||
	    (n > 6 && strcmp(j->path + n - 6, "/query") == 0) ||
	    (j->rc != SAT_OK && j->rc != SAT_EPARTLY))
		return false;
	for (size_t i = 0; i < sizeof not / sizeof not[0]; i++)
		if (strcmp(j->path, not[i]) == 0)
			return false;
	return true;
}

/* Names of what was changed; values are nobody's who only listens. */
static void
put_fields(sat_json *x, const sat_json *body)
{
	sat_json *list = sat_json_put_arr(x, "fields");
	size_t n = 0;

	for (const sat_json *m = sat_json_first(body); m != NULL;
	     m = sat_json_next(m)) {
		n += strlen(sat_json_key(m)) + 3;
		if (n > FIELDS_TOLD_MAX)
			break;
		sat_json_add_str(list, sat_json_key(m));
	}
}

/* "/v1/accounts/01h..." and what came back: which record to look at again. */
static void
tell_record(const job *j)
{
	const char *kind = j->path + strlen("/v1/"), *id = strchr(kind, '/');
	const sat_json *data = sat_json_get(j->out, "data");
	sat_json *x;
	char text[64];

	if (strncmp(j->path, "/v1/", 4) != 0)
		return;
	x = sat_json_obj();
	(void)snprintf(text, sizeof text, "%.*s",
	    id != NULL ? (int)(id - kind) : (int)strlen(kind), kind);
	sat_json_put_str(x, "kind", text);
	sat_json_put_str(x, "id", sat_json_get_str(data, "id", NULL));
	if (strcmp(j->method, "PATCH") == 0)
		put_fields(x, j->body);
	events_add(j->d->ev, "record", x);
}

static void
handle(job *j, sat_api *api)
{
	api->event = on_event;
	api->interrupted = on_interrupted;
	api->batch = on_batch;
	api->u = j;
	api->scope = j->scope;
	if (j->lang != NULL)
		api->crm.lang = j->lang;
	if (j->work != NULL)
		work_begun(j->work);
	else if (!j->streams) /* one document; our command line has lines */
		api->page_max = PAGE_MAX;
	j->req = (sat_request){ .method = j->method, .path = j->path,
		.query = j->query, .body = j->body, .files = j->files };
	j->rc = sat_api_handle(&j->out, api, &j->req, &j->err);
	if (j->rc != SAT_OK)
		j->err.rc = j->rc;
	else
		j->made = sat_api_made(j->where, sizeof j->where, api, &j->req,
		    j->out);
	daemon_refused(j->d, j->rc, &j->err);
	if (j->asking != NULL && sat_asking_waits(j->asking))
		return; /* it was only the first half */
	if (may_have_written(j)) {
		tell_record(j);
		daemon_nudge(j->d);
	}
}

/* What can be said of a replica whose keys are wiped: that they are. */
static sat_json *
locked_status(const daemon_ *d)
{
	sat_json *doc = sat_json_obj();

	sat_json_put_str(doc, "schema", "satchel/status/1");
	sat_json_put_str(doc, "profile", d->api.profile);
	sat_json_put_str(doc, "state", "offline"); /* D3: there is no link */
	sat_json_put_bool(doc, "unlocked", false);
	return doc;
}

static sat_rc
locked(job *j)
{
	if (strcmp(j->method, "GET") == 0 &&
	    strcmp(j->path, "/v1/status") == 0) {
		j->out = locked_status(j->d);
		return SAT_OK;
	}
	return sat_fail_code(&j->err, SAT_ELOCKED, "daemon.locked",
	    "unlock it: satchel unlock, or POST /v1/session/unlock", "the daemon is locked");
}

/* Relative names of files are the asking process's (worker.c has a working
 * directory of its own: see on_worker's unshare in daemon.c). */
static void
on_worker(void *u)
{
	job *j = u;
	sat_api api;
	int fd = -1;

	daemon_api(&api, j->d);
	if (api.crm.replica == NULL) {
		j->rc = locked(j);
		return;
	}
	if (j->cwd != NULL && chdir(j->cwd) != 0) {
		j->rc = sat_fail(&j->err, SAT_ENOTFOUND,
		    "the working directory is not there any more");
		return;
	}
	if ((j->streams || j->work != NULL || j->keeps_file) &&
	    (fd = memfd_create("output", MFD_CLOEXEC)) >= 0)
		api.out_fd = fd;
	api.sync.asking = j->asking;
	handle(j, &api);
	if (may_have_written(j))
		daemon_tell_inbox(j->d);
	if (j->work != NULL || j->keeps_file) {
		if (j->out_fd >= 0)
			(void)close(j->out_fd); /* of the first half */
		j->out_fd = fd;
	} else if (fd >= 0) {
		put_output(j, fd);
		(void)close(fd);
	}
	if (j->cwd != NULL && chdir("/") != 0)
		abort(); /* there is always a root */
}

static void
off_worker(job *j)
{
	sat_api api;

	if (!daemon_enter(j->d)) {
		j->rc = locked(j);
		return;
	}
	daemon_api(&api, j->d);
	handle(j, &api);
	daemon_leave(j->d);
}

/*
 * Most requests are done in one go. One that asks the server something comes
 * back with its question; that is asked here, where nobody waits for us, and
 * the request runs once more, with the answer.
 */
static bool
on_worker_and_asking(job *j)
{
	sat_api api;
	bool ran;

	j->asking = sat_asking_new();
	while ((ran = worker_call(j->d->w, on_worker, j)) &&
	    sat_asking_waits(j->asking)) {
		sat_json_free(j->out);
		j->out = NULL;
		memset(&j->err, 0, sizeof j->err);
		if (!daemon_enter(j->d)) {
			j->rc = locked(j);
			break;
		}
		daemon_api(&api, j->d);
		api.sync.interrupted = on_interrupted;
		api.sync.u = j;
		sat_asking_go(j->asking, &api.sync);
		daemon_leave(j->d);
	}
	sat_asking_free(j->asking);
	j->asking = NULL;
	return ran;
}

/* "Is it alive" must not wait for an import, nor for a passphrase. */
static bool
needs_nothing(const job *j)
{
	return strcmp(j->path, "/v1/health") == 0 ||
	    strcmp(j->path, "/v1/version") == 0;
}

/* What a visitor's page asks, and what whoever keeps the machine does from its
 * command line. The role could do no more anyhow; this is the second lock. */
static bool
kiosk_may(const char *path)
{
	static const char *const whole[] = { "/v1/health", "/v1/version",
		"/v1/openapi.json", "/v1/status", "/v1/me", "/v1/consent",
		"/v1/templates/files", "/v1/visits/checkin", "/v1/check",
		"/v1/doctor", "/v1/inbox" };
	static const char *const begin[] = { "/v1/kiosk/", "/v1/sync/",
		"/v1/quarantine" };

	for (size_t i = 0; i < sizeof whole / sizeof whole[0]; i++)
		if (strcmp(path, whole[i]) == 0)
			return true;
	for (size_t i = 0; i < sizeof begin / sizeof begin[0]; i++)
		if (strncmp(path, begin[i], strlen(begin[i])) == 0)
			return true;
	return false;
}

static void
remember(job *j, bool yes)
{
	pthread_mutex_lock(&j->d->mtx);
	if (yes) {
		if (j->d->locking) /* too late for job_cancel_all */
			atomic_store(&j->cancelled, true);
		j->next = j->d->jobs;
		j->d->jobs = j;
	} else {
		for (job **p = &j->d->jobs; *p != NULL; p = &(*p)->next)
			if (*p == j) {
				*p = j->next;
				break;
			}
	}
	pthread_mutex_unlock(&j->d->mtx);
}

void
job_run(job *j)
{
	if (atomic_load(&j->d->stopping))
		atomic_store(&j->cancelled, true);
	remember(j, true);
	if (needs_nothing(j)) {
		sat_api nothing = { .profile = NULL };

		handle(j, &nothing);
	} else if (j->d->o.kiosk && !kiosk_may(j->path)) {
		j->rc = sat_fail_code(&j->err, SAT_EDENIED, "kiosk.only", NULL,
		    "the daemon of a kiosk takes visitors in and no more");
	} else if (sat_api_uses_network(j->method, j->path))
		off_worker(j);
	else if (!on_worker_and_asking(j))
		j->rc = sat_fail(&j->err, SAT_EUNREACHABLE,
		    "the daemon is ending");
	remember(j, false);
}

static void *
run_streaming(void *u)
{
	job *j = u;

	job_run(j);
	put_answer(j);
	pthread_mutex_lock(&j->mtx);
	j->done = true;
	pthread_cond_signal(&j->cond);
	pthread_mutex_unlock(&j->mtx);
	job_unref(j);
	return NULL;
}

static long
next_bytes(void *u, uint8_t *out, size_t max)
{
	job *j = u;
	size_t n;

	pthread_mutex_lock(&j->mtx);
	while (j->lines.n == j->sent && !j->done)
		pthread_cond_wait(&j->cond, &j->mtx);
	n = j->lines.n - j->sent;
	if (n > max)
		n = max;
	if (n > 0)
		memcpy(out, j->lines.p + j->sent, n);
	j->sent += n;
	/* Rarely: to move what is left for each piece is its square. */
	if (j->sent == j->lines.n) {
		j->lines.n = j->sent = 0;
	} else if (j->sent >= LINES_GONE && j->sent >= j->lines.n / 2) {
		memmove(j->lines.p, j->lines.p + j->sent,
		    j->lines.n - j->sent);
		j->lines.n -= j->sent;
		j->sent = 0;
	}
	pthread_mutex_unlock(&j->mtx);
	return n > 0 ? (long)n : -1;
}

/* The peer has all of it, or has left: then nobody wants the rest. */
static void
end_stream(void *u)
{
	job *j = u;

	atomic_store(&j->cancelled, true);
	job_unref(j);
}

void
job_stream(job *j, sat_http_response *out)
{
	pthread_t t;

	j->streams = true;
	atomic_fetch_add(&j->refs, 2); /* the thread's, the stream's */
	if (pthread_create(&t, NULL, run_streaming, j) == 0) {
		(void)pthread_detach(t);
	} else {
		j->rc = sat_fail(&j->err, SAT_EFAIL, "no thread for this");
		put_answer(j);
		j->done = true;
		job_unref(j);
	}
	out->type = "application/x-ndjson";
	out->next = next_bytes;
	out->end = end_stream;
	out->stream = j;
}

bool
job_cancel(daemon_ *d, const char *name)
{
	bool found = false;

	pthread_mutex_lock(&d->mtx);
	for (job *j = d->jobs; j != NULL; j = j->next)
		if (j->name != NULL && strcmp(j->name, name) == 0) {
			atomic_store(&j->cancelled, true);
			found = true;
		}
	pthread_mutex_unlock(&d->mtx);
	return found;
}

void
job_cancel_all(daemon_ *d)
{
	pthread_mutex_lock(&d->mtx);
	for (job *j = d->jobs; j != NULL; j = j->next)
		atomic_store(&j->cancelled, true);
	pthread_mutex_unlock(&d->mtx);
}
