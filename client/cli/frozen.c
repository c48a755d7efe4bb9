/*
 * What surrounds a report: freeze, show what is frozen, sign, the records behind
 * a number.
 */
#include "client/cli/cli_int.h"

#include <stdlib.h>
#include <string.h>

static const sat_opt freeze_options[] = {
	{ "period", 0, "P", "a period that has ended: 2026-05, 2026-Q2, ..." },
	{ "param", 0, "K=V", "filter, for example team=east" },
	{ NULL, 0, NULL, NULL },
};
static const sat_opt sign_options[] = {
	{ "note", 0, "TEXT", "what the signer says" },
	{ "review", 0, "ID", "the review it was signed in" },
	{ NULL, 0, NULL, NULL },
};
static const sat_opt rows_options[] = {
	{ "period", 0, "P", "as in report run" },
	{ "param", 0, "K=V", "as in report run" },
	{ "group", 0, "KEY", "one row: keys of its dimensions, joined by ','" },
	{ "measure", 0, "M", "only records that add to this measure" },
	{ "limit", 0, "N", "at most so many (500)" },
	{ NULL, 0, NULL, NULL },
};

static sat_rc
need_word(const cli *c, const char *what, sat_err *e)
{
	if (c->args.nargs >= 3)
		return SAT_OK;
	return sat_fail_code(e, SAT_EUSAGE, "usage", "see: satchel report list",
	    "name the %s: satchel report %s %s", what, c->args.arg[1],
	    strcmp(what, "report") == 0 ? "KEY" : "ID");
}

static void
put_option(sat_json *o, cli *c, const char *name, const char *as)
{
	const char *v = sat_args_get(&c->args, name);

	if (v != NULL)
		sat_json_put_str(o, as, v);
}

static void
put_params(sat_json *o, cli *c)
{
	sat_json *params = sat_json_put_arr(o, "params");
	const char *v;
	size_t i = 0;

	while ((v = sat_args_next(&c->args, "param", &i)) != NULL)
		sat_json_add_str(params, v);
}

/* ---- the delta ---- */

static void
record_text(sat_buf *b, const sat_json *r)
{
	const sat_json *w = sat_json_first(sat_json_get(r, "writes"));
	const char *id = sat_json_get_str(r, "id", NULL);

	sat_buf_fmt(b, "  %s %s", sat_json_get_str(r, "change", ""),
	    sat_json_get_str(r, "title", id != NULL ? id : "—"));
	if (sat_json_get_str(r, "merged_into", NULL) != NULL)
		sat_buf_fmt(b, " -> %s", sat_json_get_str(r, "merged_into", ""));
	if (w == NULL)
		w = sat_json_first(sat_json_get(sat_json_get(r, "through"),
		    "writes"));
	for (int n = 0; w != NULL && n < 4; w = sat_json_next(w), n++)
		sat_buf_fmt(b, "%s %s (%s)", n == 0 ? ":" : ",",
		    sat_json_get_str(w, "field", ""),
		    sat_json_get_str(w, "user", "?"));
	sat_buf_str(b, "\n");
}

static bool
is_money(const sat_json *columns, const char *key)
{
	for (const sat_json *k = sat_json_first(columns); k != NULL;
	     k = sat_json_next(k))
		if (strcmp(sat_json_get_str(k, "key", ""), key) == 0)
			return strcmp(sat_json_get_str(k, "unit", ""),
			    "money") == 0;
	return false;
}

static void
cell_text(sat_buf *b, const sat_json *v, bool money)
{
	char text[32];

	if (sat_json_type(v) == SAT_J_INT && money) {
		sat_money_text(text, sat_json_int(v, 0));
		sat_buf_str(b, text);
	} else if (sat_json_type(v) == SAT_J_INT) {
		sat_buf_fmt(b, "%lld", (long long)sat_json_int(v, 0));
	} else {
		sat_buf_str(b, sat_json_get_str(v, "text", "—"));
	}
}

