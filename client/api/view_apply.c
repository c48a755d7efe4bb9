/*
 * ?view=ID on a list or a sum: the filter, order and fields somebody kept
 * become members of the query. What is asked for besides is asked for too: a
 * filter narrows the view's, a sort or fields stand instead of its own.
 *
 * A view outlives templates. What it names that is not there any more (a field,
 * an option), or that this role may not search by, is left out and told of; a
 * retired field still counts, and is told of.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/api/api_int.h"

typedef struct opened {
	sat_api *api;
	const sat_kind *kind; /* of the list */
	const sat_record *rec;
	const sat_kind *of;   /* of the view itself */
	sat_json *notes;
} opened;

static const char *
text_of(sat_arena *a, const opened *x, const char *key)
{
	const sat_field *f = sat_kind_field(x->of, key);
	sat_value v = f != NULL ? sat_record_value(x->rec, f->id) : sat_v_null();

	return v.type == SAT_V_TEXT ? sat_arena_str(a, v.s.p, v.s.n) : "";
}

static void
note(const opened *x, const char *part, const char *field, const char *code)
{
	sat_json *n = sat_json_add_obj(x->notes);

	sat_json_put_str(n, "part", part);
	sat_json_put_str(n, "field", field);
	sat_json_put_str(n, "code", code);
}

static void
note_retired(const opened *x, const char *part, const char *field)
{
	const sat_field *f = sat_kind_field(x->kind, field);

	if (f != NULL && f->retired)
		note(x, part, field, "retired");
}

/* Why a part of a view is left out: a field that is gone, what may not be
 * searched by, a value that is none. */
static const char *
reason(const opened *x, const char *field, sat_rc rc)
{
	if (rc == SAT_EDENIED)
		return "denied";
	return sat_kind_field(x->kind, field) == NULL ? "unknown" : "value";
}

/* The terms that still mean something, each tried alone. */
static sat_rc
put_filter(sat_buf *w, const opened *x, sat_arena *a, sat_err *e)
{
	sat_span terms[SAT_WHERE_TERMS];
	sat_filter *f;
	size_t n, nf;
	sat_rc rc = sat_crm_where_terms(terms, &n, text_of(a, x, "filter"), e);

	for (size_t i = 0; rc == SAT_OK && i < n; i++) {
		const char *term = sat_arena_str(a, terms[i].p, terms[i].n);
		const char *field = sat_arena_str(a, term, strspn(term,
		    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		    "0123456789_"));
		sat_rc one = sat_crm_where(&f, &nf, a, &x->api->crm, x->kind,
		    term, NULL);

		if (one != SAT_OK && one != SAT_EUSAGE && one != SAT_EDENIED &&
		    one != SAT_ENOTFOUND && one != SAT_ECONFLICT)
			return sat_crm_where(&f, &nf, a, &x->api->crm, x->kind,
			    term, e);
		if (one != SAT_OK) {
			note(x, "filter", field, reason(x, field, one));
			continue;
		}
		note_retired(x, "filter", field);
		sat_buf_fmt(w, "%s%s", w->n > 0 ? " and " : "", term);
	}
	return rc;
}

/* Of "a,-b" what can be sorted by; of "a,b" what can be shown. */
static void
put_words(sat_buf *w, const opened *x, sat_arena *a, const char *part)
{
	bool sort = strcmp(part, "sort") == 0;

	for (const char *p = text_of(a, x, part); *p != '\0';
	     p += strcspn(p, ","), p += *p == ',') {
		const char *word = sat_arena_str(a, p, strcspn(p, ","));
		const char *field = word + (sort && word[0] == '-');
		sat_query q = { .kind = x->kind };
		sat_rc rc = sort ? api_sort_of(&q, x->api, word, NULL) :
		    api_fields_known(x->kind, word, NULL);

		if (rc != SAT_OK) {
			note(x, part, field, reason(x, field, rc));
			continue;
		}
		note_retired(x, part, field);
		sat_buf_fmt(w, "%s%s", w->n > 0 ? "," : "", word);
	}
}

static sat_rc
merge(sat_json *q, const opened *x, sat_arena *a, sat_err *e)
{
	static const char *const parts[] = { "sort", "fields" };
	const char *where = sat_json_get_str(q, "where", NULL);
	sat_buf w = { 0 };
	sat_rc rc = put_filter(&w, x, a, e);

	if (rc == SAT_OK && w.n > 0) {
		if (where != NULL && where[strspn(where, " ")] != '\0')
			sat_buf_fmt(&w, " and %s", where);
		sat_json_del(q, "where");
		sat_json_put_str(q, "where", sat_buf_cstr(&w));
	}
	for (size_t i = 0; i < 2 && rc == SAT_OK; i++) {
		sat_buf_reset(&w);
		put_words(&w, x, a, parts[i]);
		if (w.n > 0 && sat_json_get(q, parts[i]) == NULL)
			sat_json_put_str(q, parts[i], sat_buf_cstr(&w));
	}
	sat_buf_fini(&w);
	return rc;
}

static sat_rc
open_view(sat_json *q, sat_json *doc, sat_api *api, const sat_kind *k,
    const char *named, sat_err *e)
{
	sat_arena a = { 0 };
	opened x = { .api = api, .kind = k };
	char text[SAT_ID_TEXT];
	sat_json *told;
	sat_view v;
	sat_id id;
	sat_rc rc;

	if ((rc = api_view_find(&x.of, &id, api, named, k->key,
	    e)) == SAT_OK &&
	    (rc = sat_replica_get(&v, &a, api->crm.replica, x.of, &id, e)) ==
	    SAT_OK) {
		x.rec = &v.rec;
		if (v.rec.deleted) /* an id names it still, to restore it */
			rc = sat_fail_code(e, SAT_ENOTFOUND, "not_found",
			    "see: satchel view list",
			    "there is no such view here");
		else if (strcmp(text_of(&a, &x, "of_kind"), k->key) != 0)
			rc = sat_fail_code(e, SAT_EUSAGE, "usage.view", NULL,
			    "the view lists other records: %s",
			    text_of(&a, &x, "of_kind"));
	}
	if (rc == SAT_OK) {
		told = sat_json_put_obj(doc, "view");
		sat_id_text(text, &id);
		sat_json_put_str(told, "id", text);
		sat_json_put_str(told, "name", text_of(&a, &x, "name"));
		x.notes = sat_json_put_arr(told, "notes");
		rc = merge(q, &x, &a, e);
	}
	sat_arena_fini(&a);
	return rc;
}

sat_rc
api_view_apply(sat_json **out, sat_json *doc, sat_api *api, const sat_kind *k,
    const sat_json *query, sat_err *e)
{
	const char *named = sat_json_get_str(query, "view", NULL);
	sat_json *q = query != NULL ? sat_json_dup(query) : sat_json_obj();
	sat_rc rc = SAT_OK;

	if (named != NULL) {
		sat_json_del(q, "view");
		rc = open_view(q, doc, api, k, named, e);
	}
	*out = q;
	return rc;
}
