/*
 * Tokens: who may come through the daemon's port, and what for (interfaces
 * design §2.2). The text is shown once; kept is the hash of its secret. They are
 * this device's: a setting of the replica, which does not sync.
 *
 * A token is its owner's hand, so it may do what he may and no more; a scope
 * takes some of that away. Nobody who comes with one makes or revokes tokens,
 * locks or unlocks.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/api/api_int.h"
#include "common/base/args.h"

#define SETTING "http.tokens"
#define BEGIN "satchel_"
#define ID_BYTES 4
#define SECRET_BYTES 16
#define TOKENS_MAX 100
#define SCOPE_MAX (SAT_API_SCOPE_TEXT - 1)
#define TTL_DEFAULT_MS (30 * 24 * 3600 * (int64_t)1000)
#define TTL_MAX_MS (366 * 24 * 3600 * (int64_t)1000)

static sat_rc
load(sat_json **list, sat_api *api, sat_err *e)
{
	sat_buf b = { 0 };
	sat_rc rc = sat_replica_setting_get(&b, api->crm.replica, SETTING, NULL);

	*list = NULL;
	if (rc == SAT_ENOTFOUND) {
		*list = sat_json_arr();
		return SAT_OK;
	}
	if (rc == SAT_OK)
		rc = sat_json_parse(list, sat_buf_span(&b), 0, e);
	else
		rc = sat_fail(e, rc, "the tokens cannot be read");
	sat_buf_fini(&b);
	return rc;
}

static sat_rc
store(sat_api *api, const sat_json *list, sat_err *e)
{
	sat_buf b = { 0 };
	sat_rc rc;

	sat_json_write(&b, list, false);
	rc = sat_replica_setting_put(api->crm.replica, SETTING,
	    sat_buf_span(&b), e);
	sat_buf_fini(&b);
	return rc;
}

static void
hash_text(char out[2 * SAT_HASH_BYTES + 1], const char *secret)
{
	uint8_t h[SAT_HASH_BYTES];

	sat_hash(h, sat_span_str(secret));
	sat_hex(out, h, sizeof h);
}

/* ---- scopes ----------------------------------------------------------------------- */

typedef struct scope { /* "read", "read:account", "write:lead", "all" */
	bool read, write, all;
	char kind[64];         /* "" = every kind */
} scope;

static bool
scope_of(scope *s, const char *at, size_t n)
{
	const char *colon = memchr(at, ':', n);
	size_t word = colon != NULL ? (size_t)(colon - at) : n;
	size_t kind = colon != NULL ? n - word - 1 : 0;

	*s = (scope){ .read = word == 4 && memcmp(at, "read", 4) == 0,
		.write = word == 5 && memcmp(at, "write", 5) == 0,
		.all = n == 3 && memcmp(at, "all", 3) == 0 };
	if (kind >= sizeof s->kind || (colon != NULL && kind == 0))
		return false;
	if (kind > 0)
		memcpy(s->kind, colon + 1, kind);
	return s->read || s->write || s->all;
}

/* The kind of record a path is about; NULL: none. */
static const sat_kind *
kind_of(const sat_api *api, const char *path)
{
	const sat_template *t = sat_replica_template(api->crm.replica);
	char word[64];
	size_t n;

	if (strncmp(path, "/v1/", 4) != 0)
		return NULL;
	n = strcspn(path + 4, "/");
	if (t == NULL || n == 0 || n >= sizeof word)
		return NULL;
	memcpy(word, path + 4, n);
	word[n] = '\0';
	return sat_template_kind(t, word);
}

static bool
allows(const sat_api *api, const scope *s, const char *method, const char *path)
{
	const sat_kind *k = kind_of(api, path);
	const sat_template *t = sat_replica_template(api->crm.replica);
	size_t n = strlen(path);
	bool get = strcmp(method, "GET") == 0 || /* or a list by a body */
	    (strcmp(method, "POST") == 0 && n > 6 &&
	    strcmp(path + n - 6, "/query") == 0);

	if (s->all)
		return true;
	if (s->kind[0] != '\0' && (k == NULL ||
	    sat_template_kind(t, s->kind) != k))
		return false;
	return get || (s->write && k != NULL);
}

static bool
in_scope(const sat_api *api, const char *list, const char *method,
    const char *path)
{
	static const char *const never[] = { "/v1/tokens", "/v1/session" };
	scope s;

	for (size_t i = 0; i < sizeof never / sizeof never[0]; i++)
		if (strncmp(path, never[i], strlen(never[i])) == 0)
			return false;
	for (size_t n; *list != '\0'; list += n, list += *list == ',') {
		n = strcspn(list, ",");
		if (scope_of(&s, list, n) && allows(api, &s, method, path))
			return true;
	}
	return false;
}

