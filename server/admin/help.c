/*
 * Help, manual page and completion: the tables of verbs, read aloud.
 *
 * A usage is "noun VERB ... | VERB ...": what stands behind " | " is another
 * verb of the noun, a "|" inside a word separates words that take its place.
 */
#include "server/admin/admin_int.h"

#include "common/base/roff.h"
#include "common/base/text.h"
#include "common/base/version.h"
#include "server/admin/text_int.h"

#include <stdio.h>
#include <string.h>

/* What the program does before, or without, an opened folder. */
static const admin_word own[] = {
	{ "init", "init [--org NAME] [--admin KEY] [--pack ID] [--store sqlite:DIR] [--advertise URL]",
	    "make a server folder; with --advertise the first invitation is printed, once",
	    "  satcheld -D /srv/satchel init --org \"Example Ltd\"\n"
	    "  satcheld init --store sqlite:/srv/satchel --org \"Example Ltd\" --admin li.na --advertise tcp://crm.example.cn:7443\n" },
	{ "serve", "serve [--config F] [--listen URL] [--advertise URL] [--port-file F] [--metrics ADDR:PORT] [--admin-socket F] [--links N] [--links-per-address N]",
	    "serve until SIGTERM or drain; SIGHUP reads the settings again",
	    "  satcheld -D /srv/satchel serve --listen tcp://0.0.0.0:7443\n"
	    "  satcheld serve --config /etc/satchel/satcheld.conf --metrics 127.0.0.1:9464\n" },
	{ "restore", "restore BACKUP --root-key FILE [--verify-only] [--same-epoch] [--ledger FOLDER] [--skip N] [--seed-roles LIST] [--window TIME]",
	    "put a backup or a kit into a new folder and begin a new epoch",
	    "  satcheld restore /backup/2026-11-22 --verify-only\n"
	    "  satcheld -D /srv/new restore /backup/2026-11-22 --root-key /media/root.key\n" },
	{ "config", "config check|show [--config F]",
	    "settings of serve: are they good; what holds, and where it is from",
	    "  satcheld config check --config /etc/satchel/satcheld.conf\n"
	    "  satcheld --json config show\n" },
	{ "selftest", "selftest", "does the program work on this machine",
	    "  satcheld selftest\n" },
	{ "bench", "bench [--rows N]", "how fast is this machine as a server: merges, check, backup",
	    "  satcheld bench --rows 100000\n" },
	{ "completion", "completion bash|zsh|fish",
	    "completion for a shell, on stdout",
	    "  satcheld completion bash > /etc/bash_completion.d/satcheld\n" },
	{ "help", "help [COMMAND]", "all commands; one, with its options and examples",
	    "  satcheld help device\n" },
	{ "version", "version", "version and licence", "  satcheld --json version\n" },
};
#define OWN (sizeof own / sizeof own[0])

static const char examples[] =
    "  satcheld -D /srv/satchel init --org \"Example Ltd\"\n"
    "  satcheld -D /srv/satchel user add li.na --name 李娜 --role rep --team east\n"
    "  satcheld -D /srv/satchel serve --listen tcp://0.0.0.0:7443\n"
    "  satcheld -D /srv/satchel device invite --user li.na\n";

static const admin_word *
word_at(size_t i)
{
	return i < OWN ? &own[i] : admin_verb_word(i - OWN);
}

static const admin_word *
word_of(const char *noun)
{
	const admin_word *w;

	for (size_t i = 0; (w = word_at(i)) != NULL; i++)
		if (strcmp(w->noun, noun) == 0)
			return w;
	return NULL;
}

/* ---- help ------------------------------------------------------------------------- */

void
sat_admin_help(sat_buf *out, const sat_opt *global)
{
	const admin_word *w;

	sat_buf_fmt(out, "%s\n\n%s\n%s\n%s\n",
	    _("satcheld: the sync server of Satchel"), _("Examples:"), examples,
	    _("Commands:"));
	for (size_t i = 0; (w = word_at(i)) != NULL; i++)
		sat_buf_fmt(out, "  %s\n      %s\n", w->usage,
		    sat_text(w->help));
	sat_buf_fmt(out, "\n%s\n", _("Options of the verbs:"));
	sat_args_help(out, sat_admin_options(), sat_text);
	sat_buf_fmt(out, "\n%s\n", _("Options:"));
	sat_args_help(out, global, sat_text);
	sat_buf_fmt(out, "\n%s\n",
	    _("satcheld help COMMAND says more of one."));
}

/* Does a usage name this option? */
static bool
names_option(const char *usage, const sat_opt *o)
{
	size_t n = strlen(o->name);

	for (const char *p = usage; (p = strstr(p, "--")) != NULL; p += 2)
		if (strncmp(p + 2, o->name, n) == 0 &&
		    strchr(" ]|.", p[2 + n]) != NULL)
			return true;
	return o->letter != 0 && (strchr(usage, '-') != NULL) &&
	    strstr(usage, (const char[]){ '-', o->letter, ' ', '\0' }) != NULL;
}

