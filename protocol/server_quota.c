/*
 * server_quota.c - what one device may send (P-096).
 *
 * A bucket per device that drains at a day's share a day and holds what adds up
 * over the days of policy/limits.json: a fortnight in the field goes up at
 * once, a device gone mad does not fill the log. Refused commits count too,
 * they are kept; what is sent again does not. What goes to a server that came
 * back from a backup once more counts, for nobody can tell whether it is that,
 * but may fill the bucket a second time: its device did not choose to send it
 * twice.
 */
#include "protocol/server_int.h"

#include <stdio.h>

/* So many chains may begin a day: the server keeps the end of each for ever, and
 * names it to whoever is given states (P-250). A device begins one when it was
 * restored or copied. */
#define CHAINS_DAY 4

#define DAY_MS 86400000
#define MIB ((uint64_t)1 << 20)

/* What is left of `used` after `ms`, at `day` a day. */
static uint64_t
drained(uint64_t used, uint64_t day, uint64_t ms)
{
	uint64_t gone = ms / DAY_MS * day + ms % DAY_MS * day / DAY_MS;

	return used > gone ? used - gone : 0;
}

/* Seconds until `over` has drained; at least one. */
static uint64_t
wait_s(uint64_t over, uint64_t day)
{
	return over / day * (DAY_MS / 1000) +
	    over % day * (DAY_MS / 1000) / day + 1;
}

sat_rc
sat_srv_quota(sat_used *out, sat_server *s, uint32_t dev,
    const sat_user *user, const sat_spent *x, sat_err *e)
{
	const sat_store *st = &s->env.store;
	sat_quota q = s->tip != NULL ? sat_template_quota(s->tip, user->role) :
	    SAT_QUOTA_DEFAULT;
	uint64_t ops_day = (uint64_t)q.ops_day,
	    days = (uint64_t)q.days * (x->again ? 2 : 1),
	    bytes_day = (uint64_t)q.mib_day * MIB, ms = 0, a = 0, b = 0;
	int64_t now = sat_wall_ms(&s->env.clock);
	char hint[40];
	sat_used used;
	sat_rc rc;

	if ((rc = st->device_used_get(&used, st->u, dev, e)) != SAT_OK)
		return rc;
	if (now > used.at_ms && used.at_ms > 0)
		ms = (uint64_t)(now - used.at_ms);
	used.ops = drained(used.ops, ops_day, ms) + x->ops;
	if (x->begins)
		used.ops += ops_day / CHAINS_DAY;
	used.bytes = drained(used.bytes, bytes_day, ms) + x->bytes;
	/* A server whose clock was set back: nobody waits for it to catch up. */
	used.at_ms = now;
	if (used.ops > ops_day * days)
		a = wait_s(used.ops - ops_day * days, ops_day);
	if (used.bytes > bytes_day * days)
		b = wait_s(used.bytes - bytes_day * days, bytes_day);
	*out = used;
	if (a == 0 && b == 0)
		return SAT_OK;
	(void)snprintf(hint, sizeof hint, "RETRY_AFTER %llu",
	    (unsigned long long)(a > b ? a : b));
	return sat_fail_code(e, SAT_ENOSPACE, "quota", hint,
	    "this device has sent what it may for now (%lld operations and "
	    "%lld MiB a day)", (long long)q.ops_day, (long long)q.mib_day);
}
