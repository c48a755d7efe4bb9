/*
 * satchel: the client of everyone. What the words do is in client/cli; what
 * `satchel daemon` answers, in client/http.
 */
#include "client/cli/cli.h"
#include "client/http/daemon.h"

static sat_rc
run_daemon(const sat_cli_daemon *d, sat_span passphrase, sat_err *e)
{
	sat_daemon_opts o = { d->socket_path, d->no_sync, d->no_timer, d->kiosk,
		d->open, d->close, d->ready, d->u };

	return sat_daemon_run(&o, passphrase, e);
}

int
main(int argc, char **argv)
{
	return sat_cli_main(argc, argv, run_daemon);
}
