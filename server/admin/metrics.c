/*
 * What a monitor reads over HTTP: /metrics (Prometheus text), /healthz (the
 * process lives), /readyz (it can commit). Numbers and reasons, nobody's name:
 * whoever reaches the port may read it, so it belongs on the loopback or behind
 * a proxy.
 *
 * Figures of the store are taken on the relay's worker, and some of them look
 * at every record: they are taken again only after a hundred times the time it
 * took (and FRESH_MS), so that a monitor costs the server a hundredth of its
 * one thread however often it asks.
 */
#include "server/admin/admin_int.h"

#include "common/base/metrics.h"
#include "common/http/http.h"
#include "protocol/look.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FRESH_MS 5000
#define SHARE 100 /* a hundredth of the worker's time */
#define READY_MS 10000

struct monitor {
	sat_admin *a;
	sat_http *http;
	pthread_mutex_t mtx; /* one connection looks at a time */
	/* under mtx */
	sat_buf store;       /* figures of the store, as printed last */
	int64_t again_ms;    /* boot time: they may be taken again */
	bool ready;
	int64_t ready_ms;    /* the same of /readyz */
};

sat_rc
monitor_address(char host[64], unsigned *port, const char *text, sat_err *e)
{
	const char *colon = strrchr(text, ':');
	size_t n = colon != NULL ? (size_t)(colon - text) : 0;
	char *end = NULL;
	unsigned long v = colon != NULL ? strtoul(colon + 1, &end, 10) : 0;

	if (n == 0 || n >= 64 || end == colon + 1 || *end != '\0' || v > 65535)
		return sat_fail_code(e, SAT_EINVALID, "config.value",
		    "for example 127.0.0.1:9464 or [::1]:9464",
		    "metrics %.80s is no address with a port", text);
	if (text[0] == '[' && text[n - 1] == ']') {
		text++;
		n -= 2;
	}
	memcpy(host, text, n);
	host[n] = '\0';
	*port = (unsigned)v;
	return SAT_OK;
}

/* ---- the store's, on the worker ------------------------------------------------------- */

static bool
count_conflict(void *u, const sat_look_conflict *x)
{
	(void)x;
	++*(int64_t *)u;
	return true;
}

static bool
put_refusal(void *u, sat_span slug, uint64_t n)
{
	char reason[64];

	(void)snprintf(reason, sizeof reason, "%.*s", (int)slug.n,
	    (const char *)slug.p);
	sat_metric_labelled(u, "satcheld_refused_total", "reason", reason,
	    (int64_t)n);
	return true;
}

static sat_rc
put_log(sat_buf *b, sat_admin *a, sat_err *e)
{
	uint64_t late, opened;
	int64_t open = 0;
	sat_sqlite_status s;
	sat_rc rc;

	if ((rc = sat_sqlite_status_get(&s, a->store, e)) != SAT_OK ||
	    (rc = sat_sqlite_verdicts(&late, &opened, a->store, e)) != SAT_OK ||
	    (rc = sat_server_conflicts(a->core, count_conflict, &open, e)) !=
	    SAT_OK)
		return rc;
	sat_metric_one(b, "satcheld_lsn", "gauge",
	    "last position of the log", (int64_t)s.lsn);
	sat_metric_one(b, "satcheld_lsn_durable", "gauge",
	    "last position a verified backup has", (int64_t)s.durable);
	sat_metric_one(b, "satcheld_records", "gauge", "records stored",
	    (int64_t)s.records);
	sat_metric_one(b, "satcheld_invitations", "gauge",
	    "invitations that are open", (int64_t)s.invites);
	sat_metric_one(b, "satchel_conflicts_open", "gauge",
	    "values a person has to decide between", open);
	sat_metric_one(b, "satcheld_conflicts_opened_total", "counter",
	    "commits that opened a conflict", (int64_t)opened);
	sat_metric_one(b, "satcheld_late_total", "counter",
	    "commits merged after their author had lost the record",
	    (int64_t)late);
	sat_metric(b, "satcheld_refused_total", "counter",
	    "commits that went back to their devices");
	return sat_sqlite_refusals(a->store, put_refusal, b, e);
}

