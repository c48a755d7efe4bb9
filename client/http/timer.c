/*
 * What the daemon does by itself: every few minutes the rules of the template
 * make the tasks that are due, and reports are made whose period has ended. The
 * thread only wakes; the worker does it (D1).
 */
#include <time.h>

#include "client/crm/report.h"
#include "client/http/daemon_int.h"
#include "common/base/log.h"

#define EVERY_S 300

static void
run_rules(void *arg)
{
	daemon_ *d = arg;
	sat_rules_opts o = { 0 };
	sat_rule_item *v;
	sat_arena a = { 0 };
	sat_err e = { 0 };
	sat_json *x;
	size_t n = 0, done = 0;
	sat_rc rc;

	/* locked, not synced yet, or its lease is over */
	if (d->api.crm.replica == NULL ||
	    sat_replica_me(d->api.crm.replica) == NULL ||
	    sat_replica_permitted(d->api.crm.replica, NULL) != SAT_OK)
		return;
	rc = sat_crm_rules(&v, &n, &a, &d->api.crm, &o, &e);
	for (size_t i = 0; rc == SAT_OK && i < n; i++) {
		done += v[i].what != SAT_RULE_FAILS;
		if (v[i].what == SAT_RULE_FAILS)
			sat_log(SAT_WARN, "DAEMON-RULE", "rule=%s text=%s",
			    v[i].rule, v[i].why);
	}
	sat_arena_fini(&a);
	if (rc != SAT_OK) {
		sat_log(SAT_WARN, "DAEMON-RULES", "rc=%d text=%s", (int)rc,
		    e.text);
		return;
	}
	if (done == 0)
		return;
	x = sat_json_obj();
	sat_json_put_int(x, "tasks", (int64_t)done);
	events_add(d->ev, "rules", x);
	daemon_nudge(d);
}

/* Trouble is no reason to end: it is tried again, and `satchel report due` says
 * what is the matter. */
static void
make_reports(void *arg)
{
	daemon_ *d = arg;
	sat_json *made = NULL;
	sat_err e = { 0 };

	if (d->api.crm.replica == NULL ||
	    sat_replica_me(d->api.crm.replica) == NULL ||
	    sat_replica_permitted(d->api.crm.replica, NULL) != SAT_OK)
		return;
	if (sat_crm_reports_due(&made, &d->api.crm, true, &e) != SAT_OK)
		sat_log(SAT_WARN, "DAEMON-REPORTS", "rc=%d text=%s", (int)e.rc,
		    e.text);
	else if (sat_json_count(sat_json_get(made, "data")) > 0)
		events_add(d->ev, "report", sat_json_obj());
	sat_json_free(made);
}

static void *
tick(void *u)
{
	daemon_ *d = u;
	struct timespec until;

	pthread_mutex_lock(&d->mtx);
	while (!d->timer_stop) {
		pthread_mutex_unlock(&d->mtx);
		(void)worker_call(d->w, run_rules, d);
		(void)worker_call(d->w, make_reports, d);
		pthread_mutex_lock(&d->mtx);
		(void)clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec += EVERY_S;
		while (!d->timer_stop && pthread_cond_timedwait(&d->timer_cond,
		    &d->mtx, &until) == 0)
			; /* woken to stop, or for nothing */
	}
	pthread_mutex_unlock(&d->mtx);
	return NULL;
}

void
timer_start(daemon_ *d)
{
	if (d->o.no_timer)
		return;
	if (pthread_create(&d->timer, NULL, tick, d) == 0)
		d->timer_runs = true;
	else
		sat_log(SAT_ERROR, "DAEMON-NO-THREAD", "what=timer");
}

void
timer_stop(daemon_ *d)
{
	if (!d->timer_runs)
		return;
	pthread_mutex_lock(&d->mtx);
	d->timer_stop = true;
	pthread_cond_broadcast(&d->timer_cond);
	pthread_mutex_unlock(&d->mtx);
	(void)pthread_join(d->timer, NULL);
	d->timer_runs = false;
}
