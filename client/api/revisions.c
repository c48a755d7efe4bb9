/*
 * Two revisions of the template compared, place by place, out of the history
 * this device holds.
 */
#include "client/api/api_int.h"

#include <string.h>

#include "common/git/git.h"
#include "common/template/layers.h"

#define REV_SHORT 7 /* digits of a revision that are enough, when unique */

typedef struct seeking {
	const char *prefix;
	sat_oid found;
	size_t n;
} seeking;

static int
is_it(void *u, const sat_oid *oid)
{
	seeking *s = u;
	char hex[SAT_GIT_OID_HEX + 1];

	sat_oid_hex(hex, oid);
	if (strncmp(hex, s->prefix, strlen(s->prefix)) == 0) {
		s->found = *oid;
		s->n++;
	}
	return 0;
}

/* "current", or the first digits of a revision in the history. */
static sat_rc
revision(sat_oid *oid, sat_git *g, const sat_oid *tip, const char *rev,
    sat_err *e)
{
	seeking s = { .prefix = rev };
	sat_rc rc;

	*oid = *tip;
	if (rev == NULL || strcmp(rev, "current") == 0)
		return SAT_OK;
	if (strlen(rev) >= REV_SHORT && (rc = sat_git_log(g, tip, is_it, &s,
	    e)) != SAT_OK)
		return rc;
	*oid = s.found;
	return s.n == 1 ? SAT_OK : sat_fail_code(e, SAT_ENOTFOUND,
	    "template.revision", "see: satchel template log",
	    "'%.40s' is not one revision of the template", rev);
}

typedef struct tree {
	sat_template_file *files;
	size_t n;
	sat_arena *a;
} tree;

static int
keep(void *u, const char *path, sat_span bytes)
{
	tree *t = u;

	if (t->n == SAT_LAYER_FILES_MAX)
		return 1;
	t->files[t->n].path = sat_arena_str(t->a, path, strlen(path));
	t->files[t->n++].bytes = sat_span_of(sat_arena_dup(t->a, bytes.p,
	    bytes.n), bytes.n);
	return 0;
}

static sat_rc
layer(sat_layer *l, sat_arena *a, sat_git *g, const sat_oid *tip,
    const char *rev, sat_err *e)
{
	tree t = { .a = a };
	sat_oid oid;
	sat_rc rc = revision(&oid, g, tip, rev, e);

	if (rc != SAT_OK)
		return rc;
	t.files = sat_arena_alloc(a, SAT_LAYER_FILES_MAX * sizeof *t.files);
	rc = sat_git_walk(g, &oid, keep, &t, e);
	*l = (sat_layer){ t.files, t.n };
	return rc;
}

static bool
put_place(void *u, const sat_layer_conflict *c)
{
	sat_json *row = sat_json_add_obj(u);

	sat_json_put_str(row, "doc", c->doc);
	sat_json_put_str(row, "place", c->place);
	api_copy_put(row, "before", c->ours);
	api_copy_put(row, "after", c->theirs);
	return true;
}

sat_rc
api_template_layer(sat_layer *l, sat_arena *a, sat_api *api, const char *rev,
    sat_err *e)
{
	sat_git *g = NULL;
	sat_oid tip;
	sat_rc rc;

	if (sat_replica_template(api->crm.replica) == NULL)
		return sat_fail(e, SAT_ENOREPLICA, "there is no template yet");
	memcpy(tip.b, sat_replica_template_oid(api->crm.replica), sizeof tip.b);
	if ((rc = sat_replica_git(&g, api->crm.replica, e)) == SAT_OK)
		rc = layer(l, a, g, &tip, rev, e);
	sat_git_close(g);
	return rc;
}

HANDLER(api_template_diff)
{
	sat_arena a = { 0 };
	sat_layer from, to;
	sat_json *doc = NULL;
	sat_rc rc;

	(void)args;
	if ((rc = api_template_layer(&from, &a, api, api_q(req, "from"), e)) ==
	    SAT_OK && (rc = api_template_layer(&to, &a, api, api_q(req, "to"),
	    e)) == SAT_OK) {
		doc = api_doc("template.diff");
		rc = sat_layer_diff(&from, &to, put_place,
		    sat_json_put_arr(doc, "data"), e);
	}
	sat_arena_fini(&a);
	return api_answer(out, doc, rc);
}

/* "3f9a2c1", or "current": its documents, or one of them with ?path=. */
HANDLER(api_template_revision)
{
	const char *path = api_q(req, "path");
	sat_json *doc = api_doc("template.revision"), *rows, *row, *body;
	sat_arena a = { 0 };
	sat_layer l = { 0 };
	sat_rc rc = api_template_layer(&l, &a, api, args[0], e);

	sat_json_put_str(doc, "rev", args[0]);
	rows = sat_json_put_arr(doc, "data");
	for (size_t i = 0; rc == SAT_OK && i < l.n; i++) {
		if (path != NULL && strcmp(path, l.files[i].path) != 0)
			continue;
		row = sat_json_add_obj(rows);
		sat_json_put_str(row, "path", l.files[i].path);
		/* what is no JSON (a read-me) is named only */
		body = NULL;
		if (sat_json_parse(&body, l.files[i].bytes, 0, NULL) == SAT_OK)
			sat_json_put(row, "document", body);
		else
			sat_json_put_null(row, "document");
	}
	if (rc == SAT_OK && path != NULL && sat_json_first(rows) == NULL)
		rc = sat_fail(e, SAT_ENOTFOUND,
		    "the template has no document \"%s\"", path);
	sat_arena_fini(&a);
	return api_answer(out, doc, rc);
}
