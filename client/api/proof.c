/*
 * What can be proven: commits, audit, check, backup, template history.
 */
#include "client/api/api_int.h"

#include "common/base/file.h"
#include "common/crypto/keyring.h"
#include "common/git/git.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
api_op_json(sat_json *o, sat_api *api, const sat_op *op)
{
	const sat_template *t = sat_replica_template(api->crm.replica);
	const sat_kind *k = t != NULL ? sat_template_kind_id(t, op->rtype) : NULL;
	const sat_field *f = k != NULL ? sat_kind_field_id(k, op->field) : NULL;
	char id[SAT_ID_TEXT];
	sat_buf mask = { 0 };

	sat_json_put_str(o, "op", sat_op_word(op->kind));
	sat_json_put_str(o, "kind", k != NULL ? k->key : NULL);
	sat_id_text(id, &op->rec);
	sat_json_put_str(o, "id", id);
	if (f != NULL) {
		sat_json_put_str(o, "field", f->key);
		api_value_put(o, "value", api, f,
		    api_shown(&mask, api, k, &op->rec, f, op->value));
	}
	sat_buf_fini(&mask);
}

void
api_commit_head_json(sat_json *row, sat_api *api, const sat_commit *c)
{
	char id[SAT_ID_TEXT], key[40];

	sat_id_text(id, &c->subject);
	(void)snprintf(key, sizeof key, "%u-%u-%llu", c->device, c->incarnation,
	    (unsigned long long)c->cseq);
	sat_json_put_str(row, "commit", key);
	sat_json_put_str(row, "subject", id);
	sat_json_put_time(row, "made_at", sat_hlc_ms(c->hlc));
	api_device_put(row, api, c->device);
	sat_json_put_int(row, "lsn", (int64_t)c->lsn);
}

void
api_commit_json(sat_json *row, sat_api *api, const sat_commit *c)
{
	sat_json *ops;

	api_commit_head_json(row, api, c);
	ops = sat_json_put_arr(row, "ops");
	for (size_t i = 0; i < c->nops; i++)
		api_op_json(sat_json_add_obj(ops), api, &c->ops[i]);
}

/* Does it touch a field of this name, of whatever kind? */
static bool
touches(const sat_api *api, const sat_commit *c, const char *field)
{
	const sat_template *t = sat_replica_template(api->crm.replica);

	for (size_t i = 0; t != NULL && i < c->nops; i++) {
		const sat_kind *k = sat_template_kind_id(t, c->ops[i].rtype);
		const sat_field *f = k != NULL ? sat_kind_field_id(k,
		    c->ops[i].field) : NULL;

		if (f != NULL && strcmp(f->key, field) == 0)
			return true;
	}
	return false;
}

HANDLER(api_log)
{
	const char *id = api_q(req, "id");
	sat_arena a = { 0 };
	sat_id subject;
	sat_json *rows;
	sat_commit *c;
	api_past want;
	int64_t most, put = 0;
	size_t n;
	sat_rc rc = api_number(&most, req, "limit", 50, e);

	(void)args;
	if (rc == SAT_OK)
		rc = api_past_read(&want, api, req, e);
	if (rc == SAT_OK && id != NULL)
		rc = sat_replica_resolve(&subject, api->crm.replica, NULL, id, e);
	if (rc == SAT_OK) /* what is asked for may lie far back */
		rc = sat_replica_log(&c, &n, &a, api->crm.replica,
		    id != NULL || want.field != NULL || want.device >= 0 ? 0 :
		    most, e);
	if (rc == SAT_OK) {
		*out = api_doc("log");
		rows = sat_json_put_arr(*out, "data");
		for (size_t i = 0; i < n && (most == 0 || put < most); i++) {
			if ((id != NULL && !sat_id_eq(&c[i].subject, &subject)) ||
			    !api_past_has(&want, sat_hlc_ms(c[i].hlc),
			        c[i].device) ||
			    (want.field != NULL &&
			        !touches(api, &c[i], want.field)))
				continue;
			api_commit_json(sat_json_add_obj(rows), api, &c[i]);
			put++;
		}
	}
	sat_arena_fini(&a);
	return rc;
}

static void
audit_row(void *u, int64_t seq, int64_t at_ms, const char *action,
    const char *detail)
{
	sat_json *row = sat_json_add_obj(u);

	sat_json_put_int(row, "seq", seq);
	sat_json_put_time(row, "at", at_ms);
	sat_json_put_str(row, "action", action);
	sat_json_put_str(row, "detail", detail);
}

