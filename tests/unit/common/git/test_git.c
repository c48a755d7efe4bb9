#include "tests/lib/unit.h"

#include "common/git/git.h"

#include <fcntl.h>
#include <git2.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#define BRANCH "refs/heads/published"
#define NOON 1800000000000

static char *dir;
static uint8_t sk[SAT_SIGN_SK_BYTES], pk[1][SAT_SIGN_PK_BYTES];
static uint8_t other_sk[SAT_SIGN_SK_BYTES], other_pk[1][SAT_SIGN_PK_BYTES];

static int
setup(void **state)
{
	uint8_t seed[32] = { 1 };

	(void)state;
	sat_crypto_init();
	sat_sign_keys(pk[0], sk, seed);
	seed[0] = 2;
	sat_sign_keys(other_pk[0], other_sk, seed);
	dir = sat_test_dir();
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	sat_test_rmdir(dir);
	return 0;
}

static const char *
at(const char *name)
{
	static char path[64][400];
	static unsigned i;
	char *p = path[i++ % 64];

	(void)snprintf(p, 400, "%s/%s", dir, name);
	return p;
}

static sat_git *
bare(const char *name)
{
	sat_git *g;
	sat_err err;

	assert_ok(sat_git_init_bare(&g, at(name), &err));
	return g;
}

static sat_git *
memory(void)
{
	sat_git *g;
	sat_err err;

	assert_ok(sat_git_memory(&g, &err));
	return g;
}

static sat_git_author
author(void)
{
	return (sat_git_author){ "\xe6\x80\xbb\xe9\x83\xa8", "hq@example.com",
		NOON, sk, pk[0] };
}

/* A commit of two files whose content carries `n`. */
static sat_oid
commit_n(sat_git *g, const char *branch, int n)
{
	char text[64];
	sat_git_author who = author();
	sat_git_file files[2] = { { "pack/fields.json", { NULL, 0 } },
		{ "readme.md", { (const uint8_t *)"hello\n", 6 } } };
	sat_oid oid;
	sat_err err;

	(void)snprintf(text, sizeof text, "{\n  \"n\": %d\n}\n", n);
	files[0].bytes = sat_span_str(text);
	who.when_ms += n * 1000;
	assert_ok(sat_git_commit(&oid, g, branch, files, 2, &who, "edit\n", &err));
	return oid;
}

static sat_oid
id_of(int type, sat_span data)
{
	git_oid g;
	sat_oid o;

	assert_int_equal(0, git_odb_hash(&g, data.p, data.n, (git_object_t)type));
	memcpy(o.b, g.id, sizeof o.b);
	return o;
}

/* ---- committing ---------------------------------------------------------------- */

static int
list(void *u, const char *path, sat_span bytes)
{
	sat_buf_fmt(u, "%s=%zu ", path, bytes.n);
	return 0;
}

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
	assert_ok(sat_git_commit(&oid, g, BRANCH, files, 6, &who, "first", &err));
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
	assert_rc(SAT_ECONFLICT, sat_git_init_bare(&g, at("order.git"), &err));
	assert_null(g);
	assert_rc(SAT_ENOTFOUND, sat_git_open(&g, at("absent.git"), &err));
	assert_ok(sat_git_open(&g, at("order.git"), &err));
	assert_ok(sat_git_tip(&tip, g, BRANCH, &err));
	sat_git_close(g);
	sat_buf_fini(&seen);
}

