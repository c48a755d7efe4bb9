/*
 * Two customers -> one, and apart again.
 *
 * A merge is one commit: the loser is redirected to the winner, and the winner
 * gets what nobody has to decide: sets united, counters added, empty fields
 * filled, values chosen by hand. Different values of a field that must not be
 * decided silently join the winner's as candidates: an open conflict. Taking it
 * apart redirects nothing any more and gives the winner back what this commit,
 * and nobody since, put there.
 */
#include "client/crm/crm_int.h"

#include <string.h>

typedef struct joining {
	crm_work to, from; /* winner, loser */
	sat_view winner, loser;
	sat_op *ops;
	size_t n, cap;
} joining;

static void
put_op(joining *j, crm_work *w, sat_verb verb, sat_op_kind kind,
    const sat_field *f, sat_value v)
{
	SAT_ARENA_GROW(j->ops, j->n, j->cap, w->a);
	j->ops[j->n++] = (sat_op){ .kind = kind, .rtype = w->kind->id,
		.field = f != NULL ? f->id : SAT_SYS_REDIRECT, .rec = w->id,
		.value = v };
	crm_change(w, verb, f, v);
}

/* Settles whatever is open there: all candidates are named. */
static void
put_resolve(joining *j, const sat_field *f, sat_value v)
{
	crm_work *w = &j->to;
	const sat_cell *cell = sat_record_cell(&w->was->rec, f->id);
	sat_candidate *c;
	uint64_t opened;
	size_t n = cell == NULL ? 0 : sat_cell_candidates(&c, &opened, w->a,
	    f->policy, cell);
	sat_dot *dots = sat_arena_alloc(w->a, (n + 1) * sizeof *dots);
	size_t ndots = 0;

	for (size_t i = 0; i < n && ndots < SAT_DOTS_MAX; i++)
		if (c[i].at.lsn != 0)
			dots[ndots++] = (sat_dot){ c[i].at.dev, c[i].at.lsn };
	put_op(j, w, SAT_VERB_RESOLVE, SAT_OP_RESOLVE, f, v);
	j->ops[j->n - 1].dots = dots;
	j->ops[j->n - 1].ndots = ndots;
}

/* ---- what the winner gets ---------------------------------------------------------- */

static bool
has_element(const sat_element *el, size_t n, sat_span text)
{
	for (size_t i = 0; i < n; i++)
		if (sat_span_eq(el[i].text, text))
			return true;
	return false;
}

static void
unite(joining *j, const sat_field *f, const sat_cell *theirs)
{
	const sat_cell *ours = sat_record_cell(&j->winner.rec, f->id);
	sat_element *a, *b = NULL;
	size_t n = sat_cell_elements(&a, j->to.a, theirs);
	size_t m = ours != NULL ? sat_cell_elements(&b, j->to.a, ours) : 0;

	for (size_t i = 0; i < n; i++)
		if (!has_element(b, m, a[i].text) &&
		    !has_element(a, i, a[i].text))
			put_op(j, &j->to, SAT_VERB_ADD, SAT_OP_SADD, f,
			    sat_v_text(a[i].text));
}

static const sat_option *
stage_option(const sat_field *f, sat_value v)
{
	return f->dict == NULL || v.type != SAT_V_TEXT ? NULL :
	    sat_dict_option(f->dict, (const char *)v.s.p, v.s.n);
}

/* The one that is further counts, except between ends: a person decides. */
static void
join_stage(joining *j, const sat_field *f, sat_value ours, sat_value theirs)
{
	const sat_option *a = stage_option(f, ours), *b = stage_option(f, theirs);

	if (sat_value_eq(ours, theirs))
		return;
	if (a == NULL || b == NULL || a->terminal || b->terminal)
		put_op(j, &j->to, SAT_VERB_JOIN, SAT_OP_MERGE, f, theirs);
	else if (b->rank > a->rank)
		put_resolve(j, f, theirs);
}

