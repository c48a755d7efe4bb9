/*
 * The public pool on a device: what is offered, claiming, releasing, and what
 * the rules would take back. The server decides all of it when it merges; a
 * claim made here is a wish that waits (P-152, P-153).
 */
#include "client/crm/crm_int.h"

#include <stdio.h>
#include <string.h>

#define REASON_MAX 240

static sat_rc
pooled(const sat_kind **k, const crm_actor *who, const sat_template *rules,
    sat_err *e)
{
	*k = sat_pool_kind(who->t);
	return *k != NULL && sat_pools(rules) > 0 ? SAT_OK : sat_fail_code(e,
	    SAT_ENOTFOUND, "pool.none", "see: satchel template show "
	    "policy/pool.json", "the template has no public pool");
}

static sat_rc
customers(const sat_kind **k, const crm_actor *who, sat_err *e)
{
	return pooled(k, who, who->t, e);
}

static sat_rc
write_op(sat_crm *c, const sat_kind *k, const sat_id *id, sat_op_kind kind,
    sat_value v, sat_err *e)
{
	sat_op op = { .kind = kind, .rtype = k->id, .field = k->owner->id,
		.rec = *id, .value = v };
	sat_draft d = { .subject = *id, .ops = &op, .nops = 1 };
	uint64_t cseq;

	return sat_replica_write(c->replica, &d, &cseq, e);
}

static sat_rc
denied(const crm_actor *who, const char *what, sat_err *e)
{
	return sat_fail_code(e, SAT_EDENIED, "denied", "ask your manager",
	    "the role %s may not %s this customer", who->me->role, what);
}

/* ---- claim --------------------------------------------------------------------- */

static sat_rc
check_claim(const crm_actor *who, const sat_kind *k, const sat_view *v,
    sat_err *e)
{
	sat_value owner = sat_record_value(&v->rec, k->owner->id);
	sat_value pool = sat_record_value(&v->rec, SAT_SYS_POOL);
	const sat_pool *p = pool.type == SAT_V_TEXT ?
	    sat_pool_by_key(who->t, pool.s) : NULL;

	if (owner.type == SAT_V_TEXT)
		return sat_fail_code(e, SAT_ECONFLICT, "claim.lost", NULL,
		    "the customer is %.*s's already", (int)owner.s.n,
		    (const char *)owner.s.p);
	if (p == NULL || v->rec.deleted)
		return sat_fail_code(e, SAT_ECONFLICT, "claim.offered",
		    "see: satchel pool list", "no pool offers this customer");
	if (sat_acl(who->t, who->me->role, "pool.claim") == SAT_GRANT_NO ||
	    !sat_scope_pool_member(who->reg, who->me, p))
		return denied(who, "claim", e);
	return SAT_OK;
}

sat_rc
sat_crm_claim(sat_crm *c, const sat_id *id, sat_err *e)
{
	sat_arena a = { 0 };
	const sat_kind *k;
	crm_actor who;
	sat_view v;
	sat_rc rc;

	if ((rc = crm_actor_get(&who, c, e)) == SAT_OK &&
	    (rc = customers(&k, &who, e)) == SAT_OK &&
	    (rc = sat_replica_get(&v, &a, c->replica, k, id, e)) == SAT_OK &&
	    (rc = check_claim(&who, k, &v, e)) == SAT_OK)
		rc = write_op(c, k, id, SAT_OP_CLAIM,
		    sat_v_text(sat_span_str(who.me->key)), e);
	sat_arena_fini(&a);
	return rc;
}

/* ---- release -------------------------------------------------------------------- */

/* The pool of that name; without one the first the owner's team is in. */
static const sat_pool *
pool_for(const crm_actor *who, const char *key, sat_value owner)
{
	const sat_user *u = owner.type == SAT_V_TEXT ?
	    sat_registry_user(who->reg, owner.s) : NULL;

	if (key != NULL)
		return sat_pool_by_key(who->t, sat_span_str(key));
	for (size_t i = 0; i < sat_pools(who->t); i++)
		if (u == NULL || sat_scope_pool_member(who->reg, u,
		    sat_pool_at(who->t, i)))
			return sat_pool_at(who->t, i);
	return NULL;
}

static sat_rc
release(sat_crm *c, const crm_actor *who, const sat_kind *k, const sat_id *id,
    const sat_view *v, const char *pool, const char *reason, sat_err *e)
{
	sat_value owner = sat_record_value(&v->rec, k->owner->id);
	const sat_pool *p = pool_for(who, pool, owner);
	char text[SAT_RELEASE_MAX];
	sat_relation rel;
	int n;
	sat_rc rc;

	if ((rc = sat_replica_relation(&rel, c->replica, k, id, e)) != SAT_OK)
		return rc;
	if (!sat_grant_covers(sat_acl(who->t, who->me->role, "pool.release"),
	    rel))
		return denied(who, "release", e);
	if (p == NULL)
		return sat_fail_code(e, SAT_ENOTFOUND, "pool.unknown",
		    "see: satchel template show policy/pool.json",
		    "there is no pool %.40s", pool != NULL ? pool :
		    "for its owner's team");
	n = snprintf(text, sizeof text, "%s\n%s", p->key, reason);
	return write_op(c, k, id, SAT_OP_RELEASE,
	    sat_v_text(sat_span_of(text, (size_t)n)), e);
}

