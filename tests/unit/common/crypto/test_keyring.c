/* Secrets, slots, one process, the table of files. */
#include "tests/lib/unit.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/crypto/crypto.h"
#include "common/crypto/keyring_int.h"
#include "tests/unit/common/crypto/ring.h"

/* ---- secrets ------------------------------------------------------------- */

static void
the_same_secret_brings_back_the_same_keys(void **state)
{
	sat_keyring *k = created(&words);
	uint8_t before[32], after[32], other[32];
	struct stat st;

	(void)state;
	sat_keyring_subkey(before, k, "satchel page v1", sat_span_str("x"));
	sat_keyring_subkey(other, k, "satchel page v1", sat_span_str("y"));
	assert_memory_not_equal(before, other, 32);
	sat_keyring_close(k);
	assert_int_equal(0, stat(path, &st));
	assert_int_equal(0600, st.st_mode & 07777);
	assert_true(st.st_size < SAT_KEYRING_MAX_BYTES);
	k = opened(&words);
	sat_keyring_subkey(after, k, "satchel page v1", sat_span_str("x"));
	assert_memory_equal(before, after, 32);
	sat_keyring_close(k);
	assert_rc(SAT_ELOCKED, try_open(&wrong));
	assert_rc(SAT_ELOCKED, try_open(&key_file));
}

static void
a_wrong_passphrase_is_told_quickly_at_the_default_price(void **state)
{
	sat_secret_in dear = words, bad = wrong;
	struct timespec a, b;
	double ms;

	(void)state;
	dear.cost = bad.cost = (sat_kdf_cost){ 0, 0 };
	sat_keyring_close(created(&dear));
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a); /* others may run too */
	assert_rc(SAT_ELOCKED, try_open(&bad));
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
	ms = (double)(b.tv_sec - a.tv_sec) * 1e3 +
	    (double)(b.tv_nsec - a.tv_nsec) / 1e6;
	print_message("wrong passphrase told after %.0f ms\n", ms);
	assert_true(ms < 2000);
}

static void
a_secret_too_weak_makes_no_keyring(void **state)
{
	sat_secret_in s = words;
	sat_keyring *k;
	sat_err err = { 0 };
	uint8_t point[32] = { 0 };

	(void)state;
	s.bytes.n = 7;
	assert_rc(SAT_EINVALID, sat_keyring_create(&k, path, &s, &err));
	s = key_file;
	s.bytes.n = 31;
	assert_rc(SAT_EINVALID, sat_keyring_create(&k, path, &s, &err));
	s.type = SAT_SLOT_RECOVERY;
	s.bytes = sat_span_of(point, 32);
	assert_rc(SAT_EINVALID, sat_keyring_create(&k, path, &s, &err));
	s = words;
	s.cost.ops = 11;
	assert_rc(SAT_EINVALID, sat_keyring_create(&k, path, &s, &err));
	s.cost = (sat_kdf_cost){ 1, (uint64_t)2 << 30 };
	assert_rc(SAT_EINVALID, sat_keyring_create(&k, path, &s, &err));
	assert_null(k);
	assert_rc(SAT_ENOREPLICA, try_open(&words));
	assert_int_not_equal(0, access(path, F_OK));
}

static void
a_key_file_opens_what_it_made(void **state)
{
	uint8_t one_off[32] = { 1, 2, 4 };
	sat_secret_in other = key_file;

	(void)state;
	sat_keyring_close(created(&key_file));
	assert_rc(SAT_OK, try_open(&key_file));
	other.bytes.p = one_off;
	assert_rc(SAT_ELOCKED, try_open(&other));
	other.bytes.n = 31;
	assert_rc(SAT_ELOCKED, try_open(&other));
	assert_rc(SAT_ELOCKED, try_open(&words));
}

static void
a_new_passphrase_replaces_the_old_one_and_keeps_the_keys(void **state)
{
	sat_keyring *k = created(&words);
	uint8_t before[32], after[32];
	sat_err err = { 0 };

	(void)state;
	sat_keyring_subkey(before, k, "l", (sat_span){ NULL, 0 });
	assert_ok(sat_keyring_set_slot(k, &wrong, &err));
	assert_ok(sat_keyring_set_slot(k, &key_file, &err));
	assert_int_equal(2, k->ring.nslots);
	assert_int_equal(3, k->ring.generation);
	sat_keyring_close(k);
	assert_rc(SAT_ELOCKED, try_open(&words));
	k = opened(&wrong);
	sat_keyring_subkey(after, k, "l", (sat_span){ NULL, 0 });
	assert_memory_equal(before, after, 32);
	sat_keyring_close(k);
	k = opened(&key_file);
	sat_keyring_subkey(after, k, "l", (sat_span){ NULL, 0 });
	assert_memory_equal(before, after, 32);
	sat_keyring_close(k);
}

