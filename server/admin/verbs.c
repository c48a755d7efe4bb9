/*
 * The table of verbs.
 */
#include "server/admin/admin_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const sat_opt options[] = {
	{ "json", 0, NULL, "one JSON document on stdout, errors as JSON" },
	{ "name", 0, "NAME", "full name of a team or user" },
	{ "parent", 0, "TEXT", "office or region of a team" },
	{ "role", 0, "ROLE", "rep, manager, hq, admin, expert, service, marketing, auditor, kiosk or receptionist; device invite: the role the user must have" },
	{ "team", 0, "KEY", "team of a user" },
	{ "from", 0, "FILE", "take the rows of a CSV file; a pack from a folder; merge replay: a position" },
	{ "user", 0, "KEY", "whom an invitation, or from now on a device, is for" },
	{ "wipe", 0, NULL, "device revoke: it destroys what it holds as soon as it hears of it" },
	{ "push-first", 0, NULL, "device revoke --wipe: its unsent work comes first, and is kept apart" },
	{ "stale", 0, "TIME", "device list: not heard of for so long; conflict escalate: open for so long" },
	{ "qr", 0, NULL, "device invite: as a QR code on the terminal, too" },
	{ "approve", 0, NULL, "device invite: the device waits for device approve" },
	{ "ttl", 0, "TIME", "how long an invitation lives (15m)" },
	{ "address", 0, "URL", "what the invitation says to dial" },
	{ "message", 'm', "TEXT", "why a template changes" },
	{ "canary", 0, "DEV,TEAM", "publish: only these devices and teams try it" },
	{ "take", 0, "SIDE:DOC:PLACE", "decide a conflict: ours or theirs" },
	{ "days", 0, "N", "device lease: how long it opens without a sync" },
	{ "void", 0, NULL, "device lease: no further one; it locks when its last ends" },
	{ "keep", 0, "N", "log compact: nothing younger moves (0); snapshot prune: so many stay (3)" },
	{ "dry-run", 0, NULL, "say what would change, change nothing" },
	{ "series", 0, "C202405", "prefix and month of customer numbers" },
	{ "count", 0, "N", "how many numbers (20)" },
	{ "gaps", 0, NULL, "only what finished months will never use" },
	{ "quick", 0, NULL, "check: pages only, not the history" },
	{ "full", 0, NULL, "check: the history as well; so it is without it" },
	{ "reason", 0, "TEXT", "privacy erase, export: the request; no personal data" },
	{ "by", 0, "KEY", "privacy erase: who decided" },
	{ "second", 0, "KEY", "privacy erase: who confirmed" },
	{ "since", 0, "TIME", "merge log, audit log: from then on: 2h, 7d, 2026-11-01 (the last 50)" },
	{ "limit", 0, "N", "merge log, replay: at most so many (50)" },
	{ "verify", 0, NULL, "merge replay: compare with every stored record and signature" },
	{ "timeout", 0, "TIME", "drain: sessions that last longer are cut (30s)" },
	{ "events", 0, "E,E", "webhook: KIND.created, .assigned, .stage, .deleted, .restored, .merged, KIND.*, pool.released, pool.claimed, conflict.opened, *" },
	{ "format", 0, "F", "webhook: json (signed), or the robot of a group: wecom, dingtalk, feishu, slack" },
	{ "plain-http", 0, NULL, "webhook: http to a program on this machine" },
	{ "new-passphrase-file", 0, "FILE", "keys rotate, recover: first line is the new passphrase" },
	{ "mask", 0, NULL, "export: phones by their last digits" },
	{ "cursor", 0, "N", "export: where the next part begins (the program asks by itself)" },
	{ "completeness", 0, NULL, "status: commits that are known and not here" },
	{ NULL, 0, NULL, NULL },
};

