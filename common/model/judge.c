/*
 * Why one pass in time order: a claim depends on what came before it (a
 * follow-up counts only while the claim lives), and a report on the claims that
 * lived when it was made. Sorting first is also what makes the answer the same
 * whatever order the facts came in.
 *
 * Invariants, named in the tests:
 *   J1  the answer is the same for every order and repetition of the facts.
 *   J2  facts of others and of later change nothing, not even the hash.
 *   J3  a period is half open: it is over at its end.
 */
#include "common/model/judge.h"

#include "common/crypto/crypto.h"

#include <stdlib.h>
#include <string.h>

#define MINUTE_MS ((int64_t)60 * 1000)
#define HOUR_MS (60 * MINUTE_MS)
#define DAY_MS (24 * HOUR_MS)

/* ---- who is who --------------------------------------------------------------- */

typedef struct names {
	sat_span *name;
	size_t *up; /* one further up; itself at the top */
	size_t n;
} names;

static size_t
top(const names *x, size_t i)
{
	while (x->up[i] != i)
		i = x->up[i];
	return i;
}

static int
by_name(const void *a, const void *b)
{
	return sat_span_cmp(*(const sat_span *)a, *(const sat_span *)b);
}

/* Where a name stands in the sorted list; SIZE_MAX: nowhere. */
static size_t
place(const names *x, sat_span name)
{
	size_t lo = 0, hi = x->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = sat_span_cmp(x->name[mid], name);

		if (c == 0)
			return mid;
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return SIZE_MAX;
}

/* Families: only names that a kinship mentions need a place. */
static void
unite(names *x, sat_arena *a, const sat_kin *kin, size_t n)
{
	size_t keep = 0;

	x->name = sat_arena_alloc(a, (2 * n + 1) * sizeof *x->name);
	x->up = sat_arena_alloc(a, (2 * n + 1) * sizeof *x->up);
	for (size_t i = 0; i < n; i++) {
		x->name[2 * i] = kin[i].a;
		x->name[2 * i + 1] = kin[i].b;
	}
	if (n > 0)
		qsort(x->name, 2 * n, sizeof *x->name, by_name);
	for (size_t i = 0; i < 2 * n; i++)
		if (keep == 0 ||
		    sat_span_cmp(x->name[keep - 1], x->name[i]) != 0)
			x->name[keep++] = x->name[i];
	x->n = keep;
	for (size_t i = 0; i < keep; i++)
		x->up[i] = i;
	for (size_t i = 0; i < n; i++)
		x->up[top(x, place(x, kin[i].a))] =
		    top(x, place(x, kin[i].b));
}

static bool
same_person(const names *x, sat_span a, sat_span b)
{
	size_t i, j;

	if (sat_span_eq(a, b))
		return true;
	i = place(x, a);
	j = place(x, b);
	return i != SIZE_MAX && j != SIZE_MAX && top(x, i) == top(x, j);
}

/* ---- the facts that count --------------------------------------------------------- */

static int
by_time(const void *va, const void *vb)
{
	const sat_fact *a = va, *b = vb;
	int c;

	if (a->at_ms != b->at_ms)
		return a->at_ms < b->at_ms ? -1 : 1;
	/* a report made the moment somebody is received comes too late */
	if (a->what != b->what)
		return a->what < b->what ? -1 : 1;
	if ((c = sat_span_cmp(a->who, b->who)) != 0)
		return c;
	return memcmp(a->id.b, b->id.b, sizeof a->id.b);
}

static size_t
relevant(sat_fact *out, const sat_id *visit, sat_span person, int64_t at_ms,
    const sat_fact *facts, size_t n, const names *x)
{
	size_t m = 0, keep = 0;

	for (size_t i = 0; i < n; i++)
		if (facts[i].at_ms <= at_ms &&
		    !sat_id_eq(&facts[i].id, visit) &&
		    same_person(x, facts[i].person, person))
			out[m++] = facts[i];
	if (m > 0)
		qsort(out, m, sizeof *out, by_time);
	for (size_t i = 0; i < m; i++)
		if (keep == 0 || by_time(&out[keep - 1], &out[i]) != 0)
			out[keep++] = out[i];
		else /* seen twice: proven if either says so */
			out[keep - 1].proven |= out[i].proven;
	return keep;
}

