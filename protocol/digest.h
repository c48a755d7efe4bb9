/*
 * digest.h - do two replicas hold the same records? Sums that tell (P-180..).
 *
 * A record's sum is the sum, modulo 2^128, of one SipHash-2-4-128 of its head
 * and one of each cell, keyed by the record's id. The sum of many records is
 * the sum of theirs: free of order, and kept by subtracting what was and
 * adding what is. So one changed field costs four short hashes, however long
 * the record is, and a device need not read the rest of its row.
 *
 * It finds accidents. Against somebody who means harm there are the chain and
 * the signatures; nobody ever adopts a peer's sum.
 */
#ifndef SAT_PROTOCOL_DIGEST_H
#define SAT_PROTOCOL_DIGEST_H

#include "protocol/record.h"

#define SAT_SUM_BYTES 16
typedef struct sat_sum {
	uint64_t hi, lo;
} sat_sum;

/* Records are summed by kind and by a range of 256 numbers. */
#define SAT_BUCKET_SHIFT 8
static inline uint32_t
sat_bucket_of(uint32_t eid)
{
	return eid >> SAT_BUCKET_SHIFT;
}

void sat_sum_add(sat_sum *to, sat_sum s);
void sat_sum_sub(sat_sum *from, sat_sum s);
bool sat_sum_eq(sat_sum a, sat_sum b);
bool sat_sum_zero(sat_sum s);
/* Big-endian; reading any 16 bytes gives a sum. */
void sat_sum_write(uint8_t out[SAT_SUM_BYTES], sat_sum s);
sat_sum sat_sum_read(const uint8_t in[SAT_SUM_BYTES]);

/* Everything of the canonical state; r->id must be set. */
sat_sum sat_sum_record(const sat_record *r);
/* One cell's part of it; the rest is the head's. */
sat_sum sat_sum_cell(const sat_record *r, const sat_cell *c);
/* What an operation on `field` may change: the head, this field's cell, and
 * the cells of system fields. Taken before and after the fold. */
sat_sum sat_sum_part(const sat_record *r, uint16_t field);
/* sat_sum_record(is) - sat_sum_record(was), hashing only what differs. */
#define SAT_DIFF_FIELDS 16
typedef struct sat_sum_diff {
	sat_sum sum;
	size_t n;        /* cells that differ; the first of them: */
	uint16_t field[SAT_DIFF_FIELDS];
	sat_sum by[SAT_DIFF_FIELDS]; /* what each moved `sum` by */
} sat_sum_diff;
void sat_sum_change(sat_sum_diff *out, const sat_record *was,
    const sat_record *is);

#endif
