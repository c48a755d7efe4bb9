/*
 * server_gate.c - may this author do this to this record?
 *
 * Content is judged as of what the author had seen: who lost a customer while
 * he was offline still gets his notes in, as `late`. Ownership and deletion are
 * judged as of now. Types come from the template the commit was made under,
 * rights from the published one: yesterday's form is no reason to refuse work,
 * yesterday's permission is no permission (P-086, sync design B12, B17).
 */
#include "protocol/server_int.h"

#include <stdio.h>
#include <string.h>

#include "common/template/gate.h"

/* What a verdict carries lives as long as the transaction: `slug` and `hint`
 * are literals, or are copied by the caller. */
sat_rc
sat_srv_refuse(const admission *a, size_t op, sat_verdict_code code,
    const char *slug, const char *hint)
{
	a->v->code = code;
	a->v->op = (uint32_t)op;
	a->v->slug = sat_span_str(slug);
	a->v->hint = sat_span_str(hint);
	return SAT_EFALSE;
}

const char *
sat_srv_hint(sat_server *s, const char *code, sat_span arg)
{
	char text[160];
	int n;

	if (arg.n == 0 || arg.n > 120)
		return code;
	n = snprintf(text, sizeof text, "%s=%.*s", code, (int)arg.n,
	    (const char *)arg.p);
	return sat_arena_str(&s->txn, text, (size_t)n);
}

const char *
sat_srv_ask(const admission *a)
{
	const sat_registry *reg = &a->s->reg;

	for (size_t i = 0; i < reg->nusers && a->actor->team != 0; i++) {
		const sat_user *u = &reg->users[i];

		if (u->team == a->actor->team && u->ord != a->actor->ord &&
		    !u->disabled && strcmp(u->role, "manager") == 0)
			return sat_srv_hint(a->s, "ASK_MANAGER",
			    sat_span_str(u->key));
	}
	return "ASK_MANAGER";
}

/* ---- where the author stands ------------------------------------------------- */

uint64_t
sat_srv_seen_of(const judging *j, const wrec *w)
{
	const sat_commit *c = j->c;

	return w->touch == j->s->serial && w->first_op != SIZE_MAX ?
	    sat_op_seen(c, &c->ops[w->first_op]) : c->seen;
}

static sat_rc
left_after_seen(bool *yes, judging *j, uint64_t seen, uint32_t root,
    sat_scope_key key, sat_err *e)
{
	sat_server *s = j->s;
	wroot *r;
	wkey *k;
	sat_rc rc;

	*yes = false;
	if ((rc = sat_set_root(&r, s, root, false, e)) != SAT_OK)
		return rc;
	k = sat_set_key(s, r, key);
	if ((rc = sat_set_member(k, s, r, e)) != SAT_OK)
		return rc;
	*yes = k->m.left_lsn > seen;
	if (*yes && k->m.left_lsn > j->lost_lsn)
		j->lost_lsn = k->m.left_lsn;
	return SAT_OK;
}

/* Was the author, or for a manager one of the team, for a receptionist one of
 * the desk, the owner of eid when the commit was written? Rarely asked: only
 * when he is not any more. */
static sat_rc
owner_at_seen(sat_relation *rel, judging *j, uint64_t seen, uint32_t eid,
    sat_err *e)
{
	const sat_store *st = &j->s->env.store;
	const sat_registry *reg = &j->s->reg;
	const sat_user *me = j->a->actor;
	bool team = me->team != 0 && sat_keys_has(j->mine, sat_key_team(me->team));
	bool desk = me->team != 0 && sat_keys_has(j->mine, sat_key_desk(me->team));
	uint64_t lsn;
	sat_rc rc;

	*rel = SAT_REL_NONE;
	for (size_t i = 0; i < reg->nusers; i++) {
		const sat_user *u = &reg->users[i];

		if (u->ord != me->ord && (u->team != me->team ||
		    !(team || (desk && sat_user_is_desk(u)))))
			continue;
		if ((rc = st->owner_left_lsn(&lsn, st->u, eid,
		    sat_span_str(u->key), e)) != SAT_OK)
			return rc;
		if (lsn <= seen)
			continue;
		if (lsn > j->lost_lsn)
			j->lost_lsn = lsn;
		*rel = u->ord == me->ord ? SAT_REL_OWN : SAT_REL_TEAM;
		if (*rel == SAT_REL_OWN)
			break;
	}
	return SAT_OK;
}

