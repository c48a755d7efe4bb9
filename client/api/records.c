/*
 * Records of every kind: list, show, create, change, history.
 */
#include "client/api/api_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIST_DEFAULT 50

/* ---- lists -------------------------------------------------------------------- */

/* A day is compared as a whole, in the organisation's time zone. */
static void
day_of(sat_buf *w, const sat_api *api, const char *day)
{
	int64_t tz = (int64_t)sat_template_tz_min(
	    sat_replica_template(api->crm.replica)) * 60000;
	int y, m, d;

	sat_buf_fmt(w, "%sarrived_at=", w->n > 0 ? " and " : "");
	if (strcmp(day, "today") != 0) {
		sat_buf_fmt(w, "\"%s\"", day);
		return;
	}
	sat_date_of(&y, &m, &d, (sat_wall_ms(&api->crm.clock) + tz) / 86400000);
	sat_buf_fmt(w, "%04d-%02d-%02d", y, m, d);
}

/* The list's flags become one where expression; fields that the kind lacks
 * are refused by sat_crm_where. */
static void
where_of(sat_buf *w, const sat_api *api, const sat_request *req)
{
	static const char *const plain[] = { "stage", "grade", "owner", "status",
		"account" };
	const sat_user *me = sat_replica_me(api->crm.replica);
	const char *v;

	for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) {
		if ((v = api_q(req, plain[i])) == NULL)
			continue;
		if (strcmp(plain[i], "owner") == 0 && strcmp(v, "me") == 0)
			v = me->key;
		sat_buf_fmt(w, "%s%s=\"%s\"", w->n > 0 ? " and " : "", plain[i],
		    v);
	}
	if ((v = api_q(req, "date")) != NULL)
		day_of(w, api, v);
	if ((v = api_q(req, "tag")) != NULL)
		sat_buf_fmt(w, "%stags has \"%s\"", w->n > 0 ? " and " : "", v);
	if ((v = api_q(req, "where")) != NULL)
		sat_buf_fmt(w, "%s%s", w->n > 0 ? " and " : "", v);
}

static sat_rc
sort_of(sat_query *q, sat_api *api, const char *text, sat_err *e)
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
	return SAT_OK;
}

sat_rc
api_number(int64_t *v, const sat_request *req, const char *key, int64_t dflt,
    sat_err *e)
{
	const char *s = api_q(req, key);
	char *end;

	*v = dflt;
	if (s == NULL)
		return SAT_OK;
	*v = strtoll(s, &end, 10);
	if (end == s || *end != '\0' || *v < 0)
		return sat_fail_code(e, SAT_EUSAGE, "usage.option", NULL,
		    "%s needs a whole number", key);
	return SAT_OK;
}

/* `q`: text search. `incomplete`, `pending`, `conflict`, `deleted`, `merged`:
 * 1. */
