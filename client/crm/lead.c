/*
 * A lead becomes a customer. The three records are one commit about the
 * customer, the lead's own state a second one in the same transaction: a commit
 * has one subject (P-029).
 */
#include "client/crm/crm_int.h"

#include <stdio.h>
#include <string.h>

#include "protocol/derived.h"

typedef struct convert {
	sat_crm *c;
	sat_arena a;
	crm_actor who;
	const sat_kind *lead, *account, *contact, *opportunity;
	sat_view v;
	crm_cache *roots;
	crm_work w[3];   /* customer, contact, opportunity */
	sat_view into;   /* the customer that was there */
	bool has_into;
	sat_value owner;
} convert;

static sat_value
of_lead(const convert *x, const char *key)
{
	const sat_field *f = sat_kind_field(x->lead, key);

	return f != NULL ? sat_record_value(&x->v.rec, f->id) : sat_v_null();
}

/* A field of the new record from one of the lead, when both are there. */
static void
take(crm_work *w, const char *key, sat_value v)
{
	const sat_field *f = sat_kind_field(w->kind, key);

	if (f != NULL && v.type != SAT_V_NULL && !crm_changes_field(w, f))
		crm_put(w, f, v);
}

static sat_rc
begin(convert *x, const sat_id *lead, const sat_id *into, sat_err *e)
{
	const sat_template *t;
	sat_rc rc = crm_actor_get(&x->who, x->c, e);

	if (rc != SAT_OK)
		return rc;
	t = x->who.t;
	x->lead = sat_template_kind(t, "lead");
	x->account = sat_template_kind(t, "account");
	x->contact = sat_template_kind(t, "contact");
	x->opportunity = sat_template_kind(t, "opportunity");
	if (x->lead == NULL || x->account == NULL || x->lead->stage == NULL ||
	    x->account->owner == NULL)
		return sat_fail(e, SAT_ENOTFOUND,
		    "the template has no leads or no customers");
	if ((rc = sat_replica_get(&x->v, &x->a, x->c->replica, x->lead, lead,
	    e)) != SAT_OK)
		return rc;
	x->has_into = into != NULL;
	if (into != NULL && (rc = sat_replica_get(&x->into, &x->a,
	    x->c->replica, x->account, into, e)) != SAT_OK)
		return rc;
	x->owner = x->has_into ? sat_record_value(&x->into.rec,
	    x->account->owner->id) : x->lead->owner != NULL ?
	    sat_record_value(&x->v.rec, x->lead->owner->id) : sat_v_null();
	if (x->owner.type != SAT_V_TEXT)
		x->owner = sat_v_text(sat_span_str(x->who.me->key));
	return SAT_OK;
}

/* ---- the records ---------------------------------------------------------------- */

static sat_rc
customer(convert *x, const sat_input *in, size_t n, bool flag, sat_err *e)
{
	sat_value company = of_lead(x, "company"), name = of_lead(x, "name");
	crm_work *w = &x->w[0];
	sat_rc rc = SAT_OK;

	crm_work_begin(w, x->c, &x->who, &x->a, x->account, NULL);
	w->flag_missing = flag;
	for (size_t i = 0; i < n && rc == SAT_OK; i++)
		rc = crm_input(w, &in[i], e);
	take(w, "name", company.type == SAT_V_TEXT ? company : name);
	take(w, "contact_name", name);
	take(w, "phone_main", of_lead(x, "phone"));
	take(w, "source", of_lead(x, "source"));
	take(w, "remark", of_lead(x, "remark"));
	take(w, x->account->owner->key, x->owner);
	if (rc == SAT_OK)
		rc = crm_defaults(w, e);
	if (rc == SAT_OK)
		rc = crm_relate(w, e);
	return rc == SAT_OK ? crm_judge(w, e) : rc;
}

static sat_rc
below(convert *x, size_t i, const sat_kind *k, const char *rule,
    const sat_id *account, sat_err *e)
{
	crm_work *w = &x->w[i];
	sat_rc rc;

	crm_work_begin(w, x->c, &x->who, &x->a, k, NULL);
	w->roots = x->roots;
	w->flag_missing = true;
	w->id = sat_id_derive(rule, &x->v.rec.id, "");
	if (k->parent != NULL)
		crm_put(w, k->parent, sat_value_dup(&x->a, sat_v_id(account)));
	if (k->owner != NULL)
		crm_put(w, k->owner, x->owner);
	take(w, "name", i == 2 && of_lead(x, "company").type == SAT_V_TEXT ?
	    of_lead(x, "company") : of_lead(x, "name"));
	take(w, "phone", of_lead(x, "phone"));
	if ((rc = crm_defaults(w, e)) != SAT_OK ||
	    (rc = crm_relate(w, e)) != SAT_OK)
		return rc;
	return crm_judge(w, e);
}

static sat_rc
children(convert *x, const sat_id *account, sat_err *e)
{
	sat_rc rc = SAT_OK;

	/* the customer is not written yet: its owner is known all the same */
	crm_cache_put(x->roots, 0, sat_span_of(account->b, sizeof account->b),
	    x->owner);
	if (x->contact != NULL)
		rc = below(x, 1, x->contact, "lead.contact", account, e);
	if (rc == SAT_OK && x->opportunity != NULL)
		rc = below(x, 2, x->opportunity, "lead.opportunity", account, e);
	return rc;
}

