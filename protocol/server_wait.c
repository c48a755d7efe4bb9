/*
 * server_wait.c - live sync: a request that is answered when there is news.
 *
 * The core keeps no list of who waits: it judges a WAIT once, and then only
 * remembers which scope keys were written. Links, patience and the way from a
 * key to those who wait for it are the owner's (server/relay), so a parked
 * device costs the store nothing (P-211).
 *
 * Invariant, named in the tests:
 *   W1  between the judgement of a WAIT and the note of a key there is no
 *       moment in which a commit is neither below the scope's head that was
 *       read nor among the keys noted afterwards: both happen on one thread.
 */
#include "protocol/server_int.h"

#include <stdlib.h>
#include <string.h>

/* More keys than this in one round: everybody looks. */
#define KEYS_MAX 256

sat_rc
sat_srv_wait(sat_server *s, sat_server_session *x, const sat_wait *in,
    sat_buf *reply, sat_err *e)
{
	const sat_store *st = &s->env.store;
	sat_waited w = { 0 };
	uint8_t due[SAT_TEMPLATE_OID_BYTES];
	const sat_user *user;
	uint64_t head = 0;
	sat_keys keys;
	sat_rc rc;

	if ((rc = sat_srv_session_user(&user, s, x, e)) != SAT_OK)
		return rc;
	keys = sat_srv_keys(s, user);
	if ((rc = st->scope_head(&head, st->u, &keys, e)) != SAT_OK)
		return rc;
	if (head > in->cursor)
		w.what |= SAT_WAITED_LOG;
	sat_srv_due(due, s, x->device, user, in->template_oid);
	if (in->registry_rev != s->reg.rev ||
	    memcmp(in->template_oid, due, sizeof due) != 0)
		w.what |= SAT_WAITED_SETTINGS;
	sat_srv_seen(s, x->device, in->cursor, in->template_oid);
	if (w.what != 0) {
		sat_server_unpark(x, reply, w);
		return SAT_OK;
	}
	x->waits_for = keys;
	x->waits_for.mask = NULL; /* the template may go meanwhile */
	x->parked = true;
	return SAT_OK;
}

void
sat_server_unpark(sat_server_session *x, sat_buf *reply, sat_waited w)
{
	sat_msg m = { .type = SAT_MSG_WAITED };

	m.u.waited = w;
	sat_msg_write(reply, &m);
	x->parked = false;
}

static void
add(sat_server *s, sat_scope_key key)
{
	if (s->heard.n == s->heard.cap) {
		s->heard.cap = s->heard.cap == 0 ? 16 : s->heard.cap * 2;
		s->heard.keys = sat_xrealloc(s->heard.keys,
		    s->heard.cap * sizeof *s->heard.keys);
	}
	s->heard.keys[s->heard.n++] = key;
}

void
sat_srv_note(sat_server *s, sat_scope_key key)
{
	for (size_t i = s->heard.n; i-- > 0;)
		if (s->heard.keys[i] == key)
			return;
	if (s->heard.n < KEYS_MAX)
		add(s, key);
	else
		s->heard.everybody = true;
}

sat_heard
sat_server_heard(sat_server *s)
{
	uint64_t rev = s->env.template_rev == NULL ? 0 :
	    s->env.template_rev(s->env.u);
	sat_heard h;

	sat_srv_find_tip(s);
	if (s->heard.registry_rev != s->reg.rev || s->heard.template_rev != rev ||
	    memcmp(s->heard.tip_oid, s->tip_oid, sizeof s->tip_oid) != 0)
		s->heard.everybody = true;
	/* Who subscribes to everything has no entries in the scope index. */
	if (s->heard.lsn != s->lsn)
		add(s, SAT_KEY_ALL);
	h = (sat_heard){ s->heard.keys, s->heard.n, s->heard.everybody };
	s->heard.n = 0;
	s->heard.everybody = false;
	s->heard.lsn = s->lsn;
	s->heard.registry_rev = s->reg.rev;
	s->heard.template_rev = rev;
	memcpy(s->heard.tip_oid, s->tip_oid, sizeof s->tip_oid);
	return h;
}
