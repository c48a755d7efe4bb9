/*
 * Where a report's numbers come from and how complete they are, in lines for a
 * person: they stand above the table, in a page, and below the rows of a book.
 */
#include "client/cli/cli_int.h"

static void
state_text(sat_buf *b, const sat_json *doc)
{
	if (sat_json_get(doc, "frozen") != NULL)
		sat_buf_str(b, _("frozen"));
	else if (sat_json_get_bool(doc, "provisional", true))
		sat_buf_str(b, _("provisional"));
	else
		sat_buf_str(b, _("complete"));
}

void
cli_coverage_text(sat_buf *b, const cli *c, const sat_json *doc)
{
	const sat_json *cover = sat_json_get(doc, "coverage");
	const char *known = sat_json_get_str(cover, "known_at", NULL);

	if (sat_json_type(cover) != SAT_J_OBJ) {
		sat_buf_fmt(b, _("coverage: %s · "),
		    sat_json_get_str(doc, "coverage_reason", "—"));
		state_text(b, doc);
		return;
	}
	sat_buf_fmt(b, _("coverage %s%% (%lld of %lld devices reported past the end"),
	    sat_json_get_str(cover, "percent", "—"),
	    (long long)sat_json_get_int(cover, "reported", 0),
	    (long long)sat_json_get_int(cover, "active", 0));
	if (known != NULL) {
		sat_buf_str(b, _(", as known "));
		cli_time_text(b, c, known);
	}
	known = sat_json_get_str(cover, "watermark", NULL);
	if (known != NULL) {
		sat_buf_str(b, _(", the earliest until "));
		cli_time_text(b, c, known);
	}
	sat_buf_str(b, _(") · "));
	state_text(b, doc);
}

static bool
hash_text(sat_buf *b, const sat_json *doc)
{
	const sat_json *f = sat_json_get(doc, "frozen");
	const char *id = sat_json_get_str(doc, "frozen_id", NULL);

	if (id != NULL)
		sat_buf_fmt(b, _("the numbers of this period are frozen: %s"), id);
	if (f == NULL)
		return id != NULL;
	sat_buf_fmt(b, _("frozen by %s · hash %s"),
	    sat_json_get_str(f, "by", "?"), sat_json_get_str(f, "hash", ""));
	for (const sat_json *s = sat_json_first(sat_json_get(f, "signed"));
	     s != NULL; s = sat_json_next(s))
		sat_buf_fmt(b, _(" · signed by %s"),
		    sat_json_get_str(s, "by", "?"));
	if (sat_json_get_bool(sat_json_get(doc, "delta"), "changed", false))
		sat_buf_str(b, _(" · changed since"));
	return true;
}

bool
cli_origin_text(sat_buf *b, const cli *c, const sat_json *doc, int line)
{

	switch (line) {
	case 0:
		sat_buf_fmt(b, _("%s · period %s · as of "), sat_json_get_str(sat_json_get(
		    doc, "report"), "key", ""), sat_json_get_str(sat_json_get(
		    doc, "period"), "label", ""));
		cli_time_text(b, c, sat_json_get_str(doc, "as_of", ""));
		sat_buf_fmt(b, _(" %s · template %s"),
		    sat_json_get_str(doc, "tz", ""),
		    sat_json_get_str(doc, "template", ""));
		return true;
	case 1:
		cli_coverage_text(b, c, doc);
		return true;
	case 2: return hash_text(b, doc);
	default: return false;
	}
}
