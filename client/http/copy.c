/*
 * POST /v1/privacy/access without a file: the copy a person may ask for is the
 * answer, to be saved. It is read from memory the kernel lends; nothing of it
 * lies on the disk. Asked for twice it is handed over twice, and written down
 * twice: an Idempotency-Key says nothing here.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "client/http/daemon_int.h"

#define PATH "/v1/privacy/access"

/* What was asked; NULL: not this, or a file of this computer is named. */
static sat_json *
asked(const sat_http_request *r)
{
	const char *accept = sat_http_header(r, "Accept");
	sat_json *body = NULL;

	if (strcmp(r->method, "POST") != 0 || strcmp(r->path, PATH) != 0 ||
	    (accept != NULL && strcmp(accept, "application/x-ndjson") == 0) ||
	    sat_json_parse(&body, r->body, SAT_HTTP_BODY_MAX, NULL) != SAT_OK)
		return NULL;
	if (sat_json_type(body) == SAT_J_OBJ)
		drop_null(body, "file");
	if (sat_json_type(body) == SAT_J_OBJ &&
	    sat_json_get(body, "file") == NULL)
		return body;
	sat_json_free(body);
	return NULL;
}

bool
copy_route(daemon_ *d, sat_http_response *out, const sat_http_request *r,
    const char *scope)
{
	sat_json *body = asked(r);
	sat_err e = { 0 };
	job *j;

	if (body == NULL)
		return false;
	j = job_new(d, "POST", PATH);
	j->scope = scope[0] != '\0' ? sat_xstrdup(scope) : NULL;
	j->query = query_of(r);
	j->body = body;
	j->lang = lang_of(r);
	j->keeps_file = j->files = true;
	sat_json_put_str(j->body, "file", "-");
	job_run(j);
	e = j->err;
	if ((e.rc = j->rc) == SAT_OK)
		e.rc = door_read(&out->body, j->out_fd, &e);
	if (e.rc != SAT_OK)
		put_problem(out, &e);
	else
		(void)snprintf(out->save_as, sizeof out->save_as, "%s.json",
		    sat_json_get_str(j->out, "id", "copy"));
	if (j->out_fd >= 0)
		(void)close(j->out_fd);
	job_unref(j);
	return true;
}
