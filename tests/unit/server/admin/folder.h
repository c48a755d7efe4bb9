/* A server's folder, opened, for one test each. */
#ifndef TESTS_UNIT_SERVER_ADMIN_FOLDER_H
#define TESTS_UNIT_SERVER_ADMIN_FOLDER_H

#include "tests/lib/unit.h"

#include "server/admin/admin_int.h"

#define PHRASE "a passphrase of the test"

static char *top, *dir;
static sat_admin *admin;
static sat_err err;

static int
start(void **state)
{
	(void)state;
	sat_crypto_init();
	top = sat_test_dir();
	dir = sat_xasprintf("%s/server", top);
	assert_ok(sat_admin_init(dir, "Test", "admin", NULL,
	    sat_span_str(PHRASE), &err));
	assert_ok(sat_admin_open(&admin, dir, sat_span_str(PHRASE), &err));
	return 0;
}

static int
end(void **state)
{
	(void)state;
	sat_admin_close(admin);
	sat_test_rmdir(top);
	free(dir);
	return 0;
}

#endif
