/* New records, edits of every policy, and what one may not do. */
#include <stdio.h>

#include "protocol/derived.h"
#include "tests/sim/act.h"
#include "tests/sim/act_int.h"

/* ---- new records --------------------------------------------------------- */

/* The same rule on several devices: one of three records of a customer that no
 * device makes twice. */
static bool
sim_work_derived(work *k, uint16_t kind, int parent)
{
	char period[8];
	sat_view v;
	sat_id id;
	int rec;

	(void)snprintf(period, sizeof period, "%u",
	    (unsigned)sim_below(k->w, 3));
	id = sat_id_derive("sim", &k->w->recs[parent].id, period);
	if (sat_replica_get(&v, k->a, k->d->r, sat_template_kind_id(k->t, kind),
	    &id, NULL) == SAT_OK)
		return false;
	if ((rec = sim_rec_find(k->w, &id)) < 0)
		rec = sim_rec_new(k->w, &id, kind, parent, k->d->index);
	k->rec = rec;
	k->subject = k->w->recs[parent].id;
	sim_work_add(k, SAT_OP_NEW, &k->w->recs[rec].id, kind, 0, sat_v_null());
	return true;
}

static const sat_id *
new_record(work *k, uint16_t kind, int parent)
{
	sat_id id = sat_replica_new_id(k->d->r);
	int rec = sim_rec_new(k->w, &id, kind, parent, k->d->index);
	const sat_id *kept = &k->w->recs[rec].id;

	k->rec = rec;
	k->subject = parent >= 0 ? k->w->recs[parent].id : id;
	sim_work_add(k, SAT_OP_NEW, kept, kind, 0, sat_v_null());
	return kept;
}

static sat_value
canary(work *k)
{
	return text_of(k, "canary-%u;", (unsigned)k->rec);
}

static int
some_owner(work *k)
{
	return sim_chance(k->w, 750) ? k->d->user :
	    (int)sim_below(k->w, (uint64_t)k->w->nusers);
}

void
sim_work_account(work *k)
{
	const sat_id *id = new_record(k, K_ACCOUNT, -1);

	sim_work_add(k, SAT_OP_MVSET, id, K_ACCOUNT, A_NAME, sim_work_text(k));
	sim_work_add(k, SAT_OP_SET, id, K_ACCOUNT, A_CANARY, canary(k));
	sim_work_add(k, SAT_OP_SET, id, K_ACCOUNT, A_OWNER,
	    sim_work_user(k->w, some_owner(k)));
	if (sim_chance(k->w, 700))
		sim_work_add(k, SAT_OP_STAGE, id, K_ACCOUNT, A_STAGE,
		    sat_v_text(sat_span_str("first_contact")));
}

void
sim_work_child(work *k, uint16_t kind, int parent)
{
	bool derived = kind == K_OPP && parent >= 0 && parent < 6;
	const sat_id *id = derived && sim_work_derived(k, kind, parent) ?
	    &k->w->recs[k->rec].id : new_record(k, kind, parent);
	sat_value up = sat_v_id(&k->w->recs[parent < 0 ? 0 : parent].id);

	if (parent >= 0)
		sim_work_add(k, SAT_OP_SET, id, kind, 1, up);
	if (kind == K_CONTACT) {
		sim_work_add(k, SAT_OP_MVSET, id, kind, C_NAME, sim_work_text(k));
		sim_work_add(k, SAT_OP_SET, id, kind, C_CANARY, canary(k));
	} else if (kind == K_ACTIVITY) {
		sim_work_add(k, SAT_OP_SET, id, kind, T_POINTS, sim_work_text(k));
		sim_work_add(k, SAT_OP_SET, id, kind, T_CANARY, canary(k));
	} else {
		sim_work_add(k, SAT_OP_SET, id, kind, O_NAME, sim_work_text(k));
		sim_work_add(k, SAT_OP_SET, id, kind, O_CANARY, canary(k));
		sim_work_add(k, SAT_OP_SET, id, kind, O_OWNER,
		    sim_work_user(k->w, some_owner(k)));
		sim_work_add(k, SAT_OP_STAGE, id, kind, O_STAGE,
		    sat_v_text(sat_span_str("first_contact")));
	}
}

void
make(work *k)
{
	uint64_t what = sim_below(k->w, 10);
	int parent = -1;

	if (k->w->nrecs > RECS_MAX - 64)
		return;
	if (what >= 4 && sim_work_pick(k, K_ACCOUNT, what >= 8))
		parent = k->rec;
	if (parent < 0 && what == 9)
		sim_work_child(k, K_OPP, -1); /* stands for itself */
	else if (parent >= 0)
		sim_work_child(k, what < 6 ? K_CONTACT : what < 7 ? K_ACTIVITY :
		    K_OPP, parent);
	else
		sim_work_account(k);
	/* a customer and its contact at once */
	if (parent < 0 && what < 9 && sim_chance(k->w, 150))
		sim_work_child(k, K_CONTACT, k->rec);
}

