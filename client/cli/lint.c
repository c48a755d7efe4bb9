/*
 * template lint: what a template may not do, or should not. Of a folder before
 * it is published, or of the one this replica has.
 */
#include "client/cli/cli_int.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/template/layers.h"

#define FILE_BYTES_MAX (1u << 20)
#define DEPTH_MAX 4

typedef struct folder {
	sat_template_file v[SAT_LAYER_FILES_MAX];
	size_t n;
	sat_arena a;
} folder;

static sat_rc
read_file(folder *f, const char *path, const char *name, sat_err *e)
{
	uint8_t *p = sat_xmalloc(FILE_BYTES_MAX + 1);
	FILE *in = fopen(path, "rbe");
	size_t n = in != NULL ? fread(p, 1, FILE_BYTES_MAX + 1, in) : 0;
	sat_rc rc = SAT_OK;

	if (in == NULL)
		rc = sat_fail(e, SAT_ENOTFOUND, "cannot read %s: %s", path,
		    strerror(errno));
	else if (n > FILE_BYTES_MAX || f->n == SAT_LAYER_FILES_MAX)
		rc = sat_fail(e, SAT_EINVALID, "%s: too much for a template",
		    path);
	if (in != NULL)
		(void)fclose(in);
	if (rc == SAT_OK) {
		f->v[f->n].path = sat_arena_str(&f->a, name, strlen(name));
		f->v[f->n++].bytes = sat_span_of(sat_arena_dup(&f->a, p, n), n);
	}
	free(p);
	return rc;
}

/* Files whose names begin with a dot (.git) are nobody's documents. */
static sat_rc
read_folder(folder *f, const char *root, const char *below, int depth,
    sat_err *e)
{
	char *dir = sat_xasprintf("%s%s%s", root, *below != '\0' ? "/" : "",
	    below);
	DIR *d = opendir(dir);
	struct dirent *x;
	sat_rc rc = d != NULL ? SAT_OK : sat_fail(e, SAT_ENOTFOUND,
	    "cannot read %s: %s", dir, strerror(errno));

	while (rc == SAT_OK && (x = readdir(d)) != NULL) {
		char *name, *path;
		struct stat st;

		if (x->d_name[0] == '.')
			continue;
		name = sat_xasprintf("%s%s%s", below, *below != '\0' ? "/" : "",
		    x->d_name);
		path = sat_xasprintf("%s/%s", root, name);
		if (stat(path, &st) != 0)
			rc = sat_fail(e, SAT_EIO, "cannot read %s", path);
		else if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX)
			rc = read_folder(f, root, name, depth + 1, e);
		else if (S_ISREG(st.st_mode))
			rc = read_file(f, path, name, e);
		free(name);
		free(path);
	}
	if (d != NULL)
		(void)closedir(d);
	free(dir);
	return rc;
}

typedef struct said {
	sat_json *rows;
	int64_t errors, warnings;
} said;

static void
on_finding(void *u, char severity, const char *path, const char *text)
{
	said *s = u;
	sat_json *row = sat_json_add_obj(s->rows);

	sat_json_put_str(row, "severity", severity == 'e' ? "error" : "warning");
	sat_json_put_str(row, "path", path);
	sat_json_put_str(row, "text", text);
	if (severity == 'e')
		s->errors++;
	else
		s->warnings++;
}

static sat_rc
load(sat_template **t, folder *f, bool overlay, sat_err *e)
{
	sat_layer over = { f->v, f->n }, base, laid;
	size_t n;
	sat_rc rc;

	if (!overlay)
		return sat_template_load(t, f->v, f->n, e);
	base.files = sat_template_base(&n);
	base.n = n;
	rc = sat_layer_overlay(&laid, &f->a, &base, &over, e);
	return rc == SAT_OK ? sat_template_load(t, laid.files, laid.n, e) : rc;
}