static void
row_text(sat_buf *b, const sat_json *columns, const sat_json *row)
{
	sat_buf_fmt(b, "%s %s", sat_json_get_str(row, "change", ""),
	    sat_json_get_str(row, "group", ""));
	for (const sat_json *m = sat_json_first(sat_json_get(row, "measures"));
	     m != NULL; m = sat_json_next(m)) {
		bool money = is_money(columns, sat_json_get_str(m, "key", ""));

		sat_buf_fmt(b, "  %s ", sat_json_get_str(m, "key", ""));
		cell_text(b, sat_json_get(m, "was"), money);
		sat_buf_str(b, " -> ");
		cell_text(b, sat_json_get(m, "now"), money);
	}
	sat_buf_str(b, "\n");
	for (const sat_json *r = sat_json_first(sat_json_get(row, "records"));
	     r != NULL; r = sat_json_next(r))
		record_text(b, r);
	if (sat_json_get_int(row, "more", 0) > 0)
		sat_buf_fmt(b, "  +%lld\n",
		    (long long)sat_json_get_int(row, "more", 0));
}

void
cli_delta_text(sat_buf *b, const cli *c, const sat_json *doc)
{
	const sat_json *f = sat_json_get(doc, "frozen");
	const sat_json *d = sat_json_get(doc, "delta");

	if (f == NULL)
		return;
	sat_buf_fmt(b, _("\nfrozen by %s, "),
	    sat_json_get_str(f, "by", "?"));
	cli_time_text(b, c, sat_json_get_str(f, "frozen_at", ""));
	sat_buf_fmt(b, _(" · hash %.16s%s\n"),
	    sat_json_get_str(f, "hash", ""),
	    sat_json_get_bool(f, "hash_ok", false) ? "" :
	    _(" (does not fit!)"));
	for (const sat_json *s = sat_json_first(sat_json_get(f, "signed"));
	     s != NULL; s = sat_json_next(s))
		sat_buf_fmt(b, _("signed by %s %s\n"),
		    sat_json_get_str(s, "by", "?"),
		    sat_json_get_str(s, "note", ""));
	if (sat_json_get(doc, "delta_reason") != NULL)
		sat_buf_str(b, _("the definition cannot be run here any more\n"));
	if (sat_json_type(d) != SAT_J_OBJ)
		return;
	if (!sat_json_get_bool(d, "comparable", false))
		sat_buf_str(b, _("the definition has other columns now\n"));
	else if (!sat_json_get_bool(d, "changed", false))
		sat_buf_str(b, _("nothing changed since\n"));
	else
		sat_buf_str(b, _("changed since:\n"));
	for (const sat_json *r = sat_json_first(sat_json_get(d, "rows"));
	     r != NULL; r = sat_json_next(r))
		row_text(b, sat_json_get(doc, "columns"), r);
}

/* ---- verbs ---- */

static sat_rc
answer(cli *c, const char *method, char *path, sat_json *body, sat_err *e)
{
	sat_json *doc = NULL;
	sat_rc rc = cli_ask(&doc, c, method, path, NULL, body, e);

	if (rc == SAT_OK)
		cli_print_report(c, doc);
	sat_json_free(doc);
	sat_json_free(body);
	free(path);
	return rc;
}

static sat_rc
run_freeze(cli *c, sat_err *e)
{
	sat_json *body;
	sat_rc rc = need_word(c, "report", e);

	if (rc != SAT_OK)
		return rc;
	if (sat_args_get(&c->args, "period") == NULL)
		return sat_fail_code(e, SAT_EUSAGE, "usage",
		    "for example --period 2026-05",
		    "say which period: --period P");
	body = sat_json_obj();
	put_option(body, c, "period", "period");
	put_params(body, c);
	return answer(c, "POST", sat_xasprintf("/v1/reports/%s/freeze",
	    c->args.arg[2]), body, e);
}

static sat_rc
run_show_frozen(cli *c, sat_err *e)
{
	sat_rc rc = need_word(c, "frozen report", e);

	return rc != SAT_OK ? rc : answer(c, "GET", sat_xasprintf(
	    "/v1/reports/frozen/%s", c->args.arg[2]), NULL, e);
}

static sat_rc
run_sign(cli *c, sat_err *e)
{
	sat_json *body;
	sat_rc rc = need_word(c, "frozen report", e);

	if (rc != SAT_OK)
		return rc;
	body = sat_json_obj();
	put_option(body, c, "note", "note");
	put_option(body, c, "review", "review");
	return answer(c, "POST", sat_xasprintf("/v1/reports/frozen/%s/sign",
	    c->args.arg[2]), body, e);
}

