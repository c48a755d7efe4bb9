/*
 * What goes to stderr, and when: messages after the data they speak of, a
 * progress line that leaves no trace, questions only where somebody answers.
 */
#include "client/cli/cli_int.h"

#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#define PROGRESS_AFTER_MS 400
#define PROGRESS_TTY_MS 100
#define PROGRESS_PIPE_MS 10000

void
cli_flush(cli *c)
{
	if (c->paging)
		return;
	if (c->out.n > 0 &&
	    (fwrite(c->out.p, 1, c->out.n, stdout) != c->out.n ||
	        fflush(stdout) != 0))
		c->out_failed = true;
	sat_buf_reset(&c->out);
}

void
cli_say(cli *c, const char *fmt, ...)
{
	va_list ap;

	if (c->quiet || cli_is_json(c)) /* a program reads the document */
		return;
	cli_flush(c);
	cli_progress_end(c);
	va_start(ap, fmt);
	(void)vfprintf(stderr, sat_text(fmt), ap);
	va_end(ap);
}

static void
complain_json(const sat_err *e, sat_rc rc)
{
	sat_json *d = sat_json_obj(), *fields;
	sat_buf b = { 0 };

	sat_json_put_str(d, "type", "error");
	sat_json_put_str(d, "code",
	    e->code[0] != '\0' ? e->code : sat_rc_slug(rc));
	sat_json_put_int(d, "exit", cli_signal() != 0 ? 128 + cli_signal() :
	    sat_rc_exit(rc)); /* as the program will end */
	sat_json_put_str(d, "title", sat_rc_slug(rc));
	sat_json_put_str(d, "detail", e->text);
	fields = sat_json_put_arr(d, "fields");
	for (unsigned i = 0; i < e->nfields; i++) {
		sat_json *f = sat_json_add_obj(fields);

		sat_json_put_str(f, "path", e->fields[i].path);
		sat_json_put_str(f, "code", e->fields[i].code);
	}
	sat_json_put_str(d, "hint", e->hint);
	sat_json_write(&b, d, false);
	(void)fprintf(stderr, "%s\n", sat_buf_cstr(&b));
	sat_buf_fini(&b);
	sat_json_free(d);
}

/* What a code of the gate means to who typed the value. */
static const char *
in_words(const char *code)
{
	static const char *const words[][2] = {
		{ "required", N_("must be given") },
		{ "type", N_("is not a value of this field") },
		{ "option", N_("is not among the options: satchel dict NAME") },
		{ "pattern", N_("does not have the expected form") },
		{ "length", N_("is too short or too long") },
		{ "range", N_("is outside the allowed range") },
		{ "stage", N_("cannot follow the present stage") },
		{ "policy", N_("cannot be changed this way") },
		{ "append_only", N_("never changes") },
		{ "retired", N_("takes no new values") },
		{ "unknown", N_("is no field: satchel schema KIND") },
	};

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strcmp(words[i][0], code) == 0)
			return words[i][1];
	return "";
}

static void
say_message(const char *before, const char *text)
{
	sat_buf b = { 0 };

	sat_text_message(&b, text);
	(void)fprintf(stderr, "%s%s\n", before, sat_buf_cstr(&b));
	sat_buf_fini(&b);
}

int
cli_complain(cli *c, const sat_err *e, sat_rc rc)
{
	size_t width = 0;

	cli_flush(c);
	cli_progress_end(c);
	if (cli_is_json(c)) {
		complain_json(e, rc);
		return sat_rc_exit(rc);
	}
	say_message("satchel: ", e->text[0] != '\0' ? e->text : sat_rc_slug(rc));
	for (unsigned i = 0; i < e->nfields; i++)
		if (strlen(e->fields[i].path) > width)
			width = strlen(e->fields[i].path);
	for (unsigned i = 0; i < e->nfields; i++) {
		bool option = strcmp(e->fields[i].code, "option") == 0 &&
		    c->options[i][0] != '\0';

		(void)fprintf(stderr, "  %-*s  %-11s %s%s\n", (int)width,
		    e->fields[i].path, e->fields[i].code, option ?
		    _("is not one of those listed by: satchel ") :
		    sat_text(in_words(e->fields[i].code)),
		    option ? c->options[i] : "");
	}
	if (e->hint[0] != '\0')
		say_message("  ", e->hint);
	return sat_rc_exit(rc);
}

sat_rc
cli_confirm(cli *c, const char *question, sat_err *e)
{
	char answer[8] = "";

	if (c->yes)
		return SAT_OK;
	if (c->no_input || !isatty(STDIN_FILENO))
		return sat_fail_code(e, SAT_EUSAGE, "usage.confirm",
		    "repeat with --yes", "this needs a confirmation");
	cli_flush(c);
	(void)fprintf(stderr, "%s [y/N] ", sat_text(question));
	(void)fflush(stderr);
	if (fgets(answer, sizeof answer, stdin) == NULL) {
		(void)fputc('\n', stderr);
		return sat_fail(e, SAT_EFAIL, "not confirmed; nothing is changed");
	}
	if (answer[0] == 'y' || answer[0] == 'Y')
		return SAT_OK;
	return sat_fail(e, SAT_EFAIL, "not confirmed; nothing is changed");
}

/* ---- signals ------------------------------------------------------------------ */

static volatile sig_atomic_t caught;

static void
on_signal(int sig)
{
	caught = sig;
}

/* The first asks for an orderly end, a second one ends at once. No SA_RESTART:
 * a prompt must not wait on. */
void
cli_signals(void)
{
	struct sigaction sa = { .sa_handler = on_signal,
		.sa_flags = (int)SA_RESETHAND };

	(void)sigaction(SIGINT, &sa, NULL);
	(void)sigaction(SIGTERM, &sa, NULL);
}

