/* Batches of commits: round trips, limits, damage (P-030..039). */
#include "tests/lib/unit.h"

#include <zstd.h>

#include "common/crypto/crypto.h"
#include "protocol/batch.h"
#include "protocol/commit.h"
#include "protocol/record.h"
#include "tests/unit/protocol/random.h"

/* Records the batches speak of. */
#define RECS 20

static struct {
	sat_id id;
	uint32_t eid;
	uint16_t kind;
} recs[RECS];

static void
random_op(sat_op *op, sat_arena *a)
{
	size_t i = rnd(RECS);
	sat_dot *dots;

	memset(op, 0, sizeof *op);
	op->rtype = recs[i].kind;
	op->rec = recs[i].id;
	op->eid = recs[i].eid;
	if (random_kind(op, a))
		return;
	op->field = (uint16_t)(1 + rnd(15));
	op->value = random_value(a, op->kind);
	if (sat_op_kind_has_dots(op->kind)) {
		op->ndots = rnd(4);
		op->dots = dots = sat_arena_alloc(a, 4 * sizeof *dots);
		for (size_t d = 0; d < op->ndots; d++)
			dots[d] = (sat_dot){ (uint32_t)rnd(9), rnd(1u << 30) };
	}
}

static sat_commit *
random_commits(sat_arena *a, size_t n, sat_batch_dir dir)
{
	sat_commit *c = sat_arena_alloc(a, n * sizeof *c);
	uint64_t cseq = 1 + rnd(1000), lsn = rnd(100000);

	for (size_t i = 0; i < RECS; i++) {
		recs[i].id = random_id(NOON - (int64_t)rnd(1u << 30), 3);
		recs[i].eid = rnd(3) ? (uint32_t)(1 + i * 7) : 0;
		recs[i].kind = (uint16_t)(1 + rnd(4));
	}
	memset(c, 0, n * sizeof *c);
	for (size_t i = 0; i < n; i++) {
		size_t subject = rnd(RECS);

		c[i].device = dir == SAT_BATCH_PUSH ? 4 : 1 + (uint32_t)rnd(5);
		c[i].incarnation = 1;
		c[i].cseq = cseq++;
		c[i].hlc = c[i].eff = sat_hlc_of_ms(NOON) + sat_test_rand(&seed)
		    % ((uint64_t)1 << 40);
		c[i].seen = rnd(1u << 20);
		c[i].actor = (uint32_t)rnd(4);
		c[i].subject = recs[subject].id;
		c[i].subject_eid = recs[subject].eid;
		c[i].template_oid[0] = (uint8_t)(rnd(10) == 0);
		c[i].flags = (uint8_t)rnd(4);
		for (size_t k = 0; k < SAT_SALT_BYTES; k++)
			c[i].salt[k] = (uint8_t)rnd(256);
		c[i].lsn = lsn += 1 + rnd(3);
		c[i].own = dir == SAT_BATCH_PULL && rnd(5) == 0;
		c[i].nops = c[i].own ? 0 : 1 + rnd(6);
		c[i].ops = sat_arena_alloc(a, 7 * sizeof *c[i].ops);
		for (size_t k = 0; k < c[i].nops; k++)
			random_op(&c[i].ops[k], a);
		for (size_t k = 0; k < c[i].nops; k++)
			if (rnd(5) == 0)
				sat_op_set_seen(&c[i], &c[i].ops[k],
				    rnd(1u << 20));
	}
	return c;
}

/* Did the batch have a NEW of this record (so that its id was sent)? */
static bool
created(const sat_commit *c, size_t n, const sat_id *id, uint32_t eid)
{
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < c[i].nops; k++)
			if (c[i].ops[k].kind == SAT_OP_NEW &&
			    c[i].ops[k].eid == eid &&
			    sat_id_eq(&c[i].ops[k].rec, id))
				return true;
	return false;
}

