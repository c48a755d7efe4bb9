/*
 * scope.h - who holds what, as indexable keys (sync design B12; P-080..P-089).
 *
 * A device subscribes to keys: a rep's to user:<ord>, a manager's to
 * team:<ord> and user:<ord>, HQ's to everything (so do roles that see everything
 * but what their mask hides, P-240, P-241). A root (account) has a count
 * of reasons per key: its owner (user and team), and each owned child's
 * (opportunity's) owner. A root and its plain children are visible to a device
 * with one of the root's live keys; an owned child to its own owner's keys and
 * to its root's owner's keys. A record without a parent stands for itself. A
 * shared record (product) is held through one key that everybody has. A
 * pool's key holds the roots nobody owns that it offers, the root record alone
 * and without what the pool hides (P-151, P-155).
 *
 * In a showroom (P-270 to P-274): a kiosk's device subscribes to nothing. What a
 * kiosk or a receptionist owns gives the desk's key of the team, too, to which
 * receptionists subscribe. A record of a team's kind (rotation) gives the
 * crew's key alone, to which everybody of the team but kiosks does.
 */
#ifndef SAT_PROTOCOL_SCOPE_H
#define SAT_PROTOCOL_SCOPE_H

#include "common/template/gate.h"
#include "common/template/mask.h"
#include "common/template/pool.h"
#include "protocol/record.h"
#include "protocol/registry.h"

typedef uint64_t sat_scope_key; /* type << 32 | ordinal */
#define SAT_KEY_ALL ((sat_scope_key)1 << 40)
#define SAT_KEY_SHARED ((sat_scope_key)4 << 32)
static inline sat_scope_key
sat_key_user(uint32_t ord)
{
	return (sat_scope_key)1 << 32 | ord;
}
static inline sat_scope_key
sat_key_team(uint32_t ord)
{
	return (sat_scope_key)2 << 32 | ord;
}

static inline sat_scope_key
sat_key_desk(uint32_t team)
{
	return (sat_scope_key)5 << 32 | team;
}
static inline sat_scope_key
sat_key_crew(uint32_t team)
{
	return (sat_scope_key)6 << 32 | team;
}

/* A pool has no ordinal: 32 bits of a hash of its key stand for it. */
sat_scope_key sat_key_pool(sat_span pool_key);
static inline bool
sat_key_is_pool(sat_scope_key k)
{
	return k >> 32 == 3;
}

/* Of no record: the sum of all records as a role with this mask is shown them
 * (P-243). */
sat_scope_key sat_key_mask(const sat_mask *m);
static inline bool
sat_key_is_mask(sat_scope_key k)
{
	return k >> 32 == 7;
}

/* Suggestions and operations of later releases may be about any field. */
static inline bool
sat_field_may_tell(uint16_t field)
{
	return field == SAT_SYS_HANDED || field == SAT_SYS_LATER;
}
/* Does the operation tell what a role with this mask is not shown, or change
 * what only the whole state tells? Such a role's device is given the state, and
 * folds the operation into none, its own neither (P-242). m NULL: no. */
bool sat_op_veiled(const sat_mask *m, const sat_op *op);

#define SAT_KEYS_MAX (4 + SAT_POOLS_MAX)
typedef struct sat_keys {
	sat_scope_key k[SAT_KEYS_MAX];
	size_t n;
	/* what the holder is not shown of any record (P-241); NULL: nothing */
	const sat_mask *mask;
} sat_keys;

/* What a device of this user subscribes to. Admin, kiosk: nothing; hq, service,
 * marketing, auditor: everything (P-240). */
sat_keys sat_scope_subscription(const sat_registry *r, const sat_user *u);
/* Those among them that together see all, and of which no two see the same
 * record: a reason for a user's key is one for the key of his team. A device's
 * sum is theirs added up (P-181). */
sat_keys sat_scope_digest_keys(const sat_registry *r, const sat_user *u);
/* sat_scope_subscription with the pools the user's team is a member of, and with
 * what his role does not see (borrowed from t); t may be NULL. */
sat_keys sat_scope_subscription_with(const sat_registry *r, const sat_user *u,
    const sat_template *t);
/* Is `pool` offered to this user: a representative's or manager's team is a
 * member? */
bool sat_scope_pool_member(const sat_registry *r, const sat_user *u,
    const sat_pool *pool);
/* Does a role hold everything there is? */
bool sat_scope_sees_all(const char *role);
bool sat_keys_has(const sat_keys *k, sat_scope_key key);
/* Does this user only take visitors in, at a machine anybody can reach? His
 * device keeps nothing the server has (P-271). */
bool sat_user_is_kiosk(const sat_user *u);
/* A kiosk or a receptionist: what he owns waits at the desk (P-272). */
bool sat_user_is_desk(const sat_user *u);
/* The keys an owner (user key as stored in records) gives: user, team, desk. An
 * unknown or empty owner gives none. */
sat_keys sat_scope_owner_keys(const sat_registry *r, sat_value owner);
/* The same of a user at hand: nobody has to be looked up. */
sat_keys sat_scope_user_keys(const sat_user *u);
/* Is a key in both? */
bool sat_keys_meet(const sat_keys *a, const sat_keys *b);
/* The keys a record of this class gives to its root: its owner's; of a root
 * without one its pool's (the value of SAT_SYS_POOL, else null); or the one of
 * what is shared, or of the owner's team. */
sat_keys sat_scope_record_keys(const sat_registry *r, sat_scope_class cls,
    sat_value owner, sat_value pool);

/* How the actor stands to a record, for the gate. root_owner / own_owner: user
 * keys or null; sees_root: the actor's keys include a live key of the root. */
sat_relation sat_scope_relation(const sat_registry *r, const sat_user *actor,
    sat_scope_class cls, sat_value root_owner, sat_value own_owner,
    bool sees_root, bool is_new);
/* Of two the one that asks for the smaller right; NONE asks for most. */
sat_relation sat_scope_closer(sat_relation a, sat_relation b);

#endif
