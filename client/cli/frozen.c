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

/* ---- the delta ---------------------------------------------------------------- */

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
	bool zh = c->lang[0] == 'z';

	if (f == NULL)
		return;
	sat_buf_fmt(b, zh ? "\n%s 于 " : "\nfrozen by %s, ",
	    sat_json_get_str(f, "by", "?"));
	cli_time_text(b, c, sat_json_get_str(f, "frozen_at", ""));
	sat_buf_fmt(b, zh ? " 冻结 · 校验值 %.16s%s\n" : " · hash %.16s%s\n",
	    sat_json_get_str(f, "hash", ""),
	    sat_json_get_bool(f, "hash_ok", false) ? "" :
	    zh ? "（不符！）" : " (does not fit!)");
	for (const sat_json *s = sat_json_first(sat_json_get(f, "signed"));
	     s != NULL; s = sat_json_next(s))
		sat_buf_fmt(b, zh ? "签核：%s %s\n" : "signed by %s %s\n",
		    sat_json_get_str(s, "by", "?"),
		    sat_json_get_str(s, "note", ""));
	if (sat_json_type(d) != SAT_J_OBJ)
		return;
	if (!sat_json_get_bool(d, "comparable", false))
		sat_buf_str(b, zh ? "报表定义已改变，无法比较\n" :
		    "the definition has other columns now\n");
	else if (!sat_json_get_bool(d, "changed", false))
		sat_buf_str(b, zh ? "此后没有变化\n" : "nothing changed since\n");
	else
		sat_buf_str(b, zh ? "此后的变化：\n" : "changed since:\n");
	for (const sat_json *r = sat_json_first(sat_json_get(d, "rows"));
	     r != NULL; r = sat_json_next(r))
		row_text(b, sat_json_get(doc, "columns"), r);
}

/* ---- verbs ------------------------------------------------------------------------ */

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
	sat_json *doc = NULL;
	sat_rc rc = cli_ask(&doc, c, "GET", "/v1/reports/frozen", NULL, NULL,
	    e);

	if (rc == SAT_OK)
		cli_print_rows(c, doc, cols, sizeof cols / sizeof cols[0]);
	sat_json_free(doc);
	return rc;
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

const cli_verb cli_frozen_verbs[] = {
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