static sat_rc
judge(cli *c, const sat_template *t, sat_err *e)
{
	static const cli_column cols[] = { { "severity", "", CELL_SAID },
		{ "path", "document", CELL_WHOLE },
		{ "text", "finding", CELL_SAID } };
	sat_json *doc = sat_json_obj();
	said s = { .rows = NULL };
	sat_rc rc;

	sat_json_put_str(doc, "schema", "satchel/template.lint/1");
	sat_json_put_str(doc, "template", sat_template_name(t));
	sat_json_put_str(doc, "version", sat_template_version(t));
	s.rows = sat_json_put_arr(doc, "data");
	rc = sat_template_lint(t, on_finding, &s, e);
	sat_json_put_int(doc, "errors", s.errors);
	sat_json_put_int(doc, "warnings", s.warnings);
	cli_print_or_none(c, doc, cols, 3, "nothing to say");
	sat_json_free(doc);
	if (sat_args_has(&c->args, "strict") && s.errors + s.warnings > 0)
		rc = sat_fail_code(e, SAT_EFALSE, "template.lint", NULL,
		    "%lld errors, %lld warnings", (long long)s.errors,
		    (long long)s.warnings);
	return rc;
}

static const sat_opt options[] = {
	{ "strict", 0, NULL, "exit 20 when there is any finding" },
	{ "overlay", 0, NULL, "DIR holds only changes to the base template" },
	{ NULL, 0, NULL, NULL },
};

static sat_rc
run_lint(cli *c, sat_err *e)
{
	folder *f;
	sat_template *t = NULL;
	sat_rc rc;

	if (c->args.nargs < 3) { /* the one this replica has */
		rc = cli_reach(c) ? cli_remote_begin(c, e) : cli_open(c, e);
		if (rc == SAT_OK && cli_template(c) == NULL)
			rc = sat_fail_code(e, SAT_ENOREPLICA, "not_synced",
			    "run: satchel sync", "there is no template yet");
		return rc == SAT_OK ? judge(c, cli_template(c), e) : rc;
	}
	f = sat_xcalloc(1, sizeof *f);
	if ((rc = read_folder(f, c->args.arg[2], "", 0, e)) == SAT_OK &&
	    (rc = load(&t, f, sat_args_has(&c->args, "overlay"), e)) == SAT_OK)
		rc = judge(c, t, e);
	sat_template_free(t);
	sat_arena_fini(&f->a);
	free(f);
	return rc;
}

/* The folder's documents into "files" of a body. */
static sat_rc
put_folder(sat_json *body, const char *dir, sat_err *e)
{
	sat_json *files = sat_json_put_obj(body, "files");
	folder *f = sat_xcalloc(1, sizeof *f);
	sat_rc rc = read_folder(f, dir, "", 0, e);

	for (size_t i = 0; rc == SAT_OK && i < f->n; i++)
		sat_json_put_strn(files, f->v[i].path, f->v[i].bytes);
	sat_arena_fini(&f->a);
	free(f);
	return rc;
}

/* ---- what it would change here ------------------------------------------------------ */

static sat_rc
run_simulate(cli *c, sat_err *e)
{
	static const cli_column cols[] = { { "what", "", CELL_PLAIN },
		{ "kind", "kind", CELL_PLAIN }, { "title", "record", CELL_PLAIN },
		{ "before", "now", CELL_PLAIN }, { "after", "then", CELL_PLAIN },
		{ "id", "id", CELL_ID } };
	sat_json *body = sat_json_obj(), *doc = NULL;
	sat_rc rc;

	if (c->args.nargs < 3)
		rc = sat_fail_code(e, SAT_EUSAGE, "usage", NULL,
		    "usage: satchel template simulate DIR");
	else
		rc = put_folder(body, c->args.arg[2], e);
	if (rc == SAT_OK && (rc = cli_ask(&doc, c, "POST",
	    "/v1/templates/simulate", NULL, body, e)) == SAT_OK)
		cli_print_or_none(c, doc, cols, 6, "nothing would change here");
	sat_json_free(doc);
	sat_json_free(body);
	return rc;
}

