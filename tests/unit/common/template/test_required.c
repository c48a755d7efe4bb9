/*
 * Required rules at random: templates with a field of every type and every
 * policy a person writes, each with a rule of its own, and changes of all
 * sorts. A save is refused exactly when a rule that holds afterwards finds its
 * field empty, unless it was so before; what is refused is named, no more.
 */
#include "tests/lib/unit.h"

#include "common/template/gate.h"

#define ROUNDS 200   /* templates */
#define SAVES 60     /* per template */
#define ELEMENTS 3   /* of a set */

typedef enum rule { FREE, ALWAYS, WHEN_ENUM, WHEN_BOOL, RULES } rule;

typedef struct sort {
	const char *key, *more; /* of the document */
	const char *values[ELEMENTS];
	int64_t number;
	sat_verb verb;
} sort;

static uint8_t some_id[16] = { 1, 2, 3 };

/* Of numbers, `values` says nothing; the reference is an id. */
static const sort sorts[] = {
	{ "f_text", "\"type\":\"text\"", { "甲", "乙", "x y" }, 0, SAT_VERB_SET },
	{ "f_review", "\"type\":\"text\",\"policy\":\"review\"", { "a", "b", "c" },
	    0, SAT_VERB_SET },
	{ "f_int", "\"type\":\"int\"", { NULL }, 0, SAT_VERB_SET },
	{ "f_money", "\"type\":\"money\"", { NULL }, 100, SAT_VERB_SET },
	{ "f_bool", "\"type\":\"bool\"", { NULL }, 0, SAT_VERB_SET },
	{ "f_date", "\"type\":\"date\"", { NULL }, 86400000, SAT_VERB_SET },
	{ "f_time", "\"type\":\"time\"", { NULL }, 1700000000000, SAT_VERB_SET },
	{ "f_max", "\"type\":\"time\",\"policy\":\"max\"", { NULL }, 1, SAT_VERB_SET },
	{ "f_counter", "\"type\":\"int\",\"policy\":\"counter\"", { NULL }, 1,
	    SAT_VERB_ADD },
	{ "f_enum", "\"type\":\"enum\",\"options\":\"d\"", { "on", "off", "on" }, 0,
	    SAT_VERB_SET },
	{ "f_tags", "\"type\":\"tags\",\"policy\":\"set\"", { "p", "q", "r" }, 0,
	    SAT_VERB_ADD },
	{ "f_phone", "\"type\":\"phone\"", { "13812345678", "13912345678",
	    "13712345678" }, 0, SAT_VERB_SET },
	{ "f_email", "\"type\":\"email\"", { "a@b.cn", "c@d.cn", "e@f.cn" }, 0,
	    SAT_VERB_SET },
	{ "f_ref", "\"type\":\"ref\",\"ref\":\"thing\"", { NULL }, -1, SAT_VERB_SET },
	{ "f_user", "\"type\":\"user\"", { "u1", "u2", "u3" }, 0, SAT_VERB_SET },
};
#define NSORTS (sizeof sorts / sizeof sorts[0])

static uint64_t seed;
static sat_template *tmpl;
static const sat_kind *kind;
static rule rules[NSORTS];

static size_t
roll(size_t n)
{
	return (size_t)(sat_test_rand(&seed) % n);
}

/* ---- a template --------------------------------------------------------------- */

static const char *const rule_text[RULES] = { "",
	",\"required_at\":[\"create\"],\"purpose\":\"x\"",
	",\"required_when\":\"e=on\",\"purpose\":\"x\"",
	",\"required_when\":\"b=true\",\"purpose\":\"x\"" };

#define LABEL "\"label\":{\"zh\":\"a\",\"en\":\"a\"}"

