/*
 * The template as a file, for a device that no network reaches: pack writes the
 * revision in force with its whole history, apply takes one in. What counts is
 * the signature of the organisation's template key, and that it descends from
 * what is in force; whoever carries the file cannot change it.
 *
 * File: "satchel template 1\n", the revision (20 bytes), a bundle of objects
 * (common/git). Written whole or not at all.
 */
#include "client/api/api_int.h"

#include "common/base/file.h"
#include "common/git/git.h"

#include <string.h>

#define MAGIC "satchel template 1\n"
#define MAGIC_BYTES (sizeof MAGIC - 1)
#define FILE_BYTES_MAX (MAGIC_BYTES + SAT_GIT_OID_BYTES + SAT_GIT_BUNDLE_MAX)

static sat_rc
need_file(const char **file, const sat_request *req, sat_err *e)
{
	sat_rc rc = api_file_named(file, req, "file", e);

	return rc != SAT_OK || (*file != NULL && (*file)[0] != '\0') ? rc
	    : sat_fail_code(e, SAT_EUSAGE, "usage", NULL, "name the file");
}

static sat_rc
put_rev(sat_json **out, const sat_api *api, const char *schema,
    const char *file)
{
	const sat_template *t = sat_replica_template(api->crm.replica);
	char hex[SAT_GIT_OID_HEX + 1];

	sat_hex(hex, sat_replica_template_oid(api->crm.replica),
	    SAT_GIT_OID_BYTES);
	*out = api_doc(schema);
	sat_json_put_str(*out, "file", file);
	sat_json_put_str(*out, "rev", hex);
	sat_json_put_str(*out, "version", t != NULL ? sat_template_version(t) :
	    NULL);
	return SAT_OK;
}

HANDLER(api_template_pack)
{
	sat_buf b = { 0 };
	const char *file;
	sat_git *g = NULL;
	sat_oid tip;
	sat_rc rc = need_file(&file, req, e);

	(void)args;
	if (rc == SAT_OK && sat_replica_template(api->crm.replica) == NULL)
		rc = sat_fail_code(e, SAT_ENOREPLICA, "not_synced",
		    "run: satchel sync", "there is no template yet");
	if (rc != SAT_OK)
		return rc;
	memcpy(tip.b, sat_replica_template_oid(api->crm.replica), sizeof tip.b);
	sat_buf_str(&b, MAGIC);
	sat_buf_add(&b, tip.b, sizeof tip.b);
	if ((rc = sat_replica_git(&g, api->crm.replica, e)) == SAT_OK &&
	    (rc = sat_git_bundle(&b, g, &tip, NULL, e)) == SAT_OK &&
	    (rc = sat_file_write(file, sat_buf_span(&b), 0666, e)) == SAT_OK)
		rc = put_rev(out, api, "template.file", file);
	sat_git_close(g);
	sat_buf_fini(&b);
	return rc;
}

static sat_rc
read_file(sat_buf *b, const char *path, sat_err *e)
{
	sat_rc rc = sat_file_read(b, path, FILE_BYTES_MAX + 1, e);

	if (rc != SAT_OK)
		return rc;
	if (b->n > FILE_BYTES_MAX || b->n < MAGIC_BYTES + SAT_GIT_OID_BYTES ||
	    memcmp(b->p, MAGIC, MAGIC_BYTES) != 0)
		return sat_fail_code(e, SAT_EINVALID, "template.file",
		    "made by: satchel template pack FILE",
		    "%s is no packed template", path);
	return SAT_OK;
}

HANDLER(api_template_apply)
{
	sat_client_ops ops = sat_replica_session(api->crm.replica);
	const size_t head = MAGIC_BYTES + SAT_GIT_OID_BYTES;
	uint8_t was[SAT_GIT_OID_BYTES];
	sat_buf b = { 0 };
	const char *file;
	bool changed;
	sat_rc rc;

	(void)args;
	memcpy(was, sat_replica_template_oid(api->crm.replica), sizeof was);
	if ((rc = need_file(&file, req, e)) != SAT_OK ||
	    (rc = read_file(&b, file, e)) != SAT_OK) {
		sat_buf_fini(&b);
		return rc;
	}
	changed = memcmp(b.p + MAGIC_BYTES, was, sizeof was) != 0;
	if (changed)
		rc = ops.template_(ops.u, b.p + MAGIC_BYTES,
		    sat_span_of(b.p + head, b.n - head), e);
	if (rc == SAT_EPROTO) /* a person's file, not a peer's */
		rc = e != NULL ? (e->rc = SAT_EINVALID) : SAT_EINVALID;
	if (rc == SAT_OK && changed)
		rc = sat_replica_audit(api->crm.replica, "template.apply", file,
		    e);
	if (rc == SAT_OK && (rc = put_rev(out, api, "template.file", file)) ==
	    SAT_OK)
		sat_json_put_bool(*out, "changed", changed);
	sat_buf_fini(&b);
	return rc;
}
