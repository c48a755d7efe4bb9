/*
 * The daemon's life.
 *
 * Invariants:
 *   D1  only the worker touches the replica; what runs elsewhere (live sync,
 *       sync on request) hands it single transactions
 *   D2  one session with the server at a time (`turn`)
 *   D3  the replica is closed when nobody uses it any more: live sync has
 *       ended, network jobs have left, and the closing itself is the worker's
 *   D4  it is opened or closed by one at a time (`gate`): two that locked, or
 *       one that locked while the daemon ended, waited for the same thread
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/http/daemon_int.h"
#include "common/base/log.h"
#include "common/crypto/keyring.h"
#include "client/sync/wipe.h"

/* ---- what is carried to the worker ------------------------------------------------ */

static void
on_call(void *cu, void (*fn)(void *arg), void *arg)
{
	metrics_call(cu, fn, arg);
}

static void
on_turn(void *cu, bool begin)
{
	daemon_ *d = cu;

	if (begin)
		pthread_mutex_lock(&d->turn);
	else
		pthread_mutex_unlock(&d->turn);
}

/* `sync --watch` of somebody who asks us: what live sync does, is told. */
static sat_rc
on_watch(sat_api *api, sat_err *e)
{
	daemon_ *d = api->watch_u;
	uint64_t since = events_last(d->ev);

	(void)e;
	while (!api->interrupted(api->u)) {
		sat_buf b = { 0 };
		sat_json *list = NULL;
		sat_buf text = { 0 };
		bool on = events_wait(&b, &since, d->ev, since, "sync", 250,
		    false, NULL);

		sat_buf_fmt(&text, "[%s]", b.n > 0 ? sat_buf_cstr(&b) : "");
		if (sat_json_parse(&list, sat_buf_span(&text), 0, NULL) ==
		    SAT_OK)
			for (const sat_json *x = sat_json_first(list);
			     x != NULL; x = sat_json_next(x))
				api->event(api->u, sat_json_get(x, "event"));
		sat_json_free(list);
		sat_buf_fini(&text);
		sat_buf_fini(&b);
		if (!on)
			break;
	}
	return SAT_OK;
}

void
daemon_api(sat_api *out, daemon_ *d)
{
	*out = d->api;
	out->out_fd = -1; /* its own standard output is a log's, or nobody's */
	out->sync.call = on_call;
	out->sync.turn = on_turn;
	out->sync.cu = d;
	pthread_mutex_lock(&d->mtx);
	out->live = d->live;
	pthread_mutex_unlock(&d->mtx);
	out->watch = out->live != NULL ? on_watch : NULL;
	out->watch_u = d;
}

bool
daemon_enter(daemon_ *d)
{
	bool in;

	pthread_mutex_lock(&d->mtx);
	in = !d->locking && d->api.crm.replica != NULL;
	d->busy += in;
	pthread_mutex_unlock(&d->mtx);
	return in;
}

void
daemon_leave(daemon_ *d)
{
	pthread_mutex_lock(&d->mtx);
	d->busy--;
	pthread_cond_broadcast(&d->cond);
	pthread_mutex_unlock(&d->mtx);
}

void
daemon_refused(daemon_ *d, sat_rc rc, const sat_err *e)
{
	if (rc != SAT_EREVOKED || strcmp(e->code, SAT_CODE_WIPE) != 0 ||
	    atomic_exchange(&d->wiped, true))
		return;
	(void)kill(getpid(), SIGTERM); /* wait_for_the_end takes it */
}

void
daemon_nudge(daemon_ *d)
{
	pthread_mutex_lock(&d->mtx);
	if (d->live != NULL)
		sat_live_nudge(d->live);
	pthread_mutex_unlock(&d->mtx);
}

void
daemon_tell_inbox(daemon_ *d)
{
	sat_replica_status s;
	sat_json *x;

	if (d->api.crm.replica == NULL || sat_replica_status_get(&s,
	    d->api.crm.replica, NULL) != SAT_OK)
		return;
	if (s.conflicts == d->conflicts && s.quarantined == d->rejected)
		return;
	d->conflicts = s.conflicts;
	d->rejected = s.quarantined;
	x = sat_json_obj();
	sat_json_put_int(x, "conflicts", s.conflicts);
	sat_json_put_int(x, "rejected", s.quarantined);
	events_add(d->ev, "inbox", x);
}

/* ---- live sync ---------------------------------------------------------------------- */

static void
tell_inbox(void *arg)
{
	daemon_tell_inbox(arg);
}

static void
exchanged(void *u, const sat_sync_result *r)
{
	daemon_ *d = u;
	const sat_cs_stats *s = &r->stats;
	sat_json *x;

	if (s->pushed + s->pulled_commits + s->records + s->rescopes == 0 &&
	    !s->template_changed && !s->registry_changed)
		return;
	x = sat_json_obj();
	sat_api_sync_put(x, r);
	events_add(d->ev, "sync", x);
	if (r->stats.template_changed)
		events_add(d->ev, "template", sat_json_obj());
	(void)worker_call(d->w, tell_inbox, d);
}

