/*
 * The routes of work that is looked at later: /v1/jobs, and a sync as a job.
 * What a job is: work.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/http/daemon_int.h"

static int
wait_of(const sat_http_request *r)
{
	sat_json *q = query_of(r);
	int s = (int)strtol(sat_json_get_str(q, "wait", "0"), NULL, 10);

	sat_json_free(q);
	return s;
}

void
work_answer(daemon_ *d, sat_http_response *out, const sat_http_request *r,
    const char *id)
{
	int wait = wait_of(r);
	sat_err e = { 0 };
	sat_json *doc;

	e.rc = work_look(&doc, d, id, wait, &e);
	if (e.rc != SAT_OK) {
		put_problem(out, &e);
		return;
	}
	/* who did not wait is told the same however quick it was */
	out->status = wait > 0 && sat_json_get_bool(doc, "over", false) ? 200 :
	    202;
	(void)snprintf(out->location, sizeof out->location, "/v1/jobs/%s", id);
	put_json(out, doc);
	sat_json_free(doc);
}

static sat_rc
start_sync(char id[BOOK_ID_TEXT], daemon_ *d, const sat_http_request *r,
    sat_err *e)
{
	work_order o = { .asked = r, .kind = "sync", .method = "POST",
		.path = "/v1/sync/run", .in_fd = -1, .lang = lang_of(r) };
	sat_rc rc = body_of(&o.body, r, e);

	if (rc == SAT_OK && (rc = door_allowed(d, "POST", o.path, e)) != SAT_OK)
		sat_json_free(o.body);
	return rc == SAT_OK ? work_start(id, d, &o, e) : rc;
}

bool
work_route(daemon_ *d, sat_http_response *out, const sat_http_request *r)
{
	static const char jobs[] = "/v1/jobs";
	const char *accept = sat_http_header(r, "Accept");
	bool get = strcmp(r->method, "GET") == 0, lines = accept != NULL &&
	    strcmp(accept, "application/x-ndjson") == 0;
	const char *id = r->path + sizeof jobs;
	char made[BOOK_ID_TEXT];
	sat_err e = { 0 };
	sat_json *doc = NULL;

	if (strcmp(r->method, "POST") == 0 && !lines &&
	    strcmp(r->path, "/v1/sync/run") == 0) {
		if ((e.rc = start_sync(made, d, r, &e)) == SAT_OK)
			work_answer(d, out, r, made);
	} else if (get && strcmp(r->path, jobs) == 0) {
		if ((e.rc = work_list(&doc, d, &e)) == SAT_OK)
			put_json(out, doc);
	} else if (strncmp(r->path, jobs, sizeof jobs - 1) != 0 ||
	    r->path[sizeof jobs - 1] != '/') {
		return false;
	} else if (get) {
		if ((e.rc = work_look(&doc, d, id, wait_of(r), &e)) == SAT_OK)
			put_json(out, doc);
	} else if (strcmp(r->method, "DELETE") == 0) {
		if ((e.rc = work_drop(d, id, &e)) == SAT_OK)
			sat_buf_str(&out->body, "{\"schema\":"
			    "\"satchel/session/1\",\"result\":\"ok\"}\n");
	} else {
		return false;
	}
	if (e.rc != SAT_OK)
		put_problem(out, &e);
	sat_json_free(doc);
	return true;
}
