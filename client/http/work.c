/*
 * Work that is asked for and looked at later: POST /v1/imports/{id}/run,
 * /v1/exports and /v1/sync/run answer at once with a job.
 *
 * A job is a request like any other, on a thread that waits for the worker
 * instead of a connection that does. What is known of it lies sealed in the
 * spool from before it begins; so after a kill -9 the next daemon knows what
 * did not end, and says so.
 *
 * Invariants:
 *   W1  a job that was answered with is known until a day after its end, or until
 *       an erasure empties the spool; then only by the daemon that did it
 *   W2  while it runs the replica stays open (daemon_enter); locking tells it to
 *       stop, and waits
 *   W3  one job at a subject at a time
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "client/http/daemon_int.h"
#include "common/base/file.h"
#include "common/base/log.h"

#define RUNNING_MAX 8
#define ENDED_KEPT 64        /* in memory; the others are read from the spool */
#define TOLD_LINES_MAX 50    /* refused rows that a job shows */
#define TELL_EVERY_MS 500
#define WAIT_MAX_S 60

typedef enum { WAITING, RUNNING, DONE, PARTLY, FAILED, INTERRUPTED } state;
static const char *const words[] = { "waiting", "running", "done", "partly",
	"failed", "interrupted" };

struct work {
	daemon_ *d;
	char id[BOOK_ID_TEXT], subject[BOOK_ID_TEXT];
	char request[WORK_REQUEST_TEXT]; /* "" = it may be asked for again */
	const char *kind;
	job *j;
	int in_fd;
	char *folder;
	sat_rc (*finish)(daemon_ *d, const char *subject, const char *id,
	    job *j, sat_err *e);
	sat_rc (*batch)(daemon_ *d, const char *subject, const char *batch,
	    sat_err *e);
	/* under d->mtx */
	state state;
	sat_json *progress, *refused, *answer, *problem;
	int64_t made_ms, began_ms, ended_ms, told_ms;
	struct work *next;
};

/* ---- what is known of one ------------------------------------------------------------ */

static void
put_copy(sat_json *o, const char *key, const sat_json *v)
{
	if (v != NULL)
		sat_json_put(o, key, sat_json_dup(v));
	else
		sat_json_put_null(o, key);
}

/* mtx held. */
static sat_json *
document(const work *w)
{
	sat_json *o = sat_json_obj();
	char file[64];

	sat_json_put_str(o, "schema", "satchel/job/1");
	sat_json_put_str(o, "id", w->id);
	sat_json_put_str(o, "kind", w->kind);
	sat_json_put_str(o, "subject", w->subject[0] != '\0' ? w->subject :
	    NULL);
	sat_json_put_str(o, "request", w->request[0] != '\0' ? w->request :
	    NULL);
	sat_json_put_str(o, "state", words[w->state]);
	sat_json_put_bool(o, "over", w->state > RUNNING);
	sat_json_put_time(o, "created_at", w->made_ms);
	sat_json_put_time(o, "started_at", w->began_ms);
	sat_json_put_time(o, "ended_at", w->ended_ms);
	put_copy(o, "progress", w->progress);
	put_copy(o, "refused", w->refused);
	put_copy(o, "result", w->answer);
	put_copy(o, "problem", w->problem);
	(void)snprintf(file, sizeof file, "/v1/exports/%s/file", w->id);
	sat_json_put_str(o, "file", strcmp(w->kind, "export") == 0 &&
	    w->state == DONE ? file : NULL);
	return o;
}

static work *
find(daemon_ *d, const char *id) /* mtx held */
{
	work *w = d->works;

	while (w != NULL && strcmp(w->id, id) != 0)
		w = w->next;
	return w;
}

static void
tell(daemon_ *d, const char *id, const char *kind, state s)
{
	sat_json *x = sat_json_obj();

	sat_json_put_str(x, "id", id);
	sat_json_put_str(x, "kind", kind);
	sat_json_put_str(x, "state", words[s]);
	events_add(d->ev, "job", x);
}

/* Into the spool, as it is now. */
static sat_rc
keep(work *w, sat_err *e)
{
	sat_json *doc;
	sat_rc rc;

	pthread_mutex_lock(&w->d->mtx);
	doc = document(w);
	pthread_mutex_unlock(&w->d->mtx);
	rc = book_put(w->d, w->id, "job", doc, e);
	sat_json_free(doc);
	return rc;
}

/* ---- while it runs --------------------------------------------------------------------- */

