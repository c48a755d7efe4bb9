/*
 * A commit that was parked comes back behind what its author wrote since: his
 * own order decides (P-325, O1).
 */
#include "tests/unit/server/store/sqlite/device.h"

typedef struct shop {
	world *w;
	device *ann, *bob, *hq;
	sat_id acc;
} shop;

static shop
shop_new(uint64_t seed)
{
	shop s = { .w = world_of(seed, "ann rep north, bob manager north, "
	    "hq hq") };

	s.ann = device_new(s.w, "ann");
	s.bob = device_new(s.w, "bob");
	s.hq = device_new(s.w, "hq");
	s.acc = device_account(s.ann, "first", "ann");
	SYNC(s.ann, s.bob);
	return s;
}

static void
done(shop *s)
{
	SYNC(s->ann, s->bob, s->hq);
	CHECK(s->ann, s->bob, s->hq);
	world_verify(s->w);
	world_free(s->w);
}

/* Written under a template the server does not have: parked. Its index. */
static size_t
park_value(shop *s, sat_op_kind kind, uint16_t field, sat_value v)
{
	device *d = s->ann;
	sat_op op = op_set(&s->acc, K_ACCOUNT, kind, field, v);
	own *o = device_commit(d, &s->acc, &op, 1);

	memset(o->c.template_oid, 0xee, sizeof o->c.template_oid);
	memcpy(d->head, o->c.prev, sizeof d->head);
	sat_commit_seal(&o->c, d->head);
	s->w->now_ms += 1000;
	device_sync(d);
	assert_int_equal(SAT_VD_PARKED, device_last(d)->code);
	return d->nout - 1;
}

static size_t
park(shop *s, sat_op_kind kind, uint16_t field, const char *v)
{
	return park_value(s, kind, field, txt(v));
}

/* As the replica moves it: another number and link, the same payload and stamp. */
static own *
unpark(shop *s, size_t parked)
{
	device *d = s->ann;
	sat_op op = d->out[parked].c.ops[0];
	own *o = device_commit(d, &s->acc, &op, 1);

	o->c.hlc = d->out[parked].c.hlc;
	o->c.seen = d->out[parked].c.seen;
	o->c.flags |= SAT_CF_MOVED;
	memcpy(o->c.salt, d->out[parked].c.salt, sizeof o->c.salt);
	memcpy(d->head, o->c.prev, sizeof d->head);
	sat_commit_seal(&o->c, d->head);
	s->w->now_ms += 1000;
	device_sync(d);
	assert_false(sat_vd_refused(device_last(d)->code));
	return device_last(d);
}

static sat_hlc
edit(device *d, shop *s, sat_op_kind kind, uint16_t field, const char *v)
{
	(void)device_edit(d, &s->acc, &s->acc, K_ACCOUNT, kind, field, txt(v));
	s->w->now_ms += 1000;
	device_sync(d);
	assert_false(sat_vd_refused(device_last(d)->code));
	return device_last(d)->eff;
}

/* As headquarters has it. */
static sat_record
record_of(shop *s, sat_arena *a)
{
	held *h;
	sat_record r;
	sat_err err = { 0 };

	device_sync(s->hq);
	h = device_find(s->hq, &s->acc, 0);
	assert_non_null(h);
	assert_ok(sat_record_read(&r, a, sat_buf_span(&h->state), &err));
	return r;
}

static int64_t
visits(shop *s)
{
	sat_arena a = { 0 };
	sat_record r = record_of(s, &a);
	int64_t n = sat_record_value(&r, A_VISITS).i;

	sat_arena_fini(&a);
	return n;
}

static const char *
shown(shop *s, uint16_t field, size_t *candidates)
{
	static char text[256];
	sat_arena a = { 0 };
	sat_record r = record_of(s, &a);
	const sat_cell *c = sat_record_cell(&r, field);
	sat_candidate *list;
	uint64_t opened;

	assert_non_null(c);
	(void)snprintf(text, sizeof text, "%.*s", c->value.type == SAT_V_TEXT ?
	    (int)c->value.s.n : 0, (const char *)c->value.s.p);
	*candidates = field == A_NAME || field == A_STAGE ?
	    sat_cell_candidates(&list, &opened, &a, field == A_NAME ?
	    SAT_P_REVIEW : SAT_P_STAGE, c) : 0;
	sat_arena_fini(&a);
	return text;
}

