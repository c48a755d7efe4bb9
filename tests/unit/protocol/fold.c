#include "tests/lib/unit.h"

#include "protocol/record.h"
#include "tests/unit/protocol/fold.h"
#include "tests/unit/protocol/thing.h"

/* ---- a record and its history -------------------------------------------- */

static const sat_id rec_id = { { 1, 2, 3 } };

static sat_outcome
fold(world *w, sat_op *op, sat_hlc hlc, uint32_t dev, uint64_t lsn,
    uint64_t seen)
{
	sat_apply_ctx ctx = { { hlc, dev, lsn }, seen, false, NULL };
	sat_err err;

	op->rtype = 1;
	op->rec = rec_id;
	assert_ok(sat_record_apply(&w->last, &w->r, &w->a, tmpl, op, &ctx,
	    &err));
	sat_record_applied(&w->r, w->last.outcome, lsn);
	for (size_t i = 0; i < w->last.ndisplaced; i++) {
		if (w->npast == w->cap) {
			w->cap = w->cap * 2 + 16;
			w->past = sat_xrealloc(w->past,
			    w->cap * sizeof *w->past);
		}
		w->past[w->npast++] = w->last.displaced[i];
	}
	return w->last.outcome;
}

sat_outcome
give(world *w, sat_op_kind kind, uint16_t field, sat_value v, sat_hlc hlc,
    uint32_t dev, uint64_t lsn, uint64_t seen)
{
	sat_op op = { .kind = kind, .field = field, .value = v };

	return fold(w, &op, hlc, dev, lsn, seen);
}

sat_value
txt(const char *s)
{
	return sat_v_text(sat_span_str(s));
}

world
fresh(void)
{
	world w = { .npast = 0 };

	assert_int_equal(SAT_APPLIED, give(&w, SAT_OP_NEW, 0, sat_v_null(), BORN,
	    1, 1, 0));
	return w;
}

void
done(world *w)
{
	free(w->past);
	sat_arena_fini(&w->a);
}

void
assert_is(const world *w, uint16_t field, const char *want)
{
	sat_value v = sat_record_value(&w->r, field);

	if (v.type != SAT_V_TEXT || !sat_span_eq(v.s, sat_span_str(want)))
		fail_msg("field %u is '%.*s', not '%s'", field, (int)v.s.n,
		    v.type == SAT_V_TEXT ? (const char *)v.s.p : "", want);
}

size_t
candidates(world *w, uint16_t field, sat_candidate **out)
{
	uint64_t opened;
	const sat_cell *c = sat_record_cell(&w->r, field);

	return c == NULL ? 0 : sat_cell_candidates(out, &opened, &w->a,
	    field == STAGE ? SAT_P_STAGE : SAT_P_REVIEW, c);
}

size_t
ncandidates(world *w, uint16_t field)
{
	sat_candidate *c;

	return candidates(w, field, &c);
}

bool
kept_somewhere(world *w, uint16_t field, sat_value v)
{
	sat_candidate *c;
	size_t n = candidates(w, field, &c);

	if (sat_value_eq(sat_record_value(&w->r, field), v))
		return true;
	for (size_t i = 0; i < n; i++)
		if (sat_value_eq(c[i].value, v))
			return true;
	for (size_t i = 0; i < w->npast; i++)
		if (w->past[i].field == field &&
		    sat_value_eq(w->past[i].value, v))
			return true;
	return false;
}

/* ---- each policy, as a table --------------------------------------------- */

void
play(uint16_t field, const move *m, size_t n)
{
	world w = fresh();

	for (size_t i = 0; i < n; i++) {
		sat_outcome got = give(&w, m[i].kind, field, m[i].text != NULL ?
		    txt(m[i].text) : sat_v_int(m[i].n), m[i].hlc, m[i].dev,
		    i + 2, m[i].seen);

		if (got != m[i].want)
			fail_msg("move %zu: outcome %d, not %d", i, (int)got,
			    (int)m[i].want);
		if (m[i].value != NULL)
			assert_is(&w, field, m[i].value);
		assert_int_equal(m[i].past, w.last.ndisplaced);
		assert_int_equal(m[i].conflict == 1, w.last.conflict_opened);
		assert_int_equal(m[i].conflict == -1, w.last.conflict_closed);
	}
	done(&w);
}

sat_outcome
resolve(world *w, uint16_t field, const char *v, sat_hlc hlc, uint32_t dev,
    uint64_t lsn, uint64_t seen, const sat_dot *dots, size_t n)
{
	sat_op op = { .kind = SAT_OP_RESOLVE, .field = field, .value = txt(v),
		.dots = dots, .ndots = n };

	return fold(w, &op, hlc, dev, lsn, seen);
}
