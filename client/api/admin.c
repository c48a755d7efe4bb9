/*
 * What an administrator decides about people, teams, roles and devices, from his
 * own device: relayed to the server, which judges and keeps it. Only the
 * server's answer counts, so nothing here works without a network.
 *
 * The path names noun, key and verb, the members of query or body are the
 * options; both become the words satcheld knows.
 */
#include "client/api/api_int.h"

#include <stdlib.h>
#include <string.h>

#define WORDS_MAX SAT_ADMIN_WORDS_MAX

typedef struct words {
	sat_span w[WORDS_MAX];
	size_t n;
	sat_arena a;
} words;

static void
add_word(words *x, const char *text)
{
	if (x->n < WORDS_MAX)
		x->w[x->n++] = sat_span_str(sat_arena_str(&x->a, text,
		    strlen(text)));
	else
		x->n = WORDS_MAX + 1; /* told by the count */
}

/* "role": "rep" is --role=rep; true is the bare option. NULL when it is none. */
static char *
option_of(const sat_json *m)
{
	const char *key = sat_json_key(m);

	switch (sat_json_type(m)) {
	case SAT_J_BOOL:
		return sat_xasprintf("--%s", key);
	case SAT_J_INT:
		return sat_xasprintf("--%s=%lld", key,
		    (long long)sat_json_int(m, 0));
	case SAT_J_STR:
		return sat_xasprintf("--%s=%s", key, sat_json_str(m, ""));
	default:
		return NULL;
	}
}

/* What no option can say is refused: a list is not the empty text. */
static sat_rc
add_options(words *x, const sat_json *from, sat_err *e)
{
	for (const sat_json *m = sat_json_first(from); m != NULL;
	     m = sat_json_next(m)) {
		const char *key = sat_json_key(m);
		char *text;

		if (strcmp(key, "request_id") == 0 ||
		    (sat_json_type(m) == SAT_J_BOOL && !sat_json_bool(m, false)))
			continue;
		if ((text = option_of(m)) == NULL)
			return sat_fail_code(e, SAT_EUSAGE, "usage.option", NULL,
			    "%s: no single value", key);
		add_word(x, text);
		free(text);
	}
	return SAT_OK;
}

/* Members of the server's document, under a schema of ours. */
static void
put_answer(sat_json *doc, const sat_json *is)
{
	for (const sat_json *m = sat_json_first(is); m != NULL;
	     m = sat_json_next(m))
		if (strcmp(sat_json_key(m), "schema") == 0)
			sat_json_put_str(doc, "of", sat_json_str(m, ""));
		else
			sat_json_put(doc, sat_json_key(m), sat_json_dup(m));
}

static sat_rc
relay(sat_json **out, sat_api *api, words *x, const char *noun,
    const char *verb, sat_err *e)
{
	sat_admin_words w = { x->w, x->n };
	sat_json *is = NULL;
	sat_arena a = { 0 };
	sat_span text;
	sat_rc rc;

	if (x->n > WORDS_MAX)
		return sat_fail(e, SAT_EUSAGE, "too many options");
	for (size_t i = 0; i < x->n; i++)
		if (x->w[i].n > SAT_ADMIN_WORD_MAX)
			return sat_fail(e, SAT_EUSAGE, "an option is too long");
	rc = sat_sync_admin(&text, &a, api->crm.replica, &w, &api->sync, e);
	if (rc == SAT_OK && text.n > 0)
		rc = sat_json_parse(&is, text, 0, e);
	if (rc == SAT_OK) {
		*out = api_doc("admin");
		sat_json_put_str(*out, "noun", noun);
		sat_json_put_str(*out, "verb", verb);
		put_answer(*out, is);
	}
	sat_json_free(is);
	sat_arena_fini(&a);
	return rc;
}

/* "users" -> "user". SAT_ENOTFOUND. */
static sat_rc
noun_of(const char **noun, const char *segment, sat_err *e)
{
	static const char *const nouns[][2] = { { "users", "user" },
		{ "teams", "team" }, { "roles", "role" },
		{ "devices", "device" } };

	for (size_t i = 0; i < sizeof nouns / sizeof nouns[0]; i++)
		if (strcmp(nouns[i][0], segment) == 0) {
			*noun = nouns[i][1];
			return SAT_OK;
		}
	return sat_fail_code(e, SAT_ENOTFOUND, "not_found",
	    "users, teams, roles, devices, invites or audit",
	    "nothing is administered like this: %.40s",
	    segment);
}

