/*
 * server_mask.c - what a member of a pool does not see (P-155).
 *
 * Masking by state, never by operation: a device that folded operations with
 * values taken out would hold something no fold gives. So whatever happens to a
 * masked record reaches such a device as the record's state, and the state says
 * by a cell of its own that it is not whole: it is not summed, not edited, and
 * replaced when the device may hold all of it.
 */
#include "protocol/server_int.h"
#include "protocol/bugs.h"

#include <stdio.h>
#include <string.h>

#include "common/model/norm.h"

sat_keys
sat_srv_keys(const sat_server *s, const sat_user *user)
{
	return sat_scope_subscription_with(&s->reg, user, s->tip);
}

sat_rc
sat_srv_masked(bool *yes, sat_server *s, const wrec *w, const sat_keys *keys,
    sat_err *e)
{
	bool pool = false;
	wroot *r;
	sat_rc rc;

	*yes = false;
	for (size_t i = 0; i < keys->n && !pool; i++)
		pool = sat_key_is_pool(keys->k[i]);
	if (!pool || !w->exists || w->root != w->eid ||
	    sat_keys_has(keys, SAT_KEY_ALL))
		return SAT_OK;
	if ((rc = sat_set_root(&r, s, w->root, false, e)) != SAT_OK)
		return rc;
	pool = false;
	for (size_t i = 0; i < r->n; i++) {
		if (!r->k[i].live || !sat_keys_has(keys, r->k[i].key))
			continue;
		if (!sat_key_is_pool(r->k[i].key))
			return SAT_OK; /* held for a reason of its own */
		pool = true;
	}
	*yes = pool;
	return SAT_OK;
}

static sat_value
masked_value(sat_server *s, const sat_field *f, sat_value v)
{
	if (f->mask == NULL || v.type != SAT_V_TEXT || v.s.n == 0)
		return sat_v_null();
	sat_buf_reset(&s->scratch);
	sat_norm_mask_phone(&s->scratch, v.s);
	return sat_v_text(sat_span_of(sat_arena_dup(&s->txn, s->scratch.p,
	    s->scratch.n), s->scratch.n));
}

static void
mark(sat_server *s, sat_record *r, const char *ids, size_t n)
{
	sat_cell *c = sat_arena_alloc(&s->txn, (r->ncells + 1) * sizeof *c);

	/* no stored cell is above it */
	memcpy(c, r->cells, r->ncells * sizeof *c);
	c[r->ncells] = (sat_cell){ .field = SAT_SYS_MASKED, .at = r->born,
		.value = sat_v_text(sat_span_of(sat_arena_dup(&s->txn, ids, n),
		    n)) };
	r->cells = c;
	r->ncells++;
}

void
sat_srv_mask(sat_server *s, sat_record *r)
{
	const sat_pool *p = s->tip == NULL ? NULL : sat_pool_by_key(s->tip,
	    sat_record_value(r, SAT_SYS_POOL).s);
	char ids[SAT_POOL_HIDDEN_MAX * 5 + 1];
	size_t n = 0;

	for (size_t i = 0; p != NULL && i < p->nhidden; i++) {
		n += (size_t)snprintf(ids + n, sizeof ids - n, "%s%u",
		    n > 0 ? "," : "", p->hidden[i]->id);
		for (size_t k = 0; k < r->ncells; k++)
			if (r->cells[k].field == p->hidden[i]->id &&
			    !SAT_BUG(SAT_BUG_POOL_UNMASKED)) {
				r->cells[k].value = masked_value(s,
				    p->hidden[i], r->cells[k].value);
				r->cells[k].ext = (sat_span){ NULL, 0 };
			}
	}
	/* Work that waits for an owner's answer is not for the pool. */
	for (size_t k = 0; k < r->ncells; k++)
		if (r->cells[k].field == SAT_SYS_HANDED ||
		    r->cells[k].field == SAT_SYS_LATER ||
		    r->cells[k].field == SAT_SYS_CANDIDATES) {
			r->cells[k].value = sat_v_null();
			r->cells[k].ext = (sat_span){ NULL, 0 };
		}
	mark(s, r, ids, n);
}
