/*
 * What the worker does with the jobs it took: sessions of links, requests,
 * groups of pushes (invariants R1, R3, R5 of relay.c).
 */
#include "server/relay/relay_int.h"

#include "common/base/log.h"

#include <stdlib.h>
#include <string.h>

#define GROUP_MAX 256

static sat_parked *
session_of(sat_link *link)
{
	sat_parked *x = sat_link_user(link);

	if (x == NULL) { /* R1: first request of this link */
		x = sat_xcalloc(1, sizeof *x);
		memcpy(x->session.channel_pk, sat_link_peer(link),
		    sizeof x->session.channel_pk);
		sat_link_user_set(link, x);
	}
	return x;
}

static void
job_free(job *j)
{
	if (j->link != NULL)
		sat_link_unref(j->link);
	free(j);
}

void
relay_end_fatally(sat_relay *r, const sat_err *e)
{
	sat_log(SAT_ERROR, "RELAY-FATAL", "rc=%d text=%s", (int)e->rc, e->text);
	pthread_mutex_lock(&r->mutex);
	r->fatal = *e;
	r->stop = true;
	pthread_mutex_unlock(&r->mutex);
}

/* What the device is told about this machine, the administrator is told too. */
static void
log_trouble(const sat_buf *reply)
{
	sat_arena a = { 0 };
	sat_msg m;

	if (reply->n > 0 && reply->p[0] == SAT_MSG_ERROR &&
	    sat_msg_read(&m, &a, sat_buf_span(reply), NULL) == SAT_OK &&
	    m.u.error.code.n >= strlen(SAT_MSG_OWN_TROUBLE) &&
	    memcmp(m.u.error.code.p, SAT_MSG_OWN_TROUBLE,
	        strlen(SAT_MSG_OWN_TROUBLE)) == 0)
		sat_log(SAT_ERROR, "RELAY-STORE", "code=%.*s text=%.*s",
		    (int)m.u.error.code.n, (const char *)m.u.error.code.p,
		    (int)m.u.error.text.n, (const char *)m.u.error.text.p);
	sat_arena_fini(&a);
}

/* Answer a run of PUSH requests by one durable commit. */
static bool
handle_group(sat_relay *r, job **jobs, size_t n)
{
	sat_server_job g[GROUP_MAX];
	sat_buf replies[GROUP_MAX];
	int64_t came_us[GROUP_MAX], began_us = relay_us(), now_us;
	sat_err e = { 0 };
	sat_rc rc;

	for (size_t i = 0; i < n; i++) {
		replies[i] = (sat_buf){ 0 };
		g[i].session = &session_of(jobs[i]->link)->session;
		g[i].frame = sat_span_of(jobs[i]->frame, jobs[i]->n);
		g[i].reply = &replies[i];
	}
	rc = sat_server_handle_group(r->core, g, n, &e);
	for (size_t i = 0; i < n; i++) {
		if (rc == SAT_OK) {
			log_trouble(&replies[i]);
			sat_link_reply(jobs[i]->link, sat_buf_span(&replies[i]));
		}
		sat_buf_fini(&replies[i]);
		came_us[i] = jobs[i]->came_us;
		job_free(jobs[i]);
	}
	now_us = relay_us();
	pthread_mutex_lock(&r->mutex);
	sat_hist_add(&r->stats.merge, (uint64_t)(now_us - began_us));
	for (size_t i = 0; i < n; i++)
		sat_hist_add(&r->stats.ack, (uint64_t)(now_us - came_us[i]));
	r->stats.requests += n;
	r->stats.groups++;
	if (n > r->stats.group_max)
		r->stats.group_max = n;
	pthread_mutex_unlock(&r->mutex);
	if (rc != SAT_OK)
		relay_end_fatally(r, &e); /* R3 */
	return rc == SAT_OK;
}

static bool
handle_request(sat_relay *r, job *j)
{
	sat_parked *x = session_of(j->link);
	sat_buf reply = { 0 };
	sat_err e = { 0 };
	sat_rc rc;

	rc = sat_server_handle(r->core, &x->session, &reply,
	    sat_span_of(j->frame, j->n), &e);
	if (rc != SAT_OK) {
		relay_end_fatally(r, &e); /* R3 */
	} else if (x->session.parked) {
		sat_park_add(&r->park, x, j->link, relay_now_ms());
	} else {
		log_trouble(&reply);
		if (x->session.greeted || x->session.leaving)
			sat_link_trust(j->link); /* P-123 */
		sat_link_reply(j->link, sat_buf_span(&reply));
	}
	pthread_mutex_lock(&r->mutex);
	r->stats.requests++;
	pthread_mutex_unlock(&r->mutex);
	sat_buf_fini(&reply);
	return rc == SAT_OK;
}

static void
forget_session(sat_relay *r, sat_link *link)
{
	sat_parked *x = sat_link_user(link);

	if (x == NULL)
		return;
	sat_park_remove(&r->park, x);
	sat_link_user_set(link, NULL);
	free(x);
}

static bool
handle_one(sat_relay *r, job *j)
{
	bool good = true;

	switch (j->type) {
	case JOB_CALL:
		j->fn(j->u);
		pthread_mutex_lock(&r->mutex);
		*j->done = true;
		pthread_cond_broadcast(&r->finished);
		pthread_mutex_unlock(&r->mutex);
		break;
	case JOB_CLOSED:
		forget_session(r, j->link);
		break;
	case JOB_REQUEST:
		good = handle_request(r, j);
		break;
	}
	job_free(j);
	return good;
}

static bool
is_push(const job *j)
{
	return j->type == JOB_REQUEST && j->n > 0 && j->frame[0] == SAT_MSG_PUSH;
}

/* A run of PUSHes together. */
bool
relay_handle_all(sat_relay *r, job *list)
{
	job *run[GROUP_MAX], *next;
	size_t n = 0;
	bool good = true;

	for (job *j = list; j != NULL; j = next) {
		next = j->next;
		if (!good) { /* R3: drop what waits, but let callers go on */
			if (j->type == JOB_CALL)
				(void)handle_one(r, j);
			else
				job_free(j);
			continue;
		}
		if (is_push(j) && n < GROUP_MAX) {
			run[n++] = j;
			if (next != NULL && is_push(next) && n < GROUP_MAX)
				continue;
			good = handle_group(r, run, n);
			n = 0;
			continue;
		}
		good = handle_one(r, j);
	}
	return good;
}
