/*
 * byz_moves.h - one move of a hostile device, and what moves share.
 *
 * A move that must never change the log says so: then the log's head is
 * compared before and after. The others may be let in when they are about the
 * device's own records.
 */
#ifndef SAT_TESTS_BYZ_MOVES_H
#define SAT_TESTS_BYZ_MOVES_H

#include "tests/sim/byz.h"

typedef struct bmove {
	const char *name;
	bfate (*make)(evil *v);
	bool never; /* may never change the log */
	bool quiet; /* asks for something: there is no verdict */
	unsigned long n, end[4]; /* made; by bfate */
} bmove;
/* Each ends with a name NULL. */
extern bmove byz_chain[], byz_rights[], byz_load[], byz_frames[];

/* In the bytes of its customers' names, to be replaced. */
#define BYZ_WORD "EVILWORD"

uint64_t byz_draw(evil *v, uint64_t n);
sat_value byz_txt(const char *s);
sat_op byz_op(sat_op_kind kind, const sat_id *rec, uint16_t field,
    sat_value value);
/* A record an honest device made and the server knows, or NULL. */
const brec *byz_victim(evil *v);
const char *byz_my_key(evil *v); /* of its user */
sat_commit byz_own_customer(evil *v); /* a new one, not sent */
sat_id byz_own_record(evil *v);
bfate byz_one_op(evil *v, const sat_id *subject, sat_op op);

#endif
