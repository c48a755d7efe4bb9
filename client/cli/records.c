/*
 * account | contact | activity | opportunity: list, show, add, edit, delete,
 * restore, stage, assign, tag. One set of verbs for every kind of the template.
 */
#include "client/cli/cli_int.h"

#include <stdlib.h>
#include <string.h>

static const sat_opt list_options[] = {
	{ "stage", 0, "KEY", "only this stage" },
	{ "grade", 0, "KEY", "only this grade" },
	{ "status", 0, "KEY", "only this status" },
	{ "owner", 0, "USER", "only this owner (me)" },
	{ "account", 0, "ID", "only under this customer" },
	{ "tag", 0, "TAG", "only with this tag" },
	{ "q", 0, "TEXT", "text search" },
	{ "where", 0, "EXPR", "for example: amount>=100000 and stage=\"won\"" },
	{ "sort", 0, "KEYS", "for example -amount,name" },
	{ "limit", 0, "N", "rows (50)" },
	{ "cursor", 0, "C", "where the last page ended" },
	{ "all", 0, NULL, "all rows" },
	{ "incomplete", 0, NULL, "only rows that lack a required field" },
	{ "pending", 0, NULL, "only rows that wait for the server" },
	{ "conflict", 0, NULL, "only rows with an open conflict" },
	{ "deleted", 0, NULL, "deleted rows" },
	{ "labels", 0, NULL, "labels beside option keys (--json)" },
	{ NULL, 0, NULL, NULL },
};
static const sat_opt show_options[] = {
	{ "history", 0, "FIELD", "past values of a field (all = every field)" },
	{ "timeline", 0, NULL, "with everything under the customer" },
	{ "labels", 0, NULL, "labels beside option keys (--json)" },
	{ NULL, 0, NULL, NULL },
};
static const sat_opt write_options[] = {
	{ "set", 's', "K=V", "set a field" },
	{ "unset", 0, "K", "clear a field" },
	{ "add", 0, "K=V", "add to a set or a counter" },
	{ "remove", 0, "K=V", "take out of a set" },
	{ "from", 0, "FILE", "fields from a JSON object (- = stdin)" },
	{ "allow-duplicate", 0, "REASON", "create it although a duplicate is known" },
	{ "if-version", 0, "V", "only if the record is at this version" },
	{ "incomplete", 0, "refuse|flag", "what missing required fields do" },
	{ "validate", 0, NULL, "judge only, write nothing" },
	{ "to", 0, "USER", "assign: the new owner" },
	{ "reason", 0, "TEXT", "stage: why" },
	{ "method", 0, "M", "activity: phone, visit, email, wechat, meeting" },
	{ "points", 0, "TEXT", "activity: what was said" },
	{ "at", 0, "TIME", "activity: when it happened (now)" },
	{ "next-at", 0, "TIME", "activity: when to follow up" },
	{ "won", 0, NULL, "close: the deal is won" },
	{ "lost", 0, "REASON", "close: the deal is lost" },
	{ NULL, 0, NULL, NULL },
};

/* "/v1/accounts/<id>/<tail>" */
static char *
path_of(const cli *c, const char *id, const char *tail)
{
	const char *noun = c->args.arg[0];
	const sat_template *t = sat_replica_template(c->api.crm.replica);
	const sat_kind *k;

	if (strcmp(noun, "follow") == 0)
		noun = "activity";
	k = t != NULL ? sat_template_kind(t, noun) : NULL;
	return sat_xasprintf("/v1/%s%s%s%s%s", k != NULL ? k->plural : noun,
	    id != NULL ? "/" : "", id != NULL ? id : "",
	    tail != NULL ? "/" : "", tail != NULL ? tail : "");
}

static sat_rc
need_id(const cli *c, const char **id, sat_err *e)
{
	*id = c->args.nargs > 2 ? c->args.arg[2] : NULL;
	return *id != NULL ? SAT_OK
	                   : sat_fail_code(e, SAT_EUSAGE, "usage",
	                         "an id, a unique beginning of it, or a number",
	                         "name the record: satchel %s %s ID",
	                         c->args.arg[0], c->args.arg[1]);
}

static void
query_flags(sat_json *q, const cli *c, const sat_opt *table)
{
	for (const sat_opt *o = table; o->name != NULL; o++) {
		const char *v = sat_args_get(&c->args, o->name);

		if (v != NULL)
			sat_json_put_str(q, o->name, o->value != NULL ? v : "1");
	}
}