/* How the author stood when he had seen what he had of the record (P-027), and
 * whether he held it then. */
static sat_rc
at_seen(sat_relation *rel, bool *held, judging *j, wrec *w, sat_err *e)
{
	const sat_kind *k = sat_srv_kind(j->s, w->kind);
	wrec *top;
	sat_relation own = SAT_REL_NONE;
	uint64_t seen = sat_srv_seen_of(j, w);
	bool left = false, yes;
	sat_rc rc;

	if ((rc = owner_at_seen(rel, j, seen, w->root, e)) != SAT_OK ||
	    (rc = sat_srv_top(&top, j->s, w, e)) != SAT_OK ||
	    (top != w && top->eid != w->root &&
	    (rc = owner_at_seen(&own, j, seen, top->eid, e)) != SAT_OK))
		return rc;
	*rel = sat_scope_closer(*rel, own);
	own = SAT_REL_NONE;
	if (w->root != w->eid && !w->fresh &&
	    (rc = owner_at_seen(&own, j, seen, w->eid, e)) != SAT_OK)
		return rc;
	if (*rel == SAT_REL_NONE || own == SAT_REL_OWN)
		*rel = own != SAT_REL_NONE ? own : *rel;
	for (size_t i = 0; i < j->mine->n; i++) {
		if ((rc = left_after_seen(&yes, j, seen, w->root,
		    j->mine->k[i], e)) != SAT_OK)
			return rc;
		left = left || yes;
	}
	/* Held through an owned child: plain children of the root, old ones to
	 * read and new ones to write, were his to see; other owned ones not. */
	if (*rel == SAT_REL_NONE && left && w->fresh && k != NULL &&
	    k->scope == SAT_SCOPE_CHILD)
		*rel = SAT_REL_OWN;
	*held = *rel != SAT_REL_NONE ||
	    (left && (k == NULL || k->scope != SAT_SCOPE_OWNED ||
	    w->root == w->eid || sat_value_eq(w->owner,
	    sat_v_text(sat_span_str(j->a->actor->key)))));
	return SAT_OK;
}

static bool
made_now(const judging *j, const wrec *w)
{
	return w->fresh && w->touch == j->s->serial;
}

sat_rc
sat_srv_could_see(bool *yes, bool *late, judging *j, wrec *w, sat_err *e)
{
	sat_relation rel;
	sat_rc rc;

	if (made_now(j, w)) {
		*yes = true;
		return SAT_OK;
	}
	if ((rc = sat_srv_visible(yes, j->s, w, j->mine, e)) != SAT_OK ||
	    *yes)
		return rc;
	if ((rc = at_seen(&rel, yes, j, w, e)) == SAT_OK && *yes)
		*late = true;
	return rc;
}

sat_rc
sat_srv_relation(sat_relation *rel, judging *j, wrec *w, sat_err *e)
{
	const sat_kind *k = sat_srv_kind(j->s, w->kind);
	sat_value root_owner = sat_v_null(), own = w->owner;
	bool sees_root = true;
	wrec *root;
	sat_rc rc;

	if (w->root != w->eid) {
		if ((rc = sat_set_by_eid(&root, j->s, w->root, e)) != SAT_OK)
			return rc;
		root_owner = root->owner;
		if (!made_now(j, root) && (rc = sat_srv_visible(&sees_root,
		    j->s, root, j->mine, e)) != SAT_OK)
			return rc;
	} else if (k != NULL && k->scope == SAT_SCOPE_ROOT) {
		root_owner = w->owner;
	}
	if (k != NULL && k->scope == SAT_SCOPE_ROOT)
		own = sat_v_null();
	*rel = sat_scope_relation(&j->s->reg, j->a->actor,
	    k != NULL ? k->scope : SAT_SCOPE_CHILD, root_owner, own, sees_root,
	    w->fresh);
	if (w->root == w->eid)
		return SAT_OK;
	/* Below a merged customer its owner counts as well as the winner's,
	 * until a manager decides which one it is. */
	if ((rc = sat_srv_top(&root, j->s, w, e)) != SAT_OK ||
	    root->eid == w->root ||
	    (root == w && (k == NULL || k->scope != SAT_SCOPE_ROOT)))
		return rc;
	*rel = sat_scope_closer(*rel, sat_scope_relation(&j->s->reg,
	    j->a->actor, k != NULL ? k->scope : SAT_SCOPE_CHILD, root->owner,
	    own, sees_root, w->fresh));
	return SAT_OK;
}

