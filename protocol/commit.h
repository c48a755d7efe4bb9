/*
 * commit.h - one user action: a signed header and a detachable payload.
 *
 * Header (canonical bytes, in this order): version u8 | device uint |
 * incarnation uint | cseq uint | hlc be64 | seen uint | actor uint | subject 16
 * | template 20 | flags u8 | payload_hash 32 | prev 32. The usual one is one
 * block of the hash (128 bytes); the organisation is signed with the batch.
 * Payload: salt 16 | nops uint | ops | [seen]. payload_hash = BLAKE2b-256(payload).
 * seen: n uint, n x {operations before it since the last one uint, position
 * uint}, only when there is one whose position is not the header's (P-019).
 * The chain: prev = BLAKE2b-256 of the previous header of (device,
 * incarnation); zero for cseq 1. One Ed25519 signature per pushed batch covers
 * the chain head (P-020..P-029). Dropping a payload (erasure) leaves header,
 * chain and signature verifiable.
 */
#ifndef SAT_PROTOCOL_COMMIT_H
#define SAT_PROTOCOL_COMMIT_H

#include "common/crypto/crypto.h"
#include "common/model/value.h"
#include "protocol/hlc.h"
#include "protocol/limits.h"

#define SAT_COMMIT_VERSION 1
#define SAT_SALT_BYTES 16
#define SAT_TEMPLATE_OID_BYTES 20

/*
 * Numbers are final (P-026). From CLAIM on an operation is about the record as
 * such, not about one of the template's fields (protocol/record.h, "System
 * operations"); CLAIM, RELEASE and NUMBER name the template's field they act
 * on, HAND to UNMERGE name their system field, ERASE none.
 */
typedef enum sat_op_kind {
	SAT_OP_NEW = 1,      /* the record exists from here; rtype, parent in fields */
	SAT_OP_SET = 2,      /* lww, once, max, min */
	SAT_OP_MVSET = 3,    /* review */
	SAT_OP_SADD = 4,
	SAT_OP_SREM = 5,
	SAT_OP_ADD = 6,      /* counter delta */
	SAT_OP_STAGE = 7,
	SAT_OP_REASSIGN = 8,
	SAT_OP_DEL = 9,
	SAT_OP_UNDEL = 10,   /* restore */
	SAT_OP_RESOLVE = 11, /* review, stage: value + the dots it settles */
	SAT_OP_CLAIM = 12,   /* owner field; value: the claimer's user key */
	SAT_OP_RELEASE = 13, /* owner field; value: pool's key [LF reason] */
	SAT_OP_NUMBER = 14,  /* number field; value: the final number */
	SAT_OP_HAND = 15,    /* SAT_SYS_HANDED; value: sat_handed_write */
	SAT_OP_SETTLE = 16,  /* SAT_SYS_HANDED; value: lsn of the HAND */
	SAT_OP_MERGE = 17,   /* SAT_SYS_REDIRECT; value: id of the winner. On the
	                        winner, a template's field: what the loser had */
	SAT_OP_UNMERGE = 18, /* SAT_SYS_REDIRECT; no value */
	SAT_OP_ERASE = 19,   /* no field: the record's customer is erased, or what
	                        it had of one that is (P-138) */
	SAT_OP_LAST = 19,
} sat_op_kind;

/* Kinds of a later release, in a shape that is final: record, field (0 = none),
 * value, dots. This one keeps them unread (P-169). Kinds 20 to 31 need a new
 * protocol version. */
#define SAT_OP_LATER 32
#define SAT_OP_KIND_MAX 63
static inline bool
sat_op_kind_is_later(sat_op_kind k)
{
	return (unsigned)k >= SAT_OP_LATER;
}
/* The verb as people and programs read it: "set", "assign", ...; "later" for a
 * kind of a later release. */
const char *sat_op_word(sat_op_kind k);
/* RESOLVE, and whatever comes. */
static inline bool
sat_op_kind_has_dots(sat_op_kind k)
{
	return k == SAT_OP_RESOLVE || sat_op_kind_is_later(k);
}

typedef struct sat_dot {
	uint32_t dev;
	uint64_t lsn;
} sat_dot;

typedef struct sat_op {
	sat_op_kind kind;
	uint16_t rtype;  /* kind of the record (template number) */
	uint16_t field;  /* 0 for NEW, DEL, UNDEL */
	sat_id rec;
	uint32_t eid;    /* wire only: 0 = not known, `rec` is sent */
	sat_value value;
	const sat_dot *dots; /* sat_op_kind_has_dots */
	size_t ndots;
	/* what the author had seen of this record, + 1; 0: the commit's `seen`
	 * (sat_op_seen, P-019) */
	uint64_t seen1;
} sat_op;

/* Is it about a suggestion? */
static inline bool
sat_op_is_hand(const sat_op *op)
{
	return op->kind == SAT_OP_HAND || op->kind == SAT_OP_SETTLE;
}