int
cli_signal(void)
{
	return caught;
}

bool
cli_interrupted(void *u)
{
	(void)u;
	return caught != 0;
}

/* ---- long work ------------------------------------------------------------------ */

void
cli_progress_end(cli *c)
{
	if (!c->progress_shown)
		return;
	c->progress_shown = false;
	(void)fputs("\r\033[K", stderr);
	(void)fflush(stderr);
}

static void
import_progress(sat_buf *b, const sat_json *line, int64_t spent)
{
	int64_t rows = sat_json_get_int(line, "rows", 0);
	int64_t done = sat_json_get_int(line, "bytes", 0);
	int64_t total = sat_json_get_int(line, "total_bytes", 0);

	sat_buf_fmt(b, _("%lld rows"), (long long)rows);
	if (total > 0 && done > 0 && done <= total)
		sat_buf_fmt(b, "  %lld%%", (long long)(done * 100 / total));
	if (spent > 0)
		sat_buf_fmt(b, "  %lld/s", (long long)(rows * 1000 / spent));
	if (total > 0 && done > 0 && done < total)
		sat_buf_fmt(b, _("  %llds left"),
		    (long long)((total - done) * spent / done / 1000));
}

static void
progress_line(cli *c, const sat_json *line, int64_t now)
{
	sat_buf b = { 0 };

	if (sat_json_get(line, "rows") != NULL)
		import_progress(&b, line, now - c->started_ms);
	else
		sat_buf_fmt(&b, _("%lld sent  %lld records  %lld commits received"),
		    (long long)sat_json_get_int(line, "pushed", 0),
		    (long long)sat_json_get_int(line, "records", 0),
		    (long long)sat_json_get_int(line, "commits", 0));
	(void)fprintf(stderr, c->tty_err ? "\r%s\033[K" : "%s\n",
	    sat_buf_cstr(&b));
	(void)fflush(stderr);
	c->progress_shown = c->tty_err;
	sat_buf_fini(&b);
}

static void
progress(cli *c, const sat_json *line)
{
	bool json = cli_is_json(c);
	int64_t now = sat_boot_ms(&c->api.crm.clock);

	if (c->started_ms == 0)
		c->started_ms = now;
	if (now - c->last_progress_ms <
	    (json || c->tty_err ? PROGRESS_TTY_MS : PROGRESS_PIPE_MS))
		return;
	if (json && !c->lines)
		return;
	if (json) {
		c->last_progress_ms = now;
		sat_json_write(&c->out, line, false);
		sat_buf_str(&c->out, "\n");
		cli_flush(c);
	} else if (!c->quiet && now - c->started_ms >= PROGRESS_AFTER_MS &&
	    (c->tty_err || c->verbose > 0)) {
		c->last_progress_ms = now;
		progress_line(c, line, now);
	}
}

/* "column 'phone': pattern; field name: required": each with its code in words. */
static void
refused(cli *c, const sat_json *line)
{
	const char *part = sat_json_get_str(line, "reason", ""), *colon, *word;
	sat_buf b = { 0 };
	size_t n;

	for (; *part != '\0'; part += part[n] != '\0' ? n + 2 : n) {
		const char *end = strstr(part, "; ");
		char code[40] = "";

		n = end != NULL ? (size_t)(end - part) : strlen(part);
		colon = memrchr(part, ':', n);
		if (colon != NULL && colon[1] == ' ')
			(void)snprintf(code, sizeof code, "%.*s",
			    (int)(part + n - colon - 2), colon + 2);
		word = in_words(code);
		sat_buf_str(&b, b.n > 0 ? "; " : "");
		sat_buf_add(&b, part, *word != '\0' ? (size_t)(colon - part) : n);
		if (*word != '\0')
			sat_buf_fmt(&b, " %s", sat_text(word));
	}
	cli_say(c, "line %lld: not imported: %s\n",
	    (long long)sat_json_get_int(line, "line", 0), sat_buf_cstr(&b));
	sat_buf_fini(&b);
}

/* What a dry run would change, what `derive` chose, what was refused. */
static void
finding(cli *c, const sat_json *line)
{
	if (cli_is_json(c)) {
		sat_json_write(&c->out, line, false);
		sat_buf_str(&c->out, "\n");
		cli_flush(c);
	} else if (strcmp(sat_json_get_str(line, "type", ""), "refused") == 0) {
		refused(c, line);
	} else if (strcmp(sat_json_get_str(line, "type", ""), "derived") == 0) {
		cli_say(c, "%s: %s = %s\n", sat_json_get_str(line, "row", ""),
		    sat_json_get_str(line, "field", ""),
		    sat_json_get_str(line, "value", "—"));
	} else {
		cli_say(c, "row %lld: %s: \"%s\" -> \"%s\"\n",
		    (long long)sat_json_get_int(line, "row", 0),
		    sat_json_get_str(line, "field", ""),
		    sat_json_get_str(line, "before", ""),
		    sat_json_get_str(line, "after", ""));
	}
}

/* Progress: on a terminal after 400 ms, at most 10 a second; with --json one
 * line each on stdout; in a pipe with -v one line per 10 s. */
void
cli_event(void *u, const sat_json *line)
{
	cli *c = u;

	if (strcmp(sat_json_get_str(line, "type", ""), "progress") == 0)
		progress(c, line);
	else if (strcmp(sat_json_get_str(line, "type", ""), "sync") == 0)
		cli_synced(c, line);
	else if (strcmp(sat_json_get_str(line, "type", ""), "batch") != 0)
		finding(c, line); /* the summary names the batch */
}
