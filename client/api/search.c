/*
 * Search over every kind this role may see.
 */
#include "client/api/api_int.h"
#include "common/model/pinyin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEARCH_DEFAULT 20

typedef struct scope {
	const sat_kind *kinds[SAT_KINDS_MAX];
	size_t n;
	bool named; /* by whoever asks: else the rest is left out silently */
} scope;

/* "account,contact" */
static sat_rc
named_kinds(scope *s, const sat_api *api, const char *list, sat_err *e)
{
	char key[64];
	const sat_kind *k;
	sat_rc rc;

	s->named = true;
	while (*list != '\0') {
		size_t n = strcspn(list, ",");

		(void)snprintf(key, sizeof key, "%.*s", (int)n, list);
		list += n + (list[n] == ',');
		if ((rc = api_kind(&k, api, key, e)) != SAT_OK)
			return rc;
		if (!api_may_view(api, k))
			return sat_fail_code(e, SAT_EDENIED, "denied", NULL,
			    "this role may not see any %s", k->key);
		if (s->n < SAT_KINDS_MAX)
			s->kinds[s->n++] = k;
	}
	return SAT_OK;
}

/* Every kind that may be seen and has a name that is a short text. */
static void
all_kinds(scope *s, const sat_api *api)
{
	const sat_template *t = sat_replica_template(api->crm.replica);

	for (size_t i = 0; i < sat_template_kinds(t); i++) {
		const sat_kind *k = sat_template_kind_at(t, i);

		if (sat_replica_searched(k) && api_may_view(api, k) &&
		    s->n < SAT_KINDS_MAX)
			s->kinds[s->n++] = k;
	}
}

/* ---- one line --------------------------------------------------------------------- */

static sat_value
title_of(const sat_view *v)
{
	return v->kind->title != NULL ?
	    sat_record_value(&v->rec, v->kind->title->id) : sat_v_null();
}

static int64_t
characters(sat_span text, size_t upto)
{
	int64_t n = 0;

	for (size_t i = 0; i < upto && i < text.n; i++)
		n += (text.p[i] & 0xC0) != 0x80;
	return n;
}

/* Where the words stand in the text: [first, count] in characters. */
static void
put_ranges(sat_json *row, const sat_needle *q, const sat_field *f,
    sat_span text)
{
	sat_json *list = sat_json_put_arr(row, "ranges"), *pair;
	bool phone = f != NULL && f->type == SAT_F_PHONE;
	sat_buf folded = { 0 };
	size_t at = 0, len = 0;

	if (phone && q->nphone > 0 && text.n >= 4) {
		size_t n = q->nphone < text.n ? q->nphone : text.n;

		/* digits may be grouped: what is surely met is the tail */
		pair = sat_json_add_arr(list);
		sat_json_add_int(pair, characters(text, text.n - n));
		sat_json_add_int(pair, (int64_t)n);
		return;
	}
	sat_fold(&folded, text);
	for (size_t i = 0; i < q->n; i++) {
		if (sat_word_hit(&q->word[i], sat_buf_span(&folded), &at,
		    &len) == SAT_HIT_NONE ||
		    !sat_fold_place(&at, &len, text, at, len))
			continue;
		pair = sat_json_add_arr(list);
		sat_json_add_int(pair, characters(text, at));
		sat_json_add_int(pair, characters(text, at + len) -
		    characters(text, at));
	}
	sat_buf_fini(&folded);
}

/* An earlier number is in no field: the one that was met. */
static sat_span
alias_of(sat_arena *a, const sat_view *v, const sat_needle *q)
{
	const sat_cell *c = sat_record_cell(&v->rec, SAT_SYS_ALIASES);
	sat_element *el;
	size_t n = c != NULL ? sat_cell_elements(&el, a, c) : 0;
	sat_buf b = { 0 };
	sat_span hit = sat_span_of("", 0);

	for (size_t i = 0; i < n && hit.n == 0; i++) {
		sat_buf_reset(&b);
		sat_fold(&b, el[i].text);
		if (q->n > 0 && sat_word_hit(&q->word[0], sat_buf_span(&b),
		    NULL, NULL) != SAT_HIT_NONE)
			hit = el[i].text;
	}
	sat_buf_fini(&b);
	return hit;
}

static void
put_match(sat_json *row, sat_arena *a, const sat_found *f, const sat_view *v,
    const sat_needle *q)
{
	static const char *const how[] = { "exact", "prefix", "tail", "pinyin",
		"initials", "inside", "pinyin", "initials" };
	sat_value text = f->field != NULL ?
	    sat_record_value(&v->rec, f->field->id) :
	    sat_v_text(alias_of(a, v, q));

	sat_json_put_str(row, "field", f->field != NULL ? f->field->key :
	    "aliases");
	sat_json_put_str(row, "match", how[f->hit]);
	if (text.type != SAT_V_TEXT)
		text = sat_v_text(sat_span_of("", 0));
	sat_json_put_strn(row, "text", text.s);
	put_ranges(row, q, f->field, text.s);
}

