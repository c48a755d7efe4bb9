/* Fixture T1 of the requirements (§5), and reports over it. */
#ifndef SAT_TESTS_CLIENT_CRM_REPORT_FIXTURE_H
#define SAT_TESTS_CLIENT_CRM_REPORT_FIXTURE_H

#include "tests/unit/client/crm/crm_fixture.h"

#define MAY "2024-05"

typedef struct t1 {
	fixture *f;
	sat_id c[9], o[7];
} t1;

static void
at(fixture *f, const char *utc)
{
	int64_t ms;

	assert_true(sat_time_parse(&ms, utc, 0));
	assert_true(ms >= f->now_ms);
	f->boot_ms += ms - f->now_ms;
	f->now_ms = ms;
}

static sat_id
create(fixture *f, const sat_kind *k, const char *const *list)
{
	sat_crm c = crm_of(f);
	sat_err err;
	sat_id id;
	pairs p;

	read_pairs(&p, list);
	assert_ok(sat_crm_create(&id, &c, k, p.in, p.n, NULL, NULL, NULL, &err));
	return id;
}

static void
account(t1 *t, int n, const char *when, const char *source, const char *owner,
    const char *industry)
{
	char name[40], phone[40], src[40], own[40], ind[40];

	at(t->f, when);
	(void)snprintf(name, sizeof name, "name=Customer %d", n);
	(void)snprintf(phone, sizeof phone, "phone_main=1380000000%d", n);
	(void)snprintf(src, sizeof src, "source=%s", source);
	(void)snprintf(own, sizeof own, "owner=%s", owner);
	(void)snprintf(ind, sizeof ind, "industry=%s", industry);
	t->c[n] = create(t->f, t->f->account, LIST(name, phone, src, own, ind,
	    "contact_name=X", "need_type=product"));
}

static void
deal(t1 *t, int n, int acc, const char *when, const char *amount,
    const char *owner)
{
	char id[SAT_ID_TEXT], a[48], m[48], own[40];

	at(t->f, when);
	sat_id_text(id, &t->c[acc]);
	(void)snprintf(a, sizeof a, "account=%s", id);
	(void)snprintf(m, sizeof m, "amount=%s", amount);
	(void)snprintf(own, sizeof own, "owner=%s", owner);
	t->o[n] = create(t->f, t->f->opportunity, LIST("name=deal", a, m, own));
}

static void
follow(t1 *t, int acc, const char *when)
{
	char id[SAT_ID_TEXT], a[48];

	at(t->f, when);
	sat_id_text(id, &t->c[acc]);
	(void)snprintf(a, sizeof a, "account=%s", id);
	(void)create(t->f, t->f->activity, LIST(a, "method=phone", "points=x"));
}

static void
stage(t1 *t, int n, const char *when, const char *to, const char *reason)
{
	sat_crm c = crm_of(t->f);
	sat_err err;

	at(t->f, when);
	assert_ok(sat_crm_stage(&c, t->f->opportunity, &t->o[n], to, reason,
	    &err));
}

/* In the order it happened, each at its own time. */
static void
fill(t1 *t, fixture *f)
{
	t->f = f;
	account(t, 1, "2024-04-20T02:00:00Z", "fair", "u1", "C34");
	deal(t, 1, 1, "2024-04-20T02:00:00Z", "120000", "u1");
	account(t, 2, "2024-04-25T02:00:00Z", "web", "u2", "I65");
	deal(t, 2, 2, "2024-04-25T02:00:00Z", "80000", "u2");
	stage(t, 2, "2024-04-26T02:00:00Z", "negotiation", NULL);
	account(t, 7, "2024-04-30T16:10:00Z", "web", "u2", "I65");
	account(t, 8, "2024-04-30T17:00:00Z", "web", "u2", "C34");
	follow(t, 7, "2024-05-01T00:10:00Z");
	account(t, 3, "2024-05-02T01:00:00Z", "fair", "u1", "C34");
	deal(t, 3, 3, "2024-05-02T02:00:00Z", "300000", "u1");
	follow(t, 3, "2024-05-02T03:00:00Z");
	account(t, 4, "2024-05-08T02:00:00Z", "fair", "u1", "I65");
	deal(t, 4, 4, "2024-05-08T02:00:00Z", "50000", "u1");
	stage(t, 4, "2024-05-08T03:00:00Z", "proposal", NULL);
	follow(t, 4, "2024-05-08T10:00:00Z");
	follow(t, 1, "2024-05-10T02:00:00Z");
	deal(t, 6, 7, "2024-05-10T02:00:00Z", "40000", "u2");
	stage(t, 6, "2024-05-12T02:00:00Z", "negotiation", NULL);
	follow(t, 1, "2024-05-15T02:00:00Z");
	stage(t, 1, "2024-05-15T02:00:00Z", "won", NULL);
	account(t, 5, "2024-05-20T02:00:00Z", "web", "u2", "C34");
	deal(t, 5, 5, "2024-05-20T02:00:00Z", "60000", "u2");
	stage(t, 5, "2024-05-20T02:00:00Z", "need_confirmed", NULL);
	stage(t, 2, "2024-05-20T02:00:00Z", "lost", "budget");
	follow(t, 5, "2024-05-21T04:00:00Z");
	stage(t, 3, "2024-05-31T15:59:59Z", "won", NULL);
	stage(t, 6, "2024-05-31T16:00:00Z", "won", NULL);
	account(t, 6, "2024-05-31T16:30:00Z", "referral", "u2", "I65");
	at(f, "2024-07-15T00:00:00Z");
}

static sat_json *
run_as_of(fixture *f, const char *key, const char *period, const char *as_of,
    const char *const *params)
{
	sat_crm c = crm_of(f);
	sat_report_opts o = { .period = period, .params = params };
	sat_json *doc;
	sat_err err;

	for (; params != NULL && params[o.nparams] != NULL; o.nparams++)
		;
	if (as_of != NULL)
		assert_true(sat_time_parse(&o.as_of_ms, as_of, 0));
	assert_ok(sat_crm_report(&doc, &c, key, &o, &err));
	assert_string_equal("satchel/report/1",
	    sat_json_get_str(doc, "schema", ""));
	return doc;
}

static sat_json *
run(fixture *f, const char *key, const char *period)
{
	return run_as_of(f, key, period, NULL, NULL);
}

static const sat_json *
cell(const sat_json *row, int i)
{
	char n[16];

	(void)snprintf(n, sizeof n, "%d", i);
	return sat_json_get(row, n);
}

static const char *
ratio(const sat_json *c)
{
	return sat_json_get_str(c, "text", "null");
}

#endif
