/*
 * permit.h - how long a device may be used without the server (P-189).
 *
 * Every sync may bring a new one. After its end the replica opens only to sync,
 * so that a lost laptop grows useless by itself. The server's key signs it, the
 * organisation's root key vouches for the server's key.
 */
#ifndef SAT_PROTOCOL_PERMIT_H
#define SAT_PROTOCOL_PERMIT_H

#include "common/crypto/crypto.h"
#include "common/model/value.h"

typedef struct sat_permit {
	uint32_t device;
	int64_t issued_ms, until_ms; /* the server's clock */
	uint64_t lsn;                /* of the log then */
	uint8_t server_pk[SAT_SIGN_PK_BYTES];
	uint8_t cert[SAT_SIG_BYTES]; /* root key over sat_server_key_bytes */
	uint8_t sig[SAT_SIG_BYTES];  /* server key over all before it */
} sat_permit;
/* Longest time a permit may name; a server that asks for more is refused. */
#define SAT_PERMIT_MAX_MS (366 * 24 * 3600 * (int64_t)1000)
/* A device's clock may not show less than the time it was told last, minus: */
#define SAT_PERMIT_BACK_MS (24 * 3600 * (int64_t)1000)

/* What the root key signs about the server's own key. */
void sat_server_key_bytes(sat_buf *b, const sat_id *org,
    const uint8_t server_pk[SAT_SIGN_PK_BYTES]);
/* What the server's key signs. */
void sat_permit_sign_bytes(sat_buf *b, const sat_permit *p, const sat_id *org);
void sat_permit_write(sat_buf *b, const sat_permit *p);
SAT_CHECK sat_rc sat_permit_read(sat_permit *p, sat_span in, sat_err *e);
/* Signed for this device by a server this root key vouches for. */
bool sat_permit_ok(const sat_permit *p, const sat_id *org, uint32_t device,
    const uint8_t root_pk[SAT_SIGN_PK_BYTES]);

#endif
