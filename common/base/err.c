#include "common/base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

sat_rc
sat_fail(sat_err *e, sat_rc rc, const char *fmt, ...)
{
	va_list ap;

	if (e == NULL)
		return rc;
	memset(e, 0, sizeof *e);
	e->rc = rc;
	va_start(ap, fmt);
	(void)vsnprintf(e->text, sizeof e->text, fmt, ap);
	va_end(ap);
	return rc;
}

sat_rc
sat_fail_code(sat_err *e, sat_rc rc, const char *code, const char *hint,
    const char *fmt, ...)
{
	va_list ap;

	if (e == NULL)
		return rc;
	memset(e, 0, sizeof *e);
	e->rc = rc;
	(void)snprintf(e->code, sizeof e->code, "%s", code);
	if (hint != NULL)
		(void)snprintf(e->hint, sizeof e->hint, "%s", hint);
	va_start(ap, fmt);
	(void)vsnprintf(e->text, sizeof e->text, fmt, ap);
	va_end(ap);
	return rc;
}

void
sat_err_hint(sat_err *e, const char *fmt, ...)
{
	va_list ap;

	if (e == NULL)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(e->hint, sizeof e->hint, fmt, ap);
	va_end(ap);
}

void
sat_err_field_add(sat_err *e, const char *path, const char *code)
{
	sat_err_field *f;

	if (e == NULL || e->nfields >= SAT_ERR_FIELDS_MAX)
		return;
	f = &e->fields[e->nfields++];
	(void)snprintf(f->path, sizeof f->path, "%s", path);
	(void)snprintf(f->code, sizeof f->code, "%s", code);
}

/* The one table: code, exit, HTTP status, slug. */
static const struct {
	sat_rc rc;
	int exit, http;
	const char *slug;
} codes[] = {
	{ SAT_OK, 0, 200, "ok" },
	{ SAT_EFAIL, 1, 500, "failed" },
	{ SAT_EUSAGE, 2, 400, "usage" },
	{ SAT_EPARTLY, 3, 200, "partly" },
	{ SAT_ELOCKED, 4, 401, "locked" },
	{ SAT_ENOTFOUND, 5, 404, "not_found" },
	{ SAT_ECONFLICT, 6, 409, "conflict" },
	{ SAT_EINVALID, 7, 422, "validation" },
	{ SAT_EUNREACHABLE, 8, 503, "unreachable" },
	{ SAT_EDENIED, 9, 403, "denied" },
	{ SAT_ENOREPLICA, 10, 404, "no_replica" },
	{ SAT_EBUSY, 11, 423, "busy" },
	{ SAT_EINTEGRITY, 12, 500, "integrity" },
	{ SAT_EVERSION, 13, 426, "version" },
	{ SAT_EREVOKED, 14, 403, "revoked" },
	{ SAT_ENOSPACE, 15, 507, "no_space" },
	{ SAT_EFALSE, 20, 200, "false" },
	{ SAT_ENOMEM, 1, 500, "no_memory" },
	{ SAT_EIO, 1, 500, "io" },
	{ SAT_EPROTO, 1, 400, "malformed" },
	{ SAT_EFSYNC, 1, 500, "fsync" },
};

#define NCODES (sizeof codes / sizeof codes[0])

int
sat_rc_exit(sat_rc rc)
{
	for (size_t i = 0; i < NCODES; i++)
		if (codes[i].rc == rc)
			return codes[i].exit;
	return 1;
}

int
sat_rc_http(sat_rc rc)
{
	for (size_t i = 0; i < NCODES; i++)
		if (codes[i].rc == rc)
			return codes[i].http;
	return 500;
}

const char *
sat_rc_slug(sat_rc rc)
{
	for (size_t i = 0; i < NCODES; i++)
		if (codes[i].rc == rc)
			return codes[i].slug;
	return "failed";
}