void
work_begun(work *w)
{
	bool first;

	pthread_mutex_lock(&w->d->mtx);
	first = w->state == WAITING;
	w->state = RUNNING;
	if (first)
		w->began_ms = sat_wall_ms(&w->d->api.crm.clock);
	pthread_mutex_unlock(&w->d->mtx);
	if (first)
		tell(w->d, w->id, w->kind, RUNNING);
}

void
work_line(work *w, const sat_json *line)
{
	const char *type = sat_json_get_str(line, "type", "");
	int64_t now = sat_boot_ms(&w->d->api.crm.clock);
	sat_json *copy;
	bool due = false;

	pthread_mutex_lock(&w->d->mtx);
	if (strcmp(type, "progress") == 0) {
		copy = sat_json_dup(line);
		sat_json_del(copy, "type");
		sat_json_free(w->progress);
		w->progress = copy;
		if ((due = now - w->told_ms >= TELL_EVERY_MS))
			w->told_ms = now;
	} else if (strcmp(type, "refused") == 0 &&
	    sat_json_count(w->refused) < TOLD_LINES_MAX) {
		copy = sat_json_dup(line);
		sat_json_del(copy, "type");
		sat_json_add(w->refused, copy);
	}
	pthread_mutex_unlock(&w->d->mtx);
	if (due)
		tell(w->d, w->id, w->kind, RUNNING);
}

sat_rc
work_batch(work *w, const char *batch, sat_err *e)
{
	return w->batch != NULL ? w->batch(w->d, w->subject, batch, e) : SAT_OK;
}

/* What stays goes when the next daemon begins (export_sweep). */
static void
drop_folder(const char *path)
{
	(void)(sat_folder_clear(path, NULL) == SAT_OK);
}

static state
state_of(const work *w)
{
	if (w->j->rc == SAT_OK)
		return DONE;
	if (atomic_load(&w->j->cancelled))
		return INTERRUPTED;
	return w->j->rc == SAT_EPARTLY ? PARTLY : FAILED;
}

static void
end(work *w)
{
	daemon_ *d = w->d;
	const char *kind = w->kind; /* *w may go once it has no job */
	state s = state_of(w);
	char id[BOOK_ID_TEXT];
	sat_err e = { 0 };

	memcpy(id, w->id, sizeof id);
	pthread_mutex_lock(&d->mtx);
	w->state = s;
	w->ended_ms = sat_wall_ms(&d->api.crm.clock);
	w->answer = w->j->out;
	w->j->out = NULL;
	if (w->j->rc != SAT_OK)
		w->problem = sat_api_problem(&w->j->err);
	pthread_mutex_unlock(&d->mtx);
	if (keep(w, &e) != SAT_OK) /* it is known until the daemon ends */
		sat_log(SAT_WARN, "JOB-NOT-KEPT", "id=%s text=%s", w->id,
		    e.text);
	pthread_mutex_lock(&d->mtx);
	job_unref(w->j);
	w->j = NULL;
	pthread_cond_broadcast(&d->work_cond);
	pthread_mutex_unlock(&d->mtx);
	tell(d, id, kind, s);
}

static void *
run(void *u)
{
	work *w = u;
	daemon_ *d = w->d;
	sat_err e = { 0 };
	sat_rc rc;

	job_run(w->j);
	if (w->finish != NULL && (rc = w->finish(d, w->subject, w->id,
	    w->j, &e)) !=
	    SAT_OK && (w->j->rc == SAT_OK || w->j->rc == SAT_EPARTLY)) {
		w->j->rc = e.rc = rc;
		w->j->err = e;
	}
	if (w->j->out_fd >= 0)
		(void)close(w->j->out_fd);
	if (w->in_fd >= 0)
		(void)close(w->in_fd);
	if (w->folder != NULL)
		drop_folder(w->folder);
	free(w->folder);
	w->folder = NULL;
	end(w);
	daemon_leave(d); /* W2 */
	return NULL;
}

/* ---- beginning ---------------------------------------------------------------------------- */

static void
work_free(work *w)
{
	if (w->j != NULL)
		job_unref(w->j);
	sat_json_free(w->progress);
	sat_json_free(w->refused);
	sat_json_free(w->answer);
	sat_json_free(w->problem);
	free(w->folder);
	free(w);
}

/* mtx held. The oldest ones that are over leave the memory. */
static void
trim(daemon_ *d)
{
	size_t ended = 0;
	work **p = &d->works;

	while (*p != NULL) {
		work *w = *p;

		if (w->state > RUNNING && w->j == NULL &&
		    ++ended > ENDED_KEPT) {
			*p = w->next;
			work_free(w);
		} else {
			p = &w->next;
		}
	}
}

