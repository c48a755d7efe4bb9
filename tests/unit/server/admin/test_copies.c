/* What is left of a copy, or of a key, when a step of making it fails. */
#include "tests/unit/server/admin/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/file.h"

static char *copy_path; /* of the kit or backup that is made */
static bool reducing_fails, was_there_early;
static bool verify_fails, was_named_early; /* the last step of a restore */
static struct stat broken; /* a folder that cannot be synced */

/* ---- what fails on demand ----------------------------------------------------------- */

sat_rc __real_sat_sqlite_registry_only(sat_sqlite_store *s, sat_err *e);
sat_rc __wrap_sat_sqlite_registry_only(sat_sqlite_store *s, sat_err *e);
sat_rc __real_admin_verify_all(sat_admin *a, uint64_t *commits,
    uint64_t *records, sat_err *e);
sat_rc __wrap_admin_verify_all(sat_admin *a, uint64_t *commits,
    uint64_t *records, sat_err *e);
int __real_fsync(int fd);
int __wrap_fsync(int fd);

sat_rc
__wrap_sat_sqlite_registry_only(sat_sqlite_store *s, sat_err *e)
{
	was_there_early = sat_folder_bytes(copy_path) > 0;
	return reducing_fails ? sat_fail(e, SAT_ENOSPACE, "no room") :
	    __real_sat_sqlite_registry_only(s, e);
}

sat_rc
__wrap_admin_verify_all(sat_admin *a, uint64_t *commits, uint64_t *records,
    sat_err *e)
{
	char *back = sat_xasprintf("%s/back", top);

	was_named_early = sat_file_there(back);
	free(back);
	return verify_fails ? sat_fail(e, SAT_EINTEGRITY, "not whole") :
	    __real_admin_verify_all(a, commits, records, e);
}

int
__wrap_fsync(int fd)
{
	struct stat st;

	if (fstat(fd, &st) == 0 && st.st_dev == broken.st_dev &&
	    st.st_ino == broken.st_ino) {
		errno = EIO;
		return -1;
	}
	return __real_fsync(fd);
}

static int
start_copies(void **state)
{
	copy_path = NULL;
	reducing_fails = was_there_early = false;
	verify_fails = was_named_early = false;
	memset(&broken, 0, sizeof broken);
	(void)start(state);
	copy_path = sat_xasprintf("%s/copy", top);
	return 0;
}

static int
end_copies(void **state)
{
	free(copy_path);
	memset(&broken, 0, sizeof broken);
	return end(state);
}

static sat_rc
run(sat_rc (*verb)(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e),
    const char *word, const char *second, const char *third)
{
	sat_args w = { .arg = { word, second, third },
		.nargs = third != NULL ? 3 : 2 };
	sat_buf out = { 0 };
	sat_rc rc = verb(admin, &w, &out, &err);

	sat_buf_fini(&out);
	return rc;
}

/* ---- kit ---------------------------------------------------------------------------- */

/* As if devices had pushed that much. */
static void
raise_log(uint64_t first)
{
	sat_epoch c = { .org = admin->keys.org, .epoch = 7, .first_lsn = first,
		.began_ms = 1, .until_ms = 2 };

	assert_ok(sat_sqlite_epoch_begin(admin->store, &c, &err));
}

static void
a_kit_that_fails_leaves_no_customers_behind(void **state)
{
	char *here = sat_xasprintf("%s/snapshots", dir);

	(void)state;
	reducing_fails = true;
	assert_rc(SAT_ENOSPACE, run(admin_kit_verb, "kit", copy_path, NULL));
	assert_false(sat_file_there(copy_path));
	assert_false(sat_file_there(here));
	free(here);
}

static void
a_kit_that_is_cut_off_has_no_customers_in_its_folder(void **state)
{
	char *left = sat_xasprintf("%s/snapshots", dir);
	char *half = sat_xasprintf("%s/kit.tmp", left);

	(void)state;
	assert_ok(sat_folder_make(left, &err));
	assert_ok(sat_folder_make(half, &err)); /* by one that was */
	assert_ok(run(admin_kit_verb, "kit", copy_path, NULL));
	assert_false(was_there_early);
	assert_false(sat_file_there(left));
	free(left);
	free(half);
}