static void
join_field(joining *j, const sat_field *f)
{
	const sat_cell *cell = sat_record_cell(&j->loser.rec, f->id);
	sat_value ours = sat_record_value(&j->winner.rec, f->id), theirs;
	bool empty = ours.type == SAT_V_NULL;

	if (cell == NULL || cell->value.type == SAT_V_NULL)
		return;
	theirs = cell->value;
	switch (f->policy) {
	case SAT_P_SET:
		unite(j, f, cell);
		return;
	case SAT_P_COUNTER:
		if (theirs.type == SAT_V_INT && theirs.i != 0)
			put_op(j, &j->to, SAT_VERB_ADD, SAT_OP_ADD, f, theirs);
		return;
	case SAT_P_MAX:
	case SAT_P_MIN:
		if (empty || (f->policy == SAT_P_MAX ? 1 : -1) *
		    sat_value_cmp(theirs, ours) > 0)
			put_op(j, &j->to, SAT_VERB_SET, SAT_OP_SET, f, theirs);
		return;
	case SAT_P_LWW:
	case SAT_P_ONCE:
		if (empty)
			put_op(j, &j->to, SAT_VERB_SET, SAT_OP_SET, f, theirs);
		return;
	case SAT_P_REVIEW:
		if (empty)
			put_op(j, &j->to, SAT_VERB_SET, SAT_OP_MVSET, f, theirs);
		else if (ours.type != SAT_V_TEXT || theirs.type != SAT_V_TEXT ?
		    !sat_value_eq(ours, theirs) :
		    !sat_norm_same(f->norm, ours.s, theirs.s))
			put_op(j, &j->to, SAT_VERB_JOIN, SAT_OP_MERGE, f,
			    theirs);
		return;
	case SAT_P_STAGE:
		join_stage(j, f, ours, theirs);
		return;
	case SAT_P_OWNER: /* a manager decides: account assign */
	case SAT_P_DERIVED:
		return;
	}
}

/* "loser" takes its value, "winner" leaves it. */
static sat_rc
chosen(bool *done, joining *j, const sat_field *f, const sat_input *choose,
    size_t n, sat_err *e)
{
	sat_value theirs = sat_record_value(&j->loser.rec, f->id);
	bool loser;

	*done = false;
	for (size_t i = 0; i < n; i++) {
		if (strcmp(choose[i].field, f->key) != 0)
			continue;
		loser = sat_span_eq(choose[i].text, sat_span_str("loser"));
		if (!loser && !sat_span_eq(choose[i].text,
		    sat_span_str("winner")))
			return sat_fail_code(e, SAT_EUSAGE, "usage.choice", NULL,
			    "%s: choose loser or winner", f->key);
		if (f->policy != SAT_P_LWW && f->policy != SAT_P_REVIEW &&
		    f->policy != SAT_P_STAGE)
			return sat_fail_code(e, SAT_EUSAGE, "usage.choice", NULL,
			    "%s is no field to choose", f->key);
		*done = true;
		if (loser && f->policy == SAT_P_STAGE)
			put_resolve(j, f, theirs);
		else if (loser)
			put_op(j, &j->to, SAT_VERB_SET,
			    f->policy == SAT_P_REVIEW ? SAT_OP_MVSET :
			    SAT_OP_SET, f, theirs);
	}
	return SAT_OK;
}

static sat_rc
join_all(joining *j, const sat_input *choose, size_t n, sat_err *e)
{
	const sat_kind *k = j->to.kind;
	bool done;
	sat_rc rc;

	for (size_t i = 0; i < n; i++)
		if (sat_kind_field(k, choose[i].field) == NULL)
			return sat_fail_code(e, SAT_EUSAGE, "usage.choice", NULL,
			    "%s has no field \"%s\"", k->key, choose[i].field);
	for (size_t i = 0; i < k->nfields; i++) {
		const sat_field *f = &k->fields[i];

		if ((rc = chosen(&done, j, f, choose, n, e)) != SAT_OK)
			return rc;
		if (!done && !f->retired)
			join_field(j, f);
	}
	return SAT_OK;
}

/* ---- the commit ---------------------------------------------------------------------- */

static sat_rc
open_both(joining *j, sat_arena *a, sat_crm *c, const crm_actor *who,
    const sat_kind *k, const sat_id *loser, const sat_id *winner, sat_err *e)
{
	sat_rc rc;

	if (k->scope != SAT_SCOPE_ROOT)
		return sat_fail_code(e, SAT_EUSAGE, "usage.kind", NULL,
		    "%s cannot be merged", k->plural);
	if ((rc = sat_replica_get(&j->loser, a, c->replica, k, loser, e)) !=
	    SAT_OK ||
	    (rc = sat_replica_get(&j->winner, a, c->replica, k, winner, e)) !=
	    SAT_OK)
		return rc;
	crm_work_begin(&j->from, c, who, a, k, &j->loser);
	crm_work_begin(&j->to, c, who, a, k, &j->winner);
	return SAT_OK;
}

