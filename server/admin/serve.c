/*
 * serve: links of devices, the admin socket, the monitor's port, signals; and
 * what changes it while it runs: reload, drain.
 *
 * Threads: NNG's, the relay's worker (the only one that touches the store), one
 * for admin.sock, one for signals, one that sends webhooks, those of the
 * monitor; this one waits.
 */
#include "server/admin/admin_int.h"

#include "common/base/file.h"
#include "common/base/log.h"
#include "server/hook/hook.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define DRAIN_MS 30000
#define DRAIN_MAX_MS ((int64_t)24 * 3600 * 1000)

/* What is in use; the strings are the settings' own copies. */
typedef struct in_use {
	char *listen, *advertise, *port_file, *metrics, *socket; /* NULL = none */
	unsigned links, links_per_address;
} in_use;

struct admin_serving {
	const sat_args *w;
	const char *config;
	bool must;
	in_use is;
	monitor *monitor;
	sat_hooks *hooks;
	int64_t drain_ms; /* boot time when a drain was asked for; 0 = never */
	bool drain_json;
};

static void
in_use_fini(in_use *s)
{
	free(s->listen);
	free(s->advertise);
	free(s->port_file);
	free(s->metrics);
	free(s->socket);
}

/* ---- settings -------------------------------------------------------------------- */

static char *
text(const sat_admin_settings *s, const sat_args *w, const char *key)
{
	const char *origin, *v = sat_admin_setting(s, w, key, &origin);

	return v != NULL ? sat_xstrdup(v) : NULL;
}

static sat_rc
number(unsigned *out, const sat_admin_settings *s, const sat_args *w,
    const char *key, sat_err *e)
{
	const char *origin, *v = sat_admin_setting(s, w, key, &origin);
	char *end = NULL;
	unsigned long n = strtoul(v, &end, 10);

	if (end == v || *end != '\0' || n < 1 || n > 1000000)
		return sat_fail_code(e, SAT_EUSAGE, "usage.option",
		    "a number from 1 to 1000000", "--%s %.40s", key, v);
	*out = (unsigned)n;
	return SAT_OK;
}

/* The file once more, under the options; out is empty after a failure. */
static sat_rc
settings(in_use *out, const admin_serving *v, sat_err *e)
{
	sat_admin_settings s;
	char host[64];
	unsigned port;
	sat_rc rc = sat_admin_settings_read(&s, v->config, v->must, e);

	*out = (in_use){ .links = 0 };
	if (rc == SAT_OK &&
	    (rc = number(&out->links, &s, v->w, "links", e)) == SAT_OK)
		rc = number(&out->links_per_address, &s, v->w,
		    "links-per-address", e);
	if (rc == SAT_OK) {
		out->listen = text(&s, v->w, "listen");
		out->advertise = text(&s, v->w, "advertise");
		out->port_file = text(&s, v->w, "port-file");
		out->metrics = text(&s, v->w, "metrics");
		out->socket = text(&s, v->w, "admin-socket");
	}
	if (rc == SAT_OK && out->metrics != NULL)
		rc = monitor_address(host, &port, out->metrics, e);
	sat_admin_settings_free(&s);
	if (rc != SAT_OK)
		in_use_fini(out);
	return rc;
}

static bool
differs(const char *a, const char *b)
{
	return (a == NULL) != (b == NULL) || (a != NULL && strcmp(a, b) != 0);
}

/* A link is a descriptor; the shell's usual limit is 1,024. */
static void
raise_descriptors(unsigned links)
{
	rlim_t want = (rlim_t)links + 1024;
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) != 0 || l.rlim_cur >= want)
		return;
	l.rlim_cur = want < l.rlim_max ? want : l.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &l);
	if (l.rlim_cur < want)
		sat_log(SAT_WARN, "SERVE-DESCRIPTORS", "limit=%llu wanted=%llu",
		    (unsigned long long)l.rlim_cur, (unsigned long long)want);
}

