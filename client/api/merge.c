/*
 * Customers merged, taken apart, and those that may be one.
 */
#include "client/api/api_int.h"
#include "common/base/text.h"

#include <stdlib.h>
#include <string.h>

static sat_value
field_of(const sat_view *v, const sat_field *f)
{
	return f != NULL ? sat_record_value(&v->rec, f->id) : sat_v_null();
}

/* What was merged into it, and whether the owners still differ. */
sat_rc
api_merged_put(sat_json *doc, sat_api *api, const sat_kind *k,
    const sat_id *id, sat_err *e)
{
	const sat_field *number = sat_kind_field(k, "number");
	sat_arena a = { 0 };
	sat_json *list = NULL;
	bool differ = false;
	sat_view v, own;
	sat_id *ids;
	size_t n;
	sat_rc rc;

	if ((rc = sat_replica_merged(&ids, &n, &a, api->crm.replica, id, e)) ==
	    SAT_OK && n > 1)
		rc = sat_replica_get(&own, &a, api->crm.replica, k, id, e);
	for (size_t i = 1; rc == SAT_OK && i < n; i++) {
		sat_json *row;

		if ((rc = sat_replica_get(&v, &a, api->crm.replica, k, &ids[i],
		    e)) != SAT_OK)
			break;
		if (list == NULL)
			list = sat_json_put_arr(doc, "merged");
		row = sat_json_add_obj(list);
		api_id_put(row, "id", &ids[i]);
		api_value_put(row, "number", api, number, field_of(&v, number));
		api_value_put(row, "title", api, k->title,
		    field_of(&v, k->title));
		api_value_put(row, "owner", api, k->owner,
		    field_of(&v, k->owner));
		differ |= !sat_value_eq(field_of(&v, k->owner),
		    field_of(&own, k->owner));
	}
	if (rc == SAT_OK && list != NULL)
		sat_json_put_bool(doc, "owners_differ", differ);
	sat_arena_fini(&a);
	return rc == SAT_ENOTFOUND ? SAT_OK : rc;
}

static sat_rc
answer(sat_json **out, sat_api *api, const sat_kind *k, const sat_id *id,
    sat_err *e)
{
	sat_arena a = { 0 };
	sat_json *doc;
	sat_view v;
	sat_rc rc = sat_replica_get(&v, &a, api->crm.replica, k, id, e);

	if (rc == SAT_OK) {
		doc = api_doc("merged");
		sat_json_put(doc, "data", sat_crm_json(&api->crm, &v, false));
		if ((rc = api_merged_put(doc, api, k, id, e)) == SAT_OK)
			*out = doc;
		else
			sat_json_free(doc);
	}
	sat_arena_fini(&a);
	return rc;
}

/* {"field": "loser", ...} */
static size_t
choices(sat_input *in, const sat_json *choose)
{
	size_t n = 0;

	for (const sat_json *m = sat_json_first(choose);
	     m != NULL && n < SAT_FIELDS_MAX; m = sat_json_next(m))
		in[n++] = (sat_input){ '=', sat_json_key(m),
			sat_span_str(sat_json_str(m, "")) };
	return n;
}

static sat_rc
merge(sat_json **out, sat_api *api, const sat_kind *k, const sat_id *loser,
    const sat_id *winner, const sat_json *choose, sat_err *e)
{
	sat_input in[SAT_FIELDS_MAX];
	size_t n = choices(in, choose);
	sat_rc rc = sat_crm_merge(&api->crm, k, loser, winner, in, n, e);

	return rc == SAT_OK ? answer(out, api, k, winner, e) : rc;
}

HANDLER(api_merge)
{
	const char *into = sat_json_get_str(req->body, "into", NULL);
	const sat_kind *k;
	sat_id loser, winner;
	sat_rc rc = api_kind(&k, api, args[0], e);

	if (rc == SAT_OK && into == NULL)
		rc = sat_fail(e, SAT_EUSAGE, "name the record to merge into");
	if (rc != SAT_OK || (rc = sat_replica_resolve(&loser,
	    api->crm.replica, k, args[1], e)) != SAT_OK ||
	    (rc = sat_replica_resolve(&winner, api->crm.replica, k, into,
	    e)) != SAT_OK)
		return rc;
	return merge(out, api, k, &loser, &winner,
	    sat_json_get(req->body, "choose"), e);
}

