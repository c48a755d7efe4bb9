/*
 * The verbs of records that change something, and the table of all of them.
 */
#include "client/cli/cli_int.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BODY_BYTES_MAX (1024 * 1024)

#define FIELD_OPTIONS                                                      \
	{ "set", 's', "K=V", "set a field" },                              \
	    { "unset", 0, "K", "clear a field" },                          \
	    { "add", 0, "K=V", "add to a set or a counter" },              \
	    { "remove", 0, "K=V", "take out of a set" },                   \
	    { "from", 0, "FILE", "fields from a JSON object (- = stdin)" }, \
	    { "incomplete", 0, "refuse|flag",                              \
		"what missing required fields do (refuse)" },              \
	    { "validate", 0, NULL, "judge only, write nothing" }
#define END { NULL, 0, NULL, NULL }

const sat_opt cli_add_options[] = {
	FIELD_OPTIONS,
	{ "allow-duplicate", 0, "REASON", "create it although a duplicate is known" },
	END,
};
const sat_opt cli_edit_options[] = {
	FIELD_OPTIONS,
	{ "if-version", 0, "V", "only if the record is at this version" },
	END,
};
static const sat_opt activity_options[] = {
	{ "method", 0, "M", "phone, visit, email, wechat, meeting" },
	{ "points", 0, "TEXT", "what was said" },
	{ "at", 0, "TIME", "when it happened (now)" },
	{ "next-at", 0, "TIME", "when to follow up" },
	{ "status", 0, "KEY", "the customer's status from now on" },
	{ "stage", 0, "KEY", "the customer's stage from now on" },
	FIELD_OPTIONS,
	END,
};
const sat_opt cli_stage_options[] = {
	{ "reason", 0, "TEXT", "why" },
	END,
};
static const sat_opt close_options[] = {
	{ "won", 0, NULL, "the deal is won" },
	{ "lost", 0, "REASON", "the deal is lost, and why: satchel dict lost_reason" },
	END,
};
const sat_opt cli_assign_options[] = {
	{ "to", 0, "USER", "the new owner" },
	{ "preview", 0, NULL, "what would move and who is offline; moves nothing" },
	{ "where", 0, "EXPR", "all that fit, instead of ids" },
	{ "owner", 0, "USER", "all of this owner, instead of ids" },
	END,
};

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

sat_rc
cli_read_body(sat_json **body, const char *path, sat_err *e)
{
	FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	uint8_t *p = sat_xmalloc(BODY_BYTES_MAX + 1);
	size_t n = f != NULL ? fread(p, 1, BODY_BYTES_MAX + 1, f) : 0;
	sat_rc rc;

	if (f == NULL)
		rc = sat_fail(e, SAT_ENOTFOUND, "cannot read %s: %s", path,
		    strerror(errno));
	else
		rc = sat_json_parse(body, sat_span_of(p, n), BODY_BYTES_MAX, e);
	if (f != NULL && f != stdin)
		(void)fclose(f);
	free(p);
	if (rc == SAT_EPROTO && e != NULL) /* a person's file, not a peer's */
		rc = e->rc = SAT_EINVALID;
	return rc;
}

sat_rc
cli_body_of(sat_json **body, const cli *c, sat_err *e)
{
	const char *from = sat_args_get(&c->args, "from"), *v;
	size_t i = 0;
	sat_rc rc = SAT_OK;

	*body = NULL;
	if (from != NULL)
		rc = cli_read_body(body, from, e);
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

	if (cli_is_json(c))
		cli_print_json(c, doc);
	else if (data == NULL)
		cli_say(c, "valid\n");
	else
		sat_buf_fmt(&c->out, "%s\n", sat_json_get_str(data, "id", ""));
	if (!cli_is_json(c) && sat_json_get_str(doc, "flag", NULL) != NULL)
		cli_say(c, "flagged: %s: the procedure asks for more\n",
		    sat_json_get_str(doc, "flag", ""));
}

