/*
 * GET /v1/imports/form?type=KIND: the empty book to fill in, as a file. It holds
 * the template's words and no record, so it may lie in the spool unsealed while
 * it is made.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/http/daemon_int.h"
#include "common/base/file.h"

#define FORM_BYTES_MAX ((size_t)16 * 1024 * 1024)

static job *
ask_for(daemon_ *d, const sat_http_request *r, const char *to)
{
	job *j = job_new(d, "POST", "/v1/imports/form");
	sat_json *q = query_of(r);

	j->query = sat_json_obj();
	j->body = sat_json_obj();
	j->files = true;
	j->lang = lang_of(r);
	sat_json_put_str(j->body, "type", sat_json_get_str(q, "type", ""));
	sat_json_put_str(j->body, "file", to);
	sat_json_free(q);
	job_run(j);
	return j;
}

bool
form_route(daemon_ *d, sat_http_response *out, const sat_http_request *r)
{
	char id[BOOK_ID_TEXT], *path;
	sat_err e = { 0 };
	job *j;

	if (strcmp(r->method, "GET") != 0 || d->spool_dir == NULL ||
	    strcmp(r->path, "/v1/imports/form") != 0)
		return false;
	book_draw(id, d);
	path = sat_xasprintf("%s/%s.xlsx", d->spool_dir, id);
	j = ask_for(d, r, path);
	e = j->err;
	e.rc = j->rc;
	if (j->rc == SAT_OK)
		e.rc = sat_file_read(&out->body, path, FORM_BYTES_MAX, &e);
	sat_file_remove(path);
	free(path);
	job_unref(j);
	if (e.rc != SAT_OK) {
		put_problem(out, &e);
		return true;
	}
	out->type = "application/vnd.openxmlformats-officedocument."
	    "spreadsheetml.sheet";
	(void)snprintf(out->save_as, sizeof out->save_as, "form.xlsx");
	return true;
}
