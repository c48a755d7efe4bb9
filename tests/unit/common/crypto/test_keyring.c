#include "tests/lib/unit.h"

#include <errno.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/crypto/keyring_int.h"

/* The cheapest price the format allows; the default is tried once. */
#define CHEAP { 1, (uint64_t)8 << 20 }

static const sat_secret_in words = { SAT_SLOT_PASSPHRASE,
	{ (const uint8_t *)"four words make this", 20 }, CHEAP };
static const sat_secret_in wrong = { SAT_SLOT_PASSPHRASE,
	{ (const uint8_t *)"four words make that", 20 }, CHEAP };
static const uint8_t key_bytes[32] = { 1, 2, 3 };
static const sat_secret_in key_file = { SAT_SLOT_KEYFILE,
	{ key_bytes, 32 }, { 0, 0 } };

static char *dir;
static char path[300], previous[310], temp[310], lock_path[310];

static int
setup(void **state)
{
	(void)state;
	dir = sat_test_dir();
	(void)snprintf(path, sizeof(path), "%s/a.keyring", dir);
	(void)snprintf(previous, sizeof(previous), "%s.1", path);
	(void)snprintf(temp, sizeof(temp), "%s.tmp", path);
	(void)snprintf(lock_path, sizeof(lock_path), "%s.lock", path);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	sat_test_rmdir(dir);
	return 0;
}

static void
slurp(sat_buf *out, const char *name)
{
	sat_err err = { 0 };

	sat_buf_reset(out);
	assert_ok(sat_store_read(out, name, &err));
}

static void
spill(const char *name, sat_span bytes)
{
	FILE *f = fopen(name, "w");

	assert_non_null(f);
	assert_int_equal(bytes.n, fwrite(bytes.p, 1, bytes.n, f));
	assert_int_equal(0, fclose(f));
}

static sat_rc
try_open(const sat_secret_in *secret)
{
	sat_keyring *k = NULL;
	sat_err err = { 0 };
	sat_rc rc = sat_keyring_open(&k, path, secret, &err);

	assert_true((rc == SAT_OK) == (k != NULL));
	if (rc != SAT_OK)
		assert_true(err.text[0] != '\0');
	sat_keyring_close(k);
	return rc;
}

static sat_keyring *
created(const sat_secret_in *secret)
{
	sat_keyring *k = NULL;
	sat_err err = { 0 };

	assert_ok(sat_keyring_create(&k, path, secret, &err));
	return k;
}

static sat_keyring *
opened(const sat_secret_in *secret)
{
	sat_keyring *k = NULL;
	sat_err err = { 0 };

	assert_ok(sat_keyring_open(&k, path, secret, &err));
	return k;
}

/* ---- secrets ------------------------------------------------------------------- */

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
	(void)clock_gettime(CLOCK_MONOTONIC, &a);
	assert_rc(SAT_ELOCKED, try_open(&bad));
	(void)clock_gettime(CLOCK_MONOTONIC, &b);
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

/* ---- one process ----------------------------------------------------------------- */

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

/* ---- the file table ----------------------------------------------------------------- */

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

/* ---- altered and torn files ------------------------------------------------------------- */

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

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

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
