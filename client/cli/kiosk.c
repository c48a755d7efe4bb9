/*
 * kiosk: a machine that anybody can reach. Its daemon, the PIN of staff, and
 * whether what surrounds it is locked down (docs/kiosk.md).
 */
#include "client/cli/cli_int.h"

#include "common/json/findings.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_MAX (256 * 1024)
#define POLICY "/etc/chromium/policies/managed/satchel-kiosk.json"

/* ---- run, pin ------------------------------------------------------------------------ */

static sat_rc
run_run(cli *c, sat_err *e)
{
	return cli_daemon_run(c, true, e);
}

static const sat_opt pin_options[] = {
	{ "pin-file", 0, "FILE", "first line is the PIN; - = stdin" },
	{ "old-file", 0, "FILE", "the PIN before, when there is one" },
	{ NULL, 0, NULL, NULL },
};

static sat_rc
put_pin(sat_json *body, const char *member, cli *c, const char *option,
    const char *prompt, sat_err *e)
{
	sat_buf b = { 0 };
	sat_rc rc = cli_passphrase(&b, c, option, prompt, false, e);

	if (rc == SAT_OK)
		sat_json_put_str(body, member, sat_buf_cstr(&b));
	if (b.p != NULL)
		sat_wipe(b.p, b.n);
	sat_buf_fini(&b);
	return rc;
}

static sat_rc
run_pin(cli *c, sat_err *e)
{
	sat_json *body = sat_json_obj(), *doc = NULL;
	sat_rc rc = put_pin(body, "pin", c, "pin-file", "PIN, six digits", e);

	if (rc == SAT_OK && sat_args_has(&c->args, "old-file"))
		rc = put_pin(body, "old", c, "old-file", "the PIN before", e);
	if (rc == SAT_OK)
		rc = cli_ask(&doc, c, "PATCH", "/v1/kiosk/pin", NULL, body, e);
	if (rc == SAT_OK && cli_is_json(c))
		cli_print_json(c, doc);
	sat_json_free(body);
	sat_json_free(doc);
	return rc;
}

/* ---- url ------------------------------------------------------------------------------ */

/* Of the daemon that `kiosk run` started: the screen comes after it. */
static sat_rc
run_url(cli *c, sat_err *e)
{
	sat_json *link = NULL;
	sat_rc rc;

	if (!cli_reach(c))
		return sat_fail_code(e, SAT_EUNREACHABLE, "daemon.none",
		    "run: satchel kiosk run",
		    "no daemon runs for this replica");
	rc = cli_open_link(&link, c, "/kiosk", e);
	if (rc == SAT_OK && cli_is_json(c))
		cli_print_json(c, link);
	else if (rc == SAT_OK)
		sat_buf_fmt(&c->out, "%s\n", sat_json_get_str(link, "url", ""));
	sat_json_free(link);
	return rc;
}

/* ---- check --------------------------------------------------------------------------- */

typedef struct look {
	const char *root; /* "" or where a tree to look at begins */
	sat_findings found;
} look;

/* detail says how it ought to be. */
static void
found(look *l, const char *check, bool good, bool needed, const char *detail,
    const char *next)
{
	sat_finding_add(&l->found, check, good ? SAT_GOOD :
	    needed ? SAT_FAILURE : SAT_WARNING, detail, next);
}

static bool
slurp(sat_buf *out, const look *l, const char *path)
{
	char *whole = sat_xasprintf("%s%s", l->root, path);
	FILE *f = fopen(whole, "re");
	size_t n = 0;

	free(whole);
	if (f == NULL)
		return false;
	n = fread(sat_buf_room(out, FILE_MAX), 1, FILE_MAX, f);
	out->n += n;
	(void)fclose(f);
	return true;
}

/* Some file of a folder has all the words. */
static bool
some_file_has(const look *l, const char *dir, const char *const *words)
{
	char *whole = sat_xasprintf("%s%s", l->root, dir);
	DIR *d = opendir(whole);
	struct dirent *de;
	bool yes = false;

	free(whole);
	while (d != NULL && !yes && (de = readdir(d)) != NULL) {
		char *path = sat_xasprintf("%s/%s", dir, de->d_name);
		sat_buf b = { 0 };

		yes = de->d_name[0] != '.' && slurp(&b, l, path);
		for (size_t i = 0; yes && words[i] != NULL; i++)
			yes = strstr(sat_buf_cstr(&b), words[i]) != NULL;
		sat_buf_fini(&b);
		free(path);
	}
	if (d != NULL)
		(void)closedir(d);
	return yes;
}

