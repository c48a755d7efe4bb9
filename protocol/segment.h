/*
 * segment.h - a piece of the server's log outside its database (P-188).
 *
 * Commits that every device of the company has, and a verified backup too, move
 * out of the database into segments: immutable, chained, signed. Chain and
 * signature cover positions, stamps and headers; a header has the hash of its
 * payload, so that an erased payload leaves all of it valid.
 */
#ifndef SAT_PROTOCOL_SEGMENT_H
#define SAT_PROTOCOL_SEGMENT_H

#include "protocol/store.h"

/* A segment ends behind the commit that fills it. */
#define SAT_SEGMENT_BYTES (1024 * 1024)
#define SAT_SEGMENT_ROWS_MAX 16384
/* Before compression; one commit more than it wants. */
#define SAT_SEGMENT_BYTES_MAX (4 * 1024 * 1024)

typedef struct sat_segment_row {
	sat_log_row row; /* ascending lsn; payload {NULL,0} when erased */
	uint32_t dev, inc;
	uint64_t cseq;   /* as in the header */
} sat_segment_row;

/* The rows, packed (zstd). */
void sat_segment_write(sat_buf *out, const sat_segment_row *rows, size_t n);
/* Rows and bytes in `a`. SAT_EPROTO when it is not what sat_segment_write
 * gives, or a payload does not fit its header. */
SAT_CHECK sat_rc sat_segment_read(sat_segment_row **rows, size_t *n,
    sat_arena *a, sat_span in, sat_err *e);
/* Over the segment before it (zero for the first) and everything but the
 * payloads. */
void sat_segment_hash(uint8_t out[SAT_HASH_BYTES],
    const uint8_t prev[SAT_HASH_BYTES], const sat_segment_row *rows, size_t n);
/* What the server signs: its organisation, the number, the hash. */
void sat_segment_sign_bytes(sat_buf *b, const sat_id *org, uint64_t number,
    const uint8_t hash[SAT_HASH_BYTES]);

#endif