static const sat_opt propose_options[] = {
	{ "message", 'm', "TEXT", "what it is good for" },
	{ NULL, 0, NULL, NULL },
};

static sat_rc
run_propose(cli *c, sat_err *e)
{
	sat_json *body = sat_json_obj(), *doc = NULL;
	sat_rc rc;

	sat_json_put_str(body, "message", sat_args_has(&c->args, "message") ?
	    sat_args_get(&c->args, "message") : "");
	if (c->args.nargs < 3)
		rc = sat_fail_code(e, SAT_EUSAGE, "usage", NULL,
		    "usage: satchel template propose DIR -m TEXT");
	else
		rc = put_folder(body, c->args.arg[2], e);
	if (rc == SAT_OK && (rc = cli_ask(&doc, c, "POST",
	    "/v1/templates/proposals", NULL, body, e)) == SAT_OK) {
		if (cli_is_json(c))
			cli_print_json(c, doc);
		else
			sat_buf_fmt(&c->out, "%s\n", sat_json_get_str(
			    sat_json_get(doc, "data"), "id", ""));
	}
	sat_json_free(doc);
	sat_json_free(body);
	return rc;
}

static sat_rc
run_proposals(cli *c, sat_err *e)
{
	static const cli_column cols[] = { { "id", "id", CELL_ID },
		{ "created_at", "at", CELL_TIME }, { "owner", "by", CELL_PLAIN },
		{ "state", "state", CELL_PLAIN },
		{ "title", "title", CELL_PLAIN },
		{ "template_rev", "revision", CELL_PLAIN } };

	return cli_ask_list(c, "/v1/templates/proposals", cols, 6, "none", e);
}

static sat_rc
run_diff(cli *c, sat_err *e)
{
	static const cli_column cols[] = { { "doc", "document", CELL_WHOLE },
		{ "place", "place", CELL_WHOLE }, { "before", "before", CELL_PLAIN },
		{ "after", "after", CELL_PLAIN } };
	sat_json *q = sat_json_obj(), *doc = NULL;
	sat_rc rc;

	if (c->args.nargs < 4)
		rc = sat_fail_code(e, SAT_EUSAGE, "usage", NULL,
		    "usage: satchel template diff REV REV");
	else {
		sat_json_put_str(q, "from", c->args.arg[2]);
		sat_json_put_str(q, "to", c->args.arg[3]);
		rc = cli_ask(&doc, c, "GET", "/v1/templates/diff", q, NULL, e);
	}
	if (rc == SAT_OK)
		cli_print_or_none(c, doc, cols, 4, "no difference");
	sat_json_free(doc);
	sat_json_free(q);
	return rc;
}

const cli_verb cli_lint_verbs[] = {
	{ "template", "lint", run_lint, options, "template lint [DIR] [--strict]",
	    "what a template may not do, or should not",
	    "  satchel template lint ./our-template --strict\n", true },
	{ "template", "diff", run_diff, NULL, "template diff REV REV",
	    "what changed between two revisions",
	    "  satchel template diff 3f9a2c1 current\n", false },
	{ "template", "propose", run_propose, propose_options,
	    "template propose DIR -m TEXT",
	    "suggest a changed template to headquarters",
	    "  satchel template propose ./our-template -m \"ask for the fax\"\n",
	    false },
	{ "template", "proposals", run_proposals, NULL, "template proposals",
	    "changes of the template that people suggest", NULL, false },
	{ "template", "simulate", run_simulate, NULL, "template simulate DIR",
	    "fields, grades and pools a draft would change here",
	    "  satchel template simulate ./our-template\n", false },
};
const size_t cli_lint_nverbs = sizeof cli_lint_verbs / sizeof cli_lint_verbs[0];
