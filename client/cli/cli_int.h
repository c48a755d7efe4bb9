/*
 * cli_int.h - one invocation, shared inside the room.
 */
#ifndef SAT_CLI_INT_H
#define SAT_CLI_INT_H

#include "client/api/api.h"
#include "client/cli/cli.h"
#include "common/base/args.h"
#include "common/base/text.h"
#include "common/base/version.h"
#include "common/crypto/keyring.h"
#include "common/model/report.h"

#include <stdio.h>

typedef enum { FMT_AUTO, FMT_TABLE, FMT_TSV, FMT_CSV, FMT_JSON, FMT_JSONL } cli_format;

typedef struct cli_setting cli_setting;

typedef struct cli {
	sat_args args;        /* args.arg[0] = noun, [1] = verb ... */
	cli_format format;
	bool quiet, no_input, yes, tty_out, tty_err, color;
	int verbose;
	char lang[3];         /* "zh" or "en" */
	char *home;           /* the replica's folder */
	const char *profile;
	sat_keyring *keyring;
	sat_api api;          /* api.crm.replica NULL until opened */
	char *socket;         /* a daemon answers there; NULL = in process */
	sat_template *remote_template; /* the daemon's; see cli_template */
	sat_cli_daemon_fn daemon;
	sat_buf out;          /* stdout: written by cli_flush */
	sat_buf input;        /* ids.c */
	bool out_failed;
	size_t term_width;    /* columns of the terminal; 0 = no limit */
	/* progress line on stderr */
	int64_t started_ms, last_progress_ms;
	bool progress_shown;
	int asked;            /* writes of this invocation that were named */
	bool lines;           /* --json: progress goes to stdout, a line each */
	/* records.c: what names the options of e->fields[i]; "" = unknown */
	char options[SAT_ERR_FIELDS_MAX][48];
	bool paging;          /* the answer is kept whole for the pager */
	cli_setting *set;     /* config.c: what files say, the last one wins */
	size_t nset;
} cli;

/* config.c: what files say of this key; NULL. */
const char *cli_config(const cli *c, const char *key);
/* The option, else the environment, else the files; NULL. Flag and environment
 * may be NULL. */
const char *cli_choice(const cli *c, const char *flag, const char *env,
    const char *key);

/* home.c: folders, secrets, opening. */
sat_rc cli_home(cli *c, sat_err *e);
/* A passphrase: --passphrase-fd, --passphrase-file, SATCHEL_PASSPHRASE_FILE,
 * $CREDENTIALS_DIRECTORY/satchel.passphrase, else asked on a terminal. The
 * buffer is wiped by the caller. */
sat_rc cli_passphrase(sat_buf *out, cli *c, const char *option, const char *prompt,
    bool twice, sat_err *e);
sat_rc cli_open(cli *c, sat_err *e);
sat_rc cli_open_with(cli *c, sat_span passphrase, sat_err *e);
sat_rc cli_need_replica(const cli *c, sat_err *e); /* SAT_ENOREPLICA */
/* Carries out an order to wipe this device, or what is left of one. */
sat_rc cli_obey(cli *c, sat_rc rc, sat_err *e);
void cli_close(cli *c);

/* remote.c: the daemon, when one runs. */
char *cli_socket_path(const cli *c); /* the caller frees */
bool cli_reach(cli *c); /* then c->socket is set */
sat_rc cli_remote_begin(cli *c, sat_err *e); /* fetch what printing needs */
sat_rc cli_remote_ask(sat_json **answer, cli *c, const char *method,
    const char *path, const sat_json *query, const sat_json *body, sat_err *e);
/* daemon.c: the keyring is the daemon's. */
sat_rc cli_remote_passwd(cli *c, sat_span phrase, sat_err *e);
/* The template, from wherever the answers come; NULL before the first sync. */
const sat_template *cli_template(const cli *c);