static void
paths_and_sizes_outside_the_limits_are_not_committed(void **state)
{
	static const char *const bad[] = { "", "/a.json", "../a.json", "a/../b.json",
		"a//b.json", ".git/config", "a/.git/x.json", "A.json", "a.txt",
		"a", ".json", "a/.json", "a.json/b.json", "a b.json", "a\\b.json",
		"a/b/c/d/e.json", "a.json/", "\xe5\xae\xa2.json", "a:b.json",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		".json" };
	sat_git *g = memory();
	sat_git_author who = author();
	sat_git_file f[2] = { { "a.json", { NULL, 0 } }, { "a.json", { NULL, 0 } } };
	uint8_t *big = calloc(1, SAT_GIT_OBJECT_MAX + 1);
	sat_oid oid;
	sat_err err;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		f[0].path = bad[i];
		if (sat_git_commit(&oid, g, BRANCH, f, 1, &who, "m", &err) !=
		    SAT_EINVALID)
			fail_msg("taken: %s", bad[i]);
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

/* ---- stock git ------------------------------------------------------------------- */

/* Run a program; its output goes to <dir>/out. @return its exit code. */
static int
run(const char *const *argv)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		int fd = open(at("out"), O_WRONLY | O_CREAT | O_TRUNC, 0600);
		int null = open("/dev/null", O_RDONLY);
		char *args[24] = { NULL };

		for (int i = 0; i < 23 && argv[i] != NULL; i++)
			args[i] = strdup(argv[i]);
		(void)dup2(null, 0);
		(void)dup2(fd, 1);
		(void)dup2(fd, 2);
		(void)setenv("GIT_CONFIG_GLOBAL", "/dev/null", 1);
		(void)setenv("GIT_CONFIG_NOSYSTEM", "1", 1);
		(void)setenv("HOME", dir, 1);
		(void)execvp(args[0], args);
		_exit(127);
	}
	assert_int_equal(pid, waitpid(pid, &status, 0));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

static char *output(void);

static void
run_well(const char *const *argv)
{
	int rc = run(argv);

	if (rc != 0)
		fail_msg("%s: exit %d: %s", argv[0], rc, output());
}

#define WELL(...) run_well((const char *const[]){ __VA_ARGS__, NULL })
#define RUN(...) run((const char *const[]){ __VA_ARGS__, NULL })

static char *
output(void)
{
	static char text[8192];
	FILE *f = fopen(at("out"), "r");

	assert_non_null(f);
	text[fread(text, 1, sizeof text - 1, f)] = '\0';
	(void)fclose(f);
	return text;
}

static bool
have_stock_git(void)
{
	if (RUN("git", "--version") == 0 && RUN("ssh-keygen", "-?") != 127)
		return true;
	printf("skipped: git or ssh-keygen is not installed\n");
	return false;
}

/* One line: "<who> namespaces="git" ssh-ed25519 AAAA..." */
static void
allow(const char *who, const char *key)
{
	FILE *f = fopen(at("allowed"), "w");

	assert_non_null(f);
	(void)fprintf(f, "%s namespaces=\"git\" %s\n", who, key);
	assert_int_equal(0, fclose(f));
}

static void
stock_git_reads_checks_and_verifies_our_repository(void **state)
{
	char key[128], setting[500], hex[SAT_GIT_OID_HEX + 1];
	const char *repo = at("stock.git");
	sat_git *g;
	sat_oid oid;

	(void)state;
	if (!have_stock_git())
		return;
	g = bare("stock.git");
	for (int n = 0; n < 5; n++)
		oid = commit_n(g, BRANCH, n);
	sat_git_close(g);
	sat_oid_hex(hex, &oid);
	sat_git_ssh_public(key, pk[0]);
	allow("hq@example.com", key);
	(void)snprintf(setting, sizeof setting,
	    "gpg.ssh.allowedSignersFile=%s/allowed", dir);

	WELL("git", "-C", repo, "fsck", "--full", "--strict");
	WELL("git", "-c", setting, "-C", repo,
	    "verify-commit", hex);
	assert_non_null(strstr(output(), "Good \"git\" signature"));
	WELL("git", "clone", "-q", repo, at("clone"));
	WELL("git", "-C", at("clone"), "log", "--oneline");
	assert_int_equal(0, access(at("clone/pack/fields.json"), F_OK));
	WELL("git", "-C", repo, "rev-list", "--count",
	    "published");
	assert_string_equal("5\n", output());
	/* Another key on the list: not good any more. */
	sat_git_ssh_public(key, other_pk[0]);
	allow("hq@example.com", key);
	assert_int_not_equal(0, RUN("git", "-c", setting, "-C", repo,
	    "verify-commit", hex));
}

