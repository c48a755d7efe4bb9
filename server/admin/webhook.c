/*
 * webhook: other services that are told what happened (server/hook). What opens
 * a door - the key in an address, the secret that signs - is shown once, when it
 * is made, and masked afterwards.
 */
#include "server/admin/admin_int.h"

#include "common/base/file.h"
#include "server/hook/hook.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEAD_ROWS 200
#define TEST_MS 15000

static const sat_template *
tip(void *u)
{
	sat_admin *a = u;

	return admin_template_at(a, a->tip.b);
}

static sat_hook_source
source_of(sat_admin *a)
{
	return (sat_hook_source){ .store = a->store, .core = a->core,
		.clock = a->clock, .org = a->org_name, .tip = tip, .u = a };
}

static void
call(void *u, void (*fn)(void *fu), void *fu)
{
	sat_relay_call(((sat_admin *)u)->relay, fn, fu);
}

sat_rc
admin_hooks_start(sat_hooks **h, sat_admin *a, sat_err *e)
{
	sat_hooks_opts o = { .source = source_of(a), .call = call, .u = a };

	return sat_hooks_start(h, &o, e);
}

static sat_rc
usage(sat_err *e)
{
	return sat_fail_code(e, SAT_EUSAGE, "usage",
	    "ID is a number of: satcheld webhook list",
	    "usage: satcheld webhook list | show ID | add URL --events E "
	    "[--format F] [--plain-http] | test ID | dead ID | retry ID | remove ID");
}

sat_rc
admin_webhooks_are(admin_webhooks *out, sat_admin *a, sat_err *e)
{
	sat_arena mem = { 0 };
	sat_hook *hooks;
	size_t n;
	sat_rc rc = sat_sqlite_hooks(&hooks, &n, &mem, a->store, e);

	*out = (admin_webhooks){ 0 };
	for (size_t i = 0; i < n && rc == SAT_OK; i++) {
		out->failing += hooks[i].error_ms > 0;
		out->waiting += (uint64_t)hooks[i].waiting;
		out->dead += (uint64_t)hooks[i].dead;
	}
	sat_arena_fini(&mem);
	return rc;
}

/* ---- what there is ---------------------------------------------------------------------- */

static void
put_hook(sat_json *row, const sat_hook *h)
{
	sat_buf url = { 0 };

	sat_hook_mask(&url, h->url);
	sat_json_put_int(row, "id", h->id);
	sat_json_put_str(row, "format", h->format);
	sat_json_put_str(row, "url", sat_buf_cstr(&url));
	sat_json_put_str(row, "events", h->events);
	sat_json_put_int(row, "sent", h->sent);
	sat_json_put_time(row, "last_sent", h->sent_ms);
	sat_json_put_int(row, "waiting", h->waiting);
	sat_json_put_int(row, "dead", h->dead);
	sat_json_put_str(row, "error", h->error_ms > 0 ? h->error : NULL);
	sat_json_put_time(row, "failed", h->error_ms);
	sat_json_put_time(row, "next_try", h->fails > 0 ? h->rest_ms : 0);
	sat_buf_fini(&url);
}

static sat_rc
list(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e)
{
	static const char *const cols[] = { "id", "format", "url", "events", "sent",
		"waiting", "dead", "error", NULL };
	sat_json *doc = sat_json_obj(), *rows;
	sat_arena mem = { 0 };
	sat_hook *hooks;
	size_t n;
	sat_rc rc = sat_sqlite_hooks(&hooks, &n, &mem, a->store, e);

	sat_json_put_str(doc, "schema", "satcheld/webhook.list/1");
	rows = sat_json_put_arr(doc, "data");
	for (size_t i = 0; i < n && rc == SAT_OK; i++)
		put_hook(sat_json_add_obj(rows), &hooks[i]);
	if (rc == SAT_OK)
		admin_print(out, w, doc, cols);
	sat_arena_fini(&mem);
	sat_json_free(doc);
	return rc;
}

