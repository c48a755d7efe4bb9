/*
 * What surrounds an import: the batches that were, undoing one, looking at a
 * sample of it, closing and opening the door for everybody.
 */
#include "client/api/api_int.h"

#include "client/crm/import.h"

#include <stdlib.h>
#include <string.h>

/* ---- the list ------------------------------------------------------------------- */

static const struct {
	const char *key, *field;
} members[] = { { "file", "file" }, { "hash", "hash" }, { "source", "source" },
	{ "kind", "record_kind" }, { "on_duplicate", "on_duplicate" },
	{ "map_name", "map_name" }, { "door", "door" }, { "at", "started_at" },
	{ "by", "owner" }, { "rows", "rows" }, { "created", "made" },
	{ "updated", "updated" }, { "unchanged", "unchanged" },
	{ "skipped", "skipped" }, { "errors", "errors" },
	{ "undone_at", "undone_at" }, { "undone_by", "undone_by" } };
#define NMEMBERS (sizeof members / sizeof members[0])

static sat_rc
put_batches(sat_json *data, sat_api *api, const sat_kind *k, sat_err *e)
{
	uint16_t cols[NMEMBERS + 1] = { SAT_Q_ID };
	sat_query q = { .kind = k, .columns = cols, .ncolumns = NMEMBERS + 1,
		.sort = { { SAT_Q_CREATED, true } }, .nsort = 1 };
	const sat_value *v;
	char id[SAT_ID_TEXT];
	sat_rows *rows;
	sat_json *row;
	sat_id rec;
	sat_rc rc;

	for (size_t i = 0; i < NMEMBERS; i++) {
		const sat_field *f = sat_kind_field(k, members[i].field);

		if (f == NULL)
			return sat_fail_code(e, SAT_EVERSION, "import.kind",
			    NULL, "import_batch has no field %s",
			    members[i].field);
		cols[i + 1] = f->id;
	}
	if ((rc = sat_replica_query(&rows, api->crm.replica, &q, e)) != SAT_OK)
		return rc;
	while ((rc = sat_rows_next(&v, rows, e)) == SAT_OK && v != NULL) {
		row = sat_json_add_obj(data);
		memcpy(rec.b, v[0].s.p, sizeof rec.b);
		sat_id_text(id, &rec);
		sat_json_put_str(row, "id", id);
		for (size_t i = 0; i < NMEMBERS; i++)
			api_value_put(row, members[i].key, api,
			    sat_kind_field(k, members[i].field), v[i + 1]);
	}
	sat_rows_free(rows);
	return rc;
}

HANDLER(api_imports)
{
	const sat_kind *k;
	sat_err why = { 0 };
	sat_rc rc = api_kind(&k, api, "import_batch", e), open;

	(void)req;
	(void)args;
	if (rc != SAT_OK)
		return rc;
	open = sat_crm_import_open(&api->crm, &why);
	if (open != SAT_OK && open != SAT_EDENIED) {
		if (e != NULL)
			*e = why;
		return open;
	}
	*out = api_doc("import.list");
	sat_json_put_bool(*out, "open", open == SAT_OK);
	return put_batches(sat_json_put_arr(*out, "data"), api, k, e);
}

/* The same as a file that was sent and run. */
static void
put_batch(sat_json *doc, const sat_json *row)
{
	static const char *const counts[] = { "rows", "created", "updated",
		"unchanged", "skipped", "errors" };
	const char *id = sat_json_get_str(row, "id", "");
	sat_json *x;

	sat_json_put_str(doc, "id", id);
	api_copy_put(doc, "file", sat_json_get(row, "file"));
	sat_json_put_null(doc, "bytes");
	api_copy_put(doc, "created_at", sat_json_get(row, "at"));
	sat_json_put_str(doc, "state", sat_json_get_str(row, "undone_at",
	    NULL) != NULL ? "undone" : sat_json_get_int(row, "errors", 0) > 0 ?
	    "partly" : "imported");
	x = sat_json_put_obj(doc, "options");
	api_copy_put(x, "type", sat_json_get(row, "kind"));
	api_copy_put(x, "on_duplicate", sat_json_get(row, "on_duplicate"));
	sat_json_put_null(doc, "job");
	sat_json_put_str(doc, "batch", id);
	x = sat_json_put_obj(doc, "result");
	for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
		api_copy_put(x, counts[i], sat_json_get(row, counts[i]));
}

HANDLER(api_import_one)
{
	sat_json *rows = sat_json_arr();
	const sat_json *m;
	const sat_kind *k;
	sat_rc rc;

	(void)req;
	if ((rc = api_kind(&k, api, "import_batch", e)) == SAT_OK)
		rc = put_batches(rows, api, k, e);
	for (m = sat_json_first(rows); rc == SAT_OK && m != NULL &&
	     strcmp(sat_json_get_str(m, "id", ""), args[0]) != 0;
	     m = sat_json_next(m))
		;
	if (rc == SAT_OK && m == NULL)
		rc = sat_fail(e, SAT_ENOTFOUND, "there is no such import");
	if (rc == SAT_OK) {
		*out = api_doc("import.upload");
		put_batch(*out, m);
	}
	sat_json_free(rows);
	return rc;
}

/* ---- undo ------------------------------------------------------------------------ */

