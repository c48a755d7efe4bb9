/*
 * The replica's state, the people, the schema, and sync.
 */
#include "client/api/api_int.h"
#include "common/base/log.h"
#include "common/base/version.h"

#include "common/git/git.h"

#include <stdlib.h>
#include <string.h>

HANDLER(api_health)
{
	(void)api;
	(void)req;
	(void)args;
	(void)e;
	*out = api_doc("health");
	sat_json_put_bool(*out, "ok", true);
	return SAT_OK;
}

HANDLER(api_version)
{
	(void)api;
	(void)req;
	(void)args;
	(void)e;
	*out = api_doc("version");
	sat_json_put_str(*out, "version", SAT_VERSION);
	sat_json_put_int(*out, "protocol", SAT_PROTO_VERSION);
	return SAT_OK;
}

static void
me_put(sat_json *d, const sat_api *api)
{
	const sat_replica_identity *id =
	    sat_replica_identity_get(api->crm.replica);
	const sat_user *u = sat_replica_me(api->crm.replica);
	const sat_registry *r = sat_replica_registry(api->crm.replica);
	const sat_team *t =
	    u != NULL && r != NULL ? sat_registry_team_ord(r, u->team) : NULL;

	sat_json_put_str(d, "user", id->user_key);
	sat_json_put_str(d, "name", u != NULL ? u->name : id->user_key);
	sat_json_put_str(d, "role", u != NULL ? u->role : id->role);
	sat_json_put_str(d, "team", t != NULL ? t->key : NULL);
	sat_json_put_str(d, "organisation", id->org_name);
	sat_json_put_int(d, "device_number", id->device);
}

/* How far his rights reach, and what holds for him: "own", "team", "all". */
static void
put_reach(sat_json *d, const sat_api *api)
{
	static const char *const words[] = { "none", "own", "team", "all" };
	const sat_user *u = sat_replica_me(api->crm.replica);
	const sat_template *t = sat_replica_template(api->crm.replica);
	sat_json *x;
	sat_quota q;

	if (u == NULL || t == NULL) { /* before the first sync */
		sat_json_put_null(d, "scope");
		sat_json_put_null(d, "limits");
		return;
	}
	q = sat_template_quota(t, u->role);
	x = sat_json_put_obj(d, "scope");
	sat_json_put_str(x, "view", words[sat_acl(t, u->role, "account.view")]);
	sat_json_put_str(x, "edit", words[sat_acl(t, u->role, "account.edit")]);
	sat_json_put_str(x, "assign", words[sat_acl(t, u->role, "account.assign")]);
	sat_json_put_str(x, "import", words[sat_acl(t, u->role, "import")]);
	sat_json_put_str(x, "export", words[sat_acl(t, u->role, "export")]);
	sat_json_put_str(x, "report", words[sat_acl(t, u->role, "report")]);
	x = sat_json_put_obj(d, "limits");
	sat_json_put_int(x, "operations_day", q.ops_day);
	sat_json_put_int(x, "mib_day", q.mib_day);
	sat_json_put_int(x, "lease_days", sat_template_device(t).lease_d);
	sat_json_put_int(x, "session_idle_min",
	    sat_template_session_idle_min(t));
}

HANDLER(api_me)
{
	(void)req;
	(void)args;
	(void)e;
	*out = api_doc("me");
	me_put(*out, api);
	put_reach(*out, api);
	return SAT_OK;
}

/* Without a daemon nobody is connected. */
static const char *
live_word(const sat_api *api)
{
	sat_err last;

	if (api->live == NULL)
		return "offline";
	switch (sat_live_state_get(api->live, &last)) {
	case SAT_LIVE_WAITING:
		return "live";
	case SAT_LIVE_EXCHANGING:
		return "syncing";
	case SAT_LIVE_OFF:
		return last.rc == SAT_EREVOKED ? "revoked" : "offline";
	case SAT_LIVE_OFFLINE:
		break;
	}
	return "offline";
}

/* As many as the inbox lists. */
static sat_rc
count_pairs(int64_t *n, sat_api *api, sat_err *e)
{
	sat_json *list;
	sat_rc rc;

	*n = 0;
	if (sat_replica_template(api->crm.replica) == NULL ||
	    sat_replica_me(api->crm.replica) == NULL)
		return SAT_OK; /* never synced */
	list = sat_json_arr();
	rc = api_pairs_put(list, api, false, API_PAIR_SCORE, e);
	*n = (int64_t)sat_json_count(list);
	sat_json_free(list);
	return rc;
}

