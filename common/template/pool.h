/*
 * pool.h - the public pools of a template: policy/pool.json.
 *
 * A pool offers customers nobody owns to the teams that are its members. The
 * same rules are read by the server, which decides, and by a device, which
 * shows what the server would decide (`satchel pool preview`). Pure.
 */
#ifndef SAT_TEMPLATE_POOL_H
#define SAT_TEMPLATE_POOL_H

#include "common/template/template.h"

#define SAT_POOLS_MAX 5
#define SAT_POOL_HIDDEN_MAX 32

typedef struct sat_pool_rule {
	const char *grade;   /* option key; NULL: every grade without a rule */
	int no_follow_d;     /* days without a follow-up until it is taken back */
	int warn_before_d;
} sat_pool_rule;

typedef struct sat_pool {
	const char *key;
	const char *const *members; /* team keys; "*" = every team */
	size_t nmembers;
	/* fields of the customer its members do not see (P-155) */
	const sat_field *hidden[SAT_POOL_HIDDEN_MAX];
	size_t nhidden;
	int daily_claim, hold_limit;      /* 0 = no limit */
	int prev_owner_cooldown_d;        /* the last owner waits so long */
	int new_entry_protect_d;          /* nobody claims it before */
	bool auto_reclaim;                /* else the rules are for preview only */
	int reclaim_hour;                 /* 0-23, in the organisation's zone */
	int offline_grace_d;              /* silent devices are waited for so long */
	int lease_max, lease_hours;       /* reserved in advance, per user */
	sat_pool_rule *reclaim;
	size_t nreclaim;
} sat_pool;

/* What pools hold: the kind "account", NULL when the template has none, or no
 * owner. */
const sat_kind *sat_pool_kind(const sat_template *t);
size_t sat_pools(const sat_template *t);
const sat_pool *sat_pool_at(const sat_template *t, size_t i);
/* By key; text behind a line feed (the reason of a release) is not part. */
const sat_pool *sat_pool_by_key(const sat_template *t, sat_span key);
sat_span sat_pool_key_of(sat_span value);
sat_span sat_pool_reason_of(sat_span value); /* {NULL,0} = none */
bool sat_pool_member(const sat_pool *p, const char *team); /* NULL = no team */

/* What the rule looks at. */
typedef struct sat_pool_facts {
	sat_span grade;          /* {NULL,0} = none */
	bool exempt;             /* won, or deleted */
	/* last follow-up, at least when it was made and when its owner got it */
	int64_t last_ms;
} sat_pool_facts;
/* From a record's values; had_ms: the later of the two instants above; a typed
 * grade only while it counts at now_ms. */
sat_pool_facts sat_pool_facts_of(const sat_kind *k,
    sat_value (*value)(void *u, const sat_field *f), void *u, int64_t had_ms,
    int64_t now_ms);
/* The rule of the first pool that has one for the grade; *due_ms when it is
 * taken back. NULL: never. */
const sat_pool_rule *sat_pool_due(int64_t *due_ms, const sat_pool **pool,
    const sat_template *t, const char *team, const sat_pool_facts *f);

#endif
