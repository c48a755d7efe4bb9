/*
 * standard.h - how a company treats its customers: grades from what they buy,
 * and how often somebody has to be in touch (requirements §4.5). Pure.
 */
#ifndef SAT_MODEL_STANDARD_H
#define SAT_MODEL_STANDARD_H

#include "common/base/err.h"

/* A grade by amount: the first step whose `min` (fen) is reached. */
typedef struct sat_grade_step {
	const char *grade;
	int64_t min;
} sat_grade_step;
/* steps descend by min; NULL when none is reached. */
const char *sat_grade_of(int64_t amount, const sat_grade_step *steps, size_t n);

/*
 * ABC: amounts in descending order; A until the running share first reaches
 * a_pct (the customer who crosses it included), B until b_pct, C the rest. A
 * total of 0 or less is all C. out[i] is 'A', 'B' or 'C'.
 */
void sat_grade_abc(char *out, const int64_t *amounts, size_t n, int a_pct,
    int b_pct);

/*
 * Where a customer stands by what he bought: potential before the first order,
 * new for new_d days after it, lost when the last one is more than window_d
 * days ago, existing else. first_ms 0 = never ordered.
 */
typedef enum sat_lifecycle { SAT_LIFE_POTENTIAL, SAT_LIFE_NEW,
	SAT_LIFE_EXISTING, SAT_LIFE_LOST } sat_lifecycle;
sat_lifecycle sat_lifecycle_of(int64_t first_ms, int64_t last_ms,
    int64_t now_ms, int new_d, int window_d);

/* How often to follow up customers of a grade. */
typedef struct sat_sla {
	const char *grade;       /* NULL: customers without a grade */
	int first_response_h;    /* 0 = none */
	int follow_d;            /* 0 = none */
	int later_follow_d, later_after_d; /* later than so many days after it was
	                            created, this rhythm; 0 = the same for ever */
	int escalate_d;          /* so many days late the manager is told */
} sat_sla;

typedef enum sat_sla_state { SAT_SLA_NONE, SAT_SLA_LATER, SAT_SLA_TODAY,
	SAT_SLA_OVERDUE, SAT_SLA_ESCALATED } sat_sla_state;

/*
 * When somebody has to be in touch again: first_response_h after it was created
 * while there was no follow-up, follow_d after the last one else; a date agreed
 * with the customer (next_ms, 0 = none) that is earlier wins, one that is later
 * does not. day_end: the end of today in the organisation's time zone.
 * *due_ms 0 when the grade asks for nothing and nothing was agreed.
 */
sat_sla_state sat_sla_judge(int64_t *due_ms, const sat_sla *s,
    int64_t created_ms, int64_t last_ms, int64_t next_ms, int64_t now_ms,
    int64_t day_end_ms);

#endif
