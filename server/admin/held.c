/*
 * held.c - who has what a newer template takes away: customers in a pool,
 * people in a role. Asked before it is signed; on a device it would be too late
 * for a question.
 */
#include "server/admin/admin_int.h"

#include <stdio.h>
#include <string.h>

typedef struct roots {
	uint32_t *eid;
	size_t n, cap;
	sat_arena *mem;
} roots;

static bool
add_root(void *u, uint32_t eid)
{
	roots *r = u;

	SAT_ARENA_GROW(r->eid, r->n, r->cap, r->mem);
	r->eid[r->n++] = eid;
	return true;
}

/* Who is deleted or merged keeps his place, and nobody misses him. */
static sat_rc
counts(bool *yes, sat_admin *a, uint32_t eid, sat_err *e)
{
	sat_store st = sat_sqlite_store_ops(a->store);
	sat_arena mem = { 0 };
	sat_rec_row row;
	sat_record r;
	sat_id to;
	sat_rc rc;

	*yes = false;
	if ((rc = st.rec_by_eid(&row, &mem, st.u, eid, e)) == SAT_OK &&
	    (rc = sat_record_read(&r, &mem, row.state, e)) == SAT_OK)
		*yes = !r.deleted && !sat_record_redirect(&to, &r);
	sat_arena_fini(&mem);
	return rc;
}

static sat_rc
in_pool(uint64_t *n, void *u, const char *pool, sat_err *e)
{
	sat_admin *a = u;
	sat_store st = sat_sqlite_store_ops(a->store);
	sat_arena mem = { 0 };
	roots r = { .mem = &mem };
	sat_rc rc = st.roots_of_key(st.u, sat_key_pool(sat_span_str(pool)), 0,
	    add_root, &r, e);

	*n = 0;
	for (size_t i = 0; i < r.n && rc == SAT_OK; i++) {
		bool yes;

		rc = counts(&yes, a, r.eid[i], e);
		*n += yes;
	}
	sat_arena_fini(&mem);
	return rc;
}

static sat_rc
of_role(char *who, size_t room, void *u, const char *role, sat_err *e)
{
	sat_admin *a = u;
	const sat_registry *reg = sat_server_registry(a->core);
	size_t n = 0;

	(void)e;
	who[0] = '\0';
	for (size_t i = 0; i < reg->nusers; i++) {
		const sat_user *x = &reg->users[i];

		if (x->disabled || strcmp(x->role, role) != 0)
			continue;
		if (n + strlen(x->key) + sizeof ", , ..." > room) {
			(void)snprintf(who + n, room - n, ", ...");
			break;
		}
		n += (size_t)snprintf(who + n, room - n, "%s%s",
		    n > 0 ? ", " : "", x->key);
	}
	return SAT_OK;
}

static sat_rc
records(uint64_t *n, void *u, sat_err *e)
{
	sat_admin *a = u;
	sat_sqlite_status st;
	sat_rc rc = sat_sqlite_status_get(&st, a->store, e);

	*n = rc == SAT_OK ? st.records : 0;
	return rc;
}

sat_rc
admin_keeps(sat_admin *a, const sat_template *next, const sat_template *prev,
    sat_err *e)
{
	sat_template_held held = { a, in_pool, of_role, records };
	sat_rc rc = sat_server_settle(a->core, e);

	return rc == SAT_OK ? sat_template_keeps(next, prev, &held, e) : rc;
}