/* noun verb [key], then the options. */
sat_rc
api_admin_ask(sat_json **out, sat_api *api, const char *noun, const char *verb,
    const char *key, const sat_json *options, sat_err *e)
{
	words x = { .n = 0 };
	sat_rc rc;

	if (verb[0] == '-' || (key != NULL && key[0] == '-'))
		return sat_fail(e, SAT_EUSAGE, "a key does not begin with \"-\"");
	add_word(&x, noun);
	add_word(&x, verb);
	if (key != NULL)
		add_word(&x, key);
	if ((rc = add_options(&x, options, e)) == SAT_OK)
		rc = relay(out, api, &x, noun, verb, e);
	sat_arena_fini(&x.a);
	return rc;
}

static sat_rc
ask(sat_json **out, sat_api *api, const char *segment, const char *verb,
    const char *key, const sat_json *options, sat_err *e)
{
	static const struct {
		const char *segment, *as, *noun, *verb;
	} others[] = { { "invites", "list", "device", "invites" },
		{ "invites", "invite", "device", "invite" },
		{ "invites", "revoke", "device", "uninvite" },
		{ "audit", "list", "audit", "log" } };
	const char *noun = NULL;
	sat_rc rc;

	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		if (strcmp(others[i].segment, segment) == 0 &&
		    strcmp(others[i].as, verb) == 0)
			return api_admin_ask(out, api, others[i].noun,
			    others[i].verb, key, options, e);
	rc = noun_of(&noun, segment, e);
	return rc != SAT_OK ? rc :
	    api_admin_ask(out, api, noun, verb, key, options, e);
}

HANDLER(api_admin_list)
{
	return ask(out, api, args[0], "list", NULL, req->query, e);
}

HANDLER(api_admin_show)
{
	return ask(out, api, args[0], "show", args[1], req->query, e);
}

/* A device is not added but invited: its key is its own. */
HANDLER(api_admin_add)
{
	bool device = strcmp(args[0], "devices") == 0 ||
	    strcmp(args[0], "invites") == 0;
	const char *key = sat_json_get_str(req->body, "key", NULL);
	sat_json *options = sat_json_dup(req->body);
	sat_rc rc;

	sat_json_del(options, "key");
	rc = !device && key == NULL
	    ? sat_fail_code(e, SAT_EUSAGE, "usage", NULL, "the key is missing")
	    : ask(out, api, args[0], device ? "invite" : "add",
	          device ? NULL : key, options, e);
	sat_json_free(options);
	return rc;
}

HANDLER(api_admin_edit)
{
	return ask(out, api, args[0], "edit", args[1], req->body, e);
}

HANDLER(api_admin_do)
{
	return ask(out, api, args[0], args[2], args[1], req->body, e);
}

/* ---- what every device knows ------------------------------------------------------------ */

HANDLER(api_teams)
{
	const sat_registry *r = sat_replica_registry(api->crm.replica);
	sat_json *rows;

	(void)req;
	(void)args;
	(void)e;
	*out = api_doc("team.list");
	rows = sat_json_put_arr(*out, "data");
	for (size_t i = 0; r != NULL && i < r->nteams; i++) {
		sat_json *row = sat_json_add_obj(rows);
		int64_t people = 0;

		for (size_t u = 0; u < r->nusers; u++)
			people += r->users[u].team == r->teams[i].ord &&
			    !r->users[u].disabled;
		sat_json_put_str(row, "key", r->teams[i].key);
		sat_json_put_str(row, "name", r->teams[i].name);
		sat_json_put_str(row, "parent", r->teams[i].parent);
		sat_json_put_int(row, "people", people);
	}
	return SAT_OK;
}

static const sat_json *
matrix(const sat_api *api)
{
	const sat_template *t = sat_replica_template(api->crm.replica);

	return t != NULL ? sat_template_doc(t, "acl/matrix.json") : NULL;
}