static sat_rc
check_scope(const sat_api *api, const char *list, sat_err *e)
{
	const sat_template *t = sat_replica_template(api->crm.replica);
	scope s;

	if (list == NULL || list[0] == '\0' || strlen(list) > SCOPE_MAX)
		return sat_fail_code(e, SAT_EUSAGE, "usage.scope",
		    "read, write, read:account, write:lead, all",
		    "a token needs a scope");
	for (size_t n; *list != '\0'; list += n, list += *list == ',') {
		n = strcspn(list, ",");
		if (!scope_of(&s, list, n) || (s.kind[0] != '\0' &&
		    (t == NULL || sat_template_kind(t, s.kind) == NULL)))
			return sat_fail_code(e, SAT_EUSAGE, "usage.scope",
			    "read, write, read:account, write:lead, all",
			    "\"%.*s\" is no scope", (int)(n < 60 ? n : 60),
			    list);
	}
	return SAT_OK;
}

/* ---- at the door --------------------------------------------------------------------- */

static sat_rc
unknown(sat_err *e)
{
	return sat_fail_code(e, SAT_ELOCKED, "token.invalid",
	    "Authorization: Bearer TOKEN; satchel token create makes one",
	    "the request has no token that is valid here");
}

bool
api_scope_reads(const sat_api *api, const sat_kind *k)
{
	const sat_template *t = sat_replica_template(api->crm.replica);
	const char *list = api->scope;
	scope s;

	for (size_t n; list != NULL && *list != '\0';
	     list += n, list += *list == ',') {
		n = strcspn(list, ",");
		if (scope_of(&s, list, n) && (s.kind[0] == '\0' ||
		    sat_template_kind(t, s.kind) == k))
			return true;
	}
	return list == NULL;
}

sat_rc
sat_api_token_may(char has[SAT_API_SCOPE_TEXT], sat_api *api,
    const char *authorization, const char *method, const char *path, sat_err *e)
{
	static const char bearer[] = "Bearer " BEGIN;
	const char *at = authorization, *bar;
	char id[2 * ID_BYTES + 1], want[2 * SAT_HASH_BYTES + 1];
	sat_json *list;
	sat_rc rc;

	if (at == NULL || strncmp(at, bearer, sizeof bearer - 1) != 0)
		return unknown(e);
	at += sizeof bearer - 1;
	bar = strchr(at, '_');
	if (bar == NULL || (size_t)(bar - at) != sizeof id - 1 ||
	    api->crm.replica == NULL)
		return unknown(e);
	memcpy(id, at, sizeof id - 1);
	id[sizeof id - 1] = '\0';
	hash_text(want, bar + 1);
	if ((rc = load(&list, api, e)) != SAT_OK)
		return rc;
	rc = unknown(e);
	for (const sat_json *t = sat_json_first(list); t != NULL;
	     t = sat_json_next(t)) {
		if (strcmp(sat_json_get_str(t, "id", ""), id) != 0 ||
		    strcmp(sat_json_get_str(t, "hash", ""), want) != 0 ||
		    sat_json_get_int(t, "expires_ms", 0) <=
		    sat_wall_ms(&api->crm.clock))
			continue;
		(void)snprintf(has, SAT_API_SCOPE_TEXT, "%s",
		    sat_json_get_str(t, "scope", ""));
		rc = in_scope(api, has, method, path) ? SAT_OK : sat_fail_code(e, SAT_EDENIED,
		    "token.scope", "satchel token create --scope S",
		    "the token's scope does not reach this");
	}
	sat_json_free(list);
	return rc;
}

/* ---- routes ------------------------------------------------------------------------- */

static void
put_token(sat_json *row, const sat_json *t)
{
	const char *name = sat_json_get_str(t, "name", "");

	sat_json_put_str(row, "id", sat_json_get_str(t, "id", ""));
	sat_json_put_str(row, "name", name[0] != '\0' ? name : NULL);
	sat_json_put_str(row, "scope", sat_json_get_str(t, "scope", ""));
	sat_json_put_time(row, "created_at", sat_json_get_int(t, "created_ms", 0));
	sat_json_put_time(row, "expires_at", sat_json_get_int(t, "expires_ms", 0));
}

