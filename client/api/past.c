/*
 * The past of a record: every value its fields ever had here, who wrote it and
 * when. And what readers of any past may ask for: since when, by which device,
 * of which field.
 */
#include "client/api/api_int.h"

#include "common/base/args.h"

#include <stdlib.h>
#include <string.h>

/* "7d" is seven days ago. */
sat_rc
api_since(int64_t *ms, sat_api *api, const char *text, sat_err *e)
{
	const sat_template *t = sat_replica_template(api->crm.replica);
	int64_t age;

	if (sat_time_parse(ms, text, t != NULL ? sat_template_tz_min(t) : 0))
		return SAT_OK;
	if (!sat_duration_parse(&age, text))
		return sat_fail_code(e, SAT_EUSAGE, "usage.option",
		    "for example 2026-11-01, or 7d", "%.40s is no time",
		    text);
	*ms = sat_wall_ms(&api->crm.clock) - age;
	return SAT_OK;
}

sat_rc
api_past_read(api_past *p, sat_api *api, const sat_request *req, sat_err *e)
{
	const char *since = api_q(req, "since"), *device = api_q(req, "device");
	char *end;

	*p = (api_past){ .device = -1, .field = api_q(req, "field") };
	if (device != NULL) {
		p->device = strtoll(device, &end, 10);
		if (end == device || *end != '\0' || p->device < 0)
			return sat_fail_code(e, SAT_EUSAGE, "usage.option",
			    "its number, as device list and log print it",
			    "--device %.20s is no device", device);
	}
	return since != NULL ? api_since(&p->since_ms, api, since, e) : SAT_OK;
}

bool
api_past_has(const api_past *p, int64_t at_ms, uint32_t device)
{
	return at_ms >= p->since_ms &&
	    (p->device < 0 || (uint32_t)p->device == device);
}

typedef struct past_doc {
	sat_api *api;
	const sat_kind *k;
	const sat_id *id;
	const api_past *want;
	sat_json *data;
	sat_buf mask;
} past_doc;

static void
put_value(past_doc *d, const sat_field *f, sat_value v, sat_stamp at,
    bool current)
{
	int64_t ms = sat_hlc_ms(at.hlc);
	sat_json *row;

	if (!api_past_has(d->want, ms, at.dev))
		return;
	row = sat_json_add_obj(d->data);
	sat_json_put_str(row, "field", f != NULL ? f->key : "?");
	sat_json_put_bool(row, "current", current);
	api_value_put(row, "value", d->api, f,
	    api_shown(&d->mask, d->api, d->k, d->id, f, v));
	sat_json_put_time(row, "at", ms);
	api_device_put(row, d->api, at.dev);
	sat_json_put_int(row, "lsn", (int64_t)at.lsn);
}

HANDLER(api_history)
{
	const sat_field *f = NULL;
	sat_arena a = { 0 };
	past_doc d = { .api = api };
	sat_past *past;
	api_past want;
	size_t n;
	sat_view v;
	sat_id id;
	sat_rc rc = api_kind(&d.k, api, args[0], e);

	if (rc == SAT_OK)
		rc = sat_replica_resolve(&id, api->crm.replica, d.k, args[1], e);
	if (rc == SAT_OK)
		rc = api_past_read(&want, api, req, e);
	if (rc == SAT_OK && want.field != NULL &&
	    (f = sat_kind_field(d.k, want.field)) == NULL)
		rc = sat_fail(e, SAT_ENOTFOUND, "%s has no field \"%s\"",
		    d.k->key, want.field);
	if (rc == SAT_OK && (rc = sat_replica_history(&past, &n, &a,
	    api->crm.replica, &id, f != NULL ? f->id : 0, e)) == SAT_OK)
		rc = sat_replica_get(&v, &a, api->crm.replica, d.k, &id, e);
	if (rc != SAT_OK) {
		sat_arena_fini(&a);
		return rc;
	}
	*out = api_doc("history");
	d.data = sat_json_put_arr(*out, "data");
	d.id = &id;
	d.want = &want;
	for (size_t i = 0; i < v.rec.ncells; i++) {
		const sat_cell *c = &v.rec.cells[i];
		const sat_field *cf = sat_kind_field_id(d.k, c->field);

		if (cf != NULL && (f == NULL || cf == f))
			put_value(&d, cf, c->value, c->at, true);
	}
	for (size_t i = 0; i < n; i++)
		if (past[i].field < SAT_SYS_FIRST) /* of the template */
			put_value(&d, sat_kind_field_id(d.k, past[i].field),
			    past[i].value, past[i].at, false);
	sat_buf_fini(&d.mask);
	sat_arena_fini(&a);
	return SAT_OK;
}

