/*
 * file.h - contents of the files that records name (common/model/attachment.h),
 * by their hash.
 *
 * They lie in the replica's own encrypted file, whole or not at all, in the
 * transaction of the edit that names them: what is said to be saved is there
 * after any death, a backup has it, `check` reads it, a wiped key takes it
 * along, and an erasure leaves no byte of it (docs/decisions).
 *
 *   F1  A content that nobody but this device has is not dropped before the
 *       server said that it is durable there (P-443). That it does not want it
 *       is its last word only when it says so for a month, and the time is over
 *       in which it is given back what it lost (P-448).
 *   F2  A content no record here names is dropped with the next session when F1
 *       and F3 let it; with an erasure at once, before the receipt.
 *   F3  What this device gave the server stays until a verified backup of the
 *       server's has it, for a month without backups.
 */
#ifndef SAT_REPLICA_FILE_H
#define SAT_REPLICA_FILE_H

#include "client/replica/replica.h"
#include "common/model/attachment.h"

typedef struct sat_file_ref {
	uint8_t hash[SAT_ATTACHMENT_HASH];
	sat_id rec;       /* the record that names it */
	const sat_kind *kind;
	sat_id customer;  /* it hangs on; rec itself without one */
} sat_file_ref;

/*
 * Keep a content. In an open group it becomes durable with it, else now. ours:
 * the server has to get it from this device; false: it came from there.
 * @return SAT_EINVALID (empty, above SAT_ATTACHMENT_BYTES_MAX, or of another
 *         hash), SAT_EDENIED (a kiosk keeps nothing), SAT_ENOSPACE, ...
 */
SAT_CHECK sat_rc sat_replica_file_keep(sat_replica *r, const sat_file_ref *ref,
    sat_span content, bool ours, sat_err *e);
/* Appended to out. SAT_ENOTFOUND: it is not here; SAT_EINTEGRITY. */
SAT_CHECK sat_rc sat_replica_file_read(sat_buf *out, sat_replica *r,
    const uint8_t hash[SAT_ATTACHMENT_HASH], sat_err *e);
/* *here: its content is on this device; *waits: the server has not got it from
 * here, for this record. */
SAT_CHECK sat_rc sat_replica_file_look(bool *here, bool *waits, sat_replica *r,
    const sat_id *rec, const uint8_t hash[SAT_ATTACHMENT_HASH], sat_err *e);
/* Contents that wait for the server. */
typedef struct sat_files_waiting {
	int64_t n, bytes;
	int64_t refused; /* of n: kept for a month, should it want them after all */
} sat_files_waiting;
SAT_CHECK sat_rc sat_replica_files_waiting(sat_files_waiting *out,
    sat_replica *r, sat_err *e);
/* Does the record name this content? name (may be NULL): what it is called. */
bool sat_view_names(const sat_view *v,
    const uint8_t hash[SAT_ATTACHMENT_HASH], sat_span *name);

#endif
