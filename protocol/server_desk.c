/*
 * server_desk.c - the desk forgets overnight (P-274).
 *
 * What a kiosk or a receptionist took in waits at the desk, where every
 * receptionist of the team sees it, until it is given to somebody. What nobody
 * took care of by the end of the day is no business of the desk's any more: the
 * team's manager gets it, and the desk's devices let it go.
 */
#include "protocol/server_int.h"

#include <string.h>

#define DESK_AT_ONCE 256
#define DAY_MS ((int64_t)86400000)

typedef struct left_over {
	sat_id id;
	uint16_t kind, field;
	uint32_t root;
	const sat_user *to;
} left_over;

typedef struct clearing {
	sat_server *s;
	int64_t midnight; /* of today, UTC ms */
	sat_arena tmp;
	left_over *list;
	size_t n;
	uint32_t last;
	sat_err *e;
	sat_rc rc;
} clearing;

/* The manager of the team, else headquarters; NULL: nobody to give it to. */
static const sat_user *
heir_of(const sat_registry *reg, const sat_user *desk)
{
	const sat_user *hq = NULL;

	for (size_t i = 0; i < reg->nusers; i++) {
		const sat_user *u = &reg->users[i];

		if (u->disabled)
			continue;
		if (desk->team != 0 && u->team == desk->team &&
		    strcmp(u->role, "manager") == 0)
			return u;
		if (hq == NULL && strcmp(u->role, "hq") == 0)
			hq = u;
	}
	return hq;
}

static bool
look(void *u, const sat_rec_row *row)
{
	clearing *x = u;
	const sat_kind *k = sat_srv_kind(x->s, row->kind);
	const sat_user *owner = row->owner.n == 0 ? NULL :
	    sat_registry_user(&x->s->reg, row->owner), *to;
	sat_record r;

	x->last = row->eid;
	if (!sat_user_is_desk(owner) || k == NULL || k->owner == NULL ||
	    k->scope == SAT_SCOPE_TEAM ||
	    (to = heir_of(&x->s->reg, owner)) == NULL)
		return true;
	sat_arena_reset(&x->tmp);
	if ((x->rc = sat_record_read(&r, &x->tmp, row->state, x->e)) != SAT_OK)
		return false;
	if (r.deleted || sat_hlc_ms(r.born.hlc) >= x->midnight)
		return true;
	x->list[x->n++] = (left_over){ row->id, k->id, k->owner->id,
		row->root, to };
	return x->n < DESK_AT_ONCE;
}

static sat_rc
give(clearing *x, const left_over *l, sat_err *e)
{
	sat_op op = { .kind = SAT_OP_REASSIGN, .rtype = l->kind,
		.field = l->field, .rec = l->id,
		.value = sat_v_text(sat_span_str(l->to->key)) };
	uint64_t lsn;
	wrec *root;
	sat_rc rc = sat_set_by_eid(&root, x->s, l->root, e);

	return rc != SAT_OK ? rc :
	    sat_srv_own(x->s, &root->id, &op, 1, &lsn, e);
}

static bool
has_desk(const sat_registry *reg)
{
	for (size_t i = 0; i < reg->nusers; i++)
		if (sat_user_is_desk(&reg->users[i]))
			return true;
	return false;
}

sat_rc
sat_srv_clear_desk(sat_server *s, int64_t now, sat_err *e)
{
	const sat_store *st = &s->env.store;
	clearing x = { .s = s, .e = e };
	uint64_t today, last = 0;
	int64_t tz;
	sat_rc rc;

	if (s->tip == NULL || now <= 0 || !has_desk(&s->reg))
		return SAT_OK;
	tz = (int64_t)sat_template_tz_min(s->tip) * 60000;
	today = (uint64_t)((now + tz) / DAY_MS);
	x.midnight = (int64_t)today * DAY_MS - tz;
	if ((rc = st->counter_get(&last, st->u, SAT_N_DESK_DAY, e)) != SAT_OK ||
	    last >= today)
		return rc;
	x.list = sat_arena_alloc(&s->txn, DESK_AT_ONCE * sizeof *x.list);
	do {
		x.n = 0;
		if ((rc = st->rec_scan(st->u, x.last, look, &x, e)) == SAT_OK)
			rc = x.rc;
		for (size_t i = 0; i < x.n && rc == SAT_OK; i++)
			rc = give(&x, &x.list[i], e);
	} while (rc == SAT_OK && x.n == DESK_AT_ONCE);
	sat_arena_fini(&x.tmp);
	return rc != SAT_OK ? rc :
	    st->counter_put(st->u, SAT_N_DESK_DAY, today, e);
}