/* ---- a record as it was ---------------------------------------------------------- */

typedef struct asked {
	int64_t at_ms;
	const sat_past *past; /* newest first */
	size_t npast;
	sat_json *unknown;    /* fields of which nothing is known for then */
} asked;

static bool
is_later(const asked *x, sat_stamp at)
{
	return sat_hlc_ms(at.hlc) > x->at_ms;
}

/* Sets and counters are sums of what many wrote: their past is not kept value
 * by value. */
static bool
has_past(const sat_field *f)
{
	return f->policy != SAT_P_SET && f->policy != SAT_P_COUNTER &&
	    f->policy != SAT_P_DERIVED;
}

/* The value the field had: the newest one that was written by then. */
static void
turn_back(sat_cell *c, const sat_field *f, const asked *x)
{
	size_t i = 0;

	if (!is_later(x, c->at))
		return;
	while (has_past(f) && i < x->npast &&
	    (x->past[i].field != f->id || is_later(x, x->past[i].at)))
		i++;
	if (has_past(f) && i < x->npast) {
		c->value = x->past[i].value;
		c->at = x->past[i].at;
		return;
	}
	c->value = sat_v_null();
	for (const sat_json *u = sat_json_first(x->unknown); u != NULL;
	     u = sat_json_next(u))
		if (strcmp(sat_json_str(u, ""), f->key) == 0)
			return;
	sat_json_add_str(x->unknown, f->key);
}

sat_rc
api_view_then(sat_view *v, bool *there, sat_json *unknown, sat_arena *a,
    sat_api *api, const sat_kind *k, const sat_id *id, int64_t at_ms,
    sat_err *e)
{
	sat_past *past = NULL;
	asked x = { .at_ms = at_ms, .unknown = unknown };
	sat_rc rc;

	if ((rc = sat_replica_get(v, a, api->crm.replica, k, id, e)) !=
	    SAT_OK || (rc = sat_replica_history(&past, &x.npast, a,
	    api->crm.replica, id, 0, e)) != SAT_OK)
		return rc;
	*there = (v->rec.born.hlc == 0 || !is_later(&x, v->rec.born)) &&
	    (!v->rec.deleted || is_later(&x, v->rec.del_at));
	x.past = past;
	for (size_t i = 0; *there && i < v->rec.ncells; i++) {
		const sat_field *f = sat_kind_field_id(k,
		    v->rec.cells[i].field);

		if (f != NULL)
			turn_back(&v->rec.cells[i], f, &x);
	}
	return SAT_OK;
}

sat_rc
api_record_then(sat_json **out, sat_api *api, const sat_kind *k,
    const sat_id *id, const char *as_of, bool labels, sat_err *e)
{
	sat_json *unknown = sat_json_arr();
	sat_arena a = { 0 };
	int64_t at_ms = 0;
	bool there = false;
	sat_view v;
	sat_rc rc;

	if ((rc = api_since(&at_ms, api, as_of, e)) == SAT_OK &&
	    (rc = api_view_then(&v, &there, unknown, &a, api, k, id, at_ms,
	         e)) == SAT_OK && !there)
		rc = v.rec.deleted
		    ? sat_fail(e, SAT_ENOTFOUND, "it was deleted by then")
		    : sat_fail(e, SAT_ENOTFOUND, "it was made later than that");
	if (rc == SAT_OK) {
		*out = api_doc(k->key);
		sat_json_put_time(*out, "as_of", at_ms);
		sat_json_put(*out, "data", api_record_json(api, &v, labels));
		sat_json_put(*out, "unknown", unknown);
	} else {
		sat_json_free(unknown);
	}
	sat_arena_fini(&a);
	return rc;
}
