/*
 * What is set where. Files are read once, before the options are judged.
 */
#include "client/cli/config.h"

#include "common/git/config.h"

#include <stdlib.h>
#include <string.h>

struct cli_setting {
	char *key, *value;
	cli_level level;
};

/* ---- values ------------------------------------------------------------------- */

static bool
is_one_of(const char *v, const char *const *words)
{
	for (; *words != NULL; words++)
		if (strcmp(v, *words) == 0)
			return true;
	return false;
}

static bool
fits_lang(const char *v)
{
	return is_one_of(v, (const char *const[]){ "zh", "en", NULL });
}

static bool
fits_color(const char *v)
{
	return is_one_of(v, (const char *const[]){ "auto", "always", "never",
	    NULL });
}

static bool
fits_format(const char *v)
{
	return is_one_of(v, (const char *const[]){ "auto", "table", "tsv", "csv",
	    "json", "jsonl", NULL });
}

static bool
fits_log(const char *v)
{
	return is_one_of(v, (const char *const[]){ "warn", "info", "debug",
	    "trace", NULL });
}

static bool
fits_encoding(const char *v)
{
	return is_one_of(v, (const char *const[]){ "utf-8", "utf-8-bom",
	    "gb18030", NULL });
}

static bool
fits_name(const char *v)
{
	return v[0] != '\0' && v[0] != '.' && strchr(v, '/') == NULL;
}

static bool
fits_path(const char *v)
{
	return v[0] == '/';
}

static bool
fits_rows(const char *v)
{
	size_t n = strlen(v);

	return n > 0 && n < 7 && strspn(v, "0123456789") == n && v[0] != '0';
}

static bool
fits_time(const char *v)
{
	int64_t ms;

	return sat_duration_parse(&ms, v) && ms >= 1 && ms <= 3600000;
}

static bool
fits_address(const char *v)
{
	return strncmp(v, "tcp://", 6) == 0 && strchr(v + 6, ':') != NULL;
}

static bool
fits_any(const char *v)
{
	(void)v;
	return true;
}

const cli_key cli_keys[] = {
	{ "core.profile", "profile", "SATCHEL_PROFILE",
	    N_("which replica; only of the user and the machine"), fits_name,
	    N_("a plain name") },
	{ "core.lang", "lang", "SATCHEL_LANG", N_("language of texts and labels"),
	    fits_lang, N_("zh or en") },
	{ "core.format", "format", NULL, N_("how answers are written"),
	    fits_format, N_("auto, table, tsv, csv, json or jsonl") },
	{ "core.color", "color", "NO_COLOR", N_("colours on a terminal"),
	    fits_color, N_("auto, always or never") },
	{ "core.pager", "no-pager", "PAGER",
	    N_("what long answers are read with; empty: nothing"), fits_any,
	    NULL },
	{ "core.editor", NULL, "EDITOR", N_("the program of config edit"),
	    fits_any, NULL },
	{ "core.log", "verbose", "SATCHEL_LOG", N_("what is told on stderr"),
	    fits_log, N_("warn, info, debug or trace") },
	{ "core.passphrasefile", "passphrase-file", "SATCHEL_PASSPHRASE_FILE",
	    N_("its first line is the passphrase"), fits_path,
	    N_("a whole path: /...") },
	{ "list.limit", "limit", NULL, N_("rows of a list (50)"), fits_rows,
	    N_("a whole number, 1 or more") },
	{ "export.encoding", "encoding", NULL, N_("of export to CSV"),
	    fits_encoding, N_("utf-8-bom, utf-8 or gb18030") },
	{ "sync.server", NULL, NULL,
	    N_("the server's address, when it has moved"), fits_address,
	    N_("tcp://HOST:PORT") },
	{ "sync.timeout", "timeout", NULL, N_("for each answer of the network"),
	    fits_time, N_("for example 10s, at most 1h") },
};
const size_t cli_nkeys = sizeof cli_keys / sizeof cli_keys[0];

static const cli_key *
key_of(const char *key)
{
	for (size_t i = 0; i < cli_nkeys; i++)
		if (strcmp(cli_keys[i].key, key) == 0)
			return &cli_keys[i];
	return NULL;
}

