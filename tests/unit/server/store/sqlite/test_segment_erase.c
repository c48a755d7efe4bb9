/*
 * Erasures and the files of segments: one that is cut off behind its COMMIT, and
 * files that no segment counts with (X1, P-192).
 */
#include "tests/unit/server/store/sqlite/device.h"

#include <sys/stat.h>
#include <unistd.h>

static world *w;
static sat_id acc;

static sat_rc
sign(void *u, uint8_t sig[SAT_SIG_BYTES], sat_span bytes, sat_err *e)
{
	return world_sign(u, sig, bytes, e);
}

/* One customer with some edits, all of it in a segment. */
static int
setup(void **state)
{
	sat_sqlite_signing by = { .sign = sign };
	sat_sqlite_compacted done;
	uint64_t upto;
	device *ann;
	sat_err err = { 0 };

	(void)state;
	w = world_of(5, "ann rep t1, boss hq, root admin");
	ann = device_new(w, "ann");
	acc = device_account(ann, "Okapi", "ann");
	(void)device_account(ann, "Gnu", "ann");
	(void)device_edit(ann, &acc, &acc, K_ACCOUNT, SAT_OP_SET, A_REMARK,
	    txt("Quagga"));
	device_sync(ann);
	upto = world_head(w);
	by.org = w->org;
	by.u = w;
	assert_ok(sat_sqlite_compact(&done, w->store, upto, &by, &err));
	assert_int_equal(upto, done.upto);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	world_free(w);
	return 0;
}

static void
verify(void)
{
	uint8_t seed[32], pk[SAT_SIGN_PK_BYTES], sk[SAT_SIGN_SK_BYTES];
	sat_err err = { 0 };

	memset(seed, 9, sizeof seed);
	sat_sign_keys(pk, sk, seed);
	assert_ok(sat_sqlite_segments_verify(w->store, &w->org, pk, &err));
	world_verify(w);
}

static bool
of_first(const sat_segment_row *row)
{
	sat_arena a = { 0 };
	sat_commit c;
	bool yes = sat_commit_read(&c, &a, row->row.header, (sat_span){ NULL, 0 },
	    NULL) == SAT_OK && sat_id_eq(&c.subject, &acc);

	sat_arena_fini(&a);
	return yes;
}

/* Whether what a customer was said to be is in the files of segments. */
static bool
count_payload(void *u, const sat_segment_row *row)
{
	size_t *n = u;

	*n += of_first(row);
	return false;
}

static size_t
payloads_left(void)
{
	uint64_t dropped;
	size_t n = 0;
	sat_err err = { 0 };

	assert_ok(sat_sqlite_segments_erase(&dropped, w->store, count_payload,
	    &n, &err));
	return n;
}

static sat_rc
erase_first(void)
{
	const sat_registry *r = sat_server_registry(w->server);
	sat_err err = { 0 };

	return sat_server_erase(w->server, &acc,
	    sat_registry_user(r, sat_span_str("boss"))->ord,
	    sat_registry_user(r, sat_span_str("root"))->ord,
	    sat_span_str("request 12"), &err);
}

static char *
in_segments(const char *name)
{
	return sat_xasprintf("%s/segments/%s", w->dir, name);
}

/* Behind its COMMIT, as by a disk that is full: the file cannot be written. */
static char *
cut_off(void)
{
	char *stop = in_segments("0000000001.seg.new");

	assert_true(payloads_left() > 0);
	assert_int_equal(0, mkdir(stop, 0700));
	assert_int_not_equal(SAT_OK, erase_first());
	assert_true(payloads_left() > 0);
	return stop;
}

static void
an_erasure_that_was_cut_off_ends_at_the_next_start(void **state) /* X1 */
{
	char *stop = cut_off();

	(void)state;
	world_stop(w); /* a server that cannot end it starts all the same */
	world_start(w);
	assert_true(payloads_left() > 0);
	assert_int_equal(0, rmdir(stop));
	world_stop(w);
	world_start(w);
	assert_int_equal(0, payloads_left());
	assert_rc(SAT_ECONFLICT, erase_first());
	verify();
	free(stop);
}

static bool
on_entry(void *u, const sat_erasure *x)
{
	*(sat_erasure *)u = *x;
	((sat_erasure *)u)->reason = sat_span_str("request 12");
	return true;
}

static void
a_ledger_told_again_is_answered_when_nothing_is_left(void **state)
{ /* X1, P-197 */
	char *stop = cut_off();
	sat_erasure x = { 0 };
	sat_ledger in = { .e = &x, .n = 1 };
	sat_store o = sat_sqlite_store_ops(w->store);
	sat_err err = { 0 };

	(void)state;
	assert_ok(o.ledger_after(o.u, 0, on_entry, &x, &err));
	assert_int_equal(1, x.rev);
	assert_int_not_equal(SAT_OK, sat_server_take_ledger(w->server, &in,
	    &err));
	assert_int_equal(0, rmdir(stop));
	assert_ok(sat_server_take_ledger(w->server, &in, &err));
	assert_int_equal(0, payloads_left());
	free(stop);
}

static void
an_erasure_that_was_cut_off_is_told_of_and_ended_by_the_tick(void **state)
{ /* X1 */
	char *stop = cut_off();
	sat_err err = { 0 };

	(void)state;
	assert_int_not_equal(SAT_OK, sat_server_tick(w->server, w->now_ms,
	    &err));
	assert_int_equal(0, rmdir(stop));
	w->now_ms += 60000; /* not every half minute */
	assert_ok(sat_server_tick(w->server, w->now_ms, &err));
	assert_true(payloads_left() > 0);
	w->now_ms += 3600000;
	assert_ok(sat_server_tick(w->server, w->now_ms, &err));
	assert_int_equal(0, payloads_left());
	free(stop);
}

static void
put_bytes(const char *path)
{
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	assert_int_equal(5, fwrite("Okapi", 1, 5, f));
	assert_int_equal(0, fclose(f));
}

/* Left by a compaction that died before its transaction, or by a disk that was
 * full; what is nobody's is left alone. */
static void
files_no_segment_counts_with_go_with_an_erasure(void **state) /* X1 */
{
	static const char *const names[] = { "0000000009.seg",
		"0000000003.seg.new", "notes.txt" };
	char *path[3];
	sat_err err = { 0 };

	(void)state;
	for (int i = 0; i < 3; i++)
		put_bytes(path[i] = in_segments(names[i]));
	assert_ok(erase_first());
	assert_int_not_equal(0, access(path[0], F_OK));
	assert_int_not_equal(0, access(path[1], F_OK));
	assert_int_equal(0, access(path[2], F_OK));
	verify();
	for (int i = 0; i < 3; i++)
		free(path[i]);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(an_erasure_that_was_cut_off_ends_at_the_next_start),
		T(a_ledger_told_again_is_answered_when_nothing_is_left),
		T(an_erasure_that_was_cut_off_is_told_of_and_ended_by_the_tick),
		T(files_no_segment_counts_with_go_with_an_erasure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
