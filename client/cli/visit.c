/*
 * visit, rotation: a showroom's day. What all kinds have is in records.c and
 * write.c.
 */
#include "client/cli/cli_int.h"

#include <stdlib.h>
#include <string.h>

static const sat_opt checkin_options[] = {
	{ "name", 0, "TEXT", "the visitor" },
	{ "phone", 0, "PHONE", "the visitor's phone" },
	{ "party", 0, "N", "how many came (1)" },
	{ "channel", 0, "KEY", "how they came: satchel dict visit_channel" },
	{ "first-visit", 0, NULL, "they were never here before" },
	{ "consent", 0, NULL, "the visitor agreed to the text (satchel visit consent)" },
	{ "qr", 0, "CODE", "the code an agent shows" },
	{ "at", 0, "TIME", "when they came (now)" },
	{ "station", 0, "NAME", "which desk or machine (your user key)" },
	{ "set", 's', "K=V", "set any other field" },
	{ NULL, 0, NULL, NULL },
};

static void
put_option(sat_json *body, const cli *c, const char *option, const char *field)
{
	const char *v = sat_args_get(&c->args, option);

	if (v != NULL)
		sat_json_put_str(body, field, v);
}

static void
print_id(cli *c, const sat_json *doc)
{
	if (cli_is_json(c))
		cli_print_json(c, doc);
	else
		sat_buf_fmt(&c->out, "%s\n", sat_json_get_str(
		    sat_json_get(doc, "data"), "id", ""));
}

static sat_rc
run_checkin(cli *c, sat_err *e)
{
	sat_json *body = NULL, *doc = NULL;
	const sat_json *data;
	sat_rc rc = cli_body_of(&body, c, e);

	if (rc != SAT_OK)
		return rc;
	put_option(body, c, "name", "visitor");
	put_option(body, c, "phone", "phone");
	put_option(body, c, "party", "party_size");
	put_option(body, c, "channel", "channel");
	put_option(body, c, "at", "arrived_at");
	put_option(body, c, "qr", "qr");
	put_option(body, c, "station", "station");
	if (sat_args_has(&c->args, "first-visit"))
		sat_json_put_bool(body, "first_visit", true);
	if (sat_args_has(&c->args, "consent"))
		sat_json_put_bool(body, "consent", true);
	rc = cli_ask(&doc, c, "POST", "/v1/visits/checkin", NULL, body, e);
	data = sat_json_get(doc, "data");
	if (rc == SAT_OK && sat_json_get_bool(data, "late", false))
		cli_say(c, "written down %lld minutes after the arrival: marked "
		    "as late\n", (long long)sat_json_get_int(data, "late_min", 0));
	if (rc == SAT_OK)
		print_id(c, doc);
	sat_json_free(doc);
	sat_json_free(body);
	return rc;
}

static sat_rc
run_consent(cli *c, sat_err *e)
{
	sat_json *doc = NULL;
	sat_rc rc = cli_ask(&doc, c, "GET", "/v1/consent", NULL, NULL, e);
	const sat_json *d = sat_json_get(doc, "data");

	if (rc == SAT_OK && cli_is_json(c))
		cli_print_json(c, doc);
	else if (rc == SAT_OK)
		sat_buf_fmt(&c->out, "%s\n%s\n",
		    sat_json_get_str(d, strcmp(c->lang, "zh") == 0 ? "zh" : "en",
		    ""), sat_json_get_str(d, "mark", ""));
	sat_json_free(doc);
	return rc;
}

/* visit assign ID USER; --to and several ids as for every kind. */
static sat_rc
run_assign(cli *c, sat_err *e)
{
	char *path;
	sat_json *body, *doc = NULL;
	sat_rc rc;

	if (c->args.nargs != 4 || sat_args_has(&c->args, "to"))
		return cli_assign(c, e);
	path = cli_record_path(c, c->args.arg[2], "assign");
	body = sat_json_obj();
	sat_json_put_str(body, "to", c->args.arg[3]);
	rc = cli_ask(&doc, c, "POST", path, NULL, body, e);
	if (rc == SAT_OK)
		print_id(c, doc);
	sat_json_free(doc);
	sat_json_free(body);
	free(path);
	return rc;
}

static const sat_opt leave_options[] = {
	{ "at", 0, "TIME", "when (now)" },
	{ NULL, 0, NULL, NULL },
};

