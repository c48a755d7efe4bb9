/* Who receives the next visitor: one list, one queue, whoever folds it. */
#include "tests/lib/unit.h"

#include "common/model/rotation.h"

static sat_turn
turn(uint8_t no, sat_turn_what what, const char *who, const char *other)
{
	sat_turn t = { .stamp = no, .what = what, .who = sat_span_str(who),
		.other = sat_span_str(other) };

	t.id.b[15] = no;
	t.after.b[15] = (uint8_t)(no - 1);
	return t;
}

/* "ann bob cat" */
static void
queue_is(const sat_rotation *r, const char *want)
{
	char got[200] = "";
	size_t n = 0;

	for (size_t i = 0; i < r->nhere; i++)
		n += (size_t)snprintf(got + n, sizeof got - n, "%s%.*s",
		    i > 0 ? " " : "", (int)r->place[i].who.n,
		    (const char *)r->place[i].who.p);
	assert_string_equal(want, got);
}

static void
whoever_received_goes_to_the_end(void **state)
{
	sat_turn t[] = { turn(1, SAT_TURN_JOIN, "ann", ""),
		turn(2, SAT_TURN_JOIN, "bob", ""),
		turn(3, SAT_TURN_JOIN, "cat", ""),
		turn(4, SAT_TURN_SERVE, "ann", ""),
		turn(5, SAT_TURN_JOIN, "bob", "") };
	sat_arena a = { 0 };
	sat_rotation r;

	(void)state;
	sat_rotation_fold(&r, &a, t, 5);
	queue_is(&r, "bob cat ann");
	assert_int_equal(SAT_TURN_DONE, r.log[3].effect);
	assert_int_equal(SAT_TURN_NOTHING, r.log[4].effect);
	assert_false(r.log[3].blind);
	sat_arena_fini(&a);
}

static void
his_own_customer_costs_no_turn(void **state)
{
	sat_turn t[] = { turn(1, SAT_TURN_JOIN, "ann", ""),
		turn(2, SAT_TURN_JOIN, "bob", ""),
		turn(3, SAT_TURN_SERVE, "ann", "") };
	sat_arena a = { 0 };
	sat_rotation r;

	(void)state;
	t[2].returning = true;
	sat_rotation_fold(&r, &a, t, 3);
	queue_is(&r, "ann bob");
	assert_int_equal(1, r.place[0].served);
	assert_int_equal(1, r.place[0].returning);
	sat_arena_fini(&a);
}

static void
skipping_swapping_and_going(void **state)
{
	sat_turn t[] = { turn(1, SAT_TURN_JOIN, "ann", ""),
		turn(2, SAT_TURN_JOIN, "bob", ""),
		turn(3, SAT_TURN_JOIN, "cat", ""),
		turn(4, SAT_TURN_SKIP, "ann", ""),     /* bob cat ann */
		turn(5, SAT_TURN_SWAP, "bob", "ann"),  /* ann cat bob */
		turn(6, SAT_TURN_SERVE, "bob", ""),    /* ann cat bob */
		turn(7, SAT_TURN_LEAVE, "cat", ""),
		turn(8, SAT_TURN_SERVE, "cat", ""),
		turn(9, SAT_TURN_SWAP, "ann", "cat"),
		turn(10, SAT_TURN_SWAP, "ann", "") };
	sat_arena a = { 0 };
	sat_rotation r;

	(void)state;
	sat_rotation_fold(&r, &a, t, 10);
	queue_is(&r, "ann bob");
	assert_int_equal(SAT_TURN_OUT_OF_TURN, r.log[5].effect);
	assert_int_equal(SAT_TURN_STAND_IN, r.log[7].effect);
	assert_int_equal(SAT_TURN_NOTHING, r.log[8].effect);
	assert_int_equal(SAT_TURN_NOTHING, r.log[9].effect);
	assert_int_equal(3, r.n);
	assert_int_equal(1, r.place[0].skipped);
	assert_true(sat_span_eq(r.place[2].who, sat_span_str("cat")));
	sat_arena_fini(&a);
}

