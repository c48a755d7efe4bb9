/* Commits and their signatures. */
#include "tests/lib/unit.h"

#include <dlfcn.h>
#include <git2.h>
#include <pthread.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/crypto/crypto.h"
#include "common/git/git.h"
#include "tests/unit/common/git/repo.h"

/* ---- committing ---------------------------------------------------------- */

static int
stop_at_once(void *u, const char *path, sat_span bytes)
{
	(void)path;
	(void)bytes;
	++*(int *)u;
	return 1;
}

static void
a_commit_holds_its_files_in_the_order_of_their_paths(void **state)
{
	static const char *const paths[] = { "z.json", "a/x.json", "a.json",
		"a-b/y.md", "a/b/c/d.json", "a_b.json" };
	sat_git_file files[6];
	sat_git *g = bare("order.git");
	sat_git_author who = author();
	sat_buf seen = { 0 };
	sat_oid oid, again, tip;
	int calls = 0;
	sat_err err;

	(void)state;
	for (size_t i = 0; i < 6; i++)
		files[i] = (sat_git_file){ paths[i], sat_span_of("xxxxxx", i) };
	assert_rc(SAT_ENOTFOUND, sat_git_tip(&tip, g, BRANCH, &err));
	assert_ok(sat_git_commit(&oid, g, BRANCH, files, 6, &who, "first",
	    &err));
	assert_ok(sat_git_walk(g, &oid, list, &seen, &err));
	assert_string_equal("a-b/y.md=3 a.json=2 a/b/c/d.json=4 a/x.json=1 "
	    "a_b.json=5 z.json=0 ", sat_buf_cstr(&seen));
	assert_ok(sat_git_walk(g, &oid, stop_at_once, &calls, &err));
	assert_int_equal(1, calls);
	/* The same tree again is no new commit. */
	who.when_ms += 5000;
	assert_ok(sat_git_commit(&again, g, BRANCH, files, 6, &who, "x", &err));
	assert_memory_equal(&oid, &again, sizeof oid);
	assert_ok(sat_git_tip(&tip, g, BRANCH, &err));
	assert_memory_equal(&oid, &tip, sizeof oid);
	sat_git_close(g);
	assert_rc(SAT_ECONFLICT, sat_git_init_bare(&g, sat_test_at("order.git"),
	    &err));
	assert_null(g);
	assert_rc(SAT_ENOTFOUND, sat_git_open(&g, sat_test_at("absent.git"),
	    &err));
	assert_ok(sat_git_open(&g, sat_test_at("order.git"), &err));
	assert_ok(sat_git_tip(&tip, g, BRANCH, &err));
	sat_git_close(g);
	sat_buf_fini(&seen);
}

static void
paths_and_sizes_outside_the_limits_are_not_committed(void **state)
{
	static const char *const bad[] = { "", "/a.json", "../a.json",
	    "a/../b.json",
		"a//b.json", ".git/config", "a/.git/x.json", "A.json", "a.txt",
		"a", ".json", "a/.json", "a.json/b.json", "a b.json", "a\\b.json",
		"a/b/c/d/e.json", "a.json/", "\xe5\xae\xa2.json", "a:b.json",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		".json" };
	sat_git *g = memory();
	sat_git_author who = author();
	sat_git_file f[2] = { { "a.json", { NULL, 0 } }, { "a.json", { NULL,
	    0 } } };
	uint8_t *big = calloc(1, SAT_GIT_OBJECT_MAX + 1);
	sat_oid oid;
	sat_err err;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		f[0].path = bad[i];
		if (sat_git_commit(&oid, g, BRANCH, f, 1, &who, "m", &err) !=
		    SAT_EINVALID)
			fail_msg("taken: %s", bad[i]);
		if (strstr(err.text, bad[i]) == NULL || err.hint[0] == '\0')
			fail_msg("'%s' does not name %s", err.text, bad[i]);
	}
	f[0].path = "a.json";
	assert_rc(SAT_EINVALID,
	    sat_git_commit(&oid, g, BRANCH, f, 2, &who, "m", &err));
	f[0].bytes = sat_span_of(big, SAT_GIT_OBJECT_MAX + 1);
	assert_rc(SAT_EINVALID,
	    sat_git_commit(&oid, g, BRANCH, f, 1, &who, "m", &err));
	f[0].bytes.n--;
	assert_ok(sat_git_commit(&oid, g, BRANCH, f, 1, &who, "m", &err));
	assert_rc(SAT_EINVALID,
	    sat_git_commit(&oid, g, "published", f, 1, &who, "m", &err));
	assert_rc(SAT_EINVALID,
	    sat_git_commit(&oid, g, BRANCH, f, 1, &who, "", &err));
	who.name = "a\nparent 00";
	assert_rc(SAT_EINVALID,
	    sat_git_commit(&oid, g, BRANCH, f, 1, &who, "m", &err));
	free(big);
	sat_git_close(g);
}

