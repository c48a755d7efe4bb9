/*
 * sealed.h - what a kiosk wrote and cannot read (P-360..P-364).
 *
 * Its commits lie on the device as a header and the payload in a box that only
 * the server opens. A push of such commits carries both as they lie, not as
 * columns; everything else of a push is the same.
 *
 * Form: commits uint | per commit: header span, box span.
 */
#ifndef SAT_PROTOCOL_SEALED_H
#define SAT_PROTOCOL_SEALED_H

#include "protocol/commit.h"

/* Commits with `box` set, no operations. */
void sat_sealed_write(sat_buf *out, const sat_commit *commits, size_t n);
/* Headers and boxes, borrowed from `in`; nops is 0. SAT_EPROTO. */
SAT_CHECK sat_rc sat_sealed_read(sat_commit **commits, size_t *n, sat_arena *a,
    sat_span in, sat_err *e);

#endif
