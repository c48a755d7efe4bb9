/*
 * satchel: the client of everyone. What the words do is in client/cli.
 */
#include "client/cli/cli.h"

int
main(int argc, char **argv)
{
	return sat_cli_main(argc, argv);
}
