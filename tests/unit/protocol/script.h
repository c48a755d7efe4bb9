/*
 * script.h - the session machine of a device against a scripted server.
 */
#ifndef SAT_TESTS_PROTOCOL_SCRIPT_H
#define SAT_TESTS_PROTOCOL_SCRIPT_H

#include "tests/lib/unit.h"

#include "protocol/client.h"

typedef struct script {
	/* the replica's side */
	uint64_t cursor, registry_rev, waits; /* commits without a verdict */
	uint64_t first;                       /* cseq of the first of them */
	uint64_t behind;                      /* commits that do not fit with them */
	bool snap_wanted, stuck_outbox, own_lost;
	bool too_old;                         /* for any template that comes */
	bool wants_numbers, has_file;         /* NUMBERS, FILE_PUT: one each */
	sat_rc delta_rc;
	int welcomes, registries, templates, verdict_calls, chunks, deltas;
	uint64_t from_seen, accepted;
	uint64_t first_lsn;                   /* of the first chunk's answer */
	uint32_t flags_seen;
	uint8_t tip[20];
	int guess;                            /* type of the last one; 0: none */
	sat_clock clock;
	sat_cs *cs;
	sat_arena a;
	sat_buf q;
} script;

/* The replica's side, for a session of one's own. */
sat_client_ops script_ops(script *s);

void start(script *s, unsigned flags);
void stop(script *s);

/* The next question; twice, and it must be the same. */
sat_msg asked(script *s);

bool finished(script *s);
sat_rc answer(script *s, const sat_msg *m, sat_err *e);

/* A session whose HELLO has this answer. */
void opened(script *s, unsigned flags, const sat_msg *welcome_is);

sat_msg a_welcome(uint64_t scope_head);
sat_msg a_delta(uint64_t upto, uint64_t scope_head);

/* An empty one, and where the next begins. */
sat_msg a_chunk(uint64_t next);

sat_msg a_gap(uint64_t need_cseq);
sat_msg a_template(void);
sat_msg some_verdicts(sat_verdict *v, uint64_t first, size_t n);

#endif
