/*
 * doctor: what about this server a person should set right, each with what to
 * do. It changes nothing, and says nothing of any customer.
 */
#include "server/admin/admin_int.h"

#include "common/base/text.h"
#include "common/json/findings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define DAY_MS ((int64_t)86400000)
#define BACKUP_OLD_MS (2 * DAY_MS)
#define SPACE_LOW_MB 1024
#define SPACE_NONE_MB 100
#define DESCRIPTORS_LOW 2048
/* A wall clock that much behind what commits were stamped with was set back. */
#define CLOCK_BACK_MS ((int64_t)5 * 60 * 1000)

typedef struct visit {
	sat_admin *a;
	sat_findings f;
} visit;

/* ---- the data ---------------------------------------------------------------------------- */

static void
look_at_data(visit *v)
{
	sat_admin *a = v->a;
	sat_err why = { 0 };

	if (sat_sqlite_store_check(a->store, true, &why) == SAT_OK)
		sat_finding_add(&v->f, "database", SAT_GOOD, "every page is whole", NULL);
	else
		sat_finding_add(&v->f, "database", SAT_FAILURE, why.text,
		    "stop it, keep the folder, restore the last backup");
	if (admin_segments_verify(a, &why) == SAT_OK)
		sat_finding_add(&v->f, "segments", SAT_GOOD, "whole and signed", NULL);
	else
		sat_finding_add(&v->f, "segments", SAT_FAILURE, why.text,
		    "copy the folder segments of the last backup back");
	if (sat_git_verify_closure(a->git, &a->tip, &why) != SAT_OK)
		sat_finding_add(&v->f, "template", SAT_FAILURE, why.text,
		    "put templates.git of the last backup back");
	else if (admin_template_at(a, a->tip.b) == NULL)
		sat_finding_add(&v->f, "template", SAT_FAILURE, "what is published cannot be loaded",
		    "satcheld template rollback REV");
	else
		sat_finding_add(&v->f, "template", SAT_GOOD, admin_pilot(a) ?
		    N_("whole; a pilot is under way") : N_("whole"), NULL);
}

static sat_rc
look_at_backup(visit *v, sat_err *e)
{
	int64_t at = admin_backup_last(v->a);
	int64_t age = sat_wall_ms(&v->a->clock) - at;
	sat_sqlite_status s;
	char text[96];
	sat_rc rc = sat_sqlite_status_get(&s, v->a->store, e);

	if (rc != SAT_OK)
		return rc;
	if (at == 0)
		(void)snprintf(text, sizeof text, "never, %llu commits here",
		    (unsigned long long)s.lsn);
	else
		(void)snprintf(text, sizeof text,
		    "%lld hours ago, %llu commits since",
		    (long long)(age / 3600000), (unsigned long long)
		    (s.lsn > s.durable ? s.lsn - s.durable : 0));
	sat_finding_add(&v->f, "backup", (at == 0 ? s.lsn > 0 : age > BACKUP_OLD_MS) ?
	    SAT_WARNING : SAT_GOOD, text, "satcheld backup FOLDER, on another machine");
	return SAT_OK;
}

static sat_rc
look_at_devices(visit *v, sat_err *e)
{
	admin_devices d;
	admin_webhooks h;
	uint64_t pending;
	sat_rc rc;

	if ((rc = admin_devices_are(&d, v->a, e)) != SAT_OK ||
	    (rc = admin_erasures_pending(&pending, v->a, e)) != SAT_OK ||
	    (rc = admin_webhooks_are(&h, v->a, e)) != SAT_OK)
		return rc;
	sat_finding_count(&v->f, "devices", SAT_WARNING, d.late,
	    "silent for longer than they may be used",
	    "satcheld device list --stale 14d; revoke what is lost");
	sat_finding_count(&v->f, "diverged", SAT_WARNING, d.diverged,
	    "had to be sent records again",
	    "satcheld check; satcheld device list");
	sat_finding_count(&v->f, "erasures", SAT_WARNING, pending,
	    "confirmations of devices are missing",
	    "satcheld privacy status");
	sat_finding_count(&v->f, "webhooks", SAT_WARNING, h.failing,
	    "do not take what they are sent",
	    "satcheld webhook list; webhook retry ID when it is repaired");
	return SAT_OK;
}

