/*
 * Invariants, named in the tests:
 *   R1  the queue is the same for every order and repetition of the turns.
 *   R2  nobody stands in it twice; who is here was not gone last.
 */
#include "common/model/rotation.h"

#include <stdlib.h>
#include <string.h>

static int
by_stamp(const void *va, const void *vb)
{
	const sat_turn *a = *(const sat_turn *const *)va;
	const sat_turn *b = *(const sat_turn *const *)vb;

	if (a->stamp != b->stamp)
		return a->stamp < b->stamp ? -1 : 1;
	return memcmp(a->id.b, b->id.b, sizeof a->id.b);
}

static int
by_key(const void *a, const void *b)
{
	return sat_span_cmp(((const sat_turn_place *)a)->who,
	    ((const sat_turn_place *)b)->who);
}

/* Where he stands in the queue; x->n: nowhere. */
static size_t
at(const sat_rotation *x, sat_span who)
{
	size_t i = 0;

	while (i < x->n && !sat_span_eq(x->place[i].who, who))
		i++;
	return i;
}

static sat_turn_place *
place_of(sat_rotation *x, sat_span who)
{
	size_t i = at(x, who);

	if (i == x->n)
		x->place[x->n++] = (sat_turn_place){ .who = who };
	return &x->place[i];
}

/* From place i to place `to`; the others close up. */
static void
move(sat_rotation *x, size_t i, size_t to)
{
	sat_turn_place p = x->place[i];

	if (i < to)
		memmove(x->place + i, x->place + i + 1,
		    (to - i) * sizeof p);
	else
		memmove(x->place + to + 1, x->place + to,
		    (i - to) * sizeof p);
	x->place[to] = p;
}

static sat_turn_effect
join(sat_rotation *x, size_t i)
{
	if (x->place[i].here)
		return SAT_TURN_NOTHING;
	x->place[i].here = true;
	move(x, i, x->nhere++);
	return SAT_TURN_DONE;
}

static sat_turn_effect
leave(sat_rotation *x, size_t i)
{
	if (!x->place[i].here)
		return SAT_TURN_NOTHING;
	x->place[i].here = false;
	move(x, i, --x->nhere);
	return SAT_TURN_DONE;
}

static sat_turn_effect
serve(sat_rotation *x, size_t i, bool returning)
{
	bool here = x->place[i].here;

	x->place[i].served++;
	x->place[i].returning += returning;
	if (returning)
		return SAT_TURN_DONE;
	if (!here)
		return SAT_TURN_STAND_IN;
	move(x, i, x->nhere - 1);
	return i == 0 ? SAT_TURN_DONE : SAT_TURN_OUT_OF_TURN;
}

static sat_turn_effect
skip(sat_rotation *x, size_t i)
{
	if (!x->place[i].here)
		return SAT_TURN_NOTHING;
	x->place[i].skipped++;
	move(x, i, x->nhere - 1);
	return SAT_TURN_DONE;
}

static sat_turn_effect
swap(sat_rotation *x, size_t i, size_t j)
{
	sat_turn_place p = x->place[i];

	if (!x->place[i].here || !x->place[j].here || i == j)
		return SAT_TURN_NOTHING;
	x->place[i] = x->place[j];
	x->place[j] = p;
	return SAT_TURN_DONE;
}

static sat_turn_effect
one(sat_rotation *x, const sat_turn *t)
{
	size_t i = (size_t)(place_of(x, t->who) - x->place), j;

	switch (t->what) {
	case SAT_TURN_JOIN: return join(x, i);
	case SAT_TURN_LEAVE: return leave(x, i);
	case SAT_TURN_SERVE: return serve(x, i, t->returning);
	case SAT_TURN_SKIP: return skip(x, i);
	case SAT_TURN_SWAP:
		if (t->other.n == 0)
			break;
		j = (size_t)(place_of(x, t->other) - x->place);
		return swap(x, i, j);
	}
	return SAT_TURN_NOTHING;
}

/* Did somebody its author had not heard of send for the same one? */
static bool
clashes(const sat_rotation *x, const sat_turn *t)
{
	for (size_t i = x->nlog; i-- > 0;) {
		const sat_turn *b = x->log[i].turn;

		if (sat_id_eq(&b->id, &t->after))
			return false;
		if (b->what == SAT_TURN_SERVE && !b->returning &&
		    sat_span_eq(b->who, t->who))
			return true;
	}
	return false;
}

void
sat_rotation_fold(sat_rotation *out, sat_arena *a, const sat_turn *turns,
    size_t n)
{
	const sat_turn **t = sat_arena_alloc(a, (n + 1) * sizeof *t);

	memset(out, 0, sizeof *out);
	out->place = sat_arena_alloc(a, (2 * n + 1) * sizeof *out->place);
	out->log = sat_arena_alloc(a, (n + 1) * sizeof *out->log);
	for (size_t i = 0; i < n; i++)
		t[i] = &turns[i];
	if (n > 0)
		qsort(t, n, sizeof *t, by_stamp);
	for (size_t i = 0; i < n; i++) {
		sat_turn_done d = { .turn = t[i] };
		static const sat_id none;
		const sat_id *before = out->nlog > 0 ?
		    &out->log[out->nlog - 1].turn->id : &none;

		if (out->nlog > 0 && sat_id_eq(before, &t[i]->id))
			continue; /* R1 */
		d.blind = !sat_id_eq(before, &t[i]->after);
		d.clash = d.blind && t[i]->what == SAT_TURN_SERVE &&
		    !t[i]->returning && clashes(out, t[i]);
		d.effect = one(out, t[i]);
		out->log[out->nlog++] = d;
	}
	if (out->n > out->nhere)
		qsort(out->place + out->nhere, out->n - out->nhere,
		    sizeof *out->place, by_key);
}
