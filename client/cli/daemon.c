/*
 * daemon, lock, unlock: a process of its own for the replica.
 */
#include "client/cli/cli_int.h"
#include "client/sync/wipe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

const sat_opt cli_daemon_options[] = {
	{ "foreground", 0, NULL, "do not go to the background" },
	{ "no-sync", 0, NULL, "exchange with the server only when asked to" },
	{ "listen", 0, "127.0.0.1:PORT", "answer there too, to who has a token" },
	{ "port-file", 0, "FILE", "write the port's number there" },
	{ "no-http", 0, NULL, "at no port, not even for satchel open" },
	{ "no-timer", 0, NULL, "make no tasks or reports unasked" },
	{ "kiosk", 0, NULL, "of a machine that visitors use (kiosk run)" },
	{ NULL, 0, NULL, NULL },
};

typedef struct life {
	cli *c;
	int ready_fd; /* the waiting parent's; -1 in the foreground */
	bool kiosk;
	bool child;   /* we are the daemon's own process, and it has ended */
} life;

/* ---- called on the daemon's worker ------------------------------------------------ */

static sat_rc
on_open(void *u, sat_api *api, sat_span passphrase, sat_err *e)
{
	life *l = u;
	sat_rc rc = cli_open_with(l->c, passphrase, e);

	if (rc == SAT_OK && l->kiosk && strcmp(sat_replica_identity_get(
	    l->c->api.crm.replica)->role, "kiosk") != 0)
		rc = sat_fail_code(e, SAT_EDENIED, "kiosk.role",
		    "enrol it as a user of the role kiosk",
		    "this device is not a kiosk's");
	if (rc == SAT_OK) {
		*api = l->c->api;
		api->sync.timeout_ms = 15000;
	}
	return rc;
}

static void
on_close(void *u, sat_api *api)
{
	life *l = u;

	if (sat_replica_wipe_due(api->crm.replica)) {
		(void)(sat_wipe_carry_out(l->c->home, api->crm.replica,
		    api->keyring, &api->sync, NULL) == SAT_OK);
	} else {
		sat_replica_close(api->crm.replica);
		sat_keyring_close(api->keyring);
	}
	l->c->api.crm.replica = NULL;
	l->c->keyring = NULL;
}

/* The child's words go where somebody can read them later. */
static void
leave_terminal(const cli *c)
{
	char *log = sat_xasprintf("%s/daemon.log", c->home);
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int out = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	(void)setsid();
	(void)dup2(null, STDIN_FILENO);
	(void)dup2(null, STDOUT_FILENO);
	(void)dup2(out >= 0 ? out : null, STDERR_FILENO);
	free(log);
}

static void
on_ready(void *u)
{
	life *l = u;
	uint8_t good = 1;

	if (l->ready_fd < 0)
		return;
	leave_terminal(l->c);
	while (write(l->ready_fd, &good, 1) < 0 && errno == EINTR)
		;
	(void)close(l->ready_fd);
	l->ready_fd = -1;
}

/* ---- starting --------------------------------------------------------------------- */

/* The session's folder for sockets; the replica's is there already. */
static void
make_parent(const char *path)
{
	char *dir = sat_xstrdup(path), *slash = strrchr(dir, '/');

	if (slash != NULL && slash != dir) {
		*slash = '\0';
		(void)mkdir(dir, 0700);
	}
	free(dir);
}

/* Never another address: what answers there is everything this user may see. */
static sat_rc
listen_at(sat_cli_daemon *d, const char *at, sat_err *e)
{
	static const char host[] = "127.0.0.1:";
	const size_t n = sizeof host - 1;
	unsigned long port;
	char *end;

	if (at != NULL && d->no_http)
		return sat_fail_code(e, SAT_EUSAGE, "usage.listen", NULL,
		    "--listen and --no-http are each other's contrary");
	if (at == NULL)
		return d->port_file == NULL ? SAT_OK : sat_fail_code(e,
		    SAT_EUSAGE, "usage.listen", "--listen 127.0.0.1:0",
		    "--port-file without --listen");
	if (strncmp(at, host, n) == 0 && at[n] >= '0' && at[n] <= '9') {
		port = strtoul(at + n, &end, 10);
		if (*end == '\0' && port <= 65535) {
			d->listen = true;
			d->port = (unsigned)port;
			return SAT_OK;
		}
	}
	return sat_fail_code(e, SAT_EUSAGE, "usage.listen",
	    "127.0.0.1:0 takes any port that is free",
	    "the daemon listens at 127.0.0.1 and nowhere else");
}

static sat_rc
serve(cli *c, life *l, sat_span phrase, sat_err *e)
{
	char *path = cli_socket_path(c), *home = realpath(c->home, NULL);
	sat_cli_daemon d = { .socket_path = path,
		.no_sync = sat_args_has(&c->args, "no-sync"),
		.no_timer = l->kiosk || sat_args_has(&c->args, "no-timer"),
		.no_http = sat_args_has(&c->args, "no-http"),
		.kiosk = l->kiosk, .port_file = sat_args_get(&c->args,
		"port-file"), .open = on_open,
		.close = on_close, .ready = on_ready, .u = l };
	sat_rc rc = listen_at(&d, sat_args_get(&c->args, "listen"), e);

	if (rc != SAT_OK) {
		free(path);
		free(home);
		return rc;
	}
	if (home != NULL) { /* the worker changes its working directory */
		free(c->home);
		c->home = home;
	}
	make_parent(path);
	rc = c->daemon(&d, phrase, e);
	free(path);
	return rc;
}

/*
 * The parent waits until the child answers requests. A child that cannot has
 * said why on the terminal; its exit code is ours.
 */
