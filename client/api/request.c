/*
 * A write that is asked for twice is done once: whoever names a request by an
 * id of his own may send it again, also from another process, for 24 hours, and
 * gets the answer of the first time.
 *
 * A mark is made before the write and completed after it. Found incomplete, the
 * program ended in between: when this device's log has not grown since, nothing
 * was written and it is done now; else a person has to look.
 *
 * The mark tells what was done by hashes and ids alone. Of answers those are kept
 * that hold no customer's value, beside the marks, where an erasure takes them
 * away (replica.h): the mark stays, so that no write is done twice, and who asks
 * again is told that it was done.
 */
#include "client/api/api_int.h"

#include "common/base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEPT_MS ((int64_t)86400000)
#define ID_MAX 200
#define COMMITS_MAX 1000          /* that an answer names */
#define PREFIX "request."

typedef struct once {
	sat_api *api;
	char key[80];             /* of the mark's setting */
	char answer[80];          /* of the answer's */
	char print[2 * SAT_HASH_BYTES + 1]; /* of what is asked */
	char newest[64];          /* commit of this device */
	int64_t at_ms;
} once;

static void
hex_hash(char hex[2 * SAT_HASH_BYTES + 1], sat_span s)
{
	uint8_t h[SAT_HASH_BYTES];

	sat_hash(h, s);
	sat_hex(hex, h, sizeof h);
}

static void
fingerprint(once *o, const sat_request *req, const char *id)
{
	char hex[2 * SAT_HASH_BYTES + 1];
	sat_buf b = { 0 };

	hex_hash(hex, sat_span_str(id));
	(void)snprintf(o->key, sizeof o->key, PREFIX "%.32s", hex);
	(void)snprintf(o->answer, sizeof o->answer, SAT_SETTING_ANSWER "%.32s",
	    hex);
	/* The id is not kept: without it nobody tries guesses at the body. */
	sat_buf_fmt(&b, "%s\n%s %s\n", id, req->method, req->path);
	if (req->query != NULL)
		sat_json_write(&b, req->query, false);
	sat_buf_str(&b, "\n");
	/* A hash of what a visitor typed could be tried against guesses. */
	if (req->body != NULL &&
	    !sat_user_is_kiosk(sat_replica_me(o->api->crm.replica)))
		sat_json_write(&b, req->body, false);
	hex_hash(o->print, sat_buf_span(&b));
	sat_buf_fini(&b);
}

static sat_rc
newest_commit(once *o, sat_err *e)
{
	sat_arena a = { 0 };
	sat_commit *c;
	size_t n;
	sat_rc rc = sat_replica_log(&c, &n, &a, o->api->crm.replica, 1, e);

	if (rc == SAT_OK && n > 0)
		(void)snprintf(o->newest, sizeof o->newest, "%u-%llu",
		    c[0].incarnation, (unsigned long long)c[0].cseq);
	sat_arena_fini(&a);
	return rc;
}

/* ---- the mark --------------------------------------------------------------------- */

/* 13 digits of milliseconds, so that old ones are found, then a document. */
static sat_rc
put_doc(const once *o, const char *key, const sat_json *doc, sat_err *e)
{
	sat_buf b = { 0 };
	sat_rc rc;

	sat_buf_fmt(&b, "%013lld", (long long)o->at_ms);
	sat_json_write(&b, doc, false);
	rc = sat_replica_setting_put(o->api->crm.replica, key,
	    sat_buf_span(&b), e);
	sat_buf_fini(&b);
	return rc;
}

/* NULL: there is none. */
static sat_rc
get_doc(sat_json **doc, const once *o, const char *key, sat_err *e)
{
	sat_buf b = { 0 };
	sat_rc rc = sat_replica_setting_get(&b, o->api->crm.replica, key, e);

	*doc = NULL;
	if (rc == SAT_OK && b.n > 13)
		rc = sat_json_parse(doc, sat_span_of(b.p + 13, b.n - 13), 0, e);
	sat_buf_fini(&b);
	return rc == SAT_ENOTFOUND ? SAT_OK : rc;
}

static sat_rc
keep(const once *o, sat_json *mark, sat_err *e)
{
	sat_json_put_str(mark, "print", o->print);
	sat_json_put_str(mark, "newest", o->newest);
	return put_doc(o, o->key, mark, e);
}

