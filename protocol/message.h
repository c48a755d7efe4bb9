/*
 * message.h - the frames of a session: one request, one reply, in lock step.
 *
 * A frame is a type byte and a body. Every request may be sent again: the
 * server's answer is the same (P-070..P-079). Decoders borrow from the input.
 */
#ifndef SAT_PROTOCOL_MESSAGE_H
#define SAT_PROTOCOL_MESSAGE_H

#include "common/model/attachment.h"
#include "common/model/number.h"
#include "protocol/batch.h"
#include "protocol/epoch.h"
#include "protocol/digest.h"
#include "protocol/registry.h"
#include "protocol/rekey.h"
#include "protocol/wipe.h"

typedef enum sat_msg_type {
	SAT_MSG_ERROR = 0,
	SAT_MSG_HELLO = 1, SAT_MSG_WELCOME = 2,
	SAT_MSG_PUSH = 3, SAT_MSG_VERDICTS = 4,
	SAT_MSG_PULL = 5, SAT_MSG_DELTA = 6,
	SAT_MSG_SNAP = 7, SAT_MSG_CHUNK = 8,
	SAT_MSG_REGISTRY = 9, SAT_MSG_REGISTRY_IS = 10,
	SAT_MSG_TEMPLATE = 11, SAT_MSG_TEMPLATE_IS = 12,
	SAT_MSG_ENROL = 13, SAT_MSG_ENROLLED = 14,
	SAT_MSG_WAIT = 15, SAT_MSG_WAITED = 16,
	SAT_MSG_NUMBERS = 17, SAT_MSG_NUMBERS_IS = 18,
	SAT_MSG_LEDGER = 19, SAT_MSG_LEDGER_IS = 20,
	SAT_MSG_ERASED = 21, SAT_MSG_ERASED_OK = 22,
	SAT_MSG_DIGEST = 23, SAT_MSG_DIGEST_IS = 24,
	SAT_MSG_REFETCH = 25, SAT_MSG_REFETCH_IS = 26,
	SAT_MSG_SEED = 27, SAT_MSG_SEEDED = 28,
	SAT_MSG_DIRECTORY = 29, SAT_MSG_DIRECTORY_IS = 30,
	SAT_MSG_PRIVACY = 31, SAT_MSG_PRIVACY_IS = 32,
	SAT_MSG_HOLD = 33, SAT_MSG_HELD = 34,
	SAT_MSG_REVEAL = 43, SAT_MSG_REVEALED = 44,
	/* the order instead of WELCOME; its receipt, and the same back (P-381, P-384) */
	SAT_MSG_WIPE = 47, SAT_MSG_WIPED = 48,
	/* other keys, from this position of its chain on (P-387) */
	SAT_MSG_REKEY = 49, SAT_MSG_REKEYED = 50,
	SAT_MSG_ADMIN = 55, SAT_MSG_ADMIN_IS = 56,
	SAT_MSG_FILE_PUT = 57, SAT_MSG_FILE_TAKEN = 58,
	SAT_MSG_FILE_GET = 59, SAT_MSG_FILE_IS = 60,
	SAT_MSG_LAST = 60,
} sat_msg_type;

typedef struct sat_msg_error {
	uint32_t rc;     /* sat_rc */
	sat_span code, text, hint;
} sat_msg_error;

/* What became of work of a device that was handed over (P-323). */
#define SAT_ANSWERS_MAX 64 /* told with one WELCOME; the next has the rest */
typedef struct sat_answer {
	uint64_t lsn;            /* of the commit that answered */
	sat_hlc hlc;             /* stamp of the device's own commit */
	sat_id rec;              /* the record it was suggested on */
	uint16_t kind;
	bool accepted;           /* all or some of it; else declined */
	uint32_t by;             /* user ordinal */
	int64_t at_ms;           /* server's clock */
} sat_answer;

/* HELLO and WELCOME are read before both sides know each other: what follows
 * their last member is of a later release, and is passed over. */