static sat_rc
id_of(int64_t *id, const sat_args *w, sat_err *e)
{
	char *end = NULL;
	long long v = w->nargs > 2 ? strtoll(w->arg[2], &end, 10) : 0;

	if (v < 1 || *end != '\0')
		return usage(e);
	*id = v;
	return SAT_OK;
}

/* One; with a word about what was done to it. */
static sat_rc
show(sat_admin *a, const sat_args *w, const char *schema, int64_t id,
    sat_buf *out, sat_err *e)
{
	sat_json *doc = sat_json_obj();
	sat_arena mem = { 0 };
	sat_hook h;
	sat_rc rc = sat_sqlite_hook_get(&h, &mem, a->store, id, e);

	sat_json_put_str(doc, "schema", schema);
	if (rc == SAT_OK) {
		put_hook(doc, &h);
		admin_print(out, w, doc, NULL);
	}
	sat_arena_fini(&mem);
	sat_json_free(doc);
	return rc;
}

static sat_rc
dead(sat_admin *a, const sat_args *w, int64_t id, sat_buf *out, sat_err *e)
{
	static const char *const cols[] = { "made", "event", "of", "error", NULL };
	sat_json *doc = sat_json_obj(), *rows, *body;
	sat_arena mem = { 0 };
	sat_hook_event *x;
	size_t n;
	sat_rc rc = sat_sqlite_hook_dead(&x, &n, &mem, a->store, id, DEAD_ROWS,
	    e);

	sat_json_put_str(doc, "schema", "satcheld/webhook.dead/1");
	rows = sat_json_put_arr(doc, "data");
	for (size_t i = 0; i < n && rc == SAT_OK; i++) {
		sat_json *row = sat_json_add_obj(rows);

		body = NULL;
		sat_json_put_time(row, "made", x[i].made_ms);
		if (sat_json_parse(&body, x[i].body, 0, NULL) == SAT_OK) {
			sat_json_put_str(row, "id", sat_json_get_str(body, "id",
			    NULL));
			sat_json_put_str(row, "event", sat_json_get_str(body,
			    "event", NULL));
			sat_json_put_str(row, "of", sat_json_get_str(
			    sat_json_get(body, "record"), "id", NULL));
		}
		sat_json_put_str(row, "error", x[i].error);
		sat_json_free(body);
	}
	if (rc == SAT_OK)
		admin_print(out, w, doc, cols);
	sat_arena_fini(&mem);
	sat_json_free(doc);
	return rc;
}

/* ---- what changes ------------------------------------------------------------------------- */

/* The address: the word, or the first line of --from, where no other user of
 * this machine sees it. */
static sat_rc
url_of(char url[SAT_HOOK_URL_MAX + 2], const sat_args *w, sat_err *e)
{
	const char *from = sat_args_get(w, "from");
	sat_buf b = { 0 };
	sat_rc rc = SAT_OK;

	url[0] = '\0';
	if (from == NULL && w->nargs < 3)
		return usage(e);
	if (from != NULL)
		rc = sat_file_read(&b, from, SAT_HOOK_URL_MAX + 2, e);
	else
		sat_buf_str(&b, w->arg[2]);
	if (rc == SAT_OK) { /* one that is too long stays too long */
		(void)snprintf(url, SAT_HOOK_URL_MAX + 2, "%s",
		    sat_buf_cstr(&b));
		url[strcspn(url, "\r\n")] = '\0';
	}
	sat_buf_fini(&b);
	return rc;
}