HANDLER(api_audit)
{
	const char *since = api_q(req, "since");
	int64_t from = 0;
	sat_rc rc = since != NULL ? api_since(&from, api, since, e) : SAT_OK;

	(void)args;
	if (rc != SAT_OK)
		return rc;
	*out = api_doc("audit.log");
	return sat_replica_audit_list(api->crm.replica, from, audit_row,
	    sat_json_put_arr(*out, "data"), e);
}

HANDLER(api_audit_verify)
{
	int64_t from = sat_json_get_int(req->body, "from", 0), entries = 0;
	int64_t entry = sat_json_get_int(req->body, "entry", 1);
	uint64_t commits = 0;
	sat_rc rc;

	(void)args;
	if (from < 0 || entry < 1)
		return sat_fail_code(e, SAT_EUSAGE, "usage.option",
		    "see: satchel audit log, satchel status",
		    "log positions begin with 0, entries with 1");
	if ((rc = sat_replica_verify_chain(api->crm.replica, (uint64_t)from,
	    &commits, e)) == SAT_OK)
		rc = sat_replica_audit_verify(&entries, api->crm.replica, entry,
		    e);
	if (rc != SAT_OK)
		return rc;
	*out = api_doc("audit.verify");
	sat_json_put_str(*out, "result", "ok");
	sat_json_put_int(*out, "commits", (int64_t)commits);
	sat_json_put_int(*out, "entries", entries);
	return SAT_OK;
}

HANDLER(api_check)
{
	bool quick = sat_json_get_bool(req->body, "quick", false);
	sat_rc rc = sat_replica_check(api->crm.replica, quick, e);

	(void)args;
	if (rc != SAT_OK)
		return rc;
	*out = api_doc("check");
	sat_json_put_str(*out, "result", "ok");
	return SAT_OK;
}

/* The keyring beside the copy: without it the copy is noise. */
static sat_rc
keyring_copy(const char *from_dir, const char *to_dir, sat_err *e)
{
	char *from = sat_xasprintf("%s/replica.keyring", from_dir);
	char *to = sat_xasprintf("%s/replica.keyring", to_dir);
	sat_buf b = { 0 };
	sat_rc rc = sat_file_read(&b, from, SAT_KEYRING_MAX_BYTES, NULL);

	if (rc == SAT_OK && b.n == 0)
		rc = SAT_EIO;
	if (rc == SAT_OK)
		rc = sat_file_write(to, sat_buf_span(&b), 0600, NULL);
	sat_buf_fini(&b);
	free(from);
	free(to);
	return rc == SAT_OK ? SAT_OK
	    : sat_fail(e, SAT_EIO, "cannot copy the keyring to %s", to_dir);
}

/* A folder with database and keyring; the copy was opened and checked. */
HANDLER(api_backup)
{
	const char *to;
	sat_err why = { 0 };
	char *db, *whole;
	sat_rc rc = api_file_named(&to, req, "folder", e);

	(void)args;
	if (rc != SAT_OK)
		return rc;
	if (to == NULL || to[0] == '\0')
		return sat_fail(e, SAT_EUSAGE, "name the folder of the backup");
	if ((rc = sat_folder_make(to, &why)) != SAT_OK)
		return sat_fail_code(e, rc, "backup.folder",
		    "name a folder that does not exist yet", "%s", why.text);
	db = sat_xasprintf("%s/replica.db", to);
	rc = sat_replica_backup(api->crm.replica, db, e);
	free(db);
	if (rc == SAT_OK)
		rc = keyring_copy(api->dir, to, e);
	if (rc != SAT_OK)
		sat_folder_remove(to); /* only when nothing is in it */
	whole = sat_file_absolute(to);
	if (rc == SAT_OK)
		rc = sat_replica_audit(api->crm.replica, "backup", whole, e);
	free(whole);
	if (rc != SAT_OK)
		return rc;
	*out = api_doc("backup");
	sat_json_put_str(*out, "folder", to);
	return SAT_OK;
}

HANDLER(api_compact)
{
	int64_t before, after;
	sat_rc rc = sat_replica_compact(&before, &after, api->crm.replica, e);

	(void)req;
	(void)args;
	if (rc != SAT_OK)
		return rc;
	*out = api_doc("compact");
	sat_json_put_int(*out, "before", before);
	sat_json_put_int(*out, "after", after);
	return SAT_OK;
}

/* ---- template history --------------------------------------------------------- */

typedef struct log_ctx {
	sat_git *g;
	sat_json *rows;
	const uint8_t (*allowed)[SAT_SIGN_PK_BYTES];
	uint8_t key[1][SAT_SIGN_PK_BYTES];
	size_t bad;
} log_ctx;

