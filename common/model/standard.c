#include "common/model/standard.h"

#define HOUR_MS ((int64_t)3600 * 1000)
#define DAY_MS (24 * HOUR_MS)

const char *
sat_grade_of(int64_t amount, const sat_grade_step *steps, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (amount >= steps[i].min)
			return steps[i].grade;
	return NULL;
}

void
sat_grade_abc(char *out, const int64_t *amounts, size_t n, int a_pct, int b_pct)
{
	int64_t total = 0, run = 0;

	for (size_t i = 0; i < n; i++)
		total += amounts[i];
	for (size_t i = 0; i < n; i++) {
		/* the share before this customer decides: who crosses it is in */
		out[i] = total <= 0 ? 'C'
		    : run < total / 100 * a_pct + total % 100 * a_pct / 100 ? 'A'
		    : run < total / 100 * b_pct + total % 100 * b_pct / 100 ? 'B'
		    : 'C';
		run += amounts[i];
	}
}

static int64_t
rhythm_due(const sat_sla *s, int64_t created_ms, int64_t last_ms, int64_t now_ms)
{
	int days = s->follow_d;

	if (last_ms == 0 && s->first_response_h > 0)
		return created_ms + s->first_response_h * HOUR_MS;
	if (s->later_after_d > 0 && s->later_follow_d > 0 &&
	    now_ms >= created_ms + s->later_after_d * DAY_MS)
		days = s->later_follow_d;
	if (days == 0)
		return 0;
	return (last_ms != 0 ? last_ms : created_ms) + days * DAY_MS;
}

sat_lifecycle
sat_lifecycle_of(int64_t first_ms, int64_t last_ms, int64_t now_ms, int new_d,
    int window_d)
{
	const int64_t day = (int64_t)24 * 3600 * 1000;

	if (first_ms == 0)
		return SAT_LIFE_POTENTIAL;
	if (now_ms - last_ms > window_d * day)
		return SAT_LIFE_LOST;
	return now_ms - first_ms <= new_d * day ? SAT_LIFE_NEW
	                                        : SAT_LIFE_EXISTING;
}

sat_sla_state
sat_sla_judge(int64_t *due_ms, const sat_sla *s, int64_t created_ms,
    int64_t last_ms, int64_t next_ms, int64_t now_ms, int64_t day_end_ms)
{
	int64_t due = s != NULL ? rhythm_due(s, created_ms, last_ms, now_ms) : 0;

	/* A date that lies before the last follow-up was kept already. */
	if (next_ms > last_ms && (due == 0 || next_ms < due))
		due = next_ms;
	*due_ms = due;
	if (due == 0)
		return SAT_SLA_NONE;
	if (due >= day_end_ms)
		return SAT_SLA_LATER;
	if (due >= now_ms)
		return SAT_SLA_TODAY;
	return s != NULL && now_ms >= due + s->escalate_d * DAY_MS
	    ? SAT_SLA_ESCALATED : SAT_SLA_OVERDUE;
}
