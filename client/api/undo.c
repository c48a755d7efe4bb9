/*
 * One own commit, and the way back from it.
 */
#include "client/api/api_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "7-1-42" as log prints it, or its place in the server's log. */
static bool
is_it(const sat_commit *c, const char *text)
{
	unsigned long long dev, inc, seq;
	char more;

	if (sscanf(text, "%llu-%llu-%llu%c", &dev, &inc, &seq, &more) == 3)
		return dev == c->device && inc == c->incarnation &&
		    seq == c->cseq;
	return sscanf(text, "%llu%c", &seq, &more) == 1 && c->lsn != 0 &&
	    seq == c->lsn;
}

static bool
is_of(const sat_template *t, const sat_commit *c, const char *kind)
{
	const sat_kind *k = sat_template_kind(t, kind);

	return k != NULL && c->nops > 0 && c->ops[0].rtype == k->id;
}

/* What the program notes by itself - who exported what, who saw a phone - is
 * nothing a person did last. */
static bool
is_a_note(const sat_template *t, const sat_commit *c)
{
	return is_of(t, c, "access") || is_of(t, c, "disclosure");
}

/* One row of many would go, and the person meant all of them. */
static sat_rc
no_import(const sat_commit *c, sat_err *e)
{
	return (c->flags & SAT_CF_IMPORT) == 0 ? SAT_OK : sat_fail_code(e, SAT_ECONFLICT, "undo.import",
	    "all of it: satchel import undo ID; see: satchel import list",
	    "the last thing done was an import");
}

/* "last": the newest. The recent ones are looked at first. */
static sat_rc
find_commit(sat_commit *out, sat_arena *a, sat_api *api, const char *text,
    sat_err *e)
{
	static const int64_t most[] = { 256, 0 };
	const sat_template *t = sat_replica_template(api->crm.replica);
	bool last = strcmp(text, "last") == 0;
	sat_commit *all;
	size_t n;
	sat_rc rc;

	for (size_t try = 0; try < 2; try++) {
		if ((rc = sat_replica_log(&all, &n, a, api->crm.replica,
		    most[try], e)) != SAT_OK)
			return rc;
		for (size_t i = 0; i < n; i++)
			if (last ? !is_a_note(t, &all[i]) :
			    is_it(&all[i], text)) {
				*out = all[i];
				return SAT_OK;
			}
	}
	return sat_fail_code(e, SAT_ENOTFOUND, "not_found", "see: satchel log",
	    "this device has no own commit %.40s", text);
}

HANDLER(api_commit)
{
	sat_arena a = { 0 };
	sat_commit c;
	sat_rc rc = find_commit(&c, &a, api, args[0], e);

	(void)req;
	if (rc == SAT_OK) {
		*out = api_doc("commit");
		api_commit_json(*out, api, &c);
		sat_json_put_bool(*out, "pending", c.lsn == 0);
	}
	sat_arena_fini(&a);
	return rc;
}

/* "put back" and "left" as they came out. */
static size_t
put_lists(sat_json *doc, sat_api *api, const sat_undone *u, size_t n)
{
	sat_json *done = sat_json_put_arr(doc, "data");
	sat_json *left = sat_json_put_arr(doc, "left"), *row;
	const sat_template *t = sat_replica_template(api->crm.replica);
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		const sat_kind *k = sat_template_kind_id(t, u[i].op->rtype);
		const sat_field *f = k != NULL
		    ? sat_kind_field_id(k, u[i].op->field) : NULL;
		sat_buf mask = { 0 };

		row = sat_json_add_obj(u[i].left != NULL ? left : done);
		api_op_json(row, api, u[i].op);
		if (u[i].left != NULL) {
			sat_json_put_str(row, "reason", u[i].left);
			kept++;
		} else if (f != NULL) {
			api_value_put(row, "now", api, f, api_shown(&mask, api,
			    k, &u[i].op->rec, f, u[i].value));
		}
		sat_buf_fini(&mask);
	}
	return kept;
}

HANDLER(api_undo)
{
	const sat_replica_identity *me =
	    sat_replica_identity_get(api->crm.replica);
	sat_arena a = { 0 };
	sat_undone *u = NULL;
	size_t n = 0, left = 0;
	uint64_t cseq = 0;
	char key[64];
	sat_commit c;
	sat_rc rc = find_commit(&c, &a, api, args[0], e);

	(void)req;
	if (rc == SAT_OK && strcmp(args[0], "last") == 0)
		rc = no_import(&c, e);
	if (rc == SAT_OK)
		rc = sat_crm_undo(&u, &n, &cseq, &a, &api->crm, &c, e);
	if (rc == SAT_OK) {
		*out = api_doc("undone");
		(void)snprintf(key, sizeof key, "%u-%u-%llu", c.device,
		    c.incarnation, (unsigned long long)c.cseq);
		sat_json_put_str(*out, "undid", key);
		(void)snprintf(key, sizeof key, "%u-%u-%llu", me->device,
		    me->incarnation, (unsigned long long)cseq);
		sat_json_put_str(*out, "commit", cseq != 0 ? key : NULL);
		left = put_lists(*out, api, u, n);
	}
	sat_arena_fini(&a);
	if (rc != SAT_OK)
		return rc;
	if (cseq == 0)
		return sat_fail_code(e, SAT_ECONFLICT, "undo.nothing",
		    "see: satchel log ID",
		    "nothing of it can be put back: %zu left as they are", left);
	return left > 0 ? SAT_EPARTLY : SAT_OK;
}
