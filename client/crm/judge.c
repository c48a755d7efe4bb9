/*
 * The facts of a judgement, as far as this device holds them: visits, the
 * customers and people with a phone in common, their follow-ups, reports of
 * channels. common/model/judge.h decides.
 *
 * A person is named by phone ("p:+86138..."), by customer ("a:<id>"), or, with
 * neither, by the visit itself ("v:<id>"). A customer and all telephones under
 * it are one person: so is a family whose members are contacts of one customer.
 */
#include "client/crm/reception.h"

#include "client/crm/crm_int.h"
#include "common/crypto/crypto.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_MS ((int64_t)24 * 3600 * 1000)
#define COLUMNS_MAX 10

typedef struct gather {
	sat_crm *c;
	sat_arena *a;
	const crm_actor *who;
	const sat_reception *rules;
	sat_fact *f;
	size_t n, cap;
	sat_kin *kin;
	size_t nkin, kincap;
	sat_span *family;     /* names of the person */
	size_t nfamily, familycap;
	/* visits that showed a code: report id text, its tag */
	struct shown {
		sat_span report, tag, person;
		int64_t at_ms;
	} *shown;
	size_t nshown, showncap;
	sat_id visit;
	int64_t at_ms;
	sat_span person;
} gather;

/* ---- names ------------------------------------------------------------------------ */

static sat_span
name_of(gather *g, char sort, sat_span text)
{
	char *p = sat_arena_alloc(g->a, text.n + 3);

	p[0] = sort;
	p[1] = ':';
	memcpy(p + 2, text.p, text.n);
	return sat_span_of(p, text.n + 2);
}

static sat_span
by_phone(gather *g, sat_value v)
{
	sat_span name = { NULL, 0 };
	sat_buf b = { 0 };

	if (v.type == SAT_V_TEXT && v.s.n > 0) {
		sat_norm_phone(&b, v.s);
		name = name_of(g, 'p', sat_buf_span(&b));
		sat_buf_fini(&b);
	}
	return name;
}

static sat_span
by_id(gather *g, char sort, sat_value v)
{
	if (v.type != SAT_V_BYTES || v.s.n != 16)
		return (sat_span){ NULL, 0 };
	return name_of(g, sort, v.s);
}

static void
akin(gather *g, sat_span a, sat_span b)
{
	if (a.n == 0 || b.n == 0)
		return;
	SAT_ARENA_GROW(g->kin, g->nkin, g->kincap, g->a);
	g->kin[g->nkin++] = (sat_kin){ a, b };
}

static bool
in_family(const gather *g, sat_span name)
{
	for (size_t i = 0; i < g->nfamily; i++)
		if (sat_span_eq(g->family[i], name))
			return true;
	return false;
}

static void
join_family(gather *g, sat_span name)
{
	if (in_family(g, name))
		return;
	SAT_ARENA_GROW(g->family, g->nfamily, g->familycap, g->a);
	g->family[g->nfamily++] = name;
}

/* Whoever is akin to one of them; the other kinships are forgotten. */
static void
close_family(gather *g)
{
	size_t before, keep = 0;

	join_family(g, g->person);
	do {
		before = g->nfamily;
		for (size_t i = 0; i < g->nkin; i++)
			if (in_family(g, g->kin[i].a))
				join_family(g, g->kin[i].b);
			else if (in_family(g, g->kin[i].b))
				join_family(g, g->kin[i].a);
	} while (g->nfamily > before);
	for (size_t i = 0; i < g->nkin; i++)
		if (in_family(g, g->kin[i].a))
			g->kin[keep++] = g->kin[i];
	g->nkin = keep;
}

/* ---- rows ------------------------------------------------------------------------- */

typedef void row_fn(gather *g, const sat_value *v);

/* Rows of a kind with these fields ("a b c") behind the id; fields the template
 * lacks are null. `only`: a further condition, NULL = none. */