/* ---- edits --------------------------------------------------------------- */

static sat_op_kind
verb_for(work *k, const sat_field *f)
{
	switch (f->policy) {
	case SAT_P_REVIEW: return SAT_OP_MVSET;
	case SAT_P_SET:
		return sim_chance(k->w, 600) ? SAT_OP_SADD : SAT_OP_SREM;
	case SAT_P_COUNTER: return SAT_OP_ADD;
	case SAT_P_STAGE: return SAT_OP_STAGE;
	default: return SAT_OP_SET;
	}
}

static bool
in_conflict(work *k, const sat_cell *c, const sat_field *f)
{
	sat_candidate *cand;
	uint64_t opened;

	return c != NULL && sat_cell_candidates(&cand, &opened, k->a,
	    f->policy, c) > 0;
}

void
sim_work_edit_field(work *k, const sat_field *f)
{
	const mrec *r = &k->w->recs[k->rec];
	const sat_cell *c = sat_record_cell(&k->view.rec, f->id);
	sat_value old = sat_record_value(&k->view.rec, f->id);
	sat_value v = value_for(k, f);

	if ((f->policy == SAT_P_LWW || f->policy == SAT_P_REVIEW) &&
	    sim_chance(k->w, 50))
		v = sat_v_null();
	if (f->policy == SAT_P_ONCE && old.type != SAT_V_NULL)
		return;
	sim_work_add(k, verb_for(k, f), &r->id, r->kind, f->id, v);
	if (f->policy == SAT_P_COUNTER)
		sim_work_tell(k, sat_v_int(v.i + (old.type == SAT_V_INT ? old.i : 0)));
	else if (f->policy == SAT_P_MAX || f->policy == SAT_P_MIN)
		sim_work_tell(k, old.type == SAT_V_NULL || (f->policy == SAT_P_MAX) ==
		    (v.i > old.i) ? v : old);
	else if (f->policy != SAT_P_STAGE || !in_conflict(k, c, f))
		sim_work_tell(k, v);
}

static const uint16_t account_fields[] = { A_SECTOR, A_SECTOR, A_REMARK,
	A_CITY, A_NEXT, A_NAME, A_NAME, A_CONTACT, A_AMOUNT, A_TAGS, A_TAGS,
	A_VISITS, A_LAST, A_QUOTE_MIN, A_STAGE, A_STAGE, A_EXTERNAL, A_NUMBER,
	A_NOTE2, A_NOTE3 };

static const uint16_t contact_fields[] = { C_TITLE, C_REMARK, C_PRIMARY,
	C_NAME, C_ROLES, C_EXTERNAL };

static const uint16_t opp_fields[] = { O_NAME, O_REMARK, O_PRODUCT, O_AMOUNT,
	O_STAGE, O_RIVALS, O_EXTERNAL };

uint16_t
sim_work_field(world *w, uint16_t kind)
{
	if (kind == K_ACCOUNT)
		return account_fields[sim_below(w,
		    sizeof account_fields / sizeof account_fields[0])];
	if (kind == K_CONTACT)
		return contact_fields[sim_below(w,
		    sizeof contact_fields / sizeof contact_fields[0])];
	return opp_fields[sim_below(w,
	    sizeof opp_fields / sizeof opp_fields[0])];
}

static const sat_field *
some_field(work *k, uint16_t kind)
{
	/* NULL: not in this version */
	return sat_kind_field_id(sat_template_kind_id(k->t, kind),
	    sim_work_field(k->w, kind));
}

static void
edit_fields(work *k, size_t n)
{
	const sat_field *used[3];

	for (size_t i = 0; i < n; i++) {
		const sat_field *f = some_field(k, k->w->recs[k->rec].kind);
		bool again = f == NULL;

		for (size_t j = 0; j < i; j++)
			again = again || used[j] == f;
		used[i] = f;
		if (!again)
			sim_work_edit_field(k, f);
	}
}

/* Another record of the same customer, in the same commit. */
static void
edit_neighbour(work *k)
{
	world *w = k->w;
	int from = k->rec, root = w->recs[from].parent >= 0 ?
	    w->recs[from].parent : from;

	for (int i = 0; i < w->nrecs; i++) {
		const mrec *r = &w->recs[i];

		if (i == from || (i != root && r->parent != root) ||
		    r->kind == K_ACTIVITY || !sim_work_look(k, i))
			continue;
		if (!k->view.rec.deleted)
			edit_fields(k, 1);
		return;
	}
	(void)sim_work_look(k, from);
}