/* ---- the changes ---------------------------------------------------------------- */

typedef struct changes {
	sat_change *c;
	size_t *op;
	size_t n;
} changes;

static sat_verb
verb_of(const sat_op *op)
{
	if (op->field == SAT_SYS_REDIRECT)
		return SAT_VERB_MERGE;
	switch (op->kind) {
	case SAT_OP_SADD:
	case SAT_OP_ADD: return SAT_VERB_ADD;
	case SAT_OP_SREM: return SAT_VERB_REMOVE;
	case SAT_OP_STAGE: return SAT_VERB_STAGE;
	case SAT_OP_REASSIGN: return SAT_VERB_ASSIGN;
	case SAT_OP_RESOLVE: return SAT_VERB_RESOLVE;
	case SAT_OP_DEL: return SAT_VERB_DELETE;
	case SAT_OP_UNDEL: return SAT_VERB_RESTORE;
	case SAT_OP_NEW:
	case SAT_OP_SET:
	case SAT_OP_MVSET: break;
	case SAT_OP_CLAIM:
	case SAT_OP_RELEASE:
	case SAT_OP_NUMBER:
	case SAT_OP_HAND:
	case SAT_OP_SETTLE:
	case SAT_OP_ERASE: break; /* refused before (P-131) */
	case SAT_OP_MERGE: return SAT_VERB_JOIN; /* of a field */
	case SAT_OP_UNMERGE: return SAT_VERB_MERGE;
	}
	return SAT_VERB_SET;
}

static bool
is_authority(sat_verb v)
{
	return v == SAT_VERB_ASSIGN || v == SAT_VERB_DELETE ||
	    v == SAT_VERB_RESTORE || v == SAT_VERB_MERGE;
}

enum { CONTENT = 1, AUTHORITY = 2 };

/* The record's ops of the wanted sort, with the fields of template t. */
static changes
gather(judging *j, const wrec *w, const sat_kind *k, unsigned sorts)
{
	const sat_commit *c = j->c;
	changes out = { 0 };
	size_t n = 0;

	for (size_t i = w->first_op; i != SIZE_MAX; i = j->next_op[i])
		n++;
	out.c = sat_arena_alloc(&j->s->txn, n * sizeof *out.c);
	out.op = sat_arena_alloc(&j->s->txn, n * sizeof *out.op);
	for (size_t i = w->first_op; i != SIZE_MAX; i = j->next_op[i]) {
		const sat_op *op = &c->ops[i];
		sat_verb verb = verb_of(op);
		const sat_field *f = sat_kind_field_id(k, op->field);

		if (op->kind == SAT_OP_NEW || sat_op_kind_is_later(op->kind) ||
		    !(sorts & (is_authority(verb) ? AUTHORITY : CONTENT)) ||
		    (op->field != 0 && f == NULL && /* not known to the tip yet */
		    verb != SAT_VERB_MERGE))
			continue;
		out.op[out.n] = i;
		out.c[out.n++] = (sat_change){ verb, f, op->value };
	}
	return out;
}

static sat_value
current(void *u, const sat_field *f)
{
	const wrec *w = u;

	return sat_record_value(&w->r, f->id);
}

static bool
may_edit(const judging *j, const sat_template *t, const sat_kind *k,
    sat_relation rel)
{
	char action[96];

	(void)snprintf(action, sizeof action, "%s.edit", k->key);
	return sat_grant_covers(sat_acl(t, j->a->actor->role, action), rel);
}

