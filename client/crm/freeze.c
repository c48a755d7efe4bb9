/*
 * freeze.c - a report's numbers as a record: made once, found again whenever the
 * same report is run.
 *
 * Why a record: it is signed, ordered, backed up and handed out like any other,
 * and nobody has the right to edit one, whose fields keep their first value. Two
 * people who freeze the same offline make two; the earlier one counts, for
 * everybody alike.
 */
#include "client/crm/freeze_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Texts of at most this many bytes: what a field takes. */
#define PART_BYTES 60000

/* ---- running what was frozen ---- */

/* The report as the one who froze it would run it: his role, for his reach may
 * hang on it, in the team that is named. NULL: the reader does not hold all
 * that one sees, so there is nothing to compare with. */
static const rep_reach *
reach_of(rep_reach *out, const crm_freezing *x, const char *reach, const char *by)
{
	const sat_registry *reg = x->who.reg;
	sat_grant mine = sat_acl(x->who.t, x->who.me->role, "report");
	const sat_user *u = by == NULL ? NULL :
	    sat_registry_user(reg, sat_span_str(by));
	const sat_team *team;

	if (strncmp(reach, "team:", 5) == 0 && mine == SAT_GRANT_ALL &&
	    (team = sat_registry_team(reg, reach + 5)) != NULL) {
		out->viewer = u != NULL && sat_acl(x->who.t, u->role,
		    "report") == SAT_GRANT_TEAM ? *u : (sat_user){ .key = "", .name = "", .role = "manager" };
		out->viewer.team = team->ord;
		out->grant = SAT_GRANT_TEAM;
	} else if (strncmp(reach, "user:", 5) == 0 && (u = sat_registry_user(
	    reg, sat_span_str(reach + 5))) != NULL &&
	    (mine == SAT_GRANT_ALL || (mine == SAT_GRANT_TEAM && u->team != 0 &&
	    u->team == x->who.me->team))) {
		out->viewer = *u;
		out->grant = SAT_GRANT_OWN;
	} else {
		return NULL;
	}
	out->viewer.disabled = false; /* he counted when he froze */
	return out;
}

static sat_rc
put_delta(sat_json *doc, crm_freezing *x, const sat_view *v, const sat_json *body,
    const sat_json *live, crm_members *now, sat_err *e)
{
	crm_members was = { 0 };
	sat_buf text = { 0 };
	crm_delta d = { .c = x->c, .who = &x->who, .body = body, .live = live,
		.now = now, .cursor = (uint64_t)crm_frozen_whole(v, "cursor"),
		.at = v->rec.born };
	sat_rc rc = SAT_OK;

	crm_frozen_join(&text, v, "members", CRM_MEMBER_PARTS);
	if (text.n > 0)
		rc = crm_members_read(&was, sat_buf_span(&text), e);
	d.was = text.n > 0 ? &was : NULL;
	(void)crm_members_share(&was, sat_json_get(body, "definition"), now,
	    crm_definition(x->who.t, x->report));
	if (rc == SAT_OK)
		rc = crm_delta_put(doc, &d, e);
	crm_members_fini(&was);
	sat_buf_fini(&text);
	return rc;
}

/* An answer without numbers for a definition that cannot be run: what surrounds
 * the frozen ones. */
static sat_rc
bare(sat_json **out, crm_freezing *x, const sat_view *v, const sat_err *why,
    sat_err *e)
{
	sat_json *body = NULL, *doc;
	sat_buf bytes = { 0 };
	sat_rc rc;

	crm_frozen_join(&bytes, v, "body", CRM_BODY_PARTS);
	rc = sat_json_parse(&body, sat_buf_span(&bytes), 0, e);
	sat_buf_fini(&bytes);
	if (rc != SAT_OK)
		return rc;
	doc = crm_body_bare(x->c, body);
	sat_json_put_str(doc, "delta_reason", why->text);
	sat_json_free(body);
	rc = crm_coverage_put(doc, x->c, &x->who, sat_acl(x->who.t,
	    x->who.me->role, "report"), &x->period, x->period.to_ms, e);
	if (rc == SAT_OK)
		*out = doc;
	else
		sat_json_free(doc);
	return rc;
}

