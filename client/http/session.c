/*
 * A browser's way in (interfaces design §2.2). Who is at the socket is this
 * machine's user: he asks for a link. The link holds a secret of 128 bits that
 * is good once and for a minute; whoever brings it gets a session's secret for
 * it, which a page keeps and sends as a bearer. Both are known here by their
 * hash and are gone when the daemon ends.
 *
 * Invariants:
 *   S1  a link opens one session
 *   S2  a locked session may unlock and nothing else; another one's unlocking
 *       does not wake it
 *   S3  a kiosk's session reaches the routes of a visitor's page
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/http/daemon_int.h"

#define SECRET_BYTES 16
#define SECRET_TEXT (2 * SECRET_BYTES + 1)
#define BEARER "Bearer session_"
#define LINK_MS ((int64_t)60000)
#define LOCKED_MS ((int64_t)12 * 3600 * 1000) /* until it is forgotten */
#define FOREVER INT64_MAX                     /* a kiosk's page stays */

static int64_t
now_of(const daemon_ *d)
{
	return sat_boot_ms(&d->api.crm.clock);
}

static void
draw(char text[SECRET_TEXT], uint8_t hash[SAT_HASH_BYTES], const daemon_ *d)
{
	uint8_t raw[SECRET_BYTES];

	d->api.sync.rand.bytes(d->api.sync.rand.u, raw, sizeof raw);
	sat_hex(text, raw, sizeof raw);
	sat_hash(hash, sat_span_str(text));
	sat_wipe(raw, sizeof raw);
}

/* mtx held. The one with this secret whose time is not over; NULL. */
static session_entry *
find(session_entry *all, size_t n, const char *secret, int64_t now)
{
	session_entry *hit = NULL;
	uint8_t hash[SAT_HASH_BYTES];

	sat_hash(hash, sat_span_str(secret));
	for (size_t i = 0; i < n; i++)
		if (sat_mem_eq(all[i].hash, hash, sizeof hash) &&
		    all[i].until_ms > now)
			hit = &all[i];
	return hit;
}

/* mtx held. A free place, else that of the one whose time ends first. */
static session_entry *
place(session_entry *all, size_t n, int64_t now)
{
	session_entry *p = &all[0];

	for (size_t i = 0; i < n; i++) {
		if (all[i].until_ms <= now)
			return &all[i];
		if (all[i].until_ms < p->until_ms)
			p = &all[i];
	}
	return p;
}

static const char *
secret_of(const char *authorization)
{
	return authorization != NULL &&
	    strncmp(authorization, BEARER, sizeof BEARER - 1) == 0
	    ? authorization + sizeof BEARER - 1 : NULL;
}

/* ---- a link ----------------------------------------------------------------------- */

typedef struct asking_idle {
	daemon_ *d;
	int64_t min;
	bool kiosk, locked;
} asking_idle;

static void
ask_idle(void *arg)
{
	asking_idle *x = arg;
	sat_replica *r = x->d->api.crm.replica;

	x->locked = r == NULL;
	x->min = sat_template_session_idle_min(r != NULL ?
	    sat_replica_template(r) : NULL);
	x->kiosk = r != NULL && strcmp(sat_replica_identity_get(r)->role,
	    "kiosk") == 0;
}

/* "/accounts/01h": what a browser shows behind the host, and nothing that ends
 * it or leads elsewhere. */
static sat_rc
check_path(const char *path, sat_err *e)
{
	bool good = path[0] == '/' && path[1] != '/' &&
	    strlen(path) < SESSION_PATH_MAX;

	for (const char *p = path; good && *p != '\0'; p++)
		good = *p > ' ' && *p < 0x7f && strchr("\"#<>\\`'$", *p) == NULL;
	return good ? SAT_OK : sat_fail_code(e, SAT_EUSAGE, "usage.path",
	    "for example /accounts", "\"%.60s\" is no path of a page", path);
}

/* mtx held. */
static sat_rc
open_port(daemon_ *d, sat_err *e)
{
	if (d->http == NULL)
		return sat_fail(e, SAT_EUNREACHABLE, "the daemon is starting");
	if (d->o.no_http && sat_http_port(d->http) == 0)
		return sat_fail_code(e, SAT_EDENIED, "daemon.no_http",
		    "start it without --no-http",
		    "the daemon answers at no port");
	return sat_http_listen(d->http, d->o.port, e);
}

