/*
 * retention.c - what is kept longer than the policy says, and carrying that
 * out. Listing needs no network. Erasing goes through the erasures everybody
 * knows: one person asks, another confirms, the server and every device carry
 * it out, and the ledger keeps class and length as the reason. The client does
 * it row by row, one question to the server each: what was decided stays
 * decided when the link breaks in between.
 */
#include "client/api/api_int.h"

#include "common/template/privacy.h"

#include <stdio.h>
#include <string.h>

#define DAY_MS ((int64_t)86400000)
/* How the reason of such an erasure begins, in the ledger. */
#define REASON "retention "

const sat_json *
api_privacy_policy(const sat_api *api)
{
	return sat_template_doc(sat_replica_template(api->crm.replica),
	    SAT_PRIVACY_DOC);
}

/* ---- what is over its time ---- */

typedef struct over {
	const sat_kind *kind;
	const char *class; /* of the policy */
	int64_t days;
	sat_id id;
	bool hold;         /* somebody wrote why it must be kept */
} over;

typedef struct overs {
	over *v;
	size_t n;
	sat_json *failed; /* rules that cannot be read: [{"class", "why"}] */
} overs;

static sat_rc
on_hold(bool *hold, sat_api *api, const sat_kind *k, const sat_id *id,
    sat_err *e)
{
	const sat_field *f = sat_kind_field(k, SAT_FIELD_HOLD);
	sat_arena a = { 0 };
	sat_value v;
	sat_view view;
	sat_rc rc;

	*hold = false;
	if (f == NULL)
		return SAT_OK;
	rc = sat_replica_get(&view, &a, api->crm.replica, k, id, e);
	if (rc == SAT_OK) {
		v = sat_record_value(&view.rec, f->id);
		*hold = v.type == SAT_V_TEXT && v.s.n > 0;
	}
	sat_arena_fini(&a);
	return rc;
}

/* SAT_EINVALID, SAT_EUSAGE, SAT_ENOTFOUND, SAT_EDENIED: it cannot be read here. */
static sat_rc
read_rule(sat_retention *r, sat_filter **f, size_t *n, sat_arena *mem,
    sat_api *api, const sat_json *rule, sat_err *e)
{
	const sat_template *t = sat_replica_template(api->crm.replica);
	sat_rc rc = sat_template_retention(r, t, rule, e);

	return rc != SAT_OK ? rc :
	    sat_crm_where(f, n, mem, &api->crm, r->kind, r->where, e);
}

static sat_rc
gather(overs *o, sat_arena *mem, sat_api *api, const sat_retention *r,
    const sat_filter *f, size_t nf, sat_err *e)
{
	sat_filter *all = sat_arena_alloc(mem, (nf + 1) * sizeof *all);
	sat_query q = { .kind = r->kind, .filters = all, .nfilters = nf + 1 };
	int64_t total;
	sat_value before;
	over *more;
	sat_id *ids;
	size_t n = 0;
	sat_rc rc;

	before = sat_v_int(sat_wall_ms(&api->crm.clock) - r->days * DAY_MS);
	if (nf > 0)
		memcpy(all, f, nf * sizeof *all);
	all[nf] = (sat_filter){ r->from->id, SAT_CMP_LT, &before, 1 };
	rc = sat_replica_list(&ids, &n, &total, mem, api->crm.replica, &q, e);
	if (rc != SAT_OK || n == 0)
		return rc;
	more = sat_arena_alloc(mem, (o->n + n) * sizeof *more);
	if (o->n > 0)
		memcpy(more, o->v, o->n * sizeof *more);
	o->v = more;
	for (size_t i = 0; rc == SAT_OK && i < n; i++) {
		over *x = &o->v[o->n++];

		*x = (over){ r->kind, r->key, r->days, ids[i], false };
		rc = on_hold(&x->hold, api, r->kind, &ids[i], e);
	}
	return rc;
}

static void
put_failed(overs *o, const char *class, const char *why)
{
	sat_json *row = sat_json_add_obj(o->failed);

	sat_json_put_str(row, "class", class);
	sat_json_put_str(row, "why", why);
}

/* A rule that cannot be read is named: it must not stop the others. */
static sat_rc
gather_all(overs *o, sat_arena *mem, sat_api *api, sat_err *e)
{
	const sat_json *n = sat_json_first(sat_json_get(
	    api_privacy_policy(api), "retention"));
	sat_rc rc = SAT_OK;

	for (; n != NULL && rc == SAT_OK; n = sat_json_next(n)) {
		sat_filter *f = NULL;
		size_t nf = 0;
		sat_retention r;
		sat_err why;

		sat_err_clear(&why);
		rc = read_rule(&r, &f, &nf, mem, api, n, &why);
		if (rc == SAT_OK) {
			rc = gather(o, mem, api, &r, f, nf, e);
		} else if (rc == SAT_EINVALID || rc == SAT_EUSAGE ||
		    rc == SAT_ENOTFOUND || rc == SAT_EDENIED) {
			put_failed(o, r.key, why.text);
			rc = SAT_OK;
		} else if (e != NULL) {
			*e = why;
		}
	}
	return rc;
}

