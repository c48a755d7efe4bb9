#include "tests/lib/unit.h"

#include <dirent.h>

#include "common/crypto/noise.h"

#define VECTORS "tests/golden/noise"
#define VECTOR_MSGS_MAX 16

/* ---- two ends that know each other ------------------------------------------ */

typedef struct pair {
	sat_noise_keys device, server;
	sat_noise a, b; /* initiator, responder */
} pair;

static void
keys_fixed(sat_noise_keys *k, uint8_t fill)
{
	memset(k->sk, fill, sizeof(k->sk));
	sat_box_keys(k->pk, k->sk);
}

static void
pair_init(pair *p, const char *prologue_a, const char *prologue_b)
{
	uint8_t eph[32];

	keys_fixed(&p->device, 0x11);
	keys_fixed(&p->server, 0x22);
	memset(eph, 0x33, sizeof(eph));
	sat_noise_init(&p->a, true, &p->device, p->server.pk, eph,
	    sat_span_str(prologue_a));
	memset(eph, 0x44, sizeof(eph));
	sat_noise_init(&p->b, false, &p->server, NULL, eph,
	    sat_span_str(prologue_b));
}

static void
pair_shake(pair *p)
{
	sat_buf m1 = { 0 }, m2 = { 0 }, got = { 0 };
	sat_err err = { 0 };
	const sat_span none = { NULL, 0 };

	assert_ok(sat_noise_write1(&p->a, &m1, none, &err));
	assert_int_equal(SAT_NOISE_MSG1_BYTES, m1.n);
	assert_ok(sat_noise_read1(&p->b, &got, sat_buf_span(&m1), &err));
	assert_ok(sat_noise_write2(&p->b, &m2, none, &err));
	assert_int_equal(SAT_NOISE_MSG2_BYTES, m2.n);
	assert_ok(sat_noise_read2(&p->a, &got, sat_buf_span(&m2), &err));
	assert_int_equal(0, got.n);
	sat_buf_fini(&m1);
	sat_buf_fini(&m2);
	sat_buf_fini(&got);
}

static void
pair_fini(pair *p)
{
	sat_noise_fini(&p->a);
	sat_noise_fini(&p->b);
}

/* ---- published vectors --------------------------------------------------------- */

typedef struct vector {
	sat_buf prologue, hash;
	uint8_t is[32], ie[32], irs[32], rs[32], re[32];
	sat_buf payload[VECTOR_MSGS_MAX], wire[VECTOR_MSGS_MAX];
	unsigned nmsgs;
} vector;

static void
hex_buf(sat_buf *out, const char *hex)
{
	size_t n = strlen(hex) / 2;

	assert_true(sat_unhex(sat_buf_room(out, n + 1), n, hex, strlen(hex)));
	out->n = n;
}

static void
vector_line(vector *v, const char *key, const char *one, const char *two)
{
	uint8_t *fixed = strcmp(key, "init_static") == 0 ? v->is :
	    strcmp(key, "init_ephemeral") == 0 ? v->ie :
	    strcmp(key, "init_remote_static") == 0 ? v->irs :
	    strcmp(key, "resp_static") == 0 ? v->rs :
	    strcmp(key, "resp_ephemeral") == 0 ? v->re : NULL;

	if (fixed != NULL) {
		assert_true(sat_unhex(fixed, 32, one, strlen(one)));
	} else if (strcmp(key, "prologue") == 0) {
		hex_buf(&v->prologue, one);
	} else if (strcmp(key, "handshake_hash") == 0) {
		hex_buf(&v->hash, one);
	} else {
		assert_string_equal("msg", key);
		assert_true(v->nmsgs < VECTOR_MSGS_MAX);
		hex_buf(&v->payload[v->nmsgs], one);
		hex_buf(&v->wire[v->nmsgs++], two);
	}
}

static void
vector_read(vector *v, const char *path)
{
	FILE *f = fopen(path, "r");
	char line[2048], key[32], one[1024], two[1024];

	memset(v, 0, sizeof(*v));
	if (f == NULL)
		fail_msg("cannot open %s (run from the root)", path);
	while (fgets(line, sizeof(line), f) != NULL) {
		if (line[0] == '#' || line[0] == '\n')
			continue;
		two[0] = '\0';
		assert_true(sscanf(line, "%31s %1023s %1023s", key, one, two)
		    >= 2);
		vector_line(v, key, one, two);
	}
	(void)fclose(f);
	assert_true(v->nmsgs >= 4);
}

static void
same(const sat_buf *want, const sat_buf *got)
{
	assert_int_equal(want->n, got->n);
	assert_memory_equal(want->p, got->p, want->n);
}