sat_rc
cli_config_fits(const char *key, const char *value, sat_err *e)
{
	const cli_key *k = key_of(key);

	if (k == NULL || k->fits(value))
		return SAT_OK;
	return sat_fail_code(e, SAT_EUSAGE, "usage.config", k->hint,
	    "%s cannot be \"%.60s\"", key, value);
}

const char *
cli_config_near(const char *key)
{
	const char *names[sizeof cli_keys / sizeof cli_keys[0]];

	if (key_of(key) != NULL)
		return NULL;
	for (size_t i = 0; i < cli_nkeys; i++)
		names[i] = cli_keys[i].key;
	return sat_nearest(key, names, cli_nkeys);
}

/* ---- files ------------------------------------------------------------------------ */

const char *
cli_level_word(cli_level level)
{
	static const char *const words[] = { "system", "user", "profile" };

	return words[level];
}

char *
cli_config_path(const cli *c, cli_level level)
{
	const char *xdg = getenv("XDG_CONFIG_HOME"), *user = getenv("HOME");
	const char *machine = getenv("SATCHEL_CONFIG_SYSTEM");

	if (level == LEVEL_SYSTEM)
		return machine != NULL && machine[0] == '\0' ? NULL :
		    sat_xstrdup(machine != NULL ? machine : "/etc/satchel/config");
	if (level == LEVEL_PROFILE)
		return c->home != NULL ? sat_xasprintf("%s/config", c->home)
		                       : NULL;
	if (xdg != NULL && xdg[0] == '/')
		return sat_xasprintf("%s/satchel/config", xdg);
	return user != NULL && user[0] != '\0'
	    ? sat_xasprintf("%s/.config/satchel/config", user) : NULL;
}

typedef struct reading {
	cli *c;
	cli_level level;
} reading;

static void
keep(void *u, const char *key, const char *value)
{
	const reading *r = u;
	cli *c = r->c;

	c->set = sat_xrealloc(c->set, (c->nset + 1) * sizeof *c->set);
	c->set[c->nset++] = (cli_setting){ sat_xstrdup(key), sat_xstrdup(value),
		r->level };
}

sat_rc
cli_config_load(cli *c, cli_level from, cli_level to, sat_err *e)
{
	sat_rc rc = SAT_OK;

	for (int l = (int)from; rc == SAT_OK && l <= (int)to; l++) {
		reading r = { c, (cli_level)l };
		char *path = cli_config_path(c, r.level);
		size_t first = c->nset;

		if (path != NULL)
			rc = sat_config_each(path, keep, &r, e);
		for (size_t i = first; rc == SAT_OK && i < c->nset; i++)
			if ((rc = cli_config_fits(c->set[i].key,
			    c->set[i].value, e)) != SAT_OK)
				rc = sat_fail_code(e, rc, "usage.config",
				    "satchel config edit",
				    "%s: %s has a value that does not fit", path,
				    c->set[i].key);
		free(path);
	}
	return rc;
}

void
cli_config_free(cli *c)
{
	for (size_t i = 0; i < c->nset; i++) {
		free(c->set[i].key);
		free(c->set[i].value);
	}
	free(c->set);
	c->set = NULL;
	c->nset = 0;
}

const char *
cli_config(const cli *c, const char *key)
{
	for (size_t i = c->nset; i-- > 0;)
		if (strcmp(c->set[i].key, key) == 0)
			return c->set[i].value;
	return NULL;
}

bool
cli_config_at(const cli *c, size_t i, const char **key, const char **value,
    const char **level)
{
	if (i >= c->nset)
		return false;
	*key = c->set[i].key;
	*value = c->set[i].value;
	*level = cli_level_word(c->set[i].level);
	return true;
}

const char *
cli_choice(const cli *c, const char *flag, const char *env, const char *key)
{
	const char *v = flag != NULL ? sat_args_get(&c->args, flag) : NULL;

	if (v == NULL && env != NULL)
		v = getenv(env);
	return v != NULL ? v : cli_config(c, key);
}
