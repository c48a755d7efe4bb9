/*
 * Long answers on a terminal go through a pager, as git does it: log, show and
 * help. The answer is whole before the pager starts, so one that cannot be
 * started costs nothing: the answer is printed as it is.
 */
#include "client/cli/cli_int.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

bool
cli_is_paged(const cli_verb *v)
{
	return v == NULL /* help */ || strcmp(v->noun, "log") == 0 ||
	    strcmp(v->noun, "show") == 0 ||
	    (v->verb != NULL && strcmp(v->verb, "show") == 0);
}

static const char *
usual(void)
{
	return access("/usr/bin/less", X_OK) == 0 ||
	    access("/bin/less", X_OK) == 0 ? "less" : "";
}

/* NULL: none. Empty and "cat" say so, too. */
static const char *
program(const cli *c)
{
	const char *v = cli_choice(c, NULL, "PAGER", "core.pager");

	if (!c->tty_out || c->quiet || sat_args_has(&c->args, "no-pager"))
		return NULL;
	if (v == NULL)
		v = usual();
	return v[0] != '\0' && strcmp(v, "cat") != 0 ? v : NULL;
}

/* less leaves short texts alone, keeps colours, and clears nothing. */
static void
become_pager(const char *line, const int p[2])
{
	(void)dup2(p[0], STDIN_FILENO);
	(void)close(p[0]);
	(void)close(p[1]);
	(void)setenv("LESS", "FRX", 0);
	(void)execl("/bin/sh", "sh", "-c", line, (char *)NULL);
	_exit(127);
}

/* Who has seen enough ends the pager; that is no failure. */
static void
feed(int fd, const sat_buf *b)
{
	size_t at = 0;

	while (at < b->n) {
		ssize_t k = write(fd, b->p + at, b->n - at);

		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return;
		at += (size_t)k;
	}
}

void
cli_page(cli *c)
{
	const char *line = program(c);
	struct sigaction ignore = { .sa_handler = SIG_IGN }, was;
	int p[2], status = 0;
	pid_t pid;

	if (line == NULL || c->out.n == 0 || pipe(p) != 0)
		return;
	if ((pid = fork()) == 0)
		become_pager(line, p);
	(void)close(p[0]);
	(void)sigaction(SIGPIPE, &ignore, &was);
	if (pid > 0)
		feed(p[1], &c->out);
	(void)close(p[1]);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	(void)sigaction(SIGPIPE, &was, NULL);
	/* 126, 127: the shell could not start it */
	if (pid > 0 && !(WIFEXITED(status) && WEXITSTATUS(status) >= 126))
		sat_buf_reset(&c->out);
}
