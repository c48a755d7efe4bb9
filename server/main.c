/*
 * satcheld: the sync server. Option tables and nothing else; what the words do
 * is in server/admin.
 */
#include "common/base/args.h"
#include "common/base/log.h"
#include "common/base/text.h"
#include "common/base/version.h"
#include "common/crypto/passphrase.h"
#include "server/admin/admin.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>


static const sat_opt global[] = {
	{ "dir", 'D', "DIR", "the server's folder (SATCHELD_DIR, /var/lib/satchel)" },
	{ "passphrase-file", 0, "FILE", "first line is the passphrase; - = stdin" },
	{ "verbose", 'v', NULL, "say more on stderr" },
	{ "lang", 0, "zh|en", "language of help and errors (SATCHEL_LANG)" },
	{ "rows", 0, "N", "bench: so many customers (10000)" },
	{ "quiet", 'q', NULL, "only the answer, no messages" },
	{ "no-input", 0, NULL, "never ask" },
	{ "yes", 'y', NULL, "answer questions with yes" },
	{ "color", 0, "WHEN", "as satchel takes it; satcheld prints without colours" },
	{ "output", 'o', "FILE", "export: there, instead of standard output" },
	{ "no-pager", 0, NULL, "as satchel takes it; satcheld uses no pager" },
	{ "help", 'h', NULL, "this help" },
	{ "version", 0, NULL, "version and licence" },
	{ "org", 0, "NAME", "init: the organisation's name" },
	{ "admin", 0, "KEY", "init: first administrator (admin)" },
	{ "pack", 0, "ID", "init: industry pack (base); see: template packs" },
	{ "listen", 0, "URL", "serve: tcp://HOST:PORT (tcp://0.0.0.0:7443)" },
	{ "advertise", 0, "URL", "serve, init: the address invitations name" },
	{ "config", 0, "FILE", "serve, config: settings (" SAT_ADMIN_CONFIG ")" },
	{ "store", 0, "sqlite:DIR", "init: where; as --dir DIR" },
	{ "admin-socket", 0, "FILE", "serve: take commands there; else: the server takes them there (DIR/admin.sock)" },
	{ "port-file", 0, "FILE", "serve: write the bound port here" },
	{ "links", 0, "N", "serve: so many connections (6000)" },
	{ "links-per-address", 0, "N", "serve: so many from one address (256)" },
	{ "metrics", 0, "ADDR:PORT", "serve: figures for a monitor (none); 127.0.0.1:9464" },
	{ "verify-only", 0, NULL, "restore: check a copy of the backup, made in DIR; keep nothing" },
	{ "root-key", 0, "FILE", "restore: the root key (root.key in the backup)" },
	{ "same-epoch", 0, NULL, "restore: nothing happened since this backup" },
	{ "ledger", 0, "FOLDER", "restore: a newer kit or backup that knows of more erasures" },
	{ "skip", 0, "N", "restore: log positions to leave out (1048576)" },
	{ "seed-roles", 0, "LIST", "restore: who may give records back (hq,manager,admin)" },
	{ "window", 0, "TIME", "restore: how long they may (30d)" },
	{ NULL, 0, NULL, NULL },
};

static int
complain(const sat_err *e, sat_rc rc, bool json)
{
	const char *code = e->code[0] != '\0' ? e->code : sat_rc_slug(rc);
	sat_buf b = { 0 };

	if (json) {
		sat_buf_str(&b, "{\"type\":\"error\",\"code\":");
		sat_json_write_str(&b, sat_span_str(code));
		sat_buf_fmt(&b, ",\"exit\":%d,\"title\":", sat_rc_exit(rc));
		sat_json_write_str(&b, sat_span_str(sat_rc_slug(rc)));
		sat_buf_str(&b, ",\"detail\":");
		sat_json_write_str(&b, sat_span_str(e->text));
		sat_buf_str(&b, ",\"fields\":[],\"hint\":");
		sat_json_write_str(&b, sat_span_str(e->hint));
		sat_buf_str(&b, "}\n");
	} else {
		sat_buf_str(&b, "satcheld: ");
		sat_text_message(&b, e->text);
		sat_buf_str(&b, e->hint[0] != '\0' ? "\n  " : "");
		sat_text_message(&b, e->hint);
		sat_buf_str(&b, "\n");
	}
	(void)fputs(sat_buf_cstr(&b), stderr);
	sat_buf_fini(&b);
	return sat_rc_exit(rc);
}

