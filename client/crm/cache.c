/*
 * A small bounded map for the lookups an import repeats: the same 35 names in
 * 8,800 rows, the same customer in 100 opportunities. Open addressing; when it
 * is full it starts anew, which bounds the memory and needs no ages.
 */
#include "client/crm/crm_int.h"

#include <stdlib.h>
#include <string.h>

typedef struct slot {
	uint64_t hash; /* 0 = empty */
	uint32_t space;
	sat_span key;
	sat_value value;
} slot;

struct crm_cache {
	slot *slots;
	size_t nslots, n, max;
	sat_arena mem;
};

crm_cache *
crm_cache_new(size_t max)
{
	crm_cache *c = sat_xcalloc(1, sizeof *c);

	c->max = max;
	c->nslots = 64;
	while (c->nslots < max * 2)
		c->nslots *= 2;
	c->slots = sat_xcalloc(c->nslots, sizeof *c->slots);
	return c;
}

void
crm_cache_free(crm_cache *c)
{
	if (c == NULL)
		return;
	free(c->slots);
	sat_arena_fini(&c->mem);
	free(c);
}

/* FNV-1a; keys are our own users' sheets, not an attacker's. */
static uint64_t
hash_of(uint32_t space, sat_span key)
{
	uint64_t h = 14695981039346656037u ^ space;

	for (size_t i = 0; i < key.n; i++)
		h = (h ^ key.p[i]) * 1099511628211u;
	h ^= h >> 32;
	return h != 0 ? h : 1;
}

static slot *
find(const crm_cache *c, uint64_t h, uint32_t space, sat_span key)
{
	size_t i = (size_t)h & (c->nslots - 1);

	while (c->slots[i].hash != 0 && !(c->slots[i].hash == h &&
	    c->slots[i].space == space && sat_span_eq(c->slots[i].key, key)))
		i = (i + 1) & (c->nslots - 1);
	return &c->slots[i];
}

void
crm_cache_put(crm_cache *c, uint32_t space, sat_span key, sat_value v)
{
	uint64_t h = hash_of(space, key);
	slot *s = find(c, h, space, key);

	if (s->hash == 0 && c->n >= c->max) {
		memset(c->slots, 0, c->nslots * sizeof *c->slots);
		sat_arena_reset(&c->mem);
		c->n = 0;
		s = find(c, h, space, key);
	}
	if (s->hash == 0) {
		s->hash = h;
		s->space = space;
		s->key = sat_span_of(key.n > 0 ?
		    sat_arena_dup(&c->mem, key.p, key.n) : NULL, key.n);
		c->n++;
	}
	s->value = sat_value_dup(&c->mem, v);
}

bool
crm_cache_get(sat_value *v, const crm_cache *c, uint32_t space, sat_span key)
{
	const slot *s = find(c, hash_of(space, key), space, key);

	if (s->hash == 0)
		return false;
	*v = s->value;
	return true;
}
