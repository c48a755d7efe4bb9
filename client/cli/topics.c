/*
 * help TOPIC: what holds for every verb, and no verb says.
 */
#include "client/cli/config.h"

#include <string.h>

static const struct {
	const char *name, *what, *text;
} topics[] = {
	{ "output", N_("tables, tab-separated lines, CSV, JSON"),
	    N_("Data goes to stdout, messages to stderr.\n\n"
	       "  terminal       a table: labels, yuan, local time; cut to fit\n"
	       "  pipe, tsv      the same columns, tab-separated: keys, fen, UTC\n"
	       "  csv            the same with a header of keys\n"
	       "  json, --json   one document; its schema is satchel/NAME/1\n"
	       "  jsonl          a record or a row per line\n\n"
	       "--fields A,B chooses columns. JSON and tsv never change with the "
	       "language.\n") },
	{ "records", N_("how a record is named"),
	    N_("A record is named by its id, by a beginning of it of at least six\n"
	       "characters, by its number or another field that names one record,\n"
	       "or by its name when only one has it.\n"
	       "@last is the newest record this device wrote, of the kind asked "
	       "for.\n\n"
	       "  satchel account show C202611-P1-0003\n"
	       "  satchel contact add @last --set name=...\n") },
	{ "where", N_("conditions of --where"),
	    N_("FIELD OP VALUE, joined by and. Values with spaces in double quotes.\n"
	       "\n"
	       "  = != < <= > >=   compare\n"
	       "  ~                contains the text (pinyin, too)\n"
	       "  has              the set contains the value\n"
	       "  in (a,b)         one of these\n"
	       "  is null          has no value; is not null\n\n"
	       "  satchel account list --where 'amount>=100000 and "
	       "stage=negotiation'\n\n"
	       "satchel schema KIND lists the fields, satchel dict NAME the "
	       "options.\n") },
	{ "times", N_("times, ages and periods"),
	    N_("A time is 2026-11-22, 2026-11-22 14:30 or RFC 3339; without a "
	       "zone it\n"
	       "is local to the organisation. An age is 15m, 2h or 30d.\n"
	       "A period of a report is 2026-11-22, 2026-W47, 2026-11, 2026-Q4,\n"
	       "2026, FROM..TO, or all.\n\n"
	       "  satchel report run won --period 2026-Q4\n"
	       "  satchel log --since 7d\n") },
	{ "secrets", N_("where a passphrase comes from"),
	    N_("Never from an option or the environment itself. In this order:\n\n"
	       "  --passphrase-fd N             an open descriptor\n"
	       "  --passphrase-file FILE        its first line; - is stdin\n"
	       "  SATCHEL_PASSPHRASE_FILE       the same, as is\n"
	       "                                core.passphrasefile of config\n"
	       "  CREDENTIALS_DIRECTORY         systemd: satchel.passphrase in it\n"
	       "  the terminal                  unless --no-input\n") },
	{ "environment", N_("variables that are looked at"),
	    N_("SATCHEL_HOME              the replica's folder, as --home\n"
	       "SATCHEL_PROFILE           as --profile\n"
	       "SATCHEL_PASSPHRASE_FILE   as --passphrase-file\n"
	       "SATCHEL_LANG              zh or en, else LC_ALL, LC_MESSAGES, LANG\n"
	       "SATCHEL_LOG               warn, info, debug or trace\n"
	       "SATCHEL_CONFIG_SYSTEM     instead of /etc/satchel/config\n"
	       "NO_COLOR, COLUMNS, PAGER, VISUAL, EDITOR, TMPDIR\n"
	       "XDG_CONFIG_HOME, XDG_DATA_HOME, XDG_RUNTIME_DIR\n") },
	{ "exit-codes", N_("what the exit codes mean"),
	    N_("  0  done                          10  no replica here\n"
	       "  1  failed, not classified        11  another process holds it\n"
	       "  2  wrong usage                   12  integrity failure\n"
	       "  3  partly done                   13  version too old or too new\n"
	       "  4  wrong passphrase, locked      14  this device was revoked\n"
	       "  5  not found                     15  not enough space\n"
	       "  6  conflict                      20  a --check is false\n"
	       "  7  data breaks a rule            130, 143  interrupted\n"
	       "  8  server not reachable\n"
	       "  9  not permitted for this role\n") },
	{ "config", N_("settings that are kept in files"), NULL },
};

static void
config_topic(sat_buf *out)
{
	sat_buf_str(out, _("satchel config set KEY VALUE keeps what would else be "
	                   "typed each time.\nOption > environment > replica "
	                   "(--local) > user > machine (--system).\n\n"));
	for (size_t i = 0; i < cli_nkeys; i++) {
		const cli_key *k = &cli_keys[i];

		sat_buf_fmt(out, "  %-22s %s\n", k->key, sat_text(k->help));
		if (k->hint != NULL)
			sat_buf_fmt(out, "  %-22s %s\n", "", sat_text(k->hint));
	}
}

bool
cli_topic(sat_buf *out, const char *name)
{
	for (size_t i = 0; i < sizeof topics / sizeof topics[0]; i++)
		if (strcmp(topics[i].name, name) == 0) {
			if (topics[i].text != NULL)
				sat_buf_str(out, sat_text(topics[i].text));
			else
				config_topic(out);
			return true;
		}
	return false;
}

void
cli_topics_list(sat_buf *out)
{
	for (size_t i = 0; i < sizeof topics / sizeof topics[0]; i++)
		sat_buf_fmt(out, "  help %-19s %s\n", topics[i].name,
		    sat_text(topics[i].what));
}
