/*
 * import.h - rows of a sheet become records: with duplicates found, in batches
 * that can be undone and whose samples are looked at, until the door is closed.
 */
#ifndef SAT_CRM_IMPORT_H
#define SAT_CRM_IMPORT_H

#include "client/crm/crm.h"

typedef enum { SAT_DUP_SKIP, SAT_DUP_UPDATE, SAT_DUP_NEW, SAT_DUP_ASK } sat_on_duplicate;
typedef struct sat_import_opts {
	const char *kind;        /* "account" */
	/* for the record of the batch: name and hash of the file, what it is,
	 * by which door it came, a name under which its mapping is kept */
	const char *file, *hash, *source, *door, *map_name;
	const sat_json *map;     /* mapping document (docs/import.md); NULL = columns by key/label */
	sat_on_duplicate on_duplicate;
	bool dry_run, flag_incomplete;
	int64_t max_errors;      /* 0 = no limit */
	/* next row; *n = 0 at the end. columns[] name the fields. */
	struct sat_sheet *sheet;
	/* a bad row with its reason: the door writes the errors file */
	void (*on_error)(void *u, const void *row, const char *reason);
	/* dry run: one cleaned value, before -> after */
	void (*on_clean)(void *u, int64_t row, const char *field, sat_span before, sat_span after);
	void (*progress)(void *u, int64_t rows, uint64_t bytes_done, uint64_t bytes_total);
	/* the batch is durable in a moment: its record, and the first rows. A failure
	 * ends the import before that; NULL */
	sat_rc (*began)(void *u, const char *batch, sat_err *e);
	/* polled per row; true: stop once the group is committed */
	bool (*interrupted)(void *u);
	/* a sheet of `derive`, named as in the mapping document (relative to it);
	 * the import closes it */
	sat_rc (*open_sheet)(void *u, const char *file, struct sat_sheet **out, sat_err *e);
	/* what `derive` chose for a row; value NULL: nothing matched */
	void (*on_derived)(void *u, const char *row_title, const char *field, const char *value);
	void *u;
} sat_import_opts;
typedef struct sat_import_summary {
	char batch[SAT_ID_TEXT];
	const sat_kind *kind;    /* of the template, what the rows became */
	int64_t rows, created, updated, unchanged, skipped, errors, incomplete;
	int64_t blind;           /* created, of which a repeat would not know that
	                          * they are there */
	bool interrupted;
	bool recorded;           /* it wrote something, so its batch is a record */
} sat_import_summary;
/*
 * Rows become one commit per customer aggregate, written in groups of 1,000,
 * each durable before the next. Repeating an import changes nothing, and leaves
 * no batch, where the rows have a key: a field they are found by, the id, the
 * number, external_id or a duplicate key of the kind. Before and after everything
 * else the batch itself is written, a record of kind import_batch.
 * @return SAT_EPARTLY with error rows; SAT_EINVALID for the mapping or a
 *         header the mapping does not know (names the column); SAT_EDENIED
 *         (role; "import.closed"); SAT_ECONFLICT "import.again": rows without a
 *         key, of a file that is in already. Whatever ends it, the hint says what
 *         is in, and how to go on.
 */
SAT_CHECK sat_rc sat_crm_import(sat_import_summary *s, sat_crm *c, const sat_import_opts *o, sat_err *e);
/* Which field each column of o->sheet would become; NULL: none, it is left out
 * or used by others. SAT_EINVALID as sat_crm_import. */
SAT_CHECK sat_rc sat_crm_import_columns(sat_crm *c, const sat_import_opts *o,
    void (*cb)(void *u, const char *column, const char *field), void *u, sat_err *e);

/* How a file of refused rows looks: the first `columns` of o->sheet, without the
 * marks it has of an earlier such file, then these two. Cannot fail: where the
 * mapping is wrong, which sat_crm_import says, it is all columns. */
