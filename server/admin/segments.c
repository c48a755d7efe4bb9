/*
 * segments.c - the part of the log outside the database, for an administrator:
 * moving it out, listing it, taking it along into a backup.
 */
#include "server/admin/admin_int.h"

#include "common/base/file.h"

#include <stdlib.h>
#include <string.h>

#define DAY_MS (24 * 3600 * (int64_t)1000)
/* A device not heard of for so long takes a snapshot when it comes back. */
#define LOG_LEASE_DAYS 30
#define KEEP_DAYS_MAX 36500

typedef struct copying {
	char *from, *to;      /* folders of segments */
	size_t n;
	sat_err *e;
	sat_rc rc;
} copying;

static bool
copy_one(void *u, const sat_sqlite_segment *g)
{
	copying *c = u;
	char name[SAT_SEGMENT_NAME_MAX], *x, *y;

	if (c->n++ == 0 && (c->rc = sat_folder_make(c->to, c->e)) != SAT_OK)
		return false;
	sat_sqlite_segment_name(name, g->number);
	x = sat_xasprintf("%s/%s", c->from, name);
	y = sat_xasprintf("%s/%s", c->to, name);
	c->rc = sat_file_copy(x, y, c->e);
	free(x);
	free(y);
	return c->rc == SAT_OK;
}

sat_rc
admin_segments_copy(sat_sqlite_store *s, const char *from_dir,
    const char *to_dir, sat_err *e)
{
	copying c = { sat_xasprintf("%s/segments", from_dir),
		sat_xasprintf("%s/segments", to_dir), 0, e, SAT_OK };
	sat_rc rc = sat_sqlite_segments(s, copy_one, &c, e);

	if (rc == SAT_OK)
		rc = c.rc;
	if (rc == SAT_OK && c.n > 0)
		rc = sat_folder_sync(c.to, e);
	free(c.from);
	free(c.to);
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