static sat_rc
run_leave(cli *c, sat_err *e)
{
	sat_json *body = sat_json_obj(), *doc = NULL;
	const char *id;
	char *path;
	sat_rc rc = cli_need_id(c, &id, e);

	if (rc == SAT_OK) {
		put_option(body, c, "at", "at");
		path = sat_xasprintf("/v1/visits/%s/leave", id);
		rc = cli_ask(&doc, c, "POST", path, NULL, body, e);
		if (rc == SAT_OK)
			print_id(c, doc);
		free(path);
	}
	sat_json_free(doc);
	sat_json_free(body);
	return rc;
}

static const sat_opt judge_options[] = {
	{ "confirm", 0, NULL, "write it down and give the visit to the owner" },
	{ "to", 0, "USER", "with --confirm, where the rule leaves it open" },
	{ NULL, 0, NULL, NULL },
};

static sat_rc
run_judge(cli *c, sat_err *e)
{
	sat_json *body = sat_json_obj(), *doc = NULL;
	const char *id;
	char *path;
	sat_rc rc = cli_need_id(c, &id, e);

	if (rc == SAT_OK) {
		put_option(body, c, "to", "to");
		if (sat_args_has(&c->args, "confirm"))
			sat_json_put_bool(body, "confirm", true);
		path = sat_xasprintf("/v1/visits/%s/judge", id);
		rc = cli_ask(&doc, c, "POST", path, NULL, body, e);
		if (rc == SAT_OK && cli_is_json(c))
			cli_print_json(c, doc);
		else if (rc == SAT_OK)
			cli_print_object(c, sat_json_get(doc, "data"));
		free(path);
	}
	sat_json_free(doc);
	sat_json_free(body);
	return rc;
}

static sat_rc
run_code(cli *c, sat_err *e)
{
	sat_json *doc = NULL;
	sat_rc rc = cli_ask_id(&doc, c, "/v1/preregistrations/", "/code", e);

	if (rc == SAT_OK && cli_is_json(c))
		cli_print_json(c, doc);
	else if (rc == SAT_OK)
		sat_buf_fmt(&c->out, "%s\n", sat_json_get_str(
		    sat_json_get(doc, "data"), "code", ""));
	sat_json_free(doc);
	return rc;
}

/* ---- rotation ------------------------------------------------------------------------ */

static const sat_opt rotation_options[] = {
	{ "station", 0, "NAME", "which showroom (your team's key)" },
	{ "date", 0, "DAY", "which day (today)" },
	{ NULL, 0, NULL, NULL },
};

static sat_rc
run_rotation(cli *c, sat_err *e)
{
	static const cli_column cols[] = { { "turn", "turn", CELL_NUMBER },
		{ "user", "user", CELL_PLAIN }, { "name", "name", CELL_PLAIN },
		{ "served", "received", CELL_NUMBER },
		{ "returning", "of them own", CELL_NUMBER },
		{ "skipped", "skipped", CELL_NUMBER } };
	sat_json *q = sat_json_obj(), *doc = NULL;
	sat_rc rc;

	put_option(q, c, "station", "station");
	put_option(q, c, "date", "date");
	rc = cli_ask(&doc, c, "GET", "/v1/rotation", q, NULL, e);
	if (rc == SAT_OK)
		cli_print_or_none(c, doc, cols, 6,
		    "nobody stands in the rotation");
	if (rc == SAT_OK && sat_json_get_int(doc, "clashes", 0) > 0)
		cli_say(c, "two stations sent for the same consultant "
		    "%lld times; see --json\n",
		    (long long)sat_json_get_int(doc, "clashes", 0));
	sat_json_free(doc);
	sat_json_free(q);
	return rc;
}

static const sat_opt turn_options[] = {
	{ "station", 0, "NAME", "which showroom (your team's key)" },
	{ "reason", 0, "TEXT", "why" },
	{ NULL, 0, NULL, NULL },
};
static const sat_opt serve_options[] = {
	{ "station", 0, "NAME", "which showroom (your team's key)" },
	{ "to", 0, "USER", "this consultant, and not whose turn it is" },
	{ "returning", 0, NULL, "his own customer came again: costs no turn" },
	{ NULL, 0, NULL, NULL },
};