static void *
run_live(void *u)
{
	daemon_ *d = u;
	sat_err e = { 0 };
	sat_rc rc = sat_live_run(d->live, d->api.crm.replica, &e);

	daemon_refused(d, rc, &e);
	if (rc != SAT_OK)
		sat_log(SAT_WARN, "DAEMON-SYNC-ENDED", "rc=%d text=%s",
		    (int)rc, e.text);
	return NULL;
}

static void
start_live(daemon_ *d)
{
	sat_sync_opts o = d->api.sync;

	if (d->o.no_sync ||
	    sat_replica_identity_get(d->api.crm.replica)->device == 0 ||
	    sat_replica_is_demo(d->api.crm.replica))
		return;
	o.call = on_call;
	o.turn = on_turn;
	o.cu = d;
	pthread_mutex_lock(&d->mtx);
	d->live = sat_live_new(&o, exchanged, d);
	if (pthread_create(&d->live_thread, NULL, run_live, d) != 0) {
		sat_live_free(d->live);
		d->live = NULL;
		sat_log(SAT_ERROR, "DAEMON-NO-THREAD", "what=sync");
	}
	pthread_mutex_unlock(&d->mtx);
}

static void
stop_live(daemon_ *d)
{
	sat_live *l;

	pthread_mutex_lock(&d->mtx);
	l = d->live;
	pthread_mutex_unlock(&d->mtx);
	if (l == NULL)
		return;
	sat_live_stop(l);
	(void)pthread_join(d->live_thread, NULL);
	pthread_mutex_lock(&d->mtx);
	d->live = NULL;
	pthread_mutex_unlock(&d->mtx);
	sat_live_free(l);
}

/* ---- open and close ------------------------------------------------------------------- */

typedef struct opening {
	daemon_ *d;
	sat_span passphrase;
	sat_err *e;
	sat_rc rc;
} opening;

static void
open_there(void *arg)
{
	opening *x = arg;
	sat_err e = { 0 };

	/* The worker's working directory is its own: a request names files
	 * relative to the one who asks. Without it names must be absolute. */
	(void)unshare(CLONE_FS);
	x->rc = x->d->o.open(x->d->o.u, &x->d->api, x->passphrase, x->e);
	if (x->rc == SAT_OK && book_open(x->d, &e) != SAT_OK)
		sat_log(SAT_WARN, "SPOOL-CLOSED", "text=%s", e.text);
}

static void
close_there(void *arg)
{
	daemon_ *d = arg;
	sat_api api = d->api;

	pthread_mutex_lock(&d->mtx);
	d->api.crm.replica = NULL;
	d->api.keyring = NULL;
	pthread_mutex_unlock(&d->mtx);
	book_close(d);
	if (api.crm.replica != NULL)
		d->o.close(d->o.u, &api);
}

/* D3. gate held. */
static void
leave_replica(daemon_ *d)
{
	pthread_mutex_lock(&d->mtx);
	d->locking = true;
	pthread_mutex_unlock(&d->mtx);
	job_cancel_all(d);
	stop_live(d);
	pthread_mutex_lock(&d->mtx);
	while (d->busy > 0)
		pthread_cond_wait(&d->cond, &d->mtx);
	pthread_mutex_unlock(&d->mtx);
	(void)worker_call(d->w, close_there, d);
}

sat_rc
daemon_lock(daemon_ *d, sat_err *e)
{
	bool in;

	pthread_mutex_lock(&d->gate); /* D4 */
	if ((in = daemon_enter(d))) {
		daemon_leave(d);
		leave_replica(d);
		sessions_lock(d);
	}
	pthread_mutex_unlock(&d->gate);
	if (!in)
		return sat_fail_code(e, SAT_ELOCKED, "daemon.locked", NULL,
		    "the daemon is locked already");
	events_add(d->ev, "lock", sat_json_obj());
	return SAT_OK;
}

/* gate held. */
static sat_rc
enter_replica(daemon_ *d, sat_span passphrase, sat_err *e)
{
	opening x = { d, passphrase, e, SAT_EFAIL };
	bool open;

	pthread_mutex_lock(&d->mtx);
	open = d->api.crm.replica != NULL;
	pthread_mutex_unlock(&d->mtx);
	if (open)
		return sat_fail_code(e, SAT_ECONFLICT, "daemon.unlocked", NULL,
		    "the daemon is not locked");
	if (atomic_load(&d->stopping) || !worker_call(d->w, open_there, &x))
		return sat_fail(e, SAT_EUNREACHABLE, "the daemon is ending");
	if (x.rc != SAT_OK)
		return x.rc;
	pthread_mutex_lock(&d->mtx);
	d->locking = false;
	pthread_mutex_unlock(&d->mtx);
	work_recover(d);
	start_live(d);
	events_add(d->ev, "lock", sat_json_obj());
	return SAT_OK;
}

