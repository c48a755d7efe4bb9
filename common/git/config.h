/*
 * config.h - settings in the form git keeps them: sections, keys, one value.
 *
 *     [sync]
 *         server = tcp://crm.example.cn:7443
 *
 * One file at a time; which file wins is the caller's business. Keys are
 * "section.name" or "section.sub.name", lower case but for the sub-section.
 * Limit: 64 KiB a file. Thread: any, one file at a time.
 */
#ifndef SAT_GIT_CONFIG_H
#define SAT_GIT_CONFIG_H

#include "common/base/buf.h"

#define SAT_CONFIG_BYTES_MAX (64u * 1024)

/*
 * Every setting of a file, in its order; a file that is not there has none.
 * Key and value are borrowed for the call; a key without "=" has the value
 * "true".
 * @return SAT_EINVALID with the line when the file is malformed or too large;
 *         SAT_EIO when it cannot be read.
 */
SAT_CHECK sat_rc sat_config_each(const char *path,
    void (*each)(void *u, const char *key, const char *value), void *u,
    sat_err *e);
/*
 * Write one setting, keeping comments and order; the file is made when it is
 * not there (its folder must be). value NULL takes the setting out.
 * @return SAT_EUSAGE for a malformed key, SAT_EINVALID for a malformed file,
 *         SAT_ENOTFOUND when what is to be taken out is not set, SAT_EIO,
 *         SAT_ENOSPACE.
 */
SAT_CHECK sat_rc sat_config_put(const char *path, const char *key,
    const char *value, sat_err *e);

#endif
