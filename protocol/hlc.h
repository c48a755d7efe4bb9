/*
 * hlc.h - the clock that orders operations (sync design B3; P-010..P-016).
 *
 * 48-bit ms and a 16-bit counter in one integer; counter overflow carries into
 * the milliseconds. Nobody refuses a stamp: the server clamps once, at
 * ingestion, and everyone adopts the clamped value. Pure arithmetic.
 *
 * Invariants, named in the tests:
 *   H1  a device's stamps only rise.
 *   H2  after learning x the next stamp is above x.
 *   H3  clamped stamps of one device only rise.
 *   H4  a stamp made after seeing a clamped stamp is clamped above it.
 */
#ifndef SAT_PROTOCOL_HLC_H
#define SAT_PROTOCOL_HLC_H

#include "common/base/err.h"

typedef uint64_t sat_hlc;

static inline sat_hlc
sat_hlc_of_ms(int64_t ms)
{
	return ms <= 0 ? 0 : (sat_hlc)ms << 16;
}
static inline int64_t
sat_hlc_ms(sat_hlc h)
{
	return (int64_t)(h >> 16);
}

/* The largest stamp that is taken from somebody else (P-010): the year 5314. No
 * clock reaches it, and above it there is room to count on for ever. */
#define SAT_HLC_TOLD_MAX (((sat_hlc)1 << 62) + ((sat_hlc)1 << 61))

typedef struct sat_hlc_state {
	sat_hlc last;      /* persisted with every commit and pull */
	int64_t offset_ms; /* server minus wall, learnt at handshake */
	int64_t wall_ms;   /* last wall reading, persisted; 0 = never */
	int64_t boot_ms;   /* boot clock at that reading; -1 after a restart */
	bool suspect;      /* the wall clock went back by more than 2 s */
} sat_hlc_state;

/* The next own stamp. Sets `suspect`. Cannot fail. */
sat_hlc sat_hlc_tick(sat_hlc_state *s, int64_t wall_ms, int64_t boot_ms);
/* Does this reading lie more than 2 s before the last one that was believed? */
bool sat_hlc_set_back(const sat_hlc_state *s, int64_t wall_ms);
/* Learn the largest clamped stamp of an applied batch; one above
 * SAT_HLC_TOLD_MAX teaches nothing. */
void sat_hlc_learn(sat_hlc_state *s, sat_hlc seen);
/* Learn the offset from one handshake sample; keeps the min-RTT of 5. */
typedef struct sat_hlc_offset {
	int64_t rtt_ms[5], offset_ms[5];
	unsigned n;
} sat_hlc_offset;
void sat_hlc_sample(sat_hlc_state *s, sat_hlc_offset *o, int64_t sent_wall_ms,
    int64_t got_wall_ms, int64_t server_wall_ms);

/* The server's clamp; both members monotone and persisted. */
typedef struct sat_hlc_clamp {
	int64_t now_ms;
	sat_hlc last_clamped;
} sat_hlc_clamp;
/* eff = max(prev_eff + 1, min(hlc, limit)), limit = max(now + 60 s,
 * last_clamped + 1). *clamped tells whether the stamp was cut. */
sat_hlc sat_hlc_admit(sat_hlc_clamp *c, int64_t wall_ms, sat_hlc hlc,
    sat_hlc prev_eff, bool *clamped);

#endif
