/*
 * The strict reader of JSON. What it takes, cJSON must take too; what is
 * written from it must be read again, and then written the same.
 */
#include <stdlib.h>
#include <string.h>

#include "common/json/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void
again(const sat_buf *text, const sat_buf *want)
{
	sat_buf out = { 0 };
	sat_json *doc;

	if (sat_json_parse(&doc, sat_buf_span(text), SIZE_MAX, NULL) != SAT_OK)
		abort();
	sat_json_write(&out, doc, false);
	if (!sat_span_eq(sat_buf_span(&out), sat_buf_span(want)))
		abort();
	sat_buf_fini(&out);
	sat_json_free(doc);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	sat_buf flat = { 0 }, pretty = { 0 };
	sat_err err = { 0 };
	sat_json *doc;
	sat_rc rc = sat_json_parse(&doc, sat_span_of(p, n), 0, &err);

	if (rc != SAT_OK) {
		if ((rc != SAT_EPROTO && rc != SAT_EINVALID) || doc != NULL ||
		    err.text[0] == '\0')
			abort();
		return 0;
	}
	sat_json_write(&flat, doc, false);
	sat_json_write(&pretty, doc, true);
	again(&flat, &flat);
	again(&pretty, &flat);
	/* Any document as a schema: must answer, whatever it is. */
	if (sat_json_validate(doc, doc, &err) != SAT_OK && err.text[0] == '\0')
		abort();
	sat_buf_fini(&flat);
	sat_buf_fini(&pretty);
	sat_json_free(doc);
	return 0;
}
