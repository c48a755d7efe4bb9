/*
 * What managers do: delete and restore, give customers to somebody else, say
 * that two customers are one, and take that back.
 */
#include "tests/sim/act.h"

bool
sim_is_boss(const device *d)
{
	return d->n.w->users[d->user].role != REP;
}

void
sim_work_delete(work *k)
{
	const sat_id *id;

	if ((!sim_is_boss(k->d) && !sim_chance(k->w, 100)) ||
	    !sim_work_pick(k, 0, sim_chance(k->w, 300)))
		return;
	id = &k->w->recs[k->rec].id;
	if (k->view.rec.deleted) {
		HIT(restores);
		sim_work_add(k, SAT_OP_UNDEL, id, k->w->recs[k->rec].kind, 0,
		    sat_v_null());
	} else {
		HIT(deletes);
		sim_work_add(k, SAT_OP_DEL, id, k->w->recs[k->rec].kind, 0,
		    sat_v_null());
	}
	sim_work_tell(k, sat_v_null());
}

void
sim_work_reassign(work *k)
{
	uint16_t kind = sim_chance(k->w, 500) ? K_ACCOUNT : K_OPP;

	if ((!sim_is_boss(k->d) && !sim_chance(k->w, 100)) ||
	    !sim_work_pick(k, kind, sim_chance(k->w, 500)))
		return;
	sim_work_add(k, SAT_OP_REASSIGN, &k->w->recs[k->rec].id, kind,
	    kind == K_ACCOUNT ? A_OWNER : O_OWNER, sim_work_user(k->w,
	    (int)sim_below(k->w, (uint64_t)k->w->nusers)));
}

/* Two customers are one; of the loser the name and the stage come along. */
void
sim_work_merge(work *k)
{
	sat_value name, stage, to;
	const mrec *loser;

	if (!sim_work_pick(k, K_ACCOUNT, sim_chance(k->w, 500)))
		return;
	loser = &k->w->recs[k->rec];
	name = sat_record_value(&k->view.rec, A_NAME);
	stage = sat_record_value(&k->view.rec, A_STAGE);
	for (int i = 0; i < 4 && loser == &k->w->recs[k->rec]; i++)
		if (!sim_work_pick(k, K_ACCOUNT, sim_chance(k->w, 500)))
			return;
	if (loser == &k->w->recs[k->rec])
		return;
	to = sat_v_id(&k->w->recs[k->rec].id);
	HIT(merges);
	k->w->merges = true;
	sim_work_add(k, SAT_OP_MERGE, &loser->id, K_ACCOUNT, SAT_SYS_REDIRECT, to);
	if (name.type == SAT_V_TEXT)
		sim_work_add(k, SAT_OP_MERGE, &k->subject, K_ACCOUNT, A_NAME, name);
	if (stage.type == SAT_V_TEXT)
		sim_work_add(k, SAT_OP_MERGE, &k->subject, K_ACCOUNT, A_STAGE, stage);
}

void
sim_work_unmerge(work *k)
{
	world *w = k->w;
	int at = (int)sim_below(w, (uint64_t)w->nrecs);
	sat_view v;
	sat_id to;
	sat_err e;

	for (int i = 0; i < w->nrecs; i++) {
		const mrec *r = &w->recs[(at + i) % w->nrecs];

		if (r->kind != K_ACCOUNT || sat_replica_get(&v, k->a, k->d->r,
		    sat_template_kind_id(k->t, K_ACCOUNT), &r->id, &e) !=
		    SAT_OK || !sat_record_redirect(&to, &v.rec))
			continue;
		HIT(unmerges);
		k->rec = (at + i) % w->nrecs;
		k->subject = r->id;
		sim_work_add(k, SAT_OP_UNMERGE, &r->id, K_ACCOUNT, SAT_SYS_REDIRECT,
		    sat_v_null());
		return;
	}
}

/* How many managers' devices hold both customers. */
static int
held_by(world *w, int a, int b)
{
	int n = 0;

	for (int i = 0; i < w->ndev; i++) {
		device *d = &w->dev[i];
		work k;

		if (d->r == NULL || sat_replica_template(d->r) == NULL ||
		    !sim_is_boss(d))
			continue;
		sim_work_begin(&k, d);
		n += sim_work_look(&k, a) && sim_work_look(&k, b);
	}
	return n;
}

/* Two customers that two managers hold, if some tries find them. */
static bool
pair_for_burst(world *w, int *a, int *b)
{
	int list[12], n = 0;

	for (int i = 0; i < w->nrecs && n < 12; i++)
		if (w->recs[i].kind == K_ACCOUNT && w->recs[i].eid != 0 &&
		    !w->recs[i].erased && w->recs[i].redirect < 0)
			list[n++] = i;
	for (int i = 0; i < 20 && n > 1; i++) {
		*a = list[sim_below(w, (uint64_t)n)];
		*b = list[sim_below(w, (uint64_t)n)];
		if (*a != *b && held_by(w, *a, *b) > 1)
			return true;
	}
	return false;
}

/* Two managers, each the other way round: the server's order decides, and who
 * comes second closes a circle (P-172). */
void
sim_merge_burst(world *w)
{
	int a, b;

	if (!pair_for_burst(w, &a, &b))
		return;
	for (int i = 0; i < w->ndev; i++) {
		device *d = &w->dev[i];
		int t = a;
		sat_value to;
		work k;

		if (d->r == NULL || sat_replica_template(d->r) == NULL ||
		    !sim_is_boss(d))
			continue;
		sim_work_begin(&k, d);
		to = sat_v_id(&w->recs[b].id);
		if (!sim_work_look(&k, a) || !sim_work_look(&k, b))
			continue;
		w->merges = true;
		sim_work_add(&k, SAT_OP_MERGE, &w->recs[a].id, K_ACCOUNT,
		    SAT_SYS_REDIRECT, to);
		if (sim_work_write(&k, 0))
			HIT(merges);
		a = b;
		b = t;
	}
}