static sat_rc
passphrase(sat_buf *out, const sat_args *a, sat_err *e)
{
	const char *file = sat_args_get(a, "passphrase-file");

	if (file == NULL)
		file = getenv("SATCHEL_PASSPHRASE_FILE");
	return file != NULL ? sat_passphrase_file(out, file, e)
	                    : sat_passphrase_ask(out, _("Passphrase"), e);
}

static sat_rc
restore(const sat_args *a, const char *dir, sat_span phrase, sat_err *e)
{
	const char *roles = sat_args_get(a, "seed-roles");
	const char *window = sat_args_get(a, "window");
	const char *skip = sat_args_get(a, "skip");
	sat_restore_opts o = { .verify_only = sat_args_has(a, "verify-only"),
		.same_epoch = sat_args_has(a, "same-epoch"),
		.root_key = sat_args_get(a, "root-key"),
		.ledger = sat_args_get(a, "ledger") };
	char *end = NULL;

	if (roles != NULL && (o.seed_roles = sat_admin_roles(roles)) == 0)
		return sat_fail_code(e, SAT_EUSAGE, "usage.option",
		    "for example hq,manager", "--seed-roles is no list of roles");
	if (window != NULL && !sat_duration_parse(&o.window_ms, window))
		return sat_fail_code(e, SAT_EUSAGE, "usage.option",
		    "for example 30d", "--window is no duration");
	if (skip != NULL && ((o.skip = strtoull(skip, &end, 10)) >
	    INT64_MAX / 4 || end == skip || *end != '\0'))
		return sat_fail_code(e, SAT_EUSAGE, "usage.option", NULL,
		    "--skip is no number");
	return sat_admin_restore(dir, a->arg[1], &o, phrase, e);
}

static const char *
config_file(const sat_args *a, bool *given)
{
	*given = sat_args_has(a, "config");
	return *given ? sat_args_get(a, "config") : SAT_ADMIN_CONFIG;
}

static sat_rc
serve(const sat_args *a, sat_admin *admin, sat_err *e)
{
	bool given;
	const char *path = config_file(a, &given);

	return sat_admin_serve(admin, a, path, given, e);
}

static sat_rc
config(const sat_args *a, const char *dir, sat_buf *out, sat_err *e)
{
	sat_admin_settings s;
	bool given;
	const char *path = config_file(a, &given);
	sat_rc rc = sat_admin_settings_read(&s, path, given, e);

	if (rc == SAT_OK)
		rc = sat_admin_config(a, &s, path, dir, out, e);
	sat_admin_settings_free(&s);
	return rc;
}

/* The one invitation nobody has to be asked for: printed once, kept nowhere. */
static sat_rc
first_invite(const sat_args *a, const char *dir, const char *who,
    sat_span phrase, sat_buf *out, sat_err *e)
{
	char *user = sat_xasprintf("--user=%s", who);
	char *address = sat_xasprintf("--address=%s",
	    sat_args_get(a, "advertise"));
	char *const argv[] = { "device", "invite", user, address, "--ttl=24h",
		sat_args_has(a, "json") ? "--json" : NULL, NULL };
	sat_admin *admin = NULL;
	sat_rc rc = sat_admin_open(&admin, dir, phrase, e);

	if (rc == SAT_OK)
		rc = sat_admin_run(admin, argv[5] != NULL ? 6 : 5, argv, out, e);
	sat_admin_close(admin);
	free(user);
	free(address);
	return rc;
}

