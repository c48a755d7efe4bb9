/*
 * keeps.c - what a template may not take away from under people without a word.
 *
 * A successor that sat_template_follows() lets through can still be read by
 * every program, and the fold stays the same function. But a customer in a pool
 * that is gone is on nobody's device, a user whose role is gone may do nothing,
 * and a value that is no option any more is found by no filter: who publishes
 * it hears so first, and how to do what was meant. Devices do not ask: for them
 * what is published counts.
 */
#include "common/template/pool.h"
#include "common/template/template_int.h"

#include <stdio.h>
#include <string.h>

typedef struct pair {
	const sat_template *next, *prev;
	const sat_template_held *held;
} pair;

/* ---- pools ------------------------------------------------------------------- */

static sat_rc
keeps_pools(const pair *p, sat_err *e)
{
	const sat_pool *was;
	uint64_t n;
	sat_rc rc;

	for (size_t i = 0; (was = sat_pool_at(p->prev, i)) != NULL; i++) {
		if (sat_pool_by_key(p->next, sat_span_str(was->key)) != NULL)
			continue;
		if ((rc = p->held->in_pool(&n, p->held->u, was->key, e)) !=
		    SAT_OK)
			return rc;
		if (n > 0)
			return sat_fail_code(e, SAT_EINVALID,
			    "template.pool_gone", "give them to somebody first "
			    "(account assign), or keep the key and change its "
			    "label", "policy/pool.json: the pool %.40s is gone, "
			    "and nobody would hold the customers in it any "
			    "more, %llu of them", was->key,
			    (unsigned long long)n);
	}
	return SAT_OK;
}

/* ---- roles ------------------------------------------------------------------- */

static sat_rc
keeps_roles(const pair *p, sat_err *e)
{
	const sat_json *was = sat_json_first(p->prev->matrix);
	char who[100];
	sat_rc rc;

	for (; was != NULL; was = sat_json_next(was)) {
		const char *role = sat_json_key(was);

		if (sat_json_get(p->next->matrix, role) != NULL)
			continue;
		if ((rc = p->held->of_role(who, sizeof who, p->held->u, role,
		    e)) != SAT_OK)
			return rc;
		if (who[0] != '\0')
			return sat_fail_code(e, SAT_EINVALID,
			    "template.role_gone", "give them another one first "
			    "(satcheld user edit KEY --role ROLE), or keep the "
			    "key and change its label", "acl/matrix.json: the "
			    "role %.40s has no rights any more, and people have "
			    "it: %s", role, who);
	}
	return SAT_OK;
}

/* ---- the time zone --------------------------------------------------------------- */

/* A date is the instant of its local midnight. What was taken on once is not
 * taken on the next time: the waiver must be another one. */
static sat_rc
keeps_zone(const pair *p, sat_err *e)
{
	const char *now = sat_template_waiver(p->next, "tz-min");
	const char *then = sat_template_waiver(p->prev, "tz-min");
	uint64_t n;
	sat_rc rc;

	if (p->next->tz_min == p->prev->tz_min || (now != NULL &&
	    (then == NULL || strcmp(now, then) != 0)))
		return SAT_OK;
	if ((rc = p->held->records(&n, p->held->u, e)) != SAT_OK || n == 0)
		return rc;
	return sat_fail_code(e, SAT_EINVALID, "template.zone",
	    "if that is meant: \"waivers\": [{\"rule\": \"tz-min\", "
	    "\"reason\": ...}] in template.json, with a reason of its own",
	    "template.json: tz_min was %d and is %d: dates that are written "
	    "already would be read as another day, in %llu records",
	    p->prev->tz_min, p->next->tz_min, (unsigned long long)n);
}

/* ---- options ----------------------------------------------------------------------- */

static sat_rc
keeps_options(const sat_kind *k, const char *path, const sat_field *is,
    const sat_field *was, sat_err *e)
{
	if (is == NULL || is->dict == NULL || was->dict == NULL ||
	    strcmp(is->dict->name, was->dict->name) == 0)
		return SAT_OK;
	for (size_t i = 0; i < was->dict->n; i++) {
		const char *key = was->dict->options[i].key;

		if (sat_dict_option(is->dict, key, strlen(key)) == NULL)
			return sat_fail_code(e, SAT_EINVALID,
			    "template.options_gone", "give the new dictionary "
			    "the options of the old one too, as retired, or "
			    "retire the field and add a new one", "%s: %s.%s: "
			    "its options are those of dict/%s.json now, which "
			    "has no %s as dict/%s.json has", path, k->key,
			    was->key, is->dict->name, key, was->dict->name);
	}
	return SAT_OK;
}

static sat_rc
keeps_kind(const pair *p, const sat_kind *was, size_t at, sat_err *e)
{
	const sat_kind *is = sat_template_kind_id(p->next, was->id);
	sat_rc rc = SAT_OK;

	for (size_t i = 0; is != NULL && rc == SAT_OK && i < was->nfields; i++)
		rc = keeps_options(is, sat_template_path(p->prev, "fields/", at),
		    sat_kind_field_id(is, was->fields[i].id), &was->fields[i],
		    e);
	return rc;
}

sat_rc
sat_template_keeps(const sat_template *next, const sat_template *prev,
    const sat_template_held *held, sat_err *e)
{
	pair p = { next, prev, held };
	sat_rc rc = SAT_OK;

	for (size_t i = 0; i < prev->nkinds && rc == SAT_OK; i++)
		rc = keeps_kind(&p, &prev->kinds[i], i, e);
	if (held == NULL || rc != SAT_OK ||
	    (rc = keeps_pools(&p, e)) != SAT_OK ||
	    (rc = keeps_roles(&p, e)) != SAT_OK)
		return rc;
	return keeps_zone(&p, e);
}
