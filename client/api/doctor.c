/*
 * doctor: what about this device a person should set right, each with what to
 * do. It changes nothing, and says nothing of any customer.
 */
#include "client/api/api_int.h"

#include "client/crm/import.h"
#include "common/base/file.h"
#include "common/base/text.h"
#include "common/json/findings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_MS ((int64_t)86400000)
#define SYNC_OLD_MS (3 * DAY_MS)
#define SPACE_LOW_MB 200
#define SPACE_NONE_MB 20

/* ---- the data -------------------------------------------------------------------- */

static void
look_at_database(sat_findings *v, sat_api *api)
{
	sat_err why = { 0 };

	if (sat_replica_check(api->crm.replica, true, &why) == SAT_OK)
		sat_finding_add(v, "database", SAT_GOOD, "every page is whole", NULL);
	else
		sat_finding_add(v, "database", SAT_FAILURE, why.text,
		    "satchel backup FOLDER, then ask the administrator");
	if (sat_replica_template(api->crm.replica) != NULL)
		sat_finding_add(v, "template", SAT_GOOD, sat_template_version(
		    sat_replica_template(api->crm.replica)), NULL);
	else
		sat_finding_add(v, "template", SAT_FAILURE, "none yet", "satchel sync");
}

static void
look_at_sync(sat_findings *v, sat_api *api, const sat_replica_status *s)
{
	int64_t now = sat_wall_ms(&api->crm.clock);
	bool old = s->last_sync_ms == 0 || now - s->last_sync_ms > SYNC_OLD_MS;
	char text[80];

	if (sat_replica_is_demo(api->crm.replica)) {
		sat_finding_add(v, "sync", SAT_GOOD, "demonstration, no server", NULL);
		return;
	}
	if (s->last_sync_ms == 0)
		(void)snprintf(text, sizeof text, "never");
	else
		(void)snprintf(text, sizeof text, "%lld hours ago",
		    (long long)((now - s->last_sync_ms) / 3600000));
	sat_finding_add(v, "sync", old ? SAT_WARNING : SAT_GOOD, text, "satchel sync");
	(void)snprintf(text, sizeof text, "%lld commits",
	    (long long)s->pending_commits);
	sat_finding_add(v, "waiting", old && s->pending_commits > 0 ? SAT_WARNING : SAT_GOOD, text,
	    "satchel sync");
	(void)snprintf(text, sizeof text, "%lld commits",
	    (long long)s->quarantined);
	sat_finding_add(v, "refused", s->quarantined > 0 ? SAT_WARNING : SAT_GOOD, text,
	    "satchel inbox");
	(void)snprintf(text, sizeof text, "%lld differences", (long long)s->diverged.count);
	sat_finding_add(v, "diverged", s->diverged.count > 0 ? SAT_WARNING : SAT_GOOD, text,
	    "satchel check; tell the administrator if it goes on");
}

static void
look_at_time(sat_findings *v, sat_api *api, const sat_replica_status *s)
{
	sat_err why = { 0 };

	sat_finding_add(v, "clock", s->clock_suspect ? SAT_WARNING : SAT_GOOD, s->clock_suspect
	    ? "differs from the server's, or was set back" : N_("as the server's"),
	    "set the time of this computer");
	if (sat_replica_permitted(api->crm.replica, &why) == SAT_OK)
		sat_finding_add(v, "permit", SAT_GOOD, "not over", NULL);
	else
		sat_finding_add(v, "permit", SAT_FAILURE, why.text, "satchel sync");
}

/* ---- the entry of data --------------------------------------------------------------- */

/* As the template's reminder has it: so long after a migration it is forgotten. */
static sat_rc
look_at_import(sat_findings *v, sat_api *api, sat_err *e)
{
	const sat_reminder *r = NULL;
	const sat_template *t = sat_replica_template(api->crm.replica);
	int64_t since, age;
	char text[80];
	sat_rc rc;

	for (size_t i = 0; t != NULL && i < sat_reminders(t); i++)
		if (sat_reminder_at(t, i)->when == SAT_WHEN_FACT &&
		    strcmp(sat_reminder_at(t, i)->word, "import_open") == 0)
			r = sat_reminder_at(t, i);
	if (r == NULL)
		return SAT_OK;
	if ((rc = sat_crm_import_open_since(&since, &api->crm, e)) != SAT_OK)
		return rc;
	age = sat_wall_ms(&api->crm.clock) - since;
	(void)snprintf(text, sizeof text, since == 0 ? "closed, or not used yet" :
	    "open for %lld days", (long long)(age / DAY_MS));
	sat_finding_add(v, "import", since > 0 && age >= r->offset_ms ?
	    SAT_WARNING : SAT_GOOD, text,
	    "an administrator: satchel import close");
	return SAT_OK;
}

