/*
 * Manual pages of the client, from the same tables as --help. The committed
 * pages in docs/man are compared with these by tests/unit/client/cli.
 */
#include "client/cli/config.h"
#include "common/base/roff.h"

#include <stdlib.h>
#include <string.h>

#define VERSION_LINE "Satchel " SAT_VERSION

static const struct {
	sat_rc rc;
	const char *text;
} codes[] = {
	{ SAT_OK, "done" },
	{ SAT_EFAIL, "failed, not classified" },
	{ SAT_EUSAGE, "wrong usage" },
	{ SAT_EPARTLY, "partly done: an import with refused rows, a sync with "
	               "refused commits; the summary says which" },
	{ SAT_ELOCKED, "wrong passphrase, or not authenticated" },
	{ SAT_ENOTFOUND, "not found" },
	{ SAT_ECONFLICT, "conflict: stale --if-version, a duplicate, a fork" },
	{ SAT_EINVALID, "data breaks a rule of the template; the fields are listed" },
	{ SAT_EUNREACHABLE, "the server is not reachable or did not answer in "
	                    "time: try again later" },
	{ SAT_EDENIED, "not permitted for this role" },
	{ SAT_ENOREPLICA, "there is no replica (no server folder) here" },
	{ SAT_EBUSY, "another process holds the replica" },
	{ SAT_EINTEGRITY, "an integrity check failed: a page, a row, a chain or a "
	                  "signature" },
	{ SAT_EVERSION, "schema, protocol or template is too old or too new" },
	{ SAT_EREVOKED, "this device was revoked" },
	{ SAT_ENOSPACE, "not enough space" },
	{ SAT_EFALSE, "a --check is false" },
};

static void
exit_codes(sat_buf *out)
{
	for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
		char n[8];

		(void)snprintf(n, sizeof n, "%d", sat_rc_exit(codes[i].rc));
		sat_roff_item(out, n, codes[i].text);
	}
	sat_roff_item(out, "130, 143", "interrupted by INT (Ctrl-C) or TERM; what "
	                               "was reported as saved is saved");
}

static void
page_exit_codes(sat_buf *out)
{
	sat_roff_head(out, "satchel-exit-codes", 7, VERSION_LINE,
	    "exit codes of satchel and satcheld");
	sat_roff_section(out, "DESCRIPTION");
	sat_roff_text(out, "Both programs end with one of these codes. They never "
	                   "change their meaning; any other code is a failure.");
	exit_codes(out);
	sat_roff_section(out, "SEE ALSO");
	sat_roff_text(out, "satchel(1), satcheld(8)");
}

static void
one_verb(sat_buf *out, const cli_verb *v)
{
	sat_roff_sub(out, v->usage);
	sat_roff_text(out, v->help);
	sat_roff_options(out, v->options);
	if (v->examples != NULL)
		sat_roff_lines(out, v->examples);
}

static void
verbs(sat_buf *out)
{
	for (size_t t = 0; t < cli_ntables; t++)
		for (size_t i = 0; i < *cli_tables[t].n; i++) {
			const cli_verb *v = &cli_tables[t].verbs[i];

			if (strncmp(v->noun, "__", 2) != 0)
				one_verb(out, v);
		}
}

static void
page_satchel(sat_buf *out)
{
	sat_roff_head(out, "satchel", 1, VERSION_LINE,
	    "customers, offline first");
	sat_roff_section(out, "SYNOPSIS");
	sat_roff_text(out, "satchel NOUN VERB [OPTIONS]");
	sat_roff_section(out, "DESCRIPTION");
	sat_roff_text(out,
	    "A person's customers on his own device: encrypted, complete, usable "
	    "without a network, and merged with those of the others by sync.");
	sat_roff_text(out,
	    "Data goes to stdout, messages to stderr. A terminal gets a table with "
	    "labels, yuan and local time; a pipe the same columns tab-separated, "
	    "with keys, fen and UTC; --json one document whose schema is "
	    "satchel/NAME/1.");
	sat_roff_text(out,
	    "A record is named by its id, a unique beginning of at least six "
	    "characters, its number, or its name when only one has it.");
	sat_roff_section(out, "COMMANDS");
	verbs(out);
	sat_roff_section(out, "GLOBAL OPTIONS");
	sat_roff_options(out, cli_global);
	sat_roff_section(out, "ENVIRONMENT");
	sat_roff_item(out, "SATCHEL_HOME", "the replica's folder, as --home");
	sat_roff_item(out, "SATCHEL_PROFILE", "as --profile");
	sat_roff_item(out, "SATCHEL_PASSPHRASE_FILE", "as --passphrase-file");
	sat_roff_item(out, "CREDENTIALS_DIRECTORY",
	    "of systemd: satchel.passphrase is read from it");
	sat_roff_item(out, "SATCHEL_LANG", "zh or en, as --lang; else LANG");
	sat_roff_item(out, "SATCHEL_LOG", "warn, info, debug or trace");
	sat_roff_item(out, "SATCHEL_CONFIG_SYSTEM",
	    "the machine's settings, instead of /etc/satchel/config");
	sat_roff_item(out, "NO_COLOR, COLUMNS", "no colour; width of a table");
	sat_roff_section(out, "FILES");
	sat_roff_item(out, "~/.local/share/satchel/PROFILE",
	    "replica.keyring and replica.db, both needed, both encrypted");
	sat_roff_section(out, "EXIT STATUS");
	exit_codes(out);
	sat_roff_section(out, "SEE ALSO");
	sat_roff_text(out, "satchel-import(1), satchel-config(5), "
	                   "satchel-exit-codes(7), satcheld(8)");
}