static void
assert_same_name(sat_batch_dir dir, const sat_commit *all, size_t n,
    const sat_id *id, uint32_t eid, const sat_id *got_id, uint32_t got_eid)
{
	bool new_ = created(all, n, id, eid);

	if (eid == 0 || new_)
		assert_true(sat_id_eq(id, got_id));
	else
		assert_true(sat_id_zero(got_id));
	if (!new_ || dir == SAT_BATCH_PULL)
		assert_int_equal(eid, got_eid);
	else
		assert_int_equal(0, got_eid);
}

static void
assert_same_op(sat_batch_dir dir, const sat_commit *all, size_t n,
    const sat_op *x, const sat_op *y)
{
	assert_int_equal(x->kind, y->kind);
	assert_int_equal(x->rtype, y->rtype);
	assert_int_equal(x->field, y->field);
	assert_same_name(dir, all, n, &x->rec, x->eid, &y->rec, y->eid);
	assert_true(sat_value_eq(x->value, y->value));
	assert_int_equal(x->seen1, y->seen1);
	assert_int_equal(x->ndots, y->ndots);
	for (size_t i = 0; i < x->ndots; i++) {
		assert_int_equal(x->dots[i].dev, y->dots[i].dev);
		assert_int_equal(x->dots[i].lsn, y->dots[i].lsn);
	}
}

static void
assert_same_commit(sat_batch_dir dir, const sat_commit *all, size_t n,
    const sat_commit *x, const sat_commit *y)
{
	assert_int_equal(x->seen, y->seen);
	assert_int_equal(x->actor, y->actor);
	assert_int_equal(x->flags, y->flags);
	assert_memory_equal(x->template_oid, y->template_oid,
	    SAT_TEMPLATE_OID_BYTES);
	assert_same_name(dir, all, n, &x->subject, x->subject_eid, &y->subject,
	    y->subject_eid);
	if (dir == SAT_BATCH_PUSH) {
		assert_true(x->hlc == y->hlc);
		assert_memory_equal(x->salt, y->salt, SAT_SALT_BYTES);
	} else {
		assert_true(x->eff == y->eff && x->lsn == y->lsn);
		assert_int_equal(x->device, y->device);
		assert_int_equal(x->cseq, y->cseq);
		assert_int_equal(x->own, y->own);
	}
	assert_int_equal(x->nops, y->nops);
	for (size_t i = 0; i < x->nops; i++)
		assert_same_op(dir, all, n, &x->ops[i], &y->ops[i]);
}

static void
what_is_written_is_read(void **state) /* P-030, P-033 */
{
	(void)state;
	seed = sat_test_seed(21);
	for (int round = 0; round < 400; round++) {
		sat_batch_dir dir = round % 2 ? SAT_BATCH_PULL : SAT_BATCH_PUSH;
		sat_arena a = { 0 };
		sat_buf b = { 0 };
		size_t n = 1 + rnd(40), got_n;
		sat_commit *c = random_commits(&a, n, dir), *got;
		sat_err err;

		assert_ok(sat_batch_write(&b, dir, c, n, &err));
		assert_ok(sat_batch_read(&got, &got_n, &a, dir,
		    sat_buf_span(&b), &err));
		assert_int_equal(n, got_n);
		for (size_t i = 0; i < n; i++)
			assert_same_commit(dir, c, n, &c[i], &got[i]);
		sat_buf_fini(&b);
		sat_arena_fini(&a);
	}
}

/* A pushed commit, with device, number, chain and ids filled in again, has the
 * hash it was sealed with: nothing of the canonical bytes got lost. */