/* init.c: verbs that work without, or on, the keyring itself. */
sat_rc cli_init(cli *c, sat_err *e);
sat_rc cli_demo_seed(cli *c, sat_err *e); /* demo.c */
extern const sat_opt cli_init_options[];
sat_rc cli_passwd(cli *c, sat_err *e);
sat_rc cli_restore(cli *c, sat_err *e);
sat_rc cli_make_folders(const char *path, sat_err *e); /* mkdir -p, the last private */
void cli_draw_keys(sat_replica_identity *id);
/* The keyring and an empty replica of this identity in c->home; nothing
 * half-made stays behind. */
sat_rc cli_create(cli *c, sat_replica_identity *id, sat_err *e);

/* The tree of commands: each room file below has a table. */
typedef struct cli_verb {
	const char *noun, *verb;  /* verb NULL: the noun alone */
	sat_rc (*run)(cli *c, sat_err *e);
	const sat_opt *options;
	const char *usage;        /* after "satchel " */
	const char *help;
	const char *examples;     /* lines, or NULL */
	bool no_replica;          /* runs without opening one */
} cli_verb;
extern const sat_opt cli_global[];

/* words.c: no word too many, and the first no empty one: SAT_EUSAGE. */
sat_rc cli_words_fit(const cli *c, const cli_verb *v, sat_err *e);

/* Ask the route table. The answer is owned by the caller. */
sat_rc cli_ask(sat_json **answer, cli *c, const char *method, const char *path,
    sat_json *query, sat_json *body, sat_err *e);

/* width.c: how wide text is on a terminal; pure. */
/* Columns of UTF-8 text: CJK and full-width forms count two, combining marks
 * none; bytes that are no UTF-8 count one. */
size_t cli_width(const char *s);
/* Append s, cut to `width` columns at a whole character with a trailing "…". */
void cli_cut(sat_buf *out, const char *s, size_t width);
/* The same, filled up with blanks to exactly `width`; on the left for numbers. */
void cli_pad(sat_buf *out, const char *s, size_t width, bool right);

/* table.c: what people read is labels, yuan and local time; every other format
 * has keys, fen and UTC. */
typedef enum cli_cell {
	CELL_PLAIN,
	CELL_ID,     /* a table shows the beginning that is enough to name it */
	CELL_TIME,   /* a table shows local time */
	CELL_MONEY,  /* a table shows yuan */
	CELL_NUMBER,
	CELL_LABEL,  /* a table shows the member under "label", or KEY_label */
	CELL_WHOLE,  /* text that must not be cut: numbers, phones */
	CELL_SAID,   /* English of the program: a table shows the reader's language */
	CELL_KIND,   /* the key of a kind: a table shows its name */
	CELL_FIELD,  /* of a field of the row's "kind" or "type" */
	CELL_STAGE,  /* of a stage of that kind */
	CELL_TEXT_RIGHT, /* text of a number, ready to print */
} cli_cell;
typedef struct cli_column {
	const char *key;   /* member; as it is, else "a.b" descends */
	const char *title; /* header on a terminal */
	cli_cell as;
} cli_column;
cli_format cli_format_of(const cli *c); /* never FMT_AUTO */
bool cli_is_json(const cli *c);         /* json or jsonl */
/* One cell as a person (`pretty`) or a program reads it. */
void cli_cell_text(sat_buf *b, const cli *c, const sat_json *row,
    const cli_column *col, bool pretty);
/* A document with "data": rows by columns. */
void cli_print_rows(cli *c, const sat_json *doc, const cli_column *cols, size_t n);
/* The same; an empty table is a word for a person, not a header. */
void cli_print_or_none(cli *c, const sat_json *doc, const cli_column *cols,
    size_t n, const char *none);
/* GET of a list, printed by one of the two: none NULL = rows. */
sat_rc cli_ask_list(cli *c, const char *path, const cli_column *cols, size_t n,
    const char *none, sat_err *e);
