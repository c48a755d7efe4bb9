/*
 * The public pool: what is offered, claimed, released, and would be taken back.
 */
#include "client/api/api_int.h"

#include <stdlib.h>
#include <string.h>

#define LIMIT_DEFAULT 1000

static sat_rc
customers(const sat_kind **k, sat_api *api, sat_err *e)
{
	const sat_template *t = sat_replica_template(api->crm.replica);

	*k = t != NULL ? sat_pool_kind(t) : NULL;
	return *k != NULL ? SAT_OK : sat_fail_code(e, SAT_ENOTFOUND,
	    "pool.none", NULL, "the template has no public pool");
}

static void
number_put(sat_json *row, sat_api *api, const sat_view *v)
{
	const sat_field *f = sat_kind_field(v->kind, "number");

	if (f != NULL)
		api_value_put(row, "number", api, f,
		    sat_record_value(&v->rec, f->id));
}

static sat_rc
offered_put(sat_json *row, sat_api *api, const sat_kind *k, const sat_id *id,
    sat_err *e)
{
	sat_arena a = { 0 };
	const sat_cell *c;
	sat_span why;
	sat_view v;
	sat_rc rc;

	if ((rc = sat_replica_get(&v, &a, api->crm.replica, k, id, e)) ==
	    SAT_OK) {
		api_record_head_put(row, api, k, id);
		number_put(row, api, &v);
		c = sat_record_cell(&v.rec, SAT_SYS_POOL);
		if (c != NULL && c->value.type == SAT_V_TEXT) {
			sat_json_put_strn(row, "pool",
			    sat_pool_key_of(c->value.s));
			why = sat_pool_reason_of(c->value.s);
			if (why.n > 0)
				sat_json_put_strn(row, "reason", why);
			sat_json_put_time(row, "since", sat_hlc_ms(c->at.hlc));
		}
		sat_json_put_bool(row, "masked", sat_record_of_pool(&v.rec));
	}
	sat_arena_fini(&a);
	return rc;
}

HANDLER(api_pool)
{
	static const sat_value yes = { .type = SAT_V_INT, .i = 1 };
	static const uint16_t id_only[] = { SAT_Q_ID };
	sat_filter f = { SAT_Q_POOL, SAT_CMP_EQ, &yes, 1 };
	sat_query q = { .filters = &f, .nfilters = 1, .columns = id_only,
		.ncolumns = 1, .limit = LIMIT_DEFAULT };
	const char *limit = api_q(req, "limit");
	const sat_value *row;
	sat_rows *rows;
	sat_json *data;
	char *end;
	sat_id id;
	sat_rc rc;

	(void)args;
	if (limit != NULL && ((q.limit = strtoll(limit, &end, 10)) <= 0 ||
	    *end != '\0'))
		return sat_fail(e, SAT_EUSAGE, "limit is no number");
	if ((rc = customers(&q.kind, api, e)) != SAT_OK ||
	    (rc = sat_replica_query(&rows, api->crm.replica, &q, e)) != SAT_OK)
		return rc;
	*out = api_doc("pool.list");
	data = sat_json_put_arr(*out, "data");
	while ((rc = sat_rows_next(&row, rows, e)) == SAT_OK && row != NULL) {
		if (row[0].s.n != sizeof id.b)
			continue;
		memcpy(id.b, row[0].s.p, sizeof id.b);
		if ((rc = offered_put(sat_json_add_obj(data), api, q.kind, &id,
		    e)) != SAT_OK)
			break;
	}
	sat_rows_free(rows);
	return rc;
}

typedef struct previewing {
	sat_api *api;
	const sat_kind *k;
	sat_json *data;
} previewing;

static sat_rc
due_put(void *u, const sat_due_back *d, sat_err *e)
{
	previewing *x = u;
	sat_json *row = sat_json_add_obj(x->data);
	sat_arena a = { 0 };
	sat_view v;
	sat_rc rc;

	api_record_head_put(row, x->api, x->k, &d->id);
	if ((rc = sat_replica_get(&v, &a, x->api->crm.replica, x->k, &d->id,
	    e)) == SAT_OK)
		number_put(row, x->api, &v);
	sat_json_put_str(row, "pool", d->pool->key);
	sat_json_put_time(row, "due", d->due_ms);
	sat_json_put_str(row, "state", d->due ? "due" : "warning");
	sat_arena_fini(&a);
	return rc;
}

