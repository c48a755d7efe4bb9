/*
 * rotation.h - who receives the next visitor (轮排). Pure.
 *
 * Stations write what happened (somebody joins, leaves, receives, is skipped,
 * two swap); the queue is the fold of that list in the order of stamps. No
 * station leads: two that could not talk fold the same list when they can, and
 * have the same queue. What they could not know meanwhile shows as `blind`, and
 * a consultant whom both sent for as `clash`.
 */
#ifndef SAT_MODEL_ROTATION_H
#define SAT_MODEL_ROTATION_H

#include "common/model/value.h"

typedef enum sat_turn_what {
	SAT_TURN_JOIN = 1, /* stands at the end */
	SAT_TURN_LEAVE,
	SAT_TURN_SERVE,    /* receives a visitor: goes to the end */
	SAT_TURN_SKIP,     /* loses a turn: goes to the end */
	SAT_TURN_SWAP,     /* changes places with `other` */
} sat_turn_what;

typedef struct sat_turn {
	sat_id id;
	uint64_t stamp;    /* orders; ties by id */
	sat_turn_what what;
	sat_span who, other;
	bool returning;    /* SERVE: his own customer came again; costs no turn */
	sat_id after;      /* the last one its author knew of, in this order; zero */
} sat_turn;

typedef enum sat_turn_effect {
	SAT_TURN_NOTHING,  /* joined twice, left without being there, ... */
	SAT_TURN_DONE,
	SAT_TURN_OUT_OF_TURN, /* received although another one was first */
	SAT_TURN_STAND_IN, /* received without standing in the queue */
} sat_turn_effect;

typedef struct sat_turn_done {
	const sat_turn *turn;
	sat_turn_effect effect;
	bool blind;        /* its author had not heard of the one before it */
	bool clash;        /* SERVE: and that one sent for the same consultant */
} sat_turn_done;

typedef struct sat_turn_place {
	sat_span who;
	int served, returning, skipped; /* of this list; also after leaving */
	bool here;
} sat_turn_place;

typedef struct sat_rotation {
	sat_turn_place *place; /* those who are here first, in the order of their
	                          turns; then those who left, by key */
	size_t nhere, n;
	sat_turn_done *log;    /* in order, each once */
	size_t nlog;
} sat_rotation;

/* Everything in `a`, spans borrowed from the turns. In any order, repeated or
 * not: the same queue. */
void sat_rotation_fold(sat_rotation *out, sat_arena *a, const sat_turn *turns,
    size_t n);

#endif