static void
put_role(sat_json *row, const sat_api *api, const sat_json *role)
{
	const sat_registry *r = sat_replica_registry(api->crm.replica);
	const char *key = sat_json_get_str(role, "key", "");
	const sat_json *label = sat_json_get(role, "label");
	int64_t people = 0;

	for (size_t u = 0; r != NULL && u < r->nusers; u++)
		people += strcmp(r->users[u].role, key) == 0 &&
		    !r->users[u].disabled;
	sat_json_put_str(row, "key", key);
	sat_json_put_str(row, "zh", sat_json_get_str(label, "zh", NULL));
	sat_json_put_str(row, "en", sat_json_get_str(label, "en", NULL));
	sat_json_put_str(row, "note", sat_json_get_str(role, "note", NULL));
	sat_json_put_int(row, "people", people);
}

/* Roles are documents of the template: what each may do. */
HANDLER(api_roles)
{
	const sat_json *r = sat_json_first(sat_json_get(matrix(api), "roles"));
	sat_json *rows;

	(void)req;
	(void)args;
	(void)e;
	*out = api_doc("role.list");
	rows = sat_json_put_arr(*out, "data");
	for (; r != NULL; r = sat_json_next(r))
		put_role(sat_json_add_obj(rows), api, r);
	return SAT_OK;
}

/* One with all it is granted. */
HANDLER(api_role)
{
	const sat_json *r = sat_json_first(sat_json_get(matrix(api), "roles"));
	const sat_json *g;
	sat_json *rows;

	(void)req;
	while (r != NULL && strcmp(sat_json_get_str(r, "key", ""), args[0]) != 0)
		r = sat_json_next(r);
	if (r == NULL)
		return sat_fail_code(e, SAT_ENOTFOUND, "not_found",
		    "see: satchel role list", "there is no role %.40s", args[0]);
	*out = api_doc("role");
	put_role(*out, api, r);
	rows = sat_json_put_arr(*out, "data");
	g = sat_json_first(sat_json_get(sat_json_get(matrix(api), "grants"),
	    args[0]));
	for (; g != NULL; g = sat_json_next(g)) {
		sat_json *row = sat_json_add_obj(rows);

		sat_json_put_str(row, "action", sat_json_key(g));
		sat_json_put_str(row, "grant", sat_json_str(g, ""));
	}
	return SAT_OK;
}

/* What lies beside its keys (P-386). */
static const char *
rotation_of(const sat_replica *r)
{
	switch (sat_replica_rekey_state(NULL, NULL, r)) {
	case SAT_REKEY_NEXT: return "waiting";
	case SAT_REKEY_BEFORE: return "kept";
	default: return NULL;
	}
}

HANDLER(api_device)
{
	const sat_replica_identity *id =
	    sat_replica_identity_get(api->crm.replica);
	const sat_registry *r = sat_replica_registry(api->crm.replica);
	const sat_device *d = r != NULL && id->device != 0 ?
	    sat_registry_device(r, id->device) : NULL;
	char key[2 * SAT_SIGN_PK_BYTES + 1];

	(void)req;
	(void)args;
	(void)e;
	*out = api_doc("device");
	sat_json_put_int(*out, "device", id->device);
	sat_json_put_str(*out, "name", d != NULL ? d->name : NULL);
	sat_json_put_str(*out, "user", id->user_key);
	sat_json_put_str(*out, "role", id->role);
	sat_hex(key, id->sign_pk, SAT_SIGN_PK_BYTES);
	sat_json_put_str(*out, "sign_key", key);
	sat_hex(key, id->channel_pk, 32);
	sat_json_put_str(*out, "channel_key", key);
	sat_json_put_str(*out, "rotation", rotation_of(api->crm.replica));
	sat_json_put_int(*out, "incarnation", id->incarnation);
	sat_json_put_bool(*out, "revoked", d != NULL && d->revoked);
	sat_json_put_str(*out, "server", api->sync.server != NULL ?
	    api->sync.server : id->server);
	return SAT_OK;
}

HANDLER(api_rotate_key)
{
	sat_rc rc = sat_sync_rekey(api->crm.replica, &api->sync, e);

	return rc == SAT_OK ? api_device(out, api, req, args, e) : rc;
}