static sat_rc
each(gather *g, const char *kind, const char *fields, const sat_filter *only,
    row_fn *fn, sat_err *e)
{
	const sat_kind *k = sat_template_kind(g->who->t, kind);
	uint16_t columns[COLUMNS_MAX] = { SAT_Q_ID, SAT_Q_CREATED };
	bool there[COLUMNS_MAX] = { true, true };
	sat_query q = { .kind = k, .columns = columns, .ncolumns = 2,
		.filters = only, .nfilters = only != NULL };
	sat_value row[COLUMNS_MAX];
	const sat_value *v;
	sat_rows *rows;
	char key[40];
	sat_rc rc;

	if (k == NULL)
		return SAT_OK;
	for (const char *p = fields; *p != '\0'; q.ncolumns++) {
		size_t n = strcspn(p, " ");
		const sat_field *f;

		(void)snprintf(key, sizeof key, "%.*s", (int)n, p);
		f = sat_kind_field(k, key);
		there[q.ncolumns] = f != NULL;
		columns[q.ncolumns] = f != NULL ? f->id : SAT_Q_CREATED;
		p += n + (p[n] == ' ');
	}
	if ((rc = sat_replica_query(&rows, g->c->replica, &q, e)) != SAT_OK)
		return rc;
	while ((rc = sat_rows_next(&v, rows, e)) == SAT_OK && v != NULL) {
		for (size_t i = 0; i < q.ncolumns; i++)
			row[i] = there[i] ? v[i] : sat_v_null();
		fn(g, row);
	}
	sat_rows_free(rows);
	return rc;
}

static sat_fact *
fact(gather *g, sat_fact_what what, sat_value id, sat_span person, int64_t at)
{
	sat_fact *f;

	SAT_ARENA_GROW(g->f, g->n, g->cap, g->a);
	f = &g->f[g->n++];
	*f = (sat_fact){ .what = what, .person = person, .at_ms = at };
	memcpy(f->id.b, id.s.p, sizeof f->id.b);
	return f;
}

bool
crm_receives(const sat_user *u)
{
	return u != NULL && (strcmp(u->role, "rep") == 0 ||
	    strcmp(u->role, "manager") == 0);
}

/* A user key, unless it is the desk's: what waits there is nobody's yet. */
static sat_span
consultant(gather *g, sat_value v)
{
	const sat_user *u = v.type != SAT_V_TEXT ? NULL :
	    sat_registry_user(g->who->reg, v.s);

	return crm_receives(u) ? sat_span_str(u->key) : (sat_span){ NULL, 0 };
}

static sat_fact_what
how_came(sat_value channel)
{
	return crm_says(channel, "call_in") ? SAT_FACT_CALL_IN :
	    crm_says(channel, "channel") ? SAT_FACT_BROUGHT : SAT_FACT_WALK_IN;
}

static sat_span
kept(gather *g, sat_value v)
{
	return sat_span_of(sat_arena_dup(g->a, v.s.p, v.s.n), v.s.n);
}

/* id created phone account customer arrived_at channel consultant
 * preregistration proof */
static void
on_visit(gather *g, const sat_value *v)
{
	sat_span phone = by_phone(g, v[2]), in = by_id(g, 'a', v[3]), person;
	int64_t at = v[5].type == SAT_V_INT ? v[5].i : v[1].i;

	if (in.n == 0)
		in = by_id(g, 'a', v[4]);
	else
		akin(g, in, by_id(g, 'a', v[4]));
	akin(g, phone, in);
	person = phone.n > 0 ? phone : in.n > 0 ? in : by_id(g, 'v', v[0]);
	if (memcmp(v[0].s.p, g->visit.b, 16) == 0) {
		g->person = person;
		g->at_ms = at;
	} else {
		fact(g, how_came(v[6]), v[0], person, at)->who =
		    consultant(g, v[7]);
	}
	if (v[8].type == SAT_V_TEXT && v[9].type == SAT_V_TEXT) {
		SAT_ARENA_GROW(g->shown, g->nshown, g->showncap, g->a);
		g->shown[g->nshown++] = (struct shown){ kept(g, v[8]),
			kept(g, v[9]), person, at };
	}
}