/* Columns: --fields, else the template's list, in the person's language. */
static size_t
columns_of(cli_column **cols, cli *c)
{
	const sat_template *t = sat_replica_template(c->api.crm.replica);
	const char *noun = strcmp(c->args.arg[0], "follow") == 0 ? "activity"
	                                                         : c->args.arg[0];
	const sat_kind *k = t != NULL ? sat_template_kind(t, noun) : NULL;
	const char *fields = sat_args_get(&c->args, "fields");
	size_t n = 0, max = 64;

	*cols = sat_xcalloc(max, sizeof **cols);
	if (fields != NULL) {
		char *copy = sat_xstrdup(fields), *s = copy; /* lives on */

		while (*s != '\0' && n < max) {
			size_t len = strcspn(s, ",");
			bool end = s[len] == '\0';

			s[len] = '\0';
			(*cols)[n].key = (*cols)[n].title = s;
			n++;
			s += len + !end;
		}
		return n;
	}
	(*cols)[n].key = (*cols)[n].title = "id";
	n++;
	for (size_t i = 0; k != NULL && i < k->nlist && n < max; i++) {
		const sat_field *f = sat_kind_field(k, k->list[i]);

		if (f == NULL)
			continue;
		(*cols)[n].key = f->key;
		(*cols)[n].title = c->lang[0] == 'z' ? f->zh : f->en;
		n++;
	}
	return n;
}

static sat_rc
run_list(cli *c, sat_err *e)
{
	sat_json *q = sat_json_obj(), *doc = NULL;
	char *path = path_of(c, NULL, NULL);
	cli_column *cols = NULL;
	sat_rc rc;

	query_flags(q, c, list_options);
	rc = cli_ask(&doc, c, "GET", path, q, NULL, e);
	if (rc == SAT_OK) {
		size_t n = columns_of(&cols, c);
		const sat_json *page = sat_json_get(doc, "page");

		cli_print_rows(c, doc, cols, n);
		if (c->tty_out && sat_json_get_str(page, "next", NULL) != NULL)
			cli_say(c, "%lld of %lld; --limit N or --all for more\n",
			    (long long)sat_json_count(sat_json_get(doc, "data")),
			    (long long)sat_json_get_int(page, "total", 0));
	}
	sat_json_free(q);
	sat_json_free(doc);
	free(path);
	free(cols);
	return rc;
}

static sat_rc
run_show(cli *c, sat_err *e)
{
	static const cli_column past[] = { { "field", "field" },
		{ "value", "value" }, { "current", "current" }, { "at", "at" },
		{ "user", "by" }, { "device", "device" } };
	const char *history = sat_args_get(&c->args, "history"), *id;
	bool timeline = sat_args_has(&c->args, "timeline");
	sat_json *q = sat_json_obj(), *doc = NULL;
	char *path = NULL;
	sat_rc rc = need_id(c, &id, e);

	if (rc == SAT_OK) {
		path = path_of(c, id, history != NULL ? "history"
		        : timeline                    ? "timeline"
		                                      : NULL);
		if (history != NULL && strcmp(history, "all") != 0)
			sat_json_put_str(q, "field", history);
		if (sat_args_has(&c->args, "labels"))
			sat_json_put_str(q, "labels", "1");
		rc = cli_ask(&doc, c, "GET", path, q, NULL, e);
	}
	if (rc == SAT_OK && history != NULL)
		cli_print_rows(c, doc, past, 6);
	else if (rc == SAT_OK && timeline)
		sat_json_write(&c->out, doc, true);
	else if (rc == SAT_OK)
		cli_print_object(c, doc);
	sat_json_free(q);
	sat_json_free(doc);
	free(path);
	return rc;
}

