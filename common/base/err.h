/*
 * err.h - what a function says when it cannot do what it was asked.
 *
 * A code for the program, a text for the log, carried by the caller (no
 * thread-local state). The number of each code *is* the exit code of both
 * programs (interfaces: exit codes are frozen); codes of 32 and above never
 * leave the process and are shown as exit code 1.
 */
#ifndef SAT_BASE_ERR_H
#define SAT_BASE_ERR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SAT_CHECK __attribute__((warn_unused_result))
#define SAT_PRINTF(f, a) __attribute__((format(printf, f, a)))

typedef enum sat_rc {
	SAT_OK = 0,
	SAT_EFAIL = 1,         /* not classified */
	SAT_EUSAGE = 2,        /* wrong usage */
	SAT_EPARTLY = 3,       /* partly done; details in the summary */
	SAT_ELOCKED = 4,       /* locked, wrong passphrase, not authenticated */
	SAT_ENOTFOUND = 5,     /* no such record, field, template, file */
	SAT_ECONFLICT = 6,     /* stale version, duplicate, claim lost */
	SAT_EINVALID = 7,      /* data breaks a rule of the template */
	SAT_EUNREACHABLE = 8,  /* server not reachable, timed out */
	SAT_EDENIED = 9,       /* not permitted for this role */
	SAT_ENOREPLICA = 10,   /* nothing initialised here */
	SAT_EBUSY = 11,        /* another process holds it */
	SAT_EINTEGRITY = 12,   /* MAC, chain or database check failed */
	SAT_EVERSION = 13,     /* schema, protocol or template too old/new */
	SAT_EREVOKED = 14,     /* this device was revoked */
	SAT_ENOSPACE = 15,     /* disk or quota full */
	SAT_EFALSE = 20,       /* a --check predicate is false */
	/* internal: shown as SAT_EFAIL */
	SAT_ENOMEM = 32,
	SAT_EIO = 33,          /* read or write failed; text says where */
	SAT_EPROTO = 34,       /* a peer or a file sent malformed bytes */
	SAT_EFSYNC = 35,       /* fsync failed: reopen before any acknowledge */
} sat_rc;

#define SAT_ERR_FIELDS_MAX 16

/* One finding of the gate: which field, which rule. */
typedef struct sat_err_field {
	char path[48]; /* field key, e.g. "phone_main" */
	char code[24]; /* "required", "pattern", "option", "type", ... */
} sat_err_field;

typedef struct sat_err {
	sat_rc rc;
	char code[40];  /* stable slug: "validation.required"; "" = by rc */
	char text[400]; /* lower case, no full stop, no customer data */
	char hint[200]; /* what to do next; may be "" */
	unsigned nfields;
	sat_err_field fields[SAT_ERR_FIELDS_MAX];
} sat_err;

/* Nothing has failed; of two kilobytes a few bytes are written. What is asked for
 * with every commit begins so, and not with zeros. */
static inline void
sat_err_clear(sat_err *e)
{
	e->rc = SAT_OK;
	e->code[0] = e->text[0] = e->hint[0] = '\0';
	e->nfields = 0;
}

/*
 * Record a failure. Allows e == NULL. Overwrites what `e` held; a caller that
 * only passes a failure on must not call it (keep the lower room's text).
 * @return rc, so that `return sat_fail(...)` reads well.
 */
sat_rc sat_fail(sat_err *e, sat_rc rc, const char *fmt, ...) SAT_PRINTF(3, 4);

/* The same with a stable slug and a hint (hint may be NULL). */
sat_rc sat_fail_code(sat_err *e, sat_rc rc, const char *code,
    const char *hint, const char *fmt, ...) SAT_PRINTF(5, 6);

/* Give a failure that has been recorded another hint, of what is known here. */
void sat_err_hint(sat_err *e, const char *fmt, ...) SAT_PRINTF(2, 3);

/* Add one field finding; beyond SAT_ERR_FIELDS_MAX they are dropped. */
void sat_err_field_add(sat_err *e, const char *path, const char *code);

/* Exit code, HTTP status and default slug of a code: one table for all doors. */
int sat_rc_exit(sat_rc rc);
int sat_rc_http(sat_rc rc);
const char *sat_rc_slug(sat_rc rc);
/* What sort of failure it is, for people: "not found", "未找到". */
const char *sat_rc_title(sat_rc rc, bool zh);

#endif
