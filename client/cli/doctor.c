/*
 * selftest, doctor: does the program work here, and what should be set right.
 */
#include "client/cli/cli_int.h"

#include "common/base/file.h"

static const sat_opt selftest_options[] = {
	{ "quick", 0, NULL, "a few records instead of 500 customers" },
	{ NULL, 0, NULL, NULL },
};

static const sat_opt bench_options[] = {
	{ "rows", 0, "N", "customers to measure with (1000)" },
	{ NULL, 0, NULL, NULL },
};

/* Of a replica of its own, so in process also while a daemon runs. */
static sat_rc
run_trial(cli *c, const char *path, sat_json *body, sat_err *e)
{
	static const cli_column cols[] = { { "check", "check", CELL_SAID },
		{ "ok", "ok", CELL_WHOLE }, { "ms", "ms", CELL_NUMBER },
		{ "detail", "detail", CELL_SAID } };
	sat_json *doc = NULL;
	sat_rc rc;

	c->api.crm.lang = c->lang;
	rc = cli_ask(&doc, c, "POST", path, NULL, body, e);
	if (doc != NULL)
		cli_print_rows(c, doc, cols, 4);
	sat_json_free(body);
	sat_json_free(doc);
	return rc;
}

static sat_rc
run_selftest(cli *c, sat_err *e)
{
	sat_json *body = sat_json_obj();

	sat_json_put_bool(body, "quick", sat_args_has(&c->args, "quick"));
	return run_trial(c, "/v1/selftest", body, e);
}

static sat_rc
run_bench(cli *c, sat_err *e)
{
	sat_json *body;
	int64_t n;
	sat_rc rc = sat_args_int(&n, &c->args, "rows", 1000, e);

	if (rc != SAT_OK)
		return rc;
	body = sat_json_obj();
	sat_json_put_int(body, "rows", n);
	return run_trial(c, "/v1/bench", body, e);
}

static const sat_opt doctor_options[] = {
	{ "security", 0, NULL, "what may leak, too" },
	{ "bundle", 0, "FILE", "all of it into a file, for whoever helps" },
	{ NULL, 0, NULL, NULL },
};

/* Nobody's file is written over: the name is often one of a directory full of
 * others' bundles. Only its owner reads it. */
static sat_rc
write_new(const char *path, const sat_json *doc, sat_err *e)
{
	sat_buf b = { 0 };
	sat_rc rc;

	if (sat_file_there(path))
		return sat_fail_code(e, SAT_EIO, "bundle",
		    "name a file that does not exist yet",
		    "%s: there is such a file already", path);
	sat_json_write(&b, doc, true);
	rc = sat_file_write(path, sat_buf_span(&b), 0600, e);
	sat_buf_fini(&b);
	return rc;
}

/* Findings and counts; no name, no customer. */
static sat_rc
bundle(cli *c, const char *path, const sat_json *doc, sat_err *e)
{
	static const char *const members[] = { "state", "pending", "inbox",
		"cursor", "template", "diverged", "clock_suspect",
		"last_sync", "schema_version" };
	sat_json *all = sat_json_obj(), *status = NULL, *s;
	sat_rc rc = cli_ask(&status, c, "GET", "/v1/status", NULL, NULL, e);

	sat_json_put_str(all, "schema", "satchel/doctor.bundle/1");
	sat_json_put_str(all, "version", SAT_VERSION);
	sat_json_put_int(all, "protocol", SAT_PROTO_VERSION);
	s = sat_json_put_obj(all, "status");
	for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
		if (sat_json_get(status, members[i]) != NULL)
			sat_json_put(s, members[i],
			    sat_json_dup(sat_json_get(status, members[i])));
	sat_json_put(all, "doctor", sat_json_dup(doc));
	if (rc == SAT_OK)
		rc = write_new(path, all, e);
	sat_json_free(status);
	sat_json_free(all);
	return rc;
}

static sat_rc
run_doctor(cli *c, sat_err *e)
{
	static const cli_column cols[] = { { "check", "check", CELL_SAID },
		{ "state", "state", CELL_SAID },
		{ "detail", "detail", CELL_SAID }, { "next", "next", CELL_SAID } };
	const char *to = sat_args_get(&c->args, "bundle");
	sat_json *q = sat_json_obj(), *doc = NULL;
	sat_rc rc;

	if (sat_args_has(&c->args, "security"))
		sat_json_put_str(q, "security", "1");
	rc = cli_ask(&doc, c, "GET", "/v1/doctor", q, NULL, e);
	if (rc == SAT_OK)
		cli_print_rows(c, doc, cols, 4);
	if (rc == SAT_OK && to != NULL)
		rc = bundle(c, to, doc, e);
	if (rc == SAT_OK && !sat_json_get_bool(doc, "ok", false))
		rc = sat_fail_code(e, SAT_EFAIL, "doctor", NULL,
		    "%lld to set right at once",
		    (long long)sat_json_get_int(doc, "failures", 0));
	sat_json_free(q);
	sat_json_free(doc);
	return rc;
}

const cli_verb cli_doctor_verbs[] = {
	{ "doctor", NULL, run_doctor, doctor_options,
	    "doctor [--security] [--bundle FILE]",
	    "what to set right on this device", "  satchel doctor --security\n"
	    "  satchel doctor --bundle for-the-helpdesk.json\n", false },
	{ "bench", NULL, run_bench, bench_options, "bench [--rows N]",
	    "how long each thing takes on this computer",
	    "  satchel bench --rows 10000\n", true },
	{ "selftest", NULL, run_selftest, selftest_options,
	    "selftest [--quick]", "does the program work on this computer", NULL,
	    true },
	{ "version", NULL, cli_version, NULL, "version", "version and licence",
	    NULL, true },
};
const size_t cli_doctor_nverbs = sizeof cli_doctor_verbs /
    sizeof cli_doctor_verbs[0];