static sat_rc
put_devices(sat_buf *b, sat_admin *a, sat_err *e)
{
	static const char name[] = "satcheld_devices";
	admin_devices d;
	admin_webhooks h;
	uint64_t pending;
	sat_rc rc;

	if ((rc = admin_devices_are(&d, a, e)) != SAT_OK ||
	    (rc = admin_erasures_pending(&pending, a, e)) != SAT_OK ||
	    (rc = admin_webhooks_are(&h, a, e)) != SAT_OK)
		return rc;
	sat_metric(b, name, "gauge", "devices by state; each is in one");
	sat_metric_labelled(b, name, "state", "live", (int64_t)d.live);
	sat_metric_labelled(b, name, "state", "late", (int64_t)d.late);
	sat_metric_labelled(b, name, "state", "revoked", (int64_t)d.revoked);
	sat_metric_one(b, "satcheld_devices_behind", "gauge",
	    "devices with another template than they are due",
	    (int64_t)d.behind);
	sat_metric_one(b, "satcheld_devices_diverged", "gauge",
	    "devices that had to be sent records again", (int64_t)d.diverged);
	sat_metric_time(b, "satcheld_oldest_contact_timestamp_seconds",
	    "the device that is silent for longest was heard of then",
	    d.oldest_ms);
	sat_metric_one(b, "satcheld_erasures_pending", "gauge",
	    "confirmations of devices that are missing", (int64_t)pending);
	sat_metric(b, "satcheld_webhook_events", "gauge",
	    "events services were not told yet, or never took");
	sat_metric_labelled(b, "satcheld_webhook_events", "state", "waiting",
	    (int64_t)h.waiting);
	sat_metric_labelled(b, "satcheld_webhook_events", "state", "dead",
	    (int64_t)h.dead);
	return SAT_OK;
}

typedef struct looking {
	monitor *m;
	bool ran;
	int64_t took_ms;
	sat_rc rc;
	sat_err e;
} looking;

static void
take_figures(void *u)
{
	looking *l = u;
	sat_admin *a = l->m->a;
	int64_t began = sat_boot_ms(&a->clock);

	l->ran = true;
	sat_buf_reset(&l->m->store);
	if ((l->rc = put_log(&l->m->store, a, &l->e)) == SAT_OK)
		l->rc = put_devices(&l->m->store, a, &l->e);
	sat_metric_time(&l->m->store, "satcheld_backup_timestamp_seconds",
	    "the last verified backup; 0 = never", admin_backup_last(a));
	l->took_ms = sat_boot_ms(&a->clock) - began;
}

/* Under mtx. */
static sat_rc
refresh(monitor *m, sat_err *e)
{
	looking l = { .m = m };
	int64_t now = sat_boot_ms(&m->a->clock);

	if (now < m->again_ms)
		return SAT_OK;
	sat_relay_call(m->a->relay, take_figures, &l);
	if (!l.ran)
		return sat_fail(e, SAT_EUNREACHABLE, "the server is ending");
	m->again_ms = l.rc != SAT_OK ? 0 : sat_boot_ms(&m->a->clock) +
	    (l.took_ms * SHARE > FRESH_MS ? l.took_ms * SHARE : FRESH_MS);
	if (l.rc != SAT_OK && e != NULL)
		*e = l.e;
	return l.rc;
}

/* ---- the relay's and the machine's, at once -------------------------------------------- */

static void
put_relay(sat_buf *b, sat_admin *a)
{
	sat_relay_stats s;

	sat_relay_stats_get(&s, a->relay);
	sat_metric_time(b, "satcheld_start_timestamp_seconds",
	    "when it began to serve", a->since_ms);
	sat_metric_one(b, "satcheld_links", "gauge", "connections now",
	    s.net.links);
	sat_metric_one(b, "satcheld_links_waiting", "gauge",
	    "connections that wait for news", (int64_t)s.parked);
	sat_metric_one(b, "satcheld_links_total", "counter",
	    "connections taken", (int64_t)s.net.accepted);
	sat_metric_one(b, "satcheld_links_refused_total", "counter",
	    "connections turned away by a cap", (int64_t)s.net.refused);
	sat_metric_one(b, "satcheld_requests_total", "counter",
	    "requests of devices answered", (int64_t)s.requests);
	sat_metric_one(b, "satcheld_queue_max", "gauge",
	    "most requests that ever waited", (int64_t)s.queue_max);
	sat_metric(b, "satcheld_bytes_total", "counter",
	    "bytes of requests and answers");
	sat_metric_labelled(b, "satcheld_bytes_total", "direction", "in",
	    (int64_t)s.net.bytes_in);
	sat_metric_labelled(b, "satcheld_bytes_total", "direction", "out",
	    (int64_t)s.net.bytes_out);
	sat_metric_hist(b, "satchel_merge_seconds",
	    "one durable transaction of pushes: check, merge, write",
	    &s.merge);
	sat_metric_hist(b, "satcheld_ack_seconds",
	    "a push from its arrival to its verdicts", &s.ack);
}

