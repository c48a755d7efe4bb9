/*
 * The table of verbs, and serve.
 */
#include "server/admin/admin_int.h"

#include "common/base/log.h"
#include "common/base/roff.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static const sat_opt options[] = {
	{ "json", 0, NULL, "one JSON document on stdout, errors as JSON" },
	{ "name", 0, "NAME", "full name of a team or user" },
	{ "parent", 0, "TEXT", "office or region of a team" },
	{ "role", 0, "ROLE", "rep, manager, hq, admin, expert, service, marketing, auditor, kiosk or receptionist" },
	{ "team", 0, "KEY", "team of a user" },
	{ "from", 0, "FILE", "take the rows of a CSV file; a pack from a folder; merge replay: a position" },
	{ "user", 0, "KEY", "whom an invitation, or from now on a device, is for" },
	{ "stale", 0, "TIME", "device list: not heard of for so long" },
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
	{ "completeness", 0, NULL, "status: commits that are known and not here" },
	{ NULL, 0, NULL, NULL },
};

static const struct verb {
	const char *noun;
	sat_rc (*run)(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e);
	const char *usage, *help;
} verbs[] = {
	{ "status", admin_status_verb, "status [--completeness]", "what the server holds; what is missing after a restore" },
	{ "doctor", admin_doctor_verb, "doctor", "what to set right on this server" },
	{ "team", admin_team_verb, "team list | add KEY --name N [--parent P] | add --from FILE",
	    "teams" },
	{ "user", admin_user_verb,
	    "user list | add KEY --name N --role R [--team T] | add --from FILE | disable KEY | enable KEY",
	    "people and their roles" },
	{ "role", admin_role_verb, "role list | show ROLE",
	    "roles, and what each may do" },
	{ "acl", admin_acl_verb, "acl show | test USER ACTION OBJECT",
	    "the permission matrix; may this user, and which rule says so (exit 20: no)" },
	{ "device", admin_device_verb,
	    "device list [--stale 14d] | show NUMBER | move NUMBER --user KEY | invite --user KEY [--ttl 15m] | lease NUMBER --days N|--void | revoke NUMBER",
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

/* Signals are waited for on a thread of their own, never handled. */
static void *
signal_main(void *u)
{
	sat_admin *a = u;
	sigset_t set;
	int sig;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	if (sigwait(&set, &sig) == 0) {
		sat_log(SAT_INFO, "SERVE-SIGNAL", "signal=%d", sig);
		sat_relay_stop(a->relay);
	}
	return NULL;
}

static sat_rc
port_write(const char *path, uint16_t port, sat_err *e)
{
	char *tmp = sat_xasprintf("%s.tmp", path);
	FILE *f = fopen(tmp, "w");
	bool ok = f != NULL && fprintf(f, "%u\n", (unsigned)port) > 0;

	if (f != NULL)
		ok = fclose(f) == 0 && ok;
	ok = ok && rename(tmp, path) == 0;
	free(tmp);
	return ok ? SAT_OK
	          : sat_fail(e, SAT_EIO, "cannot write %s: %s", path,
	                strerror(errno));
}

/* What invitations say: the address people were told, else the bound one. */
static sat_rc
address_set(sat_admin *a, const char *listen, const char *advertise,
    uint16_t port, sat_err *e)
{
	if (advertise != NULL) {
		(void)snprintf(a->address, sizeof a->address, "%s", advertise);
	} else {
		const char *host = strncmp(listen, "tcp://", 6) == 0 ? listen + 6
		                                                     : listen;
		int n = (int)strcspn(host, ":");

		(void)snprintf(a->address, sizeof a->address, "tcp://%.*s:%u", n,
		    host, (unsigned)port);
	}
	return sat_sqlite_setting_put(a->store, "address",
	    sat_span_str(a->address), e);
}

/* A link is a descriptor; the shell's usual limit is 1,024. */
static void
raise_descriptors(unsigned links)
{
	rlim_t want = (rlim_t)(links != 0 ? links : 6000) + 1024;
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) != 0 || l.rlim_cur >= want)
		return;
	l.rlim_cur = want < l.rlim_max ? want : l.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &l);
	if (l.rlim_cur < want)
		sat_log(SAT_WARN, "SERVE-DESCRIPTORS", "limit=%llu wanted=%llu",
		    (unsigned long long)l.rlim_cur, (unsigned long long)want);
}

sat_rc
sat_admin_serve(sat_admin *a, const sat_admin_listen *l, sat_err *e)
{
	sat_relay_opts o = { .listen = l->listen, .keys = a->keys.channel,
		.core = a->core, .links_max = l->links,
		.links_per_address_max = l->links_per_address };
	sat_err fatal = { 0 };
	sigset_t set;
	pthread_t t;
	int sock = -1;
	sat_rc rc;

	raise_descriptors(l->links);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	(void)pthread_sigmask(SIG_BLOCK, &set, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	if ((rc = sat_relay_start(&a->relay, &o, e)) != SAT_OK ||
	    (rc = address_set(a, l->listen, l->advertise, sat_relay_port(a->relay),
	         e)) != SAT_OK ||
	    (rc = admin_socket_start(a, &sock, e)) != SAT_OK ||
	    (l->port_file != NULL &&
	        (rc = port_write(l->port_file, sat_relay_port(a->relay), e)) !=
	            SAT_OK))
		return rc;
	if (pthread_create(&t, NULL, signal_main, a) != 0)
		return sat_fail(e, SAT_EFAIL, "cannot start a thread");
	a->since_ms = sat_wall_ms(&a->clock);
	sat_log(SAT_INFO, "SERVE-READY", "address=%s", a->address);
	sat_relay_wait(a->relay, &fatal);
	admin_socket_stop(a, sock);
	if (fatal.rc != SAT_OK) {
		if (e != NULL)
			*e = fatal;
		return fatal.rc;
	}
	return SAT_OK;
}