/* One object as key/value lines. */
void cli_print_object(cli *c, const sat_json *obj);
/* The same of what the server answered, without what the relay says of itself. */
void cli_print_relayed(cli *c, const sat_json *doc);
void cli_print_json(cli *c, const sat_json *doc); /* by format on one or many lines */
/* "2026-11-22 07:26", organisation time; the text itself when it is no time. */
void cli_time_text(sat_buf *out, const cli *c, const char *rfc3339);
/* "1,867,528.00" */
void cli_money_text(sat_buf *out, int64_t fen);

void cli_print_status(cli *c, const sat_json *doc);

/* report.c */
void cli_print_report(cli *c, const sat_json *doc);
/* The same, to the file of -o when one is named. */
sat_rc cli_report_text(cli *c, const sat_json *doc, sat_err *e);
/* What it names one by one, as a second table. */
void cli_report_list(cli *c, const sat_json *doc);
/* Several reports (schema report.assessment) as one page; to NULL: stdout. */
sat_rc cli_assessment_file(cli *c, const sat_json *doc, const char *title,
    const char *to, sat_err *e);
bool cli_report_is_file(const char *format); /* "html", "xlsx" */
/* frozen.c */
sat_rc cli_frozen_list(cli *c, sat_err *e);
/* What is frozen, by whom, and what changed since; nothing of other reports. */
void cli_delta_text(sat_buf *b, const cli *c, const sat_json *doc);
extern const cli_verb cli_frozen_verbs[];
extern const size_t cli_frozen_nverbs;
/* coverage.c: how complete a report is, one line without its end. */
void cli_coverage_text(sat_buf *b, const cli *c, const sat_json *doc);
/* Lines 0 to 2 of where a report comes from: definition, period, as-of, zone and
 * template; coverage; what is frozen. false: there is none. */
bool cli_origin_text(sat_buf *b, const cli *c, const sat_json *doc, int line);
/* to NULL or "-": standard output (html). */
sat_rc cli_report_file(cli *c, const sat_json *doc, const char *format,
    const char *to, sat_err *e);

/* say.c: stderr, and long work. */
void cli_say(cli *c, const char *fmt, ...) SAT_PRINTF(2, 3); /* unless quiet */
int cli_complain(cli *c, const sat_err *e, sat_rc rc);
/* What was printed so far goes out: before messages, and per line of long work. */
/* text.c: the language of what is printed from here on, "zh" or "en". */
void cli_text_use(const char *lang);
void cli_flush(cli *c);
/* y/N on the terminal. SAT_EUSAGE without one, SAT_EFAIL for no. */
sat_rc cli_confirm(cli *c, const char *question, sat_err *e);
void cli_event(void *u, const sat_json *line);
void cli_progress_end(cli *c); /* wipes the progress line */
void cli_synced(cli *c, const sat_json *line); /* exchange.c: one of --watch */
bool cli_interrupted(void *u);
void cli_signals(void);
int cli_signal(void); /* 0, or the signal that interrupted */

/* pager.c: does the answer of this verb (NULL: help) go through a pager? */
bool cli_is_paged(const cli_verb *v);
/* c->out through the pager and emptied; left as it is when there is none. */
void cli_page(cli *c);

/* topics.c: what help says that no verb does; false: no such topic. */
bool cli_topic(sat_buf *out, const char *name);
void cli_topics_list(sat_buf *out); /* their names, a line each */

/* help.c, man.c: from the tables of verbs. */
/* Of a verb; of all verbs of a noun; of everything (both NULL). false: there is
 * no such noun. */
bool cli_help(sat_buf *out, const cli_verb *v, const char *noun);
void cli_help_short(sat_buf *out); /* what bare `satchel` says */
sat_rc cli_completion(cli *c, sat_err *e);
sat_rc cli_complete_run(cli *c, sat_err *e); /* complete.c */
/* satchel.1, satchel-import.1, satchel-config.5, satchel-exit-codes.7 as roff; false: there is no such page. */
bool cli_man(sat_buf *out, const char *page);
sat_rc cli_man_run(cli *c, sat_err *e);
sat_rc cli_version(cli *c, sat_err *e); /* main.c */
/* What the tables say and a catalogue must have, as C for xgettext: po/. */
sat_rc cli_texts_run(cli *c, sat_err *e);

