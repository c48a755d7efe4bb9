/*
 * Lists of records: what is asked for, and a page of it.
 */
#include "client/api/api_int.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIST_DEFAULT 50

/* ---- what is asked for ------------------------------------------------------------ */

/* A value as sat_crm_where reads it. */
static sat_rc
put_quoted(sat_buf *w, const char *v, size_t n, sat_err *e)
{
	const char *quote = memchr(v, '"', n) == NULL ? "\"" : "'";

	if (memchr(v, quote[0], n) != NULL)
		return sat_fail_code(e, SAT_EUSAGE, "usage.filter", NULL,
		    "a filter's value has both kinds of quotes");
	sat_buf_str(w, quote);
	sat_buf_add(w, v, n);
	sat_buf_str(w, quote);
	return SAT_OK;
}

static void
put_and(sat_buf *w)
{
	if (w->n > 0)
		sat_buf_str(w, " and ");
}

/* "a,b" of a field: one of them. */
static sat_rc
put_any(sat_buf *w, const char *field, const char *list, sat_err *e)
{
	bool many = strchr(list, ',') != NULL;
	sat_rc rc = SAT_OK;

	sat_buf_fmt(w, many ? "%s in (" : "%s=", field);
	for (const char *p = list; rc == SAT_OK;) {
		size_t n = strcspn(p, ",");

		if ((rc = put_quoted(w, p, n, e)) != SAT_OK || p[n] == '\0')
			break;
		sat_buf_str(w, ",");
		p += n + 1;
	}
	if (many)
		sat_buf_str(w, ")");
	return rc;
}

/* "filter[stage]" and "filter[amount][gte]" with their values. */
static sat_rc
put_filter(sat_buf *w, const char *key, const char *v, sat_err *e)
{
	static const struct {
		const char *word, *op;
	} ops[] = { { "eq", "=" }, { "ne", "!=" }, { "lt", "<" },
		{ "lte", "<=" }, { "gt", ">" }, { "gte", ">=" },
		{ "like", "~" }, { "has", " has " } };
	const char *name = key + strlen("filter["), *end = strchr(name, ']');
	char field[64], op[16] = "in";

	if (end == NULL || (size_t)(end - name) >= sizeof field)
		goto wrong;
	(void)snprintf(field, sizeof field, "%.*s", (int)(end - name), name);
	if (strspn(field, "abcdefghijklmnopqrstuvwxyz0123456789_") !=
	    strlen(field) || field[0] == '\0')
		goto wrong;
	if (end[1] == '[' && strlen(end + 2) < sizeof op &&
	    end[2 + strcspn(end + 2, "]")] == ']')
		(void)snprintf(op, sizeof op, "%.*s", (int)strcspn(end + 2,
		    "]"), end + 2);
	else if (end[1] != '\0')
		goto wrong;
	put_and(w);
	if (strcmp(op, "in") == 0)
		return put_any(w, field, v, e);
	if (strcmp(op, "null") == 0) {
		sat_buf_fmt(w, "%s is %snull", field, strcmp(v, "0") == 0 ||
		    strcmp(v, "false") == 0 ? "not " : "");
		return SAT_OK;
	}
	for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++)
		if (strcmp(op, ops[i].word) == 0) {
			sat_buf_fmt(w, "%s%s", field, ops[i].op);
			return put_quoted(w, v, strlen(v), e);
		}
wrong:
	return sat_fail_code(e, SAT_EUSAGE, "usage.filter",
	    "filter[stage]=a,b or filter[amount][gte]=1; eq, ne, lt, lte, gt, "
	    "gte, in, like, has, null", "%.60s is no filter", key);
}

/* A day is compared as a whole, in the organisation's time zone. */
static void
day_of(sat_buf *w, const sat_api *api, const char *day)
{
	int64_t tz = (int64_t)sat_template_tz_min(
	    sat_replica_template(api->crm.replica)) * 60000;
	int y, m, d;

	put_and(w);
	sat_buf_str(w, "arrived_at=");
	if (strcmp(day, "today") != 0) {
		sat_buf_fmt(w, "\"%s\"", day);
		return;
	}
	sat_date_of(&y, &m, &d, (sat_wall_ms(&api->crm.clock) + tz) / 86400000);
	sat_buf_fmt(w, "%04d-%02d-%02d", y, m, d);
}

