/*
 * cli_int.h - one invocation, shared inside the room.
 */
#ifndef SAT_CLI_INT_H
#define SAT_CLI_INT_H

#include "client/api/api.h"
#include "common/base/args.h"
#include "common/crypto/keyring.h"
#include "common/model/report.h"

#include <stdio.h>

#define SAT_VERSION "0.1.0"

typedef enum { FMT_AUTO, FMT_TABLE, FMT_TSV, FMT_CSV, FMT_JSON, FMT_JSONL } cli_format;

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
	sat_buf out;          /* stdout, written once at the end */
	/* progress line on stderr */
	int64_t started_ms, last_progress_ms;
} cli;

/* home.c: folders, secrets, opening. */
sat_rc cli_home(cli *c, sat_err *e);
/* A passphrase: --passphrase-fd, --passphrase-file, SATCHEL_PASSPHRASE_FILE,
 * $CREDENTIALS_DIRECTORY/satchel.passphrase, else asked on a terminal. The
 * buffer is wiped by the caller. */
sat_rc cli_passphrase(sat_buf *out, cli *c, const char *option, const char *prompt,
    bool twice, sat_err *e);
sat_rc cli_open(cli *c, sat_err *e);
void cli_close(cli *c);

/* init.c: verbs that work without, or on, the keyring itself. */
sat_rc cli_init(cli *c, sat_err *e);
sat_rc cli_passwd(cli *c, sat_err *e);
sat_rc cli_restore(cli *c, sat_err *e);

/* verbs.c: the tree of commands; finds and runs one. */
typedef struct cli_verb {
	const char *noun, *verb;  /* verb NULL: the noun alone */
	sat_rc (*run)(cli *c, sat_err *e);
	const sat_opt *options;
	const char *usage;        /* after "satchel " */
	const char *help;
	const char *examples;     /* lines, or NULL */
	bool no_replica;          /* runs without opening one */
} cli_verb;
const cli_verb *cli_verbs(size_t *n);
extern const sat_opt cli_global[];
const cli_verb *cli_verb_find(const cli *c, sat_err *e);
void cli_help(sat_buf *out, const cli_verb *v); /* NULL = all */

/* Ask the route table. The answer is owned by the caller. */
sat_rc cli_ask(sat_json **answer, cli *c, const char *method, const char *path,
    sat_json *query, sat_json *body, sat_err *e);

/* print.c */
typedef struct cli_column {
	const char *key;   /* member; "a.b" descends */
	const char *title; /* header on a terminal */
} cli_column;
/* A document with "data": rows by columns; or one object as key/value lines. */
void cli_print_rows(cli *c, const sat_json *doc, const cli_column *cols, size_t n);
void cli_print_object(cli *c, const sat_json *obj);
void cli_print_report(cli *c, const sat_json *doc);
/* Display width of UTF-8 text: CJK counts two. */
size_t cli_width(const char *s);
void cli_say(const cli *c, const char *fmt, ...) SAT_PRINTF(2, 3); /* stderr unless quiet */
int cli_complain(const cli *c, const sat_err *e, sat_rc rc);
/* progress events of long work */
void cli_event(void *u, const sat_json *line);
bool cli_interrupted(void *u);
void cli_signals(void);
int cli_signal(void); /* 0, or the signal that interrupted */

/* records.c, work.c, proof.c: the verbs. */
extern const cli_verb cli_record_verbs[], cli_work_verbs[], cli_proof_verbs[];
extern const size_t cli_record_nverbs, cli_work_nverbs, cli_proof_nverbs;

#endif
