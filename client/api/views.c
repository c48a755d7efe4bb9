/*
 * Saved views: a name for a filter, an order and columns of one kind. They are
 * records of three ordinary kinds of the template, so they sync, merge and have
 * rights like any other: `view` is its owner's, `team_view` his team's,
 * `company_view` everybody's. Here they are one resource, whose member `share`
 * says which.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/api/api_int.h"

#define NVIEWS 3
static const struct {
	const char *kind, *share;
} classes[NVIEWS] = { { "view", "private" }, { "team_view", "team" },
	{ "company_view", "company" } };

static const sat_kind *
kind_of(const sat_api *api, size_t i)
{
	return sat_template_kind(sat_replica_template(api->crm.replica),
	    classes[i].kind);
}

static const char *
share_of(const sat_kind *k)
{
	for (size_t i = 0; i < NVIEWS; i++)
		if (strcmp(classes[i].kind, k->key) == 0)
			return classes[i].share;
	return NULL;
}

/* The route was allowed for what is one's own alone. */
static sat_rc
permitted(const sat_api *api, const sat_kind *k, const char *what, sat_err *e)
{
	const sat_user *me = sat_replica_me(api->crm.replica);
	char action[96];

	(void)snprintf(action, sizeof action, "%s.%s", k->key, what);
	if (sat_acl(sat_replica_template(api->crm.replica), me->role, action) !=
	    SAT_GRANT_NO)
		return SAT_OK;
	return sat_fail_code(e, SAT_EDENIED, "denied", NULL,
	    "the role %s may not do %s", me->role, action);
}

/* ---- which ones --------------------------------------------------------------------- */

static sat_span
value_of(const sat_view *v, const char *key)
{
	const sat_field *f = sat_kind_field(v->kind, key);
	sat_value x = f != NULL ? sat_record_value(&v->rec, f->id) :
	    sat_v_null();

	return x.type == SAT_V_TEXT ? x.s : sat_span_str("");
}

/* One's own, one's team's, everybody's: who holds more (headquarters hold all)
 * is shown those of others when he asks for a person's. */
static bool
is_offered(const sat_api *api, const sat_view *v, const char *owner)
{
	const sat_registry *reg = sat_replica_registry(api->crm.replica);
	const sat_user *me = sat_replica_me(api->crm.replica), *u;
	sat_span own = value_of(v, "owner");

	if (owner != NULL)
		return sat_span_eq(own, sat_span_str(strcmp(owner, "me") == 0 ?
		    me->key : owner));
	if (v->kind->owner == NULL || sat_span_eq(own, sat_span_str(me->key)))
		return true;
	u = sat_registry_user(reg, own);
	return v->kind->scope == SAT_SCOPE_TEAM && u != NULL &&
	    u->team == me->team;
}

/* Every view of a class that this device holds, by name. */
static sat_rc
each(sat_api *api, const sat_kind *k, sat_rc (*cb)(void *u, sat_view *v,
    sat_err *e), void *u, sat_err *e)
{
	const sat_field *name = sat_kind_field(k, "name");
	sat_query q = { .kind = k };
	sat_arena mem = { 0 }, a = { 0 };
	sat_id *ids;
	sat_view v;
	size_t n;
	sat_rc rc;

	if (name != NULL)
		q.sort[q.nsort++].field = name->id;
	rc = sat_replica_list(&ids, &n, NULL, &mem, api->crm.replica, &q, e);
	for (size_t i = 0; rc == SAT_OK && i < n; i++) {
		sat_arena_reset(&a);
		if ((rc = sat_replica_get(&v, &a, api->crm.replica, k, &ids[i],
		    e)) == SAT_OK)
			rc = cb(u, &v, e);
	}
	sat_arena_fini(&a);
	sat_arena_fini(&mem);
	return rc;
}

typedef struct named {
	const sat_api *api;
	const char *name, *of; /* the kind it lists; NULL: any */
	const sat_kind *kind;
	sat_id id;
	size_t n;
} named;

static sat_rc
compare_name(void *u, sat_view *v, sat_err *e)
{
	named *x = u;

	(void)e;
	if (is_offered(x->api, v, NULL) && (x->of == NULL ||
	    sat_span_eq(value_of(v, "of_kind"), sat_span_str(x->of))) &&
	    sat_span_eq(value_of(v, "name"), sat_span_str(x->name))) {
		x->kind = v->kind;
		x->id = v->rec.id;
		x->n++;
	}
	return SAT_OK;
}

sat_rc
api_view_find(const sat_kind **k, sat_id *id, sat_api *api, const char *text,
    const char *of, sat_err *e)
{
	named x = { .api = api, .name = text, .of = of };
	sat_rc rc = SAT_OK;

	for (size_t i = 0; i < NVIEWS; i++)
		if ((*k = kind_of(api, i)) != NULL && api_may_view(api, *k) &&
		    sat_replica_resolve(id, api->crm.replica, *k, text, NULL) ==
		    SAT_OK)
			return SAT_OK;
	for (size_t i = 0; i < NVIEWS && rc == SAT_OK; i++)
		if ((*k = kind_of(api, i)) != NULL && api_may_view(api, *k))
			rc = each(api, *k, compare_name, &x, e);
	if (rc != SAT_OK)
		return rc;
	if (x.n > 1)
		return sat_fail_code(e, SAT_ECONFLICT, "ambiguous",
		    "name it by its id; see: satchel view list",
		    "several views have this name");
	if (x.n == 0)
		return sat_fail_code(e, SAT_ENOTFOUND, "not_found",
		    "see: satchel view list", "there is no such view here");
	*k = x.kind;
	*id = x.id;
	return SAT_OK;
}

