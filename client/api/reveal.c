/*
 * A masked value, shown once, to somebody who says why.
 *
 * Who has `phone.reveal` for a record reads it everywhere; who has `reveal` for
 * it reads the mask everywhere and the value here. `reveal` "own" reaches
 * besides what is his own each customer a ticket of his is open for. Known
 * before it is shown: in this device's audit chain, and as a record
 * `disclosure` under the customer, which syncs to whoever looks after him and
 * to headquarters.
 *
 * A role whose masks name the field does not hold the value: the server is
 * asked, decides again, and writes the disclosure itself (P-248).
 */
#include "client/api/api_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REASON_MIN 2
#define REASON_MAX 200

typedef struct reveal {
	sat_api *api;
	const sat_template *t;
	const char *role;
	const sat_kind *k;
	const sat_field *f;
	const char *reason;
	sat_id id, customer;
	bool under; /* the customer is known */
	bool ask;   /* the value is the server's alone */
	sat_value value;
	sat_arena mem;
} reveal;

static sat_rc
choose_field(reveal *x, const char *key, sat_err *e)
{
	for (size_t i = 0; key == NULL && i < x->k->nfields; i++)
		if (x->k->fields[i].mask != NULL) {
			x->f = &x->k->fields[i];
			break;
		}
	if (key != NULL)
		x->f = sat_kind_field(x->k, key);
	if (x->f == NULL)
		return sat_fail(e, SAT_ENOTFOUND, "%s has no field \"%s\"",
		    x->k->key, key != NULL ? key : "that is masked");
	return x->f->mask != NULL || sat_mask_field(sat_replica_mask(
	    x->api->crm.replica), x->k->id, x->f->id) != NULL ? SAT_OK :
	    sat_fail_code(e, SAT_EUSAGE,
	    "usage", NULL, "%s is shown to everybody who sees the record",
	    x->f->key);
}

/* The value, and the customer the record belongs to. */
static sat_rc
read_record(reveal *x, sat_err *e)
{
	const sat_kind *root = sat_template_kind(x->t, "account");
	sat_view v;
	sat_value up;
	sat_rc rc = sat_replica_get(&v, &x->mem, x->api->crm.replica, x->k,
	    &x->id, e);

	if (rc != SAT_OK)
		return rc;
	if (sat_record_of_pool(&v.rec))
		return sat_fail_code(e, SAT_EDENIED, "masked",
		    "claim the customer first",
		    "the value has not been given to this device");
	x->ask = sat_mask_field(sat_replica_mask(x->api->crm.replica),
	    x->k->id, x->f->id) != NULL;
	x->value = sat_record_value(&v.rec, x->f->id);
	up = x->k == root ? sat_v_id(&x->id) : x->k->parent == NULL ||
	    root == NULL || strcmp(x->k->parent->ref, root->key) != 0 ?
	    sat_v_null() : sat_record_value(&v.rec, x->k->parent->id);
	x->under = up.type == SAT_V_BYTES && up.s.n == sizeof x->customer.b;
	if (x->under)
		memcpy(x->customer.b, up.s.p, sizeof x->customer.b);
	return SAT_OK;
}

/* Does a ticket of the customer wait for this user? */
static sat_rc
has_ticket(bool *yes, reveal *x, sat_err *e)
{
	static const char *const ended[] = { "resolved", "closed" };
	const sat_kind *k = sat_template_kind(x->t, "ticket");
	const sat_field *state, *handler;
	sat_value v[4];
	sat_filter f[4];
	sat_query q = { .kind = k, .filters = f, .nfilters = 4 };
	int64_t n = 0;
	sat_rc rc;

	*yes = false;
	state = k != NULL ? sat_kind_field(k, "state") : NULL;
	handler = k != NULL ? sat_kind_field(k, "handler") : NULL;
	if (!x->under || state == NULL || handler == NULL || k->parent == NULL)
		return SAT_OK;
	v[0] = sat_v_id(&x->customer);
	v[1] = sat_v_text(sat_span_str(sat_replica_me(x->api->crm.replica)->key));
	f[0] = (sat_filter){ k->parent->id, SAT_CMP_EQ, &v[0], 1 };
	f[1] = (sat_filter){ handler->id, SAT_CMP_EQ, &v[1], 1 };
	for (size_t i = 0; i < 2; i++) {
		v[2 + i] = sat_v_text(sat_span_str(ended[i]));
		f[2 + i] = (sat_filter){ state->id, SAT_CMP_NE, &v[2 + i], 1 };
	}
	if ((rc = sat_replica_count(&n, x->api->crm.replica, &q, e)) == SAT_OK)
		*yes = n > 0;
	return rc;
}