sat_rc
cli_frozen_list(cli *c, sat_err *e)
{
	static const cli_column cols[] = { { "id", "id", CELL_ID },
		{ "report", "report", CELL_WHOLE },
		{ "period", "period", CELL_WHOLE },
		{ "reach", "reach", CELL_PLAIN },
		{ "coverage", "coverage", CELL_PLAIN },
		{ "by", "by", CELL_PLAIN },
		{ "frozen_at", "frozen", CELL_TIME },
		{ "hash", "hash", CELL_PLAIN } };

	return cli_ask_list(c, "/v1/reports/frozen", cols,
	    sizeof cols / sizeof cols[0], NULL, e);
}

static sat_rc
run_rows(cli *c, sat_err *e)
{
	static const cli_column cols[] = { { "id", "id", CELL_ID },
		{ "record", "kind", CELL_WHOLE },
		{ "group", "group", CELL_PLAIN },
		{ "number", "number", CELL_WHOLE },
		{ "name", "name", CELL_PLAIN },
		{ "owner", "owner", CELL_PLAIN } };
	sat_json *q, *doc = NULL;
	char *path;
	sat_rc rc = need_word(c, "report", e);

	if (rc != SAT_OK)
		return rc;
	q = sat_json_obj();
	put_option(q, c, "period", "period");
	put_option(q, c, "as-of", "as_of");
	put_option(q, c, "group", "group");
	put_option(q, c, "measure", "measure");
	put_option(q, c, "limit", "limit");
	put_params(q, c);
	path = sat_xasprintf("/v1/reports/%s/rows", c->args.arg[2]);
	if ((rc = cli_ask(&doc, c, "GET", path, q, NULL, e)) == SAT_OK)
		cli_print_rows(c, doc, cols, sizeof cols / sizeof cols[0]);
	free(path);
	sat_json_free(q);
	sat_json_free(doc);
	return rc;
}

/* ---- two periods ---- */

static const sat_opt compare_options[] = {
	{ "baseline", 0, "A", "the period before the change" },
	{ "current", 0, "B", "the period after it" },
	{ "param", 0, "K=V", "filter, for example team=east" },
	{ NULL, 0, NULL, NULL },
};

static sat_rc
run_compare(cli *c, sat_err *e)
{
	sat_json *q, *doc = NULL;
	char *path;
	sat_rc rc = need_word(c, "report", e);

	if (rc != SAT_OK)
		return rc;
	if (sat_args_get(&c->args, "baseline") == NULL ||
	    sat_args_get(&c->args, "current") == NULL)
		return sat_fail_code(e, SAT_EUSAGE, "usage",
		    "for example --baseline 2026-Q1 --current 2026-Q3",
		    "name both periods: --baseline A --current B");
	q = sat_json_obj();
	put_option(q, c, "current", "period");
	put_option(q, c, "baseline", "compare");
	put_params(q, c);
	path = sat_xasprintf("/v1/reports/%s/run", c->args.arg[2]);
	if ((rc = cli_ask(&doc, c, "GET", path, q, NULL, e)) == SAT_OK)
		cli_print_report(c, doc);
	free(path);
	sat_json_free(q);
	sat_json_free(doc);
	return rc;
}

/* ---- reports that are made by themselves ---- */

static const sat_opt due_options[] = {
	{ "run", 0, NULL, "make them, once each" },
	{ "out", 0, "DIR", "also as files DIR/REPORT-PERIOD.xlsx" },
	{ NULL, 0, NULL, NULL },
};
static const sat_opt made_options[] = {
	{ "period", 0, "P", "the one of that period" },
	{ "output", 'o', "FILE", "file (- = stdout)" },
	{ NULL, 0, NULL, NULL },
};

static sat_rc
made_one(sat_json **doc, cli *c, const char *report, const char *period,
    sat_err *e)
{
	char *path = sat_xasprintf("/v1/reports/made/%s/%s", report, period);
	sat_rc rc = cli_ask(doc, c, "GET", path, NULL, NULL, e);

	free(path);
	return rc;
}

/* A plain file outside the encrypted replica is the user's choice. */
static sat_rc
write_files(cli *c, const sat_json *rows, const char *dir, const char *format,
    sat_err *e)
{
	sat_rc rc = SAT_OK;

	for (const sat_json *r = sat_json_first(rows); r != NULL &&
	     rc == SAT_OK; r = sat_json_next(r)) {
		const char *report = sat_json_get_str(r, "report", "");
		const char *period = sat_json_get_str(r, "period", "");
		char *to = sat_xasprintf("%s/%s-%s.%s", dir, report, period,
		    format);
		sat_json *doc = NULL;

		if ((rc = made_one(&doc, c, report, period, e)) == SAT_OK)
			rc = cli_report_file(c, doc, format, to, e);
		sat_json_free(doc);
		free(to);
	}
	return rc;
}

