/*
 * crm_int.h - what the files of this room share.
 *
 * inputs.c    text -> changes, with every fault collected
 * write.c     changes -> one judged commit: create, edit
 * steps.c     the same: stage, assign, delete
 * dup.c       records that may be there already
 * dedupe.c    customers that may be one
 * effects.c   what follows from a change: defaults, dates of a stage, numbers
 * dates.c     when a state was reached
 * moves.c     many records to another owner: plan, then do
 * again.c     operations made before -> changes made now
 * retry.c     a refused commit -> a new one
 * undo.c      an own commit -> one that puts back what it replaced
 * undo_marks.c   what of it went back before
 * handover.c  what others suggest -> a commit that accepts or declines it
 * resolve.c   an open conflict -> one commit that settles it
 * reception.c visitors at the door; judge.c: whose they are; turns.c: whose turn
 * merge.c     two customers -> one, and apart again
 * approve.c   who has to agree before a record goes on; waiting.c: since when
 * lead.c      a lead -> customer, contact, opportunity, once
 * conform.c   which records went the way the flow asks for
 * rules.c     reminders of the template -> tasks
 * stuck.c     how long records stay in a stage
 * voided.c    rows that were taken back
 * duty.c      who has to decide a conflict, and until when
 * where.c     "stage=won and amount>=1000" -> filters
 * import*.c   rows of a sheet -> commits in groups
 * report*.c   a report definition over the rows of the device (report_int.h)
 * coverage.c  how complete a report is
 * json.c, export.c   records going out
 */
#ifndef SAT_CRM_CRM_INT_H
#define SAT_CRM_CRM_INT_H

#include "client/crm/crm.h"
#include "common/model/norm.h"
#include "common/model/report.h"

/* Who acts, under which template: looked up once per call. */
typedef struct crm_actor {
	const sat_template *t;
	const sat_registry *reg;
	const sat_user *me;
	int64_t now_ms;
} crm_actor;

/* A record of which only what one edit needs was read (sat_replica_get_part):
 * whatever else is asked of it has it read as a whole. */
typedef struct crm_part {
	sat_view *v;
	const sat_field *field;
	bool whole;
	sat_rc rc;           /* of reading the rest */
	sat_err err;
} crm_part;

/* One record on its way to being written. */
typedef struct crm_work {
	sat_crm *c;
	const crm_actor *who;
	sat_arena *a;
	const sat_kind *kind;
	const sat_view *was; /* NULL: a new record; its fields by crm_was */
	crm_part *part;      /* NULL: was is whole */
	sat_id id;
	sat_change *changes;
	size_t n, cap;
	sat_err bad;         /* findings of the texts; bad.nfields counts them */
	bool flag_missing;
	/* filled by crm_relate */
	sat_id root;         /* zero: the record stands for itself */
	sat_relation rel;
	bool incomplete;
	/* another record changed by the same commit, and so on; may be NULL */
	struct crm_work *also;
	/* an operation of another sort that goes with it; may be NULL */
	const sat_op *with;
	/* import: owners of roots already looked up; may be NULL */
	struct crm_cache *roots;
	/* import: users and references already looked up; may be NULL */
	struct crm_cache *lookups;
} crm_work;

/* write.c: everything that changes one record that is there. */
typedef struct crm_way {
	sat_rc (*fill)(crm_work *w, const void *u, sat_err *e);
	const void *u;
	const sat_write_opts *o;
	const sat_field *only; /* changes this one; NULL: not known */
} crm_way;
extern const sat_write_opts crm_plain;
SAT_CHECK sat_rc crm_alter(size_t *changed, sat_crm *c, const sat_kind *k,
    const sat_id *id, const crm_way *y, sat_err *e);

