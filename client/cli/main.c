/*
 * One invocation: words, verb, replica, answer, exit code.
 */
#include "client/cli/cli.h"

#include "client/cli/config.h"
#include "common/base/log.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

const sat_opt cli_global[] = {
	{ "profile", 'P', "NAME", "which replica (default)" },
	{ "home", 'C', "DIR", "the replica's folder (SATCHEL_HOME)" },
	{ "socket", 0, "FILE", "the daemon's socket" },
	{ "passphrase-file", 0, "FILE", "first line is the passphrase; - = stdin" },
	{ "passphrase-fd", 0, "N", "the same from an open descriptor" },
	{ "json", 0, NULL, "one JSON document" },
	{ "format", 0, "F", "table, tsv, csv, json, jsonl" },
	{ "null", '0', NULL, "rows read and printed end with a NUL (xargs)" },
	{ "fields", 0, "A,B", "columns of a list" },
	{ "quiet", 'q', NULL, "no messages" },
	{ "verbose", 'v', NULL, "more messages (twice: trace)" },
	{ "color", 0, "WHEN", "auto, always, never" },
	{ "lang", 0, "zh|en", "language of texts and labels (SATCHEL_LANG)" },
	{ "no-input", 0, NULL, "never ask" },
	{ "yes", 'y', NULL, "answer questions with yes" },
	{ "timeout", 0, "DUR", "sync: for each answer of the network (15s)" },
	{ "as-of", 0, "TIME", "list, show, report, rules, pool: at that time" },
	{ "request-id", 0, "ID", "a write of this id is done once within 24 h" },
	{ "no-pager", 0, NULL, "long answers as they are" },
	{ "help", 'h', NULL, "help, examples first" },
	{ "version", 0, NULL, "version and licence" },
	{ NULL, 0, NULL, NULL },
};

const cli_table cli_tables[] = {
	{ cli_record_verbs, &cli_record_nverbs },
	{ cli_kind_verbs, &cli_kind_nverbs },
	{ cli_standard_verbs, &cli_standard_nverbs },
	{ cli_rule_verbs, &cli_rule_nverbs },
	{ cli_lead_verbs, &cli_lead_nverbs },
	{ cli_import_verbs, &cli_import_nverbs },
	{ cli_sop_verbs, &cli_sop_nverbs },
	{ cli_lint_verbs, &cli_lint_nverbs },
	{ cli_approve_verbs, &cli_approve_nverbs },
	{ cli_exchange_verbs, &cli_exchange_nverbs },
	{ cli_conflict_verbs, &cli_conflict_nverbs },
	{ cli_dedupe_verbs, &cli_dedupe_nverbs },
	{ cli_refused_verbs, &cli_refused_nverbs },
	{ cli_handover_verbs, &cli_handover_nverbs },
	{ cli_pool_verbs, &cli_pool_nverbs },
	{ cli_visit_verbs, &cli_visit_nverbs },
	{ cli_kiosk_verbs, &cli_kiosk_nverbs },
	{ cli_assess_verbs, &cli_assess_nverbs },
	{ cli_view_verbs, &cli_view_nverbs },
	{ cli_search_verbs, &cli_search_nverbs },
	{ cli_demo_verbs, &cli_demo_nverbs },
	{ cli_work_verbs, &cli_work_nverbs },
	{ cli_frozen_verbs, &cli_frozen_nverbs },
	{ cli_status_verbs, &cli_status_nverbs },
	{ cli_log_verbs, &cli_log_nverbs },
	{ cli_proof_verbs, &cli_proof_nverbs },
	{ cli_feed_verbs, &cli_feed_nverbs },
	{ cli_doctor_verbs, &cli_doctor_nverbs },
	{ cli_undo_verbs, &cli_undo_nverbs },
	{ cli_daemon_verbs, &cli_daemon_nverbs },
	{ cli_open_verbs, &cli_open_nverbs },
	{ cli_token_verbs, &cli_token_nverbs },
	{ cli_privacy_verbs, &cli_privacy_nverbs },
	{ cli_reveal_verbs, &cli_reveal_nverbs },
	{ cli_attach_verbs, &cli_attach_nverbs },
	{ cli_template_verbs, &cli_template_nverbs },
	{ cli_admin_verbs, &cli_admin_nverbs },
	{ cli_webhook_verbs, &cli_webhook_nverbs },
	{ cli_config_verbs, &cli_config_nverbs },
};
const size_t cli_ntables = sizeof cli_tables / sizeof cli_tables[0];