static void
make_template(void)
{
	static const char head[] = "{\"kind\":{\"id\":1,\"key\":\"thing\",\"plural\":"
	    "\"things\"," LABEL ",\"scope\":\"root\",\"owner\":\"owner\",\"title\":"
	    "\"f_text\"},\"fields\":[{\"id\":1,\"key\":\"owner\"," LABEL ",\"type\":"
	    "\"user\",\"policy\":\"owner\"},{\"id\":2,\"key\":\"e\"," LABEL
	    ",\"type\":\"enum\",\"options\":\"d\"},{\"id\":3,\"key\":\"b\"," LABEL
	    ",\"type\":\"bool\"}";
	char doc[8000];
	size_t n = (size_t)snprintf(doc, sizeof doc, "%s", head);
	sat_err err = { 0 };

	for (size_t i = 0; i < NSORTS; i++) {
		rules[i] = (rule)roll(RULES);
		n += (size_t)snprintf(doc + n, sizeof doc - n, ",{\"id\":%zu,"
		    "\"key\":\"%s\"," LABEL ",%s%s}", 10 + i, sorts[i].key,
		    sorts[i].more, rule_text[rules[i]]);
	}
	(void)snprintf(doc + n, sizeof doc - n, "]}");
	{
		const sat_template_file files[] = {
			{ "template.json", sat_span_str("{\"id\":\"t\",\"name\":{"
			    "\"zh\":\"a\",\"en\":\"a\"},\"version\":\"1.0.0\","
			    "\"schema\":1,\"tz\":\"UTC\",\"currency\":\"CNY\"}") },
			{ "acl/matrix.json", sat_span_str("{\"roles\":[{\"key\":"
			    "\"rep\"," LABEL "}],\"grants\":{\"rep\":{\"*.edit\":"
			    "\"all\",\"*.create\":\"all\"}}}") },
			{ "dict/d.json", sat_span_str("{\"name\":\"d\",\"options\":["
			    "{\"key\":\"on\"," LABEL "},{\"key\":\"off\"," LABEL
			    "}]}") },
			{ "rules/validation.json", sat_span_str("{\"patterns\":[]}") },
			{ "fields/thing.json", sat_span_str(doc) },
		};

		assert_ok(sat_template_load(&tmpl, files,
		    sizeof files / sizeof files[0], &err));
	}
	kind = sat_template_kind(tmpl, "thing");
}

/* ---- a record: what it holds, in words of our own ------------------------------ */

typedef struct record {
	bool e_on, b_true;
	unsigned set;           /* bit per element of f_tags */
	bool filled[NSORTS];    /* f_tags too */
	char tags[16];
} record;

static sat_value
value_of(size_t i, size_t pick)
{
	const sort *s = &sorts[i];

	if (s->values[0] != NULL)
		return sat_v_text(sat_span_str(s->values[pick]));
	return s->number < 0 ? sat_v_bytes(sat_span_of(some_id, 16)) :
	    sat_v_int(s->number);
}

static bool
is_tags(size_t i)
{
	return strcmp(sorts[i].key, "f_tags") == 0;
}

static sat_value
tags_of(record *r)
{
	size_t n = 0;

	for (unsigned k = 0; k < ELEMENTS; k++)
		if ((r->set & 1u << k) != 0) {
			if (n > 0)
				r->tags[n++] = '\n';
			r->tags[n++] = (char)('p' + k);
		}
	r->tags[n] = '\0';
	return n > 0 ? sat_v_text(sat_span_str(r->tags)) : sat_v_null();
}

static sat_value
lookup(void *u, const sat_field *f)
{
	record *r = u;

	if (strcmp(f->key, "e") == 0)
		return sat_v_text(sat_span_str(r->e_on ? "on" : "off"));
	if (strcmp(f->key, "b") == 0)
		return sat_v_int(r->b_true);
	for (size_t i = 0; i < NSORTS; i++)
		if (strcmp(f->key, sorts[i].key) == 0)
			return is_tags(i) ? tags_of(r) : !r->filled[i] ?
			    sat_v_null() : value_of(i, 0);
	return sat_v_null();
}

static bool
wants(const record *r, size_t i)
{
	return rules[i] == ALWAYS || (rules[i] == WHEN_ENUM && r->e_on) ||
	    (rules[i] == WHEN_BOOL && r->b_true);
}

/* ---- a change, and what it makes of the record ---------------------------------- */

typedef struct save {
	sat_change c[64];
	size_t n;
	record after;
} save;

static void
put(save *s, const char *key, sat_verb verb, sat_value v)
{
	s->c[s->n++] = (sat_change){ verb, sat_kind_field(kind, key), v };
}

static void
change_tags(save *s, size_t i)
{
	for (size_t k = roll(2 * ELEMENTS); k > 0; k--) {
		unsigned element = (unsigned)roll(ELEMENTS);
		bool add = roll(3) == 0;

		put(s, "f_tags", add ? SAT_VERB_ADD : SAT_VERB_REMOVE,
		    value_of(i, element));
		if (add)
			s->after.set |= 1u << element;
		else
			s->after.set &= ~(1u << element);
	}
	s->after.filled[i] = s->after.set != 0;
}

