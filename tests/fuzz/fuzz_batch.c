/*
 * Batches. First byte: 0 push, 1 pull, 2 records; the rest is the batch. What
 * is read can be written, and reads again as the same (P-031).
 */
#include <stdlib.h>
#include <string.h>

#include "protocol/batch.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void
commits(sat_batch_dir dir, sat_span in, sat_arena *a)
{
	sat_commit *c, *again;
	sat_buf b = { 0 };
	sat_err err = { 0 };
	size_t n, n2;

	if (sat_batch_read(&c, &n, a, dir, in, &err) != SAT_OK) {
		if (err.text[0] == '\0')
			abort();
		return;
	}
	for (size_t i = 0; dir == SAT_BATCH_PUSH && i < n; i++)
		c[i].cseq = i + 1;
	/* the same values may take more room than they came in, up to a limit */
	if (sat_batch_write(&b, dir, c, n, &err) == SAT_OK &&
	    (sat_batch_read(&again, &n2, a, dir, sat_buf_span(&b), &err) !=
	    SAT_OK || n2 != n || again[n - 1].nops != c[n - 1].nops))
		abort();
	sat_buf_fini(&b);
}

static void
records(sat_span in, sat_arena *a)
{
	sat_record *r, *again;
	sat_buf b = { 0 }, x = { 0 }, y = { 0 };
	sat_err err = { 0 };
	size_t n, n2;

	if (sat_records_read(&r, &n, a, in, &err) != SAT_OK) {
		if (err.text[0] == '\0')
			abort();
		return;
	}
	if (sat_records_write(&b, r, n, &err) == SAT_OK) {
		if (sat_records_read(&again, &n2, a, sat_buf_span(&b), &err) !=
		    SAT_OK || n2 != n)
			abort();
		for (size_t i = 0; i < n; i++) {
			sat_record_write(&x, &r[i]);
			sat_record_write(&y, &again[i]);
		}
		if (!sat_span_eq(sat_buf_span(&x), sat_buf_span(&y)))
			abort();
	}
	sat_buf_fini(&b);
	sat_buf_fini(&x);
	sat_buf_fini(&y);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	sat_arena a = { 0 };

	if (n == 0)
		return 0;
	if (p[0] % 3 == 2)
		records(sat_span_of(p + 1, n - 1), &a);
	else
		commits(p[0] % 3 == 0 ? SAT_BATCH_PUSH : SAT_BATCH_PULL,
		    sat_span_of(p + 1, n - 1), &a);
	sat_arena_fini(&a);
	return 0;
}