/* *doc is the present answer and becomes the frozen one. `like`: it was counted
 * as far as the frozen one. Of *now is left what can be compared. */
static sat_rc
thaw(sat_json *doc, crm_freezing *x, const sat_view *v, bool like,
    crm_members *now, sat_err *e)
{
	sat_json *body = NULL, *live = NULL;
	sat_json *head = sat_json_put_obj(doc, "frozen");
	sat_buf bytes = { 0 };
	sat_rc rc;

	if ((rc = crm_frozen_head(head, &bytes, x->c, x->who.t, v, e)) == SAT_OK &&
	    (rc = sat_json_parse(&body, sat_buf_span(&bytes), 0, e)) == SAT_OK) {
		live = sat_json_obj();
		sat_json_put(live, "columns", sat_json_dup(sat_json_get(doc,
		    "columns")));
		sat_json_put(live, "rows", sat_json_dup(sat_json_get(doc,
		    "rows")));
		sat_json_put(live, "totals", sat_json_dup(sat_json_get(doc,
		    "totals")));
		crm_body_dress(doc, x->c, body);
		sat_json_del(doc, "provisional");
		sat_json_put_bool(doc, "provisional", false);
		if (like)
			rc = put_delta(doc, x, v, body, live, now, e);
		else /* it reaches further than its reader: another question */
			sat_json_put_null(doc, "delta");
	}
	sat_json_free(body);
	sat_json_free(live);
	sat_buf_fini(&bytes);
	return rc;
}

/* by_id: whoever may see the record reads its numbers, also when the definition
 * is not his or there is none any more. */
static sat_rc
run_frozen(sat_json **out, crm_freezing *x, const sat_id *id,
    const sat_report_opts *o, bool by_id, sat_err *e)
{
	const rep_reach *as = NULL;
	crm_members now = { 0 };
	sat_err why = { 0 };
	rep_reach reach;
	const char *far;
	sat_json *doc;
	bool like;
	sat_view v;
	sat_rc rc;

	if ((rc = sat_replica_get(&v, &x->a, x->c->replica, x->kind, id, e)) !=
	    SAT_OK)
		return rc;
	far = crm_frozen_text(&x->a, &v, "reach");
	like = far != NULL && strcmp(far, x->reach) == 0;
	if (!like && far != NULL)
		as = reach_of(&reach, x, far,
		    crm_frozen_text(&x->a, &v, "owner"));
	rc = crm_members_run(&doc, &now, x->c, x->report, o, as, &why);
	if (crm_of_definition(rc) && (rc != SAT_EDENIED || (by_id && sat_acl(
	    x->who.t, x->who.me->role, "frozen_report.view") != SAT_GRANT_NO))) {
		like = false;
		as = NULL;
		rc = bare(&doc, x, &v, &why, e);
	} else if (rc != SAT_OK && e != NULL) {
		*e = why;
	}
	if (rc == SAT_OK &&
	    (rc = thaw(doc, x, &v, like || as != NULL, &now, e)) != SAT_OK)
		sat_json_free(doc);
	else if (rc == SAT_OK)
		*out = doc;
	crm_members_fini(&now);
	return rc;
}

sat_rc
sat_crm_report_run(sat_json **out, sat_crm *c, const char *key,
    const sat_report_opts *o, sat_err *e)
{
	static const sat_report_opts none;
	char text[SAT_ID_TEXT];
	bool other, frozen;
	crm_freezing x;
	sat_id id;
	sat_rc rc;

	*out = NULL;
	o = o != NULL ? o : &none;
	if ((rc = crm_freezing_begin(&x, c, key, o, e)) == SAT_OK &&
	    ((rc = crm_freezing_find(&id, &x, e)) == SAT_OK || rc == SAT_ENOTFOUND)) {
		frozen = rc == SAT_OK;
		other = crm_other_question(&x, o);
		rc = frozen && !other ? run_frozen(out, &x, &id, o, false, e) :
		    sat_crm_report(out, c, key, o, e);
		if (rc == SAT_OK && frozen && other) {
			sat_id_text(text, &id);
			sat_json_put_str(*out, "frozen_id", text);
		}
	}
	sat_arena_fini(&x.a);
	return rc;
}

/* ---- freezing ---- */

