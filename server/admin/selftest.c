/*
 * selftest: does this program work on this machine? A server of its own, in a
 * folder that is gone afterwards: made, opened, filled, checked, copied. The
 * organisation's folder is not touched.
 */
#include "server/admin/admin_int.h"

#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PHRASE "a passphrase of the self test"
#define TEAM "selftest-team"
#define FILE_MAX (64 * 1024 * 1024) /* it has a few hundred kB */

typedef struct trial {
	char *top, *dir, *copy, *kit;
	sat_admin *admin;
} trial;

/* A verb as it is typed; its answer is thrown away. */
static sat_rc
say(trial *t, sat_err *e, const char *line)
{
	char *words = sat_xstrdup(line), *rest = words, *argv[16];
	sat_buf out = { 0 };
	int argc = 0;
	sat_rc rc;

	while (argc < 15 && (argv[argc] = strsep(&rest, " ")) != NULL)
		argc++;
	argv[argc] = NULL;
	rc = sat_admin_run(t->admin, argc, argv, &out, e);
	sat_buf_fini(&out);
	free(words);
	return rc;
}

static sat_rc
say_folder(trial *t, sat_err *e, const char *verb, const char *folder)
{
	char *line = sat_xasprintf("%s %s", verb, folder);
	sat_rc rc = say(t, e, line);

	free(line);
	return rc;
}

static sat_rc
make(trial *t, sat_err *e)
{
	sat_rc rc = sat_admin_init(t->dir, "Selftest", "admin", NULL,
	    sat_span_str(PHRASE), e);

	return rc != SAT_OK ? rc : sat_admin_open(&t->admin, t->dir,
	    sat_span_str(PHRASE), e);
}

static sat_rc
fill(trial *t, sat_err *e)
{
	sat_rc rc;

	if ((rc = say(t, e, "team add " TEAM " --name Selftest")) != SAT_OK ||
	    (rc = say(t, e, "user add li --name Li --role rep --team " TEAM)) !=
	    SAT_OK)
		return rc;
	return say(t, e, "device invite --user li --address tcp://127.0.0.1:1");
}

static sat_rc
whole(trial *t, sat_err *e)
{
	sat_rc rc = say(t, e, "check");

	return rc != SAT_OK ? rc : say(t, e, "template verify");
}

/* What another passphrase does not open, and the right one does. */
static sat_rc
reopen(trial *t, sat_err *e)
{
	sat_admin *other = NULL;

	sat_admin_close(t->admin);
	t->admin = NULL;
	if (sat_admin_open(&other, t->dir, sat_span_str(PHRASE ", not"),
	    NULL) == SAT_OK) {
		sat_admin_close(other);
		return sat_fail(e, SAT_EINTEGRITY,
		    "another passphrase opens the keyring");
	}
	return sat_admin_open(&t->admin, t->dir, sat_span_str(PHRASE), e);
}

static sat_rc
copy(trial *t, sat_err *e)
{
	sat_restore_opts look = { .verify_only = true, .ledger = t->kit };
	sat_rc rc = say_folder(t, e, "backup", t->copy);

	if (rc != SAT_OK ||
	    (rc = say_folder(t, e, "kit", t->kit)) != SAT_OK)
		return rc;
	return sat_admin_restore(t->dir, t->copy, &look, sat_span_str(PHRASE),
	    e);
}

/* What the disk has of it is noise. */
static sat_rc
noise(trial *t, sat_err *e)
{
	char *path = admin_path(t->admin, "server.db");
	sat_buf b = { 0 };
	sat_rc rc = sat_file_read(&b, path, FILE_MAX, e);
	bool clear;

	free(path);
	if (rc != SAT_OK) {
		sat_buf_fini(&b);
		return rc;
	}
	clear = b.n == 0 ||
	    memmem(b.p, b.n, TEAM, strlen(TEAM)) != NULL ||
	    memmem(b.p, b.n, "SQLite format", 13) != NULL;
	sat_buf_fini(&b);
	return !clear ? SAT_OK : sat_fail(e, SAT_EINTEGRITY,
	    "the file shows what is in it");
}

static const struct {
	const char *name;
	sat_rc (*run)(trial *t, sat_err *e);
} steps[] = {
	{ N_("make"), make },
	{ N_("fill"), fill },
	{ N_("check"), whole },
	{ N_("reopen"), reopen },
	{ N_("check again"), whole },
	{ N_("backup"), copy },
	{ N_("encrypted"), noise },
};

static bool
run_step(trial *t, size_t i, sat_json *rows)
{
	sat_clock clock = sat_clock_os();
	int64_t from = sat_wall_ms(&clock);
	sat_json *row = sat_json_add_obj(rows);
	sat_err why = { 0 };
	bool ok = steps[i].run(t, &why) == SAT_OK;

	sat_json_put_str(row, "check", steps[i].name);
	sat_json_put_bool(row, "ok", ok);
	sat_json_put_int(row, "ms", sat_wall_ms(&clock) - from);
	sat_json_put_str(row, "detail", ok ? NULL : why.text);
	return ok;
}

sat_rc
sat_admin_selftest(const sat_args *w, sat_buf *out, sat_err *e)
{
	static const char *const cols[] = { "check", "ok", "ms", "detail",
		NULL };
	const char *tmp = getenv("TMPDIR");
	trial t = { .top = sat_xasprintf("%s/satcheld-selftest-XXXXXX",
	                tmp != NULL ? tmp : "/tmp") };
	sat_json *doc = sat_json_obj(), *rows;
	sat_err why = { 0 };
	bool ok = true;

	if (mkdtemp(t.top) == NULL) {
		sat_json_free(doc);
		free(t.top);
		return sat_fail(e, SAT_EIO, "cannot make a folder: %s",
		    strerror(errno));
	}
	t.dir = sat_xasprintf("%s/server", t.top);
	t.copy = sat_xasprintf("%s/backup", t.top);
	t.kit = sat_xasprintf("%s/kit", t.top);
	sat_json_put_str(doc, "schema", "satcheld/selftest/1");
	rows = sat_json_put_arr(doc, "data");
	for (size_t i = 0; ok && i < sizeof steps / sizeof steps[0]; i++)
		ok = run_step(&t, i, rows);
	sat_json_put_bool(doc, "ok", ok);
	admin_print(out, w, doc, cols);
	sat_admin_close(t.admin);
	if (sat_folder_clear(t.top, &why) != SAT_OK)
		sat_log(SAT_WARN, "SELFTEST-FOLDER", "text=%s", why.text);
	sat_json_free(doc);
	free(t.top);
	free(t.dir);
	free(t.copy);
	free(t.kit);
	return ok ? SAT_OK : sat_fail_code(e, SAT_EFAIL, "selftest", NULL,
	    "this program does not work on this machine");
}
