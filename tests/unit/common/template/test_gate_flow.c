/*
 * The gate's part about how the company works (gate_flow.c): the same at every
 * door, so each case is asked as a person's and as one that came by sync.
 */
#include "tests/lib/unit.h"

#include "common/template/gate.h"
#include "tests/unit/common/template/base.h"

#define DAY 86400000LL
#define NOW 1800000000000LL

/* The base template with another document. */
static sat_template *
with(const char *path, const char *json)
{
	sat_template *t;
	sat_err err;

	assert_ok(load_with(&t, path, json, &err));
	return t;
}

typedef struct one {
	const char *key, *text;
	int64_t i; /* text NULL: this */
} one;

typedef struct record {
	const one *now; /* ends with key NULL */
	const char *grade; /* of the customer */
	int64_t last_follow;
	const char *role, *user;
	bool is_new;
	sat_gate_out out;
	sat_err err;
} record;

static sat_value
value(const one *o)
{
	return o->text != NULL ? sat_v_text(sat_span_str(o->text)) :
	    sat_v_int(o->i);
}

static sat_value
current(void *u, const sat_field *f)
{
	for (const one *o = ((record *)u)->now; o->key != NULL; o++)
		if (strcmp(o->key, f->key) == 0)
			return value(o);
	return sat_v_null();
}

static sat_value
customer(void *u, const char *key)
{
	record *r = u;

	if (strcmp(key, "grade") == 0 && r->grade != NULL)
		return sat_v_text(sat_span_str(r->grade));
	if (strcmp(key, "last_follow_at") == 0 && r->last_follow != 0)
		return sat_v_int(r->last_follow);
	return sat_v_null();
}

static sat_rc
judge(record *r, const sat_template *t, const char *kind, sat_verb verb,
    const char *key, const char *text, bool sync)
{
	const sat_kind *k = sat_template_kind(t, kind);
	sat_change c = { verb, sat_kind_field(k, key), sat_v_text(
	    sat_span_str(text)) };
	sat_gate_in in = { .t = t, .kind = k, .role = r->role,
		.user = r->user, .relation = SAT_REL_OWN, .is_new = r->is_new,
		.flag_missing = true, .from_sync = sync, .at_ms = NOW,
		.now_ms = sync ? 0 : NOW, .changes = &c, .n = 1,
		.current = current, .u = r, .customer = customer,
		.customer_u = r };

	memset(&r->err, 0, sizeof r->err);
	return sat_gate_judge(&r->out, &in, &r->err);
}

/* Both doors say the same. */
static void
expect(const char *code, record *r, const sat_template *t, const char *kind,
    sat_verb verb, const char *key, const char *text)
{
	for (int sync = 0; sync < 2; sync++) {
		sat_rc rc = judge(r, t, kind, verb, key, text, sync);

		if (code == NULL && rc != SAT_OK)
			fail_msg("%s=%s: %s", key, text, r->err.text);
		if (code != NULL && (rc != SAT_EINVALID ||
		    strcmp(r->err.code, code) != 0))
			fail_msg("%s=%s: %d %s, not %s", key, text, (int)rc,
			    r->err.code, code);
	}
}

#define SUBMIT SAT_VERB_STAGE, "state", "submitted"
#define REFUSED "validation.approval"

static void
a_strategic_proposal_waits_for_manager_and_expert(void **state)
{
	static const one none[] = { { "state", "approving", 0 },
		{ "grade", "strategic", 0 }, { NULL, NULL, 0 } };
	static const one half[] = { { "state", "approving", 0 },
		{ "grade", "strategic", 0 }, { "approvals", "manager:mg#1", 0 },
		{ NULL, NULL, 0 } };
	static const one all[] = { { "state", "approving", 0 },
		{ "grade", "strategic", 0 },
		{ "approvals", "expert:ex#1\nmanager:mg#1", 0 },
		{ NULL, NULL, 0 } };
	record r = { .now = none, .role = "rep", .user = "li" };

	(void)state;
	expect(REFUSED, &r, tmpl, "proposal", SUBMIT);
	r.now = half;
	expect(REFUSED, &r, tmpl, "proposal", SUBMIT);
	r.now = all;
	expect(NULL, &r, tmpl, "proposal", SUBMIT);
}

static void
another_version_needs_new_approvals(void **state)
{
	static const one old[] = { { "state", "approving", 0 },
		{ "grade", "strategic", 0 }, { "version", NULL, 2 },
		{ "approvals", "expert:ex#1\nmanager:mg#1\nmanager:mg#2", 0 },
		{ NULL, NULL, 0 } };
	record r = { .now = old, .role = "rep", .user = "li" };

	(void)state;
	expect(REFUSED, &r, tmpl, "proposal", SUBMIT);
}

static void
no_state_behind_it_is_a_way_round(void **state)
{
	static const one none[] = { { "grade", "strategic", 0 },
		{ "state", "draft", 0 }, { NULL, NULL, 0 } };
	record r = { .now = none, .role = "rep", .user = "li" };

	(void)state;
	assert_rc(SAT_EINVALID, judge(&r, tmpl, "proposal", SAT_VERB_STAGE,
	    "state", "confirmed", true));
	assert_string_equal(REFUSED, r.err.code);
	/* nor is being born there, when the customer's grade is known */
	r = (record){ .now = none + 2, .role = "rep", .user = "li",
		.is_new = true, .grade = "strategic" };
	assert_rc(SAT_EINVALID, judge(&r, tmpl, "proposal", SAT_VERB_SET,
	    "state", "confirmed", true));
	assert_string_equal(REFUSED, r.err.code);
}