static int
log_one(void *u, const sat_oid *oid)
{
	log_ctx *c = u;
	char hex[SAT_GIT_OID_HEX + 1];
	sat_git_info i;
	sat_json *row = sat_json_add_obj(c->rows);

	sat_oid_hex(hex, oid);
	sat_json_put_str(row, "rev", hex);
	if (sat_git_commit_info(&i, c->g, oid, c->allowed, 1, NULL) != SAT_OK) {
		sat_json_put_str(row, "signature", "unreadable");
		c->bad++;
		return 0;
	}
	sat_json_put_time(row, "at", i.when_ms);
	sat_json_put_str(row, "author", i.author);
	sat_json_put_str(row, "message", i.message);
	sat_json_put_str(row, "signature", !i.has_signature ? "none"
	        : i.signature_ok                            ? "good"
	                                                    : "bad");
	if (!i.signature_ok)
		c->bad++;
	return 0;
}

static sat_rc
history(sat_json **out, sat_api *api, const char *schema, bool verify,
    sat_err *e)
{
	const sat_replica_identity *id =
	    sat_replica_identity_get(api->crm.replica);
	log_ctx c = { .bad = 0 };
	sat_json *doc;
	sat_oid tip;
	sat_rc rc;

	memcpy(tip.b, sat_replica_template_oid(api->crm.replica), 20);
	memcpy(c.key[0], id->template_pk, SAT_SIGN_PK_BYTES);
	c.allowed = (const uint8_t(*)[SAT_SIGN_PK_BYTES])c.key;
	if ((rc = sat_replica_git(&c.g, api->crm.replica, e)) != SAT_OK)
		return rc;
	doc = api_doc(schema);
	c.rows = sat_json_put_arr(doc, "data");
	rc = sat_git_log(c.g, &tip, log_one, &c, e);
	if (rc == SAT_OK && verify)
		rc = sat_git_verify_closure(c.g, &tip, e);
	sat_git_close(c.g);
	if (rc == SAT_OK && verify && c.bad > 0)
		rc = sat_fail(e, SAT_EINTEGRITY,
		    "%zu template commits carry no good signature", c.bad);
	return api_answer(out, doc, rc);
}

HANDLER(api_templates)
{
	(void)req;
	(void)args;
	return history(out, api, "template.log", false, e);
}

HANDLER(api_template_verify)
{
	(void)req;
	(void)args;
	return history(out, api, "template.verify", true, e);
}

/* One document by path; without a path the list of all. */
HANDLER(api_template_show)
{
	const sat_template *t = sat_replica_template(api->crm.replica);
	const char *path = api_q(req, "path"), *p;
	const sat_json *doc;
	sat_json *rows;

	(void)args;
	if (t == NULL)
		return sat_fail(e, SAT_ENOREPLICA, "there is no template yet");
	if (path != NULL) {
		char with[128];

		(void)snprintf(with, sizeof with, "%s.json", path);
		if ((doc = sat_template_doc(t, path)) == NULL &&
		    (doc = sat_template_doc(t, with)) == NULL)
			return sat_fail(e, SAT_ENOTFOUND,
			    "the template has no document \"%s\"", path);
		*out = api_doc("template");
		sat_json_put_str(*out, "path", path);
		sat_json_put(*out, "document", sat_json_dup(doc));
		return SAT_OK;
	}
	*out = api_doc("template");
	sat_json_put_str(*out, "name", sat_template_name(t));
	sat_json_put_str(*out, "version", sat_template_version(t));
	rows = sat_json_put_arr(*out, "data");
	for (size_t i = 0; (p = sat_template_path(t, "", i)) != NULL; i++)
		sat_json_put_str(sat_json_add_obj(rows), "path", p);
	return SAT_OK;
}

/* What a program needs that shows records: everybody has it on the device. */
HANDLER(api_template_files)
{
	const sat_template *t = sat_replica_template(api->crm.replica);
	sat_json *rows, *row;
	const char *p;

	(void)req;
	(void)args;
	if (t == NULL)
		return sat_fail(e, SAT_ENOREPLICA, "there is no template yet");
	*out = api_doc("template.files");
	rows = sat_json_put_arr(*out, "data");
	for (size_t i = 0; (p = sat_template_path(t, "", i)) != NULL; i++) {
		row = sat_json_add_obj(rows);
		sat_json_put_str(row, "path", p);
		sat_json_put(row, "document",
		    sat_json_dup(sat_template_doc(t, p)));
	}
	return SAT_OK;
}
