/*
 * upload_in.c - POST /v1/imports with a file: its bytes as they come, and what is
 * said of it, in the query, in a form or later.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/http/daemon_int.h"

#define UPLOADS_MAX 16
#define FIELDS_BYTES_MAX (256 * 1024)
#define NAME_BYTES 200

/* ---- options ------------------------------------------------------------------------- */

/* What a person may say of a file; as members of api_import's body. */
static const struct {
	const char *key;
	sat_jtype type;
} options[] = { { "type", SAT_J_STR }, { "encoding", SAT_J_STR },
	{ "delimiter", SAT_J_STR }, { "sheet", SAT_J_INT },
	{ "header", SAT_J_INT }, { "on_duplicate", SAT_J_STR },
	{ "incomplete", SAT_J_STR }, { "max_errors", SAT_J_INT },
	{ "source", SAT_J_STR }, { "save_map", SAT_J_STR },
	{ "dry_run", SAT_J_BOOL }, { "mapping", SAT_J_OBJ } };

static sat_rc
wrong_option(const char *key, sat_err *e)
{
	return sat_fail_code(e, SAT_EUSAGE, "usage.option",
	    "type, mapping, encoding, delimiter, sheet, header, on_duplicate, "
	    "incomplete, max_errors, source, save_map, dry_run",
	    "%.40s is no option of an import, or not of this type", key);
}

/* A text of a query or a form is read as what the option is. */
static sat_rc
put_typed(sat_json *to, const char *key, sat_jtype type, const sat_json *v,
    sat_err *e)
{
	const char *text = sat_json_str(v, NULL);
	sat_json *obj;
	char *end;
	long long n;

	if (sat_json_type(v) == type ||
	    (strcmp(key, "mapping") == 0 && text != NULL && text[0] != '{')) {
		sat_json_set(to, key, sat_json_dup(v));
		return SAT_OK;
	}
	if (text == NULL)
		return wrong_option(key, e);
	if (type == SAT_J_OBJ) {
		if (sat_json_parse(&obj, sat_span_str(text), 0, e) != SAT_OK)
			return wrong_option(key, e);
		sat_json_set(to, key, obj);
		return SAT_OK;
	}
	sat_json_del(to, key);
	if (type == SAT_J_BOOL) {
		sat_json_put_bool(to, key, strcmp(text, "1") == 0 ||
		    strcmp(text, "true") == 0);
		return SAT_OK;
	}
	n = strtoll(text, &end, 10);
	if (end == text || *end != '\0')
		return wrong_option(key, e);
	sat_json_put_int(to, key, n);
	return SAT_OK;
}

/* Members of `from` into `to`; null takes one away. */
sat_rc
upload_options(sat_json *to, const sat_json *from, sat_err *e)
{
	size_t n = sizeof options / sizeof options[0], i;
	sat_rc rc = SAT_OK;

	for (const sat_json *m = sat_json_first(from); m != NULL &&
	     rc == SAT_OK; m = sat_json_next(m)) {
		const char *key = sat_json_key(m);

		for (i = 0; i < n && strcmp(options[i].key, key) != 0; i++)
			;
		if (i == n)
			rc = wrong_option(key, e);
		else if (sat_json_type(m) == SAT_J_NULL)
			sat_json_del(to, key);
		else
			rc = put_typed(to, key, options[i].type, m, e);
	}
	return rc;
}

/* ---- receiving -------------------------------------------------------------------------- */

typedef struct upload {
	daemon_ *d;
	char id[BOOK_ID_TEXT], name[NAME_BYTES];
	sat_spool_out *out; /* NULL: rc says why */
	sat_rc rc;
	sat_err e;
	sat_json *said;     /* options of a form */
	sat_buf field;
	char key[40];
	size_t said_bytes;
} upload;

static void
on_bytes(void *u, sat_span piece)
{
	upload *x = u;

	if (x->out != NULL)
		sat_spool_add(x->out, piece);
}

/* Without folders: they tell of the machine, not of the data. Whole characters
 * of a name that is longer than there is room for. */
static void
on_name(void *u, const char *name)
{
	upload *x = u;
	const char *slash = strrchr(name, '/'), *back = strrchr(name, '\\');
	size_t n;

	if (slash != NULL)
		name = slash + 1;
	if (back != NULL && back >= name)
		name = back + 1;
	if ((n = strlen(name)) >= NAME_BYTES)
		for (n = NAME_BYTES - 1; n > 0 && ((uint8_t)name[n] & 0xc0) ==
		    0x80;)
			n--;
	(void)snprintf(x->name, sizeof x->name, "%.*s", (int)n, name);
}

static void
end_field(upload *x)
{
	if (x->key[0] != '\0' && x->said_bytes <= FIELDS_BYTES_MAX)
		sat_json_put_strn(x->said, x->key, sat_buf_span(&x->field));
	x->key[0] = '\0';
	sat_buf_reset(&x->field);
}

static void
on_field(void *u, const char *key, sat_span piece)
{
	upload *x = u;

	if (strcmp(key, x->key) != 0)
		end_field(x);
	(void)snprintf(x->key, sizeof x->key, "%s", key);
	x->said_bytes += piece.n;
	if (x->said_bytes <= FIELDS_BYTES_MAX)
		sat_buf_add(&x->field, piece.p, piece.n);
}