/* id created phone_main owner source: whose customer it is since when */
static void
on_account(gather *g, const sat_value *v)
{
	sat_span self = by_id(g, 'a', v[0]);

	akin(g, by_phone(g, v[2]), self);
	fact(g, how_came(v[4]), v[0], self, v[1].i)->who = consultant(g, v[3]);
}

/* id created phone_main: one that was merged is the one it leads to */
static void
on_merged(gather *g, const sat_value *v)
{
	sat_span self = by_id(g, 'a', v[0]), phone = by_phone(g, v[2]);

	akin(g, phone.n > 0 ? phone : self, self); /* merged() reads the second */
}

/* id created account phone */
static void
on_contact(gather *g, const sat_value *v)
{
	akin(g, by_phone(g, v[3]), by_id(g, 'a', v[2]));
}

/* id created account occurred_at effective author */
static void
on_follow(gather *g, const sat_value *v)
{
	sat_span who = consultant(g, v[5]);
	int64_t at = v[3].type == SAT_V_INT ? v[3].i : v[1].i;

	if (who.n == 0 || (v[4].type == SAT_V_INT && v[4].i == 0))
		return;
	fact(g, SAT_FACT_FOLLOW, v[0], by_id(g, 'a', v[2]), at)->who = who;
}

/* id created phone reported_at valid_until channel agent */
static void
on_report(gather *g, const sat_value *v)
{
	int64_t at = v[3].type == SAT_V_INT ? v[3].i : v[1].i;
	sat_value who = v[5].type == SAT_V_TEXT ? v[5] : v[6];
	sat_span phone = by_phone(g, v[2]);
	sat_fact *f;

	if (phone.n == 0)
		return;
	f = fact(g, SAT_FACT_REPORT, v[0], phone, at);
	f->until_ms = v[4].type == SAT_V_INT ? v[4].i :
	    at + g->rules->report_valid_d * DAY_MS;
	if (who.type == SAT_V_TEXT)
		f->who = kept(g, who);
}

/* ---- putting it together ------------------------------------------------------------ */

/* Customers merged into others: one person with the one they lead to. */
static sat_rc
merged(gather *g, sat_err *e)
{
	sat_value yes = sat_v_int(1);
	sat_filter f = { SAT_Q_MERGED, SAT_CMP_EQ, &yes, 1 };
	size_t first = g->nkin, end;
	sat_rc rc = each(g, "account", "phone_main", &f, on_merged, e);

	end = g->nkin;
	for (size_t i = first; i < end && rc == SAT_OK; i++) {
		sat_id id, to;

		memcpy(id.b, g->kin[i].b.p + 2, sizeof id.b);
		if ((rc = sat_replica_canon(&to, g->c->replica, &id, e)) ==
		    SAT_OK)
			akin(g, g->kin[i].b, by_id(g, 'a', sat_v_id(&to)));
	}
	return rc;
}

static sat_rc
follow_ups(gather *g, sat_err *e)
{
	const sat_kind *k = sat_template_kind(g->who->t, "activity");
	sat_rc rc = SAT_OK;

	for (size_t i = 0; i < g->nfamily && rc == SAT_OK && k != NULL &&
	    k->parent != NULL; i++) {
		sat_value of = sat_v_bytes(sat_span_of(g->family[i].p + 2,
		    g->family[i].n - 2));
		sat_filter f = { k->parent->id, SAT_CMP_EQ, &of, 1 };

		if (g->family[i].p[0] == 'a')
			rc = each(g, "activity",
			    "account occurred_at effective author", &f,
			    on_follow, e);
	}
	return rc;
}

/* An arrival up to this one showed the code, and typed the phone it is for. */
static void
prove(gather *g, sat_fact *f)
{
	char id[SAT_ID_TEXT], tag[SAT_REPORT_TAG];
	sat_span phone = sat_span_of(f->person.p + 2, f->person.n - 2);

	sat_id_text(id, &f->id);
	sat_report_tag(tag, &f->id, phone);
	for (size_t i = 0; i < g->nshown && !f->proven; i++)
		f->proven = g->shown[i].at_ms <= g->at_ms &&
		    sat_span_eq(g->shown[i].report, sat_span_str(id)) &&
		    sat_span_eq(g->shown[i].tag, sat_span_str(tag));
}

