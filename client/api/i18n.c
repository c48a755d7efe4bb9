/*
 * What things are called, in one language: kinds, fields, options, roles and
 * reports of the template; and a person's diary as text.
 */
#include "client/api/api_int.h"

#include "common/base/file.h"
#include "common/base/version.h"
#include "common/template/report_def.h"

#include <stdlib.h>
#include <string.h>

static const char *
word(bool is_zh, const char *zh, const char *en)
{
	return is_zh ? zh : en;
}

static void
put_fields(sat_json *o, const sat_kind *k, bool zh)
{
	for (size_t i = 0; i < k->nfields; i++)
		sat_json_put_str(o, k->fields[i].key, word(zh, k->fields[i].zh,
		    k->fields[i].en));
}

/* Of every field that has some; a dictionary that several use comes once. */
static void
put_options(sat_json *dicts, const sat_kind *k, bool zh)
{
	for (size_t i = 0; i < k->nfields; i++) {
		const sat_dict *d = k->fields[i].dict;
		sat_json *o;

		if (d == NULL || sat_json_get(dicts, d->name) != NULL)
			continue;
		o = sat_json_put_obj(dicts, d->name);
		for (size_t n = 0; n < d->n; n++)
			sat_json_put_str(o, d->options[n].key, word(zh,
			    d->options[n].zh, d->options[n].en));
	}
}

static void
put_roles(sat_json *o, const sat_template *t, bool zh)
{
	const sat_json *m = sat_template_doc(t, "acl/matrix.json");

	for (const sat_json *r = sat_json_first(sat_json_get(m, "roles"));
	     r != NULL; r = sat_json_next(r))
		sat_json_put_str(o, sat_json_get_str(r, "key", ""),
		    sat_json_get_str(sat_json_get(r, "label"), zh ? "zh" : "en",
		    NULL));
}

static void
put_reports(sat_json *o, const sat_template *t, bool zh)
{
	const char *key;

	for (size_t i = 0; (key = sat_report_key(t, i)) != NULL; i++) {
		sat_report_def def;

		if (sat_report_def_load(t, key, &def, NULL) != SAT_OK)
			continue;
		sat_json_put_str(o, key, word(zh, def.zh, def.en));
		sat_report_def_fini(&def);
	}
}

void
api_etag_put(sat_json *doc, const sat_api *api)
{
	char hex[2 * 20 + 1];

	sat_hex(hex, sat_replica_template_oid(api->crm.replica), 20);
	sat_json_put_str(doc, "etag", hex);
}

HANDLER(api_i18n)
{
	const sat_template *t = sat_replica_template(api->crm.replica);
	bool zh = strcmp(args[0], "zh") == 0;
	sat_json *kinds, *fields, *dicts;

	(void)req;
	if (!zh && strcmp(args[0], "en") != 0)
		return sat_fail_code(e, SAT_ENOTFOUND, "not_found", "zh or en",
		    "there are no words in \"%.20s\"", args[0]);
	if (t == NULL)
		return sat_fail_code(e, SAT_ENOREPLICA, "not_synced",
		    "run: satchel sync", "there is no template yet");
	*out = api_doc("i18n");
	sat_json_put_str(*out, "lang", args[0]);
	api_etag_put(*out, api);
	kinds = sat_json_put_obj(*out, "kinds");
	fields = sat_json_put_obj(*out, "fields");
	dicts = sat_json_put_obj(*out, "options");
	for (size_t i = 0; i < sat_template_kinds(t); i++) {
		const sat_kind *k = sat_template_kind_at(t, i);

		sat_json_put_str(kinds, k->key, word(zh, k->zh, k->en));
		put_fields(sat_json_put_obj(fields, k->key), k, zh);
		put_options(dicts, k, zh);
	}
	put_roles(sat_json_put_obj(*out, "roles"), t, zh);
	put_reports(sat_json_put_obj(*out, "reports"), t, zh);
	return SAT_OK;
}

HANDLER(api_calendar)
{
	sat_buf b = { 0 };
	sat_rc rc = sat_crm_calendar(&b, &api->crm, e);

	(void)req;
	(void)args;
	if (rc == SAT_OK) {
		*out = api_doc("calendar");
		sat_json_put_str(*out, "type", "text/calendar; charset=utf-8");
		sat_json_put_strn(*out, "text", sat_buf_span(&b));
	}
	sat_buf_fini(&b);
	return rc;
}

/* ---- numbers for a monitor ----------------------------------------------------------- */

static void
metric(sat_buf *b, const char *name, const char *help, const char *type,
    int64_t v)
{
	sat_buf_fmt(b, "# HELP %s %s\n# TYPE %s %s\n%s %lld\n", name, help, name,
	    type, name, (long long)v);
}

/* Counts and times, never a name (Prometheus text format 0.0.4). */
HANDLER(api_metrics)
{
	sat_replica_status s;
	sat_file_facts f;
	sat_buf b = { 0 };
	char *path;
	sat_rc rc = sat_replica_status_get(&s, api->crm.replica, e);

	(void)req;
	(void)args;
	if (rc != SAT_OK)
		return rc;
	metric(&b, "satchel_pending_commits", "commits that wait for the server",
	    "gauge", s.pending_commits);
	metric(&b, "satchel_conflicts_open", "conflicts that need a person",
	    "gauge", s.conflicts);
	metric(&b, "satchel_rejected_commits", "commits the server refused",
	    "gauge", s.quarantined);
	metric(&b, "satchel_last_sync_timestamp_seconds",
	    "end of the last exchange, 0 = none", "gauge",
	    s.last_sync_ms / 1000);
	metric(&b, "satchel_cursor", "log position this replica is at",
	    "counter", (int64_t)s.cursor);
	path = sat_xasprintf("%s/replica.db", api->dir);
	if (sat_file_look(&f, path, NULL) == SAT_OK)
		metric(&b, "satchel_replica_bytes", "size of the replica's file",
		    "gauge", (int64_t)f.bytes);
	free(path);
	sat_buf_fmt(&b, "# HELP satchel_build_info the program\n"
	    "# TYPE satchel_build_info gauge\n"
	    "satchel_build_info{version=\"%s\"} 1\n", SAT_VERSION);
	*out = api_doc("metrics");
	sat_json_put_str(*out, "type", "text/plain; version=0.0.4; charset=utf-8");
	sat_json_put_strn(*out, "text", sat_buf_span(&b));
	sat_buf_fini(&b);
	return SAT_OK;
}
