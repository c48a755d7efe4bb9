/*
 * open: the pages in a browser. The link that leads there is good once and for
 * a minute; the daemon makes it, and is started when none runs.
 */
#include "client/cli/cli_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const sat_opt open_options[] = {
	{ "print", 0, NULL, "print the link, start no browser" },
	{ NULL, 0, NULL, NULL },
};

sat_rc
cli_open_link(sat_json **link, cli *c, const char *path, sat_err *e)
{
	sat_json *body = sat_json_obj();
	sat_rc rc;

	sat_json_put_str(body, "path", path);
	rc = cli_remote_ask(link, c, "POST", "/v1/session/links", NULL, body,
	    e);
	sat_json_free(body);
	return rc;
}

/* The desktop's own way to the browser a person likes. */
static sat_rc
start_browser(const char *url, sat_err *e)
{
	int status = 0, null;
	pid_t pid = fork();

	if (pid == 0) {
		null = open("/dev/null", O_RDWR | O_CLOEXEC);
		(void)dup2(null, STDIN_FILENO);
		(void)dup2(null, STDOUT_FILENO);
		(void)dup2(null, STDERR_FILENO);
		(void)execlp("xdg-open", "xdg-open", url, (char *)NULL);
		_exit(127);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return SAT_OK;
	return sat_fail_code(e, SAT_EFAIL, "open.browser",
	    "satchel open --print prints the link",
	    "no browser could be started");
}

static sat_rc
run_open(cli *c, sat_err *e)
{
	const char *path = c->args.nargs > 1 ? c->args.arg[1] : "/";
	bool child = false, print = sat_args_has(&c->args, "print");
	char *whole = sat_xasprintf("%s%s", path[0] == '/' ? "" : "/", path);
	sat_json *link = NULL;
	sat_rc rc = cli_daemon_need(&child, c, e);

	if (rc == SAT_OK && !child &&
	    (rc = cli_open_link(&link, c, whole, e)) == SAT_OK) {
		const char *url = sat_json_get_str(link, "url", "");

		if (!print && !cli_is_json(c))
			rc = start_browser(url, e);
		else if (cli_is_json(c))
			cli_print_json(c, link);
		else
			sat_buf_fmt(&c->out, "%s\n", url);
	}
	sat_json_free(link);
	free(whole);
	return rc;
}

const cli_verb cli_open_verbs[] = {
	{ "open", NULL, run_open, open_options, "open [PATH] [--print]",
	    "a one-time link into the pages, in the browser",
	    "  satchel open\n  satchel open /accounts --print\n", true },
};
const size_t cli_open_nverbs = sizeof cli_open_verbs /
    sizeof cli_open_verbs[0];