/* NULL: it was not asked for within 24 hours. */
static sat_rc
find_mark(sat_json **doc, const once *o, sat_err *e)
{
	sat_replica *r = o->api->crm.replica;
	sat_rc rc = sat_replica_settings_purge(r, PREFIX, o->at_ms - KEPT_MS, e);

	*doc = NULL;
	if (rc == SAT_OK)
		rc = sat_replica_settings_purge(r, SAT_SETTING_ANSWER,
		    o->at_ms - KEPT_MS, e);
	return rc == SAT_OK ? get_doc(doc, o, o->key, e) : rc;
}

/* ---- which commits it made ----------------------------------------------------------- */

/* What a person did last can be taken back by its commits, and only by them: a
 * rule or another window may have written since. */
static void
put_commits(sat_json *answer, const sat_api *api, uint64_t after)
{
	const sat_replica_identity *me =
	    sat_replica_identity_get(api->crm.replica);
	uint64_t newest = sat_replica_newest_cseq(api->crm.replica);
	sat_json *list;
	char key[64];

	if (newest <= after || newest - after > COMMITS_MAX)
		return;
	/* a handler that did a part by another one's route has some there */
	sat_json_del(answer, "commits");
	list = sat_json_put_arr(answer, "commits");
	for (uint64_t n = after + 1; n <= newest; n++) {
		(void)snprintf(key, sizeof key, "%u-%u-%llu", me->device,
		    me->incarnation, (unsigned long long)n);
		sat_json_add_str(list, key);
	}
}

sat_rc
api_do(sat_json **out, sat_api *api, const sat_request *req,
    const sat_route *route, const char *const args[4], sat_err *e)
{
	/* what asks the server runs beside the worker that counts them */
	bool counts = api->crm.replica != NULL &&
	    strcmp(req->method, "GET") != 0 &&
	    !sat_api_uses_network(req->method, req->path);
	uint64_t before = counts ?
	    sat_replica_newest_cseq(api->crm.replica) : 0;
	sat_rc rc = api_as_seen(api, req, route, args, e);

	if (rc == SAT_OK)
		rc = route->handle(out, api, req, args, e);
	if (counts && (rc == SAT_OK || rc == SAT_EPARTLY) &&
	    sat_json_type(*out) == SAT_J_OBJ)
		put_commits(*out, api, before);
	return rc;
}

/* ---- the answer ---------------------------------------------------------------------- */

/* Who asks for these again is answered anew: they write nothing a second time
 * would add to; or what they show is kept nowhere, and noted again (P-248); or
 * each PIN that is tried is judged and counted, whatever was said of another. */
static const char *const anew[] = { "/v1/{kind}/query",
	"/v1/{kind}/{id}/reveal", "/v1/kiosk/lookup", "/v1/kiosk/pin",
	"/v1/imports/preview",
	"/v1/templates/simulate", "/v1/templates/verify", "/v1/audit/verify",
	"/v1/check", "/v1/selftest", "/v1/bench" };

bool
api_is_once(const sat_request *req, const sat_route *r)
{
	for (size_t i = 0; i < sizeof anew / sizeof anew[0]; i++)
		if (strcmp(anew[i], r->pattern) == 0)
			return false;
	/* what asks the server runs beside the worker that has the marks */
	return strcmp(req->method, "GET") != 0 &&
	    !sat_api_uses_network(req->method, req->path);
}

/* Answers of ids, counts, people and words of the program's, by schema. What
 * says more is kept without these members, or with null where one has to be;
 * and a whole record in it as its id. */
static const struct kept {
	const char *schema, *without;
	bool null, record;
} kept[] = {
	{ "approval", NULL, false, true },
	{ "assigned", NULL, false, false },
	{ "backup", NULL, false, false },
	{ "batch", "detail hint", false, false },
	{ "compact", NULL, false, false },
	{ "conflict.resolved", NULL, false, false },
	{ "device", NULL, false, false },
	{ "duplicate.dismissed", NULL, false, false },
	{ "export", NULL, false, false },
	{ "handed", NULL, false, false },
	{ "handover.answered", NULL, false, false },
	{ "import", NULL, false, false },
	{ "import.form", NULL, false, false },
	{ "import.gate", NULL, false, false },
	{ "import.sample", "number name contact phone", true, false },
	{ "lead.converted", NULL, false, false },
	{ "merged", "number title", true, true },
	{ "pool.lease", "number title", true, false },
	{ "privacy.retained", NULL, false, false },
	{ "retried", NULL, false, false },
	{ "rotation.turn", NULL, false, false },
	{ "rules.run", "title", true, false },
	{ "template.file", NULL, false, false },
	{ "undone", "value now", true, false },
};
#define NKEPT (sizeof kept / sizeof kept[0])