static void
what_the_author_wrote_since_stays(void **state) /* O1 */
{
	static const struct {
		sat_op_kind kind;
		uint16_t field;
		const char *parked, *since;
	} cases[] = {
		{ SAT_OP_SET, A_REMARK, "parked", "since" },
		{ SAT_OP_MVSET, A_NAME, "Parked Ltd", "Since Ltd" },
		{ SAT_OP_STAGE, A_STAGE, "need_confirmed", "proposal" },
	};

	(void)state;
	/* his clock is right; hours ahead, so that stamps are cut */
	for (int64_t ahead = 0; ahead <= 5; ahead += 5)
		for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
			shop s = shop_new(i + 1);
			size_t at, n;
			sat_hlc since;

			s.ann->skew_ms = ahead * 3600 * 1000;
			at = park(&s, cases[i].kind, cases[i].field,
			    cases[i].parked);
			since = edit(s.ann, &s, cases[i].kind, cases[i].field,
			    cases[i].since);
			assert_true(unpark(&s, at)->eff < since);
			assert_string_equal(cases[i].since, shown(&s,
			    cases[i].field, &n));
			assert_int_equal(0, n); /* nobody is asked */
			done(&s);
		}
}

static void
what_others_wrote_meanwhile_is_met_as_by_any_commit(void **state)
{
	shop s = shop_new(7);
	size_t at, n;

	(void)state;
	at = park(&s, SAT_OP_MVSET, A_NAME, "Parked Ltd");
	(void)edit(s.bob, &s, SAT_OP_MVSET, A_NAME, "Bob's Ltd");
	(void)unpark(&s, at);
	(void)shown(&s, A_NAME, &n);
	assert_int_equal(2, n); /* neither knew of the other */
	done(&s);
}

static void
what_came_in_after_nothing_else_counts_as_written(void **state)
{
	shop s = shop_new(8);
	size_t at, n;
	sat_hlc before, after;

	(void)state;
	before = edit(s.ann, &s, SAT_OP_SET, A_REMARK, "before");
	at = park(&s, SAT_OP_SET, A_REMARK, "parked");
	after = unpark(&s, at)->eff;
	assert_true(after > before);
	assert_string_equal("parked", shown(&s, A_REMARK, &n));
	/* and a later edit wins as ever */
	assert_true(edit(s.ann, &s, SAT_OP_SET, A_REMARK, "later") > after);
	assert_string_equal("later", shown(&s, A_REMARK, &n));
	done(&s);
}

static void
an_add_made_since_survives_a_parked_removal(void **state)
{
	shop s = shop_new(9);
	size_t at, n;

	(void)state;
	(void)edit(s.ann, &s, SAT_OP_SADD, A_TAGS, "old");
	at = park(&s, SAT_OP_SREM, A_TAGS, "vip");
	(void)edit(s.ann, &s, SAT_OP_SADD, A_TAGS, "vip");
	(void)unpark(&s, at);
	assert_string_equal("old\nvip", shown(&s, A_TAGS, &n));
	done(&s);
}

/* Written, or as if it had been parked `ms` before. */
static void
write_at(shop *s, int64_t ms, bool moved)
{
	device *d = s->ann;
	sat_op op = op_set(&s->acc, K_ACCOUNT, SAT_OP_ADD, A_VISITS,
	    sat_v_int(1));
	own *o = device_commit(d, &s->acc, &op, 1);

	if (!moved)
		return;
	o->c.hlc = sat_hlc_of_ms(ms);
	o->c.flags |= SAT_CF_MOVED;
	memcpy(d->head, o->c.prev, sizeof d->head);
	sat_commit_seal(&o->c, d->head);
}

#define MANY 2000

static void
what_many_have_behind_them_is_read_once(void **state) /* O2 */
{
	shop s = shop_new(10);
	int64_t began = s.w->now_ms;
	unsigned long before;
	size_t first;
	sat_hlc low;

	(void)state;
	s.w->now_ms += 2 * MANY;
	for (int i = 0; i < MANY; i++, s.w->now_ms++)
		write_at(&s, 0, false);
	device_sync(s.ann);
	first = s.ann->nout;
	low = s.ann->out[first - MANY].eff;
	for (int i = 0; i < MANY; i++)
		write_at(&s, began + 1 + i, true);
	before = s.w->commits_read;
	device_sync(s.ann);
	assert_true(s.w->commits_read - before < 2 * MANY);
	for (size_t i = first; i < s.ann->nout; i++) { /* O1 */
		assert_int_equal(SAT_VD_OK, s.ann->out[i].code);
		assert_true(s.ann->out[i].eff < low);
		assert_true(i == first || s.ann->out[i].eff >
		    s.ann->out[i - 1].eff);
	}
	done(&s);
}