typedef struct asking {
	judging *j;
	wrec *w;
	sat_rc rc; /* of reading the customer */
	sat_err *e;
} asking;

/* A field of its customer as he is now, for what the flow asks. One who cannot
 * be read has no grade that asks for less: nothing is judged then. */
static sat_value
customer(void *u, const char *key)
{
	asking *q = u;
	const sat_kind *k;
	const sat_field *f;
	wrec *root;

	if (q->w->root == q->w->eid || q->rc != SAT_OK ||
	    (q->rc = sat_set_by_eid(&root, q->j->s, q->w->root, q->e)) !=
	    SAT_OK || (q->rc = sat_set_decode(root, q->j->s, q->e)) != SAT_OK)
		return sat_v_null();
	k = sat_template_kind_id(q->j->t, root->kind);
	f = k != NULL ? sat_kind_field(k, key) : NULL;
	return f != NULL ? sat_record_value(&root->r, f->id) : sat_v_null();
}

static sat_rc
judge_by(sat_gate_in *in, changes *ch, judging *j, wrec *w,
    const sat_template *t, sat_relation rel, unsigned sorts, sat_err *e)
{
	bool born = w->fresh || sat_srv_reborn(j->s, w);
	sat_err unread;
	asking q = { j, w, SAT_OK, &unread };
	sat_gate_out out;
	sat_rc rc;

	*in = (sat_gate_in){ .t = t, .role = j->a->actor->role, .relation = rel,
		.kind = sat_template_kind_id(t, w->kind), .is_new = born,
		.deleted = !born && w->r.deleted, .flag_missing = true,
		.from_sync = true, .current = born ? NULL : current,
		.u = w, .user = j->a->actor->key,
		.at_ms = sat_hlc_ms(j->c->hlc), .customer = customer,
		.customer_u = &q };
	if (in->kind == NULL)
		return SAT_OK;
	/* it changes what is there: the right to create is not enough (P-282) */
	if (sat_srv_reborn(j->s, w) && !may_edit(j, t, in->kind, rel))
		return SAT_EDENIED;
	*ch = gather(j, w, in->kind, sorts);
	in->changes = ch->c;
	in->n = ch->n;
	if (in->n == 0 && !in->is_new)
		return SAT_OK;
	rc = sat_gate_judge(&out, in, e);
	if (q.rc != SAT_OK)
		*e = unread;
	return q.rc != SAT_OK ? q.rc : rc;
}

/* The op that decided: the gate names the field. */
static size_t
op_of_finding(const changes *ch, const wrec *w, const sat_err *e)
{
	for (size_t i = 0; e->nfields > 0 && i < ch->n; i++)
		if (ch->c[i].field != NULL &&
		    strcmp(ch->c[i].field->key, e->fields[0].path) == 0)
			return ch->op[i];
	return w->first_op;
}

static sat_rc
refuse_finding(judging *j, const changes *ch, const wrec *w, const sat_err *why)
{
	const char *hint = "";

	if (why->nfields > 0 && strcmp(why->fields[0].code, "retired") == 0)
		hint = sat_srv_hint(j->s, "FIELD_RETIRED",
		    sat_span_str(why->fields[0].path));
	return sat_srv_refuse(j->a, op_of_finding(ch, w, why), SAT_VD_REJECTED,
	    sat_arena_str(&j->s->txn, why->code, strlen(why->code)), hint);
}

/* What this release cannot read it cannot judge: it takes the right to edit
 * the record, and changes none of its fields (P-169). */
static bool
may_keep_later(const judging *j, const wrec *w, sat_relation rel)
{
	const sat_template *t = j->tip != NULL ? j->tip : j->t;
	const sat_kind *k = sat_template_kind_id(t, w->kind);
	bool later = false;

	for (size_t i = w->first_op; i != SIZE_MAX; i = j->next_op[i])
		later |= sat_op_kind_is_later(j->c->ops[i].kind);
	if (!later || w->fresh || k == NULL)
		return true;
	return may_edit(j, t, k, rel);
}