static void
look_at_clock(visit *v)
{
	sat_store st = sat_sqlite_store_ops(v->a->store);
	uint64_t stamped = 0;
	int64_t now = sat_wall_ms(&v->a->clock);

	if (st.counter_get(&stamped, st.u, SAT_N_CLAMP_NOW, NULL) != SAT_OK)
		return;
	if (now + CLOCK_BACK_MS < (int64_t)stamped)
		sat_finding_add(&v->f, "clock", SAT_FAILURE,
		    "behind the newest commit: it was set back",
		    "set the time of this machine, let it follow NTP");
	else
		sat_finding_add(&v->f, "clock", SAT_GOOD, "not behind the newest commit", NULL);
}

/* ---- the machine ------------------------------------------------------------------------- */

static void
look_at_mode(visit *v, const char *check, const char *name)
{
	char *path = admin_path(v->a, name);
	struct stat st;
	char text[80];

	if (stat(path, &st) != 0) {
		sat_finding_add(&v->f, check, SAT_FAILURE, "it is not there",
		    "copy it back from the last backup");
	} else {
		(void)snprintf(text, sizeof text, "permissions %04o",
		    (unsigned)st.st_mode & 07777);
		sat_finding_add(&v->f, check, (st.st_mode & 077) != 0 ? SAT_WARNING : SAT_GOOD, text,
		    "take the rights of others away: chmod go=");
	}
	free(path);
}

static void
look_at_root_key(visit *v)
{
	char *path = admin_path(v->a, "root.key");

	if (access(path, F_OK) == 0)
		sat_finding_add(&v->f, "root.key", SAT_WARNING, "lies beside the data",
		    "move it to two offline places: whoever has it, a backup "
		    "and the passphrase is the organisation");
	else
		sat_finding_add(&v->f, "root.key", SAT_GOOD, "not on this machine", NULL);
	free(path);
}

static void
look_at_machine(visit *v)
{
	int64_t mb = admin_free_bytes(v->a->dir) >> 20;
	struct rlimit l;
	char text[80];

	look_at_mode(v, "folder", ".");
	look_at_mode(v, "keyring", "server.keyring");
	look_at_root_key(v);
	(void)snprintf(text, sizeof text, "%lld MB are free", (long long)mb);
	sat_finding_add(&v->f, "space", mb < SPACE_NONE_MB ? SAT_FAILURE : mb < SPACE_LOW_MB ? SAT_WARNING :
	    SAT_GOOD, text, "satcheld log compact, or a larger disk");
	if (getrlimit(RLIMIT_NOFILE, &l) == 0) {
		(void)snprintf(text, sizeof text, "at most %llu open files",
		    (unsigned long long)l.rlim_max);
		sat_finding_add(&v->f, "descriptors", l.rlim_max < DESCRIPTORS_LOW ? SAT_WARNING :
		    SAT_GOOD, text, "LimitNOFILE=65536 in the service");
	}
	if (strstr(v->a->address, "//0.0.0.0") != NULL ||
	    v->a->address[0] == '\0')
		sat_finding_add(&v->f, "address", SAT_WARNING, "invitations name no host",
		    "satcheld serve --advertise tcp://HOST:PORT");
	else
		sat_finding_add(&v->f, "address", SAT_GOOD, v->a->address, NULL);
}

sat_rc
admin_doctor_verb(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e)
{
	static const char *const cols[] = { "check", "state", "detail", "next",
		NULL };
	sat_json *doc = sat_json_obj();
	visit v = { .a = a };
	sat_rc rc;

	sat_json_put_str(doc, "schema", "satcheld/doctor/1");
	v.f.rows = sat_json_put_arr(doc, "data");
	look_at_data(&v);
	look_at_clock(&v);
	look_at_machine(&v);
	if ((rc = look_at_backup(&v, e)) == SAT_OK)
		rc = look_at_devices(&v, e);
	if (rc == SAT_OK) {
		sat_findings_put(doc, &v.f);
		admin_print(out, w, doc, cols);
		if (v.f.failures > 0)
			rc = sat_fail_code(e, SAT_EFAIL, "doctor", NULL,
			    "%d to set right at once", v.f.failures);
	}
	sat_json_free(doc);
	return rc;
}