/* When it happened, of a kind that says so; else when it was made. */
static sat_rc
since_of(sat_buf *w, sat_api *api, const sat_kind *k, const char *text,
    sat_err *e)
{
	char when[32];
	int64_t ms;
	sat_rc rc = api_since(&ms, api, text, e);

	if (rc != SAT_OK)
		return rc;
	sat_time_rfc3339(when, ms);
	put_and(w);
	sat_buf_fmt(w, "%s>=\"%s\"", sat_kind_field(k, "occurred_at") != NULL ?
	    "occurred_at" : "created", when);
	return SAT_OK;
}

/* The list's flags become one where expression; fields that the kind lacks
 * are refused by sat_crm_where. */
sat_rc
api_where_of(sat_buf *w, sat_api *api, const sat_kind *k, const sat_json *query,
    sat_err *e)
{
	static const char *const plain[] = { "stage", "grade", "owner", "status",
		"account" };
	const sat_user *me = sat_replica_me(api->crm.replica);
	const char *v;
	sat_rc rc = SAT_OK;

	for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) {
		if ((v = sat_json_get_str(query, plain[i], NULL)) == NULL)
			continue;
		if (strcmp(plain[i], "owner") == 0 && strcmp(v, "me") == 0)
			v = me->key;
		put_and(w);
		sat_buf_fmt(w, "%s=", plain[i]);
		if ((rc = put_quoted(w, v, strlen(v), e)) != SAT_OK)
			return rc;
	}
	for (const sat_json *m = sat_json_first(query); m != NULL;
	     m = sat_json_next(m))
		if (strncmp(sat_json_key(m), "filter[", 7) == 0 &&
		    (rc = put_filter(w, sat_json_key(m), sat_json_str(m, ""),
		         e)) != SAT_OK)
			return rc;
	if ((v = sat_json_get_str(query, "since", NULL)) != NULL &&
	    (rc = since_of(w, api, k, v, e)) != SAT_OK)
		return rc;
	if ((v = sat_json_get_str(query, "date", NULL)) != NULL)
		day_of(w, api, v);
	if ((v = sat_json_get_str(query, "tag", NULL)) != NULL) {
		put_and(w);
		sat_buf_str(w, "tags has ");
		rc = put_quoted(w, v, strlen(v), e);
	}
	if (rc == SAT_OK &&
	    (v = sat_json_get_str(query, "where", NULL)) != NULL) {
		put_and(w);
		sat_buf_str(w, v);
	}
	return rc;
}

sat_rc
api_sort_of(sat_query *q, sat_api *api, const char *text, sat_err *e)
{
	const sat_kind *k = q->kind;
	char key[64];
	sat_rc rc;

	while (text != NULL && *text != '\0' && q->nsort < 4) {
		bool desc = *text == '-';
		size_t n = strcspn(text += desc, ",");
		const sat_field *f;
		uint16_t id;

		(void)snprintf(key, sizeof key, "%.*s", (int)n, text);
		f = sat_kind_field(k, key);
		if (f == NULL && strcmp(key, "next_at") == 0)
			f = sat_kind_field(k, "next_follow_at");
		if (strcmp(key, "created") == 0)
			id = SAT_Q_CREATED;
		else if (f != NULL)
			id = f->id;
		else
			return sat_fail_code(e, SAT_EUSAGE, "usage.sort", NULL,
			    "%s has no field \"%s\" to sort by", k->key, key);
		if (f != NULL && (rc = sat_crm_may_search(&api->crm, f, e)) !=
		    SAT_OK)
			return rc;
		q->sort[q->nsort].field = id;
		q->sort[q->nsort++].desc = desc;
		text += n + (text[n] == ',');
	}
	return text == NULL || *text == '\0' ? SAT_OK : sat_fail_code(e,
	    SAT_EUSAGE, "usage.sort", NULL,
	    "a list is sorted by four fields at most");
}