/* K=V into the body; sets are arrays or {"$add":[],"$remove":[]}. */
static sat_rc
pair(sat_json *body, const char *text, const char *into, sat_err *e)
{
	const char *eq = strchr(text, '=');
	char key[64];
	sat_json *v;

	if (eq == NULL || eq == text || (size_t)(eq - text) >= sizeof key)
		return sat_fail_code(e, SAT_EUSAGE, "usage.pair",
		    "for example --set phone_main=13812345678",
		    "\"%s\" is not FIELD=VALUE", text);
	(void)snprintf(key, sizeof key, "%.*s", (int)(eq - text), text);
	if (into == NULL) {
		sat_json_del(body, key);
		sat_json_put_str(body, key, eq + 1);
		return SAT_OK;
	}
	v = sat_json_obj();
	if (sat_json_get(body, key) != NULL) {
		sat_json_free(v);
		v = sat_json_dup(sat_json_get(body, key));
	}
	if (sat_json_get(v, into) == NULL)
		(void)sat_json_put_arr(v, into);
	{
		sat_json *list = sat_json_dup(sat_json_get(v, into));

		sat_json_add_str(list, eq + 1);
		sat_json_set(v, into, list);
	}
	if (sat_json_get(body, key) != NULL)
		sat_json_set(body, key, v);
	else
		sat_json_put(body, key, v);
	return SAT_OK;
}

static sat_rc
body_from(sat_json **body, const char *path, sat_err *e)
{
	FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	uint8_t *p = sat_xmalloc(1024 * 1024);
	size_t n = 0;
	sat_rc rc;

	if (f != NULL)
		n = fread(p, 1, 1024 * 1024, f);
	if (f != NULL && f != stdin)
		(void)fclose(f);
	rc = f == NULL ? sat_fail(e, SAT_ENOTFOUND, "cannot read %s", path)
	               : sat_json_parse(body, sat_span_of(p, n), 0, e);
	free(p);
	return rc;
}

static sat_rc
body_of(sat_json **body, const cli *c, sat_err *e)
{
	const char *from = sat_args_get(&c->args, "from"), *v;
	size_t i = 0;
	sat_rc rc = SAT_OK;

	*body = NULL;
	if (from != NULL)
		rc = body_from(body, from, e);
	else
		*body = sat_json_obj();
	while (rc == SAT_OK && (v = sat_args_next(&c->args, "set", &i)) != NULL)
		rc = pair(*body, v, NULL, e);
	for (i = 0; rc == SAT_OK &&
	     (v = sat_args_next(&c->args, "unset", &i)) != NULL;)
		sat_json_put_null(*body, v);
	for (i = 0; rc == SAT_OK &&
	     (v = sat_args_next(&c->args, "add", &i)) != NULL;)
		rc = pair(*body, v, "$add", e);
	for (i = 0; rc == SAT_OK &&
	     (v = sat_args_next(&c->args, "remove", &i)) != NULL;)
		rc = pair(*body, v, "$remove", e);
	return rc;
}

static void
write_query(sat_json *q, const cli *c)
{
	const char *dup = sat_args_get(&c->args, "allow-duplicate");
	const char *version = sat_args_get(&c->args, "if-version");
	const char *incomplete = sat_args_get(&c->args, "incomplete");

	if (dup != NULL) {
		sat_json_put_str(q, "duplicate", "allow");
		sat_json_put_str(q, "reason", dup);
	}
	if (version != NULL)
		sat_json_put_str(q, "if_version", version);
	if (incomplete != NULL)
		sat_json_put_str(q, "incomplete", incomplete);
	if (sat_args_has(&c->args, "validate"))
		sat_json_put_str(q, "validate", "only");
}

/* On success: the record with --json, else its id alone. */
static void
print_written(cli *c, const sat_json *doc)
{
	const sat_json *data = sat_json_get(doc, "data");

	if (c->format == FMT_JSON || c->format == FMT_JSONL)
		cli_print_object(c, doc);
	else if (data != NULL)
		sat_buf_fmt(&c->out, "%s\n", sat_json_get_str(data, "id", ""));
}

static sat_rc
send(cli *c, const char *method, const char *id, const char *tail,
    sat_json *body, sat_err *e)
{
	sat_json *q = sat_json_obj(), *doc = NULL;
	char *path = path_of(c, id, tail);
	sat_rc rc;

	write_query(q, c);
	rc = cli_ask(&doc, c, method, path, q, body, e);
	if (rc == SAT_OK)
		print_written(c, doc);
	sat_json_free(q);
	sat_json_free(doc);
	free(path);
	return rc;
}

static sat_rc
run_add(cli *c, sat_err *e)
{
	sat_json *body = NULL;
	sat_rc rc = body_of(&body, c, e);

	if (rc == SAT_OK && c->args.nargs > 2) /* contact add ACCOUNT */
		sat_json_put_str(body, "account", c->args.arg[2]);
	if (rc == SAT_OK)
		rc = send(c, "POST", NULL, NULL, body, e);
	sat_json_free(body);
	return rc;
}

