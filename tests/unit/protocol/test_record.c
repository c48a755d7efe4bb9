/* The fold: every policy, any order of arrival, nothing lost (P-040..P-069). */
#include "tests/lib/unit.h"

#include "protocol/record.h"
#include "tests/unit/protocol/thing.h"

/* ---- a record and its history --------------------------------------------------- */

typedef struct world {
	sat_arena a;
	sat_record r;
	sat_displaced *past;
	size_t npast, cap;
	sat_applied last;
} world;

#define BORN 1000
static const sat_id rec_id = { { 1, 2, 3 } };

static sat_outcome
fold(world *w, sat_op *op, sat_hlc hlc, uint32_t dev, uint64_t lsn,
    uint64_t seen)
{
	sat_apply_ctx ctx = { { hlc, dev, lsn }, seen, false };
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

static sat_outcome
give(world *w, sat_op_kind kind, uint16_t field, sat_value v, sat_hlc hlc,
    uint32_t dev, uint64_t lsn, uint64_t seen)
{
	sat_op op = { .kind = kind, .field = field, .value = v };

	return fold(w, &op, hlc, dev, lsn, seen);
}

static sat_value
txt(const char *s)
{
	return sat_v_text(sat_span_str(s));
}

/* Born at LSN 1 by device 1. */
static world
fresh(void)
{
	world w = { .npast = 0 };

	assert_int_equal(SAT_APPLIED, give(&w, SAT_OP_NEW, 0, sat_v_null(), BORN,
	    1, 1, 0));
	return w;
}

static void
done(world *w)
{
	free(w->past);
	sat_arena_fini(&w->a);
}

static void
assert_is(const world *w, uint16_t field, const char *want)
{
	sat_value v = sat_record_value(&w->r, field);

	if (v.type != SAT_V_TEXT || !sat_span_eq(v.s, sat_span_str(want)))
		fail_msg("field %u is '%.*s', not '%s'", field, (int)v.s.n,
		    v.type == SAT_V_TEXT ? (const char *)v.s.p : "", want);
}

static size_t
candidates(world *w, uint16_t field, sat_candidate **out)
{
	uint64_t opened;
	const sat_cell *c = sat_record_cell(&w->r, field);

	return c == NULL ? 0 : sat_cell_candidates(out, &opened, &w->a,
	    field == STAGE ? SAT_P_STAGE : SAT_P_REVIEW, c);
}

static size_t
ncandidates(world *w, uint16_t field)
{
	sat_candidate *c;

	return candidates(w, field, &c);
}

static bool
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

/* ---- each policy, as a table ------------------------------------------------------ */

typedef struct move {
	sat_op_kind kind;
	const char *text; /* NULL: n */
	int64_t n;
	sat_hlc hlc;
	uint32_t dev;
	uint64_t seen;
	sat_outcome want;
	const char *value; /* after it; NULL: not checked */
	int past;          /* how many values went into the history */
	int conflict;      /* 1 opened, -1 closed */
} move;

static void
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
#define PLAY(field, moves) play(field, moves, sizeof(moves) / sizeof *(moves))

static void
of_two_plain_values_the_later_stamp_stays(void **state) /* P-044 */
{
	static const move m[] = {
		{ SAT_OP_SET, "a", 0, 2000, 1, 1, SAT_APPLIED, "a", 0, 0 },
		{ SAT_OP_SET, "b", 0, 3000, 2, 1, SAT_APPLIED, "b", 1, 0 },
		{ SAT_OP_SET, "c", 0, 2500, 3, 1, SAT_LOST, "b", 1, 0 },
		/* equal stamps: the larger device */
		{ SAT_OP_SET, "d", 0, 3000, 1, 1, SAT_LOST, "b", 1, 0 },
		{ SAT_OP_SET, "e", 0, 3000, 4, 1, SAT_APPLIED, "e", 1, 0 },
		/* the same value again leaves no history */
		{ SAT_OP_SET, "e", 0, 4000, 4, 6, SAT_APPLIED, "e", 0, 0 },
		{ SAT_OP_SET, "e", 0, 3900, 5, 1, SAT_NOTHING, "e", 0, 0 },
	};

	(void)state;
	PLAY(PLAIN, m);
	PLAY(UNKNOWN, m); /* a field of a newer template */
}

static void
a_value_given_once_stays(void **state) /* P-045 */
{
	static const move m[] = {
		{ SAT_OP_SET, "a", 0, 2000, 1, 1, SAT_APPLIED, "a", 0, 0 },
		{ SAT_OP_SET, "b", 0, 9000, 2, 9, SAT_NOTHING, "a", 1, 0 },
	};

	(void)state;
	PLAY(SOURCE, m);
}

static void
the_largest_and_the_smallest_value_stay(void **state) /* P-046 */
{
	static const move hi[] = {
		{ SAT_OP_SET, NULL, 5, 2000, 1, 1, SAT_APPLIED, NULL, 0, 0 },
		{ SAT_OP_SET, NULL, 3, 9000, 2, 9, SAT_LOST, NULL, 1, 0 },
		{ SAT_OP_SET, NULL, 7, 1500, 2, 1, SAT_APPLIED, NULL, 1, 0 },
		{ SAT_OP_SET, NULL, 7, 1400, 3, 1, SAT_NOTHING, NULL, 0, 0 },
		{ SAT_OP_SET, NULL, 7, 1600, 3, 1, SAT_APPLIED, NULL, 0, 0 },
	};
	static const move lo[] = {
		{ SAT_OP_SET, NULL, 5, 2000, 1, 1, SAT_APPLIED, NULL, 0, 0 },
		{ SAT_OP_SET, NULL, 7, 9000, 2, 9, SAT_LOST, NULL, 1, 0 },
		{ SAT_OP_SET, NULL, 3, 1500, 2, 1, SAT_APPLIED, NULL, 1, 0 },
	};

	(void)state;
	PLAY(LATEST, hi);
	PLAY(BEST, lo);
}

static void
an_empty_value_is_no_extreme(void **state) /* P-046 */
{
	world w = fresh();

	(void)state;
	(void)give(&w, SAT_OP_SET, BEST, sat_v_int(5), 2000, 1, 2, 1);
	assert_int_equal(SAT_NOTHING, give(&w, SAT_OP_SET, BEST, sat_v_null(),
	    9000, 2, 3, 2));
	assert_int_equal(5, sat_record_value(&w.r, BEST).i);
	done(&w);
}

static void
a_counter_adds_up_and_stops_at_its_end(void **state) /* P-047 */
{
	world w = fresh();

	(void)state;
	(void)give(&w, SAT_OP_ADD, VISITS, sat_v_int(2), 3000, 1, 2, 1);
	(void)give(&w, SAT_OP_ADD, VISITS, sat_v_int(5), 2000, 2, 3, 1);
	assert_int_equal(7, sat_record_value(&w.r, VISITS).i);
	assert_true(sat_record_cell(&w.r, VISITS)->at.hlc == 3000);
	(void)give(&w, SAT_OP_ADD, VISITS, sat_v_int(INT64_MAX), 4000, 2, 4, 1);
	assert_true(sat_record_value(&w.r, VISITS).i == INT64_MAX);
	done(&w);
}

static void
an_owner_changes_only_by_who_saw_the_owner(void **state) /* P-048 */
{
	static const move m[] = {
		{ SAT_OP_REASSIGN, "ann", 0, 2000, 1, 1, SAT_APPLIED, "ann", 0, 0 },
		{ SAT_OP_REASSIGN, "bob", 0, 1900, 2, 2, SAT_APPLIED, "bob", 1, 0 },
		/* a clock set ahead wins nothing */
		{ SAT_OP_REASSIGN, "eve", 0, 9000, 3, 2, SAT_NOTHING, "bob", 0, 0 },
		{ SAT_OP_REASSIGN, "cid", 0, 2100, 2, 2, SAT_APPLIED, "cid", 1, 0 },
	};

	(void)state;
	PLAY(OWNER, m);
}

static void
a_reviewed_field_keeps_concurrent_values_for_a_person(void **state) /* P-050..P-054 */
{
	static const move m[] = {
		{ SAT_OP_MVSET, "111", 0, 2000, 1, 1, SAT_APPLIED, "111", 0, 0 },
		{ SAT_OP_MVSET, "222", 0, 2100, 2, 2, SAT_APPLIED, "222", 1, 0 },
		/* has not seen LSN 3 */
		{ SAT_OP_MVSET, "333", 0, 2200, 3, 2, SAT_REVIEW, "333", 0, 1 },
		{ SAT_OP_MVSET, "444", 0, 2050, 4, 2, SAT_REVIEW, "333", 0, 0 },
		/* device 2 goes on from its own value: only that one goes */
		{ SAT_OP_MVSET, "555", 0, 2300, 2, 2, SAT_REVIEW, "555", 1, 0 },
		/* who saw all settles all */
		{ SAT_OP_MVSET, "666", 0, 2250, 5, 6, SAT_APPLIED, "666", 3, -1 },
	};

	(void)state;
	PLAY(NAME, m);
}

static void
values_that_read_the_same_are_no_conflict(void **state) /* P-052 */
{
	static const move m[] = {
		{ SAT_OP_MVSET, "138 1234 5678", 0, 2000, 1, 1, SAT_APPLIED, NULL, 0, 0 },
		/* equal with a later stamp: the other spelling is history */
		{ SAT_OP_MVSET, "+86 13812345678", 0, 2100, 2, 1, SAT_APPLIED,
		    "+86 13812345678", 1, 0 },
		{ SAT_OP_MVSET, "13812345678", 0, 1900, 3, 1, SAT_LOST,
		    "+86 13812345678", 1, 0 },
		/* nothing to be seen of it, but it is remembered */
		{ SAT_OP_MVSET, "+86 13812345678", 0, 1800, 4, 1, SAT_LOST,
		    "+86 13812345678", 0, 0 },
		{ SAT_OP_MVSET, "13900000000", 0, 1950, 5, 1, SAT_REVIEW,
		    "+86 13812345678", 0, 1 },
		/* a candidate that becomes equal closes the conflict */
		{ SAT_OP_MVSET, "13812345678", 0, 2500, 5, 1, SAT_APPLIED,
		    "13812345678", 2, -1 },
	};

	(void)state;
	PLAY(PHONE, m);
}

static void
an_equal_value_stays_when_the_other_author_moves_on(void **state) /* P-052 */
{
	static const move m[] = {
		{ SAT_OP_MVSET, "138 1234 5678", 0, 2000, 1, 1, SAT_APPLIED, NULL, 0, 0 },
		/* device 3 writes the same, later, and then something else */
		{ SAT_OP_MVSET, "13812345678", 0, 2100, 3, 1, SAT_APPLIED,
		    "13812345678", 1, 0 },
		{ SAT_OP_MVSET, "13900000000", 0, 2200, 3, 1, SAT_REVIEW,
		    "13900000000", 1, 1 },
		/* and back: one value again */
		{ SAT_OP_MVSET, "13812345678", 0, 2300, 3, 1, SAT_APPLIED,
		    "13812345678", 2, -1 },
		/* who saw it all has the word; nothing is left behind */
		{ SAT_OP_MVSET, "13900000000", 0, 2400, 4, 5, SAT_APPLIED,
		    "13900000000", 1, 0 },
		{ SAT_OP_MVSET, "13911111111", 0, 2500, 3, 6, SAT_APPLIED,
		    "13911111111", 1, 0 },
	};

	(void)state;
	PLAY(PHONE, m);
}

static void
a_deletion_that_did_not_see_an_equal_value_asks(void **state) /* P-060 */
{
	world w = fresh();

	(void)state;
	(void)give(&w, SAT_OP_MVSET, PHONE, txt("13812345678"), 2000, 2, 2, 1);
	(void)give(&w, SAT_OP_MVSET, PHONE, txt("13812345678"), 2100, 3, 3, 1);
	assert_int_equal(SAT_REVIEW, give(&w, SAT_OP_DEL, 0, sat_v_null(), 2200,
	    3, 4, 1));
	assert_true(w.r.with_edits);
	done(&w);
}

static sat_outcome
resolve(world *w, uint16_t field, const char *v, sat_hlc hlc, uint32_t dev,
    uint64_t lsn, uint64_t seen, const sat_dot *dots, size_t n)
{
	sat_op op = { .kind = SAT_OP_RESOLVE, .field = field, .value = txt(v),
		.dots = dots, .ndots = n };

	return fold(w, &op, hlc, dev, lsn, seen);
}

static void
two_resolutions_meet_only_each_other(void **state) /* P-053 */
{
	static const sat_dot dots[] = { { 2, 2 }, { 3, 3 } };
	world w = fresh();

	(void)state;
	(void)give(&w, SAT_OP_MVSET, NAME, txt("x"), 2000, 2, 2, 1);
	(void)give(&w, SAT_OP_MVSET, NAME, txt("y"), 2100, 3, 3, 1);
	assert_int_equal(2, ncandidates(&w, NAME));
	assert_int_equal(SAT_APPLIED, resolve(&w, NAME, "x", 3000, 4, 4, 3, dots,
	    2));
	assert_true(w.last.conflict_closed);
	assert_int_equal(1, w.last.ndisplaced); /* y; x is the winner again */
	/* somebody else resolved the same way meanwhile */
	assert_int_equal(SAT_APPLIED, resolve(&w, NAME, "x", 3100, 5, 5, 3, dots,
	    2));
	/* and a third one otherwise */
	assert_int_equal(SAT_REVIEW, resolve(&w, NAME, "y", 3050, 6, 6, 3, dots,
	    2));
	assert_int_equal(2, ncandidates(&w, NAME));
	done(&w);
}

static void
dots_settle_what_the_position_does_not_cover(void **state) /* P-053 */
{
	static const sat_dot dots[] = { { 2, 2 } };
	world w = fresh();

	(void)state;
	(void)give(&w, SAT_OP_MVSET, NAME, txt("x"), 2000, 2, 2, 1);
	(void)give(&w, SAT_OP_MVSET, NAME, txt("y"), 2100, 3, 3, 1);
	assert_int_equal(SAT_REVIEW, resolve(&w, NAME, "z", 3000, 4, 4, 1, dots,
	    1));
	assert_int_equal(2, ncandidates(&w, NAME)); /* z and y */
	done(&w);
}

static void
the_conflict_remembers_what_opened_it(void **state) /* P-051 */
{
	world w = fresh();
	sat_candidate *c;
	uint64_t opened;

	(void)state;
	for (uint32_t i = 2; i < 6; i++)
		(void)give(&w, SAT_OP_MVSET, NAME, sat_v_int(i), 2000 + i, i, i,
		    1);
	assert_int_equal(4, sat_cell_candidates(&c, &opened, &w.a, SAT_P_REVIEW,
	    sat_record_cell(&w.r, NAME)));
	assert_int_equal(3, opened);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(5 - i, c[i].value.i); /* descending */
	done(&w);
}

static void
too_many_candidates_push_the_oldest_into_history(void **state) /* P-054 */
{
	world w = fresh();
	sat_candidate *c;

	(void)state;
	for (uint32_t i = 0; i < SAT_CANDIDATES_MAX + 5; i++)
		(void)give(&w, SAT_OP_MVSET, NAME, sat_v_int(i), 2000 + i, i + 2,
		    i + 2, 1);
	assert_int_equal(SAT_CANDIDATES_MAX, candidates(&w, NAME, &c));
	assert_int_equal(5, w.npast);
	assert_int_equal(0, w.past[0].value.i);
	for (uint32_t i = 0; i < SAT_CANDIDATES_MAX + 5; i++)
		assert_true(kept_somewhere(&w, NAME, sat_v_int(i)));
	done(&w);
}

static void
a_concurrent_add_survives_a_removal(void **state) /* P-055, P-056 */
{
	static const move m[] = {
		{ SAT_OP_SADD, "vip", 0, 2000, 1, 1, SAT_APPLIED, "vip", 0, 0 },
		{ SAT_OP_SADD, "old", 0, 2100, 2, 1, SAT_APPLIED, "old\nvip", 0, 0 },
		{ SAT_OP_SADD, "vip", 0, 2200, 3, 1, SAT_APPLIED, "old\nvip", 0, 0 },
		/* saw LSN 2, not 4 */
		{ SAT_OP_SREM, "vip", 0, 2300, 4, 2, SAT_APPLIED, "old\nvip", 0, 0 },
		{ SAT_OP_SREM, "vip", 0, 2300, 4, 3, SAT_NOTHING, "old\nvip", 0, 0 },
		/* its own add */
		{ SAT_OP_SREM, "vip", 0, 2300, 3, 1, SAT_APPLIED, "old", 0, 0 },
		{ SAT_OP_SREM, "none", 0, 2300, 3, 9, SAT_NOTHING, "old", 0, 0 },
	};

	(void)state;
	PLAY(TAGS, m);
}

static void
an_emptied_set_is_null_and_a_full_one_takes_no_more(void **state) /* P-057 */
{
	world w = fresh();
	char s[16];

	(void)state;
	(void)give(&w, SAT_OP_SADD, TAGS, txt("a"), 2000, 1, 2, 1);
	(void)give(&w, SAT_OP_SREM, TAGS, txt("a"), 2100, 1, 3, 1);
	assert_int_equal(SAT_V_NULL, sat_record_value(&w.r, TAGS).type);
	assert_int_equal(0, sat_record_cell(&w.r, TAGS)->ext.n);
	for (uint64_t i = 0; i < SAT_SET_MAX; i++) {
		(void)snprintf(s, sizeof s, "t%04u", (unsigned)i);
		assert_int_equal(SAT_APPLIED, give(&w, SAT_OP_SADD, TAGS, txt(s),
		    3000 + i, 1, 4 + i, 3));
	}
	assert_int_equal(SAT_NOTHING, give(&w, SAT_OP_SADD, TAGS, txt("more"),
	    9000, 1, 9000, 3));
	assert_int_equal(1, w.last.ndisplaced);
	done(&w);
}

/* ---- stages -------------------------------------------------------------------------- */

static void
a_stage_that_one_side_only_got_to_earlier_is_no_conflict(void **state) /* P-058 */
{
	static const move same_path[] = {
		{ SAT_OP_STAGE, "lead", 0, 2000, 1, 1, SAT_APPLIED, "lead", 0, 0 },
		{ SAT_OP_STAGE, "met", 0, 2100, 2, 2, SAT_APPLIED, "met", 1, 0 },
		{ SAT_OP_STAGE, "offer", 0, 2200, 2, 2, SAT_APPLIED, "offer", 1, 0 },
		/* device 3 was away since LSN 2 and went half as far */
		{ SAT_OP_STAGE, "met", 0, 9000, 3, 2, SAT_LOST, "offer", 1, 0 },
		{ SAT_OP_STAGE, "offer", 0, 9100, 3, 2, SAT_APPLIED, "offer", 0, 0 },
		/* device 2, not having seen any of that, goes on */
		{ SAT_OP_STAGE, "won", 0, 2300, 2, 2, SAT_APPLIED, "won", 1, 0 },
	};
	static const move same_target[] = {
		{ SAT_OP_STAGE, "lead", 0, 2000, 1, 1, SAT_APPLIED, "lead", 0, 0 },
		{ SAT_OP_STAGE, "won", 0, 2100, 2, 2, SAT_APPLIED, "won", 1, 0 },
		{ SAT_OP_STAGE, "met", 0, 2150, 3, 2, SAT_REVIEW, "met", 0, 1 },
		{ SAT_OP_STAGE, "won", 0, 2200, 3, 2, SAT_APPLIED, "won", 1, -1 },
	};

	(void)state;
	PLAY(STAGE, same_path);
	PLAY(STAGE, same_target);
}

static void
stages_that_part_are_for_a_person(void **state) /* P-059 */
{
	static const move m[] = {
		{ SAT_OP_STAGE, "lead", 0, 2000, 1, 1, SAT_APPLIED, "lead", 0, 0 },
		{ SAT_OP_STAGE, "won", 0, 2100, 2, 2, SAT_APPLIED, "won", 1, 0 },
		{ SAT_OP_STAGE, "lost", 0, 2050, 3, 2, SAT_REVIEW, "won", 0, 1 },
		{ SAT_OP_STAGE, "met", 0, 2060, 4, 2, SAT_REVIEW, "won", 0, 0 },
		{ SAT_OP_STAGE, "lost", 0, 2300, 1, 5, SAT_APPLIED, "lost", 2, -1 },
	};
	static const sat_dot dots[] = { { 2, 3 }, { 3, 4 } };
	world w = fresh();

	(void)state;
	PLAY(STAGE, m);
	(void)give(&w, SAT_OP_STAGE, STAGE, txt("lead"), 2000, 1, 2, 1);
	(void)give(&w, SAT_OP_STAGE, STAGE, txt("won"), 2100, 2, 3, 2);
	(void)give(&w, SAT_OP_STAGE, STAGE, txt("lost"), 2200, 3, 4, 2);
	assert_int_equal(2, ncandidates(&w, STAGE));
	assert_int_equal(SAT_APPLIED, resolve(&w, STAGE, "won", 3000, 4, 5, 2,
	    dots, 2));
	assert_is(&w, STAGE, "won");
	assert_int_equal(0, ncandidates(&w, STAGE));
	done(&w);
}

static void
a_stage_given_twice_is_settled_by_its_last_dot(void **state) /* P-059 */
{
	static const sat_dot dots[] = { { 2, 4 }, { 3, 5 } };
	world w = fresh();

	(void)state;
	(void)give(&w, SAT_OP_STAGE, STAGE, txt("lead"), 2000, 1, 2, 1);
	(void)give(&w, SAT_OP_STAGE, STAGE, txt("won"), 2100, 2, 3, 2);
	(void)give(&w, SAT_OP_STAGE, STAGE, txt("won"), 2200, 2, 4, 2);
	(void)give(&w, SAT_OP_STAGE, STAGE, txt("lost"), 2150, 3, 5, 2);
	assert_int_equal(2, ncandidates(&w, STAGE));
	assert_int_equal(SAT_APPLIED, resolve(&w, STAGE, "lost", 3000, 4, 6, 2,
	    dots, 2));
	assert_int_equal(0, ncandidates(&w, STAGE));
	done(&w);
}

/* Two devices walk the same list of stages, any number of steps each, in any
 * mixture of arrivals: never a conflict, and the further one counts. */
static void
the_same_way_walked_twice_is_never_a_conflict(void **state) /* P-058 */
{
	static const char *const way[] = { "s1", "s2", "s3", "s4", "s5" };
	uint64_t seed = sat_test_seed(31);

	(void)state;
	for (int round = 0; round < 2000; round++) {
		world w = fresh();
		size_t steps[2], at[2] = { 0, 0 };
		uint64_t lsn = 2;

		(void)give(&w, SAT_OP_STAGE, STAGE, txt("s0"), 2000, 1, lsn, 1);
		steps[0] = sat_test_rand(&seed) % 6;
		steps[1] = sat_test_rand(&seed) % 6;
		while (at[0] < steps[0] || at[1] < steps[1]) {
			size_t d = sat_test_rand(&seed) % 2;

			if (at[d] == steps[d])
				continue;
			(void)give(&w, SAT_OP_STAGE, STAGE, txt(way[at[d]++]),
			    3000 + sat_test_rand(&seed) % 1000, 2 + (uint32_t)d,
			    ++lsn, 2);
			assert_int_equal(0, ncandidates(&w, STAGE));
		}
		if (steps[0] + steps[1] > 0)
			assert_is(&w, STAGE, way[(steps[0] > steps[1] ?
			    steps[0] : steps[1]) - 1]);
		done(&w);
	}
}

/* Three devices each walk a way of their own, none seeing another; their paths
 * meet, part and meet again. What is shown and what is open is the same in
 * every mixture of arrivals. */
#define WALKERS 3
#define WALK_MAX 4

typedef struct walk {
	size_t n[WALKERS];
	const char *step[WALKERS][WALK_MAX];
	uint64_t at[WALKERS][WALK_MAX];
} walk;

static void
walk_in_some_order(char out[160], const walk *k, uint64_t *seed)
{
	world w = fresh();
	size_t done_[WALKERS] = { 0 }, left = k->n[0] + k->n[1] + k->n[2];
	const sat_cell *c;
	sat_candidate *list;
	uint64_t lsn = 2, opened;
	size_t n;

	(void)give(&w, SAT_OP_STAGE, STAGE, txt("s0"), 2000, 9, lsn, 1);
	while (left > 0) {
		size_t d = sat_test_rand(seed) % WALKERS;

		if (done_[d] == k->n[d])
			continue;
		(void)give(&w, SAT_OP_STAGE, STAGE,
		    txt(k->step[d][done_[d]]), k->at[d][done_[d]],
		    2 + (uint32_t)d, ++lsn, 2);
		done_[d]++;
		left--;
	}
	c = sat_record_cell(&w.r, STAGE);
	n = sat_cell_candidates(&list, &opened, &w.a, SAT_P_STAGE, c);
	out[0] = '\0';
	(void)snprintf(out, 160, "%.*s:", (int)c->value.s.n,
	    (const char *)c->value.s.p);
	for (size_t i = 0; i < n; i++)
		(void)snprintf(out + strlen(out), 160 - strlen(out), " %.*s",
		    (int)list[i].value.s.n,
		    (const char *)list[i].value.s.p);
	assert_true((n > 1) == (opened != 0));
	done(&w);
}

static void
paths_that_meet_on_the_way_show_the_same_in_every_order(void **state) /* P-058 */
{
	static const char *const names[] = { "aa", "bb", "cc" };
	uint64_t seed = sat_test_seed(37);
	size_t open = 0;

	(void)state;
	for (int round = 0; round < 400; round++) {
		char first[160], again[160];
		walk k;

		for (size_t d = 0; d < WALKERS; d++) {
			k.n[d] = 1 + sat_test_rand(&seed) % WALK_MAX;
			for (size_t i = 0; i < k.n[d]; i++) {
				k.step[d][i] = names[sat_test_rand(&seed) % 3];
				k.at[d][i] = 3000 + 100 * i +
				    sat_test_rand(&seed) % 100;
			}
		}
		walk_in_some_order(first, &k, &seed);
		open += strchr(first, ' ') != NULL;
		for (int i = 0; i < 8; i++) {
			walk_in_some_order(again, &k, &seed);
			assert_string_equal(first, again);
		}
	}
	assert_true(open > 50 && open < 390);
}

/* The first is the beginning of the second, the second of the third, and that
 * one arrived where the first is: one of them is shown all the same. */
static void
paths_that_stand_for_each_other_in_a_circle_show_one(void **state) /* P-058 */
{
	static const walk circle = { .n = { 1, 2, 3 },
		.step = { { "zz" }, { "zz", "yy" }, { "zz", "yy", "zz" } },
		.at = { { 3900 }, { 3000, 3100 }, { 3010, 3110, 3210 } } };
	uint64_t seed = sat_test_seed(41);
	char shown[160];

	(void)state;
	for (int i = 0; i < 60; i++) {
		walk_in_some_order(shown, &circle, &seed);
		assert_string_equal("zz:", shown);
	}
}

/* ---- deletion -------------------------------------------------------------------------- */

static void
an_edit_the_deletion_did_not_see_is_for_a_person(void **state) /* P-060 */
{
	world w = fresh();

	(void)state;
	(void)give(&w, SAT_OP_SET, PLAIN, txt("a"), 2000, 2, 2, 1);
	assert_int_equal(SAT_REVIEW, give(&w, SAT_OP_DEL, 0, sat_v_null(), 2100,
	    3, 3, 1));
	assert_true(w.r.deleted && w.r.with_edits && w.last.conflict_opened);
	/* a confirmation that saw the edit */
	assert_int_equal(SAT_APPLIED, give(&w, SAT_OP_DEL, 0, sat_v_null(), 2200,
	    4, 4, 3));
	assert_true(w.r.deleted && !w.r.with_edits && w.last.conflict_closed);
	assert_int_equal(SAT_NOTHING, give(&w, SAT_OP_DEL, 0, sat_v_null(), 2300,
	    5, 5, 1));
	done(&w);
}

static void
an_edit_that_did_not_see_the_deletion_is_for_a_person(void **state) /* P-061 */
{
	world w = fresh();

	(void)state;
	assert_int_equal(SAT_APPLIED, give(&w, SAT_OP_DEL, 0, sat_v_null(), 2000,
	    2, 2, 1));
	assert_int_equal(SAT_REVIEW, give(&w, SAT_OP_SET, PLAIN, txt("a"), 2100,
	    3, 3, 1));
	assert_true(w.r.deleted && w.r.with_edits && w.last.conflict_opened);
	assert_is(&w, PLAIN, "a");
	/* confirmed by somebody who did not see the edit: still open */
	assert_int_equal(SAT_NOTHING, give(&w, SAT_OP_DEL, 0, sat_v_null(), 2200,
	    4, 4, 2));
	assert_true(w.r.with_edits);
	assert_int_equal(SAT_APPLIED, give(&w, SAT_OP_UNDEL, 0, sat_v_null(),
	    2300, 4, 5, 4));
	assert_true(!w.r.deleted && !w.r.with_edits && w.last.conflict_closed);
	done(&w);
	w = fresh(); /* who knew it was deleted leaves it deleted */
	(void)give(&w, SAT_OP_DEL, 0, sat_v_null(), 2000, 2, 2, 1);
	assert_int_equal(SAT_APPLIED, give(&w, SAT_OP_SET, PLAIN, txt("a"), 2100,
	    3, 3, 2));
	assert_false(w.r.with_edits);
	done(&w);
}

static void
an_edit_in_a_set_or_a_candidate_counts_as_an_edit(void **state) /* P-060 */
{
	world w = fresh();

	(void)state;
	(void)give(&w, SAT_OP_SADD, TAGS, txt("a"), 9000, 2, 2, 1);
	(void)give(&w, SAT_OP_SADD, TAGS, txt("b"), 2000, 3, 3, 1);
	assert_int_equal(SAT_REVIEW, give(&w, SAT_OP_DEL, 0, sat_v_null(), 2100,
	    4, 4, 2));
	done(&w);
	w = fresh();
	(void)give(&w, SAT_OP_MVSET, NAME, txt("a"), 9000, 2, 2, 1);
	(void)give(&w, SAT_OP_MVSET, NAME, txt("b"), 2000, 3, 3, 1);
	assert_int_equal(SAT_REVIEW, give(&w, SAT_OP_DEL, 0, sat_v_null(), 2100,
	    4, 4, 2));
	done(&w);
}

static void
who_saw_everything_deletes_quietly(void **state) /* P-062, P-063 */
{
	world w = fresh();

	(void)state;
	(void)give(&w, SAT_OP_SET, PLAIN, txt("a"), 2000, 2, 2, 1);
	assert_int_equal(SAT_APPLIED, give(&w, SAT_OP_DEL, 0, sat_v_null(), 2100,
	    3, 3, 2));
	assert_int_equal(SAT_APPLIED, give(&w, SAT_OP_UNDEL, 0, sat_v_null(),
	    2200, 4, 4, 3));
	assert_int_equal(SAT_NOTHING, give(&w, SAT_OP_UNDEL, 0, sat_v_null(),
	    2200, 5, 5, 3));
	/* deleting again without knowing of the restore */
	assert_int_equal(SAT_REVIEW, give(&w, SAT_OP_DEL, 0, sat_v_null(), 2300,
	    5, 6, 3));
	done(&w);
}

static void
operations_out_of_place_are_refused(void **state) /* P-040 */
{
	world w = fresh();
	sat_record empty = { .eid = 0 };
	sat_op op = { .kind = SAT_OP_SET, .rtype = 1, .field = PLAIN };
	sat_apply_ctx ctx = { { 2000, 2, 2 }, 1, false };

	(void)state;
	assert_int_equal(SAT_NOTHING, give(&w, SAT_OP_NEW, 0, sat_v_null(), 2000,
	    2, 2, 1));
	assert_true(w.r.born.hlc == BORN);
	assert_rc(SAT_ENOTFOUND, sat_record_apply(&w.last, &empty, &w.a, tmpl,
	    &op, &ctx, NULL));
	op.rtype = 2;
	assert_rc(SAT_EINVALID, sat_record_apply(&w.last, &w.r, &w.a, tmpl, &op,
	    &ctx, NULL));
	/* a verb that does not fit its field changes nothing, and is kept */
	assert_int_equal(SAT_NOTHING, give(&w, SAT_OP_SADD, PLAIN, txt("x"), 2000,
	    2, 2, 1));
	assert_int_equal(SAT_NOTHING, give(&w, SAT_OP_SET, TAGS, txt("y"), 2000,
	    2, 2, 1));
	assert_int_equal(2, w.npast);
	assert_int_equal(0, w.r.ncells);
	done(&w);
}

static void
own_pending_operations_fold_on_top(void **state) /* P-042 */
{
	world w = fresh();

	(void)state;
	(void)give(&w, SAT_OP_SET, PLAIN, txt("server"), 2000, 2, 2, 1);
	assert_int_equal(SAT_APPLIED, give(&w, SAT_OP_SET, PLAIN, txt("mine"),
	    2100, 3, 0, 1));
	/* in one commit: same stamp, the later one counts */
	assert_int_equal(SAT_APPLIED, give(&w, SAT_OP_SET, PLAIN, txt("mine 2"),
	    2100, 3, 0, 1));
	/* and it comes behind what the server has of the same device */
	(void)give(&w, SAT_OP_SET, SOURCE + 100, txt("old"), 2100, 3, 9, 1);
	assert_int_equal(SAT_APPLIED, give(&w, SAT_OP_SET, SOURCE + 100,
	    txt("new"), 2100, 3, 0, 1));
	(void)give(&w, SAT_OP_MVSET, NAME, txt("x"), 2000, 2, 2, 1);
	assert_int_equal(SAT_REVIEW, give(&w, SAT_OP_MVSET, NAME, txt("y"), 2100,
	    3, 0, 1));
	assert_int_equal(SAT_REVIEW, give(&w, SAT_OP_MVSET, NAME, txt("z"), 2200,
	    3, 0, 1));
	assert_int_equal(2, ncandidates(&w, NAME));
	(void)give(&w, SAT_OP_SADD, TAGS, txt("t"), 2300, 3, 0, 1);
	assert_int_equal(SAT_APPLIED, give(&w, SAT_OP_SREM, TAGS, txt("t"), 2400,
	    3, 0, 1));
	assert_int_equal(SAT_V_NULL, sat_record_value(&w.r, TAGS).type);
	done(&w);
}

/* ---- any order of arrival --------------------------------------------------------------- */

#define CONCURRENT_MAX 6
typedef struct arrival {
	sat_op_kind kind;
	sat_value v;
	sat_hlc hlc;
	uint32_t dev;
} arrival;

/* What must not depend on the order: values, their stamps without LSN. */
static void
write_visible(sat_buf *b, world *w, uint16_t field)
{
	const sat_cell *c = sat_record_cell(&w->r, field);
	sat_candidate *cand;
	size_t n = field == NAME || field == PHONE || field == STAGE ?
	    candidates(w, field, &cand) : 0;

	sat_value_write(b, c->value);
	sat_write_uint(b, c->at.hlc);
	sat_write_uint(b, c->at.dev);
	for (size_t i = 0; i < n; i++) {
		sat_value_write(b, cand[i].value);
		sat_write_uint(b, cand[i].at.hlc);
		sat_write_uint(b, cand[i].at.dev);
	}
}

static void
fold_in_order(sat_buf *b, uint16_t field, const arrival *x, const size_t *order,
    size_t n)
{
	world w = fresh();

	if (field == STAGE || field == PHONE)
		(void)give(&w, field == STAGE ? SAT_OP_STAGE : SAT_OP_MVSET,
		    field, txt("start"), 1500, 1, 2, 1);
	for (size_t i = 0; i < n; i++) {
		const arrival *a = &x[order[i]];

		(void)give(&w, a->kind, field, a->v, a->hlc, a->dev, 3 + i, 2);
	}
	sat_buf_reset(b);
	write_visible(b, &w, field);
	done(&w);
}

static void
every_order(uint16_t field, const arrival *x, size_t n)
{
	size_t order[CONCURRENT_MAX], count[CONCURRENT_MAX] = { 0 }, i = 1;
	sat_buf first = { 0 }, next = { 0 };

	for (size_t k = 0; k < n; k++)
		order[k] = k;
	fold_in_order(&first, field, x, order, n);
	while (i < n) { /* Heap's permutations */
		size_t from, t;

		if (count[i] >= i) {
			count[i++] = 0;
			continue;
		}
		from = i % 2 == 0 ? 0 : count[i];
		t = order[from];
		order[from] = order[i];
		order[i] = t;
		count[i]++;
		i = 1;
		fold_in_order(&next, field, x, order, n);
		assert_int_equal(first.n, next.n);
		assert_memory_equal(first.p, next.p, first.n);
	}
	sat_buf_fini(&first);
	sat_buf_fini(&next);
}

static arrival
random_arrival(uint64_t *seed, uint16_t field, uint32_t dev)
{
	static const char *const phones[] = { "13800000001", "138 0000 0001",
		"13800000002", "+8613800000002" };
	static const char *const texts[] = { "a", "b", "c", "d" };
	arrival x = { SAT_OP_SET, sat_v_null(), 2000 + sat_test_rand(seed) % 4,
		dev };
	uint64_t k = sat_test_rand(seed) % 4;

	switch (field) {
	case PHONE:
	case NAME:
		x.kind = SAT_OP_MVSET;
		x.v = txt(field == PHONE ? phones[k] : texts[k]);
		break;
	case TAGS:
		x.kind = SAT_OP_SADD;
		x.v = txt(texts[k]);
		break;
	case VISITS:
		x.kind = SAT_OP_ADD;
		x.v = sat_v_int((int64_t)k - 1);
		break;
	case STAGE:
		x.kind = SAT_OP_STAGE;
		x.v = txt(texts[k]);
		break;
	case PLAIN:
		x.v = txt(texts[k]);
		break;
	default:
		x.v = sat_v_int((int64_t)k);
	}
	return x;
}

static void
the_order_of_arrival_of_concurrent_operations_does_not_show(void **state) /* P-049 */
{
	static const uint16_t fields[] = { PLAIN, PHONE, TAGS, VISITS, LATEST,
		BEST, STAGE, NAME };
	uint64_t seed = sat_test_seed(32);

	(void)state;
	for (size_t f = 0; f < sizeof fields / sizeof *fields; f++)
		for (int round = 0; round < 40; round++) {
			size_t n = 2 + sat_test_rand(&seed) %
			    (round < 4 ? CONCURRENT_MAX - 1 : 3);
			arrival x[CONCURRENT_MAX];

			for (size_t i = 0; i < n; i++)
				x[i] = random_arrival(&seed, fields[f],
				    (uint32_t)i + 2);
			every_order(fields[f], x, n);
		}
}

/* ---- random histories -------------------------------------------------------------------- */

/*
 * Devices write offline, push one by one and pull when they like; `seen` and
 * the stamps follow from what each had applied.
 */
#define DEVS 4
#define OPS 60
typedef struct made {
	sat_op_kind kind;
	uint16_t field;
	sat_value v;
	sat_hlc hlc;
	uint32_t dev;
	uint64_t seen, lsn;
} made;

typedef struct history {
	uint64_t *seed;
	made ops[OPS * 2];      /* in LSN order */
	size_t n;
	made queue[DEVS][OPS];
	size_t head[DEVS], tail[DEVS];
	uint64_t seen[DEVS];
	sat_hlc clock[DEVS], top;
	uint64_t lsn;
	unsigned serial;
} history;

static made
random_op(history *h, sat_arena *a)
{
	made m = { .field = (uint16_t)(1 + sat_test_rand(h->seed) % NFIELDS) };
	uint64_t k = sat_test_rand(h->seed);
	char s[24];

	(void)snprintf(s, sizeof s, k % 3 == 0 ? "v%u" : "w%u",
	    k % 3 == 0 ? (unsigned)(k / 3 % 4) : h->serial++);
	m.kind = SAT_OP_SET;
	m.v = sat_value_dup(a, txt(s));
	switch (m.field) {
	case PHONE:
	case NAME:
		m.kind = SAT_OP_MVSET;
		break;
	case TAGS:
		m.kind = k % 2 ? SAT_OP_SADD : SAT_OP_SREM;
		(void)snprintf(s, sizeof s, "t%u", (unsigned)(k / 2 % 5));
		m.v = sat_value_dup(a, txt(s));
		break;
	case VISITS:
		m.kind = SAT_OP_ADD;
		m.v = sat_v_int((int64_t)(k % 9) - 4);
		break;
	case LATEST:
	case BEST:
		m.v = sat_v_int((int64_t)(k % 1000));
		break;
	case STAGE:
		m.kind = SAT_OP_STAGE;
		break;
	case OWNER:
		m.kind = SAT_OP_REASSIGN;
		break;
	default:
		break;
	}
	if (k % 97 == 0) {
		m.kind = k % 2 ? SAT_OP_DEL : SAT_OP_UNDEL;
		m.field = 0;
		m.v = sat_v_null();
	}
	return m;
}

/* One step; true when an operation reached the log (h->ops[h->n - 1]). */
static bool
step(history *h, sat_arena *a)
{
	size_t d = sat_test_rand(h->seed) % DEVS;
	made *m;

	switch (sat_test_rand(h->seed) % 4) {
	case 0:
	case 1:
		if (h->tail[d] == OPS)
			return false;
		m = &h->queue[d][h->tail[d]++];
		*m = random_op(h, a);
		m->dev = (uint32_t)d + 1;
		m->seen = h->seen[d];
		m->hlc = h->clock[d] += 1 + sat_test_rand(h->seed) % 50;
		return false;
	case 2:
		if (h->head[d] == h->tail[d])
			return false;
		h->ops[h->n] = h->queue[d][h->head[d]++];
		h->ops[h->n].lsn = ++h->lsn;
		if (h->ops[h->n].hlc > h->top)
			h->top = h->ops[h->n].hlc;
		h->n++;
		return true;
	default:
		h->seen[d] = h->lsn;
		if (h->clock[d] < h->top)
			h->clock[d] = h->top;
		return false;
	}
}

static sat_outcome
fold_made(world *w, const made *m)
{
	return give(w, m->kind, m->field, m->v, m->hlc, m->dev, m->lsn, m->seen);
}

/* One column is enough to read its cell and to write the clocks again. */
static void
assert_one_column_does(world *w, sat_span clocks)
{
	sat_buf again = { 0 };
	sat_record r;
	sat_err err;

	for (uint16_t f = 1; f <= NFIELDS; f++) {
		const sat_cell *want = sat_record_cell(&w->r, f), *got;

		assert_ok(sat_record_read_clocks_one(&r, &w->a, clocks, f,
		    sat_record_value(&w->r, f), &err));
		got = sat_record_cell(&r, f);
		assert_int_equal(want != NULL, got != NULL);
		if (want != NULL) {
			assert_true(sat_value_eq(want->value, got->value));
			assert_true(want->at.hlc == got->at.hlc);
			assert_true(want->at.lsn == got->at.lsn);
			assert_true(sat_span_eq(want->ext, got->ext));
		}
		sat_buf_reset(&again);
		sat_record_write_clocks(&again, &r);
		assert_true(sat_span_eq(clocks, sat_buf_span(&again)));
	}
	sat_buf_fini(&again);
}

/* The same bytes after writing and reading; so too through columns + clocks. */
static void
assert_round_trips(world *w)
{
	sat_buf b = { 0 }, again = { 0 }, clocks = { 0 };
	sat_record r;
	uint16_t fields[NFIELDS];
	sat_value values[NFIELDS];
	sat_err err;

	sat_record_write(&b, &w->r);
	assert_ok(sat_record_read(&r, &w->a, sat_buf_span(&b), &err));
	sat_record_write(&again, &r);
	assert_int_equal(b.n, again.n);
	assert_memory_equal(b.p, again.p, b.n);

	sat_record_write_clocks(&clocks, &w->r);
	for (uint16_t i = 0; i < NFIELDS; i++) {
		fields[i] = (uint16_t)(i + 1);
		values[i] = sat_record_value(&w->r, fields[i]);
	}
	assert_ok(sat_record_read_clocks(&r, &w->a, sat_buf_span(&clocks),
	    fields, values, NFIELDS, &err));
	r.id = w->r.id;
	r.kind = w->r.kind;
	sat_buf_reset(&again);
	sat_record_write(&again, &r);
	assert_int_equal(b.n, again.n);
	assert_memory_equal(b.p, again.p, b.n);
	assert_one_column_does(w, sat_buf_span(&clocks));

	sat_buf_reset(&again);
	sat_cells_write(&again, w->r.cells, w->r.ncells);
	{
		sat_reader in = sat_reader_of(sat_buf_span(&again));

		r.cells = sat_cells_read(&r.ncells, &w->a, &in);
		assert_ok(sat_read_end(&in, "cells", &err));
	}
	sat_buf_reset(&clocks);
	sat_record_write(&clocks, &r);
	assert_int_equal(b.n, clocks.n);
	assert_memory_equal(b.p, clocks.p, b.n);
	sat_buf_fini(&b);
	sat_buf_fini(&again);
	sat_buf_fini(&clocks);
}

static bool
is_kept_policy(uint16_t field)
{
	return field == PLAIN || field == PHONE || field == NAME ||
	    field == STAGE || field == SOURCE || field == LATEST ||
	    field == BEST;
}

static void
no_value_is_ever_lost(void **state) /* P-043, P-064 */
{
	uint64_t seed = sat_test_seed(33);

	(void)state;
	for (int round = 0; round < 150; round++) {
		history h = { .seed = &seed, .lsn = 1 };
		world w = fresh();

		for (size_t d = 0; d < DEVS; d++) {
			h.seen[d] = 1;
			h.clock[d] = BORN + sat_test_rand(&seed) % 5000;
		}
		for (int i = 0; i < 250 && h.n < OPS * 2; i++) {
			if (!step(&h, &w.a))
				continue;
			(void)fold_made(&w, &h.ops[h.n - 1]);
			for (size_t k = 0; k < h.n; k++)
				if (is_kept_policy(h.ops[k].field) &&
				    !kept_somewhere(&w, h.ops[k].field,
				    h.ops[k].v))
					fail_msg("value of op %zu (field %u) "
					    "lost at %zu", k, h.ops[k].field,
					    h.n - 1);
		}
		assert_round_trips(&w);
		done(&w);
	}
}

/* Has anybody who saw the operation, or made it, written later? */
static bool
gone(const history *h, size_t x)
{
	for (size_t y = x + 1; y < h->n; y++)
		if (h->ops[x].lsn <= h->ops[y].seen ||
		    h->ops[x].dev == h->ops[y].dev)
			return true;
	return false;
}

/* Different values among those of the operations nobody saw. */
static size_t
unseen_values(const history *h)
{
	bool there[OPS * 2] = { false };
	size_t n = 0;

	for (size_t x = 0; x < h->n; x++)
		if (!gone(h, x) && !there[h->ops[x].v.i]) {
			there[h->ops[x].v.i] = true;
			n++;
		}
	return n;
}

/* Candidates are exactly the values no later author had seen; in odd rounds
 * some write the same. */
static void
candidates_are_what_nobody_saw(void **state) /* P-050, P-052 */
{
	uint64_t seed = sat_test_seed(34);
	size_t conflicts = 0;

	(void)state;
	for (int round = 0; round < 400; round++) {
		history h = { .seed = &seed, .lsn = 1 };
		world w = fresh();

		for (size_t d = 0; d < DEVS; d++)
			h.seen[d] = 1;
		for (int i = 0; i < 200 && h.n < OPS * 2; i++) {
			sat_candidate *c;
			size_t n;

			if (!step(&h, &w.a))
				continue;
			made *m = &h.ops[h.n - 1];

			m->kind = SAT_OP_MVSET;
			m->field = NAME;
			m->v = sat_v_int(round % 2 == 0 ? (int64_t)h.n - 1 :
			    (int64_t)(sat_test_rand(&seed) % 3));
			(void)fold_made(&w, m);
			n = candidates(&w, NAME, &c);
			assert_int_equal(unseen_values(&h), n == 0 ? 1 : n);
			conflicts += n > 1;
		}
		assert_round_trips(&w);
		done(&w);
	}
	assert_true(conflicts > 100);
}

/* Against a set that never forgets an add: element is in when one of its adds
 * was not removed by somebody who saw it. */
static void
sets_agree_with_a_set_that_keeps_every_add(void **state) /* P-056 */
{
	uint64_t seed = sat_test_seed(35);

	(void)state;
	for (int round = 0; round < 200; round++) {
		history h = { .seed = &seed, .lsn = 1 };
		bool alive[OPS * 2] = { false };
		world w = fresh();

		for (size_t d = 0; d < DEVS; d++)
			h.seen[d] = 1;
		for (int i = 0; i < 200 && h.n < OPS * 2; i++) {
			sat_element *el;
			size_t n;

			if (!step(&h, &w.a))
				continue;
			made *m = &h.ops[h.n - 1];
			char s[8];

			m->field = TAGS;
			m->kind = sat_test_rand(&seed) % 2 ? SAT_OP_SADD :
			    SAT_OP_SREM;
			(void)snprintf(s, sizeof s, "t%u",
			    (unsigned)(sat_test_rand(&seed) % 4));
			m->v = sat_value_dup(&w.a, txt(s));
			(void)fold_made(&w, m);
			alive[h.n - 1] = m->kind == SAT_OP_SADD;
			for (size_t x = 0; m->kind == SAT_OP_SREM && x < h.n; x++)
				if (sat_value_eq(h.ops[x].v, m->v) &&
				    (h.ops[x].lsn <= m->seen ||
				    h.ops[x].dev == m->dev))
					alive[x] = false;
			n = sat_record_cell(&w.r, TAGS) == NULL ? 0 :
			    sat_cell_elements(&el, &w.a,
			    sat_record_cell(&w.r, TAGS));
			for (unsigned t = 0; t < 4; t++) {
				bool want = false, got = false;

				(void)snprintf(s, sizeof s, "t%u", t);
				for (size_t x = 0; x < h.n; x++)
					want |= alive[x] &&
					    sat_value_eq(h.ops[x].v, txt(s));
				for (size_t x = 0; x < n; x++)
					got |= sat_span_eq(el[x].text,
					    sat_span_str(s));
				assert_int_equal(want, got);
			}
		}
		done(&w);
	}
}

/* ---- bytes -------------------------------------------------------------------------------- */

static void
a_record_nobody_changed_has_clocks_of_constant_size(void **state) /* P-065 */
{
	size_t bytes[2];

	(void)state;
	for (int many = 0; many < 2; many++) {
		world w = fresh();
		sat_buf b = { 0 };

		for (uint16_t f = 1; f <= (many ? 9 : 1); f += 4)
			(void)give(&w, SAT_OP_SET, f, txt("v"), BORN, 1, 1, 0);
		sat_record_write_clocks(&b, &w.r);
		bytes[many] = b.n;
		sat_buf_fini(&b);
		done(&w);
	}
	assert_int_equal(bytes[0], bytes[1]);
	assert_true(bytes[0] <= 13);
}

static void
damaged_states_are_refused_or_written_back_as_they_are(void **state) /* P-064 */
{
	uint64_t seed = sat_test_seed(36);
	world w = fresh();
	sat_buf b = { 0 }, again = { 0 };
	sat_record r;
	size_t sound = 0;

	(void)state;
	for (uint32_t i = 2; i < 5; i++) {
		(void)give(&w, SAT_OP_MVSET, NAME, txt(i % 2 ? "x" : "y"), 2000 + i,
		    i, i, 1);
		(void)give(&w, SAT_OP_SADD, TAGS, txt("t"), 2000, i, i, 1);
	}
	(void)give(&w, SAT_OP_DEL, 0, sat_v_null(), 2500, 2, 9, 1);
	sat_record_write(&b, &w.r);
	for (size_t i = 0; i < b.n; i++)
		assert_rc(SAT_EPROTO, sat_record_read(&r, &w.a,
		    sat_span_of(b.p, i), NULL));
	for (int round = 0; round < 3000; round++) {
		size_t i = sat_test_rand(&seed) % b.n;
		uint8_t old = b.p[i];

		b.p[i] = (uint8_t)sat_test_rand(&seed);
		if (sat_record_read(&r, &w.a, sat_buf_span(&b), NULL) == SAT_OK) {
			sat_buf_reset(&again);
			sat_record_write(&again, &r);
			assert_int_equal(b.n, again.n);
			assert_memory_equal(b.p, again.p, b.n);
			sound++;
		}
		b.p[i] = old;
		if (round % 100 == 0)
			sat_arena_reset(&w.a);
	}
	assert_true(sound > 0);
	sat_buf_fini(&b);
	sat_buf_fini(&again);
	done(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_two_plain_values_the_later_stamp_stays),
		cmocka_unit_test(a_value_given_once_stays),
		cmocka_unit_test(the_largest_and_the_smallest_value_stay),
		cmocka_unit_test(an_empty_value_is_no_extreme),
		cmocka_unit_test(a_counter_adds_up_and_stops_at_its_end),
		cmocka_unit_test(an_owner_changes_only_by_who_saw_the_owner),
		cmocka_unit_test(a_reviewed_field_keeps_concurrent_values_for_a_person),
		cmocka_unit_test(values_that_read_the_same_are_no_conflict),
		cmocka_unit_test(an_equal_value_stays_when_the_other_author_moves_on),
		cmocka_unit_test(a_deletion_that_did_not_see_an_equal_value_asks),
		cmocka_unit_test(two_resolutions_meet_only_each_other),
		cmocka_unit_test(dots_settle_what_the_position_does_not_cover),
		cmocka_unit_test(the_conflict_remembers_what_opened_it),
		cmocka_unit_test(too_many_candidates_push_the_oldest_into_history),
		cmocka_unit_test(a_concurrent_add_survives_a_removal),
		cmocka_unit_test(an_emptied_set_is_null_and_a_full_one_takes_no_more),
		cmocka_unit_test(a_stage_that_one_side_only_got_to_earlier_is_no_conflict),
		cmocka_unit_test(stages_that_part_are_for_a_person),
		cmocka_unit_test(a_stage_given_twice_is_settled_by_its_last_dot),
		cmocka_unit_test(paths_that_stand_for_each_other_in_a_circle_show_one),
		cmocka_unit_test(paths_that_meet_on_the_way_show_the_same_in_every_order),
		cmocka_unit_test(the_same_way_walked_twice_is_never_a_conflict),
		cmocka_unit_test(an_edit_the_deletion_did_not_see_is_for_a_person),
		cmocka_unit_test(an_edit_that_did_not_see_the_deletion_is_for_a_person),
		cmocka_unit_test(an_edit_in_a_set_or_a_candidate_counts_as_an_edit),
		cmocka_unit_test(who_saw_everything_deletes_quietly),
		cmocka_unit_test(operations_out_of_place_are_refused),
		cmocka_unit_test(own_pending_operations_fold_on_top),
		cmocka_unit_test(the_order_of_arrival_of_concurrent_operations_does_not_show),
		cmocka_unit_test(no_value_is_ever_lost),
		cmocka_unit_test(candidates_are_what_nobody_saw),
		cmocka_unit_test(sets_agree_with_a_set_that_keeps_every_add),
		cmocka_unit_test(a_record_nobody_changed_has_clocks_of_constant_size),
		cmocka_unit_test(damaged_states_are_refused_or_written_back_as_they_are),
	};

	return cmocka_run_group_tests(tests, load_thing, unload_thing);
}
