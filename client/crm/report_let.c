/*
 * Values computed for each record ("let"): first of its follow-ups, hours until
 * then, weights of what was filled in. What lies in other kinds is read once
 * and sorted by the record it belongs to.
 */
#include "client/crm/report_int.h"

#include <string.h>

#include "protocol/derived.h"

/* ---- what is needed ----------------------------------------------------------- */

/* Rows that name a person belong to the row of that person. */
static bool
of_user(const sat_report_let *l)
{
	return l->child != NULL && l->by != NULL && l->by->type == SAT_F_USER;
}

static bool
key_of(sat_id *id, sat_value v)
{
	static const sat_id zero;
	char user[80];

	if (v.type != SAT_V_TEXT || v.s.n >= sizeof user)
		return rep_id_of(v, id);
	memcpy(user, v.s.p, v.s.n);
	user[v.s.n] = '\0';
	*id = sat_id_derive("user", &zero, user);
	return true;
}

static sat_rc
need_let(rep_source *s, const sat_report_let *l, sat_err *e)
{
	static const char *const graded[] = { "grade", "grade_until",
		"status", "created_at" };
	sat_rc rc;

	if (of_user(l) && (rc = rep_need_field(s, s->kind->owner, e)) != SAT_OK)
		return rc;
	if ((rc = rep_need_at(s, &l->since, e)) != SAT_OK ||
	    (rc = rep_need_at(s, &l->until, e)) != SAT_OK ||
	    (rc = rep_need(s, l->on, e)) != SAT_OK ||
	    (rc = rep_need(s, l->path, e)) != SAT_OK)
		return rc;
	for (size_t i = 0; l->ats != NULL && i < l->n && rc == SAT_OK; i++)
		rc = rep_need_at(s, &l->ats[i], e);
	for (size_t i = 0; l->op == SAT_LET_FILLED && i < l->n && rc == SAT_OK;
	     i++)
		rc = rep_need_field(s, l->fields[i], e);
	for (size_t i = 0; (l->op == SAT_LET_SLA_FOLLOW ||
	    l->op == SAT_LET_SLA_FIRST) && i < 4 && rc == SAT_OK; i++)
		rc = rep_need_field(s, sat_kind_field(s->kind, graded[i]), e);
	return rc;
}

sat_rc
rep_need_lets(rep_source *s, sat_err *e)
{
	sat_rc rc = SAT_OK;

	for (size_t i = 0; i < s->def->nlets && rc == SAT_OK; i++)
		rc = need_let(s, &s->def->lets[i], e);
	return rc;
}

/* ---- loading ------------------------------------------------------------------- */

static int64_t
int_of(sat_value v, int64_t none)
{
	return v.type == SAT_V_INT ? v.i : none;
}

static sat_rc
load_child(rep_events *out, const rep_source *s, const sat_report_let *l,
    sat_err *e)
{
	rep_source inner;
	bool more;
	sat_id id;
	sat_rc rc;

	rep_begin(&inner, s->c, s->who, s->a, l->child, s->when, SAT_GRANT_ALL);
	if ((rc = rep_need_field(&inner, l->by, e)) == SAT_OK &&
	    (rc = rep_need_field(&inner, l->of, e)) == SAT_OK &&
	    (rc = rep_need_field(&inner, l->at, e)) == SAT_OK &&
	    (rc = rep_need_where(&inner, l->where, l->nwhere, e)) == SAT_OK &&
	    (rc = rep_open(&inner, e)) == SAT_OK)
		while ((rc = rep_next(&inner, &more, e)) == SAT_OK && more) {
			sat_value at = l->at != NULL ?
			    rep_field(&inner, l->at) : sat_v_int(0);
			sat_value of = l->of != NULL ?
			    rep_field(&inner, l->of) : sat_v_int(inner.times);

			if (at.type == SAT_V_INT && of.type == SAT_V_INT &&
			    key_of(&id, rep_field(&inner, l->by)) &&
			    rep_holds(&inner, l->where, l->nwhere))
				rep_events_add(out, &id, at.i, of.i);
		}
	rep_close(&inner);
	rep_events_sort(out);
	return rc;
}

/* "held" and "ever" of one field read the same history. */
static bool
copied(rep_events *to, const rep_source *s, const sat_report_let *l)
{
	for (size_t i = 0; i < l->index; i++) {
		const sat_report_let *x = &s->def->lets[i];

		if ((x->op != SAT_LET_HELD && x->op != SAT_LET_EVER) ||
		    x->of != l->of)
			continue;
		for (size_t k = 0; k < s->events[i].n; k++)
			rep_events_add(to, &s->events[i].v[k].id,
			    s->events[i].v[k].at, s->events[i].v[k].n);
		return true;
	}
	return false;
}

