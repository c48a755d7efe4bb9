/*
 * with.c - what stands for itself and was found to be a customer's: the visits
 * that were judged to him, the leads he was made from. Nothing of it hangs on him,
 * so his erasure leaves it; it is asked for in the same breath, each record by a
 * request of its own, whose reason says whom it goes with ("with ID: ...").
 * Whoever confirms his erasure confirms theirs: first theirs, so that a link that
 * breaks in between leaves him to be confirmed again.
 */
#include "client/api/api_int.h"

#include <stdio.h>
#include <string.h>

#define WITH "with "
#define BEHIND ": "
#define PREFIX_LEN (sizeof WITH - 1 + SAT_ID_TEXT - 1 + sizeof BEHIND - 1)

const sat_field *
api_found_field(const sat_kind *k, const sat_kind *root)
{
	static const char *const keys[] = { "customer", "converted_to" };

	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
		const sat_field *f = sat_kind_field(k, keys[i]);

		if (f != NULL && f != k->parent && f->type == SAT_F_REF &&
		    strcmp(f->ref, root->key) == 0)
			return f;
	}
	return NULL;
}

static sat_rc
add(api_withs *w, sat_arena *a, sat_api *api, const sat_kind *k,
    const sat_id *id, sat_err *e)
{
	sat_arena mem = { 0 };
	sat_view v;
	sat_rc rc = sat_replica_get(&v, &mem, api->crm.replica, k, id, e);

	/* what hangs on a customer goes with that one */
	if (rc == SAT_OK && (k->parent == NULL || sat_record_value(&v.rec,
	    k->parent->id).type == SAT_V_NULL)) {
		SAT_ARENA_GROW(w->v, w->n, w->cap, a);
		w->v[w->n++] = (api_with){ .id = *id, .state = "asked",
			.kind = sat_arena_str(a, k->key, strlen(k->key)) };
	}
	sat_arena_fini(&mem);
	return rc;
}

sat_rc
api_naming(sat_id **ids, size_t *n, sat_arena *a, sat_api *api,
    const sat_kind *k, const sat_field *by, const sat_id *id, sat_err *e)
{
	sat_value v = sat_v_id(id);
	sat_filter f = { by->id, SAT_CMP_EQ, &v, 1 };
	sat_query q = { .kind = k, .filters = &f, .nfilters = 1 };
	int64_t total;

	return sat_replica_list(ids, n, &total, a, api->crm.replica, &q, e);
}

static sat_rc
find_of(api_withs *w, sat_arena *a, sat_api *api, const sat_kind *k,
    const sat_field *by, const sat_id *id, sat_err *e)
{
	sat_arena mem = { 0 };
	sat_id *ids;
	size_t n = 0;
	sat_rc rc = api_naming(&ids, &n, &mem, api, k, by, id, e);

	for (size_t i = 0; rc == SAT_OK && i < n; i++)
		rc = add(w, a, api, k, &ids[i], e);
	sat_arena_fini(&mem);
	return rc;
}

sat_rc
api_with_find(api_withs *w, sat_arena *a, sat_api *api, const sat_id *customer,
    sat_err *e)
{
	const sat_template *t = sat_replica_template(api->crm.replica);
	const sat_user *me = sat_replica_me(api->crm.replica);
	const sat_kind *root = t != NULL ? sat_template_kind(t, "account") :
	    NULL;
	sat_id id;
	sat_rc rc;

	memset(w, 0, sizeof *w);
	w->unknown = root == NULL || me == NULL || strcmp(me->role, "hq") != 0;
	if (w->unknown)
		return SAT_OK;
	rc = sat_replica_canon(&id, api->crm.replica, customer, e);
	for (size_t i = 0; rc == SAT_OK && i < sat_template_kinds(t); i++) {
		const sat_kind *k = sat_template_kind_at(t, i);
		const sat_field *f = api_found_field(k, root);

		if (f != NULL)
			rc = find_of(w, a, api, k, f, &id, e);
	}
	return rc;
}