static void
put_options(sat_buf *out, const char *usage, const sat_opt *table)
{
	sat_opt one[2] = { { 0 } };

	for (; table->name != NULL; table++)
		if (names_option(usage, table)) {
			one[0] = *table;
			sat_args_help(out, one, sat_text);
		}
}

/* Each verb of the noun on a line of its own. */
static void
put_usage(sat_buf *out, const admin_word *w)
{
	const char *p = w->usage, *bar;

	while ((bar = strstr(p, " | ")) != NULL) {
		sat_buf_fmt(out, "  satcheld %s%s%.*s\n",
		    p == w->usage ? "" : w->noun, p == w->usage ? "" : " ",
		    (int)(bar - p), p);
		p = bar + 3;
	}
	sat_buf_fmt(out, "  satcheld %s%s%s\n", p == w->usage ? "" : w->noun,
	    p == w->usage ? "" : " ", p);
}

sat_rc
sat_admin_help_of(sat_buf *out, const char *noun, const sat_opt *global,
    sat_err *e)
{
	const admin_word *w = word_of(noun);

	if (w == NULL)
		return sat_fail_code(e, SAT_EUSAGE, "usage",
		    "see: satcheld help", "unknown command %.40s", noun);
	sat_buf_fmt(out, "%s\n\n%s\n%s\n%s\n", sat_text(w->help),
	    _("Examples:"), w->examples, _("Usage:"));
	put_usage(out, w);
	sat_buf_fmt(out, "\n%s\n", _("Options:"));
	put_options(out, w->usage, sat_admin_options());
	put_options(out, w->usage, global);
	put_options(out, "--json --dir --passphrase-file --verbose ",
	    sat_admin_options());
	put_options(out, "--json --dir --passphrase-file --verbose ", global);
	return SAT_OK;
}

void
sat_admin_speak(const char *lang)
{
	bool zh = strcmp(lang, "zh") == 0;

	sat_text_use(zh ? admin_catalogue_zh : NULL,
	    zh ? admin_catalogue_zh_bytes : 0);
}

void
sat_admin_texts(sat_buf *out, const sat_opt *global)
{
	const admin_word *w;

	for (size_t i = 0; (w = word_at(i)) != NULL; i++)
		sat_text_mark(out, w->usage, w->help);
	sat_text_mark_options(out, "", sat_admin_options());
	sat_text_mark_options(out, "", global);
	sat_text_mark_system(out);
}

void
sat_admin_man(sat_buf *out, const sat_opt *global)
{
	const admin_word *w;

	sat_roff_head(out, "satcheld", 8, "Satchel " SAT_VERSION,
	    "the sync server of Satchel");
	sat_roff_section(out, "SYNOPSIS");
	sat_roff_text(out, "satcheld [-D DIR] COMMAND [OPTIONS]");
	sat_roff_section(out, "DESCRIPTION");
	sat_roff_text(out, "Keeps the organisation's log, judges what devices send "
	    "and hands out to each what it may see. While it serves, every other "
	    "command goes to it through a socket in its folder; else the command "
	    "opens the folder itself.");
	sat_roff_section(out, "EXAMPLES");
	sat_roff_lines(out, examples);
	sat_roff_section(out, "COMMANDS");
	for (size_t i = 0; (w = word_at(i)) != NULL; i++) {
		sat_roff_item(out, w->usage, w->help);
		sat_roff_lines(out, w->examples);
	}
	sat_roff_section(out, "OPTIONS OF THE COMMANDS");
	sat_roff_options(out, sat_admin_options());
	sat_roff_section(out, "GENERAL OPTIONS");
	sat_roff_options(out, global);
	sat_roff_section(out, "ENVIRONMENT");
	sat_roff_item(out, "SATCHELD_DIR", "as --dir");
	sat_roff_item(out, "SATCHEL_PASSPHRASE_FILE", "as --passphrase-file");
	sat_roff_section(out, "SEE ALSO");
	sat_roff_text(out, "satchel(1), satchel-exit-codes(7)");
}

/* ---- completion ---------------------------------------------------------------------- */

/* The verbs of a noun, each after a space; nothing when it takes none. */
static void
put_verbs(sat_buf *out, const admin_word *w)
{
	const char *p = w->usage + strlen(w->noun), *last = "";
	size_t nlast = 0;

	while (*p != '\0') {
		size_t n;

		p += strspn(p, " |");
		/* a word of ours is lower case; names and options are not */
		for (n = strcspn(p, " "); n > 0 && *p >= 'a' && *p <= 'z';
		     n = strcspn(p, " ")) {
			size_t k = strcspn(p, " |");

			if (k != nlast || memcmp(last, p, k) != 0)
				sat_buf_fmt(out, " %.*s", (int)k, p);
			last = p; /* two forms of one verb stand together */
			nlast = k;
			p += k;
			if (*p != '|')
				break;
			p++;
		}
		if ((p = strstr(p, " | ")) == NULL)
			return;
	}
}

