/*
 * daemon_int.h - shared inside the room.
 *
 *   worker.c   the replica's thread and its queue
 *   events.c   what happened, numbered, and told to those who listen
 *   job.c      one request: waited for, or streamed line by line
 *   door.c     HTTP -> route table -> HTTP
 *   form.c     the empty book of an import, fetched
 *   session.c  one-time links, and what a browser is let in with
 *   book.c     sealed files of what waits: uploads, exports, what is known of them
 *   work.c     long work that is asked for and looked at later
 *   again.c    a job that is asked for twice
 *   jobs.c     its routes
 *   upload_in.c  a file on its way in, and what is said of it
 *   uploads.c  a file that was sent, until it is imported
 *   batches.c  what the runs of an upload made, taken back
 *   exports.c  a file that was made, until it is fetched
 *   metrics.c  figures for a monitor
 *   timer.c    what it does by itself: rules of the template, reports
 *   daemon.c   life: open, lock, live sync, signals
 */
#ifndef SAT_HTTP_DAEMON_INT_H
#define SAT_HTTP_DAEMON_INT_H

#include <pthread.h>
#include <stdatomic.h>

#include "client/http/daemon.h"
#include "common/crypto/spool.h"
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
 * everything again. r: who waits (NULL: somebody who stays), looked at once a
 * second.
 * @return false when it was stopped, or whoever waited has left.
 */
bool events_wait(sat_buf *out, uint64_t *next, events *ev, uint64_t since,
    const char *types, int wait_ms, bool sse, const sat_http_request *r);
/* GET /v1/events */
struct daemon_;
void events_answer(struct daemon_ *d, sat_http_response *out,
    const sat_http_request *r);

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
	atomic_bool wiped;        /* the server ordered it: this is the end */
	struct job *jobs;         /* those that have a name */
	atomic_bool stopping;
	pthread_mutex_t turn;     /* one session at a time */
	pthread_mutex_t gate;     /* one opens or leaves the replica at a time */
	int64_t conflicts, rejected; /* worker: as last told */
	pthread_t timer;
	bool timer_runs;
	pthread_cond_t timer_cond; /* with mtx */
	bool timer_stop;           /* under mtx */
	session_book sessions;     /* under mtx */
	uint8_t *spool_key;        /* under mtx; NULL = locked */
	char *spool_dir;           /* set once, before requests */
	pthread_mutex_t docs;      /* one changes what is known of an upload */
	struct work *works;        /* under mtx: of this daemon's life */
	pthread_cond_t work_cond;  /* with mtx, monotonic: one of them ended */
} daemon_;

/* Enter and leave a job that uses the replica off the worker; false: locked. */
bool daemon_enter(daemon_ *d);
void daemon_leave(daemon_ *d);
/* A session or a question ended so: when it brought an order to wipe this device,
 * the daemon ends, and whoever opened the replica destroys it. */
void daemon_refused(daemon_ *d, sat_rc rc, const sat_err *e);
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
	char *scope;              /* of its token; NULL = every kind */
	const char *lang;         /* NULL = the daemon's own */
	sat_json *query, *body, *out;
	bool made;                /* something, which can be looked at there: */
	char where[120];          /* or "" */
	sat_err err;
	sat_rc rc;
	sat_asking *asking;       /* what it has to ask the server; NULL = nothing */
	atomic_bool cancelled;
	bool files;               /* it may name files of this computer: it came
	                           * through the socket, or is the daemon's own */
	bool keeps_file;          /* what it writes as a file is wanted: out_fd */
	bool streams;             /* lines are wanted as they come */
	bool parts;               /* and long lists of the answer in parts */
	struct work *work;        /* it is told what comes; NULL = nobody asked */
	int out_fd;               /* of a work: what it wrote as a file; -1 */
	/* under mtx, when it streams */
	pthread_mutex_t mtx;
	pthread_cond_t cond;
	sat_buf lines;
	size_t sent;              /* bytes at the begin of lines */
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

/* ---- book.c: files in <replica>/spool, each under a key of its own ---- */
#define BOOK_ID_TEXT 25           /* 24 digits */
#define BOOK_KEPT_MS ((int64_t)86400000)
/* With the replica open: its key, the folder, and what is too old goes. */
sat_rc book_open(daemon_ *d, sat_err *e);
void book_close(daemon_ *d);      /* its key is wiped */
void book_draw(char id[BOOK_ID_TEXT], const daemon_ *d);
bool book_is_id(const char *text);
/* What is older than a day goes. */
void book_purge(daemon_ *d);
/* One of them to be written and read; `what`: "file", "errors". */
sat_rc book_create(sat_spool_out **o, daemon_ *d, const char *id,
    const char *what, sat_err *e);
