/*
 * freeze_int.h - what the files about frozen reports share.
 *
 * members.c       which records are behind each row, and their short form
 * freeze_body.c   a report's result -> the bytes that are hashed, and back
 * freeze_delta.c  frozen numbers against present ones
 * freeze.c        the record: make, run again
 * freeze_find.c   the record of a question
 * frozen.c        the record: read, list, sign
 * drill.c         the records behind a number
 */
#ifndef SAT_CRM_FREEZE_INT_H
#define SAT_CRM_FREEZE_INT_H

#include "client/crm/report.h"
#include "client/crm/report_int.h"

/* ---- members --------------------------------------------------------------- */

/* The random half of an id names a record well enough among those of a row. */
#define CRM_TAIL_BYTES 6

typedef struct crm_member {
	sat_id id;        /* of one read back: only the tail */
	const sat_kind *kind; /* NULL: read back */
	uint32_t mask;    /* measures of the definition it adds to, by place */
} crm_member;
typedef struct crm_group {
	crm_member *m;    /* ascending by tail, each once */
	size_t n, cap;
} crm_group;
typedef struct crm_members {
	crm_group *groups;
	size_t n, cap;
	size_t *rows;     /* group of each row of the answer */
	size_t nrows, rows_cap;
} crm_members;

/* sat_crm_report, and which records are behind each row of the answer. reach:
 * as rep_run's. */
SAT_CHECK sat_rc crm_members_run(sat_json **out, crm_members *x, sat_crm *c,
    const char *key, const sat_report_opts *o, const rep_reach *reach,
    sat_err *e);
void crm_members_fini(crm_members *x);
/* NULL: a row without records. */
const crm_group *crm_members_row(const crm_members *x, size_t row);
int crm_member_cmp(const crm_member *a, const crm_member *b);
/* The same record in a group (NULL: an empty one), or NULL. */
const crm_member *crm_group_find(const crm_group *g, const crm_member *m);
/*
 * A measure is known by its key, a mask by places of one definition (`was` those
 * of `then`, `now` those of `is`). Both are left with the measures both
 * definitions have, in the places of `is`, and the records that add to any of
 * these; now NULL: it is let alone.
 * @return the bits of these measures.
 */
uint32_t crm_members_share(crm_members *was, const sat_json *then,
    crm_members *now, const sat_json *is);
/* The present definition of a report; NULL when there is none. */
const sat_json *crm_definition(const sat_template *t, const char *report);
/* As text; rows in their order. */
void crm_members_write(sat_buf *b, const crm_members *x);
/* SAT_EINTEGRITY when it is none. *x is to be fini'd in any case. */
SAT_CHECK sat_rc crm_members_read(crm_members *x, sat_span text, sat_err *e);

/* ---- a row of an answer ------------------------------------------------------ */

/* Column kinds, by "unit". */
bool crm_col_is_key(const sat_json *column);
bool crm_col_is_rank(const sat_json *column);
/* The dims' keys of a row joined by ",". */
void crm_row_key(sat_buf *b, const sat_json *columns, const sat_json *row);
/* The rows of an answer ("columns", "rows") by these keys. Borrows the answer. */
typedef struct crm_row {
	const char *key;
	const sat_json *row;
	size_t at; /* its place */
} crm_row;
typedef struct crm_rows {
	crm_row *v; /* ascending by key, then place */
	size_t n;
	sat_arena a;
} crm_rows;
void crm_rows_of(crm_rows *x, const sat_json *answer);
/* The first of them; NULL: none. */
const crm_row *crm_rows_find(const crm_rows *x, const char *key);
void crm_rows_fini(crm_rows *x);
/* Are two cells the same number? */
bool crm_cell_same(const sat_json *a, const sat_json *b);

/* ---- body ---------------------------------------------------------------------- */

/* What is stored and hashed: no labels, nothing that depends on the device. */
sat_json *crm_body_of(const sat_json *doc, const sat_json *definition,
    const sat_report_opts *o, const char *reach);
/* An answer without rows, for crm_body_dress: titles of the stored definition. */
sat_json *crm_body_bare(const sat_crm *c, const sat_json *body);
/* Frozen numbers in the dress of a present answer: titles and labels of it. */
void crm_body_dress(sat_json *doc, sat_crm *c, const sat_json *body);

/* "delta" of a frozen report: rows that are others now, and the records that
 * made them so. */
typedef struct crm_delta {
	sat_crm *c;
	const crm_actor *who;
	const sat_json *body;     /* frozen */
	const sat_json *live;     /* as it would be now */
	const crm_members *was;   /* NULL: were too many to keep */
	const crm_members *now;
	uint64_t cursor;          /* of the device that froze it */
	sat_stamp at;             /* when it did */
} crm_delta;
SAT_CHECK sat_rc crm_delta_put(sat_json *doc, const crm_delta *d, sat_err *e);

/* ---- the record --------------------------------------------------------------- */

/* Parts of body and members, a field each. */
#define CRM_BODY_PARTS 8
#define CRM_MEMBER_PARTS 6

/* The kind, and who asks. SAT_EVERSION: this template freezes nothing. */
SAT_CHECK sat_rc crm_frozen_kind(const sat_kind **k, crm_actor *who, sat_crm *c,
    sat_err *e);
const char *crm_frozen_text(sat_arena *a, const sat_view *v, const char *key);
int64_t crm_frozen_whole(const sat_view *v, const char *key);
/* stem1, stem2, ... joined. */
void crm_frozen_join(sat_buf *b, const sat_view *v, const char *stem,
    size_t parts);
void crm_hash_text(char out[SAT_HASH_BYTES * 2 + 1], sat_span bytes);
/* What a list says of one; *body receives its bytes. */
SAT_CHECK sat_rc crm_frozen_head(sat_json *o, sat_buf *body, sat_crm *c,
    const sat_template *t, const sat_view *v, sat_err *e);

/* ---- the question ---------------------------------------------------------------- */

typedef struct crm_freezing {
	sat_crm *c;
	crm_actor who;
	sat_arena a;
	const sat_kind *kind; /* frozen_report */
	const char *report;
	sat_period period;
	char reach[80];
	const char *const *list; /* filters as they are understood, ascending */
	size_t nlist;
	const char *params;   /* the same as JSON */
} crm_freezing;
/* x->kind NULL: this template freezes nothing. Without a definition the filters
 * stay as given. x->a is to be fini'd in any case. */
SAT_CHECK sat_rc crm_freezing_begin(crm_freezing *x, sat_crm *c,
    const char *report, const sat_report_opts *o, sat_err *e);
/* The record that counts: of several the earliest. SAT_ENOTFOUND. */
SAT_CHECK sat_rc crm_freezing_find(sat_id *out, crm_freezing *x, sat_err *e);
/* The filters of a record (text NULL: it has none), which `by` made; in `a`. */
SAT_CHECK sat_rc crm_stored_params(sat_report_opts *o, sat_arena *a,
    const char *text, const char *by, sat_err *e);
/* Another as-of, a comparison, other rows: another question than the frozen one. */
bool crm_other_question(const crm_freezing *x, const sat_report_opts *o);
/* What concerns the definition, not the disk. */
static inline bool
crm_of_definition(sat_rc rc)
{
	return rc == SAT_ENOTFOUND || rc == SAT_EUSAGE || rc == SAT_EDENIED;
}

#endif