HANDLER(api_status)
{
	const sat_replica_identity *id;
	const sat_template *t;
	char key[SAT_SIGN_PK_BYTES * 2 + 1], oid[SAT_GIT_OID_HEX + 1];
	sat_replica_status s;
	sat_files_waiting files;
	int64_t pairs;
	sat_json *d, *x;
	sat_rc rc;

	(void)req;
	(void)args;
	if (api->crm.replica == NULL)
		return sat_fail(e, SAT_ENOREPLICA, "there is no replica here");
	if ((rc = sat_replica_status_get(&s, api->crm.replica, e)) != SAT_OK ||
	    (rc = sat_replica_files_waiting(&files, api->crm.replica, e)) !=
	    SAT_OK || (rc = count_pairs(&pairs, api, e)) != SAT_OK)
		return rc;
	id = sat_replica_identity_get(api->crm.replica);
	t = sat_replica_template(api->crm.replica);
	d = api_doc("status");
	sat_json_put_str(d, "profile", api->profile);
	sat_json_put_str(d, "state", id->device == 0 ? "enrolling"
	        : !s.complete                       ? "incomplete"
	                                            : live_word(api));
	sat_json_put_bool(d, "unlocked", true);
	sat_hex(key, id->sign_pk, SAT_SIGN_PK_BYTES);
	key[16] = '\0';
	sat_json_put_str(d, "device", key);
	sat_json_put_str(d, "server", api->sync.server != NULL &&
	    id->server[0] != '\0' ? api->sync.server : id->server);
	sat_json_put_bool(d, "demo", sat_replica_is_demo(api->crm.replica));
	me_put(d, api);
	sat_json_put_time(d, "last_sync", s.last_sync_ms);
	x = sat_json_put_obj(d, "pending");
	sat_json_put_int(x, "commits", s.pending_commits);
	sat_json_put_int(x, "records", s.pending_records);
	sat_json_put_int(x, "files", files.n);
	sat_json_put_int(x, "file_bytes", files.bytes);
	sat_json_put_int(x, "files_refused", files.refused);
	x = sat_json_put_obj(d, "inbox");
	sat_json_put_int(x, "conflicts", s.conflicts);
	sat_json_put_int(x, "duplicates", pairs);
	sat_json_put_int(x, "rejected", s.quarantined);
	sat_json_put_int(x, "handovers", s.handed);
	sat_json_put_int(x, "late", s.late);
	x = sat_json_put_obj(d, "cursor");
	sat_json_put_int(x, "applied", (int64_t)s.cursor);
	sat_json_put_int(x, "known", (int64_t)s.known);
	x = sat_json_put_obj(d, "template");
	sat_hex(oid, sat_replica_template_oid(api->crm.replica), 20);
	sat_json_put_str(x, "rev", oid);
	sat_json_put_str(x, "version", t != NULL ? sat_template_version(t) : NULL);
	sat_json_put_int(d, "incomplete", s.incomplete);
	sat_json_put_int(d, "moved", s.moved);
	x = sat_json_put_obj(d, "diverged");
	sat_json_put_int(x, "count", s.diverged.count);
	sat_json_put_time(x, "last", s.diverged.at_ms);
	sat_json_put_int(x, "kind", s.diverged.kind);
	sat_json_put_int(x, "first_record",
	    (int64_t)s.diverged.bucket << SAT_BUCKET_SHIFT);
	sat_json_put_int(x, "lsn", (int64_t)s.diverged.lsn);
	sat_json_put_time(d, "lease_until", s.permit_ms);
	sat_json_put_bool(d, "locked", sat_replica_permitted(
	    api->crm.replica, NULL) != SAT_OK);
	sat_json_put_bool(d, "clock_suspect", s.clock_suspect);
	sat_json_put_int(d, "schema_version", s.schema_version);
	*out = d;
	return SAT_OK;
}

HANDLER(api_people)
{
	const sat_registry *r = sat_replica_registry(api->crm.replica);
	sat_json *rows;

	(void)req;
	(void)args;
	(void)e;
	*out = api_doc("user.list");
	rows = sat_json_put_arr(*out, "data");
	for (size_t i = 0; r != NULL && i < r->nusers; i++) {
		const sat_team *t = sat_registry_team_ord(r, r->users[i].team);
		sat_json *row = sat_json_add_obj(rows);

		sat_json_put_str(row, "key", r->users[i].key);
		sat_json_put_str(row, "name", r->users[i].name);
		sat_json_put_str(row, "role", r->users[i].role);
		sat_json_put_str(row, "team", t != NULL ? t->key : NULL);
		sat_json_put_bool(row, "disabled", r->users[i].disabled);
	}
	return SAT_OK;
}

