/*
 * config: read and write the settings of config.h.
 */
#include "client/cli/config.h"

#include "common/git/config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const sat_opt where_options[] = {
	{ "local", 0, NULL, "of this replica only" },
	{ "system", 0, NULL, "of everybody on this machine" },
	{ NULL, 0, NULL, NULL },
};
static const sat_opt list_options[] = {
	{ "show-origin", 0, NULL, "with its file, and what others win over" },
	{ NULL, 0, NULL, NULL },
};

/* ---- reading ---------------------------------------------------------------------- */

static void
put_row(sat_json *rows, const cli *c, const char *key, const char *value,
    const char *level, bool wins)
{
	sat_json *row = sat_json_add_obj(rows);
	char *file = NULL;

	for (int l = LEVEL_SYSTEM; l <= LEVEL_PROFILE; l++)
		if (strcmp(level, cli_level_word((cli_level)l)) == 0)
			file = cli_config_path(c, (cli_level)l);
	sat_json_put_str(row, "key", key);
	sat_json_put_str(row, "value", value);
	sat_json_put_str(row, "origin", level);
	sat_json_put_str(row, "file", file);
	sat_json_put_bool(row, "wins", wins);
	free(file);
}

/* What the environment says of a key; NULL. NO_COLOR speaks by being there. */
static const char *
of_environment(const cli_key *k)
{
	const char *v = k->env != NULL ? getenv(k->env) : NULL;

	return v != NULL && strcmp(k->env, "NO_COLOR") == 0 ? "never" : v;
}

static bool
is_overridden(const cli *c, size_t i, const char *key)
{
	const char *other, *value, *level;

	for (size_t k = 0; k < cli_nkeys; k++)
		if (strcmp(cli_keys[k].key, key) == 0 &&
		    of_environment(&cli_keys[k]) != NULL)
			return true;
	while (cli_config_at(c, ++i, &other, &value, &level))
		if (strcmp(other, key) == 0)
			return true;
	return false;
}

/* Everything that is set; only = NULL: every key. Lowest precedence first. */
static sat_json *
settings_doc(const cli *c, const char *only, bool losers)
{
	sat_json *doc = sat_json_obj(), *rows;
	const char *key, *value, *level;

	sat_json_put_str(doc, "schema", "satchel/config/1");
	rows = sat_json_put_arr(doc, "data");
	for (size_t i = 0; cli_config_at(c, i, &key, &value, &level); i++) {
		bool wins = !is_overridden(c, i, key);

		if ((wins || losers) && (only == NULL || strcmp(only, key) == 0))
			put_row(rows, c, key, value, level, wins);
	}
	for (size_t k = 0; k < cli_nkeys; k++) {
		value = of_environment(&cli_keys[k]);
		if (value != NULL &&
		    (only == NULL || strcmp(only, cli_keys[k].key) == 0))
			put_row(rows, c, cli_keys[k].key, value, "environment",
			    true);
	}
	return doc;
}

static sat_rc
need_key(const cli *c, size_t words, const char *usage, sat_err *e)
{
	return c->args.nargs == words ? SAT_OK
	    : sat_fail_code(e, SAT_EUSAGE, "usage", "see: satchel help config",
	          "usage: satchel %s", usage);
}

static sat_rc
run_get(cli *c, sat_err *e)
{
	const char *key = c->args.arg[2];
	sat_rc rc = need_key(c, 3, "config get KEY", e);
	sat_json *doc;

	if (rc != SAT_OK)
		return rc;
	doc = settings_doc(c, key, false);
	if (sat_json_count(sat_json_get(doc, "data")) == 0)
		rc = sat_fail(e, SAT_ENOTFOUND, "%.80s is not set", key);
	else if (cli_is_json(c))
		cli_print_json(c, doc);
	else
		sat_buf_fmt(&c->out, "%s\n", sat_json_get_str(
		    sat_json_first(sat_json_get(doc, "data")), "value", ""));
	sat_json_free(doc);
	return rc;
}

static sat_rc
run_list(cli *c, sat_err *e)
{
	static const cli_column cols[] = { { "key", "key", CELL_WHOLE },
		{ "value", "value", CELL_PLAIN },
		{ "origin", "origin", CELL_WHOLE },
		{ "file", "file", CELL_PLAIN }, { "wins", "wins", CELL_PLAIN } };
	bool origin = sat_args_has(&c->args, "show-origin");
	sat_json *doc = settings_doc(c, NULL, origin);

	(void)e;
	cli_print_or_none(c, doc, cols, origin ? 5 : 2, "nothing is set");
	sat_json_free(doc);
	return SAT_OK;
}

/* ---- writing ------------------------------------------------------------------------ */