/* mtx held. W3 */
static sat_rc
admit(daemon_ *d, const char *subject, sat_err *e)
{
	int running = 0;

	for (const work *w = d->works; w != NULL; w = w->next) {
		if (w->state > RUNNING)
			continue;
		running++;
		if (subject != NULL && strcmp(w->subject, subject) == 0)
			return sat_fail_code(e, SAT_EBUSY, "job.running",
			    "wait for it: GET /v1/jobs/ID?wait=25",
			    "a job works at this already");
	}
	return running < RUNNING_MAX ? SAT_OK : sat_fail_code(e, SAT_EBUSY,
	    "job.many", "wait for one of them: GET /v1/jobs",
	    "%d jobs wait or run already", RUNNING_MAX);
}

/* mtx held. Asked for under the same key while this one was on its way: that is
 * the job (work_again did not see it yet). */
static const work *
same_request(const daemon_ *d, const work *w)
{
	const work *x = d->works;

	while (x != NULL && !again_same_key(w->request, x->request))
		x = x->next;
	return x;
}

static work *
work_new(daemon_ *d, work_order *o)
{
	work *w = sat_xcalloc(1, sizeof *w);

	w->d = d;
	w->kind = o->kind;
	w->in_fd = o->in_fd;
	w->folder = o->folder;
	w->finish = o->finish;
	w->batch = o->batch;
	w->refused = sat_json_arr();
	w->made_ms = sat_wall_ms(&d->api.crm.clock);
	book_draw(w->id, d);
	again_of(w->request, o->asked);
	(void)snprintf(w->subject, sizeof w->subject, "%s", o->subject != NULL ?
	    o->subject : "");
	w->j = job_new(d, o->method, o->path);
	w->j->name = sat_xstrdup(w->id);
	w->j->query = o->query != NULL ? o->query : sat_json_obj();
	w->j->body = o->body;
	w->j->lang = o->lang;
	w->j->files = o->files;
	w->j->work = w;
	return w;
}

/* What a job would have taken, when there is none. */
static sat_rc
not_begun(work *w, sat_rc rc)
{
	if (w->in_fd >= 0)
		(void)close(w->in_fd);
	if (w->folder != NULL)
		drop_folder(w->folder);
	work_free(w);
	return rc;
}

static void
unlist(work *w)
{
	pthread_mutex_lock(&w->d->mtx);
	for (work **p = &w->d->works; *p != NULL; p = &(*p)->next)
		if (*p == w) {
			*p = w->next;
			break;
		}
	pthread_mutex_unlock(&w->d->mtx);
}

sat_rc
work_start(char id[BOOK_ID_TEXT], daemon_ *d, work_order *o, sat_err *e)
{
	work *w = work_new(d, o);
	const work *twin;
	pthread_t t;
	sat_rc rc = SAT_OK;

	book_purge(d);
	if (!daemon_enter(d))
		return not_begun(w, sat_fail_code(e, SAT_ELOCKED,
		    "daemon.locked", NULL, "the daemon is locked"));
	pthread_mutex_lock(&d->mtx);
	trim(d);
	if ((twin = same_request(d, w)) != NULL) {
		memcpy(id, twin->id, BOOK_ID_TEXT);
		rc = again_one_thing(w->request, twin->request, e);
	} else if ((rc = admit(d, o->subject, e)) == SAT_OK) {
		memcpy(id, w->id, BOOK_ID_TEXT);
		w->next = d->works;
		d->works = w;
	}
	pthread_mutex_unlock(&d->mtx);
	if (twin != NULL || rc != SAT_OK) {
		daemon_leave(d);
		return not_begun(w, rc);
	}
	rc = keep(w, e); /* W1 */
	if (rc == SAT_OK && pthread_create(&t, NULL, run, w) != 0)
		rc = sat_fail(e, SAT_EFAIL, "no thread for this");
	if (rc != SAT_OK) {
		unlist(w);
		book_drop(d, w->id);
		daemon_leave(d);
		return not_begun(w, rc);
	}
	(void)pthread_detach(t);
	return SAT_OK;
}

bool
work_at(char id[BOOK_ID_TEXT], daemon_ *d, const char *subject)
{
	bool yes = false;

	pthread_mutex_lock(&d->mtx);
	for (const work *w = d->works; w != NULL; w = w->next)
		if (w->state <= RUNNING && strcmp(w->subject, subject) == 0) {
			memcpy(id, w->id, BOOK_ID_TEXT);
			yes = true;
		}
	pthread_mutex_unlock(&d->mtx);
	return yes;
}

