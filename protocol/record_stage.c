/*
 * Stage fields (P-058, P-059): how far a deal has come, by the path it took.
 *
 * A head is a path of steps, oldest first; a step is a stage and the dots
 * (device, lsn) of the operations that made it. An operation goes on from the
 * head its author had seen. Every path that no later author saw is kept; two
 * that agree since their fork as far as the shorter one goes, or arrived at the
 * same stage, are shown as one. Only paths that really part are a conflict, and
 * then a person decides.
 *
 * The path of the last SAT_STEPS_MAX steps is kept even while there is one
 * head, for an author who was away while others went on. A path of one step
 * made by one operation is not written: it is the cell itself.
 */
#include "protocol/record_int.h"

#include <string.h>

typedef struct step {
	sat_span text;
	size_t ndots;
	sat_dot dots[SAT_STEP_DOTS_MAX];
} step;

typedef struct head {
	sat_stamp at;
	size_t nsteps;
	step steps[SAT_STEPS_MAX];
} head;

static step *
last_step(head *h)
{
	return &h->steps[h->nsteps - 1];
}

static sat_candidate
candidate_of(head *h)
{
	return (sat_candidate){ sat_v_text(last_step(h)->text), h->at };
}

/* ---- bytes --------------------------------------------------------------- */

static void
read_step(step *s, sat_reader *r)
{
	s->ndots = (size_t)sat_read_uint_max(r, SAT_STEP_DOTS_MAX);
	for (size_t i = 0; i < s->ndots; i++) {
		s->dots[i].dev = (uint32_t)sat_read_uint_max(r, UINT32_MAX);
		s->dots[i].lsn = sat_read_uint_max(r, INT64_MAX);
	}
	s->text = sat_read_span(r, SAT_SET_ELEMENT_MAX);
	if (s->text.n > 0 && !sat_utf8_ok(s->text.p, s->text.n))
		sat_read_bad(r, "stage is not UTF-8");
}

static bool
read_heads(head **out, size_t *n, uint64_t *opened_lsn, sat_arena *a,
    sat_reader *r)
{
	*opened_lsn = sat_read_uint_max(r, INT64_MAX);
	*n = (size_t)sat_read_uint_max(r, SAT_HEADS_MAX);
	*out = sat_arena_alloc(a, (*n + 1) * sizeof **out);
	for (size_t i = 0; i < *n; i++) {
		head *h = &(*out)[i];

		h->at = sat_stamp_read(r);
		h->nsteps = (size_t)sat_read_uint_max(r, SAT_STEPS_MAX);
		if (h->nsteps == 0)
			sat_read_bad(r, "empty path");
		for (size_t k = 0; k < h->nsteps; k++)
			read_step(&h->steps[k], r);
	}
	return r->fault == NULL && r->left == 0 && *n > 0;
}

static size_t
heads_of(head **out, uint64_t *opened_lsn, sat_arena *a, const sat_cell *c)
{
	sat_reader r = sat_reader_of(c->ext);
	size_t n;
	head *h;

	if (c->ext.n > 0 && read_heads(out, &n, opened_lsn, a, &r))
		return n;
	*opened_lsn = 0;
	*out = h = sat_arena_alloc(a, 2 * sizeof *h);
	if (c->value.type != SAT_V_TEXT)
		return 0;
	h->at = c->at;
	h->nsteps = 1;
	h->steps[0] = (step){ c->value.s, 1, { { c->at.dev, c->at.lsn } } };
	return 1;
}

static void
write_head(sat_buf *b, const head *h)
{
	sat_stamp_write(b, h->at);
	sat_write_uint(b, h->nsteps);
	for (size_t k = 0; k < h->nsteps; k++) {
		const step *s = &h->steps[k];

		sat_write_uint(b, s->ndots);
		for (size_t i = 0; i < s->ndots; i++) {
			sat_write_uint(b, s->dots[i].dev);
			sat_write_uint(b, s->dots[i].lsn);
		}
		sat_write_span(b, s->text);
	}
}

static sat_span
write_heads(sat_fold *f, uint64_t opened_lsn, const head *h, size_t n)
{
	sat_buf b = { 0 };

	if (n == 1 && h->nsteps == 1 && h->steps[0].ndots == 1)
		return (sat_span){ NULL, 0 };
	sat_write_uint(&b, opened_lsn);
	sat_write_uint(&b, n);
	for (size_t i = 0; i < n; i++)
		write_head(&b, &h[i]);
	return sat_fold_keep(f, f->op->field, SAT_PART_EXT, &b);
}

/* ---- paths --------------------------------------------------------------- */

static bool
has_dot(const step *s, sat_dot d)
{
	for (size_t i = 0; i < s->ndots; i++)
		if (s->dots[i].dev == d.dev && s->dots[i].lsn == d.lsn)
			return true;
	return false;
}