/* What invitations say: the address people were told, else the bound one. */
static sat_rc
address_set(sat_admin *a, const in_use *is, sat_err *e)
{
	const char *host = is->listen;

	if (is->advertise != NULL) {
		(void)snprintf(a->address, sizeof a->address, "%s",
		    is->advertise);
	} else {
		if (strncmp(host, "tcp://", 6) == 0)
			host += 6;
		(void)snprintf(a->address, sizeof a->address, "tcp://%.*s:%u",
		    (int)strcspn(host, ":"), host,
		    (unsigned)sat_relay_port(a->relay));
	}
	return sat_sqlite_setting_put(a->store, "address",
	    sat_span_str(a->address), e);
}

/* ---- reload ------------------------------------------------------------------------ */

sat_rc
admin_template_reread(bool *changed, sat_admin *a, sat_err *e)
{
	const uint8_t (*key)[SAT_SIGN_PK_BYTES] =
	    (const uint8_t (*)[SAT_SIGN_PK_BYTES])&a->keys.template_pk;
	sat_git_info info;
	sat_oid tip;
	bool on = false;
	sat_rc rc;

	*changed = false;
	if ((rc = sat_git_tip(&tip, a->git, SAT_ADMIN_BRANCH, e)) != SAT_OK ||
	    memcmp(tip.b, a->tip.b, sizeof tip.b) == 0)
		return rc;
	if ((rc = sat_git_verify_closure(a->git, &tip, e)) != SAT_OK ||
	    (rc = sat_git_commit_info(&info, a->git, &tip, key, 1, e)) !=
	    SAT_OK ||
	    (rc = sat_git_descends(&on, a->git, &tip, &a->tip, e)) != SAT_OK)
		return rc;
	if (!info.signature_ok || !on || admin_template_at(a, tip.b) == NULL)
		return sat_fail_code(e, SAT_EINVALID, "template.foreign",
		    "what is served stays; satcheld template verify",
		    "templates.git has a published template that is not ours, "
		    "not newer, or cannot be loaded");
	a->tip = a->canary = tip;
	a->template_rev++;
	*changed = true;
	return admin_rollout_load(a, e);
}

/* All is read before anything changes; what cannot change while it serves is
 * named. */
static sat_rc
reload(sat_admin *a, sat_json *doc, sat_err *e)
{
	admin_serving *v = a->serving;
	in_use now;
	bool template_changed;
	sat_json *names;
	sat_rc rc;

	if ((rc = settings(&now, v, e)) != SAT_OK)
		return rc;
	if ((rc = admin_template_reread(&template_changed, a, e)) != SAT_OK ||
	    (rc = sat_server_reload(a->core, e)) != SAT_OK) {
		in_use_fini(&now);
		return rc;
	}
	raise_descriptors(now.links);
	sat_relay_caps(a->relay, now.links, now.links_per_address);
	names = sat_json_put_arr(doc, "changed");
	if (now.links != v->is.links)
		sat_json_add_str(names, "links");
	if (now.links_per_address != v->is.links_per_address)
		sat_json_add_str(names, "links-per-address");
	if (differs(now.advertise, v->is.advertise))
		sat_json_add_str(names, "advertise");
	if (template_changed)
		sat_json_add_str(names, "template");
	names = sat_json_put_arr(doc, "needs_restart");
	if (differs(now.listen, v->is.listen))
		sat_json_add_str(names, "listen");
	if (differs(now.port_file, v->is.port_file))
		sat_json_add_str(names, "port-file");
	if (differs(now.metrics, v->is.metrics))
		sat_json_add_str(names, "metrics");
	if (differs(now.socket, v->is.socket))
		sat_json_add_str(names, "admin-socket");
	v->is.links = now.links;
	v->is.links_per_address = now.links_per_address;
	free(v->is.advertise);
	v->is.advertise = now.advertise;
	now.advertise = NULL;
	in_use_fini(&now);
	return address_set(a, &v->is, e);
}

