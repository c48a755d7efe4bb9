/*
 * account | contact | activity | opportunity: list and show. One set of verbs
 * for every kind of the template; write.c has those that change something.
 */
#include "client/cli/cli_int.h"

#include <stdlib.h>
#include <string.h>

#define COLUMNS_MAX 64

const sat_opt cli_list_options[] = {
	{ "stage", 0, "KEY", "only this stage" },
	{ "grade", 0, "KEY", "only this grade" },
	{ "status", 0, "KEY", "only this status" },
	{ "owner", 0, "USER", "only this owner (me)" },
	{ "account", 0, "ID", "only under this customer" },
	{ "tag", 0, "TAG", "only with this tag" },
	{ "due", 0, "WHEN", "today, overdue, now, all; account: escalated" },
	{ "since", 0, "TIME", "only what happened, or was made, since: 7d" },
	{ "date", 0, "DAY", "visit: only of this day (today)" },
	{ "q", 0, "TEXT", "only what a search for it finds" },
	{ "where", 0, "EXPR", "for example: amount>=100000 and stage=\"won\"" },
	{ "view", 0, "VIEW", "what a saved view shows: satchel view list" },
	{ "sort", 0, "KEYS", "for example -amount,name" },
	{ "limit", 0, "N", "rows (50)" },
	{ "cursor", 0, "C", "where the last page ended" },
	{ "all", 0, NULL, "all rows" },
	{ "incomplete", 0, NULL, "only rows that lack a required field" },
	{ "pending", 0, NULL, "only rows that wait for the server" },
	{ "conflict", 0, NULL, "only rows with an open conflict" },
	{ "deleted", 0, NULL, "deleted rows" },
	{ "merged", 0, NULL, "rows that were merged into others" },
	{ "include", 0, "KINDS", "what belongs to each (--json): contacts,last_activity" },
	{ "labels", 0, NULL, "labels beside option keys (--json)" },
	{ NULL, 0, NULL, NULL },
};
const sat_opt cli_show_options[] = {
	{ "history", 0, "FIELD", "past values of a field (all = every field)" },
	{ "timeline", 0, NULL, "with everything under the customer" },
	{ "include", 0, "KINDS", "what belongs to it (--json): contacts,last_activity" },
	{ "labels", 0, NULL, "labels beside option keys (--json)" },
	{ NULL, 0, NULL, NULL },
};

/* ---- shared with write.c --------------------------------------------------------- */

static const sat_kind *
kind_of(const cli *c)
{
	const sat_template *t = cli_template(c);
	const char *noun = c->args.arg[0];

	if (strcmp(noun, "follow") == 0)
		noun = "activity";
	else if (strcmp(noun, "survey") == 0)
		noun = "response";
	return t != NULL ? sat_template_kind(t, noun) : NULL;
}

void
cli_note_options(cli *c, const sat_err *e)
{
	const sat_kind *k = kind_of(c);

	for (unsigned i = 0; k != NULL && i < e->nfields; i++)
		for (size_t n = 0; n < k->nfields; n++) {
			const sat_field *f = &k->fields[n];

			if (strcmp(f->key, e->fields[i].path) != 0)
				continue;
			if (f->type == SAT_F_USER)
				(void)snprintf(c->options[i],
				    sizeof c->options[i], "user list");
			else if (f->type == SAT_F_REF)
				(void)snprintf(c->options[i],
				    sizeof c->options[i], "%.40s list", f->ref);
			else if (f->dict != NULL)
				(void)snprintf(c->options[i],
				    sizeof c->options[i], "dict %.40s",
				    f->dict->name);
		}
}

char *
cli_record_path(const cli *c, const char *id, const char *tail)
{
	const sat_kind *k = kind_of(c);

	return sat_xasprintf("/v1/%s%s%s%s%s",
	    k != NULL ? k->plural : c->args.arg[0], id != NULL ? "/" : "",
	    id != NULL ? id : "", tail != NULL ? "/" : "",
	    tail != NULL ? tail : "");
}

