/*
 * judge.h - whose customer is a visitor (判客)? Pure.
 *
 * The answer is a function of facts (visits, calls, follow-ups, channels'
 * reports) and of the company's periods, and of nothing else: not of the order
 * in which devices heard of them, not of the clock, not of who asks. It names
 * the rule that fired and a hash of what it was given, so that two devices that
 * disagree can see at once whether they looked at the same facts.
 *
 * The rules, in the order in which they are asked:
 *
 *   tracked   a consultant's claim lives, and an effective follow-up keeps it
 *   call_in   a consultant's claim lives since the visitor called
 *   walk_in   a consultant's claim lives since he received the visitor
 *   split     two claims began so close together that both have half
 *   manager   the last claim was followed up and is over, but not for long
 *   new       nobody's: the rotation decides
 *
 * A claim begins when a consultant receives a visitor or takes the call; it
 * lives call_in_d or walk_in_d days, longer with another visit, and with each
 * effective follow-up tracked_d days from that. What is over is not brought
 * back by a follow-up. The claim that began first is the one that counts. All
 * who are one customer's family (or one customer's telephones) are one person.
 *
 * Beside the consultant a channel may have the credit:
 *
 *   report           its report was in time, and this or an earlier arrival
 *                    showed its code
 *   report.unproven  in time, but nobody showed the code
 *   report.known     a claim lived already when it was made
 *   report.natural   the visitor had come by himself less than natural_h before
 *   report.late      made after the arrival (or less than lead_min before it),
 *                    or over by then
 */
#ifndef SAT_MODEL_JUDGE_H
#define SAT_MODEL_JUDGE_H

#include "common/model/value.h"

typedef struct sat_judge_rules {
	int call_in_d, walk_in_d;       /* days a claim lives */
	int tracked_d, tracked_max_d;   /* after an effective follow-up; until the
	                                   latter the manager decides */
	int natural_h;                  /* hours */
	int lead_min;                   /* minutes */
	int split_min;                  /* minutes; 0: only at the same instant */
	bool first_report;              /* of two channels whose reports are good,
	                                   one of them proven: the first to report;
	                                   else the first that is proven */
} sat_judge_rules;

typedef enum sat_fact_what {
	SAT_FACT_CALL_IN = 1, /* the visitor called */
	SAT_FACT_WALK_IN = 2, /* came by himself */
	SAT_FACT_BROUGHT = 3, /* came with a channel */
	SAT_FACT_FOLLOW = 4,  /* an effective follow-up; others are no facts */
	SAT_FACT_REPORT = 5,  /* a channel said he would come */
} sat_fact_what;

typedef struct sat_fact {
	sat_id id;            /* of the record it stands in */
	sat_fact_what what;
	sat_span person;      /* any of the names of one person */
	sat_span who;         /* user key of the consultant; empty: nobody yet */
	int64_t at_ms;
	int64_t until_ms;     /* REPORT: valid before it */
	bool proven;          /* REPORT: an arrival showed its code */
} sat_fact;

/* Two names of one person, or of one family. */
typedef struct sat_kin {
	sat_span a, b;
} sat_kin;

typedef struct sat_judgement {
	const char *rule;     /* "tracked" ... "new" */
	sat_span owner;       /* user key; empty with "manager" and "new" */
	sat_span with;        /* "split": the other; "manager": who had it */
	const char *credit_rule; /* "report" ..., "" = no report at all */
	sat_id credit;        /* the report; zero unless "report" */
	size_t nfacts;        /* looked at: those of the person, not later */
	uint8_t inputs[32];
} sat_judgement;

/*
 * Judge the arrival of `person` at `at_ms`, which stands in record `visit`
 * (left out of the facts). Facts may come in any order and more than once;
 * those after the arrival and those of others are passed over. Spans of *out
 * are borrowed from the facts; `a` is scratch.
 */
void sat_judge(sat_judgement *out, sat_arena *a, const sat_judge_rules *rules,
    const sat_id *visit, sat_span person, int64_t at_ms, const sat_fact *facts,
    size_t n, const sat_kin *kin, size_t nkin);

#endif
