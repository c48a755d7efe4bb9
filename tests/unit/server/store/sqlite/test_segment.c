/*
 * Segments of the log (P-187, P-188; invariants T1, T2 of store_segment.c).
 */
#include "tests/unit/server/store/sqlite/device.h"

#include "common/crypto/keyring.h"

#define DAY (24 * 3600 * (int64_t)1000)

static world *w;
static device *ann, *bob;
static sat_id acc[8];

/* Two reps; eight customers with some edits each, a refused commit between. */
static int
setup(void **state)
{
	sat_id ghost;
	char name[16];

	(void)state;
	w = world_of(5, "ann rep t1, bob rep t1");
	ann = device_new(w, "ann");
	bob = device_new(w, "bob");
	SYNC(ann, bob);
	for (int i = 0; i < 8; i++) {
		(void)snprintf(name, sizeof name, "firm %d", i);
		acc[i] = device_account(i % 2 ? bob : ann, name,
		    i % 2 ? "bob" : "ann");
		w->now_ms += 1000;
		for (int k = 0; k < 5; k++) {
			(void)snprintf(name, sizeof name, "%d", k);
			(void)device_edit(i % 2 ? bob : ann, &acc[i], &acc[i],
			    K_ACCOUNT, SAT_OP_SET, A_REMARK, txt(name));
		}
		ghost = device_id(ann);
		if (i == 2)
			(void)device_edit(ann, &acc[i], &ghost, K_ACCOUNT,
			    SAT_OP_SET, A_SECTOR, txt("x"));
		SYNC(ann, bob);
	}
	device_sync(ann);
	device_sync(bob); /* their cursors are at the head */
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	device_free(ann);
	device_free(bob);
	world_free(w);
	return 0;
}

static sat_rc
sign(void *u, uint8_t sig[SAT_SIG_BYTES], sat_span bytes, sat_err *e)
{
	return world_sign(u, sig, bytes, e);
}

static sat_sqlite_compacted
compact(uint64_t upto)
{
	sat_sqlite_signing s = { w->org, sign, w };
	sat_sqlite_compacted out;
	sat_err err = { 0 };

	assert_ok(sat_sqlite_compact(&out, w->store, upto, &s, &err));
	return out;
}

static sat_rc
verify(sat_err *e)
{
	uint8_t seed[32], pk[SAT_SIGN_PK_BYTES], sk[SAT_SIGN_SK_BYTES];

	memset(seed, 9, sizeof seed);
	sat_sign_keys(pk, sk, seed);
	return sat_sqlite_segments_verify(w->store, &w->org, pk, e);
}

static uint64_t
limit(int64_t lease, int64_t keep)
{
	uint64_t upto;
	sat_err err = { 0 };

	assert_ok(sat_sqlite_compact_limit(&upto, w->store, lease, keep, &err));
	return upto;
}

static uint64_t
head(void)
{
	sat_sqlite_status st;
	sat_err err = { 0 };

	assert_ok(sat_sqlite_status_get(&st, w->store, &err));
	return st.lsn;
}

static void
the_log_reads_as_one_after_it_moved(void **state) /* T1 */
{
	uint64_t n = head();
	sat_err err = { 0 };

	(void)state;
	assert_int_equal(48, n);
	assert_int_equal(20, compact(20).upto);
	world_verify(w);
	assert_int_equal(20, compact(n).segments + 19);
	assert_int_equal(0, compact(n).segments); /* nothing is left to move */
	world_verify(w);
	assert_ok(verify(&err));
	world_stop(w);
	world_start(w);
	world_verify(w);
	assert_int_equal(n, head());
	/* the server goes on as if nothing had happened */
	(void)device_edit(ann, &acc[0], &acc[0], K_ACCOUNT, SAT_OP_SET,
	    A_REMARK, txt("after"));
	SYNC(ann, bob);
	CHECK(ann, bob);
	assert_int_equal(n + 1, head());
	world_verify(w);
}

typedef struct positions {
	uint64_t first, n;
} positions;

static bool
on_position(void *u, uint64_t lsn, uint32_t root)
{
	positions *p = u;

	if (root == 0 && p->n++ == 0)
		p->first = lsn;
	return true;
}