static void
upload_free(void *u)
{
	upload *x = u;

	if (x->out != NULL) /* the peer left, or it was refused */
		x->rc = sat_spool_close(x->out, false, &x->e);
	sat_json_free(x->said);
	sat_buf_fini(&x->field);
	free(x);
}

static upload *
upload_new(daemon_ *d)
{
	upload *x = sat_xcalloc(1, sizeof *x);

	x->d = d;
	x->said = sat_json_obj();
	(void)snprintf(x->name, sizeof x->name, "upload");
	book_draw(x->id, d);
	x->rc = book_create(&x->out, d, x->id, "file", &x->e);
	return x;
}

bool
upload_is_json(const sat_http_request *r)
{
	const char *type = sat_http_header(r, "Content-Type");

	return type != NULL && strncmp(type, "application/json", 16) == 0;
}

/* A table, by what its sender calls it. Of a small body without a name for it
 * the first character decides, when it is here. */
bool
upload_begin(daemon_ *d, sat_http_sink *sink, const sat_http_request *r)
{
	const char *type = sat_http_header(r, "Content-Type");
	const char *length = sat_http_header(r, "Content-Length");

	if (strcmp(r->method, "POST") != 0 ||
	    strcmp(r->path, "/v1/imports") != 0 || upload_is_json(r))
		return false;
	if ((type == NULL || strncmp(type, "application/x-www-form-urlencoded",
	    33) == 0) && length != NULL &&
	    strtoull(length, NULL, 10) <= SAT_HTTP_BODY_MAX)
		return false;
	*sink = (sat_http_sink){ .u = upload_new(d), .take = on_bytes,
		.named = on_name, .field = on_field, .end = upload_free };
	return true;
}

/* ---- what is known of one ------------------------------------------------------------------ */

static void
put_now(sat_json *doc, const daemon_ *d, const char *key)
{
	sat_json_put_time(doc, key, sat_wall_ms(&d->api.crm.clock));
}

static void
count_one(void *u, const char *id, const sat_json *doc)
{
	(void)id;
	(void)doc;
	++*(size_t *)u;
}

/* Options of the query: all members but the file's name. */
static sat_rc
read_options(sat_json *to, upload *x, const sat_http_request *r, sat_err *e)
{
	sat_json *q = query_of(r);
	const char *name = sat_json_get_str(q, "file", NULL);
	sat_rc rc;

	if (name != NULL)
		on_name(x, name);
	sat_json_del(q, "file");
	sat_json_del(x->said, "file");
	end_field(x);
	if ((rc = upload_options(to, q, e)) == SAT_OK)
		rc = upload_options(to, x->said, e);
	sat_json_free(q);
	return rc;
}

/* *doc: what the answer says. What fails leaves no file. */
static sat_rc
receive(sat_json **doc, upload *x, const sat_http_request *r, sat_err *e)
{
	daemon_ *d = x->d;
	uint64_t bytes;
	size_t there = 0;
	sat_rc rc;

	*doc = NULL;
	if (x->out == NULL) {
		*e = x->e;
		return x->rc;
	}
	if ((rc = door_allowed(d, "POST", "/v1/imports", e)) != SAT_OK)
		return rc;
	book_purge(d);
	book_each(d, "import", count_one, &there);
	if (there >= UPLOADS_MAX)
		return sat_fail_code(e, SAT_EBUSY, "import.many",
		    "take one away: DELETE /v1/imports/ID",
		    "%d files wait already", UPLOADS_MAX);
	if ((bytes = sat_spool_size(x->out)) == 0)
		return sat_fail_code(e, SAT_EINVALID, "import.empty", NULL,
		    "the file is empty");
	*doc = sat_json_obj();
	sat_json_put_str(*doc, "schema", "satchel/import.upload/1");
	if ((rc = read_options(sat_json_put_obj(*doc, "options"), x, r, e)) !=
	    SAT_OK)
		return rc;
	rc = sat_spool_close(x->out, true, e);
	x->out = NULL;
	sat_json_put_str(*doc, "id", x->id);
	sat_json_put_str(*doc, "file", x->name);
	sat_json_put_int(*doc, "bytes", (int64_t)bytes);
	put_now(*doc, d, "created_at");
	sat_json_put_str(*doc, "state", "uploaded");
	sat_json_put_null(*doc, "job");
	sat_json_put_null(*doc, "batch");
	(void)sat_json_put_arr(*doc, "batches");
	sat_json_put_null(*doc, "result");
	if (rc == SAT_OK && (rc = book_put(d, x->id, "import", *doc, e)) !=
	    SAT_OK)
		book_drop(d, x->id);
	return rc;
}

void
upload_post(daemon_ *d, sat_http_response *out, const sat_http_request *r)
{
	upload *own = NULL, *x = r->upload;
	sat_json *doc;
	sat_err e = { 0 };

	if (x == NULL) { /* it was short enough for memory */
		x = own = upload_new(d);
		on_bytes(x, r->body);
	}
	if ((e.rc = receive(&doc, x, r, &e)) == SAT_OK) {
		out->status = 201;
		(void)snprintf(out->location, sizeof out->location,
		    "/v1/imports/%s", x->id);
		put_json(out, doc);
	} else {
		put_problem(out, &e);
	}
	sat_json_free(doc);
	if (own != NULL)
		upload_free(own);
}
