/*
 * sealed.c - a run of sealed commits to bytes and back.
 */
#include "protocol/sealed.h"

#define HEADER_MAX 512
#define BOX_MAX (SAT_COMMIT_BYTES_MAX + SAT_BOX_SEAL_BYTES)

void
sat_sealed_write(sat_buf *out, const sat_commit *commits, size_t n)
{
	sat_buf b = { 0 };

	sat_write_uint(out, n);
	for (size_t i = 0; i < n; i++) {
		sat_buf_reset(&b);
		sat_commit_write_header(&b, &commits[i]);
		sat_write_span(out, sat_buf_span(&b));
		sat_write_span(out, commits[i].box);
	}
	sat_buf_fini(&b);
}

sat_rc
sat_sealed_read(sat_commit **commits, size_t *n, sat_arena *a, sat_span in,
    sat_err *e)
{
	sat_reader r = sat_reader_of(in);
	uint64_t count = sat_read_uint(&r);
	sat_commit *c;
	sat_rc rc;

	*commits = NULL;
	*n = 0;
	if (count > SAT_BATCH_COMMITS_MAX)
		return sat_fail(e, SAT_EPROTO, "sealed push of %llu commits",
		    (unsigned long long)count);
	c = sat_arena_alloc(a, ((size_t)count + 1) * sizeof *c);
	for (size_t i = 0; i < count; i++) {
		sat_span header = sat_read_span(&r, HEADER_MAX);
		sat_span box = sat_read_span(&r, BOX_MAX);

		if (r.fault != NULL)
			break;
		if ((rc = sat_commit_read(&c[i], a, header,
		    (sat_span){ NULL, 0 }, e)) != SAT_OK)
			return rc;
		c[i].box = box;
	}
	if ((rc = sat_read_end(&r, "sealed push", e)) != SAT_OK)
		return rc;
	*commits = c;
	*n = (size_t)count;
	return SAT_OK;
}