/* A verb of two words wins over one of one. */
static const cli_verb *
find_words(const char *noun, const char *verb)
{
	const cli_verb *one = NULL;

	for (size_t t = 0; noun != NULL && t < cli_ntables; t++)
		for (size_t i = 0; i < *cli_tables[t].n; i++) {
			const cli_verb *v = &cli_tables[t].verbs[i];

			if (strcmp(v->noun, noun) != 0)
				continue;
			if (v->verb == NULL)
				one = v;
			else if (verb != NULL && strcmp(v->verb, verb) == 0)
				return v;
		}
	return one;
}

/* The verb of the first words: its options are needed to read the rest. */
static const cli_verb *
find(int argc, char *const *argv)
{
	const char *noun = NULL, *verb = NULL;

	for (int i = 0; i < argc; i++) {
		if (argv[i][0] == '-') {
			const sat_opt *o = cli_global;

			while (o->name != NULL && (o->value == NULL ||
			    ((argv[i][1] != '-' || strcmp(argv[i] + 2,
			    o->name) != 0) && (o->letter == 0 ||
			    argv[i][1] != o->letter || argv[i][2] != '\0'))))
				o++;
			i += o->name != NULL; /* its value */
			continue;
		}
		if (noun == NULL)
			noun = argv[i];
		else if (verb == NULL) {
			verb = argv[i];
			break;
		}
	}
	return find_words(noun, verb);
}

/* A command may write several times: each has a name of its own. */
static sat_json *
with_request_id(cli *c, const char *method, const sat_json *query)
{
	const char *id = sat_args_get(&c->args, "request-id");
	char text[256];
	sat_json *q;

	if (id == NULL || strcmp(method, "GET") == 0)
		return NULL;
	q = query != NULL ? sat_json_dup(query) : sat_json_obj();
	(void)snprintf(text, sizeof text, "%s#%d", id, c->asked++);
	sat_json_put_str(q, "request_id", c->asked > 1 ? text : id);
	return q;
}

sat_rc
cli_ask(sat_json **answer, cli *c, const char *method, const char *path,
    sat_json *query, sat_json *body, sat_err *e)
{
	sat_json *named = with_request_id(c, method, query);
	sat_request req = { .method = method, .path = path,
		.query = named != NULL ? named : query, .body = body,
		.files = true };
	sat_rc rc;

	if (c->socket != NULL)
		rc = cli_remote_ask(answer, c, method, path, req.query, body, e);
	else
		rc = sat_api_handle(answer, &c->api, &req, e);
	sat_json_free(named);
	return rc;
}

/* Columns of the terminal; a table that goes elsewhere is not cut. */
static size_t
term_width(const cli *c)
{
	const char *columns = getenv("COLUMNS");
	struct winsize w;
	long n = columns != NULL ? strtol(columns, NULL, 10) : 0;

	if (n >= 20 && n <= 1000)
		return (size_t)n;
	if (c->tty_out && ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0)
		return w.ws_col;
	return 0;
}

static sat_level
log_level(const char *word)
{
	static const char *const words[] = { "trace", "debug", "info" };

	for (int i = 0; word != NULL && i < 3; i++)
		if (strcmp(word, words[i]) == 0)
			return (sat_level)i;
	return SAT_WARN;
}

/* The files that say how this program is used; which replica decides which is
 * the last one. */
