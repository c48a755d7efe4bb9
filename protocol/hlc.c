#include "protocol/hlc.h"

#include "protocol/limits.h"

/*
 * Stamps are kept below 2^63 so that a database can hold them as signed
 * integers. A wall clock is believed up to 2^46 ms (the year 4199); what lies
 * above is room for counting on (P-010).
 */
#define WALL_MAX_MS ((int64_t)1 << 46)
/* A wall clock may step back this far before we stop believing it (P-012). */
#define BACK_MAX_MS 2000

static int64_t
bound_ms(int64_t ms)
{
	if (ms < 0)
		return 0;
	return ms > WALL_MAX_MS ? WALL_MAX_MS : ms;
}

bool
sat_hlc_set_back(const sat_hlc_state *s, int64_t wall_ms)
{
	return s->wall_ms != 0 && wall_ms < s->wall_ms - BACK_MAX_MS;
}

/*
 * What the wall clock should show: its own reading, or, when it was set back,
 * the last good reading plus the time the boot clock counted since. After a
 * restart the boot clock tells nothing, then time stands still until the wall
 * clock has caught up; the order of own commits holds either way (H1).
 */
static int64_t
believed_wall(sat_hlc_state *s, int64_t wall_ms, int64_t boot_ms)
{
	int64_t gone = 0;

	s->suspect = sat_hlc_set_back(s, wall_ms);
	if (!s->suspect)
		return wall_ms;
	if (s->boot_ms >= 0 && boot_ms > s->boot_ms)
		gone = bound_ms(boot_ms - s->boot_ms);
	return bound_ms(s->wall_ms + gone);
}

sat_hlc
sat_hlc_tick(sat_hlc_state *s, int64_t wall_ms, int64_t boot_ms)
{
	int64_t phys_ms;
	sat_hlc phys;

	s->wall_ms = believed_wall(s, bound_ms(wall_ms), boot_ms);
	s->boot_ms = boot_ms;
	if (__builtin_add_overflow(s->wall_ms, s->offset_ms, &phys_ms))
		phys_ms = s->wall_ms;
	phys = sat_hlc_of_ms(bound_ms(phys_ms));
	s->last = phys > s->last ? phys : s->last + 1; /* H1 */
	return s->last;
}

void
sat_hlc_learn(sat_hlc_state *s, sat_hlc seen)
{
	/* No server gives such a stamp; who counted on from it could soon write
	 * nothing more. */
	if (seen > SAT_HLC_TOLD_MAX)
		return;
	if (seen > s->last)
		s->last = seen; /* H2 */
}

void
sat_hlc_sample(sat_hlc_state *s, sat_hlc_offset *o, int64_t sent_wall_ms,
    int64_t got_wall_ms, int64_t server_wall_ms)
{
	unsigned kept, best = 0, slot = o->n % 5;
	int64_t rtt_ms;

	/* A clock that was set between the two readings measures nothing. */
	if (sent_wall_ms < 0 || got_wall_ms < sent_wall_ms ||
	    got_wall_ms > WALL_MAX_MS || server_wall_ms < 0 ||
	    server_wall_ms > WALL_MAX_MS)
		return;
	rtt_ms = got_wall_ms - sent_wall_ms;
	o->rtt_ms[slot] = rtt_ms;
	o->offset_ms[slot] = server_wall_ms - (sent_wall_ms + rtt_ms / 2);
	/* n stays in 5..9 once the ring is full, so that it never wraps */
	o->n = o->n == 9 ? 5 : o->n + 1;
	kept = o->n < 5 ? o->n : 5;
	for (unsigned i = 1; i < kept; i++)
		if (o->rtt_ms[i] < o->rtt_ms[best])
			best = i;
	s->offset_ms = o->offset_ms[best];
	/* The offset belongs to the wall clock as it runs now: a reading that
	 * was carried on by hand would be counted twice. */
	s->wall_ms = got_wall_ms;
	s->boot_ms = -1;
	s->suspect = false;
}

/*
 * Why `last_clamped` follows every stamp that reaches the limit, cut or not:
 * whoever saw it has a higher stamp, which must not be cut back to the same
 * limit (H4). Limits only rise, so a stamp below its limit needs no such care.
 */
sat_hlc
sat_hlc_admit(sat_hlc_clamp *c, int64_t wall_ms, sat_hlc hlc, sat_hlc prev_eff,
    bool *clamped)
{
	sat_hlc limit, eff;

	wall_ms = bound_ms(wall_ms);
	if (wall_ms > c->now_ms)
		c->now_ms = wall_ms;
	limit = sat_hlc_of_ms(c->now_ms + SAT_CLAMP_MS);
	if (limit <= c->last_clamped)
		limit = c->last_clamped + 1;
	*clamped = hlc > limit;
	eff = *clamped ? limit : hlc;
	if (eff <= prev_eff)
		eff = prev_eff + 1; /* H3 */
	if (eff >= limit)
		c->last_clamped = eff; /* H4 */
	return eff;
}