/* records.c, write.c, work.c, exchange.c, conflict.c, refused.c, proof.c: the
 * verbs. */
/* "/v1/accounts/<id>/<tail>" of the noun on the command line; caller frees. */
char *cli_record_path(const cli *c, const char *id, const char *tail);
/* A JSON object from a file, - = stdin. SAT_ENOTFOUND, SAT_EINVALID. */
sat_rc cli_read_body(sat_json **body, const char *path, sat_err *e);
/* Fields from --set, --unset, --add, --remove, --from; owned by the caller. */
sat_rc cli_body_of(sat_json **body, const cli *c, sat_err *e);
sat_rc cli_need_id(const cli *c, const char **id, sat_err *e);
/* ids.c: does a word say "-"? Then all of standard input, into c->input: before
 * the replica is opened, so that a list of it can be piped into this. */
bool cli_wants_input(const cli *c);
sat_rc cli_input(cli *c, sat_err *e);
/* The words from `first` on; "-" among them stands for the rows of
 * standard input, each a line (-0: ended by a NUL) whose first column is the
 * id. Free it also after a failure. */
typedef struct cli_ids {
	const char **id;
	size_t n, cap;
	sat_buf text;
} cli_ids;
sat_rc cli_ids_get(cli_ids *ids, cli *c, size_t first, sat_err *e);
void cli_ids_fini(cli_ids *ids);
/* GET of what the command line names: its id between `before` and `after`.
 * *doc is the caller's, as cli_ask leaves it. */
sat_rc cli_ask_id(sat_json **doc, cli *c, const char *before, const char *after,
    sat_err *e);
/* The same with POST of a body. */
sat_rc cli_post_id(sat_json **doc, cli *c, const char *before,
    const char *after, sat_json *body, sat_err *e);
/* Where the options of refused fields are listed, while the template is here. */
void cli_note_options(cli *c, const sat_err *e);
/* Title of the record as a person knows it; "" when it cannot be read. */
void cli_record_title(sat_buf *out, cli *c, const char *id);
typedef struct cli_table {
	const cli_verb *verbs;
	const size_t *n;
} cli_table;
extern const cli_table cli_tables[];
extern const size_t cli_ntables;
/* A table of verbs per file. */
extern const cli_verb cli_record_verbs[], cli_kind_verbs[];
extern const cli_verb cli_standard_verbs[], cli_work_verbs[];
extern const cli_verb cli_exchange_verbs[], cli_conflict_verbs[];
extern const cli_verb cli_dedupe_verbs[], cli_refused_verbs[];
extern const cli_verb cli_handover_verbs[], cli_proof_verbs[];
extern const cli_verb cli_daemon_verbs[], cli_privacy_verbs[],
    cli_reveal_verbs[];
extern const cli_verb cli_assess_verbs[];
extern const size_t cli_assess_nverbs;
extern const cli_verb cli_token_verbs[];
extern const size_t cli_token_nverbs;
extern const cli_verb cli_kiosk_verbs[];
extern const size_t cli_kiosk_nverbs;
extern const cli_verb cli_attach_verbs[];
extern const size_t cli_attach_nverbs;
extern const sat_opt cli_daemon_options[];
sat_rc cli_daemon_run(cli *c, bool kiosk, sat_err *e);
/* One that runs, or a new one in the background. *child: this is the new one's
 * process, at its end: return at once. */
