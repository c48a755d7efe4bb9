/*
 * server_directory.c - how far each device is: who has not heard yet that a
 * customer came or went.
 */
#include "protocol/server_int.h"

#include <string.h>

#include "common/template/gate.h"

typedef struct list {
	sat_server *s;
	const sat_user *as;   /* NULL: sees all */
	sat_grant grant;
	sat_whereabouts *row;
	size_t n, cap;
} list;

static bool
may_know(const list *l, const sat_user *of)
{
	if (l->as == NULL || l->grant == SAT_GRANT_ALL || of->ord == l->as->ord)
		return true;
	return l->grant == SAT_GRANT_TEAM && of->team != 0 &&
	    of->team == l->as->team;
}

/* The store's word, or what was reported since it was written. */
static bool
on_device(void *u, uint32_t ord, uint32_t user, int64_t seen_ms,
    uint64_t cursor)
{
	list *l = u;
	const sat_user *of = sat_registry_user_ord(&l->s->reg, user);
	sat_whereabouts *x;

	if (of == NULL || of->disabled || !may_know(l, of))
		return true;
	SAT_ARENA_GROW(l->row, l->n, l->cap, &l->s->txn);
	x = &l->row[l->n++];
	*x = (sat_whereabouts){ .device = ord, .user = user,
		.seen_ms = seen_ms, .cursor = cursor };
	for (size_t i = 0; i < l->s->nseen; i++)
		if (l->s->seen[i].dev == ord) {
			x->seen_ms = l->s->seen[i].ms;
			x->cursor = l->s->seen[i].cursor;
		}
	return l->n < SAT_DIRECTORY_MAX;
}

static sat_rc
collect(list *l, sat_server *s, const sat_user *as, sat_err *e)
{
	const sat_store *st = &s->env.store;
	sat_rc rc;

	*l = (list){ .s = s, .as = as, .grant = as == NULL || s->tip == NULL ?
	    SAT_GRANT_NO : sat_acl(s->tip, as->role, "account.assign") };
	if ((rc = st->devices(st->u, on_device, l, e)) != SAT_OK)
		return rc;
	for (size_t i = 0; i < l->n; i++) {
		sat_keys keys = sat_scope_subscription(&s->reg,
		    sat_registry_user_ord(&s->reg, l->row[i].user));

		if ((rc = st->scope_head(&l->row[i].scope_head, st->u, &keys,
		    e)) != SAT_OK)
			return rc;
	}
	return SAT_OK;
}

sat_rc
sat_srv_directory(sat_server *s, const sat_user *user, sat_buf *reply,
    sat_err *e)
{
	sat_msg m = { .type = SAT_MSG_DIRECTORY_IS };
	list l;
	sat_rc rc;

	if ((rc = collect(&l, s, user, e)) != SAT_OK)
		return rc;
	m.u.directory = (sat_directory){ l.row, l.n };
	sat_msg_write(reply, &m);
	return SAT_OK;
}

sat_rc
sat_server_directory(sat_server *s, const sat_user *as,
    void (*cb)(void *cu, const sat_whereabouts *d), void *cu, sat_err *e)
{
	list l;
	sat_rc rc;

	if ((rc = sat_srv_begin(s, e)) != SAT_OK)
		return rc;
	if ((rc = collect(&l, s, as, e)) == SAT_OK)
		for (size_t i = 0; i < l.n; i++)
			cb(cu, &l.row[i]);
	sat_srv_end_read(s);
	return rc;
}
