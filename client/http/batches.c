/*
 * The batches that the runs of one upload made: each noted before it is durable,
 * so that neither a second run nor a kill -9 loses one, and all of them taken back
 * together. One that is noted and was never made is passed over.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/http/daemon_int.h"

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

sat_rc
batches_note(daemon_ *d, const char *id, const char *batch, sat_err *e)
{
	sat_json *doc = NULL;
	bool known;
	sat_rc rc;

	pthread_mutex_lock(&d->docs);
	rc = book_get(&doc, d, id, "import", e);
	known = rc != SAT_ENOTFOUND;
	if (rc == SAT_OK) {
		batches_add(doc, batch);
		rc = book_put(d, id, "import", doc, e);
	}
	pthread_mutex_unlock(&d->docs);
	sat_json_free(doc);
	return known ? rc : SAT_OK;
}

static bool
was_made(daemon_ *d, const char *batch)
{
	char *path = sat_xasprintf("/v1/imports/%s", batch);
	job *j = job_new(d, "GET", path);
	bool yes;

	free(path);
	j->query = sat_json_obj();
	job_run(j);
	yes = j->rc != SAT_ENOTFOUND; /* what else is wrong will be told */
	job_unref(j);
	return yes;
}

void
batches_none(sat_http_response *out)
{
	sat_err e = { 0 };

	e.rc = sat_fail_code(&e, SAT_ECONFLICT, "import.not_run",
	    "POST /v1/imports/ID/run", "this file has not been imported");
	put_problem(out, &e);
}

const char *
batches_newest(daemon_ *d, const sat_json *doc)
{
	const sat_json *list = sat_json_get(doc, "batches"), *m;
	size_t left = sat_json_count(list), i;

	while (left-- > 0) {
		for (m = sat_json_first(list), i = 0; i < left; i++)
			m = sat_json_next(m);
		if (was_made(d, sat_json_str(m, "")))
			return sat_json_str(m, "");
	}
	return NULL;
}

void
batches_undo(daemon_ *d, sat_http_response *out, const sat_json *doc,
    const sat_http_request *r, const char *scope)
{
	const char *newest = batches_newest(d, doc);
	const sat_json *all = sat_json_get(doc, "batches");
	sat_http_request q = *r;
	sat_buf text = { 0 };
	sat_json *body;
	char *path;

	if (newest == NULL) {
		batches_none(out);
		return;
	}
	body = sat_json_obj();
	sat_json_put(body, "batches", sat_json_dup(all));
	sat_json_write(&text, body, false);
	sat_json_free(body);
	path = sat_xasprintf("/v1/imports/%s/undo", newest);
	q.path = path;
	q.body = sat_buf_span(&text);
	to_api(d, out, &q, scope);
	free(path);
	sat_buf_fini(&text);
}