static sat_rc
run_activity_add(cli *c, sat_err *e)
{
	static const struct {
		const char *flag, *field;
	} map[] = { { "method", "method" }, { "points", "points" },
		{ "at", "occurred_at" }, { "next-at", "next_at" } };
	sat_json *body = NULL;
	sat_rc rc = body_of(&body, c, e);

	if (rc == SAT_OK && c->args.nargs > 2)
		sat_json_put_str(body, "account", c->args.arg[2]);
	for (size_t i = 0; rc == SAT_OK && i < 4; i++) {
		const char *v = sat_args_get(&c->args, map[i].flag);

		if (v != NULL)
			sat_json_put_str(body, map[i].field, v);
	}
	if (rc == SAT_OK)
		rc = send(c, "POST", NULL, NULL, body, e);
	sat_json_free(body);
	return rc;
}

static sat_rc
run_edit(cli *c, sat_err *e)
{
	sat_json *body = NULL;
	const char *id;
	sat_rc rc = need_id(c, &id, e);

	if (rc == SAT_OK && (rc = body_of(&body, c, e)) == SAT_OK)
		rc = send(c, "PATCH", id, NULL, body, e);
	sat_json_free(body);
	return rc;
}

static sat_rc
run_delete(cli *c, sat_err *e)
{
	const char *id;
	sat_rc rc = need_id(c, &id, e);

	if (rc == SAT_OK && !c->yes) {
		char answer[8] = "";

		if (c->no_input || !c->tty_err)
			return sat_fail_code(e, SAT_EUSAGE, "usage.confirm",
			    "repeat with --yes", "deleting needs a confirmation");
		(void)fprintf(stderr, "Delete %s? [y/N] ", id);
		if (fgets(answer, sizeof answer, stdin) == NULL ||
		    (answer[0] != 'y' && answer[0] != 'Y'))
			return sat_fail(e, SAT_EFAIL, "not deleted");
	}
	return rc == SAT_OK ? send(c, "DELETE", id, NULL, NULL, e) : rc;
}

static sat_rc
run_restore(cli *c, sat_err *e)
{
	const char *id;
	sat_rc rc = need_id(c, &id, e);

	return rc == SAT_OK ? send(c, "POST", id, "restore", NULL, e) : rc;
}

static sat_rc
stage_to(cli *c, const char *id, const char *stage, const char *reason,
    sat_err *e)
{
	sat_json *body = sat_json_obj();
	sat_rc rc;

	sat_json_put_str(body, "stage", stage);
	if (reason != NULL)
		sat_json_put_str(body, "reason", reason);
	rc = send(c, "POST", id, "stage", body, e);
	sat_json_free(body);
	return rc;
}

static sat_rc
run_stage(cli *c, sat_err *e)
{
	const char *id;
	sat_rc rc = need_id(c, &id, e);

	if (rc == SAT_OK && c->args.nargs < 4)
		rc = sat_fail_code(e, SAT_EUSAGE, "usage", NULL,
		    "usage: satchel %s stage ID STAGE", c->args.arg[0]);
	return rc == SAT_OK ? stage_to(c, id, c->args.arg[3],
	                          sat_args_get(&c->args, "reason"), e)
	                    : rc;
}

static sat_rc
run_close(cli *c, sat_err *e)
{
	const char *lost = sat_args_get(&c->args, "lost"), *id;
	bool won = sat_args_has(&c->args, "won");
	sat_rc rc = need_id(c, &id, e);

	if (rc == SAT_OK && won == (lost != NULL))
		rc = sat_fail_code(e, SAT_EUSAGE, "usage", NULL,
		    "close needs --won, or --lost REASON");
	return rc == SAT_OK ? stage_to(c, id, won ? "won" : "lost", lost, e) : rc;
}

static sat_rc
run_assign(cli *c, sat_err *e)
{
	const char *to = sat_args_get(&c->args, "to"), *id;
	sat_rc rc = need_id(c, &id, e);

	if (rc == SAT_OK && to == NULL)
		rc = sat_fail_code(e, SAT_EUSAGE, "usage", NULL,
		    "name the new owner: --to USER");
	for (size_t i = 2; rc == SAT_OK && i < c->args.nargs; i++) {
		sat_json *body = sat_json_obj();

		sat_json_put_str(body, "to", to);
		rc = send(c, "POST", c->args.arg[i], "assign", body, e);
		sat_json_free(body);
	}
	return rc;
}