static void
the_stricter_of_two_grades_counts(void **state)
{
	static const one low[] = { { "state", "draft", 0 },
		{ "grade", "normal", 0 }, { NULL, NULL, 0 } };
	record r = { .now = low, .role = "rep", .user = "li" };

	(void)state;
	expect(NULL, &r, tmpl, "proposal", SUBMIT);
	r.grade = "key"; /* typed since */
	expect(REFUSED, &r, tmpl, "proposal", SUBMIT);
}

static void
nobody_writes_another_s_approval(void **state)
{
	static const one now[] = { { "state", "approving", 0 },
		{ NULL, NULL, 0 } };
	record r = { .now = now, .role = "rep", .user = "li" };

	(void)state;
	expect(REFUSED, &r, tmpl, "proposal", SAT_VERB_ADD, "approvals",
	    "manager:mg#1");
	expect(REFUSED, &r, tmpl, "proposal", SAT_VERB_ADD, "approvals",
	    "manager:li#1"); /* not in a role he has not */
	expect(REFUSED, &r, tmpl, "proposal", SAT_VERB_REMOVE, "approvals",
	    "manager:mg#1");
	r.role = "manager";
	r.user = "mg";
	expect(NULL, &r, tmpl, "proposal", SAT_VERB_ADD, "approvals",
	    "manager:mg#1");
	r.user = NULL;
	expect(REFUSED, &r, tmpl, "proposal", SAT_VERB_ADD, "approvals",
	    "manager:mg#1");
}

#define FLOW(entry) \
	"{\"key\":\"sales\",\"version\":\"1\",\"label\":{\"zh\":\"x\",\"en\":\"x\"}," \
	"\"kind\":\"opportunity\",\"steps\":[{\"key\":\"first\",\"stage\":" \
	"\"first_contact\",\"label\":{\"zh\":\"x\",\"en\":\"x\"},\"checklist\":" \
	"[{\"key\":\"who\",\"required\":true,\"label\":{\"zh\":\"x\",\"en\":" \
	"\"x\"}}]},{\"key\":\"need\",\"stage\":\"need_confirmed\",\"label\":" \
	"{\"zh\":\"x\",\"en\":\"x\"},\"entry\":" entry "}]}"
#define NEXT SAT_VERB_STAGE, "stage", "need_confirmed"

static void
a_stage_wants_a_follow_up_within_its_days(void **state) /* */
{
	static const one now[] = { { "stage", "first_contact", 0 },
		{ NULL, NULL, 0 } };
	sat_template *t = with("flows/sales.json", FLOW(
	    "{\"follow_within_d\":7,\"enforce\":\"refuse\"}"));
	record r = { .now = now, .role = "rep", .user = "li" };

	(void)state;
	expect("validation.entry.follow", &r, t, "opportunity", NEXT);
	r.last_follow = NOW - 7 * DAY - 1;
	expect("validation.entry.follow", &r, t, "opportunity", NEXT);
	r.last_follow = NOW - 7 * DAY;
	expect(NULL, &r, t, "opportunity", NEXT);
	sat_template_free(t);
	t = with("flows/sales.json", FLOW("{\"follow_within_d\":7}"));
	r.last_follow = 0;
	expect(NULL, &r, t, "opportunity", NEXT);
	assert_string_equal("entry.follow", r.out.flag);
	sat_template_free(t);
}

static void
a_stage_wants_fields_and_the_checklist_before_it(void **state) /* */
{
	static const one now[] = { { "stage", "first_contact", 0 },
		{ NULL, NULL, 0 } };
	static const one done[] = { { "stage", "first_contact", 0 },
		{ "amount", NULL, 5 }, { "checklist", "first.who", 0 },
		{ NULL, NULL, 0 } };
	sat_template *t = with("flows/sales.json", FLOW(
	    "{\"fields\":[\"amount\"],\"enforce\":\"refuse\"}"));
	record r = { .now = now, .role = "rep", .user = "li" };

	(void)state;
	expect("validation.entry.fields", &r, t, "opportunity", NEXT);
	assert_string_equal("amount", r.err.fields[0].path);
	r.now = done;
	expect(NULL, &r, t, "opportunity", NEXT);
	sat_template_free(t);
	t = with("flows/sales.json", FLOW(
	    "{\"checklist\":true,\"enforce\":\"refuse\"}"));
	expect(NULL, &r, t, "opportunity", NEXT);
	r.now = now;
	expect("validation.entry.checklist", &r, t, "opportunity", NEXT);
	sat_template_free(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_strategic_proposal_waits_for_manager_and_expert),
		cmocka_unit_test(another_version_needs_new_approvals),
		cmocka_unit_test(no_state_behind_it_is_a_way_round),
		cmocka_unit_test(the_stricter_of_two_grades_counts),
		cmocka_unit_test(nobody_writes_another_s_approval),
		cmocka_unit_test(a_stage_wants_a_follow_up_within_its_days),
		cmocka_unit_test(a_stage_wants_fields_and_the_checklist_before_it),
	};

	return cmocka_run_group_tests(tests, load_base, free_base);
}
