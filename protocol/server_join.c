/*
 * server_join.c - two states of which neither holds the other: what one shows of
 * devices that are not back, or that let it go, is joined to the one that stays
 * (C3, P-393).
 *
 * Places are of whole chains: a commit that one order has and another has not may
 * be about any record. What a record shows is its own.
 *
 * Only what can come twice without harm is joined: elements of sets, and values.
 * Should its author be back one day after all, or have let go another commit than
 * this one, his commit finds his own value there. What a counter counts does not say by whom, and stages are paths: the
 * state that stays decides about these.
 */
#include "protocol/server_int.h"

#include <string.h>

/* Of a device that is not back; or one that is, and does not bring it: what stands
 * in the backup or in this server's log is in both states, or comes to both. */
static sat_rc
stays_away(bool *yes, sat_server *s, const srv_beside *x, uint32_t dev,
    uint64_t lsn, sat_err *e)
{
	bool back;
	sat_rc rc = sat_srv_told_back(&back, x->told, dev, e);

	*yes = rc == SAT_OK && (!back || (x->let_go && sat_srv_lost(s, lsn) &&
	    sat_srv_has_let_go(x, dev, lsn)));
	return rc;
}

typedef struct elements {
	const sat_element *v;
	size_t n;
} elements;

/* They are ascending. */
static bool
has_element(elements l, sat_span text)
{
	size_t lo = 0, hi = l.n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = sat_span_cmp(l.v[mid].text, text);

		if (c == 0)
			return true;
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return false;
}

/* From *i on, an element of a that b lacks, of a device that stays away. */
static sat_rc
next_element(bool *yes, size_t *i, sat_server *s, const srv_beside *x, elements a,
    elements b, sat_err *e)
{
	for (*yes = false; *i < a.n; ++*i) {
		sat_rc rc;

		if (has_element(b, a.v[*i].text))
			continue;
		if ((rc = stays_away(yes, s, x, a.v[*i].dev, a.v[*i].lsn,
		    e)) != SAT_OK || *yes)
			return rc;
	}
	return SAT_OK;
}

/* A value of a that is newer than b's, of a device that stays away. */
static sat_rc
is_newer(bool *yes, sat_server *s, const srv_beside *x, const sat_cell *a,
    const sat_cell *b, sat_err *e)
{
	*yes = false;
	if (b != NULL && b->at.hlc >= a->at.hlc)
		return SAT_OK;
	return stays_away(yes, s, x, a->at.dev, a->at.lsn, e);
}

static elements
elements_of(sat_server *s, const sat_cell *c)
{
	sat_element *v = NULL;
	size_t n = c != NULL ? sat_cell_elements(&v, &s->txn, c) : 0;

	return (elements){ v, n };
}

static sat_rc
shows_cell(bool *yes, sat_server *s, const srv_beside *x, const sat_field *f,
    const sat_cell *a, const sat_cell *b, sat_err *e)
{
	size_t i = 0;

	if (f == NULL || f->policy != SAT_P_SET)
		return is_newer(yes, s, x, a, b, e);
	return next_element(yes, &i, s, x, elements_of(s, a), elements_of(s, b),
	    e);
}

static bool
is_shown(const sat_cell *c)
{
	return c->field < SAT_SYS_FIRST && c->at.dev != SAT_DEV_SERVER;
}

static sat_rc
shows_more(bool *yes, sat_server *s, const srv_beside *x,
    const sat_record *a, const sat_record *b, sat_err *e)
{
	const sat_kind *k = sat_srv_kind(s, a->kind);
	sat_rc rc = SAT_OK;

	*yes = false;
	for (size_t i = 0; i < a->ncells && !*yes && rc == SAT_OK &&
	    k != NULL; i++)
		if (is_shown(&a->cells[i]))
			rc = shows_cell(yes, s, x, sat_kind_field_id(k,
			    a->cells[i].field), &a->cells[i],
			    sat_record_cell(b, a->cells[i].field), e);
	return rc;
}

