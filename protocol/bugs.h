/*
 * bugs.h - planted bugs for `make sim-mutants`: compiled to nothing unless
 * SAT_BUGS is defined, and then chosen at run time.
 */
#ifndef SAT_PROTOCOL_BUGS_H
#define SAT_PROTOCOL_BUGS_H

enum sat_bug {
	SAT_BUG_NO_TIE_BREAK = 1 << 0,      /* lww: equal stamps keep the first */
	SAT_BUG_HLC_NOT_PERSISTED = 1 << 1, /* device: last stamp lost at restart */
	SAT_BUG_ACK_BEFORE_COMMIT = 1 << 2, /* server answers before it is durable */
	SAT_BUG_CURSOR_OUTSIDE_TXN = 1 << 3,
	SAT_BUG_ACK_PAST_GAP = 1 << 4,      /* server accepts a cseq gap */
	SAT_BUG_SYNC_NORMAL = 1 << 5,       /* synchronous=NORMAL */
	SAT_BUG_SREM_IGNORES_SEEN = 1 << 6,
	SAT_BUG_VERDICT_LOST_ON_RETRY = 1 << 7, /* a repeated push gives no verdicts */
	SAT_BUG_REVIEW_AS_LWW = 1 << 8,     /* conflicts vanish unseen */
	SAT_BUG_SCOPE_LEAK = 1 << 9,        /* pull forgets the visibility filter */
	SAT_BUG_HOLD_IGNORED = 1 << 10,     /* anybody claims what is kept */
	SAT_BUG_CLAIM_UNLIMITED = 1 << 11,  /* no limit of a pool is counted */
	SAT_BUG_POOL_UNMASKED = 1 << 12,    /* members see what the pool hides */
	SAT_BUG_ERASED_IN_LOG = 1 << 13,    /* the database's log is not emptied */
	SAT_BUG_ERASED_KEPT = 1 << 14,      /* set aside work outlives its customer */
	SAT_BUG_NUMBER_TWICE = 1 << 15,     /* a number in use is final again */
	SAT_BUG_FORK_UNSEEN = 1 << 16,      /* copies of a folder are one device */
	SAT_BUG_HALF_COMMIT = 1 << 17,      /* a page's last operation is left out */
	SAT_BUG_SYNC_TWICE = 1 << 18,       /* a save waits for the disk twice */
	SAT_BUG_KEYS_UNSAVED = 1 << 19,     /* new keys are said before they are kept */
};

#ifdef SAT_BUGS
extern unsigned sat_bugs; /* defined by protocol/bugs.c, set by the simulator */
#define SAT_BUG(b) ((sat_bugs & (b)) != 0)
#else
#define SAT_BUG(b) 0
#endif

#endif