bool
work_any(daemon_ *d)
{
	bool yes = false;

	pthread_mutex_lock(&d->mtx);
	for (const work *w = d->works; w != NULL; w = w->next)
		yes = yes || w->state <= RUNNING;
	pthread_mutex_unlock(&d->mtx);
	return yes;
}

/* ---- looking ------------------------------------------------------------------------------- */

sat_rc
work_look(sat_json **doc, daemon_ *d, const char *id, int wait_s, sat_err *e)
{
	struct timespec until;
	const work *w;

	*doc = NULL;
	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += wait_s < 0 ? 0 : wait_s < WAIT_MAX_S ? wait_s :
	    WAIT_MAX_S;
	pthread_mutex_lock(&d->mtx);
	while ((w = find(d, id)) != NULL && w->state <= RUNNING &&
	       !atomic_load(&d->stopping) &&
	       pthread_cond_timedwait(&d->work_cond, &d->mtx, &until) == 0)
		;
	if (w != NULL && d->spool_key != NULL)
		*doc = document(w);
	pthread_mutex_unlock(&d->mtx);
	return *doc != NULL ? SAT_OK : book_get(doc, d, id, "job", e);
}

/* A job of a daemon that died says so. What it wrote before is in. */
static void
recover_one(void *u, const char *id, const sat_json *doc)
{
	bool import = strcmp(sat_json_get_str(doc, "kind", ""), "import") == 0;
	sat_err e = { 0 };
	sat_json *ended;

	if (sat_json_get_bool(doc, "over", false))
		return;
	(void)sat_fail_code(&e, SAT_EFAIL, "job.interrupted",
	    "what it had finished before is there; repeat it",
	    "the daemon ended before this job did");
	if (import)
		sat_err_hint(&e, "what it had finished before is there; repeat it, "
		    "or take it back first when its rows have no key");
	ended = sat_json_dup(doc);
	sat_json_set(ended, "problem", sat_api_problem(&e));
	sat_json_del(ended, "state");
	sat_json_put_str(ended, "state", words[INTERRUPTED]);
	sat_json_del(ended, "over");
	sat_json_put_bool(ended, "over", true);
	if (book_put(u, id, "job", ended, &e) != SAT_OK)
		sat_log(SAT_WARN, "JOB-NOT-KEPT", "id=%s text=%s", id, e.text);
	sat_json_free(ended);
}

void
work_recover(daemon_ *d)
{
	bool first;

	pthread_mutex_lock(&d->mtx);
	first = d->works == NULL; /* unlocked again: they are our own */
	pthread_mutex_unlock(&d->mtx);
	if (first)
		book_each(d, "job", recover_one, d);
}

static void
add_kept(void *u, const char *id, const sat_json *doc)
{
	(void)id;
	sat_json_add(u, sat_json_dup(doc));
}

sat_rc
work_list(sat_json **out, daemon_ *d, sat_err *e)
{
	sat_json *kept = sat_json_arr(), *data;
	const work *w;

	if (!daemon_enter(d)) {
		sat_json_free(kept);
		return sat_fail_code(e, SAT_ELOCKED, "daemon.locked", NULL,
		    "the daemon is locked");
	}
	daemon_leave(d);
	book_each(d, "job", add_kept, kept);
	*out = sat_json_obj();
	sat_json_put_str(*out, "schema", "satchel/job.list/1");
	data = sat_json_put_arr(*out, "data");
	pthread_mutex_lock(&d->mtx);
	for (const sat_json *k = sat_json_first(kept); k != NULL;
	     k = sat_json_next(k)) {
		w = find(d, sat_json_get_str(k, "id", ""));
		sat_json_add(data, w != NULL ? document(w) : sat_json_dup(k));
	}
	pthread_mutex_unlock(&d->mtx);
	sat_json_free(kept);
	return SAT_OK;
}

sat_rc
work_drop(daemon_ *d, const char *id, sat_err *e)
{
	sat_json *doc = NULL;
	work *gone = NULL;
	sat_rc rc;

	if (job_cancel(d, id))
		return SAT_OK;
	if ((rc = work_look(&doc, d, id, 0, e)) != SAT_OK)
		return rc == SAT_ENOTFOUND ? sat_fail(e, SAT_ENOTFOUND,
		    "no such work is being done") : rc;
	sat_json_free(doc);
	pthread_mutex_lock(&d->mtx);
	for (work **p = &d->works; *p != NULL; p = &(*p)->next)
		if (strcmp((*p)->id, id) == 0 && (*p)->j == NULL) {
			gone = *p;
			*p = gone->next;
			break;
		}
	pthread_mutex_unlock(&d->mtx);
	if (gone != NULL)
		work_free(gone);
	book_drop(d, id);
	return SAT_OK;
}