typedef struct sat_import_marks {
	size_t columns;
	const char *line, *reason; /* static */
} sat_import_marks;
sat_import_marks sat_crm_import_marks(sat_crm *c, const sat_import_opts *o);

/* Whether data may be imported: the last word in the server's order.
 * SAT_EDENIED "import.closed". */
SAT_CHECK sat_rc sat_crm_import_open(sat_crm *c, sat_err *e);
/* Since when the entry is open, as far as this device knows: since somebody opened
 * it, else since the first import that is here; 0: it is closed, or nothing was
 * imported yet. */
SAT_CHECK sat_rc sat_crm_import_open_since(int64_t *ms, sat_crm *c, sat_err *e);
/* Close or open it for everybody; the reason is kept. SAT_EDENIED. */
SAT_CHECK sat_rc sat_crm_import_gate(sat_crm *c, bool closed,
    const char *reason, sat_err *e);
/* A mapping that a batch kept under this name, the newest one; the caller's.
 * SAT_ENOTFOUND. */
SAT_CHECK sat_rc sat_crm_import_map(sat_json **map, sat_crm *c,
    const char *name, sat_err *e);

typedef struct sat_import_left {
	sat_id id;
	const sat_kind *kind;
	char title[80];
	char why[120];
} sat_import_left;
typedef struct sat_import_undone {
	char batch[SAT_ID_TEXT];
	int64_t deleted, restored, nleft;
	sat_import_left *left; /* the first SAT_IMPORT_LEFT_MAX */
} sat_import_undone;
#define SAT_IMPORT_LEFT_MAX 200
/*
 * Take back what batches did, on any device that holds their records: what they
 * made is deleted (restorable), a field they changed gets the value it had before
 * all of them, each only where nobody else wrote since. What stays is listed with
 * the reason. Repeatable; but while one of several was not taken back, those that
 * were are passed over, and so is one that is not there.
 * out->batch: the first of those that were taken back.
 * @param n  1 to SAT_IMPORT_UNDO_MAX
 * @return SAT_EPARTLY: something was left; SAT_ENOTFOUND: none of them is there;
 *         SAT_EDENIED "import.undo": the role may not delete such records, nothing
 *         was done; SAT_EUSAGE: too many.
 */
#define SAT_IMPORT_UNDO_MAX 1000 /* batches */
SAT_CHECK sat_rc sat_crm_import_undo(sat_import_undone *out, sat_arena *a,
    sat_crm *c, const char *const *batches, size_t n, sat_err *e);

/* One record of a batch that was drawn to be looked at. */
typedef struct sat_import_drawn {
	int64_t row;           /* 1-based, in the sample */
	sat_id id;
	const char *number, *name, *contact, *phone; /* phone: by role */
	enum { SAT_DRAWN_OPEN, SAT_DRAWN_PASS, SAT_DRAWN_FAIL } verdict;
} sat_import_drawn;
typedef struct sat_import_sample {
	char batch[SAT_ID_TEXT];
	const sat_kind *kind;
	int64_t population;    /* records of the batch that are still there */
	sat_import_drawn *rows;
	size_t n;
} sat_import_sample;
#define SAT_IMPORT_SAMPLE_MAX 1000
/* Draw `n` of them: the same ones for the same seed, wherever it is asked and
 * in whatever order the records lie. Kinds: customers and what is under them. */
SAT_CHECK sat_rc sat_crm_import_sample(sat_import_sample *out, sat_arena *a,
    sat_crm *c, const char *batch, int64_t n, int64_t seed, sat_err *e);
/* What somebody found, as a record of kind sample, which the accuracy counts.
 * Once per record and batch: SAT_ECONFLICT "import.audited". `fields`: keys of
 * what is wrong, or NULL. */
SAT_CHECK sat_rc sat_crm_import_verdict(sat_crm *c, const sat_import_sample *s,
    size_t row, bool correct, const char *fields, sat_err *e);

#endif
