#include "common/crypto/noise.h"

#include <assert.h>
#include <string.h>

/*
 * The Noise Protocol Framework, revision 34, cut down to one pattern:
 *
 *   IK:  <- s
 *        ...
 *        -> e, es, s, ss
 *        <- e, ee, se
 *
 * Names in the comments are the specification's. h, ck, k, n are its
 * SymmetricState and CipherState; after the handshake h stays as the channel
 * binding and everything else that is secret is wiped.
 *
 * Invariants, named in the tests:
 *   N1  our bytes are those of the published vectors.
 *   N2  a handshake that met one bad byte is dead and stays dead; it is
 *       never continued with half-mixed or wiped keys.
 *   N3  after one message that does not authenticate no further one is
 *       taken. Sending is not touched: another thread may be at it.
 */

#define TAG SAT_AEAD_TAG_BYTES
#define MESSAGE_MAX 65535 /* handshake messages, the book's limit */

static const char protocol_name[] = "Noise_IK_25519_ChaChaPoly_SHA256";
/* Not longer than a hash: it is the first h as it stands. */
_Static_assert(sizeof(protocol_name) - 1 == 32, "the name fills h");

/* ---- SymmetricState ------------------------------------------------------- */

static void
mix_hash(sat_noise *x, sat_span data)
{
	sat_buf both = { 0 };

	sat_buf_add(&both, x->h, sizeof(x->h));
	sat_buf_add(&both, data.p, data.n);
	sat_sha256(x->h, sat_buf_span(&both));
	sat_buf_fini(&both);
}

/* HKDF with two outputs. */
static void
hkdf(uint8_t out1[32], uint8_t out2[32], const uint8_t ck[32], sat_span ikm)
{
	uint8_t temp[32], in[33];

	sat_hmac_sha256(temp, sat_span_of(ck, 32), ikm);
	in[0] = 1;
	sat_hmac_sha256(out1, sat_span_of(temp, 32), sat_span_of(in, 1));
	memcpy(in, out1, 32);
	in[32] = 2;
	sat_hmac_sha256(out2, sat_span_of(temp, 32), sat_span_of(in, 33));
	sat_wipe(temp, sizeof(temp));
	sat_wipe(in, sizeof(in));
}

/* MixKey(DH(sk, pk)). False on a point of small order. */
static bool
mix_dh(sat_noise *x, const uint8_t sk[32], const uint8_t pk[32])
{
	uint8_t shared[32], ck[32];
	bool ok = sat_dh(shared, sk, pk);

	if (ok) {
		hkdf(ck, x->k, x->ck, sat_span_of(shared, sizeof(shared)));
		memcpy(x->ck, ck, sizeof(ck));
		x->n = 0;
		x->has_key = true;
	}
	sat_wipe(shared, sizeof(shared));
	sat_wipe(ck, sizeof(ck));
	return ok;
}

/* EncryptAndHash, appended to out. */
static void
encrypt_and_hash(sat_noise *x, sat_buf *out, sat_span plain)
{
	uint8_t *at = sat_buf_room(out, plain.n + TAG);

	assert(x->has_key);
	sat_aead_seal(at, plain, sat_span_of(x->h, sizeof(x->h)), x->n++, x->k);
	out->n += plain.n + TAG;
	mix_hash(x, sat_span_of(at, plain.n + TAG));
}

/* DecryptAndHash; out has sealed.n - TAG bytes. */
static bool
decrypt_and_hash(sat_noise *x, uint8_t *out, sat_span sealed)
{
	assert(x->has_key);
	if (!sat_aead_open(out, sealed, sat_span_of(x->h, sizeof(x->h)),
	    x->n++, x->k))
		return false;
	mix_hash(x, sealed);
	return true;
}

/* Split: the first key is the initiator's to send with. */
static void
split(sat_noise *x)
{
	hkdf(x->initiator ? x->send_k : x->recv_k,
	    x->initiator ? x->recv_k : x->send_k, x->ck,
	    (sat_span){ NULL, 0 });
	x->send_n = x->recv_n = 0;
	x->done = true;
	sat_wipe(x->ck, sizeof(x->ck));
	sat_wipe(x->k, sizeof(x->k));
	sat_wipe(x->e.sk, sizeof(x->e.sk)); /* forward secrecy starts here */
	sat_wipe(x->s.sk, sizeof(x->s.sk));
}