HANDLER(api_schema)
{
	static const char *const types[] = { "text", "int", "money", "bool",
		"date", "time", "enum", "tags", "phone", "email", "ref", "user" };
	bool zh = api->crm.lang != NULL && api->crm.lang[0] == 'z';
	const sat_kind *k;
	sat_json *rows;
	char *etag;
	sat_rc rc = api_kind(&k, api, args[0], e);

	(void)req;
	if (rc != SAT_OK)
		return rc;
	*out = api_doc("schema");
	sat_json_put_str(*out, "kind", k->key);
	api_etag_put(*out, api);
	api_json_schema_put(*out, k, zh);
	if (zh) { /* its titles are other bytes under the same revision */
		etag = sat_xasprintf("%s-zh", sat_json_get_str(*out, "etag",
		    ""));
		sat_json_del(*out, "etag");
		sat_json_put_str(*out, "etag", etag);
		free(etag);
	}
	rows = sat_json_put_arr(*out, "data");
	for (size_t i = 0; i < k->nfields; i++) {
		const sat_field *f = &k->fields[i];
		sat_json *row = sat_json_add_obj(rows);

		sat_json_put_str(row, "key", f->key);
		sat_json_put_str(row, "zh", f->zh);
		sat_json_put_str(row, "en", f->en);
		sat_json_put_str(row, "type", f->files ? "files" : types[f->type]);
		sat_json_put_bool(row, "required", f->required);
		sat_json_put_str(row, "dict", f->dict != NULL ? f->dict->name : NULL);
		sat_json_put_bool(row, "pii", f->pii);
		sat_json_put_str(row, "purpose", f->purpose);
	}
	return SAT_OK;
}

HANDLER(api_dict)
{
	const sat_template *t = sat_replica_template(api->crm.replica);
	const sat_dict *d = t != NULL ? sat_template_dict(t, args[0]) : NULL;
	sat_json *rows;

	(void)req;
	if (d == NULL)
		return sat_fail(e, SAT_ENOTFOUND, "there is no dictionary \"%s\"",
		    args[0]);
	*out = api_doc("dict");
	api_etag_put(*out, api);
	rows = sat_json_put_arr(*out, "data");
	for (size_t i = 0; i < d->n; i++) {
		sat_json *row = sat_json_add_obj(rows);

		sat_json_put_str(row, "key", d->options[i].key);
		sat_json_put_str(row, "zh", d->options[i].zh);
		sat_json_put_str(row, "en", d->options[i].en);
		sat_json_put_str(row, "parent", d->options[i].parent);
		sat_json_put_bool(row, "retired", d->options[i].retired);
	}
	return SAT_OK;
}

static void
sync_progress(void *u, const sat_cs_stats *s)
{
	sat_api *api = u;
	sat_json *line;

	if (api->event == NULL)
		return;
	line = sat_json_obj();
	sat_json_put_str(line, "type", "progress");
	sat_json_put_int(line, "pushed", (int64_t)s->pushed);
	sat_json_put_int(line, "records", (int64_t)s->records);
	sat_json_put_int(line, "commits", (int64_t)s->pulled_commits);
	api->event(api->u, line);
	sat_json_free(line);
}

void
sat_api_sync_put(sat_json *d, const sat_sync_result *r)
{
	sat_json_put_int(d, "pushed", (int64_t)r->stats.pushed);
	sat_json_put_int(d, "accepted", (int64_t)r->stats.accepted);
	sat_json_put_int(d, "late", (int64_t)r->stats.late);
	sat_json_put_int(d, "conflicts", (int64_t)r->stats.conflicts);
	sat_json_put_int(d, "rejected", (int64_t)r->stats.rejected);
	sat_json_put_int(d, "handed_over", (int64_t)r->stats.handed);
	sat_json_put_int(d, "commits", (int64_t)r->stats.pulled_commits);
	sat_json_put_int(d, "records", (int64_t)r->stats.records);
	sat_json_put_int(d, "refetched", (int64_t)r->stats.refetched);
	sat_json_put_int(d, "rescopes", (int64_t)r->stats.rescopes);
	sat_json_put_bool(d, "template_changed", r->stats.template_changed);
	sat_json_put_int(d, "round_trips", (int64_t)r->stats.round_trips);
	sat_json_put_int(d, "bytes_out", (int64_t)r->bytes_out);
	sat_json_put_int(d, "bytes_in", (int64_t)r->bytes_in);
	sat_json_put_int(d, "ms", r->ms);
}

/* Before the network is asked and behind it, on the replica's own thread. */
typedef struct beside {
	sat_api *api;
	sat_replica_status s;
	size_t differ;
	sat_rc rc;
	sat_err e;
} beside;

static void
count_pending(void *arg)
{
	beside *b = arg;

	b->rc = sat_replica_status_get(&b->s, b->api->crm.replica, &b->e);
}

static void
recount(void *arg)
{
	beside *b = arg;

	b->rc = sat_replica_recount(&b->differ, b->api->crm.replica, &b->e);
}

static void
make_index(void *arg)
{
	beside *b = arg;

	b->rc = sat_replica_search_ready(b->api->crm.replica, &b->e);
}