sat_rc
cli_need_id(const cli *c, const char **id, sat_err *e)
{
	*id = c->args.nargs > 2 ? c->args.arg[2] : NULL;
	return *id != NULL ? SAT_OK
	                   : sat_fail_code(e, SAT_EUSAGE, "usage",
	                         "an id, a unique beginning of it, or a number",
	                         "name the record: satchel %s %s ID",
	                         c->args.arg[0], c->args.arg[1]);
}

static sat_rc
ask_id(sat_json **doc, cli *c, const char *method, const char *before,
    const char *after, sat_json *body, sat_err *e)
{
	const char *id;
	char *path;
	sat_rc rc = cli_need_id(c, &id, e);

	if (rc != SAT_OK)
		return rc;
	path = sat_xasprintf("%s%s%s", before, id, after);
	rc = cli_ask(doc, c, method, path, NULL, body, e);
	free(path);
	return rc;
}

sat_rc
cli_ask_id(sat_json **doc, cli *c, const char *before, const char *after,
    sat_err *e)
{
	return ask_id(doc, c, "GET", before, after, NULL, e);
}

sat_rc
cli_post_id(sat_json **doc, cli *c, const char *before, const char *after,
    sat_json *body, sat_err *e)
{
	return ask_id(doc, c, "POST", before, after, body, e);
}

void
cli_record_title(sat_buf *out, cli *c, const char *id)
{
	const sat_kind *k = kind_of(c);
	char *path = cli_record_path(c, id, NULL);
	sat_json *doc = NULL;
	sat_err e = { 0 };

	if (k != NULL && k->title != NULL &&
	    cli_ask(&doc, c, "GET", path, NULL, NULL, &e) == SAT_OK)
		sat_buf_str(out, sat_json_get_str(sat_json_get(doc, "data"),
		    k->title->key, ""));
	sat_json_free(doc);
	free(path);
}

/* ---- columns -------------------------------------------------------------------------- */

static cli_column
column_of(const cli *c, const sat_kind *k, const sat_field *f)
{
	cli_column col = { f->key, c->lang[0] == 'z' ? f->zh : f->en, CELL_PLAIN };

	switch (f->type) {
	case SAT_F_ENUM:
	case SAT_F_USER:
	case SAT_F_REF:
		col.as = CELL_LABEL;
		break;
	case SAT_F_MONEY:
		col.as = CELL_MONEY;
		break;
	case SAT_F_INT:
		col.as = CELL_NUMBER;
		break;
	case SAT_F_TIME:
		col.as = CELL_TIME;
		break;
	case SAT_F_PHONE:
	case SAT_F_DATE:
		col.as = CELL_WHOLE;
		break;
	default:
		if (k->number_prefix != NULL && strcmp(f->key, "number") == 0)
			col.as = CELL_WHOLE;
		break;
	}
	return col;
}

/* --fields: of the kind, or of every record. `names` keeps the words alive. */
static sat_rc
chosen(cli_column *cols, size_t *n, char *names, const cli *c, const sat_kind *k,
    sat_err *e)
{
	static const cli_column common[] = { { "id", "id", CELL_ID },
		{ "version", "version", CELL_WHOLE },
		{ "pending", "pending", CELL_PLAIN },
		{ "incomplete", "incomplete", CELL_PLAIN },
		{ "conflict", "conflict", CELL_PLAIN },
		{ "deleted", "deleted", CELL_PLAIN },
		{ "created", "created", CELL_TIME } };
	char *s, *next;

	for (s = names; *s != '\0' && *n < COLUMNS_MAX; s = next) {
		size_t i = 0, len = strcspn(s, ",");
		const sat_field *f;

		next = s + len + (s[len] == ',');
		s[len] = '\0';
		f = sat_kind_field(k, s);
		while (f == NULL && i < 7 && strcmp(common[i].key, s) != 0)
			i++;
		if (f == NULL && i == 7)
			return sat_fail_code(e, SAT_EUSAGE, "usage.field",
			    "see: satchel schema KIND",
			    "%s has no field \"%.40s\"", k->key, s);
		cols[(*n)++] = f != NULL ? column_of(c, k, f) : common[i];
	}
	return SAT_OK;
}

/* Columns: --fields, else the view's, else the template's list, in the person's
 * language. */
