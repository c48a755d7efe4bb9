/*
 * The reader of canonical commits. First byte odd: the payload's true hash is
 * put into the header, so that the payload's reader is reached. Then the
 * header's length as one byte, the header, the payload. What is read must be
 * written as the same bytes (P-020) and pass the check.
 */
#include <stdlib.h>
#include <string.h>

#include "protocol/commit.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void
must_be_written_alike(const sat_commit *c, sat_span header, sat_span payload)
{
	sat_buf b = { 0 };

	sat_commit_write_header(&b, c);
	if (!sat_span_eq(sat_buf_span(&b), header))
		abort();
	sat_buf_reset(&b);
	if (payload.n > 0) {
		sat_commit_write_payload(&b, c);
		if (!sat_span_eq(sat_buf_span(&b), payload) ||
		    sat_commit_check(c, NULL) != SAT_OK)
			abort();
	}
	sat_buf_fini(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	sat_arena a = { 0 };
	sat_commit c;
	sat_err err = { 0 };
	sat_span payload;
	uint8_t *header;
	size_t hlen;

	if (n < 2)
		return 0;
	hlen = p[1] < n - 2 ? p[1] : n - 2;
	header = sat_arena_dup(&a, p + 2, hlen);
	payload = sat_span_of(p + 2 + hlen, n - 2 - hlen);
	if ((p[0] & 1) != 0 && hlen >= 2 * SAT_HASH_BYTES)
		sat_hash(header + hlen - 2 * SAT_HASH_BYTES, payload);
	if (sat_commit_read(&c, &a, sat_span_of(header, hlen), payload, &err) ==
	    SAT_OK)
		must_be_written_alike(&c, sat_span_of(header, hlen), payload);
	else if (err.text[0] == '\0')
		abort();
	sat_arena_fini(&a);
	return 0;
}