static void
overs_init(overs *o)
{
	*o = (overs){ .failed = sat_json_arr() };
}

static void
overs_fini(overs *o)
{
	sat_json_free(o->failed);
}

/* The document takes them. */
static void
overs_failed_put(sat_json *out, overs *o)
{
	sat_json_put(out, "failed", o->failed);
	o->failed = NULL;
}

static sat_json *
put_over(sat_json *rows, sat_api *api, const over *x)
{
	sat_json *row = sat_json_add_obj(rows);

	sat_json_put_str(row, "class", x->class);
	sat_json_put_int(row, "retention_d", x->days);
	sat_json_put_bool(row, "hold", x->hold);
	api_record_head_put(row, api, x->kind, &x->id);
	return row;
}

HANDLER(api_privacy_due)
{
	sat_arena mem = { 0 };
	sat_json *rows;
	overs o;
	sat_rc rc;

	(void)args;
	(void)req;
	overs_init(&o);
	if ((rc = gather_all(&o, &mem, api, e)) == SAT_OK) {
		*out = api_doc("privacy.due");
		overs_failed_put(*out, &o);
		rows = sat_json_put_arr(*out, "data");
		for (size_t i = 0; i < o.n; i++)
			(void)put_over(rows, api, &o.v[i]);
	}
	overs_fini(&o);
	sat_arena_fini(&mem);
	return rc;
}

/* ---- and how far its erasure is ---- */

static bool
is_ours(const sat_privacy_row *x)
{
	return x->reason.n > strlen(REASON) &&
	    memcmp(x->reason.p, REASON, strlen(REASON)) == 0;
}

/* What whoever asks can do about it: "due" ask for it, "asked" nothing more,
 * "confirm" be the second person, "other" it is asked for on other grounds:
 * those who know them confirm it. */
static const char *
state_of(const sat_privacy_is *is, const sat_id *id, const sat_user *me)
{
	for (size_t i = 0; i < is->n; i++) {
		const sat_privacy_row *x = &is->row[i];

		if (!sat_id_eq(&x->subject, id))
			continue;
		return x->done ? "erased" : !is_ours(x) ? "other" :
		    me != NULL && x->by == me->ord ? "asked" : "confirm";
	}
	return "due";
}

static bool
is_admin(const sat_user *me)
{
	return me != NULL && strcmp(me->role, "admin") == 0;
}

/* An administrator's device holds no records: he sees what was asked for. */
static void
put_asked(sat_json *rows, const sat_privacy_is *is, const sat_user *me)
{
	for (size_t i = 0; i < is->n; i++) {
		const sat_privacy_row *x = &is->row[i];
		char id[SAT_ID_TEXT], class[64];
		int days = 0;
		sat_json *row;

		if (x->done || !is_ours(x) || x->reason.n > 120)
			continue;
		(void)snprintf(class, sizeof class, "%.*s",
		    (int)(x->reason.n - strlen(REASON)),
		    (const char *)x->reason.p + strlen(REASON));
		if (strrchr(class, ' ') != NULL) {
			(void)sscanf(strrchr(class, ' ') + 1, "%d", &days);
			*strrchr(class, ' ') = '\0';
		}
		row = sat_json_add_obj(rows);
		sat_id_text(id, &x->subject);
		sat_json_put_str(row, "class", class);
		sat_json_put_int(row, "retention_d", days);
		sat_json_put_bool(row, "hold", false);
		sat_json_put_str(row, "id", id);
		sat_json_put_str(row, "state", x->by == me->ord ? "asked" :
		    "confirm");
	}
}

HANDLER(api_privacy_retention)
{
	const sat_user *me = sat_replica_me(api->crm.replica);
	sat_privacy in = { .verb = SAT_PRIVACY_LIST };
	sat_arena mem = { 0 };
	sat_privacy_is is;
	overs o;
	sat_json *rows;
	sat_rc rc = sat_sync_privacy(&is, &mem, api->crm.replica, &in,
	    &api->sync, e);

	(void)args;
	(void)req;
	overs_init(&o);
	if (rc == SAT_OK && !is_admin(me))
		rc = gather_all(&o, &mem, api, e);
	if (rc == SAT_OK) {
		*out = api_doc("privacy.retention");
		overs_failed_put(*out, &o);
		rows = sat_json_put_arr(*out, "data");
		for (size_t i = 0; i < o.n; i++)
			sat_json_put_str(put_over(rows, api, &o.v[i]), "state",
			    o.v[i].hold ? "hold" : state_of(&is, &o.v[i].id, me));
		if (is_admin(me))
			put_asked(rows, &is, me);
	}
	overs_fini(&o);
	sat_arena_fini(&mem);
	return rc;
}

