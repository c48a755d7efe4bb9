/* Batches of records: round trips and damage (P-031, P-037). */
#include "tests/lib/unit.h"

#include <zstd.h>

#include "protocol/batch.h"
#include "protocol/commit.h"
#include "protocol/record.h"
#include "tests/unit/protocol/random.h"

static sat_record *
random_records(sat_arena *a, size_t n)
{
	sat_record *r = sat_arena_alloc(a, n * sizeof *r);
	uint32_t eid = 0;

	memset(r, 0, n * sizeof *r);
	for (size_t i = 0; i < n; i++) {
		uint16_t field = 0;

		r[i].id = random_id(NOON + (int64_t)rnd(1u << 30), 2);
		r[i].eid = eid += 1 + (uint32_t)rnd(3);
		r[i].kind = (uint16_t)(1 + rnd(3));
		r[i].born = (sat_stamp){ sat_hlc_of_ms(NOON) + rnd(1u << 30),
			1 + (uint32_t)rnd(5), rnd(1000) };
		r[i].rlsn = r[i].born.lsn + rnd(1000);
		if (rnd(6) == 0) {
			r[i].deleted = rnd(2);
			r[i].with_edits = r[i].deleted && rnd(2);
			r[i].del_at = (sat_stamp){ r[i].born.hlc + 9, 2, 77 };
			r[i].del_seen = rnd(100);
		}
		r[i].cells = sat_arena_alloc(a, 16 * sizeof *r->cells);
		for (size_t k = rnd(16); k > 0; k--) {
			sat_cell *c = &r[i].cells[r[i].ncells++];

			memset(c, 0, sizeof *c);
			c->field = field += (uint16_t)(1 + rnd(2));
			c->value = random_value(a, SAT_OP_SET);
			c->at = r[i].born;
			if (rnd(3) == 0)
				c->at = (sat_stamp){ r[i].born.hlc + rnd(1u << 30),
					1 + (uint32_t)rnd(9), rnd(5000) + 1 };
			if (rnd(10) == 0)
				c->ext = sat_span_str("packed");
		}
	}
	return r;
}

static void
assert_same_records(const sat_record *x, const sat_record *y, size_t n)
{
	sat_buf bx = { 0 }, by = { 0 };

	for (size_t i = 0; i < n; i++) {
		sat_record_write(&bx, &x[i]);
		sat_record_write(&by, &y[i]);
		assert_int_equal(x[i].eid, y[i].eid);
	}
	assert_int_equal(bx.n, by.n);
	assert_memory_equal(bx.p, by.p, bx.n);
	sat_buf_fini(&bx);
	sat_buf_fini(&by);
}

static void
records_are_read_as_they_were_written(void **state) /* P-037 */
{
	(void)state;
	seed = sat_test_seed(27);
	for (int round = 0; round < 200; round++) {
		sat_arena a = { 0 };
		sat_buf b = { 0 };
		size_t n = rnd(60), got_n;
		sat_record *r = random_records(&a, n + 1), *got;
		sat_err err;

		assert_ok(sat_records_write(&b, r, n, &err));
		assert_ok(sat_records_read(&got, &got_n, &a, sat_buf_span(&b),
		    &err));
		assert_int_equal(n, got_n);
		if (n > 0)
			assert_same_records(r, got, n);
		for (size_t i = 0; i < b.n && round < 5; i++)
			assert_rc(SAT_EPROTO, sat_records_read(&got, &got_n, &a,
			    sat_span_of(b.p, i), NULL));
		sat_buf_fini(&b);
		sat_arena_fini(&a);
	}
}

static void
damaged_records_are_refused_or_sound(void **state) /* P-031 */
{
	size_t refused = 0, sound = 0;

	(void)state;
	seed = sat_test_seed(28);
	for (int round = 0; round < 1500; round++) {
		sat_arena a = { 0 };
		sat_buf b = { 0 };
		size_t n = 1 + rnd(4), i, n2;
		sat_record *r = random_records(&a, n), *got, *again;
		sat_err err;

		assert_ok(sat_records_write(&b, r, n, &err));
		i = rnd(b.n);
		b.p[i] = (uint8_t)(b.p[i] ^ (1u << rnd(8)));
		if (sat_records_read(&got, &n, &a, sat_buf_span(&b), NULL) !=
		    SAT_OK) {
			refused++;
		} else {
			sound++;
			sat_buf_reset(&b);
			assert_ok(sat_records_write(&b, got, n, &err));
			assert_ok(sat_records_read(&again, &n2, &a,
			    sat_buf_span(&b), &err));
			assert_int_equal(n, n2);
			assert_same_records(got, again, n);
		}
		sat_buf_fini(&b);
		sat_arena_fini(&a);
	}
	printf("refused %zu, sound %zu\n", refused, sound);
	assert_true(refused > 0 && sound > 0);
}

static void
when_a_record_was_written_is_read_alone(void **state)
{
	(void)state;
	seed = sat_test_seed(31);
	for (int round = 0; round < 50; round++) {
		sat_arena a = { 0 };
		sat_buf b = { 0 };
		sat_record *r = random_records(&a, 20);
		sat_stamp *at;
		size_t n, k;
		sat_err err;

		for (size_t i = 0; i < 20; i++) {
			sat_buf_reset(&b);
			sat_record_write_clocks(&b, &r[i]);
			assert_ok(sat_record_read_stamps(&at, &n, &a,
			    sat_buf_span(&b), &err));
			assert_int_equal(r[i].born.hlc, at[0].hlc);
			assert_int_equal(r[i].born.dev, at[0].dev);
			assert_int_equal(r[i].born.lsn, at[0].lsn);
			k = 1;
			for (size_t c = 0; c < r[i].ncells; c++) {
				const sat_stamp *is = &r[i].cells[c].at;

				if (is->hlc == r[i].born.hlc &&
				    is->dev == r[i].born.dev &&
				    is->lsn == r[i].born.lsn)
					continue;
				assert_true(k < n);
				assert_int_equal(is->hlc, at[k].hlc);
				assert_int_equal(is->dev, at[k].dev);
				assert_int_equal(is->lsn, at[k++].lsn);
			}
			assert_int_equal(k, n);
			b.n--; /* cut short */
			assert_rc(SAT_EPROTO, sat_record_read_stamps(&at, &n, &a,
			    sat_buf_span(&b), &err));
		}
		sat_buf_fini(&b);
		sat_arena_fini(&a);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(when_a_record_was_written_is_read_alone),
		cmocka_unit_test(records_are_read_as_they_were_written),
		cmocka_unit_test(damaged_records_are_refused_or_sound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
