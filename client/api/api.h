/*
 * api.h - one way out: the route table. CLI, daemon and pages call it; in
 * process when no daemon runs. Pure request -> response.
 *
 * The table is final: method, path pattern, permission, handler, schema of the
 * answer, one line of help. A test walks it and refuses a route without them.
 */
#ifndef SAT_API_API_H
#define SAT_API_API_H

#include "client/crm/crm.h"
#include "client/sync/sync.h"

typedef struct sat_api {
	sat_crm crm;
	sat_sync_opts sync;   /* its rand is every handler's */
	const char *profile;
	struct sat_keyring *keyring;
	const char *dir;      /* the replica's folder */
	/* long work: progress (<= 10/s), dry-run lines, and Ctrl-C */
	void (*event)(void *u, const sat_json *line);
	bool (*interrupted)(void *u);
	/* an import's batch is about to be durable; a failure ends it before; NULL */
	sat_rc (*batch)(void *u, const char *batch, sat_err *e);
	void *u;
	/* of the token the request came with: no answer reaches into kinds it
	 * does not name; NULL = every kind */
	const char *scope;
	int64_t page_max;     /* most rows a list answers with; 0 = all there are */
	int out_fd;           /* what "-" names as a file; 0 = standard output,
	                       * -1 = nothing: who names it is refused */
	/* the daemon's: its live sync, and how to watch it; NULL = none runs */
	sat_live *live;
	sat_rc (*watch)(struct sat_api *api, sat_err *e);
	void *watch_u;
} sat_api;

typedef struct sat_request {
	const char *method;     /* "GET", "POST", "PATCH", "DELETE" */
	const char *path;       /* "/v1/accounts/01h..." without query */
	const sat_json *query;  /* object of strings; NULL = none */
	const sat_json *body;   /* NULL = none */
	bool files;             /* it may name files of this computer, or "-";
	                         * false: who does is refused, "port.file" */
} sat_request;

typedef struct sat_route {
	const char *method, *pattern; /* "/v1/{kind}/{id}/stage" */
	const char *permission;       /* acl action; "" = any enrolled user; "open" */
	const char *schema;           /* docs/schema/<schema>.json */
	const char *help;             /* one line */
	sat_rc (*handle)(sat_json **out, sat_api *api, const sat_request *req,
	    const char *const args[4], sat_err *e);
} sat_route;

const sat_route *sat_api_routes(size_t *n);
/* Does it wait for the network? Then it touches the replica only through
 * api->sync.call, and may run beside other requests. */
bool sat_api_uses_network(const char *method, const char *path);
/* The numbers of one exchange as members. */
void sat_api_sync_put(sat_json *obj, const sat_sync_result *r);
/* Find the route, check the permission, run the handler. *out is owned by the
 * caller, also on failure: SAT_EPARTLY has an answer, SAT_ECONFLICT "duplicate"
 * the "candidates" that go with the problem. SAT_ENOTFOUND: no such route or
 * record; SAT_EUSAGE with SAT_API_NO_METHOD: the path is asked for otherwise. */
SAT_CHECK sat_rc sat_api_handle(sat_json **out, sat_api *api, const sat_request *req, sat_err *e);
/* Did this request, answered with `out`, make something? where: the path at which
 * it can be looked at, "" when there is none or it is longer than max - 1. */
bool sat_api_made(char *where, size_t max, const sat_api *api,
    const sat_request *req, const sat_json *out);
/* Would it come to the handler? SAT_ENOTFOUND, SAT_EDENIED, SAT_ENOREPLICA,
 * SAT_ELOCKED. */
SAT_CHECK sat_rc sat_api_allowed(sat_api *api, const char *method, const char *path, sat_err *e);
/* May whoever sends this Authorization header do this? SAT_ELOCKED: it is no
 * token of this device that is valid now; SAT_EDENIED: not for this. has: its
 * scope, which the request has to be handled with (sat_api.scope). */
#define SAT_API_SCOPE_TEXT 201
SAT_CHECK sat_rc sat_api_token_may(char has[SAT_API_SCOPE_TEXT], sat_api *api,
    const char *authorization, const char *method, const char *path, sat_err *e);
/* Code of a failure: the path is there, for the methods the hint lists. */
#define SAT_API_NO_METHOD "usage.method"
/* application/problem+json of a failure. */
sat_json *sat_api_problem(const sat_err *e);

#endif
