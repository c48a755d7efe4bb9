/*
 * An edit of one field reads no more of its record than it needs. Whatever is
 * edited, whoever does it and however the record is: the answer is the one that
 * the whole record gives, and what is written fits the rest of it.
 */
#include "tests/unit/client/crm/crm_fixture.h"

#include "client/replica/replica_int.h"

#define CUSTOMERS 24
#define EDITS 1200

typedef struct target {
	const sat_kind *k;
	sat_id id;
} target;

static uint64_t seed;

static size_t
roll(size_t n)
{
	return (size_t)(sat_test_rand(&seed) >> 33) % n;
}

static const char *const some_text[] = { "", "x", "张", "2024-05-06",
	"2024-05-06 10:30", "5", "1.50", "me", "u1", "gone", "true",
	"13812345678", "lost", "won" };

/* One of its options, or anything. */
static const char *
some_value(const sat_field *f)
{
	if (f->dict != NULL && f->dict->n > 0 && roll(4) != 0)
		return f->dict->options[roll(f->dict->n)].key;
	return some_text[roll(sizeof some_text / sizeof some_text[0])];
}

/* Often one whose change asks for others. */
static const sat_field *
some_field(const sat_kind *k)
{
	static const char *const asking[] = { "grade", "grade_reason",
		"status", "stage", "remark" };
	const sat_field *f = roll(2) == 0 ? NULL :
	    sat_kind_field(k, asking[roll(5)]);

	return f != NULL ? f : &k->fields[roll(k->nfields)];
}

static sat_id
someones(fixture *f, int i)
{
	static const char *const owners[] = { "owner=me", "owner=u1",
		"owner=u2" };
	char name[40], phone[40];
	sat_err err;
	sat_id id;

	(void)snprintf(name, sizeof name, "name=customer %d", i);
	(void)snprintf(phone, sizeof phone, "phone_main=138%08d", i * 7919);
	if (i % 6 == 0) { /* what an import leaves open */
		sat_write_opts o = { .flag_missing = true };
		sat_crm c = crm_of(f);
		sat_input x[] = { in("name", name + 5), in("owner", "me") };

		assert_ok(sat_crm_create(&id, &c, f->account, x, 2, &o, NULL,
		    NULL, &err));
		return id;
	}
	return made(f, f->account, LIST(name, phone,
	    "industry=C34", "contact_name=Zhang", "need_type=product",
	    "source=fair", owners[i % 3], "grade_reason=known"));
}

static size_t
make_company(fixture *f, target *t)
{
	sat_crm c = crm_of(f);
	sat_err err;
	size_t n = 0;

	people(f, "hq");
	for (int i = 0; i < CUSTOMERS; i++) {
		char a[SAT_ID_TEXT], acc[64];
		sat_id id = someones(f, i);

		t[n++] = (target){ f->account, id };
		sat_id_text(a, &id);
		(void)snprintf(acc, sizeof acc, "account=%s", a);
		t[n++] = (target){ f->contact, made(f, f->contact,
		    LIST("name=Li", acc)) };
		t[n++] = (target){ f->opportunity, deal_of(f, id, "5") };
		if (i % 8 == 7)
			assert_ok(sat_crm_delete(&c, f->account, &id, false,
			    &err));
	}
	srv_sync(f);
	return n;
}

static void
assert_same_findings(const sat_field *f, const char *text, sat_rc want,
    const sat_err *a, sat_rc rc, const sat_err *b)
{
	if (rc != want || strcmp(a->code, b->code) != 0 ||
	    a->nfields != b->nfields)
		fail_msg("%s=%s: %d %s (%u) by the whole, %d %s (%u) by the "
		    "part", f->key, text, (int)want, a->code, a->nfields,
		    (int)rc, b->code, b->nfields);
	for (unsigned i = 0; i < a->nfields; i++) {
		assert_string_equal(a->fields[i].path, b->fields[i].path);
		assert_string_equal(a->fields[i].code, b->fields[i].code);
	}
}

/* The part says what the whole record says. */
static size_t
assert_part(fixture *f, const target *t, const sat_field *field)
{
	const sat_field *of[] = { field, t->k->owner, t->k->parent };
	sat_view part, whole;
	sat_err err;
	bool is_part;

	replica_page_reset(f->r);
	assert_ok(sat_replica_get_part(&part, &is_part, &f->a, f->r, t->k,
	    &t->id, field, &err));
	replica_page_reset(f->r);
	assert_ok(sat_replica_get(&whole, &f->a, f->r, t->k, &t->id, &err));
	for (size_t i = 0; i < 3; i++)
		if (of[i] != NULL)
			assert_true(sat_value_eq(sat_record_value(&part.rec,
			    of[i]->id), sat_record_value(&whole.rec,
			    of[i]->id)));
	assert_int_equal(whole.rec.deleted, part.rec.deleted);
	assert_int_equal(whole.pending, part.pending);
	assert_int_equal(whole.incomplete, part.incomplete);
	assert_int_equal(whole.created_ms, part.created_ms);
	return is_part;
}

typedef struct tally {
	size_t parts, written, refused;
} tally;

static void
one_edit(tally *n, fixture *f, const target *t)
{
	const sat_field *field = some_field(t->k);
	sat_input x = in(field->key, some_value(field));
	sat_err by_whole = { 0 }, by_part = { 0 };
	sat_write_opts o = { .validate_only = true };
	sat_crm c = crm_of(f);
	char version[40];
	sat_view v = view_of(f, t->id);
	size_t changed;
	sat_rc want, rc;

	x.verb = "=======0"[roll(8)];
	f->now_ms += 10;
	f->boot_ms += 10;
	n->parts += assert_part(f, t, field);
	sat_crm_version(version, &v);
	o.if_version = version; /* which asks for all of it */
	want = sat_crm_edit(&changed, &c, t->k, &t->id, &x, 1, &o, &by_whole);
	o.if_version = NULL;
	o.validate_only = roll(2) == 0;
	replica_page_reset(f->r);
	rc = sat_crm_edit(&changed, &c, t->k, &t->id, &x, 1, &o, &by_part);
	assert_same_findings(field, (const char *)x.text.p, want, &by_whole,
	    rc, &by_part);
	n->refused += rc != SAT_OK;
	n->written += rc == SAT_OK && !o.validate_only && changed > 0;
}

static void
an_edit_is_judged_by_a_part_as_by_the_whole(void **state)
{
	fixture *f = *state;
	target t[CUSTOMERS * 3];
	size_t n = make_company(f, t);
	tally sum = { 0, 0, 0 };

	seed = sat_test_seed(311);
	for (int i = 0; i < EDITS; i++) {
		one_edit(&sum, f, &t[roll(n)]);
		if (roll(40) == 0)
			srv_sync(f);
		if (roll(100) == 0)
			people(f, roll(3) == 0 ? "rep" : "hq");
	}
	assert_sound(f);
	srv_sync(f);
	assert_sound(f);
	print_message("%zu by a part, %zu written, %zu refused\n", sum.parts,
	    sum.written, sum.refused);
	assert_true(sum.parts > EDITS / 4);
	assert_true(sum.written > EDITS / 20);
	assert_true(sum.refused > EDITS / 20);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		REP(an_edit_is_judged_by_a_part_as_by_the_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