static void
vector_message(vector *v, unsigned i, sat_noise *a, sat_noise *b)
{
	sat_noise *from = i % 2 == 0 ? a : b, *to = i % 2 == 0 ? b : a;
	sat_span payload = sat_buf_span(&v->payload[i]);
	sat_buf wire = { 0 }, got = { 0 };
	sat_err err = { 0 };

	if (i == 0)
		assert_ok(sat_noise_write1(from, &wire, payload, &err));
	else if (i == 1)
		assert_ok(sat_noise_write2(from, &wire, payload, &err));
	else
		sat_noise_seal(from, &wire, payload);
	same(&v->wire[i], &wire);
	if (i == 0)
		assert_ok(sat_noise_read1(to, &got, sat_buf_span(&wire), &err));
	else if (i == 1)
		assert_ok(sat_noise_read2(to, &got, sat_buf_span(&wire), &err));
	else
		assert_ok(
		    sat_noise_unseal(to, &got, sat_buf_span(&wire), &err));
	same(&v->payload[i], &got);
	sat_buf_fini(&wire);
	sat_buf_fini(&got);
}

static void
vector_play(const char *path)
{
	vector v;
	sat_noise_keys device, server;
	sat_noise a, b;
	unsigned i;

	vector_read(&v, path);
	memcpy(device.sk, v.is, 32);
	sat_box_keys(device.pk, device.sk);
	memcpy(server.sk, v.rs, 32);
	sat_box_keys(server.pk, server.sk);
	assert_memory_equal(v.irs, server.pk, 32);
	sat_noise_init(&a, true, &device, v.irs, v.ie,
	    sat_buf_span(&v.prologue));
	sat_noise_init(&b, false, &server, NULL, v.re,
	    sat_buf_span(&v.prologue));
	for (i = 0; i < v.nmsgs; i++)
		vector_message(&v, i, &a, &b);
	assert_memory_equal(device.pk, b.rs, 32);
	assert_memory_equal(a.h, b.h, 32);
	if (v.hash.n > 0)
		assert_memory_equal(v.hash.p, a.h, 32);
	for (i = 0; i < v.nmsgs; i++) {
		sat_buf_fini(&v.payload[i]);
		sat_buf_fini(&v.wire[i]);
	}
	sat_buf_fini(&v.prologue);
	sat_buf_fini(&v.hash);
	sat_noise_fini(&a);
	sat_noise_fini(&b);
}

static void
our_bytes_are_those_of_the_published_vectors(void **state) /* N1 */
{
	DIR *d = opendir(VECTORS);
	struct dirent *f;
	char path[512];
	unsigned n = 0;

	(void)state;
	assert_non_null(d);
	while ((f = readdir(d)) != NULL) {
		if (f->d_name[0] == '.')
			continue;
		(void)snprintf(path, sizeof(path), VECTORS "/%s", f->d_name);
		vector_play(path);
		n++;
	}
	(void)closedir(d);
	assert_true(n >= 1);
}

/* ---- behaviour -------------------------------------------------------------------- */

static void
both_ends_agree_and_the_server_learns_the_device(void **state)
{
	pair p;
	sat_buf wire = { 0 }, got = { 0 };
	sat_err err = { 0 };
	unsigned i;

	(void)state;
	pair_init(&p, "P-110", "P-110");
	pair_shake(&p);
	assert_memory_equal(p.device.pk, p.b.rs, 32);
	assert_memory_equal(p.a.h, p.b.h, 32);
	for (i = 0; i < 200; i++) {
		bool up = i % 3 != 0;

		sat_buf_reset(&wire);
		sat_buf_reset(&got);
		sat_noise_seal(up ? &p.a : &p.b, &wire, sat_span_of(&p, i));
		assert_int_equal(i + SAT_NOISE_OVERHEAD, wire.n);
		assert_ok(sat_noise_unseal(up ? &p.b : &p.a, &got,
		    sat_buf_span(&wire), &err));
		assert_int_equal(i, got.n);
	}
	sat_buf_fini(&wire);
	sat_buf_fini(&got);
	pair_fini(&p);
}

static void
after_the_handshake_no_long_term_secret_is_left_in_the_state(void **state)
{
	static const uint8_t zeros[32];
	pair p;

	(void)state;
	pair_init(&p, "", "");
	pair_shake(&p);
	assert_memory_equal(zeros, p.a.s.sk, 32);
	assert_memory_equal(zeros, p.a.e.sk, 32);
	assert_memory_equal(zeros, p.b.s.sk, 32);
	assert_memory_equal(zeros, p.b.e.sk, 32);
	assert_memory_equal(zeros, p.b.ck, 32);
	assert_memory_not_equal(zeros, p.a.send_k, 32);
	pair_fini(&p);
}