/* ---- the handshake --------------------------------------------------------- */

void
sat_noise_init(sat_noise *x, bool initiator, const sat_noise_keys *s,
    const uint8_t *rs, const uint8_t eph[32], sat_span prologue)
{
	assert(initiator == (rs != NULL));
	memset(x, 0, sizeof(*x));
	x->initiator = initiator;
	x->s = *s;
	memcpy(x->e.sk, eph, sizeof(x->e.sk));
	sat_box_keys(x->e.pk, x->e.sk);
	memcpy(x->h, protocol_name, sizeof(x->h));
	memcpy(x->ck, x->h, sizeof(x->ck));
	mix_hash(x, prologue);
	if (initiator)
		memcpy(x->rs, rs, sizeof(x->rs));
	mix_hash(x, sat_span_of(initiator ? x->rs : x->s.pk, 32)); /* <- s */
}

void
sat_noise_fini(sat_noise *x)
{
	sat_wipe(x, sizeof(*x));
	x->dead = true; /* wiped keys must not pass for keys */
}

/* N2 */
static sat_rc
handshake_bad(sat_noise *x, const char *why, sat_err *e)
{
	sat_noise_fini(x);
	return sat_fail(e, SAT_EPROTO, "handshake: %s", why);
}

/* The payload of a handshake message, appended to `payload`. */
static bool
read_payload(sat_noise *x, sat_buf *payload, sat_span sealed)
{
	if (!decrypt_and_hash(x, sat_buf_room(payload, sealed.n), sealed))
		return false;
	payload->n += sealed.n - TAG;
	return true;
}

static bool
size_ok(sat_span msg, size_t min)
{
	return msg.n >= min && msg.n <= MESSAGE_MAX;
}

sat_rc
sat_noise_write1(sat_noise *x, sat_buf *out, sat_span payload, sat_err *e)
{
	const size_t start = out->n;

	if (x->dead)
		return sat_fail(e, SAT_EPROTO, "handshake: it failed before");
	assert(x->initiator && !x->has_key && !x->done);
	assert(payload.n <= MESSAGE_MAX - SAT_NOISE_MSG1_BYTES);
	sat_buf_add(out, x->e.pk, sizeof(x->e.pk)); /* e */
	mix_hash(x, sat_span_of(x->e.pk, sizeof(x->e.pk)));
	if (!mix_dh(x, x->e.sk, x->rs)) /* es */
		goto bad;
	encrypt_and_hash(x, out, sat_span_of(x->s.pk, sizeof(x->s.pk))); /* s */
	if (!mix_dh(x, x->s.sk, x->rs)) /* ss */
		goto bad;
	encrypt_and_hash(x, out, payload);
	return SAT_OK;
bad:
	out->n = start;
	return handshake_bad(x, "the pinned key is not a public key", e);
}

sat_rc
sat_noise_read1(sat_noise *x, sat_buf *payload, sat_span msg, sat_err *e)
{
	if (x->dead)
		return sat_fail(e, SAT_EPROTO, "handshake: it failed before");
	assert(!x->initiator && !x->has_key && !x->done);
	if (!size_ok(msg, SAT_NOISE_MSG1_BYTES))
		return handshake_bad(x, "message 1 has a wrong length", e);
	memcpy(x->re, msg.p, sizeof(x->re)); /* e */
	mix_hash(x, sat_span_of(x->re, sizeof(x->re)));
	if (!mix_dh(x, x->s.sk, x->re)) /* es */
		return handshake_bad(x, "message 1 has a bad point", e);
	if (!decrypt_and_hash(x, x->rs, sat_span_of(msg.p + 32, 32 + TAG)))
		return handshake_bad(x, "message 1 is not for us", e); /* s */
	if (!mix_dh(x, x->s.sk, x->rs)) /* ss */
		return handshake_bad(x, "message 1 has a bad point", e);
	if (!read_payload(x, payload, sat_span_of(msg.p + 64 + TAG,
	    msg.n - 64 - TAG)))
		return handshake_bad(x, "message 1 does not authenticate", e);
	return SAT_OK;
}