static void
a_pushed_commit_keeps_its_hash(void **state) /* P-032 */
{
	(void)state;
	seed = sat_test_seed(22);
	for (int round = 0; round < 100; round++) {
		sat_arena a = { 0 };
		sat_buf b = { 0 };
		size_t n;
		sat_commit *c = random_commits(&a, 3, SAT_BATCH_PUSH), *got;
		uint8_t h1[SAT_HASH_BYTES], h2[SAT_HASH_BYTES];
		sat_err err;

		assert_ok(sat_batch_write(&b, SAT_BATCH_PUSH, c, 3, &err));
		assert_ok(sat_batch_read(&got, &n, &a, SAT_BATCH_PUSH,
		    sat_buf_span(&b), &err));
		for (size_t i = 0; i < 3; i++) {
			got[i].device = c[i].device;
			got[i].incarnation = c[i].incarnation;
			got[i].cseq = c[i].cseq;
			got[i].subject = c[i].subject;
			for (size_t k = 0; k < c[i].nops; k++)
				got[i].ops[k].rec = c[i].ops[k].rec;
			sat_commit_seal(&c[i], h1);
			sat_commit_seal(&got[i], h2);
			assert_memory_equal(h1, h2, sizeof h1);
		}
		sat_buf_fini(&b);
		sat_arena_fini(&a);
	}
}

static void
a_batch_cut_short_or_too_long_is_refused(void **state) /* P-031 */
{
	sat_arena a = { 0 };
	sat_buf b = { 0 };
	sat_commit *c, *got;
	size_t n;
	sat_err err;

	(void)state;
	seed = sat_test_seed(23);
	c = random_commits(&a, 30, SAT_BATCH_PUSH);
	assert_ok(sat_batch_write(&b, SAT_BATCH_PUSH, c, 30, &err));
	for (size_t i = 0; i < b.n; i++)
		assert_rc(SAT_EPROTO, sat_batch_read(&got, &n, &a,
		    SAT_BATCH_PUSH, sat_span_of(b.p, i), NULL));
	sat_write_u8(&b, 0);
	assert_rc(SAT_EPROTO, sat_batch_read(&got, &n, &a, SAT_BATCH_PUSH,
	    sat_buf_span(&b), NULL));
	sat_buf_fini(&b);
	sat_arena_fini(&a);
}

/* A damaged batch is refused, or it is a batch: it can be written again and
 * read again as the same. */
static void
damage_is_refused_or_reads_as_a_sound_batch(void **state) /* P-031 */
{
	size_t refused = 0, sound = 0;

	(void)state;
	seed = sat_test_seed(24);
	for (int round = 0; round < 1500; round++) {
		sat_batch_dir dir = round % 2 ? SAT_BATCH_PULL : SAT_BATCH_PUSH;
		sat_arena a = { 0 };
		sat_buf b = { 0 };
		size_t n = 1 + rnd(4), i;
		sat_commit *c = random_commits(&a, n, dir), *got, *again;
		sat_err err;

		assert_ok(sat_batch_write(&b, dir, c, n, &err));
		i = rnd(b.n);
		b.p[i] = (uint8_t)(b.p[i] ^ (1u << rnd(8)));
		if (sat_batch_read(&got, &n, &a, dir, sat_buf_span(&b), NULL) !=
		    SAT_OK) {
			refused++;
		} else {
			sound++;
			for (size_t k = 0; k < n; k++) {
				got[k].device = dir == SAT_BATCH_PUSH ? 1 :
				    got[k].device;
				got[k].cseq = dir == SAT_BATCH_PUSH ? k + 1 :
				    got[k].cseq;
			}
			sat_buf_reset(&b);
			assert_ok(sat_batch_write(&b, dir, got, n, &err));
			assert_ok(sat_batch_read(&again, &n, &a, dir,
			    sat_buf_span(&b), &err));
		}
		sat_buf_fini(&b);
		sat_arena_fini(&a);
	}
	printf("refused %zu, sound %zu\n", refused, sound);
	assert_true(refused > 0 && sound > 0);
}

static void
a_small_batch_cannot_ask_for_much_memory(void **state) /* P-031 */
{
	/* format 1, then a zstd frame that claims 3 GiB */
	static const uint8_t bomb[] = { 1, 13, 0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0,
		0, 0, 0xc0, 1, 0, 0, 0 };
	sat_arena a = { 0 };
	sat_commit *c;
	sat_record *r;
	size_t n;

	(void)state;
	assert_rc(SAT_EPROTO, sat_batch_read(&c, &n, &a, SAT_BATCH_PUSH,
	    sat_span_of(bomb, sizeof bomb), NULL));
	assert_rc(SAT_EPROTO, sat_records_read(&r, &n, &a,
	    sat_span_of(bomb, sizeof bomb), NULL));
	sat_arena_fini(&a);
}

