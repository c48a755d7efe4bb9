/*
 * daemon_int.h - shared inside the room.
 *
 *   worker.c   the replica's thread and its queue
 *   events.c   what happened, numbered, for those who listen
 *   job.c      one request: waited for, or streamed line by line
 *   door.c     HTTP -> route table -> HTTP
 *   session.c  one-time links, and what a browser is let in with
 *   metrics.c  figures for a monitor
 *   timer.c    what it does by itself: rules of the template, reports
 *   daemon.c   life: open, lock, live sync, signals
 */
#ifndef SAT_HTTP_DAEMON_INT_H
#define SAT_HTTP_DAEMON_INT_H

#include <pthread.h>
#include <stdatomic.h>

#include "client/http/daemon.h"
#include "common/crypto/crypto.h"
#include "common/base/metrics.h"
#include "common/http/http.h"

/* ---- worker.c ---- */
typedef struct worker worker;
worker *worker_start(void); /* NULL: no thread */
/* Run fn(arg) on the worker, wait for it. In the order of asking. After
 * worker_stop it runs nothing and returns false. */
bool worker_call(worker *w, void (*fn)(void *arg), void *arg);
void worker_stop(worker *w); /* what is queued runs first */

/* ---- events.c ---- */
#define SESSION_PATH_MAX 200
#define EVENTS_KEPT 1024
#define EVENT_BYTES_MAX 400
typedef struct events events;
events *events_new(void);
/* type: static; data: a JSON object without "type", taken over. */
void events_add(events *ev, const char *type, sat_json *data);
/* No more waiting: streams end. */
void events_stop(events *ev);
uint64_t events_last(events *ev);
/*
 * Events after `since`, oldest first, at least one or the wait is over: as
 * text/event-stream or, sse false, as members of a JSON array. *next: pass it
 * next time. An unknown or too old `since` gives one event "reset": look at
 * everything again.
 * @return false when it was stopped.
 */
bool events_wait(sat_buf *out, uint64_t *next, events *ev, uint64_t since,
    const char *types, int wait_ms, bool sse);

/* ---- session.c ---- */
#define LINKS_MAX 8
#define SESSIONS_MAX 32
typedef struct session_entry {
	uint8_t hash[SAT_HASH_BYTES]; /* of its secret */
	int64_t until_ms;             /* boot clock; 0 = the place is free */
	bool kiosk, locked;
	char path[SESSION_PATH_MAX];  /* a link's: where it leads */
} session_entry;
typedef struct session_book {
	session_entry link[LINKS_MAX], open[SESSIONS_MAX];
	int64_t idle_ms;              /* as the template says */
} session_book;

/* ---- daemon.c ---- */
typedef struct daemon_ {
	sat_daemon_opts o;
	worker *w;
	events *ev;
	sat_http *http;
	sat_api api;              /* the worker's; replica NULL = locked */
	pthread_mutex_t mtx;
	pthread_cond_t cond;
	/* under mtx */
	sat_live *live;           /* NULL = not running */
	pthread_t live_thread;
	sat_hist merge;           /* transactions of syncs */
	unsigned busy;            /* network jobs that use the replica */
	bool locking;             /* no new ones */
	struct job *jobs;         /* those that have a name */
	atomic_bool stopping;
	pthread_mutex_t turn;     /* one session at a time */
	int64_t conflicts, rejected; /* worker: as last told */
	pthread_t timer;
	bool timer_runs;
	pthread_cond_t timer_cond; /* with mtx */
	bool timer_stop;           /* under mtx */
	session_book sessions;     /* under mtx */
} daemon_;

/* Enter and leave a job that uses the replica off the worker; false: locked. */
bool daemon_enter(daemon_ *d);
void daemon_leave(daemon_ *d);
/* There may be something to send. */
void daemon_nudge(daemon_ *d);
/* On the worker: tell listeners when the inbox changed. */
void daemon_tell_inbox(daemon_ *d);
sat_rc daemon_lock(daemon_ *d, sat_err *e);
sat_rc daemon_unlock(daemon_ *d, sat_span passphrase, sat_err *e);
sat_rc daemon_passphrase(daemon_ *d, sat_span passphrase, sat_err *e);
/* A sat_api for one request: a copy, with what the daemon adds. */
void daemon_api(sat_api *out, daemon_ *d);

/* ---- metrics.c ---- */
/* worker_call for a transaction of a sync: how long it took is counted. */
void metrics_call(daemon_ *d, void (*fn)(void *arg), void *arg);
void metrics_answer(daemon_ *d, sat_http_response *out);

/* ---- timer.c ---- */
void timer_start(daemon_ *d);
void timer_stop(daemon_ *d); /* waits for a run that is under way */

/* ---- job.c ---- */
typedef struct job {
	daemon_ *d;
	sat_request req;          /* points into the job's own copies */
	char *method, *path, *cwd, *name;
	const char *lang;         /* NULL = the daemon's own */
	sat_json *query, *body, *out;
	sat_err err;
	sat_rc rc;
	sat_asking *asking;       /* what it has to ask the server; NULL = nothing */
	atomic_bool cancelled;
	bool streams;             /* lines are wanted as they come */
	/* under mtx, when it streams */
	pthread_mutex_t mtx;
	pthread_cond_t cond;
	sat_buf lines;
	bool done;
	atomic_uint refs;
	struct job *next;         /* d->jobs */
} job;
job *job_new(daemon_ *d, const char *method, const char *path);
void job_unref(job *j);
/* Run it, wait for its end; rc, err, out say how it went. */
void job_run(job *j);
/* Run it meanwhile; the answer streams its lines. Takes a reference. */
void job_stream(job *j, sat_http_response *out);
/* The one with this name, if it runs: it shall end. */
bool job_cancel(daemon_ *d, const char *name);
void job_cancel_all(daemon_ *d);

/* ---- session.c: the routes below /v1/session that are not the lock's ---- */
/* POST /v1/session/links (through the socket alone), POST and DELETE
 * /v1/session. false: it is none of them. */
bool session_route(daemon_ *d, sat_http_response *out,
    const sat_http_request *r);
/* May whoever sends this Authorization header do this? SAT_ENOTFOUND: it is no
 * session's. */
sat_rc session_may(daemon_ *d, const char *authorization, const char *method,
    const char *path, sat_err *e);
/* The daemon was locked: no session does anything but unlock. */
void sessions_lock(daemon_ *d);
/* The one that unlocked it goes on. */
void session_unlocked(daemon_ *d, const char *authorization);

/* ---- door.c ---- */
void put_problem(sat_http_response *out, const sat_err *e);

void door_handle(void *u, sat_http_response *out, const sat_http_request *r);

#endif
