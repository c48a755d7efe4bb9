/*
 * config.h - settings that stand in files instead of being typed each time.
 *
 * Precedence: option, environment, then the file of the replica's folder
 * (`config` beside replica.db), of the user ($XDG_CONFIG_HOME/satchel/config),
 * of the machine (/etc/satchel/config, or SATCHEL_CONFIG_SYSTEM).
 * The keys that mean something are one table; others are kept and listed, and
 * nothing asks for them.
 */
#ifndef SAT_CLI_CONFIG_H
#define SAT_CLI_CONFIG_H

#include "client/cli/cli_int.h"

typedef enum cli_level { LEVEL_SYSTEM, LEVEL_USER, LEVEL_PROFILE } cli_level;

typedef struct cli_key {
	const char *key;
	const char *flag, *env; /* what wins over it; NULL = nothing does */
	const char *help;
	bool (*fits)(const char *value);
	const char *hint;       /* what fits */
} cli_key;
extern const cli_key cli_keys[];
extern const size_t cli_nkeys;

/* Its file; the caller frees. NULL: this level has none. */
char *cli_config_path(const cli *c, cli_level level);
const char *cli_level_word(cli_level level); /* "system", "user", "profile" */
/* Read the files of levels `from`..`to`; what was read is c's until
 * cli_config_free. SAT_EINVALID names the file. */
SAT_CHECK sat_rc cli_config_load(cli *c, cli_level from, cli_level to, sat_err *e);
void cli_config_free(cli *c);
/* Setting i in the order of precedence, the last one wins; borrowed from c. false
 * at the end. */
bool cli_config_at(const cli *c, size_t i, const char **key, const char **value,
    const char **level);
/* SAT_EUSAGE when a key of the table has a value that does not fit. */
SAT_CHECK sat_rc cli_config_fits(const char *key, const char *value, sat_err *e);
/* The nearest known key when this one is none (static); NULL when it is one, or
 * nothing is near. */
const char *cli_config_near(const char *key);

#endif