static sat_rc
columns_of(cli_column *cols, size_t *n, char **names, cli *c,
    const sat_kind *k, sat_err *e)
{
	const char *fields = sat_args_get(&c->args, "fields");

	*n = 0;
	*names = NULL;
	if (k == NULL)
		return sat_fail_code(e, SAT_ENOREPLICA, "not_synced",
		    "run: satchel sync", "this replica has not been synced yet");
	if (fields != NULL && fields[0] == '\0')
		return sat_fail_code(e, SAT_EUSAGE, "usage.field",
		    "see: satchel schema KIND", "--fields names no field");
	if (fields != NULL) {
		*names = sat_xstrdup(fields);
		return chosen(cols, n, *names, c, k, e);
	}
	if (sat_args_get(&c->args, "view") != NULL &&
	    (*names = cli_view_fields(c, k)) != NULL)
		return chosen(cols, n, *names, c, k, e);
	/* a person names a numbered record by its number */
	if (k->number_prefix == NULL || cli_format_of(c) != FMT_TABLE)
		cols[(*n)++] = (cli_column){ "id", "id", CELL_ID };
	for (size_t i = 0; i < k->nlist && *n < COLUMNS_MAX; i++) {
		const sat_field *f = sat_kind_field(k, k->list[i]);

		if (f != NULL)
			cols[(*n)++] = column_of(c, k, f);
	}
	return SAT_OK;
}

/* ---- list ------------------------------------------------------------------------------- */

static sat_json *
list_query(const cli *c)
{
	sat_json *q = sat_json_obj();

	for (const sat_opt *o = cli_list_options; o->name != NULL; o++) {
		const char *v = sat_args_get(&c->args, o->name);

		if (v != NULL && strcmp(o->name, "labels") != 0)
			sat_json_put_str(q, o->name, o->value != NULL ? v : "1");
	}
	if (sat_args_has(&c->args, "labels") || cli_format_of(c) == FMT_TABLE)
		sat_json_put_str(q, "labels", "1");
	if (cli_is_json(c) && sat_args_has(&c->args, "fields"))
		sat_json_put_str(q, "fields", sat_args_get(&c->args, "fields"));
	if (sat_args_has(&c->args, "as-of"))
		sat_json_put_str(q, "as_of", sat_args_get(&c->args, "as-of"));
	if (!sat_args_has(&c->args, "limit") && !sat_args_has(&c->args, "all") &&
	    cli_config(c, "list.limit") != NULL)
		sat_json_put_str(q, "limit", cli_config(c, "list.limit"));
	return q;
}

sat_rc
cli_list(cli *c, sat_err *e)
{
	cli_column cols[COLUMNS_MAX];
	char *path, *names;
	sat_json *q, *doc = NULL;
	size_t n, shown;
	sat_rc rc;

	if (sat_args_has(&c->args, "due")) /* has columns of its own */
		return strcmp(c->args.arg[0], "account") == 0
		    ? cli_worklist(c, e)
		    : strcmp(c->args.arg[0], "task") == 0 ? cli_task_due(c, e)
		    : sat_fail_code(e, SAT_EUSAGE, "usage.option", NULL,
		          "--due belongs to account list and task list");
	path = cli_record_path(c, NULL, NULL);
	q = list_query(c);
	rc = columns_of(cols, &n, &names, c, kind_of(c), e);
	if (rc == SAT_OK)
		rc = cli_ask(&doc, c, "GET", path, q, NULL, e);
	if (rc == SAT_OK) {
		const sat_json *page = sat_json_get(doc, "page");

		shown = sat_json_count(sat_json_get(doc, "data"));
		if (shown > 0 || cli_format_of(c) != FMT_TABLE)
			cli_print_rows(c, doc, cols, n);
		else
			cli_say(c, "none\n");
		cli_view_notes(c, doc);
		if (sat_json_count(sat_json_get(doc, "unknown")) > 0)
			cli_say(c, "what is empty may have had a value then: this "
			    "device does not have the whole past\n");
		if (cli_format_of(c) == FMT_TABLE &&
		    sat_json_get_str(page, "next", NULL) != NULL)
			cli_say(c, "%zu of %lld; --limit N or --all for more\n",
			    shown, (long long)sat_json_get_int(page, "total", 0));
	}
	sat_json_free(q);
	sat_json_free(doc);
	free(names);
	free(path);
	return rc;
}

