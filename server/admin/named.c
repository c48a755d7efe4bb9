/*
 * A device may be named by its number, or by the beginning of its id: what
 * `satchel status` shows as "device", `satcheld device list` as "key".
 */
#include "server/admin/admin_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ID_MIN 6 /* hex digits */

typedef struct search {
	const char *id;
	size_t n;
	uint32_t ord;
	unsigned found;
} search;

static bool
compare(void *u, const sat_sqlite_device *d)
{
	char hex[2 * SAT_SIGN_PK_BYTES + 1];
	search *s = u;

	sat_hex(hex, d->sign_pk.p, d->sign_pk.n < SAT_SIGN_PK_BYTES ?
	    d->sign_pk.n : SAT_SIGN_PK_BYTES);
	if (strlen(hex) >= s->n && strncmp(hex, s->id, s->n) == 0) {
		s->ord = d->ord;
		s->found++;
	}
	return true;
}

/* A number that is somebody's is that number, whatever ids there are. */
static bool
is_number(const sat_admin *a, const char *word)
{
	char *end;
	unsigned long n = strtoul(word, &end, 10);

	return *end == '\0' && n <= UINT32_MAX && sat_registry_device(
	    sat_server_registry(a->core), (uint32_t)n) != NULL;
}

sat_rc
admin_device_named(sat_admin *a, sat_args *w, char number[12], sat_err *e)
{
	search s = { .id = w->nargs > 2 ? w->arg[2] : "" };
	sat_rc rc;

	s.n = strlen(s.id);
	if (w->nargs > 1 && strcmp(w->arg[1], "uninvite") == 0)
		return SAT_OK; /* its id is an invitation's */
	if ((strcmp(w->arg[0], "device") != 0 && strcmp(w->arg[0], "lease") !=
	    0) || s.n < ID_MIN || strspn(s.id, "0123456789abcdef") != s.n ||
	    is_number(a, s.id))
		return SAT_OK;
	if ((rc = sat_sqlite_devices(a->store, compare, &s, e)) != SAT_OK)
		return rc;
	if (s.found == 0)
		return sat_fail_code(e, SAT_ENOTFOUND, "not_found",
		    "see: satcheld device list", "no device %.64s", s.id);
	if (s.found > 1)
		return sat_fail_code(e, SAT_EUSAGE, "usage.id",
		    "write more of it: satcheld device list",
		    "%u devices begin with %.64s", s.found, s.id);
	(void)snprintf(number, 12, "%u", s.ord);
	w->arg[2] = number;
	return SAT_OK;
}
