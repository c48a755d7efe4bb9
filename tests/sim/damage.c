/*
 * Rows changed behind the replica's back: by a tool, a flipped bit, a defect.
 * The check names them, the next sync finds by its sums what differs and
 * fetches it again; what waits stays where it is (property 21).
 *
 * Between the change and the repair nobody works on the device: what a person
 * does on top of a wrong value is his word about that value, and no reference
 * could judge it.
 */
#include "tests/sim/sim.h"

#include <stdio.h>
#include <string.h>

static const char *const tables[] = { "k_account", "k_contact",
	"k_opportunity" };

/* NULL: the row as a whole. */
static const struct {
	const char *what, *set;
} spoils[] = {
	{ "value", "name = 'Nowhere'" },
	{ "value", "remark = coalesce(remark, '') || '?'" },
	{ "clock", "_clk = x'00'" },
	{ "clock", "_clk = substr(_clk, 1, 4) || x'55' || substr(_clk, 6)" },
	{ "flag", "_flags = _flags | 1" },
	{ "flag", "_flags = _flags | 8" },
	{ "row", NULL },
};

/* A row that came from the server whole (a pool's is in no sum, also while a
 * claim waits: what lies below it names the pool) and has not left. */
#define WHOLE "_rid < %lld AND _flags & 272 = 0 AND " \
	"instr(coalesce(_base, x''), CAST('public' AS BLOB)) = 0"

/* @return it was changed. */
static bool
spoil(device *d)
{
	world *w = d->n.w;
	const char *table = tables[sim_below(w, 3)];
	size_t k = (size_t)sim_below(w, sizeof spoils / sizeof spoils[0]);
	int64_t n, rid;
	char sql[300];
	sat_err e = { 0 };

	(void)snprintf(sql, sizeof sql, "SELECT count(*) FROM %s WHERE "
	    WHOLE, table,
	    (long long)SAT_RID_LOCAL);
	if ((n = sim_device_int(d, sql)) == 0)
		return false;
	(void)snprintf(sql, sizeof sql, "SELECT _rid FROM %s WHERE "
	    WHOLE " ORDER BY _rid LIMIT 1 OFFSET "
	    "%lld", table, (long long)SAT_RID_LOCAL,
	    (long long)sim_below(w, (uint64_t)n));
	rid = sim_device_int(d, sql);
	if (spoils[k].set == NULL)
		(void)snprintf(sql, sizeof sql, "DELETE FROM %s WHERE _rid = "
		    "%lld", table, (long long)rid);
	else
		(void)snprintf(sql, sizeof sql, "UPDATE %s SET %s WHERE _rid "
		    "= %lld", table, spoils[k].set, (long long)rid);
	if (sat_db_exec(sat_replica_db(d->r), sql, &e) != SAT_OK)
		sim_fail(w, "%s is not damaged: %s", d->n.name, e.text);
	d->spoiled = (uint32_t)rid;
	sim_trace(w, "%s: %s", d->n.name, sql);
	return true;
}

static sat_replica_status
status_of(device *d)
{
	sat_replica_status st;
	sat_err e = { 0 };

	if (sat_replica_status_get(&st, d->r, &e) != SAT_OK)
		sim_fail(d->n.w, "%s: status: %s", d->n.name, e.text);
	return st;
}

/* A read that was planned to fail may be met here, while nothing is calm yet: it
 * fails once, and the next must answer. */
static bool
complete(device *d)
{
	sat_replica_status st;
	sat_err e = { 0 };
	sat_rc rc = sat_replica_status_get(&st, d->r, &e);

	if (rc == SAT_OK)
		return st.complete;
	if (rc != SAT_EIO || d->n.w->rough.dev_ioerr == 0)
		sim_fail(d->n.w, "%s: status: %s", d->n.name, e.text);
	sim_trace(d->n.w, "%s: status: %s", d->n.name, e.text);
	return sim_device_after(d, rc) && status_of(d).complete;
}

/* Nobody may have noticed: a bit that was set already, a damage of what is
 * only shown and is folded anew. @return the check saw it. */
static bool
check_sees(device *d)
{
	sat_err e = { 0 };
	sat_rc rc = sat_replica_check(d->r, false, &e);

	sim_trace(d->n.w, "%s: check %d %s", d->n.name, (int)rc, e.text);
	if (rc != SAT_OK && rc != SAT_EINTEGRITY)
		sim_fail(d->n.w, "check of %s: %s", d->n.name, e.text);
	return rc == SAT_EINTEGRITY;
}

/* All that was erased, also when the disk failed as it was told. */
static bool
carried_out(device *d)
{
	sat_ledger is = { 0 };
	bool wanted;

	return d->ops.ledger(d->ops.u, &d->n.w->tmp, &is, &wanted, NULL) ==
	    SAT_OK && is.after == d->n.w->ledger;
}

void
sim_device_damage(device *d)
{
	world *w = d->n.w;
	uint8_t had[SAT_TEMPLATE_OID_BYTES];
	sat_replica_status was;
	bool seen, head;

	/* with erasures to carry out the first session compares nothing (P-182) */
	if (d->link != NULL || sim_shut_out(d) || !d->enrolled ||
	    d->ledger != w->ledger || !complete(d) || !carried_out(d))
		return;
	w->healing = true; /* one trouble at a time */
	sim_device_calm(d);
	if (spoil(d)) {
		HIT(damaged);
		sim_expect_forget(d, -1);
		sim_device_stop(d, false); /* nothing of it is in memory */
		sim_device_start(d);
		was = status_of(d);
		/* what is still to come may bring the row anew */
		head = was.cursor >= sim_scope_head(w, d->user) &&
		    was.pending_commits == 0;
		memcpy(had, sat_replica_template_oid(d->r), sizeof had);
		if ((seen = check_sees(d)))
			HIT(damage_seen);
		d->pull_only = sim_chance(w, 500);
		sim_session_whole(d);
		d->pull_only = false;
		if (d->r == NULL || status_of(d).cursor < sim_scope_head(w,
		    d->user))
			sim_fail(w, "property 21: %s does not come to the "
			    "head after a damage", d->n.name);
		/* with another mask everything comes anew */
		head &= d->r != NULL && memcmp(had,
		    sat_replica_template_oid(d->r), sizeof had) == 0;
		if (status_of(d).diverged.count > was.diverged.count)
			HIT(damage_fetched);
		else if (seen && head)
			sim_fail(w, "property 21: nothing was fetched again "
			    "for %s", d->n.name);
		d->diverged = status_of(d).diverged.count;
		d->spoiled = 0;
		sim_check_kept(d);
		sim_check_replica(d, false);
		sim_check_dump(d);
	}
	w->healing = false;
}
