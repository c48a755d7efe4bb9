/* Altered, torn and half-written keyrings. */
#include "tests/lib/unit.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/crypto/crypto.h"
#include "common/crypto/keyring_int.h"
#include "tests/unit/common/crypto/ring.h"

static void
refresh_checksum(sat_buf *file)
{
	uint8_t sum[32];

	sat_hash(sum, sat_span_of(file->p, file->n - 16));
	memcpy(file->p + file->n - 16, sum, 16);
}

/* A key file opens it, so that 500 openings cost no Argon2id. */
static void
no_byte_can_be_changed(void **state) /* K4 */
{
	sat_keyring *k = created(&key_file);
	sat_buf good = { 0 }, bad = { 0 };
	uint8_t id[16];
	sat_err err = { 0 };
	size_t i;

	(void)state;
	assert_ok(sat_keyring_set_slot(k, &words, &err));
	assert_ok(sat_keyring_file_id(id, k, "a.db", true, &err));
	sat_keyring_close(k);
	assert_rc(SAT_OK, try_open(&key_file)); /* and drops the .1 */
	slurp(&good, path);
	for (i = 0; i < good.n; i++) {
		unsigned how;

		for (how = 0; how < 3; how++) {
			sat_rc rc;

			sat_buf_reset(&bad);
			sat_buf_add(&bad, good.p, good.n);
			bad.p[i] ^= (uint8_t)(how == 2 ? 0xffu : 1u << i % 8);
			if (how > 0) /* by someone who knows the format */
				refresh_checksum(&bad);
			if (sat_span_eq(sat_buf_span(&good),
			    sat_buf_span(&bad)))
				continue; /* it was the checksum itself */
			spill(path, sat_buf_span(&bad));
			rc = try_open(&key_file);
			if (how == 0)
				assert_rc(SAT_EINTEGRITY, rc);
			assert_true(rc == SAT_EINTEGRITY ||
			    rc == SAT_ELOCKED || rc == SAT_EVERSION);
			assert_int_not_equal(0, access(previous, F_OK));
		}
	}
	spill(path, sat_buf_span(&good));
	assert_rc(SAT_OK, try_open(&key_file));
	sat_buf_fini(&good);
	sat_buf_fini(&bad);
}

static void
a_file_cut_or_grown_anywhere_does_not_open(void **state)
{
	sat_buf good = { 0 };
	size_t i;

	(void)state;
	sat_keyring_close(created(&key_file));
	slurp(&good, path);
	for (i = 0; i < good.n; i++) {
		spill(path, sat_span_of(good.p, i));
		assert_rc(SAT_EINTEGRITY, try_open(&key_file));
	}
	sat_write_u8(&good, 0);
	spill(path, sat_buf_span(&good));
	assert_rc(SAT_EINTEGRITY, try_open(&key_file));
	while (good.n <= SAT_KEYRING_MAX_BYTES)
		sat_write_u8(&good, 0);
	spill(path, sat_buf_span(&good));
	assert_rc(SAT_EINTEGRITY, try_open(&key_file));
	sat_buf_fini(&good);
}

/* Someone without a secret asks for a price that would stop the machine. */
static void
a_doctored_price_is_refused_before_it_is_paid(void **state) /* K2 */
{
	static const struct {
		uint32_t ops;
		uint64_t mem;
	} price[] = { { 0, 8 << 20 }, { 11, 8 << 20 }, { UINT32_MAX, 8 << 20 },
		{ 3, 0 }, { 3, ((uint64_t)1 << 30) + 1 }, { 3, UINT64_MAX },
		{ 3, (uint64_t)1 << 40 } };
	sat_ring r;
	sat_buf file = { 0 };
	sat_err err = { 0 };
	const uint8_t mk[32] = { 0 };
	unsigned i, b;

	(void)state;
	sat_keyring_close(created(&words));
	slurp(&file, path);
	assert_ok(sat_ring_read(&r, sat_buf_span(&file), &err));
	for (i = 0; i < sizeof(price) / sizeof(price[0]); i++) {
		uint8_t *at = r.slots[0].params + 16;

		for (b = 0; b < 4; b++)
			at[b] = (uint8_t)(price[i].ops >> (24 - 8 * b));
		for (b = 0; b < 8; b++)
			at[4 + b] = (uint8_t)(price[i].mem >> (56 - 8 * b));
		sat_buf_reset(&file);
		sat_ring_write(&file, &r, mk);
		assert_rc(SAT_EINTEGRITY,
		    sat_keyring_parse(sat_buf_span(&file), &err));
		spill(path, sat_buf_span(&file));
		assert_rc(SAT_EINTEGRITY, try_open(&words));
	}
	sat_buf_fini(&file);
}

