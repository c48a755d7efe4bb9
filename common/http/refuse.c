/*
 * What stands in the head of every answer, and answers that come from no handler:
 * problem documents like theirs.
 */
#include "common/http/http_int.h"

/* Data, never a page: kept nowhere, run by nobody, in no frame, told to no
 * other origin. */
void
http_add_always(struct MHD_Response *r)
{
	static const char *const always[][2] = {
		{ "Cache-Control", "no-store" },
		{ "X-Content-Type-Options", "nosniff" },
		{ "Referrer-Policy", "no-referrer" },
		{ "Content-Security-Policy",
		    "default-src 'none'; frame-ancestors 'none'" },
		{ "Cross-Origin-Opener-Policy", "same-origin" },
		{ "Cross-Origin-Resource-Policy", "same-origin" },
	};

	for (size_t i = 0; i < sizeof always / sizeof always[0]; i++)
		(void)MHD_add_response_header(r, always[i][0], always[i][1]);
}

typedef struct refusal {
	unsigned status;
	const char *code;
	int exit; /* as the command line has it */
	const char *title, *detail;
} refusal;

static const refusal refusals[] = {
	{ MHD_HTTP_BAD_REQUEST, "usage.body", 2, "wrong usage",
	    "the form is not whole, or says no boundary" },
	{ MHD_HTTP_FORBIDDEN, "denied", 9, "not permitted",
	    "another user, or a page of another origin" },
	{ MHD_HTTP_MISDIRECTED_REQUEST, "misdirected", 9, "not permitted",
	    "the Host header names another door" },
	{ MHD_HTTP_CONTENT_TOO_LARGE, "usage.body", 2, "wrong usage",
	    "the body is longer than is taken here" },
	{ MHD_HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE, "usage.header", 2,
	    "wrong usage", "the header is longer than 16 kB" },
};

/* What comes to no handler, as a problem document like theirs. */
enum MHD_Result
http_refuse(struct MHD_Connection *c, unsigned status)
{
	const refusal *f = refusals;
	struct MHD_Response *r;
	enum MHD_Result rv;
	sat_buf b = { 0 };

	while (f->status != status)
		f++;
	sat_buf_fmt(&b, "{\"type\":\"urn:satchel:error:%s\",\"title\":\"%s\","
	    "\"status\":%u,\"detail\":\"%s\",\"code\":\"%s\",\"exit\":%d,"
	    "\"fields\":[],\"hint\":\"\"}\n", f->code, f->title, status,
	    f->detail, f->code, f->exit);
	r = MHD_create_response_from_buffer(b.n, b.p, MHD_RESPMEM_MUST_COPY);
	sat_buf_fini(&b);
	(void)MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE,
	    "application/problem+json");
	http_add_always(r);
	rv = MHD_queue_response(c, status, r);
	MHD_destroy_response(r);
	return rv;
}
