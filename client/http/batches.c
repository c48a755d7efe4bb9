/*
 * The batches that the runs of one upload made: each noted before it is durable,
 * so that neither a second run nor a kill -9 loses one, and all of them taken back
 * together. One that is noted and was never made is passed over.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/http/daemon_int.h"
#include "common/base/log.h"

#define LEFT_TOLD_MAX 200 /* as the answer for one batch */

void
batches_add(sat_json *doc, const char *batch)
{
	sat_json *all = sat_json_arr();
	const sat_json *m = sat_json_first(sat_json_get(doc, "batches"));
	bool there = false;

	for (; m != NULL; m = sat_json_next(m)) {
		sat_json_add_str(all, sat_json_str(m, ""));
		there = there || strcmp(sat_json_str(m, ""), batch) == 0;
	}
	if (!there)
		sat_json_add_str(all, batch);
	sat_json_set(doc, "batches", all);
	sat_json_del(doc, "batch");
	sat_json_put_str(doc, "batch", batch);
}

void
batches_note(daemon_ *d, const char *id, const char *batch)
{
	sat_json *doc = NULL;
	sat_err e = { 0 };
	sat_rc rc;

	pthread_mutex_lock(&d->docs);
	if ((rc = book_get(&doc, d, id, "import", &e)) == SAT_OK) {
		batches_add(doc, batch);
		rc = book_put(d, id, "import", doc, &e);
	}
	pthread_mutex_unlock(&d->docs);
	sat_json_free(doc);
	if (rc != SAT_OK && rc != SAT_ENOTFOUND) /* emptied: an erasure */
		sat_log(SAT_WARN, "IMPORT-NOT-NOTED", "id=%s batch=%s text=%s",
		    id, batch, e.text);
}

static void
add_up(sat_json *sum, const sat_json *one)
{
	static const char *const counts[] = { "deleted", "restored", "left" };
	sat_json *left = sat_json_arr();
	const sat_json *lists[] = { sat_json_get(sum, "data"),
		sat_json_get(one, "data") };
	size_t n = 0;

	for (size_t i = 0; i < 2; i++)
		for (const sat_json *m = sat_json_first(lists[i]);
		     m != NULL && n < LEFT_TOLD_MAX; m = sat_json_next(m), n++)
			sat_json_add(left, sat_json_dup(m));
	for (size_t i = 0; i < 3; i++) {
		int64_t both = sat_json_get_int(sum, counts[i], 0) +
		    sat_json_get_int(one, counts[i], 0);

		sat_json_del(sum, counts[i]);
		sat_json_put_int(sum, counts[i], both);
	}
	sat_json_set(sum, "data", left);
}

/* *partly: something of it was left. */
static sat_rc
undo_one(sat_json **sum, bool *partly, daemon_ *d, const char *batch,
    const sat_http_request *r, sat_err *e)
{
	char *path = sat_xasprintf("/v1/imports/%s/undo", batch);
	job *j = job_new(d, "POST", path);
	sat_rc rc;

	free(path);
	j->query = sat_json_obj();
	j->lang = lang_of(r);
	job_run(j);
	rc = j->rc;
	if (rc == SAT_OK || rc == SAT_EPARTLY) {
		*partly = *partly || rc == SAT_EPARTLY;
		if (*sum == NULL) {
			*sum = j->out;
			j->out = NULL;
		} else {
			add_up(*sum, j->out);
		}
		rc = SAT_OK;
	} else if (rc == SAT_ENOTFOUND) {
		rc = SAT_OK; /* it was noted, and then never made */
	} else {
		*e = j->err;
	}
	job_unref(j);
	return rc;
}

sat_rc
batches_undo(sat_http_response *out, daemon_ *d, const sat_json *doc,
    const sat_http_request *r, sat_err *e)
{
	const sat_json *list = sat_json_get(doc, "batches");
	size_t n = sat_json_count(list), i = 0;
	const char **newest = sat_xcalloc(n + 1, sizeof *newest);
	sat_json *sum = NULL;
	bool partly = false;
	sat_rc rc = SAT_OK;

	for (const sat_json *m = sat_json_first(list); m != NULL;
	     m = sat_json_next(m))
		newest[n - ++i] = sat_json_str(m, "");
	for (i = 0; i < n && rc == SAT_OK; i++)
		rc = undo_one(&sum, &partly, d, newest[i], r, e);
	free(newest);
	if (rc == SAT_OK && sum == NULL)
		rc = sat_fail_code(e, SAT_ECONFLICT, "import.not_run",
		    "POST /v1/imports/ID/run",
		    "this file has not been imported");
	if (rc == SAT_OK) {
		out->status = sat_rc_http(partly ? SAT_EPARTLY : SAT_OK);
		put_json(out, sum);
	}
	sat_json_free(sum);
	return rc;
}