sat_rc
sat_srv_shows_alone(bool *yes, sat_server *s, const srv_beside *x,
    const srv_beside *other_way, const sat_record *a, const sat_record *b,
    sat_err *e)
{
	srv_beside to = *x, back = *other_way;
	bool other = false;
	sat_rc rc;

	/* When one alone has what surely does not come, it is the one to keep,
	 * unless it is the other one only that shows anything. */
	to.let_go = x->only > back.only;
	back.let_go = back.only > x->only;

	/* What a counter counts of who is not back may be in no other state, so
	 * these come first. */
	if ((rc = shows_more(yes, s, &to, a, b, e)) == SAT_OK)
		rc = shows_more(&other, s, &back, b, a, e);
	if (rc == SAT_OK && x->only == ONLY_SURELY && back.only == x->only &&
	    !*yes && !other) {
		to.let_go = back.let_go = true;
		if ((rc = shows_more(yes, s, &to, a, b, e)) == SAT_OK)
			rc = shows_more(&other, s, &back, b, a, e);
	}
	*yes = x->only > back.only ? *yes || !other : *yes && !other;
	return rc;
}

/* ---- joining ------------------------------------------------------------------ */

typedef struct joining {
	sat_server *s;
	const srv_beside *x;
	sat_record *to;
	const sat_template *t;
	bool changed;
} joining;

static sat_rc
put(joining *j, sat_op_kind kind, uint16_t field, sat_value v, sat_stamp at,
    sat_err *e)
{
	sat_op op = { .kind = kind, .rtype = j->to->kind, .rec = j->to->id,
		.field = field, .value = v };
	sat_apply_ctx ctx = { at, 0, false, /* nobody saw the other */
		&j->s->fold };
	sat_applied out;
	sat_rc rc = sat_record_apply(&out, j->to, &j->s->txn, j->t, &op, &ctx,
	    e);

	j->changed = j->changed || (rc == SAT_OK && out.outcome != SAT_NOTHING);
	return rc;
}

static sat_rc
join_set(joining *j, const sat_cell *c, sat_err *e)
{
	elements a = elements_of(j->s, c);
	elements b = elements_of(j->s, sat_record_cell(j->to, c->field));
	size_t i = 0;
	bool yes;
	sat_rc rc;

	while ((rc = next_element(&yes, &i, j->s, j->x, a, b, e)) == SAT_OK &&
	    yes) {
		sat_stamp at = { c->at.hlc, a.v[i].dev, a.v[i].lsn };

		if ((rc = put(j, SAT_OP_SADD, c->field, sat_v_text(a.v[i].text),
		    at, e)) != SAT_OK)
			return rc;
		i++;
	}
	return rc;
}

static sat_rc
join_cell(joining *j, const sat_field *f, const sat_cell *c, sat_err *e)
{
	bool yes;
	sat_rc rc;

	if (f == NULL)
		return SAT_OK;
	if (f->policy == SAT_P_SET)
		return join_set(j, c, e);
	if (f->policy != SAT_P_LWW && f->policy != SAT_P_REVIEW &&
	    f->policy != SAT_P_MAX && f->policy != SAT_P_MIN)
		return SAT_OK;
	if ((rc = is_newer(&yes, j->s, j->x, c, sat_record_cell(j->to,
	    c->field), e)) != SAT_OK || !yes)
		return rc;
	return put(j, f->policy == SAT_P_REVIEW ? SAT_OP_MVSET : SAT_OP_SET,
	    c->field, c->value, c->at, e);
}

sat_rc
sat_srv_join(bool *changed, sat_server *s, const srv_beside *x, sat_record *to,
    const sat_record *from, sat_err *e)
{
	joining j = { .s = s, .x = x, .to = to,
		.t = s->tip != NULL ? s->tip : s->last };
	const sat_kind *k = sat_srv_kind(s, to->kind);
	sat_rc rc = SAT_OK;

	*changed = false;
	if (k == NULL || j.t == NULL)
		return SAT_OK;
	sat_fold_room_turn(&s->fold);
	if (to->ncells > 0) /* the fold changes them in place */
		to->cells = sat_arena_dup(&s->txn, to->cells,
		    to->ncells * sizeof *to->cells);
	for (size_t i = 0; i < from->ncells && rc == SAT_OK; i++)
		if (is_shown(&from->cells[i]))
			rc = join_cell(&j, sat_kind_field_id(k,
			    from->cells[i].field), &from->cells[i], e);
	*changed = j.changed;
	return rc;
}
