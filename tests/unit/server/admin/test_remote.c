/*
 * Verbs of the server that an administrator gives from his device, and what is
 * refused: of other nouns, with options that name the server's files, and what
 * is refused to everybody. Nothing is changed by it.
 */
#include "tests/unit/server/admin/folder.h"

#include <string.h>
#include <unistd.h>

static sat_rc
ask(sat_buf *out, const char *line)
{
	char *words = sat_xstrdup(line), *rest = words, *one;
	sat_span span[24];
	sat_admin_words w = { span, 0 };
	sat_rc rc;

	sat_buf_reset(out);
	memset(&err, 0, sizeof err);
	while (w.n < 24 && (one = strsep(&rest, " ")) != NULL)
		span[w.n++] = sat_span_str(one);
	rc = admin_remote(admin, "boss", &w, out, &err);
	free(words);
	return rc;
}

/* What a verb could have changed. */
static void
picture(sat_buf *all)
{
	static const char *const looks[] = { "user list", "team list",
		"device list", "webhook list", "acl show", "role list" };
	sat_buf b = { 0 };

	sat_buf_reset(all);
	for (size_t i = 0; i < sizeof looks / sizeof looks[0]; i++) {
		assert_ok(ask(&b, looks[i]));
		sat_buf_add(all, b.p, b.n);
	}
	sat_buf_fini(&b);
}

static const struct {
	const char *line;
	sat_rc rc;
} refused[] = {
	/* what is decided on the server's own machine */
	{ "", SAT_EDENIED },
	{ "user", SAT_EDENIED },
	{ "status now", SAT_EDENIED },
	{ "drain now", SAT_EDENIED },
	{ "reload now", SAT_EDENIED },
	{ "check --full", SAT_EDENIED },
	{ "keys show", SAT_EDENIED },
	{ "keys escrow /tmp/x", SAT_EDENIED },
	{ "backup /tmp/x", SAT_EDENIED },
	{ "kit /tmp/x", SAT_EDENIED },
	{ "export all --reason x", SAT_EDENIED },
	{ "snapshot make", SAT_EDENIED },
	{ "log compact", SAT_EDENIED },
	{ "template publish /tmp/x -m x", SAT_EDENIED },
	{ "template list", SAT_EDENIED },
	{ "privacy status", SAT_EDENIED },
	{ "privacy erase 01 --reason r --by a --second b", SAT_EDENIED },
	{ "lease grant 1 --series C", SAT_EDENIED },
	{ "merge log", SAT_EDENIED },
	/* files of the server, and what only it may say */
	{ "user add --from /etc/passwd", SAT_EDENIED },
	{ "user add --from=/etc/passwd", SAT_EDENIED },
	{ "team add --from /etc/passwd", SAT_EDENIED },
	{ "webhook add --from /etc/passwd --events *", SAT_EDENIED },
	{ "webhook add --url-file /etc/passwd --events *", SAT_EDENIED },
	{ "webhook add http://127.0.0.1/x --events * --plain-http",
	    SAT_EDENIED },
	{ "device invite --user admin --address tcp://h:1", SAT_EDENIED },
	{ "user list -D /tmp", SAT_EDENIED },
	{ "user list -o /tmp/x", SAT_EDENIED },
	{ "user list --passphrase-file /tmp/x", SAT_EDENIED },
	{ "user list -- --from", SAT_EDENIED },
	{ "user list -", SAT_EDENIED },
	/* what nobody may */
	{ "user add", SAT_EUSAGE },
	{ "user add li", SAT_EINVALID },
	{ "user add li --name Li --role king", SAT_EINVALID },
	{ "user add li --name Li --role rep --team nowhere", SAT_ENOTFOUND },
	{ "user add admin --name A --role rep", SAT_ECONFLICT },
	{ "user show nobody", SAT_ENOTFOUND },
	{ "user edit nobody --name x", SAT_ENOTFOUND },
	{ "user disable nobody", SAT_ENOTFOUND },
	{ "team edit nowhere --name x", SAT_ENOTFOUND },
	{ "team disable nowhere", SAT_ENOTFOUND },
	{ "role show king", SAT_ENOTFOUND },
	{ "device show 99", SAT_ENOTFOUND },
	{ "device revoke 99", SAT_ENOTFOUND },
	{ "device approve 99", SAT_ENOTFOUND },
	{ "device rename 99 --name x", SAT_ENOTFOUND },
	{ "device move 99 --user admin", SAT_ENOTFOUND },
	{ "device lease 99 --days 3", SAT_ENOTFOUND },
	{ "device invite --user admin", SAT_EUSAGE }, /* under which address? */
	{ "webhook show 99", SAT_ENOTFOUND },
	{ "webhook add https://h.example/x --events nothing.such",
	    SAT_EUSAGE },
};