static sat_rc
load_let(rep_source *s, const sat_report_let *l, sat_err *e)
{
	rep_events *to = &s->events[l->index];

	switch (l->op) {
	case SAT_LET_FIRST:
	case SAT_LET_LAST:
	case SAT_LET_COUNT:
	case SAT_LET_SUM:
	case SAT_LET_GAP:
		return load_child(to, s, l, e);
	case SAT_LET_HELD:
	case SAT_LET_EVER:
		return copied(to, s, l) ? SAT_OK :
		    rep_load_spans(to, s, l->of, e);
	case SAT_LET_CHANGED:
		return rep_load_changes(to, s, e);
	case SAT_LET_PASSED:
		return rep_load_options(to, s, s->kind->stage, e);
	case SAT_LET_SLA_FOLLOW:
	case SAT_LET_SLA_FIRST:
		return s->grading != NULL ? SAT_OK : sat_crm_grading(&s->grading,
		    s->c, s->when->as_of_ms, e);
	default:
		return SAT_OK;
	}
}

sat_rc
rep_load_lets(rep_source *s, sat_err *e)
{
	sat_rc rc = SAT_OK;

	for (size_t i = 0; i < s->def->nlets && rc == SAT_OK; i++)
		rc = load_let(s, &s->def->lets[i], e);
	return rc;
}

/* ---- over other records ---------------------------------------------------------- */

/* A bound that is asked for and has no value leaves nothing. */
static bool
bounds(int64_t *since, int64_t *until, const rep_source *s,
    const sat_report_let *l)
{
	*since = INT64_MIN;
	*until = INT64_MAX;
	return (!l->has_since || rep_at(since, s, &l->since)) &&
	    (!l->has_until || rep_at(until, s, &l->until));
}

static sat_value
longest_gap(const rep_event *v, size_t n, int64_t since, int64_t until)
{
	int64_t last = since, most = 0;

	if (until <= since || since == INT64_MIN || until == INT64_MAX)
		return sat_v_null();
	for (size_t i = 0; i < n; i++) {
		if (v[i].at < since || v[i].at >= until)
			continue;
		if (v[i].at - last > most)
			most = v[i].at - last;
		last = v[i].at;
	}
	return sat_v_int(until - last > most ? until - last : most);
}

static sat_value
over_children(const rep_source *s, const sat_report_let *l)
{
	const rep_events *ev = &s->events[l->index];
	int64_t since, until, sum = 0, count = 0;
	sat_value best = sat_v_null();
	sat_id id = rep_id(s);
	size_t from, to;

	if (of_user(l) && (s->kind->owner == NULL ||
	    !key_of(&id, rep_field(s, s->kind->owner))))
		memset(&id, 0, sizeof id);
	if (!bounds(&since, &until, s, l) || (l->on.field != NULL &&
	    !rep_id_of(rep_path(s, l->on), &id)))
		return l->op == SAT_LET_COUNT || l->op == SAT_LET_SUM ?
		    sat_v_int(0) : sat_v_null();
	to = rep_events_of(&from, ev, &id);
	if (l->op == SAT_LET_GAP)
		return longest_gap(ev->v + from, to - from, since, until);
	for (size_t i = from; i < to; i++) {
		const rep_event *v = &ev->v[i];

		if (v->at < since || v->at >= until)
			continue;
		count += l->of == NULL ? v->n : 1;
		if (__builtin_add_overflow(sum, v->n, &sum))
			sum = INT64_MAX;
		if (best.type == SAT_V_NULL || (l->op == SAT_LET_FIRST ?
		    v->n < best.i : v->n > best.i))
			best = sat_v_int(v->n);
	}
	if (l->op == SAT_LET_COUNT)
		return sat_v_int(count);
	return l->op == SAT_LET_SUM ? sat_v_int(sum) : best;
}

/* ---- of the record ----------------------------------------------------------------- */

static sat_value
span(const rep_source *s, const sat_report_let *l)
{
	const sat_calendar *cal = &s->when->calendar;
	int64_t from, to;

	if (!rep_at(&from, s, &l->since) || !rep_at(&to, s, &l->until) ||
	    from == INT64_MIN || to == INT64_MAX)
		return sat_v_null();
	if (l->in == SAT_IN_DAYS)
		return sat_v_int(sat_calendar_day(cal, to) -
		    sat_calendar_day(cal, from));
	if (l->in == SAT_IN_BUSINESS)
		return sat_v_int(sat_calendar_work_ms(cal, from, to));
	return sat_v_int(to - from);
}

static sat_value
weigh(const rep_source *s, const sat_report_let *l)
{
	sat_value v = rep_path(s, l->path);

	for (size_t i = 0; i < l->n; i++)
		if (sat_value_eq(v, l->options[i]))
			return sat_v_int(l->weights[i]);
	return sat_v_int(l->otherwise);
}

static sat_value
filled(const rep_source *s, const sat_report_let *l, bool is)
{
	int64_t sum = 0;

	for (size_t i = 0; i < l->n; i++) {
		sat_value v = rep_field(s, l->fields[i]);
		bool has = v.type != SAT_V_NULL &&
		    (v.type != SAT_V_TEXT || v.s.n > 0);

		if (has == is)
			sum += l->weights[i];
	}
	return sat_v_int(sum);
}

