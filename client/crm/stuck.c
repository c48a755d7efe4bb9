/*
 * How long records stay in a stage, and which stay too long.
 *
 * Each change of stage is kept on the record, in the set field `path`: "STAGE
 * TIME", and " !CODE" behind it when an entry condition of the flow was not met.
 * So every device that holds the record computes the same, also one that got it
 * as a whole and knows nothing of its past.
 */
#include "client/crm/crm_int.h"

#include <stdlib.h>
#include <string.h>

#define MEDIAN_MIN 3 /* fewer passages are no measure */

typedef crm_pass pass;

static int
by_time(const void *a, const void *b)
{
	const pass *x = a, *y = b;

	return x->at_ms < y->at_ms ? -1 : x->at_ms > y->at_ms;
}

static bool
read_pass(pass *p, const sat_dict *d, sat_span line)
{
	const uint8_t *sp = memchr(line.p, ' ', line.n);
	char when[40];
	size_t n, left;

	if (sp == NULL)
		return false;
	n = (size_t)(sp - line.p);
	left = line.n - n - 1;
	if (left >= sizeof when)
		left = sizeof when - 1;
	memcpy(when, sp + 1, left);
	when[left] = '\0';
	when[strcspn(when, " ")] = '\0';
	p->flagged = memchr(line.p, '!', line.n) != NULL;
	p->stage = sat_dict_option(d, (const char *)line.p, n);
	return p->stage != NULL && sat_time_parse(&p->at_ms, when, 0);
}

size_t
crm_passes(pass out[CRM_PASSES_MAX], const sat_dict *d, sat_value path)
{
	sat_span rest = path.type == SAT_V_TEXT ? path.s : sat_span_str("");
	size_t n = 0;

	while (rest.n > 0 && n < CRM_PASSES_MAX) {
		const uint8_t *lf = memchr(rest.p, '\n', rest.n);
		size_t len = lf != NULL ? (size_t)(lf - rest.p) : rest.n;

		n += read_pass(&out[n], d, sat_span_of(rest.p, len));
		len += lf != NULL;
		rest = sat_span_of(rest.p + len, rest.n - len);
	}
	qsort(out, n, sizeof out[0], by_time);
	return n;
}

/* ---- how long it takes ----------------------------------------------------------- */

typedef struct samples {
	int64_t *v;
	size_t n, cap;
} samples;

static void
sample(samples *s, int64_t ms)
{
	if (s->n == s->cap) {
		s->cap = s->cap == 0 ? 16 : s->cap * 2;
		s->v = sat_xrealloc(s->v, s->cap * sizeof *s->v);
	}
	s->v[s->n++] = ms;
}

static int
by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

static int64_t
median_of(samples *s)
{
	if (s->n < MEDIAN_MIN)
		return 0;
	qsort(s->v, s->n, sizeof *s->v, by_value);
	return s->n % 2 == 1 ? s->v[s->n / 2] :
	    s->v[s->n / 2 - 1] / 2 + s->v[s->n / 2] / 2;
}

/* ---- the records ------------------------------------------------------------------ */

enum { C_ID, C_CREATED, C_STAGE, C_TITLE, C_PATH, C_OWNER, C_MAX };

typedef struct scan {
	const sat_dict *d;
	samples *of;      /* per option */
	sat_stuck *v;
	size_t n, cap;
	sat_arena *a;
	int64_t now_ms;
} scan;

