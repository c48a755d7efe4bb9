/*
 * segments.c - the part of the log outside the database, for an administrator:
 * moving it out, listing it, taking it along into a backup.
 */
#include "server/admin/admin_int.h"

#include "common/base/file.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define DAY_MS (24 * 3600 * (int64_t)1000)
/* A device not heard of for so long takes a snapshot when it comes back. */
#define LOG_LEASE_DAYS 30
#define KEEP_DAYS_MAX 36500

static bool
is_segment(const char *name)
{
	size_t n = strlen(name);

	return n > 4 && strcmp(name + n - 4, ".seg") == 0;
}

static sat_rc
copy_one(const char *from, const char *to, const char *name, sat_err *e)
{
	char *x = sat_xasprintf("%s/%s", from, name);
	char *y = sat_xasprintf("%s/%s", to, name);
	sat_rc rc = sat_file_copy(x, y, e);

	free(x);
	free(y);
	return rc;
}

sat_rc
admin_segments_copy(const char *from_dir, const char *to_dir, sat_err *e)
{
	char *from = sat_xasprintf("%s/segments", from_dir);
	char *to = sat_xasprintf("%s/segments", to_dir);
	DIR *d = opendir(from); /* none: nothing has moved out yet */
	struct dirent *x;
	sat_rc rc = SAT_OK;

	if (d != NULL && mkdir(to, 0700) != 0)
		rc = sat_fail(e, SAT_EIO, "cannot make %s: %s", to,
		    strerror(errno));
	while (d != NULL && rc == SAT_OK && (x = readdir(d)) != NULL)
		if (is_segment(x->d_name))
			rc = copy_one(from, to, x->d_name, e);
	if (d != NULL) {
		(void)closedir(d);
		if (rc == SAT_OK)
			rc = sat_folder_sync(to, e);
	}
	free(from);
	free(to);
	return rc;
}

sat_rc
admin_segments_verify(sat_admin *a, sat_err *e)
{
	return sat_sqlite_segments_verify(a->store, &a->keys.org,
	    a->keys.server_pk, e);
}

static sat_rc
compact(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e)
{
	const char *keep = sat_args_get(w, "keep");
	sat_sqlite_signing s = { a->keys.org, admin_sign, a };
	sat_sqlite_compacted done;
	uint64_t upto = 0;
	char *end = NULL;
	long days = keep != NULL ? strtol(keep, &end, 10) : 0;
	sat_json *doc;
	sat_rc rc;

	if (days < 0 || days > KEEP_DAYS_MAX || (keep != NULL &&
	    (end == keep || *end != '\0')))
		return sat_fail_code(e, SAT_EUSAGE, "usage.option",
		    "days, as in --keep 90", "--keep %s is no number of days",
		    keep);
	if ((rc = sat_sqlite_compact_limit(&upto, a->store,
	    LOG_LEASE_DAYS * DAY_MS, days * DAY_MS, e)) != SAT_OK ||
	    (rc = sat_sqlite_compact(&done, a->store, upto, &s, e)) != SAT_OK)
		return rc;
	doc = sat_json_obj();
	sat_json_put_str(doc, "schema", "satcheld/log.compact/1");
	sat_json_put_int(doc, "upto", (int64_t)done.upto);
	sat_json_put_int(doc, "segments", (int64_t)done.segments);
	sat_json_put_int(doc, "commits", (int64_t)done.commits);
	sat_json_put_int(doc, "bytes", (int64_t)done.bytes);
	admin_print(out, w, doc, NULL);
	sat_json_free(doc);
	return SAT_OK;
}

static bool
one_row(void *u, const sat_sqlite_segment *g)
{
	sat_json *row = sat_json_add_obj(u);

	sat_json_put_int(row, "segment", (int64_t)g->number);
	sat_json_put_int(row, "first", (int64_t)g->first);
	sat_json_put_int(row, "last", (int64_t)g->last);
	sat_json_put_int(row, "commits", (int64_t)g->commits);
	sat_json_put_int(row, "bytes", (int64_t)g->bytes);
	return true;
}

sat_rc
admin_log_verb(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e)
{
	static const char *const cols[] = { "segment", "first", "last",
		"commits", "bytes", NULL };
	const char *verb = w->nargs > 1 ? w->arg[1] : "list";
	sat_json *doc;
	sat_rc rc;

	if (strcmp(verb, "compact") == 0)
		return compact(a, w, out, e);
	if (strcmp(verb, "list") != 0)
		return sat_fail_code(e, SAT_EUSAGE, "usage", NULL,
		    "usage: satcheld log list | compact [--keep DAYS]");
	doc = sat_json_obj();
	sat_json_put_str(doc, "schema", "satcheld/log.list/1");
	rc = sat_sqlite_segments(a->store, one_row,
	    sat_json_put_arr(doc, "data"), e);
	if (rc == SAT_OK)
		admin_print(out, w, doc, cols);
	sat_json_free(doc);
	return rc;
}