sat_rc book_read(sat_spool_in **in, daemon_ *d, const char *id,
    const char *what, sat_err *e);
/* Its bytes in memory the kernel lends; SAT_ENOSPACE. */
sat_rc book_unseal(int *fd, daemon_ *d, const char *id, const char *what,
    sat_err *e);
/* What is in fd from its begin on. */
sat_rc book_seal(daemon_ *d, const char *id, const char *what, int fd,
    sat_err *e);
/* A document; `what`: "job", "import"; one writer at a time. SAT_EINVALID: book_get would not read it;
 * what was there before stays. */
sat_rc book_put(daemon_ *d, const char *id, const char *what,
    const sat_json *doc, sat_err *e);
/* SAT_ENOTFOUND. */
sat_rc book_get(sat_json **doc, daemon_ *d, const char *id, const char *what,
    sat_err *e);
void book_drop(daemon_ *d, const char *id); /* all of it */
void book_remove(daemon_ *d, const char *id, const char *what);
/* Every document of this sort, in no order. */
void book_each(daemon_ *d, const char *what,
    void (*cb)(void *u, const char *id, const sat_json *doc), void *u);
/* The answer is this file, as it is read. */
sat_rc book_send(sat_http_response *out, daemon_ *d, const char *id,
    const char *what, sat_err *e);

/* ---- work.c ---- */
typedef struct work work;
#define WORK_REQUEST_TEXT 33
typedef struct work_order {
	/* What asked for it; its Idempotency-Key names the job for a day. */
	const sat_http_request *asked;
	const char *kind;         /* "import", "export", "sync" */
	const char *subject;      /* what it is done to; NULL */
	const char *method, *path;
	sat_json *query, *body;   /* taken */
	bool files;               /* they name files of the daemon's own */
	const char *lang;
	int in_fd;                /* closed when it is over; -1 */
	char *folder;             /* taken: goes with all that is in it; NULL */
	/* Before it counts as over, with what came of it; a failure is the
	 * work's. */
	sat_rc (*finish)(daemon_ *d, const char *subject, const char *id,
	    job *j, sat_err *e);
	/* On the worker: an import is about to make this batch durable; a failure
	 * ends it before. NULL */
	sat_rc (*batch)(daemon_ *d, const char *subject, const char *batch,
	    sat_err *e);
} work_order;
/* Begin it; id is its name from now on, or that of the job the same
 * Idempotency-Key asked for a moment ago. SAT_EBUSY: too many, or the subject is
 * being worked at. SAT_ECONFLICT "request.reused": that key asked for another. */
sat_rc work_start(char id[BOOK_ID_TEXT], daemon_ *d, work_order *o, sat_err *e);
/* Is a job at this? Which one. */
bool work_at(char id[BOOK_ID_TEXT], daemon_ *d, const char *subject);
/* Is one running, or waiting to? */
bool work_any(daemon_ *d);
/* From job.c, on whatever thread runs it. */
void work_begun(work *w);
void work_line(work *w, const sat_json *line);
sat_rc work_batch(work *w, const char *batch, sat_err *e);
/* What is known of it; the caller's. wait_s: until it is over. SAT_ENOTFOUND. */
sat_rc work_look(sat_json **doc, daemon_ *d, const char *id, int wait_s,
    sat_err *e);
/* After the start of a daemon: what the one before it did not end. */
void work_recover(daemon_ *d);
/* The ones of the spool, in the state memory has them in; the caller's.
 * SAT_ELOCKED. */
sat_rc work_list(sat_json **out, daemon_ *d, sat_err *e);
/* It ends; or, when it is over already, it is forgotten. SAT_ENOTFOUND. */
sat_rc work_drop(daemon_ *d, const char *id, sat_err *e);

/* ---- again.c ---- */
/* "" without an Idempotency-Key. */
void again_of(char text[WORK_REQUEST_TEXT], const sat_http_request *r);
/* Two such texts, of requests: were they sent under one key? */
bool again_same_key(const char *a, const char *b);
/* And are they one request? SAT_ECONFLICT "request.reused". */
sat_rc again_one_thing(const char *a, const char *b, sat_err *e);
/* Was a job asked for before, by the same Idempotency-Key? Then that is the answer;
 * or, when it was another one, that the key was used. */