/* ---- signatures ---------------------------------------------------------- */

static sat_span
raw_commit(git_odb_object **obj, const char *repo, const sat_oid *oid)
{
	git_repository *r;
	git_odb *odb;
	git_oid id;

	memcpy(id.id, oid->b, sizeof id.id);
	assert_int_equal(0, git_repository_open_bare(&r, repo));
	assert_int_equal(0, git_repository_odb(&odb, r));
	assert_int_equal(0, git_odb_read(obj, odb, &id));
	git_odb_free(odb);
	git_repository_free(r);
	return sat_span_of(git_odb_object_data(*obj),
	    git_odb_object_size(*obj));
}

static void
a_signer_outside_the_list_and_a_missing_signature_are_reported(void **state)
{
	sat_git *g = bare("signers.git");
	sat_git_author who = author();
	sat_git_file f = { "a.json", { (const uint8_t *)"1", 1 } };
	sat_git_info info;
	sat_oid ours, foreign, none, lifted;
	sat_buf text = { 0 };
	git_odb_object *obj;
	sat_span raw;
	char *cut, *end;
	sat_err err;

	(void)state;
	assert_ok(sat_git_commit(&ours, g, BRANCH, &f, 1, &who,
	    "first line\n\nmore", &err));
	info = info_of(g, &ours);
	assert_true(info.has_signature && info.signature_ok);
	assert_memory_equal(pk[0], info.signer, sizeof info.signer);
	assert_string_equal("first line", info.message);
	assert_string_equal(who.name, info.author);
	assert_int_equal(NOON, info.when_ms);
	assert_int_equal(0, info.nparents);

	who.sign_sk = other_sk;
	who.sign_pk = other_pk[0];
	f.bytes = sat_span_str("2");
	assert_ok(sat_git_commit(&foreign, g, BRANCH, &f, 1, &who, "x", &err));
	info = info_of(g, &foreign);
	assert_true(info.has_signature);
	assert_false(info.signature_ok);
	assert_memory_equal(other_pk[0], info.signer, sizeof info.signer);
	assert_int_equal(1, info.nparents);
	assert_memory_equal(&ours, &info.parents[0], sizeof ours);

	/* The signature taken off, and the signature under another text. */
	raw = raw_commit(&obj, sat_test_at("signers.git"), &ours);
	sat_buf_add(&text, raw.p, raw.n);
	git_odb_object_free(obj);
	text.p[text.n - 2] ^= 1;
	put(g, 1, sat_buf_span(&text), &lifted);
	info = info_of(g, &lifted);
	assert_true(info.has_signature);
	assert_false(info.signature_ok);
	assert_int_equal(0, info.signer[0] | info.signer[31]);
	text.p[text.n - 2] ^= 1;
	(void)sat_buf_cstr(&text);
	cut = strstr((char *)text.p, "gpgsig ");
	end = strstr((char *)text.p, "-----END SSH SIGNATURE-----\n");
	assert_true(cut != NULL && end != NULL);
	end += strlen("-----END SSH SIGNATURE-----\n");
	memmove(cut, end, text.n - (size_t)(end - (char *)text.p));
	text.n -= (size_t)(end - cut);
	put(g, 1, sat_buf_span(&text), &none);
	info = info_of(g, &none);
	assert_false(info.has_signature);
	assert_false(info.signature_ok);
	sat_buf_fini(&text);
	sat_git_close(g);
}

/* ---- history ------------------------------------------------------------- */

#define RACE 25

static int race_done[2];
static const char *race_repo;

static void *
race(void *u)
{
	int me = *(int *)u, n = 0;
	sat_git_author who = author();
	sat_git *g;

	if (sat_git_open(&g, race_repo, NULL) != SAT_OK)
		return NULL;
	while (n < RACE) {
		char text[32];
		sat_git_file f = { "a.json", { NULL, 0 } };
		sat_oid oid;
		sat_rc rc;

		(void)snprintf(text, sizeof text, "%d %d", me, n);
		f.bytes = sat_span_str(text);
		rc = sat_git_commit(&oid, g, BRANCH, &f, 1, &who, text, NULL);
		if (rc == SAT_OK)
			n++;
		else if (rc != SAT_ECONFLICT)
			break;
	}
	race_done[me] = n;
	sat_git_close(g);
	return NULL;
}