/* inputs.c */
SAT_CHECK sat_rc crm_actor_get(crm_actor *w, sat_crm *c, sat_err *e);
/* As in crm.h, by the rules of a template that need not be the one in force. */
SAT_CHECK sat_rc crm_grading_by(sat_grading **out, sat_crm *c,
    const sat_template *t, int64_t now_ms, sat_err *e);
SAT_CHECK sat_rc crm_pool_preview_by(sat_crm *c, const sat_template *t,
    int64_t as_of, sat_rc (*cb)(void *u, const sat_due_back *d, sat_err *e),
    void *u, sat_err *e);
void crm_work_begin(crm_work *w, sat_crm *c, const crm_actor *who,
    sat_arena *a, const sat_kind *k, const sat_view *was);
/* A finding of one field ("required", "option", ...). */
void crm_fault(crm_work *w, const sat_field *f, const char *code);
/* A change, unless it changes nothing; replaces an earlier one of a field
 * that holds one value. */
void crm_change(crm_work *w, sat_verb verb, const sat_field *f, sat_value v);
/* The plain value of a field by its policy's verb: SET, STAGE or ASSIGN. */
void crm_put(crm_work *w, const sat_field *f, sat_value v);
/* The same by key; a kind without such a field is left alone. */
void crm_put_key(crm_work *w, const char *key, sat_value v);
/* So is the field when there is no value. */
void crm_put_known(crm_work *w, const char *key, sat_value v);
/* Is the value this text? */
bool crm_says(sat_value v, const char *word);
/* A text as the arena's own; NULL when the value is none. */
const char *crm_keep_text(sat_arena *a, sat_value v);
/* At most so many characters of a stored text, none cut, no blank at an end. */
const char *crm_first(sat_arena *a, const char *text, size_t letters);
/* As many as the field takes. */
const char *crm_fit(sat_arena *a, const sat_field *f, const char *text);
/* Of a time; 0: there is none. */
static inline int64_t
crm_time(sat_value v)
{
	return v.type == SAT_V_INT ? v.i : 0;
}
/* One input; faults are collected, other failures returned. */
SAT_CHECK sat_rc crm_input(crm_work *w, const sat_input *in, sat_err *e);
/* Text -> value of a field that holds one value, with users by name and
 * references by number, name or id. *code: the fault, NULL when fine. */
SAT_CHECK sat_rc crm_read(sat_value *out, const char **code, crm_work *w,
    const sat_field *f, sat_span text, sat_err *e);
/* Value before, and after the changes (single-valued fields). */
sat_value crm_was(const crm_work *w, const sat_field *f);
sat_value crm_after(const crm_work *w, const sat_field *f);
bool crm_changes_field(const crm_work *w, const sat_field *f);
/* Next element of a list typed into one text; false at the end. */
bool crm_next_element(sat_span *element, sat_span *rest);

/* stuck.c: the way of a record through its stages, in the order of time. */
#define CRM_PASSES_MAX 64
typedef struct crm_pass {
	const sat_option *stage;
	int64_t at_ms;
	bool flagged; /* something was missing when it got there */
} crm_pass;
size_t crm_passes(crm_pass out[CRM_PASSES_MAX], const sat_dict *d,
    sat_value path);

/* effects.c */
SAT_CHECK sat_rc crm_defaults(crm_work *w, sat_err *e);
/* A field of the customer of a crm_work, by key: for the gate. */
sat_value crm_customer(void *u, const char *key);
/* What entering its new stage lacks by the flow ("entry.follow"); NULL: nothing. */
const char *crm_entry_lacks(crm_work *w);
/* path, won_at, lost_at, lost_reason, credit_owner as the stage changes. */
void crm_stage_effects(crm_work *w);
/* Does `f` say when, why, by whom or until when the stage, status or grade in
 * `lead` came about? It means nothing without what it was written with, nor is
 * that complete without it. */
bool crm_comes_with(const sat_field *f, const sat_field *lead);
/* The moment into a time field, unless somebody gave one or a `once` field has
 * its value; and taken away again. Kinds without the field are left alone. */