sat_rc cli_daemon_need(bool *child, cli *c, sat_err *e);
/* open.c: a one-time link into the pages; url_only: kiosk url. */
extern const cli_verb cli_open_verbs[];
extern const size_t cli_open_nverbs;
sat_rc cli_open_link(sat_json **link, cli *c, const char *path, sat_err *e);
extern const cli_verb cli_demo_verbs[];
extern const size_t cli_demo_nverbs;
extern const cli_verb cli_pool_verbs[], cli_visit_verbs[];
extern const size_t cli_visit_nverbs;
extern const cli_verb cli_view_verbs[];
extern const size_t cli_view_nverbs;
/* The columns the view of --view names, as --fields has them; NULL: none. */
char *cli_view_fields(cli *c, const sat_kind *k);
/* Says what of a view a list had to leave out. */
void cli_view_notes(cli *c, const sat_json *doc);
extern const cli_verb cli_search_verbs[];
extern const size_t cli_search_nverbs;
extern const size_t cli_pool_nverbs;
extern const cli_verb cli_sop_verbs[];
extern const size_t cli_sop_nverbs;
extern const cli_verb cli_lint_verbs[];
extern const size_t cli_lint_nverbs;
extern const cli_verb cli_import_verbs[];
extern const size_t cli_import_nverbs;
extern const cli_verb cli_lead_verbs[];
extern const size_t cli_lead_nverbs;
extern const cli_verb cli_feed_verbs[];
extern const size_t cli_feed_nverbs;
extern const cli_verb cli_doctor_verbs[];
extern const size_t cli_doctor_nverbs;
extern const cli_verb cli_undo_verbs[];
extern const size_t cli_undo_nverbs;
extern const cli_verb cli_approve_verbs[];
extern const size_t cli_approve_nverbs;
extern const cli_verb cli_rule_verbs[];
extern const size_t cli_rule_nverbs;
extern const cli_verb cli_config_verbs[], cli_status_verbs[], cli_log_verbs[];
extern const cli_verb cli_admin_verbs[], cli_template_verbs[];
extern const cli_verb cli_webhook_verbs[];
extern const size_t cli_webhook_nverbs;
extern const size_t cli_admin_nverbs, cli_template_nverbs;
extern const size_t cli_config_nverbs, cli_status_nverbs, cli_log_nverbs;
extern const size_t cli_record_nverbs, cli_kind_nverbs;
extern const size_t cli_standard_nverbs, cli_work_nverbs;
extern const size_t cli_exchange_nverbs, cli_conflict_nverbs;
extern const size_t cli_dedupe_nverbs, cli_refused_nverbs;
extern const size_t cli_handover_nverbs, cli_proof_nverbs;
extern const size_t cli_daemon_nverbs, cli_privacy_nverbs,
    cli_reveal_nverbs;
extern const sat_opt cli_list_options[], cli_show_options[],
    cli_merge_options[];
sat_rc cli_merge(cli *c, sat_err *e), cli_unmerge(cli *c, sat_err *e);
sat_rc cli_list(cli *c, sat_err *e), cli_show(cli *c, sat_err *e);
extern const sat_opt cli_add_options[], cli_edit_options[], cli_stage_options[],
    cli_assign_options[];
sat_rc cli_add(cli *c, sat_err *e), cli_edit(cli *c, sat_err *e),
    cli_delete(cli *c, sat_err *e), cli_undelete(cli *c, sat_err *e),
    cli_stage(cli *c, sat_err *e), cli_assign(cli *c, sat_err *e);

sat_rc cli_worklist(cli *c, sat_err *e), cli_approvals(cli *c, sat_err *e);
sat_rc cli_task_due(cli *c, sat_err *e), cli_stuck(cli *c, const char *kind,
    sat_err *e);
/* Says so when a colleague was in touch with the customer just now. */
void cli_recent_contact(cli *c, const char *account);

/* What every kind has but `add`. */
#define KIND_VERBS(kind, what)                                                \
	{ kind, "list", cli_list, cli_list_options, kind " list [OPTIONS]",   \
	    "list " what, NULL, false },                                      \
	    { kind, "show", cli_show, cli_show_options, kind " show ID",      \
	        "one of the " what, NULL, false },                            \
	    { kind, "edit", cli_edit, cli_edit_options,                           \
	        kind " edit ID --set K=V...", "change fields", NULL, false }, \
	    { kind, "delete", cli_delete, NULL, kind " delete ID",            \
	        "delete (restorable)", NULL, false },                         \
	    { kind, "restore", cli_undelete, NULL, kind " restore ID",         \
	        "undo a deletion", NULL, false }

#endif
