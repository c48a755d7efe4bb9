#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tests/sim/act.h"
#include "tests/sim/act_int.h"

#define TAGS 6

/* ---- values -------------------------------------------------------------- */

sat_value
text_of(work *k, const char *fmt, ...)
{
	char s[128];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(s, sizeof s, fmt, ap);
	va_end(ap);
	return sat_v_text(sat_span_of(sat_arena_dup(k->a, s, (size_t)n),
	    (size_t)n));
}

/* Mostly a value nobody else writes; sometimes one that reads the same as
 * another's. */
sat_value
sim_work_text(work *k)
{
	static const char *const same[] = { "Same", "same", "SAME  ", "other" };

	if (sim_chance(k->w, 120))
		return sat_v_text(sat_span_str(same[sim_below(k->w, 4)]));
	return text_of(k, "val-%u.%u;", (unsigned)k->d->index + 1, ++k->d->serial);
}

static sat_value
option(work *k, const sat_dict *dict)
{
	return sat_v_text(sat_span_str(
	    dict->options[sim_below(k->w, dict->n)].key));
}

sat_value
sim_work_user(world *w, int user)
{
	return sat_v_text(sat_span_str(w->users[user].key));
}

sat_value
value_for(work *k, const sat_field *f)
{
	world *w = k->w;

	switch (f->type) {
	case SAT_F_INT:
		return sat_v_int((int64_t)sim_below(w, 9) + 1);
	case SAT_F_MONEY:
		return sat_v_int((int64_t)sim_below(w, 100000));
	case SAT_F_BOOL:
		return sat_v_int((int64_t)sim_below(w, 2));
	case SAT_F_TIME:
	case SAT_F_DATE:
		return sat_v_int(w->now_ms + (int64_t)sim_below(w, 100000));
	case SAT_F_ENUM:
		return option(k, f->dict);
	case SAT_F_TAGS:
		if (f->files) /* a name without a content: that is no row's */
			return text_of(k, "%064u 5 text/plain a.txt",
			    (unsigned)sim_below(w, TAGS));
		return f->dict != NULL ? option(k, f->dict) :
		    text_of(k, "tag%u", (unsigned)sim_below(w, TAGS));
	case SAT_F_USER:
		return sim_work_user(w, (int)sim_below(w, (uint64_t)w->nusers));
	default:
		return sim_work_text(k);
	}
}

/* ---- building a commit --------------------------------------------------- */

sat_op *
sim_work_add(work *k, sat_op_kind kind, const sat_id *id, uint16_t rtype,
    uint16_t field, sat_value v)
{
	sat_op *op = &k->ops[k->n];

	memset(op, 0, sizeof *op);
	op->kind = kind;
	op->rec = *id;
	op->rtype = rtype;
	op->field = field;
	op->value = v;
	k->told[k->n++] = false;
	return op;
}

void
sim_work_tell(work *k, sat_value after)
{
	k->told[k->n - 1] = true;
	k->after[k->n - 1] = after;
}

static void
trace_ops(const work *k)
{
	for (size_t i = 0; k->w->tracing && i < k->n; i++)
		(void)printf("        op %d field %u value %.*s/%lld, then "
		    "%lld\n", (int)k->ops[i].kind, k->ops[i].field,
		    k->ops[i].value.type == SAT_V_TEXT ?
		    (int)k->ops[i].value.s.n : 0,
		    (const char *)k->ops[i].value.s.p,
		    (long long)k->ops[i].value.i,
		    k->told[i] ? (long long)k->after[i].i : 0);
}

static bool
may_be_there(sat_rc rc)
{
	return rc == SAT_OK || rc == SAT_EIO || rc == SAT_EFSYNC ||
	    rc == SAT_ENOSPACE;
}