static bool
is_word_of(const char *words, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = words; (p = strstr(p, word)) != NULL; p += n)
		if ((p == words || p[-1] == ' ') && (p[n] == ' ' ||
		    p[n] == '\0'))
			return true;
	return false;
}

/* A copy in which members of these names are not, or are null. */
static sat_json *
copy_without(const sat_json *x, const char *words, bool null)
{
	sat_json *out;

	if (words == NULL || (sat_json_type(x) != SAT_J_OBJ &&
	    sat_json_type(x) != SAT_J_ARR))
		return sat_json_dup(x);
	out = sat_json_type(x) == SAT_J_OBJ ? sat_json_obj() : sat_json_arr();
	for (const sat_json *m = sat_json_first(x); m != NULL;
	     m = sat_json_next(m)) {
		bool without = sat_json_type(x) == SAT_J_OBJ &&
		    is_word_of(words, sat_json_key(m));

		if (sat_json_type(x) == SAT_J_ARR)
			sat_json_add(out, copy_without(m, words, null));
		else if (!without)
			sat_json_put(out, sat_json_key(m), copy_without(m,
			    words, null));
		else if (null)
			sat_json_put_null(out, sat_json_key(m));
	}
	return out;
}

/* Between the slashes; "" of another form. */
static void
schema_word(char word[64], const sat_json *answer)
{
	if (sscanf(sat_json_get_str(answer, "schema", ""), "satchel/%63[^/]",
	    word) != 1)
		word[0] = '\0';
}

static const struct kept *
kept_as(const char *schema)
{
	for (size_t i = 0; i < NKEPT; i++)
		if (strcmp(kept[i].schema, schema) == 0)
			return &kept[i];
	return NULL;
}

static sat_rc
keep_answer(const once *o, const sat_json *answer, const char *schema,
    sat_err *e)
{
	const struct kept *how = kept_as(schema);
	sat_json *doc, *rec;
	sat_rc rc;

	if (how == NULL)
		return SAT_OK;
	doc = copy_without(answer, how->without, how->null);
	if (how->record) {
		rec = sat_json_obj();
		sat_json_put_str(rec, "id", sat_json_get_str(sat_json_get(
		    answer, "data"), "id", ""));
		sat_json_set(doc, "data", rec);
	}
	rc = put_doc(o, o->answer, doc, e);
	sat_json_free(doc);
	return rc;
}

/* Of a record its name alone: what it holds is read again, not kept here. */
static sat_rc
put_done(sat_json *mark, const once *o, const sat_json *answer, sat_rc done,
    sat_err *e)
{
	const sat_template *t = sat_replica_template(o->api->crm.replica);
	const char *id = sat_json_get_str(sat_json_get(answer, "data"), "id",
	    NULL);
	char kind[64];

	schema_word(kind, answer);
	sat_json_put_int(mark, "rc", done);
	sat_json_put_bool(mark, "done", true);
	if (id == NULL || t == NULL || sat_template_kind(t, kind) == NULL)
		return keep_answer(o, answer, kind, e);
	sat_json_put_str(mark, "kind", kind);
	sat_json_put_str(mark, "id", id);
	if (sat_json_get(answer, "commits") != NULL)
		sat_json_put(mark, "commits",
		    sat_json_dup(sat_json_get(answer, "commits")));
	return SAT_OK;
}

static sat_rc
not_kept(sat_err *e)
{
	return sat_fail_code(e, SAT_ECONFLICT, "request.done",
	    "look what it did: satchel log",
	    "this request was done and its answer is not kept");
}

/* The record of a kept answer, as it is now. */
static sat_rc
put_record(sat_json *doc, sat_api *api, sat_err *e)
{
	sat_arena a = { 0 };
	sat_json *now = NULL;
	sat_view v;
	sat_id id;
	sat_rc rc;

	if (!sat_id_parse(&id, sat_json_get_str(sat_json_get(doc, "data"), "id",
	    "")))
		return sat_fail(e, SAT_EINTEGRITY, "a kept answer is damaged");
	rc = sat_replica_get(&v, &a, api->crm.replica, NULL, &id, e);
	if (rc == SAT_OK)
		rc = api_record_answer(&now, api, v.kind, &id, false, e);
	if (rc == SAT_OK)
		sat_json_set(doc, "data", sat_json_dup(sat_json_get(now,
		    "data")));
	sat_json_free(now);
	sat_arena_fini(&a);
	return rc;
}

