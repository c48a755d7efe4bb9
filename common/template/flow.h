/*
 * flow.h - flows/<key>.json: how the company works, step by step, in a form that
 * the gate can hold people to and a person can read (`satchel sop export`).
 *
 * A step belongs to a stage of the flow's kind. What must be so before a record
 * enters the stage is its entry condition; the gate asks for it at every door.
 * Pure.
 */
#ifndef SAT_TEMPLATE_FLOW_H
#define SAT_TEMPLATE_FLOW_H

#include "common/template/cond.h"

#define SAT_FLOWS_MAX 16
#define SAT_FLOW_STEPS_MAX 24
#define SAT_FLOW_ITEMS_MAX 16

typedef struct sat_flow_item { /* of a checklist: "STEP.KEY" in `checklist` */
	const char *key, *zh, *en;
	bool required;
} sat_flow_item;

typedef struct sat_flow_step {
	const char *key, *zh, *en;
	const char *text_zh, *text_en; /* what is done; may be NULL */
	const char *role;              /* who does it; may be NULL */
	const char *stage;             /* option of the kind's stage; NULL: none */
	bool required;                 /* conformance asks for it */
	/* before a record enters the stage */
	const sat_field **needs;       /* have a value */
	size_t nneeds;
	int follow_within_d;           /* somebody was in touch; 0 = not asked */
	bool checklist_before;         /* the required items of the step before */
	bool refuse;                   /* not met: refused; else only flagged */
	const sat_flow_item *items;
	size_t nitems;
	const char *approval;          /* kind whose approval route applies */
	const char *kpi_zh, *kpi_en;
	int limit_d;                   /* longest it should take; 0 = none */
} sat_flow_step;

typedef struct sat_flow {
	const char *key, *version, *zh, *en, *purpose_zh, *purpose_en;
	const sat_kind *kind;
	const sat_flow_step *steps;
	size_t nsteps;
} sat_flow;

size_t sat_flows(const sat_template *t);
const sat_flow *sat_flow_at(const sat_template *t, size_t i);
/* The flow of a kind: the first one by key, NULL when there is none. */
const sat_flow *sat_flow_of(const sat_template *t, const sat_kind *k);
/* Its step of a stage; NULL. */
const sat_flow_step *sat_flow_step_of(const sat_template *t, const sat_kind *k,
    const char *stage);

/*
 * What entering the step lacks: NULL, or "entry.fields", "entry.follow",
 * "entry.checklist". `get` gives the record as it will be; last_follow_ms is the
 * customer's (0 = never), now_ms the instant of the change (0: the time is not
 * asked for). *field: the one that is missing, for "entry.fields".
 */
const char *sat_flow_entry_lacks(const sat_field **field, const sat_flow *f,
    const sat_flow_step *step, sat_getter get, void *u, int64_t last_follow_ms,
    int64_t now_ms);
/* Is "STEP.ITEM" an element of the joined set? */
bool sat_set_text_has(sat_value set, const char *step, const char *item);

#endif
