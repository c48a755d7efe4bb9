/*
 * A job that is asked for twice is made once: its Idempotency-Key names it for a
 * day. What is kept of the request are two hashes, in what is known of the job.
 */
#include <stdio.h>
#include <string.h>

#include "client/http/daemon_int.h"

#define KEY_DIGITS 16 /* of WORK_REQUEST_TEXT */

/* "" without a key: half of it says which key, half what was asked under it, by
 * method, path and body. Who has the second cannot try guesses at the body: the
 * key is in it. */
void
again_of(char text[WORK_REQUEST_TEXT], const sat_http_request *r)
{
	const char *key = sat_http_header(r, "Idempotency-Key");
	uint8_t hash[SAT_HASH_BYTES];
	sat_buf b = { 0 };

	text[0] = '\0';
	if (key == NULL)
		return;
	sat_hash(hash, sat_span_str(key));
	sat_hex(text, hash, KEY_DIGITS / 2);
	sat_buf_fmt(&b, "%s %s\n%s\n", r->method, r->path, key);
	sat_buf_add(&b, r->body.p, r->body.n);
	sat_hash(hash, sat_buf_span(&b));
	sat_hex(text + KEY_DIGITS, hash,
	    (WORK_REQUEST_TEXT - 1 - KEY_DIGITS) / 2);
	sat_buf_fini(&b);
}

bool
again_same_key(const char *a, const char *b)
{
	return a[0] != '\0' && strncmp(a, b, KEY_DIGITS) == 0;
}

sat_rc
again_one_thing(const char *a, const char *b, sat_err *e)
{
	return strcmp(a, b) == 0 ? SAT_OK : sat_fail_code(e, SAT_ECONFLICT,
	    "request.reused", "another id for another request",
	    "this request id was used for something else");
}

typedef struct seeking {
	char request[WORK_REQUEST_TEXT], found[WORK_REQUEST_TEXT],
	    id[BOOK_ID_TEXT];
} seeking;

static void
is_asked_for(void *u, const char *id, const sat_json *doc)
{
	seeking *s = u;
	const char *request = sat_json_get_str(doc, "request", "");

	if (!again_same_key(s->request, request))
		return;
	(void)snprintf(s->found, sizeof s->found, "%s", request);
	memcpy(s->id, id, sizeof s->id);
}

/* Other requests are the table's, which keeps marks of its own (request.c). */
static bool
makes_job(const sat_http_request *r)
{
	static const char import[] = "/v1/imports/", run[] = "/run";
	size_t n = strlen(r->path), tail = sizeof run - 1;

	return strcmp(r->method, "POST") == 0 &&
	    (strcmp(r->path, "/v1/exports") == 0 ||
	    strcmp(r->path, "/v1/sync/run") == 0 ||
	    (strncmp(r->path, import, sizeof import - 1) == 0 &&
	    strcmp(r->path + n - tail, run) == 0));
}

bool
work_again(daemon_ *d, sat_http_response *out, const sat_http_request *r)
{
	seeking s = { .id = "" };
	sat_err e = { 0 };

	if (!makes_job(r) || d->spool_dir == NULL)
		return false;
	again_of(s.request, r);
	if (s.request[0] == '\0')
		return false;
	book_each(d, "job", is_asked_for, &s);
	if (s.id[0] == '\0')
		return false;
	if ((e.rc = again_one_thing(s.request, s.found, &e)) == SAT_OK)
		work_answer(d, out, r, s.id);
	else
		put_problem(out, &e);
	return true;
}
