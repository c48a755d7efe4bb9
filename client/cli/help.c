/*
 * Help and completion: the tables of verbs, read aloud. Nothing here knows a
 * command by name.
 */
#include "client/cli/cli_int.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool
is_hidden(const cli_verb *v)
{
	return strncmp(v->noun, "__", 2) == 0;
}

/* Every verb that people see, in the order of the tables; NULL at the end. */
static const cli_verb *
verb_at(size_t i)
{
	for (size_t t = 0; t < cli_ntables; t++)
		for (size_t k = 0; k < *cli_tables[t].n; k++)
			if (!is_hidden(&cli_tables[t].verbs[k]) && i-- == 0)
				return &cli_tables[t].verbs[k];
	return NULL;
}

static bool
is_first_of_noun(size_t i)
{
	const cli_verb *v = verb_at(i);

	for (size_t k = 0; k < i; k++)
		if (strcmp(verb_at(k)->noun, v->noun) == 0)
			return false;
	return true;
}

/* ---- help ------------------------------------------------------------------------- */

static void
help_line(sat_buf *out, const cli_verb *v)
{
	char words[64];

	(void)snprintf(words, sizeof words, "%s%s%s", v->noun,
	    v->verb != NULL ? " " : "", v->verb != NULL ? v->verb : "");
	sat_buf_fmt(out, "  %-24s %s\n", words, sat_text(v->help));
}

/* Beside `sync` there are `sync pending` and more. */
static void
help_siblings(sat_buf *out, const cli_verb *v)
{
	const cli_verb *w;
	bool first = true;

	for (size_t i = 0; v->verb == NULL && (w = verb_at(i)) != NULL; i++) {
		if (w == v || strcmp(w->noun, v->noun) != 0)
			continue;
		sat_buf_str(out, first ? _("\nSee also:\n") : "");
		first = false;
		help_line(out, w);
	}
}

static void
help_verb(sat_buf *out, const cli_verb *v)
{
	if (v->examples != NULL)
		sat_buf_fmt(out, _("Example:\n%s\n"), v->examples);
	sat_buf_fmt(out, "satchel %s\n    %s\n", v->usage, sat_text(v->help));
	if (v->options != NULL) {
		sat_buf_str(out, _("\nOptions:\n"));
		sat_args_help(out, v->options, sat_text);
	}
	help_siblings(out, v);
	sat_buf_str(out, _("\nGlobal options: satchel --help\n"));
}

static void
help_all(sat_buf *out)
{
	const cli_verb *v;

	sat_buf_str(out,
	    _("satchel 行囊: customers, offline first\n\n"
	    "Examples:\n"
	    "  satchel init --invite satchel1...      enrol this device\n"
	    "  satchel account list --stage negotiation\n"
	    "  satchel activity add C202611-P1-0003 --method phone --points \"...\"\n"
	    "  satchel sync\n"
	    "  satchel report run won --period 2026-Q4\n\nCommands:\n"));
	for (size_t i = 0; (v = verb_at(i)) != NULL; i++)
		help_line(out, v);
	sat_buf_str(out, _("  help NOUN VERB         its options and examples\n"
	                   "\nTopics:\n"));
	cli_topics_list(out);
	sat_buf_str(out, _("\nGlobal options:\n"));
	sat_args_help(out, cli_global, sat_text);
}

void
cli_help_short(sat_buf *out)
{
	sat_buf_str(out,
	    _("satchel 行囊: customers, offline first\n\n"
	    "  satchel account list           your customers\n"
	    "  satchel search TEXT            find one: name, pinyin, phone, number\n"
	    "  satchel activity add ID        record a follow-up\n"
	    "  satchel task list --due today  what is due\n"
	    "  satchel inbox                  what needs you\n"
	    "  satchel sync                   exchange with the others\n"
	    "  satchel report run KEY         a report, offline\n\n"
	    "satchel help lists everything, satchel help NOUN VERB tells of one.\n"));
}

bool
cli_help(sat_buf *out, const cli_verb *v, const char *noun)
{
	size_t before;

	if (v != NULL) {
		help_verb(out, v);
		return true;
	}
	if (noun == NULL) {
		help_all(out);
		return true;
	}
	before = out->n;
	for (size_t i = 0; (v = verb_at(i)) != NULL; i++)
		if (strcmp(v->noun, noun) == 0)
			sat_buf_fmt(out, "satchel %s\n    %s\n", v->usage,
			    sat_text(v->help));
	return out->n > before;
}

/* ---- for the catalogue: client/cli/po ---------------------------------------------- */