static void
print_names(sat_buf *out, const sat_json *doc, const char *key)
{
	const sat_json *list = sat_json_get(doc, key);

	sat_buf_fmt(out, "%s\t", key);
	for (const sat_json *n = sat_json_first(list); n != NULL;
	     n = sat_json_next(n))
		sat_buf_fmt(out, "%s%s", n == sat_json_first(list) ? "" : " ",
		    sat_json_str(n, ""));
	sat_buf_str(out, sat_json_count(list) > 0 ? "\n" : "-\n");
}

sat_rc
admin_reload_verb(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e)
{
	sat_json *doc;
	sat_rc rc;

	if (a->serving == NULL)
		return sat_fail(e, SAT_EUNREACHABLE,
		    "no server is running on this folder");
	doc = sat_json_obj();
	sat_json_put_str(doc, "schema", "satcheld/reload/1");
	if ((rc = reload(a, doc, e)) == SAT_OK) {
		admin_print(out, w, doc, NULL);
		if (!sat_args_has(w, "json")) {
			print_names(out, doc, "changed");
			print_names(out, doc, "needs_restart");
		}
	}
	sat_json_free(doc);
	return rc;
}

static void
reload_there(void *u)
{
	sat_admin *a = u;
	sat_json *doc = sat_json_obj();
	sat_err why = { 0 };
	sat_rc rc = reload(a, doc, &why);

	if (rc != SAT_OK)
		sat_log(SAT_ERROR, "SERVE-RELOAD", "rc=%d text=%s", (int)rc,
		    why.text);
	else
		sat_log(SAT_INFO, "SERVE-RELOAD", "changed=%zu restart=%zu",
		    sat_json_count(sat_json_get(doc, "changed")),
		    sat_json_count(sat_json_get(doc, "needs_restart")));
	sat_json_free(doc);
}

/* ---- drain -------------------------------------------------------------------------- */

/* @return how many links are there. */
static uint64_t
put_drained(sat_buf *out, sat_admin *a, const char *result, bool json)
{
	sat_json *doc = sat_json_obj();
	sat_relay_stats rs;

	sat_relay_stats_get(&rs, a->relay);
	sat_json_put_str(doc, "schema", "satcheld/drain/1");
	sat_json_put_str(doc, "result", result);
	sat_json_put_int(doc, "ms",
	    sat_boot_ms(&a->clock) - a->serving->drain_ms);
	sat_json_put_int(doc, "cut", (int64_t)rs.cut);
	if (json)
		sat_json_write(out, doc, true);
	else
		admin_print_head(out, doc);
	sat_json_free(doc);
	return rs.cut;
}

/* Whoever asks first is answered when it is over (admin_socket_drained), who
 * asks again at once: it may be to give less time. */
sat_rc
admin_drain_verb(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e)
{
	const char *given = sat_args_get(w, "timeout");
	int64_t ms = DRAIN_MS;

	if (a->serving == NULL)
		return sat_fail(e, SAT_EUNREACHABLE,
		    "no server is running on this folder");
	if (given != NULL && (!sat_duration_parse(&ms, given) ||
	    ms > DRAIN_MAX_MS))
		return sat_fail_code(e, SAT_EUSAGE, "usage.option",
		    "for example 30s, 5m; at most a day",
		    "--timeout %.40s is no duration", given);
	if (a->serving->drain_ms == 0) {
		a->serving->drain_ms = sat_boot_ms(&a->clock);
		a->serving->drain_json = sat_args_has(w, "json");
		atomic_store(&a->drain_fd, a->asker_fd);
		a->asker_fd = 0;
	} else {
		put_drained(out, a, "draining", sat_args_has(w, "json"));
	}
	sat_log(SAT_INFO, "SERVE-DRAIN", "timeout_ms=%lld", (long long)ms);
	sat_relay_drain(a->relay, ms);
	return SAT_OK;
}

static void
tell_drained(sat_admin *a, const sat_err *fatal)
{
	const admin_serving *v = a->serving;
	sat_err why = *fatal;
	sat_buf out = { 0 };
	sat_rc rc = fatal->rc;
	uint64_t cut;

	if (v->drain_ms == 0)
		return;
	cut = put_drained(&out, a, "ended", v->drain_json);
	if (rc == SAT_OK && cut > 0)
		rc = sat_fail_code(&why, SAT_EPARTLY, "drain.cut",
		    "they push again when the server is back",
		    "%llu links were still there when the time was over",
		    (unsigned long long)cut);
	admin_socket_drained(a, rc, &why, &out);
	sat_buf_fini(&out);
}

