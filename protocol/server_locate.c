/*
 * server_locate.c - what a commit is about: the record of each operation, made
 * or found, and the customer a new record stands below.
 *
 * Comes before the author's rights are judged: an operation that names nothing
 * is refused or parked whoever wrote it.
 */
#include "protocol/derived.h"
#include "protocol/server_locate.h"

#include <string.h>

static bool
owner_known(const locating *x, sat_value v)
{
	return v.type == SAT_V_NULL || (v.type == SAT_V_TEXT &&
	    sat_registry_user(&x->j->s->reg, v.s) != NULL);
}

/* The fields of the record as such that a device may write. */
static bool
of_the_record(const sat_op *op)
{
	if (op->field == SAT_SYS_REDIRECT)
		return op->kind == SAT_OP_MERGE || op->kind == SAT_OP_UNMERGE;
	return op->field == SAT_SYS_DISMISSED && op->kind == SAT_OP_SADD;
}

/* What the op means for scope: the first owner, no late parent. */
static sat_rc
scope_fields(locating *x, wrec *w, const sat_kind *kind, size_t i)
{
	const judging *j = x->j;
	const sat_op *op = &j->c->ops[i];
	const sat_field *f = sat_kind_field_id(kind, op->field);

	if (of_the_record(op))
		return SAT_OK;
	if (f == NULL)
		return sat_srv_refuse(j->a, i, SAT_VD_REJECTED,
		    "field.unknown", "");
	if (f == kind->owner && op->kind != SAT_OP_RELEASE) {
		if (!owner_known(x, op->value))
			return sat_srv_refuse(j->a, i, SAT_VD_REJECTED,
			    "owner.unknown", sat_srv_ask(j->a));
		if (w->fresh)
			w->owner = op->value;
	}
	/* A record that stood for itself stays so: moving it below a root
	 * would be a scope move nobody decided. */
	if (f == kind->parent && !w->fresh && w->root == w->eid)
		return sat_srv_refuse(j->a, i, SAT_VD_REJECTED, "parent.late",
		    "");
	return SAT_OK;
}

static const char *
needs_hint(locating *x, const sat_id *rec)
{
	char id[SAT_ID_TEXT];

	sat_id_text(id, rec);
	return sat_srv_hint(x->j->s, "NEEDS_PARENT", sat_span_str(id));
}

/* A record that is not there: parked, or with a suggestion that would make it.
 * Nobody could accept a suggestion to suggest. */
static sat_rc
follow(locating *x, size_t i, const sat_id *rec, sat_err *e)
{
	const judging *j = x->j;
	bool yes = false;
	sat_rc rc = sat_op_is_hand(&j->c->ops[i]) ? SAT_OK :
	    sat_srv_suggested(&yes, &x->only, j->s, j->c, rec, e);

	if (rc != SAT_OK)
		return rc;
	if (!yes)
		return sat_srv_refuse(j->a, i, SAT_VD_PARKED, "needs_parent",
		    needs_hint(x, rec));
	x->follows = true;
	return SAT_OK;
}

/*
 * P-281: what a rule makes is born on every device that runs the rule. A later
 * birth meets the first one as edits do; so it must not know of it (the gate
 * asked for the right to create, not for the right to take it over).
 */
static sat_rc
born_again(bool *yes, locating *x, wrec *w, const sat_op *op,
    const sat_kind *kind, sat_err *e)
{
	const judging *j = x->j;
	sat_rc rc = sat_set_decode(w, j->s, e);

	*yes = rc == SAT_OK && !w->fresh && w->kind == op->rtype &&
	    !kind->append_only && sat_id_is_derived(&w->id) &&
	    w->r.born.dev != j->c->device &&
	    w->r.born.lsn > sat_op_seen(j->c, op);
	if (*yes)
		w->reborn = j->s->serial;
	return rc;
}