void crm_stamp(crm_work *w, const char *key);
void crm_clear(crm_work *w, const char *key);
/* dates.c: churned_at, lost_stage, converted_at, answered_at, resolved_at as
 * states change, so that reports need not guess. Called by crm_stage_effects. */
void crm_state_dates(crm_work *w);
/* A follow-up moves its customer's last and next dates, in the same commit,
 * when its author may change the customer. After crm_relate of w; `also` is
 * filled when there is something to write. Inputs named after the customer's
 * kind ("account.status") change him in that commit too; when he may not be
 * changed so, nothing is written. */
SAT_CHECK sat_rc crm_follow(crm_work *w, crm_work *also, sat_view *customer,
    const sat_input *in, size_t n, sat_err *e);
bool crm_is_about(const crm_work *w, const char *key);
sat_value crm_now(const crm_work *w, const sat_field *f);
/*
 * Customer numbers given here: C202405001 from what the server leased this
 * device, final at once; without one C202405-P7-0003 (month, device, counter),
 * which the server replaces (P-142). What was given is kept here until
 * crm_numbers_save writes it in the caller's group.
 */
typedef struct crm_numbers {
	bool loaded, dirty;
	char series[SAT_SERIES_TEXT];
	uint64_t used; /* of the series, highest leased one given here; 0 none */
	char counted[SAT_SERIES_TEXT]; /* what `last` counts in */
	int64_t last;  /* provisional ones */
} crm_numbers;
/* Gives the record a number when its kind has them and none was typed. */
SAT_CHECK sat_rc crm_number(crm_work *w, crm_numbers *n, sat_err *e);
SAT_CHECK sat_rc crm_numbers_save(crm_numbers *n, sat_crm *c, sat_err *e);

/* reception.c: a channel's report is good for as long as the template says. */
void crm_report_defaults(crm_work *w);
/* Visitors are given to salespeople and managers. */
bool crm_receives(const sat_user *u);

/* write.c */
/* Root, and the author's relation to the record. */
SAT_CHECK sat_rc crm_relate(crm_work *w, sat_err *e);
/* The gate, its findings joined with those of the texts. */
SAT_CHECK sat_rc crm_judge(crm_work *w, sat_err *e);
/* What one verb writes is there as a whole, or not at all: in a group of its
 * own, unless it is part of another. What came of it is given to the end, which
 * returns it. */
SAT_CHECK sat_rc crm_all_begin(bool *own, sat_crm *c, sat_err *e);
SAT_CHECK sat_rc crm_all_end(bool own, sat_crm *c, sat_rc rc, sat_err *e);
/* Write the judged changes as one commit. */
SAT_CHECK sat_rc crm_write(crm_work *w, uint8_t flags, uint64_t *cseq, sat_err *e);

/*
 * undo.c: which records of a kind keep what they refer to from being taken back:
 * those that pass the *n filters, none or one. false: none of them. What is noted
 * about an import does not, nor a task that a rule made: it is cancelled when its
 * customer is gone.
 */
bool crm_holds(sat_filter *which, size_t *n, const sat_kind *k);

/* undo_marks.c: which operations of a commit went back before. Where the record
 * itself shows that they need no mark. */
/* gone[0 .. of->nops): set where one did, else left as it is. */
SAT_CHECK sat_rc crm_undone_get(bool *gone, sat_crm *c, const sat_commit *of,
    sat_err *e);
/* So do these now, beside those that are gone, by the commit that was written
 * last. In its group. */
SAT_CHECK sat_rc crm_undone_put(sat_crm *c, const sat_commit *of,
    const bool *gone, const bool *now, sat_err *e);
/* The commit that was written last takes the place of a refused one, which may
 * have been an undo. In its group. */
SAT_CHECK sat_rc crm_undone_inherit(sat_crm *c, const sat_commit *refused,
    sat_err *e);