static sat_rc
configure(cli *c, sat_err *e)
{
	sat_rc rc = cli_config_load(c, LEVEL_SYSTEM, LEVEL_USER, e);

	if (rc == SAT_OK && cli_home(c, NULL) == SAT_OK)
		rc = cli_config_load(c, LEVEL_PROFILE, LEVEL_PROFILE, e);
	return rc;
}

/* Whoever reads help, or sets right what is wrong with a file of settings, is
 * not sent away because of it. */
static bool
can_do_without(const cli *c)
{
	return c->args.nargs == 0 || sat_args_has(&c->args, "help") ||
	    sat_args_has(&c->args, "version") ||
	    strcmp(c->args.arg[0], "help") == 0 ||
	    strcmp(c->args.arg[0], "config") == 0;
}

static bool
is_one_of(const char *word, const char *const *words)
{
	while (*words != NULL && strcmp(word, *words) != 0)
		words++;
	return *words != NULL;
}

/* What would else be taken for something it does not say. */
static sat_rc
globals_fit(const cli *c, sat_err *e)
{
	static const char *const colors[] = { "auto", "always", "never", NULL };
	const char *color = sat_args_get(&c->args, "color");
	const char *lang = sat_args_get(&c->args, "lang");
	const char *timeout = sat_args_get(&c->args, "timeout");
	int64_t ms;

	if (color != NULL && !is_one_of(color, colors))
		return sat_fail_code(e, SAT_EUSAGE, "usage.option",
		    "auto, always or never", "--color %s is unknown", color);
	if (lang != NULL && strncmp(lang, "zh", 2) != 0 &&
	    strncmp(lang, "en", 2) != 0)
		return sat_fail_code(e, SAT_EUSAGE, "usage.option", "zh or en",
		    "--lang %s is unknown", lang);
	if (timeout != NULL && !sat_duration_parse(&ms, timeout))
		return sat_fail_code(e, SAT_EUSAGE, "usage.option",
		    "for example 10s, at most 1h", "--timeout is no duration");
	return SAT_OK;
}

static sat_rc
settings(cli *c, sat_err *e)
{
	static const char *const names[] = { "auto", "table", "tsv", "csv",
		"json", "jsonl" };
	const char *f = sat_args_get(&c->args, "format");
	const char *log = cli_choice(c, NULL, "SATCHEL_LOG", "core.log");
	const char *color = sat_args_get(&c->args, "color");

	if (f == NULL && !sat_args_has(&c->args, "json"))
		f = cli_config(c, "core.format");
	if (color == NULL && getenv("NO_COLOR") == NULL)
		color = cli_config(c, "core.color");

	c->tty_out = isatty(STDOUT_FILENO) != 0;
	c->tty_err = isatty(STDERR_FILENO) != 0;
	c->term_width = term_width(c);
	c->quiet = sat_args_has(&c->args, "quiet");
	c->yes = sat_args_has(&c->args, "yes");
	c->no_input = sat_args_has(&c->args, "no-input");
	for (size_t i = 0; i < c->args.ngiven; i++)
		if (strcmp(c->args.given[i].opt->name, "verbose") == 0)
			c->verbose++;
	sat_log_level(c->verbose > 1 ? SAT_TRACE
	        : c->verbose == 1    ? SAT_INFO
	                             : log_level(log));
	c->color = c->tty_out && getenv("NO_COLOR") == NULL &&
	    (color == NULL || strcmp(color, "never") != 0);
	if (color != NULL && strcmp(color, "always") == 0)
		c->color = true;
	if (sat_args_has(&c->args, "json"))
		c->format = FMT_JSON;
	else if (sat_args_has(&c->args, "null"))
		c->format = FMT_TSV;
	for (int i = 0; f != NULL && i < 6; i++)
		if (strcmp(f, names[i]) == 0) {
			c->format = (cli_format)i;
			f = NULL;
		}
	/* export knows files besides; what it does not know, it says itself */
	if (f != NULL && (c->args.nargs == 0 ||
	    (strcmp(c->args.arg[0], "export") != 0 &&
	    strcmp(c->args.arg[0], "sop") != 0 &&
	    strcmp(c->args.arg[0], "schema") != 0 &&
	    strcmp(c->args.arg[0], "webhook") != 0 &&
	    !(strcmp(c->args.arg[0], "report") == 0 && cli_report_is_file(f)))))
		return sat_fail_code(e, SAT_EUSAGE, "usage.option",
		    strcmp(c->args.nargs > 0 ? c->args.arg[0] : "", "report") == 0 ?
		    "table, tsv, csv, json, jsonl, html or xlsx" :
		    N_("table, tsv, csv, json or jsonl"), "--format %s is unknown", f);
	return globals_fit(c, e);
}

