/*
 * The spool: what is read is what was written, nothing of it lies on the disk
 * in the open, and every way of altering the file is found.
 */
#include "tests/lib/unit.h"

#include <sys/resource.h>
#include <signal.h>
#include <unistd.h>

#include "common/crypto/spool.h"

static const uint8_t key[SAT_KEY_BYTES] = { 7, 1 };
static const uint8_t other[SAT_KEY_BYTES] = { 7, 2 };

static void
write_file(const char *path, sat_span content, size_t piece)
{
	sat_spool_out *o;
	sat_err err;

	assert_ok(sat_spool_create(&o, path, key, &err));
	for (size_t at = 0; at < content.n; at += piece)
		sat_spool_add(o, sat_span_of(content.p + at,
		    content.n - at < piece ? content.n - at : piece));
	assert_int_equal(sat_spool_size(o), content.n);
	assert_ok(sat_spool_close(o, true, &err));
}

static sat_rc
read_file(sat_buf *b, const char *path, const uint8_t k[SAT_KEY_BYTES])
{
	sat_spool_in *in;
	sat_span s;
	sat_rc rc = sat_spool_open(&in, path, k, NULL);

	uint64_t length;

	sat_buf_reset(b);
	if (rc != SAT_OK)
		return rc;
	length = sat_spool_length(in);
	while ((rc = sat_spool_next(&s, in, NULL)) == SAT_OK && s.n > 0)
		sat_buf_add(b, s.p, s.n);
	sat_spool_shut(in);
	if (rc == SAT_OK)
		assert_int_equal(length, b->n);
	return rc;
}

static void
slurp(sat_buf *b, const char *path)
{
	FILE *f = fopen(path, "rb");
	size_t n;

	assert_non_null(f);
	sat_buf_reset(b);
	do {
		n = fread(sat_buf_room(b, 65536), 1, 65536, f);
		b->n += n;
	} while (n > 0);
	fclose(f);
}

static void
content_of_every_length_comes_back(void **state)
{
	static const size_t lengths[] = { 0, 1, 65535, 65536, 65537, 131072,
		200000 };
	uint64_t r;
	sat_buf in = { 0 }, out = { 0 };
	const char *path = sat_test_at("a");

	(void)state;
	r = sat_test_seed(31);
	for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
		sat_buf_reset(&in);
		for (size_t k = 0; k < lengths[i]; k++)
			sat_write_u8(&in, (uint8_t)(sat_test_rand(&r) % (256)));
		write_file(path, sat_buf_span(&in), 1 + sat_test_rand(&r) %
		    70000);
		assert_rc(SAT_OK, read_file(&out, path, key));
		assert_int_equal(in.n, out.n);
		if (in.n > 0)
			assert_memory_equal(in.p, out.p, in.n);
		assert_rc(SAT_EINTEGRITY, read_file(&out, path, other));
	}
	sat_buf_fini(&in);
	sat_buf_fini(&out);
}

static void
the_file_holds_none_of_the_text(void **state)
{
	static const char text[] = "Acme Works,13812345678,Guangdong";
	sat_buf raw = { 0 }, again = { 0 };
	const char *path = sat_test_at("b");

	(void)state;
	write_file(path, sat_span_str(text), 5);
	slurp(&raw, path);
	for (size_t i = 0; i + 4 <= raw.n; i++)
		for (size_t k = 0; k + 4 < sizeof text; k++)
			assert_true(memcmp(raw.p + i, text + k, 4) != 0);
	/* and the same text is other bytes the next time */
	write_file(path, sat_span_str(text), 5);
	slurp(&again, path);
	assert_int_equal(raw.n, again.n);
	assert_true(memcmp(raw.p + 8, again.p + 8, raw.n - 8) != 0);
	sat_buf_fini(&raw);
	sat_buf_fini(&again);
}

static void
no_altered_file_is_read_to_its_end(void **state)
{
	uint64_t r;
	sat_buf text = { 0 }, raw = { 0 }, out = { 0 };
	const char *path = sat_test_at("c"), *bad = sat_test_at("d");
	size_t sealed = SAT_SPOOL_PIECE + SAT_AEAD_TAG_BYTES, head = 24;

	(void)state;
	r = sat_test_seed(32);
	for (size_t i = 0; i < 3 * SAT_SPOOL_PIECE + 10; i++)
		sat_write_u8(&text, (uint8_t)(i * 7));
	write_file(path, sat_buf_span(&text), 4096);
	slurp(&raw, path);
	for (int i = 0; i < 60; i++) { /* one bit */
		size_t at = (sat_test_rand(&r) % (raw.n));
		uint8_t bit = (uint8_t)(1 << (sat_test_rand(&r) % (8)));

		raw.p[at] ^= bit;
		sat_test_save(bad, raw.p, raw.n);
		raw.p[at] ^= bit;
		assert_rc(SAT_EINTEGRITY, read_file(&out, bad, key));
	}
	for (size_t cut = 0; cut < 4; cut++) { /* the end is gone */
		sat_test_save(bad, raw.p, head + cut * sealed);
		assert_rc(SAT_EINTEGRITY, read_file(&out, bad, key));
	}
	for (size_t i = 0; i < sealed; i++) { /* two pieces change places */
		uint8_t x = raw.p[head + i];

		raw.p[head + i] = raw.p[head + sealed + i];
		raw.p[head + sealed + i] = x;
	}
	sat_test_save(bad, raw.p, raw.n);
	assert_rc(SAT_EINTEGRITY, read_file(&out, bad, key));
	sat_buf_fini(&text);
	sat_buf_fini(&raw);
	sat_buf_fini(&out);
}

static void
a_disk_without_room_leaves_no_file(void **state)
{
	const char *path = sat_test_at("e"), *tmp = sat_test_at("e.tmp");
	struct rlimit was, small = { 100000, 100000 };
	uint8_t piece[8192] = { 0 };
	sat_spool_out *o;
	sat_err err;

	(void)state;
	assert_ok(sat_spool_create(&o, path, key, &err));
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	(void)signal(SIGXFSZ, SIG_IGN);
	small.rlim_max = was.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	for (int i = 0; i < 100; i++)
		sat_spool_add(o, sat_span_of(piece, sizeof piece));
	assert_true(sat_spool_close(o, true, &err) != SAT_OK);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
	assert_int_not_equal(access(path, F_OK), 0);
	assert_int_not_equal(access(tmp, F_OK), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(content_of_every_length_comes_back),
		cmocka_unit_test(the_file_holds_none_of_the_text),
		cmocka_unit_test(no_altered_file_is_read_to_its_end),
		cmocka_unit_test(a_disk_without_room_leaves_no_file),
	};

	sat_crypto_init();
	return cmocka_run_group_tests(tests, sat_test_dir_setup,
	    sat_test_dir_teardown);
}
