/*
 * coverage.c - how complete a report is: which devices that could add to it
 * have reported since its period ended, as far as this one was told.
 *
 * A device that has not been heard of since may hold work of the period. So the
 * numbers are provisional until the last one has reported, or until somebody
 * who answers for them freezes them (freeze.c).
 */
#include "client/crm/crm_int.h"

/* What this device has is in its reports always: no instant to name, which would
 * make two runs of one state differ. */
static void
put_devices(sat_json *doc, const sat_registry *reg, const sat_reported *at,
    size_t n, uint32_t self, int64_t until_ms)
{
	sat_json *list = sat_json_put_arr(doc, "watermarks"), *o;

	for (size_t i = 0; i < n; i++) {
		const sat_device *d = sat_registry_device(reg, at[i].device);
		const sat_user *u = d != NULL ?
		    sat_registry_user_ord(reg, d->user) : NULL;

		o = sat_json_add_obj(list);
		sat_json_put_int(o, "device", at[i].device);
		sat_json_put_str(o, "user", u != NULL ? u->key : NULL);
		sat_json_put_bool(o, "here", at[i].device == self);
		sat_json_put_time(o, "reported_at", at[i].device == self ? 0 :
		    at[i].at_ms);
		if (until_ms == 0)
			sat_json_put_null(o, "covered");
		else
			sat_json_put_bool(o, "covered",
			    at[i].at_ms >= until_ms);
	}
}

/* True when every device has reported past the end. */
static bool
put_sum(sat_json *doc, const sat_reported *at, size_t n, uint32_t self,
    int64_t until_ms, int64_t known_ms)
{
	sat_json *o = sat_json_put_obj(doc, "coverage");
	int64_t reported = 0, least = INT64_MAX;
	char percent[32];

	for (size_t i = 0; i < n; i++) {
		reported += at[i].at_ms >= until_ms;
		if (at[i].device != self && at[i].at_ms < least)
			least = at[i].at_ms;
	}
	sat_ratio_text(percent, reported, (int64_t)n, true);
	sat_json_put_int(o, "reported", reported);
	sat_json_put_int(o, "active", (int64_t)n);
	sat_json_put_str(o, "percent", n > 0 ? percent : NULL);
	sat_json_put_time(o, "until", until_ms);
	sat_json_put_time(o, "watermark", least < INT64_MAX ? least : 0);
	sat_json_put_time(o, "known_at", known_ms);
	return n > 0 && reported == (int64_t)n;
}

sat_rc
crm_coverage_put(sat_json *doc, sat_crm *c, const crm_actor *who,
    sat_grant grant, const sat_period *p, int64_t as_of_ms, sat_err *e)
{
	/* "all" has an end only when somebody named an instant */
	int64_t until = !p->all ? p->to_ms : as_of_ms < who->now_ms ? as_of_ms
	                                                            : 0;
	sat_replica_status st;
	sat_arena a = { 0 };
	sat_reported *at;
	bool whole = false;
	uint32_t self = sat_replica_identity_get(c->replica)->device;
	sat_json *o;
	size_t n;
	sat_rc rc;

	if ((rc = sat_replica_status_get(&st, c->replica, e)) != SAT_OK ||
	    (rc = sat_replica_coverage(&at, &n, &a, c->replica, who->me, grant,
	    e)) != SAT_OK) {
		sat_arena_fini(&a);
		return rc;
	}
	if (until == 0) {
		sat_json_put_null(doc, "coverage");
		sat_json_put_str(doc, "coverage_reason", crm_word(c,
		    "期间没有终点，无法判断哪些设备已上报",
		    "the period has no end that devices could have reported "
		    "past"));
	} else {
		whole = put_sum(doc, at, n, self, until, st.last_sync_ms);
	}
	put_devices(doc, who->reg, at, n, self, until);
	sat_json_put_bool(doc, "provisional", !whole || !st.complete);
	o = sat_json_put_obj(doc, "data");
	sat_json_put_int(o, "cursor", (int64_t)st.cursor);
	sat_json_put_int(o, "pending_commits", st.pending_commits);
	sat_json_put_bool(o, "complete", st.complete);
	sat_json_put_int(o, "active_devices", (int64_t)n);
	sat_arena_fini(&a);
	return SAT_OK;
}
