/*
 * Sums over records (P-180).
 */
#include "tests/lib/unit.h"

#include "protocol/digest.h"

static sat_cell cells[4];

static sat_record
sample(void)
{
	sat_record r = { .kind = 1, .eid = 9, .born = { 100, 2, 3 },
		.rlsn = 7, .ncells = 4, .cells = cells };

	memset(r.id.b, 0x11, sizeof r.id.b);
	cells[0] = (sat_cell){ 2, sat_v_text(sat_span_str("Firm")),
		{ 100, 2, 3 }, { NULL, 0 } };
	cells[1] = (sat_cell){ 5, sat_v_int(-4), { 101, 3, 4 }, { NULL, 0 } };
	cells[2] = (sat_cell){ 6, sat_v_null(), { 102, 3, 7 }, { NULL, 0 } };
	cells[3] = (sat_cell){ SAT_SYS_FIRST, sat_v_int(1), { 1, 1, 1 },
		sat_span_str("ext") };
	return r;
}

static void
assert_sum(sat_sum want, sat_sum got)
{
	assert_true(sat_sum_eq(want, got));
}

static void
sums_add_up_in_any_order_and_go_back_to_nothing(void **state)
{
	sat_sum a = { UINT64_MAX, UINT64_MAX }, b = { 1, UINT64_MAX };
	sat_sum x = { 0, 0 }, y = { 0, 0 };

	(void)state;
	sat_sum_add(&x, a);
	sat_sum_add(&x, b);
	sat_sum_add(&y, b);
	sat_sum_add(&y, a);
	assert_sum(x, y);
	assert_int_equal(1, x.hi);
	assert_true(x.lo == UINT64_MAX - 1);
	sat_sum_sub(&x, a);
	assert_sum(b, x);
	sat_sum_sub(&x, b);
	assert_true(sat_sum_zero(x));
}

/* Every bit of the state that a write could lose. */
static void
every_member_of_a_state_moves_its_sum(void **state)
{
	sat_record r = sample();
	sat_sum was = sat_sum_record(&r);

	(void)state;
#define MOVES(change)                                            \
	do {                                                     \
		r = sample();                                    \
		change;                                          \
		assert_false(sat_sum_eq(was, sat_sum_record(&r))); \
	} while (0)
	MOVES(r.id.b[15] ^= 1);
	MOVES(r.kind ^= 1);
	MOVES(r.born.hlc ^= 1);
	MOVES(r.born.dev ^= 1);
	MOVES(r.born.lsn ^= 1);
	MOVES(r.rlsn ^= 1);
	MOVES(r.deleted = true);
	MOVES(r.with_edits = true);
	MOVES(r.del_at.hlc = 1);
	MOVES(r.del_at.lsn = 1);
	MOVES(r.del_seen = 1);
	MOVES(r.ncells--);
	for (int i = 0; i < 4; i++) {
		MOVES(cells[i].field ^= 512);
		MOVES(cells[i].at.hlc ^= 1);
		MOVES(cells[i].at.dev ^= 1);
		MOVES(cells[i].at.lsn ^= 1);
		MOVES(cells[i].value = sat_v_text(sat_span_str("firm")));
		MOVES(cells[i].ext = sat_span_str("other"));
	}
	MOVES(cells[2].value = sat_v_text(sat_span_str("")));
	MOVES(cells[1].value = sat_v_int(4));
	r = sample();
	r.eid = 10; /* a name of the device's table, not of the state */
	assert_sum(was, sat_sum_record(&r));
}

static void
what_a_change_moves_is_the_difference(void **state)
{
	uint64_t seed = sat_test_seed(5);
	sat_sum_diff got;
	sat_sum want;

	(void)state;
	for (int round = 0; round < 2000; round++) {
		sat_cell before[4], after[4];
		sat_record was = sample(), is = was;

		memcpy(before, cells, sizeof before);
		memcpy(after, cells, sizeof after);
		was.cells = before;
		is.cells = after;
		for (int i = 0; i < 4; i++) {
			uint64_t x = sat_test_rand(&seed);

			if (x % 3 == 0)
				after[i].at.lsn = x >> 32;
			if (x % 5 == 0)
				after[i].value = sat_v_int((int64_t)x);
			if (x % 7 == 0)
				before[i].field = (uint16_t)(after[i].field + 1);
		}
		was.ncells = sat_test_rand(&seed) % 5;
		is.rlsn = sat_test_rand(&seed) % 2 + 7;
		want = sat_sum_record(&is);
		sat_sum_sub(&want, sat_sum_record(&was));
		sat_sum_change(&got, &was, &is);
		if (!sat_sum_eq(want, got.sum))
			fail_msg("round %d", round);
	}
}

static void
a_change_names_the_fields_that_differ(void **state)
{
	sat_cell before[4], many[SAT_DIFF_FIELDS + 1];
	sat_record was = sample(), is = was;
	sat_sum_diff got;

	(void)state;
	memcpy(before, cells, sizeof before);
	was.cells = before;
	before[1].value = sat_v_int(41);
	before[2].at.lsn++;
	sat_sum_change(&got, &was, &is);
	assert_int_equal(got.n, 2);
	assert_int_equal(got.field[0], cells[1].field);
	assert_int_equal(got.field[1], cells[2].field);
	was.ncells = 0;
	is.cells = many;
	is.ncells = SAT_DIFF_FIELDS + 1;
	for (size_t i = 0; i < is.ncells; i++) {
		many[i] = cells[1];
		many[i].field = (uint16_t)(i + 1);
	}
	sat_sum_change(&got, &was, &is);
	assert_int_equal(got.n, SAT_DIFF_FIELDS + 1);
	assert_int_equal(got.field[SAT_DIFF_FIELDS - 1], SAT_DIFF_FIELDS);
}

/* A device that has read one column moves the sum as one that has read all. */
static void
the_part_of_a_field_is_all_an_operation_on_it_moves(void **state)
{
	sat_record r = sample();
	sat_sum whole = sat_sum_record(&r), sum = whole;

	(void)state;
	sat_sum_sub(&sum, sat_sum_part(&r, 5));
	cells[1].value = sat_v_int(99);
	cells[1].at.lsn = 50;
	cells[3].value = sat_v_int(2); /* a system field beside it */
	r.rlsn = 50;
	sat_sum_add(&sum, sat_sum_part(&r, 5));
	assert_sum(sat_sum_record(&r), sum);
	assert_false(sat_sum_eq(whole, sum));
}

static void
long_values_and_sums_as_bytes(void **state)
{
	static char text[5000];
	uint8_t b[SAT_SUM_BYTES];
	sat_record r = sample();
	sat_sum a, s;

	(void)state;
	memset(text, 'x', sizeof text - 1);
	cells[0].value = sat_v_text(sat_span_str(text));
	a = sat_sum_record(&r);
	text[4000] = 'y';
	s = sat_sum_record(&r);
	assert_false(sat_sum_eq(a, s));
	sat_sum_write(b, s);
	assert_sum(s, sat_sum_read(b));
	assert_int_equal(s.lo & 0xff, b[15]);
	assert_int_equal(0, sat_bucket_of(255));
	assert_int_equal(1, sat_bucket_of(256));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sums_add_up_in_any_order_and_go_back_to_nothing),
		cmocka_unit_test(every_member_of_a_state_moves_its_sum),
		cmocka_unit_test(what_a_change_moves_is_the_difference),
		cmocka_unit_test(a_change_names_the_fields_that_differ),
		cmocka_unit_test(the_part_of_a_field_is_all_an_operation_on_it_moves),
		cmocka_unit_test(long_values_and_sums_as_bytes),
	};

	sat_crypto_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