static sat_rc
send_turn(cli *c, const char *turn, const char *user, const char *other,
    const char *visit, sat_err *e)
{
	sat_json *body = sat_json_obj(), *doc = NULL;
	sat_rc rc;

	sat_json_put_str(body, "turn", turn);
	if (user != NULL)
		sat_json_put_str(body, "user", user);
	if (other != NULL)
		sat_json_put_str(body, "other", other);
	if (visit != NULL)
		sat_json_put_str(body, "visit", visit);
	put_option(body, c, "station", "station");
	put_option(body, c, "reason", "reason");
	if (sat_args_has(&c->args, "returning"))
		sat_json_put_bool(body, "returning", true);
	rc = cli_ask(&doc, c, "POST", "/v1/rotation", NULL, body, e);
	if (rc == SAT_OK && cli_is_json(c))
		cli_print_json(c, doc);
	else if (rc == SAT_OK)
		sat_buf_fmt(&c->out, "%s\n", sat_json_get_str(
		    sat_json_get(doc, "data"), "user", ""));
	sat_json_free(doc);
	sat_json_free(body);
	return rc;
}

static const char *
word(const cli *c, size_t i)
{
	return c->args.nargs > i ? c->args.arg[i] : NULL;
}

static sat_rc
run_turn(cli *c, sat_err *e)
{
	return send_turn(c, c->args.arg[1], word(c, 2), word(c, 3), NULL, e);
}

static sat_rc
run_serve(cli *c, sat_err *e)
{
	return send_turn(c, "serve", sat_args_get(&c->args, "to"), NULL,
	    word(c, 2), e);
}

const cli_verb cli_visit_verbs[] = {
	{ "visit", "checkin", run_checkin, checkin_options,
	    "visit checkin --name TEXT [--phone PHONE] [OPTIONS]",
	    "take a visitor in, with or without a network",
	    "  satchel visit checkin --name 周女士 --phone 13900010001 --party 3 \\\n"
	    "    --channel walk_in --first-visit --consent\n"
	    "  satchel visit checkin --name 周女士 --phone 13900010001 --qr R1.06…\n",
	    false },
	{ "visit", "list", cli_list, cli_list_options,
	    "visit list [--date DAY] [OPTIONS]", "list visits",
	    "  satchel visit list --date today\n", false },
	{ "visit", "show", cli_show, cli_show_options, "visit show ID",
	    "one of the visits", NULL, false },
	{ "visit", "judge", run_judge, judge_options,
	    "visit judge ID [--confirm [--to USER]]",
	    "whose customer it is, by which rule",
	    "  satchel visit judge 06a1b2 --confirm\n", false },
	{ "visit", "assign", run_assign, cli_assign_options,
	    "visit assign ID USER", "give the visitor to a consultant", NULL,
	    false },
	{ "visit", "leave", run_leave, leave_options, "visit leave ID",
	    "the visitor has left", NULL, false },
	{ "visit", "consent", run_consent, NULL, "visit consent",
	    "the text a visitor agrees to", NULL, false },
	{ "visit", "add", cli_add, cli_add_options,
	    "visit add ACCOUNT --set K=V...",
	    "a visit of a known customer, typed in whole", NULL, false },
	{ "visit", "edit", cli_edit, cli_edit_options,
	    "visit edit ID --set K=V...", "change fields", NULL, false },
	{ "visit", "delete", cli_delete, NULL, "visit delete ID",
	    "delete (restorable)", NULL, false },
	{ "visit", "restore", cli_undelete, NULL, "visit restore ID",
	    "undo a deletion", NULL, false },
	{ "preregistration", "code", run_code, NULL, "preregistration code ID",
	    "what the agent shows at the door", NULL, false },
	{ "rotation", "show", run_rotation, rotation_options,
	    "rotation show [--station NAME] [--date DAY]",
	    "whose turn it is", NULL, false },
	{ "rotation", "join", run_turn, turn_options, "rotation join [USER]",
	    "stand at the end of the queue", NULL, false },
	{ "rotation", "leave", run_turn, turn_options, "rotation leave [USER]",
	    "leave the queue", NULL, false },
	{ "rotation", "serve", run_serve, serve_options,
	    "rotation serve [VISIT] [--to USER] [--returning]",
	    "give a visitor to whose turn it is",
	    "  satchel rotation serve 06a1b2\n", false },
	{ "rotation", "skip", run_turn, turn_options,
	    "rotation skip USER --reason TEXT", "takes a turn away",
	    "  satchel rotation skip li.na --reason \"did not ask: first visit?\"\n",
	    false },
	{ "rotation", "swap", run_turn, turn_options, "rotation swap USER USER",
	    "two change places", NULL, false },
};
const size_t cli_visit_nverbs = sizeof cli_visit_verbs / sizeof cli_visit_verbs[0];
