/*
 * import_int.h - what the parts of the import share.
 *
 * import_map.c     the mapping document (docs/import.md), or the header alone
 * import_marks.c   the two columns behind a file of refused rows
 * import_derive.c  values picked from another sheet
 * import_calls.c   the mapping of a phone's call log
 * import_find.c    the record of a row that is there already
 * import_row.c     one row -> a judged record, and what happened to it
 * import_batch.c   the record that says what was imported; whether one may
 * import_undo.c    what a batch did, taken back
 * import_audit.c   a sample of a batch, looked at by people
 * import.c         groups, counting, the audit chain
 */
#ifndef SAT_CRM_IMPORT_INT_H
#define SAT_CRM_IMPORT_INT_H

#include "client/crm/crm_int.h"
#include "client/crm/import.h"
#include "common/sheet/sheet.h"

#define IMP_NONE SIZE_MAX
#define IMP_LIST_MAX 256 /* set, derive, conditions, pieces of one document */

typedef struct imp_value { /* exact text -> text */
	sat_span from, to;
} imp_value;

typedef enum imp_use {
	IMP_IGNORED, /* null, or ours: created, line, reason, import_line,
	                import_reason */
	IMP_PLAIN,   /* usable in set, match and when */
	IMP_FIELD,
	IMP_ID,      /* the record's id, from an export */
} imp_use;

typedef struct imp_column {
	const char *name;
	imp_use use;
	const sat_field *field;
	const sat_field *lookup;     /* of the kind the field refers to */
	bool missing_empty, fen;
	imp_value *values;
	size_t nvalues;
	const imp_value *any, *empty; /* "*" and "" */
} imp_column;

typedef struct imp_cond { /* the column's text is one of these */
	size_t column;
	const char *name;        /* of another sheet, resolved when it opens */
	const char **texts;
	size_t n;
} imp_cond;

typedef struct imp_piece {
	size_t column;           /* IMP_NONE: the text */
	sat_span text;
} imp_piece;

typedef struct imp_set {
	const sat_field *field;
	imp_piece *pieces;
	size_t npieces;
	imp_cond *when;
	size_t nwhen;
} imp_set;

#define IMP_MATCH_MAX 4
typedef struct imp_derive {
	const sat_field *field;
	const char *file, *pick, *sum;
	size_t match[IMP_MATCH_MAX];       /* columns here */
	const char *theirs[IMP_MATCH_MAX]; /* columns there */
	size_t nmatch;
	imp_cond *where;
	size_t nwhere;
	struct imp_picks *picks;
} imp_derive;

typedef struct imp_map {
	const sat_kind *kind;
	const sat_field *key; /* NULL: the template's duplicate keys */
	imp_column *columns;  /* as in the sheet */
	size_t ncolumns;
	imp_set *sets;
	size_t nsets;
	imp_derive *derives;
	size_t nderives;
	bool calls;           /* a call log; these are its columns */
	size_t call_phone, call_time;
	sat_arena a;
} imp_map;

typedef struct imp_job {
	sat_crm *c;
	const sat_import_opts *o;
	crm_actor who;
	imp_map map;
	crm_cache *lookups, *roots;
	crm_numbers numbers;
	/* the row at hand */
	sat_arena a;
	const sat_sheet_row *row;
	sat_span *raw, *text; /* per column: trimmed, and mapped */
	sat_buf b, b2, reason;
	const char **origin;  /* per field of the kind: the column it came from */
	bool derived_told;
	const sat_field *found_by; /* NULL: by its id, or by the mapping's key */
	bool blind;           /* what it makes, a repeat would make again */
	/* counted when their group is durable */
	sat_import_summary group;
	uint64_t first, last; /* cseqs written */
	sat_id batch;
	bool has_batch;       /* its record is there */
	char before[SAT_ID_TEXT]; /* the batch that has this file already, or "" */
} imp_job;

typedef enum imp_result {
	IMP_CREATED, IMP_UPDATED, IMP_UNCHANGED, IMP_SKIPPED, IMP_ERROR,
} imp_result;

