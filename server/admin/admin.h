/*
 * admin.h - what an administrator does: the server's folder, its verbs, serve.
 *
 * A folder holds server.keyring, server.db, templates.git, and, while it is
 * served, admin.sock (unless `serve --admin-socket` names another). Every verb runs on an opened folder; when another
 * process serves it, the same words travel over admin.sock (same user only)
 * and run on that server's worker, so there is one writer.
 */
#ifndef SAT_ADMIN_ADMIN_H
#define SAT_ADMIN_ADMIN_H

#include "common/base/args.h"
#include "common/git/git.h"
#include "server/relay/relay.h"
#include "server/store/sqlite/store.h"

#define SAT_ADMIN_BRANCH "refs/heads/published"
/* The industry pack as it was last taken: what the next one is compared with. */
#define SAT_ADMIN_UPSTREAM "refs/heads/upstream"
/* What a pilot tries: a descendant of what is published, or left behind. */
#define SAT_ADMIN_CANARY "refs/heads/canary"

typedef struct sat_admin sat_admin;

/* Make the folder: keys, organisation, store, template repository with the
 * pack published (NULL: the base template). SAT_ECONFLICT when there is one
 * already; SAT_ENOTFOUND: no such pack, nothing was made. */
SAT_CHECK sat_rc sat_admin_init(const char *dir, const char *org_name,
    const char *admin_user, const char *pack, sat_span passphrase, sat_err *e);
/* SAT_ENOREPLICA, SAT_EBUSY (somebody serves it), SAT_ELOCKED, ... */
SAT_CHECK sat_rc sat_admin_open(sat_admin **a, const char *dir, sat_span passphrase, sat_err *e);
void sat_admin_close(sat_admin *a);

/*
 * Run one verb ("user", "add", ...). Answers are appended to out; json: one
 * document per answer. @return the verb's result; the caller prints e.
 */
SAT_CHECK sat_rc sat_admin_run(sat_admin *a, int argc, char *const *argv,
    sat_buf *out, sat_err *e);
/* The same of a folder that is served; socket_path NULL: admin.sock in it.
 * SAT_EUNREACHABLE: nobody serves. */
SAT_CHECK sat_rc sat_admin_ask(const char *dir, const char *socket_path, int argc, char *const *argv,
    sat_buf *out, sat_err *e);
/*
 * One of the two: admin NULL = the server that runs on the folder
 * (--admin-socket of w). `export` is asked part by part and goes to standard
 * output, or whole or not at all to the file of --output, for its owner's eyes.
 */
SAT_CHECK sat_rc sat_admin_answer(sat_admin *admin, const sat_args *w,
    const char *dir, int argc, char *const *argv, sat_buf *out, sat_err *e);
/*
 * Serve until SIGTERM, SIGINT, `drain`, or a fatal store error. w: the options
 * as given, which win over the file at config; the file is read now and with
 * every `reload` (SIGHUP), must says that it has to be there. Both live as long
 * as it serves.
 */
SAT_CHECK sat_rc sat_admin_serve(sat_admin *a, const sat_args *w,
    const char *config, bool must, sat_err *e);

/* `keys recover FILE`: the passphrase is forgotten, the key of `keys escrow` is
 * not. The folder is not served. SAT_ELOCKED: it is another key. */
SAT_CHECK sat_rc sat_admin_recover(const char *dir, const sat_args *w,
    sat_buf *out, sat_err *e);

/* ---- what needs no folder ------------------------------------------------------ */

/*
 * Settings of `serve`, from a file in git's form (section [serve]; the names are
 * those of the options). free also after a failure.
 * @return SAT_ENOTFOUND when it must be there and is not; SAT_EINVALID names
 *         the line, the setting that is unknown, or the value that is none.
 */