static void
two_slots_of_one_type_are_refused(void **state) /* K3 */
{
	sat_keyring *k = created(&words);
	const uint8_t mk[32] = { 0 };
	sat_buf file = { 0 };
	sat_err err = { 0 };

	(void)state;
	k->ring.slots[1] = k->ring.slots[0];
	k->ring.nslots = 2;
	sat_ring_write(&file, &k->ring, mk);
	assert_rc(SAT_EINTEGRITY,
	    sat_keyring_parse(sat_buf_span(&file), &err));
	sat_buf_fini(&file);
	sat_keyring_close(k);
}

static void
an_unknown_version_says_so(void **state)
{
	sat_buf file = { 0 };

	(void)state;
	sat_keyring_close(created(&key_file));
	slurp(&file, path);
	file.p[8] = 2;
	refresh_checksum(&file);
	spill(path, sat_buf_span(&file));
	assert_rc(SAT_EVERSION, try_open(&key_file));
	sat_buf_fini(&file);
}

static void
what_the_reader_takes_the_writer_gives_back(void **state) /* K1 */
{
	uint8_t id[16];
	sat_keyring *k = created(&words);
	sat_buf file = { 0 }, again = { 0 };
	sat_err err = { 0 };
	sat_ring r;

	(void)state;
	assert_ok(sat_keyring_file_id(id, k, "a.db", true, &err));
	slurp(&file, path);
	assert_ok(sat_ring_read(&r, sat_buf_span(&file), &err));
	sat_ring_write(&again, &r, k->mk);
	assert_true(sat_span_eq(sat_buf_span(&file), sat_buf_span(&again)));
	sat_buf_fini(&file);
	sat_buf_fini(&again);
	sat_keyring_close(k);
}

static void
drop_line(void *u, sat_level level, const char *line)
{
	(void)level;
	if (strstr(line, "KEYRING-PREVIOUS") != NULL)
		(*(unsigned *)u)++;
}

static void
a_torn_file_falls_back_to_the_previous_one(void **state)
{
	sat_keyring *k = created(&words);
	uint8_t before[32], after[32], id[16], again[16];
	unsigned said = 0;
	sat_buf file = { 0 }, still = { 0 };
	sat_err err = { 0 };

	(void)state;
	sat_log_sink(drop_line, &said);
	sat_keyring_subkey(before, k, "l", (sat_span){ NULL, 0 });
	assert_ok(sat_keyring_file_id(id, k, "a.db", true, &err));
	assert_ok(sat_keyring_set_slot(k, &wrong, &err));
	sat_keyring_close(k);
	slurp(&file, path);
	memset(file.p + file.n / 2, 0, file.n - file.n / 2); /* half written */
	spill(path, sat_buf_span(&file));
	slurp(&file, previous);
	assert_rc(SAT_ELOCKED, try_open(&wrong)); /* the previous one's words */
	k = opened(&words);
	sat_keyring_subkey(after, k, "l", (sat_span){ NULL, 0 });
	assert_memory_equal(before, after, 32);
	assert_ok(sat_keyring_file_id(again, k, "a.db", false, &err));
	assert_memory_equal(id, again, 16);
	sat_keyring_close(k);
	assert_int_equal(1, said);
	/* It took the torn file's place, and was not replaced by it. */
	slurp(&still, previous);
	assert_true(sat_span_eq(sat_buf_span(&file), sat_buf_span(&still)));
	assert_rc(SAT_OK, try_open(&words));
	assert_int_not_equal(0, access(previous, F_OK));
	assert_int_equal(1, said);
	/* A missing file is as good as a torn one. */
	assert_int_equal(0, rename(path, previous));
	assert_rc(SAT_OK, try_open(&words));
	assert_int_equal(2, said);
	/* Both torn: told as such. */
	spill(path, sat_span_str("x"));
	spill(previous, sat_span_str("y"));
	assert_rc(SAT_EINTEGRITY, try_open(&words));
	sat_log_sink(NULL, NULL);
	sat_buf_fini(&file);
	sat_buf_fini(&still);
}

static void
the_old_passphrase_is_gone_after_the_next_opening(void **state)
{
	sat_keyring *k = created(&words);
	sat_err err = { 0 };

	(void)state;
	assert_ok(sat_keyring_set_slot(k, &wrong, &err));
	sat_keyring_close(k);
	assert_int_equal(0, access(previous, F_OK));
	assert_rc(SAT_ELOCKED, try_open(&words));
	assert_int_equal(0, access(previous, F_OK)); /* not yet */
	assert_rc(SAT_OK, try_open(&wrong));
	assert_int_not_equal(0, access(previous, F_OK));
}