enum sat_commit_flag {
	SAT_CF_CLOCK_SUSPECT = 1,
	SAT_CF_IMPORT = 2,
	SAT_CF_MOVED = 4, /* it was parked: its author may have gone on (P-325) */
};

/* The server's own ordinal: what it decides is a commit of "device" 0 in its
 * own chain, signed with the server's key (P-130). No device has it. */
#define SAT_DEV_SERVER 0
/* Text a CLAIM or NUMBER may carry, bytes; a RELEASE (the pool's key and, behind
 * a line feed, the reason). */
#define SAT_SYS_TEXT_MAX 128
#define SAT_RELEASE_MAX 300

typedef struct sat_commit {
	uint32_t device, incarnation;
	uint64_t cseq;
	sat_hlc hlc;
	uint64_t seen;   /* applied cursor when it was written; sat_op_seen */
	uint32_t actor;  /* user ordinal */
	sat_id subject;  /* the customer aggregate's root */
	uint32_t subject_eid; /* wire only */
	uint8_t template_oid[SAT_TEMPLATE_OID_BYTES];
	uint8_t flags;
	uint8_t payload_hash[SAT_HASH_BYTES];
	uint8_t prev[SAT_HASH_BYTES];
	uint8_t salt[SAT_SALT_BYTES];
	/* push only: the salt is sat_salt_derive(seed, seed_at, hlc), and the
	 * batch may say so instead of carrying it; NULL = it is random */
	const uint8_t *seed;
	uint64_t seed_at;
	size_t nops;
	sat_op *ops;
	/* given by the server, not part of header or hash */
	uint64_t lsn;
	sat_hlc eff;
	bool own;        /* pull: the device's own commit, ops left out */
	sat_span box;    /* push of a kiosk: the payload, sealed; nops 0 (P-360) */
	size_t nechoes;  /* pull: so many of the last ops are echoes (P-171) */
} sat_commit;

/* The position of the server's log up to which the author had seen the
 * operation's record (P-027). */
static inline uint64_t
sat_op_seen(const sat_commit *c, const sat_op *op)
{
	return op->seen1 != 0 ? op->seen1 - 1 : c->seen;
}
/* seen: up to INT64_MAX. After c->seen was set. */
static inline void
sat_op_set_seen(const sat_commit *c, sat_op *op, uint64_t seen)
{
	op->seen1 = seen == c->seen ? 0 : seen + 1;
}

/* Has it the id of a record as its value? */
static inline bool
sat_op_names(sat_id *id, const sat_op *op)
{
	if (op->value.type != SAT_V_BYTES || op->value.s.n != sizeof id->b)
		return false;
	memcpy(id->b, op->value.s.p, sizeof id->b);
	return true;
}

/* As it stands in a suggestion (P-165): who takes it up has seen what he sees. */
static inline sat_op
sat_op_bare(const sat_op *op)
{
	sat_op x = *op;

	x.seen1 = 0;
	return x;
}

/* The salt of the `at`th commit of a seed (P-068). Whoever has forgotten the
 * seed cannot tell it from a random one. */
void sat_salt_derive(uint8_t salt[SAT_SALT_BYTES],
    const uint8_t seed[SAT_SALT_BYTES], uint64_t at, sat_hlc hlc);

/* Canonical bytes, appended. The caller has set every header member but
 * payload_hash, which sat_commit_seal fills from the payload. */
void sat_commit_write_payload(sat_buf *b, const sat_commit *c);
void sat_commit_write_header(sat_buf *b, const sat_commit *c);
/* Fill payload_hash; returns the header's hash (the next `prev`). */
void sat_commit_seal(sat_commit *c, uint8_t header_hash[SAT_HASH_BYTES]);
/* Decode canonical bytes. payload may be {NULL,0} (erased: nops 0). Values
 * are borrowed from the inputs, ops live in `a`. Checks all limits and that
 * payload_hash fits: SAT_EPROTO. */
SAT_CHECK sat_rc sat_commit_read(sat_commit *c, sat_arena *a, sat_span header,
    sat_span payload, sat_err *e);
/* A payload alone, as a suggestion carries it (P-165): salt and ops into *c,
 * whose subject and `seen` are set. */
SAT_CHECK sat_rc sat_commit_read_payload(sat_commit *c, sat_arena *a,
    sat_span payload, sat_err *e);
/* Shape and size of a commit about to be written or just received (P-001). */
SAT_CHECK sat_rc sat_commit_check(const sat_commit *c, sat_err *e);

/* What an operation takes at most, in a payload or in a batch; bytes. */
size_t sat_op_bytes_most(const sat_op *op);

/* The bytes a batch signature covers. */
void sat_batch_sign_bytes(sat_buf *b, const sat_id *org, uint32_t device,
    uint32_t incarnation, uint64_t first, uint64_t last,
    const uint8_t head[SAT_HASH_BYTES]);

#endif