static void
another_prologue_ends_the_handshake(void **state)
{
	pair p;
	sat_buf m1 = { 0 }, got = { 0 };
	sat_err err = { 0 };

	(void)state;
	pair_init(&p, "version 1", "version 2");
	assert_ok(sat_noise_write1(&p.a, &m1, (sat_span){ NULL, 0 }, &err));
	assert_rc(SAT_EPROTO,
	    sat_noise_read1(&p.b, &got, sat_buf_span(&m1), &err));
	assert_int_equal(0, got.n);
	sat_buf_fini(&m1);
	sat_buf_fini(&got);
	pair_fini(&p);
}

static void
a_server_that_is_not_the_pinned_one_cannot_answer(void **state)
{
	pair p;
	sat_noise_keys other;
	uint8_t eph[32] = { 9 };
	sat_buf m1 = { 0 }, got = { 0 };
	sat_err err = { 0 };

	(void)state;
	pair_init(&p, "", "");
	keys_fixed(&other, 0x55);
	sat_noise_init(&p.b, false, &other, NULL, eph, sat_span_str(""));
	assert_ok(sat_noise_write1(&p.a, &m1, (sat_span){ NULL, 0 }, &err));
	assert_rc(SAT_EPROTO,
	    sat_noise_read1(&p.b, &got, sat_buf_span(&m1), &err));
	sat_buf_fini(&m1);
	sat_buf_fini(&got);
	pair_fini(&p);
}

/* Message 1 or 2 with one byte changed, or cut, is refused, for good (N2). */
static void
one_bad_handshake(size_t at, bool cut, bool second)
{
	pair p;
	sat_buf m = { 0 }, got = { 0 };
	sat_err err = { 0 };
	const sat_span none = { NULL, 0 };
	sat_span sent;
	sat_rc rc;

	pair_init(&p, "x", "x");
	assert_ok(sat_noise_write1(&p.a, &m, sat_span_str("hi"), &err));
	if (second) {
		assert_ok(sat_noise_read1(&p.b, &got, sat_buf_span(&m), &err));
		sat_buf_reset(&m);
		sat_buf_reset(&got);
		assert_ok(
		    sat_noise_write2(&p.b, &m, sat_span_str("ho"), &err));
	}
	sent = sat_span_of(m.p, cut ? at : m.n);
	if (!cut)
		m.p[at] ^= 1;
	rc = second ? sat_noise_read2(&p.a, &got, sent, &err) :
	    sat_noise_read1(&p.b, &got, sent, &err);
	assert_rc(SAT_EPROTO, rc);
	assert_int_equal(0, got.n);
	if (!cut)
		m.p[at] ^= 1; /* the good bytes come too late */
	rc = second ? sat_noise_read2(&p.a, &got, sat_buf_span(&m), &err) :
	    sat_noise_read1(&p.b, &got, sat_buf_span(&m), &err);
	assert_rc(SAT_EPROTO, rc);
	rc = second ? sat_noise_unseal(&p.a, &got, none, &err) :
	    sat_noise_write2(&p.b, &got, none, &err);
	assert_rc(SAT_EPROTO, rc);
	sat_buf_fini(&m);
	sat_buf_fini(&got);
	pair_fini(&p);
}

static void
a_changed_or_cut_handshake_message_is_dead_for_good(void **state) /* N2 */
{
	size_t i;

	(void)state;
	for (i = 0; i < SAT_NOISE_MSG1_BYTES + 2; i++) {
		one_bad_handshake(i, false, false);
		one_bad_handshake(i, true, false);
	}
	for (i = 0; i < SAT_NOISE_MSG2_BYTES + 2; i++) {
		one_bad_handshake(i, false, true);
		one_bad_handshake(i, true, true);
	}
}

static void
a_point_of_small_order_is_refused(void **state)
{
	pair p;
	uint8_t zero_point[32] = { 0 }, eph[32] = { 7 };
	uint8_t msg[SAT_NOISE_MSG1_BYTES] = { 0 };
	sat_buf out = { 0 };
	sat_err err = { 0 };

	(void)state;
	pair_init(&p, "", "");
	assert_rc(SAT_EPROTO,
	    sat_noise_read1(&p.b, &out, sat_span_of(msg, sizeof(msg)), &err));
	sat_noise_init(&p.a, true, &p.device, zero_point, eph,
	    sat_span_str(""));
	assert_rc(SAT_EPROTO,
	    sat_noise_write1(&p.a, &out, (sat_span){ NULL, 0 }, &err));
	assert_int_equal(0, out.n);
	sat_buf_fini(&out);
	pair_fini(&p);
}