/* A noun alone: say what may follow. */
static sat_rc
no_second(const cli *c, const char *const *words, size_t n, sat_err *e)
{
	char list[160] = "", hint[sizeof list + 16];
	size_t used = 0;

	for (size_t i = 0; i < n && used < sizeof list - 1; i++) {
		int k = snprintf(list + used, sizeof list - used, "%s%s",
		    i > 0 ? ", " : "", words[i]);

		used += k > 0 ? (size_t)k : 0;
	}
	(void)snprintf(hint, sizeof hint, N_("one of: %s"), list);
	return sat_fail_code(e, SAT_EUSAGE, "usage", hint,
	    "satchel %s needs a verb", c->args.arg[0]);
}

static sat_rc
no_verb(const cli *c, sat_err *e)
{
	const char *words[128], *near = NULL;
	char hint[100] = N_("see: satchel --help");
	bool known;
	size_t n = 0;

	if (c->args.nargs == 0)
		return sat_fail(e, SAT_EUSAGE, "no command given");
	for (size_t t = 0; t < cli_ntables; t++) /* a known noun: its verbs */
		for (size_t i = 0; i < *cli_tables[t].n && n < 128; i++)
			if (cli_tables[t].verbs[i].verb != NULL &&
			    strcmp(cli_tables[t].verbs[i].noun, c->args.arg[0]) == 0)
				words[n++] = cli_tables[t].verbs[i].verb;
	known = n > 0;
	for (size_t t = 0; t < cli_ntables && !known; t++)
		for (size_t i = 0; i < *cli_tables[t].n && n < 128; i++)
			words[n++] = cli_tables[t].verbs[i].noun;
	if (known && c->args.nargs < 2)
		return no_second(c, words, n, e);
	near = sat_nearest(c->args.arg[known], words, n);
	if (near != NULL)
		(void)snprintf(hint, sizeof hint, N_("did you mean %s?"), near);
	else if (known)
		(void)snprintf(hint, sizeof hint, N_("see: satchel help %s"),
		    c->args.arg[0]);
	return sat_fail_code(e, SAT_EUSAGE, "usage", hint, "unknown command %s%s%s",
	    c->args.arg[0], c->args.nargs > 1 ? " " : "",
	    c->args.nargs > 1 ? c->args.arg[1] : "");
}

static sat_rc
run(cli *c, const cli_verb *v, sat_err *e)
{
	sat_rc rc = cli_words_fit(c, v, e);

	if (rc == SAT_OK)
		rc = cli_home(c, e);
	c->api.event = cli_event;
	c->api.interrupted = cli_interrupted;
	c->api.u = c;
	c->api.crm.clock = sat_clock_os();
	c->api.sync.rand = sat_rand_os();
	if (rc == SAT_OK && strstr(v->usage, "ID...|-") != NULL &&
	    cli_wants_input(c))
		rc = cli_input(c, e);
	for (int i = 0; rc == SAT_OK && !v->no_replica; i++) {
		rc = cli_reach(c) ? cli_remote_begin(c, e) : cli_open(c, e);
		/* who wrote the input is about to end */
		if (rc != SAT_EBUSY || c->input.n == 0 || i == 50)
			break;
		(void)usleep(20000);
		rc = SAT_OK;
	}
	if (rc == SAT_OK)
		rc = v->run(c, e);
	rc = cli_obey(c, rc, e);
	if (rc == SAT_EINVALID)
		cli_note_options(c, e);
	cli_close(c);
	return rc;
}

