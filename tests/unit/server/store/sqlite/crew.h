/*
 * crew.h - people whose customers are merged, and what their devices then hold.
 */
#ifndef SAT_TESTS_SERVER_STORE_SQLITE_CREW_H
#define SAT_TESTS_SERVER_STORE_SQLITE_CREW_H

#include "tests/unit/server/store/sqlite/device.h"

own *merge(device *d, sat_id loser, sat_id winner);
own *unmerge(device *d, sat_id loser);
sat_value value_at(device *d, sat_id id, uint16_t field);
const char *text_at(device *d, sat_id id, uint16_t field);
size_t candidates_at(device *d, sat_id id, uint16_t field, sat_policy policy);

typedef struct crew {
	world *w;
	device *ann, *bob, *sue, *max, *mia, *hq, *all[6];
} crew;

crew crew_new(uint64_t seed);
void all_sync(crew *c);
void all_agree(crew *c);
void crew_free(crew *c);

#endif
