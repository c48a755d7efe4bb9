/* Stock git reads ours, we read what stock git signed. */
#include "tests/lib/unit.h"

#include <fcntl.h>
#include <git2.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/git/git.h"
#include "tests/unit/common/git/repo.h"

/* Run a program; its output goes to <dir>/out. @return its exit code. */
static int
run(const char *const *argv)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		int fd = open(sat_test_at("out"), O_WRONLY | O_CREAT | O_TRUNC,
		    0600);
		int null = open("/dev/null", O_RDONLY);
		char *args[24] = { NULL };

		for (int i = 0; i < 23 && argv[i] != NULL; i++)
			args[i] = strdup(argv[i]);
		(void)dup2(null, 0);
		(void)dup2(fd, 1);
		(void)dup2(fd, 2);
		(void)setenv("GIT_CONFIG_GLOBAL", "/dev/null", 1);
		(void)setenv("GIT_CONFIG_NOSYSTEM", "1", 1);
		(void)setenv("HOME", sat_test_here, 1);
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
	FILE *f = fopen(sat_test_at("out"), "r");

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
	FILE *f = fopen(sat_test_at("allowed"), "w");

	assert_non_null(f);
	(void)fprintf(f, "%s namespaces=\"git\" %s\n", who, key);
	assert_int_equal(0, fclose(f));
}

static void
stock_git_reads_checks_and_verifies_our_repository(void **state)
{
	char key[128], setting[500], hex[SAT_GIT_OID_HEX + 1];
	const char *repo = sat_test_at("stock.git");
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
	    "gpg.ssh.allowedSignersFile=%s/allowed", sat_test_here);

	WELL("git", "-C", repo, "fsck", "--full", "--strict");
	WELL("git", "-c", setting, "-C", repo,
	    "verify-commit", hex);
	assert_non_null(strstr(output(), "Good \"git\" signature"));
	WELL("git", "clone", "-q", repo, sat_test_at("clone"));
	WELL("git", "-C", sat_test_at("clone"), "log", "--oneline");
	assert_int_equal(0, access(sat_test_at("clone/pack/fields.json"),
	    F_OK));
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
	(void)snprintf(setting, sizeof setting, "user.signingkey=%s/id",
	    sat_test_here);
	WELL("ssh-keygen", "-q", "-t", "ed25519", "-N", "",
	    "-f", sat_test_at("id"));
	WELL("git", "init", "-q", "--bare", sat_test_at("theirs.git"));
	WELL("git", "-C", sat_test_at("theirs.git"), "mktree");
	WELL("git", "-C", sat_test_at("theirs.git"), "-c", setting,
	    "-c", "gpg.format=ssh", "-c", "user.name=x", "-c", "user.email=x@y",
	    "commit-tree", "-S", "-m", "theirs",
	    "4b825dc642cb6eb9a060e54bf8d69288fbee4904");
	assert_true(sat_oid_parse(&tip, strtok(output(), "\n")));
	assert_ok(sat_git_open(&g, sat_test_at("theirs.git"), &err));
	assert_ok(sat_git_commit_info(&info, g, &tip, NULL, 0, &err));
	assert_true(info.has_signature);
	assert_false(info.signature_ok);
	sat_git_ssh_public(line, info.signer);
	f = fopen(sat_test_at("id.pub"), "r");
	assert_non_null(fgets(have, sizeof have, f));
	(void)fclose(f);
	assert_memory_equal(line, have, strlen(line));
	sat_git_close(g);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    stock_git_reads_checks_and_verifies_our_repository),
		cmocka_unit_test(a_commit_signed_by_stock_git_is_verified_by_us),
	};

	return cmocka_run_group_tests(tests, setup, sat_test_dir_teardown);
}