/* ---- show ------------------------------------------------------------------------------- */

static void
print_line(cli *c, const char *name, size_t width, const char *text)
{
	cli_pad(&c->out, name, width, false);
	sat_buf_fmt(&c->out, "  %s\n", text);
}

/* What a person should know before he reads the values. */
static void
print_flags(cli *c, const sat_json *data, size_t width)
{
	static const char *const keys[] = { "incomplete", "pending", "conflict",
		"deleted", "provisional", "late" };
	static const char *const words[] = { N_("lacks a required field"),
		N_("waits for the server"), N_("has an open conflict"),
		N_("deleted"), N_("its number is provisional"),
		N_("was written down late") };
	sat_buf b = { 0 };

	for (size_t i = 0; i < 6; i++)
		if (sat_json_get_bool(data, keys[i], false))
			sat_buf_fmt(&b, "%s%s", b.n > 0 ? ", " : "",
			    sat_text(words[i]));
	if (b.n > 0)
		print_line(c, "!", width, sat_buf_cstr(&b));
	sat_buf_fini(&b);
}

/* On a terminal: names and labels of the template; nothing about empty fields. */
static void
print_record(cli *c, const sat_kind *k, const sat_json *data)
{
	size_t width = 2, w;
	sat_buf b = { 0 };

	for (size_t i = 0; i < k->nfields; i++) {
		w = cli_width(c->lang[0] == 'z' ? k->fields[i].zh
		                                : k->fields[i].en);
		width = w > width ? w : width;
	}
	print_line(c, "id", width, sat_json_get_str(data, "id", ""));
	print_flags(c, data, width);
	for (size_t i = 0; i < k->nfields; i++) {
		cli_column col = column_of(c, k, &k->fields[i]);

		cli_cell_text(&b, c, data, &col, true);
		if (b.n > 0)
			print_line(c, col.title, width, sat_buf_cstr(&b));
	}
	sat_buf_fini(&b);
}

/* The record, then what lies under it, kind by kind. */
static sat_rc
print_timeline(cli *c, const sat_kind *k, const sat_json *doc, sat_err *e)
{
	const sat_template *t = cli_template(c);
	cli_column cols[COLUMNS_MAX];
	char *names;
	size_t n;
	sat_rc rc = SAT_OK;

	print_record(c, k, sat_json_get(doc, "data"));
	for (const sat_json *u = sat_json_first(sat_json_get(doc, "under"));
	     u != NULL && rc == SAT_OK; u = sat_json_next(u)) {
		const sat_kind *under = sat_template_kind(t, sat_json_key(u));
		sat_json *rows;

		if (under == NULL || sat_json_count(u) == 0)
			continue;
		rows = sat_json_obj();
		sat_json_put(rows, "data", sat_json_dup(u));
		sat_buf_fmt(&c->out, "\n%s%s (%zu)%s\n", c->color ? "\033[1m" : "",
		    c->lang[0] == 'z' ? under->zh : under->en,
		    sat_json_count(u), c->color ? "\033[0m" : "");
		if ((rc = columns_of(cols, &n, &names, c, under, e)) == SAT_OK)
			cli_print_rows(c, rows, cols, n);
		sat_json_free(rows);
		free(names);
	}
	return rc;
}

static void
print_history(cli *c, const sat_json *doc)
{
	static const cli_column past[] = { { "field", "field", CELL_WHOLE },
		{ "value", "value", CELL_PLAIN },
		{ "current", "current", CELL_PLAIN }, { "at", "at", CELL_TIME },
		{ "user", "by", CELL_PLAIN }, { "device", "device", CELL_NUMBER } };

	cli_print_rows(c, doc, past, 6);
}