/* The most of `text` that fits and ends behind a comma, so that no part begins
 * or ends with a blank or in the middle of a character. */
static size_t
part_of(sat_span text)
{
	size_t n = text.n < PART_BYTES ? text.n : PART_BYTES;

	if (n == text.n)
		return n;
	while (n > 1 && (text.p[n - 1] != ',' || text.p[n] == ' '))
		n--;
	return n;
}

/* Into stem1, stem2, ...; false: they are not enough. */
static bool
add_parts(sat_input *in, size_t *n, sat_arena *a, const char *stem,
    size_t parts, sat_span text, bool json)
{
	for (size_t i = 1; i <= parts && text.n > 0; i++) {
		size_t k = json ? part_of(text) :
		    text.n < PART_BYTES ? text.n : PART_BYTES;
		char key[20];

		(void)snprintf(key, sizeof key, "%s%zu", stem, i);
		in[(*n)++] = (sat_input){ '=', sat_arena_str(a, key,
		    strlen(key)), sat_span_of(text.p, k) };
		text = sat_span_of(text.p + k, text.n - k);
	}
	return text.n == 0;
}

static sat_span
keep(sat_arena *a, const char *text)
{
	return sat_span_str(sat_arena_str(a, text, strlen(text)));
}

static sat_rc
make_record(sat_id *id, crm_freezing *x, const sat_json *doc, sat_span body,
    sat_span members, sat_err *e)
{
	const sat_json *cover = sat_json_get(doc, "coverage");
	sat_input in[12 + CRM_BODY_PARTS + CRM_MEMBER_PARTS];
	char hash[SAT_HASH_BYTES * 2 + 1], text[200];
	char *title = sat_xasprintf("%s %s", crm_first(&x->a, sat_json_get_str(
	    sat_json_get(doc, "report"), "title", x->report), 120),
	    x->period.label);
	size_t n = 0;

	crm_hash_text(hash, body);
	in[n++] = (sat_input){ '=', "title", keep(&x->a, title) };
	free(title);
	in[n++] = (sat_input){ '=', "report", sat_span_str(x->report) };
	in[n++] = (sat_input){ '=', "period", sat_span_str(x->period.label) };
	in[n++] = (sat_input){ '=', "params", sat_span_str(x->params) };
	in[n++] = (sat_input){ '=', "reach", sat_span_str(x->reach) };
	in[n++] = (sat_input){ '=', "hash", keep(&x->a, hash) };
	(void)snprintf(text, sizeof text, "%lld", (long long)sat_json_get_int(
	    sat_json_get(doc, "data"), "cursor", 0));
	in[n++] = (sat_input){ '=', "cursor", keep(&x->a, text) };
	(void)snprintf(text, sizeof text, "%lld/%lld",
	    (long long)sat_json_get_int(cover, "reported", 0),
	    (long long)sat_json_get_int(cover, "active", 0));
	in[n++] = (sat_input){ '=', "coverage", keep(&x->a, text) };
	if (!add_parts(in, &n, &x->a, "body", CRM_BODY_PARTS, body, true))
		return sat_fail_code(e, SAT_ENOSPACE, "report.too_large",
		    "freeze it for a team, or by another dimension",
		    "the report has too many rows to be frozen");
	/* too many to keep: then the delta names rows only */
	if (members.n <= (size_t)PART_BYTES * CRM_MEMBER_PARTS)
		(void)add_parts(in, &n, &x->a, "members", CRM_MEMBER_PARTS,
		    members, false);
	return sat_crm_create(id, x->c, x->kind, in, n, NULL, NULL, NULL, e);
}

static sat_rc
may_freeze(crm_freezing *x, sat_err *e)
{
	sat_replica_status st;
	sat_id id;
	sat_rc rc;

	if (x->kind == NULL)
		return sat_fail_code(e, SAT_EVERSION, "report.kind", NULL,
		    "this template has no kind frozen_report");
	if (x->period.all || x->period.to_ms > x->who.now_ms)
		return sat_fail_code(e, SAT_EUSAGE, "report.open",
		    "freeze a period that has ended",
		    "the period has not ended");
	if ((rc = sat_replica_status_get(&st, x->c->replica, e)) != SAT_OK)
		return rc;
	if (!st.complete)
		return sat_fail_code(e, SAT_ECONFLICT, "report.incomplete",
		    "run: satchel sync", "the first sync is not finished");
	rc = crm_freezing_find(&id, x, e);
	if (rc == SAT_OK)
		return sat_fail_code(e, SAT_ECONFLICT, "report.frozen",
		    "see: satchel report list --frozen",
		    "the report is frozen for this period");
	return rc == SAT_ENOTFOUND ? SAT_OK : rc;
}