/* ---- what a view says ------------------------------------------------------------------ */

/* "filter" of a body as one expression: a text, or an object as lists take it. */
static sat_rc
filter_text(sat_json *body, sat_api *api, const sat_kind *of, sat_err *e)
{
	const sat_json *f = sat_json_get(body, "filter");
	sat_buf w = { 0 };
	sat_json *q;
	sat_rc rc;

	if (sat_json_type(f) != SAT_J_OBJ)
		return SAT_OK;
	q = sat_json_obj();
	for (const sat_json *m = sat_json_first(f); m != NULL;
	     m = sat_json_next(m))
		api_filter_flat(q, m);
	if ((rc = api_where_of(&w, api, of, q, e)) == SAT_OK) {
		sat_json_del(body, "filter");
		sat_json_put_str(body, "filter", sat_buf_cstr(&w));
	}
	sat_buf_fini(&w);
	sat_json_free(q);
	return rc;
}

/* What it lists has to be there, by one key, when the view is made or changed. */
static sat_rc
check(sat_json *body, sat_api *api, const sat_kind *of, sat_err *e)
{
	const char *fields = sat_json_get_str(body, "fields", NULL);
	sat_query q = { .kind = of };
	sat_arena a = { 0 };
	sat_filter *f;
	size_t n;
	sat_rc rc;

	if ((rc = filter_text(body, api, of, e)) == SAT_OK)
		rc = sat_crm_where(&f, &n, &a, &api->crm, of,
		    sat_json_get_str(body, "filter", ""), e);
	sat_arena_fini(&a);
	if (rc == SAT_OK)
		rc = api_sort_of(&q, api, sat_json_get_str(body, "sort", NULL),
		    e);
	return rc == SAT_OK ? api_fields_known(of, fields, e) : rc;
}

/* What a view says beside its record; `kind` cannot be the name of a field. */
static void
put_own(sat_json *row, const sat_kind *k)
{
	char *of = sat_xstrdup(sat_json_get_str(row, "of_kind", ""));

	sat_json_del(row, "of_kind");
	sat_json_put_str(row, "kind", of[0] != '\0' ? of : NULL);
	sat_json_put_str(row, "share", share_of(k));
	free(of);
}

static void
put_share(sat_json *doc, const sat_kind *k)
{
	sat_json *data = sat_json_dup(sat_json_get(doc, "data"));

	if (data == NULL)
		return;
	put_own(data, k);
	sat_json_set(doc, "data", data);
}

/* Hand on to the routes of its kind, which know the rest. */
static sat_rc
hand_on(sat_json **out, sat_api *api, const sat_request *req,
    const sat_json *body, const sat_kind *k, const sat_id *id, sat_rc (*handle)(sat_json **out,
    sat_api *api, const sat_request *req, const char *const args[4],
    sat_err *e), sat_err *e)
{
	char text[SAT_ID_TEXT] = "";
	const char *const args[4] = { k->key, text, NULL, NULL };
	sat_request as = *req;
	sat_rc rc;

	if (id != NULL)
		sat_id_text(text, id);
	as.body = body;
	if ((rc = handle(out, api, &as, args, e)) == SAT_OK)
		put_share(*out, k);
	return rc;
}

/* ---- the routes ------------------------------------------------------------------------ */

typedef struct listing {
	sat_api *api;
	const char *owner, *of;
	bool labels;
	sat_json *data;
} listing;

static sat_rc
put_view(void *u, sat_view *v, sat_err *e)
{
	listing *x = u;
	sat_json *row;

	(void)e;
	if (!is_offered(x->api, v, x->owner) || (x->of != NULL &&
	    !sat_span_eq(value_of(v, "of_kind"), sat_span_str(x->of))))
		return SAT_OK;
	row = sat_crm_json(&x->api->crm, v, x->labels);
	put_own(row, v->kind);
	sat_json_add(x->data, row);
	return SAT_OK;
}

HANDLER(api_views)
{
	const char *of = api_q(req, "kind"), *share = api_q(req, "share");
	listing x = { .api = api, .owner = api_q(req, "owner"),
		.labels = api_on(req->query, "labels") };
	const sat_kind *k;
	sat_json *doc, *page;
	sat_rc rc = SAT_OK;

	(void)args;
	if (of != NULL && (rc = api_kind(&k, api, of, e)) != SAT_OK)
		return rc;
	x.of = of != NULL ? k->key : NULL;
	doc = api_doc("view.list");
	x.data = sat_json_put_arr(doc, "data");
	for (size_t i = 0; i < NVIEWS && rc == SAT_OK; i++)
		if ((k = kind_of(api, i)) != NULL && api_may_view(api, k) &&
		    (share == NULL || strcmp(share, classes[i].share) == 0))
			rc = each(api, k, put_view, &x, e);
	page = sat_json_put_obj(doc, "page");
	sat_json_put_null(page, "next");
	sat_json_put_null(page, "prev");
	sat_json_put_int(page, "total", (int64_t)sat_json_count(x.data));
	sat_json_put_bool(page, "total_exact", true);
	return api_answer(out, doc, rc);
}

