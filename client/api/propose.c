/*
 * A change of the template that somebody suggests who may not publish it: a
 * draft compared with what is in force, place by place. It travels as a
 * suggestion like any other (kind improvement), so it needs no network now,
 * headquarters finds it, decides, and says which revision it led to.
 */
#include "client/api/api_int.h"

#include "common/template/layers.h"

#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 8000 /* of the suggestion's text */

typedef struct changes {
	sat_json *list;
	const char *doc; /* of the first one */
} changes;

static bool
on_place(void *u, const sat_layer_conflict *c)
{
	changes *x = u;
	sat_json *row = sat_json_add_obj(x->list);

	sat_json_put_str(row, "doc", c->doc);
	sat_json_put_str(row, "place", c->place);
	api_copy_put(row, "before", c->ours);
	api_copy_put(row, "after", c->theirs);
	return true;
}

static const char *
area_of(const sat_json *list)
{
	const char *doc = sat_json_get_str(sat_json_first(list), "doc", "");

	return strncmp(doc, "reports/", 8) == 0 ? "reports" :
	    strncmp(doc, "rules/", 6) == 0 ? "rules" :
	    strncmp(doc, "flows/", 6) == 0 ? "process" :
	    strncmp(doc, "fields/", 7) == 0 || strncmp(doc, "dict/", 5) == 0 ?
	    "fields" : "other";
}

/* The draft would have to be taken as it is: judged now, not when it comes. */
static sat_rc
judge(const sat_layer *draft, const sat_template *is, sat_err *e)
{
	sat_template *t = NULL;
	sat_rc rc = sat_template_load(&t, draft->files, draft->n, e);

	if (rc == SAT_OK && (rc = sat_template_follows(t, is, e)) == SAT_OK)
		rc = sat_template_keeps(t, is, NULL, e);
	sat_template_free(t);
	return rc;
}

static sat_rc
write_suggestion(sat_json **out, sat_api *api, const char *message,
    const sat_json *what, const sat_json *list, sat_err *e)
{
	sat_json *body = sat_json_obj();
	sat_request req = { .method = "POST", .path = "/v1/improvements",
		.body = body };
	sat_buf text = { 0 };
	sat_rc rc = SAT_OK;

	sat_json_write(&text, what, false);
	if (text.n > TEXT_MAX)
		rc = sat_fail_code(e, SAT_EINVALID, "template.proposal",
		    "propose it in parts", "the changes have %zu bytes, more "
		    "than %d", text.n, TEXT_MAX);
	if (rc == SAT_OK) {
		sat_json_put_str(body, "title", message);
		sat_json_put_strn(body, "text", sat_buf_span(&text));
		sat_json_put_str(body, "area", area_of(list));
		rc = sat_api_handle(out, api, &req, e);
	}
	sat_buf_fini(&text);
	sat_json_free(body);
	return rc;
}

HANDLER(api_template_propose)
{
	const sat_template *is = sat_replica_template(api->crm.replica);
	const char *message = sat_json_get_str(req->body, "message", "");
	sat_json *what = sat_json_obj();
	char hex[2 * 20 + 1];
	sat_arena a = { 0 };
	sat_layer now, draft;
	changes x = { NULL, NULL };
	sat_rc rc;

	(void)args;
	sat_hex(hex, sat_replica_template_oid(api->crm.replica), 20);
	sat_json_put_str(what, "template", hex);
	x.list = sat_json_put_arr(what, "changes");
	rc = message[0] != '\0' ? SAT_OK : sat_fail_code(e, SAT_EUSAGE, "usage",
	    NULL, "say why: -m TEXT");
	if (rc == SAT_OK &&
	    (rc = api_template_files_of(&draft, &a, req->body, e)) == SAT_OK &&
	    (rc = api_template_layer(&now, &a, api, NULL, e)) == SAT_OK &&
	    (rc = judge(&draft, is, e)) == SAT_OK)
		rc = sat_layer_diff(&now, &draft, on_place, &x, e);
	if (rc == SAT_OK && sat_json_first(x.list) == NULL)
		rc = sat_fail_code(e, SAT_ECONFLICT, "template.proposal", NULL,
		    "the draft is what is in force already");
	if (rc == SAT_OK)
		rc = write_suggestion(out, api, message, what, x.list, e);
	if (rc == SAT_OK)
		sat_json_put_int(*out, "changes",
		    (int64_t)sat_json_count(x.list));
	sat_json_free(what);
	sat_arena_fini(&a);
	return rc;
}

/* Suggestions that are proposals: what would change, where. */
HANDLER(api_template_proposals)
{
	static const char *const members[] = { "id", "title", "state", "owner",
		"created_at", "template_rev" };
	sat_json *q = sat_json_obj(), *all = NULL, *rows;
	sat_request list = { .method = "GET", .path = "/v1/improvements",
		.query = q };
	sat_rc rc;

	(void)req;
	(void)args;
	sat_json_put_str(q, "all", "1");
	sat_json_put_str(q, "sort", "-created");
	rc = sat_api_handle(&all, api, &list, e);
	sat_json_free(q);
	if (rc == SAT_OK) {
		*out = api_doc("template.proposals");
		rows = sat_json_put_arr(*out, "data");
		for (const sat_json *r = sat_json_first(sat_json_get(all,
		     "data")); r != NULL; r = sat_json_next(r)) {
			sat_json *what = NULL, *row;

			if (sat_json_parse(&what, sat_span_str(sat_json_get_str(
			    r, "text", "")), 0, NULL) != SAT_OK ||
			    sat_json_type(sat_json_get(what, "changes")) !=
			    SAT_J_ARR) {
				sat_json_free(what);
				continue;
			}
			row = sat_json_add_obj(rows);
			for (size_t i = 0; i < 6; i++)
				sat_json_put_str(row, members[i],
				    sat_json_get_str(r, members[i], NULL));
			sat_json_put_str(row, "template", sat_json_get_str(what,
			    "template", NULL));
			sat_json_put(row, "changes", sat_json_dup(sat_json_get(
			    what, "changes")));
			sat_json_free(what);
		}
	}
	sat_json_free(all);
	return rc;
}
