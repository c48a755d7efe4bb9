/*
 * wipe.h - a lost device is told to destroy what it holds, and says that it did
 * (P-380..P-385).
 *
 * The order names the device's own key beside its number: a server that came back
 * from a backup may give a number a second time. The receipt is signed before the
 * keys die and sent when they are dead.
 */
#ifndef SAT_PROTOCOL_WIPE_H
#define SAT_PROTOCOL_WIPE_H

#include "common/crypto/crypto.h"
#include "common/model/value.h"

#define SAT_WIPE_NONCE_BYTES 16

typedef struct sat_wipe_order {
	uint32_t device, incarnation;       /* as its HELLO said */
	uint8_t sign_pk[SAT_SIGN_PK_BYTES]; /* the device's */
	uint8_t nonce[SAT_WIPE_NONCE_BYTES];
	int64_t at_ms;                      /* when it was ordered; server's clock */
	bool push_first;                    /* unsent work first, then wipe (P-385) */
	uint8_t server_pk[SAT_SIGN_PK_BYTES];
	uint8_t cert[SAT_SIG_BYTES];        /* root key over sat_server_key_bytes */
	uint8_t sig[SAT_SIG_BYTES];         /* server key over all before it */
} sat_wipe_order;
#define SAT_WIPE_BYTES (4 + 4 + SAT_SIGN_PK_BYTES + SAT_WIPE_NONCE_BYTES + 8 + \
	1 + SAT_SIGN_PK_BYTES + 2 * SAT_SIG_BYTES)

/* What the server's key signs. */
void sat_wipe_sign_bytes(sat_buf *b, const sat_wipe_order *w, const sat_id *org);
void sat_wipe_write(sat_buf *b, const sat_wipe_order *w);
SAT_CHECK sat_rc sat_wipe_read(sat_wipe_order *w, sat_span in, sat_err *e);
/* By a server this root key vouches for. For whom it is, is the caller's to see. */
bool sat_wipe_signed(const sat_wipe_order *w, const sat_id *org,
    const uint8_t root_pk[SAT_SIGN_PK_BYTES]);

typedef struct sat_wiped {
	uint32_t device, incarnation;
	uint8_t nonce[SAT_WIPE_NONCE_BYTES]; /* of the order */
	int64_t at_ms;                       /* the device's clock */
	uint64_t cseq;                       /* its newest commit; 0 = none */
	uint8_t head[SAT_HASH_BYTES];        /* the hash of that one's header */
	uint8_t sig[SAT_SIG_BYTES];          /* the device's key over all before it */
} sat_wiped;
#define SAT_WIPED_BYTES (4 + 4 + SAT_WIPE_NONCE_BYTES + 8 + 8 + \
	SAT_HASH_BYTES + SAT_SIG_BYTES)

void sat_wiped_sign_bytes(sat_buf *b, const sat_wiped *w, const sat_id *org);
void sat_wiped_write(sat_buf *b, const sat_wiped *w);
/* Takes exactly SAT_WIPED_BYTES off the reader. */
void sat_wiped_take(sat_wiped *w, sat_reader *r);
bool sat_wiped_signed(const sat_wiped *w, const sat_id *org,
    const uint8_t sign_pk[SAT_SIGN_PK_BYTES]);

#endif