/* The right to merge is asked about both, the values pass the gate. */
static sat_rc
judge_both(joining *j, sat_err *e)
{
	sat_rc rc;

	if ((rc = crm_relate(&j->from, e)) != SAT_OK ||
	    (rc = crm_judge(&j->from, e)) != SAT_OK ||
	    (rc = crm_relate(&j->to, e)) != SAT_OK)
		return rc;
	if (!sat_grant_covers(sat_acl(j->to.who->t, j->to.who->me->role, "merge"),
	    j->to.rel))
		return sat_fail_code(e, SAT_EDENIED, "permission.denied",
		    "ask your manager",
		    "the customer to merge into is not yours to merge");
	j->to.flag_missing = true;
	return j->to.n > 0 ? crm_judge(&j->to, e) : SAT_OK;
}

static sat_rc
write_both(joining *j, sat_err *e)
{
	sat_draft d = { .subject = j->to.id, .ops = j->ops, .nops = j->n };
	uint64_t cseq;

	return sat_replica_write(j->to.c->replica, &d, &cseq, e);
}

static sat_rc
merge(sat_arena *a, sat_crm *c, const sat_kind *k, const sat_id *loser,
    const sat_id *winner, const sat_input *choose, size_t n, sat_err *e)
{
	joining j = { .n = 0 };
	crm_actor who;
	sat_id to;
	sat_rc rc;

	if ((rc = crm_actor_get(&who, c, e)) != SAT_OK ||
	    (rc = open_both(&j, a, c, &who, k, loser, winner, e)) != SAT_OK ||
	    (rc = sat_replica_canon(&to, c->replica, winner, e)) != SAT_OK)
		return rc;
	if (sat_id_eq(&to, loser) || sat_id_eq(loser, winner))
		return sat_fail_code(e, SAT_ECONFLICT, "merge.cycle",
		    "satchel account show", "they are one customer already");
	if (sat_record_redirect(&to, &j.loser.rec))
		return sat_fail_code(e, SAT_ECONFLICT, "merge.stale",
		    "satchel account unmerge", "it is merged already");
	if (j.winner.rec.deleted) /* both would be gone from every list */
		return sat_fail_code(e, SAT_ECONFLICT, "merge.deleted",
		    "restore it first: satchel account restore ID",
		    "the customer to merge into is deleted");
	put_op(&j, &j.from, SAT_VERB_MERGE, SAT_OP_MERGE, NULL,
	    sat_v_id(winner));
	if ((rc = join_all(&j, choose, n, e)) != SAT_OK ||
	    (rc = judge_both(&j, e)) != SAT_OK)
		return rc;
	return write_both(&j, e);
}

sat_rc
sat_crm_merge(sat_crm *c, const sat_kind *k, const sat_id *loser,
    const sat_id *winner, const sat_input *choose, size_t n, sat_err *e)
{
	sat_arena a = { 0 };
	sat_rc rc = merge(&a, c, k, loser, winner, choose, n, e);

	sat_arena_fini(&a);
	return rc;
}

/* ---- apart again ------------------------------------------------------------------------- */

typedef struct undoing {
	joining j;
	sat_stamp at;    /* of the merge */
	sat_past *past;  /* of the winner */
	size_t npast;
	int64_t kept;
} undoing;

static bool
of_merge(const undoing *u, sat_stamp at)
{
	return at.hlc == u->at.hlc && at.dev == u->at.dev &&
	    at.lsn == u->at.lsn;
}

/* What the merge displaced; null when the field was empty. *known false: this
 * device may have got the winner as a whole, later, and has no history of it. */
static sat_value
before_merge(bool *known, const undoing *u, uint16_t field)
{
	*known = u->at.dev ==
	    sat_replica_identity_get(u->j.to.c->replica)->device;
	for (size_t i = 0; i < u->npast; i++) {
		if (u->past[i].by != u->at.lsn)
			continue;
		*known = true; /* it was there when the merge was folded */
		if (u->past[i].field == field)
			return u->past[i].value;
	}
	return sat_v_null();
}

static void
put_back(undoing *u, const sat_field *f, sat_op_kind kind)
{
	bool known;
	sat_value was = before_merge(&known, u, f->id);

	if (!known || (kind == SAT_OP_RESOLVE && was.type == SAT_V_NULL))
		u->kept++;
	else if (kind == SAT_OP_RESOLVE)
		put_resolve(&u->j, f, was);
	else
		put_op(&u->j, &u->j.to, SAT_VERB_SET, kind, f, was);
}