/* A kit restored into the same epoch and its own kit: positions that were
 * given stay given. */
static void
a_kit_of_a_kit_remembers_where_the_log_stood(void **state)
{
	char *db = sat_xasprintf("%s/server.db", copy_path);
	sat_sqlite_store_opts o = { .path = db, .keyring = admin->keyring,
		.clock = admin->clock };
	uint64_t lsn, above, epoch;
	sat_sqlite_store *s;
	uint32_t eid;

	(void)state;
	raise_log(5000);
	assert_ok(run(admin_kit_verb, "kit", copy_path, NULL));
	assert_ok(sat_sqlite_store_open(&s, &o, &err));
	for (int i = 0; i < 2; i++) {
		assert_ok(sat_sqlite_epoch_base(&lsn, &above, &eid, &epoch, s,
		    &err));
		assert_int_equal(0, lsn);
		assert_int_equal(5000, above);
		assert_ok(sat_sqlite_registry_only(s, &err));
	}
	sat_sqlite_store_close(s);
	free(db);
}

/* ---- backup, keys --------------------------------------------------------------------- */

static void
a_backup_whose_name_may_be_lost_is_none(void **state)
{
	sat_sqlite_status st;

	(void)state;
	raise_log(5000);
	assert_int_equal(0, stat(top, &broken));
	assert_rc(SAT_EFSYNC, run(admin_backup_verb, "backup", copy_path, NULL));
	assert_false(sat_file_there(copy_path));
	assert_ok(sat_sqlite_status_get(&st, admin->store, &err));
	assert_int_equal(0, st.durable);
	memset(&broken, 0, sizeof broken);
	assert_ok(run(admin_backup_verb, "backup", copy_path, NULL));
	assert_ok(sat_sqlite_status_get(&st, admin->store, &err));
	assert_int_equal(4999, st.durable);
}

static void
a_recovery_key_stays_when_the_keyring_may_be_sealed_to_it(void **state)
{
	char *key = sat_xasprintf("%s/recovery.key", top);
	char *ring = sat_xasprintf("%s/server.keyring", dir);
	uint8_t sk[SAT_KEY_BYTES];
	sat_secret_in secret = { .type = SAT_SLOT_RECOVERY,
		.bytes = sat_span_of(sk, sizeof sk) };
	sat_buf text = { 0 };
	sat_keyring *k;

	(void)state;
	assert_int_equal(0, stat(dir, &broken));
	assert_rc(SAT_EFSYNC, run(admin_keys_verb, "keys", "escrow", key));
	assert_ok(sat_file_read(&text, key, 100, &err));
	assert_true(sat_unhex(sk, sizeof sk, (const char *)text.p,
	    2 * sizeof sk));
	sat_admin_close(admin);
	admin = NULL;
	memset(&broken, 0, sizeof broken);
	assert_ok(sat_keyring_open(&k, ring, &secret, &err));
	sat_keyring_close(k);
	sat_buf_fini(&text);
	free(ring);
	free(key);
}

/* ---- restore -------------------------------------------------------------------------- */

static sat_rc
restored(const char *back)
{
	char *root = sat_xasprintf("%s/root.key", dir);
	sat_restore_opts o = { .root_key = root };
	sat_rc rc = sat_admin_restore(back, copy_path, &o,
	    sat_span_str(PHRASE), &err);

	free(root);
	return rc;
}

static void
a_restore_that_fails_or_is_cut_off_leaves_nothing_to_serve(void **state)
{
	char *back = sat_xasprintf("%s/back", top);
	char *slash = sat_xasprintf("%s/", back);
	char *half = sat_xasprintf("%s.restoring", back);
	sat_admin *a;

	(void)state;
	assert_ok(run(admin_backup_verb, "backup", copy_path, NULL));
	assert_ok(sat_folder_make(half, &err)); /* by one that was cut off */
	verify_fails = true;
	assert_rc(SAT_EINTEGRITY, restored(back));
	assert_false(was_named_early);
	assert_rc(SAT_ENOREPLICA, sat_admin_open(&a, back,
	    sat_span_str(PHRASE), &err));
	assert_false(sat_file_there(half));
	verify_fails = false;
	assert_ok(restored(slash));
	assert_ok(sat_admin_open(&a, back, sat_span_str(PHRASE), &err));
	sat_admin_close(a);
	assert_false(sat_file_there(half));
	assert_rc(SAT_ECONFLICT, restored(back));
	free(half);
	free(slash);
	free(back);
}