static sat_value
extreme(const rep_source *s, const sat_report_let *l)
{
	sat_value best = sat_v_null();
	int64_t t;

	for (size_t i = 0; i < l->n; i++)
		if (rep_at(&t, s, &l->ats[i]) && (best.type == SAT_V_NULL ||
		    (l->op == SAT_LET_LATEST ? t > best.i : t < best.i)))
			best = sat_v_int(t);
	return best;
}

static bool
is_quiet(const sat_standard *st, sat_value status)
{
	for (size_t i = 0; status.type == SAT_V_TEXT && i < st->nquiet; i++)
		if (sat_span_eq(status.s, sat_span_str(st->quiet[i])))
			return true;
	return false;
}

static sat_value
sla(const rep_source *s, const sat_report_let *l)
{
	const int64_t hour = 3600000;
	const sat_standard *st = sat_template_standard(s->who->t);
	sat_id id = rep_id(s);
	int64_t amount, age = s->when->as_of_ms -
	    int_of(rep_named(s, "created_at"), s->when->as_of_ms);
	const sat_sla *rule = sat_standard_sla(st, sat_grading_of(s->grading,
	    s->who->t, &id, sat_grade_typed(rep_named(s, "grade"),
	    rep_named(s, "grade_until"), s->when->as_of_ms), &amount));
	int days;

	if (rule == NULL || is_quiet(st, rep_named(s, "status")))
		return sat_v_null();
	if (l->op == SAT_LET_SLA_FIRST)
		return rule->first_response_h == 0 ? sat_v_null() :
		    sat_v_int(rule->first_response_h * hour);
	days = rule->later_follow_d > 0 &&
	    age >= rule->later_after_d * 24 * hour ? rule->later_follow_d :
	    rule->follow_d;
	return days == 0 ? sat_v_null() : sat_v_int(days * 24 * hour);
}

/* ---- of what was -------------------------------------------------------------------- */

static sat_value
over_time(const rep_source *s, const sat_report_let *l)
{
	const rep_events *ev = &s->events[l->index];
	int64_t since, until;
	sat_id id = rep_id(s);
	size_t from, to;

	if (!bounds(&since, &until, s, l))
		return sat_v_null();
	to = rep_events_of(&from, ev, &id);
	if (l->op == SAT_LET_CHANGED) {
		for (size_t i = to; i > from; i--)
			if (ev->v[i - 1].at < until)
				return sat_v_int(ev->v[i - 1].at);
		return sat_v_null();
	}
	for (size_t i = from; i < to; i++) {
		const rep_event *v = &ev->v[i];

		if (l->op == SAT_LET_HELD ? v->at < since && v->n >= since :
		    v->at >= since && v->at < until)
			return sat_v_int(1);
	}
	return sat_v_int(0);
}

/* Stages that are not among the steps (won, lost) do not count; standing still
 * is one step; going back is not in order. */
static sat_value
passed(const rep_source *s, const sat_report_let *l)
{
	const rep_events *ev = &s->events[l->index];
	const sat_dict *d = s->kind->stage->dict;
	sat_id id = rep_id(s);
	size_t from, to = rep_events_of(&from, ev, &id), next = 0, at;
	const sat_option *o = NULL;
	int64_t last = -1;

	for (size_t i = from; i < to; i++) {
		if (ev->v[i].n < 0 || ev->v[i].n == last)
			continue;
		last = ev->v[i].n;
		o = &d->options[last];
		for (at = 0; at < l->n; at++)
			if (sat_span_eq(l->steps[at].s, sat_span_str(o->key)))
				break;
		if (at == l->n)
			continue;
		if (at != next)
			return sat_v_int(0);
		next++;
	}
	if (o != NULL && strcmp(o->key, "lost") == 0)
		return sat_v_int(next > 0);
	return sat_v_int(next == l->n);
}

/* ---- all of them ---------------------------------------------------------------------- */

static sat_value
compute(const rep_source *s, const sat_report_let *l)
{
	switch (l->op) {
	case SAT_LET_FIRST:
	case SAT_LET_LAST:
	case SAT_LET_COUNT:
	case SAT_LET_SUM:
	case SAT_LET_GAP:
		return over_children(s, l);
	case SAT_LET_SPAN:
		return span(s, l);
	case SAT_LET_WEIGH:
		return weigh(s, l);
	case SAT_LET_FILLED:
		return filled(s, l, true);
	case SAT_LET_UNFILLED:
		return filled(s, l->rest, false);
	case SAT_LET_EARLIEST:
	case SAT_LET_LATEST:
		return extreme(s, l);
	case SAT_LET_SLA_FOLLOW:
	case SAT_LET_SLA_FIRST:
		return sla(s, l);
	case SAT_LET_CHANGED:
	case SAT_LET_HELD:
	case SAT_LET_EVER:
		return over_time(s, l);
	case SAT_LET_PASSED:
		return passed(s, l);
	}
	return sat_v_null();
}

void
rep_compute_lets(rep_source *s)
{
	for (size_t i = 0; i < s->def->nlets; i++)
		s->lets[i] = compute(s, &s->def->lets[i]);
}