/* tag ID +a -b: "-b" would look like an option, so "--" or "~b" work too. */
static sat_rc
run_tag(cli *c, sat_err *e)
{
	sat_json *body = sat_json_obj(), *tags = sat_json_put_obj(body, "tags");
	sat_json *add = sat_json_put_arr(tags, "$add");
	sat_json *del = sat_json_put_arr(tags, "$remove");
	const char *id;
	sat_rc rc = need_id(c, &id, e);

	for (size_t i = 3; rc == SAT_OK && i < c->args.nargs; i++) {
		const char *w = c->args.arg[i];

		if (w[0] == '+' && w[1] != '\0')
			sat_json_add_str(add, w + 1);
		else if ((w[0] == '-' || w[0] == '~') && w[1] != '\0')
			sat_json_add_str(del, w + 1);
		else
			rc = sat_fail_code(e, SAT_EUSAGE, "usage", NULL,
			    "usage: satchel account tag ID +NEW -- -OLD");
	}
	if (rc == SAT_OK)
		rc = send(c, "PATCH", id, NULL, body, e);
	sat_json_free(body);
	return rc;
}

#define KIND_VERBS(kind, what)                                                \
	{ kind, "list", run_list, list_options, kind " list [FLAGS]",         \
	    "list " what, NULL, false },                                      \
	    { kind, "show", run_show, show_options, kind " show ID",          \
	        "one of the " what, NULL, false },                            \
	    { kind, "edit", run_edit, write_options,                          \
	        kind " edit ID --set K=V ...", "change fields", NULL, false }, \
	    { kind, "delete", run_delete, write_options, kind " delete ID",   \
	        "delete (restorable)", NULL, false },                         \
	    { kind, "restore", run_restore, write_options,                    \
	        kind " restore ID", "undo a deletion", NULL, false }

const cli_verb cli_record_verbs[] = {
	{ "account", "add", run_add, write_options,
	    "account add --set name=... --set phone_main=...", "a new customer",
	    "  satchel account add --set name=福州远洋科技有限公司 --set industry=I65 \\\n"
	    "    --set contact_name=李娜 --set phone_main=13812345678 \\\n"
	    "    --set need_type=solution --set stage=first_contact\n",
	    false },
	KIND_VERBS("account", "customers"),
	{ "account", "stage", run_stage, write_options, "account stage ID STAGE [--reason R]",
	    "move along the stages", NULL, false },
	{ "account", "assign", run_assign, write_options, "account assign ID... --to USER",
	    "give to another salesperson", NULL, false },
	{ "account", "tag", run_tag, write_options, "account tag ID +NEW -- -OLD",
	    "add and remove tags", NULL, false },
	{ "contact", "add", run_add, write_options, "contact add ACCOUNT --set name=...",
	    "a new contact", NULL, false },
	KIND_VERBS("contact", "contacts"),
	{ "activity", "add", run_activity_add, write_options,
	    "activity add ACCOUNT --method M --points T [--next-at T]",
	    "record a follow-up", NULL, false },
	{ "activity", "list", run_list, list_options, "activity list [FLAGS]",
	    "list follow-ups", NULL, false },
	{ "activity", "show", run_show, show_options, "activity show ID",
	    "one follow-up", NULL, false },
	{ "follow", "add", run_activity_add, write_options, "follow add ACCOUNT ...",
	    "the same as activity add", NULL, false },
	{ "opportunity", "add", run_add, write_options,
	    "opportunity add [ACCOUNT] --set name=... --set amount=...",
	    "a new opportunity", NULL, false },
	KIND_VERBS("opportunity", "opportunities"),
	{ "opportunity", "stage", run_stage, write_options,
	    "opportunity stage ID STAGE [--reason R]", "move along the stages",
	    NULL, false },
	{ "opportunity", "close", run_close, write_options,
	    "opportunity close ID --won | --lost REASON", "end it", NULL, false },
	{ "opportunity", "assign", run_assign, write_options,
	    "opportunity assign ID... --to USER", "give to another salesperson",
	    NULL, false },
};
const size_t cli_record_nverbs = sizeof cli_record_verbs / sizeof cli_record_verbs[0];