sat_rc
sat_noise_write2(sat_noise *x, sat_buf *out, sat_span payload, sat_err *e)
{
	const size_t start = out->n;

	if (x->dead)
		return sat_fail(e, SAT_EPROTO, "handshake: it failed before");
	assert(!x->initiator && x->has_key && !x->done);
	assert(payload.n <= MESSAGE_MAX - SAT_NOISE_MSG2_BYTES);
	sat_buf_add(out, x->e.pk, sizeof(x->e.pk)); /* e */
	mix_hash(x, sat_span_of(x->e.pk, sizeof(x->e.pk)));
	if (!mix_dh(x, x->e.sk, x->re) || /* ee */
	    !mix_dh(x, x->e.sk, x->rs)) { /* se */
		out->n = start;
		return handshake_bad(x, "the peer's key is a bad point", e);
	}
	encrypt_and_hash(x, out, payload);
	split(x);
	return SAT_OK;
}

sat_rc
sat_noise_read2(sat_noise *x, sat_buf *payload, sat_span msg, sat_err *e)
{
	if (x->dead)
		return sat_fail(e, SAT_EPROTO, "handshake: it failed before");
	assert(x->initiator && x->has_key && !x->done);
	if (!size_ok(msg, SAT_NOISE_MSG2_BYTES))
		return handshake_bad(x, "message 2 has a wrong length", e);
	memcpy(x->re, msg.p, sizeof(x->re)); /* e */
	mix_hash(x, sat_span_of(x->re, sizeof(x->re)));
	if (!mix_dh(x, x->e.sk, x->re) || /* ee */
	    !mix_dh(x, x->s.sk, x->re))   /* se */
		return handshake_bad(x, "message 2 has a bad point", e);
	if (!read_payload(x, payload, sat_span_of(msg.p + 32, msg.n - 32)))
		return handshake_bad(x, "message 2 does not authenticate", e);
	split(x);
	return SAT_OK;
}

/* ---- transport ---------------------------------------------------------------- */

/*
 * One message further. REKEY of the book: the new key is what the old one
 * makes of 32 zero bytes under the last nonce, which no message ever has.
 * The counter runs on.
 */
static void
step(uint8_t k[32], uint64_t *n)
{
	static const uint8_t zeros[32];
	uint8_t out[32 + TAG];

	(*n)++;
	assert(*n < UINT64_MAX);
	if (*n % SAT_NOISE_REKEY_EVERY != 0)
		return;
	sat_aead_seal(out, sat_span_of(zeros, sizeof(zeros)),
	    (sat_span){ NULL, 0 }, UINT64_MAX, k);
	memcpy(k, out, 32);
	sat_wipe(out, sizeof(out));
}

void
sat_noise_seal(sat_noise *x, sat_buf *out, sat_span msg)
{
	uint8_t *at = sat_buf_room(out, msg.n + TAG);

	assert(x->done && !x->dead);
	sat_aead_seal(at, msg, (sat_span){ NULL, 0 }, x->send_n, x->send_k);
	out->n += msg.n + TAG;
	step(x->send_k, &x->send_n);
}

sat_rc
sat_noise_unseal(sat_noise *x, sat_buf *out, sat_span msg, sat_err *e)
{
	assert(x->done || x->dead);
	if (x->dead || x->deaf)
		return sat_fail(e, SAT_EPROTO, "channel: it failed before");
	if (msg.n < TAG || !sat_aead_open(sat_buf_room(out, msg.n - TAG), msg,
	    (sat_span){ NULL, 0 }, x->recv_n, x->recv_k)) {
		x->deaf = true; /* N3 */
		sat_wipe(x->recv_k, sizeof(x->recv_k));
		return sat_fail(e, SAT_EPROTO,
		    "channel: message does not authenticate");
	}
	out->n += msg.n - TAG;
	step(x->recv_k, &x->recv_n);
	return SAT_OK;
}
