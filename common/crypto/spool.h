/*
 * spool.h - a file that waits on the disk for a while, encrypted: an upload
 * before it is imported, an export before it is fetched.
 *
 * Written once from begin to end, read from begin to end. A piece of 64 KiB is
 * sealed by itself, so memory does not grow with the file; its place and
 * whether it is the last one are part of the nonce, so a piece that is missing,
 * twice, moved or cut off is found. Bytes: docs/encryption.md, "Spool".
 *
 * Thread: one per handle.
 */
#ifndef SAT_CRYPTO_SPOOL_H
#define SAT_CRYPTO_SPOOL_H

#include "common/crypto/crypto.h"

#define SAT_SPOOL_PIECE 65536

/* A file has a key of its own, made of this one and a salt in the file; the
 * name is not part of it: whoever swaps two files must meet two keys here. */
typedef struct sat_spool_out sat_spool_out;
/* A new file, 0600, under the name "<path>.tmp". SAT_ENOSPACE, SAT_EIO. */
SAT_CHECK sat_rc sat_spool_create(sat_spool_out **o, const char *path,
    const uint8_t key[SAT_KEY_BYTES], sat_err *e);
/* A failure is kept, and told by close. */
void sat_spool_add(sat_spool_out *o, sat_span bytes);
/* Bytes that were added. */
uint64_t sat_spool_size(const sat_spool_out *o);
/* keep: finish it, durable under its name; else it goes away, as it does when
 * something failed. Frees o. SAT_ENOSPACE, SAT_EIO. */
SAT_CHECK sat_rc sat_spool_close(sat_spool_out *o, bool keep, sat_err *e);

typedef struct sat_spool_in sat_spool_in;
/* SAT_ENOTFOUND, SAT_EINTEGRITY (it is none). */
SAT_CHECK sat_rc sat_spool_open(sat_spool_in **in, const char *path,
    const uint8_t key[SAT_KEY_BYTES], sat_err *e);
/* Bytes of the content, as the length of the file says. */
uint64_t sat_spool_length(const sat_spool_in *in);
/* The next bytes, borrowed until the next call; n == 0 at the end.
 * SAT_EINTEGRITY: altered, cut off, or another key. */
SAT_CHECK sat_rc sat_spool_next(sat_span *bytes, sat_spool_in *in, sat_err *e);
void sat_spool_shut(sat_spool_in *in); /* NULL is fine */

#endif