static sat_rc
make_link(sat_json **doc, daemon_ *d, const sat_json *body, sat_err *e)
{
	const char *path = sat_json_get_str(body, "path", "/");
	asking_idle x = { .d = d };
	char text[SECRET_TEXT], url[SESSION_PATH_MAX + 100];
	session_entry *l;
	sat_rc rc = check_path(path, e);

	if (rc != SAT_OK)
		return rc;
	if (!worker_call(d->w, ask_idle, &x))
		return sat_fail(e, SAT_EUNREACHABLE, "the daemon is ending");
	if (x.locked)
		return sat_fail_code(e, SAT_ELOCKED, "daemon.locked",
		    "run: satchel unlock", "the daemon is locked");
	pthread_mutex_lock(&d->mtx);
	if ((rc = open_port(d, e)) == SAT_OK) {
		l = place(d->sessions.link, LINKS_MAX, now_of(d));
		draw(text, l->hash, d);
		l->until_ms = now_of(d) + LINK_MS;
		l->kiosk = x.kiosk || d->o.kiosk;
		(void)snprintf(l->path, sizeof l->path, "%s", path);
		d->sessions.idle_ms = x.min * 60000;
		(void)snprintf(url, sizeof url, "http://127.0.0.1:%u%s#t=%s",
		    sat_http_port(d->http), path, text);
	}
	pthread_mutex_unlock(&d->mtx);
	if (rc != SAT_OK)
		return rc;
	*doc = sat_json_obj();
	sat_json_put_str(*doc, "schema", "satchel/session.link/1");
	sat_json_put_str(*doc, "url", url);
	sat_json_put_str(*doc, "path", path);
	sat_json_put_time(*doc, "expires_at", sat_wall_ms(&d->api.crm.clock) + LINK_MS);
	sat_wipe(text, sizeof text);
	sat_wipe(url, sizeof url);
	return SAT_OK;
}

/* ---- a session ---------------------------------------------------------------------- */

/* mtx held. */
static int64_t
ends_at(const daemon_ *d, const session_entry *s)
{
	return s->kiosk ? FOREVER : now_of(d) + (s->locked ? LOCKED_MS :
	    d->sessions.idle_ms);
}

static sat_rc
swap(sat_json **doc, daemon_ *d, const sat_json *body, sat_err *e)
{
	const char *secret = sat_json_get_str(body, "t", NULL);
	char text[SECRET_TEXT], bearer[SECRET_TEXT + 16], path[SESSION_PATH_MAX];
	session_entry *l = NULL, *s;
	int64_t idle = 0;
	bool kiosk = false;

	if (secret == NULL)
		return sat_fail_code(e, SAT_EUSAGE, "usage", NULL,
		    "a session needs what stands behind #t= in the link");
	pthread_mutex_lock(&d->mtx);
	if (!d->locking &&
	    (l = find(d->sessions.link, LINKS_MAX, secret, now_of(d))) != NULL) {
		l->until_ms = 0; /* S1 */
		s = place(d->sessions.open, SESSIONS_MAX, now_of(d));
		draw(text, s->hash, d);
		s->locked = false;
		s->kiosk = kiosk = l->kiosk;
		s->until_ms = ends_at(d, s);
		idle = d->sessions.idle_ms;
		memcpy(path, l->path, sizeof path);
	}
	pthread_mutex_unlock(&d->mtx);
	if (l == NULL)
		return sat_fail_code(e, SAT_ELOCKED, "session.link",
		    "satchel open makes another one",
		    "this link was used, or its minute is over");
	(void)snprintf(bearer, sizeof bearer, "session_%s", text);
	*doc = sat_json_obj();
	sat_json_put_str(*doc, "schema", "satchel/session/1");
	sat_json_put_str(*doc, "result", "ok");
	sat_json_put_str(*doc, "token", bearer);
	sat_json_put_str(*doc, "path", path);
	sat_json_put_str(*doc, "scope", kiosk ? "kiosk" : "all");
	if (kiosk)
		sat_json_put_null(*doc, "idle_s");
	else
		sat_json_put_int(*doc, "idle_s", idle / 1000);
	sat_wipe(text, sizeof text);
	sat_wipe(bearer, sizeof bearer);
	return SAT_OK;
}

static sat_rc
end(sat_json **doc, daemon_ *d, const char *authorization, sat_err *e)
{
	const char *secret = secret_of(authorization);
	session_entry *s = NULL;

	pthread_mutex_lock(&d->mtx);
	if (secret != NULL && (s = find(d->sessions.open, SESSIONS_MAX, secret,
	    now_of(d))) != NULL)
		s->until_ms = 0;
	pthread_mutex_unlock(&d->mtx);
	if (s == NULL)
		return sat_fail_code(e, SAT_ENOTFOUND, "not_found", NULL,
		    "there is no such session");
	*doc = sat_json_obj();
	sat_json_put_str(*doc, "schema", "satchel/session/1");
	sat_json_put_str(*doc, "result", "ok");
	return SAT_OK;
}

