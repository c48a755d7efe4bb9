/*
 * look.h - what an operator looks at: the log commit by commit, what a replay
 * of it does, conflicts that are open. It reads and changes nothing, on the
 * core's thread, between requests.
 */
#ifndef SAT_PROTOCOL_LOOK_H
#define SAT_PROTOCOL_LOOK_H

#include "protocol/record.h"
#include "protocol/server.h"

typedef struct sat_look_commit {
	int64_t received_ms;
	sat_verdict_code verdict;
	bool erased;         /* its payload is gone: no ops */
	const sat_commit *c; /* lsn and eff are set */
} sat_look_commit;
/* Commits at from..to, ascending; positions given back after a loss have none.
 * What cb gets is borrowed for the call; it returns false to stop. */
SAT_CHECK sat_rc sat_server_look(sat_server *s, uint64_t from, uint64_t to,
    bool (*cb)(void *cu, const sat_look_commit *x), void *cu, sat_err *e);
/* The last position given. */
SAT_CHECK sat_rc sat_server_head(sat_server *s, uint64_t *lsn, sat_err *e);

typedef struct sat_look_conflict {
	sat_id rec;
	const sat_kind *kind;   /* of the published template */
	const sat_field *field; /* NULL: deleted while somebody edited */
	uint64_t opened_lsn;    /* 0 = not known */
	const sat_candidate *candidates; /* newest first; none without a field */
	size_t n;
} sat_look_conflict;
/* Every open conflict, by record number and field. As above. */
SAT_CHECK sat_rc sat_server_conflicts(sat_server *s,
    bool (*cb)(void *cu, const sat_look_conflict *x), void *cu, sat_err *e);

/* One operation of a replay, as the merge decided. */
typedef struct sat_replayed {
	uint64_t lsn;
	uint32_t device;
	const sat_op *op;
	bool echoed;         /* it followed a merged record (P-171) */
	const sat_applied *did;
} sat_replayed;
typedef struct sat_replay {
	uint64_t from;       /* operations below are folded and not told */
	bool verify;         /* compare with what is stored, as sat_server_verify */
	void (*cb)(void *cu, const sat_replayed *x); /* may be NULL */
	void *cu;
	uint64_t commits, records; /* out; records: compared, 0 without verify */
} sat_replay;
/* Fold the log from nothing. SAT_EINTEGRITY names the first fault. */
SAT_CHECK sat_rc sat_server_replay(sat_server *s, sat_replay *r, sat_err *e);

/* How a user stands to a record, as the judge of his changes asks. */
typedef struct sat_stands {
	const sat_kind *kind; /* NULL: not in the published template */
	sat_relation relation;
	bool sees;
} sat_stands;
/* SAT_ENOTFOUND: no such record. */
SAT_CHECK sat_rc sat_server_stands(sat_stands *out, sat_server *s,
    const sat_user *user, const sat_id *rec, sat_err *e);

/* The owner of a record, or of the customer it hangs on, as the key of a user,
 * appended; nothing when it has none, or is not there. */
SAT_CHECK sat_rc sat_server_owner(sat_buf *out, sat_server *s,
    const sat_id *rec, sat_err *e);

/* The number people know a record by, appended; nothing when it has none, or is
 * not there. */
SAT_CHECK sat_rc sat_server_number(sat_buf *out, sat_server *s,
    const sat_id *rec, sat_err *e);

#endif