static void
print_version(const cli *c)
{
	if (c->format == FMT_JSON)
		(void)printf("{\"schema\":\"satchel/version/1\",\"version\":\"%s\","
		             "\"protocol\":%d}\n",
		    SAT_VERSION, SAT_PROTO_VERSION);
	else
		(void)printf("satchel %s\nLicence: the organisation's own\n",
		    SAT_VERSION);
}

sat_rc
cli_version(cli *c, sat_err *e)
{
	print_version(c);
	return fflush(stdout) == 0 ? SAT_OK
	    : sat_fail(e, SAT_EIO, "cannot write the answer");
}

/* The line under the short help: is there a replica, and how is it? */
static void
state_line(cli *c)
{
	sat_json *doc = NULL;
	sat_err e = { 0 };

	if (c->home == NULL || cli_need_replica(c, &e) != SAT_OK) {
		sat_buf_str(&c->out, _("\nNo replica here yet: satchel init, or "
		    "satchel demo seed\n"));
		return;
	}
	c->api.crm.clock = sat_clock_os();
	if (!cli_reach(c) || cli_ask(&doc, c, "GET", "/v1/status", NULL, NULL,
	    &e) != SAT_OK || !sat_json_get_bool(doc, "unlocked", true))
		sat_buf_fmt(&c->out, _("\nReplica: %s\n"), c->home);
	else
		sat_buf_fmt(&c->out, _("\n%s (%s): %lld commits wait, %lld "
		    "conflicts, last sync %s\n"),
		    sat_json_get_str(doc, "name", ""),
		    sat_json_get_str(doc, "role", ""),
		    (long long)sat_json_get_int(sat_json_get(doc, "pending"),
		        "commits", 0),
		    (long long)sat_json_get_int(sat_json_get(doc, "inbox"),
		        "conflicts", 0),
		    sat_json_get_str(doc, "last_sync", _("never")));
	sat_json_free(doc);
}

static sat_rc
no_help(const cli *c, size_t i, sat_err *e)
{
	const char *words[256], *near;
	size_t n = 0;
	char hint[80] = N_("see: satchel --help");

	for (size_t t = 0; t < cli_ntables; t++)
		for (size_t k = 0; k < *cli_tables[t].n && n < 256; k++)
			words[n++] = cli_tables[t].verbs[k].noun;
	near = sat_nearest(c->args.arg[i], words, n);
	if (near != NULL)
		(void)snprintf(hint, sizeof hint, N_("did you mean %s?"), near);
	return sat_fail_code(e, SAT_EUSAGE, "usage", hint,
	    "there is no help about %.40s", c->args.arg[i]);
}

/* `help`, `help NOUN VERB`, `help TOPIC`, --help behind any words, and nothing
 * at all. *asked: it was one of them. */
static sat_rc
help(bool *asked, cli *c, sat_err *e)
{
	size_t i = c->args.nargs > 0 && strcmp(c->args.arg[0], "help") == 0;
	const char *noun = c->args.nargs > i ? c->args.arg[i] : NULL;
	const char *verb = c->args.nargs > i + 1 ? c->args.arg[i + 1] : NULL;

	*asked = i == 1 || c->args.nargs == 0 || sat_args_has(&c->args, "help");
	if (!*asked)
		return SAT_OK;
	c->paging = c->tty_out;
	if (noun == NULL && i == 0 && !sat_args_has(&c->args, "help")) {
		cli_help_short(&c->out);
		state_line(c);
		return SAT_OK;
	}
	if (noun != NULL && verb == NULL && find_words(noun, NULL) == NULL &&
	    cli_topic(&c->out, noun))
		return SAT_OK;
	return cli_help(&c->out, find_words(noun, verb), noun) ? SAT_OK :
	    no_help(c, i, e);
}

