/*
 * The table of verbs.
 */
#include "server/admin/admin_int.h"

#include "common/base/roff.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const sat_opt options[] = {
	{ "json", 0, NULL, "one JSON document on stdout, errors as JSON" },
	{ "name", 0, "NAME", "full name of a team or user" },
	{ "parent", 0, "TEXT", "office or region of a team" },
	{ "role", 0, "ROLE", "rep, manager, hq, admin, expert, service, marketing, auditor, kiosk or receptionist" },
	{ "team", 0, "KEY", "team of a user" },
	{ "from", 0, "FILE", "take the rows of a CSV file; a pack from a folder; merge replay: a position" },
	{ "user", 0, "KEY", "whom an invitation, or from now on a device, is for" },
	{ "stale", 0, "TIME", "device list: not heard of for so long" },
	{ "qr", 0, NULL, "device invite: as a QR code on the terminal, too" },
	{ "approve", 0, NULL, "device invite: the device waits for device approve" },
	{ "ttl", 0, "TIME", "how long an invitation lives (15m)" },
	{ "address", 0, "URL", "what the invitation says to dial" },
	{ "message", 'm', "TEXT", "why a template changes" },
	{ "canary", 0, "DEV,TEAM", "publish: only these devices and teams try it" },
	{ "take", 0, "SIDE:DOC:PLACE", "decide a conflict: ours or theirs" },
	{ "days", 0, "N", "device lease: how long it opens without a sync" },
	{ "void", 0, NULL, "device lease: no further one; it locks when its last ends" },
	{ "keep", 0, "DAYS", "log compact: nothing younger moves (0)" },
	{ "dry-run", 0, NULL, "say what would change, change nothing" },
	{ "series", 0, "C202405", "prefix and month of customer numbers" },
	{ "count", 0, "N", "how many numbers (20)" },
	{ "gaps", 0, NULL, "only what finished months will never use" },
	{ "quick", 0, NULL, "check: pages only, not the history" },
	{ "reason", 0, "TEXT", "privacy erase: the request; no personal data" },
	{ "by", 0, "KEY", "privacy erase: who decided" },
	{ "second", 0, "KEY", "privacy erase: who confirmed" },
	{ "since", 0, "TIME", "merge log: from then on: 2h, 7d, 2026-11-01 (the last 50)" },
	{ "limit", 0, "N", "merge log, replay: at most so many (50)" },
	{ "verify", 0, NULL, "merge replay: compare with every stored record and signature" },
	{ "timeout", 0, "TIME", "drain: sessions that last longer are cut (30s)" },
	{ "events", 0, "E,E", "webhook: KIND.created, .assigned, .stage, .deleted, .restored, .merged, KIND.*, pool.released, pool.claimed, conflict.opened, *" },
	{ "format", 0, "F", "webhook: json (signed), or the robot of a group: wecom, dingtalk, feishu, slack" },
	{ "plain-http", 0, NULL, "webhook: http to a program on this machine" },
	{ "completeness", 0, NULL, "status: commits that are known and not here" },
	{ NULL, 0, NULL, NULL },
};