/* again.c: works of all records the operations name, in a chain. */
typedef struct crm_again {
	sat_crm *c;
	const crm_actor *who;
	sat_arena *a;
	crm_work *first, *last;
	struct crm_cache *roots;
	sat_id missing;     /* the record of a SAT_ENOTFOUND */
} crm_again;
void crm_again_begin(crm_again *x, sat_crm *c, const crm_actor *who, sat_arena *a);
void crm_again_end(crm_again *x);
SAT_CHECK sat_rc crm_again_op(crm_again *x, const sat_op *op, sat_err *e);
SAT_CHECK sat_rc crm_again_judge(crm_again *x, sat_err *e);
bool crm_again_changes(const crm_again *x);

/* dup.c */
SAT_CHECK sat_rc crm_duplicates(sat_duplicate dup[SAT_DUPLICATES_MAX],
    size_t *n, crm_work *w, sat_err *e);
/* Live records whose match key of the field is v's; at most max. */
SAT_CHECK sat_rc crm_find(sat_id *ids, size_t max, size_t *n, crm_work *w,
    const sat_kind *k, const sat_field *f, sat_value v, sat_err *e);

/* voided.c: rows of a kind that were taken back, and those that took back. */
typedef struct crm_voided {
	sat_id *ids; /* ascending */
	size_t n, cap;
} crm_voided;
/* Known by `time` (NULL: always) before until_ms. *x is to be freed in any case. */
SAT_CHECK sat_rc crm_voided_load(crm_voided *x, sat_crm *c, const sat_kind *k,
    const sat_field *time, int64_t until_ms, sat_err *e);
bool crm_voided_has(const crm_voided *x, const sat_id *id);
void crm_voided_free(crm_voided *x);

/* coverage.c: "coverage", "watermarks", "provisional", "data" of a report that
 * reaches as far as `grant`. */
SAT_CHECK sat_rc crm_coverage_put(sat_json *doc, sat_crm *c,
    const crm_actor *who, sat_grant grant, const sat_period *p,
    int64_t as_of_ms, sat_err *e);

/* cache.c: text -> bytes, bounded; forgets everything when it is full. */
typedef struct crm_cache crm_cache;
crm_cache *crm_cache_new(size_t max);
void crm_cache_free(crm_cache *c);
void crm_cache_put(crm_cache *c, uint32_t space, sat_span key, sat_value v);
bool crm_cache_get(sat_value *v, const crm_cache *c, uint32_t space, sat_span key);

/* json.c */
/* Value under `key` in an object, or appended when obj is an array. */
void crm_json_put(sat_json *obj, const char *key, sat_crm *c,
    const sat_template *t, const sat_field *f, sat_value v);

/* export_card.c: one record as vCard or calendar entry, CRLF lines. `columns`
 * and `values` are the fields the reader may see; others are not there. */
typedef struct crm_card {
	sat_crm *c;
	const sat_template *t;
	const sat_kind *kind;
	const char *id;
	int64_t created_ms;
	const uint16_t *columns;
	const sat_value *values;
	size_t n;
} crm_card;
void crm_vcard(sat_buf *out, const crm_card *c);
void crm_calendar(sat_buf *out, bool begin); /* what stands around entries */
bool crm_event(sat_buf *out, const crm_card *c); /* false: has no due time */

/* What a person reads: option label, user name; falls back to the text. */
void crm_label(sat_buf *out, sat_crm *c, const sat_template *t,
    const sat_field *f, sat_value v);
/* "***5678" for a masked field. */
sat_value crm_mask(sat_buf *b, sat_value v);
/* Is this field hidden from someone who stands so to the record? */
bool crm_masked(sat_crm *c, const sat_template *t, const sat_field *f,
    sat_relation rel);
static inline const char *
crm_word(const sat_crm *c, const char *zh, const char *en)
{
	return c->lang != NULL && c->lang[0] == 'e' ? en : zh;
}

#endif
