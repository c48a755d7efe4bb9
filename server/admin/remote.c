/*
 * Verbs an administrator gives from his own device (P-372): people, teams, roles,
 * devices, webhooks, and what administrators did. Nothing that reads or writes files of this machine, shows keys or
 * ends the service: who sits at the server does that.
 */
#include "server/admin/admin_int.h"

#include "common/base/log.h"

#include <stdio.h>
#include <string.h>

static bool
is_one_of(const char *word, const char *const *list)
{
	for (; *list != NULL; list++)
		if (strcmp(word, *list) == 0)
			return true;
	return false;
}

/* "--name=x" and "--name" alike. */
static bool
is_allowed_option(const char *word)
{
	static const char *const options[] = { "name", "role", "team", "parent",
		"user", "ttl", "days", "void", "stale", "approve", "wipe", "push-first", "events",
		"format", "since", "json", NULL };
	char name[32];

	(void)snprintf(name, sizeof name, "%.*s", (int)strcspn(word + 2, "="),
	    word + 2);
	return is_one_of(name, options);
}

static sat_rc
judge(int argc, char *const *argv, sat_err *e)
{
	static const char *const nouns[] = { "user", "team", "role", "device",
		"acl", "webhook", "audit", NULL };

	if (argc < 2 || !is_one_of(argv[0], nouns))
		return sat_fail_code(e, SAT_EDENIED, "denied",
		    "user, team, role, device, acl, webhook and audit may be asked from a device",
		    "this is decided on the server's own machine");
	for (int i = 1; i < argc; i++)
		if (argv[i][0] == '-' && (argv[i][1] != '-' ||
		    !is_allowed_option(argv[i])))
			return sat_fail_code(e, SAT_EDENIED, "denied", NULL,
			    "%.40s cannot be given from a device", argv[i]);
	return SAT_OK;
}

sat_rc
admin_remote(void *u, const char *user, const sat_admin_words *w, sat_buf *out,
    sat_err *e)
{
	sat_admin *a = u;
	char *argv[SAT_ADMIN_WORDS_MAX + 2];
	sat_arena mem = { 0 };
	int argc = 0;
	sat_rc rc;

	for (size_t i = 0; i < w->n; i++)
		argv[argc++] = sat_arena_str(&mem, w->word[i].p, w->word[i].n);
	if ((rc = judge(argc, argv, e)) == SAT_OK) {
		argv[argc++] = sat_arena_str(&mem, "--json", 6);
		argv[argc] = NULL;
		a->actor = user;
		rc = sat_admin_run(a, argc, argv, out, e);
		a->actor = NULL;
		/* what only looks is no news */
		sat_log(strcmp(argv[1], "list") == 0 ||
		    strcmp(argv[1], "show") == 0 ? SAT_INFO : SAT_WARN,
		    "ADMIN-REMOTE", "user=%s noun=%s verb=%s rc=%d",
		    user, argv[0], argv[1], (int)rc);
	}
	sat_arena_fini(&mem);
	return rc;
}