static const struct verb {
	const char *noun;
	sat_rc (*run)(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e);
	const char *usage, *help;
} verbs[] = {
	{ "status", admin_status_verb, "status [--completeness]", "what the server holds; what is missing after a restore" },
	{ "reload", admin_reload_verb, "reload",
	    "read settings, template and people again; links stay (as SIGHUP)" },
	{ "drain", admin_drain_verb, "drain [--timeout 30s]",
	    "take nobody new, let sessions end, then end; waits for it" },
	{ "doctor", admin_doctor_verb, "doctor", "what to set right on this server" },
	{ "team", admin_team_verb, "team list | show KEY | add KEY --name N [--parent P] | add --from FILE | edit KEY [--name N] [--parent P] | disable KEY | enable KEY",
	    "teams; one is disabled when nobody in it may sync" },
	{ "user", admin_user_verb,
	    "user list | show KEY | add KEY --name N --role R [--team T] | add --from FILE | edit KEY [--name N] [--role R] | disable KEY | enable KEY",
	    "people and their roles" },
	{ "role", admin_role_verb, "role list | show ROLE",
	    "roles, and what each may do; that is a template document: template publish with another acl/matrix.json" },
	{ "acl", admin_acl_verb, "acl show | test USER ACTION OBJECT",
	    "the permission matrix; may this user, and which rule says so (exit 20: no)" },
	{ "device", admin_device_verb,
	    "device list [--stale 14d] | show NUMBER | move NUMBER --user KEY | invite --user KEY [--ttl 15m] [--qr] [--approve] | approve NUMBER | rename NUMBER --name NAME | lease NUMBER --days N|--void | revoke NUMBER",
	    "devices and invitations" },
	{ "scope", admin_scope_verb, "scope stale",
	    "devices that have not heard yet what came or went" },
	{ "template", admin_template_verb,
	    "template list | publish DIR|REV -m TEXT [--canary DEV,TEAM,...] | rollback REV [-m TEXT] | status | verify | packs | update [--from DIR] [--take SIDE:DOC:PLACE]... [--dry-run] | diff REV REV",
	    "the configuration template, and the industry pack below it" },
	{ "lease", admin_lease_verb,
	    "lease list [--gaps] | grant NUMBER --series S [--count N] | void NUMBER [--series S]",
	    "customer numbers devices hold in advance; NUMBER is a device's" },
	{ "merge", admin_merge_verb,
	    "merge log [--since T] [--limit N] | show LSN | replay --from LSN [--verify]",
	    "what was merged, by whom, with which verdict; the same once more" },
	{ "conflict", admin_conflict_verb, "conflict list | stats",
	    "what a person still has to decide; by field and by device" },
	{ "backup", admin_backup_verb, "backup FOLDER",
	    "verified copy; moves the durable watermark" },
	{ "log", admin_log_verb, "log list | compact [--keep DAYS]",
	    "moves what every device and a backup have out of the database" },
	{ "check", admin_check_verb, "check [--quick]",
	    "database, every record against the log, every signature" },
	{ "privacy", admin_privacy_verb,
	    "privacy status | erase ID --reason TEXT --by KEY --second KEY",
	    "erasures, and how far devices are" },
	{ "webhook", admin_webhook_verb,
	    "webhook list | show ID | add URL --events E [--format json|wecom|dingtalk|feishu|slack] [--plain-http] | add --from FILE ... | test ID | dead ID | retry ID | remove ID",
	    "other services that are told what happened; what they did not take; send it again" },
	{ "kit", admin_kit_verb, "kit FOLDER",
	    "people, devices, keys, templates: to begin again without a backup" },
	{ "audit", admin_audit_verb, "audit verify | gaps",
	    "every chain and signature; commits nobody has" },
};

const sat_opt *
sat_admin_options(void)
{
	return options;
}

#define NVERBS (sizeof verbs / sizeof verbs[0])

void
sat_admin_help(sat_buf *out)
{
	for (size_t i = 0; i < NVERBS; i++)
		sat_buf_fmt(out, "  %s\n      %s\n", verbs[i].usage, verbs[i].help);
	sat_buf_str(out, "\nOptions of the verbs:\n");
	sat_args_help(out, options, NULL);
}

void
sat_admin_man(sat_buf *out)
{
	for (size_t i = 0; i < NVERBS; i++)
		sat_roff_item(out, verbs[i].usage, verbs[i].help);
	sat_roff_section(out, "OPTIONS OF THE COMMANDS");
	sat_roff_options(out, options);
}

sat_rc
sat_admin_run(sat_admin *a, int argc, char *const *argv, sat_buf *out,
    sat_err *e)
{
	const char *names[NVERBS], *near;
	sat_args *w = sat_xcalloc(1, sizeof *w);
	char hint[80] = "see: satcheld --help";
	sat_rc rc = sat_args_parse(w, argc, argv, options, NULL, e);

	if (rc != SAT_OK)
		goto out;
	for (size_t i = 0; i < NVERBS; i++) {
		names[i] = verbs[i].noun;
		if (w->nargs > 0 && strcmp(w->arg[0], verbs[i].noun) == 0) {
			rc = verbs[i].run(a, w, out, e);
			goto out;
		}
	}
	near = w->nargs > 0 ? sat_nearest(w->arg[0], names, NVERBS) : NULL;
	if (near != NULL)
		(void)snprintf(hint, sizeof hint, "did you mean %s?", near);
	rc = sat_fail_code(e, SAT_EUSAGE, "usage", hint, "unknown command %s",
	    w->nargs > 0 ? w->arg[0] : "");
out:
	free(w);
	return rc;
}
