/*
 * freeze_body.c - a report's result as the bytes that are stored and hashed, and
 * back into an answer.
 *
 * Labels stay outside: two devices with other languages, or a colleague whose
 * name was spelt anew, give the same bytes.
 */
#include "client/crm/freeze_int.h"

#include <stdlib.h>
#include <string.h>

/* ---- a row of an answer ---- */

bool
crm_col_is_key(const sat_json *column)
{
	return strcmp(sat_json_get_str(column, "unit", ""), "key") == 0;
}

bool
crm_col_is_rank(const sat_json *column)
{
	return strcmp(sat_json_get_str(column, "unit", ""), "rank") == 0;
}

static void
scalar_text(sat_buf *b, const sat_json *v)
{
	switch (sat_json_type(v)) {
	case SAT_J_STR: sat_buf_str(b, sat_json_str(v, "")); break;
	case SAT_J_INT:
		sat_buf_fmt(b, "%lld", (long long)sat_json_int(v, 0));
		break;
	case SAT_J_BOOL:
		sat_buf_str(b, sat_json_bool(v, false) ? "true" : "false");
		break;
	default: break; /* no value */
	}
}

void
crm_row_key(sat_buf *b, const sat_json *columns, const sat_json *row)
{
	const sat_json *cell = sat_json_first(row);
	bool first = true;

	for (const sat_json *k = sat_json_first(columns);
	     k != NULL && cell != NULL;
	     k = sat_json_next(k), cell = sat_json_next(cell)) {
		if (!crm_col_is_key(k))
			continue;
		if (!first)
			sat_buf_str(b, ",");
		first = false;
		scalar_text(b, sat_json_get(cell, "key"));
	}
}

static int
by_key(const void *a, const void *b)
{
	const crm_row *x = a, *y = b;
	int c = strcmp(x->key, y->key);

	return c != 0 ? c : x->at < y->at ? -1 : x->at > y->at;
}

void
crm_rows_of(crm_rows *x, const sat_json *answer)
{
	const sat_json *columns = sat_json_get(answer, "columns");
	const sat_json *rows = sat_json_get(answer, "rows"), *r;
	sat_buf key = { 0 };

	*x = (crm_rows){ 0 };
	x->v = sat_arena_alloc(&x->a, (sat_json_count(rows) + 1) *
	    sizeof *x->v);
	for (r = sat_json_first(rows); r != NULL; r = sat_json_next(r)) {
		sat_buf_reset(&key);
		crm_row_key(&key, columns, r);
		x->v[x->n] = (crm_row){ sat_arena_str(&x->a,
		    sat_buf_cstr(&key), key.n), r, x->n };
		x->n++;
	}
	sat_buf_fini(&key);
	if (x->n > 1)
		qsort(x->v, x->n, sizeof *x->v, by_key);
}

