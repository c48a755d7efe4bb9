/* The fold: concurrent operations in every order of arrival (P-049). */
#include "tests/lib/unit.h"

#include "protocol/record.h"
#include "tests/unit/protocol/fold.h"
#include "tests/unit/protocol/thing.h"

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_order_of_arrival_of_concurrent_operations_does_not_show),
	};

	return cmocka_run_group_tests(tests, load_thing, unload_thing);
}