/* The first argument that is a word decides; other words travel on. */
static sat_rc
run(const sat_args *a, const char *dir, int argc, char **argv, sat_buf *out,
    sat_err *e)
{
	sat_buf secret = { 0 };
	const char *verb = a->arg[0];
	sat_admin *admin = NULL;
	sat_span phrase;
	sat_rc rc;

	if (strcmp(verb, "config") == 0)
		return config(a, dir, out, e);
	if (strcmp(verb, "selftest") == 0)
		return sat_admin_selftest(a, out, e);
	if (strcmp(verb, "bench") == 0)
		return sat_admin_bench(a, out, e);
	if (strcmp(verb, "init") != 0 && strcmp(verb, "serve") != 0 &&
	    strcmp(verb, "restore") != 0) {
		rc = sat_admin_answer(NULL, a, dir, argc, argv, out, e);
		if (rc != SAT_EUNREACHABLE || strcmp(verb, "reload") == 0 ||
		    strcmp(verb, "drain") == 0)
			return rc;
	}
	if (strcmp(verb, "keys") == 0 && a->nargs > 1 &&
	    strcmp(a->arg[1], "recover") == 0)
		return sat_admin_recover(dir, a, out, e);
	if ((rc = passphrase(&secret, a, e)) != SAT_OK)
		return rc;
	phrase = sat_buf_span(&secret);
	if (strcmp(verb, "init") == 0) {
		const char *org = sat_args_get(a, "org");
		const char *who = sat_args_get(a, "admin");

		rc = sat_admin_init(dir, org != NULL ? org : "Satchel",
		    who != NULL ? who : "admin", sat_args_get(a, "pack"), phrase, e);
		if (rc == SAT_OK && sat_args_has(a, "advertise"))
			rc = first_invite(a, dir, who != NULL ? who : "admin",
			    phrase, out, e);
	} else if (strcmp(verb, "restore") == 0) {
		rc = a->nargs < 2
		    ? sat_fail_code(e, SAT_EUSAGE, "usage", NULL,
		          "usage: satcheld -D DIR restore BACKUP")
		    : restore(a, dir, phrase, e);
	} else if ((rc = sat_admin_open(&admin, dir, phrase, e)) == SAT_OK) {
		rc = strcmp(verb, "serve") == 0
		    ? serve(a, admin, e)
		    : sat_admin_answer(admin, a, dir, argc, argv, out, e);
	}
	sat_wipe(secret.p, secret.n);
	sat_buf_fini(&secret);
	sat_admin_close(admin);
	return rc;
}

/* Options of this program that no verb hears of: they do not travel to a server
 * that runs. */
static const sat_opt *
ours(const char *word)
{
	static const char *const names[] = { "dir", "admin-socket",
		"passphrase-file", "lang", "verbose", "quiet", "no-input", "yes",
		"color", "no-pager", "output" };
	bool is_long = word[1] == '-';
	size_t n = is_long ? strcspn(word + 2, "=") : 0;

	for (const sat_opt *o = global; word[0] == '-' && o->name != NULL; o++)
		for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
			if (strcmp(o->name, names[i]) == 0 && (is_long ?
			    strlen(o->name) == n && strncmp(o->name, word + 2,
			    n) == 0 : o->letter != 0 && word[1] == o->letter))
				return o;
	return NULL;
}

/* --format json is another way to say --json, but where a verb has formats of
 * its own. */
static int
plain_json(int argc, char **argv)
{
	static char json[] = "--json";
	int n = 0;

	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "webhook") == 0 ||
		    strcmp(argv[i], "export") == 0)
			return argc;
	for (int i = 0; i < argc; i++) {
		bool two = i + 1 < argc && strcmp(argv[i], "--format") == 0 &&
		    strcmp(argv[i + 1], "json") == 0;

		argv[n++] = two || strcmp(argv[i], "--format=json") == 0 ? json :
		    argv[i];
		i += two;
	}
	argv[n] = NULL;
	return n;
}

/* The words of the verb. */
static int
verb_words(int argc, char **argv, char **out)
{
	bool ended = false;
	int n = 0;

	for (int i = 1; i < argc; i++) {
		const sat_opt *o = ended ? NULL : ours(argv[i]);
		bool whole = strchr(argv[i], '=') != NULL ||
		    (argv[i][1] != '-' && argv[i][1] != '\0' &&
		    argv[i][2] != '\0');

		ended = ended || strcmp(argv[i], "--") == 0;
		if (o != NULL)
			i += o->value != NULL && !whole;
		else
			out[n++] = argv[i];
	}
	return n;
}

/* What takes something away from a person or a device: on a terminal its name is
 * typed, a program says --yes or nothing. */
static sat_rc
confirm(const sat_args *a, sat_err *e)
{
	static const char *const asked[][2] = { { "device", "revoke" },
		{ "device", "move" }, { "user", "disable" },
		{ "team", "disable" }, { "privacy", "erase" } };
	bool is = false;
	char typed[128] = "";

	for (size_t i = 0; i < sizeof asked / sizeof asked[0] && a->nargs > 2;
	     i++)
		is = is || (strcmp(a->arg[0], asked[i][0]) == 0 &&
		    strcmp(a->arg[1], asked[i][1]) == 0);
	if (!is || sat_args_has(a, "yes") || !isatty(STDIN_FILENO))
		return SAT_OK;
	if (sat_args_has(a, "no-input"))
		return sat_fail_code(e, SAT_EUSAGE, "usage.confirm",
		    "repeat with --yes", "this needs a confirmation");
	(void)fprintf(stderr, sat_text(N_("Type %s to go on: ")), a->arg[2]);
	(void)fflush(stderr);
	if (fgets(typed, sizeof typed, stdin) != NULL)
		typed[strcspn(typed, "\r\n")] = '\0';
	return strcmp(typed, a->arg[2]) == 0 ? SAT_OK
	    : sat_fail(e, SAT_EFAIL, "not confirmed; nothing is changed");
}