sat_rc
sat_srv_locate(locating *x, size_t i, sat_err *e)
{
	const judging *j = x->j;
	const sat_op *op = &j->c->ops[i];
	const sat_kind *kind = sat_template_kind_id(j->t, op->rtype);
	wrec *w;
	bool again = false;
	sat_rc rc;

	if (op->kind >= SAT_OP_CLAIM && op->kind != SAT_OP_MERGE &&
	    op->kind != SAT_OP_UNMERGE && !sat_op_is_hand(op) && !sat_op_is_pool(op) &&
	    !sat_op_kind_is_later(op->kind)) /* P-131 */
		return sat_srv_refuse(j->a, i, SAT_VD_REJECTED, "denied", "");
	if (kind == NULL)
		return sat_srv_refuse(j->a, i, SAT_VD_REJECTED, "kind.unknown",
		    "");
	if ((rc = sat_set_by_id(&w, j->s, &op->rec, e)) != SAT_OK)
		return rc;
	if (w->erased) /* X4 */
		return sat_srv_refuse(j->a, i, SAT_VD_REJECTED,
		    SAT_SLUG_ERASED, "");
	if (op->kind == SAT_OP_NEW && w->exists) {
		if ((rc = born_again(&again, x, w, op, kind, e)) != SAT_OK)
			return rc;
		if (!again)
			return sat_srv_refuse(j->a, i, SAT_VD_REJECTED,
			    "record.exists", "");
	}
	if (op->kind == SAT_OP_NEW && !again) {
		if (j->s->eid >= UINT32_MAX)
			return sat_fail(e, SAT_ENOSPACE, "no eid left");
		sat_set_born(j->s, w, op->rtype);
	}
	if (!w->exists) {
		x->m->of[i] = NULL;
		return follow(x, i, &op->rec, e);
	}
	if (w->kind != op->rtype)
		return sat_srv_refuse(j->a, i, SAT_VD_REJECTED, "kind.other",
		    "");
	if ((rc = sat_merge_touch(x->m, w, i, e)) != SAT_OK)
		return rc;
	return op->field == 0 || sat_op_is_hand(op) ||
	    sat_op_kind_is_later(op->kind) ? SAT_OK :
	    scope_fields(x, w, kind, i);
}

/* The op that names the parent of a fresh record, SIZE_MAX when none does. */
static size_t
parent_op(const locating *x, const wrec *w, const sat_kind *kind)
{
	const judging *j = x->j;
	for (size_t i = w->first_op; i != SIZE_MAX; i = j->next_op[i])
		if (kind->parent != NULL && j->c->ops[i].field == kind->parent->id &&
		    j->c->ops[i].value.type != SAT_V_NULL)
			return i;
	return SIZE_MAX;
}

/* B11: the parent is there, of the right kind, and was the author's to see. */
sat_rc
sat_srv_find_root(locating *x, wrec *w, sat_err *e)
{
	judging *j = x->j;
	const sat_kind *kind = sat_template_kind_id(j->t, w->kind), *pk;
	size_t i = parent_op(x, w, kind);
	sat_value v;
	wrec *parent;
	sat_id id;
	bool yes;
	sat_rc rc;

	if (i == SIZE_MAX)
		return SAT_OK;
	v = j->c->ops[i].value;
	if (v.type != SAT_V_BYTES || v.s.n != sizeof id.b)
		return sat_srv_refuse(j->a, i, SAT_VD_REJECTED,
		    "validation.type", "");
	memcpy(id.b, v.s.p, sizeof id.b);
	if ((rc = sat_set_by_id(&parent, j->s, &id, e)) != SAT_OK)
		return rc;
	if (parent->erased)
		return sat_srv_refuse(j->a, i, SAT_VD_REJECTED,
		    SAT_SLUG_ERASED, "");
	if (!parent->exists)
		return follow(x, i, &id, e);
	pk = sat_template_kind_id(j->t, parent->kind);
	/* One level: a child of a child would have two roots to be seen by.
	 * What stands below a merged customer is seen with the winner. */
	if (pk == NULL || parent == w || (parent->root != parent->eid &&
	    pk->parent != NULL) ||
	    (kind->parent->ref != NULL && strcmp(pk->key, kind->parent->ref) != 0))
		return sat_srv_refuse(j->a, i, SAT_VD_REJECTED, "parent.kind",
		    "");
	if ((rc = sat_srv_could_see(&yes, &j->late, j, parent, e)) !=
	    SAT_OK)
		return rc;
	if (!yes)
		return sat_srv_refuse(j->a, i, SAT_VD_REJECTED, "denied",
		    sat_srv_ask(j->a));
	/* A pool shows the customer; an opportunity of one's own would show all
	 * of it (P-156). */
	if (kind->scope == SAT_SCOPE_OWNED && (rc = sat_srv_masked(&yes, j->s,
	    parent, j->mine, e)) != SAT_OK)
		return rc;
	if (kind->scope == SAT_SCOPE_OWNED && yes)
		return sat_srv_refuse(j->a, i, SAT_VD_REJECTED, "denied",
		    sat_srv_ask(j->a));
	w->root = parent->root;
	return SAT_OK;
}