/* ---- writing ----------------------------------------------------------------------- */

static sat_rc
close_lead(convert *x, const sat_id *account, sat_err *e)
{
	char id[SAT_ID_TEXT];
	sat_input in[2] = { { '=', x->lead->stage->key,
		sat_span_str("qualified") }, { '=', "converted_to", { NULL, 0 } } };

	sat_id_text(id, account);
	in[1].text = sat_span_str(id);
	return sat_crm_edit(NULL, x->c, x->lead, &x->v.rec.id, in,
	    sat_kind_field(x->lead, "converted_to") != NULL ? 2 : 1, NULL, e);
}

static sat_rc
write_all(convert *x, const sat_id *account, sat_err *e)
{
	crm_work *head = NULL, **tail = &head;
	crm_numbers numbers = { 0 };
	uint64_t cseq;
	sat_rc rc = SAT_OK;

	for (size_t i = x->has_into ? 1 : 0; i < 3; i++)
		if (x->w[i].kind != NULL) {
			*tail = &x->w[i];
			tail = &x->w[i].also;
		}
	if (!x->has_into)
		rc = crm_number(&x->w[0], &numbers, e);
	if (rc == SAT_OK)
		rc = sat_replica_group_begin(x->c->replica, e);
	if (rc != SAT_OK)
		return rc;
	if (head != NULL)
		rc = crm_write(head, 0, &cseq, e);
	if (rc == SAT_OK)
		rc = crm_numbers_save(&numbers, x->c, e);
	if (rc == SAT_OK)
		rc = close_lead(x, account, e);
	if (rc == SAT_OK)
		return sat_replica_group_commit(x->c->replica, e);
	sat_replica_group_rollback(x->c->replica);
	return rc;
}

static sat_rc
state_is(bool *qualified, convert *x, sat_converted *out, sat_err *e)
{
	sat_value v = sat_record_value(&x->v.rec, x->lead->stage->id);
	sat_value to = of_lead(x, "converted_to");

	*qualified = v.type == SAT_V_TEXT &&
	    sat_span_eq(v.s, sat_span_str("qualified"));
	if (v.type == SAT_V_TEXT && sat_span_eq(v.s, sat_span_str("invalid")))
		return sat_fail_code(e, SAT_ECONFLICT, "lead.closed",
		    "satchel lead stage ID new", "the lead was discarded");
	out->already = *qualified;
	if (*qualified && to.type == SAT_V_BYTES && to.s.n == 16)
		memcpy(out->account.b, to.s.p, 16);
	return SAT_OK;
}

static sat_rc
do_convert(sat_converted *out, convert *x, const sat_input *in, size_t n,
    const sat_write_opts *o, sat_duplicate *dup, size_t *ndup, sat_err *e)
{
	bool qualified;
	sat_rc rc = state_is(&qualified, x, out, e);

	if (rc != SAT_OK || qualified)
		return rc;
	out->account = x->has_into ? x->into.rec.id :
	    sat_id_derive("lead.account", &x->v.rec.id, "");
	if (!x->has_into) {
		if ((rc = customer(x, in, n, true, e)) != SAT_OK ||
		    (rc = crm_duplicates(dup, ndup, &x->w[0], e)) != SAT_OK)
			return rc;
		if (*ndup > 0 && o->duplicate_reason == NULL)
			return sat_fail_code(e, SAT_ECONFLICT, "duplicate",
			    "--into ID, or --allow-duplicate REASON",
			    "the customer is possibly there already (%zu, by "
			    "%s)", *ndup, dup[0].field);
		x->w[0].id = out->account;
	}
	if ((rc = children(x, &out->account, e)) != SAT_OK)
		return rc;
	if (x->w[1].kind != NULL)
		out->contact = x->w[1].id;
	if (x->w[2].kind != NULL)
		out->opportunity = x->w[2].id;
	return write_all(x, &out->account, e);
}

sat_rc
sat_crm_convert(sat_converted *out, sat_crm *c, const sat_id *lead,
    const sat_id *into, const sat_input *in, size_t n, const sat_write_opts *o,
    sat_duplicate dup[SAT_DUPLICATES_MAX], size_t *ndup, sat_err *e)
{
	static const sat_write_opts none;
	convert x = { .c = c };
	sat_rc rc;

	memset(out, 0, sizeof *out);
	*ndup = 0;
	x.roots = crm_cache_new(4);
	if ((rc = begin(&x, lead, into, e)) == SAT_OK)
		rc = do_convert(out, &x, in, n, o != NULL ? o : &none, dup, ndup,
		    e);
	crm_cache_free(x.roots);
	sat_arena_fini(&x.a);
	return rc;
}

sat_rc
sat_crm_discard(sat_crm *c, const sat_id *lead, const char *reason, sat_err *e)
{
	const sat_template *t = sat_replica_template(c->replica);
	const sat_kind *k = t != NULL ? sat_template_kind(t, "lead") : NULL;
	sat_input in[2] = { { '=', "state", sat_span_str("invalid") },
		{ '=', "invalid_reason", sat_span_str(reason != NULL ? reason :
		"other") } };

	if (k == NULL)
		return sat_fail(e, SAT_ENOTFOUND, "the template has no leads");
	return sat_crm_edit(NULL, c, k, lead, in, 2, NULL, e);
}
