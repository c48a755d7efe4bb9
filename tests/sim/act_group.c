/*
 * Imports, which are saved as a whole or not at all, and several people who do
 * the same at the same moment.
 */
#include "tests/sim/act.h"

#include "common/model/number.h"

void
sim_act_read(device *d)
{
	sat_err e;

	sim_expect_check(d, 4);
	/* every other person searches: from then on his index follows the rows */
	if (d->r != NULL && d->index % 2 == 1 &&
	    sat_replica_template(d->r) != NULL) {
		sim_device_calm(d);
		(void)sim_device_after(d, sat_replica_search_ready(d->r, &e));
	}
}

/* Several devices run the same rule at the same moment. */
static void
burst_rule(world *w, int rec)
{
	for (int i = 0; i < w->ndev; i++) {
		device *d = &w->dev[i];
		work k;

		if (d->r == NULL || sat_replica_template(d->r) == NULL)
			continue;
		sim_work_begin(&k, d);
		if (!sim_work_look(&k, rec) || k.view.rec.deleted ||
		    w->nrecs > RECS_MAX - 64)
			continue;
		sim_work_child(&k, K_OPP, rec);
		(void)sim_work_write(&k, 0);
	}
}

/* Several people write one field at the same moment. */
void
sim_act_burst(world *w)
{
	int rec;
	uint16_t field;

	if (w->nrecs == 0)
		return;
	if (w->rough.merge > 0 && sim_chance(w, 250 + w->rough.merge)) {
		for (int i = 0; i < 6; i++)
			sim_merge_burst(w);
		return;
	}
	if (sim_chance(w, w->rough.pool)) {
		sim_pool_burst(w);
		return;
	}
	rec = (int)sim_below(w, w->nrecs > 6 ? 6 : (uint64_t)w->nrecs);
	if (w->recs[rec].kind != K_ACCOUNT)
		return;
	if (sim_chance(w, 250)) {
		burst_rule(w, rec);
		return;
	}
	field = sim_work_field(w, K_ACCOUNT);
	for (int i = 0; i < w->ndev; i++) {
		device *d = &w->dev[i];
		const sat_field *f;
		work k;

		if (d->r == NULL || sat_replica_template(d->r) == NULL)
			continue;
		sim_work_begin(&k, d);
		f = sat_kind_field_id(sat_template_kind_id(k.t, K_ACCOUNT),
		    field);
		if (f == NULL || !sim_work_look(&k, rec) || k.view.rec.deleted)
			continue;
		sim_work_edit_field(&k, f);
		(void)sim_work_write(&k, 0);
	}
}

/* ---- imports ---------------------------------------------------------------------------------- */

/* A write that fails inside a group leaves the group usable. */
static void
bad_write(device *d)
{
	work k;
	sat_id nobody = { { 1, 2, 3 } };
	sat_draft draft = { .subject = nobody, .ops = k.ops };
	uint64_t cseq;
	sat_err e = { 0 };

	sim_work_begin(&k, d);
	sim_work_add(&k, SAT_OP_SET, &nobody, K_ACCOUNT, A_SECTOR,
	    sim_work_text(&k));
	draft.nops = k.n;
	if (sat_replica_write(d->r, &draft, &cseq, &e) == SAT_OK)
		sim_fail(d->n.w, "an edit of no record was saved");
}

static void
group_saved(device *d, int group)
{
	world *w = d->n.w;

	HIT(groups);
	for (size_t i = 0; i < d->nown; i++) {
		entry *e = &w->entries[d->own[i]];

		if (e->group != group || e->fate != FATE_LIMBO || e->cseq == 0)
			continue;
		e->fate = FATE_SAVED;
		HIT(commits);
		sim_entry_known(d, e);
	}
}

static void
group_gone(device *d, int group)
{
	world *w = d->n.w;

	HIT(groups_undone);
	for (size_t i = 0; i < d->nown; i++)
		if (w->entries[d->own[i]].group == group)
			w->entries[d->own[i]].fate = FATE_NEVER;
}