/* "-fair" behind `account tag ID` is a tag to take out, unless every letter of
 * it is an option: it is read as "~fair". */
static void
read_tags(const cli_verb *v, int argc, char **argv)
{
	if (v == NULL || v->verb == NULL || strcmp(v->verb, "tag") != 0)
		return;
	for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++) {
		bool option = argv[i][0] != '-' || argv[i][1] == '-' ||
		    argv[i][1] == '\0';

		for (const char *p = argv[i] + 1; !option && *p != '\0'; p++) {
			const sat_opt *o = cli_global;

			while (o->name != NULL && o->letter != *p)
				o++;
			if (o->name == NULL)
				argv[i][0] = '~';
			option = o->name == NULL || o->value != NULL;
		}
	}
}

/* What the words could not be read for is said as asked for, too. */
static bool
asks_json(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "--json") == 0 ||
		    strcmp(argv[i], "--format=json") == 0)
			return true;
	return false;
}

/* An interruption is told as one, whatever it broke. */
static int
finish(cli *c, sat_rc rc, sat_err *e)
{
	int code;

	if (c->paging)
		cli_page(c);
	c->paging = false;
	cli_flush(c);
	if (c->out_failed && rc == SAT_OK)
		rc = sat_fail(e, SAT_EIO, "cannot write the answer");
	if (cli_signal() != 0 && rc != SAT_OK && rc != SAT_EPARTLY)
		(void)sat_fail_code(e, rc, "interrupted", NULL, "interrupted");
	code = sat_rc_exit(rc);
	if (rc != SAT_OK && !(rc == SAT_EPARTLY && e->text[0] == '\0'))
		code = cli_complain(c, e, rc);
	return cli_signal() != 0 ? 128 + cli_signal() : code;
}

int
sat_cli_main(int argc, char **argv, sat_cli_daemon_fn run_daemon)
{
	static cli c;
	const cli_verb *v = find(argc - 1, argv + 1);
	sat_err e = { 0 };
	bool asked = false;
	sat_rc rc;
	int code;

	sat_crypto_init();
	c.daemon = run_daemon;
	read_tags(v, argc - 1, argv + 1);
	rc = sat_args_parse(&c.args, argc - 1, argv + 1,
	    v != NULL && v->options != NULL ? v->options : NULL, cli_global, &e);
	if (rc != SAT_OK)
		(void)configure(&c, NULL); /* for the language alone */
	else if ((rc = configure(&c, &e)) != SAT_OK && can_do_without(&c))
		rc = SAT_OK;
	(void)snprintf(c.lang, sizeof c.lang, "%s", sat_text_lang(argc - 1,
	    argv + 1, cli_config(&c, "core.lang")));
	cli_text_use(c.lang);
	if (rc == SAT_OK)
		rc = settings(&c, &e);
	else if (asks_json(argc, argv))
		c.format = FMT_JSON;
	if (rc == SAT_EUSAGE && v == NULL && c.args.nargs > 0)
		rc = no_verb(&c, &e); /* its options are not the first thing wrong */
	if (rc == SAT_OK && sat_args_has(&c.args, "version")) {
		print_version(&c);
		return 0;
	}
	if (rc == SAT_OK && ((rc = help(&asked, &c, &e)) != SAT_OK || asked))
		return finish(&c, rc, &e);
	c.paging = c.tty_out && !cli_is_json(&c) && cli_is_paged(v);
	if (rc == SAT_OK && v == NULL)
		rc = no_verb(&c, &e);
	cli_signals();
	if (rc == SAT_OK)
		rc = run(&c, v, &e);
	code = finish(&c, rc, &e);
	sat_buf_fini(&c.out);
	_exit(code); /* NNG is never torn down */
}
