/* A kit has people and keys, and nothing of a customer (P-200, P-446). */
#include "tests/unit/server/store/sqlite/device.h"
#include "tests/unit/server/store/sqlite/loss.h"

#include <stdio.h>

#define DAY_MS ((int64_t)86400000)
#define SCAN "Quagga-canary-4477"

static size_t
found_bytes(const char *path, sat_span word)
{
	FILE *f = fopen(path, "rbe");
	size_t n = 1, hits = 0;
	sat_buf b = { 0 };

	assert_non_null(f);
	while (n > 0) {
		n = fread(sat_buf_room(&b, 65536), 1, 65536, f);
		b.n += n;
	}
	(void)fclose(f);
	for (size_t i = 0; i + word.n <= b.n; i++)
		hits += memcmp(b.p + i, word.p, word.n) == 0;
	sat_buf_fini(&b);
	return hits;
}

static size_t
found(const char *path, const char *word)
{
	return found_bytes(path, sat_span_str(word));
}

/* A copy of the store with nothing but the registry, in the backup's place. */
static void
take_kit(company *c)
{
	sat_sqlite_store_opts o = { .path = c->backup,
		.clock = { world_now, world_now, c->w } };
	sat_sqlite_store *s;
	sat_err err = { 0 };

	(void)remove(c->backup);
	take_backup(c);
	assert_ok(sat_sqlite_store_open(&s, &o, &err));
	assert_ok(sat_sqlite_registry_only(s, &err));
	sat_sqlite_store_close(s);
}

/* The content of a file, as a device gives it to a record: whole, or a part. */
static void
give_file(company *c, const sat_id *rec, const char *text, bool whole)
{
	sat_store st = c->w->real;
	sat_file_put p = { .bytes = strlen(text) + (whole ? 0 : 1),
		.data = sat_span_str(text) };
	uint32_t eid = device_find(c->hq, rec, 0)->eid;
	sat_err err = { 0 };

	sat_hash(p.hash, p.data);
	assert_ok(st.begin(st.u, &err));
	assert_ok(st.file_part_put(st.u, c->ann->ord, eid, &p, c->w->now_ms,
	    &err));
	if (whole)
		assert_ok(st.file_keep(st.u, c->ann->ord, p.hash, eid, &err));
	assert_ok(st.commit(st.u, &err));
}

/* What a commit about the one says of the other outlives the one's erasure. */
static void
erase_beside(company *c, const sat_id *gone, const sat_id *stays,
    const char *said)
{
	sat_op ops[] = {
		op_set(gone, K_ACCOUNT, SAT_OP_SET, A_REMARK, txt("of both")),
		op_set(stays, K_ACCOUNT, SAT_OP_SET, A_REMARK, txt(said)),
	};
	const sat_registry *r = sat_server_registry(c->w->server);
	sat_err err = { 0 };

	(void)device_commit(c->ann, gone, ops, 2);
	device_sync(c->ann);
	assert_false(sat_vd_refused(device_last(c->ann)->code));
	assert_ok(sat_server_erase(c->w->server, gone, c->hq->user,
	    sat_registry_user(r, sat_span_str("root"))->ord,
	    sat_span_str("request 12"), &err));
}

static void
nothing_of_a_customer_is_in_a_kit(void **state) /* P-446 */
{
	company c = company_new(sat_test_seed(61));
	sat_id gone = device_account(c.ann, "Okapi", "ann");
	sat_id id = device_account(c.ann, "Gnu", "ann");
	uint8_t hash[SAT_HASH_BYTES];
	sat_span known = sat_span_of(hash, sizeof hash);

	(void)state;
	sat_hash(hash, sat_span_str(SCAN));
	sync_all(&c);
	give_file(&c, &id, SCAN, true);
	give_file(&c, &id, "Bongo-half", false);
	erase_beside(&c, &gone, &id, "Nyala");
	take_backup(&c);
	assert_true(found(c.backup, SCAN) > 0);
	assert_true(found_bytes(c.backup, known) > 1);
	assert_true(found(c.backup, "Bongo-half") > 0);
	assert_true(found(c.backup, "Nyala") > 0);
	take_kit(&c);
	assert_int_equal(0, found(c.backup, SCAN));
	assert_int_equal(0, found_bytes(c.backup, known));
	assert_int_equal(0, found(c.backup, "Bongo-half"));
	assert_int_equal(0, found(c.backup, "Nyala"));
	assert_true(found(c.backup, "north") > 0);
	company_free(&c);
}

static bool
on_file(void *u, int64_t id, const uint8_t *hash, uint32_t eid,
    int64_t unnamed_ms)
{
	(void)id;
	(void)hash;
	(void)eid;
	(void)unnamed_ms;
	++*(size_t *)u;
	return true;
}

/* A kit made before it left them out: the record it had them for is not there,
 * or never will be. */
static void
a_content_of_a_record_that_is_not_here_goes_after_a_month(void **state)
{ /* P-447 */
	company c = company_new(sat_test_seed(62));
	sat_id id = device_account(c.ann, "Gnu", "ann");
	sat_store st = c.w->real;
	sat_file_put p = { .bytes = strlen(SCAN), .data = sat_span_str(SCAN) };
	size_t n = 0;
	sat_err err = { 0 };

	(void)state;
	(void)id;
	sync_all(&c);
	sat_hash(p.hash, p.data);
	assert_ok(st.begin(st.u, &err));
	assert_ok(st.file_part_put(st.u, c.ann->ord, 4000, &p, c.w->now_ms,
	    &err));
	assert_ok(st.file_keep(st.u, c.ann->ord, p.hash, 4000, &err));
	assert_ok(st.commit(st.u, &err));
	assert_ok(sat_server_tick(c.w->server, c.w->now_ms, &err));
	c.w->now_ms += 31 * DAY_MS;
	assert_ok(sat_server_tick(c.w->server, c.w->now_ms, &err));
	assert_ok(st.files(st.u, 0, on_file, &n, &err));
	assert_int_equal(0, n);
	assert_int_equal(0, found(c.w->path, SCAN));
	company_free(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_of_a_customer_is_in_a_kit),
		cmocka_unit_test(
		    a_content_of_a_record_that_is_not_here_goes_after_a_month),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
