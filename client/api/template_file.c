/*
 * The template as a file, for a device that no network reaches: pack writes the
 * revision in force with its whole history, apply takes one in. What counts is
 * the signature of the organisation's template key, and that it descends from
 * what is in force; whoever carries the file cannot change it.
 *
 * The file is common/git's, in parts, which are taken in one after another, each
 * as one from the server is (P-451). So it is looked at to its end before the
 * first: one that is cut off or altered changes nothing. What only taking in
 * tells (a signature, that a template follows on the one before) may end it at a
 * revision on the way, which is signed and newer than what was in force.
 */
#include "client/api/api_int.h"

#include "common/base/file.h"
#include "common/git/git.h"

#include <string.h>

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
	if ((rc = sat_replica_git(&g, api->crm.replica, e)) == SAT_OK &&
	    (rc = sat_git_file_write(file, 0666, g, &tip, SAT_GIT_FILE_PART,
	    e)) == SAT_OK)
		rc = put_rev(out, api, "template.file", file);
	sat_git_close(g);
	return rc;
}

typedef struct intake {
	sat_client_ops ops;
	const uint8_t *now; /* what is in force: the replica's */
	sat_git *had;       /* the history of what was, NULL without any */
	sat_oid was;
} intake;

/* The file begins with the first revision; what is in force descends from some
 * of it. Of the last part the replica says what is wrong with it. */
static sat_rc
take_part(void *u, const sat_oid *upto, sat_span bundle, bool last, sat_err *e)
{
	intake *in = u;
	bool old = false;
	sat_rc rc = SAT_OK;

	if (last)
		old = memcmp(upto->b, in->now, sizeof upto->b) == 0;
	else if (in->had != NULL)
		rc = sat_git_descends(&old, in->had, &in->was, upto, e);
	return rc != SAT_OK || old ? rc :
	    in->ops.template_(in->ops.u, upto->b, bundle, e);
}

static sat_rc
take_all(sat_oid *tip, sat_api *api, const char *file, sat_err *e)
{
	sat_replica *r = api->crm.replica;
	intake in = { .ops = sat_replica_session(r),
		.now = sat_replica_template_oid(r) };
	sat_rc rc = SAT_OK;

	memcpy(in.was.b, in.now, sizeof in.was.b);
	if (sat_replica_template(r) != NULL)
		rc = sat_replica_git(&in.had, r, e);
	if (rc == SAT_OK)
		rc = sat_git_file_read(tip, file, take_part, &in, e);
	sat_git_close(in.had);
	return rc;
}

/* A person's file, not a peer's. */
static sat_rc
as_his(sat_rc rc, sat_err *e)
{
	if (e != NULL && (rc == SAT_EPROTO || (rc == SAT_EINTEGRITY &&
	    e->hint[0] == '\0')))
		sat_err_hint(e, "made by: satchel template pack FILE");
	if (rc != SAT_EPROTO)
		return rc;
	return e != NULL ? (e->rc = SAT_EINVALID) : SAT_EINVALID;
}

HANDLER(api_template_apply)
{
	sat_replica *r = api->crm.replica;
	uint8_t was[SAT_GIT_OID_BYTES];
	const char *file;
	bool changed;
	sat_oid tip;
	sat_rc rc = need_file(&file, req, e), noted = SAT_OK;

	(void)args;
	if (rc != SAT_OK)
		return rc;
	memcpy(was, sat_replica_template_oid(r), sizeof was);
	/* a pipe is read only once */
	if (sat_file_is_stream(file) || ((rc = sat_git_file_verify(&tip, file,
	    e)) == SAT_OK && memcmp(tip.b, was, sizeof was) != 0))
		rc = take_all(&tip, api, file, e);
	changed = memcmp(sat_replica_template_oid(r), was, sizeof was) != 0;
	if (changed) /* also when it ended on the way */
		noted = sat_replica_audit(r, "template.apply", file,
		    rc == SAT_OK ? e : NULL);
	if (rc != SAT_OK || (rc = noted) != SAT_OK)
		return as_his(rc, e);
	rc = put_rev(out, api, "template.file", file);
	if (rc == SAT_OK)
		sat_json_put_bool(*out, "changed", changed);
	return rc;
}