/* The batch of the path; the body may name others of the same upload. */
static sat_rc
undo_batches(sat_import_undone *u, sat_arena *a, sat_api *api,
    const sat_request *req, const char *path, sat_err *e)
{
	const sat_json *more = sat_json_get(req->body, "batches");
	const char **names = sat_xcalloc(sat_json_count(more) + 1,
	    sizeof *names);
	size_t n = 0;
	sat_id id;
	sat_rc rc;

	names[n++] = path;
	for (const sat_json *m = sat_json_first(more); m != NULL;
	     m = sat_json_next(m))
		if (sat_id_parse(&id, sat_json_str(m, "")) &&
		    strcmp(sat_json_str(m, ""), path) != 0)
			names[n++] = sat_json_str(m, "");
	rc = sat_crm_import_undo(u, a, &api->crm, names, n, e);
	free(names);
	return rc;
}

HANDLER(api_import_undo)
{
	sat_import_undone u;
	sat_arena a = { 0 };
	char id[SAT_ID_TEXT];
	sat_json *left, *row;
	sat_rc rc = undo_batches(&u, &a, api, req, args[0], e);

	if (rc == SAT_OK || rc == SAT_EPARTLY) {
		*out = api_doc("import.undo");
		sat_json_put_str(*out, "batch", u.batch);
		sat_json_put_int(*out, "deleted", u.deleted);
		sat_json_put_int(*out, "restored", u.restored);
		sat_json_put_int(*out, "left", u.nleft);
		left = sat_json_put_arr(*out, "data");
		for (int64_t i = 0; i < u.nleft && i < SAT_IMPORT_LEFT_MAX;
		     i++) {
			row = sat_json_add_obj(left);
			sat_id_text(id, &u.left[i].id);
			sat_json_put_str(row, "id", id);
			sat_json_put_str(row, "kind", u.left[i].kind->key);
			sat_json_put_str(row, "title", u.left[i].title);
			sat_json_put_str(row, "why", u.left[i].why);
		}
	}
	sat_arena_fini(&a);
	return rc;
}

/* ---- sample ---------------------------------------------------------------------- */

static sat_json *
sample_doc(const sat_import_sample *s, int64_t seed)
{
	static const char *const words[] = { NULL, "pass", "fail" };
	sat_json *doc = api_doc("import.sample"), *data, *row;
	char id[SAT_ID_TEXT];

	sat_json_put_str(doc, "batch", s->batch);
	sat_json_put_str(doc, "kind", s->kind->key);
	sat_json_put_int(doc, "seed", seed);
	sat_json_put_int(doc, "population", s->population);
	data = sat_json_put_arr(doc, "data");
	for (size_t i = 0; i < s->n; i++) {
		const sat_import_drawn *d = &s->rows[i];

		row = sat_json_add_obj(data);
		sat_id_text(id, &d->id);
		sat_json_put_int(row, "row", d->row);
		sat_json_put_str(row, "id", id);
		sat_json_put_str(row, "number", d->number);
		sat_json_put_str(row, "name", d->name);
		sat_json_put_str(row, "contact", d->contact);
		sat_json_put_str(row, "phone", d->phone);
		sat_json_put_str(row, "verdict", words[d->verdict]);
	}
	return doc;
}

/* Verdicts of one list of row numbers. */
static sat_rc
judge_rows(sat_api *api, const sat_import_sample *s, const sat_json *body,
    const char *member, sat_err *e)
{
	const char *fields = sat_json_get_str(body, "fields", NULL);
	const sat_json *m = sat_json_first(sat_json_get(body, member));
	bool pass = strcmp(member, "pass") == 0;
	sat_rc rc = SAT_OK;

	for (; m != NULL && rc == SAT_OK; m = sat_json_next(m)) {
		int64_t row = sat_json_int(m, 0);

		rc = sat_crm_import_verdict(&api->crm, s, row < 1 ? 0 :
		    (size_t)row, pass, pass ? NULL : fields, e);
	}
	return rc;
}

static sat_rc
sample(sat_json **out, sat_api *api, const char *batch, int64_t n,
    int64_t seed, const sat_json *body, sat_err *e)
{
	sat_arena a = { 0 };
	sat_import_sample s;
	sat_rc rc = sat_crm_import_sample(&s, &a, &api->crm, batch, n, seed, e);

	if (rc == SAT_OK && body != NULL &&
	    (rc = judge_rows(api, &s, body, "pass", e)) == SAT_OK)
		rc = judge_rows(api, &s, body, "fail", e);
	if (rc == SAT_OK)
		*out = sample_doc(&s, seed);
	sat_arena_fini(&a);
	return rc;
}

HANDLER(api_import_sample)
{
	int64_t n, seed;
	sat_rc rc;

	if ((rc = api_number(&n, req, "n", 20, e)) != SAT_OK ||
	    (rc = api_number(&seed, req, "seed", 1, e)) != SAT_OK)
		return rc;
	return sample(out, api, args[0], n, seed, NULL, e);
}

HANDLER(api_import_verdict)
{
	return sample(out, api, args[0], sat_json_get_int(req->body, "n", 20),
	    sat_json_get_int(req->body, "seed", 1), req->body, e);
}

/* ---- closing and opening ----------------------------------------------------------- */

static sat_rc
gate(sat_json **out, sat_api *api, const sat_request *req, bool closed,
    sat_err *e)
{
	sat_rc rc = sat_crm_import_gate(&api->crm, closed,
	    sat_json_get_str(req->body, "reason", NULL), e);

	if (rc != SAT_OK)
		return rc;
	*out = api_doc("import.gate");
	sat_json_put_bool(*out, "open", !closed);
	return SAT_OK;
}

HANDLER(api_import_close)
{
	(void)args;
	return gate(out, api, req, true, e);
}

HANDLER(api_import_open)
{
	(void)args;
	return gate(out, api, req, false, e);
}