static void
change_some(save *s)
{
	if (roll(2) == 0) {
		s->after.e_on = roll(2) == 0;
		put(s, "e", SAT_VERB_SET,
		    sat_v_text(sat_span_str(s->after.e_on ? "on" : "off")));
	}
	if (roll(2) == 0) {
		s->after.b_true = roll(2) == 0;
		put(s, "b", SAT_VERB_SET, sat_v_int(s->after.b_true));
	}
	for (size_t i = 0; i < NSORTS; i++) {
		size_t what = roll(8);

		if (is_tags(i)) {
			change_tags(s, i);
		} else if (what < 3) {
			put(s, sorts[i].key, sorts[i].verb, value_of(i, what));
			s->after.filled[i] = true;
		} else if (what == 3 && sorts[i].verb == SAT_VERB_SET) {
			put(s, sorts[i].key, SAT_VERB_SET, sat_v_null());
			s->after.filled[i] = false;
		}
	}
}

/* Mostly whole ones: or nothing would ever be saved. */
static void
random_record(record *r)
{
	memset(r, 0, sizeof *r);
	r->e_on = roll(2) == 0;
	r->b_true = roll(2) == 0;
	for (size_t i = 0; i < NSORTS; i++) {
		r->filled[i] = roll(8) != 0;
		if (is_tags(i))
			r->set = r->filled[i] ? 1u + (unsigned)roll(7) : 0;
	}
}

static bool
is_named(const sat_err *e, const char *key)
{
	for (unsigned i = 0; i < e->nfields; i++)
		if (strcmp(e->fields[i].path, key) == 0 &&
		    strcmp(e->fields[i].code, "required") == 0)
			return true;
	return false;
}

/* @return was it refused? */
static bool
one_save(size_t seen[NSORTS])
{
	bool is_new = roll(2) == 0, missing = false;
	record was;
	save s = { .n = 0 };
	sat_err err = { 0 };
	sat_gate_out out;
	sat_gate_in in;
	unsigned want = 0;
	sat_rc rc;

	random_record(&was);
	if (is_new)
		memset(&was, 0, sizeof was);
	s.after = was;
	if (is_new) /* as a form sends it */
		for (size_t i = 0; i < NSORTS; i++)
			if (roll(8) != 0) {
				put(&s, sorts[i].key, sorts[i].verb, value_of(i, 0));
				s.after.filled[i] = true;
				s.after.set |= is_tags(i);
			}
	change_some(&s);
	in = (sat_gate_in){ .t = tmpl, .kind = kind, .role = "rep",
		.relation = SAT_REL_OWN, .is_new = is_new, .changes = s.c,
		.n = s.n, .current = is_new ? NULL : lookup, .u = &was };
	rc = sat_gate_judge(&out, &in, &err);
	for (size_t i = 0; i < NSORTS; i++) {
		bool lacks = wants(&s.after, i) && !s.after.filled[i];
		bool lacked = !is_new && wants(&was, i) && !was.filled[i];

		missing = missing || lacks;
		if (is_named(&err, sorts[i].key) != (lacks && !lacked))
			fail_msg("%s %s: rule %d, %s", is_new ? "new" : "old",
			    sorts[i].key, (int)rules[i], lacks && !lacked ?
			    "was saved without it" : "was asked for");
		want += lacks && !lacked;
		seen[i] += lacks && !lacked;
	}
	if (rc != (want > 0 ? SAT_EINVALID : SAT_OK))
		fail_msg("rc %d, %u fields lack: %s", (int)rc, want, err.text);
	assert_int_equal(want, err.nfields);
	if (is_new || want > 0) /* of others only what the change concerns */
		assert_int_equal(missing, out.incomplete);
	return want > 0;
}

static void
a_save_is_refused_exactly_when_a_required_field_is_empty(void **state)
{
	size_t seen[NSORTS] = { 0 }, refused = 0;

	(void)state;
	seed = sat_test_seed(8951);
	for (int round = 0; round < ROUNDS; round++) {
		make_template();
		for (int k = 0; k < SAVES; k++)
			refused += one_save(seen);
		sat_template_free(tmpl);
	}
	/* it tried what it says: both answers, and every field's */
	assert_in_range(refused, ROUNDS * SAVES / 10, ROUNDS * SAVES * 9 / 10);
	for (size_t i = 0; i < NSORTS; i++)
		if (seen[i] < ROUNDS / 10)
			fail_msg("%s was refused %zu times only", sorts[i].key,
			    seen[i]);
	print_message("%zu of %d saves refused\n", refused, ROUNDS * SAVES);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_save_is_refused_exactly_when_a_required_field_is_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