static sat_rc
collect(gather *g, sat_err *e)
{
	size_t reports;
	sat_rc rc;

	if ((rc = each(g, "visit", "phone account customer arrived_at channel "
	    "consultant preregistration proof", NULL, on_visit, e)) != SAT_OK)
		return rc;
	if (g->person.n == 0)
		return sat_fail(e, SAT_ENOTFOUND, "the visit is deleted");
	if ((rc = each(g, "account", "phone_main owner source", NULL,
	    on_account, e)) != SAT_OK ||
	    (rc = each(g, "contact", "account phone", NULL, on_contact, e)) !=
	    SAT_OK || (rc = merged(g, e)) != SAT_OK)
		return rc;
	close_family(g);
	if ((rc = follow_ups(g, e)) != SAT_OK)
		return rc;
	reports = g->n;
	rc = each(g, "preregistration", "phone reported_at valid_until channel "
	    "agent", NULL, on_report, e);
	for (size_t i = reports; i < g->n; i++)
		prove(g, &g->f[i]);
	return rc;
}

/* The customers of the family; the oldest is the one to put the visit under. */
static void
customers(sat_judged *out, gather *g)
{
	for (size_t i = 0; i < g->nfamily; i++) {
		sat_id id;

		if (g->family[i].p[0] != 'a')
			continue;
		memcpy(id.b, g->family[i].p + 2, sizeof id.b);
		if (sat_replica_canon(&id, g->c->replica, &id, NULL) != SAT_OK)
			continue;
		out->customers++;
		if (sat_id_zero(&out->customer) ||
		    memcmp(id.b, out->customer.b, sizeof id.b) < 0)
			out->customer = id;
	}
}

static const char *
credit_of(gather *g, const sat_judgement *j)
{
	for (size_t i = 0; i < g->n; i++)
		if (g->f[i].what == SAT_FACT_REPORT &&
		    sat_id_eq(&g->f[i].id, &j->credit))
			return sat_arena_str(g->a, g->f[i].who.p,
			    g->f[i].who.n);
	return NULL;
}

sat_rc
sat_crm_judge(sat_judged *out, sat_arena *a, sat_crm *c, const sat_id *visit,
    sat_err *e)
{
	gather g = { .c = c, .a = a, .visit = *visit };
	crm_actor who;
	sat_view v;
	sat_rc rc;

	memset(out, 0, sizeof *out);
	out->visit = *visit;
	if ((rc = crm_actor_get(&who, c, e)) != SAT_OK)
		return rc;
	g.who = &who;
	g.rules = sat_template_reception(who.t);
	if ((rc = sat_replica_get(&v, a, c->replica,
	    sat_template_kind(who.t, "visit"), visit, e)) != SAT_OK ||
	    (rc = collect(&g, e)) != SAT_OK)
		return rc;
	sat_judge(&out->j, a, &g.rules->judge, visit, g.person, g.at_ms, g.f,
	    g.n, g.kin, g.nkin);
	sat_hex(out->inputs, out->j.inputs, sizeof out->j.inputs);
	customers(out, &g);
	if (!sat_id_zero(&out->j.credit))
		out->credit = credit_of(&g, &out->j);
	return SAT_OK;
}

/* ---- writing it down ------------------------------------------------------------------ */

static sat_rc
choose(const char **owner, sat_arena *a, const sat_judged *d, const char *to,
    sat_err *e)
{
	sat_span is = d->j.owner;

	*owner = is.n > 0 ? sat_arena_str(a, is.p, is.n) : to;
	if (is.n > 0 && to != NULL && !sat_span_eq(is, sat_span_str(to)))
		return sat_fail_code(e, SAT_ECONFLICT, "judge.owner",
		    "the rule decides; give the visit away afterwards with: "
		    "satchel visit assign",
		    "by the rule %s it is another's customer", d->j.rule);
	if (*owner == NULL && strcmp(d->j.rule, "manager") == 0)
		return sat_fail_code(e, SAT_ECONFLICT, "judge.open",
		    "name the consultant: --to USER",
		    "the manager decides whose customer this is");
	return SAT_OK;
}

