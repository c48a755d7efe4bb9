/* Frames: what is read writes back to the same bytes; an ERROR becomes a
 * failure, never success. */
#include <stdlib.h>
#include <string.h>

#include "protocol/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void
must(bool ok)
{
	if (!ok)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	sat_arena a = { 0 };
	sat_err err = { 0 };
	sat_buf b = { 0 };
	sat_msg m;

	if (sat_msg_read(&m, &a, sat_span_of(p, n), &err) == SAT_OK) {
		sat_msg_write(&b, &m);
		/* HELLO and WELCOME may end in what is not read (P-071) */
		must(m.type == SAT_MSG_HELLO || m.type == SAT_MSG_WELCOME ?
		    b.n <= n && memcmp(b.p, p, b.n) == 0 :
		    sat_span_eq(sat_buf_span(&b), sat_span_of(p, n)));
		if (m.type == SAT_MSG_ERROR) {
			must(sat_msg_to_err(&m.u.error, &err) != SAT_OK);
			must(err.rc != SAT_OK);
		}
	} else {
		must(err.rc == SAT_EPROTO && err.text[0] != '\0');
	}
	sat_buf_fini(&b);
	sat_arena_fini(&a);
	return 0;
}