static void
version(sat_buf *out, bool json)
{
	if (json)
		sat_buf_fmt(out, "{\"schema\":\"satcheld/version/1\","
		    "\"version\":\"" SAT_VERSION "\",\"protocol\":%d}\n",
		    SAT_PROTO_VERSION);
	else
		sat_buf_str(out, "satcheld " SAT_VERSION
		    "\nLicence: the organisation's own\n");
}

/* What needs no folder and no passphrase. False: none of it was asked for. */
static bool
says_something(sat_buf *out, const sat_args *a, bool json, sat_rc *rc,
    sat_err *e)
{
	const char *verb = a->nargs > 0 ? a->arg[0] : "";
	bool help = strcmp(verb, "help") == 0;

	if (sat_args_has(a, "version") || strcmp(verb, "version") == 0) {
		version(out, json);
		*rc = SAT_OK;
	} else if (help || sat_args_has(a, "help")) {
		*rc = SAT_OK;
		if (a->nargs > (help ? 1 : 0))
			*rc = sat_admin_help_of(out, a->arg[help ? 1 : 0],
			    global, e);
		else
			sat_admin_help(out, global);
	} else if (*rc != SAT_OK) {
		return false;
	} else if (strcmp(verb, "__man") == 0) {
		sat_admin_man(out, global);
	} else if (strcmp(verb, "__texts") == 0) {
		sat_admin_texts(out, global);
	} else if (strcmp(verb, "completion") == 0) {
		*rc = sat_admin_completion(out, a->nargs > 1 ? a->arg[1] : NULL,
		    global, e);
	} else if (a->nargs == 0) {
		*rc = sat_fail_code(e, SAT_EUSAGE, "usage",
		    "see: satcheld --help", "no command given");
	} else {
		return false;
	}
	return true;
}

static sat_rc
folder(const char **dir, const sat_args *a, sat_err *e)
{
	const char *store = sat_args_get(a, "store");

	if ((*dir = sat_args_get(a, "dir")) == NULL)
		*dir = getenv("SATCHELD_DIR");
	if (store != NULL && strncmp(store, "sqlite:", 7) == 0 &&
	    store[7] != '\0')
		*dir = store + 7;
	else if (store != NULL)
		return sat_fail_code(e, SAT_EUSAGE, "usage.store",
		    "sqlite:DIR", "--store %.40s is no store of this server",
		    store);
	if (*dir == NULL)
		*dir = "/var/lib/satchel";
	return SAT_OK;
}

int
main(int argc, char **argv)
{
	char **words = sat_xcalloc((size_t)argc + 1, sizeof *words);
	static sat_args a;
	const char *dir;
	sat_buf out = { 0 };
	sat_err e = { 0 };
	bool json = false;
	sat_rc rc;
	int n;

	sat_crypto_init();
	sat_admin_speak(sat_text_lang(argc, argv, NULL));
	argc = plain_json(argc, argv);
	n = verb_words(argc, argv, words);
	rc = sat_args_parse(&a, argc - 1, argv + 1, global,
	    sat_admin_options(), &e);
	for (int i = 1; i < argc; i++) /* also when they cannot be parsed */
		json = json || strcmp(argv[i], "--json") == 0;
	if (argc < 2) {
		sat_admin_help(&out, global);
		(void)fputs(sat_buf_cstr(&out), stdout);
		return 2;
	}
	if (says_something(&out, &a, json, &rc, &e) || rc != SAT_OK)
		goto out;
	if (sat_args_has(&a, "verbose"))
		sat_log_level(SAT_INFO);
	if (sat_args_has(&a, "quiet"))
		sat_log_level(SAT_ERROR);
	if ((rc = folder(&dir, &a, &e)) != SAT_OK ||
	    (rc = confirm(&a, &e)) != SAT_OK)
		goto out;
	rc = run(&a, dir, n, words, &out, &e);
	if (!json && (strcmp(a.arg[0], "doctor") == 0 ||
	    strcmp(a.arg[0], "selftest") == 0 ||
	    strcmp(a.arg[0], "bench") == 0))
		sat_admin_say_table(&out);
out:
	if (out.n > 0)
		(void)fwrite(out.p, 1, out.n, stdout);
	if (rc != SAT_OK)
		rc = (sat_rc)complain(&e, rc, json);
	(void)fflush(stdout);
	_exit((int)rc); /* NNG is never torn down */
}