/* Its stamp was put below the others (P-174); place and device tell it. */
static bool
has_joined(const undoing *u, const sat_field *f, const sat_candidate *c)
{
	return c->at.dev == u->at.dev && c->at.lsn == u->at.lsn &&
	    (c->at.lsn != 0 || sat_value_eq(c->value,
	    sat_record_value(&u->j.loser.rec, f->id)));
}

/* A candidate that only joined goes; the newest of the others stays. */
static void
take_back_candidate(undoing *u, const sat_field *f, const sat_cell *cell)
{
	sat_candidate *c;
	uint64_t opened;
	size_t n = sat_cell_candidates(&c, &opened, u->j.to.a, f->policy, cell);

	for (size_t i = 0; i < n; i++) {
		if (!has_joined(u, f, &c[i]))
			continue;
		put_resolve(&u->j, f, c[i == 0 ? 1 : 0].value);
		return;
	}
	if (n == 0 && of_merge(u, cell->at))
		put_back(u, f, f->policy == SAT_P_REVIEW ? SAT_OP_MVSET :
		    SAT_OP_RESOLVE);
}

static void
take_back_elements(undoing *u, const sat_field *f, const sat_cell *cell)
{
	sat_element *el;
	size_t n = sat_cell_elements(&el, u->j.to.a, cell);

	for (size_t i = 0; i < n; i++)
		if (el[i].dev == u->at.dev && el[i].lsn == u->at.lsn)
			put_op(&u->j, &u->j.to, SAT_VERB_REMOVE, SAT_OP_SREM, f,
			    sat_v_text(el[i].text));
}

static void
take_back(undoing *u, const sat_field *f)
{
	const sat_cell *cell = sat_record_cell(&u->j.winner.rec, f->id);
	sat_value theirs = sat_record_value(&u->j.loser.rec, f->id);

	if (cell == NULL)
		return;
	switch (f->policy) {
	case SAT_P_SET:
		take_back_elements(u, f, cell);
		return;
	case SAT_P_COUNTER: /* what it had, and what followed it since */
		if (theirs.type == SAT_V_INT && theirs.i != 0 &&
		    theirs.i != INT64_MIN)
			put_op(&u->j, &u->j.to, SAT_VERB_ADD, SAT_OP_ADD, f,
			    sat_v_int(-theirs.i));
		return;
	case SAT_P_REVIEW:
	case SAT_P_STAGE:
		take_back_candidate(u, f, cell);
		return;
	case SAT_P_LWW:
		if (of_merge(u, cell->at))
			put_back(u, f, SAT_OP_SET);
		return;
	case SAT_P_MAX:
	case SAT_P_MIN:
	case SAT_P_ONCE: /* no way back: the fold keeps it */
		u->kept += of_merge(u, cell->at);
		return;
	case SAT_P_OWNER:
	case SAT_P_DERIVED:
		return;
	}
}

static sat_rc
unmerge(int64_t *kept, sat_arena *a, sat_crm *c, const sat_kind *k,
    const sat_id *loser, sat_err *e)
{
	undoing u = { .kept = 0 };
	const sat_cell *redirect;
	crm_actor who;
	sat_view v;
	sat_id to;
	sat_rc rc;

	if ((rc = crm_actor_get(&who, c, e)) != SAT_OK ||
	    (rc = sat_replica_get(&v, a, c->replica, k, loser, e)) != SAT_OK)
		return rc;
	if (!sat_record_redirect(&to, &v.rec))
		return sat_fail_code(e, SAT_ECONFLICT, "merge.stale", NULL,
		    "it is not merged into another customer");
	if ((rc = open_both(&u.j, a, c, &who, k, loser, &to, e)) != SAT_OK ||
	    (rc = sat_replica_history(&u.past, &u.npast, a, c->replica, &to, 0,
	    e)) != SAT_OK)
		return rc;
	redirect = sat_record_cell(&v.rec, SAT_SYS_REDIRECT);
	u.at = redirect->at;
	put_op(&u.j, &u.j.from, SAT_VERB_MERGE, SAT_OP_UNMERGE, NULL,
	    sat_v_null());
	for (size_t i = 0; i < k->nfields; i++)
		take_back(&u, &k->fields[i]);
	*kept = u.kept;
	if ((rc = judge_both(&u.j, e)) != SAT_OK)
		return rc;
	return write_both(&u.j, e);
}

sat_rc
sat_crm_unmerge(int64_t *kept, sat_crm *c, const sat_kind *k,
    const sat_id *loser, sat_err *e)
{
	sat_arena a = { 0 };
	sat_rc rc;

	*kept = 0;
	rc = unmerge(kept, &a, c, k, loser, e);
	sat_arena_fini(&a);
	return rc;
}