static void
put_names(sat_buf *out, const sat_opt *table, const char *usage, bool valued,
    const char *between)
{
	for (; table->name != NULL; table++) {
		if ((usage != NULL && !names_option(usage, table)) ||
		    (valued && table->value == NULL))
			continue;
		sat_buf_fmt(out, "%s--%s", between, table->name);
		if (table->letter != 0 && valued)
			sat_buf_fmt(out, "%s-%c", between, table->letter);
	}
}

/* bash, and zsh with its bashcompinit, read the same function. */
static void
complete_bash(sat_buf *out, const sat_opt *global)
{
	const admin_word *w;

	sat_buf_str(out, "_satcheld() {\n"
	    "\tlocal cur=${COMP_WORDS[COMP_CWORD]} noun= verb= skip= w list= opts=\n"
	    "\tfor w in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
	    "\t\tif [ -n \"$skip\" ]; then skip=; continue; fi\n"
	    "\t\tcase $w in\n\t\t''");
	put_names(out, global, NULL, true, "|");
	put_names(out, sat_admin_options(), NULL, true, "|");
	sat_buf_str(out, ") skip=1 ;;\n\t\t-*) ;;\n"
	    "\t\t*) if [ -z \"$noun\" ]; then noun=$w\n"
	    "\t\t   elif [ -z \"$verb\" ]; then verb=$w; fi ;;\n"
	    "\t\tesac\n\tdone\n"
	    "\tif [ -n \"$skip\" ]; then COMPREPLY=(); return; fi\n"
	    "\tcase $noun in\n\t''|help) [ -z \"$verb\" ] && list=\"");
	for (size_t i = 0; (w = word_at(i)) != NULL; i++)
		sat_buf_fmt(out, " %s", w->noun);
	sat_buf_str(out, "\" ;;\n\tesac\n\tcase $noun in\n");
	for (size_t i = 0; (w = word_at(i)) != NULL; i++) {
		if (strcmp(w->noun, "help") == 0)
			continue;
		sat_buf_fmt(out, "\t%s) [ -z \"$verb\" ] && list=\"", w->noun);
		put_verbs(out, w);
		sat_buf_str(out, "\"; opts=\"");
		put_names(out, sat_admin_options(), w->usage, false, " ");
		put_names(out, global, w->usage, false, " ");
		sat_buf_str(out, "\" ;;\n");
	}
	sat_buf_str(out, "\tesac\n\t[[ $cur == -* ]] && "
	    "list=\"$opts --json --dir --passphrase-file --verbose --help\"\n"
	    "\tCOMPREPLY=($(compgen -W \"$list\" -- \"$cur\"))\n}\n"
	    "complete -o default -F _satcheld satcheld\n");
}

static void
put_quoted(sat_buf *out, const char *s)
{
	sat_buf_str(out, "'");
	for (; *s != '\0'; s++) {
		if (*s == '\'' || *s == '\\')
			sat_buf_str(out, "\\");
		sat_buf_add(out, s, 1);
	}
	sat_buf_str(out, "'");
}

static void
fish_options(sat_buf *out, const sat_opt *o)
{
	for (; o->name != NULL; o++) {
		sat_buf_fmt(out, "complete -c satcheld -l %s", o->name);
		if (o->letter != 0)
			sat_buf_fmt(out, " -s %c", o->letter);
		sat_buf_str(out, o->value != NULL ? " -r -d " : " -d ");
		put_quoted(out, o->help);
		sat_buf_str(out, "\n");
	}
}

static void
complete_fish(sat_buf *out, const sat_opt *global)
{
	const admin_word *w;
	sat_buf verbs = { 0 };

	for (size_t i = 0; (w = word_at(i)) != NULL; i++) {
		sat_buf_fmt(out, "complete -c satcheld -n __fish_use_subcommand "
		    "-a %s -d ", w->noun);
		put_quoted(out, w->help);
		sat_buf_str(out, "\n");
		sat_buf_reset(&verbs);
		put_verbs(&verbs, w);
		if (verbs.n > 0)
			sat_buf_fmt(out, "complete -c satcheld -n "
			    "'__fish_seen_subcommand_from %s' -a '%s'\n",
			    w->noun, sat_buf_cstr(&verbs) + 1);
	}
	fish_options(out, global);
	fish_options(out, sat_admin_options());
	sat_buf_fini(&verbs);
}

sat_rc
sat_admin_completion(sat_buf *out, const char *shell, const sat_opt *global,
    sat_err *e)
{
	if (shell == NULL || (strcmp(shell, "bash") != 0 &&
	    strcmp(shell, "zsh") != 0 && strcmp(shell, "fish") != 0))
		return sat_fail_code(e, SAT_EUSAGE, "usage", NULL,
		    "usage: satcheld completion bash|zsh|fish");
	sat_buf_fmt(out, "# %s completion of satcheld: satcheld completion %s\n",
	    shell, shell);
	if (shell[0] == 'f') {
		complete_fish(out, global);
		return SAT_OK;
	}
	if (shell[0] == 'z')
		sat_buf_str(out,
		    "autoload -U +X bashcompinit && bashcompinit\n");
	complete_bash(out, global);
	return SAT_OK;
}