static sat_rc
kept_answer(sat_json **out, const once *o, sat_rc done, sat_err *e)
{
	const struct kept *how;
	char schema[64];
	sat_rc rc = get_doc(out, o, o->answer, e);

	if (rc != SAT_OK || *out == NULL)
		return rc != SAT_OK ? rc : not_kept(e);
	schema_word(schema, *out);
	how = kept_as(schema);
	if (how != NULL && how->record)
		rc = put_record(*out, o->api, e);
	if (rc == SAT_OK)
		return done;
	sat_json_free(*out);
	*out = NULL;
	return rc == SAT_ENOTFOUND ? not_kept(e) : rc;
}

static sat_rc
answer_again(sat_json **out, const once *o, const sat_json *mark, sat_err *e)
{
	const char *kind = sat_json_get_str(mark, "kind", NULL);
	sat_rc rc = (sat_rc)sat_json_get_int(mark, "rc", SAT_OK);
	const sat_kind *k;
	sat_id id;

	if (kind == NULL)
		return kept_answer(out, o, rc, e);
	if ((rc = api_kind(&k, o->api, kind, e)) != SAT_OK)
		return rc;
	if (!sat_id_parse(&id, sat_json_get_str(mark, "id", "")))
		return sat_fail(e, SAT_EINTEGRITY, "a kept answer is damaged");
	rc = api_record_answer(out, o->api, k, &id, false, e);
	if (rc == SAT_ENOTFOUND) /* it was erased, or has left */
		return not_kept(e);
	if (rc == SAT_OK && sat_json_get(mark, "commits") != NULL)
		sat_json_put(*out, "commits",
		    sat_json_dup(sat_json_get(mark, "commits")));
	return rc;
}

static sat_rc
judge_mark(sat_json **out, bool *go, const once *o, const sat_json *mark,
    sat_err *e)
{
	*go = false;
	if (strcmp(sat_json_get_str(mark, "print", ""), o->print) != 0)
		return sat_fail_code(e, SAT_ECONFLICT, "request.reused",
		    "another id for another request",
		    "this request id was used for something else");
	if (sat_json_get_bool(mark, "done", false))
		return answer_again(out, o, mark, e);
	if (strcmp(sat_json_get_str(mark, "newest", ""), o->newest) != 0)
		return sat_fail_code(e, SAT_ECONFLICT, "request.unknown",
		    "look whether it was done: satchel log",
		    "this request was begun and its end is not known");
	*go = true;
	return SAT_OK;
}

/* The mark as it will be found. Of what failed none is left; one that cannot be
 * taken away says "begun", and as nothing was written it is done anew. */
static sat_rc
settle(const once *o, sat_json *mark, const sat_json *answer, sat_rc rc,
    sat_err *e)
{
	sat_err late = { 0 };

	if (rc == SAT_OK || rc == SAT_EPARTLY)
		return put_done(mark, o, answer, rc, &late) == SAT_OK &&
		    keep(o, mark, &late) == SAT_OK ? rc
		    : sat_fail(e, late.rc, "%s", late.text);
	if (sat_replica_setting_del(o->api->crm.replica, o->key, &late) != SAT_OK)
		sat_log(SAT_WARN, "request", "%s", late.text);
	return rc;
}

sat_rc
api_once(sat_json **out, sat_api *api, const sat_request *req, const char *id,
    const sat_route *route, const char *const args[4], sat_err *e)
{
	once o = { .api = api, .at_ms = sat_wall_ms(&api->crm.clock) };
	sat_json *mark = NULL;
	bool go = true;
	sat_rc rc;

	if (id[0] == '\0' || strlen(id) > ID_MAX)
		return sat_fail_code(e, SAT_EUSAGE, "usage.option", NULL,
		    "a request id has 1 to %d bytes", ID_MAX);
	fingerprint(&o, req, id);
	if ((rc = newest_commit(&o, e)) != SAT_OK ||
	    (rc = find_mark(&mark, &o, e)) != SAT_OK)
		return rc;
	if (mark != NULL)
		rc = judge_mark(out, &go, &o, mark, e);
	sat_json_free(mark);
	if (rc != SAT_OK || !go)
		return rc;
	mark = sat_json_obj();
	if ((rc = keep(&o, mark, e)) == SAT_OK) {
		rc = api_do(out, api, req, route, args, e);
		sat_json_free(mark);
		mark = sat_json_obj();
		rc = settle(&o, mark, *out, rc, e);
	}
	sat_json_free(mark);
	return rc;
}