static void
take(scan *s, const sat_kind *k, const sat_value *row)
{
	pass p[CRM_PASSES_MAX];
	size_t n = crm_passes(p, s->d, row[C_PATH]);
	const sat_option *is = row[C_STAGE].type == SAT_V_TEXT ?
	    sat_dict_option(s->d, (const char *)row[C_STAGE].s.p,
	    row[C_STAGE].s.n) : NULL;
	sat_stuck *out;

	for (size_t i = 0; i + 1 < n; i++)
		sample(&s->of[p[i].stage - s->d->options],
		    p[i + 1].at_ms - p[i].at_ms);
	if (is == NULL || is->terminal || row[C_ID].s.n != 16)
		return;
	if (s->n == s->cap) {
		s->cap = s->cap == 0 ? 64 : s->cap * 2;
		s->v = sat_xrealloc(s->v, s->cap * sizeof *s->v);
	}
	out = &s->v[s->n++];
	*out = (sat_stuck){ .kind = k, .stage = is,
		.since_ms = row[C_CREATED].i };
	for (size_t i = n; i > 0; i--)
		if (p[i - 1].stage == is) {
			out->since_ms = p[i - 1].at_ms;
			break;
		}
	memcpy(out->id.b, row[C_ID].s.p, 16);
	out->age_ms = s->now_ms - out->since_ms;
	out->title = crm_keep_text(s->a, row[C_TITLE]);
	out->owner = k->owner != NULL ? crm_keep_text(s->a, row[C_OWNER]) : NULL;
}

static sat_rc
scan_kind(scan *s, sat_crm *c, const sat_kind *k, sat_err *e)
{
	const sat_field *path = sat_kind_field(k, "path");
	uint16_t columns[C_MAX] = { SAT_Q_ID, SAT_Q_CREATED, k->stage->id,
		k->title != NULL ? k->title->id : k->stage->id,
		path != NULL ? path->id : SAT_Q_CREATED,
		k->owner != NULL ? k->owner->id : SAT_Q_CREATED };
	sat_query q = { .kind = k, .columns = columns, .ncolumns = C_MAX };
	const sat_value *row;
	sat_rows *rows;
	sat_rc rc = sat_replica_query(&rows, c->replica, &q, e);

	if (rc != SAT_OK)
		return rc;
	while ((rc = sat_rows_next(&row, rows, e)) == SAT_OK && row != NULL)
		take(s, k, row);
	sat_rows_free(rows);
	return rc;
}

static int
longest_first(const void *a, const void *b)
{
	const sat_stuck *x = a, *y = b;

	if (x->age_ms != y->age_ms)
		return x->age_ms > y->age_ms ? -1 : 1;
	return memcmp(x->id.b, y->id.b, sizeof x->id.b);
}

/* Too long: factor times what others took; while nobody knows that, longer than
 * the flow's limit. */
static size_t
judge(scan *s, const sat_template *t, const sat_kind *k,
    const sat_stuck_opts *o)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++) {
		sat_stuck *x = &s->v[i];
		const sat_flow_step *step = sat_flow_step_of(t, k,
		    x->stage->key);

		x->median_ms = median_of(&s->of[x->stage - s->d->options]);
		x->limit_ms = x->median_ms > 0 ?
		    x->median_ms / 100 * o->factor :
		    step != NULL ? step->limit_d * (int64_t)86400000 : 0;
		x->stuck = x->limit_ms > 0 && x->age_ms > x->limit_ms;
		if ((o->all || x->stuck) && (o->owner == NULL ||
		    (x->owner != NULL && strcmp(o->owner, x->owner) == 0)))
			s->v[n++] = *x;
	}
	return n;
}

sat_rc
sat_crm_stuck(sat_stuck **out, size_t *n, sat_arena *a, sat_crm *c,
    const sat_kind *k, const sat_stuck_opts *o, sat_err *e)
{
	const sat_template *t = sat_replica_template(c->replica);
	scan s = { .a = a, .now_ms = o->now_ms };
	sat_rc rc;

	*out = NULL;
	*n = 0;
	if (k->stage == NULL || k->stage->dict == NULL)
		return sat_fail_code(e, SAT_EUSAGE, "usage.stage", NULL,
		    "%s has no stages", k->key);
	s.d = k->stage->dict;
	s.of = sat_xcalloc(s.d->n + 1, sizeof *s.of);
	if ((rc = scan_kind(&s, c, k, e)) == SAT_OK) {
		*n = judge(&s, t, k, o);
		if (*n > 0)
			qsort(s.v, *n, sizeof *s.v, longest_first);
		*out = *n > 0 ? sat_arena_dup(a, s.v, *n * sizeof *s.v) : NULL;
	}
	for (size_t i = 0; i < s.d->n; i++)
		free(s.of[i].v);
	free(s.of);
	free(s.v);
	return rc;
}
