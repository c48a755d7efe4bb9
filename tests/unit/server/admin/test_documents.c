/*
 * Every verb with --json on a server of its own: one document, held against
 * docs/schema/satcheld; every noun of the help is asked, and every one has
 * examples that name it.
 */
#include "tests/unit/server/admin/folder.h"

#include "common/base/file.h"

#include <unistd.h>

/* TOP stands for the test's folder. */
static sat_rc
say(sat_buf *out, const char *line)
{
	char *words = sat_xstrdup(line), *rest = words, *argv[24];
	char *own[24] = { NULL };
	int argc = 0;
	sat_rc rc;

	sat_buf_reset(out);
	while (argc < 23 && (argv[argc] = strsep(&rest, " ")) != NULL) {
		if (strncmp(argv[argc], "TOP", 3) == 0)
			argv[argc] = own[argc] = sat_xasprintf("%s%s", top,
			    argv[argc] + 3);
		argc++;
	}
	argv[argc] = NULL;
	rc = sat_admin_run(admin, argc, argv, out, &err);
	for (int i = 0; i < argc; i++)
		free(own[i]);
	free(words);
	return rc;
}

static sat_json *
schema_of(const char *id)
{
	char *path = sat_xasprintf("docs/schema/%.*s.json",
	    (int)strcspn(id + 9, "/") + 9, id);
	sat_json *s = NULL;
	sat_buf b = { 0 };

	assert_ok(sat_file_read(&b, path, 1 << 20, &err));
	assert_ok(sat_json_parse(&s, sat_buf_span(&b), 0, &err));
	sat_buf_fini(&b);
	free(path);
	return s;
}

static void
assert_fits(const sat_buf *out, const char *line)
{
	sat_json *doc = NULL, *schema;
	const char *id;

	if (sat_json_parse(&doc, sat_buf_span(out), 0, &err) != SAT_OK)
		fail_msg("%s: no document: %s", line, err.text);
	id = sat_json_get_str(doc, "schema", "");
	if (strncmp(id, "satcheld/", 9) != 0)
		fail_msg("%s: schema %s", line, id);
	schema = schema_of(id);
	if (sat_json_validate(doc, schema, &err) != SAT_OK)
		fail_msg("%s is no %s: %s", line, id, err.text);
	sat_json_free(schema);
	sat_json_free(doc);
}

/* In this order: a later one may rest on an earlier one. */
static const struct {
	const char *line;
	sat_rc rc; /* a document may come with one */
} lines[] = {
	{ "status --json", SAT_OK },
	{ "doctor --json", SAT_OK },
	{ "team add east --name East --json", SAT_OK },
	{ "team list --json", SAT_OK },
	{ "team show east --json", SAT_OK },
	{ "team edit east --parent x --json", SAT_OK },
	{ "user add li --name Li --role rep --team east --json", SAT_OK },
	{ "user list --json", SAT_OK },
	{ "user show li --json", SAT_OK },
	{ "user edit li --name L --json", SAT_OK },
	{ "user disable admin --json", SAT_OK },
	{ "user enable admin --json", SAT_OK },
	{ "team disable east --json", SAT_ECONFLICT },
	{ "role list --json", SAT_OK },
	{ "role show rep --json", SAT_OK },
	{ "acl show --json", SAT_OK },
	{ "acl test li create account --json", SAT_OK },
	{ "device list --json", SAT_OK },
	{ "device invite --user li --address tcp://h:1 --json", SAT_OK },
	{ "device show 7 --json", SAT_ENOTFOUND },
	{ "device approve 7 --json", SAT_ENOTFOUND },
	{ "scope stale --json", SAT_OK },
	{ "template list --json", SAT_OK },
	{ "template status --json", SAT_OK },
	{ "template verify --json", SAT_OK },
	{ "template packs --json", SAT_OK },
	{ "template diff upstream published --json", SAT_OK },
	{ "template update --dry-run --json", SAT_OK },
	{ "template publish common/template/base -m again --json", SAT_OK },
	{ "lease list --json", SAT_OK },
	{ "lease list --gaps --json", SAT_OK },
	{ "merge log --json", SAT_OK },
	{ "merge replay --from 1 --verify --json", SAT_OK },
	{ "conflict list --json", SAT_OK },
	{ "conflict stats --json", SAT_OK },
	{ "conflict escalate --json", SAT_OK },
	{ "backup TOP/backup --json", SAT_OK },
	{ "snapshot make --json", SAT_OK },
	{ "snapshot list --json", SAT_OK },
	{ "snapshot prune --keep 1 --json", SAT_OK },
	{ "export all --json", SAT_EUSAGE }, /* lines, and not without a reason */
	{ "log compact --json", SAT_OK },
	{ "log list --json", SAT_OK },
	{ "check --json", SAT_OK },
	{ "check --full --json", SAT_OK },
	{ "check --quick --json", SAT_OK },
	{ "privacy status --json", SAT_OK },
	{ "webhook add http://127.0.0.1:1/x --plain-http --events account.* --json", SAT_OK },
	{ "webhook list --json", SAT_OK },
	{ "webhook show 1 --json", SAT_OK },
	{ "webhook dead 1 --json", SAT_OK },
	{ "webhook test 1 --json", SAT_OK },
	{ "webhook retry 1 --json", SAT_OK },
	{ "webhook remove 1 --json", SAT_OK },
	{ "kit TOP/kit --json", SAT_OK },
	{ "keys show --json", SAT_OK },
	{ "keys escrow TOP/recovery.key --json", SAT_OK },
	{ "keys escrow TOP/recovery.key --json", SAT_ECONFLICT },
	{ "keys rotate --new-passphrase-file TOP/recovery.key --json", SAT_OK },
	{ "audit verify --json", SAT_OK },
	{ "audit log --json", SAT_OK },
	{ "audit log --since 1h --json", SAT_OK },
	{ "audit gaps --json", SAT_OK },
	{ "status --completeness --json", SAT_OK },
	{ "reload --json", SAT_EUNREACHABLE }, /* nobody serves here */
	{ "drain --json", SAT_EUNREACHABLE },
};

static void
every_answer_fits_its_schema(void **state)
{
	sat_buf out = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		sat_rc rc = say(&out, lines[i].line);

		if (rc != lines[i].rc)
			fail_msg("%s: %d, %s", lines[i].line, (int)rc,
			    rc != SAT_OK ? err.text : "done");
		if (rc == SAT_OK)
			assert_fits(&out, lines[i].line);
	}
	sat_buf_fini(&out);
}

static void
every_noun_is_asked_and_has_an_example(void **state)
{
	const admin_word *w;
	char want[80];

	(void)state;
	for (size_t i = 0; (w = admin_verb_word(i)) != NULL; i++) {
		bool asked = false;

		for (size_t k = 0; k < sizeof lines / sizeof lines[0]; k++)
			asked = asked || (strncmp(lines[k].line, w->noun,
			    strlen(w->noun)) == 0 &&
			    lines[k].line[strlen(w->noun)] == ' ');
		if (!asked)
			fail_msg("%s is not asked", w->noun);
		(void)snprintf(want, sizeof want, "satcheld %s", w->noun);
		if (strstr(w->examples, want) == NULL)
			fail_msg("%s has no example", w->noun);
		assert_int_equal(0, strncmp(w->usage, w->noun,
		    strlen(w->noun)));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_answer_fits_its_schema),
		cmocka_unit_test(every_noun_is_asked_and_has_an_example),
	};
	int rc = cmocka_run_group_tests(tests, start, end);

	(void)fflush(NULL);
	_exit(rc); /* NNG is linked in */
}
