/*
 * server_state.h - what the server's core holds in memory.
 *
 * A transaction has a working set: records and memberships it has read, with
 * what it changed. Changes of one commit are made there first and undone there
 * when the commit is refused; the store is written when the commit is accepted
 * (log, scope) or when the transaction ends (records, memberships).
 */
#ifndef SAT_PROTOCOL_SERVER_STATE_H
#define SAT_PROTOCOL_SERVER_STATE_H

#include <string.h>

#include "protocol/permit.h"
#include "protocol/server.h"

/* ---- the working set (server_set.c) ------------------------------------------- */

/* A record. `exists` false: known to be absent. */
typedef struct wrec {
	sat_id id;
	uint32_t eid;
	uint16_t kind;
	uint32_t root;        /* eid; own eid for a root or orphan */
	bool exists, dirty;
	bool parted;          /* its row does not wait: the log cannot make what is
	                         there into what it is now (P-395) */
	bool erased;          /* nothing but its numbers is left */
	bool given;           /* its state came back in this transaction (P-204) */
	bool decoded;         /* r is valid; else only `state` */
	/* as the store has it until the transaction ends */
	bool stored;
	sat_span state, stored_owner;
	uint32_t stored_root;
	sat_record r, was;    /* `was`: as it was decoded */
	const sat_record *anew; /* what the server's own commit makes of it */
	sat_value owner;
	/* the commit that touches it now */
	uint64_t touch;       /* its serial number */
	uint64_t judged;      /* its deletion was, in this round of s->rounds */
	bool fresh;           /* made by it */
	uint64_t born_at, veiled_at; /* position of a commit being sent (P-242) */
	size_t shown;         /* its place among the states of a page, from 1 */
	/* found out for the page that is being filled */
	bool asked_seen, seen, asked_left;
	uint64_t owner_left;  /* when it last left an owner the device sees */
	uint64_t reborn;      /* serial of the last one that made it again (P-281) */
	bool changed;         /* its state is another one now */
	size_t first_op, last_op;
	struct {
		bool gone;
		sat_value owner, pool;
		sat_id redirect; /* zero: none */
		sat_record r; /* only of a record that was dirty already */
	} before;
	struct wrec *next_id, *next_eid, *next_touched, *next_dirty;
} wrec;

/* Memory that is needed soon: a push of thousands of commits is larger than
 * the processor's cache. */
static inline void
sat_srv_soon(const void *p, size_t n)
{
	for (size_t i = 0; i < n && i < 2048; i += 64)
		__builtin_prefetch((const uint8_t *)p + i);
}

/* Deleted, and nobody has to decide about it: no reason to hold the root. */
static inline bool
sat_rec_gone(const sat_record *r)
{
	return r->deleted && !r->with_edits;
}

/* Why a key holds a root. */
typedef struct wkey {
	sat_scope_key key;
	bool live, loaded, dirty;
	bool stored;          /* live, as the store has it; of one that is loaded */
	sat_member m;
	int64_t delta;        /* of the commit that touches it now */
	bool rescope;
} wkey;
typedef struct wroot {
	uint32_t eid;
	bool gone;            /* erased: in no sum any more */
	bool fresh;
	uint64_t touch;
	size_t n, cap;
	wkey *k;
	struct wroot *next, *next_touched, *next_dirty, *next_moved;
	bool dirty, moved;
	uint64_t walked;      /* serial of the commit that moved its records last */
	/* its rows in the store, as sat_set_rows read them */
	wrec **rows;
	size_t nrows;
	uint64_t rows_at;     /* 1 + `flushes` then; 0 = not read */
} wroot;

typedef struct wset {
	wrec **by_id, **by_eid;
	wroot **roots;
	size_t nrecs, nroots, mask;
	wrec *dirty;
	wroot *dirty_roots;
	wroot *gone;          /* being erased */
	/* asked for last: a commit asks for its customer a dozen times */
	wrec *near;
	wroot *near_root;
	uint64_t flushes;     /* rows that were written */
} wset;

/* ---- the server ----------------------------------------------------------------- */

