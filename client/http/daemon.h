/*
 * daemon.h - `satchel daemon`: one process owns the replica and answers HTTP on
 * a Unix socket; live sync runs beside.
 *
 * Threads: one worker, the only one that touches the replica, runs requests in
 * order; each connection has a thread that waits for it; the network has one
 * that hands the worker one transaction at a time. So a request waits for at
 * most one transaction of a sync, never for the network.
 */
#ifndef SAT_HTTP_DAEMON_H
#define SAT_HTTP_DAEMON_H

#include "client/api/api.h"

typedef struct sat_daemon_opts {
	const char *socket_path;
	bool no_sync;         /* exchange only when asked to */
	bool no_timer;        /* make no tasks or reports by itself */
	bool listen;          /* answer at a port of 127.0.0.1 too */
	bool no_http;         /* at no port, not even for `satchel open` */
	unsigned port;        /* 0 = any that is free */
	const char *port_file; /* gets the number; NULL = none */
	bool kiosk;           /* only what a visitor's page and its keeper need */
	/* On the worker. `api` then has replica, keyring, folder, profile. */
	sat_rc (*open)(void *u, sat_api *api, sat_span passphrase, sat_err *e);
	void (*close)(void *u, sat_api *api);
	/* Requests are answered from now on. */
	void (*ready)(void *u);
	void *u;
} sat_daemon_opts;

/* Serve until SIGTERM or SIGINT; nothing is half done then. */
SAT_CHECK sat_rc sat_daemon_run(const sat_daemon_opts *o, sat_span passphrase,
    sat_err *e);

#endif
