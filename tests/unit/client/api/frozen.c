#include "client/crm/report.h"
#include "tests/unit/client/api/frozen.h"
#include "tests/unit/client/sync/company.h"

sat_crm
crm(company *c, size_t i)
{
	return (sat_crm){ c->r[i], c_clock(c), "en" };
}

static sat_id
create(company *c, size_t i, const char *kind, const char *const *list)
{
	sat_crm x = crm(c, i);
	sat_input in[12];
	size_t n = 0;
	sat_err err = { 0 };
	sat_id id;

	company_pass(c, 1000);
	for (; list[n * 2] != NULL; n++)
		in[n] = (sat_input){ '=', list[n * 2],
			sat_span_str(list[n * 2 + 1]) };
	assert_ok(sat_crm_create(&id, &x, kind_of(c, i, kind), in, n, NULL,
	    NULL, NULL, &err));
	return id;
}

#define LIST(...) (const char *const[]) { __VA_ARGS__, NULL }

sat_id
customer(company *c, size_t i, const char *phone)
{
	return create(c, i, "account", LIST("name", phone, "industry", "I65",
	    "contact_name", "x", "phone_main", phone, "need_type", "product",
	    "created_at", "2026-12-05T02:00:00Z"));
}

sat_id
deal(company *c, size_t i, sat_id account, const char *amount, const char *won)
{
	char id[SAT_ID_TEXT];

	sat_id_text(id, &account);
	return create(c, i, "opportunity", LIST("account", id, "name", "deal",
	    "amount", amount, "stage", "won", "won_at", won));
}

sat_json *
run(company *c, size_t i, const char *report)
{
	const sat_report_opts o = { .period = MONTH };
	sat_crm x = crm(c, i);
	sat_err err = { 0 };
	sat_json *doc = NULL;

	assert_ok(sat_crm_report_run(&doc, &x, report, &o, &err));
	return doc;
}

sat_json *
freeze(company *c, size_t i, const char *report)
{
	const sat_report_opts o = { .period = MONTH };
	sat_crm x = crm(c, i);
	sat_err err = { 0 };
	sat_json *doc = NULL;

	company_pass(c, 1000);
	assert_ok(sat_crm_freeze(&doc, &x, report, &o, &err));
	return doc;
}

const char *
hash_of(const sat_json *doc)
{
	return sat_json_get_str(sat_json_get(doc, "frozen"), "hash", "none");
}

const sat_json *
delta_row(const sat_json *doc, const char *group)
{
	const sat_json *r = sat_json_first(sat_json_get(sat_json_get(doc,
	    "delta"), "rows"));

	while (r != NULL && strcmp(sat_json_get_str(r, "group", ""), group) !=
	    0)
		r = sat_json_next(r);
	return r;
}

const sat_json *
named(const sat_json *row, sat_id id)
{
	char text[SAT_ID_TEXT];
	const sat_json *r = sat_json_first(sat_json_get(row, "records"));

	sat_id_text(text, &id);
	while (r != NULL && strcmp(sat_json_get_str(r, "id", ""), text) != 0)
		r = sat_json_next(r);
	return r;
}

void
same_text(const sat_json *a, const sat_json *b)
{
	sat_buf x = { 0 }, y = { 0 };

	sat_json_write(&x, a, false);
	sat_json_write(&y, b, false);
	assert_string_equal(sat_buf_cstr(&x), sat_buf_cstr(&y));
	sat_buf_fini(&x);
	sat_buf_fini(&y);
}