static void
two_restores_into_one_folder_are_not_made_at_once(void **state)
{
	char *back = sat_xasprintf("%s/back", top);
	char *half = sat_xasprintf("%s.restoring", back);
	int other;

	(void)state;
	assert_ok(run(admin_backup_verb, "backup", copy_path, NULL));
	assert_ok(sat_folder_make(half, &err));
	other = open(half, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(0, flock(other, LOCK_EX));
	assert_rc(SAT_EBUSY, restored(back));
	assert_true(sat_file_there(half));
	(void)close(other);
	assert_ok(restored(back));
	free(half);
	free(back);
}

/* Every name in a folder, with what it is and holds. */
static void
listing(sat_buf *out, const char *folder)
{
	sat_buf names = { 0 };

	assert_ok(sat_folder_names(&names, folder, &err));
	for (size_t at = 0; at < names.n;) {
		const char *name = (const char *)names.p + at;
		char *path = sat_xasprintf("%s/%s", folder, name);
		struct stat st;

		assert_int_equal(0, stat(path, &st));
		sat_buf_str(out, name);
		sat_buf_add(out, &st.st_mode, sizeof st.st_mode);
		sat_buf_add(out, &st.st_ino, sizeof st.st_ino);
		sat_buf_add(out, &st.st_mtim, sizeof st.st_mtim);
		if (S_ISDIR(st.st_mode))
			listing(out, path);
		else
			assert_ok(sat_file_read(out, path, 1 << 24, &err));
		at += strlen(name) + 1;
		free(path);
	}
	sat_buf_fini(&names);
}

/* As a kit's folder is that somebody copied beside a running server. */
static void
add_previous(const char *folder)
{
	char *ring = sat_xasprintf("%s/server.keyring", folder);
	char *previous = sat_xasprintf("%s.1", ring);

	assert_ok(sat_file_copy(ring, previous, &err));
	free(previous);
	free(ring);
}

static void
a_backup_that_is_looked_at_keeps_every_byte_and_name(void **state)
{
	char *back = sat_xasprintf("%s/back", top);
	char *root = sat_xasprintf("%s/root.key", dir);
	char *kit = sat_xasprintf("%s/kit", top);
	sat_restore_opts look = { .verify_only = true, .ledger = kit };
	sat_restore_opts whole = { .root_key = root, .ledger = kit };
	sat_buf before = { 0 }, after = { 0 };
	sat_buf around = { 0 }, left = { 0 };

	(void)state;
	assert_ok(run(admin_backup_verb, "backup", copy_path, NULL));
	assert_ok(run(admin_kit_verb, "kit", kit, NULL));
	add_previous(copy_path);
	add_previous(kit);
	assert_int_equal(0, chmod(copy_path, 0500));
	assert_int_equal(0, chmod(kit, 0500));
	listing(&before, copy_path);
	listing(&before, kit);
	assert_ok(sat_folder_names(&around, top, &err));
	assert_ok(sat_folder_names(&around, dir, &err));
	assert_ok(sat_admin_restore(back, copy_path, &look,
	    sat_span_str(PHRASE), &err));
	assert_ok(sat_admin_restore(dir, copy_path, &look,
	    sat_span_str(PHRASE), &err));
	assert_ok(sat_folder_names(&left, top, &err));
	assert_ok(sat_folder_names(&left, dir, &err));
	assert_true(sat_span_eq(sat_buf_span(&around), sat_buf_span(&left)));
	assert_ok(sat_admin_restore(back, copy_path, &whole,
	    sat_span_str(PHRASE), &err));
	listing(&after, copy_path);
	listing(&after, kit);
	assert_true(sat_span_eq(sat_buf_span(&before), sat_buf_span(&after)));
	assert_int_equal(0, chmod(copy_path, 0700));
	assert_int_equal(0, chmod(kit, 0700));
	sat_buf_fini(&before);
	sat_buf_fini(&after);
	sat_buf_fini(&around);
	sat_buf_fini(&left);
	free(back);
	free(root);
	free(kit);
}

/* An erasure takes away what lies there; so a verification that is cut off leaves
 * nobody's copy behind. */
static void
a_backup_is_looked_at_where_erasures_clear(void **state)
{
	char *left = sat_xasprintf("%s/snapshots", dir);
	char *half = sat_xasprintf("%s/verify.tmp", left);
	sat_restore_opts look = { .verify_only = true };
	int fd;

	(void)state;
	assert_ok(run(admin_backup_verb, "backup", copy_path, NULL));
	assert_ok(sat_folder_make(left, &err));
	assert_ok(sat_folder_make(half, &err));
	fd = open(half, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(0, flock(fd, LOCK_EX | LOCK_NB)); /* by another */
	assert_rc(SAT_EBUSY, sat_admin_restore(dir, copy_path, &look,
	    sat_span_str(PHRASE), &err));
	assert_int_equal(0, close(fd));
	assert_ok(sat_admin_restore(dir, copy_path, &look,
	    sat_span_str(PHRASE), &err));
	assert_false(sat_file_there(left));
	free(left);
	free(half);
}

static void
a_folder_a_server_works_in_is_no_backup(void **state)
{
	char *back = sat_xasprintf("%s/back", top);
	sat_restore_opts look = { .verify_only = true };

	(void)state;
	assert_rc(SAT_EBUSY, sat_admin_restore(back, dir, &look,
	    sat_span_str(PHRASE), &err));
	free(back);
}

/* What was committed and is in no page yet: somebody copied a stopped server's
 * folder, after a power cut. */
static void
a_copied_folder_is_taken_with_its_log(void **state)
{
	static const char *const names[] = { "server.keyring", "server.db",
		"server.db-wal", "templates.bundle", NULL };
	char *back = sat_xasprintf("%s/back", top);
	char *root = sat_xasprintf("%s/root.key", dir);
	sat_restore_opts o = { .root_key = root, .same_epoch = true };
	char *other = sat_xasprintf("%s/other", top);
	sat_sqlite_status st;
	sat_admin *a;

	(void)state;
	assert_ok(run(admin_backup_verb, "backup", copy_path, NULL));
	raise_log(5000);
	assert_ok(sat_folder_make(other, &err));
	for (size_t i = 0; names[i] != NULL; i++) {
		char *from = sat_xasprintf("%s/%s", i == 3 ? copy_path : dir,
		    names[i]);
		char *to = sat_xasprintf("%s/%s", other, names[i]);

		assert_ok(sat_file_copy(from, to, &err));
		free(from);
		free(to);
	}
	assert_ok(sat_admin_restore(back, other, &o, sat_span_str(PHRASE),
	    &err));
	assert_ok(sat_admin_open(&a, back, sat_span_str(PHRASE), &err));
	assert_ok(sat_sqlite_status_get(&st, a->store, &err));
	assert_int_equal(4999, st.lsn);
	sat_admin_close(a);
	free(other);
	free(root);
	free(back);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, start_copies, end_copies)
	const struct CMUnitTest tests[] = {
		T(a_kit_that_fails_leaves_no_customers_behind),
		T(a_kit_that_is_cut_off_has_no_customers_in_its_folder),
		T(a_kit_of_a_kit_remembers_where_the_log_stood),
		T(a_backup_whose_name_may_be_lost_is_none),
		T(a_recovery_key_stays_when_the_keyring_may_be_sealed_to_it),
		T(a_restore_that_fails_or_is_cut_off_leaves_nothing_to_serve),
		T(two_restores_into_one_folder_are_not_made_at_once),
		T(a_backup_that_is_looked_at_keeps_every_byte_and_name),
		T(a_backup_is_looked_at_where_erasures_clear),
		T(a_folder_a_server_works_in_is_no_backup),
		T(a_copied_folder_is_taken_with_its_log),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