static sat_rc
may_reveal(reveal *x, sat_err *e)
{
	sat_grant g = sat_acl(x->t, x->role, "reveal");
	sat_relation rel;
	bool yes = false;
	char action[96];
	sat_rc rc = sat_replica_relation(&rel, x->api->crm.replica, x->k, &x->id,
	    e);

	if (rc != SAT_OK)
		return rc;
	(void)snprintf(action, sizeof action, "%s.view", x->k->key);
	if (sat_acl(x->t, x->role, action) != SAT_GRANT_NO)
		yes = sat_grant_covers(g, rel) ||
		    !sat_replica_masks(x->api->crm.replica, x->f, rel);
	if (!yes && g == SAT_GRANT_OWN && (rc = has_ticket(&yes, x, e)) != SAT_OK)
		return rc;
	return yes ? SAT_OK : sat_fail_code(e, SAT_EDENIED, "denied", g ==
	    SAT_GRANT_OWN ? "open a ticket with yourself as handler" : NULL,
	    "the role %s may not see %s of this record", x->role, x->f->key);
}

/* Before the value leaves. The chain names the record, never the value. */
static sat_rc
write_down(reveal *x, sat_err *e)
{
	const sat_kind *k = sat_template_kind(x->t, "disclosure");
	char id[SAT_ID_TEXT], customer[SAT_ID_TEXT], *detail;
	sat_write_opts o = { .flag_missing = false };
	sat_input in[5];
	size_t n = 0;
	sat_id made;
	sat_rc rc;

	sat_id_text(id, &x->id);
	in[n++] = (sat_input){ '=', "of_kind", sat_span_str(x->k->key) };
	in[n++] = (sat_input){ '=', "of_record", sat_span_str(id) };
	in[n++] = (sat_input){ '=', "of_field", sat_span_str(x->f->key) };
	in[n++] = (sat_input){ '=', "reason", sat_span_str(x->reason) };
	if (x->under) {
		sat_id_text(customer, &x->customer);
		in[n++] = (sat_input){ '=', "account", sat_span_str(customer) };
	}
	detail = sat_xasprintf("kind=%s id=%s field=%s reason=%s", x->k->key, id,
	    x->f->key, x->reason);
	rc = sat_replica_audit_about(x->api->crm.replica, x->under ?
	    &x->customer : &x->id, "reveal", detail, e);
	free(detail);
	if (rc == SAT_OK && k != NULL && x->under && !x->ask)
		rc = sat_crm_create(&made, &x->api->crm, k, in, n, &o, NULL,
		    NULL, e);
	return rc;
}

static sat_rc
ask_server(reveal *x, sat_err *e)
{
	sat_reveal in = { x->id, x->f->id, sat_span_str(x->reason) };
	sat_revealed got;
	sat_rc rc;

	/* a ticket that is still here alone would not count */
	if ((rc = api_send_first(x->api, e)) == SAT_OK)
		rc = sat_sync_reveal(&got, &x->mem, x->api->crm.replica, &in,
		    &x->api->sync, e);
	if (rc == SAT_EUNREACHABLE)
		return sat_fail_code(e, rc, "reveal.offline",
		    "try again when the server can be reached",
		    "%s is not on this device: the server has to show it, and "
		    "cannot be reached", x->f->key);
	if (rc == SAT_OK)
		x->value = got.value;
	return rc;
}

static sat_rc
run(reveal *x, const char *field, sat_err *e)
{
	size_t n = x->reason != NULL ? strlen(x->reason) : 0;
	sat_rc rc = choose_field(x, field, e);

	if (rc == SAT_OK && (n < REASON_MIN || n > REASON_MAX))
		rc = sat_fail_code(e, SAT_EUSAGE, "usage.reason",
		    "--reason TEXT; it is kept, and shown to whoever looks after "
		    "the customer", "say why, in %d to %d bytes", REASON_MIN,
		    REASON_MAX);
	if (rc == SAT_OK && (rc = read_record(x, e)) == SAT_OK &&
	    (rc = may_reveal(x, e)) == SAT_OK && (!x->ask ||
	    (rc = ask_server(x, e)) == SAT_OK))
		rc = write_down(x, e);
	return rc;
}

HANDLER(api_reveal)
{
	reveal x = { .api = api, .t = sat_replica_template(api->crm.replica) };
	sat_json *data;
	char id[SAT_ID_TEXT];
	sat_rc rc = api_kind(&x.k, api, args[0], e);

	if (rc == SAT_OK)
		rc = sat_replica_resolve(&x.id, api->crm.replica, x.k, args[1],
		    e);
	if (rc != SAT_OK)
		return rc;
	x.role = sat_replica_me(api->crm.replica)->role;
	x.reason = sat_json_get_str(req->body, "reason", NULL);
	rc = run(&x, sat_json_get_str(req->body, "field", NULL), e);
	if (rc == SAT_OK) {
		*out = api_doc("reveal");
		data = sat_json_put_obj(*out, "data");
		sat_id_text(id, &x.id);
		sat_json_put_str(data, "id", id);
		sat_json_put_str(data, "kind", x.k->key);
		sat_json_put_str(data, "field", x.f->key);
		api_value_put(data, "value", api, x.f, x.value);
		sat_json_put_str(data, "reason", x.reason);
	}
	sat_arena_fini(&x.mem);
	return rc;
}