static size_t
extra_filters(sat_filter *f, sat_value *v, const sat_request *req)
{
	static const struct {
		const char *key;
		uint16_t field;
	} flags[] = { { "incomplete", SAT_Q_INCOMPLETE },
		{ "pending", SAT_Q_PENDING }, { "conflict", SAT_Q_CONFLICT },
		{ "deleted", SAT_Q_DELETED }, { "merged", SAT_Q_MERGED } };
	const char *text = api_q(req, "q");
	size_t n = 0;

	if (text != NULL) {
		v[n] = sat_v_text(sat_span_str(text));
		f[n] = (sat_filter){ SAT_Q_TEXT, SAT_CMP_LIKE, &v[n], 1 };
		n++;
	}
	for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
		if (api_q(req, flags[i].key) != NULL) {
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

/* ?fields=name,stage: of the kind, or of every record. */
static sat_rc
fields_known(const sat_kind *k, const char *fields, sat_err *e)
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

/* A record keeps these fields, beside what every record says of itself. */
static void
keep_fields(sat_json *row, const sat_kind *k, const char *fields)
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

/* ids first: reading a record uses statements of its own */
static sat_rc
rows_put(sat_json *data, int64_t *total, sat_api *api, const sat_query *q,
    bool labels, const char *fields, sat_err *e)
{
	sat_arena mem = { 0 }, a = { 0 };
	sat_id *ids;
	size_t n;
	sat_rc rc = sat_replica_list(&ids, &n, total, &mem, api->crm.replica, q,
	    e);

	for (size_t i = 0; rc == SAT_OK && i < n; i++) {
		sat_view view;

		sat_arena_reset(&a);
		rc = sat_replica_get(&view, &a, api->crm.replica, q->kind,
		    &ids[i], e);
		if (rc == SAT_OK) {
			sat_json *row = sat_crm_json(&api->crm, &view, labels);

			if (fields != NULL)
				keep_fields(row, q->kind, fields);
			sat_json_add(data, row);
		}
	}
	sat_arena_fini(&a);
	sat_arena_fini(&mem);
	return rc;
}

static sat_rc
list_query(sat_query *q, sat_filter *all, sat_value *extra, sat_arena *a,
    sat_api *api, const sat_request *req, sat_err *e)
{
	sat_filter *f = NULL;
	sat_buf w = { 0 };
	size_t n = 0, m;
	sat_rc rc;

	where_of(&w, api, req);
	rc = w.n == 0 ? SAT_OK
	              : sat_crm_where(&f, &n, a, &api->crm, q->kind,
	                    sat_buf_cstr(&w), e);
	sat_buf_fini(&w);
	if (rc != SAT_OK)
		return rc;
	m = extra_filters(all, extra, req);
	if (n > 24)
		return sat_fail(e, SAT_EUSAGE, "too many conditions");
	if (n > 0)
		memcpy(all + m, f, n * sizeof *f);
	q->filters = all;
	q->nfilters = m + n;
	if ((rc = sort_of(q, api, api_q(req, "sort"), e)) != SAT_OK ||
	    (rc = api_number(&q->limit, req, "limit", LIST_DEFAULT, e)) != SAT_OK)
		return rc;
	if (api_q(req, "all") != NULL)
		q->limit = 0;
	return api_number(&q->offset, req, "cursor", 0, e);
}

HANDLER(api_list)
{
	static const uint16_t id_column[] = { SAT_Q_ID };
	sat_query q = { .columns = id_column, .ncolumns = 1 };
	sat_filter filters[32];
	sat_value extra[8];
	sat_arena a = { 0 };
	sat_json *doc, *page;
	int64_t total = 0;
	char name[80], next[32];
	sat_rc rc;

	if ((rc = api_kind(&q.kind, api, args[0], e)) != SAT_OK ||
	    (rc = fields_known(q.kind, api_q(req, "fields"), e)) != SAT_OK)
		return rc;
	(void)snprintf(name, sizeof name, "%s.list", q.kind->key);
	doc = api_doc(name);
	if ((rc = list_query(&q, filters, extra, &a, api, req, e)) == SAT_OK)
		rc = rows_put(sat_json_put_arr(doc, "data"), &total, api, &q,
		    api_q(req, "labels") != NULL, api_q(req, "fields"), e);
	page = sat_json_put_obj(doc, "page");
	(void)snprintf(next, sizeof next, "%lld", (long long)(q.offset + q.limit));
	sat_json_put_str(page, "next",
	    q.limit > 0 && q.offset + q.limit < total ? next : NULL);
	sat_json_put_int(page, "total", total);
	sat_json_put_bool(page, "total_exact", true);
	sat_arena_fini(&a);
	return api_answer(out, doc, rc);
}

/* ---- one record ------------------------------------------------------------------ */

static sat_rc
find(const sat_kind **k, sat_id *id, sat_api *api, const char *const args[4],
    sat_err *e)
{
	sat_rc rc = api_kind(k, api, args[0], e);

	return rc == SAT_OK ? sat_replica_resolve(id, api->crm.replica, *k,
	                          args[1], e)
	                    : rc;
}

/* The route may have been allowed for another kind, or for writing alone. */
static bool
may_view(const sat_api *api, const sat_kind *k)
{
	char action[96];

	(void)snprintf(action, sizeof action, "%s.view", k->key);
	return sat_acl(sat_replica_template(api->crm.replica),
	           sat_replica_me(api->crm.replica)->role, action) !=
	    SAT_GRANT_NO;
}

static void
put_id_alone(sat_json *doc, const sat_id *id)
{
	sat_json *data = sat_json_put_obj(doc, "data");
	char text[SAT_ID_TEXT];

	sat_id_text(text, id);
	sat_json_put_str(data, "id", text);
	sat_json_put_str(data, "version", "");
	sat_json_put_bool(data, "pending", true);
	sat_json_put_bool(data, "incomplete", false);
	sat_json_put_bool(data, "conflict", false);
}

sat_rc
api_record_answer(sat_json **out, sat_api *api, const sat_kind *k,
    const sat_id *id, bool labels, sat_err *e)
{
	sat_arena a = { 0 };
	sat_json *doc;
	sat_view v;
	sat_rc rc;

	if (!may_view(api, k)) { /* nor has it on its device (P-360) */
		*out = api_doc(k->key);
		put_id_alone(*out, id);
		return SAT_OK;
	}
	if ((rc = sat_replica_get(&v, &a, api->crm.replica, k, id, e)) ==
	    SAT_OK) {
		doc = api_doc(k->key);
		sat_json_put(doc, "data",
		    sat_crm_json(&api->crm, &v, labels));
		*out = doc;
	}
	sat_arena_fini(&a);
	return rc;
}

HANDLER(api_show)
{
	const sat_kind *k;
	sat_id id;
	sat_rc rc = find(&k, &id, api, args, e);

	if (rc == SAT_OK && api_q(req, "as_of") != NULL)
		return api_record_then(out, api, k, &id, api_q(req, "as_of"),
		    api_q(req, "labels") != NULL, e);
	if (rc == SAT_OK)
		rc = api_record_answer(out, api, k, &id, api_q(req, "labels") != NULL, e);
	if (rc == SAT_OK && k->scope == SAT_SCOPE_ROOT &&
	    (rc = api_merged_put(*out, api, k, &id, e)) != SAT_OK) {
		sat_json_free(*out);
		*out = NULL;
	}
	return rc;
}

static void
input_add(api_inputs *x, char verb, const char *field, sat_span text)
{
	if (x->n < SAT_FIELDS_MAX)
		x->in[x->n++] = (sat_input){ verb, field, text };
}

static sat_span
text_of(api_inputs *x, const sat_json *v)
{
	char num[32];

	switch (sat_json_type(v)) {
	case SAT_J_STR:
		return sat_span_str(sat_json_str(v, ""));
	case SAT_J_BOOL:
		return sat_span_str(sat_json_bool(v, false) ? "1" : "0");
	case SAT_J_INT:
		(void)snprintf(num, sizeof num, "%lld",
		    (long long)sat_json_int(v, 0));
		return sat_span_str(sat_arena_str(&x->a, num, strlen(num)));
	default:
		return sat_span_str("");
	}
}

sat_rc
api_inputs_read(api_inputs *x, const sat_json *body, sat_err *e)
{
	for (const sat_json *m = sat_json_first(body); m != NULL;
	     m = sat_json_next(m)) {
		const char *key = sat_json_key(m);
		const sat_json *list;

		switch (sat_json_type(m)) {
		case SAT_J_NULL:
			input_add(x, '0', key, sat_span_str(""));
			break;
		case SAT_J_OBJ: /* sets: {"$add":[],"$remove":[]} */
			list = sat_json_get(m, "$add");
			for (list = sat_json_first(list); list != NULL;
			     list = sat_json_next(list))
				input_add(x, '+', key, text_of(x, list));
			list = sat_json_get(m, "$remove");
			for (list = sat_json_first(list); list != NULL;
			     list = sat_json_next(list))
				input_add(x, '-', key, text_of(x, list));
			break;
		case SAT_J_ARR:
			for (list = sat_json_first(m); list != NULL;
			     list = sat_json_next(list))
				input_add(x, '+', key, text_of(x, list));
			break;
		case SAT_J_REAL:
			return sat_fail_code(e, SAT_EINVALID, "validation.type",
			    "give it as text", "%s: a number with a fraction", key);
		default:
			input_add(x, '=', key, text_of(x, m));
			break;
		}
	}
	return SAT_OK;
}

static sat_write_opts
write_opts(const sat_request *req)
{
	const char *dup = api_q(req, "duplicate"), *v = api_q(req, "validate");
	sat_write_opts o = { .if_version = api_q(req, "if_version") };

	if (dup != NULL && strcmp(dup, "allow") == 0) {
		o.duplicate_reason = api_q(req, "reason");
		if (o.duplicate_reason == NULL)
			o.duplicate_reason = "";
	}
	o.flag_missing = api_q(req, "incomplete") != NULL &&
	    strcmp(api_q(req, "incomplete"), "flag") == 0;
	o.validate_only = v != NULL && strcmp(v, "only") == 0;
	return o;
}

HANDLER(api_create)
{
	sat_duplicate dup[SAT_DUPLICATES_MAX];
	sat_write_opts o = write_opts(req);
	const sat_kind *k;
	api_inputs x = { .n = 0 };
	size_t ndup = 0;
	sat_id id;
	sat_rc rc;

	if ((rc = api_kind(&k, api, args[0], e)) == SAT_OK &&
	    (rc = api_inputs_read(&x, req->body, e)) == SAT_OK)
		rc = sat_crm_create(&id, &api->crm, k, x.in, x.n, &o, dup, &ndup,
		    e);
	if (rc == SAT_ECONFLICT && ndup > 0 && e != NULL) {
		char text[SAT_ID_TEXT];

		sat_id_text(text, &dup[0].id);
		sat_err_hint(e,
		    "same %s as %s; repeat with --allow-duplicate REASON",
		    dup[0].field, text);
	}
	sat_arena_fini(&x.a);
	if (rc != SAT_OK)
		return rc;
	if (o.validate_only) {
		*out = api_doc("valid");
		return SAT_OK;
	}
	return api_record_answer(out, api, k, &id, false, e);
}

HANDLER(api_edit)
{
	sat_write_opts o = write_opts(req);
	const sat_kind *k;
	api_inputs x = { .n = 0 };
	size_t changed = 0;
	sat_id id;
	sat_rc rc;

	if ((rc = find(&k, &id, api, args, e)) == SAT_OK &&
	    (rc = api_inputs_read(&x, req->body, e)) == SAT_OK)
		rc = sat_crm_edit(&changed, &api->crm, k, &id, x.in, x.n, &o, e);
	sat_arena_fini(&x.a);
	if (rc == SAT_OK && (rc = api_record_answer(out, api, k, &id, false, e)) == SAT_OK)
		sat_json_put_int(*out, "changed", (int64_t)changed);
	return rc;
}

static sat_rc
delete_or_restore(sat_json **out, sat_api *api, const char *const args[4],
    bool restore, sat_err *e)
{
	const sat_kind *k;
	sat_id id;
	sat_rc rc = find(&k, &id, api, args, e);

	if (rc == SAT_OK)
		rc = sat_crm_delete(&api->crm, k, &id, restore, e);
	return rc == SAT_OK ? api_record_answer(out, api, k, &id, false, e) : rc;
}

HANDLER(api_delete)
{
	(void)req;
	return delete_or_restore(out, api, args, false, e);
}

HANDLER(api_restore)
{
	(void)req;
	return delete_or_restore(out, api, args, true, e);
}

/* What the flow missed at the last change of stage ("entry.follow"), as `path` of
 * the record has it: "STAGE TIME !CODE". */
static void
put_flag(sat_json *doc)
{
	const sat_json *m = sat_json_first(sat_json_get(sat_json_get(doc,
	    "data"), "path"));
	const char *last = "", *flag = NULL;

	for (; m != NULL; m = sat_json_next(m)) {
		const char *when = strchr(sat_json_str(m, ""), ' ');

		if (when != NULL && strcmp(when, last) > 0) {
			last = when;
			flag = strchr(when, '!');
		}
	}
	if (flag != NULL)
		sat_json_put_str(doc, "flag", flag + 1);
}

HANDLER(api_stage)
{
	const char *stage = sat_json_get_str(req->body, "stage", NULL);
	const sat_kind *k;
	sat_id id;
	sat_rc rc = find(&k, &id, api, args, e);

	if (rc == SAT_OK && stage == NULL)
		rc = sat_fail(e, SAT_EUSAGE, "name the stage");
	if (rc == SAT_OK)
		rc = sat_crm_stage(&api->crm, k, &id, stage,
		    sat_json_get_str(req->body, "reason", NULL), e);
	if (rc == SAT_OK && (rc = api_record_answer(out, api, k, &id, false,
	    e)) == SAT_OK)
		put_flag(*out);
	return rc;
}

HANDLER(api_assign)
{
	const char *user = sat_json_get_str(req->body, "to", NULL);
	const sat_kind *k;
	sat_id id;
	sat_rc rc = find(&k, &id, api, args, e);

	if (rc == SAT_OK && user == NULL)
		rc = sat_fail(e, SAT_EUSAGE, "name the new owner");
	if (rc == SAT_OK)
		rc = sat_crm_assign(&api->crm, k, &id, user, e);
	return rc == SAT_OK ? api_record_answer(out, api, k, &id, false, e) : rc;
}

/* Rows of a kind that name the record in this field, newest first. */
static sat_rc
naming_put(sat_json *data, sat_api *api, const sat_kind *k, const sat_field *by,
    const sat_id *id, bool labels, sat_err *e)
{
	sat_value v = sat_v_id(id);
	sat_filter f = { by->id, SAT_CMP_EQ, &v, 1 };
	sat_query q = { .kind = k, .filters = &f, .nfilters = 1,
		.nsort = 1 };
	int64_t total;

	q.sort[0].field = SAT_Q_CREATED;
	q.sort[0].desc = true;
	return rows_put(data, &total, api, &q, labels, NULL, e);
}

/* The customer and, by kind, what lies under it, newest first; then what stands
 * for itself and was found to belong to it (a visit). */
HANDLER(api_timeline)
{
	const sat_template *t = sat_replica_template(api->crm.replica);
	bool labels = api_q(req, "labels") != NULL;
	const sat_kind *k;
	sat_json *under, *data;
	sat_id id;
	sat_rc rc = find(&k, &id, api, args, e);

	if (rc == SAT_OK)
		rc = api_record_answer(out, api, k, &id, labels, e);
	if (rc != SAT_OK)
		return rc;
	under = sat_json_put_obj(*out, "under");
	for (size_t i = 0; rc == SAT_OK && i < sat_template_kinds(t); i++) {
		const sat_kind *c = sat_template_kind_at(t, i);
		const sat_field *found = sat_kind_field(c, "customer");

		if (c->parent == NULL || strcmp(c->parent->ref, k->key) != 0 ||
		    !may_view(api, c))
			continue;
		data = sat_json_put_arr(under, c->plural);
		rc = naming_put(data, api, c, c->parent, &id, labels, e);
		if (rc == SAT_OK && found != NULL &&
		    found->type == SAT_F_REF && strcmp(found->ref, k->key) == 0)
			rc = naming_put(data, api, c, found, &id, labels, e);
	}
	return rc;
}
