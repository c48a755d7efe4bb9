/*
 * Names of files of this computer. Who is at the socket is its own user, who can
 * read and write them anyhow. Who comes through the port is let in to the
 * records; a page or a program that could name files there could read what has
 * nothing to do with them, and write where its user may. So every handler takes
 * such a name from here, and a request says whether it may bring one.
 */
#include "client/api/api_int.h"

#include <string.h>

sat_rc
api_file_named(const char **name, const sat_request *req, const char *member,
    sat_err *e)
{
	bool get = strcmp(req->method, "GET") == 0;
	const sat_json *m = sat_json_get(get ? req->query : req->body, member);

	*name = sat_json_str(m, NULL);
	if (m != NULL && *name == NULL && sat_json_type(m) != SAT_J_NULL)
		return sat_fail_code(e, SAT_EUSAGE, "usage.option", NULL,
		    "%s: the name of a file is a text", member);
	return *name == NULL || req->files ? SAT_OK : sat_fail_code(e,
	    SAT_EDENIED, "port.file",
	    "send the file: POST /v1/imports; fetch it: POST /v1/exports",
	    "no file of this computer is named through the port");
}
