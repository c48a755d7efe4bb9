/*
 * invite.h - the invitation a device is enrolled with, as text.
 *
 * "satchel1." and base32 (Crockford, lower case) of: version u8 | org 16 |
 * server channel key 32 | token 16 | address span | first 4 bytes of
 * BLAKE2b-256 of all that. The first contact is pinned: there is no trust on
 * first use (P-100).
 */
#ifndef SAT_PROTOCOL_INVITE_H
#define SAT_PROTOCOL_INVITE_H

#include "common/crypto/crypto.h"
#include "common/model/value.h"

#define SAT_INVITE_TTL_MS (15 * 60 * 1000)
#define SAT_INVITE_TEXT_MAX 640

typedef struct sat_invite {
	sat_id org;
	uint8_t server_pk[SAT_BOX_PK_BYTES];
	uint8_t token[16];
	char address[256]; /* "tcp://host:port" */
} sat_invite;

void sat_invite_write(char out[SAT_INVITE_TEXT_MAX], const sat_invite *in);
/* White space around is fine. SAT_EINVALID: "not an invitation", or a letter
 * was lost or changed (the check bytes differ). */
SAT_CHECK sat_rc sat_invite_read(sat_invite *out, const char *text, sat_err *e);

#endif
