/*
 * A showroom's day: visitors at the door, whose customers they are, whose turn
 * it is.
 */
#include "client/api/api_int.h"

#include "client/crm/reception.h"

#include <stdio.h>
#include <string.h>

static sat_rc
find_visit(const sat_kind **k, sat_id *id, sat_api *api, const char *text,
    sat_err *e)
{
	sat_rc rc = api_kind(k, api, "visit", e);

	return rc != SAT_OK ? rc : sat_replica_resolve(id, api->crm.replica, *k,
	    text, e);
}

/* ---- at the door ------------------------------------------------------------------- */

HANDLER(api_checkin)
{
	sat_json *body = sat_json_dup(req->body);
	sat_checkin in = { .code = sat_json_get_str(req->body, "qr", NULL),
		.consent = sat_json_get_bool(req->body, "consent", false),
		.station = sat_json_get_str(req->body, "station", NULL) };
	api_inputs x = { .n = 0 };
	const sat_kind *k;
	sat_id id;
	sat_rc rc;

	(void)args;
	sat_json_del(body, "qr");
	sat_json_del(body, "consent");
	sat_json_del(body, "station");
	if ((rc = api_kind(&k, api, "visit", e)) == SAT_OK &&
	    (rc = api_inputs_read(&x, body, e)) == SAT_OK) {
		in.in = x.in;
		in.n = x.n;
		rc = sat_crm_checkin(&id, &api->crm, &in, e);
	}
	sat_arena_fini(&x.a);
	sat_json_free(body);
	return rc == SAT_OK ? api_record_answer(out, api, k, &id, false, e) : rc;
}

HANDLER(api_visit_leave)
{
	const char *at = sat_json_get_str(req->body, "at", NULL);
	char now[32];
	sat_input in = { '=', "left_at", { NULL, 0 } };
	const sat_kind *k;
	sat_id id;
	sat_rc rc = find_visit(&k, &id, api, args[0], e);

	if (rc != SAT_OK)
		return rc;
	sat_time_rfc3339(now, sat_wall_ms(&api->crm.clock));
	in.text = sat_span_str(at != NULL ? at : now);
	rc = sat_crm_edit(NULL, &api->crm, k, &id, &in, 1, NULL, e);
	return rc == SAT_OK ? api_record_answer(out, api, k, &id, false, e) : rc;
}

HANDLER(api_report_code)
{
	char code[SAT_REPORT_CODE];
	const sat_kind *k;
	sat_json *data;
	char text[SAT_ID_TEXT];
	sat_id id;
	sat_rc rc;

	(void)req;
	if ((rc = api_kind(&k, api, "preregistration", e)) != SAT_OK ||
	    (rc = sat_replica_resolve(&id, api->crm.replica, k, args[0], e)) !=
	    SAT_OK || (rc = sat_crm_report_code(code, &api->crm, &id, e)) !=
	    SAT_OK)
		return rc;
	*out = api_doc("report.code");
	data = sat_json_put_obj(*out, "data");
	sat_id_text(text, &id);
	sat_json_put_str(data, "id", text);
	sat_json_put_str(data, "code", code);
	return SAT_OK;
}

/* What a visitor is shown before he agrees, and what a visit keeps of it. */
HANDLER(api_consent)
{
	const sat_reception *r = sat_template_reception(
	    sat_replica_template(api->crm.replica));
	char mark[SAT_CONSENT_MARK];
	sat_json *data;

	(void)args;
	(void)req;
	(void)e;
	*out = api_doc("consent.text");
	data = sat_json_put_obj(*out, "data");
	sat_json_put_bool(data, "required", r->consent_required);
	sat_json_put_str(data, "version", r->consent_version);
	sat_json_put_str(data, "mark", sat_consent_mark(mark, r) ? mark : NULL);
	sat_json_put_str(data, "zh", r->consent_zh);
	sat_json_put_str(data, "en", r->consent_en);
	return SAT_OK;
}

/* ---- judging ------------------------------------------------------------------------- */

static void
put_span(sat_json *o, const char *key, sat_span s)
{
	if (s.n == 0)
		sat_json_put_null(o, key);
	else
		sat_json_put_strn(o, key, s);
}