static sat_rc
store_numbers(sat_id *id, crm_freezing *x, const sat_json *doc,
    const crm_members *now, const sat_report_opts *o, sat_err *e)
{
	sat_json *body = crm_body_of(doc, crm_definition(x->who.t, x->report),
	    o, x->reach);
	sat_buf bytes = { 0 }, members = { 0 };
	sat_rc rc;

	sat_json_write(&bytes, body, false);
	crm_members_write(&members, now);
	rc = make_record(id, x, doc, sat_buf_span(&bytes),
	    sat_buf_span(&members), e);
	sat_json_free(body);
	sat_buf_fini(&bytes);
	sat_buf_fini(&members);
	return rc;
}

sat_rc
sat_crm_freeze(sat_json **out, sat_crm *c, const char *key,
    const sat_report_opts *o, sat_err *e)
{
	crm_members now = { 0 };
	sat_report_opts at = *o;
	sat_json *doc = NULL;
	crm_freezing x;
	sat_view v;
	sat_id id;
	sat_rc rc;

	*out = NULL;
	at.as_of_ms = 0; /* the period's end */
	at.by = NULL;    /* the document's own rows */
	rc = crm_freezing_begin(&x, c, key, &at, e);
	at.params = x.list;
	at.nparams = x.nlist;
	if (rc == SAT_OK && (rc = may_freeze(&x, e)) == SAT_OK &&
	    (rc = crm_members_run(&doc, &now, c, key, &at, NULL, e)) == SAT_OK &&
	    (rc = store_numbers(&id, &x, doc, &now, &at, e)) == SAT_OK &&
	    (rc = sat_replica_get(&v, &x.a, c->replica, x.kind, &id, e)) ==
	    SAT_OK && (rc = thaw(doc, &x, &v, true, &now, e)) == SAT_OK) {
		*out = doc;
		doc = NULL;
	}
	sat_json_free(doc);
	crm_members_fini(&now);
	sat_arena_fini(&x.a);
	return rc;
}

/* ---- by its id ---- */

/* The question it answers, from the record. */
static sat_rc
question(sat_report_opts *o, const char **report, sat_arena *a,
    const sat_view *v, sat_err *e)
{
	sat_rc rc;

	*o = (sat_report_opts){ .period = crm_frozen_text(a, v, "period") };
	*report = crm_frozen_text(a, v, "report");
	rc = crm_stored_params(o, a, crm_frozen_text(a, v, "params"),
	    crm_frozen_text(a, v, "owner"), e);
	if (rc == SAT_OK && (*report == NULL || o->period == NULL))
		rc = sat_fail(e, SAT_EINTEGRITY,
		    "the frozen report names no report or period");
	return rc;
}

sat_rc
sat_crm_frozen(sat_json **out, sat_crm *c, const char *text, sat_err *e)
{
	const char *report;
	sat_report_opts o;
	const sat_kind *k;
	crm_freezing x = { 0 };
	sat_arena a = { 0 };
	crm_actor who;
	sat_view v;
	sat_id id;
	sat_rc rc;

	*out = NULL;
	if ((rc = crm_frozen_kind(&k, &who, c, e)) == SAT_OK &&
	    (rc = sat_replica_resolve(&id, c->replica, k, text, e)) == SAT_OK &&
	    (rc = sat_replica_get(&v, &a, c->replica, k, &id, e)) == SAT_OK &&
	    (rc = question(&o, &report, &a, &v, e)) == SAT_OK &&
	    (rc = crm_freezing_begin(&x, c, report, &o, e)) == SAT_OK)
		rc = run_frozen(out, &x, &id, &o, true, e);
	sat_arena_fini(&x.a);
	sat_arena_fini(&a);
	return rc;
}