bool
session_route(daemon_ *d, sat_http_response *out, const sat_http_request *r)
{
	bool post = strcmp(r->method, "POST") == 0;
	bool link = post && strcmp(r->path, "/v1/session/links") == 0;
	bool whole = strcmp(r->path, "/v1/session") == 0;
	sat_json *body = NULL, *doc = NULL;
	sat_err e = { 0 };
	sat_rc rc = SAT_OK;

	if (!link && !(whole && (post || strcmp(r->method, "DELETE") == 0)))
		return false;
	if (r->body.n > 0 && (rc = sat_json_parse(&body, r->body,
	    SAT_HTTP_BODY_MAX, &e)) != SAT_OK)
		rc = SAT_EUSAGE; /* what was sent is not JSON */
	if (rc == SAT_OK)
		rc = link ? make_link(&doc, d, body, &e) :
		    post  ? swap(&doc, d, body, &e) :
		    end(&doc, d, sat_http_header(r, "Authorization"), &e);
	e.rc = rc;
	if (rc == SAT_OK) {
		sat_json_write(&out->body, doc, false);
		sat_buf_str(&out->body, "\n");
	} else {
		put_problem(out, &e);
	}
	sat_json_free(doc);
	sat_json_free(body);
	return true;
}

/* ---- what it may ------------------------------------------------------------------- */

static bool
kiosk_may(const char *method, const char *path) /* S3 */
{
	static const char *const get[] = { "/v1/consent", "/v1/me",
		"/v1/health", "/v1/version" };
	static const char *const post[] = { "/v1/kiosk/checkin",
		"/v1/kiosk/lookup", "/v1/kiosk/pin" };
	bool is_get = strcmp(method, "GET") == 0;

	for (size_t i = 0; is_get && i < sizeof get / sizeof get[0]; i++)
		if (strcmp(path, get[i]) == 0)
			return true;
	for (size_t i = 0; strcmp(method, "POST") == 0 &&
	     i < sizeof post / sizeof post[0]; i++)
		if (strcmp(path, post[i]) == 0)
			return true;
	return strcmp(method, "DELETE") == 0 &&
	    strcmp(path, "/v1/session") == 0;
}

/* New ways in are made by who is at the socket. */
static bool
never(const char *path)
{
	return strncmp(path, "/v1/tokens", 10) == 0 ||
	    strcmp(path, "/v1/session/links") == 0 ||
	    strcmp(path, "/v1/session/passphrase") == 0;
}

sat_rc
session_may(daemon_ *d, const char *authorization, const char *method,
    const char *path, sat_err *e)
{
	const char *secret = secret_of(authorization);
	session_entry *s = NULL, is = { .until_ms = 0 };
	bool unlock = strcmp(method, "POST") == 0 &&
	    strcmp(path, "/v1/session/unlock") == 0;

	if (secret == NULL)
		return SAT_ENOTFOUND;
	pthread_mutex_lock(&d->mtx);
	if ((s = find(d->sessions.open, SESSIONS_MAX, secret, now_of(d))) !=
	    NULL) {
		s->until_ms = ends_at(d, s);
		is = *s;
	}
	pthread_mutex_unlock(&d->mtx);
	if (s == NULL)
		return sat_fail_code(e, SAT_ELOCKED, "session.over",
		    "run: satchel open", "the session is over");
	if (is.locked && !unlock) /* S2 */
		return sat_fail_code(e, SAT_ELOCKED, "session.locked",
		    "POST /v1/session/unlock", "the session was locked");
	if (never(path) || (is.kiosk && !kiosk_may(method, path)))
		return sat_fail_code(e, SAT_EDENIED, "session.scope", NULL,
		    "the session does not reach this");
	return SAT_OK;
}

void
sessions_lock(daemon_ *d)
{
	pthread_mutex_lock(&d->mtx);
	for (size_t i = 0; i < LINKS_MAX; i++)
		d->sessions.link[i].until_ms = 0;
	for (size_t i = 0; i < SESSIONS_MAX; i++) {
		session_entry *s = &d->sessions.open[i];

		if (s->until_ms <= now_of(d) || s->locked)
			continue;
		s->locked = true;
		s->until_ms = ends_at(d, s);
	}
	pthread_mutex_unlock(&d->mtx);
}

void
session_unlocked(daemon_ *d, const char *authorization)
{
	const char *secret = secret_of(authorization);
	session_entry *s;

	if (secret == NULL)
		return;
	pthread_mutex_lock(&d->mtx);
	if ((s = find(d->sessions.open, SESSIONS_MAX, secret, now_of(d))) !=
	    NULL) {
		s->locked = false;
		s->until_ms = ends_at(d, s);
	}
	pthread_mutex_unlock(&d->mtx);
}