typedef struct sat_hello {
	uint32_t proto_min, proto_max;
	uint32_t device, incarnation;
	uint64_t cursor;        /* applied LSN; 0 = nothing yet */
	uint64_t epoch;         /* of the server it last followed (P-200) */
	uint64_t ledger_rev;    /* erasures carried out (P-190) */
	uint64_t registry_rev;
	uint8_t template_oid[SAT_TEMPLATE_OID_BYTES];
	int64_t wall_ms;
	int64_t permit_ms;      /* until when it may be used; 0 = none (P-189) */
	uint64_t features;      /* SAT_FEATURE_* */
	/* the newest commit that has no verdict yet (P-220); 0 = none has to */
	uint32_t unsent_inc;
	uint64_t unsent_cseq;
	uint64_t coverage_rev;  /* of others' reports known here; 0 = all is asked
	                           for (P-221) */
	uint64_t answered;      /* answers up to this LSN are known (P-323) */
} sat_hello;

/* How far other devices have reported. */
typedef struct sat_reported {
	uint32_t device;
	int64_t at_ms;           /* server's clock: all it had then is there */
} sat_reported;
typedef struct sat_coverage {
	uint64_t rev;            /* of the newest row; 0 when there is none */
	sat_reported *row;
	size_t n;
} sat_coverage;

typedef struct sat_welcome {
	uint32_t proto;
	int64_t wall_ms;         /* the server's */
	uint64_t head;           /* last LSN of the log */
	uint64_t scope_head;     /* last LSN that concerns this device (<= head) */
	uint64_t durable;        /* highest LSN inside a verified backup */
	uint64_t epoch;
	uint64_t last_cseq;      /* of (device, incarnation) */
	uint64_t registry_rev;
	uint64_t ledger_rev;
	bool template_same;      /* as in the HELLO: not sent, zero when read */
	uint8_t template_oid[SAT_TEMPLATE_OID_BYTES];
	sat_span *certs;         /* sat_epoch_write, of the epochs after the
	                            device's, ascending */
	size_t ncerts;
	sat_span permit;         /* sat_permit_write; {NULL,0} = keep yours */
	uint64_t truncated;      /* no pull from a cursor below it (P-187) */
	bool has_sum;            /* the cursor has reached scope_head */
	sat_sum sum;             /* of all this device holds then (P-181) */
	uint64_t features;       /* SAT_FEATURE_* */
	sat_coverage coverage;   /* what others reported since HELLO's revision
	                            (P-222); it holds true of whoever has all
	                            up to scope_head (P-223) */
	sat_answer *answers;     /* after HELLO's `answered`, ascending LSN */
	size_t nanswers;
} sat_welcome;

/* Why commits before the first one of a push are not sent (P-203). */
typedef enum sat_gap {
	SAT_GAP_NONE = 0,
	SAT_GAP_GONE = 1,     /* left the outbox: a verified backup had them */
	SAT_GAP_REFUSED = 2,  /* a server refused them; kept in quarantine */
	SAT_GAP_LAST = 2,
} sat_gap;

/* One commit on servers that are gone: its positions there (P-205), and the
 * numbers it had, the newest first, when it goes on under another (P-391). */
#define SAT_OLD_MAX 8
#define SAT_WAS_MAX 8
typedef struct sat_was {
	uint32_t incarnation;
	uint64_t cseq;
} sat_was;
typedef struct sat_old {
	size_t n;
	uint64_t at[SAT_OLD_MAX];
	size_t nwas;
	sat_was was[SAT_WAS_MAX];
} sat_old;

typedef struct sat_push {
	uint32_t incarnation;
	uint64_t first_cseq;
	uint8_t prev[SAT_HASH_BYTES];  /* header hash before first_cseq */
	uint8_t sig[SAT_SIG_BYTES];    /* over sat_batch_sign_bytes */
	sat_span batch;                /* SAT_BATCH_PUSH; sealed: sat_sealed_read */
	bool sealed;                   /* a kiosk's (P-361) */
	sat_gap gap;                   /* a restored server may go on behind it */
	/* what a lost server may have made of each, in the order of the batch;
	 * NULL, 0 when there is none of which there is anything to say */
	sat_old *old;
	size_t nold;
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
	sat_hlc eff;             /* on the wire 0 = the commit's own stamp */
	uint32_t op;             /* the op that decided, when rejected; that the
	                            hint of an accepted one is about */
	sat_span slug, hint;     /* "denied", "USE_VALUE", ...; an accepted one
	                            has a hint at most (P-322) */
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
	uint32_t max_bytes;      /* soft; 0 = the most the server gives */
} sat_pull;