/* A block of zeros, compressed `frames` times over into one batch. */
static const char *
refusal_of(size_t zeros, int frames)
{
	static sat_err err;
	sat_buf b = { 0 }, packed = { 0 };
	uint8_t *block = sat_xcalloc(zeros, 1);
	sat_arena a = { 0 };
	sat_commit *c;
	size_t n;

	for (int i = 0; i < frames; i++)
		packed.n += ZSTD_compress(sat_buf_room(&packed, 4096), 4096,
		    block, zeros, 3);
	sat_write_u8(&b, 1);
	sat_write_span(&b, sat_buf_span(&packed));
	assert_rc(SAT_EPROTO, sat_batch_read(&c, &n, &a, SAT_BATCH_PUSH,
	    sat_buf_span(&b), &err));
	free(block);
	sat_buf_fini(&b);
	sat_buf_fini(&packed);
	sat_arena_fini(&a);
	return err.text;
}

static void
sizes_are_refused_before_memory_is_taken(void **state) /* P-031 */
{
	(void)state;
	assert_string_equal("batch: block above its limit",
	    refusal_of(SAT_BATCH_BYTES_MAX + 1, 1));
	assert_string_equal("batch: more than one compressed block",
	    refusal_of(1000, 2));
}

/* @return the bytes they took. */
static size_t
assert_integers_survive(const int64_t *v, size_t n)
{
	sat_op ops[64];
	sat_id id = { { 1 } };
	sat_commit c = { .device = 1, .cseq = 1, .hlc = 1, .subject = id,
		.nops = n, .ops = ops }, *got;
	sat_arena a = { 0 };
	sat_buf b = { 0 };
	size_t got_n, bytes;
	sat_err err;

	for (size_t i = 0; i < n; i++)
		ops[i] = (sat_op){ .kind = SAT_OP_SET, .rtype = 1,
			.field = 1, .rec = id, .value = sat_v_int(v[i]) };
	assert_ok(sat_batch_write(&b, SAT_BATCH_PUSH, &c, 1, &err));
	assert_ok(sat_batch_read(&got, &got_n, &a, SAT_BATCH_PUSH,
	    sat_buf_span(&b), &err));
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(SAT_V_INT, got[0].ops[i].value.type);
		assert_true(got[0].ops[i].value.i == v[i]);
	}
	bytes = b.n;
	sat_buf_fini(&b);
	sat_arena_fini(&a);
	return bytes;
}

static void
integers_at_both_ends_survive_their_differences(void **state) /* P-035 */
{
	static const int64_t ends[] = { 0, INT64_MIN, INT64_MAX, -1, INT64_MIN,
		INT64_MIN, 0 };

	(void)state;
	for (size_t n = 1; n <= 7; n++)
		(void)assert_integers_survive(ends, n);
}

static void
integers_of_any_range_and_unit_survive(void **state) /* P-035 */
{
	int64_t v[64];

	(void)state;
	seed = sat_test_seed(29);
	for (int round = 0; round < 4000; round++) {
		uint64_t unit = rnd(3) == 0 ? 1 : 1 + rnd((uint64_t)1 << rnd(40));
		uint64_t range = (uint64_t)1 << rnd(64);
		size_t n = 1 + rnd(64);
		int64_t from = (int64_t)sat_test_rand(&seed) >> rnd(64);

		for (size_t i = 0; i < n; i++)
			v[i] = (int64_t)((uint64_t)from + rnd(range) / unit *
			    unit);
		(void)assert_integers_survive(v, n);
	}
}

static void
integers_spread_over_a_range_cost_its_bytes(void **state) /* P-035 */
{
	int64_t far[64];

	(void)state;
	seed = sat_test_seed(29);
	for (size_t i = 0; i < 64; i++)
		far[i] = NOON + (int64_t)rnd(65000) * 86400000;
	/* two each; most of their differences take three */
	assert_in_range(assert_integers_survive(far, 64), 64 * 2, 64 * 2 + 100);
}

