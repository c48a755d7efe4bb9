#include "tests/lib/unit.h"

#include "common/template/gate.h"
#include "common/template/template.h"
#include "tests/unit/common/template/base.h"
#include "tests/unit/common/template/judged.h"

sat_value
txt(const char *s)
{
	return sat_v_text(sat_span_str(s));
}

sat_value
lookup(void *u, const sat_field *f)
{
	const record *r = u;

	for (size_t i = 0; i < r->n; i++)
		if (strcmp(r->now[i].key, f->key) == 0)
			return r->now[i].v;
	return sat_v_null();
}

void
begin(record *r, const char *kind, bool is_new)
{
	memset(r, 0, sizeof *r);
	r->kind = kind;
	r->in = (sat_gate_in){ .t = tmpl, .kind = sat_template_kind(tmpl, kind),
		.role = "rep", .relation = SAT_REL_OWN, .is_new = is_new,
		.now_ms = NOW, .current = is_new ? NULL : lookup, .u = r };
}

void
has(record *r, const char *key, sat_value v)
{
	r->now[r->n].key = key;
	r->now[r->n++].v = v;
}

void
change(record *r, sat_verb verb, const char *key, sat_value v)
{
	const sat_field *f = key != NULL ? sat_kind_field(r->in.kind, key) : NULL;

	if (key != NULL && f == NULL)
		fail_msg("no field %s", key);
	r->changes[r->nchanges++] = (sat_change){ verb, f, v };
}

sat_rc
judge(record *r)
{
	r->in.changes = r->changes;
	r->in.n = r->nchanges;
	memset(&r->err, 0, sizeof r->err);
	return sat_gate_judge(&r->out, &r->in, &r->err);
}

void
begin_customer(record *r)
{
	begin(r, "account", false);
	has(r, "name", txt("甲公司"));
	has(r, "industry", txt("I65"));
	has(r, "contact_name", txt("王芳"));
	has(r, "phone_main", txt("+8613812345678"));
	has(r, "need_type", txt("product"));
	has(r, "stage", txt("proposal"));
	has(r, "status", txt("interested"));
	has(r, "owner", txt("u1"));
	has(r, "external_id", txt("X1"));
}

void
begin_new_customer(record *r)
{
	begin(r, "account", true);
	change(r, SAT_VERB_SET, "name", txt("甲公司"));
	change(r, SAT_VERB_SET, "industry", txt("I65"));
	change(r, SAT_VERB_SET, "contact_name", txt("王芳"));
	change(r, SAT_VERB_SET, "phone_main", txt("+8613812345678"));
	change(r, SAT_VERB_SET, "need_type", txt("product"));
	change(r, SAT_VERB_STAGE, "stage", txt("first_contact"));
	change(r, SAT_VERB_ASSIGN, "owner", txt("u1"));
}