static sat_rc
chosen_file(char **path, cli_level *level, const cli *c, sat_err *e)
{
	bool local = sat_args_has(&c->args, "local");
	bool machine = sat_args_has(&c->args, "system");
	char *folder, *slash;
	sat_rc rc;

	*path = NULL;
	if (local && machine)
		return sat_fail_code(e, SAT_EUSAGE, "usage.option", NULL,
		    "--local and --system are two places");
	*level = local ? LEVEL_PROFILE : machine ? LEVEL_SYSTEM : LEVEL_USER;
	if ((*path = cli_config_path(c, *level)) == NULL)
		return sat_fail_code(e, SAT_EUSAGE, "usage.home",
		    "give --home DIR", "there is no place for this setting");
	folder = sat_xstrdup(*path);
	slash = strrchr(folder, '/');
	if (slash != NULL)
		*slash = '\0';
	rc = slash != NULL && slash != folder && access(folder, F_OK) != 0
	    ? cli_make_folders(folder, e) : SAT_OK;
	free(folder);
	return rc;
}

/* The answer of a write is what counts now. */
static void
print_written(cli *c, const char *key)
{
	sat_json *doc;
	sat_err e = { 0 };

	if (!cli_is_json(c))
		return;
	cli_config_free(c);
	if (cli_config_load(c, LEVEL_SYSTEM, LEVEL_PROFILE, &e) == SAT_OK) {
		doc = settings_doc(c, key, false);
		cli_print_json(c, doc);
		sat_json_free(doc);
	}
}

static sat_rc
run_set(cli *c, sat_err *e)
{
	const char *key = c->args.arg[2], *value = c->args.arg[3], *near;
	cli_level level;
	char *path = NULL;
	sat_rc rc = need_key(c, 4, "config set KEY VALUE", e);

	if (rc == SAT_OK && (near = cli_config_near(key)) != NULL)
		rc = sat_fail_code(e, SAT_EUSAGE, "usage.config",
		    "see: satchel help config", "%.60s is no setting; did you "
		    "mean %s?", key, near);
	if (rc == SAT_OK && (rc = cli_config_fits(key, value, e)) == SAT_OK)
		rc = chosen_file(&path, &level, c, e);
	if (rc == SAT_OK && level == LEVEL_PROFILE &&
	    strcmp(key, "core.profile") == 0)
		rc = sat_fail_code(e, SAT_EUSAGE, "usage.config", NULL,
		    "a replica cannot choose another one");
	if (rc == SAT_OK && (rc = sat_config_put(path, key, value, e)) == SAT_OK)
		print_written(c, key);
	free(path);
	return rc;
}

static sat_rc
run_unset(cli *c, sat_err *e)
{
	cli_level level;
	char *path = NULL;
	sat_rc rc = need_key(c, 3, "config unset KEY", e);

	if (rc == SAT_OK && (rc = chosen_file(&path, &level, c, e)) == SAT_OK &&
	    (rc = sat_config_put(path, c->args.arg[2], NULL, e)) == SAT_OK)
		print_written(c, c->args.arg[2]);
	free(path);
	return rc;
}

static const char *
editor(const cli *c)
{
	const char *v = getenv("VISUAL");

	if (v == NULL || v[0] == '\0')
		v = cli_choice(c, NULL, "EDITOR", "core.editor");
	return v != NULL && v[0] != '\0' ? v : "vi";
}

/* "$EDITOR" may hold options, so a shell reads it. */
static sat_rc
edit_file(const char *program, const char *path, sat_err *e)
{
	char *line = sat_xasprintf("%s \"$1\"", program);
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		(void)execl("/bin/sh", "sh", "-c", line, "sh", path,
		    (char *)NULL);
		_exit(127);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	free(line);
	if (pid < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return sat_fail_code(e, SAT_EFAIL, "editor",
		    "EDITOR, or satchel config set core.editor",
		    "the editor did not end well");
	return SAT_OK;
}

static sat_rc
run_edit(cli *c, sat_err *e)
{
	cli_level level;
	char *path = NULL;
	sat_rc rc = c->no_input || !isatty(STDIN_FILENO)
	    ? sat_fail_code(e, SAT_EUSAGE, "usage.terminal",
	          "satchel config set KEY VALUE", "config edit needs a terminal")
	    : chosen_file(&path, &level, c, e);

	if (rc == SAT_OK)
		rc = edit_file(editor(c), path, e);
	cli_config_free(c);
	if (rc == SAT_OK) /* say what is wrong with it while it is fresh */
		rc = cli_config_load(c, LEVEL_SYSTEM, LEVEL_PROFILE, e);
	free(path);
	return rc;
}

const cli_verb cli_config_verbs[] = {
	{ "config", "get", run_get, NULL, "config get KEY",
	    "the value that counts", "  satchel config get core.lang\n", true },
	{ "config", "set", run_set, where_options,
	    "config set KEY VALUE [--local|--system]",
	    "write a setting down for later commands",
	    "  satchel config set core.lang zh\n"
	    "  satchel config set --local sync.server tcp://crm.example.cn:7443\n",
	    true },
	{ "config", "unset", run_unset, where_options,
	    "config unset KEY [--local|--system]", "take a setting out", NULL,
	    true },
	{ "config", "list", run_list, list_options,
	    "config list [--show-origin]", "what is set, and where",
	    "  satchel config list --show-origin\n", true },
	{ "config", "edit", run_edit, where_options,
	    "config edit [--local|--system]", "open the file in the editor",
	    NULL, true },
};
const size_t cli_config_nverbs =
    sizeof cli_config_verbs / sizeof cli_config_verbs[0];