static sat_rc
do_beside(beside *b, void (*fn)(void *arg), sat_err *e)
{
	if (b->api->sync.call != NULL)
		b->api->sync.call(b->api->sync.cu, fn, b);
	else
		fn(b);
	if (b->rc != SAT_OK && e != NULL)
		*e = b->e;
	return b->rc;
}

/* What would be sent. What would come is known only to the server. */
static sat_rc
sync_dry(sat_json **out, sat_api *api, sat_err *e)
{
	beside b = { .api = api };
	sat_sync_result r = { .ms = 0 };
	sat_rc rc = do_beside(&b, count_pending, e);

	if (rc != SAT_OK)
		return rc;
	r.stats.pushed = (uint64_t)b.s.pending_commits;
	*out = api_doc("sync");
	sat_api_sync_put(*out, &r);
	sat_json_put_bool(*out, "dry_run", true);
	sat_json_put_int(*out, "pending_records", b.s.pending_records);
	return SAT_OK;
}

HANDLER(api_sync_run)
{
	const char *only = sat_json_get_str(req->body, "only", "");
	bool full = sat_json_get_bool(req->body, "full", false);
	beside b = { .api = api };
	sat_sync_opts o = api->sync;
	sat_sync_result r;
	sat_rc rc;

	if (sat_json_get_bool(req->body, "dry_run", false))
		return sync_dry(out, api, e);

	(void)args;
	o.flags = strcmp(only, "push") == 0 ? SAT_CS_PUSH_ONLY
	    : strcmp(only, "pull") == 0     ? SAT_CS_PULL_ONLY
	                                    : 0;
	o.timeout_ms = (int)sat_json_get_int(req->body, "timeout_ms",
	    o.timeout_ms);
	o.retries = (int)sat_json_get_int(req->body, "retries", o.retries);
	if (o.timeout_ms < 0 || o.timeout_ms > 3600000 || o.retries < 0 ||
	    o.retries > 100)
		return sat_fail(e, SAT_EUSAGE, "timeout_ms or retries is out of "
		    "range");
	o.progress = sync_progress;
	o.interrupted = api_interrupted;
	o.u = api;
	if (full && (rc = do_beside(&b, recount, e)) != SAT_OK)
		return rc;
	rc = sat_sync_run(&r, api->crm.replica, &o, e);
	if (rc != SAT_OK && rc != SAT_EPARTLY)
		return rc;
	/* so that nobody waits for it later; if it fails, a search says why */
	if (do_beside(&b, make_index, NULL) != SAT_OK)
		sat_log(SAT_WARN, "SEARCH-INDEX", "not made");
	*out = api_doc("sync");
	sat_api_sync_put(*out, &r);
	if (full)
		sat_json_put_int(*out, "recounted", (int64_t)b.differ);
	return rc;
}

typedef struct watch {
	sat_api *api;
	int64_t exchanges;
} watch;

static void
watched(void *u, const sat_sync_result *r)
{
	watch *w = u;
	sat_json *line;

	w->exchanges++;
	if (w->api->event == NULL)
		return;
	line = sat_json_obj();
	sat_json_put_str(line, "type", "sync");
	sat_api_sync_put(line, r);
	w->api->event(w->api->u, line);
	sat_json_free(line);
}

HANDLER(api_sync_watch)
{
	sat_sync_opts o = api->sync;
	watch w = { api, 0 };
	sat_live *live;
	sat_rc rc;

	(void)req;
	(void)args;
	o.progress = sync_progress;
	o.interrupted = api_interrupted;
	o.u = api;
	if (api->watch != NULL) { /* two that wait would drive each other out */
		rc = api->watch(api, e);
	} else {
		live = sat_live_new(&o, watched, &w);
		rc = sat_live_run(live, api->crm.replica, e);
		sat_live_free(live);
	}
	if (rc != SAT_OK)
		return rc;
	*out = api_doc("sync.watch");
	sat_json_put_int(*out, "exchanges", w.exchanges);
	return SAT_OK;
}

HANDLER(api_pending)
{
	sat_arena a = { 0 };
	sat_json *rows;
	sat_commit *c;
	size_t n;
	int64_t most, put = 0;
	sat_rc rc = api_number(&most, req, "limit", INT64_MAX, e);

	(void)args;
	if (rc == SAT_OK)
		rc = sat_replica_log(&c, &n, &a, api->crm.replica, 0, e);
	if (rc == SAT_OK) {
		*out = api_doc("pending");
		rows = sat_json_put_arr(*out, "data");
		for (size_t i = n; i-- > 0;) /* oldest first */
			if (c[i].lsn == 0 && put++ < most)
				api_commit_json(sat_json_add_obj(rows), api,
				    &c[i]);
	}
	sat_arena_fini(&a);
	return rc;
}