/* ---- numbers ---------------------------------------------------------------------------------- */

/* P-142: the next one of the leases, else a provisional one. @return which, 0 =
 * provisional. */
static uint64_t
take_number(work *k, char series[SAT_SERIES_TEXT])
{
	device *d = k->d;
	sat_clock clock = sim_clock(&d->n);
	char text[SAT_NUMBER_TEXT];
	uint64_t n = 0;
	sat_err e = { 0 };
	size_t len;

	sat_number_series(series, "C", sat_wall_ms(&clock),
	    sat_template_tz_min(k->t));
	if (sat_replica_number_next(&n, d->r, series, 0, &e) != SAT_OK)
		return UINT64_MAX;
	len = n != 0 ? sat_number_text(text, series, n) :
	    sat_number_provisional(text, series, d->ord, ++d->serial);
	sim_work_add(k, SAT_OP_SET, &k->w->recs[k->rec].id, K_ACCOUNT, A_NUMBER,
	    sat_v_text(sat_span_of(sat_arena_dup(k->a, text, len), len)));
	return n;
}

/* The number is used up in the transaction that gives it. */
void
sim_act_numbered(device *d)
{
	world *w = d->n.w;
	char series[SAT_SERIES_TEXT];
	int group = ++w->group;
	sat_err e = { 0 };
	uint64_t n;
	sat_rc rc;
	work k;

	sim_device_plan_faults(d);
	if ((rc = sat_replica_group_begin(d->r, &e)) != SAT_OK) {
		(void)sim_device_after(d, rc);
		return;
	}
	sim_work_begin(&k, d);
	sim_work_account(&k);
	n = take_number(&k, series);
	rc = SAT_EIO;
	if (n != UINT64_MAX && sim_work_write(&k, group)) {
		w->entries[w->nentries - 1].leased = n != 0;
		rc = n == 0 || d->r == NULL ? SAT_OK :
		    sat_replica_number_used(d->r, series, n, &e);
	}
	if (d->r == NULL || !sim_device_after(d, rc))
		return; /* in limbo */
	if (rc != SAT_OK) {
		sat_replica_group_rollback(d->r);
		group_gone(d, group);
		(void)sim_device_after(d, SAT_OK);
		return;
	}
	rc = sat_replica_group_commit(d->r, &e);
	sim_trace(w, "%s numbers a customer %s-%llu: %d %s", d->n.name, series,
	    (unsigned long long)n, (int)rc, e.text);
	if (rc == SAT_OK) {
		group_saved(d, group);
		if (n != 0)
			HIT(leased);
		else
			HIT(provisional);
	}
	(void)sim_device_after(d, rc);
}

void
sim_act_group(device *d)
{
	world *w = d->n.w;
	int n = 2 + (int)sim_below(w, 6), group = ++w->group;
	sat_err e = { 0 };
	sat_rc rc;

	sim_device_plan_faults(d);
	if ((rc = sat_replica_group_begin(d->r, &e)) != SAT_OK) {
		(void)sim_device_after(d, rc);
		return;
	}
	for (int i = 0; i < n; i++) {
		work k;

		sim_work_begin(&k, d);
		if (sim_chance(w, 600) && w->nrecs < RECS_MAX - 64)
			sim_work_account(&k);
		else
			sim_work_edit(&k);
		(void)sim_work_write(&k, group);
		if (d->r == NULL)
			return; /* its commits are in limbo */
		if (sim_chance(w, 200))
			bad_write(d);
	}
	if (sim_chance(w, 200)) {
		sat_replica_group_rollback(d->r);
		sim_trace(w, "%s import undone", d->n.name);
		group_gone(d, group);
		(void)sim_device_after(d, SAT_OK);
		return;
	}
	rc = sat_replica_group_commit(d->r, &e);
	sim_trace(w, "%s import: %d %s", d->n.name, (int)rc, e.text);
	if (rc == SAT_OK)
		group_saved(d, group);
	(void)sim_device_after(d, rc);
}
