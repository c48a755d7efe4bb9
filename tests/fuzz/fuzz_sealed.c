/*
 * A kiosk's push: headers and boxes. What is read, is written as it came; the
 * first byte says whether a box that opens is put in the place of the first one,
 * whose payload then meets its header or is refused.
 */
#include <stdlib.h>
#include <string.h>

#include "protocol/sealed.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void
open_as(sat_commit *c, sat_span payload, sat_arena *a)
{
	sat_commit whole;
	sat_buf header = { 0 };
	sat_err err = { 0 };

	sat_hash(c->payload_hash, payload);
	sat_commit_write_header(&header, c);
	if (sat_commit_read(&whole, a, sat_buf_span(&header), payload, &err) ==
	    SAT_OK) {
		if (whole.cseq != c->cseq || whole.nops > SAT_OPS_MAX)
			abort();
	} else if (err.text[0] == '\0') {
		abort();
	}
	sat_buf_fini(&header);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	sat_arena a = { 0 };
	sat_buf b = { 0 };
	sat_err err = { 0 };
	sat_commit *c;
	sat_span in;
	size_t count;

	if (n == 0)
		return 0;
	in = sat_span_of(p + 1, n - 1);
	if (sat_sealed_read(&c, &count, &a, in, &err) != SAT_OK) {
		if (err.text[0] == '\0')
			abort();
	} else {
		sat_sealed_write(&b, c, count);
		if (!sat_span_eq(sat_buf_span(&b), in))
			abort();
		if (count > 0 && (p[0] & 1) != 0)
			open_as(&c[0], c[0].box, &a);
	}
	sat_buf_fini(&b);
	sat_arena_fini(&a);
	return 0;
}