static void
hash(uint8_t out[32], const sat_judge_rules *r, int64_t at_ms,
    const sat_fact *f, size_t n)
{
	sat_buf b = { 0 };

	sat_buf_str(&b, "satchel judge 1\n");
	sat_write_int(&b, r->call_in_d);
	sat_write_int(&b, r->walk_in_d);
	sat_write_int(&b, r->tracked_d);
	sat_write_int(&b, r->tracked_max_d);
	sat_write_int(&b, r->natural_h);
	sat_write_int(&b, r->lead_min);
	sat_write_int(&b, r->split_min);
	sat_write_u8(&b, r->first_report);
	sat_write_int(&b, at_ms);
	sat_write_uint(&b, n);
	for (size_t i = 0; i < n; i++) {
		sat_buf_add(&b, f[i].id.b, sizeof f[i].id.b);
		sat_write_u8(&b, (uint8_t)f[i].what);
		sat_write_span(&b, f[i].who);
		sat_write_int(&b, f[i].at_ms);
		sat_write_int(&b, f[i].until_ms);
		sat_write_u8(&b, f[i].proven);
	}
	sat_hash(out, sat_buf_span(&b));
	sat_buf_fini(&b);
}

/* ---- claims ------------------------------------------------------------------------ */

typedef struct claim {
	sat_span who;
	int64_t began, until, tracked; /* tracked: last effective follow-up */
	const char *how;
} claim;
typedef struct course {
	const sat_judge_rules *r;
	claim *c;
	size_t n;
	int64_t natural;    /* last natural visit; INT64_MIN = none */
	sat_judgement *out;
	int64_t at_ms;
	const sat_fact *first, *proven, *refused;
	const char *why;
} course;

static claim *
claim_of(course *x, sat_span who)
{
	for (size_t i = 0; i < x->n; i++)
		if (sat_span_eq(x->c[i].who, who))
			return &x->c[i];
	x->c[x->n] = (claim){ .who = who, .until = INT64_MIN };
	return &x->c[x->n++];
}

static void
received(course *x, const sat_fact *f)
{
	bool call = f->what == SAT_FACT_CALL_IN;
	int64_t end = f->at_ms +
	    (call ? x->r->call_in_d : x->r->walk_in_d) * DAY_MS;
	claim *c;

	if (f->what != SAT_FACT_BROUGHT)
		x->natural = f->at_ms;
	if (f->who.n == 0)
		return;
	c = claim_of(x, f->who);
	if (f->at_ms >= c->until) { /* J3 */
		c->began = f->at_ms;
		c->until = INT64_MIN;
		c->tracked = INT64_MIN;
	}
	if (end > c->until) {
		c->until = end;
		c->how = call ? "call_in" : "walk_in";
	}
}

static void
followed(course *x, const sat_fact *f)
{
	claim *c = claim_of(x, f->who);
	int64_t end = f->at_ms + x->r->tracked_d * DAY_MS;

	if (f->at_ms >= c->until)
		return;
	c->tracked = f->at_ms;
	if (end > c->until)
		c->until = end;
}

static bool
any_lives(const course *x, int64_t at_ms)
{
	for (size_t i = 0; i < x->n; i++)
		if (at_ms < x->c[i].until)
			return true;
	return false;
}

static const char *
fault_of(const course *x, const sat_fact *f)
{
	if (x->at_ms - f->at_ms < x->r->lead_min * MINUTE_MS ||
	    x->at_ms >= f->until_ms)
		return "report.late";
	if (any_lives(x, f->at_ms))
		return "report.known";
	if (x->natural != INT64_MIN &&
	    f->at_ms - x->natural < x->r->natural_h * HOUR_MS)
		return "report.natural";
	return NULL;
}

