/*
 * noise.h - Noise_IK_25519_ChaChaPoly_SHA256 by the book (rev 34).
 *
 * Sans I/O: messages in, messages out. The initiator knows the responder's
 * static key (pinned by the invitation); the responder learns the initiator's
 * static key from message 1. No options. Published vectors are in
 * tests/golden/noise. P-110..P-119.
 */
#ifndef SAT_CRYPTO_NOISE_H
#define SAT_CRYPTO_NOISE_H

#include "common/crypto/crypto.h"

#define SAT_NOISE_MSG1_BYTES 96 /* e, es, s, ss + empty payload's tag */
#define SAT_NOISE_MSG2_BYTES 48 /* e, ee, se + empty payload's tag */
#define SAT_NOISE_OVERHEAD 16   /* per transport message */
#define SAT_NOISE_REKEY_EVERY (1u << 20)

typedef struct sat_noise_keys {
	uint8_t sk[SAT_BOX_SK_BYTES], pk[SAT_BOX_PK_BYTES];
} sat_noise_keys;

typedef struct sat_noise {
	uint8_t h[32], ck[32], k[32];
	uint64_t n;
	bool has_key, initiator, done;
	bool dead; /* handshake failed, or fini: nothing goes on */
	bool deaf; /* a transport message did not authenticate */
	sat_noise_keys s, e;
	uint8_t rs[32], re[32];
	uint8_t send_k[32], recv_k[32];
	uint64_t send_n, recv_n;
} sat_noise;

/* rs: the responder's static key (initiator only, else NULL). eph: 32 bytes
 * that become the ephemeral secret (from sat_random; fixed in vector tests). */
void sat_noise_init(sat_noise *x, bool initiator, const sat_noise_keys *s,
    const uint8_t *rs, const uint8_t eph[32], sat_span prologue);
/* Initiator: write message 1, then read message 2. payload appended sealed. */
SAT_CHECK sat_rc sat_noise_write1(sat_noise *x, sat_buf *out, sat_span payload,
    sat_err *e);
SAT_CHECK sat_rc sat_noise_read2(sat_noise *x, sat_buf *payload, sat_span msg,
    sat_err *e);
/* Responder: read message 1 (x->rs is then the peer's key), write message 2. */
SAT_CHECK sat_rc sat_noise_read1(sat_noise *x, sat_buf *payload, sat_span msg,
    sat_err *e);
SAT_CHECK sat_rc sat_noise_write2(sat_noise *x, sat_buf *out, sat_span payload,
    sat_err *e);
/* After the handshake x->h is the channel binding (handshake hash), x->rs the
 * peer; the static and ephemeral secrets in x are wiped. One thread may seal
 * while another unseals.
 *
 * Transport, after the handshake. out is appended to. A message that does not
 * authenticate is SAT_EPROTO and ends the channel. Rekeys by itself (Noise
 * REKEY) every SAT_NOISE_REKEY_EVERY messages in each direction. */
void sat_noise_seal(sat_noise *x, sat_buf *out, sat_span msg);
SAT_CHECK sat_rc sat_noise_unseal(sat_noise *x, sat_buf *out, sat_span msg,
    sat_err *e);
void sat_noise_fini(sat_noise *x); /* wipes */

#endif