static void
judged_put(sat_json *doc, const sat_judged *d, bool confirmed)
{
	sat_json *o = sat_json_put_obj(doc, "data");

	api_id_put(o, "visit", &d->visit);
	sat_json_put_str(o, "rule", d->j.rule);
	put_span(o, "owner", d->j.owner);
	put_span(o, "with", d->j.with);
	sat_json_put_str(o, "credit_rule", d->j.credit_rule[0] != '\0' ?
	    d->j.credit_rule : NULL);
	api_id_put(o, "credit", &d->j.credit);
	sat_json_put_str(o, "credit_to", d->credit);
	api_id_put(o, "customer", &d->customer);
	sat_json_put_int(o, "customers", (int64_t)d->customers);
	sat_json_put_int(o, "facts", (int64_t)d->j.nfacts);
	sat_json_put_str(o, "inputs", d->inputs);
	sat_json_put_bool(o, "confirmed", confirmed);
}

HANDLER(api_judge)
{
	bool confirm = sat_json_get_bool(req->body, "confirm", false);
	const char *to = sat_json_get_str(req->body, "to", NULL);
	sat_arena a = { 0 };
	const sat_kind *k;
	sat_judged d;
	sat_id id;
	sat_rc rc = find_visit(&k, &id, api, args[0], e);

	if (rc == SAT_OK && to != NULL && !confirm)
		rc = sat_fail_code(e, SAT_EUSAGE, "usage.option", NULL,
		    "a consultant is named when the judgement is confirmed");
	if (rc == SAT_OK)
		rc = confirm ? sat_crm_judge_confirm(&d, &a, &api->crm, &id, to,
		    e) : sat_crm_judge(&d, &a, &api->crm, &id, e);
	if (rc == SAT_OK) {
		*out = api_doc("judgement");
		judged_put(*out, &d, confirm);
	}
	sat_arena_fini(&a);
	return rc;
}

/* ---- rotation -------------------------------------------------------------------------- */

static const char *const turn_words[] = { "", "join", "leave", "serve", "skip",
	"swap" };

static void
user_put(sat_json *o, const sat_api *api, const char *key, sat_span user)
{
	const sat_registry *reg = sat_replica_registry(api->crm.replica);
	const sat_user *u = reg != NULL ? sat_registry_user(reg, user) : NULL;

	put_span(o, key, user);
	if (strcmp(key, "user") == 0)
		sat_json_put_str(o, "name", u != NULL ? u->name : NULL);
}

static void
places_put(sat_json *doc, const sat_api *api, const sat_rotation *r)
{
	sat_json *data = sat_json_put_arr(doc, "data");

	for (size_t i = 0; i < r->n; i++) {
		const sat_turn_place *p = &r->place[i];
		sat_json *o = sat_json_add_obj(data);

		if (p->here)
			sat_json_put_int(o, "turn", (int64_t)i + 1);
		else
			sat_json_put_null(o, "turn");
		user_put(o, api, "user", p->who);
		sat_json_put_int(o, "served", p->served);
		sat_json_put_int(o, "returning", p->returning);
		sat_json_put_int(o, "skipped", p->skipped);
		sat_json_put_bool(o, "here", p->here);
	}
}

static void
log_put(sat_json *doc, const sat_api *api, const sat_rotation *r)
{
	static const char *const effects[] = { "nothing", "done",
		"out_of_turn", "stand_in" };
	sat_json *log = sat_json_put_arr(doc, "log");
	int64_t clashes = 0;

	for (size_t i = 0; i < r->nlog; i++) {
		const sat_turn_done *d = &r->log[i];
		sat_json *o = sat_json_add_obj(log);

		api_id_put(o, "id", &d->turn->id);
		sat_json_put_time(o, "at", sat_hlc_ms(d->turn->stamp));
		sat_json_put_str(o, "turn", turn_words[d->turn->what]);
		user_put(o, api, "user", d->turn->who);
		put_span(o, "other", d->turn->other);
		sat_json_put_bool(o, "returning", d->turn->returning);
		sat_json_put_str(o, "effect", effects[d->effect]);
		sat_json_put_bool(o, "blind", d->blind);
		sat_json_put_bool(o, "clash", d->clash);
		clashes += d->clash;
	}
	sat_json_put_int(doc, "clashes", clashes);
}