static void
a_commit_signed_by_stock_git_is_verified_by_us(void **state)
{
	char setting[500], line[128], have[400];
	sat_git_info info;
	sat_git *g;
	sat_oid tip;
	sat_err err;
	FILE *f;

	(void)state;
	if (!have_stock_git())
		return;
	(void)snprintf(setting, sizeof setting, "user.signingkey=%s/id", dir);
	WELL("ssh-keygen", "-q", "-t", "ed25519", "-N", "",
	    "-f", at("id"));
	WELL("git", "init", "-q", "--bare", at("theirs.git"));
	WELL("git", "-C", at("theirs.git"), "mktree");
	WELL("git", "-C", at("theirs.git"), "-c", setting,
	    "-c", "gpg.format=ssh", "-c", "user.name=x", "-c", "user.email=x@y",
	    "commit-tree", "-S", "-m", "theirs",
	    "4b825dc642cb6eb9a060e54bf8d69288fbee4904");
	assert_true(sat_oid_parse(&tip, strtok(output(), "\n")));
	assert_ok(sat_git_open(&g, at("theirs.git"), &err));
	assert_ok(sat_git_commit_info(&info, g, &tip, NULL, 0, &err));
	assert_true(info.has_signature);
	assert_false(info.signature_ok);
	sat_git_ssh_public(line, info.signer);
	f = fopen(at("id.pub"), "r");
	assert_non_null(fgets(have, sizeof have, f));
	(void)fclose(f);
	assert_memory_equal(line, have, strlen(line));
	sat_git_close(g);
}

/* ---- signatures -------------------------------------------------------------------- */

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
	return sat_span_of(git_odb_object_data(*obj), git_odb_object_size(*obj));
}

static sat_git_info
info_of(sat_git *g, const sat_oid *oid)
{
	sat_git_info info;
	sat_err err;

	assert_ok(sat_git_commit_info(&info, g, oid, pk, 1, &err));
	return info;
}