/* One that cannot go stops no other; *state says why it stays. */
static sat_rc
one(const char **state, sat_privacy_is *last, sat_arena *a, sat_api *api,
    const sat_privacy *in, sat_err *e)
{
	sat_privacy_is is;
	sat_err why = { 0 };
	sat_rc rc = api_ask_privacy(&is, a, api, in, &why);

	if (rc == SAT_OK)
		*last = is;
	if (rc == SAT_OK || (rc == SAT_ECONFLICT && strcmp(why.code,
	    "erased") == 0))
		*state = rc != SAT_OK || in->verb == SAT_PRIVACY_CONFIRM ?
		    "erased" : "asked";
	else if (rc == SAT_ECONFLICT && strcmp(why.code, "privacy.hold") == 0)
		*state = "hold";
	else if (rc == SAT_EDENIED && strcmp(why.code, "privacy.two") == 0)
		*state = "asked"; /* by him who confirms: another has to */
	else if (rc == SAT_ENOTFOUND)
		*state = "gone";
	else {
		if (e != NULL)
			*e = why;
		return rc;
	}
	return SAT_OK;
}

sat_rc
api_with_ask(api_withs *w, sat_privacy_is *last, sat_arena *a, sat_api *api,
    const sat_privacy *in, sat_err *e)
{
	char reason[PREFIX_LEN + SAT_ERASE_REASON_MAX + 1], id[SAT_ID_TEXT];
	sat_privacy ask = { .verb = SAT_PRIVACY_ERASE };
	sat_rc rc = SAT_OK;

	sat_id_text(id, &in->subject);
	(void)snprintf(reason, sizeof reason, WITH "%s" BEHIND "%.*s", id,
	    (int)in->reason.n, (const char *)in->reason.p);
	ask.reason = sat_span_str(reason);
	for (size_t i = 0; rc == SAT_OK && i < w->n; i++) {
		ask.subject = w->v[i].id;
		rc = one(&w->v[i].state, last, a, api, &ask, e);
	}
	return rc;
}

bool
api_with_of(sat_id *customer, const sat_privacy_row *x)
{
	char id[SAT_ID_TEXT];

	if (x->reason.n < PREFIX_LEN ||
	    memcmp(x->reason.p, WITH, sizeof WITH - 1) != 0 ||
	    memcmp(x->reason.p + PREFIX_LEN - (sizeof BEHIND - 1), BEHIND,
	    sizeof BEHIND - 1) != 0)
		return false;
	(void)snprintf(id, sizeof id, "%.*s", SAT_ID_TEXT - 1,
	    (const char *)x->reason.p + sizeof WITH - 1);
	return sat_id_parse(customer, id);
}

size_t
api_with_room(void)
{
	return SAT_ERASE_REASON_MAX - PREFIX_LEN;
}

sat_rc
api_with_confirm(api_withs *w, sat_arena *a, sat_api *api,
    const sat_id *customer, sat_err *e)
{
	sat_privacy in = { .verb = SAT_PRIVACY_LIST };
	sat_privacy_is is, last;
	bool known = false;
	sat_id of;
	sat_rc rc = api_ask_privacy(&is, a, api, &in, e);

	memset(w, 0, sizeof *w);
	/* Nobody asked for him: then not theirs either. */
	for (size_t i = 0; rc == SAT_OK && i < is.n; i++)
		known = known || sat_id_eq(&is.row[i].subject, customer);
	in.verb = SAT_PRIVACY_CONFIRM;
	for (size_t i = 0; rc == SAT_OK && known && i < is.n; i++) {
		if (is.row[i].done || !api_with_of(&of, &is.row[i]) ||
		    !sat_id_eq(&of, customer))
			continue;
		SAT_ARENA_GROW(w->v, w->n, w->cap, a);
		w->v[w->n] = (api_with){ .id = is.row[i].subject };
		in.subject = is.row[i].subject;
		rc = one(&w->v[w->n++].state, &last, a, api, &in, e);
	}
	return rc;
}

void
api_with_put(sat_json *doc, const api_withs *w)
{
	sat_json *list;

	if (w->unknown) {
		sat_json_put_null(doc, "with");
		return;
	}
	list = sat_json_put_arr(doc, "with");
	for (size_t i = 0; i < w->n; i++) {
		sat_json *row = sat_json_add_obj(list);

		api_id_put(row, "id", &w->v[i].id);
		sat_json_put_str(row, "kind", w->v[i].kind);
		sat_json_put_str(row, "state", w->v[i].state);
	}
}