HANDLER(api_rotation)
{
	const sat_template *t = sat_replica_template(api->crm.replica);
	sat_arena a = { 0 };
	sat_turns now;
	char day[32];
	int y, m, dd;
	sat_rc rc;

	(void)args;
	rc = sat_crm_rotation(&now, &a, &api->crm, api_q(req, "station"),
	    api_q(req, "date"), e);
	if (rc == SAT_OK) {
		*out = api_doc("rotation");
		sat_date_of(&y, &m, &dd, (now.day_ms +
		    (int64_t)sat_template_tz_min(t) * 60000) / 86400000);
		(void)snprintf(day, sizeof day, "%04d-%02d-%02d", y, m, dd);
		sat_json_put_str(*out, "station", now.station);
		sat_json_put_str(*out, "date", day);
		put_span(*out, "next", now.r.nhere > 0 ? now.r.place[0].who :
		    (sat_span){ NULL, 0 });
		places_put(*out, api, &now.r);
		log_put(*out, api, &now.r);
	}
	sat_arena_fini(&a);
	return rc;
}

static sat_rc
turn_in(sat_turn_in *in, sat_id *visit, sat_api *api, const sat_json *body,
    sat_err *e)
{
	const char *word = sat_json_get_str(body, "turn", "");
	const char *of = sat_json_get_str(body, "visit", NULL);
	const sat_user *me = sat_replica_me(api->crm.replica);
	const sat_kind *k;
	sat_rc rc;

	*in = (sat_turn_in){ .station = sat_json_get_str(body, "station", NULL),
		.who = sat_json_get_str(body, "user", NULL),
		.other = sat_json_get_str(body, "other", NULL),
		.reason = sat_json_get_str(body, "reason", NULL),
		.returning = sat_json_get_bool(body, "returning", false) };
	for (int i = SAT_TURN_JOIN; i <= SAT_TURN_SWAP; i++)
		if (strcmp(word, turn_words[i]) == 0)
			in->what = (sat_turn_what)i;
	if (in->what == 0)
		return sat_fail_code(e, SAT_EUSAGE, "usage.turn",
		    "join, leave, serve, skip or swap",
		    "there is no turn \"%.20s\"", word);
	if ((in->what == SAT_TURN_JOIN || in->what == SAT_TURN_LEAVE) &&
	    in->who == NULL)
		in->who = me->key;
	if ((in->who == NULL && in->what != SAT_TURN_SERVE) ||
	    (in->other == NULL) == (in->what == SAT_TURN_SWAP) ||
	    (in->reason == NULL && in->what == SAT_TURN_SKIP))
		return sat_fail_code(e, SAT_EUSAGE, "usage", NULL,
		    "skip needs a user and a reason, swap two users");
	if (of == NULL || in->what != SAT_TURN_SERVE)
		return SAT_OK;
	if ((rc = find_visit(&k, visit, api, of, e)) == SAT_OK)
		in->visit = visit;
	return rc;
}

HANDLER(api_turn)
{
	sat_arena a = { 0 };
	sat_turn_in in;
	sat_turned done;
	sat_json *data;
	sat_id visit;
	sat_rc rc = turn_in(&in, &visit, api, req->body, e);

	(void)args;
	if (rc == SAT_OK && (rc = sat_crm_turn(&done, &a, &api->crm, &in,
	    e)) == SAT_OK) {
		*out = api_doc("rotation.turn");
		data = sat_json_put_obj(*out, "data");
		sat_json_put_str(data, "turn", turn_words[in.what]);
		user_put(data, api, "user", sat_span_str(done.who));
		sat_json_put_str(data, "other", in.other);
		sat_json_put_bool(data, "returning", done.returning);
		sat_json_put_str(data, "rule", done.rule);
		if (in.visit != NULL)
			api_id_put(data, "visit", in.visit);
		else
			sat_json_put_null(data, "visit");
	}
	sat_arena_fini(&a);
	return rc;
}