HANDLER(api_unmerge)
{
	const sat_kind *k;
	int64_t kept;
	sat_id id;
	sat_rc rc = api_kind(&k, api, args[0], e);

	(void)req;
	if (rc != SAT_OK || (rc = sat_replica_resolve_self(&id,
	    api->crm.replica, k, args[1], e)) != SAT_OK ||
	    (rc = sat_crm_unmerge(&kept, &api->crm, k, &id, e)) != SAT_OK ||
	    (rc = answer(out, api, k, &id, e)) != SAT_OK)
		return rc;
	sat_json_put_int(*out, "kept", kept);
	return SAT_OK;
}

/* ---- duplicates --------------------------------------------------------------------- */

static void
side_put(sat_json *row, const char *key, sat_api *api, const sat_pair *p,
    const sat_id *id)
{
	sat_json *side = sat_json_put_obj(row, key);
	sat_arena a = { 0 };
	sat_view v;

	api_id_put(side, "id", id);
	if (sat_replica_get(&v, &a, api->crm.replica, p->kind, id, NULL) ==
	    SAT_OK) {
		const sat_field *number = sat_kind_field(p->kind, "number");

		api_value_put(side, "number", api, number,
		    field_of(&v, number));
		api_value_put(side, "title", api, p->kind->title,
		    field_of(&v, p->kind->title));
		api_value_put(side, "owner", api, p->kind->owner,
		    field_of(&v, p->kind->owner));
	}
	sat_arena_fini(&a);
}

static void
pair_put(sat_json *row, sat_api *api, const sat_pair *p)
{
	sat_json *by;

	sat_json_put_str(row, "key", p->key);
	sat_json_put_str(row, "kind", p->kind->key);
	sat_json_put_int(row, "score", p->score);
	sat_json_put_str(row, "strength", p->weak ? N_("weak") :
	    p->score >= 100 ? N_("certain") : N_("strong"));
	by = sat_json_put_arr(row, "by");
	for (size_t i = 0; i < p->nfields; i++)
		sat_json_add_str(by, p->fields[i]);
	side_put(row, "a", api, p, &p->a);
	if (sat_id_zero(&p->b)) {
		sat_json_put_null(row, "b");
		sat_json_put_str(row, "owned_by", p->owner);
	} else {
		side_put(row, "b", api, p, &p->b);
		sat_json_put_null(row, "owned_by");
	}
}

sat_rc
api_pairs_put(sat_json *data, sat_api *api, bool weak, int64_t min, sat_err *e)
{
	sat_pair_opts o = { weak, (int)min };
	sat_arena a = { 0 };
	sat_pair *p;
	size_t n;
	sat_rc rc = sat_crm_pairs(&p, &n, &a, &api->crm, &o, e);

	for (size_t i = 0; rc == SAT_OK && i < n; i++)
		pair_put(sat_json_add_obj(data), api, &p[i]);
	sat_arena_fini(&a);
	return rc;
}

/* `scan`: 1 also compares names; `min_score`. */
HANDLER(api_duplicates)
{
	bool weak = api_q(req, "scan") != NULL;
	int64_t min;
	sat_json *doc;
	sat_rc rc;

	(void)args;
	if ((rc = api_number(&min, req, "min_score", weak ? 1 : API_PAIR_SCORE,
	    e)) != SAT_OK)
		return rc;
	doc = api_doc("duplicate.list");
	return api_answer(out, doc, api_pairs_put(sat_json_put_arr(doc, "data"),
	    api, weak, min > 100 ? 101 : min, e));
}

/* By its key, or a unique beginning; names are compared only when the keys do
 * not know it. */
static sat_rc
find_pair(sat_pair *out, sat_arena *a, sat_api *api, const char *key,
    sat_err *e)
{
	size_t len = strlen(key), n, hits = 0;
	sat_pair *p;
	sat_rc rc;

	for (int weak = 0; weak < 2 && hits == 0; weak++) {
		sat_pair_opts o = { weak == 1, 1 };

		if ((rc = sat_crm_pairs(&p, &n, a, &api->crm, &o, e)) != SAT_OK)
			return rc;
		for (size_t i = 0; i < n && len >= 4; i++)
			if (strncmp(p[i].key, key, len) == 0) {
				*out = p[i];
				hits++;
			}
	}
	if (hits == 0)
		return sat_fail_code(e, SAT_ENOTFOUND, "not_found",
		    "see: satchel dedupe list", "no open pair %s", key);
	return hits == 1 ? SAT_OK : sat_fail(e, SAT_ECONFLICT,
	    "%s names %zu pairs; give more of the key", key, hits);
}