/* What was merged into it. */
static void
print_merged(cli *c, const sat_json *doc)
{
	const sat_json *list = sat_json_get(doc, "merged");

	for (const sat_json *m = sat_json_first(list); m != NULL;
	     m = sat_json_next(m))
		sat_buf_fmt(&c->out, _("merged: %s %s (%s)\n"),
		    sat_json_get_str(m, "number", ""),
		    sat_json_get_str(m, "title", ""),
		    sat_json_get_str(m, "owner", "-"));
	if (sat_json_get_bool(doc, "owners_differ", false))
		sat_buf_str(&c->out, _("two owners: satchel account assign\n"));
}

/* --fields, or --format csv: a row under its heads, as a list has it. */
static sat_rc
print_as_row(cli *c, const sat_kind *k, const sat_json *doc, sat_err *e)
{
	cli_column cols[COLUMNS_MAX];
	char *names = NULL;
	sat_json *rows;
	size_t n = 0;
	sat_rc rc = SAT_OK;

	if (sat_args_has(&c->args, "fields")) {
		rc = columns_of(cols, &n, &names, c, k, e);
	} else {
		cols[n++] = (cli_column){ "id", "id", CELL_ID };
		for (size_t i = 0; i < k->nfields && n < COLUMNS_MAX; i++)
			cols[n++] = column_of(c, k, &k->fields[i]);
	}
	if (rc == SAT_OK) {
		rows = sat_json_obj();
		sat_json_add(sat_json_put_arr(rows, "data"),
		    sat_json_dup(sat_json_get(doc, "data")));
		cli_print_rows(c, rows, cols, n);
		sat_json_free(rows);
	}
	free(names);
	return rc;
}

sat_rc
cli_show(cli *c, sat_err *e)
{
	const char *history = sat_args_get(&c->args, "history"), *id;
	bool timeline = sat_args_has(&c->args, "timeline");
	bool table = cli_format_of(c) == FMT_TABLE;
	const sat_kind *k = kind_of(c);
	sat_json *q = sat_json_obj(), *doc = NULL;
	char *path = NULL;
	sat_rc rc = cli_need_id(c, &id, e);

	if (rc == SAT_OK && (history != NULL || timeline) &&
	    sat_args_has(&c->args, "as-of"))
		rc = sat_fail_code(e, SAT_EUSAGE, "usage.option", NULL,
		    "--as-of shows the record alone");
	if (rc == SAT_OK) {
		path = cli_record_path(c, id, history != NULL ? "history"
		        : timeline                            ? "timeline"
		                                              : NULL);
		if (history != NULL && strcmp(history, "all") != 0)
			sat_json_put_str(q, "field", history);
		if (sat_args_has(&c->args, "labels") || table)
			sat_json_put_str(q, "labels", "1");
		if (sat_args_has(&c->args, "include"))
			sat_json_put_str(q, "include",
			    sat_args_get(&c->args, "include"));
		if (sat_args_has(&c->args, "as-of"))
			sat_json_put_str(q, "as_of",
			    sat_args_get(&c->args, "as-of"));
		if (history == NULL && !timeline &&
		    sat_args_has(&c->args, "fields"))
			sat_json_put_str(q, "fields",
			    sat_args_get(&c->args, "fields"));
		rc = cli_ask(&doc, c, "GET", path, q, NULL, e);
	}
	if (rc == SAT_OK && history != NULL)
		print_history(c, doc);
	else if (rc == SAT_OK && timeline && table && k != NULL)
		rc = print_timeline(c, k, doc, e);
	else if (rc == SAT_OK && !timeline && k != NULL && !cli_is_json(c) &&
	    (sat_args_has(&c->args, "fields") || c->format == FMT_CSV))
		rc = print_as_row(c, k, doc, e);
	else if (rc == SAT_OK && table && k != NULL) {
		print_record(c, k, sat_json_get(doc, "data"));
		print_merged(c, doc);
		if (sat_json_count(sat_json_get(doc, "unknown")) > 0)
			cli_say(c, "what is empty may have had a value then: this "
			    "device does not have the whole past\n");
	}
	else if (rc == SAT_OK && timeline)
		cli_print_json(c, doc); /* a tree has no rows */
	else if (rc == SAT_OK)
		cli_print_object(c, doc);
	sat_json_free(q);
	sat_json_free(doc);
	free(path);
	return rc;
}
