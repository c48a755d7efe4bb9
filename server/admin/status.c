/*
 * status: how the server is, in numbers a person or a probe looks at every day.
 * Nothing of any customer is in it.
 */
#include "server/admin/admin_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define BACKUP_AT "backup_at"

/* ---- what doctor asks too ------------------------------------------------------------ */

sat_rc
admin_backup_note(sat_admin *a, sat_err *e)
{
	char text[24];

	(void)snprintf(text, sizeof text, "%lld",
	    (long long)sat_wall_ms(&a->clock));
	return sat_sqlite_setting_put(a->store, BACKUP_AT, sat_span_str(text),
	    e);
}

int64_t
admin_backup_last(sat_admin *a)
{
	sat_buf b = { 0 };
	int64_t at = 0;

	if (sat_sqlite_setting_get(&b, a->store, BACKUP_AT, NULL) == SAT_OK)
		at = strtoll(sat_buf_cstr(&b), NULL, 10);
	sat_buf_fini(&b);
	return at;
}

typedef struct counting {
	sat_admin *a;
	admin_devices *d;
	int64_t now;
} counting;

static bool
count_device(void *u, const sat_sqlite_device *d)
{
	counting *c = u;
	const sat_user *who = sat_registry_user_ord(
	    sat_server_registry(c->a->core), d->user);
	int64_t may = admin_lease_days(c->a, d->permit_days > 0 ?
	    d->permit_days : 0) * (24 * 3600 * 1000);
	int64_t heard = d->last_seen_ms > 0 ? d->last_seen_ms : d->enrolled_ms;
	uint8_t due[SAT_GIT_OID_BYTES];

	c->d->revoked += d->revoked;
	if (d->revoked)
		return true;
	c->d->never += d->last_seen_ms == 0;
	c->d->late += c->now - heard > may;
	c->d->live += c->now - heard <= may;
	c->d->diverged += d->diverged > 0;
	if (c->d->oldest_ms == 0 || heard < c->d->oldest_ms)
		c->d->oldest_ms = heard;
	if (d->template_oid.n == SAT_GIT_OID_BYTES) {
		admin_template_due(c->a, due, d->ord,
		    who != NULL ? who->team : 0, d->template_oid.p);
		c->d->behind += memcmp(due, d->template_oid.p, sizeof due) != 0;
	}
	return true;
}

sat_rc
admin_devices_are(admin_devices *out, sat_admin *a, sat_err *e)
{
	counting c = { a, out, sat_wall_ms(&a->clock) };

	memset(out, 0, sizeof *out);
	return sat_sqlite_devices(a->store, count_device, &c, e);
}

sat_rc
admin_erasures_pending(uint64_t *out, sat_admin *a, sat_err *e)
{
	sat_privacy_is is;
	sat_rc rc = sat_server_privacy(a->core, &is, e);

	*out = 0;
	for (size_t i = 0; rc == SAT_OK && i < is.n; i++)
		*out += is.row[i].done ? is.row[i].pending : 0;
	return rc;
}

int64_t
admin_file_bytes(const sat_admin *a, const char *name)
{
	char *path = admin_path(a, name);
	struct stat st;
	int64_t n = stat(path, &st) == 0 ? (int64_t)st.st_size : 0;

	free(path);
	return n;
}

int64_t
admin_free_bytes(const char *dir)
{
	struct statvfs fs;

	return statvfs(dir, &fs) == 0 ?
	    (int64_t)((uint64_t)fs.f_bavail * fs.f_frsize) : -1;
}

/* ---- the verb -------------------------------------------------------------------------- */

static bool
put_refusal(void *u, sat_span slug, uint64_t n)
{
	char key[64];

	(void)snprintf(key, sizeof key, "%.*s", (int)slug.n,
	    (const char *)slug.p);
	sat_json_put_int(u, key, (int64_t)n);
	return true;
}

static sat_rc
put_merges(sat_json *doc, sat_admin *a, sat_err *e)
{
	uint64_t late, conflicts;
	sat_rc rc = sat_sqlite_verdicts(&late, &conflicts, a->store, e);

	if (rc != SAT_OK)
		return rc;
	sat_json_put_int(doc, "late", (int64_t)late);
	sat_json_put_int(doc, "conflicts_opened", (int64_t)conflicts);
	return sat_sqlite_refusals(a->store, put_refusal,
	    sat_json_put_obj(doc, "refused_by"), e);
}

