/*
 * record_int.h - what the parts of the fold share. Stays in the room.
 */
#ifndef SAT_PROTOCOL_RECORD_INT_H
#define SAT_PROTOCOL_RECORD_INT_H

#include "protocol/record.h"

/* A cell's packed policy state. Every policy keeps its own below this. */
#define SAT_EXT_MAX (512 * 1024)
/* Candidates of one field together (values and stamps). */
#define SAT_CANDIDATES_BYTES_MAX (3 * SAT_VALUE_MAX)
/* Forked stages: heads, remembered steps of each, dots of each step. */
#define SAT_HEADS_MAX 32
#define SAT_STEPS_MAX 8
#define SAT_STEP_DOTS_MAX 8

/* One operation on its way into a record. */
typedef struct sat_fold {
	sat_applied *out;
	sat_record *r;
	sat_arena *a;           /* what stays */
	sat_arena *tmp;         /* what goes with the operation */
	sat_fold_room *room;    /* or NULL: tmp is a */
	const sat_field *field; /* NULL: not in this template */
	const sat_op *op;
	sat_value value;        /* the op's value, copied into `a` */
	sat_stamp at;
	uint64_t seen;
	bool blind;             /* knows nothing of what is there (P-174) */
	bool moved;             /* its author may have gone on (P-325) */
	size_t displaced_cap;
} sat_fold;

/* (hlc, dev, lsn), an own operation without LSN last (P-042). */
int sat_stamp_cmp(sat_stamp a, sat_stamp b);
/* The stamp of what only joins: below all that is there, so that the winner's
 * value stays shown until somebody decides (P-174). */
sat_stamp sat_fold_below(const sat_fold *f, sat_stamp lowest);
/* P-041: neither seen by the operation nor made by its device. */
bool sat_fold_concurrent(const sat_fold *f, uint32_t dev, uint64_t lsn);
/* The cell stays as it is; the op's value is history. */
void sat_fold_lose(sat_fold *f, const sat_cell *c, sat_outcome outcome);
/* Did the author of a moved commit write this later than it? Then his own order
 * decides: it stays. */
bool sat_fold_written_since(const sat_fold *f, sat_stamp at);
/* The cell, added empty when there is none. Invalidates other cell pointers. */
sat_cell *sat_fold_cell(sat_fold *f, bool *added);
void sat_fold_displace(sat_fold *f, sat_value v, sat_stamp at);
/* Take over a cell's state after review or stage: history, conflict flags,
 * outcome. `before` are the candidates there were, and behind them, at
 * before[nbefore], the op's own; `after` those there are. Both descending. */
void sat_fold_settle(sat_fold *f, sat_cell *c, const sat_candidate *before,
    size_t nbefore, const sat_candidate *after, size_t nafter,
    uint64_t *opened_lsn);
/* What the record's cell of this field will have as its state, or as a value
 * that was made for it; frees b. It is written over in the same turn, a state
 * not before the next but one: the cell's value may lie in the one before. */
typedef enum sat_fold_part { SAT_PART_EXT, SAT_PART_VALUE } sat_fold_part;
sat_span sat_fold_keep(sat_fold *f, uint16_t field, sat_fold_part part,
    sat_buf *b);

void sat_fold_review(sat_fold *f);
void sat_fold_set(sat_fold *f);
void sat_fold_stage(sat_fold *f);
void sat_fold_del(sat_fold *f, const sat_template *t);
void sat_fold_undel(sat_fold *f);
void sat_fold_later(sat_fold *f); /* kinds from SAT_OP_LATER on */
/* A cell of the record's own, written anew; the outcome is SAT_APPLIED. */
void sat_fold_sys_put(sat_fold *f, uint16_t field, sat_value v, sat_span ext);
void sat_fold_system(sat_fold *f); /* kinds from CLAIM on */
void sat_fold_left_pool(sat_fold *f); /* POOL := null, when it is set */

/* Both lists in descending stamp order. A twin reads like a candidate that has
 * the larger stamp. */
typedef struct sat_review {
	sat_candidate *list, *twins; /* list has room for one more */
	size_t n, ntwins;            /* n >= 1 */
	uint64_t opened_lsn;
} sat_review;

/* Candidates, heads, elements of a cell; the fallback for a state that cannot
 * be read is the bare value. */
void sat_review_read(sat_review *v, sat_arena *a, const sat_cell *c);
size_t sat_stage_read(sat_candidate **out, uint64_t *opened_lsn, sat_arena *a,
    const sat_cell *c);

/* Is any head, shown or not, one that the operation's author had not seen? */
bool sat_stage_unseen(const sat_fold *f, const sat_cell *c);

void sat_stamp_write(sat_buf *b, sat_stamp s); /* hlc be64, dev, lsn */
sat_stamp sat_stamp_read(sat_reader *r);

#endif
