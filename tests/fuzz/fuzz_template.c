/*
 * Documents of a template. The bytes are loaded as fields/x.json, dict/x.json,
 * reports/x.json and rules/validation.json beside small good documents. What
 * loads must lint without a crash, follow itself, and take any text through
 * parser, gate and formatter: an accepted value reads back as itself.
 */
#include <stdlib.h>
#include <string.h>

#include "common/template/gate.h"
#include "common/template/report_def.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

#define LABEL "\"label\":{\"zh\":\"a\",\"en\":\"a\"}"

static const char *const good[][2] = {
	{ "template.json", "{\"id\":\"t\",\"name\":{\"zh\":\"a\",\"en\":\"a\"},"
	    "\"version\":\"1.0.0\",\"schema\":1,\"tz\":\"Asia/Shanghai\","
	    "\"tz_min\":480,\"currency\":\"CNY\"}" },
	{ "acl/matrix.json", "{\"roles\":[{\"key\":\"rep\"," LABEL "}],\"grants\":"
	    "{\"rep\":{\"*.view\":\"own\",\"*.edit\":\"own\",\"*.create\":\"own\"}}}" },
	{ "rules/validation.json", "{\"patterns\":[{\"key\":\"p\",\"regex\":"
	    "\"^[0-9]+$\"}]}" },
	{ "dict/d.json", "{\"name\":\"d\",\"options\":[{\"key\":\"a\"," LABEL
	    ",\"next\":[\"b\"]},{\"key\":\"b\"," LABEL ",\"terminal\":true}]}" },
	{ "fields/account.json", "{\"kind\":{\"id\":1,\"key\":\"account\",\"plural\":"
	    "\"accounts\"," LABEL ",\"scope\":\"root\",\"owner\":\"owner\","
	    "\"title\":\"name\"},\"fields\":[{\"id\":1,\"key\":\"owner\"," LABEL
	    ",\"type\":\"user\",\"policy\":\"owner\"},{\"id\":2,\"key\":\"name\","
	    LABEL ",\"type\":\"text\",\"validate\":\"p\"},{\"id\":3,\"key\":"
	    "\"stage\"," LABEL ",\"type\":\"enum\",\"options\":\"d\"},{\"id\":4,"
	    "\"key\":\"amount\"," LABEL ",\"type\":\"money\"},{\"id\":5,\"key\":"
	    "\"at\"," LABEL ",\"type\":\"time\"}]}" },
};
#define NGOOD (sizeof good / sizeof good[0])

static const char *const texts[] = { "50万", "2026年11月21日", "a", "是",
	"+86 138 1234 5678", "a@b", "01arz3ndektsv4rrffq69g5fav", "-7", "\n" };

static sat_value
nothing(void *u, const sat_field *f)
{
	(void)u;
	(void)f;
	return sat_v_null();
}

static void
try_field(const sat_template *t, const sat_kind *k, const sat_field *f,
    sat_span text)
{
	sat_arena a = { 0 };
	sat_buf shown = { 0 };
	sat_value v, again;
	sat_err err = { 0 };

	if (sat_field_parse(&v, &a, t, f, text, &err) != SAT_OK) {
		if (err.code[0] == '\0' || err.nfields != 1)
			abort();
	} else {
		sat_change c = { SAT_VERB_SET, f, v };
		sat_gate_in in = { .t = t, .kind = k, .role = "rep",
			.relation = SAT_REL_OWN, .changes = &c, .n = 1,
			.current = nothing };
		sat_gate_out out;

		if (sat_gate_judge(&out, &in, &err) != SAT_OK &&
		    err.code[0] == '\0')
			abort();
		sat_field_format(&shown, t, f, v, NULL);
		if (sat_field_parse(&again, &a, t, f, sat_buf_span(&shown),
		    &err) != SAT_OK || !sat_value_eq(v, again))
			abort();
	}
	sat_buf_fini(&shown);
	sat_arena_fini(&a);
}

static void
use(const sat_template *t)
{
	sat_err err = { 0 };

	if (sat_template_lint(t, NULL, NULL, &err) != SAT_OK &&
	    err.text[0] == '\0')
		abort();
	if (sat_template_follows(t, t, &err) != SAT_OK)
		abort();
	for (size_t i = 0; i < sat_template_kinds(t); i++) {
		const sat_kind *k = sat_template_kind_at(t, i);

		for (size_t f = 0; f < k->nfields && f < 16; f++)
			for (size_t x = 0; x < sizeof texts / sizeof texts[0];
			    x++)
				try_field(t, k, &k->fields[f],
				    sat_span_str(texts[x]));
	}
}

static void
load_as(const char *path, sat_span bytes)
{
	sat_template_file files[NGOOD + 1];
	sat_template *t;
	sat_err err = { 0 };
	size_t n = 0;

	for (size_t i = 0; i < NGOOD; i++)
		if (strcmp(good[i][0], path) != 0)
			files[n++] = (sat_template_file){ good[i][0],
				sat_span_str(good[i][1]) };
	files[n++] = (sat_template_file){ path, bytes };
	if (sat_template_load(&t, files, n, &err) == SAT_OK)
		use(t);
	else if (err.text[0] == '\0' || t != NULL)
		abort();
	sat_template_free(t);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	sat_span bytes = sat_span_of(p, n);

	load_as("fields/x.json", bytes);
	load_as("dict/x.json", bytes);
	load_as("reports/x.json", bytes);
	load_as("rules/validation.json", bytes);
	return 0;
}
