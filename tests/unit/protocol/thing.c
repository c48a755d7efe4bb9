#include "tests/unit/protocol/thing.h"

static const char template_json[] =
    "{\"id\":\"t\",\"name\":{\"zh\":\"t\",\"en\":\"t\"},\"version\":\"1.0.0\","
    "\"schema\":1,\"tz\":\"Asia/Shanghai\",\"tz_min\":480,\"week\":\"iso\","
    "\"currency\":\"CNY\",\"languages\":[\"zh\"]}";
static const char stage_json[] =
    "{\"name\":\"stage\",\"label\":{\"zh\":\"s\",\"en\":\"s\"},\"options\":["
    "{\"key\":\"a\",\"label\":{\"zh\":\"a\",\"en\":\"a\"},\"rank\":1},"
    "{\"key\":\"b\",\"label\":{\"zh\":\"b\",\"en\":\"b\"},\"rank\":2}]}";
#define L "\"label\":{\"zh\":\"x\",\"en\":\"x\"}"
static const char thing_json[] =
    "{\"kind\":{\"id\":1,\"key\":\"thing\",\"plural\":\"things\"," L ","
    "\"scope\":\"root\",\"owner\":\"owner\",\"stage\":\"stage\","
    "\"title\":\"plain\",\"list\":[\"plain\"]},\"fields\":["
    "{\"id\":1,\"key\":\"plain\"," L ",\"type\":\"text\"},"
    "{\"id\":2,\"key\":\"phone\"," L ",\"type\":\"phone\",\"policy\":\"review\","
    "\"norm\":\"phone\"},"
    "{\"id\":3,\"key\":\"tags\"," L ",\"type\":\"tags\",\"policy\":\"set\"},"
    "{\"id\":4,\"key\":\"visits\"," L ",\"type\":\"int\",\"policy\":\"counter\"},"
    "{\"id\":5,\"key\":\"latest\"," L ",\"type\":\"int\",\"policy\":\"max\"},"
    "{\"id\":6,\"key\":\"best\"," L ",\"type\":\"int\",\"policy\":\"min\"},"
    "{\"id\":7,\"key\":\"stage\"," L ",\"type\":\"enum\",\"policy\":\"stage\","
    "\"options\":\"stage\"},"
    "{\"id\":8,\"key\":\"owner\"," L ",\"type\":\"user\",\"policy\":\"owner\"},"
    "{\"id\":9,\"key\":\"source\"," L ",\"type\":\"text\",\"policy\":\"once\"},"
    "{\"id\":10,\"key\":\"name\"," L ",\"type\":\"text\",\"policy\":\"review\"}"
    "]}";
static const char matrix_json[] =
    "{\"roles\":[{\"key\":\"rep\"," L "}],\"grants\":{\"rep\":{}}}";

sat_template *tmpl;

int
load_thing(void **state)
{
	const sat_template_file files[] = {
		{ "template.json", sat_span_str(template_json) },
		{ "dict/stage.json", sat_span_str(stage_json) },
		{ "fields/thing.json", sat_span_str(thing_json) },
		{ "acl/matrix.json", sat_span_str(matrix_json) },
	};
	sat_err err;
	sat_rc rc = sat_template_load(&tmpl, files, 4, &err);

	(void)state;
	if (rc != SAT_OK)
		printf("%s\n", err.text);
	return rc == SAT_OK ? 0 : -1;
}

int
unload_thing(void **state)
{
	(void)state;
	sat_template_free(tmpl);
	return 0;
}