static void
the_organisation_opens_its_slot_and_nobody_else(void **state)
{
	uint8_t sk[32] = { 5, 6, 7 }, pk[32], point[32] = { 0 };
	uint8_t before[32], after[32];
	sat_secret_in put = { SAT_SLOT_RECOVERY, { pk, 32 }, { 0, 0 } };
	sat_secret_in take = { SAT_SLOT_RECOVERY, { sk, 32 }, { 0, 0 } };
	sat_keyring *k = created(&words);
	sat_err err = { 0 };

	(void)state;
	sat_box_keys(pk, sk);
	sat_keyring_subkey(before, k, "l", (sat_span){ NULL, 0 });
	put.bytes.p = point;
	assert_rc(SAT_EINVALID, sat_keyring_set_slot(k, &put, &err));
	put.bytes.p = pk;
	assert_ok(sat_keyring_set_slot(k, &put, &err));
	sat_keyring_close(k);
	assert_rc(SAT_ELOCKED, try_open(&put)); /* the public half */
	sk[4] ^= 1;
	assert_rc(SAT_ELOCKED, try_open(&take));
	sk[4] ^= 1;
	k = opened(&take);
	sat_keyring_subkey(after, k, "l", (sat_span){ NULL, 0 });
	assert_memory_equal(before, after, 32);
	sat_keyring_close(k);
	assert_rc(SAT_OK, try_open(&words));
}

/* ---- one process --------------------------------------------------------- */

static void
a_second_holder_is_told_that_it_is_busy(void **state)
{
	sat_keyring *k = created(&words), *other;
	sat_err err = { 0 };
	int status;
	pid_t child;

	(void)state;
	assert_rc(SAT_EBUSY, try_open(&words));
	/* The file was replaced by rename in between: still one lock. */
	assert_ok(sat_keyring_set_slot(k, &key_file, &err));
	child = fork();
	if (child == 0) {
		sat_rc rc = sat_keyring_open(&other, path, &words, NULL);

		_exit(rc == SAT_EBUSY ? 0 : 1);
	}
	assert_true(child > 0);
	assert_int_equal(child, waitpid(child, &status, 0));
	assert_int_equal(0, status);
	assert_rc(SAT_EBUSY, sat_keyring_create(&other, path, &words, &err));
	sat_keyring_close(k);
	assert_rc(SAT_OK, try_open(&words));
	assert_rc(SAT_ECONFLICT,
	    sat_keyring_create(&other, path, &words, &err));
}

static void
looking_for_a_keyring_leaves_nothing_behind(void **state)
{
	(void)state;
	assert_rc(SAT_ENOREPLICA, try_open(&words));
	assert_int_not_equal(0, access(lock_path, F_OK));
}

/* ---- the file table ------------------------------------------------------ */

static void
a_file_keeps_its_id_and_no_two_share_one(void **state)
{
	uint8_t a[16], b[16], again[16];
	sat_keyring *k = created(&words);
	sat_err err = { 0 };

	(void)state;
	assert_rc(SAT_ENOTFOUND,
	    sat_keyring_file_id(a, k, "a.db", false, &err));
	assert_ok(sat_keyring_file_id(a, k, "a.db", true, &err));
	assert_ok(sat_keyring_file_id(b, k, "b.db", true, &err));
	assert_memory_not_equal(a, b, 16);
	assert_memory_equal("SEF1\1", a, 5);
	assert_ok(sat_keyring_file_id(again, k, "a.db", true, &err));
	assert_memory_equal(a, again, 16);
	assert_rc(SAT_EINVALID,
	    sat_keyring_file_id(again, k, "x/a.db", true, &err));
	assert_rc(SAT_EINVALID, sat_keyring_file_id(again, k, "", true, &err));
	sat_keyring_close(k);
	k = opened(&words);
	assert_ok(sat_keyring_file_id(again, k, "b.db", false, &err));
	assert_memory_equal(b, again, 16);
	sat_keyring_close(k);
}