static void
two_writers_never_lose_a_commit_that_was_acknowledged(void **state)
{
	sat_git *g = bare("race.git");
	pthread_t t[2];
	int me[2] = { 0, 1 }, n = 0;
	sat_oid tip;
	sat_err err;

	(void)state;
	(void)commit_n(g, BRANCH, 0);
	race_repo = sat_test_at("race.git");
	for (int i = 0; i < 2; i++)
		assert_int_equal(0, pthread_create(&t[i], NULL, race, &me[i]));
	for (int i = 0; i < 2; i++)
		assert_int_equal(0, pthread_join(t[i], NULL));
	assert_int_equal(RACE, race_done[0]);
	assert_int_equal(RACE, race_done[1]);
	assert_ok(sat_git_tip(&tip, g, BRANCH, &err));
	assert_ok(sat_git_log(g, &tip, count_commits, &n, &err));
	assert_int_equal(2 * RACE + 1, n);
	sat_git_close(g);
}

/* ---- bundles ------------------------------------------------------------- */

static void
a_commit_without_a_change_says_something_in_its_message(void **state)
{
	sat_git_author who = author();
	sat_git *g = memory();
	sat_oid first = commit_n(g, BRANCH, 1), second, third;
	sat_git_info info;
	sat_buf b = { 0 };
	sat_err err;

	(void)state;
	assert_ok(sat_git_commit_same(&second, g, BRANCH, &who,
	    "again\n\nTried-By: x\nTried-By: east, 12", &err));
	assert_memory_not_equal(first.b, second.b, sizeof first.b);
	assert_ok(sat_git_commit_info(&info, g, &second,
	    (const uint8_t (*)[SAT_SIGN_PK_BYTES])pk, 1, &err));
	assert_true(info.signature_ok);
	assert_memory_equal(first.b, info.parents[0].b, sizeof first.b);
	assert_ok(sat_git_commit_trailer(&b, g, &second, "Tried-By", &err));
	assert_string_equal("east, 12", sat_buf_cstr(&b));
	/* a first line that begins with the word is no such line */
	assert_ok(sat_git_commit_same(&third, g, BRANCH, &who,
	    "Tried-By nobody", &err));
	assert_rc(SAT_ENOTFOUND, sat_git_commit_trailer(&b, g, &third,
	    "Tried-By", &err));
	assert_rc(SAT_ENOTFOUND, sat_git_commit_same(&third, g,
	    "refs/heads/none", &who, "x", &err));
	sat_buf_fini(&b);
	sat_git_close(g);
}

static void
ids_are_forty_hex_digits(void **state)
{
	char hex[SAT_GIT_OID_HEX + 1];
	sat_oid o;

	(void)state;
	assert_true(sat_oid_parse(&o,
	    "4b825dc642cb6eb9a060e54bf8d69288fbee4904"));
	sat_oid_hex(hex, &o);
	assert_string_equal("4b825dc642cb6eb9a060e54bf8d69288fbee4904", hex);
	assert_false(sat_oid_parse(&o,
	    "4b825dc642cb6eb9a060e54bf8d69288fbee490"));
	assert_false(sat_oid_parse(&o, ""));
	assert_false(sat_oid_parse(&o,
	    "xb825dc642cb6eb9a060e54bf8d69288fbee4904"));
}

static char *
object_path(const char *dir, const char *text)
{
	char hex[GIT_OID_HEXSZ + 1];
	git_oid id;

	assert_int_equal(0, git_odb_hash(&id, text, strlen(text),
	    GIT_OBJECT_BLOB));
	(void)git_oid_tostr(hex, sizeof hex, &id);
	return sat_xasprintf("%s/objects/%.2s/%s", dir, hex, hex + 2);
}

