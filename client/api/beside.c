/*
 * beside.c - for a handler that asks the server more than one thing, or sends what
 * is unsent before it asks. It runs beside the replica's thread and hands that
 * every touch of the replica; without a daemon there is one thread.
 */
#include "client/api/api_int.h"

#include <string.h>

bool
api_interrupted(void *u)
{
	const sat_api *api = u;

	return api->interrupted != NULL && api->interrupted(api->u);
}

void
api_on_replica(sat_api *api, void (*fn)(void *arg), void *arg)
{
	if (api->sync.call != NULL)
		api->sync.call(api->sync.cu, fn, arg);
	else
		fn(arg);
}

typedef struct looking {
	sat_api *api;
	sat_replica_status st;
	sat_err *e;
	sat_rc rc;
} looking;

static void
look(void *arg)
{
	looking *x = arg;

	x->rc = sat_replica_status_get(&x->st, x->api->crm.replica, x->e);
}

sat_rc
api_send_first(sat_api *api, sat_err *e)
{
	looking x = { .api = api, .e = e };
	sat_sync_opts o = api->sync;
	sat_sync_result r;
	sat_rc rc;

	if (o.asking != NULL)
		return SAT_OK;
	api_on_replica(api, look, &x);
	if (x.rc != SAT_OK || x.st.pending_commits == 0)
		return x.rc;
	o.flags = SAT_CS_PUSH_ONLY;
	o.interrupted = api_interrupted;
	o.u = api;
	rc = sat_sync_run(&r, api->crm.replica, &o, e);
	return rc == SAT_EPARTLY ? SAT_OK : rc; /* refused work is kept */
}

typedef struct question {
	sat_api *api;
	sat_privacy_is *is;
	sat_arena *a;
	const sat_privacy *in;
	sat_sync_opts o;
	sat_err err;
	sat_rc rc;
} question;

static void
put_question(void *arg)
{
	question *q = arg;

	memset(&q->err, 0, sizeof q->err);
	q->rc = sat_sync_privacy(q->is, q->a, q->api->crm.replica, q->in, &q->o,
	    &q->err);
}

sat_rc
api_ask_privacy(sat_privacy_is *is, sat_arena *a, sat_api *api,
    const sat_privacy *in, sat_err *e)
{
	question q = { .api = api, .is = is, .a = a, .in = in, .o = api->sync };

	if (api->sync.call == NULL || api->sync.asking != NULL)
		return sat_sync_privacy(is, a, api->crm.replica, in, &api->sync,
		    e);
	q.o.asking = sat_asking_new();
	q.o.interrupted = api_interrupted;
	q.o.u = api;
	api_on_replica(api, put_question, &q);
	if (sat_asking_waits(q.o.asking)) {
		sat_asking_go(q.o.asking, &q.o);
		api_on_replica(api, put_question, &q);
	}
	sat_asking_free(q.o.asking);
	if (q.rc != SAT_OK && e != NULL)
		*e = q.err;
	return q.rc;
}