static const struct verb {
	admin_word word;
	sat_rc (*run)(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e);
} verbs[] = {
	{ { "status", "status [--completeness]",
	    "what the server holds; what is missing after a restore",
	    "  satcheld status\n"
	    "  satcheld --json status --completeness\n" }, admin_status_verb },
	{ { "reload", "reload",
	    "read settings, template and people again; links stay (as SIGHUP)",
	    "  satcheld reload\n" }, admin_reload_verb },
	{ { "drain", "drain [--timeout 30s]",
	    "take nobody new, let sessions end, then end; waits for it",
	    "  satcheld drain --timeout 2m\n" }, admin_drain_verb },
	{ { "doctor", "doctor",
	    "what to set right on this server",
	    "  satcheld doctor\n" }, admin_doctor_verb },
	{ { "team", "team list | show KEY | add KEY --name N [--parent P] | add --from FILE | edit KEY [--name N] [--parent P] | disable KEY | enable KEY",
	    "teams; one is disabled when nobody in it may sync",
	    "  satcheld team add east --name 华东 --parent 上海\n"
	    "  satcheld team add --from teams.csv\n"
	    "  satcheld team edit east --name \"East China\"\n" }, admin_team_verb },
	{ { "user", "user list | show KEY | add KEY --name N --role R [--team T] | add --from FILE | edit KEY [--name N] [--role R] | disable KEY | enable KEY",
	    "people and their roles",
	    "  satcheld user add li.na --name 李娜 --role rep --team east\n"
	    "  satcheld user add --from people.csv\n"
	    "  satcheld user edit li.na --role manager\n"
	    "  satcheld user disable li.na\n" }, admin_user_verb },
	{ { "role", "role list | show ROLE",
	    "roles, and what each may do; that is a template document: template publish with another acl/matrix.json",
	    "  satcheld role list\n"
	    "  satcheld role show rep\n" }, admin_role_verb },
	{ { "acl", "acl show | test USER ACTION OBJECT",
	    "the permission matrix; may this user, and which rule says so (exit 20: no)",
	    "  satcheld acl test li.na edit 01HZXW9K2M\n"
	    "  satcheld acl show\n" }, admin_acl_verb },
	{ { "device", "device list [--stale 14d] | show NUMBER | move NUMBER --user KEY | invite --user KEY [--role R] [--ttl 15m] [--qr] [--approve] | invites | uninvite ID | approve NUMBER | rename NUMBER --name NAME | lease NUMBER --days N|--void | revoke NUMBER [--wipe [--push-first]]",
	    "devices and invitations; NUMBER is also the beginning of a device's id (key)",
	    "  satcheld device invite --user li.na --qr\n"
	    "  satcheld device list --stale 14d\n"
	    "  satcheld device move 7 --user wang.fang\n"
	    "  satcheld device revoke 7 --wipe\n" }, admin_device_verb },
	{ { "scope", "scope stale",
	    "devices that have not heard yet what came or went",
	    "  satcheld scope stale\n" }, admin_scope_verb },
	{ { "template", "template list | publish DIR|REV -m TEXT [--canary DEV,TEAM,...] | rollback REV [-m TEXT] | status | verify | packs | update [--from DIR] [--take SIDE:DOC:PLACE]... [--dry-run] | diff REV REV",
	    "the configuration template, and the industry pack below it",
	    "  satcheld template publish ./crm -m \"shorter first response\"\n"
	    "  satcheld template publish ./crm -m \"try it\" --canary 7,east\n"
	    "  satcheld template rollback published\n" }, admin_template_verb },
	{ { "lease", "lease list [--gaps] | grant NUMBER --series S [--count N] | void NUMBER [--series S]",
	    "customer numbers devices hold in advance; NUMBER is a device's",
	    "  satcheld lease list\n"
	    "  satcheld lease grant 7 --series C202611 --count 50\n" }, admin_lease_verb },
	{ { "merge", "merge log [--since T] [--limit N] | show LSN | replay --from LSN [--verify]",
	    "what was merged, by whom, with which verdict; the same once more",
	    "  satcheld merge log --since 2h\n"
	    "  satcheld merge show 4711\n"
	    "  satcheld merge replay --from 4700 --verify\n" }, admin_merge_verb },
	{ { "conflict", "conflict list | stats | escalate [--stale TIME]",
	    "what a person still has to decide; by field and by device; what waits too long, and for whom now",
	    "  satcheld conflict list\n"
	    "  satcheld conflict stats\n"
	    "  satcheld conflict escalate --stale 1d\n" }, admin_conflict_verb },
	{ { "backup", "backup FOLDER",
	    "verified copy; moves the durable watermark",
	    "  satcheld backup /backup/2026-11-22\n" }, admin_backup_verb },
	{ { "export", "export TYPE|all --reason TEXT [--mask] [-o FILE]",
	    "all records of a kind as JSON lines; whole, so it needs a reason",
	    "  satcheld export account --reason \"yearly audit\" -o accounts.jsonl\n"
	    "  satcheld export all --mask --reason \"test data\" | zstd >all.zst\n" }, admin_export_verb },
	{ { "snapshot", "snapshot make | list | prune [--keep N]",
	    "copies of the server on its own disk, to restore from at once; a backup lies elsewhere",
	    "  satcheld snapshot make\n"
	    "  satcheld --json snapshot list\n"
	    "  satcheld snapshot prune --keep 2\n" }, admin_snapshot_verb },
	{ { "log", "log list | compact [--keep DAYS]",
	    "moves what every device and a backup have out of the database",
	    "  satcheld log compact --keep 90\n" }, admin_log_verb },
	{ { "check", "check [--quick|--full]",
	    "database, every record against the log, every signature",
	    "  satcheld check\n"
	    "  satcheld check --quick\n" }, admin_check_verb },
	{ { "privacy", "privacy status | erase ID --reason TEXT --by KEY --second KEY",
	    "erasures, and how far devices are",
	    "  satcheld privacy status\n"
	    "  satcheld privacy erase 01HZXW9K2M --reason \"request 12\" --by li.na --second wang.fang\n" }, admin_privacy_verb },
	{ { "webhook", "webhook list | show ID | add URL --events E [--format json|wecom|dingtalk|feishu|slack] [--plain-http] | add --from FILE ... | test ID | dead ID | retry ID | remove ID",
	    "other services that are told what happened; what they did not take; send it again",
	    "  satcheld webhook add https://hooks.example.cn/crm --events account.created\n"
	    "  satcheld webhook test 1\n" }, admin_webhook_verb },
	{ { "kit", "kit FOLDER",
	    "people, devices, keys, templates: to begin again without a backup",
	    "  satcheld kit /safe/kit-2026-11-22\n" }, admin_kit_verb },
	{ { "keys", "keys show | rotate --new-passphrase-file FILE | escrow FILE | recover FILE --new-passphrase-file FILE",
	    "what opens this server and what it signs with; another passphrase; a second way in, kept offline",
	    "  satcheld keys show\n"
	    "  satcheld keys rotate --new-passphrase-file /run/new-phrase\n"
	    "  satcheld keys escrow /media/usb/recovery.key\n"
	    "  satcheld -D /srv/satchel keys recover /media/usb/recovery.key --new-passphrase-file phrase.txt\n" }, admin_keys_verb },
	{ { "audit", "audit log [--since T] | verify | gaps",
	    "what administrators did; every chain and signature; commits nobody has",
	    "  satcheld audit log --since 30d\n"
	    "  satcheld audit verify\n"
	    "  satcheld audit gaps\n" }, admin_audit_verb },
};
#define NVERBS (sizeof verbs / sizeof verbs[0])