static void
put(sat_git *g, int type, sat_span data, sat_oid *oid)
{
	sat_err err;

	*oid = id_of(type, data);
	assert_ok(sat_git_put(g, type, oid, data, &err));
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
	raw = raw_commit(&obj, at("signers.git"), &ours);
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

/* ---- history ------------------------------------------------------------------------- */

static int
count_commits(void *u, const sat_oid *oid)
{
	(void)oid;
	++*(int *)u;
	return 0;
}

static void
a_commit_that_does_not_descend_is_detected(void **state)
{
	sat_git *g = bare("descend.git");
	sat_oid a = commit_n(g, BRANCH, 1), b = commit_n(g, BRANCH, 2);
	sat_oid other = commit_n(g, "refs/heads/local", 3), absent = a;
	int n = 0;
	bool yes;
	sat_err err;

	(void)state;
	absent.b[0] ^= 1;
	assert_ok(sat_git_descends(&yes, g, &b, &a, &err));
	assert_true(yes);
	assert_ok(sat_git_descends(&yes, g, &a, &a, &err));
	assert_true(yes);
	assert_ok(sat_git_descends(&yes, g, &a, &b, &err)); /* a rollback */
	assert_false(yes);
	assert_ok(sat_git_descends(&yes, g, &other, &b, &err));
	assert_false(yes);
	assert_ok(sat_git_descends(&yes, g, &b, &absent, &err));
	assert_false(yes);
	assert_rc(SAT_ENOTFOUND, sat_git_descends(&yes, g, &absent, &a, &err));
	assert_ok(sat_git_log(g, &b, count_commits, &n, &err));
	assert_int_equal(2, n);
	sat_git_close(g);
}

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
	race_repo = at("race.git");
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

/* ---- bundles --------------------------------------------------------------------------- */

static sat_rc
store(void *u, int type, const sat_oid *oid, sat_span data, sat_err *e)
{
	return sat_git_put(u, type, oid, data, e);
}

static sat_rc
must_not_run(void *u, int type, const sat_oid *oid, sat_span data, sat_err *e)
{
	(void)type;
	(void)oid;
	(void)data;
	(void)e;
	++*(int *)u;
	return SAT_OK;
}

static void
a_bundle_carries_history_to_a_device(void **state)
{
	sat_git *server = bare("carry.git"), *device = memory();
	sat_oid first = commit_n(server, BRANCH, 1), tip, absent = { { 9 } };
	sat_buf all = { 0 }, more = { 0 }, a = { 0 }, b = { 0 };
	int n = 0;
	bool yes;
	sat_err err;

	(void)state;
	assert_ok(sat_git_bundle(&all, server, &first, NULL, &err));
	assert_ok(sat_git_unbundle(sat_buf_span(&all), store, device, &err));
	assert_ok(sat_git_verify_closure(device, &first, &err));
	for (int k = 2; k < 6; k++)
		tip = commit_n(server, BRANCH, k);
	assert_ok(sat_git_bundle(&more, server, &tip, &first, &err));
	assert_ok(sat_git_unbundle(sat_buf_span(&more), store, device, &err));
	assert_ok(sat_git_verify_closure(device, &tip, &err));
	assert_ok(sat_git_descends(&yes, device, &tip, &first, &err));
	assert_true(yes);
	assert_ok(sat_git_log(device, &tip, count_commits, &n, &err));
	assert_int_equal(5, n);
	assert_true(info_of(device, &tip).signature_ok);
	assert_ok(sat_git_walk(server, &tip, list, &a, &err));
	assert_ok(sat_git_walk(device, &tip, list, &b, &err));
	assert_string_equal(sat_buf_cstr(&a), sat_buf_cstr(&b));
	/* Only what is new: per commit a blob, two trees, a commit. */
	assert_int_equal(16, more.p[0]);
	sat_buf_reset(&more);
	assert_ok(sat_git_bundle(&more, server, &tip, &tip, &err));
	assert_int_equal(1, more.n);
	assert_rc(SAT_ENOTFOUND,
	    sat_git_bundle(&more, server, &tip, &absent, &err));
	sat_git_close(server);
	sat_git_close(device);
	sat_buf_fini(&all);
	sat_buf_fini(&more);
	sat_buf_fini(&a);
	sat_buf_fini(&b);
}

static void
a_flipped_byte_anywhere_in_a_bundle_is_refused(void **state) /* G1 */
{
	sat_git *g = memory();
	sat_oid tip = commit_n(g, BRANCH, 1);
	sat_buf b = { 0 };
	int calls = 0;
	sat_err err;

	(void)state;
	assert_ok(sat_git_bundle(&b, g, &tip, NULL, &err));
	for (size_t i = 0; i < b.n; i++) {
		b.p[i] ^= 0x01;
		if (sat_git_unbundle(sat_buf_span(&b), must_not_run, &calls,
		    &err) != SAT_EPROTO)
			fail_msg("byte %zu of %zu", i, b.n);
		b.p[i] ^= 0x01;
		/* Cut short, from an exact copy. */
		{
			uint8_t *cut = malloc(i + 1);

			memcpy(cut, b.p, i);
			assert_rc(SAT_EPROTO, sat_git_unbundle(sat_span_of(cut,
			    i), must_not_run, &calls, &err));
			free(cut);
		}
	}
	assert_int_equal(0, calls);
	assert_ok(sat_git_unbundle(sat_buf_span(&b), must_not_run, &calls, &err));
	assert_int_equal(5, calls);
	sat_write_u8(&b, 0);
	assert_rc(SAT_EPROTO,
	    sat_git_unbundle(sat_buf_span(&b), must_not_run, &calls, &err));
	assert_int_equal(5, calls);
	sat_buf_fini(&b);
	sat_git_close(g);
}

static void
add(sat_buf *tree, const char *mode_and_name, const sat_oid *oid)
{
	sat_buf_add(tree, mode_and_name, strlen(mode_and_name) + 1);
	sat_buf_add(tree, oid->b, sizeof oid->b);
}

static void
hostile_trees_are_refused_before_they_are_stored(void **state) /* T21 */
{
	static const char *const bad[] = { "120000 link.json", "160000 sub",
		"100755 run.json", "100664 a.json", "040000 dir", "40000 ..",
		"40000 .", "40000 .git", "40000 a.b", "40000 GIT", "40000 git~1x",
		"100644 ../x.json", "100644 a/b.json", "100644 ", "40000 ",
		"100644 .gitmodules", "100644 x.exe", "100644 \xe5\xae\xa2.json",
		"100644", "x" };
	sat_git *g = memory();
	sat_oid blob, oid;
	sat_buf t = { 0 };
	sat_err err;

	(void)state;
	put(g, 3, sat_span_str("1"), &blob);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		sat_buf_reset(&t);
		add(&t, bad[i], &blob);
		oid = id_of(2, sat_buf_span(&t));
		if (sat_git_put(g, 2, &oid, sat_buf_span(&t), &err) != SAT_EPROTO)
			fail_msg("taken: %s", bad[i]);
	}
	sat_buf_reset(&t);
	add(&t, "100644 b.json", &blob);
	add(&t, "100644 a.json", &blob); /* out of order */
	oid = id_of(2, sat_buf_span(&t));
	assert_rc(SAT_EPROTO, sat_git_put(g, 2, &oid, sat_buf_span(&t), &err));
	memcpy(t.p + 7, "a", 1); /* twice the same */
	oid = id_of(2, sat_buf_span(&t));
	assert_rc(SAT_EPROTO, sat_git_put(g, 2, &oid, sat_buf_span(&t), &err));
	t.n -= 3; /* cut short */
	oid = id_of(2, sat_buf_span(&t));
	assert_rc(SAT_EPROTO, sat_git_put(g, 2, &oid, sat_buf_span(&t), &err));
	/* Other types, other ids. */
	oid = id_of(4, sat_span_str("tag"));
	assert_rc(SAT_EPROTO, sat_git_put(g, 4, &oid, sat_span_str("tag"), &err));
	assert_rc(SAT_EPROTO, sat_git_put(g, 3, &oid, sat_span_str("1"), &err));
	sat_buf_fini(&t);
	sat_git_close(g);
}

