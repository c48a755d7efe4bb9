/*
 * doctor: what about this device a person should set right, each with what to
 * do. It changes nothing, and says nothing of any customer.
 */
#include "client/api/api_int.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define DAY_MS ((int64_t)86400000)
#define SYNC_OLD_MS (3 * DAY_MS)
#define SPACE_LOW_MB 200
#define SPACE_NONE_MB 20

typedef enum state { GOOD, WARN, FAIL } state;

typedef struct visit {
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

/* ---- the data -------------------------------------------------------------------- */

static void
look_at_database(visit *v, sat_api *api)
{
	sat_err why = { 0 };

	if (sat_replica_check(api->crm.replica, true, &why) == SAT_OK)
		found(v, "database", GOOD, "every page is whole", NULL);
	else
		found(v, "database", FAIL, why.text,
		    "satchel backup FOLDER, then ask the administrator");
	if (sat_replica_template(api->crm.replica) != NULL)
		found(v, "template", GOOD, sat_template_version(
		    sat_replica_template(api->crm.replica)), NULL);
	else
		found(v, "template", FAIL, "none yet", "satchel sync");
}

static void
look_at_sync(visit *v, sat_api *api, const sat_replica_status *s)
{
	int64_t now = sat_wall_ms(&api->crm.clock);
	bool old = s->last_sync_ms == 0 || now - s->last_sync_ms > SYNC_OLD_MS;
	char text[80];

	if (sat_replica_is_demo(api->crm.replica)) {
		found(v, "sync", GOOD, "demonstration, no server", NULL);
		return;
	}
	if (s->last_sync_ms == 0)
		(void)snprintf(text, sizeof text, "never");
	else
		(void)snprintf(text, sizeof text, "%lld hours ago",
		    (long long)((now - s->last_sync_ms) / 3600000));
	found(v, "sync", old ? WARN : GOOD, text, "satchel sync");
	(void)snprintf(text, sizeof text, "%lld commits",
	    (long long)s->pending_commits);
	found(v, "waiting", old && s->pending_commits > 0 ? WARN : GOOD, text,
	    "satchel sync");
	(void)snprintf(text, sizeof text, "%lld commits",
	    (long long)s->quarantined);
	found(v, "refused", s->quarantined > 0 ? WARN : GOOD, text,
	    "satchel inbox");
	(void)snprintf(text, sizeof text, "%lld times", (long long)s->diverged.count);
	found(v, "diverged", s->diverged.count > 0 ? WARN : GOOD, text,
	    "satchel check; tell the administrator if it goes on");
}

static void
look_at_time(visit *v, sat_api *api, const sat_replica_status *s)
{
	sat_err why = { 0 };

	found(v, "clock", s->clock_suspect ? WARN : GOOD, s->clock_suspect
	    ? "differs from the server's, or was set back" : "as the server's",
	    "set the time of this computer");
	if (sat_replica_permitted(api->crm.replica, &why) == SAT_OK)
		found(v, "permit", GOOD, "open", NULL);
	else
		found(v, "permit", FAIL, why.text, "satchel sync");
}

/* ---- the folder -------------------------------------------------------------------- */

static void
look_at_mode(visit *v, const char *check, const char *path)
{
	struct stat st;
	char text[80];

	if (stat(path, &st) != 0) {
		found(v, check, FAIL, strerror(errno), "satchel restore FOLDER");
		return;
	}
	(void)snprintf(text, sizeof text, "mode %04o", (unsigned)st.st_mode & 07777);
	if (st.st_uid != geteuid())
		found(v, check, WARN, "belongs to another user",
		    "give it to who uses it: chown");
	else
		found(v, check, (st.st_mode & 077) != 0 ? WARN : GOOD, text,
		    "take the rights of others away: chmod go=");
}

static void
look_at_folder(visit *v, const sat_api *api)
{
	char *ring = sat_xasprintf("%s/replica.keyring", api->dir);
	struct statvfs fs;
	char text[80];

	look_at_mode(v, "folder", api->dir);
	look_at_mode(v, "keyring", ring);
	free(ring);
	if (statvfs(api->dir, &fs) != 0) {
		found(v, "space", WARN, strerror(errno), NULL);
		return;
	}
	{
		uint64_t mb = (uint64_t)fs.f_bavail * fs.f_frsize >> 20;

		(void)snprintf(text, sizeof text, "%llu MB free",
		    (unsigned long long)mb);
		found(v, "space", mb < SPACE_NONE_MB ? FAIL
		        : mb < SPACE_LOW_MB          ? WARN
		                                     : GOOD,
		    text, "make room on this disk");
	}
}

/* ---- what may leak ----------------------------------------------------------------- */

/* Lines of a file of /proc; -1 = cannot say. */
static int
lines_of(const char *path)
{
	FILE *f = fopen(path, "re");
	int c, n = 0;

	if (f == NULL)
		return -1;
	while ((c = fgetc(f)) != EOF)
		n += c == '\n';
	(void)fclose(f);
	return n;
}

static int
first_digit(const char *path)
{
	FILE *f = fopen(path, "re");
	int c = f != NULL ? fgetc(f) : EOF;

	if (f != NULL)
		(void)fclose(f);
	return c >= '0' && c <= '9' ? c - '0' : -1;
}

static void
look_at_leaks(visit *v, const sat_api *api)
{
	struct rlimit core = { 0, 0 }, locked = { 0, 0 };
	char *beside = sat_xasprintf("%s/demo.passphrase", api->dir);

	(void)getrlimit(RLIMIT_CORE, &core);
	(void)getrlimit(RLIMIT_MEMLOCK, &locked);
	found(v, "user", geteuid() == 0 ? WARN : GOOD, geteuid() == 0
	    ? "runs as root" : "an ordinary one", "run it as who uses it");
	found(v, "core", core.rlim_cur > 0 ? WARN : GOOD, core.rlim_cur > 0
	    ? "a crash may write memory to disk" : "none are written",
	    "ulimit -c 0");
	found(v, "locked memory", locked.rlim_cur < 65536 ? WARN : GOOD,
	    locked.rlim_cur < 65536 ? "keys may be swapped out"
	                            : "keys stay in memory", "ulimit -l 1024");
	found(v, "swap", lines_of("/proc/swaps") > 1 ? WARN : GOOD,
	    lines_of("/proc/swaps") > 1 ? "there is some; screens and letters "
	    "may reach the disk" : "none", "encrypt it, or switch it off");
	found(v, "tracing", first_digit("/proc/sys/kernel/yama/ptrace_scope") ==
	    0 ? WARN : GOOD, first_digit("/proc/sys/kernel/yama/ptrace_scope") ==
	    0 ? "programs of this user may read each other" : "restricted",
	    "sysctl kernel.yama.ptrace_scope=1");
	found(v, "passphrase", access(beside, F_OK) == 0 ? WARN : GOOD,
	    access(beside, F_OK) == 0 ? "lies beside the data"
	                              : "not beside the data",
	    "nothing, for a demonstration; else satchel passwd");
	free(beside);
}

HANDLER(api_doctor)
{
	sat_replica_status s;
	visit v = { .failures = 0 };
	sat_rc rc;

	(void)args;
	if (api->crm.replica == NULL)
		return sat_fail(e, SAT_ENOREPLICA, "there is no replica here");
	if ((rc = sat_replica_status_get(&s, api->crm.replica, e)) != SAT_OK)
		return rc;
	*out = api_doc("doctor");
	v.rows = sat_json_put_arr(*out, "data");
	look_at_database(&v, api);
	look_at_sync(&v, api, &s);
	look_at_time(&v, api, &s);
	look_at_folder(&v, api);
	if (api_q(req, "security") != NULL)
		look_at_leaks(&v, api);
	sat_json_put_bool(*out, "ok", v.failures == 0);
	sat_json_put_int(*out, "warnings", v.warnings);
	sat_json_put_int(*out, "failures", v.failures);
	return SAT_OK;
}