sat_rc
cli_texts_run(cli *c, sat_err *e)
{
	const cli_verb *v;

	(void)e;
	for (size_t i = 0; (v = verb_at(i)) != NULL; i++) {
		sat_text_mark(&c->out, v->usage, v->help);
		sat_text_mark_options(&c->out, v->usage, v->options);
	}
	sat_text_mark_options(&c->out, "", cli_global);
	sat_text_mark_system(&c->out);
	return SAT_OK;
}

/* ---- completion ---------------------------------------------------------------------- */

static void
put_option_words(sat_buf *out, const sat_opt *table, bool only_with_value,
    const char *sep)
{
	for (const sat_opt *o = table; o != NULL && o->name != NULL; o++) {
		if (only_with_value && o->value == NULL)
			continue;
		sat_buf_fmt(out, "%s--%s", sep, o->name);
		if (o->letter != 0)
			sat_buf_fmt(out, "%s-%c", sep, o->letter);
	}
}

static void
put_nouns(sat_buf *out)
{
	const cli_verb *v;

	for (size_t i = 0; (v = verb_at(i)) != NULL; i++)
		if (is_first_of_noun(i))
			sat_buf_fmt(out, " %s", v->noun);
	sat_buf_str(out, " help");
}

/* `case` branches: what may follow a noun, and the options of each verb. bash
 * and zsh read the same text. */
static void
put_cases(sat_buf *out)
{
	const cli_verb *v, *w;

	sat_buf_str(out, "\tcase $noun in\n\t'') [ -z \"$verb\" ] && list=\"");
	put_nouns(out);
	sat_buf_str(out, "\" ;;\n\thelp) [ -z \"$verb\" ] && list=\"");
	put_nouns(out);
	sat_buf_str(out, "\" ;;\n");
	for (size_t i = 0; (v = verb_at(i)) != NULL; i++) {
		bool some = false;

		if (!is_first_of_noun(i))
			continue;
		for (size_t k = i; (w = verb_at(k)) != NULL; k++)
			some = some || (strcmp(w->noun, v->noun) == 0 &&
			    w->verb != NULL);
		if (!some)
			continue;
		sat_buf_fmt(out, "\t%s) [ -z \"$verb\" ] && list=\"", v->noun);
		for (size_t k = i; (w = verb_at(k)) != NULL; k++)
			if (strcmp(w->noun, v->noun) == 0 && w->verb != NULL)
				sat_buf_fmt(out, " %s", w->verb);
		sat_buf_str(out, "\" ;;\n");
	}
	sat_buf_str(out, "\tesac\n\tcase \"$noun $verb\" in\n");
	for (int two = 1; two >= 0; two--) /* the longer pattern first */
		for (size_t i = 0; (v = verb_at(i)) != NULL; i++) {
			if (v->options == NULL || (v->verb != NULL) != (two == 1))
				continue;
			if (two == 1)
				sat_buf_fmt(out, "\t\"%s %s\") opts=\"", v->noun,
				    v->verb);
			else
				sat_buf_fmt(out, "\t\"%s \"*) opts=\"", v->noun);
			put_option_words(out, v->options, false, " ");
			sat_buf_str(out, "\" ;;\n");
		}
	sat_buf_str(out, "\tesac\n");
}

/* Which words were typed: options that take a value swallow the next one. */
static void
put_scan(sat_buf *out, const char *words)
{
	const cli_verb *v;

	sat_buf_fmt(out, "\tfor w in \"${%s}\"; do\n"
	                 "\t\tif [ -n \"$skip\" ]; then skip=; continue; fi\n"
	                 "\t\tcase $w in\n\t\t-P", words);
	put_option_words(out, cli_global, true, "|");
	for (size_t i = 0; (v = verb_at(i)) != NULL; i++)
		put_option_words(out, v->options, true, "|");
	sat_buf_str(out, ") skip=1 ;;\n\t\t-*) ;;\n"
	                 "\t\t*) if [ -z \"$noun\" ]; then noun=$w\n"
	                 "\t\t   elif [ -z \"$verb\" ]; then verb=$w; fi ;;\n"
	                 "\t\tesac\n\tdone\n");
}