static sat_rc
put_devices(sat_json *doc, sat_admin *a, sat_err *e)
{
	admin_devices d;
	uint64_t pending;
	sat_rc rc;

	/* On a full disk what was heard a moment ago stays unwritten. */
	if (((rc = sat_server_settle(a->core, e)) != SAT_OK &&
	    rc != SAT_ENOSPACE) ||
	    (rc = admin_devices_are(&d, a, e)) != SAT_OK ||
	    (rc = admin_erasures_pending(&pending, a, e)) != SAT_OK)
		return rc;
	sat_json_put_int(doc, "devices_never", (int64_t)d.never);
	sat_json_put_int(doc, "devices_late", (int64_t)d.late);
	sat_json_put_int(doc, "devices_behind", (int64_t)d.behind);
	sat_json_put_int(doc, "devices_diverged", (int64_t)d.diverged);
	sat_json_put_time(doc, "oldest_contact", d.oldest_ms);
	sat_json_put_int(doc, "erasures_pending", (int64_t)pending);
	return SAT_OK;
}

static void
put_disk(sat_json *doc, sat_admin *a, const sat_sqlite_status *s)
{
	int64_t at = admin_backup_last(a);

	sat_json_put_int(doc, "unsaved", s->lsn > s->durable ?
	    (int64_t)(s->lsn - s->durable) : 0);
	sat_json_put_time(doc, "last_backup", at);
	sat_json_put_int(doc, "database_bytes",
	    admin_file_bytes(a, "server.db"));
	sat_json_put_int(doc, "wal_bytes", admin_file_bytes(a, "server.db-wal"));
	sat_json_put_int(doc, "free_bytes", admin_free_bytes(a->dir));
}

static void
put_relay(sat_json *doc, sat_admin *a)
{
	sat_relay_stats rs;

	sat_relay_stats_get(&rs, a->relay);
	sat_json_put_time(doc, "since", a->since_ms);
	sat_json_put_int(doc, "links", rs.net.links);
	sat_json_put_int(doc, "requests", (int64_t)rs.requests);
	sat_json_put_int(doc, "groups", (int64_t)rs.groups);
	sat_json_put_int(doc, "group_max", (int64_t)rs.group_max);
	sat_json_put_int(doc, "queue_max", (int64_t)rs.queue_max);
	sat_json_put_int(doc, "parked", (int64_t)rs.parked);
	sat_json_put_int(doc, "woken", (int64_t)rs.woken);
}

sat_rc
admin_status_verb(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e)
{
	char hex[SAT_GIT_OID_HEX + 1];
	sat_sqlite_status s;
	sat_json *doc;
	sat_rc rc;

	if (sat_args_has(w, "completeness"))
		return admin_gaps(a, w, out, e);
	if ((rc = sat_sqlite_status_get(&s, a->store, e)) != SAT_OK)
		return rc;
	sat_oid_hex(hex, &a->tip);
	doc = sat_json_obj();
	sat_json_put_str(doc, "schema", "satcheld/status/1");
	sat_json_put_str(doc, "organisation", a->org_name);
	sat_json_put_str(doc, "state", a->relay != NULL ? "serving" : "stopped");
	sat_json_put_int(doc, "pid", getpid());
	sat_json_put_int(doc, "protocol", SAT_PROTO_VERSION);
	sat_json_put_str(doc, "address", a->address);
	sat_json_put_str(doc, "template", hex);
	sat_json_put_bool(doc, "pilot", admin_pilot(a));
	sat_json_put_int(doc, "lsn", (int64_t)s.lsn);
	sat_json_put_int(doc, "records", (int64_t)s.records);
	sat_json_put_int(doc, "refused", (int64_t)s.refused);
	sat_json_put_int(doc, "durable", (int64_t)s.durable);
	sat_json_put_int(doc, "epoch", (int64_t)s.epoch);
	sat_json_put_int(doc, "users", (int64_t)s.users);
	sat_json_put_int(doc, "teams", (int64_t)s.teams);
	sat_json_put_int(doc, "devices", (int64_t)s.devices);
	sat_json_put_int(doc, "invites", (int64_t)s.invites);
	put_disk(doc, a, &s);
	if ((rc = put_merges(doc, a, e)) == SAT_OK)
		rc = put_devices(doc, a, e);
	if (a->relay != NULL)
		put_relay(doc, a);
	if (rc == SAT_OK)
		admin_print(out, w, doc, NULL);
	sat_json_free(doc);
	return rc;
}