void
sim_work_edit(work *k)
{
	size_t n = 1 + (size_t)sim_below(k->w, 3);

	if (!sim_work_pick(k, 0, sim_chance(k->w, k->w->rough.hot)))
		return;
	if (k->w->recs[k->rec].kind == K_ACTIVITY && !sim_chance(k->w, 100))
		return;
	if (k->view.rec.deleted && !sim_chance(k->w, 150))
		return;
	if (k->w->recs[k->rec].kind == K_ACTIVITY) { /* refused: append only */
		sim_work_add(k, SAT_OP_SET, &k->w->recs[k->rec].id, K_ACTIVITY, T_POINTS,
		    sim_work_text(k));
		return;
	}
	edit_fields(k, n);
	if (sim_chance(k->w, 15)) /* of a release nobody has yet */
		sim_work_add(k, SAT_OP_LATER + (sat_op_kind)sim_below(k->w, 8),
		    &k->w->recs[k->rec].id, k->w->recs[k->rec].kind, 0,
		    sim_work_text(k));
	if (sim_chance(k->w, 150))
		edit_neighbour(k);
}

void
resolve(work *k)
{
	sat_conflict *all, *c;
	sat_dot *dots;
	size_t n;
	sat_op *op;
	sat_err e;

	if (sat_replica_conflicts(&all, &n, k->a, k->d->r, &e) != SAT_OK ||
	    n == 0)
		return;
	c = &all[sim_below(k->w, n)];
	k->rec = sim_rec_find(k->w, &c->rec);
	if (k->rec < 0 || !sim_work_look(k, k->rec))
		return;
	HIT(resolved);
	if (c->field == NULL) {
		sim_work_add(k, sim_chance(k->w, 500) ? SAT_OP_DEL : SAT_OP_UNDEL,
		    &c->rec, c->kind->id, 0, sat_v_null());
		sim_work_tell(k, sat_v_null());
		return;
	}
	dots = sat_arena_alloc(k->a, (c->n + 1) * sizeof *dots);
	op = sim_work_add(k, SAT_OP_RESOLVE, &c->rec, c->kind->id, c->field->id,
	    sim_chance(k->w, 700) || c->n == 0 ?
	    c->n > 0 ? c->candidates[sim_below(k->w, c->n)].value :
	    value_for(k, c->field) : value_for(k, c->field));
	op->dots = dots;
	for (size_t i = 0; i < c->n; i++)
		if (c->candidates[i].at.lsn != 0)
			dots[op->ndots++] = (sat_dot){ c->candidates[i].at.dev,
				c->candidates[i].at.lsn };
}

void
misdeed(work *k)
{
	switch (sim_below(k->w, 3)) {
	case 0: /* a stage that is no stage */
		if (sim_work_pick(k, K_ACCOUNT, false))
			sim_work_add(k, SAT_OP_STAGE, &k->w->recs[k->rec].id, K_ACCOUNT,
			    A_STAGE, sat_v_text(sat_span_str("nonsense")));
		break;
	case 1: /* a record refused with its birth; edits of it are parked */
		sim_work_account(k);
		sim_work_add(k, SAT_OP_SET, &k->w->recs[k->rec].id, K_ACCOUNT, A_NEXT,
		    sat_v_text(sat_span_str("not a time")));
		break;
	default:
		if (sim_work_pick(k, K_ACCOUNT, false))
			sim_work_add(k, SAT_OP_ADD, &k->w->recs[k->rec].id, K_ACCOUNT,
			    A_SECTOR, sat_v_int(1));
		break;
	}
}

void
discard(work *k)
{
	device *d = k->d;
	sat_quarantined *q;
	entry *en;
	size_t n, at;
	sat_err e = { 0 };
	sat_rc rc;

	if (sat_replica_quarantine(&q, &n, k->a, d->r, &e) != SAT_OK || n == 0)
		return;
	at = (size_t)sim_below(k->w, n);
	en = sim_entry_find(k->w, q[at].commit.payload_hash);
	if (en == NULL)
		sim_fail(k->w, "%s has a quarantined commit nobody wrote",
		    d->n.name);
	sim_device_calm(d);
	rc = sat_replica_discard(d->r, q[at].id, "not needed", &e);
	if (rc != SAT_OK)
		sim_fail(k->w, "not discarded: %s", e.text);
	en->fate = FATE_DISCARDED;
	HIT(discarded);
}
