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
 *
 * Operations are counted because they are known before anything is done. What
 * they cost is not: a few thousand that each meet the worst a record may hold
 * keep the one thread that writes for minutes. So a push that took longer than
 * WORK_OP_MS an operation and WORK_FREE_MS is charged for what is above that, as
 * if it had had an operation for each WORK_OP_MS. Measured: 3 us an operation of
 * an import, 50 into a set of 1,000, 200 into a cell with 200 candidates. Time
 * is what is measured, not steps, because that holds for whatever was not
 * thought of; a machine that stood still must not shut anybody out, so the
 * charge ends where a day is to wait.
 */
#include "protocol/server_int.h"

#include <stdio.h>

/* So many chains may begin a day: the server keeps the end of each for ever, and
 * names it to whoever is given states (P-250). A device begins one when it was
 * restored or copied. */
#define CHAINS_DAY 4

#define WORK_OP_MS 1
#define WORK_FREE_MS 1000

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

static sat_quota
quota_of(const sat_server *s, const sat_user *user)
{
	return s->tip != NULL ? sat_template_quota(s->tip, user->role) :
	    SAT_QUOTA_DEFAULT;
}

static uint64_t
days_of(const sat_quota *q, const sat_spent *x)
{
	return (uint64_t)q->days * (x->again ? 2 : 1);
}

void
sat_srv_quota_work(sat_used *used, const sat_server *s, const sat_user *user,
    const sat_spent *x, int64_t ms)
{
	sat_quota q = quota_of(s, user);
	uint64_t most = (uint64_t)q.ops_day * ((uint64_t)q.days + 1),
	    free_ms = WORK_FREE_MS + x->ops * WORK_OP_MS, over;

	if (ms < 0 || (uint64_t)ms <= free_ms || used->ops >= most)
		return;
	over = ((uint64_t)ms - free_ms) / WORK_OP_MS;
	used->ops += over < most - used->ops ? over : most - used->ops;
}

/* Beside it there is room for the push, or it could never be sent. */
static uint64_t
chain_cost(const sat_spent *x, uint64_t ops_day, uint64_t most)
{
	uint64_t cost = ops_day / CHAINS_DAY,
	    room = x->ops < most ? most - x->ops : 0;

	return !x->begins ? 0 : cost < room ? cost : room;
}

sat_rc
sat_srv_quota(sat_used *out, sat_server *s, uint32_t dev,
    const sat_user *user, const sat_spent *x, sat_err *e)
{
	const sat_store *st = &s->env.store;
	sat_quota q = quota_of(s, user);
	uint64_t ops_day = (uint64_t)q.ops_day, days = days_of(&q, x),
	    bytes_day = (uint64_t)q.mib_day * MIB, ms = 0, a = 0, b = 0;
	int64_t now = sat_wall_ms(&s->env.clock);
	char hint[40];
	sat_used used;
	sat_rc rc;

	if ((rc = st->device_used_get(&used, st->u, dev, e)) != SAT_OK)
		return rc;
	if (now > used.at_ms && used.at_ms > 0)
		ms = (uint64_t)(now - used.at_ms);
	used.ops = drained(used.ops, ops_day, ms) + x->ops +
	    chain_cost(x, ops_day, ops_day * days);
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
