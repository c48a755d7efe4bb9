/*
 * The daemon, when one runs: the same requests over its socket, the same
 * answers. Which way a command goes is decided in one place, cli_reach.
 */
#include "client/cli/cli_int.h"
#include "common/http/http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The folder itself when it was named, else the session's. */
char *
cli_socket_path(const cli *c)
{
	const char *given = sat_args_get(&c->args, "socket");
	const char *run = getenv("XDG_RUNTIME_DIR");
	bool named = sat_args_has(&c->args, "home") ||
	    getenv("SATCHEL_HOME") != NULL;

	if (given != NULL)
		return sat_xstrdup(given);
	if (!named && run != NULL && run[0] == '/')
		return sat_xasprintf("%s/satchel/%s.sock", run, c->profile);
	return sat_xasprintf("%s/daemon.sock", c->home);
}

bool
cli_reach(cli *c)
{
	char *path = cli_socket_path(c);
	sat_http_client *h = NULL;

	if (sat_http_dial(&h, path, NULL) != SAT_OK) {
		free(path);
		return false;
	}
	sat_http_hangup(h);
	c->socket = path;
	return true;
}

#define PARTS_MAX 256 /* lists of an answer that are long: of each kind some */

/* ---- one request -------------------------------------------------------------------- */

typedef struct asking {
	cli *c;
	char name[33];     /* of the work, to end it by */
	bool told;         /* that it shall end */
	sat_buf line;
	sat_json *answer;  /* the last line; NULL before it */
	bool streams;      /* else one document, or a problem */
	bool unread;       /* a line was no JSON, or above what is read */
	struct part {
		char *member;  /* "data", "under.activities" */
		sat_json *list; /* NULL: it is in its place */
	} *parts;          /* of the answer */
	size_t nparts;
} asking;

static void
put_query(sat_buf *b, const sat_json *query)
{
	char sep = '?';

	for (const sat_json *m = sat_json_first(query); m != NULL;
	     m = sat_json_next(m)) {
		bool list = sat_json_type(m) == SAT_J_ARR;
		const sat_json *v = list ? sat_json_first(m) : m;

		for (; v != NULL; v = list ? sat_json_next(v) : NULL) {
			sat_buf_fmt(b, "%c", sep);
			sat_http_escape(b, sat_json_key(m));
			sat_buf_str(b, list ? "%5B%5D=" : "=");
			sat_http_escape(b, sat_json_str(v, ""));
			sep = '&';
		}
	}
}

static void
put_path(sat_buf *b, const char *path)
{
	for (const char *p = path; *p != '\0';) {
		size_t n = strcspn(p, "/");
		char *part = sat_xasprintf("%.*s", (int)n, p);

		sat_http_escape(b, part);
		free(part);
		p += n;
		if (*p == '/')
			sat_write_u8(b, (uint8_t)*p++);
	}
}

/* What the work wrote: rows that have standard output to themselves. */
static void
put_output(cli *c, const char *hex)
{
	size_t n = strlen(hex) / 2;
	uint8_t *bytes = sat_xmalloc(n + 1);

	if (sat_unhex(bytes, n, hex, 2 * n))
		sat_buf_add(&c->out, bytes, n);
	cli_flush(c);
	free(bytes);
}

/* The list of this name, as far as it has come; NULL. */
static sat_json **
part_of(asking *a, const char *member)
{
	for (size_t i = 0; i < a->nparts; i++)
		if (strcmp(a->parts[i].member, member) == 0)
			return &a->parts[i].list;
	return NULL;
}

static void
take_part(asking *a, const sat_json *line)
{
	const char *member = sat_json_get_str(line, "member", "");
	sat_json **list = part_of(a, member);

	if (list == NULL) {
		if (a->nparts == PARTS_MAX) {
			a->unread = true;
			return;
		}
		a->parts = sat_xrealloc(a->parts, (a->nparts + 1) *
		    sizeof *a->parts);
		a->parts[a->nparts].member = sat_xstrdup(member);
		list = &a->parts[a->nparts++].list;
		*list = sat_json_arr();
	}
	for (const sat_json *x = sat_json_first(sat_json_get(line, "values"));
	     x != NULL; x = sat_json_next(x))
		sat_json_add(*list, sat_json_dup(x));
}