/* A commit of this tree, unsigned. */
static void
wrap_on(sat_git *g, const sat_oid *tree, const sat_oid *const *parents,
    sat_oid *commit)
{
	char hex[SAT_GIT_OID_HEX + 1];
	sat_buf b = { 0 };

	sat_oid_hex(hex, tree);
	sat_buf_fmt(&b, "tree %s\n", hex);
	for (; *parents != NULL; parents++) {
		sat_oid_hex(hex, *parents);
		sat_buf_fmt(&b, "parent %s\n", hex);
	}
	sat_buf_str(&b, "author x <x@y> 1 +0000\n"
	    "committer x <x@y> 1 +0000\n\nm\n");
	put(g, 1, sat_buf_span(&b), commit);
	sat_buf_fini(&b);
}

static void
wrap(sat_git *g, const sat_oid *tree, sat_oid *commit)
{
	wrap_on(g, tree, (const sat_oid *const[]){ NULL }, commit);
}

/* The id was seen, and found good, in another role. */
static void
a_commit_of_the_history_is_no_file_of_it(void **state)
{
	sat_git *g = memory();
	sat_buf t = { 0 };
	sat_oid blob, good, bad, first, second, tip;
	sat_err err;

	(void)state;
	put(g, 3, sat_span_str("1"), &blob);
	add(&t, "100644 a.json", &blob);
	put(g, 2, sat_buf_span(&t), &good);
	wrap(g, &good, &first);
	sat_buf_reset(&t);
	add(&t, "100644 a.json", &first);
	put(g, 2, sat_buf_span(&t), &bad);
	wrap(g, &bad, &second);
	wrap_on(g, &good, (const sat_oid *const[]){ &second, &first, NULL },
	    &tip);
	assert_rc(SAT_EINTEGRITY, sat_git_verify_closure(g, &tip, &err));
	wrap_on(g, &good, (const sat_oid *const[]){ &first, &first, NULL },
	    &tip);
	assert_ok(sat_git_verify_closure(g, &tip, &err));
	sat_buf_fini(&t);
	sat_git_close(g);
}

static void
a_closure_that_is_too_deep_broken_or_of_wrong_types_is_refused(void **state)
{
	sat_git *g = memory();
	sat_buf t = { 0 };
	sat_oid blob, tree, commit, second, absent = { { 7 } };
	sat_err err;

	(void)state;
	put(g, 3, sat_span_str("1"), &blob);
	add(&t, "100644 a.json", &blob);
	for (int depth = 1; depth <= 5; depth++) {
		sat_buf seen = { 0 };

		put(g, 2, sat_buf_span(&t), &tree);
		wrap(g, &tree, &commit);
		assert_rc(depth <= 4 ? SAT_OK : SAT_EINTEGRITY,
		    sat_git_verify_closure(g, &commit, &err));
		assert_rc(depth <= 4 ? SAT_OK : SAT_EPROTO,
		    sat_git_walk(g, &commit, list, &seen, &err));
		sat_buf_fini(&seen);
		sat_buf_reset(&t);
		add(&t, "40000 d", &tree);
	}
	sat_buf_reset(&t);
	add(&t, "100644 a.json", &absent);
	put(g, 2, sat_buf_span(&t), &tree);
	wrap(g, &tree, &commit);
	assert_rc(SAT_EINTEGRITY, sat_git_verify_closure(g, &commit, &err));
	assert_rc(SAT_EINTEGRITY, sat_git_verify_closure(g, &absent, &err));
	/* A file that is a commit, a directory that is a file. */
	sat_buf_reset(&t);
	add(&t, "100644 a.json", &commit);
	put(g, 2, sat_buf_span(&t), &tree);
	wrap(g, &tree, &second);
	assert_rc(SAT_EINTEGRITY, sat_git_verify_closure(g, &second, &err));
	sat_buf_reset(&t);
	add(&t, "40000 a", &blob);
	put(g, 2, sat_buf_span(&t), &tree);
	wrap(g, &tree, &second);
	assert_rc(SAT_EINTEGRITY, sat_git_verify_closure(g, &second, &err));
	wrap(g, &blob, &second);
	assert_rc(SAT_EINTEGRITY, sat_git_verify_closure(g, &second, &err));
	sat_buf_fini(&t);
	sat_git_close(g);
}