static sat_rc
class_of(const sat_kind **k, const sat_api *api, const char *share, sat_err *e)
{
	for (size_t i = 0; i < NVIEWS; i++)
		if (strcmp(share, classes[i].share) == 0) {
			*k = kind_of(api, i);
			return *k != NULL ? permitted(api, *k, "create", e) :
			    sat_fail(e, SAT_ENOTFOUND,
			        "this template has no views of that kind");
		}
	return sat_fail_code(e, SAT_EUSAGE, "usage.share",
	    "private, team or company", "a view is shared with nobody called "
	    "\"%.40s\"", share);
}

HANDLER(api_view_add)
{
	sat_json *body = sat_json_dup(req->body);
	const sat_kind *k = NULL, *of = NULL;
	sat_rc rc;

	(void)args;
	rc = class_of(&k, api, sat_json_get_str(body, "share", "private"), e);
	sat_json_del(body, "share");
	if (rc == SAT_OK && (rc = api_kind(&of, api, sat_json_get_str(body,
	    "kind", ""), e)) == SAT_OK && !api_may_view(api, of))
		rc = sat_fail_code(e, SAT_EDENIED, "denied", NULL,
		    "this role may not see any %s", of->key);
	if (rc == SAT_OK && (rc = check(body, api, of, e)) == SAT_OK) {
		sat_json_del(body, "kind");
		sat_json_put_str(body, "of_kind", of->key);
		rc = hand_on(out, api, req, body, k, NULL, api_create, e);
	}
	sat_json_free(body);
	return rc;
}

HANDLER(api_view_show)
{
	const sat_kind *k;
	sat_id id;
	sat_rc rc = api_view_find(&k, &id, api, args[0],
	    api_q(req, "kind"), e);

	return rc == SAT_OK ? hand_on(out, api, req, req->body, k, &id, api_show,
	    e) : rc;
}

/* The kind a view lists; it may be none any more. */
static sat_rc
listed_by(const sat_kind **of, sat_api *api, const sat_kind *k,
    const sat_id *id, sat_err *e)
{
	sat_arena a = { 0 };
	sat_view v;
	sat_span key;
	sat_rc rc = sat_replica_get(&v, &a, api->crm.replica, k, id, e);

	if (rc == SAT_OK) {
		key = value_of(&v, "of_kind");
		rc = api_kind(of, api, sat_arena_str(&a, key.p, key.n), e);
	}
	sat_arena_fini(&a);
	return rc;
}

HANDLER(api_view_edit)
{
	sat_json *body = sat_json_dup(req->body);
	const sat_kind *k = NULL, *of = NULL;
	const char *share;
	sat_id id;
	sat_rc rc = api_view_find(&k, &id, api, args[0], NULL, e);

	share = sat_json_get_str(body, "share", NULL);
	if (rc == SAT_OK && share != NULL && strcmp(share, share_of(k)) != 0)
		rc = sat_fail_code(e, SAT_EUSAGE, "usage.share",
		    "make another one, and delete this",
		    "who a view is shared with does not change");
	if (rc == SAT_OK && sat_json_get(body, "kind") != NULL)
		rc = sat_fail_code(e, SAT_EUSAGE, "usage.view",
		    "make another one, and delete this",
		    "what a view lists does not change");
	sat_json_del(body, "share");
	if (rc == SAT_OK && (rc = permitted(api, k, "edit", e)) == SAT_OK &&
	    (rc = listed_by(&of, api, k, &id, e)) == SAT_OK &&
	    (rc = check(body, api, of, e)) == SAT_OK)
		rc = hand_on(out, api, req, body, k, &id, api_edit, e);
	sat_json_free(body);
	return rc;
}

/* Deleting one and giving it back are one right. */
static sat_rc
gone_or_back(sat_json **out, sat_api *api, const sat_request *req,
    const char *name, sat_rc (*handle)(sat_json **out, sat_api *api,
    const sat_request *req, const char *const args[4], sat_err *e), sat_err *e)
{
	const sat_kind *k;
	sat_id id;
	sat_rc rc = api_view_find(&k, &id, api, name, NULL, e);

	if (rc == SAT_OK)
		rc = permitted(api, k, "delete", e);
	return rc == SAT_OK ? hand_on(out, api, req, req->body, k, &id, handle,
	    e) : rc;
}

HANDLER(api_view_delete)
{
	return gone_or_back(out, api, req, args[0], api_delete, e);
}

HANDLER(api_view_restore)
{
	return gone_or_back(out, api, req, args[0], api_restore, e);
}