/* ---- the folder -------------------------------------------------------------------- */

static void
look_at_mode(sat_findings *v, const char *check, const char *path)
{
	sat_file_facts f;
	sat_err why = { 0 };
	char text[80];

	if (sat_file_look(&f, path, &why) != SAT_OK) {
		sat_finding_add(v, check, SAT_FAILURE, why.text, "satchel restore FOLDER");
		return;
	}
	(void)snprintf(text, sizeof text, "access mode %04o", f.mode);
	if (!f.mine)
		sat_finding_add(v, check, SAT_WARNING, "belongs to another user",
		    "give it to who uses it: chown");
	else
		sat_finding_add(v, check, (f.mode & 077) != 0 ? SAT_WARNING : SAT_GOOD, text,
		    "take the rights of others away: chmod go=");
}

static void
look_at_folder(sat_findings *v, const sat_api *api)
{
	char *ring = sat_xasprintf("%s/replica.keyring", api->dir);
	sat_err why = { 0 };
	char text[80];
	uint64_t mb;

	look_at_mode(v, N_("folder"), api->dir);
	look_at_mode(v, N_("keyring"), ring);
	free(ring);
	if (sat_folder_space(&mb, api->dir, &why) != SAT_OK) {
		sat_finding_add(v, "space", SAT_WARNING, why.text, NULL);
		return;
	}
	(void)snprintf(text, sizeof text, "%llu MB free on this disk",
	    (unsigned long long)mb);
	sat_finding_add(v, "space", mb < SPACE_NONE_MB ? SAT_FAILURE
	        : mb < SPACE_LOW_MB          ? SAT_WARNING
	                                     : SAT_GOOD,
	    text, "make room on this disk");
}

/* ---- what may leak ----------------------------------------------------------------- */

static void
look_at_leaks(sat_findings *v, const sat_api *api)
{
	char *beside = sat_xasprintf("%s/demo.passphrase", api->dir);
	bool lies = sat_file_there(beside);
	sat_process_facts p;

	sat_process_look(&p);
	sat_finding_add(v, "user", p.root ? SAT_WARNING : SAT_GOOD,
	    p.root ? "runs as root" : N_("an ordinary one"), "run it as who uses it");
	sat_finding_add(v, "core", p.core_bytes > 0 ? SAT_WARNING : SAT_GOOD, p.core_bytes > 0
	    ? "a crash may write memory to disk" : N_("none are written"),
	    "ulimit -c 0");
	sat_finding_add(v, "locked memory", p.locked_bytes < 65536 ? SAT_WARNING : SAT_GOOD,
	    p.locked_bytes < 65536 ? "keys may be swapped out"
	                           : N_("keys stay in memory"), "ulimit -l 1024");
	sat_finding_add(v, "swap", p.swaps > 0 ? SAT_WARNING : SAT_GOOD, p.swaps > 0
	    ? "there is some; screens and letters may reach the disk" : N_("none"),
	    "encrypt it, or switch it off");
	sat_finding_add(v, "tracing", p.ptrace == 0 ? SAT_WARNING : SAT_GOOD, p.ptrace == 0
	    ? "programs of this user may read each other" : N_("restricted"),
	    "sysctl kernel.yama.ptrace_scope=1");
	sat_finding_add(v, "passphrase", lies ? SAT_WARNING : SAT_GOOD,
	    lies ? "lies beside the data" : N_("not beside the data"),
	    "nothing, for a demonstration; else satchel passwd");
	free(beside);
}

HANDLER(api_doctor)
{
	sat_replica_status s;
	sat_findings v = { .failures = 0 };
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
	if ((rc = look_at_import(&v, api, e)) != SAT_OK) {
		sat_json_free(*out);
		*out = NULL;
		return rc;
	}
	look_at_folder(&v, api);
	if (api_q(req, "security") != NULL)
		look_at_leaks(&v, api);
	sat_json_put_bool(*out, "ok", v.failures == 0);
	sat_json_put_int(*out, "warnings", v.warnings);
	sat_json_put_int(*out, "failures", v.failures);
	return SAT_OK;
}