/* The first good one, the first good one that is proven; and why the first one
 * that is not good is not, a proven one before others. */
static void
reported(course *x, const sat_fact *f)
{
	const char *fault = fault_of(x, f);

	if (fault == NULL) {
		x->first = x->first == NULL ? f : x->first;
		if (f->proven && x->proven == NULL)
			x->proven = f;
	} else if (x->refused == NULL ||
	    (f->proven && !x->refused->proven)) {
		x->refused = f;
		x->why = fault;
	}
}

static void
decide_credit(course *x)
{
	const sat_fact *f = x->proven == NULL ? NULL :
	    x->r->first_report ? x->first : x->proven;

	x->out->credit_rule = "";
	if (f != NULL) {
		x->out->credit_rule = "report";
		x->out->credit = f->id;
	} else if (x->first != NULL &&
	    (x->refused == NULL || !x->refused->proven)) {
		x->out->credit_rule = "report.unproven";
	} else if (x->refused != NULL) {
		x->out->credit_rule = x->why;
	}
}

static bool
earlier(const claim *a, const claim *b)
{
	return a->began != b->began ? a->began < b->began :
	    sat_span_cmp(a->who, b->who) < 0;
}

static const claim *
first_living(const course *x, const claim *but)
{
	const claim *best = NULL;

	for (size_t i = 0; i < x->n; i++)
		if (x->at_ms < x->c[i].until && &x->c[i] != but &&
		    (best == NULL || earlier(&x->c[i], best)))
			best = &x->c[i];
	return best;
}

/* Over, but followed up not so long ago: a person decides. The one that was
 * followed up last. */
static const claim *
just_over(const course *x)
{
	const claim *best = NULL;

	for (size_t i = 0; i < x->n; i++) {
		const claim *c = &x->c[i];

		if (c->until == INT64_MIN || c->tracked == INT64_MIN ||
		    x->at_ms >= c->tracked + x->r->tracked_max_d * DAY_MS)
			continue;
		if (best == NULL || c->tracked > best->tracked ||
		    (c->tracked == best->tracked && earlier(c, best)))
			best = c;
	}
	return best;
}

static void
decide_owner(course *x)
{
	const claim *c = first_living(x, NULL), *next;

	x->out->rule = "new";
	if (c == NULL && (c = just_over(x)) != NULL) {
		x->out->rule = "manager";
		x->out->with = c->who;
		return;
	}
	if (c == NULL)
		return;
	x->out->owner = c->who;
	x->out->rule = c->tracked != INT64_MIN ? "tracked" : c->how;
	next = first_living(x, c);
	if (next != NULL &&
	    next->began - c->began <= x->r->split_min * MINUTE_MS) {
		x->out->rule = "split";
		x->out->with = next->who;
	}
}

void
sat_judge(sat_judgement *out, sat_arena *a, const sat_judge_rules *rules,
    const sat_id *visit, sat_span person, int64_t at_ms, const sat_fact *facts,
    size_t n, const sat_kin *kin, size_t nkin)
{
	course x = { .r = rules, .natural = INT64_MIN, .out = out,
		.at_ms = at_ms };
	sat_fact *f = sat_arena_alloc(a, (n + 1) * sizeof *f);
	names who;

	memset(out, 0, sizeof *out);
	unite(&who, a, kin, nkin);
	out->nfacts = relevant(f, visit, person, at_ms, facts, n, &who);
	hash(out->inputs, rules, at_ms, f, out->nfacts);
	x.c = sat_arena_alloc(a, (out->nfacts + 1) * sizeof *x.c);
	for (size_t i = 0; i < out->nfacts; i++)
		switch (f[i].what) {
		case SAT_FACT_CALL_IN:
		case SAT_FACT_WALK_IN:
		case SAT_FACT_BROUGHT: received(&x, &f[i]); break;
		case SAT_FACT_FOLLOW: followed(&x, &f[i]); break;
		case SAT_FACT_REPORT: reported(&x, &f[i]); break;
		}
	decide_owner(&x);
	decide_credit(&x);
}