static sat_rc
number_of(int64_t *v, const sat_json *query, const char *key, int64_t dflt,
    sat_err *e)
{
	const char *s = sat_json_get_str(query, key, NULL);
	char *end;

	*v = dflt;
	if (s == NULL)
		return SAT_OK;
	errno = 0;
	*v = strtoll(s, &end, 10);
	if (end == s || *end != '\0' || *v < 0 || errno == ERANGE)
		return sat_fail_code(e, SAT_EUSAGE, "usage.option", NULL,
		    "%s needs a whole number", key);
	return SAT_OK;
}

sat_rc
api_number(int64_t *v, const sat_request *req, const char *key, int64_t dflt,
    sat_err *e)
{
	return number_of(v, req->query, key, dflt, e);
}

bool
api_on(const sat_json *query, const char *key)
{
	const char *v = sat_json_get_str(query, key, NULL);

	return v != NULL && strcmp(v, "0") != 0 && strcmp(v, "false") != 0;
}

/* `q`: text search. `incomplete`, `pending`, `conflict`, `deleted`, `merged`:
 * 1. */
static size_t
extra_filters(sat_filter *f, sat_value *v, const sat_json *query)
{
	static const struct {
		const char *key;
		uint16_t field;
	} flags[] = { { "incomplete", SAT_Q_INCOMPLETE },
		{ "pending", SAT_Q_PENDING }, { "conflict", SAT_Q_CONFLICT },
		{ "deleted", SAT_Q_DELETED }, { "merged", SAT_Q_MERGED } };
	const char *text = sat_json_get_str(query, "q", NULL);
	size_t n = 0;

	if (text != NULL) {
		v[n] = sat_v_text(sat_span_str(text));
		f[n] = (sat_filter){ SAT_Q_TEXT, SAT_CMP_LIKE, &v[n], 1 };
		n++;
	}
	for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
		if (api_on(query, flags[i].key)) {
			v[n] = sat_v_int(1);
			f[n] = (sat_filter){ flags[i].field, SAT_CMP_EQ, &v[n], 1 };
			n++;
		}
	return n;
}

/* Is the word one of a list "a,b,c"? */
static bool
is_listed(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = list; *p != '\0'; p += strcspn(p, ","), p += *p == ',')
		if (strcspn(p, ",") == n && strncmp(p, word, n) == 0)
			return true;
	return false;
}

sat_rc
api_fields_known(const sat_kind *k, const char *fields, sat_err *e)
{
	static const char every[] = "id,version,pending,incomplete,conflict,"
	    "deleted,created";

	for (const char *p = fields; p != NULL && *p != '\0';
	     p += strcspn(p, ","), p += *p == ',') {
		char word[64];

		(void)snprintf(word, sizeof word, "%.*s", (int)strcspn(p, ","), p);
		if (sat_kind_field(k, word) == NULL && !is_listed(every, word))
			return sat_fail_code(e, SAT_EUSAGE, "usage.field",
			    "see: satchel schema KIND",
			    "%s has no field \"%.40s\"", k->key, word);
	}
	return SAT_OK;
}

void
api_keep_fields(sat_json *row, const sat_kind *k, const char *fields)
{
	const sat_json *label = sat_json_get(row, "label");
	sat_json *kept = label != NULL ? sat_json_dup(label) : NULL;

	for (size_t i = 0; i < k->nfields; i++)
		if (!is_listed(fields, k->fields[i].key)) {
			sat_json_del(row, k->fields[i].key);
			if (kept != NULL)
				sat_json_del(kept, k->fields[i].key);
		}
	if (kept != NULL)
		sat_json_set(row, "label", kept);
}

sat_rc
api_row_put(sat_json *data, sat_arena *a, sat_api *api, const sat_kind *k,
    const sat_id *id, const api_look *how, sat_err *e)
{
	sat_view view;
	sat_json *row;
	sat_rc rc = sat_replica_get(&view, a, api->crm.replica, k, id, e);

	if (rc != SAT_OK)
		return rc;
	row = api_record_json(api, &view, how->labels);
	if (how->fields != NULL)
		api_keep_fields(row, k, how->fields);
	sat_json_add(data, row);
	return how->with == NULL ? SAT_OK : api_include_put(
	    sat_json_put_obj(row, "include"), api, k, id, how->with,
	    how->labels, e);
}