HANDLER(api_duplicate)
{
	sat_arena a = { 0 };
	sat_pair p;
	sat_rc rc = find_pair(&p, &a, api, args[0], e);

	(void)req;
	if (rc == SAT_OK) {
		*out = api_doc("duplicate.list");
		pair_put(sat_json_add_obj(sat_json_put_arr(*out, "data")), api,
		    &p);
	}
	sat_arena_fini(&a);
	return rc;
}

/* What this record may be one with, names compared too. */
HANDLER(api_duplicates_of)
{
	sat_pair_opts o = { true, 1 };
	sat_arena a = { 0 };
	const sat_kind *k;
	sat_pair *p = NULL;
	sat_json *data;
	size_t n = 0;
	sat_id id;
	sat_rc rc = api_kind(&k, api, args[0], e);

	(void)req;
	if (rc == SAT_OK && (rc = sat_replica_resolve(&id, api->crm.replica, k,
	    args[1], e)) == SAT_OK)
		rc = sat_crm_pairs(&p, &n, &a, &api->crm, &o, e);
	if (rc == SAT_OK) {
		*out = api_doc("duplicate.list");
		data = sat_json_put_arr(*out, "data");
		for (size_t i = 0; i < n; i++)
			if (sat_id_eq(&p[i].a, &id) || sat_id_eq(&p[i].b, &id))
				pair_put(sat_json_add_obj(data), api, &p[i]);
	}
	sat_arena_fini(&a);
	return rc;
}

HANDLER(api_dismiss)
{
	const char *reason = sat_json_get_str(req->body, "reason", NULL);
	sat_arena a = { 0 };
	sat_pair p;
	sat_rc rc = find_pair(&p, &a, api, args[0], e);

	if (rc == SAT_OK)
		rc = sat_crm_dismiss(&api->crm, &p, e);
	if (rc == SAT_OK && reason != NULL) /* the other one may not be here */
		rc = sat_replica_audit_both(api->crm.replica, &p.a,
		    sat_id_zero(&p.b) ? &p.a : &p.b, "duplicate.dismissed",
		    reason, e);
	if (rc == SAT_OK) {
		*out = api_doc("duplicate.dismissed");
		sat_json_put_str(*out, "key", p.key);
	}
	sat_arena_fini(&a);
	return rc;
}

/* `winner`: one of the two; the older one unless told. */
HANDLER(api_merge_pair)
{
	const char *want = sat_json_get_str(req->body, "winner", NULL);
	sat_arena a = { 0 };
	sat_id winner, loser;
	sat_pair p;
	sat_rc rc = find_pair(&p, &a, api, args[0], e);

	if (rc == SAT_OK && sat_id_zero(&p.b))
		rc = sat_fail_code(e, SAT_EDENIED, "denied", "ask your manager",
		    "the other customer is not on this device");
	if (rc == SAT_OK) {
		winner = p.a;
		if (want != NULL)
			rc = sat_replica_resolve(&winner, api->crm.replica,
			    p.kind, want, e);
	}
	if (rc == SAT_OK && !sat_id_eq(&winner, &p.a) &&
	    !sat_id_eq(&winner, &p.b))
		rc = sat_fail_code(e, SAT_EUSAGE, "usage.choice", NULL,
		    "the winner is one of the two");
	if (rc == SAT_OK) {
		loser = sat_id_eq(&winner, &p.a) ? p.b : p.a;
		rc = merge(out, api, p.kind, &loser, &winner,
		    sat_json_get(req->body, "choose"), e);
	}
	sat_arena_fini(&a);
	return rc;
}

/* Both by one address: `choice` merge (with what that takes) or dismiss. */
HANDLER(api_pair_decide)
{
	const char *choice = sat_json_get_str(req->body, "choice", "");
	const sat_user *me = sat_replica_me(api->crm.replica);

	if (strcmp(choice, "dismiss") == 0)
		return api_dismiss(out, api, req, args, e);
	if (strcmp(choice, "merge") != 0)
		return sat_fail_code(e, SAT_EUSAGE, "usage.choice",
		    "merge, with winner and choose; or dismiss, with reason",
		    "choice is merge or dismiss");
	if (me == NULL || sat_acl(sat_replica_template(api->crm.replica),
	    me->role, "merge") == SAT_GRANT_NO)
		return sat_fail_code(e, SAT_EDENIED, "denied", NULL,
		    "the role %s may not do %s", me != NULL ? me->role : "",
		    "merge");
	return api_merge_pair(out, api, req, args, e);
}