sat_rc
daemon_unlock(daemon_ *d, sat_span passphrase, sat_err *e)
{
	sat_rc rc;

	pthread_mutex_lock(&d->gate); /* D4 */
	rc = enter_replica(d, passphrase, e);
	pthread_mutex_unlock(&d->gate);
	return rc;
}

static void
set_passphrase_there(void *arg)
{
	opening *x = arg;
	sat_secret_in secret = { .type = SAT_SLOT_PASSPHRASE,
		.bytes = x->passphrase };

	x->rc = x->d->api.keyring == NULL
	    ? sat_fail_code(x->e, SAT_ELOCKED, "daemon.locked", NULL,
	          "the daemon is locked")
	    : sat_keyring_set_slot(x->d->api.keyring, &secret, x->e);
}

sat_rc
daemon_passphrase(daemon_ *d, sat_span passphrase, sat_err *e)
{
	opening x = { d, passphrase, e, SAT_EFAIL };

	return worker_call(d->w, set_passphrase_there, &x) ? x.rc :
	    sat_fail(e, SAT_EUNREACHABLE, "the daemon is ending");
}

/* ---- serve ------------------------------------------------------------------------------ */

static void
wait_for_the_end(const sigset_t *set)
{
	int sig;

	do
		(void)sigwait(set, &sig);
	while (sig == SIGHUP);
	sat_log(SAT_INFO, "DAEMON-END", "signal=%d", sig);
}

/* Whole at once: a reader that waits for the file finds the number in it. */
static sat_rc
tell_port(const daemon_ *d, sat_err *e)
{
	char *tmp;
	FILE *f;
	bool good;

	if (d->o.port_file == NULL)
		return SAT_OK;
	tmp = sat_xasprintf("%s.tmp", d->o.port_file);
	f = fopen(tmp, "we");
	good = f != NULL && fprintf(f, "%u\n", sat_http_port(d->http)) > 0;
	if (f != NULL && fclose(f) != 0)
		good = false;
	good = good && rename(tmp, d->o.port_file) == 0;
	free(tmp);
	return good ? SAT_OK : sat_fail(e, SAT_EIO, "cannot write %s: %s",
	    d->o.port_file, strerror(errno));
}

static void
daemon_init(daemon_ *d, const sat_daemon_opts *o)
{
	pthread_condattr_t monotonic;

	memset(d, 0, sizeof *d);
	d->o = *o;
	d->ev = events_new();
	(void)pthread_mutex_init(&d->mtx, NULL);
	(void)pthread_cond_init(&d->cond, NULL);
	(void)pthread_mutex_init(&d->turn, NULL);
	(void)pthread_mutex_init(&d->gate, NULL);
	(void)pthread_mutex_init(&d->docs, NULL);
	(void)pthread_cond_init(&d->timer_cond, NULL);
	(void)pthread_condattr_init(&monotonic);
	(void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&d->work_cond, &monotonic);
	(void)pthread_condattr_destroy(&monotonic);
}

sat_rc
sat_daemon_run(const sat_daemon_opts *o, sat_span passphrase, sat_err *e)
{
	static daemon_ d; /* threads may look at it until the process ends */
	sat_http *http = NULL;
	sat_http_opts h = { .socket_path = o->socket_path,
		.tcp = o->listen, .tcp_port = o->port,
		.handle = door_handle, .upload = door_upload, .u = &d };
	sigset_t set;
	sat_rc rc;

	daemon_init(&d, o);
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGHUP);
	(void)pthread_sigmask(SIG_BLOCK, &set, NULL); /* threads inherit it */
	(void)signal(SIGPIPE, SIG_IGN);
	if ((d.w = worker_start()) == NULL)
		return sat_fail(e, SAT_EFAIL, "cannot start a thread");
	rc = daemon_unlock(&d, passphrase, e);
	if (rc == SAT_OK)
		rc = sat_http_serve(&http, &h, e);
	pthread_mutex_lock(&d.mtx); /* somebody may be asking already */
	d.http = http;
	pthread_mutex_unlock(&d.mtx);
	if (rc == SAT_OK)
		rc = tell_port(&d, e);
	if (rc == SAT_OK) {
		o->ready(o->u);
		timer_start(&d);
		wait_for_the_end(&set);
	}
	atomic_store(&d.stopping, true);
	pthread_mutex_lock(&d.mtx); /* who waits for a job need not any more */
	pthread_cond_broadcast(&d.work_cond);
	pthread_mutex_unlock(&d.mtx);
	events_stop(d.ev);
	timer_stop(&d);
	pthread_mutex_lock(&d.gate); /* D4 */
	leave_replica(&d);
	pthread_mutex_unlock(&d.gate);
	sat_http_stop(d.http);
	if (o->port_file != NULL)
		(void)unlink(o->port_file);
	worker_stop(d.w);
	if (rc == SAT_OK && atomic_load(&d.wiped))
		rc = sat_wipe_gone(e);
	return rc;
}