/* SAT_EDENIED, SAT_EFALSE with the verdict; others are failures. */
static sat_rc
gate(judging *j, wrec *w, sat_relation rel, unsigned sorts, sat_err *e)
{
	sat_err why;
	sat_gate_in in;
	changes ch = { 0 };
	sat_rc rc, right;

	sat_err_clear(&why);
	if ((sorts & CONTENT) != 0 && !may_keep_later(j, w, rel))
		return SAT_EDENIED;
	rc = judge_by(&in, &ch, j, w, j->t, rel, sorts, &why);
	if (rc == SAT_EINVALID)
		return refuse_finding(j, &ch, w, &why);
	if (rc != SAT_OK && rc != SAT_EDENIED)
		goto out;
	if (j->tip == NULL || j->tip == j->t)
		return rc;
	right = judge_by(&in, &ch, j, w, j->tip, rel, sorts, &why);
	if (right == SAT_EDENIED)
		return right;
	/* A right that is new: then the new template judges the values too. */
	if (right == SAT_EINVALID && rc == SAT_EDENIED)
		return refuse_finding(j, &ch, w, &why);
	rc = right != SAT_EINVALID ? right : SAT_OK;
out:
	if (rc != SAT_OK && e != NULL)
		*e = why;
	return rc;
}

static sat_rc
denied(const judging *j, const wrec *w)
{
	return sat_srv_refuse(j->a, w->first_op, SAT_VD_REJECTED, "denied",
	    sat_srv_ask(j->a));
}

static unsigned
sorts_of(const judging *j, const wrec *w)
{
	unsigned sorts = 0;

	for (size_t i = w->first_op; i != SIZE_MAX; i = j->next_op[i])
		if (j->c->ops[i].kind != SAT_OP_NEW &&
		    !sat_op_is_hand(&j->c->ops[i]))
			sorts |= is_authority(verb_of(&j->c->ops[i])) ?
			    AUTHORITY : CONTENT;
	return sorts;
}

/* Judged by a file of its own, and nothing else is there. */
static bool
only_special(const judging *j, const wrec *w)
{
	for (size_t i = w->first_op; i != SIZE_MAX; i = j->next_op[i])
		if (!sat_op_is_hand(&j->c->ops[i]) &&
		    !sat_op_is_pool(&j->c->ops[i]))
			return false;
	return true;
}

sat_rc
sat_srv_judge(judging *j, wrec *w, sat_err *e)
{
	sat_relation now, then;
	bool visible = true, held;
	unsigned sorts;
	sat_rc rc;

	if ((rc = sat_srv_judge_hand(j, w, e)) != SAT_OK ||
	    (rc = sat_srv_judge_pool(j, w, e)) != SAT_OK ||
	    only_special(j, w))
		return rc;
	if ((rc = sat_srv_judge_masked(j, w, e)) != SAT_OK ||
	    (rc = sat_srv_judge_veiled(j, w, e)) != SAT_OK)
		return rc;
	if ((rc = sat_srv_relation(&now, j, w, e)) != SAT_OK)
		return rc;
	if (!w->fresh && (rc = sat_srv_visible(&visible, j->s, w, j->mine,
	    e)) != SAT_OK)
		return rc;
	rc = visible ? gate(j, w, now, CONTENT | AUTHORITY, e) : SAT_EDENIED;
	if (rc != SAT_EDENIED)
		return rc;
	/* As of what he had seen: a birth, and the content of what was there. */
	sorts = sorts_of(j, w);
	if (!w->fresh && !(sorts & CONTENT))
		return denied(j, w);
	if ((rc = at_seen(&then, &held, j, w, e)) != SAT_OK)
		return rc;
	if (!held && then == SAT_REL_NONE)
		return denied(j, w);
	if (then == SAT_REL_NONE || (now != SAT_REL_NONE && now < then))
		then = now;
	if (w->fresh)
		rc = gate(j, w, then, CONTENT | AUTHORITY, e);
	else if ((rc = gate(j, w, then, CONTENT, e)) == SAT_OK &&
	    (sorts & AUTHORITY))
		rc = visible ? gate(j, w, now, AUTHORITY, e) : SAT_EDENIED;
	if (rc == SAT_EDENIED)
		return denied(j, w);
	if (rc == SAT_OK)
		j->late = true;
	return rc;
}