static void
a_full_keyring_still_fits_its_file(void **state)
{
	uint8_t id[16], sk[32] = { 9 }, pk[32];
	char name[SAT_RING_NAME_MAX + 2];
	sat_secret_in org = { SAT_SLOT_RECOVERY, { pk, 32 }, { 0, 0 } };
	sat_keyring *k = created(&words);
	sat_err err = { 0 };
	unsigned i;

	(void)state;
	sat_box_keys(pk, sk);
	assert_ok(sat_keyring_set_slot(k, &key_file, &err));
	assert_ok(sat_keyring_set_slot(k, &org, &err));
	memset(name, 'n', sizeof(name));
	name[SAT_RING_NAME_MAX + 1] = '\0';
	assert_rc(SAT_EINVALID, sat_keyring_file_id(id, k, name, true, &err));
	name[SAT_RING_NAME_MAX] = '\0';
	for (i = 0; i < SAT_KEYRING_FILES_MAX; i++) {
		name[0] = (char)('a' + i);
		assert_ok(sat_keyring_file_id(id, k, name, true, &err));
	}
	name[0] = 'z';
	assert_rc(SAT_EINVALID, sat_keyring_file_id(id, k, name, true, &err));
	sat_keyring_close(k);
	assert_rc(SAT_OK, try_open(&words));
}

static void
a_keyring_in_memory_has_no_file(void **state)
{
	uint8_t mk[32] = { 3 }, a[32], b[32], id[16], again[16];
	sat_keyring *one = sat_keyring_memory(mk);
	sat_keyring *two = sat_keyring_memory(mk);
	sat_keyring *any = sat_keyring_memory(NULL);
	sat_err err = { 0 };

	(void)state;
	sat_keyring_subkey(a, one, "l", sat_span_str("c"));
	sat_keyring_subkey(b, two, "l", sat_span_str("c"));
	assert_memory_equal(a, b, 32);
	sat_keyring_subkey(b, any, "l", sat_span_str("c"));
	assert_memory_not_equal(a, b, 32);
	assert_ok(sat_keyring_file_id(id, one, "a.db", true, &err));
	assert_ok(sat_keyring_file_id(again, one, "a.db", false, &err));
	assert_memory_equal(id, again, 16);
	sat_keyring_close(one);
	sat_keyring_close(two);
	sat_keyring_close(any);
	sat_keyring_close(NULL);
}

static void
what_is_sealed_opens_only_under_its_label_and_keyring(void **state)
{
	sat_keyring *k = sat_keyring_memory(NULL);
	sat_keyring *other = sat_keyring_memory(NULL);
	sat_buf box = { 0 }, out = { 0 };
	sat_err err = { 0 };
	size_t i;

	(void)state;
	sat_buf_str(&box, "head"); /* sealing appends */
	sat_keyring_seal(&box, k, "identity", sat_span_str("top secret"));
	memmove(box.p, box.p + 4, box.n -= 4);
	assert_int_equal(24 + 10 + 16, box.n);
	assert_ok(sat_keyring_unseal(&out, k, "identity", sat_buf_span(&box),
	    &err));
	assert_int_equal(10, out.n);
	assert_memory_equal("top secret", out.p, 10);
	sat_buf_reset(&out);
	assert_rc(SAT_EINTEGRITY, sat_keyring_unseal(&out, k, "identify",
	    sat_buf_span(&box), &err));
	assert_rc(SAT_EINTEGRITY, sat_keyring_unseal(&out, other, "identity",
	    sat_buf_span(&box), &err));
	for (i = 0; i < box.n; i++) {
		assert_rc(SAT_EINTEGRITY, sat_keyring_unseal(&out, k,
		    "identity", sat_span_of(box.p, i), &err));
		box.p[i] ^= 1;
		assert_rc(SAT_EINTEGRITY, sat_keyring_unseal(&out, k,
		    "identity", sat_buf_span(&box), &err));
		box.p[i] ^= 1;
	}
	assert_int_equal(0, out.n);
	sat_buf_fini(&box);
	sat_buf_fini(&out);
	sat_keyring_close(k);
	sat_keyring_close(other);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_same_secret_brings_back_the_same_keys),
		T(a_wrong_passphrase_is_told_quickly_at_the_default_price),
		T(a_secret_too_weak_makes_no_keyring),
		T(a_key_file_opens_what_it_made),
		T(a_new_passphrase_replaces_the_old_one_and_keeps_the_keys),
		T(the_organisation_opens_its_slot_and_nobody_else),
		T(a_second_holder_is_told_that_it_is_busy),
		T(looking_for_a_keyring_leaves_nothing_behind),
		T(a_file_keeps_its_id_and_no_two_share_one),
		T(a_full_keyring_still_fits_its_file),
		T(a_keyring_in_memory_has_no_file),
		T(what_is_sealed_opens_only_under_its_label_and_keyring),
	};

	sat_crypto_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
