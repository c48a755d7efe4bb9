/*
 * Verbs of the server from an administrator's device (P-370 to P-373). The core
 * judges who may ask; what the words mean is the host's. They run between two
 * transactions, as if they came over the server's own socket: a verb may change
 * the registry, so nothing of it is held across the call.
 */
#include "protocol/server_int.h"

#include <stdio.h>
#include <string.h>

/* P-371. The key is copied: the registry may be another one afterwards. */
static sat_rc
may_ask(char key[SAT_ADMIN_WORD_MAX], sat_server *s,
    const sat_server_session *x, sat_err *e)
{
	const sat_user *user;
	sat_rc rc = sat_srv_session_user(&user, s, x, e);

	if (rc != SAT_OK)
		return rc;
	if (strcmp(user->role, "admin") != 0)
		return sat_fail_code(e, SAT_EDENIED, "denied",
		    "ask an administrator",
		    "the role %s may not configure the server", user->role);
	if (s->env.admin == NULL)
		return sat_fail(e, SAT_EDENIED,
		    "this server is configured on its own machine only");
	(void)snprintf(key, SAT_ADMIN_WORD_MAX, "%s", user->key);
	return SAT_OK;
}

sat_rc
sat_srv_admin(sat_server *s, const sat_server_session *x, sat_buf *reply,
    sat_span frame, sat_err *e)
{
	char key[SAT_ADMIN_WORD_MAX];
	sat_msg m, is = { .type = SAT_MSG_ADMIN_IS };
	sat_arena a = { 0 };
	sat_buf out = { 0 };
	sat_err why = { 0 };
	sat_rc rc;

	if ((rc = sat_msg_read(&m, &a, frame, &why)) == SAT_OK &&
	    (rc = may_ask(key, s, x, &why)) == SAT_OK)
		rc = s->env.admin(s->env.u, key, &m.u.admin, &out, &why);
	if (rc == SAT_OK && out.n > SAT_ADMIN_ANSWER_MAX)
		rc = sat_fail(&why, SAT_ENOSPACE, "answer of %zu bytes", out.n);
	is.u.admin_is = sat_buf_span(&out);
	if (rc == SAT_OK) {
		sat_msg_write(reply, &is);
	} else if (rc == SAT_EFSYNC) {
		if (e != NULL)
			*e = why;
	} else {
		why.rc = rc;
		sat_msg_write_error(reply, &why);
		rc = SAT_OK;
	}
	sat_buf_fini(&out);
	sat_arena_fini(&a);
	return rc;
}