static bool
share_dot(const step *a, const step *b)
{
	for (size_t i = 0; i < a->ndots; i++)
		if (has_dot(b, a->dots[i]))
			return true;
	return false;
}

/* Ascending (lsn, dev), so that the order of merging does not show. When a
 * step has too many, the oldest goes: its device has most likely seen more
 * by now; at worst a person is asked once too often. */
static void
add_dot(step *s, sat_dot d)
{
	size_t i = s->ndots;

	if (has_dot(s, d))
		return;
	if (i == SAT_STEP_DOTS_MAX) {
		memmove(s->dots, s->dots + 1, (i - 1) * sizeof *s->dots);
		i = --s->ndots;
	}
	while (i > 0 && (s->dots[i - 1].lsn > d.lsn ||
	    (s->dots[i - 1].lsn == d.lsn && s->dots[i - 1].dev > d.dev))) {
		s->dots[i] = s->dots[i - 1];
		i--;
	}
	s->dots[i] = d;
	s->ndots++;
}

/* Had the op's author seen this step, or does the op settle it? */
static bool
knows(const sat_fold *f, const step *s)
{
	for (size_t i = 0; i < s->ndots; i++) {
		if (!sat_fold_concurrent(f, s->dots[i].dev, s->dots[i].lsn))
			return true;
		for (size_t d = 0; d < f->op->ndots; d++)
			if (f->op->dots[d].dev == s->dots[i].dev &&
			    f->op->dots[d].lsn == s->dots[i].lsn)
				return true;
	}
	return false;
}

/* Length of the part of the path that the author knew. */
static size_t
known_part(const sat_fold *f, const head *h)
{
	size_t n = h->nsteps;

	while (n > 0 && !knows(f, &h->steps[n - 1]))
		n--;
	return n;
}

/* The op's own path: it goes on from the known part of `base`. */
static void
go_on(const sat_fold *f, head *own, const head *base, size_t known)
{
	sat_dot dot = { f->at.dev, f->at.lsn };

	own->at = f->at;
	own->nsteps = known;
	memcpy(own->steps, base->steps, known * sizeof *own->steps);
	if (known > 0 && sat_span_eq(last_step(own)->text, f->value.s)) {
		add_dot(last_step(own), dot); /* stays where it was */
		return;
	}
	if (known == SAT_STEPS_MAX) {
		memmove(own->steps, own->steps + 1,
		    (SAT_STEPS_MAX - 1) * sizeof *own->steps);
		own->nsteps--;
	}
	own->steps[own->nsteps++] = (step){ f->value.s, 1, { dot } };
}

/* Where two paths part: the steps behind the last one they share. */
static void
fork_of(const head *a, const head *b, size_t *ai, size_t *bi)
{
	for (size_t i = a->nsteps; i > 0; i--)
		for (size_t k = b->nsteps; k > 0; k--)
			if (share_dot(&a->steps[i - 1], &b->steps[k - 1])) {
				*ai = i;
				*bi = k;
				return;
			}
	*ai = *bi = 0;
}

typedef enum meet { APART, SAME, A_IN_B, B_IN_A } meet;

static meet
compare(head *a, head *b, size_t ai, size_t bi)
{
	size_t na = a->nsteps - ai, nb = b->nsteps - bi;
	size_t n = na < nb ? na : nb;

	if (sat_span_eq(last_step(a)->text, last_step(b)->text))
		return SAME;
	for (size_t i = 0; i < n; i++)
		if (!sat_span_eq(a->steps[ai + i].text, b->steps[bi + i].text))
			return APART;
	if (na == nb)
		return APART; /* not reached: equal paths end at one stage */
	return na < nb ? A_IN_B : B_IN_A;
}

/* Which head stands for which; with n heads. */
typedef struct standing {
	bool over[SAT_HEADS_MAX][SAT_HEADS_MAX]; /* [i][k]: k for i */
	bool begins[SAT_HEADS_MAX];              /* the beginning of another */
} standing;

/* Also through others: k stands for i when k does for what stands for i. */
static void
stand(standing *s, head *h, size_t n)
{
	memset(s, 0, sizeof *s);
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < n; k++) {
			size_t ai, bi;
			meet m;

			if (k == i)
				continue;
			fork_of(&h[i], &h[k], &ai, &bi);
			m = compare(&h[i], &h[k], ai, bi);
			s->over[i][k] = m == A_IN_B || (m == SAME && k < i);
			s->begins[i] |= m == A_IN_B;
		}
	for (size_t via = 0; via < n; via++)
		for (size_t i = 0; i < n; i++)
			for (size_t k = 0; s->over[i][via] && k < n; k++)
				s->over[i][k] |= s->over[via][k];
}