static void
two_stations_that_sent_for_the_same_one_are_told(void **state)
{
	sat_turn t[] = { turn(1, SAT_TURN_JOIN, "ann", ""),
		turn(2, SAT_TURN_JOIN, "bob", ""),
		turn(3, SAT_TURN_SERVE, "ann", ""),
		turn(4, SAT_TURN_SERVE, "ann", ""),
		turn(5, SAT_TURN_SERVE, "ann", "") };
	sat_arena a = { 0 };
	sat_rotation r;

	(void)state;
	t[3].after = t[1].id; /* had not heard of 3 */
	sat_rotation_fold(&r, &a, t, 5);
	queue_is(&r, "bob ann");
	assert_false(r.log[2].clash);
	assert_true(r.log[3].blind);
	assert_true(r.log[3].clash);
	assert_false(r.log[4].clash); /* saw them both, and meant it */
	sat_arena_fini(&a);
}

/* ---- a second model: texts, rebuilt for each turn -------------------------------- */

enum { PEOPLE = 4, TURNS = 20 };
static const char *const who_[PEOPLE] = { "a", "b", "c", "d" };

/* One letter per consultant. */
static void
slow(char *q, const sat_turn *t, size_t n)
{
	bool used[TURNS] = { false };

	q[0] = '\0';
	for (;;) {
		size_t m = SIZE_MAX;
		char w, o, *p, *r;

		for (size_t i = 0; i < n; i++)
			if (!used[i] && (m == SIZE_MAX ||
			    t[i].stamp < t[m].stamp || (t[i].stamp ==
			    t[m].stamp && memcmp(t[i].id.b, t[m].id.b, 16) < 0)))
				m = i;
		if (m == SIZE_MAX)
			return;
		used[m] = true;
		w = (char)t[m].who.p[0];
		o = (char)t[m].other.p[0];
		p = strchr(q, w);
		r = strchr(q, o);
		switch (t[m].what) {
		case SAT_TURN_JOIN:
			if (p == NULL)
				(void)strncat(q, &w, 1);
			break;
		case SAT_TURN_LEAVE:
			if (p != NULL)
				memmove(p, p + 1, strlen(p));
			break;
		case SAT_TURN_SERVE:
			if (t[m].returning)
				break;
			/* fall through */
		case SAT_TURN_SKIP:
			if (p != NULL) {
				memmove(p, p + 1, strlen(p));
				(void)strncat(q, &w, 1);
			}
			break;
		case SAT_TURN_SWAP:
			if (p != NULL && r != NULL) {
				*p = o;
				*r = w;
			}
			break;
		}
	}
}

static void
every_order_gives_the_queue_of_the_second_model(void **state) /* R1, R2 */
{
	uint64_t seed = sat_test_seed(11);
	sat_arena a = { 0 };

	(void)state;
	for (int round = 0; round < 5000; round++) {
		sat_turn t[TURNS], more[2 * TURNS];
		size_t n = sat_test_rand(&seed) % TURNS, m;
		char want[8];
		sat_rotation r;

		for (size_t i = 0; i < n; i++) {
			t[i] = turn((uint8_t)(i + 1),
			    (sat_turn_what)(1 + sat_test_rand(&seed) % 5),
			    who_[sat_test_rand(&seed) % PEOPLE],
			    who_[sat_test_rand(&seed) % PEOPLE]);
			t[i].stamp = sat_test_rand(&seed) % 8;
			t[i].returning = sat_test_rand(&seed) % 4 == 0;
		}
		slow(want, t, n);
		memcpy(more, t, n * sizeof *t);
		for (m = n; m > 0 && m < 2 * n; m++)
			more[m] = t[sat_test_rand(&seed) % n];
		for (size_t x = m; x > 1; x--) {
			size_t y = sat_test_rand(&seed) % x;
			sat_turn z = more[x - 1];

			more[x - 1] = more[y];
			more[y] = z;
		}
		sat_arena_reset(&a);
		sat_rotation_fold(&r, &a, more, m);
		assert_int_equal(n, r.nlog);
		assert_int_equal(strlen(want), r.nhere);
		for (size_t i = 0; i < r.nhere; i++)
			assert_int_equal(want[i], r.place[i].who.p[0]);
	}
	sat_arena_fini(&a);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(whoever_received_goes_to_the_end),
		cmocka_unit_test(his_own_customer_costs_no_turn),
		cmocka_unit_test(skipping_swapping_and_going),
		cmocka_unit_test(
		    two_stations_that_sent_for_the_same_one_are_told),
		cmocka_unit_test(
		    every_order_gives_the_queue_of_the_second_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