/* A list of one text; "127.0.0.1:" stands for any port of this machine. */
static bool
is_only(const sat_json *list, const char *text)
{
	const sat_json *x = sat_json_first(list);
	const char *s = x != NULL ? sat_json_str(x, "") : "";
	size_t n = strlen(text);

	if (x == NULL || sat_json_next(x) != NULL || strncmp(s, text, n) != 0)
		return false;
	return text[n - 1] != ':' ? s[n] == '\0' : s[n] != '\0' &&
	    strspn(s + n, "0123456789") == strlen(s + n);
}

static bool
is_here(const sat_json *policy, const char *key)
{
	return strncmp(sat_json_get_str(policy, key, ""), "http://127.0.0.1:",
	    17) == 0;
}

/* What a visitor could leave the page by. A pattern with a scheme or a path
 * blocks our own page, too, so it is not taken for good. */
static void
look_at_browser(look *l)
{
	static const char *const off[] = { "PasswordManagerEnabled",
		"AutofillAddressEnabled", "AutofillCreditCardEnabled",
		"PrintingEnabled", "TranslateEnabled",
		"AllowFileSelectionDialogs" };
	sat_buf b = { 0 };
	sat_json *p = NULL;
	bool good = slurp(&b, l, POLICY) && sat_json_parse(&p,
	    sat_buf_span(&b), FILE_MAX, NULL) == SAT_OK;
	bool quiet = good;

	found(l, "policy", good, true, "the browser has a policy",
	    "copy docs/kiosk/satchel-kiosk.json to /etc/chromium/policies/managed");
	found(l, "addresses", is_only(sat_json_get(p, "URLBlocklist"), "*") &&
	    is_only(sat_json_get(p, "URLAllowlist"), "127.0.0.1:"), true,
	    "everything but 127.0.0.1:PORT is blocked",
	    "URLBlocklist [\"*\"], URLAllowlist [\"127.0.0.1:PORT\"]");
	found(l, "new tabs", is_here(p, "NewTabPageLocation") &&
	    is_here(p, "HomepageLocation") && is_only(sat_json_get(p,
	    "RestoreOnStartupURLs"), sat_json_get_str(p, "HomepageLocation",
	    "-")), true, "a new tab is the page",
	    "NewTabPageLocation, HomepageLocation, RestoreOnStartupURLs");
	found(l, "developer tools", sat_json_get_int(p,
	    "DeveloperToolsAvailability", 0) == 2, true, "are off",
	    "DeveloperToolsAvailability 2");
	found(l, "downloads", sat_json_get_int(p, "DownloadRestrictions", 0) ==
	    3, true, "are refused", "DownloadRestrictions 3");
	for (size_t i = 0; i < sizeof off / sizeof off[0]; i++)
		quiet = quiet && !sat_json_get_bool(p, off[i], true);
	found(l, "memory of forms", quiet, true,
	    "nothing is kept, printed or chosen",
	    "see docs/kiosk/satchel-kiosk.json");
	sat_json_free(p);
	sat_buf_fini(&b);
}

