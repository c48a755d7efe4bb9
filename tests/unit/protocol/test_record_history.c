/* The fold of random histories: nothing is lost. Their states as bytes. */
#include "tests/lib/unit.h"

#include "protocol/record.h"
#include "tests/unit/protocol/fold.h"
#include "tests/unit/protocol/thing.h"

/* ---- random histories ---------------------------------------------------- */

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

/* ---- bytes --------------------------------------------------------------- */

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
	size_t sound = 0, text = 0;

	(void)state;
	for (uint32_t i = 2; i < 5; i++) {
		(void)give(&w, SAT_OP_MVSET, NAME, txt(i % 2 ? "x" : "y"), 2000 + i,
		    i, i, 1);
		(void)give(&w, SAT_OP_SADD, TAGS, txt("t"), 2000, i, i, 1);
	}
	(void)give(&w, SAT_OP_DEL, 0, sat_v_null(), 2500, 2, 9, 1);
	sat_record_write(&b, &w.r);
	for (size_t i = 0; i < b.n; i++) {
		assert_rc(SAT_EPROTO, sat_record_read(&r, &w.a,
		    sat_span_of(b.p, i), NULL));
		assert_rc(SAT_EPROTO, sat_record_read_kept(&r, &w.a,
		    sat_span_of(b.p, i), NULL));
	}
	for (int round = 0; round < 3000; round++) {
		size_t i = sat_test_rand(&seed) % b.n;
		uint8_t old = b.p[i];
		bool good;

		b.p[i] = (uint8_t)sat_test_rand(&seed);
		good = sat_record_read(&r, &w.a, sat_buf_span(&b), NULL) ==
		    SAT_OK;
		sound += good;
		/* from the own store: all the same, but for what is in a text */
		if (sat_record_read_kept(&r, &w.a, sat_buf_span(&b), NULL) ==
		    SAT_OK) {
			sat_buf_reset(&again);
			sat_record_write(&again, &r);
			assert_int_equal(b.n, again.n);
			assert_memory_equal(b.p, again.p, b.n);
			text += !good;
		} else {
			assert_false(good);
		}
		b.p[i] = old;
		if (round % 100 == 0)
			sat_arena_reset(&w.a);
	}
	assert_true(sound > 0 && text > 0);
	sat_buf_fini(&b);
	sat_buf_fini(&again);
	done(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_value_is_ever_lost),
		cmocka_unit_test(candidates_are_what_nobody_saw),
		cmocka_unit_test(sets_agree_with_a_set_that_keeps_every_add),
		cmocka_unit_test(a_record_nobody_changed_has_clocks_of_constant_size),
		cmocka_unit_test(damaged_states_are_refused_or_written_back_as_they_are),
	};

	return cmocka_run_group_tests(tests, load_thing, unload_thing);
}
