/*
 * What a draft of the template would change on this replica (client/crm/crm.h).
 * The draft comes whole, as {"files": {"fields/account.json": "text", ...}}.
 */
#include "client/api/api_int.h"

#include "common/template/layers.h"

#define ROWS_MAX 500 /* told one by one; the counts are of all */

static const char *const words[SAT_SIM_N] = { "incomplete", "complete", "grade",
	"pool", "kept" };

typedef struct answer {
	sat_api *api;
	sat_json *rows;
	int64_t n[SAT_SIM_N], told;
} answer;

static sat_rc
on_change(void *u, const sat_simulated *s, sat_err *e)
{
	answer *x = u;
	sat_json *row;

	(void)e;
	x->n[s->what]++;
	if (x->told++ >= ROWS_MAX)
		return SAT_OK;
	row = sat_json_add_obj(x->rows);
	sat_json_put_str(row, "what", words[s->what]);
	api_record_head_put(row, x->api, s->kind, &s->id);
	sat_json_put_str(row, "before", s->before);
	sat_json_put_str(row, "after", s->after);
	return SAT_OK;
}

sat_rc
api_template_files_of(sat_layer *l, sat_arena *a, const sat_json *body,
    sat_err *e)
{
	const sat_json *m = sat_json_get(body, "files");
	size_t max = sat_json_count(m), n = 0;
	sat_template_file *f;

	if (sat_json_type(m) != SAT_J_OBJ || max == 0 ||
	    max > SAT_LAYER_FILES_MAX)
		return sat_fail_code(e, SAT_EINVALID, "template.invalid", NULL,
		    "\"files\" must hold 1 to %d documents by path",
		    SAT_LAYER_FILES_MAX);
	f = sat_arena_alloc(a, max * sizeof *f);
	for (m = sat_json_first(m); m != NULL && n < max; m = sat_json_next(m)) {
		f[n].path = sat_json_key(m);
		f[n++].bytes = sat_span_str(sat_json_str(m, ""));
	}
	*l = (sat_layer){ f, n };
	return SAT_OK;
}

static sat_rc
draft_of(sat_template **t, const sat_json *body, sat_err *e)
{
	sat_arena a = { 0 };
	sat_layer l;
	sat_rc rc = api_template_files_of(&l, &a, body, e);

	*t = NULL;
	if (rc == SAT_OK)
		rc = sat_template_load(t, l.files, l.n, e);
	sat_arena_fini(&a);
	return rc;
}

/* "succeeds" says whether it may follow what is in force, and else why not. */
static void
put_follows(sat_json *doc, const sat_template *draft, const sat_template *is)
{
	sat_err why = { 0 };
	bool ok = is != NULL &&
	    sat_template_follows(draft, is, &why) == SAT_OK &&
	    sat_template_keeps(draft, is, NULL, &why) == SAT_OK;

	sat_json_put_bool(doc, "succeeds", ok);
	sat_json_put_str(doc, "hindrance", ok ? NULL : why.text);
}

HANDLER(api_template_simulate)
{
	answer x = { .api = api };
	sat_template *draft;
	sat_json *doc, *counts;
	sat_rc rc;

	(void)args;
	if ((rc = draft_of(&draft, req->body, e)) != SAT_OK)
		return rc;
	doc = api_doc("template.simulate");
	sat_json_put_str(doc, "template", sat_template_name(draft));
	sat_json_put_str(doc, "version", sat_template_version(draft));
	put_follows(doc, draft, sat_replica_template(api->crm.replica));
	counts = sat_json_put_obj(doc, "counts");
	x.rows = sat_json_put_arr(doc, "data");
	rc = sat_crm_simulate(&api->crm, draft, on_change, &x, e);
	for (size_t i = 0; i < SAT_SIM_N; i++)
		sat_json_put_int(counts, words[i], x.n[i]);
	sat_json_put_bool(doc, "all", x.told <= ROWS_MAX);
	sat_template_free(draft);
	return api_answer(out, doc, rc);
}
