/* What is left of a copy, or of a key, when a step of making it fails. */
#include "tests/unit/server/admin/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "common/base/file.h"

static char *copy_path; /* of the kit or backup that is made */
static char *back_path, *root_path; /* a server that is restored; its root key */
static char *snapshots; /* where the server copies its store */
static bool reducing_fails, copying_fails, was_there_early;
static bool verify_fails, was_named_early; /* the last step of a restore */
static struct stat broken; /* a folder that cannot be synced */
static int64_t free_bytes; /* of every disk; < 0: as it is */

/* ---- what fails on demand ----------------------------------------------------------- */

sat_rc __real_sat_sqlite_registry_only(sat_sqlite_store *s, sat_err *e);
sat_rc __wrap_sat_sqlite_registry_only(sat_sqlite_store *s, sat_err *e);
sat_rc __real_admin_verify_all(sat_admin *a, uint64_t *commits,
    uint64_t *records, sat_err *e);
sat_rc __wrap_admin_verify_all(sat_admin *a, uint64_t *commits,
    uint64_t *records, sat_err *e);
sat_rc __real_admin_segments_copy(sat_sqlite_store *s, const char *from,
    const char *to, sat_err *e);
sat_rc __wrap_admin_segments_copy(sat_sqlite_store *s, const char *from,
    const char *to, sat_err *e);
int __real_statvfs(const char *path, struct statvfs *fs);
int __wrap_statvfs(const char *path, struct statvfs *fs);
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
	was_named_early = sat_file_there(back_path);
	return verify_fails ? sat_fail(e, SAT_EINTEGRITY, "not whole") :
	    __real_admin_verify_all(a, commits, records, e);
}

/* The store has been copied then. */
sat_rc
__wrap_admin_segments_copy(sat_sqlite_store *s, const char *from,
    const char *to, sat_err *e)
{
	if (!copying_fails)
		return __real_admin_segments_copy(s, from, to, e);
	was_there_early = sat_folder_bytes(to) > 0;
	return sat_fail(e, SAT_ENOSPACE, "no room");
}

int
__wrap_statvfs(const char *path, struct statvfs *fs)
{
	int rc = __real_statvfs(path, fs);

	if (free_bytes >= 0) {
		fs->f_frsize = 1;
		fs->f_bavail = (fsblkcnt_t)free_bytes;
	}
	return rc;
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
	copy_path = back_path = NULL;
	reducing_fails = copying_fails = was_there_early = false;
	verify_fails = was_named_early = false;
	free_bytes = -1;
	memset(&broken, 0, sizeof broken);
	(void)start(state);
	copy_path = sat_xasprintf("%s/copy", top);
	back_path = sat_xasprintf("%s/back", top);
	root_path = sat_xasprintf("%s/root.key", dir);
	snapshots = sat_xasprintf("%s/snapshots", dir);
	return 0;
}

