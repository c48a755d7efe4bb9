/*
 * limits.h - every limit of the wire, checked on write and on receipt, so
 * that nothing can be written that cannot be synced (P-001).
 */
#ifndef SAT_PROTOCOL_LIMITS_H
#define SAT_PROTOCOL_LIMITS_H

#define SAT_PROTO_VERSION 1
#define SAT_PROTO_MIN 1
/* What this release can within its protocol version (HELLO, WELCOME). Bits are
 * final; a peer's unknown ones mean nothing. */
#define SAT_FEATURE_LATER 1     /* keeps operations it does not know (P-169) */
#define SAT_FEATURE_HANDOVER 2  /* hands late work over (P-165) */
#define SAT_FEATURES (SAT_FEATURE_LATER | SAT_FEATURE_HANDOVER)

#define SAT_OPS_MAX 4096            /* per commit */
#define SAT_COMMIT_BYTES_MAX (1024 * 1024)  /* canonical payload */
#define SAT_BATCH_COMMITS_MAX 4096
#define SAT_BATCH_OPS_MAX 65536
#define SAT_BATCH_BYTES_MAX (2 * 1024 * 1024)  /* columns before compression */
/* A commit with its echoes: one position goes into one batch (P-171). */
#define SAT_ECHOED_BYTES_MAX (SAT_BATCH_BYTES_MAX - 64 * 1024)
#define SAT_DOTS_MAX 256            /* candidates a RESOLVE may name */
#define SAT_CANDIDATES_MAX 256      /* per review field */
#define SAT_SET_MAX 1024            /* elements of a set field */
#define SAT_SET_ELEMENT_MAX 256     /* bytes */
#define SAT_RECORD_BYTES_MAX (1024 * 1024) /* a state: it must fit a chunk */
#define SAT_CHUNK_BYTES (256 * 1024)   /* snapshot chunk before compression */
#define SAT_CHUNK_BYTES_MAX (2 * 1024 * 1024)
/* A content of a file travels, and is kept, in pieces of this size. */
#define SAT_FILE_PIECE (256 * 1024)
#define SAT_FRAME_MAX (3 * 1024 * 1024)
/* A part of the template's history (P-451). What one publish changes is less, so
 * that there is always a next part. */
#define SAT_TEMPLATE_PART_MAX (SAT_FRAME_MAX - 256 * 1024)
#define SAT_TEMPLATE_STEP_MAX (SAT_FRAME_MAX - 512 * 1024)
#define SAT_CLAMP_MS 60000          /* how far ahead a stamp may stay (P-013) */
#define SAT_SEED_STATES_MAX 512     /* of one SEED (P-394) */
#define SAT_SEED_PLACES_MAX 65536   /* of one SEED; new ones of a device, an epoch */
#define SAT_USERS_MAX 100000
#define SAT_DIRECTORY_MAX 20000 /* devices in one answer */
#define SAT_FIELD_ID_MAX 1023       /* on the wire; a template's end at 1000 */

#endif
