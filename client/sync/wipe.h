/*
 * wipe.h - carrying out the server's order to destroy a replica (P-383, P-384).
 *
 * A note in the replica's folder is made durable before the first key slot is
 * overwritten. It holds the signed receipt and what else lies on this disk, and no
 * secret: whoever starts the program again goes on from it without a passphrase,
 * so that a process killed anywhere leaves either a replica that opens, and hears
 * the order again, or one whose keys are gone.
 *
 * The folder's own keyring decides whether the wipe is reported. Copies a backup
 * put elsewhere are destroyed as far as they are still where they were put.
 */
#ifndef SAT_SYNC_WIPE_H
#define SAT_SYNC_WIPE_H

#include "client/sync/sync.h"
#include "common/crypto/keyring.h"

/* What the commands of a wiped folder fail with, beside SAT_EREVOKED. */
#define SAT_CODE_WIPED "device.wiped"

/* @return SAT_EREVOKED, SAT_CODE_WIPED: what was in this folder is gone. */
SAT_CHECK sat_rc sat_wipe_gone(sat_err *e);
/*
 * sat_replica_wipe_due(r) holds. Closes r and k in every case.
 * @return SAT_EREVOKED, code SAT_CODE_WIPED, once no key is left, whether the
 *         receipt could be sent or not; SAT_EIO, SAT_EFSYNC: a key slot may be
 *         left, the note stands, nothing was reported.
 */
SAT_CHECK sat_rc sat_wipe_carry_out(const char *folder, sat_replica *r,
    sat_keyring *k, const sat_sync_opts *o, sat_err *e);
/* Is there a note? Then nothing else is to be done in this folder. */
bool sat_wipe_noted(const char *folder);
/* Do what is left of it; the receipt is sent until it was taken. Errors as
 * above. */
SAT_CHECK sat_rc sat_wipe_resume(const char *folder, const sat_sync_opts *o,
    sat_err *e);
/*
 * The same, then the folder is as good as a new one. Without a note: SAT_OK.
 * @return SAT_EUNREACHABLE when the receipt was not taken yet; SAT_EIO.
 */
SAT_CHECK sat_rc sat_wipe_forget(const char *folder, const sat_sync_opts *o,
    sat_err *e);

#endif