/* Commits first..last of a chain were accepted at or below the position `upto`
 * of the log (P-250). */
typedef struct sat_place {
	uint64_t upto;
	uint32_t device, incarnation;
	uint64_t first, last;
} sat_place;

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
	sat_hlc max_eff;         /* on the wire 0 = the largest of `batch` */
	sat_rescope *rescopes;
	size_t nrescopes;
	sat_span records;        /* sat_records_read; {NULL,0} when none */
	sat_span batch;          /* SAT_BATCH_PULL; {NULL,0} when none */
	bool has_sum;            /* upto is the log's head */
	sat_sum sum;             /* of all this device holds at upto (P-181) */
	sat_place *heads;        /* what the states hold; none above `head` */
	size_t nheads;
	/* not on the wire: what these hold, once the session has read them */
	bool decoded;
	sat_record *recs;
	sat_commit *commits;
	size_t nrecs, ncommits;
} sat_delta;

typedef struct sat_snap {
	uint64_t after;      /* 0 at the start */
} sat_snap;
typedef struct sat_chunk {
	uint64_t lsn;            /* the log's head when it was read */
	uint64_t next;           /* continue after this one (P-092) */
	bool done;
	uint64_t total;          /* records visible in all, for progress */
	sat_hlc max_eff;
	uint8_t hash[SAT_HASH_BYTES]; /* of `records` */
	sat_span records;
	sat_place *heads;        /* what they hold; none above `lsn` */
	size_t nheads;
	/* not on the wire: checked against the hash and read by the session */
	bool decoded;
	sat_record *recs;
	sat_sum *sums;           /* of each of them (P-180); NULL: not known */
	size_t nrecs;
} sat_chunk;

/* Sums by kind and bucket, ascending, after this one; those that are zero may
 * be left out. The same order in the answer. */
typedef struct sat_digest {
	uint16_t kind;
	uint32_t bucket;
} sat_digest;
typedef struct sat_bucket_sum {
	uint16_t kind;
	uint32_t bucket;
	sat_sum sum;
} sat_bucket_sum;
typedef struct sat_digest_is {
	uint64_t lsn, scope_head; /* of the log, of the device's scope */
	bool done;               /* no more behind the last one */
	sat_bucket_sum *sums;
	size_t n;
} sat_digest_is;

/* The states of the records of one kind in a range of numbers. */
typedef struct sat_refetch {
	uint16_t kind;
	uint32_t after_eid, to_eid; /* after < eid <= to */
} sat_refetch;
typedef struct sat_refetch_is {
	uint64_t scope_head;
	uint32_t next_eid;       /* all up to it are here; to_eid at the end */
	sat_hlc max_eff;
	sat_span records;        /* as in a chunk; {NULL,0} when none */
	uint64_t lsn;            /* the log's head when they were read */
	sat_place *heads;        /* as in a chunk */
	size_t nheads;
	/* not on the wire */
	bool decoded;
	sat_record *recs;
	size_t nrecs;
} sat_refetch_is;

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

/* ---- after the loss of a server (P-200..P-209) ------------------------------ */

typedef struct sat_chain_known { /* the furthest this device saw of another's; of its
                                  own, up to where it let go (P-206) */
	uint32_t device;
	uint64_t cseq;
} sat_chain_known;

/* What a device knows and the new server may not. */
typedef struct sat_seed {
	uint64_t epoch;
	sat_chain_known *known;
	size_t nknown;
	uint8_t tip[SAT_TEMPLATE_OID_BYTES]; /* zero = no bundle */
	sat_span bundle;         /* a template newer than the server's */
	sat_span records;        /* states with positions that were lost */
	sat_place *places;       /* what they hold (P-250) */
	size_t nplaces;
} sat_seed;
typedef struct sat_seeded {
	uint64_t taken, known, refused;
	bool closed;             /* no (more) states are taken from this device */
	uint8_t template_oid[SAT_TEMPLATE_OID_BYTES]; /* published now */
} sat_seeded;

