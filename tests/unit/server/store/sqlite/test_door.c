/*
 * One judge behind every door: a device whose program skips its own gate gets
 * from the server what its gate would have said, for every field of every kind
 * of the base template. Elsewhere a mandatory-field setting held in the form and
 * not in the interface behind it; a required rule that only the form knows
 * (SuiteCRM #8951) and values that came in over the API unchecked (a form
 * builder's) are both this one mistake. The doors a person has are compared in
 * tests/e2e/check_doors.sh.
 */
#include "tests/unit/server/store/sqlite/device.h"

#define VALUES_MAX 16

typedef struct tally {
	unsigned refused, taken, fields;
	bool type[SAT_F_USER + 1]; /* refused at least once */
} tally;

static sat_op_kind
op_kind_of(const sat_field *f)
{
	switch (f->policy) {
	case SAT_P_REVIEW: return SAT_OP_MVSET;
	case SAT_P_SET: return SAT_OP_SADD;
	case SAT_P_COUNTER: return SAT_OP_ADD;
	case SAT_P_STAGE: return SAT_OP_STAGE;
	case SAT_P_OWNER: return SAT_OP_REASSIGN;
	case SAT_P_LWW:
	case SAT_P_MAX:
	case SAT_P_MIN:
	case SAT_P_ONCE:
	case SAT_P_DERIVED: break;
	}
	return SAT_OP_SET;
}

static sat_verb
verb_for(sat_op_kind op)
{
	switch ((int)op) {
	case SAT_OP_SADD:
	case SAT_OP_ADD: return SAT_VERB_ADD;
	case SAT_OP_STAGE: return SAT_VERB_STAGE;
	default: return SAT_VERB_SET;
	}
}

/* Good and bad ones; the gate says which is which. */
static size_t
values(sat_value out[VALUES_MAX], uint64_t *seed)
{
	static const char *const texts[] = { "", "x", "no such option", "a@b.cn",
		"13812345678", "+8613812345678", "two\nlines", "2026-11-22" };
	static char longer[5000], drawn[9];
	static const uint8_t id[16] = { 1, 2, 3 };
	size_t n = 0;

	memset(longer, 'y', sizeof longer - 1);
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		out[n++] = txt(texts[i]);
	for (size_t i = 0; i < sizeof drawn - 1; i++)
		drawn[i] = (char)(0x21 + sat_test_rand(seed) % 90);
	out[n++] = txt(drawn);
	out[n++] = txt(longer);
	out[n++] = sat_v_int(-1);
	out[n++] = sat_v_int((int64_t)(sat_test_rand(seed) % 1000000));
	out[n++] = sat_v_int(INT64_MAX);
	out[n++] = sat_v_bytes(sat_span_of(id, sizeof id));
	return n;
}

/* Some operations can hold one shape only: else the batch is none. */
static bool
has_shape(sat_op_kind op, sat_value v)
{
	if (op == SAT_OP_ADD)
		return v.type == SAT_V_INT && v.i < 1000000;
	if (op == SAT_OP_STAGE || op == SAT_OP_SADD)
		return v.type == SAT_V_TEXT && v.s.n > 0 && v.s.n <= 64 &&
		    memchr(v.s.p, '\n', v.s.n) == NULL;
	return true;
}

/* What the device's own gate says of the change to a record with no value. */
static const char *
local(const world *w, const sat_kind *k, const sat_field *f, sat_op_kind op,
    sat_value v, sat_err *e)
{
	sat_change c = { verb_for(op), f, v };
	sat_gate_in in = { .t = w->t, .kind = k, .role = "hq",
		.relation = SAT_REL_ALL, .flag_missing = true, .changes = &c,
		.n = 1, .user = "hq" };
	sat_gate_out out;

	return sat_gate_judge(&out, &in, e) == SAT_OK ? NULL : e->code;
}

static void
through_sync(world *w, device *d, const sat_id *root, const sat_id *rec,
    const sat_kind *k, tally *t, uint64_t *seed)
{
	sat_value v[VALUES_MAX];

	for (size_t i = 0; i < k->nfields; i++) {
		const sat_field *f = &k->fields[i];
		sat_op_kind op = op_kind_of(f);
		size_t n = values(v, seed);

		if (f == k->owner || f->policy == SAT_P_DERIVED ||
		    f->policy == SAT_P_ONCE || f->policy == SAT_P_OWNER ||
		    f == k->parent || f->type == SAT_F_REF || f->retired)
			continue; /* rights and places: other tests */
		t->fields++;
		for (size_t m = 0; m < n; m++) {
			sat_err why = { 0 };
			const char *want = local(w, k, f, op, v[m], &why);
			size_t at = d->nout;
			own *o;

			if (!has_shape(op, v[m]))
				continue;
			(void)device_edit(d, root, rec, k->id, op, f->id, v[m]);
			device_sync(d);
			o = &d->out[at];
			if ((want != NULL) != (o->state == 2))
				fail_msg("%s.%s value %zu: the gate says %s, the "
				    "server %s", k->key, f->key, m,
				    want != NULL ? want : "yes", o->state == 2 ?
				    o->slug : "yes");
			if (want == NULL) {
				t->taken++;
				continue;
			}
			t->refused++;
			t->type[f->type] = true;
			if (strcmp(o->slug, want) != 0)
				fail_msg("%s.%s value %zu: the gate says %s, the "
				    "server %s", k->key, f->key, m, want, o->slug);
		}
	}
}

static void
a_device_that_skips_its_gate_hears_the_gates_word_for_every_field_type(
    void **state)
{
	static const sat_ftype types[] = { SAT_F_TEXT, SAT_F_INT, SAT_F_MONEY,
		SAT_F_BOOL, SAT_F_DATE, SAT_F_TIME, SAT_F_ENUM, SAT_F_TAGS,
		SAT_F_PHONE, SAT_F_EMAIL, SAT_F_USER };
	uint64_t seed = sat_test_seed(41);
	world *w = world_new(seed);
	tally t = { 0 };
	device *d;
	sat_id acc, opp;

	(void)state;
	world_user(w, "hq", "hq", NULL);
	d = device_new(w, "hq");
	acc = device_account(d, "first", "hq");
	opp = device_opp(d, &acc, "deal", "hq");
	device_sync(d);
	through_sync(w, d, &acc, &acc, sat_template_kind_id(w->t, K_ACCOUNT), &t,
	    &seed);
	through_sync(w, d, &acc, &opp, sat_template_kind_id(w->t, K_OPP), &t,
	    &seed);
	for (size_t i = 0; i < sat_template_kinds(w->t); i++) {
		const sat_kind *k = sat_template_kind_at(w->t, i);
		sat_id rec = device_id(d);
		sat_op ops[] = {
			op_set(&rec, k->id, SAT_OP_NEW, 0, sat_v_null()),
			op_set(&rec, k->id, SAT_OP_SET, k->parent != NULL ?
			    k->parent->id : 0, sat_v_id(&acc)),
		};

		if (k->scope != SAT_SCOPE_CHILD || k->append_only ||
		    strcmp(k->parent->ref, "account") != 0)
			continue;
		(void)device_commit(d, &acc, ops, 2);
		device_sync(d);
		through_sync(w, d, &acc, &rec, k, &t, &seed);
	}
	print_message("%u fields, %u refused, %u taken\n", t.fields, t.refused,
	    t.taken);
	assert_true(t.fields > 30 && t.refused > 200 && t.taken > 50);
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
		if (!t.type[types[i]])
			fail_msg("no field of type %d was refused", (int)types[i]);
	world_verify(w);
	world_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_device_that_skips_its_gate_hears_the_gates_word_for_every_field_type),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