static sat_rc
send(cli *c, const char *method, const char *id, const char *tail,
    sat_json *body, sat_err *e)
{
	sat_json *q = sat_json_obj(), *doc = NULL;
	char *path = cli_record_path(c, id, tail);
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

sat_rc
cli_add(cli *c, sat_err *e)
{
	sat_json *body = NULL;
	sat_rc rc;

	if (c->args.nargs > 2 && strchr(c->args.arg[2], '=') != NULL)
		return sat_fail_code(e, SAT_EUSAGE, "usage.pair",
		    "each field begins with --set: --set name=ACME",
		    "%.60s stands alone", c->args.arg[2]);
	rc = cli_body_of(&body, c, e);
	if (rc == SAT_OK && c->args.nargs > 2) /* contact add ACCOUNT */
		sat_json_put_str(body, "account", c->args.arg[2]);
	if (rc == SAT_OK)
		rc = send(c, "POST", NULL, NULL, body, e);
	if (rc == SAT_EINVALID && e->hint[0] == '\0')
		sat_err_hint(e, "see: satchel help %s add, satchel schema %s",
		    c->args.arg[0], c->args.arg[0]);
	sat_json_free(body);
	return rc;
}

static void
put_activity(sat_json *body, const cli *c)
{
	static const struct {
		const char *flag, *field;
	} map[] = { { "method", "method" }, { "points", "points" },
		{ "at", "occurred_at" }, { "next-at", "next_at" },
		{ "status", "account.status" }, { "stage", "account.stage" } };

	for (size_t i = 0; i < sizeof map / sizeof *map; i++) {
		const char *v = sat_args_get(&c->args, map[i].flag);

		if (v != NULL)
			sat_json_put_str(body, map[i].field, v);
	}
}

/* A follow-up never changes: a new one says what was wrong in the old. */
static sat_rc
run_amend(cli *c, sat_err *e)
{
	sat_json *body = NULL;
	const char *id;
	sat_rc rc = cli_need_id(c, &id, e);

	if (rc == SAT_OK && (rc = cli_body_of(&body, c, e)) == SAT_OK) {
		put_activity(body, c);
		rc = send(c, "POST", id, "amend", body, e);
	}
	sat_json_free(body);
	return rc;
}

static sat_rc
run_activity_add(cli *c, sat_err *e)
{
	sat_json *body = NULL;
	sat_rc rc = cli_body_of(&body, c, e);

	if (rc == SAT_OK && c->args.nargs > 2) {
		sat_json_put_str(body, "account", c->args.arg[2]);
		cli_recent_contact(c, c->args.arg[2]);
	}
	if (rc == SAT_OK)
		put_activity(body, c);
	if (rc == SAT_OK)
		rc = send(c, "POST", NULL, NULL, body, e);
	sat_json_free(body);
	return rc;
}

sat_rc
cli_edit(cli *c, sat_err *e)
{
	sat_json *body = NULL;
	const char *id;
	sat_rc rc = cli_need_id(c, &id, e);

	if (rc == SAT_OK && (rc = cli_body_of(&body, c, e)) == SAT_OK)
		rc = send(c, "PATCH", id, NULL, body, e);
	sat_json_free(body);
	return rc;
}

sat_rc
cli_delete(cli *c, sat_err *e)
{
	sat_buf title = { 0 };
	char question[200];
	const char *id;
	sat_rc rc = cli_need_id(c, &id, e);

	if (rc == SAT_OK && !c->yes) {
		cli_record_title(&title, c, id);
		(void)snprintf(question, sizeof question, "Delete %s %.60s%s%.100s?",
		    c->args.arg[0], id, title.n > 0 ? " · " : "",
		    sat_buf_cstr(&title));
		rc = cli_confirm(c, question, e);
		sat_buf_fini(&title);
	}
	return rc == SAT_OK ? send(c, "DELETE", id, NULL, NULL, e) : rc;
}

sat_rc
cli_undelete(cli *c, sat_err *e)
{
	const char *id;
	sat_rc rc = cli_need_id(c, &id, e);

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

sat_rc
cli_stage(cli *c, sat_err *e)
{
	const char *id;
	sat_rc rc = cli_need_id(c, &id, e);

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
	sat_rc rc = cli_need_id(c, &id, e);

	if (rc == SAT_OK && won == (lost != NULL))
		rc = sat_fail_code(e, SAT_EUSAGE, "usage", NULL,
		    "close needs --won, or --lost REASON");
	return rc == SAT_OK ? stage_to(c, id, won ? "won" : "lost", lost, e) : rc;
}

/* Several at once: one document with all of them. */
static sat_rc
assign_all(cli *c, const cli_ids *ids, const char *to, sat_json *data,
    sat_err *e)
{
	sat_rc rc = SAT_OK;

	for (size_t i = 0; rc == SAT_OK && i < ids->n; i++) {
		char *path = cli_record_path(c, ids->id[i], "assign");
		sat_json *body = sat_json_obj(), *doc = NULL;

		sat_json_put_str(body, "to", to);
		rc = cli_ask(&doc, c, "POST", path, NULL, body, e);
		if (rc == SAT_OK && !cli_is_json(c))
			print_written(c, doc);
		if (rc == SAT_OK)
			sat_json_add(data,
			    sat_json_dup(sat_json_get(doc, "data")));
		sat_json_free(doc);
		sat_json_free(body);
		free(path);
	}
	return rc;
}

/* What moves from whom, and whose devices have not been heard of. */
static void
print_plan(cli *c, const sat_json *doc)
{
	static const cli_column from[] = { { "user", "from", CELL_PLAIN },
		{ "count", "records", CELL_NUMBER } };
	static const cli_column devices[] = {
		{ "device", "device", CELL_WHOLE }, { "user", "user", CELL_PLAIN },
		{ "name", "name", CELL_PLAIN },
		{ "last_sync", "last contact", CELL_TIME },
		{ "behind", "behind", CELL_PLAIN } };
	sat_json *rows = sat_json_obj();

	cli_say(c, "%lld to %s; with everything below them %lld records\n",
	    (long long)sat_json_get_int(doc, "count", 0),
	    sat_json_get_str(doc, "to", ""),
	    (long long)sat_json_get_int(doc, "records", 0));
	sat_json_put(rows, "data", sat_json_dup(sat_json_get(doc, "from")));
	cli_print_rows(c, rows, from, 2);
	sat_json_free(rows);
	if (sat_json_type(sat_json_get(doc, "devices")) != SAT_J_ARR) {
		cli_say(c, "the server is not reachable: nothing is known of "
		           "unsynced work\n");
		return;
	}
	rows = sat_json_obj();
	sat_json_put(rows, "data", sat_json_dup(sat_json_get(doc, "devices")));
	cli_print_or_none(c, rows, devices, 5, "no device loses anything");
	sat_json_free(rows);
}

static sat_rc
assign_many(cli *c, const cli_ids *given, const char *to, sat_err *e)
{
	const char *where = sat_args_get(&c->args, "where");
	const char *owner = sat_args_get(&c->args, "owner");
	bool preview = sat_args_has(&c->args, "preview");
	sat_json *body = sat_json_obj(), *ids, *doc = NULL;
	char *path = sat_xasprintf("/v1/%s/assign", c->args.arg[0]);
	sat_rc rc;

	sat_json_put_str(body, "to", to);
	sat_json_put_bool(body, "preview", preview);
	if (where != NULL)
		sat_json_put_str(body, "where", where);
	if (owner != NULL)
		sat_json_put_str(body, "owner", owner);
	ids = sat_json_put_arr(body, "ids");
	for (size_t i = 0; i < given->n; i++)
		sat_json_add_str(ids, given->id[i]);
	rc = cli_ask(&doc, c, "POST", path, NULL, body, e);
	if (doc != NULL && cli_is_json(c))
		cli_print_json(c, doc);
	else if (doc != NULL && preview)
		print_plan(c, doc);
	else if (doc != NULL)
		cli_say(c, "%lld given to %s\n",
		    (long long)sat_json_get_int(doc, "assigned", 0), to);
	sat_json_free(doc);
	sat_json_free(body);
	free(path);
	return rc;
}

/* One after the other; what was given before a failure stays given. */
static sat_rc
assign_each(cli *c, const cli_ids *ids, const char *to, sat_err *e)
{
	sat_json *doc = sat_json_obj(), *page;
	char schema[80];
	sat_rc rc;

	(void)snprintf(schema, sizeof schema, "satchel/%s.list/1",
	    c->args.arg[0]);
	sat_json_put_str(doc, "schema", schema);
	rc = assign_all(c, ids, to, sat_json_put_arr(doc, "data"), e);
	page = sat_json_put_obj(doc, "page");
	sat_json_put_null(page, "next");
	sat_json_put_int(page, "total", (int64_t)ids->n);
	sat_json_put_bool(page, "total_exact", true);
	if (rc == SAT_OK && cli_is_json(c))
		cli_print_json(c, doc);
	sat_json_free(doc);
	return rc;
}

sat_rc
cli_assign(cli *c, sat_err *e)
{
	const char *to = sat_args_get(&c->args, "to"), *id;
	bool fit = sat_args_has(&c->args, "where") ||
	    sat_args_has(&c->args, "owner");
	cli_ids ids;
	sat_rc rc = fit ? SAT_OK : cli_need_id(c, &id, e);

	if (rc == SAT_OK && to == NULL)
		rc = sat_fail_code(e, SAT_EUSAGE, "usage", NULL,
		    "name the new owner: --to USER");
	if (rc != SAT_OK)
		return rc;
	if ((rc = cli_ids_get(&ids, c, 2, e)) == SAT_OK)
		rc = fit || sat_args_has(&c->args, "preview")
		    ? assign_many(c, &ids, to, e)
		    : assign_each(c, &ids, to, e);
	cli_ids_fini(&ids);
	return rc;
}

/* tag ID +a -b: "-b" is no option here (main.c), but for one of the program's
 * own; "--" in front of it, or "~b", always works. */
static sat_rc
run_tag(cli *c, sat_err *e)
{
	sat_json *body = sat_json_obj(), *tags = sat_json_put_obj(body, "tags");
	sat_json *add = sat_json_put_arr(tags, "$add");
	sat_json *del = sat_json_put_arr(tags, "$remove");
	const char *id;
	sat_rc rc = cli_need_id(c, &id, e);

	for (size_t i = 3; rc == SAT_OK && i < c->args.nargs; i++) {
		const char *w = c->args.arg[i];

		if (w[0] == '+' && w[1] != '\0')
			sat_json_add_str(add, w + 1);
		else if ((w[0] == '-' || w[0] == '~') && w[1] != '\0')
			sat_json_add_str(del, w + 1);
		else
			rc = sat_fail_code(e, SAT_EUSAGE, "usage", NULL,
			    "usage: satchel account tag ID +NEW -OLD");
	}
	if (rc == SAT_OK && c->args.nargs < 4)
		rc = sat_fail_code(e, SAT_EUSAGE, "usage", NULL,
		    "usage: satchel account tag ID +NEW -OLD");
	if (rc == SAT_OK)
		rc = send(c, "PATCH", id, NULL, body, e);
	sat_json_free(body);
	return rc;
}

const cli_verb cli_record_verbs[] = {
	{ "account", "add", cli_add, cli_add_options, "account add --set K=V...",
	    "a new customer",
	    "  satchel account add --set name=福州远洋科技有限公司 --set industry=I65 \\\n"
	    "    --set contact_name=李娜 --set phone_main=13812345678 \\\n"
	    "    --set need_type=solution --set stage=first_contact\n",
	    false },
	KIND_VERBS("account", "customers"),
	{ "account", "stage", cli_stage, cli_stage_options,
	    "account stage ID STAGE [--reason R]", "move along the stages", NULL,
	    false },
	{ "account", "assign", cli_assign, cli_assign_options,
	    "account assign ID...|- --to USER", "give to another salesperson", NULL,
	    false },
	{ "account", "merge", cli_merge, cli_merge_options,
	    "account merge LOSER WINNER [--choose F=loser]...",
	    "make one customer of two",
	    "  satchel account merge C202611-P2-0007 C202611-P1-0003 \\\n"
	    "    --choose phone_main=loser\n", false },
	{ "account", "unmerge", cli_unmerge, NULL, "account unmerge ID",
	    "take a merge apart; ID is the one that was merged", NULL, false },
	{ "account", "tag", run_tag, NULL, "account tag ID +NEW -OLD",
	    "add and remove tags; ~OLD if -OLD is an option too",
	    "  satchel account tag C202611-P1-0003 +vip -fair\n", false },
	{ "contact", "add", cli_add, cli_add_options, "contact add ACCOUNT --set K=V...",
	    "a new contact",
	    "  satchel contact add C202611-P1-0003 --set name=王强 --set phone=13812345678\n",
	    false },
	KIND_VERBS("contact", "contacts"),
	{ "activity", "add", run_activity_add, activity_options,
	    "activity add ACCOUNT --method M --points T", "record a follow-up",
	    "  satchel activity add C202611-P1-0003 --method phone \\\n"
	    "    --points \"asked for a quote\" --next-at 2026-12-01\n",
	    false },
	{ "activity", "amend", run_amend, activity_options,
	    "activity amend ID --points T", "correct a follow-up by a new one",
	    "  satchel activity amend @last --points \"asked for two quotes\"\n",
	    false },
	{ "activity", "list", cli_list, cli_list_options, "activity list [OPTIONS]",
	    "list follow-ups", NULL, false },
	{ "activity", "show", cli_show, cli_show_options, "activity show ID",
	    "one follow-up", NULL, false },
	{ "follow", "add", run_activity_add, activity_options,
	    "follow add ACCOUNT --method M --points T",
	    "the same as activity add", NULL, false },
	{ "follow", "amend", run_amend, activity_options,
	    "follow amend ID --points T", "the same as activity amend", NULL, false },
	{ "follow", "list", cli_list, cli_list_options, "follow list [OPTIONS]",
	    "the same as activity list", NULL, false },
	{ "follow", "show", cli_show, cli_show_options, "follow show ID",
	    "the same as activity show", NULL, false },
	{ "opportunity", "add", cli_add, cli_add_options,
	    "opportunity add [ACCOUNT] --set K=V...", "a new opportunity",
	    "  satchel opportunity add C202611-P1-0003 --set name=二期 --set amount=50万\n",
	    false },
	KIND_VERBS("opportunity", "opportunities"),
	{ "opportunity", "stage", cli_stage, cli_stage_options,
	    "opportunity stage ID STAGE [--reason R]", "move along the stages",
	    NULL, false },
	{ "opportunity", "close", run_close, close_options,
	    "opportunity close ID --won | --lost REASON", "end it", NULL, false },
	{ "opportunity", "assign", cli_assign, cli_assign_options,
	    "opportunity assign ID...|- --to USER", "give to another salesperson",
	    NULL, false },
};
const size_t cli_record_nverbs = sizeof cli_record_verbs / sizeof cli_record_verbs[0];