static void
put_disk(sat_buf *b, const sat_admin *a)
{
	sat_metric_one(b, "satcheld_database_bytes", "gauge",
	    "size of the database", admin_file_bytes(a, "server.db"));
	sat_metric_one(b, "satcheld_wal_bytes", "gauge",
	    "size of its write-ahead log",
	    admin_file_bytes(a, "server.db-wal"));
	sat_metric_one(b, "satcheld_free_bytes", "gauge",
	    "room where the folder lies", admin_free_bytes(a->dir));
}

static void
answer_metrics(monitor *m, sat_http_response *out)
{
	sat_err e = { 0 };
	sat_rc rc;

	out->type = SAT_METRICS_TYPE;
	sat_metric_build(&out->body, "satcheld_build_info", SAT_PROTO_VERSION);
	put_relay(&out->body, m->a);
	put_disk(&out->body, m->a);
	pthread_mutex_lock(&m->mtx);
	rc = refresh(m, &e);
	sat_buf_add(&out->body, m->store.p, m->store.n);
	pthread_mutex_unlock(&m->mtx);
	/* What could be read is shown; that something could not, too. */
	sat_metric_one(&out->body, "satcheld_store_readable", "gauge",
	    "0: the figures of the store could not be taken", rc == SAT_OK);
}

/* ---- health ---------------------------------------------------------------------------- */

static void
commit_one(void *u)
{
	looking *l = u;
	char text[24];

	(void)snprintf(text, sizeof text, "%lld",
	    (long long)sat_wall_ms(&l->m->a->clock));
	l->ran = true;
	l->rc = sat_sqlite_setting_put(l->m->a->store, "ready_at",
	    sat_span_str(text), &l->e);
}

/* A durable row at most every READY_MS: nothing less says that it can commit. */
static void
answer_ready(monitor *m, sat_http_response *out)
{
	looking l = { .m = m };
	sat_relay_stats rs;
	int64_t now = sat_boot_ms(&m->a->clock);
	bool ready;

	sat_relay_stats_get(&rs, m->a->relay);
	pthread_mutex_lock(&m->mtx);
	if (!rs.draining && (!m->ready || now >= m->ready_ms)) {
		sat_relay_call(m->a->relay, commit_one, &l);
		m->ready = l.ran && l.rc == SAT_OK;
		m->ready_ms = now + READY_MS;
	}
	ready = m->ready && !rs.draining;
	pthread_mutex_unlock(&m->mtx);
	out->status = ready ? 200 : 503;
	sat_buf_str(&out->body, ready ? "ready\n" : rs.draining ?
	    "draining\n" : "cannot commit\n");
}

static void
handle(void *u, sat_http_response *out, const sat_http_request *r)
{
	monitor *m = u;

	out->type = "text/plain; charset=utf-8";
	if (strcmp(r->method, "GET") != 0) {
		out->status = 405;
	} else if (strcmp(r->path, "/metrics") == 0) {
		answer_metrics(m, out);
	} else if (strcmp(r->path, "/healthz") == 0) {
		sat_buf_str(&out->body, "ok\n");
	} else if (strcmp(r->path, "/readyz") == 0) {
		answer_ready(m, out);
	} else {
		out->status = 404;
	}
}

sat_rc
monitor_start(monitor **out, sat_admin *a, const char *address, sat_err *e)
{
	monitor *m = sat_xcalloc(1, sizeof *m);
	char host[64];
	sat_http_opts o = { .tcp = true, .tcp_host = host, .handle = handle,
		.u = m };
	sat_rc rc;

	*out = NULL;
	m->a = a;
	(void)pthread_mutex_init(&m->mtx, NULL);
	if ((rc = monitor_address(host, &o.tcp_port, address, e)) != SAT_OK ||
	    (rc = sat_http_serve(&m->http, &o, e)) != SAT_OK) {
		free(m);
		return rc;
	}
	*out = m;
	return SAT_OK;
}

unsigned
monitor_port(const monitor *m)
{
	return m != NULL ? sat_http_port(m->http) : 0;
}

void
monitor_stop(monitor *m)
{
	if (m != NULL)
		sat_http_stop(m->http);
}