/* ---- serve --------------------------------------------------------------------------- */

/* Signals are waited for on a thread of their own, never handled. */
static void *
signal_main(void *u)
{
	sat_admin *a = u;
	sigset_t set;
	int sig;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	while (sigwait(&set, &sig) == 0 && sig == SIGHUP)
		sat_relay_call(a->relay, reload_there, a);
	sat_log(SAT_INFO, "SERVE-SIGNAL", "signal=%d", sig);
	sat_relay_stop(a->relay);
	return NULL;
}

static sat_rc
port_write(const char *path, uint16_t port, sat_err *e)
{
	char line[16];

	if (path == NULL)
		return SAT_OK;
	(void)snprintf(line, sizeof line, "%u\n", (unsigned)port);
	return sat_file_write(path, sat_span_str(line), 0644, e);
}

static void
block_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	(void)pthread_sigmask(SIG_BLOCK, &set, NULL); /* threads inherit it */
	(void)signal(SIGPIPE, SIG_IGN);
}

typedef struct address {
	sat_admin *a;
	sat_err *e;
	sat_rc rc;
} address;

/* The port is known when devices are answered already; from then on the worker
 * alone uses the store. */
static void
address_there(void *u)
{
	address *to = u;

	to->rc = address_set(to->a, &to->a->serving->is, to->e);
}

static sat_rc
start(sat_admin *a, int *sock, sat_err *e)
{
	admin_serving *v = a->serving;
	sat_relay_opts o = { .listen = v->is.listen, .keys = a->keys.channel,
		.core = a->core, .links_max = v->is.links,
		.links_per_address_max = v->is.links_per_address };
	address to = { .a = a, .e = e, .rc = SAT_EFAIL };
	pthread_t t;
	sat_rc rc;

	raise_descriptors(v->is.links);
	block_signals();
	a->since_ms = sat_wall_ms(&a->clock);
	if ((rc = sat_relay_start(&a->relay, &o, e)) != SAT_OK)
		return rc;
	sat_relay_call(a->relay, address_there, &to);
	if (to.rc != SAT_OK)
		return to.rc;
	if ((rc = admin_socket_start(a, sock, e)) != SAT_OK ||
	    (v->is.metrics != NULL && (rc = monitor_start(&v->monitor, a,
	    v->is.metrics, e)) != SAT_OK))
		return rc;
	if (pthread_create(&t, NULL, signal_main, a) != 0)
		return sat_fail(e, SAT_EFAIL, "cannot start a thread");
	pthread_detach(t); /* it may wait for a signal until the process ends */
	if ((rc = admin_hooks_start(&v->hooks, a, e)) != SAT_OK)
		return rc;
	return port_write(v->is.port_file, sat_relay_port(a->relay), e);
}

sat_rc
sat_admin_serve(sat_admin *a, const sat_args *w, const char *config, bool must,
    sat_err *e)
{
	static admin_serving v; /* threads may look at it until the process ends */
	sat_err fatal = { 0 };
	int sock = -1;
	sat_rc rc;

	v = (admin_serving){ .w = w, .config = config, .must = must };
	if ((rc = settings(&v.is, &v, e)) != SAT_OK)
		return rc;
	a->serving = &v;
	a->socket = v.is.socket;
	if ((rc = start(a, &sock, e)) != SAT_OK)
		return rc;
	sat_log(SAT_INFO, "SERVE-READY", "address=%s metrics=%u", a->address,
	    monitor_port(v.monitor));
	sat_relay_wait(a->relay, &fatal);
	sat_hooks_stop(v.hooks);
	monitor_stop(v.monitor);
	admin_socket_stop(a, sock);
	tell_drained(a, &fatal);
	if (fatal.rc != SAT_OK && e != NULL)
		*e = fatal;
	return fatal.rc;
}
