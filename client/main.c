/*
 * satchel: the client of everyone. What the words do is in client/cli; what
 * `satchel daemon` answers, in client/http.
 */
#include "client/cli/cli.h"
#include "client/http/daemon.h"

static sat_rc
run_daemon(const sat_cli_daemon *d, sat_span passphrase, sat_err *e)
{
	sat_daemon_opts o = { .socket_path = d->socket_path,
		.no_sync = d->no_sync, .no_timer = d->no_timer,
		.listen = d->listen, .no_http = d->no_http, .port = d->port,
		.port_file = d->port_file, .kiosk = d->kiosk,
		.open = d->open, .close = d->close, .ready = d->ready,
		.u = d->u };

	return sat_daemon_run(&o, passphrase, e);
}

int
main(int argc, char **argv)
{
	return sat_cli_main(argc, argv, run_daemon);
}