static void
look_at_machine(look *l)
{
	static const char *const screen[] = { "DontVTSwitch", "DontZap", NULL };
	static const char *const usb[] = { "usb-storage", "authorized", NULL };
	sat_buf b = { 0 };
	bool unit;

	found(l, "user", geteuid() != 0, true, "an ordinary one, not root",
	    "run it as satchel-kiosk");
	found(l, "magic keys", slurp(&b, l, "/proc/sys/kernel/sysrq") &&
	    b.n > 0 && b.p[0] == '0', true, "kernel.sysrq is 0",
	    "copy docs/kiosk/90-satchel-kiosk.conf to /etc/sysctl.d");
	found(l, "other screens", some_file_has(l, "/etc/X11/xorg.conf.d",
	    screen), true, "the keys to them are off",
	    "copy docs/kiosk/10-kiosk.conf to /etc/X11/xorg.conf.d");
	found(l, "sticks", some_file_has(l, "/etc/udev/rules.d", usb), true,
	    "USB storage is off",
	    "copy docs/kiosk/90-satchel-kiosk.rules to /etc/udev/rules.d");
	sat_buf_reset(&b);
	unit = slurp(&b, l, "/etc/systemd/system/satchel-kiosk.service") ||
	    slurp(&b, l, "/lib/systemd/system/satchel-kiosk.service");
	found(l, "comes back", unit && strstr(sat_buf_cstr(&b),
	    "Restart=always") != NULL, true, "the browser is started again",
	    "copy docs/kiosk/satchel-kiosk.service to /etc/systemd/system");
	sat_buf_reset(&b);
	found(l, "keyboard", slurp(&b, l, "/proc/bus/input/devices") &&
	    strstr(sat_buf_cstr(&b), "kbd") == NULL, false, "none is connected",
	    "take it away, or lock it in");
	sat_buf_reset(&b);
	found(l, "swap", slurp(&b, l, "/proc/swaps") && strchr(sat_buf_cstr(&b),
	    '\n') == strrchr(sat_buf_cstr(&b), '\n'), false,
	    "there is none", "swapoff -a: a screen may reach the disk");
	sat_buf_fini(&b);
}

static void
look_at_role(look *l, cli *c)
{
	sat_json *me = NULL;
	bool asked = cli_ask(&me, c, "GET", "/v1/me", NULL, NULL, NULL) == SAT_OK;

	found(l, "role", asked && strcmp(sat_json_get_str(sat_json_get(me,
	    "data") != NULL ? sat_json_get(me, "data") : me, "role", ""),
	    "kiosk") == 0, true, "this device is a kiosk's",
	    "satcheld user add KEY --role kiosk, and enrol it again");
	sat_json_free(me);
}

static const sat_opt check_options[] = {
	{ "root", 0, "DIR", "where the machine's files begin (/)" },
	{ NULL, 0, NULL, NULL },
};

static sat_rc
run_check(cli *c, sat_err *e)
{
	static const cli_column cols[] = { { "check", "check", CELL_SAID },
		{ "state", "state", CELL_SAID },
		{ "detail", "detail", CELL_SAID }, { "next", "next", CELL_SAID } };
	const char *root = sat_args_get(&c->args, "root");
	sat_json *doc = sat_json_obj();
	look l = { .root = root != NULL ? root : "" };

	sat_json_put_str(doc, "schema", "satchel/kiosk.check/1");
	l.found.rows = sat_json_put_arr(doc, "data");
	look_at_role(&l, c);
	look_at_browser(&l);
	look_at_machine(&l);
	sat_findings_put(doc, &l.found);
	cli_print_rows(c, doc, cols, 4);
	sat_json_free(doc);
	return l.found.failures == 0 ? SAT_OK : sat_fail_code(e, SAT_EFALSE,
	    "kiosk.check", NULL, "%d to set right before visitors may use it",
	    l.found.failures);
}

const cli_verb cli_kiosk_verbs[] = {
	{ "kiosk", "run", run_run, cli_daemon_options,
	    "kiosk run [--foreground] [--no-sync]",
	    "the daemon of a machine that visitors use",
	    "  satchel kiosk run\n", true },
	{ "kiosk", "url", run_url, NULL, "kiosk url",
	    "a one-time link for the machine's screen",
	    "  chromium --kiosk \"$(satchel kiosk url)\"\n", true },
	{ "kiosk", "check", run_check, check_options, "kiosk check [--root DIR]",
	    "is the machine locked down",
	    "  satchel kiosk check\n  satchel kiosk check --root /mnt/image\n",
	    false },
	{ "kiosk", "pin", run_pin, pin_options,
	    "kiosk pin [--pin-file FILE] [--old-file FILE]",
	    "set the PIN that staff type at the machine", NULL, false },
};
const size_t cli_kiosk_nverbs = sizeof cli_kiosk_verbs /
    sizeof cli_kiosk_verbs[0];