static void
a_doubled_swapped_or_changed_message_ends_the_channel(void **state) /* N3 */
{
	static const uint8_t zeros[32];
	uint8_t forged[6 + SAT_NOISE_OVERHEAD];
	sat_buf one = { 0 }, two = { 0 }, got = { 0 };
	sat_err err = { 0 };
	unsigned how;
	pair p;

	(void)state;
	for (how = 0; how < 4; how++) {
		sat_span bad;

		pair_init(&p, "", "");
		pair_shake(&p);
		sat_buf_reset(&one);
		sat_buf_reset(&two);
		sat_noise_seal(&p.a, &one, sat_span_str("first"));
		sat_noise_seal(&p.a, &two, sat_span_str("second"));
		assert_ok(sat_noise_unseal(&p.b, &got, sat_buf_span(&one),
		    &err));
		bad = sat_buf_span(how == 0 ? &one : &two);
		if (how == 1)
			two.p[3] ^= 0x80;
		if (how == 2)
			bad.n--;
		if (how == 3)
			bad.n = 3;
		sat_buf_reset(&got);
		assert_rc(SAT_EPROTO,
		    sat_noise_unseal(&p.b, &got, bad, &err));
		if (how == 1)
			two.p[3] ^= 0x80;
		assert_rc(SAT_EPROTO, sat_noise_unseal(&p.b, &got,
		    sat_buf_span(&two), &err));
		/* Nor one under the key that wiping left behind. */
		sat_aead_seal(forged, sat_span_str("forged"),
		    (sat_span){ NULL, 0 }, p.b.recv_n, zeros);
		assert_rc(SAT_EPROTO, sat_noise_unseal(&p.b, &got,
		    sat_span_of(forged, sizeof(forged)), &err));
		assert_int_equal(0, got.n);
		/* The other direction does not mind. */
		sat_buf_reset(&one);
		sat_noise_seal(&p.b, &one, sat_span_str("bye"));
		assert_ok(sat_noise_unseal(&p.a, &got, sat_buf_span(&one),
		    &err));
		sat_buf_reset(&got);
		pair_fini(&p);
	}
	sat_buf_fini(&one);
	sat_buf_fini(&two);
	sat_buf_fini(&got);
}

static void
both_ends_change_keys_at_the_same_message(void **state)
{
	uint8_t before[32], old[32 + SAT_AEAD_TAG_BYTES];
	static const uint8_t zeros[32];
	sat_buf wire = { 0 }, got = { 0 };
	sat_err err = { 0 };
	unsigned i;
	pair p;

	(void)state;
	pair_init(&p, "", "");
	pair_shake(&p);
	memcpy(before, p.a.send_k, 32);
	/* As if all but three messages of the first period had passed. */
	p.a.send_n = p.b.recv_n = SAT_NOISE_REKEY_EVERY - 3;
	for (i = 0; i < 6; i++) {
		sat_buf_reset(&wire);
		sat_buf_reset(&got);
		sat_noise_seal(&p.a, &wire, sat_span_str("again"));
		assert_ok(sat_noise_unseal(&p.b, &got, sat_buf_span(&wire),
		    &err));
		if (i < 2)
			assert_memory_equal(before, p.a.send_k, 32);
	}
	assert_int_equal(SAT_NOISE_REKEY_EVERY + 3, p.a.send_n);
	assert_memory_equal(p.a.send_k, p.b.recv_k, 32);
	/* REKEY(k) of the book, by hand. */
	sat_aead_seal(old, sat_span_of(zeros, 32), (sat_span){ NULL, 0 },
	    UINT64_MAX, before);
	assert_memory_equal(old, p.a.send_k, 32);
	sat_buf_fini(&wire);
	sat_buf_fini(&got);
	pair_fini(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(our_bytes_are_those_of_the_published_vectors),
		cmocka_unit_test(
		    both_ends_agree_and_the_server_learns_the_device),
		cmocka_unit_test(
	    after_the_handshake_no_long_term_secret_is_left_in_the_state),
		cmocka_unit_test(another_prologue_ends_the_handshake),
		cmocka_unit_test(
		    a_server_that_is_not_the_pinned_one_cannot_answer),
		cmocka_unit_test(
		    a_changed_or_cut_handshake_message_is_dead_for_good),
		cmocka_unit_test(a_point_of_small_order_is_refused),
		cmocka_unit_test(
		    a_doubled_swapped_or_changed_message_ends_the_channel),
		cmocka_unit_test(both_ends_change_keys_at_the_same_message),
	};

	sat_crypto_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
