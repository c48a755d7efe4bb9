/*
 * epoch.h - the certificate of a server that was restored (P-200..P-209).
 *
 * A server that comes back from a backup has lost every position above the
 * backup's last one. It begins a new epoch: the organisation's root key signs
 * where the old order ends and the new one begins. A position in between is
 * recognisable for ever as one that was lost. Pure: bytes and a signature.
 */
#ifndef SAT_PROTOCOL_EPOCH_H
#define SAT_PROTOCOL_EPOCH_H

#include "common/crypto/crypto.h"
#include "common/model/value.h"

/* Positions left out at a new epoch, at least: more than any server gives
 * between two backups. */
#define SAT_EPOCH_SKIP ((uint64_t)1 << 20)
/* Certificates a device can be behind; older ones are not sent. */
#define SAT_EPOCHS_MAX 64

/* Whose devices may send states the new server does not have. */
enum sat_seed_role {
	SAT_SEED_HQ = 1,
	SAT_SEED_MANAGER = 2,
	SAT_SEED_ADMIN = 4,
	SAT_SEED_REP = 8,
};

typedef struct sat_epoch {
	sat_id org;
	uint64_t epoch;      /* rises; 0 = the first server, without one */
	uint64_t base_lsn;   /* last position inside the backup */
	uint64_t first_lsn;  /* the new epoch's first; above every lost one */
	uint32_t base_eid;   /* last record number inside the backup */
	uint32_t seed_roles; /* sat_seed_role */
	int64_t began_ms, until_ms; /* the window in which states are taken */
	uint8_t server_pk[32]; /* the channel key devices meet */
	uint8_t sig[SAT_SIG_BYTES]; /* of the root key, over all before it */
} sat_epoch;

void sat_epoch_write(sat_buf *b, const sat_epoch *c);
SAT_CHECK sat_rc sat_epoch_read(sat_epoch *c, sat_span in, sat_err *e);
void sat_epoch_sign(sat_epoch *c, const uint8_t root_sk[SAT_SIGN_SK_BYTES]);
/* Signed by the root of this organisation, and its numbers make sense. */
bool sat_epoch_ok(const sat_epoch *c, const sat_id *org,
    const uint8_t root_pk[SAT_SIGN_PK_BYTES]);
/* The bit of a role's key; 0 for an unknown one. */
uint32_t sat_epoch_role(const char *role);
/* Was this position given by a server that is gone, and lost with it? The one
 * before the first is where the new log ends while nothing is in it. */
static inline bool
sat_epoch_lost(const sat_epoch *c, uint64_t lsn)
{
	return lsn > c->base_lsn && lsn + 1 < c->first_lsn;
}
/* Of epochs in their order: the first one that lost the position, NULL = none
 * did. */
const sat_epoch *sat_epochs_lost(const sat_epoch *c, size_t n, uint64_t lsn);
/* Where the order begins in which a position was given; 0 = the first
 * server's. Only positions of one order can be compared. */
uint64_t sat_epochs_order(const sat_epoch *c, size_t n, uint64_t lsn);

#endif