/* An entry may be told of again: then two runs meet in one position. */
static void
runs_that_meet_behind_the_point_are_cut(void **state)
{
	sat_store o = sat_sqlite_store_ops(w->store);
	sat_keys team = { .k = { sat_key_team(1) }, .n = 1 };
	positions p = { 0, 0 };
	uint64_t n = head();
	sat_err err = { 0 };

	(void)state;
	assert_ok(o.begin(o.u, &err));
	assert_ok(o.scope_put(o.u, team.k[0], n, 0, &err));
	assert_ok(o.commit(o.u, &err));
	assert_int_equal(n - 1, compact(n - 1).upto);
	assert_ok(o.scope_scan(o.u, &team, 0, on_position, &p, &err));
	assert_int_equal(n, p.first);
	assert_int_equal(1, p.n);
}

/* Of what concerns a key; a run of commits goes on behind the point, too. */
static void
entries_of_what_moved_go_and_no_others(void **state) /* T1 */
{
	sat_store o = sat_sqlite_store_ops(w->store);
	sat_keys team = { .k = { sat_key_team(1) }, .n = 1 };
	sat_err err = { 0 };

	(void)state;
	for (uint64_t upto = 20; upto <= 32; upto += 3) {
		positions p = { 0, 0 };

		(void)compact(upto);
		assert_ok(o.scope_scan(o.u, &team, 0, on_position, &p, &err));
		assert_int_equal(upto + 1, p.first);
		assert_int_equal(48 - upto, p.n);
	}
}

static void
a_push_sent_again_gets_its_verdict_from_a_segment(void **state)
{
	uint64_t n = head();
	own first = ann->out[0], second = ann->out[3];

	(void)state;
	(void)compact(n);
	for (size_t i = 0; i < ann->nout; i++) { /* every answer was lost */
		ann->out[i].state = 0;
		ann->out[i].lsn = 0;
	}
	device_sync(ann);
	assert_int_equal(first.lsn, ann->out[0].lsn);
	assert_int_equal(first.eff, ann->out[0].eff);
	assert_int_equal(second.lsn, ann->out[3].lsn);
	assert_int_equal(n, head());
	world_verify(w);
}

static void
a_fork_is_found_in_a_segment(void **state)
{
	uint8_t hash[SAT_HASH_BYTES];
	sat_err err = { 0 };

	(void)state;
	(void)compact(head());
	ann->out[2].c.salt[0] ^= 1;
	sat_commit_seal(&ann->out[2].c, hash);
	for (size_t i = 0; i < ann->nout; i++)
		ann->out[i].state = i == 2 ? 0 : 3;
	ann->batch_max = 1;
	if (device_sync_flags(ann, 0, &err) != SAT_ECONFLICT)
		fail_msg("%s: %s", err.code, err.text);
	assert_string_equal("fork", err.code);
}

static void
who_is_behind_is_told_and_nobody_else(void **state) /* P-187 */
{
	uint64_t cursor = ann->cursor;
	sat_err err = { 0 };

	(void)state;
	(void)compact(20);
	device_sync(ann);
	ann->cursor = 19;
	(void)device_edit(bob, &acc[1], &acc[1], K_ACCOUNT, SAT_OP_SET,
	    A_REMARK, txt("news"));
	device_sync(bob);
	assert_rc(SAT_ECONFLICT, device_sync_flags(ann, 0, &err));
	assert_string_equal("truncated", err.code);
	ann->cursor = 20;
	device_sync(ann);
	assert_true(ann->cursor >= cursor);
}

static void
nothing_moves_that_a_backup_or_a_live_device_lacks(void **state) /* T2 */
{
	uint64_t n = head(), least;
	sat_err err = { 0 };

	(void)state;
	assert_int_equal(0, limit(30 * DAY, 0));
	assert_ok(sat_sqlite_mark_durable(w->store, 7, &err));
	assert_int_equal(7, limit(30 * DAY, 0));
	assert_ok(sat_sqlite_mark_durable(w->store, n, &err));
	/* cursors as they were last reported */
	least = limit(30 * DAY, 0);
	assert_true(least > 0 && least <= n);
	w->now_ms += 40000;
	device_sync(ann); /* told, */
	device_sync(bob);
	w->now_ms += 40000;
	device_sync(ann); /* and written with the next */
	device_sync(bob);
	assert_int_equal(n, limit(30 * DAY, 0));
	/* bob is away; ann works on */
	(void)device_edit(ann, &acc[0], &acc[0], K_ACCOUNT, SAT_OP_SET,
	    A_REMARK, txt("more"));
	w->now_ms += 20 * DAY;
	device_sync(ann);
	w->now_ms += 40000;
	SYNC(ann, ann);
	assert_ok(sat_sqlite_mark_durable(w->store, n + 1, &err));
	assert_int_equal(n, limit(30 * DAY, 0));
	w->now_ms += 12 * DAY; /* his lease is over */
	SYNC(ann, ann);
	assert_int_equal(n + 1, limit(30 * DAY, 0));
	/* and what is younger than it must stay stays */
	assert_int_equal(n, limit(30 * DAY, 13 * DAY));
	assert_int_equal(0, limit(30 * DAY, 90 * DAY));
}