typedef struct chain_slot {
	uint32_t dev, inc;
	bool dirty;
	sat_chain c;
} chain_slot;

/* The server's own chain, of this epoch (server_own.c). */
typedef struct own_slot {
	bool loaded;          /* in this transaction */
	uint32_t inc;         /* epoch + 1 */
	uint64_t first;       /* cseq of the first not signed yet; 0 = none */
	sat_chain c;
} own_slot;

/* What the chain that had parked commits last was stamped, as far back as it was
 * read (server_order.c). */
typedef struct own_stamp {
	sat_hlc hlc, eff;
} own_stamp;
typedef struct own_past {
	uint32_t dev, inc;    /* dev 0: of none */
	uint64_t first, next; /* what was read ends before `next` */
	sat_hlc oldest;       /* stamp of those that were not parked */
	bool whole;           /* there is nothing further back */
	own_stamp *v;         /* `n` from `at` on */
	size_t at, n, cap;
} own_past;

typedef struct seen_slot {
	uint32_t dev;
	uint64_t cursor;
	int64_t ms;
	bool told; /* which template it has */
	uint8_t template_oid[SAT_TEMPLATE_OID_BYTES];
} seen_slot;

/* How far a device has reported (server_coverage.c). */
typedef struct reported_slot {
	uint32_t dev;
	int64_t at_ms;
	uint64_t rev;
	bool dirty;           /* the store has not got it */
} reported_slot;

/* Records sent again; written with the next commit. */
#define DIVERGED_MAX 64
typedef struct diverged_slot {
	uint32_t dev, bucket;
	uint16_t kind;
	uint64_t lsn;
	int64_t ms;
} diverged_slot;

/* The live keys of a root as the store has them; what a push needs to know of
 * a customer it only edits. eid 0: empty. */
#define ROOT_CACHE 65536
typedef struct root_slot {
	uint32_t eid, n;
	sat_scope_key k[4];
} root_slot;

struct sat_server {
	sat_server_env env;
	sat_registry reg;
	uint64_t rekeys;      /* devices that changed their keys since it opened */
	bool loaded;          /* counters and chains below are the store's */
	bool in_txn;
	bool unacked;         /* planted bug: answered, not yet committed */
	bool dirty;           /* counters changed in this transaction */
	uint64_t lsn, eid;
	uint64_t txn_lsn;     /* lsn when this transaction began */
	uint64_t ledger_rev;
	sat_epoch epoch;      /* the newest certificate; epoch 0 = none */
	sat_epoch *epochs;    /* all of them, ascending */
	size_t nepochs;
	sat_hlc_clamp clamp;
	uint64_t serial;      /* of commits, to tell touches apart */
	uint64_t rounds;      /* of sat_srv_orphans */
	chain_slot *chains;
	size_t nchains, chains_cap;
	own_slot own;
	own_past past;
	seen_slot *seen;
	size_t nseen, seen_cap;
	int64_t seen_flushed_ms;
	int64_t files_ms;        /* contents of files were tidied last */
	int64_t scrub_ms;        /* an erasure's end was asked for last */
	reported_slot *reported; /* ascending by device */
	size_t nreported, reported_cap;
	uint64_t reported_rev;   /* last one given */
	bool reported_dirty;
	diverged_slot diverged[DIVERGED_MAX];
	size_t ndiverged;
	uint8_t tip_oid[SAT_TEMPLATE_OID_BYTES];
	const sat_template *tip; /* may be NULL before the first is published */
	uint8_t last_oid[SAT_TEMPLATE_OID_BYTES];
	const sat_template *last;
	sat_arena txn;        /* everything of one transaction, or of its part */
	sat_arena push;       /* what a group of pushes needs until its answers */
	sat_fold_room fold;   /* a turn is a commit */
	wset set;
	root_slot *roots;
	sat_buf scratch;
	/* since sat_server_heard was asked last; a superset after a rollback */
	struct {
		sat_scope_key *keys;
		size_t n, cap;
		bool everybody;
		uint64_t lsn, registry_rev, template_rev;
		uint8_t tip_oid[SAT_TEMPLATE_OID_BYTES];
	} heard;
};

#endif