static void
a_commit_of_another_form_is_refused(void **state)
{
#define T "tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\n"
#define P "parent 4b825dc642cb6eb9a060e54bf8d69288fbee4904\n"
#define A "author x <x@y> 1 +0000\n"
#define C "committer x <x@y> 1 +0800\n"
	static const char *const bad[] = { "", T, T A "\nm\n", T A "comgitter"
		" x <x@y> 1 +0000\n\nm\n", A C T "\nm\n", T P P P A C "\nm\n",
		T A P C "\nm\n", T T A C "\nm\n", T A C "m\n", T A C,
		T A C "gpgsig a\n b\ngpgsig c\n\nm\n", T A C "x y\n\nm\n",
		"tree 4b825dc6\n" A C "\nm\n", T "author <x@y> 1 +0000\n" C
		"\nm\n", T "author x <x@y> 1\n" C "\nm\n",
		T "author x <x@y> -1 +0000\n" C "\nm\n",
		T "author x <x@y> 123456789012 +0000\n" C "\nm\n",
		T "author x <x@<y> 1 +0000\n" C "\nm\n", T A C "\n\xff\n" };
	static const char *const good[] = { T A C "\nm\n", T A C "\n",
		T P P A C "gpgsig a\n b\n \n\nm\n" };
	sat_git *g = memory();
	sat_oid oid;
	sat_err err;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		oid = id_of(1, sat_span_str(bad[i]));
		if (sat_git_put(g, 1, &oid, sat_span_str(bad[i]), &err) !=
		    SAT_EPROTO)
			fail_msg("taken: %s", bad[i]);
	}
	oid = id_of(1, sat_span_of(T A C "\nm\0x\n", sizeof T A C + 5));
	assert_rc(SAT_EPROTO, sat_git_put(g, 1, &oid,
	    sat_span_of(T A C "\nm\0x\n", sizeof T A C + 5), &err));
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		put(g, 1, sat_span_str(good[i]), &oid);
	sat_git_close(g);
}

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
	assert_true(sat_oid_parse(&o, "4b825dc642cb6eb9a060e54bf8d69288fbee4904"));
	sat_oid_hex(hex, &o);
	assert_string_equal("4b825dc642cb6eb9a060e54bf8d69288fbee4904", hex);
	assert_false(sat_oid_parse(&o, "4b825dc642cb6eb9a060e54bf8d69288fbee490"));
	assert_false(sat_oid_parse(&o, ""));
	assert_false(sat_oid_parse(&o, "xb825dc642cb6eb9a060e54bf8d69288fbee4904"));
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
		    stock_git_reads_checks_and_verifies_our_repository),
		cmocka_unit_test(a_commit_signed_by_stock_git_is_verified_by_us),
		cmocka_unit_test(
		    a_signer_outside_the_list_and_a_missing_signature_are_reported),
		cmocka_unit_test(a_commit_that_does_not_descend_is_detected),
		cmocka_unit_test(
		    two_writers_never_lose_a_commit_that_was_acknowledged),
		cmocka_unit_test(a_bundle_carries_history_to_a_device),
		cmocka_unit_test(a_flipped_byte_anywhere_in_a_bundle_is_refused),
		cmocka_unit_test(hostile_trees_are_refused_before_they_are_stored),
		cmocka_unit_test(
		    a_closure_that_is_too_deep_broken_or_of_wrong_types_is_refused),
		cmocka_unit_test(a_commit_of_the_history_is_no_file_of_it),
		cmocka_unit_test(a_commit_of_another_form_is_refused),
		cmocka_unit_test(a_commit_without_a_change_says_something_in_its_message),
		cmocka_unit_test(ids_are_forty_hex_digits),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