/*
 * What is shown of the heads, descending: those that no other one stands for. A
 * path that is the beginning of another one is part of it; of two that arrived
 * at the same stage the larger stamp is shown. A function of the set of heads
 * alone: were they made one where they are kept, it would depend on the order
 * of arrival which of them a later author had gone on from.
 *
 * It may go round in a circle: A went to z; B to z and y; C to z, y and z again.
 * A is the beginning of B, B of C, and C arrived where A did. Then one of the
 * circle is shown, if anything, that is no beginning, of several the first.
 */
static size_t
unite(sat_candidate *out, head *h, size_t n)
{
	standing s;
	size_t shown = 0;

	stand(&s, h, n);
	for (size_t i = 0; i < n; i++) {
		bool part = false;

		for (size_t k = 0; k < n && !part; k++)
			part = k != i && s.over[i][k] && (!s.over[k][i] ||
			    s.begins[i] > s.begins[k] ||
			    (s.begins[i] == s.begins[k] && k < i));
		if (!part)
			out[shown++] = candidate_of(&h[i]);
	}
	return shown;
}

/* Among the heads its author had not seen; the oldest of too many goes. */
static size_t
insert(head *list, size_t n, const head *own)
{
	size_t at = 0;

	while (at < n && sat_stamp_cmp(list[at].at, own->at) > 0)
		at++;
	memmove(list + at + 1, list + at, (n - at) * sizeof *list);
	list[at] = *own;
	return n + 1 > SAT_HEADS_MAX ? SAT_HEADS_MAX : n + 1;
}

size_t
sat_stage_read(sat_candidate **out, uint64_t *opened_lsn, sat_arena *a,
    const sat_cell *c)
{
	head *h;
	size_t n = heads_of(&h, opened_lsn, a, c);

	*out = sat_arena_alloc(a, (n + 1) * sizeof **out);
	return unite(*out, h, n);
}

bool
sat_stage_unseen(const sat_fold *f, const sat_cell *c)
{
	uint64_t opened_lsn;
	head *h;
	size_t n = heads_of(&h, &opened_lsn, f->tmp, c);

	for (size_t i = 0; i < n; i++)
		if (sat_fold_concurrent(f, h[i].at.dev, h[i].at.lsn))
			return true;
	return false;
}

/* ---- the policy ---------------------------------------------------------- */

/* Steps are short texts; nothing else can be folded into a path. */
static bool
fits_a_step(sat_fold *f)
{
	if (f->value.type == SAT_V_TEXT && f->value.s.n <= SAT_SET_ELEMENT_MAX)
		return true;
	sat_fold_displace(f, f->value, f->at);
	f->out->outcome = SAT_NOTHING;
	return false;
}

static void
first_stage(sat_fold *f, sat_cell *c)
{
	c->value = f->value;
	c->at = f->at;
	f->out->outcome = SAT_APPLIED;
}

void
sat_fold_stage(sat_fold *f)
{
	bool added;
	sat_cell *c;
	sat_candidate *before, *after;
	size_t nbefore, nheads, n = 0, base = 0, known = 0;
	uint64_t opened_lsn;
	sat_span old_ext;
	head *h, *own;

	if (!fits_a_step(f))
		return;
	c = sat_fold_cell(f, &added);
	old_ext = c->ext;
	nbefore = added ? 0 : sat_stage_read(&before, &opened_lsn, f->tmp, c);
	if (nbefore == 0) {
		first_stage(f, c);
		return;
	}
	nheads = heads_of(&h, &opened_lsn, f->tmp, c);
	for (size_t i = 0; i < nheads; i++)
		if (sat_fold_written_since(f, h[i].at)) {
			sat_fold_lose(f, c, SAT_LOST);
			return;
		}
	f->moved = false; /* what he did before is his: steps have no stamp */
	before[nbefore] = (sat_candidate){ f->value, f->at };
	own = sat_arena_alloc(f->tmp, sizeof *own);
	/* The largest stamp among the heads seen to their end; else the one
	 * seen furthest. */
	for (size_t i = 0; i < nheads; i++) {
		size_t k = known_part(f, &h[i]);
		bool end = k == h[i].nsteps;

		if (k > 0 && (known == 0 || (known < h[base].nsteps &&
		    (end || k > known)))) {
			base = i;
			known = k;
		}
	}
	go_on(f, own, &h[base], known);
	if (f->blind)
		own->at = sat_fold_below(f, h[nheads - 1].at);
	for (size_t i = 0; i < nheads; i++)
		if (known_part(f, &h[i]) < h[i].nsteps)
			h[n++] = h[i];
	n = insert(h, n, own);
	after = sat_arena_alloc(f->tmp, n * sizeof *after);
	sat_fold_settle(f, c, before, nbefore, after, unite(after, h, n),
	    &opened_lsn);
	c->ext = write_heads(f, opened_lsn, h, n);
	if (f->out->outcome == SAT_NOTHING && !sat_span_eq(old_ext, c->ext))
		f->out->outcome = SAT_APPLIED;
}