static void
what_is_refused_changes_nothing(void **state) /* P-372, P-403 */
{
	sat_buf before = { 0 }, after = { 0 }, out = { 0 };
	unsigned wrong = 0;

	(void)state;
	picture(&before);
	for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
		sat_rc rc = ask(&out, refused[i].line);

		if (rc != refused[i].rc) {
			print_error("%s: %d, not %d: %s\n", refused[i].line,
			    (int)rc, (int)refused[i].rc, err.text);
			wrong++;
		}
		if (err.text[0] == '\0')
			fail_msg("%s: refused without a word",
			    refused[i].line);
		picture(&after);
		if (!sat_span_eq(sat_buf_span(&before), sat_buf_span(&after)))
			fail_msg("%s changed something", refused[i].line);
	}
	assert_int_equal(0, wrong);
	sat_buf_fini(&before);
	sat_buf_fini(&after);
	sat_buf_fini(&out);
}

static void
what_is_done_stays_and_is_noted_with_who_gave_it(void **state) /* P-372 */
{
	char *argv[] = { (char[]){ "audit" }, (char[]){ "log" }, NULL };
	sat_buf out = { 0 };

	(void)state;
	assert_ok(ask(&out, "team add east --name East"));
	assert_ok(ask(&out, "user add li --name=Li --role rep --team east"));
	assert_non_null(strstr(sat_buf_cstr(&out), "\"li\""));
	/* durable before it is answered */
	sat_admin_close(admin);
	assert_ok(sat_admin_open(&admin, dir, sat_span_str(PHRASE), &err));
	assert_ok(ask(&out, "user show li"));
	sat_buf_reset(&out);
	assert_ok(sat_admin_run(admin, 2, argv, &out, &err));
	assert_non_null(strstr(sat_buf_cstr(&out), "boss"));
	/* and the next one of this machine is not the administrator's */
	assert_null(admin->actor);
	sat_buf_fini(&out);
}

/* The company would read lists with a blank in them. */
static void
neither_a_user_nor_a_team_loses_its_name(void **state)
{
	static const char *const blank[] = { "user edit wu --name=",
		"user edit wu --name= --role manager", "team edit north --name=",
		"team edit north --name= --parent x", "user add xu --name= --role rep",
		"team add south --name=" };
	sat_buf before = { 0 }, after = { 0 }, out = { 0 };

	(void)state;
	assert_ok(ask(&out, "team add north --name North --parent old"));
	assert_ok(ask(&out, "user add wu --name Wu --role rep --team north"));
	picture(&before);
	for (size_t i = 0; i < sizeof blank / sizeof blank[0]; i++) {
		assert_rc(SAT_EINVALID, ask(&out, blank[i]));
		assert_string_equal("a name is not empty", err.text);
		picture(&after);
		assert_true(sat_span_eq(sat_buf_span(&before),
		    sat_buf_span(&after)));
	}
	/* a parent can be taken away */
	assert_ok(ask(&out, "team edit north --parent="));
	assert_ok(ask(&out, "team show north"));
	assert_null(strstr(sat_buf_cstr(&out), "old"));
	sat_buf_fini(&before);
	sat_buf_fini(&after);
	sat_buf_fini(&out);
}

/* After a power cut in the middle of a publish nobody has to delete a file. */
static void
a_branch_left_locked_can_be_moved_after_the_next_start(void **state)
{
	char *lock = sat_xasprintf("%s/templates.git/refs/heads/published.lock",
	    dir);
	FILE *left = fopen(lock, "w");
	sat_oid oid;

	(void)state;
	assert_non_null(left);
	assert_int_equal(0, fclose(left));
	sat_admin_close(admin);
	assert_ok(sat_admin_open(&admin, dir, sat_span_str(PHRASE), &err));
	assert_ok(admin_commit_same(admin, SAT_ADMIN_BRANCH, "admin", "again",
	    &oid, &err));
	free(lock);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_refused_changes_nothing),
		cmocka_unit_test(
		    what_is_done_stays_and_is_noted_with_who_gave_it),
		cmocka_unit_test(neither_a_user_nor_a_team_loses_its_name),
		cmocka_unit_test(
		    a_branch_left_locked_can_be_moved_after_the_next_start),
	};
	int rc = cmocka_run_group_tests(tests, start, end);

	(void)fflush(NULL);
	_exit(rc); /* NNG is linked in */
}
