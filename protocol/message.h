/*
 * message.h - the frames of a session: one request, one reply, in lock step.
 *
 * A frame is a type byte and a body. Every request may be sent again: the
 * server's answer is the same (P-070..P-079). Decoders borrow from the input.
 */
#ifndef SAT_PROTOCOL_MESSAGE_H
#define SAT_PROTOCOL_MESSAGE_H

#include "protocol/batch.h"
#include "protocol/registry.h"

typedef enum sat_msg_type {
	SAT_MSG_ERROR = 0,
	SAT_MSG_HELLO = 1, SAT_MSG_WELCOME = 2,
	SAT_MSG_PUSH = 3, SAT_MSG_VERDICTS = 4,
	SAT_MSG_PULL = 5, SAT_MSG_DELTA = 6,
	SAT_MSG_SNAP = 7, SAT_MSG_CHUNK = 8,
	SAT_MSG_REGISTRY = 9, SAT_MSG_REGISTRY_IS = 10,
	SAT_MSG_TEMPLATE = 11, SAT_MSG_TEMPLATE_IS = 12,
	SAT_MSG_ENROL = 13, SAT_MSG_ENROLLED = 14,
} sat_msg_type;

typedef struct sat_msg_error {
	uint32_t rc;     /* sat_rc */
	sat_span code, text, hint;
} sat_msg_error;

typedef struct sat_hello {
	uint32_t proto_min, proto_max;
	sat_id org;
	uint32_t device, incarnation;
	uint64_t cursor;        /* applied LSN; 0 = nothing yet */
	uint64_t registry_rev;
	uint8_t template_oid[SAT_TEMPLATE_OID_BYTES];
	int64_t wall_ms;
} sat_hello;

typedef struct sat_welcome {
	uint32_t proto;
	int64_t wall_ms;         /* the server's */
	uint64_t head;           /* last LSN of the log */
	uint64_t scope_head;     /* last LSN that concerns this device (<= head) */
	uint64_t durable;        /* highest LSN inside a verified backup */
	uint64_t epoch;
	uint64_t last_cseq;      /* of (device, incarnation) */
	uint64_t registry_rev;
	uint8_t template_oid[SAT_TEMPLATE_OID_BYTES];
} sat_welcome;

typedef struct sat_push {
	uint32_t incarnation;
	uint64_t first_cseq;
	uint8_t prev[SAT_HASH_BYTES];  /* header hash before first_cseq */
	uint8_t sig[SAT_SIG_BYTES];    /* over sat_batch_sign_bytes */
	sat_span batch;                /* SAT_BATCH_PUSH */
} sat_push;

typedef enum sat_verdict_code {
	SAT_VD_OK = 0,
	SAT_VD_OK_LATE = 1,      /* merged; the author had lost the record meanwhile */
	SAT_VD_CONFLICT = 2,     /* merged; opened a conflict for a person */
	SAT_VD_REJECTED = 3,     /* goes to the device's quarantine */
	SAT_VD_PARKED = 4,       /* depends on a refused or missing record */
	SAT_VD_HANDOVER = 5,     /* not merged: a suggestion to the responsible (P-160) */
} sat_verdict_code;
/* Not in the log under its own number: op, slug and hint instead of LSN. */
static inline bool
sat_vd_refused(sat_verdict_code c)
{
	return c >= SAT_VD_REJECTED;
}

typedef struct sat_verdict {
	uint64_t cseq;
	sat_verdict_code code;
	uint64_t lsn;            /* 0 when not in the log */
	sat_hlc eff;
	uint32_t op;             /* the op that decided, when rejected */
	sat_span slug, hint;     /* "denied", "USE_VALUE", ... */
} sat_verdict;

typedef struct sat_eid_pair {
	sat_id id;
	uint32_t eid;
} sat_eid_pair;

typedef struct sat_verdicts {
	sat_verdict *v;
	size_t n;
	sat_eid_pair *eids;      /* of records these commits created */
	size_t neids;
	uint64_t need_cseq;      /* != 0: gap: push again from here; fork: the
	                            first commit of the push that is another one */
	bool fork;               /* same cseq, other bytes: this folder was copied */
} sat_verdicts;