sat_rc
sat_crm_release(sat_crm *c, const sat_id *id, const char *pool,
    const char *reason, sat_err *e)
{
	sat_arena a = { 0 };
	const sat_kind *k;
	crm_actor who;
	sat_view v;
	sat_rc rc;

	if (reason == NULL || reason[0] == '\0' ||
	    strlen(reason) > REASON_MAX || strchr(reason, '\n') != NULL)
		return sat_fail_code(e, SAT_EUSAGE, "usage.reason", NULL,
		    "a release needs a reason of one line, at most %d bytes",
		    REASON_MAX);
	if ((rc = crm_actor_get(&who, c, e)) == SAT_OK &&
	    (rc = customers(&k, &who, e)) == SAT_OK &&
	    (rc = sat_replica_get(&v, &a, c->replica, k, id, e)) == SAT_OK)
		rc = release(c, &who, k, id, &v, pool, reason, e);
	sat_arena_fini(&a);
	return rc;
}

/* ---- what the rules would take back ------------------------------------------------ */

#define COLUMNS 8

typedef struct looking {
	const sat_kind *k;
	const uint16_t *columns;
	size_t n;
	const sat_value *row;
} looking;

static sat_value
value_of(void *u, const sat_field *f)
{
	const looking *l = u;

	for (size_t i = 0; i < l->n; i++)
		if (l->columns[i] == f->id)
			return l->row[i];
	return sat_v_null();
}

static size_t
columns_of(uint16_t out[COLUMNS], const sat_kind *k)
{
	static const char *const keys[] = { "grade", "grade_until",
		"last_follow_at", "status" };
	size_t n = 0;

	out[n++] = SAT_Q_ID;
	out[n++] = SAT_Q_CREATED;
	out[n++] = k->owner->id;
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
		if (sat_kind_field(k, keys[i]) != NULL)
			out[n++] = sat_kind_field(k, keys[i])->id;
	if (k->stage != NULL)
		out[n++] = k->stage->id;
	return n;
}

static bool
is_due(const sat_pool_rule *rule, const sat_due_back *d, int64_t as_of)
{
	return rule != NULL && as_of >= d->due_ms -
	    (int64_t)rule->warn_before_d * 86400000;
}

static sat_rc
owner_since(int64_t *last_ms, sat_crm *c, const sat_kind *k, const sat_id *id,
    sat_err *e)
{
	sat_arena a = { 0 };
	const sat_cell *cell;
	sat_view v;
	sat_rc rc = sat_replica_get(&v, &a, c->replica, k, id, e);

	if (rc == SAT_OK && (cell = sat_record_cell(&v.rec, k->owner->id)) !=
	    NULL && sat_hlc_ms(cell->at.hlc) > *last_ms)
		*last_ms = sat_hlc_ms(cell->at.hlc);
	sat_arena_fini(&a);
	return rc;
}

static sat_rc
preview_row(const looking *l, sat_crm *c, const crm_actor *who, int64_t as_of,
    sat_rc (*cb)(void *u, const sat_due_back *d, sat_err *e), void *u,
    sat_err *e)
{
	const sat_user *owner = l->row[2].type == SAT_V_TEXT ?
	    sat_registry_user(who->reg, l->row[2].s) : NULL;
	looking copy = *l;
	sat_pool_facts f;
	sat_due_back d = { .owner = owner };
	const sat_team *team;
	const sat_pool_rule *rule;
	sat_rc rc;

	if (owner == NULL || l->row[0].s.n != sizeof d.id.b)
		return SAT_OK;
	memcpy(d.id.b, l->row[0].s.p, sizeof d.id.b);
	f = sat_pool_facts_of(l->k, value_of, &copy, l->row[1].i,
	    as_of);
	team = sat_registry_team_ord(who->reg, owner->team);
	rule = sat_pool_due(&d.due_ms, &d.pool, who->t,
	    team != NULL ? team->key : NULL, &f);
	if (!is_due(rule, &d, as_of))
		return SAT_OK;
	/* Counted from when he got it; that takes a look at the record. */
	if ((rc = owner_since(&f.last_ms, c, l->k, &d.id, e)) != SAT_OK)
		return rc;
	rule = sat_pool_due(&d.due_ms, &d.pool, who->t,
	    team != NULL ? team->key : NULL, &f);
	if (!is_due(rule, &d, as_of))
		return SAT_OK;
	d.due = as_of >= d.due_ms;
	return cb(u, &d, e);
}

sat_rc
sat_crm_pool_preview(sat_crm *c, int64_t as_of,
    sat_rc (*cb)(void *u, const sat_due_back *d, sat_err *e), void *u,
    sat_err *e)
{
	return crm_pool_preview_by(c, sat_replica_template(c->replica), as_of, cb,
	    u, e);
}

sat_rc
crm_pool_preview_by(sat_crm *c, const sat_template *t, int64_t as_of,
    sat_rc (*cb)(void *u, const sat_due_back *d, sat_err *e), void *u,
    sat_err *e)
{
	uint16_t columns[COLUMNS];
	sat_query q = { .columns = columns };
	looking l = { .columns = columns };
	const sat_value *row;
	sat_rows *rows;
	crm_actor who;
	sat_rc rc;

	if ((rc = crm_actor_get(&who, c, e)) != SAT_OK ||
	    (rc = pooled(&q.kind, &who, t, e)) != SAT_OK)
		return rc;
	who.t = t; /* whose rules are asked */
	l.k = q.kind;
	l.n = q.ncolumns = columns_of(columns, q.kind);
	if ((rc = sat_replica_query(&rows, c->replica, &q, e)) != SAT_OK)
		return rc;
	while ((rc = sat_rows_next(&row, rows, e)) == SAT_OK && row != NULL) {
		l.row = row;
		if ((rc = preview_row(&l, c, &who, as_of > 0 ? as_of : who.now_ms,
		    cb, u, e)) != SAT_OK)
			break;
	}
	sat_rows_free(rows);
	return rc;
}
