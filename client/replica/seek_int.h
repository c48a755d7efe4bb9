/*
 * seek_int.h - a lane of the search index being read, for seek.c and seek_lane.c.
 */
#ifndef SAT_REPLICA_SEEK_INT_H
#define SAT_REPLICA_SEEK_INT_H

#include "client/replica/search_int.h"

typedef struct seek_lane {
	sat_stmt *s;         /* NULL: at its end; else reset by whoever stops */
	search_walk w;       /* the entry it stands at */
	const uint8_t *near; /* entries before are out; NULL: all, in the block */
	bool each;           /* every entry is looked at by itself */
} seek_lane;

/* At its end when the kind has no such lane, or it cannot answer. Stands at no
 * entry yet. */
SAT_CHECK sat_rc seek_lane_open(seek_lane *ln, sat_replica *r,
    const replica_kind *k, int part, int l, const sat_needle *q, sat_err *e);
/* To the next entry one of the words, or the phone, may be in. */
SAT_CHECK sat_rc seek_lane_next(seek_lane *ln, const sat_needle *q, int l,
    sat_err *e);
/* Where a text of the entry, or of several on end, may be met by the word; by
 * its pinyin in SEARCH_WIDE: of one entry, and no more than whether. */
const uint8_t *seek_word_near(const sat_needle *q, size_t i, int l,
    sat_span body);

#endif