/* Of what a device wrote and what it parked, in any order. `again`: the server
 * begins anew before each push and knows nothing of what it read. */
static void
some_history(sat_hlc *eff, size_t *n, uint64_t seed, bool again)
{
	shop s = shop_new(seed);
	int64_t parked[64];
	size_t nparked = 0, first = s.ann->nout;
	uint64_t r = seed;

	s.ann->skew_ms = (int64_t)(seed % 3) * 3600 * 1000;
	for (int i = 0; i < 60; i++) {
		unsigned what = (unsigned)(sat_test_rand(&r) % 10);

		s.w->now_ms += 1 + (int64_t)(sat_test_rand(&r) % 900);
		if (what < 4 && nparked < 64) {
			parked[nparked++] = s.w->now_ms + s.ann->skew_ms;
		} else if (what < 7 && nparked > 0) {
			size_t k = sat_test_rand(&r) % nparked;

			write_at(&s, parked[k], true);
			parked[k] = parked[--nparked];
		} else {
			write_at(&s, 0, false);
		}
		if (sat_test_rand(&r) % 4 > 0)
			continue;
		if (again) {
			world_stop(s.w);
			world_start(s.w);
		}
		device_sync(s.ann);
		device_sync(s.bob);
	}
	device_sync(s.ann);
	*n = s.ann->nout - first;
	for (size_t i = 0; i < *n; i++) {
		eff[i] = s.ann->out[first + i].eff;
		for (size_t k = 0; k < i; k++) /* O1 */
			if (s.ann->out[first + i].c.hlc <
			    s.ann->out[first + k].c.hlc)
				assert_true(eff[i] < eff[k]);
	}
	done(&s);
}

static void
what_was_read_before_says_the_same(void **state) /* O2 */
{
	sat_hlc a[64], b[64];
	size_t n, m;

	(void)state;
	for (uint64_t seed = 1; seed <= 30; seed++) {
		some_history(a, &n, seed, false);
		some_history(b, &m, seed, true);
		assert_int_equal(n, m);
		assert_memory_equal(a, b, n * sizeof a[0]);
	}
}

/* The backup was made while it was parked: who goes on from there finds it
 * parked still, and what it needs here. */
static void
what_went_on_counts_once_when_a_backup_is_restored(void **state) /* P-074 */
{
	shop s = shop_new(10);
	size_t at = park_value(&s, SAT_OP_ADD, A_VISITS, sat_v_int(3));
	own *o = unpark(&s, at);
	uint64_t lsn = o->lsn, head = world_head(s.w);
	sat_hlc eff = o->eff;

	(void)state;
	for (uint32_t inc = 7; inc <= 8; inc++) { /* and once more */
		s.ann->incarnation = inc;
		memset(s.ann->head, 0, sizeof s.ann->head);
		o = unpark(&s, at);
		assert_int_equal(lsn, o->lsn);
		assert_int_equal(eff, o->eff);
	}
	assert_int_equal(head, world_head(s.w));
	assert_int_equal(3, visits(&s));
	done(&s);
}

/* Nobody's folder was copied: a device that sends the same work again under
 * another number of its first incarnation. */
static void
what_went_on_counts_once_under_any_number(void **state)
{
	shop s = shop_new(11);
	size_t at = park_value(&s, SAT_OP_ADD, A_VISITS, sat_v_int(3));
	uint64_t lsn = unpark(&s, at)->lsn, head = world_head(s.w);

	(void)state;
	assert_int_equal(lsn, unpark(&s, at)->lsn);
	assert_int_equal(head, world_head(s.w));
	assert_int_equal(3, visits(&s));
	done(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_author_wrote_since_stays),
		cmocka_unit_test(what_others_wrote_meanwhile_is_met_as_by_any_commit),
		cmocka_unit_test(what_came_in_after_nothing_else_counts_as_written),
		cmocka_unit_test(an_add_made_since_survives_a_parked_removal),
		cmocka_unit_test(what_many_have_behind_them_is_read_once),
		cmocka_unit_test(what_was_read_before_says_the_same),
		cmocka_unit_test(what_went_on_counts_once_when_a_backup_is_restored),
		cmocka_unit_test(what_went_on_counts_once_under_any_number),
	};

	sat_crypto_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