static sat_rc
add(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e)
{
	const char *events = sat_args_get(w, "events");
	const char *format = sat_args_get(w, "format");
	char url[SAT_HOOK_URL_MAX + 2], secret[65] = "";
	sat_hook h = { .url = url, .format = format != NULL ? format : "json",
		.events = events != NULL ? events : "", .secret = secret,
		.plain = sat_args_has(w, "plain-http"),
		.made_ms = sat_wall_ms(&a->clock) };
	const sat_template *t = tip(a);
	uint8_t random[32];
	sat_json *doc;
	sat_rc rc;

	if (t == NULL)
		return sat_fail_code(e, SAT_EINTEGRITY, "template",
		    "satcheld doctor", "the published template cannot be loaded");
	if ((rc = url_of(url, w, e)) != SAT_OK ||
	    (rc = sat_hook_check(&h, t, e)) != SAT_OK ||
	    (rc = sat_server_head(a->core, &h.since, e)) != SAT_OK)
		return rc;
	if (sat_hook_signs(h.format)) {
		sat_random(random, sizeof random);
		sat_hex(secret, random, sizeof random);
	}
	if ((rc = sat_sqlite_hook_add(&h.id, a->store, &h, e)) != SAT_OK)
		return rc;
	doc = sat_json_obj();
	sat_json_put_str(doc, "schema", "satcheld/webhook.add/1");
	sat_json_put_int(doc, "id", h.id);
	sat_json_put_str(doc, "format", h.format);
	sat_json_put_str(doc, "events", h.events);
	if (secret[0] != '\0')
		sat_json_put_str(doc, "secret", secret);
	admin_print(out, w, doc, NULL);
	sat_json_free(doc);
	sat_wipe(secret, sizeof secret);
	return SAT_OK;
}

/* Served, it is sent by the thread that sends, within a second or two; else
 * here and now, with whatever else is due. */
static sat_rc
test(sat_admin *a, const sat_args *w, int64_t id, sat_buf *out, sat_err *e)
{
	sat_hook_source s = source_of(a);
	sat_hooks_opts o = { .source = s };
	sat_rc rc = sat_hook_test(&s, id, e);

	if (rc == SAT_OK && a->relay == NULL)
		rc = sat_hooks_run(&o, TEST_MS, e);
	return rc != SAT_OK ? rc :
	    show(a, w, "satcheld/webhook.test/1", id, out, e);
}

static sat_rc
retry(sat_admin *a, const sat_args *w, int64_t id, sat_buf *out, sat_err *e)
{
	int64_t n;
	sat_rc rc = sat_sqlite_hook_again(&n, a->store, id,
	    sat_wall_ms(&a->clock), e);

	return rc != SAT_OK ? rc :
	    show(a, w, "satcheld/webhook.retry/1", id, out, e);
}

static sat_rc
remove_one(sat_admin *a, const sat_args *w, int64_t id, sat_buf *out,
    sat_err *e)
{
	sat_json *doc;
	sat_rc rc = sat_sqlite_hook_remove(a->store, id, e);

	if (rc != SAT_OK)
		return rc;
	doc = sat_json_obj();
	sat_json_put_str(doc, "schema", "satcheld/webhook.remove/1");
	sat_json_put_int(doc, "id", id);
	admin_print(out, w, doc, NULL);
	sat_json_free(doc);
	return SAT_OK;
}

sat_rc
admin_webhook_verb(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e)
{
	const char *verb = w->nargs > 1 ? w->arg[1] : "list";
	int64_t id = 0;
	sat_rc rc;

	if (strcmp(verb, "list") == 0)
		return list(a, w, out, e);
	if (strcmp(verb, "add") == 0)
		return add(a, w, out, e);
	if ((rc = id_of(&id, w, e)) != SAT_OK)
		return rc;
	if (strcmp(verb, "show") == 0)
		return show(a, w, "satcheld/webhook.show/1", id, out, e);
	if (strcmp(verb, "test") == 0)
		return test(a, w, id, out, e);
	if (strcmp(verb, "dead") == 0)
		return dead(a, w, id, out, e);
	if (strcmp(verb, "retry") == 0)
		return retry(a, w, id, out, e);
	if (strcmp(verb, "remove") == 0)
		return remove_one(a, w, id, out, e);
	return usage(e);
}
