/*
 * doctor: what about this server a person should set right, each with what to
 * do. It changes nothing, and says nothing of any customer.
 */
#include "server/admin/admin_int.h"

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

typedef enum state { GOOD, WARN, FAIL } state;

typedef struct visit {
	sat_admin *a;
	sat_json *rows;
	int warnings, failures;
} visit;

/* next NULL: nothing to do. */
static void
found(visit *v, const char *check, state s, const char *detail, const char *next)
{
	static const char *const words[] = { "ok", "warn", "fail" };
	sat_json *row = sat_json_add_obj(v->rows);

	sat_json_put_str(row, "check", check);
	sat_json_put_str(row, "state", words[s]);
	sat_json_put_str(row, "detail", detail);
	sat_json_put_str(row, "next", s == GOOD ? NULL : next);
	v->warnings += s == WARN;
	v->failures += s == FAIL;
}

static void
found_count(visit *v, const char *check, state bad, uint64_t n,
    const char *what, const char *next)
{
	char text[96];

	(void)snprintf(text, sizeof text, "%llu %s", (unsigned long long)n,
	    what);
	found(v, check, n > 0 ? bad : GOOD, text, next);
}

/* ---- the data ---------------------------------------------------------------------------- */

static void
look_at_data(visit *v)
{
	sat_admin *a = v->a;
	sat_err why = { 0 };

	if (sat_sqlite_store_check(a->store, true, &why) == SAT_OK)
		found(v, "database", GOOD, "every page is whole", NULL);
	else
		found(v, "database", FAIL, why.text,
		    "stop it, keep the folder, restore the last backup");
	if (admin_segments_verify(a, &why) == SAT_OK)
		found(v, "segments", GOOD, "whole and signed", NULL);
	else
		found(v, "segments", FAIL, why.text,
		    "copy the folder segments of the last backup back");
	if (sat_git_verify_closure(a->git, &a->tip, &why) != SAT_OK)
		found(v, "template", FAIL, why.text,
		    "put templates.git of the last backup back");
	else if (admin_template_at(a, a->tip.b) == NULL)
		found(v, "template", FAIL, "what is published cannot be loaded",
		    "satcheld template rollback REV");
	else
		found(v, "template", GOOD, admin_pilot(a) ?
		    "whole; a pilot is under way" : "whole", NULL);
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
	found(v, "backup", (at == 0 ? s.lsn > 0 : age > BACKUP_OLD_MS) ?
	    WARN : GOOD, text, "satcheld backup FOLDER, on another machine");
	return SAT_OK;
}

static sat_rc
look_at_devices(visit *v, sat_err *e)
{
	admin_devices d;
	uint64_t pending;
	sat_rc rc;

	if ((rc = admin_devices_are(&d, v->a, e)) != SAT_OK ||
	    (rc = admin_erasures_pending(&pending, v->a, e)) != SAT_OK)
		return rc;
	found_count(v, "devices", WARN, d.late,
	    "silent for longer than they may be used",
	    "satcheld device list --stale 14d; revoke what is lost");
	found_count(v, "diverged", WARN, d.diverged,
	    "had to be sent records again",
	    "satcheld check; satcheld device list");
	found_count(v, "erasures", WARN, pending,
	    "confirmations of devices are missing",
	    "satcheld privacy status");
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
		found(v, "clock", FAIL,
		    "behind the newest commit: it was set back",
		    "set the time of this machine, let it follow NTP");
	else
		found(v, "clock", GOOD, "not behind the newest commit", NULL);
}

/* ---- the machine ------------------------------------------------------------------------- */

static void
look_at_mode(visit *v, const char *check, const char *name)
{
	char *path = admin_path(v->a, name);
	struct stat st;
	char text[80];

	if (stat(path, &st) != 0) {
		found(v, check, FAIL, "it is not there",
		    "copy it back from the last backup");
	} else {
		(void)snprintf(text, sizeof text, "mode %04o",
		    (unsigned)st.st_mode & 07777);
		found(v, check, (st.st_mode & 077) != 0 ? WARN : GOOD, text,
		    "take the rights of others away: chmod go=");
	}
	free(path);
}

static void
look_at_root_key(visit *v)
{
	char *path = admin_path(v->a, "root.key");

	if (access(path, F_OK) == 0)
		found(v, "root.key", WARN, "lies beside the data",
		    "move it to two offline places: whoever has it, a backup "
		    "and the passphrase is the organisation");
	else
		found(v, "root.key", GOOD, "not on this machine", NULL);
	free(path);
}

static void
look_at_machine(visit *v)
{
	int64_t mb = admin_free_bytes(v->a) >> 20;
	struct rlimit l;
	char text[80];

	look_at_mode(v, "folder", ".");
	look_at_mode(v, "keyring", "server.keyring");
	look_at_root_key(v);
	(void)snprintf(text, sizeof text, "%lld MB free", (long long)mb);
	found(v, "space", mb < SPACE_NONE_MB ? FAIL : mb < SPACE_LOW_MB ? WARN :
	    GOOD, text, "satcheld log compact, or a larger disk");
	if (getrlimit(RLIMIT_NOFILE, &l) == 0) {
		(void)snprintf(text, sizeof text, "at most %llu",
		    (unsigned long long)l.rlim_max);
		found(v, "descriptors", l.rlim_max < DESCRIPTORS_LOW ? WARN :
		    GOOD, text, "LimitNOFILE=65536 in the service");
	}
	if (strstr(v->a->address, "//0.0.0.0") != NULL ||
	    v->a->address[0] == '\0')
		found(v, "address", WARN, "invitations name no host",
		    "satcheld serve --advertise tcp://HOST:PORT");
	else
		found(v, "address", GOOD, v->a->address, NULL);
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
	v.rows = sat_json_put_arr(doc, "data");
	look_at_data(&v);
	look_at_clock(&v);
	look_at_machine(&v);
	if ((rc = look_at_backup(&v, e)) == SAT_OK)
		rc = look_at_devices(&v, e);
	if (rc == SAT_OK) {
		sat_json_put_bool(doc, "ok", v.failures == 0);
		sat_json_put_int(doc, "warnings", v.warnings);
		sat_json_put_int(doc, "failures", v.failures);
		admin_print(out, w, doc, cols);
		if (v.failures > 0)
			rc = sat_fail_code(e, SAT_EFAIL, "doctor", NULL,
			    "%d to set right at once", v.failures);
	}
	sat_json_free(doc);
	return rc;
}