/* The verdict about an operation on an erased record: nothing of it was kept,
 * here or there. */
#define SAT_SLUG_ERASED "erased"
/* The verdict about a commit whose box the server could not open (P-363). */
#define SAT_SLUG_SEALED "sealed"

/* ---- erasure (P-190..P-197) ------------------------------------------------- */

#define SAT_ERASE_REASON_MAX 200
typedef struct sat_erasure {
	uint64_t rev;            /* place in the ledger, from 1 */
	sat_id subject;          /* the customer's record: a random number */
	uint64_t lsn;            /* where the log says so */
	int64_t at_ms;
	uint32_t by, second;     /* user ordinals: who asked, who confirmed */
	sat_span reason;
	uint8_t sig[SAT_SIG_BYTES]; /* of the server's key, sat_erasure_bytes */
} sat_erasure;
/* What the signature covers; it stays true on a restored server. */
void sat_erasure_bytes(sat_buf *b, const sat_id *org, const sat_erasure *x);

typedef struct sat_ledger {
	uint64_t after;          /* request: entries above this revision */
	uint64_t rev;            /* answer: newest there is */
	sat_erasure *e;          /* request: entries a restored server lacks */
	size_t n;
} sat_ledger;

typedef struct sat_erased { /* the device's receipt */
	uint64_t rev;            /* all up to this one are carried out */
	uint8_t sig[SAT_SIG_BYTES]; /* of the device, sat_erased_bytes */
} sat_erased;
void sat_erased_bytes(sat_buf *b, const sat_id *org, uint32_t device,
    uint64_t rev);

typedef enum sat_privacy_verb {
	SAT_PRIVACY_LIST = 0, SAT_PRIVACY_ERASE = 1, SAT_PRIVACY_CONFIRM = 2,
	SAT_PRIVACY_LAST = 2,
} sat_privacy_verb;
typedef struct sat_privacy {
	sat_privacy_verb verb;
	sat_id subject;
	sat_span reason;
} sat_privacy;
typedef struct sat_privacy_row {
	sat_id subject;
	bool done;               /* else it waits for a second person */
	int64_t at_ms;
	uint32_t by, second;
	sat_span reason;
	uint64_t confirmed, pending, expired; /* devices */
} sat_privacy_row;
typedef struct sat_privacy_is {
	sat_privacy_row *row;
	size_t n;
} sat_privacy_is;

/* How far devices are: those of the people the asker may give customers
 * to or take them from. DIRECTORY has no body. */
typedef struct sat_whereabouts {
	uint32_t device, user;
	int64_t seen_ms;         /* last contact; 0 = never */
	uint64_t cursor;         /* position it last reported */
	uint64_t scope_head;     /* last one that concerns it; above the cursor:
	                            it does not know yet what came or went */
} sat_whereabouts;
typedef struct sat_directory {
	sat_whereabouts *row;
	size_t n;
} sat_directory;

/* Live sync (P-210): answered when something is newer than this, or when the
 * server's patience ends. */
typedef struct sat_wait {
	uint64_t cursor, registry_rev;
	uint8_t template_oid[SAT_TEMPLATE_OID_BYTES];
} sat_wait;

enum {
	SAT_WAITED_LOG = 1,      /* a commit that concerns the device */
	SAT_WAITED_SETTINGS = 2, /* registry or template */
};
#define SAT_SPREAD_MS_MAX 60000
typedef struct sat_waited {
	uint32_t what;           /* 0 = time is up, nothing is new */
	uint32_t spread_ms;      /* ask at a random moment within this (P-214) */
} sat_waited;
/* Numbers in advance (P-141). NUMBERS: the series this device wants more of,
 * each with the last number of the ranges it knows (0 = none). NUMBERS_IS: the
 * ranges behind those, ascending. */
