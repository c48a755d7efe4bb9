/*
 * cli.h - the command line: words in, the route table called, text out.
 *
 * stdout carries data, stderr messages. On a terminal a table, else the same
 * columns tab-separated; --json one document. Exit codes: common/base/err.h.
 */
#ifndef SAT_CLI_CLI_H
#define SAT_CLI_CLI_H

#include "client/api/api.h"

/* What `satchel daemon` needs of the room beside this one (client/http), handed
 * in by main: see sat_daemon_opts there. */
typedef struct sat_cli_daemon {
	const char *socket_path;
	bool no_sync, no_timer, kiosk;
	bool listen;           /* at a port of 127.0.0.1 too */
	bool no_http;          /* at no port, not even for `satchel open` */
	unsigned port;         /* 0 = any that is free */
	const char *port_file; /* NULL = none */
	sat_rc (*open)(void *u, sat_api *api, sat_span passphrase, sat_err *e);
	void (*close)(void *u, sat_api *api);
	void (*ready)(void *u);
	void *u;
} sat_cli_daemon;
typedef sat_rc (*sat_cli_daemon_fn)(const sat_cli_daemon *d, sat_span passphrase,
    sat_err *e);

/* The whole program; returns the exit code. */
int sat_cli_main(int argc, char **argv, sat_cli_daemon_fn run_daemon);

#endif