static void
a_rewrite_that_fails_leaves_everything_as_it_was(void **state) /* K5 */
{
	sat_keyring *k = created(&words);
	uint8_t id[16];
	sat_buf before = { 0 }, after = { 0 };
	sat_err err = { 0 };

	(void)state;
	slurp(&before, path);
	/* A directory in the place of the temporary file cannot be unlinked. */
	assert_int_equal(0, mkdir(temp, 0700));
	assert_rc(SAT_EIO, sat_keyring_set_slot(k, &wrong, &err));
	assert_rc(SAT_EIO, sat_keyring_file_id(id, k, "a.db", true, &err));
	assert_rc(SAT_ENOTFOUND,
	    sat_keyring_file_id(id, k, "a.db", false, &err));
	assert_int_equal(1, k->ring.generation);
	slurp(&after, path);
	assert_true(sat_span_eq(sat_buf_span(&before), sat_buf_span(&after)));
	assert_int_equal(0, rmdir(temp));
	/* What a crash left under that name is in nobody's way. */
	spill(temp, sat_span_str("half a keyring"));
	assert_ok(sat_keyring_set_slot(k, &wrong, &err));
	sat_keyring_close(k);
	assert_rc(SAT_OK, try_open(&wrong));
	assert_int_not_equal(0, access(temp, F_OK));
	sat_buf_fini(&before);
	sat_buf_fini(&after);
}

/* A child rewrites without end and is killed; the file always opens. */
static void
a_kill_at_any_moment_leaves_a_keyring_that_opens(void **state)
{
	uint64_t rnd = sat_test_seed(7);
	unsigned round;

	(void)state;
	sat_keyring_close(created(&key_file));
	for (round = 0; round < 15; round++) {
		int status;
		pid_t child = fork();

		if (child == 0) {
			sat_keyring *k = NULL;

			if (sat_keyring_open(&k, path, &key_file, NULL) != 0)
				_exit(1);
			while (sat_keyring_set_slot(k, &key_file, NULL) == 0)
				;
			_exit(1);
		}
		assert_true(child > 0);
		(void)usleep(1000 + (useconds_t)(sat_test_rand(&rnd) % 15000));
		assert_int_equal(0, kill(child, SIGKILL));
		assert_int_equal(child, waitpid(child, &status, 0));
		assert_true(WIFSIGNALED(status)); /* not the exit(1) */
		assert_rc(SAT_OK, try_open(&key_file));
	}
}

static void
bytes_at_random_are_not_a_keyring(void **state)
{
	uint64_t rnd = sat_test_seed(42);
	uint8_t noise[700];
	sat_buf file = { 0 }, good = { 0 };
	unsigned round;
	sat_rc rc;
	size_t i;

	(void)state;
	sat_keyring_close(created(&words));
	slurp(&good, path);
	for (round = 0; round < 3000; round++) {
		for (i = 0; i < sizeof(noise); i++)
			noise[i] = (uint8_t)sat_test_rand(&rnd);
		sat_buf_reset(&file);
		/* A good start, then garbage, then a right checksum. */
		sat_buf_add(&file, good.p, sat_test_rand(&rnd) % good.n);
		sat_buf_add(&file, noise, 64 + sat_test_rand(&rnd) % 600);
		refresh_checksum(&file);
		rc = sat_keyring_parse(sat_buf_span(&file), NULL);
		/* Other bytes in a wrapped key or a MAC are still a keyring. */
		if (rc == SAT_OK && file.n == good.n)
			continue;
		assert_true(rc == SAT_EINTEGRITY || rc == SAT_EVERSION);
	}
	sat_buf_fini(&file);
	sat_buf_fini(&good);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(no_byte_can_be_changed),
		T(a_file_cut_or_grown_anywhere_does_not_open),
		T(a_doctored_price_is_refused_before_it_is_paid),
		T(two_slots_of_one_type_are_refused),
		T(an_unknown_version_says_so),
		T(what_the_reader_takes_the_writer_gives_back),
		T(a_torn_file_falls_back_to_the_previous_one),
		T(the_old_passphrase_is_gone_after_the_next_opening),
		T(a_rewrite_that_fails_leaves_everything_as_it_was),
		T(a_kill_at_any_moment_leaves_a_keyring_that_opens),
		T(bytes_at_random_are_not_a_keyring),
	};

	sat_crypto_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