/* import_map.c */
SAT_CHECK sat_rc imp_map_read(imp_map *m, const sat_template *t,
    const sat_import_opts *o, sat_err *e);
void imp_map_fini(imp_map *m);
sat_span imp_trim(sat_span s);
bool imp_cond_holds(const imp_cond *c, sat_span text);
const imp_value *imp_value_of(const imp_column *c, sat_span text);

/* import_marks.c: whether the column is a mark of a file of refused rows. */
bool imp_is_mark(const imp_map *m, size_t column);

/* import_derive.c */
SAT_CHECK sat_rc imp_derive_load(imp_derive *d, const sat_import_opts *o,
    sat_err *e);
void imp_derive_fini(imp_derive *d);
/* The pick for this sheet's texts; false when nothing matched. */
bool imp_derive_get(sat_span *pick, const imp_derive *d, const sat_span *text);

/* import.c: "skip", "update", ... */
const char *imp_way(sat_on_duplicate d);
/* import_batch.c */
/* The record of this batch, before the first thing it writes: whatever else it
 * writes lies between that commit and the last one that counted. */
SAT_CHECK sat_rc imp_batch_begin(imp_job *j, sat_err *e);
/* What was counted so far, in the group's transaction. */
SAT_CHECK sat_rc imp_batch_count(imp_job *j, const sat_import_summary *done,
    sat_err *e);
/* j->before: a batch of the same file and kind that nobody took back, when rows of
 * it may be made twice. SAT_ECONFLICT "import.again" when all of them would be. */
SAT_CHECK sat_rc imp_batch_before(imp_job *j, sat_err *e);
/* Everything one import wrote, as stamps: of this device, from its record's
 * birth to the commit that counted last. */
typedef struct imp_range {
	uint32_t dev;
	sat_hlc from, to;
} imp_range;
static inline bool
imp_in_range(const imp_range *r, const sat_stamp *at)
{
	return at->dev == r->dev && at->hlc >= r->from && at->hlc <= r->to;
}
/* The batch by id or prefix, and its range. SAT_ENOTFOUND. */
SAT_CHECK sat_rc imp_batch_find(sat_view *v, imp_range *range, sat_arena *a,
    crm_actor *who, sat_crm *c, const char *id, sat_err *e);

/* import_calls.c */
/* The mapping of a call log, when this sheet is one; else NULL. The caller's. */
sat_json *imp_calls_map(const struct sat_sheet *s, const sat_kind *k);
/* The external_id of the row's call, when the map is of a call log: from the
 * customer and the time, so that it is the same in any notation and holds no
 * phone number, which it would show to roles that see none. */
SAT_CHECK sat_rc imp_calls_name(crm_work *w, imp_job *j, sat_err *e);
SAT_CHECK sat_rc imp_account_of_contact(sat_id id[2], size_t *n, crm_work *w,
    const sat_kind *k, sat_value phone, sat_err *e);

/* import_find.c */
/* *n records that this row may be, by the heaviest key that finds one; *v is the
 * first. */
SAT_CHECK sat_rc imp_find(sat_view *v, size_t *n, crm_work *w, imp_job *j,
    sat_err *e);
/* SAT_ECONFLICT "duplicate": what was found is another record. */
SAT_CHECK sat_rc imp_is_it(const crm_work *w, const sat_view *v, imp_job *j,
    sat_err *e);
/* Can a record be looked for by this field: a duplicate key, number, external_id? */
bool imp_may_be_key(const sat_field *f);
/* Does a value of this field say which record is meant, unasked? */
bool imp_is_key(const sat_kind *k, const sat_field *f);
/* Does a row of this sheet have such a value, or may it? */
bool imp_map_finds(const imp_map *m);
/* Would a repeat make this row's record a second time? */
bool imp_is_blind(const crm_work *w, const imp_job *j);

/* import_row.c: *result IMP_ERROR with job->reason, or a failure that ends
 * the import. *incomplete: a created record lacks a required field. */
SAT_CHECK sat_rc imp_row(imp_result *result, bool *incomplete, imp_job *j,
    sat_err *e);

#endif