static void
on_line(asking *a)
{
	sat_json *line = NULL;
	const char *type;

	if (a->line.n == 0)
		return;
	if (sat_json_parse(&line, sat_buf_span(&a->line), 0, NULL) != SAT_OK) {
		a->unread = true;
		return;
	}
	type = sat_json_get_str(line, "type", "");
	/* What waits (jobs, uploads) has one document for everybody. */
	if (type[0] == '\0' || strncmp(type, "urn:", 4) == 0)
		a->streams = false;
	if (strcmp(type, "answer") == 0 || !a->streams) {
		sat_json_free(a->answer);
		a->answer = line;
		return;
	}
	if (strcmp(type, "part") == 0)
		take_part(a, line);
	else if (strcmp(type, "output") == 0)
		put_output(a->c, sat_json_get_str(line, "hex", ""));
	else
		cli_event(a->c, line);
	sat_json_free(line);
}

static void
on_piece(void *u, sat_span piece)
{
	asking *a = u;

	while (piece.n > 0) {
		const uint8_t *end = memchr(piece.p, '\n', piece.n);
		size_t n = end != NULL ? (size_t)(end - piece.p) : piece.n;

		sat_buf_add(&a->line, piece.p, n);
		if (end == NULL)
			return;
		on_line(a);
		sat_buf_reset(&a->line);
		piece = sat_span_of(end + 1, piece.n - n - 1);
	}
}

static void
ignore(void *u, sat_span piece)
{
	(void)u;
	(void)piece;
}

/* Ctrl-C: the work is asked to end, and its answer is still waited for. */
static bool
on_wait(void *u)
{
	asking *a = u;
	sat_http_client *h = NULL;
	int status;

	if (cli_signal() == 0 || a->told)
		return false;
	a->told = true;
	if (sat_http_dial(&h, a->c->socket, NULL) == SAT_OK) {
		char *target = sat_xasprintf("/v1/jobs/%s", a->name);
		sat_http_ask ask = { .method = "DELETE", .target = target,
			.headers = "" };

		if (sat_http_request_send(h, &status, &ask, ignore, NULL, NULL,
		    NULL) != SAT_OK)
			a->told = false; /* next time */
		free(target);
	}
	sat_http_hangup(h);
	return false;
}

static sat_rc
problem_of(const sat_json *p, sat_rc rc, sat_err *e)
{
	const char *hint = sat_json_get_str(p, "hint", "");

	(void)sat_fail_code(e, rc, sat_json_get_str(p, "code", ""),
	    hint[0] != '\0' ? hint : NULL, "%s",
	    sat_json_get_str(p, "detail", ""));
	for (const sat_json *f = sat_json_first(sat_json_get(p, "fields"));
	     f != NULL; f = sat_json_next(f))
		sat_err_field_add(e, sat_json_get_str(f, "path", ""),
		    sat_json_get_str(f, "code", ""));
	return rc;
}

/* The lists that came ahead of it in their places. `at` has the names that lead to
 * doc, a dot behind each. */
static void
put_whole(sat_json *out, asking *a, const sat_json *doc, sat_buf *at)
{
	size_t n = at->n;
	sat_json **list;

	for (const sat_json *m = sat_json_first(doc); m != NULL;
	     m = sat_json_next(m)) {
		const char *key = sat_json_key(m);

		at->n = n;
		sat_buf_str(at, key);
		list = part_of(a, sat_buf_cstr(at));
		sat_buf_str(at, ".");
		if (list != NULL && *list != NULL) {
			sat_json_put(out, key, *list);
			*list = NULL;
		} else if (sat_json_type(m) == SAT_J_OBJ) {
			put_whole(sat_json_put_obj(out, key), a, m, at);
		} else {
			sat_json_put(out, key, sat_json_dup(m));
		}
	}
	at->n = n;
}

static sat_json *
whole(asking *a, const sat_json *doc)
{
	sat_json *out = sat_json_obj();
	sat_buf at = { 0 };

	put_whole(out, a, doc, &at);
	sat_buf_fini(&at);
	return out;
}

/* Together with an answer, too: what was done only in part. */
static sat_rc
take_streamed(sat_json **answer, asking *a, sat_err *e)
{
	const sat_json *line = a->answer;
	sat_rc rc = (sat_rc)sat_json_get_int(line, "rc", SAT_EFAIL);
	const sat_json *doc = sat_json_get(line, "answer");

	*answer = doc == NULL ? NULL : a->nparts == 0 ? sat_json_dup(doc) :
	    whole(a, doc);
	return rc == SAT_OK ? rc : problem_of(sat_json_get(line, "problem"),
	    rc, e);
}

/* The exit code of a problem is its rc: the two are one table. */
static sat_rc
take_plain(sat_json **answer, const sat_json *doc, int status, sat_err *e)
{
	if (status >= 400)
		return problem_of(doc, (sat_rc)sat_json_get_int(doc, "exit",
		    SAT_EFAIL), e);
	*answer = sat_json_dup(doc);
	return SAT_OK;
}

