/*
 * The three readers of a channel. The first byte says which one gets the
 * rest: 0 a server reads message 1, 1 a device reads message 2, 2 either end
 * reads a transport message. A second byte, if odd, xors the rest over a true
 * message instead, so that one step beyond the first check is reached too.
 */
#include <stdlib.h>
#include <string.h>

#include "common/crypto/noise.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static const sat_span none = { NULL, 0 };
static const uint8_t eph_a[32] = { 3 }, eph_b[32] = { 4 };

static void
must(bool ok)
{
	if (!ok)
		abort();
}

/* The message to feed: the input alone, or xored over the true one. */
static void
feed(sat_buf *out, const sat_buf *true_one, bool over, const uint8_t *p,
    size_t n)
{
	size_t i;

	if (!over) {
		sat_buf_add(out, p, n);
		return;
	}
	sat_buf_add(out, true_one->p, true_one->n);
	for (i = 0; i < n && i < out->n; i++)
		out->p[i] ^= p[i];
}

/* What is not the true message is refused, and so is all that follows. */
static void
judge(sat_rc rc, const sat_buf *fed, const sat_buf *true_one,
    const sat_buf *got, const sat_err *err)
{
	bool same = sat_span_eq(sat_buf_span(fed), sat_buf_span(true_one));

	must((rc == SAT_OK) == same);
	must(rc == SAT_OK || (rc == SAT_EPROTO && got->n == 0 &&
	    err->text[0] != '\0'));
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static bool started;
	static sat_noise_keys device = { { 1 }, { 0 } };
	static sat_noise_keys server = { { 2 }, { 0 } };
	sat_buf m1 = { 0 }, m2 = { 0 }, m3 = { 0 }, fed = { 0 }, got = { 0 };
	sat_noise a, b;
	sat_err err = { 0 };
	bool over;
	sat_rc rc;

	if (n < 2)
		return 0;
	if (!started) {
		sat_crypto_init();
		sat_box_keys(device.pk, device.sk);
		sat_box_keys(server.pk, server.sk);
		started = true;
	}
	over = p[1] % 2 == 1;
	sat_noise_init(&a, true, &device, server.pk, eph_a, none);
	sat_noise_init(&b, false, &server, NULL, eph_b, none);
	must(sat_noise_write1(&a, &m1, sat_span_str("hi"), &err) == SAT_OK);
	if (p[0] % 3 == 0) {
		feed(&fed, &m1, over, p + 2, n - 2);
		rc = sat_noise_read1(&b, &got, sat_buf_span(&fed), &err);
		/* Anybody may write another message 1, with a key of his own. */
		if (rc == SAT_OK && !over)
			goto out;
		judge(rc, &fed, &m1, &got, &err);
		must(rc == SAT_OK || sat_noise_read1(&b, &got,
		    sat_buf_span(&m1), &err) == SAT_EPROTO);
		goto out;
	}
	must(sat_noise_read1(&b, &got, sat_buf_span(&m1), &err) == SAT_OK);
	sat_buf_reset(&got);
	must(sat_noise_write2(&b, &m2, sat_span_str("ho"), &err) == SAT_OK);
	if (p[0] % 3 == 1) {
		feed(&fed, &m2, over, p + 2, n - 2);
		rc = sat_noise_read2(&a, &got, sat_buf_span(&fed), &err);
		judge(rc, &fed, &m2, &got, &err);
		goto out;
	}
	must(sat_noise_read2(&a, &got, sat_buf_span(&m2), &err) == SAT_OK);
	sat_buf_reset(&got);
	sat_noise_seal(&a, &m3, sat_span_str("a visit note"));
	feed(&fed, &m3, over, p + 2, n - 2);
	rc = sat_noise_unseal(&b, &got, sat_buf_span(&fed), &err);
	judge(rc, &fed, &m3, &got, &err);
out:
	sat_buf_fini(&m1);
	sat_buf_fini(&m2);
	sat_buf_fini(&m3);
	sat_buf_fini(&fed);
	sat_buf_fini(&got);
	sat_noise_fini(&a);
	sat_noise_fini(&b);
	return 0;
}
