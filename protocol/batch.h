/*
 * batch.h - commits and record states as columns, compressed (P-030..P-039).
 *
 * One column per member (kinds, entities, fields, stamp deltas, values...), the
 * whole zstd-3. Entities are sent as eid where both sides know it. A batch is
 * decoded completely, limits first, or refused completely.
 */
#ifndef SAT_PROTOCOL_BATCH_H
#define SAT_PROTOCOL_BATCH_H

#include "protocol/record.h"

typedef enum sat_batch_dir {
	SAT_BATCH_PUSH, /* salt; no lsn/eff/device; consecutive cseq of one device */
	SAT_BATCH_PULL, /* lsn, eff, device, cseq, own; no salt, prev, payload_hash,
	                   incarnation or org */
} sat_batch_dir;

/* Push: org, device, incarnation and the first cseq and prev come from the
 * PUSH message, not from here. In a pull the ops of commits with `own` set are
 * not sent. SAT_EINVALID when a limit of limits.h is exceeded. */
SAT_CHECK sat_rc sat_batch_write(sat_buf *out, sat_batch_dir dir,
    const sat_commit *commits, size_t n, sat_err *e);
/* Everything lives in `a`. SAT_EPROTO. */
SAT_CHECK sat_rc sat_batch_read(sat_commit **commits, size_t *n, sat_arena *a,
    sat_batch_dir dir, sat_span in, sat_err *e);

/* Record states (snapshot chunks, rescopes), columnar, with their eids. */
SAT_CHECK sat_rc sat_records_write(sat_buf *out, const sat_record *recs,
    size_t n, sat_err *e);
SAT_CHECK sat_rc sat_records_read(sat_record **recs, size_t *n, sat_arena *a,
    sat_span in, sat_err *e);

#endif