static void
complete_bash(sat_buf *out)
{
	sat_buf_str(out, "# bash completion of satchel: satchel completion bash\n"
	                 "_satchel() {\n"
	                 "\tlocal cur=${COMP_WORDS[COMP_CWORD]} noun= verb= skip= w\n"
	                 "\tlocal list= opts=\n");
	put_scan(out, "COMP_WORDS[@]:1:COMP_CWORD-1");
	put_cases(out);
	sat_buf_str(out, "\tif [ -n \"$skip\" ]; then COMPREPLY=(); return; fi\n"
	                 "\t[[ $cur == -* ]] && list=\"$opts");
	put_option_words(out, cli_global, false, " ");
	sat_buf_str(out, "\"\n\t[ -z \"$list\" ] && list=$(satchel __complete "
	                 "\"$noun\" \"$verb\" 2>/dev/null)"
	                 "\n\tCOMPREPLY=($(compgen -W \"$list\" -- \"$cur\"))\n}\n"
	                 "complete -o default -F _satchel satchel\n");
}

static void
complete_zsh(sat_buf *out)
{
	sat_buf_str(out, "#compdef satchel\n"
	                 "# zsh completion of satchel: satchel completion zsh\n"
	                 "_satchel() {\n"
	                 "\tlocal cur=${words[CURRENT]} noun= verb= skip= w\n"
	                 "\tlocal list= opts=\n");
	put_scan(out, "words[@]:1:$((CURRENT-2))");
	put_cases(out);
	sat_buf_str(out, "\tif [ -n \"$skip\" ]; then _files; return; fi\n"
	                 "\t[[ $cur == -* ]] && list=\"$opts");
	put_option_words(out, cli_global, false, " ");
	sat_buf_str(out, "\"\n\t[ -z \"$list\" ] && list=$(satchel __complete "
	                 "\"$noun\" \"$verb\" 2>/dev/null)"
	                 "\n\tif [ -n \"$list\" ]; then compadd -- ${=list}\n"
	                 "\telse _files; fi\n}\n"
	                 "if [ \"$funcstack[1]\" = _satchel ]; then _satchel\n"
	                 "else compdef _satchel satchel; fi\n");
}

/* In fish a quote inside quotes is escaped. */
static void
put_quoted(sat_buf *out, const char *s)
{
	sat_buf_str(out, "'");
	for (; *s != '\0'; s++) {
		if (*s == '\'' || *s == '\\')
			sat_buf_str(out, "\\");
		sat_write_u8(out, (uint8_t)*s);
	}
	sat_buf_str(out, "'");
}

static void
fish_options(sat_buf *out, const sat_opt *table, const char *when)
{
	for (const sat_opt *o = table; o != NULL && o->name != NULL; o++) {
		sat_buf_fmt(out, "complete -c satchel%s -l %s", when, o->name);
		if (o->letter != 0)
			sat_buf_fmt(out, " -s %c", o->letter);
		sat_buf_str(out, o->value != NULL ? " -r -d " : " -d ");
		put_quoted(out, o->help);
		sat_buf_str(out, "\n");
	}
}

static void
complete_fish(sat_buf *out)
{
	const cli_verb *v;

	sat_buf_str(out, "# fish completion of satchel: satchel completion fish\n");
	fish_options(out, cli_global, "");
	for (size_t i = 0; (v = verb_at(i)) != NULL; i++) {
		char when[256];

		if (is_first_of_noun(i)) {
			sat_buf_fmt(out, "complete -c satchel -n "
			    "__fish_use_subcommand -a %s -d ", v->noun);
			put_quoted(out, v->verb == NULL ? v->help : v->noun);
			sat_buf_str(out, "\n");
		}
		if (v->verb != NULL) {
			sat_buf_fmt(out, "complete -c satchel -n "
			    "'__fish_seen_subcommand_from %s' -a %s -d ",
			    v->noun, v->verb);
			put_quoted(out, v->help);
			sat_buf_str(out, "\n");
		}
		(void)snprintf(when, sizeof when,
		    " -n '__fish_seen_subcommand_from %s%s%s'", v->noun,
		    v->verb != NULL ? "; and __fish_seen_subcommand_from " : "",
		    v->verb != NULL ? v->verb : "");
		fish_options(out, v->options, when);
	}
	sat_buf_str(out, "complete -c satchel -n 'test (count (commandline -opc)) "
	                 "-eq 3' -f -a '(satchel __complete (commandline -opc)[2..3] "
	                 "2>/dev/null)'\n");
}

sat_rc
cli_completion(cli *c, sat_err *e)
{
	const char *shell = c->args.nargs > 1 ? c->args.arg[1] : "";

	if (strcmp(shell, "bash") == 0)
		complete_bash(&c->out);
	else if (strcmp(shell, "zsh") == 0)
		complete_zsh(&c->out);
	else if (strcmp(shell, "fish") == 0)
		complete_fish(&c->out);
	else
		return sat_fail_code(e, SAT_EUSAGE, "usage", "bash, zsh or fish",
		    "usage: satchel completion SHELL");
	return SAT_OK;
}