/* One row more than the page has: whether the list goes on, without counting. */
static sat_rc
ids_of_page(sat_id **ids, size_t *n, api_page *p, sat_arena *mem, sat_api *api,
    const sat_query *q, sat_err *e)
{
	sat_query more = *q;
	bool extra;
	sat_rc rc;

	more.limit += q->limit > 0 && q->limit < INT64_MAX;
	if ((rc = sat_replica_list(ids, n, p->counted ? &p->total : NULL, mem,
	    api->crm.replica, &more, e)) != SAT_OK)
		return rc;
	extra = q->limit > 0 && (int64_t)*n > q->limit;
	*n -= extra;
	if (extra && q->back)
		(*ids)++; /* it is before the others */
	p->before = q->back ? extra : q->from != NULL || q->offset > 0;
	p->after = q->back ? q->from != NULL : extra;
	p->n = *n;
	return SAT_OK;
}

/* ids first: reading a record uses statements of its own */
static sat_rc
rows_put(sat_json *data, api_page *p, sat_api *api, const sat_query *q,
    const api_look *how, sat_err *e)
{
	sat_arena mem = { 0 }, a = { 0 };
	sat_replica *r = api->crm.replica;
	sat_id *ids;
	size_t n;
	sat_rc rc = ids_of_page(&ids, &n, p, &mem, api, q, e);

	for (size_t i = 0; rc == SAT_OK && i < n; i++) {
		sat_arena_reset(&a);
		rc = api_row_put(data, &a, api, q->kind, &ids[i], how, e);
	}
	if (rc == SAT_OK && n > 0 && p->before)
		rc = sat_replica_edge(&p->first, &p->mem, r, q, &ids[0], e);
	if (rc == SAT_OK && n > 0 && p->after)
		rc = sat_replica_edge(&p->last, &p->mem, r, q, &ids[n - 1], e);
	sat_arena_fini(&a);
	sat_arena_fini(&mem);
	return rc;
}

/* ---- the list ----------------------------------------------------------------------- */

sat_rc
api_rows_read(api_rows *x, sat_api *api, const sat_json *query, sat_err *e)
{
	sat_filter *f = NULL;
	sat_buf w = { 0 };
	size_t n = 0, m;
	sat_rc rc = api_where_of(&w, api, x->q.kind, query, e);

	if (rc == SAT_OK && w.n > 0)
		rc = sat_crm_where(&f, &n, &x->a, &api->crm, x->q.kind,
		    sat_buf_cstr(&w), e);
	sat_buf_fini(&w);
	if (rc != SAT_OK)
		return rc;
	m = extra_filters(x->filters, x->extra, query);
	if (n > 24)
		return sat_fail(e, SAT_EUSAGE, "too many conditions");
	if (n > 0)
		memcpy(x->filters + m, f, n * sizeof *f);
	x->q.filters = x->filters;
	x->q.nfilters = m + n;
	if ((rc = api_sort_of(&x->q, api, sat_json_get_str(query, "sort", NULL),
	         e)) != SAT_OK ||
	    (rc = number_of(&x->q.limit, query, "limit", LIST_DEFAULT, e)) !=
	    SAT_OK)
		return rc;
	if (api_on(query, "all"))
		x->q.limit = 0;
	if (api->page_max > 0 && (x->q.limit < 1 ||
	    x->q.limit > api->page_max))
		return sat_fail_code(e, SAT_EUSAGE, "usage.limit",
		    "go on with ?cursor=, or ask for an export",
		    "a list has 1 to %lld rows at a time",
		    (long long)api->page_max);
	return number_of(&x->q.offset, query, "offset", 0, e);
}