static void
make(sat_json *t, char text[80], const sat_api *api, const sat_json *body,
    int64_t ttl_ms)
{
	uint8_t raw[ID_BYTES + SECRET_BYTES];
	char id[2 * ID_BYTES + 1], secret[2 * SECRET_BYTES + 1];
	char hash[2 * SAT_HASH_BYTES + 1];
	int64_t now = sat_wall_ms(&api->crm.clock);

	api->sync.rand.bytes(api->sync.rand.u, raw, sizeof raw);
	sat_hex(id, raw, ID_BYTES);
	sat_hex(secret, raw + ID_BYTES, SECRET_BYTES);
	hash_text(hash, secret);
	(void)snprintf(text, 80, BEGIN "%s_%s", id, secret);
	sat_json_put_str(t, "id", id);
	sat_json_put_str(t, "name", sat_json_get_str(body, "name", ""));
	sat_json_put_str(t, "scope", sat_json_get_str(body, "scope", ""));
	sat_json_put_str(t, "hash", hash);
	sat_json_put_int(t, "created_ms", now);
	sat_json_put_int(t, "expires_ms", now + ttl_ms);
	sat_wipe(raw, sizeof raw);
	sat_wipe(secret, sizeof secret);
}

HANDLER(api_token_create)
{
	const char *ttl = sat_json_get_str(req->body, "ttl", NULL);
	int64_t ttl_ms = TTL_DEFAULT_MS;
	sat_json *list = NULL, *t;
	char text[80];
	sat_rc rc = check_scope(api, sat_json_get_str(req->body, "scope", NULL),
	    e);

	(void)args;
	if (rc != SAT_OK)
		return rc;
	if (ttl != NULL && (!sat_duration_parse(&ttl_ms, ttl) || ttl_ms < 1 ||
	    ttl_ms > TTL_MAX_MS))
		return sat_fail_code(e, SAT_EUSAGE, "usage.duration",
		    "12h, 30d, 8w; at most 366d", "\"%.20s\" is no time to live",
		    ttl);
	if ((rc = load(&list, api, e)) != SAT_OK)
		return rc;
	if (sat_json_count(list) >= TOKENS_MAX) {
		sat_json_free(list);
		return sat_fail_code(e, SAT_ECONFLICT, "token.many",
		    "satchel token revoke ID", "there are %d tokens already",
		    TOKENS_MAX);
	}
	t = sat_json_add_obj(list);
	make(t, text, api, req->body, ttl_ms);
	if ((rc = store(api, list, e)) == SAT_OK &&
	    (rc = sat_replica_audit(api->crm.replica, "token.create",
	    sat_json_get_str(t, "id", ""), e)) == SAT_OK) {
		*out = api_doc("token");
		put_token(*out, t);
		sat_json_put_str(*out, "token", text);
	}
	sat_wipe(text, sizeof text);
	sat_json_free(list);
	return rc;
}

HANDLER(api_tokens)
{
	sat_json *list, *data;
	sat_rc rc = load(&list, api, e);

	(void)req;
	(void)args;
	if (rc != SAT_OK)
		return rc;
	*out = api_doc("token.list");
	data = sat_json_put_arr(*out, "data");
	for (const sat_json *t = sat_json_first(list); t != NULL;
	     t = sat_json_next(t))
		put_token(sat_json_add_obj(data), t);
	sat_json_free(list);
	return SAT_OK;
}

static sat_rc
no_token(sat_err *e)
{
	return sat_fail_code(e, SAT_ENOTFOUND, "not_found",
	    "see: satchel token list", "there is no such token");
}

HANDLER(api_token)
{
	sat_json *list;
	const sat_json *t;
	sat_rc rc = load(&list, api, e);

	(void)req;
	for (t = sat_json_first(list); t != NULL && strcmp(sat_json_get_str(t,
	    "id", ""), args[0]) != 0; t = sat_json_next(t))
		;
	if (rc == SAT_OK && t == NULL)
		rc = no_token(e);
	if (rc == SAT_OK) {
		*out = api_doc("token");
		put_token(*out, t);
	}
	sat_json_free(list);
	return rc;
}

HANDLER(api_token_revoke)
{
	sat_json *list, *kept = sat_json_arr(), *gone = NULL;
	sat_rc rc = load(&list, api, e);

	(void)req;
	for (const sat_json *t = sat_json_first(list);
	     rc == SAT_OK && t != NULL; t = sat_json_next(t)) {
		if (strcmp(sat_json_get_str(t, "id", ""), args[0]) == 0)
			gone = sat_json_dup(t);
		else
			sat_json_add(kept, sat_json_dup(t));
	}
	if (rc == SAT_OK && gone == NULL)
		rc = no_token(e);
	if (rc == SAT_OK && (rc = store(api, kept, e)) == SAT_OK &&
	    (rc = sat_replica_audit(api->crm.replica, "token.revoke", args[0],
	    e)) == SAT_OK) {
		*out = api_doc("token");
		put_token(*out, gone);
	}
	sat_json_free(gone);
	sat_json_free(kept);
	sat_json_free(list);
	return rc;
}