#define SAT_ADMIN_CONFIG "/etc/satchel/satcheld.conf"
#define SAT_ADMIN_SETTINGS_MAX 8
typedef struct sat_admin_settings {
	char *value[SAT_ADMIN_SETTINGS_MAX]; /* NULL = not in the file */
} sat_admin_settings;
SAT_CHECK sat_rc sat_admin_settings_read(sat_admin_settings *s,
    const char *path, bool must, sat_err *e);
void sat_admin_settings_free(sat_admin_settings *s);
/* The option, else the file, else what is built in (may be NULL); borrowed.
 * *origin: "option", "file", "default". */
const char *sat_admin_setting(const sat_admin_settings *s,
    const sat_args *w, const char *key, const char **origin);
/* `config check|show`, of settings that could be read. */
SAT_CHECK sat_rc sat_admin_config(const sat_args *w,
    const sat_admin_settings *s, const char *path, const char *dir,
    sat_buf *out, sat_err *e);
/* `selftest`: a server in a folder of its own. SAT_EFAIL when a step failed. */
SAT_CHECK sat_rc sat_admin_selftest(const sat_args *w, sat_buf *out,
    sat_err *e);

/* `bench --rows N`: the same, with a device in memory that pushes to it; how long
 * each thing takes. */
SAT_CHECK sat_rc sat_admin_bench(const sat_args *w, sat_buf *out, sat_err *e);

/* The options verbs know; global are those of the program. */
const sat_opt *sat_admin_options(void);
/* Help of all verbs, and of one (SAT_EUSAGE: there is none); satcheld.8;
 * completion for bash, zsh, fish (SAT_EUSAGE). */
void sat_admin_help(sat_buf *out, const sat_opt *global);
SAT_CHECK sat_rc sat_admin_help_of(sat_buf *out, const char *noun,
    const sat_opt *global, sat_err *e);
void sat_admin_man(sat_buf *out, const sat_opt *global);
/* "zh": help and errors in Chinese from here on (common/base/text.h). */
void sat_admin_speak(const char *lang);
/* A table of findings (`doctor`, `selftest`) in the language that was chosen: a
 * server that runs answers in English, whoever asks it. */
void sat_admin_say_table(sat_buf *table);
/* What the tables say, for xgettext: server/admin/po. */
void sat_admin_texts(sat_buf *out, const sat_opt *global);
SAT_CHECK sat_rc sat_admin_completion(sat_buf *out, const char *shell,
    const sat_opt *global, sat_err *e);

/*
 * Check a backup (or a kit), put it in a folder that is not there yet, begin a
 * new epoch signed by the root key, so that devices give back what the backup
 * lacks (docs/operations.md, P-200). The folder has its name when all of it is
 * done; until then it is DIR.restoring, which the next restore clears. Backup and
 * kit are only read: what is looked at is a copy in there, or in DIR.verifying
 * (DIR/snapshots/verify.tmp when DIR is there).
 * @return SAT_EUSAGE without a root key; SAT_ECONFLICT when the folder is
 *         there; SAT_EBUSY when another restore makes it; SAT_ELOCKED,
 *         SAT_EINTEGRITY, ... SAT_EFSYNC: it is there, whole, but its name may
 *         not outlive a power cut.
 */
typedef struct sat_restore_opts {
	bool verify_only;     /* look at a copy, leave nothing */
	bool same_epoch;      /* the old server was stopped before this backup and
	                         has answered nothing since: no new epoch */
	const char *root_key; /* file; NULL = root.key in the backup */
	uint64_t skip;        /* positions to leave out; 0 = SAT_EPOCH_SKIP */
	uint32_t seed_roles;  /* 0 = hq, manager, admin */
	int64_t window_ms;    /* how long states are taken; 0 = 30 days */
	const char *ledger;   /* a newer kit or backup, for the erasures it knows
	                         of; NULL = none */
} sat_restore_opts;
SAT_CHECK sat_rc sat_admin_restore(const char *dir, const char *backup_dir,
    const sat_restore_opts *o, sat_span passphrase, sat_err *e);
/* "hq,manager" -> bits; 0 when a word is no role. */
uint32_t sat_admin_roles(const char *list);

#endif
