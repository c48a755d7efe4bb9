/*
 * scope.c - who holds what: pure functions of the registry.
 *
 * Why keys and not conditions: a key is an equality the store can index, so a
 * pull costs one range per key and never looks at what did not change (P-080).
 */
#include "protocol/scope.h"

#include "common/crypto/crypto.h"

#include <string.h>

static bool
has_role(const sat_user *u, const char *role)
{
	return strcmp(u->role, role) == 0;
}

static void
add_key(sat_keys *k, sat_scope_key key)
{
	if (k->n < SAT_KEYS_MAX && !sat_keys_has(k, key))
		k->k[k->n++] = key;
}

/* What these may do with it, and what of it they are shown, the matrix says
 * (P-240, P-241). */
bool
sat_scope_sees_all(const char *role)
{
	static const char *const all[] = { "hq", "service", "marketing",
		"auditor" };

	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		if (strcmp(role, all[i]) == 0)
			return true;
	return false;
}

bool
sat_user_is_kiosk(const sat_user *u)
{
	return u != NULL && has_role(u, "kiosk");
}

bool
sat_user_is_desk(const sat_user *u)
{
	return sat_user_is_kiosk(u) || (u != NULL && has_role(u, "receptionist"));
}

sat_keys
sat_scope_subscription(const sat_registry *r, const sat_user *u)
{
	sat_keys k = { 0 };

	(void)r;
	if (u == NULL || u->disabled || has_role(u, "admin") ||
	    sat_user_is_kiosk(u))
		return k;
	if (sat_scope_sees_all(u->role)) {
		add_key(&k, SAT_KEY_ALL);
		return k;
	}
	add_key(&k, sat_key_user(u->ord));
	if (has_role(u, "manager") && u->team != 0)
		add_key(&k, sat_key_team(u->team));
	if (sat_user_is_desk(u) && u->team != 0)
		add_key(&k, sat_key_desk(u->team));
	if (u->team != 0)
		add_key(&k, sat_key_crew(u->team));
	add_key(&k, SAT_KEY_SHARED);
	return k;
}

sat_keys
sat_scope_digest_keys(const sat_registry *r, const sat_user *u)
{
	sat_keys k = sat_scope_subscription(r, u), out = { 0 };

	for (size_t i = 0; i < k.n; i++)
		if (k.k[i] == SAT_KEY_ALL || (u->team != 0 &&
		    (k.k[i] == sat_key_team(u->team) ||
		    k.k[i] == sat_key_desk(u->team))))
			add_key(&out, k.k[i]);
	if (out.n == 0 && k.n > 0)
		add_key(&out, k.k[0]);
	for (size_t i = 0; i < k.n; i++)
		if (k.k[i] == SAT_KEY_SHARED ||
		    (u->team != 0 && k.k[i] == sat_key_crew(u->team)))
			add_key(&out, k.k[i]);
	return out;
}

sat_scope_key
sat_key_pool(sat_span key)
{
	static const uint8_t sip[16] = "satchel.pool.1";
	sat_span k = sat_pool_key_of(key);

	return (sat_scope_key)3 << 32 | (uint32_t)sat_siphash24(sip, k);
}

sat_scope_key
sat_key_mask(const sat_mask *m)
{
	static const uint8_t sip[16] = "satchel.mask.1";
	uint8_t b[SAT_MASK_MAX * 5], *at = b;

	for (size_t i = 0; i < sat_mask_count(m); i++) {
		uint16_t kind;
		const sat_field *f = sat_mask_at(&kind, m, i);

		*at++ = (uint8_t)(kind >> 8);
		*at++ = (uint8_t)kind;
		*at++ = (uint8_t)(f->id >> 8);
		*at++ = (uint8_t)f->id;
		*at++ = f->mask != NULL;
	}
	return (sat_scope_key)7 << 32 | (uint32_t)sat_siphash24(sip,
	    sat_span_of(b, (size_t)(at - b)));
}

bool
sat_scope_pool_member(const sat_registry *r, const sat_user *u,
    const sat_pool *pool)
{
	const sat_team *team = sat_registry_team_ord(r, u->team);

	return !u->disabled && (has_role(u, "rep") || has_role(u, "manager")) &&
	    sat_pool_member(pool, team != NULL ? team->key : NULL);
}

sat_keys
sat_scope_subscription_with(const sat_registry *r, const sat_user *u,
    const sat_template *t)
{
	sat_keys k = sat_scope_subscription(r, u);

	if (t == NULL || k.n == 0)
		return k;
	k.mask = sat_template_mask(t, u->role);
	if (sat_keys_has(&k, SAT_KEY_ALL))
		return k;
	for (size_t i = 0; i < sat_pools(t); i++) {
		const sat_pool *p = sat_pool_at(t, i);

		if (sat_scope_pool_member(r, u, p))
			add_key(&k, sat_key_pool(sat_span_str(p->key)));
	}
	return k;
}

bool
sat_keys_has(const sat_keys *k, sat_scope_key key)
{
	for (size_t i = 0; i < k->n; i++)
		if (k->k[i] == key)
			return true;
	return false;
}