static int
end_copies(void **state)
{
	free(copy_path);
	free(back_path);
	free(root_path);
	free(snapshots);
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

static void
back_up(void)
{
	assert_ok(run(admin_backup_verb, "backup", copy_path, NULL));
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
	(void)state;
	reducing_fails = true;
	assert_rc(SAT_ENOSPACE, run(admin_kit_verb, "kit", copy_path, NULL));
	assert_false(sat_file_there(copy_path));
	assert_false(sat_file_there(snapshots));
}

/* What another left when it was cut off; the caller frees its path. */
static char *
half_made(const char *name)
{
	char *half = sat_xasprintf("%s/%s", snapshots, name);

	assert_ok(sat_folder_make(snapshots, &err));
	assert_ok(sat_folder_make(half, &err));
	return half;
}

static void
a_kit_that_is_cut_off_has_no_customers_in_its_folder(void **state)
{
	char *half = half_made("kit.tmp");

	(void)state;
	assert_ok(run(admin_kit_verb, "kit", copy_path, NULL));
	assert_false(was_there_early);
	assert_false(sat_file_there(snapshots));
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
	back_up();
	assert_ok(sat_sqlite_status_get(&st, admin->store, &err));
	assert_int_equal(4999, st.durable);
}

/* The keyring would lie beside a store. */
static void
a_copy_that_fails_leaves_no_half_of_it(void **state)
{
	(void)state;
	copying_fails = true;
	assert_rc(SAT_ENOSPACE, run(admin_backup_verb, "backup", copy_path,
	    NULL));
	assert_true(was_there_early);
	assert_false(sat_file_there(copy_path));
	assert_rc(SAT_ENOSPACE, run(admin_snapshot_verb, "snapshot", "make",
	    NULL));
	assert_int_equal(0, sat_folder_bytes(snapshots));
	copying_fails = false;
	back_up(); /* the name is free */
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
restored_with(const char *to, const char *from, const sat_restore_opts *o)
{
	return sat_admin_restore(to, from, o, sat_span_str(PHRASE), &err);
}

static sat_rc
restored(const char *to)
{
	sat_restore_opts o = { .root_key = root_path };

	return restored_with(to, copy_path, &o);
}

static sat_rc
looked_at(const char *to, const char *from, const char *ledger)
{
	sat_restore_opts o = { .verify_only = true, .ledger = ledger };

	return restored_with(to, from, &o);
}

static void
a_restore_that_fails_or_is_cut_off_leaves_nothing_to_serve(void **state)
{
	char *slash = sat_xasprintf("%s/", back_path);
	char *half = sat_xasprintf("%s.restoring", back_path);
	sat_admin *a;

	(void)state;
	back_up();
	assert_ok(sat_folder_make(half, &err)); /* by one that was cut off */
	verify_fails = true;
	assert_rc(SAT_EINTEGRITY, restored(back_path));
	assert_false(was_named_early);
	assert_rc(SAT_ENOREPLICA, sat_admin_open(&a, back_path,
	    sat_span_str(PHRASE), &err));
	assert_false(sat_file_there(half));
	verify_fails = false;
	assert_ok(restored(slash));
	assert_ok(sat_admin_open(&a, back_path, sat_span_str(PHRASE), &err));
	sat_admin_close(a);
	assert_false(sat_file_there(half));
	assert_rc(SAT_ECONFLICT, restored(back_path));
	free(half);
	free(slash);
}

static void
two_restores_into_one_folder_are_not_made_at_once(void **state)
{
	char *half = sat_xasprintf("%s.restoring", back_path);
	int other;

	(void)state;
	back_up();
	assert_ok(sat_folder_make(half, &err));
	other = open(half, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(0, flock(other, LOCK_EX));
	assert_rc(SAT_EBUSY, restored(back_path));
	assert_true(sat_file_there(half));
	(void)close(other);
	assert_ok(restored(back_path));
	free(half);
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
	char *kit = sat_xasprintf("%s/kit", top);
	sat_restore_opts whole = { .root_key = root_path, .ledger = kit };
	sat_buf before = { 0 }, after = { 0 };
	sat_buf around = { 0 }, left = { 0 };

	(void)state;
	back_up();
	assert_ok(run(admin_kit_verb, "kit", kit, NULL));
	add_previous(copy_path);
	add_previous(kit);
	assert_int_equal(0, chmod(copy_path, 0500));
	assert_int_equal(0, chmod(kit, 0500));
	listing(&before, copy_path);
	listing(&before, kit);
	assert_ok(sat_folder_names(&around, top, &err));
	assert_ok(sat_folder_names(&around, dir, &err));
	assert_ok(looked_at(back_path, copy_path, kit));
	assert_ok(looked_at(dir, copy_path, kit));
	assert_ok(sat_folder_names(&left, top, &err));
	assert_ok(sat_folder_names(&left, dir, &err));
	assert_true(sat_span_eq(sat_buf_span(&around), sat_buf_span(&left)));
	assert_ok(restored_with(back_path, copy_path, &whole));
	listing(&after, copy_path);
	listing(&after, kit);
	assert_true(sat_span_eq(sat_buf_span(&before), sat_buf_span(&after)));
	assert_int_equal(0, chmod(copy_path, 0700));
	assert_int_equal(0, chmod(kit, 0700));
	sat_buf_fini(&before);
	sat_buf_fini(&after);
	sat_buf_fini(&around);
	sat_buf_fini(&left);
	free(kit);
}

/* An erasure takes away what lies there; so a verification that is cut off leaves
 * nobody's copy behind. */
static void
a_backup_is_looked_at_where_erasures_clear(void **state)
{
	char *half;
	int fd;

	(void)state;
	back_up();
	half = half_made("verify.tmp");
	fd = open(half, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(0, flock(fd, LOCK_EX | LOCK_NB)); /* by another */
	assert_rc(SAT_EBUSY, looked_at(dir, copy_path, NULL));
	assert_int_equal(0, close(fd));
	assert_ok(looked_at(dir, copy_path, NULL));
	assert_false(sat_file_there(snapshots));
	free(half);
}

/* A server may be serving where it is copied to. */
static void
a_backup_is_looked_at_where_there_is_room_for_it(void **state)
{
	char *db = sat_xasprintf("%s/server.db", copy_path);
	char *kit = sat_xasprintf("%s/kit", top);
	struct stat st;

	(void)state;
	back_up();
	assert_ok(run(admin_kit_verb, "kit", kit, NULL));
	assert_int_equal(0, stat(db, &st));
	free_bytes = st.st_size * 3 / 2;
	assert_rc(SAT_ENOSPACE, looked_at(dir, copy_path, NULL));
	assert_false(sat_file_there(snapshots));
	assert_non_null(strstr(err.hint, "-D"));
	free_bytes++;
	assert_ok(looked_at(dir, copy_path, NULL));
	/* and for the ledger it is read with */
	assert_int_equal(0, truncate(db, 4096));
	free(db);
	db = sat_xasprintf("%s/server.db", kit);
	assert_int_equal(0, stat(db, &st));
	free_bytes = st.st_size * 3 / 2;
	assert_rc(SAT_ENOSPACE, looked_at(dir, copy_path, kit));
	free(kit);
	free(db);
}

static void
a_folder_a_server_works_in_is_no_backup(void **state)
{
	(void)state;
	assert_rc(SAT_EBUSY, looked_at(back_path, dir, NULL));
}

/* What was committed and is in no page yet: somebody copied a stopped server's
 * folder, after a power cut. */
static void
a_copied_folder_is_taken_with_its_log(void **state)
{
	static const char *const names[] = { "server.keyring", "server.db",
		"server.db-wal", "templates.bundle", NULL };
	sat_restore_opts o = { .root_key = root_path, .same_epoch = true };
	char *other = sat_xasprintf("%s/other", top);
	sat_sqlite_status st;
	sat_admin *a;

	(void)state;
	back_up();
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
	assert_ok(restored_with(back_path, other, &o));
	assert_ok(sat_admin_open(&a, back_path, sat_span_str(PHRASE), &err));
	assert_ok(sat_sqlite_status_get(&st, a->store, &err));
	assert_int_equal(4999, st.lsn);
	sat_admin_close(a);
	free(other);
}

/* ---- templates ------------------------------------------------------------------------ */

/* Revisions of the base template with three documents of a thousand KiB each. */
static void
publish_large(char first, char last)
{
	enum { LARGE = 1000 * 1024, DOCUMENTS = 3 };
	static const char *const path[] = { "a.md", "b.md", "c.md" };
	size_t n;
	const sat_template_file *base = sat_template_base(&n);
	sat_template_file *files = sat_xcalloc(n + DOCUMENTS, sizeof *files);
	char *text = sat_xmalloc(DOCUMENTS * LARGE);
	sat_oid oid;

	memcpy(files, base, n * sizeof *files);
	for (char letter = first; letter <= last; letter++) {
		memset(text, letter, DOCUMENTS * LARGE);
		for (size_t i = 0; i < DOCUMENTS; i++) {
			text[i * LARGE] = (char)('0' + i);
			files[n + i] = (sat_template_file){ path[i],
				sat_span_of((uint8_t *)text + i * LARGE,
				    LARGE) };
		}
		assert_ok(admin_commit(admin, SAT_ADMIN_BRANCH, &(sat_layer){
		    files, n + DOCUMENTS }, "test", "large", &oid, &err));
		admin->tip = admin->canary = oid;
	}
	free(files);
	free(text);
}

static int
count(void *u, const sat_oid *oid)
{
	(void)oid;
	++*(int *)u;
	return 0;
}

/* Longer than one bundle can be: a company that works for years. */
static void
a_long_history_of_templates_is_backed_up_and_comes_back(void **state)
{
	char *kit = sat_xasprintf("%s/kit", top);
	sat_oid tip;
	sat_buf b = { 0 };
	sat_admin *a;
	int had = 0, n = 0;

	(void)state;
	publish_large('a', 'f');
	tip = admin->tip;
	assert_rc(SAT_EINVALID, sat_git_bundle(&b, admin->git, &tip, NULL,
	    &err));
	assert_ok(sat_git_log(admin->git, &tip, count, &had, &err));
	back_up();
	assert_ok(run(admin_kit_verb, "kit", kit, NULL));
	assert_ok(looked_at(back_path, copy_path, NULL));
	assert_false(sat_file_there(back_path));
	assert_ok(restored(back_path));
	assert_ok(sat_admin_open(&a, back_path, sat_span_str(PHRASE), &err));
	assert_memory_equal(&tip, &a->tip, sizeof tip);
	assert_ok(sat_git_verify_closure(a->git, &tip, &err));
	assert_ok(sat_git_log(a->git, &tip, count, &n, &err));
	assert_int_equal(had, n);
	sat_admin_close(a);
	free(kit);
}

static sat_rc
verified(void)
{
	memset(&err, 0, sizeof err);
	return looked_at(back_path, copy_path, NULL);
}

static void
a_backup_whose_templates_are_not_whole_is_none(void **state)
{
	char *file = sat_xasprintf("%s/templates.bundle", copy_path);
	sat_buf b = { 0 };

	(void)state;
	back_up();
	assert_ok(verified());
	assert_ok(sat_file_read(&b, file, 1 << 24, &err));
	sat_test_save(file, b.p, b.n - 1);
	assert_rc(SAT_EINTEGRITY, verified());
	assert_non_null(strstr(err.text, "cut off"));
	assert_non_null(strstr(err.hint, "backup"));
	b.p[b.n / 2] ^= 1;
	sat_test_save(file, b.p, b.n);
	assert_rc(SAT_EINTEGRITY, verified());
	assert_rc(SAT_EINTEGRITY, restored(back_path));
	b.p[b.n / 2] ^= 1;
	sat_write_u8(&b, 0);
	sat_test_save(file, b.p, b.n);
	assert_rc(SAT_EINTEGRITY, verified());
	memcpy(b.p, "satchel template 3\n", 19);
	sat_test_save(file, b.p, b.n - 1);
	assert_rc(SAT_EVERSION, verified());
	assert_non_null(strstr(err.hint, "version"));
	sat_file_remove(file);
	assert_rc(SAT_EINTEGRITY, verified());
	assert_string_equal("the backup has no templates", err.text);
	assert_false(sat_file_there(back_path));
	sat_buf_fini(&b);
	free(file);
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
		T(a_copy_that_fails_leaves_no_half_of_it),
		T(a_recovery_key_stays_when_the_keyring_may_be_sealed_to_it),
		T(a_restore_that_fails_or_is_cut_off_leaves_nothing_to_serve),
		T(two_restores_into_one_folder_are_not_made_at_once),
		T(a_backup_that_is_looked_at_keeps_every_byte_and_name),
		T(a_backup_is_looked_at_where_erasures_clear),
		T(a_backup_is_looked_at_where_there_is_room_for_it),
		T(a_folder_a_server_works_in_is_no_backup),
		T(a_copied_folder_is_taken_with_its_log),
		T(a_long_history_of_templates_is_backed_up_and_comes_back),
		T(a_backup_whose_templates_are_not_whole_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