/* The verbs of one noun, the bare one first. */
static void
verbs_of(sat_buf *out, const char *noun)
{
	for (size_t t = 0; t < cli_ntables; t++)
		for (size_t i = 0; i < *cli_tables[t].n; i++) {
			const cli_verb *v = &cli_tables[t].verbs[i];

			if (strcmp(v->noun, noun) == 0)
				one_verb(out, v);
		}
}

static void
page_import(sat_buf *out)
{
	sat_roff_head(out, "satchel-import", 1, VERSION_LINE,
	    "sheets of customers into the replica, and back");
	sat_roff_section(out, "SYNOPSIS");
	sat_roff_text(out, "satchel import FILE --type KIND [OPTIONS]");
	sat_roff_section(out, "DESCRIPTION");
	sat_roff_text(out, "Reads a CSV or XLSX file row by row. Columns are found "
	    "by the key of a field, its label in either language or one of its "
	    "other names; a mapping document (--map) says what else a column "
	    "means, and is kept with --save-map. Every row is judged as if it had "
	    "been typed: what breaks a rule is refused with its line and the "
	    "reason (--errors), the others are saved.");
	sat_roff_text(out, "The encoding is found by itself: a byte order mark, "
	    "else strict UTF-8, else GB18030; --encoding names it. A record that is "
	    "there already is skipped unless --on-duplicate says otherwise: it is "
	    "found by its number, by external_id or by what makes a duplicate of "
	    "its kind. Rows without any of these cannot be found again; a file of "
	    "such rows is taken once, and again after import undo. --dry-run shows what would change and writes nothing.");
	sat_roff_text(out, "Each import is a batch: import list names them, import "
	    "undo takes one back where nobody wrote since, import audit draws a "
	    "sample of it to be checked by hand.");
	sat_roff_section(out, "COMMANDS");
	verbs_of(out, "import");
	sat_roff_section(out, "EXIT STATUS");
	sat_roff_item(out, "0", "every row was taken");
	sat_roff_item(out, "3", "some rows were refused; the summary counts them");
	sat_roff_item(out, "5", "there is no such file or mapping");
	sat_roff_item(out, "6", "rows without a key, of a file that is in already");
	sat_roff_item(out, "130", "interrupted; what was counted is saved");
	sat_roff_text(out, "The others are those of satchel-exit-codes(7).");
	sat_roff_section(out, "EXAMPLE");
	sat_roff_lines(out, "satchel import template account -o customers.xlsx\n"
	    "satchel import customers.xlsx --type account --dry-run\n"
	    "satchel import customers.xlsx --type account --errors refused.csv\n");
	sat_roff_section(out, "SEE ALSO");
	sat_roff_text(out, "satchel(1), satchel-exit-codes(7)");
}

static void
page_config(sat_buf *out)
{
	sat_roff_head(out, "satchel-config", 5, VERSION_LINE,
	    "settings of satchel");
	sat_roff_section(out, "DESCRIPTION");
	sat_roff_text(out, "Files of settings, in the form of git-config(1). An "
	    "option on the command line wins over the environment, that over the "
	    "files; of these the replica's wins over the user's, and that over "
	    "the machine's. satchel config list --show-origin tells what counts "
	    "and where it stands.");
	sat_roff_section(out, "SETTINGS");
	for (size_t i = 0; i < cli_nkeys; i++) {
		const cli_key *k = &cli_keys[i];
		char *text = sat_xasprintf("%s%s%s%s%s%s%s", k->help,
		    k->hint != NULL ? ": " : "", k->hint != NULL ? k->hint : "",
		    k->flag != NULL ? "; option --" : "",
		    k->flag != NULL ? k->flag : "",
		    k->env != NULL ? "; environment " : "",
		    k->env != NULL ? k->env : "");

		sat_roff_item(out, k->key, text);
		free(text);
	}
	sat_roff_text(out, "Other keys are kept and listed; nothing asks for "
	    "them.");
	sat_roff_section(out, "FILES");
	sat_roff_item(out, "~/.local/share/satchel/PROFILE/config",
	    "of one replica (config set --local)");
	sat_roff_item(out, "~/.config/satchel/config", "of the user");
	sat_roff_item(out, "/etc/satchel/config",
	    "of the machine (config set --system)");
	sat_roff_section(out, "EXAMPLE");
	sat_roff_lines(out, "[core]\n\tlang = zh\n[sync]\n"
	    "\tserver = tcp://crm.example.cn:7443\n");
	sat_roff_section(out, "SEE ALSO");
	sat_roff_text(out, "satchel(1)");
}

bool
cli_man(sat_buf *out, const char *page)
{
	if (strcmp(page, "satchel.1") == 0)
		page_satchel(out);
	else if (strcmp(page, "satchel-import.1") == 0)
		page_import(out);
	else if (strcmp(page, "satchel-exit-codes.7") == 0)
		page_exit_codes(out);
	else if (strcmp(page, "satchel-config.5") == 0)
		page_config(out);
	else
		return false;
	return true;
}

sat_rc
cli_man_run(cli *c, sat_err *e)
{
	if (c->args.nargs > 1 && cli_man(&c->out, c->args.arg[1]))
		return SAT_OK;
	return sat_fail_code(e, SAT_EUSAGE, "usage",
	    "satchel.1, satchel-import.1, satchel-config.5 or "
	    "satchel-exit-codes.7", "there is no such page");
}