static void
a_file_that_is_missing_cut_or_changed_is_found(void **state)
{
	char *path = sat_xasprintf("%s/segments/0000000001.seg", w->dir);
	uint8_t b[1 << 16];
	sat_err err = { 0 };
	size_t n, found = 0, flips = 0;
	FILE *f;

	(void)state;
	(void)compact(20);
	f = fopen(path, "rb");
	assert_non_null(f);
	n = fread(b, 1, sizeof b, f);
	(void)fclose(f);
	for (size_t i = 0; i < n; i += 13) {
		b[i] ^= 0x10;
		f = fopen(path, "wb");
		(void)fwrite(b, 1, n, f);
		(void)fclose(f);
		b[i] ^= 0x10;
		found += verify(&err) == SAT_EINTEGRITY;
		flips++;
	}
	/* A plain file has bits that mean nothing to zstd; what it gives is
	 * compared to the last byte, so what passes is what was written. */
	assert_true(flips > 40 && found >= flips - 2);
	f = fopen(path, "wb");
	(void)fwrite(b, 1, n / 2, f);
	(void)fclose(f);
	assert_rc(SAT_EINTEGRITY, verify(&err));
	assert_int_equal(0, remove(path));
	assert_rc(SAT_EINTEGRITY, verify(&err));
	f = fopen(path, "wb");
	(void)fwrite(b, 1, n, f);
	(void)fclose(f);
	assert_ok(verify(&err));
	free(path);
}

static bool
of_first(void *u, const sat_segment_row *row)
{
	sat_arena a = { 0 };
	sat_commit c;
	bool yes = sat_commit_read(&c, &a, row->row.header, (sat_span){ NULL, 0 },
	    NULL) == SAT_OK && sat_id_eq(&c.subject, u);

	sat_arena_fini(&a);
	return yes;
}

static void
an_erased_payload_leaves_chain_and_signatures_valid(void **state)
{
	uint64_t dropped;
	sat_log_row row;
	sat_arena a = { 0 };
	sat_err err = { 0 };
	sat_store o = sat_sqlite_store_ops(w->store);

	(void)state;
	(void)compact(head());
	assert_ok(sat_sqlite_segments_erase(&dropped, w->store, of_first,
	    &acc[0], &err));
	assert_int_equal(6, dropped);
	assert_ok(verify(&err));
	assert_ok(o.log_get(&row, &a, o.u, ann->out[0].lsn, &err));
	assert_true(row.header.n > 0 && row.payload.n == 0);
	assert_ok(sat_sqlite_segments_erase(&dropped, w->store, of_first,
	    &acc[0], &err));
	assert_int_equal(0, dropped);
	sat_arena_fini(&a);
}

static bool
every_payload(void *u, const sat_log_row *row, sat_buf *rest)
{
	(void)u;
	(void)row;
	(void)rest;
	return true;
}

/* Files do not come back with the transaction: they lose nothing before it is
 * certain. Scrubbing drops what is of erased customers, and nobody was. */
static void
an_erasure_that_fails_leaves_the_segments_as_they_are(void **state)
{
	uint64_t n;
	sat_log_row row;
	sat_arena a = { 0 };
	sat_err err = { 0 };
	sat_store o = sat_sqlite_store_ops(w->store);

	(void)state;
	(void)compact(head());
	assert_ok(o.begin(o.u, &err));
	assert_ok(o.payloads_erase(&n, o.u, every_payload, NULL, &err));
	o.rollback(o.u);
	assert_ok(o.scrub(o.u, &err));
	assert_ok(o.log_get(&row, &a, o.u, ann->out[0].lsn, &err));
	assert_true(row.payload.n > 0);
	assert_ok(verify(&err));
	sat_arena_fini(&a);
}