/* ---- carrying it out ---- */

static sat_rc
find_over(const over **x, const overs *o, const sat_id *id, sat_err *e)
{
	for (size_t i = 0; i < o->n; i++)
		if (sat_id_eq(&o->v[i].id, id)) {
			*x = &o->v[i];
			return o->v[i].hold ? sat_fail_code(e, SAT_ECONFLICT,
			    "privacy.hold", "clear legal_hold first",
			    "it must be kept: its legal_hold says why") : SAT_OK;
		}
	return sat_fail_code(e, SAT_ECONFLICT, "privacy.not_due",
	    "satchel privacy due lists what is",
	    "it is not kept longer than the policy says");
}

typedef struct carried {
	sat_api *api;
	const char *id;
	bool confirm;
	sat_privacy in;
	sat_privacy_is is;
	api_withs with;
	char reason[SAT_ERASE_REASON_MAX];
	sat_arena mem;
	sat_err err;
	sat_rc rc;
} carried;

static void
choose(void *arg)
{
	carried *x = arg;
	const over *it = NULL;
	overs o;

	overs_init(&o);
	x->rc = SAT_OK;
	if (!sat_id_parse(&x->in.subject, x->id))
		x->rc = sat_fail(&x->err, SAT_EUSAGE, "%.40s is not an id",
		    x->id);
	if (x->rc == SAT_OK && !(x->confirm &&
	    is_admin(sat_replica_me(x->api->crm.replica))) &&
	    (x->rc = gather_all(&o, &x->mem, x->api, &x->err)) == SAT_OK)
		x->rc = find_over(&it, &o, &x->in.subject, &x->err);
	if (x->rc == SAT_OK && it != NULL)
		(void)snprintf(x->reason, sizeof x->reason, REASON "%.60s %lld",
		    it->class, (long long)it->days);
	x->in.reason = sat_span_str(x->reason);
	if (x->rc == SAT_OK && !x->confirm)
		x->rc = api_with_find(&x->with, &x->mem, x->api,
		    &x->in.subject, &x->err);
	overs_fini(&o);
}

static void
note(void *arg)
{
	carried *x = arg;

	x->rc = sat_replica_audit_about(x->api->crm.replica, &x->in.subject,
	    "privacy.retention", x->confirm ? "confirmed" : x->reason, &x->err);
}

static sat_rc
carry_out(carried *x, sat_err *e)
{
	sat_rc rc;

	api_on_replica(x->api, choose, x);
	if (x->rc == SAT_OK && ((rc = api_send_first(x->api, e)) != SAT_OK ||
	    (x->confirm && (rc = api_with_confirm(&x->with, &x->mem, x->api,
	    &x->in.subject, e)) != SAT_OK) ||
	    (rc = api_ask_privacy(&x->is, &x->mem, x->api, &x->in, e)) !=
	    SAT_OK || (!x->confirm && (rc = api_with_ask(&x->with, &x->is,
	    &x->mem, x->api, &x->in, e)) != SAT_OK)))
		return rc;
	if (x->rc == SAT_OK)
		api_on_replica(x->api, note, x);
	if (x->rc != SAT_OK && e != NULL)
		*e = x->err;
	return x->rc != SAT_OK || !x->confirm ? x->rc :
	    api_privacy_follow(x->api, e);
}

/* {"confirm"}: as the second person. The policy is looked at again: only what
 * is over its time now, by what this device knows, can go this way. */
HANDLER(api_privacy_retention_run)
{
	bool confirm = sat_json_get_bool(req->body, "confirm", false);
	carried x = { .api = api, .id = args[0], .confirm = confirm,
		.in = { .verb = confirm ? SAT_PRIVACY_CONFIRM :
		    SAT_PRIVACY_ERASE } };
	char id[SAT_ID_TEXT];
	sat_rc rc = carry_out(&x, e);

	if (rc == SAT_OK) {
		sat_id_text(id, &x.in.subject);
		*out = api_doc("privacy.retained");
		sat_json_put_str(*out, "id", id);
		sat_json_put_str(*out, "state", confirm ? "erased" : "asked");
		api_with_put(*out, &x.with);
	}
	sat_arena_fini(&x.mem);
	return rc;
}