static void
an_object_on_the_disk_that_is_another_one_is_noticed(void **state)
{
	const sat_git_file files[] = { { "a.json", sat_span_str("[1]") },
		{ "b.json", sat_span_str("[2]") } };
	sat_git_author who = author();
	char *top = sat_test_dir(), *dir = sat_xasprintf("%s/t.git", top);
	char *a = object_path(dir, "[1]"), *b = object_path(dir, "[2]");
	sat_buf seen = { 0 };
	sat_git *g;
	sat_oid oid;
	sat_err err;

	(void)state;
	assert_ok(sat_git_init_bare(&g, dir, &err));
	assert_ok(sat_git_commit(&oid, g, BRANCH, files, 2, &who, "x", &err));
	sat_git_close(g);
	assert_int_equal(0, unlink(b));
	assert_int_equal(0, link(a, b));
	assert_ok(sat_git_open(&g, dir, &err));
	sat_buf_reset(&seen);
	assert_int_not_equal(SAT_OK, sat_git_walk(g, &oid, list, &seen, &err));
	sat_git_close(g);
	sat_buf_fini(&seen);
	sat_test_rmdir(top);
	free(a);
	free(b);
	free(dir);
}

/* What a power cut in the middle of moving a branch leaves. */
static void
a_lock_that_nobody_holds_is_taken_away(void **state)
{
	char *lock = sat_xasprintf("%s/refs/heads/published.lock",
	    sat_test_at("locked.git"));
	sat_git *g = bare("locked.git");
	sat_git_author who = author();
	sat_git_file f = { "a.json", sat_span_str("1") };
	sat_oid first, next, tip;
	FILE *left;
	sat_err err;

	(void)state;
	assert_ok(sat_git_unlock(g, &err)); /* nothing there */
	assert_ok(sat_git_commit(&first, g, BRANCH, &f, 1, &who, "x", &err));
	assert_non_null(left = fopen(lock, "w"));
	assert_int_equal(0, fclose(left));
	f.bytes = sat_span_str("2");
	assert_rc(SAT_ECONFLICT, sat_git_commit(&next, g, BRANCH, &f, 1, &who,
	    "y", &err));
	assert_ok(sat_git_unlock(g, &err));
	assert_ok(sat_git_commit(&next, g, BRANCH, &f, 1, &who, "y", &err));
	assert_ok(sat_git_tip(&tip, g, BRANCH, &err));
	assert_memory_equal(&next, &tip, sizeof tip);
	sat_git_close(g);
	free(lock);
}

static void
branches_that_cannot_be_looked_at_are_not_taken_for_unlocked(void **state)
{
	char *heads = sat_xasprintf("%s/refs/heads", sat_test_at("unread.git"));
	sat_git *g = bare("unread.git");
	sat_err err = { 0 };

	(void)state;
	assert_int_equal(0, rmdir(heads));
	assert_ok(sat_git_unlock(g, &err)); /* no branch, no lock */
	sat_test_save(heads, "x", 1); /* no right keeps root out */
	assert_rc(SAT_EIO, sat_git_unlock(g, &err));
	assert_non_null(strstr(err.text, "refs/heads"));
	sat_git_close(g);
	free(heads);
}

int main(void);

/* libgit2's call is bound by the dynamic linker as dlsym binds it. */
static void
the_root_certificates_of_the_machine_are_not_read(void **state)
{
	sat_git *g;
	Dl_info called, own;
	void *fn = dlsym(RTLD_DEFAULT, "mbedtls_x509_crt_parse_file");
	sat_err err;

	(void)state;
	assert_ok(sat_git_memory(&g, &err));
	sat_git_close(g);
	assert_non_null(fn);
	assert_int_not_equal(0, dladdr(fn, &called));
	assert_int_not_equal(0, dladdr((void *)(uintptr_t)main, &own));
	assert_ptr_equal(own.dli_fbase, called.dli_fbase);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_commit_holds_its_files_in_the_order_of_their_paths),
		cmocka_unit_test(
		    paths_and_sizes_outside_the_limits_are_not_committed),
		cmocka_unit_test(
		    a_signer_outside_the_list_and_a_missing_signature_are_reported),
		cmocka_unit_test(
		    two_writers_never_lose_a_commit_that_was_acknowledged),
		cmocka_unit_test(a_commit_without_a_change_says_something_in_its_message),
		cmocka_unit_test(ids_are_forty_hex_digits),
		cmocka_unit_test(
		    an_object_on_the_disk_that_is_another_one_is_noticed),
		cmocka_unit_test(a_lock_that_nobody_holds_is_taken_away),
		cmocka_unit_test(
		    branches_that_cannot_be_looked_at_are_not_taken_for_unlocked),
		cmocka_unit_test(
		    the_root_certificates_of_the_machine_are_not_read),
	};

	return cmocka_run_group_tests(tests, setup, sat_test_dir_teardown);
}