/* The customer it lies under. */
static void
put_parent(sat_json *row, sat_arena *a, sat_api *api, const sat_view *v)
{
	const sat_field *p = v->kind->parent;
	sat_value ref = p != NULL ? sat_record_value(&v->rec, p->id) :
	    sat_v_null();
	const sat_kind *k = p != NULL ? sat_template_kind(
	    sat_replica_template(api->crm.replica), p->ref) : NULL;
	char text[SAT_ID_TEXT];
	sat_value title;
	sat_view up;
	sat_id id;

	if (k == NULL || ref.type != SAT_V_BYTES || ref.s.n != sizeof id.b)
		return;
	memcpy(id.b, ref.s.p, sizeof id.b);
	if (sat_replica_canon(&id, api->crm.replica, &id, NULL) != SAT_OK)
		return;
	sat_id_text(text, &id);
	sat_json_put_str(row, "parent", text);
	if (sat_replica_get(&up, a, api->crm.replica, k, &id, NULL) != SAT_OK)
		return;
	title = title_of(&up);
	if (title.type == SAT_V_TEXT)
		sat_json_put_strn(row, "parent_title", title.s);
}

static sat_rc
put_found(sat_json *data, sat_arena *a, sat_api *api, const sat_found *f,
    const sat_needle *q, sat_err *e)
{
	const sat_field *number = sat_kind_field(f->kind, "number");
	bool merged = !sat_id_eq(&f->id, &f->self);
	sat_replica *r = api->crm.replica;
	char text[SAT_ID_TEXT];
	sat_view v, self;
	sat_json *row;
	sat_value val;
	sat_rc rc;

	if ((rc = sat_replica_get(&v, a, r, f->kind, &f->id, e)) != SAT_OK)
		return rc == SAT_ENOTFOUND ? SAT_OK : rc;
	self = v;
	if (merged && (rc = sat_replica_get(&self, a, r, f->kind, &f->self,
	    e)) != SAT_OK)
		return rc;
	row = sat_json_add_obj(data);
	sat_json_put_str(row, "type", f->kind->key);
	sat_id_text(text, &f->id);
	sat_json_put_str(row, "id", text);
	val = number != NULL ? sat_record_value(&v.rec, number->id) :
	    sat_v_null();
	if (val.type == SAT_V_TEXT)
		sat_json_put_strn(row, "number", val.s);
	val = title_of(&v);
	sat_json_put_strn(row, "title", val.type == SAT_V_TEXT ? val.s :
	    sat_span_of("", 0));
	put_match(row, a, f, &self, q);
	sat_json_put_bool(row, "merged", merged);
	put_parent(row, a, api, &v);
	return SAT_OK;
}

/* ---- the route ----------------------------------------------------------------------- */

static sat_rc
search(sat_json *doc, sat_api *api, const scope *s, const char *text,
    size_t limit, sat_err *e)
{
	sat_search q = { .text = sat_span_str(text), .kinds = s->kinds,
		.nkinds = s->n, .all_texts = s->named, .limit = limit };
	sat_json *data = sat_json_put_arr(doc, "data"), *page;
	sat_needle *needle = sat_xmalloc(sizeof *needle);
	sat_arena a = { 0 };
	sat_found *found;
	int64_t total;
	size_t n;
	sat_rc rc;

	sat_needle_make(needle, q.text);
	rc = sat_replica_search(&found, &n, &total, &a, api->crm.replica, &q, e);
	for (size_t i = 0; i < n && rc == SAT_OK; i++)
		rc = put_found(data, &a, api, &found[i], needle, e);
	page = sat_json_put_obj(doc, "page");
	sat_json_put_int(page, "total", total);
	sat_json_put_bool(page, "total_exact", total <= (int64_t)limit);
	sat_arena_fini(&a);
	free(needle);
	return rc;
}

HANDLER(api_search)
{
	const char *text = api_q(req, "q"), *type = api_q(req, "type");
	int64_t limit;
	scope s = { .n = 0 };
	sat_json *doc;
	sat_rc rc;

	(void)args;
	if (sat_replica_me(api->crm.replica) == NULL ||
	    sat_replica_template(api->crm.replica) == NULL)
		return sat_fail_code(e, SAT_ENOREPLICA, "not_synced",
		    "run: satchel sync", "this replica has not been synced yet");
	if (text == NULL || text[strspn(text, " \t")] == '\0')
		return sat_fail_code(e, SAT_EUSAGE, "usage.search",
		    "characters, pinyin, initials, a number, the end of a "
		    "phone", "search needs a text");
	if ((rc = api_number(&limit, req, "limit", SEARCH_DEFAULT, e)) !=
	    SAT_OK)
		return rc;
	if (limit < 1 || limit > SAT_SEARCH_MAX)
		return sat_fail_code(e, SAT_EUSAGE, "usage.option", NULL,
		    "limit is 1 to %d", SAT_SEARCH_MAX);
	if (type != NULL)
		rc = named_kinds(&s, api, type, e);
	else
		all_kinds(&s, api);
	if (rc != SAT_OK)
		return rc;
	doc = api_doc("search");
	return api_answer(out, doc, search(doc, api, &s, text, (size_t)limit, e));
}