#define SAT_SERIES_WANTED_MAX 16
#define SAT_RANGES_MAX 256
typedef struct sat_number_range {
	char series[SAT_SERIES_TEXT];
	uint64_t first, last;    /* NUMBERS: last is the last known, first 0 */
} sat_number_range;
typedef struct sat_numbers {
	sat_number_range *r;
	size_t n;
} sat_numbers;

/* One value of one record that the asker's role is not shown (P-248). REVEALED
 * has it, and the record that tells whoever looks after the customer. */
#define SAT_REVEAL_REASON_MAX 200
typedef struct sat_reveal {
	sat_id rec;
	uint16_t field;
	sat_span reason;  /* UTF-8, 2 bytes or more */
} sat_reveal;
typedef struct sat_revealed {
	sat_value value;
	sat_id disclosure;
} sat_revealed;

/* Customers of a pool kept for this user (P-154). HOLD: how many he wants to
 * have; HELD: the ones he has, with what he had before. */
#define SAT_HOLDS_MAX 1000
typedef struct sat_hold {
	sat_id id;
	int64_t until_ms;
} sat_hold;
typedef struct sat_held {
	sat_hold *h;
	size_t n;
} sat_held;

/* The words of one verb of the server, UTF-8 (P-370); ADMIN_IS: its JSON, or
 * nothing. */
#define SAT_ADMIN_WORDS_MAX 32
#define SAT_ADMIN_WORD_MAX 512
#define SAT_ADMIN_ANSWER_MAX (1024u * 1024)
typedef struct sat_admin_words {
	sat_span *word;
	size_t n;
} sat_admin_words;

/* A piece of the content of a file that the record names (P-440): SAT_FILE_PIECE
 * bytes, the last one what is left; without data it asks how far the server is. */
typedef struct sat_file_put {
	sat_id rec;
	uint8_t hash[SAT_HASH_BYTES]; /* of the whole */
	uint64_t bytes, at;           /* of the whole; where the piece begins */
	sat_span data;
} sat_file_put;
typedef enum sat_file_fate {
	SAT_FILE_MORE = 0,    /* go on at `have` */
	SAT_FILE_KEPT = 1,    /* all of it is durable at the server */
	SAT_FILE_REFUSED = 2, /* no record you may give it to names it */
	SAT_FILE_LATER = 3,   /* not now: the quota, a disk that is full */
	SAT_FILE_FATE_LAST = 3,
} sat_file_fate;
typedef struct sat_file_taken {
	sat_file_fate fate;
	uint64_t have;
} sat_file_taken;
typedef struct sat_file_get {
	sat_id rec;
	uint8_t hash[SAT_HASH_BYTES];
	uint64_t at;
} sat_file_get;
typedef struct sat_file_is {
	uint64_t bytes, at;
	sat_span data;
} sat_file_is;

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
		sat_digest digest;
		sat_digest_is digest_is;
		sat_refetch refetch;
		sat_refetch_is refetch_is;
		sat_enrol enrol;
		sat_enrolled enrolled;
		sat_wait wait;
		sat_waited waited;
		uint8_t template_have[SAT_TEMPLATE_OID_BYTES]; /* TEMPLATE */
		struct {
			uint8_t tip[SAT_TEMPLATE_OID_BYTES];
			sat_span bundle; /* common/git bundle; {NULL,0} = you have it */
		} template_is;
		sat_span registry; /* REGISTRY_IS: sat_registry_read */
		sat_seed seed;
		sat_seeded seeded;
		sat_ledger ledger; /* LEDGER and LEDGER_IS */
		sat_erased erased;
		sat_span wipe;       /* sat_wipe_read */
		sat_wiped wiped;
		sat_rekey rekey;
		sat_rekeyed rekeyed;
		sat_admin_words admin;
		sat_span admin_is;
		sat_privacy privacy;
		sat_privacy_is privacy_is;
		sat_directory directory;
		sat_numbers numbers; /* NUMBERS, NUMBERS_IS */
		sat_reveal reveal;
		sat_revealed revealed;
		uint64_t hold;       /* HOLD */
		sat_held held;
		sat_file_put file_put;
		sat_file_taken file_taken;
		sat_file_get file_get;
		sat_file_is file_is;
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
