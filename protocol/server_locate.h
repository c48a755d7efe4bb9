/*
 * server_locate.h - finding what a commit is about. Inside of the room.
 */
#ifndef SAT_PROTOCOL_SERVER_LOCATE_H
#define SAT_PROTOCOL_SERVER_LOCATE_H

#include "protocol/server_int.h"

/* Zero but for j and m, which live as long. */
typedef struct locating {
	judging *j;
	merging *m;
	bool follows;       /* it needs what is only suggested so far */
	suggested only;     /* asked for what is not there */
} locating;

/* The record of operation i, in m->of[i] and touched; NULL when it is only
 * suggested (follows). Of SAT_OP_NEW it is born in the working set.
 *
 * @return SAT_EFALSE when the commit is refused or parked for it: its verdict
 *         is written, and what the earlier operations did is the caller's to
 *         undo. */
SAT_CHECK sat_rc sat_srv_locate(locating *x, size_t i, sat_err *e);
/* B11: the customer of a fresh record, after all operations were located; the
 * same codes. */
SAT_CHECK sat_rc sat_srv_find_root(locating *x, wrec *w, sat_err *e);

#endif