const sat_opt *
sat_admin_options(void)
{
	return options;
}

const admin_word *
admin_verb_word(size_t i)
{
	return i < NVERBS ? &verbs[i].word : NULL;
}

/* How many words an alternative of a usage takes, the noun among them; 0: it is
 * another one. "show KEY" is meant by `show`, "FOLDER" by anything. */
static size_t
words_of(const char *alt, size_t n, const char *verb)
{
	size_t first = strcspn(alt, " ") < n ? strcspn(alt, " ") : n;
	char text[400];

	if (n > 0 && alt[0] >= 'a' && alt[0] <= 'z' && (verb == NULL ||
	    strlen(verb) != first || strncmp(alt, verb, first) != 0))
		return 0;
	(void)snprintf(text, sizeof text, "%.*s", (int)n, alt);
	return 1 + sat_usage_words(text);
}

/* `drain extra` drained, `status DEVICE` told of the server: a word too many is
 * a mistake. An unknown verb is told of by the verb's noun. */
static sat_rc
words_fit(const admin_word *word, const sat_args *w, sat_err *e)
{
	const char *p = word->usage + strlen(word->noun);
	size_t most = 0, words;

	for (size_t i = 1; i < w->nargs; i++)
		if (w->arg[i][0] == '\0')
			return sat_fail_code(e, SAT_EUSAGE, "usage",
			    "see: satcheld --help", "an empty word names nothing");
	for (;; p += 3) {
		const char *end;

		p += strspn(p, " ");
		end = strstr(p, " | ");
		words = words_of(p, end != NULL ? (size_t)(end - p) : strlen(p),
		    w->nargs > 1 ? w->arg[1] : NULL);
		most = words > most ? words : most;
		if (end == NULL)
			break;
		p = end;
	}
	return most == 0 || w->nargs <= most ? SAT_OK : sat_fail_code(e,
	    SAT_EUSAGE, "usage", "see: satcheld --help",
	    "there is a word too many");
}

sat_rc
sat_admin_run(sat_admin *a, int argc, char *const *argv, sat_buf *out,
    sat_err *e)
{
	const char *names[NVERBS], *near;
	sat_args *w = sat_xcalloc(1, sizeof *w);
	char hint[80] = "see: satcheld --help", number[12];
	sat_rc rc = sat_args_parse(w, argc, argv, options, NULL, e);

	if (rc == SAT_OK && w->nargs > 0)
		rc = admin_device_named(a, w, number, e);
	if (rc != SAT_OK)
		goto out;
	for (size_t i = 0; i < NVERBS; i++) {
		names[i] = verbs[i].word.noun;
		if (w->nargs > 0 && strcmp(w->arg[0], verbs[i].word.noun) == 0) {
			if ((rc = words_fit(&verbs[i].word, w, e)) != SAT_OK)
				goto out;
			rc = verbs[i].run(a, w, out, e);
			admin_audit_note(a, w, rc);
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