/* What the report saw of the arrival, on the report itself: its own commit,
 * for it is another subject. Whoever may not, leaves it to the next; a report
 * that takes it no more does not hold up the judgement. */
static sat_rc
note_arrival(sat_crm *c, const sat_judged *d, const sat_view *visit,
    sat_err *e)
{
	const sat_template *t = sat_replica_template(c->replica);
	const sat_kind *k = sat_template_kind(t, "preregistration");
	const sat_field *at = sat_kind_field(visit->kind, "arrived_at");
	char when[32], id[SAT_ID_TEXT];
	sat_err why = { 0 };
	sat_input in[2];
	sat_value v;
	sat_rc rc;

	v = at != NULL ? sat_record_value(&visit->rec, at->id) : sat_v_null();
	if (k == NULL || sat_id_zero(&d->j.credit) || v.type != SAT_V_INT)
		return SAT_OK;
	sat_time_rfc3339(when, v.i);
	sat_id_text(id, &d->visit);
	in[0] = (sat_input){ '=', "arrived_at", sat_span_str(when) };
	in[1] = (sat_input){ '=', "proof", sat_span_str(id) };
	rc = sat_crm_edit(NULL, c, k, &d->j.credit, in, 2, NULL, &why);
	if (rc == SAT_EDENIED || rc == SAT_EINVALID)
		return SAT_OK;
	if (rc != SAT_OK && e != NULL)
		*e = why;
	return rc;
}

/* Both, or neither. */
static sat_rc
write_judgement(sat_crm *c, const sat_judged *d, const sat_view *visit,
    const sat_input *in, size_t n, sat_err *e)
{
	bool own;
	sat_rc rc;

	if ((rc = crm_all_begin(&own, c, e)) != SAT_OK)
		return rc;
	if ((rc = sat_crm_edit(NULL, c, visit->kind, &d->visit, in, n, NULL,
	    e)) == SAT_OK)
		rc = note_arrival(c, d, visit, e);
	return crm_all_end(own, c, rc, e);
}

sat_rc
sat_crm_judge_confirm(sat_judged *out, sat_arena *a, sat_crm *c,
    const sat_id *visit, const char *to, sat_err *e)
{
	const sat_kind *k = sat_template_kind(sat_replica_template(c->replica),
	    "visit");
	char now[32], customer[SAT_ID_TEXT];
	sat_input in[8];
	const char *owner;
	size_t n = 0;
	sat_view v;
	sat_rc rc;

	if ((rc = sat_crm_judge(out, a, c, visit, e)) != SAT_OK ||
	    (rc = choose(&owner, a, out, to, e)) != SAT_OK ||
	    (rc = sat_replica_get(&v, a, c->replica, k, visit, e)) != SAT_OK)
		return rc;
	sat_time_rfc3339(now, sat_wall_ms(&c->clock));
	in[n++] = (sat_input){ '=', "judged_rule", sat_span_str(out->j.rule) };
	in[n++] = (sat_input){ '=', "judged_inputs", sat_span_str(out->inputs) };
	in[n++] = (sat_input){ '=', "judged_at", sat_span_str(now) };
	if (owner != NULL) {
		in[n++] = (sat_input){ '=', "judged_owner", sat_span_str(owner) };
		in[n++] = (sat_input){ '=', "consultant", sat_span_str(owner) };
	}
	if (out->j.with.n > 0)
		in[n++] = (sat_input){ '=', "judged_with", out->j.with };
	if (out->credit != NULL)
		in[n++] = (sat_input){ '=', "judged_credit",
			sat_span_str(out->credit) };
	if (!sat_id_zero(&out->customer)) {
		sat_id_text(customer, &out->customer);
		in[n++] = (sat_input){ '=', "customer", sat_span_str(customer) };
	}
	return write_judgement(c, out, &v, in, n, e);
}