const crm_row *
crm_rows_find(const crm_rows *x, const char *key)
{
	size_t lo = 0, hi = x->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (strcmp(x->v[mid].key, key) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < x->n && strcmp(x->v[lo].key, key) == 0 ? &x->v[lo] : NULL;
}

void
crm_rows_fini(crm_rows *x)
{
	sat_arena_fini(&x->a);
	*x = (crm_rows){ 0 };
}

bool
crm_cell_same(const sat_json *a, const sat_json *b)
{
	if (sat_json_type(a) != sat_json_type(b))
		return false;
	if (sat_json_type(a) == SAT_J_INT)
		return sat_json_int(a, 0) == sat_json_int(b, 0);
	if (sat_json_type(a) != SAT_J_OBJ)
		return true;
	return sat_json_get_int(a, "num", 0) == sat_json_get_int(b, "num", 0) &&
	    sat_json_get_int(a, "den", 0) == sat_json_get_int(b, "den", 0);
}

/* ---- storing ---- */

static void
put_columns(sat_json *body, const sat_json *columns)
{
	sat_json *list = sat_json_put_arr(body, "columns"), *o;

	for (const sat_json *k = sat_json_first(columns); k != NULL;
	     k = sat_json_next(k)) {
		o = sat_json_add_obj(list);
		sat_json_put_str(o, "key", sat_json_get_str(k, "key", ""));
		sat_json_put_str(o, "unit", sat_json_get_str(k, "unit", ""));
	}
}

static void
put_cell(sat_json *row, const sat_json *cell)
{
	sat_json *copy = sat_json_dup(cell);

	if (sat_json_type(copy) == SAT_J_OBJ)
		sat_json_del(copy, "label");
	sat_json_add(row, copy);
}

static void
put_rows(sat_json *body, const sat_json *rows)
{
	sat_json *list = sat_json_put_arr(body, "rows"), *row;

	for (const sat_json *r = sat_json_first(rows); r != NULL;
	     r = sat_json_next(r)) {
		row = sat_json_add_arr(list);
		for (const sat_json *v = sat_json_first(r); v != NULL;
		     v = sat_json_next(v))
			put_cell(row, v);
	}
}

/* Columns by key, rows by id alone: what a customer is called goes with him when
 * he is erased (P-192). */
static void
put_list(sat_json *body, const sat_json *list)
{
	sat_json *o = sat_json_put_obj(body, "list");
	sat_json *columns = sat_json_put_arr(o, "columns");
	sat_json *rows = sat_json_put_arr(o, "rows");
	const sat_json *k = sat_json_first(sat_json_get(list, "columns"));

	for (; k != NULL; k = sat_json_next(k))
		sat_json_put_str(sat_json_add_obj(columns), "key",
		    sat_json_get_str(k, "key", ""));
	for (const sat_json *r = sat_json_first(sat_json_get(list, "rows"));
	     r != NULL; r = sat_json_next(r))
		sat_json_put_str(sat_json_add_obj(rows), "id",
		    sat_json_get_str(r, "id", ""));
}

static void
copy_member(sat_json *to, const sat_json *from, const char *key)
{
	const sat_json *v = sat_json_get(from, key);

	if (v != NULL)
		sat_json_put(to, key, sat_json_dup(v));
}

sat_json *
crm_body_of(const sat_json *doc, const sat_json *definition,
    const sat_report_opts *o, const char *reach)
{
	sat_json *body = sat_json_obj(), *params;

	sat_json_put_str(body, "report", sat_json_get_str(
	    sat_json_get(doc, "report"), "key", ""));
	sat_json_put(body, "definition", sat_json_dup(definition));
	copy_member(body, doc, "template");
	copy_member(body, doc, "period");
	copy_member(body, doc, "as_of");
	copy_member(body, doc, "tz");
	params = sat_json_put_arr(body, "params");
	for (size_t i = 0; i < o->nparams; i++)
		sat_json_add_str(params, o->params[i]);
	sat_json_put_str(body, "reach", reach);
	put_columns(body, sat_json_get(doc, "columns"));
	put_rows(body, sat_json_get(doc, "rows"));
	copy_member(body, doc, "totals");
	copy_member(body, doc, "compare");
	if (sat_json_get(doc, "list") != NULL)
		put_list(body, sat_json_get(doc, "list"));
	return body;
}

/* ---- and back ---- */

/* What a present row calls this value of this dimension; its key otherwise. */
static void
put_label(sat_json *cell, const sat_json *rows, size_t column)
{
	const sat_json *key = sat_json_get(cell, "key");
	sat_buf want = { 0 }, have = { 0 };
	const char *label = NULL;

	scalar_text(&want, key);
	for (const sat_json *r = sat_json_first(rows); r != NULL &&
	     label == NULL; r = sat_json_next(r)) {
		const sat_json *v = sat_json_first(r);

		for (size_t i = 0; i < column && v != NULL; i++)
			v = sat_json_next(v);
		sat_buf_reset(&have);
		scalar_text(&have, sat_json_get(v, "key"));
		if (sat_json_type(sat_json_get(v, "key")) ==
		    sat_json_type(key) && sat_span_eq(sat_buf_span(&want),
		    sat_buf_span(&have)))
			label = sat_json_get_str(v, "label", NULL);
	}
	sat_json_put_str(cell, "label", label != NULL ? label :
	    sat_buf_cstr(&want));
	sat_buf_fini(&want);
	sat_buf_fini(&have);
}

static sat_json *
rows_with_labels(const sat_json *body, const sat_json *live)
{
	sat_json *list = sat_json_arr(), *row, *cell;
	const sat_json *columns = sat_json_get(body, "columns"), *k, *v;
	size_t at;

	for (const sat_json *r = sat_json_first(sat_json_get(body, "rows"));
	     r != NULL; r = sat_json_next(r)) {
		row = sat_json_add_arr(list);
		k = sat_json_first(columns);
		v = sat_json_first(r);
		for (at = 0; v != NULL; at++, v = sat_json_next(v),
		    k = sat_json_next(k)) {
			cell = sat_json_dup(v);
			if (k != NULL && crm_col_is_key(k))
				put_label(cell, live, at);
			sat_json_add(row, cell);
		}
	}
	return list;
}

static const char *
title_of(const sat_json *columns, const char *key)
{
	for (const sat_json *k = sat_json_first(columns); k != NULL;
	     k = sat_json_next(k))
		if (strcmp(sat_json_get_str(k, "key", ""), key) == 0)
			return sat_json_get_str(k, "title", key);
	return key;
}

static sat_json *
columns_with_titles(const sat_json *body, const sat_json *live)
{
	sat_json *list = sat_json_arr(), *o;

	for (const sat_json *k = sat_json_first(sat_json_get(body, "columns"));
	     k != NULL; k = sat_json_next(k)) {
		const char *key = sat_json_get_str(k, "key", "");

		o = sat_json_add_obj(list);
		sat_json_put_str(o, "key", key);
		sat_json_put_str(o, "title", title_of(live, key));
		sat_json_put_str(o, "unit", sat_json_get_str(k, "unit", ""));
	}
	return list;
}

static const sat_json *
row_with_id(const sat_json *list, const char *id)
{
	const sat_json *r = sat_json_first(sat_json_get(list, "rows"));

	while (r != NULL && strcmp(sat_json_get_str(r, "id", ""), id) != 0)
		r = sat_json_next(r);
	return r;
}

/* The value of a field as it is now; nothing of a record that is not here. */
static void
put_present(sat_json *values, sat_crm *c, const sat_view *v, const char *key)
{
	const sat_template *t = sat_replica_template(c->replica);
	const sat_field *f = v == NULL ? NULL : sat_kind_field(v->kind, key);
	sat_value is = f == NULL ? sat_v_null() :
	    sat_record_value(&v->rec, f->id);
	sat_json *o = sat_json_add_obj(values);
	sat_buf label = { 0 };

	if (is.type == SAT_V_NULL ||
	    sat_crm_masked(c, v->kind, &v->rec.id, f)) {
		sat_json_put_null(o, "key");
	} else {
		crm_json_put(o, "key", c, t, f, is);
		crm_label(&label, c, t, f, is);
	}
	sat_json_put_strn(o, "label", sat_buf_span(&label));
	sat_buf_fini(&label);
}

/* As it is called now: of a record that is listed now too as there. */
static void
put_listed(sat_json *rows, sat_crm *c, const sat_json *columns, const char *id,
    const sat_json *live)
{
	const sat_json *is = row_with_id(live, id);
	sat_json *row, *values;
	sat_arena a = { 0 };
	sat_id rec;
	sat_view v;
	bool here;

	if (is != NULL) {
		sat_json_add(rows, sat_json_dup(is));
		return;
	}
	here = sat_id_parse(&rec, id) && sat_replica_get(&v, &a, c->replica,
	    NULL, &rec, NULL) == SAT_OK;
	row = sat_json_add_obj(rows);
	sat_json_put_str(row, "id", id);
	values = sat_json_put_arr(row, "values");
	for (const sat_json *k = sat_json_first(columns); k != NULL;
	     k = sat_json_next(k))
		put_present(values, c, here ? &v : NULL,
		    sat_json_get_str(k, "key", ""));
	sat_arena_fini(&a);
}

static void
dress_list(sat_json *doc, sat_crm *c, const sat_json *body)
{
	const sat_json *live = sat_json_get(doc, "list");
	const sat_json *list = sat_json_get(body, "list");
	sat_json *o = sat_json_obj(), *columns = sat_json_put_arr(o, "columns");
	sat_json *rows = sat_json_put_arr(o, "rows"), *col;

	for (const sat_json *k = sat_json_first(sat_json_get(list, "columns"));
	     k != NULL; k = sat_json_next(k)) {
		const char *key = sat_json_get_str(k, "key", "");

		col = sat_json_add_obj(columns);
		sat_json_put_str(col, "key", key);
		sat_json_put_str(col, "title", title_of(sat_json_get(live,
		    "columns"), key));
	}
	for (const sat_json *r = sat_json_first(sat_json_get(list, "rows"));
	     r != NULL; r = sat_json_next(r))
		put_listed(rows, c, sat_json_get(list, "columns"),
		    sat_json_get_str(r, "id", ""), live);
	sat_json_set(doc, "list", o);
}

static const char *
in_words(const sat_crm *c, const sat_json *words, const char *none)
{
	return sat_json_get_str(words, crm_word(c, "zh", "en"), none);
}

/* Of a measure or a dimension; its key when the definition does not say. */
static const char *
label_in(const sat_crm *c, const sat_json *list, const char *of,
    const char *key)
{
	const sat_json *m = sat_json_first(list);

	while (m != NULL && strcmp(sat_json_get_str(m, of, ""), key) != 0)
		m = sat_json_next(m);
	return in_words(c, sat_json_get(m, "label"), NULL);
}

sat_json *
crm_body_bare(const sat_crm *c, const sat_json *body)
{
	const sat_json *def = sat_json_get(body, "definition");
	const char *key = sat_json_get_str(body, "report", ""), *title;
	sat_json *doc = sat_json_obj(), *o, *columns;

	sat_json_put_str(doc, "schema", "satchel/report/1");
	o = sat_json_put_obj(doc, "report");
	sat_json_put_str(o, "key", key);
	sat_json_put_str(o, "title", in_words(c, sat_json_get(def, "title"),
	    key));
	columns = sat_json_put_arr(doc, "columns");
	for (const sat_json *k = sat_json_first(sat_json_get(body, "columns"));
	     k != NULL; k = sat_json_next(k)) {
		key = sat_json_get_str(k, "key", "");
		if ((title = label_in(c, sat_json_get(def, "measures"), "key",
		    key)) == NULL)
			title = label_in(c, sat_json_get(def, "dims"), "field",
			    key);
		o = sat_json_add_obj(columns);
		sat_json_put_str(o, "key", key);
		sat_json_put_str(o, "title", title != NULL ? title : key);
	}
	(void)sat_json_put_arr(doc, "rows");
	return doc;
}

void
crm_body_dress(sat_json *doc, sat_crm *c, const sat_json *body)
{
	static const char *const same[] = { "template", "period", "as_of", "tz",
		"totals" };
	sat_json *rows = rows_with_labels(body, sat_json_get(doc, "rows"));
	sat_json *columns = columns_with_titles(body,
	    sat_json_get(doc, "columns"));

	for (size_t i = 0; i < sizeof same / sizeof same[0]; i++)
		sat_json_set(doc, same[i], sat_json_dup(sat_json_get(body,
		    same[i])));
	sat_json_set(doc, "columns", columns);
	sat_json_set(doc, "rows", rows);
	if (sat_json_get(body, "list") != NULL)
		dress_list(doc, c, body);
	else
		sat_json_del(doc, "list");
	if (sat_json_get(body, "compare") != NULL)
		sat_json_set(doc, "compare", sat_json_dup(sat_json_get(body,
		    "compare")));
	else
		sat_json_del(doc, "compare");
}
