/*
 * Files of records. The content is on this device, or asked of the server while
 * somebody waits for it.
 *
 *   GET    /v1/attachments?record=ID      what a record has
 *   POST   /v1/attachments                add one: {record, file, name}
 *   GET    /v1/attachments/{hash}         its content into `file`
 *   DELETE /v1/attachments/{hash}?record=ID
 */
#include "client/api/api_int.h"

#include "client/crm/attach.h"
#include "common/base/file.h"

#include <stdlib.h>
#include <string.h>

static void
put_one(sat_json *row, const sat_attached *x)
{
	char hex[SAT_ATTACHMENT_HEX + 1];

	sat_hex(hex, x->file.hash, sizeof x->file.hash);
	sat_json_put_str(row, "hash", hex);
	sat_json_put_strn(row, "name", x->file.name);
	sat_json_put_strn(row, "type", x->file.type);
	sat_json_put_int(row, "bytes", (int64_t)x->file.bytes);
	sat_json_put_str(row, "kind", x->ref.kind->key);
	api_id_put(row, "record", &x->ref.rec);
	sat_json_put_bool(row, "here", x->here);
	sat_json_put_bool(row, "waits", x->waits);
}

static sat_rc
record_of(sat_id *id, sat_api *api, const char *text, sat_err *e)
{
	if (text == NULL)
		return sat_fail_code(e, SAT_EUSAGE, "usage",
		    "record=ID of a follow-up or a contract",
		    "name the record the file belongs to");
	return sat_replica_resolve(id, api->crm.replica, NULL, text, e);
}

HANDLER(api_attachments)
{
	sat_arena a = { 0 };
	sat_attached *x;
	sat_json *data;
	sat_id id;
	size_t n;
	sat_rc rc = record_of(&id, api, api_q(req, "record"), e);

	(void)args;
	if (rc == SAT_OK && (rc = sat_crm_attached(&x, &n, &a, &api->crm, &id,
	    e)) == SAT_OK) {
		*out = api_doc("attachment.list");
		data = sat_json_put_arr(*out, "data");
		for (size_t i = 0; i < n; i++)
			put_one(sat_json_add_obj(data), &x[i]);
	}
	sat_arena_fini(&a);
	return rc;
}

static sat_rc
answer(sat_json **out, const sat_attached *x)
{
	*out = api_doc("attachment");
	put_one(sat_json_put_obj(*out, "data"), x);
	return SAT_OK;
}

static const char *
last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

HANDLER(api_attach)
{
	const char *file, *name;
	sat_arena a = { 0 };
	sat_buf content = { 0 };
	sat_attached x;
	sat_id id;
	sat_rc rc = api_file_named(&file, req, "file", e);

	(void)args;
	if (rc == SAT_OK)
		rc = record_of(&id, api, sat_json_get_str(req->body, "record",
		    NULL), e);
	if (rc == SAT_OK && file == NULL)
		rc = sat_fail_code(e, SAT_EUSAGE, "usage", NULL,
		    "name the file to add");
	if (rc == SAT_OK && (rc = sat_file_read(&content, file,
	    SAT_ATTACHMENT_BYTES_MAX + 1, e)) == SAT_OK) {
		name = sat_json_get_str(req->body, "name", last_part(file));
		rc = sat_crm_attach(&x, &a, &api->crm, &id, sat_span_str(name),
		    sat_buf_span(&content), e);
	}
	if (rc == SAT_OK)
		rc = answer(out, &x);
	sat_buf_fini(&content);
	sat_arena_fini(&a);
	return rc;
}

static sat_rc
find(sat_attached *x, sat_arena *a, sat_api *api, const sat_request *req,
    const char *text, sat_err *e)
{
	const char *record = api_q(req, "record");
	sat_id id;
	sat_rc rc = SAT_OK;

	if (record != NULL)
		rc = record_of(&id, api, record, e);
	return rc != SAT_OK ? rc : sat_crm_attached_find(x, a, &api->crm,
	    record != NULL ? &id : NULL, text, e);
}

static sat_rc
write_to(sat_api *api, const char *path, sat_span content, sat_err *e)
{
	sat_file_out *f;
	sat_rc rc;

	if (strcmp(path, "-") != 0)
		return sat_file_write(path, content, 0600, e);
	if ((rc = sat_file_out_open(&f, NULL, 0600, api->out_fd, e)) != SAT_OK)
		return rc;
	sat_file_out_add(f, content);
	return sat_file_out_close(f, true, e);
}

/* From the device, else from the server; then it is kept here. */
static sat_rc
content_of(sat_buf *content, sat_api *api, const sat_attached *x, sat_err *e)
{
	sat_err why = { 0 };
	sat_rc rc;

	if (x->here)
		return sat_replica_file_read(content, api->crm.replica,
		    x->ref.hash, e);
	if (sat_replica_is_demo(api->crm.replica))
		return sat_fail_code(e, SAT_ENOTFOUND, "attachment.away", NULL,
		    "the content of the file is not on this device");
	rc = sat_sync_file(content, api->crm.replica, &x->ref, &api->sync, e);
	if (rc == SAT_EUNREACHABLE)
		return sat_fail_code(e, rc, "attachment.offline",
		    "try again when the server can be reached",
		    "the content of the file is not on this device yet, and "
		    "the server cannot be reached");
	if (rc != SAT_OK)
		return rc;
	/* A disk that is full keeps nobody from having it. */
	rc = sat_replica_file_keep(api->crm.replica, &x->ref,
	    sat_buf_span(content), false, &why);
	if (rc != SAT_OK && rc != SAT_ENOSPACE && e != NULL)
		*e = why;
	return rc == SAT_ENOSPACE ? SAT_OK : rc;
}

HANDLER(api_attachment)
{
	const char *file;
	sat_arena a = { 0 };
	sat_buf content = { 0 };
	sat_attached x;
	sat_rc rc = api_file_named(&file, req, "file", e);

	if (rc == SAT_OK)
		rc = find(&x, &a, api, req, args[0], e);
	if (rc == SAT_OK && file != NULL &&
	    (rc = content_of(&content, api, &x, e)) == SAT_OK &&
	    (rc = sat_crm_attached_taken(&api->crm, &x, e)) == SAT_OK)
		rc = write_to(api, file, sat_buf_span(&content), e);
	if (rc == SAT_OK)
		rc = answer(out, &x);
	sat_buf_fini(&content);
	sat_arena_fini(&a);
	return rc;
}

HANDLER(api_detach)
{
	sat_arena a = { 0 };
	sat_attached x;
	sat_id id;
	sat_rc rc = record_of(&id, api, api_q(req, "record"), e);

	if (rc == SAT_OK && (rc = find(&x, &a, api, req, args[0], e)) ==
	    SAT_OK && (rc = sat_crm_detach(&api->crm, &x, e)) == SAT_OK)
		rc = answer(out, &x);
	sat_arena_fini(&a);
	return rc;
}