bool work_again(daemon_ *d, sat_http_response *out, const sat_http_request *r);

/* ---- jobs.c ---- */
/* GET /v1/jobs, GET and DELETE /v1/jobs/{id}; POST /v1/sync/run of somebody who
 * does not wait for lines. false: it is none of them. */
bool work_route(daemon_ *d, sat_http_response *out, const sat_http_request *r);
/* 202, or 200 when it is over within the query's `wait`. */
void work_answer(daemon_ *d, sat_http_response *out,
    const sat_http_request *r, const char *id);

/* ---- upload_in.c ---- */
bool upload_begin(daemon_ *d, sat_http_sink *sink, const sat_http_request *r);
/* POST of a file, which is in r->upload or was short enough for memory. */
void upload_post(daemon_ *d, sat_http_response *out, const sat_http_request *r);
bool upload_is_json(const sat_http_request *r);
/* Members of `from` into `to`, as the types they have; null takes one away.
 * @return SAT_EUSAGE: it is no option of an import. */
sat_rc upload_options(sat_json *to, const sat_json *from, sat_err *e);

/* ---- batches.c: what the runs of an upload made ---- */
/* The newest one, from now on, and the last of `batches`; docs held. */
void batches_add(sat_json *doc, const char *batch);
/* What cannot be noted must not be made. SAT_OK also when nothing is known of the
 * upload any more: an erasure emptied the spool. */
sat_rc batches_note(daemon_ *d, const char *id, const char *batch, sat_err *e);
/* The newest of them that was made; NULL: none was. Borrowed from doc. */
const char *batches_newest(daemon_ *d, const sat_json *doc);
/* SAT_ECONFLICT "import.not_run" */
void batches_none(sat_http_response *out);
/* All of them taken back, as one: the route table's answer. */
void batches_undo(daemon_ *d, sat_http_response *out, const sat_json *doc,
    const sat_http_request *r, const char *scope);

/* ---- uploads.c, exports.c: what waits below /v1/imports and /v1/exports ---- */
bool upload_route(daemon_ *d, sat_http_response *out, const sat_http_request *r,
    const char *scope);
/* attach.c: what is below /v1/attachments. */
bool attach_begin(daemon_ *d, sat_http_sink *sink, const sat_http_request *r);
bool attach_route(daemon_ *d, sat_http_response *out, const sat_http_request *r);
/* What a job wrote as a file (out_fd), from its begin on. SAT_EIO. */
sat_rc door_read(sat_buf *b, int fd, sat_err *e);
/* What a killed daemon left in memory. */
void export_sweep(daemon_ *d);
bool export_route(daemon_ *d, sat_http_response *out, const sat_http_request *r);

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
void put_json(sat_http_response *out, const sat_json *doc);
/* Members of the query; the caller's. */
sat_json *query_of(const sat_http_request *r);
/* A body that is one JSON object, or none: then an empty one. SAT_EUSAGE. */
sat_rc body_of(sat_json **body, const sat_http_request *r, sat_err *e);
/* null says as much as no member: it is one no more. */
void drop_null(sat_json *obj, const char *member);
/* "zh", "en", or NULL: the daemon's own. */
const char *lang_of(const sat_http_request *r);
/* May the acting user do what this route does? Asked of the worker, unless a job
 * has it: then what follows is a job too, and will be told. */
sat_rc door_allowed(daemon_ *d, const char *method, const char *path, sat_err *e);

/* Run it and answer with what came of it. */
void door_run(sat_http_response *out, job *j, const sat_http_request *r);
/* If-None-Match (NULL: not sent): "v" of one tag, or "*". */
bool door_same_tag(const char *header, const char *v);
/* form.c */
bool form_route(daemon_ *d, sat_http_response *out, const sat_http_request *r);
/* copy.c: what a person may have of himself. scope: of its token. */
bool copy_route(daemon_ *d, sat_http_response *out, const sat_http_request *r,
    const char *scope);
/* The route table's answer to this request. */
void to_api(daemon_ *d, sat_http_response *out, const sat_http_request *r,
    const char *scope);

bool door_upload(void *u, sat_http_sink *sink, const sat_http_request *r);
void door_handle(void *u, sat_http_response *out, const sat_http_request *r);

#endif