static sat_rc
put_page(sat_json *doc, const api_page *p, const sat_api *api,
    const uint8_t mark[SAT_HASH_BYTES], const sat_query *q, sat_err *e)
{
	sat_json *page = sat_json_put_obj(doc, "page");
	sat_rc rc = SAT_OK;

	if (p->n > 0 && p->after)
		rc = api_cursor_put(page, "next", api, mark, q, &p->last, false,
		    e);
	else
		sat_json_put_null(page, "next");
	if (rc == SAT_OK && p->n > 0 && p->before)
		rc = api_cursor_put(page, "prev", api, mark, q, &p->first, true,
		    e);
	else
		sat_json_put_null(page, "prev");
	if (p->counted)
		sat_json_put_int(page, "total", p->total);
	else
		sat_json_put_null(page, "total");
	sat_json_put_bool(page, "total_exact", p->counted);
	return rc;
}

/* Where the page begins. */
static sat_rc
begin_at(api_rows *x, const sat_api *api, const uint8_t mark[SAT_HASH_BYTES],
    const sat_json *query, sat_err *e)
{
	const char *cursor = sat_json_get_str(query, "cursor", NULL);

	if (cursor == NULL)
		return SAT_OK;
	if (sat_json_get(query, "offset") != NULL)
		return sat_fail_code(e, SAT_EUSAGE, "usage.cursor", NULL,
		    "a page begins at a cursor or at an offset");
	return api_cursor_read(&x->q, &x->a, api, mark, cursor, e);
}

/* ?count=exact, or none; nothing else is a word. */
static sat_rc
counting(bool *counted, const sat_json *query, sat_err *e)
{
	const char *count = sat_json_get_str(query, "count", "exact");

	*counted = strcmp(count, "none") != 0;
	if (*counted && strcmp(count, "exact") != 0)
		return sat_fail_code(e, SAT_EUSAGE, "usage.option", NULL,
		    "count is exact or none");
	return SAT_OK;
}

/* The rows of the list: one page. */
static sat_rc
put_list(sat_json *doc, sat_api *api, const sat_kind *k, const sat_json *query,
    sat_err *e)
{
	const char *then = sat_json_get_str(query, "as_of", NULL);
	api_look how = { api_on(query, "labels"),
		sat_json_get_str(query, "fields", NULL),
		sat_json_get_str(query, "include", NULL) };
	sat_json *data = sat_json_put_arr(doc, "data");
	uint8_t mark[SAT_HASH_BYTES];
	api_rows x = { .q = { .kind = k } };
	api_page p = { .n = 0 };
	sat_rc rc;

	if (then != NULL && how.with != NULL)
		return sat_fail_code(e, SAT_EUSAGE, "usage.include", NULL,
		    "as_of and include do not go together");
	api_list_mark(mark, k, query);
	if ((rc = counting(&p.counted, query, e)) == SAT_OK &&
	    (rc = api_fields_known(k, how.fields, e)) == SAT_OK &&
	    (rc = api_rows_read(&x, api, query, e)) == SAT_OK &&
	    (rc = begin_at(&x, api, mark, query, e)) == SAT_OK)
		rc = then != NULL ? api_list_then(doc, data, &p, api, &x.q, then,
		    &how, e) : rows_put(data, &p, api, &x.q, &how, e);
	if (rc == SAT_OK)
		rc = put_page(doc, &p, api, mark, &x.q, e);
	sat_arena_fini(&x.a);
	sat_arena_fini(&p.mem);
	return rc;
}

sat_rc
api_list_answer(sat_json **out, sat_api *api, const char *segment,
    const sat_json *query, sat_err *e)
{
	const sat_kind *k;
	sat_json *doc, *asked = NULL;
	char name[80];
	sat_rc rc = api_kind(&k, api, segment, e);

	if (rc != SAT_OK)
		return rc;
	(void)snprintf(name, sizeof name, "%s.list", k->key);
	doc = api_doc(name);
	if ((rc = api_view_apply(&asked, doc, api, k, query, e)) == SAT_OK)
		rc = put_list(doc, api, k, asked, e);
	sat_json_free(asked);
	return api_answer(out, doc, rc);
}

HANDLER(api_list)
{
	return api_list_answer(out, api, args[0], req->query, e);
}