static sat_rc
background(cli *c, life *l, sat_span phrase, sat_err *e)
{
	int p[2], status = 0;
	uint8_t good = 0;
	pid_t pid;

	if (pipe2(p, O_CLOEXEC) != 0 || (pid = fork()) < 0)
		return sat_fail(e, SAT_EFAIL, "cannot start a process: %s",
		    strerror(errno));
	if (pid == 0) {
		(void)close(p[0]);
		l->ready_fd = p[1];
		l->child = true;
		return serve(c, l, phrase, e);
	}
	(void)close(p[1]);
	while (read(p[0], &good, 1) < 0 && errno == EINTR)
		;
	(void)close(p[0]);
	if (good == 1) {
		cli_say(c, "the daemon runs, process %d\n", (int)pid);
		return SAT_OK;
	}
	if (waitpid(pid, &status, 0) == pid && WIFEXITED(status))
		_exit(WEXITSTATUS(status));
	return sat_fail(e, SAT_EFAIL, "the daemon ended before it began");
}

static sat_rc
run_life(life *l, bool foreground, sat_err *e)
{
	cli *c = l->c;
	sat_buf phrase = { 0 };
	sat_span s;
	sat_rc rc;

	if ((rc = cli_need_replica(c, e)) != SAT_OK ||
	    (rc = cli_passphrase(&phrase, c, "passphrase-file", "Passphrase",
	         false, e)) != SAT_OK)
		return rc;
	s = sat_buf_span(&phrase);
	rc = foreground ? serve(c, l, s, e) : background(c, l, s, e);
	sat_wipe(phrase.p, phrase.n);
	sat_buf_fini(&phrase);
	return rc;
}

sat_rc
cli_daemon_run(cli *c, bool kiosk, sat_err *e)
{
	life l = { c, -1, kiosk, false };

	if (cli_reach(c))
		return sat_fail_code(e, SAT_EBUSY, "daemon.runs", NULL,
		    "a daemon runs already, at %s", c->socket);
	return run_life(&l, sat_args_has(&c->args, "foreground"), e);
}

sat_rc
cli_daemon_need(bool *child, cli *c, sat_err *e)
{
	life l = { c, -1, false, false };
	sat_rc rc;

	*child = false;
	if (cli_reach(c))
		return SAT_OK;
	rc = run_life(&l, false, e);
	*child = l.child;
	if (rc != SAT_OK || l.child)
		return rc;
	return cli_reach(c) ? SAT_OK : sat_fail(e, SAT_EUNREACHABLE,
	    "the daemon does not answer");
}

static sat_rc
run_daemon(cli *c, sat_err *e)
{
	return cli_daemon_run(c, sat_args_has(&c->args, "kiosk"), e);
}

/* ---- lock, unlock -------------------------------------------------------------------- */

static sat_rc
no_daemon(sat_err *e)
{
	return sat_fail_code(e, SAT_EUNREACHABLE, "daemon.none",
	    "without one every command asks for the passphrase",
	    "no daemon runs for this replica");
}

static sat_rc
session(cli *c, const char *path, const sat_span *phrase, sat_json **answer,
    sat_err *e)
{
	sat_json *body = sat_json_obj(), *doc = NULL;
	sat_rc rc;

	if (phrase != NULL)
		sat_json_put_strn(body, "passphrase", *phrase);
	rc = cli_remote_ask(&doc, c, "POST", path, NULL, body, e);
	if (answer != NULL)
		*answer = doc;
	else
		sat_json_free(doc);
	sat_json_free(body);
	return rc;
}

sat_rc
cli_remote_passwd(cli *c, sat_span phrase, sat_err *e)
{
	return session(c, "/v1/session/passphrase", &phrase, NULL, e);
}

static sat_rc
done(cli *c, sat_json *doc, sat_rc rc)
{
	if (rc == SAT_OK && cli_is_json(c))
		cli_print_json(c, doc);
	sat_json_free(doc);
	return rc;
}

static sat_rc
run_lock(cli *c, sat_err *e)
{
	sat_json *doc = NULL;
	sat_rc rc;

	if (!cli_reach(c))
		return no_daemon(e);
	rc = session(c, "/v1/session/lock", NULL, &doc, e);
	return done(c, doc, rc);
}

static sat_rc
run_unlock(cli *c, sat_err *e)
{
	sat_buf phrase = { 0 };
	sat_json *doc = NULL;
	sat_span s;
	sat_rc rc;

	if (!cli_reach(c))
		return no_daemon(e);
	if ((rc = cli_passphrase(&phrase, c, "passphrase-file", "Passphrase",
	         false, e)) == SAT_OK) {
		s = sat_buf_span(&phrase);
		rc = session(c, "/v1/session/unlock", &s, &doc, e);
	}
	sat_wipe(phrase.p, phrase.n);
	sat_buf_fini(&phrase);
	return done(c, doc, rc);
}

const cli_verb cli_daemon_verbs[] = {
	{ "daemon", NULL, run_daemon, cli_daemon_options,
	    "daemon [--foreground] [--no-sync] [--socket FILE]",
	    "own the replica, stay connected, answer on a socket",
	    "  satchel daemon\n  satchel status\n  satchel lock\n", true },
	{ "lock", NULL, run_lock, NULL, "lock",
	    "the daemon closes the replica and forgets its keys", NULL, true },
	{ "unlock", NULL, run_unlock, NULL, "unlock",
	    "the daemon opens it again", NULL, true },
};
const size_t cli_daemon_nverbs =
    sizeof cli_daemon_verbs / sizeof cli_daemon_verbs[0];
