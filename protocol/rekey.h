/*
 * rekey.h - a device goes on under other keys without being enrolled anew
 * (P-386..P-389).
 *
 * The old key says where in its chain it ends and which keys come after it; the
 * new key signs the same bytes, so that nobody names a key he does not have. What
 * was pushed up to there is proven by the old key for ever, what follows by the
 * new one.
 */
#ifndef SAT_PROTOCOL_REKEY_H
#define SAT_PROTOCOL_REKEY_H

#include "common/crypto/crypto.h"
#include "common/model/value.h"

typedef struct sat_rekey {
	/* the newest commit the server has of this device; cseq 0: none, head zero */
	uint32_t incarnation;
	uint64_t cseq;
	uint8_t head[SAT_HASH_BYTES];          /* hash of that one's header */
	uint8_t sign_pk[SAT_SIGN_PK_BYTES];    /* the new ones */
	uint8_t channel_pk[SAT_BOX_PK_BYTES];
	uint8_t sig[SAT_SIG_BYTES];            /* of the old key */
	uint8_t proof[SAT_SIG_BYTES];          /* of the new one */
} sat_rekey;
#define SAT_REKEY_BYTES (4 + 8 + SAT_HASH_BYTES + SAT_SIGN_PK_BYTES + \
	SAT_BOX_PK_BYTES + 2 * SAT_SIG_BYTES)

/* From now on this key is the device's. */
typedef struct sat_rekeyed {
	uint64_t lsn;                          /* of the log then */
	uint8_t sign_pk[SAT_SIGN_PK_BYTES];
} sat_rekeyed;

/* The answer to a greeting with keys that were given up (P-388). */
#define SAT_CODE_REKEYED "device.rekeyed"
/* The server has more of the chain, or less, than the statement names. */
#define SAT_CODE_REKEY_BEHIND "key.behind"

/* What both keys sign. */
void sat_rekey_sign_bytes(sat_buf *b, const sat_rekey *k, const sat_id *org,
    uint32_t device, const uint8_t old_pk[SAT_SIGN_PK_BYTES]);
/* Fills sig and proof; everything else is set. */
void sat_rekey_sign(sat_rekey *k, const sat_id *org, uint32_t device,
    const uint8_t old_pk[SAT_SIGN_PK_BYTES],
    const uint8_t old_sk[SAT_SIGN_SK_BYTES],
    const uint8_t new_sk[SAT_SIGN_SK_BYTES]);
/* By both, and the new key is another one. */
bool sat_rekey_signed(const sat_rekey *k, const sat_id *org, uint32_t device,
    const uint8_t old_pk[SAT_SIGN_PK_BYTES]);
void sat_rekey_write(sat_buf *b, const sat_rekey *k);
/* Takes exactly SAT_REKEY_BYTES off the reader. */
void sat_rekey_take(sat_rekey *k, sat_reader *r);
SAT_CHECK sat_rc sat_rekey_read(sat_rekey *k, sat_span in, sat_err *e);

#endif