HANDLER(api_pool_preview)
{
	const sat_template *t = sat_replica_template(api->crm.replica);
	const char *text = api_q(req, "as_of");
	previewing x = { .api = api };
	int64_t as_of = 0;
	sat_rc rc;

	(void)args;
	if ((rc = customers(&x.k, api, e)) != SAT_OK)
		return rc;
	if (text != NULL && !sat_time_parse(&as_of, text,
	    sat_template_tz_min(t)))
		return sat_fail_code(e, SAT_EUSAGE, "usage.time",
		    "for example 2026-12-01", "as_of is no time");
	*out = api_doc("pool.preview");
	x.data = sat_json_put_arr(*out, "data");
	return sat_crm_pool_preview(&api->crm, as_of, due_put, &x, e);
}

/* "count": how many to have kept in all. Needs the server. */
HANDLER(api_pool_lease)
{
	int64_t count = sat_json_get_int(req->body, "count", 0);
	sat_arena a = { 0 };
	const sat_kind *k;
	sat_json *data;
	sat_held held;
	sat_rc rc;

	(void)args;
	if ((rc = customers(&k, api, e)) != SAT_OK)
		return rc;
	if (count < 1 || count > SAT_HOLDS_MAX)
		return sat_fail(e, SAT_EUSAGE, "count must be 1 to %d",
		    SAT_HOLDS_MAX);
	if ((rc = sat_sync_hold(&held, &a, api->crm.replica, (uint64_t)count,
	    &api->sync, e)) == SAT_OK) {
		*out = api_doc("pool.lease");
		data = sat_json_put_arr(*out, "data");
		for (size_t i = 0; i < held.n; i++) {
			sat_json *row = sat_json_add_obj(data);

			/* one this device does not hold yet has no name here */
			if (offered_put(row, api, k, &held.h[i].id, NULL) !=
			    SAT_OK)
				api_record_head_put(row, api, k,
				    &held.h[i].id);
			sat_json_put_time(row, "until", held.h[i].until_ms);
		}
	}
	sat_arena_fini(&a);
	return rc;
}

/* ---- one customer ------------------------------------------------------------- */

static sat_rc
shown(sat_json **out, sat_api *api, const sat_kind *k, const sat_id *id,
    sat_err *e)
{
	sat_arena a = { 0 };
	sat_view v;
	sat_rc rc = sat_replica_get(&v, &a, api->crm.replica, k, id, e);

	if (rc == SAT_OK) {
		*out = api_doc("record");
		sat_json_put(*out, "data", sat_crm_json(&api->crm, &v, false));
	}
	sat_arena_fini(&a);
	return rc;
}

HANDLER(api_claim)
{
	const sat_kind *k;
	sat_id id;
	sat_rc rc;

	(void)req;
	if ((rc = customers(&k, api, e)) != SAT_OK ||
	    (rc = sat_replica_resolve(&id, api->crm.replica, k, args[0], e)) !=
	    SAT_OK || (rc = sat_crm_claim(&api->crm, &id, e)) != SAT_OK)
		return rc;
	return shown(out, api, k, &id, e);
}

HANDLER(api_release)
{
	const char *pool = sat_json_get_str(req->body, "pool", NULL);
	const char *reason = sat_json_get_str(req->body, "reason", NULL);
	const sat_kind *k;
	sat_id id;
	sat_rc rc;

	if ((rc = customers(&k, api, e)) != SAT_OK ||
	    (rc = sat_replica_resolve(&id, api->crm.replica, k, args[0], e)) !=
	    SAT_OK || (rc = sat_crm_release(&api->crm, &id, pool, reason, e)) !=
	    SAT_OK)
		return rc;
	return shown(out, api, k, &id, e);
}