static void
what_is_above_a_limit_is_not_written(void **state) /* P-001 */
{
	sat_arena a = { 0 };
	sat_buf b = { 0 };
	sat_commit *c;

	(void)state;
	seed = sat_test_seed(25);
	c = random_commits(&a, 3, SAT_BATCH_PUSH);
	assert_rc(SAT_EINVALID, sat_batch_write(&b, SAT_BATCH_PUSH, c, 0, NULL));
	c[2].cseq++; /* a gap */
	assert_rc(SAT_EINVALID, sat_batch_write(&b, SAT_BATCH_PUSH, c, 3, NULL));
	c[2].cseq--;
	c[1].nops = 0;
	assert_rc(SAT_EINVALID, sat_batch_write(&b, SAT_BATCH_PUSH, c, 3, NULL));
	assert_int_equal(b.n, 0);
	sat_buf_fini(&b);
	sat_arena_fini(&a);
}

static size_t
updates_bytes(size_t n, bool text)
{
	sat_arena a = { 0 };
	sat_buf b = { 0 };
	sat_commit *c = sat_arena_alloc(&a, n * sizeof *c);
	sat_hlc hlc = sat_hlc_of_ms(NOON);
	sat_err err;
	size_t bytes;

	memset(c, 0, n * sizeof *c);
	for (size_t i = 0; i < n; i++) {
		sat_op *op = sat_arena_alloc(&a, sizeof *op);
		char s[32];

		memset(op, 0, sizeof *op);
		hlc += (1 + rnd(60000)) << 16; /* an edit every half minute */
		op->kind = SAT_OP_SET;
		op->rtype = 1;
		op->field = (uint16_t)(1 + rnd(15));
		op->eid = 1 + (uint32_t)rnd(10000);
		(void)snprintf(s, sizeof s, "value %u", (unsigned)rnd(1000));
		op->value = text ? sat_value_dup(&a, sat_v_text(
		    sat_span_str(s))) : sat_v_int((int64_t)rnd(2));
		c[i] = (sat_commit){ .device = 1, .cseq = i + 1, .hlc = hlc,
			.seen = 40000, .actor = 3, .subject_eid = op->eid,
			.nops = 1, .ops = op };
		c[i].template_oid[3] = 9;
		for (size_t k = 0; k < SAT_SALT_BYTES; k++)
			c[i].salt[k] = (uint8_t)rnd(256);
	}
	assert_ok(sat_batch_write(&b, SAT_BATCH_PUSH, c, n, &err));
	bytes = b.n;
	sat_buf_fini(&b);
	sat_arena_fini(&a);
	return bytes;
}

static void
a_single_update_costs_few_bytes(void **state) /* P-036 */
{
	size_t flags, texts, one;

	(void)state;
	seed = sat_test_seed(26);
	flags = updates_bytes(1000, false);
	texts = updates_bytes(1000, true);
	one = updates_bytes(1, true);
	printf("bytes per update besides the salt: flag %.2f, text %.2f; "
	    "alone %zu\n", (double)(flags - 16000) / 1000,
	    (double)(texts - 16000) / 1000, one - 16);
	assert_true(flags < 16000 + 8000);
	assert_true(texts < 16000 + 12000);
	assert_true(one < 16 + 80);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(a_pushed_commit_keeps_its_hash),
		cmocka_unit_test(a_batch_cut_short_or_too_long_is_refused),
		cmocka_unit_test(damage_is_refused_or_reads_as_a_sound_batch),
		cmocka_unit_test(a_small_batch_cannot_ask_for_much_memory),
		cmocka_unit_test(sizes_are_refused_before_memory_is_taken),
		cmocka_unit_test(integers_at_both_ends_survive_their_differences),
		cmocka_unit_test(integers_of_any_range_and_unit_survive),
		cmocka_unit_test(integers_spread_over_a_range_cost_its_bytes),
		cmocka_unit_test(what_is_above_a_limit_is_not_written),
		cmocka_unit_test(a_single_update_costs_few_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
