/*
 * Files of this computer are named by who is at the socket: its own user, who
 * can read and write them anyhow. Who comes through the port is let in to the
 * records; a page or a program that could name files there could read what has
 * nothing to do with them, and write where its user may.
 */
#include <string.h>

#include "client/http/daemon_int.h"

/* Routes that take names of files, in which member. */
static const struct {
	const char *path, *member;
} takes[] = {
	{ "/v1/imports", "file" },
	{ "/v1/imports", "map" },
	{ "/v1/imports", "errors" },
	{ "/v1/imports/preview", "file" },
	{ "/v1/imports/preview", "map" },
	{ "/v1/imports/form", "file" },
	{ "/v1/exports", "file" },
	{ "/v1/backups", "folder" },
	{ "/v1/templates/pack", "file" },
	{ "/v1/templates/apply", "file" },
	{ "/v1/privacy/access", "file" },
	{ "/v1/attachments", "file" },
};

/* A file of a record is the answer's body, unless the query says where to. */
static bool
names_target(const sat_http_request *r)
{
	static const char below[] = "/v1/attachments/";
	sat_json *q;
	bool yes;

	if (strcmp(r->method, "GET") != 0 ||
	    strncmp(r->path, below, sizeof below - 1) != 0)
		return false;
	q = query_of(r);
	yes = sat_json_get(q, "file") != NULL;
	sat_json_free(q);
	return yes;
}

static bool
names_source(const sat_http_request *r)
{
	sat_json *body = NULL;
	bool hit = false;

	if (strcmp(r->method, "POST") != 0)
		return false;
	for (size_t i = 0; i < sizeof takes / sizeof takes[0] && !hit; i++) {
		if (strcmp(r->path, takes[i].path) != 0)
			continue;
		if (body == NULL && sat_json_parse(&body, r->body,
		    SAT_HTTP_BODY_MAX, NULL) != SAT_OK)
			break; /* a table, or what its route refuses */
		hit = sat_json_get_str(body, takes[i].member, NULL) != NULL;
	}
	sat_json_free(body);
	return hit;
}

bool
files_named(sat_http_response *out, const sat_http_request *r)
{
	sat_err e = { 0 };

	if (!r->tcp || (!names_source(r) && !names_target(r)))
		return false;
	(void)sat_fail_code(&e, SAT_EDENIED, "port.file",
	    "send the file: POST /v1/imports; fetch it: POST /v1/exports",
	    "no file of this computer is named through the port");
	put_problem(out, &e);
	return true;
}
