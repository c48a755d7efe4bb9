/*
 * batch_columns.h - the columns of a batch of commits, for batch.c, which writes
 * them, and batch_read.c.
 */
#ifndef SAT_PROTOCOL_BATCH_COLUMNS_H
#define SAT_PROTOCOL_BATCH_COLUMNS_H

#include "protocol/batch_int.h"

/*
 * Reference: 0 = `likely`, 1 = the next one not yet used, k = the (k-1)th
 * before that.
 */
enum {
	C_FLAGS,    /* u8 per commit: its flags, TEMPLATE, OWN */
	C_TEMPLATE, /* 20 bytes where it differs from the commit before */
	C_MS, C_COUNT, /* hlc (push), eff (pull) */
	C_SEEN,
	C_ACTOR,
	C_LSN, C_DEVICE, C_INCARNATION, C_CSEQ, /* pull only */
	C_SUBJECT,  /* reference */
	C_NOPS,
	C_SHAPE,    /* code per operation */
	C_SHAPES,   /* table: kind of record, field, kind, value type */
	C_REC,      /* reference per operation */
	C_DOTS,
	C_NAMED,    /* u8 per record: HAS_EID, HAS_ID */
	C_EID,
	C_ID,       /* front half; the other is loose */
	C_INTS, C_LENS, C_BYTES,
	C_ECHOES,   /* pull: of a commit with ECHOES, how many */
	C_SALTS,    /* push: runs of salts, own or of a seed; empty: all own */
	C_SEEN_OP,  /* per operation whose position is not its commit's (P-019):
	             * operations passed over, position */
	C_N
};

#define FLAGS_COMMIT (SAT_CF_CLOCK_SUSPECT | SAT_CF_IMPORT | SAT_CF_MOVED)
#define FLAG_ECHOES 0x20
#define FLAG_TEMPLATE 0x40
#define FLAG_OWN 0x80

#define HAS_EID 1
#define HAS_ID 2

/* A record named in a batch. */
typedef struct named {
	sat_id id;
	uint32_t eid;
	bool created; /* a NEW names it: the other side needs the id */
} named;

#endif
