/*
 * server_mask.c - what a member of a pool does not see (P-155), and what a role
 * does not (P-241).
 *
 * Masking by state, never by operation: a device that folded operations with
 * values taken out would hold something no fold gives. So whatever happens to a
 * pool's record reaches such a device as the record's state, and the state says
 * by a cell of its own that it is not whole: it is not summed, not edited, and
 * replaced when the device may hold all of it.
 *
 * A role's device works with what it holds, so of its records only what touches
 * a hidden field goes as a state. Fields fold one by one: the others' operations
 * give on the masked record what they give on the whole one, and the record as
 * the role is shown it is a function of the record alone, which can be summed.
 *
 * Invariants, named in the tests:
 *   V1  a hidden value is in no byte that leaves for the role's device.
 *   V2  at equal positions such a device holds what sat_srv_shown gives.
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

const sat_mask *
sat_srv_mask_by(sat_server *s, const uint8_t oid[SAT_TEMPLATE_OID_BYTES],
    const sat_user *user)
{
	const sat_template *t = sat_srv_oid_zero(oid) ? NULL :
	    sat_srv_template(s, oid);

	if (t == NULL)
		t = s->tip;
	return t == NULL ? NULL : sat_template_mask(t, user->role);
}

/* By the template the session began with: the device goes by that one, too. */
sat_rc
sat_srv_session_keys(sat_keys *keys, sat_server *s,
    const sat_server_session *x, const sat_user *user, sat_err *e)
{
	uint8_t due[SAT_TEMPLATE_OID_BYTES];
	sat_rc rc;

	*keys = sat_srv_keys(s, user);
	if (keys->n == 0)
		return SAT_OK;
	if ((rc = sat_srv_template_stands(sat_srv_template(s, x->tip), x->tip,
	    e)) != SAT_OK)
		return rc;
	sat_srv_due(due, s, x->device, user, x->tip);
	keys->mask = sat_srv_mask_by(s, x->tip, user);
	if (memcmp(due, x->tip, sizeof due) == 0 ||
	    sat_mask_same(keys->mask, sat_srv_mask_by(s, due, user)))
		return SAT_OK;
	return sat_fail_code(e, SAT_EBUSY, "template", "sync again",
	    "what this role is shown has changed since the session began");
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

/* `ids` is the arena's. */
static void
mark(sat_server *s, sat_record *r, sat_span ids)
{
	sat_cell *c = sat_arena_alloc(&s->txn, (r->ncells + 1) * sizeof *c);

	/* no stored cell is above it */
	memcpy(c, r->cells, r->ncells * sizeof *c);
	c[r->ncells] = (sat_cell){ .field = SAT_SYS_MASKED, .at = r->born,
		.value = sat_v_text(ids) };
	r->cells = c;
	r->ncells++;
}

/* ---- pools ------------------------------------------------------------------- */

static void
mask_for_pool(sat_server *s, sat_record *r)
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
	mark(s, r, sat_span_of(sat_arena_dup(&s->txn, ids, n), n));
}

/* ---- roles ------------------------------------------------------------------- */

bool
sat_srv_veil_cell(sat_server *s, sat_cell *c, const sat_field *f)
{
	if (c->value.type == SAT_V_NULL && c->ext.n == 0)
		return false;
	c->value = f != NULL ? masked_value(s, f, c->value) : sat_v_null();
	c->ext = (sat_span){ NULL, 0 };
	return true;
}

bool
sat_srv_veil(sat_server *s, sat_record *r, const sat_mask *m)
{
	char ids[(SAT_FIELDS_MAX + 2) * 5 + 2] = "@";
	size_t n = 1;

	for (size_t i = 0; i < r->ncells; i++) {
		sat_cell *c = &r->cells[i];
		const sat_field *f = sat_mask_field(m, r->kind, c->field);

		if ((f == NULL && !sat_field_may_tell(c->field)) ||
		    !sat_srv_veil_cell(s, c, f))
			continue;
		n += (size_t)snprintf(ids + n, sizeof ids - n, "%s%u",
		    n > 1 ? "," : "", c->field);
	}
	if (n == 1)
		return false;
	/* of a pool's record its own mark says more */
	if (sat_record_cell(r, SAT_SYS_MASKED) == NULL)
		mark(s, r, sat_span_of(sat_arena_dup(&s->txn, ids, n), n));
	return true;
}

sat_rc
sat_srv_shown(sat_record *r, sat_server *s, const wrec *w,
    const sat_keys *keys, sat_err *e)
{
	bool pool;
	sat_rc rc;

	if ((rc = sat_srv_masked(&pool, s, w, keys, e)) != SAT_OK ||
	    (rc = sat_record_read_kept(r, &s->txn, w->state, e)) != SAT_OK)
		return rc;
	if (pool)
		mask_for_pool(s, r);
	if (keys->mask != NULL)
		(void)sat_srv_veil(s, r, keys->mask);
	return SAT_OK;
}

/* Rights are judged by what the author's device is due (P-086). */
static const sat_mask *
mask_of_author(const judging *j)
{
	return j->tip == NULL ? NULL : sat_template_mask(j->tip,
	    j->a->actor->role);
}

bool
sat_srv_hand_veiled(const judging *j, const sat_commit *part)
{
	const sat_mask *m = mask_of_author(j);
	const sat_id *made = NULL;

	for (size_t i = 0; m != NULL && i < part->nops; i++) {
		const sat_op *op = &part->ops[i];

		if (op->kind == SAT_OP_NEW)
			made = &op->rec;
		else if (sat_mask_field(m, op->rtype, op->field) != NULL &&
		    (made == NULL || !sat_id_eq(made, &op->rec)))
			return true;
	}
	return false;
}

size_t
sat_srv_veiled_op(const judging *j, const merging *m)
{
	const sat_mask *mask = mask_of_author(j);

	for (size_t i = 0; mask != NULL && i < j->c->nops; i++)
		if ((m->of[i] == NULL || !m->of[i]->fresh) && sat_mask_field(mask,
		    j->c->ops[i].rtype, j->c->ops[i].field) != NULL)
			return i;
	return SIZE_MAX;
}

sat_rc
sat_srv_judge_veiled(judging *j, wrec *w, sat_err *e)
{
	const sat_mask *m = mask_of_author(j);

	(void)e;
	if (m == NULL || w->fresh)
		return SAT_OK;
	for (size_t i = w->first_op; i != SIZE_MAX; i = j->next_op[i])
		if (sat_mask_field(m, w->kind, j->c->ops[i].field) != NULL)
			return sat_srv_refuse(j->a, i, SAT_VD_REJECTED,
			    "masked", "");
	return SAT_OK;
}