static void
a_sealed_segment_needs_its_keyring(void **state)
{
	sat_sqlite_signing s = { w->org, sign, w };
	sat_keyring *k = sat_keyring_memory(NULL);
	char *path = sat_xasprintf("%s/sealed.db", w->dir);
	sat_sqlite_store_opts o = { .path = path, .create = true,
		.keyring = k, .clock = { world_now, world_now, w } };
	sat_sqlite_store *st;
	sat_sqlite_compacted out;
	sat_log_row row = { .lsn = 1 }, got;
	sat_arena a = { 0 };
	uint8_t b[4096];
	sat_err err = { 0 };
	sat_store ops;
	size_t n;
	FILE *f;

	(void)state;
	assert_ok(sat_sqlite_store_open(&st, &o, &err));
	ops = sat_sqlite_store_ops(st);
	{ /* one commit with a word that must not be in the file */
		sat_buf h = { 0 }, p = { 0 };
		sat_commit c = ann->out[0].c;

		sat_commit_write_payload(&p, &c);
		sat_commit_write_header(&h, &c);
		row.header = sat_buf_span(&h);
		row.payload = sat_buf_span(&p);
		assert_ok(ops.begin(ops.u, &err));
		assert_ok(ops.log_put(ops.u, &row, c.device, c.incarnation,
		    c.cseq, &err));
		assert_ok(ops.counter_put(ops.u, SAT_N_LSN, 1, &err));
		assert_ok(ops.commit(ops.u, &err));
		ops.rec_whole(ops.u); /* as a core says */
		assert_ok(sat_sqlite_compact(&out, st, 1, &s, &err));
		assert_int_equal(1, out.commits);
		sat_buf_fini(&h);
		sat_buf_fini(&p);
	}
	assert_ok(ops.log_get(&got, &a, ops.u, 1, &err));
	assert_true(got.payload.n > 0);
	free(path);
	path = sat_xasprintf("%s/segments/0000000001.seg", w->dir);
	f = fopen(path, "rb");
	assert_non_null(f);
	n = fread(b, 1, sizeof b, f);
	(void)fclose(f);
	assert_true(n > 64);
	assert_null(memmem(b, n, "firm", 4));
	sat_arena_fini(&a);
	sat_sqlite_store_close(st);
	sat_keyring_close(k);
	free(path);
}

/* Late work on a merged customer was folded into the winner too: the proof must
 * still know it when the commit is in a file. */
static void
what_followed_a_merge_is_known_of_a_commit_in_a_segment(void **state) /* P-171 */
{
	device *boss;
	held *h;
	sat_err err = { 0 };

	(void)state;
	world_user(w, "boss", "manager", "t1");
	boss = device_new(w, "boss");
	device_sync(boss);
	(void)device_edit(boss, &acc[0], &acc[1], K_ACCOUNT, SAT_OP_MERGE,
	    SAT_SYS_REDIRECT, sat_v_id(&acc[0]));
	device_sync(boss);
	(void)device_edit(bob, &acc[1], &acc[1], K_ACCOUNT, SAT_OP_SET,
	    A_SECTOR, txt("late"));
	SYNC(bob, boss);
	h = device_find(boss, &acc[0], 0);
	assert_non_null(h);
	assert_non_null(memmem(h->state.p, h->state.n, "late", 4));
	world_verify(w);
	assert_true(compact(head()).segments > 0);
	world_verify(w);
	assert_ok(verify(&err));
	device_free(boss);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_log_reads_as_one_after_it_moved),
		T(entries_of_what_moved_go_and_no_others),
		T(runs_that_meet_behind_the_point_are_cut),
		T(a_push_sent_again_gets_its_verdict_from_a_segment),
		T(a_fork_is_found_in_a_segment),
		T(who_is_behind_is_told_and_nobody_else),
		T(nothing_moves_that_a_backup_or_a_live_device_lacks),
		T(a_file_that_is_missing_cut_or_changed_is_found),
		T(an_erased_payload_leaves_chain_and_signatures_valid),
		T(an_erasure_that_fails_leaves_the_segments_as_they_are),
		T(a_sealed_segment_needs_its_keyring),
		T(what_followed_a_merge_is_known_of_a_commit_in_a_segment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