static sat_rc
run_due(cli *c, sat_err *e)
{
	static const cli_column cols[] = { { "report", "report", CELL_WHOLE },
		{ "period", "period", CELL_WHOLE },
		{ "schedule", "schedule", CELL_PLAIN },
		{ "title", "title", CELL_PLAIN },
		{ "made_at", "made", CELL_TIME } };
	const char *dir = sat_args_get(&c->args, "out");
	const char *format = sat_args_get(&c->args, "format");
	bool run = sat_args_has(&c->args, "run");
	sat_json *doc = NULL;
	sat_rc rc;

	if (dir != NULL && !run)
		return sat_fail_code(e, SAT_EUSAGE, "usage.option", NULL,
		    "--out needs --run");
	rc = cli_ask(&doc, c, run ? "POST" : "GET", "/v1/reports/due", NULL,
	    NULL, e);
	if (rc == SAT_OK && dir != NULL)
		rc = write_files(c, sat_json_get(doc, "data"), dir,
		    cli_report_is_file(format) ? format : "xlsx", e);
	if (rc == SAT_OK)
		cli_print_rows(c, doc, cols, sizeof cols / sizeof cols[0]);
	sat_json_free(doc);
	return rc;
}

static sat_rc
run_made(cli *c, sat_err *e)
{
	static const cli_column cols[] = { { "report", "report", CELL_WHOLE },
		{ "period", "period", CELL_WHOLE },
		{ "made_at", "made", CELL_TIME } };
	const char *period = sat_args_get(&c->args, "period");
	const char *format = sat_args_get(&c->args, "format");
	sat_json *doc = NULL, *q = NULL;
	sat_rc rc;

	if (period != NULL) {
		if ((rc = need_word(c, "report", e)) != SAT_OK ||
		    (rc = made_one(&doc, c, c->args.arg[2], period, e)) !=
		    SAT_OK)
			return rc;
		if (cli_report_is_file(format))
			rc = cli_report_file(c, doc, format,
			    sat_args_get(&c->args, "output"), e);
		else
			rc = cli_report_text(c, doc, e);
		sat_json_free(doc);
		return rc;
	}
	if (c->args.nargs > 2) {
		q = sat_json_obj();
		sat_json_put_str(q, "report", c->args.arg[2]);
	}
	rc = cli_ask(&doc, c, "GET", "/v1/reports/made", q, NULL, e);
	if (rc == SAT_OK)
		cli_print_rows(c, doc, cols, sizeof cols / sizeof cols[0]);
	sat_json_free(q);
	sat_json_free(doc);
	return rc;
}

const cli_verb cli_frozen_verbs[] = {
	{ "report", "compare", run_compare, compare_options,
	    "report compare KEY --baseline A --current B",
	    "one definition over two periods",
	    "  satchel report compare win-rate --baseline 2026-Q1 --current 2026-Q3\n",
	    false },
	{ "report", "due", run_due, due_options,
	    "report due [--run [--out DIR]]",
	    "scheduled reports whose period ended",
	    "  satchel report due --run --out ~/reports --format html\n", false },
	{ "report", "made", run_made, made_options,
	    "report made [KEY [--period P]]",
	    "scheduled reports that were made here", NULL, false },
	{ "report", "rows", run_rows, rows_options,
	    "report rows KEY [--period P] [--group KEY] [--measure M]",
	    "the records behind a report's numbers",
	    "  satchel report rows won --period 2026-05\n"
	    "  satchel report rows ranking-by-rep --period 2026-05 --group li.na\n",
	    false },
	{ "report", "freeze", run_freeze, freeze_options,
	    "report freeze KEY --period P [--param K=V]",
	    "freeze a period's numbers; what comes later is listed",
	    "  satchel report freeze won --period 2026-05\n", false },
	{ "report", "show-frozen", run_show_frozen, NULL,
	    "report show-frozen ID", "frozen numbers, and what came later",
	    NULL, false },
	{ "report", "sign", run_sign, sign_options,
	    "report sign ID [--note TEXT]", "sign a frozen report", NULL,
	    false },
};
const size_t cli_frozen_nverbs = sizeof cli_frozen_verbs /
    sizeof cli_frozen_verbs[0];
