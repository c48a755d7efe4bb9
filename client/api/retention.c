/*
 * retention.c - what is kept longer than the policy says, and carrying that
 * out. Listing needs no network. Erasing goes through the erasures everybody
 * knows: one person asks, another confirms, the server and every device carry
 * it out, and the ledger keeps class and length as the reason. The client does
 * it row by row, one question to the server each: what was decided stays
 * decided when the link breaks in between.
 */
#include "client/api/api_int.h"

#include <stdio.h>
#include <string.h>

#define DAY_MS ((int64_t)86400000)
#define POLICY "policy/privacy.json"
/* How the reason of such an erasure begins, in the ledger. */
#define REASON "retention "

const sat_json *
api_privacy_policy(const sat_api *api)
{
	return sat_template_doc(sat_replica_template(api->crm.replica), POLICY);
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

static sat_rc
rule_time(const sat_field **at, int64_t *days, const sat_kind *k,
    const sat_json *rule, sat_err *e)
{
	*days = sat_json_get_int(rule, "retention_d", 0);
	*at = sat_kind_field(k, sat_json_get_str(rule, "from", ""));
	if (*at == NULL || (*at)->type != SAT_F_TIME || *days <= 0 ||
	    *days > 36600)
		return sat_fail_code(e, SAT_EINVALID, "template.invalid", NULL,
		    "%s: %.40s: needs `from`, a time, and retention_d", POLICY,
		    sat_json_get_str(rule, "key", "?"));
	return SAT_OK;
}

static sat_rc
gather(overs *o, sat_arena *mem, sat_api *api, const sat_json *rule,
    sat_err *e)
{
	const char *where = sat_json_get_str(rule, "where", "");
	int64_t days, total;
	sat_query q = { .limit = 0 };
	sat_filter *f = NULL, *all;
	const sat_field *at;
	sat_value before;
	over *more;
	sat_id *ids;
	size_t n = 0;
	sat_rc rc = api_kind(&q.kind, api, sat_json_get_str(rule, "kind", ""), e);

	if (rc != SAT_OK ||
	    (rc = rule_time(&at, &days, q.kind, rule, e)) != SAT_OK ||
	    (rc = sat_crm_where(&f, &q.nfilters, mem, &api->crm, q.kind, where,
	    e)) != SAT_OK)
		return rc;
	before = sat_v_int(sat_wall_ms(&api->crm.clock) - days * DAY_MS);
	all = sat_arena_alloc(mem, (q.nfilters + 1) * sizeof *all);
	if (q.nfilters > 0)
		memcpy(all, f, q.nfilters * sizeof *all);
	all[q.nfilters] = (sat_filter){ at->id, SAT_CMP_LT, &before, 1 };
	q.filters = all;
	q.nfilters++;
	rc = sat_replica_list(&ids, &n, &total, mem, api->crm.replica, &q, e);
	if (rc != SAT_OK || n == 0)
		return rc;
	more = sat_arena_alloc(mem, (o->n + n) * sizeof *more);
	if (o->n > 0)
		memcpy(more, o->v, o->n * sizeof *more);
	o->v = more;
	for (size_t i = 0; rc == SAT_OK && i < n; i++) {
		over *x = &o->v[o->n++];

		*x = (over){ q.kind, sat_json_get_str(rule, "key", ""), days,
			ids[i], false };
		rc = on_hold(&x->hold, api, q.kind, &ids[i], e);
	}
	return rc;
}

static sat_rc
gather_all(overs *o, sat_arena *mem, sat_api *api, sat_err *e)
{
	const sat_json *n = sat_json_first(sat_json_get(
	    api_privacy_policy(api), "retention"));
	sat_rc rc = SAT_OK;

	*o = (overs){ NULL, 0 };
	for (; n != NULL && rc == SAT_OK; n = sat_json_next(n))
		rc = gather(o, mem, api, n, e);
	return rc;
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
	sat_rc rc = gather_all(&o, &mem, api, e);

	(void)args;
	(void)req;
	if (rc == SAT_OK) {
		*out = api_doc("privacy.due");
		rows = sat_json_put_arr(*out, "data");
		for (size_t i = 0; i < o.n; i++)
			(void)put_over(rows, api, &o.v[i]);
	}
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
	overs o = { NULL, 0 };
	sat_json *rows;
	sat_rc rc = sat_sync_privacy(&is, &mem, api->crm.replica, &in,
	    &api->sync, e);

	(void)args;
	(void)req;
	if (rc == SAT_OK && !is_admin(me))
		rc = gather_all(&o, &mem, api, e);
	if (rc == SAT_OK) {
		*out = api_doc("privacy.retention");
		rows = sat_json_put_arr(*out, "data");
		for (size_t i = 0; i < o.n; i++)
			sat_json_put_str(put_over(rows, api, &o.v[i]), "state",
			    o.v[i].hold ? "hold" : state_of(&is, &o.v[i].id, me));
		if (is_admin(me))
			put_asked(rows, &is, me);
	}
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

/* {"confirm"}: as the second person. The policy is looked at again: only what
 * is over its time now, by what this device knows, can go this way. */
HANDLER(api_privacy_retention_run)
{
	bool confirm = sat_json_get_bool(req->body, "confirm", false);
	const sat_user *me = sat_replica_me(api->crm.replica);
	sat_privacy in = { .verb = confirm ? SAT_PRIVACY_CONFIRM :
		SAT_PRIVACY_ERASE };
	char reason[SAT_ERASE_REASON_MAX] = "", id[SAT_ID_TEXT];
	const over *x = NULL;
	sat_arena mem = { 0 };
	sat_privacy_is is;
	overs o;
	sat_rc rc = SAT_OK;

	if (!sat_id_parse(&in.subject, args[0]))
		rc = sat_fail(e, SAT_EUSAGE, "%.40s is not an id", args[0]);
	if (rc == SAT_OK && !(confirm && is_admin(me)) &&
	    (rc = gather_all(&o, &mem, api, e)) == SAT_OK)
		rc = find_over(&x, &o, &in.subject, e);
	if (rc == SAT_OK && x != NULL)
		(void)snprintf(reason, sizeof reason, REASON "%.60s %lld",
		    x->class, (long long)x->days);
	in.reason = sat_span_str(reason);
	if (rc == SAT_OK)
		rc = sat_sync_privacy(&is, &mem, api->crm.replica, &in,
		    &api->sync, e);
	if (rc == SAT_OK)
		rc = sat_replica_audit_about(api->crm.replica, &in.subject,
		    "privacy.retention", confirm ? "confirmed" : reason, e);
	if (rc == SAT_OK && confirm)
		rc = api_privacy_follow(api, e);
	if (rc == SAT_OK) {
		sat_id_text(id, &in.subject);
		*out = api_doc("privacy.retained");
		sat_json_put_str(*out, "id", id);
		sat_json_put_str(*out, "state", confirm ? "erased" : "asked");
	}
	sat_arena_fini(&mem);
	return rc;
}