static void
put_headers(sat_buf *b, const asking *a)
{
	char *cwd = getcwd(NULL, 0);

	if (a->streams)
		sat_buf_str(b, "Accept: application/x-ndjson\r\n"
		    "Satchel-Parts: 1\r\n");
	sat_buf_fmt(b, "Accept-Language: %s\r\nSatchel-Job: %s\r\n",
	    a->c->lang, a->name);
	if (cwd != NULL && strpbrk(cwd, "\r\n") == NULL)
		sat_buf_fmt(b, "Satchel-Cwd: %s\r\n", cwd);
	free(cwd);
}

sat_rc
cli_remote_ask(sat_json **answer, cli *c, const char *method, const char *path,
    const sat_json *query, const sat_json *body, sat_err *e)
{
	sat_buf target = { 0 }, headers = { 0 }, text = { 0 };
	sat_http_client *h = NULL;
	sat_http_ask ask = { .method = method };
	asking a = { .c = c, .streams = strncmp(path, "/v1/session/", 12) != 0 };
	uint8_t name[16];
	int status;
	sat_rc rc;

	*answer = NULL;
	sat_random(name, sizeof name);
	sat_hex(a.name, name, sizeof name);
	put_path(&target, path);
	put_query(&target, query);
	put_headers(&headers, &a);
	if (body != NULL)
		sat_json_write(&text, body, false);
	ask.target = sat_buf_cstr(&target);
	ask.headers = sat_buf_cstr(&headers);
	ask.body = sat_buf_span(&text);
	if ((rc = sat_http_dial(&h, c->socket, e)) == SAT_OK)
		rc = sat_http_request_send(h, &status, &ask, on_piece, on_wait,
		    &a, e);
	if (rc == SAT_OK && a.unread)
		rc = sat_fail_code(e, SAT_EPROTO, "daemon.unread",
		    "look whether it was done: satchel log",
		    "an answer of the daemon could not be read");
	else if (rc == SAT_OK && a.answer == NULL)
		rc = sat_fail(e, SAT_EPROTO, "the daemon gave no answer (%d)",
		    status);
	else if (rc == SAT_OK && a.streams)
		rc = take_streamed(answer, &a, e);
	else if (rc == SAT_OK)
		rc = take_plain(answer, a.answer, status, e);
	sat_http_hangup(h);
	sat_json_free(a.answer);
	for (size_t i = 0; i < a.nparts; i++) {
		sat_json_free(a.parts[i].list);
		free(a.parts[i].member);
	}
	free(a.parts);
	sat_wipe(text.p, text.n); /* a passphrase, perhaps */
	sat_buf_fini(&text);
	sat_buf_fini(&a.line);
	sat_buf_fini(&target);
	sat_buf_fini(&headers);
	return rc;
}

/* ---- the template ---------------------------------------------------------------------- */

static sat_template *
template_of(const sat_json *doc)
{
	const sat_json *data = sat_json_get(doc, "data");
	size_t n = sat_json_count(data), i = 0;
	sat_template_file *f = sat_xcalloc(n + 1, sizeof *f);
	sat_buf *bytes = sat_xcalloc(n + 1, sizeof *bytes);
	sat_template *t = NULL;

	for (const sat_json *x = sat_json_first(data); x != NULL;
	     x = sat_json_next(x), i++) {
		sat_json_write(&bytes[i], sat_json_get(x, "document"), false);
		f[i].path = sat_json_get_str(x, "path", "");
		f[i].bytes = sat_buf_span(&bytes[i]);
	}
	if (n > 0 && sat_template_load(&t, f, n, NULL) != SAT_OK)
		t = NULL;
	for (i = 0; i < n; i++)
		sat_buf_fini(&bytes[i]);
	free(bytes);
	free(f);
	return t;
}

/* Before the first sync there is no template: not a failure of its own. Nor is
 * a locked daemon to who asks how it is. */
sat_rc
cli_remote_begin(cli *c, sat_err *e)
{
	bool asks = c->args.nargs > 0 && strcmp(c->args.arg[0], "status") == 0;
	sat_json *doc = NULL;
	sat_rc rc = cli_remote_ask(&doc, c, "GET", "/v1/templates/files", NULL,
	    NULL, e);

	if (rc == SAT_OK)
		c->remote_template = template_of(doc);
	sat_json_free(doc);
	return rc == SAT_ENOREPLICA || (asks && rc == SAT_ELOCKED) ? SAT_OK : rc;
}

const sat_template *
cli_template(const cli *c)
{
	if (c->socket != NULL)
		return c->remote_template;
	return c->api.crm.replica != NULL
	    ? sat_replica_template(c->api.crm.replica)
	    : NULL;
}