enum { SAT_PULL_FULL_OWN = 1 }; /* send the ops of own commits too */
typedef struct sat_pull {
	uint64_t cursor;
	uint32_t flags;
	uint32_t max_bytes;      /* soft; 0 = SAT_CHUNK_BYTES */
} sat_pull;

/* A root whose membership changed for this device: `held` are all records of
 * that aggregate which the device now holds; it drops the others. Their states
 * are in sat_delta.records. held empty = LEAVE. */
typedef struct sat_rescope {
	uint64_t lsn;
	sat_id root;
	sat_span to;             /* LEAVE: the new owner's name, for the stub */
	sat_id *held;
	size_t nheld;
} sat_rescope;

typedef struct sat_delta {
	uint64_t upto;           /* the device's new cursor */
	uint64_t head;           /* more to pull while upto < scope_head */
	uint64_t scope_head;
	sat_hlc max_eff;
	sat_rescope *rescopes;
	size_t nrescopes;
	sat_span records;        /* sat_records_read; {NULL,0} when none */
	sat_span batch;          /* SAT_BATCH_PULL; {NULL,0} when none */
	/* not on the wire: what these hold, once the session has read them */
	bool decoded;
	sat_record *recs;
	sat_commit *commits;
	size_t nrecs, ncommits;
} sat_delta;

typedef struct sat_snap {
	uint32_t after_eid;      /* 0 at the start */
} sat_snap;
typedef struct sat_chunk {
	uint64_t lsn;            /* the log's head when it was read */
	uint32_t next_eid;       /* continue after this one */
	bool done;
	uint64_t total;          /* records visible in all, for progress */
	sat_hlc max_eff;
	uint8_t hash[SAT_HASH_BYTES]; /* of `records` */
	sat_span records;
	/* not on the wire: checked against the hash and read by the session */
	bool decoded;
	sat_record *recs;
	size_t nrecs;
} sat_chunk;

typedef struct sat_enrol {
	uint32_t proto_min, proto_max;
	sat_id org;
	uint8_t token[16];
	uint8_t sign_pk[SAT_SIGN_PK_BYTES]; /* the channel key is the link's own */
	sat_span name;           /* what the device is called */
	int64_t wall_ms;
} sat_enrol;
typedef struct sat_enrolled {
	uint32_t device, user;
	sat_span user_key, role;
	sat_span org_name;
	uint8_t root_pk[SAT_SIGN_PK_BYTES];     /* the organisation's root */
	uint8_t template_pk[SAT_SIGN_PK_BYTES]; /* may sign templates */
	int64_t wall_ms;
} sat_enrolled;

typedef struct sat_msg {
	sat_msg_type type;
	union {
		sat_msg_error error;
		sat_hello hello;
		sat_welcome welcome;
		sat_push push;
		sat_verdicts verdicts;
		sat_pull pull;
		sat_delta delta;
		sat_snap snap;
		sat_chunk chunk;
		sat_enrol enrol;
		sat_enrolled enrolled;
		uint8_t template_have[SAT_TEMPLATE_OID_BYTES]; /* TEMPLATE */
		struct {
			uint8_t tip[SAT_TEMPLATE_OID_BYTES];
			sat_span bundle; /* common/git bundle; {NULL,0} = you have it */
		} template_is;
		sat_span registry; /* REGISTRY_IS: sat_registry_read */
	} u;
} sat_msg;

void sat_msg_write(sat_buf *out, const sat_msg *m);
SAT_CHECK sat_rc sat_msg_read(sat_msg *m, sat_arena *a, sat_span frame, sat_err *e);
/* An ERROR frame from a failure, and back. A code that begins with
 * SAT_MSG_OWN_TROUBLE is about the sender's own disk: it travels with a text
 * that says so, without paths. */
#define SAT_MSG_OWN_TROUBLE "db."
void sat_msg_write_error(sat_buf *out, const sat_err *e);
sat_rc sat_msg_to_err(const sat_msg_error *m, sat_err *e);

#endif