bool
sat_keys_meet(const sat_keys *a, const sat_keys *b)
{
	for (size_t i = 0; i < a->n; i++)
		if (sat_keys_has(b, a->k[i]))
			return true;
	return false;
}

sat_keys
sat_scope_user_keys(const sat_user *u)
{
	sat_keys k = { 0 };

	/* A disabled user's customers stay where they are: the manager's
	 * device must still see them to hand them on. */
	add_key(&k, sat_key_user(u->ord));
	if (u->team != 0)
		add_key(&k, sat_key_team(u->team));
	if (u->team != 0 && sat_user_is_desk(u)) /* P-272 */
		add_key(&k, sat_key_desk(u->team));
	return k;
}

sat_keys
sat_scope_owner_keys(const sat_registry *r, sat_value owner)
{
	const sat_user *u = owner.type != SAT_V_TEXT || owner.s.n == 0 ? NULL :
	    sat_registry_user(r, owner.s);

	return u != NULL ? sat_scope_user_keys(u) : (sat_keys){ 0 };
}

/* Nothing is asked of the role: what a rep wrote is the whole team's. */
static sat_keys
crew_of(const sat_registry *r, sat_value owner)
{
	const sat_user *u = owner.type != SAT_V_TEXT ? NULL :
	    sat_registry_user(r, owner.s);
	sat_keys k = { 0 };

	if (u != NULL && u->team != 0)
		add_key(&k, sat_key_crew(u->team));
	return k;
}

sat_keys
sat_scope_record_keys(const sat_registry *r, sat_scope_class cls,
    sat_value owner, sat_value pool)
{
	sat_keys k = { 0 };

	if (cls == SAT_SCOPE_SHARED) {
		add_key(&k, SAT_KEY_SHARED);
		return k;
	}
	if (cls == SAT_SCOPE_TEAM) /* P-273 */
		return crew_of(r, owner);
	k = sat_scope_owner_keys(r, owner);
	if (owner.type == SAT_V_NULL && pool.type == SAT_V_TEXT)
		add_key(&k, sat_key_pool(pool.s));
	return k;
}

static bool
is_me(const sat_user *actor, sat_value owner)
{
	return owner.type == SAT_V_TEXT &&
	    sat_span_eq(owner.s, sat_span_str(actor->key));
}

static sat_relation
to_owner(const sat_registry *r, const sat_user *actor, sat_value owner)
{
	sat_keys mine, theirs;

	if (is_me(actor, owner))
		return SAT_REL_OWN;
	mine = sat_scope_subscription(r, actor);
	theirs = sat_scope_owner_keys(r, owner);
	for (size_t i = 0; i < theirs.n; i++)
		if (sat_keys_has(&mine, theirs.k[i]))
			return SAT_REL_TEAM;
	return sat_keys_has(&mine, SAT_KEY_ALL) ? SAT_REL_ALL : SAT_REL_NONE;
}

/* Everybody of the team stands to it as his manager does, the author as its
 * owner (P-273). */
static sat_relation
in_crew(const sat_registry *r, const sat_user *actor, sat_value owner)
{
	sat_relation rel = to_owner(r, actor, owner);
	sat_keys k = crew_of(r, owner);

	if (rel == SAT_REL_NONE && actor->team != 0 &&
	    sat_keys_has(&k, sat_key_crew(actor->team)))
		return SAT_REL_TEAM;
	return rel;
}

bool
sat_op_veiled(const sat_mask *m, const sat_op *op)
{
	if (m == NULL)
		return false;
	return op->kind == SAT_OP_DEL || op->kind == SAT_OP_UNDEL ||
	    sat_op_is_hand(op) || sat_op_kind_is_later(op->kind) ||
	    sat_field_may_tell(op->field) ||
	    sat_mask_field(m, op->rtype, op->field) != NULL;
}

sat_relation
sat_scope_closer(sat_relation a, sat_relation b)
{
	if (a == SAT_REL_NONE || b == SAT_REL_NONE)
		return a == SAT_REL_NONE ? b : a;
	return a < b ? a : b;
}

sat_relation
sat_scope_relation(const sat_registry *r, const sat_user *actor,
    sat_scope_class cls, sat_value root_owner, sat_value own_owner,
    bool sees_root, bool is_new)
{
	sat_relation rel = to_owner(r, actor, root_owner);

	if (actor->disabled)
		return SAT_REL_NONE;
	if (cls == SAT_SCOPE_SHARED) /* the right must be for all of them */
		return SAT_REL_ALL;
	if (cls == SAT_SCOPE_ROOT)
		return rel;
	if (cls == SAT_SCOPE_TEAM)
		return in_crew(r, actor, own_owner.type != SAT_V_NULL ?
		    own_owner : root_owner);
	if (cls == SAT_SCOPE_OWNED || own_owner.type != SAT_V_NULL)
		rel = sat_scope_closer(rel, to_owner(r, actor, own_owner));
	/* Whoever works on an opportunity under somebody else's account may
	 * write down the visit: a new plain child of a root he sees is his. */
	if (cls == SAT_SCOPE_CHILD && is_new && sees_root)
		rel = sat_scope_closer(rel, SAT_REL_OWN);
	return rel;
}
