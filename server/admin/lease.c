/*
 * lease.c - numbers in advance, for an administrator: who holds which, what a
 * finished month leaves unused, more for a device, and taking them back.
 */
#include "server/admin/admin_int.h"

#include <stdlib.h>
#include <string.h>

#define COUNT_DEFAULT 20
#define COUNT_MAX 10000

typedef struct lease_rows {
	sat_admin *a;
	sat_json *rows;
	bool gaps;
	char month[SAT_SERIES_TEXT]; /* now, six digits */
} lease_rows;

static const char *
state_of(const lease_rows *c, const sat_sqlite_lease *l)
{
	const char *month = l->lease.series + strlen(l->lease.series) - 6;

	if (l->lease.voided)
		return "void";
	if (l->over)
		return "replaced";
	return strcmp(month, c->month) < 0 ? "finished" : "open";
}

static bool
lease_row(void *u, const sat_sqlite_lease *l)
{
	lease_rows *c = u;
	uint64_t n = l->lease.last - l->lease.first + 1;
	const char *state = state_of(c, l);
	char text[SAT_NUMBER_TEXT];
	sat_json *row;

	if (c->gaps && (l->used == n || strcmp(state, "open") == 0))
		return true;
	row = sat_json_add_obj(c->rows);
	sat_json_put_str(row, "series", l->lease.series);
	sat_number_text(text, l->lease.series, l->lease.first);
	sat_json_put_str(row, "first", text);
	sat_number_text(text, l->lease.series, l->lease.last);
	sat_json_put_str(row, "last", text);
	sat_json_put_int(row, "device", l->lease.dev);
	sat_json_put_int(row, "used", (int64_t)l->used);
	sat_json_put_int(row, "unused", (int64_t)(n - l->used));
	sat_json_put_str(row, "state", state);
	sat_json_put_time(row, "granted", l->lease.granted_ms);
	return true;
}

static sat_rc
lease_list(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e)
{
	static const char *const cols[] = { "series", "first", "last", "device",
		"used", "unused", "state", NULL };
	lease_rows c = { .a = a, .gaps = sat_args_has(w, "gaps") };
	const sat_template *t = admin_template_at(a, a->tip.b);
	sat_json *doc = sat_json_obj();
	sat_rc rc;

	sat_number_series(c.month, "", sat_wall_ms(&a->clock),
	    t != NULL ? sat_template_tz_min(t) : 0);
	sat_json_put_str(doc, "schema", "satcheld/lease.list/1");
	c.rows = sat_json_put_arr(doc, "data");
	rc = sat_sqlite_leases(a->store, lease_row, &c, e);
	if (rc == SAT_OK)
		admin_print(out, w, doc, cols);
	sat_json_free(doc);
	return rc;
}

static sat_rc
usage(sat_err *e)
{
	return sat_fail_code(e, SAT_EUSAGE, "usage",
	    "device numbers: satcheld device list",
	    "usage: satcheld lease list [--gaps] | grant NUMBER --series "
	    "C202405 [--count N] | void NUMBER [--series C202405]");
}

static bool
read_number(uint64_t *n, const char *text, uint64_t max)
{
	char *end;

	if (text == NULL || text[0] < '0' || text[0] > '9')
		return false;
	*n = strtoull(text, &end, 10);
	return *end == '\0' && *n > 0 && *n <= max;
}

/* A series is what makes a number; NULL: of that text none. */
static bool
series_ok(const char *series)
{
	char text[SAT_NUMBER_TEXT], again[SAT_SERIES_TEXT];
	uint64_t one;

	return strlen(series) <= SAT_SERIES_MAX && sat_number_read(again, &one,
	    sat_span_of(text, sat_number_text(text, series, 1))) &&
	    strcmp(again, series) == 0;
}

static sat_rc
lease_grant(sat_admin *a, const sat_args *w, uint32_t dev, const char *series,
    sat_buf *out, sat_err *e)
{
	const char *count = sat_args_get(w, "count");
	char first[SAT_NUMBER_TEXT], last[SAT_NUMBER_TEXT];
	uint64_t n = COUNT_DEFAULT;
	sat_json *doc;
	sat_lease l;
	sat_rc rc;

	if (series == NULL || !series_ok(series) ||
	    (count != NULL && !read_number(&n, count, COUNT_MAX)))
		return usage(e);
	if (sat_registry_device(sat_server_registry(a->core), dev) == NULL)
		return sat_fail_code(e, SAT_ENOTFOUND, "device.unknown",
		    "see: satcheld device list", "no device has number %u", dev);
	if ((rc = sat_sqlite_lease_grant(&l, a->store, series, dev, n, e)) !=
	    SAT_OK)
		return rc;
	sat_number_text(first, series, l.first);
	sat_number_text(last, series, l.last);
	if (!sat_args_has(w, "json")) {
		sat_buf_fmt(out, "%s to %s\n", first, last);
		return SAT_OK;
	}
	doc = sat_json_obj();
	sat_json_put_str(doc, "schema", "satcheld/lease.grant/1");
	sat_json_put_int(doc, "device", dev);
	sat_json_put_str(doc, "first", first);
	sat_json_put_str(doc, "last", last);
	admin_print(out, w, doc, NULL);
	sat_json_free(doc);
	return SAT_OK;
}

static sat_rc
lease_void(sat_admin *a, const sat_args *w, uint32_t dev, const char *series,
    sat_buf *out, sat_err *e)
{
	sat_json *doc;
	size_t n;
	sat_rc rc = sat_sqlite_lease_void(&n, a->store,
	    series != NULL ? series : "", dev, e);

	if (rc != SAT_OK)
		return rc;
	if (!sat_args_has(w, "json")) {
		sat_buf_fmt(out, "%zu ranges are void\n", n);
		return SAT_OK;
	}
	doc = sat_json_obj();
	sat_json_put_str(doc, "schema", "satcheld/lease.void/1");
	sat_json_put_int(doc, "device", dev);
	sat_json_put_int(doc, "ranges", (int64_t)n);
	admin_print(out, w, doc, NULL);
	sat_json_free(doc);
	return SAT_OK;
}

sat_rc
admin_lease_verb(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e)
{
	const char *verb = w->nargs > 1 ? w->arg[1] : "list";
	const char *series = sat_args_get(w, "series");
	uint64_t dev;

	if (strcmp(verb, "list") == 0)
		return lease_list(a, w, out, e);
	if (!read_number(&dev, w->nargs > 2 ? w->arg[2] : NULL, UINT32_MAX))
		return usage(e);
	if (strcmp(verb, "grant") == 0)
		return lease_grant(a, w, (uint32_t)dev, series, out, e);
	if (strcmp(verb, "void") != 0 || (series != NULL && !series_ok(series)))
		return usage(e);
	return lease_void(a, w, (uint32_t)dev, series, out, e);
}