/* @return something was saved. */
bool
sim_work_write(work *k, int group)
{
	device *d = k->d;
	world *w = k->w;
	sat_draft draft = { .subject = k->subject, .ops = k->ops,
		.nops = k->n };
	sat_err e = { 0 };
	entry *en;
	cost c;
	uint64_t cseq = 0;
	sat_rc rc;

	if (k->n == 0)
		return false;
	if (group == 0)
		sim_device_plan_faults(d);
	sim_cost_begin(&c, d);
	rc = sat_replica_write(d->r, &draft, &cseq, &e);
	sim_trace(w, "%s writes record %d op %d field %u: %d %s number %llu",
	    d->n.name, k->rec, (int)k->ops[0].kind, k->ops[0].field, (int)rc,
	    e.text, (unsigned long long)cseq);
	trace_ops(k);
	if (!may_be_there(rc)) {
		(void)sim_device_after(d, rc);
		return false;
	}
	if (rc == SAT_OK && group == 0)
		sim_cost_save(&c, d);
	en = sim_entry_add(d, &draft, cseq, rc == SAT_OK && group == 0 ?
	    FATE_SAVED : FATE_LIMBO);
	en->group = group;
	if (rc == SAT_OK && group == 0)
		sim_entry_known(d, en);
	for (size_t i = 0; i < k->n; i++)
		if (k->told[i] && rc == SAT_OK && group == 0)
			sim_expect_add(d, en->rec[i], &k->ops[i], k->after[i]);
		else /* it may be undone, or be there after all */
			sim_expect_forget(d, en->rec[i]);
	(void)sim_device_after(d, rc);
	return rc == SAT_OK;
}

/* ---- finding a record ---------------------------------------------------- */

bool
sim_work_look(work *k, int rec)
{
	const mrec *r = &k->w->recs[rec];
	sat_id to;
	sat_err e;
	sat_rc rc;

	rc = sat_replica_get(&k->view, k->a, k->d->r,
	    sat_template_kind_id(k->t, r->kind), &r->id, &e);
	/* who knows that it was merged works on what it leads to */
	k->has_view = rc == SAT_OK && !sat_record_redirect(&to, &k->view.rec);
	k->rec = rec;
	k->subject = r->parent >= 0 ? k->w->recs[r->parent].id : r->id;
	return k->has_view;
}

/* A record of the kind (0 = any) that this device holds. */
bool
sim_work_pick(work *k, uint16_t kind, bool hot)
{
	world *w = k->w;

	for (int i = 0; i < 8 && w->nrecs > 0; i++) {
		int rec = (int)sim_below(w, hot && w->nrecs > 4 ? 4 :
		    (uint64_t)w->nrecs);

		if ((kind == 0 || w->recs[rec].kind == kind) && sim_work_look(k, rec))
			return true;
	}
	return false;
}

/* ---- edits --------------------------------------------------------------- */

void
sim_work_begin(work *k, device *d)
{
	memset(k, 0, sizeof *k);
	k->d = d;
	k->w = d->n.w;
	k->a = &d->n.w->tmp;
	k->t = sat_replica_template(d->r);
	k->rec = -1;
}

static void
choose(work *k)
{
	uint64_t roll = sim_below(k->w, 100);

	if (k->w->nrecs >= 3 && sim_chance(k->w, k->w->rough.pool))
		sim_work_pool(k);
	else if (k->w->nrecs >= 3 && sim_is_boss(k->d) &&
	    sim_chance(k->w, k->w->rough.merge)) {
		if (sim_chance(k->w, 500))
			sim_work_merge(k);
		else
			sim_work_unmerge(k);
	} else if (k->w->nrecs < 3 || roll < 16)
		make(k);
	else if (roll < 73)
		sim_work_edit(k);
	else if (roll < 78)
		sim_work_delete(k);
	else if (roll < 84)
		sim_work_reassign(k);
	else if (roll < 97)
		resolve(k);
	else
		misdeed(k);
}

void
sim_act(device *d)
{
	work k;

	sim_work_begin(&k, d);
	if (sim_chance(k.w, 30)) {
		discard(&k);
		return;
	}
	if (sim_chance(k.w, 60) && k.w->nrecs < RECS_MAX - 64) {
		sim_act_numbered(d);
		return;
	}
	choose(&k);
	(void)sim_work_write(&k, 0);
}
